//! What the real life is made from and does not change during a run.

use crate::agents::Population;
use crate::agents::structures::listed::ListedInstruments;
use crate::domain::instrument::venues;
use crate::domain::{Decimal, Instrument, InstrumentId, Stamp, Universe, step};
use crate::engine::services::ServiceSpec;
use crate::engine::{Settings, TradesAt};
use crate::execution::KeptCoins;
use crate::market::Market;
use crate::treasury::desk::{DeskQuote, DeskSpec};
use crate::treasury::settings::ServiceSettings;
use std::sync::Arc;

/// What does not change during a run.
#[derive(Clone, Debug)]
pub struct RealSpec {
    /// What the desk is made from.
    pub desk: DeskSpec,
    /// All instruments that may be held, in their order: the desk's, and up to the last spot that carries.
    pub instruments: Vec<Instrument>,
    /// Names of the venues at which they trade, as [`VenueId`](crate::domain::VenueId) counts them.
    pub venues: Vec<String>,
    /// How many of them are the desk's.
    pub traded: usize,
    /// Who serves the desk.
    pub services: ServiceSpec,
    /// Everything that is listed, as structures need it.
    pub listed: Arc<ListedInstruments>,
    /// Whether structures have money: then all that is listed may be held.
    pub has_packages: bool,
}

impl RealSpec {
    /// Makes it for a cast on a universe, with the services of that cast.
    pub fn new(cast: &Population, universe: &Universe, settings: &Settings) -> Self {
        // Two legs that follow each other, and an order that is moved while it rests, are not yet held together where a cancel
        // may fail and an order end unfilled: outside, nobody serves.
        let is_served = settings.trades == TradesAt::Paper;
        let ServiceSettings { carry, liquidity, .. } = settings.services;
        let (carry, liquidity) = (carry && is_served, liquidity && is_served);
        let services = ServiceSettings { carry, liquidity, ..settings.services };
        let spec = ServiceSpec::new(cast, universe, &Settings { services, ..settings.clone() });
        let served = RealSpec::served(cast, universe, settings, spec);
        // Legs are not yet held together where an order's fate may be unknown: outside, structures have no money.
        let has_packages = is_served && !cast.structures.is_empty();
        if !has_packages {
            return served;
        }
        let instruments = universe.instruments.clone();
        RealSpec { venues: venues(&instruments).0, instruments, has_packages, ..served }
    }

    /// Makes it with these services, whoever is in the cast.
    pub fn served(
        cast: &Population,
        universe: &Universe,
        settings: &Settings,
        services: ServiceSpec,
    ) -> Self {
        let traded = universe.desk().len();
        let instruments = universe.instruments[..services.instruments(traded)].to_vec();
        RealSpec {
            desk: DeskSpec::new(settings.desk, cast, universe, &settings.costs, settings.clock.decide),
            venues: venues(&instruments).0,
            instruments,
            traded,
            services,
            listed: Arc::clone(&cast.listed),
            has_packages: false,
        }
    }

    /// The smallest quantity that is whole lots of an instrument of the desk and of the spot that is carried beside it: the
    /// coarser lot where one is a multiple of the other. None where no decimal is.
    pub(super) fn lot_of_both(&self, desk_index: usize) -> Option<Decimal> {
        let perp = self.instruments[desk_index].lot;
        let spot = self.services.carried(desk_index).map(|spot| self.instruments[spot.index()].lot);
        spot.map_or(Some(perp), |spot| step::common_multiple(perp, spot))
    }

    /// What a trade in each instrument moves at the venue inside the program.
    pub(super) fn coins(&self) -> Vec<KeptCoins> {
        let each = self.instruments.iter().map(|i| i.id);
        if !self.has_packages {
            return each.map(KeptCoins::own).collect();
        }
        let kept = |id| {
            if self.moves_coins(id) {
                KeptCoins { coin: self.listed.coin(id), pays: self.listed.pays(id) }
            } else {
                KeptCoins::own(id)
            }
        };
        each.map(kept).collect()
    }

    /// Whether a trade in it moves coins that are kept elsewhere. What the desk trades it books as it is.
    fn moves_coins(&self, id: InstrumentId) -> bool {
        id.index() >= self.traded
    }

    /// Whether a package may hold it: what the desk books as money and a package as coins would be two books of one thing.
    pub(super) fn may_package(&self, id: InstrumentId) -> bool {
        self.moves_coins(id) || self.listed.pays(id).is_none() && self.listed.coin(id) == id
    }

    /// The desk's instruments.
    pub fn desk_instruments(&self) -> &[Instrument] {
        &self.instruments[..self.traded]
    }

    /// Every instrument of the desk that has a price now, in their order.
    pub(in crate::engine) fn quotes(&self, at: Stamp, market: &Market) -> Vec<DeskQuote> {
        let fresh = |i: &&Instrument| market.instruments[i.id.index()].is_fresh(at);
        let quote = |i: &Instrument| {
            let l = &market.instruments[i.id.index()];
            DeskQuote {
                instrument: i.id,
                close: l.last().close,
                change: l.change,
                sigma: l.sigma,
                volume: l.last().volume,
            }
        };
        self.desk_instruments().iter().filter(fresh).map(quote).collect()
    }
}
