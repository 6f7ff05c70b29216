//! A small study: the embedded market of some months, and the arms of one seed on it.

use crate::common::{flat, shipped};
use hive_core::agents::declaration::Scouting;
use hive_core::config::{Config, setup};
use hive_lab::arms::Arm;
use hive_lab::trial::trial;
use hive_lab::{ArmTrack, LabWorld};
use hive_market::synth::{SynthFeed, SynthSettings};

/// Days of the market.
const DAYS: u32 = 150;

/// The roster of bars with so many scouts, at 7 bp a side.
pub fn config(scouts: u32, scouting: Scouting) -> Config {
    let mut config = shipped();
    (config.roster.scouts, config.roster.scouting) = (scouts, scouting);
    flat(&mut config, 0.0007);
    config
}

pub fn world(config: &Config) -> LabWorld {
    world_of(config, DAYS)
}

pub fn world_of(config: &Config, days: u32) -> LabWorld {
    let settings = SynthSettings { bars_days: days, ..SynthSettings::default() };
    let mut feed = SynthFeed::new(settings).unwrap();
    LabWorld::read(&mut feed, config.roster.clone(), setup::settings(config)).unwrap()
}

pub fn tracks(world: &LabWorld, arms: &[Arm]) -> Vec<ArmTrack> {
    trial(world, 1, arms, &|_| true).unwrap()
}
