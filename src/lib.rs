//! Hive (work in progress)
pub mod agents;
pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod execution;
pub mod fills;
pub mod hive;
pub mod ledger;
pub mod market;
pub mod runtime;
pub mod treasury;
pub mod view;
