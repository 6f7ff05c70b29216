//! The lab's promises: its arms are the engine's own, nothing looks ahead, nothing comes of nothing, and a
//! result does not depend on threads, interruptions or the day it was made.

use crate::common::recorded::{history, panel};
use crate::common::{Tape, flat, run, shipped};
use hive_core::agents::cast::cast;
use hive_core::config::Config;
use hive_core::config::setup;
use hive_core::engine::Outputs;
use hive_core::engine::respond::{Respond, RespondSpec};
use hive_core::engine::speak::{Speak, StepOutput};
use hive_domain::{AssetId, Event, MarketEvent, MessageKind, Span, Stamp, random};
use hive_lab::account::ArmAccount;
use hive_lab::arms::{self, Arm, ArmKind, Follows};
use hive_lab::designed::{self, DataOverlap};
use hive_lab::report::{Sample, StudyFacts, report};
use hive_lab::result_cache::ResultFolder;
use hive_lab::trial::trial;
use hive_lab::{ALL, ArmTrack, HIVE, LabWorld, LadderStudy, STRONG, stats};
use hive_market::feed::{Feed, FeedInfo};
use hive_market::source::Window;
use hive_market::synth::{SynthFeed, SynthSettings, SynthWorld as Synth};
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
    let (spec, start) = Speak::start(Arc::clone(&cast), &world.universe, world.settings.clone());
    let hears = RespondSpec::new(Arc::clone(&cast), &world.universe, world.settings.clone());
    let (mut said, mut out) = (StepOutput::default(), Outputs::default());
    for misheard in [true, false] {
        let mut speak = start.clone();
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
                    (a.after, a.delta, a.price) = (-0.7 * a.after, -0.7 * a.delta, 3.0 * a.price);
                }
            }
            two[0].step(&hears, event, &speak, &said, &mut out);
            two[1].step(&hears, event, &speak, &lie, &mut out);
            said.misheard.clear();
        }
        assert_eq!(two[0].consensus == two[1].consensus, misheard, "heard wrong: {misheard}");
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
        *bar = hive_domain::Bar {
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
    let mut engine = crate::common::engine(&config, &world.universe);
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
    let strongest = r.strongest.unwrap();
    let best = ["alone", "net-eq", "tsmom6", "net-all"].map(|n| (r.arms[n].metrics.sharpe.unwrap(), n));
    let best = best.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    assert_eq!((strongest.name.as_str(), strongest.sharpe, strongest.of), (best.1, best.0, 4));
    assert!(r.verdict.contains(&format!("strongest of 4 baselines: {}", best.1)), "{}", r.verdict);
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
    let cast = hive_core::agents::cast::cast(&config.roster, &universe, 4);
    let heard = hive_lab::controls::Control::Permuted.misled(&cast).asset_of;
    assert!(heard.iter().enumerate().all(|(a, h)| a != h.index()));
    let mut all = heard.clone();
    all.sort_unstable();
    assert_eq!(all, (0..universe.assets.len() as u16).map(AssetId).collect::<Vec<_>>());
}

/// Also what makes the table: a data set whose rows it lacks has them printed.
#[test]
fn the_panels_that_the_mechanism_was_designed_on_are_in_the_table() {
    for file in ["perp_1h.csv.gz", "spot_1h.csv.gz"] {
        let Some(path) = panel(file) else { return };
        let open = |from: Option<&str>, clock: Span| {
            let window = Window {
                from: from.and_then(Stamp::parse),
                to: Stamp::parse(hive_lab::HELD_OUT_FROM),
                assets: None,
            };
            let mut feed = history(&path, None, None, clock, window);
            (Tape::of(&mut feed), feed.info().clone())
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
