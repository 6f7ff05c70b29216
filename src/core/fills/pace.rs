//! How a position follows its target: how fast, and when a difference is worth a trade. One implementation
//! for the desk, its shadows, the simulated lives and the lab's accounts.
//!
//! ```text
//! aim += η (x − aim)                                            η = 1: at once
//! band   |target − held| > β·max(|target|, |held|)  →  go to target, else stay
//! zone   held < target − Δ → target − Δ;  held > target + Δ → target + Δ;  else stay
//!        Δ³ = 1.5·c·s² / (γ·σ²·m)
//! a target of zero is gone to at once
//! ```
//!
//! The zone is the no-trade region of a mean-variance investor with proportional costs (the cube root of
//! the cost is Rogers 2004, Martin and Schöneborn 2011), in numbers that are known at the bar:
//!
//! | | unit |
//! |---|---|
//! | Δ | fraction of equity, on each side of the target |
//! | c | cost of trading a side, as a fraction of the notional |
//! | s² | mean squared change of the target in a bar, in fractions of equity squared |
//! | σ | volatility of the price in a bar |
//! | γ | risk aversion: 1 over the target volatility per year, as one with a Sharpe ratio of 1 has |
//! | m | 1 + ½(n − 1) for n assets held beside each other, since their deviations are correlated |

use crate::market::indicators::Weighted;
use serde::{Deserialize, Serialize};

/// The one-bar risk of a unit of intent, as a fraction of capital.
pub const UNIT_RISK: f64 = 0.01;

/// Most a unit may be, in multiples of capital: for assets that hardly move.
pub const UNIT_MAX: f64 = 5.0;

/// The notional, as a multiple of capital, that risks [`UNIT_RISK`] in a bar of this volatility.
pub fn unit(sigma: f64) -> f64 {
    (UNIT_RISK / sigma).min(UNIT_MAX)
}
/// Aims below this fraction of capital are none: nobody trades a trillionth.
pub const FLAT: f64 = 1e-12;

/// Which differences are worth a trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trades {
    /// Those larger than a fraction of the position; then all of it.
    #[default]
    Band,
    /// Those larger than what cost, volatility and the target's own movement say; then to the zone's edge.
    Zone,
}

impl Trades {
    /// The words of the file, in the order of the variants.
    pub const WORDS: &'static [&'static str] = &["band", "zone"];

    /// The name that `agents.toml` has for it.
    pub fn word(self) -> &'static str {
        match self {
            Trades::Band => "band",
            Trades::Zone => "zone",
        }
    }

    /// Finds by word.
    pub fn parse(word: &str) -> Option<Self> {
        [Trades::Band, Trades::Zone].into_iter().find(|t| t.word() == word)
    }
}

/// How far a position may be from its target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Width {
    /// β: a fraction of the larger of the two.
    Band(f64),
    /// Δ, in the unit of the position.
    Zone(f64),
}

impl Width {
    /// Where a position should go: `held` where it is near enough.
    pub fn goal(self, target: f64, held: f64) -> f64 {
        if target == 0.0 {
            return 0.0;
        }
        match self {
            Width::Band(band) => {
                let most = libm::fabs(target).max(libm::fabs(held));
                if libm::fabs(target - held) > band * most { target } else { held }
            }
            Width::Zone(width) => held.max(target - width).min(target + width),
        }
    }
}

/// The half-width Δ of a no-trade zone, as a fraction of equity; see the module. `moved` is s², `live` is n.
pub fn zone_width(cost: f64, moved: f64, gamma: f64, sigma: f64, live: usize) -> f64 {
    let m = 1.0 + 0.5 * (live.max(1) - 1) as f64;
    let cubed = 1.5 * cost * moved / (gamma * sigma * sigma * m);
    if cubed.is_finite() && cubed > 0.0 { libm::cbrt(cubed) } else { 0.0 }
}

impl Width {
    /// The same for positions counted in other units: a zone is so many times as wide.
    #[must_use]
    pub fn scaled(self, by: f64) -> Self {
        match self {
            Width::Band(band) => Width::Band(band),
            Width::Zone(width) => Width::Zone(by * width),
        }
    }
}

/// How much a target moves from bar to bar: s² of the zone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moves {
    last: f64,
    squares: Weighted,
}

impl Moves {
    /// Nothing was aimed at yet; with the memory of an exponential mean of so many bars.
    pub fn new(span_bars: f64) -> Self {
        Moves { last: 0.0, squares: Weighted::new(span_bars) }
    }

    /// The target of a bar. What was flat and stays flat is no news.
    pub fn push(&mut self, target: f64) {
        let change = target - std::mem::replace(&mut self.last, target);
        if change != 0.0 || self.squares.seen() > 0 {
            self.squares.push(change * change);
        }
    }

    /// s², in squares of the target's unit; 0 before it moved.
    pub fn mean_square(&self) -> f64 {
        if self.squares.seen() > 0 { self.squares.mean() } else { 0.0 }
    }
}

/// What the width of a zone is made of beside the target's own movement; see the module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zone {
    /// c: cost of trading a side, as a fraction of the notional.
    pub cost: f64,
    /// γ: risk aversion.
    pub gamma: f64,
    /// σ of a bar.
    pub sigma: f64,
    /// n: assets held beside each other.
    pub live: usize,
}

impl Zone {
    /// Of a simulated life on one asset: an agent of this weight has no risk target of its own, so the risk it
    /// means to carry is that of one unit.
    pub fn of_life(cost: f64, sigma: f64, live: usize, weight: f64, bars_per_year: f64) -> Self {
        let gamma = 1.0 / (weight * UNIT_RISK * libm::sqrt(bars_per_year));
        Zone { cost, gamma, sigma, live }
    }

    /// Δ, half the width of the zone, in the target's unit: a position as near as that is left alone.
    pub fn width(&self, moves: &Moves) -> f64 {
        zone_width(self.cost, moves.mean_square(), self.gamma, self.sigma, self.live)
    }
}

/// How a position follows its target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PositionPace {
    /// η: the share of the way to its target an aim goes in a bar.
    pub patience: f64,
    /// How far from the target the position may stay.
    pub width: Width,
    /// Whether the instrument can be held short; where not, a short aim holds nothing.
    pub shorts: bool,
}

impl PositionPace {
    /// The part of an aim that can be held.
    pub fn owned(self, aim: f64) -> f64 {
        if self.shorts { aim } else { aim.max(0.0) }
    }

    /// One step of an aim toward x.
    pub fn step(self, aim: f64, x: f64) -> f64 {
        // At once means exactly there: no rounding of aim + (x − aim).
        let next = if self.patience >= 1.0 { x } else { aim + self.patience * (x - aim) };
        if libm::fabs(next) < FLAT { 0.0 } else { next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_goes_all_the_way_or_not_at_all() {
        let band = Width::Band(0.2);
        assert_eq!(band.goal(1.0, 0.81), 0.81);
        assert_eq!(band.goal(1.0, 0.79), 1.0);
        assert_eq!(band.goal(-1.0, 0.5), -1.0);
        assert_eq!(band.goal(0.0, 0.001), 0.0);
        assert_eq!(Width::Band(0.0).goal(1.0, 1.0 + 1e-9), 1.0);
    }

    #[test]
    fn a_zone_goes_to_its_edge_and_flat_at_once() {
        let zone = Width::Zone(0.3);
        assert_eq!(zone.goal(1.0, 0.5), 0.7);
        assert_eq!(zone.goal(1.0, 0.8), 0.8);
        assert_eq!(zone.goal(-1.0, 0.8), -0.7);
        assert_eq!(zone.goal(0.0, 0.1), 0.0);
        assert_eq!(Width::Zone(0.0).goal(1.0, 0.4), 1.0);
    }

    #[test]
    fn a_zone_by_hand() {
        // 7 bp, a target that moves by 0.1 of equity, 1 % a bar, aversion 1/0.15, three assets: m = 2.
        let width = zone_width(0.0007, 0.01, 1.0 / 0.15, 0.01, 3);
        let cubed = 1.5 * 0.0007 * 0.01 * 0.15 / (1e-4 * 2.0);
        assert!((width * width * width - cubed).abs() < 1e-15);
        for bad in [0.0, f64::NAN] {
            assert_eq!(zone_width(bad, 0.01, 6.7, 0.01, 1), 0.0);
            assert_eq!(zone_width(0.0007, bad, 6.7, 0.01, 1), 0.0);
        }
        assert_eq!(zone_width(0.0007, 0.01, 6.7, 0.0, 1), 0.0);
    }
}
