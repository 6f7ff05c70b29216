//! A pool of concentrated liquidity (Uniswap v3), exact: swaps across ticks, positions and their fees.
//!
//! Prices are √(token 1 per token 0) in 96 binary digits after the point ([`tick`]), amounts are in the
//! smallest units of a token, fees in pips (10⁻⁶) of what goes in ([`step`]). A swap goes step by step to
//! the next initialised tick, but no farther at once than the 256 ticks of one word of the contract's
//! bitmap, since each step rounds: so amounts equal the contract's to the last unit.
//!
//! Not here: the protocol's share of fees (taken as 0), the oracle, flash loans. A pool that charges a
//! protocol fee moves the same price for the same amounts; only what positions earn is less.
//!
//! # Invariants
//!
//! 1. The liquidity in use is the sum of the net liquidity of all ticks at or below the current one.
//! 2. Rounding is against whoever trades or deposits; swaps and positions never take out more than went in.
//! 3. A call that fails changes nothing.
//! 4. A swap takes a bounded number of steps: at most one per word and one per initialised tick.

pub mod step;
pub mod tick;

use super::pool_v2::Direction;
use super::wide::{U256, WideError, mul_div, narrow, to_f64};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use step::{Exact, Round, WHOLE_PIPS, amount0_between, amount1_between, swap_step};
use tick::{Q96, SQRT_PRICE_MAX, SQRT_PRICE_MIN, TICK_MAX, price_of, sqrt_price_at, sqrt_price_of, tick_at};

/// Ticks of one word of the contract's bitmap, as a power of two.
const WORD_BITS: u32 = 8;

/// Why a pool refused. The contract would revert.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum V3Error {
    /// A tick out of range.
    #[error("tick {0} is beyond ±887272")]
    Tick(i32),
    /// A square-root price out of range.
    #[error("the square-root price {0} is outside what ticks can say")]
    SqrtPrice(U256),
    /// A price out of range.
    #[error("the price {0} is outside what ticks can say")]
    Price(f64),
    /// A range that is empty or does not lie on the pool's ticks.
    #[error("a position from tick {lower} to {upper} needs lower < upper, both multiples of {spacing}")]
    Range {
        /// Lower tick.
        lower: i32,
        /// Upper tick.
        upper: i32,
        /// The pool's tick spacing.
        spacing: i32,
    },
    /// A price limit on the wrong side.
    #[error("the limit {0} is not on the side to which the price moves, within the range of ticks")]
    Limit(U256),
    /// A fee of a whole, or ticks without a distance.
    #[error("a fee of {fee_pips} pips on ticks {spacing} apart is no pool; below 1000000, from 1 to 16383")]
    Terms {
        /// The fee.
        fee_pips: u32,
        /// The spacing.
        spacing: i32,
    },
    /// A swap or deposit of nothing.
    #[error("an amount of 0 does nothing")]
    Nothing,
    /// More liquidity than is there, or than a tick may carry.
    #[error("a change of liquidity by {0} leaves the range of the position or of a tick")]
    Liquidity(u128),
    /// An integer that the contract does not have.
    #[error(transparent)]
    Wide(#[from] WideError),
}

/// An initialised tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// Liquidity of all positions that end here.
    pub gross: u128,
    /// Liquidity that comes in when the price rises through.
    pub net: i128,
    /// Fee growth on the other side of the tick as seen from the price; only differences mean something.
    outside: [U256; 2],
}

/// A pool as a value; its owner keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolV3 {
    fee_pips: u32,
    spacing: i32,
    sqrt_price: U256,
    tick: i32,
    liquidity: u128,
    /// Fees ever earned per unit of liquidity, token 0 and 1, in 128 binary digits; wraps as on chain.
    growth: [U256; 2],
    ticks: BTreeMap<i32, Tick>,
}

/// Liquidity of one owner over one range, and its fees. A value that the owner keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Lowest tick of the range.
    pub lower: i32,
    /// The tick above the range.
    pub upper: i32,
    /// How much.
    pub liquidity: u128,
    /// Fee growth inside the range when it was last touched.
    inside: [U256; 2],
    /// Fees earned until then and not collected, token 0 and 1.
    owed: [u128; 2],
}

impl Position {
    /// A range without liquidity yet.
    pub fn over(lower: i32, upper: i32) -> Self {
        Position { lower, upper, liquidity: 0, inside: [U256::ZERO; 2], owed: [0; 2] }
    }

    /// Takes out the fees booked when it was last touched, token 0 and 1; touch it with
    /// [`PoolV3::burn`] of 0 first.
    pub fn collect(&mut self) -> [u128; 2] {
        std::mem::take(&mut self.owed)
    }
}

/// What a swap did, or would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// What went in, fee included; less than was given where the limit stopped it.
    pub amount_in: u128,
    /// What came out; less than was asked where the limit stopped it.
    pub amount_out: u128,
    /// The fee within `amount_in`.
    pub fee: u128,
    /// √P after it.
    pub sqrt_price: U256,
    /// Tick after it.
    pub tick: i32,
    /// Liquidity in use after it.
    pub liquidity: u128,
    /// Initialised ticks it went through.
    pub crossed: u32,
}

/// What is worked out before anything is changed.
struct Outcome {
    swap: Swap,
    growth: [U256; 2],
    /// Ticks gone through and what their fee growth outside becomes.
    crossings: Vec<(i32, [U256; 2])>,
}

impl PoolV3 {
    /// A pool without liquidity at a price.
    ///
    /// # Errors
    ///
    /// A fee of a whole, a spacing outside 1 … 16 383, or a price out of range.
    pub fn new(fee_pips: u32, spacing: i32, sqrt_price: U256) -> Result<Self, V3Error> {
        if fee_pips >= WHOLE_PIPS || !(1..16_384).contains(&spacing) {
            return Err(V3Error::Terms { fee_pips, spacing });
        }
        let (tick, growth) = (tick_at(sqrt_price)?, [U256::ZERO; 2]);
        Ok(PoolV3 { fee_pips, spacing, sqrt_price, tick, liquidity: 0, growth, ticks: BTreeMap::new() })
    }

    /// √P now.
    pub fn sqrt_price(&self) -> U256 {
        self.sqrt_price
    }

    /// Price of token 0 in token 1, in smallest units, as an estimate.
    pub fn price(&self) -> f64 {
        price_of(self.sqrt_price)
    }

    /// The tick the price lies in.
    pub fn tick(&self) -> i32 {
        self.tick
    }

    /// Liquidity in use.
    pub fn liquidity(&self) -> u128 {
        self.liquidity
    }

    /// Initialised ticks, from the lowest.
    pub fn ticks(&self) -> impl Iterator<Item = (i32, &Tick)> {
        self.ticks.iter().map(|(at, tick)| (*at, tick))
    }

    /// What a swap would do, without doing it; `limit` is a √P not to go beyond.
    ///
    /// # Errors
    ///
    /// An amount of 0, a limit on the wrong side, or integers that the contract does not have.
    pub fn quote(&self, direction: Direction, amount: Exact, limit: Option<U256>) -> Result<Swap, V3Error> {
        self.work_out(direction, amount, limit).map(|o| o.swap)
    }

    /// Where arbitrage against an exchange takes the price: the direction and the limit to swap to, with
    /// token 0 sold there for `got` and bought for `paid` of token 1, in smallest units and net of fees
    /// (`got` ≤ `paid`). Beyond the limit the next unit costs more in the pool, fee included, than the
    /// exchange pays: so the swap to it is the most profitable, before gas. None inside the fees.
    ///
    /// # Errors
    ///
    /// A price outside what ticks can say.
    pub fn arbitrage_limit(&self, got: f64, paid: f64) -> Result<Option<(Direction, U256)>, V3Error> {
        let keep = 1.0 - f64::from(self.fee_pips) / f64::from(WHOLE_PIPS);
        let (up, down) = (sqrt_price_of(got * keep)?, sqrt_price_of(paid / keep)?);
        if up > self.sqrt_price {
            return Ok(Some((Direction::OneForZero, up)));
        }
        Ok((down < self.sqrt_price).then_some((Direction::ZeroForOne, down)))
    }

    /// Swaps, until the amount is used up or the price reaches `limit`.
    ///
    /// # Errors
    ///
    /// As [`PoolV3::quote`]; nothing changes then.
    pub fn swap(
        &mut self,
        direction: Direction,
        amount: Exact,
        limit: Option<U256>,
    ) -> Result<Swap, V3Error> {
        let Outcome { swap, growth, crossings } = self.work_out(direction, amount, limit)?;
        for (at, outside) in crossings {
            if let Some(tick) = self.ticks.get_mut(&at) {
                tick.outside = outside;
            }
        }
        (self.sqrt_price, self.tick) = (swap.sqrt_price, swap.tick);
        (self.liquidity, self.growth) = (swap.liquidity, growth);
        Ok(swap)
    }

    fn work_out(&self, direction: Direction, amount: Exact, limit: Option<U256>) -> Result<Outcome, V3Error> {
        let falls = direction == Direction::ZeroForOne;
        let end = if falls { SQRT_PRICE_MIN + U256::ONE } else { SQRT_PRICE_MAX - U256::ONE };
        let limit = limit.unwrap_or(end);
        let ahead = if falls { limit < self.sqrt_price } else { limit > self.sqrt_price };
        if !ahead || limit <= SQRT_PRICE_MIN || limit >= SQRT_PRICE_MAX {
            return Err(V3Error::Limit(limit));
        }
        let (Exact::In(mut left) | Exact::Out(mut left)) = amount;
        if left == U256::ZERO {
            return Err(V3Error::Nothing);
        }
        let (mut price, mut tick, mut liquidity) = (self.sqrt_price, self.tick, self.liquidity);
        let (mut growth, mut crossings) = (self.growth, Vec::new());
        let (mut total_in, mut total_out, mut total_fee) = (U256::ZERO, U256::ZERO, U256::ZERO);
        let token_in = usize::from(!falls);
        while left > U256::ZERO && price != limit {
            let (next, initialised) = self.next_tick(tick, falls);
            let at_next = sqrt_price_at(next)?;
            let target = if falls { at_next.max(limit) } else { at_next.min(limit) };
            let part = match amount {
                Exact::In(_) => Exact::In(left),
                Exact::Out(_) => Exact::Out(left),
            };
            let before = price;
            let done = swap_step(price, target, liquidity, part, self.fee_pips)?;
            price = done.sqrt_price;
            let paid = done.amount_in.checked_add(done.fee).ok_or(WideError::Overflow("the amount in"))?;
            // A step never takes or gives more than is left of the exact side.
            left = left.saturating_sub(match amount {
                Exact::In(_) => paid,
                Exact::Out(_) => done.amount_out,
            });
            total_in = total_in.checked_add(paid).ok_or(WideError::Overflow("the amount in"))?;
            total_out =
                total_out.checked_add(done.amount_out).ok_or(WideError::Overflow("the amount out"))?;
            total_fee += done.fee;
            if liquidity > 0 {
                let grown = mul_div(done.fee, U256::ONE << 128_u32, U256::new(liquidity))?;
                growth[token_in] = growth[token_in].wrapping_add(grown);
            }
            if price == at_next {
                if initialised && let Some(there) = self.ticks.get(&next) {
                    let outside = [0, 1].map(|i: usize| growth[i].wrapping_sub(there.outside[i]));
                    crossings.push((next, outside));
                    let net = if falls { there.net.checked_neg() } else { Some(there.net) };
                    liquidity = net
                        .and_then(|n| liquidity.checked_add_signed(n))
                        .ok_or(WideError::Overflow("the liquidity in use"))?;
                }
                tick = if falls { next - 1 } else { next };
            } else if price != before {
                tick = tick_at(price)?;
            }
        }
        let swap = Swap {
            amount_in: narrow("the amount in", total_in)?,
            amount_out: narrow("the amount out", total_out)?,
            fee: narrow("the fee", total_fee)?,
            sqrt_price: price,
            tick,
            liquidity,
            crossed: crossings.len() as u32,
        };
        Ok(Outcome { swap, growth, crossings })
    }

    /// The next tick to go to, and whether it is initialised: the nearest initialised one of the same
    /// word, else the end of the word.
    fn next_tick(&self, tick: i32, falls: bool) -> (i32, bool) {
        let place = tick.div_euclid(self.spacing);
        let (found, end) = if falls {
            let end = (place >> WORD_BITS << WORD_BITS) * self.spacing;
            (self.ticks.range(end..=place * self.spacing).next_back(), end)
        } else {
            let end = (((place + 1) >> WORD_BITS << WORD_BITS) + (1 << WORD_BITS) - 1) * self.spacing;
            (self.ticks.range((place + 1) * self.spacing..=end).next(), end)
        };
        let next = found.map_or(end, |(at, _)| *at);
        (next.clamp(-TICK_MAX, TICK_MAX), found.is_some())
    }

    /// The most liquidity that may end at one tick.
    fn tick_liquidity_max(&self) -> u128 {
        let ticks = 2 * (TICK_MAX / self.spacing) + 1;
        u128::MAX / u128::from(ticks.unsigned_abs())
    }

    /// Adds liquidity to a position and gives what it costs of token 0 and 1.
    ///
    /// # Errors
    ///
    /// An amount of 0, a range off the pool's ticks, more than a tick may carry, or amounts too long.
    pub fn mint(&mut self, position: &mut Position, added: u128) -> Result<[u128; 2], V3Error> {
        if added == 0 {
            return Err(V3Error::Nothing);
        }
        self.change(position, added, true)
    }

    /// Takes liquidity out of a position and gives what it returns of token 0 and 1; fees are booked to
    /// the position. 0 only books fees.
    ///
    /// # Errors
    ///
    /// More than the position has, or a range off the pool's ticks.
    pub fn burn(&mut self, position: &mut Position, removed: u128) -> Result<[u128; 2], V3Error> {
        if position.liquidity == 0 {
            return if removed == 0 { Ok([0; 2]) } else { Err(V3Error::Liquidity(removed)) };
        }
        self.change(position, removed, false)
    }

    fn change(&mut self, position: &mut Position, by: u128, add: bool) -> Result<[u128; 2], V3Error> {
        let (lower, upper) = (position.lower, position.upper);
        let round = if add { Round::Up } else { Round::Down };
        let amounts = self.amounts(lower, upper, by, round)?;
        let moved = |x: u128| if add { x.checked_add(by) } else { x.checked_sub(by) };
        let wrong = V3Error::Liquidity(by);
        let net = i128::try_from(by).map_err(|_| wrong)?;
        let mut ends = [(lower, net), (upper, -net)].map(|(at, net)| {
            // A new tick has all growth so far below it, if it is at or below the price.
            let outside = if at <= self.tick { self.growth } else { [U256::ZERO; 2] };
            let tick = self.ticks.get(&at).copied().unwrap_or(Tick { outside, ..Tick::default() });
            (at, tick, if add { net } else { -net })
        });
        for (_, tick, net) in &mut ends {
            tick.gross = moved(tick.gross).filter(|g| *g <= self.tick_liquidity_max()).ok_or(wrong)?;
            tick.net = tick.net.checked_add(*net).ok_or(wrong)?;
        }
        let in_range = (lower..upper).contains(&self.tick);
        let in_use = if in_range { moved(self.liquidity).ok_or(wrong)? } else { self.liquidity };
        let inside = self.growth_inside(lower, upper, ends[0].1.outside, ends[1].1.outside);
        let mut after = *position;
        let fees = after.fees_at(inside)?;
        // What is owed wraps on chain beyond 128 bits; nothing that exists is so long.
        for (owed, fee) in after.owed.iter_mut().zip(fees) {
            *owed = owed.checked_add(fee).ok_or(WideError::Overflow("the fees of a position"))?;
        }
        after.inside = inside;
        after.liquidity = moved(position.liquidity).ok_or(wrong)?;
        for (at, tick, _) in ends {
            if tick.gross == 0 {
                self.ticks.remove(&at);
            } else {
                self.ticks.insert(at, tick);
            }
        }
        self.liquidity = in_use;
        *position = after;
        Ok(amounts)
    }

    fn growth_inside(&self, lower: i32, upper: i32, below: [U256; 2], above: [U256; 2]) -> [U256; 2] {
        [0, 1].map(|i: usize| {
            let all = self.growth[i];
            let below = if self.tick >= lower { below[i] } else { all.wrapping_sub(below[i]) };
            let above = if self.tick < upper { above[i] } else { all.wrapping_sub(above[i]) };
            all.wrapping_sub(below).wrapping_sub(above)
        })
    }

    /// The tokens that an amount of liquidity over a range stands for at the price now.
    ///
    /// # Errors
    ///
    /// A range that is empty or off the pool's ticks, or amounts beyond 128 bits.
    pub fn amounts(
        &self,
        lower: i32,
        upper: i32,
        liquidity: u128,
        round: Round,
    ) -> Result<[u128; 2], V3Error> {
        if lower >= upper || lower % self.spacing != 0 || upper % self.spacing != 0 {
            return Err(V3Error::Range { lower, upper, spacing: self.spacing });
        }
        let (low, high) = (sqrt_price_at(lower)?, sqrt_price_at(upper)?);
        // By the tick and not the price, as the contract decides it.
        let now = if self.tick < lower {
            low
        } else if self.tick < upper {
            self.sqrt_price
        } else {
            high
        };
        Ok([
            narrow("an amount of token 0", amount0_between(now, high, liquidity, round)?)?,
            narrow("an amount of token 1", amount1_between(low, now, liquidity, round)?)?,
        ])
    }

    /// The most liquidity over a range that two amounts pay for at the price now, give or take rounding
    /// down. (Source: the periphery's `LiquidityAmounts`.)
    ///
    /// # Errors
    ///
    /// A range that is empty or off the pool's ticks, or more liquidity than 128 bits.
    pub fn liquidity_for(&self, lower: i32, upper: i32, amounts: [u128; 2]) -> Result<u128, V3Error> {
        self.amounts(lower, upper, 0, Round::Down)?;
        let (low, high) = (sqrt_price_at(lower)?, sqrt_price_at(upper)?);
        let now = self.sqrt_price.clamp(low, high);
        let by0 = |from: U256| -> Result<U256, V3Error> {
            Ok(mul_div(U256::new(amounts[0]), mul_div(from, high, Q96)?, high - from)?)
        };
        let by1 = |to: U256| -> Result<U256, V3Error> { Ok(mul_div(U256::new(amounts[1]), Q96, to - low)?) };
        let liquidity = if now == low {
            by0(low)?
        } else if now == high {
            by1(high)?
        } else {
            by0(now)?.min(by1(now)?)
        };
        Ok(narrow("the liquidity", liquidity)?)
    }

    /// What a position holds now: tokens 0 and 1 that a full burn would return, and its fees until now.
    ///
    /// # Errors
    ///
    /// A range off the pool's ticks.
    pub fn worth(&self, position: &Position) -> Result<([u128; 2], [u128; 2]), V3Error> {
        let Position { lower, upper, liquidity, owed, .. } = *position;
        let tokens = self.amounts(lower, upper, liquidity, Round::Down)?;
        let outside = |at: i32| self.ticks.get(&at).map_or([U256::ZERO; 2], |t| t.outside);
        let mut fees = owed;
        if liquidity > 0 {
            let inside = self.growth_inside(lower, upper, outside(lower), outside(upper));
            let earned = position.fees_at(inside)?;
            fees = [0, 1].map(|i: usize| owed[i].saturating_add(earned[i]));
        }
        Ok((tokens, fees))
    }

    /// The value of a position and its fees in token 1 at the pool's own price, as an estimate.
    ///
    /// # Errors
    ///
    /// As [`PoolV3::worth`].
    pub fn value(&self, position: &Position) -> Result<f64, V3Error> {
        let (tokens, fees) = self.worth(position)?;
        let [zero, one] = [0, 1].map(|i: usize| tokens[i] as f64 + fees[i] as f64);
        Ok(zero * self.price() + one)
    }
}

impl Position {
    /// Fees since it was last touched, given the fee growth inside its range now.
    fn fees_at(&self, inside: [U256; 2]) -> Result<[u128; 2], WideError> {
        let fee = |i: usize| {
            let grown = inside[i].wrapping_sub(self.inside[i]);
            narrow("the fees of a position", mul_div(grown, U256::new(self.liquidity), U256::ONE << 128_u32)?)
        };
        Ok([fee(0)?, fee(1)?])
    }
}

/// Tokens 0 and 1 of an amount of liquidity over a range of prices at another price than the pool's, as
/// estimates, in smallest units: what a position would hold there. Prices positive, `lower < upper`.
pub fn holdings_at(price: f64, lower: f64, upper: f64, liquidity: u128) -> (f64, f64) {
    let (low, high) = (libm::sqrt(lower), libm::sqrt(upper));
    let now = libm::sqrt(price).clamp(low, high);
    let l = to_f64(U256::new(liquidity));
    (l * (1.0 / now - 1.0 / high), l * (now - low))
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
