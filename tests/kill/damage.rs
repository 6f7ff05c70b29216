//! What can happen to a store, and that nothing comes of it.

use super::life::{Chance, stepped_again};
use crate::hand::{Desk, program};
use hive::config;
use hive::domain::Span;
use hive::engine::Engine;
use hive::market::feed::Feed;
use hive::market::synth::{SynthFeed, SynthSettings};
use hive::runtime::drive::{self, Ended, Speed, Told};
use hive::runtime::keep::KeepError;
use hive::runtime::recover::{self, Identity, Probe, RecoverError, Resumed};
use hive::runtime::setup;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Random places of the store that are hit, one at a time.
const FLIPS: u32 = 40;

pub fn delete(folder: &Path) {
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.retain(|f| fs::metadata(f).unwrap().len() > 0);
    all.sort();
    all
}

/// Flips one bit of one file of a folder.
pub fn flip(folder: &Path, chance: &mut Chance) {
    let files = files(folder);
    if files.is_empty() {
        return;
    }
    let file = &files[chance.below(files.len() as u64) as usize];
    let mut bytes = fs::read(file).unwrap();
    let bit = chance.below(bytes.len() as u64 * 8) as usize;
    eprintln!("bit {bit} of {}", file.display());
    bytes[bit / 8] ^= 1 << (bit % 8);
    fs::write(file, bytes).unwrap();
}

/// A run of a month, as the program makes it.
struct Run {
    engine: Engine,
    feed: SynthFeed,
    identity: Identity,
}

#[derive(Debug)]
struct Broke(String);

impl From<hive::market::FeedError> for Broke {
    fn from(e: hive::market::FeedError) -> Self {
        Broke(e.to_string())
    }
}

impl From<KeepError> for Broke {
    fn from(e: KeepError) -> Self {
        Broke(e.to_string())
    }
}

impl Run {
    fn new() -> Self {
        let mut config = config::shipped().unwrap();
        config.roster.scouts = 0;
        let clock = Span(4 * Span::HOUR.0);
        let feed =
            SynthFeed::new(SynthSettings { bars_days: 45, clock, ..SynthSettings::default() }).unwrap();
        let engine = Engine::new(&config.roster, feed.universe(), &setup::settings(&config), 1);
        let identity = Identity::new("test", config::roster_hash(&config), 1, feed.info(), feed.universe());
        Run { engine, feed, identity }
    }

    fn open(&mut self, dir: &Path) -> Result<Resumed, RecoverError> {
        recover::open(dir, &self.identity, &mut self.engine, &mut self.feed, &Probe::Child(program()))
    }

    /// Opens, runs to the end, and tells what was said at the start and the hash of the end.
    fn finish(&mut self, dir: &Path) -> (String, String) {
        let Resumed { mut keeper, told, news, .. } = self.open(dir).unwrap();
        let told = self.go_on(told, |engine, told| keeper.barrier(engine, told));
        keeper.end(&self.engine, &told).unwrap();
        assert!(keeper.news().is_empty(), "the store takes what is put");
        (news.join("\n"), self.engine.state_hash())
    }

    fn go_on(
        &mut self,
        told: Told,
        mut barrier: impl FnMut(&Engine, &Told) -> Result<(), KeepError>,
    ) -> Told {
        let never = AtomicBool::new(false);
        let feed = &mut self.feed;
        let done = drive::go_on(&mut self.engine, feed, Speed::Max, told, &never, |engine, told, _| {
            barrier(engine, told).map_err(Broke::from)
        });
        let (told, ended) = done.unwrap_or_else(|Broke(why)| panic!("{why}"));
        assert_eq!(ended, Ended::Feed);
        told
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let there = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &there);
        } else {
            fs::copy(&path, &there).unwrap();
        }
    }
}

/// A folder in which the run stopped dead two thirds of the way, and the hash of the whole run.
fn dead(desk: &Desk) -> (PathBuf, String) {
    let whole = Run::new().finish(&desk.path("whole")).1;
    let dir = desk.path("dead");
    let mut run = Run::new();
    let Resumed { mut keeper, told, .. } = run.open(&dir).unwrap();
    let cut = run.feed.info().bars * 2 / 3;
    run.go_on(told, |engine, told| if told.barriers <= cut { keeper.barrier(engine, told) } else { Ok(()) });
    (dir, whole)
}

#[test]
fn fault08_a_store_deleted_cut_or_flipped_costs_nothing() {
    let desk = Desk::new();
    let (dead, whole) = dead(&desk);
    let mut chance = Chance::new();
    let mut aside = 0;
    let mut hurt = |name: &str, damage: &mut dyn FnMut(&Path)| {
        let dir = desk.path(name);
        copy(&dead, &dir);
        damage(&dir.join("sled"));
        let (news, hash) = Run::new().finish(&dir);
        assert_eq!(hash, whole, "{name}: {news}");
        assert!(stepped_again(&news).is_some_and(|(events, _)| events > 0), "{name}: {news}");
        let moved = dir.join("sled.bad-1").exists();
        assert_eq!(moved, news.contains("the store is in doubt"), "{name}: {news}");
        aside += u32::from(moved);
        // What was written anew is believed at the next start.
        let (news, hash) = Run::new().finish(&dir);
        assert_eq!((hash.as_str(), news.contains("in sled, at")), (whole.as_str(), true), "{name}: {news}");
        news
    };
    hurt("untouched", &mut |_| {});
    hurt("deleted", &mut |sled| delete(sled));
    for i in 0..8 {
        hurt(&format!("cut{i}"), &mut |sled| {
            for file in files(sled) {
                let len = chance.below(fs::metadata(&file).unwrap().len());
                fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(len).unwrap();
            }
        });
    }
    for i in 0..FLIPS {
        hurt(&format!("flip{i}"), &mut |sled| flip(sled, &mut chance));
    }
    assert!(aside > 0, "nothing was ever doubted");
}

#[test]
fn a_store_that_is_ahead_of_its_journal_shows_what_the_journal_lost() {
    let desk = Desk::new();
    let (dir, whole) = dead(&desk);
    // Nothing of what is left is bad: only the store knows that there was more.
    let file = dir.join("journal/00000001.seg");
    let bytes = fs::read(&file).unwrap();
    let mut ends = vec![114];
    while let Some(len) = bytes.get(ends[ends.len() - 1]..).and_then(|b| b.first_chunk::<4>()) {
        ends.push(ends[ends.len() - 1] + 36 + u32::from_le_bytes(*len) as usize);
    }
    fs::write(&file, &bytes[..ends[ends.len() / 3]]).unwrap();
    let error = Run::new().open(&dir).err().unwrap();
    assert!(matches!(error, RecoverError::Lost { .. }), "{error}");
    assert!(error.to_string().contains("sled away"), "{error}");
    // The way out that it names.
    fs::rename(dir.join("sled"), dir.join("sled.old")).unwrap();
    assert_eq!(Run::new().finish(&dir).1, whole);
}

#[test]
fn a_kill_between_journal_and_store_is_no_doubt() {
    let desk = Desk::new();
    let dir = desk.path("state");
    let mut run = Run::new();
    let Resumed { mut keeper, told, .. } = run.open(&dir).unwrap();
    let (every, _) = recover_pace(&run);
    let mut behind = false;
    run.go_on(told, |engine, told| {
        if told.barriers > 2 * every {
            return Ok(());
        }
        if told.barriers == 2 * every {
            copy(&dir.join("sled"), &desk.path("before"));
            behind = true;
        }
        keeper.barrier(engine, told)
    });
    assert!(behind);
    drop(keeper);
    delete(&dir.join("sled"));
    copy(&desk.path("before"), &dir.join("sled"));
    let (news, _) = Run::new().finish(&dir);
    assert!(news.contains("in the journal, at") && !news.contains("doubt"), "{news}");
}

fn recover_pace(run: &Run) -> (u64, u64) {
    hive::runtime::keep::Keeper::pace(run.feed.info().bars)
}
