//! What trading costs at fill level B, in fractions of notional.

use crate::domain::{Instrument, InstrumentKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Share of the underlying that an option's trade costs, at most [`OPTION_CAP`] of its premium; as all of
/// these, where no venue says otherwise.
pub const OPTION_RATE: f64 = 0.0003;
/// Most of a premium, or of a payoff, that a fee takes.
pub const OPTION_CAP: f64 = 0.125;
/// Of the underlying, at an option's exercise.
pub const EXERCISE_RATE: f64 = 0.000_15;
/// Fee at the settlement of a future, as a fraction of notional.
pub const DELIVERY_RATE: f64 = 0.000_25;

/// One number for spot and margin, one for perps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerKind {
    /// Spot and margin; pools have a fee of their own on top of none.
    pub spot: f64,
    /// Perps and what else is held on margin.
    pub perp: f64,
}

impl PerKind {
    /// The number for this kind of instrument.
    pub fn of(&self, kind: InstrumentKind) -> f64 {
        match kind {
            InstrumentKind::Spot | InstrumentKind::Margin | InstrumentKind::Pool => self.spot,
            InstrumentKind::Perp | InstrumentKind::Future | InstrumentKind::Option | InstrumentKind::Move => {
                self.perp
            }
        }
    }
}

/// The cost model of a run: one for alone, open and paper.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Costs {
    /// A flat charge a side and nothing else: no spread, impact, participation limit, funding or
    /// borrow. For comparison with measurements made that way.
    Flat(f64),
    /// Fill level B.
    Bars(BarCosts),
}

/// Costs and limits of fill level B. Defaults are the base tiers of large exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BarCosts {
    /// Fee of orders that take, as a fraction of notional.
    pub taker: PerKind,
    /// Fee of orders that rest, as a fraction of notional; negative is paid to them.
    pub maker: PerKind,
    /// Half of the bid-ask spread, at least one tick for orders that go to a venue.
    pub half_spread: PerKind,
    /// k in the impact k·σ·√(quantity/volume) (square-root law; Almgren et al. 2005).
    pub impact: f64,
    /// Largest share of a bar's volume one order may take.
    pub participation: f64,
    /// Yearly rate paid on the notional of a short on margin.
    pub borrow: f64,
    /// Fees of options.
    pub option: OptionFees,
    /// Fee of a dated future or MOVE contract at its settlement, of what it settles at.
    pub delivery: f64,
    /// Coins that are bought pay their fee in themselves, as most spot venues do; else, and for all that is
    /// sold or held on margin, it is paid in the currency of the price.
    pub fee_in_coins: bool,
}

/// Fees of options: a share of the underlying, but at most a share of the premium or payoff.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptionFees {
    /// Fee of a trade, as a fraction of the underlying.
    pub rate: f64,
    /// Fee of the exercise, as a fraction of the underlying.
    pub exercise: f64,
    /// Most of the premium, or of the payoff.
    pub cap: f64,
}

impl Default for BarCosts {
    fn default() -> Self {
        BarCosts {
            taker: PerKind { spot: 0.0010, perp: 0.0005 },
            maker: PerKind { spot: 0.0010, perp: 0.0002 },
            half_spread: PerKind { spot: 0.0002, perp: 0.0001 },
            impact: 0.5,
            participation: 0.05,
            borrow: 0.10,
            option: OptionFees::default(),
            delivery: DELIVERY_RATE,
            fee_in_coins: true,
        }
    }
}

impl Default for OptionFees {
    fn default() -> Self {
        OptionFees { rate: OPTION_RATE, exercise: EXERCISE_RATE, cap: OPTION_CAP }
    }
}

impl Costs {
    /// Whether coins that are bought pay their fee in themselves.
    pub fn in_coins(&self) -> bool {
        match self {
            Costs::Flat(_) => true,
            Costs::Bars(b) => b.fee_in_coins,
        }
    }

    /// Share of the settlement of a future or MOVE contract.
    pub fn delivery(&self) -> f64 {
        match self {
            Costs::Flat(_) => 0.0,
            Costs::Bars(b) => b.delivery,
        }
    }
}

/// What trading costs, venue by venue: the same everywhere but where a venue has costs of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tariff {
    /// Costs at every venue that has none of its own.
    pub base: Costs,
    /// By venue, as instruments name it. Empty where [`Tariff::base`] is flat.
    pub venues: BTreeMap<String, Costs>,
}

impl Tariff {
    /// What trading this costs.
    pub fn of(&self, instrument: &Instrument) -> &Costs {
        if self.venues.is_empty() {
            return &self.base;
        }
        self.venues.get(&instrument.venue).unwrap_or(&self.base)
    }

    /// Whether it is a flat charge.
    pub fn is_flat(&self) -> bool {
        matches!(self.base, Costs::Flat(_))
    }
}

impl From<Costs> for Tariff {
    fn from(base: Costs) -> Self {
        Tariff { base, venues: BTreeMap::new() }
    }
}

impl std::fmt::Display for Tariff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.base)?;
        let names: Vec<&str> = self.venues.keys().map(String::as_str).collect();
        if names.is_empty() { Ok(()) } else { write!(f, ", its own at {}", names.join(" ")) }
    }
}

impl Default for Costs {
    fn default() -> Self {
        Costs::Bars(BarCosts::default())
    }
}

impl std::fmt::Display for Costs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Costs::Flat(c) => write!(f, "flat {} bp a side, no spread, impact, funding or borrow", c * 1e4),
            Costs::Bars(_) => {
                f.write_str("B (bars: next open, half-spread, impact, participation, funding and borrow)")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_on_margin_pays_the_contracts_rate_and_what_is_owned_the_coins() {
        let rates = PerKind { spot: 1.0, perp: 2.0 };
        for kind in InstrumentKind::ALL {
            let owned = kind.is_owned();
            assert_eq!(rates.of(kind), if owned { 1.0 } else { 2.0 }, "{kind}");
        }
    }

    #[test]
    fn a_flat_charge_knows_nothing_but_itself() {
        let (flat, bars) = (Costs::Flat(0.0007), Costs::default());
        assert_eq!((flat.delivery(), flat.in_coins()), (0.0, true));
        assert_eq!((bars.delivery(), bars.in_coins()), (DELIVERY_RATE, true));
        let money = Costs::Bars(BarCosts { fee_in_coins: false, ..BarCosts::default() });
        assert!(!money.in_coins());
    }

    #[test]
    fn a_tariff_says_which_venues_have_costs_of_their_own() {
        let mut tariff = Tariff::from(Costs::default());
        let plain = tariff.to_string();
        assert!(plain.starts_with("B (") && !tariff.is_flat());
        for venue in ["kraken", "binance"] {
            tariff.venues.insert(venue.to_owned(), Costs::default());
        }
        assert_eq!(tariff.to_string(), format!("{plain}, its own at binance kraken"));
        let flat = Tariff::from(Costs::Flat(0.0007));
        assert!(flat.is_flat() && flat.to_string().starts_with("flat 7 bp a side"), "{flat}");
    }
}
