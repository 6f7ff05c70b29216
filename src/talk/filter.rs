//! What of the talk is asked for, and which blocks cannot have it.

use super::block::BlockHead;
use crate::domain::{AssetId, Message, Speaker, SpokenBy, Stamp, TopicKind};

/// Where an answer begins or ends: with a message or a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterBound {
    /// The message with this number, which is in the answer.
    Number(u64),
    /// What was said at this stamp, which is in the answer.
    Time(Stamp),
}

/// What of the talk is asked for. What is empty or none asks for everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TalkFilter {
    /// From here on, and with it.
    pub from: Option<FilterBound>,
    /// Up to here, and with it.
    pub to: Option<FilterBound>,
    /// Said by one of these.
    pub speakers: Vec<Speaker>,
    /// About one of these.
    pub assets: Vec<AssetId>,
    /// Of one of these kinds.
    pub kinds: Vec<TopicKind>,
    /// By this life.
    pub life: Option<SpokenBy>,
}

impl TalkFilter {
    /// Whether something in a block may be asked for.
    pub fn wants(&self, head: &BlockHead) -> bool {
        let is_said = |kind: &TopicKind| head.kinds & (1 << *kind as u32) != 0;
        self.overlaps((head.first, head.from), (head.end() - 1, head.to))
            && (self.kinds.is_empty() || self.kinds.iter().any(is_said))
            && (self.speakers.is_empty() || self.speakers.iter().any(|s| head.has_speaker(s.index())))
    }

    /// Whether something between two messages, each with when it was said, is within the bounds.
    fn overlaps(&self, (first, begin): (u64, Stamp), (last, end): (u64, Stamp)) -> bool {
        let is_after = match self.from {
            Some(FilterBound::Number(n)) => last >= n,
            Some(FilterBound::Time(at)) => end >= at,
            None => true,
        };
        let is_before = match self.to {
            Some(FilterBound::Number(n)) => first <= n,
            Some(FilterBound::Time(at)) => begin <= at,
            None => true,
        };
        is_after && is_before
    }

    /// Whether a message is asked for.
    pub fn fits(&self, m: &Message) -> bool {
        self.overlaps((m.id.0, m.at), (m.id.0, m.at))
            && self.life.is_none_or(|life| m.life == life)
            && (self.speakers.is_empty() || self.speakers.contains(&m.from))
            && (self.assets.is_empty() || m.asset.is_some_and(|a| self.assets.contains(&a)))
            && (self.kinds.is_empty() || self.kinds.contains(&TopicKind::of(&m.body)))
    }
}
