//! The kill switch has ways that nobody can stand in: a signal, a file, a seat and a row of its own.

mod drill;

use crate::cli::hand::{Desk, panel};
use crate::kill::life::Life;
use crate::wire::served::{PATIENCE, Served, command, text};
use hive::domain::Command as Order;
use hive::wire::hub::{CLIENTS_MAX, KILL_SEATS};
use hive::wire::{Client, ClientError, ClientQuestion, ClientRole, ServerAnswer};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

fn halts_within(hive: &Served, wait: Duration) {
    let end = Instant::now() + wait;
    while hive.json(&["status"])["mode"] != "halted" {
        assert!(Instant::now() < end, "it goes on: {}", hive.json(&["status"]));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn fault58_sigusr1_throws_the_kill_switch_and_ends_nothing() {
    let hive = Served::start();
    assert_eq!(hive.json(&["status"])["mode"], "running");
    hive.signal("USR1");
    halts_within(&hive, PATIENCE);
    let status = hive.json(&["status"]);
    assert_eq!((&status["interventions"], status["because"].is_string()), (&1.into(), true), "{status}");
    hive.json(&["reset"]);
    assert_eq!(hive.json(&["status"])["mode"], "running", "it was thrown once");
    hive.signal("USR1");
    halts_within(&hive, PATIENCE);
}

#[test]
fn fault58_a_signal_while_the_market_is_opened_is_heard_and_ends_nothing() {
    let Some(panel) = panel("spot_1h.csv.gz") else { return };
    // As the system names it.
    let panel = std::fs::canonicalize(panel).unwrap().to_string_lossy().into_owned();
    let desk = Desk::new();
    let feed = format!("history:{panel}");
    let run =
        ["--no-tui", "--until-end", "--quiet", "--state", "state", "--feed", &feed, "--to", "2021-01-31"];
    let mut life = Life::start(desk.command(&run));
    // It reads the file, which takes a while, and has not begun with what it keeps.
    let end = Instant::now() + PATIENCE;
    let reads = || {
        let files = std::fs::read_dir(format!("/proc/{}/fd", life.id())).into_iter().flatten();
        files.flatten().any(|file| std::fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == &*panel))
    };
    while !reads() {
        assert!(Instant::now() < end, "it never reads");
        std::thread::sleep(Duration::from_millis(1));
    }
    life.signal("USR1");
    assert!(!desk.path("state").exists());
    let ended = life.ends_within(Duration::from_secs(60));
    assert_eq!(ended.and_then(|e| e.code()), Some(0), "{}", life.rest());
    let lines = desk.run(&["journal", "export", "state"]).well().out;
    assert!(lines.lines().any(|l| l.contains("\"kind\":\"command\"") && l.contains("Kill")), "{lines}");
}

#[test]
fn fault58_a_file_throws_it_and_every_start_with_it_comes_up_killed() {
    let home = tempfile::tempdir().unwrap();
    let start = || {
        let mut run = command(&["--no-tui", "--days", "60", "--scouts", "8", "--speed", "14400x"]);
        run.args(["--state", "state", "--socket", "hive.sock"]).current_dir(home.path());
        Life::start(run)
    };
    let status = || {
        let said =
            command(&["ctl", "status", "--socket", "hive.sock"]).current_dir(home.path()).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&said.stdout).unwrap_or_default()
    };
    let halts = |word: &str| {
        let end = Instant::now() + PATIENCE;
        while status()["mode"] != word {
            assert!(Instant::now() < end, "{}", status());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    std::fs::set_permissions(home.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let mut life = start();
    life.hears(&["serving"]);
    halts("running");
    // What is kept of it, what that may take, and from when on its past can be had.
    let kept = status()["kept"].clone();
    assert!(kept["bytes"].as_u64() > Some(100) && kept["budget"] == 1_u64 << 30, "{kept}");
    assert!(kept["from"].as_str().is_some_and(|from| from.starts_with("2022-01-01")), "{kept}");
    std::fs::write(home.path().join("state/kill"), "").unwrap();
    halts("halted");
    life.signal("TERM");
    assert!(life.ends_within(PATIENCE).is_some());
    // Reset or not, who starts it again with the file there has not looked yet.
    let mut life = start();
    life.hears(&["serving"]);
    halts("halted");
    life.signal("TERM");
    assert!(life.ends_within(PATIENCE).is_some());
}

#[test]
fn fault59_with_every_seat_taken_the_kill_switch_is_heard() {
    let hive = Served::start();
    let mut clients: Vec<Client> = (0..CLIENTS_MAX).map(|_| hive.client(ClientRole::Ctl)).collect();
    // They do not even greet, and are more than there are seats for the kill switch.
    let _mute: Vec<UnixStream> =
        (0..KILL_SEATS + 12).map(|_| UnixStream::connect(hive.place().path).unwrap()).collect();
    let refused = Client::attach(&hive.place(), ClientRole::Cockpit, 0).unwrap_err();
    assert!(matches!(&refused, ClientError::Refused(why) if why.contains("16")), "{refused}");
    let said = hive.ctl(&["status"]);
    assert_eq!(said.status.code(), Some(3), "{}", text(&said.stdout));
    assert!(text(&said.stderr).contains("hive ctl kill is heard all the same"), "{}", text(&said.stderr));
    let asked = Instant::now();
    let said = hive.ctl(&["kill"]);
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    // Who holds a seat can ask; a seat that is left is free only once the server has seen it.
    let end = Instant::now() + PATIENCE;
    let mut mode = || match clients[0].ask(ClientQuestion::Status).unwrap() {
        ServerAnswer::Status(status) => status.mode,
        other => panic!("{other:?}"),
    };
    while mode() != "halted" {
        assert!(Instant::now() < end, "it goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn fault59_the_kill_switch_goes_ahead_of_what_waits() {
    use hive::wire::hub::Hub;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let place =
        hive::wire::SocketPath::find("row", Some(&folder.path().join("row.sock")), None, |_| None).unwrap();
    let (hub, queue) = Hub::open(&place, std::sync::Arc::new(|_: &str| {})).unwrap();
    // While the run comes up nothing else is heard, and that is said.
    let mut early = Client::attach(&place, ClientRole::Ctl, 0).unwrap();
    let refused = early.ask(ClientQuestion::Command(Order::Flatten)).unwrap();
    assert!(matches!(&refused, ServerAnswer::Refused(why) if why.contains("only starting")), "{refused:?}");
    let watching = Client::attach(&place, ClientRole::Cockpit, 0).unwrap_err().to_string();
    assert!(watching.contains("only starting") && watching.contains("hive ctl kill"), "{watching}");
    assert!(!queue.has_waiting());
    hub.begin(None);
    let ask = |order: Order| {
        let place = place.clone();
        std::thread::spawn(move || {
            let mut client = Client::attach(&place, ClientRole::Ctl, 0).unwrap();
            client.ask(ClientQuestion::Command(order)).unwrap()
        })
    };
    let wish = ask(Order::Flatten);
    let end = Instant::now() + PATIENCE;
    while !queue.has_waiting() {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(5));
    }
    let kill = ask(Order::Kill);
    while !queue.is_urgent() {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(5));
    }
    let first = queue.take_within(PATIENCE).unwrap();
    assert!(first.wish.is_urgent(), "{first:?}");
    first.answer(ServerAnswer::Stopping);
    queue.try_take().unwrap().answer(ServerAnswer::Stopping);
    assert!(queue.try_take().is_none());
    assert_eq!(
        (wish.join().unwrap(), kill.join().unwrap()),
        (ServerAnswer::Stopping, ServerAnswer::Stopping)
    );
}

#[test]
fn fault10_a_log_that_nobody_reads_holds_up_neither_the_kill_switch_nor_the_end() {
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let socket = home.path().join("hive.sock");
    let mut run = command(&["--no-tui", "--days", "60", "--scouts", "8", "--speed", "14400x", "--socket"]);
    // What is kept is kept here, and not in the home of whoever runs the tests.
    run.env("XDG_STATE_HOME", home.path());
    run.arg(&socket).current_dir(home.path()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = run.spawn().unwrap();
    let ctl = |verb: &str| command(&["ctl", verb, "--socket"]).arg(&socket).output().unwrap();
    let end = Instant::now() + PATIENCE;
    while ctl("status").status.code() != Some(0) {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(20));
    }
    // Each is refused with a line on standard error, until no pipe takes another.
    for _ in 0..1_200 {
        if let Ok(mut stream) = UnixStream::connect(&socket) {
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: nobody\r\n\r\n");
        }
    }
    let said = ctl("kill");
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    let asked = Instant::now();
    let signal =
        std::process::Command::new("sh").args(["-c", &format!("kill -TERM {}", child.id())]).status();
    assert!(signal.unwrap().success());
    let ended = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if asked.elapsed() > Duration::from_secs(8) {
            child.kill().unwrap();
            panic!("it did not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(ended.code(), Some(0));
}
