//! Agents that serve each other: exposure never changes with the instrument, both legs or neither, capital,
//! receipts, and nothing at all where nobody serves. The embedded market's perps, with spot of each made
//! beside them and bars of a quarter of an hour inside the bars of both.

use crate::common::{Run, SCOUTS, Tape, shipped};
use hive::agents::declaration::{Declaration, Selector};
use hive::agents::personality::Traits;
use hive::config::Config;
use hive::domain::{
    AgentId, Bar, Decimal, Event, Family, Goal, Instrument, InstrumentId, InstrumentKind, MarketEvent,
    MessageKind, Service, SideRule, Span, Speaker, Stamp, money, random,
};
use hive::engine::speak::{Speak, SpeakSpec, StepOutput};
use hive::engine::{Engine, Outputs};
use hive::lab::account::ArmAccount;
use hive::lab::arms::Follows;
use hive::lab::service_flags::ServiceFlags;
use hive::lab::trial::pooled;
use hive::market::MarketState;
use std::collections::BTreeMap;
use std::sync::Arc;

const HOUR: Span = Span::HOUR;

/// The shipped roster with somebody who carries and somebody who works orders, and more to carry for.
fn config(serving: bool) -> Config {
    let mut config = shipped();
    config.roster.scouts = SCOUTS;
    for (family, name) in [(Family::Funding, "Carry"), (Family::MarketMaking, "Maker")] {
        config.roster.agents.push(Declaration {
            name: name.to_owned(),
            family,
            assets: vec![Selector::Any],
            side: SideRule::Both,
            goal: Goal::Automated,
            personality: "stoic".to_owned(),
            traits: Traits::default(),
            params: BTreeMap::new(),
            funded: false,
        });
    }
    (config.services.carry, config.services.liquidity) = (serving, serving);
    config
}

/// A bar told in quarters of an hour that together are that bar: to its low, its high, its middle, its close.
fn quarters(bar: &Bar) -> Vec<Bar> {
    let Bar { open, high, low, close, volume } = *bar;
    let stops = [open, low, high, f64::midpoint(open, close), close];
    let at = |i: usize| {
        let (leg, part) = (i / 4, (i % 4) as f64 / 4.0);
        stops[leg] + part * (stops[(leg + 1).min(4)] - stops[leg])
    };
    let part = |i: usize| {
        let (open, close) = (at(i), at(i + 1));
        Bar { open, high: open.max(close), low: open.min(close), close, volume: volume / 16.0 }
    };
    (0..16).map(part).collect()
}

/// The tape with spot; of `missing` in a thousand spot bars nothing is heard.
fn paired(days: u32, missing: u64) -> Tape {
    let plain = Tape::market(days);
    let mut universe = plain.universe.clone();
    let n = universe.instruments.len();
    for i in 0..n {
        let perp = universe.instruments[i].clone();
        universe.instruments.push(Instrument {
            id: InstrumentId((n + i) as u16),
            kind: InstrumentKind::Spot,
            symbol: format!("{}-SPOT", perp.symbol),
            ..perp
        });
    }
    let mut events = Vec::new();
    let mut bucket: Vec<Event> = Vec::new();
    for event in &plain.events {
        let Event::Barrier(_) = event else {
            bucket.push(*event);
            continue;
        };
        let mut inside = Vec::new();
        for e in &bucket {
            let Event::Market(MarketEvent::Bar { instrument, at, bar }) = *e else { continue };
            let key = random::key(7, &[u64::from(instrument.0), at.0 as u64]);
            let basis = 1.0 + 2e-4 * random::normal(key);
            let spot = Bar {
                open: bar.open * basis,
                high: bar.high * basis,
                low: bar.low * basis,
                close: bar.close * basis,
                volume: bar.volume,
            };
            if random::mix(key, 3) % 1_000 >= missing {
                let instrument = InstrumentId(instrument.0 + n as u16);
                events.push(Event::Market(MarketEvent::Bar { instrument, at, bar: spot }));
                for (q, bar) in quarters(&spot).into_iter().enumerate() {
                    inside.push((Stamp(at.0 - (15 - q as i64) * HOUR.0 / 4), instrument, bar));
                }
            }
            for (q, bar) in quarters(&bar).into_iter().enumerate() {
                inside.push((Stamp(at.0 - (15 - q as i64) * HOUR.0 / 4), instrument, bar));
            }
        }
        inside.sort_by_key(|(at, i, _)| (*at, *i));
        let told = inside
            .into_iter()
            .map(|(at, instrument, bar)| Event::Market(MarketEvent::Inside { instrument, at, bar }));
        events.extend(told);
        events.append(&mut bucket);
        events.push(*event);
    }
    Tape { universe, events }
}

/// Spot, perp and what the agents hold, by asset.
fn held(engine: &Engine, n: usize) -> Vec<(Decimal, Decimal, Decimal)> {
    use hive::execution::Venue;
    let real = &engine.respond.real;
    (0..n as u16)
        .map(|i| {
            let (perp, spot) = (InstrumentId(i), InstrumentId(i + n as u16));
            let agents: Decimal = (0..real.ledger.agents() as u32)
                .map(AgentId)
                .filter(|a| Some(*a) != carrier(engine))
                .chain([hive::ledger::Ledger::TREASURY])
                .map(|a| real.ledger.position(a, perp))
                .sum();
            (real.venue.position(spot), real.venue.position(perp), agents)
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
        (run.engine.respond.decisions.to_string(), run.engine.respond.real.equity())
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
            assert_eq!(real.halted, None);
            let equity = money::to_estimate(real.equity());
            let mut used = 0.0;
            for (i, (spot, perp, agents)) in held(&run.engine, n).into_iter().enumerate() {
                assert!(spot >= Decimal::ZERO, "spot is never short");
                carried += usize::from(spot > Decimal::ZERO);
                let lacks = real.services.lacks(i);
                assert_eq!(spot + perp + lacks, agents, "whatever of an order was filled");
                let rid = lacks.is_zero() || lacks != lacked[i];
                assert!(missing > 0 || rid, "a leg follows the other, or it is undone");
                lacked[i] = lacks;
                let mark = money::to_estimate(real.marks[i]);
                used += mark * (money::to_estimate(spot) + 0.25 * money::to_estimate(perp).abs()) / equity;
            }
            used_most = used_most.max(used);
        }
        run.engine.balances().unwrap();
        assert!(carried > 500, "something was carried: {carried}");
        // Prices move by a few per cent between a decision and the next.
        assert!(used_most < 1.15, "{used_most}");
        let services = &run.engine.respond.real.services;
        assert!(services.worked().rested > 0.0, "and orders were worked");
        assert!(services.switched().rested > 0.0, "switches among them");
    }
}

#[test]
fn a_leg_whose_other_was_not_filled_is_undone_in_the_perp_at_the_next_decision() {
    use hive::execution::Venue;
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
            assert_eq!(real.halted, None);
            for i in 0..n {
                let (perp, spot) = (InstrumentId(i as u16), InstrumentId((i + n) as u16));
                let exposed = real.venue.position(spot) + real.venue.position(perp);
                let sent = |id| real.venue.working(id).map_or(Decimal::ZERO, |o| o.1);
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
                let switches = !sent(spot).is_zero() || real.venue.resting(perp).is_some();
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
        let of = |m: &hive::domain::Message| match m.body {
            MessageKind::Receipt(r) if r.service == service => Some(r.saved),
            _ => None,
        };
        run.messages.iter().filter_map(of).sum()
    };
    // The last receipts were told when the last day closed, some bars before the end.
    let book = money::to_estimate(real.ledger.pnl(owner, &real.marks).unwrap());
    let carry = book - real.services.switched().saved();
    let told = saved(Service::Carry) + saved(Service::Capital);
    assert!(saved(Service::Carry) != 0.0 && saved(Service::Capital) > 0.0);
    assert!((told - carry).abs() < 0.1 * carry.abs().max(50.0), "{told} {carry}");
    let worked = real.services.worked();
    let liquidity = worked.taking - worked.cost;
    assert!((saved(Service::Liquidity) - liquidity).abs() < 0.05 * worked.taking.max(1.0));
    // Every book together is the account.
    let all: Decimal = (0..real.ledger.agents() as u32)
        .map(|i| real.ledger.pnl(AgentId(i), &real.marks).unwrap())
        .sum::<Decimal>()
        + real.ledger.pnl(hive::ledger::Ledger::TREASURY, &real.marks).unwrap();
    let gained = real.ledger.account_equity(&real.marks).unwrap() - setup_money();
    assert!((all - gained).abs() < Decimal::ONE, "{all} {gained}");
    let quotes = run.messages.iter().filter(|m| matches!(m.body, MessageKind::Carry(_)));
    assert!(quotes.clone().count() > 100);
    assert!(quotes.clone().all(|m| m.from == Speaker::Agent(owner)));
}

#[test]
fn the_operator_sees_which_leg_a_fill_is() {
    let tape = paired(120, 0);
    let mut run = Run::start(&config(true), &tape.universe);
    let (mut recorder, mut out) = (hive::recorder::Recorder::new(&run.engine), Outputs::default());
    let mut legs = [0, 0];
    for event in &tape.events {
        run.engine.step(event, &mut out);
        recorder.observe(&run.engine, event, &out);
        let Event::Barrier(_) = event else { continue };
        for fill in recorder.picture(&run.engine, &hive::recorder::RecordedRun::default()).fills {
            let spot = fill.symbol.contains("-SPOT");
            assert_eq!(fill.symbol.ends_with(" spot"), spot, "{}", fill.symbol);
            legs[usize::from(spot)] += 1;
        }
    }
    assert!(legs[0] > 0 && legs[1] > 0, "{legs:?}");
}

/// Two accounts on the same aims at once, without services and with these: by how much the one with them did
/// better, what its receipts say, and the most that a bar's two are apart, as fractions of equity.
fn two_accounts(tape: &Tape, liquidity: bool, flow: bool) -> (f64, f64, f64) {
    let config = config(true);
    let settings = hive::config::setup::settings(&config);
    let cast = Arc::new(hive::agents::cast::cast(&config.roster, &tape.universe, 1));
    let market = MarketState::new(settings.clock, SpeakSpec::wanted(&cast));
    let spec = SpeakSpec::new(Arc::clone(&cast), &tape.universe, settings.clone(), &market);
    let mut speak = Speak::new(market, &spec);
    let weights = vec![1.0 / cast.agents.len() as f64; cast.agents.len()];
    let mut accounts = [ServiceFlags::NONE, ServiceFlags { liquidity, flow, ..ServiceFlags::ALL }]
        .map(|parts| ArmAccount::served(&tape.universe, &Follows::AtOnce.settings(&settings), parts));
    let (mut said, mut aims) = (StepOutput::default(), vec![0.0; tape.universe.assets.len()]);
    let mut before = [(settings.capital, 0.0); 2];
    let (mut more, mut told, mut apart) = (0.0, 0.0, 0.0_f64);
    for event in &tape.events {
        speak.step(&spec, event, &mut said);
        for account in &mut accounts {
            account.hear(&cast, event.at(), &said);
            match event {
                Event::Barrier(at) => {
                    pooled(&cast, &speak, &weights, settings.listening.holds, &mut aims);
                    account.barrier(*at, &speak, &aims);
                }
                _ => account.market(event, &speak),
            }
        }
        let Event::Barrier(_) = event else { continue };
        let now = [0, 1].map(|i| {
            let (carry, liquidity) = accounts[i].receipts();
            (accounts[i].equity(), carry + liquidity)
        });
        let gained = |i: usize| (now[i].0 - before[i].0) / before[i].0;
        let receipt = (now[1].1 - before[1].1) / before[1].0;
        more += gained(1) - gained(0);
        told += receipt;
        apart = apart.max((gained(1) - gained(0) - receipt).abs());
        before = now;
    }
    (more, told, apart)
}

// At once: with them what is held depends on the path of the equity, which services change.
#[test]
fn an_account_with_services_has_what_its_receipts_say_more_than_one_without() {
    let tape = paired(260, 0);
    let mut carry = 0.0;
    for flow in [false, true] {
        let (more, told, apart) = two_accounts(&tape, false, flow);
        carry = told;
        assert!(told > 0.1, "the carry earned something: {told}");
        // What an order costs grows with it: that of the larger account a little more.
        assert!((more - told).abs() < 0.005 * told && apart < 1e-4, "{more} {told} {apart}");
    }
    // Worked orders are measured as they are filled. What was given up before that is in no receipt, and bars
    // differ by what is held later.
    let (more, told, _) = two_accounts(&tape, true, true);
    assert!((more - told).abs() < 0.01, "{more} {told}");
    assert!((carry - told).abs() > 0.1, "of which working was no small part: {carry} {told}");
}

fn setup_money() -> Decimal {
    config(true).capital
}
