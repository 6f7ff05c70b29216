//! The tracks of a study with their draws: what every figure of a report is made of.
//!
//! # Invariants
//!
//! 1. All arms and seeds have the same resampled days.
//! 2. An arm of which one seed is not told has no figure at all (see [`super::metrics`]).

use super::arms::Arm;
use super::bootstrap::{self, DRAWS, Interval, Resampled, interval};
use super::goals::{self, ArmDraws, Compared};
use super::metrics::{self, Metrics, mean_of};
use super::shares;
use super::stats::mean;
use super::stream::ArmTrack;
use super::study::Tracks;
use std::collections::BTreeSet;

/// Tracks with their draws.
pub struct Sample<'a> {
    pub(super) arms: &'a [Arm],
    pub(super) tracks: &'a Tracks,
    resampled: Resampled,
    /// By arm, then seed; nothing of an arm that is not told.
    draws: Vec<Vec<Vec<f64>>>,
    threads: usize,
}

impl<'a> Sample<'a> {
    /// Draws all tracks, on `threads` threads.
    pub fn new(arms: &'a [Arm], tracks: &'a Tracks, threads: usize) -> Self {
        let days = tracks.first().and_then(|t| t.first()).map_or(0, |t| t.daily.len());
        let resampled = Resampled::new(days, DRAWS);
        let is_told = |a: usize| tracks.iter().all(|t| metrics::check(&t[a]).is_ok());
        let draws = shares::each(arms.len(), threads, |a| {
            let seeds = if is_told(a) { tracks.as_slice() } else { &[] };
            seeds.iter().map(|t| resampled.sharpes(&t[a].daily)).collect()
        });
        Sample { arms, tracks, resampled, draws, threads }
    }

    /// The index of an arm, if it was run.
    pub(super) fn index_of(&self, name: &str) -> Option<usize> {
        self.arms.iter().position(|a| a.name == name)
    }

    /// Days of a track.
    pub(super) fn days(&self) -> usize {
        self.tracks.first().and_then(|t| t.first()).map_or(0, |t| t.daily.len())
    }

    /// An arm's tracks, seed by seed.
    pub(super) fn of(&self, arm: usize) -> impl Iterator<Item = &ArmTrack> {
        self.tracks.iter().map(move |t| &t[arm])
    }

    /// An arm's Sharpe ratio, seed by seed.
    pub(super) fn by_seed(&self, arm: usize) -> Vec<Option<f64>> {
        self.of(arm).map(metrics::sharpe).collect()
    }

    /// The same where every seed is told.
    pub(super) fn sharpes(&self, arm: usize) -> Option<Vec<f64>> {
        self.by_seed(arm).into_iter().collect::<Option<Vec<f64>>>().filter(|s| !s.is_empty())
    }

    /// Seed by seed: the difference, and the differences of the draws.
    pub(super) fn differences(&self, a: usize, b: usize) -> Option<(Vec<f64>, Vec<Vec<f64>>)> {
        let paired = |(x, y): (&Vec<f64>, &Vec<f64>)| x.iter().zip(y).map(|(x, y)| x - y).collect();
        let measured = self.sharpes(a)?.iter().zip(self.sharpes(b)?).map(|(x, y)| x - y).collect();
        Some((measured, self.draws[a].iter().zip(&self.draws[b]).map(paired).collect()))
    }

    /// Δ Sharpe of two arms by name.
    pub fn delta(&self, a: &str, b: &str) -> Option<Interval> {
        let (measured, draws) = self.delta_draws(a, b)?;
        Some(interval(measured, draws, self.days()))
    }

    /// Mean over seeds of an arm's Sharpe ratio.
    pub fn sharpe(&self, name: &str) -> Option<f64> {
        self.index_of(name).and_then(|arm| mean_of(self.by_seed(arm).into_iter()))
    }

    /// The draws behind [`Sample::delta`].
    pub fn delta_draws(&self, a: &str, b: &str) -> Option<(f64, Vec<f64>)> {
        let (measured, draws) = self.differences(self.index_of(a)?, self.index_of(b)?)?;
        Some((mean(&measured), bootstrap::over_seeds(&draws)))
    }

    pub(super) fn metrics(&self, arm: usize, target_vol: f64) -> Metrics {
        let each: Vec<Metrics> = self.of(arm).map(|t| Metrics::of(t, target_vol)).collect();
        Metrics::mean(&each, target_vol)
    }

    /// All pairs of a report with what the one has over the other.
    pub fn compared(&self, target_vol: f64) -> Vec<Compared> {
        let pairs = goals::pairs(self.arms);
        let wanted: BTreeSet<&str> = pairs.iter().flat_map(|(a, b)| [a.as_str(), b.as_str()]).collect();
        let drawn: Vec<Option<ArmDraws>> = shares::each(self.arms.len(), self.threads, |a| {
            let daily: Vec<Vec<f64>> = self.of(a).map(|t| t.daily.clone()).collect();
            let sharpe = bootstrap::over_seeds(&self.draws[a]);
            let is_told = wanted.contains(self.arms[a].name.as_str()) && !self.draws[a].is_empty();
            is_told.then(|| ArmDraws::new(self.of(a), &daily, sharpe, &self.resampled, target_vol)).flatten()
        });
        let of = |name: &str| self.index_of(name).and_then(|a| drawn[a].as_ref());
        let one = |(a, b): (String, String)| match (of(&a), of(&b)) {
            (Some(x), Some(y)) => goals::compare((a, b), &[x], &[y], self.days()),
            _ => Compared::untold((a, b)),
        };
        pairs.iter().cloned().map(one).collect()
    }
}
