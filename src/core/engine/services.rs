//! What agents do for each other beside saying what to hold: carry agents choose the instrument, makers work
//! the orders, and what neither needs is lent. See [`expression`](crate::treasury::instrument_selection) for the rules
//! of the first.
//!
//! Who does it is decided by bids: every carrier says what carrying is worth to it and what it asks for, every maker how
//! it would work an order and for how much, and the desk takes the best of each for an asset at every decision (see
//! [`bids`](super::bids)).
//!
//! # How it is booked
//!
//! Agents always hold their asset as its perp: Σ of their parts is n, the exposure. Whoever carries holds
//! +s of the spot and −s of the perp beside them. The venue sees s of the spot and f = n − s of the perp;
//! what the desk buys as spot is a crossing of agents and carrier at the mark, and costs nobody twice. The
//! carrier's book is the carry's receipt, to the last digit: funding and basis less the cost of changing (what
//! makers saved on the perp legs of its switches is on theirs).
//!
//! An asset has one carrier at a time. Where another's bid is better it takes over what is held, both legs at the mark
//! inside the account: no venue sees it and it costs nothing, the one before has paid for getting in and the one after
//! pays for getting out, and the exposure is that of before. It waits until both legs are there, and until nobody holds
//! more than who takes over would carry. So what is held always follows the best bid; left with who opened it, it would
//! follow the one whose bid is no longer the best until that one is done.
//!
//! What a maker asked for is paid by those whose order it filled at rest, through the ledger, in proportion to what each
//! had of it. What crosses in the end pays nobody.
//!
//! # Receipts
//!
//! | of | says | to |
//! |---|---|---|
//! | carry | the carrier's book and what it paid to makers, less what those saved on its switches, less the rent | who carries |
//! | liquidity | taking at the arrival price less what working cost | who makes markets |
//! | capital | the rent: capital lent × its price (see [`expression`](crate::treasury::instrument_selection)) | the treasury |
//!
//! Carry and capital divide the carrier's book, which is what the account has more than one that holds the same n in
//! perps; liquidity is what that one would have paid more to get there. They sum to the difference of the two
//! accounts, as fractions of their equity, but for what the desk decides otherwise because it has gained (its band
//! remembers), and for worked orders that were given up before they were filled. Rent goes
//! nowhere: the carrier keeps no cash apart, and a receipt moves no money. Fees of makers do, from book to book; a receipt
//! is of what a service was worth to the account, whoever was paid for it.
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
//!    that still wants it, or later where its maker says so, and is taken back if it does not.
//! 5. Who is not heard, does not hear, or is paused or drained by the operator serves nobody: what rests with such a maker
//!    is taken back at once and crosses at the next decision; such a carrier takes on nothing new, and unless it is only
//!    paused, what it holds is closed or taken over.

use super::Settings;
use super::bids::{AcceptedWork, Bids, CarrierRecord, MakerRecord, ServiceBar, WorkedCost};
use super::order_split::common;
use super::passive_execution::{ExecutionCost, FINE, WorkingOrder};
use crate::agents::Population;
use crate::domain::{
    AgentId, AssetId, CarryQuote, Decimal, FamilyId, Fill, Instrument, InstrumentId, InstrumentKind, Money,
    Receipt, Service, Speaker, Stamp, Universe, WorkQuote, money,
};
use crate::ledger::Ledger;
use crate::market::Market;
use crate::market::quotes::Stamped;
use crate::treasury::settings::ServiceSettings;
use serde::{Deserialize, Serialize};

/// How an account works its own orders that serves itself: as a usual maker would, for nothing.
const OWN_WORK: WorkQuote = WorkQuote { distance: 1.0, rests: 1, fee_bps: 0.0 };

/// Who may serve on what.
#[derive(Clone, Debug, Default)]
pub struct ServiceSpec {
    /// By instrument of the desk: the spot of the same asset.
    pub spots: Vec<Option<InstrumentId>>,
    /// By instrument: the desk's instrument whose spot it is.
    desk_indices: Vec<Option<usize>>,
    /// By instrument of the desk: whose books may carry; nobody: no spot is held.
    pub carriers: Vec<Vec<AgentId>>,
    /// By instrument of the desk: who may work its orders.
    pub makers: Vec<Vec<AgentId>>,
    /// Who serves itself, whoever speaks: it keeps the book of the carry, and works its own orders.
    keeper: Option<AgentId>,
    /// Makers hear of a random side: a negative control of the lab; a run turns nothing.
    pub misled: bool,
}

/// What is carried and worked of one asset of the desk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssetService {
    /// What carriers bid.
    pub(super) carry_bids: Bids<CarryQuote>,
    /// What makers bid.
    pub(super) work_bids: Bids<WorkQuote>,
    /// Who made the bid by which it is carried.
    pub(super) bidder: Option<AgentId>,
    /// Whose book carries; none before the first bid was taken.
    pub carrier: Option<AgentId>,
    /// What was bid.
    pub quote: Option<Stamped<CarryQuote>>,
    /// Who works the orders that are sent now.
    pub work: Option<AcceptedWork>,
    /// Base units held in spot.
    pub spot_held: Decimal,
    /// What the carrier is short of in the perp, in base units: as much, but for a leg that is on its way.
    perp_hedge: Decimal,
    /// Spot that is to come because its perp leg was filled while it rested, in base units.
    pub(super) spot_pending: Decimal,
    /// The order that is worked.
    pub(super) working_order: WorkingOrder,
    /// By maker that has worked here: what came of it.
    pub makers: Vec<MakerRecord>,
    /// By carrier that has carried here: what it has beside its book.
    pub(super) carriers: Vec<CarrierRecord>,
}

impl AssetService {
    /// Spot that the carrier has not, though its perp leg is there; negative: has, though it is not.
    pub fn lacks(&self) -> Decimal {
        self.perp_hedge - self.spot_held
    }

    /// What the carrier should still be short of in the perp.
    pub(super) fn unmirrored(&self) -> Decimal {
        self.spot_held + self.spot_pending - self.perp_hedge
    }

    /// Whether both legs are there and none is to come.
    pub(super) fn is_whole(&self) -> bool {
        self.lacks().is_zero() && self.spot_pending.is_zero()
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
        let cost = self.working_order.crossed(fill);
        self.worked(cost);
    }

    /// An order was filled while it rested, `switch` of it the perp leg of a switch.
    pub(super) fn rested(&mut self, fill: &Fill, switch: Decimal) {
        let cost = self.working_order.rested(fill, switch);
        self.worked(cost);
    }

    /// Spot was filled; what of it is the other leg of a switch that was worked.
    pub(super) fn followed(&mut self, fill: &Fill) {
        // As far as a perp leg was filled before, this is its other leg; beyond that it was sent as spot at
        // market, and nothing waits for it.
        let part = common(self.spot_pending, fill.quantity);
        self.spot_pending -= part;
        self.spot_held += fill.quantity;
        for cost in self.working_order.followed(part, fill) {
            self.worked(cost);
        }
    }

    /// What came of working goes to its maker's record, and what of it was a switch's also to the carrier's.
    fn worked(&mut self, cost: Option<WorkedCost>) {
        let Some(cost) = cost else { return };
        let record = self.maker_record(cost.maker);
        record.cost = record.cost.plus(&cost.all, 1.0);
        if let Some(carrier) = self.carrier {
            let record = self.carrier_record(carrier);
            record.switches = record.switches.plus(&cost.switches, 1.0);
        }
    }

    /// A maker's record here, which begins when it is first asked for.
    pub(super) fn maker_record(&mut self, maker: AgentId) -> &mut MakerRecord {
        let i = match self.makers.binary_search_by_key(&maker, |m| m.maker) {
            Ok(i) => i,
            Err(i) => {
                self.makers.insert(i, MakerRecord::new(maker));
                i
            }
        };
        &mut self.makers[i]
    }

    /// A carrier's record here, which begins when it is first asked for.
    pub(super) fn carrier_record(&mut self, carrier: AgentId) -> &mut CarrierRecord {
        let i = match self.carriers.binary_search_by_key(&carrier, |c| c.carrier) {
            Ok(i) => i,
            Err(i) => {
                self.carriers.insert(i, CarrierRecord::new(carrier));
                i
            }
        };
        &mut self.carriers[i]
    }

    /// What is expected of a maker by its record here.
    fn expected(&self, maker: AgentId) -> f64 {
        self.makers.iter().find(|m| m.maker == maker).map_or(0.0, MakerRecord::expected)
    }

    /// Orders of this asset that were worked so far, as they were filled.
    pub fn worked_cost(&self) -> ExecutionCost {
        self.makers.iter().fold(ExecutionCost::default(), |sum, m| sum.plus(&m.cost, 1.0))
    }
}

/// What is held in spot beside the desk's perps, what is worked, and what of both was told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Services {
    /// By instrument of the desk.
    pub assets: Vec<AssetService>,
    /// Who may not serve now, in the order of their numbers.
    barred: Vec<(AgentId, ServiceBar)>,
    /// PnL of the carriers when it was last told.
    reported: Vec<(AgentId, Money)>,
}

impl ServiceSpec {
    /// Whose services a cast has on a universe.
    pub fn new(cast: &Population, universe: &Universe, settings: &Settings) -> Self {
        let spots = spots(universe);
        let all = |family: FamilyId, asset: usize| {
            let on = cast.structures.iter().filter(|s| s.asset.index() == asset);
            let mut of: Vec<AgentId> =
                on.map(|s| s.agent).filter(|a| cast.agents[a.index()].family == family).collect();
            of.sort_unstable();
            of.dedup();
            of
        };
        let n = universe.desk().len();
        let flat = settings.costs.is_flat();
        let carries = settings.services.carry && !flat;
        let of = |family, i, is_on: bool| if is_on { all(family, i) } else { Vec::new() };
        let carriers = (0..n).map(|i| of(FamilyId::Funding, i, carries && spots[i].is_some())).collect();
        let makers = (0..n).map(|i| of(FamilyId::MarketMaking, i, settings.services.liquidity)).collect();
        ServiceSpec::of(spots, carriers, makers, universe)
    }

    /// An account that knows all and serves itself; `owner` keeps the book of the carry.
    pub fn centre(owner: AgentId, universe: &Universe, settings: &ServiceSettings) -> Self {
        let spots = spots(universe);
        let of = |is_on: bool| if is_on { vec![owner] } else { Vec::new() };
        let carriers = spots.iter().map(|spot| of(spot.is_some() && settings.carry)).collect();
        let makers = spots.iter().map(|_| of(settings.liquidity)).collect();
        ServiceSpec { keeper: Some(owner), ..ServiceSpec::of(spots, carriers, makers, universe) }
    }

    fn of(
        spots: Vec<Option<InstrumentId>>,
        carriers: Vec<Vec<AgentId>>,
        makers: Vec<Vec<AgentId>>,
        universe: &Universe,
    ) -> Self {
        let mut desk_indices = vec![None; universe.instruments.len()];
        for (i, spot) in spots.iter().enumerate().filter(|(i, _)| !carriers[*i].is_empty()) {
            if let Some(spot) = spot {
                desk_indices[spot.index()] = Some(i);
            }
        }
        ServiceSpec { spots, desk_indices, carriers, makers, keeper: None, misled: false }
    }

    /// The spot that is carried beside an instrument of the desk; none where nobody says what it is worth.
    pub(super) fn carried(&self, desk_index: usize) -> Option<InstrumentId> {
        self.spots[desk_index].filter(|_| !self.carriers[desk_index].is_empty())
    }

    /// Whose book carries by an agent's bid.
    pub(super) fn book_of(&self, bidder: AgentId) -> AgentId {
        self.keeper.unwrap_or(bidder)
    }

    /// The number of the desk's instrument whose spot an instrument is, where it is carried.
    pub fn desk_index(&self, instrument: InstrumentId) -> Option<usize> {
        self.desk_indices.get(instrument.index()).copied().flatten()
    }

    /// Spot instruments that may be held.
    pub fn held(&self) -> impl Iterator<Item = (usize, InstrumentId)> + '_ {
        (0..self.spots.len()).filter_map(|i| Some((i, self.carried(i)?)))
    }

    /// Whose books may carry, each once, in their order.
    pub fn carrying(&self) -> Vec<AgentId> {
        each_once(&self.carriers)
    }

    /// Who may work orders, each once, in their order.
    pub fn working(&self) -> Vec<AgentId> {
        each_once(&self.makers)
    }

    /// How many instruments have to be kept, from the first.
    pub fn instruments(&self, desk: usize) -> usize {
        self.held().map(|(_, spot)| spot.index() + 1).fold(desk, usize::max)
    }
}

fn each_once(all: &[Vec<AgentId>]) -> Vec<AgentId> {
    let mut each: Vec<AgentId> = all.iter().flatten().copied().collect();
    each.sort_unstable();
    each.dedup();
    each
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
        Services { assets: vec![AssetService::default(); desk], ..Services::default() }
    }

    /// A carrier has bid.
    pub fn hear_carrier(&mut self, asset: AssetId, (agent, at): (AgentId, Stamp), quote: CarryQuote) {
        if let Some(served) = self.assets.get_mut(asset.index()) {
            served.carry_bids.hear(agent, at, quote);
        }
    }

    /// A maker has bid.
    pub(super) fn hear_maker(&mut self, asset: AssetId, (agent, at): (AgentId, Stamp), quote: WorkQuote) {
        if let Some(served) = self.assets.get_mut(asset.index()) {
            served.work_bids.hear(agent, at, quote);
        }
    }

    /// Says of all that may serve what each may not do now; whether that is news.
    pub(super) fn bar(&mut self, spec: &ServiceSpec, bar: impl Fn(AgentId) -> Option<ServiceBar>) -> bool {
        let mut servers = spec.carrying();
        servers.extend(spec.working());
        servers.sort_unstable();
        servers.dedup();
        let barred: Vec<_> = servers.into_iter().filter_map(|a| Some((a, bar(a)?))).collect();
        let news = barred != self.barred;
        self.barred = barred;
        news
    }

    /// What an agent may not do now.
    pub(super) fn barred(&self, agent: AgentId) -> Option<ServiceBar> {
        self.barred.iter().find(|b| b.0 == agent).map(|b| b.1)
    }

    /// Takes the best bid for working the orders of an asset, where taking costs so many basis points.
    pub(super) fn choose_maker(&mut self, spec: &ServiceSpec, desk_index: usize, now: Stamp, taking: f64) {
        if spec.makers[desk_index].is_empty() {
            return;
        }
        let asset = &mut self.assets[desk_index];
        asset.makers.iter_mut().for_each(MakerRecord::look);
        let asset = &self.assets[desk_index];
        let own = spec.keeper.map(|maker| AcceptedWork { maker, terms: OWN_WORK });
        let may = |a| self.barred(a).is_none();
        let best = own.or_else(|| asset.work_bids.best(now, taking, may, |a| asset.expected(a)));
        self.assets[desk_index].work = best;
    }

    /// All worked orders so far.
    pub fn worked(&self) -> ExecutionCost {
        self.assets.iter().fold(ExecutionCost::default(), |sum, a| sum.plus(&a.worked_cost(), 1.0))
    }

    /// All perp legs of switches that were worked so far.
    pub fn switched(&self) -> ExecutionCost {
        let all = self.assets.iter().flat_map(|a| &a.carriers);
        all.fold(ExecutionCost::default(), |sum, c| sum.plus(&c.switches, 1.0))
    }

    /// What carriers paid to makers so far.
    pub fn paid_by_carriers(&self) -> Money {
        self.assets.iter().flat_map(|a| &a.carriers).map(|c| c.paid.0).sum()
    }

    /// Nothing is on its way any more.
    pub(super) fn come_no_more(&mut self) {
        self.assets.iter_mut().for_each(|served| served.spot_pending = Decimal::ZERO);
    }

    /// Whether a maker works the orders of an instrument now.
    pub(super) fn is_worked(&self, desk_index: usize, now: Stamp) -> bool {
        let asset = &self.assets[desk_index];
        asset.work.is_some() && asset.working_order.is_known(now)
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
        let mut rent = 0.0;
        for owner in spec.carrying() {
            let Ok(pnl) = ledger.pnl(owner, marks) else { continue };
            let (beside, owes) = self.carrier_news(owner);
            let gained = pnl - self.reported(owner, pnl);
            let saved = money::to_estimate(gained) + beside - owes;
            rent += owes;
            let own = spec.held().filter(|(i, _)| self.assets[*i].carrier == Some(owner));
            let market_values = own.map(|(i, spot)| {
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
        for maker in spec.working() {
            let mut new = ExecutionCost::default();
            let records = self.assets.iter_mut().flat_map(|a| &mut a.makers);
            for record in records.filter(|r| r.maker == maker) {
                let before = std::mem::replace(&mut record.told, record.cost);
                new = new.plus(&record.cost, 1.0).plus(&before, -1.0);
            }
            let notional = new.rested + new.crossed;
            if notional > 0.0 {
                let receipt = Receipt { service: Service::Liquidity, saved: new.saved(), notional };
                all.push((Speaker::Agent(maker), receipt));
            }
        }
        all
    }

    /// The PnL of a carrier's book when it was last told; from now on it is this.
    fn reported(&mut self, owner: AgentId, pnl: Money) -> Money {
        if let Some(told) = self.reported.iter_mut().find(|t| t.0 == owner) {
            return std::mem::replace(&mut told.1, pnl);
        }
        self.reported.push((owner, pnl));
        Decimal::ZERO
    }

    /// What came beside its book since a carrier was last told of: what it paid to makers less what those saved on its
    /// switches; and the rent it owes. However often it is told, receipts sum to the whole.
    fn carrier_news(&mut self, owner: AgentId) -> (f64, f64) {
        let (mut beside, mut owes) = (0.0, 0.0);
        let records = self.assets.iter_mut().flat_map(|a| &mut a.carriers);
        for record in records.filter(|r| r.carrier == owner) {
            let before = std::mem::replace(&mut record.told, record.switches);
            // What makers saved on the perp legs of switches is in the carrier's book, and theirs.
            beside -= record.switches.plus(&before, -1.0).saved();
            let paid = record.paid.0 - std::mem::replace(&mut record.paid.1, record.paid.0);
            beside += money::to_estimate(paid);
            owes += record.rent.0 - std::mem::replace(&mut record.rent.1, record.rent.0);
        }
        (beside, owes)
    }
}
