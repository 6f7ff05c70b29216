//! The state of a run as a copy, made while the run writes and put back; and a damaged journal, ended before its damage.

use crate::beside::{is_apart, on_the_clock};
use crate::cli::hand::{Desk, Ran};
use crate::doubt::law::{bytes, copy};
use crate::kill::damage::Run;
use crate::kill::life::Life;
use hive::domain::{AgentId, Command};
use hive::journal::{self, RecordKind};
use hive::runtime::keep::JournaledCommand;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// The market of these runs.
const MARKET: [&str; 6] = ["--no-tui", "--until-end", "--days", "365", "--scouts", "8"];

/// Everything that a run in a folder ends with but how long it took.
fn end(desk: &Desk, state: &str) -> (Value, Ran) {
    let out = desk.path("end.json").to_string_lossy().into_owned();
    let ran = desk.run(&[&MARKET[..], &["--state", state, "--quiet", "--summary", &out]].concat());
    let mut summary: Value = serde_json::from_str(&fs::read_to_string(&out).unwrap()).unwrap();
    summary.as_object_mut().unwrap().remove("wall_s");
    (summary, ran)
}

fn segment_length(state: &Path) -> u64 {
    fs::metadata(state.join("journal/00000001.seg")).map_or(0, |m| m.len())
}

#[test]
fn a_backup_that_was_made_while_the_run_wrote_ends_as_the_run_does_and_is_put_back() {
    let _clock = on_the_clock();
    let desk = Desk::new();
    let mut run = [&MARKET[..], &["--state", "state", "--quiet"]].concat();
    // Slow enough that it is not over when the copies are made: twenty seconds.
    run.extend(["--speed", "1576800x"]);
    let mut life = Life::start(desk.command(&run));
    life.hears(&["is kept in"]);
    let state = desk.path("state");
    let (mut made, mut length) = (0, 0);
    let until = Instant::now() + Duration::from_secs(60);
    while made < 6 {
        assert!(Instant::now() < until, "it writes nothing");
        if segment_length(&state) == length {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        }
        // It has just written, and is at it.
        length = segment_length(&state);
        made += 1;
        let said = desk.run(&["backup", &format!("copy{made}"), "--state", "state"]).well();
        assert!(said.out.contains("read back whole"), "{said:?}");
    }
    assert!(life.ends_within(Duration::from_millis(1)).is_none(), "it was running all the time");
    life.kill();
    let (whole, _) = end(&desk, "state");
    for n in 1..=made {
        let copy = format!("copy{n}");
        assert!(desk.run(&["journal", "verify", &copy]).well().out.contains(": whole, run"));
        assert!(!desk.path(&copy).join("sled").exists());
        let (summary, ran) = end(&desk, &copy);
        assert_eq!(summary, whole, "{}", ran.err);
        assert!(!ran.err.contains("in doubt"), "{}", ran.err);
    }
    // The state is gone; a copy takes its place.
    fs::remove_dir_all(&state).unwrap();
    desk.run(&["backup", "again", "--state", "copy6"]).well();
    desk.run(&["restore", "again", "--state", "state"]).well();
    let (summary, ran) = end(&desk, "state");
    assert_eq!((summary, ran.code), (whole, Some(0)), "{}", ran.err);
}

#[test]
fn a_state_that_is_restored_over_what_was_acknowledged_since_comes_up_halted() {
    if !is_apart(module_path!(), "a_state_that_is_restored_over_what_was_acknowledged_since_comes_up_halted")
    {
        return;
    }
    let desk = Desk::new();
    let state = desk.path("state");
    Run::new().until(&state, 1_200, &[(300, Command::Pause(AgentId(1)))]);
    desk.run(&["backup", "copy", "--state", "state"]).well();
    // Nothing was acknowledged since: nothing is in doubt.
    let said = desk.run(&["restore", "copy", "--state", "state"]).well();
    assert!(said.err.contains("state.old-1") && !said.err.contains("halted"), "{said:?}");
    fs::write(state.join("kill"), "").unwrap();
    Run::new().until(&state, 1_400, &[(1_300, Command::Mute(AgentId(2)))]);
    let before = bytes(&state);
    let said = desk.run(&["restore", "copy", "--state", "state"]).well();
    assert!(
        said.err.contains("comes up halted: it was restored") && said.err.contains("hive ctl reset"),
        "{said:?}"
    );
    assert!(state.join("kill").exists(), "what halts is not taken away");
    let aside = desk.path("state.old-2");
    assert!(bytes(&aside).values().eq(before.values()), "what was there is left as it was");
    let mut run = Run::new();
    let (news, _) = run.finish(&state);
    assert!(news.contains("in doubt: it was restored from a backup that ends before frames"), "{news}");
    assert!(run.engine.respond.real.account.hand.is_killed());
}

#[test]
fn a_copy_is_never_made_over_something_nor_of_what_is_damaged_or_in_use() {
    let desk = Desk::new();
    let kept = ["--no-tui", "--until-end", "--days", "60", "--scouts", "0", "--quiet", "--state", "state"];
    desk.run(&kept).well();
    desk.write("there/file", "mine");
    desk.run(&["backup", "there", "--state", "state"]).refused(&["there is there already", "a new folder"]);
    desk.run(&["backup", "copy", "--state", "nowhere"]).refused(&["nowhere holds no run", "--state"]);
    desk.run(&["restore", "nowhere", "--state", "state"]).refused(&["nowhere holds no run"]);
    desk.run(&["backup", "copy", "--state", "state"]).well();
    let mut life = Life::start(desk.command(&[&kept[..], &["--speed", "14400x", "--fresh"]].concat()));
    life.hears(&["is kept in"]);
    for args in [&["restore", "copy", "--state", "state"][..], &["journal", "repair", "state"]] {
        let said = desk.run(args);
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(said.err.contains("in use by process"), "{said:?}");
    }
    life.kill();
    // A copy of what is damaged would be believed.
    let file = desk.path("copy/journal/00000001.seg");
    let whole = fs::read(&file).unwrap();
    let mut bad = whole.clone();
    bad[300] ^= 1;
    fs::write(&file, &bad).unwrap();
    for args in [&["backup", "second", "--state", "copy"][..], &["restore", "copy", "--state", "state"]] {
        let said = desk.run(args);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.err.contains("copy/journal/00000001.seg, byte "), "{said:?}");
    }
    fs::write(&file, &whole[..whole.len() - 10]).unwrap();
    let said = desk.run(&["restore", "copy", "--state", "state"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("was acknowledged, and the journal ends at frame"), "{said:?}");
    assert!(
        !desk.path("second").exists()
            && !desk.path("second.part").exists()
            && !desk.path("state.part").exists()
    );
}

/// Frames of a journal: number, kind, and where each begins.
fn frames(state: &Path) -> Vec<(u64, u16, usize)> {
    let (mut all, mut at) = (Vec::new(), 114);
    journal::scan(&state.join("journal"), |frame| {
        all.push((frame.seq, frame.kind, at));
        at += frame.size();
        Ok(())
    })
    .unwrap();
    all
}

#[test]
fn a_damaged_journal_is_ended_before_its_damage_and_the_original_left_beside() {
    if !is_apart(module_path!(), "a_damaged_journal_is_ended_before_its_damage_and_the_original_left_beside")
    {
        return;
    }
    let desk = Desk::new();
    let (one, two) = (AgentId(1), AgentId(2));
    let commands = [(300, Command::Pause(one)), (900, Command::Mute(two)), (1_303, Command::Unfund(two))];
    let state = desk.path("state");
    Run::new().until(&state, 1_500, &commands);
    let (seq, _, at) =
        frames(&state).into_iter().filter(|(_, kind, _)| *kind == RecordKind::Command as u16).nth(1).unwrap();
    let file = state.join("journal/00000001.seg");
    let mut bad = fs::read(&file).unwrap();
    bad[at + 50] ^= 1;
    fs::write(&file, &bad).unwrap();
    // Without the store, of which only the journal knows what it had.
    fs::remove_dir_all(state.join("sled")).unwrap();
    let before = bytes(&state);
    let refused = Run::new().opens_until(&state, 1, &hive::runtime::recover::Probe::Here).unwrap_err();
    assert!(refused.contains(&format!("byte {at}")) && refused.contains("hive journal repair"), "{refused}");
    let said = desk.run(&["journal", "repair", "state", "--dry-run"]).well();
    for word in [
        format!("byte {at}"),
        format!("{} frames before it are whole; frames {seq} to ", seq - 1),
        "Unfund(AgentId(2)) after 1303 events".to_owned(),
        "of uid 7 by process 8".to_owned(),
        "nothing was changed".to_owned(),
    ] {
        assert!(said.out.contains(&word), "{word} is not in {}", said.out);
    }
    assert!(bytes(&state) == before, "only said");
    // The same by the name of the journal itself.
    let said = desk.run(&["journal", "repair", "state/journal"]).well();
    assert!(
        said.out.contains("the damaged one is in") && said.out.contains("comes up halted"),
        "{}",
        said.out
    );
    assert_eq!(fs::read(state.join("journal.damaged-1/00000001.seg")).unwrap(), bad);
    assert_eq!(fs::read(&file).unwrap(), bad[..at]);
    assert!(desk.run(&["journal", "repair", "state"]).well().out.contains("the journal is whole"));
    let mut run = Run::new();
    let (news, hash) = run.finish(&state);
    assert!(
        news.contains("in doubt: the journal was damaged")
            && run.engine.respond.real.account.hand.is_killed(),
        "{news}"
    );
    // It is the run that was left alone until there, and then killed by hand.
    let mut killed = None;
    journal::scan(&state.join("journal"), |frame| {
        if frame.kind == RecordKind::Command as u16 && frame.seq >= seq {
            killed = serde_json::from_slice::<JournaledCommand>(frame.payload).ok();
        }
        Ok(())
    })
    .unwrap();
    let killed = killed.unwrap();
    assert!((300..900).contains(&killed.events), "{killed:?}");
    let by_hand = desk.path("hand");
    Run::new().until(&by_hand, killed.events + 40, &[commands[0], (killed.events, Command::Kill)]);
    assert_eq!(Run::new().finish(&by_hand).1, hash);
}

#[test]
fn a_journal_without_a_frame_before_its_damage_is_not_repaired() {
    let desk = Desk::new();
    desk.run(&["--no-tui", "--until-end", "--days", "30", "--scouts", "0", "--quiet", "--state", "state"])
        .well();
    let file = desk.path("state/journal/00000001.seg");
    let mut bytes = fs::read(&file).unwrap();
    bytes[130] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let said = desk.run(&["journal", "repair", "state"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("byte 114") && said.err.contains("hive restore"), "{said:?}");
    assert_eq!(fs::read(&file).unwrap(), bytes);
    // A whole journal in a folder of another name is one too.
    copy(&desk.path("state"), &desk.path("other"));
    desk.run(&["journal", "repair", "nowhere"]).refused(&["nowhere holds no run"]);
}
