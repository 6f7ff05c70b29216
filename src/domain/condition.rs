//! Conditions as values (law 12): the stop, target, exit, add, hedge and re-entry that an agent
//! announces are the very values it evaluates at every close, and anyone who hears them can do the
//! same over the bars that follow.
//!
//! A condition compares two [`Term`]s. What is announced before an entry is known, as in the terms of an offer, names
//! prices relative to it ([`Term::Entry`]). Everything is judged on closes of the decision clock and acted
//! on at the next open, so "stop" means "closed beyond", as in the measurements of the mechanism.

use super::{Indicator, InstrumentId, Span};
use serde::{Deserialize, Serialize};

/// Most targets of a plan: what a message carries has an end.
pub const TARGETS_MAX: usize = 32;

/// One side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Term {
    /// The close of this bar, in quote currency.
    Close,
    /// A fixed number: a price, a ratio or a count, as its partner asks.
    Level(f64),
    /// The best close since the intent was opened (highest for a long, lowest for a short), given
    /// back by this fraction.
    Trail(f64),
    /// Bars since the intent was opened; while flat, bars since it was closed.
    Held,
    /// An indicator's value now.
    Of(Indicator),
    /// An indicator's value now, times a factor.
    Times(f64, Indicator),
    /// Minutes since a structure was opened; while flat, since it was closed.
    Minutes,
    /// The best gain of a structure since it was opened, less so many basis points.
    Back(f64),
    /// The price at which the intent was opened, times one plus this fraction: for what is said before that price is
    /// known. Nothing while flat, and nothing to a structure, whose gain is relative already.
    Entry(f64),
}

impl Term {
    /// Whether its own number is one.
    fn is_number(self) -> bool {
        match self {
            Term::Level(x) | Term::Trail(x) | Term::Times(x, _) | Term::Back(x) | Term::Entry(x) => {
                !x.is_nan()
            }
            Term::Close | Term::Held | Term::Of(_) | Term::Minutes => true,
        }
    }
}

/// Which way a comparison goes; equal is never enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// Left below right.
    Below,
    /// Left above right.
    Above,
}

/// `left` below or above `right`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// What is watched.
    pub left: Term,
    /// Whether it holds below or above.
    pub op: Comparison,
    /// What it is compared with.
    pub right: Term,
}

/// What a condition is evaluated against: one asset at one close, seen by one agent.
#[derive(Clone, Copy, Debug)]
pub struct EvalContext<'a> {
    /// Close of this bar.
    pub close: f64,
    /// Volatility per bar that sizes positions, as a fraction; positive.
    pub sigma: f64,
    /// Bars held, or flat; minutes for a structure.
    pub held: u32,
    /// Best close since the intent was opened; of a structure its best gain.
    pub best: f64,
    /// Price at which the intent was opened; NaN while flat, and for a structure.
    pub entry: f64,
    /// +1 for a long, −1 for a short, 0 while flat.
    pub side: f64,
    /// The indicators at hand.
    pub keys: &'a [Indicator],
    /// Values of those indicators; NaN while warming up, and NaN compares as false.
    pub values: &'a [f64],
}

impl EvalContext<'_> {
    /// An indicator's value; NaN where it is not at hand or not warm.
    #[inline]
    pub fn of(&self, wanted: Indicator) -> f64 {
        // A structure has all of those without a window, in their order, before any others; nobody else has one.
        let found = || self.keys.iter().position(|k| k.is(wanted));
        let index = match self.keys.first() {
            Some(Indicator::Gain) => wanted.unwindowed_index().or_else(found),
            _ => found(),
        };
        index.and_then(|i| self.values.get(i)).copied().unwrap_or(f64::NAN)
    }

    /// Whether every indicator at hand is warm, so that an intent may rest on it.
    pub fn is_warm(&self) -> bool {
        self.close.is_finite()
            && self.sigma.is_finite()
            && self.sigma > 0.0
            && self.values.iter().all(|v| v.is_finite())
    }

    fn term(&self, term: &Term) -> f64 {
        match *term {
            Term::Close => self.close,
            Term::Level(x) => x,
            Term::Trail(given_back) => self.trail(given_back),
            Term::Held | Term::Minutes => f64::from(self.held),
            Term::Of(i) => self.of(i),
            Term::Times(factor, i) => factor * self.of(i),
            Term::Back(bp) => self.best - bp,
            Term::Entry(away) => self.entry * (1.0 + away),
        }
    }

    #[inline]
    fn trail(&self, given_back: f64) -> f64 {
        self.best * (1.0 - self.side * given_back)
    }

    /// Both sides of any condition. Apart, so that those of nearly every bar stay short where they stand.
    #[inline(never)]
    fn sides(&self, of: &Condition) -> (f64, f64) {
        match (&of.left, &of.right) {
            (Term::Of(i), Term::Level(x)) => (self.of(*i), *x),
            (Term::Of(i), Term::Of(other)) => (self.of(*i), self.of(*other)),
            (Term::Of(i), Term::Times(factor, other)) => (self.of(*i), factor * self.of(*other)),
            (Term::Close, Term::Of(i)) => (self.close, self.of(*i)),
            (left, right) => (self.term(left), self.term(right)),
        }
    }
}

impl Condition {
    /// `left` below `right`.
    pub const fn below(left: Term, right: Term) -> Self {
        Condition { left, op: Comparison::Below, right }
    }

    /// `left` above `right`.
    pub const fn above(left: Term, right: Term) -> Self {
        Condition { left, op: Comparison::Above, right }
    }

    /// `left` beyond `right` in the direction of `side`: above for a long, below for a short.
    pub fn beyond(side: f64, left: Term, right: Term) -> Self {
        let op = if side > 0.0 { Comparison::Above } else { Comparison::Below };
        Condition { left, op, right }
    }

    /// Whether it is true at this close.
    #[inline]
    pub fn holds(&self, view: &EvalContext<'_>) -> bool {
        // Most are prices that were said once, or a time, and all of an open intent are looked at at every bar.
        let (left, right) = match (&self.left, &self.right) {
            (Term::Close, Term::Level(price)) => (view.close, *price),
            (Term::Close, Term::Trail(given_back)) => (view.close, view.trail(*given_back)),
            (Term::Held, Term::Level(most)) => (f64::from(view.held), *most),
            _ => view.sides(self),
        };
        match self.op {
            Comparison::Below => left < right,
            Comparison::Above => left > right,
        }
    }

    /// Whether all of its numbers are numbers: one that is none would never hold.
    pub fn is_number(&self) -> bool {
        self.left.is_number() && self.right.is_number()
    }

    /// Whether it asks for what only the price of one instrument can tell: nothing that a structure has.
    pub fn is_of_price(&self) -> bool {
        [self.left, self.right].iter().any(|t| matches!(t, Term::Close | Term::Trail(_) | Term::Entry(_)))
    }

    /// Whether it asks for what only a structure of several legs can tell: its gain, or another of its indicators.
    pub fn is_of_structure(&self) -> bool {
        let own = |i: Indicator| i.unwindowed_index().is_some();
        matches!(self.left, Term::Back(_))
            || matches!(self.right, Term::Back(_))
            || self.indicators().any(own)
    }

    /// The indicators it needs.
    pub fn indicators(&self) -> impl Iterator<Item = Indicator> {
        [self.left, self.right].into_iter().filter_map(|t| match t {
            Term::Of(i) | Term::Times(_, i) => Some(i),
            _ => None,
        })
    }
}

/// Where part or all of a position is taken off with a profit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// When this part is taken.
    pub when: Condition,
    /// The fraction of the position that is closed; 1 closes the intent.
    pub fraction: f64,
}

/// What is done while a danger lasts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum HedgeKind {
    /// This fraction of the position is taken off.
    Reduce(f64),
    /// The position stays, and a leg that gains what it loses is held beside it until all is closed.
    Opposite {
        /// Where that leg is held.
        instrument: InstrumentId,
        /// Base units of it for each base unit of the first leg, on the other side of it, of a put on the same; positive.
        ratio: f64,
    },
}

/// What an intent does about a danger, once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hedge {
    /// When the danger is there.
    pub when: Condition,
    /// What is done then.
    pub how: HedgeKind,
}

/// Size, stop and targets of an intent that is taken up again on an offer. They are said before its price is known:
/// distances from it are [`Term::Entry`], or gains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfferTerms {
    /// Its first size, as a multiple of that of the intent that was closed.
    pub size: f64,
    /// Closes it at a loss.
    pub stop: Condition,
    /// Take parts off with a profit, nearest first, at most [`TARGETS_MAX`].
    pub targets: Vec<Target>,
}

impl OfferTerms {
    /// Whether an intent that is opened at this close is neither stopped nor paid at once.
    fn stand(&self, side: f64, view: &EvalContext<'_>) -> bool {
        let opened = EvalContext { held: 0, best: view.close, entry: view.close, side, ..*view };
        !self.stop.holds(&opened) && !self.targets.iter().any(|t| t.when.holds(&opened))
    }
}

/// When an intent may be taken up again after it was closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReEntry {
    /// +1 to buy again, −1 to sell again.
    pub side: f64,
    /// When it may be taken up again, if `unless` does not hold.
    pub when: Condition,
    /// Exit that would close it again at once.
    pub unless: Condition,
    /// Bars after the close before which it is not taken up.
    pub not_before: u32,
    /// Bars after the close after which the offer lapses.
    pub within: u32,
    /// Both count minutes, not bars: the offer of a structure.
    pub minutes: bool,
    /// Size, stop and targets that it is taken up with; none where the family sets them anew at the price of then.
    pub terms: Option<OfferTerms>,
}

/// A leg: base units (contracts) of an instrument in one unit of the structure, signed for a long of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StructureLeg {
    /// Instrument in which the leg is held.
    pub instrument: InstrumentId,
    /// Base units in one unit of the structure; negative is short.
    pub ratio: f64,
}

/// The leg of an intent that is worked as a maker, before the others are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakerLeg {
    /// Its instrument, one of the legs'.
    pub instrument: InstrumentId,
    /// How long it rests before what is missing of it is taken.
    pub within: Span,
}

impl MakerLeg {
    /// One that rests for so many minutes; none where that is none.
    pub fn resting(instrument: InstrumentId, minutes: f64) -> Option<Self> {
        let within = Span((minutes * Span::MINUTE.0 as f64) as i64);
        (within.0 > 0).then_some(MakerLeg { instrument, within })
    }
}

/// What an intent holds, and all its conditions. A part that has acted is gone from the plan of the next message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What a unit of it holds, for a long; none where it is the asset itself, as the desk trades it.
    pub legs: Vec<StructureLeg>,
    /// The leg that rests at the near side when the intent is opened or added to, while the others follow its fills; none
    /// where all are taken at once.
    pub maker: Option<MakerLeg>,
    /// Closes the intent at a loss: a price on the losing side of entry.
    pub stop: Condition,
    /// Closes it when too much of the best close was given back.
    pub trail: Option<Condition>,
    /// Closes it when its reason is gone.
    pub exit: Condition,
    /// Closes it when it has taken too long.
    pub expire: Condition,
    /// Take parts off with a profit, nearest first, at most [`TARGETS_MAX`]; each acts once.
    pub targets: Vec<Target>,
    /// Raises the position by the fraction of its first size.
    pub add: Option<(Condition, f64)>,
    /// Makes the position smaller, or holds another against it, while a danger lasts; acts once.
    pub hedge: Option<Hedge>,
    /// When to take it up again after it was closed; none where the agent would not.
    pub reenter: Option<ReEntry>,
}

impl Plan {
    /// The conditions with their names, in the order in which they are judged.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, Condition)> {
        let closing = [
            Some(("stop", self.stop)),
            self.trail.map(|c| ("trail", c)),
            Some(("exit", self.exit)),
            Some(("expire", self.expire)),
        ];
        let sizing = [self.hedge.map(|h| ("hedge", h.when)), self.add.map(|(c, _)| ("add", c))];
        let targets = self.targets.iter().map(|t| ("target", t.when));
        closing.into_iter().flatten().chain(targets).chain(sizing.into_iter().flatten())
    }
}

/// A price with six significant digits and no exponent.
pub(crate) fn price(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    let digits = 5 - libm::floor(libm::log10(libm::fabs(x))) as i32;
    let text = format!("{x:.*}", digits.clamp(0, 12) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

impl ReEntry {
    /// Whether it is taken up at this close, `view.held` bars after the last one.
    pub fn holds(&self, view: &EvalContext<'_>) -> bool {
        view.held >= self.not_before
            && self.when.holds(view)
            && !self.unless.holds(view)
            && self.terms.as_ref().is_none_or(|terms| terms.stand(self.side, view))
    }

    /// Whether the offer has lapsed this many bars after the close.
    pub fn lapsed(&self, flat: u32) -> bool {
        flat > self.within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMA: Indicator = Indicator::Ema(20);

    fn view(close: f64, ema: &f64) -> EvalContext<'_> {
        EvalContext {
            close,
            sigma: 0.01,
            held: 3,
            best: 110.0,
            entry: 100.0,
            side: 1.0,
            keys: &[EMA],
            values: std::slice::from_ref(ema),
        }
    }

    #[test]
    fn compares_strictly() {
        let c = Condition::below(Term::Close, Term::Level(100.0));
        assert!(c.holds(&view(99.9, &0.0)));
        assert!(!c.holds(&view(100.0, &0.0)));
    }

    #[test]
    fn trailing_follows_the_best_close_on_either_side() {
        let c = Condition::below(Term::Close, Term::Trail(0.1));
        assert!(c.holds(&view(98.9, &0.0)));
        assert!(!c.holds(&view(99.1, &0.0)));
        let short = EvalContext { side: -1.0, best: 100.0, ..view(110.1, &0.0) };
        assert!(Condition::above(Term::Close, Term::Trail(0.1)).holds(&short));
    }

    #[test]
    fn what_is_not_warm_is_never_true() {
        for c in [Condition::below(Term::Close, Term::Of(EMA)), Condition::above(Term::Close, Term::Of(EMA))]
        {
            assert!(!c.holds(&view(50.0, &f64::NAN)));
            assert!(
                !Condition::above(Term::Of(Indicator::Mean(9)), Term::Level(0.0)).holds(&view(50.0, &1.0))
            );
            assert_eq!(c.indicators().collect::<Vec<_>>(), [EMA]);
        }
    }

    #[test]
    fn a_price_relative_to_the_entry_moves_with_it_and_is_none_while_flat() {
        let stop = Condition::below(Term::Close, Term::Entry(-0.05));
        assert!(stop.holds(&view(94.9, &0.0)) && !stop.holds(&view(95.1, &0.0)));
        let later = EvalContext { entry: 200.0, ..view(189.0, &0.0) };
        assert!(stop.holds(&later), "5 % under 200 is 190");
        let flat = EvalContext { entry: f64::NAN, ..view(1.0, &0.0) };
        assert!(!stop.holds(&flat) && !Condition::above(Term::Close, Term::Entry(-0.05)).holds(&flat));
    }

    #[test]
    fn an_offer_with_terms_stands_only_where_it_is_not_over_at_once() {
        let always = Condition::above(Term::Close, Term::Level(0.0));
        let target = |right| Target { when: Condition::above(Term::Close, right), fraction: 1.0 };
        let offer = |stop: Term, far: Term| ReEntry {
            side: 1.0,
            when: always,
            unless: Condition::below(Term::Close, Term::Level(0.0)),
            not_before: 2,
            within: 9,
            minutes: false,
            terms: Some(OfferTerms {
                size: 1.0,
                stop: Condition::below(Term::Close, stop),
                targets: vec![target(far)],
            }),
        };
        let flat = EvalContext { entry: f64::NAN, side: 0.0, best: 0.0, ..view(100.0, &0.0) };
        assert!(offer(Term::Entry(-0.05), Term::Entry(0.1)).holds(&flat));
        assert!(offer(Term::Level(99.0), Term::Level(101.0)).holds(&flat));
        assert!(!offer(Term::Level(101.0), Term::Entry(0.1)).holds(&flat), "stopped at once");
        assert!(!offer(Term::Entry(-0.05), Term::Level(99.0)).holds(&flat), "paid at once");
        assert!(!offer(Term::Trail(-0.01), Term::Entry(0.1)).holds(&flat), "its best close is its first");
        let early = EvalContext { held: 1, ..flat };
        assert!(!offer(Term::Entry(-0.05), Term::Entry(0.1)).holds(&early), "not before its pause");
    }

    #[test]
    fn a_condition_without_a_number_says_so() {
        let with = |right| Condition::below(Term::Close, right).is_number();
        assert!(with(Term::Level(1.0)) && with(Term::Close) && with(Term::Of(EMA)) && with(Term::Entry(0.0)));
        for nan in [Term::Level, Term::Trail, Term::Back, Term::Entry, |x| Term::Times(x, EMA)] {
            assert!(with(nan(f64::INFINITY)), "never is a level, too");
            assert!(!with(nan(f64::NAN)));
        }
        assert!(!Condition::below(Term::Level(f64::NAN), Term::Close).is_number());
    }

    /// A plan in which every kind of part says something.
    fn whole(how: HedgeKind) -> Plan {
        let above = |right| Condition::above(Term::Close, right);
        let target = |right, fraction| Target { when: above(right), fraction };
        let terms = OfferTerms {
            size: 0.5,
            stop: Condition::below(Term::Close, Term::Entry(-0.05)),
            targets: vec![target(Term::Entry(0.02), 0.5), target(Term::Entry(0.04), 1.0)],
        };
        Plan {
            legs: Vec::new(),
            maker: None,
            stop: Condition::below(Term::Close, Term::Level(90.0)),
            trail: Some(Condition::below(Term::Close, Term::Trail(0.06))),
            exit: Condition::below(Term::Of(EMA), Term::Times(0.99, EMA)),
            expire: Condition::above(Term::Held, Term::Level(30.0)),
            targets: (1..=5).map(|n| target(Term::Level(100.0 + f64::from(n)), 0.2)).collect(),
            add: Some((above(Term::Level(101.5)), 0.5)),
            hedge: Some(Hedge { when: Condition::below(Term::Of(Indicator::Gain), Term::Back(9.0)), how }),
            reenter: Some(ReEntry {
                side: 1.0,
                when: above(Term::Of(EMA)),
                unless: Condition::below(Term::Minutes, Term::Level(3.0)),
                not_before: 3,
                within: 9,
                minutes: false,
                terms: Some(terms),
            }),
        }
    }

    #[test]
    fn what_a_condition_asks_for_is_told_by_its_terms() {
        let of = |left, right| {
            let c = Condition::below(left, right);
            (c.is_of_price(), c.is_of_structure())
        };
        assert_eq!(of(Term::Close, Term::Level(9.0)), (true, false));
        assert_eq!(of(Term::Of(EMA), Term::Trail(0.1)), (true, false));
        assert_eq!(of(Term::Entry(0.1), Term::Times(2.0, EMA)), (true, false));
        assert_eq!(of(Term::Of(Indicator::Gain), Term::Level(9.0)), (false, true));
        assert_eq!(of(Term::Level(9.0), Term::Times(2.0, Indicator::Edge)), (false, true));
        assert_eq!(of(Term::Back(3.0), Term::Level(9.0)), (false, true));
        assert_eq!(of(Term::Held, Term::Level(9.0)), (false, false));
    }

    #[test]
    fn a_plan_is_read_as_it_was_written_and_holds_when_it_held() {
        let opposite = HedgeKind::Opposite { instrument: InstrumentId(7), ratio: 1.25 };
        for how in [HedgeKind::Reduce(0.5), opposite] {
            let plan = whole(how);
            let bytes = postcard::to_stdvec(&plan).unwrap();
            let read: Plan = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(read, plan);
            assert!(postcard::from_bytes::<Plan>(&bytes[..bytes.len() - 9]).is_err(), "cut off");
            let truths = |plan: &Plan, close: f64, ema: f64| {
                let view = view(close, &ema);
                let flat = EvalContext { entry: f64::NAN, held: 5, ..view };
                let parts = plan.parts().map(|(_, when)| when.holds(&view));
                let offer = plan.reenter.as_ref().unwrap();
                let terms = offer.terms.as_ref().unwrap();
                let ways_out = terms.targets.iter().map(|t| t.when).chain([terms.stop]);
                let of_offer = ways_out.map(|when| when.holds(&view));
                parts.chain(of_offer).chain([offer.holds(&flat)]).collect::<Vec<bool>>()
            };
            let mut seen = std::collections::BTreeSet::new();
            for close in 85..110 {
                let truth = truths(&plan, f64::from(close), 100.0);
                assert_eq!(truths(&read, f64::from(close), 100.0), truth);
                seen.insert(truth);
            }
            assert!(seen.len() > 8, "closes tell the parts from each other: {}", seen.len());
        }
    }

    #[test]
    fn a_price_has_six_digits_and_no_exponent() {
        assert_eq!(price(0.000_012_345_67), "0.0000123457");
        assert_eq!(price(1.5), "1.5");
    }
}
