//! How the simulated lives trade: alone and open follow their targets at the pace of the desk as it is
//! configured, and are liquidated where their stake bears them no more. One implementation for both, so that they differ in
//! their targets and in nothing else (law 2).

use super::Settings;
use crate::agents::{Agent, Population};
use crate::domain::{InstrumentKind, Span, Stamp};
use crate::fills::books::Patient;
use crate::fills::liquidation::{AssetPrices, MarginTiers, PriceRange, Stake};
use crate::fills::pace::{PositionPace, Trades, Width, Zone};
use crate::fills::{Costs, side_rate};
use crate::market::{InstrumentState, Market};

/// One asset at one barrier, as the simulated lives on it see it.
#[derive(Clone, Copy)]
pub(super) struct Following<'a> {
    settings: &'a Settings,
    pace: PositionPace,
    /// What trading costs a side where a zone asks for it: without impact, since a life is small.
    cost: f64,
    sigma: f64,
    close: f64,
    /// The most that can be opened on a stake, in multiples of it: each of an agent's assets has an equal part.
    lever_max: f64,
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
        let lever_max = MarginTiers::of(kind).lever_max();
        Following { settings, pace, cost, sigma: listing.sigma, close: listing.last().close, lever_max }
    }

    /// The same at another price, between two closes.
    pub(super) fn at(self, close: f64) -> Self {
        Following { close, ..self }
    }

    /// A life on one of the `live` assets of an agent of this reference weight goes for `x`, a signed fraction of
    /// the hive's capital.
    pub(super) fn follow(&self, life: &mut Patient, x: f64, live: usize, weight: f64) {
        let Settings { desk, capital, clock, .. } = self.settings;
        let orders = match desk.trades {
            Trades::Band => life.decide(x, self.pace, *capital, self.close),
            Trades::Zone => {
                let per_year = clock.decide.per_year();
                let zone = Zone::of_life(self.cost, self.sigma, live, weight, per_year);
                let span_bars = desk.vol_span_days * Span::DAY.in_units_of(clock.decide);
                life.decide_in_zone(x, self.pace, &(zone, span_bars), *capital, self.close)
            }
        };
        if orders {
            life.book.order_within(self.lever_max * weight / live as f64 * capital / self.close);
        }
    }
}

impl Following<'_> {
    /// What rests for a life that may open at a level, its price and its position as a fraction of own capital, rests for
    /// who follows it too: at its weight, while it holds and wants nothing else.
    pub(super) fn rest(&self, life: &mut Patient, resting: Option<(f64, f64)>, live: usize, weight: f64) {
        let held = &mut life.book;
        let Some((limit, x)) = resting.filter(|_| held.quantity == 0.0 && held.order == 0.0) else {
            return if held.resting != 0.0 {
                held.rest(0.0, 0.0);
            };
        };
        let most = self.lever_max * weight / live as f64;
        let least = if self.pace.shorts { -most } else { 0.0 };
        let wanted = (self.pace.patience * weight * x).clamp(least, most);
        held.rest(wanted * self.settings.capital / limit, limit);
    }
}

/// The margin of simulated lives as a barrier looks at it, once everybody has decided: who is ruined decides anew at the
/// next one.
pub(super) struct Margins<'a> {
    cast: &'a Population,
    /// What each stake is, in currency.
    reference: f64,
    prices: AssetPrices,
}

impl<'a> Margins<'a> {
    /// At a barrier, by which all bars of the stamp are in.
    pub(super) fn new(
        cast: &'a Population,
        settings: &Settings,
        kinds: &[InstrumentKind],
        market: &Market,
        at: Stamp,
    ) -> Self {
        let range =
            |(l, kind): (&InstrumentState, &InstrumentKind)| PriceRange::new(l.last(), l.is_fresh(at), *kind);
        Margins {
            cast,
            reference: cast.stake(settings.capital),
            prices: AssetPrices::new(market.desk().iter().zip(kinds).map(range).collect()),
        }
    }

    /// Takes over whatever its stake bears no more, by declared agent and by declared slot; PnL of all.
    pub(super) fn look<L: AsRef<Patient> + AsMut<Patient>>(
        &self,
        stakes: &mut [Stake],
        lives: &mut [L],
    ) -> f64 {
        let mut pnl = 0.0;
        for (agent, stake) in self.cast.agents.iter().zip(stakes) {
            pnl = self.look_at(agent, stake, lives, pnl);
        }
        pnl
    }

    /// The same of one agent, among the lives of all declared slots; gives `pnl` and what its own gained.
    #[inline]
    pub(super) fn look_at<L: AsRef<Patient> + AsMut<Patient>>(
        &self,
        agent: &Agent,
        stake: &mut Stake,
        lives: &mut [L],
        pnl: f64,
    ) -> f64 {
        let own = (&mut lives[agent.slots.clone()], &self.cast.slots[agent.slots.clone()]);
        stake.look(self.reference, own, |slot| slot.asset.index(), &self.prices, pnl)
    }
}
