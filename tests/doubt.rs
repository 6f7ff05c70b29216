//! What is in doubt comes up halted and says what, and what is refused is left as it is: the real program on state
//! folders whose end was damaged after somebody was told that it is safe, or whose journal is gone.

pub mod law;

use crate::kill::life::Life;
use crate::wire::served::{PATIENCE, command};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A folder with a state in it, and the program that runs on it.
struct Kept {
    home: TempDir,
}

/// What a command of `hive` said.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Kept {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
        Kept { home }
    }

    /// The same state, in a folder of its own.
    fn copy(&self) -> Self {
        let copy = Kept::new();
        law::copy(&self.path(""), &copy.path(""));
        copy
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join("state").join(name)
    }

    fn segment(&self) -> PathBuf {
        self.path("journal/00000001.seg")
    }

    fn hive(&self, args: &[&str]) -> Said {
        let said = command(args).current_dir(self.home.path()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Said { code: said.status.code(), out: text(said.stdout), err: text(said.stderr) }
    }

    fn ctl(&self, verb: &[&str]) -> Said {
        self.hive(&[&["ctl"], verb, &["--socket", "hive.sock"]].concat())
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.ctl(&["status"]).out).unwrap_or_default()
    }

    /// Goes on with the state, and waits until it can be asked.
    fn start(&self) -> Life {
        let _ = fs::remove_file(self.home.path().join("hive.sock"));
        let mut run = command(&["--no-tui", "--days", "60", "--scouts", "8", "--speed", "14400x"]);
        run.args(["--state", "state", "--socket", "hive.sock"]).current_dir(self.home.path());
        let mut life = Life::start(run);
        life.hears(&["serving"]);
        life
    }

    /// Waits until it has this mode and something has happened.
    fn comes_up(&self, mode: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let status = self.status();
            if status["mode"] == mode && status["market_time"].is_string() {
                return status;
            }
            assert!(Instant::now() < end, "not {mode}: {status}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A run that was told to halt, and died at once.
    fn killed() -> Self {
        let kept = Kept::new();
        let mut life = kept.start();
        kept.comes_up("running");
        assert_eq!(kept.ctl(&["kill"]).code, Some(0));
        life.kill();
        // It died right after the answer: what a run kept beyond the command was promised to nobody.
        let bytes = fs::read(kept.segment()).unwrap();
        let all = starts(&kept.segment());
        let command = |at: &usize| bytes.get(at + 24..at + 26) == Some(&[2, 0]);
        let last = all.iter().rposition(command).unwrap();
        fs::write(kept.segment(), &bytes[..all[last + 1]]).unwrap();
        kept
    }

    /// A run that was ended well, with a checkpoint.
    fn ended() -> Self {
        let kept = Kept::new();
        let mut life = kept.start();
        kept.comes_up("running");
        life.signal("TERM");
        assert_eq!(life.ends_within(PATIENCE).and_then(|e| e.code()), Some(0));
        kept
    }

    fn bytes(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        law::bytes(&self.path(""))
    }
}

/// Done to the bytes of a segment, whose last frame lies from one byte to the other.
type Damage = fn(&mut Vec<u8>, usize, usize);
/// Done to a state that was whole.
type Loss = fn(&Kept);

/// Where the frames of a segment begin, and its end.
fn starts(segment: &Path) -> Vec<usize> {
    let bytes = fs::read(segment).unwrap();
    let mut ends = vec![114];
    while let Some(len) = bytes.get(ends[ends.len() - 1]..).and_then(|b| b.first_chunk::<4>()) {
        ends.push(ends[ends.len() - 1] + 36 + u32::from_le_bytes(*len) as usize);
    }
    ends
}

#[test]
fn an_acknowledged_kill_whose_frame_is_damaged_comes_up_halted_and_says_why() {
    let killed = Kept::killed();
    let all = starts(&killed.segment());
    let (from, end) = (all[all.len() - 2], all[all.len() - 1]);
    let damages: [(&str, Damage); 4] = [
        ("flipped", |bytes, from, end| bytes[from.midpoint(end)] ^= 4),
        ("zeroed", |bytes, from, _| bytes[from..].fill(0)),
        ("cut inside", |bytes, from, end| bytes.truncate(from.midpoint(end))),
        ("cut at its start", |bytes, from, _| bytes.truncate(from)),
    ];
    for (name, damage) in damages {
        let kept = killed.copy();
        let mut bytes = fs::read(kept.segment()).unwrap();
        damage(&mut bytes, from, end);
        fs::write(kept.segment(), &bytes).unwrap();
        let said = kept.hive(&["journal", "verify", "state"]);
        assert_eq!(said.code, Some(1), "{name}: {}", said.out);
        assert!(said.err.contains("were acknowledged and cannot be read any more"), "{name}: {}", said.err);
        let mut life = kept.start();
        let status = kept.comes_up("halted");
        let because = status["because"].as_str().unwrap();
        assert!(because.contains("acknowledged") && because.contains("hive ctl reset"), "{name}: {because}");
        let said = life.rest();
        assert!(said.contains("in doubt: frames") && said.contains("hive restore"), "{name}: {said}");
        // What was cut is there to be looked at.
        let cut = fs::read_dir(kept.path("journal")).unwrap().find_map(|entry| {
            let path = entry.unwrap().path();
            path.file_name().unwrap().to_string_lossy().starts_with("cut-").then_some(path)
        });
        assert_eq!(
            cut.map(|cut| fs::read(cut).unwrap()),
            bytes.get(from..).filter(|b| !b.is_empty()).map(Into::into)
        );
        // The way out, and that it is one.
        assert_eq!(kept.ctl(&["reset"]).code, Some(0));
        kept.comes_up("running");
        life.kill();
        let mut life = kept.start();
        kept.comes_up("running");
        assert!(!life.rest().contains("in doubt: "), "{name}: {}", life.rest());
        life.kill();
    }
}

#[test]
fn an_end_that_was_torn_and_never_acknowledged_is_told_and_gone_on_from() {
    let kept = Kept::ended();
    let whole = fs::read(kept.segment()).unwrap();
    let all = starts(&kept.segment());
    // The first half of a frame, as a crash leaves it.
    let torn = &whole[all[0]..all[1]][..60];
    fs::write(kept.segment(), [&whole[..], torn].concat()).unwrap();
    let mut life = kept.start();
    kept.comes_up("running");
    let said = life.rest();
    assert!(said.contains("a torn end of 60 bytes was cut off") && said.contains("it is kept in"), "{said}");
    assert!(!said.contains("in doubt"), "{said}");
    let kept_cut = kept.path(&format!("journal/cut-1-00000001-{}", whole.len()));
    assert_eq!(fs::read(kept_cut).unwrap(), torn);
    life.kill();
}

#[test]
fn a_journal_that_vanished_is_no_new_run() {
    let ended = Kept::ended();
    let before = ended.start();
    let time = ended.comes_up("running")["market_time"].as_str().unwrap().to_owned();
    drop(before);
    let losses: [(&str, Loss); 5] = [
        ("the segment is removed", |kept| fs::remove_file(kept.segment()).unwrap()),
        ("the folder is removed", |kept| fs::remove_dir_all(kept.path("journal")).unwrap()),
        ("it is emptied", |kept| fs::write(kept.segment(), "").unwrap()),
        ("half a header is left", |kept| {
            let bytes = fs::read(kept.segment()).unwrap();
            fs::write(kept.segment(), &bytes[..60]).unwrap();
        }),
        ("it is renamed", |kept| fs::rename(kept.segment(), kept.path("journal/00000001.SEG")).unwrap()),
    ];
    for (name, lose) in losses {
        let kept = ended.copy();
        lose(&kept);
        let mut life = kept.start();
        let status = kept.comes_up("halted");
        let because = status["because"].as_str().unwrap();
        assert!(because.contains("the journal is gone, though"), "{name}: {because}");
        assert!(status["market_time"].as_str().unwrap() >= time.as_str(), "{name}: not from zero: {status}");
        assert!(life.rest().contains("sled, which is ahead of the journal"), "{name}: {}", life.rest());
        // It died before anybody reset it, and is as halted as before.
        life.kill();
        let mut life = kept.start();
        kept.comes_up("halted");
        life.kill();
        assert_eq!(kept.hive(&["journal", "verify", "state"]).code, Some(0), "{name}");
        // Without a store nothing is left to go on from, and nothing is touched.
        for rest in ["sled", "kill"] {
            let kept = ended.copy();
            lose(&kept);
            let _ = fs::remove_dir_all(kept.path("sled"));
            if rest == "kill" {
                // A file beside it changes nothing.
                fs::write(kept.path("kill"), "").unwrap();
            }
            let before = kept.bytes();
            let said =
                kept.hive(&["--no-tui", "--until-end", "--days", "60", "--scouts", "8", "--state", "state"]);
            assert_eq!(said.code, Some(3), "{name}: {}", said.err);
            for word in ["state/journal is gone", "acknowledged", "hive restore", "--fresh"] {
                assert!(said.err.contains(word), "{name}: {word} is not in {}", said.err);
            }
            assert!(kept.bytes() == before, "{name}: a refusal changes nothing");
        }
    }
}

#[test]
fn a_journal_that_lost_its_end_is_halted_at_and_keeps_what_is_cut() {
    let ended = Kept::ended();
    let len = fs::read(ended.segment()).unwrap().len();
    let mut life = {
        let bytes = fs::read(ended.segment()).unwrap();
        fs::write(ended.segment(), &bytes[..len - 3_000]).unwrap();
        ended.start()
    };
    let status = ended.comes_up("halted");
    assert!(status["because"].as_str().unwrap().contains("acknowledged"), "{status}");
    let said = life.rest();
    assert!(said.contains("a torn end of") && said.contains("it is kept in"), "{said}");
    life.kill();
    // All bytes that were there are there.
    let files = fs::read_dir(ended.path("journal")).unwrap();
    let cut: u64 = files
        .map(|e| e.unwrap())
        .filter(|e| e.file_name().to_string_lossy().starts_with("cut-"))
        .map(|e| e.metadata().unwrap().len())
        .sum();
    let starts = starts(&ended.segment());
    assert!(starts.contains(&(len - 3_000 - cut as usize)), "{cut} of {len}: {starts:?}");
}

#[test]
fn a_refusal_changes_nothing() {
    let ended = Kept::ended();
    let refused = |kept: &Kept, args: &[&str], words: &[&str]| {
        let before = kept.bytes();
        let base = ["--no-tui", "--until-end", "--days", "60", "--scouts", "8", "--state", "state"];
        let said = kept.hive(&[&base, args].concat());
        assert_eq!(said.code, Some(3), "{}", said.err);
        for word in words {
            assert!(said.err.contains(word), "{word} is not in {}", said.err);
        }
        assert!(kept.bytes() == before, "{}", said.err);
    };
    let torn = |kept: &Kept| {
        let mut bytes = fs::read(kept.segment()).unwrap();
        bytes.extend([7; 50]);
        fs::write(kept.segment(), bytes).unwrap();
    };
    // A torn end is not cut off the journal of another run, nor off one that is damaged.
    let kept = ended.copy();
    torn(&kept);
    refused(&kept, &["--seed", "9"], &["state of another run", "--fresh"]);
    let mut bytes = fs::read(kept.segment()).unwrap();
    bytes[200] ^= 1;
    fs::write(kept.segment(), bytes).unwrap();
    refused(&kept, &[], &["00000001.seg, byte 114", "hive journal repair"]);
    // A store that is ahead, of other settings.
    let kept = ended.copy();
    fs::remove_file(kept.segment()).unwrap();
    refused(&kept, &["--seed", "9"], &["state of another run"]);
}

#[test]
fn a_start_that_died_in_doubt_is_in_doubt_again() {
    let kept = Kept::ended();
    fs::write(
        kept.path("doubt"),
        "frames 8 to 9 of the journal were acknowledged and cannot be read any more\n",
    )
    .unwrap();
    let mut life = kept.start();
    let status = kept.comes_up("halted");
    assert!(status["because"].as_str().unwrap().starts_with("in doubt: frames 8 to 9"), "{status}");
    assert!(!kept.path("doubt").exists(), "it is in the journal now");
    let lines = kept.hive(&["journal", "export", "state"]).out;
    let commands: Vec<&str> = lines.lines().filter(|l| l.contains("\"kind\":\"command\"")).collect();
    assert!(commands.len() == 1 && commands[0].contains("in doubt: frames 8 to 9"), "{commands:?}");
    life.kill();
}

#[test]
fn a_mark_that_is_gone_or_cannot_be_read_is_doubt() {
    let ended = Kept::ended();
    for damage in ["gone", "zeroed"] {
        let kept = ended.copy();
        match damage {
            "gone" => fs::remove_file(kept.path("acknowledged")).unwrap(),
            _ => fs::write(kept.path("acknowledged"), vec![0; 1024]).unwrap(),
        }
        let mut life = kept.start();
        let status = kept.comes_up("halted");
        assert!(status["because"].as_str().unwrap().contains("acknowledged"), "{status}");
        life.kill();
    }
}

#[test]
fn a_run_to_its_end_that_was_in_doubt_ends_in_doubt() {
    let base = ["--no-tui", "--until-end", "--days", "60", "--scouts", "8", "--quiet", "--state", "state"];
    let other = Kept::new();
    assert_eq!(other.hive(&base).code, Some(0));
    fs::remove_file(other.path("acknowledged")).unwrap();
    let said = other.hive(&base);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("the run ended in doubt: the mark of how far"), "{}", said.err);
}
