//! Liquidity that a structure provides to pools: what it is made of, what it earns, and orders to put it
//! in and take it out.
//!
//! One unit of liquidity L between the prices a and b is, at a price P held inside them,
//! L·(1/√P − 1/√b) of base and L·(√P − √a) of quote (Uniswap v3, white paper, 6.29 and 6.30); a pool
//! without ranges (v2) is the same from zero to infinity. So between the bounds it is worth
//! L·(2√P − P/√b − √a).
//!
//! # Invariants
//!
//! 1. Base is bought and sold in the pool itself, fee and impact included; putting in and taking out cost
//!    gas besides ([`PUT_GAS`], [`TAKE_GAS`]).
//! 2. Fees are earned on what is swapped while the price lies in the range, in proportion to the liquidity
//!    there, one's own among it; none are earned before the liquidity is in.
//! 3. Nothing is put in or taken out at a state that is not newer than the decision and its latency.

use super::filling::{FillContext, Totals};
use crate::domain::{ContractTerms, InstrumentId, OrderId, Stamp};
use crate::fills::level;
use crate::market::Market;
use crate::market::quotes::{DetailLevel, PoolState};
use serde::{Deserialize, Serialize};

/// Gas of putting liquidity in, in that of a swap: of a pool without ranges, and with.
pub const PUT_GAS: (f64, f64) = (1.5, 3.0);
/// Gas of taking it out, fees collected, likewise.
pub const TAKE_GAS: (f64, f64) = (1.5, 2.0);

/// Prices between which liquidity lies, in quote currency.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// Below it there is only base.
    pub lower: f64,
    /// Above it there is only quote.
    pub upper: f64,
}

impl Bounds {
    /// All prices there are.
    pub const ALL: Bounds = Bounds { lower: 0.0, upper: f64::MAX };

    /// As far above a price as below it, by this fraction.
    pub fn around(price: f64, width: f64) -> Self {
        Bounds { lower: price / (1.0 + width), upper: price * (1.0 + width) }
    }

    fn root(&self, price: f64) -> f64 {
        libm::sqrt(price.clamp(self.lower, self.upper))
    }

    /// Base in one unit of liquidity.
    pub fn base(&self, price: f64) -> f64 {
        1.0 / self.root(price) - 1.0 / libm::sqrt(self.upper)
    }

    /// Quote in one unit of liquidity.
    pub fn quote(&self, price: f64) -> f64 {
        self.root(price) - libm::sqrt(self.lower)
    }

    /// Worth of one unit of liquidity, in quote currency.
    pub fn market_value(&self, price: f64) -> f64 {
        self.base(price) * price + self.quote(price)
    }

    /// Distance of a price from the middle, as a fraction of half the range, in logarithms; beyond 1 it is
    /// outside. Nothing is outside of all prices.
    pub fn away(&self, price: f64) -> f64 {
        if self.lower <= 0.0 {
            return 0.0;
        }
        let (low, high) = (libm::log(self.lower), libm::log(self.upper));
        libm::fabs(2.0 * libm::log(price) - low - high) / (high - low)
    }

    /// The share of the way between two prices that lies inside, in square roots, as swaps move them.
    pub fn inside(&self, from: f64, to: f64) -> f64 {
        let (a, b) = (libm::sqrt(from), libm::sqrt(to));
        if a == b {
            return f64::from(u8::from(to >= self.lower && to <= self.upper));
        }
        libm::fabs(self.root(to) - self.root(from)) / libm::fabs(b - a)
    }
}

/// Liquidity in a pool.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolRange {
    /// Pool that the liquidity is in.
    pub pool: InstrumentId,
    /// Between which prices.
    pub bounds: Bounds,
    /// Amount of liquidity, in the pool's own unit.
    pub liquidity: f64,
    /// Fees earned and not yet taken out, in quote currency.
    pub earned: f64,
    /// Price at the last state it heard.
    pub last: f64,
}

/// What a change of liquidity comes to at a state of its pool, signed as the change is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiquidityDeal {
    /// Base that is bought in the pool itself and put in; negative: taken out and sold there.
    pub base: f64,
    /// Quote currency that is put in beside it.
    pub quote: f64,
    /// Gas of all of it, in quote currency.
    pub gas: f64,
}

impl LiquidityDeal {
    /// So much more or less between these bounds, at a state of a pool of these terms.
    pub fn new(bounds: Bounds, change: f64, state: &PoolState, terms: &ContractTerms) -> Self {
        let concentrated = matches!(terms, ContractTerms::Pool { concentrated: true, .. });
        let of = |(plain, ranged): (f64, f64)| if concentrated { ranged } else { plain };
        // Put in, base is bought; taken out, it is sold.
        let base = change * bounds.base(state.price);
        let swaps = if base == 0.0 { 0.0 } else { state.gas };
        let gas = state.gas * of(if change > 0.0 { PUT_GAS } else { TAKE_GAS }) + swaps;
        LiquidityDeal { base, quote: change * bounds.quote(state.price), gas }
    }
}

impl PoolRange {
    /// Hears a state of its pool; gives the fees that it has earned by it, in quote currency.
    pub fn hear(&mut self, state: &PoolState, terms: &ContractTerms) -> f64 {
        let ContractTerms::Pool { fee_ppm, .. } = *terms else { return 0.0 };
        let share = self.liquidity / (state.liquidity + self.liquidity);
        let inside = self.bounds.inside(self.last, state.price);
        let more = state.swapped * f64::from(fee_ppm) / 1e6 * share * inside;
        self.earned += more;
        self.last = state.price;
        more
    }
}

/// Liquidity on its way in (positive) or out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiquidityChange {
    /// Pool that it goes into or comes out of.
    pub pool: InstrumentId,
    /// Between which prices.
    pub bounds: Bounds,
    /// How much more; negative: less.
    pub change: f64,
    /// When the change was decided.
    pub decided: Stamp,
    /// When it reaches the chain.
    pub live: Stamp,
    /// States of the pool at which it could not be done.
    pub tries: u8,
    /// The number of the real request that it has become; none of a simulated one, and of one that has not left yet.
    pub number: Option<OrderId>,
}

/// All liquidity of a structure, one range a pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ranges {
    /// Liquidity that is in pools now.
    pub held: Vec<PoolRange>,
    /// On its way.
    pub asked: Vec<LiquidityChange>,
}

impl Ranges {
    /// Whether nothing is in a pool or on its way.
    pub fn is_idle(&self) -> bool {
        self.held.is_empty() && self.asked.is_empty()
    }

    /// Where the liquidity of a pool lies, or will.
    pub fn bounds(&self, pool: InstrumentId) -> Option<Bounds> {
        let held = self.held.iter().find(|r| r.pool == pool).map(|r| r.bounds);
        held.or_else(|| self.asked.iter().find(|a| a.pool == pool).map(|a| a.bounds))
    }

    /// Base that is in a pool now.
    pub fn base(&self, board: &Market) -> f64 {
        let each = |r: &PoolRange| board.price(r.pool).map_or(0.0, |p| r.liquidity * r.bounds.base(p.value));
        self.held.iter().map(each).sum()
    }

    /// Worth of everything that is in pools, fees included.
    pub fn market_value(&self, board: &Market) -> f64 {
        let each = |r: &PoolRange| {
            board.price(r.pool).map_or(0.0, |p| r.liquidity * r.bounds.market_value(p.value)) + r.earned
        };
        self.held.iter().map(each).sum()
    }

    /// Asks for liquidity to be put in or taken out; nothing is ignored.
    pub fn ask(&mut self, ask: LiquidityChange) {
        if ask.change != 0.0 && ask.change.is_finite() {
            self.asked.push(ask);
        }
    }

    /// A new state of a pool, which the board has taken: fees are earned, then what was asked is done.
    /// Gives the cash that comes (or goes).
    pub fn hear(&mut self, m: &FillContext<'_>, pool: InstrumentId, at: Stamp, totals: &mut Totals) -> f64 {
        let Some(state) = m.board.get(pool).and_then(|q| q.pool).map(|p| p.value) else { return 0.0 };
        let terms = m.listed.get(pool).terms;
        self.earn(pool, &state, &terms);
        let mut cash = 0.0;
        let mut i = 0;
        while i < self.asked.len() {
            let ask = &mut self.asked[i];
            if ask.pool != pool || at < ask.live || at <= ask.decided {
                i += 1;
                continue;
            }
            let ask = *ask;
            if let Some(comes) = self.serve(&state, &terms, ask, totals) {
                cash += comes;
                self.asked.remove(i);
            } else {
                self.asked[i].tries = ask.tries.saturating_add(1);
                i += 1;
            }
        }
        cash
    }

    /// A state of a pool: what lies in it earns its fees.
    pub fn earn(&mut self, pool: InstrumentId, state: &PoolState, terms: &ContractTerms) {
        for r in self.held.iter_mut().filter(|r| r.pool == pool) {
            r.hear(state, terms);
        }
    }

    /// What of a change can be done, no more coming out than is in, and between which bounds: those where it lies already.
    fn allowed(&self, ask: &LiquidityChange) -> (f64, Bounds) {
        let held = self.held.iter().find(|r| r.pool == ask.pool);
        (ask.change.max(held.map_or(0.0, |r| -r.liquidity)), held.map_or(ask.bounds, |r| r.bounds))
    }

    /// Puts in or takes out; none where the pool is too small to swap the base.
    fn serve(
        &mut self,
        state: &PoolState,
        terms: &ContractTerms,
        ask: LiquidityChange,
        totals: &mut Totals,
    ) -> Option<f64> {
        let (change, bounds) = self.allowed(&ask);
        let LiquidityDeal { base, quote, gas } = LiquidityDeal::new(bounds, change, state, terms);
        let swapped = if base == 0.0 { 0.0 } else { base * level::swap(state, terms, base)?.price };
        let cash = -swapped - quote - gas;
        if change == 0.0 {
            return Some(0.0);
        }
        let earned = self.change(ask.pool, bounds, change, state.price);
        totals.traded += libm::fabs(swapped);
        totals.fees += gas;
        totals.fills += 1;
        totals.level = Some(totals.level.map_or(DetailLevel::Quotes, |l| l.min(DetailLevel::Quotes)));
        Some(cash + earned)
    }

    /// So much was put in or taken out at a price, no more than was in; gives the fees that came out with it.
    pub fn change(&mut self, pool: InstrumentId, bounds: Bounds, change: f64, price: f64) -> f64 {
        let Some(i) = self.held.iter().position(|r| r.pool == pool) else {
            if change > 0.0 {
                self.held.push(PoolRange { pool, bounds, liquidity: change, earned: 0.0, last: price });
            }
            return 0.0;
        };
        let r = &mut self.held[i];
        let has = r.liquidity;
        let out = if change < 0.0 { r.earned * -change / has } else { 0.0 };
        r.earned -= out;
        r.liquidity += change;
        if r.liquidity <= 1e-12 * has {
            self.held.remove(i);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn over_all_prices_it_loses_what_a_constant_product_loses() {
        for ratio in [0.25, 0.9, 1.0, 4.0] {
            let (now, at) = (2_000.0, 2_000.0 * ratio);
            let kept = Bounds::ALL.base(now) * at + Bounds::ALL.quote(now);
            let lost = Bounds::ALL.market_value(at) / kept - 1.0;
            // The impermanent loss of a constant product, in closed form.
            let formula = 2.0 * f64::sqrt(ratio) / (1.0 + ratio) - 1.0;
            assert!((lost - formula).abs() < 1e-12, "{ratio}: {lost}");
        }
    }

    #[test]
    fn beyond_its_edges_it_is_one_coin_alone_and_away_is_over_one() {
        let b = Bounds::around(2_000.0, 0.1);
        assert_eq!((b.quote(1_500.0), b.base(2_500.0)), (0.0, 0.0));
        assert!((b.away(2_200.0) - 1.0).abs() < 1e-12 && b.away(2_000.0) < 1e-12 && b.away(2_300.0) > 1.0);
        assert_eq!(b.inside(2_300.0, 2_400.0), 0.0);
        assert!((b.inside(2_000.0, 2_200.0) - 1.0).abs() < 1e-12);
        let part = b.inside(2_100.0, 2_300.0);
        assert!(part > 0.45 && part < 0.55, "{part}");
    }

    #[test]
    fn nothing_is_outside_of_all_prices() {
        for (from, to) in [(1e-6, 1e6), (5.0, 5.0), (1e9, 1.0)] {
            assert!((Bounds::ALL.inside(from, to) - 1.0).abs() < 1e-12, "{from} {to}");
            assert_eq!(Bounds::ALL.away(to), 0.0);
        }
        let b = Bounds::around(100.0, 0.1);
        assert_eq!((b.inside(100.0, 100.0), b.inside(200.0, 200.0)), (1.0, 0.0), "a price that stays");
    }

    proptest! {
        #[test]
        fn the_way_through_a_range_is_the_same_both_ways_and_its_parts_add_up(
            a in 100.0_f64..10_000.0, b in 100.0_f64..10_000.0, c in 100.0_f64..10_000.0,
            middle in 500.0_f64..5_000.0, width in 0.01_f64..2.0,
        ) {
            let r = Bounds::around(middle, width);
            prop_assert!((0.0..=1.0 + 1e-9).contains(&r.inside(a, b)));
            prop_assert!((r.inside(a, b) - r.inside(b, a)).abs() < 1e-9);
            let mut stops = [a, b, c];
            stops.sort_by(f64::total_cmp);
            let [low, mid, high] = stops;
            let way = |from: f64, to: f64| r.inside(from, to) * (to.sqrt() - from.sqrt());
            prop_assume!(low < mid && mid < high);
            prop_assert!((way(low, high) - way(low, mid) - way(mid, high)).abs() < 1e-9);
        }

        #[test]
        fn holdings_are_those_of_the_contract(
            middle in 500.0_f64..5_000.0, width in 0.01_f64..2.0, at in 0.001_f64..0.999,
        ) {
            // Uniswap v3, white paper, 2.2: with what lies beyond the edges added, the reserves of a unit
            // of liquidity have a product of 1, and the price for their ratio.
            let b = Bounds::around(middle, width);
            let price = b.lower + at * (b.upper - b.lower);
            let (base, quote) = (b.base(price) + 1.0 / b.upper.sqrt(), b.quote(price) + b.lower.sqrt());
            prop_assert!((base * quote - 1.0).abs() < 1e-12);
            prop_assert!((quote / base / price - 1.0).abs() < 1e-12);
            prop_assert!(b.base(price) > 0.0 && b.quote(price) > 0.0 && b.market_value(price) > 0.0);
        }

        #[test]
        fn what_it_gains_with_the_price_is_the_base_it_holds(
            middle in 500.0_f64..5_000.0, width in 0.01_f64..2.0, price in 100.0_f64..10_000.0,
        ) {
            let (b, h) = (Bounds::around(middle, width), price * 1e-6);
            // At an edge the slope has a kink.
            prop_assume!((price - b.lower).abs() > 2.0 * h && (price - b.upper).abs() > 2.0 * h);
            let slope = (b.market_value(price + h) - b.market_value(price - h)) / (2.0 * h);
            prop_assert!((slope - b.base(price)).abs() < 1e-6 / middle.sqrt(), "{slope} {}", b.base(price));
            // And it never beats holding what was put in at another price.
            let kept = b.base(middle) * price + b.quote(middle);
            prop_assert!(b.market_value(price) <= kept * (1.0 + 1e-12));
        }
    }
}
