//! From what the desk wants to orders at the venue: through the gate, both legs of a change together, and what
//! makers work apart from what crosses now (`order_split` has the rules).
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

use super::context::{Exposed, StepContext};
use super::life::Real;
use crate::domain::{Decimal, Stamp, random};
use crate::engine::Outputs;
use crate::engine::order_split::{LegChange, OrderSplit, common};
use crate::treasury::desk::TargetChange;
use crate::treasury::{ApprovedOrder, Mode};

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

impl RoutePlan {
    /// Whether nothing is wanted, due or left.
    fn is_nothing(&self) -> bool {
        [self.want, self.due, self.left].iter().all(Decimal::is_zero)
    }
}

/// A coin for an order.
fn is_tails(at: Stamp, desk_index: usize) -> bool {
    // Of the asset and the time alone: a replay tosses the same.
    random::below(random::key(desk_index as u64, &[random::name("side"), at.0 as u64]), 2) == 1
}

fn quantity(order: Option<&ApprovedOrder>) -> Decimal {
    order.map_or(Decimal::ZERO, ApprovedOrder::quantity)
}

impl Real {
    /// Sends what is wanted of an instrument, `change` of it as spot. Both legs of a switch leave or neither.
    pub(super) fn send(
        &mut self,
        cx: &StepContext<'_>,
        exposed: Exposed,
        want: TargetChange,
        change: LegChange,
        out: &mut Outputs,
    ) {
        let (id, desk_index) = (want.instrument, want.instrument.index());
        // What rests is taken back before anything else is sent: an old order beside the new one could fill
        // with it, and the exposure would be twice what was decided.
        let asset = &self.execution.services.assets[desk_index];
        let waits = asset.working_order.may_wait(asset.work.as_ref());
        let left = self.take_back(cx, desk_index, out);
        let due = left.desk + change.due;
        // A new wish is measured from what is held, so that what is due is in it; a desk without one still
        // wants what it asked for before.
        let want = if want.quantity.is_zero() { due } else { want.quantity };
        // What rests with a maker that takes more time is not due yet.
        let kept = if waits { left.desk } else { Decimal::ZERO };
        let plan = RoutePlan { want, due: due - kept, left: left.switch, fast: change.fast };
        self.withdraw(cx, id, out);
        let none = Decimal::ZERO;
        let carried = cx.spec.services.carried(desk_index);
        // Most decisions ask nothing of most assets.
        if plan.is_nothing() && self.is_level(cx, desk_index) && change.spot.is_zero() {
            return;
        }
        let mut parts = self.arrange(cx, desk_index, &plan, carried.map_or(none, |_| change.spot));
        let mut spot = None;
        if let Some(instrument) = carried {
            // Asked for before the perp, whose legs can be made to fit whatever comes of it.
            spot = self.approve(cx, exposed, (instrument, desk_index), parts.spot, none);
            let got = quantity(spot.as_ref());
            // Where the gate cut it, all is split anew: the perp would hedge spot that never comes.
            if got != parts.spot {
                parts = self.arrange(cx, desk_index, &plan, got);
            }
        }
        let mut perp = self.approve(cx, exposed, (id, desk_index), parts.leg + parts.late, none);
        // One leg alone would change the exposure. Then neither goes, and what the desk wants leaves in the
        // perp; an approval that is not sent binds nobody.
        if spot.is_some() && quantity(perp.as_ref()).abs() < parts.leg.abs() {
            spot = None;
            parts = self.arrange(cx, desk_index, &plan, none);
            perp = self.approve(cx, exposed, (id, desk_index), parts.leg + parts.late, none);
        }
        // In the order of their numbers.
        if let (Some(instrument), Some(order)) = (carried, spot) {
            self.submit(cx, instrument, order, out);
        }
        let beside = quantity(perp.as_ref());
        let number = perp.as_ref().map(ApprovedOrder::id);
        if let Some(number) = number.filter(|_| perp.is_some_and(|order| self.submit(cx, id, order, out))) {
            // What rested and missed is measured from where it was decided: from here on it would look as if
            // waiting cost nothing.
            let missed = common(parts.late, left.desk - kept);
            self.execution.services.assets[desk_index].working_order.crosses(number, missed, parts.hurried);
        }
        let mut later = parts.rest - parts.late;
        // Not with a switch in it, whose legs would no longer cancel.
        if cx.spec.services.misled && parts.switch.is_zero() && is_tails(cx.at, desk_index) {
            later = -later;
        }
        // The perp's side of a switch is the opposite of its spot. What crosses now works in the same
        // instrument, and the gate has to see both together.
        if let Some(order) = self.approve(cx, exposed, (id, desk_index), later - parts.switch, beside) {
            self.work(cx, desk_index, order, [later, common(later, kept)], out);
        }
    }

    /// Whether all spot that is carried has its perp leg.
    fn is_level(&self, cx: &StepContext<'_>, desk_index: usize) -> bool {
        let is_carried = cx.spec.services.carried(desk_index).is_some();
        !is_carried || self.execution.services.assets[desk_index].unmirrored().is_zero()
    }

    /// What leaves now and what is worked, for a change of spot.
    fn arrange(
        &self,
        cx: &StepContext<'_>,
        desk_index: usize,
        plan: &RoutePlan,
        change: Decimal,
    ) -> OrderSplit {
        let spec = cx.spec;
        let perp = &spec.instruments[desk_index];
        let carried = spec.services.carried(desk_index);
        let owed = carried.map_or(Decimal::ZERO, |_| self.execution.services.assets[desk_index].unmirrored());
        // In lots of both legs, or a part of the switch could be opened and never closed. Without any there is no change
        // of spot that they could be of.
        let lot = spec.lot_of_both(desk_index).unwrap_or(perp.lot);
        let mut parts = OrderSplit::of(plan.want, change, owed, lot);
        // A switch too small for an order stays undone.
        let is_order = |quantity: Decimal| {
            self.is_order(perp, quantity)
                && carried.is_none_or(|s| self.is_order(&spec.instruments[s.index()], quantity))
        };
        // Where risk is to shrink it shrinks now: an order that rests may not fill at all.
        let worked =
            self.execution.services.is_worked(desk_index, cx.at) && self.account.mode() == Mode::Running;
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
        cx: &StepContext<'_>,
        desk_index: usize,
        leg: Decimal,
        out: &mut Outputs,
    ) {
        let Some(spot) = cx.spec.services.carried(desk_index) else {
            return;
        };
        let (gross, net) = match self.account.exposed() {
            Ok(sums) => sums,
            Err(e) => return self.account.halt(format!("exposure could not be computed: {e}"), out),
        };
        // What was sent before and is not filled yet leaves with it. The perp's fill is booked by now, so that what is
        // pending counts it; an order that is already out does not.
        let coming = match self.execution.market_order(spot) {
            open if !open.is_zero() => open - leg,
            _ => self.execution.services.assets[desk_index].spot_pending,
        };
        self.withdraw(cx, spot, out);
        let exposed = Exposed { gross, net };
        // What the gate refuses is made good at the next decision.
        if let Some(order) = self.approve(cx, exposed, (spot, desk_index), coming, Decimal::ZERO) {
            self.submit(cx, spot, order, out);
        }
    }
}
