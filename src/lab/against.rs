//! Two hives in one experiment: the one asked about and that of another file, on the same market, seeds,
//! costs and resampled days, each beside its own strong baseline.
//!
//! # Invariants
//!
//! 1. The tape is one and the same, so that nothing can differ but the files.
//! 2. Clock and costs are the same, or there is no comparison: [`fits`] says which is not.

use super::report::{Against, Report, Sample, StudyFacts, Uplift, uplift};
use super::study::Tracks;
use super::{Arm, HIVE, LabWorld, STRONG, arms};
use crate::engine::Settings;

/// The other hive among the arms, and what its uplift is called.
const OTHER: &str = "hive of the other file";
const OTHER_STRONG: &str = "net-eq of the other file";
/// The key of the report.
pub const VS_OTHER: &str = "vs_other";

/// Whether a hive under these settings can be compared with one under those; if not, why.
pub fn fits(ours: &Settings, theirs: &Settings) -> Result<(), String> {
    let differ = |what: &str, a: String, b: String, flag: &str| {
        Err(format!("{what} is {b} there and {a} here, so days could not be compared; give {flag} for both"))
    };
    let (here, there) = (ours.clock.decide, theirs.clock.decide);
    if here != there {
        return differ("the decision clock", here.to_string(), there.to_string(), "--clock");
    }
    if ours.costs != theirs.costs {
        return differ("what trading costs", ours.costs.to_string(), theirs.costs.to_string(), "--costs");
    }
    if ours.money != theirs.money {
        let (here, there) = (ours.money.to_string(), theirs.money.to_string());
        return Err(format!("the capital is {there} there and {here} here; give both files the same"));
    }
    Ok(())
}

/// The two arms that are run of the other file.
pub fn arms() -> Vec<Arm> {
    arms::plan(0).into_iter().filter(|a| a.name == HIVE || a.name == STRONG).collect()
}

/// The same market for another roster.
pub fn world(of: &LabWorld, roster: crate::agents::declaration::Roster, settings: Settings) -> LabWorld {
    LabWorld {
        info: of.info.clone(),
        universe: of.universe.clone(),
        events: of.events.clone(),
        barriers: of.barriers,
        roster,
        settings,
    }
}

/// Puts the comparison into a report: `ours` with the arms of its study, `theirs` with [`arms()`].
pub fn compare(report: &mut Report, study: &[Arm], ours: &Tracks, theirs: &Tracks, threads: usize) {
    let find = |all: &[Arm], name: &str| all.iter().position(|a| a.name == name);
    let other = arms();
    let found = (find(study, HIVE), find(study, STRONG), find(&other, HIVE), find(&other, STRONG));
    let (Some(hive), Some(strong), Some(their_hive), Some(their_strong)) = found else { return };
    let renamed = |index: usize, name: &str| Arm { name: name.to_owned(), ..other[index].clone() };
    let all = [
        study[hive].clone(),
        study[strong].clone(),
        renamed(their_hive, OTHER),
        renamed(their_strong, OTHER_STRONG),
    ];
    let pairs = ours.iter().zip(theirs);
    let tracks: Tracks = pairs
        .map(|(a, b)| [&a[hive], &a[strong], &b[their_hive], &b[their_strong]].map(Clone::clone).into())
        .collect();
    let sample = Sample::new(&all, &tracks, threads);
    let Some(u) = uplift(&report.facts, &sample, OTHER) else { return };
    let against = Against {
        sharpe: sample.sharpe(OTHER),
        vs_strong: sample.delta(OTHER, OTHER_STRONG),
        strong_vs_strong: sample.delta(STRONG, OTHER_STRONG),
        same_strong: tracks.iter().all(|t| t[1].daily == t[3].daily),
    };
    report.notes.insert(0, sentence(&report.facts, &u, &against));
    report.uplift.insert(VS_OTHER.to_owned(), u);
    report.against = Some(against);
}

/// Tells the comparison in a sentence for the report.
fn sentence(facts: &StudyFacts, u: &Uplift, a: &Against) -> String {
    let file = facts.against.as_ref().map_or("the other file", |o| o.file.as_str());
    let known = u.sharpe.zip(a.sharpe).zip(a.vs_strong.zip(a.strong_vs_strong)).zip(u.seeds_won);
    let Some((((s, sharpe), (i, b)), won)) = known else {
        return format!("Against the hive of {file}: not every seed of both can be told.");
    };
    let base = if a.same_strong {
        format!("the {STRONG} of both is the same")
    } else {
        format!("this {STRONG} − its {STRONG} {:+.2} [{:+.2}, {:+.2}]", b.mean, b.lo, b.hi)
    };
    format!(
        "Against the hive of {file}: ΔSharpe {:+.2} [{:+.2}, {:+.2}], paired by seed and day, {:.0} of {} seeds won. That hive has {:.2}, over its own {STRONG} {:+.2} [{:+.2}, {:+.2}]; {base}.",
        s.mean,
        s.lo,
        s.hi,
        libm::rint(won * facts.seeds as f64),
        facts.seeds,
        sharpe,
        i.mean,
        i.lo,
        i.hi
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random;
    use crate::lab::bootstrap::Interval;
    use crate::lab::report::report;
    use crate::lab::stream::ArmTrack;

    fn track(key: u64, edge: f64) -> ArmTrack {
        let day = |t: u64| 0.01 * random::normal(random::key(key, &[t])) + edge;
        ArmTrack { daily: (0..400).map(day).collect(), ..ArmTrack::default() }
    }

    /// Two seeds: hive and net-eq here, the same net-eq and another hive there.
    fn compared(their_strong: u64, edge: f64) -> Report {
        let arms = arms();
        let ours: Tracks = (0..2).map(|s| vec![track(s, 0.0), track(10 + s, edge)]).collect();
        let theirs: Tracks = (0..2).map(|s| vec![track(their_strong + s, 0.0), track(10 + s, 0.0)]).collect();
        let facts = StudyFacts { seeds: 2, target_vol: 0.15, ..StudyFacts::default() };
        let mut r = report(facts, &Sample::new(&arms, &ours, 1), None);
        compare(&mut r, &arms, &ours, &theirs, 1);
        r
    }

    #[test]
    fn a_hive_with_more_edge_on_the_same_days_is_ahead_for_sure() {
        assert_eq!(arms().iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), [STRONG, HIVE]);
        let r = compared(0, 0.001);
        let u = &r.uplift[VS_OTHER];
        assert!(u.sharpe.unwrap().lo > 0.0 && u.seeds_won == Some(1.0), "{u:?}");
        let a = r.against.unwrap();
        assert!(a.same_strong && a.strong_vs_strong == Some(Interval::default()));
        let both = r.uplift["vs_strong"].sharpe.unwrap().mean - a.vs_strong.unwrap().mean;
        assert!((both - u.sharpe.unwrap().mean).abs() < 1e-12, "on one baseline the differences add up");
        assert!(r.notes[0].contains("2 of 2 seeds won") && r.notes[0].contains("of both is the same"));
    }

    #[test]
    fn the_same_hive_is_worth_nothing_over_itself_and_another_baseline_is_told() {
        let r = compared(77, 0.0);
        assert_eq!(r.uplift[VS_OTHER].sharpe, Some(Interval::default()));
        let a = r.against.unwrap();
        assert!(!a.same_strong && a.strong_vs_strong.unwrap().mean != 0.0);
        assert!(r.notes[0].contains("this net-eq − its net-eq"));
    }
}
