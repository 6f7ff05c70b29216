//! Funding settlements: a stamp, a rate per settlement, and a symbol and a mark where the file has them.
//!
//! Files with the header `Symbol,Date,Funding Rate` were written in UTC+3 for Binance, Bybit and `KuCoin`:
//! their settlements would otherwise fall beside the hours at which those venues settle.

use super::csv_rows::{CsvRows, FileBytes};
use super::file_hints::SymbolPair;
use super::item::{Decode, Item, NamedFile};
use super::listing::{ListingName, Listings};
use crate::domain::{ContractTerms, InstrumentKind, MarketEvent, Span, Stamp};
use crate::market::FeedError;

/// Venues cap a settlement at 0.5 … 4 %; more is a rate in other units.
pub(super) const RATE_MAX: f64 = 0.05;
/// What some files are ahead of UTC.
const AHEAD: Span = Span(3 * Span::HOUR.0);

/// A file of settlements.
pub(super) struct Funding {
    sheet: CsvRows,
    stamp: usize,
    symbol: Option<usize>,
    rate: usize,
    mark: Option<usize>,
    ahead: bool,
    file: NamedFile,
}

impl Funding {
    pub fn open(file: NamedFile, bytes: FileBytes) -> Result<Self, FeedError> {
        let sheet = CsvRows::open(&file.name, bytes)?;
        let local = sheet.columns == ["symbol", "date", "funding rate"];
        Ok(Funding {
            stamp: sheet.need(&[
                "timestamp",
                "funding_time",
                "fundingtime",
                "calc_time",
                "date",
                "datetime",
                "time",
            ])?,
            symbol: sheet.find(&["symbol", "ticker"]),
            rate: sheet.need(&[
                "funding_rate",
                "funding rate",
                "fundingrate",
                "last_funding_rate",
                "rate",
            ])?,
            mark: sheet.find(&["mark_price", "markprice", "mark"]),
            ahead: local && matches!(file.hints.venue.as_str(), "binance" | "bybit" | "kucoin"),
            sheet,
            file,
        })
    }

    fn settlement(&self, listings: &mut Listings) -> Result<Option<MarketEvent>, String> {
        let pair = match self.symbol {
            Some(column) => SymbolPair::of(self.sheet.text(column)),
            None => self.file.hints.pair.clone(),
        };
        let pair = pair.ok_or("neither a column nor the file's name tells which perp")?;
        let mut at = self.sheet.stamp(self.stamp)?;
        if self.ahead {
            at = Stamp(at.0 - AHEAD.0);
        }
        let rate = self.sheet.number(self.rate)?;
        if rate.abs() > RATE_MAX {
            return Err(format!("a rate of {rate} per settlement is no rate"));
        }
        let mark = self.sheet.maybe(self.mark)?.filter(|m| *m > 0.0).unwrap_or(f64::NAN);
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
        let found = listings.number(&entry);
        Ok(found.map(|instrument| MarketEvent::Funding { instrument, at, rate, mark }))
    }
}

impl Decode for Funding {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.sheet.advance()? {
            return Ok(false);
        }
        let line = self.sheet.line();
        match self.settlement(listings) {
            Ok(event) => out.extend(event.map(|e| Item::now(line, e))),
            Err(why) => out.push(Item::bad(line, why)),
        }
        Ok(true)
    }

    fn notes(&self) -> Vec<String> {
        let note = format!("funding of {} was stamped in UTC+3 and is moved back", self.file.hints.venue);
        if self.ahead { vec![note] } else { Vec::new() }
    }
}
