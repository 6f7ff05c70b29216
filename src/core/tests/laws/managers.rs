//! Each manager with and without, on the same market: it changes decisions, and only the listeners' half;
//! what was said of their own accord and the alone lives are the same to the byte.

use super::money::balanced;
use crate::common::{Run, Tape, commanded, deaf, hash, shipped};
use hive_core::agents::cast::cast;
use hive_core::agents::declaration::Selector;
use hive_core::config::Config;
use hive_core::config::setup;
use hive_core::engine::Outputs;
use hive_core::engine::Utterance;
use hive_core::engine::respond::{Respond, RespondSpec};
use hive_core::engine::speak::{Speak, StepOutput};
use hive_core::hive::managers::quarantine::QuarantinePhase;
use hive_core::hive::settings::{
    AssetManager, AutomatedManager, BigMoneyManager, FastManager, LowRiskManager, Managers,
};
use hive_domain::{
    Adjustment, AgentId, Command, Event, Goal, Knob, Message, MessageKind, SideRule, Span, Speaker,
};
use hive_market::synth::SynthWorld;
use std::sync::Arc;

fn adjustments(messages: &[Message]) -> Vec<(Message, Adjustment)> {
    let each = messages.iter().filter_map(|m| match m.body {
        MessageKind::Adjustment(a) => Some((m.clone(), a)),
        _ => None,
    });
    each.collect()
}

/// With and without a manager.
struct Pair {
    with: Run,
    without: Run,
}

fn pair(
    config: &Config,
    tape: &Tape,
    with: Managers,
    without: Managers,
    commands: &[(usize, Command)],
) -> Pair {
    let play = |managers: Managers| {
        let config = Config { managers, ..config.clone() };
        let run = commanded(&config, tape, commands);
        balanced(&run.engine);
        run
    };
    let pair = Pair { with: play(with), without: play(without) };
    let (a, b) = (&pair.with.engine, &pair.without.engine);
    assert_eq!(hash(&a.speak), hash(&b.speak), "a manager has no say in what is said, nor in alone");
    assert_ne!(
        a.respond.decisions.to_string(),
        b.respond.decisions.to_string(),
        "it must change what is decided"
    );
    pair
}

const NONE: Managers = Managers { low_risk: None, big_money: None, fast: None, automated: None, asset: None };

#[test]
fn law03_low_risk_with_and_without() {
    let tape = Tape::synth(SynthWorld::Market, 3, 300);
    let with = Managers { low_risk: Some(LowRiskManager::default()), ..NONE };
    let pair = pair(&shipped(), &tape, with, NONE, &[]);
    let said = adjustments(&pair.with.messages);
    assert!(said.iter().any(|(_, a)| a.knob == Knob::RiskScale && a.to < a.from), "triggered");
    assert!(said.iter().any(|(_, a)| a.knob == Knob::RiskScale && a.to > a.from), "released");
    assert!(said.iter().all(|(m, _)| m.from == Speaker::Manager(Goal::LowRisk)));
    assert!(adjustments(&pair.without.messages).is_empty());
}

#[test]
fn law03_big_money_with_and_without() {
    let tape = Tape::synth(SynthWorld::Market, 3, 300);
    let without = Managers { low_risk: Some(LowRiskManager::default()), ..NONE };
    let with = Managers { big_money: Some(BigMoneyManager::default()), ..without };
    let mut config = shipped();
    // Never enough, so that growth is always behind.
    config.goals.growth = 10.0;
    let pair = pair(&config, &tape, with, without, &[]);
    let said = adjustments(&pair.with.messages);
    let own = |up: bool| {
        let of = |(m, a): &&(Message, Adjustment)| {
            m.from == Speaker::Manager(Goal::BigMoney) && (a.to > a.from) == up
        };
        said.iter().filter(of).count()
    };
    assert!(own(true) > 0 && own(false) > 0, "triggered {}, released {}", own(true), own(false));
    assert!(said.iter().all(|(_, a)| a.knob != Knob::RiskScale || a.to <= 1.0), "the budget is the bound");
    // Nothing to give where nothing was taken.
    let alone = Managers { big_money: Some(BigMoneyManager::default()), ..NONE };
    let run = crate::common::run(&Config { managers: alone, ..config }, &tape);
    assert!(adjustments(&run.messages).is_empty());
}

#[test]
fn law03_fast_with_and_without() {
    let tape = Tape::synth(SynthWorld::Market, 3, 300);
    let with = Managers { fast: Some(FastManager::default()), ..NONE };
    let pair = pair(&shipped(), &tape, with, NONE, &[]);
    let said = adjustments(&pair.with.messages);
    assert!(
        said.iter().all(|(m, a)| m.from == Speaker::Manager(Goal::Fast) && a.knob == Knob::Width),
        "it turns the width of the band and nothing else"
    );
    assert!(!said.is_empty());
}

#[test]
fn law03_automated_with_and_without() {
    let tape = Tape::market(150);
    let m = AutomatedManager::default();
    let with = Managers { automated: Some(m), ..NONE };
    // The operator pauses agent 7 and lets it go, three times within a day.
    let one = AgentId(7);
    let commands: Vec<(usize, Command)> =
        (0..3).flat_map(|i| [(300 + i, Command::Pause(one)), (301 + i, Command::Resume(one))]).collect();
    let pair = pair(&shipped(), &tape, with, NONE, &commands);
    let said = adjustments(&pair.with.messages);
    let knobs: Vec<_> = said.iter().map(|(_, a)| (a.knob, a.agent, a.to)).collect();
    assert_eq!(
        knobs,
        [
            (Knob::Voice, Some(one), 0.0),
            (Knob::Unit, Some(one), 0.0),
            (Knob::Voice, Some(one), 1.0),
            (Knob::Unit, Some(one), m.probation_unit),
            (Knob::Unit, Some(one), 1.0),
        ]
    );
    assert!(said.iter().all(|(m, _)| m.from == Speaker::Manager(Goal::Automated)));
    let days = |a: usize, b: usize| said[b].0.at.since(said[a].0.at).0 / Span::DAY.0;
    assert_eq!(days(0, 2), i64::from(m.quarantine_days));
    assert_eq!(days(2, 4), i64::from(m.probation_days));
    assert_eq!(pair.with.engine.respond.office.wards.phase(one), QuarantinePhase::Free);
}

#[test]
fn in_quarantine_nobody_hears_it_and_it_runs_off_and_it_still_speaks() {
    let tape = Tape::market(150);
    let one = AgentId(7);
    let mut run = Run::start(&shipped(), &tape.universe);
    let middle = tape.after(400);
    run.play(&tape.events[..middle]);
    let voices = run.engine.respond.consensus.voices();
    (0..3).for_each(|_| run.engine.respond.office.wards.erred(one));
    let slots = run.engine.cast().agents[7].slots.clone();
    let mut out = Outputs::default();
    let (mut inside, mut spoke, mut last) = (0, 0, f64::INFINITY);
    for event in &tape.events[middle..tape.after(480)] {
        let from = run.messages.len();
        run.step(event, &mut out);
        if !matches!(event, Event::Barrier(_)) {
            continue;
        }
        let respond = &run.engine.respond;
        if respond.office.wards.is_heard(one) {
            continue;
        }
        inside += 1;
        spoke += run.messages[from..].iter().filter(|m| m.from == Speaker::Agent(one)).count();
        assert_eq!(respond.consensus.voices(), voices - 1);
        assert!(slots.clone().all(|s| respond.consensus.heard(run.engine.cast(), s) == 0.0));
        let aims: f64 = slots.clone().map(|s| respond.real.execution.desk.parts[s].aim.abs()).sum();
        // The barrier that sent it there had decided before.
        assert!(inside == 1 || aims <= last, "{aims} after {last}");
        last = aims;
    }
    assert!(inside > 40 && spoke > 0, "{inside} {spoke}");
    run.engine.balances().unwrap();
}

#[test]
fn the_operator_and_the_manager_each_have_a_hand_on_a_voice() {
    let tape = Tape::market(30);
    let mut run = Run::start(&shipped(), &tape.universe);
    run.play(&tape.events);
    let at = tape.events[tape.events.len() - 1].at();
    let cast = run.engine.cast().clone();
    let free = run.engine.respond.consensus.clone();
    run.play(&[Event::Command(at, Command::Mute(AgentId(3)))]);
    let respond = &mut run.engine.respond;
    respond.consensus.silence(&cast, AgentId(3), true);
    assert_eq!(respond.consensus.voices(), free.voices() - 1, "counted once");
    run.play(&[Event::Command(at, Command::Unmute(AgentId(3)))]);
    let respond = &mut run.engine.respond;
    assert!(!respond.consensus.is_heard(AgentId(3)));
    respond.consensus.silence(&cast, AgentId(3), false);
    assert_eq!(respond.consensus, free);
}

/// Only long and short agents on BTC, with limits that bind.
fn opposed() -> Config {
    let mut config = shipped();
    config.roster.agents.truncate(6);
    for (i, agent) in config.roster.agents.iter_mut().enumerate() {
        agent.assets = vec![Selector::Name("BTC".into())];
        agent.side = if i % 2 == 0 { SideRule::Long } else { SideRule::Short };
        agent.family = hive_domain::FamilyId::Directional;
        agent.params.clear();
        agent.traits.sociability = -1.0;
    }
    config.funds.units_max = 0.5;
    config
}

#[test]
fn law03_the_asset_manager_with_and_without() {
    let tape = Tape::market(250);
    let m = AssetManager::default();
    let pair = pair(&opposed(), &tape, Managers { asset: Some(m), ..NONE }, NONE, &[]);
    let said = adjustments(&pair.with.messages);
    assert!(said.iter().any(|(_, a)| a.to > a.from) && said.iter().any(|(_, a)| a.to < a.from));
    let btc = tape.universe.asset("BTC").unwrap().id;
    for (message, a) in &said {
        assert_eq!((message.from, message.asset, a.knob), (Speaker::Netting, Some(btc), Knob::Limit));
        assert!((1.0..=m.limit_max).contains(&a.to) && a.agent.is_some());
    }
}

#[test]
fn law03_no_manager_acts_where_nobody_listens() {
    let tape = Tape::synth(SynthWorld::Market, 3, 200);
    let mut config = deaf();
    config.desk.target_vol = 0.6;
    let mut run = Run::start(&config, &tape.universe);
    let middle = tape.after(600);
    run.play(&tape.events[..middle]);
    let at = tape.events[middle - 1].at();
    for _ in 0..5 {
        let (pause, resume) = (Command::Pause(AgentId(3)), Command::Resume(AgentId(3)));
        run.play(&[Event::Command(at, pause), Event::Command(at, resume)]);
    }
    run.play(&tape.events[middle..]);
    assert!(adjustments(&run.messages).is_empty());
    assert!(run.engine.respond.office.wards.is_heard(AgentId(3)));
}

#[test]
fn what_cannot_be_meant_is_not_heard_and_counts_as_an_error() {
    let tape = Tape::market(60);
    let config =
        Config { managers: Managers { automated: Some(AutomatedManager::default()), ..NONE }, ..shipped() };
    let settings = setup::settings(&config);
    let cast = Arc::new(cast(&config.roster, &tape.universe, config.seed));
    let (speak_spec, mut speak) = Speak::start(Arc::clone(&cast), &tape.universe, settings.clone());
    let spec = RespondSpec::new(Arc::clone(&cast), &tape.universe, settings.clone());
    let mut respond = Respond::new(&spec);
    let (mut said, mut out) = (StepOutput::default(), Outputs::default());
    let slot = cast.agents[5].slots.start;
    let bad = [f64::NAN, f64::INFINITY, 1e9];
    let (mut barriers, mut alarms) = (0, 0);
    for event in &tape.events {
        out.messages.clear();
        out.alarms.clear();
        speak.step(&speak_spec, event, &mut said);
        if let Event::Barrier(_) = event {
            if (100..103).contains(&barriers) {
                let body = crate::common::intent(&cast, slot, bad[barriers - 100]);
                said.utterances.insert(0, Utterance { voice: slot, body });
            }
            if barriers == 110 {
                // Too much at once: what is within the quota is heard.
                let body = crate::common::intent(&cast, slot, 0.5);
                (0..20)
                    .for_each(|_| said.utterances.insert(0, Utterance { voice: slot, body: body.clone() }));
            }
            barriers += 1;
        }
        respond.step(&spec, event, &speak, &said, &mut out);
        alarms += out.alarms.iter().filter(|a| a.starts_with(&cast.agents[5].name)).count();
        assert!((0..cast.slots.len()).all(|s| respond.consensus.heard(&cast, s).abs() < 100.0));
    }
    assert!(alarms >= 3 + 12, "{alarms}");
    assert!(respond.real.account.halted.is_none());
    assert_ne!(respond.office.wards.phase(AgentId(5)), QuarantinePhase::Free);
    assert!(
        (0..cast.declared)
            .filter(|a| respond.office.wards.phase(AgentId(*a as u32)) != QuarantinePhase::Free)
            .count()
            == 1
    );
}
