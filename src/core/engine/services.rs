//! What agents do for each other beside saying what to hold: carry agents choose the instrument, makers work
//! the orders, and what neither needs is lent. See [`expression`](crate::treasury::instrument_selection) for the rules
//! of the first.
//!
//! # How it is booked
//!
//! Agents always hold their asset as its perp: Σ of their parts is n, the exposure. Whoever carries holds
//! +s of the spot and −s of the perp beside them. The venue sees s of the spot and f = n − s of the perp;
//! what the desk buys as spot is a crossing of agents and carrier at the mark, and costs nobody twice. The
//! carrier's book is the carry's receipt, to the last digit: funding and basis less the cost of changing (what
//! makers saved on the perp legs of its switches is on theirs).
//!
//! # Receipts
//!
//! | of | says | to |
//! |---|---|---|
//! | carry | the carrier's book, less what makers saved on its switches, less the rent | who carries |
//! | liquidity | taking at the arrival price less what working cost | who makes markets |
//! | capital | the rent: capital lent × its price (see [`expression`](crate::treasury::instrument_selection)) | the treasury |
//!
//! Carry and capital divide the carrier's book, which is what the account has more than one that holds the same n in
//! perps; liquidity is what that one would have paid more to get there. They sum to the difference of the two
//! accounts, as fractions of their equity, but for what the desk decides otherwise because it has gained (its band
//! remembers), and for worked orders that were given up before they were filled. Rent goes
//! nowhere: the carrier keeps no cash apart, and a receipt moves no money.
//!
//! # Invariants
//!
//! 1. s + f = n at every booking, whatever part of an order the venue filled; while the spot leg of a switch
//!    follows its perp leg, s is what it will be.
//! 2. The two legs of a switch leave together, or the spot leg as far as the perp leg was filled. If one is filled
//!    and the other is not, the next decision undoes it in the perp, at once. What the desk wants anyway is bought
//!    or sold as spot with one leg.
//! 3. Without a carry agent, a maker or the settings, nothing here changes anything.
//! 4. A worked order is a decided order: only its price moves. It crosses the spread at the next decision if
//!    that still wants it, and is taken back if it does not.

use super::orders::common;
use super::passive_execution::{ExecutionCost, FINE, WorkingOrder};
use super::real::{BarrierContext, Real, RealSpec};
use super::{Outputs, Settings};
use crate::agents::Population;
use crate::domain::{
    AgentId, AssetId, CarryQuote, Decimal, Family, Fill, InstrumentId, InstrumentKind, MarketEvent, Money,
    Receipt, Service, Span, Speaker, Stamp, Universe, money,
};
use crate::execution::Venue;
use crate::fills::{Costs, fee_rate};
use crate::market::board::Stamped;
use crate::market::{Board, Listing};
use crate::treasury::desk::{RiskControls, TargetChange};
use crate::treasury::instrument_selection::{AssetAllocation, SelectionTerms, ValueKnown, express};
use crate::treasury::settings::ServiceSettings;
use serde::{Deserialize, Serialize};

/// A quote older than this neither enters nor leaves.
const HELD_AFTER: Span = Span(Span::DAY.0);
/// A quote older than this is none.
const STALE_AFTER: Span = Span(3 * Span::DAY.0);

/// Who serves on what.
#[derive(Clone, Debug, Default)]
pub struct ServiceSpec {
    /// By instrument of the desk: the spot of the same asset.
    pub spots: Vec<Option<InstrumentId>>,
    /// By instrument: the desk's instrument whose spot it is.
    desk_indices: Vec<Option<usize>>,
    /// By instrument of the desk: whose book carries; none: nobody says what it is worth.
    pub carriers: Vec<Option<AgentId>>,
    /// By instrument of the desk: who works its orders.
    pub makers: Vec<Option<AgentId>>,
    /// Makers hear of a random side: a negative control of the lab; a run turns nothing.
    pub misled: bool,
}

/// What is held in spot beside the desk's perps, what is worked, and what of both was told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Services {
    /// By asset: V as last said.
    pub quotes: Vec<Option<Stamped<CarryQuote>>>,
    /// By instrument of the desk: held in spot.
    pub spot_held: Vec<Decimal>,
    /// What the carrier is short of in the perp: as much, but for a leg that is on its way.
    perp_hedge: Vec<Decimal>,
    /// Spot that is to come because its perp leg was filled while it rested.
    pub(super) spot_pending: Vec<Decimal>,
    /// Orders that are worked.
    pub(super) working_orders: Vec<WorkingOrder>,
    /// By instrument of the desk: orders worked, as they were filled.
    pub(super) execution_costs: Vec<ExecutionCost>,
    /// The same of the perp legs of switches alone.
    pub(super) swap_costs: Vec<ExecutionCost>,
    /// What the carry owes for the capital it was lent, and what of it was told.
    capital_charge: (f64, f64),
    /// PnL of the carriers when it was last told.
    reported: Vec<(AgentId, Money)>,
    /// What was filled when it was last told, of all orders and of switches.
    reported_costs: Vec<(ExecutionCost, ExecutionCost)>,
}

impl ServiceSpec {
    /// Whose services a cast has on a universe.
    pub fn new(cast: &Population, universe: &Universe, settings: &Settings) -> Self {
        let spots = spots(universe);
        // One agent serves an asset, the first as declared: a receipt has one payee.
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
        let mut desk_indices = vec![None; universe.instruments.len()];
        for (i, spot) in spots.iter().enumerate().filter(|(i, _)| carriers[*i].is_some()) {
            if let Some(spot) = spot {
                desk_indices[spot.index()] = Some(i);
            }
        }
        ServiceSpec { spots, desk_indices, carriers, makers, misled: false }
    }

    /// The number of the desk's instrument whose spot an instrument is, where it is carried.
    pub fn desk_index(&self, instrument: InstrumentId) -> Option<usize> {
        self.desk_indices.get(instrument.index()).copied().flatten()
    }

    /// Spot instruments that may be held.
    pub fn held(&self) -> impl Iterator<Item = (usize, InstrumentId, AgentId)> + '_ {
        let each = self.spots.iter().zip(&self.carriers).enumerate();
        each.filter_map(|(i, (spot, carrier))| Some((i, (*spot)?, (*carrier)?)))
    }

    /// Whose books carry, each once, in their order.
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
            spot_held: vec![Decimal::ZERO; desk],
            perp_hedge: vec![Decimal::ZERO; desk],
            spot_pending: vec![Decimal::ZERO; desk],
            working_orders: vec![WorkingOrder::new(); desk],
            execution_costs: vec![ExecutionCost::default(); desk],
            swap_costs: vec![ExecutionCost::default(); desk],
            capital_charge: (0.0, 0.0),
            reported: Vec::new(),
            reported_costs: vec![<(ExecutionCost, ExecutionCost)>::default(); desk],
        }
    }

    /// A carry agent has spoken.
    pub fn hear(&mut self, asset: AssetId, at: Stamp, quote: &CarryQuote) {
        if let Some(last) = self.quotes.get_mut(asset.index()) {
            *last = Some(Stamped { at, value: *quote });
        }
    }

    /// All worked orders so far.
    pub fn worked(&self) -> ExecutionCost {
        self.execution_costs.iter().fold(ExecutionCost::default(), |a, b| a.plus(b, 1.0))
    }

    /// All perp legs of switches that were worked so far.
    pub fn switched(&self) -> ExecutionCost {
        self.swap_costs.iter().fold(ExecutionCost::default(), |a, b| a.plus(b, 1.0))
    }

    /// Spot that the carrier has not, though its perp leg is there; negative: has, though it is not.
    pub fn lacks(&self, desk_index: usize) -> Decimal {
        self.perp_hedge[desk_index] - self.spot_held[desk_index]
    }

    /// What the carrier should still be short of in the perp.
    pub(super) fn unmirrored(&self, desk_index: usize) -> Decimal {
        self.spot_held[desk_index] + self.spot_pending[desk_index] - self.perp_hedge[desk_index]
    }

    /// The perp book was told what the carrier is short of: `leg` of it, signed, it traded itself.
    pub(super) fn mirror(&mut self, desk_index: usize, leg: Decimal) {
        self.spot_pending[desk_index] -= leg;
        self.perp_hedge[desk_index] = self.spot_held[desk_index] + self.spot_pending[desk_index];
    }

    /// Nothing is on its way any more.
    pub(super) fn come_no_more(&mut self) {
        self.spot_pending.fill(Decimal::ZERO);
    }

    /// The carrier's part of a perp.
    pub(super) fn perp(&self, desk_index: usize) -> Decimal {
        -self.perp_hedge[desk_index]
    }
}

/// What a decision makes of the two legs of an asset.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LegChange {
    /// Base units of spot to trade.
    pub spot: Decimal,
    /// Of what the desk holds too little or too much, what the decision before asked for and a leg that was
    /// not filled left undone: it is made good at once, in the perp.
    pub due: Decimal,
    /// Whether its perp leg may wait: the spot has a fine clock, and nobody calls for the capital.
    pub fast: bool,
}

impl Real {
    /// The price of a spot instrument, and whether it can trade now.
    fn spot_now(board: &Board, spot: InstrumentId, at: Stamp, clock: Span) -> (f64, bool) {
        let price = board.price(spot);
        // A price that is a whole decision old comes from a market that is closed or lost: an order there
        // would wait for nobody knows how long, with the other leg already filled.
        price.map_or((f64::NAN, false), |p| (p.value, at.since(p.at).0 < clock.0))
    }

    /// Chooses instruments for what the desk is about to trade, and says what was missed.
    ///
    /// The desk has decided how much of each asset the account holds. What is open is in which instrument it holds it: an
    /// exposure of one unit is the same in spot and in a perp, but spot ties up capital and pays no funding. Whatever is
    /// chosen here, spot and perp together stay the desk's aim to the lot.
    pub(super) fn select_instruments(
        &mut self,
        now: &BarrierContext<'_>,
        steer: &RiskControls,
        wanted: &[TargetChange],
    ) -> Vec<LegChange> {
        let spec = now.spec;
        let mut changes = vec![LegChange::default(); spec.traded];
        // Without a carrier nobody has said what spot is worth, and a fraction of no equity is no size.
        if spec.services.held().next().is_none() || steer.equity <= 0.0 {
            return changes;
        }
        let mut lines = Vec::with_capacity(spec.traded);
        let mut spots = Vec::with_capacity(spec.traded);
        for (i, change) in changes.iter_mut().enumerate().take(now.listings.len()) {
            let want = wanted.iter().find(|w| w.instrument.index() == i);
            let (line, spot) = self.line(now, steer, i, want, change);
            lines.push(line);
            spots.push(spot);
        }
        let services = &now.settings.services;
        let terms = SelectionTerms {
            capital: services.capital,
            flow: services.flow,
            netting: services.netting,
            beyond: services.beyond,
        };
        express(&terms, &mut lines);
        self.charge_capital(now, steer, &terms, &lines);
        for (i, (line, before)) in lines.iter().zip(spots).enumerate() {
            self.spot_order(now, steer, i, (line, before), &mut changes[i]);
        }
        changes
    }

    /// What the choice of instruments has to know of an asset; and of its spot the price, and how much the account holds
    /// as a fraction of equity.
    fn line(
        &mut self,
        now: &BarrierContext<'_>,
        steer: &RiskControls,
        i: usize,
        wanted: Option<&TargetChange>,
        change: &mut LegChange,
    ) -> (AssetAllocation, (f64, f64)) {
        let (spec, id) = (now.spec, InstrumentId(i as u16));
        let carrier = spec.services.carriers[i].and(spec.services.spots[i]);
        let mut want = wanted.map_or(Decimal::ZERO, |w| w.quantity);
        let (mut spot, mut price, mut open) = (0.0, f64::NAN, false);
        if let Some(s) = carrier {
            (price, open) = Real::spot_now(now.board, s, now.at, now.settings.clock.decide);
            // An asset that the desk does not decide on now has no aim that spot could be a part of.
            open &= wanted.is_some();
            change.fast = self.is_followed(now.board, s, i, now.at);
            change.due = self.legs_missed(i, s, wanted.is_some());
            if want.is_zero() {
                // What was missed moves the account although the desk wants nothing new.
                want = change.due + self.left(i).desk;
            }
            if price.is_finite() {
                spot = money::to_estimate(self.services.spot_held[i]) * price / steer.equity;
            }
        }
        let unit = now.listings[i].last.close / steer.equity;
        let estimate = |q: Decimal| if q.is_zero() { 0.0 } else { money::to_estimate(q) * unit };
        let held = spec.desk.atoms(id).quantity(self.desk.held(id));
        let quote = self.services.quotes[i];
        let worked = self.is_worked(spec, i, now.at);
        let line = AssetAllocation {
            change: estimate(want),
            target: estimate(held + want),
            spot: if steer.flatten && open { 0.0 } else { spot },
            spot_cost: carrier.map_or(0.0, |s| side(now.settings, &spec.instruments[s.index()])),
            perp_cost: side(now.settings, &spec.instruments[i]),
            value: quote.map_or(0.0, |q| q.value.value),
            known: self.known(now, steer, i),
            open,
            worked,
            // A perp leg may rest only where somebody watches the spot often enough to buy it when the leg is filled.
            waits: worked && change.fast,
            leaving: 0.0,
            called: false,
        };
        (line, (price, spot))
    }

    /// How much of what the carrier said of an asset still counts. In doubt nothing new is put into spot.
    fn known(&self, now: &BarrierContext<'_>, steer: &RiskControls, i: usize) -> ValueKnown {
        let running = self.mode() == crate::treasury::Mode::Running && !steer.flatten;
        let age = self.services.quotes[i].map_or(Span(i64::MAX), |q| now.at.since(q.at));
        match () {
            () if !running || age.0 > STALE_AFTER.0 => ValueKnown::Stale,
            () if age.0 > HELD_AFTER.0 => ValueKnown::Held,
            () => ValueKnown::Fresh,
        }
    }

    /// What the decision before asked of the legs of an asset and did not get, in base units of the perp; orders for spot
    /// that are still open are taken back, since their price is that of a bar ago.
    fn legs_missed(&mut self, i: usize, spot: InstrumentId, is_decided: bool) -> Decimal {
        let (mut missed, mut unfilled) = (Decimal::ZERO, Decimal::ZERO);
        if is_decided {
            unfilled = self.orders.open_quantity(spot);
            // A perp leg without its spot: from here on the spot is owed.
            missed = unfilled - std::mem::take(&mut self.services.spot_pending[i]);
        }
        if !unfilled.is_zero() {
            self.withdraw(spot);
        }
        if missed.is_zero() {
            return Decimal::ZERO;
        }
        // The perp order that rests will do its part of it; only the remainder is made good at once.
        missed + self.venue.working(InstrumentId(i as u16)).map_or(Decimal::ZERO, |w| w.1)
    }

    /// The carry owes for the capital it was lent, at the price of the last asset that was served: what the next best
    /// use of it would have earned in this bar.
    fn charge_capital(
        &mut self,
        now: &BarrierContext<'_>,
        steer: &RiskControls,
        terms: &SelectionTerms,
        lines: &[AssetAllocation],
    ) {
        if let Some((last, price)) = terms.last_served(lines) {
            let days = self.services.quotes[last].map_or(f64::INFINITY, |q| q.value.days);
            // V is what a unit gains over the days that the quote looks ahead; the charge is for one bar of
            // them.
            let bars = now.settings.clock.decide.in_units_of(Span::DAY) / days;
            // The last served may have a V below zero and be held only because leaving costs more: then nobody
            // waits for the capital, and it costs nothing.
            self.services.capital_charge.0 += (price * terms.lent(lines)).max(0.0) * bars * steer.equity;
        }
    }

    /// The order for spot that makes an allocation real, if there is one that the venue would take.
    fn spot_order(
        &self,
        now: &BarrierContext<'_>,
        steer: &RiskControls,
        i: usize,
        (line, (price, before)): (&AssetAllocation, (f64, f64)),
        change: &mut LegChange,
    ) {
        let spec = now.spec;
        let Some(spot) = spec.services.carriers[i].and(spec.services.spots[i]) else { return };
        // Less than this is rounding of the choice, not a change of it.
        if !line.open || (line.spot - before).abs() < 1e-9 {
            return;
        }
        // Both legs must be whole lots, or the account would be left with a difference that it cannot trade away.
        let lot = spec.instruments[spot.index()].lot.max(spec.instruments[i].lot);
        let quantity = if line.spot == 0.0 {
            // All of it, not an estimate of it: nothing is left behind.
            -self.services.spot_held[i]
        } else {
            let coins = (line.spot - before) * steer.equity / price;
            in_lots(coins, lot)
        };
        let notional = money::to_estimate(quantity).abs() * price;
        if notional >= money::to_estimate(spec.instruments[spot.index()].min_notional) {
            change.spot = quantity;
            // Capital that is called back is not waited for.
            change.fast &= !line.called;
        }
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
        let Some(desk_index) = spec.services.desk_index(id) else { return };
        // Taken in even while nothing works: whether spot is seen often enough to follow a perp leg is known
        // only from how often its prices came before.
        let opened = self.arrives(desk_index, event);
        if self.working[id.index()].is_none() {
            return;
        }
        let instrument = &spec.instruments[id.index()];
        let sigma = listings[desk_index].sigma_before;
        let fill = match event {
            MarketEvent::Bar { at, bar, .. } => {
                // A bar is told at its close, one decision after its open. The venue fills at the open, and
                // leaves aside what was decided later than that.
                let open_at = Stamp(at.0 - settings.clock.decide.0);
                self.venue.on_bar(instrument, open_at, bar, sigma, settings.costs.of(instrument))
            }
            MarketEvent::Inside { bar, .. } => {
                // When the first fast bar opened is not known, and a fill at a price that may be older than
                // its order would be hindsight.
                let Some(open_at) = opened else { return };
                // Only the perp's fast volatility is kept; its spot moves by the same news.
                let sigma = libm::sqrt(self.services.working_orders[desk_index].volatility.mean());
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
        self.book_spot(spec, desk_index, id, &fill, out);
    }

    /// Whether spot has a price soon after the other leg of a switch is filled, whenever that is.
    fn is_followed(&self, board: &Board, spot: InstrumentId, desk_index: usize, at: Stamp) -> bool {
        let w = &self.services.working_orders[desk_index];
        let quoted = board.get(spot).and_then(|q| q.top).is_some_and(|t| at.since(t.at).0 <= FINE.0);
        w.span.0 <= FINE.0 && (quoted || (w.spot_at == Some(at) && w.spot_span.0 <= FINE.0))
    }

    /// A price of spot: the first after a decision is where a switch is measured from. When its fast bar
    /// opened, if it is one.
    fn arrives(&mut self, desk_index: usize, event: &MarketEvent) -> Option<Stamp> {
        let w = &mut self.services.working_orders[desk_index];
        let (opened, price) = match event {
            MarketEvent::Inside { at, bar, .. } => {
                let opened = w.spot_at.replace(*at);
                w.spot_span = opened.map_or(Span(i64::MAX), |before| at.since(before));
                (opened, bar.open)
            }
            MarketEvent::Quote { bid, ask, .. } => (None, f64::midpoint(*bid, *ask)),
            _ => return None,
        };
        // Put back to nothing whenever an order goes to work.
        if w.spot_arrival == 0.0 {
            w.spot_arrival = price;
        }
        opened
    }

    /// Books a fill of spot to the carrier.
    pub(super) fn book_spot(
        &mut self,
        spec: &RealSpec,
        desk_index: usize,
        id: InstrumentId,
        fill: &Fill,
        out: &mut Outputs,
    ) {
        let Some(carrier) = spec.services.carriers[desk_index] else { return };
        let verdict = self.orders.on_fill(fill);
        let venue = crate::execution::venue::is_venue_order(fill.order);
        // What the venue closes by itself, at a delisting, belongs to no order of ours; all else that the
        // tracker does not know would be booked without having been decided.
        if !venue && !verdict.is_booked() {
            let symbol = &spec.instruments[id.index()].symbol;
            return self.halt(format!("{symbol}: a fill that cannot be booked: {verdict:?}"), out);
        }
        // As far as a perp leg was filled before, this is its other leg; beyond that it was sent as spot at
        // market, and nothing waits for it.
        let part = common(self.services.spot_pending[desk_index], fill.quantity);
        self.services.spot_pending[desk_index] -= part;
        self.services.spot_held[desk_index] += fill.quantity;
        self.followed(desk_index, part, fill);
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
    pub(super) fn receipts(&mut self, spec: &RealSpec) -> Vec<(Speaker, Receipt)> {
        let mut all = Vec::new();
        let (rent, reported) = &mut self.services.capital_charge;
        // Told as what came since the last time: however often that is, receipts sum to the whole.
        let rent = *rent - std::mem::replace(reported, *rent);
        let owners = spec.services.carrying();
        for &owner in &owners {
            let Ok(pnl) = self.ledger.pnl(owner, &self.marks) else { continue };
            let reported = &mut self.services.reported;
            let i = reported.iter().position(|t| t.0 == owner).unwrap_or_else(|| {
                reported.push((owner, Decimal::ZERO));
                reported.len() - 1
            });
            let mut saved = money::to_estimate(pnl - std::mem::replace(&mut reported[i].1, pnl));
            // What makers saved on the perp legs of switches is in the carrier's book, and theirs.
            for (i, ..) in spec.services.held().filter(|h| h.2 == owner) {
                let now = self.services.swap_costs[i];
                let before = std::mem::replace(&mut self.services.reported_costs[i].1, now);
                saved -= now.plus(&before, -1.0).saved();
            }
            // All that is lent has one price, whoever carries: several share it alike.
            saved -= rent / owners.len() as f64;
            let own = spec.services.held().filter(|h| h.2 == owner);
            let market_values = own.map(|(i, spot, _)| {
                money::to_estimate(self.services.spot_held[i]) * money::to_estimate(self.marks[spot.index()])
            });
            let notional: f64 = market_values.sum();
            // Who carries nothing and earned nothing has nothing to say.
            if saved != 0.0 || notional != 0.0 {
                all.push((Speaker::Agent(owner), Receipt { service: Service::Carry, saved, notional }));
            }
        }
        if rent > 0.0 {
            let notional = all.iter().map(|(_, r)| r.notional).sum();
            all.push((Speaker::Desk, Receipt { service: Service::Capital, saved: rent, notional }));
        }
        let mut makers: Vec<AgentId> = spec.services.makers.iter().flatten().copied().collect();
        makers.sort_unstable();
        makers.dedup();
        for maker in makers {
            let mut new = ExecutionCost::default();
            for desk_index in (0..spec.traded).filter(|i| spec.services.makers[*i] == Some(maker)) {
                let now = self.services.execution_costs[desk_index];
                let before = std::mem::replace(&mut self.services.reported_costs[desk_index].0, now);
                new = new.plus(&now, 1.0).plus(&before, -1.0);
            }
            let notional = new.rested + new.crossed;
            if notional > 0.0 {
                let receipt = Receipt { service: Service::Liquidity, saved: new.saved(), notional };
                all.push((Speaker::Agent(maker), receipt));
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
pub fn side(settings: &Settings, instrument: &crate::domain::Instrument) -> f64 {
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
