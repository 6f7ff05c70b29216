//! How the simulated lives trade: alone and open follow their targets at the pace of the desk as it is
//! configured. One implementation for both, so that they differ in their targets and in nothing else (law 2).

use super::Settings;
use crate::domain::{InstrumentKind, Span};
use crate::fills::books::Patient;
use crate::fills::pace::{PositionPace, Trades, Width, Zone};
use crate::fills::{Costs, side_rate};
use crate::market::InstrumentState;

/// One asset at one barrier, as the simulated lives on it see it.
pub(super) struct Following<'a> {
    settings: &'a Settings,
    pace: PositionPace,
    /// What trading costs a side where a zone asks for it: without impact, since a life is small.
    cost: f64,
    sigma: f64,
    close: f64,
}

impl<'a> Following<'a> {
    /// Looks at an instrument that has a price now.
    pub(super) fn new(
        settings: &'a Settings,
        kind: InstrumentKind,
        costs: &Costs,
        listing: &InstrumentState,
    ) -> Self {
        let desk = &settings.desk;
        let pace =
            PositionPace { patience: desk.patience, width: Width::Band(desk.band), shorts: kind.can_short() };
        let cost = match desk.trades {
            Trades::Band => 0.0,
            Trades::Zone => side_rate(costs, kind),
        };
        Following { settings, pace, cost, sigma: listing.sigma, close: listing.last().close }
    }

    /// A life on one of the `live` assets of an agent of this reference weight goes for `x`, a signed fraction of
    /// the hive's capital.
    pub(super) fn follow(&self, life: &mut Patient, x: f64, live: usize, weight: f64) {
        let Settings { desk, capital, clock, .. } = self.settings;
        match desk.trades {
            Trades::Band => life.decide(x, self.pace, *capital, self.close),
            Trades::Zone => {
                let per_year = clock.decide.per_year();
                let zone = Zone::of_life(self.cost, self.sigma, live, weight, per_year);
                let span_bars = desk.vol_span_days * Span::DAY.in_units_of(clock.decide);
                life.decide_in_zone(x, self.pace, &(zone, span_bars), *capital, self.close);
            }
        }
    }
}
