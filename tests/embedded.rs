//! The embedded market in detail, from outside: its facts against real data, makers on it and on tapes
//! that are written here, and a month of the full house by the real binary.
//!
//! Real files are looked at where they are: in the folder that `HIVE_TEST_DATA` names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "embedded/facts.rs"]
mod facts;
#[path = "embedded/makers.rs"]
mod makers;
#[path = "embedded/month.rs"]
mod month;

/// The full house.
const ROSTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/rosters/full-house.toml");

/// The binary, without the settings of whoever runs the tests.
fn hive() -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hive"));
    for (name, _) in std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("HIVE_")) {
        command.env_remove(name);
    }
    command.stdin(std::process::Stdio::null());
    command
}
