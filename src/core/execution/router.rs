//! Orders of one account at its venues: what was sent, what came back, and what may still come.
//!
//! ```text
//! place, cancel, amend, ask ─▶ VenueRequest ─▶ venue
//! venue ─▶ VenueEvent ─▶ take ─▶ OrderReport: what the account has to book, and what the operator has to know
//! ```
//!
//! # Invariants
//!
//! 1. An order is tracked before it leaves: a fill has to find it, however fast it comes. Its id leaves once.
//! 2. A cancel may fail. Until the venue has said that an order is over, what is left of it counts as open, and it is asked
//!    back again ([`OrderRouter::ask_again`]).
//! 3. An order of which nothing was heard is asked for by its id; it is never sent again, and never taken for dead.
//! 4. An instrument is settled while none of its orders is on its way, being taken back or unknown. Only then is what the
//!    venue says of its position compared with the books: a difference before that is news that has not come yet.
//! 5. A fill may be on its way while a later snapshot counts it already. So a difference counts once two snapshots,
//!    [`CONFIRMED_AFTER`] apart, have shown the same one and nothing was filled between; until then it is a doubt.
//! 6. An answer is waited for of what was traded here or is held: a venue need not speak of what it does not hold.

use super::orders::{FillVerdict, OrderError, OrderTracker, Tracked};
use super::venue::{PlacedOrder, Venue, VenueRequest};
use crate::domain::venue::{LinkState, RejectReason, VenueEvent};
use crate::domain::{
    Decimal, Fill, InstrumentId, Money, OrderId, OrderKind, OrderStatus, Span, Stamp, VenueId,
};
use crate::treasury::ApprovedOrder;
use serde::{Deserialize, Serialize};

/// Time between two snapshots that must show the same difference before it is one.
pub const CONFIRMED_AFTER: Span = Span::seconds(30);

/// What the account has to do about an event of its venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderReport {
    /// A fill, and whether it is to be booked.
    Fill(Fill, FillVerdict),
    /// An order was refused.
    Rejected(OrderId, RejectReason),
    /// An order is over, with this much of it left, signed.
    Cancelled(OrderId, Decimal),
    /// An order could not be taken back.
    CancelRefused(OrderId),
    /// What became of an order is not known; it was asked for.
    Unknown(OrderId),
    /// Funding was booked by the venue.
    Funding(InstrumentId, Stamp, Money),
    /// Whether a venue can be reached has changed.
    Link(VenueId, LinkState),
    /// The trading rules of an instrument as its venue has them: tick, lot, smallest order.
    Rules(InstrumentId, [Decimal; 3]),
    /// The fees of an instrument as its venue takes them, in millionths of notional: of taking, of resting.
    Fees(InstrumentId, [i32; 2]),
    /// Nothing that the account has to act on.
    Noted,
}

/// What comparing positions came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PositionCheck {
    /// All three say the same.
    Agrees,
    /// An order's fate is open, or the venue has not spoken since the last fill: nothing can be said.
    Unsettled,
    /// They differ, and it is not yet certain that no fill is on its way.
    Doubtful,
    /// They differ though nothing is open.
    Differs {
        /// What the venue says is held.
        venue: Decimal,
    },
}

/// What the venue said of one instrument's position, and what came since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct ReportedPosition {
    /// As last told; none before the first word.
    told: Option<(Stamp, Decimal)>,
    /// The newest fill.
    filled_at: Option<Stamp>,
    /// Since when snapshots have shown the same, with no fill between.
    same_since: Option<Stamp>,
    /// Whether a fill came since: what was told is of before, whatever its stamp.
    is_old: bool,
    /// The newest settlement of funding that was billed.
    billed_at: Option<Stamp>,
}

/// Orders of one account at its venues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRouter<V> {
    /// Where they go.
    pub venue: V,
    /// What became of them.
    pub orders: OrderTracker,
    /// By instrument: what the venue said is held.
    positions: Vec<ReportedPosition>,
    /// When the venues were last asked what is held; none before the first time.
    asked: Option<Stamp>,
    /// By instrument: where it trades.
    traded_at: Vec<VenueId>,
    /// By venue: whether it can be reached.
    links: Vec<LinkState>,
}

impl<V: Venue> OrderRouter<V> {
    /// Nothing was sent yet; `traded_at` says by instrument at which venue of those behind this one.
    pub fn new(venue: V, traded_at: Vec<VenueId>) -> Self {
        let venues = traded_at.iter().map(|v| v.index() + 1).max().unwrap_or(0);
        OrderRouter {
            venue,
            orders: OrderTracker::default(),
            positions: vec![ReportedPosition::default(); traded_at.len()],
            asked: None,
            traded_at,
            links: vec![LinkState::default(); venues],
        }
    }

    /// An approved order leaves.
    pub fn place(&mut self, order: ApprovedOrder, kind: OrderKind) -> Result<(), OrderError> {
        self.send(PlacedOrder::of(order, kind))
    }

    /// The same of an order that is made up already.
    pub fn send(&mut self, order: PlacedOrder) -> Result<(), OrderError> {
        self.orders.sent(order.approved(), order.kind())?;
        self.venue.request(VenueRequest::Place(order));
        Ok(())
    }

    /// Asks for an order back; nothing is known of it before the venue has answered. Of one that is over, or that is being
    /// taken back already, nothing is asked.
    pub fn cancel(&mut self, order: OrderId) {
        if self.orders.ask_back(order) {
            self.venue.request(VenueRequest::Cancel(order));
        }
    }

    /// Asks for every order in an instrument back that could not be taken back before.
    pub fn cancel_all(&mut self, instrument: InstrumentId) {
        // One that answers at once has nothing that was to be taken back and stands.
        if self.venue.is_prompt() {
            return;
        }
        let open: Vec<OrderId> =
            self.orders.open().filter(|o| o.instrument == instrument).map(|o| o.id).collect();
        open.into_iter().for_each(|order| self.cancel(order));
    }

    /// Asks once more for what was not answered: orders that were to be taken back and stand, and what became of those of
    /// which nothing was heard; and what is held. Nothing is sent again.
    pub fn ask_again(&mut self, at: Stamp) {
        let open: Vec<(OrderId, OrderStatus, bool)> =
            self.orders.open().map(|o| (o.id, o.status, o.is_unwanted)).collect();
        for (order, status, is_unwanted) in open {
            if matches!(status, OrderStatus::Pending | OrderStatus::Unknown | OrderStatus::CancelSent) {
                self.venue.request(VenueRequest::Query(order, at));
            }
            if is_unwanted && status == OrderStatus::CancelSent {
                self.venue.request(VenueRequest::Cancel(order));
            }
        }
        self.ask_positions(at);
    }

    /// Asks back what was to be taken back and stands all the same.
    pub fn insist(&mut self) {
        if self.venue.is_prompt() {
            return;
        }
        let stands = |o: &&Tracked| o.is_unwanted && o.status != OrderStatus::CancelSent;
        let unwanted: Vec<OrderId> = self.orders.open().filter(stands).map(|o| o.id).collect();
        unwanted.into_iter().for_each(|order| self.cancel(order));
    }

    /// What may still fill of orders in an instrument that are not to stand, on the side of this quantity: being taken back,
    /// or of unknown fate.
    pub fn unwanted_on(&self, instrument: InstrumentId, side: Decimal) -> Decimal {
        if self.venue.is_prompt() {
            return Decimal::ZERO;
        }
        let doubtful =
            |o: &&Tracked| o.instrument == instrument && (o.is_unwanted || o.status == OrderStatus::Unknown);
        let open = self.orders.open().filter(doubtful).map(Tracked::open);
        open.filter(|open| open.is_sign_negative() == side.is_sign_negative()).sum()
    }

    /// What was told of positions counts no more: they are asked for anew.
    pub fn forget_positions(&mut self) {
        self.positions.iter_mut().for_each(|p| (p.told, p.same_since) = (None, None));
    }

    /// Moves a resting order to another limit; what it is and how much of it is left stay.
    pub fn amend(&mut self, order: OrderId, limit: Decimal) {
        let stands = |o: &Tracked| !o.status.is_over() && !is_limit(o.kind, limit);
        if self.orders.get(order).is_some_and(stands) {
            self.orders.amended(order, limit);
            self.venue.request(VenueRequest::Amend(order, limit));
        }
    }

    /// Asks the venue what the account holds.
    pub fn ask_positions(&mut self, at: Stamp) {
        self.asked = Some(at);
        self.venue.request(VenueRequest::Positions(at));
    }

    /// Whether something is open: the fate of an order, a link, or an answer of what is held.
    pub fn is_waiting(&self) -> bool {
        // A venue need not speak of what was never traded at it.
        let is_asked = |p: &ReportedPosition| p.filled_at.is_some() || p.told.is_some_and(|t| !t.1.is_zero());
        let each = self.positions.iter().zip(0_u16..);
        each.into_iter().any(|(p, i)| {
            !self.is_settled(InstrumentId(i)) || is_asked(p) && p.told.map(|t| t.0) < self.asked
        })
    }

    /// What the venue said next, and what the account has to do about it; none when there is no more.
    pub fn poll(&mut self) -> Option<OrderReport> {
        let event = self.venue.poll()?;
        Some(self.take(&event))
    }

    /// Takes what the venue said.
    pub fn take(&mut self, event: &VenueEvent) -> OrderReport {
        match *event {
            VenueEvent::Accepted { order, .. } => {
                self.orders.confirm(order);
                OrderReport::Noted
            }
            VenueEvent::Rejected { order, why, .. } => {
                // What is over stays over: a refusal that comes after a fill is no news.
                let news = self.step(order, OrderStatus::Rejected);
                if news { OrderReport::Rejected(order, why) } else { OrderReport::Noted }
            }
            VenueEvent::Fill(fill) => {
                let verdict = self.orders.on_fill(&fill);
                if let Some(position) = self.positions.get_mut(fill.instrument.index()) {
                    position.filled_at = position.filled_at.max(Some(fill.at));
                    position.same_since = None;
                    position.is_old = true;
                }
                OrderReport::Fill(fill, verdict)
            }
            VenueEvent::Cancelled { order, .. } => {
                let left = self.orders.set(order, OrderStatus::Cancelled).ok().flatten();
                left.map_or(OrderReport::Noted, |left| OrderReport::Cancelled(order, left))
            }
            VenueEvent::CancelRefused { order, .. } => {
                let stands = self.orders.get(order).is_some_and(|o| o.status == OrderStatus::CancelSent);
                // It stands as it stood, until the venue says more of it; a fill may be on its way.
                let asked = stands && self.step(order, OrderStatus::Working);
                if asked { OrderReport::CancelRefused(order) } else { OrderReport::Noted }
            }
            VenueEvent::Unknown { order, at } => {
                if !self.step(order, OrderStatus::Unknown) {
                    return OrderReport::Noted;
                }
                self.venue.request(VenueRequest::Query(order, at));
                OrderReport::Unknown(order)
            }
            VenueEvent::Position { instrument, at, quantity } => {
                self.told(instrument, at, quantity);
                OrderReport::Noted
            }
            VenueEvent::Funding { instrument, at, amount } => {
                let is_news = self.is_first_bill(instrument, at);
                if is_news { OrderReport::Funding(instrument, at, amount) } else { OrderReport::Noted }
            }
            VenueEvent::Link { venue, state, .. } => {
                let before = self.links.get_mut(venue.index()).map(|link| std::mem::replace(link, state));
                let is_news = before.is_some_and(|before| before != state);
                if is_news { OrderReport::Link(venue, state) } else { OrderReport::Noted }
            }
            VenueEvent::Rules { instrument, tick, lot, min_notional, .. } => {
                OrderReport::Rules(instrument, [tick, lot, min_notional])
            }
            VenueEvent::Fees { instrument, taker_ppm, maker_ppm, .. } => {
                OrderReport::Fees(instrument, [taker_ppm, maker_ppm])
            }
        }
    }

    /// The venue said what is held of an instrument.
    fn told(&mut self, instrument: InstrumentId, at: Stamp, quantity: Decimal) {
        if let Some(position) = self.positions.get_mut(instrument.index())
            && position.told.is_none_or(|(before, _)| at >= before)
        {
            let is_same = position.told.is_some_and(|(_, before)| before == quantity);
            position.same_since = position.same_since.filter(|_| is_same).or(Some(at));
            position.told = Some((at, quantity));
            position.is_old = false;
        }
    }

    /// Whether a settlement of funding was not billed before: what venues say again after a lost connection is no second one.
    fn is_first_bill(&mut self, instrument: InstrumentId, at: Stamp) -> bool {
        self.positions.get_mut(instrument.index()).is_some_and(|position| {
            let last = position.billed_at;
            position.billed_at = last.max(Some(at));
            last.is_none_or(|last| at > last)
        })
    }

    /// Whether that is news of an order that is known and not over.
    fn step(&mut self, order: OrderId, status: OrderStatus) -> bool {
        self.orders.set(order, status).is_ok_and(|left| left.is_some())
    }

    /// Whether nothing of an instrument is on its way, being taken back or unknown.
    pub fn is_settled(&self, instrument: InstrumentId) -> bool {
        let pending = |o: &Tracked| {
            o.is_unwanted
                || matches!(o.status, OrderStatus::Pending | OrderStatus::CancelSent | OrderStatus::Unknown)
        };
        let venue = self.traded_at.get(instrument.index()).copied();
        venue.is_some_and(|venue| self.link(venue) == LinkState::Up)
            && !self.orders.open().any(|o| o.instrument == instrument && pending(o))
    }

    /// Whether nothing of an instrument was ever traded, and a venue that says all at once says that nothing is held: then it
    /// agrees with books that say so.
    pub fn is_nothing(&self, instrument: InstrumentId) -> bool {
        let never = |p: &ReportedPosition| p.filled_at.is_none() && p.told.is_some_and(|t| t.1.is_zero());
        self.venue.is_prompt() && self.positions.get(instrument.index()).is_some_and(never)
    }

    /// Compares what is held by the books with what the venue says.
    pub fn check(&self, instrument: InstrumentId, held: Decimal) -> PositionCheck {
        let Some(position) = self.positions.get(instrument.index()) else { return PositionCheck::Unsettled };
        match position.told {
            Some((at, venue))
                if self.is_settled(instrument) && Some(at) >= position.filled_at && !position.is_old =>
            {
                let is_confirmed = self.venue.is_prompt()
                    || position.same_since.is_some_and(|s| at.since(s).0 >= CONFIRMED_AFTER.0);
                match () {
                    () if venue == held => PositionCheck::Agrees,
                    () if is_confirmed => PositionCheck::Differs { venue },
                    () => PositionCheck::Doubtful,
                }
            }
            _ => PositionCheck::Unsettled,
        }
    }

    /// Whether a venue can be reached; one that is not known cannot.
    pub fn link(&self, venue: VenueId) -> LinkState {
        self.links.get(venue.index()).copied().unwrap_or(LinkState::Down)
    }
}

fn is_limit(kind: OrderKind, price: Decimal) -> bool {
    matches!(kind, OrderKind::Limit(limit, _) if limit == price)
}
