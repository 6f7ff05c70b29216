//! What the recorder keeps of each agent, goal and asset beside the last words: small curves, a point a
//! day at falling resolution, and the last bars of each asset.
//!
//! # Invariants
//!
//! 1. Memory is bounded by [`TREND_MAX`] a curve and [`BARS_MAX`] bars an asset.
//! 2. It is written once a day and once a bar, never for a picture.

use super::series::{Downsampling, SampledCurve};
use crate::agents::Agent;
use crate::domain::{AgentId, AssetId, Goal, Money, Span, Stamp, money};
use crate::engine::Engine;
use crate::hive::managers::quarantine::QuarantinePhase;
use crate::view::cockpit::{AgentState, BARS_MAX, Switches, TREND_MAX};
use std::collections::VecDeque;

/// Digits of the money that a dialog speaks of: it says "about".
const CENTS: u32 = 2;

/// An agent's curves.
#[derive(Clone, Debug)]
pub(super) struct AgentCurves {
    pub alone: SampledCurve,
    pub open: SampledCurve,
    pub real: SampledCurve,
    /// Points × 100, as they are shown.
    pub points: SampledCurve,
}

impl AgentCurves {
    fn new() -> Self {
        let short = || SampledCurve::short(Downsampling::Last, TREND_MAX);
        AgentCurves { alone: short(), open: short(), real: short(), points: short() }
    }

    /// Points × 100, rounded.
    pub fn trend(&self) -> Vec<u16> {
        self.points.values().iter().map(|p| p.round() as u16).collect()
    }
}

/// Curves and bars of the whole run, at falling resolution.
#[derive(Clone, Debug)]
pub(super) struct CurveRecord {
    tracks: Vec<AgentCurves>,
    goals: Vec<SampledCurve>,
    /// By asset: when each ended, and its prices.
    bars: Vec<VecDeque<(Stamp, [f64; 4])>>,
}

impl CurveRecord {
    /// Nothing recorded yet, for the agents and instruments of this engine.
    pub fn new(engine: &Engine) -> Self {
        CurveRecord {
            tracks: vec![AgentCurves::new(); engine.cast().declared],
            goals: vec![SampledCurve::short(Downsampling::Last, TREND_MAX); Goal::ALL.len()],
            bars: vec![VecDeque::new(); engine.speak.market.desk().len()],
        }
    }

    /// A day has ended.
    pub fn day(&mut self, engine: &Engine) {
        let (cast, respond) = (engine.cast(), &engine.respond);
        for (agent, track) in cast.agents[..cast.declared].iter().zip(&mut self.tracks) {
            let (alone, open) = lives(engine, agent);
            let real =
                respond.real.account.ledger.pnl(agent.id, &respond.real.account.marks).unwrap_or_default();
            track.alone.push(alone);
            track.open.push(open);
            track.real.push(money::to_estimate(real));
            track.points.push(100.0 * respond.points.agent(cast, agent.id));
        }
        if respond.bus.counts().goal > 0 {
            let read = respond.goals.readings(&engine.settings().goals);
            self.goals.iter_mut().zip(read).for_each(|(s, g)| s.push(100.0 * g.score));
        }
    }

    /// A bar has ended: those that have a close of it.
    pub fn bar(&mut self, engine: &Engine, at: Stamp) {
        for (bars, listing) in self.bars.iter_mut().zip(engine.speak.market.desk()) {
            if let Some(b) = listing.bar.filter(|b| b.at == at).map(|b| b.value) {
                if bars.len() == BARS_MAX {
                    bars.pop_front();
                }
                bars.push_back((at, [b.open, b.high, b.low, b.close]));
            }
        }
    }

    /// A declared agent's curves.
    pub fn track(&self, agent: AgentId) -> Option<&AgentCurves> {
        self.tracks.get(agent.index())
    }

    /// Each goal's score in per cent.
    pub fn goals(&self) -> impl Iterator<Item = Vec<u8>> {
        self.goals.iter().map(|s| s.values().iter().map(|v| v.round().clamp(0.0, 100.0) as u8).collect())
    }

    /// The last bars of an asset, each with when it ended.
    pub fn bars(&self, asset: AssetId) -> impl Iterator<Item = (Stamp, [f64; 4])> + '_ {
        self.bars.get(asset.index()).into_iter().flatten().copied()
    }
}

/// PnL of the deaf twin, and with open ears.
pub(super) fn lives(engine: &Engine, agent: &Agent) -> (f64, f64) {
    let (cast, respond, speak) = (engine.cast(), &engine.respond, &engine.speak);
    let (mut alone, mut open) = (0.0, 0.0);
    for slot in agent.slots.clone() {
        let last = speak.close(cast.slots[slot].asset);
        alone += speak.alone(cast, slot);
        open += respond.ears[slot].open.book.equity(last);
    }
    let in_legs = engine.structured(agent.id);
    (alone + in_legs.0, open + in_legs.1)
}

/// What a spread of the funds would give now, about: the weights are those of the treasury, the mean is
/// that of the agents that are funded today.
pub(super) struct Spread {
    total: f64,
    mean: f64,
    weights: f64,
    by_points: bool,
    bounds: (f64, f64),
}

impl Spread {
    /// Reads what a spread would go by now.
    pub fn now(engine: &Engine) -> Self {
        let (cast, respond, settings) = (engine.cast(), &engine.respond, &engine.settings().funds);
        let funded =
            || cast.agents[..cast.declared].iter().filter(|a| respond.real.account.funds.weight(a.id) > 0.0);
        let mut spread = Spread {
            total: money::to_estimate(respond.real.account.equity()).max(0.0),
            mean: 1.0,
            weights: 0.0,
            by_points: settings.by_points,
            bounds: (settings.floor, settings.cap),
        };
        let points = |a: &Agent| respond.points.agent(cast, a.id);
        let n = funded().count();
        if n > 0 {
            spread.mean = funded().map(|a| spread.root(points(a))).sum::<f64>() / n as f64;
        }
        spread.weights = funded().map(|a| spread.weight(points(a))).sum();
        spread
    }

    fn root(&self, points: f64) -> f64 {
        if self.by_points { points.sqrt() } else { 1.0 }
    }

    fn weight(&self, points: f64) -> f64 {
        let (floor, cap) = self.bounds;
        (self.root(points) / self.mean).max(floor).min(cap)
    }

    /// What an agent with these points would get; `counted` if it is among the funded.
    pub fn would_give(&self, points: f64, counted: bool) -> Money {
        let w = self.weight(points);
        let all = self.weights + if counted { 0.0 } else { w };
        let share = if all > 0.0 { w / all } else { 0.0 };
        money::from_estimate(self.total * share, CENTS).unwrap_or_default()
    }
}

/// How much everybody moves others.
pub(super) struct Standing {
    /// By agent, scouts too: Σ of its shares in the last moves of others, and of what those were worth.
    given: Vec<(f64, f64)>,
    total: f64,
}

impl Standing {
    /// Reads the shares of the last moves.
    pub fn now(engine: &Engine) -> Self {
        let mut given = vec![(0.0, 0.0); engine.cast().agents.len()];
        for edge in engine.respond.edges.iter().flatten().filter(|e| e.share > 0.0) {
            if let Some(g) = given.get_mut(edge.from.index()) {
                g.0 += edge.share;
                g.1 += edge.value;
            }
        }
        Standing { total: given.iter().map(|g| g.0).sum(), given }
    }

    /// What the last moves of others were worth to them since, as far as an agent moved them.
    pub fn value(&self, agent: AgentId) -> f64 {
        self.given.get(agent.index()).map_or(0.0, |g| g.1)
    }

    /// An agent's share of it, 0 … 1.
    pub fn influence(&self, agent: AgentId) -> f64 {
        let given = self.given.get(agent.index()).map_or(0.0, |g| g.0);
        if self.total > 0.0 { given / self.total } else { 0.0 }
    }
}

/// What the operator has switched.
pub(super) fn switches(engine: &Engine, agent: AgentId) -> Switches {
    let respond = &engine.respond;
    Switches {
        paused: respond.real.account.hand.is_paused(agent),
        drained: respond.real.account.hand.is_drained(agent),
        muted: respond.consensus.is_muted(agent),
        deaf: respond.deafened.get(agent.index()).copied().unwrap_or(false),
        funded: respond.real.account.funds.wanted(agent),
    }
}

/// What a declared agent may do: the strictest that holds.
pub(super) fn state(engine: &Engine, agent: AgentId) -> AgentState {
    let (s, phase) = (switches(engine, agent), engine.respond.office.wards.phase(agent));
    let stopped_out = engine.respond.real.account.funds.stopped_out(agent).is_some();
    let holds = |state: &AgentState| match state {
        AgentState::Unfunded => !s.funded,
        AgentState::StoppedOut => stopped_out,
        AgentState::Quarantined => matches!(phase, QuarantinePhase::Quarantine { .. }),
        AgentState::Drained => s.drained,
        AgentState::Paused => s.paused,
        AgentState::Muted => s.muted,
        AgentState::Deaf => s.deaf,
        AgentState::OnProbation => matches!(phase, QuarantinePhase::Probation { .. }),
        AgentState::Live => true,
    };
    AgentState::STRICT.into_iter().find(holds).unwrap_or(AgentState::Live)
}

/// The day on which quarantine or probation ends.
pub(super) fn until(engine: &Engine, agent: AgentId) -> Option<Stamp> {
    match engine.respond.office.wards.phase(agent) {
        QuarantinePhase::Free => None,
        QuarantinePhase::Quarantine { until } | QuarantinePhase::Probation { until } => {
            Some(Stamp(until * Span::DAY.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(by_points: bool) -> Spread {
        Spread { total: 100.0, mean: 1.0, weights: 3.0, by_points, bounds: (0.5, 2.0) }
    }

    #[test]
    fn a_newcomer_thins_the_others_and_a_member_does_not() {
        assert_eq!(spread(false).would_give(1.0, false), Money::new(25, 0));
        assert_eq!(spread(false).would_give(2.0, true), Money::new(3_333, 2));
    }

    #[test]
    fn points_count_within_floor_and_cap() {
        let of = |points| money::to_estimate(spread(true).would_give(points, true));
        assert!(of(3.0) > of(1.0));
        assert_eq!(of(0.01), of(0.25));
        assert_eq!(of(100.0), of(4.0));
    }
}
