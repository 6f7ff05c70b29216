//! The alone life of one agent on one asset: the deaf twin that speaks. It judges its conditions at
//! every close, acts on those that hold, and says so.
//!
//! # Invariants
//!
//! 1. The plan it holds is the plan of its last message: what it announced is what it evaluates (law 12).
//! 2. At a close, in this order: stop, trailing stop, exit, time stop, a target of all of it (each closes); the
//!    other targets, nearest first, hedge, add (each acts once, at most [`STEPS_MAX`] of them at a close); while
//!    flat: re-entry, then the family's own signal.
//! 3. After a profit was taken nothing is added any more, so one close never both takes and adds.
//! 4. One instrument is held: what would need another beside it, an opposite leg as a hedge, is not taken.
//! 5. Nothing here depends on listening, funds, mutes, pauses or managers.

use super::plan::{PlanStep, STEPS_MAX, StandingOffer, closing_reason, due, stop_distance, suits_bars};
use super::strategy::Strategy;
use crate::domain::{
    Action, AgentId, AssetId, Condition, EvalContext, IntentId, Outcome, Plan, Reason, Term, Verb, random,
};
use crate::fills::books::SimulatedBook;
use crate::fills::pace::UNIT_RISK;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most a unit may be, in multiples of capital: for assets that hardly move.
pub const UNIT_MAX: f64 = 5.0;

/// The notional, as a multiple of capital, that risks [`UNIT_RISK`] in a bar of this volatility.
pub fn unit(sigma: f64) -> f64 {
    (UNIT_RISK / sigma).min(UNIT_MAX)
}

/// An intent that is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct OpenIntent {
    side: f64,
    /// First size, unsigned.
    first: f64,
    plan: Arc<Plan>,
    held: u32,
    best: f64,
    /// Close at which it was decided.
    entry: f64,
    adds: u32,
    /// Risk taken at entry: distance to the stop times size, as a fraction of capital.
    risk: f64,
    /// Equity of the book when it was opened.
    equity: f64,
}

/// An intent that was closed, its last fill not yet known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct ClosingIntent {
    number: u32,
    held: u32,
    risk: f64,
    equity: f64,
    reason: Reason,
}

/// The alone life on one asset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alone {
    /// The intent as said: signed fraction of own capital, frozen at entry.
    pub intent: f64,
    number: u32,
    open: Option<OpenIntent>,
    closing: Option<ClosingIntent>,
    /// Bars since the last close.
    flat: u32,
    again: Option<StandingOffer>,
    /// Intents closed so far.
    pub trades: u32,
}

/// What the life needs at a close beside its view.
#[derive(Clone, Copy, Debug)]
pub struct DecisionContext<'a> {
    /// The agent that lives.
    pub agent: AgentId,
    /// The asset it lives on.
    pub asset: AssetId,
    /// What it does.
    pub strategy: &'a Strategy,
    /// Capital at the reference weight.
    pub capital: f64,
    /// Close of the bar, in the account's currency.
    pub close: f64,
    /// Key of this life's coins, of which one is tossed a bar.
    pub coins: u64,
    /// Moment of this bar, which the coin depends on.
    pub at: u64,
}

/// What the life acts on: its raw book (the intent, traded at once, at the reference weight), and the
/// network it speaks to.
pub struct BookAndOutbox<'a> {
    /// The raw book.
    pub raw: &'a mut SimulatedBook,
    /// Takes what is said, in order.
    pub say: &'a mut dyn FnMut(Action),
}

impl Alone {
    /// Bars held while an intent is open, bars since the last close while flat.
    pub fn held(&self) -> u32 {
        self.open.as_ref().map_or(self.flat, |o| o.held)
    }

    /// Side, best close and entry of the open intent; zeros and no entry while flat.
    pub fn seen(&self) -> (f64, f64, f64) {
        self.open.as_ref().map_or((0.0, 0.0, f64::NAN), |o| (o.side, o.best, o.entry))
    }

    /// A bar has passed: counts it and follows the best close. Before [`Alone::at_close`].
    pub fn pass(&mut self, close: f64) {
        match &mut self.open {
            Some(o) => {
                o.held += 1;
                o.best = if o.side > 0.0 { o.best.max(close) } else { o.best.min(close) };
            }
            None => self.flat = self.flat.saturating_add(1),
        }
    }

    /// Judges the close and acts: says each action, in order.
    pub fn at_close(
        &mut self,
        view: &EvalContext<'_>,
        now: &DecisionContext<'_>,
        hands: &mut BookAndOutbox<'_>,
    ) {
        if self.open.is_some() {
            self.manage(view, now, hands);
        } else {
            self.look(view, now, hands);
        }
    }

    /// The asset is gone: closes at its last price.
    pub fn delist(&mut self, now: &DecisionContext<'_>, hands: &mut BookAndOutbox<'_>) {
        // What comes back under its name is another listing: no offer is made to take it up again.
        if let Some(open) = &mut self.open {
            Arc::make_mut(&mut open.plan).reenter = None;
        }
        self.close(Reason::Delisted, now, hands);
        self.again = None;
    }

    /// How the last intent ended, once its closing order is filled.
    pub fn outcome(&mut self, raw: &SimulatedBook, now: &DecisionContext<'_>) -> Option<Outcome> {
        let closing = self.closing.filter(|_| raw.order == 0.0)?;
        self.closing = None;
        self.trades += 1;
        let pnl = (raw.equity(now.close) - closing.equity) / now.capital;
        Some(Outcome {
            intent: IntentId { agent: now.agent, asset: now.asset, number: closing.number },
            reason: closing.reason,
            r: pnl / closing.risk,
            pnl,
            held: closing.held,
            minutes: false,
            points: 0.0,
        })
    }

    fn look(&mut self, view: &EvalContext<'_>, now: &DecisionContext<'_>, hands: &mut BookAndOutbox<'_>) {
        // The closing order must be filled first: intents do not overlap.
        if self.closing.is_some() || !view.is_warm() {
            return;
        }
        if let Some(again) = &self.again {
            if again.offer.lapsed(self.flat) {
                self.again = None;
            } else if again.offer.holds(view) {
                let side = again.offer.side;
                if let Some(p) = now.strategy.propose(view, 0, Some(side)) {
                    let (plan, first) = again.take_up(p.plan);
                    self.enter((side, first), plan, Reason::ReEntry, view.sigma, now, hands);
                }
                return;
            }
        }
        if self.number > 0 && self.flat < now.strategy.pause() {
            return;
        }
        if let Some(p) = now.strategy.propose(view, random::mix(now.coins, now.at), None) {
            self.enter((p.side, None), p.plan, Reason::Signal, view.sigma, now, hands);
        }
    }

    /// Opens on this side; without a first size, that of a unit.
    fn enter(
        &mut self,
        (side, first): (f64, Option<f64>),
        plan: Plan,
        reason: Reason,
        sigma: f64,
        now: &DecisionContext<'_>,
        hands: &mut BookAndOutbox<'_>,
    ) {
        if !suits_bars(&plan) {
            return;
        }
        let first = first.unwrap_or_else(|| now.strategy.unit() * unit(sigma));
        let stop = stop_distance(&plan, now.close, sigma);
        let plan = Arc::new(plan);
        self.number += 1;
        self.again = None;
        self.open = Some(OpenIntent {
            side,
            first,
            plan: Arc::clone(&plan),
            held: 0,
            best: now.close,
            entry: now.close,
            adds: now.strategy.adds(),
            risk: first * stop,
            equity: hands.raw.equity(now.close),
        });
        self.size(Verb::Open, reason, side * first, plan, now, hands);
    }

    fn manage(&mut self, view: &EvalContext<'_>, now: &DecisionContext<'_>, hands: &mut BookAndOutbox<'_>) {
        let Some(open) = &self.open else { return };
        if let Some(reason) = closing_reason(&open.plan, view) {
            return self.close(reason, now, hands);
        }
        for _ in 0..STEPS_MAX {
            let Some(open) = &mut self.open else { return };
            let Some(step) = due(&mut open.plan, view) else { return };
            if let PlanStep::Add(when, fraction) = step {
                open.adds = open.adds.saturating_sub(1);
                let next = (open.adds > 0).then(|| (further(when, open.side, view), fraction));
                Arc::make_mut(&mut open.plan).add = next;
            }
            let (plan, (verb, reason)) = (Arc::clone(&open.plan), step.said());
            let after = step.size(self.intent, open.side * open.first);
            match step {
                PlanStep::Add(_, fraction) if fraction > 0.0 => {
                    return self.size(verb, reason, after, plan, now, hands);
                }
                PlanStep::Add(..) => return,
                _ => self.size(verb, reason, after, plan, now, hands),
            }
        }
    }

    fn close(&mut self, reason: Reason, now: &DecisionContext<'_>, hands: &mut BookAndOutbox<'_>) {
        let Some(open) = self.open.take() else { return };
        let OpenIntent { first, held, risk, equity, plan, .. } = open;
        self.closing = Some(ClosingIntent { number: self.number, held, risk, equity, reason });
        self.flat = 0;
        self.again = StandingOffer::after(&plan, first);
        self.size(Verb::Close, reason, 0.0, plan, now, hands);
    }

    /// Sets the intent, orders the difference for the raw book, and says it.
    fn size(
        &mut self,
        verb: Verb,
        reason: Reason,
        after: f64,
        plan: Arc<Plan>,
        now: &DecisionContext<'_>,
        hands: &mut BookAndOutbox<'_>,
    ) {
        let before = self.intent;
        self.intent = after;
        let raw = &mut *hands.raw;
        raw.order = match verb {
            Verb::Close => -raw.quantity,
            Verb::Decrease => raw.order - (raw.quantity + raw.order) * (1.0 - after / before),
            Verb::Open | Verb::Increase => raw.order + (after - before) * now.capital / now.close,
        };
        let intent = IntentId { agent: now.agent, asset: now.asset, number: self.number };
        (hands.say)(Action { verb, intent, reason, before, after, price: now.close, plan });
    }
}

/// The next add, as far beyond this close as σ says one bar may go, so that two adds never fall on
/// one close.
fn further(when: Condition, side: f64, view: &EvalContext<'_>) -> Condition {
    let step = 4.0 * view.sigma;
    let d = if side < 0.0 { step.min(0.9) } else { step };
    Condition { right: Term::Level(view.close * (1.0 + side * d)), ..when }
}

#[cfg(test)]
mod plan_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::personality::{Preset, Traits};
    use crate::domain::{FamilyId, Indicator, SideRule};

    const KEYS: [Indicator; 4] =
        [Indicator::Ema(10), Indicator::Ema(40), Indicator::Sigma(8), Indicator::Sigma(120)];

    fn trend(traits: Traits, preset: Preset) -> Strategy {
        Strategy::new(FamilyId::Trend, &[10.0, 40.0], SideRule::Both, traits, preset)
    }

    /// Runs closes past a trend follower whose averages are given, and returns what it said.
    fn run(strategy: &Strategy, closes: &[(f64, f64, f64)]) -> Vec<Action> {
        let mut life = Alone::default();
        let mut raw = SimulatedBook::default();
        let mut said = vec![];
        for (i, (close, fast, slow)) in closes.iter().enumerate() {
            life.pass(*close);
            let values = [*fast, *slow, 0.01, 0.01];
            let (side, best, entry) = life.seen();
            let view = EvalContext {
                close: *close,
                sigma: 0.01,
                held: life.held(),
                best,
                entry,
                side,
                keys: &KEYS,
                values: &values,
            };
            let (agent, asset) = (AgentId(0), AssetId(0));
            let now = DecisionContext {
                agent,
                asset,
                strategy,
                capital: 1_000.0,
                close: *close,
                coins: 0,
                at: i as u64,
            };
            life.at_close(&view, &now, &mut BookAndOutbox { raw: &mut raw, say: &mut |a| said.push(a) });
            raw.quantity += raw.order;
            raw.order = 0.0;
            life.outcome(&raw, &now);
        }
        said
    }

    #[test]
    fn opens_adds_takes_profit_and_closes_with_conditions_that_act() {
        let strategy = trend(Traits::default(), Preset::default());
        let said = run(
            &strategy,
            &[(100.0, 99.0, 98.0), (106.0, 101.0, 99.0), (111.0, 103.0, 100.0), (112.0, 99.0, 100.0)],
        );
        let verbs: Vec<(Verb, Reason)> = said.iter().map(|a| (a.verb, a.reason)).collect();
        assert_eq!(
            verbs,
            [
                (Verb::Open, Reason::Signal),
                (Verb::Increase, Reason::Add),
                (Verb::Decrease, Reason::Target),
                (Verb::Close, Reason::Exit),
            ]
        );
        let sizes: Vec<f64> = said.iter().map(|a| a.after).collect();
        assert_eq!(sizes, [1.0, 1.5, 0.75, 0.0]);
    }

    #[test]
    fn the_stop_comes_before_everything_else_and_is_followed_by_a_pause() {
        let strategy = trend(Traits::default(), Preset::default());
        let said = run(
            &strategy,
            &[
                (100.0, 99.0, 98.0),
                (91.0, 90.0, 98.0),
                (92.0, 91.0, 90.0),
                (92.0, 91.0, 90.0),
                (92.0, 91.0, 90.0),
            ],
        );
        let verbs: Vec<(Verb, Reason)> = said.iter().map(|a| (a.verb, a.reason)).collect();
        assert_eq!(
            verbs,
            [(Verb::Open, Reason::Signal), (Verb::Close, Reason::Stop), (Verb::Open, Reason::ReEntry)]
        );
    }

    #[test]
    fn all_conditions_of_an_opening_are_filled_and_on_their_sides() {
        let strategy = trend(Traits::default(), Preset::default());
        for (close, fast, slow, side) in [(100.0, 99.0, 98.0, 1.0), (100.0, 101.0, 102.0, -1.0)] {
            let said = run(&strategy, &[(close, fast, slow)]);
            let plan = &said[0].plan;
            assert_eq!(said[0].side(), side);
            assert!(
                plan.trail.is_some() && plan.add.is_some() && plan.hedge.is_some() && plan.reenter.is_some()
            );
            assert_eq!(plan.targets.len(), 2);
            let Term::Level(stop) = plan.stop.right else { unreachable!() };
            assert!(side * (close - stop) > 0.0);
        }
    }
}
