//! The full house of seventeen families on the embedded market in detail, as a user runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hive::agents::structures::KEYS;
use hive::config;
use hive::config::setup::settings;
use hive::domain::{Family, MessageKind, Reason, Verb};
use hive::engine::{Engine, Outputs};
use hive::market::Feed;
use hive::market::synth::{Detail, SynthFeed, SynthSettings};
use std::collections::BTreeMap;
use std::process::Command;

const ROSTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/rosters/full-house.toml");

/// Days before the detail begins, and of detail.
const DAYS: (u32, u32) = (20, 12);

fn feed() -> SynthFeed {
    let start = SynthSettings { bars_days: DAYS.0 + DAYS.1, ..SynthSettings::default() };
    let mut detail = Detail::last(DAYS.1, start.from, start.bars_days);
    detail.faults = true;
    SynthFeed::new(SynthSettings { detail: Some(detail), ..start }).unwrap()
}

fn engine(feed: &SynthFeed) -> Engine {
    let mut config = config::parse(ROSTER, &std::fs::read_to_string(ROSTER).unwrap()).unwrap();
    config.roster.scouts = 24;
    Engine::new(&config.roster, feed.universe(), &settings(&config), config.seed)
}

#[test]
fn the_table_by_family_has_a_row_for_each_of_seventeen_and_is_written_as_json() {
    let out = std::env::temp_dir().join(format!("hive-house-{}.json", std::process::id()));
    let run = Command::new(env!("CARGO_BIN_EXE_hive"))
        .args(["backtest", "--agents", ROSTER, "--feed", "synth?detail=5d", "--days", "30", "--quiet"])
        .args(["--faults", "--by-family", "--json"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8(run.stdout).unwrap();
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    std::fs::remove_file(&out).unwrap();
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), Family::ALL.len());
    for (row, family) in rows.iter().zip(Family::ALL) {
        assert_eq!(row["family"], family.text());
        assert!(text.contains(&family.text().replace('_', " ")), "{text}");
        assert_eq!(row["feed"], "synth");
        let level = row["level"].as_str().unwrap();
        assert!(["B", "L1", "L2"].contains(&level), "{row}");
        assert_eq!(family.is_structured(), level != "B", "{row}");
        for number in ["trades", "fees", "funding", "pnl", "pnl_touch"] {
            assert!(row[number].as_f64().unwrap().is_finite(), "{row}");
        }
        assert_eq!(row["established"].as_bool().unwrap(), {
            row["pnl"].as_f64().unwrap() * row["pnl_touch"].as_f64().unwrap() >= 0.0
        });
        assert!(row["agents"].as_u64().unwrap() > 0, "somebody of it found what it needs: {row}");
    }
}

#[test]
fn everybody_talks_with_conditions_and_nothing_breaks_with_faults_on() {
    let mut feed = feed();
    let mut engine = engine(&feed);
    let cast = engine.cast().clone();
    let mut out = Outputs::default();
    let mut said: BTreeMap<(usize, &'static str), String> = BTreeMap::new();
    let mut opens: BTreeMap<usize, u32> = BTreeMap::new();
    while let Some(event) = feed.next().unwrap() {
        engine.step(&event, &mut out);
        for m in &out.messages {
            let hive::domain::Speaker::Agent(agent) = m.from else { continue };
            let family = cast.agents[agent.index()].family;
            if !family.is_structured() {
                continue;
            }
            match m.body {
                MessageKind::Action(a) => {
                    assert!(a.after.is_finite() && a.price.is_finite(), "{a}");
                    let kind = match a.verb {
                        Verb::Open => "open",
                        Verb::Increase => "increase",
                        Verb::Decrease => "decrease",
                        Verb::Close => "close",
                    };
                    *opens.entry(family.index()).or_default() += u32::from(a.verb == Verb::Open);
                    assert!(a.verb != Verb::Open || (a.before == 0.0 && a.after != 0.0), "{a}");
                    assert!(a.verb != Verb::Close || a.after == 0.0, "{a}");
                    let known = |i| KEYS.contains(&i);
                    assert!(
                        a.plan.parts().flat_map(|(_, c)| c.indicators().collect::<Vec<_>>()).all(known),
                        "{a}"
                    );
                    assert!(a.verb != Verb::Close || a.reason != Reason::Signal, "{a}");
                    said.entry((family.index(), kind)).or_insert_with(|| a.to_string());
                }
                MessageKind::Outcome(o) => assert!(o.pnl.is_finite() && o.r.is_finite(), "{o:?}"),
                _ => {}
            }
        }
    }
    engine.balances().unwrap();
    for family in Family::ALL.iter().filter(|f| f.is_structured()) {
        let opened = opens.get(&family.index()).copied().unwrap_or_default();
        eprintln!("{family}: {opened} opened");
    }
    // Each that opened has said its stop, its targets and when it would do it again.
    for ((family, kind), text) in &said {
        let family = Family::ALL[*family];
        if *kind == "open" {
            for part in ["stop:", "exit:", "expire:", "target:", "again if"] {
                assert!(text.contains(part), "{family} {part}: {text}");
            }
        }
    }
    let talking = said.keys().filter(|k| k.1 == "open").count();
    assert!(talking >= 6, "{talking} of nine structured families opened something: {opens:?}");
}

#[test]
fn the_same_run_gives_the_same_bytes_also_over_a_snapshot() {
    let mut whole = feed();
    let mut engine_a = engine(&whole);
    let mut out = Outputs::default();
    let mut events = Vec::new();
    while let Some(event) = whole.next().unwrap() {
        events.push(event);
    }
    let cut = events.len() * 3 / 4;
    events[..cut].iter().for_each(|e| engine_a.step(e, &mut out));
    let bytes = engine_a.snapshot().unwrap();
    let mut engine_b = engine(&whole);
    engine_b.restore(&bytes).unwrap();
    for e in &events[cut..cut + 20_000] {
        engine_a.step(e, &mut out);
        engine_b.step(e, &mut out);
    }
    assert_eq!(engine_a.state_hash(), engine_b.state_hash());
}
