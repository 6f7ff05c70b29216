//! A swarm that is attached to, killed and started again: what was commanded stays commanded, and who
//! watches is told the truth.

use crate::beside::on_the_clock;
use crate::wire::served::{PATIENCE, Served, command, text};
use hive::domain::{AgentId, Command};
use hive::view::link::{News, Request, SendError, SwarmLink};
use hive::view::{AgentPage, Cockpit};
use hive::wire::RemoteLink;
use std::time::{Duration, Instant};

/// Waits for news that are looked for; others are left out.
fn wait<T>(link: &mut RemoteLink, mut wanted: impl FnMut(News) -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        match link.poll() {
            Some(news) => {
                if let Some(found) = wanted(news) {
                    return found;
                }
            }
            None => std::thread::yield_now(),
        }
        assert!(Instant::now() < end, "the news do not come");
    }
}

fn picture(link: &mut RemoteLink) -> Cockpit {
    wait(link, |n| if let News::Cockpit(c) = n { Some(*c) } else { None })
}

fn answer(link: &mut RemoteLink) -> Result<String, String> {
    wait(link, |n| if let News::Answer(a) = n { Some(a.result) } else { None })
}

fn page(link: &mut RemoteLink) -> AgentPage {
    wait(link, |n| if let News::Page(p) = n { Some(*p) } else { None })
}

fn lost(link: &mut RemoteLink) -> String {
    wait(link, |n| if let News::Lost(why) = n { Some(why) } else { None })
}

#[test]
fn a_cockpit_over_the_socket_sees_commands_act_and_pages_follow() {
    let hive = Served::start();
    let mut link = RemoteLink::attach(&hive.place(), false).unwrap();
    let first = picture(&mut link);
    assert!(!first.agents.is_empty() && first.market_time.is_some());
    let id = first.agents[1].id;
    link.send(Request::Look(Some(id))).unwrap();
    assert_eq!(page(&mut link).row.id, id);
    link.send(Request::Command(Command::Mute(id))).unwrap();
    assert_eq!(answer(&mut link), Ok(format!("{} is muted", first.agents[1].name)));
    assert_eq!(hive.agent(1)["muted"], true);
    link.send(Request::Command(Command::Mute(id))).unwrap();
    assert!(answer(&mut link).unwrap_err().contains("already"));
    link.send(Request::Command(Command::Kill)).unwrap();
    answer(&mut link).unwrap();
    assert_eq!(hive.json(&["status"])["killed"], true);
    let later = picture(&mut link);
    assert!(later.seq > first.seq);
    // The page goes with the pictures, and ends when nobody looks.
    assert!(page(&mut link).seq > first.seq);
    assert!(link.age().unwrap() < PATIENCE);
}

#[test]
fn a_read_only_cockpit_looks_and_asks_for_nothing() {
    let hive = Served::start();
    let mut link = RemoteLink::attach(&hive.place(), true).unwrap();
    picture(&mut link);
    assert_eq!(link.send(Request::Command(Command::PauseAll)), Err(SendError::ReadOnly));
    link.send(Request::Look(Some(AgentId(0)))).unwrap();
    page(&mut link);
    assert_eq!(hive.json(&["status"])["interventions"], 0);
}

#[test]
fn fault01_what_was_commanded_before_a_kill_is_still_so_and_who_watches_is_told() {
    let mut hive = Served::start();
    let mut link = RemoteLink::attach(&hive.place(), false).unwrap();
    picture(&mut link);
    hive.json(&["pause", "0"]);
    link.send(Request::Command(Command::Mute(AgentId(1)))).unwrap();
    answer(&mut link).unwrap();
    hive.json(&["flatten"]);
    let seq = hive.json(&["status"])["seq"].as_u64().unwrap();
    let pid = hive.child.id();
    hive.child.kill().unwrap();
    hive.child.wait().unwrap();
    assert!(!lost(&mut link).is_empty());
    assert_eq!(
        link.send(Request::Command(Command::Kill)),
        Err(SendError::Gone),
        "nothing is sent to whoever comes next"
    );
    // The same folder again.
    let folder = std::mem::replace(&mut hive.folder, tempfile::tempdir().unwrap());
    let hive = Served::start_in(folder);
    let again = picture(&mut link);
    assert!(!again.agents.is_empty());
    assert_ne!(hive.child.id(), pid);
    // Pictures come while it catches up with what it did before; then everything was done again.
    let end = Instant::now() + PATIENCE;
    while hive.json(&["status"])["interventions"] != 3 {
        assert!(Instant::now() < end, "it does not catch up");
    }
    assert_eq!((&hive.agent(0)["paused"], &hive.agent(1)["muted"]), (&true.into(), &true.into()));
    let status = hive.json(&["status"]);
    assert_eq!((&status["mode"], &status["interventions"]), (&"reducing".into(), &3.into()), "{status}");
    assert!(seq > 0);
    // Who asked for what is in the journal, in words.
    let state = hive.folder.path().join("state");
    let said = command(&["journal", "export"]).arg(state).output().unwrap();
    let lines = text(&said.stdout);
    let given: Vec<&str> = lines.lines().filter(|l| l.contains("\"kind\":\"command\"")).collect();
    assert_eq!(given.len(), 3, "{lines}");
    assert!(given[0].contains("Pause") && given[1].contains("Mute") && given[2].contains("Flatten"));
    let us = format!("\\\"uid\\\":{}", rustix::process::geteuid().as_raw());
    assert!(given.iter().all(|g| g.contains(&us) && g.contains("\\\"pid\\\":")), "{given:?}");
}

#[test]
fn fault03_a_signal_ends_a_served_hive_within_two_seconds_and_says_goodbye() {
    let _clock = on_the_clock();
    let mut hive = Served::start();
    let mut link = RemoteLink::attach(&hive.place(), false).unwrap();
    picture(&mut link);
    let asked = Instant::now();
    let kill = command_of("kill", &["-TERM", &hive.child.id().to_string()]);
    assert!(kill);
    assert_eq!(hive.ended(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert!(lost(&mut link).contains("stopped"));
    assert!(!hive.place().path.exists());
}

fn command_of(program: &str, args: &[&str]) -> bool {
    std::process::Command::new(program).args(args).status().unwrap().success()
}

#[test]
fn attaching_without_a_hive_or_a_terminal_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("none.sock");
    let said = command(&["attach", "--socket"]).arg(nowhere).output().unwrap();
    assert_eq!(said.status.code(), Some(4), "{}", text(&said.stderr));
    let hive = Served::start();
    let said = command(&["attach", "--socket", &hive.socket()]).output().unwrap();
    assert_eq!(said.status.code(), Some(2));
    assert!(text(&said.stderr).contains("hive ctl watch"), "{}", text(&said.stderr));
    let said = command(&["attach", "--theme", "neon", "--socket", &hive.socket()]).output().unwrap();
    assert!(text(&said.stderr).contains("neon"), "{}", text(&said.stderr));
}

#[test]
fn fresh_begins_anew_and_deletes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let run = |extra: &[&str]| {
        command(&["backtest", "--days", "30", "--scouts", "0", "--quiet", "--state", "state"])
            .args(extra)
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    assert_eq!(run(&[]).status.code(), Some(0));
    let refused = run(&["--seed", "2"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stderr).contains("--fresh"), "{}", text(&refused.stderr));
    let anew = run(&["--seed", "2", "--fresh"]);
    assert_eq!(anew.status.code(), Some(0), "{}", text(&anew.stderr));
    assert!(text(&anew.stderr).contains("state.old-"), "{}", text(&anew.stderr));
    let kept = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(kept, 2, "the old one and the new");
}
