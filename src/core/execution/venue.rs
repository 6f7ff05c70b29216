//! What a place to trade must do, as a state machine: no IO, no clock. Requests go in, events come out; a live venue's IO is
//! done by the runtime, which carries both.

use crate::agents::structures::ranges::Bounds;
use crate::domain::{Decimal, InstrumentId, OrderId, OrderKind, Stamp, VenueEvent};
use crate::treasury::ApprovedOrder;
use serde::{Deserialize, Serialize};

/// Order ids from here on are the venue's own: closings nobody asked for, such as a delisting's.
pub const VENUE_ORDERS: u64 = 1 << 63;

/// Whether the venue, not the desk, made this order.
pub fn is_venue_order(id: OrderId) -> bool {
    id.0 >= VENUE_ORDERS
}

/// By what prices an order is met inside the program, where its instrument is told by bars and by quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PriceFeed {
    /// By whatever is told.
    #[default]
    Whichever,
    /// By bars alone: it was decided at a close, for the open that follows.
    Bars,
    /// By quotes, books and prints alone.
    Quotes,
}

/// An order as it is sent. It owns the [`ApprovedOrder`] that it is made of, so that nothing leaves that the gate has not
/// seen, and no approval leaves twice.
#[derive(Debug, PartialEq, Eq)]
pub struct PlacedOrder {
    order: ApprovedOrder,
    kind: OrderKind,
    feed: PriceFeed,
    is_shared: bool,
}

impl PlacedOrder {
    /// An approved order, asking for its price in this way.
    pub fn of(order: ApprovedOrder, kind: OrderKind) -> Self {
        PlacedOrder { order, kind, feed: PriceFeed::Whichever, is_shared: false }
    }

    /// The same, met by these prices alone.
    #[must_use]
    pub fn met_by(self, feed: PriceFeed) -> Self {
        PlacedOrder { feed, ..self }
    }

    /// By what prices it is met; nothing to a venue outside.
    pub fn feed(&self) -> PriceFeed {
        self.feed
    }

    /// The approval that it is made of.
    pub fn approved(&self) -> &ApprovedOrder {
        &self.order
    }

    /// The id that the venue is to know it by.
    pub fn id(&self) -> OrderId {
        self.order.id()
    }

    /// Instrument to be traded.
    pub fn instrument(&self) -> InstrumentId {
        self.order.instrument()
    }

    /// Signed, in base units.
    pub fn quantity(&self) -> Decimal {
        self.order.quantity()
    }

    /// How it asks for its price.
    pub fn kind(&self) -> OrderKind {
        self.kind
    }

    /// The same of an instrument in which others hold something of their own. A venue knows only what all of them hold
    /// together, and would refuse to one what the other has against it: there the gate alone sees to it that this
    /// order shrinks what its owner holds.
    #[must_use]
    pub fn beside_others(self, is_shared: bool) -> Self {
        PlacedOrder { is_shared, ..self }
    }

    /// Whether it may only shrink what the account holds.
    pub fn reduce_only(&self) -> bool {
        self.order.reduce_only() && !self.is_shared
    }

    /// When it was decided.
    pub fn at(&self) -> Stamp {
        self.order.at()
    }
}

/// A change of liquidity in a pool as it is sent. As a [`PlacedOrder`] it owns the approval that it is made of: of all that it is
/// worth, in base units of its pool, since all of it is base once the price has fallen out of its range.
#[derive(Debug, PartialEq)]
pub struct PlacedLiquidity {
    order: ApprovedOrder,
    /// Whose it is: a pool keeps what each provides apart.
    pub holder: u32,
    /// Between which prices.
    pub bounds: Bounds,
    /// How much more; negative: less.
    pub change: f64,
    /// When it reaches the chain.
    pub live: Stamp,
}

impl PlacedLiquidity {
    /// An approved change of liquidity of one holder, which reaches the chain at `live`.
    pub fn of(order: ApprovedOrder, holder: u32, (bounds, change): (Bounds, f64), live: Stamp) -> Self {
        PlacedLiquidity { order, holder, bounds, change, live }
    }

    /// The approval that it is made of.
    pub fn approved(&self) -> &ApprovedOrder {
        &self.order
    }
}

/// What a venue is asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum VenueRequest {
    /// Takes an order.
    Place(PlacedOrder),
    /// Takes an order back.
    Cancel(OrderId),
    /// Moves a resting order to another limit.
    Amend(OrderId, Decimal),
    /// Says what became of an order, asked at this moment.
    Query(OrderId, Stamp),
    /// Says what the account holds, as of this moment.
    Positions(Stamp),
}

/// A place to trade.
pub trait Venue {
    /// Whether it has said all that it has to say of a request once it is polled, as inside the program. Elsewhere a fill
    /// may be on its way while a later snapshot already counts it.
    fn is_prompt(&self) -> bool {
        false
    }

    /// Takes a request. What comes of it is said by events, and never before this returns.
    fn request(&mut self, request: VenueRequest);

    /// What it says next; none when there is no more for now.
    fn poll(&mut self) -> Option<VenueEvent>;
}
