//! Services are bid for: what an agent's own numbers say decides how it serves, several compete, who may not serve does
//! not, and what is agreed is paid.

use crate::common::served::{another, config, paired, with};
use crate::common::{Run, Tape};
use hive_core::config::Config;
use hive_core::engine::{Engine, Outputs};
use hive_domain::{AgentId, Command, Decimal, Event, InstrumentId, MessageKind, Service, money};
use hive_ledger::Ledger;

/// A command of the operator about an agent.
type Verb = fn(AgentId) -> Command;

fn id(engine: &Engine, name: &str) -> AgentId {
    engine.cast().agents.iter().find(|a| a.name == name).unwrap().id
}

fn decided(config: &Config, tape: &Tape) -> String {
    crate::common::run(config, tape).engine.respond.decisions.to_string()
}

/// Plays a tape, with commands after these barriers, and looks after every event.
fn play(
    run: &mut Run,
    tape: &Tape,
    commands: &[(usize, Command)],
    mut look: impl FnMut(&Engine, usize, &Event),
) {
    let mut out = Outputs::default();
    let mut barriers = 0;
    let mut since = 0;
    for event in &tape.events {
        run.step(event, &mut out);
        barriers += usize::from(matches!(event, Event::Barrier(_)));
        since = if matches!(event, Event::Barrier(_)) { 0 } else { since + 1 };
        look(&run.engine, barriers, event);
        // Between two decisions, while orders rest.
        if since == 5 {
            for (_, command) in commands.iter().filter(|c| c.0 == barriers) {
                let command = Event::Command(event.at(), *command);
                run.step(&command, &mut out);
                look(&run.engine, barriers, &command);
            }
        }
    }
    run.engine.balances().unwrap();
    assert_eq!(run.engine.respond.real.account.halted, None);
}

/// What is held in spot and perp is what all but the carriers hold, whoever carries.
fn exposure_is_the_agents(engine: &Engine, n: usize) {
    let real = &engine.respond.real;
    let carriers = engine.servants().carrying();
    for i in 0..n {
        let (perp, spot) = (InstrumentId(i as u16), InstrumentId((i + n) as u16));
        let others = (0..real.account.ledger.agents() as u32).map(AgentId).chain([Ledger::TREASURY]);
        let agents: Decimal =
            others.filter(|a| !carriers.contains(a)).map(|a| real.account.ledger.position(a, perp)).sum();
        let paper = real.execution.router.venue.paper().unwrap();
        let lacks = real.execution.services.assets[i].lacks();
        assert_eq!(paper.position(spot) + paper.position(perp) + lacks, agents);
        let holds = |a: &AgentId| !real.account.ledger.position(*a, spot).is_zero();
        let holder: Vec<AgentId> = carriers.iter().copied().filter(holds).collect();
        assert!(holder.len() <= 1, "one carries an asset at a time");
        assert!(holder.first().is_none_or(|h| Some(*h) == real.execution.services.assets[i].carrier));
    }
}

/// What a maker was paid.
fn earned(engine: &Engine, maker: AgentId) -> Decimal {
    let all = engine.respond.real.execution.services.assets.iter().flat_map(|a| &a.makers);
    all.filter(|m| m.maker == maker).map(|m| m.earned).sum()
}

#[test]
fn the_numbers_of_who_serves_change_what_the_desk_does() {
    let tape = paired(160, 0);
    let plain = decided(&config(true), &tape);
    for (name, param, to) in [
        ("Carry", "horizon", 40.0),
        ("Carry", "hurdle", 5.0),
        ("Carry", "size", 0.05),
        ("Maker", "aversion", 1.0),
        ("Maker", "rests", 3.0),
    ] {
        let other = with(config(true), name, &[(param, to)]);
        assert_ne!(decided(&other, &tape), plain, "{name}'s {param}");
    }
}

#[test]
fn without_a_bid_the_service_is_off() {
    let tape = paired(160, 0);
    // Muted before anything was said, all bids are unheard; their voices count for nothing either way.
    let mute = |serving| {
        let mut run = Run::start(&config(serving), &tape.universe);
        let mut out = Outputs::default();
        let at = tape.events[0].at();
        for name in ["Carry", "Maker"] {
            let who = id(&run.engine, name);
            run.step(&Event::Command(at, Command::Mute(who)), &mut out);
        }
        run.play(&tape.events);
        let said = |kind: fn(&MessageKind) -> bool| run.messages.iter().any(|m| kind(&m.body));
        assert!(said(|k| matches!(k, MessageKind::Carry(_))) && said(|k| matches!(k, MessageKind::Work(_))));
        run.engine.respond.decisions.to_string()
    };
    assert_eq!(mute(true), mute(false));
    assert_ne!(mute(true), decided(&config(true), &tape));
    // Nor is a bid taken that asks for more than taking costs.
    let mut dear = with(config(true), "Maker", &[("fee", 20.0)]);
    // Where spot is carried, a fast clock says when its other leg is booked, whoever works.
    dear.services.carry = false;
    let mut taking = dear.clone();
    taking.services.liquidity = false;
    assert_eq!(decided(&dear, &tape), decided(&taking, &tape));
}

#[test]
fn a_maker_that_is_muted_paused_drained_or_deafened_fills_nothing_more() {
    let tape = paired(120, 0);
    let n = tape.universe.assets.len();
    let verbs: [(Verb, Verb); 4] = [
        (Command::Mute, Command::Unmute),
        (Command::Pause, Command::Resume),
        (Command::Drain, Command::Resume),
        (Command::Deafen, Command::Undeafen),
    ];
    for (stop, go) in verbs {
        let mut run = Run::start(&config(true), &tape.universe);
        let maker = id(&run.engine, "Maker");
        let (mut then, mut rested, mut crossed) = (None, 0.0, false);
        play(&mut run, &tape, &[(400, stop(maker)), (600, go(maker))], |engine, barriers, event| {
            let real = &engine.respond.real;
            let paper = real.execution.router.venue.paper().unwrap();
            let rests = (0..n as u16).any(|i| paper.resting(InstrumentId(i)).is_some());
            rested = engine.worked_by(maker).rested;
            match event {
                Event::Command(..) if barriers == 400 => then = Some(rested),
                _ if then.is_none() && barriers == 400 => assert!(rested > 0.0),
                _ => {}
            }
            if let Some(then) = then
                && (400..=600).contains(&barriers)
                && !(barriers == 600 && matches!(event, Event::Command(..)))
            {
                assert!(!rests, "nothing rests at barrier {barriers}");
                assert_eq!(rested, then, "nor is filled at rest");
                crossed |= barriers > 400 && (0..n as u16).any(|i| paper.working(InstrumentId(i)).is_some());
            }
        });
        assert!(crossed, "orders go on, at market");
        assert!(rested > then.unwrap(), "and are worked again when it may");
    }
}

#[test]
fn a_carrier_that_is_not_heard_closes_and_one_that_is_paused_keeps_what_it_has() {
    let tape = paired(160, 0);
    let n = tape.universe.assets.len();
    for (stop, closes) in [(Command::Mute as Verb, true), (Command::Drain, true), (Command::Pause, false)] {
        let mut run = Run::start(&config(true), &tape.universe);
        let carrier = id(&run.engine, "Carry");
        let (mut before, mut carried) = (vec![Decimal::MAX; n], (0, 0));
        play(&mut run, &tape, &[(500, stop(carrier))], |engine, barriers, event| {
            if !matches!(event, Event::Barrier(_)) {
                return;
            }
            exposure_is_the_agents(engine, n);
            let assets = &engine.respond.real.execution.services.assets;
            let held: Vec<Decimal> = assets.iter().map(|a| a.spot_held).collect();
            let count = held.iter().filter(|h| !h.is_zero()).count();
            if barriers == 500 {
                carried.0 = count;
            }
            if barriers > 503 {
                let no_more = held.iter().zip(&before).all(|(now, before)| now <= before);
                assert!(no_more, "nothing new is opened");
                carried.1 = count;
            }
            if barriers > 506 && closes {
                assert_eq!(count, 0, "all is closed");
            }
            before = held;
        });
        assert!(carried.0 > 0 && (closes || carried.1 > 0), "{carried:?}");
    }
}

#[test]
fn the_cheaper_maker_serves_until_the_record_says_otherwise_and_is_paid_what_was_agreed() {
    let tape = paired(120, 0);
    let n = tape.universe.assets.len();
    // The dearer one comes first, and works nearer.
    let dear = with(config(true), "Maker", &[("fee", 0.8)]);
    let both = another(dear, "Maker", "Cheap", &[("fee", 0.2)]);
    let mut run = Run::start(&both, &tape.universe);
    let (dear, cheap) = (id(&run.engine, "Maker"), id(&run.engine, "Cheap"));
    let (mut first, mut served) = (vec![None; n], (0, 0));
    play(&mut run, &tape, &[], |engine, _, event| {
        if matches!(event, Event::Barrier(_)) {
            let assets = &engine.respond.real.execution.services.assets;
            for (asset, first) in assets.iter().zip(&mut first) {
                let Some(work) = asset.work else { continue };
                first.get_or_insert(work.maker);
                served.0 += usize::from(work.maker == cheap);
                served.1 += usize::from(work.maker == dear);
            }
        }
    });
    assert!(first.iter().all(|f| *f == Some(cheap)), "nothing is known, and it asks for less");
    assert!(served.0 > 100 && served.1 > 100, "and records differ after that: {served:?}");
    let real = &run.engine.respond.real;
    let marks = &real.account.marks;
    for (maker, fee) in [(dear, 0.8e-4), (cheap, 0.2e-4)] {
        let paid = earned(&run.engine, maker);
        assert_eq!(real.account.ledger.pnl(maker, marks).unwrap(), paid, "to the last digit");
        // Notional is at the arrival price, what was paid for at the fill's.
        let agreed = fee * run.engine.worked_by(maker).rested;
        assert!(agreed > 0.0 && (money::to_estimate(paid) / agreed - 1.0).abs() < 0.02, "{paid} {agreed}");
    }
    // Another fee alone moves money between books and nothing else.
    let free = with(config(true), "Maker", &[("fee", 0.0)]);
    let run = crate::common::run(&free, &tape);
    assert_eq!(earned(&run.engine, id(&run.engine, "Maker")), Decimal::ZERO);
}

/// Two carriers, of which the first has the better bid while it is heard, and two makers.
fn competing() -> Config {
    // Of a long horizon the costs are spread over more days.
    let one = with(config(true), "Carry", &[("horizon", 30.0), ("hurdle", 1.6)]);
    let two = another(one, "Carry", "Carrie", &[("horizon", 10.0)]);
    another(two, "Maker", "Mint", &[("aversion", 0.5), ("rests", 2.0)])
}

#[test]
fn carriers_compete_what_is_carried_changes_hands_and_receipts_are_the_difference() {
    let tape = paired(260, 0);
    let n = tape.universe.assets.len();
    let mut run = Run::start(&competing(), &tape.universe);
    let carriers = [id(&run.engine, "Carry"), id(&run.engine, "Carrie")];
    let (mut before, mut handed, mut served) = (vec![None; n], 0, [0, 0]);
    let mut books = Vec::new();
    let mute = Command::Mute(carriers[0]);
    let unmute = Command::Unmute(carriers[0]);
    let [pause, resume] = [Command::Pause(carriers[0]), Command::Resume(carriers[0])];
    let commands = [
        (700, mute),
        (900, unmute),
        (1_100, pause),
        (1_300, resume),
        (1_400, mute),
        (1_400, Command::Mute(carriers[1])),
    ];
    play(&mut run, &tape, &commands, |engine, barriers, event| {
        if !matches!(event, Event::Barrier(_)) {
            return;
        }
        exposure_is_the_agents(engine, n);
        let real = &engine.respond.real;
        for (i, before) in before.iter_mut().enumerate() {
            let asset = &real.execution.services.assets[i];
            let now = asset.carrier.filter(|_| !asset.spot_held.is_zero());
            handed += usize::from(now.is_some() && before.is_some() && *before != now);
            let who = carriers.iter().position(|c| now == Some(*c));
            if let Some(who) = who {
                served[who] += 1;
                assert!(!(who == 0 && (705..900).contains(&barriers)), "who is not heard carries nothing");
            }
            *before = now;
        }
        let services = &real.execution.services;
        let pnl = |a: &AgentId| real.account.ledger.pnl(*a, &real.account.marks).unwrap();
        let gained: Decimal = carriers.iter().map(pnl).sum::<Decimal>() + services.paid_by_carriers();
        let all = money::to_estimate(gained) - services.switched().saved() + services.worked().saved();
        books.push((engine.now().unwrap(), all));
    });
    assert!(served[0] > 50 && served[1] > 50, "both carry: {served:?}");
    assert!(handed > 5, "and take over from each other: {handed}");
    // Receipts so far, whenever they are told, are what the books say.
    let (mut told, mut looked) = (0.0, 0);
    let mut receipts = run.messages.iter().filter_map(|m| match m.body {
        MessageKind::Receipt(r) => Some((m.at, r)),
        _ => None,
    });
    let mut next = receipts.next();
    for (at, all) in books {
        let mut is_told = false;
        while let Some((_, r)) = next.filter(|(said, _)| *said == at) {
            told += r.saved;
            is_told = true;
            next = receipts.next();
        }
        if is_told {
            assert!((told - all).abs() < 1e-6 * all.abs().max(100.0), "{told} {all} at {at}");
            looked += 1;
        }
    }
    assert!(looked > 100);
    let all = run
        .messages
        .iter()
        .filter(|m| matches!(m.body, MessageKind::Receipt(r) if r.service == Service::Carry));
    let mut who: Vec<_> = all.map(|m| format!("{:?}", m.from)).collect();
    who.sort_unstable();
    who.dedup();
    assert_eq!(who.len(), 2, "each has its own");
}
