//! Law 5: every stance explains itself. Its result follows from its own factors, the factors from what is
//! known of the agent, and the messages it names were said by others and point its way.

use crate::common::{Run, Tape, shipped};
use hive_core::engine::Outputs;
use hive_domain::{Announced, Event, Factor, Holds, Message, MessageKind, Speaker, SpokenBy, StanceVerb};

const DAYS: u32 = 250;

/// The result of a stance from its factors alone.
fn derive(factors: &[Option<Factor>; 7]) -> f64 {
    let (mut own, mut listens, mut slice, mut x) = (f64::NAN, f64::NAN, f64::NAN, f64::NAN);
    for factor in factors.iter().flatten() {
        match *factor {
            Factor::Own(p) => own = p,
            Factor::Listens(l) => listens = l,
            Factor::Consensus(c) => (slice, x) = (c, (1.0 - listens) * own + listens * c),
            Factor::Common(taken) => x = (1.0 - listens) * own + listens * (slice - taken),
            Factor::SideClip(to) => x = to,
            Factor::NoFlip => x = 0.0,
            Factor::FollowLimit(most) => x = most.copysign(x),
        }
    }
    x
}

#[test]
fn law05_every_stance_explains_itself() {
    let tape = Tape::market(DAYS);
    let mut run = Run::start(&shipped(), &tape.universe);
    let mut out = Outputs::default();
    // By slot: the last message that said its intent, and the intent.
    let mut last = vec![(0_u64, Announced::default()); run.engine.cast().slots.len()];
    // The same by its open life, which listens.
    let mut open = vec![Announced::default(); run.engine.cast().slots.len()];
    let slot_of = |run: &Run, m: &Message| {
        let Speaker::Agent(agent) = m.from else { unreachable!() };
        let cast = run.engine.cast();
        let mut slots = cast.agents[agent.index()].slots.clone();
        slots.find(|s| Some(cast.slots[*s].asset) == m.asset).unwrap()
    };
    let (mut seen, mut named, mut kinds) = (0, 0, [0_u32; 6]);
    let mut acted_on = vec![0_u64; run.engine.cast().agents.len()];
    for event in &tape.events {
        let from = run.messages.len();
        run.step(event, &mut out);
        for i in from..run.messages.len() {
            let m = &run.messages[i];
            acted_on
                .iter_mut()
                .zip(0_u32..)
                .filter(|(_, a)| m.from == Speaker::Agent(hive_domain::AgentId(*a)))
                .for_each(|(n, _)| *n += m.swayed.iter().map(|s| s.causes.len() as u64).sum::<u64>());
            if let MessageKind::Action(a) = &m.body
                && m.life != SpokenBy::Alone
            {
                let slot = slot_of(&run, m);
                open[slot].say(a.after, a.price);
            }
            if let MessageKind::Action(a) = &m.body
                && m.life != SpokenBy::Open
            {
                let said = &mut last[slot_of(&run, m)];
                said.0 = m.id.0;
                said.1.say(a.after, a.price);
            }
            let MessageKind::Stance(s) = &m.body else { continue };
            let slot = slot_of(&run, m);
            let cast = run.engine.cast();
            let agent = &cast.agents[cast.slots[slot].agent.index()];
            let shown: Vec<Factor> = s.factors.iter().flatten().copied().collect();
            let [Factor::Own(own), Factor::Listens(listens), Factor::Consensus(slice), ..] = shown[..] else {
                panic!("{m:?} starts from nothing")
            };
            assert_eq!(derive(&s.factors), s.result, "{m:?}");
            assert_eq!(own, s.own);
            let close = run.engine.speak.close(cast.slots[slot].asset);
            let said = open[slot].at(close, Holds::Quantity);
            assert_eq!(own, 1.0 / cast.declared as f64 * said, "the position as announced");
            assert!((0.0..=1.0).contains(&listens) && slice.is_finite());
            // Nothing is left out: the pool, unless a factor says what else.
            let pool = (1.0 - listens) * own + listens * slice;
            let has = |f: fn(&Factor) -> bool| shown.iter().any(f);
            let (clip, flip) = (has(|f| matches!(f, Factor::SideClip(_))), has(|f| *f == Factor::NoFlip));
            assert_eq!(clip, !agent.side.allows(pool), "{m:?}");
            assert_eq!(flip, agent.traits.no_flip && agent.side.clip(pool) * own < 0.0, "{m:?}");
            assert!(agent.side.allows(s.result));
            if agent.traits.sociability == -1.0 {
                assert_eq!((listens, s.result), (0.0, own), "the lone wolf listens to nobody");
            }
            for id in s.because.iter().flatten() {
                let said = &run.messages[id.0 as usize - 1];
                assert_eq!(said.id, *id);
                assert!(said.at <= m.at && id.0 < m.id.0, "{m:?} was moved by what was not said yet");
                assert_ne!(said.from, m.from, "nobody is moved by itself");
                assert_eq!(said.asset, m.asset);
                let MessageKind::Action(a) = &said.body else { panic!("moved by {said:?}") };
                assert!(a.after * (s.result - own) > 0.0, "{said:?} does not point the way of {m:?}");
                assert_eq!(last[slot_of(&run, said)].0, id.0, "its last word on the matter");
                named += 1;
            }
            let distinct: std::collections::BTreeSet<_> = s.because.iter().flatten().collect();
            assert_eq!(distinct.len(), s.because.iter().flatten().count());
            if s.verb == StanceVerb::Keeps {
                assert!(distinct.is_empty());
            }
            seen += 1;
            kinds[s.verb as usize] += 1;
        }
    }
    assert!(seen > 3_000 && named > 5_000, "{seen} {named}");
    assert!(kinds.iter().all(|n| *n > 20), "each of the verbs: {kinds:?}");
    for (agent, n) in acted_on.iter().enumerate() {
        assert_eq!(run.engine.respond.bus.acted_on(agent), *n);
    }
}

#[test]
fn the_bus_counts_what_was_said() {
    let tape = Tape::market(100);
    let mut run = Run::start(&shipped(), &tape.universe);
    run.play(&tape.events);
    let mut counts = hive_domain::MessageCounts::default();
    let (mut alone, mut open) = (counts, counts);
    for m in &run.messages {
        match m.life {
            SpokenBy::Both => {}
            SpokenBy::Alone => alone.count(&m.body),
            SpokenBy::Open => {
                open.count(&m.body);
                continue;
            }
        }
        counts.count(&m.body);
    }
    let bus = &run.engine.respond.bus;
    assert_eq!((bus.counts(), bus.alone_counts(), bus.open_counts()), (counts, alone, open));
    assert_eq!(counts.total() + open.total(), run.messages.len() as u64);
    assert!(open.wait > 0 && open.amend > 0 && bus.deeds() > 0);
    for agent in &run.engine.cast().agents {
        let sent = run.messages.iter().filter(|m| m.from == Speaker::Agent(agent.id)).count();
        assert_eq!(run.engine.respond.bus.sent(agent.id.index()), sent as u64);
    }
    let days =
        tape.events.iter().filter(|e| matches!(e, Event::Barrier(at) if at.0 % 86_400_000_000_000 == 0));
    assert!(counts.goal >= 4 * (days.count() as u64 - 1), "trackers speak once a day");
}
