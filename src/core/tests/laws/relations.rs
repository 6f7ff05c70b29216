//! What acting on whose words was worth, against what the lives themselves hold.

use super::reactions::{deeds, speaker};
use crate::common::{Run, Tape, run, shipped};
use hive_core::engine::{Engine, Outputs};
use hive_core::hive::relations::Relation;
use hive_core::hive::settings::Trust;
use hive_domain::{AgentId, MessageId, Speaker, TopicKind};
use std::collections::{BTreeMap, BTreeSet};

/// What an agent's open life on its one asset is worth beyond its alone one, in fractions of its stake; none while both are one.
fn beyond(engine: &Engine, slot: usize) -> Option<f64> {
    let open = engine.respond.open_lives[slot].as_ref()?;
    let close = engine.speak.close(engine.cast().slots[slot].asset);
    let stake = engine.cast().stake(engine.settings().capital);
    Some((open.raw.equity(close) - engine.speak.raw[slot].equity(close)) / stake)
}

fn worth(engine: &Engine, agent: AgentId) -> f64 {
    engine.respond.relations.of(engine.cast(), agent).iter().map(|r| r.tally.worth).sum()
}

#[test]
fn what_relations_share_out_is_what_the_open_life_gained_beyond_its_alone_one() {
    let tape = Tape::market(200);
    let mut run = Run::start(&shipped(), &tape.universe);
    let ones: Vec<(AgentId, usize)> = {
        let cast = run.engine.cast();
        let all = cast.agents[..cast.declared].iter().filter(|a| a.slots.len() == 1);
        all.map(|a| (a.id, a.slots.start)).collect()
    };
    let mut before: BTreeMap<AgentId, (f64, f64)> = BTreeMap::new();
    let (mut out, mut shared) = (Outputs::default(), 0);
    for event in &tape.events {
        if !run.step(event, &mut out) {
            continue;
        }
        for &(agent, slot) in &ones {
            let Some(now) = beyond(&run.engine, slot) else {
                before.remove(&agent);
                continue;
            };
            let told = worth(&run.engine, agent);
            // What has changed since its asset was last looked at is shared at the next look.
            if before.get(&agent).is_some_and(|(_, had)| *had == told) {
                continue;
            }
            if let Some((was, had)) = before.insert(agent, (now, told)) {
                assert!((told - had - (now - was)).abs() < 1e-12, "{agent:?}: {told} − {had}, {now} − {was}");
                shared += 1;
            }
        }
    }
    assert!(ones.len() > 10 && shared > 3_000, "{} {shared}", ones.len());
}

#[test]
fn each_deed_is_counted_once_for_those_whose_words_it_names() {
    let tape = Tape::market(120);
    let run = run(&shipped(), &tape);
    let (cast, relations) = (run.engine.cast(), &run.engine.respond.relations);
    let said: BTreeMap<MessageId, Speaker> = run.messages.iter().map(|m| (m.id, m.from)).collect();
    let mut named: BTreeMap<AgentId, (f64, BTreeSet<String>)> = BTreeMap::new();
    for m in deeds(&run.messages) {
        let (count, speakers) = named.entry(speaker(m)).or_default();
        for swayed in &m.swayed {
            *count += 1.0;
            speakers.extend(swayed.causes.iter().map(|c| format!("{:?}", said[&c.message])));
        }
    }
    assert!(named.len() > 20, "{}", named.len());
    let everybody: Vec<Relation> =
        cast.agents[..cast.declared].iter().flat_map(|a| relations.of(cast, a.id)).collect();
    for agent in &cast.agents[..cast.declared] {
        let all = relations.of(cast, agent.id);
        let (count, speakers) = named.remove(&agent.id).unwrap_or_default();
        let told: f64 = all.iter().map(|r| r.tally.deeds).sum();
        assert!((told - count).abs() < 1e-9, "{}: {told} of {count}", agent.name);
        let theirs: BTreeSet<String> = all.iter().map(|r| format!("{:?}", r.from)).collect();
        assert_eq!(theirs, speakers, "{}", agent.name);
        let kinds: BTreeSet<TopicKind> = agent.reacts.iter().map(|r| r.rule.hears.what.topic()).collect();
        assert!(all.iter().all(|r| kinds.contains(&r.kind)), "{}", agent.name);
        for r in &all {
            // Half of a hundred deeds is the relation's own, and of its family's mean as much.
            let Speaker::Agent(from) = r.from else { continue };
            let family = cast.agents[from.index()].family;
            let is_kin = |of: &Relation| matches!(of.from, Speaker::Agent(a) if cast.agents[a.index()].family == family);
            let kin = everybody.iter().filter(|of| of.kind == r.kind && is_kin(of));
            let (deeds, worth) = kin.fold((0.0, 0.0), |(d, w), of| (d + of.tally.deeds, w + of.tally.worth));
            let trust = (r.tally.worth + 100.0 * worth / (deeds + 100.0)) / (r.tally.deeds + 100.0);
            assert!((r.trust - trust).abs() < 1e-12, "{}: {r:?}, not {trust}", agent.name);
        }
    }
}

#[test]
fn who_hears_only_whom_it_trusts_hears_fewer_and_its_alone_life_does_not_change() {
    let tape = Tape::market(200);
    let all = run(&shipped(), &tape);
    let mut trusting = shipped();
    trusting.listening.trust = Trust::Positive;
    let some = run(&trusting, &tape);
    assert_eq!(all.engine.respond.decisions, some.engine.respond.decisions, "money follows alone lives");
    let counts = [&all, &some].map(|r| deeds(&r.messages).count());
    assert!(counts[1] < counts[0] && counts[1] > 0, "{counts:?}");
    // Whom it has acted on at a loss by now is not heard by it.
    let (cast, relations) = (some.engine.cast(), &some.engine.respond.relations);
    let is_distrusted = |agent: AgentId| relations.of(cast, agent).iter().any(|r| r.trust < 0.0);
    assert!(cast.agents[..cast.declared].iter().any(|a| is_distrusted(a.id)));
}
