//! Keeps a run: what is set before it, how far it read, and from time to time all of its state, in the
//! journal first and then in the store.
//!
//! # Invariants
//!
//! 1. A checkpoint is on disk in the journal before the store has it.
//! 2. Cursors and checkpoints are made at barriers counted from the start of the feed, so a run that was
//!    resumed keeps the same ones as a run that was not.
//! 3. A run that is stepped again decides what it decided the first time, or it ends.
//! 4. A store that fails is let go and said; the run goes on. A journal that fails ends the run.

use super::drive::Told;
use super::lock::Lock;
use crate::domain::{Digest, Stamp};
use crate::engine::Engine;
use crate::engine::state::SnapshotError;
use crate::journal::{Journal, JournalError, Kind};
use crate::store::{Newest, StateStore};
use serde::{Deserialize, Serialize};

/// Version of the payloads that are written here.
pub const VERSION: u16 = 1;
/// A run is cut into this many parts by its checkpoints, so that a restart steps 2 % of it again …
const PARTS: u64 = 50;
/// … but not into smaller ones than this, in barriers: a checkpoint costs as much as a few dozen.
const PART_BARRIERS_MIN: u64 = 64;
/// Cursors between two checkpoints.
const CURSORS: u64 = 16;

/// How far a run was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// Hash of the data that was read.
    pub data_hash: String,
    /// Events taken from the feed.
    pub events: u64,
    /// The last stamp.
    pub at: Option<Stamp>,
    /// Everything that was decided until then.
    pub decisions: Digest,
}

/// Why a run cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The state.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A payload.
    #[error("a checkpoint could not be encoded: {0}")]
    Codec(#[from] postcard::Error),
    /// The same events gave other decisions.
    #[error(
        "at event {events} ({at}) other decisions were made than the journal says were made before: the program \
         or the data changed. Go on with the old ones, or start anew in another folder"
    )]
    Diverged {
        /// Events taken from the feed.
        events: u64,
        /// The barrier.
        at: Stamp,
    },
}

/// A run that is kept.
pub struct Keeper {
    pub(super) journal: Journal,
    pub(super) store: Option<StateStore>,
    pub(super) data_hash: String,
    /// Where the run was before it died, to be compared on the way.
    pub(super) reached: Option<Cursor>,
    /// The events at the newest checkpoint.
    pub(super) kept: Option<u64>,
    pub(super) ended: bool,
    pub(super) checkpoint_every: u64,
    pub(super) cursor_every: u64,
    pub(super) news: Vec<String>,
    pub(super) _lock: Lock,
}

impl Keeper {
    /// Barriers between two checkpoints and between two cursors of a run of `barriers`.
    pub fn pace(barriers: u64) -> (u64, u64) {
        let every = (barriers / PARTS).max(PART_BARRIERS_MIN);
        (every, (every / CURSORS).max(1))
    }

    /// Sees every barrier.
    pub fn barrier(&mut self, engine: &Engine, told: &Told) -> Result<(), KeepError> {
        if let Some(reached) = self.reached.take_if(|r| r.events <= told.events) {
            let same = reached.events == told.events && reached.decisions == engine.respond.decisions;
            if !same {
                let at = engine.now().unwrap_or(Stamp(0));
                return Err(KeepError::Diverged { events: told.events, at });
            }
        }
        if told.barriers.is_multiple_of(self.checkpoint_every) {
            self.checkpoint(engine, told)?;
        } else if told.barriers.is_multiple_of(self.cursor_every) {
            let cursor = postcard::to_stdvec(&self.cursor(engine, told))?;
            self.journal.append(Kind::Cursor, VERSION, &cursor)?;
            // Survives the process; if the machine goes down too, only the way is forgotten.
            self.journal.flush()?;
        }
        Ok(())
    }

    /// Keeps all of the state. Returns the number of its frame, none if it was kept already.
    pub fn checkpoint(&mut self, engine: &Engine, told: &Told) -> Result<Option<u64>, KeepError> {
        if self.kept == Some(told.events) {
            return Ok(None);
        }
        let state = encode(&self.cursor(engine, told), told, &engine.snapshot()?)?;
        let seq = self.journal.append(Kind::Checkpoint, VERSION, &state)?;
        self.journal.commit()?;
        self.kept = Some(told.events);
        let (applied_seq, link) = self.journal.head();
        let newest = Newest { run: self.journal.run().run, applied_seq, link, state };
        if let Some(Err(why)) = self.store.as_ref().map(|s| s.put(&newest)) {
            self.store = None;
            self.news.push(format!("{why}; the run goes on, the journal has all of it"));
        }
        Ok(Some(seq))
    }

    /// The feed ended: keeps the state and says that nothing comes after it.
    pub fn end(&mut self, engine: &Engine, told: &Told) -> Result<(), KeepError> {
        self.checkpoint(engine, told)?;
        if !self.ended {
            let cursor = postcard::to_stdvec(&self.cursor(engine, told))?;
            self.journal.append(Kind::End, VERSION, &cursor)?;
            self.journal.commit()?;
            self.ended = true;
        }
        Ok(())
    }

    /// What the operator must know, once.
    pub fn news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.news)
    }

    fn cursor(&self, engine: &Engine, told: &Told) -> Cursor {
        Cursor {
            data_hash: self.data_hash.clone(),
            events: told.events,
            at: engine.now(),
            decisions: engine.respond.decisions,
        }
    }
}

/// `[length of the head u32][cursor, told][snapshot]`.
fn encode(cursor: &Cursor, told: &Told, snapshot: &[u8]) -> Result<Vec<u8>, postcard::Error> {
    let head = postcard::to_stdvec(&(cursor, told))?;
    let mut out = Vec::with_capacity(4 + head.len() + snapshot.len());
    out.extend_from_slice(&(head.len() as u32).to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(snapshot);
    Ok(out)
}

/// What [`encode`] made.
pub(super) fn decode(bytes: &[u8]) -> Option<(Cursor, Told, &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (head, snapshot) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    let (cursor, told) = postcard::from_bytes(head).ok()?;
    Some((cursor, told, snapshot))
}
