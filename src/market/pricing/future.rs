//! Dated futures: time to expiry, fair value, annualised basis, what a cash-and-carry earns after its
//! costs, what a roll costs, and settlement.
//!
//! A basis is quoted as simple interest on 365 days, as venues and traders print it:
//! basis = (future/spot − 1) · 365 days / time left. (Volatility in the house is on 365.25 days; the two
//! are never mixed, since a basis is money per calendar time and not a variance.)
//!
//! # Invariants
//!
//! 1. [`fair_value`] and [`annualised_basis`] undo each other, and at expiry the fair value is the spot.
//! 2. Carry after costs never exceeds carry before costs.
//! 3. A settlement is zero-sum: what the long gets the short pays.
//!
//! Fees are fractions of notional per side; where a fee is a rebate it is negative.

use super::{BadInput, exact_product, finite, not_negative, positive};
use crate::domain::money::AmountError;
use crate::domain::{Decimal, Money, Span, Stamp};
use serde::{Deserialize, Serialize};

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

/// Which way a carry is put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CarrySide {
    /// Buy spot, sell the future: earns a future above the spot.
    CashAndCarry,
    /// Sell borrowed spot, buy the future: earns a future below the spot, pays the borrow.
    Reverse,
}

/// What a carry costs, from opening both legs to settlement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CarryCosts {
    /// Fee and half-spread of one spot trade, as a fraction of its notional; paid at open and at close.
    pub spot_trade: f64,
    /// Fee and half-spread of opening the future, as a fraction.
    pub future_trade: f64,
    /// Fee of the future's settlement (Deribit 0.00025), as a fraction.
    pub settlement: f64,
    /// Interest per year on what is bound (the spot bought and the margin), or on the spot borrowed.
    pub financing_per_year: f64,
}

/// What a carry held to expiry earns, as fractions of the spot's notional at open.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Carry {
    /// The basis locked in.
    pub gross: f64,
    /// All costs over the time left.
    pub costs: f64,
    /// `gross − costs`.
    pub net: f64,
    /// `net` per year of 365 days.
    pub net_per_year: f64,
}

/// A carry after costs; none at expiry.
///
/// # Errors
///
/// A price that is not positive, a time below zero, or a cost that is not finite.
pub fn carry(
    side: CarrySide,
    spot: f64,
    future: f64,
    years: f64,
    costs: &CarryCosts,
) -> Result<Option<Carry>, BadInput> {
    let Some(basis) = annualised_basis(spot, future, years)? else { return Ok(None) };
    let gross = match side {
        CarrySide::CashAndCarry => basis * years,
        CarrySide::Reverse => -basis * years,
    };
    let trades = 2.0 * finite("the spot fee", costs.spot_trade)?
        + finite("the future's fee", costs.future_trade)?
        + finite("the settlement fee", costs.settlement)?;
    let costs = trades + finite("the financing rate", costs.financing_per_year)? * years;
    let net = gross - costs;
    Ok(Some(Carry { gross, costs, net, net_per_year: net / years }))
}

/// The numbers of a roll from a near future into a far one, for whoever is short the future of a
/// cash-and-carry.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roll {
    /// Far less near, as a fraction of the near: what the roll locks in for the time between them.
    pub spread: f64,
    /// The spread per year of 365 days between the two expiries: the forward basis.
    pub forward_basis: f64,
    /// The same after closing one future and opening the other.
    pub net_forward_basis: f64,
    /// Whether `net_forward_basis` is above the hurdle: then rolling pays more than unwinding.
    pub pays: bool,
}

/// Weighs a roll at the prices at which it can be done (buy the near at its ask, sell the far at its
/// bid); `cost_per_trade` is the fee of each of the two trades, as a fraction, `hurdle` the least basis
/// per year worth holding for.
///
/// # Errors
///
/// A price that is not positive, a far expiry that is not after the near, a cost that is not finite.
pub fn roll(
    near: f64,
    near_expiry: Stamp,
    far: f64,
    far_expiry: Stamp,
    cost_per_trade: f64,
    hurdle: f64,
) -> Result<Roll, BadInput> {
    let spread = positive("the far future", far)? / positive("the near future", near)? - 1.0;
    let years = positive("the time between the expiries", years_to_expiry(near_expiry, far_expiry))?;
    let net = spread - 2.0 * finite("the cost of a trade", cost_per_trade)?;
    let net_forward_basis = net / years;
    Ok(Roll { spread, forward_basis: spread / years, net_forward_basis, pays: net_forward_basis > hurdle })
}

/// What a linear future owes its holder at settlement: quantity · (settlement − entry), exactly.
/// `quantity` in base units, short is negative.
///
/// # Errors
///
/// A result that has more digits than a decimal; nothing is rounded here.
pub fn settle_linear(quantity: Decimal, entry: Decimal, settlement: Decimal) -> Result<Money, AmountError> {
    let gain = settlement.checked_sub(entry).ok_or(AmountError::Overflow)?;
    if gain.scale() < settlement.scale().max(entry.scale()) {
        return Err(AmountError::Overflow);
    }
    exact_product(gain, quantity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COSTS: CarryCosts =
        CarryCosts { spot_trade: 0.001, future_trade: 0.0005, settlement: 0.00025, financing_per_year: 0.04 };

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
        let c = carry(CarrySide::CashAndCarry, 100_000.0, 102_000.0, years, &COSTS).unwrap().unwrap();
        // 2 % less two spot trades, one future trade, settlement and a fifth of a year's financing.
        assert!((c.gross - 0.02).abs() < 1e-12 && (c.costs - 0.010_75).abs() < 1e-12);
        assert!((c.net_per_year - 0.046_25).abs() < 1e-10);
        let r = carry(CarrySide::Reverse, 100_000.0, 102_000.0, years, &COSTS).unwrap().unwrap();
        assert!((r.net + 0.030_75).abs() < 1e-12);
    }

    #[test]
    fn at_expiry_there_is_no_basis_and_the_future_is_the_spot() {
        assert_eq!(years_to_expiry(day(9), day(8)), 0.0);
        assert_eq!(annualised_basis(100.0, 101.0, 0.0), Ok(None));
        assert_eq!(fair_value(100.0, 5.0, 0.0), Ok(100.0));
        assert_eq!(carry(CarrySide::CashAndCarry, 100.0, 101.0, 0.0, &COSTS), Ok(None));
        assert_eq!(fair_value(100.0, -5.0, 0.5).unwrap_err().what, "the fair value");
    }

    #[test]
    fn a_roll_pays_when_the_forward_basis_clears_cost_and_hurdle() {
        let at = |far, hurdle| roll(100.0, day(30), far, day(103), 0.0005, hurdle).unwrap();
        let r = at(102.0, 0.09);
        assert!((r.forward_basis - 0.10).abs() < 1e-9 && (r.net_forward_basis - 0.095).abs() < 1e-9);
        assert!(r.pays && !at(102.0, 0.096).pays && !at(99.0, 0.0).pays);
        let backwards = roll(100.0, day(103), 102.0, day(30), 0.0, 0.0);
        assert_eq!(backwards.unwrap_err().what, "the time between the expiries");
    }

    #[test]
    fn settlement_is_exact() {
        let d = |m, s| Decimal::new(m, s);
        assert_eq!(settle_linear(d(15, 1), d(100_003, 1), d(9_900, 0)), Ok(d(-15_045, 2)));
        assert_eq!(settle_linear(Decimal::MAX, d(1, 0), d(3, 0)), Err(AmountError::Overflow));
    }

    proptest! {
        #[test]
        fn basis_and_fair_value_undo_each_other(
            spot in 0.01_f64..1e6, basis in -0.5_f64..2.0, years in 0.001_f64..1.5,
        ) {
            let future = fair_value(spot, basis, years).unwrap();
            let back = annualised_basis(spot, future, years).unwrap().unwrap();
            prop_assert!((back - basis).abs() < 1e-11 / years);
            let c = carry(CarrySide::CashAndCarry, spot, future, years, &COSTS).unwrap().unwrap();
            prop_assert!(c.net < c.gross);
        }

        #[test]
        fn settlement_is_zero_sum(q in -1_000_000_i64..1_000_000, e in 1_i64..10_000_000, s in 1_i64..10_000_000) {
            let (q, e, s) = (Decimal::new(q, 3), Decimal::new(e, 2), Decimal::new(s, 2));
            let (long, short) = (settle_linear(q, e, s).unwrap(), settle_linear(-q, e, s).unwrap());
            prop_assert!((long + short).is_zero());
        }
    }
}
