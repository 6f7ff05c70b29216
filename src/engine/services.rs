//! What agents do for each other beside saying what to hold: carry agents choose the instrument, makers work
//! the orders, and what neither needs is lent. See [`expression`](crate::treasury::expression) for the rules
//! of the first.
//!
//! # How it is booked
//!
//! Agents always hold their asset as its perp: Σ of their parts is n, the exposure. Whoever carries holds
//! +s of the spot and −s of the perp beside them. The venue sees s of the spot and f = n − s of the perp;
//! what the desk buys as spot is a crossing of agents and carrier at the mark, and costs nobody twice. The
//! carrier's book is the carry's receipt, to the last digit: funding and basis less the cost of changing.
//!
//! # Invariants
//!
//! 1. s + f = n at every booking, whatever part of an order the venue filled.
//! 2. The two legs of a switch leave together or not at all. If one is filled and the other is not, the next
//!    decision undoes it in the perp, at once. What the desk wants anyway is bought or sold as spot with one leg.
//! 3. Without a carry agent, a maker or the settings, nothing here changes anything.
//! 4. A worked order is a decided order: only its price moves. It crosses the spread at the next decision if
//!    that still wants it, and is taken back if it does not.

use super::real::{Real, RealSpec};
use super::works::{Work, Worked};
use super::{Outputs, Settings};
use crate::agents::Cast;
use crate::domain::{
    AgentId, AssetId, CarryQuote, Decimal, Family, Fill, InstrumentId, InstrumentKind, MarketEvent, Money,
    Receipt, Service, Span, Stamp, Universe, money,
};
use crate::execution::Venue;
use crate::fills::{Costs, fee_rate};
use crate::market::board::Told;
use crate::market::{Board, Listing};
use crate::treasury::desk::{Steer, Wanted};
use crate::treasury::expression::{Known, Line, Terms, express};
use crate::treasury::settings::ServiceSettings;
use serde::{Deserialize, Serialize};

/// A quote older than this neither enters nor leaves …
const HELD_AFTER: Span = Span(Span::DAY.0);
/// … and one older than this is none.
const STALE_AFTER: Span = Span(3 * Span::DAY.0);

/// Who serves on what.
#[derive(Clone, Debug, Default)]
pub struct ServiceSpec {
    /// By instrument of the desk: the spot of the same asset.
    pub spots: Vec<Option<InstrumentId>>,
    /// By instrument: the desk's place whose spot it is.
    places: Vec<Option<usize>>,
    /// By instrument of the desk: whose book carries; none: nobody says what it is worth.
    pub carriers: Vec<Option<AgentId>>,
    /// By instrument of the desk: who works its orders.
    pub makers: Vec<Option<AgentId>>,
}

/// The state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Services {
    /// By asset: V as last said, and by whom it counts.
    pub quotes: Vec<Option<Told<f64>>>,
    /// By instrument of the desk: held in spot.
    pub carried: Vec<Decimal>,
    /// Of that, what the carrier is short of in the perp.
    mirrored: Vec<Decimal>,
    /// Orders that are worked.
    pub(super) work: Vec<Work>,
    /// By instrument of the desk: orders worked, as they were filled.
    pub(super) fills: Vec<Worked>,
    /// PnL of the carriers when it was last told …
    told: Vec<(AgentId, Money)>,
    /// … and what was filled.
    told_fills: Vec<Worked>,
}

impl ServiceSpec {
    /// Whose services a cast has on a universe.
    pub fn new(cast: &Cast, universe: &Universe, settings: &Settings) -> Self {
        let spots = spots(universe);
        let first = |family: Family, asset: usize| {
            let of = |s: &&crate::agents::cast::Structure| {
                s.asset.index() == asset && cast.agents[s.agent.index()].family == family
            };
            cast.structures.iter().filter(of).map(|s| s.agent).min()
        };
        let n = universe.desk().len();
        let flat = settings.costs.is_flat();
        let carries = settings.services.carry && !flat;
        let carriers = (0..n).map(|i| spots[i].and(first(Family::Funding, i)).filter(|_| carries)).collect();
        let makers =
            (0..n).map(|i| first(Family::MarketMaking, i).filter(|_| settings.services.liquidity)).collect();
        ServiceSpec::of(spots, carriers, makers, universe)
    }

    /// An account that knows all and serves itself; `owner` keeps the book of the carry.
    pub fn centre(owner: AgentId, universe: &Universe, settings: &ServiceSettings) -> Self {
        let spots = spots(universe);
        let n = universe.desk().len();
        let carriers = (0..n).map(|i| spots[i].map(|_| owner).filter(|_| settings.carry)).collect();
        let makers = vec![settings.liquidity.then_some(owner); n];
        ServiceSpec::of(spots, carriers, makers, universe)
    }

    fn of(
        spots: Vec<Option<InstrumentId>>,
        carriers: Vec<Option<AgentId>>,
        makers: Vec<Option<AgentId>>,
        universe: &Universe,
    ) -> Self {
        let mut places = vec![None; universe.instruments.len()];
        for (i, spot) in spots.iter().enumerate().filter(|(i, _)| carriers[*i].is_some()) {
            if let Some(spot) = spot {
                places[spot.index()] = Some(i);
            }
        }
        ServiceSpec { spots, places, carriers, makers }
    }

    /// The desk's place whose spot an instrument is, where it is carried.
    pub fn place(&self, instrument: InstrumentId) -> Option<usize> {
        self.places.get(instrument.index()).copied().flatten()
    }

    /// Spot instruments that may be held.
    pub fn held(&self) -> impl Iterator<Item = (usize, InstrumentId, AgentId)> + '_ {
        let each = self.spots.iter().zip(&self.carriers).enumerate();
        each.filter_map(|(i, (spot, carrier))| Some((i, (*spot)?, (*carrier)?)))
    }

    /// Whose books carry, each once.
    pub fn carrying(&self) -> Vec<AgentId> {
        let mut owners: Vec<AgentId> = self.held().map(|h| h.2).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// How many instruments have to be kept, from the first.
    pub fn instruments(&self, desk: usize) -> usize {
        self.held().map(|(_, spot, _)| spot.index() + 1).fold(desk, usize::max)
    }
}

/// By instrument of the desk: spot of the same asset in the account's currency, at its own venue if it is
/// there. Only perps have one.
fn spots(universe: &Universe) -> Vec<Option<InstrumentId>> {
    let spot = |perp: &crate::domain::Instrument| {
        let fits = |i: &&crate::domain::Instrument| {
            i.asset == perp.asset && i.kind == InstrumentKind::Spot && i.quote.is_none()
        };
        let all = || universe.instruments.iter().filter(fits);
        let near = all().find(|i| i.venue == perp.venue).or_else(|| all().next());
        near.filter(|_| perp.kind == InstrumentKind::Perp).map(|i| i.id)
    };
    universe.desk().iter().map(spot).collect()
}

impl Services {
    /// Nothing is carried, nothing worked.
    pub fn new(desk: usize) -> Self {
        Services {
            quotes: vec![None; desk],
            carried: vec![Decimal::ZERO; desk],
            mirrored: vec![Decimal::ZERO; desk],
            work: vec![Work::new(); desk],
            fills: vec![Worked::default(); desk],
            told: Vec::new(),
            told_fills: vec![Worked::default(); desk],
        }
    }

    /// A carry agent has spoken.
    pub fn hear(&mut self, asset: AssetId, at: Stamp, quote: &CarryQuote) {
        if let Some(place) = self.quotes.get_mut(asset.index()) {
            *place = Some(Told { at, value: quote.value });
        }
    }

    /// All worked orders so far.
    pub fn worked(&self) -> Worked {
        self.fills.iter().fold(Worked::default(), |a, b| a.plus(b, 1.0))
    }

    /// What the carrier should still be short of in the perp.
    pub(super) fn unmirrored(&self, place: usize) -> Decimal {
        self.carried[place] - self.mirrored[place]
    }

    /// What the perp book was told.
    pub(super) fn mirror(&mut self, place: usize) {
        self.mirrored[place] = self.carried[place];
    }

    /// The carrier's part of a perp.
    pub(super) fn perp(&self, place: usize) -> Decimal {
        -self.mirrored[place]
    }
}

/// What a decision makes of the two legs of an asset.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    /// Base units of spot to trade.
    pub spot: Decimal,
    /// Of what the desk holds too little or too much, what the decision before asked for and a leg that was
    /// not filled left undone: it is made good at once, in the perp.
    pub due: Decimal,
}

impl Real {
    /// The price of a spot instrument, and whether it can trade now.
    fn spot_now(board: &Board, spot: InstrumentId, at: Stamp, clock: Span) -> (f64, bool) {
        let price = board.price(spot);
        price.map_or((f64::NAN, false), |p| (p.value, at.since(p.at).0 < clock.0))
    }

    /// Chooses instruments for what the desk is about to trade, and says what was missed.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn express(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        at: Stamp,
        listings: &[Listing],
        board: &Board,
        steer: &Steer,
        wanted: &[Wanted],
    ) -> Vec<Change> {
        let mut changes = vec![Change::default(); spec.traded];
        let services = &settings.services;
        if spec.services.held().next().is_none() || steer.equity <= 0.0 {
            return changes;
        }
        let running = self.mode() == crate::treasury::Mode::Running && !steer.flatten;
        let mut lines = Vec::new();
        let mut facts = Vec::new();
        for (i, listing) in listings.iter().enumerate().take(spec.traded) {
            let id = InstrumentId(i as u16);
            let place = wanted.iter().position(|w| w.instrument == id);
            let held = spec.desk.atoms(id).quantity(self.desk.held(id));
            let carrier = spec.services.carriers[i].and(spec.services.spots[i]);
            let mut want = place.map_or(Decimal::ZERO, |p| wanted[p].quantity);
            let (mut spot, mut price, mut open) = (0.0, f64::NAN, false);
            if let Some(s) = carrier {
                (price, open) = Real::spot_now(board, s, at, settings.clock.decide);
                open &= place.is_some();
                let missed = place.map_or(Decimal::ZERO, |_| self.orders.open_quantity(s));
                if !missed.is_zero() {
                    self.withdraw(s);
                    changes[i].due = missed + self.venue.working(id).map_or(Decimal::ZERO, |w| w.1);
                }
                if want.is_zero() {
                    want = changes[i].due + self.venue.resting(id).map_or(Decimal::ZERO, |r| r.1);
                }
                if price.is_finite() {
                    spot = money::to_estimate(self.services.carried[i]) * price / steer.equity;
                }
            }
            let unit = listing.last.close / steer.equity;
            let estimate = |q: Decimal| if q.is_zero() { 0.0 } else { money::to_estimate(q) * unit };
            let quote = self.services.quotes[i];
            let age = quote.map_or(Span(i64::MAX), |q| at.since(q.at));
            let known = match () {
                () if !running || age.0 > STALE_AFTER.0 => Known::Stale,
                () if age.0 > HELD_AFTER.0 => Known::Held,
                () => Known::Fresh,
            };
            lines.push(Line {
                change: estimate(want),
                target: estimate(held + want),
                spot: if steer.flatten && open { 0.0 } else { spot },
                spot_cost: carrier.map_or(0.0, |s| side(settings, &spec.instruments[s.index()])),
                perp_cost: side(settings, &spec.instruments[i]),
                value: quote.map_or(0.0, |q| q.value),
                known,
                open,
            });
            facts.push((price, spot));
        }
        let terms = Terms {
            capital: services.capital,
            flow: services.flow,
            netting: services.netting,
            beyond: services.beyond,
        };
        express(&terms, &mut lines);
        for (i, (line, (price, before))) in lines.iter().zip(facts).enumerate() {
            let Some(spot) = spec.services.carriers[i].and(spec.services.spots[i]) else { continue };
            if !line.open || (line.spot - before).abs() < 1e-9 {
                continue;
            }
            let lot = spec.instruments[spot.index()].lot.max(spec.instruments[i].lot);
            let quantity = if line.spot == 0.0 {
                -self.services.carried[i]
            } else {
                let coins = (line.spot - before) * steer.equity / price;
                in_lots(coins, lot)
            };
            let worth = money::to_estimate(quantity).abs() * price;
            if worth >= money::to_estimate(spec.instruments[spot.index()].min_notional) {
                changes[i].spot = quantity;
            }
        }
        changes
    }

    /// An event of an instrument that the desk does not trade: spot that is carried may fill.
    pub fn other(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        event: &MarketEvent,
        listings: &[Listing],
        board: &Board,
        out: &mut Outputs,
    ) {
        let Some(id) = event.instrument() else { return };
        let Some(place) = spec.services.place(id) else { return };
        if self.working[id.index()].is_none() {
            return;
        }
        let instrument = &spec.instruments[id.index()];
        let sigma = listings[place].sigma_before;
        let fill = match event {
            MarketEvent::Bar { at, bar, .. } => {
                let open_at = Stamp(at.0 - settings.clock.decide.0);
                self.venue.on_bar(instrument, open_at, bar, sigma, settings.costs.of(instrument))
            }
            MarketEvent::Quote { at, .. } => {
                let Some(top) = board.get(id).and_then(|q| q.top) else { return };
                let wanted = self.orders.open_quantity(id);
                let price = if wanted.is_sign_negative() { top.value.bid } else { top.value.ask };
                // The spread is in the quote: a bar of this one price, for the fee and the tick alone.
                let bar = crate::domain::Bar {
                    open: price,
                    high: price,
                    low: price,
                    close: price,
                    volume: f64::INFINITY,
                };
                self.venue.on_bar(instrument, *at, &bar, 0.0, &without_spread(settings.costs.of(instrument)))
            }
            _ => None,
        };
        let Some(fill) = fill else { return };
        self.book_spot(spec, place, id, &fill, out);
    }

    /// Books a fill of spot to the carrier.
    pub(super) fn book_spot(
        &mut self,
        spec: &RealSpec,
        place: usize,
        id: InstrumentId,
        fill: &Fill,
        out: &mut Outputs,
    ) {
        let Some(carrier) = spec.services.carriers[place] else { return };
        let verdict = self.orders.on_fill(fill);
        let venue = crate::execution::venue::is_venue_order(fill.order);
        if !venue && !verdict.is_booked() {
            let symbol = &spec.instruments[id.index()].symbol;
            return self.halt(format!("{symbol}: a fill that cannot be booked: {verdict:?}"), out);
        }
        self.services.carried[place] += fill.quantity;
        out.fills.push(*fill);
        match self.ledger.trade(id, fill.mark, &[(carrier, fill.quantity)], Some(fill)) {
            Ok(report) => self.paid += report.fee + report.slippage,
            Err(e) => {
                let symbol = &spec.instruments[id.index()].symbol;
                self.halt(format!("{symbol}: the books refused a trade: {e}"), out);
            }
        }
        if self.orders.open_quantity(id).is_zero() {
            self.working[id.index()] = None;
        }
    }

    /// What was earned or saved since it was last told: by whom, and the receipt.
    pub(super) fn receipts(&mut self, spec: &RealSpec) -> Vec<(AgentId, Receipt)> {
        let mut all = Vec::new();
        for owner in spec.services.carrying() {
            let Ok(pnl) = self.ledger.pnl(owner, &self.marks) else { continue };
            let told = &mut self.services.told;
            let place = told.iter().position(|t| t.0 == owner).unwrap_or_else(|| {
                told.push((owner, Decimal::ZERO));
                told.len() - 1
            });
            let saved = money::to_estimate(pnl - std::mem::replace(&mut told[place].1, pnl));
            let own = spec.services.held().filter(|h| h.2 == owner);
            let worth = own.map(|(i, spot, _)| {
                money::to_estimate(self.services.carried[i]) * money::to_estimate(self.marks[spot.index()])
            });
            let notional: f64 = worth.sum();
            if saved != 0.0 || notional != 0.0 {
                all.push((owner, Receipt { service: Service::Carry, saved, notional }));
            }
        }
        let mut makers: Vec<AgentId> = spec.services.makers.iter().flatten().copied().collect();
        makers.sort_unstable();
        makers.dedup();
        for maker in makers {
            let mut new = Worked::default();
            for place in (0..spec.traded).filter(|i| spec.services.makers[*i] == Some(maker)) {
                let now = self.services.fills[place];
                let before = std::mem::replace(&mut self.services.told_fills[place], now);
                new = new.plus(&now, 1.0).plus(&before, -1.0);
            }
            let notional = new.rested + new.crossed;
            if notional > 0.0 {
                let saved = new.taking - new.cost;
                all.push((maker, Receipt { service: Service::Liquidity, saved, notional }));
            }
        }
        all
    }
}

/// Coins toward zero in whole lots.
fn in_lots(coins: f64, lot: Decimal) -> Decimal {
    let lots = libm::floor(libm::fabs(coins) / money::to_estimate(lot) + 1e-9);
    let size = money::from_estimate(lots, 0).and_then(|n| n.checked_mul(lot)).unwrap_or_default();
    if coins < 0.0 { -size } else { size }
}

/// What taking an instrument once costs, as a fraction: fee and half the spread.
fn side(settings: &Settings, instrument: &crate::domain::Instrument) -> f64 {
    match settings.costs.of(instrument) {
        Costs::Flat(c) => *c,
        Costs::Bars(b) => {
            b.half_spread.of(instrument.kind) + fee_rate(&Costs::Bars(*b), instrument.kind, false)
        }
    }
}

/// The fee and nothing else.
fn without_spread(costs: &Costs) -> Costs {
    match costs {
        Costs::Flat(c) => Costs::Flat(*c),
        Costs::Bars(b) => {
            let none = crate::fills::PerKind { spot: 0.0, perp: 0.0 };
            Costs::Bars(crate::fills::BarCosts { half_spread: none, impact: 0.0, ..*b })
        }
    }
}
