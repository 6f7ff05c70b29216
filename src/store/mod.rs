//! The newest checkpoint in sled, for a fast start and for the cockpit. The journal is the truth; this
//! folder may be deleted at any time and costs nothing but being written again.
//!
//! Entry points: [`StateStore::open`], [`StateStore::newest`], [`StateStore::put`]; [`probe`], which a
//! child process runs before this one opens a folder; [`set_aside`].
//!
//! # Invariants
//!
//! 1. State and the number of the frame it is a copy of (`applied_seq`) are written in one batch.
//! 2. What is read is what was written, or an error: a seal over all of it is checked, since a flipped
//!    bit in a sled folder may show as an older record or as none.
//! 3. A panic of sled ends here and becomes an error; whoever gets an error sets the folder aside.
//!
//! It is never the only copy of anything, and never decides which copy is right.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Version of the layout; part of the seal.
const VERSION: u16 = 1;
/// State is kept in pieces: sled writes values above half a megabyte to files of their own.
const PIECE_BYTES: usize = 64 << 10;
/// Most pieces: as much state as a journal frame can hold.
const PIECES_MAX: u32 = 512;
/// Folders that are kept for an autopsy; the oldest goes first.
pub const ASIDE_MAX: u32 = 8;
const HEAD_KEY: &[u8] = b"applied_seq";

/// Why a store is of no use.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// sled said so.
    #[error("{doing} the store: {0}", doing = .1)]
    Sled(#[source] sled::Error, &'static str),
    /// sled gave up.
    #[error("sled panicked while {0} the store: {1}")]
    Panic(&'static str, String),
    /// It could be read, and is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(&'static str),
    /// Beyond a maximum.
    #[error("a state of {0} bytes does not fit into the store")]
    TooLarge(usize),
}

/// A copy of a journal frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// The run it belongs to.
    pub run: [u8; 16],
    /// Number of the frame.
    pub applied_seq: u64,
    /// The frame's link in the chain of the journal.
    pub link: [u8; 8],
    /// The frame's payload: an encoded state of the engine.
    pub state: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    version: u16,
    run: [u8; 16],
    applied_seq: u64,
    link: [u8; 8],
    bytes: u64,
    pieces: u32,
    seal: [u8; 32],
}

/// An open sled folder. One process at a time.
pub struct StateStore {
    db: sled::Db,
}

impl StateStore {
    /// Opens or begins a store. Probe a folder that is there in a child process first: what a damaged
    /// one does to its process cannot always be caught.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        caught("opening", || {
            // No thread of its own writes behind this one's back.
            sled::Config::new().path(dir).flush_every_ms(None).open().map(|db| StateStore { db })
        })
    }

    /// What was put last, if anything was.
    pub fn newest(&self) -> Result<Option<Newest>, StoreError> {
        let Some(head) = caught("reading", || self.db.get(HEAD_KEY))? else {
            let empty = caught("reading", || Ok(self.db.is_empty()))?;
            return if empty { Ok(None) } else { Err(StoreError::Damaged("pieces without a head")) };
        };
        let head: Head = postcard::from_bytes(&head).map_err(|_| StoreError::Damaged("its head"))?;
        if head.version != VERSION || head.pieces > PIECES_MAX {
            return Err(StoreError::Damaged("its head"));
        }
        let mut state = Vec::new();
        for i in 0..head.pieces {
            let piece = caught("reading", || self.db.get(key(i)))?;
            state.extend_from_slice(&piece.ok_or(StoreError::Damaged("a piece is missing"))?);
        }
        let newest = Newest { run: head.run, applied_seq: head.applied_seq, link: head.link, state };
        if newest.state.len() as u64 != head.bytes || seal(&newest) != head.seal {
            return Err(StoreError::Damaged("its seal does not fit"));
        }
        Ok(Some(newest))
    }

    /// Puts a copy of a frame in the place of the one before.
    pub fn put(&self, newest: &Newest) -> Result<(), StoreError> {
        let pieces = newest.state.chunks(PIECE_BYTES);
        let count = pieces.len() as u32;
        if count > PIECES_MAX {
            return Err(StoreError::TooLarge(newest.state.len()));
        }
        let head = Head {
            version: VERSION,
            run: newest.run,
            applied_seq: newest.applied_seq,
            link: newest.link,
            bytes: newest.state.len() as u64,
            pieces: count,
            seal: seal(newest),
        };
        let head = postcard::to_stdvec(&head).map_err(|_| StoreError::Damaged("its head"))?;
        caught("writing", || {
            let mut batch = sled::Batch::default();
            for (i, piece) in (0..).zip(pieces) {
                batch.insert(key(i).as_slice(), piece);
            }
            // What a larger state left behind.
            for stale in self.db.range(key(count)..=key(PIECES_MAX)).keys() {
                batch.remove(stale?);
            }
            batch.insert(HEAD_KEY, head);
            self.db.apply_batch(batch)?;
            self.db.flush().map(|_| ())
        })
    }
}

impl Drop for StateStore {
    fn drop(&mut self) {
        // The last handle flushes, and a damaged folder may panic there. Nothing is lost: the journal
        // has it all.
        let _ = catch_unwind(AssertUnwindSafe(|| self.db.flush()));
    }
}

/// Opens a folder, reads all that is needed of it, closes it.
pub fn probe(dir: &Path) -> Result<(), StoreError> {
    let store = StateStore::open(dir)?;
    let read = store.newest().map(|_| ());
    caught("closing", || {
        drop(store);
        Ok(())
    })?;
    read
}

/// Moves a folder out of the way, to `sled.bad-1` and on; returns where it went.
pub fn set_aside(dir: &Path) -> io::Result<PathBuf> {
    let parent = dir.parent().unwrap_or(Path::new("."));
    let stem = format!("{}.bad-", dir.file_name().unwrap_or_default().to_string_lossy());
    let mut taken = Vec::new();
    for entry in std::fs::read_dir(parent)? {
        let name = entry?.file_name();
        taken.extend(name.to_str().and_then(|n| n.strip_prefix(&stem)).and_then(|n| n.parse::<u32>().ok()));
    }
    let n = taken.iter().max().map_or(1, |n| n.saturating_add(1));
    for old in taken.into_iter().filter(|old| old.saturating_add(ASIDE_MAX) <= n) {
        std::fs::remove_dir_all(parent.join(format!("{stem}{old}")))?;
    }
    let aside = parent.join(format!("{stem}{n}"));
    std::fs::rename(dir, &aside)?;
    Ok(aside)
}

fn key(piece: u32) -> [u8; 11] {
    let mut key = *b"state/\0\0\0\0\0";
    key[7..].copy_from_slice(&piece.to_be_bytes());
    key
}

fn seal(newest: &Newest) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&VERSION.to_le_bytes());
    hasher.update(&newest.run);
    hasher.update(&newest.applied_seq.to_le_bytes());
    hasher.update(&newest.link);
    hasher.update(&newest.state);
    *hasher.finalize().as_bytes()
}

fn caught<T>(doing: &'static str, f: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(done) => done.map_err(|e| StoreError::Sled(e, doing)),
        Err(payload) => {
            let said = payload.downcast_ref::<String>().cloned();
            let said = said.or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            Err(StoreError::Panic(doing, said.unwrap_or_default()))
        }
    }
}
