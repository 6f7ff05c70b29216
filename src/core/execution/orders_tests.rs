//! What is booked, and how often.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::domain::{AgentId, InstrumentKind, OrderKind, VenueId};
use crate::execution::fixtures::{dec, instrument, order};
use crate::execution::venue::VENUE_ORDERS;
use crate::execution::{OrderReport, OrderRouter, PaperVenue};
use crate::fills::Costs;
use crate::ledger::Ledger;
use proptest::prelude::*;

fn fill(id: u64, number: u32, quantity: &str) -> Fill {
    let (quantity, price, fee) = (dec(quantity), dec("100.02"), dec("0.01"));
    let (order, instrument, at) = (OrderId(id), InstrumentId(0), Stamp(1));
    Fill { order, number, instrument, at, quantity, price, mark: dec("100"), fee, fee_in: None }
}

fn with_order(quantity: &str) -> OrderTracker {
    let mut t = OrderTracker::default();
    t.sent(&order(1, 0, quantity, 0), OrderKind::Market).unwrap();
    t
}

fn status(t: &OrderTracker) -> OrderStatus {
    t.get(OrderId(1)).unwrap().status
}

#[test]
fn an_order_lives_from_pending_to_filled() {
    let mut t = with_order("3");
    assert_eq!((status(&t), t.open_quantity(InstrumentId(0))), (OrderStatus::Pending, dec("3")));
    t.set(OrderId(1), OrderStatus::Working).unwrap();
    assert_eq!(t.on_fill(&fill(1, 1, "1")), FillVerdict::Book);
    assert_eq!((status(&t), t.open_quantity(InstrumentId(0))), (OrderStatus::PartlyFilled, dec("2")));
    assert_eq!(t.on_fill(&fill(1, 2, "2")), FillVerdict::Book);
    assert_eq!((status(&t), t.open().count()), (OrderStatus::Filled, 0));
    t.set(OrderId(1), OrderStatus::Working).unwrap();
    assert_eq!(status(&t), OrderStatus::Filled, "what is over stays over");
}

#[test]
fn a_fill_before_the_confirmation_and_out_of_order_is_booked() {
    let mut t = with_order("3");
    assert_eq!(t.on_fill(&fill(1, 2, "1")), FillVerdict::Book);
    t.set(OrderId(1), OrderStatus::Working).unwrap();
    assert_eq!(status(&t), OrderStatus::PartlyFilled);
    assert_eq!(t.on_fill(&fill(1, 1, "1")), FillVerdict::Book);
    assert_eq!(t.on_fill(&fill(1, 2, "1")), FillVerdict::Duplicate);
    assert_eq!(t.get(OrderId(1)).unwrap().filled, dec("2"));
}

#[test]
fn a_cancel_and_a_fill_may_cross() {
    let mut t = with_order("3");
    t.set(OrderId(1), OrderStatus::Cancelled).unwrap();
    assert_eq!(t.on_fill(&fill(1, 1, "1")), FillVerdict::BookLate);
    assert_eq!((status(&t), t.counts.late), (OrderStatus::Cancelled, 1));
    assert_eq!(t.open_quantity(InstrumentId(0)), Decimal::ZERO);
}

#[test]
fn an_overfill_is_booked_with_an_alarm() {
    let mut t = with_order("3");
    assert_eq!(t.on_fill(&fill(1, 1, "4")), FillVerdict::BookOverfill);
    assert_eq!(with_order("3").on_fill(&fill(1, 1, "-1")), FillVerdict::BookOverfill, "the wrong side");
    assert_eq!((status(&t), t.counts.overfills), (OrderStatus::Filled, 1));
}

#[test]
fn a_repeat_with_other_numbers_is_an_alarm_and_the_first_stays() {
    let mut t = with_order("3");
    t.on_fill(&fill(1, 1, "1"));
    let other = Fill { price: dec("101"), ..fill(1, 1, "1") };
    assert_eq!(t.on_fill(&other), FillVerdict::Conflict);
    assert_eq!(t.get(OrderId(1)).unwrap().filled, dec("1"));
    let elsewhere = Fill { instrument: InstrumentId(3), ..fill(1, 2, "1") };
    assert_eq!(t.on_fill(&elsewhere), FillVerdict::Conflict);
}

#[test]
fn strangers_are_not_booked_and_the_venues_own_closing_is_once() {
    let mut t = with_order("3");
    assert_eq!(t.on_fill(&fill(9, 1, "1")), FillVerdict::Foreign);
    assert_eq!(t.on_fill(&fill(VENUE_ORDERS, 1, "1")), FillVerdict::Book);
    assert_eq!(t.on_fill(&fill(VENUE_ORDERS, 1, "1")), FillVerdict::Duplicate);
}

#[test]
fn ids_are_used_once() {
    let mut t = with_order("3");
    assert_eq!(t.sent(&order(1, 0, "1", 0), OrderKind::Market), Err(OrderError::UsedId(OrderId(1))));
    assert_eq!(t.set(OrderId(5), OrderStatus::Working), Err(OrderError::NotKnown(OrderId(5))));
}

#[test]
fn finished_orders_are_forgotten_and_unknown_ones_are_not() {
    let mut t = with_order("3");
    t.set(OrderId(1), OrderStatus::Unknown).unwrap();
    for id in 2..FINISHED_MAX as u64 + 10 {
        t.sent(&order(id, 0, "1", 0), OrderKind::Market).unwrap();
        t.on_fill(&fill(id, 1, "1"));
    }
    assert_eq!((t.orders.0.len(), t.open().count()), (FINISHED_MAX + 1, 1));
    assert_eq!(t.on_fill(&fill(2, 1, "1")), FillVerdict::Forgotten);
    assert_eq!(t.on_fill(&fill(1, 1, "3")), FillVerdict::Book, "unknown is never dropped");
}

#[test]
fn open_orders_are_bounded() {
    let mut t = OrderTracker::default();
    let all: Vec<_> =
        (0..).map(|id| t.sent(&order(id, 0, "1", 0), OrderKind::Market)).take(OPEN_MAX + 1).collect();
    assert_eq!(all[OPEN_MAX], Err(OrderError::TooMany(OPEN_MAX)));
    assert!(all[..OPEN_MAX].iter().all(Result::is_ok));
}

#[test]
fn what_the_venue_took_back_is_cancelled_here() {
    let mut router = OrderRouter::new(PaperVenue::new(1), vec![VenueId(0)]);
    for id in 1..=2 {
        router.place(order(id, 0, "1", 0), OrderKind::Market).unwrap();
        if id == 1 {
            let gone = instrument(0, InstrumentKind::Perp);
            router.venue.on_delisted(&gone, Stamp(0), 1.0, &Costs::default());
        }
    }
    let all: Vec<OrderReport> = std::iter::from_fn(|| router.poll()).collect();
    assert_eq!(all, [OrderReport::Noted, OrderReport::Cancelled(OrderId(1), dec("1")), OrderReport::Noted]);
    assert_eq!(status(&router.orders), OrderStatus::Cancelled);
    assert_eq!(router.orders.open().map(|o| o.id).collect::<Vec<_>>(), [OrderId(2)]);
}

#[test]
fn until_the_venue_has_answered_what_is_taken_back_counts_as_open() {
    let mut t = with_order("3");
    t.set(OrderId(1), OrderStatus::Working).unwrap();
    t.set(OrderId(1), OrderStatus::CancelSent).unwrap();
    assert_eq!(t.on_fill(&fill(1, 1, "1")), FillVerdict::Book);
    assert_eq!((status(&t), t.open_quantity(InstrumentId(0))), (OrderStatus::CancelSent, dec("2")));
    t.set(OrderId(1), OrderStatus::Cancelled).unwrap();
    assert_eq!(t.open_quantity(InstrumentId(0)), Decimal::ZERO);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn money6_repeats_and_order_of_arrival_change_nothing(
        sizes in prop::collection::vec(1_i64..1_000, 1..8),
        arrivals in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let total: i64 = sizes.iter().sum();
        let fills: Vec<Fill> = (1..)
            .zip(&sizes)
            .map(|(n, size)| Fill { quantity: Decimal::new(*size, 3), ..fill(1, n, "1") })
            .collect();
        let run = |stream: &mut dyn Iterator<Item = Fill>| {
            let mut t = OrderTracker::default();
            t.sent(&order(1, 0, &Decimal::new(total, 3).to_string(), 0), OrderKind::Market).unwrap();
            let mut books = Ledger::new(1, 1);
            books.deposit(dec("1000")).unwrap();
            for f in stream {
                if t.on_fill(&f).is_booked() {
                    books.trade(f.instrument, f.mark, &[(AgentId(0), f.quantity)], Some(&f)).unwrap();
                }
                assert_eq!(t.get(OrderId(1)).unwrap().filled, books.net_position(InstrumentId(0)));
            }
            (books, t)
        };
        let (once, _) = run(&mut fills.iter().copied());
        // Any order with any repeats, then all of them once more so that none is missing.
        let mixed = arrivals.iter().map(|a| *a.get(&fills));
        let (mixed, tracker) = run(&mut mixed.chain(fills.iter().copied()));
        prop_assert_eq!(&mixed, &once);
        prop_assert_eq!(tracker.counts.duplicates, arrivals.len() as u64);
        prop_assert_eq!(tracker.counts.booked, fills.len() as u64);
        prop_assert_eq!(status(&tracker), OrderStatus::Filled);
    }
}
