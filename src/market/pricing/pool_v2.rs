//! A constant-product pool (Uniswap v2 and its forks): two reserves, x·y = k, a fee on what comes in.
//! Exact to the last unit of each token, and what arbitrage with another pool or an exchange takes out.
//!
//! Amounts are in the smallest units of a token (wei); reserves fit into 112 bits as in the contract.
//! The fee is in parts per million, and ⌊in·(10⁶−f)·r₁ / (r₀·10⁶ + in·(10⁶−f))⌋ is the contract's
//! ⌊in·997·r₁ / (r₀·1000 + in·997)⌋ for f = 3 000, since both sides of the fraction have the same factor.
//!
//! # Invariants
//!
//! 1. k = reserve₀·reserve₁ never falls in a swap; k per squared share never falls at all.
//! 2. Rounding is against whoever trades: out and shares down, in up.
//! 3. A call that fails changes nothing, and what a contract would revert is an error here.
//!
//! Gas, queues and sandwiches are not in the pool: they are costs that the caller hands in or adds.

use super::wide::{U256, WideError, narrow, square_root};
use super::{BadInput, not_negative, positive};
use serde::{Deserialize, Serialize};

/// One whole in parts per million.
const WHOLE_PPM: u32 = 1_000_000;
/// The fee of Uniswap v2: 0.3 %.
pub const FEE_V2_PPM: u32 = 3_000;
/// The largest reserve: 112 bits.
pub const RESERVE_MAX: u128 = (1 << 112) - 1;
/// Shares that the first deposit locks up for ever.
pub const MINIMUM_LIQUIDITY: u128 = 1_000;

/// Which token goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// Token 0 in, token 1 out.
    ZeroForOne,
    /// Token 1 in, token 0 out.
    OneForZero,
}

/// A pool as a value; its owner keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolV2 {
    reserve0: u128,
    reserve1: u128,
    shares: u128,
    fee_ppm: u32,
}

/// Why a pool refused. The contract would revert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// A reserve beyond 112 bits.
    #[error("a reserve of {0} does not fit into the 112 bits of the contract")]
    Reserve(u128),
    /// An empty pool, or less in it than is asked for.
    #[error("the pool holds {held} and cannot give {asked}; ask for less")]
    Liquidity {
        /// The reserve of that token.
        held: u128,
        /// What was asked for.
        asked: u128,
    },
    /// A swap, deposit or withdrawal of nothing, or so little that nothing comes of it.
    #[error("the amount is too small: nothing would come out")]
    Nothing,
    /// A fee of a whole or more.
    #[error("a fee of {0} parts per million leaves nothing; it must be below 1000000")]
    Fee(u32),
    /// An integer that the contract does not have.
    #[error(transparent)]
    Wide(#[from] WideError),
}

impl PoolV2 {
    /// A pool as its last `Sync` event left it, with `shares` of liquidity outstanding (the total supply
    /// of the pool's token).
    ///
    /// # Errors
    ///
    /// A reserve beyond 112 bits or a fee of a whole.
    pub fn new(reserve0: u128, reserve1: u128, shares: u128, fee_ppm: u32) -> Result<Self, PoolError> {
        if fee_ppm >= WHOLE_PPM {
            return Err(PoolError::Fee(fee_ppm));
        }
        checked_reserve(reserve0)?;
        checked_reserve(reserve1)?;
        Ok(PoolV2 { reserve0, reserve1, shares, fee_ppm })
    }

    /// An empty pool and its first deposit; the depositor gets ⌊√(a₀·a₁)⌋ less the locked minimum.
    ///
    /// # Errors
    ///
    /// As [`PoolV2::new`], or a deposit whose shares do not exceed the minimum.
    pub fn create(amount0: u128, amount1: u128, fee_ppm: u32) -> Result<(Self, u128), PoolError> {
        let mut pool = Self::new(amount0, amount1, 0, fee_ppm)?;
        pool.shares = narrow("the pool's shares", square_root(product(amount0, amount1)))?;
        match pool.shares.checked_sub(MINIMUM_LIQUIDITY) {
            None | Some(0) => Err(PoolError::Nothing),
            Some(minted) => Ok((pool, minted)),
        }
    }

    /// Reserves of token 0 and token 1.
    pub fn reserves(&self) -> (u128, u128) {
        (self.reserve0, self.reserve1)
    }

    /// Shares outstanding, the locked minimum among them.
    pub fn shares(&self) -> u128 {
        self.shares
    }

    /// Price of token 0 in token 1, in smallest units, before fee and impact; NaN in an empty pool.
    pub fn price(&self) -> f64 {
        self.reserve1 as f64 / self.reserve0 as f64
    }

    /// What stays of an amount after the fee, γ.
    pub fn keep(&self) -> f64 {
        1.0 - f64::from(self.fee_ppm) / f64::from(WHOLE_PPM)
    }

    fn facing(&self, direction: Direction) -> (u128, u128) {
        match direction {
            Direction::ZeroForOne => (self.reserve0, self.reserve1),
            Direction::OneForZero => (self.reserve1, self.reserve0),
        }
    }

    /// What comes out for exactly `amount_in`.
    ///
    /// # Errors
    ///
    /// An amount so small that nothing comes out, an empty pool, or a reserve that would not fit.
    pub fn amount_out(&self, direction: Direction, amount_in: u128) -> Result<u128, PoolError> {
        let (held_in, held_out) = self.facing(direction);
        checked_reserve(held_in.saturating_add(amount_in))?;
        if held_in == 0 || held_out == 0 {
            return Err(PoolError::Liquidity { held: held_out, asked: 1 });
        }
        // 112 + 20 + 112 bits at most.
        let kept = U256::new(amount_in) * U256::from(WHOLE_PPM - self.fee_ppm);
        let below = U256::new(held_in) * U256::from(WHOLE_PPM) + kept;
        match narrow("the amount out", kept * U256::new(held_out) / below)? {
            0 => Err(PoolError::Nothing),
            out => Ok(out),
        }
    }

    /// The least that must come in for exactly `amount_out`:
    /// ⌊r₀·out·10⁶ / ((r₁−out)·(10⁶−f))⌋ + 1.
    ///
    /// # Errors
    ///
    /// As much asked as the pool holds, or nothing, or a reserve that would not fit.
    pub fn amount_in(&self, direction: Direction, amount_out: u128) -> Result<u128, PoolError> {
        let (held_in, held_out) = self.facing(direction);
        if amount_out == 0 {
            return Err(PoolError::Nothing);
        }
        if held_in == 0 || amount_out >= held_out {
            return Err(PoolError::Liquidity { held: held_out, asked: amount_out });
        }
        let above = product(held_in, amount_out) * U256::from(WHOLE_PPM);
        let below = U256::new(held_out - amount_out) * U256::from(WHOLE_PPM - self.fee_ppm);
        let amount_in = narrow("the amount in", above / below + U256::ONE)?;
        checked_reserve(held_in.saturating_add(amount_in))?;
        Ok(amount_in)
    }

    /// Swaps exactly `amount_in` and gives what comes out.
    ///
    /// # Errors
    ///
    /// As [`PoolV2::amount_out`].
    pub fn swap(&mut self, direction: Direction, amount_in: u128) -> Result<u128, PoolError> {
        let out = self.amount_out(direction, amount_in)?;
        let (held_in, held_out) = match direction {
            Direction::ZeroForOne => (&mut self.reserve0, &mut self.reserve1),
            Direction::OneForZero => (&mut self.reserve1, &mut self.reserve0),
        };
        *held_in += amount_in;
        *held_out -= out;
        Ok(out)
    }

    /// Deposits both tokens and gives the shares: the smaller of ⌊aᵢ·shares/rᵢ⌋. What is in excess of the
    /// pool's ratio is given to all shares, as in the contract.
    ///
    /// # Errors
    ///
    /// An empty pool, a deposit of nothing, or a reserve that would not fit.
    pub fn deposit(&mut self, amount0: u128, amount1: u128) -> Result<u128, PoolError> {
        let (reserve0, reserve1) = (
            checked_reserve(self.reserve0.saturating_add(amount0))?,
            checked_reserve(self.reserve1.saturating_add(amount1))?,
        );
        let part = |amount: u128, reserve: u128| {
            product(amount, self.shares).checked_div(U256::new(reserve)).ok_or(PoolError::Nothing)
        };
        let least = part(amount0, self.reserve0)?.min(part(amount1, self.reserve1)?);
        let minted = narrow("the shares of a deposit", least)?;
        let shares = self.shares.checked_add(minted).ok_or(WideError::Overflow("the pool's shares"))?;
        if minted == 0 {
            return Err(PoolError::Nothing);
        }
        *self = PoolV2 { reserve0, reserve1, shares, ..*self };
        Ok(minted)
    }

    /// Burns shares and gives ⌊rᵢ·burnt/shares⌋ of each token.
    ///
    /// # Errors
    ///
    /// More shares than there are, or so few that nothing comes of one token.
    pub fn withdraw(&mut self, burnt: u128) -> Result<(u128, u128), PoolError> {
        let (amount0, amount1) = self.worth(burnt)?;
        if amount0 == 0 || amount1 == 0 {
            return Err(PoolError::Nothing);
        }
        self.reserve0 -= amount0;
        self.reserve1 -= amount1;
        self.shares -= burnt;
        Ok((amount0, amount1))
    }

    /// The tokens behind a number of shares, as a withdrawal would give them.
    ///
    /// # Errors
    ///
    /// More shares than there are.
    pub fn worth(&self, shares: u128) -> Result<(u128, u128), PoolError> {
        if shares > self.shares || self.shares == 0 {
            return Err(PoolError::Liquidity { held: self.shares, asked: shares });
        }
        let part = |reserve| narrow("a withdrawal", product(reserve, shares) / U256::new(self.shares));
        Ok((part(self.reserve0)?, part(self.reserve1)?))
    }
}

fn product(a: u128, b: u128) -> U256 {
    U256::new(a) * U256::new(b)
}

fn checked_reserve(reserve: u128) -> Result<u128, PoolError> {
    if reserve <= RESERVE_MAX { Ok(reserve) } else { Err(PoolError::Reserve(reserve)) }
}

/// What holding both tokens in a pool without fees has lost against holding them outside, when the price
/// is `ratio` times what it was: 2√ratio/(1+ratio) − 1, from 0 down to −1.
///
/// # Errors
///
/// A ratio that is not positive.
pub fn impermanent_loss(ratio: f64) -> Result<f64, BadInput> {
    let ratio = positive("the price ratio", ratio)?;
    Ok(2.0 * libm::sqrt(ratio) / (1.0 + ratio) - 1.0)
}

/// One way through two pools, in smallest units: buy in one, sell in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwoPools {
    /// Put into the first pool …
    pub amount_in: u128,
    /// … which gives this, put into the second …
    pub between: u128,
    /// … which gives this, of the token that went in first.
    pub amount_out: u128,
}

impl TwoPools {
    /// `amount_out − amount_in`, before gas.
    pub fn profit(&self) -> u128 {
        self.amount_out.saturating_sub(self.amount_in)
    }
}

/// The most profitable amount to put through `first` and back through `second`, which hold the same pair
/// in the same order; none where no amount is profitable before gas. With the γ of the pools,
/// `x* = (√(γ₁γ₂·a_in·a_out·b_in·b_out) − a_in·b_in) / (γ₁·b_in + γ₁γ₂·a_out)`, where a profit of
/// A·x/(B + C·x) − x has its maximum; the amounts of that x are exact.
///
/// # Errors
///
/// A pool that refuses the optimum (a reserve that would not fit).
pub fn between_pools(
    first: &PoolV2,
    second: &PoolV2,
    direction: Direction,
) -> Result<Option<TwoPools>, PoolError> {
    let back = match direction {
        Direction::ZeroForOne => Direction::OneForZero,
        Direction::OneForZero => Direction::ZeroForOne,
    };
    let ((a_in, a_out), (b_in, b_out)) = (first.facing(direction), second.facing(back));
    let optimum = two_pool_optimum(
        (a_in as f64, a_out as f64, first.keep()),
        (b_in as f64, b_out as f64, second.keep()),
    );
    // Below one unit nothing can be put in. A float above 2¹²⁸ saturates and the pool refuses it.
    if optimum.is_nan() || optimum < 1.0 {
        return Ok(None);
    }
    let amount_in = optimum as u128;
    let between = match first.amount_out(direction, amount_in) {
        Err(PoolError::Nothing) => return Ok(None),
        other => other?,
    };
    let amount_out = match second.amount_out(back, between) {
        Err(PoolError::Nothing) => return Ok(None),
        other => other?,
    };
    Ok((amount_out > amount_in).then_some(TwoPools { amount_in, between, amount_out }))
}

/// x* of [`between_pools`] as an estimate in any unit; each pool as (reserve in, reserve out, γ).
/// Not above 0 where no amount is profitable.
pub fn two_pool_optimum(a: (f64, f64, f64), b: (f64, f64, f64)) -> f64 {
    let ((a_in, a_out, ga), (b_in, b_out, gb)) = (a, b);
    // As two roots, so that four reserves do not leave the range of floats.
    let root = libm::sqrt(ga * a_in * b_out) * libm::sqrt(gb * a_out * b_in);
    (root - a_in * b_in) / (ga * b_in + ga * gb * a_out)
}

/// A trade between a pool and an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolAndExchange {
    /// Whether the base is bought in the pool and sold on the exchange, or the other way round.
    pub buy_in_pool: bool,
    /// What goes into the pool: quote if `buy_in_pool`, else base.
    pub pool_in: f64,
    /// What the pool gives: base if `buy_in_pool`, else quote.
    pub pool_out: f64,
    /// Profit after the exchange's fee and gas, in quote.
    pub profit: f64,
}

/// The most profitable trade between a pool (reserves of base and quote in whole tokens, γ) and an
/// exchange where the base is bought at `ask` and sold at `bid`, deep enough for the size, at a taker fee
/// (a fraction), with `gas` in quote for the pool's transaction. None where none is profitable.
/// Buying in the pool with x quote earns b·(1−f)·γ·x·base/(quote + γ·x) − x, largest at
/// x = (√(γ·base·b(1−f)·quote) − quote)/γ; selling is its mirror with a cost of a·(1+f) a unit.
///
/// # Errors
///
/// A reserve, price or γ that is not positive, a bid above the ask, a fee or gas below zero.
pub fn between_pool_and_exchange(
    (base, quote, keep): (f64, f64, f64),
    (bid, ask, fee): (f64, f64, f64),
    gas: f64,
) -> Result<Option<PoolAndExchange>, BadInput> {
    let base = positive("the base reserve", base)?;
    let quote = positive("the quote reserve", quote)?;
    let keep = positive("the share kept after the pool's fee", keep)?;
    let (bid, ask) = (positive("the bid", bid)?, positive("the ask", ask)?);
    not_negative("the ask less the bid", ask - bid)?;
    let (fee, gas) = (not_negative("the taker fee", fee)?, not_negative("the gas", gas)?);
    let (got, paid) = (bid * (1.0 - fee), ask * (1.0 + fee));
    let give = |x: f64, held_in: f64, held_out: f64| keep * x * held_out / (held_in + keep * x);
    let buy = (libm::sqrt(keep * base * got.max(0.0) * quote) - quote) / keep;
    let sell = (libm::sqrt(keep * quote * base / paid) - base) / keep;
    // The pool's price is on one side of the exchange's at most, so at most one of them is above 0.
    let trade = if buy > 0.0 {
        let out = give(buy, quote, base);
        PoolAndExchange { buy_in_pool: true, pool_in: buy, pool_out: out, profit: got * out - buy - gas }
    } else if sell > 0.0 {
        let out = give(sell, base, quote);
        PoolAndExchange { buy_in_pool: false, pool_in: sell, pool_out: out, profit: out - paid * sell - gas }
    } else {
        return Ok(None);
    };
    Ok((trade.profit > 0.0).then_some(trade))
}

#[cfg(test)]
mod tests;
