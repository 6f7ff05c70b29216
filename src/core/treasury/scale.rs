//! The desk's sizing for a stream of returns that no desk has sized: agents in accounts of their own, a
//! portfolio that is only held.
//!
//! ```text
//! k = min(kmax, target volatility / ewσ of the stream)      nothing until 60 bars are known
//! ```

use super::settings::DeskSettings;
use super::sizing::KNOWN_BARS;
use crate::domain::Span;
use crate::market::indicators::Weighted;
use serde::{Deserialize, Serialize};

/// What is remembered of a stream of returns, to scale it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    volatility: Weighted,
    bars_per_year: f64,
    target: f64,
    most: f64,
}

impl Scale {
    /// By the desk's settings.
    pub fn new(desk: &DeskSettings, clock: Span) -> Self {
        let bars_per_year = clock.per_year();
        Scale {
            volatility: Weighted::new(desk.vol_span_days * bars_per_year / 365.25),
            bars_per_year,
            target: desk.target_vol,
            most: desk.risk_multiple_max,
        }
    }

    /// k for the coming bar.
    pub fn multiple(&self) -> f64 {
        let yearly = libm::sqrt(self.volatility.mean() * self.bars_per_year);
        let known = self.volatility.seen() >= KNOWN_BARS && yearly > 0.0;
        if known { (self.target / yearly).min(self.most) } else { 0.0 }
    }

    /// A bar's return before it is sized, as a fraction, is known.
    pub fn push(&mut self, r: f64) {
        if self.volatility.seen() > 0 || r != 0.0 {
            self.volatility.push(r * r);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_knows_only_the_bars_before() {
        let desk = DeskSettings { vol_span_days: 1e9, ..DeskSettings::default() };
        let mut scale = Scale::new(&desk, Span::DAY);
        for _ in 0..59 {
            scale.push(0.01);
        }
        assert_eq!(scale.multiple(), 0.0);
        scale.push(0.01);
        let wanted = 0.15 / (0.01 * 365.25_f64.sqrt());
        assert!((scale.multiple() - wanted).abs() < 1e-9);
    }
}
