//! The first half of the step: the market and the alone lives. It listens to nothing: what it says
//! depends on the events, the cast and the costs, never on funds, mutes, pauses or managers, so one
//! `speak` can be shared by many `respond`s.
//!
//! All agents of the decision clock judge their conditions at the barrier, when every close of the
//! stamp is in, and not as each close arrives: a cross-sectional family would otherwise depend on the
//! order of arrival. What is said at a barrier is heard in the second half of the same step (law 4).

use super::Settings;
use super::lives::Following;
use super::structures::{StructureSpec, StructureWords, Structures};
use crate::agents::alone::{Alone, BookAndOutbox, DecisionContext};
use crate::agents::{Agent, AgentAsset, Population};
use crate::domain::{
    Announced, AssetId, EvalContext, Event, FamilyId, Indicator, InstrumentId, InstrumentKind, MarketEvent,
    MessageKind, Stamp, Universe, random,
};
use crate::fills::Costs;
use crate::fills::books::{Patient, SimulatedBook};
use crate::hive::curve::{Base, EquityCurve};
use crate::market::{Listing, MarketState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Mean correlation between two assets of one agent when its ex-ante risk is estimated: daily returns
/// of large coins have been correlated by about this much.
const CORRELATION: f64 = 0.5;
/// Most indicators a family may ask for: those that exist are at most one of each kind.
const KEYS_MAX: usize = 16;
/// No handle: the value is the agent's own, not the bank's.
const OWN: u16 = u16::MAX;

/// What does not change during a run.
#[derive(Clone, Debug)]
pub struct SpeakSpec {
    cast: Arc<Population>,
    settings: Settings,
    /// By instrument, today also by asset.
    kinds: Vec<InstrumentKind>,
    /// What each costs to trade.
    costs: Vec<Costs>,
    /// Where in the banks the slots' indicators are, slot by slot.
    handles: Vec<u16>,
    /// By slot: where its handles begin; they end where the next slot's begin.
    first_handle: Vec<u32>,
    /// By slot: the key of its coins, from names, so that numbering does not matter.
    coins: Vec<u64>,
    structures: StructureSpec,
    /// The reference weight 1/N.
    weight: f64,
    /// Capital that the reference weight stands for, in currency.
    pub reference: f64,
}

/// One thing said, by the agent of a slot.
#[derive(Clone, Debug, PartialEq)]
pub struct StructuredMessage {
    /// Agent and asset.
    pub slot: usize,
    /// An action or an outcome.
    pub body: MessageKind,
}

/// What was said in a step.
#[derive(Clone, Debug, Default)]
pub struct StepOutput {
    /// Whether the event counted; a repeated or impossible one does not, and changes nothing.
    pub accepted: bool,
    /// In the order of agents and their assets.
    pub utterances: Vec<StructuredMessage>,
    /// At a barrier, by agent: net PnL of the raw intents over their ex-ante volatility; NaN for the
    /// inactive.
    pub results: Vec<f64>,
    /// What structured agents said, in their order.
    pub structured: Vec<StructureWords>,
    /// At a barrier: what others hear of a slot in place of what it said. Only the lab's negative
    /// controls fill this; who spoke knows its own intent all the same.
    pub misheard: Vec<(usize, f64)>,
}

/// The state of the first half.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Speak {
    /// What is known of the market, by instrument.
    pub market: MarketState,
    /// By slot: the lives that speak.
    pub lives: Vec<Alone>,
    /// By slot: their raw books, which trade the intents at once, at the reference weight. Apart from the
    /// lives because every bar touches all of them, and few of the lives act.
    pub raw: Vec<SimulatedBook>,
    /// By slot: the position as announced.
    pub announced: Vec<Announced>,
    /// By declared slot: the alone life as shown, at the desk's pace like open.
    pub patient: Vec<Patient>,
    /// Σ of the patient alone lives.
    pub curve: EquityCurve,
    /// The structured agents.
    pub structures: Structures,
    /// By slot: equity of the raw book at the last barrier.
    marked: Vec<f64>,
    /// By agent: ex-ante volatility of a bar as of the last barrier, as a fraction of own capital.
    risk: Vec<f64>,
}

impl SpeakSpec {
    /// Makes it for a cast on a universe.
    pub fn new(cast: Arc<Population>, universe: &Universe, settings: Settings, market: &MarketState) -> Self {
        let handle = |asset: AssetId, key: Indicator| {
            let bank = &market.listings[asset.index()].bank;
            if matches!(key, Indicator::Rank(_)) { OWN } else { bank.handle(key).map_or(OWN, |p| p as u16) }
        };
        let all = cast.slots.iter().flat_map(|s| s.keys.iter().map(|k| handle(s.asset, *k)));
        let handles: Vec<u16> = all.collect();
        let mut first_handle = vec![0];
        first_handle.extend(cast.slots.iter().scan(0, |sum, s| {
            *sum += s.keys.len() as u32;
            Some(*sum)
        }));
        let coin = |s: &AgentAsset| {
            let agent = &cast.agents[s.agent.index()].name;
            random::key(cast.seed, &[random::name(agent), random::name(universe.name(s.asset))])
        };
        let coins = cast.slots.iter().map(coin).collect();
        let kinds = universe.desk().iter().map(|i| i.kind).collect();
        let costs = universe.desk().iter().map(|i| *settings.costs.of(i)).collect();
        let weight = 1.0 / cast.declared.max(1) as f64;
        let reference = settings.capital * weight;
        let structures = StructureSpec::new(&cast, universe, reference);
        SpeakSpec {
            cast,
            settings,
            kinds,
            costs,
            handles,
            first_handle,
            coins,
            structures,
            weight,
            reference,
        }
    }

    /// What banks must compute for this cast, by instrument.
    pub fn wanted(cast: &Population) -> Vec<Vec<Indicator>> {
        let keys = |slots: &Vec<u32>| {
            let all = slots.iter().flat_map(|s| cast.slots[*s as usize].keys.iter().copied());
            all.filter(|k| !matches!(k, Indicator::Rank(_))).collect()
        };
        cast.by_asset.iter().map(keys).collect()
    }

    fn handles(&self, slot: usize) -> &[u16] {
        &self.handles[self.first_handle[slot] as usize..self.first_handle[slot + 1] as usize]
    }

    /// Whether the desk trades it.
    fn is_desk(&self, instrument: InstrumentId) -> bool {
        instrument.index() < self.kinds.len()
    }
}

impl Speak {
    /// Nothing was heard of the market yet.
    pub fn new(market: MarketState, spec: &SpeakSpec) -> Self {
        let (cast, settings) = (&*spec.cast, &spec.settings);
        Speak {
            structures: Structures::new(cast, &spec.structures),
            market,
            lives: vec![Alone::default(); cast.slots.len()],
            raw: vec![SimulatedBook::default(); cast.slots.len()],
            announced: vec![Announced::default(); cast.slots.len()],
            patient: vec![Patient::default(); cast.declared_slots],
            curve: EquityCurve::new(Base::Fixed, settings.capital),
            marked: vec![0.0; cast.slots.len()],
            risk: vec![0.0; cast.agents.len()],
        }
    }

    /// Takes an event and says what follows from it.
    pub fn step(&mut self, spec: &SpeakSpec, event: &Event, said: &mut StepOutput) {
        said.utterances.clear();
        said.structured.clear();
        said.accepted = match *event {
            Event::Market(MarketEvent::Bar { instrument, at, ref bar }) if spec.is_desk(instrument) => {
                let accepted = self.market.bar(instrument, at, bar);
                if accepted {
                    self.fill(spec, instrument);
                }
                accepted
            }
            Event::Market(MarketEvent::Funding { instrument, at, rate, mark })
                if spec.is_desk(instrument) =>
            {
                let accepted = self.market.funding(instrument, at, rate, mark);
                if accepted {
                    self.fund(spec, instrument, rate, mark);
                }
                accepted
            }
            Event::Market(_) => false,
            Event::Barrier(at) => {
                let accepted = self.market.barrier(at);
                if accepted {
                    self.barrier(spec, at, said);
                }
                accepted
            }
            Event::Command(..) => true,
        };
        if let Event::Market(market) = event {
            let desk = market.instrument().is_some_and(|i| spec.is_desk(i));
            let bars = matches!(market, MarketEvent::Bar { .. } | MarketEvent::Funding { .. });
            // What the desk refuses of its own instruments is not heard by anybody.
            if said.accepted || !(desk && bars) {
                let (cast, structures) = (&spec.cast, &spec.structures);
                let costs = &spec.settings.costs;
                let heard = self.structures.hear(cast, structures, costs, market, &mut said.structured);
                said.accepted |= heard;
            }
        }
    }

    /// Orders of the last barrier fill at this bar.
    fn fill(&mut self, spec: &SpeakSpec, instrument: InstrumentId) {
        let i = instrument.index();
        let listing = &self.market.listings[i];
        let (costs, kind, span) = (&spec.costs[i], spec.kinds[i], spec.settings.clock.decide);
        for &slot in &spec.cast.by_asset[i] {
            let slot = slot as usize;
            self.raw[slot].bar(costs, kind, &listing.last, listing.sigma_before, span);
            if let Some(patient) = self.patient.get_mut(slot) {
                patient.book.bar(costs, kind, &listing.last, listing.sigma_before, span);
            }
        }
    }

    fn fund(&mut self, spec: &SpeakSpec, instrument: InstrumentId, rate: f64, mark: f64) {
        let costs = &spec.costs[instrument.index()];
        for &slot in &spec.cast.by_asset[instrument.index()] {
            self.raw[slot as usize].funding(costs, mark, rate);
            if let Some(patient) = self.patient.get_mut(slot as usize) {
                patient.book.funding(costs, mark, rate);
            }
        }
    }

    fn barrier(&mut self, spec: &SpeakSpec, at: Stamp, said: &mut StepOutput) {
        said.results.clear();
        let listings = self.market.listings.iter().enumerate();
        let following =
            listings.map(|(i, l)| Following::new(&spec.settings, spec.kinds[i], &spec.costs[i], l));
        let bar = BarClose { at, following: following.collect() };
        let mut ranks = Vec::new();
        for agent in &spec.cast.agents {
            if agent.family == FamilyId::RelativeStrength {
                self.rank(spec, agent, at, &mut ranks);
            }
            for slot in agent.slots.clone() {
                let rank = ranks.get(slot - agent.slots.start).copied().unwrap_or(f64::NAN);
                self.judge(spec, agent, slot, rank, &bar, said);
            }
            ranks.clear();
            let result = self.result(spec, agent);
            said.results.push(result);
        }
        self.structures.barrier(
            &spec.cast,
            &spec.structures,
            &spec.settings.costs,
            &mut said.structured,
            &mut said.results,
        );
        let pnl: f64 =
            self.patient.iter().zip(&spec.cast.slots).map(|(p, s)| self.equity_of(p, s.asset)).sum();
        self.curve.push(at, spec.settings.capital + pnl + self.structures.total());
    }

    /// Worth of a patient book at the last price of its asset.
    pub(super) fn equity_of(&self, patient: &Patient, asset: AssetId) -> f64 {
        patient.book.equity(self.market.listings[asset.index()].last.close)
    }

    /// PnL of a declared slot's alone life so far.
    pub fn alone(&self, cast: &Population, slot: usize) -> f64 {
        self.equity_of(&self.patient[slot], cast.slots[slot].asset)
    }

    /// One slot at a close: outcome, conditions, actions, and the patient life's next order.
    fn judge(
        &mut self,
        spec: &SpeakSpec,
        agent: &Agent,
        slot: usize,
        rank: f64,
        bar: &BarClose<'_>,
        said: &mut StepOutput,
    ) {
        let BarClose { at, ref following } = *bar;
        let asset = spec.cast.slots[slot].asset;
        let listing = &self.market.listings[asset.index()];
        let close = listing.last.close;
        let now = DecisionContext {
            agent: agent.id,
            asset,
            strategy: &agent.strategy,
            capital: spec.reference,
            close,
            coins: spec.coins[slot],
            at: at.0 as u64,
        };
        let (life, raw) = (&mut self.lives[slot], &mut self.raw[slot]);
        let announced = &mut self.announced[slot];
        let mut say = |body| {
            if let MessageKind::Action(action) = &body {
                announced.say(action.after, action.price);
            }
            said.utterances.push(StructuredMessage { slot, body });
        };
        if listing.delisted_at == Some(at) {
            life.delist(&now, &mut BookAndOutbox { raw, say: &mut |a| say(MessageKind::Action(a)) });
            let (kind, costs) = (spec.kinds[asset.index()], &spec.costs[asset.index()]);
            raw.delist(costs, kind, close);
            if let Some(outcome) = life.outcome(raw, &now) {
                say(MessageKind::Outcome(outcome));
            }
            if let Some(patient) = self.patient.get_mut(slot) {
                patient.aim = 0.0;
                patient.book.delist(costs, kind, close);
            }
            return;
        }
        if !listing.is_fresh(at) || at < agent.active_from {
            return;
        }
        if let Some(outcome) = life.outcome(raw, &now) {
            say(MessageKind::Outcome(outcome));
        }
        life.pass(close);
        let handles = spec.handles(slot);
        let values = indicators(listing, handles, rank);
        let (side, best, entry) = life.seen();
        let (sigma, held, keys) = (listing.sigma, life.held(), &spec.cast.slots[slot].keys);
        let values = &values[..handles.len()];
        let view = EvalContext { close, sigma, held, best, entry, side, keys, values };
        life.at_close(&view, &now, &mut BookAndOutbox { raw, say: &mut |a| say(MessageKind::Action(a)) });
        if !spec.kinds[asset.index()].can_short() {
            // The intent is a voice all the same; the book can only sell what it has.
            raw.order = raw.order.max(-raw.quantity);
        }
        if let Some(patient) = self.patient.get_mut(slot) {
            let p = self.announced[slot].at(close, spec.settings.listening.holds);
            following[asset.index()].follow(patient, spec.weight * p, agent.slots.len(), spec.weight);
        }
    }

    /// Where each asset of a basket stands: 0 the weakest … 1 the strongest; NaN for all if fewer than
    /// three can be ranked. Ties share their place.
    fn rank(&self, spec: &SpeakSpec, agent: &Agent, at: Stamp, ranks: &mut Vec<f64>) {
        let score = |slot: usize| {
            let listing = &self.market.listings[spec.cast.slots[slot].asset.index()];
            let keys = &spec.cast.slots[slot].keys;
            let index = keys.iter().position(|k| matches!(k, Indicator::Score(_)));
            let handle = index.map(|p| spec.handles(slot)[p]);
            let value = handle.and_then(|h| listing.bank.values().get(usize::from(h))).copied();
            value.filter(|_| listing.is_fresh(at)).unwrap_or(f64::NAN)
        };
        ranks.clear();
        ranks.extend(agent.slots.clone().map(score));
        rank_in_place(ranks);
    }

    /// An agent's result of the bar, in units of its ex-ante volatility.
    fn result(&mut self, spec: &SpeakSpec, agent: &Agent) -> f64 {
        let (mut pnl, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for slot in agent.slots.clone() {
            let listing = &self.market.listings[spec.cast.slots[slot].asset.index()];
            let raw = &self.raw[slot];
            if raw.quantity == 0.0 && raw.cash == self.marked[slot] {
                continue;
            }
            let equity = raw.equity(listing.last.close);
            pnl += equity - self.marked[slot];
            self.marked[slot] = equity;
            let sigma = if listing.sigma_before.is_finite() { listing.sigma_before } else { 0.0 };
            let risk = raw.quantity * listing.last.close / spec.reference * sigma;
            sum += risk;
            squares += risk * risk;
        }
        let risk = libm::sqrt(CORRELATION * sum * sum + (1.0 - CORRELATION) * squares);
        // A position closed at this bar's open still had its risk overnight.
        let before = std::mem::replace(&mut self.risk[agent.id.index()], risk);
        let risk = risk.max(before);
        if risk > 0.0 { pnl / spec.reference / risk } else { f64::NAN }
    }
}

/// The values of the indicators of a slot; a rank in its basket is none of its asset's own.
fn indicators(listing: &Listing, handles: &[u16], rank: f64) -> [f64; KEYS_MAX] {
    let bank = listing.bank.values();
    let mut values = [0.0; KEYS_MAX];
    for (value, handle) in values.iter_mut().zip(handles) {
        *value = bank.get(usize::from(*handle)).copied().unwrap_or(rank);
    }
    values
}

/// The close of a bar as lives see it.
struct BarClose<'a> {
    at: Stamp,
    /// The agents that follow this bar, by asset.
    following: Vec<Following<'a>>,
}

/// Replaces scores by ranks 0 … 1 among those that are finite; NaN stays NaN.
pub fn rank_in_place(scores: &mut [f64]) {
    let mut order: Vec<f64> = scores.iter().copied().filter(|s| s.is_finite()).collect();
    let n = order.len();
    if n < 3 {
        scores.fill(f64::NAN);
        return;
    }
    order.sort_unstable_by(f64::total_cmp);
    for score in scores.iter_mut().filter(|s| s.is_finite()) {
        let below = order.partition_point(|x| x < score);
        let through = order.partition_point(|x| x <= score);
        *score = (below + through - 1) as f64 / 2.0 / (n - 1) as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::rank_in_place;

    #[test]
    fn ranks_run_from_weakest_to_strongest_and_ties_share() {
        let mut r = [3.0, f64::NAN, 1.0, 2.0, 2.0];
        rank_in_place(&mut r);
        assert_eq!((r[0], r[2], r[3], r[4]), (1.0, 0.0, 0.5, 0.5));
        assert!(r[1].is_nan());
    }

    #[test]
    fn fewer_than_three_are_no_ranking() {
        let mut r = [3.0, 1.0, f64::NAN];
        rank_in_place(&mut r);
        assert!(r.iter().all(|x| x.is_nan()));
    }
}
