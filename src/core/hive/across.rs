//! Hearing across assets: what all voices say of every asset is known to whoever hears one of them, and part of it is taken
//! off what is heard there. What is left is what the voices say of this asset and not of all.
//!
//! ```text
//! z[a] = C[a] / unit[a]                     what is heard on an asset, in units of its risk
//! z̄    = mean of z over the assets heard
//! heard on a:  unit[a]·(z[a] − (1−θ)·z̄)     θ = 1 takes nothing off, θ = 0 all that is common
//! equal risk:  θ = R_r / R_c                R the standard deviation of a bar's PnL of the book of what is left,
//!                                           Σ (z−z̄)·unit, and of the common one, Σ z̄·unit, both decided before the bar
//! ```
//!
//! # Invariants
//!
//! 1. With θ = 1, with one asset, and until both books have been followed for [`KNOWN_BARS`] bars at equal risk, what is heard
//!    is the consensus to the last bit.
//! 2. Nothing is fitted, and a bar is never known to what is decided before it.
//! 3. It hears the consensus, and so the words of alone lives only.

use crate::fills::pace::FLAT;
use crate::market::indicators::Weighted;
use serde::{Deserialize, Serialize};

/// Days of the exponential weights that the risks of both books are measured with.
const SPAN_DAYS: f64 = 30.0;
/// Bars for which both books must have been followed.
pub const KNOWN_BARS: u32 = 60;
/// Most that θ may be: beyond it the books are too unlike to be compared.
pub const THETA_MAX: f64 = 4.0;

/// How much of what is common to all assets is left in what is heard on one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum AcrossAssets {
    /// Each asset is heard by itself.
    #[default]
    Off,
    /// As much as gives the common book the risk of the other.
    EqualRisk,
    /// This part of it, θ.
    Fixed(f64),
}

impl AcrossAssets {
    /// The words of the file, beside a number.
    pub const WORDS: &'static [&'static str] = &["off", "equal-risk"];

    /// How the file says it.
    pub fn word(self) -> String {
        match self {
            AcrossAssets::Off => "off".to_owned(),
            AcrossAssets::EqualRisk => "equal-risk".to_owned(),
            AcrossAssets::Fixed(theta) => theta.to_string(),
        }
    }

    /// Reads a word or a number.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "off" => Some(AcrossAssets::Off),
            "equal-risk" => Some(AcrossAssets::EqualRisk),
            number => number.parse().ok().map(AcrossAssets::Fixed),
        }
    }
}

/// An asset at a barrier, as it is heard by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeardAlone {
    /// Number of the asset.
    pub asset: usize,
    /// C, a signed fraction of capital.
    pub consensus: f64,
    /// One unit of risk, as a fraction of capital.
    pub unit: f64,
    /// Its last price.
    pub close: f64,
}

impl HeardAlone {
    /// z, in units of risk.
    pub fn stance(&self) -> f64 {
        self.consensus / self.unit
    }
}

/// What both books hold of an asset since the last barrier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct BothBooks {
    /// What is common, in units of risk.
    view: f64,
    /// What the book of it holds, as a fraction of capital.
    common: f64,
    /// What the book of what is left holds.
    left: f64,
    /// At which price.
    close: f64,
}

/// What all say of every asset, and how much of it is taken off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommonView {
    rule: AcrossAssets,
    /// z̄, in units of risk.
    common: f64,
    /// θ of the last barrier.
    theta: f64,
    /// By asset; nothing of one that is not heard.
    held: Vec<Option<BothBooks>>,
    /// Squared PnL in a bar, of the common book and of what is left.
    risks: [Weighted; 2],
}

impl CommonView {
    /// Before anything was heard; none where each asset is heard by itself.
    pub fn new(rule: AcrossAssets, assets: usize, bars_per_year: f64) -> Option<Self> {
        let memory = Weighted::new(SPAN_DAYS * bars_per_year / 365.25);
        let view =
            CommonView { rule, common: 0.0, theta: 1.0, held: vec![None; assets], risks: [memory, memory] };
        (rule != AcrossAssets::Off).then_some(view)
    }

    /// A barrier: what both books made of the bar becomes known, and what is common is heard anew. `closes` are the last
    /// prices by asset, `heard` the assets that are heard now.
    pub fn hear(&mut self, closes: impl Iterator<Item = f64>, heard: &[HeardAlone]) {
        let common = mean_stance(heard);
        self.hear_as(closes, heard, |_| common);
    }

    /// The same with what is to be taken for common on each asset, in units of risk: a control of the lab hears wrong.
    pub fn hear_as(
        &mut self,
        closes: impl Iterator<Item = f64>,
        heard: &[HeardAlone],
        view: impl Fn(usize) -> f64,
    ) {
        let (mut common, mut left) = (0.0, 0.0);
        for (held, close) in self.held.iter_mut().zip(closes) {
            if let Some(h) = held.take() {
                let r = close / h.close - 1.0;
                let r = if r.is_finite() { r } else { 0.0 };
                common += h.common * r;
                left += h.left * r;
            }
        }
        for (risk, pnl) in self.risks.iter_mut().zip([common, left]) {
            if risk.seen() > 0 || pnl != 0.0 {
                risk.push(pnl * pnl);
            }
        }
        self.common = mean_stance(heard);
        self.theta = match self.rule {
            AcrossAssets::Off => 1.0,
            AcrossAssets::Fixed(theta) => theta,
            AcrossAssets::EqualRisk => self.equal_risk().unwrap_or(1.0),
        };
        for h in heard {
            let view = view(h.asset);
            let (common, left) = (view * h.unit, (h.stance() - view) * h.unit);
            if let Some(held) = self.held.get_mut(h.asset) {
                *held = Some(BothBooks { view, common, left, close: h.close });
            }
        }
    }

    fn equal_risk(&self) -> Option<f64> {
        let [common, left] = &self.risks;
        let known = self.risks.iter().all(|r| r.seen() >= KNOWN_BARS) && common.mean() > FLAT * FLAT;
        known.then(|| libm::sqrt(left.mean() / common.mean()).min(THETA_MAX))
    }

    /// What is taken off what is heard on an asset with this unit of risk, a signed fraction of capital; nothing of one that
    /// was not heard at the last barrier.
    pub fn taken(&self, asset: usize, unit: f64) -> f64 {
        let view = self.held.get(asset).copied().flatten().map_or(0.0, |h| h.view);
        if self.theta == 1.0 { 0.0 } else { (1.0 - self.theta) * view * unit }
    }

    /// z̄, in units of risk, and θ.
    pub fn last(&self) -> (f64, f64) {
        (self.common, self.theta)
    }
}

/// z̄: what is said of all assets, in units of risk. One asset is all there is to hear, and nothing is said of others.
pub fn mean_stance(heard: &[HeardAlone]) -> f64 {
    if heard.len() > 1 { heard.iter().map(HeardAlone::stance).sum::<f64>() / heard.len() as f64 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(asset: usize, consensus: f64, unit: f64, close: f64) -> HeardAlone {
        HeardAlone { asset, consensus, unit, close }
    }

    #[test]
    fn by_hand_the_mean_over_assets_in_units_of_risk_is_taken_off() {
        let mut view = CommonView::new(AcrossAssets::Fixed(0.25), 3, 2_190.0).unwrap();
        // z is 2, 1 and 0: the mean is 1.
        let now = [heard(0, 0.4, 0.2, 10.0), heard(1, 0.5, 0.5, 20.0), heard(2, 0.0, 1.0, 5.0)];
        view.hear([10.0, 20.0, 5.0].into_iter(), &now);
        assert_eq!(view.last(), (1.0, 0.25));
        let taken = [0, 1, 2].map(|a| view.taken(a, now[a].unit));
        assert!(taken.iter().zip([0.15, 0.375, 0.75]).all(|(x, y)| (x - y).abs() < 1e-12), "{taken:?}");
        // One that stopped being heard keeps what is heard there.
        view.hear([10.0, 20.0, 5.0].into_iter(), &now[..2]);
        assert_eq!((view.last().0, view.taken(2, 1.0)), (1.5, 0.0));
    }

    #[test]
    fn one_asset_and_a_theta_of_one_take_nothing_off() {
        let mut one = CommonView::new(AcrossAssets::Fixed(0.0), 2, 2_190.0).unwrap();
        one.hear([10.0, 0.0].into_iter(), &[heard(0, 0.4, 0.2, 10.0)]);
        assert_eq!(one.taken(0, 0.2), 0.0);
        let mut whole = CommonView::new(AcrossAssets::Fixed(1.0), 2, 2_190.0).unwrap();
        whole.hear([10.0, 5.0].into_iter(), &[heard(0, 0.4, 0.2, 10.0), heard(1, 0.4, 0.2, 5.0)]);
        assert_eq!((whole.last().0, whole.taken(0, 0.2)), (2.0, 0.0));
        assert_eq!(CommonView::new(AcrossAssets::Off, 2, 2_190.0), None);
    }

    #[test]
    fn at_equal_risk_theta_is_the_ratio_of_what_both_books_risked_and_is_one_until_it_is_known() {
        let mut view = CommonView::new(AcrossAssets::EqualRisk, 2, 1e9).unwrap();
        // z is 3 and 1: common 2 and 2, left 1 and −1. Prices move by ±1 % on the first, not on the second.
        let mut price = 100.0;
        for bar in 0..=KNOWN_BARS {
            assert_eq!(view.last().1, 1.0, "bar {bar}");
            assert_eq!(view.taken(0, 1.0), 0.0);
            price *= if bar % 2 == 0 { 1.01 } else { 1.0 / 1.01 };
            view.hear([price, 50.0].into_iter(), &[heard(0, 3.0, 1.0, price), heard(1, 1.0, 1.0, 50.0)]);
        }
        let (common, theta) = view.last();
        assert_eq!(common, 2.0);
        assert!((theta - 0.5).abs() < 1e-9, "{theta}");
        assert!((view.taken(0, 1.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for rule in [AcrossAssets::Off, AcrossAssets::EqualRisk, AcrossAssets::Fixed(0.5)] {
            assert_eq!(AcrossAssets::parse(&rule.word()), Some(rule));
        }
        assert_eq!(AcrossAssets::parse("some"), None);
    }
}
