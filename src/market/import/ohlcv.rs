//! Bars: a table with named columns, an exchange's dump without a header, or `[[ms, open, high, low, close, volume], …]`; whatever
//! `table` knows of them.

use super::ImportFormat;
use super::csv_rows::FileBytes;
use super::item::{Decode, Item, NamedFile};
use super::listing::{ListingName, Listings};
use crate::domain::{ContractTerms, InstrumentId, InstrumentKind};
use crate::market::FeedError;
use crate::market::table::{SymbolPair, TableRows, cell_text, shown};
use std::collections::BTreeMap;

/// Longest symbol: those of option chains have thirty letters.
const SYMBOL_BYTES_MAX: usize = 64;

/// A file of bars.
pub(super) struct Ohlcv {
    rows: TableRows<FileBytes>,
    file: NamedFile,
    /// Symbols that are known, in the order in which they came, with their numbers.
    known: Vec<(Vec<u8>, Option<InstrumentId>)>,
    index: BTreeMap<Vec<u8>, usize>,
    /// The last symbol, and by symbol the one that followed it last time: panels keep an order, so the guess is nearly always
    /// right and saves the search.
    last: usize,
    follower: Vec<usize>,
}

impl Ohlcv {
    pub fn open(file: NamedFile, rows: TableRows<FileBytes>) -> Result<Ohlcv, FeedError> {
        if !rows.shape().names_symbols() && file.hints.pair.is_none() {
            return Err(FeedError::Format {
                file: file.name,
                reason: "neither a column nor the file's name tells what it is of; name it like BTCUSDT-1h"
                    .to_owned(),
                known: ImportFormat::known(),
            });
        }
        Ok(Ohlcv { rows, file, known: Vec::new(), index: BTreeMap::new(), last: 0, follower: Vec::new() })
    }

    fn instrument(&mut self, listings: &mut Listings) -> Result<Option<InstrumentId>, String> {
        let text = self.rows.symbol();
        let guess = self.follower.get(self.last).copied().unwrap_or_default();
        let known = self.known.get(guess).filter(|k| k.0 == text).map(|_| guess);
        if let Some(known) = known.or_else(|| self.index.get(text).copied()) {
            if let Some(follower) = self.follower.get_mut(self.last) {
                *follower = known;
            }
            self.last = known;
            return Ok(self.known[known].1);
        }
        if text.len() > SYMBOL_BYTES_MAX {
            return Err(format!("`{}…` is too long for a symbol", shown(text)));
        }
        // `BTCUSD@kraken` is of Kraken, whatever the file's name says.
        let whole = cell_text(text);
        let (symbol, venue) = whole.split_once('@').unwrap_or((&whole, &self.file.hints.venue));
        let is_named = self.rows.shape().names_symbols();
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
        self.last = self.known.len();
        self.index.insert(text.clone(), self.last);
        self.known.push((text, id));
        self.follower.push(0);
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
