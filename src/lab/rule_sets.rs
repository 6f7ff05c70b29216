//! Which of a roster's reactions an arm leaves its agents, and whether they hear the truth.

use super::reaction_controls::WordControl;
use crate::agents::Population;
use crate::agents::reactions::AgentReaction;
use crate::domain::random;

/// Which reactions agents live by, one of them named by the key of its name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RuleSet {
    /// None of them.
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
