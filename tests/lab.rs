//! The lab's promises: its arms are the engine's own, nothing looks ahead, nothing comes of nothing, and a
//! result does not depend on threads, interruptions or the day it was made.

// Tests fail by panicking.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;
#[path = "lab/uplift.rs"]
mod uplift;

use common::{Tape, flat, run, shipped};
use hive::agents::cast::cast;
use hive::config::Config;
use hive::config::setup;
use hive::domain::{AssetId, Event, MarketEvent, MessageKind, Span, Stamp, random};
use hive::engine::Outputs;
use hive::engine::respond::{Respond, RespondSpec};
use hive::engine::speak::{Speak, SpeakSpec, StepOutput};
use hive::lab::account::ArmAccount;
use hive::lab::arms::{self, Arm, ArmKind, Follows};
use hive::lab::designed::{self, DataOverlap};
use hive::lab::report::{Sample, StudyFacts, Uplift, report};
use hive::lab::result_cache::ResultFolder;
use hive::lab::trial::trial;
use hive::lab::{ALL, ArmTrack, HIVE, LabWorld, LadderStudy, Report, STRONG, stats};
use hive::market::MarketState;
use hive::market::feed::FeedInfo;
use hive::market::history::Window;
use hive::market::synth::{SynthFeed, SynthSettings, SynthWorld as Synth};
use hive::runtime::feeds::{self, FeedOptions, FeedSpec};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

fn world_of(config: &Config, world: Synth, seed: u64, days: u32) -> LabWorld {
    let settings = SynthSettings { seed, world, bars_days: days, ..SynthSettings::default() };
    let mut feed = SynthFeed::new(settings).unwrap();
    LabWorld::read(&mut feed, config.roster.clone(), setup::settings(config)).unwrap()
}

fn small() -> Config {
    let mut config = shipped();
    config.roster.scouts = 24;
    flat(&mut config, 0.0007);
    config
}

fn named(names: &[&str]) -> Vec<Arm> {
    let all = arms::plan(276);
    names.iter().map(|n| all.iter().find(|a| a.name == *n).unwrap().clone()).collect()
}

fn tracks(world: &LabWorld, seed: u64, arms: &[Arm]) -> Vec<ArmTrack> {
    trial(world, seed, arms, &|_| true).unwrap()
}

fn bits(track: &ArmTrack) -> Vec<u64> {
    track.daily.iter().map(|r| r.to_bits()).collect()
}

fn largest_difference(a: &ArmTrack, b: &ArmTrack) -> f64 {
    assert_eq!(a.daily.len(), b.daily.len());
    assert!(a.daily.iter().any(|r| *r != 0.0), "nothing happened");
    a.daily.iter().zip(&b.daily).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

#[test]
fn listening_fully_without_points_rails_and_managers_is_the_account_of_all_voices() {
    let world = world_of(&small(), Synth::Market, 1, 250);
    for seed in [1, 7] {
        let t = tracks(&world, seed, &named(&["hive λ=1 bare", ALL]));
        assert!(largest_difference(&t[0], &t[1]) < 1e-9);
    }
}

#[test]
fn not_listening_at_all_is_the_account_of_the_funded_agents() {
    let world = world_of(&small(), Synth::Market, 1, 250);
    let deaf = Arm { name: "deaf".to_owned(), kind: ArmKind::Bare(0.0), what: "" };
    let t = tracks(&world, 3, &[deaf, named(&[STRONG])[0].clone()]);
    assert!(largest_difference(&t[0], &t[1]) < 1e-9);
}

#[test]
fn the_shipped_arm_decides_as_a_headless_run_does() {
    let mut config = small();
    config.seed = 5;
    let world = world_of(&config, Synth::Market, 1, 200);
    let track = &tracks(&world, 5, &named(&[HIVE]))[0];
    let tape = Tape { universe: world.universe.clone(), events: world.events.clone() };
    let headless = run(&config, &tape);
    assert_eq!(track.decisions, headless.engine.respond.decisions.to_string());
}

#[test]
fn arms_do_not_disturb_each_other() {
    let world = world_of(&small(), Synth::Market, 1, 120);
    let all = arms::plan(60);
    let together = tracks(&world, 2, &all);
    for name in [HIVE, STRONG, "permuted", "inverted", "net-mv", "time-shifted"] {
        let i = all.iter().position(|a| a.name == name).unwrap();
        let apart = tracks(&world, 2, &all[i..=i]);
        assert_eq!(together[i], apart[0], "{name}");
    }
    let hive = all.iter().position(|a| a.name == HIVE).unwrap();
    for (arm, track) in all.iter().zip(&together).filter(|(a, _)| a.control().is_some()) {
        assert_ne!(track.decisions, together[hive].decisions, "{} changed nothing", arm.name);
    }
}

/// Two who hear the same wrong words, while what is truly said differs in size, side and price.
#[test]
fn nothing_of_the_truth_reaches_who_hears_a_wrong_word() {
    let world = world_of(&small(), Synth::Market, 1, 60);
    let cast = Arc::new(cast(&world.roster, &world.universe, 1));
    let market = MarketState::new(world.settings.clock, SpeakSpec::wanted(&cast));
    let spec = SpeakSpec::new(Arc::clone(&cast), &world.universe, world.settings.clone(), &market);
    let mut speak = Speak::new(market, &spec);
    let hears = RespondSpec::new(Arc::clone(&cast), &world.universe, world.settings.clone());
    let (mut said, mut out) = (StepOutput::default(), Outputs::default());
    for misheard in [true, false] {
        let mut two = [Respond::new(&hears), Respond::new(&hears)];
        let mut bar = 0;
        for event in &world.events {
            speak.step(&spec, event, &mut said);
            if matches!(event, Event::Barrier(_)) && misheard {
                // Each slot keeps a wrong position for twenty bars.
                let wrong = |slot: usize| random::uniform(random::key(7, &[slot as u64, bar / 20])) - 0.5;
                said.misheard = (0..cast.slots.len()).map(|slot| (slot, wrong(slot))).collect();
                bar += 1;
            }
            let mut lie = said.clone();
            for u in &mut lie.utterances {
                if let MessageKind::Action(a) = &mut u.body {
                    (a.after, a.price) = (-0.7 * a.after, 3.0 * a.price);
                }
            }
            two[0].step(&hears, event, &speak, &said, &mut out);
            two[1].step(&hears, event, &speak, &lie, &mut out);
            said.misheard.clear();
        }
        assert_eq!(two[0].consensus == two[1].consensus, misheard, "heard wrong: {misheard}");
        speak = Speak::new(MarketState::new(world.settings.clock, SpeakSpec::wanted(&cast)), &spec);
    }
}

/// Names that know nothing of the end of a run; the time shift knows all of it, and is wrong for that.
fn causal() -> Vec<Arm> {
    arms::plan(60).into_iter().filter(|a| a.name != "time-shifted").collect()
}

#[test]
fn law04_what_comes_later_changes_nothing_before_it() {
    let config = small();
    let mut world = world_of(&config, Synth::Market, 1, 260);
    let arms = causal();
    let whole = tracks(&world, 1, &arms);
    let cut_days = 200;
    let tape = Tape { universe: world.universe.clone(), events: std::mem::take(&mut world.events) };
    let cut = tape.after(cut_days * 6);
    world.events = tape.events[..cut].to_vec();
    let shorter = tracks(&world, 1, &arms);
    let mut other = tape.clone();
    let Event::Barrier(at) = tape.events[cut - 1] else { panic!("cut after a barrier") };
    other.change_after(at, |_, _, bar| {
        *bar = hive::domain::Bar {
            open: 1.5 * bar.open,
            high: 3.0 * bar.high,
            low: 0.5 * bar.low,
            close: 2.0 * bar.close,
            ..*bar
        };
    });
    world.events = other.events;
    let perturbed = tracks(&world, 1, &arms);
    for (i, arm) in arms.iter().enumerate() {
        let prefix = |t: &ArmTrack| bits(t)[..cut_days - 1].to_vec();
        assert_eq!(prefix(&whole[i]), prefix(&shorter[i]), "{}: a longer run changed its past", arm.name);
        assert_eq!(prefix(&whole[i]), prefix(&perturbed[i]), "{}: the future changed its past", arm.name);
        if arm.name == STRONG {
            assert_ne!(bits(&whole[i]), bits(&perturbed[i]), "the perturbation must be felt");
        }
    }
}

/// Runs an account that aims by the return of a bar `lag` bars after (or before) the decision.
fn with_oracle(lag: i64) -> f64 {
    let mut config = small();
    flat(&mut config, 0.0);
    let world = world_of(&config, Synth::RandomWalk, 9, 300);
    let n = world.universe.assets.len();
    let mut closes: Vec<Vec<f64>> = vec![Vec::new(); n];
    for event in &world.events {
        if let Event::Market(MarketEvent::Bar { instrument, bar, .. }) = event {
            closes[instrument.index()].push(bar.close);
        }
    }
    let mut account = ArmAccount::new(&world.universe, &Follows::AtOnce.settings(&world.settings));
    let mut engine = common::engine(&config, &world.universe);
    let (mut out, mut t, mut aims) = (Outputs::default(), 0_i64, vec![0.0; n]);
    for event in &world.events {
        engine.step(event, &mut out);
        let Event::Barrier(at) = event else {
            account.market(event, &engine.speak);
            continue;
        };
        for (a, aim) in aims.iter_mut().enumerate() {
            let close = |i: i64| usize::try_from(i).ok().and_then(|i| closes[a].get(i)).copied();
            let known = close(t + lag).zip(close(t + lag - 1));
            *aim = known.map_or(0.0, |(now, before)| 0.1 * (now - before).signum());
        }
        t += 1;
        account.barrier(*at, &engine.speak, &aims);
    }
    assert_eq!(account.halted(), None);
    stats::sharpe(&account.finish().daily)
}

#[test]
fn law04_a_planted_signal_earns_only_where_timing_allows() {
    let [past, next] = [0, 1].map(with_oracle);
    assert!(next > 10.0, "who knows the next bar must earn: {next:.1}");
    assert!(past.abs() < 3.0, "who acts on the bar that is over must not: {past:.1}");
}

#[test]
fn a_random_walk_at_no_cost_gives_an_interval_that_covers_nothing() {
    let mut config = small();
    flat(&mut config, 0.0);
    let arms = named(&["alone", "net-eq", "tsmom6", "net-all", "hive"]);
    let tracks: Vec<Vec<ArmTrack>> =
        (1..=6).map(|s| tracks(&world_of(&config, Synth::RandomWalk, 300 + s, 300), s, &arms)).collect();
    let facts = StudyFacts { seeds: 6, voice_count: 60, target_vol: 0.15, ..StudyFacts::default() };
    let r = report(facts, &Sample::new(&arms, &tracks, 2), None);
    let u = r.uplift["vs_strong"].sharpe.unwrap();
    assert!(u.lo < 0.0 && 0.0 < u.hi, "{u:?}");
    assert!(u.hi - u.lo < 2.5, "too wide to say anything: {u:?}");
    assert!(r.verdict.contains("not attributable to communication"), "{}", r.verdict);
    assert!(r.verdict.contains("not run, see --services"), "{}", r.verdict);
}

#[test]
fn threads_interruptions_and_what_was_kept_change_nothing() {
    let world = world_of(&small(), Synth::Market, 1, 100);
    let arms = named(&["alone", "net-eq", "tsmom6", "net-all", "hive", "time-shifted"]);
    let study = LadderStudy { world: &world, seeds: vec![1, 2, 3], arms: arms.clone(), key: "k".to_owned() };
    let go = AtomicBool::new(false);
    let one = study.run(None, 1, &go, &|_| ()).unwrap();
    assert_eq!(one, study.run(None, 3, &go, &|_| ()).unwrap());

    let folder = tempfile::tempdir().unwrap();
    let keep = ResultFolder::open(folder.path()).unwrap();
    // Stopped after the first seed: what is finished is kept.
    let (stop, ticks) = (AtomicBool::new(false), AtomicU64::new(0));
    let stopped = study.run(Some(&keep), 1, &stop, &|n| {
        if n > 0 && ticks.fetch_add(1, Ordering::Relaxed) >= 4 {
            stop.store(true, Ordering::Relaxed);
        }
    });
    assert!(stopped.is_err());
    assert_eq!(keep.load("k", 1, HIVE).as_ref(), one[0].get(4));
    assert_eq!(keep.load("k", 3, HIVE), None);
    assert_eq!(keep.load("other", 1, HIVE), None);
    assert_eq!(one, study.run(Some(&keep), 2, &go, &|_| ()).unwrap());
    // All of it is there now: nothing runs.
    let more = LadderStudy { world: &world, seeds: vec![1, 2, 3], arms, key: "k".to_owned() };
    assert_eq!(one, more.run(Some(&keep), 2, &AtomicBool::new(true), &|_| ()).unwrap());
}

#[test]
fn a_damaged_result_is_run_again_and_a_look_is_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let keep = ResultFolder::open(folder.path()).unwrap();
    let track = ArmTrack { daily: vec![0.1], ..ArmTrack::default() };
    keep.save("k", 1, "a", &track).unwrap();
    assert_eq!(keep.load("k", 1, "a"), Some(track));
    let file = std::fs::read_dir(folder.path().join("lab/results")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(keep.load("k", 1, "a"), None);
    let looks = ["one", "two", "one"].map(|l| keep.look(l).unwrap());
    assert_eq!((looks, keep.looks()), ([1, 2, 2], 2));
}

#[test]
fn permuted_assets_never_hear_themselves_and_all_are_heard() {
    let config = small();
    let universe = Tape::market(30).universe;
    let cast = hive::agents::cast::cast(&config.roster, &universe, 4);
    let heard = hive::lab::controls::Control::Permuted.misled(&cast).asset_of;
    assert!(heard.iter().enumerate().all(|(a, h)| a != h.index()));
    let mut all = heard.clone();
    all.sort_unstable();
    assert_eq!(all, (0..universe.assets.len() as u16).map(AssetId).collect::<Vec<_>>());
}

fn lab(state: &std::path::Path, more: &[&str]) -> std::process::Output {
    let bin = std::env::var_os("HIVE_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_hive").into());
    std::process::Command::new(bin)
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
    let explained = std::process::Command::new(env!("CARGO_BIN_EXE_hive"))
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
    let bin = std::env::var_os("HIVE_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_hive").into());
    let hive = |args: &[&str]| {
        let mut command = std::process::Command::new(&bin);
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
    let bin = std::env::var_os("HIVE_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_hive").into());
    let out = std::process::Command::new(bin)
        .args(["lab", "--feed", "history:one.csv", "--scouts", "12", "--seeds", "2", "--state", "."])
        .args(["--arms", "net-eq", "--json", "a.json"])
        .env_remove("HIVE_FEED")
        .current_dir(folder.path())
        .output()
        .unwrap();
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

/// A panel of the folder that `HIVE_TEST_DATA` names.
fn panel(file: &str) -> Option<std::path::PathBuf> {
    let Some(folder) = std::env::var_os("HIVE_TEST_DATA").map(std::path::PathBuf::from) else {
        eprintln!("skipped: HIVE_TEST_DATA names no folder of recorded markets");
        return None;
    };
    let path = folder.join("panel").join(file);
    if path.is_file() {
        return Some(path);
    }
    // A skipped check must be seen.
    eprintln!("skipped: no {}; set HIVE_TEST_DATA to the folder with panel/", path.display());
    None
}

/// Also what makes the table: a data set whose rows it lacks has them printed.
#[test]
fn the_panels_that_the_mechanism_was_designed_on_are_in_the_table() {
    for file in ["perp_1h.csv.gz", "spot_1h.csv.gz"] {
        let Some(path) = panel(file) else { return };
        let open = |from: Option<&str>, clock: Span| {
            let window = Window {
                from: from.and_then(Stamp::parse),
                to: Stamp::parse(hive::lab::HELD_OUT_FROM),
                assets: None,
            };
            let options = FeedOptions {
                spec: FeedSpec::History { path: path.clone(), kind: None },
                clock,
                window,
                funding: None,
                seed: 1,
                world: Synth::Market,
                days: 1,
                inside: false,
                detail: None,
            };
            let mut feed = feeds::open(&options).unwrap();
            (Tape::of(feed.as_mut()), feed.info().clone())
        };
        let (tape, info) = open(None, Span::DAY);
        let set = file.split('.').next().unwrap();
        let rows = designed::rows(set, &designed::closes(&tape.universe, &tape.events));
        let lacks: Vec<&str> = rows.lines().filter(|r| !designed::TABLE.contains(r)).collect();
        assert!(lacks.is_empty(), "the table lacks:\n{}", lacks.join("\n"));
        assert!(designed::TABLE.contains(&info.data_hash), "{file}: {}", info.data_hash);
        // Cut, on another clock and as another file it is known all the same.
        let (tape, info) = open(Some("2022-03-15"), Span(4 * Span::HOUR.0));
        let renamed = FeedInfo { data_hash: "another".to_owned(), ..info };
        assert_eq!(designed::known(&renamed, &tape.universe, &tape.events), DataOverlap::DesignedOn);
    }
}

#[test]
fn another_hive_is_compared_on_the_same_market_and_what_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let all_ears = hive::config::print_default().replace("lambda = \"humility\"", "lambda = 1");
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
    std::fs::write(at("plain.toml"), hive::config::print_default()).unwrap();
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
    let bin = std::env::var_os("HIVE_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_hive").into());
    let mut child = std::process::Command::new(bin)
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
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_hive"))
        .args(["lab", "explain", "--state"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(2));
}
