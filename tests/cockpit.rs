//! What a cockpit is shown, from a run of the embedded market: bounded, the same for the same run, and
//! true to what the agents decided.

// Tests fail by panicking.
#![allow(clippy::unwrap_used)]

use hive::config::setup;
use hive::domain::condition::{Hedge, HedgeKind};
use hive::domain::{
    Action, AgentId, Condition, Event, InstrumentId, IntentId, Message, MessageId, MessageKind, Plan, Reason,
    Speaker, Stamp, Term, Verb,
};
use hive::engine::{Engine, Outputs};
use hive::market::feed::Feed;
use hive::market::synth::{SynthFeed, SynthSettings};
use hive::recorder::{RecordedRun, Recorder, operator};
use hive::view::Cockpit;
use hive::view::cockpit::{AGENTS_MAX, CONDITIONS_MAX, EDGES_MAX, MESSAGES_MAX, TEXT_BYTES_MAX};
use std::collections::BTreeMap;

struct Run {
    engine: Engine,
    recorder: Recorder,
    /// By stance, or deed that others swayed: the messages it names.
    because: BTreeMap<MessageId, Vec<MessageId>>,
}

fn run(days: u32, deaf: bool) -> Run {
    let mut config = hive::config::shipped().unwrap();
    config.listening.enabled = !deaf;
    let mut feed = SynthFeed::new(SynthSettings { bars_days: days, ..SynthSettings::default() }).unwrap();
    let settings = setup::settings(&config);
    let mut engine = Engine::new(&config.roster, feed.universe(), &settings, 1);
    let mut recorder = Recorder::new(&engine);
    let (mut out, mut because) = (Outputs::default(), BTreeMap::new());
    while let Some(event) = feed.next().unwrap() {
        engine.step(&event, &mut out);
        recorder.observe(&engine, &event, &out);
        for message in &out.messages {
            if let MessageKind::Stance(stance) = &message.body {
                because.insert(message.id, stance.because.iter().flatten().copied().collect());
            } else if !message.swayed.is_empty() {
                let causes = message.swayed.iter().flat_map(|s| &s.causes);
                because.insert(message.id, causes.map(|c| c.message).collect());
            }
        }
    }
    Run { engine, recorder, because }
}

fn picture(run: &Run) -> Cockpit {
    run.recorder.picture(&run.engine, &RecordedRun::default())
}

#[test]
fn the_same_run_gives_the_same_picture_and_another_does_not() {
    let (a, b, c) = (picture(&run(60, false)), picture(&run(60, false)), picture(&run(61, false)));
    assert_eq!(a.view_hash(), b.view_hash());
    assert_eq!(a.view_hash().len(), 64);
    assert_ne!(a.view_hash(), c.view_hash());
    let bytes = postcard::to_stdvec(&a).unwrap();
    assert!(bytes.len() < 1 << 18, "{} bytes", bytes.len());
    assert_eq!(postcard::from_bytes::<Cockpit>(&bytes).unwrap(), a);
}

#[test]
fn every_edge_has_a_decision_that_names_its_message() {
    let run = run(90, false);
    let seen = picture(&run);
    assert!(!seen.edges.is_empty());
    for edge in &seen.edges {
        assert!(edge.share > 0.0 && edge.share <= 1.0);
        // A voice that is flat was never heard: it has no message, and no pulse.
        if edge.message.0 > 0 {
            assert!(run.because[&edge.decision].contains(&edge.message), "{edge:?}");
        }
    }
}

#[test]
fn the_deaf_have_no_edges_and_their_open_is_alone() {
    let seen = picture(&run(60, true));
    assert!(seen.deaf && seen.edges.is_empty());
    assert_eq!(seen.emergence, None, "not enough days to say anything");
    assert_eq!(seen.curves.alone, seen.curves.open);
    assert!(seen.agents.iter().all(|a| a.alone == a.open));
}

#[test]
fn everything_on_the_picture_is_bounded() {
    let run = run(120, false);
    let seen = picture(&run);
    assert!(!seen.agents.is_empty() && seen.agents.len() <= AGENTS_MAX);
    assert!(seen.edges.len() <= EDGES_MAX);
    assert_eq!(seen.messages.len(), MESSAGES_MAX);
    assert!(seen.messages.windows(2).all(|w| w[0].id.0 + 1 == w[1].id.0));
    assert!(seen.messages.iter().all(|m| m.text.len() <= TEXT_BYTES_MAX));
    assert_eq!(seen.goals.len(), 4);
    let gauge = &run.engine.respond.gauge;
    assert_eq!(
        seen.emergence.map(|e| (e.from, e.gain, e.to)),
        gauge.rungs().over_alone.map(|g| (g.low, g.sharpe, g.high))
    );
    assert!(seen.emergence.is_some_and(|e| e.from < e.gain && e.gain < e.to));
    assert_eq!(seen.curves.real.len(), seen.curves.drawdown.len());
}

#[test]
fn a_page_says_why_in_steps_that_end_at_the_result() {
    let run = run(90, false);
    let declared = run.engine.cast().declared;
    let pages: Vec<_> =
        (0..declared).filter_map(|i| run.recorder.page(&run.engine, AgentId(i as u32))).collect();
    assert_eq!(pages.len(), declared);
    assert!(run.recorder.page(&run.engine, AgentId(declared as u32)).is_none());
    assert!(pages.iter().any(|p| !p.why.is_empty()) && pages.iter().any(|p| !p.intents.is_empty()));
    for page in &pages {
        let conditions: usize = page.intents.iter().map(|i| i.conditions.len()).sum();
        assert!(conditions <= CONDITIONS_MAX);
        assert!(page.intents.iter().filter(|i| i.intent != 0.0).all(|i| i.message.is_some()));
        for why in &page.why {
            assert!(why.factors.first().is_some_and(|f| f.starts_with("own intent")));
            let named: Vec<MessageId> = why.because.iter().map(|b| b.0).collect();
            assert_eq!(named, run.because[&why.message]);
        }
    }
}

/// An instrument is told by name wherever a plan is read, and a price relative to an entry is a line of the chart.
#[test]
fn what_a_plan_says_of_instruments_and_of_its_entry_is_shown_by_name_and_by_price() {
    let Run { engine, mut recorder, .. } = run(60, false);
    let (cast, lives) = (engine.cast(), &engine.speak.lives);
    let slot = (0..cast.declared_slots).find(|s| lives[*s].intent != 0.0).unwrap();
    let (side, entry) = lives[slot].open().map_or((0.0, f64::NAN), |o| (o.side, o.entry));
    let (agent, asset) = (cast.slots[slot].agent, cast.slots[slot].asset);
    let stop = Condition::below(Term::Close, Term::Entry(-0.25));
    let how = HedgeKind::Opposite { instrument: InstrumentId(1), ratio: 0.5 };
    let plan = Plan {
        legs: Vec::new(),
        maker: None,
        stop,
        trail: None,
        exit: Condition::above(Term::Close, Term::Level(1e9)),
        expire: Condition::above(Term::Held, Term::Level(99.0)),
        targets: vec![],
        add: None,
        hedge: Some(Hedge { when: stop, how }),
        reenter: None,
    };
    let body = MessageKind::Action(Action {
        verb: Verb::Open,
        intent: IntentId { agent, asset, number: 1 },
        reason: Reason::Signal,
        before: 0.0,
        after: side,
        delta: side,
        price: entry,
        plan: plan.into(),
    });
    let at = Stamp(0);
    let said = Message {
        id: MessageId(1),
        at,
        from: Speaker::Agent(agent),
        asset: Some(asset),
        life: hive::domain::SpokenBy::Both,
        swayed: vec![],
        body,
    };
    let command = Event::Command(at, hive::domain::Command::Unmute(agent));
    let mut out = Outputs::default();
    (out.accepted, out.messages) = (true, vec![said]);
    recorder.observe(&engine, &command, &out);
    let listed = engine.instrument(InstrumentId(1)).unwrap();
    let name = format!("{} {} at {}", listed.symbol, listed.kind, listed.venue);
    let hedge = format!(
        "hold 0.5 base units of {name} against each base unit of its first leg, once, if the price closes more than \
         25 % under its entry"
    );
    let page = recorder.page(&engine, agent).unwrap();
    let intent = page.intents.iter().find(|i| i.asset == engine.asset_name(asset)).unwrap();
    assert!(intent.conditions.contains(&("hedge".to_owned(), hedge.clone())), "{:?}", intent.conditions);
    assert!(intent.levels.contains(&("stop".to_owned(), 0.75 * entry)), "{:?} {entry}", intent.levels);
    let seen = recorder.picture(&engine, &RecordedRun::default());
    assert!(seen.messages.iter().any(|m| m.text.contains(&hedge)), "{:?}", seen.messages);
}

/// The A manager's hand is told from the operator's, in every place where an agent is shown.
#[test]
fn quarantine_and_probation_have_words_of_their_own() {
    let config = hive::config::shipped().unwrap();
    let errors = config.managers.automated.unwrap().errors_max;
    let mut feed = SynthFeed::new(SynthSettings { bars_days: 120, ..SynthSettings::default() }).unwrap();
    let settings = setup::settings(&config);
    let mut engine = Engine::new(&config.roster, feed.universe(), &settings, 1);
    let mut recorder = Recorder::new(&engine);
    let (mut out, mut seen, one) = (Outputs::default(), Vec::new(), AgentId(1));
    (0..errors).for_each(|_| engine.respond.office.wards.erred(one));
    while let Some(event) = feed.next().unwrap() {
        engine.step(&event, &mut out);
        recorder.observe(&engine, &event, &out);
        if !matches!(event, Event::Barrier(_)) {
            continue;
        }
        let page = recorder.page(&engine, one).unwrap();
        let told = &operator::agents(&engine)[one.index()];
        assert_eq!(page.row.state.text(), told.state);
        assert_eq!(page.row.until.is_some(), told.until.is_some());
        match told.state.as_str() {
            "quarantined" => assert!(told.quarantined && told.voice == 0.0 && !told.muted),
            "on probation" => assert!(told.on_probation && told.voice > 0.0 && told.until.is_some()),
            _ => {}
        }
        if seen.last() != Some(&told.state) {
            seen.push(told.state.clone());
        }
    }
    let expected = ["quarantined", "on probation", "live"];
    let order: Vec<&String> = seen.iter().filter(|s| expected.contains(&s.as_str())).collect();
    assert!(order.windows(3).any(|w| w == expected), "{seen:?}");
    let rows = picture(&Run { engine, recorder, because: BTreeMap::new() }).agents;
    let total: f64 = rows.iter().map(|r| r.influence).sum();
    assert!(total > 0.0 && total <= 1.0 + 1e-9, "{total}");
}
