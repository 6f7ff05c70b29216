//! Law 1 and the money invariants 3 and 6: the same events give the same state, however they come.

use crate::common::recorded::{history, panel};
use crate::common::{Run, Tape, engine, hash, run, shipped};
use hive_core::config::Config;
use hive_core::engine::Outputs;
use hive_core::engine::state::{SnapshotError, VERSION};
use hive_domain::{AgentId, Command, Event, MarketEvent, Span, Stamp, random};
use hive_market::source::Window;

const DAYS: u32 = 200;

/// Everything of a run that two equal runs share.
fn witness(run: &Run) -> [String; 4] {
    [
        run.engine.state_hash(),
        run.engine.respond.decisions.to_string(),
        hash(&run.messages),
        hash(&(&run.fills, &run.alarms)),
    ]
}

#[test]
fn law01_same_events_same_bytes() {
    let tape = Tape::market(300);
    let once = run(&shipped(), &tape);
    assert!(once.messages.len() > 10_000 && once.fills.len() > 100, "nothing happened");
    assert_eq!(witness(&once), witness(&run(&shipped(), &tape)));
    let mut config = shipped();
    config.seed += 1;
    let other = run(&config, &tape);
    for (one, another) in witness(&once).iter().zip(witness(&other)) {
        assert_ne!(*one, another, "another seed is another swarm");
    }
}

#[test]
fn law01_a_longer_history_changes_nothing_before_its_end() {
    let (short, long) = (Tape::market(DAYS), Tape::market(DAYS + 60));
    let whole = run(&shipped(), &short);
    let mut part = Run::start(&shipped(), &long.universe);
    part.play(&long.events[..long.after(short.barriers())]);
    assert_eq!(witness(&whole), witness(&part));
}

#[test]
fn law01_the_state_hash_sees_every_event_that_counts() {
    let tape = Tape::market(20);
    let mut engine = engine(&shipped(), &tape.universe);
    let (mut before, mut out) = (engine.state_hash(), Outputs::default());
    for event in &tape.events {
        engine.step(event, &mut out);
        let after = engine.state_hash();
        assert_eq!(after != before, out.accepted, "{event:?}");
        before = after;
    }
}

/// A guard: a layout that changes without its number would be read as what it is not. The state of an engine that nothing
/// has happened to is its layout, and what the built-in roster begins with.
#[test]
fn law01_a_layout_of_the_state_has_a_number_of_its_own() {
    let start = engine(&shipped(), &Tape::market(1).universe).state_hash();
    assert_eq!(
        (VERSION, &start[..16]),
        (23, "3789afde30c641d2"),
        "raise VERSION of engine/state.rs, then write both here"
    );
}

/// The same events, and at each of them with one chance in three something that came before once more.
fn with_repeats(events: &[Event], seed: u64) -> Vec<Event> {
    let mut all = Vec::new();
    for (i, event) in events.iter().enumerate() {
        all.push(*event);
        let key = random::key(seed, &[i as u64]);
        if random::below(key, 3) == 0 {
            let back = random::below(random::mix(key, 1), 40) as usize;
            // A command said again later is another command: only the last event may be one.
            let again = events[i.saturating_sub(back)];
            all.push(if matches!(again, Event::Command(..)) { *event } else { again });
        }
    }
    all
}

/// The tape with the operator at work: mutes, an unmute, and a reset of a breaker that has not tripped.
fn with_commands(tape: &Tape) -> Vec<Event> {
    let mut events = tape.events.clone();
    let say = |events: &mut Vec<Event>, barrier: usize, command| {
        let place = tape.after(barrier);
        let at = events[place - 1].at();
        events.insert(place, Event::Command(at, command));
    };
    // From the last to the first, so that places stay.
    say(&mut events, 900, Command::ResetBreaker);
    say(&mut events, 800, Command::Unmute(AgentId(3)));
    say(&mut events, 500, Command::Mute(AgentId(5)));
    say(&mut events, 400, Command::Mute(AgentId(3)));
    events
}

#[test]
fn money6_an_event_sent_twice_changes_nothing() {
    let tape = Tape::market(DAYS);
    let events = with_commands(&tape);
    let play = |events: &[Event]| {
        let mut run = Run::start(&shipped(), &tape.universe);
        run.play(events);
        run
    };
    let once = play(&events);
    assert_eq!(once.engine.respond.interventions, 3, "a reset of what has not tripped is none");
    let twice: Vec<Event> = events.iter().flat_map(|e| [*e, *e]).collect();
    assert_eq!(witness(&once), witness(&play(&twice)));
    for seed in 1..=2 {
        assert_eq!(witness(&once), witness(&play(&with_repeats(&events, seed))), "repeats of seed {seed}");
    }
}

#[test]
fn money6_what_cannot_be_believed_changes_nothing() {
    let tape = Tape::market(60);
    let mut run = Run::start(&shipped(), &tape.universe);
    run.play(&tape.events);
    let before = run.engine.state_hash();
    let mut out = Outputs::default();
    let at = run.engine.now().unwrap();
    let next = at.after(Span(4 * Span::HOUR.0));
    let Some(Event::Market(MarketEvent::Bar { instrument, bar, .. })) =
        tape.events.iter().copied().find(|e| matches!(e, Event::Market(MarketEvent::Bar { .. })))
    else {
        unreachable!()
    };
    let broken = [
        hive_domain::Bar { close: f64::NAN, ..bar },
        hive_domain::Bar { open: -1.0, ..bar },
        hive_domain::Bar { high: bar.low / 2.0, ..bar },
        hive_domain::Bar { low: f64::INFINITY, ..bar },
        hive_domain::Bar { volume: -1.0, ..bar },
        hive_domain::Bar { volume: f64::NAN, ..bar },
    ];
    let mut bad: Vec<Event> = broken
        .iter()
        .map(|bar| Event::Market(MarketEvent::Bar { instrument, at: next, bar: *bar }))
        .collect();
    let nowhere = hive_domain::InstrumentId(999);
    bad.push(Event::Market(MarketEvent::Bar { instrument: nowhere, at: next, bar }));
    bad.push(Event::Market(MarketEvent::Bar { instrument, at, bar }));
    for (rate, mark) in [(f64::NAN, 1.0), (f64::INFINITY, 1.0), (0.0, 0.0), (0.0, f64::NAN)] {
        bad.push(Event::Market(MarketEvent::Funding { instrument, at: next, rate, mark }));
    }
    bad.push(Event::Market(MarketEvent::Funding { instrument: nowhere, at: next, rate: 0.0, mark: 1.0 }));
    bad.push(Event::Barrier(at));
    bad.push(Event::Command(at, Command::Mute(AgentId(99_999))));
    for event in bad {
        run.step(&event, &mut out);
        assert!(out.messages.is_empty() && out.fills.is_empty() && out.alarms.is_empty());
        assert_eq!(run.engine.state_hash(), before, "{event:?}");
    }
}

#[test]
fn money3_replaying_any_prefix_gives_the_live_state() {
    let tape = Tape::market(DAYS);
    let mut live = Run::start(&shipped(), &tape.universe);
    let mut out = Outputs::default();
    let cuts: Vec<usize> = (0..4).map(|i| 1 + random::below(random::key(7, &[i]), 15_000) as usize).collect();
    for (i, event) in tape.events.iter().enumerate() {
        live.step(event, &mut out);
        if cuts.contains(&(i + 1)) {
            let mut replayed = Run::start(&shipped(), &tape.universe);
            replayed.play(&tape.events[..=i]);
            assert_eq!(witness(&live), witness(&replayed), "after {} events", i + 1);
        }
    }
    assert!(cuts.iter().all(|c| *c <= tape.events.len()), "{}", tape.events.len());
}

/// Stops after `cut` events, goes on in a new engine from the snapshot, and compares.
fn restarts(config: &Config, tape: &Tape, cuts: &[usize]) {
    let whole = run(config, tape);
    for &cut in cuts {
        let mut first = Run::start(config, &tape.universe);
        first.play(&tape.events[..cut]);
        let bytes = first.engine.snapshot().unwrap();
        let mut second = Run::start(config, &tape.universe);
        second.engine.restore(&bytes).unwrap();
        assert_eq!(first.engine.state_hash(), second.engine.state_hash());
        assert_eq!(first.engine.now(), second.engine.now());
        second.play(&tape.events[cut..]);
        first.messages.append(&mut second.messages);
        first.fills.append(&mut second.fills);
        first.alarms.append(&mut second.alarms);
        first.engine = second.engine;
        assert_eq!(witness(&whole), witness(&first), "cut after {cut} events");
    }
}

#[test]
fn law01_restart_from_a_snapshot_mid_run_ends_with_the_same_state_hash() {
    let tape = Tape::market(DAYS);
    let half = tape.after(tape.barriers() / 2);
    // At the start, inside a stamp (some bars in, the barrier not), after a barrier, near the end.
    restarts(&shipped(), &tape, &[0, half - 4, half, tape.events.len() - 1]);
}

#[test]
fn law01_restart_from_a_snapshot_on_real_prices() {
    let Some(path) = panel("perp_1h.csv.gz") else { return };
    let window = Window { from: Stamp::parse("2021-03-01"), to: Stamp::parse("2021-07-01"), assets: None };
    let config = shipped();
    let funding = panel("funding.csv.gz");
    let mut feed = history(&path, funding.as_deref(), None, config.clock.decide, window);
    let tape = Tape::of(&mut feed);
    restarts(&config, &tape, &[tape.after(tape.barriers() / 2) - 3]);
}

#[test]
fn a_snapshot_of_another_hive_is_refused_and_changes_nothing() {
    let tape = Tape::market(40);
    let mut theirs = Run::start(&shipped(), &tape.universe);
    let bytes = theirs.play(&tape.events).engine.snapshot().unwrap();
    let mut strangers = [shipped(), shipped(), shipped(), shipped()];
    strangers[0].seed = 2;
    strangers[1].desk.patience = 0.2;
    strangers[2].roster.scouts = 61;
    strangers[3].capital += hive_domain::Money::ONE;
    let mut engines: Vec<_> = strangers.iter().map(|c| engine(c, &tape.universe)).collect();
    let mut fewer = tape.universe.clone();
    fewer.instruments[0].lot = fewer.instruments[1].lot;
    engines.push(engine(&shipped(), &fewer));
    for mut engine in engines {
        let before = engine.state_hash();
        let refused = engine.restore(&bytes).unwrap_err();
        assert!(matches!(refused, SnapshotError::Foreign), "{refused}");
        assert!(refused.to_string().contains("another roster"));
        assert_eq!(engine.state_hash(), before);
    }
}

#[test]
fn a_damaged_snapshot_is_refused_wherever_it_is_damaged() {
    let tape = Tape::market(40);
    let mut run = Run::start(&shipped(), &tape.universe);
    let bytes = run.play(&tape.events).engine.snapshot().unwrap();
    let mut other = engine(&shipped(), &tape.universe);
    let before = other.state_hash();
    let mut refuse = |bytes: &[u8], what: &str| {
        let refused = other.restore(bytes).map(|()| what.to_owned()).unwrap_err();
        assert_eq!(other.state_hash(), before, "{what}");
        assert!(refused.to_string().contains("replay the events"), "{what}: {refused}");
    };
    refuse(&[], "nothing");
    refuse(&[0xff; 64], "noise");
    for i in 0..60 {
        let place = random::below(random::key(3, &[i]), bytes.len() as u64) as usize;
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (i % 8);
        refuse(&flipped, &format!("a bit at {place}"));
        refuse(&bytes[..place], &format!("cut to {place}"));
    }
    refuse(&[bytes.as_slice(), &[0]].concat(), "a byte too many");
    let mut newer = bytes.clone();
    newer[0] += 1;
    let refused = engine(&shipped(), &tape.universe).restore(&newer).unwrap_err();
    assert!(
        matches!(refused, SnapshotError::Version { found } if found == hive_core::engine::state::VERSION + 1),
        "{refused}"
    );
    run.engine.restore(&bytes).unwrap();
}
