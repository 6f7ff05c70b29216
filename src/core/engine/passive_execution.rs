//! Makers work the desk's orders: between two decisions an order rests at a limit that follows the price, and
//! what is left of it crosses the spread at the next.
//!
//! ```text
//! L = last close · (1 − side · κ · σ)      of the fast clock; κ = 1 up to a quarter of an hour, else ¼
//! filled at L where a bar trades beyond it by 1 bp; moved after each bar; post-only
//! ```
//!
//! The perp leg of a switch rests in the same order, behind what the desk wants of it
//! (see `orders`).
//!
//! # Invariants
//!
//! 1. An order is worked only where somebody makes markets on its asset and the fast clock's volatility is known.
//! 2. It is a decided order that passed the gate; only its price moves, and it is never sent twice.
//! 3. What it costs is measured against the open of the first bar after the decision, fees included; of a switch
//!    what both legs moved since, without the fee of its spot, which taking would have paid as well.

use super::orders::common;
use super::real::{Real, RealSpec, price};
use super::{Outputs, Settings};
use crate::domain::{Bar, Decimal, Fill, InstrumentId, MarketEvent, OrderId, Span, Stamp, money};
use crate::execution::Venue;
use crate::fills::take;
use crate::market::Listing;
use crate::market::indicators::Weighted;
use serde::{Deserialize, Serialize};

/// Bars of the fast clock that its volatility is measured over.
const FAST_SPAN: f64 = 96.0;
/// Bars of it before an order is worked.
const FAST_KNOWN: u32 = 48;
/// Longest bar of a clock that is called fine: κ is larger there, and the perp leg of a switch may rest.
pub(super) const FINE: Span = Span(Span::HOUR.0 / 4);
/// κ, the distance of a limit in volatilities of a fast bar: up to a quarter of an hour, and above.
const KAPPA: (f64, f64) = (1.0, 0.25);

/// An instrument's worked order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkingOrder {
    pub(super) volatility: Weighted,
    /// Close of the last fast bar; zero before the first.
    pub(super) close: f64,
    /// Close of the last fast bar, and the time from the one before to it.
    pub(super) at: Option<Stamp>,
    pub(super) span: Span,
    pub(super) order: Option<OrderId>,
    /// Perp leg of a switch in the resting order, signed.
    pub(super) switch: Decimal,
    /// Close of the spot's last fast bar.
    pub(super) spot_at: Option<Stamp>,
    /// Time from the spot's fast bar before the last to the last.
    pub(super) spot_span: Span,
    /// Open of the first bar after the decision; zero before it is known.
    pub(super) arrival: f64,
    /// Open of the spot's first bar after the decision; zero before it is known.
    pub(super) spot_arrival: f64,
    /// What taking a unit at the arrival would have cost.
    pub(super) taking: f64,
    /// What crosses now because it was not filled.
    pub(super) late: Option<ResidualOrder>,
}

/// What is left of an order that is worked, signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remaining {
    /// What the desk still wants of it, in base units.
    pub desk: Decimal,
    /// The perp leg of a switch.
    pub switch: Decimal,
}

/// What of a market order was worked before, and against what it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ResidualOrder {
    order: OrderId,
    desk: Decimal,
    switch: Decimal,
    /// Spot leg of the switch, signed.
    spot: Decimal,
    arrival: f64,
    spot_arrival: f64,
    taking: f64,
}

/// Sums over worked orders, in currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExecutionCost {
    /// Notional that was filled while resting.
    pub rested: f64,
    /// Notional that was not, and crossed in the end.
    pub crossed: f64,
    /// Cost against the arrival price, fees included.
    pub cost: f64,
    /// What taking at the arrival would have cost.
    pub taking: f64,
}

impl WorkingOrder {
    /// Nothing is known of the fast clock.
    pub fn new() -> Self {
        WorkingOrder {
            volatility: Weighted::new(FAST_SPAN),
            close: 0.0,
            at: None,
            span: Span(0),
            order: None,
            switch: Decimal::ZERO,
            spot_at: None,
            spot_span: Span(0),
            arrival: 0.0,
            spot_arrival: 0.0,
            taking: 0.0,
            late: None,
        }
    }
}

impl Default for WorkingOrder {
    fn default() -> Self {
        WorkingOrder::new()
    }
}

impl Real {
    /// Whether a maker works the orders of an instrument now.
    pub(super) fn is_worked(&self, spec: &RealSpec, desk_index: usize, now: Stamp) -> bool {
        let w = &self.services.working_orders[desk_index];
        // A limit from an old price could be worse than the market.
        let fresh = w.at == Some(now);
        // The limit is a distance in volatilities: of fewer bars it would be anywhere.
        spec.services.makers[desk_index].is_some() && w.volatility.seen() >= FAST_KNOWN && fresh
    }

    /// The limit of a worked order on this side, from what is known now.
    fn limit(&self, spec: &RealSpec, desk_index: usize, side: f64) -> Option<Decimal> {
        let w = &self.services.working_orders[desk_index];
        // Fine bars give many tries before the next decision, so that a limit one volatility away is mostly
        // met; bars of an hour give a few, and the limit has to lie nearer.
        let kappa = if w.span.0 <= FINE.0 { KAPPA.0 } else { KAPPA.1 };
        let price = w.close * (1.0 - side * kappa * libm::sqrt(w.volatility.mean()));
        let tick = spec.instruments[desk_index].tick;
        let ticks = price / money::to_estimate(tick);
        // Away from the market: rounded toward it, it could cross the spread, and a post-only order that
        // crosses is refused.
        let whole = if side > 0.0 { libm::floor(ticks) } else { libm::ceil(ticks) };
        money::from_estimate(whole.max(1.0), 0)?.checked_mul(tick)
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
            let _ = self.orders.set(order, crate::domain::OrderStatus::Cancelled);
        }
    }

    /// An approved order goes to work; what of it is not the desk's is the perp leg of a switch.
    pub(super) fn work(
        &mut self,
        spec: &RealSpec,
        desk_index: usize,
        order: &crate::treasury::ApprovedOrder,
        desk: Decimal,
    ) -> Result<(), String> {
        let side = if order.quantity().is_sign_negative() { -1.0 } else { 1.0 };
        let limit = self.limit(spec, desk_index, side).ok_or("a limit that is no price")?;
        self.orders.sent(order).map_err(|e| e.to_string())?;
        self.venue.rest(order, limit).map_err(|e| e.to_string())?;
        let w = &mut self.services.working_orders[desk_index];
        // Measured from the next bar's open, the first price at which the decision could have been traded: at
        // the close that it was made on nobody can deal any more.
        (w.order, w.arrival, w.spot_arrival, w.taking) = (Some(order.id()), 0.0, 0.0, 0.0);
        // The gate may have cut the order; then the desk is served first, since its exposure is what was
        // decided, and a switch only changes what carries it.
        w.switch = order.quantity() - common(order.quantity(), desk);
        Ok(())
    }

    /// What crosses because it was not filled is measured against where it was decided.
    pub(super) fn crosses(&mut self, desk_index: usize, order: OrderId, desk: Decimal, switch: Decimal) {
        let w = &mut self.services.working_orders[desk_index];
        // Without an arrival no bar has opened since the decision, and nothing can have been missed.
        if w.arrival > 0.0 && !(desk + switch).is_zero() {
            let (arrival, spot_arrival, taking) = (w.arrival, w.spot_arrival, w.taking);
            w.late =
                Some(ResidualOrder { order, desk, switch, spot: -switch, arrival, spot_arrival, taking });
        }
    }

    /// A bar of the fast clock: worked orders fill or move.
    pub fn inside(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        event: &MarketEvent,
        listings: &[Listing],
        out: &mut Outputs,
    ) {
        let MarketEvent::Inside { instrument: id, at, ref bar } = *event else { return };
        let desk_index = id.index();
        if desk_index >= spec.traded || spec.services.makers[desk_index].is_none() {
            return;
        }
        let instrument = &spec.instruments[desk_index];
        // A fast bar opens where the one before closed; after a gap it opened later than that, and what was
        // decided in the gap waits for the next.
        let Some(open_at) = self.services.working_orders[desk_index].at.replace(at) else {
            self.services.working_orders[desk_index].close = bar.close;
            return;
        };
        self.services.working_orders[desk_index].span = at.since(open_at);
        // Spot that changed since the last booking did so at this bar's open, the first price after the
        // decision: there the agents buy it of the carrier.
        if !self.services.unmirrored(desk_index).is_zero() {
            self.book(spec, id, price(bar.open, instrument), None, Decimal::ZERO, out);
        }
        if self.services.working_orders[desk_index].order.is_some() {
            self.meet_resting(spec, settings, (at, open_at, bar), (id, listings), out);
        }
        // Only now: what a bar closed at was not known while it traded, and no limit may follow it into the past.
        let w = &mut self.services.working_orders[desk_index];
        if w.close > 0.0 {
            let r = bar.close / w.close - 1.0;
            w.volatility.push(r * r);
        }
        w.close = bar.close;
        if let Some((_, left, _)) = self.venue.resting(id) {
            let side = if left.is_sign_negative() { -1.0 } else { 1.0 };
            if let Some(limit) = self.limit(spec, desk_index, side) {
                self.venue.move_to(id, limit);
            }
        }
    }

    /// What rests in an instrument meets a bar of its fast clock, told at `at` and opened at `open_at`.
    fn meet_resting(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        (at, open_at, bar): (Stamp, Stamp, &Bar),
        (id, listings): (InstrumentId, &[Listing]),
        out: &mut Outputs,
    ) {
        let desk_index = id.index();
        let (instrument, listing) = (&spec.instruments[desk_index], &listings[desk_index]);
        let costs = settings.costs.of(instrument);
        let w = &mut self.services.working_orders[desk_index];
        if w.arrival == 0.0 {
            w.arrival = bar.open;
            let left = self.venue.resting(id).map_or(0.0, |(_, left, _)| money::to_estimate(left));
            // The whole order, with the spread and the impact of its size: the alternative to working it was to
            // send it all at once.
            let t = take(costs, instrument.kind, bar.open, listing.sigma, listing.last.volume, left);
            let size = libm::fabs(t.quantity);
            w.taking = if size > 0.0 { libm::fabs(t.price - bar.open) + t.fee / size } else { 0.0 };
        }
        // Asked before the fill, which takes from the order without saying from whose part of it.
        let desk = self.left(desk_index).desk;
        // A price that is only touched fills those who came first; a bar that trades beyond the limit has
        // reached this order too.
        let through = settings.services.through;
        let Some(fill) = self.venue.on_inside(instrument, open_at, bar, through, costs) else { return };
        let switch = fill.quantity - common(fill.quantity, desk);
        let w = &mut self.services.working_orders[desk_index];
        w.switch -= switch;
        let (arrival, taking) = (w.arrival, w.taking);
        self.services.execution_costs[desk_index].add(&fill, fill.quantity, arrival, taking, true);
        self.services.swap_costs[desk_index].add(&fill, switch, arrival, taking, true);
        self.book(spec, id, fill.mark, Some(fill), switch, out);
        if self.venue.resting(id).is_none() {
            self.services.working_orders[desk_index].order = None;
        }
        // After the booking, which says how much spot is pending: the other leg is sized by that.
        if !switch.is_zero() {
            self.follow(spec, settings, at, (listings, desk_index), switch, out);
        }
    }

    /// A market order was filled: as far as it was worked before, what that cost.
    pub(super) fn crossed(&mut self, desk_index: usize, fill: &Fill) {
        let Some(late) = self.services.working_orders.get_mut(desk_index).and_then(|w| w.late.as_mut())
        else {
            return;
        };
        if late.order == fill.order {
            // A market order may hold more than what had rested, and a fill less than the order: counted in
            // the order in which it rested, the desk before the switch.
            let desk = common(late.desk, fill.quantity);
            let switch = common(late.switch, fill.quantity - desk);
            late.desk -= desk;
            late.switch -= switch;
            let (arrival, taking) = (late.arrival, late.taking);
            self.services.execution_costs[desk_index].add(fill, desk + switch, arrival, taking, false);
            self.services.swap_costs[desk_index].add(fill, switch, arrival, taking, false);
        }
    }

    /// The spot leg of a switch that was worked was filled: what it moved since the decision is part of the
    /// price of working. A pair's price is the basis, so that of this the perp leg had the opposite.
    pub(super) fn followed(&mut self, desk_index: usize, part: Decimal, fill: &Fill) {
        let w = &mut self.services.working_orders[desk_index];
        let mut moved = |part: Decimal, arrival: f64| {
            if arrival > 0.0 {
                let cost = money::to_estimate(part) * (money::to_estimate(fill.mark) - arrival);
                self.services.execution_costs[desk_index].cost += cost;
                self.services.swap_costs[desk_index].cost += cost;
            }
        };
        // Price alone: the fee of the spot leg would have been paid by taking too.
        moved(part, w.spot_arrival);
        if let Some(late) = &mut w.late {
            // What was not the other leg of a resting fill belongs to the switch that crossed, whose arrival
            // is older.
            let part = common(late.spot, fill.quantity - part);
            late.spot -= part;
            moved(part, late.spot_arrival);
        }
    }
}

impl ExecutionCost {
    /// Both, the other times `sign`.
    #[must_use]
    pub fn plus(self, other: &ExecutionCost, sign: f64) -> ExecutionCost {
        ExecutionCost {
            rested: self.rested + sign * other.rested,
            crossed: self.crossed + sign * other.crossed,
            cost: self.cost + sign * other.cost,
            taking: self.taking + sign * other.taking,
        }
    }

    /// What working them saved.
    pub fn saved(&self) -> f64 {
        self.taking - self.cost
    }

    /// So much of a fill was worked.
    fn add(&mut self, fill: &Fill, part: Decimal, arrival: f64, taking: f64, rested: bool) {
        let [q, all, p] = [part, fill.quantity, fill.price].map(money::to_estimate);
        let size = libm::fabs(q);
        // A fee is of the whole fill; a part of it bears its share. Signed by q, so that buying lower and
        // selling higher than the arrival both save.
        self.cost += q * (p - arrival) + money::to_estimate(fill.fee) * (q / all);
        self.taking += size * taking;
        if rested {
            self.rested += size * arrival;
        } else {
            self.crossed += size * arrival;
        }
    }
}
