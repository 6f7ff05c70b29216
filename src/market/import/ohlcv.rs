//! Bars: a table with named columns, an exchange's dump without a header, or `[[ms, open, high, low, close, volume], …]`; whatever
//! `table` knows of them.

use super::ImportFormat;
use super::csv_rows::FileBytes;
use super::item::{Decode, Item, NamedFile};
use super::listing::{ListingName, Listings};
use crate::domain::{ContractTerms, InstrumentId, InstrumentKind};
use crate::market::FeedError;
use crate::market::table::{SymbolPair, TableRows, TableShape, cell_text};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A file of bars.
pub(super) struct Ohlcv {
    rows: TableRows<FileBytes>,
    file: NamedFile,
    /// Symbols that are known, with their numbers.
    known: BTreeMap<Vec<u8>, Option<InstrumentId>>,
}

impl Ohlcv {
    pub fn open(file: NamedFile, shape: Arc<TableShape>, bytes: FileBytes) -> Result<Ohlcv, FeedError> {
        if !shape.names_symbols() && file.hints.pair.is_none() {
            return Err(FeedError::Format {
                file: file.name,
                reason: "neither a column nor the file's name tells what it is of; name it like BTCUSDT-1h"
                    .to_owned(),
                known: ImportFormat::known(),
            });
        }
        let rows = TableRows::new(&file.name, shape, bytes)?;
        Ok(Ohlcv { rows, file, known: BTreeMap::new() })
    }

    fn instrument(&mut self, listings: &mut Listings) -> Result<Option<InstrumentId>, String> {
        let text = self.rows.symbol().unwrap_or_default();
        if let Some(known) = self.known.get(text) {
            return Ok(*known);
        }
        // `BTCUSD@kraken` is of Kraken, whatever the file's name says.
        let whole = cell_text(text);
        let (symbol, venue) = whole.split_once('@').unwrap_or((&whole, &self.file.hints.venue));
        let is_named = self.rows.symbol().is_some();
        let pair = if is_named { SymbolPair::of(symbol) } else { self.file.hints.pair.clone() };
        let pair = pair.ok_or_else(|| format!("`{}` is no symbol", cell_text(text)))?;
        let text = text.to_vec();
        let id = listings.number(&ListingName {
            venue,
            symbol: &pair.symbol,
            // Both sides, a short pays the borrow rate: what history takes such bars for.
            kind: self.file.hints.kind.unwrap_or(InstrumentKind::Margin),
            base: &pair.base,
            quote: pair.quote.as_deref(),
            terms: ContractTerms::Plain,
        });
        self.known.insert(text, id);
        Ok(id)
    }
}

impl Decode for Ohlcv {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.rows.advance()? {
            return Ok(false);
        }
        let line = self.rows.line();
        let item = match (self.rows.stamp(), self.instrument(listings), self.rows.bar()) {
            (_, Ok(None), _) => return Ok(true),
            (Ok(at), Ok(Some(id)), Ok(bar)) => Item::bar(line, id, at, bar),
            (Err(why), ..) | (_, Err(why), _) | (.., Err(why)) => Item::bad(line, why),
        };
        out.push(item);
        Ok(true)
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = self.rows.shape().notes.clone();
        if self.rows.swapped() > 0 {
            notes.push(format!(
                "{}: volumes in base and quote change places in {} rows",
                self.file.name,
                self.rows.swapped()
            ));
        }
        notes
    }
}
