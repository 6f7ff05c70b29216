//! What a state folder says of itself, before a byte of it is changed: the journal, the mark of how far it was
//! acknowledged, the store's copy, and what a start before this one was in doubt about.
//!
//! # Invariants
//!
//! 1. Nothing of the folder is changed: a store is read from a copy of it, which is removed again, since opening one
//!    writes to it.
//! 2. A store is opened only after a child process opened and read it and came back.
//! 3. A disk that is full is no damage: a store that could not be looked at is left where it is.

use super::recover::{Probe, RecoverError};
use crate::journal::{self, ChainLink, Frame, JournalError, MarkFile, MarkReading, Recovery, RunHeader};
use crate::store::{self, Newest, StateStore};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Version of a run's first frame from which on a mark is kept beside the journal.
pub const MARKED_SINCE: u16 = 3;
/// How long the child may take to read a store.
const PROBE_MAX: Duration = Duration::from_secs(10);
/// How often it is looked at.
const PROBE_LOOK: Duration = Duration::from_millis(2);
/// With less room than this on the disk a store is not tried: it would fail, and look damaged.
const ROOM_MIN: u64 = 8 << 20;
/// A copy of the store, for as long as it is read.
const LOOK: &str = "sled.look";

/// What the store has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreCopy {
    /// There is no store.
    Missing,
    /// There is one, and it never held anything.
    Empty,
    /// It could not be read: why.
    Unreadable(String),
    /// It could not be looked at, through no fault of its own: why.
    Unseen(String),
    /// The newest checkpoint that it was given.
    Newest(Newest),
}

/// What a state folder says of itself.
#[derive(Debug)]
pub struct StateEvidence {
    /// What the journal holds.
    pub seen: Recovery,
    /// How far it was acknowledged.
    pub mark: MarkReading,
    /// Link of the frame that the mark names, if the journal has that frame.
    at_mark: Option<ChainLink>,
    /// What the store has.
    pub store: StoreCopy,
    /// What a start before this one was in doubt about, if it did not get as far as to journal it.
    pub pending: Option<String>,
}

/// The file of the mark in a state folder.
pub fn mark_path(dir: &Path) -> PathBuf {
    dir.join("acknowledged")
}

/// The file in which doubt is kept until it is journalled.
fn doubt_path(dir: &Path) -> PathBuf {
    dir.join("doubt")
}

/// The frame beyond which nothing was acknowledged, if that is known: half a mark may say too little.
fn beyond(mark: &MarkReading) -> Option<u64> {
    if let MarkReading::Upto(upto) = mark { Some(upto.seq) } else { None }
}

impl StateEvidence {
    /// Sees every frame of the journal that counts, once more.
    pub fn frames(&self, dir: &Path, mut each: impl FnMut(&Frame<'_>)) -> Result<(), JournalError> {
        let seen = journal::scan_beyond(&dir.join("journal"), beyond(&self.mark), |frame| {
            each(frame);
            Ok(())
        });
        seen.map(|_| ())
    }

    /// Looks at everything and changes nothing.
    pub fn gather(dir: &Path, run: &RunHeader, probe: &Probe) -> Result<Self, RecoverError> {
        let mark = MarkFile::read(&mark_path(dir))?;
        let upto = mark.upto();
        let beyond = beyond(&mark);
        let mut at_mark = None;
        let seen = journal::look(&dir.join("journal"), run, beyond, |frame| {
            if upto.is_some_and(|m| frame.seq == m.seq + 1) {
                at_mark = Some(frame.prev);
            }
            Ok(())
        })?;
        if upto.is_some_and(|m| m.seq == seen.last_seq) {
            at_mark = Some(seen.link);
        }
        let doubt = doubt_path(dir);
        let pending = match fs::read_to_string(&doubt) {
            Ok(text) => Some(text.trim().to_owned()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            // Somebody was in doubt here, in whatever words.
            Err(e) => Some(format!("{} cannot be read: {e}", doubt.display())),
        };
        Ok(StateEvidence { store: copy(dir, probe), seen, mark, at_mark, pending })
    }

    /// The store's copy, where it is of a later frame than the journal has, or the journal has none.
    pub fn ahead(&self) -> Option<&Newest> {
        let StoreCopy::Newest(copy) = &self.store else { return None };
        let same = self.seen.run.is_some_and(|run| run.run == copy.run);
        (self.seen.frames == 0 || (same && copy.applied_seq > self.seen.last_seq)).then_some(copy)
    }

    /// Whether this folder held a run whose journal is not there any more; what says so.
    pub fn vanished(&self) -> Option<String> {
        if self.seen.frames > 0 {
            return None;
        }
        match (&self.mark, &self.store) {
            (mark, _) if mark.upto().is_some_and(|m| m.seq > 0) => {
                let seq = mark.upto().map_or(0, |m| m.seq);
                Some(format!("{seq} frames of it were acknowledged"))
            }
            (_, StoreCopy::Newest(copy)) => Some(format!("the store has seen frame {}", copy.applied_seq)),
            (MarkReading::Damaged | MarkReading::Half(_), _) => {
                Some("what was acknowledged cannot be read".to_owned())
            }
            (_, StoreCopy::Missing) => None,
            _ => Some("a store is here".to_owned()),
        }
    }

    /// What is in doubt, each in a sentence; nothing if the run can simply go on.
    pub fn doubts(&self) -> Vec<String> {
        let gone = self.vanished().map(|what| format!("the journal is gone, though {what}"));
        let ahead = self.ahead().filter(|_| gone.is_none()).map(|copy| {
            let (journal, store) = (self.seen.last_seq, copy.applied_seq);
            format!("the journal ends at frame {journal}, but the store has seen frame {store}")
        });
        let news = gone.into_iter().chain(self.doubt_by_mark()).chain(ahead);
        // A start that died on the way may have been in the same doubt.
        let pending = self.pending.as_deref().unwrap_or_default();
        let news: Vec<String> = news.filter(|doubt| !pending.contains(doubt.as_str())).collect();
        self.pending.iter().cloned().chain(news).collect()
    }

    fn doubt_by_mark(&self) -> Option<String> {
        let (last, frames) = (self.seen.last_seq, self.seen.frames);
        let upto = match self.mark {
            _ if frames == 0 => return None,
            MarkReading::Damaged => {
                return Some("how far the journal was acknowledged cannot be read".to_owned());
            }
            MarkReading::Missing if self.seen.first.is_some_and(|f| f.ver >= MARKED_SINCE) => {
                return Some("the mark of how far the journal was acknowledged is gone".to_owned());
            }
            MarkReading::Missing => {
                return self.seen.cut.as_ref().map(|_| {
                    "the end of the journal is torn, and no mark says whether anybody was told of it"
                        .to_owned()
                });
            }
            // A sector is written whole or not at all, so that this is no crash.
            MarkReading::Half(_) => {
                return Some("how far the journal was acknowledged last cannot be read".to_owned());
            }
            MarkReading::Upto(upto) => upto,
        };
        match () {
            () if self.seen.run.is_some_and(|run| run.run != upto.run) => {
                Some("the journal is of another run than the one that was acknowledged here".to_owned())
            }
            () if upto.seq > last => Some(format!(
                "frames {} to {} of the journal were acknowledged and cannot be read any more",
                last + 1,
                upto.seq
            )),
            () if upto.seq > 0 && self.at_mark != Some(upto.link) => {
                Some(format!("frame {} of the journal is not the one that was acknowledged", upto.seq))
            }
            () => None,
        }
    }
}

/// Keeps what is in doubt until it is journalled: a start that dies on the way is in doubt again.
pub fn keep_doubt(dir: &Path, text: &str) -> Result<(), JournalError> {
    let path = doubt_path(dir);
    let part = path.with_extension("part");
    let failed = |e| JournalError::Io { doing: "writing", path: path.clone(), reason: e };
    // Whatever lies there under this name was left by a start that died.
    let _ = fs::remove_file(&part);
    let written = fs::File::create_new(&part).and_then(|mut file| {
        io::Write::write_all(&mut file, text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&part, &path)).map_err(failed)?;
    fs::File::open(dir).and_then(|d| d.sync_all()).map_err(failed)
}

/// What was in doubt is in the journal.
pub fn settle_doubt(dir: &Path) -> Result<(), JournalError> {
    let path = doubt_path(dir);
    match fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(JournalError::Io { doing: "removing", path, reason: e })
        }
        _ => Ok(()),
    }
}

/// Reads the store from a copy of it.
fn copy(dir: &Path, probe: &Probe) -> StoreCopy {
    let (store, look) = (dir.join("sled"), dir.join(LOOK));
    // A store that is a link leads out of the folder.
    match fs::symlink_metadata(&store) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return StoreCopy::Missing,
        Err(e) => return StoreCopy::Unseen(e.to_string()),
        Ok(meta) if !meta.is_dir() => return StoreCopy::Unreadable("it is no folder".to_owned()),
        Ok(_) => {}
    }
    let room = rustix::fs::statvfs(dir).map_or(u64::MAX, |s| s.f_bavail.saturating_mul(s.f_frsize));
    if room < ROOM_MIN {
        return StoreCopy::Unseen(format!("the disk has {} KB left", room >> 10));
    }
    // A start that died may have left one.
    let _ = fs::remove_dir_all(&look);
    let read = match copy_folder(&store, &look) {
        Ok(()) => try_store(&look, probe),
        Err(e) => StoreCopy::Unseen(e.to_string()),
    };
    let _ = fs::remove_dir_all(&look);
    read
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let there = to.join(entry.file_name());
        match entry.file_type()? {
            kind if kind.is_dir() => copy_folder(&entry.path(), &there)?,
            kind if kind.is_file() => fs::copy(entry.path(), &there).map(|_| ())?,
            // sled makes no links, and what is none of its files is none of its state.
            _ => {}
        }
    }
    Ok(())
}

fn try_store(path: &Path, probe: &Probe) -> StoreCopy {
    let tried = match probe {
        Probe::Here => store::probe(path).map_err(|e| e.to_string()),
        Probe::Child(program) => probe_in_child(program, path),
    };
    let read = || StateStore::open(path)?.newest();
    match tried.and_then(|()| read().map_err(|e| e.to_string())) {
        Ok(Some(newest)) => StoreCopy::Newest(newest),
        Ok(None) => StoreCopy::Empty,
        Err(why) => StoreCopy::Unreadable(why),
    }
}

fn probe_in_child(program: &Path, path: &Path) -> Result<(), String> {
    let mut command = Command::new(program);
    command.arg("store-probe").arg(path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("it cannot be tried: {e}"))?;
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("a process that tried to read it ended with {status}")),
            Ok(None) if start.elapsed() < PROBE_MAX => std::thread::sleep(PROBE_LOOK),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err("a process that tried to read it did not come back".to_owned());
            }
        }
    }
}
