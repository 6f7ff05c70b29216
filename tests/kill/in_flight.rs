//! Killed while an operator commands it: whatever was answered is in the journal, in the order in which it was answered, and
//! nothing is in doubt.

use super::kills;
use super::life::{Chance, Life};
use crate::wire::served::{PATIENCE, command};
use hive::domain::{AgentId, Command as Order};
use hive::journal::{self, RecordKind};
use hive::runtime::keep::JournaledCommand;
use hive::wire::{Client, ClientQuestion, ClientRole, ServerAnswer, SocketPath};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

/// Commands until the process is gone; those that were answered.
fn commanded(place: &SocketPath, turn: u64) -> Vec<Order> {
    let mut answered = Vec::new();
    let end = Instant::now() + PATIENCE;
    let mut client = loop {
        match Client::attach(place, ClientRole::Ctl, 0) {
            Ok(client) => break client,
            Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(2)),
            // It was killed before it could be reached.
            Err(_) => return answered,
        }
    };
    for n in turn.. {
        let agent = AgentId((n / 2 % 40) as u32);
        let order = if n % 2 == 0 { Order::Mute(agent) } else { Order::Unmute(agent) };
        match client.ask(ClientQuestion::Command(order)) {
            Ok(ServerAnswer::Done { .. }) => answered.push(order),
            // Nothing has happened yet, or it catches up.
            Ok(_) => {}
            Err(_) => break,
        }
    }
    answered
}

#[test]
fn fault01_killed_with_commands_in_flight_nothing_that_was_answered_is_lost() {
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let socket = home.path().join("hive.sock");
    let place = SocketPath::find("flight", Some(&socket), None, |_| None).unwrap();
    let mut chance = Chance::new();
    let (mut answered, mut before) = (Vec::new(), 0);
    let kills = kills(12);
    for kill in 0..kills {
        let mut run = command(&["--no-tui", "--days", "60", "--scouts", "8", "--speed", "144000x"]);
        run.args(["--state", "state", "--socket", "hive.sock"]).current_dir(home.path());
        let _ = fs::remove_file(&socket);
        let mut life = Life::start(run);
        let there = place.clone();
        let turn = u64::from(kill) * 1_000;
        life.hears(&["serving"]);
        let operator = std::thread::spawn(move || commanded(&there, turn));
        assert!(life.ends_within(Duration::from_millis(chance.below(400))).is_none(), "{}", life.rest());
        life.kill();
        assert!(!life.rest().contains("in doubt: "), "a kill is no doubt: {}", life.rest());
        answered.extend(operator.join().unwrap());
        let mut kept = Vec::new();
        journal::scan(&home.path().join("state/journal"), |frame| {
            if frame.kind == RecordKind::Command as u16 {
                kept.extend(serde_json::from_slice::<JournaledCommand>(frame.payload).unwrap().command);
            }
            Ok(())
        })
        .unwrap();
        // Everything that was answered, in its order; what was not answered may be there too.
        let mut kept_on = kept.iter();
        let lost = answered.iter().filter(|order| !kept_on.any(|k| k == *order)).count();
        assert_eq!(lost, 0, "of {} that were answered, after {kill} kills", answered.len());
        before = before.max(kept.len());
    }
    eprintln!("{kills} kills, {} commands answered, {before} kept, 0 lost", answered.len());
    assert!(answered.len() as u32 > kills, "only {} commands were answered", answered.len());
}
