//! The whole step on the embedded market, in the shipped shape: a seventh of the agents has three lives.
//! `hive bench` prints the same as agent-bars a second beside a plain loop.

// A bench that cannot start has nothing better to do than to say so and stop.
#![allow(clippy::expect_used)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hive::agents::declaration::Roster;
use hive::config;
use hive::config::setup::settings;
use hive::domain::{Event, MarketEvent};
use hive::engine::{Engine, Outputs};
use hive::market::Feed;
use hive::market::synth::{SynthFeed, SynthSettings};

/// Days of market in an iteration: long enough that everybody trades.
const DAYS: u32 = 60;

fn step(c: &mut Criterion) {
    let config = config::shipped().expect("the shipped file has no mistakes");
    let mut feed =
        SynthFeed::new(SynthSettings { bars_days: DAYS, ..SynthSettings::default() }).expect("settings");
    let mut events = Vec::new();
    while let Some(event) = feed.next().expect("the embedded market does not fail") {
        events.push(event);
    }
    let mut group = c.benchmark_group("step");
    group.sample_size(10);
    for (agents, scouts) in [(1, 0), (24, 0), (36, 240)] {
        let declared = config.roster.agents.iter().take(agents).cloned().collect();
        let roster = Roster { agents: declared, scouts, ..config.roster.clone() };
        let engine = Engine::new(&roster, feed.universe(), &settings(&config), config.seed);
        let slots = |e: &Event| match e {
            Event::Market(MarketEvent::Bar { instrument, .. }) => {
                engine.cast().by_asset[instrument.index()].len()
            }
            _ => 0,
        };
        group.throughput(Throughput::Elements(events.iter().map(slots).sum::<usize>() as u64));
        group.bench_function(format!("{agents} agents, {scouts} scouts"), |b| {
            b.iter_batched_ref(
                || (engine.clone(), Outputs::default()),
                |(engine, out)| events.iter().for_each(|e| engine.step(e, out)),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);
