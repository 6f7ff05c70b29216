//! Numbers of one track, from its daily returns. Ratios are of the returns as they were; everything that
//! depends on size is taken at equal volatility: returns × (target ÷ realised volatility).

use super::stats::{DAYS_A_YEAR, deviation, mean, moments, sharpe};
use super::stream::Track;
use crate::hive::goals::NEVER_MONTHS;
use serde::{Deserialize, Serialize};

/// Days of a block whose volatility counts.
const VOL_DAYS: usize = 30;

/// Numbers of a track, or their means over seeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Mean over volatility of daily returns, a year, no risk-free rate.
    pub sharpe: f64,
    /// Mean over downside deviation from zero, a year.
    pub sortino: f64,
    /// Growth a year at equal volatility, compounded.
    pub cagr: f64,
    /// Deepest fall from the highest point at equal volatility.
    pub max_drawdown: f64,
    /// Growth over deepest fall.
    pub calmar: f64,
    /// Mean of the worst twentieth of days at equal volatility, as a positive loss.
    pub cvar95: f64,
    /// Root mean square of the falls at equal volatility (Martin's ulcer index).
    pub ulcer: f64,
    /// Share of days below the highest point.
    pub time_under_water: f64,
    /// Months to +10 % at equal volatility and the mean return; 999 for never.
    pub months_to_10: f64,
    /// Volatility a year as it was.
    pub volatility: f64,
    /// Notional traded a year over equity, at equal volatility.
    pub turnover: f64,
    /// Costs a year at equal volatility, as a fraction of equity.
    pub cost: f64,
    /// Share crossed inside.
    pub crossed: f64,
    /// Share of time not halted.
    pub running: f64,
    /// Standard deviation over mean of the volatility of each 30 days: how unsteady the risk was.
    pub vol_of_vol: f64,
}

/// Equity and the fall from its highest point, day by day, of returns × scale.
pub fn path(daily: &[f64], scale: f64) -> (Vec<f64>, Vec<f64>) {
    let (mut equity, mut peak) = (1.0, 1.0_f64);
    let each = daily.iter().map(|r| {
        equity *= (1.0 + scale * r).max(0.0);
        peak = peak.max(equity);
        (equity, 1.0 - equity / peak)
    });
    each.unzip()
}

/// What brings a track to the target volatility; 0 if it never moved.
pub fn to_target(daily: &[f64], target_vol: f64) -> f64 {
    let (_, volatility) = moments(daily);
    if volatility > 0.0 { target_vol / volatility } else { 0.0 }
}

/// Standard deviation over mean of the volatilities of whole blocks of [`VOL_DAYS`]; those in which nothing was
/// held are left out.
pub fn unsteadiness(daily: &[f64]) -> f64 {
    let each = daily.chunks_exact(VOL_DAYS).map(|d| moments(d).1).filter(|v| *v > 0.0);
    let all: Vec<f64> = each.collect();
    let usual = mean(&all);
    if usual > 0.0 { deviation(&all) / usual } else { 0.0 }
}

impl Metrics {
    /// Of a track.
    pub fn of(track: &Track, target_vol: f64) -> Self {
        let daily = &track.daily;
        let n = daily.len().max(1) as f64;
        let (mean, volatility) = moments(daily);
        let scale = to_target(daily, target_vol);
        let downside =
            libm::sqrt(daily.iter().map(|r| r.min(0.0) * r.min(0.0)).sum::<f64>() / n * DAYS_A_YEAR);
        let (equity, falls) = path(daily, scale);
        let last = equity.last().copied().unwrap_or(1.0);
        let cagr = libm::pow(last, DAYS_A_YEAR / n) - 1.0;
        let max_drawdown = falls.iter().copied().fold(0.0, f64::max);
        let mut sorted: Vec<f64> = daily.iter().map(|r| scale * r).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let tail = (sorted.len() / 20).max(1).min(sorted.len());
        let at_risk = mean * scale;
        Metrics {
            sharpe: sharpe(daily),
            sortino: if downside > 0.0 { mean / downside } else { 0.0 },
            cagr,
            max_drawdown,
            calmar: if max_drawdown > 0.0 { cagr / max_drawdown } else { 0.0 },
            cvar95: (-sorted[..tail].iter().sum::<f64>() / tail.max(1) as f64).max(0.0),
            ulcer: libm::sqrt(falls.iter().map(|f| f * f).sum::<f64>() / n),
            time_under_water: falls.iter().filter(|f| **f > 0.0).count() as f64 / n,
            months_to_10: if at_risk > 0.0 { (1.2 / at_risk).min(NEVER_MONTHS) } else { NEVER_MONTHS },
            volatility,
            turnover: track.turnover * scale,
            cost: track.cost * scale,
            crossed: track.crossed,
            running: track.running,
            vol_of_vol: unsteadiness(daily),
        }
    }

    fn fields(&mut self) -> [&mut f64; 15] {
        let Metrics {
            sharpe,
            sortino,
            cagr,
            max_drawdown,
            calmar,
            cvar95,
            ulcer,
            time_under_water,
            months_to_10,
            volatility,
            turnover,
            cost,
            crossed,
            running,
            vol_of_vol,
        } = self;
        [
            sharpe,
            sortino,
            cagr,
            max_drawdown,
            calmar,
            cvar95,
            ulcer,
            time_under_water,
            months_to_10,
            volatility,
            turnover,
            cost,
            crossed,
            running,
            vol_of_vol,
        ]
    }

    /// Means over seeds. Months to +10 % are those of the mean growth: one seed of "never" would say
    /// nothing in a mean of months.
    pub fn mean(each: &[Metrics], target_vol: f64) -> Self {
        let mut mean = Metrics::default();
        for metrics in each {
            for (sum, x) in mean.fields().into_iter().zip(metrics.clone().fields()) {
                *sum += *x / each.len() as f64;
            }
        }
        let at_risk = mean.sharpe * target_vol;
        mean.months_to_10 = if at_risk > 0.0 { (1.2 / at_risk).min(NEVER_MONTHS) } else { NEVER_MONTHS };
        mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn risk_that_is_the_same_every_month_is_steady() {
        let month = |size: f64| (0..30).map(move |d| if d % 2 == 0 { size } else { -size });
        let steady: Vec<f64> = month(0.01).chain(month(0.01)).collect();
        assert!(unsteadiness(&steady).abs() < 1e-12);
        let of: Vec<f64> = month(0.01).chain(month(0.03)).chain([0.0; 30]).collect();
        // Volatilities as 1 to 3: sd √2 over mean 2.
        assert!((unsteadiness(&of) - libm::sqrt(0.5)).abs() < 1e-12);
    }
    use proptest::prelude::*;

    fn near(a: f64, b: f64) -> bool {
        libm::fabs(a - b) <= 1e-9 * libm::fabs(b).max(1.0)
    }

    fn track(daily: &[f64]) -> Track {
        Track { daily: daily.to_vec(), turnover: 10.0, cost: 0.01, ..Track::default() }
    }

    #[test]
    fn four_days_by_hand() {
        // Mean ½ %, deviations ½ and 1½ %: variance (0.5² + 1.5² + 0.5² + 1.5²)/3 in squared percent.
        let daily = [0.01, -0.01, 0.01, 0.01];
        let mean = 0.005;
        let sd = ((0.25 + 2.25 + 0.25 + 0.25) / 3.0_f64).sqrt() / 100.0;
        let (m, v) = moments(&daily);
        assert!(near(m, mean * 365.25) && near(v, sd * 365.25_f64.sqrt()));
        let k = 0.15 / v;
        let x = Metrics::of(&track(&daily), 0.15);
        assert!(near(x.sharpe, m / v));
        assert!(near(x.sortino, m / (0.0001 / 4.0 * 365.25_f64).sqrt()));
        assert!(near(x.max_drawdown, 0.01 * k));
        let last = (1.0 + 0.01 * k).powi(3) * (1.0 - 0.01 * k);
        assert!(near(x.cagr, last.powf(365.25 / 4.0) - 1.0));
        assert!(near(x.cvar95, 0.01 * k));
        let falls = [0.0, 0.01 * k, 1.0 - (1.0 - 0.01 * k) * (1.0 + 0.01 * k), 0.0];
        assert!(near(x.ulcer, (falls.iter().map(|f| f * f).sum::<f64>() / 4.0).sqrt()));
        assert!(near(x.time_under_water, 0.5));
        assert!(near(x.months_to_10, 1.2 / (m * k)));
        assert!(near(x.turnover, 10.0 * k) && near(x.cost, 0.01 * k));
    }

    #[test]
    fn a_loser_never_gets_there_and_who_never_moved_has_no_numbers() {
        let x = Metrics::of(&track(&[-0.01, 0.005, -0.01, 0.0]), 0.15);
        assert_eq!(x.months_to_10, NEVER_MONTHS);
        let still = Metrics::of(&track(&[0.0; 30]), 0.15);
        assert_eq!((still.sharpe, still.max_drawdown, still.turnover), (0.0, 0.0, 0.0));
        assert_eq!(Metrics::of(&track(&[]), 0.15).sharpe, 0.0);
    }

    #[test]
    fn means_are_over_seeds() {
        let each = [1.0, 3.0].map(|s| Metrics { sharpe: s, cagr: 2.0 * s, ..Metrics::default() });
        let mean = Metrics::mean(&each, 0.15);
        assert!(near(mean.sharpe, 2.0) && near(mean.cagr, 4.0) && near(mean.months_to_10, 4.0));
    }

    proptest! {
        #[test]
        fn what_is_at_equal_volatility_does_not_depend_on_size(
            daily in proptest::collection::vec(-0.05..0.05_f64, 30..200), size in 0.1..10.0_f64,
        ) {
            let larger: Vec<f64> = daily.iter().map(|r| r * size).collect();
            let (a, b) = (Metrics::of(&track(&daily), 0.15), Metrics::of(&track(&larger), 0.15));
            for (x, y) in [(a.sharpe, b.sharpe), (a.cagr, b.cagr), (a.max_drawdown, b.max_drawdown),
                (a.cvar95, b.cvar95), (a.ulcer, b.ulcer)] {
                prop_assert!(libm::fabs(x - y) < 1e-6 * libm::fabs(x).max(1.0));
            }
            prop_assert!((0.0..=1.0).contains(&a.max_drawdown));
        }
    }
}
