//! A state that a program with another layout kept: it is lived through again on a copy, compared with what was decided, and
//! the state as it was is left to the byte. The layout is altered here on purpose, in a state that the real program kept.

use crate::beside::on_the_clock;
use crate::cli::hand::Desk;
use crate::doubt::law;
use crate::kill::life::{Life, stepped_again};
use hive::engine::state;
use hive::journal::{self, Acknowledged, Journal, MarkFile, RecordKind, RunHeader};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;

const MARKET: [&str; 6] = ["--no-tui", "--until-end", "--days", "60", "--scouts", "8"];
const KEPT: [&str; 2] = ["--state", "state"];

/// What is done to the frames of a journal: kind, payload.
type Alteration = fn(u16, &mut [u8]);

/// The layout before this program's, in every checkpoint.
fn older(kind: u16, payload: &mut [u8]) {
    if kind == RecordKind::Checkpoint as u16 {
        let head = u32::from_le_bytes(*payload.first_chunk().unwrap()) as usize;
        assert_eq!(u32::from(payload[4 + head]), state::VERSION, "the snapshot begins with its version");
        payload[4 + head] -= 1;
    }
}

/// The same, and a decision that this program would not come to.
fn older_and_otherwise(kind: u16, payload: &mut [u8]) {
    older(kind, payload);
    if kind == RecordKind::Cursor as u16 {
        *payload.last_mut().unwrap() ^= 1;
    }
}

/// Writes the journal of a state anew, each frame as it is altered, as a program would have that came before.
fn alter(state: &Path, alteration: Alteration) {
    let (from, to) = (state.join("journal"), state.join("altered"));
    let mut frames = Vec::new();
    let seen = journal::scan(&from, |f| {
        frames.push((f.kind, f.ver, f.payload.to_vec()));
        Ok(())
    })
    .unwrap();
    let run: RunHeader = seen.run.unwrap();
    let (mut journal, _) = Journal::open(&to, run).unwrap();
    let kinds = [
        RecordKind::Config,
        RecordKind::Command,
        RecordKind::Checkpoint,
        RecordKind::Cursor,
        RecordKind::End,
    ];
    for (kind, ver, mut payload) in frames {
        alteration(kind, &mut payload);
        let kind = kinds.into_iter().find(|k| *k as u16 == kind).unwrap();
        journal.append(kind, ver, &payload).unwrap();
    }
    journal.commit().unwrap();
    let (seq, link) = journal.head();
    drop(journal);
    fs::remove_dir_all(&from).unwrap();
    fs::rename(&to, &from).unwrap();
    fs::remove_dir_all(state.join("sled")).unwrap();
    fs::remove_file(state.join("acknowledged")).unwrap();
    MarkFile::open(&state.join("acknowledged"), Acknowledged { run: run.run, config: run.config, seq, link })
        .unwrap();
}

/// A state of a run that was commanded and stopped on the way.
fn stopped(desk: &Desk) {
    let mut life = Life::start(desk.command(&[&MARKET[..], &KEPT, &["--speed", "144000x"]].concat()));
    life.hears(&["is kept in"]);
    assert!(life.ends_within(Duration::from_millis(700)).is_none());
    life.signal("USR1");
    assert!(life.ends_within(Duration::from_millis(700)).is_none());
    life.signal("TERM");
    assert_eq!(life.ends_within(Duration::from_secs(20)).and_then(|e| e.code()), Some(0), "{}", life.rest());
    let said = desk.run(&["journal", "verify", "state"]).well().out;
    assert!(said.contains("command") && said.contains("cursor"), "{said}");
}

fn finish(desk: &Desk) -> (String, Value) {
    let said = desk.run(&[&MARKET[..], &KEPT, &["--quiet", "--summary", "last.json"]].concat()).well();
    let mut summary: Value =
        serde_json::from_str(&fs::read_to_string(desk.path("last.json")).unwrap()).unwrap();
    summary.as_object_mut().unwrap().remove("wall_s");
    (said.err, summary)
}

#[test]
fn a_state_of_an_older_layout_is_lived_through_again_on_a_copy() {
    let _clock = on_the_clock();
    let (desk, whole) = (Desk::new(), Desk::new());
    stopped(&desk);
    law::copy(&desk.path("state"), &whole.path("state"));
    let whole = finish(&whole).1;
    alter(&desk.path("state"), older);
    let before = law::bytes(&desk.path("state"));
    let (said, summary) = finish(&desk);
    let found = format!("layout-{}", state::VERSION - 1);
    for word in [&found, "on a copy", "decided as before", "state as it was is in state.layout-"] {
        assert!(said.contains(word), "{word} is not in {said}");
    }
    assert_eq!(summary, whole, "{said}");
    let (at, again) = stepped_again(&said).unwrap();
    assert!(at > 0 && again == 0, "it goes on from where the copy ended: {said}");
    let aside = desk.path(&format!("state.{found}-1"));
    let relative = |folder: &Path| {
        let all = law::bytes(folder).into_iter();
        all.map(|(path, bytes)| (path.strip_prefix(folder).unwrap().to_owned(), bytes)).collect::<Vec<_>>()
    };
    let then: Vec<_> = before
        .into_iter()
        .map(|(path, bytes)| (path.strip_prefix(desk.path("state")).unwrap().to_owned(), bytes))
        .collect();
    assert!(relative(&aside) == then, "the state as it was is left to the byte");
    assert!(!desk.path("state.migrating").exists());
    // From then on it is a state as any other.
    assert!(!finish(&desk).0.contains("layout"));
}

#[test]
fn one_that_this_program_would_have_decided_otherwise_is_left_as_it_is() {
    let _clock = on_the_clock();
    let desk = Desk::new();
    stopped(&desk);
    alter(&desk.path("state"), older_and_otherwise);
    // One that died half way.
    fs::create_dir(desk.path("state.migrating")).unwrap();
    fs::write(desk.path("state.migrating/journal"), "half").unwrap();
    let before = law::bytes(&desk.path("state"));
    let said = desk.run(&[&MARKET[..], &KEPT, &["--quiet"]].concat());
    assert_eq!(said.code, Some(3), "{said:?}");
    for word in ["decides otherwise", "layout-", "left as it is", "--fresh"] {
        assert!(said.err.contains(word), "{word} is not in {}", said.err);
    }
    assert!(law::bytes(&desk.path("state")) == before, "{}", said.err);
    assert!(!desk.path("state.migrating").exists());
}
