//! Opens a state folder (`journal/`, `acknowledged`, `sled/`, `lock`), puts the engine back where the newest good
//! checkpoint left it, and moves the feed there.
//!
//! ```text
//! evidence: look ─► refuse, or ─► restore ─► doubt? kept ─► cut ─► kill journalled ─► mark ─► doubt forgotten
//!           nothing is changed             a start that dies anywhere here is in doubt again
//! ```
//!
//! # Invariants
//!
//! 1. The journal decides. The store is used only where it agrees with it to the byte, or where the journal lost what
//!    it has; where it disagrees, it is set aside, written anew and this is said.
//! 2. A folder of another run, or whose journal is damaged, is refused and left as it is.
//! 3. What was acknowledged and is not there any more, and whatever cannot be told from that, comes up halted: a kill
//!    with the reason is journalled before anything that is new, so that a replay halts where the run did.
//! 4. A kill at any moment of this leaves a folder that can be opened again, and is as much in doubt as before.

use super::disk_room::DiskRoom;
use super::evidence::{self, MARKED_SINCE, StateEvidence, StoreCopy};
use super::keep::{
    CheckpointGap, Cursor, JournaledCommand, KeepError, Keeper, KeptState, VERSION, WallGap, advance, decode,
};
use super::lock::{Lock, LockError};
use super::retention::Retention;
use super::stats::{IN_DOUBT, RunStats};
use crate::domain::{Command, Stamp, Universe};
use crate::engine::Engine;
use crate::engine::state::{self, SnapshotError};
use crate::journal::{
    self, Acknowledged, Journal, JournalError, MarkFile, MarkReading, RecordKind, Recovery, RunHeader,
};
use crate::market::feed::{Feed, FeedError, FeedInfo, FeedMode, FeedPosition};
use crate::store::{self, Newest, StateStore};
use crate::talk::{NameTable, TalkHead, TalkLog, tail_of};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

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
            // A market that goes on has no end yet.
            window: match info.mode {
                FeedMode::Live => format!("{} and on every {} on {}", info.from, info.clock, &listed[..16]),
                _ => format!("{} → {} every {} on {}", info.from, info.to, info.clock, &listed[..16]),
            },
        }
    }

    /// The head of a log of what such a run says.
    pub fn talk_head(&self, engine: &Engine) -> TalkHead {
        let Self { hive, roster_hash, seed, feed, data_hash, window } = self;
        let seed = seed.to_string();
        let all = [
            ("hive", hive),
            ("roster_hash", roster_hash),
            ("seed", &seed),
            ("feed", feed),
            ("data_hash", data_hash),
            ("window", window),
        ];
        let run = all.map(|(name, value)| (name.to_owned(), value.clone())).to_vec();
        TalkHead { run, names: NameTable::of(engine) }
    }

    /// What differs in another one, in words.
    pub fn differs(&self, other: &RunIdentity) -> String {
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

/// Why a state is not of use here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherLayout {
    /// Layout of its newest checkpoint, as a word of names of files: `layout-20`.
    pub found: String,
    /// What else is in doubt about it.
    pub doubt: Option<String>,
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
    /// Others may look into it, or change it.
    #[error(
        "{dir}: the state folder {what}; others could read or change what is kept: give it a folder of its own with --state, \
         or chmod 700 yours",
        dir = dir.display()
    )]
    Open {
        /// State folder that others may enter.
        dir: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// There was a journal, and nothing that could stand for it is left.
    #[error(
        "{dir}: the journal {dir}/journal is gone, though {what}, and {why}; nothing was changed. Put it back from a \
         backup (hive restore), or begin anew with --fresh (what is left is moved aside)",
        dir = dir.display()
    )]
    Gone {
        /// State folder whose journal is gone.
        dir: PathBuf,
        /// What says that there was one.
        what: String,
        /// Why nothing else can stand for it.
        why: String,
    },
    /// The journal is not whole, so that nothing can be proven by it.
    #[error(
        "{dir}: its journal is not whole: {why}. Nothing can be proven by it; name a folder that was given to --state, put the \
         journal back from a backup (hive restore), or start the run once, which cuts a torn end off",
        dir = dir.display()
    )]
    Torn {
        /// State folder whose journal it is.
        dir: PathBuf,
        /// What is missing, in words.
        why: String,
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
    /// Kept by a program with another layout.
    #[error("{dir}: it was kept in {found}, and this program has layout {known}", dir = dir.display(), found = layout.found, known = state::VERSION)]
    Layout {
        /// State folder that has to be lived through again.
        dir: PathBuf,
        /// What it was kept in.
        layout: OtherLayout,
    },
    /// The feed is shorter than it was.
    #[error("{dir}: the market ends before the {events} events after which the checkpoint was made; the data changed", dir = dir.display())]
    Short {
        /// State folder whose checkpoint is ahead of the market.
        dir: PathBuf,
        /// Events of the checkpoint.
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

/// How a state is opened.
#[derive(Clone, Debug)]
pub struct ResumeOptions {
    /// How its store is tried.
    pub probe: Probe,
    /// The run is lived through again from its first event, with the commands of its journal: what it decided and said is
    /// compared on the way, and what is not in its talk log is written.
    pub replays: bool,
    /// Bytes that the journal may have; none: as many as it gets.
    pub budget: Option<u64>,
}

impl From<Probe> for ResumeOptions {
    fn from(probe: Probe) -> Self {
        ResumeOptions { probe, replays: false, budget: None }
    }
}

/// Reads the journal of a folder that holds this run, and changes nothing. Refused is what is of another run, and what is not
/// whole to the last byte.
pub fn whole(dir: &Path, identity: &RunIdentity) -> Result<Recovery, RecoverError> {
    let folder = dir.join("journal");
    let payload = serde_json::to_vec(identity).unwrap_or_default();
    // First: of a run that goes on the journal is never behind it then.
    let mark = MarkFile::read(&evidence::mark_path(dir))?;
    let seen = journal::look(&folder, &header(&payload), None, |_| Ok(()))
        .map_err(|e| foreign(dir, identity, e.into()))?;
    let torn = |why: String| RecoverError::Torn { dir: dir.to_path_buf(), why };
    if seen.frames == 0 {
        return Err(torn("there is none".to_owned()));
    }
    if let Some(cut) = &seen.cut {
        return Err(torn(format!(
            "{} ends in the middle of a frame at byte {}",
            cut.file.display(),
            cut.offset
        )));
    }
    match mark {
        MarkReading::Damaged | MarkReading::Half(_) => {
            Err(torn("how far it was acknowledged cannot be read".to_owned()))
        }
        MarkReading::Upto(upto) if upto.seq > seen.last_seq => {
            Err(torn(format!("frames {} to {} were acknowledged and are gone", seen.last_seq + 1, upto.seq)))
        }
        MarkReading::Upto(_) | MarkReading::Missing => Ok(seen),
    }
}

/// Where a run goes on.
pub struct Resumed {
    /// Keeps it from here on.
    pub keeper: Keeper,
    /// What it had to tell.
    pub stats: RunStats,
    /// Keeps what it says; none where that cannot be written.
    pub talk: Option<TalkLog>,
    /// Events that were stepped before and are stepped again.
    pub again: u64,
    /// What the operator must know: which checkpoint, what was cut, what was set aside.
    pub news: Vec<String>,
}

/// Opens or begins the state of a run. What is refused is refused before anything is changed; what is in doubt is
/// journalled with a kill, and comes up halted.
pub fn open(
    dir: &Path,
    identity: &RunIdentity,
    engine: &mut Engine,
    feed: &mut dyn Feed,
    how: &ResumeOptions,
) -> Result<Resumed, RecoverError> {
    let mut news = Vec::new();
    private_folder(dir, &mut news)?;
    let lock = lock(dir)?;
    let payload = serde_json::to_vec(identity).unwrap_or_default();
    let run = header(&payload);
    let evidence = StateEvidence::gather(dir, &run, &how.probe).map_err(|e| foreign(dir, identity, e))?;
    // What only the store has cannot be lived through again.
    let replays = how.replays && evidence.ahead().is_none() && evidence.vanished().is_none();
    let found = if replays { None } else { restore(dir, identity, engine, &evidence, &mut news)? };
    let seen = &evidence.seen;
    let asked = seen.newest(RecordKind::Command as u16).next().is_some();
    let place = found.as_ref().map(|f| (f.seq, f.stats.events));
    let mut resumption = Resumption {
        given: if asked { given(dir, &evidence, place)? } else { VecDeque::new() },
        reached: reached(dir, seen)?,
        doubt: None,
        found,
    };
    let stats = resumption.found.as_ref().map(|f| f.stats.clone()).unwrap_or_default();
    let position = resumption.found.as_ref().and_then(|f| f.position.as_ref());
    if !advance(feed, stats.events, position)? {
        return Err(RecoverError::Short { dir: dir.to_path_buf(), events: stats.events });
    }
    resumption.doubt = resumption.in_doubt(&evidence, feed.info().from);
    let begun = begin(dir, run, &payload, &evidence, &mut resumption, &mut news)?;
    let again = resumption.again(stats.events);
    if seen.frames == 0 && resumption.found.is_none() {
        news.push(format!("a new run is kept in {}", dir.display()));
    } else if replays {
        news.push(format!("it lives through its past again from the start: {again} events"));
    } else {
        news.push(resumption.told(again));
    }
    let talk = open_talk(dir, identity, engine, &mut news);
    let Resumption { found, reached, given, doubt } = resumption;
    // Last, so that nobody overlooks it.
    news.extend(doubt.and_then(|kill| kill.why).map(|why| halted(dir, &why)));
    let (mut journal, retention) = (begun.journal, Retention::new(dir, how.budget));
    journal.limit_segments(retention.segment_bytes());
    let keeper = Keeper {
        journal,
        mark: begun.mark,
        store: begun.store,
        data_hash: identity.data_hash.clone(),
        reached: reached.filter(|r| (r.events, r.commands) > (stats.events, stats.commands)),
        given,
        kept: found.as_ref().map(|f| (f.stats.events, f.stats.commands)),
        ended: seen.newest(RecordKind::End as u16).next().is_some(),
        part: CheckpointGap::of_barriers(stats.barriers),
        part_of_events: CheckpointGap::of_events(stats.events),
        part_of_wall: WallGap::default(),
        news: Vec::new(),
        retention,
        room: DiskRoom::new(dir),
        too_large: false,
        replays,
        _lock: lock,
    };
    Ok(Resumed { keeper, stats, talk, again, news })
}

/// What is said of a run that doubt halts.
fn halted(dir: &Path, why: &str) -> String {
    format!(
        "{why}. It comes up halted, only reductions pass: put the journal back from a backup (hive restore), or see what is held \
         (hive ctl status; hive journal export {}) and release it with hive ctl reset",
        dir.display()
    )
}

/// From where, and through what, a run comes to where it was.
struct Resumption {
    found: Option<RecoveredState>,
    reached: Option<Cursor>,
    given: VecDeque<JournaledCommand>,
    /// The kill that doubt throws.
    doubt: Option<JournaledCommand>,
}

impl Resumption {
    /// The kill that what is in doubt throws, where the run was when it died: before anything that is new.
    fn in_doubt(&self, evidence: &StateEvidence, begin: Stamp) -> Option<JournaledCommand> {
        let doubts = evidence.doubts();
        if doubts.is_empty() {
            return None;
        }
        let cursors = self.reached.iter().chain(self.found.iter().map(|f| &f.cursor));
        let places = cursors.filter_map(|c| Some((c.events, c.at?)));
        let places = places.chain(self.given.iter().map(|g| (g.events, g.at)));
        let (events, at) = places.max().unwrap_or((0, begin));
        let why = format!("{IN_DOUBT}{}", doubts.join("; "));
        let (uid, pid) = (rustix::process::geteuid().as_raw(), std::process::id() as i32);
        Some(JournaledCommand { events, at, command: Some(Command::Kill), uid, pid, why: Some(why) })
    }

    /// Events that are stepped again.
    fn again(&self, done: u64) -> u64 {
        let last = self.reached.iter().map(|r| r.events).chain(self.given.iter().map(|g| g.events)).max();
        last.map_or(0, |last| last.saturating_sub(done))
    }

    fn told(&self, again: u64) -> String {
        let stepped = format!("{again} events are stepped again");
        let Some(RecoveredState { seq, from, cursor, .. }) = &self.found else {
            return format!("resumed from the start: there is no checkpoint yet; {stepped}");
        };
        let at = cursor.at.map(|s| s.to_string()).unwrap_or_default();
        format!("resumed from checkpoint {seq} in {from}, at {at} after {} events; {stepped}", cursor.events)
    }
}

/// What is written while a run goes on.
struct Begun {
    journal: Journal,
    mark: MarkFile,
    store: Option<StateStore>,
}

/// Everything of a start that changes the folder, in an order in which it may die anywhere: doubt is on disk before what
/// gave rise to it is touched, and forgotten once it is journalled.
fn begin(
    dir: &Path,
    run: RunHeader,
    identity: &[u8],
    evidence: &StateEvidence,
    resumption: &mut Resumption,
    news: &mut Vec<String>,
) -> Result<Begun, RecoverError> {
    let seen = &evidence.seen;
    let folder = dir.join("journal");
    if resumption.doubt.is_some() {
        evidence::keep_doubt(dir, &evidence.doubts().join("; "))?;
        leave_talk(dir, news);
    }
    let name = seen.run.map_or(run.run, |found| found.run);
    let upto = |(seq, link)| Acknowledged { run: name, config: run.config, seq, link };
    let mut mark = None;
    if seen.run.is_none() && resumption.doubt.is_none() {
        // Before the journal, so that one without a mark has lost it.
        mark = Some(MarkFile::open(&evidence::mark_path(dir), upto(Default::default()))?);
    }
    let (mut journal, kept) = Journal::resume(&folder, run, seen)?;
    if let (Some(cut), Some(kept)) = (&seen.cut, kept) {
        let (bytes, file, offset, kept) = (cut.bytes, cut.file.display(), cut.offset, kept.display());
        news.push(format!(
            "a torn end of {bytes} bytes was cut off {file} at byte {offset}; it is kept in {kept}"
        ));
    }
    if seen.frames == 0 {
        journal.append(RecordKind::Config, MARKED_SINCE, identity)?;
    }
    let mut ahead = None;
    if let (Some(copy), Some(found)) = (evidence.ahead(), &mut resumption.found)
        && found.from == FROM_AHEAD
    {
        found.seq = journal.append(RecordKind::Checkpoint, VERSION, &copy.state)?;
        let (applied_seq, link) = journal.head();
        ahead = Some(Newest { run: journal.run().run, applied_seq, link, state: copy.state.clone() });
    }
    if let Some(kill) = &resumption.doubt {
        let text = serde_json::to_vec(kill).map_err(KeepError::Command)?;
        journal.append(RecordKind::Command, VERSION, &text)?;
        resumption.given.push_back(kill.clone());
    }
    if mark.is_none() && evidence.mark == MarkReading::Missing && resumption.doubt.is_none() {
        news.push("how far the journal is acknowledged is kept from now on".to_owned());
    }
    journal.commit()?;
    let mark = match mark {
        Some(mut mark) => mark.put(upto(journal.head())).map(|()| mark)?,
        None => MarkFile::open(&evidence::mark_path(dir), upto(journal.head()))?,
    };
    evidence::settle_doubt(dir)?;
    let store = open_store(dir, &journal, evidence, ahead, news);
    Ok(Begun { journal, mark, store })
}

/// Makes the folder, or closes one that is there to others: whose positions these are is nobody else's business. One that
/// holds other things than a state is not ours to close.
pub fn private_folder(dir: &Path, news: &mut Vec<String>) -> Result<(), RecoverError> {
    let io = |doing, reason| RecoverError::Io { doing, path: dir.to_path_buf(), reason };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| io("making", e))?;
    let meta = std::fs::metadata(dir).map_err(|e| io("looking at", e))?;
    let (owner, mode) = (meta.uid(), meta.mode() & 0o777);
    let open = |what| RecoverError::Open { dir: dir.to_path_buf(), what };
    if owner != rustix::process::geteuid().as_raw() {
        return Err(open(format!("belongs to uid {owner}")));
    }
    let others = mode & 0o077;
    if others == 0 {
        return Ok(());
    }
    let mut names = std::fs::read_dir(dir).map_err(|e| io("listing", e))?;
    let is_state = dir.join("journal").is_dir() || dir.join("lock").is_file() || names.next().is_none();
    if !is_state {
        return Err(open(format!("has mode {mode:o}, and holds other things")));
    }
    std::fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(|e| io("closing", e))?;
    news.push(format!("{} was open to others (mode {mode:o}); it is closed now (700)", dir.display()));
    Ok(())
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

fn foreign(dir: &Path, identity: &RunIdentity, error: RecoverError) -> RecoverError {
    let RecoverError::Journal(JournalError::Foreign { first, .. }) = &error else { return error };
    let why = match serde_json::from_slice::<RunIdentity>(first) {
        Ok(other) => identity.differs(&other),
        Err(_) => "it does not say whose".to_owned(),
    };
    RecoverError::Foreign { dir: dir.to_path_buf(), why }
}

/// Opens the store. A folder in doubt is set aside, one that was ahead of the journal gets what the journal now has;
/// without any store the run goes on.
fn open_store(
    dir: &Path,
    journal: &Journal,
    evidence: &StateEvidence,
    ahead: Option<Newest>,
    news: &mut Vec<String>,
) -> Option<StateStore> {
    let path = dir.join("sled");
    let doubt = match &evidence.store {
        StoreCopy::Unseen(why) => {
            news.push(format!(
                "the store is left alone ({why}); going on without, the journal has all of it"
            ));
            return None;
        }
        StoreCopy::Unreadable(why) => Some(why.clone()),
        _ if ahead.is_some() => None,
        StoreCopy::Missing => None,
        StoreCopy::Empty => agrees(&evidence.seen, None).err().map(str::to_owned),
        StoreCopy::Newest(copy) => agrees(&evidence.seen, Some(copy)).err().map(str::to_owned),
    };
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
                return None;
            }
        }
    }
    let opened = StateStore::open(&path).and_then(|store| {
        // Else it would be ahead of the journal at the next start again.
        ahead.map_or(Ok(()), |newest| store.put(&newest)).map(|()| store)
    });
    opened
        .inspect_err(|e| {
            let frames = journal.head().0;
            news.push(format!("{e}; going on without a store, the journal has all of it ({frames} frames)"));
        })
        .ok()
}

/// Leaves beside what a run said before it was in doubt: it may have said more than what is known of it, and who is halted says
/// other things from there on. What is not moved is compared, as ever.
fn leave_talk(dir: &Path, news: &mut Vec<String>) {
    let talk = dir.join("talk");
    let free = (1..=u32::MAX).map(|n| dir.join(format!("talk.in-doubt-{n}"))).find(|path| !path.exists());
    let Some(aside) = free.filter(|_| talk.exists()) else { return };
    let moved = std::fs::rename(tail_of(&talk), tail_of(&aside)).or_else(|e| {
        // A log that ended with its last block has nothing beside it.
        if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) }
    });
    match moved.and_then(|()| std::fs::rename(&talk, &aside)) {
        Ok(()) => news.push(format!("what it said before is left in {}", aside.display())),
        Err(e) => news.push(format!("{} could not be left beside: {e}", talk.display())),
    }
}

/// Opens the log of what is said behind the last message that was. A run goes on without one, since it can be written
/// again.
fn open_talk(dir: &Path, identity: &RunIdentity, engine: &Engine, news: &mut Vec<String>) -> Option<TalkLog> {
    let head = identity.talk_head(engine);
    let opened = TalkLog::open(&dir.join("talk"), &head, engine.respond.bus.delivered());
    opened.inspect_err(|e| news.push(format!("{e}; going on without a log of what is said"))).ok()
}

/// Whether the copy is the newest checkpoint (true), or may be behind it by the one that a kill kept
/// from it (false).
fn agrees(seen: &Recovery, copy: Option<&Newest>) -> Result<bool, &'static str> {
    let checkpoints: Vec<_> = seen.newest(RecordKind::Checkpoint as u16).take(2).collect();
    let Some(copy) = copy else {
        let lost = checkpoints.len() > 1;
        return if lost { Err("it is empty and should not be") } else { Ok(false) };
    };
    if seen.run.is_some_and(|run| run.run != copy.run) {
        return Err("it is of another run");
    }
    let at = checkpoints.iter().position(|c| c.seq == copy.applied_seq && c.link == copy.link);
    at.map(|at| at == 0).ok_or("it is not a copy of one of the last two checkpoints")
}

/// Where a state came from that the journal does not have.
const FROM_AHEAD: &str = "sled, which is ahead of the journal";

struct RecoveredState {
    seq: u64,
    from: &'static str,
    cursor: Cursor,
    stats: RunStats,
    position: Option<FeedPosition>,
}

impl RecoveredState {
    fn of(seq: u64, from: &'static str, kept: KeptState<'_>) -> Self {
        let KeptState { cursor, stats, position, .. } = kept;
        RecoveredState { seq, from, cursor, stats, position }
    }
}

/// Tries the checkpoints from the newest on; the store's copy stands for the newest, or, where the journal has lost it,
/// for itself.
fn restore(
    dir: &Path,
    identity: &RunIdentity,
    engine: &mut Engine,
    evidence: &StateEvidence,
    news: &mut Vec<String>,
) -> Result<Option<RecoveredState>, RecoverError> {
    let seen = &evidence.seen;
    let settings =
        || RecoverError::Foreign { dir: dir.to_path_buf(), why: "its settings are others".to_owned() };
    if let Some(copy) = evidence.ahead() {
        match decode(&copy.state) {
            Some(kept) if kept.cursor.data_hash != identity.data_hash => return Err(settings()),
            Some(kept) => match engine.restore(kept.snapshot) {
                Ok(()) => return Ok(Some(RecoveredState::of(copy.applied_seq, FROM_AHEAD, kept))),
                Err(SnapshotError::Foreign) => return Err(settings()),
                Err(e) => news.push(format!("the store's checkpoint {}: {e}", copy.applied_seq)),
            },
            None => news.push("the store's checkpoint has a layout that is not known here".to_owned()),
        }
    }
    if let Some(what) = evidence.vanished() {
        let why = match &evidence.store {
            StoreCopy::Missing => "there is no store to go on from".to_owned(),
            StoreCopy::Empty => "the store is empty".to_owned(),
            StoreCopy::Unreadable(why) | StoreCopy::Unseen(why) => {
                format!("the store cannot be read ({why})")
            }
            StoreCopy::Newest(_) => news.join("; "),
        };
        return Err(RecoverError::Gone { dir: dir.to_path_buf(), what, why });
    }
    let fits = |c: &&Newest| agrees(seen, Some(c)) == Ok(true);
    let mut copy = if let StoreCopy::Newest(copy) = &evidence.store { Some(copy).filter(fits) } else { None };
    let mut other = None;
    for frame in seen.newest(RecordKind::Checkpoint as u16) {
        let (from, bytes) = match copy.take() {
            Some(copy) => ("sled", copy.state.clone()),
            None => ("the journal", journal::read_frame(&dir.join("journal"), frame)?),
        };
        let decoded = if frame.ver == VERSION { decode(&bytes) } else { None };
        let Some(kept) = decoded else {
            other.get_or_insert(format!("payload-{}", frame.ver));
            news.push(format!(
                "checkpoint {} has a layout that is not known here; trying an older one",
                frame.seq
            ));
            continue;
        };
        match engine.restore(kept.snapshot) {
            Ok(()) => return Ok(Some(RecoveredState::of(frame.seq, from, kept))),
            Err(SnapshotError::Foreign) => return Err(settings()),
            Err(e) => {
                if let SnapshotError::Version { found } = e {
                    other.get_or_insert(format!("layout-{found}"));
                }
                news.push(format!("checkpoint {}: {e}", frame.seq));
            }
        }
    }
    let doubts = evidence.doubts();
    let doubt = (!doubts.is_empty()).then(|| doubts.join("; "));
    let layout =
        |found| RecoverError::Layout { dir: dir.to_path_buf(), layout: OtherLayout { found, doubt } };
    other.map_or(Ok(None), |found| Err(layout(found)))
}

/// Where the run was when it died: its last cursor, or its last checkpoint if that is later.
fn reached(dir: &Path, seen: &Recovery) -> Result<Option<Cursor>, RecoverError> {
    let newest = |kind: RecordKind| {
        let frame = seen.newest(kind as u16).find(|frame| frame.ver == VERSION);
        frame.map(|frame| journal::read_frame(&dir.join("journal"), frame)).transpose()
    };
    let cursor = newest(RecordKind::Cursor)?.and_then(|bytes| postcard::from_bytes::<Cursor>(&bytes).ok());
    let checkpoint = newest(RecordKind::Checkpoint)?.as_deref().and_then(decode).map(|kept| kept.cursor);
    Ok(cursor.into_iter().chain(checkpoint).max_by_key(|c| (c.events, c.commands)))
}

/// The commands that came after a checkpoint, in the order in which they acted. Those for the process are over.
fn given(
    dir: &Path,
    evidence: &StateEvidence,
    checkpoint: Option<(u64, u64)>,
) -> Result<VecDeque<JournaledCommand>, RecoverError> {
    let (mut all, mut unknown) = (Vec::new(), None);
    evidence.frames(dir, |frame| {
        if frame.kind == RecordKind::Command as u16 {
            match serde_json::from_slice::<JournaledCommand>(frame.payload) {
                Ok(given) if given.is_in(frame.seq, checkpoint) => {}
                Ok(given) => all.extend(given.command.is_some().then_some(given)),
                Err(_) if checkpoint.is_some_and(|(seq, _)| frame.seq < seq) => {}
                Err(_) => unknown = unknown.or(Some(frame.seq)),
            }
        }
    })?;
    if let Some(seq) = unknown {
        return Err(RecoverError::Command { dir: dir.to_path_buf(), seq });
    }
    // A run that was resumed from an older checkpoint gave none before it had caught up: order of frames
    // is order of acting, and this only says so.
    all.sort_by_key(|g| g.events);
    Ok(all.into())
}
