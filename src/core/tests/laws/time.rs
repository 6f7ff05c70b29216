//! Law 4: nothing is heard before it is said, nothing is known before it happened, and the order in which
//! the bars of a stamp arrive does not matter.

use crate::common::{Run, Tape, flat, hash, run, shipped};
use hive_core::engine::Outputs;
use hive_domain::{Event, Fill, MarketEvent, Message, Span, Stamp, random};
use hive_market::synth::SynthWorld;

const DAYS: u32 = 200;

/// Messages and fills of the steps up to a stamp.
fn until(run: &Run, stamp: Stamp) -> (&[Message], Vec<Fill>) {
    let messages = run.messages.partition_point(|m| m.at <= stamp);
    // A fill's stamp is the open of its bar, a bar before the step that told it.
    let bar = Span(4 * Span::HOUR.0);
    let fills = run.fills.iter().copied().filter(|f| f.at.after(bar) <= stamp).collect();
    (&run.messages[..messages], fills)
}

fn cuts(tape: &Tape, seed: u64, n: u64) -> Vec<usize> {
    let some = tape.barriers() as u64 - 120;
    (0..n).map(|i| 100 + random::below(random::key(seed, &[i]), some) as usize).collect()
}

#[test]
fn law04_no_look_ahead_by_truncation() {
    let tape = Tape::market(DAYS);
    let whole = run(&shipped(), &tape);
    for cut in cuts(&tape, 11, 5) {
        let place = tape.after(cut);
        let mut part = Run::start(&shipped(), &tape.universe);
        part.play(&tape.events[..place]);
        let stamp = tape.events[place - 1].at();
        let (messages, fills) = until(&whole, stamp);
        assert_eq!(part.messages, messages, "cut at {stamp}");
        assert_eq!(part.fills, fills, "cut at {stamp}");
    }
}

#[test]
fn law04_perturbing_the_future_changes_nothing_before() {
    let tape = Tape::market(DAYS);
    let whole = run(&shipped(), &tape);
    for (n, cut) in cuts(&tape, 13, 5).into_iter().enumerate() {
        let stamp = tape.events[tape.after(cut) - 1].at();
        let mut other = tape.clone();
        other.change_after(stamp, |id, at, bar| {
            let by = 1.0 + 0.3 * random::uniform(random::key(n as u64, &[u64::from(id.0), at.0 as u64]));
            for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
                *price *= by;
            }
            bar.volume *= 2.0;
        });
        let mut a = Run::start(&shipped(), &tape.universe);
        let mut b = Run::start(&shipped(), &tape.universe);
        let place = tape.after(cut);
        a.play(&tape.events[..place]);
        b.play(&other.events[..place]);
        assert_eq!(a.engine.state_hash(), b.engine.state_hash());
        a.play(&tape.events[place..]);
        b.play(&other.events[place..]);
        assert_eq!(a.engine.state_hash(), whole.engine.state_hash());
        assert_ne!(a.engine.state_hash(), b.engine.state_hash(), "the future was changed");
        assert_eq!(until(&a, stamp), until(&b, stamp), "at {stamp}");
        // Orders of the last barrier before the change meet another open: sized before, priced after.
        let first = |r: &Run| {
            let next = r.fills.iter().filter(|f| f.at == stamp);
            next.map(|f| (f.order, f.instrument, f.quantity)).collect::<Vec<_>>()
        };
        assert_eq!(first(&a), first(&b), "quantities were decided before");
    }
}

#[test]
fn law04_order_of_bars_within_a_stamp_does_not_matter() {
    let tape = Tape::market(DAYS);
    let straight = run(&shipped(), &tape);
    for seed in 1..=2 {
        let mut events = tape.events.clone();
        let mut from = 0;
        for i in 0..events.len() {
            let is_bar = matches!(events[i], Event::Market(MarketEvent::Bar { .. }));
            if is_bar && from < i && matches!(events[from], Event::Market(MarketEvent::Bar { .. })) {
                // Fisher and Yates, over the bars of this stamp.
                let j = from + random::below(random::key(seed, &[i as u64]), (i - from) as u64 + 1) as usize;
                events.swap(i, j);
            } else {
                from = i;
            }
        }
        assert_ne!(events, tape.events);
        let mut mixed = Run::start(&shipped(), &tape.universe);
        mixed.play(&events);
        assert_eq!(mixed.engine.state_hash(), straight.engine.state_hash());
        assert_eq!(mixed.messages, straight.messages);
        let sorted = |r: &Run| {
            let mut fills = r.fills.clone();
            fills.sort_by_key(|f| (f.at, f.instrument));
            fills
        };
        assert_eq!(sorted(&mixed), sorted(&straight));
    }
}

#[test]
fn law04_orders_fill_at_the_first_price_after() {
    let tape = Tape::market(DAYS);
    let mut run = Run::start(&shipped(), &tape.universe);
    let mut out = Outputs::default();
    let bar_length = Span(4 * Span::HOUR.0);
    let (mut fills, mut first, mut partial) = (0, 0, 0);
    for event in &tape.events {
        let from = run.fills.len();
        run.step(event, &mut out);
        for fill in &run.fills[from..] {
            let Event::Market(MarketEvent::Bar { instrument, at, bar }) = *event else {
                panic!("{fill:?} without a bar")
            };
            let order = run.engine.respond.real.execution.router.orders.get(fill.order).unwrap();
            assert_eq!((fill.instrument, order.instrument), (instrument, instrument));
            assert_eq!(fill.at.after(bar_length), at, "told with the bar that filled it");
            assert!(fill.at >= order.at, "decided at {}, filled at {}", order.at, fill.at);
            let mark = hive_domain::money::to_estimate(fill.mark);
            assert!((mark - bar.open).abs() < 1e-9 * bar.open, "the mark is the open");
            let worse = (fill.price - fill.mark) * fill.quantity;
            assert!(worse >= hive_domain::Decimal::ZERO, "a taker pays at least the open: {fill:?}");
            fills += 1;
            first += u32::from(fill.at == order.at);
            partial += u32::from(fill.number > 1);
        }
    }
    assert!(fills > 100, "{fills}");
    assert_eq!(first + partial, fills, "the first fill of an order is at the first price after it");
}

#[test]
fn law04_a_planted_signal_earns_only_where_timing_allows() {
    // Returns that last for eight bars, and returns of which the sign is told one bar too late to act
    // on: every second bar takes the one before it back. A trend follower with short averages earns in
    // the first and cannot earn in the second, where knowing the running bar would make it rich.
    let sharpe = |persistent: bool| {
        let mut tape = Tape::synth(SynthWorld::RandomWalk, 21, 300);
        let mut price: Vec<f64> = vec![100.0; 10];
        let mut last: Vec<f64> = vec![0.0; 10];
        let start = tape.events[0].at();
        tape.change_after(Stamp(i64::MIN), |id, at, bar| {
            let i = id.index();
            let n = at.since(start).0 / (4 * Span::HOUR.0);
            let noise = random::normal(random::key(5, &[i as u64, n as u64]));
            let r = if persistent {
                let block = random::uniform(random::key(6, &[i as u64, n as u64 / 24]));
                0.004 * (block - 0.5).signum() + 0.002 * noise
            } else if n % 2 == 1 {
                0.02 * noise.signum()
            } else {
                -last[i]
            };
            last[i] = r;
            let open = price[i];
            let close = open * r.exp();
            price[i] = close;
            (bar.open, bar.close) = (open, close);
            (bar.high, bar.low) = (open.max(close), open.min(close));
        });
        let mut config = shipped();
        flat(&mut config, 0.0);
        config.roster.scouts = 0;
        config.roster.agents.retain(|a| a.family == hive_domain::FamilyId::Trend);
        for agent in &mut config.roster.agents {
            let range = |from, to| hive_core::agents::declaration::DrawnNumber { from, to };
            agent.params.insert("fast".into(), range(2.0, 3.0));
            agent.params.insert("slow".into(), range(8.0, 10.0));
        }
        run(&config, &tape).engine.speak.curve.sharpe()
    };
    let (rich, poor) = (sharpe(true), sharpe(false));
    assert!(rich > 3.0, "what lasts is earned: {rich}");
    assert!(poor < 0.0, "what is over cannot be earned: {poor}");
}

#[test]
fn what_is_said_is_heard_in_the_same_barrier_and_never_before() {
    let tape = Tape::market(100);
    let mut run = Run::start(&shipped(), &tape.universe);
    let mut out = Outputs::default();
    for event in &tape.events {
        let from = run.messages.len();
        let heard = hash(&run.engine.respond.consensus);
        run.step(event, &mut out);
        if matches!(event, Event::Barrier(_)) {
            assert!(run.messages[from..].iter().all(|m| m.at == event.at()));
        } else {
            assert_eq!(run.messages.len(), from, "agents of the clock speak at its barriers");
            assert_eq!(hash(&run.engine.respond.consensus), heard);
        }
    }
    let numbers: Vec<u64> = run.messages.iter().map(|m| m.id.0).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "numbered in order, without a gap");
}
