//! What a bar of the fast clock does to an order that is worked: it fills or moves.

use super::context::{StepContext, price};
use super::life::Real;
use crate::domain::{Bar, Decimal, InstrumentId, MarketEvent, Stamp, money};
use crate::engine::Outputs;
use crate::execution::Tracked;
use crate::fills::take;

impl Real {
    /// A bar of the fast clock: worked orders fill or move.
    pub fn inside(&mut self, cx: &StepContext<'_>, event: &MarketEvent, out: &mut Outputs) {
        let MarketEvent::Inside { instrument: id, at, ref bar } = *event else { return };
        let desk_index = id.index();
        if desk_index >= cx.spec.traded || cx.spec.services.makers[desk_index].is_empty() {
            return;
        }
        let instrument = &cx.spec.instruments[desk_index];
        // A fast bar opens where the one before closed; after a gap it opened later than that, and what was
        // decided in the gap waits for the next.
        let Some(open_at) = self.execution.services.assets[desk_index].working_order.at.replace(at) else {
            self.execution.services.assets[desk_index].working_order.close = bar.close;
            return;
        };
        self.execution.services.assets[desk_index].working_order.span = at.since(open_at);
        // Spot that changed since the last booking did so at this bar's open, the first price after the
        // decision: there the agents buy it of the carrier.
        if !self.execution.services.assets[desk_index].unmirrored().is_zero() {
            self.book(cx, id, price(bar.open, instrument), None, Decimal::ZERO, out);
        }
        if self.execution.services.assets[desk_index].working_order.order.is_some() {
            self.meet_resting(cx, id, (open_at, bar), out);
        }
        // Only now: what a bar closed at was not known while it traded, and no limit may follow it into the past.
        self.execution.services.assets[desk_index].working_order.learn(bar.close);
        let w = &self.execution.services.assets[desk_index].working_order;
        if let Some(order) = w.order.and_then(|o| self.execution.router.orders.get(o)) {
            let side = if order.open().is_sign_negative() { -1.0 } else { 1.0 };
            let distance = w.work.map(|work| work.terms.distance);
            if let Some(limit) = distance.and_then(|distance| w.limit(side, instrument.tick, distance)) {
                let id = order.id;
                self.execution.router.amend(id, limit);
            }
        }
    }

    /// What rests in an instrument meets a bar of its fast clock, opened at `open_at`.
    fn meet_resting(
        &mut self,
        cx: &StepContext<'_>,
        id: InstrumentId,
        (open_at, bar): (Stamp, &Bar),
        out: &mut Outputs,
    ) {
        let desk_index = id.index();
        let (instrument, listing) = (&cx.spec.instruments[desk_index], &cx.market.instruments[desk_index]);
        let costs = cx.settings.costs.of(instrument);
        let w = &mut self.execution.services.assets[desk_index].working_order;
        if w.arrival == 0.0 {
            let order = w.order.and_then(|o| self.execution.router.orders.get(o));
            let left = order.map_or(0.0, |o| money::to_estimate(Tracked::open(o)));
            // The whole order, with the spread and the impact of its size: the alternative to working it was to
            // send it all at once.
            let t = take(costs, instrument.kind, bar.open, listing.sigma, listing.last().volume, left);
            let size = libm::fabs(t.quantity);
            let taking = if size > 0.0 { libm::fabs(t.price - bar.open) + t.fee / size } else { 0.0 };
            w.arrive(bar.open, taking);
        }
        // A price that is only touched fills those who came first; a bar that trades beyond the limit has
        // reached this order too.
        if let Some(paper) = self.execution.router.venue.paper_mut() {
            paper.on_inside(instrument, open_at, bar, cx.settings.services.through, costs);
        }
        self.hear_venue(cx, out);
    }
}
