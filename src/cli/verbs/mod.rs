//! The verbs of `hive`, one a file: the arguments of each, and what it does.

pub mod agents;
pub mod attach;
pub mod backup;
pub mod bench;
pub mod completions;
pub mod config;
pub mod ctl;
pub mod data;
pub mod export;
pub mod journal;
pub mod lab;
pub mod log;
pub mod man;
pub mod prove;
pub mod talk;
