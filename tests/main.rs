//! What the package promises: the program as people run it, over its socket and in a terminal, what it is killed by,
//! its examples, what agents say, and the rules that the source keeps. One program, so that all of the house is
//! linked once; a part of it is run by its name: `cargo test --test hive-tests cli::`. What needs less than the
//! package stands with its crate, in `src/core/tests`, `src/lab/tests` and `src/market/tests`.

// Tests fail by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../src/core/tests/common/mod.rs"]
mod common;

mod answers;
mod attach;
mod backup;
mod before;
mod beside;
mod cli;
mod cockpit;
mod data;
mod disk_full;
mod doubt;
mod embedded;
mod field_inputs;
mod flows;
mod hostile;
mod house;
mod kill;
mod kill_switch;
mod lab;
mod laws;
mod live;
mod memory;
mod migrate;
mod prove;
mod pty;
mod rosters;
mod screen;
mod services;
mod talk;
mod talk_log;
mod tidy;
mod tree;
mod wire;
