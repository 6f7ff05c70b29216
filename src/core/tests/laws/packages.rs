//! Packages: lives in legs that have money, on the embedded market in detail, with its faults and with ours.

use super::money::balanced;
use crate::common::scenes::ROSTER;
use hive_core::agents::declaration::DrawnNumber;
use hive_core::agents::life::OpenLeg;
use hive_core::agents::structures::in_legs::TRIES;
use hive_core::config;
use hive_core::config::setup::settings;
use hive_core::engine::packages::Package;
use hive_core::engine::{Engine, Outputs};
use hive_domain::{
    AgentId, Command, Decimal, Event, FamilyId, InstrumentId, InstrumentKind, MarketEvent, OrderKind, Span,
    Stamp, TimeInForce, Universe,
};
use hive_market::Feed;
use hive_market::synth::{Detail, SynthFeed, SynthSettings};
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// Days before the detail begins, and of detail.
const DAYS: (u32, u32) = (20, 9);

/// The market, read once for all of these.
fn market() -> &'static (Universe, Vec<Event>) {
    static MARKET: OnceLock<(Universe, Vec<Event>)> = OnceLock::new();
    MARKET.get_or_init(|| {
        let start = SynthSettings { bars_days: DAYS.0 + DAYS.1, ..SynthSettings::default() };
        let mut detail = Detail::last(DAYS.1, start.from, start.bars_days);
        detail.faults = true;
        let mut feed = SynthFeed::new(SynthSettings { detail: Some(detail), ..start }).unwrap();
        let mut events = Vec::new();
        while let Some(event) = feed.next().unwrap() {
            events.push(event);
        }
        (feed.universe().clone(), events)
    })
}

/// Agents of these families, all with funds.
fn hive(families: &[FamilyId]) -> Engine {
    hive_on(families, &market().0)
}

fn hive_on(families: &[FamilyId], universe: &Universe) -> Engine {
    let mut config = config::parse("full-house.toml", ROSTER).unwrap();
    config.roster.scouts = 0;
    config.roster.agents.retain(|a| families.contains(&a.family));
    Engine::new(&config.roster, universe, &settings(&config), config.seed)
}

fn packages(engine: &Engine) -> &[Package] {
    &engine.respond.real.execution.packages.all
}

/// Orders of a package that may still fill.
fn working(engine: &Engine, i: usize) -> Vec<InstrumentId> {
    let real = &engine.respond.real.execution;
    let own = real.router.orders.open().filter(|o| real.packages.owner(o.id) == Some(i));
    own.map(|o| o.instrument).collect()
}

/// Nothing of a package that is opened behind a resting leg is ahead of that, but for whole lots.
fn behind_its_maker_leg(i: usize, p: &Package) {
    let Some(leading) = &p.life.legs.leading else { return };
    let Some(open) = p.life.life.open() else { return };
    let size = leading.sizes[leading.place];
    let id = open.legs[leading.place].leg.instrument;
    let part = (hive_domain::money::to_estimate(p.dealt.of(id)) / size).clamp(0.0, 1.0);
    for (n, sent) in leading.sent.iter().enumerate().filter(|(n, _)| *n != leading.place) {
        assert!((sent / leading.sizes[n]) <= part + 1e-6, "{i}: {sent} follows {part} of {size}: {p:?}");
    }
}

/// What must hold at any moment.
fn looked_at(engine: &Engine, event: &Event) {
    let real = &engine.respond.real;
    assert_eq!(real.account.halted, None, "{event:?}");
    for (i, p) in packages(engine).iter().enumerate() {
        let open = p.life.life.open();
        behind_its_maker_leg(i, p);
        // All legs of an opening or none: each is on order, there, or waits for coins that another one buys, or for what rests.
        if let Some(open) = open.filter(|o| o.legs.len() > 1 && p.life.legs.leading.is_none()) {
            let has_begun = p.life.legs.orders.iter().any(|o| o.number.is_some()) || !p.held.is_empty();
            let is_given_up = p.life.legs.orders.iter().any(|o| o.tries >= TRIES);
            for leg in open.legs.iter().filter(|_| has_begun && !is_given_up && !p.is_broken) {
                let id = leg.leg.instrument;
                let is_there =
                    !p.dealt.of(id).is_zero() || p.life.legs.orders.iter().any(|o| o.instrument == id);
                assert!(is_there, "{i}: {id:?} of {open:?} is nowhere: {p:?}");
            }
        }
        // The estimates are those of the books.
        for (id, held) in p.held.iter() {
            let outside = held - p.pooled.of(id);
            let (exact, about) = (hive_domain::money::to_estimate(outside), p.life.legs.of(id));
            assert!((exact - about).abs() <= 1e-6 * exact.abs().max(1e-3), "{i}: {exact} is not {about}");
        }
    }
    if matches!(event, Event::Barrier(_)) {
        balanced(engine);
        for p in packages(engine) {
            for (id, _) in p.held.iter() {
                let own: Decimal =
                    packages(engine).iter().filter(|o| o.agent == p.agent).map(|o| o.held.of(id)).sum();
                let books = real.account.ledger.position(p.agent, id);
                let is_carried = engine.servants().carrying().contains(&p.agent);
                assert!(
                    is_carried || own == books,
                    "{:?} holds {own} of {id:?}, the books say {books}",
                    p.agent
                );
            }
        }
    }
}

/// Plays the market; `each` sees the engine after every event, and may say what comes in place of the next one.
fn play(
    engine: &mut Engine,
    mut each: impl FnMut(&Engine, &Event, &mut Vec<Event>),
    mut change: impl FnMut(&Engine, &Event) -> Option<Event>,
) -> Vec<String> {
    let (mut out, mut alarms, mut commands) = (Outputs::default(), Vec::new(), Vec::new());
    for event in &market().1 {
        let Some(event) = change(engine, event) else { continue };
        engine.step(&event, &mut out);
        looked_at(engine, &event);
        alarms.append(&mut out.alarms);
        each(engine, &event, &mut commands);
        for command in commands.drain(..) {
            engine.step(&command, &mut out);
            looked_at(engine, &command);
            alarms.append(&mut out.alarms);
        }
    }
    engine.balances().unwrap();
    alarms
}

const IN_LEGS: [FamilyId; 4] =
    [FamilyId::Arbitrage, FamilyId::Funding, FamilyId::CashAndCarry, FamilyId::Triangular];

#[test]
fn packages_are_filled_and_booked_to_their_agents_and_to_nobody_else() {
    let families: Vec<FamilyId> = FamilyId::ALL.iter().copied().filter(|f| f.is_structured()).collect();
    let mut engine = hive(&families);
    play(&mut engine, |_, _, _| {}, |_, event| Some(*event));
    let cast = engine.cast();
    let (mut alone, mut real) = (BTreeSet::new(), BTreeSet::new());
    for ((s, twin), p) in cast.structures.iter().zip(&engine.speak.structures.twins).zip(packages(&engine)) {
        let family = cast.agents[s.agent.index()].family;
        if twin.life.legs.totals.fills > 0 {
            alone.insert(family);
        }
        if p.life.legs.totals.fills > 0 {
            real.insert(family);
        }
        // Not netted: what a package made is in its agent's book.
        assert!(p.life.legs.totals.fills == 0 || engine.respond.real.account.ledger.book(s.agent).is_some());
    }
    assert!(alone.len() >= 5, "too little is traded to show anything: {alone:?}");
    let without: Vec<_> = alone.difference(&real).collect();
    assert!(without.is_empty(), "traded alone and never with money: {without:?}");
}

/// The first package of which one leg is there and another one is not, and the instrument that is awaited.
fn one_leg_on(engine: &Engine) -> Option<(usize, InstrumentId)> {
    packages(engine).iter().enumerate().find_map(|(i, p)| {
        let open = p.life.life.open().filter(|o| o.legs.len() > 1)?;
        let is_there = |id: InstrumentId| !p.dealt.of(id).is_zero();
        let legs = || open.legs.iter().map(|l| l.leg.instrument);
        let awaited = legs().find(|id| !is_there(*id) && working(engine, i).contains(id))?;
        legs().any(is_there).then_some((i, awaited))
    })
}

#[test]
fn a_leg_whose_market_is_gone_leaves_no_other_alone_beyond_its_bound() {
    let mut engine = hive(&IN_LEGS);
    // Both closures look at where it is.
    let gone = std::cell::Cell::new(None::<(usize, InstrumentId, Stamp)>);
    let (flat, worst) = (std::cell::Cell::new(false), std::cell::Cell::new(0.0_f64));
    let alarms = play(
        &mut engine,
        |engine, event, _| {
            if let Some((i, id, at)) = gone.get() {
                let p = &packages(engine)[i];
                let others = p.held.iter().any(|(held, _)| held != id);
                flat.set(flat.get() || !others && event.at().since(at) > Span::MINUTE);
                let over = p.leg_risk.so_far / (p.capital * 300.0);
                worst.set(worst.get().max(if p.life.life.open().is_some() { over } else { 0.0 }));
            } else if let Some((i, id)) = one_leg_on(engine) {
                gone.set(Some((i, id, event.at())));
            }
        },
        |_, event| {
            let is_gone = |id: InstrumentId| gone.get().is_some_and(|(_, lost, _)| lost == id);
            let lost = matches!(event, Event::Market(e) if e.instrument().is_some_and(is_gone)
                && !matches!(e, MarketEvent::Bar { .. } | MarketEvent::Funding { .. }));
            (!lost).then_some(*event)
        },
    );
    let (i, id, _) = gone.get().expect("one leg was there before the other");
    assert!(flat.get(), "{i} still holds what {id:?} was to go with: {:?}", packages(&engine)[i]);
    // Looked at when a stamp is over, and so at most a stamp later.
    assert!(worst.get() < 1.5, "{} of its bound stood alone", worst.get());
    assert!(alarms.iter().any(|a| a.contains("stood alone too long")), "{alarms:?}");
}

#[test]
fn a_leg_that_is_had_in_part_is_followed_by_no_more_than_that_or_all_is_closed() {
    let mut engine = hive(&IN_LEGS);
    let thin = |event: &Event| match *event {
        Event::Market(MarketEvent::Quote { instrument, at, bid, ask, bid_size, ask_size })
            if instrument.0 % 3 == 0 =>
        {
            let (bid_size, ask_size) = (bid_size * 1e-4, ask_size * 1e-4);
            Event::Market(MarketEvent::Quote { instrument, at, bid, ask, bid_size, ask_size })
        }
        other => other,
    };
    let mut parts = 0;
    play(
        &mut engine,
        |engine, _, _| {
            let partly = engine.respond.real.execution.router.orders.open();
            parts += u32::from(partly.into_iter().any(|o| !o.filled.is_zero()));
        },
        |_, event| Some(thin(event)),
    );
    let unwound: u32 = packages(&engine).iter().map(|p| p.unwound + p.life.life.missed).sum();
    assert!(parts > 0, "nothing was filled in part");
    assert!(unwound > 0, "and nothing was given up for it");
    for p in packages(&engine) {
        assert!(!p.leg_risk.is_over(p.capital) || p.life.life.open().is_none(), "{p:?}");
    }
}

#[test]
fn capital_that_is_called_closes_what_stands_on_it() {
    let mut engine = hive(&IN_LEGS);
    let mut called: Option<(AgentId, Stamp)> = None;
    let mut flat_after = None;
    play(
        &mut engine,
        |engine, event, commands| {
            if let Some((agent, at)) = called {
                let own = || packages(engine).iter().filter(|p| p.agent == agent);
                if own().all(|p| p.held.is_empty()) {
                    flat_after.get_or_insert(event.at().since(at));
                } else {
                    assert!(flat_after.is_none(), "opened again without funds");
                }
                assert!(own().all(|p| p.life.life.open().is_none() || event.at() == at));
            } else if let Some(p) = packages(engine)
                .iter()
                .find(|p| p.life.life.open().is_some() && p.life.legs.is_whole() && !p.held.is_empty())
            {
                called = Some((p.agent, event.at()));
                commands.push(Event::Command(event.at(), Command::Unfund(p.agent)));
            }
        },
        |_, event| Some(*event),
    );
    let (agent, _) = called.expect("somebody held a package");
    assert!(flat_after.is_some_and(|after| after < Span(2 * Span::HOUR.0)), "{flat_after:?}");
    let equity =
        engine.respond.real.account.ledger.equity(agent, &engine.respond.real.account.marks).unwrap();
    assert!(equity.abs() < Decimal::ONE, "what it had went back: {equity}");
}

#[test]
fn a_kill_with_two_legs_working_opens_nothing_and_leaves_no_leg_alone() {
    let mut engine = hive(&IN_LEGS);
    let mut killed: Option<(usize, Stamp)> = None;
    let mut was: Vec<Vec<(InstrumentId, Decimal)>> = Vec::new();
    play(
        &mut engine,
        |engine, event, commands| {
            let held = |engine: &Engine| packages(engine).iter().map(|p| p.held.iter().collect()).collect();
            if killed.is_some() {
                // Nothing grows from here on, but for coins that a triangle still turns into others.
                let now: Vec<Vec<(InstrumentId, Decimal)>> = held(engine);
                for (p, (before, after)) in packages(engine).iter().zip(was.iter().zip(&now)) {
                    let is_triangle = engine.cast().agents[p.agent.index()].family == FamilyId::Triangular;
                    for (id, quantity) in after.iter().filter(|_| !is_triangle) {
                        let then = before.iter().find(|h| h.0 == *id).map_or(Decimal::ZERO, |h| h.1);
                        assert!(quantity.abs() <= then.abs(), "{id:?} grew from {then} to {quantity}");
                    }
                }
                was = now;
                return;
            }
            let two = (0..packages(engine).len())
                .find(|i| packages(engine)[*i].held.is_empty() && working(engine, *i).len() > 1);
            if let Some(i) = two.filter(|_| event.at().0 > market().1[market().1.len() / 2].at().0) {
                killed = Some((i, event.at()));
                was = held(engine);
                commands.push(Event::Command(event.at(), Command::Kill));
            }
        },
        |_, event| Some(*event),
    );
    let (i, _) = killed.expect("two legs of a package were working");
    let p = &packages(&engine)[i];
    assert!(working(&engine, i).is_empty() && p.held.is_empty(), "{p:?}");
}

#[test]
fn what_desk_and_packages_hold_against_each_other_is_closed_by_each() {
    let mut families = IN_LEGS.to_vec();
    families.extend(FamilyId::ALL.iter().filter(|f| !f.is_structured()));
    let mut engine = hive(&families);
    let mut flattened: Option<(InstrumentId, Stamp)> = None;
    let mut flat_after = None;
    play(
        &mut engine,
        |engine, event, commands| {
            let real = &engine.respond.real;
            let of = |id: InstrumentId| {
                let packages = real.execution.packages.position(id) - real.execution.packages.dust.of(id);
                let dust = real.execution.packages.dust.of(id);
                (real.account.ledger.net_position(id) - packages - dust, packages)
            };
            if let Some((_, at)) = flattened {
                if !matches!(event, Event::Barrier(_)) {
                    return;
                }
                let all = (0..real.account.marks.len()).map(|i| of(InstrumentId(i as u16)));
                if all.into_iter().all(|(desk, packages)| desk.is_zero() && packages.is_zero()) {
                    flat_after.get_or_insert(event.at().since(at));
                }
                return;
            }
            let against = (0..market().0.desk().len() as u16).map(InstrumentId).find(|id| {
                let (desk, packages) = of(*id);
                !desk.is_zero()
                    && !packages.is_zero()
                    && desk.is_sign_negative() != packages.is_sign_negative()
            });
            if let Some(id) = against {
                flattened = Some((id, event.at()));
                commands.push(Event::Command(event.at(), Command::Flatten));
            }
        },
        |_, event| Some(*event),
    );
    assert!(flattened.is_some(), "the desk and a package held something against each other");
    let ledger = &engine.respond.real.account.ledger;
    let left: Vec<_> = ledger.open_positions().map(|id| (id, ledger.net_position(id))).collect();
    assert!(flat_after.is_some_and(|after| after <= Span(8 * Span::HOUR.0)), "{flat_after:?} {left:?}");
}

/// Coins that are bought back cost a fee in coins, and more of them was asked for than was held: that is no opening, and
/// nothing may keep it from leaving.
#[test]
fn a_way_out_never_stands_whatever_was_short() {
    let mut universe = market().0.clone();
    let spots = universe.instruments.iter_mut().filter(|i| i.kind == InstrumentKind::Spot);
    spots.for_each(|i| i.kind = InstrumentKind::Margin);
    let mut engine = hive_on(&IN_LEGS[..3], &universe);
    let (mut leaving, mut was_short) = (vec![None::<Stamp>; packages(&engine).len()], false);
    let mut before = vec![Vec::<(InstrumentId, Decimal)>::new(); packages(&engine).len()];
    play(
        &mut engine,
        |engine, event, _| {
            for ((p, since), before) in packages(engine).iter().zip(&mut leaving).zip(&mut before) {
                // Looked at since before this event, so that what it was asked to do is what it does.
                let held: Vec<(InstrumentId, Decimal)> = p.held.iter().collect();
                for (id, now) in held.iter().filter(|_| since.is_some()) {
                    let then = before.iter().find(|h| h.0 == *id).map_or(Decimal::ZERO, |h| h.1);
                    let is_less =
                        now.is_sign_negative() == then.is_sign_negative() && now.abs() <= then.abs();
                    assert!(is_less, "{id:?} from {then} to {now} on the way out: {p:?}");
                }
                *before = held;
                let is_leaving = p.life.life.open().is_none() && !p.held.is_empty();
                *since = since.or(Some(event.at())).filter(|_| is_leaving);
                let kind = |id: InstrumentId| universe.instruments[id.index()].kind;
                was_short |=
                    p.held.iter().any(|(id, q)| kind(id) == InstrumentKind::Margin && q.is_sign_negative());
                let stands = since.is_some_and(|since| event.at().since(since) > Span(6 * Span::HOUR.0));
                assert!(!stands, "since {since:?}: {p:?}");
            }
        },
        |_, event| Some(*event),
    );
    assert!(was_short, "nobody was short of coins");
}

/// Carriers whose perp, or future, rests for an hour before it is taken.
fn resting() -> Engine {
    let mut config = config::parse("full-house.toml", ROSTER).unwrap();
    config.roster.scouts = 0;
    config.roster.agents.retain(|a| IN_LEGS[1..3].contains(&a.family));
    for agent in &mut config.roster.agents {
        agent.params.insert("rest".to_owned(), DrawnNumber { from: 60.0, to: 60.0 });
    }
    Engine::new(&config.roster, &market().0, &settings(&config), config.seed)
}

#[test]
fn a_maker_leg_comes_first_and_the_others_follow_its_fills() {
    let mut engine = resting();
    let (mut rested, mut taken, mut made) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    play(
        &mut engine,
        |engine, _, _| {
            let real = &engine.respond.real.execution;
            for o in real.router.orders.open() {
                let Some(i) = real.packages.owner(o.id) else { continue };
                let rests = matches!(o.kind, OrderKind::Limit(_, TimeInForce::PostOnly));
                if rests { &mut rested } else { &mut taken }.insert((i, o.instrument));
            }
            for (i, p) in packages(engine).iter().enumerate() {
                let there = |l: &OpenLeg| !p.dealt.of(l.leg.instrument).is_zero();
                let whole = p.life.life.open().filter(|o| p.life.legs.is_whole() && o.legs.iter().all(there));
                // The perp of one and the future of the other come second in their legs.
                let led = whole.map(|o| (i, o.legs[1].leg.instrument));
                made.extend(led.filter(|led| rested.contains(led) && !taken.contains(led)));
            }
        },
        |_, event| Some(*event),
    );
    assert!(!made.is_empty(), "nothing was had by resting alone: {rested:?} {taken:?}");
    let unwound: u32 = packages(&engine).iter().map(|p| p.unwound).sum();
    assert_eq!(unwound, 0, "a leg stood alone too long");
}

#[test]
fn who_is_paused_half_open_closes_what_is_there() {
    let mut engine = resting();
    let mut paused: Option<(usize, AgentId, Stamp)> = None;
    let mut flat_after = None;
    play(
        &mut engine,
        |engine, event, commands| {
            if let Some((i, _, at)) = paused {
                let p = &packages(engine)[i];
                if p.held.is_empty() && working(engine, i).is_empty() {
                    flat_after.get_or_insert(event.at().since(at));
                } else {
                    assert!(flat_after.is_none(), "a paused one opened: {p:?}");
                }
                return;
            }
            let rests = |i: &usize| {
                packages(engine)[*i].life.legs.leading.is_some() && !working(engine, *i).is_empty()
            };
            if let Some(i) = (0..packages(engine).len()).find(rests) {
                let agent = packages(engine)[i].agent;
                paused = Some((i, agent, event.at()));
                commands.push(Event::Command(event.at(), Command::Pause(agent)));
            }
        },
        |_, event| Some(*event),
    );
    assert!(paused.is_some(), "no order rested");
    assert!(flat_after.is_some_and(|after| after < Span::HOUR), "{flat_after:?}");
}

#[test]
fn a_follower_whose_market_is_gone_leaves_the_resting_leg_alone_no_longer_than_its_bound() {
    let mut engine = resting();
    // Both closures look at where it is.
    let gone = std::cell::Cell::new(None::<(usize, InstrumentId)>);
    let worst = std::cell::Cell::new(0.0_f64);
    play(
        &mut engine,
        |engine, _, _| {
            if let Some((i, _)) = gone.get() {
                let p = &packages(engine)[i];
                let over = p.leg_risk.so_far / (p.capital * 300.0);
                worst.set(worst.get().max(if p.life.life.open().is_some() { over } else { 0.0 }));
                return;
            }
            let rests = packages(engine).iter().enumerate().find_map(|(i, p)| {
                let leading = p.life.legs.leading.as_ref()?;
                let mut legs = p.life.life.open()?.legs.iter().enumerate();
                Some((i, legs.find(|(n, _)| *n != leading.place)?.1.leg.instrument))
            });
            gone.set(rests);
        },
        |_, event| {
            let is_gone = |id: InstrumentId| gone.get().is_some_and(|(_, lost)| lost == id);
            let lost = matches!(event, Event::Market(e) if e.instrument().is_some_and(is_gone)
                && !matches!(e, MarketEvent::Bar { .. } | MarketEvent::Funding { .. }));
            (!lost).then_some(*event)
        },
    );
    let (i, id) = gone.get().expect("a package began");
    let p = &packages(&engine)[i];
    assert!(worst.get() < 1.5, "{} of its bound stood alone without {id:?}: {p:?}", worst.get());
    assert!(p.unwound + p.life.life.missed > 0, "it was not given up: {p:?}");
}
