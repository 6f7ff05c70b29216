//! What an outcome says of its intent.

use crate::common::{Tape, shipped};
use hive_core::agents::cast::cast;
use hive_core::config::setup;
use hive_core::engine::speak::{Speak, StepOutput};
use hive_core::hive::points::{self, Points};
use hive_domain::{AgentId, Event, MessageKind, Span, Universe, Verb};
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
            if result.is_finite() {
                *sum = kept * *sum + points::bounded(result);
            }
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

#[test]
fn an_effect_is_what_the_points_would_lack_without_it() {
    let cast = cast(&shipped().roster, &Universe::default(), 1);
    let (agents, clock) = (cast.agents.len(), Span::HOUR);
    let kept = points::kept(clock, 750.0);
    let (mut with, mut without) = (Points::new(&cast, clock, 750.0), Points::new(&cast, clock, 750.0));
    let mut sum = 0.0;
    for bar in 0..500 {
        let usual: Vec<f64> = (0..agents).map(|a| 0.02 * ((bar + a) % 7) as f64 - 0.05).collect();
        let mut own = usual.clone();
        let more = if (100..140).contains(&bar) { -0.3 } else { 0.0 };
        own[3] += more;
        sum = kept * sum + more;
        with.push(&cast, &own);
        without.push(&cast, &usual);
    }
    let agent = AgentId(3);
    // The family's half, which is of all of its members.
    let family = cast.agents[3].family;
    let of_all = 0.5 * (with.family(family) - without.family(family));
    let lacks = with.agent(&cast, agent) - without.agent(&cast, agent) - of_all;
    let effect = with.effect(agent, sum);
    assert!(effect < -0.01 && (effect - lacks).abs() < 1e-9, "{effect} {lacks}");
}
