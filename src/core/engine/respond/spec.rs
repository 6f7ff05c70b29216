//! What the second half is made from and does not change during a run.

use crate::agents::{Agent, Population, mind};
use crate::domain::{AssetId, InstrumentKind, MarketEvent, Universe};
use crate::engine::Settings;
use crate::engine::real::RealSpec;
use crate::engine::speak::Speak;
use crate::fills::Costs;
use crate::fills::pace::unit;
use crate::hive::points::Points;
use crate::hive::withheld::Withheld;
use std::sync::Arc;

/// What does not change during a run.
#[derive(Clone, Debug)]
pub struct RespondSpec {
    pub(in crate::engine) cast: Arc<Population>,
    pub(in crate::engine) settings: Settings,
    /// Of its real life.
    pub real: RealSpec,
    pub(in crate::engine) kinds: Vec<InstrumentKind>,
    /// What each costs to trade.
    pub(in crate::engine) costs: Vec<Costs>,
    /// By instrument: structures that hear of it and live by reactions.
    pub(super) legs_on: Vec<Vec<u32>>,
    /// Whether anybody lives by reactions; else nothing that was said is remembered for them.
    pub(super) has_reactions: bool,
    /// By asset of the desk: whether somebody has a voice on it that is no money's.
    pub(super) is_spoken_of: Vec<bool>,
    /// What a negative control of the lab turns round; a run turns nothing.
    pub misled: ControlOverrides,
    /// What is not heard where a run is lived again without it; a run hears everything.
    pub withheld: Withheld,
}

/// How the lab's negative controls listen, in place of how the mechanism does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControlOverrides {
    /// The better the record of its family, the more an agent listens: humility of 1/points.
    pub arrogant: bool,
    /// By asset: the asset whose consensus is taken for its own, at its own risk; none if empty.
    pub asset_of: Vec<AssetId>,
}

impl RespondSpec {
    /// For a cast on a universe.
    pub fn new(cast: Arc<Population>, universe: &Universe, settings: Settings) -> Self {
        let real = RealSpec::new(&cast, universe, &settings);
        let kinds = universe.desk().iter().map(|i| i.kind).collect();
        let costs = universe.desk().iter().map(|i| *settings.costs.of(i)).collect();
        let l = &settings.listening;
        let has_reactions = l.enabled && l.reactions && cast.agents.iter().any(|a| !a.reacts.is_empty());
        let mut legs_on = vec![Vec::new(); if has_reactions { universe.instruments.len() } else { 0 }];
        for (i, structure) in cast.structures.iter().enumerate() {
            let reacts = !cast.agents[structure.agent.index()].reacts.is_empty();
            let ears = structure.rules.ears().into_iter().filter(|_| has_reactions && reacts);
            ears.for_each(|id| legs_on[id.index()].push(i as u32));
        }
        let misled = ControlOverrides::default();
        let withheld = Withheld::default();
        let has_voice = |asset| cast.voices_on(asset).any(|v| cast.agents[cast.voice(v).0.index()].heard);
        let is_spoken_of = universe.assets.iter().map(|a| !a.money_like && has_voice(a.id)).collect();
        RespondSpec {
            cast,
            settings,
            real,
            kinds,
            costs,
            legs_on,
            has_reactions,
            is_spoken_of,
            misled,
            withheld,
        }
    }

    /// Whether it is of an instrument that the desk trades.
    pub(super) fn is_listed(&self, event: &MarketEvent) -> bool {
        event.instrument().is_some_and(|i| i.index() < self.kinds.len())
    }

    /// λ of a declared agent that is not deafened, 0 … 1.
    pub(in crate::engine) fn listens(&self, points: &Points, agent: &Agent) -> f64 {
        let l = &self.settings.listening;
        if !l.enabled || self.withheld.closes_ears() {
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
        let sigma = |a: usize| speak.market.instruments[a].sigma;
        let scale = unit(sigma(asset)) / unit(sigma(other.index()));
        (other, if scale.is_finite() { scale } else { 0.0 })
    }
}
