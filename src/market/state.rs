//! What the market has said so far, one state for all who read it: what was last told of every instrument on
//! whatever level its feed has (bars, best prices, whole books, marks, implied volatilities, pools), and on those
//! that somebody follows at bars their indicators, their volatility and whether they still trade.
//!
//! # Invariants
//!
//! 1. What is impossible (NaN, a bid over its offer, a price or stamp that goes back) changes nothing and is answered
//!    with `false`. A bar, a funding settlement and a barrier must be newer than the last, so a repeated one is refused.
//! 2. Everything has its stamp, so its age is known: what is old is for the reader to refuse.
//! 3. An instrument has a bank if somebody asked for its indicators. Then its bars end at barriers and not after them;
//!    without one for [`DecisionClock::delist_after`] it is delisted at the next barrier, at its last price; and if it
//!    trades again, it starts anew with empty indicators. It has no funding while it does not trade.
//! 4. Events touch only their own instrument, so their order within a stamp does not matter.
//! 5. A contract that has settled is quoted no more.
//! 6. An instrument that is not heard of ([`MarketEvent::Health`]) has no quotes and is not fresh, whatever came before.
//! 7. A bar that no market makes waits for the next one ([`Doubts`]): until then it changes nothing but that.

use super::book::OrderBook;
use super::clock::DecisionClock;
use super::doubt::Doubts;
use super::indicators::Bank;
use super::quotes::{DetailLevel, PoolState, Stamped, Top};
use crate::domain::{AssetId, Bar, Indicator, InstrumentId, LinkState, MarketEvent, Span, Stamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The bar of an instrument that has had none: no price of it is a number.
const NO_BAR: Bar = Bar { open: f64::NAN, high: f64::NAN, low: f64::NAN, close: f64::NAN, volume: 0.0 };

/// One instrument as the market last showed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstrumentState {
    /// Indicators that somebody follows on it at bars; without anybody there are none, and what follows from them, to
    /// `delisted_at`, stays as it was at the start.
    pub bank: Option<Bank>,
    /// Volatility of a bar as known after the last one, as a fraction of price; NaN before enough bars.
    pub sigma: f64,
    /// Volatility as it was known before the last bar: what fills inside that bar may use.
    pub sigma_before: f64,
    /// Close-to-close return of the last bar; 0 for the first of a listing.
    pub change: f64,
    /// Whether it trades.
    pub trading: bool,
    /// The barrier at which it was last found delisted.
    pub delisted_at: Option<Stamp>,
    /// The last bar, at its close.
    pub bar: Option<Stamped<Bar>>,
    /// Close of the bar before it: where there is no gap, the last one opened then.
    pub bar_before: Option<Stamp>,
    /// Close of the last bar of the fast clock.
    pub inside: Option<Stamp>,
    /// Best prices, as last quoted.
    pub top: Option<Stamped<Top>>,
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
    /// The finest level that was told.
    pub level: DetailLevel,
    /// Whether it is heard of as it should be; always, where the feed has no say in it.
    pub health: LinkState,
    /// See [`InstrumentState::price`], and which of its three it is.
    newest: Option<(Stamped<f64>, PriceSource)>,
}

/// Where a newest price is from; of two told at once the greater counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum PriceSource {
    Bar,
    Pool,
    Top,
}

/// The state of the whole market.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Market {
    clock: DecisionClock,
    /// How many instruments are the desk's.
    desk: usize,
    /// The instruments, by number; the desk's come first.
    pub instruments: Vec<InstrumentState>,
    /// Books, of those instruments that have one.
    pub books: BTreeMap<InstrumentId, OrderBook>,
    /// Indices of implied volatility, by asset.
    pub vol: BTreeMap<AssetId, Stamped<f64>>,
    /// Stamp of the last barrier.
    pub barrier: Option<Stamp>,
    /// How often an instrument stopped trading.
    pub delistings: u64,
    /// Bars that were not believed.
    pub doubts: Doubts,
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

/// Whether an event is a bar that can be the next of an instrument, whatever its prices.
fn is_next_bar(i: &InstrumentState, barrier: Option<Stamp>, event: &MarketEvent) -> bool {
    let MarketEvent::Bar { at, bar, .. } = event else { return false };
    let is_over = i.bank.is_some() && barrier.is_some_and(|b| *at <= b);
    !is_over && bar.is_valid() && i.bar.is_none_or(|b| *at > b.at)
}

/// The last bar of a listing; none before its first.
fn listed(i: &InstrumentState) -> Option<Stamped<Bar>> {
    i.bar.filter(|_| i.trading || i.bank.is_none())
}

impl InstrumentState {
    fn new(bank: Option<Bank>) -> Self {
        InstrumentState {
            bank,
            sigma: f64::NAN,
            sigma_before: f64::NAN,
            change: 0.0,
            trading: false,
            delisted_at: None,
            bar: None,
            bar_before: None,
            inside: None,
            top: None,
            trade: None,
            mark: None,
            funding: None,
            implied: None,
            pool: None,
            settled: None,
            level: DetailLevel::Bars,
            health: LinkState::Up,
            newest: None,
        }
    }

    /// The last bar; before the first its prices are NaN.
    #[inline]
    pub fn last(&self) -> &Bar {
        match &self.bar {
            Some(bar) => &bar.value,
            None => &NO_BAR,
        }
    }

    /// Values of its indicators, by handle; empty without a bank.
    #[inline]
    pub fn values(&self) -> &[f64] {
        match &self.bank {
            Some(bank) => bank.values(),
            None => &[],
        }
    }

    /// Whether it trades at bars, that of this stamp is in, and it is still heard of.
    pub fn is_fresh(&self, at: Stamp) -> bool {
        self.trading && self.health == LinkState::Up && self.bar.is_some_and(|b| b.at == at)
    }

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

    fn close(&mut self, at: Stamp, bar: Bar) {
        let before = self.bar.replace(Stamped { at, value: bar });
        self.bar_before = before.map(|b| b.at);
        self.priced(at, bar.close, PriceSource::Bar);
        let Some(bank) = &mut self.bank else { return };
        let before = before.filter(|_| self.trading);
        self.change = before.map_or(0.0, |b| bar.close / b.value.close - 1.0);
        if !self.trading {
            bank.reset();
            self.trading = true;
        }
        self.sigma_before = bank.sigma();
        bank.push(&bar);
        self.sigma = bank.sigma();
    }
}

impl Market {
    /// A market of which nothing was told yet. By instrument, the desk's first: the indicators that are wanted of it,
    /// which may be none; or nothing, if nobody follows it at bars.
    pub fn new(clock: DecisionClock, wanted: Vec<Option<Vec<Indicator>>>) -> Self {
        let bars_per_day = Span::DAY.in_units_of(clock.decide);
        let bank = |keys: Option<Vec<Indicator>>| keys.map(|k| Bank::new(k, bars_per_day));
        Market {
            clock,
            desk: wanted.iter().take_while(|w| w.is_some()).count(),
            instruments: wanted.into_iter().map(|keys| InstrumentState::new(bank(keys))).collect(),
            books: BTreeMap::new(),
            vol: BTreeMap::new(),
            barrier: None,
            delistings: 0,
            doubts: Doubts::default(),
        }
    }

    /// So many instruments that nobody follows at bars.
    pub fn quoted(instruments: usize) -> Self {
        Market::new(DecisionClock::default(), vec![None; instruments])
    }

    /// The desk's instruments.
    pub fn desk(&self) -> &[InstrumentState] {
        &self.instruments[..self.desk]
    }

    /// An instrument; none if there is no such.
    pub fn get(&self, instrument: InstrumentId) -> Option<&InstrumentState> {
        self.instruments.get(instrument.index())
    }

    /// The newest price of an instrument.
    pub fn price(&self, instrument: InstrumentId) -> Option<Stamped<f64>> {
        self.get(instrument).and_then(InstrumentState::price)
    }

    /// A book that may be read.
    pub fn book(&self, instrument: InstrumentId) -> Option<&OrderBook> {
        let has = self.get(instrument).is_some_and(|i| i.level == DetailLevel::Depth);
        if has { self.books.get(&instrument).filter(|b| b.is_whole()) } else { None }
    }

    /// Whether an event counts.
    pub fn accepts(&self, event: &MarketEvent) -> bool {
        if let MarketEvent::VolIndex { asset, at, sigma } = *event {
            return positive(sigma) && newer(self.vol.get(&asset), at);
        }
        let i = event.instrument().and_then(|i| self.instruments.get(i.index()));
        let Some(i) = i.filter(|i| i.settled.is_none()) else { return false };
        match *event {
            MarketEvent::Bar { .. } => {
                is_next_bar(i, self.barrier, event) && self.doubts.believe(event, listed(i), i.sigma)
            }
            MarketEvent::Funding { at, rate, mark, .. } => {
                let trades = i.bank.is_none() || i.trading;
                trades
                    && rate.is_finite()
                    && Doubts::believe_price(mark, listed(i))
                    && i.funding.is_none_or(|f| at > f.at)
            }
            MarketEvent::Quote { at, bid, ask, bid_size, ask_size, .. } => {
                positive(bid)
                    && positive(ask)
                    && bid <= ask
                    && size(bid_size)
                    && size(ask_size)
                    && newer(i.top.as_ref(), at)
            }
            MarketEvent::Trade { at, price, size: s, .. } => {
                positive(price) && positive(s) && newer(i.trade.as_ref(), at)
            }
            MarketEvent::Level { at, price, size: s, .. } => {
                positive(price) && size(s) && newer(i.top.as_ref(), at)
            }
            MarketEvent::Mark { at, mark, index, .. } => {
                positive(mark) && positive(index) && newer(i.mark.as_ref(), at)
            }
            MarketEvent::Implied { at, sigma, forward, .. } => {
                positive(sigma) && positive(forward) && newer(i.implied.as_ref(), at)
            }
            MarketEvent::Pool { at, price, liquidity, swapped, gas, .. } => {
                positive(price)
                    && positive(liquidity)
                    && size(swapped)
                    && size(gas)
                    && newer(i.pool.as_ref(), at)
            }
            MarketEvent::Settled { price, .. } => size(price),
            MarketEvent::Inside { at, bar, .. } => {
                let is_near = |price| Doubts::believe_price(price, listed(i));
                bar.is_valid() && is_near(bar.open) && is_near(bar.close) && i.inside.is_none_or(|b| at > b)
            }
            MarketEvent::Health { state, .. } => state != i.health,
            MarketEvent::VolIndex { .. } => false,
        }
    }

    /// Takes what the market said; false if it does not count.
    pub fn take(&mut self, event: &MarketEvent) -> bool {
        let counts = self.accepts(event);
        if counts {
            self.put(event);
        } else {
            self.refuse(event);
        }
        counts
    }

    /// Remembers what it does not accept if that may turn out to be true; [`Market::accepts`] was asked.
    pub fn refuse(&mut self, event: &MarketEvent) {
        let i = event.instrument().and_then(|i| self.instruments.get(i.index()));
        let Some(i) = i.filter(|i| i.settled.is_none() && is_next_bar(i, self.barrier, event)) else {
            return;
        };
        if let Some(last) = listed(i) {
            self.doubts.hold(event, &last.value);
        }
    }

    /// Takes what it accepts; [`Market::accepts`] was asked.
    pub fn put(&mut self, event: &MarketEvent) {
        if let MarketEvent::VolIndex { asset, at, sigma } = *event {
            self.vol.insert(asset, Stamped { at, value: sigma });
        }
        let Some(instrument) = event.instrument() else { return };
        let Some(i) = self.instruments.get_mut(instrument.index()) else { return };
        match *event {
            MarketEvent::Bar { at, bar, .. } => {
                i.close(at, bar);
                self.doubts.settle(instrument, &bar);
            }
            MarketEvent::Funding { at, rate, .. } => i.funding = Some(Stamped { at, value: rate }),
            MarketEvent::Quote { at, bid, ask, bid_size, ask_size, .. } => {
                i.tops(at, Top { bid, ask, bid_size, ask_size });
                i.level = i.level.max(DetailLevel::Quotes);
            }
            MarketEvent::Trade { at, price, size, buys, .. } => {
                i.trade = Some(Stamped { at, value: (price, size, buys) });
            }
            MarketEvent::Level { at, bid, price, size, first, last, .. } => {
                i.level = DetailLevel::Depth;
                let book = self.books.entry(instrument).or_default();
                book.level(bid, price, size, first, last);
                if let (true, Some(b), Some(a)) = (book.is_whole(), book.bids.first(), book.asks.first()) {
                    i.tops(at, Top { bid: b.0, ask: a.0, bid_size: b.1, ask_size: a.1 });
                }
            }
            MarketEvent::Mark { at, mark, index, .. } => i.mark = Some(Stamped { at, value: (mark, index) }),
            MarketEvent::Implied { at, sigma, forward, .. } => {
                i.implied = Some(Stamped { at, value: (sigma, forward) });
            }
            MarketEvent::Pool { at, price, liquidity, swapped, gas, .. } => {
                i.pool = Some(Stamped { at, value: PoolState { price, liquidity, swapped, gas } });
                i.priced(at, price, PriceSource::Pool);
                i.level = i.level.max(DetailLevel::Quotes);
            }
            MarketEvent::Settled { at, price, .. } => i.settled = Some(Stamped { at, value: price }),
            MarketEvent::Inside { at, .. } => i.inside = Some(at),
            MarketEvent::Health { state, .. } => {
                i.health = state;
                if state != LinkState::Up {
                    // Nobody is to trade on what was quoted before; the price it had stays for the books.
                    (i.top, i.mark, i.implied) = (None, None, None);
                    self.books.remove(&instrument);
                }
            }
            MarketEvent::VolIndex { .. } => {}
        }
    }

    /// Takes a barrier; false if it is not newer than the last. Finds what has stopped trading.
    pub fn barrier(&mut self, at: Stamp) -> bool {
        if self.barrier.is_some_and(|b| at <= b) {
            return false;
        }
        self.barrier = Some(at);
        for i in self.instruments.iter_mut().filter(|i| i.trading) {
            if i.bar.is_some_and(|b| at.since(b.at) >= self.clock.delist_after) {
                i.trading = false;
                i.delisted_at = Some(at);
                self.delistings += 1;
            }
        }
        self.tell_the_market(at);
        true
    }

    /// What all that are followed at bars did in the bar that closes here, told to those who compare with it.
    fn tell_the_market(&mut self, at: Stamp) {
        let looks = |i: &InstrumentState| i.bank.as_ref().is_some_and(Bank::looks_at_the_market);
        if !self.instruments.iter().any(looks) {
            return;
        }
        let closed = |i: &InstrumentState| i.bank.is_some() && i.is_fresh(at) && i.sigma_before.is_finite();
        let returns: Vec<f64> =
            self.desk().iter().filter(|i| closed(i)).map(|i| libm::log1p(i.change)).collect();
        if returns.len() < 2 {
            return;
        }
        let mean = returns.iter().sum::<f64>() / returns.len() as f64;
        for i in self.instruments.iter_mut().filter(|i| closed(i)) {
            if let Some(bank) = &mut i.bank {
                bank.hear_the_market(mean);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const I: InstrumentId = InstrumentId(0);

    /// Two instruments that are followed at bars, and one that is not.
    fn market() -> Market {
        Market::new(DecisionClock::default(), vec![Some(vec![Indicator::Mean(2)]), Some(vec![]), None])
    }

    fn bar(instrument: u16, at: Stamp, close: f64) -> MarketEvent {
        let bar = Bar { open: close, high: close, low: close, close, volume: 1.0 };
        MarketEvent::Bar { instrument: InstrumentId(instrument), at, bar }
    }

    fn at(bars: i64) -> Stamp {
        Stamp(bars * 4 * Span::HOUR.0)
    }

    fn quote(at: i64, bid: f64, ask: f64) -> MarketEvent {
        MarketEvent::Quote { instrument: I, at: Stamp(at), bid, ask, bid_size: 1.0, ask_size: 1.0 }
    }

    #[test]
    fn a_repeated_late_or_impossible_bar_changes_nothing() {
        let mut m = market();
        assert!(m.take(&bar(0, at(1), 10.0)));
        assert!(m.barrier(at(1)));
        let before = format!("{m:?}");
        assert!(!m.take(&bar(0, at(1), 11.0)));
        assert!(!m.take(&bar(1, at(1), 11.0)));
        assert!(!m.take(&bar(9, at(2), 11.0)));
        assert!(!m.take(&bar(0, at(2), -1.0)));
        assert!(!m.barrier(at(1)));
        assert_eq!(format!("{m:?}"), before);
    }

    #[test]
    fn silence_delists_and_a_return_starts_anew() {
        let mut m = market();
        for i in 1..=4 {
            m.take(&bar(0, at(i), 10.0));
            m.barrier(at(i));
        }
        let mean = |m: &Market| m.desk()[0].values()[0];
        assert!(mean(&m).is_finite());
        for i in 5..=46 {
            m.barrier(at(i));
        }
        assert!(!m.desk()[0].trading);
        assert_eq!((m.delistings, m.desk()[0].delisted_at), (1, Some(at(46))));
        assert!(m.take(&bar(0, at(50), 1.0)));
        assert!(m.desk()[0].trading);
        assert_eq!(m.desk()[0].change, 0.0);
        assert!(mean(&m).is_nan());
    }

    #[test]
    fn barriers_bind_only_what_is_followed_at_bars() {
        let mut m = market();
        assert_eq!((m.desk().len(), m.instruments.len()), (2, 3));
        let funding =
            |i| MarketEvent::Funding { instrument: InstrumentId(i), at: at(1), rate: 0.1, mark: 1.0 };
        assert!(!m.take(&funding(0)) && m.take(&funding(2)), "before its first bar nobody pays");
        assert!(m.take(&bar(2, at(1), 10.0)) && m.barrier(at(90)));
        assert!(m.take(&bar(2, at(2), 11.0)), "late, but newer than the last");
        assert_eq!((m.delistings, m.instruments[2].last().close), (0, 11.0));
        assert!(!m.instruments[2].is_fresh(at(2)) && m.instruments[2].sigma.is_nan());
    }

    #[test]
    fn what_is_impossible_or_late_changes_nothing() {
        let mut m = market();
        assert!(m.take(&quote(2, 99.0, 101.0)));
        let before = format!("{m:?}");
        for bad in [quote(1, 98.0, 99.0), quote(3, 101.0, 99.0), quote(3, f64::NAN, 99.0)] {
            assert!(!m.take(&bad), "{bad:?}");
        }
        assert_eq!(format!("{m:?}"), before);
    }

    #[test]
    fn the_newest_of_quote_and_bar_is_the_price() {
        let mut m = market();
        assert!(m.take(&bar(0, Stamp(5), 2.0)));
        assert_eq!(m.price(I).map(|p| p.value), Some(2.0));
        assert!(m.take(&quote(6, 9.0, 11.0)));
        assert_eq!(m.price(I), Some(Stamped { at: Stamp(6), value: 10.0 }));
        assert_eq!(m.get(I).map(|i| i.level), Some(DetailLevel::Quotes));
    }

    #[test]
    fn a_book_gives_the_best_prices_only_when_it_is_whole() {
        let mut m = market();
        let level = |bid, price, last| MarketEvent::Level {
            instrument: I,
            at: Stamp(1),
            bid,
            price,
            size: 2.0,
            first: false,
            last,
        };
        assert!(m.take(&level(true, 99.0, false)));
        assert!(m.price(I).is_none() && m.book(I).is_none());
        assert!(m.take(&level(false, 101.0, true)));
        assert_eq!(m.price(I).map(|p| p.value), Some(100.0));
        assert!(m.book(I).is_some());
    }

    #[test]
    fn after_settlement_nothing_is_quoted() {
        let mut m = market();
        assert!(m.take(&MarketEvent::Settled { instrument: I, at: Stamp(1), price: 0.0 }));
        assert!(!m.take(&quote(2, 99.0, 101.0)));
    }
}
