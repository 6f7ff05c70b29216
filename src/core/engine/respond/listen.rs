//! What is made of what was heard: every declared agent's stance, for its open life at the reference weight
//! and for its real one at the weight of its funds; and the residual one, for what no agent with funds may hold.
//!
//! ```text
//! x_i[a] = (1−λ_i)·w_i·p_i[a] + λ_i · w_i/Σ_{k may hold the side of C[a]} w_k · C[a]        C less what is said of all assets,
//!                                                                                          where agents hear across them
//! desk manager: x[a] = λ̄·C[a] where that sum is 0,   λ̄ = Σ w_i·λ_i over the funded
//! ```
//!
//! # Invariants
//!
//! 1. With λ = 1 and no rails Σ x\[a\] = C\[a\] on every asset: nothing of the consensus is lost.
//! 2. The deaf hive has λ̄ = 0: the desk's own book then holds nothing, and every stance is the own intent.
//! 3. Every stance that says something new is said, those of the desk's own book too, with its reasons (law 5).

use super::spec::RespondSpec;
use super::state::{ResidualStance, Respond};
use crate::agents::life::Life;
use crate::agents::mind::{self, Heard};
use crate::agents::{Agent, AgentAsset, Population};
use crate::domain::{
    AssetId, Factor, InstrumentId, MessageId, MessageKind, Speaker, Stamp, Stance, StanceVerb,
};
use crate::engine::Outputs;
use crate::engine::lives::Following;
use crate::engine::speak::Speak;
use crate::fills::pace::unit;
use crate::fills::pace::{PositionPace, Width};
use crate::hive::across::HeardAlone;
use crate::hive::heard::CauseChain;
use crate::hive::influence::{Edges, TopContributors};
use crate::hive::settings::MoneyFollows;
use crate::ledger::Ledger;
use crate::market::InstrumentState;
use crate::treasury::funds::Funds;

/// A stance is said again when it has moved by this many units since it was last said.
const WORTH_SAYING: f64 = 0.5;
/// How far the residual stance moves before it is said again, in units of the whole hive.
const RESIDUAL_WORTH_SAYING: f64 = 0.1;

impl Respond {
    /// Every declared agent makes a stance of its intent, for its open life at the reference weight
    /// and for its real one at the weight of its funds.
    pub(super) fn listen(&mut self, spec: &RespondSpec, at: Stamp, speak: &Speak, out: &mut Outputs) {
        let cast = &*spec.cast;
        self.hear_across(spec, at, speak);
        let hearing = self.hearing(spec, at, speak);
        let mut loudest: Vec<[Option<TopContributors>; 2]> = vec![[None; 2]; cast.by_asset.len()];
        // λ̄: how far the hive as a whole listens.
        let mut mean_listens = 0.0;
        self.gauge.clear();
        let funded = cast.agents[..cast.declared]
            .iter()
            .filter(|a| self.real.account.funds.weight(a.id) > 0.0)
            .count();
        let equal = if funded > 0 { 1.0 / funded as f64 } else { 0.0 };
        for agent in &cast.agents[..cast.declared] {
            let listener = self.listener(spec, agent, equal);
            mean_listens += listener.weight * listener.listens;
            for slot in agent.slots.clone() {
                self.credit(cast, speak, slot);
                let asset = cast.slots[slot].asset;
                if hearing.assets[asset.index()].is_live && at >= agent.active_from {
                    self.decide_on(&hearing, &listener, slot, &mut loudest[asset.index()], out);
                }
            }
        }
        self.aim_residual(&hearing, mean_listens, out);
        self.gauge.decide(spec, at, speak, &self.office, &self.real.account.funds);
    }

    fn listener<'a>(&self, spec: &RespondSpec, agent: &'a Agent, equal: f64) -> FundedListener<'a> {
        FundedListener {
            agent,
            listens: if self.deafened[agent.id.index()] { 0.0 } else { spec.listens(&self.points, agent) },
            weight: self.real.account.funds.weight(agent.id),
            allowed: self.allowed(spec, agent),
            equal,
        }
    }

    /// One who has acted between two closes makes its stance anew, of what all hold now and of who was there at the last
    /// close: its open life trades it at once, the desk at its next close.
    pub(in crate::engine) fn decide_between(
        &mut self,
        spec: &RespondSpec,
        (at, close): (Stamp, f64),
        speak: &Speak,
        slot: usize,
        out: &mut Outputs,
    ) {
        let AgentAsset { agent, asset, .. } = spec.cast.slots[slot];
        let before = speak.market.barrier.unwrap_or(at);
        let mut hearing = HeardNow { at, ..self.hearing(spec, before, speak) };
        let on = &mut hearing.assets[asset.index()];
        (on.close, on.following) = (close, on.following.at(close));
        // What all would have in equal parts is counted at closes.
        let listener = self.listener(spec, &spec.cast.agents[agent.index()], 0.0);
        self.decide_on(&hearing, &listener, slot, &mut [None; 2], out);
    }

    /// What is said of all assets, where agents hear across them.
    fn hear_across(&mut self, spec: &RespondSpec, at: Stamp, speak: &Speak) {
        let Some(mut view) = self.across.take() else { return };
        let voice = self.voices(spec);
        let desk = speak.market.desk();
        let heard = |(i, l): (usize, &InstrumentState)| {
            let (from, risk) = spec.heard_on(i, speak);
            let is_heard = is_live(l, at) && spec.is_spoken_of[i];
            let consensus = risk * self.consensus.of(from, &voice);
            is_heard.then(|| HeardAlone { asset: i, consensus, unit: unit(l.sigma), close: l.last().close })
        };
        let heard: Vec<HeardAlone> = desk.iter().enumerate().filter_map(heard).collect();
        view.hear(desk.iter().map(|l| l.last().close), &heard);
        self.across = Some(view);
    }

    /// What there is to hear at this barrier.
    fn hearing<'a>(&self, spec: &'a RespondSpec, at: Stamp, speak: &'a Speak) -> HeardNow<'a> {
        let (cast, s) = (&*spec.cast, &spec.settings);
        let voice = self.voices(spec);
        let reference = cast.equal_weight();
        let shares = Shares::new(cast, at, speak, reference, &self.real.account.funds);
        let asset = |(i, l): (usize, &InstrumentState)| {
            let id = AssetId(i as u16);
            let (from, risk) = spec.heard_on(i, speak);
            let (consensus, unit) = (risk * self.consensus.of(from, &voice), unit(l.sigma));
            let taken = self.across.as_ref().map_or(0.0, |view| view.taken(i, unit));
            HeardAsset {
                is_live: is_live(l, at),
                close: l.last().close,
                unit,
                consensus,
                taken,
                shares: shares.of(id, consensus - taken),
                following: Following::new(s, spec.kinds[i], &spec.costs[i], l),
            }
        };
        let assets = speak.market.desk().iter().enumerate().map(asset).collect();
        HeardNow {
            spec,
            at,
            voice,
            reference,
            // How the desk's net follows is the desk's; here aims go to stances.
            pace: PositionPace { patience: s.desk.patience, width: Width::Band(0.0), shorts: true },
            assets,
            lives: &speak.lives,
        }
    }

    /// One listener on one asset: its stance, the aims of its open and real life, and what it says of it.
    fn decide_on(
        &mut self,
        hearing: &HeardNow<'_>,
        listener: &FundedListener<'_>,
        slot: usize,
        loudest: &mut [Option<TopContributors>; 2],
        out: &mut Outputs,
    ) {
        let HeardNow { spec, ref voice, reference, pace, .. } = *hearing;
        let FundedListener { agent, listens, weight, allowed, equal } = *listener;
        let asset = spec.cast.slots[slot].asset;
        let on = &hearing.assets[asset.index()];
        let own = self.ears[slot].own.at(on.close, spec.settings.listening.holds);
        let apart = self.open_lives[slot].as_ref();
        let rests = apart.map_or(&hearing.lives[slot], |o| &o.life).resting();
        let open_own = apart.map_or(own, |o| o.announced.at(on.close, spec.settings.listening.holds));
        let money = if spec.settings.listening.money == MoneyFollows::Open { open_own } else { own };
        let heard = |w: f64, of: f64, own: f64| Heard {
            own: w * own,
            // Nothing where nobody may hold the side of this consensus.
            slice: if w > 0.0 && of > 0.0 { w / of * on.consensus } else { 0.0 },
            taken: if w > 0.0 && of > 0.0 { w / of * on.taken } else { 0.0 },
            listens,
            unit: w * on.unit,
            side: agent.side,
        };
        let open = heard(reference, on.shares[0], open_own);
        let x = mind::stance(&open, &agent.traits);
        let funded = heard(weight, on.shares[1], money);
        let most = allowed * funded.unit * self.office.limits[slot];
        let whole_x = mind::stance(&funded, &agent.traits).clamp(-most, most);
        let real_x = self.office.size(agent.id) * whole_x;
        self.gauge.hold(&spec.cast, &self.office.teams, (agent.id, asset), (whole_x, real_x));
        if weight > 0.0 {
            self.gauge.intents[asset.index()] += equal * own;
        }
        let real_x = self.real.account.hand.hold(agent.id, real_x, self.real.execution.desk.parts[slot].aim);
        self.ears[slot].stance = x;
        on.following.follow(&mut self.ears[slot].open, x, agent.slots.len(), reference);
        let own_part = |(limit, x): (f64, f64)| (limit, (1.0 - listens) * x);
        on.following.rest(&mut self.ears[slot].open, rests.map(own_part), agent.slots.len(), reference);
        self.real.execution.desk.aim(slot, real_x, pace);
        self.decisions.float(real_x);
        if let Some((verb, voices)) = self.worth_saying(slot, &open, x) {
            let sign = x - open.own;
            let found = loudest[usize::from(sign < 0.0)].get_or_insert_with(|| {
                TopContributors::find(&spec.cast, &self.consensus, voice, asset, libm::copysign(1.0, sign))
            });
            let edges =
                if voices { found.edges(&spec.cast, &self.consensus, agent.id) } else { Edges::default() };
            self.say_stance(hearing, agent, slot, (&open, x, verb, edges), out);
        }
    }

    /// The desk manager: λ̄·C on assets and sides that nobody with funds may hold. Under the operator's
    /// hand its own book takes new risk as long as anybody may.
    fn aim_residual(&mut self, hearing: &HeardNow<'_>, listens: f64, out: &mut Outputs) {
        let bound = self.real.house_is_bound();
        for (i, on) in hearing.assets.iter().enumerate().filter(|(_, on)| on.is_live) {
            // Today each asset has one instrument, of the same number.
            let (asset, id) = (AssetId(i as u16), InstrumentId(i as u16));
            let is_free = on.shares[1] <= 0.0;
            let (consensus, taken) = if is_free { (on.consensus, on.taken) } else { (0.0, 0.0) };
            let slice = consensus - taken;
            let x = listens * slice;
            self.gauge.hold_residual(asset, x);
            let part = hearing.spec.real.desk.residual_part(id);
            let aim = self.real.execution.desk.parts[part].aim;
            if x == 0.0 && aim == 0.0 && self.house[i] == ResidualStance::NOTHING {
                continue;
            }
            let held = if bound { x.clamp(aim.min(0.0), aim.max(0.0)) } else { x };
            self.real.execution.desk.aim(part, held, hearing.pace);
            self.decisions.float(held);
            let residual = &mut self.house[i];
            residual.stance = x;
            // The desk's own book holds λ̄ of what is left over, and so its unit is λ̄ of one.
            let unit = listens * on.unit;
            let verb = mind::verb(0.0, x, unit);
            let moved = libm::fabs(x - residual.said) > RESIDUAL_WORTH_SAYING * unit;
            if verb != residual.verb || (verb != StanceVerb::Keeps && moved) {
                (residual.said, residual.verb) = (x, verb);
                self.say_residual(hearing, asset, (listens, consensus, taken), verb, out);
            } else if verb == StanceVerb::Keeps && x == 0.0 {
                residual.said = 0.0;
            }
        }
    }

    fn say_residual(
        &mut self,
        hearing: &HeardNow<'_>,
        asset: AssetId,
        (listens, consensus, taken): (f64, f64, f64),
        verb: StanceVerb,
        out: &mut Outputs,
    ) {
        let slice = consensus - taken;
        let mut because = [None; 3];
        if verb != StanceVerb::Keeps {
            let (cast, sign) = (&hearing.spec.cast, libm::copysign(1.0, slice));
            let loudest = TopContributors::find(cast, &self.consensus, &hearing.voice, asset, sign);
            // Nobody in the cast has the treasury's number, so nobody is left out.
            let edges = loudest.edges(cast, &self.consensus, Ledger::TREASURY);
            because = edges.map(|e| (e.share > 0.0 && e.message > MessageId(0)).then_some(e.message));
        }
        let mut factors = [None; 7];
        let derivation = [Factor::Own(0.0), Factor::Listens(listens), Factor::Consensus(consensus)];
        let common = (taken != 0.0).then_some(Factor::Common(taken));
        for (step, factor) in factors.iter_mut().zip(derivation.into_iter().chain(common)) {
            *step = Some(factor);
        }
        let stance = Stance { verb, own: 0.0, result: listens * slice, factors, because };
        self.bus.deliver(
            hearing.at,
            Speaker::Desk,
            Some(asset),
            MessageKind::Stance(stance),
            &mut out.messages,
        );
    }

    /// Whether a stance says something new, its verb, and whether others are the reason.
    fn worth_saying(&self, slot: usize, heard: &Heard, x: f64) -> Option<(StanceVerb, bool)> {
        let ear = &self.ears[slot];
        let verb = mind::verb(heard.own, x, heard.unit);
        let moved = libm::fabs(x - ear.said) > WORTH_SAYING * heard.unit;
        let says = verb != ear.verb || (verb != StanceVerb::Keeps && moved);
        says.then_some((verb, verb != StanceVerb::Keeps && heard.listens > 0.0))
    }

    fn say_stance(
        &mut self,
        hearing: &HeardNow<'_>,
        agent: &Agent,
        slot: usize,
        (heard, x, verb, edges): (&Heard, f64, StanceVerb, Edges),
        out: &mut Outputs,
    ) {
        let because = edges.map(|e| (e.share > 0.0 && e.message > MessageId(0)).then_some(e.message));
        let factors = mind::explain(heard, &agent.traits);
        let stance = Stance { verb, own: heard.own, result: x, factors, because };
        let body = MessageKind::Stance(stance);
        let ear = &mut self.ears[slot];
        ear.said = x;
        ear.verb = verb;
        self.edges[slot] = edges;
        let (at, asset) = (hearing.at, hearing.spec.cast.slots[slot].asset);
        let id = self.bus.deliver(at, Speaker::Agent(agent.id), Some(asset), body, &mut out.messages);
        let (spec, from) = (hearing.spec, Speaker::Agent(agent.id));
        if spec.has_reactions && spec.withheld.is_heard(from, id, &MessageKind::Stance(stance)) {
            // It is of those who moved it, and of all that led its open life to where it stands.
            let mut chain =
                self.open_lives[slot].as_ref().map_or_else(CauseChain::default, |o| o.ways.chain.clone());
            let voices = edges.iter().filter(|e| e.share > 0.0);
            voices.for_each(|e| chain.extend(Speaker::Agent(e.from), &CauseChain::default()));
            self.heard.stance((agent.id, asset), (at, id), &stance, chain);
        }
    }

    /// What listening was worth since the last barrier goes to those who moved the listener.
    fn credit(&mut self, cast: &Population, speak: &Speak, slot: usize) {
        let ear = &mut self.ears[slot];
        let now = speak.equity_of(&ear.open, cast.slots[slot].asset) - speak.alone(cast, slot);
        let gain = now - ear.worth;
        ear.worth = now;
        for edge in &mut self.edges[slot] {
            edge.value += edge.share * gain;
        }
    }
}

/// Whether an asset has a price and a volatility now.
fn is_live(listing: &InstrumentState, at: Stamp) -> bool {
    listing.is_fresh(at) && listing.sigma.is_finite()
}

/// What there is to hear at a barrier, the same for all who listen.
struct HeardNow<'a> {
    spec: &'a RespondSpec,
    at: Stamp,
    /// The weight of each family's voices.
    voice: Vec<f64>,
    /// The weight of an agent's simulated lives: 1/N.
    reference: f64,
    pace: PositionPace,
    /// What there is to hear, by asset.
    assets: Vec<HeardAsset<'a>>,
    /// By slot: the lives that speak.
    lives: &'a [Life],
}

/// Who listens, and with what.
struct FundedListener<'a> {
    agent: &'a Agent,
    /// λ of it, 0 … 1.
    listens: f64,
    /// Its part of the funds.
    weight: f64,
    /// The largest position its real life may take, in its units.
    allowed: f64,
    /// What each of those with funds would have if all had the same.
    equal: f64,
}

/// An asset at a barrier, as every listener on it hears it.
struct HeardAsset<'a> {
    /// Whether it has a price and a volatility now.
    is_live: bool,
    close: f64,
    /// One unit of risk of it, as a fraction of capital.
    unit: f64,
    /// C, a signed fraction of the hive's capital.
    consensus: f64,
    /// What is taken off it, of what is said of all assets.
    taken: f64,
    /// Weights of those who may hold the side of C: at the reference weight, and by funds.
    shares: [f64; 2],
    /// How simulated lives trade it.
    following: Following<'a>,
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
    fn new(cast: &Population, at: Stamp, speak: &Speak, reference: f64, funds: &Funds) -> Self {
        let fresh: Vec<bool> = speak.market.desk().iter().map(|l| l.is_fresh(at)).collect();
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
