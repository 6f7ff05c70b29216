//! The kill switch, thrown while a long run is recovered and while it goes at full speed, on a machine that is busy with other
//! things: six processes that take every core, sixteen clients that sit there, sixteen that do not even greet, and a standard
//! error that nobody reads. `HIVE_THROWS` says how often; `tests/long/kills.sh` asks for 10 000. Figures are told, not judged: only
//! that it is always reached is.

use crate::beside::on_the_clock;
use crate::doubt::law::copy;
use crate::kill::life::Chance;
use crate::wire::served::{PATIENCE, command};
use hive::domain::Command as Order;
use hive::journal::{self, RecordKind};
use hive::runtime::keep::JournaledCommand;
use hive::wire::hub::CLIENTS_MAX;
use hive::wire::{Client, ClientQuestion, ClientRole, ServerAnswer, SocketPath};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Throws where nobody says how many, and how many of a life are thrown at full speed.
const THROWS: u32 = 12;
const AT_SPEED: u32 = 9;
/// Processes that do nothing but take the machine.
const HOGS: usize = 6;
/// Longest that anybody waits for the kill switch.
const REACHED: Duration = Duration::from_secs(10);
/// What a pipe takes that nobody reads.
const PIPE: usize = 1 << 16;

/// A process that is ended with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How long each took, or that it was not reached.
#[derive(Default)]
struct Taken {
    ms: Vec<f64>,
    unreachable: u32,
}

impl Taken {
    fn add(&mut self, took: Option<Duration>) {
        match took {
            Some(took) => self.ms.push(took.as_secs_f64() * 1e3),
            None => self.unreachable += 1,
        }
    }

    fn told(&mut self, name: &str, until: &str) {
        self.ms.sort_by(f64::total_cmp);
        let at =
            |share: f64| self.ms.get((share * self.ms.len() as f64) as usize).copied().unwrap_or(f64::NAN);
        let (n, gone, longest) = (self.ms.len() as u32 + self.unreachable, self.unreachable, self.ms.last());
        eprintln!(
            "{name}: {n} throws, {gone} unreachable; until {until} p50 {:.0} ms, p99 {:.0} ms, at most {:.0} ms",
            at(0.5),
            at(0.99),
            longest.copied().unwrap_or(f64::NAN)
        );
    }
}

/// The run of the drill: days, of which the last are told in detail.
struct Market {
    days: &'static str,
    feed: &'static str,
    /// The market's time by which it has as many events behind it as are wanted.
    behind: &'static str,
}

fn start(market: &Market, folder: &Path) -> Command {
    let roster = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/rosters/full-house.toml");
    let mut run = command(&["--no-tui", "--days", market.days, "--feed", market.feed, "--agents", roster]);
    run.args(["--state", "state", "--socket", "hive.sock", "--quiet"]).current_dir(folder);
    run.env("XDG_STATE_HOME", folder).stdout(Stdio::null());
    run
}

/// After how many events of the market the first kill acted that is journalled.
fn killed_after(folder: &Path) -> Option<u64> {
    let mut first = None;
    journal::scan(&folder.join("state/journal"), |frame| {
        if frame.kind == RecordKind::Command as u16 && first.is_none() {
            let given = serde_json::from_slice::<JournaledCommand>(frame.payload).unwrap();
            first = (given.command == Some(Order::Kill)).then_some(given.events);
        }
        Ok(())
    })
    .unwrap();
    first
}

/// A copy of the run to live on.
fn copied(whole: &Path, folder: &Path) {
    copy(&whole.join("state"), &folder.join("state"));
    for closed in [folder, &folder.join("state")] {
        std::fs::set_permissions(closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
}

/// Events that a recovery ends with: where a run is killed whose switch was thrown before it began.
fn recovered(market: &Market, folder: &Path) -> u64 {
    std::fs::write(folder.join("state/kill"), "").unwrap();
    let _life = Ended(start(market, folder).stderr(Stdio::null()).spawn().unwrap());
    let mut client = attached(&SocketPath { path: folder.join("hive.sock") }).unwrap();
    while mode(&mut client).is_none_or(|mode| mode != "halted") {
        std::thread::sleep(Duration::from_millis(1));
    }
    killed_after(folder).unwrap()
}

/// Asks a client that is attached for the mode of the run.
fn mode(client: &mut Client) -> Option<String> {
    match client.ask(ClientQuestion::Status) {
        Ok(ServerAnswer::Status(status)) => Some(status.mode),
        _ => None,
    }
}

/// A client as soon as the run is up.
fn attached(place: &SocketPath) -> Option<Client> {
    let end = Instant::now() + REACHED;
    while Instant::now() < end {
        if let Ok(mut client) = Client::attach(place, ClientRole::Ctl, 0)
            && mode(&mut client).is_some()
        {
            return Some(client);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    None
}

/// Throws it over the socket, as often as it takes to get a seat, until it has acted.
fn throw(place: &SocketPath) -> Option<Duration> {
    let asked = Instant::now();
    while asked.elapsed() < REACHED {
        let answer = Client::attach(place, ClientRole::Ctl, 0)
            .map(|mut c| c.ask(ClientQuestion::Command(Order::Kill)));
        match answer {
            Ok(Ok(ServerAnswer::Done { .. })) => return Some(asked.elapsed()),
            // Not there yet, every seat of it taken for a moment, or nothing has happened that could be halted.
            _ => std::thread::sleep(Duration::from_millis(2)),
        }
    }
    None
}

/// Clients that take every seat that is left, and as many that do not greet.
fn seated(place: &SocketPath) -> (Vec<Client>, Vec<UnixStream>) {
    let sitting = (1..CLIENTS_MAX).filter_map(|_| Client::attach(place, ClientRole::Ctl, 0).ok()).collect();
    let mute = (0..CLIENTS_MAX).filter_map(|_| UnixStream::connect(&place.path).ok()).collect();
    (sitting, mute)
}

/// A run that died with so much behind it.
fn prepared(market: &Market, folder: &Path) {
    let mut run = start(market, folder);
    let mut life = Ended(run.stderr(Stdio::null()).spawn().unwrap());
    let place = SocketPath { path: folder.join("hive.sock") };
    let mut client = attached(&place).unwrap();
    let end = Instant::now() + 10 * PATIENCE;
    loop {
        assert!(Instant::now() < end, "it does not come to {}", market.behind);
        match client.ask(ClientQuestion::Status) {
            Ok(ServerAnswer::Status(s)) if s.market_time.as_deref() >= Some(market.behind) => break,
            _ => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    let _ = life.0.kill();
    let _ = life.0.wait();
}

/// One life of the run: a throw somewhere while it is recovered, by one way or another, and more at full speed. Tells how long
/// the first took to be acknowledged.
fn live(
    market: &Market,
    folder: &Path,
    way: u32,
    chance: &mut Chance,
    at_speed: &mut Taken,
) -> Option<Duration> {
    let place = SocketPath { path: folder.join("hive.sock") };
    let (_unread, mut full) = std::io::pipe().unwrap();
    full.write_all(&vec![b'.'; PIPE]).unwrap();
    let mut run = start(market, folder);
    let mut life = Ended(run.stderr(full).spawn().unwrap());
    std::thread::sleep(Duration::from_millis(20 + chance.below(200)));
    let thrown = Instant::now();
    let over_socket = match way % 3 {
        0 => {
            let kill = format!("kill -USR1 {}", life.0.id());
            assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
            None
        }
        1 => {
            std::fs::write(folder.join("state/kill"), "").unwrap();
            None
        }
        _ => {
            let there = place.clone();
            Some(std::thread::spawn(move || throw(&there)))
        }
    };
    // They sit on every seat from the first moment on; the first of them is who looks whether it has halted.
    let Some(mut watcher) = attached(&place) else {
        assert!(life.0.try_wait().unwrap().is_none(), "way {}: it has ended, and not halted", way % 3);
        return None;
    };
    let there = place.clone();
    let sitting = std::thread::spawn(move || seated(&there));
    let mut halted = None;
    while thrown.elapsed() < REACHED && halted.is_none() {
        halted = mode(&mut watcher).filter(|mode| mode == "halted").map(|_| thrown.elapsed());
    }
    let _seated = sitting.join().unwrap();
    if let Some(thrower) = over_socket {
        halted = halted.and(thrower.join().unwrap());
    }
    for _ in 0..AT_SPEED {
        if watcher.ask(ClientQuestion::Command(Order::Reset)).is_err() {
            // The market has ended, which is the end of this life.
            break;
        }
        std::thread::sleep(Duration::from_millis(chance.below(60)));
        if life.0.try_wait().unwrap().is_some() {
            break;
        }
        let took = throw(&place);
        if took.is_some() || life.0.try_wait().unwrap().is_none() {
            at_speed.add(took);
        }
    }
    halted
}

#[test]
fn fault59_thrown_on_a_busy_machine_it_is_always_reached() {
    let _clock = on_the_clock();
    let throws = std::env::var("HIVE_THROWS").ok().and_then(|n| n.parse().ok()).unwrap_or(THROWS);
    // Seven million events behind it where it is thrown often; a tenth of that in the ordinary tests.
    let market = if throws > 10 * THROWS {
        Market { days: "24", feed: "synth?detail=12d", behind: "2022-01-22T12" }
    } else {
        Market { days: "20", feed: "synth?detail=4d", behind: "2022-01-18T00" }
    };
    let home = tempfile::tempdir().unwrap();
    let whole = home.path().join("whole");
    std::fs::create_dir(&whole).unwrap();
    std::fs::set_permissions(&whole, std::fs::Permissions::from_mode(0o700)).unwrap();
    prepared(&market, &whole);
    let _hogs: Vec<Ended> = (0..HOGS)
        .map(|_| Ended(Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap()))
        .collect();
    let (mut acknowledged, mut recovering, mut at_speed) = <(Taken, Taken, Taken)>::default();
    let (mut chance, mut lives, mut at_once) = (Chance::new(), 0, 0);
    let looked = home.path().join("looked");
    copied(&whole, &looked);
    let behind = recovered(&market, &looked);
    while recovering.ms.len() + at_speed.ms.len() < throws as usize {
        let folder = home.path().join(format!("life-{lives}"));
        copied(&whole, &folder);
        let halted = live(&market, &folder, lives, &mut chance, &mut at_speed);
        acknowledged.add(halted);
        let nothing_new = killed_after(&folder) == Some(behind);
        at_once += u32::from(nothing_new);
        recovering.add(halted.map(|took| if nothing_new { Duration::ZERO } else { took }));
        std::fs::remove_dir_all(&folder).unwrap();
        lives += 1;
        assert!(recovering.unreachable + at_speed.unreachable < 5, "it is not reached");
    }
    let of = acknowledged.ms.len();
    acknowledged.told("while it is recovered", "it is acknowledged");
    recovering.told("while it is recovered", "no opening order leaves");
    eprintln!("  (at once in {at_once} of {of}: after {behind} events, of which none is new)");
    at_speed.told("at full speed", "no opening order leaves");
    assert_eq!(recovering.unreachable + at_speed.unreachable, 0);
}
