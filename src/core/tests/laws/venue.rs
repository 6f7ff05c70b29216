//! The order machine against a venue that does everything a venue may do: answers late or never, fills in part, twice, out of
//! order, too much and after the end, refuses cancels, loses an order or its confirmation. Its own record of what was
//! traded is kept apart and never asked by the machine.

use hive_core::execution::{
    OrderReport, OrderRouter, PlacedOrder, PositionCheck, Tracked, Venue, VenueRequest,
};
use hive_core::treasury::{ApprovedOrder, Exposure, Gate, GateSettings, Mode, ProposedOrder};
use hive_domain::venue::RejectReason;
use hive_domain::{
    AgentId, AssetId, ContractTerms, Decimal, Fill, Instrument, InstrumentId, InstrumentKind, OrderId,
    OrderKind, PriceStep, Span, Stamp, VenueEvent, VenueId, random,
};
use hive_ledger::Ledger;
use std::collections::BTreeMap;

const INSTRUMENTS: u16 = 3;
/// A tick of the script.
const STEP: i64 = 1_000_000_000;
/// Ticks after which nothing that was said is still on its way.
const LATEST: u64 = 9;

/// What the venue knows of an order.
struct Standing {
    instrument: InstrumentId,
    left: Decimal,
    fills: Vec<Fill>,
    is_over: bool,
}

/// A venue after a script of chance.
#[derive(Default)]
struct ScriptedVenue {
    draws: u64,
    tick: u64,
    orders: BTreeMap<OrderId, Standing>,
    /// Orders that never arrived.
    lost: Vec<OrderId>,
    /// How often each id came.
    came: BTreeMap<OrderId, u32>,
    /// On the way to the account, with the tick of arrival.
    wire: Vec<(u64, VenueEvent)>,
    /// By instrument, in coins; and the money that came and went.
    held: BTreeMap<InstrumentId, Decimal>,
    money: Decimal,
    /// How often each fault was played.
    faults: BTreeMap<&'static str, u64>,
}

impl ScriptedVenue {
    fn draw(&mut self) -> f64 {
        self.draws += 1;
        random::uniform(random::key(11, &[self.draws]))
    }

    fn chance(&mut self, share: f64) -> bool {
        self.draw() < share
    }

    fn at(&self) -> Stamp {
        Stamp(self.tick as i64 * STEP)
    }

    fn fault(&mut self, name: &'static str) {
        *self.faults.entry(name).or_default() += 1;
    }

    /// Says something after a delay of its own, so that what is said later may come first.
    fn say(&mut self, event: VenueEvent) {
        let delay = if self.chance(0.4) { 0 } else { (self.draw() * LATEST as f64) as u64 };
        if delay > 0 {
            self.fault("late");
        }
        self.wire.push((self.tick + delay, event));
    }

    fn place(&mut self, order: &PlacedOrder) {
        let (id, at) = (order.id(), self.at());
        *self.came.entry(id).or_default() += 1;
        if self.chance(0.04) {
            self.fault("rejected");
            return self.say(VenueEvent::Rejected { order: id, at, why: RejectReason::Margin });
        }
        if self.chance(0.04) {
            self.fault("never arrived");
            self.lost.push(id);
            return self.say(VenueEvent::Unknown { order: id, at });
        }
        let (instrument, left) = (order.instrument(), order.quantity());
        self.orders.insert(id, Standing { instrument, left, fills: Vec::new(), is_over: false });
        if self.chance(0.06) {
            self.fault("confirmation lost");
            return self.say(VenueEvent::Unknown { order: id, at });
        }
        self.say(VenueEvent::Accepted { order: id, at });
    }

    fn cancel(&mut self, id: OrderId) {
        let at = self.at();
        let stays = self.chance(0.25);
        let stands = self.orders.get_mut(&id).filter(|o| !o.is_over && !stays);
        if let Some(order) = stands {
            order.is_over = true;
            self.say(VenueEvent::Cancelled { order: id, at });
        } else {
            self.fault("cancel refused");
            self.say(VenueEvent::CancelRefused { order: id, at });
        }
    }

    fn query(&mut self, id: OrderId) {
        let at = self.at();
        let Some(order) = self.orders.get(&id) else {
            return self.say(VenueEvent::Rejected { order: id, at, why: RejectReason::NeverArrived });
        };
        let (fills, is_over) = (order.fills.clone(), order.is_over);
        for fill in fills {
            self.fault("fill told again");
            self.say(VenueEvent::Fill(fill));
        }
        // Of one that was filled whole its fills have said all.
        if !is_over {
            self.say(VenueEvent::Accepted { order: id, at });
        } else if !self.orders[&id].left.is_zero() {
            self.say(VenueEvent::Cancelled { order: id, at });
        }
    }

    /// A while passes: what stands may fill.
    fn pass(&mut self) {
        self.tick += 1;
        let standing: Vec<OrderId> = self.orders.iter().filter(|o| !o.1.is_over).map(|o| *o.0).collect();
        for id in standing {
            if self.chance(0.35) {
                self.fill(id);
            }
        }
    }

    fn fill(&mut self, id: OrderId) {
        let (part, too_much, twice) = (self.chance(0.5), self.chance(0.02), self.chance(0.2));
        let (at, price) = (self.at(), Decimal::new(10_000 + (self.draw() * 500.0) as i64, 2));
        let order = self.orders.get_mut(&id).unwrap();
        let lot = Decimal::new(if order.left.is_sign_negative() { -1 } else { 1 }, 3);
        let half = order.left - order.left % (lot + lot);
        let quantity = match () {
            () if too_much => order.left + lot,
            () if part && !half.is_zero() => half / Decimal::from(2),
            () => order.left,
        };
        order.left = if too_much { Decimal::ZERO } else { order.left - quantity };
        order.is_over = order.left.is_zero();
        let number = order.fills.len() as u32 + 1;
        let fee = Decimal::new(1, 2);
        let instrument = order.instrument;
        let fill =
            Fill { order: id, number, instrument, at, quantity, price, mark: price, fee, fee_in: None };
        order.fills.push(fill);
        *self.held.entry(instrument).or_default() += quantity;
        self.money -= quantity * price + fee;
        let is_partial = !self.orders[&id].is_over;
        for (name, is) in [("overfilled", too_much), ("partial", is_partial), ("doubled", twice)] {
            if is {
                self.fault(name);
            }
        }
        self.say(VenueEvent::Fill(fill));
        if twice {
            self.say(VenueEvent::Fill(fill));
        }
    }
}

impl Venue for ScriptedVenue {
    fn request(&mut self, request: VenueRequest) {
        match request {
            VenueRequest::Place(order) => self.place(&order),
            VenueRequest::Cancel(id) => self.cancel(id),
            VenueRequest::Query(id, _) => self.query(id),
            VenueRequest::Amend(..) => {}
            VenueRequest::Positions(_) => {
                let at = self.at();
                for i in 0..INSTRUMENTS {
                    let instrument = InstrumentId(i);
                    let quantity = self.held.get(&instrument).copied().unwrap_or_default();
                    self.say(VenueEvent::Position { instrument, at, quantity });
                }
            }
        }
    }

    fn poll(&mut self) -> Option<VenueEvent> {
        let due = self.wire.iter().position(|(tick, _)| *tick <= self.tick)?;
        // Of what has come, whichever: the newest as often as the oldest.
        let due = if self.chance(0.5) {
            self.wire.iter().rposition(|(tick, _)| *tick <= self.tick).unwrap_or(due)
        } else {
            due
        };
        Some(self.wire.remove(due).1)
    }
}

fn instrument(id: u16) -> Instrument {
    Instrument {
        id: InstrumentId(id),
        asset: AssetId(id),
        symbol: format!("I{id}"),
        kind: InstrumentKind::Perp,
        venue: String::new(),
        quote: None,
        terms: ContractTerms::Plain,
        tick: PriceStep::Tick(Decimal::new(1, 2)),
        lot: Decimal::new(1, 3),
        contract: Decimal::ONE,
        min_notional: Decimal::ZERO,
    }
}

/// The account: orders, books, and what it was told.
struct Account {
    router: OrderRouter<ScriptedVenue>,
    books: Ledger,
    gate: Gate,
    next: u64,
    verdicts: BTreeMap<String, u64>,
}

/// Most coins that the account may hold of an instrument.
const MOST: i64 = 40;

impl Account {
    fn new() -> Self {
        let n = usize::from(INSTRUMENTS);
        let mut books = Ledger::new(1, n);
        books.deposit(Decimal::from(1_000_000)).unwrap();
        let wide = GateSettings { gross_max: 1e6, net_max: 1e6, order_max: 1e6, ..GateSettings::default() };
        Account {
            router: OrderRouter::new(ScriptedVenue::default(), vec![VenueId(0); n]),
            books,
            gate: Gate::new(wide),
            next: 1,
            verdicts: BTreeMap::new(),
        }
    }

    fn draw(&self, what: u64) -> f64 {
        random::uniform(random::key(23, &[self.router.venue.tick, what]))
    }

    /// An order toward a target, cut so that the worst that may still come keeps within bounds.
    fn decide(&mut self, i: u16) {
        let id = InstrumentId(i);
        let (held, open) = (self.books.net_position(id), self.router.orders.open_quantity(id));
        let target =
            Decimal::new((self.draw(u64::from(i)) * 2.0 * 1e3 * MOST as f64) as i64 - MOST * 1_000, 3);
        let same_side: Decimal = {
            let all = self.router.orders.open().filter(|o| o.instrument == id).map(Tracked::open);
            all.filter(|q| q.is_sign_negative() == (target - held).is_sign_negative()).sum()
        };
        // What may still fill on this side counts as filled.
        let quantity = target - held - same_side;
        let flips = quantity.is_sign_negative() != (target - held).is_sign_negative();
        if quantity.is_zero() || flips {
            return;
        }
        if let Some(order) = self.approve(id, quantity, held, open) {
            self.router.place(order, OrderKind::Market).unwrap();
        }
    }

    fn approve(
        &mut self,
        id: InstrumentId,
        quantity: Decimal,
        position: Decimal,
        open_order: Decimal,
    ) -> Option<ApprovedOrder> {
        let (one, at) = (Decimal::ONE, self.router.venue.at());
        let proposal = ProposedOrder {
            id: OrderId(self.next),
            instrument: id,
            quantity,
            reference: one,
            reduce_only: false,
            at,
        };
        self.next += 1;
        let exposure = Exposure {
            equity: Decimal::from(1_000_000),
            position,
            open_order,
            gross: one,
            net: one,
            feed_age: Span(0),
            tradable: true,
            bar_volume: f64::INFINITY,
            last_confirmed: one,
        };
        self.gate.approve(&proposal, &instrument(id.0), &exposure, Mode::Running).ok()
    }

    fn hear(&mut self) {
        while let Some(report) = self.router.poll() {
            let OrderReport::Fill(fill, verdict) = report else { continue };
            *self.verdicts.entry(format!("{verdict:?}")).or_default() += 1;
            if verdict.is_booked() {
                self.books
                    .trade(fill.instrument, fill.mark, &[(AgentId(0), fill.quantity)], Some(&fill))
                    .unwrap();
            }
        }
    }

    /// Takes back whatever is open of an instrument.
    fn cancel_all(&mut self, id: InstrumentId) {
        let open: Vec<OrderId> =
            self.router.orders.open().filter(|o| o.instrument == id).map(|o| o.id).collect();
        open.into_iter().for_each(|o| self.router.cancel(o));
    }
}

#[test]
fn fault_a_hundred_thousand_mixed_faults_leave_position_and_money_exact_and_nothing_is_sent_twice() {
    let mut account = Account::new();
    let mut agreed = 0_u64;
    while account.router.venue.faults.values().sum::<u64>() < 100_000 {
        let (i, what) = ((account.draw(90) * f64::from(INSTRUMENTS)) as u16, account.draw(91));
        match () {
            () if what < 0.5 => account.decide(i),
            () if what < 0.75 => account.cancel_all(InstrumentId(i)),
            () if what < 0.85 => account.router.ask_positions(account.router.venue.at()),
            () => {}
        }
        account.router.venue.pass();
        account.hear();
        for i in 0..INSTRUMENTS {
            let held = account.books.net_position(InstrumentId(i));
            // There is none: whatever is found is news on its way.
            let check = account.router.check(InstrumentId(i), held);
            assert!(
                !matches!(check, PositionCheck::Differs { .. }),
                "{check:?} of {held} at {}",
                account.router.venue.tick
            );
            agreed += u64::from(check == PositionCheck::Agrees);
        }
    }
    // The dust settles: everything is taken back until the venue has confirmed it.
    for _ in 0..400 {
        (0..INSTRUMENTS).for_each(|i| account.cancel_all(InstrumentId(i)));
        account.router.venue.pass();
        account.hear();
    }
    let venue_now = account.router.venue.at();
    account.router.ask_positions(venue_now);
    (0..=LATEST).for_each(|_| {
        account.router.venue.pass();
        account.hear();
    });
    let venue = &account.router.venue;
    assert!(venue.wire.is_empty() && account.router.orders.open().count() == 0);
    let mark = Decimal::from(100);
    let mut equity = Decimal::from(1_000_000) + venue.money;
    for i in (0..INSTRUMENTS).map(InstrumentId) {
        let filled: Decimal = venue
            .orders
            .values()
            .filter(|o| o.instrument == i)
            .flat_map(|o| &o.fills)
            .map(|f| f.quantity)
            .sum();
        let held = account.books.net_position(i);
        assert_eq!((held, venue.held[&i]), (filled, filled), "position is the sum of all fills");
        assert_eq!(account.router.check(i, held), PositionCheck::Agrees);
        equity += held * mark;
    }
    let marks = vec![mark; usize::from(INSTRUMENTS)];
    assert_eq!(account.books.account_equity(&marks), Ok(equity), "to the last digit");
    assert_eq!(account.books.check(&marks), Ok(()));
    assert!(venue.came.values().all(|n| *n == 1), "an id is sent once");
    assert!(agreed > 10_000, "{agreed}");
    for fault in [
        "late",
        "rejected",
        "never arrived",
        "confirmation lost",
        "cancel refused",
        "fill told again",
        "overfilled",
        "partial",
        "doubled",
    ] {
        assert!(venue.faults[fault] > 100, "{fault}: {:?}", venue.faults);
    }
    for verdict in ["Book", "BookLate", "BookOverfill", "Duplicate"] {
        assert!(account.verdicts[verdict] > 100, "{verdict}: {:?}", account.verdicts);
    }
}

#[test]
fn fault_a_difference_that_two_snapshots_show_is_found() {
    let mut account = Account::new();
    let tell = |account: &mut Account, tick: u64, quantity: Decimal| {
        let (instrument, at) = (InstrumentId(0), Stamp(tick as i64 * STEP));
        account.router.take(&VenueEvent::Position { instrument, at, quantity });
        account.router.check(instrument, Decimal::ZERO)
    };
    assert_eq!(tell(&mut account, 1, Decimal::ZERO), PositionCheck::Agrees);
    assert_eq!(tell(&mut account, 2, Decimal::ONE), PositionCheck::Doubtful, "a fill may be on its way");
    assert_eq!(tell(&mut account, 31, Decimal::ONE), PositionCheck::Doubtful, "not long enough");
    assert_eq!(tell(&mut account, 32, Decimal::ONE), PositionCheck::Differs { venue: Decimal::ONE });
    assert_eq!(tell(&mut account, 33, Decimal::ZERO), PositionCheck::Agrees);
}
