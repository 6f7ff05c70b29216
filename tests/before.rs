//! What was: moments that a running hive keeps are those that it showed, and what can be read of them and of now
//! without a terminal, as lines and as tables.

use crate::wire::served::{PATIENCE, Served, command, text};
use hive::domain::Span;
use hive::view::link::{News, Request, SwarmLink};
use hive::view::past::When;
use hive::view::{AgentPage, Cockpit, Past};
use hive::wire::{ClientQuestion, ClientRole, RemoteLink, ServerAnswer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Output, Stdio};
use std::time::Instant;

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

/// What a picture says beside how many look at it, which is of the moment of looking.
fn told(view: &Cockpit) -> String {
    Cockpit { clients: 0, ..view.clone() }.view_hash()
}

fn past(link: &mut RemoteLink, request: Request) -> Past {
    link.send(request).unwrap();
    wait(link, |n| match n {
        News::Past(p) => Some(*p),
        News::Answer(a) => panic!("{:?}", a.result),
        _ => None,
    })
}

#[test]
fn what_is_kept_is_what_was_shown_with_the_page_of_that_moment() {
    let hive = Served::start();
    // A read-only cockpit may look back too.
    let mut link = RemoteLink::attach(&hive.place(), true).unwrap();
    let (mut shown, mut pages): (BTreeMap<u64, Cockpit>, BTreeMap<u64, AgentPage>) = Default::default();
    let mut id = None;
    while pages.len() < 5 {
        wait(&mut link, |n| {
            match n {
                News::Cockpit(c) => {
                    id = id.or(Some(c.agents[0].id));
                    shown.insert(c.seq, *c);
                }
                News::Page(p) => drop(pages.insert(p.seq, *p)),
                _ => return None,
            }
            Some(())
        });
        if shown.len() == 1 && pages.is_empty() {
            link.send(Request::Look(id)).unwrap();
        }
    }
    let newest = shown.keys().last().copied().unwrap();
    let (mut seen, mut compared, mut by) = (u64::MAX, 0, 0);
    while compared < 3 {
        by -= 1;
        let then = past(&mut link, Request::Past(When::Step { seq: newest, by }, id));
        assert!(then.view.seq < seen, "every step is another moment");
        seen = then.view.seq;
        assert_eq!(then.page.as_ref().map(|p| p.seq), Some(seen), "page and picture are of one moment");
        if let Some(live) = shown.get(&seen) {
            assert_eq!(told(&then.view), told(live));
        }
        if let Some(live) = pages.get(&seen) {
            assert_eq!(then.page.as_ref(), Some(live));
            compared += 1;
        }
        assert!(then.place > 1 || compared > 0, "nothing that was shown is kept");
        if then.place == 1 {
            break;
        }
    }
    assert!(compared > 0);
    // By time: the newest that was known then.
    let at = shown[&newest].market_time.unwrap();
    let then = past(&mut link, Request::Past(When::At(at), None));
    assert_eq!((then.view.market_time, then.page), (Some(at), None));
    assert!(then.from <= at && at <= then.to);
}

#[test]
fn history_leaves_its_last_days_to_be_looked_at() {
    let hive = Served::start();
    let mut client = hive.client(ClientRole::Ctl);
    let end = Instant::now() + PATIENCE;
    // Twelve bars of history go by at once, and they are all there; then two a second come.
    loop {
        if let ServerAnswer::Past(then) =
            client.ask(ClientQuestion::Past(When::Step { seq: 0, by: -1 }, None)).unwrap()
        {
            assert_eq!(then.place, 1);
            if then.kept >= 12 {
                let apart = then.to.since(then.from).0 / (i64::from(then.kept) - 1);
                assert_eq!(apart, 4 * Span::HOUR.0, "no bar is missing");
                return;
            }
        }
        assert!(Instant::now() < end, "the moments are not kept");
    }
}

fn typed(hive: &Served, args: &[&str], lines: &str) -> Output {
    let mut child = command(&["attach", "--plain", "--socket", &hive.socket()])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn lines_tell_what_happens_and_do_what_is_typed_with_the_same_guards() {
    let hive = Served::start();
    // Whoever has decided something: it has a why.
    let end = Instant::now() + PATIENCE;
    let first = loop {
        let rows = text(&export(&hive, &["why", "--format", "json"]).stdout);
        let rows: Vec<Value> = serde_json::from_str(&rows).unwrap();
        if let Some(row) = rows.first() {
            break row["agent"].as_str().unwrap().to_owned();
        }
        assert!(Instant::now() < end, "nobody decides anything");
    };
    let n =
        hive.json(&["agents"])["agents"].as_array().unwrap().iter().position(|a| a["name"] == first.as_str());
    let n = n.unwrap();
    let lines = format!(
        "status\nagents {first}\npause {first}\nwhy {first}\nunfund {first}\nno\nunfund {first}\ny\nflatten\nyes\nfly\nat -8h\nstatus\nnow\nkill\nquit\n"
    );
    let said = typed(&hive, &[], &lines);
    let out = text(&said.stdout);
    assert!(said.status.success(), "{}", text(&said.stderr));
    for words in [
        "type help for what can be typed",
        "RUNNING",
        "equity",
        &format!("{first}, "),
        "takes no new risk; undo takes it back for 10 s",
        "own intent",
        "gives its funds back: ",
        "cancelled: nothing was moved",
        "Type flatten to do it",
        "cancelled: nothing was changed",
        "there is no command \"fly\"",
        "PAST, ",
        "PAST: SYNTH",
        "killed: only reductions pass",
    ] {
        assert!(out.contains(words), "lacks {words}\n{out}");
    }
    assert!(!out.contains('\x1b'), "no escape sequence");
    assert!(out.lines().all(|l| !l.contains(['▲', '▼', '│', '█'])), "no glyph stands for a word: {out}");
    let agent = hive.agent(n);
    assert_eq!((&agent["paused"], &agent["funded"]), (&true.into(), &false.into()));
    let status = hive.json(&["status"]);
    assert_eq!((&status["killed"], &status["flat"]), (&true.into(), &false.into()));
    assert!(typed(&hive, &["--read-only"], &format!("mute {first}\n")).status.success());
    assert_eq!(hive.agent(n)["muted"], false);
}

fn export(hive: &Served, args: &[&str]) -> Output {
    command(&["export", "--socket", &hive.socket()]).args(args).output().unwrap()
}

#[test]
fn every_table_is_exported_as_csv_and_as_json_of_now_and_of_before() {
    let hive = Served::start();
    for table in ["agents", "messages", "network", "goals", "pnl", "open", "why"] {
        for at in [&[] as &[&str], &["--at", "-8h"]] {
            let of = |format: &str| {
                let said = export(&hive, &[&[table, "--format", format], at].concat());
                assert!(said.status.success(), "{table} {format}: {}", text(&said.stderr));
                text(&said.stdout)
            };
            let (csv, json) = (of("csv"), of("json"));
            let head: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
            let rows: Vec<Value> = serde_json::from_str(&json).unwrap();
            for row in &rows {
                let mut keys: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
                let mut wanted = head.clone();
                keys.sort_unstable();
                wanted.sort_unstable();
                assert_eq!(keys, wanted, "{table}");
            }
            let few = table == "goals" || table == "network" || table == "why" || table == "open";
            assert!(few || !rows.is_empty(), "{table} {at:?} is empty");
        }
    }
    let of =
        |args: &[&str]| -> Vec<Value> { serde_json::from_str(&text(&export(&hive, args).stdout)).unwrap() };
    let (now, then) =
        (of(&["agents", "--format", "json"]), of(&["agents", "--format", "json", "--at", "-8h"]));
    assert_eq!(now.len(), then.len());
    assert!(then[0]["time"].as_str() < now[0]["time"].as_str());
    let name = hive.folder.path().join("agents.csv").to_string_lossy().into_owned();
    assert!(export(&hive, &["agents", "--out", &name]).status.success());
    assert!(std::fs::read_to_string(&name).unwrap().starts_with("time,id,name,"));
    for (args, says) in [
        (&["agents", "--out", &name] as &[&str], "name a new file"),
        (&["agents", "--at", "noon"], "write 14:02"),
        (&["agents", "--at", "1999-01-01"], "nothing is kept of"),
        (&["nothing"], "possible values"),
    ] {
        let said = export(&hive, args);
        assert_eq!(said.status.code(), Some(2), "{args:?}");
        assert!(text(&said.stderr).contains(says), "{args:?}: {}", text(&said.stderr));
    }
}
