//! Every order from sending to its end, and which fills are booked.
//!
//! # Invariants (tests carry their names)
//!
//! 1. `money6`: a fill is known by (order, number) and booked once; a repeat changes nothing but a
//!    counter, a repeat with other numbers is an alarm and the first one stays.
//! 2. Σ fills of an order ≤ its quantity; more is booked all the same (it happened), counted and named.
//! 3. A fill that comes before the confirmation, out of order, or after the end is booked.
//! 4. An order whose fate is not known stays until it is known (law 8); it is never dropped.
//! 5. Bounded: at most [`FINISHED_MAX`] finished orders are remembered.

use super::venue::is_venue_order;
use crate::domain::{Decimal, Fill, InstrumentId, OrderId, OrderKind, OrderStatus, Stamp};
use crate::treasury::ApprovedOrder;
use serde::{Deserialize, Serialize};
use serde::{Deserializer, Serializer};
use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};

/// How many finished orders are remembered to recognise late and repeated fills: at the hive's pace of
/// a few orders a bar that is weeks, far more than any venue replays.
pub const FINISHED_MAX: usize = 1_024;

/// A fill as remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SeenFill {
    number: u32,
    quantity: Decimal,
    price: Decimal,
}

/// One order as it is known on this side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracked {
    /// Its id, which the venue is asked by.
    pub id: OrderId,
    /// Instrument it is for.
    pub instrument: InstrumentId,
    /// Signed, as approved.
    pub quantity: Decimal,
    /// Signed, Σ of its fills.
    pub filled: Decimal,
    /// How it asks for its price, as last asked.
    pub kind: OrderKind,
    /// Where it stands.
    pub status: OrderStatus,
    /// Whether it was asked back: as long as it is not over, that is asked for again.
    pub is_unwanted: bool,
    /// When it was decided.
    pub at: Stamp,
    /// Sorted by number; a handful, as one bar gives at most one.
    seen: Vec<SeenFill>,
}

impl Tracked {
    /// Signed: what may still fill. Zero once it is over.
    pub fn open(&self) -> Decimal {
        if self.status.is_over() { Decimal::ZERO } else { self.quantity - self.filled }
    }
}

/// What to do with a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FillVerdict {
    /// The fill is to be booked.
    Book,
    /// Book it and raise an alarm: the order now has more than it asked for.
    BookOverfill,
    /// Book it: it came after the order was over (a cancel and a fill crossed on the way).
    BookLate,
    /// Known already: ignore.
    Duplicate,
    /// Known already with another quantity or price: ignore, the first one stays, raise an alarm.
    Conflict,
    /// Of an order that ended so long ago that it is forgotten: ignore, reconcile.
    Forgotten,
    /// Of an order that is not ours: ignore, show (fault 27).
    Foreign,
}

impl FillVerdict {
    /// Whether the books take it.
    pub fn is_booked(self) -> bool {
        matches!(self, FillVerdict::Book | FillVerdict::BookOverfill | FillVerdict::BookLate)
    }
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCounts {
    /// Orders sent to the venue.
    pub sent: u64,
    /// Fills booked, all kinds.
    pub booked: u64,
    /// Fills that came again.
    pub duplicates: u64,
    /// Fills that came again with other numbers.
    pub conflicts: u64,
    /// Fills beyond an order's quantity.
    pub overfills: u64,
    /// Fills after an order's end.
    pub late: u64,
    /// Fills of forgotten orders.
    pub forgotten: u64,
    /// Fills of orders not ours.
    pub foreign: u64,
    /// Orders refused by the venue.
    pub rejected: u64,
}

/// Why a step of an order is impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Ids ascend and are used once.
    #[error("order {} was sent before; ids ascend and are used once", .0.0)]
    UsedId(OrderId),
    /// Not sent from here, or forgotten.
    #[error("order {} is not known", .0.0)]
    NotKnown(OrderId),
    /// No new order leaves while too many are open.
    #[error("{0} orders are open, the most there may be; find out what became of them")]
    TooMany(usize),
}

/// Most open orders: one per instrument and some of unknown fate; more means the venue is not answering.
pub const OPEN_MAX: usize = 1_024;

/// Orders by their ids, ascending. A new one goes last and the oldest leaves at or near the front: thousands come and go in a
/// minute of quotes. It is written as the map that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct OrdersById(VecDeque<Tracked>);

impl OrdersById {
    /// Where an order is, or would be.
    fn place(&self, id: OrderId) -> Result<usize, usize> {
        let mut until = self.0.len();
        let behind = self.0.back().and_then(|last| last.id.0.checked_sub(id.0)).ok_or(until)?;
        // No two have one id: behind one of them are no more than there are ids between it and the last.
        let mut from = (until - 1).saturating_sub(usize::try_from(behind).unwrap_or(until));
        while from < until {
            let middle = from.midpoint(until);
            match self.0[middle].id.cmp(&id) {
                Ordering::Equal => return Ok(middle),
                Ordering::Less => from = middle + 1,
                Ordering::Greater => until = middle,
            }
        }
        Err(from)
    }

    fn get(&self, id: OrderId) -> Option<&Tracked> {
        self.place(id).ok().and_then(|at| self.0.get(at))
    }

    fn get_mut(&mut self, id: OrderId) -> Option<&mut Tracked> {
        self.place(id).ok().and_then(|at| self.0.get_mut(at))
    }

    fn insert(&mut self, order: Tracked) {
        match self.place(order.id) {
            Ok(at) => self.0[at] = order,
            Err(at) => self.0.insert(at, order),
        }
    }

    fn remove(&mut self, id: OrderId) {
        if self.0.front().is_some_and(|o| o.id == id) {
            self.0.pop_front();
        } else if let Ok(at) = self.place(id) {
            self.0.remove(at);
        }
    }
}

impl Serialize for OrdersById {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|o| (o.id, o)))
    }
}

impl<'de> Deserialize<'de> for OrdersById {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let orders = BTreeMap::<OrderId, Tracked>::deserialize(deserializer)?;
        Ok(OrdersById(orders.into_values().collect()))
    }
}

/// All orders of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderTracker {
    orders: OrdersById,
    /// Those of them that are not over, ascending: a handful, asked after at every bar, beside a thousand that are remembered.
    open: Vec<OrderId>,
    /// Finished orders by the time of decision, ascending, until they are forgotten: not by the time of their end,
    /// which depends on the order in which the bars of a stamp arrive.
    finished: VecDeque<(Stamp, OrderId)>,
    /// The highest id ever sent.
    last: Option<OrderId>,
    counts: OrderCounts,
}

impl OrderTracker {
    /// An order is about to leave. Ids ascend, so that one is never sent twice.
    pub fn sent(&mut self, order: &ApprovedOrder, kind: OrderKind) -> Result<(), OrderError> {
        if self.last.is_some_and(|last| last >= order.id()) || is_venue_order(order.id()) {
            return Err(OrderError::UsedId(order.id()));
        }
        let open = self.open.len();
        if open >= OPEN_MAX {
            return Err(OrderError::TooMany(open));
        }
        self.last = Some(order.id());
        self.counts.sent += 1;
        let tracked = Tracked {
            id: order.id(),
            instrument: order.instrument(),
            quantity: order.quantity(),
            filled: Decimal::ZERO,
            kind,
            status: OrderStatus::Pending,
            is_unwanted: false,
            at: order.at(),
            seen: Vec::new(),
        };
        self.orders.insert(tracked);
        // Ids ascend.
        self.open.push(order.id());
        Ok(())
    }

    /// The venue said where an order stands. What is over stays over, and fills say more than a
    /// confirmation that comes after them. What was left of it until then, signed, where that is news.
    pub fn set(&mut self, id: OrderId, status: OrderStatus) -> Result<Option<Decimal>, OrderError> {
        let order = self.orders.get_mut(id).ok_or(OrderError::NotKnown(id))?;
        if order.status.is_over() || order.status == status {
            return Ok(None);
        }
        let left = order.open();
        order.status = match status {
            OrderStatus::Pending | OrderStatus::Working if !order.filled.is_zero() => {
                OrderStatus::PartlyFilled
            }
            other => other,
        };
        let (status, at) = (order.status, order.at);
        if status == OrderStatus::Rejected {
            self.counts.rejected += 1;
        }
        if status.is_over() {
            self.finish(id, at);
        }
        Ok(Some(left))
    }

    /// The venue has an order. Late news of one that is being taken back already, or was filled, changes nothing.
    pub fn confirm(&mut self, id: OrderId) {
        if let Some(order) = self.orders.get_mut(id)
            && matches!(order.status, OrderStatus::Pending | OrderStatus::Unknown)
        {
            let is_untouched = order.filled.is_zero();
            order.status = if is_untouched { OrderStatus::Working } else { OrderStatus::PartlyFilled };
        }
    }

    /// An order is to be taken back, whatever becomes of the first try. Whether the venue is to be asked for that: not of one
    /// that is over, or that is being taken back already.
    pub fn ask_back(&mut self, id: OrderId) -> bool {
        let Some(order) = self.orders.get_mut(id) else { return false };
        order.is_unwanted = true;
        let is_asked = !order.status.is_over() && order.status != OrderStatus::CancelSent;
        if is_asked {
            order.status = OrderStatus::CancelSent;
        }
        is_asked
    }

    /// An order was asked to rest at another limit.
    pub fn amended(&mut self, id: OrderId, limit: Decimal) {
        if let Some(OrderKind::Limit(price, _)) = self.orders.get_mut(id).map(|o| &mut o.kind) {
            *price = limit;
        }
    }

    /// Whether to book a fill, once and for all: asked again, it is a duplicate.
    pub fn on_fill(&mut self, fill: &Fill) -> FillVerdict {
        let verdict = self.judge(fill);
        match verdict {
            FillVerdict::Book => {}
            FillVerdict::BookOverfill => self.counts.overfills += 1,
            FillVerdict::BookLate => self.counts.late += 1,
            FillVerdict::Duplicate => self.counts.duplicates += 1,
            FillVerdict::Conflict => self.counts.conflicts += 1,
            FillVerdict::Forgotten => self.counts.forgotten += 1,
            FillVerdict::Foreign => self.counts.foreign += 1,
        }
        self.counts.booked += u64::from(verdict.is_booked());
        verdict
    }

    fn judge(&mut self, fill: &Fill) -> FillVerdict {
        if is_venue_order(fill.order) && self.orders.get(fill.order).is_none() {
            return self.adopt(fill);
        }
        let Some(order) = self.orders.get_mut(fill.order) else {
            let ours = self.last.is_some_and(|last| fill.order <= last);
            return if ours { FillVerdict::Forgotten } else { FillVerdict::Foreign };
        };
        let seen = SeenFill { number: fill.number, quantity: fill.quantity, price: fill.price };
        let at = match order.seen.binary_search_by_key(&fill.number, |s| s.number) {
            Ok(at) if order.seen.get(at) == Some(&seen) => return FillVerdict::Duplicate,
            Ok(_) => return FillVerdict::Conflict,
            Err(at) => at,
        };
        if fill.instrument != order.instrument {
            return FillVerdict::Conflict;
        }
        let Some(filled) = order.filled.checked_add(fill.quantity) else {
            return FillVerdict::Conflict;
        };
        order.seen.insert(at, seen);
        let was_over = order.status.is_over();
        order.filled = filled;
        let wrong_side =
            !fill.quantity.is_zero() && fill.quantity.is_sign_negative() != order.quantity.is_sign_negative();
        let is_too_much = wrong_side || filled.abs() > order.quantity.abs();
        if !was_over {
            if filled.abs() >= order.quantity.abs() {
                order.status = OrderStatus::Filled;
                let at = order.at;
                self.finish(fill.order, at);
            } else if !matches!(order.status, OrderStatus::CancelSent) {
                // One that is being taken back stays so until the venue has answered.
                order.status = OrderStatus::PartlyFilled;
            }
        }
        match (is_too_much, was_over) {
            (true, _) => FillVerdict::BookOverfill,
            (false, true) => FillVerdict::BookLate,
            (false, false) => FillVerdict::Book,
        }
    }

    /// An order of the venue's own enters with its fill, so that its repeat is seen.
    fn adopt(&mut self, fill: &Fill) -> FillVerdict {
        let Fill { order: id, instrument, at, quantity, price, number, .. } = *fill;
        let seen = vec![SeenFill { number, quantity, price }];
        let status = OrderStatus::Filled;
        let kind = OrderKind::Market;
        let is_unwanted = false;
        let order =
            Tracked { id, instrument, quantity, filled: quantity, kind, status, is_unwanted, at, seen };
        self.orders.insert(order);
        self.finish(id, at);
        FillVerdict::Book
    }

    /// Remembers a finished order, which was decided then, and forgets the oldest beyond the limit.
    fn finish(&mut self, id: OrderId, at: Stamp) {
        if let Ok(place) = self.open.binary_search(&id) {
            self.open.remove(place);
        }
        if let Err(place) = self.finished.binary_search(&(at, id)) {
            self.finished.insert(place, (at, id));
        }
        if self.finished.len() > FINISHED_MAX
            && let Some((_, oldest)) = self.finished.pop_front()
        {
            self.orders.remove(oldest);
        }
    }

    /// An order, while it is remembered.
    pub fn get(&self, id: OrderId) -> Option<&Tracked> {
        self.orders.get(id)
    }

    /// Orders that may still fill, in the order of decision.
    pub fn open(&self) -> impl Iterator<Item = &Tracked> {
        self.open.iter().filter_map(|id| self.orders.get(*id))
    }

    /// Signed: what may still fill in an instrument.
    pub fn open_quantity(&self, instrument: InstrumentId) -> Decimal {
        self.open().filter(|o| o.instrument == instrument).map(Tracked::open).sum()
    }
}

#[cfg(test)]
#[path = "orders_tests.rs"]
mod tests;
