//! European calls and puts: value, greeks and the margin of a short.
//!
//! Values are Black (1976) on the forward. An option of one unit of the underlying throughout, quoted and
//! settled in the quote currency.
//!
//! # Invariants
//!
//! 1. Put–call parity: call − put = discount × (forward − strike).
//! 2. discount × intrinsic ≤ value ≤ discount × forward (call) or discount × strike (put), and the value
//!    never falls with volatility.

use super::{BadInput, normal, not_negative, positive};
use serde::{Deserialize, Serialize};

/// The right an option gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Right {
    /// To buy at the strike.
    Call,
    /// To sell at the strike.
    Put,
}

impl Right {
    /// +1 for a call, −1 for a put.
    pub fn sign(self) -> f64 {
        match self {
            Right::Call => 1.0,
            Right::Put => -1.0,
        }
    }
}

/// What an option is for: the right, the strike and the time it has left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptionTerms {
    /// Call or put.
    pub right: Right,
    /// Strike in quote currency; positive.
    pub strike: f64,
    /// Years to expiry, of 365.25 days; 0 at expiry.
    pub years: f64,
}

/// Value and greeks of an option on one unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptionQuote {
    /// Worth now, in quote currency.
    pub value: f64,
    /// Change of value for a change of 1 in the forward.
    pub delta: f64,
    /// Change of delta for a change of 1 in the forward.
    pub gamma: f64,
    /// Change of value for one volatility point (0.01).
    pub vega_per_point: f64,
}

/// Black's value and greeks on a forward; `discount` is today's price of one unit at expiry (1 where no
/// interest is paid, as on Deribit).
///
/// # Errors
///
/// A forward, strike or discount that is not positive, or a time or volatility below zero.
pub fn black(forward: f64, discount: f64, terms: OptionTerms, vol: f64) -> Result<OptionQuote, BadInput> {
    let forward = positive("the forward", forward)?;
    let discount = positive("the discount", discount)?;
    let strike = positive("the strike", terms.strike)?;
    let years = not_negative("the time to expiry", terms.years)?;
    let vol = not_negative("the volatility", vol)?;
    let sign = terms.right.sign();
    let deviation = vol * libm::sqrt(years);
    if deviation == 0.0 {
        // Worth what it would pay at the forward; the step in delta lies at the strike.
        let inside = f64::from(u8::from(sign * (forward - strike) > 0.0));
        let value = discount * (sign * (forward - strike)).max(0.0);
        return Ok(OptionQuote { value, delta: discount * sign * inside, gamma: 0.0, vega_per_point: 0.0 });
    }
    let d1 = (libm::log(forward / strike) + 0.5 * deviation * deviation) / deviation;
    let d2 = d1 - deviation;
    let delta = discount * sign * normal::cdf(sign * d1);
    // Out of the money both terms are of the size of the value; in the money the intrinsic value is
    // exact and only the time value is computed, so that parity holds to the last bits.
    let out = if sign * (forward - strike) > 0.0 { -sign } else { sign };
    let time_value = out * (forward * normal::cdf(out * d1) - strike * normal::cdf(out * d2));
    let value = discount * ((sign * (forward - strike)).max(0.0) + time_value.max(0.0));
    let density = discount * forward * normal::pdf(d1);
    Ok(OptionQuote {
        value,
        delta,
        gamma: density / (forward * forward * deviation),
        vega_per_point: density * libm::sqrt(years) / 100.0,
    })
}

/// Margin that one short option binds, in the currency of `underlying` and `mark`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShortMargin {
    /// Asked for to open the position.
    pub initial: f64,
    /// To keep; below it the position is liquidated.
    pub maintenance: f64,
}

/// Deribit's standard margin of one short option, in quote currency:
/// initial = max(15 % − out-of-the-money share, 10 %) of the underlying + mark, maintenance = 7.5 % of the
/// underlying + mark; a put's maintenance takes 7.5 % of the larger of underlying and mark, and its
/// initial margin is at least that. Divide by the underlying for coins.
///
/// Source: the venue's formula as quoted by the documentation of third parties (`TSLab`; Aevo's is of the
/// same shape); to be checked against the venue before real money. A long option binds its premium only.
///
/// # Errors
///
/// An underlying or strike that is not positive, or a mark below zero.
pub fn short_margin(right: Right, strike: f64, underlying: f64, mark: f64) -> Result<ShortMargin, BadInput> {
    let strike = positive("the strike", strike)?;
    let underlying = positive("the underlying", underlying)?;
    let mark = not_negative("the mark price of the option", mark)?;
    let out_of_the_money = (right.sign() * (strike - underlying)).max(0.0);
    let initial = (0.15 * underlying - out_of_the_money).max(0.10 * underlying) + mark;
    Ok(match right {
        Right::Call => ShortMargin { initial, maintenance: 0.075 * underlying + mark },
        Right::Put => {
            let maintenance = 0.075 * underlying.max(mark) + mark;
            ShortMargin { initial: initial.max(maintenance), maintenance }
        }
    })
}

#[cfg(test)]
mod tests;
