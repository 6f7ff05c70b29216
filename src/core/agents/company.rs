//! What a life hears of others while it decides: nothing, if it lives alone; what its reactions make of the others' words, if
//! it is open.
//!
//! # Invariants
//!
//! 1. [`Sway::NONE`] is the identity: a life on which nothing acts is the same to the bit as one that hears nobody.
//! 2. What is done is told by [`Company::acted`] before the word that says so.
//! 3. A sway takes no size beyond what the agent may reach by itself, adds included.

use crate::domain::condition::Target;
use crate::domain::{Condition, EvalContext, Indicator, MessageKind, Plan, Term};
use crate::domain::{Span, Stamp};
use std::sync::Arc;

/// At which point of its life something may act on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LifeMoment {
    /// It is flat, and nothing of its own asks it to open.
    Flat,
    /// It is about to open on this side.
    Entering(f64),
    /// It holds an intent on this side, and none of its own conditions closes it.
    Holding(f64),
    /// It is about to add on this side.
    Adding(f64),
}

/// What a sway acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SwayField {
    /// Whether it enters or adds at all.
    Entry,
    /// How large it opens.
    Size,
    /// How far its stop is.
    Stop,
    /// How far its targets are.
    Target,
    /// How much of it is taken off.
    Cut,
    /// How much of it is hedged.
    Hedge,
}

/// Whether a life holds back from entering and adding.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum HoldsBack {
    /// It does not.
    #[default]
    No,
    /// It does since an earlier barrier, and has said so.
    Still,
    /// From now on until then.
    Until(Stamp),
}

/// What the others make of an intent, at one moment of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sway {
    /// Whether it waits.
    pub wait: HoldsBack,
    /// Side on which it enters though nothing of its own asks for it.
    pub enter: Option<f64>,
    /// Multiple of its first size.
    pub size: f64,
    /// Multiple of its stop's distance.
    pub stop: f64,
    /// Multiple of its targets' distances.
    pub target: f64,
    /// Fraction of the position that is taken off.
    pub cut: f64,
    /// Fraction of the position that is hedged.
    pub hedge: f64,
}

impl Sway {
    /// Nobody is heard.
    pub const NONE: Sway =
        Sway { wait: HoldsBack::No, enter: None, size: 1.0, stop: 1.0, target: 1.0, cut: 0.0, hedge: 0.0 };
}

/// Who is there while a life decides.
pub trait Company {
    /// Hears what it says.
    fn say(&mut self, body: MessageKind);

    /// What it hears makes of its intent at this moment.
    fn sway(&mut self, _moment: LifeMoment) -> Sway {
        Sway::NONE
    }

    /// Whether anything may ask it in while it is flat.
    fn invites(&self) -> bool {
        false
    }

    /// Something acted on this field, and changed so much: of the position in fractions of own capital, or of a distance as
    /// a fraction of it. The word that says so follows.
    fn acted(&mut self, _field: SwayField, _change: f64) {}
}

/// Whoever only listens: nothing acts on the life.
impl<F: FnMut(MessageKind) + ?Sized> Company for F {
    fn say(&mut self, body: MessageKind) {
        self(body);
    }
}

/// A condition with its distance from the entry multiplied: a price about that of the entry, a gain about this one. None
/// where it is no distance.
fn nearer(when: &Condition, (entry, about): (f64, f64), factor: f64) -> Option<Condition> {
    let right = match (when.left, when.right) {
        (Term::Close, Term::Level(price)) => Term::Level(entry + factor * (price - entry)),
        (Term::Close, Term::Entry(away)) => Term::Entry(factor * away),
        (Term::Of(Indicator::Gain), Term::Level(gain)) => Term::Level(about + factor * (gain - about)),
        _ => return None,
    };
    Some(Condition { right, ..*when })
}

/// Holds the stop of an intent at this fraction of its distance; whether it has one.
pub(super) fn hold_stop(plan: &mut Arc<Plan>, entry: f64, factor: f64) -> bool {
    let Some(stop) = nearer(&plan.stop, (entry, 0.0), factor) else { return false };
    Arc::make_mut(plan).stop = stop;
    true
}

/// Holds the targets of an intent at this multiple of their distances; whether there are any. A gain is one beyond what it
/// takes to come in and out, in basis points: what is no gain after that is not moved.
pub(super) fn hold_targets(plan: &mut Arc<Plan>, (entry, toll): (f64, f64), factor: f64) -> bool {
    let pays = |when: &Condition| match (when.left, when.right) {
        (Term::Of(Indicator::Gain), Term::Level(gain)) => gain > toll,
        _ => true,
    };
    let moved = |t: &Target| {
        let when = nearer(&t.when, (entry, toll), factor).filter(|_| pays(&t.when))?;
        Some(Target { when, fraction: t.fraction })
    };
    let targets: Vec<Target> = plan.targets.iter().map(|t| moved(t).unwrap_or(*t)).collect();
    let is_new = targets != plan.targets;
    if is_new {
        Arc::make_mut(plan).targets = targets;
    }
    is_new
}

/// The first size of an intent that is opened at a multiple of its `own`: no more than what its adds, so many as there may be,
/// would have taken it to anyhow, and they only take it there.
pub(super) fn hold_size(plan: &mut Arc<Plan>, (own, adds): (f64, u32), factor: f64) -> f64 {
    let adds = f64::from(adds);
    let limit = own * (1.0 + plan.add.map_or(0.0, |(_, more)| adds * more));
    let first = (own * factor).min(limit);
    if let Some((when, _)) = plan.add.filter(|_| factor > 1.0) {
        let left = (limit - first) / (adds * first);
        Arc::make_mut(plan).add = (left > 1e-9).then_some((when, left));
    }
    first
}

/// Whether an intent that is opened at this close would be closed at once by its own plan.
pub(super) fn closes_at_once(plan: &Plan, side: f64, view: &EvalContext<'_>) -> bool {
    let (best, entry) = (view.close, view.close);
    plan.exit.holds(&EvalContext { held: 0, side, best, entry, ..*view })
}

/// Until when somebody waits who begins now.
pub fn until(now: Stamp, span: Span) -> Stamp {
    Stamp(now.0.saturating_add(span.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Comparison;

    fn plan(add: Option<f64>) -> Arc<Plan> {
        let price = |op, price| Condition { left: Term::Close, op, right: Term::Level(price) };
        Arc::new(Plan {
            legs: Vec::new(),
            maker: None,
            stop: price(Comparison::Below, 90.0),
            trail: None,
            exit: price(Comparison::Below, 0.0),
            expire: price(Comparison::Below, 0.0),
            targets: vec![
                Target { when: price(Comparison::Above, 110.0), fraction: 0.5 },
                Target { when: price(Comparison::Above, 150.0), fraction: 1.0 },
            ],
            add: add.map(|more| (price(Comparison::Above, 104.0), more)),
            hedge: None,
            reenter: None,
        })
    }

    #[test]
    fn distances_are_held_about_the_entry() {
        let mut plan = plan(None);
        assert!(hold_stop(&mut plan, 100.0, 0.6) && hold_targets(&mut plan, (100.0, 0.0), 0.5));
        assert_eq!(plan.stop.right, Term::Level(94.0));
        let targets: Vec<Term> = plan.targets.iter().map(|t| t.when.right).collect();
        assert_eq!(targets, [Term::Level(105.0), Term::Level(125.0)]);
    }

    #[test]
    fn the_targets_of_a_gain_are_held_about_what_it_costs() {
        let mut plan = plan(None);
        let gain =
            |bp| Condition { left: Term::Of(Indicator::Gain), op: Comparison::Above, right: Term::Level(bp) };
        let target = |bp| Target { when: gain(bp), fraction: 1.0 };
        Arc::make_mut(&mut plan).targets = vec![target(8.0), target(12.0), target(30.0)];
        assert!(hold_targets(&mut plan, (100.0, 10.0), 0.5));
        assert_eq!(plan.targets, [target(8.0), target(11.0), target(20.0)]);
        assert!(!hold_targets(&mut plan, (100.0, 20.0), 0.5), "none of them is a gain after that");
    }

    #[test]
    fn a_larger_size_takes_from_its_adds_and_never_beyond_its_own_limit() {
        let total = |plan: &Plan, first: f64, adds: u32| {
            first * (1.0 + plan.add.map_or(0.0, |(_, more)| f64::from(adds) * more))
        };
        for (adds, add) in [(2, Some(0.5)), (1, Some(0.25)), (1, Some(0.1)), (0, None)] {
            for factor in [0.25, 1.0, 1.25, 2.0] {
                let own = plan(add);
                let mut held = Arc::clone(&own);
                let first = hold_size(&mut held, (0.5, adds), factor);
                let is_within = total(&held, first, adds) <= total(&own, 0.5, adds) + 1e-12;
                assert!(first <= 0.5 * factor + 1e-12 && is_within, "{adds} {add:?} {factor}");
                assert!(factor > 1.0 || held == own, "a smaller one keeps its plan");
            }
        }
        assert_eq!(hold_size(&mut plan(None), (0.5, 0), 2.0), 0.5, "who never adds has no more to give");
        assert_eq!(hold_size(&mut plan(Some(0.5)), (0.5, 2), 1.25), 0.625);
    }
}
