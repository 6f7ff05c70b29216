//! Tardis's files of a day: trades, best prices, and books of so many prices a side. Stamps are of when a message arrived, in
//! microseconds, since one clock then stamps all streams; what tells settlements again and again is a table like any other.
//!
//! Amounts are as the exchange counts them. Contracts in dollars, which pay in coins, count dollars, and by how many a contract
//! differs by venue: such rows are named and not read.

use super::chain;
use super::csv_rows::{CsvRows, FileBytes};
use super::item::{Decode, Item, NamedFile};
use super::listing::{ListingName, Listings};
use super::messages::{PriceSize, believed, levels};
use crate::domain::{ContractTerms, InstrumentId, InstrumentKind, MarketEvent, Stamp};
use crate::market::FeedError;
use crate::market::table::SymbolPair;
use std::collections::BTreeMap;

/// Most prices of a side that are looked for.
const DEPTH_MAX: usize = 25;

/// What a row tells, by its columns.
enum TardisRow {
    /// Side, price, amount.
    Trade([usize; 3]),
    /// Bid and its size, offer and its size.
    Quote([usize; 4]),
    /// Bids and offers, each a price and a size.
    Book(Vec<[usize; 2]>, Vec<[usize; 2]>),
}

/// A file of Tardis.
pub(super) struct Tardis {
    sheet: CsvRows,
    file: NamedFile,
    stamp: usize,
    exchange: usize,
    symbol: usize,
    row: TardisRow,
    /// By exchange and symbol: its number, or why its rows are not read.
    known: BTreeMap<(String, String), Result<Option<InstrumentId>, String>>,
}

/// The kind that an exchange's name tells, where it lists one kind.
fn kind_of(exchange: &str) -> InstrumentKind {
    let perps = ["bitmex", "deribit", "dydx", "hyperliquid", "bybit", "phemex", "cryptofacilities", "ftx"];
    let words = ["futures", "swap", "delivery", "perp", "dm"];
    let is_perp = perps.contains(&exchange) || exchange.split('-').any(|w| words.contains(&w));
    if is_perp && !exchange.ends_with("-spot") { InstrumentKind::Perp } else { InstrumentKind::Margin }
}

impl Tardis {
    pub fn open(file: NamedFile, bytes: FileBytes) -> Result<Self, FeedError> {
        let sheet = CsvRows::open(&file.name, bytes)?;
        let side = |name: &str| -> Vec<[usize; 2]> {
            let at = |n: usize, what: &str| sheet.find(&[format!("{name}[{n}].{what}").as_str()]);
            (0..DEPTH_MAX).map_while(|n| Some([at(n, "price")?, at(n, "amount")?])).collect()
        };
        let (bids, asks) = (side("bids"), side("asks"));
        let row = if !bids.is_empty() && !asks.is_empty() {
            TardisRow::Book(bids, asks)
        } else if sheet.find(&["bid_price"]).is_some() {
            TardisRow::Quote([
                sheet.need(&["bid_price"])?,
                sheet.need(&["bid_amount"])?,
                sheet.need(&["ask_price"])?,
                sheet.need(&["ask_amount"])?,
            ])
        } else {
            TardisRow::Trade([sheet.need(&["side"])?, sheet.need(&["price"])?, sheet.need(&["amount"])?])
        };
        Ok(Tardis {
            stamp: sheet.need(&["local_timestamp"])?,
            exchange: sheet.need(&["exchange"])?,
            symbol: sheet.need(&["symbol"])?,
            row,
            known: BTreeMap::new(),
            sheet,
            file,
        })
    }

    fn instrument(&mut self, listings: &mut Listings) -> Result<Option<InstrumentId>, String> {
        let key = (self.sheet.text(self.exchange).to_owned(), self.sheet.text(self.symbol).to_owned());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let found = self.listed(&key.0, &key.1, listings);
        self.known.insert(key, found.clone());
        found
    }

    fn listed(
        &self,
        exchange: &str,
        symbol: &str,
        listings: &mut Listings,
    ) -> Result<Option<InstrumentId>, String> {
        // `binance-futures` is Binance; what is listed is told by the kind.
        let venue = exchange.split('-').next().unwrap_or(exchange);
        if let Some((base, terms)) = chain::option(symbol) {
            let kind = InstrumentKind::Option;
            return Ok(listings.number(&ListingName { venue, symbol, kind, base, quote: None, terms }));
        }
        let pair = SymbolPair::of(symbol).ok_or_else(|| format!("`{symbol}` is no symbol"))?;
        let kind = self.file.hints.kind.unwrap_or_else(|| kind_of(exchange));
        let in_dollars = pair.quote.as_deref().is_none_or(|q| q == "USD");
        if kind == InstrumentKind::Perp && in_dollars && venue != "dydx" && venue != "hyperliquid" {
            return Err(format!(
                "amounts of {symbol} at {exchange} count contracts in dollars, which are not read here; leave its files out"
            ));
        }
        Ok(listings.number(&ListingName {
            venue,
            symbol: &pair.symbol,
            kind,
            base: &pair.base,
            quote: pair.quote.as_deref(),
            terms: ContractTerms::Plain,
        }))
    }

    fn events(&self, instrument: InstrumentId, at: Stamp) -> Result<Vec<MarketEvent>, String> {
        let n = |c: usize| self.sheet.number(c);
        match &self.row {
            TardisRow::Trade([side, price, amount]) => {
                let (price, size) = (n(*price)?, n(*amount)?);
                if !(price > 0.0 && size > 0.0) {
                    return Err(format!("{size} at {price} is no trade"));
                }
                let buys = match self.sheet.text(*side) {
                    "buy" => true,
                    "sell" => false,
                    // An auction, or a venue that does not tell: nobody was the taker.
                    _ => return Ok(Vec::new()),
                };
                Ok(vec![MarketEvent::Trade { instrument, at, price, size, buys }])
            }
            TardisRow::Quote(columns) => {
                // A side without offers is empty.
                if columns.iter().any(|c| self.sheet.text(*c).is_empty()) {
                    return Ok(Vec::new());
                }
                let [bid, bid_size, ask, ask_size] = columns.map(n);
                let (bid, bid_size, ask, ask_size) = (bid?, bid_size?, ask?, ask_size?);
                if !(bid > 0.0 && ask >= bid && bid_size >= 0.0 && ask_size >= 0.0) {
                    return Err(format!("bid {bid}, offer {ask} is no market"));
                }
                Ok(vec![MarketEvent::Quote { instrument, at, bid, ask, bid_size, ask_size }])
            }
            TardisRow::Book(bids, asks) => {
                let side = |columns: &[[usize; 2]]| -> Result<Vec<PriceSize>, String> {
                    let there = columns.iter().take_while(|c| !self.sheet.text(c[0]).is_empty());
                    there.map(|[price, size]| Ok(PriceSize(n(*price)?, n(*size)?))).collect()
                };
                let (bids, asks) = (side(bids)?, side(asks)?);
                if !(believed(&bids) && believed(&asks)) || bids.is_empty() || asks.is_empty() {
                    return Err("a book with prices that cannot be believed".to_owned());
                }
                Ok(levels(instrument, at, &bids, &asks, true))
            }
        }
    }
}

impl Decode for Tardis {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.sheet.advance()? {
            return Ok(false);
        }
        let line = self.sheet.line();
        let told = self.instrument(listings).and_then(|id| match id {
            Some(id) => self.events(id, self.sheet.stamp(self.stamp)?),
            None => Ok(Vec::new()),
        });
        match told {
            Ok(events) => out.extend(events.into_iter().map(|e| Item::now(line, e))),
            Err(why) => out.push(Item::bad(line, why)),
        }
        Ok(true)
    }
}
