//! Funding settlements: a stamp, a rate per settlement, and a symbol and a mark where the file has them; or a ticker that tells
//! the next one again and again.

use super::csv_rows::FileBytes;
use super::item::{Decode, Item, NamedFile};
use super::listing::{ListingName, Listings};
use crate::domain::{ContractTerms, InstrumentId, InstrumentKind, MarketEvent, Stamp};
use crate::market::FeedError;
use crate::market::table::{SymbolPair, TableKind, TableRows, cell_text};
use std::collections::BTreeMap;

/// A file of settlements.
pub(super) struct Funding {
    rows: TableRows<FileBytes>,
    file: NamedFile,
    /// By perp: the settlement that a ticker speaks of, until it speaks of the next.
    spoken: BTreeMap<InstrumentId, (Stamp, f64)>,
}

impl Funding {
    pub fn open(file: NamedFile, rows: TableRows<FileBytes>) -> Self {
        Funding { rows, file, spoken: BTreeMap::new() }
    }

    fn settlement(&mut self, listings: &mut Listings) -> Result<Option<MarketEvent>, String> {
        let pair = if self.rows.shape().names_symbols() {
            SymbolPair::of(&cell_text(self.rows.symbol()))
        } else {
            self.file.hints.pair.clone()
        };
        let pair = pair.ok_or("neither a column nor the file's name tells which perp")?;
        let at = self.rows.stamp()?;
        let Some((at, rate)) = self.rows.settlement(at)? else { return Ok(None) };
        let mark = self.rows.mark().unwrap_or(f64::NAN);
        // `BTC-USDT` and `BTCUSDT` are one perp.
        let symbol = pair.quote.as_ref().map_or(pair.symbol.clone(), |q| format!("{}{q}", pair.base));
        let entry = ListingName {
            venue: &self.file.hints.venue,
            symbol: &symbol,
            kind: InstrumentKind::Perp,
            base: &pair.base,
            quote: pair.quote.as_deref(),
            terms: ContractTerms::Plain,
        };
        let Some(instrument) = listings.number(&entry) else { return Ok(None) };
        if self.rows.shape().kind != TableKind::Ticker {
            return Ok(Some(MarketEvent::Funding { instrument, at, rate, mark }));
        }
        // Marks of a ticker are of the row, not of the settlement.
        let told = self.spoken.insert(instrument, (at, rate)).filter(|old| old.0 < at);
        Ok(told.map(|(at, rate)| MarketEvent::Funding { instrument, at, rate, mark: f64::NAN }))
    }
}

impl Decode for Funding {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.rows.advance()? {
            return Ok(false);
        }
        let line = self.rows.line();
        match self.settlement(listings) {
            Ok(event) => out.extend(event.map(|e| Item::now(line, e))),
            Err(why) => out.push(Item::bad(line, why)),
        }
        Ok(true)
    }

    fn notes(&self) -> Vec<String> {
        self.rows.shape().notes.clone()
    }
}
