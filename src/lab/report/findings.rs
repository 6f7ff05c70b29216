//! From tracks to the report: numbers of every arm, controls, curves and parts of the run.

use super::contract::{
    ArmReport, ControlReport, Dose, HiringPart, LambdaOneCheck, PartDifference, Report, RunPart,
    StrongestBaseline, StudyFacts, Voices, VsStrong, WALK,
};
use super::uplift::{change, spread, uplift};
use crate::domain::Stamp;
use crate::lab::across_trace::AcrossTrace;
use crate::lab::arms::{Arm, ArmKind, Weighing};
use crate::lab::bootstrap::{self, DRAWS, Interval, Resampled, interval};
use crate::lab::controls::Control;
use crate::lab::goals::GOAL_DRAWS;
use crate::lab::metrics::{self, DAYS_MIN, told_of};
use crate::lab::sample::Sample;
use crate::lab::stats::{self, mean};
use crate::lab::stream::{ArmTrack, Grown, Likeness};
use crate::lab::{ALL, ALONE, HIVE, RULE, STRONG, across, answered, hires, served, verdict};
use std::collections::BTreeMap;

/// Parts in which a run is told where accounts hire.
const HIRING_PARTS: usize = 5;

/// The report. `walk` is the hive and the strong baseline in a market without any edge, at no cost.
pub fn report(facts: StudyFacts, sample: &Sample<'_>, walk: Option<&Sample<'_>>) -> Report {
    let mut report = Report {
        ladder: sample
            .arms
            .iter()
            .filter(|a| {
                a.control().is_none()
                    && !a.is_step()
                    && !a.is_misserved()
                    && !a.is_blind()
                    && !a.is_reacting()
                    && (!a.is_across() || across::LADDER.contains(&a.name.as_str()))
            })
            .map(|a| a.name.clone())
            .collect(),
        arms: sample.arms.iter().enumerate().map(|(i, a)| (a.name.clone(), arm(&facts, sample, i))).collect(),
        voices: voices(&facts, sample),
        dose: dose(&facts, sample),
        thirds: thirds(sample),
        split_parts: split_parts(&facts, sample),
        across: traces(sample),
        hiring: hiring(sample),
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
    report.strongest = strongest(&report, sample);
    report.controls = controls(&report, sample, walk);
    report.compared = sample.compared(report.facts.target_vol);
    answered::told(&mut report, sample);
    report.notes = verdict::notes(&report);
    report.notes.extend(untold(sample));
    report.verdict = verdict::verdict(&report);
    report
}

/// The best of all systems of the ladder that are no hive; none where the hive was not run.
fn strongest(report: &Report, sample: &Sample<'_>) -> Option<StrongestBaseline> {
    sample.index_of(HIVE)?;
    let is_baseline = |arm: &&Arm| report.ladder.contains(&arm.name) && arm.is_baseline();
    let known = sample.arms.iter().filter(is_baseline);
    let each: Vec<(f64, &str)> =
        known.filter_map(|a| Some((report.arms.get(&a.name)?.metrics.sharpe?, a.name.as_str()))).collect();
    let (sharpe, name) = each.iter().copied().max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(StrongestBaseline {
        name: name.to_owned(),
        sharpe,
        of: each.len(),
        hive_less: sample.delta(HIVE, name),
    })
}

/// Why some arms have no numbers, a sentence each.
fn untold(sample: &Sample<'_>) -> Vec<String> {
    let mut why: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (i, arm) in sample.arms.iter().enumerate() {
        let each: Vec<_> = sample.of(i).filter_map(|t| metrics::check(t).err()).collect();
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
    control: Control,
    ours: Option<f64>,
    theirs: Option<Interval>,
    minus: Option<Interval>,
) -> ControlReport {
    let keeps = ours.filter(|o| *o > 0.0).zip(theirs).map(|(ours, theirs)| theirs.mean / ours);
    // Without an uplift there is nothing to keep, but wrong messages must not make one either.
    let pass = theirs.zip(minus).zip(ours).is_some_and(|((theirs, minus), ours)| {
        let harmless = minus.lo > 0.0 && theirs.mean <= 0.5 * ours.max(0.0);
        harmless && (control != Control::Placebo || theirs.lo <= 0.0)
    });
    let vs_strong = VsStrong { sharpe: theirs };
    ControlReport { what: arm.what.to_owned(), vs_strong, hive_minus_control: minus, keeps, pass }
}

fn voices(facts: &StudyFacts, sample: &Sample<'_>) -> Vec<Voices> {
    let step = |(i, arm): (usize, &Arm)| {
        let ArmKind::Account(Weighing::Voices(n), _) = arm.kind else { return None };
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

/// Sharpe ratio of an arm in a part of the days, mean over seeds; none where one is not told.
fn part_sharpe(sample: &Sample<'_>, arm: usize, (from, to): (usize, usize)) -> Option<f64> {
    let is_told = sample.of(arm).all(|t| told_of(&t.daily[from..to], t.running).is_ok());
    let each: Vec<f64> = sample.of(arm).map(|t| stats::sharpe(&t.daily[from..to])).collect();
    is_told.then(|| mean(&each))
}

/// One arm's Sharpe ratio less another's in a part of the days, with an interval of its own draws.
fn difference(
    sample: &Sample<'_>,
    (ours, theirs): (usize, usize),
    (from, to): (usize, usize),
) -> Option<Interval> {
    let resampled = Resampled::new(to - from, DRAWS / 2);
    let draws = |t: &Vec<ArmTrack>| -> Vec<f64> {
        let [a, b] = [ours, theirs].map(|arm| resampled.sharpes(&t[arm].daily[from..to]));
        a.iter().zip(b).map(|(x, y)| x - y).collect()
    };
    let [a, b] = [ours, theirs].map(|arm| part_sharpe(sample, arm, (from, to)));
    let measured = a? - b?;
    let differences: Vec<Vec<f64>> = sample.tracks.iter().map(draws).collect();
    Some(interval(measured, bootstrap::over_seeds(&differences), to - from))
}

/// The run in parts of equal length, where some accounts hire.
/// Where the Sharpe ratio comes from of what is split, and of its controls.
fn traces(sample: &Sample<'_>) -> Vec<AcrossTrace> {
    let arms = sample.arms.iter().enumerate();
    let ours = arms.filter(|(_, a)| across::MAIN.iter().any(|ours| a.name.starts_with(ours)));
    ours.filter_map(|(i, a)| AcrossTrace::of(&a.name, sample.of(i))).collect()
}

fn hiring(sample: &Sample<'_>) -> Vec<HiringPart> {
    let Some(growing) = sample.index_of(hires::ADDS) else { return Vec::new() };
    let n = sample.days();
    let part = |i: usize| {
        let (from, to) = (n * i / HIRING_PARTS, n * (i + 1) / HIRING_PARTS);
        let grown = |t: &ArmTrack| t.grown.iter().rfind(|g| g.day < t.first_day + to as i64).copied();
        let of = |figure: fn(Grown) -> f64| {
            let each: Vec<f64> = sample.of(growing).map(|t| grown(t).map_or(0.0, figure)).collect();
            mean(&each)
        };
        let pair = |(ours, theirs): &(&str, &str)| {
            let arms = sample.index_of(ours).zip(sample.index_of(theirs))?;
            let sharpe = difference(sample, arms, (from, to));
            Some(PartDifference { ours: (*ours).to_owned(), theirs: (*theirs).to_owned(), sharpe })
        };
        HiringPart {
            part: format!("days {}–{to}", from + 1),
            days: to - from,
            voices: of(|g| f64::from(g.voices)),
            closed: of(|g| g.closed as f64),
            over: hires::OVER_TIME.iter().filter_map(pair).collect(),
        }
    };
    if n < HIRING_PARTS * DAYS_MIN { Vec::new() } else { (0..HIRING_PARTS).map(part).collect() }
}

/// A part of the days: Sharpe ratios, and the uplift with an interval of its own draws.
fn part(sample: &Sample<'_>, name: String, from: usize, to: usize) -> Option<RunPart> {
    let [hive, strong, all] = [HIVE, STRONG, ALL].map(|n| sample.index_of(n));
    let (hive, strong, all) = (hive?, strong?, all?);
    let sharpe = |arm: usize| part_sharpe(sample, arm, (from, to));
    let vs_strong = difference(sample, (hive, strong), (from, to));
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
    let seed = |t: &Vec<ArmTrack>| {
        let pairs = t[bare].daily.iter().zip(&t[all].daily);
        pairs.map(|(x, y)| libm::fabs(x - y)).fold(0.0, f64::max)
    };
    let largest_difference = sample.tracks.iter().map(seed).fold(0.0, f64::max);
    Some(LambdaOneCheck { largest_difference, holds: largest_difference < 1e-9 })
}
