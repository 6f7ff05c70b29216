//! A hive that is reached from outside: the real program, real sockets, real refusals.

pub mod served;

use crate::beside::on_the_clock;
use crate::cli::hand::program;
use hive::domain::{AgentId, Command as Order};
use hive::view::Cockpit;
use hive::view::delta::Delta;
use hive::wire::{Client, ClientError, ClientQuestion, ClientRole, ServerAnswer, ServerFrame, frame, hello};
use serde_json::Value;
use served::{PATIENCE, Served, command, text};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn status_answers_commands_show_and_stop_ends_it() {
    let mut hive = Served::start();
    let status = hive.json(&["status"]);
    assert_eq!((&status["mode"], &status["money"]), (&"running".into(), &"PAPER".into()), "{status}");
    assert_eq!(status["scene"]["market"], "SYNTH");
    // Who asked before has gone, and that is noticed in its time.
    let end = Instant::now() + PATIENCE;
    while hive.json(&["status"])["clients"] != 1 {
        assert!(Instant::now() < end, "somebody else is there");
    }
    assert_eq!(status["view_hash"].as_str().unwrap().len(), 64);
    assert!(
        status["seq"].as_u64().unwrap() > 0
            && status["equity"].is_string()
            && status["market_time"].is_string()
    );
    let by_variable = command(&["ctl", "status"]).env("HIVE_SOCKET", hive.socket()).output().unwrap();
    assert_eq!(by_variable.status.code(), Some(0), "{}", text(&by_variable.stderr));
    let name = hive.agent(0)["name"].as_str().unwrap().to_owned();
    for (verb, back, flag) in [
        ("pause", "resume", "paused"),
        ("mute", "unmute", "muted"),
        ("deafen", "undeafen", "deaf"),
        ("drain", "resume", "drained"),
    ] {
        let row = hive::domain::command::find(verb, true).unwrap();
        assert_eq!(hive.agent(0)[flag], false);
        let done = hive.json(&[verb, &name]);
        assert_eq!((&done["changed"], &done["agent"]), (&true.into(), &name.as_str().into()), "{done}");
        assert_eq!(done["done"], row.done(&name).as_str(), "it says what was done");
        assert_eq!(hive.json(&[verb, &name])["changed"], false, "again changes nothing");
        assert_eq!((&hive.agent(0)[flag], &hive.agent(1)[flag]), (&true.into(), &false.into()));
        hive.json(&[back, &name]);
        // The market goes on, and on a busy machine it comes to where a manager quarantines this one.
        let agent = hive.agent(0);
        let is_quarantined = agent["quarantined"] == true;
        let state = if is_quarantined { "quarantined" } else { "live" };
        assert_eq!((&agent[flag], &agent["state"]), (&false.into(), &state.into()), "{agent}");
        assert_eq!(agent["until"].is_null(), !is_quarantined, "{agent}");
        assert!(hive.agent(0)["voice"].as_f64().unwrap() > 0.0 && hive.agent(0)["influence"].is_f64());
    }
    hive.json(&["unfund", "0"]);
    assert_eq!((&hive.agent(0)["funded"], &hive.agent(0)["weight"]), (&false.into(), &0.0.into()));
    hive.json(&["fund", "0"]);
    assert!(hive.agent(0)["weight"].as_f64().unwrap() > 0.0);
    for (verb, mode) in
        [("flatten", "reducing"), ("resume", "running"), ("kill", "halted"), ("reset", "running")]
    {
        hive.json(&[verb]);
        let status = hive.json(&["status"]);
        assert_eq!(status["mode"], mode, "{verb}");
        assert_eq!(status["because"].is_null(), mode == "running", "it says why: {status}");
    }
    assert_eq!(hive.json(&["status"])["interventions"], 14);
    managers_are_asked_by_name(&hive);
    assert_eq!(hive.json(&["stop"])["stopped"], true);
    assert_eq!(hive.ended(), Some(0));
    assert!(!hive.place().path.exists(), "the socket is gone");
    assert_eq!(hive.ctl(&["status"]).status.code(), Some(4), "not running");
}

/// Who is set over others rests and is muted like an agent, by its name.
fn managers_are_asked_by_name(hive: &Served) {
    let low_risk = || {
        let status = hive.json(&["status"]);
        status["managers"].as_array().unwrap().iter().find(|m| m["name"] == "low_risk").unwrap().clone()
    };
    for (verb, back, flag) in [("pause", "resume", "paused"), ("mute", "unmute", "muted")] {
        let row = hive::domain::command::find_for_manager(verb).unwrap();
        assert_eq!(low_risk()[flag], false);
        let done = hive.json(&[verb, "LOW_RISK"]);
        assert_eq!((&done["changed"], &done["agent"]), (&true.into(), &"low_risk".into()), "{done}");
        assert_eq!(done["done"], row.done("low_risk").as_str());
        assert_eq!(
            (&low_risk()[flag], &hive.json(&[verb, "low_risk"])["changed"]),
            (&true.into(), &false.into())
        );
        hive.json(&[back, "low_risk"]);
        assert_eq!(low_risk()[flag], false);
    }
    let said = hive.ctl(&["drain", "low_risk"]);
    assert_eq!(said.status.code(), Some(2), "nobody drains a manager");
    assert!(text(&said.stderr).contains("there is no agent \"low_risk\""), "{}", text(&said.stderr));
}

#[test]
fn the_labs_last_result_is_looked_up_whenever_it_is_asked_for() {
    let hive = Served::start();
    let mut client = Client::attach(&hive.place(), ClientRole::ReadOnly, 0).unwrap();
    let mut ask = || match client.ask(ClientQuestion::Lab).unwrap() {
        ServerAnswer::Lab(page) => *page,
        other => panic!("{other:?}"),
    };
    let page = ask();
    assert!(page.run.is_none() && page.trouble.is_none(), "nobody ran the lab");
    assert_eq!(page.command, "hive lab --feed synth --scouts 8 --state state");
    // What it says to type is what is shown next.
    let (_, args) = page.command.split_once(' ').unwrap();
    let args: Vec<&str> = args.split(' ').chain(["--days", "70", "--seeds", "1", "--quiet"]).collect();
    let ran = command(&args)
        .args(["--arms", "time-shifted"])
        .env("XDG_STATE_HOME", hive.folder.path())
        .current_dir(hive.folder.path())
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    let run = ask().run.unwrap();
    assert!(!run.other_roster && !run.other_market, "{run:?}");
    assert_eq!((run.seeds, run.gains.len(), run.controls.len(), run.age_min), (1, 4, 1, 0));
    let last = hive.folder.path().join("state/lab/last.json");
    std::fs::write(&last, "{ not a report").unwrap();
    let page = ask();
    assert!(page.run.is_none() && page.trouble.unwrap().contains("cannot be read"));
    assert_eq!(hive.json(&["status"])["mode"], "running", "the swarm goes on");
}

/// Neither a shell's words nor the document can lack a command that the table has.
#[test]
fn every_command_of_the_table_is_a_word_of_ctl_and_stands_in_the_document() {
    let said = text(&command(&["ctl", "--help"]).output().unwrap().stdout);
    // As one line: clap breaks what is long.
    let joined = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let document = include_str!("../docs/operating.md");
    for row in hive::domain::command::rows() {
        let line = said.lines().find(|l| l.trim_start().starts_with(&format!("- {}:", row.word)));
        assert!(line.is_some(), "{} is no word of hive ctl\n{said}", row.word);
        assert!(joined.contains(row.help), "{}: ctl does not say what it does", row.word);
        assert!(document.contains(&format!("`{}", row.word)), "docs/operating.md lacks {}", row.word);
    }
}

#[test]
fn mistakes_of_the_person_are_named() {
    let hive = Served::start();
    for (args, code, word) in [
        (&["mute"] as &[&str], 2, "hive ctl agents"),
        (&["flatten", "0"], 2, "whole hive"),
        (&["pause", "nobody-of-this-name"], 2, "did you mean"),
        (&["dance"], 2, "status"),
    ] {
        let said = hive.ctl(args);
        assert_eq!(said.status.code(), Some(code), "{args:?}");
        assert!(text(&said.stderr).contains(word), "{args:?}: {}", text(&said.stderr));
    }
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("none.sock");
    let said = command(&["ctl", "status", "--socket"]).arg(nowhere).output().unwrap();
    assert_eq!(said.status.code(), Some(4));
    assert!(text(&said.stderr).contains("--no-tui"), "it says how to start one: {}", text(&said.stderr));
}

#[test]
fn fault13_a_second_hive_in_the_same_place_is_refused_and_told_the_process() {
    let hive = Served::start();
    let second = command(&["--no-tui", "--until-end", "--serve", "--quiet", "--socket", &hive.socket()])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(3));
    assert!(text(&second.stderr).contains(&hive.child.id().to_string()), "{}", text(&second.stderr));
    hive.json(&["status"]);
}

#[test]
fn a_place_that_was_left_by_a_killed_hive_is_taken_again() {
    let mut hive = Served::start();
    hive.child.kill().unwrap();
    hive.child.wait().unwrap();
    assert!(hive.place().path.exists(), "killed, it could not clear up");
    assert_eq!(hive.ctl(&["status"]).status.code(), Some(4));
    let (_held, _listener) = hive.place().take().unwrap();
}

#[test]
fn read_only_is_the_servers_word() {
    let hive = Served::start();
    let mut client = hive.client(ClientRole::ReadOnly);
    assert!(matches!(client.ask(ClientQuestion::Status).unwrap(), ServerAnswer::Status(_)));
    for ask in [
        ClientQuestion::Command(Order::Pause(AgentId(0))),
        ClientQuestion::Command(Order::Kill),
        ClientQuestion::Stop,
    ] {
        let ServerAnswer::Refused(why) = client.ask(ask).unwrap() else { panic!("{ask:?} was done") };
        assert!(why.contains("read-only"), "{why}");
    }
    assert_eq!(hive.agent(0)["paused"], false);
    assert_eq!(hive.json(&["status"])["interventions"], 0);
    assert!(matches!(
        hive.client(ClientRole::Cockpit).ask(ClientQuestion::Command(Order::Pause(AgentId(0)))),
        Ok(ServerAnswer::Done { changed: true, .. })
    ));
}

#[test]
fn two_watchers_see_the_same_view_at_the_same_step() {
    let _clock = on_the_clock();
    let hive = Served::start();
    // Snapshots and changes put together, as a cockpit does.
    let look = |client: &mut Client| {
        let (mut seen, mut view, mut changes) = (Vec::new(), None, 0);
        while seen.len() < 6 {
            let (made, hash) = match client.hear().unwrap() {
                ServerFrame::Snapshot { view, view_hash, .. } => {
                    (postcard::from_bytes(&view).unwrap(), view_hash)
                }
                ServerFrame::Delta { change, view_hash, .. } => {
                    changes += 1;
                    let change: Delta = postcard::from_bytes(&change).unwrap();
                    (change.apply(view.take().unwrap()).unwrap(), view_hash)
                }
                _ => continue,
            };
            let made: Cockpit = made;
            assert_eq!(made.view_hash(), hash);
            seen.push((made.seq, hash));
            view = Some(made);
        }
        assert!(changes > 0, "not everything is sent anew");
        seen
    };
    let (mut one, mut other) = (hive.client(ClientRole::Cockpit), hive.client(ClientRole::ReadOnly));
    let (a, b) = std::thread::scope(|s| {
        let a = s.spawn(|| look(&mut one));
        let b = look(&mut other);
        (a.join().unwrap(), b)
    });
    assert!(a.windows(2).all(|w| w[0].0 < w[1].0), "time goes on");
    let both = a.iter().filter(|(seq, _)| b.iter().any(|(s, _)| s == seq)).collect::<Vec<_>>();
    assert!(!both.is_empty(), "{a:?} {b:?}");
    assert!(both.iter().all(|x| b.contains(x)));
    assert_eq!(hive.json(&["status"])["clients"], 3);
}

#[test]
fn ctl_watch_and_status_tell_the_same_hash_of_the_same_step() {
    let _clock = on_the_clock();
    let hive = Served::start();
    let watched = || text(&hive.ctl(&["watch", "--count", "5"]).stdout);
    let (one, other, status) = std::thread::scope(|s| {
        let (one, other) = (s.spawn(watched), s.spawn(watched));
        let status: Vec<Value> = (0..12).map(|_| hive.json(&["status"])).collect();
        (one.join().unwrap(), other.join().unwrap(), status)
    });
    let lines =
        |text: &str| -> Vec<Value> { text.lines().map(|l| serde_json::from_str(l).unwrap()).collect() };
    let (one, other) = (lines(&one), lines(&other));
    assert_eq!(one.len(), 5);
    let mut met = 0;
    for line in one.iter().chain(&other) {
        for same in one.iter().chain(&other).chain(&status).filter(|s| s["seq"] == line["seq"]) {
            assert_eq!(same["view_hash"], line["view_hash"]);
            met += 1;
        }
    }
    assert!(met > 10, "they looked at the same steps");
}

#[test]
fn fault57_garbage_floods_and_silence_hurt_nobody_else() {
    let hive = Served::start();
    let path = hive.place().path;
    let greeted = |role| {
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.write_all(&hello::client(hive::wire::VERSION, role, 0)).unwrap();
        let mut welcome = [0; hello::SERVER_BYTES];
        stream.read_exact(&mut welcome).unwrap();
        stream
    };
    let let_go = |mut stream: UnixStream| {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // Let go in order, or by force because bytes of ours were never read.
        assert!(matches!(stream.read(&mut [0; 64]), Ok(0) | Err(_)));
    };
    // No greeting at all, half of one, another program's.
    let mut http = UnixStream::connect(&path).unwrap();
    http.write_all(b"GET / HTTP/1.1\r\nHost: hive\r\n\r\n").unwrap();
    let_go(http);
    let half = UnixStream::connect(&path).unwrap();
    // Garbage for a frame, a frame too large, a length without its frame.
    let mut garbage = greeted(ClientRole::Ctl);
    frame::write_bytes(&mut garbage, &[0xff; 64]).unwrap();
    let_go(garbage);
    let mut large = greeted(ClientRole::Ctl);
    large.write_all(&u32::MAX.to_le_bytes()).unwrap();
    let_go(large);
    let mut waits = greeted(ClientRole::Ctl);
    waits.write_all(&100_u32.to_le_bytes()).unwrap();
    // A watcher that never reads, and one that asks without reading the answers until it is cut off.
    let sleeper = greeted(ClientRole::Cockpit);
    let mut flood = greeted(ClientRole::ReadOnly);
    flood.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let call = hive::wire::Call { id: 1, ask: ClientQuestion::Agents };
    while frame::write(&mut flood, &call).is_ok() {}
    let before = hive.json(&["status"])["seq"].as_u64().unwrap();
    hive.json(&["pause", "0"]);
    assert_eq!(hive.agent(0)["paused"], true);
    assert!(hive.json(&["status"])["seq"].as_u64().unwrap() > before);
    drop((half, waits, sleeper, flood));
}

#[test]
fn another_version_is_told_both_and_what_to_do() {
    let hive = Served::start();
    let mut stream = UnixStream::connect(hive.place().path).unwrap();
    stream.write_all(&hello::client(99, ClientRole::Cockpit, 0)).unwrap();
    let mut said = [0; hello::SERVER_BYTES];
    stream.read_exact(&mut said).unwrap();
    assert_eq!(hello::read_server(&said), Some((hive::wire::VERSION, hello::HelloVerdict::Version)));
    let why = text(&frame::read_bytes(&mut stream).unwrap());
    assert!(
        why.contains("99")
            && why.contains(&format!("version {}", hive::wire::VERSION))
            && why.contains("same hive"),
        "{why}"
    );
}

#[test]
fn more_clients_than_there_is_room_for_are_refused() {
    let hive = Served::start();
    let clients: Vec<Client> =
        (0..hive::wire::hub::CLIENTS_MAX).map(|_| hive.client(ClientRole::Ctl)).collect();
    for role in [ClientRole::Cockpit, ClientRole::ReadOnly] {
        let refused = Client::attach(&hive.place(), role, 0).unwrap_err();
        assert!(matches!(&refused, ClientError::Refused(why) if why.contains("16")), "{refused}");
    }
    // A script is let in for the kill switch, and for nothing else.
    let refused = hive.client(ClientRole::Ctl).ask(ClientQuestion::Status).unwrap();
    assert!(matches!(&refused, ServerAnswer::Refused(why) if why.contains("16")), "{refused:?}");
    drop(clients);
}

#[test]
fn fault56_another_user_is_refused_by_the_files_and_by_the_server() {
    let mut hive = Served::start();
    let folder = tempfile::tempdir().unwrap();
    // Where another user can run it.
    let shared = folder.path().join("hive");
    std::fs::copy(program(), &shared).unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let other = |verb: &[&str], socket: &str| {
        Command::new("setpriv")
            .args(["--reuid=65534", "--clear-groups"])
            .arg(&shared)
            .args(verb)
            .args(["--socket", socket])
            .current_dir("/")
            .output()
    };
    let root = Command::new("setpriv").args(["--reuid=65534", "--clear-groups", "true"]).status();
    if !root.is_ok_and(|s| s.success()) {
        // A skipped check must be seen.
        eprintln!("skipped: setpriv is absent or this is not root, so nobody can be another user");
        return;
    }
    for verb in [&["ctl", "status"] as &[&str], &["attach"]] {
        let said = other(verb, &hive.socket()).unwrap();
        assert_eq!(said.status.code(), Some(3), "{}", text(&said.stderr));
    }
    // Folder and socket opened up: now the server itself has to see who comes.
    let open = |path: &std::path::Path| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    };
    open(hive.folder.path());
    open(&hive.folder.path().join("run"));
    open(&hive.place().path);
    let said = other(&["attach"], &hive.socket()).unwrap();
    assert_eq!(said.status.code(), Some(3), "{}", text(&said.stderr));
    assert!(text(&said.stderr).contains("uid 65534"), "{}", text(&said.stderr));
    let logged = hive.logged();
    assert!(logged.contains("refused") && logged.contains("65534"), "it is logged: {logged}");
    hive.json(&["status"]);
}
