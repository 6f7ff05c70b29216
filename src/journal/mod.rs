//! The truth: an append-only log of checksummed frames, each chained to the one before, in segments of
//! at most 64 MiB.
//!
//! Entry points: [`Journal::open`] recovers and goes on, [`Journal::append`] and [`Journal::commit`]
//! write, [`verify`] and [`export()`] read.
//!
//! # Invariants
//!
//! 1. What [`Journal::commit`] has returned for is on disk: written, then `fdatasync`.
//! 2. A frame is bad or it is what was written; every byte is under a checksum, every frame under the
//!    chain.
//! 3. A torn end is cut only if nothing valid follows it, and the cut is told. A bad frame before a good
//!    one, a missing segment or one out of place is refused with file and byte; nothing is changed then.
//! 4. A newer format is refused naming both versions.
//! 5. After a failed write or sync nothing more is written: what is on disk is then unknown, so the
//!    program has to end, start anew and read (an fsync is never tried twice).
//! 6. Segments, frames and what waits for a commit have named maxima.
//!
//! It never interprets what it stores, never drops a segment, never decides what is worth keeping.

mod export;
mod frame;
mod scan;
mod segment;
#[cfg(test)]
mod tests;

pub use export::{export, hex};
pub use frame::{ChainLink, Frame, PAYLOAD_BYTES_MAX};
pub use scan::{Cut, FrameOffset, NEWEST, Recovery, scan};
pub use segment::{RunHeader, SEGMENT_BYTES_MAX, SEGMENTS_MAX, VERSION};

use segment::{HEADER, Header};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Frames that wait for a commit at most; the next append commits them.
pub const GROUP_FRAMES_MAX: usize = 4_096;
/// Bytes that wait for a commit at most, beside the largest frame.
pub const GROUP_BYTES_MAX: usize = 8 << 20;

/// What is journalled. The journal itself treats all alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum RecordKind {
    /// What a run was begun with.
    Config = 1,
    /// A command of the operator, written before it acts.
    Command = 2,
    /// The full state.
    Checkpoint = 3,
    /// How far the market was read.
    Cursor = 4,
    /// The feed ended.
    End = 5,
}

impl RecordKind {
    /// The name of a kind, also of one that is not known here.
    pub fn name(kind: u16) -> String {
        let all = [
            RecordKind::Config,
            RecordKind::Command,
            RecordKind::Checkpoint,
            RecordKind::Cursor,
            RecordKind::End,
        ];
        let known = all.iter().find(|k| **k as u16 == kind);
        known.map_or_else(|| format!("kind {kind}"), |k| format!("{k:?}").to_lowercase())
    }
}

/// Why a journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk failed while a segment was read or written.
    #[error("{doing} {path}: {reason}; see to the disk, then start again", path = path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// Damage that no crash leaves behind.
    #[error(
        "the journal is damaged: {file}, byte {offset}: {why}; nothing was changed. Put the file back from a \
         copy, or start anew in another folder",
        file = file.display()
    )]
    Corrupt {
        /// Segment in which the bad frame lies.
        file: PathBuf,
        /// Where the first bad frame begins.
        offset: u64,
        /// What does not fit.
        why: &'static str,
    },
    /// A segment between others is not there.
    #[error("the journal is not whole: {file} is missing; put it back, or start anew in another folder", file = file.display())]
    Missing {
        /// Segment that is missing.
        file: PathBuf,
    },
    /// Written by a later program.
    #[error("{file} has journal format {found}, this program reads up to {known}; use the newer program", file = file.display())]
    Newer {
        /// Segment that a later program wrote.
        file: PathBuf,
        /// What it says of itself.
        found: u16,
        /// What is known here.
        known: u16,
    },
    /// Of another run.
    #[error("{dir} holds the journal of another run; name another folder", dir = dir.display())]
    Foreign {
        /// Folder of the other run's journal.
        dir: PathBuf,
        /// Payload of its first frame, by which it can be told whose it is.
        first: Vec<u8>,
    },
    /// Beyond a maximum.
    #[error("a frame of {bytes} bytes does not fit into a journal (at most {PAYLOAD_BYTES_MAX})")]
    TooLarge {
        /// Length of the payload.
        bytes: usize,
    },
    /// Beyond a maximum.
    #[error("{dir} holds {SEGMENTS_MAX} segments, the most there can be; start anew in another folder", dir = dir.display())]
    Full {
        /// Folder that is full.
        dir: PathBuf,
    },
    /// After an error nothing is written any more.
    #[error("the journal {dir} failed before ({why}) and takes no more; start again", dir = dir.display())]
    Failed {
        /// Folder of the journal that failed.
        dir: PathBuf,
        /// The first error.
        why: String,
    },
}

impl JournalError {
    pub(crate) fn io(doing: &'static str, path: &Path, reason: io::Error) -> Self {
        JournalError::Io { doing, path: path.to_path_buf(), reason }
    }
}

/// Reads all of a journal and tells what it holds; changes nothing.
pub fn verify(dir: &Path) -> Result<Recovery, JournalError> {
    scan::scan(dir, |_| Ok(()))
}

/// A journal that is open for writing. One process at a time: the caller holds the lock.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    file: File,
    run: RunHeader,
    index: u32,
    /// Of the open segment, as far as it is written.
    size: u64,
    limit: u64,
    last_seq: u64,
    link: ChainLink,
    waiting: Vec<u8>,
    waiting_frames: usize,
    unsynced: bool,
    acknowledged: u64,
    failed: Option<String>,
}

impl Journal {
    /// Opens a journal or begins one: reads all of it, cuts a torn end, and is ready to append.
    pub fn open(dir: &Path, run: RunHeader) -> Result<(Self, Recovery), JournalError> {
        Self::open_limited(dir, run, SEGMENT_BYTES_MAX)
    }

    pub(crate) fn open_limited(
        dir: &Path,
        run: RunHeader,
        limit: u64,
    ) -> Result<(Self, Recovery), JournalError> {
        std::fs::create_dir_all(dir).map_err(|e| JournalError::io("making", dir, e))?;
        if let Some(parent) = dir.parent().filter(|p| !p.as_os_str().is_empty()) {
            segment::sync_folder(parent)?;
        }
        let seen = verify(dir)?;
        if seen.run.is_some_and(|found| found.config != run.config) {
            let first = seen.first.map(|location| read(dir, &location)).transpose()?.unwrap_or_default();
            return Err(JournalError::Foreign { dir: dir.to_path_buf(), first });
        }
        if let Some(cut) = &seen.cut {
            remove(dir, cut)?;
        }
        // The run keeps its name; a new segment names the program that begins it.
        let run = RunHeader { run: seen.run.map_or(run.run, |found| found.run), ..run };
        let index = seen.segments.max(1);
        let path = segment::path(dir, index);
        let file = if seen.segments == 0 {
            let header = Header { version: VERSION, index, first_seq: 1, before: ChainLink::default(), run };
            segment::create(dir, &header)?
        } else {
            let opened = OpenOptions::new().append(true).open(&path);
            opened.map_err(|e| JournalError::io("opening", &path, e))?
        };
        let size = file.metadata().map_err(|e| JournalError::io("measuring", &path, e))?.len();
        let journal = Journal {
            dir: dir.to_path_buf(),
            file,
            run,
            index,
            size,
            limit,
            last_seq: seen.last_seq,
            link: seen.link,
            waiting: Vec::new(),
            waiting_frames: 0,
            // What was read may be in memory only: the process before this one may have died unsynced.
            unsynced: seen.frames > 0,
            acknowledged: 0,
            failed: None,
        };
        Ok((journal, seen))
    }

    /// Takes a frame and returns its number. It is on disk after the next [`Journal::commit`], which
    /// comes by itself when too much waits.
    pub fn append(&mut self, kind: RecordKind, ver: u16, payload: &[u8]) -> Result<u64, JournalError> {
        self.alive()?;
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(JournalError::TooLarge { bytes: payload.len() });
        }
        let seq = self.last_seq + 1;
        let ts = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
        let frame = Frame { seq, ts, kind: kind as u16, ver, prev: self.link, payload };
        let (begun, size) = (self.size + self.waiting.len() as u64, frame.size() as u64);
        if begun > HEADER as u64 && begun + size > self.limit {
            self.roll()?;
        }
        self.link = frame::encode(&mut self.waiting, &frame);
        self.last_seq = seq;
        self.waiting_frames += 1;
        if self.waiting_frames >= GROUP_FRAMES_MAX || self.waiting.len() >= GROUP_BYTES_MAX {
            self.commit()?;
        }
        Ok(seq)
    }

    /// Hands what waits to the system, without waiting for the disk: survives the process, not the
    /// machine. For what can be recomputed.
    pub fn flush(&mut self) -> Result<(), JournalError> {
        self.alive()?;
        if self.waiting.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.waiting);
        self.check("writing", written)?;
        self.size += self.waiting.len() as u64;
        self.waiting.clear();
        (self.waiting_frames, self.unsynced) = (0, true);
        Ok(())
    }

    /// Puts everything that was appended on disk. Returns the last number that is acknowledged.
    pub fn commit(&mut self) -> Result<u64, JournalError> {
        self.flush()?;
        if self.unsynced {
            let synced = self.file.sync_data();
            self.check("syncing", synced)?;
            self.unsynced = false;
        }
        self.acknowledged = self.last_seq;
        Ok(self.acknowledged)
    }

    /// The payload of a frame, checked once more.
    pub fn read(&self, location: &FrameOffset) -> Result<Vec<u8>, JournalError> {
        read(&self.dir, location)
    }

    /// The last number and its link.
    pub fn head(&self) -> (u64, ChainLink) {
        (self.last_seq, self.link)
    }

    /// Tells whose journal it is.
    pub fn run(&self) -> &RunHeader {
        &self.run
    }

    fn roll(&mut self) -> Result<(), JournalError> {
        self.commit()?;
        let synced = self.file.sync_all();
        self.check("closing", synced)?;
        let (index, first_seq, before, run) = (self.index + 1, self.last_seq + 1, self.link, self.run);
        match segment::create(&self.dir, &Header { version: VERSION, index, first_seq, before, run }) {
            Ok(file) => (self.file, self.index, self.size) = (file, index, HEADER as u64),
            Err(e) => {
                self.failed = Some(e.to_string());
                return Err(e);
            }
        }
        Ok(())
    }

    fn alive(&self) -> Result<(), JournalError> {
        let dead = |why: &String| JournalError::Failed { dir: self.dir.clone(), why: why.clone() };
        self.failed.as_ref().map_or(Ok(()), |why| Err(dead(why)))
    }

    fn check(&mut self, doing: &'static str, done: io::Result<()>) -> Result<(), JournalError> {
        done.map_err(|e| {
            let error = JournalError::io(doing, &segment::path(&self.dir, self.index), e);
            self.failed = Some(error.to_string());
            error
        })
    }
}

fn read(dir: &Path, location: &FrameOffset) -> Result<Vec<u8>, JournalError> {
    let path = segment::path(dir, location.segment);
    let failed = |e| JournalError::io("reading", &path, e);
    let mut file = File::open(&path).map_err(failed)?;
    file.seek(SeekFrom::Start(location.offset)).map_err(failed)?;
    let mut bytes = vec![0; location.size as usize];
    file.read_exact(&mut bytes).map_err(failed)?;
    let frame =
        frame::parse(&bytes).filter(|f| f.seq == location.seq && frame::link(&bytes) == location.link);
    let why = "the frame changed after it was read";
    frame.map(|f| f.payload.to_vec()).ok_or(JournalError::Corrupt {
        file: path.clone(),
        offset: location.offset,
        why,
    })
}

/// Cuts a torn end; of a segment that has no header nothing is left.
fn remove(dir: &Path, cut: &Cut) -> Result<(), JournalError> {
    let failed = |e| JournalError::io("cutting the torn end of", &cut.file, e);
    if cut.offset == 0 {
        std::fs::remove_file(&cut.file).map_err(failed)?;
        return segment::sync_folder(dir);
    }
    let file = OpenOptions::new().write(true).open(&cut.file).map_err(failed)?;
    file.set_len(cut.offset).map_err(failed)?;
    file.sync_all().map_err(failed)
}
