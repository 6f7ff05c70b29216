//! Recorded bars: long panels (`timestamp, symbol, open, high, low, close, volume`, in any order) and
//! folders of one file per symbol, resampled to the decision clock.
//!
//! Entry point: [`HistoryFeed::open`] with the [`SourceFile`]s that the runtime opened. It reads everything
//! once to learn the universe (`scan`), then again to stream.
//!
//! # What a file may look like
//!
//! What columns are called and how moments are written is `table`'s to know, for this way in and for imports. Without a column of
//! symbols the symbol is the file's name (`BTC_USDT-1h.csv` is `BTCUSDT`); `open`, `high`, `low` stand there together or not at
//! all (then the bar is its close); without a volume it is infinite and the notes say so.
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
//! 1. Memory does not grow with the length of the files.
//! 2. With a window's `to`, nothing after it is seen: the events are a prefix of the longer run's, and
//!    universe, rankings, ticks and lots are functions of the rows before it. Only whole buckets inside
//!    the window are sent. (The data hash is the file's, whatever the window.)
//! 3. A bar is sent in the bucket in which it closes, never earlier.
//! 4. Both passes use the same rows; if they do not, the file changed, which is an error.

pub(super) mod buckets;
mod data_set;
mod decode;
mod feed;
mod funding;
#[cfg(test)]
mod laws;
pub mod paired;
pub(super) mod ranking;
mod rows;
pub(super) mod scan;
mod settings;
mod source;
mod symbols;
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

pub(super) use data_set::of_reference;
pub use feed::HistoryFeed;
pub use paired::PairedFeed;
pub use settings::{HistorySettings, Window};
pub use source::SourceFile;
#[cfg(test)]
pub use source::memory::SourceBytes;
pub use symbols::{kind_of_name, money_like};
