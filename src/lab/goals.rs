//! The goals beside the Sharpe ratio, and what one system has over another in each, paired on resampled days.
//!
//! ```text
//! LR  deepest fall, mean loss of the worst twentieth of days       at the target volatility
//! BM  growth per year                                              at the target volatility
//! F   months to +10 %, longest time under water, share of days under water
//! A   fills per year, turnover per year                            counted, so without interval
//! ```
//!
//! A draw is one order of days for all systems. In it every track is brought to the target volatility anew, and
//! its goals are measured as those of the run are; months to +10 % are those of the mean Sharpe ratio of all seeds
//! in the draw. What is compared is the mean over seeds, and over the markets that are given.
//!
//! # Invariants
//!
//! 1. Both sides of a difference have the same draws, and seeds and markets count alike on both.
//! 2. A difference is empty where a side is not told (see [`super::metrics`]), and where an end of its interval
//!    would be infinite: so many draws never reach +10 % that nothing can be said.
//! 3. Falls and times under water of draws are of blocks of some weeks: what a market does over longer is taken
//!    apart in them, so those intervals are of this kind of run, not of this very path.

use super::arms::ArmKind;
use super::bootstrap::{Interval, Resampled, ReturnSums, interval};
use super::metrics::{DAYS_A_MONTH, Metrics, Months, tail_days};
use super::stats::DAYS_A_YEAR;
use super::{ALL, ALONE, Arm, ArmTrack, HIVE, RULE, STRONG};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Draws of goals: the first of those of Sharpe ratios.
pub const GOAL_DRAWS: usize = 500;

/// A goal as reports show it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// Key of the report.
    pub key: &'static str,
    /// LR, BM or F.
    pub of: &'static str,
    /// What it measures, in words for a table.
    pub words: &'static str,
    /// What a number is multiplied by to be shown.
    pub factor: f64,
    /// Unit of the number that is shown.
    pub unit: &'static str,
    /// Digits behind the point.
    pub digits: usize,
    /// Whether more is better.
    pub up: bool,
}

const fn goal(key: &'static str, of: &'static str, words: &'static str) -> Goal {
    Goal { key, of, words, factor: 100.0, unit: "%", digits: 1, up: false }
}

/// All of them, in the order in which they are shown; months to +10 % come fourth.
pub const GOALS: [Goal; 6] = [
    goal("max_drawdown", "LR", "deepest drawdown"),
    Goal { unit: "% per day", digits: 2, ..goal("cvar95", "LR", "CVaR95") },
    Goal { unit: "% per year", up: true, ..goal("growth", "BM", "growth") },
    Goal { factor: 1.0, unit: "months", ..goal("months_to_10", "F", "to +10 %") },
    Goal { factor: 1.0, unit: "months", ..goal("longest_under_water", "F", "longest under water") },
    Goal { unit: "% of days", ..goal("time_under_water", "F", "under water") },
];
/// The index of months to +10 %, which is not a mean of the seeds' own.
const MONTHS: usize = 3;

/// What one system has over another: `ours` less `theirs`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Name of the one system.
    pub ours: String,
    /// Name of the other.
    pub theirs: String,
    /// Δ Sharpe ratio per year.
    pub sharpe: Option<Interval>,
    /// By goal: `max_drawdown`, `cvar95` per day, `growth` per year and `time_under_water` as fractions,
    /// `months_to_10` and `longest_under_water` in months.
    pub goals: BTreeMap<String, Option<Interval>>,
    /// Difference of fills per year.
    pub orders: Option<f64>,
    /// Difference of turnover per year at equal volatility, in multiples of equity.
    pub turnover: Option<f64>,
}

impl Compared {
    /// A pair of which a side is not told.
    pub fn untold((ours, theirs): (String, String)) -> Self {
        let goals = GOALS.iter().map(|g| (g.key.to_owned(), None)).collect();
        Compared { ours, theirs, goals, ..Compared::default() }
    }
}

/// An arm as it was measured and as it was drawn, means over seeds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArmDraws {
    measured: Metrics,
    target_vol: f64,
    /// Sharpe ratio, draw by draw.
    sharpe: Vec<f64>,
    /// By goal, then draw by draw; nothing for months, which follow from the Sharpe ratio.
    goals: [Vec<f64>; GOALS.len()],
}

impl ArmDraws {
    /// Of an arm's tracks, seed by seed. `daily` are their returns on the days that are resampled, NaN where a track
    /// has none; `sharpe` is the mean Sharpe ratio over seeds of each draw. None if a seed is not told.
    pub fn new<'a>(
        tracks: impl Iterator<Item = &'a ArmTrack>,
        daily: &[Vec<f64>],
        sharpe: Vec<f64>,
        resampled: &Resampled,
        target_vol: f64,
    ) -> Option<Self> {
        let each: Vec<Metrics> = tracks.map(|t| Metrics::of(t, target_vol)).collect();
        let measured = Metrics::mean(&each, target_vol);
        measured.sharpe?;
        let draws = resampled.draws().min(GOAL_DRAWS);
        let mut goals: [Vec<f64>; GOALS.len()] = std::array::from_fn(|_| vec![0.0; draws]);
        let share = 1.0 / daily.len().max(1) as f64;
        for track in daily {
            let mut drawer = Drawer::new(track, target_vol);
            for (b, (days, runs)) in resampled.each().zip(resampled.runs()).take(draws).enumerate() {
                for (sum, x) in goals.iter_mut().zip(drawer.draw(days, runs)) {
                    sum[b] += share * x;
                }
            }
        }
        Some(ArmDraws { measured, target_vol, sharpe, goals })
    }

    /// As measured, in the order of [`GOALS`]; infinity for never.
    fn goal(&self, i: usize) -> Option<f64> {
        let m = &self.measured;
        [
            m.max_drawdown,
            m.cvar95,
            m.cagr,
            m.months_to_10.map(Months::or_infinite),
            m.longest_under_water,
            m.time_under_water,
        ][i]
    }

    fn goal_draw(&self, i: usize, draw: usize) -> f64 {
        if i == MONTHS {
            Months::to_gain(self.sharpe[draw], self.target_vol).or_infinite()
        } else {
            self.goals[i][draw]
        }
    }
}

/// One track, ready to be drawn.
struct Drawer<'a> {
    daily: &'a [f64],
    target_vol: f64,
    /// The days that are there, the worst first.
    worst: Vec<u32>,
    /// Before each day, and after the last.
    running: Vec<ReturnSums>,
    /// By day: how often the draw has it.
    times: Vec<i32>,
}

impl<'a> Drawer<'a> {
    fn new(daily: &'a [f64], target_vol: f64) -> Self {
        let mut worst: Vec<u32> = (0..daily.len() as u32).filter(|d| !daily[*d as usize].is_nan()).collect();
        worst.sort_by(|a, b| daily[*a as usize].total_cmp(&daily[*b as usize]));
        Drawer {
            daily,
            target_vol,
            worst,
            running: ReturnSums::running(daily),
            times: vec![0; daily.len() + 1],
        }
    }

    /// The goals of a draw, at the target volatility; zero for months, and for a draw without spread.
    fn draw(&mut self, days: &[u32], runs: &[[u32; 2]]) -> [f64; GOALS.len()] {
        let sums = ReturnSums::over(runs, &self.running);
        let (count, variance) = (sums.n, sums.variance() * DAYS_A_YEAR);
        if count < 2.0 || variance <= 0.0 {
            return [0.0; GOALS.len()];
        }
        self.count(runs);
        let scale = self.target_vol / libm::sqrt(variance);
        let DrawPath { equity, deepest, longest, under } = self.way(days, scale);
        [
            deepest,
            scale * self.tail(tail_days(count as usize)),
            libm::pow(equity, DAYS_A_YEAR / count) - 1.0,
            0.0,
            f64::from(longest) / DAYS_A_MONTH,
            f64::from(under) / count,
        ]
    }

    /// How often the draw has each day: each run begins and ends, and between that nothing changes.
    fn count(&mut self, runs: &[[u32; 2]]) {
        self.times.fill(0);
        for [from, to] in runs {
            self.times[*from as usize] += 1;
            self.times[*to as usize] -= 1;
        }
        let mut running = 0;
        for times in &mut self.times {
            running += *times;
            *times = running;
        }
    }

    fn way(&self, days: &[u32], scale: f64) -> DrawPath {
        let (mut equity, mut peak, mut deepest) = (1.0, 1.0_f64, 0.0_f64);
        let (mut longest, mut run, mut under) = (0, 0, 0);
        for d in days {
            let r = self.daily[*d as usize];
            if r.is_nan() {
                continue;
            }
            equity *= (1.0 + scale * r).max(0.0);
            if equity < peak {
                run += 1;
                under += 1;
                longest = longest.max(run);
                // A division only where the fall is deeper.
                if equity < peak * (1.0 - deepest) {
                    deepest = 1.0 - equity / peak;
                }
            } else {
                run = 0;
                peak = equity;
            }
        }
        DrawPath { equity, deepest, longest, under }
    }

    /// Mean loss of the worst so many days of the draw that was counted.
    fn tail(&self, days: usize) -> f64 {
        let (mut left, mut sum) = (days, 0.0);
        for d in &self.worst {
            let take = (self.times[*d as usize] as usize).min(left);
            sum += take as f64 * self.daily[*d as usize];
            left -= take;
            if left == 0 {
                break;
            }
        }
        (-sum / days as f64).max(0.0)
    }
}

/// Where a draw went.
struct DrawPath {
    equity: f64,
    deepest: f64,
    /// Longest time under water, in days.
    longest: u32,
    under: u32,
}

/// The pairs that a report compares: the hive with the four that it is held against, then every system but the
/// controls with everybody alone, and the hive without one part of it with the hive.
pub fn pairs(arms: &[Arm]) -> Vec<(String, String)> {
    let has = |name: &str| arms.iter().any(|a| a.name == name);
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let mut all: Vec<(String, String)> = Vec::new();
    if has(HIVE) {
        all.extend([ALONE, STRONG, ALL, RULE].into_iter().filter(|o| has(o)).map(|o| pair(HIVE, o)));
    }
    let shown = |a: &&Arm| {
        let is_other = a.is_misserved() || a.is_blind() || a.is_reacting() || a.is_across();
        a.control().is_none() && !is_other && a.name != HIVE && a.name != ALONE
    };
    if has(ALONE) {
        all.extend(arms.iter().filter(shown).map(|a| pair(&a.name, ALONE)));
    }
    if has(HIVE) {
        let parts = arms.iter().filter(|a| matches!(a.kind, ArmKind::Without(_)));
        all.extend(parts.map(|a| pair(&a.name, HIVE)));
    }
    all.extend(super::reactions::pairs(arms));
    all.extend(super::across::pairs(arms));
    all.extend(super::hires::pairs(arms));
    all
}

/// What `ours` has over `theirs`, market by market on the same resampled days, each market counting alike.
pub fn compare(pair: (String, String), ours: &[&ArmDraws], theirs: &[&ArmDraws], days: usize) -> Compared {
    let markets = ours.len().min(theirs.len()).max(1) as f64;
    let mean = |of: &dyn Fn(&ArmDraws, &ArmDraws) -> f64| {
        ours.iter().zip(theirs).map(|(a, b)| of(a, b)).sum::<f64>() / markets
    };
    let draws = |n: usize, of: &dyn Fn(&ArmDraws, usize) -> f64| -> Vec<f64> {
        (0..n).map(|b| mean(&|x, y| difference(of(x, b), of(y, b)))).collect()
    };
    let both = || ours.iter().chain(theirs);
    let all = both().map(|d| d.sharpe.len()).min().unwrap_or(0);
    let measured = |of: &dyn Fn(&ArmDraws) -> Option<f64>| {
        let known = both().all(|d| of(d).is_some());
        known.then(|| mean(&|x, y| difference(of(x).unwrap_or(0.0), of(y).unwrap_or(0.0))))
    };
    let told = |measured: Option<f64>, draws: Vec<f64>| {
        let i = interval(measured?, draws, days);
        [i.mean, i.lo, i.hi].iter().all(|x| x.is_finite()).then_some(i)
    };
    let goal = |i: usize| {
        let told = told(measured(&|d| d.goal(i)), draws(all.min(GOAL_DRAWS), &|d, b| d.goal_draw(i, b)));
        (GOALS[i].key.to_owned(), told)
    };
    Compared {
        sharpe: told(measured(&|d| d.measured.sharpe), draws(all, &|d, b| d.sharpe[b])),
        goals: (0..GOALS.len()).map(goal).collect(),
        orders: measured(&|d| Some(d.measured.orders)),
        turnover: measured(&|d| d.measured.turnover),
        ours: pair.0,
        theirs: pair.1,
    }
}

/// Of two that never get there neither is ahead.
fn difference(x: f64, y: f64) -> f64 {
    if x == y { 0.0 } else { x - y }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random;

    fn track(key: u64, edge: f64) -> ArmTrack {
        let day = |t: u64| 0.01 * random::normal(random::key(key, &[t])) + edge;
        ArmTrack {
            daily: (0..400).map(day).collect(),
            orders: 100.0 * edge,
            turnover: 10.0,
            ..ArmTrack::default()
        }
    }

    fn drawn(tracks: &[ArmTrack], resampled: &Resampled) -> Option<ArmDraws> {
        let daily: Vec<Vec<f64>> = tracks.iter().map(|t| t.daily.clone()).collect();
        let each: Vec<Vec<f64>> = daily.iter().map(|d| resampled.sharpes(d)).collect();
        ArmDraws::new(tracks.iter(), &daily, crate::lab::bootstrap::over_seeds(&each), resampled, 0.15)
    }

    fn pair() -> (String, String) {
        ("a".to_owned(), "b".to_owned())
    }

    #[test]
    fn a_draw_of_every_day_in_its_place_has_the_goals_of_the_run() {
        let same = Resampled::of(400, (0..400).collect());
        let d = drawn(&[track(1, 0.0005), track(2, 0.001)], &same).unwrap();
        for (i, goal) in GOALS.iter().enumerate().filter(|g| g.0 != MONTHS) {
            let (x, y) = (d.goal(i).unwrap(), d.goal_draw(i, 0));
            assert!((x - y).abs() < 1e-9, "{}: {x} {y}", goal.key);
        }
        assert!((d.goal(MONTHS).unwrap() - d.goal_draw(MONTHS, 0)).abs() < 1e-6);
    }

    #[test]
    fn more_edge_grows_faster_gets_there_sooner_and_falls_less() {
        let r = Resampled::new(400, 400);
        let (a, b) = (drawn(&[track(1, 0.002)], &r).unwrap(), drawn(&[track(1, 0.0005)], &r).unwrap());
        let c = compare(pair(), &[&a], &[&b], 400);
        let sure = |key: &str| c.goals[key].unwrap();
        assert!(c.sharpe.unwrap().lo > 0.0 && sure("growth").lo > 0.0);
        assert!(
            sure("cvar95").hi < 0.0 && sure("max_drawdown").hi < 0.0 && sure("time_under_water").hi < 0.0
        );
        assert!((c.orders.unwrap() - 0.15).abs() < 1e-9);
        // The other way round it is the same with the other sign.
        let back = compare(pair(), &[&b], &[&a], 400);
        assert!((back.sharpe.unwrap().hi + c.sharpe.unwrap().lo).abs() < 1e-12);
    }

    #[test]
    fn nothing_against_itself_and_two_markets_count_alike() {
        let r = Resampled::new(400, 300);
        let of = |key, edge| drawn(&[track(key, edge)], &r).unwrap();
        let (a, b, c, d) = (of(1, 0.001), of(2, 0.0), of(3, 0.002), of(4, 0.0));
        let none = compare(pair(), &[&a], &[&a], 400);
        assert!(none.goals.values().chain([&none.sharpe]).all(|i| *i == Some(Interval::default())));
        let [one, other] = [compare(pair(), &[&a], &[&b], 400), compare(pair(), &[&c], &[&d], 400)];
        let both = compare(pair(), &[&a, &c], &[&b, &d], 400);
        let half = 0.5 * (one.sharpe.unwrap().mean + other.sharpe.unwrap().mean);
        assert!((both.sharpe.unwrap().mean - half).abs() < 1e-12);
        let growth = |c: &Compared| c.goals["growth"].unwrap().mean;
        assert!((growth(&both) - 0.5 * (growth(&one) + growth(&other))).abs() < 1e-12);
    }

    #[test]
    fn who_never_gets_there_has_no_months_to_compare_and_who_is_not_told_nothing() {
        let r = Resampled::new(400, 200);
        let (a, b) = (drawn(&[track(1, 0.002)], &r).unwrap(), drawn(&[track(1, -0.002)], &r).unwrap());
        let c = compare(pair(), &[&a], &[&b], 400);
        assert!(c.goals["months_to_10"].is_none() && c.goals["growth"].is_some());
        let both = compare(pair(), &[&b], &[&b], 400);
        assert_eq!(both.goals["months_to_10"], Some(Interval::default()));
        let halted = ArmTrack { running: 0.5, ..track(1, 0.001) };
        assert_eq!(drawn(&[track(1, 0.001), halted], &r), None);
    }

    #[test]
    fn controls_are_not_held_against_everybody_alone() {
        use crate::lab::arms::{plan, without};
        let all = pairs(&plan(276));
        assert_eq!(all[..4].iter().map(|p| p.1.as_str()).collect::<Vec<_>>(), [ALONE, STRONG, ALL, RULE]);
        // What is split is held against the same unsplit.
        let (split, others): (Vec<_>, Vec<_>) = all[4..].iter().partition(|p| p.0.ends_with("+split"));
        assert!(others.iter().all(|p| p.1 == ALONE && p.0 != HIVE && p.0 != "time-shifted"));
        assert_eq!(split, [&("tsmom6+split".to_owned(), "tsmom6+zone".to_owned())]);
        assert!(all.iter().any(|p| p.0 == "voices-36"));
        // What is left out is held against what it was left out of.
        let named: Vec<Arm> = plan(276).into_iter().chain(without()).collect();
        let parts = pairs(&named).into_iter().filter(|p| p.1 == HIVE).count();
        assert_eq!(parts, without().len());
    }
}
