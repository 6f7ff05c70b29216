//! What a venue says of an account's own orders and positions: private events, apart from what it tells everybody
//! ([`MarketEvent`](super::MarketEvent)). The engine takes them as it takes every other event (law 1), so that a fill is
//! never the return value of a call.

use super::{Decimal, Fill, InstrumentId, Money, OrderId, Stamp, VenueId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a venue refused an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum RejectReason {
    /// Ids are used once, so that sending again cannot trade twice.
    #[error("the venue has an order of this id; ids are used once")]
    Duplicate,
    /// The venue does not list it, or does not trade it now.
    #[error("the venue does not trade this instrument")]
    NotListed,
    /// No whole number of ticks, or no price at all.
    #[error("the price is none that the venue takes")]
    Price,
    /// No whole number of lots, less than the smallest order, or more than the largest.
    #[error("the quantity is none that the venue takes")]
    Quantity,
    /// A post-only order would have taken.
    #[error("a post-only order would have taken")]
    WouldTake,
    /// A reduce-only order had nothing to reduce.
    #[error("there was nothing to reduce")]
    NothingToReduce,
    /// The account has not the margin for it.
    #[error("the account has not the margin for it")]
    Margin,
    /// Too many requests in too short a time; nothing of it was done.
    #[error("too many requests at once")]
    RateLimit,
    /// The venue found it never arrived.
    #[error("it never arrived at the venue")]
    NeverArrived,
    /// Any other reason.
    #[error("the venue gave another reason")]
    Other,
}

impl RejectReason {
    /// Whether it says that the venue's rules are not what they are taken for here, or says nothing that can be gone by.
    /// The others may come at any time of an order that is right: it is over, and decided anew.
    pub fn is_of_rules(self) -> bool {
        use RejectReason::*;
        match self {
            Duplicate | Price | Quantity | Other => true,
            NotListed | WouldTake | NothingToReduce | Margin | RateLimit | NeverArrived => false,
        }
    }
}

/// Whether a venue can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkState {
    /// It answers as it should.
    #[default]
    Up,
    /// It is connected, and has been silent for longer than it should.
    Stale,
    /// It is not connected: nothing that is sent arrives.
    Down,
}

impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            LinkState::Up => "up",
            LinkState::Stale => "silent",
            LinkState::Down => "down",
        })
    }
}

/// What a venue says of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VenueEvent {
    /// An order is there and may fill.
    Accepted {
        /// Order that was accepted.
        order: OrderId,
        /// When it was accepted.
        at: Stamp,
    },
    /// An order was refused: nothing of it will fill.
    Rejected {
        /// Order that was refused.
        order: OrderId,
        /// When it was refused.
        at: Stamp,
        /// Why it was refused.
        why: RejectReason,
    },
    /// Part or all of an order was done.
    Fill(Fill),
    /// An order is over: taken back as asked, or ended by the venue. What was not filled will not fill.
    Cancelled {
        /// Order that is over.
        order: OrderId,
        /// When it ended.
        at: Stamp,
    },
    /// An order could not be taken back: it is filled, or the venue does not know it. It stands as it stood.
    CancelRefused {
        /// Order that was to be taken back.
        order: OrderId,
        /// When that was refused.
        at: Stamp,
    },
    /// No answer came in time: what became of the order is not known, and is asked by its id (law 8).
    Unknown {
        /// Order that was not answered for.
        order: OrderId,
        /// When it was given up waiting.
        at: Stamp,
    },
    /// What the account holds of an instrument by the venue's own books.
    Position {
        /// Instrument that is held.
        instrument: InstrumentId,
        /// As of when.
        at: Stamp,
        /// Base units held, signed.
        quantity: Decimal,
    },
    /// Funding was paid or received, as the venue booked it.
    Funding {
        /// Perp that was settled.
        instrument: InstrumentId,
        /// The venue's settlement stamp.
        at: Stamp,
        /// Account currency received; negative was paid.
        amount: Money,
    },
    /// The trading rules of an instrument as they are from now on.
    Rules {
        /// Instrument whose rules they are.
        instrument: InstrumentId,
        /// From when they hold.
        at: Stamp,
        /// Smallest price step, in quote currency.
        tick: Decimal,
        /// Smallest quantity step, in base units.
        lot: Decimal,
        /// Smallest order, in quote currency.
        min_notional: Decimal,
    },
    /// The account's fees as they are from now on, in millionths of notional; a negative one is a rebate.
    Fees {
        /// Instrument whose fees they are.
        instrument: InstrumentId,
        /// From when they hold.
        at: Stamp,
        /// Fee of taking.
        taker_ppm: i32,
        /// Fee of resting.
        maker_ppm: i32,
    },
    /// Whether a venue can be reached.
    Link {
        /// Venue that it is said of.
        venue: VenueId,
        /// Since when it is so.
        at: Stamp,
        /// How it is now.
        state: LinkState,
    },
}

impl VenueEvent {
    /// When it was.
    pub fn at(&self) -> Stamp {
        match *self {
            VenueEvent::Fill(Fill { at, .. })
            | VenueEvent::Accepted { at, .. }
            | VenueEvent::Rejected { at, .. }
            | VenueEvent::Cancelled { at, .. }
            | VenueEvent::CancelRefused { at, .. }
            | VenueEvent::Unknown { at, .. }
            | VenueEvent::Position { at, .. }
            | VenueEvent::Funding { at, .. }
            | VenueEvent::Rules { at, .. }
            | VenueEvent::Fees { at, .. }
            | VenueEvent::Link { at, .. } => at,
        }
    }
}
