//! What can happen to a store, and that nothing comes of it. Each in a process of its own: here the test itself holds
//! the lock of the folder, and a program that another test is just starting would hold it for a moment longer.

use super::life::{Chance, stepped_again};
use crate::beside::is_apart;
use crate::cli::hand::{Desk, program};
use crate::doubt::law::copy;
use hive::config;
use hive::config::setup;
use hive::domain::{AgentId, Command, Span};
use hive::engine::Engine;
use hive::market::feed::Feed;
use hive::market::synth::{SynthFeed, SynthSettings};
use hive::runtime::drive::{self, Ended};
use hive::runtime::keep::JournaledCommand;
use hive::runtime::pace::BarPace;
use hive::runtime::recover::{self, Probe, RecoverError, Resumed, RunIdentity};
use hive::runtime::stepper::Stepper;
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

/// Events of the run below, or a little less.
const EVENTS: u64 = 45 * 6 * 16;
/// Events until the first checkpoint, and between that and the second.
const CHECKPOINT: u64 = 64 * 16;

/// A run of a month and a half, as the program makes it.
pub struct Run {
    pub engine: Engine,
    feed: SynthFeed,
    identity: RunIdentity,
}

impl Run {
    pub fn new() -> Self {
        let mut config = config::shipped().unwrap();
        config.roster.scouts = 0;
        let clock = Span(4 * Span::HOUR.0);
        let feed =
            SynthFeed::new(SynthSettings { bars_days: 45, clock, ..SynthSettings::default() }).unwrap();
        let engine = Engine::new(&config.roster, feed.universe(), &setup::settings(&config), 1);
        let identity =
            RunIdentity::new("test", config::roster_hash(&config), 1, feed.info(), feed.universe());
        Run { engine, feed, identity }
    }

    fn open(&mut self, dir: &Path) -> Result<Resumed, RecoverError> {
        recover::open(dir, &self.identity, &mut self.engine, &mut self.feed, &Probe::Child(program()).into())
    }

    /// Opens, runs to the end, and tells what was said at the start and the hash of the end.
    pub fn finish(&mut self, dir: &Path) -> (String, String) {
        let Resumed { mut keeper, stats, news, .. } = self.open(dir).unwrap();
        let mut stepper = Stepper::new(&mut self.engine, stats, Some(&mut keeper));
        let never = AtomicBool::new(false);
        let ended = drive::run(&mut stepper, &mut self.feed, BarPace::MAX, &never, None, |_| ()).unwrap();
        assert_eq!(ended, Ended::Feed);
        let stats = stepper.stats;
        keeper.end(&self.engine, &stats, &self.feed).unwrap();
        assert!(keeper.news().is_empty(), "the store takes what is put");
        (news.join("\n"), self.engine.state_hash())
    }

    /// Goes on until so many events of the feed are stepped, or says why it is refused.
    pub fn opens_until(&mut self, dir: &Path, events: u64, probe: &Probe) -> Result<String, String> {
        let opened =
            recover::open(dir, &self.identity, &mut self.engine, &mut self.feed, &probe.clone().into());
        let Resumed { mut keeper, stats, news, .. } = opened.map_err(|e| e.to_string())?;
        let mut stepper = Stepper::new(&mut self.engine, stats, Some(&mut keeper));
        stepper.replay().map_err(|e| e.to_string())?;
        while stepper.stats.events < events
            && let Some(event) = self.feed.next().unwrap()
        {
            stepper.market(&event, &self.feed).map_err(|e| e.to_string())?;
        }
        assert!(stepper.caught_up(), "it is where it was, and beyond");
        Ok(news.join("\n"))
    }

    /// Goes on until so many events of the feed are stepped, giving these commands on the way; then it is
    /// as dead as a process that was killed.
    pub fn until(&mut self, dir: &Path, events: u64, commands: &[(u64, Command)]) -> String {
        let Resumed { mut keeper, stats, news, .. } = self.open(dir).unwrap();
        let mut stepper = Stepper::new(&mut self.engine, stats, Some(&mut keeper));
        stepper.replay().unwrap();
        while stepper.stats.events < events
            && let Some(event) = self.feed.next().unwrap()
        {
            stepper.market(&event, &self.feed).unwrap();
            if !stepper.caught_up() {
                continue;
            }
            let done = stepper.stats.events;
            for (at, command) in commands.iter().filter(|(at, _)| *at == done) {
                let (uid, pid, now) = (7, 8, stepper.engine.now().unwrap());
                stepper
                    .command(&JournaledCommand {
                        events: *at,
                        at: now,
                        command: Some(*command),
                        uid,
                        pid,
                        why: None,
                    })
                    .unwrap();
            }
        }
        news.join("\n")
    }
}

/// A folder in which the run stopped dead two thirds of the way, and the hash of the whole run.
fn dead(desk: &Desk) -> (PathBuf, String) {
    let whole = Run::new().finish(&desk.path("whole")).1;
    let dir = desk.path("dead");
    Run::new().until(&dir, EVENTS * 2 / 3, &[]);
    (dir, whole)
}

#[test]
fn commands_act_again_after_the_same_events_whatever_was_lost_in_between() {
    if !is_apart(module_path!(), "commands_act_again_after_the_same_events_whatever_was_lost_in_between") {
        return;
    }
    let (one, two) = (AgentId(1), AgentId(2));
    let commands = [
        (300, Command::Pause(one)),
        (900, Command::Mute(two)),
        (900, Command::Unfund(two)),
        // In the middle of a barrier's bars, and one that comes to nothing.
        (1_303, Command::Deafen(one)),
        (1_303, Command::Deafen(one)),
        (1_500, Command::Flatten),
        (1_700, Command::ResumeAll),
        (1_999, Command::Kill),
        (2_050, Command::Reset),
    ];
    let desk = Desk::new();
    let whole = desk.path("whole");
    Run::new().until(&whole, EVENTS - 1, &commands);
    let whole = Run::new().finish(&whole).1;
    assert_ne!(whole, Run::new().finish(&desk.path("none")).1, "the commands did something");
    let dir = desk.path("killed");
    let mut chance = Chance::new();
    for kill in 1..=12_u64 {
        Run::new().until(&dir, kill * EVENTS / 12 - chance.below(40), &commands);
        if chance.below(2) == 0 {
            delete(&dir.join("sled"));
        }
    }
    let (news, hash) = Run::new().finish(&dir);
    assert_eq!(hash, whole, "{news}");
    let mut given = Vec::new();
    hive::journal::scan(&dir.join("journal"), |frame| {
        given.extend(serde_json::from_slice::<JournaledCommand>(frame.payload).ok());
        Ok(())
    })
    .unwrap();
    let all: Vec<_> = given.iter().map(|g| (g.events, g.command.unwrap())).collect();
    assert_eq!(all, commands, "each is journalled once");
    assert!(given.iter().all(|g| (g.uid, g.pid) == (7, 8)));
}

#[test]
fn fault08_a_store_deleted_cut_or_flipped_costs_nothing() {
    if !is_apart(module_path!(), "fault08_a_store_deleted_cut_or_flipped_costs_nothing") {
        return;
    }
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
fn a_store_that_is_ahead_of_its_journal_is_gone_on_from_and_halts() {
    if !is_apart(module_path!(), "a_store_that_is_ahead_of_its_journal_is_gone_on_from_and_halts") {
        return;
    }
    let desk = Desk::new();
    let (dir, whole) = dead(&desk);
    // Nothing of what is left is bad: only what is beside it knows that there was more.
    let file = dir.join("journal/00000001.seg");
    let bytes = fs::read(&file).unwrap();
    let mut ends = vec![114];
    while let Some(len) = bytes.get(ends[ends.len() - 1]..).and_then(|b| b.first_chunk::<4>()) {
        ends.push(ends[ends.len() - 1] + 36 + u32::from_le_bytes(*len) as usize);
    }
    fs::write(&file, &bytes[..ends[ends.len() / 3]]).unwrap();
    // As it is written where no mark was kept yet, too: the store alone knows.
    for marked in [true, false] {
        let desk = Desk::new();
        let there = desk.path("state");
        copy(&dir, &there);
        if !marked {
            fs::remove_file(there.join("acknowledged")).unwrap();
        }
        let mut run = Run::new();
        let (news, hash) = run.finish(&there);
        assert!(
            news.contains("sled, which is ahead of the journal") && news.contains("in doubt: "),
            "{news}"
        );
        assert!(news.contains("the store has seen frame"), "{news}");
        assert!(run.engine.respond.real.account.hand.is_killed());
        assert_ne!(hash, whole, "it halted on the way");
        // A replay halts where the run did, from the store and from the journal alone.
        assert_eq!(Run::new().finish(&there).1, hash);
        delete(&there.join("sled"));
        let (news, again) = Run::new().finish(&there);
        assert_eq!((again, news.contains("in doubt")), (hash, false), "{news}");
    }
}

#[test]
fn a_kill_between_journal_and_store_is_no_doubt() {
    if !is_apart(module_path!(), "a_kill_between_journal_and_store_is_no_doubt") {
        return;
    }
    let desk = Desk::new();
    let dir = desk.path("state");
    // After one checkpoint, and after two.
    Run::new().until(&dir, CHECKPOINT + 50, &[]);
    copy(&dir.join("sled"), &desk.path("before"));
    Run::new().until(&dir, 2 * CHECKPOINT + 50, &[]);
    delete(&dir.join("sled"));
    copy(&desk.path("before"), &dir.join("sled"));
    let (news, _) = Run::new().finish(&dir);
    assert!(news.contains("in the journal, at") && !news.contains("doubt"), "{news}");
}
