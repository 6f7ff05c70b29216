//! No edge in the agents, none in the hive: on random walks at zero cost listening is worth nothing, and
//! the same test finds it at once where voices know something.

use crate::common::{SCOUTS, Tape, flat, intent, shipped};
use hive_core::agents::Population;
use hive_core::agents::cast::cast;
use hive_core::config::Config;
use hive_core::config::setup;
use hive_core::engine::Outputs;
use hive_core::engine::Utterance;
use hive_core::engine::respond::{Respond, RespondSpec};
use hive_core::engine::speak::{Speak, StepOutput};
use hive_domain::{Event, MarketEvent};
use hive_market::synth::SynthWorld;
use std::sync::Arc;

/// Chosen once, before the first look: market seeds 101 … 116, the hive's seed with them.
const SEEDS: std::ops::Range<u64> = 101..117;
const DAYS: u32 = 300;
/// Two-sided 95 % of Student's t with 15 degrees of freedom.
const T15: f64 = 2.131;

/// What the scouts say in place of their own intents.
type Rewrite = dyn Fn(&Population, usize, usize) -> Option<f64>;

/// Sharpe of Σ open less Sharpe of Σ alone (which is their difference at equal volatility). Both halves are
/// run by hand, so that utterances can be rewritten in between as the lab does.
fn difference(config: &Config, tape: &Tape, rewrite: &Rewrite) -> f64 {
    let settings = setup::settings(config);
    let cast = Arc::new(cast(&config.roster, &tape.universe, config.seed));
    let (speak_spec, mut speak) = Speak::start(Arc::clone(&cast), &tape.universe, settings.clone());
    let respond_spec = RespondSpec::new(Arc::clone(&cast), &tape.universe, settings.clone());
    let mut respond = Respond::new(&respond_spec);
    let (mut said, mut out) = (StepOutput::default(), Outputs::default());
    let mut barriers = 0;
    for event in &tape.events {
        out.messages.clear();
        speak.step(&speak_spec, event, &mut said);
        if let Event::Barrier(_) = event {
            let own = std::mem::take(&mut said.utterances);
            let scout = |slot: usize| slot >= cast.declared_slots;
            said.utterances.extend(
                own.into_iter().filter(|u| !scout(u.voice) || rewrite(&cast, u.voice, barriers).is_none()),
            );
            for slot in cast.declared_slots..cast.slots.len() {
                if let Some(after) = rewrite(&cast, slot, barriers) {
                    said.utterances.push(Utterance { voice: slot, body: intent(&cast, slot, after) });
                }
            }
            barriers += 1;
        }
        respond.step(&respond_spec, event, &speak, &said, &mut out);
    }
    respond.open.sharpe() - speak.curve.sharpe()
}

/// Mean of the paired differences over the seeds and its interval, no wider than it is.
fn interval(rewrite: impl Fn(&Tape) -> Box<Rewrite>) -> (f64, f64, f64) {
    let differences: Vec<f64> = SEEDS
        .map(|seed| {
            let tape = Tape::synth(SynthWorld::RandomWalk, seed, DAYS);
            let mut config = shipped();
            config.seed = seed;
            flat(&mut config, 0.0);
            difference(&config, &tape, rewrite(&tape).as_ref())
        })
        .collect();
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / (n - 1.0);
    let half = T15 * (variance / n).sqrt();
    (mean, mean - half, mean + half)
}

#[test]
fn random_walk_shows_no_uplift_at_zero_cost() {
    assert_eq!(SEEDS.count(), 16);
    let (mean, low, high) = interval(|_| Box::new(|_, _, _| None));
    assert!(low < 0.0 && 0.0 < high, "uplift out of nothing: {mean:.2} [{low:.2}, {high:.2}]");
    assert!(high - low < 2.0, "too wide to say anything: {mean:.2} [{low:.2}, {high:.2}]");
}

#[test]
fn the_same_test_finds_voices_that_know_something() {
    // A quarter of the scouts know the way of the next twenty bars.
    let oracle = |tape: &Tape| -> Box<Rewrite> {
        let mut closes: Vec<Vec<f64>> = vec![Vec::new(); tape.universe.assets.len()];
        for event in &tape.events {
            if let Event::Market(MarketEvent::Bar { instrument, bar, .. }) = event {
                closes[instrument.index()].push(bar.close);
            }
        }
        Box::new(move |cast: &Population, slot: usize, barrier: usize| {
            if !slot.is_multiple_of(4) {
                return None;
            }
            let path = &closes[cast.slots[slot].asset.index()];
            let later = path[(barrier + 20).min(path.len() - 1)];
            Some((later - path[barrier]).signum())
        })
    };
    let (mean, low, high) = interval(oracle);
    assert!(low > 0.5, "it must see an edge: {mean:.2} [{low:.2}, {high:.2}] with {SCOUTS} scouts");
}
