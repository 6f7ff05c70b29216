//! One order: whether it is one, what the gate says of it, how it is sent or put to work, and how it is taken back.

use super::context::{Exposed, StepContext};
use super::life::Real;
use crate::domain::step::Rounding;
use crate::domain::{
    Decimal, Instrument, InstrumentId, OrderId, OrderKind, OrderStatus, Span, Stamp, TimeInForce, money,
};
use crate::engine::Outputs;
use crate::engine::order_split::common;
use crate::engine::passive_execution::Remaining;
use crate::execution::{PlacedOrder, PriceFeed, Tracked, Venue};
use crate::treasury::gate::smallest_order;
use crate::treasury::{ApprovedOrder, Exposure, Mode, ProposedOrder};

/// How far from the last price an order may trade that asks for what there is, as a fraction of it.
const COLLAR: f64 = 0.005;
/// A quote older than this is no price to trade at.
const QUOTE_AGE_MAX: Span = Span::MINUTE;

impl Real {
    /// Whether so much of an instrument is an order.
    pub(super) fn is_order(&self, instrument: &Instrument, quantity: Decimal) -> bool {
        // A venue refuses less than a lot and less than its smallest notional; a refusal after the gate would
        // halt the hive.
        let least = || smallest_order(instrument, self.account.marks[instrument.id.index()]);
        !quantity.is_zero() && least().is_some_and(|least| quantity.abs() >= least)
    }

    /// Asks the gate; `beside` is what works in the instrument already.
    pub(super) fn approve(
        &mut self,
        cx: &StepContext<'_>,
        exposed: Exposed,
        (id, desk_index): (InstrumentId, usize),
        quantity: Decimal,
        beside: Decimal,
    ) -> Option<ApprovedOrder> {
        if quantity.is_zero() {
            return None;
        }
        let listing = &cx.market.instruments[desk_index];
        let position = self.execution.desk_position(cx.spec, id);
        // An order that may only reduce cannot turn the position round, should that shrink before it fills.
        let shrinks = !position.is_zero()
            && position.is_sign_negative() != quantity.is_sign_negative()
            && quantity.abs() <= position.abs();
        // What may still fill of an order that is being taken back has been asked for already: on its side only the rest
        // is, so that both together are no more than what is wanted. What only reduces the venue itself bounds.
        let pending = self.execution.router.unwanted_on(id, quantity);
        let quantity = if shrinks { quantity } else { quantity - common(pending, quantity) };
        if quantity.is_zero() {
            return None;
        }
        let proposal = ProposedOrder {
            id: OrderId(self.execution.next_order),
            instrument: id,
            quantity,
            reference: self.account.marks[id.index()],
            reduce_only: shrinks,
            at: cx.at,
        };
        // Spent even if it is refused: the refusal is told by this number, and no number comes twice.
        self.execution.next_order += 1;
        let exposure = Exposure {
            equity: self.account.equity,
            position,
            open_order: beside + pending,
            gross: exposed.gross,
            net: exposed.net,
            // Never seen is as old as can be, so that the gate refuses it.
            feed_age: listing.bar.map_or(Span(i64::MAX), |b| cx.at.since(b.at)),
            tradable: listing.trading,
            bar_volume: listing.last().volume,
            last_confirmed: self.account.confirmed[id.index()],
        };
        // The level's own participation limit applies at the fill; a flat charge has none.
        let flat = cx.settings.costs.is_flat();
        let exposure = if flat { Exposure { bar_volume: f64::INFINITY, ..exposure } } else { exposure };
        self.execution
            .gate
            .approve(&proposal, &cx.spec.instruments[id.index()], &exposure, self.account.mode())
            .ok()
    }

    /// How an order asks for its price that is to trade at once. Outside the program it has a bound: the book may be
    /// empty for a moment, and a market order takes whatever is left of it. What only shrinks while risk is to shrink
    /// has none, since not getting out is worse. None where no tick is near enough to be that bound.
    pub(super) fn immediate(&self, cx: &StepContext<'_>, order: &ApprovedOrder) -> Option<OrderKind> {
        // Doubt alone is no reason to take any price: it is when data are worst.
        let is_closing = self.account.breaker.mode().max(self.account.hand.mode()) != Mode::Running;
        if self.execution.router.venue.is_prompt() || is_closing && order.reduce_only() {
            return Some(OrderKind::Market);
        }
        let instrument = &cx.spec.instruments[order.instrument().index()];
        let sells = order.quantity().is_sign_negative();
        let is_fresh = |at: Stamp| cx.at.since(at).0 < QUOTE_AGE_MAX.0;
        let quoted = cx.market.get(instrument.id).and_then(|i| i.top).filter(|top| is_fresh(top.at));
        let mark = || money::to_estimate(self.account.marks[instrument.id.index()]);
        let last = quoted.map_or_else(mark, |top| top.value.mid());
        // At least a tick of room: where ticks are coarse, half a percent may lie between two of them.
        let room = (COLLAR * last).max(money::to_estimate(instrument.tick.at(last)));
        let (bound, inside) = if sells { (last - room, Rounding::Up) } else { (last + room, Rounding::Down) };
        let price = instrument.tick.round_estimate(bound, inside).filter(|price| *price > Decimal::ZERO);
        price.map(|price| OrderKind::Limit(price, TimeInForce::ImmediateOrCancel))
    }

    /// An approved order leaves to trade at once; whether it did.
    pub(super) fn submit(
        &mut self,
        cx: &StepContext<'_>,
        id: InstrumentId,
        order: ApprovedOrder,
        out: &mut Outputs,
    ) -> bool {
        let Some(kind) = self.immediate(cx, &order) else {
            // Without a bound it would take whatever there is.
            let symbol = &cx.spec.instruments[id.index()].symbol;
            out.alarms.push(format!("{symbol}: an order was not sent, since no price could bound it"));
            return false;
        };
        self.execution.working[id.index()] = Some(order.id());
        let left = self.place(cx, order, kind, out);
        self.execution.sent += u64::from(left);
        left
    }

    /// Sends an order; whether it left and was not refused at once.
    fn place(
        &mut self,
        cx: &StepContext<'_>,
        order: ApprovedOrder,
        kind: OrderKind,
        out: &mut Outputs,
    ) -> bool {
        let (id, instrument) = (order.id(), order.instrument());
        // The desk decides at closes, and its instruments are filled by the bars that follow, whatever else is told of them.
        let is_desk = instrument.index() < cx.spec.traded;
        let feed = if is_desk { PriceFeed::Bars } else { PriceFeed::Whichever };
        let is_shared = order.reduce_only() && !self.execution.packages.position(instrument).is_zero();
        let placed = PlacedOrder::of(order, kind).met_by(feed).beside_others(is_shared);
        if let Err(e) = self.execution.router.send(placed) {
            self.execution.working[instrument.index()].take_if(|w| *w == id);
            self.account.halt(format!("an order could not be sent: {e}"), out);
            return false;
        }
        self.hear_venue(cx, out);
        self.execution.router.orders.get(id).is_some_and(|o| o.status != OrderStatus::Rejected)
    }

    /// An approved order goes to work; what of it is not the desk's is the perp leg of a switch. `kept` of it has rested
    /// before.
    pub(super) fn work(
        &mut self,
        cx: &StepContext<'_>,
        desk_index: usize,
        order: ApprovedOrder,
        [desk, kept]: [Decimal; 2],
        out: &mut Outputs,
    ) {
        let side = if order.quantity().is_sign_negative() { -1.0 } else { 1.0 };
        let tick = cx.spec.instruments[desk_index].tick;
        let asset = &self.execution.services.assets[desk_index];
        let Some(work) = asset.work else { return };
        let Some(limit) = asset.working_order.limit(side, tick, work.terms.distance) else {
            return self.account.halt("an order is to be worked at a limit that is no price".to_owned(), out);
        };
        // The gate may have cut the order; then the desk is served first, since its exposure is what was
        // decided, and a switch only changes what carries it.
        let switch = order.quantity() - common(order.quantity(), desk);
        let (id, quantity) = (order.id(), order.quantity());
        if self.place(cx, order, OrderKind::Limit(limit, TimeInForce::PostOnly), out) {
            let kept = money::to_estimate(common(quantity, kept)) / money::to_estimate(quantity);
            self.execution.services.assets[desk_index].working_order.begin(id, switch, work, kept);
        }
    }

    /// What is left of the order that is worked.
    pub(super) fn left(&self, desk_index: usize) -> Remaining {
        let w = &self.execution.services.assets[desk_index].working_order;
        if w.order.is_none() && w.switch.is_zero() && w.orphaned.is_zero() {
            return Remaining { desk: Decimal::ZERO, switch: Decimal::ZERO };
        }
        let all =
            w.order.and_then(|o| self.execution.router.orders.get(o)).map_or(Decimal::ZERO, Tracked::open);
        // The desk's and the switch's leg share one resting order, and only the switch's part is written down.
        Remaining { desk: all - w.switch + w.orphaned, switch: w.switch }
    }

    /// Takes back what is worked of an instrument; how much of it was left.
    pub(super) fn take_back(
        &mut self,
        cx: &StepContext<'_>,
        desk_index: usize,
        out: &mut Outputs,
    ) -> Remaining {
        let left = self.left(desk_index);
        self.rest_no_more(cx, InstrumentId(desk_index as u16), out);
        // What crossed at the decision before has had its bar: what crosses now has its own arrival.
        self.execution.services.assets[desk_index].working_order.late = None;
        left
    }

    /// Takes back what is worked in an instrument.
    pub(super) fn rest_no_more(&mut self, cx: &StepContext<'_>, id: InstrumentId, out: &mut Outputs) {
        let Some(served) = self.execution.services.assets.get_mut(id.index()) else { return };
        let w = &mut served.working_order;
        (w.switch, w.orphaned) = (Decimal::ZERO, Decimal::ZERO);
        if let Some(order) = w.order.take() {
            self.execution.router.cancel(order);
            self.hear_venue(cx, out);
        }
    }

    /// Takes back what still works in an instrument. What the venue has not confirmed by then counts as open.
    pub(super) fn withdraw(&mut self, cx: &StepContext<'_>, id: InstrumentId, out: &mut Outputs) {
        self.rest_no_more(cx, id, out);
        if let Some(order) = self.execution.working[id.index()].take() {
            self.execution.router.cancel(order);
        }
        // An order that was to be taken back before, and stands all the same, is in neither place.
        self.execution.router.cancel_all(id);
        self.hear_venue(cx, out);
    }

    /// Takes an order back unless it only reduces what is held.
    pub(super) fn withdraw_opening(&mut self, cx: &StepContext<'_>, id: InstrumentId, out: &mut Outputs) {
        let position = self.execution.desk_position(cx.spec, id);
        let open = self.execution.open_of_desk(id);
        let reduces = open.is_sign_negative() != position.is_sign_negative() && open.abs() <= position.abs();
        if !reduces {
            self.withdraw(cx, id, out);
        }
    }
}
