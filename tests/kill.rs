//! The real program, killed and stopped and its state folder hurt: nothing that was acknowledged is lost,
//! and the end is that of a run that was left alone. `HIVE_DRILL` sets the number of kills.

pub mod damage;
mod in_flight;
pub mod life;

use crate::beside::on_the_clock;
use crate::cli::hand::{self, Desk, count, panel};
use life::{Chance, Life, stepped_again};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Everything a summary says but how long it took.
fn told(mut summary: Value) -> Value {
    summary.as_object_mut().unwrap().remove("wall_s");
    summary
}

/// Kills a run at random moments, hurts its store in between, and lets it end at last. A start steps less than one event in so
/// many again.
fn drill(market: &[&str], kills: u32, one_in: u64) {
    let _clock = on_the_clock();
    let desk = Desk::new();
    let state = desk.path("state");
    let folder = state.to_string_lossy().into_owned();
    let clock = Instant::now();
    let whole = told(desk.summary(market));
    let part = clock.elapsed() / kills;
    let kept = [market, &["--state", &folder]].concat();
    let mut chance = Chance::new();
    let (mut hit, mut again) = (0, Vec::new());
    for kill in 0..kills {
        let mut life = Life::start(desk.command(&[&kept[..], &["--quiet"]].concat()));
        // One in four dies while it starts, the others somewhere in the part of the way that is theirs.
        if chance.below(4) > 0 {
            let said = life.hears(&["is kept in", "stepped again"]);
            again.extend(stepped_again(&said).map(|(_, again)| again));
        }
        let wait = part * chance.below(1_000) as u32 / 1_000;
        hit += u32::from(life.ends_within(wait).is_none());
        life.kill();
        match kill % 3 {
            1 => damage::delete(&state.join("sled")),
            2 => damage::flip(&state.join("sled"), &mut chance),
            _ => {}
        }
    }
    assert!(hit * 2 > kills, "only {hit} of {kills} kills hit a living process");
    let out = desk.path("last.json").to_string_lossy().into_owned();
    let last = desk.run(&[&kept[..], &["--quiet", "--summary", &out]].concat()).well();
    again.extend(stepped_again(&last.err).map(|(_, again)| again));
    let summary: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    assert_eq!(told(summary), whole, "{}", last.err);
    // Once more from the end: nothing is left to do, and the feed's events are known.
    let (events, none) = stepped_again(&desk.run(&[&kept[..], &["--quiet"]].concat()).well().err).unwrap();
    assert_eq!(none, 0);
    assert!(events >= count(&whole["bars"]));
    assert!(!again.is_empty());
    for again in again {
        assert!(again * one_in < events, "{again} of {events} events were stepped again");
    }
    assert!(desk.run(&["journal", "verify", &folder]).well().out.contains("whole"));
}

/// As many as asked for; without being asked, fewer where a start takes longer.
fn kills(unasked: u32) -> u32 {
    std::env::var("HIVE_DRILL").ok().and_then(|n| n.parse().ok()).unwrap_or(unasked)
}

#[test]
fn fault01_killed_at_random_moments_it_ends_as_if_it_had_not_been() {
    drill(&["--no-tui", "--until-end"], kills(12), 20);
}

#[test]
fn fault01_killed_on_the_real_perps_it_ends_as_if_it_had_not_been() {
    let Some(panel) = panel("perp_1h.csv.gz") else { return };
    let feed = format!("history:{panel}");
    // A year, so that what the program does with it and not the reading of six is what is killed.
    drill(
        &["--no-tui", "--until-end", "--feed", &feed, "--from", "2022-01-01", "--to", "2022-12-31"],
        kills(4),
        20,
    );
}

/// Seven million quotes and trades, of which there are a hundred thousand and more between two barriers.
#[test]
fn fault01_killed_while_it_is_told_every_quote_it_steps_a_hundredth_of_it_again_at_most() {
    let days = ["--days", "20", "--until-end"];
    let roster =
        ["--agents", "assets/rosters/full-house.toml"].map(|part| match part.strip_prefix("assets") {
            Some(_) => format!("{}/{part}", env!("CARGO_MANIFEST_DIR")),
            None => part.to_owned(),
        });
    let market = ["--no-tui", "--feed", "synth?detail=8d", &roster[0], &roster[1]];
    drill(&[&market[..], &days[..]].concat(), kills(3), 100);
}

#[test]
fn fault03_a_signal_ends_it_within_two_seconds_and_it_goes_on_from_there() {
    let _clock = on_the_clock();
    for signal in ["TERM", "INT"] {
        let desk = Desk::new();
        let market = ["--no-tui", "--until-end", "--days", "60", "--scouts", "24"];
        let kept = [&market[..], &["--state", "state"]].concat();
        let mut life = Life::start(desk.command(&[&kept[..], &["--speed", "14400x"]].concat()));
        life.hears(&["is kept in"]);
        // Somewhere on the way: it takes six minutes to its end.
        assert!(life.ends_within(Duration::from_millis(400)).is_none());
        let asked = Instant::now();
        life.signal(signal);
        let ended = life.ends_within(Duration::from_secs(2));
        assert_eq!(ended.and_then(|e| e.code()), Some(0), "{:?}", asked.elapsed());
        let said = life.rest();
        assert!(said.contains("stopped at") && said.contains("goes on from there"), "{said}");
        let out = desk.path("out.json").to_string_lossy().into_owned();
        let last = desk.run(&[&kept[..], &["--quiet", "--summary", &out]].concat()).well();
        assert_eq!(stepped_again(&last.err).map(|(_, again)| again), Some(0), "{}", last.err);
        let summary: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
        assert_eq!(told(summary), told(desk.summary(&market)));
    }
}

#[test]
fn fault13_a_second_instance_is_refused_and_told_who_is_there() {
    let desk = Desk::new();
    let kept = ["--no-tui", "--until-end", "--days", "60", "--state", "state"];
    let mut life = Life::start(desk.command(&[&kept[..], &["--speed", "14400x"]].concat()));
    life.hears(&["is kept in"]);
    let second = desk.run(&kept);
    assert_eq!(second.code, Some(3), "{second:?}");
    assert!(second.err.contains(&format!("in use by process {}", life.id())), "{}", second.err);
    life.kill();
}

#[test]
fn the_state_of_another_run_is_refused_with_what_differs() {
    let desk = Desk::new();
    let kept = ["--no-tui", "--until-end", "--days", "30", "--scouts", "0", "--quiet", "--state", "state"];
    desk.run(&kept).well();
    for (other, word) in [
        (&["--seed", "2"][..], "its seed is 1, not 2"),
        (&["--deaf"], "its configuration is another"),
        (&["--world", "random-walk"], "its market is synth, not random-walk"),
    ] {
        let said = desk.run(&[&kept[..], other].concat());
        assert_eq!(said.code, Some(3), "{said:?}");
        for word in [word, "state of another run", "--state"] {
            assert!(said.err.contains(word), "{word} is not in {}", said.err);
        }
    }
    assert!(desk.run(&kept).well().err.contains("0 events are stepped again"), "it was left as it is");
}

#[test]
fn the_variable_names_the_folder_and_without_either_nothing_is_kept() {
    let desk = Desk::new();
    let market = ["--no-tui", "--until-end", "--days", "30", "--scouts", "0", "--quiet"];
    desk.run(&market).well();
    assert!(!desk.path("state").exists());
    let mut command = desk.command(&market);
    hand::ran(command.env("HIVE_STATE", "state").output().unwrap()).well();
    for name in ["journal", "sled", "lock"] {
        assert!(desk.path("state").join(name).exists(), "{name}");
    }
}

#[test]
fn a_journal_is_verified_and_exported() {
    let desk = Desk::new();
    desk.run(&["--no-tui", "--until-end", "--days", "30", "--scouts", "0", "--quiet", "--state", "state"])
        .well();
    let said = desk.run(&["journal", "verify", "state"]).well();
    for word in ["whole", "config", "checkpoint", "cursor", "end", "format 1"] {
        assert!(said.out.contains(word), "{word} is not in {}", said.out);
    }
    let lines = desk.run(&["journal", "export", "state/journal"]).well().out;
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((first["seq"].as_u64(), first["kind"].as_str()), (Some(1), Some("config")));
    assert!(first["text"].as_str().unwrap().contains("\"seed\":1"));
    desk.run(&["journal", "export", "state", "--out", "out.jsonl"]).well();
    assert_eq!(std::fs::read_to_string(desk.path("out.jsonl")).unwrap(), lines);
    desk.run(&["journal", "verify", "nowhere"]).refused(&["nowhere", "--state"]);
    let file = desk.path("state/journal/00000001.seg");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[200] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let said = desk.run(&["journal", "verify", "state"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("00000001.seg, byte 114"), "{}", said.err);
    let said = desk.run(&["--no-tui", "--until-end", "--days", "30", "--scouts", "0", "--state", "state"]);
    assert_eq!(said.code, Some(3), "a damaged journal is not run on: {said:?}");
}

#[test]
fn fault12_a_folder_that_cannot_be_made_is_a_clear_mistake() {
    let desk = Desk::new();
    desk.write("file", "not a folder");
    desk.run(&["--no-tui", "--until-end", "--days", "30", "--state", "file/state"])
        .refused(&["file/state", "--state"]);
}
