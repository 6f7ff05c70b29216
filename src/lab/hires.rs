//! Whether the swarm gets stronger as it goes on: accounts of the agents with funds that take in scouts, quarter by quarter, by what
//! each adds to the rest, by its own record, and by chance; and what there is over that and over everybody alone, part by part of the
//! run, beside how many intents were closed by then.
//!
//! # Invariants
//!
//! 1. All of them weigh their members alike and follow as the desk does: who takes part is the one difference.
//! 2. Chance is drawn several times, and what a rule has over it is told against each.

use super::arms::{Arm, ArmKind, Follows, Weighing};
use super::hire_rule::HireRule;
use super::{ALL, ALONE, HIVE, STRONG};

/// Recruiting by what a scout adds.
pub const ADDS: &str = "hires adds";
/// Recruiting by the own record.
pub const RECORD: &str = "hires record";
/// Recruiting by chance, draw by draw.
pub const CHANCE: [&str; 3] = ["hires chance 1", "hires chance 2", "hires chance 3"];

/// The arms of `--hires`.
pub fn plan() -> Vec<Arm> {
    let arm = |name: &str, rule, what| {
        let kind = ArmKind::Account(Weighing::Hired(rule), Follows::Desk);
        Arm { name: name.to_owned(), kind, what }
    };
    let mut all = vec![
        arm(ADDS, HireRule::Adds, "six scouts a quarter, by what each adds to the rest"),
        arm(RECORD, HireRule::Record, "six scouts a quarter, by their own record"),
    ];
    let draws = CHANCE.iter().zip(1..);
    all.extend(draws.map(|(name, n)| arm(name, HireRule::Chance(n), "six scouts a quarter, by chance")));
    all
}

/// The pairs that are compared.
pub fn pairs(arms: &[Arm]) -> Vec<(String, String)> {
    let has = |name: &str| arms.iter().any(|a| a.name == name);
    let mut all: Vec<(&str, &str)> =
        [ADDS, RECORD].into_iter().flat_map(|ours| CHANCE.map(|theirs| (ours, theirs))).collect();
    for ours in [ADDS, RECORD, CHANCE[0]] {
        all.extend([(ours, STRONG), (ours, ALL)]);
    }
    all.retain(|(ours, theirs)| has(ours) && has(theirs));
    all.into_iter().map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned())).collect()
}

/// What is told part by part of the run.
pub const OVER_TIME: [(&str, &str); 4] = [(ADDS, CHANCE[0]), (ADDS, STRONG), (STRONG, ALONE), (HIVE, ALONE)];
