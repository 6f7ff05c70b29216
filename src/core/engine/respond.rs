//! The second half of the step: everything that comes of listening. Hears what was said, keeps the
//! points, makes stances of intents, steers by goals, and trades the net through desk, gate, venue
//! and books.
//!
//! # Invariants
//!
//! 1. It reads the market and what was said, never the other half's mind: utterances may be rewritten
//!    in between (the lab's controls) without touching anything else.
//! 2. A stance heard now was said at this barrier or before (law 4); an order decided now fills at the
//!    first price after it.
//! 3. Σ real books = account, checked by the ledger at every posting, and the venue's own position is
//!    compared with the desk's at every barrier. Any doubt halts new risk (law 9).

use super::emergence::Gauge;
use super::listen::{ResidualStance, equity_of};
use super::real::{BarrierContext, Real, RealSpec};
use super::speak::{Speak, StepOutput, StructuredMessage};
use super::structures::StructureWords;
use super::{Outputs, Settings};
use crate::agents::alone::unit;
use crate::agents::mind::{self};
use crate::agents::{Agent, Population};
use crate::domain::{
    AgentId, Announced, AssetId, Digest, Event, InstrumentKind, MarketEvent, MessageKind, Outcome, Speaker,
    Stamp, StanceVerb, Universe, Verb,
};
use crate::fills::Costs;
use crate::fills::books::Patient;
use crate::hive::bus::Bus;
use crate::hive::consensus::Consensus;
use crate::hive::curve::{Base, EquityCurve};
use crate::hive::difference::Difference;
use crate::hive::goals::Goals;
use crate::hive::influence::Edges;
use crate::hive::managers::ManagerState;
use crate::hive::points::Points;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most one slot may say at a barrier: a life says an outcome, and at most target, hedge and add.
const WORDS_MAX: u32 = 8;
/// Largest intent, in multiples of the agent's capital: the largest unit with the largest traits and adds.
const INTENT_MAX: f64 = 2_000.0;

/// What does not change during a run.
#[derive(Clone, Debug)]
pub struct RespondSpec {
    pub(super) cast: Arc<Population>,
    pub(super) settings: Settings,
    /// Of its real life.
    pub real: RealSpec,
    pub(super) kinds: Vec<InstrumentKind>,
    /// What each costs to trade.
    pub(super) costs: Vec<Costs>,
    /// What a negative control of the lab turns round; a run turns nothing.
    pub misled: ControlOverrides,
}

/// How the lab's negative controls listen, in place of how the mechanism does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControlOverrides {
    /// The better the record of its family, the more an agent listens: humility of 1/points.
    pub arrogant: bool,
    /// By asset: the asset whose consensus is taken for its own, at its own risk; none if empty.
    pub asset_of: Vec<AssetId>,
}

/// A declared agent's ears on one asset.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenState {
    /// The own position as announced.
    pub own: Announced,
    /// The life with open ears.
    pub open: Patient,
    /// The stance at the reference weight, x.
    pub stance: f64,
    /// The stance as last said.
    pub said: f64,
    /// Its verb as last said.
    pub verb: StanceVerb,
    /// open − alone as of the last barrier, in currency.
    pub(super) worth: f64,
}

/// The state of the second half.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Respond {
    /// Delivers messages, and counts them.
    pub bus: Bus,
    /// What all voices say, asset by asset.
    pub consensus: Consensus,
    /// The records by which voices are weighed.
    pub points: Points,
    /// By declared slot.
    pub ears: Vec<OpenState>,
    /// By declared slot: who moved it.
    pub edges: Vec<Edges>,
    /// By instrument: what the house carries because nobody else may.
    pub house: Vec<ResidualStance>,
    /// By slot: points of the agent when the open intent was opened.
    points_then: Vec<f64>,
    /// Σ of the open lives.
    pub open: EquityCurve,
    /// The goals as last read.
    pub goals: Goals,
    /// State of the managers, one a goal.
    pub office: ManagerState,
    /// Desk, gate, venue, books.
    pub real: Real,
    /// What the swarm is worth beyond its parts.
    pub gauge: Gauge,
    /// What the hive would be without each agent.
    pub difference: Difference,
    /// Every stance, target and order so far.
    pub decisions: Digest,
    /// By declared agent: whether the operator has deafened it.
    pub deafened: Vec<bool>,
    /// Commands of the operator that were carried out.
    pub interventions: u64,
    /// The day that was last closed, days since 1970.
    day: Option<i64>,
}

impl RespondSpec {
    /// Whether it is of an instrument that the desk trades.
    fn is_listed(&self, event: &MarketEvent) -> bool {
        event.instrument().is_some_and(|i| i.index() < self.kinds.len())
    }

    /// For a cast on a universe.
    pub fn new(cast: Arc<Population>, universe: &Universe, settings: Settings) -> Self {
        let real = RealSpec::new(&cast, universe, &settings);
        let kinds = universe.desk().iter().map(|i| i.kind).collect();
        let costs = universe.desk().iter().map(|i| *settings.costs.of(i)).collect();
        RespondSpec { cast, settings, real, kinds, costs, misled: ControlOverrides::default() }
    }

    pub(super) fn listens(&self, points: &Points, agent: &Agent) -> f64 {
        let l = &self.settings.listening;
        if !l.enabled {
            return 0.0;
        }
        l.lambda.unwrap_or_else(|| {
            let points = points.family(agent.family);
            let points = if self.misled.arrogant { 1.0 / points } else { points };
            mind::humility((l.humility_least, l.humility_most), points, agent.traits.sociability)
        })
    }

    /// Whose consensus is taken for an asset's, and the risk of a unit there over that here.
    pub(super) fn heard_on(&self, asset: usize, speak: &Speak) -> (AssetId, f64) {
        let Some(&other) = self.misled.asset_of.get(asset) else { return (AssetId(asset as u16), 1.0) };
        let sigma = |a: usize| speak.market.listings[a].sigma;
        let scale = unit(sigma(asset)) / unit(sigma(other.index()));
        (other, if scale.is_finite() { scale } else { 0.0 })
    }
}

impl Respond {
    /// Nothing was heard yet.
    pub fn new(spec: &RespondSpec) -> Self {
        let (cast, s) = (&spec.cast, &spec.settings);
        let ear = OpenState {
            own: Announced::default(),
            open: Patient::default(),
            stance: 0.0,
            said: 0.0,
            verb: StanceVerb::Keeps,
            worth: 0.0,
        };
        Respond {
            bus: Bus::new(cast.agents.len()),
            consensus: Consensus::new(cast),
            points: Points::new(cast, s.clock.decide, s.listening.points_span_days),
            ears: vec![ear; cast.declared_slots],
            edges: vec![Edges::default(); cast.declared_slots],
            house: vec![ResidualStance::NOTHING; spec.kinds.len()],
            points_then: vec![1.0; cast.slots.len() + cast.structures.len()],
            open: EquityCurve::new(Base::Fixed, s.capital),
            goals: Goals::default(),
            office: ManagerState::new(cast.declared, cast.declared_slots),
            real: Real::new(&spec.real, cast, s),
            gauge: Gauge::new(spec),
            difference: Difference::new(cast.declared),
            decisions: Digest::default(),
            deafened: vec![false; cast.declared],
            interventions: 0,
            day: None,
        }
    }

    /// Takes an event and what was said at it.
    pub fn step(
        &mut self,
        spec: &RespondSpec,
        event: &Event,
        speak: &Speak,
        said: &StepOutput,
        out: &mut Outputs,
    ) {
        if !said.accepted {
            return;
        }
        for spoken in &said.structured {
            self.hear_structured(&spec.cast, event.at(), spoken, out);
        }
        match *event {
            // What the desk does not trade is the structures' alone, and was heard in the first half.
            Event::Market(ref other) if !spec.is_listed(other) => {
                let (listings, board) = (&speak.market.listings, &speak.structures.board);
                self.real.other(&spec.real, &spec.settings, other, listings, board, out);
            }
            Event::Market(ref inside @ MarketEvent::Inside { .. }) => {
                self.real.inside(&spec.real, &spec.settings, inside, &speak.market.listings, out);
            }
            Event::Market(MarketEvent::Bar { instrument, at, .. }) => {
                let listing = &speak.market.listings[instrument.index()];
                let s = &spec.settings;
                let (kind, costs) = (spec.kinds[instrument.index()], &spec.costs[instrument.index()]);
                for &slot in spec.real.desk.slots(instrument) {
                    let book = &mut self.ears[slot as usize].open.book;
                    book.bar(costs, kind, &listing.last, listing.sigma_before, s.clock.decide);
                }
                self.gauge.bar(spec, instrument, listing);
                self.real.bar(&spec.real, s, instrument, at, listing, out);
            }
            Event::Market(MarketEvent::Funding { instrument, rate, mark, .. }) => {
                for &slot in spec.real.desk.slots(instrument) {
                    let costs = &spec.costs[instrument.index()];
                    self.ears[slot as usize].open.book.funding(costs, mark, rate);
                }
                self.gauge.funding(spec, instrument, mark, rate);
                self.real.funding(&spec.settings, instrument, rate, mark, out);
            }
            Event::Market(_) => {}
            Event::Barrier(at) => self.barrier(spec, at, speak, said, out),
            Event::Command(at, command) => self.command(spec, at, command, out),
        }
    }

    pub(super) fn declared_points(&self, cast: &Population) -> Vec<f64> {
        cast.agents[..cast.declared].iter().map(|a| self.points.agent(cast, a.id)).collect()
    }

    fn barrier(
        &mut self,
        spec: &RespondSpec,
        at: Stamp,
        speak: &Speak,
        said: &StepOutput,
        out: &mut Outputs,
    ) {
        let (cast, s) = (&*spec.cast, &spec.settings);
        self.points.push(cast, &said.results);
        // Where others hear a wrong word the true one never reaches them: a quantity that followed from both would
        // know something of the truth.
        let mut misheard = vec![false; if said.misheard.is_empty() { 0 } else { cast.slots.len() }];
        said.misheard.iter().for_each(|(slot, _)| misheard[*slot] = true);
        let mut last = (usize::MAX, 0);
        for utterance in &said.utterances {
            last = if last.0 == utterance.slot { (last.0, last.1 + 1) } else { (utterance.slot, 1) };
            if last.1 > WORDS_MAX || !makes_sense(&utterance.body) || !is_priced(&utterance.body) {
                self.refuse(cast, utterance.slot, out);
            } else {
                let is_heard = !misheard.get(utterance.slot).copied().unwrap_or(false);
                self.hear(spec, at, utterance, is_heard, out);
            }
        }
        let holds = s.listening.holds;
        for &(slot, after) in &said.misheard {
            // A wrong word is heard now, so its quantity is at the price of now and nothing of the true one's.
            let price = speak.market.listings[cast.slots[slot].asset.index()].last.close;
            self.consensus.hear(cast, slot, (after, price), holds, self.consensus.said(slot));
        }
        for (asset, listing) in speak.market.listings.iter().enumerate() {
            self.consensus.price(AssetId(asset as u16), listing.last.close, holds);
        }
        self.delist(spec, at, speak, out);
        self.real.mark(&spec.real, at, &speak.structures.board, out);
        self.listen(spec, at, speak, out);
        let pnl: f64 =
            self.ears.iter().zip(&cast.slots).map(|(e, slot)| equity_of(&e.open, speak, slot.asset)).sum();
        self.open.push(at, s.capital + pnl + speak.structures.total());
        let now = BarrierContext {
            spec: &spec.real,
            settings: s,
            at,
            listings: &speak.market.listings,
            board: &speak.structures.board,
        };
        self.real.decide(&now, &self.office.knobs, &mut self.decisions, out);
        let day = Stamp(at.0 - 1).after(s.clock.decide).day();
        if self.day.is_none_or(|d| d != day) {
            self.day = Some(day);
            self.close_day(spec, at, speak, out);
        }
    }

    /// What is no intent, or one word too many, is not delivered: the last one that was stands.
    fn refuse(&mut self, cast: &Population, slot: usize, out: &mut Outputs) {
        let agent = cast.slots[slot].agent;
        self.office.wards.erred(agent);
        let name = &cast.agents[agent.index()].name;
        out.alarms.push(format!("{name} said what cannot be, or too much at once; it was not heard"));
    }

    /// Delivers an utterance and keeps what it changes; `is_heard`: whether others hear it as it was said.
    fn hear(
        &mut self,
        spec: &RespondSpec,
        at: Stamp,
        utterance: &StructuredMessage,
        is_heard: bool,
        out: &mut Outputs,
    ) {
        let (cast, holds) = (&*spec.cast, spec.settings.listening.holds);
        let slot = utterance.slot;
        let said = &cast.slots[slot];
        let body = self.whole(cast, (said.agent, slot), &utterance.body);
        let id = self.bus.deliver(at, Speaker::Agent(said.agent), Some(said.asset), body, &mut out.messages);
        if let MessageKind::Action(action) = body {
            self.gauge.wanted += u64::from(self.real.funds.weight(said.agent) > 0.0);
            if is_heard {
                self.consensus.hear(cast, slot, (action.after, action.price), holds, id);
            }
            if let Some(ear) = self.ears.get_mut(slot) {
                ear.own.say(action.after, action.price);
            }
        }
    }

    /// A message as it is delivered: whole, so that nobody changes it afterwards. What an outcome earned its agent in
    /// points since it opened is known here and not by who speaks; `place` is that of the slot or of the structure.
    fn whole(
        &mut self,
        cast: &Population,
        (agent, place): (AgentId, usize),
        body: &MessageKind,
    ) -> MessageKind {
        match *body {
            MessageKind::Action(ref a) if a.verb == Verb::Open => {
                self.points_then[place] = self.points.agent(cast, agent);
                *body
            }
            MessageKind::Outcome(o) => {
                let points = self.points.agent(cast, agent) - self.points_then[place];
                MessageKind::Outcome(Outcome { points, ..o })
            }
            body => body,
        }
    }

    /// Delivers what a structured agent said. It moves nobody: structures are no voices.
    fn hear_structured(&mut self, cast: &Population, at: Stamp, spoken: &StructureWords, out: &mut Outputs) {
        let s = &cast.structures[spoken.structure];
        let place = cast.slots.len() + spoken.structure;
        if !makes_sense(&spoken.body) {
            self.office.wards.erred(s.agent);
            let name = &cast.agents[s.agent.index()].name;
            out.alarms.push(format!("{name} said what cannot be; it was not heard"));
            return;
        }
        let body = self.whole(cast, (s.agent, place), &spoken.body);
        if let MessageKind::Carry(quote) = &body
            && self.consensus.is_heard(s.agent)
        {
            self.real.services.hear(s.asset, at, quote);
        }
        self.bus.deliver(at, Speaker::Agent(s.agent), Some(s.asset), body, &mut out.messages);
    }

    /// Assets that have stopped trading: open closes, the desk forgets them, the venue pays out.
    fn delist(&mut self, spec: &RespondSpec, at: Stamp, speak: &Speak, out: &mut Outputs) {
        for instrument in spec.real.desk_instruments() {
            let listing = &speak.market.listings[instrument.id.index()];
            if listing.delisted_at != Some(at) {
                continue;
            }
            out.alarms.push(format!(
                "{} stopped trading: closed at its last price {}",
                instrument.symbol, listing.last.close
            ));
            self.house[instrument.id.index()] = ResidualStance::NOTHING;
            for &slot in spec.real.desk.slots(instrument.id) {
                let ear = &mut self.ears[slot as usize];
                ear.open.aim = 0.0;
                ear.stance = 0.0;
                ear.open.book.delist(spec.settings.costs.of(instrument), instrument.kind, listing.last.close);
            }
            self.gauge.delist(spec, instrument, listing.last.close);
            self.real.delist(&spec.real, &spec.settings, instrument, at, listing, out);
        }
    }
}

/// Whether an action on an asset says at which price, without which nobody knows its quantity. What structures
/// are worth may be nothing, or less.
fn is_priced(body: &MessageKind) -> bool {
    if let MessageKind::Action(a) = body { a.price.is_finite() && a.price > 0.0 } else { true }
}

/// Whether an intent can be meant.
fn makes_sense(body: &MessageKind) -> bool {
    match body {
        MessageKind::Action(a) => {
            a.after.is_finite() && a.before.is_finite() && libm::fabs(a.after) <= INTENT_MAX
        }
        MessageKind::Outcome(o) => o.pnl.is_finite(),
        MessageKind::Carry(c) => c.value.is_finite() && c.days > 0.0,
        _ => false,
    }
}
