//! The law of damage: whatever is flipped, cut, zeroed or removed in a state folder, the run goes on as if nothing had
//! been, or it is halted and says so, or it is refused with the file, and then nothing is changed. Never a panic, and
//! nothing that was acknowledged is lost in silence. `HIVE_DAMAGES` and `HIVE_POWER_CUTS` set how
//! many; `tests/long/damages.sh` asks for 10 000 of each.

use crate::beside::is_apart;
use crate::cli::hand::program;
use crate::kill::damage::Run;
use crate::kill::life::Chance;
use hive::domain::{AgentId, Command};
use hive::journal::{MarkFile, MarkReading};
use hive::runtime::recover::Probe;
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Damages and power cuts where nobody says how many.
const DAMAGES: u64 = 160;
const POWER_CUTS: u64 = 60;
/// Events after which each run of this law died, and up to which it is looked at.
const DEAD: u64 = 1_500;
const LOOKED: u64 = 1_520;

pub fn copy(from: &Path, to: &Path) {
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

/// Every file of a folder but its lock, byte by byte.
pub fn bytes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(bytes(&path));
        } else if path.file_name().is_some_and(|name| name != "lock") {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}

/// Does one thing to one file, and says what.
fn damage(dir: &Path, chance: &mut Chance) -> String {
    let files: Vec<PathBuf> = bytes(dir).into_keys().collect();
    // As often the journal, the mark, and the store, however many files each has.
    let part = ["journal", "acknowledged", "sled"][chance.below(3) as usize];
    let mine = |f: &&PathBuf| f.strip_prefix(dir).unwrap().starts_with(part);
    let files: Vec<&PathBuf> = files.iter().filter(mine).collect();
    let Some(file) = files.get(chance.below(files.len().max(1) as u64) as usize) else {
        return format!("nothing of {part} is left");
    };
    let mut bytes = fs::read(file).unwrap();
    let at = chance.below(bytes.len().max(1) as u64) as usize;
    let name = file.strip_prefix(dir).unwrap().display();
    let what = match chance.below(8) {
        0..=2 if !bytes.is_empty() => {
            bytes[at] ^= 1 << chance.below(8);
            format!("byte {at} of {name} is flipped")
        }
        3 | 4 => {
            bytes.truncate(at);
            format!("{name} is cut at {at}")
        }
        5 => {
            let end = (at + chance.below(4_096) as usize + 1).min(bytes.len());
            bytes[at..end].fill(0);
            format!("{name} is zero from {at} to {end}")
        }
        6 if part == "journal" => {
            // Where nothing of it is bad: only what is beside it can tell.
            let mut starts = vec![114];
            while let Some(len) = bytes.get(starts[starts.len() - 1]..).and_then(|b| b.first_chunk::<4>()) {
                starts.push(starts[starts.len() - 1] + 36 + u32::from_le_bytes(*len) as usize);
            }
            let at = starts[chance.below(starts.len() as u64) as usize];
            bytes.truncate(at);
            format!("{name} is cut at the frame at {at}")
        }
        _ => {
            fs::remove_file(file).unwrap();
            return format!("{name} is removed");
        }
    };
    fs::write(file, bytes).unwrap();
    what
}

/// What became of a damaged state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    AsIfNothing,
    Halted,
    Refused,
}

/// Opens a damaged folder and goes a little beyond where the run died.
fn tried(dir: &Path, whole: &str) -> Result<Outcome, String> {
    let before = bytes(dir);
    let mut run = Run::new();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let news = run.opens_until(dir, LOOKED, &Probe::Child(program()))?;
        Ok((news, run.engine.state_hash(), run.engine.respond.real.account.hand.is_killed()))
    }));
    let ended = ended.map_err(|_| "it panicked".to_owned())?;
    match ended {
        Ok((_, hash, _)) if hash == whole => Ok(Outcome::AsIfNothing),
        Ok((news, _, true)) if news.contains("in doubt: ") && news.contains("hive ctl reset") => {
            Ok(Outcome::Halted)
        }
        Ok((news, _, halted)) => Err(format!("halted {halted}, and the end is another: {news}")),
        Err(why) => {
            let why: String = why;
            let now = bytes(dir);
            let says = why.contains(dir.to_string_lossy().as_ref())
                && [".seg, byte ", ".seg is missing", "journal is gone"].iter().any(|w| why.contains(w))
                && ["hive restore", "hive journal repair", "--fresh"].iter().any(|w| why.contains(w));
            match () {
                () if now != before => Err(format!("refused, and changed: {why}")),
                () if !says => Err(format!("refused without file or way out: {why}")),
                () => {
                    eprintln!("refused: {why}");
                    Ok(Outcome::Refused)
                }
            }
        }
    }
}

fn wanted(variable: &str, unasked: u64) -> u64 {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(unasked)
}

/// A run whose last frames are cursors, one whose last is a command, and one that was torn when it died: its folder, and
/// the hash of what each comes to if nothing else is done to it.
fn dead(home: &Path) -> Vec<(PathBuf, String)> {
    let (one, two) = (AgentId(1), AgentId(2));
    let lives: [&[(u64, Command)]; 3] = [
        &[(300, Command::Pause(one)), (1_303, Command::Unfund(two))],
        &[(900, Command::Mute(two)), (DEAD, Command::Kill)],
        &[(700, Command::Flatten), (1_200, Command::ResumeAll), (DEAD - 300, Command::Pause(one))],
    ];
    let one = |(n, commands): (usize, &&[(u64, Command)])| {
        let (dir, copied) = (home.join(format!("dead{n}")), home.join(format!("whole{n}")));
        Run::new().until(&dir, DEAD, commands);
        if n == 2 {
            let file = dir.join("journal/00000001.seg");
            let mut bytes = fs::read(&file).unwrap();
            bytes.extend([9; 77]);
            fs::write(file, bytes).unwrap();
        }
        copy(&dir, &copied);
        let mut run = Run::new();
        let news = run.opens_until(&copied, LOOKED, &Probe::Child(program())).unwrap();
        assert!(!news.contains("in doubt"), "{news}");
        (dir, run.engine.state_hash())
    };
    lives.iter().enumerate().map(one).collect()
}

/// What a machine that goes down leaves: all that was synced, of the rest whatever reached the disk, page by page and in
/// any order, and of the store anything.
fn cut_the_power(dir: &Path, chance: &mut Chance) -> String {
    let MarkReading::Upto(upto) = MarkFile::read(&dir.join("acknowledged")).unwrap() else {
        panic!("no mark")
    };
    let file = dir.join("journal/00000001.seg");
    let mut bytes = fs::read(&file).unwrap();
    let mut synced = 114;
    for _ in 0..upto.seq {
        synced += 36 + u32::from_le_bytes(*bytes[synced..].first_chunk::<4>().unwrap()) as usize;
    }
    bytes.extend((0..chance.below(3_000)).map(|_| chance.below(256) as u8));
    let mut said = format!("{} bytes were synced, {} not", synced, bytes.len() - synced);
    // Pages here are small, so that several lie in what little was not synced.
    for page in bytes[synced..].chunks_mut(100) {
        match chance.below(4) {
            0 => page.fill(0),
            1 => page.iter_mut().for_each(|b| *b = chance.below(256) as u8),
            _ => {}
        }
    }
    bytes.truncate(synced + chance.below((bytes.len() - synced) as u64 + 1) as usize);
    fs::write(&file, bytes).unwrap();
    let store = bytes_of_store(dir);
    match (chance.below(4), store.is_empty()) {
        (0, _) => fs::remove_dir_all(dir.join("sled")).unwrap(),
        (1, false) => {
            let (file, bytes) = &store[chance.below(store.len() as u64) as usize];
            fs::write(file, &bytes[..chance.below(bytes.len() as u64 + 1) as usize]).unwrap();
            said += ", the store is cut";
        }
        _ => {}
    }
    said
}

fn bytes_of_store(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    bytes(&dir.join("sled")).into_iter().collect()
}

#[test]
fn no_power_cut_loses_what_was_acknowledged_and_none_is_doubt() {
    if !is_apart(module_path!(), "no_power_cut_loses_what_was_acknowledged_and_none_is_doubt") {
        return;
    }
    let wanted = wanted("HIVE_POWER_CUTS", POWER_CUTS);
    let home = tempfile::tempdir().unwrap();
    let dead = dead(home.path());
    let mut chance = Chance::new();
    let mut wrong = Vec::new();
    for n in 0..wanted {
        let (dead, whole) = &dead[n as usize % dead.len()];
        let dir = home.path().join("cut");
        let _ = fs::remove_dir_all(&dir);
        copy(dead, &dir);
        let done = cut_the_power(&dir, &mut chance);
        match tried(&dir, whole) {
            Ok(Outcome::AsIfNothing) => {}
            other => wrong.push(format!("{done}: {other:?}")),
        }
    }
    eprintln!("{wanted} power cuts, {} against the law", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_damage_is_silent_and_a_refusal_changes_nothing() {
    if !is_apart(module_path!(), "no_damage_is_silent_and_a_refusal_changes_nothing") {
        return;
    }
    let wanted = wanted("HIVE_DAMAGES", DAMAGES);
    let home = tempfile::tempdir().unwrap();
    let dead = dead(home.path());
    let mut chance = Chance::new();
    let mut outcomes: BTreeMap<Outcome, u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for n in 0..wanted {
        let (dead, whole) = &dead[n as usize % dead.len()];
        let dir = home.path().join("hurt");
        let _ = fs::remove_dir_all(&dir);
        copy(dead, &dir);
        // One damage, or two at once.
        let done: Vec<String> = (0..=chance.below(2)).map(|_| damage(&dir, &mut chance)).collect();
        match tried(&dir, whole) {
            Ok(outcome) => *outcomes.entry(outcome).or_default() += 1,
            Err(why) => wrong.push(format!("{}: {why}", done.join(", "))),
        }
    }
    eprintln!("{wanted} damages: {outcomes:?}, {} against the law", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(outcomes.len(), 3, "each way out was taken: {outcomes:?}");
}
