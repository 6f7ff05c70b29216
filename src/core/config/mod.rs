//! Reads `agents.toml` into the rooms' own types: the whole of it or, if anything is wrong, a list of
//! everything that is, each with file, line, column and the way out.
//!
//! Entry points: [`parse`] for a file alone, [`load`] with the layers on top of it, [`READY`] for the
//! rosters that are built in, [`show`] and [`roster_hash`] for what came out,
//! [`setup`] for what the engine is told of it.
//!
//! A text is read by `load`: scalar settings through `layers` by the rows of `table`, the swarm through `roster` and
//! `agent`, all by one `reader`, which collects what is wrong; what comes out is in `checked`.
//!
//! # Invariants
//!
//! 1. Every problem is reported, once: a mistake makes no follow-on problems.
//! 2. A [`Config`] that came out of here is within all bounds and free of contradictions.
//! 3. Flags beat `HIVE_*` variables beat the file beat the defaults; for every scalar setting
//!    [`Origins`] knows which of them spoke last.
//! 4. Equal [`roster_hash`], seed and events give equal decisions.
//! 5. No text makes it panic.
//!
//! It never reads a file or the environment: texts and variables are given to it. It never puts a
//! default in the place of a value that it could not read.

mod agent;
mod character;
mod checked;
mod layers;
mod load;
mod names;
mod params;
mod problem;
mod reaction;
mod reader;
mod ready;
mod roster;
mod selector;
mod setting;
pub mod setup;
mod show;
mod table;
pub mod team;
#[cfg(test)]
mod tests;

pub use checked::Config;
pub use layers::{Origin, Origins, Override, ReactionHolder, ReactionOrigin, RestingReaction};
pub use load::{CONFIG_VERSION, SHIPPED_FILE, TEXT_BYTES_MAX, load, parse, print_default, shipped};
pub use problem::{Problem, Problems};
pub use ready::{DEFAULT, ON_BARS, READY, ReadyRoster, SEED_RULE};
pub use roster::AGENTS_MAX;
pub use selector::ASSETS_COUNTED_MAX;
pub use setting::Setting;
pub use show::{roster_hash, show};
pub use table::{SCOUTS_MAX, SETTINGS, setting};
