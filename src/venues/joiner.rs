//! Joins what a venue's history says with what its sockets say, over all symbols, into the one order in which a market is
//! told. No IO and no clock: arrivals, answers and moments are given to it, and it says what has to be asked.
//!
//! ```text
//! bars by REST ──┐                        ┌─► bars of T, of all symbols ─► tick ─► quotes, marks, health … ─► bars of T + bar
//! closed klines ─┼─► by symbol and close ─┤
//! quotes, marks ─┘                        └─► what has to be asked
//! ```
//!
//! # Invariants
//!
//! 1. What comes out is sorted by stamp. Of a symbol no bar comes out twice, and none is left out that came in time.
//! 2. The bars of a moment come out together, once all are in; nothing that is later comes out before them.
//! 3. Until history has met what goes on ([`Joiner::has_joined`]) bars are waited for, however long that takes. From then on
//!    one that is not in after [`JoinTimes::ask`] is asked for, and after [`JoinTimes::give_up`] it is a gap: counted, named,
//!    and its instrument has no bar at that close.
//! 4. A symbol that nothing is heard of for [`JoinTimes::stale`], or whose socket is down, is told so once and told so again
//!    when it is heard of.

use crate::domain::money::to_estimate;
use crate::domain::{
    Bar, Decimal, Event, InstrumentId, LinkState, MarketEvent, PriceStep, Span, Stamp, VenueEvent,
};
use crate::venues::arrival::SocketState;
use crate::venues::codec::RestAsk;
use crate::venues::event::{BestQuote, InstrumentRules, Kline, MarkPrice, PublicEvent};
use std::collections::{BTreeMap, BTreeSet};

/// Bars and settlements that are asked for at once.
pub const ASKED_AT_ONCE: u32 = 1_000;
/// Bars that an answer may end before what was asked for, and have the rest a moment later; one that ends long before is of a
/// symbol that is traded no more.
const NEAR_BARS: i64 = 3;
/// Gaps and outages that are remembered.
const REMEMBERED: usize = 64;
/// Bars of a symbol that wait to be told: more than are asked for at once, so that a long history goes on meanwhile.
const WAITING_MAX: usize = 16_384;

/// How long is waited for what. Moments are the venue's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinTimes {
    /// After a close: until a bar that did not come is asked for, and from one asking to the next.
    pub ask: Span,
    /// After a close: until a bar that did not come is given up.
    pub give_up: Span,
    /// From one telling of quotes and marks to the next.
    pub quotes: Span,
    /// Until a symbol of which nothing is heard is stale.
    pub stale: Span,
    /// From one look at the trading rules to the next.
    pub rules: Span,
}

impl Default for JoinTimes {
    fn default() -> Self {
        JoinTimes {
            ask: Span::seconds(2),
            give_up: Span::seconds(10),
            quotes: Span::seconds(1),
            stale: Span::seconds(5),
            rules: Span::HOUR,
        }
    }
}

impl JoinTimes {
    /// For a simulated venue that lives so many times faster, on a machine that does not: waits are longer by its own time, and
    /// still shorter here than those of a real one.
    #[must_use]
    pub fn stretched(self, rate: f64) -> Self {
        let by = (rate / 5.0).max(1.0);
        let stretch = |span: Span| Span((span.0 as f64 * by) as i64);
        JoinTimes {
            ask: stretch(self.ask),
            give_up: stretch(self.give_up),
            stale: stretch(self.stale),
            ..self
        }
    }
}

/// An instrument that is joined.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinedSymbol {
    /// As the venue writes it.
    pub symbol: String,
    /// Its number in the market that is told.
    pub instrument: InstrumentId,
    /// Base units in what the venue counts.
    pub contract: Decimal,
    /// Whether it pays funding.
    pub pays_funding: bool,
    /// Its trading rules as they were told last: tick, lot, smallest order.
    pub rules: (PriceStep, Decimal, Decimal),
    /// How it was said to be last.
    pub state: LinkState,
    /// Stamp of the newest settlement that was told.
    pub settled: Option<Stamp>,
}

/// A time in which nothing was heard of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Symbol that was not heard of.
    pub symbol: String,
    /// When it was last heard of.
    pub from: Stamp,
    /// When it was heard of again; none while it is not.
    pub to: Option<Stamp>,
}

/// What was not as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JoinCounts {
    /// Bars that did not come in time.
    pub late_bars: u64,
    /// The newest of them: symbol and close.
    pub late: Vec<(String, Stamp)>,
    /// Bars that came again, otherwise than they were told.
    pub changed_bars: u64,
    /// Silences, the newest last.
    pub silences: Vec<Silence>,
}

/// One symbol, and what of it was not told yet.
struct SymbolState {
    is: JoinedSymbol,
    /// By their closes.
    bars: BTreeMap<Stamp, Bar>,
    /// Until here all bars are known: where there is none, the venue has none.
    covered: Stamp,
    asked: Option<Stamp>,
    quote: Option<(Stamp, BestQuote)>,
    mark: Option<(Stamp, MarkPrice)>,
    /// The newest stamps of both.
    quoted: Option<Stamp>,
    marked: Option<Stamp>,
    heard: Option<Stamp>,
    /// Sockets that it was heard on.
    sockets: BTreeSet<usize>,
    /// Until here all settlements are known.
    settled: Stamp,
    settlements: BTreeMap<Stamp, (f64, Option<f64>)>,
    next_funding: Option<Stamp>,
    asked_funding: Option<Stamp>,
    /// The newest bar that was told.
    last_told: Option<(Stamp, Bar)>,
}

/// Joins history and what goes on.
pub struct Joiner {
    bar: Span,
    times: JoinTimes,
    symbols: Vec<SymbolState>,
    by_name: BTreeMap<String, usize>,
    /// The close that is told next.
    next: Stamp,
    /// Stamp of what was told last.
    last: Stamp,
    joined: Option<Stamp>,
    /// When joining began: until here history is fetched, and from then on sockets tell what closes.
    begun: Option<Stamp>,
    down: BTreeSet<usize>,
    flushed: Option<Stamp>,
    looked_at_rules: Option<Stamp>,
    out: Vec<Event>,
    counts: JoinCounts,
}

impl Joiner {
    /// Joins symbols at bars of one length; `from` is the close of the last bar that was told, or where history begins, and
    /// `last` the stamp of whatever was told last.
    pub fn new(
        bar: Span,
        times: JoinTimes,
        symbols: Vec<JoinedSymbol>,
        (from, last): (Stamp, Stamp),
    ) -> Self {
        let by_name = symbols.iter().enumerate().map(|(n, s)| (s.symbol.clone(), n)).collect();
        // A settlement at the very close of the bars that were told last comes after them, and may not have been told.
        let open = Stamp(from.0 - 1);
        let state = |is: JoinedSymbol| SymbolState {
            settled: is.settled.map_or(open, |settled| settled.max(open)),
            is,
            bars: BTreeMap::new(),
            covered: from,
            asked: None,
            quote: None,
            mark: None,
            quoted: None,
            marked: None,
            heard: None,
            sockets: BTreeSet::new(),
            settlements: BTreeMap::new(),
            next_funding: None,
            asked_funding: None,
            last_told: None,
        };
        Joiner {
            bar,
            times,
            symbols: symbols.into_iter().map(state).collect(),
            by_name,
            next: from.after(bar),
            last,
            joined: None,
            begun: None,
            down: BTreeSet::new(),
            flushed: None,
            looked_at_rules: None,
            out: Vec::new(),
            counts: JoinCounts::default(),
        }
    }

    /// Whether history has met what goes on.
    pub fn has_joined(&self) -> bool {
        self.joined.is_some()
    }

    /// The close of the newest bars that were told.
    pub fn told(&self) -> Stamp {
        Stamp(self.next.0 - self.bar.0)
    }

    /// What was not as it should be so far.
    pub fn counts(&self) -> &JoinCounts {
        &self.counts
    }

    /// By symbol: how it is, and when it was last heard of. Before all is joined nothing is told of it, and it is stale all the
    /// same where nothing is heard.
    pub fn health(&self, now: Option<Stamp>) -> impl Iterator<Item = (&str, LinkState, Option<Stamp>)> {
        self.symbols.iter().map(move |s| {
            let is_heard = s.heard.zip(now).is_some_and(|(heard, now)| now.since(heard) <= self.times.stale);
            let state = if s.is.state == LinkState::Up && !is_heard { LinkState::Stale } else { s.is.state };
            (s.is.symbol.as_str(), state, s.heard)
        })
    }

    /// Takes what can be told now, in order.
    pub fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.out)
    }

    /// A socket has changed.
    pub fn link(&mut self, socket: usize, state: &SocketState) {
        match state {
            SocketState::Up => self.down.remove(&socket),
            SocketState::Connecting | SocketState::Silent { .. } | SocketState::Down { .. } => {
                self.down.insert(socket)
            }
        };
    }

    /// Hears what came on a socket. What is of no symbol of ours changes nothing.
    pub fn hear(&mut self, now: Stamp, socket: usize, event: &PublicEvent) {
        let name = match event {
            PublicEvent::Kline(k) => &k.symbol,
            PublicEvent::Quote(q) => &q.symbol,
            PublicEvent::Mark(m) => &m.symbol,
            PublicEvent::Trade(t) => &t.symbol,
            _ => return,
        };
        let Some(&n) = self.by_name.get(name) else { return };
        let (bar, told) = (self.bar, self.told());
        let s = &mut self.symbols[n];
        s.heard = s.heard.max(Some(now));
        s.sockets.insert(socket);
        match event {
            // A close that is not over yet by the clock is none, whatever the venue calls it.
            PublicEvent::Kline(k)
                if k.closed && k.interval == bar && k.open_at.after(bar) <= now.after(Span::seconds(1)) =>
            {
                s.bar(k, bar, told, &mut self.counts);
            }
            // While a link is replaced both are heard, and what came on the older one is old.
            PublicEvent::Quote(q) if q.at.is_some_and(|at| s.quoted.is_some_and(|newest| at < newest)) => {}
            PublicEvent::Quote(q) if q.bid.is_some() && q.ask.is_some() => {
                s.quoted = q.at.max(s.quoted);
                s.quote = Some((now, q.clone()));
            }
            PublicEvent::Mark(m) if m.at.is_some_and(|at| s.marked.is_some_and(|newest| at < newest)) => {}
            PublicEvent::Mark(m) => {
                // One that was settled is said for a moment longer.
                s.next_funding = s.next_funding.or(m.next_funding.filter(|due| *due > s.settled));
                s.marked = m.at.max(s.marked);
                s.mark = Some((now, m.clone()));
            }
            _ => {}
        }
    }

    /// Hears the answer to what was asked of a symbol.
    pub fn answer(&mut self, ask: &RestAsk, events: &[PublicEvent]) {
        let (bar, told) = (self.bar, self.told());
        match ask {
            RestAsk::Klines { symbol, to, limit, .. } => {
                let Some(&n) = self.by_name.get(symbol) else { return };
                let s = &mut self.symbols[n];
                let mut newest = None;
                let mut count = 0;
                for event in events {
                    let PublicEvent::Kline(k) = event else { continue };
                    count += 1;
                    if k.closed && k.interval == bar {
                        newest = newest.max(Some(k.open_at.after(bar)));
                        s.bar(k, bar, told, &mut self.counts);
                    }
                }
                // A full answer may have more behind it; a shorter one is all that there is, but for a bar that the venue is
                // about to have.
                let end = to.floor(bar);
                let is_near = |newest: &Stamp| end.since(*newest).0 <= NEAR_BARS * bar.0;
                let known = if count >= *limit { newest } else { newest.filter(is_near).or(Some(end)) };
                s.covered = s.covered.max(known.unwrap_or(s.covered));
            }
            RestAsk::Fundings { symbol, to, limit, .. } => {
                let Some(&n) = self.by_name.get(symbol) else { return };
                let s = &mut self.symbols[n];
                let paid = events.iter().filter_map(|event| match event {
                    PublicEvent::Funding(f) => Some(f),
                    _ => None,
                });
                let mut newest = None;
                let mut count = 0;
                for f in paid {
                    count += 1;
                    newest = newest.max(Some(f.at));
                    if f.at > s.settled {
                        s.settlements.insert(f.at, (to_estimate(f.rate), f.mark.map(to_estimate)));
                    }
                }
                let known = if count >= *limit { newest } else { Some(*to) };
                // One that is due and not there yet is asked for again.
                let due = s.next_funding.filter(|due| *due <= *to && newest.is_none_or(|n| n < *due));
                let known = due.map_or(known, |due| known.map(|k| k.min(Stamp(due.0 - 1))));
                s.settled = s.settled.max(known.unwrap_or(s.settled));
                if due.is_none() {
                    s.next_funding = None;
                }
            }
            RestAsk::Rules { .. } => {
                let now = self.last;
                for event in events {
                    if let PublicEvent::Rules(rules) = event {
                        rules.iter().for_each(|r| self.rules(now, r));
                    }
                }
            }
            RestAsk::ServerTime | RestAsk::Depth { .. } | RestAsk::Marks => {}
        }
    }

    /// Rules that are others than they were are told.
    fn rules(&mut self, at: Stamp, rules: &InstrumentRules) {
        let Some(&n) = self.by_name.get(&rules.symbol) else { return };
        let s = &mut self.symbols[n];
        let lot = rules.lot * rules.contract;
        if s.is.rules == (rules.tick, lot, rules.min_notional) {
            return;
        }
        s.is.rules = (rules.tick, lot, rules.min_notional);
        // Prices that are stepped by their digits are so at all prices.
        let PriceStep::Tick(tick) = rules.tick else { return };
        let (instrument, min_notional) = (s.is.instrument, rules.min_notional);
        self.out.push(Event::Venue(VenueEvent::Rules { instrument, at, tick, lot, min_notional }));
    }

    /// Time has passed: tells what can be told, and says what has to be asked.
    pub fn tick(&mut self, now: Stamp) -> Vec<RestAsk> {
        self.begun.get_or_insert(now);
        self.tell_bars(now);
        let asks = self.asks(now);
        let is_due = self.flushed.is_none_or(|f| now.since(f) >= self.times.quotes);
        if self.has_joined() && is_due {
            self.flushed = Some(now);
            self.tell_health(now);
            // Nothing that is later than a close is told before its bars.
            if now < self.next {
                self.tell_settlements(now);
                self.tell_prices(now);
                self.tell(Event::Tick(now.max(self.last)));
            }
        }
        asks
    }

    fn tell(&mut self, event: Event) {
        self.last = self.last.max(event.at());
        self.out.push(event);
    }

    /// Closes that are over and whose bars are in, or given up.
    fn tell_bars(&mut self, now: Stamp) {
        let before = self.next;
        while now >= self.next {
            let close = self.next;
            let is_in = |s: &SymbolState| s.bars.contains_key(&close) || s.covered >= close;
            let (has_joined, times) = (self.has_joined(), self.times);
            // One that is not heard of is not traded on whatever comes, and not waited for as long.
            let patience =
                |s: &SymbolState| if s.is.state == LinkState::Up { times.give_up.0 } else { 2 * times.ask.0 };
            let is_over = |s: &SymbolState| has_joined && now.since(close).0 >= patience(s);
            // Settlements of the past come before the bars they lie in; what goes on tells them when they are known.
            let past = self.begun.map_or(close, |begun| begun.min(close));
            let is_paid = |s: &SymbolState| !s.is.pays_funding || s.settled.0 >= past.0 - 1;
            let is_settled = has_joined || self.symbols.iter().all(is_paid);
            if !(is_settled && self.symbols.iter().all(|s| is_in(s) || is_over(s))) {
                break;
            }
            self.tell_settlements(Stamp(close.0 - 1));
            for n in 0..self.symbols.len() {
                let s = &mut self.symbols[n];
                let Some(bar) = s.bars.remove(&close) else {
                    if s.covered < close {
                        let name = s.is.symbol.clone();
                        self.counts.late_bars += 1;
                        remember(&mut self.counts.late, (name, close));
                    }
                    continue;
                };
                s.last_told = Some((close, bar));
                let instrument = s.is.instrument;
                self.tell(Event::Market(MarketEvent::Bar { instrument, at: close, bar }));
            }
            self.last = self.last.max(close);
            self.next = close.after(self.bar);
        }
        if now < self.next && self.joined.is_none() {
            self.joined = Some(now);
        }
        if self.has_joined() && self.next > before {
            // So that the close is over for whoever follows, at once; and not later than closes that are not told yet.
            let after = Stamp(self.last.0 + 1);
            self.tell(Event::Tick(if now < self.next { now.max(after) } else { after }));
        }
    }

    /// Settlements until a moment that were not told, at their own stamps or, where that is past, now.
    fn tell_settlements(&mut self, until: Stamp) {
        let mut due = Vec::new();
        for s in &mut self.symbols {
            let later = s.settlements.split_off(&Stamp(until.0 + 1));
            let paid = std::mem::replace(&mut s.settlements, later);
            let close = s.last_told.map(|(_, bar)| bar.close);
            for (at, (rate, mark)) in paid {
                // Without a mark of its own it is reckoned with the last price; before the first there is no position either.
                if let Some(mark) = mark.or(close) {
                    due.push((at, s.is.instrument, rate, mark));
                }
            }
        }
        due.sort_by_key(|(at, instrument, ..)| (*at, *instrument));
        for (at, instrument, rate, mark) in due {
            let at = at.max(self.last);
            self.tell(Event::Market(MarketEvent::Funding { instrument, at, rate, mark }));
        }
    }

    fn tell_health(&mut self, now: Stamp) {
        let since = self.joined.unwrap_or(now);
        let mut changes = Vec::new();
        for s in &mut self.symbols {
            let is_down = s.sockets.iter().any(|socket| self.down.contains(socket));
            let heard = s.heard.unwrap_or(since);
            let state = if is_down {
                LinkState::Down
            } else if now.since(heard) > self.times.stale {
                LinkState::Stale
            } else if s.heard.is_some() {
                LinkState::Up
            } else {
                continue;
            };
            if state == std::mem::replace(&mut s.is.state, state) {
                continue;
            }
            changes.push((s.is.instrument, state));
            let open =
                self.counts.silences.iter_mut().rev().find(|o| o.symbol == s.is.symbol && o.to.is_none());
            match (open, state) {
                (Some(open), LinkState::Up) => open.to = Some(now),
                (None, LinkState::Stale | LinkState::Down) => {
                    let silence = Silence { symbol: s.is.symbol.clone(), from: heard, to: None };
                    remember(&mut self.counts.silences, silence);
                }
                _ => {}
            }
        }
        for (instrument, state) in changes {
            // Not later than the bars that are waited for.
            let at = now.min(self.next).max(self.last);
            self.tell(Event::Market(MarketEvent::Health { instrument, at, state }));
        }
    }

    /// The newest quotes and marks of those that are heard of.
    fn tell_prices(&mut self, now: Stamp) {
        let floor = self.last;
        let mut told = Vec::new();
        for s in self.symbols.iter_mut().filter(|s| s.is.state == LinkState::Up) {
            let (instrument, contract) = (s.is.instrument, to_estimate(s.is.contract));
            let clamp = |at: Option<Stamp>, received: Stamp| at.unwrap_or(received).min(now).max(floor);
            if let Some((received, quote)) = s.quote.take()
                && let (Some(bid), Some(ask)) = (quote.bid, quote.ask)
            {
                let at = clamp(quote.at, received);
                let size = |level: (Decimal, Decimal)| to_estimate(level.1) * contract;
                let (bid_size, ask_size) = (size(bid), size(ask));
                let (bid, ask) = (to_estimate(bid.0), to_estimate(ask.0));
                told.push((at, MarketEvent::Quote { instrument, at, bid, ask, bid_size, ask_size }));
            }
            if let Some((received, mark)) = s.mark.take()
                && let Some(index) = mark.index
            {
                let at = clamp(mark.at, received);
                let (mark, index) = (to_estimate(mark.mark), to_estimate(index));
                told.push((at, MarketEvent::Mark { instrument, at, mark, index }));
            }
        }
        told.sort_by_key(|(at, _)| *at);
        told.into_iter().for_each(|(_, event)| self.tell(Event::Market(event)));
    }

    /// What has to be asked now.
    fn asks(&mut self, now: Stamp) -> Vec<RestAsk> {
        let (has_joined, next, bar, times) = (self.has_joined(), self.next, self.bar, self.times);
        let past = self.begun.unwrap_or(now).min(now).floor(bar);
        let may = |asked: Option<Stamp>| asked.is_none_or(|a| now.since(a) >= times.ask);
        let mut asks = Vec::new();
        for s in &mut self.symbols {
            let newest = now.floor(bar);
            // Of what is past all that fits is fetched at once; what closes from now on the sockets tell, or it is asked for.
            let is_past = !has_joined && s.covered < past && s.bars.len() < WAITING_MAX;
            let is_missing = !s.bars.contains_key(&next) && s.covered < next && now.since(next) >= times.ask;
            if (is_past || is_missing) && may(s.asked) {
                s.asked = Some(now);
                let (symbol, from) = (s.is.symbol.clone(), s.covered.max(Stamp(next.0 - bar.0)));
                // One more than there can be, so that an answer that is full has more behind it.
                let limit = (newest.since(from).0 / bar.0 + 1).clamp(1, i64::from(ASKED_AT_ONCE)) as u32;
                asks.push(RestAsk::Klines { symbol, interval: bar, from, to: newest, limit });
            }
            let is_due = s.next_funding.is_some_and(|due| now.since(due) >= times.ask)
                || !has_joined && s.settled.0 < past.0 - 1;
            if s.is.pays_funding && is_due && may(s.asked_funding) {
                s.asked_funding = Some(now);
                let (symbol, from) = (s.is.symbol.clone(), Stamp(s.settled.0 + 1));
                asks.push(RestAsk::Fundings { symbol, from, to: now, limit: ASKED_AT_ONCE });
            }
        }
        if has_joined && self.looked_at_rules.is_none_or(|l| now.since(l) >= times.rules) {
            // Those of the start are known.
            if self.looked_at_rules.replace(now).is_some() {
                asks.push(RestAsk::Rules { asset: String::new() });
            }
        }
        asks
    }

    /// An answer has come, or will not: what was asked may be asked again.
    pub fn may_ask_again(&mut self, ask: &RestAsk) {
        let (RestAsk::Klines { symbol, .. } | RestAsk::Fundings { symbol, .. }) = ask else { return };
        let Some(&n) = self.by_name.get(symbol) else { return };
        match ask {
            RestAsk::Klines { .. } => self.symbols[n].asked = None,
            _ => self.symbols[n].asked_funding = None,
        }
    }
}

fn remember<T>(into: &mut Vec<T>, one: T) {
    if into.len() == REMEMBERED {
        into.remove(0);
    }
    into.push(one);
}

impl SymbolState {
    /// Keeps a bar that was not told yet; the first of one close counts.
    fn bar(&mut self, kline: &Kline, length: Span, told: Stamp, counts: &mut JoinCounts) {
        let close = kline.open_at.after(length);
        let bar = Bar {
            open: to_estimate(kline.open),
            high: to_estimate(kline.high),
            low: to_estimate(kline.low),
            close: to_estimate(kline.close),
            volume: to_estimate(kline.volume) * to_estimate(self.is.contract),
        };
        if close <= told {
            let is_other = self.last_told.is_some_and(|(at, last)| at == close && last != bar);
            counts.changed_bars += u64::from(is_other);
            return;
        }
        let known = *self.bars.entry(close).or_insert(bar);
        counts.changed_bars += u64::from(known != bar);
    }
}

#[cfg(test)]
#[path = "joiner_tests.rs"]
mod tests;
