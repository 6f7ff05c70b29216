//! How the account trades: what the desk wants, what lets orders out, where they go, and what serves them.

use super::spec::RealSpec;
use crate::domain::instrument::venues;
use crate::domain::{Decimal, InstrumentId, OrderId};
use crate::engine::Settings;
use crate::engine::packages::Packages;
use crate::engine::services::Services;
use crate::execution::{OrderRouter, Tracked, Venue};
use crate::treasury::Gate;
use crate::treasury::desk::DeskState;
use serde::{Deserialize, Serialize};

/// Desk, gate and orders at a venue; what comes of them is the account's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Execution<V> {
    /// Stances become positions.
    pub desk: DeskState,
    /// What lets orders out.
    pub gate: Gate,
    /// What was sent to the venue, and what became of it.
    pub router: OrderRouter<V>,
    /// What agents do for each other.
    pub services: Services,
    /// What structures do with money.
    pub packages: Packages,
    /// By instrument: the order that may still fill.
    pub(super) working: Vec<Option<OrderId>>,
    pub(super) next_order: u64,
    pub(super) sent: u64,
}

impl<V: Venue> Execution<V> {
    /// Nothing was sent yet to this venue.
    pub fn new(venue: V, spec: &RealSpec, settings: &Settings, packages: Packages) -> Self {
        let n = spec.instruments.len();
        Execution {
            desk: DeskState::new(&spec.desk),
            gate: Gate::new(settings.gate),
            router: OrderRouter::new(venue, venues(&spec.instruments).1),
            services: Services::new(spec.traded),
            packages,
            working: vec![None; n],
            next_order: 1,
            sent: 0,
        }
    }

    /// What the account holds of an instrument: what the desk does, and what packages do.
    pub fn position(&self, spec: &RealSpec, id: InstrumentId) -> Decimal {
        let desk = self.desk_position(spec, id);
        if spec.has_packages { desk + self.packages.position(id) } else { desk }
    }

    /// What the desk holds of an instrument: of a perp, what all agents hold and what the carrier is short.
    pub(super) fn desk_position(&self, spec: &RealSpec, id: InstrumentId) -> Decimal {
        if id.index() < spec.traded {
            let agents = spec.desk.atoms(id).quantity(self.desk.held(id));
            let carried = self.services.assets[id.index()].perp();
            return if carried.is_zero() { agents } else { agents + carried };
        }
        spec.services.desk_index(id).map_or(Decimal::ZERO, |index| self.services.assets[index].spot_held)
    }

    /// What may still fill of the desk's orders in an instrument, signed.
    pub(super) fn open_of_desk(&self, id: InstrumentId) -> Decimal {
        let of_desk = |o: &&Tracked| o.instrument == id && self.packages.owner(o.id).is_none();
        self.router.orders.open().filter(of_desk).map(Tracked::open).sum()
    }

    /// Orders that reached the venue.
    pub fn orders_sent(&self) -> u64 {
        self.sent
    }

    /// What is left of the market order that works in an instrument, signed.
    pub(super) fn market_order(&self, id: InstrumentId) -> Decimal {
        let order = self.working[id.index()].and_then(|o| self.router.orders.get(o));
        order.map_or(Decimal::ZERO, Tracked::open)
    }
}
