//! What the venue says of the account: fills are told apart and booked, what is over is forgotten, and what both sides hold
//! is compared, here and nowhere else.
//!
//! # Invariants
//!
//! 1. A fill is booked once and to its order; one that the tracker does not know is told and never booked.
//! 2. What the venue says of a position is compared with the books only where nothing of the instrument is open
//!    ([`OrderRouter::check`](crate::execution::OrderRouter::check)). A settled difference halts.
//! 3. While something is open for longer than [`UNSETTLED_MAX`], what is held may only shrink. That is looked at at each
//!    barrier and by `recheck`: nothing else tells the time to the account yet.

use super::context::StepContext;
use super::life::Real;
use crate::domain::{Decimal, Fill, OrderId, Span, VenueEvent};
use crate::engine::Outputs;
use crate::engine::order_split::common;
use crate::execution::venue::is_venue_order;
use crate::execution::{FillVerdict, OrderReport, PositionCheck, Tracked};

/// How long the fate of an order may be open before nothing new is opened.
pub const UNSETTLED_MAX: Span = Span::seconds(10);

impl Real {
    /// Takes an event of a venue whose requests leave the program.
    pub fn venue(&mut self, cx: &StepContext<'_>, event: &VenueEvent, out: &mut Outputs) {
        let report = self.execution.router.take(event);
        self.act(cx, report, out);
        self.hear_venue(cx, out);
    }

    /// Takes all that the venue inside the program has said; the last fill that was booked.
    pub(super) fn hear_venue(&mut self, cx: &StepContext<'_>, out: &mut Outputs) -> Option<Fill> {
        let mut last = None;
        while let Some(report) = self.execution.router.poll() {
            last = self.act(cx, report, out).or(last);
        }
        last
    }

    /// Acts on what was reported; the fill that was booked.
    fn act(&mut self, cx: &StepContext<'_>, report: OrderReport, out: &mut Outputs) -> Option<Fill> {
        match report {
            OrderReport::Fill(fill, verdict) => return self.take_fill(cx, &fill, verdict, out),
            OrderReport::Rejected(order, why) => {
                // The gate knows the venue's rules: an order that passed it and is refused means that one of them is
                // not what it is taken for.
                self.account
                    .halt(format!("an order was refused after the gate: order {}: {why}", order.0), out);
                self.forget_order(order);
            }
            OrderReport::Cancelled(order, _) => self.forget_order(order),
            OrderReport::CancelRefused(order) => {
                out.alarms.push(format!("order {} could not be taken back; it may still fill", order.0));
            }
            OrderReport::Unknown(order) => {
                out.alarms
                    .push(format!("what became of order {} is not known; the venue was asked", order.0));
            }
            OrderReport::Funding(id, at, amount) => {
                let symbol = cx.spec.instruments.get(id.index()).map_or("?", |i| i.symbol.as_str());
                out.alarms.push(format!("{symbol}: the venue booked funding of {amount} at {at}"));
            }
            OrderReport::Link(state) => out.alarms.push(format!("the link to the venue is {state:?}")),
            OrderReport::Noted => {}
        }
        None
    }

    /// Books a fill where it belongs.
    fn take_fill(
        &mut self,
        cx: &StepContext<'_>,
        fill: &Fill,
        verdict: FillVerdict,
        out: &mut Outputs,
    ) -> Option<Fill> {
        let Some(instrument) = cx.spec.instruments.get(fill.instrument.index()) else {
            out.alarms.push(format!("a fill of instrument {}, which is not held here", fill.instrument.0));
            return None;
        };
        match verdict {
            FillVerdict::Book | FillVerdict::BookLate => {}
            // A repeat is what venues do after a lost connection, and no news.
            FillVerdict::Duplicate => return None,
            FillVerdict::BookOverfill => {
                out.alarms.push(format!("{}: more was filled than was ordered: {fill:?}", instrument.symbol));
            }
            FillVerdict::Conflict | FillVerdict::Forgotten | FillVerdict::Foreign => {
                out.alarms.push(format!(
                    "{}: a fill that cannot be booked ({verdict:?}): order {}, number {}; what the venue holds is compared \
                     when all is settled",
                    instrument.symbol, fill.order.0, fill.number
                ));
                return None;
            }
        }
        let id = fill.instrument;
        match cx.spec.services.desk_index(id).filter(|_| id.index() >= cx.spec.traded) {
            Some(desk_index) => self.book_spot(cx, desk_index, fill, out),
            None if self.execution.services.working_orders[id.index()].order == Some(fill.order) => {
                self.book_worked(cx, fill, out);
            }
            None => self.book(cx, id, fill.mark, Some(*fill), Decimal::ZERO, out),
        }
        if self.execution.router.orders.get(fill.order).is_none_or(|o| o.status.is_over()) {
            self.forget_order(fill.order);
        }
        Some(*fill)
    }

    /// An order that rested was filled: what of it is the perp leg of a switch has its spot leg sent after it.
    fn book_worked(&mut self, cx: &StepContext<'_>, fill: &Fill, out: &mut Outputs) {
        let desk_index = fill.instrument.index();
        let left = self.execution.router.orders.get(fill.order).map_or(Decimal::ZERO, Tracked::open);
        let w = &mut self.execution.services.working_orders[desk_index];
        // As it was before the fill, which takes from the order without saying from whose part of it.
        let desk = left + fill.quantity - w.switch;
        let switch = fill.quantity - common(fill.quantity, desk);
        w.switch -= switch;
        let (arrival, taking) = (w.arrival, w.taking);
        self.execution.services.execution_costs[desk_index].add(fill, fill.quantity, arrival, taking, true);
        self.execution.services.swap_costs[desk_index].add(fill, switch, arrival, taking, true);
        self.book(cx, fill.instrument, fill.mark, Some(*fill), switch, out);
        if self.execution.router.orders.get(fill.order).is_none_or(|o| o.status.is_over()) {
            self.execution.services.working_orders[desk_index].order = None;
        }
        // After the booking, which says how much spot is pending: the other leg is sized by that.
        if !switch.is_zero() {
            self.follow(cx, desk_index, switch, out);
        }
    }

    /// Books a fill of spot to the carrier.
    fn book_spot(&mut self, cx: &StepContext<'_>, desk_index: usize, fill: &Fill, out: &mut Outputs) {
        let Some(carrier) = cx.spec.services.carriers[desk_index] else { return };
        self.execution.services.followed(desk_index, fill);
        out.fills.push(*fill);
        match self.account.ledger.trade(fill.instrument, fill.mark, &[(carrier, fill.quantity)], Some(fill)) {
            Ok(report) => self.account.paid += report.fee + report.slippage,
            Err(e) => {
                let symbol = &cx.spec.instruments[fill.instrument.index()].symbol;
                self.account.halt(format!("{symbol}: the books refused a trade: {e}"), out);
            }
        }
    }

    /// An order is over: nothing waits for it any more.
    fn forget_order(&mut self, order: OrderId) {
        if is_venue_order(order) {
            return;
        }
        self.execution.working.iter_mut().filter(|w| **w == Some(order)).for_each(|w| *w = None);
        for w in self.execution.services.working_orders.iter_mut().filter(|w| w.order == Some(order)) {
            (w.order, w.switch) = (None, Decimal::ZERO);
        }
    }

    /// The operator wants positions to be compared again: a halt that a difference caused ends if there is none any more.
    /// Whether it ended.
    pub(in crate::engine) fn recheck(&mut self, cx: &StepContext<'_>, out: &mut Outputs) -> bool {
        let was = std::mem::take(&mut self.account.is_different);
        if was {
            self.account.halted = None;
        }
        self.reconcile(cx, out);
        was && self.account.halted.is_none()
    }

    /// Compares what the desk holds, what the books say and what the venue says, instrument by instrument.
    pub(super) fn reconcile(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        self.execution.router.ask_positions(cx.at);
        self.hear_venue(cx, out);
        let mut is_open = false;
        for instrument in &cx.spec.instruments {
            let ours = self.execution.position(cx.spec, instrument.id);
            // The books' own record of the counterparty is minus what the account holds.
            let books = self.account.booked(instrument.id);
            let check = self.execution.router.check(instrument.id, ours);
            is_open |= check == PositionCheck::Unsettled;
            let venue = if let PositionCheck::Differs { venue } = check { venue } else { ours };
            if venue != ours || books != ours {
                let symbol = &instrument.symbol;
                // A halt for another reason stays one, whatever positions say.
                self.account.is_different |= self.account.halted.is_none();
                self.account.halt(
                    format!("{symbol}: the desk holds {ours}, the venue says {venue}, the books {books}"),
                    out,
                );
            }
        }
        let since = if is_open { Some(self.account.unsettled.unwrap_or(cx.at)) } else { None };
        self.account.unsettled = since;
        let was_in_doubt = std::mem::replace(
            &mut self.account.is_in_doubt,
            since.is_some_and(|since| cx.at.since(since).0 > UNSETTLED_MAX.0),
        );
        if self.account.is_in_doubt != was_in_doubt {
            out.alarms.push(if self.account.is_in_doubt {
                "what the venue holds is not known; positions may only shrink until it is".to_owned()
            } else {
                "what the venue holds is known again".to_owned()
            });
        }
    }
}
