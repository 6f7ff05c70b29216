//! Venues outside the program: what is asked of them leaves with a step, what they say is an event, and nothing is taken
//! for granted in between. A carrier stands where the runtime stands: it takes the requests to a venue of its own, which
//! no engine can see, and brings back what that says, at once, late, or not at all.

use crate::common::{Tape, served, shipped};
use hive_core::config::{Config, setup};
use hive_core::engine::{Engine, Outputs, Settings, TradesAt};
use hive_core::execution::{PaperVenue, Venue, VenueRequest};
use hive_core::treasury::Mode;
use hive_domain::venue::{LinkState, RejectReason};
use hive_domain::{
    Decimal, Event, InstrumentId, MarketEvent, OrderId, OrderKind, Span, Stamp, TimeInForce, VenueEvent,
    VenueId,
};
use std::collections::{BTreeSet, VecDeque};

/// An engine whose account trades outside, and who carries its requests.
struct Carrier {
    engine: Engine,
    settings: Settings,
    venue: PaperVenue,
    out: Outputs,
    /// What is on its way back, with the number of the event before which it arrives.
    wire: VecDeque<(usize, VenueEvent)>,
    /// Events that what is said needs for its way.
    delay: usize,
    /// Nothing is carried, either way.
    is_cut: bool,
    /// In place of carrying an order, this is answered.
    refuses: Option<RejectReason>,
    /// Of so many cancels of an order that stands one is refused; of none for zero.
    stubborn: u64,
    cancels: u64,
    /// Of so many bars the venue does not trade on one; on every one it does for zero.
    thin: u64,
    bars: u64,
    events: usize,
    placed: BTreeSet<OrderId>,
    opened: u64,
    /// How orders asked for their price, how much they were of, and the price at which they were decided.
    immediate: Vec<(OrderKind, Decimal, Decimal)>,
    fills: usize,
    alarms: Vec<String>,
}

impl Carrier {
    fn new(config: &Config, tape: &Tape, delay: usize) -> Self {
        let settings = Settings { trades: TradesAt::Venues, ..setup::settings(config) };
        let engine = Engine::new(&config.roster, &tape.universe, &settings, config.seed);
        Carrier {
            engine,
            settings,
            venue: PaperVenue::new(tape.universe.instruments.len()),
            out: Outputs::default(),
            wire: VecDeque::new(),
            delay,
            is_cut: false,
            refuses: None,
            stubborn: 0,
            cancels: 0,
            thin: 0,
            bars: 0,
            events: 0,
            placed: BTreeSet::new(),
            opened: 0,
            immediate: Vec::new(),
            fills: 0,
            alarms: Vec::new(),
        }
    }

    /// The venue meets the market before anybody is told of it; then what is due arrives, then the event.
    fn take(&mut self, tape: &Tape, event: &Event) {
        self.events += 1;
        if let Event::Market(event) = event {
            self.trade(tape, event);
        }
        self.deliver();
        self.step(event);
        self.deliver();
    }

    /// Brings what is due; what is said to that may be due at once too.
    fn deliver(&mut self) {
        while !self.is_cut && self.wire.front().is_some_and(|(due, _)| *due <= self.events) {
            let said = self.wire.pop_front().map(|(_, said)| said);
            self.step(&Event::Venue(said.unwrap()));
        }
    }

    fn trade(&mut self, tape: &Tape, event: &MarketEvent) {
        let Some(id) = event.instrument() else { return };
        let instrument = &tape.universe.instruments[id.index()];
        let costs = self.settings.costs.of(instrument);
        match event {
            MarketEvent::Bar { at, bar, .. } => {
                self.bars += 1;
                if self.thin > 0 && self.bars.is_multiple_of(self.thin) {
                    return;
                }
                let opened = Stamp(at.0 - self.settings.clock.decide.0);
                self.venue.on_bar(instrument, opened, bar, 0.02, costs);
            }
            MarketEvent::Inside { at, bar, .. } => {
                let opened = Stamp(at.0 - 15 * Span::MINUTE.0);
                self.venue.on_inside(instrument, opened, bar, self.settings.services.through, costs);
            }
            _ => {}
        }
        self.listen();
    }

    fn listen(&mut self) {
        let due = self.events + self.delay;
        self.wire.extend(std::iter::from_fn(|| self.venue.poll()).map(|said| (due, said)));
    }

    fn step(&mut self, event: &Event) {
        self.engine.step(event, &mut self.out);
        self.fills += self.out.fills.len();
        self.alarms.append(&mut self.out.alarms);
        for request in std::mem::take(&mut self.out.requests) {
            if let VenueRequest::Place(order) = &request {
                assert!(self.placed.insert(order.id()), "an order left twice");
                self.opened += u64::from(!order.reduce_only());
                let mark = self.engine.respond.real.account.marks[order.instrument().index()];
                self.immediate.push((order.kind(), order.quantity(), mark));
                if let Some(why) = self.refuses {
                    let (order, at) = (order.id(), order.at());
                    self.wire.push_back((self.events + self.delay, VenueEvent::Rejected { order, at, why }));
                    continue;
                }
            }
            if let VenueRequest::Cancel(order) = request {
                self.cancels += 1;
                if self.stubborn > 0 && self.cancels.is_multiple_of(self.stubborn) {
                    let at = Stamp(0);
                    let refused = VenueEvent::CancelRefused { order, at };
                    self.wire.push_back((self.events + self.delay, refused));
                    continue;
                }
            }
            if !self.is_cut {
                self.venue.request(request);
            }
        }
        self.listen();
    }

    fn play(&mut self, tape: &Tape, events: std::ops::Range<usize>) {
        for event in &tape.events[events] {
            self.take(tape, event);
        }
    }

    /// All books agree, and with the venue wherever nothing is on its way.
    fn assert_exact(&self) {
        self.engine.balances().unwrap();
        let real = &self.engine.respond.real;
        for instrument in self.engine.respond.real.account.marks.iter().enumerate().map(|m| m.0) {
            let id = InstrumentId(instrument as u16);
            let on_its_way: Decimal = self.wire.iter().map(|(_, said)| fill_of(said, id)).sum();
            assert_eq!(real.account.ledger.net_position(id) + on_its_way, self.venue.position(id));
        }
    }

    fn mode(&self) -> Mode {
        self.engine.respond.real.account.mode()
    }
}

fn fill_of(said: &VenueEvent, id: InstrumentId) -> Decimal {
    match said {
        VenueEvent::Fill(fill) if fill.instrument == id => fill.quantity,
        _ => Decimal::ZERO,
    }
}

#[test]
fn law01_orders_leave_as_outputs_and_what_comes_of_them_are_events() {
    let tape = Tape::market(150);
    for delay in [0, 1, 7] {
        let mut run = Carrier::new(&shipped(), &tape, delay);
        for event in &tape.events {
            run.take(&tape, event);
            if matches!(event, Event::Barrier(_)) {
                run.assert_exact();
            }
        }
        let real = &run.engine.respond.real;
        assert_eq!(real.account.halted, None, "{delay}: {:?}", run.alarms.last());
        assert!(run.fills > 100 && run.placed.len() > 100, "{delay}: {} fills", run.fills);
        // Nothing here hears the market for whom the venue is outside.
        assert!(real.execution.router.venue.paper().is_none());
    }
}

#[test]
fn law01_a_run_that_trades_outside_is_kept_and_gone_on_with() {
    let tape = Tape::market(60);
    let middle = tape.after(200);
    let mut run = Carrier::new(&shipped(), &tape, 2);
    run.play(&tape, 0..middle);
    let bytes = run.engine.snapshot().unwrap();
    let mut copy = Engine::new(&shipped().roster, &tape.universe, &run.settings, shipped().seed);
    copy.restore(&bytes).unwrap();
    assert_eq!(copy.state_hash(), run.engine.state_hash());
    run.engine = copy;
    run.play(&tape, middle..tape.events.len());
    run.assert_exact();
    // What a run on paper kept is no state of one that trades outside.
    let mut paper = crate::common::engine(&shipped(), &tape.universe);
    assert!(paper.restore(&bytes).is_err());
}

#[test]
fn law07_an_order_that_asks_for_what_there_is_has_a_bound() {
    let tape = Tape::market(60);
    let mut run = Carrier::new(&shipped(), &tape, 0);
    run.play(&tape, 0..tape.events.len());
    let mut seen = 0;
    for (kind, quantity, mark) in &run.immediate {
        let OrderKind::Limit(limit, TimeInForce::ImmediateOrCancel) = kind else {
            panic!("{kind:?} takes whatever there is");
        };
        let away = limit / mark - Decimal::ONE;
        assert!(away.is_sign_negative() == quantity.is_sign_negative(), "{kind:?} {quantity} {mark}");
        assert!(away.abs() <= Decimal::new(5, 3), "{kind:?} {quantity} {mark}");
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn law09_while_nothing_is_heard_of_orders_nothing_is_opened() {
    let tape = Tape::market(150);
    let (middle, later) = (tape.after(600), tape.after(640));
    let mut run = Carrier::new(&shipped(), &tape, 0);
    run.play(&tape, 0..middle);
    assert_eq!(run.mode(), Mode::Running);
    // What was sent at this barrier is answered by nobody.
    run.is_cut = true;
    run.play(&tape, middle..tape.after(601));
    assert!(
        run.engine.respond.real.execution.router.orders.open().next().is_some(),
        "there is something to hear of"
    );
    run.play(&tape, tape.after(601)..tape.after(602));
    assert_eq!(run.mode(), Mode::Reducing, "{:?}", run.alarms);
    let told = |run: &Carrier, what: &str| run.alarms.iter().filter(|a| a.contains(what)).count();
    assert_eq!(told(&run, "may only shrink"), 1, "said once: {:?}", run.alarms);
    let opened = run.opened;
    run.play(&tape, tape.after(602)..later);
    assert_eq!(run.opened, opened, "something was opened in doubt");
    // The venue is heard again, and never had the orders of the silence.
    run.is_cut = false;
    let lost: Vec<_> = run.engine.respond.real.execution.router.orders.open().map(|o| o.id).collect();
    assert!(!lost.is_empty());
    for order in lost {
        let (at, why) = (tape.events[later - 1].at(), RejectReason::NeverArrived);
        run.step(&Event::Venue(VenueEvent::Rejected { order, at, why }));
    }
    run.play(&tape, later..tape.events.len());
    assert_eq!((run.mode(), told(&run, "known again")), (Mode::Running, 1), "{:?}", run.alarms);
    assert!(run.opened > opened, "it opens again");
    run.assert_exact();
}

/// A cancel may fail. What was to be taken back is asked back again, and what may still fill of it is not asked for twice.
#[test]
fn law09_what_could_not_be_taken_back_is_asked_back_until_it_is_gone() {
    let tape = Tape::market(150);
    let mut run = Carrier::new(&shipped(), &tape, 1);
    (run.stubborn, run.thin) = (2, 3);
    let mut since = std::collections::BTreeMap::new();
    for event in &tape.events {
        run.take(&tape, event);
        let Event::Barrier(at) = event else { continue };
        run.assert_exact();
        let orders = &run.engine.respond.real.execution.router.orders;
        let unwanted: BTreeSet<OrderId> = orders.open().filter(|o| o.is_unwanted).map(|o| o.id).collect();
        since.retain(|id, _| unwanted.contains(id));
        for id in unwanted {
            let first = *since.entry(id).or_insert(*at);
            // Every other try is refused.
            assert!(at.since(first).0 <= 4 * run.settings.clock.decide.0, "{id:?} stands since {first}");
        }
    }
    assert!(run.cancels > 40, "{}", run.cancels);
    assert!(run.alarms.iter().any(|a| a.contains("could not be taken back")), "{:?}", run.alarms);
    assert_eq!(run.engine.respond.real.account.halted, None);
}

#[test]
fn law09_a_link_that_is_down_is_doubt_about_its_own_venue() {
    let tape = Tape::market(60);
    let mut run = Carrier::new(&shipped(), &tape, 0);
    let middle = tape.after(200);
    run.play(&tape, 0..middle);
    let at = tape.events[middle - 1].at();
    let link = |venue, state| Event::Venue(VenueEvent::Link { venue: VenueId(venue), at, state });
    run.step(&link(9, LinkState::Down));
    assert!(!run.alarms.iter().any(|a| a.contains("link")), "nothing trades there: {:?}", run.alarms);
    run.step(&link(0, LinkState::Down));
    assert!(run.alarms.iter().any(|a| a == "the link to the venue is down"), "{:?}", run.alarms);
    run.play(&tape, middle..tape.after(202));
    assert_eq!(run.mode(), Mode::Reducing);
    run.step(&link(0, LinkState::Up));
    run.play(&tape, tape.after(202)..tape.after(204));
    assert_eq!(run.mode(), Mode::Running, "{:?}", run.alarms);
}

#[test]
fn law09_a_refusal_halts_if_it_says_that_the_rules_are_others_and_else_is_told() {
    let tape = Tape::market(60);
    let cases = [
        (RejectReason::Quantity, true),
        (RejectReason::Price, true),
        (RejectReason::Other, true),
        (RejectReason::Margin, false),
        (RejectReason::RateLimit, false),
        (RejectReason::NotListed, false),
        (RejectReason::WouldTake, false),
    ];
    for (why, halts) in cases {
        let mut run = Carrier::new(&shipped(), &tape, 0);
        run.refuses = Some(why);
        run.play(&tape, 0..tape.events.len());
        let real = &run.engine.respond.real;
        assert_eq!(real.account.halted.is_some(), halts, "{why}: {:?}", real.account.halted);
        assert!(run.alarms.iter().any(|a| a.contains(&why.to_string())), "{why}");
        assert_eq!((run.fills, real.execution.router.orders.open().count()), (0, 0), "{why}");
        assert!(
            halts || run.placed.len() > 20,
            "{why}: what is refused is decided anew: {}",
            run.placed.len()
        );
    }
}

#[test]
fn law09_other_rules_of_the_venue_halt_and_the_same_do_not() {
    let tape = Tape::market(30);
    let btc = &tape.universe.instruments[0];
    let hive_domain::PriceStep::Tick(tick) = btc.tick else { panic!("{:?}", btc.tick) };
    let rules = |tick, lot, min_notional| {
        let at = tape.events[0].at();
        Event::Venue(VenueEvent::Rules { instrument: btc.id, at, tick, lot, min_notional })
    };
    let two = Decimal::TWO;
    let cases = [
        (rules(tick, btc.lot, btc.min_notional), false),
        (rules(tick * two, btc.lot, btc.min_notional), true),
        (rules(tick, btc.lot * two, btc.min_notional), true),
        (rules(tick, btc.lot, btc.min_notional + Decimal::ONE), true),
    ];
    for (event, halts) in cases {
        let mut run = Carrier::new(&shipped(), &tape, 0);
        run.step(&event);
        let why = run.engine.respond.real.account.halted.clone();
        assert_eq!(why.is_some(), halts, "{event:?}");
        assert!(why.is_none_or(|w| w.contains(&btc.symbol) && w.contains("start anew")), "{event:?}");
    }
}

#[test]
fn money2_funding_is_what_the_venue_billed_and_is_shared_to_the_last_digit() {
    let tape = Tape::market(60);
    let mut run = Carrier::new(&shipped(), &tape, 0);
    let middle = tape.after(250);
    run.play(&tape, 0..middle);
    let real = &run.engine.respond.real;
    let ledger = &real.account.ledger;
    assert_eq!(
        ledger.cash(hive_ledger::LedgerAccount::Funding),
        Some(Decimal::ZERO),
        "nothing is reckoned that the venue bills"
    );
    let mut id = (0..real.account.marks.len() as u16).map(InstrumentId);
    let held = id.find(|id| !ledger.net_position(*id).is_zero()).unwrap();
    let before = ledger.valuation(&real.account.marks).unwrap().total;
    let received: Decimal = "-12.345678901".parse().unwrap();
    let at = tape.events[middle - 1].at();
    let bill = |instrument| Event::Venue(VenueEvent::Funding { instrument, at, amount: received });
    run.step(&bill(held));
    let real = &run.engine.respond.real;
    let after = real.account.ledger.valuation(&real.account.marks).unwrap();
    assert_eq!(after.total - before, received, "the account got what the venue said");
    assert_eq!(after.agents.iter().sum::<Decimal>() + after.treasury + after.rounding, after.total);
    assert!(real.account.halted.is_none(), "{:?}", real.account.halted);
    run.assert_exact();
    // Said again, it is the same settlement.
    run.step(&bill(held));
    let again =
        run.engine.respond.real.account.ledger.valuation(&run.engine.respond.real.account.marks).unwrap();
    assert_eq!(again.total, after.total);
    // What nobody held when it was settled is the treasury's.
    let spare = InstrumentId(run.engine.respond.real.account.marks.len() as u16 - 1);
    run.engine.respond.real.account.ledger.funding_billed(spare, &[], -received).unwrap();
    let real = &run.engine.respond.real;
    let billed = real.account.ledger.valuation(&real.account.marks).unwrap();
    assert_eq!(billed.total - after.total, received);
    assert_eq!(billed.agents, after.agents, "no agent pays for what none held");
}

#[test]
fn money4_nobody_serves_outside_and_all_books_stay_exact() {
    let tape = served::paired(60, 0);
    let mut run = Carrier::new(&served::config(true), &tape, 0);
    assert!(run.engine.respond.real.execution.services.worked().rested == 0.0);
    for event in &tape.events {
        run.take(&tape, event);
        if matches!(event, Event::Barrier(_)) {
            run.assert_exact();
        }
    }
    assert!(run.fills > 20, "{}", run.fills);
}
