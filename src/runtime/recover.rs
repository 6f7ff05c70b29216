//! Opens a state folder (`journal/`, `sled/`, `lock`), puts the engine back where the newest good
//! checkpoint left it, and moves the feed there.
//!
//! # Invariants
//!
//! 1. The journal decides. The store is used only where it agrees with it to the byte; where it does not,
//!    it is set aside, written anew and this is said.
//! 2. A folder of another run, or whose journal is damaged or ends before what the store has seen, is
//!    refused and left as it is.
//! 3. A store is opened only after a child process opened and read it and came back.
//! 4. A kill at any moment of this leaves a folder that can be opened again.

use super::keep::{CheckpointGap, Cursor, JournaledCommand, KeepError, Keeper, VERSION, decode};
use super::lock::{Lock, LockError};
use super::stats::RunStats;
use crate::domain::Universe;
use crate::engine::Engine;
use crate::engine::state::{self, SnapshotError};
use crate::journal::{self, Journal, JournalError, RecordKind, Recovery, RunHeader};
use crate::market::feed::{Feed, FeedError, FeedInfo};
use crate::store::{self, Newest, StateStore};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// How long the child may take to read a store.
const PROBE_MAX: Duration = Duration::from_secs(10);
/// How often it is looked at.
const PROBE_LOOK: Duration = Duration::from_millis(2);

/// Whose state it is: everything that is set before a run, as far as it can change what is decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunIdentity {
    /// Name of the hive.
    pub hive: String,
    /// Hash of everything in the configuration that decides.
    pub roster_hash: String,
    /// Seed from which parameters and personalities are drawn.
    pub seed: u64,
    /// Name of the data.
    pub feed: String,
    /// Hash of what the market said.
    pub data_hash: String,
    /// The part of it that is read, the clock, and the instruments.
    pub window: String,
}

impl RunIdentity {
    /// Says whose state a run of this hive, roster, seed and market is.
    pub fn new(hive: &str, roster_hash: String, seed: u64, info: &FeedInfo, universe: &Universe) -> Self {
        let listed = blake3::hash(format!("{:?}", universe.instruments).as_bytes()).to_hex();
        RunIdentity {
            hive: hive.to_owned(),
            roster_hash,
            seed,
            feed: info.name.clone(),
            data_hash: info.data_hash.clone(),
            window: format!("{} → {} every {} on {}", info.from, info.to, info.clock, &listed[..16]),
        }
    }

    /// What differs, in words.
    fn differs(&self, other: &RunIdentity) -> String {
        let mut all = Vec::new();
        if self.seed != other.seed {
            all.push(format!("its seed is {}, not {}", other.seed, self.seed));
        }
        if self.hive != other.hive {
            all.push(format!("its hive is {}, not {}", other.hive, self.hive));
        }
        if self.roster_hash != other.roster_hash {
            all.push("its configuration is another".to_owned());
        }
        if self.feed != other.feed {
            all.push(format!("its market is {}, not {}", other.feed, self.feed));
        } else if self.data_hash != other.data_hash {
            all.push(format!("the data of {} changed", self.feed));
        }
        if self.window != other.window {
            all.push(format!("it reads {}, not {}", other.window, self.window));
        }
        all.join("; ")
    }
}

/// Why a state folder is refused.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// Another process runs on this state folder.
    #[error("{dir} is in use by process {pid}; stop it first, or name another folder with --state", dir = dir.display())]
    InUse {
        /// State folder that is in use.
        dir: PathBuf,
        /// Who holds it.
        pid: String,
    },
    /// Of another run.
    #[error(
        "{dir} holds the state of another run: {why}. Begin anew with --fresh (the old state is moved aside), or name another folder with --state",
        dir = dir.display()
    )]
    Foreign {
        /// State folder that belongs to another run.
        dir: PathBuf,
        /// What the two runs differ in, in words.
        why: String,
    },
    /// The journal lost acknowledged frames.
    #[error(
        "{dir}: the journal ends at frame {journal}, but the store has seen frame {store}: the end of the journal \
         is lost. Put it back from a copy, or move {dir}/sled away to go on from frame {journal}",
        dir = dir.display()
    )]
    Lost {
        /// State folder whose journal lost frames.
        dir: PathBuf,
        /// Last frame of the journal.
        journal: u64,
        /// What the store is a copy of.
        store: u64,
    },
    /// The journal has a command of another version.
    #[error(
        "{dir}: frame {seq} of the journal is a command that this version does not know; without it the run would \
         not be what it was. Use the version that wrote it, or start anew in another folder",
        dir = dir.display()
    )]
    Command {
        /// State folder whose journal cannot be read.
        dir: PathBuf,
        /// Number of the frame that cannot be read.
        seq: u64,
    },
    /// The feed is shorter than it was.
    #[error("{dir}: the market ends after {events} events, and the checkpoint was made later; the data changed", dir = dir.display())]
    Short {
        /// State folder whose checkpoint is ahead of the market.
        dir: PathBuf,
        /// Events of the feed.
        events: u64,
    },
    /// A file or folder of the state could not be read or written.
    #[error("{doing} {path}: {reason}; name a folder that can be written with --state", path = path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// File or folder that it was done to.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The journal refused to be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The market could not be opened or read on.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The journal's own payloads.
    #[error(transparent)]
    Keep(#[from] KeepError),
}

/// How a store is tried before it is opened.
#[derive(Clone, Debug)]
pub enum Probe {
    /// By this program in a process of its own: `PROGRAM store-probe DIR`.
    Child(PathBuf),
    /// Here; a panic is caught, an abort is not.
    Here,
}

/// Where a run goes on.
pub struct Resumed {
    /// Keeps it from here on.
    pub keeper: Keeper,
    /// What it had to tell.
    pub stats: RunStats,
    /// Events that were stepped before and are stepped again.
    pub again: u64,
    /// What the operator must know: which checkpoint, what was cut, what was set aside.
    pub news: Vec<String>,
}

/// Opens or begins the state of a run.
pub fn open(
    dir: &Path,
    identity: &RunIdentity,
    engine: &mut Engine,
    feed: &mut dyn Feed,
    probe: &Probe,
) -> Result<Resumed, RecoverError> {
    // Whose positions these are is nobody else's business.
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|reason| RecoverError::Io {
        doing: "making",
        path: dir.to_path_buf(),
        reason,
    })?;
    let lock = lock(dir)?;
    let payload = serde_json::to_vec(identity).unwrap_or_default();
    let run = header(&payload);
    let opened = Journal::open(&dir.join("journal"), run);
    let (mut journal, seen) = opened.map_err(|e| foreign(dir, identity, e))?;
    let mut news = Vec::new();
    if let Some(cut) = &seen.cut {
        let (bytes, file, offset) = (cut.bytes, cut.file.display(), cut.offset);
        news.push(format!("a torn end of {bytes} bytes was cut off {file} at byte {offset}"));
    }
    if seen.frames == 0 {
        journal.append(RecordKind::Config, VERSION, &payload)?;
        journal.commit()?;
    }
    let (store, copy) = open_store(dir, &journal, &seen, probe, &mut news)?;
    let found = restore(dir, engine, &journal, &seen, copy, &mut news)?;
    let reached = reached(&journal, &seen)?;
    let stats = found.as_ref().map(|f| f.stats.clone()).unwrap_or_default();
    let asked = seen.newest(RecordKind::Command as u16).next().is_some();
    let given = if asked { given(dir, found.as_ref().map_or(0, |f| f.seq))? } else { VecDeque::new() };
    let last = reached.iter().map(|r| r.events).chain(given.iter().map(|g| g.events)).max();
    let again = last.map_or(0, |last| last.saturating_sub(stats.events));
    if seen.frames == 0 {
        news.push(format!("a new run is kept in {}", dir.display()));
    } else {
        news.push(resumption(found.as_ref(), again));
    }
    for events in 0..stats.events {
        if feed.next()?.is_none() {
            return Err(RecoverError::Short { dir: dir.to_path_buf(), events });
        }
    }
    let keeper = Keeper {
        journal,
        store,
        data_hash: identity.data_hash.clone(),
        reached: reached.filter(|r| (r.events, r.commands) > (stats.events, stats.commands)),
        given,
        kept: found.as_ref().map(|f| (f.stats.events, f.stats.commands)),
        ended: seen.newest(RecordKind::End as u16).next().is_some(),
        part: CheckpointGap::of(stats.barriers),
        news: Vec::new(),
        _lock: lock,
    };
    Ok(Resumed { keeper, stats, again, news })
}

fn lock(dir: &Path) -> Result<Lock, RecoverError> {
    let path = dir.join("lock");
    Lock::take(&path).map_err(|e| match e {
        LockError::Held(pid) => RecoverError::InUse {
            dir: dir.to_path_buf(),
            pid: pid.map_or_else(|| "(unknown)".to_owned(), |p| p.to_string()),
        },
        LockError::Io(reason) => RecoverError::Io { doing: "locking", path, reason },
    })
}

fn header(identity: &[u8]) -> RunHeader {
    // Unique, not secret.
    let unique = format!("{:?} {}", SystemTime::now(), std::process::id());
    let mut run = [0; 16];
    run.copy_from_slice(&blake3::hash(unique.as_bytes()).as_bytes()[..16]);
    let build =
        format!("{} {} snapshot {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), state::VERSION);
    RunHeader {
        run,
        build: *blake3::hash(build.as_bytes()).as_bytes(),
        config: *blake3::hash(identity).as_bytes(),
    }
}

fn foreign(dir: &Path, identity: &RunIdentity, error: JournalError) -> RecoverError {
    let JournalError::Foreign { first, .. } = &error else { return error.into() };
    let why = match serde_json::from_slice::<RunIdentity>(first) {
        Ok(other) => identity.differs(&other),
        Err(_) => "it does not say whose".to_owned(),
    };
    RecoverError::Foreign { dir: dir.to_path_buf(), why }
}

/// The store, and its copy of a checkpoint if that is the journal's newest. A folder in doubt is set
/// aside; without any store the run goes on.
fn open_store(
    dir: &Path,
    journal: &Journal,
    seen: &Recovery,
    probe: &Probe,
    news: &mut Vec<String>,
) -> Result<(Option<StateStore>, Option<Newest>), RecoverError> {
    let path = dir.join("sled");
    let mut doubt = None;
    if path.exists() {
        match try_store(&path, probe) {
            Ok((store, copy)) => match agrees(journal, seen, copy.as_ref()) {
                Ok(true) => return Ok((Some(store), copy)),
                Ok(false) => return Ok((Some(store), None)),
                Err(Doubt::Ahead(store)) => {
                    let journal = seen.last_seq;
                    return Err(RecoverError::Lost { dir: dir.to_path_buf(), journal, store });
                }
                Err(Doubt::Other(why)) => doubt = Some(why.to_owned()),
            },
            Err(why) => doubt = Some(why),
        }
    }
    if let Some(why) = doubt {
        match store::set_aside(&path) {
            Ok(aside) => news.push(format!(
                "the store is in doubt ({why}); it was moved to {} and is written anew from the journal",
                aside.display()
            )),
            Err(e) => {
                news.push(format!(
                    "the store is in doubt ({why}) and cannot be moved ({e}); going on without"
                ));
                return Ok((None, None));
            }
        }
    }
    match StateStore::open(&path) {
        Ok(store) => Ok((Some(store), None)),
        Err(e) => {
            news.push(format!("{e}; going on without a store, the journal has all of it"));
            Ok((None, None))
        }
    }
}

enum Doubt {
    Ahead(u64),
    Other(&'static str),
}

/// Whether the copy is the newest checkpoint (true), or may be behind it by the one that a kill kept
/// from it (false).
fn agrees(journal: &Journal, seen: &Recovery, copy: Option<&Newest>) -> Result<bool, Doubt> {
    let checkpoints: Vec<_> = seen.newest(RecordKind::Checkpoint as u16).take(2).collect();
    let Some(copy) = copy else {
        let lost = checkpoints.len() > 1;
        return if lost { Err(Doubt::Other("it is empty and should not be")) } else { Ok(false) };
    };
    if copy.run != journal.run().run {
        return Err(Doubt::Other("it is of another run"));
    }
    if copy.applied_seq > seen.last_seq {
        return Err(Doubt::Ahead(copy.applied_seq));
    }
    let at = checkpoints.iter().position(|c| c.seq == copy.applied_seq && c.link == copy.link);
    at.map(|at| at == 0).ok_or(Doubt::Other("it is not a copy of one of the last two checkpoints"))
}

fn try_store(path: &Path, probe: &Probe) -> Result<(StateStore, Option<Newest>), String> {
    match probe {
        Probe::Here => store::probe(path).map_err(|e| e.to_string())?,
        Probe::Child(program) => probe_in_child(program, path)?,
    }
    let store = StateStore::open(path).map_err(|e| e.to_string())?;
    let copy = store.newest().map_err(|e| e.to_string())?;
    Ok((store, copy))
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

struct RecoveredState {
    seq: u64,
    from: &'static str,
    cursor: Cursor,
    stats: RunStats,
}

/// Tries the checkpoints from the newest on; the store's copy stands for the newest.
fn restore(
    dir: &Path,
    engine: &mut Engine,
    journal: &Journal,
    seen: &Recovery,
    mut copy: Option<Newest>,
    news: &mut Vec<String>,
) -> Result<Option<RecoveredState>, RecoverError> {
    for frame in seen.newest(RecordKind::Checkpoint as u16) {
        let (from, bytes) = match copy.take() {
            Some(copy) => ("sled", copy.state),
            None => ("the journal", journal.read(frame)?),
        };
        let decoded = if frame.ver == VERSION { decode(&bytes) } else { None };
        let Some((cursor, stats, snapshot)) = decoded else {
            news.push(format!(
                "checkpoint {} has a layout that is not known here; trying an older one",
                frame.seq
            ));
            continue;
        };
        match engine.restore(snapshot) {
            Ok(()) => return Ok(Some(RecoveredState { seq: frame.seq, from, cursor, stats })),
            Err(SnapshotError::Foreign) => {
                let why = "its settings are others".to_owned();
                return Err(RecoverError::Foreign { dir: dir.to_path_buf(), why });
            }
            Err(e) => news.push(format!("checkpoint {}: {e}", frame.seq)),
        }
    }
    Ok(None)
}

/// Where the run was when it died: its last cursor, or its last checkpoint if that is later.
fn reached(journal: &Journal, seen: &Recovery) -> Result<Option<Cursor>, RecoverError> {
    let cursor = seen.newest(RecordKind::Cursor as u16).next().map(|p| journal.read(p)).transpose()?;
    let cursor = cursor.and_then(|bytes| postcard::from_bytes::<Cursor>(&bytes).ok());
    let checkpoint =
        seen.newest(RecordKind::Checkpoint as u16).next().map(|p| journal.read(p)).transpose()?;
    let checkpoint = checkpoint.as_deref().and_then(decode).map(|(cursor, ..)| cursor);
    Ok(cursor.into_iter().chain(checkpoint).max_by_key(|c| (c.events, c.commands)))
}

/// The commands that came after a frame, in the order in which they acted. Those for the process are over.
fn given(dir: &Path, after: u64) -> Result<VecDeque<JournaledCommand>, RecoverError> {
    let (mut all, mut unknown) = (Vec::new(), None);
    journal::scan(&dir.join("journal"), |frame| {
        if frame.kind == RecordKind::Command as u16 && frame.seq > after {
            match serde_json::from_slice::<JournaledCommand>(frame.payload) {
                Ok(given) => all.extend(given.command.is_some().then_some(given)),
                Err(_) => unknown = unknown.or(Some(frame.seq)),
            }
        }
        Ok(())
    })?;
    if let Some(seq) = unknown {
        return Err(RecoverError::Command { dir: dir.to_path_buf(), seq });
    }
    // A run that was resumed from an older checkpoint gave none before it had caught up: order of frames
    // is order of acting, and this only says so.
    all.sort_by_key(|g| g.events);
    Ok(all.into())
}

fn resumption(found: Option<&RecoveredState>, again: u64) -> String {
    let stepped = format!("{again} events are stepped again");
    let Some(RecoveredState { seq, from, cursor, .. }) = found else {
        return format!("resumed from the start: there is no checkpoint yet; {stepped}");
    };
    let at = cursor.at.map(|s| s.to_string()).unwrap_or_default();
    format!("resumed from checkpoint {seq} in {from}, at {at} after {} events; {stepped}", cursor.events)
}
