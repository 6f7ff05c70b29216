//! What a life hears of others while it decides: nothing, if it lives alone; what its reactions make of the others' words, if
//! it is open.
//!
//! # Invariants
//!
//! 1. [`Sway::NONE`] is the identity: a life on which nothing acts is the same to the bit as one that hears nobody.
//! 2. What is done is told by [`Company::acted`] before the word that says so.
//! 3. A sway takes no size beyond what the agent may reach by itself, adds included.

use super::life::OpenIntent;
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

/// A condition with its distance from the entry multiplied: a price about that of the entry, a gain about nothing. None
/// where it is no distance.
fn nearer(when: &Condition, entry: f64, factor: f64) -> Option<Condition> {
    let right = match (when.left, when.right) {
        (Term::Close, Term::Level(price)) => Term::Level(entry + factor * (price - entry)),
        (Term::Close, Term::Entry(away)) => Term::Entry(factor * away),
        (Term::Of(Indicator::Gain), Term::Level(gain)) => Term::Level(factor * gain),
        _ => return None,
    };
    Some(Condition { right, ..*when })
}

/// Holds the stop of an intent at this fraction of its distance; whether it has one.
pub(super) fn hold_stop(open: &mut OpenIntent, factor: f64) -> bool {
    let Some(stop) = nearer(&open.plan.stop, open.entry, factor) else { return false };
    Arc::make_mut(&mut open.plan).stop = stop;
    true
}

/// Holds the targets of an intent at this multiple of their distances; whether there are any.
pub(super) fn hold_targets(open: &mut OpenIntent, factor: f64) -> bool {
    let entry = open.entry;
    let moved = |t: &Target| nearer(&t.when, entry, factor).map(|when| Target { when, fraction: t.fraction });
    let targets: Vec<Target> = open.plan.targets.iter().map(|t| moved(t).unwrap_or(*t)).collect();
    let is_new = targets != open.plan.targets;
    if is_new {
        Arc::make_mut(&mut open.plan).targets = targets;
    }
    is_new
}

/// Opens an intent at a multiple of its size, its adds as far as they do not take it beyond what they would have taken it to
/// anyhow; the multiple that was possible.
pub(super) fn hold_size(open: &mut OpenIntent, factor: f64) -> f64 {
    let own = open.first;
    let adds = open.plan.add.map_or(0.0, |(_, more)| f64::from(open.adds) * more);
    let limit = own * (1.0 + adds);
    open.first = (own * factor).min(limit);
    if let Some((when, _)) = open.plan.add.filter(|_| factor > 1.0) {
        let left = (limit - open.first) / (f64::from(open.adds) * open.first);
        Arc::make_mut(&mut open.plan).add = (left > 1e-9).then_some((when, left));
    }
    open.first / own
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

    fn open(adds: u32, add: Option<f64>) -> OpenIntent {
        let price = |op, price| Condition { left: Term::Close, op, right: Term::Level(price) };
        let plan = Plan {
            legs: Vec::new(),
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
        };
        OpenIntent {
            side: 1.0,
            units: 0.0,
            first: 0.5,
            entry: 100.0,
            delta: 1.0,
            best: 100.0,
            adds,
            equity: 0.0,
            legs: Vec::new(),
            notional: 1.0,
            carried: 0.0,
            plan: Arc::new(plan),
        }
    }

    #[test]
    fn distances_are_held_about_the_entry() {
        let mut intent = open(0, None);
        assert!(hold_stop(&mut intent, 0.6) && hold_targets(&mut intent, 0.5));
        assert_eq!(intent.plan.stop.right, Term::Level(94.0));
        let targets: Vec<Term> = intent.plan.targets.iter().map(|t| t.when.right).collect();
        assert_eq!(targets, [Term::Level(105.0), Term::Level(125.0)]);
    }

    #[test]
    fn a_larger_size_takes_from_its_adds_and_never_beyond_its_own_limit() {
        let total = |intent: &OpenIntent| {
            let adds = intent.plan.add.map_or(0.0, |(_, more)| f64::from(intent.adds) * more);
            intent.first * (1.0 + adds)
        };
        for (adds, add) in [(2, Some(0.5)), (1, Some(0.25)), (1, Some(0.1)), (0, None)] {
            for factor in [0.25, 1.0, 1.25, 2.0] {
                let own = open(adds, add);
                let mut intent = own.clone();
                let got = hold_size(&mut intent, factor);
                assert!(
                    got <= factor + 1e-12 && total(&intent) <= total(&own) + 1e-12,
                    "{adds} {add:?} {factor}"
                );
                assert!((intent.first - got * own.first).abs() < 1e-15);
                assert!(factor > 1.0 || intent.plan == own.plan, "a smaller one keeps its plan");
            }
        }
        assert_eq!(hold_size(&mut open(0, None), 2.0), 1.0, "who never adds has no more to give");
        assert_eq!(hold_size(&mut open(2, Some(0.5)), 1.25), 1.25);
    }
}
