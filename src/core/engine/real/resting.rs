//! What a bar of the fast clock does to an order that is worked: it fills or moves.

use super::account::{Real, price};
use super::spec::RealSpec;
use crate::domain::{Bar, Decimal, InstrumentId, MarketEvent, Stamp, money};
use crate::engine::order_split::common;
use crate::engine::{Outputs, Settings};
use crate::fills::take;
use crate::market::Market;

impl Real {
    /// A bar of the fast clock: worked orders fill or move.
    pub fn inside(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        event: &MarketEvent,
        market: &Market,
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
            self.meet_resting(spec, settings, (at, open_at, bar), (id, market), out);
        }
        // Only now: what a bar closed at was not known while it traded, and no limit may follow it into the past.
        self.services.working_orders[desk_index].learn(bar.close);
        if let Some((_, left, _)) = self.venue.resting(id) {
            let side = if left.is_sign_negative() { -1.0 } else { 1.0 };
            if let Some(limit) = self.services.working_orders[desk_index].limit(side, instrument.tick) {
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
        (id, market): (InstrumentId, &Market),
        out: &mut Outputs,
    ) {
        let desk_index = id.index();
        let (instrument, listing) = (&spec.instruments[desk_index], &market.instruments[desk_index]);
        let costs = settings.costs.of(instrument);
        let w = &mut self.services.working_orders[desk_index];
        if w.arrival == 0.0 {
            w.arrival = bar.open;
            let left = self.venue.resting(id).map_or(0.0, |(_, left, _)| money::to_estimate(left));
            // The whole order, with the spread and the impact of its size: the alternative to working it was to
            // send it all at once.
            let t = take(costs, instrument.kind, bar.open, listing.sigma, listing.last().volume, left);
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
            self.follow(spec, settings, at, (market, desk_index), switch, out);
        }
    }
}
