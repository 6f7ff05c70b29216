//! What the venue says of the account: fills are told apart and booked, what is over is forgotten, and what both sides hold
//! is compared, here and nowhere else.
//!
//! # Invariants
//!
//! 1. A fill is booked once and to its order; one that the tracker does not know is told and never booked.
//! 2. What the venue says of a position is compared with the books only where nothing of the instrument is open
//!    ([`OrderRouter::check`](crate::execution::OrderRouter::check)). A settled difference halts.
//! 3. While something is open for longer than [`UNSETTLED_MAX`], what is held may only shrink. That is looked at at every
//!    event, since any of them tells the time.

use super::context::StepContext;
use super::life::Real;
use crate::domain::venue::LinkState;
use crate::domain::{Decimal, Fill, InstrumentId, OrderId, Span, Stamp, VenueEvent};
use crate::engine::Outputs;
use crate::engine::order_split::common;
use crate::execution::router::CONFIRMED_AFTER;
use crate::execution::venue::is_venue_order;
use crate::execution::{FillVerdict, OrderReport, PositionCheck, Tracked, Venue};

/// How long the fate of an order may be open before nothing new is opened.
pub const UNSETTLED_MAX: Span = Span::seconds(10);

impl Real {
    /// Takes an event of a venue whose requests leave the program.
    pub fn venue(&mut self, cx: &StepContext<'_>, event: &VenueEvent, out: &mut Outputs) {
        let report = self.execution.router.take(event);
        self.act(cx, report, out);
        self.hear_venue(cx, out);
        // Once the venue has said all, and not at the first position of several: the rest may have changed with it.
        if matches!(event, VenueEvent::Position { .. }) && !self.execution.router.is_waiting() {
            self.compare(cx, out);
        }
    }

    /// Takes all that the venue inside the program has said; the last fill that was booked.
    pub(super) fn hear_venue(&mut self, cx: &StepContext<'_>, out: &mut Outputs) -> Option<Fill> {
        self.hear_pools(cx, out);
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
                let text = format!("an order was refused after the gate: order {}: {why}", order.0);
                // The gate knows the venue's rules: an order that passed it and is refused for one of them means that it is
                // not what it is taken for.
                if why.is_of_rules() {
                    self.account.halt(text, out);
                } else if self.execution.packages.owner(order).is_none() {
                    // A quote that would take is asked for anew, further away.
                    out.alarms.push(text);
                }
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
            OrderReport::Funding(id, at, received) => {
                // The venue says what the account received, the books what it paid; by whom, what was held then.
                let settled = self.account.settled.get(id.index()).map_or(&[][..], Vec::as_slice);
                let paid = self.account.ledger.funding_billed(id, settled, -received);
                self.account.guard(
                    &format!("funding of {received} on {} at {at}", symbol(cx, id)),
                    &paid,
                    out,
                );
            }
            OrderReport::Link(venue, state) => {
                // What was asked while it was down has reached nobody.
                if state == LinkState::Up {
                    self.execution.router.ask_again(cx.at);
                }
                let name = cx.spec.venues.get(venue.index()).filter(|name| !name.is_empty());
                out.alarms
                    .push(format!("the link to {} is {state}", name.map_or("the venue", String::as_str)));
            }
            OrderReport::Rules(id, rules) => self.heed_rules(cx, id, rules, out),
            OrderReport::Fees(id, [taker, maker]) => {
                // What is booked is what each fill says; what is decided reckons with the fees of the settings.
                out.alarms.push(format!(
                    "{}: the venue's fees are {taker} ppm of taking, {maker} ppm of resting",
                    symbol(cx, id)
                ));
            }
            OrderReport::Noted => {}
        }
        None
    }

    /// The venue has other rules than this run was made with: what is decided would be refused, or rounded by the venue.
    fn heed_rules(
        &mut self,
        cx: &StepContext<'_>,
        id: InstrumentId,
        [tick, lot, least]: [Decimal; 3],
        out: &mut Outputs,
    ) {
        let Some(ours) = cx.spec.instruments.get(id.index()) else { return };
        if ours.tick != tick.into() || ours.lot != lot || ours.min_notional != least {
            self.account.halt(
                format!(
                    "{}: the venue's rules are a tick of {tick}, a lot of {lot} and orders of at least {least}; this run was \
                     made with others, start anew with these",
                    ours.symbol
                ),
                out,
            );
        }
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
        if let Some(i) = self.execution.packages.owner(fill.order) {
            self.book_package(cx, i, (fill, Some(fill.order)), out);
            if self.execution.router.orders.get(fill.order).is_none_or(|o| o.status.is_over()) {
                self.forget_order(fill.order);
            }
            return None;
        }
        let fill = &self.share_closing(cx, fill, out)?;
        let id = fill.instrument;
        match cx.spec.services.desk_index(id).filter(|_| id.index() >= cx.spec.traded) {
            Some(desk_index) => self.book_spot(cx, desk_index, fill, out),
            None if id.index() >= cx.spec.traded => {
                let symbol = &instrument.symbol;
                self.account.halt(format!("{symbol}: a fill in what nobody here trades: {fill:?}"), out);
            }
            None if self.execution.services.assets[id.index()].working_order.order == Some(fill.order) => {
                self.book_worked(cx, fill, out);
            }
            None => {
                if self.execution.working[id.index()] != Some(fill.order) {
                    self.execution.services.assets[id.index()].working_order.filled_late(fill.quantity);
                }
                self.book(cx, id, fill.mark, Some(*fill), Decimal::ZERO, out);
            }
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
        let w = &mut self.execution.services.assets[desk_index].working_order;
        // As it was before the fill, which takes from the order without saying from whose part of it.
        let desk = left + fill.quantity - w.switch;
        let switch = fill.quantity - common(fill.quantity, desk);
        w.switch -= switch;
        self.execution.services.assets[desk_index].rested(fill, switch);
        if self.book(cx, fill.instrument, fill.mark, Some(*fill), switch, out) {
            let paid = self.pay_maker(fill, desk_index, out);
            self.account.guard("a maker's fee", &paid, out);
        }
        if self.execution.router.orders.get(fill.order).is_none_or(|o| o.status.is_over()) {
            self.execution.services.assets[desk_index].working_order.order = None;
        }
        // After the booking, which says how much spot is pending: the other leg is sized by that.
        if !switch.is_zero() {
            self.follow(cx, desk_index, switch, out);
        }
    }

    /// Books a fill of spot to the carrier.
    fn book_spot(&mut self, cx: &StepContext<'_>, desk_index: usize, fill: &Fill, out: &mut Outputs) {
        let Some(carrier) = self.execution.services.assets[desk_index].carrier else { return };
        self.execution.services.assets[desk_index].followed(fill);
        out.fills.push(*fill);
        match self.account.trade(fill.instrument, fill.mark, &[(carrier, fill.quantity)], Some(fill)) {
            Ok(report) => {
                self.account.paid += report.fee + report.slippage;
                out.keep(fill, carrier);
            }
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
        if let Some(i) = self.execution.packages.owner(order) {
            self.end_leg(i, order);
            self.execution.packages.forget(order);
            return;
        }
        self.execution.working.iter_mut().filter(|w| **w == Some(order)).for_each(|w| *w = None);
        let each = self.execution.services.assets.iter_mut().map(|served| &mut served.working_order);
        for w in each.filter(|w| w.order == Some(order)) {
            (w.order, w.switch) = (None, Decimal::ZERO);
        }
    }

    /// The operator wants positions to be compared again: a halt that a difference caused ends if there is none any more.
    /// Whether it ended.
    pub(in crate::engine) fn recheck(&mut self, cx: &StepContext<'_>, out: &mut Outputs) -> bool {
        let was = self.account.is_different;
        if was && self.execution.router.venue.is_prompt() {
            self.account.is_different = false;
            self.account.halted = None;
        } else if was {
            // What was told before is not what is asked for now: the halt ends with the first answer that agrees.
            self.execution.router.forget_positions();
            self.account.is_rechecking = true;
        }
        self.reconcile(cx, out);
        was && self.account.halted.is_none()
    }

    /// Asks the venue what is held, and compares.
    pub(super) fn reconcile(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        self.execution.router.insist();
        self.execution.router.ask_positions(cx.at);
        self.hear_venue(cx, out);
        self.compare(cx, out);
    }

    /// Compares what the desk holds, what the books say and what the venue says, instrument by instrument, wherever
    /// nothing is open.
    fn compare(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        let mut is_agreed = self.account.is_rechecking && !self.execution.router.is_waiting();
        self.account.doubt.is_of_position = false;
        for instrument in &cx.spec.instruments {
            let ours = self.execution.position(cx.spec, instrument.id);
            // The books' own record of the counterparty is minus what the account holds.
            let books = self.account.booked(instrument.id);
            let is_nothing = ours.is_zero() && books.is_zero();
            if is_nothing && self.execution.router.is_nothing(instrument.id) {
                continue;
            }
            let check = self.execution.router.check(instrument.id, ours);
            let venue = if let PositionCheck::Differs { venue } = check { venue } else { ours };
            self.account.doubt.is_of_position |= check == PositionCheck::Doubtful;
            is_agreed &= check != PositionCheck::Doubtful && venue == ours && books == ours;
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
        if is_agreed && std::mem::take(&mut self.account.is_rechecking) && self.account.is_different {
            (self.account.is_different, self.account.halted) = (false, None);
            out.alarms.push("the venue holds what the books say again; the halt has ended".to_owned());
        }
    }

    /// Looks, at any event, since when something has been open, by the market's own time: an account's news may be stamped
    /// long before or after it. Inside the program nothing ever is open between two events.
    pub(in crate::engine) fn watch(&mut self, now: Stamp, out: &mut Outputs) {
        if self.execution.router.venue.is_prompt() {
            return;
        }
        let is_open = self.execution.router.is_waiting() || self.account.doubt.is_of_position;
        let since = self.account.doubt.unsettled.unwrap_or(now);
        self.account.doubt.unsettled = is_open.then_some(since);
        let was_in_doubt = self.account.doubt.is_long;
        self.doubt(now, out);
        let asked = self.account.doubt.asked_again.unwrap_or(since);
        // Once when doubt begins, and then again and again: whoever was asked may not have heard it.
        if self.account.doubt.is_long && (!was_in_doubt || now.since(asked).0 >= CONFIRMED_AFTER.0) {
            self.account.doubt.asked_again = Some(now);
            self.execution.router.ask_again(now);
        }
    }

    fn doubt(&mut self, at: Stamp, out: &mut Outputs) {
        let is_long = self.account.doubt.unsettled.is_some_and(|since| at.since(since).0 > UNSETTLED_MAX.0);
        if std::mem::replace(&mut self.account.doubt.is_long, is_long) == is_long {
            return;
        }
        out.alarms.push(if is_long {
            "what the venue holds is not known; positions may only shrink until it is".to_owned()
        } else {
            "what the venue holds is known again".to_owned()
        });
    }
}

fn symbol<'a>(cx: &StepContext<'a>, id: InstrumentId) -> &'a str {
    cx.spec.instruments.get(id.index()).map_or("an instrument that is not held here", |i| &i.symbol)
}
