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

use super::real::{Real, RealSpec};
use super::speak::{Said, Speak, Utterance};
use super::{Outputs, Settings};
use crate::agents::alone::unit;
use crate::agents::books::{Pace, Patient};
use crate::agents::mind::{self, Heard};
use crate::agents::{Agent, Cast};
use crate::domain::{
    AgentId, AssetId, Body, Command, Digest, Event, InstrumentKind, MarketEvent, MessageId, Speaker, Stamp,
    Stance, StanceVerb, Universe, Verb,
};
use crate::hive::bus::Bus;
use crate::hive::consensus::Consensus;
use crate::hive::curve::{Base, Curve};
use crate::hive::goals::{Account, Goals};
use crate::hive::influence::{Edges, Loudest};
use crate::hive::managers::{Day, Office};
use crate::hive::points::Points;
use crate::treasury::funds::Funds;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A stance is said again when it has moved by this many units since it was last said.
const WORTH_SAYING: f64 = 0.5;

/// What does not change during a run.
#[derive(Clone, Debug)]
pub struct RespondSpec {
    pub(super) cast: Arc<Cast>,
    pub(super) settings: Settings,
    pub(super) real: RealSpec,
    kinds: Vec<InstrumentKind>,
    /// What a negative control of the lab turns round; a run turns nothing.
    pub misled: Misled,
}

/// How the lab's negative controls listen, in place of how the mechanism does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Misled {
    /// The better the record of its family, the more an agent listens: humility of 1/points.
    pub arrogant: bool,
    /// By asset: the asset whose consensus is taken for its own, at its own risk; none if empty.
    pub asset_of: Vec<AssetId>,
}

/// A declared agent's ears on one asset.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ear {
    /// The own intent as last said.
    pub intent: f64,
    /// The life with open ears.
    pub sim: Patient,
    /// The stance at the reference weight, x.
    pub stance: f64,
    /// The stance as last said.
    pub said: f64,
    /// Its verb as last said.
    pub verb: StanceVerb,
    /// sim − alone as of the last barrier, in currency.
    worth: f64,
}

/// The state of the second half.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Respond {
    /// Delivery.
    pub bus: Bus,
    /// The pool.
    pub consensus: Consensus,
    /// The record.
    pub points: Points,
    /// By declared slot.
    pub ears: Vec<Ear>,
    /// By declared slot: who moved it.
    pub edges: Vec<Edges>,
    /// By slot: points of the agent when the open intent was opened.
    points_then: Vec<f64>,
    /// Σ of the sim lives.
    pub sim: Curve,
    /// The goals as last read.
    pub goals: Goals,
    /// The managers.
    pub office: Office,
    /// Desk, gate, venue, books.
    pub real: Real,
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
    /// For a cast on a universe.
    pub fn new(cast: Arc<Cast>, universe: &Universe, settings: Settings) -> Self {
        let real = RealSpec::new(&cast, universe, &settings);
        let kinds = universe.instruments.iter().map(|i| i.kind).collect();
        RespondSpec { cast, settings, real, kinds, misled: Misled::default() }
    }

    fn listens(&self, points: &Points, agent: &Agent) -> f64 {
        let l = &self.settings.listening;
        if !l.enabled {
            return 0.0;
        }
        l.lambda.unwrap_or_else(|| {
            let points = points.family(agent.family);
            let points = if self.misled.arrogant { 1.0 / points } else { points };
            mind::humility(points, agent.traits.sociability)
        })
    }

    /// Whose consensus is taken for an asset's, and the risk of a unit there over that here.
    fn heard_on(&self, asset: usize, speak: &Speak) -> (AssetId, f64) {
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
        let ear = Ear {
            intent: 0.0,
            sim: Patient::default(),
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
            points_then: vec![1.0; cast.slots.len()],
            sim: Curve::new(Base::Fixed, s.capital),
            goals: Goals::default(),
            office: Office::new(s.desk.patience, s.desk.band),
            real: Real::new(&spec.real, cast, s),
            decisions: Digest::default(),
            deafened: vec![false; cast.declared],
            interventions: 0,
            day: None,
        }
    }

    /// Takes an event and what was said at it.
    pub fn step(&mut self, spec: &RespondSpec, event: &Event, speak: &Speak, said: &Said, out: &mut Outputs) {
        if !said.accepted {
            return;
        }
        match *event {
            Event::Market(MarketEvent::Bar { instrument, at, .. }) => {
                let listing = &speak.market.listings[instrument.index()];
                let s = &spec.settings;
                let kind = spec.kinds[instrument.index()];
                for &slot in spec.real.desk.slots(instrument) {
                    let book = &mut self.ears[slot as usize].sim.book;
                    book.bar(&s.costs, kind, &listing.last, listing.sigma_before, s.clock.decide);
                }
                self.real.bar(&spec.real, s, instrument, at, listing, out);
            }
            Event::Market(MarketEvent::Funding { instrument, rate, mark, .. }) => {
                for &slot in spec.real.desk.slots(instrument) {
                    self.ears[slot as usize].sim.book.funding(&spec.settings.costs, mark, rate);
                }
                self.real.funding(&spec.settings, instrument, rate, mark, out);
            }
            Event::Barrier(at) => self.barrier(spec, at, speak, said, out),
            Event::Command(at, command) => self.command(spec, at, command, out),
        }
    }

    fn command(&mut self, spec: &RespondSpec, at: Stamp, command: Command, out: &mut Outputs) {
        // What changes nothing (sent twice, or about nobody) is no intervention.
        let news = match command {
            Command::Mute(agent) => self.consensus.mute(&spec.cast, agent, true),
            Command::Unmute(agent) => self.consensus.mute(&spec.cast, agent, false),
            Command::Deafen(agent) => self.deafen(agent, true),
            Command::Undeafen(agent) => self.deafen(agent, false),
            Command::Fund(agent) | Command::Unfund(agent) => {
                let funded = matches!(command, Command::Fund(_));
                let points = self.declared_points(&spec.cast);
                self.real.fund(&spec.real, &spec.settings, at, agent, funded, &points, out)
            }
            _ => self.real.obey(&spec.real, command),
        };
        self.interventions += u64::from(news);
    }

    fn deafen(&mut self, agent: AgentId, deaf: bool) -> bool {
        self.deafened.get_mut(agent.index()).is_some_and(|d| std::mem::replace(d, deaf) != deaf)
    }

    fn declared_points(&self, cast: &Cast) -> Vec<f64> {
        cast.agents[..cast.declared].iter().map(|a| self.points.agent(cast, a.id)).collect()
    }

    fn barrier(&mut self, spec: &RespondSpec, at: Stamp, speak: &Speak, said: &Said, out: &mut Outputs) {
        let (cast, s) = (&*spec.cast, &spec.settings);
        self.points.push(cast, &said.results);
        for utterance in &said.utterances {
            self.hear(cast, at, utterance, out);
        }
        for &(slot, p) in &said.misheard {
            self.consensus.hear(cast, slot, p, self.consensus.said(slot));
        }
        self.delist(spec, at, speak, out);
        self.real.mark(&spec.real, at, out);
        self.listen(spec, at, speak, out);
        let pnl: f64 =
            self.ears.iter().zip(&cast.slots).map(|(e, slot)| worth(&e.sim, speak, slot.asset)).sum();
        self.sim.push(at, s.capital + pnl);
        self.real.decide(
            &spec.real,
            s,
            at,
            &speak.market.listings,
            &self.office.knobs,
            &mut self.decisions,
            out,
        );
        let day = Stamp(at.0 - 1).after(s.clock.decide).day();
        if self.day.is_none_or(|d| d != day) {
            self.day = Some(day);
            self.close_day(spec, at, out);
        }
    }

    /// Delivers an utterance and keeps what it changes.
    fn hear(&mut self, cast: &Cast, at: Stamp, utterance: &Utterance, out: &mut Outputs) {
        let slot = utterance.slot;
        let spec = &cast.slots[slot];
        let mut body = utterance.body;
        match &mut body {
            Body::Action(a) if a.verb == Verb::Open => {
                self.points_then[slot] = self.points.agent(cast, spec.agent);
            }
            Body::Outcome(o) => o.points = self.points.agent(cast, spec.agent) - self.points_then[slot],
            _ => {}
        }
        let id = self.bus.deliver(at, Speaker::Agent(spec.agent), Some(spec.asset), body, &mut out.messages);
        if let Body::Action(action) = body {
            self.consensus.hear(cast, slot, action.after, id);
            if let Some(ear) = self.ears.get_mut(slot) {
                ear.intent = action.after;
            }
        }
    }

    /// Assets that have stopped trading: sim closes, the desk forgets them, the venue pays out.
    fn delist(&mut self, spec: &RespondSpec, at: Stamp, speak: &Speak, out: &mut Outputs) {
        for instrument in &spec.real.instruments {
            let listing = &speak.market.listings[instrument.id.index()];
            if listing.delisted_at != Some(at) {
                continue;
            }
            out.alarms.push(format!(
                "{} stopped trading: closed at its last price {}",
                instrument.symbol, listing.last.close
            ));
            for &slot in spec.real.desk.slots(instrument.id) {
                let ear = &mut self.ears[slot as usize];
                ear.sim.aim = 0.0;
                ear.stance = 0.0;
                ear.sim.book.delist(&spec.settings.costs, instrument.kind, listing.last.close);
            }
            self.real.delist(&spec.real, &spec.settings, instrument, at, listing, out);
        }
    }

    /// Every declared agent makes a stance of its intent, in sim at the reference weight and in real
    /// at the weight of its funds.
    fn listen(&mut self, spec: &RespondSpec, at: Stamp, speak: &Speak, out: &mut Outputs) {
        let (cast, s) = (&*spec.cast, &spec.settings);
        let voice = self.points.voices(s.listening.voice_by_points);
        let heard_on = (0..cast.by_asset.len()).map(|a| spec.heard_on(a, speak));
        let consensus: Vec<f64> = heard_on.map(|(a, risk)| risk * self.consensus.of(a, &voice)).collect();
        let reference = 1.0 / cast.declared.max(1) as f64;
        let shares = Shares::new(cast, at, speak, reference, &self.real.funds);
        let pace = Pace { patience: s.desk.patience, band: s.desk.band, shorts: true };
        let real_pace =
            Pace { patience: self.office.knobs.patience, band: self.office.knobs.band, shorts: true };
        let mut loudest: Vec<[Option<Loudest>; 2]> = vec![[None; 2]; cast.by_asset.len()];
        for agent in &cast.agents[..cast.declared] {
            let deaf = self.deafened[agent.id.index()];
            let listens = if deaf { 0.0 } else { spec.listens(&self.points, agent) };
            let weight = self.real.funds.weight(agent.id);
            let allowed = s.funds.units_max * self.points.agent(cast, agent.id).clamp(1.0 / 3.0, 1.0);
            for slot in agent.slots.clone() {
                let asset = cast.slots[slot].asset;
                let listing = &speak.market.listings[asset.index()];
                self.credit(cast, speak, slot);
                if !listing.is_fresh(at) || at < agent.active_from || !listing.sigma.is_finite() {
                    continue;
                }
                let c = consensus[asset.index()];
                let unit = unit(listing.sigma);
                let shared = shares.of(asset, c);
                let heard = |w: f64, of: f64| Heard {
                    own: w * self.ears[slot].intent,
                    // Nothing where nobody may hold the side of this consensus.
                    slice: if w > 0.0 && of > 0.0 { w / of * c } else { 0.0 },
                    listens,
                    unit: w * unit,
                    side: agent.side,
                };
                let sim = heard(reference, shared[0]);
                let x = mind::stance(&sim, &agent.traits);
                let funded = heard(weight, shared[1]);
                let most = allowed * funded.unit;
                let real_x = mind::stance(&funded, &agent.traits).clamp(-most, most);
                let real_x = self.real.hand.hold(agent.id, real_x, self.real.desk.parts[slot].aim);
                self.ears[slot].stance = x;
                let pace = Pace { shorts: spec.kinds[asset.index()].can_short(), ..pace };
                self.ears[slot].sim.decide(x, pace, s.capital, listing.last.close);
                self.real.desk.aim(slot, real_x, real_pace);
                self.decisions.float(real_x);
                if let Some((verb, voices)) = self.worth_saying(slot, &sim, x) {
                    let sign = x - sim.own;
                    let found = loudest[asset.index()][usize::from(sign < 0.0)].get_or_insert_with(|| {
                        Loudest::find(cast, &self.consensus, &voice, asset, libm::copysign(1.0, sign))
                    });
                    let edges =
                        if voices { found.edges(cast, &self.consensus, agent.id) } else { Edges::default() };
                    self.say_stance(at, agent, slot, asset, &sim, x, verb, edges, out);
                }
            }
        }
    }

    /// Whether a stance says something new, its verb, and whether others are the reason.
    fn worth_saying(&self, slot: usize, heard: &Heard, x: f64) -> Option<(StanceVerb, bool)> {
        let ear = &self.ears[slot];
        let verb = mind::verb(heard.own, x, heard.unit);
        let moved = libm::fabs(x - ear.said) > WORTH_SAYING * heard.unit;
        let says = verb != ear.verb || (verb != StanceVerb::Keeps && moved);
        says.then_some((verb, verb != StanceVerb::Keeps && heard.listens > 0.0))
    }

    #[allow(clippy::too_many_arguments)]
    fn say_stance(
        &mut self,
        at: Stamp,
        agent: &Agent,
        slot: usize,
        asset: AssetId,
        heard: &Heard,
        x: f64,
        verb: StanceVerb,
        edges: Edges,
        out: &mut Outputs,
    ) {
        let because = edges.map(|e| (e.share > 0.0 && e.message > MessageId(0)).then_some(e.message));
        let factors = mind::explain(heard, &agent.traits);
        let body = Body::Stance(Stance { verb, own: heard.own, result: x, factors, because });
        let ear = &mut self.ears[slot];
        ear.said = x;
        ear.verb = verb;
        self.edges[slot] = edges;
        self.bus.deliver(at, Speaker::Agent(agent.id), Some(asset), body, &mut out.messages);
    }

    /// What listening was worth since the last barrier goes to those who moved the listener.
    fn credit(&mut self, cast: &Cast, speak: &Speak, slot: usize) {
        let ear = &mut self.ears[slot];
        let now = worth(&ear.sim, speak, cast.slots[slot].asset) - speak.alone(cast, slot);
        let gain = now - ear.worth;
        ear.worth = now;
        for edge in &mut self.edges[slot] {
            edge.value += edge.share * gain;
        }
    }

    /// Once a day: trackers speak, managers turn knobs, funds are reviewed and spread.
    fn close_day(&mut self, spec: &RespondSpec, at: Stamp, out: &mut Outputs) {
        let (cast, s) = (&*spec.cast, &spec.settings);
        let (gross, net) = self.real.exposure();
        let account = Account {
            curve: &self.real.curve,
            gross,
            net,
            target_vol: s.desk.target_vol,
            trades: self.real.orders_sent(),
            interventions: self.interventions,
            running: self.real.running_share(),
        };
        self.goals = Goals::read(&account, &s.goals);
        for reading in self.goals.readings(&s.goals) {
            self.bus.deliver(
                at,
                Speaker::Tracker(reading.goal),
                None,
                Body::Goal(reading),
                &mut out.messages,
            );
        }
        if s.listening.enabled {
            let (gross_profit, cost) = self.real.take_day();
            let day = Day {
                drawdown: self.real.curve.drawdown(),
                cvar95: self.real.curve.cvar95(),
                target_vol: s.desk.target_vol,
                gross_profit,
                cost,
                months_to_10: self.goals.fast.months_to_10,
                gross_max: s.desk.gross_max,
            };
            let bus = &mut self.bus;
            self.office.day(&day, &s.managers, &s.goals, |goal, adjustment| {
                bus.deliver(
                    at,
                    Speaker::Manager(goal),
                    None,
                    Body::Adjustment(adjustment),
                    &mut out.messages,
                );
            });
        }
        let points = self.declared_points(cast);
        self.real.review(s, at, &points, out);
    }
}

/// PnL of a patient book so far, at the last price of its asset.
fn worth(patient: &Patient, speak: &Speak, asset: AssetId) -> f64 {
    patient.book.equity(speak.market.listings[asset.index()].last.close)
}

/// Per asset: the weights of the agents that may hold it, at the reference weight and by funds.
struct Shares(Vec<[Sides; 2]>);

/// Weights that may hold an asset long, and short.
#[derive(Clone, Copy, Default)]
struct Sides {
    long: f64,
    short: f64,
}

impl Shares {
    fn new(cast: &Cast, at: Stamp, speak: &Speak, reference: f64, funds: &Funds) -> Self {
        let fresh: Vec<bool> = speak.market.listings.iter().map(|l| l.is_fresh(at)).collect();
        let mut sums = vec![[Sides::default(); 2]; cast.by_asset.len()];
        for agent in cast.agents[..cast.declared].iter().filter(|a| at >= a.active_from) {
            let (long, short) = (agent.side.allows(1.0), agent.side.allows(-1.0));
            let weights = [reference, funds.weight(agent.id)];
            for slot in &cast.slots[agent.slots.clone()] {
                let asset = slot.asset.index();
                if fresh[asset] {
                    for (sides, w) in sums[asset].iter_mut().zip(weights) {
                        sides.long += if long { w } else { 0.0 };
                        sides.short += if short { w } else { 0.0 };
                    }
                }
            }
        }
        Shares(sums)
    }

    /// Of those who may hold the side of this consensus: at the reference weight, and by funds.
    fn of(&self, asset: AssetId, consensus: f64) -> [f64; 2] {
        self.0[asset.index()].map(|sides| if consensus < 0.0 { sides.short } else { sides.long })
    }
}
