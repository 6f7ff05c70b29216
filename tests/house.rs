//! The full house of seventeen families on the embedded market in detail, as a user runs it.

use crate::cli::hand::program;
use hive::domain::FamilyId;
use hive::view::cockpit::TopicKind;
use std::process::Command;

const ROSTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/rosters/full-house.toml");

#[test]
fn the_table_by_family_has_a_row_for_each_of_seventeen_and_is_written_as_json() {
    let out = std::env::temp_dir().join(format!("hive-house-{}.json", std::process::id()));
    let run = Command::new(program())
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
    assert_eq!(rows.len(), FamilyId::ALL.len());
    for (row, family) in rows.iter().zip(FamilyId::ALL) {
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

/// Fewest deeds in which each kind of message is acted on in two months.
const DEEDS_MIN: u64 = 10;

#[test]
fn every_kind_of_message_is_acted_on() {
    let desk = tempfile::tempdir().unwrap();
    let hive = |args: &[&str]| {
        let run = Command::new(program()).current_dir(desk.path()).args(args).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    };
    let run = ["backtest", "--agents", ROSTER, "--feed", "synth?detail=30d", "--days", "60", "--faults"];
    hive(&[&run[..], &["--quiet", "--talk", "house.talk"]].concat());
    let listed = hive(&["talk", "house.talk", "--acted", "--json"]);
    let last: serde_json::Value = serde_json::from_str(listed.lines().last().unwrap()).unwrap();
    let kinds: Vec<(&str, u64)> = last["kinds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["kind"].as_str().unwrap(), row["deeds"].as_u64().unwrap()))
        .collect();
    println!("{kinds:?}");
    assert_eq!(kinds.len(), TopicKind::ALL.len());
    let few: Vec<_> = kinds.iter().filter(|(_, deeds)| *deeds < DEEDS_MIN).collect();
    assert!(few.is_empty(), "{few:?} of {kinds:?}");
}
