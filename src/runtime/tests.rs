//! Files on disk, and recorded panels where they are: in the folder that `HIVE_TEST_DATA` names. Without them those
//! tests say so and check nothing.

use super::files::{FileError, open_data, open_file};
use super::keep::JournaledCommand;
use super::keep::WallGap;
use super::recover::{self, Probe, ResumeOptions, Resumed, RunIdentity};
use super::replay::{Archive, Lookup};
use super::scratch::SpooledScratch;
use super::stepper::Stepper;
use crate::config::setup;
use crate::domain::{AgentId, Command, Digest, Event, InstrumentKind, MarketEvent, Span, Stamp, Universe};
use crate::engine::Engine;
use crate::journal::{self, NEWEST, RecordKind};
use crate::market::feed::{FeedInfo, FeedPosition, FeedReport};
use crate::market::history::{self, HistorySettings};
use crate::market::source::SourceFile;
use crate::market::synth::{Detail, SynthFeed, SynthSettings};
use crate::market::tape::TapeFeed;
use crate::market::{Choices, Feed, FeedError};
use crate::recorder::RecordedRun;
use facts::{absolute, closes, correlation, kurtosis, lagged, mean, moment, pairs, returns, variance_ratio};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

// What the embedded market is measured by, recorded ones are.
#[path = "../market/synth/facts.rs"]
mod facts;

const FOUR_HOURS: Span = Span(4 * Span::HOUR.0);

fn settings(name: &str, clock: Span) -> HistorySettings {
    HistorySettings { name: name.into(), clock, ..HistorySettings::default() }
}

fn open(path: &Path, clock: Span) -> Result<TapeFeed, FeedError> {
    let data = open_data(path, &Choices::default()).unwrap();
    opened(&settings(&data.name, clock), data.sources, None)
}

fn opened(
    settings: &HistorySettings,
    sources: Vec<Box<dyn SourceFile>>,
    funding: Option<Box<dyn SourceFile>>,
) -> Result<TapeFeed, FeedError> {
    history::open(settings, sources, funding, Box::new(SpooledScratch::default()))
}

fn events(feed: &mut dyn Feed) -> Vec<Event> {
    std::iter::from_fn(|| feed.next().unwrap()).collect()
}

fn panel(file: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("HIVE_TEST_DATA").map(PathBuf::from) else {
        eprintln!("skipped: HIVE_TEST_DATA names no folder of recorded markets");
        return None;
    };
    let path = folder.join("panel").join(file);
    if path.is_file() {
        return Some(path);
    }
    // Said on stderr, since a skipped check must be seen.
    eprintln!("skipped: no {}; set HIVE_TEST_DATA to the folder with panel/", path.display());
    None
}

#[test]
fn packed_or_plain_and_in_a_folder_the_data_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "timestamp,open,high,low,close,volume\n1704067200,1,2,1,2,5\n1704070800,2,3,1,1,5\n";
    let plain = folder.path().join("BTC_USDT-1h.csv");
    std::fs::write(&plain, rows).unwrap();
    // The ending lies: what is inside decides.
    let packed_folder = tempfile::tempdir().unwrap();
    let packed = packed_folder.path().join("BTC_USDT-1h.csv");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(rows.as_bytes()).unwrap();
    std::fs::write(&packed, gzip.finish().unwrap()).unwrap();
    std::fs::write(packed_folder.path().join("README.md"), "not data").unwrap();
    let mut all: Vec<_> = [plain.as_path(), packed.as_path(), packed_folder.path()]
        .into_iter()
        .map(|path| open(path, Span::HOUR).unwrap())
        .collect();
    assert_eq!(all[0].universe().instruments[0].symbol, "BTCUSDT");
    assert!(all.iter().all(|f| f.info().data_hash == all[0].info().data_hash));
    let first = events(&mut all[0]);
    assert_eq!(first.len(), 4);
    assert!(all[1..].iter_mut().all(|f| events(f) == first));
}

#[test]
fn what_cannot_be_opened_is_named_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let missing = open_data(&folder.path().join("none.csv"), &Choices::default()).err().unwrap().to_string();
    assert!(missing.contains("none.csv") && missing.contains("give the path"), "{missing}");
    assert!(matches!(open_data(folder.path(), &Choices::default()), Err(FileError::EmptyFolder { .. })));
    let zip = folder.path().join("x.csv");
    std::fs::write(&zip, b"PK\x03\x04rest").unwrap();
    assert!(open_file(&zip).err().unwrap().to_string().contains("this zip is damaged"));
    let broken = folder.path().join("broken.csv.gz");
    std::fs::write(&broken, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]).unwrap();
    let text = open(&broken, Span::HOUR).err().unwrap().to_string();
    assert!(text.contains("broken.csv.gz"), "{text}");
}

#[test]
fn real_perps_are_whole() {
    let Some(path) = panel("perp_1h.csv.gz") else {
        return;
    };
    let mut feed = open(&path, Span::HOUR).unwrap();
    let (info, report) = (feed.info().clone(), feed.report());
    assert_eq!((feed.universe().assets.len(), info.bars, info.bar), (8, 30_648, Span::HOUR));
    assert_eq!(
        (report.bad_rows, report.duplicates, report.unsorted, report.gaps),
        (0, 0, 0, 0),
        "{report:?}"
    );
    assert!(feed.universe().instruments.iter().all(|i| i.kind == InstrumentKind::Perp));
    assert!(info.notes.iter().any(|n| n.contains("no funding")));
    let all = events(&mut feed);
    assert_eq!(all.len() as u64, report.rows + info.bars);
}

#[test]
fn real_perps_join_their_funding() {
    let (Some(bars), Some(funding)) = (panel("perp_1h.csv.gz"), panel("funding.csv.gz")) else {
        return;
    };
    let data = open_data(&bars, &Choices::default()).unwrap();
    let funding = open_file(&funding).unwrap();
    let mut feed = opened(&settings(&data.name, FOUR_HOURS), data.sources, Some(Box::new(funding))).unwrap();
    assert_eq!(feed.report().bad_rows, 0, "{:?}", feed.report());
    let mut paid = vec![0; 8];
    for e in events(&mut feed) {
        if let Event::Market(MarketEvent::Funding { instrument, .. }) = e {
            paid[instrument.index()] += 1;
        }
    }
    let btc = feed.universe().asset("BTC").unwrap().id.index();
    assert!((3_700..=3_900).contains(&paid[btc]), "{paid:?}");
}

#[test]
fn real_spot_has_its_dead_coins_and_its_hole() {
    let Some(path) = panel("spot_1h.csv.gz") else {
        return;
    };
    let data = open_data(&path, &Choices::default()).unwrap();
    let mut set = settings(&data.name, FOUR_HOURS);
    set.window.from = Stamp::parse("2022-03-01");
    set.window.to = Stamp::parse("2022-07-01");
    let mut feed = opened(&set, data.sources, None).unwrap();
    assert_eq!(feed.report().bad_rows, 0, "{:?}", feed.report());
    let luna = feed.universe().asset("LUNA").unwrap().id;
    assert!(feed.universe().asset("USDC").unwrap().money_like);
    assert!(feed.universe().instruments.iter().all(|i| i.kind == InstrumentKind::Margin));
    let (mut last, mut hole) = (None::<Stamp>, Span(0));
    for e in events(&mut feed) {
        if let Event::Market(MarketEvent::Bar { instrument, at, .. }) = e
            && instrument.index() == luna.index()
        {
            hole = hole.max(last.map_or(Span(0), |t| at.since(t)));
            last = Some(at);
        }
    }
    assert!(
        (15.0..20.0).contains(&hole.in_units_of(Span::DAY)),
        "LUNA is silent from 05-13 to 05-31: {hole}"
    );
    let ranks = &feed.universe().by_volume;
    assert_eq!(feed.universe().name(ranks[9].assets[0]), "BTC");
}

#[test]
fn the_whole_of_real_spot_has_52_symbols() {
    let Some(path) = panel("spot_1d.csv.gz") else {
        return;
    };
    let feed = open(&path, Span::DAY).unwrap();
    assert_eq!(feed.universe().assets.len(), 52);
    assert_eq!(feed.report().bad_rows, 0, "{:?}", feed.report());
    // One ranking per asset that is not money-like and traded for 30 days; each known later than the last.
    let ranks = &feed.universe().by_volume;
    assert!(ranks.len() > 40 && ranks.windows(2).all(|w| w[0].known_at <= w[1].known_at));
    assert!(ranks.iter().flat_map(|r| &r.assets).all(|a| !feed.universe().assets[a.index()].money_like));
}

#[test]
fn the_embedded_market_is_like_the_real_one() {
    let Some(path) = panel("perp_1h.csv.gz") else {
        return;
    };
    let data = open_data(&path, &Choices::default()).unwrap();
    let mut set = settings(&data.name, FOUR_HOURS);
    // All eight trade from here on.
    set.window.from = Stamp::parse("2020-10-23");
    let real = events(&mut opened(&set, data.sources, None).unwrap());
    let of = |events: &[Event]| {
        closes(events).iter().filter(|c| !c.is_empty()).map(|c| returns(c)).collect::<Vec<_>>()
    };
    let real = of(&real);
    assert_eq!(real.len(), 8);
    let made: Vec<Vec<f64>> = (1..=4)
        .flat_map(|seed| {
            of(&events(&mut SynthFeed::new(SynthSettings { seed, ..SynthSettings::default() }).unwrap()))
        })
        .collect();
    let median = |all: &[Vec<f64>], f: &dyn Fn(&[f64]) -> f64| {
        let mut x: Vec<f64> = all.iter().map(|r| f(r)).collect();
        x.sort_by(f64::total_cmp);
        x[x.len() / 2]
    };
    let ratio_of = |what: &str, f: &dyn Fn(&[f64]) -> f64, low: f64, high: f64| {
        let (a, b) = (median(&made, f), median(&real, f));
        assert!((low..high).contains(&(a / b)), "{what}: made {a}, real {b}");
    };
    ratio_of("volatility", &|r| moment(r, 2).sqrt(), 0.6, 1.4);
    ratio_of("kurtosis", &kurtosis, 0.5, 1.6);
    ratio_of("|r| at lag 1", &|r| lagged(&absolute(r), 1), 0.6, 1.5);
    ratio_of("|r| at lag 10", &|r| lagged(&absolute(r), 10), 0.5, 1.5);
    ratio_of("variance ratio of a day", &|r| variance_ratio(r, 6), 0.85, 1.15);
    ratio_of("variance ratio of five days", &|r| variance_ratio(r, 30), 0.75, 1.25);
    ratio_of("variance ratio of twenty days", &|r| variance_ratio(r, 120), 0.6, 1.3);
    let made_pairs = mean(&made.chunks(10).map(|run| pairs(run, correlation)).collect::<Vec<_>>());
    assert!((made_pairs - pairs(&real, correlation)).abs() < 0.12, "pairs {made_pairs}");
}

/// Counts what is read of it.
struct CountedFeed {
    feed: SynthFeed,
    taken: u64,
    /// It is as feeds are that cannot be sought.
    only_read: bool,
}

impl Feed for CountedFeed {
    fn info(&self) -> &FeedInfo {
        self.feed.info()
    }

    fn universe(&self) -> &Universe {
        self.feed.universe()
    }

    fn next(&mut self) -> Result<Option<Event>, FeedError> {
        self.taken += 1;
        self.feed.next()
    }

    fn report(&self) -> FeedReport {
        self.feed.report()
    }

    fn position(&self) -> Option<FeedPosition> {
        self.feed.position().filter(|_| !self.only_read)
    }

    fn seek(&mut self, to: &FeedPosition) -> Result<bool, FeedError> {
        if self.only_read { Ok(false) } else { self.feed.seek(to) }
    }
}

/// A run that is paced has no checkpoint that is old on the wall, whatever it decides by.
#[test]
fn a_barrier_makes_a_checkpoint_once_enough_time_has_gone_by() {
    let checkpoints = |wall: Duration| {
        let config = crate::config::shipped().unwrap();
        let mut feed = SynthFeed::new(SynthSettings { bars_days: 10, ..SynthSettings::default() }).unwrap();
        let mut engine = Engine::new(&config.roster, feed.universe(), &setup::settings(&config), 1);
        let identity = RunIdentity::new("hive", "roster".to_owned(), 1, feed.info(), feed.universe());
        let folder = tempfile::tempdir().unwrap();
        let opened = recover::open(folder.path(), &identity, &mut engine, &mut feed, &Probe::Here.into());
        let Resumed { mut keeper, stats, talk, .. } = opened.unwrap();
        keeper.part_of_wall = WallGap::begin(wall);
        let mut stepper = Stepper::new(&mut engine, stats, Some(&mut keeper));
        stepper.talk = talk;
        while let Some(event) = feed.next().unwrap() {
            stepper.market(&event, &feed).unwrap();
        }
        let barriers = stepper.stats.barriers;
        let seen = journal::verify(&folder.path().join("journal")).unwrap();
        let kept = seen.counts.get(&(RecordKind::Checkpoint as u16)).copied().unwrap_or(0);
        (barriers, kept, engine.respond.decisions)
    };
    let (barriers, kept, decisions) = checkpoints(Duration::ZERO);
    assert_eq!((barriers, kept), (60, 60));
    assert_eq!(checkpoints(Duration::from_secs(600)), (60, 0, decisions), "there is none before the 64th");
}

/// A start does not read what lies before its checkpoint, and comes to the same end as one that does.
#[test]
fn a_start_seeks_and_where_that_cannot_be_it_reads() {
    let made = |only_read| {
        let config = crate::config::shipped().unwrap();
        let detail =
            Detail { step: Span::seconds(900), ..Detail::last(2, SynthSettings::default().from, 12) };
        let settings = SynthSettings { bars_days: 12, detail: Some(detail), ..SynthSettings::default() };
        let feed = SynthFeed::new(settings).unwrap();
        let engine = Engine::new(&config.roster, feed.universe(), &setup::settings(&config), 1);
        (engine, CountedFeed { feed, taken: 0, only_read })
    };
    // As many barriers as are stepped before it dies, if it does.
    let live = |dir: &Path, only_read: bool, until: u64| {
        let (mut engine, mut feed) = made(only_read);
        let identity = RunIdentity::new("hive", "roster".to_owned(), 1, feed.info(), feed.universe());
        let opened = recover::open(dir, &identity, &mut engine, &mut feed, &Probe::Here.into()).unwrap();
        let (mut keeper, begun) = (opened.keeper, opened.stats.events);
        let taken = feed.taken;
        let mut stepper = Stepper::new(&mut engine, opened.stats, Some(&mut keeper));
        while stepper.stats.barriers < until
            && let Some(event) = feed.next().unwrap()
        {
            stepper.market(&event, &feed).unwrap();
        }
        (begun, taken, engine.state_hash())
    };
    let folder = tempfile::tempdir().unwrap();
    let (_, _, whole) = live(&folder.path().join("whole"), false, u64::MAX);
    for (kept, read) in [(false, false), (true, true), (true, false), (false, true)] {
        let dir = folder.path().join(format!("{kept}-{read}"));
        live(&dir, kept, 66);
        let (begun, taken, hash) = live(&dir, read, u64::MAX);
        assert!(begun > 5_000, "there is a checkpoint: {begun}");
        assert_eq!((taken, hash == whole), (if kept || read { begun } else { 0 }, true), "{kept} {read}");
    }
}

/// Lives through 80 days that are kept, with commands on the way, a checkpoint at every barrier; its folder, decisions and hash.
fn kept_within(dir: &Path, budget: Option<u64>, replays: bool) -> (Vec<String>, Digest, String, Stamp) {
    let (mut engine, mut feed) = in_bars(80);
    let identity = RunIdentity::new("hive", "roster".to_owned(), 1, feed.info(), feed.universe());
    let how = ResumeOptions { probe: Probe::Here, replays, budget };
    let Resumed { mut keeper, stats, mut news, .. } =
        recover::open(dir, &identity, &mut engine, feed.as_mut(), &how).unwrap();
    keeper.part_of_wall = WallGap::begin(Duration::ZERO);
    let mut stepper = Stepper::new(&mut engine, stats, Some(&mut keeper));
    while let Some(event) = feed.next().unwrap() {
        let barrier = stepper.market(&event, feed.as_ref()).unwrap();
        if let (Some(at), true, 100 | 300) = (barrier, stepper.caught_up(), stepper.stats.barriers) {
            let (events, command) =
                (stepper.stats.events, Some(Command::Mute(AgentId(stepper.stats.commands as u32))));
            stepper.command(&JournaledCommand { events, at, command, uid: 7, pid: 8, why: None }).unwrap();
        }
    }
    let stats = stepper.stats;
    keeper.end(&engine, &stats, feed.as_ref()).unwrap();
    news.extend(keeper.news());
    (news, engine.respond.decisions, engine.state_hash(), engine.now().unwrap())
}

fn in_bars(days: u32) -> (Engine, Box<dyn Feed>) {
    let config = crate::config::shipped().unwrap();
    let feed = SynthFeed::new(SynthSettings { bars_days: days, ..SynthSettings::default() }).unwrap();
    let engine = Engine::new(&config.roster, feed.universe(), &setup::settings(&config), 1);
    (engine, Box::new(feed))
}

#[test]
fn a_journal_stays_within_its_budget_and_loses_nothing_that_was_decided() {
    let folder = tempfile::tempdir().unwrap();
    let (all, some) = (folder.path().join("all"), folder.path().join("some"));
    let whole = kept_within(&all, None, false);
    let size = |dir: &Path| journal::size(&dir.join("journal")).unwrap();
    let budget = size(&all) / 6;
    let small = kept_within(&some, Some(budget), false);
    assert_eq!((&small.0[1..], &small.1, &small.2), (&[][..], &whole.1, &whole.2), "{:?}", small.0);
    assert!(size(&some) <= budget, "{} of {budget}, {} without", size(&some), size(&all));
    let frames = |dir: &Path| {
        let mut all = BTreeMap::<u16, Vec<Vec<u8>>>::new();
        journal::scan(&dir.join("journal"), |f| {
            all.entry(f.kind).or_default().push(f.payload.to_vec());
            Ok(())
        })
        .unwrap();
        all
    };
    let (before, after) = (frames(&all), frames(&some));
    for kind in [RecordKind::Config, RecordKind::Command, RecordKind::Cursor, RecordKind::End] {
        let of = |frames: &BTreeMap<u16, Vec<Vec<u8>>>| frames.get(&(kind as u16)).map(Vec::len);
        assert_eq!(of(&before), of(&after), "{kind:?}");
    }
    let (dropped, left) = (&after[&(RecordKind::Dropped as u16)], &after[&(RecordKind::Checkpoint as u16)]);
    assert!(dropped.len() > 200 && left.len() > NEWEST, "{} dropped, {} left", dropped.len(), left.len());
    // It goes on from its newest checkpoint, and a replay from its first event comes to the same.
    for replays in [false, true] {
        let again = kept_within(&some, Some(budget), replays);
        assert_eq!((&again.1, &again.2), (&whole.1, &whole.2), "{:?}", again.0);
    }
    // Any moment of its past can be had, however early.
    let archive = Archive::new(&some, RecordedRun::default(), Arc::new(|| Ok(in_bars(80))));
    let day = |day: i64| SynthSettings::default().from.after(Span(day * Span::DAY.0));
    for at in [day(3), day(30), day(70)] {
        let end = std::time::Instant::now() + Duration::from_secs(120);
        let past = loop {
            match archive.find(at, whole.3, None) {
                Lookup::Past(past) => break past,
                Lookup::Fetching(_) => assert!(std::time::Instant::now() < end, "it never comes"),
                Lookup::Refused(why) => panic!("{why}"),
            }
            std::thread::yield_now();
        };
        assert_eq!((past.view.market_time, past.from), (Some(at), day(0).after(FOUR_HOURS)));
    }
}

/// What was said goes on beyond the last cursor of the journal: a command that was let in between made it other words, and the
/// run could not be gone on with.
#[test]
fn no_command_comes_before_all_is_said_again_that_was_said() {
    let folder = tempfile::tempdir().unwrap();
    // Lives until there is a word, of a block that is on disk, behind the last cursor, and tells how many that are.
    let open = |engine: &mut Engine, feed: &mut dyn Feed| {
        let identity = RunIdentity::new("hive", "roster".to_owned(), 1, feed.info(), feed.universe());
        recover::open(folder.path(), &identity, engine, feed, &Probe::Here.into()).unwrap()
    };
    let blocks = |engine: &Engine| engine.respond.bus.delivered() / 1_024;
    let (mut engine, mut feed) = in_bars(80);
    let Resumed { mut keeper, stats, talk, .. } = open(&mut engine, feed.as_mut());
    let mut stepper = Stepper::new(&mut engine, stats, Some(&mut keeper));
    stepper.talk = talk;
    let (mut at_cursor, mut said) = (0, 0);
    while let Some(event) = feed.next().unwrap() {
        let Some(_) = stepper.market(&event, feed.as_ref()).unwrap() else { continue };
        match stepper.stats.barriers % 4 {
            0 => at_cursor = blocks(stepper.engine),
            3 if stepper.stats.barriers > 80 && blocks(stepper.engine) > at_cursor => {
                said = blocks(stepper.engine) * 1_024;
                break;
            }
            _ => {}
        }
    }
    assert!(said > 0, "no block ends behind a cursor");
    drop(stepper);
    drop(keeper);
    let (mut engine, mut feed) = in_bars(80);
    let Resumed { mut keeper, stats, talk, .. } = open(&mut engine, feed.as_mut());
    let mut stepper = Stepper::new(&mut engine, stats, Some(&mut keeper));
    stepper.talk = talk;
    let mut muted = None;
    while let Some(event) = feed.next().unwrap() {
        let Some(at) = stepper.market(&event, feed.as_ref()).unwrap() else { continue };
        let barriers = stepper.stats.barriers;
        if muted.is_none() && stepper.caught_up() {
            assert!(stepper.engine.respond.bus.delivered() >= said);
            muted = Some(barriers);
            for agent in 0..40 {
                let (events, command) = (stepper.stats.events, Some(Command::Mute(AgentId(agent))));
                stepper
                    .command(&JournaledCommand { events, at, command, uid: 7, pid: 8, why: None })
                    .unwrap();
            }
        }
        if muted.is_some_and(|muted| barriers > muted + 24) {
            break;
        }
    }
    assert!(muted.is_some());
    stepper.end_talk(false).unwrap();
}
