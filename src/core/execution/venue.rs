//! What a place to trade must do, as a state machine: no IO, no clock. A live venue's IO is done by the
//! runtime, which feeds what came back into the same verbs.

use crate::domain::{Decimal, InstrumentId, OrderId, OrderKind};
use crate::treasury::ApprovedOrder;

/// Order ids from here on are the venue's own: closings nobody asked for, such as a delisting's.
pub const VENUE_ORDERS: u64 = 1 << 63;

/// Whether the venue, not the desk, made this order.
pub fn is_venue_order(id: OrderId) -> bool {
    id.0 >= VENUE_ORDERS
}

/// Why a venue would not take an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VenueError {
    /// Ids are used once, so that sending again cannot trade twice.
    #[error("order {} is already at the venue; ids are used once", .0.0)]
    Duplicate(OrderId),
    /// Not listed here.
    #[error("instrument {} is not listed at this venue", .0.0)]
    NotListed(InstrumentId),
    /// A limit must be a positive price.
    #[error("a limit of {0} is no price")]
    NoPrice(Decimal),
}

/// A place to trade.
pub trait Venue {
    /// Takes an order that passed the gate. A new market order for an instrument replaces the one
    /// still working; the answer is the order that was taken back for it.
    fn submit(&mut self, order: &ApprovedOrder, kind: OrderKind) -> Result<Option<OrderId>, VenueError>;

    /// Takes an order back; whether it was still working. Cancelling twice is no error.
    fn cancel(&mut self, id: OrderId) -> bool;

    /// What the venue says is held, signed.
    fn position(&self, instrument: InstrumentId) -> Decimal;

    /// The order working in an instrument, with its signed quantity still to fill.
    fn working(&self, instrument: InstrumentId) -> Option<(OrderId, Decimal)>;
}
