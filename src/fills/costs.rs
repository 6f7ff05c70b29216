//! What trading costs at fill level B, in fractions of notional.

use crate::domain::InstrumentKind;
use serde::{Deserialize, Serialize};

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

/// The cost model of a run: one for alone, sim and paper.
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
    /// Taker fee.
    pub taker: PerKind,
    /// Maker fee.
    pub maker: PerKind,
    /// Half of the bid-ask spread, at least one tick for orders that go to a venue.
    pub half_spread: PerKind,
    /// k in the impact k·σ·√(quantity/volume) (square-root law; Almgren et al. 2005).
    pub impact: f64,
    /// Largest share of a bar's volume one order may take.
    pub participation: f64,
    /// Yearly rate paid on the notional of a short on margin.
    pub borrow: f64,
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
        }
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
