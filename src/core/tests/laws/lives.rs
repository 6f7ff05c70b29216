//! Laws 2 and 3: three lives that differ in the ears alone, and messages that never command.

use crate::common::{Run, Tape, actions, deaf, flat, hash, run, shipped, stances};
use hive_core::config::Config;
use hive_core::engine::Outputs;
use hive_core::fills::fine::FillPrices;
use hive_core::fills::pace::Trades;
use hive_core::hive::settings::Managers;
use hive_domain::{
    AgentId, Command, Event, Goal, Holds, Knob, Message, MessageKind, SideRule, Speaker, SpokenBy, StanceVerb,
};
use hive_market::synth::SynthWorld;

const DAYS: u32 = 250;

fn equal_bit_for_bit(config: &Config, tape: &Tape) {
    let mut run = Run::start(config, &tape.universe);
    let mut out = Outputs::default();
    for event in &tape.events {
        run.step(event, &mut out);
        let (speak, respond) = (&run.engine.speak, &run.engine.respond);
        if let Event::Barrier(at) = event {
            for (slot, (ear, alone)) in respond.ears.iter().zip(&speak.patient).enumerate() {
                let bits = |p: &hive_core::fills::books::Patient| {
                    let b = p.book;
                    [p.aim, b.quantity, b.cash, b.order, b.traded, b.costs].map(f64::to_bits)
                };
                assert_eq!(bits(&ear.open), bits(alone), "slot {slot} at {at}");
            }
        }
    }
    let (speak, respond) = (&run.engine.speak, &run.engine.respond);
    assert_eq!(hash(&speak.curve), hash(&respond.open));
    assert!(speak.patient.iter().filter(|p| p.book.traded > 0.0).count() > 1, "nobody traded");
    let moved = stances(&run.messages).filter(|(_, s)| s.verb != StanceVerb::Keeps).count();
    assert_eq!(moved, 0, "the deaf keep their intents");
}

#[test]
fn law02_deaf_alone_and_sim_are_equal_bit_for_bit() {
    equal_bit_for_bit(&deaf(), &Tape::market(DAYS));
}

#[test]
fn law02_they_are_equal_whatever_the_capital_the_number_of_agents_and_the_costs() {
    let tape = Tape::market(100);
    for (agents, capital) in [(36, 12_345), (35, 100_000), (7, 77_777), (3, 100_000)] {
        let mut config = deaf();
        config.capital = capital.into();
        config.roster.agents.truncate(agents);
        equal_bit_for_bit(&config, &tape);
        flat(&mut config, 0.0007);
        equal_bit_for_bit(&config, &tape);
    }
}

#[test]
fn law02_they_are_equal_where_orders_rest_at_levels() {
    let tape = Tape::market(200);
    let mut config = deaf();
    config.roster.agents = super::conditions::resting().roster.agents;
    equal_bit_for_bit(&config, &tape);
    (config.desk.trades, config.desk.patience) = (Trades::Zone, 0.5);
    equal_bit_for_bit(&config, &tape);
}

#[test]
fn law02_they_are_equal_where_stops_and_targets_are_judged_between_closes() {
    let tape = super::conditions::told_finely(120);
    let mut config = deaf();
    let coarse = run(&config, &tape);
    config.fills = FillPrices::Fine;
    equal_bit_for_bit(&config, &tape);
    assert_ne!(hash(&coarse.engine.speak.curve), hash(&run(&config, &tape).engine.speak.curve), "it matters");
    config.desk.patience = 0.5;
    equal_bit_for_bit(&config, &tape);
}

#[test]
fn law02_they_are_equal_at_every_pace_and_whatever_is_remembered() {
    let tape = Tape::market(120);
    for (trades, holds, patience) in [
        (Trades::Zone, Holds::Quantity, 1.0),
        (Trades::Zone, Holds::Notional, 0.5),
        (Trades::Band, Holds::Notional, 0.1),
    ] {
        let mut config = deaf();
        (config.desk.trades, config.desk.patience) = (trades, patience);
        config.listening.holds = holds;
        equal_bit_for_bit(&config, &tape);
    }
}

#[test]
fn law02_they_are_equal_where_nobody_may_hold_the_side_of_the_consensus() {
    let mut config = deaf();
    for agent in &mut config.roster.agents {
        agent.side = SideRule::Long;
    }
    // Scouts speak for the other side, and no declared agent could follow.
    config.roster.agents.push(hive_core::agents::declaration::Declaration {
        name: "Nemo".into(),
        side: SideRule::Short,
        assets: vec![hive_core::agents::declaration::Selector::Name("XRP".into())],
        ..config.roster.agents[0].clone()
    });
    equal_bit_for_bit(&config, &Tape::market(150));
}

#[test]
fn law02_one_who_is_left_alone_with_a_consensus_it_may_not_hold_keeps_numbers() {
    let mut config = shipped();
    for agent in &mut config.roster.agents {
        agent.side = SideRule::Long;
    }
    config.roster.agents.push(hive_core::agents::declaration::Declaration {
        name: "Nemo".into(),
        side: SideRule::Short,
        assets: vec![hive_core::agents::declaration::Selector::Name("XRP".into())],
        ..config.roster.agents[0].clone()
    });
    let run = run(&config, &Tape::market(DAYS));
    for (m, s) in stances(&run.messages) {
        let numbers = [s.own, s.result];
        assert!(numbers.iter().all(|x| x.is_finite()), "{m:?}");
        assert!(!format!("{:?}", s.factors).contains("inf"), "{m:?}");
    }
}

#[test]
fn law02_scouts_only_speak() {
    let run = run(&shipped(), &Tape::market(DAYS));
    let (engine, cast) = (&run.engine, run.engine.cast());
    assert_eq!(cast.agents.len() - cast.declared, 60);
    assert_eq!(engine.respond.ears.len(), cast.declared_slots);
    assert_eq!(engine.speak.patient.len(), cast.declared_slots);
    assert_eq!(engine.respond.real.account.ledger.agents(), cast.declared);
    let mut spoke = vec![0; cast.agents.len()];
    for m in &run.messages {
        let Speaker::Agent(agent) = m.from else { continue };
        spoke[agent.index()] += 1;
        let scout = cast.agents[agent.index()].scout;
        assert_eq!(scout, agent.index() >= cast.declared);
        let speaks = matches!(m.body, MessageKind::Action(_) | MessageKind::Outcome(_));
        assert!(speaks || !scout, "a scout has no stance: {m:?}");
    }
    let scouts = &cast.agents[cast.declared..];
    assert!(scouts.iter().filter(|a| spoke[a.id.index()] > 0).count() > 55, "scouts have their say");
    assert!(scouts.iter().all(|a| engine.respond.real.account.funds.weight(a.id) == 0.0 && !a.funded));
}

fn mutes(config: &Config, tape: &Tape) -> Run {
    let mut run = Run::start(config, &tape.universe);
    let (early, late) = (tape.after(200), tape.after(900));
    let mute = |i| Event::Command(tape.events[early - 1].at(), Command::Mute(AgentId(i)));
    let unmute = |i| Event::Command(tape.events[late - 1].at(), Command::Unmute(AgentId(i)));
    run.play(&tape.events[..early]);
    run.play(&(0..20).map(mute).collect::<Vec<_>>()).play(&tape.events[early..late]);
    run.play(&(0..10).map(unmute).collect::<Vec<_>>()).play(&tape.events[late..]);
    run
}

/// What was said of their own accord: messages without their numbers, and without points, which belong
/// to the listeners' half.
fn speech(messages: &[Message]) -> String {
    let own: Vec<_> = messages
        .iter()
        .filter(|m| m.life != SpokenBy::Open)
        .filter_map(|m| match &m.body {
            MessageKind::Action(a) => Some((m.at, m.asset, Some(a), None)),
            MessageKind::Outcome(o) => {
                Some((m.at, m.asset, None, Some((o.intent, o.reason, o.r, o.pnl, o.held))))
            }
            _ => None,
        })
        .collect();
    hash(&own)
}

#[test]
fn law03_messages_never_command() {
    let tape = Tape::market(DAYS);
    let listening = run(&shipped(), &tape);
    let spoken = (hash(&listening.engine.speak), speech(&listening.messages));
    let mut without_managers = shipped();
    without_managers.managers = Managers::default();
    let mut obedient = shipped();
    obedient.listening.lambda = Some(1.0);
    let mut unfunded = shipped();
    unfunded.roster.agents.iter_mut().step_by(2).for_each(|a| a.funded = false);
    let mut poor = shipped();
    poor.funds.by_points = false;
    poor.funds.units_max = 0.5;
    poor.risk.drawdown_halt = 0.02;
    let same = |how: &str, other: &Run| {
        assert_eq!((hash(&other.engine.speak), speech(&other.messages)), spoken, "{how}");
        assert_ne!(hash(&other.engine.respond), hash(&listening.engine.respond), "{how}: no difference");
    };
    same("deaf", &run(&deaf(), &tape));
    same("without managers", &run(&without_managers, &tape));
    same("λ = 1", &run(&obedient, &tape));
    same("half of them without funds", &run(&unfunded, &tape));
    same("small units and a touchy breaker", &run(&poor, &tape));
    same("muted", &mutes(&shipped(), &tape));
}

#[test]
fn law03_managers_turn_knobs_within_bounds_and_never_in_silence() {
    let tape = Tape::synth(SynthWorld::Market, 3, 400);
    let mut config = shipped();
    // A target out of proportion, so that drawdowns and tails are over budget.
    config.desk.target_vol = 0.6;
    let (low_risk, fast) = (config.managers.low_risk.unwrap(), config.managers.fast.unwrap());
    let mut run = Run::start(&config, &tape.universe);
    let mut out = Outputs::default();
    let gross = config.desk.gross_max;
    let mut knobs = run.engine.respond.office.knobs;
    let mut turns = [0; 3];
    for event in &tape.events {
        let from = run.messages.len();
        run.step(event, &mut out);
        for m in &run.messages[from..] {
            let MessageKind::Adjustment(a) = m.body else { continue };
            assert!(a.because.is_finite());
            if a.knob == Knob::Limit {
                // Netting has a test of its own.
                assert!(m.from == Speaker::Netting && m.asset.is_some() && a.agent.is_some());
                continue;
            }
            assert!(m.asset.is_none() && a.agent.is_none());
            let (slot, unit, bounds, who, n) = match a.knob {
                Knob::RiskScale => {
                    let who = if m.from == Speaker::Manager(Goal::BigMoney) {
                        Goal::BigMoney
                    } else {
                        Goal::LowRisk
                    };
                    (&mut knobs.risk_scale, 1.0, (low_risk.risk_scale_min, 1.0), who, 0)
                }
                Knob::GrossCap => {
                    (&mut knobs.gross_scale, gross, (low_risk.gross_scale_min, 1.0), Goal::LowRisk, 1)
                }
                Knob::Width => (&mut knobs.width, 1.0, (fast.width_min, fast.width_max), Goal::Fast, 2),
                Knob::Voice | Knob::Unit | Knob::Limit | Knob::Size => panic!("nobody erred: {a:?}"),
            };
            assert_eq!(m.from, Speaker::Manager(who));
            assert_eq!(a.from, *slot * unit, "it turns from where it stands");
            let to = a.to / unit;
            assert!(bounds.0 - 1e-12 <= to && to <= bounds.1 + 1e-12, "{a:?}");
            *slot = to;
            turns[n] += 1;
        }
        let now = run.engine.respond.office.knobs;
        for (said, is) in [
            (knobs.risk_scale, now.risk_scale),
            (knobs.gross_scale, now.gross_scale),
            (knobs.width, now.width),
        ] {
            assert!((said - is).abs() < 1e-12, "a knob was turned in silence: {said} {is} at {event:?}");
        }
        // What was said is what is: no rounding piles up in this book-keeping.
        knobs = now;
    }
    assert!(turns.iter().all(|n| *n > 0), "each knob must have been turned: {turns:?}");
}

#[test]
fn law03_the_deaf_have_no_managers() {
    let mut config = deaf();
    config.desk.target_vol = 0.6;
    let run = run(&config, &Tape::synth(SynthWorld::Market, 3, 200));
    assert!(!run.messages.iter().any(|m| matches!(m.body, MessageKind::Adjustment(_))));
}

#[test]
fn a_muted_agent_speaks_and_hears_but_moves_nobody() {
    let tape = Tape::market(DAYS);
    let muted: Vec<AgentId> = (0..20).map(AgentId).collect();
    let run = mutes(&shipped(), &tape);
    let free = crate::common::run(&shipped(), &tape);
    let from = tape.events[tape.after(200) - 1].at();
    let to = tape.events[tape.after(900) - 1].at();
    let speaker = |id: hive_domain::MessageId| match run.messages[id.0 as usize - 1].from {
        Speaker::Agent(a) => a,
        other => panic!("{other:?} moved somebody"),
    };
    let (mut named, mut stances_of_muted, mut spoken) = (0, 0, 0);
    for m in run.messages.iter().filter(|m| m.at > from && m.at <= to) {
        let by_muted = matches!(m.from, Speaker::Agent(a) if muted.contains(&a));
        match m.body {
            MessageKind::Action(_) => spoken += u64::from(by_muted),
            MessageKind::Stance(s) => {
                for id in s.because.iter().flatten() {
                    assert!(!muted.contains(&speaker(*id)), "moved by a muted agent: {m:?}");
                    named += 1;
                }
                stances_of_muted += u64::from(by_muted && s.verb != StanceVerb::Keeps);
            }
            _ => {}
        }
    }
    assert!(named > 100 && stances_of_muted > 100 && spoken > 100, "{named} {stances_of_muted} {spoken}");
    // The other ten are heard again, and the same things were said all along.
    assert_eq!(run.engine.respond.consensus.voices(), free.engine.respond.consensus.voices() - 10);
    let said = |r: &Run| actions(&r.messages).filter(|(m, _)| m.life != SpokenBy::Open).count();
    assert_eq!(said(&run), said(&free));
    let back = stances(&run.messages).filter(|(m, _)| m.at > to);
    let heard_again = back.flat_map(|(_, s)| s.because.into_iter().flatten()).any(|id| speaker(id).0 < 10);
    assert!(heard_again, "who is unmuted is heard again");
}

#[test]
fn other_company_other_decisions() {
    let tape = Tape::market(DAYS);
    let with = |company: std::ops::Range<usize>| {
        let mut config = shipped();
        let mut agents = vec![config.roster.agents[0].clone()];
        agents.extend_from_slice(&config.roster.agents[company]);
        config.roster.agents = agents;
        run(&config, &tape)
    };
    let (one, other) = (with(1..8), with(20..27));
    let of = |r: &Run, wanted: fn(&MessageKind) -> bool| {
        let own = r.messages.iter().filter(|m| m.from == Speaker::Agent(AgentId(0)) && wanted(&m.body));
        let own = own.filter(|m| m.life != SpokenBy::Open);
        own.map(|m| (m.at, m.asset, m.body.clone())).collect::<Vec<_>>()
    };
    let slots = one.engine.cast().agents[0].slots.clone();
    assert_eq!(
        hash(&&one.engine.speak.lives[slots.clone()]),
        hash(&&other.engine.speak.lives[slots.clone()])
    );
    let (a, b) = (&one.engine.speak.patient[slots.clone()], &other.engine.speak.patient[slots.clone()]);
    assert_eq!(a, b, "alone is alone");
    let acts = |r: &Run| of(r, |b| matches!(b, MessageKind::Action(_)));
    assert_eq!(acts(&one), acts(&other));
    assert!(acts(&one).len() > 20);
    let stands = |r: &Run| of(r, |b| matches!(b, MessageKind::Stance(_)));
    assert_ne!(stands(&one), stands(&other), "nobody tells what an agent does from its own input alone");
    assert_ne!(one.engine.respond.ears[slots.clone()], other.engine.respond.ears[slots]);
}

#[test]
fn law02_on_spot_nobody_holds_short_in_any_life_and_short_intents_are_still_said() {
    let mut tape = Tape::synth(SynthWorld::Market, 5, 200);
    tape.universe.instruments.iter_mut().for_each(|i| i.kind = hive_domain::InstrumentKind::Spot);
    let mut run = Run::start(&shipped(), &tape.universe);
    let mut out = Outputs::default();
    for event in &tape.events {
        run.step(event, &mut out);
        let (speak, respond) = (&run.engine.speak, &run.engine.respond);
        assert!(speak.raw.iter().all(|b| b.quantity >= 0.0), "raw");
        assert!(speak.patient.iter().all(|p| p.book.quantity >= 0.0), "alone");
        assert!(respond.ears.iter().all(|e| e.open.book.quantity >= 0.0), "open");
    }
    let counts = run.engine.respond.bus.counts();
    assert!(counts.open_short > 0 && counts.open_long > 0);
}
