//! What carriers and makers bid for serving the desk on an asset, and what is known of those whose bids were taken.
//!
//! ```text
//! carrier   (V − 2h(c_s + c_p)) / days      the best; who carries keeps it until another is better
//! maker     ŝ − fee                         the best; of equals the lower fee; of those the lower number
//!           ŝ = m · τ² / (τ² + v/n)         m mean and v variance of what it saved a unit, over n decisions
//! ```
//!
//! c is what a side costs, h what a carrier asks for in multiples of that and no less than 1. A mean of few decisions is
//! mostly the market's own doing, so that ŝ is drawn to nothing, the further the noisier it is (the posterior mean of a
//! normal with a normal prior of standard deviation [`SKILL`]). A maker that asks for more than taking costs is not heard.
//!
//! # Invariants
//!
//! 1. Whose bid is taken follows from what was said, from the books and from costs; nobody's mind is read.
//! 2. Who may not serve is not chosen, however good its bid.

use super::execution_cost::ExecutionCost;
use crate::domain::{AgentId, CarryQuote, Money, Span, Stamp, WorkQuote};
use crate::market::quotes::Stamped;
use serde::{Deserialize, Serialize};

/// τ: by how much makers are taken to differ in what they save, as a fraction of the notional: a good part of a spread.
const SKILL: f64 = 2e-4;
/// Decisions without which nothing is known of what a maker saves: of fewer there is no variance.
const KNOWN: u32 = 2;
/// A maker's word is good for so long: makers speak once a day where there is a market, and markets close for a weekend.
const WORK_GOOD: Span = Span(3 * Span::DAY.0);
/// A carrier's word counts for entering and leaving for so long.
pub(super) const CARRY_GOOD: Span = Span(Span::DAY.0);

/// What somebody last said of serving.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bid<T> {
    /// Who said it.
    pub agent: AgentId,
    /// What was said, and when.
    pub said: Stamped<T>,
}

/// The last bid of everybody who made one, in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bids<T>(Vec<Bid<T>>);

// Derived, it would ask the same of what is said.
impl<T> Default for Bids<T> {
    fn default() -> Self {
        Bids(Vec::new())
    }
}

impl<T: Copy> Bids<T> {
    /// Somebody has spoken.
    pub(super) fn hear(&mut self, agent: AgentId, at: Stamp, value: T) {
        let bid = Bid { agent, said: Stamped { at, value } };
        match self.0.binary_search_by_key(&agent, |b| b.agent) {
            Ok(i) => self.0[i] = bid,
            Err(i) => self.0.insert(i, bid),
        }
    }

    /// What somebody last said.
    pub(super) fn of(&self, agent: AgentId) -> Option<Stamped<T>> {
        self.0.iter().find(|b| b.agent == agent).map(|b| b.said)
    }

    fn fresh(&self, now: Stamp, good: Span) -> impl Iterator<Item = &Bid<T>> {
        self.0.iter().filter(move |b| now.since(b.said.at).0 <= good.0)
    }
}

impl Bids<CarryQuote> {
    /// The best bid of those that `may` serve, where a side of both legs costs `both`; of equals that of `holder`, else the
    /// first.
    pub(super) fn best(
        &self,
        now: Stamp,
        both: f64,
        holder: Option<AgentId>,
        may: impl Fn(&Bid<CarryQuote>) -> bool,
    ) -> Option<Bid<CarryQuote>> {
        let worth = |b: &Bid<CarryQuote>| {
            let quote = &b.said.value;
            // A day of it: over its own horizon who looks further would win by its length alone.
            (quote.value - 2.0 * quote.hurdle.max(1.0) * both) / quote.days
        };
        let rank = |b: &Bid<CarryQuote>| (worth(b), Some(b.agent) == holder);
        self.fresh(now, CARRY_GOOD).filter(|b| may(b)).copied().reduce(|best, next| {
            let (a, b) = (rank(&best), rank(&next));
            if b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)).is_gt() { next } else { best }
        })
    }
}

impl Bids<WorkQuote> {
    /// The best bid of those that `may` serve and ask for no more than `most` basis points, by what each is expected to save.
    pub(super) fn best(
        &self,
        now: Stamp,
        most: f64,
        may: impl Fn(AgentId) -> bool,
        expected: impl Fn(AgentId) -> f64,
    ) -> Option<AcceptedWork> {
        let left = |b: &Bid<WorkQuote>| expected(b.agent) - b.said.value.fee_bps / 1e4;
        let all = self.fresh(now, WORK_GOOD).filter(|b| b.said.value.fee_bps <= most && may(b.agent));
        let best = all.copied().reduce(|best, next| {
            let fees = best.said.value.fee_bps.total_cmp(&next.said.value.fee_bps);
            if left(&next).total_cmp(&left(&best)).then(fees).is_gt() { next } else { best }
        });
        best.map(|b| AcceptedWork { maker: b.agent, terms: b.said.value })
    }
}

/// Who works the orders of an asset until the next decision, and on which terms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AcceptedWork {
    /// The maker whose bid was taken.
    pub maker: AgentId,
    /// What it said.
    pub terms: WorkQuote,
}

/// What an agent may not do for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceBar {
    /// It takes on nothing new; what it carries it may keep. The operator has paused it.
    Pauses,
    /// It is not heard, does not hear, or is drained: what it carries is closed, unless another takes it over.
    Ends,
}

/// What came of the orders that a maker worked on an asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MakerRecord {
    /// Whose record it is.
    pub maker: AgentId,
    /// What they came to, as they were filled.
    pub cost: ExecutionCost,
    /// The same when it was last told.
    pub(super) told: ExecutionCost,
    /// The same when it was last looked at.
    seen: ExecutionCost,
    /// Decisions after which something was filled.
    decisions: u32,
    /// Mean of what was saved a unit, as a fraction of the notional.
    mean: f64,
    /// Sum of squared distances from it.
    squares: f64,
    /// Fees that it was paid.
    pub earned: Money,
}

impl MakerRecord {
    pub(super) fn new(maker: AgentId) -> Self {
        let none = ExecutionCost::default();
        let (cost, told, seen) = (none, none, none);
        MakerRecord { maker, cost, told, seen, decisions: 0, mean: 0.0, squares: 0.0, earned: Money::ZERO }
    }

    /// A decision has passed.
    pub(super) fn look(&mut self) {
        let new = self.cost.plus(&self.seen, -1.0);
        self.seen = self.cost;
        let notional = new.rested + new.crossed;
        if notional > 0.0 {
            // One number a decision: what is filled between two of them moves together.
            let saved = new.saved() / notional;
            self.decisions = self.decisions.saturating_add(1);
            let off = saved - self.mean;
            self.mean += off / f64::from(self.decisions);
            self.squares += off * (saved - self.mean);
        }
    }

    /// What it is expected to save, as a fraction of the notional.
    pub(super) fn expected(&self) -> f64 {
        if self.decisions < KNOWN {
            return 0.0;
        }
        let n = f64::from(self.decisions);
        let noise = self.squares / (n - 1.0) / n;
        self.mean * SKILL * SKILL / (SKILL * SKILL + noise)
    }
}

/// What an agent has of carrying an asset beside its book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CarrierRecord {
    /// Whose book it is.
    pub carrier: AgentId,
    /// What the perp legs of its switches came to that were worked.
    pub(super) switches: ExecutionCost,
    /// The same when it was last told.
    pub(super) told: ExecutionCost,
    /// What it owes for the capital it was lent, and what of it was told.
    pub(super) rent: (f64, f64),
    /// What it paid to makers, and what of it was told.
    pub(super) paid: (Money, Money),
}

impl CarrierRecord {
    pub(super) fn new(carrier: AgentId) -> Self {
        let none = ExecutionCost::default();
        let nothing = (Money::ZERO, Money::ZERO);
        CarrierRecord { carrier, switches: none, told: none, rent: (0.0, 0.0), paid: nothing }
    }
}

/// What a part of an order that was worked came to, and who worked it.
#[derive(Clone, Copy, Debug)]
pub(super) struct WorkedCost {
    pub maker: AgentId,
    /// Of the whole.
    pub all: ExecutionCost,
    /// Of the perp leg of a switch in it.
    pub switches: ExecutionCost,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Stamp = Stamp(10 * Span::DAY.0);

    fn carries(bids: &[(u32, f64, f64, f64)]) -> Bids<CarryQuote> {
        let mut all = Bids::default();
        for &(agent, value, days, hurdle) in bids {
            all.hear(AgentId(agent), NOW, CarryQuote { value, days, hurdle, most: 1.0 });
        }
        all
    }

    fn best(bids: &Bids<CarryQuote>, holder: Option<u32>) -> Option<u32> {
        bids.best(NOW, 0.002, holder.map(AgentId), |_| true).map(|b| b.agent.0)
    }

    #[test]
    fn the_best_carrier_earns_most_a_day_after_what_it_asks_for() {
        assert_eq!(best(&carries(&[(3, 0.010, 14.0, 1.0), (5, 0.012, 14.0, 1.0)]), None), Some(5));
        assert_eq!(
            best(&carries(&[(3, 0.010, 14.0, 1.0), (5, 0.012, 14.0, 2.0)]), None),
            Some(3),
            "asks for more"
        );
        assert_eq!(
            best(&carries(&[(3, 0.010, 14.0, 1.0), (5, 0.012, 28.0, 1.0)]), None),
            Some(3),
            "takes longer"
        );
        let alike = carries(&[(3, 0.010, 14.0, 1.0), (5, 0.010, 14.0, 0.1), (7, 0.010, 14.0, 1.0)]);
        assert_eq!(best(&alike, None), Some(3), "of equals the first");
        assert_eq!(best(&alike, Some(5)), Some(5), "or who carries already");
        let late = alike.best(NOW.after(Span(Span::DAY.0 + 1)), 0.002, None, |_| true);
        assert_eq!(late, None, "yesterday's words");
        assert_eq!(alike.best(NOW, 0.002, None, |b| b.agent.0 > 5).map(|b| b.agent.0), Some(7));
    }

    #[test]
    fn the_cheapest_maker_serves_until_a_record_says_otherwise() {
        let mut bids = Bids::default();
        for (agent, fee_bps) in [(1, 0.3), (2, 0.1), (4, 0.1)] {
            bids.hear(AgentId(agent), NOW, WorkQuote { distance: 1.0, rests: 1, fee_bps });
        }
        let who = |most, expected: &dyn Fn(AgentId) -> f64| {
            bids.best(NOW, most, |_| true, expected).map(|w| w.maker.0)
        };
        assert_eq!(who(5.0, &|_| 0.0), Some(2), "the lowest fee, of equals the lower number");
        assert_eq!(who(5.0, &|a| if a.0 == 2 { -1e-5 } else { 0.0 }), Some(4));
        assert_eq!(who(5.0, &|a| if a.0 == 1 { 3e-5 } else { 0.0 }), Some(1));
        assert_eq!(who(0.05, &|_| 0.0), None, "more than taking costs");
        assert_eq!(bids.best(NOW, 5.0, |a| a.0 == 1, |_| 0.0).map(|w| w.maker.0), Some(1));
    }

    #[test]
    fn what_is_expected_of_a_maker_is_little_before_much_is_known() {
        let mut record = MakerRecord::new(AgentId(1));
        let mut saved = |bp: f64| {
            record.cost = record
                .cost
                .plus(&ExecutionCost { rested: 1.0, crossed: 0.0, cost: 0.0, taking: bp / 1e4 }, 1.0);
            record.look();
            record.expected() * 1e4
        };
        assert_eq!(saved(100.0), 0.0, "one decision tells nothing");
        let early = saved(-92.0);
        assert!(early > 0.0 && early < 0.01, "{early}");
        let mut late = 0.0;
        for n in 0..20_000 {
            late = saved(if n % 2 == 0 { 100.0 } else { -92.0 });
        }
        assert!((late - 4.0).abs() < 0.5, "{late}");
        record.look();
        assert_eq!(record.decisions, 20_002, "a decision without a fill is none");
    }
}
