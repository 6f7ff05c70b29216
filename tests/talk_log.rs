//! The log of what is said, by the real program: the same bytes from a run that is left alone, one that is served, one that
//! is killed twice and goes on, and one that is lived through again; and what `hive talk` answers from it.

use crate::beside::on_the_clock;
use crate::cli::hand::{Desk, count};
use crate::kill::life::Life;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

const MARKET: [&str; 5] = ["--no-tui", "--until-end", "--quiet", "--days", "200"];
/// Bytes of a message that the log may take.
const BYTES_MAX: f64 = 60.0;

/// A run that nobody touched: its log, and its summary.
struct Whole {
    desk: Desk,
    bytes: Vec<u8>,
    summary: Value,
}

static WHOLE: LazyLock<Whole> = LazyLock::new(|| {
    let desk = Desk::new();
    let run = [&MARKET[..], &["--talk", "whole.talk", "--summary", "out.json"]].concat();
    desk.run(&run).well();
    let summary = serde_json::from_str(&fs::read_to_string(desk.path("out.json")).unwrap()).unwrap();
    Whole { bytes: fs::read(desk.path("whole.talk")).unwrap(), summary, desk }
});

/// What `hive talk` says of it, line by line.
fn asked(args: &[&str]) -> Vec<String> {
    let said = WHOLE.desk.run(&[&["talk", "whole.talk"], args].concat()).well();
    said.out.lines().map(str::to_owned).collect()
}

fn objects(args: &[&str]) -> Vec<Value> {
    asked(&[args, &["--json"]].concat()).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Byte for byte, without printing megabytes where it is not.
fn is_whole(path: &Path) -> bool {
    fs::read(path).unwrap() == WHOLE.bytes
}

#[test]
fn left_alone_served_killed_and_lived_through_again_it_writes_the_same_bytes() {
    let _clock = on_the_clock();
    let desk = Desk::new();
    fs::set_permissions(desk.path(""), fs::Permissions::from_mode(0o700)).unwrap();
    // Served, and kept; and faster than it can be, so that it is not waited for.
    let served = [&MARKET[..], &["--serve", "--socket", "hive.sock", "--state", "served"]].concat();
    desk.run(&served).well();
    assert!(is_whole(&desk.path("served/talk")));
    // Killed twice on its way, of which it is a second and a half.
    let kept = [&MARKET[..], &["--state", "state"]].concat();
    let paced = [&kept[..], &["--speed", "11520000x"]].concat();
    for _ in 0..2 {
        let mut life = Life::start(desk.command(&paced));
        life.hears(&["is kept in", "stepped again"]);
        assert!(life.ends_within(Duration::from_millis(450)).is_none(), "{}", life.rest());
        life.kill();
        let length = fs::metadata(desk.path("state/talk")).unwrap().len() as usize;
        assert!(length < WHOLE.bytes.len(), "it was on its way");
    }
    let last = desk.run(&kept).well();
    assert!(last.err.contains("stepped again") && !last.err.contains("not in"), "{}", last.err);
    assert!(is_whole(&desk.path("state/talk")) && !desk.path("state/talk.tail").exists());
    // Without its log it goes on, and says what is missing; lived through again it has all of it.
    fs::remove_file(desk.path("state/talk")).unwrap();
    let said = desk.run(&kept).well();
    assert!(said.err.contains("messages 1 to ") && said.err.contains("--replay"), "{}", said.err);
    let said = desk.run(&[&kept[..], &["--replay"]].concat()).well();
    assert!(said.err.contains("lives through its past again from the start"), "{}", said.err);
    assert!(is_whole(&desk.path("state/talk")));
    assert!(desk.run(&["journal", "verify", "state"]).well().out.contains(": whole, run"));
}

#[test]
fn a_run_that_goes_on_is_read_up_to_its_last_words() {
    let _clock = on_the_clock();
    let desk = Desk::new();
    // A bar of four hours every tenth of a second.
    fs::set_permissions(desk.path(""), fs::Permissions::from_mode(0o700)).unwrap();
    let paced = ["--speed", "144000x", "--state", "state", "--serve", "--socket", "hive.sock"];
    let mut life = Life::start(desk.command(&[&MARKET[..], &paced].concat()));
    life.hears(&["is kept in"]);
    let end = Instant::now() + Duration::from_secs(60);
    let mut seen = 0;
    for least in [1, 40, 80] {
        loop {
            let said = desk.run(&["talk", "state", "--counts", "--json"]);
            let sum = |v: &Value| v.as_object().unwrap().values().map(count).sum::<u64>();
            if said.code == Some(0) {
                let json: Value = serde_json::from_str(&said.out).unwrap();
                seen = sum(&json["messages"]) + sum(&json["messages_open"]);
            }
            if seen >= least {
                break;
            }
            assert!(Instant::now() < end, "{least} messages never come: {said:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    assert!(seen < 1024, "none of them is in a block that is full: {seen}");
    // An export has the last of them as they are in the log: a field for each condition, and nothing is cut.
    let said = desk.run(&["export", "messages", "--format", "json", "--socket", "hive.sock"]).well();
    let last: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    let plans: Vec<&Value> = last.iter().filter(|m| m["stop"].is_object()).collect();
    assert!(!plans.is_empty() && last.iter().any(|m| m["text"].as_str().unwrap().len() > 400));
    for m in plans {
        let id = m["id"].to_string();
        let kept = desk.run(&["talk", "state", "--json", "--from", &id, "--to", &id]).well();
        let kept: Value = serde_json::from_str(&kept.out).unwrap();
        for part in ["stop", "exit", "expire", "targets", "reenter"] {
            assert_eq!(m[part], kept["action"]["plan"][part], "{part}");
        }
        assert!(m["stop"]["right"]["term"].is_string() && m["text"] == kept["text"], "{m}");
    }
    life.kill();
}

#[test]
fn the_counts_are_those_of_the_summary_and_a_message_is_short() {
    let Whole { bytes, summary, .. } = &*WHOLE;
    let counts = &objects(&["--counts"])[0];
    for part in ["messages", "messages_alone", "messages_open", "deeds"] {
        assert_eq!(counts[part], summary[part], "{part}");
    }
    let all = objects(&[]);
    assert!(all.iter().zip(1..).all(|(m, n)| m["id"] == n), "numbered without a gap");
    let each = bytes.len() as f64 / all.len() as f64;
    println!("{} messages, {each:.1} bytes each", all.len());
    assert!(all.len() > 50_000 && each <= BYTES_MAX, "{each} bytes of {} messages", all.len());
}

#[test]
fn what_is_asked_for_is_told_and_nothing_else() {
    let all = objects(&[]);
    let of = |key: &str, value: &str| all.iter().filter(|m| m[key] == value).cloned().collect::<Vec<_>>();
    let busiest = all.iter().find(|m| m["kind"] == "wait").unwrap()["from"].as_str().unwrap();
    assert_eq!(objects(&["--agent", &busiest.to_lowercase()]), of("from", busiest));
    assert_eq!(objects(&["--agent", "LR tracker"]), of("from", "LR tracker"));
    assert_eq!(objects(&["--asset", "SOL"]), of("asset", "SOL"));
    assert_eq!(objects(&["--kind", "wait"]), of("kind", "wait"));
    for life in ["alone", "open", "both"] {
        assert_eq!(objects(&["--life", life]), of("life", life), "{life}");
        assert!(!of("life", life).is_empty());
    }
    let numbers = objects(&["--from", "2000", "--to", "#2009"]);
    assert_eq!(numbers, all[1_999..2_009]);
    let (day, next) = ("2022-02-02T00:00:00Z", "2022-02-03T00:00:00Z");
    let begin = all[0]["at"].as_str().unwrap();
    assert!(begin < day, "{begin}");
    let on_the_day = all.iter().filter(|m| (day..=next).contains(&m["at"].as_str().unwrap()));
    assert_eq!(
        objects(&["--from", "2022-02-02", "--to", "2022-02-02"]),
        on_the_day.cloned().collect::<Vec<_>>()
    );
    let both = objects(&["--kind", "close,outcome", "--asset", "BTC", "--from", "-10d"]);
    assert!(!both.is_empty() && both.iter().all(|m| m["asset"] == "BTC"));
    // In words the same, and nothing is cut.
    let line = &asked(&["--from", "2000", "--to", "2000"])[0];
    let text = numbers[0]["text"].as_str().unwrap();
    assert!(line.starts_with("#2000 ") && line.ends_with(text), "{line}");
    assert!(asked(&["--kind", "open"]).iter().any(|l| l.len() > 600 && l.contains("re-enter: ")));
}

#[test]
fn acted_on_is_counted_by_deeds() {
    let mut deeds: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let all = objects(&[]);
    for m in &all {
        let swayed = m["swayed"].as_array().unwrap();
        let causes = swayed.iter().flat_map(|s| s["causes"].as_array().unwrap());
        let mut causes: Vec<u64> = causes.map(|c| count(&c["message"])).collect();
        causes.sort_unstable();
        causes.dedup();
        causes.into_iter().for_each(|c| deeds.entry(c).or_default().push(count(&m["id"])));
    }
    let mut acted = objects(&["--acted"]);
    let kinds = acted.pop().unwrap();
    assert_eq!(acted.len(), deeds.len());
    for (m, (id, named)) in acted.iter().zip(&deeds) {
        assert_eq!((&m["id"], &m["acted_on"]), (&Value::from(*id), &Value::from(named.len())));
        assert_eq!(m["deeds"], Value::from(named.clone()));
    }
    for row in kinds["kinds"].as_array().unwrap() {
        let kind = row["kind"].as_str().unwrap();
        let of_kind = |id: &u64| all[*id as usize - 1]["kind"] == kind;
        let named: std::collections::BTreeSet<u64> =
            deeds.iter().filter(|(id, _)| of_kind(id)).flat_map(|(_, named)| named.iter().copied()).collect();
        assert_eq!(count(&row["deeds"]), named.len() as u64, "{kind}");
        assert_eq!(count(&row["said"]), all.iter().filter(|m| m["kind"] == kind).count() as u64, "{kind}");
        assert_eq!(count(&row["acted_on"]), deeds.keys().filter(|id| of_kind(id)).count() as u64, "{kind}");
    }
    let table = asked(&["--acted"]);
    assert!(table.iter().any(|l| l.starts_with("kind") && l.contains("deeds")), "{:?}", table.last());
}

#[test]
fn mistakes_are_named_with_the_way_out_and_no_answer_is_told() {
    let desk = &WHOLE.desk;
    let ask = |args: &[&str]| desk.run(&[&["talk", "whole.talk"], args].concat());
    ask(&["--agent", "LR trackr"]).refused(&["--agent LR trackr", "did you mean LR tracker"]);
    ask(&["--asset", "BTD"]).refused(&["--asset BTD", "did you mean BTC"]);
    ask(&["--kind", "opens"]).refused(&["--kind opens", "did you mean open"]);
    ask(&["--from", "soon"]).refused(&["--from soon", "2023-12-30"]);
    let none = ask(&["--agent", "desk manager", "--kind", "open"]).well();
    assert!(none.out.is_empty() && none.err.contains("nothing of what was said is asked for"), "{none:?}");
    desk.run(&["talk", "nobody"]).refused(&["nobody", "--state"]);
    desk.write("folder/file", "x");
    desk.run(&["talk", "folder"]).refused(&["folder has no talk", "--replay"]);
    desk.run(&["talk", "out.json"]).refused(&["out.json is no talk log"]);
    desk.run(&[&MARKET[..], &["--talk", "whole.talk"]].concat()).refused(&["whole.talk", "there already"]);
}

#[test]
fn damage_is_refused_with_its_byte_and_a_replay_writes_it_anew() {
    let desk = Desk::new();
    let kept = ["--no-tui", "--until-end", "--quiet", "--days", "60", "--state", "state"];
    desk.run(&kept).well();
    let path = desk.path("state/talk");
    let good = fs::read(&path).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 4;
    fs::write(&path, &bad).unwrap();
    let said = desk.run(&["talk", "state", "--json"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    for word in ["state/talk is damaged at byte ", "--replay", "nothing was changed"] {
        assert!(said.err.contains(word), "{word}: {}", said.err);
    }
    desk.run(&[&kept[..], &["--replay"]].concat()).well();
    assert!(fs::read(&path).unwrap() == good);
}
