//! Files as a feed: they are imported onto a tape that nobody keeps, and that is run. So one file is one market whether it is run
//! as it is or imported first, and every format that is imported can be run.
//!
//! Entry points: [`open`] with the files that the runtime found; [`PairedFeed`] for perps and spot of the same assets.
//!
//! # What files do not tell
//!
//! No file carries an exchange's filters. The tick is the finest digit seen in a symbol's first 500 rows
//! (within [`units`](super::units)), the lot the largest power of ten worth at most one unit of quote currency at its
//! first close, the smallest order 5 units. The kind is perp where the name of a file or of a folder says so (`perp`,
//! `futures`, `swap`) and margin otherwise; the caller may say otherwise.
//!
//! # Invariants
//!
//! 1. Memory does not grow with the length of files that are sorted; what is not is sorted in memory, up to a bound.
//! 2. With a window's `to`, nothing after it is seen but the length of bars and rows that stand in another unit: the events are a
//!    prefix of the longer run's, and universe, rankings, ticks and lots are functions of the rows before it. Only whole buckets
//!    inside the window are sent. The data hash is that of all rows, whatever the window.
//! 3. A bar is sent in the bucket in which it closes, never earlier.

#[cfg(test)]
mod laws;
mod open;
pub mod paired;
mod settings;
#[cfg(test)]
mod tests;

/// What made-up rows need: they begin in 1970, and jump.
#[cfg(test)]
fn kept() -> crate::market::Choices {
    let mut choices = crate::market::Choices::default();
    choices.set("early", "keep").unwrap();
    choices.set("jumps", "keep").unwrap();
    choices
}

pub use open::open;
pub use paired::PairedFeed;
pub use settings::{HistorySettings, kind_of_name};
