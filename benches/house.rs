//! The full house on quotes and trades: a hundred agents of all seventeen families, market events a second
//! on one core, and where the time goes: the market alone, the first half of the step, the whole step.

// A bench that cannot start has nothing better to do than to say so and stop.
#![allow(clippy::expect_used)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hive::agents::cast::cast;
use hive::agents::declaration::Roster;
use hive::config;
use hive::config::setup::settings;
use hive::domain::{Event, MarketEvent};
use hive::engine::speak::{Speak, StepOutput};
use hive::engine::{Engine, Outputs};
use hive::market::synth::{Detail, SynthFeed, SynthSettings};
use hive::market::{Feed, Market};
use std::sync::Arc;

/// Agents of the house.
const AGENTS: usize = 100;
/// Days before the detail begins, so that the families of the decision clock are warm, and of detail.
const DAYS: (u32, u32) = (60, 2);

/// The full house, its agents drawn again under other names until there are enough.
fn house() -> (config::Config, Roster) {
    let text = include_str!("../assets/rosters/full-house.toml");
    let config = config::parse("full-house.toml", text).expect("the file has no mistakes");
    let mut agents = config.roster.agents.clone();
    for n in 0.. {
        if agents.len() >= AGENTS {
            break;
        }
        let mut again = config.roster.agents[n % config.roster.agents.len()].clone();
        again.name = format!("{} {}", again.name, n / config.roster.agents.len() + 2);
        agents.push(again);
    }
    let roster = Roster { agents, scouts: 0, ..config.roster.clone() };
    (config, roster)
}

fn full_house(c: &mut Criterion) {
    let (config, roster) = house();
    let start = SynthSettings { bars_days: DAYS.0 + DAYS.1, ..SynthSettings::default() };
    let detail = Some(Detail::last(DAYS.1, start.from, start.bars_days));
    let mut feed = SynthFeed::new(SynthSettings { detail, ..start }).expect("settings");
    let (universe, settings) = (feed.universe().clone(), settings(&config));
    let mut engine = Engine::new(&roster, &universe, &settings, config.seed);
    let cast = Arc::new(cast(&roster, &universe, config.seed));
    let (spec, mut speak) = Speak::start(cast, &universe, settings);
    let (mut out, mut said) = (Outputs::default(), StepOutput::default());
    let mut events = Vec::new();
    let is_bar = |e: &Event| !matches!(e, Event::Market(m) if !matches!(m, MarketEvent::Bar { .. } | MarketEvent::Funding { .. }));
    // What comes before the detail warms everybody up and is not timed.
    while let Some(event) = feed.next().expect("the embedded market does not fail") {
        if events.is_empty() && is_bar(&event) {
            engine.step(&event, &mut out);
            speak.step(&spec, &event, &mut said);
        } else {
            events.push(event);
        }
    }
    println!(
        "{} agents, {} structures, {} instruments; {} events",
        roster.agents.len(),
        engine.cast().structures.len(),
        universe.instruments.len(),
        events.len()
    );
    let mut group = c.benchmark_group("full house, L1");
    group.sample_size(10);
    group.throughput(Throughput::Elements(events.len() as u64));
    let market = Market::quoted(universe.instruments.len());
    group.bench_function("market", |b| {
        b.iter_batched_ref(
            || market.clone(),
            |market| {
                events.iter().for_each(|e| {
                    if let Event::Market(m) = e {
                        market.take(m);
                    }
                });
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("speak", |b| {
        b.iter_batched_ref(
            || (speak.clone(), StepOutput::default()),
            |(speak, said)| events.iter().for_each(|e| speak.step(&spec, e, said)),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("step", |b| {
        b.iter_batched_ref(
            || (engine.clone(), Outputs::default()),
            |(engine, out)| events.iter().for_each(|e| engine.step(e, out)),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, full_house);
criterion_main!(benches);
