//! Nothing that is finite ends the program: markets that are flat, mad, short or lonely, and rows times powers of ten.
//! `HIVE_MARKETS=100000` tries as many; `tests/long/markets.sh` does.

use super::any_series::everybody;
use super::stage::universe;
use crate::common::{Run, bar_at};
use hive_core::engine::Outputs;
use hive_core::fills::Costs;
use hive_domain::money::to_estimate;
use hive_domain::{Bar, Event, InstrumentId, MarketEvent, random};

/// A number of a market, which depends on the market and on what it is for alone.
struct Draws(u64);

impl Draws {
    fn number(&self, what: &[u64]) -> f64 {
        random::uniform(random::key(self.0, what))
    }

    fn one_of<T: Copy>(&self, what: &[u64], all: &[T]) -> T {
        all[(self.number(what) * all.len() as f64) as usize]
    }

    /// 10ʲ, for −30 ≤ j ≤ 30.
    fn power(&self, what: &[u64]) -> f64 {
        libm::pow(10.0, libm::floor(61.0 * self.number(what)) - 30.0)
    }
}

/// One price of a bar, or all of it, times a power of ten: still a bar that is none by itself.
fn spoil(bar: &mut Bar, draws: &Draws, key: u64) {
    let by = draws.power(&[key, 1]);
    match (6.0 * draws.number(&[key, 2])) as u32 {
        0 => [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close].into_iter().for_each(|p| *p *= by),
        1 => bar.close *= by,
        2 => bar.open *= by,
        3 => bar.high *= by,
        4 => bar.low *= by,
        _ => bar.volume *= by * by,
    }
    bar.high = bar.high.max(bar.open).max(bar.close);
    bar.low = bar.low.min(bar.open).min(bar.close);
}

/// All events of the n-th market, and how many assets it has.
fn market(n: u64) -> (usize, Vec<Event>) {
    let draws = Draws(random::key(41, &[n]));
    let assets = draws.one_of(&[0], &[1, 1, 2, 3]);
    let bars = draws.one_of(&[1], &[1, 2, 40, 90, 140]);
    let first = draws.one_of(&[2], &[100.0, 1.0, 0.02, 30_000.0]);
    let (calm, wild) =
        (draws.one_of(&[3], &[0.0, 0.004, 0.02, 0.5, 2.0]), draws.one_of(&[4], &[0.0, 0.0, 0.02, 0.3]));
    let volume = draws.one_of(&[5], &[1e6, 0.0, f64::INFINITY, 1e-12, 1e300]);
    let (mut last, mut events) = (vec![first; assets], Vec::new());
    for i in 1..=bars {
        let at = bar_at(i as i64);
        for (a, last) in last.iter_mut().enumerate() {
            let key = |what: u64| [10 + what, i, a as u64];
            let open = *last;
            let close =
                (open * libm::exp(calm * random::normal(random::key(draws.0, &key(0))))).clamp(1e-9, 1e12);
            let mut bar = Bar { open, high: open.max(close), low: open.min(close), close, volume };
            if draws.number(&key(1)) < wild {
                spoil(&mut bar, &draws, random::key(draws.0, &key(2)));
            }
            // Some of it stays there.
            *last = if draws.number(&key(3)) < 0.2 { bar.close } else { close };
            let instrument = InstrumentId(a as u16);
            events.push(Event::Market(MarketEvent::Bar { instrument, at, bar }));
            if i % 2 == 0 {
                let rate = 0.05 * (draws.number(&key(4)) - 0.5);
                events.push(Event::Market(MarketEvent::Funding { instrument, at, rate, mark: bar.close }));
            }
        }
        events.push(Event::Barrier(at));
    }
    (assets, events)
}

#[test]
fn nothing_that_is_finite_ends_the_program() {
    let cases = std::env::var("HIVE_MARKETS").ok().and_then(|n| n.parse().ok()).unwrap_or(3_000_u64);
    let (mut said, mut held, mut ruined, mut beyond) = (0, 0, 0, 0);
    for n in 0..cases {
        let (assets, events) = market(n);
        let mut config = everybody();
        if n % 2 == 0 {
            config.costs = Costs::default();
        }
        let mut run = Run::start(&config, &universe(&["AAA", "BBB", "CCC"][..assets]));
        let mut out = Outputs::default();
        for event in &events {
            run.step(event, &mut out);
        }
        let account = &run.engine.respond.real.account;
        // Amounts beyond a million million are refused by the books: the run ends in doubt, and says why.
        let balances = run.engine.balances();
        let refused = run.alarms.iter().chain(balances.as_ref().err());
        if refused.into_iter().any(|why| why.contains("leaves the range of the books")) {
            beyond += 1;
        } else {
            assert_eq!(balances, Ok(()), "market {n}");
            assert_eq!(account.halted.is_some(), account.ruin.is_some(), "market {n}: {:?}", account.halted);
        }
        assert!(to_estimate(account.equity()).is_finite());
        let number = |text: String| {
            !["NaN", "inf"].iter().any(|w| text.split(|c: char| !c.is_alphanumeric()).any(|x| x == *w))
        };
        assert!(run.messages.iter().all(|m| number(format!("{:?}", m.body))), "market {n}");
        said += run.messages.len();
        held += run.engine.speak.market.doubts.count;
        ruined += u32::from(account.ruin.is_some());
    }
    println!(
        "{cases} markets: {said} messages, {held} bars held back, {ruined} ruined, {beyond} beyond the books"
    );
    assert!(said > 10 * cases as usize && held > cases / 4 && beyond <= cases / 1_000);
}
