//! Keeps a run: what is set before it, how far it read, and from time to time all of its state, in the
//! journal first and then in the store.
//!
//! # Invariants
//!
//! 1. A checkpoint is on disk in the journal before the store has it.
//! 2. Cursors and checkpoints are made at barriers and events counted from the start of the feed, so a run that was
//!    resumed keeps the same ones as a run that was not. Beside them the first barrier makes one once [`WALL_MAX`] have gone
//!    by without: what is decided never hangs on it.
//! 3. A run that is stepped again decides what it decided the first time, or it ends.
//! 4. A command is on disk with the uid and pid of who gave it before it acts, and beside the journal it is marked as
//!    acknowledged; a resumed run is given it again after the same event.
//! 5. A store that fails is let go and said; the run goes on. A journal that fails ends the run.

use super::disk_room::{DiskRoom, RoomChange};
use super::lock::Lock;
use super::retention::Retention;
use super::stats::RunStats;
use crate::domain::{Command, Digest, Stamp};
use crate::engine::Engine;
use crate::engine::state::SnapshotError;
use crate::journal::{Acknowledged, Journal, JournalError, MarkFile, RecordKind};
use crate::market::feed::{Feed, FeedError, FeedPosition};
use crate::store::{Newest, StateStore};
use crate::talk::{TalkError, TalkOnDisk};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Version of the payloads that are written here.
pub const VERSION: u16 = 2;
/// A checkpoint comes when a run has grown by one part in this many, so that a restart steps at most 3 % of
/// it again, and a run without an end needs few.
const PARTS: u64 = 32;
/// Barriers between two checkpoints at least: a checkpoint costs as much as a few dozen.
const PART_BARRIERS_MIN: u64 = 64;
/// The same by events, of which a market that is told in detail has many thousands between two barriers: a restart steps at most
/// 1 % of such a run again, and a hundred times this many events need a hundred checkpoints, whatever comes after a few hundred.
const EVENT_PARTS: u64 = 128;
/// Events between two checkpoints at least: a checkpoint costs as much as a few thousand.
const PART_EVENTS_MIN: u64 = 1 << 16;
/// Wall time after which the next barrier makes a checkpoint. A run that is paced changes at its barriers alone, so that
/// this is what is stepped again of it at most.
const WALL_MAX: Duration = Duration::from_secs(600);
/// Cursors between two checkpoints.
const CURSORS: u64 = 16;

/// How far a run was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// Hash of the data that was read.
    pub data_hash: String,
    /// Events taken from the feed.
    pub events: u64,
    /// Commands that were stepped.
    pub commands: u64,
    /// The last stamp.
    pub at: Option<Stamp>,
    /// Everything that was decided until then.
    pub decisions: Digest,
}

/// What somebody asked of the run, as it is journalled before it acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournaledCommand {
    /// After how many events of the feed.
    pub events: u64,
    /// The market's time.
    pub at: Stamp,
    /// What the engine is to do; none: the process is to end.
    pub command: Option<Command>,
    /// Id of the user whose process asked.
    pub uid: u32,
    /// Id of the process that asked.
    pub pid: i32,
    /// Why, where nobody asked: what the program itself was in doubt about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl JournaledCommand {
    /// Whether a checkpoint, of this frame and after so many events, has what the command in a frame did. Neither says it
    /// alone: a command at the checkpoint's own event may have come after it, and a run that lives through its past again
    /// makes checkpoints anew behind commands that it has yet to come to.
    pub(super) fn is_in(&self, frame: u64, checkpoint: Option<(u64, u64)>) -> bool {
        checkpoint.is_some_and(|(seq, events)| frame < seq && self.events <= events)
    }
}

/// Why a run cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The journal could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The engine's state could not be encoded.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The payload of a checkpoint could not be encoded.
    #[error("a checkpoint could not be encoded: {0}")]
    Codec(#[from] postcard::Error),
    /// A command could not be encoded for the journal.
    #[error("a command could not be encoded: {0}")]
    Command(#[source] serde_json::Error),
    /// The same events made the agents say other things.
    #[error(transparent)]
    Talk(#[from] TalkError),
    /// The same events gave other decisions.
    #[error(
        "at event {events} ({at}) other decisions were made than the journal says were made before: the program \
         or the data changed. Go on with the old ones, or start anew in another folder"
    )]
    Diverged {
        /// Events taken from the feed.
        events: u64,
        /// The barrier at which the decisions differ.
        at: Stamp,
    },
}

/// What lies between two checkpoints, in barriers or events. Counted from the start of the feed alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CheckpointGap {
    from: u64,
    parts: u64,
    least: u64,
}

impl CheckpointGap {
    /// The part that a barrier lies in.
    pub(super) fn of_barriers(barriers: u64) -> Self {
        Self { from: 0, parts: PARTS, least: PART_BARRIERS_MIN }.at(barriers)
    }

    /// The part that an event lies in.
    pub(super) fn of_events(events: u64) -> Self {
        Self { from: 0, parts: EVENT_PARTS, least: PART_EVENTS_MIN }.at(events)
    }

    /// From this part on, the one that a count lies in.
    fn at(mut self, count: u64) -> Self {
        while self.end() <= count {
            self.from = self.end();
        }
        self
    }

    fn length(self) -> u64 {
        (self.from / self.parts).max(self.least)
    }

    fn end(self) -> u64 {
        self.from + self.length()
    }

    fn cursor_every(self) -> u64 {
        (self.length() / CURSORS).max(1)
    }
}

/// What has gone by since the last checkpoint on the wall's clock.
pub(super) struct WallGap {
    pub since: Instant,
    pub length: Duration,
    /// It was over when it was last looked at.
    is_over: bool,
}

impl WallGap {
    pub fn begin(length: Duration) -> Self {
        WallGap { since: Instant::now(), length, is_over: false }
    }
}

impl Default for WallGap {
    fn default() -> Self {
        Self::begin(WALL_MAX)
    }
}

/// A run that is kept.
pub struct Keeper {
    pub(super) journal: Journal,
    /// How far it was acknowledged.
    pub(super) mark: MarkFile,
    pub(super) store: Option<StateStore>,
    /// The disk it is kept on.
    pub(super) room: DiskRoom,
    pub(super) data_hash: String,
    /// Where the run was before it died, to be compared on the way.
    pub(super) reached: Option<Cursor>,
    /// Commands that were given after the checkpoint, in the order in which they acted.
    pub(super) given: VecDeque<JournaledCommand>,
    /// Events and commands at the newest checkpoint.
    pub(super) kept: Option<(u64, u64)>,
    pub(super) ended: bool,
    /// It lives through all of its past again: nothing is kept of it until it is where it was.
    pub(super) replays: bool,
    /// Where it is between two checkpoints by barriers, and by events.
    pub(super) part: CheckpointGap,
    pub(super) part_of_events: CheckpointGap,
    /// The same by the wall's clock.
    pub(super) part_of_wall: WallGap,
    pub(super) news: Vec<String>,
    /// What of it is kept for how long.
    pub(super) retention: Retention,
    /// It was said that its state does not fit into a checkpoint.
    pub(super) too_large: bool,
    pub(super) _lock: Lock,
}

impl Keeper {
    /// Sees every barrier, and events between two of them where a checkpoint is due; `feed` is where the last event came from,
    /// `talk` what was said until then, on its way to the disk.
    pub fn barrier(
        &mut self,
        engine: &Engine,
        stats: &RunStats,
        feed: &dyn Feed,
        talk: Option<TalkOnDisk>,
    ) -> Result<(), KeepError> {
        self.compare(engine, stats)?;
        let part = self.part;
        if self.is_replaying(stats) {
            return Ok(());
        }
        if self.room.is_full() {
            // What is left is for commands. The next checkpoint comes when there is room.
            return Ok(());
        }
        if self.is_due(stats) {
            self.part = part.at(stats.barriers);
            self.part_of_events = self.part_of_events.at(stats.events);
            self.checkpoint(engine, stats, feed, talk)?;
        } else if (stats.barriers - part.from).is_multiple_of(part.cursor_every()) {
            let cursor = postcard::to_stdvec(&self.cursor(engine, stats))?;
            self.journal.append(RecordKind::Cursor, VERSION, &cursor)?;
            // Survives the process; if the machine goes down too, only the way is forgotten.
            self.with_room(Journal::flush)?;
        }
        Ok(())
    }

    /// Whether so many events ask for a checkpoint before the next barrier. Asked after every event: nothing else is looked at.
    pub fn is_due_by_events(&self, events: u64) -> bool {
        events >= self.part_of_events.end()
    }

    /// Looks at the wall's clock, once for all that is asked at a barrier.
    pub fn look_at_clock(&mut self) {
        let wall = &mut self.part_of_wall;
        wall.is_over = wall.since.elapsed() >= wall.length;
    }

    /// Whether what is seen next makes a checkpoint.
    pub fn is_due(&self, stats: &RunStats) -> bool {
        let is_over = stats.barriers >= self.part.end()
            || self.is_due_by_events(stats.events)
            || self.part_of_wall.is_over;
        is_over && !self.room.is_full() && !self.is_replaying(stats)
    }

    /// Whether there is no room on the disk but for what cannot be recomputed.
    pub fn is_full(&self) -> bool {
        self.room.is_full()
    }

    fn is_replaying(&self, stats: &RunStats) -> bool {
        self.replays && !self.caught_up(stats)
    }

    /// Compares what was decided with what the journal says was decided up to here, once it is reached.
    pub fn compare(&mut self, engine: &Engine, stats: &RunStats) -> Result<(), KeepError> {
        let here = (stats.events, stats.commands);
        let Some(reached) = self.reached.take_if(|r| (r.events, r.commands) <= here) else { return Ok(()) };
        if (reached.events, reached.commands) == here && reached.decisions == engine.respond.decisions {
            return Ok(());
        }
        Err(KeepError::Diverged { events: stats.events, at: engine.now().unwrap_or(Stamp(0)) })
    }

    /// The next command that was given after this many events, before the run died.
    pub fn due(&mut self, events: u64) -> Option<JournaledCommand> {
        let due = self.given.front().is_some_and(|g| g.events <= events);
        if due { self.given.pop_front() } else { None }
    }

    /// Whether the run is where it was when it died.
    pub fn caught_up(&self, stats: &RunStats) -> bool {
        self.given.is_empty()
            && self.reached.as_ref().is_none_or(|r| (r.events, r.commands) <= (stats.events, stats.commands))
    }

    /// Puts a command on disk.
    pub fn journal_command(&mut self, given: &JournaledCommand) -> Result<(), KeepError> {
        let text = serde_json::to_vec(given).map_err(KeepError::Command)?;
        self.journal.append(RecordKind::Command, VERSION, &text)?;
        self.acknowledge()
    }

    /// Whether the disk was looked at and has room.
    pub fn has_room(&self) -> bool {
        self.room.has_room()
    }

    /// Looks at the disk, and tells what changed since the last look.
    pub fn look_at_room(&mut self) -> Option<RoomChange> {
        self.room.look()
    }

    /// Writes, with what is held back for it if the disk is full.
    fn with_room(
        &mut self,
        write: impl Fn(&mut Journal) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        match write(&mut self.journal) {
            Err(e) if e.is_full() => {
                // The next look says so, and halts.
                self.room.release();
                write(&mut self.journal)
            }
            done => done,
        }
    }

    /// Puts what was appended on disk, and then, beside the journal, that it is.
    fn acknowledge(&mut self) -> Result<(), KeepError> {
        self.with_room(|journal| journal.commit().map(|_| ()))?;
        let ((seq, link), run) = (self.journal.head(), self.journal.run());
        self.mark.put(Acknowledged { run: run.run, config: run.config, seq, link })?;
        Ok(())
    }

    /// Keeps all of the state, and where the feed is, once what was said until then is on disk. Returns the number of its frame, none if it was
    /// kept already.
    pub fn checkpoint(
        &mut self,
        engine: &Engine,
        stats: &RunStats,
        feed: &dyn Feed,
        talk: Option<TalkOnDisk>,
    ) -> Result<Option<u64>, KeepError> {
        let is_kept = self.kept == Some((stats.events, stats.commands));
        if is_kept || self.room.is_full() || self.is_replaying(stats) {
            return Ok(None);
        }
        self.part_of_wall = WallGap::begin(self.part_of_wall.length);
        let head = (self.cursor(engine, stats), stats, feed.position());
        let state = encode(&postcard::to_stdvec(&head)?, &engine.snapshot()?);
        // Whoever goes on from here cannot say it again.
        talk.into_iter().for_each(TalkOnDisk::wait);
        let seq = match self.journal.append(RecordKind::Checkpoint, VERSION, &state) {
            Err(e @ JournalError::TooLarge { .. }) => {
                // What was commanded is kept all the same, and the rest follows from that.
                self.kept = Some((stats.events, stats.commands));
                if !std::mem::replace(&mut self.too_large, true) {
                    self.news.push(format!(
                        "{e}: there are no checkpoints, and a start steps all of the run again"
                    ));
                }
                return Ok(None);
            }
            done => done?,
        };
        self.acknowledge()?;
        self.kept = Some((stats.events, stats.commands));
        tracing::info!(frame = seq, events = stats.events, commands = stats.commands, "checkpoint");
        let (applied_seq, link) = self.journal.head();
        let newest = Newest { run: self.journal.run().run, applied_seq, link, state };
        if let Some(Err(why)) = self.store.as_ref().map(|s| s.put(&newest)) {
            self.store = None;
            tracing::warn!("the store is let go: {why}");
            self.news.push(format!("{why}; the run goes on, the journal has all of it"));
        }
        let events_of = |payload: &[u8]| decode(payload).map(|kept| kept.cursor.events);
        self.news.extend(self.retention.look(self.journal.open_segment(), events_of));
        Ok(Some(seq))
    }

    /// The feed ended: keeps the state and says that nothing comes after it.
    pub fn end(&mut self, engine: &Engine, stats: &RunStats, feed: &dyn Feed) -> Result<(), KeepError> {
        self.checkpoint(engine, stats, feed, None)?;
        if !self.ended {
            let cursor = postcard::to_stdvec(&self.cursor(engine, stats))?;
            self.journal.append(RecordKind::End, VERSION, &cursor)?;
            self.acknowledge()?;
            self.ended = true;
        }
        Ok(())
    }

    /// Bytes of the journal, and how many it may have.
    pub fn space(&self) -> (u64, Option<u64>) {
        self.retention.space()
    }

    /// What the operator must know, once.
    pub fn news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.news)
    }

    fn cursor(&self, engine: &Engine, stats: &RunStats) -> Cursor {
        Cursor {
            data_hash: self.data_hash.clone(),
            events: stats.events,
            commands: stats.commands,
            at: engine.now(),
            decisions: engine.respond.decisions,
        }
    }
}

/// `[length of the head u32][cursor, stats, position of the feed][snapshot]`.
fn encode(head: &[u8], snapshot: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + head.len() + snapshot.len());
    out.extend_from_slice(&(head.len() as u32).to_le_bytes());
    out.extend_from_slice(head);
    out.extend_from_slice(snapshot);
    out
}

/// What a checkpoint has of a run.
pub(super) struct KeptState<'a> {
    pub cursor: Cursor,
    pub stats: RunStats,
    /// Where the feed was; none where only reading on leads there.
    pub position: Option<FeedPosition>,
    pub snapshot: &'a [u8],
}

/// What [`encode`] made.
pub(super) fn decode(bytes: &[u8]) -> Option<KeptState<'_>> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (head, snapshot) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    let (cursor, stats, position) = postcard::from_bytes(head).ok()?;
    Some(KeptState { cursor, stats, position, snapshot })
}

/// Puts a feed that was just opened after so many events: where a checkpoint says that it was, or by reading on, where
/// that says nothing of such a feed. False where it ends before.
pub(super) fn advance(
    feed: &mut dyn Feed,
    events: u64,
    position: Option<&FeedPosition>,
) -> Result<bool, FeedError> {
    if let Some(position) = position
        && feed.seek(position)?
    {
        return Ok(true);
    }
    for _ in 0..events {
        if feed.next()?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_with_the_run_and_follow_one_another() {
        for of in [CheckpointGap::of_barriers, CheckpointGap::of_events] {
            let CheckpointGap { parts, least, .. } = of(0);
            let (mut at, mut there) = (of(0), 1);
            for count in (0..300 * least).step_by((least / 64) as usize) {
                let part = of(count);
                assert!(part == at || part.from == at.end(), "{count}");
                assert!((part.from..part.end()).contains(&count));
                assert!(part.length() <= least.max(part.from / parts));
                there += u32::from(part != at);
                at = part;
            }
            // A run that is three times as long has no three times as many.
            assert!(there < 270, "{there}");
        }
    }
}
