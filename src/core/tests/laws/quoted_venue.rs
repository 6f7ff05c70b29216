//! The paper venue on the embedded market in detail: orders of every kind in instruments of every kind, on quotes, prints and
//! pools with their faults, through contracts that end. The account's own books and the venue are compared all the way.

use hive_core::execution::venue::is_venue_order;
use hive_core::execution::{FillVerdict, OrderReport, OrderRouter, PaperVenue, PositionCheck};
use hive_core::fills::Costs;
use hive_core::treasury::{Exposure, Gate, GateSettings, Mode, ProposedOrder};
use hive_domain::money::{from_estimate, to_estimate};
use hive_domain::step::{Rounding, count};
use hive_domain::venue::RejectReason;
use hive_domain::{
    AgentId, Decimal, Event, Fill, Instrument, InstrumentKind, MarketEvent, OrderId, OrderKind, Span, Stamp,
    TimeInForce, VenueId, random,
};
use hive_ledger::Ledger;
use hive_market::synth::{Detail, SynthFeed, SynthSettings};
use hive_market::{DetailLevel, Feed, Market};
use std::collections::BTreeMap;

/// From a decision to the market.
const LATENCY: Span = Span(50_000_000);

/// An account that trades by chance, and what became of it.
struct ChanceAccount {
    instruments: Vec<Instrument>,
    market: Market,
    router: OrderRouter<PaperVenue>,
    books: Ledger,
    gate: Gate,
    sent: BTreeMap<OrderId, (Stamp, OrderKind)>,
    filled: BTreeMap<&'static str, u64>,
    refused: u64,
    settled: u64,
}

impl ChanceAccount {
    fn new(instruments: Vec<Instrument>) -> Self {
        let n = instruments.len();
        let mut books = Ledger::new(1, n);
        books.deposit(Decimal::from(1_000_000_000)).unwrap();
        let wide = f64::INFINITY;
        let settings =
            GateSettings { gross_max: wide, net_max: wide, order_max: wide, ..GateSettings::default() };
        ChanceAccount {
            market: Market::quoted(n),
            router: OrderRouter::new(PaperVenue::new(n), vec![VenueId(0); n]),
            books,
            gate: Gate::new(settings),
            instruments,
            sent: BTreeMap::new(),
            filled: BTreeMap::new(),
            refused: 0,
            settled: 0,
        }
    }

    /// An order by chance in an instrument that is quoted, for a few times the smallest one.
    fn send(&mut self, instrument: &Instrument, at: Stamp, key: u64) {
        let quoted = self.market.get(instrument.id).unwrap();
        let Some(price) = quoted.price().filter(|_| quoted.level > DetailLevel::Bars) else { return };
        let draw = |what: u64| random::uniform(random::mix(key, what));
        let least = 1.5 * to_estimate(instrument.min_notional) / price.value / to_estimate(instrument.lot);
        let lots = libm::ceil(least.max(1.0) * (1.0 + 60.0 * draw(1) * draw(2)));
        let size = from_estimate(lots, 0).unwrap() * instrument.lot;
        let quantity = if draw(3) < 0.5 { size } else { -size };
        let reference = from_estimate(price.value, 12).unwrap();
        let one = Decimal::ONE;
        let id = OrderId(self.sent.len() as u64 + 1);
        let position = self.books.net_position(instrument.id);
        let reduce_only = draw(4) < 0.1 && position.is_sign_negative() != quantity.is_sign_negative();
        let proposal = ProposedOrder { id, instrument: instrument.id, quantity, reference, reduce_only, at };
        let exposure = Exposure {
            equity: Decimal::from(1_000_000_000),
            position,
            open_order: Decimal::ZERO,
            gross: one,
            net: one,
            feed_age: Span(0),
            tradable: true,
            bar_volume: f64::INFINITY,
            last_confirmed: reference,
        };
        let Ok(order) = self.gate.approve(&proposal, instrument, &exposure, Mode::Running) else { return };
        let near = price.value * (1.0 + 0.002 * (draw(5) - 0.5));
        let limit = instrument.tick.round_estimate(near, Rounding::Nearest).filter(|l| !l.is_zero());
        let kind = match (limit, (draw(6) * 4.0) as u64) {
            (Some(limit), 1) => OrderKind::Limit(limit, TimeInForce::UntilCancelled),
            (Some(limit), 2) => OrderKind::Limit(limit, TimeInForce::ImmediateOrCancel),
            (Some(limit), 3) => OrderKind::Limit(limit, TimeInForce::PostOnly),
            _ => OrderKind::Market,
        };
        if self.router.place(order, kind).is_ok() {
            self.sent.insert(id, (at, kind));
        }
    }

    fn hear(&mut self, event: &MarketEvent) {
        if !self.market.take(event) {
            return;
        }
        let Some(instrument) = event.instrument().map(|i| self.instruments[i.index()].clone()) else {
            return;
        };
        self.router.venue.on_market(&instrument, &self.market, event, &Costs::default());
        while let Some(report) = self.router.poll() {
            match report {
                OrderReport::Fill(fill, verdict) => {
                    assert_eq!(verdict, FillVerdict::Book);
                    self.check(&instrument, &fill);
                    let deltas = [(AgentId(0), fill.quantity)];
                    self.books.trade(fill.instrument, fill.mark, &deltas, Some(&fill)).unwrap();
                }
                OrderReport::Rejected(_, why) => {
                    assert_eq!(why, RejectReason::WouldTake);
                    self.refused += 1;
                }
                OrderReport::Cancelled(..) | OrderReport::Noted => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// A fill is no better than the market was, and in numbers that the venue has.
    fn check(&mut self, instrument: &Instrument, fill: &Fill) {
        assert!(count(fill.quantity, instrument.lot).is_some(), "{fill:?}");
        if is_venue_order(fill.order) {
            self.settled += 1;
            return;
        }
        let (at, kind) = self.sent[&fill.order];
        assert!(fill.at >= at.after(LATENCY), "{fill:?}");
        assert_eq!(instrument.tick.round(fill.price, Rounding::Up), Some(fill.price), "{fill:?}");
        let (price, side) =
            (to_estimate(fill.price), if fill.quantity.is_sign_negative() { -1.0 } else { 1.0 });
        match kind {
            OrderKind::Limit(limit, _) => assert!(side * (price - to_estimate(limit)) <= 0.0, "{fill:?}"),
            OrderKind::Market if instrument.kind == InstrumentKind::Pool => {
                assert!(side * (price - to_estimate(fill.mark)) > 0.0, "{fill:?}");
            }
            OrderKind::Market => {
                let top = self.market.get(instrument.id).unwrap().top.unwrap().value;
                let best = if side > 0.0 { top.ask } else { top.bid };
                assert!(side * (price - best) >= -1e-12 * best, "{fill:?} at {top:?}");
            }
        }
        *self.filled.entry(instrument.kind.text()).or_default() += 1;
    }
}

#[test]
fn money4_the_venue_and_the_books_agree_on_every_level_and_kind() {
    let start = SynthSettings { bars_days: 9, ..SynthSettings::default() };
    let mut detail = Detail::last(8, start.from, start.bars_days);
    detail.faults = true;
    detail.step = Span::seconds(300);
    let mut feed = SynthFeed::new(SynthSettings { detail: Some(detail), ..start }).unwrap();
    let mut account = ChanceAccount::new(feed.universe().instruments.clone());
    let mut events = 0_u64;
    while let Some(event) = feed.next().unwrap() {
        let Event::Market(event) = event else { continue };
        events += 1;
        let key = random::key(5, &[events]);
        account.hear(&event);
        let Some(id) = event.instrument().filter(|_| random::uniform(key) < 0.02) else { continue };
        let instrument = account.instruments[id.index()].clone();
        // Packages of several in one instrument leave together.
        for i in 0..=random::below(random::mix(key, 9), 3) {
            account.send(&instrument, event.at(), random::mix(key, 10 + i));
        }
        if random::below(random::mix(key, 11), 4) == 0 {
            let open: Vec<OrderId> =
                account.router.orders.open().filter(|o| o.instrument == id).map(|o| o.id).collect();
            open.into_iter().for_each(|o| account.router.cancel(o));
        }
        let held = account.books.net_position(id);
        assert_eq!(account.router.venue.position(id), held);
        account.router.ask_positions(event.at());
        while account.router.poll().is_some() {}
        assert_eq!(account.router.check(id, held), PositionCheck::Agrees);
    }
    let kinds = ["future", "move", "option", "perp", "pool", "spot"];
    let ChanceAccount { filled, refused, settled, sent, .. } = &account;
    println!("{} orders, {filled:?}, {refused} refused, {settled} settled, {events} events", sent.len());
    assert!(kinds.iter().all(|k| filled.get(k).is_some_and(|n| *n > 20)), "{filled:?}");
    assert!(*refused > 20 && *settled > 5, "{refused} {settled}");
}
