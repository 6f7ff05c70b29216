//! What is not heard of is not traded on, and time that passes by itself changes nothing.

use crate::common::{Run, Tape, actions, shipped};
use hive_core::engine::Outputs;
use hive_domain::{AssetId, Event, InstrumentId, LinkState, MarketEvent, Stamp, random};
use std::collections::BTreeSet;

const DAYS: u32 = 160;
/// Barriers for which an instrument is not heard of each time.
const SILENT: usize = 5;

fn health(instrument: InstrumentId, at: Stamp, state: LinkState) -> Event {
    Event::Market(MarketEvent::Health { instrument, at, state })
}

/// The tape with silences: by instrument, the barriers at which nothing is heard of it. Its bars come all the same, as they
/// do by REST where a socket is silent.
fn with_silences(tape: &Tape, seed: u64) -> (Vec<Event>, BTreeSet<(InstrumentId, Stamp)>) {
    let (mut events, mut silent) = (Vec::new(), BTreeSet::new());
    let desk: Vec<InstrumentId> = tape.universe.desk().iter().map(|i| i.id).collect();
    let mut left: Vec<usize> = vec![0; desk.len()];
    let mut before = Stamp(0);
    for event in &tape.events {
        if let Event::Barrier(at) = *event {
            for (n, id) in desk.iter().enumerate() {
                let draw = random::below(random::key(seed, &[n as u64, at.0 as u64]), 60);
                if left[n] == 0 && draw == 0 {
                    left[n] = SILENT;
                    events.push(health(*id, at, if n % 2 == 0 { LinkState::Down } else { LinkState::Stale }));
                }
                if left[n] > 0 {
                    silent.insert((*id, at));
                }
            }
        }
        events.push(*event);
        if let Event::Barrier(at) = *event {
            for (n, id) in desk.iter().enumerate() {
                let was = left[n];
                left[n] = was.saturating_sub(1);
                if was == 1 {
                    events.push(health(*id, Stamp(at.0 + 1), LinkState::Up));
                }
            }
            before = at;
        }
    }
    assert!(before.0 > 0);
    (events, silent)
}

#[test]
fn law04_nobody_acts_on_what_is_not_heard_of() {
    let tape = Tape::market(DAYS);
    for seed in 1..=3 {
        let (events, silent) = with_silences(&tape, seed);
        let mut run = Run::start(&shipped(), &tape.universe);
        let mut out = Outputs::default();
        let (mut acted, mut filled) = (0, 0);
        for event in &events {
            let (said, booked) = (run.messages.len(), run.fills.len());
            run.step(event, &mut out);
            let now = event.at();
            for (message, action) in actions(&run.messages[said..]) {
                // Asset and instrument of the desk have the same number.
                let Some(asset) = message.asset else { continue };
                let is_silent = silent.contains(&(InstrumentId(asset.0), now));
                assert!(!is_silent, "{:?} on {} at {now}", action.verb, tape.universe.name(asset));
                acted += 1;
            }
            for fill in &run.fills[booked..] {
                // What was decided at the barrier at which its bar opened, or what was left of an order of before, once.
                let is_silent = silent.contains(&(fill.instrument, fill.at));
                let began = silent.contains(&(fill.instrument, Stamp(fill.at.0 - 4 * 3_600_000_000_000)));
                assert!(!(is_silent && began), "{fill:?} of an order that was decided on nothing");
                filled += 1;
            }
        }
        assert!(acted > 1_000 && filled > 100 && silent.len() > 100, "{acted} {filled} {}", silent.len());
        run.engine.balances().unwrap();
    }
}

#[test]
fn law04_a_stale_instrument_has_no_quotes_until_it_is_heard_again() {
    let mut tape = Tape::market(10);
    let id = tape.universe.desk()[0].id;
    let at = tape.events.last().unwrap().at();
    let asset = AssetId(id.0);
    let mut run = Run::start(&shipped(), &tape.universe);
    run.play(&std::mem::take(&mut tape.events));
    let mut out = Outputs::default();
    assert!(!run.step(&health(id, at, LinkState::Up), &mut out), "it is heard of already");
    assert!(run.step(&health(id, at, LinkState::Stale), &mut out));
    assert!(!run.step(&health(id, at, LinkState::Stale), &mut out), "that is known");
    let state = |run: &Run| run.engine.speak.market.instruments[id.index()].clone();
    assert!(state(&run).top.is_none() && !state(&run).is_fresh(at), "{}", tape.universe.name(asset));
    assert!(state(&run).price().is_some(), "the books still have a price");
    assert!(run.step(&health(id, at, LinkState::Up), &mut out) && state(&run).is_fresh(at));
}

#[test]
fn law01_time_that_passes_by_itself_changes_nothing() {
    let tape = Tape::market(60);
    let mut ticked = Vec::new();
    for event in &tape.events {
        let ticks = random::below(random::key(7, &[ticked.len() as u64]), 4);
        ticked.push(*event);
        // Not past the stamp of what comes next: a tick says what time it is, and time does not go back.
        ticked.extend((0..ticks).map(|_| Event::Tick(event.at())));
    }
    assert!(ticked.len() > tape.events.len() + 1_000);
    let (mut with, mut without) =
        (Run::start(&shipped(), &tape.universe), Run::start(&shipped(), &tape.universe));
    with.play(&ticked);
    without.play(&tape.events);
    assert_eq!(with.messages, without.messages);
    assert_eq!(with.engine.state_hash(), without.engine.state_hash());
}
