//! Delivery: every message gets its number here, is counted here, and reaches everybody. Muting is
//! a matter of the consensus: a muted agent still speaks, and is still counted.

use crate::domain::AssetId;
use crate::domain::{Message, MessageCounts, MessageId, MessageKind, Speaker, Stamp};
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
        body: MessageKind,
        out: &mut Vec<Message>,
    ) -> MessageId {
        let id = MessageId(self.next);
        self.next += 1;
        self.counts.count(&body);
        if let Speaker::Agent(agent) = from {
            self.sent[agent.index()] += 1;
            if let MessageKind::Stance(stance) = &body {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AgentId;
    use crate::domain::message::{CarryQuote, Stance, StanceVerb};

    #[test]
    fn messages_are_numbered_from_one_in_the_order_of_delivery() {
        let (mut bus, mut out) = (Bus::new(2), Vec::new());
        let quote = |value| MessageKind::Carry(CarryQuote { value, days: 7.0, hurdle: 1.0, most: 0.25 });
        for n in 1..=3 {
            let from = Speaker::Agent(AgentId(n as u32 % 2));
            let id = bus.deliver(Stamp(n), from, Some(AssetId(4)), quote(n as f64), &mut out);
            assert_eq!(id, MessageId(n as u64));
        }
        assert_eq!(out.iter().map(|m| m.id.0).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(out[2].body, quote(3.0), "as it was said");
        assert_eq!((bus.sent(0), bus.sent(1), bus.counts().carry), (1, 2, 3));
    }

    #[test]
    fn a_stance_counts_whom_it_names_as_heard() {
        let (mut bus, mut out) = (Bus::new(1), Vec::new());
        let stance =
            |because| Stance { verb: StanceVerb::Keeps, own: 0.1, result: 0.2, factors: [None; 6], because };
        let one = Some(MessageId(9));
        for because in [[None; 3], [one, None, None], [one, Some(MessageId(8)), None]] {
            let body = MessageKind::Stance(stance(because));
            bus.deliver(Stamp(0), Speaker::Agent(AgentId(0)), None, body, &mut out);
        }
        assert_eq!((bus.sent(0), bus.acted_on(0), bus.counts().stance), (3, 3, 3));
    }
}
