//! Killed while an operator commands it: whatever was answered is in the journal, in the order in which it was answered, and
//! nothing is in doubt.

use super::kills;
use super::life::{Chance, Life};
use crate::cli::hand::panel;
use crate::wire::served::{PATIENCE, command};
use hive::domain::{AgentId, Command as Order};
use hive::journal::{self, RecordKind};
use hive::runtime::keep::JournaledCommand;
use hive::wire::{Client, ClientQuestion, ClientRole, ServerAnswer, SocketPath};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Commands until the process is gone; those that were answered.
fn commanded(place: &SocketPath, turn: u64, heard: &AtomicBool) -> Vec<Order> {
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
            Ok(ServerAnswer::Done { .. }) => {
                answered.push(order);
                heard.store(true, Ordering::Relaxed);
            }
            // Nothing has happened yet, or it catches up.
            Ok(_) => {}
            Err(_) => break,
        }
    }
    answered
}

/// What is killed: a market, and the mode that it is run in.
struct Flight {
    name: &'static str,
    args: Vec<String>,
}

/// Each kind of feed and each mode; what needs recorded markets that are not there is left out, and said to be.
fn flights(home: &Path) -> Vec<Flight> {
    let roster = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/rosters/full-house.toml");
    let flight =
        |name, args: &str| Flight { name, args: args.split_whitespace().map(str::to_owned).collect() };
    let mut all = vec![
        flight("embedded bars", "--feed synth --days 60 --scouts 8 --speed 144000x"),
        flight("a clock of an hour", "--feed synth --days 60 --scouts 8 --clock 1h --speed 36000x"),
        flight("at full speed", "--feed synth --days 60 --scouts 8 --speed max"),
        flight("the deaf", "--feed synth --days 60 --scouts 8 --deaf --speed 144000x"),
        flight(
            "the market in detail",
            &format!("--feed synth?detail=30d --days 60 --agents {roster} --speed 144000x"),
        ),
    ];
    let (perps, spots, funding) = (panel("perp_1h.csv.gz"), panel("spot_1h.csv.gz"), panel("funding.csv.gz"));
    if let Some(perps) = &perps {
        let window = "--from 2022-01-01 --to 2022-12-31 --speed 144000x";
        all.push(flight("perps", &format!("--feed history:{perps} {window}")));
        let import = [
            "data",
            "import",
            "--quiet",
            "--out",
            "drill.tape",
            "--from",
            "2022-01-01",
            "--to",
            "2022-12-31",
            perps,
        ];
        assert!(command(&import).current_dir(home).status().unwrap().success());
        all.push(flight("a tape", "--feed tape:drill.tape --speed 144000x"));
        if let (Some(spots), Some(funding)) = (&spots, &funding) {
            let feed = format!("--feed history:{perps},{spots},{funding} --agents {roster}");
            all.push(flight("perps, spot and funding, with services", &format!("{feed} {window}")));
        }
    }
    all
}

/// One market, killed so many times: how many commands were answered and how many are kept.
fn fly(home: &Path, flight: &Flight, kills: u32, chance: &mut Chance) -> (usize, usize) {
    let (state, socket) = (home.join("state"), home.join("hive.sock"));
    let _ = fs::remove_dir_all(&state);
    let place = SocketPath::find("flight", Some(&socket), None, |_| None).unwrap();
    let args: Vec<&str> = flight.args.iter().map(String::as_str).collect();
    let run = |more: &[&str]| {
        let mut run = command(
            &[&["--no-tui", "--quiet", "--state", "state", "--socket", "hive.sock"], &args[..], more]
                .concat(),
        );
        run.current_dir(home);
        let _ = fs::remove_file(&socket);
        Life::start(run)
    };
    let (mut answered, mut before) = (Vec::new(), 0);
    for kill in 0..kills {
        let mut life = run(&[]);
        let there = place.clone();
        let turn = u64::from(kill) * 1_000;
        life.hears(&["serving"]);
        let heard = Arc::new(AtomicBool::new(false));
        let hearing = Arc::clone(&heard);
        let operator = std::thread::spawn(move || commanded(&there, turn, &hearing));
        // Three in four die when something was answered, however long their market takes until it begins.
        let end = Instant::now() + PATIENCE;
        let waits = chance.below(4) > 0;
        while waits && !heard.load(Ordering::Relaxed) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        let ended = life.ends_within(Duration::from_millis(chance.below(400)));
        assert!(ended.is_none_or(|e| e.success()), "{}: {}", flight.name, life.rest());
        life.kill();
        assert!(!life.rest().contains("in doubt: "), "{}: a kill is no doubt: {}", flight.name, life.rest());
        answered.extend(operator.join().unwrap());
        let mut kept = Vec::new();
        journal::scan(&state.join("journal"), |frame| {
            if frame.kind == RecordKind::Command as u16 {
                kept.extend(serde_json::from_slice::<JournaledCommand>(frame.payload).unwrap().command);
            }
            Ok(())
        })
        .unwrap();
        // Everything that was answered, in its order; what was not answered may be there too.
        let mut kept_on = kept.iter();
        let lost = answered.iter().filter(|order| !kept_on.any(|k| k == *order)).count();
        assert_eq!(lost, 0, "{}: of {} that were answered, after {kill} kills", flight.name, answered.len());
        before = before.max(kept.len());
    }
    // From its first event on it decides what it decided then, with all that was commanded: else it ends with 3.
    let mut life = run(&["--replay"]);
    life.hears(&["lives through its past again"]);
    if life.ends_within(Duration::from_millis(1_500)).is_none() {
        life.signal("TERM");
    }
    let ended = life.ends_within(PATIENCE);
    assert_eq!(ended.and_then(|e| e.code()), Some(0), "{}: {}", flight.name, life.rest());
    (answered.len(), before)
}

#[test]
fn fault01_killed_with_commands_in_flight_nothing_that_was_answered_is_lost() {
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let flights = flights(home.path());
    let each = kills(2 * flights.len() as u32).div_ceil(flights.len() as u32);
    let (mut chance, mut all) = (Chance::new(), 0);
    for flight in &flights {
        let (answered, kept) = fly(home.path(), flight, each, &mut chance);
        eprintln!("{}: {each} kills, {answered} commands answered, {kept} kept, 0 lost", flight.name);
        all += answered;
    }
    assert!(all as u32 > each, "only {all} commands were answered");
}
