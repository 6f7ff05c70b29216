//! What `agents.toml` says of an agent, before a feed and a seed make it one: assets as selectors,
//! numbers as ranges.

use super::personality::{Preset, Traits};
use crate::domain::{FamilyId, Goal, Reaction, SideRule};
use std::collections::BTreeMap;

/// Which assets an agent takes up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// This one, `BTC`; skipped, and said so, on a feed without it.
    Name(String),
    /// A named group of the file, `@majors`: those of its members that the feed has.
    Group(String),
    /// The n most traded, `top:8:volume`, taken up once the ranking is known.
    Top(u16),
    /// n drawn by the seed, `random:2`.
    Random(u16),
    /// All but stablecoins, currencies and gold, `any`.
    Any,
}

/// A number, or a range from which the seed draws one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrawnNumber {
    /// Smallest value that may be drawn.
    pub from: f64,
    /// Largest; equal to `from` for a plain number.
    pub to: f64,
}

/// An agent as declared.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// Name that no other agent has.
    pub name: String,
    /// Family whose strategy it trades.
    pub family: FamilyId,
    /// Its assets: the union of the selectors, in their order, each asset once.
    pub assets: Vec<Selector>,
    /// Which sides it takes.
    pub side: SideRule,
    /// The goal it is deployed for, and so its preset.
    pub goal: Goal,
    /// Name of its personality.
    pub personality: String,
    /// Its traits: those of the archetype with the agent's own on top.
    pub traits: Traits,
    /// Parameters of the family that the file sets; the others are drawn from the family's defaults.
    pub params: BTreeMap<String, DrawnNumber>,
    /// False: declared but without funds from the start (it simulates and speaks all the same).
    pub funded: bool,
    /// What it makes of what others do: those of its goal's preset, of its personality, and its own, in this order.
    pub reacts: Vec<Reaction>,
}

/// How scouts differ from the agents that they are drawn of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scouting {
    /// Each watches every asset, so that what they say of one can be held against what they say of all.
    pub everywhere: bool,
    /// A third of them looks back as far as the agents, a third of them a third as far, and a third three times as far.
    pub mixed_clocks: bool,
}

/// Who belongs to a team.
#[derive(Clone, Debug, PartialEq)]
pub enum TeamMembers {
    /// Every agent of the file.
    All,
    /// One by name.
    Agent(String),
    /// Those of a family.
    Family(FamilyId),
    /// Those deployed for a goal.
    DeployedFor(Goal),
}

/// What the manager of a team watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamReading {
    /// How far the real results of its agents have fallen from their highest, as a fraction of what funds they have.
    Drawdown,
    /// How far they lean to one side: net over gross of what they aim at, summed over assets, 0 … 1.
    Crowding,
}

impl TeamReading {
    /// The words of the file.
    pub const ALL: &'static [(&'static str, TeamReading)] =
        &[("drawdown", TeamReading::Drawdown), ("crowding", TeamReading::Crowding)];

    /// Its word in the file.
    pub fn text(self) -> &'static str {
        Self::ALL.iter().find(|(_, r)| *r == self).map_or("", |(word, _)| word)
    }
}

/// A manager that is set over a team: an agent without a view of its own, which holds others back.
#[derive(Clone, Debug, PartialEq)]
pub struct TeamManager {
    /// Name of the manager.
    pub name: String,
    /// What it is deployed for.
    pub goal: Goal,
    /// Whom it manages.
    pub over: Vec<TeamMembers>,
    /// What it watches.
    pub watches: TeamReading,
    /// Above this it turns the size down.
    pub above: f64,
    /// Below this it lets go.
    pub release: f64,
    /// What the members hold while it has turned, as a fraction of what they would.
    pub size: f64,
}

/// All that is declared of the swarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Roster {
    /// Agents in the order of the file.
    pub agents: Vec<Declaration>,
    /// How many scouts are drawn beside them.
    pub scouts: u32,
    /// How scouts differ from the agents that they are drawn of.
    pub scouting: Scouting,
    /// Managers that are set over teams, in the order of the file.
    pub managers: Vec<TeamManager>,
    /// Named groups of assets, without the `@`.
    pub groups: BTreeMap<String, Vec<String>>,
    /// The presets of the goals, in the order of [`Goal::ALL`].
    pub presets: [Preset; 4],
}

impl Roster {
    /// How many speak: declared agents and scouts.
    pub fn voices(&self) -> usize {
        let scouts = if self.agents.is_empty() { 0 } else { self.scouts };
        self.agents.len() + scouts as usize
    }
}

/// A parameter of a family: what may be set in `params`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamSpec {
    /// Key of the parameter in `params`.
    pub name: &'static str,
    /// Its unit, `bars` for look-backs.
    pub unit: &'static str,
    /// The range the seed draws from where the file sets nothing.
    pub default: DrawnNumber,
    /// What is allowed at all.
    pub bounds: DrawnNumber,
    /// What it does, in one line.
    pub what: &'static str,
}

impl ParamSpec {
    /// A whole number of bars, scaled by the preset's horizon and by the clock of a scout.
    pub fn is_lookback(&self) -> bool {
        self.unit == "bars"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scouts_are_voices_only_where_there_is_somebody_to_draw_them_of() {
        let agent = Declaration {
            name: "A".to_owned(),
            family: FamilyId::Trend,
            assets: vec![Selector::Any],
            side: SideRule::Both,
            goal: Goal::Automated,
            personality: String::new(),
            traits: Traits::default(),
            params: BTreeMap::new(),
            funded: true,
            reacts: Vec::new(),
        };
        let voices = |agents| {
            let (groups, presets) = (BTreeMap::new(), [Preset::default(); 4]);
            Roster { agents, scouts: 7, scouting: Scouting::default(), managers: Vec::new(), groups, presets }
                .voices()
        };
        assert_eq!((voices(vec![agent]), voices(vec![])), (8, 0));
    }
}
