//! The rosters that are built in, as a person meets them: written by name, run on the market that they are for, and what
//! runs where nobody names anything.

use crate::cli::hand::{Desk, agents, ran};
use hive::config::{DEFAULT, READY};
use hive::domain::FamilyId;
use std::collections::BTreeMap;

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

/// On the default seed; `tests/long/families.sh` has ten others, and its table. The past is a tenth of the default run's:
/// structures have none that matters, and who decides at bars only has to be warm.
#[test]
fn every_family_of_the_default_run_closes_a_trade_within_twenty_days() {
    let desk = Desk::new();
    let rows = |feed: &str, days: &str| -> BTreeMap<String, u64> {
        let args = ["backtest", "--feed", feed, "--days", days, "--quiet", "--json", "families.json"];
        ran(desk.unnamed(&[&args[..], &["--scouts", "0", "--by-family"]].concat()).output().unwrap()).well();
        let text = std::fs::read_to_string(desk.path("families.json")).unwrap();
        std::fs::remove_file(desk.path("families.json")).unwrap();
        let table: serde_json::Value = serde_json::from_str(&text).unwrap();
        let row =
            |r: &serde_json::Value| (r["family"].as_str().unwrap().to_owned(), r["trades"].as_u64().unwrap());
        table["rows"].as_array().unwrap().iter().map(row).collect()
    };
    let (before, after) = (rows("synth?detail=1d", "73"), rows("synth?detail=20d", "93"));
    assert_eq!(after.len(), FamilyId::ALL.len(), "{after:?}");
    for (family, trades) in &after {
        assert!(*trades > before.get(family).copied().unwrap_or(0), "{family}: {before:?} {after:?}");
    }
}
