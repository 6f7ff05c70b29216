//! `hive lab` as a user runs it: what it says and writes, the same twice, its mistakes, and what an interrupt leaves.

use crate::beside::on_every_core;
use crate::cli::hand::program;
use crate::common::shipped;
use hive::lab::Report;
use hive::lab::designed::DataOverlap;
use hive::lab::report::Uplift;
use std::fmt::Write;

fn lab(state: &std::path::Path, more: &[&str]) -> std::process::Output {
    let _cores = on_every_core();
    std::process::Command::new(program())
        .args(["lab", "--days", "90", "--scouts", "12", "--seeds", "2", "--costs", "7bp"])
        .arg("--state")
        .arg(state)
        .args(more)
        .env_remove("HIVE_FEED")
        .current_dir(state)
        .output()
        .unwrap()
}

#[test]
fn the_verb_keeps_its_contract_and_says_the_same_twice() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let first = lab(folder.path(), &["--json", "a.json", "--html", "a.html", "--split", "2022-02-15"]);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let said = String::from_utf8(first.stdout).unwrap();
    let order =
        ["data ", "roster ", "variants tried", "system", "net-eq", "tsmom6", "buy-and-hold", "vs sum-silo"];
    assert!(order.iter().all(|w| said.contains(w)), "{said}");
    assert!(
        lab(
            folder.path(),
            &["--json", "b.json", "--fresh", "--threads", "1", "--quiet", "--split", "2022-02-15"]
        )
        .status
        .success()
    );
    let [a, b] = ["a.json", "b.json"].map(|f| std::fs::read_to_string(at(f)).unwrap());
    assert_eq!(a, b);
    let json: serde_json::Value = serde_json::from_str(&a).unwrap();
    for key in [
        "data_hash",
        "roster_hash",
        "variants_tried",
        "looks",
        "bar",
        "from",
        "to",
        "assets",
        "seeds",
        "costs_bp",
        "arms",
        "uplift",
        "controls",
        "voices",
        "dose",
        "thirds",
        "verdict",
    ] {
        assert!(!json[key].is_null(), "{key} is missing");
    }
    for key in [
        "sharpe",
        "sortino",
        "cagr",
        "max_drawdown",
        "calmar",
        "cvar95",
        "months_to_10",
        "time_under_water",
        "longest_under_water",
        "orders",
        "turnover",
        "cost",
        "crossed",
        "decision_hash",
    ] {
        assert!(!json["arms"]["hive"][key].is_null(), "{key} is missing");
    }
    for versus in ["vs_alone", "vs_strong", "vs_all", "vs_tsmom6"] {
        let u = &json["uplift"][versus];
        assert!(u["sharpe"]["lo"].as_f64() <= u["sharpe"]["hi"].as_f64());
        assert!(u["max_drawdown_change"].is_f64() && u["turnover_ratio"].is_f64() && u["seeds_won"].is_f64());
        assert!(u["goals"]["low_risk"].is_object());
    }
    // Every goal is compared with an interval, and orders are counted in every life.
    let compared = json["compared"].as_array().unwrap();
    let with = |name: &str| {
        compared.iter().find(|c| c["ours"] == "hive" && c["theirs"] == name).unwrap_or(&compared[0])
    };
    for end in ["mean", "lo", "hi"] {
        let [a, b] = [&with("alone")["sharpe"], &json["uplift"]["vs_alone"]["sharpe"]];
        assert!((a[end].as_f64().unwrap() - b[end].as_f64().unwrap()).abs() < 1e-9, "{a} {b}");
    }
    for goal in ["max_drawdown", "cvar95", "growth", "longest_under_water", "time_under_water"] {
        let i = &with("net-eq")["goals"][goal];
        assert!(i["lo"].as_f64() <= i["hi"].as_f64() && i["mean"].is_f64(), "{goal}: {i}");
    }
    assert!(with("tsmom6")["goals"].as_object().unwrap().contains_key("months_to_10"));
    assert!(compared.iter().any(|c| c["ours"] == "net-hrp" && c["theirs"] == "alone"));
    for arm in ["alone", "alone+band", "buy-and-hold", "net-eq", "net-all", "tsmom6", "hive"] {
        assert!(json["arms"][arm]["orders"].as_f64().unwrap() > 1.0, "{arm}");
    }
    assert!(json["arms"]["alone"]["orders"].as_f64() > json["arms"]["net-eq"]["orders"].as_f64());
    assert!(
        ["LR fall", "longest", "A orders", "hive less …", "… less alone"].iter().all(|w| said.contains(w))
    );
    assert_eq!(json["costs_bp"], 7.0);
    assert!(json["controls"]["time-shifted"]["hive_minus_control"]["mean"].is_f64());
    assert_eq!(json["split_parts"].as_array().unwrap().len(), 2);
    assert!(!a.contains("\"sum-silo\":"), "what is not built has no numbers");
    let read: Report = serde_json::from_str(&a).unwrap();
    assert!(read.identity.unwrap().holds);
    let html = std::fs::read_to_string(at("a.html")).unwrap();
    assert_eq!(html.matches("<svg").count(), 7);
    assert!(!html.contains("could not be drawn") && !html.contains("<script") && !html.contains("src="));
    let explained = std::process::Command::new(program())
        .args(["lab", "explain", "--state"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(String::from_utf8(explained.stdout).unwrap().contains("own business"));
}

#[test]
fn what_a_run_is_too_short_to_tell_is_null_and_a_dash_and_everybody_copes() {
    let folder = tempfile::tempdir().unwrap();
    let short =
        ["--to", "2022-02-15", "--arms", "net-eq,time-shifted", "--json", "a.json", "--html", "a.html"];
    let hive = |args: &[&str]| {
        let _cores = on_every_core();
        let mut command = std::process::Command::new(program());
        command.args(args).env_remove("HIVE_FEED").current_dir(folder.path()).output().unwrap()
    };
    let lab = ["lab", "--scouts", "12", "--seeds", "2", "--state", "."];
    let run = hive(&[&lab[..], &short[..]].concat());
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let said = String::from_utf8(run.stdout).unwrap();
    let words = ["fewer than 60 days: all systems", "vs alone: not told", "–"];
    assert!(words.iter().all(|w| said.contains(w)), "{said}");
    let text = std::fs::read_to_string(folder.path().join("a.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    for key in ["sharpe", "sortino", "calmar", "cagr", "max_drawdown", "months_to_10", "turnover", "seed_sd"]
    {
        assert!(json["arms"]["hive"][key].is_null(), "{key}: {}", json["arms"]["hive"][key]);
    }
    for key in ["sharpe", "max_drawdown_change", "turnover_ratio", "seeds_won", "worst_seed", "luck"] {
        assert!(json["uplift"]["vs_strong"][key].is_null(), "{key}");
    }
    assert_eq!(json["controls"]["time-shifted"]["pass"], false);
    let page = hive::lab::page::page(&serde_json::from_str::<Report>(&text).unwrap());
    assert!(page.headline.contains("cannot both be told") && page.ladder[0].sharpe.is_none());
    let html = std::fs::read_to_string(folder.path().join("a.html")).unwrap();
    for odd in ["NaN", "inf ", "999", "could not be drawn"] {
        assert!(![&said, &html].iter().any(|t| t.contains(odd)), "{odd}");
    }
    assert!(hive(&["lab", "explain", "--state", "."]).status.success());
}

#[test]
fn several_feeds_have_a_report_each_and_one_joint_figure_on_the_same_days() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(folder.path().join(name)).unwrap()).unwrap()
    };
    let few = ["--arms", "net-eq", "--json", "a.json", "--html", "a.html"];
    let out = lab(folder.path(), &[&few[..], &["--and", "synth", "--and", "synth?from=2022-02-01"]].concat());
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let said = String::from_utf8(out.stdout).unwrap();
    assert_eq!((said.matches("variants tried").count(), said.matches("JOINT").count()), (6, 1), "{said}");
    assert!(said.contains("mean differences over 3 feeds"), "{said}");
    let json = read("a.json");
    let (joint, and) = (&json["joint"], json["and"].as_array().unwrap());
    assert_eq!((and.len(), joint["markets"].as_array().unwrap().len()), (2, 3));
    assert_eq!((joint["days"].as_u64(), joint["shared_days"].as_u64()), (Some(121), Some(59)));
    let mean = |of: &serde_json::Value| of["compared"][0]["sharpe"]["mean"].as_f64().unwrap();
    let third = (mean(&json) + mean(&and[0]) + mean(&and[1])) / 3.0;
    assert!((mean(joint) - third).abs() < 1e-12);
    let html = std::fs::read_to_string(folder.path().join("a.html")).unwrap();
    assert!(html.contains("3 feeds together") && html.contains("Mean differences over the feeds"));
    // A market and itself are the market, and what was kept is not run again.
    let twice = ["--arms", "net-eq", "--json", "b.json", "--and", "synth", "--quiet"];
    assert!(lab(folder.path(), &twice).status.success());
    let json = read("b.json");
    assert_eq!(json["joint"]["compared"], json["compared"]);
    for (bad, word) in
        [("histroy:x", "is no feed"), ("history:none.csv?from=2022-01-01", "none.csv"), ("", "names no feed")]
    {
        let out = lab(folder.path(), &["--and", bad]);
        assert_eq!(out.status.code(), Some(2), "{bad}");
        assert!(String::from_utf8_lossy(&out.stderr).contains(word), "{bad}");
    }
}

#[test]
fn who_stands_by_is_named_and_other_data_of_the_same_days_is_no_reproduction() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("timestamp,symbol,open,high,low,close,volume\n");
    for bar in 0..600_u32 {
        let at = |b: u32| 20_000.0 * (1.0 + 0.2 * (f64::from(b) / 70.0).sin() + 0.01 * f64::from(b % 7));
        let (open, close) = (at(bar), at(bar + 1));
        let (high, low) = (open.max(close) * 1.001, open.min(close) * 0.999);
        let stamp = 1_640_995_200 + u64::from(bar) * 14_400;
        writeln!(text, "{stamp},BTCUSDT,{open:.2},{high:.2},{low:.2},{close:.2},1000").unwrap();
    }
    std::fs::write(folder.path().join("one.csv"), text).unwrap();
    let cores = on_every_core();
    let out = std::process::Command::new(program())
        .args(["lab", "--feed", "history:one.csv", "--scouts", "12", "--seeds", "2", "--state", "."])
        .args(["--arms", "net-eq", "--json", "a.json"])
        .env_remove("HIVE_FEED")
        .current_dir(folder.path())
        .output()
        .unwrap();
    drop(cores);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let said = String::from_utf8(out.stdout).unwrap();
    let words = ["stand by: ", "ETH is not on this feed", "same days, other data"];
    assert!(words.iter().all(|w| said.contains(w)) && !said.contains("REPRODUCTION"), "{said}");
    let r: Report =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("a.json")).unwrap()).unwrap();
    assert_eq!((r.facts.known, r.facts.reproduction), (DataOverlap::SameDays, false));
    let config = shipped();
    let without = |n: &&String| n.contains("stands by: relative strength needs three assets");
    assert!(r.facts.standing_by.len() > 5 && r.facts.standing_by.iter().any(|n| without(&n)));
    let named = |n: &String| config.roster.agents.iter().any(|a| n.starts_with(&a.name));
    assert!(r.facts.standing_by.iter().all(named), "{:?}", r.facts.standing_by);
}

#[test]
fn another_hive_is_compared_on_the_same_market_and_what_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let all_ears = hive::config::ON_BARS.text.replace("lambda = \"humility\"", "lambda = 1");
    std::fs::write(at("all-ears.toml"), &all_ears).unwrap();
    std::fs::write(at("daily.toml"), all_ears.replace("decide = \"4h\"", "decide = \"1d\"")).unwrap();
    std::fs::write(at("rich.toml"), all_ears.replace("capital = \"100000\"", "capital = \"5000\"")).unwrap();
    let few = ["--arms", "net-eq", "--json", "a.json", "--against", "all-ears.toml"];
    let out = lab(folder.path(), &few);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let said = String::from_utf8(out.stdout).unwrap();
    let words =
        ["against  ", "vs_other", "Against the hive of all-ears.toml", "the net-eq of both is the same"];
    assert!(words.iter().all(|w| said.contains(w)), "{said}");
    let r: Report = serde_json::from_str(&std::fs::read_to_string(at("a.json")).unwrap()).unwrap();
    let (a, u) = (r.against.unwrap(), &r.uplift);
    let known = r.facts.against.unwrap();
    assert!(a.same_strong && known.roster_hash != r.facts.roster_hash && known.voice_count == 84);
    let over = |u: &std::collections::BTreeMap<String, Uplift>, key: &str| u[key].sharpe.unwrap();
    let both = over(u, "vs_strong").mean - a.vs_strong.unwrap().mean;
    assert!((both - over(u, "vs_other").mean).abs() < 1e-9);
    assert_ne!(over(u, "vs_other").mean, 0.0);
    // Asked the other way round it is the same with the other sign, from results that were kept.
    let other =
        ["--arms", "net-eq", "--json", "b.json", "--agents", "all-ears.toml", "--against", "plain.toml"];
    std::fs::write(at("plain.toml"), hive::config::ON_BARS.text).unwrap();
    assert!(lab(folder.path(), &other).status.success());
    let back: Report = serde_json::from_str(&std::fs::read_to_string(at("b.json")).unwrap()).unwrap();
    let (there, here) = (over(&back.uplift, "vs_other"), over(u, "vs_other"));
    assert!((there.mean + here.mean).abs() < 1e-12 && (there.lo + here.hi).abs() < 1e-12);
    for (file, words) in [
        ("daily.toml", ["the decision clock is 1d there and 4h here", "--clock"]),
        ("rich.toml", ["the capital is 5000 there", "the same"]),
        ("none.toml", ["none.toml", ""]),
    ] {
        let out = lab(folder.path(), &["--against", file]);
        assert_eq!(out.status.code(), Some(2), "{file}");
        let said = String::from_utf8(out.stderr).unwrap();
        assert!(words.iter().all(|w| said.contains(w)), "{said}");
    }
}

#[test]
fn an_interrupt_says_what_is_lost_and_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(program())
        .args(["lab", "--days", "400", "--scouts", "12", "--seeds", "200", "--threads", "1"])
        .args(["--arms", "net-eq", "--state"])
        .arg(folder.path())
        .env_remove("HIVE_FEED")
        .current_dir(folder.path())
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let results = folder.path().join("lab/results");
    let finished = || std::fs::read_dir(&results).is_ok_and(|mut d| d.next().is_some());
    while !finished() {
        assert!(child.try_wait().unwrap().is_none(), "it must still run");
        std::thread::yield_now();
    }
    let interrupt = ["-INT", &child.id().to_string()].map(str::to_owned);
    assert!(std::process::Command::new("kill").args(interrupt).status().unwrap().success());
    let out = child.wait_with_output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("not finished are lost, finished ones are kept"), "{said}");
    assert!(finished());
}

#[test]
fn a_wrong_impact_is_refused_with_the_choices() {
    let folder = tempfile::tempdir().unwrap();
    let of = |word: &str| lab(folder.path(), &["--groups", "1", "--impact", word]);
    for word in ["sides", "OWN", ""] {
        let out = of(word);
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(2), "{word}: {said}");
        assert!(out.stdout.is_empty(), "a refusal reports nothing");
        assert!(said.contains(&format!("--impact {word}: write ")), "{said}");
        assert!(["side", "own", "net"].iter().all(|choice| said.contains(choice)), "{said}");
    }
}

#[test]
fn what_answering_is_worth_is_the_same_twice_and_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let some =
        ["--reactions", "--arms", "+sceptic waits,−sceptic waits,another sender,another time,hive open"];
    let first = lab(folder.path(), &[&some[..], &["--json", "a.json"]].concat());
    let said = String::from_utf8(first.stdout).unwrap();
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    for words in
        ["all less none", "+sceptic waits", "all less all that hear", "hive: money on open less alone"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let again = lab(
        folder.path(),
        &[&some[..], &["--json", "b.json", "--fresh", "--threads", "1", "--quiet"]].concat(),
    );
    assert!(again.status.success());
    let [a, b] = ["a.json", "b.json"].map(|f| std::fs::read_to_string(folder.path().join(f)).unwrap());
    assert_eq!(a, b);
    let report: Report = serde_json::from_str(&a).unwrap();
    let told = report.reactions.unwrap();
    assert_eq!(told.is_net_eq, Some(true));
    assert!(told.all.unwrap().deeds > 0.0 && told.alone.len() == 1 && told.left_out.len() == 1);
    assert_eq!(told.controls.keys().collect::<Vec<_>>(), ["another sender", "another time"]);
    let told =
        std::process::Command::new(program()).args(["lab", "explain", "--state"]).arg(folder.path()).output();
    assert!(
        String::from_utf8(told.unwrap().stdout).unwrap().contains("Answering, with money on the open lives")
    );
    // Who lives by nothing has nothing to be measured.
    let nobody = include_str!("fixtures/smallest.toml");
    std::fs::write(folder.path().join("nobody.toml"), nobody).unwrap();
    let none = lab(folder.path(), &["--reactions", "--agents", "nobody.toml"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8(none.stderr).unwrap().contains("lives by a reaction"));
}

#[test]
fn what_hearing_across_assets_is_worth_is_the_same_twice_over_one_market_and_two() {
    let folder = tempfile::tempdir().unwrap();
    let some = "scouts+zone,scouts+split,scouts θ=1,scouts+split late,tsmom6+split,hive across";
    let ask = ["--across", "--arms", some, "--and", "synth?from=2022-02-01"];
    let first = lab(folder.path(), &[&ask[..], &["--json", "a.json"]].concat());
    let said = String::from_utf8(first.stdout).unwrap();
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    for words in
        ["scouts+split less scouts+zone", "scouts+split less scouts+split late", "hive across less hive"]
    {
        // Of each market, and of both; what a control costs also in its parts, of each market.
        let times = if words.ends_with("late") { 5 } else { 3 };
        assert_eq!(said.matches(words).count(), times, "{words}: {said}");
    }
    assert!(said.contains("strongest of "), "{said}");
    let again = [&ask[..], &["--json", "b.json", "--fresh", "--threads", "1", "--quiet"]].concat();
    assert!(lab(folder.path(), &again).status.success());
    let [a, b] = ["a.json", "b.json"].map(|f| std::fs::read_to_string(folder.path().join(f)).unwrap());
    assert_eq!(a, b);
    let report: Report = serde_json::from_str(&a).unwrap();
    let none = report.compared.iter().find(|c| c.ours == "scouts θ=1").unwrap();
    assert_eq!(none.sharpe.map(|s| (s.mean, s.lo, s.hi)), Some((0.0, 0.0, 0.0)), "θ = 1 takes nothing off");
    let told =
        std::process::Command::new(program()).args(["lab", "explain", "--state"]).arg(folder.path()).output();
    let told = String::from_utf8(told.unwrap().stdout).unwrap();
    assert!(told.contains("Hearing across assets, the same voices in the same account"), "{told}");
}

#[test]
fn the_verb_names_its_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    for (args, word) in [
        (["--arms", "net-hpr"], "net-hpr"),
        (["--split", "soon"], "--split soon"),
        (["--world", "paradise"], "paradise"),
    ] {
        let out = lab(folder.path(), &args);
        assert_eq!(out.status.code(), Some(2), "{args:?}");
        assert!(String::from_utf8(out.stderr).unwrap().contains(word));
    }
    let out = std::process::Command::new(program())
        .args(["lab", "explain", "--state"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(2));
}
