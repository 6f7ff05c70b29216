//! Structured agents through the whole engine: legs of several instruments, funding at its stamps, expiry.

use super::stage::{agent, bar, config, story, universe};
use crate::common::{Run, bar_at, scenes};
use hive_core::agents::declaration::Declaration;
use hive_core::config::Config;
use hive_core::engine::{Engine, Outputs};
use hive_core::fills::Costs;
use hive_domain::{
    AgentId, AssetId, Command, ContractTerms, Event, FamilyId, Instrument, InstrumentId, InstrumentKind,
    MarketEvent, MessageKind, Outcome, Reason, Speaker, Stamp, Universe, Verb,
};

const PERP: InstrumentId = InstrumentId(0);
const SPOT: InstrumentId = InstrumentId(1);
const FUTURE: InstrumentId = InstrumentId(2);
/// Four-hour bars until the future expires.
const EXPIRY: i64 = 6 * 60;

/// One asset with its perp, which the desk trades, its spot and a future.
fn market() -> Universe {
    let mut u = universe(&["AAA"]);
    let perp = u.instruments[0].clone();
    let other =
        |id, kind, terms| Instrument { id, kind, terms, symbol: format!("AAA{kind}"), ..perp.clone() };
    u.instruments.push(other(SPOT, InstrumentKind::Spot, ContractTerms::Plain));
    u.instruments.push(other(
        FUTURE,
        InstrumentKind::Future,
        ContractTerms::Future { expiry: bar_at(EXPIRY) },
    ));
    u
}

/// Of a carry whose stop is out of reach.
fn params(hurdle: f64) -> [(&'static str, f64); 4] {
    [("hurdle", hurdle), ("nearest", 7.0), ("stop", 900.0), ("size", 1.0)]
}

fn play(agent: Declaration, events: &[Event]) -> Run {
    let config = Config { costs: Costs::default(), ..config(vec![agent]) };
    let mut run = Run::start(&config, &market());
    run.play(events);
    run
}

fn push(events: &mut Vec<Event>, instrument: InstrumentId, at: Stamp, price: f64) {
    events.push(Event::Market(MarketEvent::Bar { instrument, at, bar: bar(price, price) }));
}

fn outcomes(run: &Run) -> Vec<Outcome> {
    run.messages
        .iter()
        .filter_map(|m| if let MessageKind::Outcome(o) = m.body { Some(o) } else { None })
        .collect()
}

/// What both legs cost to open and close at a price of 100, as a fraction of one leg's notional: the spot's
/// fee of 10 bp is taken in coins when bought, spreads are 2 and 1 bp.
fn round_trip() -> f64 {
    let (buy, sell) = (100.0 * 1.0002, 100.0 * 0.9998);
    // Bought one coin less its fee, and sold what is there.
    let spot = -buy + 0.999 * sell * 0.999;
    let (short, cover) = (100.0 * 0.9999, 100.0 * 1.0001);
    let perp = short - cover - 0.0005 * (short + cover);
    (spot + perp) / 100.0
}

#[test]
fn funding_is_collected_at_its_stamps_and_left_when_it_turns() {
    let mut events = Vec::new();
    for i in 1..=400 {
        let at = bar_at(i);
        push(&mut events, PERP, at, 100.0);
        push(&mut events, SPOT, at, 100.0);
        if i % 2 == 0 {
            // Longs pay for a hundred settlements, then shorts do.
            let rate = if i <= 200 { 0.000_3 } else { -0.000_3 };
            let at = Stamp(at.0 - 1);
            events.push(Event::Market(MarketEvent::Funding { instrument: PERP, at, rate, mark: 100.0 }));
        }
        events.push(Event::Barrier(at));
    }
    let numbers = [("horizon", 14.0), ("hurdle", 1.0), ("stop", 900.0), ("size", 1.0)];
    let run = play(agent(FamilyId::Funding, &numbers), &events);
    let story = story(&run, 0, 0);
    let verbs: Vec<_> = story.iter().map(|(_, v, r)| (*v, *r)).collect();
    assert_eq!(verbs[0], (Verb::Open, Reason::Signal));
    assert!(verbs.contains(&(Verb::Decrease, Reason::Target)), "{story:?}");
    assert_eq!(verbs.last(), Some(&(Verb::Close, Reason::Exit)), "it cannot be short spot: {story:?}");
    assert_eq!(verbs.iter().filter(|v| v.0 == Verb::Open).count(), 1);
    // Nine settlements make its mean; it opens at that barrier, and is in from the next bar on.
    assert_eq!(story[0].0, 17);
    let totals = run.engine.speak.structures.twins[0].life.legs.totals;
    assert!(totals.funding > 0.0 && totals.fees > 0.0);
    assert!(run.engine.speak.structures.twins[0].life.legs.held.is_empty(), "nothing is left of it");
    let [outcome] = outcomes(&run)[..] else { panic!("one outcome") };
    let before = totals.funding / run.engine.settings().capital;
    // Raised by a half while funding was rich; every unit paid one round trip.
    let paid = 1.5 * round_trip();
    assert!((outcome.pnl - (before + paid)).abs() < 2e-5, "{outcome:?} {before} {paid}");
}

#[test]
fn a_basis_is_kept_to_expiry_and_meets_the_spot() {
    let mut events = Vec::new();
    for i in 1..=EXPIRY + 5 {
        let at = bar_at(i);
        push(&mut events, PERP, at, 100.0);
        push(&mut events, SPOT, at, 100.0);
        if i < EXPIRY {
            // 3 % over sixty days, melting evenly.
            push(&mut events, FUTURE, at, 100.0 + 3.0 * (EXPIRY - i) as f64 / EXPIRY as f64);
        } else if i == EXPIRY {
            events.push(Event::Market(MarketEvent::Settled { instrument: FUTURE, at, price: 100.0 }));
        }
        events.push(Event::Barrier(at));
    }
    let mut carrier = agent(FamilyId::CashAndCarry, &params(0.02));
    // So greedy that only expiry ends it.
    carrier.traits.greed = 4.0;
    let run = play(carrier, &events);
    let story = story(&run, 0, 0);
    let verbs: Vec<_> = story.iter().map(|(_, v, r)| (*v, *r)).collect();
    assert_eq!(verbs.first(), Some(&(Verb::Open, Reason::Signal)));
    assert_eq!(verbs[1], (Verb::Close, Reason::Settled), "{story:?}");
    let life = &run.engine.speak.structures.twins[0].life;
    assert!(life.legs.held.is_empty(), "{:?}", life.legs.held);
    let sum: f64 = outcomes(&run).iter().map(|o| o.pnl).sum();
    // Sold at the second bar's 2.991 and its spread, delivered at 100 for 2.5 bp; spot there and back.
    let (buy, sell) = (100.0 * 1.0002, 100.0 * 0.9998);
    let spot = -buy + 0.999 * sell * 0.999;
    let short = (100.0 + 3.0 * (EXPIRY - 2) as f64 / EXPIRY as f64) * 0.9999;
    let future = short * (1.0 - 0.0005) - 100.0 - 0.025;
    // A unit is one coin; the costlier leg, the future at the first bar, is the size.
    let expected = (spot + future) / (100.0 + 3.0 * (EXPIRY - 1) as f64 / EXPIRY as f64);
    assert!((sum - expected).abs() < 1e-6, "{sum} {expected}");
}

#[test]
fn a_basis_just_inside_its_costs_is_left_alone() {
    let mut events = Vec::new();
    for i in 1..=60 {
        let at = bar_at(i);
        push(&mut events, PERP, at, 100.0);
        push(&mut events, SPOT, at, 100.0);
        // 24 bp of spot, 6 of the future and 2.5 of delivery are 32.5 bp.
        push(&mut events, FUTURE, at, 100.32);
        events.push(Event::Barrier(at));
    }
    let run = play(agent(FamilyId::CashAndCarry, &params(0.0)), &events);
    assert!(story(&run, 0, 0).is_empty());
}

#[test]
fn who_finds_nothing_to_trade_stands_by_and_says_why() {
    let config = config(vec![agent(FamilyId::CashAndCarry, &[])]);
    let mut run = Run::start(&config, &universe(&["AAA"]));
    run.play(&[Event::Barrier(bar_at(1))]);
    let notices = &run.engine.cast().notices;
    assert!(notices.iter().any(|n| n.contains("needs a dated future")), "{notices:?}");
}

/// A perp that leaves its spot at one close, held short at four times the capital against the coins: how it
/// ended.
fn torn(perp: f64) -> (Outcome, Vec<(usize, Verb, Reason)>, Run) {
    let mut events = Vec::new();
    // To the bar after, at which the coins are sold.
    for i in 1..=41 {
        let at = bar_at(i);
        push(&mut events, PERP, at, if i < 40 { 100.0 } else { perp });
        push(&mut events, SPOT, at, 100.0);
        if i % 2 == 0 {
            let at = Stamp(at.0 - 1);
            events.push(Event::Market(MarketEvent::Funding {
                instrument: PERP,
                at,
                // Worth what it costs, but not three times: it never adds.
                rate: 0.000_2,
                mark: 100.0,
            }));
        }
        events.push(Event::Barrier(at));
    }
    let numbers = [("horizon", 14.0), ("hurdle", 1.0), ("stop", 900.0), ("size", 4.0)];
    let run = play(agent(FamilyId::Funding, &numbers), &events);
    let outcome = outcomes(&run)[0];
    (outcome, story(&run, 0, 0), run)
}

#[test]
fn what_the_wallet_cannot_bear_is_taken_over_by_the_venue() {
    // Four coins a hundred of capital: 100 + 4 · (100 − p) ≤ 0.005 · 4 · p at p = 500 / 4.02 = 124.4, less
    // what it cost to get in.
    let (stopped, ..) = torn(123.0);
    assert_eq!(stopped.reason, Reason::Stop);
    let (outcome, story, run) = torn(125.0);
    assert_eq!(outcome.reason, Reason::Liquidated);
    let closed = story.iter().find(|s| s.1 == Verb::Close).unwrap();
    assert_eq!((closed.0, closed.2), (39, Reason::Liquidated), "at the close at which it could not be borne");
    // Four times a quarter and the maintenance margin, and what both ends and the coins cost.
    let margin = 4.0 * 1.25 * 0.005;
    let funding =
        run.engine.speak.structures.twins[0].life.legs.totals.funding / run.engine.settings().capital;
    let spread = 4.0 * (0.0001 + 0.0005);
    let (buy, sell) = (100.0 * 1.0002, 100.0 * 0.9998);
    let coins = 4.0 * (0.999 * sell * 0.999 - buy) / 100.0;
    let expected = -1.0 - margin + funding - spread + coins;
    assert!((outcome.pnl - expected).abs() < 1e-3, "{outcome:?} {expected}");
    assert!(outcome.pnl < -1.0);
    let (_, last) = super::stage::acts(&run, 0, 0).into_iter().find(|a| a.1.verb == Verb::Close).unwrap();
    assert_eq!(last.plan.reenter, None, "what could not be borne is not offered again");
    assert!(last.to_string().ends_with("(liquidated)"), "{last}");
}

/// What structures say of direction: of each scene with its name, the most that the pool heard of any of their voices.
fn heard_of(make: fn(&scenes::Change) -> scenes::Scene) -> f64 {
    let mut scene = make(&scenes::as_it_is);
    let mut out = Outputs::default();
    let mut most = 0.0_f64;
    let mut last = Vec::new();
    while let Some(event) = scene.event() {
        scene.engine.step(&event, &mut out);
        let (cast, consensus) = (scene.engine.cast(), &scene.engine.respond.consensus);
        last.resize(cast.voices(), None);
        for message in &out.messages {
            let (Speaker::Agent(agent), MessageKind::Action(action)) = (message.from, &message.body) else {
                continue;
            };
            let is_its = |v: &usize| Some(cast.voice(*v).1) == message.asset;
            let voice = cast.voices_by(&cast.agents[agent.index()]).find(is_its).unwrap();
            last[voice] = Some((action.delta, action.price));
        }
        for s in 0..cast.structures.len() {
            let voice = cast.voice_of(s);
            let heard = consensus.heard(cast, voice);
            let Some((delta, price)) = last[voice] else {
                assert_eq!(heard, 0.0);
                continue;
            };
            // No barrier has moved the price since the first word of it, so it is worth what its first price says.
            let (said, least): (f64, f64) = (delta / price, 1e-9);
            assert_eq!(
                heard.abs() > least,
                said.abs() > least,
                "{}: {delta} is heard as {heard}",
                scene.name
            );
            assert!(heard * said >= 0.0, "{}", scene.name);
            most = most.max(heard.abs());
        }
    }
    most
}

#[test]
fn a_scalper_is_heard_for_what_it_holds_and_who_is_neutral_for_nothing() {
    let scene =
        |name: &str| *scenes::ALL.iter().find(|make| make(&scenes::as_it_is).name.starts_with(name)).unwrap();
    let scalp = heard_of(scene("a flow to go with"));
    assert!((0.19..0.21).contains(&scalp), "a fifth of its capital: {scalp}");
    assert_eq!(heard_of(scene("two venues")), 0.0);
}

#[test]
fn a_muted_scalper_is_out_of_the_pool_until_it_is_heard_again() {
    let make = scenes::ALL
        .iter()
        .find(|make| make(&scenes::as_it_is).name.starts_with("a flow to go with"))
        .unwrap();
    let mut scene = make(&scenes::as_it_is);
    let mut out = Outputs::default();
    while let Some(event) = scene.event() {
        scene.engine.step(&event, &mut out);
        let voice = scene.engine.cast().voice_of(0);
        let heard = |e: &Engine| {
            (e.respond.consensus.heard(e.cast(), voice), e.respond.consensus.of(AssetId(0), &[1.0]))
        };
        let (own, pool) = heard(&scene.engine);
        if own != 0.0 {
            assert!((pool - own).abs() < 1e-9, "it is the only one");
            let command = |c| Event::Command(event.at(), c);
            scene.engine.step(&command(Command::Mute(AgentId(0))), &mut out);
            assert_eq!(heard(&scene.engine), (0.0, 0.0));
            scene.engine.step(&command(Command::Unmute(AgentId(0))), &mut out);
            assert_eq!(heard(&scene.engine), (own, pool));
            return;
        }
    }
    panic!("it never held anything");
}

/// A basket of which one asset stops trading: what it held of it goes at the last price, the rest is closed, and what is left
/// of the assets is a basket again.
#[test]
fn a_basket_outlives_an_asset_that_stops_trading() {
    use hive_domain::{AssetId, FamilyId, MessageKind, Reason, Verb};
    let names = ["AAA", "BBB", "CCC", "DDD", "EEE"];
    let universe = super::stage::universe(&names);
    let numbers = [("window", 60.0), ("cut", 0.2), ("basket", 1.0)];
    let who = super::stage::agent(FamilyId::RelativeStrength, &numbers);
    let mut run = crate::common::Run::start(&super::stage::config(vec![who]), &universe);
    assert_eq!((run.engine.cast().slots.len(), run.engine.cast().structures.len()), (0, 1));
    // The first is always the strongest, until it is gone.
    let path = |n: usize| {
        let draw = |i: i32, m: u64| hive_domain::random::normal(hive_domain::random::key(m, &[i as u64]));
        let mut price = 100.0_f64;
        let drift = if n == 0 { 0.002 } else { 0.0 };
        let step = |i: i32| {
            price *= (0.01 * draw(i, 7) + 0.004 * draw(i, 20 + n as u64) + drift).exp();
            price
        };
        (0..700).map(step).collect::<Vec<f64>>()
    };
    let paths: Vec<Vec<f64>> = (0..names.len()).map(path).collect();
    let (last, mut events) = (crate::common::bar_at(300), super::stage::events(&paths));
    events.retain(|e| {
        let hive_domain::Event::Market(market) = e else { return true };
        market.instrument() != Some(hive_domain::InstrumentId(0)) || market.at() <= last
    });
    let mut seen = (false, 0);
    for event in &events {
        let from = run.messages.len();
        run.play(std::slice::from_ref(event));
        let life = &run.engine.speak.structures.twins[0].life;
        for m in &run.messages[from..] {
            let MessageKind::Action(a) = &m.body else { continue };
            assert_eq!(m.asset, Some(AssetId(0)), "it speaks of the first of its assets");
            if a.reason == Reason::Delisted {
                assert_eq!((a.verb, a.after), (Verb::Close, 0.0));
                assert_eq!(life.legs.of(hive_domain::InstrumentId(0)), 0.0, "at its last price, at once");
                assert!(a.plan.reenter.is_none() && m.at > last);
                seen.0 = true;
            } else if a.verb == Verb::Open && m.at > last && seen.0 {
                let is_there = |l: &hive_domain::StructureLeg| l.instrument != hive_domain::InstrumentId(0);
                assert!(a.plan.legs.iter().all(is_there), "{a}");
                seen.1 += 1;
            }
        }
    }
    assert!(seen.0 && seen.1 > 0, "{seen:?}");
    assert!(run.engine.balances().is_ok());
}
