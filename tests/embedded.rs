//! The embedded market in detail, from outside: takers against real data, makers on it and on tapes
//! that are written here, and a month of the full house by the real binary.
//!
//! Real files are looked at where they are: in the folder that `HIVE_TEST_DATA` names.

mod makers;
mod month;
mod takers;

/// The full house.
const ROSTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/rosters/full-house.toml");

/// The binary, without the settings of whoever runs the tests.
fn hive() -> std::process::Command {
    let mut command = std::process::Command::new(crate::cli::hand::program());
    for (name, _) in std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("HIVE_")) {
        command.env_remove(name);
    }
    command.stdin(std::process::Stdio::null());
    command
}
