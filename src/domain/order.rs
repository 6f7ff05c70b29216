//! Orders and fills as venues know them. What may become an order is decided in `treasury`.

use super::{AssetId, Decimal, InstrumentId, Money, OrderId, Stamp};
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
    /// Fee in the account's currency; negative is a rebate. This is what is booked.
    pub fee: Money,
    /// What the venue took in place of it, where it took an asset; none where it took the account's currency.
    pub fee_in: Option<AssetFee>,
}

/// A fee that a venue takes in an asset, and what that is in the account's currency.
///
/// Venues differ: of spot that is bought Bybit takes the fee in what is bought, Binance in BNB where that is chosen. The
/// books are in one currency. Whoever reads the venue says at what price it turned the fee into money, and the ledger
/// refuses a fill whose three numbers do not agree. A fee that is taken from the very coins that a fill buys is no part
/// of that fill's quantity: q coins at p of which f are kept are a fill of q − f with a fee of f at p, for q · p in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetFee {
    /// The asset that was taken.
    pub asset: AssetId,
    /// Units of it; negative is a rebate.
    pub amount: Decimal,
    /// Price of a unit in the account's currency, at which the fee was turned into money.
    pub rate: Decimal,
}
