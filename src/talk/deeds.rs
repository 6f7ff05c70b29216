//! Which messages were acted on: by how many deeds each, and each kind.
//!
//! A deed is what an open life did because others swayed it. It counts once for a message however many of its reactions
//! name it, and once for a kind however many messages of that kind it names.

use super::error::TalkError;
use super::read::TalkFile;
use crate::domain::{Message, TopicKind};
use std::collections::{BTreeMap, HashMap};

/// How often what was said of a kind was acted on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActedOn {
    /// Messages of the kind.
    pub said: u64,
    /// Those of them that some deed names.
    pub acted_on: u64,
    /// Deeds that name one of them.
    pub deeds: u64,
}

/// The deeds of a run, by the messages that they name. Its size goes with the deeds, not with the talk.
#[derive(Clone, Debug, Default)]
pub struct Deeds {
    /// By message, the numbers of the deeds.
    by_cause: HashMap<u64, Vec<u64>>,
}

impl Deeds {
    /// Reads them from a log.
    pub fn read(file: &mut TalkFile) -> Result<Deeds, TalkError> {
        let mut deeds = Deeds::default();
        file.read(
            |head| head.swayed > 0,
            |m| -> Result<(), TalkError> {
                deeds.note(m);
                Ok(())
            },
        )?;
        Ok(deeds)
    }

    fn note(&mut self, message: &Message) {
        for cause in message.swayed.iter().flat_map(|s| &s.causes) {
            let named = self.by_cause.entry(cause.message.0).or_default();
            if named.last() != Some(&message.id.0) {
                named.push(message.id.0);
            }
        }
    }

    /// The numbers of the deeds that name a message.
    pub fn of(&self, message: u64) -> &[u64] {
        self.by_cause.get(&message).map_or(&[], Vec::as_slice)
    }
}

/// Counts by kind, over the messages that it is given.
#[derive(Clone, Debug, Default)]
pub struct KindCounts {
    kinds: BTreeMap<usize, ActedOn>,
    /// By kind, the deeds that were counted: a deed may name several messages.
    counted: HashMap<usize, std::collections::HashSet<u64>>,
}

impl KindCounts {
    /// Counts a message, and the deeds that name it.
    pub fn count(&mut self, message: &Message, deeds: &[u64]) {
        let kind = TopicKind::of(&message.body) as usize;
        let row = self.kinds.entry(kind).or_default();
        row.said += 1;
        if !deeds.is_empty() {
            row.acted_on += 1;
            let counted = self.counted.entry(kind).or_default();
            counted.extend(deeds);
            row.deeds = counted.len() as u64;
        }
    }

    /// By kind, in the order of tables; also those of which nothing was said.
    pub fn rows(&self) -> impl Iterator<Item = (TopicKind, ActedOn)> {
        let of = |kind: TopicKind| self.kinds.get(&(kind as usize)).copied().unwrap_or_default();
        TopicKind::ALL.into_iter().map(move |kind| (kind, of(kind)))
    }
}
