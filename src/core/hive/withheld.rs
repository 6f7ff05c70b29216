//! What is not heard though it was said, where a run is lived again to find out what hearing it was worth. It was said all
//! the same: it has its number, it is counted, and who said it knows its own intent.
//!
//! | not heard | what that does |
//! |---|---|
//! | an open, increase, decrease or close | the pool, and reactions, take its speaker to hold what they heard last |
//! | an amended plan, a wait, a resting order, an outcome, a stance, a goal, a receipt | no reaction hears it |
//! | what a carrier or a maker quotes | the desk does not hear it either |
//! | a manager's adjustment | it is not in force; its manager sees that, and says it again the next day |
//!
//! # Invariants
//!
//! 1. A run in which nothing is withheld decides what it decides without this.
//! 2. With everything withheld and closed ears it decides what a deaf run decides.

use crate::agents::Population;
use crate::domain::{MessageId, MessageKind, Speaker, TopicKind};

/// What is not heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withheld {
    /// By speaker ([`Speaker::index`]): a bit for each kind.
    kinds: Vec<u32>,
    message: Option<MessageId>,
    ears: bool,
}

impl Withheld {
    /// One message is not heard.
    pub fn message(id: MessageId) -> Self {
        Withheld { message: Some(id), ..Withheld::default() }
    }

    /// All that anybody says, where so many agents speak.
    pub fn everything(agents: usize) -> Self {
        let mut all = Withheld::default();
        for from in Speaker::all(agents) {
            TopicKind::ALL.iter().for_each(|kind| all.withhold(from, *kind));
        }
        all
    }

    /// What a speaker says of this kind is not heard either.
    pub fn withhold(&mut self, from: Speaker, kind: TopicKind) {
        let index = from.index();
        if self.kinds.len() <= index {
            self.kinds.resize(index + 1, 0);
        }
        self.kinds[index] |= 1 << kind as u32;
    }

    /// The same, and nobody listens any more: each decides by itself, in place of leaving λ of its size to others that are
    /// not heard.
    #[must_use]
    pub fn with_closed_ears(self) -> Self {
        Withheld { ears: true, ..self }
    }

    /// Whether nobody listens.
    pub fn closes_ears(&self) -> bool {
        self.ears
    }

    /// Whether all is heard.
    pub fn is_nothing(&self) -> bool {
        self.kinds.is_empty() && self.message.is_none() && !self.ears
    }

    /// Whether a message is heard.
    #[inline]
    pub fn is_heard(&self, from: Speaker, id: MessageId, body: &MessageKind) -> bool {
        self.is_nothing() || (self.message != Some(id) && !self.withholds(from, TopicKind::of(body)))
    }

    /// Whether nothing of this kind is heard of a speaker.
    pub fn withholds(&self, from: Speaker, kind: TopicKind) -> bool {
        self.kinds.get(from.index()).is_some_and(|kinds| kinds & (1 << kind as u32) != 0)
    }
}

/// Whether anybody in a cast can hear what a speaker says of this kind: the pool, who lives by reactions, the desk, or the knob
/// that is turned. Of what nobody can hear it is known without a run that nothing depends on it.
pub fn is_heard_by_anybody(cast: &Population, from: Speaker, kind: TopicKind) -> bool {
    let is_trade =
        matches!(kind, TopicKind::Open | TopicKind::Increase | TopicKind::Decrease | TopicKind::Close);
    let is_quote = matches!(kind, TopicKind::Carry | TopicKind::Work);
    let reacts = || {
        let mut all = cast.agents.iter().flat_map(|agent| agent.reacts.iter());
        all.any(|reaction| reaction.rule.hears.what.is_said_in(kind))
    };
    match from {
        Speaker::Agent(id) if cast.agents.get(id.index()).is_some_and(|a| a.scout) => is_trade,
        Speaker::Agent(_) => is_trade || is_quote || reacts(),
        Speaker::Manager(_) | Speaker::Netting | Speaker::Team(_) => {
            kind == TopicKind::Adjustment || reacts()
        }
        Speaker::Tracker(_) => reacts(),
        // Its stances are shown, its receipts are heard.
        Speaker::Desk => kind == TopicKind::Receipt && reacts(),
        Speaker::Gauge => false,
    }
}
