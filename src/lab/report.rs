//! From tracks to the report: numbers of every arm, uplifts with their intervals, controls, curves and the
//! verdict. This is the JSON contract of `hive lab --json`.
//!
//! # Invariants
//!
//! 1. Differences are paired by seed and by resampled day.
//! 2. Systems that do not exist yet are named as not built, never as a number.
//! 3. A number that cannot be told is `null`, never 0 and never infinite; see [`super::metrics`] for when. Months
//!    that never come are the text `never`.
//! 4. A gain is called communication's only if what silences messages takes at least half of it away.

use super::against::{Against, Other};
use super::arms::{Arm, ArmKind};
use super::bootstrap::{self, DRAWS, Interval, Resampled, interval};
use super::designed::DataOverlap;
use super::goals::{Compared, GOAL_DRAWS};
use super::joint::Joint;
use super::metrics::{DAYS_MIN, Metrics, told_of};
pub use super::sample::Sample;
use super::served::{self, BlindReport, ServiceControl, ServiceReport};
use super::stats::{self, deviation, mean};
use super::stream::Likeness;
use super::verdict;
use super::{ALL, ALONE, HIVE, RULE, STRONG};
use crate::domain::Stamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The control in a world of its own.
pub const WALK: &str = "random-walk";

/// What is fixed before anything is run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StudyFacts {
    /// Hash of the market's bytes.
    pub data_hash: String,
    /// Hash of everything in the configuration that decides.
    pub roster_hash: String,
    /// Rows of the list of tries and arms of this run.
    pub variants_tried: usize,
    /// Looks at held-out data so far, this one among them.
    pub looks: usize,
    /// Whether this is data that the mechanism was designed on: then it is no evidence, only a reproduction.
    pub reproduction: bool,
    /// What days and data are to the mechanism: `embedded`, `designed-on`, `same-days` or `new-days`.
    #[serde(default)]
    pub known: DataOverlap,
    /// Agents that stand by on this market, and names that it lacks: a sentence each.
    #[serde(default)]
    pub standing_by: Vec<String>,
    /// `SYNTH` or `HISTORY`, and the name.
    pub feed: String,
    /// The decision clock.
    pub bar: String,
    /// First day of the study, as a date.
    pub from: String,
    /// Last day of the study, as a date.
    pub to: String,
    /// Names of the assets in the market.
    pub assets: Vec<String>,
    /// Number of seeds that were run.
    pub seeds: usize,
    /// The seeds that were run.
    pub seed_list: Vec<u64>,
    /// A flat charge a side; none for fill level B.
    pub costs_bp: Option<f64>,
    /// What trading costs, in words.
    pub costs: String,
    /// Agents that speak, with funds or without.
    pub voice_count: usize,
    /// Agents that have funds.
    pub agent_count: usize,
    /// The volatility per year that everything is scaled to.
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
    /// What the arm is, in a line.
    pub what: String,
    /// Means over seeds.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// Sharpe ratio of each seed.
    pub by_seed: Vec<Option<f64>>,
    /// Standard deviation of the Sharpe ratio over seeds; empty of one.
    pub seed_sd: Option<f64>,
    /// Hash of the decisions with the first seed: equal to a headless run's with that seed.
    pub decision_hash: String,
    /// Hashes of the decisions, seed by seed.
    pub decision_hashes: Vec<String>,
}

/// What the hive is worth over a system; empty where a seed of either is not told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Uplift {
    /// Δ Sharpe, over days.
    pub sharpe: Option<Interval>,
    /// Δ Sharpe with seeds drawn anew as well as days.
    pub sharpe_over_seeds: Option<Interval>,
    /// Change of the mean deepest drawdown, as a fraction of the other's: negative is better.
    pub max_drawdown_change: Option<f64>,
    /// Turnover over the other's; empty if the other trades nothing.
    pub turnover_ratio: Option<f64>,
    /// Share of seeds with the better Sharpe ratio.
    pub seeds_won: Option<f64>,
    /// Δ of the worst seed.
    pub worst_seed: Option<f64>,
    /// Standard deviation of Δ over seeds; empty of one.
    pub seed_sd: Option<f64>,
    /// What the best of as many worthless variants would show by luck; subtract it before believing.
    pub luck: Option<f64>,
    /// By goal, of means over seeds: changes as fractions of the other's, else differences. Intervals of the
    /// goals are in `compared`.
    pub goals: BTreeMap<String, BTreeMap<String, Option<f64>>>,
}

/// A control's line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ControlReport {
    /// What is wrong with its messages, in a line.
    pub what: String,
    /// Its own uplift over the strong baseline.
    pub vs_strong: VsStrong,
    /// What the hive has over it.
    pub hive_minus_control: Option<Interval>,
    /// Share of the hive's uplift that is left with wrong messages; meaningless without an uplift.
    pub keeps: Option<f64>,
    /// Whether it does as a control should: it is worse than the hive, and keeps at most half of what the
    /// hive has over the strong baseline.
    pub pass: bool,
}

/// The uplift over the strong baseline, nested as the JSON contract has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VsStrong {
    /// Δ Sharpe per year; none where it cannot be told.
    pub sharpe: Option<Interval>,
}

/// A step of the voices curve.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Voices {
    pub m: usize,
    pub sharpe: Option<f64>,
    pub seed_sd: Option<f64>,
    pub turnover: Option<f64>,
}

/// A step of the dose–response.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Dose {
    pub lambda: f64,
    pub sharpe: Option<f64>,
    pub vs_strong: Option<Interval>,
    pub max_drawdown_change: Option<f64>,
    /// Without rails, and nobody is stopped out.
    pub sharpe_bare: Option<f64>,
}

/// A part of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct RunPart {
    pub part: String,
    pub days: usize,
    pub hive: Option<f64>,
    pub strong: Option<f64>,
    pub all: Option<f64>,
    pub vs_strong: Option<Interval>,
}

/// Whether the engine with λ = 1 and nothing else is the account that holds all voices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LambdaOneCheck {
    /// Largest difference of a daily return, over all seeds.
    pub largest_difference: f64,
    /// Whether it is below 1e-9.
    pub holds: bool,
}

/// A whole report of the lab, as it is kept and written as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was fixed first.
    #[serde(flatten)]
    pub facts: StudyFacts,
    /// Names of the systems in the order in which they are shown.
    pub ladder: Vec<String>,
    /// What each arm did, by its name.
    pub arms: BTreeMap<String, ArmReport>,
    /// `vs_alone`, `vs_strong`, `vs_all`, `vs_tsmom6`, and `vs_other` if another hive was asked for.
    pub uplift: BTreeMap<String, Uplift>,
    /// The hive against these four and every system against `alone`, in every goal, with intervals.
    #[serde(default)]
    pub compared: Vec<Compared>,
    /// What each negative control left of the gain, by its name.
    pub controls: BTreeMap<String, ControlReport>,
    /// What more voices give, by their number.
    pub voices: Vec<Voices>,
    /// What listening gave, by λ.
    pub dose: Vec<Dose>,
    /// Thirds of the run, of equal length.
    pub thirds: Vec<RunPart>,
    /// Before and after the split.
    pub split_parts: Vec<RunPart>,
    /// How alike agents and voices are: what the voices curve can be expected to give.
    pub company: BTreeMap<String, Likeness>,
    /// The other hive, if one was asked for.
    pub against: Option<Against>,
    /// λ = 1 against `net-all`.
    pub identity: Option<LambdaOneCheck>,
    /// What each service gave the hive that has them all, where `--services` was asked for.
    pub services: Vec<ServiceReport>,
    /// Working the orders of a desk that knows nothing, where `--services` was asked for.
    pub blind: Option<BlindReport>,
    /// What the hive with services does when it hears wrong messages, by name of the control.
    pub service_controls: BTreeMap<String, ServiceControl>,
    /// Sharpe ratio of the hive with services less that without one of them.
    pub service_worth: BTreeMap<String, Interval>,
    /// Systems of the protocol that were not run: they need `--services`.
    pub not_run: Vec<String>,
    /// Draws and mean block of the bootstrap, in words.
    pub bootstrap: String,
    /// A line for each thing that must be known to read this.
    pub notes: Vec<String>,
    /// What it comes to, in a line.
    pub verdict: String,
    /// Whole reports of further feeds, where `--and` named some.
    #[serde(default)]
    pub and: Vec<Report>,
    /// The mean differences over this feed and those, on the same calendar days.
    #[serde(default)]
    pub joint: Option<Joint>,
}

/// The report. `walk` is the hive and the strong baseline in a market without any edge, at no cost.
pub fn report(facts: StudyFacts, sample: &Sample<'_>, walk: Option<&Sample<'_>>) -> Report {
    let mut report = Report {
        ladder: sample
            .arms
            .iter()
            .filter(|a| a.control().is_none() && !a.is_step() && !a.is_misserved() && !a.is_blind())
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
            "stationary, {DRAWS} draws of days ({GOAL_DRAWS} for goals), mean block {} days, the same days for all",
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
    report.compared = sample.compared(report.facts.target_vol);
    report.notes = verdict::notes(&report);
    report.notes.extend(untold(sample));
    report.verdict = verdict::verdict(&report);
    report
}

/// Why some arms have no numbers, a sentence each.
fn untold(sample: &Sample<'_>) -> Vec<String> {
    let mut why: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (i, arm) in sample.arms.iter().enumerate() {
        let each: Vec<_> = sample.of(i).filter_map(|t| super::metrics::check(t).err()).collect();
        if let Some(first) = each.first() {
            let of = format!("{} ({} of {} seeds)", arm.name, each.len(), sample.tracks.len());
            why.entry(first.to_string()).or_default().push(of);
        }
    }
    let sentence = |(why, of): (String, Vec<String>)| {
        let whose = if of.len() == sample.arms.len() { "all systems".to_owned() } else { of.join(", ") };
        format!("Without numbers, since of a seed {why}: {whose}.")
    };
    why.into_iter().map(sentence).collect()
}

fn arm(facts: &StudyFacts, sample: &Sample<'_>, i: usize) -> ArmReport {
    let by_seed = sample.by_seed(i);
    let decision_hashes: Vec<String> = sample.tracks.iter().map(|t| t[i].decisions.clone()).collect();
    ArmReport {
        what: sample.arms[i].what.to_owned(),
        metrics: sample.metrics(i, facts.target_vol),
        seed_sd: seed_sd(sample, i),
        by_seed,
        decision_hash: decision_hashes.first().cloned().unwrap_or_default(),
        decision_hashes,
    }
}

fn seed_sd(sample: &Sample<'_>, arm: usize) -> Option<f64> {
    spread(&sample.sharpes(arm)?)
}

/// Standard deviation; empty of one.
fn spread(x: &[f64]) -> Option<f64> {
    (x.len() > 1).then(|| deviation(x))
}

/// x over y, if y is anything to divide by.
fn ratio(x: Option<f64>, y: Option<f64>) -> Option<f64> {
    let y = y.filter(|y| *y > 0.0)?;
    Some(x? / y)
}

/// x over y less one.
fn change(x: Option<f64>, y: Option<f64>) -> Option<f64> {
    ratio(x, y).map(|r| r - 1.0)
}

/// What the hive of a sample is worth over another of its arms.
pub(super) fn uplift(facts: &StudyFacts, sample: &Sample<'_>, other: &str) -> Option<Uplift> {
    over(facts, sample, HIVE, other)
}

/// What one arm is worth over another.
pub(super) fn over(facts: &StudyFacts, sample: &Sample<'_>, ours: &str, other: &str) -> Option<Uplift> {
    let (a, b) = (sample.index_of(ours)?, sample.index_of(other)?);
    let (x, y) = (sample.metrics(a, facts.target_vol), sample.metrics(b, facts.target_vol));
    let plain = Uplift {
        max_drawdown_change: change(x.max_drawdown, y.max_drawdown),
        turnover_ratio: ratio(x.turnover, y.turnover),
        goals: goals(&x, &y),
        ..Uplift::default()
    };
    let Some((measured, draws)) = sample.differences(a, b) else { return Some(plain) };
    let over_days = bootstrap::over_seeds(&draws);
    let error = deviation(&over_days);
    let luck = if facts.variants_tried > 20 { bootstrap::luck(facts.variants_tried, error) } else { 0.0 };
    Some(Uplift {
        sharpe: Some(interval(mean(&measured), over_days, sample.days())),
        sharpe_over_seeds: Some(interval(
            mean(&measured),
            bootstrap::over_drawn_seeds(&draws),
            sample.days(),
        )),
        seeds_won: Some(measured.iter().filter(|d| **d > 0.0).count() as f64 / measured.len() as f64),
        worst_seed: measured.iter().copied().min_by(f64::total_cmp),
        seed_sd: spread(&measured),
        luck: Some(luck),
        ..plain
    })
}

/// Changes and differences of the goals, x over y.
fn goals(x: &Metrics, y: &Metrics) -> BTreeMap<String, BTreeMap<String, Option<f64>>> {
    let less = |x: Option<f64>, y: Option<f64>| Some(x? - y?);
    let months =
        |m: &Metrics| m.months_to_10.map(super::metrics::Months::or_infinite).filter(|m| m.is_finite());
    let group = |pairs: &[(&str, Option<f64>)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect();
    let goals = [
        (
            "low_risk",
            group(&[
                ("max_drawdown_change", change(x.max_drawdown, y.max_drawdown)),
                ("cvar95_change", change(x.cvar95, y.cvar95)),
                ("ulcer_change", change(x.ulcer, y.ulcer)),
            ]),
        ),
        ("big_money", group(&[("growth", less(x.cagr, y.cagr))])),
        (
            "fast",
            group(&[
                ("months_to_10", less(months(x), months(y))),
                ("longest_under_water", less(x.longest_under_water, y.longest_under_water)),
                ("time_under_water", less(x.time_under_water, y.time_under_water)),
            ]),
        ),
        (
            "automated",
            group(&[
                ("orders", Some(x.orders - y.orders)),
                ("turnover", less(x.turnover, y.turnover)),
                ("running", Some(x.running - y.running)),
            ]),
        ),
    ];
    goals.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
}

fn controls(
    report: &Report,
    sample: &Sample<'_>,
    walk: Option<&Sample<'_>>,
) -> BTreeMap<String, ControlReport> {
    let ours = report.uplift.get("vs_strong").and_then(|u| u.sharpe).map(|s| s.mean);
    let mut all = BTreeMap::new();
    for arm in sample.arms {
        let Some(control) = arm.control() else { continue };
        if sample.index_of(STRONG).is_none() || sample.index_of(HIVE).is_none() {
            continue;
        }
        let theirs = sample.delta(&arm.name, STRONG);
        let minus = sample.delta(HIVE, &arm.name);
        all.insert(arm.name.clone(), judged(arm, control, ours, theirs, minus));
    }
    if let Some(walk) = walk {
        let walked = walk.delta_draws(HIVE, STRONG);
        let theirs = walk.delta(HIVE, STRONG);
        // Another market: the draws are not paired, so each side keeps its own.
        let minus = sample.delta_draws(HIVE, STRONG).zip(walked).map(|((m, d), (walked, draws))| {
            interval(m - walked, d.iter().zip(&draws).map(|(x, y)| x - y).collect(), walk.days())
        });
        all.insert(
            WALK.to_owned(),
            ControlReport {
                what: "the same roster without managers, in a market without any edge, at no cost".to_owned(),
                vs_strong: VsStrong { sharpe: theirs },
                hive_minus_control: minus,
                keeps: None,
                pass: theirs.is_some_and(|i| i.lo <= 0.0 && 0.0 <= i.hi),
            },
        );
    }
    all
}

/// A control's line: what cannot be told passes nothing.
fn judged(
    arm: &Arm,
    control: super::controls::Control,
    ours: Option<f64>,
    theirs: Option<Interval>,
    minus: Option<Interval>,
) -> ControlReport {
    let keeps = ours.filter(|o| *o > 0.0).zip(theirs).map(|(ours, theirs)| theirs.mean / ours);
    // Without an uplift there is nothing to keep, but wrong messages must not make one either.
    let pass = theirs.zip(minus).zip(ours).is_some_and(|((theirs, minus), ours)| {
        let harmless = minus.lo > 0.0 && theirs.mean <= 0.5 * ours.max(0.0);
        harmless && (control != super::controls::Control::Placebo || theirs.lo <= 0.0)
    });
    let vs_strong = VsStrong { sharpe: theirs };
    ControlReport { what: arm.what.to_owned(), vs_strong, hive_minus_control: minus, keeps, pass }
}

fn voices(facts: &StudyFacts, sample: &Sample<'_>) -> Vec<Voices> {
    let step = |(i, arm): (usize, &Arm)| {
        let ArmKind::Account(super::arms::Weighing::Voices(n), _) = arm.kind else { return None };
        let m = sample.metrics(i, facts.target_vol);
        Some(Voices {
            m: n.min(facts.voice_count),
            sharpe: m.sharpe,
            seed_sd: seed_sd(sample, i),
            turnover: m.turnover,
        })
    };
    let mut all: Vec<Voices> = sample.arms.iter().enumerate().filter_map(step).collect();
    all.sort_by_key(|v| v.m);
    all
}

fn dose(facts: &StudyFacts, sample: &Sample<'_>) -> Vec<Dose> {
    let Some(strong) = sample.index_of(STRONG) else { return Vec::new() };
    let base = sample.metrics(strong, facts.target_vol);
    let step = |(i, arm): (usize, &Arm)| {
        let lambda = match arm.kind {
            ArmKind::Fixed(lambda) => lambda,
            // Deaf: the strong baseline itself.
            _ if i == strong => 0.0,
            _ => return None,
        };
        let m = sample.metrics(i, facts.target_vol);
        let bare = sample.arms.iter().position(|a| a.kind == ArmKind::Bare(lambda));
        Some(Dose {
            sharpe_bare: bare.and_then(|b| sample.sharpes(b)).map(|s| mean(&s)),
            lambda,
            sharpe: m.sharpe,
            vs_strong: sample.delta(&arm.name, STRONG),
            max_drawdown_change: change(m.max_drawdown, base.max_drawdown),
        })
    };
    sample.arms.iter().enumerate().filter_map(step).collect()
}

/// A part of the days: Sharpe ratios, and the uplift with an interval of its own draws.
fn part(sample: &Sample<'_>, name: String, from: usize, to: usize) -> Option<RunPart> {
    let [hive, strong, all] = [HIVE, STRONG, ALL].map(|n| sample.index_of(n));
    let (hive, strong, all) = (hive?, strong?, all?);
    let told = |arm: usize| sample.of(arm).all(|t| told_of(&t.daily[from..to], t.running).is_ok());
    let sharpe = |arm: usize| {
        let each: Vec<f64> = sample.of(arm).map(|t| stats::sharpe(&t.daily[from..to])).collect();
        told(arm).then(|| mean(&each))
    };
    let resampled = Resampled::new(to - from, DRAWS / 2);
    let draws = |t: &Vec<super::ArmTrack>| -> Vec<f64> {
        let [a, b] = [hive, strong].map(|arm| resampled.sharpes(&t[arm].daily[from..to]));
        a.iter().zip(b).map(|(x, y)| x - y).collect()
    };
    let vs_strong = sharpe(hive).zip(sharpe(strong)).map(|(h, s)| {
        let differences: Vec<Vec<f64>> = sample.tracks.iter().map(draws).collect();
        interval(h - s, bootstrap::over_seeds(&differences), to - from)
    });
    Some(RunPart {
        part: name,
        days: to - from,
        hive: sharpe(hive),
        strong: sharpe(strong),
        all: sharpe(all),
        vs_strong,
    })
}

fn thirds(sample: &Sample<'_>) -> Vec<RunPart> {
    let n = sample.days();
    let names = ["first third", "second third", "last third"];
    let each = names.iter().enumerate();
    each.filter_map(|(i, name)| part(sample, (*name).to_owned(), n * i / 3, n * (i + 1) / 3)).collect()
}

fn split_parts(facts: &StudyFacts, sample: &Sample<'_>) -> Vec<RunPart> {
    let Some(split) = &facts.split else { return Vec::new() };
    let day = |t: &str| Stamp::parse(t.get(..10)?).map(Stamp::day);
    let (Some(at), Some(from)) = (day(split), day(&facts.from)) else { return Vec::new() };
    let n = sample.days();
    let at = (at - from).clamp(0, n as i64) as usize;
    let halves = [(format!("before {split}"), 0, at), (format!("from {split}"), at, n)];
    halves.into_iter().filter(|(_, a, b)| b - a > 1).filter_map(|(p, a, b)| part(sample, p, a, b)).collect()
}

fn company(sample: &Sample<'_>) -> BTreeMap<String, Likeness> {
    if sample.days() < DAYS_MIN {
        return BTreeMap::new();
    }
    let each: Vec<[Likeness; 2]> =
        sample.tracks.iter().filter_map(|t| t.iter().find_map(|track| track.company)).collect();
    let average = |group: usize| {
        let of = |f: fn(&Likeness) -> f64| mean(&each.iter().map(|c| f(&c[group])).collect::<Vec<_>>());
        Likeness {
            members: of(|c| c.members),
            sharpe: of(|c| c.sharpe),
            correlation: of(|c| c.correlation),
            independent: of(|c| c.independent),
        }
    };
    ["agents", "voices"].iter().enumerate().map(|(i, name)| ((*name).to_owned(), average(i))).collect()
}

fn identity(sample: &Sample<'_>) -> Option<LambdaOneCheck> {
    let bare = sample.arms.iter().position(|a| a.kind == ArmKind::Bare(1.0))?;
    let all = sample.index_of(ALL)?;
    let seed = |t: &Vec<super::ArmTrack>| {
        let pairs = t[bare].daily.iter().zip(&t[all].daily);
        pairs.map(|(x, y)| libm::fabs(x - y)).fold(0.0, f64::max)
    };
    let largest_difference = sample.tracks.iter().map(seed).fold(0.0, f64::max);
    Some(LambdaOneCheck { largest_difference, holds: largest_difference < 1e-9 })
}
