//! The rosters that are built in, as a person meets them: written by name, run on the market that they are for, and what
//! runs where nobody names anything.

use crate::cli::hand::{Desk, agents, ran};
use hive::config::{DEFAULT, READY};
use hive::domain::FamilyId;

#[test]
fn every_ready_roster_is_listed_written_and_free_of_mistakes_and_another_name_gets_the_list() {
    let desk = Desk::new();
    let listed = desk.run(&["agents", "list"]).well().out;
    for ready in READY {
        assert!(listed.contains(&format!("  {:<22}{}", ready.name, ready.idea)), "{listed}");
        let file = format!("{}.toml", ready.name);
        desk.run(&["agents", "new", ready.name, &file]).well();
        assert!(desk.run(&["agents", "check", &file]).well().out.contains("no mistakes"), "{}", ready.name);
        desk.run(&["agents", "new", ready.name, &file]).refused(&[&file, "left alone"]);
    }
    let mut names = vec!["\"full-hose\""];
    names.extend(READY.iter().map(|r| r.name));
    desk.run(&["agents", "new", "full-hose"]).refused(&names);
    assert!(!desk.path("agents.toml").exists());
}

#[test]
fn what_runs_where_nothing_is_named_is_every_family_in_detail_and_bars_have_the_roster_of_bars() {
    let desk = Desk::new();
    let short = ["--days", "40", "--scouts", "0", "--quiet", "--summary"];
    let read = |file: &str| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(desk.path(file)).unwrap()).unwrap()
    };
    ran(desk.unnamed(&[&["backtest"], &short[..], &["all.json"]].concat()).output().unwrap()).well();
    let all = read("all.json");
    let families: std::collections::BTreeSet<&str> =
        agents(&all).iter().map(|a| a["family"].as_str().unwrap()).collect();
    assert_eq!(families.len(), FamilyId::ALL.len(), "{families:?}");
    assert!(all["notes"].to_string().contains("quotes, futures, options and pools"), "{}", all["notes"]);
    // The same by name, and by the name of its feed.
    let file = desk.write("mine.toml", DEFAULT.text);
    ran(desk
        .unnamed(&[&["backtest", "--agents", &file], &short[..], &["mine.json"]].concat())
        .output()
        .unwrap())
    .well();
    assert_eq!(all["state_hash"], read("mine.json")["state_hash"]);
    // Bars alone have the roster of bars, as ever.
    let plain = desk.summary(&["--feed", "synth", "--days", "40", "--scouts", "0"]);
    desk.run(&["agents", "new", "bars", "bars.toml"]).well();
    let named = desk.summary(&["--feed", "synth", "--days", "40", "--scouts", "0", "--agents", "bars.toml"]);
    assert_eq!(agents(&plain).len(), 72);
    assert_eq!(plain["state_hash"], named["state_hash"]);
}

#[test]
fn by_asset_everybody_trades_its_own_side_alone() {
    let desk = Desk::new();
    desk.run(&["agents", "new", "by-asset", "pairs.toml"]).well();
    let run = ["--feed", "synth", "--days", "365", "--seed", "3", "--scouts", "0", "--agents", "pairs.toml"];
    let s = desk.summary(&run);
    assert_eq!(agents(&s).len(), 12);
    for agent in agents(&s) {
        assert!(agent["trades"].as_u64().unwrap() > 0, "{agent}");
        assert_eq!(agent["assets"].as_array().unwrap().len(), 1, "{agent}");
    }
}

/// Structures have no past that matters, so the last days alone show what each family does in the default run.
#[test]
fn every_family_of_structures_closes_a_trade_within_twenty_days() {
    let desk = Desk::new();
    let text = DEFAULT.text;
    let (head, more) = (text.find("[[agent]]").unwrap(), text.find("# Structures: ").unwrap());
    let file = desk.write("structures.toml", &format!("{}{}", &text[..head], &text[more..]));
    let args = ["backtest", "--agents", &file, "--feed", "synth?detail=20d", "--days", "748", "--quiet"];
    desk.run(&[&args[..], &["--json", "families.json"]].concat()).well();
    let table: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(desk.path("families.json")).unwrap()).unwrap();
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 9);
    for row in rows {
        assert!(row["trades"].as_u64().unwrap() > 0, "{row}");
    }
}
