//! Funding of perpetuals: the premium, the rates that venues make of it, and the payment.
//!
//! Recorded funding is applied as published, at its stamps; the formulas are for markets that have no
//! record, the embedded one among them.
//!
//! # Invariants
//!
//! 1. A payment is zero-sum: what longs pay, shorts get, to the last digit.
//! 2. A premium inside a venue's dead band leaves the venue's interest (Binance) or nothing (Deribit).
//!
//! Rates are fractions of notional for the interval they name; positive is paid by longs.

use super::{BadInput, exact_product, finite, positive};
use crate::domain::money::AmountError;
use crate::domain::{Decimal, Money, Span};

/// Half the dead band of the clamped formula: 0.05 %.
pub const CLAMP: f64 = 0.0005;
/// The usual interest of a perp against a dollar: 0.01 % in 8 hours.
pub const INTEREST_PER_8H: f64 = 0.0001;
/// Half of Deribit's dead band: 0.025 % in 8 hours.
pub const DERIBIT_BAND: f64 = 0.00025;

/// The premium of a perp over its index by impact prices (those of a market order of the venue's impact
/// notional): [max(0, bid − index) − max(0, index − ask)] / index.
///
/// # Errors
///
/// A price that is not positive.
pub fn premium(impact_bid: f64, impact_ask: f64, index: f64) -> Result<f64, BadInput> {
    let index = positive("the index", index)?;
    let above = (positive("the impact bid", impact_bid)? - index).max(0.0);
    let below = (index - positive("the impact ask", impact_ask)?).max(0.0);
    Ok((above - below) / index)
}

/// The rate of one interval as Binance, Bybit and Hyperliquid make it of the mean premium P:
/// P + clamp(interest − P, ±0.05 %), within ±`cap`.
///
/// Hyperliquid computes it for 8 hours and charges an eighth of it every hour.
///
/// # Errors
///
/// A number that is not finite, or a cap that is not positive.
pub fn clamped_rate(mean_premium: f64, interest: f64, cap: f64) -> Result<f64, BadInput> {
    let p = finite("the mean premium", mean_premium)?;
    let i = finite("the interest", interest)?;
    let cap = positive("the funding cap", cap)?;
    Ok((p + (i - p).clamp(-CLAMP, CLAMP)).clamp(-cap, cap))
}

/// Deribit's rate for 8 hours of the premium p = (mark − index)/index:
/// max(0.025 %, p) + min(−0.025 %, p), which is 0 inside the band.
///
/// # Errors
///
/// A price that is not positive.
pub fn deribit_rate_8h(mark: f64, index: f64) -> Result<f64, BadInput> {
    let index = positive("the index", index)?;
    let p = (positive("the mark", mark)? - index) / index;
    Ok(p.max(DERIBIT_BAND) + p.min(-DERIBIT_BAND))
}

/// The part of an 8-hour rate that accrues over `span`, where funding is charged continuously.
pub fn accrued(rate_8h: f64, span: Span) -> f64 {
    rate_8h * span.in_units_of(Span(Span::HOUR.0 * 8))
}

/// What a holder of a linear perp gets at a settlement, exactly: −quantity · mark · rate, in quote
/// currency; negative is paid. `quantity` in base units, short is negative.
///
/// # Errors
///
/// A result that has more digits than a decimal; nothing is rounded here.
pub fn payment(quantity: Decimal, mark: Decimal, rate: Decimal) -> Result<Money, AmountError> {
    Ok(-exact_product(exact_product(quantity, mark)?, rate)?)
}

/// What a holder of an inverse perp gets, in coins, as an estimate: −size/mark · rate. `size` in quote
/// units, short is negative.
///
/// # Errors
///
/// A mark that is not positive, a size or rate that is not finite.
pub fn inverse_payment(size: f64, mark: f64, rate: f64) -> Result<f64, BadInput> {
    Ok(-finite("the size", size)? / positive("the mark", mark)? * finite("the funding rate", rate)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_premium_counts_only_what_lies_beyond_the_index() {
        assert_eq!(premium(99.0, 101.0, 100.0), Ok(0.0));
        assert_eq!(premium(101.0, 102.0, 100.0), Ok(0.01));
        assert_eq!(premium(97.0, 98.0, 100.0), Ok(-0.02));
        assert!(premium(97.0, 98.0, 0.0).is_err());
    }

    #[test]
    fn inside_the_dead_band_the_rate_is_the_interest() {
        let rate = |p| clamped_rate(p, INTEREST_PER_8H, 0.02).unwrap();
        for p in [-0.0004, 0.0, 0.0003, 0.0006] {
            assert!((rate(p) - INTEREST_PER_8H).abs() < 1e-18, "{p}");
        }
        assert!((rate(0.002) - 0.0015).abs() < 1e-15 && (rate(-0.002) + 0.0015).abs() < 1e-15);
        assert_eq!((rate(0.9), rate(-0.9)), (0.02, -0.02));
    }

    #[test]
    fn deribit_charges_beyond_its_band_and_by_the_millisecond() {
        assert_eq!(deribit_rate_8h(100.02, 100.0), Ok(0.0));
        assert!((deribit_rate_8h(101.0, 100.0).unwrap() - 0.009_75).abs() < 1e-12);
        assert!((deribit_rate_8h(99.0, 100.0).unwrap() + 0.009_75).abs() < 1e-12);
        assert_eq!(accrued(0.008, Span::HOUR), 0.001);
        assert_eq!(inverse_payment(-1_000.0, 50_000.0, 0.001), Ok(0.000_02));
    }

    #[test]
    fn the_payment_is_exact() {
        let d = Decimal::new;
        assert_eq!(payment(d(15, 1), d(4_325_025, 2), d(-38_167, 8)).unwrap(), d(2_476_098_437_625, 11));
        assert_eq!(payment(Decimal::MAX, d(2, 0), d(1, 0)), Err(AmountError::Overflow));
        let long = payment(d(1, 10), d(1, 10), d(1, 10));
        assert_eq!(long, Err(AmountError::Overflow), "thirty digits are not rounded away");
    }

    proptest! {
        #[test]
        fn over_both_sides_it_sums_to_zero(q in any::<i32>(), mark in 1_i64..1_000_000_000, rate in any::<i16>()) {
            let (q, mark, rate) = (Decimal::new(q.into(), 3), Decimal::new(mark, 2), Decimal::new(rate.into(), 7));
            let (long, short) = (payment(q, mark, rate).unwrap(), payment(-q, mark, rate).unwrap());
            prop_assert!((long + short).is_zero());
        }

        #[test]
        fn rates_rise_with_the_premium(p in -0.05_f64..0.05, more in 0.0_f64..0.01) {
            let clamped = |p| clamped_rate(p, INTEREST_PER_8H, 0.03).unwrap();
            prop_assert!(clamped(p + more) >= clamped(p) - 1e-15);
            let deribit = |p: f64| deribit_rate_8h(100.0 * (1.0 + p), 100.0).unwrap();
            prop_assert!(deribit(p + more) >= deribit(p) - 1e-12);
        }
    }
}
