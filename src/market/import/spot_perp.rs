//! Spot and perp of one asset at one venue side by side, hour by hour: `close_perp_okx`, `close_spot_okx`,
//! `mark_price_okx`, `funding_rate_raw_okx`.
//!
//! The raw rate is written into every hour of its eight and settles at the first of them, 00, 08 and 16
//! UTC. Where a venue has only a rate by the hour, each hour is a settlement. Bars and marks are known at
//! the end of their hour.

use super::ImportFormat;
use super::csv_rows::{CsvRows, FileBytes};
use super::item::{Decode, Item, NamedFile, RowContent};
use super::listing::{ListingName, Listings};
use crate::domain::{Bar, ContractTerms, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp};
use crate::market::FeedError;
use crate::market::table::RATE_MAX;
use crate::market::table::SymbolPair;

const INTERVAL: Span = Span(8 * Span::HOUR.0);

/// Columns of a bar: open, high, low, close, volume.
type BarColumns = Option<[usize; 5]>;

/// A file of spot and perp.
pub(super) struct SpotPerp {
    sheet: CsvRows,
    stamp: usize,
    spot: BarColumns,
    perp: BarColumns,
    mark: Option<usize>,
    index: Option<usize>,
    raw: Option<usize>,
    hourly: Option<usize>,
    pair: SymbolPair,
    file: NamedFile,
}

impl SpotPerp {
    pub fn open(file: NamedFile, bytes: FileBytes) -> Result<Self, FeedError> {
        let sheet = CsvRows::open(&file.name, bytes)?;
        let begins = |start: &str| sheet.columns.iter().position(|c| c.starts_with(start));
        let bar = |side: &str| -> BarColumns {
            let find = |what: &str| begins(&format!("{what}_{side}"));
            Some([find("open")?, find("high")?, find("low")?, find("close")?, find("volume")?])
        };
        let Some(pair) = file.hints.pair.clone() else {
            return Err(FeedError::Format {
                file: file.name.clone(),
                reason: "its name does not tell the asset; name it like okx_SOL_2020".to_owned(),
                known: ImportFormat::known(),
            });
        };
        Ok(SpotPerp {
            stamp: sheet.need(&["timestamp"])?,
            spot: bar("spot"),
            perp: bar("perp"),
            mark: begins("mark_price"),
            index: begins("index_price"),
            raw: begins("funding_rate_raw"),
            hourly: begins("funding_rate_1h"),
            pair,
            sheet,
            file,
        })
    }

    fn number(&self, listings: &mut Listings, kind: InstrumentKind) -> Option<InstrumentId> {
        let quote = self.pair.quote.as_deref().unwrap_or("USDT");
        let symbol = format!("{}{quote}", self.pair.base);
        let (venue, base) = (self.file.hints.venue.as_str(), self.pair.base.as_str());
        listings.number(&ListingName {
            venue,
            symbol: &symbol,
            kind,
            base,
            quote: Some(quote),
            terms: ContractTerms::Plain,
        })
    }

    /// The bar of one side; none where the row has none.
    fn bar(&self, columns: BarColumns) -> Result<Option<Bar>, String> {
        let Some([open, high, low, close, volume]) = columns else { return Ok(None) };
        if self.sheet.text(close).is_empty() {
            return Ok(None);
        }
        let n = |c: usize| self.sheet.number(c);
        Ok(Some(Bar { open: n(open)?, high: n(high)?, low: n(low)?, close: n(close)?, volume: n(volume)? }))
    }

    fn row(&self, at: Stamp, line: u64, listings: &mut Listings, out: &mut Vec<Item>) -> Result<(), String> {
        let (spot, perp) = (self.bar(self.spot)?, self.bar(self.perp)?);
        let (mark, index) = (self.sheet.maybe(self.mark)?, self.sheet.maybe(self.index)?);
        let raw = self.sheet.maybe(self.raw)?;
        let rate = match self.raw {
            Some(_) => raw.filter(|_| at.floor(INTERVAL) == at),
            None => self.sheet.maybe(self.hourly)?,
        };
        if let Some(bar) = spot
            && let Some(id) = self.number(listings, InstrumentKind::Margin)
        {
            out.push(Item::bar(line, id, at, bar));
        }
        if perp.is_none() && mark.is_none() && rate.is_none() {
            return Ok(());
        }
        let Some(instrument) = self.number(listings, InstrumentKind::Perp) else { return Ok(()) };
        if let Some(bar) = perp {
            out.push(Item::bar(line, instrument, at, bar));
        }
        if let Some(mark) = mark.filter(|m| *m > 0.0) {
            let index = index.or(spot.map(|b| b.close)).filter(|i| *i > 0.0).unwrap_or(mark);
            let event = MarketEvent::Mark { instrument, at, mark, index };
            out.push(Item::at(at, line, RowContent::AtClose(event)));
        }
        match rate {
            Some(rate) if rate.abs() > RATE_MAX => {
                out.push(Item::bad(line, format!("a rate of {rate} per settlement is no rate")));
            }
            Some(rate) => {
                // The mark of the row is that of its end; the last price before is used.
                let event = MarketEvent::Funding { instrument, at, rate, mark: f64::NAN };
                out.push(Item::now(line, event));
            }
            None => {}
        }
        Ok(())
    }
}

impl Decode for SpotPerp {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.sheet.advance()? {
            return Ok(false);
        }
        let line = self.sheet.line();
        let done = self.sheet.stamp(self.stamp).and_then(|at| self.row(at, line, listings, out));
        if let Err(why) = done {
            out.push(Item::bad(line, why));
        }
        Ok(true)
    }

    fn notes(&self) -> Vec<String> {
        let contracts = matches!(self.file.hints.venue.as_str(), "gate" | "okx") && self.perp.is_some();
        let note = format!("volumes of perps at {} are in contracts", self.file.hints.venue);
        if contracts { vec![note] } else { Vec::new() }
    }
}
