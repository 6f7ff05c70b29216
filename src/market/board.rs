//! What every instrument was last quoted at, on whatever level its feed has: bars, best prices, whole
//! books, marks, implied volatilities, pools. Structures decide on it and are filled by it.
//!
//! # Invariants
//!
//! 1. What is impossible (NaN, a bid over its offer, a price or stamp that goes back) changes nothing and
//!    is answered with `false`.
//! 2. Everything has its stamp, so its age is known: what is old is for the reader to refuse.
//! 3. A contract that has settled is quoted no more.

use super::book::OrderBook;
use crate::domain::{AssetId, Bar, InstrumentId, MarketEvent, Stamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// How much is known of a market, and so how orders in it are filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DetailLevel {
    /// Bars alone: orders fill within them.
    #[default]
    Bars,
    /// Best prices and trades.
    Quotes,
    /// The whole book, level by level.
    Depth,
}

impl DetailLevel {
    /// As it is printed on every result.
    pub fn text(self) -> &'static str {
        match self {
            DetailLevel::Bars => "B",
            DetailLevel::Quotes => "L1",
            DetailLevel::Depth => "L2",
        }
    }
}

impl fmt::Display for DetailLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// A value and when it was told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped<T> {
    /// When it was told.
    pub at: Stamp,
    /// What was told.
    pub value: T,
}

/// Best bid and offer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Top {
    /// Best bid, in the quote currency per base unit.
    pub bid: f64,
    /// Best offer, in the quote currency per base unit.
    pub ask: f64,
    /// Base units at the bid.
    pub bid_size: f64,
    /// Base units at the offer.
    pub ask_size: f64,
}

impl Top {
    /// The middle of bid and offer.
    pub fn mid(&self) -> f64 {
        f64::midpoint(self.bid, self.ask)
    }
}

/// A pool's price and the liquidity around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolState {
    /// Quote per base.
    pub price: f64,
    /// √(base · quote) at the price.
    pub liquidity: f64,
    /// Quote currency swapped since the state before.
    pub swapped: f64,
    /// Gas that a swap takes, in quote currency.
    pub gas: f64,
}

/// What was last told of one instrument.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quoted {
    /// Best prices, as last quoted.
    pub top: Option<Stamped<Top>>,
    /// The last bar.
    pub bar: Option<Stamped<Bar>>,
    /// Close of the bar before it: where there is no gap, the last one opened then.
    pub bar_before: Option<Stamp>,
    /// The last trade: price, size, whether the taker bought.
    pub trade: Option<Stamped<(f64, f64, bool)>>,
    /// Mark and index.
    pub mark: Option<Stamped<(f64, f64)>>,
    /// The last settled funding: its rate.
    pub funding: Option<Stamped<f64>>,
    /// Implied volatility and forward.
    pub implied: Option<Stamped<(f64, f64)>>,
    /// The state of a pool, if it is one.
    pub pool: Option<Stamped<PoolState>>,
    /// What it settled at.
    pub settled: Option<Stamped<f64>>,
    /// Close of the last bar of the fast clock.
    pub inside: Option<Stamp>,
    /// The finest level that was told.
    pub level: DetailLevel,
    /// See [`Quoted::price`], and which of its three it is.
    newest: Option<(Stamped<f64>, PriceSource)>,
}

/// Where a newest price is from; of two told at once the greater counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum PriceSource {
    Bar,
    Pool,
    Top,
}

impl Quoted {
    /// The newest price that is known and when: the mid of the best prices, the pool's price, or the
    /// close of the last bar.
    pub fn price(&self) -> Option<Stamped<f64>> {
        self.newest.map(|n| n.0)
    }

    fn priced(&mut self, at: Stamp, value: f64, source: PriceSource) {
        if self.newest.is_none_or(|(t, s)| (at, source) >= (t.at, s)) {
            self.newest = Some((Stamped { at, value }, source));
        }
    }

    fn tops(&mut self, at: Stamp, top: Top) {
        self.priced(at, top.mid(), PriceSource::Top);
        self.top = Some(Stamped { at, value: top });
    }
}

/// What was last told of every instrument.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Board {
    /// What was last told, by instrument.
    pub quoted: Vec<Quoted>,
    /// Books, of those instruments that have one.
    pub books: BTreeMap<InstrumentId, OrderBook>,
    /// Indices of implied volatility, by asset.
    pub vol: BTreeMap<AssetId, Stamped<f64>>,
}

fn positive(x: f64) -> bool {
    x.is_finite() && x > 0.0
}

fn size(x: f64) -> bool {
    x.is_finite() && x >= 0.0
}

fn newer<T>(old: Option<&Stamped<T>>, at: Stamp) -> bool {
    old.is_none_or(|o| at >= o.at)
}

impl Board {
    /// Of so many instruments, none of them quoted yet.
    pub fn new(instruments: usize) -> Self {
        Board { quoted: vec![Quoted::default(); instruments], ..Board::default() }
    }

    /// An instrument; none if there is no such.
    pub fn get(&self, instrument: InstrumentId) -> Option<&Quoted> {
        self.quoted.get(instrument.index())
    }

    /// The newest price of an instrument.
    pub fn price(&self, instrument: InstrumentId) -> Option<Stamped<f64>> {
        self.get(instrument).and_then(Quoted::price)
    }

    /// A book that may be read.
    pub fn book(&self, instrument: InstrumentId) -> Option<&OrderBook> {
        let has = self.get(instrument).is_some_and(|q| q.level == DetailLevel::Depth);
        if has { self.books.get(&instrument).filter(|b| b.is_whole()) } else { None }
    }

    /// Whether an event counts.
    pub fn accepts(&self, event: &MarketEvent) -> bool {
        if let MarketEvent::VolIndex { asset, at, sigma } = *event {
            return positive(sigma) && newer(self.vol.get(&asset), at);
        }
        let q = event.instrument().and_then(|i| self.quoted.get(i.index()));
        let Some(q) = q.filter(|q| q.settled.is_none()) else { return false };
        match *event {
            MarketEvent::Bar { at, bar, .. } => bar.is_valid() && q.bar.is_none_or(|b| at > b.at),
            MarketEvent::Funding { at, rate, mark, .. } => {
                rate.is_finite() && positive(mark) && q.funding.is_none_or(|f| at > f.at)
            }
            MarketEvent::Quote { at, bid, ask, bid_size, ask_size, .. } => {
                positive(bid)
                    && positive(ask)
                    && bid <= ask
                    && size(bid_size)
                    && size(ask_size)
                    && newer(q.top.as_ref(), at)
            }
            MarketEvent::Trade { at, price, size: s, .. } => {
                positive(price) && positive(s) && newer(q.trade.as_ref(), at)
            }
            MarketEvent::Level { at, price, size: s, .. } => {
                positive(price) && size(s) && newer(q.top.as_ref(), at)
            }
            MarketEvent::Mark { at, mark, index, .. } => {
                positive(mark) && positive(index) && newer(q.mark.as_ref(), at)
            }
            MarketEvent::Implied { at, sigma, forward, .. } => {
                positive(sigma) && positive(forward) && newer(q.implied.as_ref(), at)
            }
            MarketEvent::Pool { at, price, liquidity, swapped, gas, .. } => {
                positive(price)
                    && positive(liquidity)
                    && size(swapped)
                    && size(gas)
                    && newer(q.pool.as_ref(), at)
            }
            MarketEvent::Settled { price, .. } => size(price),
            MarketEvent::Inside { at, bar, .. } => bar.is_valid() && q.inside.is_none_or(|i| at > i),
            MarketEvent::VolIndex { .. } => false,
        }
    }

    /// Takes what the market said; false if it does not count.
    pub fn take(&mut self, event: &MarketEvent) -> bool {
        let counts = self.accepts(event);
        if counts {
            self.put(event);
        }
        counts
    }

    /// Takes what it accepts; [`Board::accepts`] was asked.
    pub fn put(&mut self, event: &MarketEvent) {
        if let MarketEvent::VolIndex { asset, at, sigma } = *event {
            self.vol.insert(asset, Stamped { at, value: sigma });
        }
        let Some(instrument) = event.instrument() else { return };
        let Some(q) = self.quoted.get_mut(instrument.index()) else { return };
        match *event {
            MarketEvent::Bar { at, bar, .. } => {
                q.bar_before = q.bar.map(|b| b.at);
                q.bar = Some(Stamped { at, value: bar });
                q.priced(at, bar.close, PriceSource::Bar);
            }
            MarketEvent::Funding { at, rate, .. } => q.funding = Some(Stamped { at, value: rate }),
            MarketEvent::Quote { at, bid, ask, bid_size, ask_size, .. } => {
                q.tops(at, Top { bid, ask, bid_size, ask_size });
                q.level = q.level.max(DetailLevel::Quotes);
            }
            MarketEvent::Trade { at, price, size, buys, .. } => {
                q.trade = Some(Stamped { at, value: (price, size, buys) });
            }
            MarketEvent::Level { at, bid, price, size, first, last, .. } => {
                q.level = DetailLevel::Depth;
                let book = self.books.entry(instrument).or_default();
                book.level(bid, price, size, first, last);
                if let (true, Some(b), Some(a)) = (book.is_whole(), book.bids.first(), book.asks.first()) {
                    q.tops(at, Top { bid: b.0, ask: a.0, bid_size: b.1, ask_size: a.1 });
                }
            }
            MarketEvent::Mark { at, mark, index, .. } => q.mark = Some(Stamped { at, value: (mark, index) }),
            MarketEvent::Implied { at, sigma, forward, .. } => {
                q.implied = Some(Stamped { at, value: (sigma, forward) });
            }
            MarketEvent::Pool { at, price, liquidity, swapped, gas, .. } => {
                q.pool = Some(Stamped { at, value: PoolState { price, liquidity, swapped, gas } });
                q.priced(at, price, PriceSource::Pool);
                q.level = q.level.max(DetailLevel::Quotes);
            }
            MarketEvent::Settled { at, price, .. } => q.settled = Some(Stamped { at, value: price }),
            MarketEvent::Inside { at, .. } => q.inside = Some(at),
            MarketEvent::VolIndex { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const I: InstrumentId = InstrumentId(0);

    fn quote(at: i64, bid: f64, ask: f64) -> MarketEvent {
        MarketEvent::Quote { instrument: I, at: Stamp(at), bid, ask, bid_size: 1.0, ask_size: 1.0 }
    }

    #[test]
    fn what_is_impossible_or_late_changes_nothing() {
        let mut b = Board::new(1);
        assert!(b.take(&quote(2, 99.0, 101.0)));
        let before = b.clone();
        for bad in [quote(1, 98.0, 99.0), quote(3, 101.0, 99.0), quote(3, f64::NAN, 99.0)] {
            assert!(!b.take(&bad), "{bad:?}");
        }
        assert_eq!(b, before);
    }

    #[test]
    fn the_newest_of_quote_and_bar_is_the_price() {
        let mut b = Board::new(1);
        let bar = Bar { open: 1.0, high: 3.0, low: 1.0, close: 2.0, volume: 1.0 };
        assert!(b.take(&MarketEvent::Bar { instrument: I, at: Stamp(5), bar }));
        assert_eq!(b.price(I).map(|p| p.value), Some(2.0));
        assert!(b.take(&quote(6, 9.0, 11.0)));
        assert_eq!(b.price(I), Some(Stamped { at: Stamp(6), value: 10.0 }));
        assert_eq!(b.get(I).map(|q| q.level), Some(DetailLevel::Quotes));
    }

    #[test]
    fn a_book_gives_the_best_prices_only_when_it_is_whole() {
        let mut b = Board::new(1);
        let level = |bid, price, last| MarketEvent::Level {
            instrument: I,
            at: Stamp(1),
            bid,
            price,
            size: 2.0,
            first: false,
            last,
        };
        assert!(b.take(&level(true, 99.0, false)));
        assert!(b.price(I).is_none() && b.book(I).is_none());
        assert!(b.take(&level(false, 101.0, true)));
        assert_eq!(b.price(I).map(|p| p.value), Some(100.0));
        assert!(b.book(I).is_some());
    }

    #[test]
    fn after_settlement_nothing_is_quoted() {
        let mut b = Board::new(1);
        assert!(b.take(&MarketEvent::Settled { instrument: I, at: Stamp(1), price: 0.0 }));
        assert!(!b.take(&quote(2, 99.0, 101.0)));
    }
}
