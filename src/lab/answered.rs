//! What is said of answering: each arm of reactions against the one that differs from it in one thing, corrected for how
//! many were looked at.

use super::arms::{Arm, ArmKind};
use super::goals::Compared;
use super::reactions::{ALL, NONE};
use super::report::{ReactionReport, ReactionWorth, Report, Sample};
use super::rule_sets::RuleSet;
use super::stats::{self, mean};
use super::{HIVE, STRONG};

/// What is said of reactions, where they were asked for; `compared` has the pairs.
pub(super) fn told(report: &mut Report, sample: &Sample<'_>) {
    if sample.index_of(NONE).is_none() {
        return;
    }
    let line = |arm: &Arm, ours: &str, theirs: &str| -> Option<ReactionWorth> {
        let found = |c: &&Compared| c.ours == ours && c.theirs == theirs;
        let compared = report.compared.iter().find(found)?.clone();
        let of = sample.index_of(&arm.name)?;
        let each = |f: fn(&super::ArmTrack) -> f64| mean(&sample.of(of).map(f).collect::<Vec<_>>());
        let p = sample.delta_draws(ours, theirs).map(|(_, draws)| stats::two_sided(&draws));
        let (deeds, company) = (each(|t| t.deeds), each(|t| t.apart));
        Some(ReactionWorth { what: arm.what.to_owned(), deeds, company, compared, p, holm: None })
    };
    let mut told = ReactionReport::default();
    for arm in sample.arms {
        let name = arm.name.clone();
        match arm.kind {
            ArmKind::Reacting(RuleSet::Only(_)) => {
                told.alone.extend(line(arm, &name, NONE).map(|l| (name.clone(), l)));
            }
            ArmKind::Reacting(RuleSet::But(_)) => {
                told.left_out.extend(line(arm, ALL, &name).map(|l| (name.clone(), l)));
            }
            ArmKind::Reacting(RuleSet::All(None)) => told.all = line(arm, &name, NONE),
            ArmKind::Reacting(RuleSet::All(Some(_))) => {
                told.controls.extend(line(arm, ALL, &name).map(|l| (name.clone(), l)));
            }
            ArmKind::ShippedOpen => told.hive = line(arm, &name, HIVE),
            _ => {}
        }
    }
    // Who never acts is no test of anything.
    for group in [&mut told.alone, &mut told.left_out] {
        let known: Vec<(String, f64)> = group
            .iter()
            .filter(|(_, l)| l.compared.sharpe.is_some())
            .filter_map(|(n, l)| Some((n.clone(), l.p?)))
            .collect();
        let tested: Vec<&(String, f64)> = known.iter().filter(|(n, _)| has_acted(&group[n])).collect();
        let corrected = stats::holm(&tested.iter().map(|t| t.1).collect::<Vec<_>>());
        let names: Vec<String> = tested.iter().map(|t| t.0.clone()).collect();
        for (name, p) in names.iter().zip(corrected) {
            if let Some(line) = group.get_mut(name) {
                line.holm = Some(p);
            }
        }
    }
    told.is_net_eq = sample
        .index_of(STRONG)
        .zip(sample.index_of(NONE))
        .map(|(a, b)| sample.tracks.iter().all(|t| t[a].daily == t[b].daily));
    report.reactions = Some(told);
}

/// Whether a pair differs at all: a reaction that never acted changes no day.
fn has_acted(line: &ReactionWorth) -> bool {
    line.compared.sharpe.is_some_and(|s| (s.mean, s.lo, s.hi) != (0.0, 0.0, 0.0))
}
