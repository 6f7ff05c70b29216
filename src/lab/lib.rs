//! The lab: the experiment that says whether talking is worth anything, on any data, so that nobody has
//! to be believed. One `speak` a seed, all arms fed the same utterances in lock-step.
//!
//! Entry points: [`arms::plan`] for what is tried, [`trial::trial`] for one seed, [`study`] for all of
//! them on both cores, [`report::report`] for the JSON contract, [`against`] for two hives in one
//! experiment, [`html::page`] for the pictures, [`explain::explain`] for the words, [`page::page`] for the
//! cockpit, [`services`] for agents that serve each other, [`served`] for what is said of them,
//! [`working`] for what working orders costs, [`reactions`] for what answering is worth, [`hires`] for whether it gets stronger, [`goals`] for what is compared beside the
//! Sharpe ratio, [`joint`] for one figure over several markets, [`designed`] for what is a reproduction,
//! [`bystanders`] for who stands by, [`result_cache::ResultFolder`] for what survives between runs.
//!
//! # Invariants
//!
//! 1. An arm is a setting, never other code: arms that listen are the engine's own [`Respond`], and
//!    accounts over voices are its own [`Real`] (desk, gate, venue, books) with one book.
//! 2. Same data, roster, seeds and settings give the same report, byte for byte, whatever the number of
//!    threads and whether or not it was interrupted.
//! 3. What decides at a bar was known at that bar. Only controls that hear another time of the run do not keep to
//!    it, and they exist to be wrong.
//! 4. Every comparison pairs the same seeds, days and resampled days.
//! 5. What cannot be told is empty: never zero, and never infinite ([`metrics`] says when that is).
//!
//! It never tunes: nothing here searches for a better setting, and every arm that was looked at counts as
//! a variant.
//!
//! [`Respond`]: crate::engine::respond::Respond
//! [`Real`]: crate::engine::real::Real

// The room by its name, and those it stands on by theirs, as everybody calls them.
use crate as lab;
#[cfg(test)]
use hive_core::config;
use hive_core::{agents, engine, fills, hive, treasury};
use hive_domain as domain;
use hive_ledger as ledger;
use hive_market as market;
use hive_view as view;

pub mod account;
pub mod across;
pub mod across_aims;
pub mod across_arm;
pub mod across_days;
pub mod across_trace;
pub mod acrosstables;
pub mod against;
pub mod allocate;
pub mod answered;
pub mod arms;
pub mod bootstrap;
pub mod bystanders;
pub mod company;
pub mod controls;
pub mod designed;
pub mod draw;
pub mod explain;
pub mod goals;
pub mod goaltables;
pub mod hire_rule;
pub mod hires;
pub mod hiretables;
pub mod html;
pub mod joint;
pub mod listen;
pub mod metrics;
pub mod page;
pub mod reaction_controls;
pub mod reactions;
pub mod reactiontables;
pub mod record;
pub mod report;
pub mod result_cache;
pub mod rule_sets;
pub mod rules;
pub mod sample;
pub mod served;
pub mod service_controls;
pub mod service_flags;
pub mod services;
pub mod shares;
pub mod silos;
pub mod stats;
pub mod stream;
pub mod study;
pub mod tables;
pub mod trial;
pub mod verdict;
pub mod words;
pub mod working;

pub use arms::{Arm, ArmKind};
pub use report::Report;
pub use stream::ArmTrack;
pub use study::{LabWorld, LadderStudy};

/// Version of what a finished arm is kept as; raised when an arm's meaning changes.
pub const VERSION: u32 = 9;
/// The strong baseline, fixed before the first run: the same funded agents, deaf, equally weighted, netted,
/// as patient, at the same risk target.
pub const STRONG: &str = "net-eq";
/// The shipped mechanism.
pub const HIVE: &str = "hive";
/// All voices equally funded in one account.
pub const ALL: &str = "net-all";
/// Every agent about its own business.
pub const ALONE: &str = "alone";
/// One simple rule with the same execution.
pub const RULE: &str = "tsmom6";
/// Days from here on are held out: the mechanism was designed on what came before.
pub const HELD_OUT_FROM: &str = "2023-07-01";
/// Every variant that was looked at so far, one a row.
pub const TRIES: &str = include_str!("../../assets/lab/tries.tsv");

/// How many variants were looked at before this run.
pub fn tries() -> usize {
    TRIES.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()).count().saturating_sub(1)
}
