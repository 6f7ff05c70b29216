//! Tapes: what a market said, in one file that every family can be run on.
//!
//! Entry points: [`TapeWriter`] and [`TapeReader`] for the bytes, [`TapeFeed`] to run one.
//!
//! # Layout
//!
//! ```text
//! HIVETAPE  version u32
//! frame: header            (universe, what each instrument tells, notes, files with their hashes)
//! frame: events …          (up to some thousands each, sorted by stamp)
//! frame of length 0
//! frame: trailer           (number of events, what was left out)
//! blake3 of everything before, 32 bytes
//! ```
//!
//! Version 3 is of a market that goes on. It has no end: its header is followed by the stamp of its seam (until which it was fetched
//! as history), its frames hold events of any kind but commands and barriers, and what follows the last whole frame is a frame
//! that was being written. It is appended to by [`GrowingTape`], and run while it grows by [`TapeFeed::follow`].
//!
//! Version 1 knows a tick and a lot and no contracts. It is what is written wherever it can say what there is, so that
//! the same files give the same tape; version 2 is for the rest of what was imported.
//!
//! A frame is its length, the CRC32C of its bytes and the bytes, which are postcard; integers are little
//! endian. Files are packed with gzip as a whole by who writes them, and unpacked by who opens them.
//!
//! # Invariants
//!
//! 1. What is written is what is read: the same events in the same order.
//! 2. A tape does not know the decision clock: bars stand as they were recorded, and [`TapeFeed`] makes
//!    those of the desk into bars of the clock that is asked for.
//! 3. A tape that grows, read to where it is, gives what was given while it grew.
//! 4. A tape that is cut off (one of version 3 apart), damaged, out of order or of a version that is not known is refused with its name and
//!    the place.
//!
//! This module never opens a file: it is handed readers and writers.

mod data_hash;
mod feed;
mod first_version;
mod grow;
mod ranking;
mod read;
mod write;

pub(super) use data_hash::DataHasher;
pub use feed::{TapeFeed, TapeSettings};
pub use grow::{GrowingTape, TapeEnd};
pub use read::TapeReader;
pub use write::TapeWriter;

use super::FeedReport;
use crate::domain::{InstrumentKind, Span, Universe};
use serde::{Deserialize, Serialize};

/// First bytes of a tape.
pub const MAGIC: [u8; 8] = *b"HIVETAPE";
/// Newest version of the layout; older ones are read, newer ones refused.
pub const VERSION: u32 = 3;
/// Newest version of a tape that has an end.
pub(super) const WHOLE: u32 = 2;
/// Events in a frame: enough to pack well, few enough that a damaged place is named closely.
pub(super) const FRAME_EVENTS: u32 = 4_096;
/// Longest frame: a header of all the instruments that an import takes, with room.
pub(super) const FRAME_BYTES_MAX: u32 = 1 << 26;

/// A file that a tape was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeFile {
    /// Name of the file, as it was given.
    pub name: String,
    /// The format it was read as.
    pub format: String,
    /// blake3 of its unpacked bytes, in hex.
    pub hash: String,
    /// Rows of the file that became events.
    pub rows: u64,
}

/// What a tape tells of one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tells {
    /// Length of its bars; none if it has none.
    pub bar: Option<Span>,
    /// Whether there are trades.
    pub trades: bool,
    /// Whether there are quotes.
    pub quotes: bool,
}

/// What stands before the events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TapeHeader {
    /// Its name in reports.
    pub name: String,
    /// All that is listed. Rankings are empty: they follow from what is run.
    pub universe: Universe,
    /// What is told of each instrument, by number.
    pub tells: Vec<Tells>,
    /// Plain sentences for the closing report.
    pub notes: Vec<String>,
    /// What it was made of.
    pub files: Vec<TapeFile>,
}

/// What stands after the events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeTrailer {
    /// How many events there are.
    pub events: u64,
    /// What was read and what was left out when it was made.
    pub report: FeedReport,
}

/// What the desk's bars of an instrument are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Makes {
    /// Bars that the tape itself has.
    Bars,
    /// Trades that are gathered into bars.
    Trades,
    /// The middle of its quotes; no volume.
    Quotes,
    /// Nothing: it has no price that the desk could trade at.
    Nothing,
}

impl Makes {
    pub fn of(kind: InstrumentKind, tells: &Tells) -> Makes {
        let priced = !matches!(kind, InstrumentKind::Option | InstrumentKind::Move | InstrumentKind::Pool);
        match tells {
            Tells { bar: Some(_), .. } if priced => Makes::Bars,
            Tells { trades: true, .. } if priced => Makes::Trades,
            Tells { quotes: true, .. } if priced => Makes::Quotes,
            _ => Makes::Nothing,
        }
    }
}

#[cfg(test)]
mod tests;
