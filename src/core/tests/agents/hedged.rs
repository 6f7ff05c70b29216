//! Views at bars whose hedge is an opposite leg: they open as at bars, hold the leg beside the first while they are open, and
//! with money the books have both.

use crate::common::scenes::{self, HEDGED, Scene};
use crate::common::{actions, bar_at};
use hive_core::engine::Outputs;
use hive_domain::{
    Action, ContractTerms, Event, FamilyId, InstrumentId, Message, Money, Reason, Stamp, Term, Verb,
};

const COINS: InstrumentId = InstrumentId(0);
const PERP: InstrumentId = InstrumentId(1);

/// What agents of a family did alone, and when.
fn done(messages: &[Message], family: FamilyId) -> Vec<(Stamp, Action)> {
    let index = HEDGED.iter().position(|f| *f == family).unwrap();
    let own = |(m, _): &(&Message, &Action)| {
        m.from == hive_domain::Speaker::Agent(hive_domain::AgentId(index as u32))
    };
    actions(messages).filter(own).map(|(m, a)| (m.at, a.clone())).collect()
}

fn played(scene: Scene) -> Vec<Message> {
    let (mut engine, mut out, mut all) = (scene.engine, Outputs::default(), Vec::new());
    for event in scene.events {
        engine.step(&event, &mut out);
        all.append(&mut out.messages);
    }
    all
}

#[test]
fn a_view_in_a_leg_opens_at_the_close_on_the_side_and_in_the_size_that_it_would_at_bars() {
    let [at_bars, in_legs] = [0.0, 0.75].map(|ratio| played(scenes::hedged(ratio, false, &scenes::as_it_is)));
    for family in HEDGED {
        let [bars, legs] = [&at_bars, &in_legs].map(|all| done(all, family).into_iter().next().unwrap());
        assert_eq!((bars.0, bars.1.verb), (legs.0, legs.1.verb), "{family}");
        // Legs are held in whole lots.
        let lot = 1.000_001e-6 * bars.1.price / 20_000.0;
        let less = bars.1.after.abs() - legs.1.after.abs();
        assert!((-1e-12..lot).contains(&less), "{family}: {less} less in {}", legs.1);
        let (Term::Level(price), Term::Level(gain)) = (bars.1.plan.stop.right, legs.1.plan.stop.right) else {
            panic!("{family}: {}", legs.1);
        };
        let lost = bars.1.side() * (price / bars.1.price - 1.0) * 1e4;
        assert!((lost - gain).abs() < 1e-6, "{family}: stopped at {lost} and at {gain} bp");
    }
}

#[test]
fn a_storm_brings_the_opposite_leg_and_it_goes_with_the_position() {
    let said = played(scenes::hedged(0.75, false, &scenes::as_it_is));
    for family in HEDGED {
        let mut is_hedged = false;
        for (at, a) in done(&said, family) {
            let legs = &a.plan.legs;
            if a.reason == Reason::Hedge {
                assert_eq!(
                    (legs[1].instrument, legs[1].ratio),
                    (PERP, -0.75 * legs[0].ratio),
                    "{family}: {a}"
                );
                assert_eq!((a.before, a.verb), (a.after, Verb::Decrease), "{family}: it stays as large");
                // Three quarters of it, but for what the price has moved since the position was opened.
                let open = a.delta / a.after;
                assert!(open > 0.0 && open < 0.5, "{family}: what the pool hears of it: {open} of {a}");
                is_hedged = true;
            }
            assert_eq!(legs.len(), if is_hedged { 2 } else { 1 }, "{family} at {at}: {a}");
            is_hedged &= a.verb != Verb::Close;
            let text = a.to_string();
            assert!(a.verb != Verb::Open || text.contains("0.75"), "{text}");
        }
    }
}

#[test]
fn with_money_both_legs_are_in_the_agents_book_and_the_books_balance() {
    let scene = scenes::hedged(0.75, false, &scenes::as_it_is);
    let (mut engine, mut out, mut both, mut flat) = (scene.engine, Outputs::default(), 0, 0);
    for event in scene.events {
        engine.step(&event, &mut out);
        let Event::Barrier(at) = event else { continue };
        engine.balances().unwrap();
        for p in &engine.respond.real.execution.packages.all {
            let ledger = &engine.respond.real.account.ledger;
            let held = [COINS, PERP].map(|id| ledger.position(p.agent, id));
            assert_eq!([COINS, PERP].map(|id| p.held.of(id)), held, "at {at}");
            let Some(open) = p.life.life.open().filter(|_| p.life.legs.is_whole()) else {
                flat += usize::from(held == [Money::ZERO; 2] && at > bar_at(2_000));
                continue;
            };
            if open.legs.len() == 2 {
                let [coins, perp] = held.map(hive_domain::money::to_estimate);
                let of = perp / coins;
                assert!((of + 0.75).abs() < 0.02, "at {at}: {perp} against {coins}");
                both += 1;
            }
        }
    }
    assert!(both > 50 && flat > 50, "{both} bars with both legs, {flat} with none");
}

#[test]
fn an_option_against_it_is_a_put_for_a_long_and_a_call_for_a_short_near_the_price_and_bought() {
    let mut scene = scenes::hedged(0.75, true, &scenes::as_it_is);
    let terms: Vec<ContractTerms> = scene.engine.cast().listed.instruments.iter().map(|i| i.terms).collect();
    let (mut out, mut sides) = (Outputs::default(), [0; 2]);
    for event in scene.events {
        scene.engine.step(&event, &mut out);
        for (_, a) in actions(&out.messages).filter(|(_, a)| a.reason == Reason::Hedge) {
            let (first, other) = (a.plan.legs[0], a.plan.legs[1]);
            let ContractTerms::Option { strike, call, .. } = terms[other.instrument.index()] else {
                panic!("no option: {a}");
            };
            assert_eq!(call, a.side() < 0.0, "{a}");
            assert_eq!((a.side() * other.ratio, first.ratio), (0.75, 1.0), "it is bought: {a}");
            assert!((0.5..2.0).contains(&(strike / a.price)), "{strike} is no strike near {a}");
            sides[usize::from(call)] += 1;
        }
        if matches!(event, Event::Barrier(_)) {
            scene.engine.balances().unwrap();
        }
    }
    assert!(sides[0] > 3 && sides[1] > 3, "puts and calls: {sides:?}");
    let packages = &scene.engine.respond.real.execution.packages.all;
    let bought = |p: &hive_core::engine::packages::Package| p.life.legs.totals.fills;
    assert!(packages.iter().map(bought).sum::<u64>() > 0, "none with money");
}
