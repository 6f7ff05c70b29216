//! What people ask of an agent: how loud it is, whom it moves, who moves it, how often it was ruined, what the hive would be
//! without it. Read off the state; changes nothing.

use super::Engine;
use super::passive_execution::ExecutionCost;
use super::services::ServiceSpec;
use crate::domain::{AgentId, Instrument, InstrumentId, OrderId, Universe};
use crate::fills::liquidation::Stake;
use serde::{Deserialize, Serialize};

/// How many of those who moved an agent are named.
pub const MOVERS_MAX: usize = 5;

/// How much an agent moves others, and is moved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Influence {
    /// v: the weight of its voice in the consensus; 0 while it is not heard.
    pub voice: f64,
    /// λ: how far it listens.
    pub listens: f64,
    /// Σ of its shares in the last moves of others (an edge each, 0 … 1): how much it moves.
    pub given: f64,
    /// What those moves were worth to the others since, in currency; below zero they were worse off.
    pub given_value: f64,
    /// Who it moves.
    pub listeners: u32,
    /// Σ of the named voices' shares in its own last moves, over its assets: how much it is moved.
    pub received: f64,
    /// What being moved was worth to it since, in currency.
    pub received_value: f64,
    /// Who moved it most, with the shares; the strongest first.
    pub movers: Vec<(AgentId, f64)>,
}

/// How often an agent's simulated lives lost their whole stake, after each of which another one was put up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuinCounts {
    /// Of the life that hears nobody; those in structures have a stake for each.
    pub alone: u32,
    /// Of the life that listens; those in structures have a stake for each, too.
    pub open: u32,
}

impl Engine {
    /// How often the simulated lives of a declared agent were ruined.
    pub fn ruins(&self, agent: AgentId) -> RuinCounts {
        let of = |stakes: &[Stake]| stakes.get(agent.index()).map_or(0, |s| s.ruins);
        let mut ruins = RuinCounts { alone: of(&self.speak.stakes), open: of(&self.respond.stakes) };
        let all = self.cast().structures.iter().zip(self.stakes_in_legs());
        for (_, [alone, open]) in all.filter(|(s, _)| s.agent == agent) {
            ruins.alone += alone.ruins;
            ruins.open += open.ruins;
        }
        ruins
    }

    /// What the alone and the open lives lost beyond their stakes because prices jumped, in currency; their venues bore it.
    pub fn borne(&self) -> (f64, f64) {
        let sum = |stakes: &[Stake]| stakes.iter().map(|s| s.borne).sum::<f64>();
        let [alone, open] = [0, 1].map(|life| self.stakes_in_legs().map(|s| s[life].borne).sum::<f64>());
        (sum(&self.speak.stakes) + alone, sum(&self.respond.stakes) + open)
    }

    /// What each structure's alone and open life stand on.
    fn stakes_in_legs(&self) -> impl Iterator<Item = [Stake; 2]> + '_ {
        let all = self.speak.structures.twins.iter().zip(&self.respond.open_legs);
        all.map(|(twin, open)| [twin.stake, open.stake(twin)])
    }

    /// v of an agent: √points of its family, or 1 where points do not weigh; 0 while it is not heard.
    pub fn voice(&self, agent: AgentId) -> f64 {
        let (cast, respond) = (self.cast(), &self.respond);
        let Some(of) = cast.agents.get(agent.index()).filter(|_| respond.consensus.is_heard(agent)) else {
            return 0.0;
        };
        respond.voices(&self.respond_spec)[of.family_index]
    }

    /// λ of a declared agent now; 0 for scouts and the deaf.
    pub fn listens(&self, agent: AgentId) -> f64 {
        let deaf = self.respond.deafened.get(agent.index()).copied().unwrap_or(true);
        let of = self.cast().agents.get(agent.index()).filter(|_| !deaf);
        of.map_or(0.0, |a| self.respond_spec.listens(&self.respond.points, a))
    }

    /// D of a declared agent: what the hive would lose without it, per year, as a fraction of the account.
    pub fn difference(&self, agent: AgentId) -> f64 {
        self.respond.difference.of(agent.index(), self.settings().desk.target_vol)
    }

    /// What the feed tells of.
    pub fn universe(&self) -> &Universe {
        &self.universe
    }

    /// An instrument of the feed.
    pub fn instrument(&self, id: InstrumentId) -> Option<&Instrument> {
        self.universe.instruments.get(id.index())
    }

    /// Who serves the desk on what.
    pub fn servants(&self) -> &ServiceSpec {
        &self.respond_spec.real.services
    }

    /// Orders that a maker has worked so far, on all assets, as they were filled.
    pub fn worked_by(&self, maker: AgentId) -> ExecutionCost {
        let all = self.respond.real.execution.services.assets.iter().flat_map(|a| &a.makers);
        let own = all.filter(|m| m.maker == maker);
        own.fold(ExecutionCost::default(), |sum, m| sum.plus(&m.cost, 1.0))
    }

    /// Who works an order of an instrument, or whose package it is of; none of an order of the desk that nobody works.
    pub fn worker(&self, order: OrderId, id: InstrumentId) -> Option<AgentId> {
        let packages = &self.respond.real.execution.packages;
        if let Some(package) = packages.owner(order).and_then(|i| packages.all.get(i)) {
            return Some(package.agent);
        }
        let asset = self.respond.real.execution.services.assets.get(id.index())?;
        asset.working_order.work.filter(|_| asset.working_order.order == Some(order)).map(|w| w.maker)
    }

    /// How much everybody moves others, scouts too (who move and are not moved). One pass over the edges.
    pub fn influence(&self) -> Vec<Influence> {
        let cast = self.cast();
        let mut all: Vec<Influence> = (0..cast.agents.len() as u32)
            .map(|i| Influence {
                voice: self.voice(AgentId(i)),
                listens: self.listens(AgentId(i)),
                ..Influence::default()
            })
            .collect();
        let mut last: Vec<Option<AgentId>> = vec![None; cast.agents.len()];
        for (slot, edges) in cast.slots.iter().zip(&self.respond.edges) {
            for edge in edges.iter().filter(|e| e.share > 0.0) {
                let giver = &mut all[edge.from.index()];
                giver.given += edge.share;
                giver.given_value += edge.value;
                // Slots come agent by agent, so one look back counts each listener once.
                if last[edge.from.index()].replace(slot.agent) != Some(slot.agent) {
                    giver.listeners += 1;
                }
                let taker = &mut all[slot.agent.index()];
                taker.received += edge.share;
                taker.received_value += edge.value;
                match taker.movers.iter_mut().find(|(from, _)| *from == edge.from) {
                    Some((_, share)) => *share += edge.share,
                    None => taker.movers.push((edge.from, edge.share)),
                }
            }
        }
        for one in &mut all {
            one.movers.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            one.movers.truncate(MOVERS_MAX);
        }
        all
    }
}
