//! What instruments are worth and what they settle for: the pure arithmetic behind options, MOVE
//! contracts, dated futures, pools and spreads. One file, one thing:
//!
//! | file | what it answers |
//! |---|---|
//! | [`normal`] | the normal distribution, Φ and φ |
//! | [`twap`] | the time-weighted mean of an index over a window, which settles options and MOVE contracts |
//! | [`option`] | value, greeks and margin of European options |
//! | [`surface`] | a volatility surface that is free of arbitrage by construction |
//! | [`move_contract`] | the value of a MOVE contract in each of its four phases |
//! | [`future`] | fair value and basis of dated futures |
//! | [`pool`] | what arbitrage between a constant-product pool and an exchange takes |
//! | [`spread`] | the largest profitable size through two or three books, after fees |
//!
//! # Invariants
//!
//! 1. A function of its arguments: nothing here keeps a market, reads a clock or draws a number. What
//!    has state ([`twap::Twap`]) is a value that its owner keeps, serialises and hashes.
//! 2. All here are estimates, `f64` (law 6): what is owed is the ledger's to say.
//! 3. An argument that means nothing (a price that is not positive, a NaN) is an error that names it,
//!    never a NaN handed on.
//!
//! # Time and rates
//!
//! Volatility is per year of [`Span::YEAR`](crate::domain::Span::YEAR), 365.25 days. A futures basis is
//! quoted on 365 days as the venues print it ([`future`]).
//!
//! This room never decides: what is mispriced and worth a trade is the family's to say.

pub mod future;
pub mod move_contract;
pub mod normal;
pub mod option;
pub mod pool;
pub mod spread;
pub mod surface;
pub mod twap;

/// An argument that means nothing to a formula.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{what} is {value}, but must be {must}")]
pub struct BadInput {
    /// Name of the argument.
    pub what: &'static str,
    /// What it was.
    pub value: f64,
    /// What it should have been.
    pub must: &'static str,
}

/// `value`, if it is finite and above zero.
pub(crate) fn positive(what: &'static str, value: f64) -> Result<f64, BadInput> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(BadInput { what, value, must: "finite and above 0" })
    }
}

/// `value`, if it is finite and not below zero.
pub(crate) fn not_negative(what: &'static str, value: f64) -> Result<f64, BadInput> {
    if value.is_finite() && value >= 0.0 {
        Ok(value)
    } else {
        Err(BadInput { what, value, must: "finite and not below 0" })
    }
}

/// `value`, if it is finite.
pub(crate) fn finite(what: &'static str, value: f64) -> Result<f64, BadInput> {
    if value.is_finite() { Ok(value) } else { Err(BadInput { what, value, must: "finite" }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_nothing_is_named() {
        assert_eq!(positive("the index", 2.0), Ok(2.0));
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(positive("the index", bad).is_err());
        }
        assert!(not_negative("x", 0.0).is_ok() && not_negative("x", -1e-300).is_err());
        assert!(finite("x", -3.0).is_ok() && finite("x", f64::NAN).is_err());
        let said = positive("the index", -1.0).unwrap_err().to_string();
        assert_eq!(said, "the index is -1, but must be finite and above 0");
    }
}
