//! The desk manager: nothing of the consensus is lost where no agent with funds may hold it, and what the
//! house holds is booked like anybody's part.

use super::money::balanced;
use crate::common::{Run, Tape, hash, shipped, stances};
use hive_core::agents::declaration::Selector;
use hive_core::config::Config;
use hive_core::engine::Outputs;
use hive_core::hive::settings::Managers;
use hive_domain::{
    AgentId, Announced, Command, Event, InstrumentId, MessageKind, SideRule, Speaker, StanceVerb,
};
use hive_ledger::Ledger;

const DAYS: u32 = 200;

/// Long agents on two assets and one of both sides on a third; their scouts speak of everything.
fn narrow() -> Config {
    let mut config = shipped();
    config.roster.agents.truncate(9);
    for (i, agent) in config.roster.agents.iter_mut().enumerate() {
        let name = if i == 8 { "SOL" } else { ["BTC", "ETH"][i % 2] };
        agent.assets = vec![Selector::Name(name.into())];
        agent.side = if i < 3 { SideRule::Long } else { SideRule::Both };
        if (3..8).contains(&i) {
            agent.funded = false;
        }
    }
    config
}

/// λ = 1, and neither points, rails nor managers.
fn bare(config: &mut Config) {
    config.listening.lambda = Some(1.0);
    config.listening.voice_by_points = false;
    config.listening.reactions = false;
    config.funds.by_points = false;
    config.funds.units_max = 1e9;
    config.managers = Managers::default();
    config.risk.drawdown_halt = 1.0;
    for agent in &mut config.roster.agents {
        agent.traits.max_follow = 1e9;
        agent.traits.no_flip = false;
    }
}

/// The largest difference between the hive's aim and that of all voices, equally weighted, netted and
/// followed as patiently; and how much of it the house carried.
fn apart(config: &Config, tape: &Tape) -> (f64, f64) {
    let mut run = Run::start(config, &tape.universe);
    let mut out = Outputs::default();
    let cast = run.engine.cast().clone();
    let mut intents = vec![Announced::default(); cast.slots.len()];
    let mut reference = vec![0.0; cast.by_asset.len()];
    let (mut most, mut house): (f64, f64) = (0.0, 0.0);
    for event in &tape.events {
        let from = run.messages.len();
        run.step(event, &mut out);
        for m in &run.messages[from..] {
            let (Speaker::Agent(agent), Some(asset), MessageKind::Action(a)) = (m.from, m.asset, &m.body)
            else {
                continue;
            };
            // A control group is no voice.
            if !cast.agents[agent.index()].heard {
                continue;
            }
            let mut slots = cast.agents[agent.index()].slots.clone();
            intents[slots.find(|s| cast.slots[*s].asset == asset).unwrap()].say(a.after, a.price);
        }
        let Event::Barrier(at) = event else { continue };
        let desk = &run.engine.respond.real.execution.desk;
        for (i, slots) in cast.by_asset.iter().enumerate() {
            let listing = &run.engine.speak.market.instruments[i];
            if listing.is_fresh(*at) && listing.sigma.is_finite() {
                let worth = |s: &u32| intents[*s as usize].at(listing.last().close, config.listening.holds);
                let sum: f64 = slots.iter().map(worth).sum();
                let c = sum / cast.agents.iter().filter(|a| a.heard).count() as f64;
                reference[i] += config.desk.patience * (c - reference[i]);
            }
            let parts = slots.iter().map(|s| *s as usize).filter(|s| *s < cast.declared_slots);
            let own = desk.parts[cast.declared_slots + i].aim;
            let aim: f64 = parts.map(|s| desk.parts[s].aim).sum::<f64>() + own;
            most = most.max((aim - reference[i]).abs());
            house += own.abs();
        }
        balanced(&run.engine);
    }
    assert!(reference.iter().filter(|r| r.abs() > 1e-3).count() > 4, "somebody must mean something");
    (most, house)
}

#[test]
fn at_full_listening_without_points_rails_and_managers_the_hive_is_the_mean_of_all_voices() {
    let tape = Tape::market(DAYS);
    let mut everything = shipped();
    bare(&mut everything);
    let (most, house) = apart(&everything, &tape);
    assert!(most < 1e-9, "{most:e}");
    assert_eq!(house, 0.0, "each asset has somebody who may hold it");
    let mut narrow = narrow();
    bare(&mut narrow);
    let (most, house) = apart(&narrow, &tape);
    assert!(most < 1e-9, "{most:e}");
    assert!(house > 10.0, "the house carries what is left: {house}");
}

#[test]
fn the_identity_breaks_where_any_of_its_conditions_does() {
    let tape = Tape::market(100);
    let break_it: [fn(&mut Config); 3] = [
        |c| c.listening.lambda = Some(0.9),
        |c| c.listening.voice_by_points = true,
        |c| c.roster.agents.iter_mut().for_each(|a| a.traits.max_follow = 0.1),
    ];
    for (i, change) in break_it.into_iter().enumerate() {
        let mut config = shipped();
        bare(&mut config);
        change(&mut config);
        assert!(apart(&config, &tape).0 > 1e-6, "{i}");
    }
}

#[test]
fn what_the_house_holds_is_booked_to_the_last_digit_and_said_with_its_reasons() {
    let tape = Tape::market(DAYS);
    let config = narrow();
    let mut run = Run::start(&config, &tape.universe);
    let mut out = Outputs::default();
    let (mut longs, mut shorts) = (0, 0);
    for event in &tape.events {
        run.step(event, &mut out);
        if matches!(event, Event::Barrier(_)) {
            balanced(&run.engine);
        }
        let real = &run.engine.respond.real;
        for i in 0..real.account.marks.len() as u16 {
            let held = real.account.ledger.position(Ledger::TREASURY, InstrumentId(i));
            let part = real.execution.desk.parts[run.engine.cast().declared_slots + usize::from(i)].held;
            assert_eq!(held.is_zero(), part == 0, "desk and books agree on the house");
            longs += u32::from(part > 0);
            shorts += u32::from(part < 0);
        }
    }
    assert!(longs > 100 && shorts > 100, "{longs} {shorts}");
    assert!(run.engine.respond.real.account.halted.is_none() && run.alarms.is_empty());
    let said: Vec<_> = stances(&run.messages).filter(|(m, _)| m.from == Speaker::Desk).collect();
    assert!(said.len() > 20, "{}", said.len());
    for (m, s) in said {
        assert_eq!(s.own, 0.0, "the house has no intent of its own: {m:?}");
        assert_eq!(s.verb == StanceVerb::Keeps, s.because.iter().flatten().count() == 0, "{m:?}");
        for id in s.because.iter().flatten() {
            let cause = &run.messages[id.0 as usize - 1];
            let MessageKind::Action(a) = &cause.body else { panic!("moved by {cause:?}") };
            assert!(a.after * s.result > 0.0 && cause.asset == m.asset && cause.id < m.id, "{m:?}");
        }
    }
}

#[test]
fn the_deaf_house_holds_nothing() {
    let tape = Tape::market(100);
    let mut config = narrow();
    config.listening.enabled = false;
    let run = crate::common::run(&config, &tape);
    let cast = run.engine.cast();
    assert!(run.engine.respond.real.execution.desk.parts[cast.declared_slots..].iter().all(|p| p.aim == 0.0));
    assert!(!run.messages.iter().any(|m| m.from == Speaker::Desk));
}

#[test]
fn when_nobody_may_take_risk_the_house_does_not_either() {
    let tape = Tape::market(DAYS);
    for command in [Command::PauseAll, Command::Kill, Command::DrainAll] {
        let mut run = Run::start(&narrow(), &tape.universe);
        let middle = tape.after(600);
        run.play(&tape.events[..middle]);
        let cast = run.engine.cast().clone();
        let house = |run: &Run| -> Vec<i64> {
            run.engine.respond.real.execution.desk.parts[cast.declared_slots..]
                .iter()
                .map(|p| p.held)
                .collect()
        };
        let mut last = house(&run);
        assert!(last.iter().any(|n| *n != 0), "{command:?}: it had something");
        run.play(&[Event::Command(tape.events[middle - 1].at(), command)]);
        let mut out = Outputs::default();
        for event in &tape.events[middle..] {
            run.step(event, &mut out);
            let now = house(&run);
            for (before, now) in last.iter().zip(&now) {
                assert!(now.abs() <= before.abs() + 1 && now.signum() * before.signum() >= 0, "{command:?}");
            }
            last = now;
        }
        run.engine.balances().unwrap();
        // One agent that is paused is no reason for the house.
        let mut one = Run::start(&narrow(), &tape.universe);
        one.play(&tape.events[..middle]);
        one.play(&[Event::Command(tape.events[middle - 1].at(), Command::Pause(AgentId(0)))]);
        one.play(&tape.events[middle..]);
        assert_ne!(house(&one), last);
    }
}

#[test]
fn a_delisted_asset_leaves_the_house() {
    let mut tape = Tape::market(DAYS);
    let gone = InstrumentId(tape.universe.asset("XRP").unwrap().id.0);
    let last = tape.events[tape.after(700)].at();
    tape.events.retain(|e| match e {
        Event::Market(
            hive_domain::MarketEvent::Bar { instrument, at, .. }
            | hive_domain::MarketEvent::Funding { instrument, at, .. },
        ) => *instrument != gone || *at <= last,
        _ => true,
    });
    let mut run = Run::start(&narrow(), &tape.universe);
    run.play(&tape.events[..tape.after(690)]);
    let part = run.engine.cast().declared_slots + gone.index();
    assert_ne!(run.engine.respond.real.execution.desk.parts[part].held, 0, "the house held it");
    run.play(&tape.events[tape.after(690)..]);
    let real = &run.engine.respond.real;
    assert_eq!((real.execution.desk.parts[part].held, real.execution.desk.parts[part].aim), (0, 0.0));
    balanced(&run.engine);
    assert!(real.account.halted.is_none());
}

#[test]
fn the_house_changes_only_the_listeners_half() {
    let tape = Tape::market(100);
    let mut wide = narrow();
    wide.roster.agents[8].funded = false;
    let (a, b) = (crate::common::run(&narrow(), &tape), crate::common::run(&wide, &tape));
    assert_eq!(hash(&a.engine.speak), hash(&b.engine.speak));
    assert_ne!(a.engine.respond.house, b.engine.respond.house);
}
