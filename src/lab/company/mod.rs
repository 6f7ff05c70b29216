//! What company is worth: the same agents, each alone with the same desk, against nets of ever more of them.
//!
//! An experiment in estimated accounts (f64) on the same utterances: agents speak once a seed, positions are
//! taken from what they announce, and accounts step over them in lock-step, one for each number of groups,
//! capital and desk. As many groups as agents is everybody alone with the same desk, one group is all netted;
//! nothing else differs: the same views, the same k·s, the same desk code ([`crate::fills::pace`]), the same
//! costs, bar by bar.
//!
//! Entry points: [`study::CompanyStudy`] for what is run, [`report::report`] for the JSON contract, [`text::text`] for a
//! terminal, [`page::page`] for the pictures, [`floor::Floor`] for one seed.
//!
//! # Invariants
//!
//! 1. Differences are paired by seed, day and resampled day.
//! 2. Figures leave out the first [`WARM_DAYS`] days of each set, in which volatilities become known.
//! 3. The same data, roster, seeds and settings give the same report, byte for byte, whatever the threads.
//!
//! At fill level B an order pays the taker fee and the half-spread, shorts on margin borrow and perps pay
//! funding; the level's own impact and limit of participation are replaced by the capital's impact.

pub mod crew;
pub mod floor;
pub mod groups;
mod layer;
pub mod page;
mod purse;
pub mod report;
pub mod study;
pub mod text;

pub use layer::DeskRule;
pub use purse::{AccountKind, AccountOutcome, Impact};

/// Days of each set before figures are taken.
pub const WARM_DAYS: i64 = 45;
/// β of the band desk: a position within this fraction of its target stays.
pub const BAND: f64 = 0.2;
