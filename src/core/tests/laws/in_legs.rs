//! Agents in legs answer the others: what is said to them changes their open lives, and neither an alone word nor money.

use crate::common::hash;
use crate::common::scenes::{self, Change, Scene};
use hive_core::config::Config;
use hive_core::engine::Outputs;
use hive_domain::{
    FamilyId, HeardOn, HeardSide, Hearing, Hears, Message, MessageKind, Reaction, ReactionEffect, Span,
    Speaker, SpokenBy, Whom,
};
use std::collections::BTreeMap;

fn rule(name: &str, what: Hearing, then: ReactionEffect) -> Reaction {
    let (who, on, side, within) = (Whom::Anyone, HeardOn::Mine, HeardSide::Either, Span(2 * Span::DAY.0));
    Reaction { name: name.to_owned(), hears: Hears { what, who, on, side, at_least: 1, within }, then }
}

/// Every effect that legs know, on words that they hear.
fn probes() -> Vec<Reaction> {
    use ReactionEffect::{Cut, Size, Stop, Target, Wait};
    vec![
        rule("waits", Hearing::Opened, Wait(Span(10 * Span::MINUTE.0))),
        rule("tightens", Hearing::Opened, Stop(0.6)),
        rule("leaves", Hearing::Closed, Cut(1.0)),
        rule("shrinks", Hearing::Won, Size(0.5)),
        rule("reaches", Hearing::Lost(None), Target(0.6)),
        rule("halves", Hearing::Closed, Cut(0.5)),
        rule("presses", Hearing::Lost(None), Size(1.25)),
    ]
}

/// Everybody in legs lives by some of these; where there are few agents one more speaks, and hears nobody.
pub fn in_company(config: &mut Config) {
    let agents = &mut config.roster.agents;
    let rules = probes();
    if agents.len() <= 2 {
        let mut echo = agents[0].clone();
        "Echo".clone_into(&mut echo.name);
        agents.push(echo);
    }
    let own = agents.iter_mut().filter(|a| a.name != "Echo");
    for (i, agent) in own.enumerate() {
        agent.reacts = rules.iter().cycle().skip(3 * i).take(3).cloned().collect();
    }
}

/// What a scene came to.
struct Told {
    messages: Vec<Message>,
    decisions: String,
    alone: String,
    open: String,
    /// Deeds by family.
    deeds: BTreeMap<FamilyId, usize>,
}

fn told(make: fn(&Change) -> Scene, change: &Change) -> Told {
    let mut scene = make(change);
    let (mut out, mut messages) = (Outputs::default(), Vec::new());
    while let Some(event) = scene.event() {
        scene.engine.step(&event, &mut out);
        messages.append(&mut out.messages);
    }
    let (speak, respond) = (&scene.engine.speak, &scene.engine.respond);
    let mut deeds = BTreeMap::new();
    for m in messages.iter().filter(|m| !m.swayed.is_empty()) {
        let Speaker::Agent(agent) = m.from else { panic!("{m:?}") };
        *deeds.entry(scene.engine.cast().agents[agent.index()].family).or_default() += 1;
    }
    Told {
        decisions: respond.decisions.to_string(),
        alone: hash(&speak.curve),
        open: hash(&respond.open),
        messages,
        deeds,
    }
}

/// What alone lives said, word for word.
fn alone(messages: &[Message]) -> String {
    let own = messages.iter().filter(|m| m.life != SpokenBy::Open);
    let own = own.filter(|m| matches!(m.body, MessageKind::Action(_) | MessageKind::Outcome(_)));
    hash(&own.map(|m| (m.at, m.from, m.asset, &m.body)).collect::<Vec<_>>())
}

/// Nobody at bars lives by anything.
fn legs_only(config: &mut Config) {
    in_company(config);
    let at_bars = config.roster.agents.iter_mut().filter(|a| !a.family.is_structured());
    at_bars.for_each(|a| a.reacts.clear());
}

fn switched_off(config: &mut Config) {
    legs_only(config);
    config.listening.reactions = false;
}

fn deafened(config: &mut Config) {
    legs_only(config);
    config.listening.enabled = false;
}

fn hermits(config: &mut Config) {
    config.roster.agents.iter_mut().for_each(|a| a.reacts.clear());
}

#[test]
fn what_others_say_moves_open_lives_in_legs_and_no_alone_word_and_no_money() {
    let house: fn(&Change) -> Scene = |change| scenes::house((20, 4), change);
    let [none, some, off, deaf]: [Told; 4] = std::thread::scope(|threads| {
        let changes: [&Change; 4] = [&hermits, &legs_only, &switched_off, &deafened];
        let runs = changes.map(|change| threads.spawn(move || told(house, change)));
        runs.map(|run| run.join().unwrap())
    });
    assert_eq!(hash(&off.messages), hash(&none.messages));
    assert_eq!((&off.open, &off.decisions), (&none.open, &none.decisions));
    assert_eq!(deaf.alone, deaf.open, "the deaf live one life");
    assert!(deaf.deeds.is_empty() && deaf.messages.iter().all(|m| m.life == SpokenBy::Both));
    println!("{:?}", some.deeds);
    assert!(some.deeds.keys().all(|f| f.is_structured() || f.trades_as_listed()), "{:?}", some.deeds);
    assert!(some.deeds.len() >= 6, "{:?}", some.deeds);
    assert_eq!(alone(&some.messages), alone(&none.messages), "alone lives hear nobody");
    assert_eq!((&some.alone, &some.decisions), (&none.alone, &none.decisions), "money follows alone lives");
    assert_ne!(some.open, none.open);
}
