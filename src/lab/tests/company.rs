//! What company is worth, held to what it must be: netting alone changes nothing but what is traded, nothing
//! looks ahead, nothing comes of nothing, and a report does not depend on threads or the day it was made.

use crate::common::recorded::{history, panel};
use crate::common::{Tape, flat, shipped};
use hive_core::agents::cast::cast;
use hive_core::agents::declaration::Roster;
use hive_core::config::Config;
use hive_core::config::setup;
use hive_core::engine::speak::{Speak, StepOutput};
use hive_domain::{Bar, Event, InstrumentKind, Stamp};
use hive_lab::company::floor::{Floor, Risk};
use hive_lab::company::report::{CompanyFacts, CompanyReport, Set, report};
use hive_lab::company::study::{Axes, CompanyStudy, MarketOnClock, Ran, seed_of};
use hive_lab::company::{AccountKind, DeskRule, Impact, crew};
use hive_lab::trial::trial;
use hive_lab::{LabWorld, arms};
use hive_market::source::Window;
use hive_market::synth::{SynthFeed, SynthSettings, SynthWorld as Synth};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn free() -> Config {
    let mut config = shipped();
    flat(&mut config, 0.0);
    config
}

fn charged() -> Config {
    let mut config = shipped();
    flat(&mut config, 0.0007);
    config
}

fn world_of(config: &Config, world: Synth, seed: u64, days: u32) -> LabWorld {
    let settings = SynthSettings { seed, world, bars_days: days, ..SynthSettings::default() };
    let mut feed = SynthFeed::new(settings).unwrap();
    LabWorld::read(&mut feed, config.roster.clone(), setup::settings(config)).unwrap()
}

/// Perps of the real data before what is held out, if they are there.
fn perps(config: &Config) -> Option<LabWorld> {
    let path = panel("perp_1h.csv.gz")?;
    let window = Window { from: None, to: Stamp::parse("2023-07-01"), assets: None };
    let mut feed = history(&path, None, Some(InstrumentKind::Perp), config.clock.decide, window);
    Some(LabWorld::read(&mut feed, config.roster.clone(), setup::settings(config)).unwrap())
}

fn cell(groups: usize, desk: DeskRule) -> AccountKind {
    AccountKind { groups, capital: 0.0, desk, impact: Impact::Own }
}

/// At every barrier: what the agents' own books have gained, traded at once, as a fraction of all capital, and
/// what two accounts have, all alone and all netted, at the risk of the aims themselves and no cost.
fn beside_raw_books(world: &LabWorld, seed: u64) -> (usize, f64, f64) {
    let roster = crew::of(&world.roster, crew::declared(&world.roster).len());
    let (settings, n) = (&world.settings, roster.agents.len());
    let cast = Arc::new(cast(&roster, &world.universe, seed));
    let (spec, mut speak) = Speak::start(Arc::clone(&cast), &world.universe, settings.clone());
    let cells = [cell(n, DeskRule::AtOnce), cell(1, DeskRule::AtOnce)];
    let mut floor = Floor::new(&cast, &world.universe, settings, &cells, Risk::Fixed);
    let (mut said, mut bars, mut largest, mut moved) = (StepOutput::default(), 0, 0.0_f64, 0.0_f64);
    let mut before = [0.0; 3];
    for event in &world.events {
        speak.step(&spec, event, &mut said);
        if !said.accepted {
            continue;
        }
        let Event::Barrier(at) = event else {
            floor.market(event, &speak);
            continue;
        };
        floor.barrier(*at, &speak, &said);
        let worth = |(slot, raw): (usize, &hive_core::fills::books::SimulatedBook)| {
            raw.equity(speak.close(cast.slots[slot].asset))
        };
        let raw: f64 = speak.raw.iter().enumerate().map(worth).sum::<f64>() / settings.capital;
        let now = [raw, floor.equity(0) - 1.0, floor.equity(1) - 1.0];
        let bar: Vec<f64> = now.iter().zip(before).map(|(n, b)| n - b).collect();
        largest = largest.max((bar[0] - bar[1]).abs()).max((bar[0] - bar[2]).abs());
        moved = moved.max(bar[0].abs());
        before = now;
        bars += 1;
    }
    (bars, largest, moved)
}

#[test]
fn netting_at_once_and_free_is_the_agents_alone_bar_by_bar() {
    let config = free();
    let mut worlds = vec![world_of(&config, Synth::Market, 1, 250)];
    worlds.extend(perps(&config));
    for world in &worlds {
        for seed in [1, 2] {
            let (bars, largest, moved) = beside_raw_books(world, seed);
            assert!(bars > 1_000 && moved > 0.001, "nothing happened: {bars} bars, {moved}");
            assert!(largest < 1e-9, "{}: {largest:e}", world.info.name);
        }
    }
}

fn crew_of(world: &LabWorld) -> Roster {
    crew::of(&world.roster, crew::declared(&world.roster).len())
}

#[test]
fn at_the_risk_target_all_netted_and_all_alone_are_one_account_where_trading_is_free_and_at_once() {
    let world = world_of(&free(), Synth::Market, 1, 250);
    let roster = crew_of(&world);
    let n = roster.agents.len();
    let cells = [n, 9, 1].map(|g| cell(g, DeskRule::AtOnce));
    let left = seed_of(&world, &roster, 3, &cells, &|_| true).unwrap();
    let [alone, nine, one] = &left.outcomes[..] else { panic!("three accounts") };
    assert!(alone.track.daily.iter().any(|r| r.abs() > 0.001));
    for other in [nine, one] {
        let pairs = alone.track.daily.iter().zip(&other.track.daily);
        assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-9);
    }
    assert!(one.turnover < nine.turnover && nine.turnover < alone.turnover, "what crosses is not traded");
}

#[test]
fn law04_what_comes_later_changes_nothing_before_it() {
    let mut world = world_of(&charged(), Synth::Market, 1, 200);
    let roster = crew_of(&world);
    let axes = axes(&[9], &[0.0, 1e8], vec![DeskRule::Band, DeskRule::Zone]);
    let cells = axes.cells(roster.agents.len());
    let run = |world: &LabWorld| seed_of(world, &roster, 1, &cells, &|_| true).unwrap();
    let whole = run(&world);
    let cut_days = 150;
    let tape = Tape { universe: world.universe.clone(), events: std::mem::take(&mut world.events) };
    let cut = tape.after(cut_days * 6);
    world.events = tape.events[..cut].to_vec();
    let shorter = run(&world);
    let Event::Barrier(at) = tape.events[cut - 1] else { panic!("cut after a barrier") };
    let mut other = tape.clone();
    other.change_after(at, |_, _, bar| {
        let Bar { open, high, low, close, volume } = *bar;
        *bar = Bar {
            open: 1.5 * open,
            high: 3.0 * high,
            low: 0.5 * low,
            close: 2.0 * close,
            volume: 9.0 * volume,
        };
    });
    world.events = other.events;
    let perturbed = run(&world);
    for (i, cell) in cells.iter().enumerate() {
        let bits = |left: &hive_lab::company::floor::SeedOutcome| -> Vec<u64> {
            left.outcomes[i].track.daily[..cut_days - 1].iter().map(|r| r.to_bits()).collect()
        };
        assert_eq!(bits(&whole), bits(&shorter), "{cell:?}: a longer run changed its past");
        assert_eq!(bits(&whole), bits(&perturbed), "{cell:?}: the future changed its past");
        assert_ne!(whole.outcomes[i].track.daily, perturbed.outcomes[i].track.daily, "it must be felt");
    }
}

fn axes(groups: &[usize], capital: &[f64], desks: Vec<DeskRule>) -> Axes {
    Axes { groups: groups.to_vec(), capital: capital.to_vec(), agents: vec![36], desks, impact: Impact::Own }
}

fn facts(sets: usize) -> CompanyFacts {
    let set = |i: usize| Set { feed: format!("set {i}"), ..Set::default() };
    CompanyFacts { sets: (0..sets).map(set).collect(), warm_days: 45, ..CompanyFacts::default() }
}

fn studied(
    markets: &[MarketOnClock],
    axes: Axes,
    seeds: &[u64],
    threads: usize,
) -> (Vec<Ran>, CompanyReport) {
    let study = CompanyStudy { markets, roster: &markets[0].world.roster, seeds: seeds.to_vec(), axes };
    let ran = study.run(threads, &AtomicBool::new(false), &|_| ()).unwrap();
    let sets = markets.iter().map(|p| p.set + 1).max().unwrap();
    let report = report(facts(sets), markets, &ran, threads);
    (ran, report)
}

#[test]
fn a_random_walk_at_no_cost_is_worth_no_company() {
    let place = |seed| MarketOnClock { set: 0, world: world_of(&free(), Synth::RandomWalk, seed, 300) };
    let (_, r) =
        studied(&[place(301)], axes(&[6, 1], &[0.0], vec![DeskRule::Band, DeskRule::Zone]), &[1, 2, 3, 4], 2);
    for line in r.lines.iter().filter(|l| !l.is_alone() && !l.is_reference()) {
        assert!(line.delta.lo <= 0.0 && 0.0 <= line.delta.hi, "{line:?}");
        assert!(line.delta.hi - line.delta.lo < 2.0, "too wide to say anything: {line:?}");
    }
}

#[test]
fn the_same_run_twice_is_the_same_json_whatever_the_threads() {
    let places = [
        MarketOnClock { set: 0, world: world_of(&charged(), Synth::Market, 1, 120) },
        MarketOnClock { set: 1, world: world_of(&charged(), Synth::Market, 2, 100) },
    ];
    let text = |threads| {
        let (_, r) = studied(
            &places,
            axes(&[4, 1], &[0.0, 1e7], vec![DeskRule::Band, DeskRule::Zone]),
            &[1, 2],
            threads,
        );
        (serde_json::to_string(&r).unwrap(), r)
    };
    let (one, r) = text(1);
    assert_eq!(one, text(2).0);
    let read = serde_json::from_str::<CompanyReport>(&one).unwrap();
    assert_eq!((read.lines.len(), &read.sentences), (r.lines.len(), &r.sentences));
    // Two desks, two capitals, three numbers of groups, and two for reference; of each set and of both.
    assert_eq!(r.lines.len(), 3 * (2 * 2 * 3 + 2));
    let of = |set| r.lines.iter().filter(move |l| l.set == set);
    for ((a, b), both) in of(Some(0)).zip(of(Some(1))).zip(of(None)) {
        assert!((both.delta.mean - 0.5 * (a.delta.mean + b.delta.mean)).abs() < 1e-12);
        assert!(both.delta.lo <= both.delta.mean && both.delta.mean <= both.delta.hi);
    }
    let alone: Vec<_> = r.lines.iter().filter(|l| l.is_alone()).collect();
    assert!(alone.iter().all(|l| l.delta.mean == 0.0 && l.delta.lo == 0.0 && l.sent == l.sent_alone));
    for l in r.lines.iter().filter(|l| l.groups == 1 && l.desk == "band") {
        assert!(l.sent < l.sent_alone && l.turnover < l.turnover_alone && l.wanted > l.sent, "{l:?}");
    }
}

#[test]
fn capital_only_costs_and_its_days_are_the_worlds() {
    let world = world_of(&charged(), Synth::Market, 1, 120);
    let roster = crew_of(&world);
    let cells: Vec<AccountKind> = [0.0, 1e6, 1e9]
        .map(|capital| AccountKind { capital, ..cell(1, DeskRule::Band) })
        .into_iter()
        .collect();
    let left = seed_of(&world, &roster, 1, &cells, &|_| true).unwrap();
    let cost: Vec<f64> = left.outcomes.iter().map(|o| o.cost).collect();
    assert!(cost[0] > 0.0 && cost[0] < cost[1] && cost[1] < cost[2], "{cost:?}");
    assert_eq!(left.outcomes[2].without_volume, 0);
    assert!(left.days.windows(2).all(|d| d[1] == d[0] + 1));
    assert_eq!(left.days.len(), left.outcomes[0].track.daily.len());
    assert_eq!(left.days[0], Stamp(world.info.from.0).day());
}

#[test]
fn whose_orders_meet_changes_what_those_pay_who_are_apart_and_nothing_for_one() {
    let world = world_of(&charged(), Synth::Market, 1, 120);
    let roster = crew_of(&world);
    let n = roster.agents.len();
    let of = |groups, impact| AccountKind { capital: 1e8, impact, ..cell(groups, DeskRule::Band) };
    let cells: Vec<AccountKind> =
        [1, n].iter().flat_map(|g| Impact::ALL.map(|impact| of(*g, impact))).collect();
    let left = seed_of(&world, &roster, 1, &cells, &|_| true).unwrap();
    let cost: Vec<f64> = left.outcomes.iter().map(|o| o.cost).collect();
    for together in &left.outcomes[1..3] {
        assert_eq!(left.outcomes[0].track.daily, together.track.daily, "one order a bar is all there is");
    }
    let [side, own, net] = [cost[3], cost[4], cost[5]];
    assert!(side > 1.1 * own, "many orders on one side move the price together: {cost:?}");
    assert!(net < side, "buyers and sellers help each other: {cost:?}");
}

#[test]
fn the_arms_of_the_ladder_are_these_accounts_whoever_else_speaks() {
    let world = world_of(&charged(), Synth::Market, 1, 120);
    let roster = crew_of(&world);
    let all = arms::plan(276);
    for (name, desk) in [("alone+band", DeskRule::Band), ("alone+zone", DeskRule::Zone)] {
        let arm = all.iter().find(|a| a.name == name).unwrap().clone();
        let track = &trial(&world, 5, &[arm], &|_| true).unwrap()[0];
        let left = seed_of(&world, &roster, 5, &[cell(roster.agents.len(), desk)], &|_| true).unwrap();
        assert_eq!(track.daily, left.outcomes[0].track.daily, "{name}");
    }
}
