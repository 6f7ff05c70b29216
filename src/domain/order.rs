//! Orders and fills as venues know them. What may become an order is decided in `treasury`.

use super::{Decimal, InstrumentId, Money, OrderId, Stamp};
use serde::{Deserialize, Serialize};

/// How an order asks for its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderKind {
    /// At the first price after it arrives.
    Market,
    /// At this price or better.
    Limit(Decimal, TimeInForce),
}

/// How long a limit order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeInForce {
    /// It rests until it is taken back.
    UntilCancelled,
    /// What does not fill at once is cancelled: a market order with a collar.
    ImmediateOrCancel,
    /// It rests, and is refused if it would take.
    PostOnly,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderStatus {
    /// Sent, not yet confirmed.
    Pending,
    /// It works at the venue.
    Working,
    /// Some of it is filled, the rest works.
    PartlyFilled,
    /// All of it is filled.
    Filled,
    /// Taken back, the rest will not fill.
    Cancelled,
    /// Refused by the venue.
    Rejected,
    /// What became of it is not known; asked about by id, never guessed (law 8).
    Unknown,
    /// It was asked back, and the venue has not answered: until then it may fill.
    CancelSent,
}

impl OrderStatus {
    /// Whether no more fills can come.
    pub fn is_over(self) -> bool {
        matches!(self, OrderStatus::Filled | OrderStatus::Cancelled | OrderStatus::Rejected)
    }
}

/// Part or all of an order was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Order that was filled.
    pub order: OrderId,
    /// Which fill of the order it is, from 1: together they identify a fill.
    pub number: u32,
    /// Instrument that was traded.
    pub instrument: InstrumentId,
    /// When: the open of the bar that filled it.
    pub at: Stamp,
    /// Signed quantity in base units; bought is positive.
    pub quantity: Decimal,
    /// Price paid or got, half-spread and impact included.
    pub price: Decimal,
    /// The price before half-spread and impact: agents are booked at it, the difference is a shared cost.
    pub mark: Decimal,
    /// Fee in the account's currency; negative is a rebate.
    pub fee: Money,
}
