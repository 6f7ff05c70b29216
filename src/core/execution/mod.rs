//! How approved orders become fills: venues and the tracking of orders, as state machines without IO.
//!
//! - [`Venue`]: what any place to trade must do; [`paper`] is the one inside the program, [`account_venue`] says which an
//!   account trades at, and hands over what is to leave.
//! - [`orders`]: every order from sending to its end; decides which fills are booked (each once).
//! - [`router`]: both together: requests out, events in, and what the account has to do about them.
//!
//! The way of an order: `Gate::approve` → [`OrderRouter::place`] → [`Venue::request`] → the venue says
//! [`VenueEvent::Fill`](crate::domain::VenueEvent) → [`OrderRouter::take`] says whether to book → `Ledger::trade`.
//!
//! Never: approves anything (only an [`ApprovedOrder`](crate::treasury::ApprovedOrder) gets in), reads a
//! clock, does IO.

pub mod account_venue;
pub mod orders;
pub mod paper;
pub mod router;
pub mod venue;

pub use account_venue::{AccountVenue, Outbox};
pub use orders::{FillVerdict, OrderCounts, OrderError, OrderTracker, Tracked};
pub use paper::{KeptCoins, PaperVenue, paid_in_coins};
pub use router::{OrderReport, OrderRouter, PositionCheck};
pub use venue::{PlacedOrder, PriceFeed, Venue, VenueRequest};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod fixtures {
    //! Orders through a gate with everything wide open, for the tests of this room.

    use crate::domain::money::parse;
    use crate::domain::{AssetId, Decimal, Instrument, InstrumentId, InstrumentKind, OrderId, Stamp};
    use crate::treasury::{ApprovedOrder, Exposure, Gate, GateSettings, Mode, ProposedOrder};

    pub fn dec(text: &str) -> Decimal {
        parse(text).unwrap()
    }

    pub fn instrument(id: u16, kind: InstrumentKind) -> Instrument {
        Instrument {
            id: InstrumentId(id),
            asset: AssetId(id),
            symbol: format!("I{id}"),
            kind,
            venue: String::new(),
            quote: None,
            terms: crate::domain::ContractTerms::Plain,
            tick: dec("0.01").into(),
            lot: dec("0.001"),
            min_notional: Decimal::ZERO,
            contract: Decimal::ONE,
        }
    }

    fn pass(id: u64, on: &Instrument, quantity: Decimal, position: Decimal, at: i64) -> ApprovedOrder {
        let wide = f64::INFINITY;
        let settings =
            GateSettings { gross_max: wide, net_max: wide, order_max: wide, ..GateSettings::default() };
        let one = Decimal::ONE;
        let proposal = ProposedOrder {
            id: OrderId(id),
            instrument: on.id,
            quantity,
            reference: one,
            reduce_only: !position.is_zero(),
            at: Stamp(at),
        };
        let exposure = Exposure {
            equity: one,
            position,
            open_order: Decimal::ZERO,
            gross: one,
            net: one,
            feed_age: crate::domain::Span(0),
            tradable: true,
            bar_volume: wide,
            last_confirmed: one,
        };
        Gate::new(settings).approve(&proposal, on, &exposure, Mode::Running).unwrap()
    }

    /// Order `id` on instrument `on`, decided at `at`.
    pub fn order(id: u64, on: u16, quantity: &str, at: i64) -> ApprovedOrder {
        order_of(id, &instrument(on, InstrumentKind::Perp), dec(quantity), at)
    }

    /// The same of an instrument with rules of its own.
    pub fn order_of(id: u64, on: &Instrument, quantity: Decimal, at: i64) -> ApprovedOrder {
        pass(id, on, quantity, Decimal::ZERO, at)
    }

    /// The same, reduce-only against a position as large as the order.
    pub fn reducing(id: u64, on: u16, quantity: &str, at: i64) -> ApprovedOrder {
        pass(id, &instrument(on, InstrumentKind::Perp), dec(quantity), -dec(quantity), at)
    }
}
