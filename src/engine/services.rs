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
//! 2. The two legs of a change leave together or not at all. If one is filled and the other is not, the next
//!    decision undoes it in the perp.
//! 3. Without a carry agent, a maker or the settings, nothing here changes anything.
//! 4. A worked order is a decided order: only its price moves. It crosses the spread at the next decision if
//!    that still wants it, and is taken back if it does not.

use super::real::{Real, RealSpec};
use super::{Outputs, Settings};
use crate::agents::Cast;
use crate::domain::{
    AgentId, AssetId, CarryQuote, Decimal, Family, Fill, InstrumentId, InstrumentKind, MarketEvent, Money,
    OrderId, Receipt, Service, Span, Stamp, Universe, money,
};
use crate::execution::Venue;
use crate::fills::{Costs, fee_rate, take};
use crate::market::board::Told;
use crate::market::indicators::Weighted;
use crate::market::{Board, Listing};
use crate::treasury::desk::{Steer, Wanted};
use crate::treasury::expression::{Known, Line, Terms, express};
use crate::treasury::settings::ServiceSettings;
use serde::{Deserialize, Serialize};

/// A quote older than this neither enters nor leaves …
const HELD_AFTER: Span = Span(Span::DAY.0);
/// … and one older than this is none.
const STALE_AFTER: Span = Span(3 * Span::DAY.0);
/// Bars of the fast clock that its volatility is measured over.
const FAST_SPAN: f64 = 96.0;
/// Bars of it before an order is worked.
const FAST_KNOWN: u32 = 48;
/// κ, the distance of a limit in volatilities of a fast bar: up to a quarter of an hour, and above.
const KAPPA: (f64, f64) = (1.0, 0.25);

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
    work: Vec<Work>,
    /// By instrument of the desk: orders worked, as they were filled.
    fills: Vec<Worked>,
    /// PnL of the carriers when it was last told …
    told: Vec<(AgentId, Money)>,
    /// … and what was filled.
    told_fills: Vec<Worked>,
}

/// An instrument's worked order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Work {
    volatility: Weighted,
    /// Of the last fast bar; zero before the first.
    close: f64,
    /// Close of the last fast bar, and the time from the one before to it.
    at: Option<Stamp>,
    span: Span,
    order: Option<OrderId>,
    /// Open of the first bar after the decision; zero before it is known.
    arrival: f64,
    /// What taking a unit at the arrival would have cost.
    taking: f64,
    /// The same of what crosses now because it was not filled.
    late: Option<(OrderId, f64, f64)>,
}

/// Sums over worked orders, in currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Worked {
    /// Notional that was filled while resting …
    pub rested: f64,
    /// … and that crossed in the end.
    pub crossed: f64,
    /// Cost against the arrival price, fees included.
    pub cost: f64,
    /// What taking at the arrival would have cost.
    pub taking: f64,
}

impl Worked {
    /// Effective cost against the arrival price, as a fraction; none before anything was filled.
    pub fn effective(&self) -> Option<f64> {
        let all = self.rested + self.crossed;
        (all > 0.0).then(|| self.cost / all)
    }
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
        let work = Work {
            volatility: Weighted::new(FAST_SPAN),
            close: 0.0,
            at: None,
            span: Span(0),
            order: None,
            arrival: 0.0,
            taking: 0.0,
            late: None,
        };
        Services {
            quotes: vec![None; desk],
            carried: vec![Decimal::ZERO; desk],
            mirrored: vec![Decimal::ZERO; desk],
            work: vec![work; desk],
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
}

impl Real {
    /// The price of a spot instrument, and whether it can trade now.
    fn spot_now(board: &Board, spot: InstrumentId, at: Stamp, clock: Span) -> (f64, bool) {
        let price = board.price(spot);
        price.map_or((f64::NAN, false), |p| (p.value, at.since(p.at).0 < clock.0))
    }

    /// Chooses instruments for what the desk is about to trade. What was missed is undone in `wanted`.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn express(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        at: Stamp,
        listings: &[Listing],
        board: &Board,
        steer: &Steer,
        wanted: &mut [Wanted],
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
                let missed = self.orders.open_quantity(s);
                let perp_done = self.orders.open_quantity(id).is_zero();
                self.withdraw(s);
                if let Some(p) = place.filter(|_| want.is_zero() && perp_done && !missed.is_zero()) {
                    want = missed;
                    wanted[p].quantity = missed;
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

    /// Whether a maker works the orders of a place now.
    fn is_worked(&self, spec: &RealSpec, place: usize) -> bool {
        let w = &self.services.work[place];
        spec.services.makers[place].is_some() && w.volatility.seen() >= FAST_KNOWN && w.close > 0.0
    }

    /// The limit of a worked order on this side, from what is known now.
    fn limit(&self, spec: &RealSpec, place: usize, side: f64) -> Option<Decimal> {
        let w = &self.services.work[place];
        let kappa = if w.span.0 <= Span::HOUR.0 / 4 { KAPPA.0 } else { KAPPA.1 };
        let price = w.close * (1.0 - side * kappa * libm::sqrt(w.volatility.mean()));
        let tick = spec.instruments[place].tick;
        let ticks = price / money::to_estimate(tick);
        let whole = if side > 0.0 { libm::floor(ticks) } else { libm::ceil(ticks) };
        money::from_estimate(whole.max(1.0), 0)?.checked_mul(tick)
    }

    /// Splits what a decision wants into what crosses now and what is worked; the first is what was worked
    /// since the last decision and is still wanted.
    pub(super) fn split(&mut self, spec: &RealSpec, place: usize, wanted: Decimal) -> (Decimal, Decimal) {
        let id = InstrumentId(place as u16);
        let left = self.venue.resting(id).map_or(Decimal::ZERO, |(_, left, _)| left);
        self.rest_no_more(id);
        self.services.work[place].late = None;
        if !self.is_worked(spec, place) || self.mode() != crate::treasury::Mode::Running {
            return (wanted, Decimal::ZERO);
        }
        let same = wanted.is_zero() || left.is_sign_negative() == wanted.is_sign_negative();
        let late = match () {
            () if left.is_zero() || !same => Decimal::ZERO,
            () if wanted.is_zero() || left.abs() < wanted.abs() => left,
            () => wanted,
        };
        (late, if wanted.is_zero() { Decimal::ZERO } else { wanted - late })
    }

    /// Takes back what is worked in an instrument.
    pub(super) fn rest_no_more(&mut self, id: InstrumentId) {
        let order = self.services.work.get_mut(id.index()).and_then(|w| w.order.take());
        if let Some(order) = order {
            self.venue.cancel(order);
            // An order that is known can be set; that it is over already is no error.
            let _ = self.orders.set(order, crate::domain::OrderStatus::Cancelled);
        }
    }

    /// An approved order goes to work.
    pub(super) fn work(
        &mut self,
        spec: &RealSpec,
        place: usize,
        order: &crate::treasury::ApprovedOrder,
    ) -> Result<(), String> {
        let side = if order.quantity().is_sign_negative() { -1.0 } else { 1.0 };
        let limit = self.limit(spec, place, side).ok_or("a limit that is no price")?;
        self.orders.sent(order).map_err(|e| e.to_string())?;
        self.venue.rest(order, limit).map_err(|e| e.to_string())?;
        let w = &mut self.services.work[place];
        (w.order, w.arrival, w.taking) = (Some(order.id()), 0.0, 0.0);
        Ok(())
    }

    /// What crosses because it was not filled is measured against where it was decided.
    pub(super) fn crosses(&mut self, place: usize, order: OrderId) {
        let w = &mut self.services.work[place];
        if w.arrival > 0.0 {
            w.late = Some((order, w.arrival, w.taking));
        }
    }

    /// A bar of the fast clock: worked orders fill or move.
    pub fn inside(
        &mut self,
        spec: &RealSpec,
        settings: &Settings,
        event: &MarketEvent,
        listings: &[Listing],
        out: &mut Outputs,
    ) {
        let MarketEvent::Inside { instrument: id, at, ref bar } = *event else { return };
        let place = id.index();
        if place >= spec.traded || spec.services.makers[place].is_none() {
            return;
        }
        let instrument = &spec.instruments[place];
        // A fast bar opens where the one before closed; after a gap it opened later than that, and what was
        // decided in the gap waits for the next.
        let Some(open_at) = self.services.work[place].at.replace(at) else {
            self.services.work[place].close = bar.close;
            return;
        };
        self.services.work[place].span = at.since(open_at);
        let costs = settings.costs.of(instrument);
        if self.services.work[place].order.is_some() {
            let w = &mut self.services.work[place];
            if w.arrival == 0.0 {
                w.arrival = bar.open;
                let left = self.venue.resting(id).map_or(0.0, |(_, left, _)| money::to_estimate(left));
                let listing = &listings[place];
                let t = take(costs, instrument.kind, bar.open, listing.sigma, listing.last.volume, left);
                let size = libm::fabs(t.quantity);
                w.taking = if size > 0.0 { libm::fabs(t.price - bar.open) + t.fee / size } else { 0.0 };
            }
            let through = settings.services.through;
            let fill = self.venue.on_inside(instrument, open_at, bar, through, costs);
            if let Some(fill) = fill {
                let w = &self.services.work[place];
                let (arrival, taking) = (w.arrival, w.taking);
                self.services.fills[place].add(&fill, arrival, taking, true);
                self.book(spec, id, fill.mark, Some(fill), out);
                if self.venue.resting(id).is_none() {
                    self.services.work[place].order = None;
                }
            }
        }
        let w = &mut self.services.work[place];
        if w.close > 0.0 {
            let r = bar.close / w.close - 1.0;
            w.volatility.push(r * r);
        }
        w.close = bar.close;
        if let Some((_, left, _)) = self.venue.resting(id) {
            let side = if left.is_sign_negative() { -1.0 } else { 1.0 };
            if let Some(limit) = self.limit(spec, place, side) {
                self.venue.move_to(id, limit);
            }
        }
    }

    /// A market order was filled: if it was worked before, what that cost.
    pub(super) fn crossed(&mut self, place: usize, fill: &Fill) {
        let late = self.services.work.get(place).and_then(|w| w.late);
        if let Some((order, arrival, taking)) = late.filter(|l| l.0 == fill.order) {
            let _ = order;
            self.services.fills[place].add(fill, arrival, taking, false);
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

impl Worked {
    fn plus(self, other: &Worked, sign: f64) -> Worked {
        Worked {
            rested: self.rested + sign * other.rested,
            crossed: self.crossed + sign * other.crossed,
            cost: self.cost + sign * other.cost,
            taking: self.taking + sign * other.taking,
        }
    }

    fn add(&mut self, fill: &Fill, arrival: f64, taking: f64, rested: bool) {
        let (q, p) = (money::to_estimate(fill.quantity), money::to_estimate(fill.price));
        let size = libm::fabs(q);
        self.cost += q * (p - arrival) + money::to_estimate(fill.fee);
        self.taking += size * taking;
        if rested {
            self.rested += size * arrival;
        } else {
            self.crossed += size * arrival;
        }
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
