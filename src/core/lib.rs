//! The pure core of Hive: the swarm, its desk and the engine that steps them. The same settings, seed and
//! events give the same bytes on every machine.
//!
//! Rooms import only upwards in this table; what each is for, and the laws that hold in all of them, are told
//! by the package `hive`, which shows them at its root.
//!
//! | room | what lives here |
//! |---|---|
//! | [`fills`] | what trading costs on bars, when it is worth it, and simulated books |
//! | [`agents`] | one agent: family, personality, mind; casting of a roster |
//! | [`hive`](mod@crate::hive) | the network: bus, consensus, influence, points, goals, managers |
//! | [`treasury`] | points to funds, the desk, the last gate, the drawdown breaker |
//! | [`execution`] | orders as state machines, the paper venue |
//! | [`engine`] | speak, respond, snapshot, state hash |
//! | [`config`] | `agents.toml` to validated types, every mistake at once |
//!
//! Never: opens a file, starts a thread, reads a clock or an unseeded random source, knows a terminal.

// The rooms that these stand on, by the names that everybody calls them.
use hive_domain as domain;
use hive_ledger as ledger;
use hive_market as market;

// The listener of the laws is one file for tests from outside and from inside.
#[cfg(test)]
extern crate self as hive_core;

// In the order of the house; the blank lines keep the formatter from sorting them.
pub mod fills;

pub mod agents;

pub mod hive;

pub mod treasury;

pub mod execution;

pub mod engine;

pub mod config;
