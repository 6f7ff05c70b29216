//! Arbitrage: the same asset on two venues. Buys where it is cheap and sells where it is expensive once they
//! stand apart by more than it costs to go in and out of both, and closes when they stand as usual.
//!
//! The first venue is the one that may be unable to go short (spot); long (+1) buys there and sells on
//! the second, short (−1) is its reverse. What is usual between the two (a perp's premium, a stablecoin's
//! discount) is a mean with a memory, so only what deviates from it is a chance:
//! [`Indicator::Rich`] = second price over first, over what is usual, less one.
//!
//! # Invariants
//!
//! 1. [`Indicator::Edge`] = |rich| less four fees, less both spreads, less one standard deviation of the
//!    difference over the time that an order takes: what may be lost before it arrives. Where there are
//!    only bars that time is the distance between two of them.
//! 2. Size is at most what both sides show at prices that still bring the hurdle; where there are only
//!    bars, half of what one order may take of the last one.
//! 3. Prices of the two venues are compared only where they were told within `age` of each other.
//!
//! Spot on both venues, rebalanced by transfers, is not modelled: one leg must be able to go short.
//! Funding between entry and exit is booked, not forecast.

use crate::agents::context::Context;
use crate::agents::family::{Family, FamilyInfo, Subscriptions, param};
use crate::agents::proposal::{Proposal, StructureLeg};
use crate::agents::structures::context::StructureContext;
use crate::agents::structures::gap::{self, PriceGap};
use crate::agents::structures::legs::LATENCY;
use crate::agents::structures::listed::ListedInstruments;
use crate::agents::structures::shape::StructureShape;
use crate::agents::structures::values::Values;
use crate::domain::{
    AssetId, Condition, Indicator, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp, Term,
};
use crate::fills::{Costs, borrow_fraction};
use crate::market::Market;
use crate::market::pricing::spread::{self, FeeIn};
use crate::market::quotes::DetailLevel;
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "the same asset on two venues: buys the cheaper and sells the costlier, closes when they meet",
    needs: "the asset on two venues, one of them with shorts (margin, perp); quotes, or bars",
    params: &[
        param(
            "pair",
            "share",
            (0.0, 1.0),
            (0.0, 1.0),
            "which pair of venues, from the first (0) to the last (1)",
        ),
        param(
            "memory",
            "minutes",
            (60.0, 720.0),
            (1.0, 100_000.0),
            "memory of what is usual between the two",
        ),
        param("hurdle", "bp", (2.0, 6.0), (0.0, 1_000.0), "edge after all costs at which it opens"),
        param("hold", "minutes", (60.0, 720.0), (1.0, 100_000.0), "time stop"),
        param("size", "of capital", (0.2, 0.5), (0.001, 2.0), "notional of a leg"),
        param("age", "seconds", (1.0, 5.0), (0.01, 600.0), "oldest price it acts on"),
    ],
    ordered: &[],
};

/// Share of the memory's length that prices must cover before anything is usual.
const COVERED: f64 = 0.25;
/// Deviation at which they have met, as a share of what is earned until then.
const MET: f64 = 0.1;

/// What it remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArbitrageMemory {
    first: InstrumentId,
    second: InstrumentId,
    recall: f64,
    hurdle: f64,
    hold: f64,
    size: f64,
    age: Span,
    /// The log of second over first, and its mean.
    gap: PriceGap,
    mean: f64,
}

/// Both prices and what it costs to trade them, as fractions.
#[derive(Clone, Copy, Debug)]
struct PairPrices {
    rich: f64,
    /// Cost of the round trip.
    cost: f64,
    /// One standard deviation until an order arrives.
    risk: f64,
}

impl ArbitrageMemory {
    pub(super) fn new(p: &[f64], asset: AssetId, listed: &ListedInstruments) -> Result<Self, String> {
        let plain = |k: InstrumentKind| {
            matches!(k, InstrumentKind::Spot | InstrumentKind::Margin | InstrumentKind::Perp)
        };
        let all = listed.find(asset, |i| plain(i.kind) && i.quote.is_none());
        let mut pairs = Vec::new();
        for (n, &a) in all.iter().enumerate() {
            for &b in &all[n + 1..] {
                let (one, other) = (listed.get(a), listed.get(b));
                if one.venue == other.venue {
                    continue;
                }
                // Who cannot be short is bought first.
                match (one.kind.can_short(), other.kind.can_short()) {
                    (_, true) => pairs.push((a, b)),
                    (true, false) => pairs.push((b, a)),
                    (false, false) => {}
                }
            }
        }
        // The same kind on both venues first: their difference has no carry of its own.
        pairs.sort_by_key(|&(a, b)| listed.get(a).kind != listed.get(b).kind);
        let last = pairs.len().saturating_sub(1);
        let Some(&(first, second)) = pairs.get(((p[0] * pairs.len() as f64) as usize).min(last)) else {
            return Err("needs the asset on two venues, one of them with shorts (margin or perp)".to_owned());
        };
        Ok(ArbitrageMemory {
            first,
            second,
            recall: p[1] * 60.0,
            hurdle: p[2] / 1e4,
            hold: p[3],
            size: p[4],
            age: gap::span(p[5]),
            gap: PriceGap::default(),
            mean: 0.0,
        })
    }

    /// Both prices, if they were told close enough to each other to be compared.
    fn pair(&self, board: &Market) -> Option<(f64, f64, Stamp)> {
        let (a, b) = (board.price(self.first)?, board.price(self.second)?);
        let apart = (a.at.0 - b.at.0).abs();
        (apart <= self.age.0).then_some((a.value, b.value, a.at.max(b.at)))
    }

    fn is_quoted(&self, board: &Market) -> bool {
        [self.first, self.second].iter().all(|i| board.get(*i).is_some_and(|q| q.level > DetailLevel::Bars))
    }

    fn now(&self, seen: &StructureContext<'_>) -> Option<PairPrices> {
        if self.gap.covered() < COVERED * self.recall {
            return None;
        }
        let (a, b, _) = self.pair(seen.board)?;
        let wait = if self.is_quoted(seen.board) { gap::seconds(LATENCY) } else { self.gap.step() };
        Some(PairPrices {
            rich: b / a / libm::exp(self.mean) - 1.0,
            cost: 2.0 * (seen.cost(self.first) + seen.cost(self.second)),
            risk: self.gap.risk(wait)?,
        })
    }

    /// Base units that the best prices (or books) give at prices that still bring the hurdle.
    fn depth(&self, seen: &StructureContext<'_>, side: f64, rest: f64) -> f64 {
        let (buy, sell) = if side > 0.0 { (self.first, self.second) } else { (self.second, self.first) };
        // What must be left over after the prices themselves: the rest of the costs, in the sale's fee. The
        // usual difference is taken off by scaling the first venue's prices to the second's.
        let usual = libm::exp(side * self.mean);
        let keep = 1.0 - (1.0 - rest) / usual;
        let top = |id: InstrumentId, buys: bool| {
            let t = seen.board.get(id).and_then(|q| q.top)?.value;
            Some(if buys { [(t.ask, t.ask_size)] } else { [(t.bid, t.bid_size)] })
        };
        let (Some(ask), Some(bid)) = (top(buy, true), top(sell, false)) else {
            return self.volume(seen);
        };
        let book = |id: InstrumentId, buys: bool| seen.board.book(id).map(|b| b.against(buys));
        let (asks, bids) = (book(buy, true).unwrap_or(&ask), book(sell, false).unwrap_or(&bid));
        match spread::cross_venue(
            (asks, 0.0, FeeIn::Received),
            (bids, keep, FeeIn::Received),
            0.0,
            f64::INFINITY,
        ) {
            Ok(Some(chain)) => chain.base[0],
            _ => 0.0,
        }
    }
}

impl ArbitrageMemory {
    /// Base units that an order may take of the next bars, if they are at least half as large.
    fn volume(&self, seen: &StructureContext<'_>) -> f64 {
        let share = |id| match seen.costs(id) {
            Costs::Flat(_) => f64::INFINITY,
            Costs::Bars(b) => b.participation,
        };
        let last = |id| seen.board.get(id).and_then(|q| q.bar).map_or(f64::INFINITY, |b| b.value.volume);
        // Endless beside nothing is nothing.
        let of = |id| if last(id) > 0.0 { 0.5 * share(id) * last(id) } else { 0.0 };
        f64::min(of(self.first), of(self.second))
    }
}

impl Family for ArbitrageMemory {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Events(vec![self.first, self.second])
    }

    fn on_event(&mut self, _listed: &ListedInstruments, board: &Market, event: &MarketEvent) {
        if !self.gap.is_due(event.at()) {
            return;
        }
        let Some((a, b, quoted_at)) = self.pair(board) else { return };
        let log = libm::log(b / a);
        match self.gap.tell(quoted_at, log) {
            // A plain mean until the memory is full.
            Some(passed) => {
                let share = 1.0 - libm::exp(-passed / self.recall);
                self.mean += share.max(1.0 / f64::from(self.gap.count() + 1)) * (log - self.mean);
            }
            None if self.gap.count() == 0 => self.mean = log,
            None => {}
        }
    }

    fn indicators(&self, seen: &StructureContext<'_>, values: &mut Values) {
        if let Some(now) = self.now(seen) {
            values.set(Indicator::Rich, now.rich);
            values.set(Indicator::Edge, (libm::fabs(now.rich) - now.cost - now.risk) * 1e4);
        }
        if let Some(top) = seen.board.get(self.first).and_then(|q| q.top) {
            values.set(Indicator::Spread, (top.value.ask - top.value.bid) / top.value.mid() * 1e4);
        }
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        let seen = cx.market?;
        let legs = [self.first, self.second];
        let edge = cx.view.of(Indicator::Edge);
        if edge.is_nan() || edge <= self.hurdle * 1e4 || !seen.is_fresh(&legs, self.age) {
            return None;
        }
        let now = self.now(seen)?;
        let side = libm::copysign(1.0, now.rich);
        // Who is sold must allow shorts.
        let sold = if side > 0.0 { self.second } else { self.first };
        let kind = seen.listed.get(sold).kind;
        let hold = Span((self.hold * Span::MINUTE.0 as f64) as i64);
        let borrow = borrow_fraction(seen.costs(sold), kind, hold);
        if !kind.can_short() || !seen.side.allows(side) || edge - borrow * 1e4 <= self.hurdle * 1e4 {
            return None;
        }
        // Half of the spreads is in the prices that depth is taken at.
        let half: f64 = legs.iter().map(|id| seen.cost(*id) - taker(seen, *id)).sum();
        let depth = self.depth(seen, side, now.cost - half + now.risk + borrow + self.hurdle);
        let price = seen.value(self.first)?;
        let character = seen.traits.aggression * seen.preset.unit;
        let size = self.size.min(depth * price / seen.capital / character);
        if !(size > 0.0 && size.is_finite()) {
            return None;
        }
        // What is bought in coins loses its fee in coins: as much arrives as is sold.
        let keeps = |id| if seen.listed.get(id).kind.is_owned() { 1.0 - taker(seen, id) } else { 1.0 };
        let against = if side > 0.0 { keeps(self.first) } else { 1.0 / keeps(self.second) };
        let (cost, gap) = (now.cost * 1e4, libm::fabs(now.rich) * 1e4);
        let spread = cx.view.of(Indicator::Spread);
        let wide = if spread.is_finite() { (3.0 * spread).max(spread + cost) } else { 2.0 * cost };
        let open = Condition::above(Term::Of(Indicator::Edge), Term::Level(self.hurdle * 1e4));
        let shape = StructureShape {
            // Twice as far apart again, and it is no deviation any more.
            stop: gap + cost,
            near: 0.6 * (gap - cost),
            far: 1.5 * (gap - cost),
            trails: false,
            hold: self.hold,
            exit: Condition::beyond(
                -side,
                Term::Of(Indicator::Rich),
                Term::Level(side * MET * (libm::fabs(now.rich) - now.cost)),
            ),
            // Further apart is a better price for the same reason; the stop bounds it.
            add: Some(Condition::above(
                Term::Of(Indicator::Edge),
                Term::Level(edge + (self.hurdle * 1e4).max(0.25 * cost)),
            )),
            hedge: Condition::above(Term::Of(Indicator::Spread), Term::Level(wide)),
            again: open,
            pause: 1.0,
        };
        Some(Proposal {
            side,
            legs: vec![
                StructureLeg { instrument: self.first, ratio: 1.0 },
                StructureLeg { instrument: self.second, ratio: -against },
            ],
            size,
            delta: 0.0,
            plan: shape.plan_after(cost, side, seen.traits, seen.preset),
            limit: None,
        })
    }

    fn looks_at_prints(&self) -> bool {
        false
    }

    fn pace(&self) -> Span {
        Span(10_000_000)
    }
}

fn taker(seen: &StructureContext<'_>, id: InstrumentId) -> f64 {
    seen.rate(id, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::structures::stage::*;
    use crate::domain::{FamilyId, Reason, SideRule, Verb};
    use InstrumentKind::{Margin, Perp, Spot};
    use proptest::prelude::*;

    /// Pair, memory, hurdle, hold, size, age.
    const P: [f64; 6] = [0.0, 10.0, 4.0, 60.0, 0.5, 5.0];

    fn stage(rows: &[InstrumentRow<'_>], p: &[f64; 6]) -> Result<OneLife, String> {
        let mut stage = OneLife::new(&universe(rows), FamilyId::Arbitrage, p, "BTC")?;
        stage.age = Span((p[5] * 1e9) as i64);
        Ok(stage)
    }

    const PERPS: [InstrumentRow<'_>; 2] = [("BTC", Perp, "a", ""), ("BTC", Perp, "b", "")];

    /// Both venues, a basis point of half-spread on each.
    fn both(stage: &mut OneLife, at: f64, one: f64, two: f64) -> Vec<(Verb, Reason, f64)> {
        let t = second(at);
        let q = |id, mid: f64| quote(id, t, mid * 0.9999, mid * 1.0001, 1_000.0);
        stage.at(&[q(0, one), q(1, two)])
    }

    fn warm(stage: &mut OneLife, one: f64, two: f64) {
        for s in 0..300 {
            assert_eq!(both(stage, f64::from(s), one, two), []);
        }
    }

    #[test]
    fn it_stands_by_where_nobody_can_be_short() {
        for rows in [
            [("BTC", Spot, "a", ""), ("BTC", Spot, "b", "")],
            [("BTC", Perp, "a", ""), ("BTC", Perp, "a", "")],
            [("BTC", Perp, "a", ""), ("ETH", Perp, "b", "")],
        ] {
            assert!(stage(&rows, &P).err().unwrap().starts_with("needs the asset on two venues"));
        }
        // What cannot be short is the first leg, wherever it is listed.
        let one = stage(&[("BTC", Perp, "a", ""), ("BTC", Spot, "b", "")], &P).unwrap();
        assert_eq!(one.rules.ears(), [InstrumentId(1), InstrumentId(0)]);
        // Of three venues every pair can be had.
        let rows = [("BTC", Perp, "a", ""), ("BTC", Margin, "b", ""), ("BTC", Margin, "c", "")];
        let ears = |share| stage(&rows, &[share, P[1], P[2], P[3], P[4], P[5]]).unwrap().rules.ears();
        let ids = |a, b| [InstrumentId(a), InstrumentId(b)];
        assert_eq!((ears(0.0), ears(0.5), ears(1.0)), (ids(1, 2).into(), ids(0, 1).into(), ids(0, 2).into()));
    }

    #[test]
    fn buys_the_cheap_sells_the_dear_and_is_paid_when_they_meet() {
        let mut s = stage(&PERPS, &P).unwrap();
        warm(&mut s, 100.0, 100.0);
        // 50 bp apart; in and out of both costs 2 · (5 + 1 + 5 + 1) = 24.
        assert_eq!(both(&mut s, 300.0, 100.0, 100.5), [(Verb::Open, Reason::Signal, 1.0)]);
        assert_eq!(both(&mut s, 301.0, 100.0, 100.5), []);
        let units = 0.5 * CAPITAL / 100.5;
        assert!((s.held(0) - units).abs() < 1e-6 && (s.held(1) + units).abs() < 1e-6);
        assert_eq!(both(&mut s, 302.0, 100.0, 100.0), [(Verb::Close, Reason::Exit, 1.0)]);
        both(&mut s, 303.0, 100.0, 100.0);
        // 0.5 a unit between mids, a basis point of each price given to the spread and five to the fee.
        let spread = (100.0 + 100.5 + 100.0 + 100.0) * 0.0001;
        let fees = (100.01 + 100.5 * 0.9999 + 99.99 + 100.01) * 0.0005;
        let outcome = s.outcomes()[0];
        let pnl = units * (0.5 - spread - fees);
        assert!((outcome.pnl * CAPITAL - pnl).abs() < 1e-3, "{} {pnl}", outcome.pnl * CAPITAL);
        assert!((pnl / 0.5 / CAPITAL * 1e4 - 25.82).abs() < 0.05, "{pnl}");
        let said = s.actions()[0].to_string();
        assert!(said.contains("exit: close if the premium over fair value falls under 0.0"), "{said}");
        assert!(said.contains("of its first size if the edge after costs rises above"), "{said}");
    }

    #[test]
    fn the_dear_first_venue_is_sold_and_what_is_usual_is_no_chance() {
        let mut s = stage(&PERPS, &P).unwrap();
        // The second venue always trades half a percent higher: there is nothing in that.
        warm(&mut s, 100.0, 100.5);
        assert!(s.value(Indicator::Rich).abs() < 1e-9);
        assert_eq!(both(&mut s, 300.0, 100.5, 100.5), [(Verb::Open, Reason::Signal, -1.0)]);
        both(&mut s, 301.0, 100.5, 100.5);
        assert!(s.held(0) < 0.0 && s.held(1) > 0.0);
    }

    #[test]
    fn just_inside_cost_there_is_no_trade_and_just_outside_there_is() {
        for (gap, opens) in [(24.0 + 3.0, false), (24.0 + 8.0, true)] {
            let mut s = stage(&PERPS, &P).unwrap();
            warm(&mut s, 100.0, 100.0);
            let said = both(&mut s, 300.0, 100.0, 100.0 * (1.0 + gap / 1e4));
            assert_eq!(!said.is_empty(), opens, "{gap} bp: {} bp", s.value(Indicator::Edge));
        }
    }

    #[test]
    fn one_venue_that_fell_silent_is_not_traded_against() {
        let mut s = stage(&PERPS, &P).unwrap();
        warm(&mut s, 100.0, 100.0);
        let lone = quote(1, second(310.0), 101.0, 101.02, 1_000.0);
        assert_eq!(s.at(&[lone]), []);
    }

    #[test]
    fn size_is_what_both_sides_show() {
        let mut s = stage(&PERPS, &P).unwrap();
        warm(&mut s, 100.0, 100.0);
        let t = second(300.0);
        s.at(&[quote(0, t, 99.99, 100.01, 3.0), quote(1, t, 100.49, 100.51, 2.0)]);
        let action = &s.actions()[0];
        assert!((action.after - 2.0 * 100.5 / CAPITAL).abs() < 1e-4, "{action}");
    }

    #[test]
    fn a_leg_that_finds_nobody_is_missed_and_the_other_is_closed() {
        let mut s = stage(&PERPS, &P).unwrap();
        warm(&mut s, 100.0, 100.0);
        both(&mut s, 300.0, 100.0, 100.5);
        for n in 1..=3 {
            let t = second(300.0 + f64::from(n));
            // The first is there, the second shows no size.
            s.at(&[quote(0, t, 99.99, 100.01, 1_000.0), quote(1, t, 100.49, 100.51, 0.0)]);
        }
        let last = s.actions().pop().unwrap();
        assert_eq!((last.verb, last.reason), (Verb::Close, Reason::Missed));
        both(&mut s, 305.0, 100.0, 100.0);
        assert_eq!((s.held(0), s.held(1)), (0.0, 0.0));
        assert!(s.outcomes()[0].pnl < 0.0);
    }

    #[test]
    fn hourly_bars_of_two_venues_need_a_wider_gap() {
        let rows = [("BTC", Margin, "a", ""), ("BTC", Margin, "b", "")];
        let p = [0.0, 1_440.0, 4.0, 720.0, 0.5, 5.0];
        let run = |gap: f64, noise: f64| {
            let mut s = stage(&rows, &p).unwrap();
            let both = |s: &mut OneLife, h: i32, gap: f64| {
                let t = second(3_600.0 * f64::from(h));
                s.at(&[bar(0, t, 100.0), bar(1, t, 100.0 * (1.0 + gap / 1e4))])
            };
            for h in 0..100 {
                assert_eq!(both(&mut s, h, if h % 2 == 0 { noise } else { -noise }), []);
            }
            let said = both(&mut s, 100, gap);
            both(&mut s, 101, gap);
            both(&mut s, 102, 0.0);
            both(&mut s, 103, 0.0);
            (said, s)
        };
        // Four fees of 10 bp and four half-spreads of 2 make 48; half a day of borrow 1.4.
        assert_eq!(run(52.0, 0.0).0, []);
        let (said, s) = run(100.0, 0.0);
        assert_eq!(said, [(Verb::Open, Reason::Signal, 1.0)]);
        let outcome = s.outcomes()[0];
        let units = 0.5 * CAPITAL / 101.0;
        let traded = 100.02 + 101.0 * 0.9998 + 99.98 + 100.02;
        // What is bought in coins loses its fee in coins, and as much less is sold against it.
        let pnl = units * (1.0 - (100.0 + 101.0 + 100.0 + 100.0) * 0.0002 - traded * 0.001);
        assert!((outcome.pnl * CAPITAL - pnl).abs() < 0.01 * pnl, "{} {pnl}", outcome.pnl * CAPITAL);
        // The same gap where it jumps about by 20 bp an hour either way is none: it may be gone by the open.
        assert_eq!(run(100.0, 30.0).0, []);
    }

    #[test]
    fn random_markets_make_it_trade() {
        let rows = [("BTC", Spot, "a", ""), ("BTC", Perp, "b", "")];
        assert!(opened(|| stage(&rows, &[0.0, 1.0, 1.0, 60.0, 0.5, 2.0]).unwrap()) > 10);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn no_market_makes_it_break_its_laws(chaos in chaos(400), side in 0_usize..3) {
            let p = [0.0, 1.0, 1.0, 60.0, 0.5, 2.0];
            let rows = [("BTC", Spot, "a", ""), ("BTC", Perp, "b", "")];
            let mut s = stage(&rows, &p).unwrap();
            s.side = [SideRule::Both, SideRule::Long, SideRule::Short][side];
            s.play(&chaos);
            // Spot is never short.
            prop_assert!(s.held(0) > -1e-6);
            prop_assert!(s.actions().iter().all(|a| a.side() > 0.0));
        }
    }
}
