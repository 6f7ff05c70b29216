//! What an outcome says of its intent.

use crate::common::{Tape, shipped};
use hive_core::agents::cast::cast;
use hive_core::config::setup;
use hive_core::engine::speak::{Speak, StepOutput};
use hive_core::hive::points;
use hive_domain::{Event, MessageKind, Verb};
use std::sync::Arc;

/// An agent on one asset has no other results than its intent's: what an outcome says can be reckoned by whoever
/// knows the results of the bars.
#[test]
fn law12_an_outcome_tells_what_its_own_results_did_to_the_record() {
    let tape = Tape::market(400);
    let config = shipped();
    let settings = setup::settings(&config);
    let kept = points::kept(settings.clock.decide, settings.listening.points_span_days);
    let cast = Arc::new(cast(&config.roster, &tape.universe, config.seed));
    let (spec, mut speak) = Speak::start(Arc::clone(&cast), &tape.universe, settings);
    let single: Vec<_> = cast.agents.iter().filter(|a| a.slots.len() == 1).collect();
    assert!(single.len() > 5, "{}", single.len());
    let mut sums = vec![0.0; cast.agents.len()];
    let (mut said, mut outcomes) = (StepOutput::default(), 0);
    for event in &tape.events {
        speak.step(&spec, event, &mut said);
        let Event::Barrier(_) = event else { continue };
        for agent in &single {
            let (sum, result) = (&mut sums[agent.id.index()], said.results[agent.id.index()]);
            *sum = kept * *sum + if result.is_finite() { points::bounded(result) } else { 0.0 };
            for utterance in said.utterances.iter().filter(|u| u.voice == agent.slots.start) {
                match &utterance.body {
                    MessageKind::Outcome(outcome) => {
                        let near = 1e-9 * (1.0 + sum.abs());
                        assert!((outcome.points - *sum).abs() < near, "{}: {outcome:?} {sum}", agent.name);
                        outcomes += 1;
                    }
                    MessageKind::Action(action) if action.verb == Verb::Open => *sum = 0.0,
                    _ => {}
                }
            }
        }
    }
    assert!(outcomes > 50, "{outcomes}");
}
