//! Agents that serve each other: exposure never changes with the instrument, both legs or neither, capital,
//! receipts, and nothing at all where nobody serves.

use crate::common::served::{config, paired};
use crate::common::{Run, Tape};
use hive_core::config::Config;
use hive_core::engine::{Engine, Outputs};
use hive_domain::{AgentId, Decimal, Event, InstrumentId, MessageKind, Service, Speaker, money, random};

/// Spot, perp and what the agents hold, by asset.
fn held(engine: &Engine, n: usize) -> Vec<(Decimal, Decimal, Decimal)> {
    let real = &engine.respond.real;
    (0..n as u16)
        .map(|i| {
            let (perp, spot) = (InstrumentId(i), InstrumentId(i + n as u16));
            let agents: Decimal = (0..real.account.ledger.agents() as u32)
                .map(AgentId)
                .filter(|a| Some(*a) != carrier(engine))
                .chain([hive_ledger::Ledger::TREASURY])
                .map(|a| real.account.ledger.position(a, perp))
                .sum();
            (
                real.execution.router.venue.paper().unwrap().position(spot),
                real.execution.router.venue.paper().unwrap().position(perp),
                agents,
            )
        })
        .collect()
}

fn carrier(engine: &Engine) -> Option<AgentId> {
    let cast = engine.cast();
    cast.agents[..cast.declared].iter().find(|a| a.name == "Carry").map(|a| a.id)
}

#[test]
fn with_services_off_or_nobody_to_serve_every_decision_is_the_same() {
    let plain = Tape::market(160);
    let with = paired(160, 0);
    let digest = |config: &Config, tape: &Tape| {
        let run = crate::common::run(config, tape);
        (run.engine.respond.decisions.to_string(), run.engine.respond.real.account.equity())
    };
    let off = digest(&config(false), &plain);
    assert_eq!(digest(&config(false), &with), off, "spot and quarters beside do not matter");
    assert_ne!(digest(&config(true), &with), off, "and services do");
    let mut nobody = config(true);
    nobody.roster.agents.retain(|a| !["Carry", "Maker"].contains(&a.name.as_str()));
    let mut none = nobody.clone();
    (none.services.carry, none.services.liquidity) = (false, false);
    assert_eq!(digest(&nobody, &with), digest(&none, &plain));
}

#[test]
fn spot_and_perp_are_together_what_the_agents_hold_and_capital_is_kept() {
    for missing in [0, 150] {
        let tape = paired(260, missing);
        let n = tape.universe.assets.len();
        let mut run = Run::start(&config(true), &tape.universe);
        let mut out = Outputs::default();
        let (mut carried, mut used_most) = (0, 0.0_f64);
        let mut lacked = vec![Decimal::ZERO; n];
        for event in &tape.events {
            run.step(event, &mut out);
            let Event::Barrier(_) = event else { continue };
            let real = &run.engine.respond.real;
            assert_eq!(real.account.halted, None);
            let equity = money::to_estimate(real.account.equity());
            let mut used = 0.0;
            for (i, (spot, perp, agents)) in held(&run.engine, n).into_iter().enumerate() {
                assert!(spot >= Decimal::ZERO, "spot is never short");
                carried += usize::from(spot > Decimal::ZERO);
                let lacks = real.execution.services.assets[i].lacks();
                assert_eq!(spot + perp + lacks, agents, "whatever of an order was filled");
                let rid = lacks.is_zero() || lacks != lacked[i];
                assert!(missing > 0 || rid, "a leg follows the other, or it is undone");
                lacked[i] = lacks;
                let mark = money::to_estimate(real.account.marks[i]);
                used += mark * (money::to_estimate(spot) + 0.25 * money::to_estimate(perp).abs()) / equity;
            }
            used_most = used_most.max(used);
        }
        run.engine.balances().unwrap();
        assert!(carried > 500, "something was carried: {carried}");
        // Prices move by a few per cent between a decision and the next.
        assert!(used_most < 1.15, "{used_most}");
        let services = &run.engine.respond.real.execution.services;
        assert!(services.worked().rested > 0.0, "and orders were worked");
        assert!(services.switched().rested > 0.0, "switches among them");
    }
}

#[test]
fn a_leg_whose_other_was_not_filled_is_undone_in_the_perp_at_the_next_decision() {
    for liquidity in [false, true] {
        let tape = paired(200, 0);
        let n = tape.universe.assets.len();
        let mut config = config(true);
        config.services.liquidity = liquidity;
        // A desk that wants to hold nothing leaves the carry alone: all it sends are switches.
        config.desk.target_vol = f64::MIN_POSITIVE;
        let mut run = Run::start(&config, &tape.universe);
        let mut out = Outputs::default();
        // By asset: whether nothing is heard of its spot, and what was left without its other leg.
        let (mut deaf, mut alone) = (vec![false; n], vec![Decimal::ZERO; n]);
        let (mut faults, mut undone) = (0, 0);
        for event in &tape.events {
            if let Event::Market(m) = event
                && m.instrument().is_some_and(|i| i.index() >= n && deaf[i.index() - n])
            {
                continue;
            }
            run.step(event, &mut out);
            let Event::Barrier(at) = event else { continue };
            let real = &run.engine.respond.real;
            assert_eq!(real.account.halted, None);
            for i in 0..n {
                let (perp, spot) = (InstrumentId(i as u16), InstrumentId((i + n) as u16));
                let exposed = real.execution.router.venue.paper().unwrap().position(spot)
                    + real.execution.router.venue.paper().unwrap().position(perp);
                let sent = |id| {
                    real.execution.router.venue.paper().unwrap().working(id).map_or(Decimal::ZERO, |o| o.1)
                };
                if !alone[i].is_zero() {
                    assert_eq!(exposed, Decimal::ZERO, "undone");
                    undone += 1;
                    alone[i] = Decimal::ZERO;
                }
                if deaf[i] && !exposed.is_zero() {
                    assert_eq!((sent(perp), sent(spot)), (-exposed, Decimal::ZERO), "in the perp, at once");
                    faults += 1;
                    alone[i] = exposed;
                }
                let switches = !sent(spot).is_zero()
                    || real.execution.router.venue.paper().unwrap().resting(perp).is_some();
                deaf[i] = switches && random::mix(i as u64, at.0 as u64).is_multiple_of(3);
            }
        }
        run.engine.balances().unwrap();
        assert!(faults > 5 && undone >= faults - n, "{faults} {undone}");
    }
}

#[test]
fn receipts_are_the_books() {
    let tape = paired(260, 0);
    let run = crate::common::run(&config(true), &tape);
    let owner = carrier(&run.engine).unwrap();
    let real = &run.engine.respond.real;
    let saved = |service: Service| -> f64 {
        let of = |m: &hive_domain::Message| match m.body {
            MessageKind::Receipt(r) if r.service == service => Some(r.saved),
            _ => None,
        };
        run.messages.iter().filter_map(of).sum()
    };
    // The last receipts were told when the last day closed, some bars before the end.
    let book = money::to_estimate(real.account.ledger.pnl(owner, &real.account.marks).unwrap());
    let paid = money::to_estimate(real.execution.services.paid_by_carriers());
    let carry = book + paid - real.execution.services.switched().saved();
    let told = saved(Service::Carry) + saved(Service::Capital);
    assert!(saved(Service::Carry) != 0.0 && saved(Service::Capital) > 0.0);
    assert!((told - carry).abs() < 0.1 * carry.abs().max(50.0), "{told} {carry}");
    let worked = real.execution.services.worked();
    let liquidity = worked.taking - worked.cost;
    assert!((saved(Service::Liquidity) - liquidity).abs() < 0.05 * worked.taking.max(1.0));
    // Every book together is the account.
    let all: Decimal = (0..real.account.ledger.agents() as u32)
        .map(|i| real.account.ledger.pnl(AgentId(i), &real.account.marks).unwrap())
        .sum::<Decimal>()
        + real.account.ledger.pnl(hive_ledger::Ledger::TREASURY, &real.account.marks).unwrap();
    let gained = real.account.ledger.account_equity(&real.account.marks).unwrap() - setup_money();
    assert!((all - gained).abs() < Decimal::ONE, "{all} {gained}");
    let quotes = run.messages.iter().filter(|m| matches!(m.body, MessageKind::Carry(_)));
    assert!(quotes.clone().count() > 100);
    assert!(quotes.clone().all(|m| m.from == Speaker::Agent(owner)));
}

fn setup_money() -> Decimal {
    config(true).capital
}
