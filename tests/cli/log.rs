//! The log of a run, and `hive log`, which shows it.

use super::hand::{Desk, Ran, ran};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::Stdio;

/// A headless run that is over at once.
const RUN: [&str; 6] = ["--no-tui", "--until-end", "--days", "2", "--scouts", "0"];

fn with<'a>(args: &[&'a str]) -> Vec<&'a str> {
    RUN.iter().chain(args).copied().collect()
}

fn logs(desk: &Desk) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(desk.path("home/hive/logs/hive")) else { return Vec::new() };
    let mut all: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

fn text(desk: &Desk) -> String {
    let logs = logs(desk);
    assert_eq!(logs.len(), 1, "{logs:?}");
    std::fs::read_to_string(&logs[0]).unwrap()
}

fn with_variable(desk: &Desk, value: &str, args: &[&str]) -> Ran {
    let mut command = desk.command(args);
    ran(command.env("HIVE_LOG", value).output().unwrap())
}

#[test]
fn a_headless_run_writes_what_happened_to_it() {
    let desk = Desk::new();
    let said = desk.run(&with(&["--state", "kept", "--seed", "5"])).well();
    let log = text(&desk);
    for word in [
        " INFO ",
        "start: hive ",
        "seed=5",
        "state=kept",
        "feed: ",
        "checkpoint",
        "end: the market has ended",
    ] {
        assert!(log.contains(word), "{word} is not in\n{log}");
    }
    assert!(!log.contains('\u{1b}') && !log.contains(" DEBUG "), "{log}");
    assert!(!said.err.contains("start: hive"), "the log is no second report: {}", said.err);
    let wrong = desk.run(&["--no-tui", "--clock", "4x"]);
    assert_eq!(wrong.code, Some(2));
    assert!(text(&desk).lines().last().unwrap().contains("ERROR"), "{}", text(&desk));
    // What nobody runs as a service writes none.
    let other = Desk::new();
    other.run(&["--days", "2", "--scouts", "0"]).well();
    assert!(logs(&other).is_empty());
}

#[test]
fn the_level_is_a_flag_or_a_variable_and_the_flag_wins() {
    let desk = Desk::new();
    desk.run(&with(&["--log", "off"])).well();
    with_variable(&desk, "off", &RUN).well();
    assert!(logs(&desk).is_empty());
    with_variable(&desk, "off", &with(&["--log", "info"])).well();
    assert!(text(&desk).contains("start: hive"));
    let quiet = Desk::new();
    with_variable(&quiet, "error", &RUN).well();
    assert!(text(&quiet).is_empty(), "{}", text(&quiet));
    desk.run(&with(&["--log", "loud"])).refused(&["loud", "--log", "error, warn, info, debug, trace, off"]);
    with_variable(&desk, "loud", &RUN).refused(&["HIVE_LOG=loud", "error, warn, info, debug, trace or off"]);
}

#[test]
fn hive_log_shows_the_newest() {
    let desk = Desk::new();
    let none = desk.run(&["log"]);
    assert_eq!(none.code, Some(1));
    assert!(none.err.contains("has no log yet") && none.err.contains("--no-tui"), "{}", none.err);
    desk.run(&RUN).well();
    desk.run(&["--no-tui", "--clock", "4x"]);
    let log = text(&desk);
    let last = desk.run(&["log", "-n", "1"]).well().out;
    assert_eq!(last.lines().collect::<Vec<_>>(), [log.lines().last().unwrap()]);
    assert_eq!(desk.run(&["log"]).well().out, log, "all of it is shorter than fifty lines");
    let wrong = desk.run(&["log", "--level", "error"]).well().out;
    assert!(wrong.lines().count() == 1 && wrong.contains(" ERROR "), "{wrong}");
    desk.run(&["log", "--level", "off"]).refused(&["--level off", "debug or trace"]);
    let path = desk.run(&["log", "--path"]).well().out;
    assert_eq!(path.trim_end(), logs(&desk)[0].to_string_lossy());
    assert_eq!(desk.run(&["log", "other"]).code, Some(1), "each name has a log of its own");
}

#[test]
fn hive_log_follows_into_the_next_day() {
    let desk = Desk::new();
    desk.write("home/hive/logs/hive/hive.2026-01-01.log", "t  INFO a: one\nt  INFO a: two\n");
    let mut command = desk.command(&["log", "-f", "-n", "1"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        line
    };
    assert_eq!(next(), "t  INFO a: two\n");
    let path = desk.path("home/hive/logs/hive/hive.2026-01-01.log");
    let mut log = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    writeln!(log, "t  INFO a: three").unwrap();
    assert_eq!(next(), "t  INFO a: three\n");
    desk.write("home/hive/logs/hive/hive.2026-01-02.log", "t  WARN a: four\n");
    assert_eq!(next(), "t  WARN a: four\n");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn no_more_than_a_week_of_logs_is_kept() {
    let desk = Desk::new();
    for day in 1..=9 {
        desk.write(&format!("home/hive/logs/hive/hive.2020-01-0{day}.log"), "old\n");
    }
    desk.run(&RUN).well();
    let left = logs(&desk);
    assert_eq!(left.len(), 7, "{left:?}");
    assert!(std::fs::read_to_string(left.last().unwrap()).unwrap().contains("start: hive"));
}
