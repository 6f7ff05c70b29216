//! European calls and puts: value, greeks, implied volatility, what exercise pays, the fee and the
//! margin of a short.
//!
//! Values are Black (1976) on the forward; Black and Scholes (1973, with Merton's yield) is the same
//! formula with the forward S·e^((r−q)t). An option of one unit of the underlying throughout.
//!
//! Linear options are quoted and settled in the quote currency. Inverse options (Deribit's BTC and ETH)
//! are quoted and settled in the coin: premium V/F, payoff max(S−K, 0)/S.
//!
//! # Invariants
//!
//! 1. Put–call parity: call − put = discount × (forward − strike).
//! 2. discount × intrinsic ≤ value ≤ discount × forward (call) or discount × strike (put), and the value
//!    never falls with volatility.
//! 3. [`implied_vol`] gives back the volatility that made a price, or none where no volatility does.

use super::{BadInput, finite, normal, not_negative, positive};
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
pub struct Terms {
    /// Call or put.
    pub right: Right,
    /// Strike in quote currency; positive.
    pub strike: f64,
    /// Years to expiry, of 365.25 days; 0 at expiry.
    pub years: f64,
}

/// Value and greeks of an option on one unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// Worth now, in quote currency.
    pub value: f64,
    /// Change of value for a change of 1 in the price it was priced on (forward or spot).
    pub delta: f64,
    /// Change of delta for a change of 1 in that price.
    pub gamma: f64,
    /// Change of value for one volatility point (0.01).
    pub vega_per_point: f64,
    /// Change of value over one calendar day, with that price and the volatility unchanged.
    pub theta_per_day: f64,
}

/// Value and greeks of a coin-settled option on one coin, in coins.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoinQuote {
    /// Worth now, in coins: what the venue quotes.
    pub premium: f64,
    /// Black's delta, as the venue shows it: the change of the value in quote currency.
    pub delta: f64,
    /// `delta − premium`: the coins to sell forward so that an account kept in the quote currency does
    /// not feel the index, the premium being a holding of coins itself.
    pub net_delta: f64,
    /// Change of `delta` for a change of 1 in the forward.
    pub gamma: f64,
    /// Change of the premium for one volatility point, in coins.
    pub vega_per_point: f64,
    /// Change of the premium over one calendar day, in coins.
    pub theta_per_day: f64,
}

const DAYS_PER_YEAR: f64 = 365.25;

/// Black's value and greeks on a forward; `discount` is today's price of one unit at expiry (1 where no
/// interest is paid, as on Deribit). Theta keeps the forward unchanged.
///
/// # Errors
///
/// A forward, strike or discount that is not positive, or a time or volatility below zero.
pub fn black(forward: f64, discount: f64, terms: Terms, vol: f64) -> Result<Quote, BadInput> {
    let forward = positive("the forward", forward)?;
    let discount = positive("the discount", discount)?;
    let rate = if terms.years > 0.0 { -libm::log(discount) / terms.years } else { 0.0 };
    price(forward, discount, rate, 0.0, terms, vol)
}

/// Black and Scholes on a spot that yields `carry_yield` (dividend, staking, borrow fee), both rates
/// continuously compounded per year. Delta and gamma are those of the spot.
///
/// # Errors
///
/// A spot or strike that is not positive, a time or volatility below zero, a rate that is not finite.
pub fn black_scholes(
    spot: f64,
    rate: f64,
    carry_yield: f64,
    terms: Terms,
    vol: f64,
) -> Result<Quote, BadInput> {
    let spot = positive("the spot", spot)?;
    let drift = finite("the rate", rate)? - finite("the yield", carry_yield)?;
    let years = not_negative("the time to expiry", terms.years)?;
    let growth = positive("the growth to expiry", libm::exp(drift * years))?;
    let discount = positive("the discount", libm::exp(-rate * years))?;
    let quote = price(spot * growth, discount, rate, drift, terms, vol)?;
    Ok(Quote { delta: quote.delta * growth, gamma: quote.gamma * growth * growth, ..quote })
}

/// The value and greeks with respect to the forward; `drift` is the forward's slope over time, which
/// only theta feels.
fn price(
    forward: f64,
    discount: f64,
    rate: f64,
    drift: f64,
    terms: Terms,
    vol: f64,
) -> Result<Quote, BadInput> {
    let strike = positive("the strike", terms.strike)?;
    let years = not_negative("the time to expiry", terms.years)?;
    let vol = not_negative("the volatility", vol)?;
    let sign = terms.right.sign();
    let deviation = vol * libm::sqrt(years);
    if deviation == 0.0 {
        // Worth what it would pay at the forward; the step in delta lies at the strike.
        let inside = f64::from(u8::from(sign * (forward - strike) > 0.0));
        let delta = discount * sign * inside;
        let value = discount * (sign * (forward - strike)).max(0.0);
        let theta = (rate * value - drift * forward * delta) / DAYS_PER_YEAR;
        return Ok(Quote { value, delta, gamma: 0.0, vega_per_point: 0.0, theta_per_day: theta });
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
    let decay = density * vol / (2.0 * libm::sqrt(years));
    Ok(Quote {
        value,
        delta,
        gamma: density / (forward * forward * deviation),
        vega_per_point: density * libm::sqrt(years) / 100.0,
        theta_per_day: (rate * value - drift * forward * delta - decay) / DAYS_PER_YEAR,
    })
}

/// A coin-settled option on one coin, priced on the forward of the same expiry as Deribit does: no
/// interest, premium V/F.
///
/// # Errors
///
/// A forward or strike that is not positive, a time or volatility below zero.
pub fn inverse(forward: f64, terms: Terms, vol: f64) -> Result<CoinQuote, BadInput> {
    let quote = black(forward, 1.0, terms, vol)?;
    let premium = quote.value / forward;
    Ok(CoinQuote {
        premium,
        delta: quote.delta,
        net_delta: quote.delta - premium,
        gamma: quote.gamma,
        vega_per_point: quote.vega_per_point / forward,
        theta_per_day: quote.theta_per_day / forward,
    })
}

/// The volatility per year at which [`black`] gives this price in quote currency. For a coin-settled
/// option hand in premium × forward and a discount of 1.
///
/// None where no volatility gives the price: at or below the discounted intrinsic value, at or above the
/// discounted forward (call) or strike (put), or with no time left.
///
/// # Errors
///
/// A forward, strike or discount that is not positive, a time below zero, a price that is not finite.
pub fn implied_vol(forward: f64, discount: f64, terms: Terms, price: f64) -> Result<Option<f64>, BadInput> {
    let forward = positive("the forward", forward)?;
    let discount = positive("the discount", discount)?;
    let strike = positive("the strike", terms.strike)?;
    let years = not_negative("the time to expiry", terms.years)?;
    let undiscounted = finite("the option price", price)? / discount;
    let intrinsic = (terms.right.sign() * (forward - strike)).max(0.0);
    // The time value is the price of the option out of the money, whichever right it gives; it tends to
    // the smaller of forward and strike as volatility grows.
    let target = undiscounted - intrinsic;
    if years == 0.0 || target <= 0.0 || target >= forward.min(strike) {
        return Ok(None);
    }
    let otm = Terms { right: if forward > strike { Right::Put } else { Right::Call }, strike, years: 1.0 };
    let value = |deviation: f64| black(forward, 1.0, otm, deviation).map(|q| (q.value, q.vega_per_point));
    let (mut low, mut high) = (0.0, 1.0);
    while value(high)?.0 < target {
        low = high;
        high *= 2.0;
        if high > 64.0 {
            return Ok(None);
        }
    }
    // Newton on the logarithm of the value, which is close to straight even where the value is tiny,
    // kept inside a bracket that shrinks in any case.
    let mut deviation = 0.5 * (low + high);
    for _ in 0..200 {
        let (now, vega) = value(deviation)?;
        if now < target {
            low = deviation;
        } else {
            high = deviation;
        }
        let newton = deviation + libm::log(target / now) * now / (100.0 * vega);
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        let moved = libm::fabs(next - deviation);
        deviation = next;
        if moved <= 1e-15 * deviation || high - low <= 1e-15 * high {
            break;
        }
    }
    Ok(Some(deviation / libm::sqrt(years)))
}

/// What exercise pays per unit, in quote currency, at a settlement price; never negative.
pub fn payoff(right: Right, strike: f64, settlement: f64) -> f64 {
    (right.sign() * (settlement - strike)).max(0.0)
}

/// What exercise of a coin-settled option pays per coin, in coins; never negative. The settlement is
/// positive.
pub fn inverse_payoff(right: Right, strike: f64, settlement: f64) -> f64 {
    payoff(right, strike, settlement) / settlement
}

/// The fee for one unit: a share of the underlying, but never more than a share of the premium
/// (Deribit: 0.0003 and 0.125; Binance: 0.0003 and 0.10). In the currency of the arguments.
pub fn capped_fee(underlying: f64, premium: f64, rate: f64, premium_cap: f64) -> f64 {
    (rate * underlying).min(premium_cap * libm::fabs(premium))
}

/// Margin that one short option binds, in the currency of `underlying` and `mark`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShortMargin {
    /// To open.
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
