//! Hive (work in progress)
pub mod domain;
pub mod ledger;
pub mod market;
pub mod fills;
pub mod agents;
pub mod hive;
pub mod treasury;
pub mod execution;
pub mod engine;
pub mod config;
pub mod runtime;
pub mod cli;
