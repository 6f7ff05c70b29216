//! Delivery: every message gets its number here, is counted here, and reaches everybody. Muting is
//! a matter of the consensus: a muted agent still speaks, and is still counted.

use crate::domain::AssetId;
use crate::domain::{Body, Message, MessageCounts, MessageId, Speaker, Stamp};
use serde::{Deserialize, Serialize};

/// The counters of the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bus {
    next: u64,
    counts: MessageCounts,
    /// By agent: messages sent.
    sent: Vec<u64>,
    /// By agent: messages of others that a stance of it names.
    acted_on: Vec<u64>,
}

impl Bus {
    /// Nobody has spoken yet.
    pub fn new(agents: usize) -> Self {
        Bus { next: 1, counts: MessageCounts::default(), sent: vec![0; agents], acted_on: vec![0; agents] }
    }

    /// Numbers and counts a message and hands it on.
    pub fn deliver(
        &mut self,
        at: Stamp,
        from: Speaker,
        asset: Option<AssetId>,
        body: Body,
        out: &mut Vec<Message>,
    ) -> MessageId {
        let id = MessageId(self.next);
        self.next += 1;
        self.counts.count(&body);
        if let Speaker::Agent(agent) = from {
            self.sent[agent.index()] += 1;
            if let Body::Stance(stance) = &body {
                self.acted_on[agent.index()] += stance.because.iter().flatten().count() as u64;
            }
        }
        out.push(Message { id, at, from, asset, body });
        id
    }

    /// Messages by kind.
    pub fn counts(&self) -> MessageCounts {
        self.counts
    }

    /// Messages an agent sent.
    pub fn sent(&self, agent: usize) -> u64 {
        self.sent[agent]
    }

    /// Messages of others that moved an agent.
    pub fn acted_on(&self, agent: usize) -> u64 {
        self.acted_on[agent]
    }
}
