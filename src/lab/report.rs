//! From tracks to the report: numbers of every arm, uplifts with their intervals, controls, curves and the
//! verdict. This is the JSON contract of `hive lab --json`.
//!
//! # Invariants
//!
//! 1. Differences are paired by seed and by resampled day.
//! 2. Systems that do not exist yet are named as not built, never as a number.
//! 3. A gain is called communication's only if what silences messages takes at least half of it away.

use super::against::{Against, Other};
use super::arms::{Arm, Kind};
use super::bootstrap::{self, DRAWS, Interval, Resampled, interval};
use super::metrics::Metrics;
use super::served::{self, BlindReport, ServiceControl, ServiceReport, TriedReport};
use super::stats::{self, deviation, mean};
use super::stream::Company;
use super::study::Tracks;
use super::verdict;
use super::{ALL, ALONE, HIVE, RULE, STRONG};
use crate::domain::Stamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The control in a world of its own.
pub const WALK: &str = "random-walk";

/// What is fixed before anything is run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Of the market's bytes.
    pub data_hash: String,
    /// Of everything in the configuration that decides.
    pub roster_hash: String,
    /// Rows of the list of tries and arms of this run.
    pub variants_tried: usize,
    /// Looks at held-out data so far, this one among them.
    pub looks: usize,
    /// Whether this is data that the mechanism was designed on: then it is no evidence, only a reproduction.
    pub reproduction: bool,
    /// `SYNTH` or `HISTORY`, and the name.
    pub feed: String,
    /// The decision clock.
    pub bar: String,
    /// First and last day.
    pub from: String,
    /// Likewise.
    pub to: String,
    /// Names.
    pub assets: Vec<String>,
    /// How many.
    pub seeds: usize,
    /// Which.
    pub seed_list: Vec<u64>,
    /// A flat charge a side; none for fill level B.
    pub costs_bp: Option<f64>,
    /// In words.
    pub costs: String,
    /// Voices, and how many of them have funds.
    pub voice_count: usize,
    /// Likewise.
    pub agent_count: usize,
    /// The volatility a year that everything is scaled to.
    pub target_vol: f64,
    /// The day that divides the run, if one was asked for.
    pub split: Option<String>,
    /// Another hive that this one is compared with.
    #[serde(rename = "other")]
    pub against: Option<Other>,
}

/// An arm's line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArmReport {
    /// In a line.
    pub what: String,
    /// Means over seeds.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// Sharpe ratio of each seed.
    pub by_seed: Vec<f64>,
    /// Standard deviation of the Sharpe ratio over seeds.
    pub seed_sd: f64,
    /// Of the first seed: equal to a headless run's with that seed.
    pub decision_hash: String,
    /// Of every seed.
    pub decision_hashes: Vec<String>,
}

/// What the hive is worth over a system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Uplift {
    /// Δ Sharpe, over days.
    pub sharpe: Interval,
    /// The same with seeds drawn anew as well.
    pub sharpe_over_seeds: Interval,
    /// Change of the mean deepest drawdown, as a fraction of the other's: negative is better.
    pub max_drawdown_change: f64,
    /// Turnover over the other's.
    pub turnover_ratio: f64,
    /// Share of seeds with the better Sharpe ratio.
    pub seeds_won: f64,
    /// Δ of the worst seed.
    pub worst_seed: f64,
    /// Standard deviation of Δ over seeds.
    pub seed_sd: f64,
    /// What the best of as many worthless variants would show by luck; subtract it before believing.
    pub luck: f64,
    /// By goal.
    pub goals: BTreeMap<String, BTreeMap<String, f64>>,
}

/// A control's line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ControlReport {
    /// In a line.
    pub what: String,
    /// Its own uplift over the strong baseline.
    pub vs_strong: VsStrong,
    /// What the hive has over it.
    pub hive_minus_control: Interval,
    /// Share of the hive's uplift that is left with wrong messages; meaningless without an uplift.
    pub keeps: Option<f64>,
    /// Whether it does as a control should: it is worse than the hive, and keeps at most half of what the
    /// hive has over the strong baseline.
    pub pass: bool,
}

/// As the contract nests it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VsStrong {
    /// Δ Sharpe.
    pub sharpe: Interval,
}

/// A step of the voices curve.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Voices {
    pub m: usize,
    pub sharpe: f64,
    pub seed_sd: f64,
    pub turnover: f64,
}

/// A step of the dose–response.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Dose {
    pub lambda: f64,
    pub sharpe: f64,
    pub vs_strong: Interval,
    pub max_drawdown_change: f64,
    /// Without rails, and nobody is stopped out.
    pub sharpe_bare: Option<f64>,
}

/// A part of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Part {
    pub part: String,
    pub days: usize,
    pub hive: f64,
    pub strong: f64,
    pub all: f64,
    pub vs_strong: Interval,
}

/// Whether the engine with λ = 1 and nothing else is the account that holds all voices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Largest difference of a daily return, over all seeds.
    pub largest_difference: f64,
    /// Whether it is below 1e-9.
    pub holds: bool,
}

/// The report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was fixed first.
    #[serde(flatten)]
    pub facts: Facts,
    /// Names of the systems in the order in which they are shown.
    pub ladder: Vec<String>,
    /// By name.
    pub arms: BTreeMap<String, ArmReport>,
    /// `vs_alone`, `vs_strong`, `vs_all`, `vs_tsmom6`, and `vs_other` if another hive was asked for.
    pub uplift: BTreeMap<String, Uplift>,
    /// By name.
    pub controls: BTreeMap<String, ControlReport>,
    /// By number of voices.
    pub voices: Vec<Voices>,
    /// By λ.
    pub dose: Vec<Dose>,
    /// Of equal length.
    pub thirds: Vec<Part>,
    /// Before and after the split.
    pub split_parts: Vec<Part>,
    /// How alike agents and voices are: what the voices curve can be expected to give.
    pub company: BTreeMap<String, Company>,
    /// The other hive, if one was asked for.
    pub against: Option<Against>,
    /// λ = 1 against `net-all`.
    pub identity: Option<Identity>,
    /// What each service gave the hive that has them all, where `--services` was asked for.
    pub services: Vec<ServiceReport>,
    /// Working the orders of a desk that knows nothing, where `--services` was asked for.
    pub blind: Option<BlindReport>,
    /// By name: the hive with services, hearing wrong messages.
    pub service_controls: BTreeMap<String, ServiceControl>,
    /// Sharpe ratio of the hive with services less that without one of them.
    pub service_worth: BTreeMap<String, Interval>,
    /// By name: further services, where they were tried.
    #[serde(default)]
    pub services_tried: BTreeMap<String, TriedReport>,
    /// Systems of the protocol that were not run: they need `--services`.
    pub not_run: Vec<String>,
    /// Draws and mean block of the bootstrap, in words.
    pub bootstrap: String,
    /// A line for each thing that must be known to read this.
    pub notes: Vec<String>,
    /// In a line.
    pub verdict: String,
}

/// Tracks with their draws.
pub struct Sample<'a> {
    pub(super) arms: &'a [Arm],
    pub(super) tracks: &'a Tracks,
    /// By arm, then seed.
    draws: Vec<Vec<Vec<f64>>>,
}

impl<'a> Sample<'a> {
    /// Draws all tracks, on `threads` threads.
    pub fn new(arms: &'a [Arm], tracks: &'a Tracks, threads: usize) -> Self {
        let days = tracks.first().and_then(|t| t.first()).map_or(0, |t| t.daily.len());
        let resampled = Resampled::new(days, DRAWS);
        let draws_of = |a: usize| tracks.iter().map(|t| resampled.sharpes(&t[a].daily)).collect();
        let threads = threads.max(1);
        let mut draws: Vec<Vec<Vec<f64>>> = vec![Vec::new(); arms.len()];
        std::thread::scope(|scope| {
            for share in draws.chunks_mut(arms.len().div_ceil(threads).max(1)).enumerate() {
                let (start, size) = (share.0 * arms.len().div_ceil(threads).max(1), share.1);
                let draws_of = &draws_of;
                scope.spawn(move || {
                    for (i, slot) in size.iter_mut().enumerate() {
                        *slot = draws_of(start + i);
                    }
                });
            }
        });
        Sample { arms, tracks, draws }
    }

    /// The place of an arm.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.arms.iter().position(|a| a.name == name)
    }

    fn sharpes(&self, arm: usize) -> Vec<f64> {
        self.tracks.iter().map(|t| stats::sharpe(&t[arm].daily)).collect()
    }

    /// Seed by seed: the difference, and the differences of the draws.
    fn differences(&self, a: usize, b: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
        let paired = |(x, y): (&Vec<f64>, &Vec<f64>)| x.iter().zip(y).map(|(x, y)| x - y).collect();
        let measured = self.sharpes(a).iter().zip(self.sharpes(b)).map(|(x, y)| x - y).collect();
        (measured, self.draws[a].iter().zip(&self.draws[b]).map(paired).collect())
    }

    /// Δ Sharpe of two arms by name.
    pub fn delta(&self, a: &str, b: &str) -> Option<Interval> {
        let (measured, draws) = self.differences(self.place(a)?, self.place(b)?);
        Some(interval(mean(&measured), bootstrap::over_seeds(&draws), days(self)))
    }

    /// Mean over seeds of an arm's Sharpe ratio; 0 if it is not there.
    pub fn sharpe(&self, name: &str) -> f64 {
        self.place(name).map_or(0.0, |arm| mean(&self.sharpes(arm)))
    }

    /// The draws behind [`Sample::delta`].
    pub fn delta_draws(&self, a: &str, b: &str) -> Option<(f64, Vec<f64>)> {
        let (measured, draws) = self.differences(self.place(a)?, self.place(b)?);
        Some((mean(&measured), bootstrap::over_seeds(&draws)))
    }

    fn metrics(&self, arm: usize, target_vol: f64) -> Metrics {
        let each: Vec<Metrics> = self.tracks.iter().map(|t| Metrics::of(&t[arm], target_vol)).collect();
        Metrics::mean(&each, target_vol)
    }
}

/// The report. `walk` is the hive and the strong baseline in a market without any edge, at no cost.
pub fn report(facts: Facts, sample: &Sample<'_>, walk: Option<&Sample<'_>>) -> Report {
    let mut report = Report {
        ladder: sample
            .arms
            .iter()
            .filter(|a| {
                a.control().is_none() && !a.is_step() && !a.is_misserved() && !a.is_blind() && !a.is_tried()
            })
            .map(|a| a.name.clone())
            .collect(),
        arms: sample.arms.iter().enumerate().map(|(i, a)| (a.name.clone(), arm(&facts, sample, i))).collect(),
        voices: voices(&facts, sample),
        dose: dose(&facts, sample),
        thirds: thirds(sample),
        split_parts: split_parts(&facts, sample),
        company: company(sample),
        identity: identity(sample),
        bootstrap: format!(
            "stationary, {DRAWS} draws of days, mean block {} days, the same days for all",
            bootstrap::BLOCK_DAYS
        ),
        facts,
        ..Report::default()
    };
    for (name, other) in [("vs_alone", ALONE), ("vs_strong", STRONG), ("vs_all", ALL), ("vs_tsmom6", RULE)] {
        if let Some(u) = uplift(&report.facts, sample, other) {
            report.uplift.insert(name.to_owned(), u);
        }
    }
    served::serve(&mut report, sample);
    report.controls = controls(&report, sample, walk);
    report.notes = verdict::notes(&report);
    report.verdict = verdict::verdict(&report);
    report
}

fn arm(facts: &Facts, sample: &Sample<'_>, i: usize) -> ArmReport {
    let by_seed = sample.sharpes(i);
    let decision_hashes: Vec<String> = sample.tracks.iter().map(|t| t[i].decisions.clone()).collect();
    ArmReport {
        what: sample.arms[i].what.to_owned(),
        metrics: sample.metrics(i, facts.target_vol),
        seed_sd: deviation(&by_seed),
        by_seed,
        decision_hash: decision_hashes.first().cloned().unwrap_or_default(),
        decision_hashes,
    }
}

/// What the hive of a sample is worth over another of its arms.
pub(super) fn uplift(facts: &Facts, sample: &Sample<'_>, other: &str) -> Option<Uplift> {
    over(facts, sample, HIVE, other)
}

/// What one arm is worth over another.
pub(super) fn over(facts: &Facts, sample: &Sample<'_>, ours: &str, other: &str) -> Option<Uplift> {
    let (a, b) = (sample.place(ours)?, sample.place(other)?);
    let (measured, draws) = sample.differences(a, b);
    let (x, y) = (sample.metrics(a, facts.target_vol), sample.metrics(b, facts.target_vol));
    let change = |x: f64, y: f64| if y > 0.0 { x / y - 1.0 } else { 0.0 };
    let over_days = bootstrap::over_seeds(&draws);
    let error = deviation(&over_days);
    let group = |pairs: &[(&str, f64)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect();
    let goals = [
        (
            "low_risk",
            group(&[
                ("max_drawdown_change", change(x.max_drawdown, y.max_drawdown)),
                ("cvar95_change", change(x.cvar95, y.cvar95)),
                ("ulcer_change", change(x.ulcer, y.ulcer)),
            ]),
        ),
        ("big_money", group(&[("growth", x.cagr - y.cagr)])),
        (
            "fast",
            group(&[
                ("months_to_10", x.months_to_10 - y.months_to_10),
                ("time_under_water", x.time_under_water - y.time_under_water),
            ]),
        ),
        ("automated", group(&[("running", x.running - y.running)])),
    ];
    Some(Uplift {
        sharpe: interval(mean(&measured), over_days, days(sample)),
        sharpe_over_seeds: interval(mean(&measured), bootstrap::over_drawn_seeds(&draws), days(sample)),
        max_drawdown_change: change(x.max_drawdown, y.max_drawdown),
        turnover_ratio: if y.turnover > 0.0 { x.turnover / y.turnover } else { 0.0 },
        seeds_won: measured.iter().filter(|d| **d > 0.0).count() as f64 / measured.len().max(1) as f64,
        worst_seed: measured.iter().copied().fold(f64::INFINITY, f64::min),
        seed_sd: deviation(&measured),
        luck: if facts.variants_tried > 20 { bootstrap::luck(facts.variants_tried, error) } else { 0.0 },
        goals: goals.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
    })
}

fn controls(
    report: &Report,
    sample: &Sample<'_>,
    walk: Option<&Sample<'_>>,
) -> BTreeMap<String, ControlReport> {
    let ours = report.uplift.get("vs_strong").map_or(0.0, |u| u.sharpe.mean);
    let mut all = BTreeMap::new();
    for arm in sample.arms {
        let Some(control) = arm.control() else { continue };
        let (Some(theirs), Some(minus)) = (sample.delta(&arm.name, STRONG), sample.delta(HIVE, &arm.name))
        else {
            continue;
        };
        let keeps = (ours > 0.0).then(|| theirs.mean / ours);
        // Without an uplift there is nothing to keep, but wrong messages must not make one either.
        let harmless = minus.lo > 0.0 && theirs.mean <= 0.5 * ours.max(0.0);
        let pass = match control {
            super::controls::Control::Placebo => harmless && theirs.lo <= 0.0,
            _ => harmless,
        };
        let vs_strong = VsStrong { sharpe: theirs };
        let line =
            ControlReport { what: arm.what.to_owned(), vs_strong, hive_minus_control: minus, keeps, pass };
        all.insert(arm.name.clone(), line);
    }
    if let Some((walked, draws)) = walk.and_then(|w| w.delta_draws(HIVE, STRONG)) {
        let days = walk.map_or(0, days);
        let theirs = interval(walked, draws.clone(), days);
        // Another market: the draws are not paired, so each side keeps its own.
        let minus = sample.delta_draws(HIVE, STRONG).map_or_else(Interval::default, |(m, d)| {
            interval(m - walked, d.iter().zip(&draws).map(|(x, y)| x - y).collect(), days)
        });
        all.insert(
            WALK.to_owned(),
            ControlReport {
                what: "the same roster in a market without any edge, at no cost".to_owned(),
                vs_strong: VsStrong { sharpe: theirs },
                hive_minus_control: minus,
                keeps: None,
                pass: theirs.lo <= 0.0 && 0.0 <= theirs.hi,
            },
        );
    }
    all
}

fn voices(facts: &Facts, sample: &Sample<'_>) -> Vec<Voices> {
    let step = |(i, arm): (usize, &Arm)| {
        let Kind::Account(super::arms::Weighing::Voices(n), _) = arm.kind else { return None };
        let m = sample.metrics(i, facts.target_vol);
        Some(Voices {
            m: n.min(facts.voice_count),
            sharpe: m.sharpe,
            seed_sd: deviation(&sample.sharpes(i)),
            turnover: m.turnover,
        })
    };
    let mut all: Vec<Voices> = sample.arms.iter().enumerate().filter_map(step).collect();
    all.sort_by_key(|v| v.m);
    all
}

fn dose(facts: &Facts, sample: &Sample<'_>) -> Vec<Dose> {
    let Some(strong) = sample.place(STRONG) else { return Vec::new() };
    let base = sample.metrics(strong, facts.target_vol);
    let step = |(i, arm): (usize, &Arm)| {
        let lambda = match arm.kind {
            Kind::Fixed(lambda) => lambda,
            // Deaf: the strong baseline itself.
            _ if i == strong => 0.0,
            _ => return None,
        };
        let m = sample.metrics(i, facts.target_vol);
        let bare = sample.arms.iter().position(|a| a.kind == Kind::Bare(lambda));
        Some(Dose {
            sharpe_bare: bare.map(|b| mean(&sample.sharpes(b))),
            lambda,
            sharpe: m.sharpe,
            vs_strong: sample.delta(&arm.name, STRONG)?,
            max_drawdown_change: if base.max_drawdown > 0.0 {
                m.max_drawdown / base.max_drawdown - 1.0
            } else {
                0.0
            },
        })
    };
    sample.arms.iter().enumerate().filter_map(step).collect()
}

/// A part of the days: Sharpe ratios, and the uplift with an interval of its own draws.
fn part(sample: &Sample<'_>, name: String, from: usize, to: usize) -> Option<Part> {
    let [hive, strong, all] = [HIVE, STRONG, ALL].map(|n| sample.place(n));
    let (hive, strong, all) = (hive?, strong?, all?);
    let of = |arm: usize| -> Vec<f64> {
        sample.tracks.iter().map(|t| stats::sharpe(&t[arm].daily[from..to])).collect()
    };
    let resampled = Resampled::new(to - from, DRAWS / 2);
    let draws = |t: &Vec<super::Track>| -> Vec<f64> {
        let [a, b] = [hive, strong].map(|arm| resampled.sharpes(&t[arm].daily[from..to]));
        a.iter().zip(b).map(|(x, y)| x - y).collect()
    };
    let differences: Vec<Vec<f64>> = sample.tracks.iter().map(draws).collect();
    let (h, s) = (mean(&of(hive)), mean(&of(strong)));
    Some(Part {
        part: name,
        days: to - from,
        hive: h,
        strong: s,
        all: mean(&of(all)),
        vs_strong: interval(h - s, bootstrap::over_seeds(&differences), to - from),
    })
}

pub(super) fn days(sample: &Sample<'_>) -> usize {
    sample.tracks.first().and_then(|t| t.first()).map_or(0, |t| t.daily.len())
}

fn thirds(sample: &Sample<'_>) -> Vec<Part> {
    let n = days(sample);
    let names = ["first third", "second third", "last third"];
    let each = names.iter().enumerate();
    each.filter_map(|(i, name)| part(sample, (*name).to_owned(), n * i / 3, n * (i + 1) / 3)).collect()
}

fn split_parts(facts: &Facts, sample: &Sample<'_>) -> Vec<Part> {
    let Some(split) = &facts.split else { return Vec::new() };
    let day = |t: &str| Stamp::parse(t.get(..10)?).map(Stamp::day);
    let (Some(at), Some(from)) = (day(split), day(&facts.from)) else { return Vec::new() };
    let n = days(sample);
    let at = (at - from).clamp(0, n as i64) as usize;
    let halves = [(format!("before {split}"), 0, at), (format!("from {split}"), at, n)];
    halves.into_iter().filter(|(_, a, b)| b - a > 1).filter_map(|(p, a, b)| part(sample, p, a, b)).collect()
}

fn company(sample: &Sample<'_>) -> BTreeMap<String, Company> {
    let each: Vec<[Company; 2]> =
        sample.tracks.iter().filter_map(|t| t.iter().find_map(|track| track.company)).collect();
    let average = |group: usize| {
        let of = |f: fn(&Company) -> f64| mean(&each.iter().map(|c| f(&c[group])).collect::<Vec<_>>());
        Company {
            members: of(|c| c.members),
            sharpe: of(|c| c.sharpe),
            correlation: of(|c| c.correlation),
            independent: of(|c| c.independent),
        }
    };
    ["agents", "voices"].iter().enumerate().map(|(i, name)| ((*name).to_owned(), average(i))).collect()
}

fn identity(sample: &Sample<'_>) -> Option<Identity> {
    let bare = sample.arms.iter().position(|a| a.kind == Kind::Bare(1.0))?;
    let all = sample.place(ALL)?;
    let seed = |t: &Vec<super::Track>| {
        let pairs = t[bare].daily.iter().zip(&t[all].daily);
        pairs.map(|(x, y)| libm::fabs(x - y)).fold(0.0, f64::max)
    };
    let largest_difference = sample.tracks.iter().map(seed).fold(0.0, f64::max);
    Some(Identity { largest_difference, holds: largest_difference < 1e-9 })
}
