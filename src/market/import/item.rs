//! What a decoder gives: events with the line they stand on, and rows that cannot be believed.

use super::listing::Listings;
use crate::domain::{Bar, InstrumentId, MarketEvent, Stamp};
use crate::market::FeedError;
use crate::market::table::FileHints;

/// One thing that a row tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    /// When, as the file stamps it.
    pub at: Stamp,
    /// Where it stands.
    pub line: u64,
    /// Whether it is in the window.
    pub inside: bool,
    /// What it is.
    pub what: RowContent,
}

/// What a row can tell. Instruments and indices are numbered provisionally.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum RowContent {
    /// Known when it is stamped.
    Now(MarketEvent),
    /// Stamped at the open of its bar, and known at its close.
    AtClose(MarketEvent),
    /// The price of gas from now on, in billionths of the chain's coin.
    Gas(f64),
    /// A row that cannot be used, and why.
    Bad(String),
}

impl RowContent {
    /// The event that it is.
    pub fn event(&self) -> Option<&MarketEvent> {
        match self {
            RowContent::Now(event) | RowContent::AtClose(event) => Some(event),
            RowContent::Gas(_) | RowContent::Bad(_) => None,
        }
    }
}

impl Item {
    /// What a line tells of a moment.
    pub fn at(at: Stamp, line: u64, what: RowContent) -> Item {
        Item { at, line, inside: true, what }
    }

    /// A row that cannot be used.
    pub fn bad(line: u64, why: impl Into<String>) -> Item {
        Item::at(Stamp(0), line, RowContent::Bad(why.into()))
    }

    /// An event that is known when it is stamped.
    pub fn now(line: u64, event: MarketEvent) -> Item {
        Item::at(event.at(), line, RowContent::Now(event))
    }

    /// A bar that is stamped at its open, or why it cannot be believed.
    pub fn bar(line: u64, instrument: InstrumentId, at: Stamp, bar: Bar) -> Item {
        match believed(&bar) {
            Ok(()) => Item::at(at, line, RowContent::AtClose(MarketEvent::Bar { instrument, at, bar })),
            Err(why) => Item::bad(line, why),
        }
    }
}

/// Why a bar cannot be believed.
fn believed(bar: &Bar) -> Result<(), String> {
    let Bar { open, high, low, close, volume } = *bar;
    if bar.is_valid() {
        return Ok(());
    }
    Err(if [open, high, low, close].iter().any(|p| !p.is_finite() || *p <= 0.0) {
        format!("a price is not positive: {open}, {high}, {low}, {close}")
    } else if high < low {
        format!("high {high} is below low {low}")
    } else if volume.is_nan() || volume < 0.0 {
        format!("volume is {volume}")
    } else {
        format!("open {open} or close {close} is outside low {low} … high {high}")
    })
}

/// A file being decoded.
pub(super) trait Decode {
    /// Reads the next row and gives what it tells; false when the file is over.
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError>;

    /// What is to be known of the file beside its rows.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A file and what its name tells, the options being stronger.
#[derive(Clone, Debug)]
pub(super) struct NamedFile {
    pub name: String,
    pub hints: FileHints,
}
