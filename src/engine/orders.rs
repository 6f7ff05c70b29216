//! From what the desk wants to orders at the venue: through the gate, both legs of a change together, and what
//! makers work apart from what crosses now.
//!
//! # What leaves at once, and what is worked
//!
//! ```text
//! w  what the desk wants · q  the change of spot · o  spot that has changed without its perp
//! done  = what o and w have in common            it has moved the exposure already
//! flow  = what q and w − done have in common     one leg, as spot, now: the perp is not traded for it
//! leg   = −(q − flow) − (o − done)               in the perp, now: a switch leaves with both legs
//! rest  = w − done − flow                        worked, but for what was worked before and is still due
//! ```
//!
//! In common: the smaller of two of one sign, else nothing. So spot + leg + rest = w − o, and leg and rest never
//! have opposite signs.

use super::real::{Real, RealSpec};
use super::services::Change;
use super::{Outputs, Settings};
use crate::domain::{Decimal, Instrument, InstrumentId, Money, OrderId, OrderKind, OrderStatus, Span, Stamp};
use crate::execution::Venue;
use crate::ledger::exact::product;
use crate::market::Listing;
use crate::treasury::desk::Wanted;
use crate::treasury::{ApprovedOrder, Exposure, Proposal};

/// What is known as orders are sent.
pub(super) struct Known<'a> {
    pub at: Stamp,
    pub listings: &'a [Listing],
    pub gross: Money,
    pub net: Money,
}

/// How what is wanted of an asset leaves, in base units.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Parts {
    /// In the perp at once.
    leg: Decimal,
    /// Of the change, what needs no perp.
    flow: Decimal,
    /// What is left for the perp, and need not be at once.
    rest: Decimal,
}

impl Parts {
    fn of(want: Decimal, change: Decimal, owed: Decimal) -> Self {
        let done = common(want, owed);
        let flow = common(want - done, change);
        Parts { leg: flow - change + done - owed, flow, rest: want - done - flow }
    }
}

/// The smaller of two of the same sign; nothing of two others.
pub(super) fn common(a: Decimal, b: Decimal) -> Decimal {
    match () {
        () if a.is_zero() || b.is_zero() || a.is_sign_negative() != b.is_sign_negative() => Decimal::ZERO,
        () if a.abs() < b.abs() => a,
        () => b,
    }
}

impl Real {
    /// Sends what is wanted of an instrument, `change` of it as spot. Both legs of a switch leave or neither.
    pub(super) fn send(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        known: &Known<'_>,
        want: Wanted,
        change: Change,
        out: &mut Outputs,
    ) {
        let id = want.instrument;
        let place = id.index();
        let carried = spec.services.carriers[place].and(spec.services.spots[place]);
        let due = self.take_back(place) + change.due;
        let owed = carried.map_or(Decimal::ZERO, |_| self.services.unmirrored(place));
        let want = if want.quantity.is_zero() { due } else { want.quantity };
        self.withdraw(id);
        let spot = carried.and_then(|spot| {
            let parts = Parts::of(want, change.spot, owed);
            // A switch too small for its perp stays undone.
            let whole = self.is_tradable(&spec.instruments[place], parts.flow - change.spot);
            let quantity = if whole { change.spot } else { parts.flow };
            let order = (!quantity.is_zero())
                .then(|| self.approve(spec, settings, known, (spot, place), quantity, Decimal::ZERO));
            Some((spot, order??))
        });
        let legs = |change| Parts::of(want, change, owed);
        let mut parts = legs(spot.as_ref().map_or(Decimal::ZERO, |(_, order)| order.quantity()));
        let (mut late, mut later) = self.split(spec, place, known.at, parts.rest, due);
        let mut perp = self.approve(spec, settings, known, (id, place), parts.leg + late, Decimal::ZERO);
        let got = |perp: &Option<ApprovedOrder>| perp.as_ref().map_or(Decimal::ZERO, ApprovedOrder::quantity);
        // In the order of their numbers.
        match spot {
            Some(_) if got(&perp).abs() < parts.leg.abs() => {
                parts = legs(Decimal::ZERO);
                (late, later) = self.split(spec, place, known.at, parts.rest, due);
                perp = self.approve(spec, settings, known, (id, place), parts.leg + late, Decimal::ZERO);
            }
            Some((spot, order)) => {
                self.submit(spot, &order, out);
            }
            None => {}
        }
        let beside = got(&perp);
        if let Some(order) = perp
            && self.submit(id, &order, out)
        {
            self.crosses(place, order.id(), late);
        }
        if let Some(order) = self.approve(spec, settings, known, (id, place), later, beside)
            && let Err(e) = self.work(spec, place, &order)
        {
            self.halt(format!("an order that is worked was refused after the gate: {e}"), out);
        }
    }

    /// Whether so much of an instrument is an order.
    fn is_tradable(&self, instrument: &Instrument, quantity: Decimal) -> bool {
        let worth = product(quantity.abs(), self.marks[instrument.id.index()]);
        quantity.is_zero()
            || worth.is_ok_and(|w| w >= instrument.min_notional && quantity.abs() >= instrument.lot)
    }

    /// Asks the gate; `beside` is what works in the instrument already.
    fn approve(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        known: &Known<'_>,
        (id, place): (InstrumentId, usize),
        quantity: Decimal,
        beside: Decimal,
    ) -> Option<ApprovedOrder> {
        if quantity.is_zero() {
            return None;
        }
        let listing = &known.listings[place];
        let position = self.position(spec, id);
        let shrinks =
            position.is_sign_negative() != quantity.is_sign_negative() && quantity.abs() <= position.abs();
        let proposal = Proposal {
            id: OrderId(self.next_order),
            instrument: id,
            quantity,
            reference: self.marks[id.index()],
            reduce_only: shrinks && !position.is_zero(),
            at: known.at,
        };
        self.next_order += 1;
        let exposure = Exposure {
            equity: self.equity,
            position,
            open_order: beside,
            gross: known.gross,
            net: known.net,
            feed_age: listing.last_at.map_or(Span(i64::MAX), |l| known.at.since(l)),
            tradable: listing.trading,
            bar_volume: listing.last.volume,
            last_confirmed: self.confirmed[id.index()],
        };
        // The level's own participation limit applies at the fill; a flat charge has none.
        let flat = settings.costs.is_flat();
        let exposure = if flat { Exposure { bar_volume: f64::INFINITY, ..exposure } } else { exposure };
        self.gate.approve(&proposal, &spec.instruments[id.index()], &exposure, self.mode()).ok()
    }

    /// An approved order leaves as a market order; whether it did.
    fn submit(&mut self, id: InstrumentId, order: &ApprovedOrder, out: &mut Outputs) -> bool {
        let tracked = self.orders.sent(order);
        match tracked
            .map_err(|e| e.to_string())
            .and_then(|()| self.venue.submit(order, OrderKind::Market).map_err(|e| e.to_string()))
        {
            Ok(_) => {
                self.sent += 1;
                self.working[id.index()] = Some(order.id());
                true
            }
            Err(e) => {
                self.halt(format!("an order was refused after the gate: {e}"), out);
                false
            }
        }
    }

    /// Takes back what still works in an instrument.
    pub(super) fn withdraw(&mut self, id: InstrumentId) {
        self.rest_no_more(id);
        if let Some(order) = self.working[id.index()].take() {
            self.venue.cancel(order);
            // An order that is known can be set; that it is over already is no error.
            let _ = self.orders.set(order, OrderStatus::Cancelled);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(want: i64, change: i64, owed: i64) -> (i64, i64, i64) {
        let p = Parts::of(Decimal::from(want), Decimal::from(change), Decimal::from(owed));
        let int = |d: Decimal| i64::try_from(d).unwrap();
        (int(p.leg), int(p.flow), int(p.rest))
    }

    #[test]
    fn what_the_desk_wants_anyway_needs_one_leg_and_only_a_switch_two() {
        assert_eq!(parts(5, 3, 0), (0, 3, 2), "bought as spot, the rest is worked");
        assert_eq!(parts(2, 5, 0), (-3, 2, 0), "beyond it a switch");
        assert_eq!(parts(5, -3, 0), (3, 0, 5), "a switch beside what is worked");
        assert_eq!(parts(0, 4, 0), (-4, 0, 0));
        assert_eq!(parts(5, 0, 2), (0, 0, 3), "spot without its leg has done a part");
        assert_eq!(parts(0, 0, 2), (-2, 0, 0), "or is undone");
        assert_eq!(parts(0, -2, 2), (0, 0, 0), "or goes back");
    }

    proptest! {
        #[test]
        fn exposure_is_what_was_wanted_and_nothing_is_bought_to_be_sold(want in -9_i64..9, change in -9_i64..9, owed in -9_i64..9) {
            let (leg, flow, rest) = parts(want, change, owed);
            prop_assert_eq!(change + leg + rest, want - owed);
            prop_assert!(leg * rest >= 0);
            prop_assert!(flow * change >= 0 && flow.abs() <= change.abs() && flow.abs() <= want.abs());
        }
    }
}
