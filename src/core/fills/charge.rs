//! Fees by what is traded, in quote currency. The rates are those of the venue ([`super::Tariff`]); for
//! contracts that end, the defaults are the base tiers of Deribit, in whose terms they are listed (its fee
//! page of 2024; delivery in `MOVE` as of a future).
//!
//! | what | trade | at expiry |
//! |---|---|---|
//! | spot, margin, perp | the venue's rates, or the instrument's own where it names them ([`ContractTerms::Rates`]) | – |
//! | future, MOVE | the venue's perp rates | 0.025 % of the settlement |
//! | option | 0.03 % of the underlying, at most 12.5 % of the premium | 0.015 % of the underlying, at most 12.5 % of what it pays |
//! | pool | in the price, and gas | – |
//!
//! [`super::Costs::Flat`] charges its rate on every notional and nothing at expiry.

use super::{Costs, rate};
use crate::domain::{ContractTerms, InstrumentKind};

/// Fee of `quantity` (absolute) at `price`, both sides alike. `underlying` matters to options alone.
pub fn trade(
    costs: &Costs,
    (kind, terms): (InstrumentKind, &ContractTerms),
    quantity: f64,
    price: f64,
    underlying: f64,
    maker: bool,
) -> f64 {
    match kind {
        InstrumentKind::Pool => 0.0,
        InstrumentKind::Option => match costs {
            Costs::Bars(b) => quantity * (b.option.rate * underlying).min(b.option.cap * price),
            Costs::Flat(rate) => quantity * price * rate,
        },
        _ => quantity * price * rate(costs, kind, terms, maker),
    }
}

/// Fee of settling `quantity` (absolute) that pays `payoff` each, at this price of the underlying.
pub fn settlement(costs: &Costs, kind: InstrumentKind, quantity: f64, payoff: f64, underlying: f64) -> f64 {
    let Costs::Bars(b) = costs else { return 0.0 };
    quantity
        * match kind {
            InstrumentKind::Option => (b.option.exercise * underlying).min(b.option.cap * payoff),
            InstrumentKind::Future | InstrumentKind::Move => b.delivery * payoff,
            _ => 0.0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_pays_on_its_underlying_up_to_a_share_of_its_premium() {
        let fee = |price| {
            trade(
                &Costs::default(),
                (InstrumentKind::Option, &ContractTerms::Plain),
                2.0,
                price,
                100_000.0,
                false,
            )
        };
        assert!((fee(2_000.0) - 60.0).abs() < 1e-9);
        assert!((fee(40.0) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn a_venue_with_its_own_fees_charges_those_and_a_flat_charge_takes_no_notice() {
        let terms = ContractTerms::Rates { taker_ppm: 450, maker_ppm: -50 };
        let fee = |costs, maker| trade(&costs, (InstrumentKind::Perp, &terms), 2.0, 1_000.0, 1_000.0, maker);
        assert!((fee(Costs::default(), false) - 0.9).abs() < 1e-12);
        assert!((fee(Costs::default(), true) + 0.1).abs() < 1e-12);
        assert!((fee(Costs::Flat(0.001), true) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn what_expires_worthless_costs_nothing() {
        let fee = |payoff| settlement(&Costs::default(), InstrumentKind::Option, 1.0, payoff, 100_000.0);
        assert_eq!(fee(0.0), 0.0);
        assert!((fee(500.0) - 15.0).abs() < 1e-9);
    }

    #[test]
    fn a_venue_charges_what_it_says_and_others_what_all_do() {
        use crate::domain::{Decimal, Instrument, InstrumentId};
        use crate::fills::{BarCosts, Tariff};
        let own = BarCosts { delivery: 0.001, ..BarCosts::default() };
        let own = BarCosts { option: crate::fills::OptionFees { rate: 0.0001, ..own.option }, ..own };
        let tariff = Tariff { base: Costs::default(), venues: [("a".to_owned(), Costs::Bars(own))].into() };
        let at = |venue: &str, kind| Instrument {
            id: InstrumentId(0),
            asset: crate::domain::AssetId(0),
            symbol: "X".to_owned(),
            kind,
            venue: venue.to_owned(),
            quote: None,
            terms: crate::domain::ContractTerms::Plain,
            tick: Decimal::ONE.into(),
            lot: Decimal::ONE,
            min_notional: Decimal::ZERO,
            contract: Decimal::ONE,
        };
        let option = |venue: &str| {
            let i = at(venue, InstrumentKind::Option);
            trade(tariff.of(&i), (i.kind, &i.terms), 1.0, 2_000.0, 100_000.0, false)
        };
        assert!((option("a") - 10.0).abs() < 1e-9 && (option("b") - 30.0).abs() < 1e-9);
        let delivered = |venue: &str| {
            let i = at(venue, InstrumentKind::Future);
            settlement(tariff.of(&i), i.kind, 2.0, 100.0, 100.0)
        };
        assert!((delivered("a") - 0.2).abs() < 1e-12 && (delivered("") - 0.05).abs() < 1e-12);
        assert_eq!(tariff.to_string(), format!("{}, its own at a", Costs::default()));
    }
}
