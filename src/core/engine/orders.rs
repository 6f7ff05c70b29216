//! From what the desk wants to orders at the venue: through the gate, both legs of a change together, and what
//! makers work apart from what crosses now.
//!
//! # What leaves at once, and what is worked
//!
//! ```text
//! w  what the desk wants · q  the change of spot · o  spot that has changed without its perp
//! done    what w and o have in common                  it has moved the exposure already
//! flow    what w − done and q have in common           one leg, as spot, now: the perp is not traded for it
//! back    what q − flow and −(o − done) have in common one leg, as spot, now: it sets an o right
//! leg     −(o − done) − back                           in the perp, now
//! switch  q − flow − back                              both legs: now, or patiently (below)
//! rest    w − done − flow                              worked
//! ```
//!
//! In common: the smaller of two of one sign, else nothing. So flow + back + leg + rest = w − o, and leg, rest and
//! the perp's side of a switch never have opposite signs. What was worked before and is still due crosses now.
//!
//! # A switch, patiently
//!
//! Where makers work the perp and both clocks are fine (bars of a quarter of an hour, or quotes), the perp's side
//! of a switch rests with them; as far as it fills, the spot leg goes at market at once (the spot's next price).
//! At the next decision what is left and still wanted goes with both legs at market. What is given up for want
//! of capital does not wait.
//!
//! A unit has both legs or neither, but for the one bar between them, whose risk is the carrier's: its book holds
//! the perp leg from its fill on, and the agents' exposure never changes. On bars of an hour that risk was measured
//! and pays for nothing: what the perp leg gains the spot leg has lost when it comes, an hour later.

use super::real::{Real, RealSpec};
use super::services::LegChange;
use super::{Outputs, Settings};
use crate::domain::{
    Decimal, Instrument, InstrumentId, Money, OrderId, OrderKind, OrderStatus, Span, Stamp, random,
};
use crate::execution::Venue;
use crate::ledger::exact::product;
use crate::market::Listing;
use crate::treasury::desk::TargetChange;
use crate::treasury::{ApprovedOrder, Exposure, ProposedOrder};

/// What is known as orders are sent.
pub(super) struct RoutingContext<'a> {
    pub at: Stamp,
    pub listings: &'a [Listing],
    pub gross: Money,
    pub net: Money,
}

/// How what is wanted of an asset leaves, in base units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct OrderSplit {
    /// To be traded as spot, at once.
    spot: Decimal,
    /// To be traded in the perp at once, beside what is late.
    leg: Decimal,
    /// Spot whose perp leg rests.
    switch: Decimal,
    /// To be traded in the perp, and allowed to wait but for what is `late`.
    rest: Decimal,
    /// Of the rest, what is due and may not wait any more.
    late: Decimal,
    /// Of the leg, what rested before and crosses now.
    hurried: Decimal,
}

impl OrderSplit {
    /// Spot is traded in whole lots.
    fn of(want: Decimal, change: Decimal, owed: Decimal, lot: Decimal) -> Self {
        // Spot that has changed without its perp has moved the exposure already: as far as the desk wants the
        // same, trading for it again would do it twice.
        let done = common(want, owed);
        let (want, owed) = (want - done, owed - done);
        // Less than a lot is no order, and would stand against the other leg of a switch.
        let want = if change.is_zero() { want } else { want - want % lot };
        // What the desk wants and the change of spot have in common takes one leg where a switch takes two.
        let flow = common(want, change);
        // So does spot that goes back where it came from: a perp leg to make good for it and a switch after
        // that would be three.
        let back = common(change - flow, -owed);
        OrderSplit {
            spot: flow + back,
            leg: -owed - back,
            switch: change - flow - back,
            rest: want - flow,
            ..OrderSplit::default()
        }
    }

    /// So much of the switch goes now, with both legs.
    fn hurry(&mut self, switch: Decimal) {
        self.spot += switch;
        self.leg -= switch;
        self.switch -= switch;
    }
}

/// What a decision asks of an asset.
struct RoutePlan {
    want: Decimal,
    /// Of what is wanted, what was asked for before and is not done.
    due: Decimal,
    /// What is left of the perp leg of a switch that rested.
    left: Decimal,
    /// Whether a switch may wait.
    fast: bool,
}

/// A coin for an order.
fn is_tails(at: Stamp, desk_index: usize) -> bool {
    // Of the asset and the time alone: a replay tosses the same.
    random::below(random::key(desk_index as u64, &[random::name("side"), at.0 as u64]), 2) == 1
}

fn quantity(order: Option<&ApprovedOrder>) -> Decimal {
    order.map_or(Decimal::ZERO, ApprovedOrder::quantity)
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
        known: &RoutingContext<'_>,
        want: TargetChange,
        change: LegChange,
        out: &mut Outputs,
    ) {
        let id = want.instrument;
        let desk_index = id.index();
        // What rests is taken back before anything else is sent: an old order beside the new one could fill
        // with it, and the exposure would be twice what was decided.
        let left = self.take_back(desk_index);
        let due = left.desk + change.due;
        // A new wish is measured from what is held, so that what is due is in it; a desk without one still
        // wants what it asked for before.
        let want = if want.quantity.is_zero() { due } else { want.quantity };
        let plan = RoutePlan { want, due, left: left.switch, fast: change.fast };
        self.withdraw(id);
        let none = Decimal::ZERO;
        let carried = spec.services.carriers[desk_index].and(spec.services.spots[desk_index]);
        let mut parts =
            self.arrange(spec, known.at, desk_index, &plan, carried.map_or(none, |_| change.spot));
        let mut spot = None;
        if let Some(instrument) = carried {
            // Asked for before the perp, whose legs can be made to fit whatever comes of it.
            spot = self.approve(spec, settings, known, (instrument, desk_index), parts.spot, none);
            let got = quantity(spot.as_ref());
            // Where the gate cut it, all is split anew: the perp would hedge spot that never comes.
            if got != parts.spot {
                parts = self.arrange(spec, known.at, desk_index, &plan, got);
            }
        }
        let mut perp = self.approve(spec, settings, known, (id, desk_index), parts.leg + parts.late, none);
        // One leg alone would change the exposure. Then neither goes, and what the desk wants leaves in the
        // perp; an approval that is not sent binds nobody.
        if spot.is_some() && quantity(perp.as_ref()).abs() < parts.leg.abs() {
            spot = None;
            parts = self.arrange(spec, known.at, desk_index, &plan, none);
            perp = self.approve(spec, settings, known, (id, desk_index), parts.leg + parts.late, none);
        }
        // In the order of their numbers.
        if let (Some(instrument), Some(order)) = (carried, spot) {
            self.submit(instrument, &order, out);
        }
        let beside = quantity(perp.as_ref());
        if let Some(order) = perp
            && self.submit(id, &order, out)
        {
            // What rested and missed is measured from where it was decided: from here on it would look as if
            // waiting cost nothing.
            self.crosses(desk_index, order.id(), common(parts.late, left.desk), parts.hurried);
        }
        let mut later = parts.rest - parts.late;
        // Not with a switch in it, whose legs would no longer cancel.
        if spec.services.misled && parts.switch.is_zero() && is_tails(known.at, desk_index) {
            later = -later;
        }
        // The perp's side of a switch is the opposite of its spot. What crosses now works in the same
        // instrument, and the gate has to see both together.
        if let Some(order) =
            self.approve(spec, settings, known, (id, desk_index), later - parts.switch, beside)
            && let Err(e) = self.work(spec, desk_index, &order, later)
        {
            self.halt(format!("an order that is worked was refused after the gate: {e}"), out);
        }
    }

    /// What leaves now and what is worked, for a change of spot.
    fn arrange(
        &self,
        spec: &RealSpec,
        at: Stamp,
        desk_index: usize,
        plan: &RoutePlan,
        change: Decimal,
    ) -> OrderSplit {
        let perp = &spec.instruments[desk_index];
        let carried = spec.services.carriers[desk_index].and(spec.services.spots[desk_index]);
        let (lot, owed) = carried.map_or((perp.lot, Decimal::ZERO), |spot| {
            // In lots of the coarser leg, or a part of the switch could be opened and never closed.
            (spec.instruments[spot.index()].lot.max(perp.lot), self.services.unmirrored(desk_index))
        });
        let mut parts = OrderSplit::of(plan.want, change, owed, lot);
        // A switch too small for an order stays undone.
        let is_order = |quantity: Decimal| {
            self.is_order(perp, quantity)
                && carried.is_none_or(|s| self.is_order(&spec.instruments[s.index()], quantity))
        };
        // Where risk is to shrink it shrinks now: an order that rests may not fill at all.
        let worked = self.is_worked(spec, desk_index, at) && self.mode() == crate::treasury::Mode::Running;
        if is_order(parts.switch) {
            // What rested since the last decision has had its time. The rest may wait only where a maker
            // works the perp and spot is seen often enough to follow it.
            let late = common(parts.switch, -plan.left);
            parts.hurried = -late;
            parts.hurry(if worked && plan.fast { late } else { parts.switch });
        }
        if !is_order(parts.switch) {
            parts.switch = Decimal::ZERO;
        }
        // Nobody waits twice: what was due before crosses, whatever is new may rest.
        parts.late = if worked { common(parts.rest, plan.due) } else { parts.rest };
        parts
    }

    /// So much, signed, of the perp leg of a switch was filled while it rested: its spot leg leaves at market.
    pub(super) fn follow(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        at: Stamp,
        (listings, desk_index): (&[Listing], usize),
        leg: Decimal,
        out: &mut Outputs,
    ) {
        let Some(spot) = spec.services.carriers[desk_index].and(spec.services.spots[desk_index]) else {
            return;
        };
        let (gross, net) = match self.exposed() {
            Ok(sums) => sums,
            Err(e) => return self.halt(format!("exposure could not be computed: {e}"), out),
        };
        // What was sent before and is not filled yet leaves with it.
        let known = RoutingContext { at, listings, gross, net };
        // The perp's fill is booked by now, so that what is pending counts it; an order that is already out
        // does not.
        let coming = match self.venue.working(spot) {
            Some((_, open)) => open - leg,
            None => self.services.spot_pending[desk_index],
        };
        self.withdraw(spot);
        // What the gate refuses is made good at the next decision.
        if let Some(order) = self.approve(spec, settings, &known, (spot, desk_index), coming, Decimal::ZERO) {
            self.submit(spot, &order, out);
        }
    }

    /// Whether so much of an instrument is an order.
    fn is_order(&self, instrument: &Instrument, quantity: Decimal) -> bool {
        let notional = product(quantity.abs(), self.marks[instrument.id.index()]);
        // A venue refuses less than a lot and less than its smallest notional; a refusal after the gate would
        // halt the hive.
        quantity.abs() >= instrument.lot && notional.is_ok_and(|n| n >= instrument.min_notional)
    }

    /// Asks the gate; `beside` is what works in the instrument already.
    fn approve(
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
        let listing = &known.listings[desk_index];
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

    fn parts(want: i64, change: i64, owed: i64) -> [i64; 4] {
        let [want, change, owed] = [want, change, owed].map(Decimal::from);
        let p = OrderSplit::of(want, change, owed, Decimal::ONE);
        [p.spot, p.leg, p.switch, p.rest].map(|d| i64::try_from(d).unwrap())
    }

    #[test]
    fn what_the_desk_wants_anyway_needs_one_leg_and_only_a_switch_two() {
        assert_eq!(parts(5, 3, 0), [3, 0, 0, 2], "bought as spot, the rest is worked");
        assert_eq!(parts(2, 5, 0), [2, 0, 3, 0], "beyond it a switch");
        assert_eq!(parts(5, -3, 0), [0, 0, -3, 5], "a switch beside what is worked");
        assert_eq!(parts(0, 4, 0), [0, 0, 4, 0]);
        assert_eq!(parts(5, 0, 2), [0, 0, 0, 3], "spot without its leg has done a part");
        assert_eq!(parts(0, 0, 2), [0, -2, 0, 0], "or is undone");
        assert_eq!(parts(0, -2, 2), [-2, 0, 0, 0], "or goes back");
        let of =
            |want: &str| OrderSplit::of(want.parse().unwrap(), Decimal::from(2), Decimal::ZERO, Decimal::ONE);
        let p = of("1.7");
        assert_eq!((p.spot, p.switch, p.rest), (Decimal::ONE, Decimal::ONE, Decimal::ZERO), "in whole lots");
    }

    proptest! {
        #[test]
        fn exposure_is_what_was_wanted_and_nothing_is_bought_to_be_sold(want in -9_i64..9, change in -9_i64..9, owed in -9_i64..9) {
            let [spot, leg, switch, rest] = parts(want, change, owed);
            prop_assert_eq!(spot + switch, change);
            prop_assert_eq!(spot + leg + rest, want - owed);
            prop_assert!(leg * rest >= 0 && -switch * rest >= 0 && -switch * leg >= 0);
        }
    }
}
