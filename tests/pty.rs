//! The cockpit in a real terminal: what is left of it when the cockpit leaves, is killed, panics, or the
//! terminal itself goes away.

// Tests fail by panicking.
#![allow(clippy::unwrap_used)]

pub mod stage;

use rustix::process::{Signal, kill_process};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::Value;
use stage::{HIVE, Home, PATIENCE, Stage, command, lives, program, stage, stage_in, vt100};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn keys_work_a_resize_is_followed_and_leaving_gives_the_terminal_back() {
    let Some(mut stage) = stage(&[]) else { return };
    stage.is_taken();
    stage.press("?");
    stage.says("kill switch");
    stage.press("\x1b");
    stage.until(|s| !s.contents().contains("kill switch"));
    // As from the clipboard: it presses nothing.
    stage.press("\x1b[200~q\x1b[201~");
    stage.says("pasted text presses no keys");
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&stage.slave, size).unwrap();
    stage.screen = vt100(24, 80);
    // Tabs are of the small screen only.
    stage.says("5 goals");
    stage.press("q");
    assert!(stage.ends().success());
    stage.screen.process(b"");
    assert!(!stage.is_raw());
}

#[test]
fn signals_give_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let Some(mut stage) = stage(&[]) else { return };
        stage.is_taken();
        kill_process(stage.pid(), signal).unwrap();
        assert!(stage.ends().success());
        stage.is_given_back();
    }
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_told_and_the_swarm_lives() {
    let Some(mut stage) = stage(&[("HIVE_TEST_PANIC", "3")]) else { return };
    assert!(!stage.ends().success());
    stage.is_given_back();
    assert!(stage.screen.screen().contents().contains("HIVE_TEST_PANIC is set"));
    assert!(stage.home.runs());
}

#[test]
fn when_the_terminal_goes_the_cockpit_goes() {
    let Some(mut stage) = stage(&[]) else { return };
    stage.is_taken();
    let start = Instant::now();
    stage.master = None;
    stage.ends();
    assert!(start.elapsed() < Duration::from_secs(20), "it took {:?}", start.elapsed());
}

/// Ends the cockpit of a stage and keeps the home of its swarm.
fn leave(mut stage: Stage) -> Home {
    stage.press("q");
    assert!(stage.ends().success());
    stage.is_given_back();
    let said = stage.screen.screen().contents();
    assert!(said.contains("the swarm goes on") && said.contains("hive ctl stop"), "{said}");
    std::mem::replace(&mut stage.home, Home::new())
}

#[test]
fn the_swarm_outlives_its_cockpits_until_it_is_stopped() {
    let Some(mut stage) = stage(&[]) else { return };
    stage.is_taken();
    let home = leave(stage);
    let swarm = home.swarm().unwrap();
    // Plain hive again, and attach: the same swarm.
    for args in [&[] as &[&str], &["attach"]] {
        let mut stage = stage_in(
            Home(tempfile::tempdir_in(home.path()).unwrap()),
            args,
            &[
                ("XDG_RUNTIME_DIR", &home.path().to_string_lossy()),
                ("XDG_STATE_HOME", &home.path().to_string_lossy()),
            ],
        )
        .unwrap();
        stage.is_taken();
        stage.press("q");
        assert!(stage.ends().success());
        assert_eq!(home.swarm(), Some(swarm));
    }
    // Options that would ask for another run are refused while one is there.
    let Some(mut other) = stage_in(
        Home(tempfile::tempdir_in(home.path()).unwrap()),
        &["--seed", "2"],
        &[("XDG_RUNTIME_DIR", &home.path().to_string_lossy())],
    ) else {
        return;
    };
    assert_eq!(other.ends().code(), Some(3));
    assert!(other.screen.screen().contents().contains("--seed cannot change it"));
    assert!(home.ctl(&["stop"]).status.success());
    assert_eq!(home.ctl(&["status"]).status.code(), Some(4));
    // It has said goodbye; its last step is to end.
    let start = Instant::now();
    while lives(swarm) {
        assert!(start.elapsed() < PATIENCE, "something keeps running");
        std::thread::yield_now();
    }
    // And again: it goes on where it was.
    let Some(mut stage) = stage_in(home, HIVE, &[]) else { return };
    stage.is_taken();
    let log = std::fs::read_to_string(stage.home.path().join("hive/hive.log")).unwrap();
    assert!(log.contains("resumed from checkpoint"), "{log}");
    stage.press("q");
    assert!(stage.ends().success());
}

#[test]
fn a_swarm_that_dies_is_missed_with_its_age_and_found_again() {
    let Some(mut stage) = stage(&[]) else { return };
    stage.is_taken();
    let swarm = stage.home.swarm().unwrap();
    kill_process(swarm, Signal::KILL).unwrap();
    stage.says("SWARM LOST");
    stage.says("last heard");
    let again = command(program(), stage.home.path())
        .arg("--no-tui")
        .args(HIVE)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut again = again.unwrap();
    stage.until(|s| !s.contents().contains("SWARM LOST"));
    stage.says("RUNNING");
    assert_ne!(stage.home.swarm(), Some(swarm));
    stage.press("q");
    assert!(stage.ends().success());
    assert!(stage.home.ctl(&["stop"]).status.success());
    assert!(again.wait().unwrap().success());
}

#[test]
fn a_swarm_that_cannot_start_says_why_and_no_cockpit_opens() {
    for (args, code, why) in [
        (&["--feed", "history:nowhere.csv"] as &[&str], 2, "nowhere.csv"),
        (&["--theme", "neon"], 2, "neon"),
        (&["--clock", "5h"], 2, "5h"),
    ] {
        let Some(mut stage) = stage_in(Home::new(), args, &[]) else { return };
        let ended = stage.ends();
        let said = stage.screen.screen().contents();
        assert_eq!(ended.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(why), "{args:?}: {said}");
        stage.is_given_back();
        assert!(!stage.home.runs(), "{args:?}: nothing is left running");
    }
}

/// A small experiment on the swarm's own market, kept where it is looked for; what it says.
fn experiment(home: &Path, scouts: &str) -> String {
    let run =
        ["lab", "--days", "60", "--seeds", "1", "--arms", "time-shifted", "--quiet", "--scouts", scouts];
    let ran = command(program(), home).args(run).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let kept = std::fs::read_to_string(home.join("hive/lab/last.json")).unwrap();
    let report: Value = serde_json::from_str(&kept).unwrap();
    let gain = report["uplift"]["vs_strong"]["sharpe"]["mean"].as_f64().unwrap();
    format!("{gain:+.2} Sharpe over the same agents deaf")
}

#[test]
fn an_experiment_that_ends_while_the_lab_is_open_is_seen_and_another_roster_is_told() {
    let Some(mut stage) = stage(&[]) else { return };
    stage.is_taken();
    stage.press("l");
    stage.says("no experiment was run yet");
    stage.says("hive lab --feed synth --scouts 24");
    let verdict = experiment(stage.home.path(), "24");
    stage.until(|s| s.contents().contains(&verdict));
    stage.says("last run just now");
    stage.says("E now");
    assert!(!stage.screen.screen().contents().contains("another roster"));
    let verdict = experiment(stage.home.path(), "8");
    stage.says("another roster");
    stage.until(|s| s.contents().contains(&verdict));
    stage.press("\x1b");
    stage.until(|s| s.contents().contains("agents") && !s.contents().contains("the ladder"));
    stage.press("q");
    assert!(stage.ends().success());
    assert!(stage.home.ctl(&["stop"]).status.success());
}
