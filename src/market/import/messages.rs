//! Recorded messages, a line each: nanoseconds at which it was received, a space, and the message. The
//! stamp of an event is when it was received, since one clock then stamps all streams.

use super::csv_rows::FileBytes;
use crate::domain::{InstrumentId, MarketEvent, Stamp};
use crate::market::FeedError;
use crate::market::table::read_stamp;
use serde::Deserialize;
use std::io::{BufRead, BufReader, Read};

/// Longest line that is one: a whole book of five thousand prices a side.
const LINE_MAX: u64 = 1 << 21;

/// A price and what is there, as exchanges write it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(from = "(Number, Number)")]
pub(super) struct PriceSize(pub f64, pub f64);

impl From<(Number, Number)> for PriceSize {
    fn from((price, size): (Number, Number)) -> Self {
        PriceSize(price.0, size.0)
    }
}

/// A number that may be written as text; NaN where it is none.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(from = "WrittenField<'_>")]
pub(super) struct Number(pub f64);

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenField<'a> {
    Number(f64),
    Text(&'a str),
}

impl From<WrittenField<'_>> for Number {
    fn from(written: WrittenField) -> Self {
        Number(match written {
            WrittenField::Number(x) => x,
            WrittenField::Text(text) => {
                crate::market::table::read_number(text.as_bytes()).unwrap_or(f64::NAN)
            }
        })
    }
}

/// The lines of a file.
pub(super) struct FileLines {
    name: String,
    from: BufReader<FileBytes>,
    line: Vec<u8>,
    /// The number of the last one.
    pub number: u64,
}

impl FileLines {
    pub fn open(name: &str, bytes: FileBytes) -> FileLines {
        let from = BufReader::with_capacity(1 << 16, bytes);
        FileLines { name: name.to_owned(), from, line: Vec::new(), number: 0 }
    }

    /// Reads the next line; false when there is none.
    pub fn advance(&mut self) -> Result<bool, FeedError> {
        self.line.clear();
        self.number += 1;
        let failed = |reason: String| FeedError::Read { file: self.name.clone(), line: self.number, reason };
        let n = self.from.by_ref().take(LINE_MAX).read_until(b'\n', &mut self.line);
        let n = n.map_err(|e| failed(e.to_string()))?;
        if n as u64 == LINE_MAX {
            return Err(failed(format!("a line is longer than {LINE_MAX} bytes; this is no recording")));
        }
        Ok(n > 0)
    }

    /// The line taken apart: when it was received, and the message.
    pub fn message(&self) -> Result<(Stamp, &[u8]), String> {
        let at = self.line.iter().position(|b| *b == b' ').ok_or("there is no message")?;
        let stamp = read_stamp(&self.line[..at]).ok_or("it does not begin with a stamp")?;
        Ok((stamp, self.line[at + 1..].trim_ascii()))
    }
}

/// A message of a stream taken apart: what `key` names it, and its data, both as they stand.
pub(super) fn wrapped<'a>(message: &'a [u8], key: &str) -> Result<(&'a str, &'a [u8]), String> {
    let text = std::str::from_utf8(message).map_err(|e| e.to_string())?;
    let text = text.strip_suffix('}').filter(|t| t.starts_with('{')).ok_or("the message is cut off")?;
    let (_, name) = text.split_once(&format!("\"{key}\":\"")).ok_or_else(|| format!("it has no {key}"))?;
    let name = name.split('"').next().unwrap_or_default();
    let (_, data) = text.split_once("\"data\":").ok_or("it has no data")?;
    Ok((name, data.as_bytes()))
}

/// Reads a message.
pub(super) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|e| e.to_string())
}

/// A book's prices as events, the last of them closing the update.
pub(super) fn levels(
    instrument: InstrumentId,
    at: Stamp,
    bids: &[PriceSize],
    asks: &[PriceSize],
    snapshot: bool,
) -> Vec<MarketEvent> {
    let count = bids.len() + asks.len();
    let sides = bids.iter().map(|l| (true, l)).chain(asks.iter().map(|l| (false, l)));
    let level = |(n, (bid, PriceSize(price, size))): (usize, (bool, &PriceSize))| MarketEvent::Level {
        instrument,
        at,
        bid,
        price: *price,
        size: *size,
        first: snapshot && n == 0,
        last: n + 1 == count,
    };
    sides.enumerate().map(level).collect()
}

/// Whether all prices and sizes can be believed.
pub(super) fn believed(levels: &[PriceSize]) -> bool {
    levels
        .iter()
        .all(|PriceSize(price, size)| price.is_finite() && *price > 0.0 && size.is_finite() && *size >= 0.0)
}
