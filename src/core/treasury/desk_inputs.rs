//! What the desk is told at a barrier: how each instrument stands, and how much may be risked. Apart from the desk, because
//! its sizing and its shadow are told the same and know no desk.

use crate::domain::InstrumentId;

/// One instrument as the desk sees it at a barrier.
#[derive(Clone, Copy, Debug)]
pub struct DeskQuote {
    /// The instrument that is quoted.
    pub instrument: InstrumentId,
    /// Its close now.
    pub close: f64,
    /// Close-to-close return of this bar.
    pub change: f64,
    /// Volatility of a bar; NaN while it is not known.
    pub sigma: f64,
    /// Base units traded in this bar.
    pub volume: f64,
}

/// What scales the desk at a barrier.
#[derive(Clone, Copy, Debug)]
pub struct RiskControls {
    /// Marked equity, in currency.
    pub equity: f64,
    /// Multiplies the width of the band, or of the zone.
    pub width: f64,
    /// Multiplies the risk target.
    pub risk_scale: f64,
    /// Multiplies the gross cap.
    pub gross_scale: f64,
    /// True: everything goes to zero (the breaker has tripped).
    pub flatten: bool,
}
