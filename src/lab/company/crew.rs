//! How many agents: the declared ones with funds, fewer of them, or more of the same kind.
//!
//! # Invariants
//!
//! 1. Only who has funds and trades on its own is in it, scouts, control groups and structured agents are not: what an agent
//!    says depends on nobody else, so those who stay say what they said before.
//! 2. Fewer: the first of the file. More: the file is declared again in its order, each time under new names
//!    (`Mira`, then `Mira-2`, `Mira-3`), so that every draw that goes by names differs; what the file names or
//!    sets itself stays.

use crate::agents::declaration::{Declaration, ParamSpec, Roster};
use crate::agents::families;

/// The agents that take part as they are declared.
pub fn declared(roster: &Roster) -> Vec<&Declaration> {
    roster.agents.iter().filter(|d| d.funded && !d.family.is_structured() && !is_control(d)).collect()
}

/// Whether it is a control group, which has no funds on any feed.
fn is_control(d: &Declaration) -> bool {
    let least = |spec: &ParamSpec| d.params.get(spec.name).copied().unwrap_or(spec.default).from;
    let params: Vec<f64> = families::info(d.family).params.iter().map(least).collect();
    families::is_control(d.family, &params)
}

/// A roster of so many agents; of none if nobody is declared with funds.
pub fn of(roster: &Roster, agents: usize) -> Roster {
    let declared = declared(roster);
    let one = |i: usize, d: &Declaration| {
        let round = i / declared.len() + 1;
        let name = if round == 1 { d.name.clone() } else { format!("{}-{round}", d.name) };
        Declaration { name, ..d.clone() }
    };
    let taken = declared.iter().cycle().take(if declared.is_empty() { 0 } else { agents });
    Roster {
        agents: taken.enumerate().map(|(i, d)| one(i, d)).collect(),
        scouts: 0,
        scouting: roster.scouting,
        managers: Vec::new(),
        groups: roster.groups.clone(),
        presets: roster.presets,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_are_the_first_and_more_have_new_names() {
        let roster = crate::config::shipped().unwrap().roster;
        let all = declared(&roster).len();
        assert!(all >= 30);
        let (few, many) = (of(&roster, 5), of(&roster, 2 * all + 1));
        assert_eq!(few.agents[..], roster.agents[..5]);
        let mut names: Vec<&str> = many.agents.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names[all], format!("{}-2", names[0]));
        assert_eq!(names[2 * all], format!("{}-3", names[0]));
        names.sort_unstable();
        names.dedup();
        assert_eq!((names.len(), many.scouts), (2 * all + 1, 0));
    }
}
