//! The same asset elsewhere: a dated future beside the perp, or the spot of several exchanges. Whether a further
//! service that chooses among them would be worth having, laid over an account whose exposure it never changes.
//!
//! ```text
//! future   h = min(T, H) the shorter of its time to expiry and the quote's horizon, b = ln(F / perp)
//!          v = V·h/H − b·h/T                          what a unit long saves by being held in the future, over h
//!          LEAVE  q·v < 0 and |v| > c_f + c_p          q → 0
//!          FLOW   d·v > 0                              what the desk trades anyway is traded in the future
//!          ENTER  |v| > 2(c_f + c_p)                   q → ¼ of equity on the side of v
//! venues   the spot that is carried lies where it was bought; it goes to the cheapest exchange once
//!          ln(dear / cheap) > 2·c_s, which is what selling here and buying there costs
//! ```
//!
//! These are the rules of [`expression`](crate::treasury::expression), of both signs as a future needs no cash.
//! Thresholds are costs, nothing is fitted.
//!
//! # What favours the service
//!
//! Margin of the future is not counted against the capital, its roll is at the settlement price, neither market
//! moves against what is traded, and coins change exchange at no cost and with no delay but the next price. So a
//! gain here is an upper bound, and none is none.
//!
//! # Invariants
//!
//! 1. What is decided on a price is filled at the next one of the same place.
//! 2. A price elsewhere is held against the perp's of the same moment: bars that close later are not known.

use super::stream::{Meter, Track};
use crate::domain::{
    AssetId, CarryQuote, Digest, Event, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp, Terms,
    Universe,
};
use crate::engine::Settings;
use crate::engine::services::side;
use crate::market::FeedError;
use crate::market::board::Told;
use crate::market::history::Source;
use crate::market::tape::TapeReader;

/// Most of an asset that is held in the future, in multiples of equity, as of spot.
const EACH: f64 = 0.25;

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A dated future in place of the perp.
    Future,
    /// Spot where it is cheapest.
    Venues,
}

/// A price of one of the places.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Price {
    at: Stamp,
    place: usize,
    value: f64,
    /// A future ends here.
    last: bool,
}

/// An asset in other places.
#[derive(Clone, Debug, PartialEq)]
pub struct Elsewhere {
    /// What is made of it.
    pub rule: Rule,
    /// Which asset.
    pub asset: AssetId,
    /// By place: when a future ends.
    expiries: Vec<Option<Stamp>>,
    prices: Vec<Price>,
}

impl Elsewhere {
    /// Reads a tape: of each asset of `universe` that has perps at the desk, its dated futures, and its spot where
    /// there are several exchanges.
    pub fn read(source: &dyn Source, universe: &Universe) -> Result<Vec<Elsewhere>, FeedError> {
        let name = source.name();
        let reading =
            |e: std::io::Error| FeedError::Read { file: name.to_owned(), line: 0, reason: e.to_string() };
        let mut tape = TapeReader::open(name, source.open().map_err(reading)?)?;
        let theirs = tape.header().universe.clone();
        let mut found: Vec<Elsewhere> = Vec::new();
        // By instrument of the tape: which of them, and which place of it.
        let mut at = vec![None; theirs.instruments.len()];
        for i in &theirs.instruments {
            let rule = match i.kind {
                InstrumentKind::Future => Rule::Future,
                InstrumentKind::Spot | InstrumentKind::Margin => Rule::Venues,
                _ => continue,
            };
            let ours = |asset: AssetId| universe.name(asset) == theirs.name(i.asset);
            let Some(perp) = universe.desk().iter().find(|d| d.kind == InstrumentKind::Perp && ours(d.asset))
            else {
                continue;
            };
            let known = found.iter().position(|e| e.rule == rule && e.asset == perp.asset);
            let n = known.unwrap_or_else(|| {
                found.push(Elsewhere { rule, asset: perp.asset, expiries: Vec::new(), prices: Vec::new() });
                found.len() - 1
            });
            at[i.id.index()] = Some((n, found[n].expiries.len()));
            found[n].expiries.push(if let Terms::Future { expiry } = i.terms { Some(expiry) } else { None });
        }
        while let Some(event) = tape.next()? {
            let (instrument, stamp, value, last) = match event {
                MarketEvent::Bar { instrument, at, bar } => (instrument, at, bar.close, false),
                MarketEvent::Settled { instrument, at, price } => (instrument, at, price, true),
                _ => continue,
            };
            if let Some((n, place)) = at[instrument.index()] {
                found[n].prices.push(Price { at: stamp, place, value, last });
            }
        }
        found.retain(|e| !e.prices.is_empty() && (e.rule == Rule::Future || e.expiries.len() > 1));
        Ok(found)
    }
}

/// What an account holds of an asset.
#[derive(Clone, Copy, Debug)]
pub struct Holding {
    /// Base units, in whatever instrument.
    pub net: f64,
    /// Of them, or beside them, in spot.
    pub spot: f64,
    /// What a carry agent last said.
    pub carry: Option<Told<CarryQuote>>,
    /// Of the whole account.
    pub equity: f64,
}

/// What of an asset is held elsewhere in place of an account's own, and what that gave.
pub struct Overlay {
    of: Elsewhere,
    next: usize,
    costs: SideCosts,
    /// The perp as last heard.
    perp: Option<f64>,
    state: State,
    /// Since the last barrier: PnL, notional and cost, in currency.
    bar: [f64; 3],
    meter: Meter,
    equity: f64,
    digest: Digest,
}

/// What a side costs, as fractions.
#[derive(Clone, Copy, Debug)]
pub struct SideCosts {
    perp: f64,
    future: f64,
    spot: f64,
}

impl SideCosts {
    /// Of an asset of the desk: as its perp and its spot; a future as the perp.
    pub fn of(asset: AssetId, universe: &Universe, settings: &Settings) -> Self {
        let perp = side(settings, &universe.instruments[asset.index()]);
        let spot = universe.instruments.iter().find(|i| i.asset == asset && i.kind == InstrumentKind::Spot);
        SideCosts { perp, future: perp, spot: spot.map_or(perp, |s| side(settings, s)) }
    }
}

#[derive(Clone, Debug, Default)]
struct State {
    /// Base units elsewhere: of the future, signed; of spot, at `place`.
    held: f64,
    place: usize,
    /// What was decided on the last price.
    wanted: Option<Wanted>,
    /// The last price here, and then: the perp's, or of spot that of the first place.
    before: Option<(f64, f64)>,
    /// What the desk held when it was last asked.
    net: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wanted {
    /// So much of the future; of the change, `ridden` is traded by the desk anyway.
    Units { held: f64, ridden: f64 },
    /// Spot there.
    Place(usize),
}

/// What is asked for of a future.
#[derive(Clone, Copy, Debug)]
struct Ask {
    held: f64,
    change: f64,
    cap: f64,
    value: f64,
    both: f64,
}

/// Base units that should be held in a future, and how much of the change is the desk's own trade.
fn in_future(a: &Ask) -> (f64, f64) {
    let mut q = a.held;
    if q * a.value < 0.0 && a.value.abs() > a.both {
        q = 0.0;
    }
    let mut ridden = 0.0;
    if a.change * a.value > 0.0 {
        let to = (q + a.change).clamp(-a.cap.max(-q), a.cap.max(q));
        (ridden, q) = ((to - q).abs(), to);
    }
    if a.value.abs() > 2.0 * a.both && (q - a.cap.copysign(a.value)) * a.value < 0.0 {
        q = a.cap.copysign(a.value);
    }
    (q, ridden)
}

/// v of a future: what a unit long saves by being held in it.
fn worth(quote: &CarryQuote, future: f64, perp: f64, left: Span) -> f64 {
    let days = left.0 as f64 / Span::DAY.0 as f64;
    let h = days.min(quote.days);
    quote.value * h / quote.days - libm::log(future / perp) * h / days
}

impl Overlay {
    /// Nothing is held.
    pub fn new(of: Elsewhere, costs: SideCosts, clock: Span) -> Self {
        Overlay {
            of,
            next: 0,
            costs,
            perp: None,
            state: State::default(),
            bar: [0.0; 3],
            meter: Meter::new(1.0, clock),
            equity: 1.0,
            digest: Digest::default(),
        }
    }

    /// Of which.
    pub fn asset(&self) -> usize {
        self.of.asset.index()
    }

    /// A market event that counted; `own` is what the account holds.
    pub fn market(&mut self, event: &Event, own: impl Fn() -> Holding) {
        let perp = InstrumentId(self.of.asset.index() as u16);
        let Event::Market(event) = event else { return };
        self.until(event.at(), &own);
        match *event {
            MarketEvent::Bar { instrument, bar, .. } | MarketEvent::Inside { instrument, bar, .. }
                if instrument == perp =>
            {
                self.perp = Some(bar.close);
            }
            // What is long in the future is not long in the perp, which pays.
            MarketEvent::Funding { instrument, rate, mark, .. }
                if instrument == perp && self.of.rule == Rule::Future =>
            {
                self.bar[0] += self.state.held * rate * mark;
            }
            _ => {}
        }
    }

    /// A barrier, after the account decided.
    pub fn barrier(&mut self, at: Stamp, own: impl Fn() -> Holding) {
        self.until(at, &own);
        let [pnl, traded, cost] = std::mem::take(&mut self.bar);
        let of = own().equity;
        if of > 0.0 {
            self.meter.trade(traded / of * self.equity, cost / of * self.equity);
            self.equity = (self.equity * (1.0 + pnl / of)).max(0.0);
        }
        self.digest.float(self.equity);
        self.meter.mark(at, self.equity);
    }

    /// Prices from before this moment, those of one moment together.
    fn until(&mut self, at: Stamp, own: &impl Fn() -> Holding) {
        while let Some(first) = self.of.prices.get(self.next).copied().filter(|p| p.at < at) {
            let mut now = vec![None; self.of.expiries.len()];
            while let Some(price) = self.of.prices.get(self.next).copied().filter(|p| p.at == first.at) {
                self.next += 1;
                match self.of.rule {
                    Rule::Future => self.future(price, own),
                    Rule::Venues => now[price.place] = Some(price.value),
                }
            }
            if self.of.rule == Rule::Venues {
                self.venues(&now, own);
            }
        }
    }

    fn pays(&mut self, notional: f64, cost: f64) {
        self.bar[0] -= cost;
        self.bar[1] += notional;
        self.bar[2] += cost;
    }

    fn future(&mut self, price: Price, own: &impl Fn() -> Holding) {
        let Some(perp) = self.perp else { return };
        if price.place != self.state.place {
            // The one before has ended, or was not told of any more: the perp has it again.
            self.pays(self.state.held.abs() * perp, self.state.held.abs() * perp * self.costs.perp);
            let (place, net) = (price.place, self.state.net);
            self.state = State { place, net, ..State::default() };
        }
        if let Some((future, then)) = self.state.before {
            self.bar[0] += self.state.held * ((price.value - future) - (perp - then));
        }
        self.state.before = Some((price.value, perp));
        if let Some(Wanted::Units { held, ridden }) = self.state.wanted.take() {
            let traded = (held - self.state.held).abs();
            let switched = traded - ridden.min(traded);
            let cost = switched * (self.costs.future + self.costs.perp)
                + ridden.min(traded) * (self.costs.future - self.costs.perp);
            self.pays(2.0 * switched * perp, cost * perp);
            self.state.held = held;
        }
        if price.last {
            let held = std::mem::take(&mut self.state.held).abs();
            self.pays(held * perp, held * perp * self.costs.perp);
            self.state.before = None;
            return;
        }
        let own = own();
        let change = own.net - std::mem::replace(&mut self.state.net, own.net);
        let left = self.of.expiries[price.place].map_or(Span(0), |e| e.since(price.at));
        let fresh = |q: &Told<CarryQuote>| price.at.since(q.at).0 <= Span::DAY.0;
        if let Some(quote) = own.carry.filter(fresh)
            && left.0 > 0
            && own.equity > 0.0
        {
            let ask = Ask {
                held: self.state.held,
                change,
                cap: EACH * own.equity / perp,
                value: worth(&quote.value, price.value, perp, left),
                both: self.costs.future + self.costs.perp,
            };
            let (held, ridden) = in_future(&ask);
            self.state.wanted = (held != self.state.held).then_some(Wanted::Units { held, ridden });
        }
    }

    /// Prices of one moment, by place.
    fn venues(&mut self, now: &[Option<f64>], own: &impl Fn() -> Holding) {
        let (Some(here), Some(base)) = (now[self.state.place], now[0]) else { return };
        if let Some((then, base_then)) = self.state.before {
            // Against lying where it was first.
            self.bar[0] += self.state.held * ((here - then) - (base - base_then));
        }
        let mut price = here;
        if let Some(Wanted::Place(to)) = self.state.wanted.take()
            && let Some(there) = now[to]
        {
            let (held, both) = (self.state.held, here + there);
            self.pays(held * both, held * both * self.costs.spot);
            (self.state.place, price) = (to, there);
        }
        self.state.before = Some((price, base));
        self.state.held = own().spot.max(0.0);
        let known = now.iter().enumerate().filter_map(|(i, p)| Some((i, (*p)?)));
        if let Some((to, low)) = known.min_by(|a, b| a.1.total_cmp(&b.1)) {
            let pays = libm::log(price / low) > 2.0 * self.costs.spot && self.state.held > 0.0;
            self.state.wanted = pays.then_some(Wanted::Place(to));
        }
    }

    /// Both days' returns are on the same capital, so they add.
    pub fn finish(self, mut all: Track) -> Track {
        all.join(&self.meter.finish(0.0, 1.0, &self.digest));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Bar, Decimal, Instrument};
    use crate::market::history::Bytes;
    use crate::market::tape::{TapeHeader, TapeWriter, Tells};

    const HOUR: i64 = Span::HOUR.0;

    fn ask(held: f64, change: f64, value: f64) -> (f64, f64) {
        in_future(&Ask { held, change, cap: 0.25, value, both: 0.0014 })
    }

    #[test]
    fn each_rule_of_a_future_by_hand() {
        assert_eq!(ask(0.0, 0.0, 0.0029), (0.25, 0.0), "twice both costs");
        assert_eq!(ask(0.0, 0.0, 0.0027), (0.0, 0.0));
        assert_eq!(ask(0.0, 0.1, 0.0001), (0.1, 0.1), "what is bought anyway");
        assert_eq!(ask(0.0, 0.4, 0.0001), (0.25, 0.25));
        assert_eq!(ask(0.0, -0.1, 0.0001), (0.0, 0.0), "but not what the perp does better");
        assert_eq!(ask(0.0, -0.1, -0.0001), (-0.1, 0.1), "a short, if the future is dear");
        assert_eq!(ask(0.25, -0.1, -0.0001), (0.15, 0.1), "sold first");
        assert_eq!(ask(0.25, 0.0, -0.0013), (0.25, 0.0), "not left for less than it costs");
        assert_eq!(ask(0.25, 0.0, -0.0015), (0.0, 0.0));
        assert_eq!(ask(0.25, 0.0, -0.0029), (-0.25, 0.0), "and turned for twice as much");
    }

    #[test]
    fn a_future_saves_the_funding_and_costs_its_basis() {
        let quote = CarryQuote { value: 0.0042, days: 14.0 };
        // At seven days half of V is saved, all of the basis paid; at 28 days all of V, half of the basis.
        let v = |days: i64| worth(&quote, 101.0, 100.0, Span(days * Span::DAY.0));
        assert!((v(7) - (0.0021 - 1.01_f64.ln())).abs() < 1e-12);
        assert!((v(28) - (0.0042 - 0.5 * 1.01_f64.ln())).abs() < 1e-12);
    }

    fn overlay(rule: Rule, expiries: &[Option<i64>], prices: &[(i64, usize, f64, bool)]) -> Overlay {
        let of = Elsewhere {
            rule,
            asset: AssetId(0),
            expiries: expiries.iter().map(|e| e.map(|h| Stamp(h * HOUR))).collect(),
            prices: prices
                .iter()
                .map(|&(hour, place, value, last)| Price { at: Stamp(hour * HOUR), place, value, last })
                .collect(),
        };
        Overlay::new(of, SideCosts { perp: 0.0007, future: 0.0007, spot: 0.0012 }, Span::HOUR)
    }

    fn bar(hour: i64, close: f64) -> Event {
        let bar = Bar { open: close, high: close, low: close, close, volume: 1.0 };
        Event::Market(MarketEvent::Inside { instrument: InstrumentId(0), at: Stamp(hour * HOUR), bar })
    }

    fn holding(hour: i64, net: f64, spot: f64, value: f64) -> impl Fn() -> Holding {
        let told = Told { at: Stamp(hour * HOUR), value: CarryQuote { value, days: 14.0 } };
        move || Holding { net, spot, carry: Some(told), equity: 1_000.0 }
    }

    #[test]
    fn a_tape_tells_of_futures_and_of_spot_at_several_exchanges() {
        let asset = |name: &str| crate::domain::instrument::Asset {
            id: AssetId(0),
            name: name.to_owned(),
            money_like: false,
            first: Stamp(0),
        };
        let instrument = |(n, (kind, terms)): (usize, (InstrumentKind, Terms))| Instrument {
            id: InstrumentId(n as u16),
            asset: AssetId(0),
            symbol: n.to_string(),
            kind,
            venue: n.to_string(),
            quote: None,
            terms,
            tick: Decimal::ONE,
            lot: Decimal::ONE,
            min_notional: Decimal::ZERO,
        };
        let universe = |name: &str, of: &[(InstrumentKind, Terms)]| Universe {
            assets: vec![asset(name)],
            instruments: of.iter().copied().enumerate().map(instrument).collect(),
            by_volume: Vec::new(),
        };
        let perp = [(InstrumentKind::Perp, Terms::Plain)];
        let future = (InstrumentKind::Future, Terms::Future { expiry: Stamp(9 * HOUR) });
        let (a, b) = ((InstrumentKind::Margin, Terms::Plain), (InstrumentKind::Spot, Terms::Plain));
        let found = |of: &[(InstrumentKind, Terms)], ours: &str| {
            let header = TapeHeader {
                universe: universe("BTC", of),
                tells: vec![Tells::default(); of.len()],
                ..TapeHeader::default()
            };
            let mut tape = TapeWriter::new(Vec::new(), &header).unwrap();
            for n in 0..of.len() {
                let Event::Market(MarketEvent::Inside { bar, .. }) = bar(1, 100.0) else { unreachable!() };
                let (instrument, at) = (InstrumentId(n as u16), Stamp(HOUR));
                tape.push(&MarketEvent::Bar { instrument, at, bar }).unwrap();
            }
            let (bytes, ..) = tape.finish(&crate::market::FeedReport::default()).unwrap();
            Elsewhere::read(&Bytes::new("x.tape", bytes), &universe(ours, &perp)).unwrap()
        };
        let rules =
            |found: Vec<Elsewhere>| found.iter().map(|e| (e.rule, e.prices.len())).collect::<Vec<_>>();
        assert_eq!(rules(found(&[a, future, b], "BTC")), [(Rule::Venues, 2), (Rule::Future, 1)]);
        assert_eq!(rules(found(&[a, future], "BTC")), [(Rule::Future, 1)], "one exchange is no choice");
        assert_eq!(rules(found(&[a, future, b], "ETH")), [], "the market has no perp of it");
        assert!(
            Elsewhere::read(&Bytes::new("x.tape", b"no tape".to_vec()), &universe("BTC", &perp)).is_err()
        );
    }

    #[test]
    fn what_is_decided_on_a_settlement_is_filled_at_the_next_and_ends_with_the_contract() {
        // At par; the perp's longs pay 5 % in 14 days, the future none: a quarter of 1,000 at 100 is 2.5.
        let days = |n: i64, v: f64, last: bool| (24 * n, 0, v, last);
        let prices = [days(1, 100.0, false), days(2, 100.1, false), days(3, 100.2, true)];
        let mut o = overlay(Rule::Future, &[Some(72)], &prices);
        for hour in 1..=80 {
            let own = holding(hour, 0.0, 0.0, 0.05);
            o.market(&bar(hour, 100.0), own);
            if hour == 25 {
                assert_eq!(o.state.wanted, Some(Wanted::Units { held: 2.5, ridden: 0.0 }));
                assert_eq!((o.state.held, o.bar), (0.0, [0.0; 3]));
            }
            if hour == 60 {
                let f = MarketEvent::Funding {
                    instrument: InstrumentId(0),
                    at: Stamp(60 * HOUR),
                    rate: 0.001,
                    mark: 100.0,
                };
                o.market(&Event::Market(f), holding(hour, 0.0, 0.0, 0.05));
            }
        }
        // In at 100.1 for both costs, 0.1 % of funding saved, out at 100.2 as the perp takes over.
        let wanted = -2.5 * 0.0014 * 100.0 + 2.5 * 0.1 + 2.5 * 0.1 - 2.5 * 0.0007 * 100.0;
        assert!((o.bar[0] - wanted).abs() < 1e-9, "{} {wanted}", o.bar[0]);
        assert_eq!(o.state.held, 0.0);
        // Nothing is known of an old quote.
        let mut o = overlay(Rule::Future, &[Some(72)], &prices);
        (1..=80).for_each(|hour| o.market(&bar(hour, 100.0), holding(hour - 30, 0.0, 0.0, 0.05)));
        assert_eq!(o.bar, [0.0; 3]);
    }

    #[test]
    fn spot_goes_where_it_is_cheaper_by_more_than_that_costs() {
        let all = |gap: f64| {
            let prices: Vec<(i64, usize, f64, bool)> = (1..=4)
                .flat_map(|h| [(h, 0, 100.0, false), (h, 1, 100.0 - if h < 4 { gap } else { 0.0 }, false)])
                .collect();
            let mut o = overlay(Rule::Venues, &[None, None], &prices);
            (1..=6).for_each(|h| o.market(&bar(h, 100.0), holding(h, 0.0, 2.0, 0.01)));
            (o.state.place, o.bar[0])
        };
        assert_eq!(all(0.23), (0, 0.0), "just inside of what it costs");
        // Decided at the first hour, done at the second, and the gap closes at the fourth.
        let (place, pnl) = all(0.5);
        assert_eq!(place, 1);
        assert!((pnl - (2.0 * 0.5 - 2.0 * 0.0012 * 199.5)).abs() < 1e-9, "{pnl}");
    }
}
