//! Who an agent is: eight traits, and the preset of the goal it is deployed for.
//!
//! Traits of the first group act in the alone life and so change what is said; those of the second
//! act only on what is made of what was heard. Each has a test that shows what it changes.

use serde::{Deserialize, Serialize};

/// An agent's traits. Bounds and meaning are in [`TRAITS`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traits {
    /// Size of the unit, as a multiple.
    pub aggression: f64,
    /// How long it waits: multiple of the time stop and of the pause between intents.
    pub patience: f64,
    /// How near the stop is: the stop's distance is divided by it.
    pub caution: f64,
    /// How far the targets are, as a multiple.
    pub greed: f64,
    /// How much it adds to what goes well, as a multiple of the preset's add.
    pub conviction: f64,
    /// Added to the λ of humility: −1 never listens, ½ nearly always follows.
    pub sociability: f64,
    /// Refuses to be turned round: goes flat rather than to the other side of its own intent.
    pub no_flip: bool,
    /// The most it holds for the hive, in units, if its own intent is smaller.
    pub max_follow: f64,
}

impl Default for Traits {
    fn default() -> Self {
        Traits {
            aggression: 1.0,
            patience: 1.0,
            caution: 1.0,
            greed: 1.0,
            conviction: 1.0,
            sociability: 0.0,
            no_flip: false,
            max_follow: 3.0,
        }
    }
}

/// A trait as `agents.toml` may set it.
#[derive(Clone, Copy, Debug)]
pub struct TraitSpec {
    /// Key of the trait in `agents.toml`.
    pub name: &'static str,
    /// Smallest and largest value.
    pub bounds: (f64, f64),
    /// What it does, in one line.
    pub what: &'static str,
}

/// The numeric traits; `no_flip` is the one that is true or false.
pub const TRAITS: &[TraitSpec] = &[
    TraitSpec {
        name: "aggression",
        bounds: (0.1, 3.0),
        what: "size of the unit, × (1 = 1 % of own capital at risk per bar)",
    },
    TraitSpec { name: "patience", bounds: (0.25, 4.0), what: "time stop and pause between intents, ×" },
    TraitSpec { name: "caution", bounds: (0.25, 4.0), what: "divides the distance of the stop" },
    TraitSpec { name: "greed", bounds: (0.25, 4.0), what: "distance of the targets, ×" },
    TraitSpec { name: "conviction", bounds: (0.0, 4.0), what: "size of each add, ×" },
    TraitSpec {
        name: "sociability",
        bounds: (-1.0, 0.5),
        what: "added to the λ of humility: −1 never listens",
    },
    TraitSpec { name: "max_follow", bounds: (0.0, 10.0), what: "units it holds at most for the hive" },
];

impl Traits {
    /// Sets a numeric trait by name; false if there is none of that name.
    pub fn set(&mut self, name: &str, value: f64) -> bool {
        let slot = match name {
            "aggression" => &mut self.aggression,
            "patience" => &mut self.patience,
            "caution" => &mut self.caution,
            "greed" => &mut self.greed,
            "conviction" => &mut self.conviction,
            "sociability" => &mut self.sociability,
            "max_follow" => &mut self.max_follow,
            _ => return false,
        };
        *slot = value;
        true
    }
}

/// What being deployed for a goal changes in deed. Data of `agents.toml`; the shipped values are there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// Size of the unit, ×.
    pub unit: f64,
    /// Distance of the stop, ×.
    pub stop: f64,
    /// Distance of the targets, ×.
    pub target: f64,
    /// What the time stop is multiplied by.
    pub hold: f64,
    /// Look-backs of the family, ×: below 1 is faster.
    pub horizon: f64,
    /// How many times an intent may be added to.
    pub adds: u32,
    /// Each add, as a fraction of the first size.
    pub add_size: f64,
    /// Fraction taken off at the near target.
    pub take: f64,
    /// Trailing stop as a multiple of the stop's distance; 0 for none.
    pub trail: f64,
    /// Pause after a close, ×; a short one heals by itself.
    pub pause: f64,
}

impl Default for Preset {
    fn default() -> Self {
        Preset {
            unit: 1.0,
            stop: 1.0,
            target: 1.0,
            hold: 1.0,
            horizon: 1.0,
            adds: 1,
            add_size: 0.5,
            take: 0.5,
            trail: 1.5,
            pause: 1.0,
        }
    }
}

/// The numeric keys of a preset with their bounds; `adds` is a whole number.
pub const PRESET_KEYS: &[TraitSpec] = &[
    TraitSpec { name: "unit", bounds: (0.1, 3.0), what: "size of the unit, ×" },
    TraitSpec { name: "stop", bounds: (0.1, 4.0), what: "distance of the stop, ×" },
    TraitSpec { name: "target", bounds: (0.1, 10.0), what: "distance of the targets, ×" },
    TraitSpec { name: "hold", bounds: (0.1, 10.0), what: "time stop, ×" },
    TraitSpec { name: "horizon", bounds: (0.1, 10.0), what: "look-backs of the family, ×" },
    TraitSpec { name: "adds", bounds: (0.0, 5.0), what: "times an intent may be added to" },
    TraitSpec { name: "add_size", bounds: (0.0, 2.0), what: "each add as a fraction of the first size" },
    TraitSpec { name: "take", bounds: (0.05, 0.95), what: "fraction taken off at the near target" },
    TraitSpec { name: "trail", bounds: (0.0, 10.0), what: "trailing stop in stop distances, 0 for none" },
    TraitSpec { name: "pause", bounds: (0.0, 10.0), what: "pause after a close, ×" },
];

impl Preset {
    /// Sets a key by name; false if there is none of that name.
    pub fn set(&mut self, name: &str, value: f64) -> bool {
        let slot = match name {
            "unit" => &mut self.unit,
            "stop" => &mut self.stop,
            "target" => &mut self.target,
            "hold" => &mut self.hold,
            "horizon" => &mut self.horizon,
            "add_size" => &mut self.add_size,
            "take" => &mut self.take,
            "trail" => &mut self.trail,
            "pause" => &mut self.pause,
            "adds" => {
                self.adds = value as u32;
                return true;
            }
            _ => return false,
        };
        *slot = value;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_key_can_be_set_and_no_other() {
        let mut traits = Traits::default();
        assert!(TRAITS.iter().all(|t| traits.set(t.name, t.bounds.0)));
        assert!(!traits.set("charm", 1.0));
        let mut preset = Preset::default();
        assert!(PRESET_KEYS.iter().all(|t| preset.set(t.name, t.bounds.1)));
        assert!(!preset.set("charm", 1.0));
        assert_eq!(preset.adds, 5);
    }
}
