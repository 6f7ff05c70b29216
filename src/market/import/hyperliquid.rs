//! Recorded messages of Hyperliquid: every book is whole (the best twenty prices a side), and trades.
//!
//! The first message of trades brings those before the recording: what is older than some seconds when it
//! is received is no news and is left out.

use super::csv_rows::FileBytes;
use super::item::{Decode, Item, NamedFile};
use super::listing::{ListingName, Listings};
use super::messages::{FileLines, Number, PriceSize, believed, levels, parse, wrapped};
use crate::domain::{ContractTerms, InstrumentId, InstrumentKind, MarketEvent, Span};
use crate::market::FeedError;
use serde::Deserialize;

/// Older trades are no news.
const NEWS: Span = Span::seconds(10);

#[derive(Deserialize)]
struct HyperliquidBook<'a> {
    coin: &'a str,
    levels: [Vec<HyperliquidLevel>; 2],
}

#[derive(Deserialize)]
struct HyperliquidLevel {
    px: Number,
    sz: Number,
}

#[derive(Deserialize)]
struct HyperliquidTrade<'a> {
    coin: &'a str,
    px: Number,
    sz: Number,
    side: &'a str,
    time: i64,
}

/// Reads a recording of Hyperliquid's streams, one message a line.
pub(super) struct Hyperliquid {
    lines: FileLines,
    file: NamedFile,
    old: u64,
}

impl Hyperliquid {
    pub fn open(file: NamedFile, bytes: FileBytes) -> Self {
        Hyperliquid { lines: FileLines::open(&file.name, bytes), file, old: 0 }
    }

    fn instrument(&self, coin: &str, listings: &mut Listings) -> Option<InstrumentId> {
        let venue = if self.file.hints.venue.is_empty() { "hyperliquid" } else { &self.file.hints.venue };
        let (symbol, terms) = (format!("{coin}USD"), ContractTerms::Plain);
        let kind = InstrumentKind::Perp;
        listings.number(&ListingName { venue, symbol: &symbol, kind, base: coin, quote: Some("USD"), terms })
    }

    fn line(&mut self, listings: &mut Listings, out: &mut Vec<MarketEvent>) -> Result<(), String> {
        let (at, message) = self.lines.message()?;
        let (channel, data) = wrapped(message, "channel")?;
        match channel {
            "l2Book" => {
                let book: HyperliquidBook = parse(data)?;
                let Some(instrument) = self.instrument(book.coin, listings) else { return Ok(()) };
                let [bids, asks] = book
                    .levels
                    .map(|side| side.iter().map(|l| PriceSize(l.px.0, l.sz.0)).collect::<Vec<_>>());
                if !(believed(&bids) && believed(&asks)) || bids.is_empty() || asks.is_empty() {
                    return Err("a book with prices that cannot be believed".to_owned());
                }
                out.extend(levels(instrument, at, &bids, &asks, true));
            }
            "trades" => {
                let trades: Vec<HyperliquidTrade> = parse(data)?;
                let mut old = 0;
                for t in trades {
                    let Some(instrument) = self.instrument(t.coin, listings) else { continue };
                    if at.0 - t.time.saturating_mul(1_000_000) > NEWS.0 {
                        old += 1;
                        continue;
                    }
                    let (price, size) = (t.px.0, t.sz.0);
                    if !(price > 0.0 && size > 0.0) {
                        return Err(format!("{size} at {price} is no trade"));
                    }
                    out.push(MarketEvent::Trade { instrument, at, price, size, buys: t.side == "B" });
                }
                self.old += old;
            }
            _ => {}
        }
        Ok(())
    }
}

impl Decode for Hyperliquid {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.lines.advance()? {
            return Ok(false);
        }
        let line = self.lines.number;
        let mut events = Vec::new();
        let done = self.line(listings, &mut events);
        out.extend(events.into_iter().map(|e| Item::now(line, e)));
        if let Err(why) = done {
            out.push(Item::bad(line, why));
        }
        Ok(true)
    }

    fn notes(&self) -> Vec<String> {
        let note = format!("{} trades from before the recording are left out", self.old);
        if self.old > 0 { vec![note] } else { Vec::new() }
    }
}
