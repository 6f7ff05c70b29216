//! The plan of an intent, the same for a view on one price and for a structure of several legs: how it is made of a
//! family's distances and an agent's character, what closes the intent, and what changes its size.
//!
//! # Invariants
//!
//! 1. In this order: stop, trailing stop, exit, time stop, a target of all of it (each closes); the other targets,
//!    nearest first, hedge, add (each acts once, or as often as its owner allows).
//! 2. After a profit was taken nothing is added any more.
//! 3. An add of nothing is none: what is announced must act (law 12).
//! 4. What a plan may say beyond what families say today ends somewhere: what is no number or has no end is not taken.
//! 5. What is taken up again on an offer has the size, stop and targets that the offer named, if it named any; all else
//!    is what the family sets then.

use super::personality::{Preset, Traits};
use crate::domain::condition::{TARGETS_MAX, Target};
use crate::domain::{
    Condition, EvalContext, Hedge, HedgeKind, OfferTerms, Plan, ReEntry, Reason, Term, Verb,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most that one close changes the size; of a longer ladder of targets the rest is judged at the next.
pub const STEPS_MAX: usize = 8;
/// Largest size that an offer may name, as a multiple of that of the intent that it follows.
const OFFER_SIZE_MAX: f64 = 4.0;
/// Share of an intent that its hedge takes off.
pub const HEDGED: f64 = 0.5;
/// How long a re-entry is offered after its pause, as a share of the longest time that the intent is held.
const OFFERED: f64 = 0.25;

/// A plan in the terms of who holds it, prices or gains, before what depends on the agent's character alone.
#[derive(Clone, Copy, Debug)]
pub struct PlanDraft {
    /// Closes at a loss.
    pub stop: Condition,
    /// Closes when too much was given back.
    pub trail: Option<Condition>,
    /// The reason is gone.
    pub exit: Condition,
    /// What counts the time that it is held: bars or minutes.
    pub clock: Term,
    /// Longest time that it is held, for an agent of middling patience, in that unit.
    pub hold: f64,
    /// Shortest time to stay flat after it, for the same agent, in that unit.
    pub pause: f64,
    /// A part is taken with a profit.
    pub near: Condition,
    /// All is taken with a profit.
    pub far: Condition,
    /// More is added; none where the family never adds.
    pub add: Option<Condition>,
    /// Half is taken off, once, when this danger is there.
    pub hedge: Condition,
    /// Taken up again after the pause.
    pub again: Condition,
}

impl PlanDraft {
    /// The plan for an agent of this character, on this side.
    pub fn finish(self, side: f64, traits: &Traits, preset: &Preset) -> Plan {
        let hold = libm::ceil(self.hold * traits.patience * preset.hold).max(1.0);
        // Who decides at bars cannot come back before the next one.
        let least = if matches!(self.clock, Term::Minutes) { 0.0 } else { 1.0 };
        let pause = libm::ceil(self.pause * traits.patience * preset.pause).max(least) as u32;
        let more = preset.add_size * traits.conviction;
        Plan {
            legs: Vec::new(),
            maker: None,
            stop: self.stop,
            trail: self.trail,
            exit: self.exit,
            expire: Condition::above(self.clock, Term::Level(hold)),
            targets: vec![
                Target { when: self.near, fraction: preset.take },
                Target { when: self.far, fraction: 1.0 },
            ],
            add: self.add.filter(|_| preset.adds > 0 && more > 0.0).map(|when| (when, more)),
            hedge: Some(Hedge { when: self.hedge, how: HedgeKind::Reduce(HEDGED) }),
            reenter: Some(ReEntry {
                side,
                when: self.again,
                unless: self.exit,
                not_before: pause,
                within: pause + libm::ceil(hold * OFFERED) as u32,
                minutes: matches!(self.clock, Term::Minutes),
                terms: None,
            }),
        }
    }
}

/// Whether a life at bars can hold to a plan, whoever made it: it holds one instrument, and knows its price alone. A plan
/// that it cannot hold to is not taken.
pub fn suits_bars(plan: &Plan) -> bool {
    let needs_legs = plan.hedge.is_some_and(|hedge| matches!(hedge.how, HedgeKind::Opposite { .. }));
    is_sound(plan) && !needs_legs && !stops(plan).any(Condition::is_of_structure)
}

/// Whether a structure can hold to a plan, whoever made it: it knows no price that is its own. A plan that it cannot hold
/// to is not taken.
pub fn suits_legs(plan: &Plan) -> bool {
    is_sound(plan) && !stops(plan).any(Condition::is_of_price)
}

/// What ends a loss, of the intent and of the one that it offers after it.
fn stops(plan: &Plan) -> impl Iterator<Item = &Condition> {
    let offered = plan.reenter.as_ref().and_then(|offer| offer.terms.as_ref());
    std::iter::once(&plan.stop).chain(offered.map(|terms| &terms.stop))
}

fn is_sound(plan: &Plan) -> bool {
    let terms = plan.reenter.as_ref().and_then(|offer| offer.terms.as_ref());
    is_way_out(&plan.stop, &plan.targets)
        && plan.hedge.is_none_or(is_protection)
        && plan.add.is_none_or(|(when, more)| when.is_number() && more > 0.0 && more.is_finite())
        && terms.is_none_or(|t| t.size > 0.0 && t.size <= OFFER_SIZE_MAX && is_way_out(&t.stop, &t.targets))
}

/// Whether a hedge can hold, and leaves something open.
fn is_protection(hedge: Hedge) -> bool {
    let acts = match hedge.how {
        HedgeKind::Reduce(fraction) => fraction > 0.0 && fraction < 1.0,
        HedgeKind::Opposite { ratio, .. } => ratio > 0.0 && ratio.is_finite(),
    };
    acts && hedge.when.is_number()
}

/// Whether a stop can hold, and targets that end somewhere each take something.
fn is_way_out(stop: &Condition, targets: &[Target]) -> bool {
    let takes = |t: &Target| t.fraction > 0.0 && t.when.is_number();
    stop.is_number() && targets.len() <= TARGETS_MAX && targets.iter().all(takes)
}

/// Distance from an entry at this price to the stop, as a fraction of it; `otherwise` where the stop is no price.
pub fn stop_distance(plan: &Plan, entry: f64, otherwise: f64) -> f64 {
    match plan.stop.right {
        Term::Level(price) => libm::fabs(entry - price) / entry,
        Term::Entry(away) => libm::fabs(away),
        _ => otherwise,
    }
}

/// An offer to take an intent up again that stands since it was closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StandingOffer {
    /// The offer as it was said.
    pub offer: ReEntry,
    /// First size of the intent that was closed, as a fraction of own capital: what the offer's terms are multiples of.
    pub first: f64,
}

impl StandingOffer {
    /// The offer that a plan ends with, after an intent of this first size; none where it makes none.
    pub fn after(plan: &Plan, first: f64) -> Option<Self> {
        plan.reenter.clone().map(|offer| StandingOffer { offer, first })
    }

    /// The plan that it is taken up with, and its first size as a fraction of own capital, none where that is the
    /// family's to say: size, stop and targets as offered, all else as the family sets it now.
    pub fn take_up(&self, fresh: Plan) -> (Plan, Option<f64>) {
        match &self.offer.terms {
            None => (fresh, None),
            Some(OfferTerms { size, stop, targets }) => {
                (Plan { stop: *stop, targets: targets.clone(), ..fresh }, Some(size * self.first))
            }
        }
    }
}

/// What a plan does to a position that stays open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlanStep {
    /// This fraction is taken off with a profit.
    Take(f64),
    /// Something is done about a danger, once.
    Hedge(Hedge),
    /// This fraction of the first size is added, on this condition.
    Add(Condition, f64),
}

impl PlanStep {
    /// The verb and the reason with which it is said.
    pub fn said(self) -> (Verb, Reason) {
        match self {
            PlanStep::Take(_) => (Verb::Decrease, Reason::Target),
            PlanStep::Hedge(_) => (Verb::Decrease, Reason::Hedge),
            PlanStep::Add(..) => (Verb::Increase, Reason::Add),
        }
    }

    /// The size after it, of the size now and the first.
    pub fn size(self, now: f64, first: f64) -> f64 {
        match self {
            PlanStep::Take(fraction) | PlanStep::Hedge(Hedge { how: HedgeKind::Reduce(fraction), .. }) => {
                now * (1.0 - fraction)
            }
            PlanStep::Hedge(Hedge { how: HedgeKind::Opposite { .. }, .. }) => now,
            PlanStep::Add(_, fraction) => now + first * fraction,
        }
    }
}

/// The first condition that closes the intent: stop, trailing stop, exit, time stop, a target of all of it.
pub fn closing_reason(plan: &Plan, view: &EvalContext<'_>) -> Option<Reason> {
    if plan.stop.holds(view) {
        Some(Reason::Stop)
    } else if plan.trail.as_ref().is_some_and(|c| c.holds(view)) {
        Some(Reason::Trail)
    } else if plan.exit.holds(view) {
        Some(Reason::Exit)
    } else if plan.expire.holds(view) {
        Some(Reason::Expired)
    } else if plan.targets.iter().any(|t| t.fraction >= 1.0 && t.when.holds(view)) {
        Some(Reason::Target)
    } else {
        None
    }
}

/// Whether a price between two closes ends the intent: its stop before a target of all of it. What counts bars, looks at
/// indicators or follows the best close waits for the close.
pub fn closing_between(plan: &Plan, view: &EvalContext<'_>) -> Option<Reason> {
    if plan.stop.holds(view) {
        return Some(Reason::Stop);
    }
    plan.targets.iter().any(|t| t.fraction >= 1.0 && t.when.holds(view)).then_some(Reason::Target)
}

/// The nearest target of a part that holds, struck out; after a profit was taken nothing is added any more.
pub fn taken(plan: &mut Arc<Plan>, view: &EvalContext<'_>) -> Option<PlanStep> {
    let nearest = plan.targets.iter().position(|t| t.fraction < 1.0 && t.when.holds(view))?;
    let plan = Arc::make_mut(plan);
    plan.add = None;
    Some(PlanStep::Take(plan.targets.remove(nearest).fraction))
}

/// The first condition that changes the size: the nearest target of a part, hedge, add. What has acted is struck out,
/// and after a profit was taken nothing is added any more; when an add comes again is its owner's to say.
pub fn due(plan: &mut Arc<Plan>, view: &EvalContext<'_>) -> Option<PlanStep> {
    let step = taken(plan, view);
    if step.is_some() {
        return step;
    }
    let held: &Plan = plan;
    match (&held.hedge, &held.add) {
        (Some(hedge), _) if hedge.when.holds(view) => {
            let step = PlanStep::Hedge(*hedge);
            Arc::make_mut(plan).hedge = None;
            Some(step)
        }
        (_, Some((when, fraction))) if when.holds(view) => Some(PlanStep::Add(*when, *fraction)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price_above(price: f64) -> Condition {
        Condition::above(Term::Close, Term::Level(price))
    }

    fn plan(rungs: &[(f64, f64)]) -> Arc<Plan> {
        let never = Condition::below(Term::Close, Term::Level(0.0));
        let target = |&(price, fraction): &(f64, f64)| Target { when: price_above(price), fraction };
        let hedge = Hedge { when: price_above(104.0), how: HedgeKind::Reduce(0.5) };
        Arc::new(Plan {
            legs: Vec::new(),
            maker: None,
            stop: never,
            trail: None,
            exit: never,
            expire: never,
            targets: rungs.iter().map(target).collect(),
            add: Some((price_above(104.0), 0.25)),
            hedge: Some(hedge),
            reenter: None,
        })
    }

    fn at(close: f64) -> EvalContext<'static> {
        let (best, entry, side) = (close, 100.0, 1.0);
        EvalContext { close, sigma: 0.01, held: 1, best, entry, side, keys: &[], values: &[] }
    }

    #[test]
    fn parts_are_taken_before_the_hedge_and_the_hedge_comes_before_the_add() {
        let mut plan = plan(&[(101.0, 0.5), (103.0, 0.2)]);
        assert_eq!(due(&mut plan, &at(100.5)), None);
        assert_eq!(plan.targets.len(), 2, "who asks in vain changes nothing");
        let hedge = plan.hedge.unwrap();
        let steps: Vec<PlanStep> = std::iter::from_fn(|| due(&mut plan, &at(105.0))).collect();
        assert_eq!(steps, [PlanStep::Take(0.5), PlanStep::Take(0.2), PlanStep::Hedge(hedge)]);
        let mut unpaid = self::plan(&[]);
        assert_eq!(due(&mut unpaid, &at(105.0)), Some(PlanStep::Hedge(hedge)));
        assert_eq!(due(&mut unpaid, &at(105.0)), Some(PlanStep::Add(price_above(104.0), 0.25)));
    }

    #[test]
    fn what_was_said_stays_as_it_was_said() {
        let mut plan = plan(&[(101.0, 0.5)]);
        let said = Arc::clone(&plan);
        assert_eq!(due(&mut plan, &at(102.0)), Some(PlanStep::Take(0.5)));
        assert_eq!((said.targets.len(), plan.targets.len()), (1, 0));
    }

    #[test]
    fn a_target_of_all_closes_wherever_it_stands_and_is_no_part() {
        for rungs in [[(101.0, 1.0), (102.0, 0.5)], [(103.0, 0.5), (101.0, 1.5)]] {
            let mut plan = Arc::new(Plan { hedge: None, add: None, ..Plan::clone(&plan(&rungs)) });
            assert_eq!(closing_reason(&plan, &at(101.5)), Some(Reason::Target));
            assert_eq!(due(&mut plan, &at(101.5)), None);
            assert_eq!(closing_reason(&plan, &at(100.5)), None);
        }
    }

    #[test]
    fn an_opposite_leg_leaves_the_size_and_a_reduction_does_not() {
        let step = |how| PlanStep::Hedge(Hedge { when: price_above(1.0), how });
        assert_eq!(step(HedgeKind::Reduce(0.25)).size(0.8, 1.0), 0.8 * 0.75);
        let opposite = HedgeKind::Opposite { instrument: crate::domain::InstrumentId(3), ratio: 2.0 };
        assert_eq!(step(opposite).size(0.8, 1.0), 0.8);
        assert_eq!(step(opposite).said(), (Verb::Decrease, Reason::Hedge));
    }
}
