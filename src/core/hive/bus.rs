//! Delivery: every message gets its number here, is counted here, and reaches everybody. Muting is
//! a matter of the consensus: a muted agent still speaks, and is still counted.

use crate::domain::{
    AgentId, AssetId, Message, MessageCounts, MessageId, MessageKind, Speaker, SpokenBy, Stamp, Swayed,
};
use serde::{Deserialize, Serialize};

/// The counters of the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bus {
    next: u64,
    counts: MessageCounts,
    /// By agent: messages sent.
    sent: Vec<u64>,
    /// By agent: messages of others that swayed a deed of it.
    acted_on: Vec<u64>,
    /// Words that alone lives said while the open one was apart.
    alone: MessageCounts,
    /// Words of open lives that are apart.
    open: MessageCounts,
    /// Deeds that others swayed.
    deeds: u64,
}

impl Bus {
    /// Nobody has spoken yet.
    pub fn new(agents: usize) -> Self {
        Bus {
            next: 1,
            counts: MessageCounts::default(),
            sent: vec![0; agents],
            acted_on: vec![0; agents],
            alone: MessageCounts::default(),
            open: MessageCounts::default(),
            deeds: 0,
        }
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
        }
        out.push(Message { id, at, from, asset, life: SpokenBy::Both, swayed: Vec::new(), body });
        id
    }

    /// The same for a word of an open life that is apart from its alone one, with what swayed it. It is counted apart: the
    /// counts of what was said stay those of alone lives.
    pub fn deliver_open(
        &mut self,
        at: Stamp,
        (agent, asset): (AgentId, AssetId),
        body: MessageKind,
        swayed: Vec<Swayed>,
        out: &mut Vec<Message>,
    ) -> MessageId {
        let id = MessageId(self.next);
        self.next += 1;
        self.open.count(&body);
        self.sent[agent.index()] += 1;
        self.deeds += u64::from(!swayed.is_empty());
        self.acted_on[agent.index()] += swayed.iter().map(|s| s.causes.len() as u64).sum::<u64>();
        let (from, asset) = (Speaker::Agent(agent), Some(asset));
        out.push(Message { id, at, from, asset, life: SpokenBy::Open, swayed, body });
        id
    }

    /// What an alone life has said in this step is its own alone, since its open one goes another way. The step's messages
    /// are delivered when it is over.
    pub fn part(&mut self, agent: AgentId, said: &MessageKind, step: &mut [Message]) {
        let is_same = |delivered: &MessageKind| match (delivered, said) {
            // The points of an outcome are told on delivery.
            (MessageKind::Outcome(a), MessageKind::Outcome(b)) => a.intent == b.intent,
            _ => delivered == said,
        };
        let from = Speaker::Agent(agent);
        let theirs = |m: &&mut Message| (m.from, m.life) == (from, SpokenBy::Both) && is_same(&m.body);
        if let Some(message) = step.iter_mut().find(theirs) {
            message.life = SpokenBy::Alone;
            self.alone.count(&message.body);
        }
    }

    /// Messages that were delivered so far, which is the number of the last one.
    pub fn delivered(&self) -> u64 {
        self.next - 1
    }

    /// Words that only alone lives said.
    pub fn alone_counts(&self) -> MessageCounts {
        self.alone
    }

    /// Words that only open lives said.
    pub fn open_counts(&self) -> MessageCounts {
        self.open
    }

    /// Deeds of open lives that others swayed.
    pub fn deeds(&self) -> u64 {
        self.deeds
    }

    /// Messages by kind.
    pub fn counts(&self) -> MessageCounts {
        self.counts
    }

    /// Messages an agent sent.
    pub fn sent(&self, agent: usize) -> u64 {
        self.sent[agent]
    }

    /// Messages of others that swayed deeds of an agent.
    pub fn acted_on(&self, agent: usize) -> u64 {
        self.acted_on[agent]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::{CarryQuote, Wait};
    use crate::domain::{AgentId, Cause};

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
    fn deeds_count_whom_they_name_and_are_counted_apart() {
        let (mut bus, mut out) = (Bus::new(1), Vec::new());
        let word = || MessageKind::Wait(Wait { until: Stamp(9), without: 0.5 });
        let cause = |n| Cause { message: MessageId(n), part: -0.25 };
        let who = (AgentId(0), AssetId(2));
        bus.deliver_open(Stamp(0), who, word(), vec![], &mut out);
        let swayed = vec![Swayed { reaction: 1, causes: vec![cause(9), cause(8)] }];
        bus.deliver_open(Stamp(0), who, word(), swayed, &mut out);
        assert_eq!((bus.sent(0), bus.acted_on(0), bus.deeds()), (2, 2, 1));
        assert_eq!((bus.open_counts().wait, bus.counts().total()), (2, 0));
        assert_eq!(out[1].life, SpokenBy::Open);
    }

    #[test]
    fn a_word_is_parted_once() {
        let (mut bus, mut out) = (Bus::new(1), Vec::new());
        let quote = MessageKind::Carry(CarryQuote { value: 0.0, days: 7.0, hurdle: 1.0, most: 0.25 });
        bus.deliver(Stamp(0), Speaker::Agent(AgentId(0)), None, quote.clone(), &mut out);
        for _ in 0..2 {
            bus.part(AgentId(0), &quote, &mut out);
        }
        assert_eq!((out[0].life, bus.alone_counts().carry, bus.counts().carry), (SpokenBy::Alone, 1, 1));
    }
}
