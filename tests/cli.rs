//! Every promise of the README, kept by the real program from outside: files in, text, JSON and exit
//! codes out. `HIVE_BIN` names another build of it to try.

// Their code is what runs here; `main` only prints.
#[allow(dead_code)]
#[path = "../examples/backtest.rs"]
mod backtest_example;
pub mod hand;
#[allow(dead_code)]
#[path = "../examples/listen.rs"]
mod listen_example;
mod log;
mod ruin;
mod trades;
mod units;

use crate::beside::on_the_clock;
use hand::{Desk, agents, bars, count, keeps_the_contract, long, money, panel, ran, sums_up};
use hive::domain::FamilyId;
use rust_decimal::Decimal;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// A market that is over in a moment.
const SHORT: [&str; 4] = ["--days", "120", "--scouts", "24"];

fn with<'a>(args: &[&'a str]) -> Vec<&'a str> {
    SHORT.iter().chain(args).copied().collect()
}

#[test]
fn hive_alone_runs_the_embedded_market_to_a_report() {
    let desk = Desk::new();
    let said = ran(desk.unnamed(&SHORT).output().unwrap()).well();
    for word in [
        "SYNTH",
        "PAPER",
        "seed 82",
        "alone",
        "open",
        "real",
        "Sharpe",
        "low risk",
        "big money",
        "fast",
        "automated",
        "family",
        "messages",
        "balance to the last digit",
        "no real prices",
    ] {
        assert!(said.out.contains(word), "{word} is not in\n{}", said.out);
    }
    for family in FamilyId::ALL {
        let family = &family.text().replace('_', " ");
        assert!(said.out.lines().any(|l| l.starts_with(family.as_str())), "{family} is not in\n{}", said.out);
    }
    let widest = said.out.lines().map(|l| l.chars().count()).max().unwrap();
    assert!(widest <= 100, "{widest} columns\n{}", said.out);
    assert!(said.out.contains("is the median of seeds 1 to 100 by real Sharpe ratio"), "{}", said.out);
    let chosen = ran(desk.unnamed(&with(&["--seed", "1"])).output().unwrap()).well().out;
    assert!(!chosen.contains("median"), "whoever gives a seed is told of no rule: {chosen}");
    assert!(said.err.is_empty(), "no progress bar without a terminal: {}", said.err);
}

#[test]
fn the_summary_keeps_its_contract() {
    let s = Desk::new().summary(&SHORT);
    keeps_the_contract(&s);
    assert_eq!(
        (s["mode"].as_str(), s["seed"].as_u64(), s["scouts"].as_u64()),
        (Some("SYNTH"), Some(1), Some(24))
    );
    assert_eq!(agents(&s).len(), 72);
    assert!(count(&s["bars"]) > 0 && money(&s["traded_notional"]) > Decimal::ZERO);
    assert!(agents(&s).iter().any(|a| count(&a["messages_acted_on"]) > 0), "somebody listens");
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_another_run() {
    let desk = Desk::new();
    let strip = |mut s: serde_json::Value| {
        s.as_object_mut().unwrap().remove("wall_s");
        s
    };
    let [a, b, c] = ["3", "3", "4"].map(|seed| strip(desk.summary(&with(&["--seed", seed]))));
    assert_eq!(a, b);
    assert_ne!(a["state_hash"], c["state_hash"]);
    assert_ne!(a["decision_hash"], c["decision_hash"]);
    assert_eq!(a["roster_hash"], c["roster_hash"], "the seed is no part of the roster");
}

#[test]
fn the_deaf_hear_nothing_and_open_is_alone() {
    let desk = Desk::new();
    let (deaf, open) = (desk.summary(&with(&["--deaf"])), desk.summary(&SHORT));
    assert!(agents(&deaf).iter().all(|a| count(&a["messages_acted_on"]) == 0));
    assert_eq!(deaf["messages"]["adjustment"], 0, "no manager acts");
    assert_eq!(deaf["equity"]["open"].as_str().unwrap(), deaf["equity"]["alone"].as_str().unwrap());
    assert!(agents(&deaf).iter().all(|a| a["open_pnl"] == a["alone_pnl"]));
    assert_eq!(deaf["equity"]["alone"], open["equity"]["alone"], "the deaf twins never listened anyway");
    assert_ne!(open["equity"]["open"], open["equity"]["alone"]);
    let said = desk.run(&with(&["--deaf"])).well();
    assert!(said.out.contains("everybody is deaf: open = alone by construction"), "{}", said.out);
    let mut command = desk.command(&SHORT);
    let said = ran(command.env("HIVE_DEAF", "1").output().unwrap()).well();
    assert!(said.out.contains("everybody is deaf"), "{}", said.out);
}

#[test]
fn backtest_is_the_same_run_and_no_tui_changes_nothing() {
    let desk = Desk::new();
    let hash = |args: &[&str]| desk.summary(args)["state_hash"].clone();
    let plain = hash(&SHORT);
    assert_eq!(hash(&[&["backtest"], &SHORT[..]].concat()), plain);
    assert_eq!(hash(&with(&["--no-tui", "--until-end", "--speed", "max"])), plain);
}

#[test]
fn the_example_of_a_backtest_is_the_run_of_the_program() {
    let summary = backtest_example::run(120).unwrap();
    let program = Desk::new().summary(&["backtest", "--days", "120"]);
    assert_eq!(program["decision_hash"], summary.decision_hash);
    assert_eq!(program["equity"]["real"], summary.equity.real);
    let table = backtest_example::table(&summary).unwrap();
    let row = |name: &str| {
        let line = table.lines().find(|l| l.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("no row of {name} in\n{table}"));
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    for life in ["alone", "open", "real"] {
        assert!(row(life)[0].parse::<f64>().unwrap() != 0.0, "{table}");
    }
    // Every agent is in the row of its family, and what the rows hold is what all of them hold.
    let column = |n: usize| {
        let rows = table.lines().skip_while(|l| !l.starts_with("family")).skip(1);
        let cells = rows.take_while(|l| !l.is_empty()).filter_map(|l| l.split_whitespace().nth(n));
        cells.map(|c| c.parse::<f64>().unwrap()).sum::<f64>()
    };
    assert_eq!(column(1), summary.agents.len() as f64);
    assert!(column(2) > 0.0);
    let alone: f64 = row("alone")[0].parse().unwrap();
    assert!((column(3) - alone).abs() <= 10.0, "{} is not {alone}", column(3));
}

#[test]
fn the_example_that_listens_prints_answers_with_the_words_they_answer() {
    let heard = listen_example::overhear(45, 5).unwrap();
    assert_eq!(heard, listen_example::overhear(45, 5).unwrap(), "the same on every run");
    let (talk, table) = heard.split_once("\nagent").unwrap();
    let answers = talk.lines().filter(|l| l.starts_with('#')).count();
    assert_eq!(answers, 5, "{heard}");
    let reasons: Vec<&str> = talk.lines().filter(|l| l.starts_with("    because of #")).collect();
    assert!(reasons.len() >= answers, "each answer names what it answers: {heard}");
    assert!(reasons.iter().all(|r| r.contains(" on ") && r.contains(" % of capital")), "{heard}");
    assert!(talk.contains("joins: ") && talk.contains(" → "), "{heard}");
    assert_eq!(table.lines().skip(1).count(), 10, "who was heard: {heard}");
}

#[test]
fn the_random_walk_is_another_market() {
    let desk = Desk::new();
    let walk = desk.summary(&with(&["--world", "random-walk"]));
    assert_ne!(walk["data_hash"], desk.summary(&SHORT)["data_hash"]);
    keeps_the_contract(&walk);
}

#[test]
fn clock_costs_and_window_are_options() {
    let desk = Desk::new();
    let s = desk.summary(&["--from", "2022-03-01", "--to", "2022-06-30", "--scouts", "8", "--clock", "1d"]);
    assert_eq!((s["clock"].as_str(), s["scouts"].as_u64()), (Some("1d"), Some(8)));
    assert!(s["from"].as_str().unwrap().starts_with("2022-03-02"), "the first close: {}", s["from"]);
    assert!(s["to"].as_str().unwrap().starts_with("2022-07-01"), "the last day is included: {}", s["to"]);
    let flat = desk.summary(&with(&["--costs", "7bp"]));
    assert!(flat["fill_level"].as_str().unwrap().contains("7 bp"), "{}", flat["fill_level"]);
    assert_ne!(flat["equity"]["alone"], desk.summary(&SHORT)["equity"]["alone"]);
    // Four days in under two seconds is faster than this market's hour in a second, and slower than max.
    let paced = desk.summary(&["--days", "4", "--scouts", "0", "--speed", "345600x"]);
    assert!(paced["wall_s"].as_f64().unwrap() > 0.9, "{}", paced["wall_s"]);
}

#[test]
fn fine_fills_are_asked_for_said_on_every_result_and_none_of_the_labs() {
    let desk = Desk::new();
    let panel = desk.write("market.csv", &long(&[bars(Some("BTCUSDT"), 1, 2_400, |_| true)]));
    let feed = format!("history:{panel}");
    let market = ["--feed", &feed, "--scouts", "0"];
    let plain = desk.summary(&market);
    let fine = desk.summary(&[&market[..], &["--fills", "fine"]].concat());
    keeps_the_contract(&fine);
    let level = |s: &Value| s["fill_level"].as_str().unwrap().to_owned();
    assert_eq!(
        level(&fine),
        format!(
            "{}{}",
            level(&plain),
            "; alone and open fill, and stops and targets are \
        judged, on finer bars and quotes where there are any"
        )
    );
    assert_ne!(fine["equity"]["alone"], plain["equity"]["alone"]);
    assert_eq!(fine["bars"], plain["bars"], "it decides as often");
    let table = [&market[..], &["--fills", "fine", "--by-family", "--json", "families.json"]].concat();
    let told = ran(desk.command(&[&["backtest"][..], &table].concat()).output().unwrap()).well();
    assert!(told.out.contains("judged, on finer bars"), "{}", told.out);
    let table: Value =
        serde_json::from_str(&std::fs::read_to_string(desk.path("families.json")).unwrap()).unwrap();
    assert_eq!(table["fill_level"], fine["fill_level"]);
    let wrong = [&["backtest"][..], &market, &["--fills", "finer"]].concat();
    desk.run(&wrong).refused(&["--fills", "finer", "did you mean \"fine\""]);
    let mut lab = desk.command(&["lab", "--feed", &feed]);
    ran(lab.env("HIVE_COSTS_FILLS", "fine").output().unwrap())
        .refused(&["costs.fills", "bars of the decision clock"]);
}

#[test]
fn a_panel_with_a_gap_and_a_delisting_is_traded_and_both_are_said() {
    let desk = Desk::new();
    let hours = 24 * 110;
    let all = |_: u32| true;
    let panel = desk.write(
        "market.csv",
        &long(&[
            bars(Some("BTCUSDT"), 1, hours, all),
            bars(Some("ETHUSDT"), 2, hours, |h| !(1_200..1_260).contains(&h)),
            bars(Some("SOLUSDT"), 3, hours, |h| h < 1_900),
        ]),
    );
    let feed = format!("history:{panel}");
    let said = desk.run(&["--feed", &feed, "--scouts", "24"]).well();
    assert!(said.out.contains("HISTORY market"), "{}", said.out);
    assert!(said.out.contains("gaps in the data: 1"), "{}", said.out);
    assert!(said.out.contains("SOLUSDT stopped trading: closed at its last price"), "{}", said.out);
    let s = desk.summary(&["--feed", &feed, "--scouts", "24"]);
    keeps_the_contract(&s);
    let few = desk.summary(&["--feed", &feed, "--scouts", "24", "--assets", "BTC,ETH"]);
    assert!(count(&few["bars"]) < count(&s["bars"]));
    let listed = agents(&few).iter().flat_map(|a| a["assets"].as_array().unwrap());
    assert!(listed.map(|a| a.as_str().unwrap()).all(|a| a == "BTC" || a == "ETH"));
    let cut =
        desk.summary(&["--feed", &feed, "--scouts", "24", "--from", "2023-02-01", "--to", "2023-03-31"]);
    assert!(cut["from"].as_str().unwrap().starts_with("2023-02-01"), "{}", cut["from"]);
    assert!(cut["to"].as_str().unwrap().starts_with("2023-04-01"), "{}", cut["to"]);
}

#[test]
fn a_run_over_held_out_days_is_a_look_and_says_how_many_there_were() {
    let desk = Desk::new();
    // From the middle of June 2023 to the middle of July.
    let panel = desk.write("market.csv", &long(&[bars(Some("BTCUSDT"), 1, 4_700, |h| h >= 3_984)]));
    let feed = format!("history:{panel}");
    let looks = |more: &[&str]| {
        let s = desk.summary(&[&["--feed", feed.as_str(), "--scouts", "8"], more].concat());
        (s["looks"].as_u64(), s["notes"].to_string())
    };
    let (first, said) = looks(&[]);
    assert!(first == Some(1) && said.contains("look 1 so far"), "{said}");
    assert_eq!(looks(&[]).0, Some(1), "the same command twice is one look");
    assert_eq!(looks(&["--costs", "7bp"]).0, Some(2));
    let (before, said) = looks(&["--to", "2023-06-30"]);
    assert!(before.is_none() && !said.contains("held out"), "{said}");
    assert!(desk.run(&["backtest", "--feed", &feed, "--scouts", "8"]).well().out.contains("look 2 so far"));
    // The experiment counts in the same file, and the same market under the same settings is no further look.
    let lab = ["lab", "--feed", &feed, "--scouts", "8", "--seeds", "1", "--arms", "net-eq"];
    assert!(desk.run(&lab).well().out.contains("looks at held-out data 2"));
    assert!(
        desk.run(&[&lab[..], &["--costs", "3bp"]].concat()).well().out.contains("looks at held-out data 3")
    );
    assert_eq!(looks(&["--costs", "3bp"]).0, Some(3));
    // Where nothing can be written it is said, and the run goes on.
    desk.write("file", "");
    let mut command = desk.command(&["backtest", "--feed", &feed, "--scouts", "8"]);
    let said = ran(command.env("XDG_STATE_HOME", desk.path("file")).output().unwrap()).well();
    assert!(said.out.contains("could not be counted"), "{}", said.out);
}

#[test]
fn perps_pay_the_funding_of_a_file() {
    let desk = Desk::new();
    let panel = desk.write("market.csv", &long(&[bars(Some("BTCUSDT"), 1, 2_400, |_| true)]));
    let rates: Vec<String> = bars(None, 1, 2_400, |h| h % 8 == 0)
        .lines()
        .map(|l| format!("{},BTCUSDT,0.0005\n", l.split(',').next().unwrap()))
        .collect();
    let rates = desk.write("rates.csv", &format!("timestamp,symbol,rate\n{}", rates.concat()));
    let feed = format!("history:{panel}?kind=perp");
    let [with, without] = [&["--funding", rates.as_str()][..], &[]].map(|more| {
        let s = desk.summary(&[&["--feed", feed.as_str(), "--scouts", "8"], more].concat());
        keeps_the_contract(&s);
        s
    });
    assert_ne!(with["equity"]["real"], without["equity"]["real"]);
    assert_ne!(with["data_hash"], without["data_hash"]);
    assert!(without["notes"].to_string().contains("no funding"), "{}", without["notes"]);
}

#[test]
fn a_folder_of_one_file_per_symbol_is_the_same_market_as_its_panel() {
    let desk = Desk::new();
    let (btc, eth) = (|s| bars(s, 1, 2_000, |_| true), |s| bars(s, 2, 2_000, |_| true));
    let panel = desk.write("folder.csv", &long(&[btc(Some("BTCUSDT")), eth(Some("ETHUSDT"))]));
    let head = "timestamp,open,high,low,close,volume\n";
    desk.write("folder/BTCUSDT.csv", &format!("{head}{}", btc(None)));
    let one = desk.write("folder/ETHUSDT.csv", &format!("{head}{}", eth(None)));
    let folder = one.rsplit_once('/').unwrap().0;
    let [a, b] = [panel.as_str(), folder]
        .map(|p| desk.summary(&["--feed", &format!("history:{p}"), "--scouts", "24"])["state_hash"].clone());
    assert_eq!(a, b);
}

#[test]
fn ten_mistakes_are_reported_at_once_with_their_places() {
    let desk = Desk::new();
    let file = desk.write("ten.toml", include_str!("fixtures/ten_mistakes.toml"));
    for args in [
        &["--agents", file.as_str()][..],
        &["agents", "check", &file],
        &["config", "show", "--agents", &file],
    ] {
        let said = desk.run(args).refused(&["patiense", "did you mean \"patience\"?"]);
        let places = said.err.lines().filter(|l| l.trim_start().starts_with(&format!("{file}:"))).count();
        assert_eq!(places, 10, "{}", said.err);
        // Each line is shown with what is meant, without colour where nobody looks at a terminal.
        let line = said.err.lines().position(|l| l.contains("patiense = 0.2")).unwrap();
        assert_eq!(said.err.lines().nth(line + 1).unwrap().trim(), "| ^^^^^^^^", "{}", said.err);
        assert!(!said.err.contains('\u{1b}'), "{}", said.err);
    }
}

#[test]
fn mistakes_of_the_command_line_are_named_with_the_way_out() {
    let desk = Desk::new();
    let panel = desk.write("market.csv", &long(&[bars(Some("BTCUSDT"), 1, 400, |_| true)]));
    let history = format!("history:{panel}");
    let broken = format!("history:{}", desk.write("broken.csv", "when,symbol,close\n1,BTC,2\n"));
    let cases: &[(&[&str], &[&str])] = &[
        (&["--agents", "gone.toml"], &["gone.toml", "--agents"]),
        (&["--feed", "histroy:x.csv"], &["--feed", "histroy:x.csv", "history:PATH"]),
        (&["--feed", "history:gone.csv"], &["gone.csv", ".csv.gz"]),
        (&["--feed", "history:gone.csv?kind=swap"], &["kind=perp|spot|margin"]),
        (&["--feed", "binance"], &["binance", "live", "history:PATH"]),
        (&["--feed", &broken], &["broken.csv", "`time`", "map=time=COLUMN", "rename"]),
        (&["--feed", &history, "--assets", "DOGE"], &["DOGE", "BTC"]),
        (&["--feed", &history, "--clock", "90m"], &["--clock"]),
        (&["--feed", &history, "--from", "2031-01-01"], &["2031-01-01", "--from"]),
        (&["--feed", &history, "--world", "market"], &["--world", "embedded market"]),
        (&["--feed", &history, "--days", "9"], &["--days", "--from"]),
        (&["--feed", &history, "--funding", "gone.csv"], &["gone.csv"]),
        (&["--assets", "BTC"], &["--assets", "history"]),
        (&["--funding", "x.csv"], &["--funding", "history"]),
        (&["--speed", "fast"], &["--speed", "fast", "3600x"]),
        (&["--from", "yesterday"], &["--from", "yesterday", "2023-06-30"]),
        (&["--from", "2023-02-01", "--to", "2023-01-01"], &["--from", "--to"]),
        (&["--to", "2001-01-01"], &["--to", "embedded market"]),
        (&["--days", "9", "--to", "2023-01-01"], &["--days", "--to"]),
        (&["--days", "0"], &["0 days", "1 to"]),
        (&["--world", "flat"], &["--world", "flat", "random-walk"]),
        (&["--clock", "4x"], &["--clock", "4x"]),
        (&["--costs", "cheap"], &["--costs", "cheap"]),
        (&["--scouts", "9999999"], &["--scouts", "9999999"]),
        (&["--seed", "many"], &["--seed", "many"]),
        (&["--sed", "1"], &["--sed", "--seed"]),
        (&["--summary", "no/such/folder/out.json"], &["--summary", "no/such/folder/out.json", "folder"]),
    ];
    for (args, names) in cases {
        desk.run(args).refused(names);
    }
    assert!(!desk.path("no").exists());
}

#[test]
fn a_refused_run_leaves_no_summary_and_a_finished_one_replaces_the_old() {
    let desk = Desk::new();
    desk.run(&["--summary", "out.json", "--feed", "history:gone.csv"]).refused(&["gone.csv"]);
    assert!(!desk.path("out.json").exists());
    desk.write("out.json", "an old one");
    desk.summary(&with(&["--seed", "9"]));
    let left: Vec<String> = std::fs::read_dir(desk.path(""))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(left, ["out.json"], "nothing half written stays");
    // What is no file is written as it is.
    let said = desk.run(&with(&["--quiet", "--summary", "/dev/stdout"])).well();
    assert!(said.out.starts_with('{'), "{}", said.out);
}

#[test]
fn agents_are_listed_and_checked() {
    let desk = Desk::new();
    let said = desk.run(&["agents", "list"]).well();
    for word in ["support_resistance", "default", "allowed", "Mira", "@majors", "204 scouts"] {
        assert!(said.out.contains(word), "{word} is not in\n{}", said.out);
    }
    assert!(desk.run(&["agents", "check"]).well().out.contains("no mistakes: 90 agents"));
    let small = desk.write("small.toml", include_str!("fixtures/smallest.toml"));
    assert!(desk.run(&["agents", "check", &small]).well().out.contains("no mistakes: 1 agents"));
    desk.run(&["agents", "list", "--agents", "gone.toml"]).refused(&["gone.toml"]);
    assert!(said.out.lines().any(|l| l.contains("  Ivo ") && l.contains("no reactions")), "{}", said.out);
    assert!(said.out.lines().any(|l| l.contains("  Leo ") && l.contains("8 reactions")), "{}", said.out);
}

#[test]
fn all_that_an_agent_lives_by_is_shown_with_each_reaction_as_a_sentence() {
    let desk = Desk::new();
    let said = desk.run(&["agents", "show", "Otto"]).well().out;
    for words in [
        "Otto\n",
        "family       momentum\n",
        "assets       top:2:volume\n",
        "goal         low_risk\n      unit 0.8 · stop 0.7",
        "personality  stoic\n      aggression 1 · patience 1.4",
        "sociability 0.1 · max_follow 3 · no_flip true",
        "  short      bars   ",
        "reactions    9\n",
        "low risk tightens (preset low_risk, default (built in):",
        "          when low_risk reads below 0.5, I hold my stop at 0.7 of its distance\n",
        "wait for the crowd to clear (personality stoic, ",
        "apprentice leaves (own, ",
        "          when Kofi closed or decreased on my asset within 1d, I close\n",
    ] {
        assert!(said.contains(words), "{words:?} is not in\n{said}");
    }
    let hermit = desk.run(&["agents", "show", "mateo"]).well().out;
    assert!(hermit.contains("Mateo\n") && hermit.contains("reactions    none\n"), "{hermit}");
    let json = desk.run(&["agents", "show", "Noor", "--json"]).well().out;
    let noor: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((noor["goal"].as_str(), noor["preset"]["stop"].as_f64()), (Some("fast"), Some(0.8)));
    let slow = noor["params"].as_array().unwrap().iter().find(|p| p["name"] == "slow").unwrap();
    assert_eq!((&slow["from"], &slow["to"], &slow["set"]), (&60.0.into(), &120.0.into(), &true.into()));
    let first = &noor["reactions"][0];
    assert_eq!(
        (first["name"].as_str(), first["cautious"].as_bool()),
        (Some("fast takes sooner"), Some(true))
    );
    assert_eq!(first["from"], "preset fast");
    let small = desk.write("small.toml", include_str!("fixtures/smallest.toml"));
    let said = desk.run(&["agents", "show", "Mira", "--agents", &small]).well().out;
    assert!(said.contains("assets       any\n") && said.contains("reactions    none\n"), "{said}");
    let wrong = ["there is no agent \"Oto\"", "did you mean Otto?", "hive agents list"];
    desk.run(&["agents", "show", "Oto"]).refused(&wrong);
}

#[test]
fn what_is_built_in_can_be_saved_changed_and_run() {
    let desk = Desk::new();
    let text = desk.run(&["config", "print-default"]).well().out;
    desk.write("agents.toml", &text);
    let short = with(&["--feed", "synth?detail=1d"]);
    let built_in = Desk::new().summary(&short);
    let saved = desk.summary(&short);
    assert_eq!(saved["roster_hash"], built_in["roster_hash"]);
    assert_eq!(saved["state_hash"], built_in["state_hash"]);
    desk.write("agents.toml", &text.replace("band = 0.20 ", "band = 0.30 "));
    let changed = desk.summary(&short);
    assert_ne!(changed["roster_hash"], built_in["roster_hash"]);
    assert_ne!(changed["decision_hash"], built_in["decision_hash"]);
}

#[test]
fn every_value_says_where_it_came_from() {
    let desk = Desk::new();
    let small = include_str!("fixtures/smallest.toml");
    let file = desk.write("mine.toml", &format!("{small}\n[desk]\nband = 0.3\n"));
    let line_of_band = small.lines().count() + 3;
    let mut command =
        desk.command(&["config", "show", "--agents", &file, "--seed", "11", "--deaf", "--costs", "7bp"]);
    let said = ran(command.env("HIVE_DESK_PATIENCE", "0.2").env("HIVE_SEED", "10").output().unwrap()).well();
    let line = |path: &str| {
        let found = said.out.lines().find(|l| l.split_whitespace().next() == Some(path));
        found
            .unwrap_or_else(|| panic!("no {path} in\n{}", said.out))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(line("hive.seed"), "hive.seed 11 flag --seed");
    assert_eq!(line("listening.enabled"), "listening.enabled false flag --deaf");
    assert_eq!(line("costs.flat_bp"), "costs.flat_bp 7 flag --costs");
    assert_eq!(line("desk.patience"), "desk.patience 0.2 variable HIVE_DESK_PATIENCE");
    assert_eq!(line("desk.band"), format!("desk.band 0.3 {file}:{line_of_band}"));
    assert_eq!(line("desk.target_vol"), "desk.target_vol 0.15 default");
    let mut command = desk.command(&["config", "show"]);
    let wrong = ran(command.env("HIVE_DESK_PATIENCE", "soon").output().unwrap());
    wrong.refused(&["HIVE_DESK_PATIENCE", "patience in [desk] must be a number"]);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let desk = Desk::new();
    for args in [&["config", "print-default"][..], &["agents", "list"], &SHORT, &["--help"]] {
        let mut child = desk.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(!first.is_empty());
        ran(child.wait_with_output().unwrap()).well();
    }
    // Nobody there from the start.
    let mut child = desk.command(&SHORT).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(ran(child.wait_with_output().unwrap()).well().err.is_empty());
}

#[test]
fn help_and_version_say_what_there_is() {
    let desk = Desk::new();
    let help = desk.run(&["--help"]).well().out;
    for word in [
        "backtest",
        "agents",
        "config",
        "bench",
        "--feed",
        "--deaf",
        "--seed",
        "--summary",
        "--until-end",
        "--speed",
        "--no-tui",
        "Exit codes",
        "HIVE_",
        "print-default",
    ] {
        assert!(help.contains(word), "{word} is not in\n{help}");
    }
    assert!(desk.run(&["--version"]).well().out.starts_with("hive 0.1.0"));
}

#[test]
fn the_real_perps_are_traded_as_promised() {
    let Some(path) = panel("perp_1h.csv.gz") else { return };
    let desk = Desk::new();
    let feed = format!("history:{path}");
    let args = ["--no-tui", "--feed", &feed, "--until-end", "--speed", "max", "--seed", "7"];
    let s = desk.summary(&args);
    keeps_the_contract(&s);
    assert_eq!((s["mode"].as_str(), s["feed"].as_str()), (Some("HISTORY"), Some("perp_1h")));
    for verb in ["open", "close", "increase", "decrease"] {
        for side in ["long", "short"] {
            assert!(count(&s["messages"][format!("{verb}_{side}")]) > 0, "{verb} {side}");
        }
    }
    assert!(agents(&s).iter().all(|a| count(&a["messages_sent"]) > 0));
    let listening = agents(&s).iter().filter(|a| count(&a["messages_acted_on"]) > 0).count();
    assert!(2 * listening >= agents(&s).len(), "{listening} listen");
    assert!(money(&s["crossed_notional"]) > Decimal::ZERO);
    assert_eq!(desk.summary(&args)["state_hash"], s["state_hash"]);
    let deaf = desk.summary(&[&args[..], &["--deaf"]].concat());
    assert!(agents(&deaf).iter().all(|a| count(&a["messages_acted_on"]) == 0));
    assert_eq!(deaf["equity"]["open"].as_str(), deaf["equity"]["alone"].as_str());
    sums_up(&deaf);
}

#[test]
fn the_real_spot_market_is_traded_on_margin() {
    let Some(path) = panel("spot_1h.csv.gz") else { return };
    let _clock = on_the_clock();
    let feed = format!("history:{path}?kind=margin");
    let s =
        Desk::new().summary(&["--no-tui", "--feed", &feed, "--until-end", "--speed", "max", "--seed", "7"]);
    keeps_the_contract(&s);
    let assets: std::collections::BTreeSet<&str> = agents(&s)
        .iter()
        .flat_map(|a| a["assets"].as_array().unwrap())
        .map(|a| a.as_str().unwrap())
        .collect();
    assert!(assets.len() > 30, "{assets:?}");
    assert!(count(&s["messages"]["open_short"]) > 0, "margin goes short");
    assert!(s["wall_s"].as_f64().unwrap() < 120.0, "{} s", s["wall_s"]);
}

/// The verbs that `hive --help` lists.
fn verbs(help: &str) -> Vec<&str> {
    let rows = help.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
    // What a verb does goes on below it, further in.
    let verbs = rows.filter_map(|l| l.strip_prefix("  ").filter(|l| !l.starts_with(' ')));
    verbs.filter_map(|l| l.split_whitespace().next()).collect()
}

#[test]
fn completions_name_every_verb_of_the_help_in_every_shell() {
    let desk = Desk::new();
    let help = desk.run(&["--help"]).well().out;
    let verbs = verbs(&help);
    assert!(verbs.len() >= 12 && verbs.contains(&"backtest") && verbs.contains(&"completions"), "{verbs:?}");
    for shell in ["bash", "zsh", "fish"] {
        let script = desk.run(&["completions", shell]).well().out;
        for verb in &verbs {
            // As a word of its own: `data` is also a part of `metadata`.
            let letter = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
            assert!(script.split(|c| !letter(c)).any(|w| w == *verb), "{shell} does not complete {verb}");
        }
    }
}

#[test]
fn bash_completes_what_was_begun() {
    if std::process::Command::new("bash").arg("--version").output().is_err() {
        eprintln!("skipped: there is no bash here to complete in");
        return;
    }
    let desk = Desk::new();
    let script = desk.write("hive.bash", &desk.run(&["completions", "bash"]).well().out);
    // What `complete` has bound is called as bash itself calls it: with the line in words, the word that is
    // being typed, and the command.
    let complete = |words: &[&str]| {
        let line = words.iter().map(|w| format!("'{w}'")).collect::<Vec<_>>().join(" ");
        let text = format!(
            "source '{script}'; bound=$(complete -p hive); [[ $bound =~ -F\\ ([^ ]+) ]] || exit 9; \
             COMP_WORDS=({line}); COMP_CWORD={at}; \"${{BASH_REMATCH[1]}}\" hive '{word}' ''; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            at = words.len() - 1,
            word = words[words.len() - 1],
        );
        let said = std::process::Command::new("bash").args(["--norc", "-c", &text]).output().unwrap();
        ran(said).well().out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete(&["hive", "back"]), ["backtest", "backup"]);
    assert_eq!(complete(&["hive", "comp"]), ["completions"]);
    assert_eq!(complete(&["hive", "--th"]), ["--theme"]);
    assert_eq!(complete(&["hive", "backtest", "--summ"]), ["--summary"]);
    assert_eq!(complete(&["hive", "completions", "fi"]), ["fish"]);
    assert_eq!(complete(&["hive", "nothing-like-it"]), [""], "and it makes up nothing");
}

#[test]
fn a_shell_that_is_not_known_is_named_with_those_that_are() {
    let desk = Desk::new();
    desk.run(&["completions", "tcsh"]).refused(&["'tcsh'", "bash", "zsh", "fish", "elvish", "powershell"]);
    desk.run(&["completions"]).refused(&["<SHELL>", "hive completions"]);
}
