//! The paper venue on quotes, books, prints and pools.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::domain::step::count;
use crate::domain::{Fill, InstrumentId, OrderId};
use crate::execution::fixtures::{dec, instrument, order, order_of, reducing};
use crate::execution::venue::{PlacedOrder, VENUE_ORDERS, Venue, VenueRequest};
use crate::treasury::ApprovedOrder;
use proptest::prelude::*;

const AT: InstrumentId = InstrumentId(0);
const MS: i64 = 1_000_000;

/// A venue and the market that it fills on.
struct QuotedStage {
    venue: PaperVenue,
    market: Market,
    on: Instrument,
    costs: Costs,
    ids: u64,
}

impl QuotedStage {
    fn new(on: Instrument) -> Self {
        let (venue, market) = (PaperVenue::new(1), Market::quoted(1));
        QuotedStage { venue, market, on, costs: Costs::default(), ids: 0 }
    }

    fn said(&mut self) -> Vec<VenueEvent> {
        std::iter::from_fn(|| self.venue.poll()).collect()
    }

    fn send(&mut self, order: ApprovedOrder, kind: OrderKind) {
        let accepted = VenueEvent::Accepted { order: order.id(), at: order.at() };
        self.venue.request(VenueRequest::Place(PlacedOrder::of(order, kind)));
        assert_eq!(self.said(), [accepted]);
    }

    /// An order that is decided at so many milliseconds.
    fn place(&mut self, at: i64, quantity: &str, kind: OrderKind) -> OrderId {
        self.ids += 1;
        // The gate of these tests holds nothing, and would let nobody sell what is owned.
        let on = Instrument { kind: InstrumentKind::Perp, ..self.on.clone() };
        self.send(order_of(self.ids, &on, dec(quantity), at * MS), kind);
        OrderId(self.ids)
    }

    fn tell(&mut self, event: &MarketEvent) -> Vec<VenueEvent> {
        assert!(self.market.take(event), "{event:?}");
        self.venue.on_market(&self.on, &self.market, event, &self.costs);
        self.said()
    }

    /// What a quote of these sizes fills: id, price and quantity.
    fn quote(&mut self, at: i64, bid: (f64, f64), ask: (f64, f64)) -> Vec<(u64, Decimal, Decimal)> {
        deals(&self.tell(&quote(at, bid, ask)))
    }

    fn print(&mut self, at: i64, price: f64, size: f64, buys: bool) -> Vec<(u64, Decimal, Decimal)> {
        deals(&self.tell(&MarketEvent::Trade { instrument: AT, at: Stamp(at * MS), price, size, buys }))
    }

    /// A whole book, told anew; what it fills.
    fn book(&mut self, at: i64, bids: &[(f64, f64)], asks: &[(f64, f64)]) -> Vec<(u64, Decimal, Decimal)> {
        let levels = bids.iter().map(|l| (true, *l)).chain(asks.iter().map(|l| (false, *l)));
        let levels: Vec<_> = levels.collect();
        let mut all = Vec::new();
        for (i, (bid, (price, size))) in levels.iter().copied().enumerate() {
            let (first, last) = (i == 0, i + 1 == levels.len());
            all.extend(self.tell(&level(at, bid, (price, size), first, last)));
        }
        deals(&all)
    }

    fn left(&self) -> Vec<(u64, Decimal)> {
        self.venue.desks[0].orders.iter().map(|o| (o.id.0, o.remaining)).collect()
    }
}

fn quote(at: i64, (bid, bid_size): (f64, f64), (ask, ask_size): (f64, f64)) -> MarketEvent {
    MarketEvent::Quote { instrument: AT, at: Stamp(at * MS), bid, ask, bid_size, ask_size }
}

fn level(at: i64, bid: bool, (price, size): (f64, f64), first: bool, last: bool) -> MarketEvent {
    MarketEvent::Level { instrument: AT, at: Stamp(at * MS), bid, price, size, first, last }
}

fn pool_state(at: i64, price: f64, liquidity: f64) -> MarketEvent {
    MarketEvent::Pool { instrument: AT, at: Stamp(at * MS), price, liquidity, swapped: 0.0, gas: 1.25 }
}

fn fills(said: &[VenueEvent]) -> Vec<Fill> {
    said.iter().filter_map(|e| if let VenueEvent::Fill(f) = e { Some(*f) } else { None }).collect()
}

fn deals(said: &[VenueEvent]) -> Vec<(u64, Decimal, Decimal)> {
    fills(said).iter().map(|f| (f.order.0, f.price, f.quantity)).collect()
}

fn perp() -> QuotedStage {
    QuotedStage::new(instrument(0, InstrumentKind::Perp))
}

fn rests(price: &str) -> OrderKind {
    OrderKind::Limit(dec(price), TimeInForce::UntilCancelled)
}

fn post_only(price: &str) -> OrderKind {
    OrderKind::Limit(dec(price), TimeInForce::PostOnly)
}

fn immediate(price: &str) -> OrderKind {
    OrderKind::Limit(dec(price), TimeInForce::ImmediateOrCancel)
}

#[test]
fn an_order_meets_the_first_quote_after_its_latency() {
    let mut s = perp();
    s.place(1_000, "2", OrderKind::Market);
    let (bid, ask) = ((99.0, 5.0), (101.0, 5.0));
    assert_eq!(s.quote(1_000, bid, ask), []);
    assert_eq!(s.quote(1_049, bid, (100.0, 5.0)), [], "it is on its way");
    let said = s.tell(&quote(1_050, bid, ask));
    let f = fills(&said)[0];
    assert_eq!((f.order, f.number, f.at, f.quantity), (OrderId(1), 1, Stamp(1_050 * MS), dec("2")));
    assert_eq!((f.price, f.mark, f.fee), (dec("101"), dec("100"), dec("0.101")), "5 bp of what was paid");
    assert_eq!((s.venue.position(AT), s.left()), (dec("2"), vec![]));
    let mut at_once = perp();
    at_once.venue.latency = crate::domain::Span(0);
    at_once.place(1_000, "-2", OrderKind::Market);
    assert_eq!(at_once.quote(1_000, bid, ask), [], "that stood when it was decided");
    assert_eq!(at_once.quote(1_001, bid, ask), [(1, dec("99"), dec("-2"))]);
}

#[test]
fn the_second_taker_of_a_book_pays_more_and_both_together_what_one_would() {
    let (bids, asks) = ([(99.0, 1.0)], [(101.0, 1.0), (102.0, 2.0), (103.0, 4.0)]);
    let run = |orders: &[&str]| {
        let mut s = perp();
        orders.iter().for_each(|q| {
            s.place(0, q, OrderKind::Market);
        });
        s.book(100, &bids, &asks)
    };
    let two = run(&["2", "2"]);
    let (one, another) = (dec("1"), dec("101"));
    assert_eq!(two[..2], [(1, another, one), (1, dec("102"), one)]);
    assert_eq!(two[2..], [(2, dec("102"), one), (2, dec("103"), one)]);
    let paid = |deals: &[(u64, Decimal, Decimal)]| -> Decimal { deals.iter().map(|d| d.1 * d.2).sum() };
    assert_eq!(paid(&two), paid(&run(&["4"])));
    // A market order of more than is shown gets what is shown.
    let got = |deals: &[(u64, Decimal, Decimal)]| -> Decimal { deals.iter().map(|d| d.2).sum() };
    assert_eq!((got(&run(&["5", "5"])), got(&run(&["10"]))), (dec("7"), dec("7")));
}

#[test]
fn an_unchanged_quote_gives_nothing_twice_and_a_refreshed_one_does() {
    let mut s = perp();
    s.place(0, "5", OrderKind::Market);
    let (bid, ask) = ((99.0, 5.0), (101.0, 2.0));
    assert_eq!(s.quote(100, bid, ask), [(1, dec("101"), dec("2"))]);
    assert_eq!(s.quote(200, bid, ask), [], "it is the quote that was taken");
    s.place(200, "1", OrderKind::Market);
    assert_eq!(s.quote(300, (98.0, 1.0), ask), [], "and for nobody else");
    assert_eq!(s.quote(400, bid, (101.0, 0.5)), [(1, dec("101"), dec("0.5"))], "another size is an answer");
    assert_eq!(s.quote(500, bid, (101.5, 2.0)), [(1, dec("101.5"), dec("2"))], "what is left walks on");
    assert_eq!(
        s.quote(600, bid, ask),
        [(1, dec("101"), dec("0.5")), (2, dec("101"), dec("1"))],
        "the price was gone in between"
    );
    assert_eq!((s.left(), s.venue.position(AT)), (vec![], dec("6")));
}

#[test]
fn what_a_book_answered_is_known_price_by_price() {
    let mut s = perp();
    s.place(0, "3", OrderKind::Market);
    s.book(100, &[(99.0, 1.0)], &[(101.0, 1.0), (102.0, 5.0)]);
    s.place(100, "4", OrderKind::Market);
    // In the midst of an update nothing is read and nothing forgotten.
    assert_eq!(s.tell(&level(200, false, (103.0, 9.0), false, false)), []);
    let got = deals(&s.tell(&level(200, false, (101.0, 2.0), false, true)));
    let refreshed = [(2, dec("101"), dec("2")), (2, dec("102"), dec("2"))];
    assert_eq!(got, refreshed, "two of 102 are gone");
    s.place(200, "3", OrderKind::Market);
    let got = deals(&s.tell(&level(300, true, (98.0, 1.0), false, true)));
    assert_eq!(got, [(3, dec("102"), dec("1")), (3, dec("103"), dec("2"))], "on the bid's news alone");
}

#[test]
fn an_immediate_order_pays_no_more_than_its_collar_and_leaves_nothing() {
    let mut s = perp();
    s.place(0, "4", immediate("102"));
    s.place(0, "1", immediate("100.99"));
    let bids = [(99.0, 1.0), (98.0, 3.0)];
    let said = {
        s.market.take(&level(90, true, bids[0], true, false));
        s.book(100, &bids, &[(101.0, 1.0), (102.0, 1.0), (103.0, 9.0)])
    };
    assert_eq!(said, [(1, dec("101"), dec("1")), (1, dec("102"), dec("1"))]);
    assert_eq!(s.left(), []);
    let id = s.place(100, "-2", immediate("98.5"));
    let said = s.tell(&level(200, false, (104.0, 1.0), false, true));
    assert_eq!(deals(&said), [(id.0, dec("99"), dec("-1"))]);
    assert_eq!(said[1..], [VenueEvent::Cancelled { order: id, at: Stamp(200 * MS) }]);
}

#[test]
fn prints_serve_the_queue_first_and_then_fill_in_part() {
    let mut s = perp();
    s.place(0, "3", post_only("99"));
    assert_eq!(s.print(60, 99.0, 50.0, false), [], "it has met no book yet");
    let ask = (101.0, 5.0);
    assert_eq!(s.quote(100, (99.0, 4.0), ask), []);
    assert_eq!(s.print(110, 99.0, 9.0, true), [], "a buyer took");
    assert_eq!(s.print(120, 99.0, 3.0, false), [], "those before it");
    let said = s.tell(&MarketEvent::Trade {
        instrument: AT,
        at: Stamp(130 * MS),
        price: 99.0,
        size: 2.5,
        buys: false,
    });
    let f = fills(&said)[0];
    assert_eq!((f.price, f.quantity, f.mark), (dec("99"), dec("1.5"), dec("100")));
    assert_eq!(f.fee, dec("0.0297"), "2 bp");
    assert_eq!(s.print(140, 99.0, 0.25, false), [(1, dec("99"), dec("0.25"))], "nobody is before it now");
    assert_eq!(
        s.print(150, 98.5, 1.0, false),
        [(1, dec("99"), dec("1"))],
        "through it, up to what was printed"
    );
    assert_eq!(s.print(160, 98.5, 9.0, false), [(1, dec("99"), dec("0.25"))]);
    assert_eq!(s.print(170, 98.5, 9.0, false), [], "it is over");
}

#[test]
fn a_print_is_shared_by_the_orders_that_it_reaches() {
    let mut s = perp();
    s.place(0, "2", post_only("99"));
    s.place(0, "2", post_only("99.5"));
    s.place(0, "2", post_only("99"));
    s.place(0, "-2", post_only("101"));
    s.quote(100, (99.0, 1.0), (101.0, 5.0));
    let got = s.print(110, 99.0, 4.5, false);
    assert_eq!(
        got,
        [(2, dec("99.5"), dec("2")), (1, dec("99"), dec("1.5"))],
        "the best price, then the oldest"
    );
    assert_eq!(s.print(120, 99.0, 1.0, false), [(1, dec("99"), dec("0.5")), (3, dec("99"), dec("0.5"))]);
}

#[test]
fn a_queue_is_no_longer_than_what_is_shown_and_unknown_until_it_is_seen() {
    let mut s = perp();
    s.place(0, "1", post_only("99"));
    let ask = [(101.0, 5.0)];
    s.book(100, &[(99.0, 8.0)], &ask);
    s.book(200, &[(99.0, 2.0)], &ask);
    s.book(300, &[(99.0, 7.0)], &ask);
    assert_eq!(s.print(310, 99.0, 2.0, false), [], "two of them were before it");
    assert_eq!(s.print(320, 99.0, 1.0, false), [(1, dec("99"), dec("1"))]);
    let mut s = perp();
    s.place(0, "1", post_only("98"));
    s.quote(100, (99.0, 2.0), (101.0, 5.0));
    assert_eq!(s.print(110, 98.0, 50.0, false), [], "nobody knows who waits there");
    s.quote(200, (98.0, 3.0), (101.0, 5.0));
    assert_eq!(s.print(210, 98.0, 3.5, false), [(1, dec("98"), dec("0.5"))]);
    s.quote(300, (97.0, 3.0), (101.0, 5.0));
    assert_eq!(s.print(310, 98.0, 9.0, false), [(1, dec("98"), dec("0.5"))]);
}

#[test]
fn a_quote_through_what_rests_fills_it_up_to_what_is_shown_and_once() {
    let mut s = perp();
    s.place(0, "5", rests("99"));
    s.place(0, "2", post_only("98.7"));
    s.quote(100, (98.0, 1.0), (101.0, 5.0));
    assert_eq!(s.quote(200, (98.0, 1.0), (99.0, 3.0)), [], "at its price is not through it");
    assert_eq!(s.quote(300, (98.0, 1.0), (98.5, 3.0)), [(1, dec("99"), dec("3"))]);
    assert_eq!(s.quote(400, (98.1, 1.0), (98.5, 3.0)), [], "the same offer");
    let both = [(1, dec("99"), dec("2")), (2, dec("98.7"), dec("1"))];
    assert_eq!(s.quote(500, (98.1, 1.0), (98.6, 3.0)), both);
    let fill = s.tell(&quote(600, (98.0, 1.0), (98.4, 3.0)));
    assert_eq!(fills(&fill)[0].fee, dec("0.01974"), "as who rests");
}

#[test]
fn post_only_is_refused_where_it_would_take_once_it_arrives() {
    let mut s = perp();
    let (bid, ask) = ((99.0, 5.0), (101.0, 5.0));
    let id = s.place(0, "1", post_only("101"));
    assert_eq!(s.tell(&quote(10, bid, ask)), []);
    let refused =
        |order, at: i64| [VenueEvent::Rejected { order, at: Stamp(at * MS), why: RejectReason::WouldTake }];
    assert_eq!(s.tell(&quote(100, bid, ask)), refused(id, 100));
    assert_eq!(s.left(), []);
    let id = s.place(100, "-1", post_only("98"));
    assert_eq!(s.tell(&quote(200, bid, ask)), refused(id, 200));
    s.place(200, "1", post_only("100.99"));
    assert_eq!(s.tell(&quote(300, bid, ask)), []);
    assert_eq!(s.left().len(), 1, "between the prices it rests");
}

#[test]
fn a_limit_takes_on_arrival_what_is_within_it_and_rests_with_what_is_left() {
    let mut s = perp();
    s.place(0, "3", rests("101"));
    let said = s.tell(&quote(100, (99.0, 5.0), (101.0, 1.0)));
    assert_eq!((deals(&said), fills(&said)[0].fee), (vec![(1, dec("101"), dec("1"))], dec("0.0505")));
    assert_eq!(s.quote(200, (99.0, 5.0), (102.0, 9.0)), []);
    assert_eq!(s.print(210, 101.0, 0.5, false), [(1, dec("101"), dec("0.5"))], "nobody bids more");
}

#[test]
fn what_is_moved_is_last_in_its_queue_after_the_latency() {
    let mut s = perp();
    let id = s.place(0, "1", post_only("99"));
    let (bid, ask) = ((99.0, 5.0), (101.0, 5.0));
    s.quote(100, bid, ask);
    s.venue.request(VenueRequest::Amend(id, dec("99.5")));
    assert_eq!(s.print(120, 99.0, 9.0, false), [], "it is on its way");
    s.quote(140, (99.5, 2.0), ask);
    assert_eq!(s.print(145, 98.0, 9.0, false), []);
    s.quote(150, (99.5, 2.0), ask);
    assert_eq!(s.print(160, 99.5, 2.5, false), [(1, dec("99.5"), dec("0.5"))]);
    s.venue.request(VenueRequest::Amend(id, dec("102")));
    let over = VenueEvent::Cancelled { order: id, at: Stamp(300 * MS) };
    assert_eq!(s.tell(&quote(300, bid, ask)), [over], "it would take, and was filled in part before");
}

#[test]
fn prices_are_rounded_against_us_and_sizes_to_whole_lots() {
    let odd = Instrument { tick: dec("0.5").into(), lot: dec("0.3"), ..instrument(0, InstrumentKind::Perp) };
    let mut s = QuotedStage::new(odd);
    s.place(0, "3", OrderKind::Market);
    s.place(0, "3", immediate("101"));
    let quote = s.quote(100, (99.0, 1.0), (101.2, 0.7));
    assert_eq!(quote, [(1, dec("101.5"), dec("0.6"))], "101.5 is beyond the collar");
    assert_eq!(s.quote(200, (99.0, 1.0), (101.2, 0.2)), [], "less than a lot");
    s.venue.request(VenueRequest::Cancel(OrderId(1)));
    s.said();
    s.place(200, "-0.9", OrderKind::Market);
    // Three lots of 0.3 are 0.9, whatever doubles make of them.
    assert_eq!(s.quote(300, (98.7, 0.3 + 0.3 + 0.3), (101.2, 1.0)), [(3, dec("98.5"), dec("-0.9"))]);
}

#[test]
fn reduce_only_and_spot_never_turn_over_between_quotes() {
    let mut s = perp();
    s.place(0, "1", OrderKind::Market);
    let (bid, ask) = ((99.0, 9.0), (101.0, 9.0));
    s.quote(100, bid, ask);
    s.ids = 3;
    s.send(reducing(2, 0, "-3", 100 * MS), OrderKind::Market);
    s.send(reducing(3, 0, "-1", 100 * MS), post_only("103"));
    let said = s.tell(&quote(200, bid, ask));
    assert_eq!(deals(&said), [(2, dec("99"), dec("-1"))]);
    let over = |id| VenueEvent::Cancelled { order: OrderId(id), at: Stamp(200 * MS) };
    assert_eq!(said[1..], [over(2), over(3)], "nothing is left to reduce");
    let mut spot = QuotedStage::new(instrument(0, InstrumentKind::Spot));
    spot.send(order(1, 0, "-1", 0), OrderKind::Market);
    let over = VenueEvent::Cancelled { order: OrderId(1), at: Stamp(100 * MS) };
    assert_eq!(spot.tell(&quote(100, bid, ask)), [over]);
}

#[test]
fn a_swap_stays_done_until_the_pool_is_told_anew() {
    let terms = ContractTerms::Pool { fee_ppm: 3_000, concentrated: false };
    let on = Instrument { terms, ..instrument(0, InstrumentKind::Pool) };
    let run = |orders: &[(&str, OrderKind)]| {
        let mut s = QuotedStage::new(on.clone());
        orders.iter().for_each(|(q, kind)| {
            s.place(0, q, *kind);
        });
        let said = s.tell(&pool_state(100, 2_000.0, 1_000.0 * libm::sqrt(2_000.0)));
        (s, said)
    };
    let market = OrderKind::Market;
    let (_, one) = run(&[("20", market)]);
    let (mut s, two) = run(&[("10", market), ("10", market)]);
    let (one, two) = (fills(&one), fills(&two));
    assert!(two[1].price > two[0].price && two[0].price > dec("2000"), "{two:?}");
    let paid: Decimal = two.iter().map(|f| f.price * f.quantity).sum();
    let apart = paid - one[0].price * dec("20");
    assert!(apart.abs() < dec("0.21"), "as one of both, but for a tick: {apart}");
    assert_eq!((two[0].fee, two[0].mark), (dec("1.25"), dec("2000")), "the gas; the fee is in the price");
    // Told anew, it is as if nobody had been there.
    s.place(100, "10", market);
    let again = fills(&s.tell(&pool_state(200, 2_000.0, 1_000.0 * libm::sqrt(2_000.0))));
    assert_eq!(again[0].price, two[0].price);
    // What was bought comes back for less by both fees.
    let (_, round) = run(&[("10", market), ("-10", market)]);
    let round = fills(&round);
    let lost = (round[0].price - round[1].price) * dec("10");
    assert!(lost > dec("110") && lost < dec("130"), "0.6 % of 20 000: {lost}");
    // A fifth of the pool at most, and with a collar all or nothing.
    let (s, most) = run(&[("150", market), ("150", market)]);
    assert_eq!(fills(&most).iter().map(|f| f.quantity).sum::<Decimal>(), dec("200"));
    assert_eq!(s.left(), [(2, dec("100"))]);
    let (_, collared) = run(&[("20", immediate("2010")), ("20", post_only("1990"))]);
    let at = Stamp(100 * MS);
    let refused = VenueEvent::Rejected { order: OrderId(2), at, why: RejectReason::WouldTake };
    assert_eq!(collared, [VenueEvent::Cancelled { order: OrderId(1), at }, refused]);
}

#[test]
fn what_an_option_costs_is_a_share_of_its_forward() {
    let expiry = Stamp(1_000 * MS);
    let terms = |inverse| ContractTerms::Option { expiry, strike: 90.0, call: true, inverse };
    for (inverse, premium, fee, pays, delivery) in
        [(false, 12.0, "0.06", "20", "0.033"), (true, 0.12, "0.0006", "0.181818181818", "0.0003")]
    {
        let on = Instrument { terms: terms(inverse), ..instrument(0, InstrumentKind::Option) };
        let mut s = QuotedStage::new(on);
        let at = Stamp(50 * MS);
        s.tell(&MarketEvent::Implied { instrument: AT, at, sigma: 0.5, forward: 100.0 });
        s.place(0, "2", OrderKind::Market);
        let bought = fills(&s.tell(&quote(100, (premium / 2.0, 9.0), (premium, 9.0))));
        assert_eq!((bought[0].quantity, bought[0].fee), (dec("2"), dec(fee)));
        s.place(100, "1", post_only("0.01"));
        let settled = MarketEvent::Settled { instrument: AT, at: Stamp(1_000 * MS), price: 110.0 };
        let said = s.tell(&settled);
        assert_eq!(said[0], VenueEvent::Cancelled { order: OrderId(2), at: Stamp(1_000 * MS) });
        let f = fills(&said)[0];
        assert_eq!((f.order, f.quantity, f.number), (OrderId(VENUE_ORDERS), dec("-2"), 1));
        assert_eq!((f.price, f.mark, f.fee), (dec(pays), dec(pays), dec(delivery)));
        assert_eq!((s.venue.position(AT), s.left()), (Decimal::ZERO, vec![]));
        let late = order(9, 0, "1", 1_001 * MS);
        s.venue.request(VenueRequest::Place(PlacedOrder::of(late, OrderKind::Market)));
        let why = RejectReason::NotListed;
        assert_eq!(s.said(), [VenueEvent::Rejected { order: OrderId(9), at: Stamp(1_001 * MS), why }]);
    }
}

#[test]
fn a_future_is_closed_at_its_settlement_for_the_fee_of_delivery() {
    let on = Instrument {
        terms: ContractTerms::Future { expiry: Stamp(500 * MS) },
        ..instrument(0, InstrumentKind::Future)
    };
    let mut s = QuotedStage::new(on);
    s.place(0, "-2", OrderKind::Market);
    s.quote(100, (99.0, 9.0), (101.0, 9.0));
    let said = s.tell(&MarketEvent::Settled { instrument: AT, at: Stamp(500 * MS), price: 98.0 });
    let f = fills(&said)[0];
    assert_eq!((f.quantity, f.price, f.fee), (dec("2"), dec("98"), dec("0.049")));
    let mut flat = perp();
    assert_eq!(flat.tell(&MarketEvent::Settled { instrument: AT, at: Stamp(0), price: 98.0 }), []);
}

/// What may happen in a moment of the test below.
#[derive(Clone, Debug)]
enum Happening {
    Quote { bid: i64, spread: i64, sizes: (i64, i64) },
    Book { bid: i64, spread: i64, sizes: Vec<i64> },
    Print { price: i64, size: i64, buys: bool },
    Place { quantity: i64, kind: u8, price: i64 },
    Reduce { quantity: i64 },
    Cancel(u64),
    Amend(u64, i64),
}

fn happening() -> impl Strategy<Value = Happening> {
    let price = 960_i64..1_040;
    prop_oneof![
        4 => (price.clone(), 1_i64..20, (0_i64..4, 0_i64..4))
            .prop_map(|(bid, spread, sizes)| Happening::Quote { bid, spread, sizes }),
        4 => (price.clone(), 1_i64..20, prop::collection::vec(1_i64..4, 2..8))
            .prop_map(|(bid, spread, sizes)| Happening::Book { bid, spread, sizes }),
        3 => (price.clone(), 1_i64..9, any::<bool>())
            .prop_map(|(price, size, buys)| Happening::Print { price, size, buys }),
        5 => (-9_i64..10, 0_u8..4, price.clone())
            .prop_map(|(quantity, kind, price)| Happening::Place { quantity, kind, price }),
        1 => (-9_i64..10).prop_map(|quantity| Happening::Reduce { quantity }),
        1 => (1_u64..30).prop_map(Happening::Cancel),
        1 => (1_u64..30, price).prop_map(|(id, price)| Happening::Amend(id, price)),
    ]
}

/// An order as the test follows it.
struct Followed {
    quantity: Decimal,
    filled: Decimal,
    live: Stamp,
    limit: Option<Decimal>,
    is_over: bool,
    numbers: u32,
}

/// The venue, what it was asked, and what it may have given.
struct FollowedStage {
    stage: QuotedStage,
    orders: Vec<Followed>,
    position: Decimal,
    /// By side and price: what was shown there since it was last another size, and what was taken of it.
    shown: Vec<(bool, f64, f64, Decimal)>,
}

const TICK: f64 = 0.1;
const LOT: f64 = 0.5;

impl FollowedStage {
    fn new() -> Self {
        let on =
            Instrument { tick: dec("0.1").into(), lot: dec("0.5"), ..instrument(0, InstrumentKind::Perp) };
        let stage = QuotedStage::new(on);
        FollowedStage { stage, orders: Vec::new(), position: Decimal::ZERO, shown: Vec::new() }
    }

    fn place(&mut self, at: i64, (quantity, is_reducing): (i64, bool), kind: OrderKind) {
        let size = Decimal::new(quantity * 5, 1);
        self.stage.ids += 1;
        let id = self.stage.ids;
        let sent = if is_reducing {
            reducing(id, 0, &size.to_string(), at * MS)
        } else {
            order_of(id, &self.stage.on, size, at * MS)
        };
        self.stage.send(sent, kind);
        let limit = if let OrderKind::Limit(limit, _) = kind { Some(limit) } else { None };
        let live = Stamp((at + 50) * MS);
        let (filled, is_over) = (Decimal::ZERO, false);
        self.orders.push(Followed { quantity: size, filled, live, limit, is_over, numbers: 0 });
    }

    /// What is shown now: a size that is another one than before was not taken of.
    fn look(&mut self) {
        let mut now = Vec::new();
        for buys in [true, false] {
            let Some(levels) = shown(&self.stage.market, AT, buys) else { return };
            for &(price, size) in levels.iter() {
                let before = self.shown.iter().find(|s| (s.0, s.1, s.2) == (buys, price, size));
                now.push((buys, price, size, before.map_or(Decimal::ZERO, |s| s.3)));
            }
        }
        self.shown = now;
    }

    fn tell(&mut self, event: &MarketEvent) {
        let said = self.stage.tell(event);
        let is_print = matches!(event, MarketEvent::Trade { .. });
        if !is_print {
            self.look();
        }
        let mut printed = Decimal::ZERO;
        for said in said {
            match said {
                VenueEvent::Fill(f) => {
                    self.check(&f, is_print);
                    printed += f.quantity.abs();
                }
                VenueEvent::Cancelled { order, .. } | VenueEvent::Rejected { order, .. } => self.over(order),
                _ => panic!("{said:?}"),
            }
        }
        if let MarketEvent::Trade { size, .. } = *event {
            assert!(to_estimate(printed) <= size + 1e-9, "more than was printed");
        }
        for s in &self.shown {
            assert!(to_estimate(s.3) <= s.2 + 1e-9, "more than is shown: {s:?}");
        }
        assert_eq!(self.position, self.stage.venue.position(AT));
    }

    fn over(&mut self, order: OrderId) {
        let o = &mut self.orders[order.0 as usize - 1];
        assert!(!std::mem::replace(&mut o.is_over, true), "it ended twice");
    }

    fn check(&mut self, f: &Fill, is_print: bool) {
        let o = &mut self.orders[f.order.0 as usize - 1];
        assert!(!o.is_over && f.at >= o.live, "{f:?}");
        o.numbers += 1;
        assert_eq!(f.number, o.numbers);
        o.filled += f.quantity;
        assert!(o.filled.abs() <= o.quantity.abs() && (f.quantity * o.quantity) > Decimal::ZERO);
        o.is_over = o.filled == o.quantity;
        assert!(count(f.quantity, dec("0.5")).is_some() && count(f.price, dec("0.1")).is_some(), "{f:?}");
        let (buys, price) = (!f.quantity.is_sign_negative(), to_estimate(f.price));
        let worse = |limit: Decimal| if buys { f.price > limit } else { f.price < limit };
        assert!(!o.limit.is_some_and(worse), "{f:?}");
        self.position += f.quantity;
        if is_print {
            return assert_eq!(o.limit, Some(f.price), "who rests gets its limit");
        }
        // No better than the best opposite price.
        let side = if buys { 1.0 } else { -1.0 };
        let best = self.shown.iter().find(|s| s.0 == buys).unwrap().1;
        assert!(side * (price - best) >= -1e-9, "{f:?} at {best}");
        // Who takes pays a price that is shown; who rests takes of those beyond its own, the best first.
        let (size, rate) = (f.quantity.abs(), f.fee / (f.quantity.abs() * f.price));
        let is_maker = rate == dec("0.0002");
        assert!(is_maker || rate == dec("0.0005"), "{f:?}");
        let at = self.shown.iter().position(|s| {
            let apart = side * (price - s.1);
            let fits = if is_maker { apart > 1e-9 } else { apart.abs() < 1e-9 };
            s.0 == buys && fits && to_estimate(s.3 + size) <= s.2 + 1e-9
        });
        self.shown[at.expect("nothing of the kind is shown")].3 += size;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn money4_no_more_is_filled_than_was_ordered_and_shown_whatever_happens(
        all in prop::collection::vec((happening(), 0_i64..80), 1..80),
    ) {
        let mut s = FollowedStage::new();
        let mut at = 0;
        let price = |ticks: i64| Decimal::new(ticks, 1);
        let estimate = |ticks: i64| to_estimate(Decimal::new(ticks, 1));
        for (happening, wait) in all {
            at += wait;
            match happening {
                Happening::Quote { bid, spread, sizes } => {
                    let sizes = (sizes.0 as f64 * LOT, sizes.1 as f64 * LOT);
                    s.tell(&quote(at, (estimate(bid), sizes.0), (estimate(bid + spread), sizes.1)));
                }
                Happening::Book { bid, spread, sizes } => {
                    for (i, size) in sizes.iter().enumerate() {
                        let (is_bid, depth) = (i % 2 == 0, i as i64 / 2);
                        let ticks = if is_bid { bid - depth } else { bid + spread + depth };
                        // A part of a lot is shown, and is to be left there.
                        let shown = (estimate(ticks), *size as f64 * LOT + TICK);
                        s.tell(&level(at, is_bid, shown, i == 0, i + 1 == sizes.len()));
                    }
                }
                Happening::Print { price, size, buys } => s.tell(&MarketEvent::Trade {
                    instrument: AT, at: Stamp(at * MS), price: estimate(price), size: size as f64 * LOT, buys,
                }),
                Happening::Place { quantity, kind, price: limit } if quantity != 0 => {
                    let kind = match kind {
                        0 => OrderKind::Market,
                        1 => OrderKind::Limit(price(limit), TimeInForce::UntilCancelled),
                        2 => OrderKind::Limit(price(limit), TimeInForce::ImmediateOrCancel),
                        _ => OrderKind::Limit(price(limit), TimeInForce::PostOnly),
                    };
                    s.place(at, (quantity, false), kind);
                }
                Happening::Reduce { quantity } if quantity != 0 => s.place(at, (quantity, true), OrderKind::Market),
                Happening::Place { .. } | Happening::Reduce { .. } => {}
                Happening::Cancel(id) => {
                    s.stage.venue.request(VenueRequest::Cancel(OrderId(id)));
                    let is_known = id <= s.orders.len() as u64;
                    match s.stage.said()[..] {
                        [VenueEvent::Cancelled { order, .. }] => s.over(order),
                        [VenueEvent::CancelRefused { .. }] => {
                            prop_assert!(!is_known || s.orders[id as usize - 1].is_over);
                        }
                        ref said => panic!("{said:?}"),
                    }
                }
                Happening::Amend(id, limit) => {
                    s.stage.venue.request(VenueRequest::Amend(OrderId(id), price(limit)));
                    prop_assert_eq!(s.stage.said(), []);
                    if let Some(o) = s.orders.get_mut(id as usize - 1).filter(|o| o.limit.is_some()) {
                        o.limit = Some(price(limit));
                    }
                }
            }
            let venue = &s.stage.venue;
            let copy: PaperVenue = postcard::from_bytes(&postcard::to_stdvec(venue).unwrap()).unwrap();
            prop_assert_eq!(&copy, venue);
        }
        let works: Vec<u64> = s.stage.left().iter().map(|l| l.0).collect();
        for (id, o) in (1..).zip(&s.orders) {
            prop_assert_eq!(works.contains(&id), !o.is_over, "what has not ended works");
        }
    }
}
