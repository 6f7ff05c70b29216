//! Recorded messages of Binance, spot, USDⓈ-M and COIN-M: best prices, trades, and changes of the book
//! after a snapshot.
//!
//! Changes carry the number of their first and last update (`U`, `u`), on futures also the last of the
//! change before (`pu`). A change that does not join the one before drops the book until the next
//! snapshot, and is counted. Changes that came before the snapshot's answer are kept and joined to it.
//!
//! COIN-M counts contracts of 100 dollars (BTC) or 10 (others): sizes are turned into coins.

use super::csv_rows::FileBytes;
use super::item::{Decode, Item, NamedFile};
use super::listing::{ListingName, Listings};
use super::messages::{FileLines, Number, PriceSize, believed, levels, parse, wrapped};
use crate::domain::{ContractTerms, InstrumentId, InstrumentKind, MarketEvent, Stamp};
use crate::market::FeedError;
use crate::market::table::SymbolPair;
use serde::Deserialize;
use std::collections::VecDeque;

/// Changes that wait for a snapshot: some seconds of the busiest book.
const WAITING_MAX: usize = 4_096;

#[derive(Deserialize)]
struct Ticker<'a> {
    s: &'a str,
    b: Number,
    #[serde(rename = "B")]
    bid_size: Number,
    a: Number,
    #[serde(rename = "A")]
    ask_size: Number,
}

#[derive(Deserialize)]
struct BinanceTrade<'a> {
    s: &'a str,
    p: Number,
    q: Number,
    /// The buyer was there first.
    m: bool,
    /// On futures: `MARKET` for what traders did.
    #[serde(rename = "X")]
    kind: Option<&'a str>,
}

#[derive(Deserialize)]
struct DepthSnapshot<'a> {
    s: &'a str,
    #[serde(rename = "U")]
    first: u64,
    u: u64,
    pu: Option<u64>,
    b: Vec<PriceSize>,
    a: Vec<PriceSize>,
}

#[derive(Deserialize)]
struct Snapshot {
    #[serde(rename = "lastUpdateId")]
    last: u64,
    bids: Vec<PriceSize>,
    asks: Vec<PriceSize>,
}

/// A change of the book without its symbol.
struct BookChange {
    first: u64,
    last: u64,
    before: Option<u64>,
    bids: Vec<PriceSize>,
    asks: Vec<PriceSize>,
}

/// Where the book stands.
enum BinanceBook {
    /// No snapshot yet, or the one there was is lost.
    Waiting(VecDeque<BookChange>),
    /// Whole up to this update; whether a change has followed the snapshot.
    Whole(u64, bool),
}

/// Reads a recording of Binance's streams, one message a line.
pub(super) struct Binance {
    lines: FileLines,
    file: NamedFile,
    symbol: Option<(String, Option<InstrumentId>, Option<f64>)>,
    book: BinanceBook,
    /// A price at which a dropped book can be said to be empty.
    price: f64,
    lost: u64,
    passed: u64,
}

/// How a change goes on from what the book has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joins {
    Old,
    Next,
    Gap,
}

/// The rule of spot is that of consecutive numbers; futures name the change before.
fn joins(change: &BookChange, last: u64, followed: bool) -> Joins {
    let next = match change.before {
        Some(before) if followed => before == last,
        Some(_) => change.first <= last && last <= change.last,
        None => change.first <= last + 1 && last < change.last,
    };
    let old = if change.before.is_some() { change.last < last } else { change.last <= last };
    if old {
        Joins::Old
    } else if next {
        Joins::Next
    } else {
        Joins::Gap
    }
}

impl Binance {
    pub fn open(file: NamedFile, bytes: FileBytes) -> Self {
        Binance {
            lines: FileLines::open(&file.name, bytes),
            file,
            symbol: None,
            book: BinanceBook::Waiting(VecDeque::new()),
            price: f64::NAN,
            lost: 0,
            passed: 0,
        }
    }

    /// The instrument of a symbol, and dollars a contract where sizes are contracts. A recording is of one.
    fn instrument(&mut self, symbol: &str, listings: &mut Listings) -> Result<Option<InstrumentId>, String> {
        if let Some((known, id, _)) = &self.symbol {
            if known == symbol {
                return Ok(*id);
            }
            return Err(format!("{symbol} in a recording of {known}"));
        }
        let pair = SymbolPair::of(symbol).ok_or_else(|| format!("`{symbol}` is no symbol"))?;
        let inverse = symbol.contains('_') && pair.quote.as_deref() == Some("USD");
        let contract = inverse.then_some(if pair.base == "BTC" { 100.0 } else { 10.0 });
        let kind = if inverse {
            InstrumentKind::Perp
        } else {
            self.file.hints.kind.unwrap_or(InstrumentKind::Margin)
        };
        let venue = if self.file.hints.venue.is_empty() { "binance" } else { &self.file.hints.venue };
        let id = listings.number(&ListingName {
            venue,
            symbol,
            kind,
            base: &pair.base,
            quote: pair.quote.as_deref(),
            terms: ContractTerms::Plain,
        });
        self.symbol = Some((symbol.to_owned(), id, contract));
        Ok(id)
    }

    fn coins(&self, price: f64, size: f64) -> f64 {
        self.symbol.as_ref().and_then(|s| s.2).map_or(size, |contract| size * contract / price)
    }

    fn line(&mut self, listings: &mut Listings, out: &mut Vec<MarketEvent>) -> Result<(), String> {
        let (at, message) = self.lines.message()?;
        if message.starts_with(b"{\"lastUpdateId\"") {
            let snapshot: Snapshot = parse(message)?;
            return self.snapshot(at, &snapshot, out);
        }
        // Taken out of the reader, which is asked for the instrument below.
        let message = message.to_vec();
        let (stream, data) = wrapped(&message, "stream")?;
        match stream.split('@').nth(1) {
            Some("bookTicker") => {
                let t: Ticker = parse(data)?;
                let Some(instrument) = self.instrument(t.s, listings)? else { return Ok(()) };
                let (bid, ask) = (t.b.0, t.a.0);
                if !(bid > 0.0 && ask >= bid && t.bid_size.0 >= 0.0 && t.ask_size.0 >= 0.0) {
                    return Err(format!("bid {bid}, offer {ask} is no market"));
                }
                let (bid_size, ask_size) = (self.coins(bid, t.bid_size.0), self.coins(ask, t.ask_size.0));
                out.push(MarketEvent::Quote { instrument, at, bid, ask, bid_size, ask_size });
            }
            Some("trade" | "aggTrade") => {
                let t: BinanceTrade = parse(data)?;
                let Some(instrument) = self.instrument(t.s, listings)? else { return Ok(()) };
                if t.kind.is_some_and(|k| k != "MARKET") {
                    // Insurance fund, deleveraging: no trade of the book.
                    self.passed += 1;
                    return Ok(());
                }
                let price = t.p.0;
                if !(price > 0.0 && t.q.0 > 0.0) {
                    return Err(format!("{} at {price} is no trade", t.q.0));
                }
                let size = self.coins(price, t.q.0);
                out.push(MarketEvent::Trade { instrument, at, price, size, buys: !t.m });
            }
            Some("depth") => {
                let d: DepthSnapshot = parse(data)?;
                if self.instrument(d.s, listings)?.is_some() {
                    let change = BookChange { first: d.first, last: d.u, before: d.pu, bids: d.b, asks: d.a };
                    return self.change(at, change, out);
                }
            }
            _ => self.passed += 1,
        }
        Ok(())
    }

    fn events(&self, at: Stamp, bids: &[PriceSize], asks: &[PriceSize], snapshot: bool) -> Vec<MarketEvent> {
        let Some(instrument) = self.symbol.as_ref().and_then(|s| s.1) else { return Vec::new() };
        let coins = |all: &[PriceSize]| -> Vec<PriceSize> {
            all.iter().map(|PriceSize(p, s)| PriceSize(*p, self.coins(*p, *s))).collect()
        };
        levels(instrument, at, &coins(bids), &coins(asks), snapshot)
    }

    fn snapshot(&mut self, at: Stamp, s: &Snapshot, out: &mut Vec<MarketEvent>) -> Result<(), String> {
        if !(believed(&s.bids) && believed(&s.asks)) || s.bids.is_empty() || s.asks.is_empty() {
            return Err("a snapshot with prices that cannot be believed".to_owned());
        }
        if self.symbol.is_none() {
            return Err("a snapshot before anything tells of what".to_owned());
        }
        self.price = s.bids[0].0;
        out.extend(self.events(at, &s.bids, &s.asks, true));
        let waiting = std::mem::replace(&mut self.book, BinanceBook::Whole(s.last, false));
        if let BinanceBook::Waiting(changes) = waiting {
            for change in changes {
                self.change(at, change, out)?;
            }
        }
        Ok(())
    }

    fn change(&mut self, at: Stamp, change: BookChange, out: &mut Vec<MarketEvent>) -> Result<(), String> {
        if !(believed(&change.bids) && believed(&change.asks)) {
            return Err("a change with prices that cannot be believed".to_owned());
        }
        match &mut self.book {
            BinanceBook::Waiting(changes) => {
                if changes.len() == WAITING_MAX {
                    changes.pop_front();
                }
                changes.push_back(change);
            }
            BinanceBook::Whole(last, followed) => match joins(&change, *last, *followed) {
                Joins::Old => {}
                Joins::Next => {
                    (*last, *followed) = (change.last, true);
                    out.extend(self.events(at, &change.bids, &change.asks, false));
                }
                Joins::Gap => {
                    let why = format!("updates {} … {} do not follow {last}", change.first, change.last);
                    self.lost += 1;
                    self.book = BinanceBook::Waiting(VecDeque::from([change]));
                    if let Some(instrument) = self.symbol.as_ref().and_then(|s| s.1) {
                        // An empty book that is not whole: not to be read.
                        out.push(MarketEvent::Level {
                            instrument,
                            at,
                            bid: true,
                            price: self.price,
                            size: 0.0,
                            first: true,
                            last: false,
                        });
                    }
                    return Err(why);
                }
            },
        }
        Ok(())
    }
}

impl Decode for Binance {
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
        let mut notes = Vec::new();
        if self.lost > 0 {
            notes.push(format!("the book of {} was lost {} times", self.file.name, self.lost));
        }
        if self.passed > 0 {
            notes.push(format!("{} messages of other kinds are passed over", self.passed));
        }
        if self.symbol.as_ref().is_some_and(|s| s.2.is_some()) {
            notes
                .push("COIN-M contracts are counted in coins and as if they were paid in dollars".to_owned());
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(first: u64, last: u64, before: Option<u64>) -> BookChange {
        BookChange { first, last, before, bids: Vec::new(), asks: Vec::new() }
    }

    #[test]
    fn changes_join_by_the_rule_of_their_market() {
        for (c, last, followed, joined) in [
            // Spot.
            (change(90, 100, None), 100, false, Joins::Old),
            (change(95, 105, None), 100, false, Joins::Next),
            (change(101, 105, None), 100, true, Joins::Next),
            (change(103, 105, None), 100, true, Joins::Gap),
            // Futures.
            (change(90, 99, Some(80)), 100, false, Joins::Old),
            (change(95, 105, Some(94)), 100, false, Joins::Next),
            (change(101, 105, Some(100)), 100, true, Joins::Next),
            (change(104, 105, Some(103)), 100, true, Joins::Gap),
            (change(103, 105, Some(102)), 100, false, Joins::Gap),
        ] {
            assert_eq!(joins(&c, last, followed), joined, "{} … {} after {last}", c.first, c.last);
        }
    }
}
