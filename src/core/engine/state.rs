//! Snapshot, restore, state hash.
//!
//! The hash is taken of the serialised state, field by field as derived by the compiler, in place of a
//! list of fields kept by hand beside it: a new field of any type in the state must be serialisable
//! or the house does not compile, and once it is, it is hashed and restored. The one way to leave a
//! field out, a `serde` attribute that skips it, is refused by `tests/tidy.rs`; so are map types whose
//! order is not that of their keys.
//!
//! A type that cannot be serialised cannot enter the state:
//!
//! ```compile_fail
//! #[derive(serde::Serialize)]
//! struct State { old: u64, new: Unhashed }
//! struct Unhashed(u64);
//! ```
//!
//! and one that can is in the hash, whether or not anybody thought of it:
//!
//! ```
//! #[derive(serde::Serialize)]
//! struct State { old: u64, new: u64 }
//! let hash = |new| hive_core::engine::state::hash(&State { old: 1, new }).unwrap();
//! assert_ne!(hash(2), hash(3));
//! ```

use super::Engine;
use super::respond::Respond;
use super::speak::Speak;
use crate::domain::Stamp;
use serde::{Deserialize, Serialize};

pub use crate::domain::digest::hash;

/// Version of the snapshot's layout; raised when any type of the state changes.
pub const VERSION: u32 = 23;

/// Why a snapshot is of no use.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It could not be written or read.
    #[error("a snapshot could not be encoded or decoded: {0}; replay the events instead")]
    Codec(#[from] postcard::Error),
    /// The snapshot was made by a program with another layout of the state.
    #[error("the snapshot has layout {found}, this program reads {VERSION}; replay the events instead")]
    Version {
        /// What it says of itself.
        found: u32,
    },
    /// Cut off, or not what was written.
    #[error("the snapshot is damaged: its checksum does not fit; replay the events instead")]
    Damaged,
    /// Another roster, universe, seed or settings.
    #[error("the snapshot was made by another roster, market, seed or settings; start anew or restore them")]
    Foreign,
}

#[derive(Serialize)]
struct Outgoing<'a> {
    version: u32,
    made_by: [u8; 32],
    now: Stamp,
    speak: &'a Speak,
    respond: &'a Respond,
}

#[derive(Deserialize)]
struct Incoming {
    now: Stamp,
    speak: Speak,
    respond: Respond,
}

impl Engine {
    /// A witness of the whole state: equal for equal states.
    pub fn state_hash(&self) -> String {
        let state = (self.now, &self.speak, &self.respond);
        // Writing to a hasher cannot fail, and every type of the state has a length when it is written.
        hash(&state).map_or_else(|e| format!("unhashable: {e}"), |h| h.to_hex().to_string())
    }

    /// The whole state as bytes, a blake3 checksum last: most damages would decode to another state.
    pub fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        let out = Outgoing {
            version: VERSION,
            made_by: self.made_by(),
            now: self.now,
            speak: &self.speak,
            respond: &self.respond,
        };
        let mut bytes = postcard::to_stdvec(&out)?;
        bytes.extend_from_slice(blake3::hash(&bytes).as_bytes());
        Ok(bytes)
    }

    /// Puts a snapshot's state in place of this one's, if it was made by the same settings.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let (found, _): (u32, &[u8]) = postcard::take_from_bytes(bytes)?;
        if found != VERSION {
            return Err(SnapshotError::Version { found });
        }
        let (body, checksum) =
            bytes.split_last_chunk::<32>().ok_or(SnapshotError::Damaged).map(|(b, c)| (b, *c))?;
        if blake3::hash(body) != blake3::Hash::from(checksum) {
            return Err(SnapshotError::Damaged);
        }
        let ((_, made_by), rest): ((u32, [u8; 32]), &[u8]) = postcard::take_from_bytes(body)?;
        if made_by != self.made_by() {
            return Err(SnapshotError::Foreign);
        }
        let state: Incoming = postcard::from_bytes(rest)?;
        (self.now, self.speak, self.respond) = (state.now, state.speak, state.respond);
        self.said.now = self.now;
        Ok(())
    }

    /// A hash of everything that is set before a run.
    fn made_by(&self) -> [u8; 32] {
        let cast = self.cast();
        let text =
            format!("{:?}{:?}{:?}{:?}", self.respond_spec.settings, cast.agents, cast.slots, cast.seed);
        let text = format!("{text}{:?}", self.universe.instruments);
        *blake3::hash(text.as_bytes()).as_bytes()
    }
}
