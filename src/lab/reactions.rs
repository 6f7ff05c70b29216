//! What answering is worth: the same alone words, the same weights and the same desk in every arm, and money on the open
//! lives of agents that live by no reaction, by one alone, by all but one, or by all; and beside them all reactions, hearing
//! words that must not help.
//!
//! ```text
//! none ── one alone (each) ── all but one (each) ── all        money on open lives, λ = 0: nothing but reactions differs
//! all, hearing: another sender | another asset | another sign | another time        "all" less these is what hearing gives
//! hive, money on alone lives ── hive, money on open lives                           as it is set up
//! ```
//!
//! # Invariants
//!
//! 1. `none` is `net-eq`: where no reaction acts an open life is the alone one.
//! 2. A control takes the truth out of all words that reactions hear, those of open lives too, and leaves how many there are
//!    of each kind nearly as it is. Readings of goals are of the arm's own account and stay what they are.
//! 3. Intervals are paired by seed and resampled day; those of single reactions are judged by Holm's correction, over those
//!    alone and over those left out.

use super::arms::{Arm, ArmKind};
use super::goals::Compared;
use super::reaction_controls::WordControl;
use super::report::{ReactionLine, ReactionReport, Report, Sample};
use super::stats::{self, mean};
use super::{HIVE, STRONG};
use crate::agents::Population;
use crate::agents::declaration::Roster;
use crate::agents::reactions::AgentReaction;
use crate::domain::random;
use std::collections::BTreeSet;

/// Money on open lives that live by no reaction.
pub const NONE: &str = "open none";
/// Money on open lives that live by all of them.
pub const ALL: &str = "open all";
/// The hive as it is set up, with money on open lives.
pub const HIVE_OPEN: &str = "hive open";

/// Which reactions agents live by, one of them named by the key of its name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RuleSet {
    /// None.
    None,
    /// This one alone.
    Only(u64),
    /// All but this one.
    But(u64),
    /// All of them, hearing the truth or what must not help.
    All(Option<WordControl>),
}

impl RuleSet {
    /// Leaves agents the reactions of the set.
    pub fn keep(self, cast: &mut Population) {
        for agent in &mut cast.agents {
            let stays = |r: &&AgentReaction| match self {
                RuleSet::None => false,
                RuleSet::Only(key) => random::name(&r.rule.name) == key,
                RuleSet::But(key) => random::name(&r.rule.name) != key,
                RuleSet::All(_) => true,
            };
            agent.reacts = agent.reacts.iter().filter(stays).cloned().collect();
        }
    }

    /// What its reactions hear in place of the truth.
    pub fn control(self) -> Option<WordControl> {
        if let RuleSet::All(control) = self { control } else { None }
    }
}

/// The names of all reactions of a roster, in order.
pub fn names(roster: &Roster) -> Vec<String> {
    let all: BTreeSet<&str> = roster.agents.iter().flat_map(|a| &a.reacts).map(|r| r.name.as_str()).collect();
    all.into_iter().map(str::to_owned).collect()
}

fn only(name: &str) -> String {
    format!("+{name}")
}

fn but(name: &str) -> String {
    format!("−{name}")
}

/// The arms of `--reactions` for a roster with reactions of these names.
pub fn plan(names: &[String]) -> Vec<Arm> {
    let arm = |name: &str, of, what| Arm { name: name.to_owned(), kind: ArmKind::Reacting(of), what };
    let mut all = vec![
        arm(NONE, RuleSet::None, "open lives without reactions: must equal net-eq"),
        arm(ALL, RuleSet::All(None), "open lives with all reactions"),
    ];
    let key = |name: &String| random::name(name);
    all.extend(names.iter().map(|n| arm(&only(n), RuleSet::Only(key(n)), "with this reaction alone")));
    all.extend(names.iter().map(|n| arm(&but(n), RuleSet::But(key(n)), "with all reactions but this one")));
    all.extend(WordControl::ALL.map(|c| arm(c.name(), RuleSet::All(Some(c)), c.what())));
    let what = "the hive as it is set up, money on open lives";
    all.push(Arm { name: HIVE_OPEN.to_owned(), kind: ArmKind::ShippedOpen, what });
    all
}

/// The pairs that are compared: of each arm what it has over that which differs from it in one thing.
pub fn pairs(arms: &[Arm]) -> Vec<(String, String)> {
    let has = |name: &str| arms.iter().any(|a| a.name == name);
    let mut all = Vec::new();
    for arm in arms {
        let pair = match arm.kind {
            ArmKind::Reacting(RuleSet::Only(_) | RuleSet::All(None)) => (arm.name.as_str(), NONE),
            ArmKind::Reacting(RuleSet::But(_) | RuleSet::All(Some(_))) => (ALL, arm.name.as_str()),
            ArmKind::ShippedOpen => (arm.name.as_str(), HIVE),
            _ => continue,
        };
        if has(pair.0) && has(pair.1) {
            all.push((pair.0.to_owned(), pair.1.to_owned()));
        }
    }
    all
}

/// What is said of reactions, where they were asked for; `compared` has the pairs.
pub(super) fn told(report: &mut Report, sample: &Sample<'_>) {
    if sample.index_of(NONE).is_none() {
        return;
    }
    let line = |arm: &Arm, ours: &str, theirs: &str| -> Option<ReactionLine> {
        let found = |c: &&Compared| c.ours == ours && c.theirs == theirs;
        let compared = report.compared.iter().find(found)?.clone();
        let of = sample.index_of(&arm.name)?;
        let each = |f: fn(&super::ArmTrack) -> f64| mean(&sample.of(of).map(f).collect::<Vec<_>>());
        let p = sample.delta_draws(ours, theirs).map(|(_, draws)| stats::two_sided(&draws));
        let (deeds, company) = (each(|t| t.deeds), each(|t| t.apart));
        Some(ReactionLine { what: arm.what.to_owned(), deeds, company, compared, p, holm: None })
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
fn has_acted(line: &ReactionLine) -> bool {
    line.compared.sharpe.is_some_and(|s| (s.mean, s.lo, s.hi) != (0.0, 0.0, 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reaction_has_an_arm_with_it_alone_and_one_without_and_is_held_against_what_differs_in_it() {
        let names = ["a".to_owned(), "b".to_owned()];
        let arms = plan(&names);
        let pairs = pairs(&arms);
        let held = |ours: &str, theirs: &str| pairs.iter().any(|p| p.0 == ours && p.1 == theirs);
        assert!(held("+a", NONE) && held(ALL, "−b") && held(ALL, NONE) && held(ALL, "another sender"));
        // The hive has arms of its own, and is no part of this plan.
        assert_eq!(pairs.len(), 2 + 2 + 1 + WordControl::ALL.len());
        let mut all: Vec<&str> = arms.iter().map(|a| a.name.as_str()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), arms.len());
    }
}
