//! A bar in which both stop and target lie: which of them was first is what its finer bars, or its quotes, say.

use crate::common::scenes::{agent, universe};
use crate::common::{Run, actions, bar_at};
use hive_core::config::Config;
use hive_core::engine::Outputs;
use hive_core::fills::fine::FillPrices;
use hive_domain::{
    Action, Bar, ContractTerms, Event, FamilyId, InstrumentId, InstrumentKind, MarketEvent, Message, Reason,
    SideRule, Span, Stamp, Term, Verb, random,
};

const PERP: InstrumentId = InstrumentId(0);

/// How a bar is told beside its four prices.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    /// In bars of an hour.
    Hours,
    /// In quotes, an hour apart.
    Quotes,
}

/// A standing view on a perp that rises, as it is asked to fill.
fn long(fills: FillPrices) -> Run {
    let who = agent("Dora", FamilyId::Directional, SideRule::Long, &[("drift", 60.0), ("tolerance", 1.0)]);
    let mut config = Config { fills, ..Config::default() };
    (config.roster.agents, config.roster.scouts) = (vec![who], 0);
    let market = [(InstrumentKind::Perp, ContractTerms::Plain, "alpha")];
    Run::start(&config, &universe(&market))
}

fn tell(run: &mut Run, event: MarketEvent) -> Vec<Action> {
    said(run, Event::Market(event))
}

/// What the alone life does at an event.
fn said(run: &mut Run, event: Event) -> Vec<Action> {
    let (first, mut out) = (run.messages.len(), Outputs::default());
    run.step(&event, &mut out);
    let new: &[Message] = &run.messages[first..];
    actions(new).map(|(_, a)| a.clone()).collect()
}

/// A bar, and before it its closes of each hour as they are told.
fn bar(run: &mut Run, n: i64, (open, close): (f64, f64), hours: &[f64], told: Told) -> Vec<(Stamp, Action)> {
    let mut done = Vec::new();
    let mut last = open;
    for (i, price) in hours.iter().copied().enumerate() {
        let at = Stamp(bar_at(n - 1).0 + (i as i64 + 1) * Span::HOUR.0);
        let one = Bar { open: last, high: last.max(price), low: last.min(price), close: price, volume: 1e9 };
        let event = match told {
            Told::Hours => MarketEvent::Inside { instrument: PERP, at, bar: one },
            Told::Quotes => {
                let (bid, ask) = (price, price);
                MarketEvent::Quote { instrument: PERP, at, bid, ask, bid_size: 1e6, ask_size: 1e6 }
            }
        };
        done.extend(tell(run, event).into_iter().map(|a| (at, a)));
        last = price;
    }
    let of = |pick: fn(f64, f64) -> f64| hours.iter().copied().chain([open, close]).reduce(pick).unwrap();
    let whole = Bar { open, high: of(f64::max), low: of(f64::min), close, volume: 4e9 };
    let (at, bar) = (bar_at(n), whole);
    done.extend(tell(run, MarketEvent::Bar { instrument: PERP, at, bar }).into_iter().map(|a| (at, a)));
    done.extend(said(run, Event::Barrier(at)).into_iter().map(|a| (at, a)));
    done
}

/// Bars until it holds something for two of them; its number, last close, stop and far target.
fn warm(run: &mut Run) -> (i64, f64, f64, f64) {
    let (mut price, mut opened) = (100.0, None);
    for n in 1..400 {
        let next = price * (0.001 + 0.005 * random::normal(random::key(5, &[n as u64]))).exp();
        for (_, act) in bar(run, n, (price, next), &[], Told::Hours) {
            match act.verb {
                Verb::Open => opened = Some(n),
                Verb::Close => opened = None,
                _ => {}
            }
        }
        price = next;
        let Some(open) = run.engine.speak.lives[0].open().filter(|_| opened.is_some_and(|at| n >= at + 2))
        else {
            continue;
        };
        let level = |t: Term| if let Term::Level(x) = t { x } else { panic!("{t:?}") };
        let far = open.plan.targets.iter().find(|t| t.fraction >= 1.0).unwrap();
        return (n, price, level(open.plan.stop.right), level(far.when.right));
    }
    panic!("it never held anything")
}

#[test]
fn which_of_stop_and_target_was_first_is_what_finer_prices_say() {
    for told in [Told::Hours, Told::Quotes] {
        for stop_first in [true, false] {
            let mut run = long(FillPrices::Fine);
            let (n, close, stop, far) = warm(&mut run);
            let (below, above) = (0.999 * stop, 1.001 * far);
            let (first, second) = if stop_first { (below, above) } else { (above, below) };
            let done = bar(&mut run, n + 1, (close, close), &[close, first, second, close], told);
            let reason = if stop_first { Reason::Stop } else { Reason::Target };
            let at = Stamp(bar_at(n).0 + 2 * Span::HOUR.0);
            let (when, act) = &done[0];
            assert_eq!((act.verb, act.reason, act.price, *when), (Verb::Close, reason, first, at), "{act}");
            assert_eq!(done.len(), 1, "{done:?}");
            // It was sold at the next price: the open of the third hour, or the third quote.
            let raw = &run.engine.speak.raw[0];
            let paid = if told == Told::Hours { first } else { second };
            assert_eq!((raw.quantity, raw.order), (0.0, 0.0));
            let gained = raw.cash > 0.0;
            assert_eq!(gained, paid > close, "sold at {paid}: {raw:?}");
        }
    }
}

#[test]
fn at_the_bars_of_the_decision_clock_neither_is_seen() {
    let mut run = long(FillPrices::Bars);
    let (n, close, stop, far) = warm(&mut run);
    let held = run.engine.speak.raw[0].quantity;
    let done = bar(&mut run, n + 1, (close, close), &[close, 0.999 * stop, 1.001 * far, close], Told::Hours);
    assert!(done.iter().all(|(at, _)| *at == bar_at(n + 1)), "{done:?}");
    assert!(done.iter().all(|(_, a)| !matches!(a.reason, Reason::Stop | Reason::Target)), "{done:?}");
    assert_eq!(run.engine.speak.raw[0].quantity, held);
}

#[test]
fn what_was_decided_at_a_close_fills_once_at_the_first_finer_open_and_never_again_at_the_bars() {
    let mut run = long(FillPrices::Fine);
    let (n, close, stop, _) = warm(&mut run);
    let held = run.engine.speak.raw[0].quantity;
    assert!(held > 0.0);
    // Stopped at the close: the order meets the open of the next hour, and that hour alone.
    let below = 0.99 * stop;
    let done = bar(&mut run, n + 1, (close, below), &[], Told::Hours);
    assert_eq!((done[0].1.reason, done.len()), (Reason::Stop, 1), "{done:?}");
    assert_eq!(run.engine.speak.raw[0].order, -held);
    let traded = run.engine.speak.raw[0].traded;
    bar(&mut run, n + 2, (below, below), &[below, below, below, below], Told::Hours);
    let raw = &run.engine.speak.raw[0];
    assert_eq!((raw.quantity, raw.order), (0.0, 0.0));
    assert!((raw.traded - traded - held * below).abs() < 0.01 * held * below, "sold once: {raw:?}");
}

#[test]
fn where_it_is_quoted_a_finer_bar_that_opened_in_the_past_of_quotes_fills_nothing() {
    let mut run = long(FillPrices::Fine);
    let (n, close, stop, _) = warm(&mut run);
    bar(&mut run, n + 1, (close, close), &[close; 4], Told::Quotes);
    let held = run.engine.speak.raw[0].quantity;
    let quote = |at: i64, price: f64| {
        let at = Stamp(bar_at(n + 1).0 + at);
        MarketEvent::Quote { instrument: PERP, at, bid: price, ask: price, bid_size: 1e6, ask_size: 1e6 }
    };
    let below = 0.99 * stop;
    assert_eq!(tell(&mut run, quote(1, below))[0].reason, Reason::Stop);
    let past = Bar { open: 2.0 * close, high: 2.0 * close, low: below, close: below, volume: 1e9 };
    let at = Stamp(bar_at(n + 1).0 + 2);
    tell(&mut run, MarketEvent::Inside { instrument: PERP, at, bar: past });
    assert_eq!((run.engine.speak.raw[0].quantity, run.engine.speak.raw[0].order), (held, -held));
    tell(&mut run, quote(3, below));
    assert_eq!(run.engine.speak.raw[0].quantity, 0.0);
}

#[test]
fn what_the_last_hour_of_a_bar_decides_is_not_dealt_at_the_open_of_that_bar() {
    let mut run = long(FillPrices::Fine);
    let (n, close, stop, _) = warm(&mut run);
    let held = run.engine.speak.raw[0].quantity;
    let below = 0.99 * stop;
    let done = bar(&mut run, n + 1, (close, below), &[close, close, close, below], Told::Hours);
    assert_eq!((done[0].0, done[0].1.reason, done.len()), (bar_at(n + 1), Reason::Stop, 1), "{done:?}");
    assert_eq!((run.engine.speak.raw[0].quantity, run.engine.speak.raw[0].order), (held, -held));
    let cash = run.engine.speak.raw[0].cash;
    bar(&mut run, n + 2, (below, below), &[below; 4], Told::Hours);
    let got = (run.engine.speak.raw[0].cash - cash) / held;
    assert!((got / below - 1.0).abs() < 0.002, "sold at {got}, the next open is {below}");
}

#[test]
fn a_bar_that_was_told_no_finer_fills_what_is_on_order() {
    let mut run = long(FillPrices::Fine);
    let (n, close, stop, _) = warm(&mut run);
    bar(&mut run, n + 1, (close, close), &[close; 4], Told::Hours);
    let done = bar(&mut run, n + 2, (close, 0.99 * stop), &[], Told::Hours);
    assert_eq!(done[0].1.reason, Reason::Stop, "{done:?}");
    bar(&mut run, n + 3, (stop, stop), &[], Told::Hours);
    let raw = &run.engine.speak.raw[0];
    assert_eq!((raw.quantity, raw.order), (0.0, 0.0));
}
