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

use super::Settings;
use super::order_split::common;
use super::passive_execution::{ExecutionCost, FINE, WorkingOrder};
use crate::agents::Population;
use crate::agents::cast::Structure;
use crate::domain::{
    AgentId, AssetId, CarryQuote, Decimal, FamilyId, Fill, Instrument, InstrumentId, InstrumentKind, Money,
    Receipt, Service, Speaker, Stamp, Universe, money,
};
use crate::ledger::Ledger;
use crate::market::Market;
use crate::market::quotes::Stamped;
use crate::treasury::settings::ServiceSettings;
use serde::{Deserialize, Serialize};

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

/// What is carried and worked of one asset of the desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetService {
    /// V as last said.
    pub quote: Option<Stamped<CarryQuote>>,
    /// Base units held in spot.
    pub spot_held: Decimal,
    /// What the carrier is short of in the perp, in base units: as much, but for a leg that is on its way.
    perp_hedge: Decimal,
    /// Spot that is to come because its perp leg was filled while it rested, in base units.
    pub(super) spot_pending: Decimal,
    /// The order that is worked.
    pub(super) working_order: WorkingOrder,
    /// What orders that were worked came to, as they were filled.
    pub(super) execution_cost: ExecutionCost,
    /// The same of the perp legs of switches alone.
    pub(super) swap_cost: ExecutionCost,
    /// What both were when they were last told, of all orders and of switches.
    reported_cost: (ExecutionCost, ExecutionCost),
}

impl AssetService {
    fn new() -> Self {
        AssetService {
            quote: None,
            spot_held: Decimal::ZERO,
            perp_hedge: Decimal::ZERO,
            spot_pending: Decimal::ZERO,
            working_order: WorkingOrder::new(),
            execution_cost: ExecutionCost::default(),
            swap_cost: ExecutionCost::default(),
            reported_cost: <(ExecutionCost, ExecutionCost)>::default(),
        }
    }

    /// Spot that the carrier has not, though its perp leg is there; negative: has, though it is not.
    pub fn lacks(&self) -> Decimal {
        self.perp_hedge - self.spot_held
    }

    /// What the carrier should still be short of in the perp.
    pub(super) fn unmirrored(&self) -> Decimal {
        self.spot_held + self.spot_pending - self.perp_hedge
    }

    /// The perp book was told what the carrier is short of: `leg` of it, signed, it traded itself.
    pub(super) fn mirror(&mut self, leg: Decimal) {
        self.spot_pending -= leg;
        self.perp_hedge = self.spot_held + self.spot_pending;
    }

    /// The carrier's part of a perp.
    pub(super) fn perp(&self) -> Decimal {
        -self.perp_hedge
    }

    /// A market order was filled: as far as it was worked before, what that cost.
    pub(super) fn crossed(&mut self, fill: &Fill) {
        self.working_order.crossed(fill, [&mut self.execution_cost, &mut self.swap_cost]);
    }

    /// Spot was filled; what of it is the other leg of a switch that was worked.
    pub(super) fn followed(&mut self, fill: &Fill) {
        // As far as a perp leg was filled before, this is its other leg; beyond that it was sent as spot at
        // market, and nothing waits for it.
        let part = common(self.spot_pending, fill.quantity);
        self.spot_pending -= part;
        self.spot_held += fill.quantity;
        self.working_order.followed(part, fill, [&mut self.execution_cost, &mut self.swap_cost]);
    }
}

/// What is held in spot beside the desk's perps, what is worked, and what of both was told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Services {
    /// By instrument of the desk.
    pub assets: Vec<AssetService>,
    /// What the carry owes for the capital it was lent, and what of it was told.
    pub(super) capital_charge: (f64, f64),
    /// PnL of the carriers when it was last told.
    reported: Vec<(AgentId, Money)>,
}

impl ServiceSpec {
    /// Whose services a cast has on a universe.
    pub fn new(cast: &Population, universe: &Universe, settings: &Settings) -> Self {
        let spots = spots(universe);
        // One agent serves an asset, the first as declared: a receipt has one payee.
        let first = |family: FamilyId, asset: usize| {
            let of =
                |s: &&Structure| s.asset.index() == asset && cast.agents[s.agent.index()].family == family;
            cast.structures.iter().filter(of).map(|s| s.agent).min()
        };
        let n = universe.desk().len();
        let flat = settings.costs.is_flat();
        let carries = settings.services.carry && !flat;
        let carriers =
            (0..n).map(|i| spots[i].and(first(FamilyId::Funding, i)).filter(|_| carries)).collect();
        let makers = (0..n)
            .map(|i| first(FamilyId::MarketMaking, i).filter(|_| settings.services.liquidity))
            .collect();
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

    /// The spot that is carried beside an instrument of the desk; none where nobody says what it is worth.
    pub(super) fn carried(&self, desk_index: usize) -> Option<InstrumentId> {
        self.carriers[desk_index].and(self.spots[desk_index])
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
    let spot = |perp: &Instrument| {
        let fits =
            |i: &&Instrument| i.asset == perp.asset && i.kind == InstrumentKind::Spot && i.quote.is_none();
        let all = || universe.instruments.iter().filter(fits);
        let near = all().find(|i| i.venue == perp.venue).or_else(|| all().next());
        near.filter(|_| perp.kind == InstrumentKind::Perp).map(|i| i.id)
    };
    universe.desk().iter().map(spot).collect()
}

impl Services {
    /// Nothing is carried, nothing worked.
    pub fn new(desk: usize) -> Self {
        Services { assets: vec![AssetService::new(); desk], capital_charge: (0.0, 0.0), reported: Vec::new() }
    }

    /// A carry agent has spoken.
    pub fn hear(&mut self, asset: AssetId, at: Stamp, quote: &CarryQuote) {
        if let Some(served) = self.assets.get_mut(asset.index()) {
            served.quote = Some(Stamped { at, value: *quote });
        }
    }

    /// All worked orders so far.
    pub fn worked(&self) -> ExecutionCost {
        self.assets.iter().fold(ExecutionCost::default(), |a, b| a.plus(&b.execution_cost, 1.0))
    }

    /// All perp legs of switches that were worked so far.
    pub fn switched(&self) -> ExecutionCost {
        self.assets.iter().fold(ExecutionCost::default(), |a, b| a.plus(&b.swap_cost, 1.0))
    }

    /// Nothing is on its way any more.
    pub(super) fn come_no_more(&mut self) {
        self.assets.iter_mut().for_each(|served| served.spot_pending = Decimal::ZERO);
    }

    /// Whether a maker works the orders of an instrument now.
    pub(super) fn is_worked(&self, spec: &ServiceSpec, desk_index: usize, now: Stamp) -> bool {
        spec.makers[desk_index].is_some() && self.assets[desk_index].working_order.is_known(now)
    }

    /// Whether spot has a price soon after the other leg of a switch is filled, whenever that is.
    pub(super) fn is_followed(
        &self,
        market: &Market,
        spot: InstrumentId,
        desk_index: usize,
        at: Stamp,
    ) -> bool {
        let top = market.get(spot).and_then(|q| q.top);
        let is_quoted = top.is_some_and(|t| at.since(t.at).0 <= FINE.0);
        self.assets[desk_index].working_order.is_fine(at, is_quoted)
    }

    /// What was earned or saved since it was last told: by whom, and the receipt.
    pub(super) fn receipts(
        &mut self,
        spec: &ServiceSpec,
        ledger: &Ledger,
        marks: &[Decimal],
    ) -> Vec<(Speaker, Receipt)> {
        let mut all = Vec::new();
        let (rent, reported) = &mut self.capital_charge;
        // Told as what came since the last time: however often that is, receipts sum to the whole.
        let rent = *rent - std::mem::replace(reported, *rent);
        let owners = spec.carrying();
        for &owner in &owners {
            let Ok(pnl) = ledger.pnl(owner, marks) else { continue };
            let reported = &mut self.reported;
            let i = reported.iter().position(|t| t.0 == owner).unwrap_or_else(|| {
                reported.push((owner, Decimal::ZERO));
                reported.len() - 1
            });
            let mut saved = money::to_estimate(pnl - std::mem::replace(&mut reported[i].1, pnl));
            // What makers saved on the perp legs of switches is in the carrier's book, and theirs.
            for (i, ..) in spec.held().filter(|h| h.2 == owner) {
                let now = self.assets[i].swap_cost;
                let before = std::mem::replace(&mut self.assets[i].reported_cost.1, now);
                saved -= now.plus(&before, -1.0).saved();
            }
            // All that is lent has one price, whoever carries: several share it alike.
            saved -= rent / owners.len() as f64;
            let own = spec.held().filter(|h| h.2 == owner);
            let market_values = own.map(|(i, spot, _)| {
                money::to_estimate(self.assets[i].spot_held) * money::to_estimate(marks[spot.index()])
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
        let mut makers: Vec<AgentId> = spec.makers.iter().flatten().copied().collect();
        makers.sort_unstable();
        makers.dedup();
        for maker in makers {
            let mut new = ExecutionCost::default();
            for desk_index in (0..spec.makers.len()).filter(|i| spec.makers[*i] == Some(maker)) {
                let now = self.assets[desk_index].execution_cost;
                let before = std::mem::replace(&mut self.assets[desk_index].reported_cost.0, now);
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
