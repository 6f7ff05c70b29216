//! What the desk has at the venue: orders that may still fill, and the last fills.
//!
//! Quantities, limits and prices are the books' own decimals: what stands here is what was sent and booked.

use crate::domain::{Decimal, Money, OrderStatus, Stamp};
use serde::{Deserialize, Serialize};

/// Orders that are shown, the newest.
pub const ORDERS_MAX: usize = 64;
/// Fills that are shown, the last.
pub const FILLS_MAX: usize = 64;

/// An order that may still fill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    /// Number of the order.
    pub id: u64,
    /// When it was decided.
    pub at: Stamp,
    /// Venue it was sent to; empty where the feed has one.
    pub venue: String,
    /// Symbol as the venue writes it; of spot that is carried `BTCUSDT spot`.
    pub symbol: String,
    /// Base units, bought is positive.
    pub quantity: Decimal,
    /// Base units of it that were filled so far.
    pub filled: Decimal,
    /// Its limit; none for what is taken at the market.
    pub limit: Option<Decimal>,
    /// What became of it so far.
    pub state: OrderStatus,
    /// Who works it; empty for the desk itself.
    pub maker: String,
}

/// A fill as the pane of orders shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FillRow {
    /// Number of the order that was filled.
    pub order: u64,
    /// Which of the order's fills it is, from 1.
    pub number: u32,
    /// When it was filled, in the market's time.
    pub at: Stamp,
    /// Venue that filled it; empty where the feed has one.
    pub venue: String,
    /// Symbol as the venue writes it; of spot that is carried `BTCUSDT spot`.
    pub symbol: String,
    /// Base units, bought is positive.
    pub quantity: Decimal,
    /// Paid or got, half-spread and impact included.
    pub price: Decimal,
    /// Fee in the account's currency; a rebate is negative.
    pub fee: Money,
}

/// The order's state in one word or two.
pub fn state(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Pending => "sent",
        OrderStatus::Working => "working",
        OrderStatus::PartlyFilled => "part filled",
        OrderStatus::Filled => "filled",
        OrderStatus::Cancelled => "cancelled",
        OrderStatus::Rejected => "rejected",
        OrderStatus::Unknown => "unknown",
        OrderStatus::CancelSent => "cancelling",
    }
}
