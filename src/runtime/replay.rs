//! Moments from before those that are kept in memory: the run is lived through again from a checkpoint of the
//! journal before the moment, with the commands that were given, on a thread of its own.
//!
//! ```text
//! find(at) ──► in the album of what was fetched last? ──► the moment
//!          └─► wanted ──► [thread] journal ► checkpoint ► engine, feed ► step to `at` ► album       asked again
//! ```
//!
//! # Invariants
//!
//! 1. Whoever asks never waits: the answer is the moment, how far fetching it is, or why it cannot be had.
//! 2. Nothing is written, and the run that goes on shares nothing with the one that is lived through again.
//! 3. It never lives on beyond the time that it is told, which is now.
//! 4. What is shown was decided: wherever the journal says what had been decided until then, it is compared on the way.
//! 5. What the recorder remembers (curves, talk, reasons) begins [`WARM`] before the moment or earlier.

use super::keep::{Cursor, JournaledCommand, VERSION, advance, decode};
use super::snapshot_ring::SnapshotRing;
use super::stats::RunStats;
use super::stepper::Stepper;
use crate::domain::{AgentId, Digest, Event, Span, Stamp};
use crate::engine::Engine;
use crate::journal::{self, RecordKind};
use crate::market::feed::Feed;
use crate::recorder::{RecordedRun, Recorder};
use crate::view::{AgentPage, Past, When};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Market time that is lived through before the moment at least, so that messages and stances are remembered.
pub const WARM: Span = Span(12 * Span::DAY.0);
/// Moments before and after the one that was asked for are kept as well: the next step is at hand.
const BEFORE: Span = Span(4 * Span::DAY.0);
const AFTER: Span = Span(2 * Span::DAY.0);
/// Bytes of what was fetched.
const BYTES_MAX: usize = 12 << 20;
/// Pictures of the past are numbered from here on, so that none is taken for one of the run that goes on.
pub const FAR: u64 = 1 << 62;

/// Makes engine and feed as they were before the first event.
pub type Remake = dyn Fn() -> Result<(Engine, Box<dyn Feed>), String> + Send + Sync;

/// What became of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup {
    /// The moment that was asked for, whole.
    Past(Box<Past>),
    /// It is being fetched: how far, in per cent.
    Fetching(u8),
    /// It cannot be had: why.
    Refused(String),
}

/// What was fetched, and from when to when it is whole.
#[derive(Default)]
struct Fetched {
    ring: SnapshotRing,
    whole: Option<(Stamp, Stamp)>,
    /// The first barrier of the run.
    begin: Option<Stamp>,
}

#[derive(Default)]
struct ArchiveState {
    /// The moment that is wanted, and the time beyond which nothing is lived through.
    wanted: Option<(Stamp, Stamp)>,
    /// How far the one that is being fetched is.
    share: f64,
    fetched: Fetched,
    failed: Option<(Stamp, String)>,
    closed: bool,
}

#[derive(Default)]
struct ArchiveShared {
    state: Mutex<ArchiveState>,
    news: Condvar,
}

impl ArchiveShared {
    /// Every change is whole before the lock is let go, so what a thread that panicked left is a state.
    fn open(&self) -> MutexGuard<'_, ArchiveState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The archive of a run that is kept.
pub struct Archive {
    shared: Arc<ArchiveShared>,
}

impl Archive {
    /// Of the journal in a state folder.
    pub fn new(dir: &Path, scene: RecordedRun, remake: Arc<Remake>) -> Self {
        let shared = Arc::<ArchiveShared>::default();
        let (theirs, journal) = (Arc::clone(&shared), dir.join("journal"));
        std::thread::spawn(move || work(&theirs, &journal, &scene, remake.as_ref()));
        Archive { shared }
    }

    /// The newest moment at or before a time, or how far it is. Nothing is lived through beyond `until`.
    pub fn find(&self, at: Stamp, until: Stamp, agent: Option<AgentId>) -> Lookup {
        let mut state = self.shared.open();
        let fetched = &state.fetched;
        if fetched.whole.is_some_and(|(from, to)| from <= at && at <= to) {
            return match fetched.ring.find(When::At(at), agent) {
                // It stands in no row of kept moments.
                Ok(past) => Lookup::Past(Box::new(Past {
                    place: 0,
                    kept: 1,
                    from: fetched.begin.unwrap_or(past.from),
                    to: until,
                    journal: true,
                    ..past
                })),
                Err(why) => Lookup::Refused(why),
            };
        }
        if state.failed.as_ref().is_some_and(|(when, _)| *when == at)
            && let Some((_, why)) = state.failed.take()
        {
            return Lookup::Refused(why);
        }
        if state.wanted.is_none_or(|(wanted, _)| wanted != at) {
            state.wanted = Some((at, until));
            self.shared.news.notify_one();
        }
        Lookup::Fetching((100.0 * state.share) as u8)
    }

    /// When the moment of a picture from here was, and the one so many moments from it, if that was fetched too.
    pub fn step(&self, seq: u64, by: i32) -> Option<(Stamp, Option<Stamp>)> {
        let state = self.shared.open();
        let here = state.fetched.ring.time(seq)?;
        Some((here, state.fetched.ring.beside(seq, by)))
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        self.shared.open().closed = true;
        self.shared.news.notify_one();
    }
}

/// Fetches what is wanted, one after the other, until nobody can want anything.
fn work(shared: &ArchiveShared, journal: &Path, scene: &RecordedRun, remake: &Remake) {
    loop {
        let mut state = shared.open();
        let (at, until) = loop {
            match state.wanted {
                _ if state.closed => return,
                Some(wanted) => break wanted,
                None => state = shared.news.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        };
        state.share = 0.0;
        drop(state);
        let fetched = fetch(shared, journal, scene, remake, (at, until));
        let mut state = shared.open();
        // Another may be wanted by now.
        state.wanted = state.wanted.filter(|(wanted, _)| *wanted != at);
        match fetched {
            Ok(fetched) => state.fetched = fetched,
            Err(why) => state.failed = Some((at, why)),
        }
    }
}

/// What the journal has for a moment: the newest checkpoint that is old enough, the commands that came after it, and
/// everything that it says of what was decided since.
#[derive(Clone, Default)]
pub(super) struct Pages {
    pub(super) checkpoint: Option<Vec<u8>>,
    pub(super) given: VecDeque<JournaledCommand>,
    /// By events and commands, what was decided until then.
    pub(super) decided: BTreeMap<(u64, u64), Digest>,
}

pub(super) fn read(journal: &Path, before: Stamp) -> Result<Pages, String> {
    let mut pages = Pages::default();
    let (mut place, mut given) = (None, Vec::new());
    journal::scan(journal, |frame| {
        let cursor = match frame.kind {
            // Of a layout that is not known here the way is lived through from before.
            k if k == RecordKind::Checkpoint as u16 && frame.ver == VERSION => {
                let decoded = decode(frame.payload);
                let old = decoded.as_ref().is_some_and(|k| k.cursor.at.is_some_and(|at| at <= before));
                if let Some(kept) = decoded.as_ref().filter(|_| old) {
                    place = Some((frame.seq, kept.cursor.events));
                    pages.checkpoint = Some(frame.payload.to_vec());
                }
                decoded.map(|kept| kept.cursor)
            }
            k if k == RecordKind::Cursor as u16 || k == RecordKind::End as u16 => {
                postcard::from_bytes::<Cursor>(frame.payload).ok()
            }
            k if k == RecordKind::Command as u16 => {
                let command = serde_json::from_slice::<JournaledCommand>(frame.payload).ok();
                given.extend(command.map(|command| (frame.seq, command)));
                None
            }
            _ => None,
        };
        pages.decided.extend(cursor.map(|c| ((c.events, c.commands), c.decisions)));
        Ok(())
    })
    .map_err(|e| format!("the journal cannot be read: {e}"))?;
    given.retain(|(seq, g)| g.command.is_some() && !g.is_in(*seq, place));
    given.sort_by_key(|(_, g)| g.events);
    pages.given = given.into_iter().map(|(_, g)| g).collect();
    let begun = place.map_or(0, |(_, events)| events);
    pages.decided.retain(|(events, _), _| *events >= begun);
    Ok(pages)
}

/// Compares what was decided until an event while a past is lived through again with what the journal says was decided then;
/// in words where they differ.
pub(super) fn compare(
    decided: &mut BTreeMap<(u64, u64), Digest>,
    here: (u64, u64),
    (now, decisions): (Option<Stamp>, Digest),
) -> Result<(), String> {
    while let Some(entry) = decided.first_entry().filter(|e| *e.key() <= here) {
        let (place, then) = entry.remove_entry();
        if place != here || then != decisions {
            let at = now.map(|s| s.to_string()).unwrap_or_default();
            return Err(format!(
                "at event {} ({at}) other decisions come out than the journal says were made then. The program or the data \
                 changed, or the journal lost a part; hive journal verify looks at it",
                place.0
            ));
        }
    }
    Ok(())
}

/// The same of a past that is to be shown.
fn compare_shown(decided: &mut BTreeMap<(u64, u64), Digest>, stepper: &Stepper<'_>) -> Result<(), String> {
    let (stats, engine) = (&stepper.stats, &stepper.engine);
    let now = (engine.now(), engine.respond.decisions);
    compare(decided, (stats.events, stats.commands), now)
        .map_err(|why| format!("the past cannot be shown: {why}"))
}

fn fetch(
    shared: &ArchiveShared,
    journal: &Path,
    scene: &RecordedRun,
    remake: &Remake,
    (at, until): (Stamp, Stamp),
) -> Result<Fetched, String> {
    let pages = read(journal, Stamp(at.0.saturating_sub(WARM.0)))?;
    let (mut engine, mut feed) = remake()?;
    let (stats, position) = match pages.checkpoint.as_deref().and_then(decode) {
        Some(kept) => {
            let restored = engine.restore(kept.snapshot);
            restored.map_err(|e| format!("a checkpoint before that cannot be used: {e}"))?;
            (kept.stats, kept.position)
        }
        None => (RunStats::default(), None),
    };
    let begun = stats.events;
    if !advance(feed.as_mut(), begun, position.as_ref()).map_err(|e| e.to_string())? {
        return Err("the market is shorter than it was".to_owned());
    }
    let recorder = Recorder::numbered(&engine, FAR + begun);
    let mut stepper = Stepper::new(&mut engine, stats, None);
    stepper.recorder = Some(recorder);
    let (mut given, mut decided) = (pages.given, pages.decided);
    compare_shown(&mut decided, &stepper)?;
    let mut fetched = Fetched { ring: SnapshotRing::new(BYTES_MAX), whole: None, begin: stepper.stats.from };
    let (keep, end) = (Stamp(at.0.saturating_sub(BEFORE.0)), Stamp(at.0.saturating_add(AFTER.0)).min(until));
    let scene = RecordedRun { progress: None, speed: "from the journal".to_owned(), ..scene.clone() };
    let (mut from, mut first): (Option<Stamp>, Option<Stamp>) = (None, None);
    loop {
        while given.front().is_some_and(|g| g.events <= stepper.stats.events)
            && let Some(g) = given.pop_front()
        {
            stepper.act(&g);
            compare_shown(&mut decided, &stepper)?;
        }
        let Some(event) = feed.next().map_err(|e| e.to_string())? else { break };
        // The first moment stands for everything before it.
        let kept = fetched.ring.oldest().is_some();
        if matches!(event, Event::Barrier(b) if b > end && kept) {
            break;
        }
        let barrier = stepper.market(&event, feed.as_ref()).map_err(|e| e.to_string())?;
        compare_shown(&mut decided, &stepper)?;
        let Some(barrier) = barrier else { continue };
        fetched.begin = stepper.stats.from;
        if barrier >= keep {
            first.get_or_insert(barrier);
            keep_moment(&mut fetched.ring, &stepper, &scene);
        }
        let start = *from.get_or_insert(barrier);
        let share = barrier.since(start).0 as f64 / end.since(start).0.max(1) as f64;
        let mut state = shared.open();
        state.share = share.clamp(0.0, 1.0);
        if state.closed {
            return Err("the hive is ending".to_owned());
        }
    }
    let oldest = fetched.ring.oldest().ok_or("the run had not begun then")?;
    // Before the first barrier of the run there is nothing; else memory says what is there.
    let from = if fetched.begin == first && fetched.begin == Some(oldest) { Stamp(i64::MIN) } else { oldest };
    fetched.whole = Some((from, end));
    Ok(fetched)
}

fn keep_moment(ring: &mut SnapshotRing, stepper: &Stepper<'_>, scene: &RecordedRun) {
    let Some(recorder) = &stepper.recorder else { return };
    let view = recorder.picture(stepper.engine, scene);
    let declared = 0..stepper.engine.cast().declared as u32;
    let pages: Vec<AgentPage> = declared.filter_map(|n| recorder.page(stepper.engine, AgentId(n))).collect();
    ring.keep(&view, &pages, Instant::now());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::setup;
    use crate::domain::Command;
    use crate::market::synth::{SynthFeed, SynthSettings};
    use crate::runtime::recover::{self, Probe, RunIdentity};
    use crate::view::Cockpit;
    use std::collections::BTreeMap;

    fn made() -> (Engine, Box<dyn Feed>) {
        made_of(SynthSettings::default().seed)
    }

    fn made_of(seed: u64) -> (Engine, Box<dyn Feed>) {
        let config = crate::config::shipped().unwrap();
        let settings = SynthSettings { bars_days: 40, seed, ..SynthSettings::default() };
        let feed = SynthFeed::new(settings).unwrap();
        let engine = Engine::new(&config.roster, feed.universe(), &setup::settings(&config), 1);
        (engine, Box::new(feed))
    }

    /// What a picture says that is no memory of a recorder: all of it that the engine knows.
    fn known(c: &Cockpit) -> String {
        let agents: Vec<_> = c
            .agents
            .iter()
            .map(|a| (&a.name, a.state, a.points, a.alone, a.open, a.real, &a.position))
            .collect();
        format!("{:?} {:?} {agents:?} {:?}", c.market_time, c.account.equity, c.orders)
    }

    /// Lives through all of it, kept in a folder, with an order of the operator; what was shown at each barrier.
    fn live(dir: &Path) -> BTreeMap<Stamp, (String, Option<AgentPage>)> {
        let (mut engine, mut feed) = made();
        let identity = RunIdentity::new("hive", "roster".to_owned(), 1, feed.info(), feed.universe());
        let opened = recover::open(dir, &identity, &mut engine, feed.as_mut(), &Probe::Here.into()).unwrap();
        let (mut keeper, mut shown) = (opened.keeper, BTreeMap::new());
        let recorder = Recorder::new(&engine);
        let mut stepper = Stepper::new(&mut engine, opened.stats, Some(&mut keeper));
        stepper.recorder = Some(recorder);
        while let Some(event) = feed.next().unwrap() {
            let Some(at) = stepper.market(&event, feed.as_ref()).unwrap() else { continue };
            // The first comes right after the first checkpoint, before anything else has happened.
            let command = match shown.len() {
                63 => Some(Command::Mute(AgentId(2))),
                130 => Some(Command::Unfund(AgentId(0))),
                _ => None,
            };
            if command.is_some() {
                let events = stepper.stats.events;
                stepper
                    .command(&JournaledCommand { events, at, command, uid: 0, pid: 1, why: None })
                    .unwrap();
            }
            let recorder = stepper.recorder.as_ref().unwrap();
            let picture = recorder.picture(stepper.engine, &RecordedRun::default());
            shown.insert(at, (known(&picture), recorder.page(stepper.engine, AgentId(3))));
        }
        shown
    }

    fn wait(archive: &Archive, at: Stamp, until: Stamp) -> Result<Past, String> {
        let end = Instant::now() + std::time::Duration::from_secs(120);
        loop {
            match archive.find(at, until, Some(AgentId(3))) {
                Lookup::Past(past) => return Ok(*past),
                Lookup::Refused(why) => return Err(why),
                Lookup::Fetching(share) => assert!(share <= 100 && Instant::now() < end, "it never comes"),
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_is_lived_through_again_is_what_was() {
        let folder = tempfile::tempdir().unwrap();
        let shown = live(folder.path());
        let last = *shown.keys().next_back().unwrap();
        let archive = Archive::new(folder.path(), RecordedRun::default(), Arc::new(|| Ok(made())));
        let stamps: Vec<Stamp> = shown.keys().copied().collect();
        // Before any checkpoint, after one, and after what the operator did.
        for n in [0, 20, 160, 200] {
            let (at, (then, page)) = (stamps[n], &shown[&stamps[n]]);
            let past = wait(&archive, at.after(Span(1)), last).unwrap();
            assert_eq!((&known(&past.view), past.place, past.journal), (then, 0, true), "{at}");
            assert_eq!(past.from, stamps[0], "the run's beginning is told");
            assert!(past.view.seq >= FAR);
            let why =
                |p: &AgentPage| p.why.iter().map(|w| (w.message, w.factors.clone())).collect::<Vec<_>>();
            let (page, again) = (page.as_ref().unwrap(), past.page.as_ref().unwrap());
            assert_eq!((why(page), &page.row.said), (why(again), &again.row.said), "{at}");
            // The next step is at hand.
            let (here, beside) = archive.step(past.view.seq, 1).unwrap();
            assert_eq!((here, beside), (at, Some(stamps[n + 1])));
            assert!(matches!(archive.find(stamps[n + 1], last, None), Lookup::Past(_)));
        }
        // Never beyond what it is told.
        let near = wait(&archive, stamps[100], stamps[101]).unwrap();
        assert_eq!(
            (near.view.market_time, archive.step(near.view.seq, 2).unwrap().1),
            (Some(stamps[100]), None)
        );
    }

    #[test]
    fn a_past_that_comes_out_otherwise_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let shown = live(folder.path());
        let stamps: Vec<Stamp> = shown.keys().copied().collect();
        // The market is another than it was.
        let other: Arc<Remake> = Arc::new(|| Ok(made_of(7)));
        let archive = Archive::new(folder.path(), RecordedRun::default(), other);
        let why = wait(&archive, stamps[130], stamps[131]).unwrap_err();
        assert!(why.contains("other decisions come out") && why.contains("hive journal verify"), "{why}");
        // What a checkpoint proves needs no second look.
        let why = wait(&archive, stamps[160], stamps[161]).unwrap_err();
        assert!(why.contains("another roster, market, seed or settings"), "{why}");
        // It is as it has to be: checkpoint and command stand at the same event.
        let mut events = Vec::new();
        journal::scan(&folder.path().join("journal"), |frame| {
            match frame.kind {
                k if k == RecordKind::Checkpoint as u16 => {
                    events.extend(decode(frame.payload).map(|kept| kept.cursor.events));
                }
                k if k == RecordKind::Command as u16 => {
                    events.push(serde_json::from_slice::<JournaledCommand>(frame.payload).unwrap().events);
                }
                _ => {}
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(events[0], events[1], "{events:?}");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let archive =
            Archive::new(folder.path(), RecordedRun::default(), Arc::new(|| Err("no market".to_owned())));
        assert!(!wait(&archive, Stamp(5), Stamp(9)).unwrap_err().is_empty());
    }
}
