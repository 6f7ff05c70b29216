//! One order: whether it is one, what the gate says of it, how it is sent or put to work, and how it is taken back.

use super::account::Real;
use super::context::RoutingContext;
use super::spec::RealSpec;
use crate::domain::{Decimal, Instrument, InstrumentId, OrderId, OrderKind, OrderStatus, Span};
use crate::engine::order_split::common;
use crate::engine::passive_execution::Remaining;
use crate::engine::{Outputs, Settings};
use crate::execution::Venue;
use crate::treasury::gate::smallest_order;
use crate::treasury::{ApprovedOrder, Exposure, ProposedOrder};

impl Real {
    /// Whether so much of an instrument is an order.
    pub(super) fn is_order(&self, instrument: &Instrument, quantity: Decimal) -> bool {
        // A venue refuses less than a lot and less than its smallest notional; a refusal after the gate would
        // halt the hive.
        let least = smallest_order(instrument, self.marks[instrument.id.index()]);
        least.is_some_and(|least| quantity.abs() >= least)
    }

    /// Asks the gate; `beside` is what works in the instrument already.
    pub(super) fn approve(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        known: &RoutingContext<'_>,
        (id, desk_index): (InstrumentId, usize),
        quantity: Decimal,
        beside: Decimal,
    ) -> Option<ApprovedOrder> {
        if quantity.is_zero() {
            return None;
        }
        let listing = &known.market.instruments[desk_index];
        let position = self.position(spec, id);
        // An order that may only reduce cannot turn the position round, should that shrink before it fills.
        let shrinks =
            position.is_sign_negative() != quantity.is_sign_negative() && quantity.abs() <= position.abs();
        let proposal = ProposedOrder {
            id: OrderId(self.next_order),
            instrument: id,
            quantity,
            reference: self.marks[id.index()],
            reduce_only: shrinks && !position.is_zero(),
            at: known.at,
        };
        // Spent even if it is refused: the refusal is told by this number, and no number comes twice.
        self.next_order += 1;
        let exposure = Exposure {
            equity: self.equity,
            position,
            open_order: beside,
            gross: known.gross,
            net: known.net,
            // Never seen is as old as can be, so that the gate refuses it.
            feed_age: listing.bar.map_or(Span(i64::MAX), |b| known.at.since(b.at)),
            tradable: listing.trading,
            bar_volume: listing.last().volume,
            last_confirmed: self.confirmed[id.index()],
        };
        // The level's own participation limit applies at the fill; a flat charge has none.
        let flat = settings.costs.is_flat();
        let exposure = if flat { Exposure { bar_volume: f64::INFINITY, ..exposure } } else { exposure };
        self.gate.approve(&proposal, &spec.instruments[id.index()], &exposure, self.mode()).ok()
    }

    /// An approved order leaves as a market order; whether it did.
    pub(super) fn submit(&mut self, id: InstrumentId, order: &ApprovedOrder, out: &mut Outputs) -> bool {
        // Tracked before it leaves: a fill has to find its order, however fast it comes.
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

    /// An approved order goes to work; what of it is not the desk's is the perp leg of a switch.
    pub(super) fn work(
        &mut self,
        spec: &RealSpec,
        desk_index: usize,
        order: &ApprovedOrder,
        desk: Decimal,
    ) -> Result<(), String> {
        let side = if order.quantity().is_sign_negative() { -1.0 } else { 1.0 };
        let limit = self.services.working_orders[desk_index]
            .limit(side, spec.instruments[desk_index].tick)
            .ok_or("a limit that is no price")?;
        self.orders.sent(order).map_err(|e| e.to_string())?;
        self.venue.rest(order, limit).map_err(|e| e.to_string())?;
        // The gate may have cut the order; then the desk is served first, since its exposure is what was
        // decided, and a switch only changes what carries it.
        let switch = order.quantity() - common(order.quantity(), desk);
        self.services.working_orders[desk_index].begin(order.id(), switch);
        Ok(())
    }

    /// What is left of the order that is worked.
    pub(super) fn left(&self, desk_index: usize) -> Remaining {
        let all =
            self.venue.resting(InstrumentId(desk_index as u16)).map_or(Decimal::ZERO, |(_, left, _)| left);
        // A venue keeps one resting order an instrument: the desk's and the switch's leg share it, and only
        // the switch's part is written down.
        let switch = self.services.working_orders[desk_index].switch;
        Remaining { desk: all - switch, switch }
    }

    /// Takes back what is worked of an instrument; how much of it was left.
    pub(super) fn take_back(&mut self, desk_index: usize) -> Remaining {
        let left = self.left(desk_index);
        self.rest_no_more(InstrumentId(desk_index as u16));
        // What crossed at the decision before has had its bar: what crosses now has its own arrival.
        self.services.working_orders[desk_index].late = None;
        left
    }

    /// Takes back what is worked in an instrument.
    pub(super) fn rest_no_more(&mut self, id: InstrumentId) {
        let Some(w) = self.services.working_orders.get_mut(id.index()) else { return };
        w.switch = Decimal::ZERO;
        if let Some(order) = w.order.take() {
            self.venue.cancel(order);
            // An order that is known can be set; that it is over already is no error.
            let _ = self.orders.set(order, OrderStatus::Cancelled);
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

    /// Takes an order back unless it only reduces what is held.
    pub(super) fn withdraw_opening(&mut self, spec: &RealSpec, id: InstrumentId) {
        let position = self.position(spec, id);
        let open = self.orders.open_quantity(id);
        let reduces = open.is_sign_negative() != position.is_sign_negative() && open.abs() <= position.abs();
        if !reduces {
            self.withdraw(id);
        }
    }
}
