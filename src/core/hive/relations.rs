//! What acting on somebody's words was worth: per listener, speaker and kind of word. While an open life is apart from its alone
//! one, what it gains beyond that is shared by all whose words brought it there, each deed alike and within a deed each speaker.
//!
//! # Invariants
//!
//! 1. What is shared adds up to what the open life gained beyond its alone one while it was apart.
//! 2. Trust is shrunk hard: toward the mean of all that was done on words of the speaker's family of this kind, and that toward
//!    nothing. Telling a Sharpe of half a point takes decades, so a relation of a few deeds says nothing of its own.
//! 3. A speaker on whose words nobody acted is trusted: trust closes ears on evidence, and never opens them.

use super::consensus::Consensus;
use crate::agents::Population;
use crate::domain::{AgentId, FamilyId, Speaker, TopicKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// As many deeds as a relation, or a family, needs to count for half of its own.
const SHRINK: f64 = 100.0;

/// What deeds on words came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WordTally {
    /// Deeds, of which a speaker among several has its share.
    pub deeds: f64,
    /// What they were worth beside not having acted, in fractions of the listener's stake.
    pub worth: f64,
}

impl WordTally {
    fn add(&mut self, deeds: f64, worth: f64) {
        self.deeds += deeds;
        self.worth += worth;
    }

    /// Worth of a deed, shrunk toward this.
    fn shrunk(&self, toward: f64) -> f64 {
        (self.worth + SHRINK * toward) / (self.deeds + SHRINK)
    }
}

/// A part of what brought a life apart from its alone one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct OwedPart {
    from: Speaker,
    kind: TopicKind,
    /// Deeds since it parted.
    deeds: f64,
    /// Of these, those that are counted already.
    counted: f64,
}

/// To whose words a life owes that it is apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OwedWords {
    parts: Vec<OwedPart>,
    /// What it was worth when it was last shared, in fractions of the stake.
    marked: f64,
}

impl OwedWords {
    /// A deed on words of this kind, by these speakers.
    pub fn deed(&mut self, kind: TopicKind, speakers: impl ExactSizeIterator<Item = Speaker>) {
        let share = 1.0 / speakers.len() as f64;
        for from in speakers {
            match self.parts.iter_mut().find(|p| (p.from, p.kind) == (from, kind)) {
                Some(part) => part.deeds += share,
                None => self.parts.push(OwedPart { from, kind, deeds: share, counted: 0.0 }),
            }
        }
    }
}

/// A relation as it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relation {
    /// Who said it.
    pub from: Speaker,
    /// What kind of word.
    pub kind: TopicKind,
    /// What was done on it.
    pub tally: WordTally,
    /// Worth of a deed, shrunk.
    pub trust: f64,
}

/// The relations of all who listen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Relations {
    /// By declared agent; by speaker's number and kind.
    of: Vec<BTreeMap<(u32, TopicKind), (Speaker, WordTally)>>,
    /// By family of the speaker (none: no agent) and kind, of all listeners.
    families: BTreeMap<(Option<FamilyId>, TopicKind), WordTally>,
}

fn family(cast: &Population, from: Speaker) -> Option<FamilyId> {
    if let Speaker::Agent(agent) = from { cast.agents.get(agent.index()).map(|a| a.family) } else { None }
}

/// Managers of teams share a number among the speakers, and are told apart here.
fn number(from: Speaker) -> u32 {
    match from {
        Speaker::Team(id) => u32::MAX - id.index() as u32,
        from => from.index() as u32,
    }
}

impl Relations {
    /// Nobody has acted on anything.
    pub fn new(cast: &Population) -> Self {
        Relations { of: vec![BTreeMap::new(); cast.declared], families: BTreeMap::new() }
    }

    /// What a life that is apart is worth now beyond its alone one, in fractions of the listener's stake; what is new of it is
    /// shared by those to whom it owes it.
    pub fn settle(&mut self, cast: &Population, listener: AgentId, owed: &mut OwedWords, now: f64) {
        let worth = now - std::mem::replace(&mut owed.marked, now);
        let all: f64 = owed.parts.iter().map(|p| p.deeds).sum();
        for part in &mut owed.parts {
            let deeds = part.deeds - std::mem::replace(&mut part.counted, part.deeds);
            let share = worth * part.deeds / all;
            if deeds == 0.0 && share == 0.0 {
                continue;
            }
            let own = self.of[listener.index()].entry((number(part.from), part.kind));
            own.or_insert((part.from, WordTally::default())).1.add(deeds, share);
            self.families.entry((family(cast, part.from), part.kind)).or_default().add(deeds, share);
        }
    }

    /// What acting on a word of this kind of this speaker is believed to be worth to a listener, in fractions of its stake.
    pub fn trust(&self, cast: &Population, listener: AgentId, from: Speaker, kind: TopicKind) -> f64 {
        let family = self.families.get(&(family(cast, from), kind)).map_or(0.0, |f| f.shrunk(0.0));
        let own = self.of.get(listener.index()).and_then(|of| of.get(&(number(from), kind)));
        own.map_or(family, |(_, tally)| tally.shrunk(family))
    }

    /// The relations of a listener, those on which most was done first.
    pub fn of(&self, cast: &Population, listener: AgentId) -> Vec<Relation> {
        let all = self.of.get(listener.index()).into_iter().flatten();
        let mut all: Vec<Relation> = all
            .map(|((_, kind), (from, tally))| {
                let trust = self.trust(cast, listener, *from, *kind);
                Relation { from: *from, kind: *kind, tally: *tally, trust }
            })
            .collect();
        all.sort_by(|a, b| b.tally.deeds.total_cmp(&a.tally.deeds));
        all
    }
}

/// Whom a listener may hear: who is not silenced and, where trust is asked for, is not distrusted.
#[derive(Clone, Copy, Debug)]
pub struct Audible<'a> {
    /// Who was silenced.
    pub consensus: &'a Consensus,
    /// What acting on words was worth; none where it is not asked.
    pub trusted: Option<&'a Relations>,
}

impl Audible<'_> {
    /// Whether this listener may hear words of this kind of this speaker.
    pub fn is_heard(&self, cast: &Population, listener: AgentId, from: Speaker, kind: TopicKind) -> bool {
        let is_voiced = if let Speaker::Agent(agent) = from { self.consensus.is_heard(agent) } else { true };
        is_voiced && self.trusted.is_none_or(|of| of.trust(cast, listener, from, kind) >= 0.0)
    }
}
