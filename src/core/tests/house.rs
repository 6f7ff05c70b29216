//! The full house of seventeen families on the embedded market in detail, in the engine alone.

use crate::common::scenes::ROSTER;
use hive_core::agents::structures::KEYS;
use hive_core::config;
use hive_core::config::setup::settings;
use hive_core::engine::{Engine, Outputs};
use hive_domain::{FamilyId, MessageKind, Reason, Verb};
use hive_market::Feed;
use hive_market::synth::{Detail, SynthFeed, SynthSettings};
use std::collections::BTreeMap;

/// Days before the detail begins, and of detail.
const DAYS: (u32, u32) = (20, 12);

fn feed() -> SynthFeed {
    let start = SynthSettings { bars_days: DAYS.0 + DAYS.1, ..SynthSettings::default() };
    let mut detail = Detail::last(DAYS.1, start.from, start.bars_days);
    detail.faults = true;
    SynthFeed::new(SynthSettings { detail: Some(detail), ..start }).unwrap()
}

fn engine(feed: &SynthFeed) -> Engine {
    let mut config = config::parse("full-house.toml", ROSTER).unwrap();
    config.roster.scouts = 24;
    Engine::new(&config.roster, feed.universe(), &settings(&config), config.seed)
}

#[test]
fn everybody_talks_with_conditions_and_nothing_breaks_with_faults_on() {
    let mut feed = feed();
    let mut engine = engine(&feed);
    let cast = engine.cast().clone();
    let mut out = Outputs::default();
    let mut said: BTreeMap<(usize, &'static str), String> = BTreeMap::new();
    let mut opens: BTreeMap<usize, u32> = BTreeMap::new();
    while let Some(event) = feed.next().unwrap() {
        engine.step(&event, &mut out);
        for m in &out.messages {
            let hive_domain::Speaker::Agent(agent) = m.from else { continue };
            let family = cast.agents[agent.index()].family;
            if !family.is_structured() {
                continue;
            }
            match &m.body {
                MessageKind::Action(a) => {
                    assert!(a.after.is_finite() && a.price.is_finite(), "{a}");
                    let kind = match a.verb {
                        Verb::Open => "open",
                        Verb::Increase => "increase",
                        Verb::Decrease => "decrease",
                        Verb::Close => "close",
                        Verb::Amend => "amend",
                    };
                    *opens.entry(family.index()).or_default() += u32::from(a.verb == Verb::Open);
                    assert!(a.verb != Verb::Open || (a.before == 0.0 && a.after != 0.0), "{a}");
                    assert!(a.verb != Verb::Close || a.after == 0.0, "{a}");
                    let known = |i| KEYS.contains(&i);
                    assert!(
                        a.plan.parts().flat_map(|(_, c)| c.indicators().collect::<Vec<_>>()).all(known),
                        "{a}"
                    );
                    assert!(a.verb != Verb::Close || a.reason != Reason::Signal, "{a}");
                    said.entry((family.index(), kind)).or_insert_with(|| a.to_string());
                }
                MessageKind::Outcome(o) => assert!(o.pnl.is_finite() && o.r.is_finite(), "{o:?}"),
                _ => {}
            }
        }
    }
    engine.balances().unwrap();
    for family in FamilyId::ALL.iter().filter(|f| f.is_structured()) {
        let opened = opens.get(&family.index()).copied().unwrap_or_default();
        eprintln!("{family}: {opened} opened");
    }
    // Each that opened has said its stop, its targets and when it would do it again.
    for ((family, kind), text) in &said {
        let family = FamilyId::ALL[*family];
        if *kind == "open" {
            for part in ["stop:", "exit:", "expire:", "target:", "again if"] {
                assert!(text.contains(part), "{family} {part}: {text}");
            }
        }
    }
    let talking = said.keys().filter(|k| k.1 == "open").count();
    assert!(talking >= 6, "{talking} of nine structured families opened something: {opens:?}");
}

#[test]
fn the_same_run_gives_the_same_bytes_also_over_a_snapshot() {
    let mut whole = feed();
    let mut engine_a = engine(&whole);
    let mut out = Outputs::default();
    let mut events = Vec::new();
    while let Some(event) = whole.next().unwrap() {
        events.push(event);
    }
    let cut = events.len() * 3 / 4;
    events[..cut].iter().for_each(|e| engine_a.step(e, &mut out));
    let bytes = engine_a.snapshot().unwrap();
    let mut engine_b = engine(&whole);
    engine_b.restore(&bytes).unwrap();
    for e in &events[cut..cut + 20_000] {
        engine_a.step(e, &mut out);
        engine_b.step(e, &mut out);
    }
    assert_eq!(engine_a.state_hash(), engine_b.state_hash());
}
