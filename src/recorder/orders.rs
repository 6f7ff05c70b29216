//! What the desk has at the venue, read off the engine: orders that may still fill, and fills.

use crate::domain::{Fill, InstrumentId, OrderKind};
use crate::engine::Engine;
use crate::execution::orders::Tracked;
use crate::view::orders::{FillRow, ORDERS_MAX, OrderRow};

/// Orders that may still fill, the newest first, and how many are left out.
pub(super) fn open(engine: &Engine) -> (Vec<OrderRow>, u64) {
    let mut rows: Vec<OrderRow> =
        engine.respond.real.execution.router.orders.open().map(|o| row(engine, o)).collect();
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
    let resting = if let OrderKind::Limit(limit, _) = order.kind { Some(limit) } else { None };
    let maker = engine.worker(order.id, order.instrument);
    let maker = maker.and_then(|m| engine.cast().agents.get(m.index())).map(|a| a.name.clone());
    OrderRow {
        id: order.id.0,
        at: order.at,
        venue,
        symbol,
        quantity: order.quantity.normalize(),
        filled: order.filled.normalize(),
        limit: resting.map(|l| l.normalize()),
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
