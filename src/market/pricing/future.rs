//! Dated futures: time to expiry, fair value and annualised basis.
//!
//! A basis is quoted as simple interest on 365 days, as venues and traders print it:
//! basis = (future/spot − 1) · 365 days / time left. (Volatility elsewhere is on 365.25 days; the two
//! are never mixed, since a basis is money per calendar time and not a variance.)
//!
//! # Invariants
//!
//! 1. [`fair_value`] and [`annualised_basis`] undo each other, and at expiry the fair value is the spot.

use super::{BadInput, finite, not_negative, positive};
use crate::domain::{Span, Stamp};

/// The year of a basis.
pub const BASIS_YEAR: Span = Span(Span::DAY.0 * 365);

/// Years of 365 days from `now` to `expiry`; 0 from expiry on.
pub fn years_to_expiry(now: Stamp, expiry: Stamp) -> f64 {
    Span(expiry.0.saturating_sub(now.0).max(0)).in_units_of(BASIS_YEAR)
}

/// The price of a future at an annualised basis: spot · (1 + basis · years).
///
/// # Errors
///
/// A spot that is not positive, a time below zero, or a basis so low that the price would not be positive.
pub fn fair_value(spot: f64, basis: f64, years: f64) -> Result<f64, BadInput> {
    let spot = positive("the spot", spot)?;
    let years = not_negative("the time to expiry", years)?;
    positive("the fair value", spot * (1.0 + finite("the basis", basis)? * years))
}

/// The annualised basis of a future; none at expiry, where any gap would be infinite.
///
/// # Errors
///
/// A price that is not positive, or a time below zero.
pub fn annualised_basis(spot: f64, future: f64, years: f64) -> Result<Option<f64>, BadInput> {
    let spot = positive("the spot", spot)?;
    let future = positive("the future", future)?;
    let years = not_negative("the time to expiry", years)?;
    Ok((years > 0.0).then(|| (future / spot - 1.0) / years))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(n: i64) -> Stamp {
        Stamp(n * Span::DAY.0)
    }

    #[test]
    fn a_quarter_at_ten_percent() {
        let years = years_to_expiry(day(0), day(73));
        assert_eq!(years, 0.2);
        assert!((fair_value(100_000.0, 0.10, years).unwrap() - 102_000.0).abs() < 1e-9);
        let basis = annualised_basis(100_000.0, 102_000.0, years).unwrap().unwrap();
        assert!((basis - 0.10).abs() < 1e-12);
    }

    #[test]
    fn at_expiry_there_is_no_basis_and_the_future_is_the_spot() {
        assert_eq!(years_to_expiry(day(9), day(8)), 0.0);
        assert_eq!(annualised_basis(100.0, 101.0, 0.0), Ok(None));
        assert_eq!(fair_value(100.0, 5.0, 0.0), Ok(100.0));
        assert_eq!(fair_value(100.0, -5.0, 0.5).unwrap_err().what, "the fair value");
    }

    #[test]
    fn what_means_nothing_is_refused_by_name() {
        assert_eq!(annualised_basis(0.0, 1.0, 1.0).unwrap_err().what, "the spot");
        assert_eq!(annualised_basis(1.0, f64::NAN, 1.0).unwrap_err().what, "the future");
        assert_eq!(annualised_basis(1.0, 1.0, -1.0).unwrap_err().what, "the time to expiry");
        assert_eq!(fair_value(1.0, f64::INFINITY, 1.0).unwrap_err().what, "the basis");
    }

    proptest! {
        #[test]
        fn basis_and_fair_value_undo_each_other(
            spot in 0.01_f64..1e6, basis in -0.5_f64..2.0, years in 0.001_f64..1.5,
        ) {
            let future = fair_value(spot, basis, years).unwrap();
            let back = annualised_basis(spot, future, years).unwrap().unwrap();
            prop_assert!((back - basis).abs() < 1e-11 / years);
        }

        #[test]
        fn of_two_futures_at_the_same_gap_the_sooner_has_the_larger_basis(
            spot in 1.0_f64..1e6, gap in 0.001_f64..0.2, years in 0.01_f64..1.0, later in 1.01_f64..5.0,
        ) {
            let at = |years: f64| annualised_basis(spot, spot * (1.0 + gap), years).unwrap().unwrap();
            prop_assert!(at(years) > at(years * later));
            prop_assert!((at(years) / at(years * later) - later).abs() < 1e-9 * later);
        }
    }
}
