//! Numbers of one track, from its daily returns. Ratios are of the returns as they were; everything that
//! depends on size is taken at equal volatility: returns × (target ÷ realised volatility).
//!
//! # What is not told
//!
//! Nothing at all, neither a ratio nor anything at equal volatility, is told of a track
//!
//! - of fewer than [`DAYS_MIN`] days,
//! - without spread: a volatility per year of [`SPREAD_MIN`] or less,
//! - whose equity went to nothing, or
//! - on which trading was halted for more than a hundredth of the time ([`RUNNING_MIN`]): the days after a halt
//!   are flat, and flat days flatter.
//!
//! It is empty then (`None`, `null` in JSON, `–` in tables), never 0 and never infinite. A mean over seeds is
//! empty if any seed's number is: to leave out those that were stopped would flatter those that went on.

use super::stats::{DAYS_A_YEAR, deviation, mean, moments};
use super::stream::ArmTrack;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Days of a block whose volatility counts.
const VOL_DAYS: usize = 30;
/// Fewest days of a track of which anything is told.
pub const DAYS_MIN: usize = 60;
/// Share of barriers at which trading must not have been halted.
pub const RUNNING_MIN: f64 = 0.99;
/// A volatility per year up to this is rounding, not risk.
pub const SPREAD_MIN: f64 = 1e-9;
/// The gain that is waited for.
const GAIN: f64 = 0.10;
/// Mean days of a month.
pub const DAYS_A_MONTH: f64 = DAYS_A_YEAR / 12.0;

/// Why nothing is told of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untold {
    /// Fewer than [`DAYS_MIN`] days.
    Short,
    /// Its returns have no spread: no risk was taken.
    Still,
    /// Its equity went to nothing.
    Ruined,
    /// Trading was halted for too long.
    Halted,
}

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Untold::Short => "there are fewer than 60 days",
            Untold::Still => "no risk was taken",
            Untold::Ruined => "its equity went to nothing",
            Untold::Halted => "trading was halted for more than 1 % of the time",
        })
    }
}

/// Whether anything can be told of a track; if not, why.
pub fn check(track: &ArmTrack) -> Result<(), Untold> {
    told_of(&track.daily, track.running)
}

/// The same of daily returns and the share of time that was not halted.
pub fn told_of(daily: &[f64], running: f64) -> Result<(), Untold> {
    if daily.iter().any(|r| *r <= -1.0 || !r.is_finite()) {
        Err(Untold::Ruined)
    } else if running < RUNNING_MIN {
        Err(Untold::Halted)
    } else if daily.len() < DAYS_MIN {
        Err(Untold::Short)
    } else if moments(daily).1 <= SPREAD_MIN {
        Err(Untold::Still)
    } else {
        Ok(())
    }
}

/// The Sharpe ratio per year of a track, if anything can be told of it.
pub fn sharpe(track: &ArmTrack) -> Option<f64> {
    check(track).ok().map(|()| super::stats::sharpe(&track.daily))
}

/// Months to a gain at the mean return: a number, or the text `never`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Months {
    /// This many months, a fraction among them.
    In(f64),
    /// The mean return is not above zero.
    Never(Never),
}

/// The text that stands for months that never come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Never {
    /// The only word.
    #[serde(rename = "never")]
    Never,
}

impl Months {
    /// To +10 % with this Sharpe ratio at this volatility per year.
    pub fn to_gain(sharpe: f64, target_vol: f64) -> Self {
        let months = 12.0 * GAIN / (sharpe * target_vol);
        if sharpe > 0.0 && months.is_finite() { Months::In(months) } else { Months::Never(Never::Never) }
    }

    /// The number; infinity for never, to be compared with and never to be shown.
    pub fn or_infinite(self) -> f64 {
        match self {
            Months::In(months) => months,
            Months::Never(_) => f64::INFINITY,
        }
    }
}

/// Numbers of a track, or their means over seeds. What is empty is not told: see the module.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Mean over volatility of daily returns, per year, no risk-free rate.
    pub sharpe: Option<f64>,
    /// Mean over downside deviation from zero, per year; empty without a day below zero.
    pub sortino: Option<f64>,
    /// BM: growth per year at equal volatility, compounded.
    pub cagr: Option<f64>,
    /// LR: deepest fall from the highest point at equal volatility, a fraction.
    pub max_drawdown: Option<f64>,
    /// Growth over deepest fall; empty without a fall.
    pub calmar: Option<f64>,
    /// LR: mean of the worst twentieth of days at equal volatility, as a positive loss per day.
    pub cvar95: Option<f64>,
    /// Root mean square of the falls at equal volatility (Martin's ulcer index).
    pub ulcer: Option<f64>,
    /// F: share of days below the highest point at equal volatility.
    pub time_under_water: Option<f64>,
    /// F: longest run of such days, in months.
    pub longest_under_water: Option<f64>,
    /// F: months to +10 % at equal volatility and the mean return, or `never`.
    pub months_to_10: Option<Months>,
    /// Volatility per year as it was.
    pub volatility: f64,
    /// A: fills per year, see [`ArmTrack::orders`](super::stream::ArmTrack::orders).
    pub orders: f64,
    /// A: notional traded per year over equity, at equal volatility.
    pub turnover: Option<f64>,
    /// Costs per year at equal volatility, as a fraction of equity.
    pub cost: Option<f64>,
    /// Share crossed inside.
    pub crossed: f64,
    /// Share of time not halted.
    pub running: f64,
    /// Standard deviation over mean of the volatility of each 30 days: how unsteady the risk was.
    pub vol_of_vol: Option<f64>,
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
    if volatility > SPREAD_MIN { target_vol / volatility } else { 0.0 }
}

/// Standard deviation over mean of the volatilities of whole blocks of `VOL_DAYS` days; those in which nothing was
/// held are left out, and with fewer than two there is none.
pub fn unsteadiness(daily: &[f64]) -> Option<f64> {
    let each = daily.chunks_exact(VOL_DAYS).map(|d| moments(d).1).filter(|v| *v > SPREAD_MIN);
    let all: Vec<f64> = each.collect();
    (all.len() > 1).then(|| deviation(&all) / mean(&all))
}

/// The longest run of falls, in days.
fn longest(falls: &[f64]) -> usize {
    let run = |(best, now): (usize, usize), fall: &f64| {
        let now = if *fall > 0.0 { now + 1 } else { 0 };
        (best.max(now), now)
    };
    falls.iter().fold((0, 0), run).0
}

/// Mean of the worst twentieth of returns × scale (of one at least), as a positive loss.
fn tail_loss(daily: &[f64], scale: f64) -> f64 {
    let mut returns: Vec<f64> = daily.iter().map(|r| scale * r).collect();
    let tail = tail_days(returns.len()).min(returns.len());
    if tail < returns.len() {
        returns.select_nth_unstable_by(tail, f64::total_cmp);
    }
    returns[..tail].sort_unstable_by(f64::total_cmp);
    (-returns[..tail].iter().sum::<f64>() / tail.max(1) as f64).max(0.0)
}

/// The worst twentieth of so many days, one at least.
pub fn tail_days(days: usize) -> usize {
    (days / 20).max(1)
}

impl Metrics {
    /// Measures a track.
    pub fn of(track: &ArmTrack, target_vol: f64) -> Self {
        let daily = &track.daily;
        let (mean, volatility) = moments(daily);
        let plain = Metrics {
            volatility,
            orders: track.orders,
            crossed: track.crossed,
            running: track.running,
            ..Metrics::default()
        };
        if check(track).is_err() {
            return plain;
        }
        let n = daily.len() as f64;
        let scale = to_target(daily, target_vol);
        let downside =
            libm::sqrt(daily.iter().map(|r| r.min(0.0) * r.min(0.0)).sum::<f64>() / n * DAYS_A_YEAR);
        let (equity, falls) = path(daily, scale);
        let cagr = libm::pow(equity.last().copied().unwrap_or(1.0), DAYS_A_YEAR / n) - 1.0;
        let max_drawdown = falls.iter().copied().fold(0.0, f64::max);
        let sharpe = mean / volatility;
        Metrics {
            sharpe: Some(sharpe),
            sortino: (downside > SPREAD_MIN).then(|| mean / downside),
            cagr: Some(cagr),
            max_drawdown: Some(max_drawdown),
            calmar: (max_drawdown > 0.0).then(|| cagr / max_drawdown),
            cvar95: Some(tail_loss(daily, scale)),
            ulcer: Some(libm::sqrt(falls.iter().map(|f| f * f).sum::<f64>() / n)),
            time_under_water: Some(falls.iter().filter(|f| **f > 0.0).count() as f64 / n),
            longest_under_water: Some(longest(&falls) as f64 / DAYS_A_MONTH),
            months_to_10: Some(Months::to_gain(sharpe, target_vol)),
            turnover: Some(track.turnover * scale),
            cost: Some(track.cost * scale),
            vol_of_vol: unsteadiness(daily),
            ..plain
        }
    }

    /// Means over seeds, each empty where a seed's is. Months to +10 % are those of the mean growth: one seed of
    /// "never" would say nothing in a mean of months.
    pub fn mean(each: &[Metrics], target_vol: f64) -> Self {
        let known = |f: fn(&Metrics) -> Option<f64>| mean_of(each.iter().map(f));
        let plain = |f: fn(&Metrics) -> f64| mean(&each.iter().map(f).collect::<Vec<_>>());
        let sharpe = known(|m| m.sharpe);
        Metrics {
            sharpe,
            sortino: known(|m| m.sortino),
            cagr: known(|m| m.cagr),
            max_drawdown: known(|m| m.max_drawdown),
            calmar: known(|m| m.calmar),
            cvar95: known(|m| m.cvar95),
            ulcer: known(|m| m.ulcer),
            time_under_water: known(|m| m.time_under_water),
            longest_under_water: known(|m| m.longest_under_water),
            months_to_10: sharpe.map(|s| Months::to_gain(s, target_vol)),
            volatility: plain(|m| m.volatility),
            orders: plain(|m| m.orders),
            turnover: known(|m| m.turnover),
            cost: known(|m| m.cost),
            crossed: plain(|m| m.crossed),
            running: plain(|m| m.running),
            vol_of_vol: known(|m| m.vol_of_vol),
        }
    }
}

/// The mean; empty of none, or if any is empty.
pub fn mean_of(each: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let all: Option<Vec<f64>> = each.collect();
    all.filter(|a| !a.is_empty()).map(|a| mean(&a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn risk_that_is_the_same_every_month_is_steady() {
        let month = |size: f64| (0..30).map(move |d| if d % 2 == 0 { size } else { -size });
        let steady: Vec<f64> = month(0.01).chain(month(0.01)).collect();
        assert!(unsteadiness(&steady).unwrap().abs() < 1e-12);
        assert_eq!(unsteadiness(&steady[..30]), None, "of one month there is no deviation");
        let of: Vec<f64> = month(0.01).chain(month(0.03)).chain([0.0; 30]).collect();
        // Volatilities as 1 to 3: sd √2 over mean 2.
        assert!((unsteadiness(&of).unwrap() - libm::sqrt(0.5)).abs() < 1e-12);
    }
    use proptest::prelude::*;

    fn near(a: f64, b: f64) -> bool {
        libm::fabs(a - b) <= 1e-9 * libm::fabs(b).max(1.0)
    }

    fn track(daily: &[f64]) -> ArmTrack {
        ArmTrack { daily: daily.to_vec(), turnover: 10.0, cost: 0.01, ..ArmTrack::default() }
    }

    #[test]
    fn four_days_sixteen_times_by_hand() {
        // Mean ½ %, deviations ½ and 1½ %: Σ of squares 3 in squared percent each time.
        let (times, n) = (16, 64.0);
        let daily = [0.01, -0.01, 0.01, 0.01].repeat(times);
        let sd = (3.0 * times as f64 / (n - 1.0)).sqrt() / 100.0;
        let (m, v) = moments(&daily);
        assert!(near(m, 0.005 * 365.25) && near(v, sd * 365.25_f64.sqrt()));
        let k = 0.15 / v;
        let x = Metrics::of(&track(&daily), 0.15);
        assert!(near(x.sharpe.unwrap(), m / v));
        assert!(near(x.sortino.unwrap(), m / (0.0001 / 4.0 * 365.25_f64).sqrt()));
        assert!(near(x.max_drawdown.unwrap(), 0.01 * k));
        let last = ((1.0 + 0.01 * k).powi(3) * (1.0 - 0.01 * k)).powi(16);
        let growth = last.powf(365.25 / n) - 1.0;
        assert!(near(x.cagr.unwrap(), growth) && near(x.calmar.unwrap(), growth / (0.01 * k)));
        assert!(near(x.cvar95.unwrap(), 0.01 * k));
        // Below the peak on the second and the third day of each four.
        let falls = [0.0, 0.01 * k, 1.0 - (1.0 - 0.01 * k) * (1.0 + 0.01 * k), 0.0];
        assert!(near(x.ulcer.unwrap(), (falls.iter().map(|f| f * f).sum::<f64>() / 4.0).sqrt()));
        assert!(near(x.time_under_water.unwrap(), 0.5));
        assert!(near(x.longest_under_water.unwrap(), 2.0 * 12.0 / 365.25));
        assert!(near(x.months_to_10.unwrap().or_infinite(), 1.2 / (m * k)));
        assert!(near(x.turnover.unwrap(), 10.0 * k) && near(x.cost.unwrap(), 0.01 * k));
    }

    #[test]
    fn a_loser_never_gets_there_and_says_so_in_a_word() {
        let x = Metrics::of(&track(&[-0.01, 0.005, -0.01, 0.0].repeat(20)), 0.15);
        assert_eq!(x.months_to_10, Some(Months::Never(Never::Never)));
        let json = serde_json::to_value(&x).unwrap();
        assert_eq!(json["months_to_10"], "never");
        assert_eq!(serde_json::from_value::<Metrics>(json).unwrap(), x);
    }

    #[test]
    fn what_cannot_be_told_is_empty_and_never_nought_or_infinite() {
        let lively = [0.01, -0.01, 0.02].repeat(30);
        let of = |daily: &[f64], running| ArmTrack { daily: daily.to_vec(), running, ..track(daily) };
        let mut ruined = lively.clone();
        ruined[40] = -1.0;
        for (why, untold) in [
            (Untold::Still, of(&[0.0; 90], 1.0)),
            (Untold::Still, of(&[0.001; 90], 1.0)),
            (Untold::Short, of(&lively[..59], 1.0)),
            (Untold::Short, of(&[], 1.0)),
            (Untold::Halted, of(&lively, 0.98)),
            (Untold::Ruined, of(&ruined, 1.0)),
        ] {
            assert_eq!(check(&untold), Err(why));
            let json = serde_json::to_value(Metrics::of(&untold, 0.15)).unwrap();
            for (key, value) in json.as_object().unwrap() {
                let plain = ["volatility", "orders", "crossed", "running"].contains(&key.as_str());
                assert!(plain == value.is_number() && plain != value.is_null(), "{why}: {key} is {value}");
            }
            let seeds = [Metrics::of(&of(&lively, 1.0), 0.15), Metrics::of(&untold, 0.15)];
            assert!(seeds[0].sharpe.is_some() && Metrics::mean(&seeds, 0.15).sharpe.is_none());
        }
        assert_eq!(check(&of(&lively[..60], 0.99)), Ok(()));
        // Nothing but gains: there is a Sharpe ratio, and nothing to divide by below.
        let up = Metrics::of(&track(&[0.01, 0.02].repeat(40)), 0.15);
        assert!(up.sharpe.is_some() && up.sortino.is_none() && up.calmar.is_none());
    }

    #[test]
    fn means_are_over_seeds() {
        let of = |s: f64| Metrics { sharpe: Some(s), cagr: Some(2.0 * s), ..Metrics::default() };
        let mean = Metrics::mean(&[1.0, 3.0].map(of), 0.15);
        assert!(near(mean.sharpe.unwrap(), 2.0) && near(mean.cagr.unwrap(), 4.0));
        assert!(near(mean.months_to_10.unwrap().or_infinite(), 4.0));
    }

    proptest! {
        #[test]
        fn what_is_at_equal_volatility_does_not_depend_on_size(
            daily in proptest::collection::vec(-0.05..0.05_f64, 60..200), size in 0.1..10.0_f64,
        ) {
            let larger: Vec<f64> = daily.iter().map(|r| r * size).collect();
            let (a, b) = (Metrics::of(&track(&daily), 0.15), Metrics::of(&track(&larger), 0.15));
            for (x, y) in [(a.sharpe, b.sharpe), (a.cagr, b.cagr), (a.max_drawdown, b.max_drawdown),
                (a.cvar95, b.cvar95), (a.ulcer, b.ulcer)] {
                let (x, y) = (x.unwrap(), y.unwrap());
                prop_assert!(libm::fabs(x - y) < 1e-6 * libm::fabs(x).max(1.0));
            }
            prop_assert!((0.0..=1.0).contains(&a.max_drawdown.unwrap()));
        }
    }
}
