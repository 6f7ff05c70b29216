//! Triangular arbitrage: three pairs of one venue that must agree, and sometimes do not. Long (+1) buys
//! the quote asset with the account's currency, with it the base asset in the cross, and sells that
//! (USDT → BTC → ETH → USDT); short (−1) goes round the other way.
//!
//! The round trip is over when all three legs are filled: no coins are left but what rounding to lots
//! leaves, the profit is cash, and closing has nothing to trade. So nothing is ever taken off in part,
//! added or hedged: half a round trip back would only cost fees.
//!
//! # Invariants
//!
//! 1. [`Indicator::Edge`] is what the better way round brings at the best prices after the fee of each leg
//!    in the currency that it is taken in, less one standard deviation of the disagreement over the time
//!    that an order takes; where there are only bars that is the time between two of them, and half the
//!    usual spread is paid on each leg.
//! 2. Size is at most what the three books (or best prices) show as long as the last unit brings the
//!    hurdle; on bars half of what one order may take of the last one.
//! 3. Legs are in the proportion in which each feeds the next, its fee taken off.
//! 4. The three prices were told within `age` of each other, and of now.
//!
//! All three orders go out at once: the coins that the second and third pay with are still on their way
//! for some milliseconds, which a venue allows who holds a float of them. The float is not modelled.

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
use crate::fills::Costs;
use crate::market::Market;
use crate::market::pricing::spread::{self, BestChain, Conversion, FeeIn};
use crate::market::quotes::DetailLevel;
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "three pairs of one venue that disagree: round and back to cash, fees in their currency",
    needs: "a pair in another asset and both assets' own pairs on one venue (ETHBTC, BTCUSDT, ETHUSDT); quotes, or bars",
    params: &[
        param(
            "triangle",
            "share",
            (0.0, 1.0),
            (0.0, 1.0),
            "which triangle, from the first (0) to the last (1)",
        ),
        param("hurdle", "bp", (1.0, 4.0), (0.0, 1_000.0), "edge after all costs at which it goes round"),
        param("size", "of capital", (0.1, 0.5), (0.001, 2.0), "notional of a leg"),
        param("age", "seconds", (0.5, 3.0), (0.01, 50.0), "oldest price it acts on"),
    ],
    ordered: &[],
};

/// Edge at which one of the prices must be a bad tick.
const BAD_TICK: f64 = 0.05;

/// What it remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriangularMemory {
    /// The quote asset in cash, the cross, the base asset in cash: `BTCUSDT`, `ETHBTC`, `ETHUSDT`.
    legs: [InstrumentId; 3],
    hurdle: f64,
    size: f64,
    age: Span,
    /// Log of the base asset's price through the cross over its own.
    gap: PriceGap,
}

/// What one order may meet: the levels, or one made of a best price or a bar.
enum Side<'a> {
    Book(&'a [(f64, f64)]),
    One([(f64, f64); 1]),
}

impl Side<'_> {
    fn levels(&self) -> &[(f64, f64)] {
        match self {
            Side::Book(levels) => levels,
            Side::One(level) => level,
        }
    }
}

impl TriangularMemory {
    pub(super) fn new(p: &[f64], asset: AssetId, listed: &ListedInstruments) -> Result<Self, String> {
        let owned = |k| matches!(k, InstrumentKind::Spot | InstrumentKind::Margin);
        let mut all = Vec::new();
        for cross in listed.instruments.iter().filter(|i| owned(i.kind) && i.quote.is_some()) {
            let base = listed.coin(cross.id);
            let Some(quote) = listed.pays(cross.id).filter(|_| base != cross.id) else { continue };
            let own = [cross.asset, listed.get(quote).asset].contains(&asset);
            if own && owned(listed.get(quote).kind) && owned(listed.get(base).kind) {
                all.push([quote, cross.id, base]);
            }
        }
        let last = all.len().saturating_sub(1);
        let Some(&legs) = all.get(((p[0] * all.len() as f64) as usize).min(last)) else {
            return Err(
                "needs a spot pair in another asset and both assets' own pairs on one venue".to_owned()
            );
        };
        Ok(TriangularMemory {
            legs,
            hurdle: p[1] / 1e4,
            size: p[2],
            age: gap::span(p[3]),
            gap: PriceGap::default(),
        })
    }

    /// Mid prices, if they were told close enough to each other to be compared.
    fn prices(&self, board: &Market) -> Option<([f64; 3], Stamp)> {
        let [q, c, b] = self.legs.map(|id| board.price(id));
        let (q, c, b) = (q?, c?, b?);
        let (old, new) = (q.at.min(c.at).min(b.at), q.at.max(c.at).max(b.at));
        (new.since(old).0 <= self.age.0).then_some(([q.value, c.value, b.value], new))
    }

    /// What an order on this side meets, best first.
    fn side<'a>(seen: &StructureContext<'a>, id: InstrumentId, buys: bool) -> Option<Side<'a>> {
        if let Some(book) = seen.board.book(id) {
            return Some(Side::Book(book.against(buys)));
        }
        let quoted = seen.board.get(id)?;
        if let Some(top) = quoted.top.map(|t| t.value) {
            let level = if buys { (top.ask, top.ask_size) } else { (top.bid, top.bid_size) };
            return (level.1 > 0.0).then_some(Side::One([level]));
        }
        let bar = quoted.bar?.value;
        let (half, share) = match seen.costs(id) {
            Costs::Flat(_) => (0.0, f64::INFINITY),
            Costs::Bars(b) => (b.half_spread.of(seen.listed.get(id).kind), 0.5 * b.participation),
        };
        let price = bar.close * if buys { 1.0 + half } else { 1.0 - half };
        // Endless volume is more than anybody's capital, and a number.
        let volume = (share * bar.volume).min(1e15 / price);
        (volume > 0.0).then_some(Side::One([(price, volume)]))
    }

    /// The best round trip this way that leaves at least `keep` of what its last unit brings.
    fn walk(&self, seen: &StructureContext<'_>, side: f64, keep: f64, budget: f64) -> Option<BestChain<3>> {
        let (order, buys) = if side > 0.0 {
            (self.legs, [true, true, false])
        } else {
            ([self.legs[2], self.legs[1], self.legs[0]], [true, false, false])
        };
        let fee = |id| seen.rate(id, false);
        let books: [Option<Side<'_>>; 3] = std::array::from_fn(|i| Self::side(seen, order[i], buys[i]));
        let [Some(one), Some(two), Some(three)] = &books else { return None };
        let leg = |i: usize, side, fee| spread::ChainLeg {
            action: if buys[i] { Conversion::Buy } else { Conversion::Sell },
            levels: Side::levels(side),
            fee,
            fee_in: FeeIn::Received,
        };
        // What must be left over is taken of the cash that the last leg brings.
        let last = 1.0 - (1.0 - fee(order[2])) * (1.0 - keep);
        let legs = [leg(0, one, fee(order[0])), leg(1, two, fee(order[1])), leg(2, three, last)];
        spread::triangular(&legs, budget).ok().flatten()
    }

    /// What the best prices bring this way, as a fraction; NaN where there are none.
    fn edge(&self, seen: &StructureContext<'_>, side: f64) -> f64 {
        let mut rate = 1.0;
        for (i, id) in self.legs.into_iter().enumerate() {
            let buys = (i < 2) == (side > 0.0);
            let Some(first) = Self::side(seen, id, buys).and_then(|s| s.levels().first().copied()) else {
                return f64::NAN;
            };
            rate *= if buys { 1.0 / first.0 } else { first.0 };
            rate *= 1.0 - seen.rate(id, false);
        }
        rate - 1.0
    }

    /// One standard deviation of the disagreement until orders arrive.
    fn risk(&self, board: &Market) -> Option<f64> {
        let quoted = |id: &InstrumentId| board.get(*id).is_some_and(|q| q.level > DetailLevel::Bars);
        let wait = if self.legs.iter().all(quoted) { gap::seconds(LATENCY) } else { self.gap.step() };
        self.gap.risk(wait)
    }

    /// The better way round, what it brings, and the risk that is taken off it.
    fn better(&self, seen: &StructureContext<'_>) -> Option<(f64, f64, f64)> {
        self.prices(seen.board)?;
        let risk = self.risk(seen.board)?;
        let (long, short) = (self.edge(seen, 1.0) - risk, self.edge(seen, -1.0) - risk);
        let (side, edge) = if short > long { (-1.0, short) } else { (1.0, long) };
        // Prices that disagree by so much are not prices.
        (edge.is_finite() && edge < BAD_TICK).then_some((side, edge, risk))
    }
}

impl Family for TriangularMemory {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Events(self.legs.to_vec())
    }

    fn on_event(&mut self, _listed: &ListedInstruments, board: &Market, event: &MarketEvent) {
        if !self.gap.is_due(event.at()) {
            return;
        }
        if let Some(([q, c, b], quoted_at)) = self.prices(board) {
            self.gap.tell(quoted_at, libm::log(c * q / b));
        }
    }

    fn indicators(&self, seen: &StructureContext<'_>, values: &mut Values) {
        if let Some((side, edge, _)) = self.better(seen) {
            values.set(Indicator::Edge, edge * 1e4);
            if seen.is_fresh(&self.legs, self.age) {
                values.set(Indicator::Way, side * edge.max(0.0) * 1e4);
            }
        }
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        let seen = cx.market?;
        let known = cx.view.of(Indicator::Edge);
        if known.is_nan() || known <= self.hurdle * 1e4 || !seen.is_fresh(&self.legs, self.age) {
            return None;
        }
        let (side, edge, risk) = self.better(seen)?;
        if !seen.side.allows(side) {
            return None;
        }
        let character = seen.traits.aggression * seen.preset.unit;
        let chain = self.walk(seen, side, risk + self.hurdle, self.size * seen.capital * character)?;
        let [first, cross, last] = chain.base;
        if !(cross > 0.0 && cross.is_finite()) {
            return None;
        }
        // Of one unit of the cross, for a long; the first leg of the walk is the base asset's for a short.
        let (quote, base) = if side > 0.0 { (first, last) } else { (last, first) };
        let ratios = [quote / cross, 1.0, -base / cross];
        let mut notional = 0.0_f64;
        for (id, ratio) in self.legs.into_iter().zip(ratios) {
            notional = notional.max(libm::fabs(ratio) * seen.value(id)?);
        }
        let prices = self.prices(seen.board)?.0;
        let apart = libm::fabs(prices[1] * prices[0] / prices[2] - 1.0) * 1e4;
        let (edge, hurdle) = (edge * 1e4, self.hurdle * 1e4);
        let shape = StructureShape {
            // At mid prices: twice as far apart, and the prices are wrong, not the market.
            stop: apart + edge,
            near: 0.5 * edge,
            far: edge,
            trails: false,
            hold: 1.0,
            exit: Condition::below(Term::Of(Indicator::Edge), Term::Level(0.5 * hurdle)),
            add: None,
            hedge: Condition::below(Term::Of(Indicator::Edge), Term::Level(-1e4)),
            again: Condition::beyond(side, Term::Of(Indicator::Way), Term::Level(side * hurdle)),
            pause: 0.0,
        };
        let mut plan = shape.plan_after((apart - edge).max(0.0), side, seen.traits, seen.preset);
        // All or nothing: see the top.
        plan.hedge = None;
        plan.targets.iter_mut().for_each(|t| t.fraction = 1.0);
        Some(Proposal {
            side,
            legs: self
                .legs
                .into_iter()
                .zip(ratios)
                .map(|(instrument, ratio)| StructureLeg { instrument, ratio })
                .collect(),
            size: cross * notional / (seen.capital * character),
            delta: 0.0,
            plan,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::structures::stage::*;
    use crate::domain::{FamilyId, Reason, SideRule, Verb};
    use InstrumentKind::Spot;
    use proptest::prelude::*;

    /// Triangle, hurdle, size, age.
    const P: [f64; 4] = [0.0, 2.0, 0.5, 2.0];
    const ROWS: [InstrumentRow<'_>; 3] =
        [("BTC", Spot, "a", ""), ("ETH", Spot, "a", ""), ("ETH", Spot, "a", "BTC")];
    const BTC: u16 = 0;
    const ETH: u16 = 1;
    const CROSS: u16 = 2;

    fn stage() -> OneLife {
        let mut stage = OneLife::new(&universe(&ROWS), FamilyId::Triangular, &P, "ETH").unwrap();
        stage.age = gap::span(P[3]);
        stage
    }

    /// BTC 50 000, ETH 2 000, the cross this far (bp) from 0.04; a hundredth of a basis point of spread.
    fn quotes(at: f64, off: f64, size: f64) -> [MarketEvent; 3] {
        let q = |id, mid: f64, size| quote(id, second(at), mid * (1.0 - 1e-6), mid * (1.0 + 1e-6), size);
        [q(BTC, 50_000.0, 1_000.0), q(CROSS, 0.04 * (1.0 + off / 1e4), size), q(ETH, 2_000.0, 1_000.0)]
    }

    fn warm(s: &mut OneLife) {
        for n in 0..30 {
            assert_eq!(s.at(&quotes(f64::from(n), 0.0, 1e6)), []);
        }
    }

    #[test]
    fn it_stands_by_without_three_pairs_on_one_venue() {
        for rows in [
            vec![("BTC", Spot, "a", ""), ("ETH", Spot, "a", "")],
            vec![("BTC", Spot, "a", ""), ("ETH", Spot, "b", ""), ("ETH", Spot, "a", "BTC")],
            vec![("BTC", Spot, "b", ""), ("ETH", Spot, "a", ""), ("ETH", Spot, "a", "BTC")],
        ] {
            let why = OneLife::new(&universe(&rows), FamilyId::Triangular, &P, "ETH").err().unwrap();
            assert!(why.starts_with("needs a spot pair in another asset"), "{why}");
        }
        let of =
            |asset| OneLife::new(&universe(&ROWS), FamilyId::Triangular, &P, asset).map(|s| s.rules.ears());
        let ids = [BTC, CROSS, ETH].map(InstrumentId).to_vec();
        assert_eq!((of("ETH"), of("BTC")), (Ok(ids.clone()), Ok(ids)));
    }

    /// What a round trip of a unit of cash brings: fees of 0.1 % a leg, taken in what is received.
    fn rate(off: f64, side: f64) -> f64 {
        let keep = 0.999_f64.powi(3);
        let (ask, bid) = (1.0 + 1e-6, 1.0 - 1e-6);
        let cross = 1.0 + off / 1e4;
        if side > 0.0 { bid / (ask * ask * cross) * keep } else { cross * bid * bid / ask * keep }
    }

    #[test]
    fn round_and_back_to_cash_either_way() {
        for (off, side) in [(-50.0, 1.0), (50.0, -1.0)] {
            let mut s = stage();
            warm(&mut s);
            assert_eq!(s.at(&quotes(30.0, off, 1e6)), [(Verb::Open, Reason::Signal, side)]);
            // The prices are still there when the orders arrive, and gone right after.
            assert_eq!(s.at(&quotes(31.0, off, 1e6)), []);
            let spent = 0.5 * CAPITAL;
            for id in [BTC, ETH] {
                let dust = s.held(id) * if id == BTC { 50_000.0 } else { 2_000.0 };
                assert!(dust.abs() < 1e-3, "flat in coins but for lots: {dust}");
            }
            assert_eq!(s.at(&quotes(32.0, 0.0, 1e6)), [(Verb::Close, Reason::Exit, side)]);
            s.at(&quotes(33.0, 0.0, 1e6));
            let outcome = s.outcomes()[0];
            let pnl = spent * (rate(off, side) - 1.0);
            assert!((outcome.pnl * CAPITAL - pnl).abs() < 0.01, "{} {pnl}", outcome.pnl * CAPITAL);
            assert!(pnl > 95.0 && pnl < 105.0, "{pnl}");
            assert!((s.market_value() - outcome.pnl * CAPITAL).abs() < 1e-9);
        }
    }

    #[test]
    fn just_inside_cost_there_is_no_trade_and_just_outside_there_is() {
        // Three fees of 10 bp make 29.97; 0.03 of spread, the risk of a jump, and the hurdle of 2.
        for (off, opens) in [(-31.0, false), (-36.0, true), (31.0, false), (36.0, true)] {
            let mut s = stage();
            warm(&mut s);
            assert_eq!(
                !s.at(&quotes(30.0, off, 1e6)).is_empty(),
                opens,
                "{off}: {}",
                s.value(Indicator::Edge)
            );
        }
    }

    #[test]
    fn size_is_what_the_thinnest_book_shows() {
        let mut s = stage();
        warm(&mut s);
        s.at(&quotes(30.0, -50.0, 3.0));
        let action = &s.actions()[0];
        assert!((action.after * CAPITAL - 6_000.0).abs() < 40.0, "three ETH: {action}");
        assert!(
            action.to_string().contains("exit: close if the edge after costs falls under 1 bp"),
            "{action}"
        );
    }

    #[test]
    fn a_price_that_is_old_is_no_disagreement() {
        let mut s = stage();
        warm(&mut s);
        let [btc, cross, _] = quotes(35.0, -50.0, 1e6);
        assert_eq!(s.at(&[btc, cross]), []);
    }

    #[test]
    fn bars_of_a_minute_fill_at_the_next_open() {
        let run = |noise: f64| {
            let mut s = stage();
            let bars = |s: &mut OneLife, n: i32, off: f64| {
                let t = second(60.0 * f64::from(n));
                let cross = 0.04 * (1.0 + off / 1e4);
                s.at(&[bar(BTC, t, 50_000.0), bar(CROSS, t, cross), bar(ETH, t, 2_000.0)])
            };
            for n in 0..40 {
                assert_eq!(bars(&mut s, n, if n % 2 == 0 { noise } else { -noise }), []);
            }
            let said = bars(&mut s, 40, -80.0);
            // The disagreement has halved by the next open.
            bars(&mut s, 41, -40.0);
            bars(&mut s, 42, 0.0);
            bars(&mut s, 43, 0.0);
            (said, s)
        };
        let (said, s) = run(0.0);
        assert_eq!(said, [(Verb::Open, Reason::Signal, 1.0)]);
        // Bought at 2 bp over, sold at 2 bp under the open; fees of 10 bp a leg.
        let cash = |p: f64, buys: bool| p * if buys { 1.0002 } else { 0.9998 };
        let decided = 0.5 * CAPITAL / cash(50_000.0, true);
        let eth = decided * 0.999 / cash(0.04 * 0.992, true);
        // Less was paid for the ETH than the BTC bought: the rest is sold for cash.
        let left = decided * 0.999 - eth * cash(0.04 * 0.996, true);
        let out = eth * 0.999 * cash(2_000.0, false) * 0.999
            + if left < 0.0 {
                left / 0.999 * cash(50_000.0, true)
            } else {
                left * cash(50_000.0, false) * 0.999
            };
        let pnl = out - 0.5 * CAPITAL;
        let got = s.outcomes()[0].pnl * CAPITAL;
        assert!((got - pnl).abs() < 0.05, "{got} {pnl}");
        assert_eq!(run(30.0).0, [], "what jumps by 60 bp a minute may be gone by then");
    }

    #[test]
    fn random_markets_make_it_trade() {
        let n = opened(stage);
        assert!(n > 10, "{n}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn no_market_makes_it_break_its_laws(chaos in chaos(400), side in 0_usize..3) {
            let mut s = stage();
            s.side = [SideRule::Both, SideRule::Long, SideRule::Short][side];
            s.play(&chaos);
            prop_assert!(s.actions().iter().all(|a| !matches!(a.reason, Reason::Add | Reason::Hedge)));
        }
    }
}
