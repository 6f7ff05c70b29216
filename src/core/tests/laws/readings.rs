//! What each agent is to the whole: voice, influence, difference. Readings that move no money.

use crate::common::{Run, Tape, deaf, run, shipped};
use hive_core::engine::Outputs;
use hive_domain::{AgentId, Command, Event};

const DAYS: u32 = 200;

#[test]
fn influence_counts_every_edge_once_on_both_ends() {
    let run = run(&shipped(), &Tape::market(DAYS));
    let (engine, cast) = (&run.engine, run.engine.cast());
    let all = engine.influence();
    assert_eq!(all.len(), cast.agents.len());
    let (given, received): (f64, f64) =
        (all.iter().map(|i| i.given).sum(), all.iter().map(|i| i.received).sum());
    assert!((given - received).abs() < 1e-9 && given > 1.0, "{given} {received}");
    let values = |f: fn(&hive_core::engine::readings::Influence) -> f64| all.iter().map(f).sum::<f64>();
    assert!((values(|i| i.given_value) - values(|i| i.received_value)).abs() < 1e-6);
    for (agent, i) in cast.agents.iter().zip(&all) {
        assert!((i.voice > 0.0) == agent.heard && (0.0..=1.0).contains(&i.listens));
        assert!(i.movers.windows(2).all(|w| w[0].1 >= w[1].1));
        assert!(i.movers.iter().all(|(a, share)| *a != agent.id && *share > 0.0), "nobody moves itself");
        assert_eq!(i.given > 0.0, i.listeners > 0);
        if agent.scout {
            assert!(i.received == 0.0 && i.listens == 0.0, "scouts hear nothing");
        }
    }
    assert!(all[cast.declared..].iter().any(|i| i.given > 0.0), "scouts move others");
}

#[test]
fn a_muted_voice_is_worth_nothing_and_the_deaf_do_not_listen() {
    let tape = Tape::market(40);
    let mut one = run(&shipped(), &tape);
    let at = tape.events[tape.events.len() - 1].at();
    one.play(&[
        Event::Command(at, Command::Mute(AgentId(2))),
        Event::Command(at, Command::Deafen(AgentId(3))),
    ]);
    let all = one.engine.influence();
    assert!(all[2].voice == 0.0 && all[2].listens > 0.0);
    assert!(all[3].voice > 0.0 && all[3].listens == 0.0);
    let silent = run(&deaf(), &tape).engine.influence();
    assert!(silent.iter().all(|i| i.listens == 0.0 && i.given == 0.0 && i.movers.is_empty()));
}

#[test]
fn the_days_of_all_agents_and_the_house_are_the_day_of_the_account() {
    let tape = Tape::market(DAYS);
    let mut run = Run::start(&shipped(), &tape.universe);
    let mut out = Outputs::default();
    let (mut differs, mut barriers) = (0, 0);
    for event in &tape.events {
        run.step(event, &mut out);
        if let Event::Barrier(_) = event {
            // Asking is seen to change nothing at every tenth barrier: a hash is most of the time of this test.
            let hash = (barriers % 10 == 0).then(|| run.engine.state_hash());
            barriers += 1;
            // The question is asked of a copy: it starts a day of its own.
            let mut real = run.engine.respond.real.clone();
            let (gained, hive) = real.account.gains().unwrap();
            let agents: f64 = gained.iter().sum();
            assert!((agents - hive).abs() < 1e-6, "{agents} {hive}");
            differs += u32::from(hive != 0.0);
            assert!(hash.is_none_or(|hash| run.engine.state_hash() == hash));
        }
    }
    assert!(differs > 500);
    let declared = run.engine.cast().declared as u32;
    let d: Vec<f64> = (0..declared).map(|i| run.engine.difference(AgentId(i))).collect();
    assert!(d.iter().all(|d| d.is_finite()) && d.iter().any(|d| *d > 0.0) && d.iter().any(|d| *d < 0.0));
}
