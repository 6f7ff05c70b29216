//! What the desk has at the venue: orders that may still fill, and the last fills.
//!
//! Quantities, limits and prices are the books' own decimals: what stands here is what was sent and booked.

use crate::domain::{Decimal, Fill, InstrumentId, Money, OrderStatus, Stamp};
use crate::engine::Engine;
use crate::execution::orders::Tracked;
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
    }
}

/// Orders that may still fill, the newest first, and how many are left out.
pub(super) fn open(engine: &Engine) -> (Vec<OrderRow>, u64) {
    let mut rows: Vec<OrderRow> = engine.respond.real.orders.open().map(|o| row(engine, o)).collect();
    rows.reverse();
    let more = rows.len().saturating_sub(ORDERS_MAX) as u64;
    rows.truncate(ORDERS_MAX);
    (rows, more)
}

/// Venue and symbol; spot that is carried for the desk has the symbol of its perp at most venues, and says what it is.
fn names(engine: &Engine, id: InstrumentId) -> (String, String) {
    let Some(i) = engine.instrument(id) else { return <(String, String)>::default() };
    let carried = engine.servants().desk_index(id).is_some();
    let symbol = if carried { format!("{} {}", i.symbol, i.kind.text()) } else { i.symbol.clone() };
    (i.venue.clone(), symbol)
}

fn row(engine: &Engine, order: &Tracked) -> OrderRow {
    let (venue, symbol) = names(engine, order.instrument);
    let resting = engine.respond.real.venue.resting(order.instrument).filter(|r| r.0 == order.id);
    let makers = &engine.servants().makers;
    let maker = resting.and_then(|_| makers.get(order.instrument.index()).copied().flatten());
    let maker = maker.and_then(|m| engine.cast().agents.get(m.index())).map(|a| a.name.clone());
    OrderRow {
        id: order.id.0,
        at: order.at,
        venue,
        symbol,
        quantity: order.quantity.normalize(),
        filled: order.filled.normalize(),
        limit: resting.map(|r| r.2.normalize()),
        state: order.status,
        maker: maker.unwrap_or_default(),
    }
}

/// A fill as it is shown.
pub(super) fn filled(engine: &Engine, fill: &Fill) -> FillRow {
    let (venue, symbol) = names(engine, fill.instrument);
    FillRow {
        order: fill.order.0,
        number: fill.number,
        at: fill.at,
        venue,
        symbol,
        quantity: fill.quantity.normalize(),
        price: fill.price.normalize(),
        fee: fill.fee,
    }
}
