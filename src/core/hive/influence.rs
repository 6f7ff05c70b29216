//! Who moved whom. The consensus has hundreds of contributors; kept are, per listener and asset, the
//! few voices that weighed most on the side of its last move, with their share of what listening was
//! worth since: the edges of the network.

use super::consensus::Consensus;
use crate::agents::Population;
use crate::domain::{AgentId, AssetId, MessageId};
use serde::{Deserialize, Serialize};

/// How many voices an edge list names.
pub const NAMED: usize = 3;

/// One voice that moved a listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// Agent whose voice it was.
    pub from: AgentId,
    /// What it had said.
    pub message: MessageId,
    /// Its share of the weight on that side of the consensus, 0 … 1; 0 for no edge.
    pub share: f64,
    /// Its share of `open − alone` since then, in currency.
    pub value: f64,
}

/// The edges into one listener on one asset.
pub type Edges = [Edge; NAMED];

/// The strongest voices on one side of an asset, found once a bar for all listeners.
#[derive(Clone, Copy, Debug, Default)]
pub struct TopContributors {
    // One more than is named, since a listener does not name itself.
    top: [(f64, u32); NAMED + 1],
    total: f64,
}

impl TopContributors {
    /// Looks through the voices on this asset: the largest v·p on the side of `sign`.
    pub fn find(cast: &Population, consensus: &Consensus, voice: &[f64], asset: AssetId, sign: f64) -> Self {
        let mut found = TopContributors::default();
        consensus.on_side(cast, asset, sign).for_each(|(speaker, agent, heard)| {
            found.weigh(heard * voice[cast.agents[agent.index()].family_index], speaker);
        });
        found
    }

    #[inline]
    fn weigh(&mut self, weight: f64, speaker: usize) {
        if weight <= 0.0 {
            return;
        }
        self.total += weight;
        if weight <= self.top[NAMED].0 {
            return;
        }
        // Ties go to the earlier voice, since only a greater weight moves up.
        let mut new = (weight, speaker as u32);
        for kept in &mut self.top {
            if new.0 > kept.0 {
                std::mem::swap(&mut new, kept);
            }
        }
    }

    /// The edges into a listener.
    pub fn edges(&self, cast: &Population, consensus: &Consensus, listener: AgentId) -> Edges {
        let mut edges = Edges::default();
        let others = self.top.iter().filter(|(w, of)| *w > 0.0 && cast.voice(*of as usize).0 != listener);
        for (edge, (weight, of)) in edges.iter_mut().zip(others) {
            *edge = Edge {
                from: cast.voice(*of as usize).0,
                message: consensus.said(*of as usize),
                share: weight / self.total,
                value: 0.0,
            };
        }
        edges
    }
}
