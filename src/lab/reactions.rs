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

use super::HIVE;
use super::arms::{Arm, ArmKind};
use super::reaction_controls::WordControl;
use super::rule_sets::RuleSet;
use crate::agents::declaration::Roster;
use crate::domain::random;
use std::collections::BTreeSet;

/// Money on open lives that live by no reaction.
pub const NONE: &str = "open none";
/// Money on open lives that live by all of them.
pub const ALL: &str = "open all";
/// The hive as it is set up, with money on open lives.
pub const HIVE_OPEN: &str = "hive open";

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
