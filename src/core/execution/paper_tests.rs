//! The paper venue bar by bar.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::bars::with_tick;
use super::*;
use crate::domain::money::{from_estimate, to_estimate};
use crate::domain::step::{count, multiple};
use crate::domain::{AgentId, Bar, Fill, Instrument, InstrumentKind, PriceStep, TimeInForce, VenueId};
use crate::execution::fixtures::{dec, instrument, order, order_of, reducing};
use crate::execution::{OrderReport, OrderRouter, PositionCheck};
use crate::fills::{BarCosts, Costs, take};
use crate::ledger::Ledger;
use crate::treasury::ApprovedOrder;
use proptest::prelude::*;

const AT: InstrumentId = InstrumentId(0);

/// Steps that venues have beside powers of ten.
const STEPS: [&str; 10] = ["0.5", "0.25", "3", "0.00007", "0.05", "125", "0.3", "17", "0.0002", "0.01"];

fn bar(open: f64, volume: f64) -> Bar {
    Bar { open, high: open * 1.01, low: open * 0.99, close: open, volume }
}

fn perp() -> Instrument {
    instrument(0, InstrumentKind::Perp)
}

/// What a venue says to an order.
fn place(venue: &mut PaperVenue, o: ApprovedOrder, kind: OrderKind) -> Vec<VenueEvent> {
    venue.request(VenueRequest::Place(PlacedOrder::of(o, kind)));
    said(venue)
}

fn said(venue: &mut PaperVenue) -> Vec<VenueEvent> {
    std::iter::from_fn(|| venue.poll()).collect()
}

fn fill_of(venue: &mut PaperVenue) -> Option<Fill> {
    said(venue).into_iter().find_map(|e| if let VenueEvent::Fill(f) = e { Some(f) } else { None })
}

fn venue_with(o: ApprovedOrder, kind: OrderKind) -> PaperVenue {
    let mut venue = PaperVenue::new(1);
    let accepted = VenueEvent::Accepted { order: o.id(), at: o.at() };
    assert_eq!(place(&mut venue, o, kind), [accepted]);
    venue
}

fn limit(price: &str) -> OrderKind {
    OrderKind::Limit(dec(price), TimeInForce::UntilCancelled)
}

fn step(venue: &mut PaperVenue, at: i64, b: &Bar) -> Option<Fill> {
    venue.on_bar(&perp(), Stamp(at), b, 0.01, &Costs::default());
    fill_of(venue)
}

#[test]
fn fills_at_the_first_bar_after_the_decision_worse_by_ticks() {
    let mut venue = venue_with(order(1, 0, "2", 10), OrderKind::Market);
    assert_eq!(step(&mut venue, 9, &bar(90.0, 1e6)), None, "that bar had opened before");
    // 1 bp of 100.004 plus an impact under 1 bp, up to the next tick.
    let f = step(&mut venue, 10, &bar(100.004, 1e6)).unwrap();
    assert_eq!((f.order, f.number, f.at, f.quantity), (OrderId(1), 1, Stamp(10), dec("2")));
    assert_eq!((f.price, f.mark), (dec("100.02"), dec("100.004")));
    assert_eq!(f.fee, dec("0.10002"));
    assert_eq!((venue.position(AT), venue.working(AT)), (dec("2"), None));
    let mut venue = venue_with(order(1, 0, "-2", 10), OrderKind::Market);
    assert_eq!(step(&mut venue, 10, &bar(100.0, 1e6)).unwrap().price, dec("99.98"));
}

#[test]
fn the_half_spread_is_at_least_a_tick() {
    let mut venue = venue_with(order(1, 0, "1", 0), OrderKind::Market);
    assert_eq!(step(&mut venue, 0, &bar(0.5, f64::INFINITY)).unwrap().price, dec("0.51"));
}

#[test]
fn prices_and_quantities_are_whole_steps_of_any_size() {
    // A bar of 1 000 base units gives 50; the spread is a tick, and 100.1 is on the grid of 0.07 alone.
    for (tick, lot, buys, sells, part) in [
        ("0.5", "0.25", "101", "99.5", "50"),
        ("0.25", "3", "100.5", "99.75", "48"),
        ("3", "7", "105", "96", "49"),
        ("0.07", "0.00007", "100.17", "100.03", "49.99995"),
        ("125", "40", "250", "125", "40"),
    ] {
        let rules = Instrument { tick: dec(tick).into(), lot: dec(lot), ..perp() };
        let quiet = Costs::Bars(BarCosts { impact: 0.0, ..BarCosts::default() });
        for (side, price) in [(Decimal::ONE, buys), (-Decimal::ONE, sells)] {
            let mut venue = venue_with(order_of(1, &rules, side * dec("8400"), 0), OrderKind::Market);
            venue.on_bar(&rules, Stamp(0), &bar(100.1, 1_000.0), 0.01, &quiet);
            let fill = fill_of(&mut venue).unwrap();
            assert_eq!((fill.price, fill.quantity), (dec(price), side * dec(part)), "{tick} {lot}");
        }
    }
}

#[test]
fn without_a_tick_the_digits_of_a_price_are_counted() {
    let tick = PriceStep::Digits { significant: 5, decimals: 6 };
    let rules = Instrument { tick, ..perp() };
    let got = |side: i64, open| {
        let mut venue = venue_with(order_of(1, &rules, Decimal::from(side), 0), OrderKind::Market);
        venue.on_bar(&rules, Stamp(0), &bar(open, f64::INFINITY), 0.01, &Costs::default());
        fill_of(&mut venue).unwrap().price
    };
    assert_eq!(
        (got(1, 1_234.5), got(-1, 1_234.5)),
        (dec("1234.7"), dec("1234.3")),
        "a basis point, to a tenth"
    );
    assert_eq!((got(1, 123_456.0), got(-1, 123_456.0)), (dec("123469"), dec("123443")), "whole numbers");
    assert_eq!((got(1, 0.012_345), got(-1, 0.012_345)), (dec("0.012347"), dec("0.012343")), "six places");
    assert_eq!((got(1, 99_999.0), got(-1, 10.0)), (dec("100009"), dec("9.999")));
}

#[test]
fn a_limit_that_a_bar_opens_beyond_is_filled_on_the_tick_at_the_open() {
    let rules = Instrument { tick: dec("0.5").into(), ..perp() };
    let costs = Costs::default();
    let got = |side: i64, limit, open| {
        let order = order_of(1, &rules, Decimal::from(side), 0);
        let mut venue = venue_with(order, OrderKind::Limit(dec(limit), TimeInForce::UntilCancelled));
        venue.on_bar(&rules, Stamp(0), &bar(open, 1e6), 0.01, &costs);
        fill_of(&mut venue).unwrap().price
    };
    assert_eq!((got(1, "100", 98.7), got(-1, "100", 101.2)), (dec("99"), dec("101")), "against us");
    assert_eq!(
        (got(1, "100", 98.5), got(1, "100", 99.9)),
        (dec("98.5"), dec("100")),
        "and never beyond the limit"
    );
}

#[test]
fn a_flat_charge_fills_at_the_open_to_twelve_digits() {
    let mut venue = venue_with(order(1, 0, "-1", 0), OrderKind::Market);
    let b = bar(0.123_456_789_012_3, 0.0);
    venue.on_bar(&perp(), Stamp(0), &b, 0.5, &Costs::Flat(0.0007));
    let f = fill_of(&mut venue).unwrap();
    assert_eq!((f.price, f.mark), (dec("0.123456789012"), dec("0.123456789012")));
    assert_eq!(f.fee, dec("0.0000864198"));
}

#[test]
fn what_volume_does_not_give_keeps_working() {
    let mut venue = venue_with(order(1, 0, "1.234", 0), OrderKind::Market);
    let got = |venue: &mut PaperVenue, at, volume| {
        step(venue, at, &bar(100.0, volume)).map(|f| (f.number, f.quantity))
    };
    assert_eq!(got(&mut venue, 0, 10.0), Some((1, dec("0.5"))));
    assert_eq!(venue.working(AT), Some((OrderId(1), dec("0.734"))));
    assert_eq!(got(&mut venue, 1, 0.0), None, "nothing traded");
    assert_eq!(got(&mut venue, 2, 0.01), None, "less than a lot");
    assert_eq!(got(&mut venue, 3, 10.0), Some((2, dec("0.5"))));
    assert_eq!(got(&mut venue, 4, 10.0), Some((3, dec("0.234"))));
    assert_eq!(got(&mut venue, 5, 10.0), None);
    assert_eq!(venue.position(AT), dec("1.234"));
}

#[test]
fn orders_beside_each_other_are_met_in_the_order_of_their_ids() {
    let mut venue = venue_with(order(1, 0, "1", 0), OrderKind::Market);
    let at = Stamp(0);
    let accepted = VenueEvent::Accepted { order: OrderId(2), at };
    assert_eq!(place(&mut venue, order(2, 0, "-3", 0), OrderKind::Market), [accepted]);
    place(&mut venue, order(3, 0, "2", 0), limit("99"));
    assert_eq!(venue.working(AT), Some((OrderId(1), dec("1"))), "the first of them");
    venue.on_bar(&perp(), at, &bar(100.0, 1e6), 0.01, &Costs::default());
    let filled: Vec<_> = said(&mut venue)
        .into_iter()
        .filter_map(
            |e| if let VenueEvent::Fill(f) = e { Some((f.order.0, f.number, f.quantity)) } else { None },
        )
        .collect();
    assert_eq!(filled, [(1, 1, dec("1")), (2, 1, dec("-3"))], "99 was only touched");
    assert_eq!((venue.position(AT), venue.working(AT)), (dec("-2"), Some((OrderId(3), dec("2")))));
    let mut refused = |id: u64, on, kind| {
        let said = place(&mut venue, order(id, on, "-3", 0), kind);
        let [VenueEvent::Rejected { order, why, .. }] = said[..] else { panic!("{said:?}") };
        assert_eq!(order, OrderId(id));
        why
    };
    assert_eq!(refused(2, 0, OrderKind::Market), RejectReason::Duplicate);
    assert_eq!(refused(4, 5, OrderKind::Market), RejectReason::NotListed);
    assert_eq!(refused(4, 0, limit("0")), RejectReason::Price);
}

#[test]
fn the_fast_clock_meets_what_is_post_only_and_decision_bars_all_else() {
    let post_only = |price| OrderKind::Limit(dec(price), TimeInForce::PostOnly);
    let mut venue = venue_with(order(1, 0, "1", 0), OrderKind::Market);
    place(&mut venue, order(2, 0, "1", 0), post_only("100"));
    place(&mut venue, order(3, 0, "1", 0), post_only("99.5"));
    assert_eq!(venue.resting(AT), Some((OrderId(2), dec("1"), dec("100"))));
    venue.on_inside(&perp(), Stamp(0), &bar(100.0, 30.0), 1e-4, &Costs::default());
    let filled: Vec<_> = said(&mut venue)
        .into_iter()
        .filter_map(
            |e| if let VenueEvent::Fill(f) = e { Some((f.order.0, f.price, f.quantity)) } else { None },
        )
        .collect();
    let shared = [(2, dec("100"), dec("1")), (3, dec("99.5"), dec("0.5"))];
    assert_eq!(filled, shared, "a twentieth of thirty for both");
    assert_eq!(step(&mut venue, 0, &bar(90.0, 1e6)).unwrap().order, OrderId(1));
    assert_eq!(venue.working(AT), None);
    assert_eq!(venue.resting(AT), Some((OrderId(3), dec("0.5"), dec("99.5"))));
}

#[test]
fn two_takers_share_a_bar_and_the_second_pays_what_it_moves() {
    let fills = |orders: &[(&str, OrderKind)], volume: f64| {
        let mut venue = PaperVenue::new(1);
        for (id, (quantity, kind)) in (1..).zip(orders) {
            place(&mut venue, order(id, 0, quantity, 0), *kind);
        }
        venue.on_bar(&perp(), Stamp(0), &bar(1_000.0, volume), 0.05, &Costs::default());
        let fill = |e| if let VenueEvent::Fill(f) = e { Some(f) } else { None };
        said(&mut venue).into_iter().filter_map(fill).collect::<Vec<_>>()
    };
    let market = OrderKind::Market;
    let (one, both) = (fills(&[("6", market)], 200.0), fills(&[("3", market), ("3", market)], 200.0));
    assert_eq!(fills(&[("3", market)], 200.0)[0], both[0], "the first is as if alone");
    assert!(both[1].price > both[0].price, "{both:?}");
    let paid = |fills: &[Fill]| -> Decimal { fills.iter().map(|f| f.quantity * f.price).sum() };
    assert!((paid(&both) - paid(&one)).abs() < dec("0.06"), "but for a tick of six: {both:?}");
    // A twentieth of 100 for all, on whichever side.
    let got =
        |orders: &[(&str, OrderKind)]| fills(orders, 100.0).iter().map(|f| f.quantity).collect::<Vec<_>>();
    assert_eq!(got(&[("3", market), ("3", market), ("1", market)]), [dec("3"), dec("2")]);
    assert_eq!(got(&[("-4", market), ("3", market)]), [dec("-4"), dec("1")]);
    assert_eq!(got(&[("4", limit("1001")), ("3", market)]), [dec("4"), dec("1")]);
    let sold = fills(&[("-3", market), ("-3", market), ("3", market)], 1e4);
    assert!(sold[1].price < sold[0].price, "{sold:?}");
    assert_eq!(sold[2].price, fills(&[("3", market)], 1e4)[0].price, "who comes the other way moves it back");
}

#[test]
fn who_cancels_twice_is_told_so() {
    let mut venue = venue_with(order(1, 0, "1", 0), OrderKind::Market);
    venue.request(VenueRequest::Cancel(OrderId(1)));
    venue.request(VenueRequest::Cancel(OrderId(1)));
    let at = Stamp(0);
    let (one, two) = (
        VenueEvent::Cancelled { order: OrderId(1), at },
        VenueEvent::CancelRefused { order: OrderId(1), at },
    );
    assert_eq!(said(&mut venue), [one, two]);
    assert_eq!(step(&mut venue, 0, &bar(100.0, 1e6)), None);
}

#[test]
fn an_immediate_order_pays_no_more_than_its_collar_and_what_is_left_is_over() {
    let ioc = |price| OrderKind::Limit(dec(price), TimeInForce::ImmediateOrCancel);
    let mut venue = venue_with(order(1, 0, "2", 10), ioc("100.01"));
    assert_eq!(step(&mut venue, 9, &bar(100.0, 1e6)), None, "that bar had opened before");
    assert!(venue.working(AT).is_some());
    venue.on_bar(&perp(), Stamp(10), &bar(100.0, 1e6), 0.01, &Costs::default());
    let over = VenueEvent::Cancelled { order: OrderId(1), at: Stamp(10) };
    assert_eq!(said(&mut venue), [over], "100.02 is beyond the collar");
    let mut venue = venue_with(order(1, 0, "2", 10), ioc("100.5"));
    venue.on_bar(&perp(), Stamp(10), &bar(100.0, 10.0), 0.01, &Costs::default());
    let told = said(&mut venue);
    let [VenueEvent::Fill(f), VenueEvent::Cancelled { .. }] = told[..] else { panic!("{told:?}") };
    assert_eq!(f.quantity, dec("0.5"), "a twentieth of the bar, and no more");
    assert!(f.price > dec("100.02") && f.price <= dec("100.5"), "with its impact: {}", f.price);
    assert_eq!((venue.working(AT), venue.position(AT)), (None, dec("0.5")));
}

#[test]
fn limits_wait_to_be_traded_through_and_gaps_fill_at_the_open() {
    let mut venue = venue_with(order(1, 0, "1", 0), limit("99.00"));
    assert_eq!(step(&mut venue, 0, &bar(100.0, 1e6)), None, "99 is touched, not passed");
    let f = step(&mut venue, 1, &bar(99.9, 1e6)).unwrap();
    assert_eq!((f.price, f.mark, f.fee), (dec("99"), dec("99.9"), dec("0.0198")));
    let mut venue = venue_with(order(1, 0, "-1", 0), limit("99.00"));
    assert_eq!(step(&mut venue, 0, &bar(104.5, 1e6)).unwrap().price, dec("104.5"));
}

#[test]
fn a_gap_at_the_open_is_paid() {
    let mut venue = venue_with(order(1, 0, "1", 0), OrderKind::Market);
    let f = step(&mut venue, 0, &bar(150.0, f64::INFINITY)).unwrap();
    assert_eq!((f.mark, f.price), (dec("150"), dec("150.02")));
}

#[test]
fn bars_nobody_can_believe_fill_nothing() {
    let mut venue = venue_with(order(1, 0, "1", 0), OrderKind::Market);
    for open in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
        assert_eq!(step(&mut venue, 0, &bar(open, 1e6)), None);
    }
    assert_eq!(venue.working(AT), Some((OrderId(1), dec("1"))));
}

#[test]
fn reduce_only_and_spot_never_turn_over_whatever_happened_since() {
    let mut venue = venue_with(order(1, 0, "1", 0), OrderKind::Market);
    step(&mut venue, 0, &bar(100.0, 1e6)).unwrap();
    place(&mut venue, reducing(2, 0, "-3", 1), OrderKind::Market);
    assert_eq!(step(&mut venue, 1, &bar(100.0, 1e6)).unwrap().quantity, dec("-1"));
    assert_eq!(step(&mut venue, 2, &bar(100.0, 1e6)), None);
    assert_eq!(venue.working(AT), None, "nothing left to reduce, so it is taken back");

    let spot = instrument(0, InstrumentKind::Spot);
    let mut venue = venue_with(order(1, 0, "-1", 0), OrderKind::Market);
    venue.on_bar(&spot, Stamp(0), &bar(100.0, 1e6), 0.01, &Costs::default());
    assert_eq!(said(&mut venue), [VenueEvent::Cancelled { order: OrderId(1), at: Stamp(0) }]);
    assert_eq!(venue.position(AT), Decimal::ZERO);
}

#[test]
fn a_delisting_closes_at_the_last_price_for_the_taker_fee() {
    let mut venue = venue_with(order(1, 0, "2", 0), OrderKind::Market);
    step(&mut venue, 0, &bar(100.0, 1e6)).unwrap();
    place(&mut venue, order(2, 0, "5", 1), OrderKind::Market);
    let costs = Costs::default();
    venue.on_delisted(&perp(), Stamp(9), 50.0, &costs);
    let told = said(&mut venue);
    let [VenueEvent::Cancelled { order: OrderId(2), .. }, VenueEvent::Fill(f)] = told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((f.order, f.quantity, f.price), (OrderId(VENUE_ORDERS), dec("-2"), dec("50")));
    assert_eq!(f.fee, dec("0.05"));
    assert_eq!((venue.position(AT), venue.working(AT)), (Decimal::ZERO, None));
    venue.on_delisted(&perp(), Stamp(9), 50.0, &costs);
    assert_eq!(said(&mut venue), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn money4_fills_never_exceed_the_order_and_books_agree_with_the_venue(
        orders in prop::collection::vec((-5_000_i64..5_000, any::<bool>()), 1..12),
        bars in prop::collection::vec((50.0_f64..150.0, 0.0_f64..60.0, 0.0_f64..0.1), 30),
        flat: bool,
    ) {
        let costs = if flat { Costs::Flat(0.0007) } else { Costs::default() };
        let mut router = OrderRouter::new(PaperVenue::new(1), vec![VenueId(0)]);
        let mut books = Ledger::new(1, 1);
        books.deposit(dec("100000")).unwrap();
        let mut limits = Vec::new();
        for (n, (open, volume, sigma)) in bars.iter().enumerate() {
            let at = n as i64;
            if let Some((q, is_limit)) = orders.get(n / 2).filter(|(q, _)| n % 2 == 0 && *q != 0) {
                let o = order(at as u64, 0, &Decimal::new(*q, 3).to_string(), at);
                let kind = if *is_limit { limit("100") } else { OrderKind::Market };
                if *is_limit {
                    limits.push(o.id());
                }
                // As the desk does: what works is taken back before anything is sent.
                if let Some((old, _)) = router.venue.working(AT) {
                    router.cancel(old);
                }
                router.place(o, kind).unwrap();
            }
            let b = bar(*open, *volume);
            router.venue.on_bar(&perp(), Stamp(at), &b, *sigma, &costs);
            while let Some(report) = router.poll() {
                let OrderReport::Fill(f, verdict) = report else { continue };
                prop_assert_eq!(verdict, crate::execution::FillVerdict::Book);
                prop_assert!(f.fee >= Decimal::ZERO && f.price > Decimal::ZERO);
                prop_assert!((f.quantity % dec("0.001")).is_zero());
                if !flat {
                    prop_assert!(f.quantity.abs() <= from_estimate(0.05 * volume, 12).unwrap());
                    // A taker pays more than the open, a maker never more than its limit.
                    let bound = if limits.contains(&f.order) { dec("100") } else { f.mark };
                    let over = (f.price - bound) * f.quantity;
                    let is_fair = if limits.contains(&f.order) { over <= Decimal::ZERO } else { over > Decimal::ZERO };
                    prop_assert!(is_fair, "{:?}", f);
                }
                books.trade(AT, f.mark, &[(AgentId(0), f.quantity)], Some(&f)).unwrap();
                prop_assert_eq!(books.check(&[f.price]), Ok(()));
            }
            // What no longer works without being filled was taken back, and was said to be.
            prop_assert_eq!(router.orders.open_quantity(AT), router.venue.working(AT).map_or(Decimal::ZERO, |w| w.1));
            prop_assert_eq!(router.venue.position(AT), books.net_position(AT));
            router.ask_positions(Stamp(at));
            while router.poll().is_some() {}
            prop_assert_eq!(router.check(AT, books.net_position(AT)), PositionCheck::Agrees);
        }
        for t in (0..30).filter_map(|id| router.orders.get(OrderId(id))) {
            prop_assert!(t.filled.abs() <= t.quantity.abs());
        }
        let venue = router.venue;
        let copy: PaperVenue = postcard::from_bytes(&postcard::to_stdvec(&venue).unwrap()).unwrap();
        prop_assert_eq!(copy, venue);
    }

    #[test]
    fn money4_steps_of_any_size_are_kept_and_nothing_is_lost(
        [tick, lot] in [prop::sample::select(STEPS.to_vec()), prop::sample::select(STEPS.to_vec())],
        contract in prop::sample::select(vec!["1", "0.01", "10", "100", "0.25"]),
        orders in prop::collection::vec((-500_i64..500, any::<bool>()), 1..8),
        bars in prop::collection::vec((3.0_f64..500.0, 0.0_f64..20_000.0, 0.0_f64..0.1), 16),
    ) {
        let (tick, lot, contract) = (dec(tick), dec(lot), dec(contract));
        let rules = Instrument { tick: tick.into(), lot, contract, ..perp() };
        let costs = Costs::default();
        let (mut venue, mut books) = (PaperVenue::new(1), Ledger::new(1, 1));
        books.deposit(dec("100000")).unwrap();
        let (mut cash, mut limit, mut wanted) = (Decimal::ZERO, None, Decimal::ZERO);
        for (n, (ticks, lots, sigma)) in bars.iter().enumerate() {
            if let Some((q, is_limit)) = orders.get(n / 2).filter(|(q, _)| n % 2 == 0 && *q != 0) {
                let quantity = multiple(i128::from(*q), lot).unwrap();
                limit = is_limit.then(|| multiple(200, tick).unwrap());
                let order = order_of(n as u64 + 1, &rules, quantity, n as i64);
                let rests = |l| OrderKind::Limit(l, TimeInForce::UntilCancelled);
                if let Some((old, _)) = venue.working(AT) {
                    venue.request(VenueRequest::Cancel(old));
                }
                place(&mut venue, order, limit.map_or(OrderKind::Market, rests));
                wanted = quantity;
            }
            let b = bar(ticks * to_estimate(tick), lots * to_estimate(lot));
            venue.on_bar(&rules, Stamp(n as i64), &b, *sigma, &costs);
            let Some(f) = fill_of(&mut venue) else { continue };
            prop_assert!(count(f.quantity, lot).is_some() && count(f.price, tick).is_some(), "{:?}", f);
            prop_assert_eq!(rules.contracts(f.quantity).and_then(|n| rules.base_units(n)), Some(f.quantity));
            let side = if f.quantity.is_sign_negative() { -1.0 } else { 1.0 };
            if let Some(limit) = limit {
                prop_assert!(side * to_estimate(limit - f.price) >= 0.0);
            } else {
                // The first tick that is no better than what spread and impact make of the open, a tick at least.
                let with_spread = with_tick(&costs, to_estimate(tick) / b.open);
                let fair = take(&with_spread, rules.kind, b.open, *sigma, b.volume, to_estimate(wanted)).price;
                let worse = side * (to_estimate(f.price) - fair) / to_estimate(tick);
                prop_assert!((-1e-6..1.0).contains(&worse) || f.price == tick, "{} is {:?}", fair, f);
                let from_open = side * (to_estimate(f.price) - b.open) / to_estimate(tick);
                prop_assert!(from_open > 1.0 - 1e-6, "a tick from the open at least: {:?}", f);
            }
            wanted -= f.quantity;
            cash -= f.quantity * f.price + f.fee;
            books.trade(AT, f.mark, &[(AgentId(0), f.quantity)], Some(&f)).unwrap();
            prop_assert_eq!(books.check(&[f.price]), Ok(()));
            prop_assert_eq!(venue.working(AT).map_or(Decimal::ZERO, |w| w.1), wanted, "what is not filled still works");
        }
        prop_assert_eq!(venue.position(AT), books.net_position(AT));
        // Each posting is rounded to ten digits.
        let paid = -books.cash(crate::ledger::LedgerAccount::Venue).unwrap() - books.cash(crate::ledger::LedgerAccount::Fees).unwrap();
        prop_assert!((paid - cash).abs() < dec("0.0000001"), "{} and {}", paid, cash);
    }
}
