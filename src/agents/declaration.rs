//! What `agents.toml` says of an agent, before a feed and a seed make it one: assets as selectors,
//! numbers as ranges.

use super::personality::{Preset, Traits};
use crate::domain::{Family, Goal, SideRule};
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
    pub family: Family,
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
}

/// Clocks over which scouts look back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clocks {
    /// Half of them as declared, half three times as long.
    #[default]
    Slow,
    /// Half of them as declared, half a third as long.
    Fast,
    /// A third each: as declared, a third as long, three times as long.
    Mixed,
}

impl Clocks {
    /// The words of the file.
    pub const WORDS: &'static [&'static str] = &["slow", "fast", "mixed"];

    /// The name that `agents.toml` has for it.
    pub fn word(self) -> &'static str {
        match self {
            Clocks::Slow => "slow",
            Clocks::Fast => "fast",
            Clocks::Mixed => "mixed",
        }
    }

    /// Finds by word.
    pub fn parse(word: &str) -> Option<Self> {
        [Clocks::Slow, Clocks::Fast, Clocks::Mixed].into_iter().find(|c| c.word() == word)
    }

    /// What look-backs are multiplied by in this round of redrawing the declared agents, the first being 0.
    pub fn factor(self, round: u32) -> f64 {
        match (self, round % 2, round % 3) {
            (Clocks::Slow, 1, _) | (Clocks::Mixed, _, 2) => SLOW,
            (Clocks::Fast, 1, _) | (Clocks::Mixed, _, 1) => 1.0 / SLOW,
            _ => 1.0,
        }
    }
}

/// How much longer slow scouts look back, and how much less far fast ones.
const SLOW: f64 = 3.0;

/// How scouts are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scouting {
    /// Clocks over which they look back.
    pub clocks: Clocks,
    /// Only of the near-neutral families, relative strength and range.
    pub neutral: bool,
}

impl Scouting {
    /// Whether scouts are drawn of this family.
    pub fn draws(self, family: Family) -> bool {
        !self.neutral || matches!(family, Family::RelativeStrength | Family::Range)
    }
}

/// All that is declared of the swarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Roster {
    /// Agents in the order of the file.
    pub agents: Vec<Declaration>,
    /// How many scouts are drawn beside them.
    pub scouts: u32,
    /// How these are drawn.
    pub scouting: Scouting,
    /// Named groups of assets, without the `@`.
    pub groups: BTreeMap<String, Vec<String>>,
    /// The presets of the goals, in the order of [`Goal::ALL`].
    pub presets: [Preset; 4],
}

impl Roster {
    /// How many speak: declared agents and scouts.
    pub fn voices(&self) -> usize {
        let scouts = if self.agents.iter().any(|d| self.scouting.draws(d.family)) { self.scouts } else { 0 };
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

    fn factors(clocks: Clocks) -> Vec<f64> {
        (0..6).map(|round| clocks.factor(round)).collect()
    }

    #[test]
    fn scouts_look_back_over_the_clocks_of_their_round() {
        assert_eq!(factors(Clocks::Slow), [1.0, 3.0, 1.0, 3.0, 1.0, 3.0]);
        let third = 1.0 / 3.0;
        assert_eq!(factors(Clocks::Fast), [1.0, third, 1.0, third, 1.0, third]);
        assert_eq!(factors(Clocks::Mixed), [1.0, third, 3.0, 1.0, third, 3.0]);
    }

    #[test]
    fn every_word_of_the_file_is_a_clock_and_no_other_is() {
        let words: Vec<&str> = Clocks::WORDS.iter().map(|w| Clocks::parse(w).expect(w).word()).collect();
        assert_eq!(words, Clocks::WORDS);
        assert_eq!(Clocks::parse("Slow"), None);
    }

    #[test]
    fn scouts_are_voices_only_where_there_is_somebody_to_draw_them_of() {
        let agent = |family| Declaration {
            name: "A".to_owned(),
            family,
            assets: vec![Selector::Any],
            side: SideRule::Both,
            goal: Goal::Automated,
            personality: String::new(),
            traits: Traits::default(),
            params: BTreeMap::new(),
            funded: true,
        };
        let voices = |family, neutral| {
            Roster {
                agents: vec![agent(family)],
                scouts: 7,
                scouting: Scouting { neutral, clocks: Clocks::Slow },
                groups: BTreeMap::new(),
                presets: [Preset::default(); 4],
            }
            .voices()
        };
        assert_eq!((voices(Family::Trend, false), voices(Family::Trend, true)), (8, 1));
        assert_eq!((voices(Family::Range, true), voices(Family::RelativeStrength, true)), (8, 8));
    }
}
