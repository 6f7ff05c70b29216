//! From what the desk wants to orders at the venue: through the gate, both legs of a change together, and what
//! makers work apart from what crosses now.

use super::real::{Real, RealSpec};
use super::{Outputs, Settings};
use crate::domain::{Decimal, InstrumentId, Money, OrderId, OrderKind, OrderStatus, Span, Stamp};
use crate::execution::Venue;
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

impl Real {
    /// Sends what is wanted of an instrument: `change` of it as spot and the rest in the perp. Both legs leave
    /// or neither.
    pub(super) fn send(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        known: &Known<'_>,
        want: Wanted,
        change: Decimal,
        out: &mut Outputs,
    ) {
        let id = want.instrument;
        let place = id.index();
        let carried = spec.services.carriers[place].and(spec.services.spots[place]);
        let spot = match carried.filter(|_| !change.is_zero()) {
            Some(spot) => {
                self.approve(spec, settings, known, (spot, place), change, Decimal::ZERO).map(|o| (spot, o))
            }
            None => None,
        };
        let change = spot.as_ref().map_or(Decimal::ZERO, |(_, order)| order.quantity());
        let owed = carried.map_or(Decimal::ZERO, |_| self.services.unmirrored(place));
        let legs = !change.is_zero() || !owed.is_zero();
        let (now, later) = self.split(spec, place, known.at, want.quantity);
        // Two legs leave together, so nothing is worked.
        let (now, later) = if legs { (now + later - change - owed, Decimal::ZERO) } else { (now, later) };
        self.withdraw(id);
        let perp = if now.is_zero() {
            None
        } else {
            self.approve(spec, settings, known, (id, place), now, Decimal::ZERO)
        };
        if perp.is_none() && !now.is_zero() && spot.is_some() {
            return;
        }
        let beside = perp.as_ref().map_or(Decimal::ZERO, ApprovedOrder::quantity);
        // In the order of their numbers.
        if let Some((spot, order)) = spot {
            self.submit(spot, &order, out);
        }
        if let Some(order) = perp
            && self.submit(id, &order, out)
            && !legs
        {
            self.crosses(place, order.id());
        }
        if !later.is_zero()
            && let Some(order) = self.approve(spec, settings, known, (id, place), later, beside)
            && let Err(e) = self.work(spec, place, &order)
        {
            self.halt(format!("an order that is worked was refused after the gate: {e}"), out);
        }
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
