//! A market trades the same in whatever unit its prices are told: prices × 10ᵏ and quantities ÷ 10ᵏ give the same orders and
//! the same money.

use super::money::balanced;
use crate::common::{Run, Tape, run, shipped};
use hive_domain::money::to_estimate;
use hive_domain::step::PriceStep;
use hive_domain::{Decimal, Event, MarketEvent};
use hive_market::units::Units;

/// A number with its point moved, as a file would have it.
fn moved(x: f64, by: i32) -> f64 {
    let text = format!("{x:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap();
    format!("{mantissa}e{}", exponent.parse::<i32>().unwrap() + by).parse().unwrap()
}

fn moved_step(x: Decimal, by: i32) -> Decimal {
    let x = x.normalize();
    let scale = x.scale() as i32 - by;
    let whole = x.mantissa() * 10_i128.pow((-scale).max(0) as u32);
    Decimal::from_i128_with_scale(whole, scale.max(0) as u32)
}

/// The same market in another unit, as the books count it; and by which power of ten an asset's prices are another number.
fn told_in(tape: &Tape, k: i32) -> (Tape, Vec<i32>) {
    let mut universe = tape.universe.clone();
    for i in &mut universe.instruments {
        let PriceStep::Tick(tick) = i.tick else { unreachable!() };
        (i.tick, i.lot) = (moved_step(tick, k).into(), moved_step(i.lot, -k));
    }
    let units = Units::of(&universe).unwrap();
    let (counted, _) = units.universe(universe.clone());
    let scale = |a: &hive_domain::Instrument| {
        let (PriceStep::Tick(now), PriceStep::Tick(then)) =
            (a.tick, tape.universe.instruments[a.id.index()].tick)
        else {
            unreachable!()
        };
        libm::rint(libm::log10(to_estimate(now) / to_estimate(then))) as i32
    };
    let by = counted.instruments.iter().map(scale).collect();
    let event = |event: &Event| {
        let mut event = *event;
        if let Event::Market(MarketEvent::Bar { bar, .. }) = &mut event {
            for x in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
                *x = moved(*x, k);
            }
            bar.volume = moved(bar.volume, -k);
        }
        if let Event::Market(MarketEvent::Funding { mark, .. }) = &mut event {
            *mark = moved(*mark, k);
        }
        units.event(&counted, event)
    };
    let events = tape.events.iter().map(event).collect();
    (Tape { universe: counted, events }, by)
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0)
}

fn alone(run: &Run) -> f64 {
    let cast = run.engine.cast();
    (0..cast.declared_slots).map(|slot| run.engine.speak.alone(cast, slot)).sum()
}

#[test]
fn what_the_books_cannot_hold_is_refused_by_its_tick_where_its_unit_is_not_free() {
    let mut universe = Tape::market(1).universe;
    universe.instruments[0].tick = Decimal::new(1, 20).into();
    universe.instruments[0].lot = Decimal::from_i128_with_scale(10_i128.pow(14), 0);
    let (counted, notes) = Units::of(&universe).unwrap().universe(universe.clone());
    assert_eq!(counted.instruments[0].lot, Decimal::ONE);
    assert_eq!(counted.instruments[0].tick, PriceStep::Tick(Decimal::new(1, 6)));
    assert!(notes.len() == 1 && notes[0].contains("1e14"), "{notes:?}");
    universe.instruments[1].quote = Some(universe.instruments[0].asset);
    let why = Units::of(&universe).unwrap_err().to_string();
    for told in [universe.instruments[0].symbol.as_str(), "0.00000000000000000001", "1e-12", "--assets"] {
        assert!(why.contains(told), "{told:?} is not in {why}");
    }
}

#[test]
fn law_prices_in_another_unit_give_the_same_orders_and_the_same_money() {
    let tape = Tape::market(90);
    let config = shipped();
    let one = run(&config, &tape);
    assert!(one.fills.len() > 100);
    let equity = |run: &Run| to_estimate(run.engine.respond.real.account.equity());
    for k in [-8, -5, -3, -1, 1, 2, 4, 6, 8] {
        let (told, by) = told_in(&tape, k);
        let other = run(&config, &told);
        balanced(&other.engine);
        assert_eq!(other.engine.respond.real.account.halted, None, "{k}");
        assert_eq!(one.fills.len(), other.fills.len(), "{k}");
        for (a, b) in one.fills.iter().zip(&other.fills) {
            let by = by[a.instrument.index()];
            let (quantity, price) = (moved(to_estimate(b.quantity), by), moved(to_estimate(b.price), -by));
            assert_eq!((a.instrument, a.at), (b.instrument, b.at), "{k}");
            assert!(near(to_estimate(a.quantity), quantity), "{k}: {a:?} {b:?}");
            assert!((to_estimate(a.price) / price - 1.0).abs() < 1e-9, "{k}: {a:?} {b:?}");
        }
        assert!(near(equity(&one), equity(&other)), "{k}: {} {}", equity(&one), equity(&other));
        assert!(near(alone(&one), alone(&other)), "{k}: {} {}", alone(&one), alone(&other));
        assert_eq!(one.messages.len(), other.messages.len(), "{k}");
    }
}
