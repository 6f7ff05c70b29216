//! Bars: CSV with named columns, an exchange's dump without a header (open time, open, high, low, close,
//! volume), or JSON `[[ms, open, high, low, close, volume], …]`. Stamps are the open of the bar.
//!
//! FTX wrote volumes in dollars; they are divided by the close. Where a file has volumes in base and in quote
//! and a row has them in each other's columns, they are put right and counted.

use super::ImportFormat;
use super::csv_rows::{Arrays, CsvRows, FileBytes, stamp_of};
use super::file_hints::SymbolPair;
use super::item::{Decode, Item, NamedFile};
use super::listing::{ListingName, Listings};
use crate::domain::{Bar, ContractTerms, InstrumentId, InstrumentKind};
use crate::market::FeedError;
use std::collections::BTreeMap;
use std::io::{BufReader, Read};

/// Opens a file of bars in whichever shape it has.
pub(super) fn open(file: NamedFile, bytes: FileBytes) -> Result<Box<dyn Decode>, FeedError> {
    let mut bytes = BufReader::new(bytes);
    let mut first = [0; 1];
    let n = bytes.read(&mut first).map_err(|e| FeedError::Read {
        file: file.name.clone(),
        line: 0,
        reason: e.to_string(),
    })?;
    let whole: FileBytes = Box::new(std::io::Cursor::new(first[..n].to_vec()).chain(bytes));
    let ftx = file.hints.venue == "ftx";
    if n == 1 && first[0] == b'[' {
        let Some(pair) = file.hints.pair.clone() else { return Err(no_pair(&file)) };
        return Ok(Box::new(JsonRows { arrays: Arrays::open(&file.name, whole), pair, file, ftx }));
    }
    Ok(Box::new(OhlcvTable::open(file, whole, ftx)?))
}

fn no_pair(file: &NamedFile) -> FeedError {
    FeedError::Format {
        file: file.name.clone(),
        reason: "neither a column nor the file's name tells what it is of; name it like BTCUSDT-1h"
            .to_owned(),
        known: ImportFormat::known(),
    }
}

fn number(listings: &mut Listings, file: &NamedFile, pair: &SymbolPair) -> Option<InstrumentId> {
    listings.number(&ListingName {
        venue: &file.hints.venue,
        symbol: &pair.symbol,
        // Both sides, a short pays the borrow rate: what history takes such bars for.
        kind: file.hints.kind.unwrap_or(InstrumentKind::Margin),
        base: &pair.base,
        quote: pair.quote.as_deref(),
        terms: ContractTerms::Plain,
    })
}

fn notes(ftx: bool) -> Vec<String> {
    let note = "FTX wrote volumes in dollars: they are divided by the close".to_owned();
    if ftx { vec![note] } else { Vec::new() }
}

/// Rows of JSON.
struct JsonRows {
    arrays: Arrays,
    pair: SymbolPair,
    file: NamedFile,
    ftx: bool,
}

impl Decode for JsonRows {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        let Some(row) = self.arrays.advance()? else { return Ok(false) };
        let Some(id) = number(listings, &self.file, &self.pair) else { return Ok(true) };
        let line = self.arrays.row;
        let [ms, open, high, low, close, rest @ ..] = &row[..] else {
            out.push(Item::bad(line, format!("{} numbers are no bar", row.len())));
            return Ok(true);
        };
        let volume = rest.first().copied().unwrap_or(f64::INFINITY);
        let volume = if self.ftx { volume / close } else { volume };
        let bar = Bar { open: *open, high: *high, low: *low, close: *close, volume };
        out.push(match stamp_of(*ms) {
            Ok(at) => Item::bar(line, id, at, bar),
            Err(why) => Item::bad(line, why),
        });
        Ok(true)
    }

    fn notes(&self) -> Vec<String> {
        notes(self.ftx)
    }
}

/// Where the columns of a sheet of bars are.
struct OhlcvColumns {
    stamp: usize,
    symbol: Option<usize>,
    /// Open, high, low; absent together.
    range: Option<[usize; 3]>,
    close: usize,
    volume: Option<usize>,
    /// The same in quote currency, where there are both.
    turnover: Option<usize>,
}

/// Rows of a sheet.
struct OhlcvTable {
    sheet: CsvRows,
    columns: OhlcvColumns,
    file: NamedFile,
    ftx: bool,
    /// Rows whose two volumes stood in each other's columns.
    swapped: u64,
    /// Symbols that are known, with their numbers.
    known: BTreeMap<String, Option<InstrumentId>>,
}

impl OhlcvTable {
    fn open(file: NamedFile, bytes: FileBytes, ftx: bool) -> Result<OhlcvTable, FeedError> {
        let sheet = CsvRows::open(&file.name, bytes)?;
        let columns = if sheet.columns.is_empty() {
            OhlcvColumns {
                stamp: 0,
                symbol: None,
                range: Some([1, 2, 3]),
                close: 4,
                volume: Some(5),
                turnover: None,
            }
        } else {
            let range = match sheet.find(&["open", "high", "low"]) {
                Some(_) => Some([sheet.need(&["open"])?, sheet.need(&["high"])?, sheet.need(&["low"])?]),
                None => None,
            };
            OhlcvColumns {
                stamp: sheet.need(&[
                    "timestamp",
                    "unix",
                    "unix timestamp",
                    "date",
                    "datetime",
                    "time",
                    "open_time",
                    "open time",
                ])?,
                symbol: sheet.find(&["symbol", "ticker"]),
                range,
                close: sheet.need(&["close"])?,
                // `Volume BTC`, with `Volume USD` after it.
                volume: sheet.columns.iter().position(|c| c == "volume" || c.starts_with("volume ")),
                turnover: sheet.columns.iter().rposition(|c| c.starts_with("volume ")),
            }
        };
        if columns.symbol.is_none() && file.hints.pair.is_none() {
            return Err(no_pair(&file));
        }
        Ok(OhlcvTable { sheet, columns, file, ftx, swapped: 0, known: BTreeMap::new() })
    }

    fn instrument(&mut self, listings: &mut Listings) -> Result<Option<InstrumentId>, String> {
        let text = self.columns.symbol.map_or("", |c| self.sheet.text(c));
        if let Some(known) = self.known.get(text) {
            return Ok(*known);
        }
        let pair = match self.columns.symbol {
            Some(_) => SymbolPair::of(text),
            None => self.file.hints.pair.clone(),
        };
        let pair = pair.ok_or_else(|| format!("`{text}` is no symbol"))?;
        let id = number(listings, &self.file, &pair);
        self.known.insert(text.to_owned(), id);
        Ok(id)
    }

    fn bar(&mut self) -> Result<Bar, String> {
        let close = self.sheet.number(self.columns.close)?;
        let [open, high, low] = match self.columns.range {
            Some([o, h, l]) => [self.sheet.number(o)?, self.sheet.number(h)?, self.sheet.number(l)?],
            None => [close; 3],
        };
        let volume = match self.columns.volume {
            Some(column) => self.sheet.number(column)?,
            None => f64::INFINITY,
        };
        let mut volume = if self.ftx { volume / close } else { volume };
        if let Some(turnover) = self.columns.turnover.filter(|t| Some(*t) != self.columns.volume) {
            let other = self.sheet.number(turnover)?;
            let near = |base: f64, quote: f64| (0.5..2.0).contains(&(base * close / quote));
            if !near(volume, other) && near(other, volume) {
                volume = other;
                self.swapped += 1;
            }
        }
        Ok(Bar { open, high, low, close, volume })
    }
}

impl Decode for OhlcvTable {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.sheet.advance()? {
            return Ok(false);
        }
        let line = self.sheet.line();
        let item = match (self.sheet.stamp(self.columns.stamp), self.instrument(listings), self.bar()) {
            (_, Ok(None), _) => return Ok(true),
            (Ok(at), Ok(Some(id)), Ok(bar)) => Item::bar(line, id, at, bar),
            (Err(why), ..) | (_, Err(why), _) | (.., Err(why)) => Item::bad(line, why),
        };
        out.push(item);
        Ok(true)
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = notes(self.ftx);
        if self.swapped > 0 {
            notes.push(format!(
                "{}: volumes in base and quote change places in {} rows",
                self.file.name, self.swapped
            ));
        }
        notes
    }
}
