//! Markets that are told by REST and by sockets, in any order and with anything missing, and what becomes of them.

use super::*;
use crate::domain::random;
use crate::venues::event::FundingSettlement;
use proptest::prelude::*;

const MINUTE: i64 = 60_000_000_000;
const SECOND: i64 = 1_000_000_000;

fn minute(n: i64) -> Stamp {
    Stamp(n * MINUTE)
}

fn symbol(n: usize) -> String {
    format!("S{n}USDT")
}

/// The bar of a symbol that closes at a minute: no two are alike.
fn kline(n: usize, close: i64) -> Kline {
    let price = |what: u64| {
        Decimal::new(10_000 + random::below(random::key(n as u64, &[close as u64, what]), 100) as i64, 2)
    };
    let (open, last) = (price(0), price(1));
    Kline {
        symbol: symbol(n),
        interval: Span(MINUTE),
        open_at: minute(close - 1),
        at: minute(close),
        open,
        high: open.max(last),
        low: open.min(last),
        close: last,
        volume: Decimal::new(close, 0),
        quote_volume: None,
        closed: true,
    }
}

fn joiner(symbols: usize, from: i64) -> Joiner {
    let one = |n: usize| JoinedSymbol {
        symbol: symbol(n),
        instrument: InstrumentId(n as u16),
        contract: Decimal::ONE,
        pays_funding: true,
        rules: (Decimal::new(1, 2).into(), Decimal::ONE, Decimal::ZERO),
        state: LinkState::Up,
        settled: None,
    };
    Joiner::new(
        Span(MINUTE),
        JoinTimes::default(),
        (0..symbols).map(one).collect(),
        (minute(from), minute(from)),
    )
}

/// What a venue answers: bars and settlements (every tenth minute) as far as they are over.
fn answered(ask: &RestAsk, now: Stamp) -> Vec<PublicEvent> {
    let of = |name: &str| name[1..name.len() - 4].parse::<usize>().unwrap();
    match ask {
        RestAsk::Klines { symbol, from, to, limit, .. } => {
            let first = from.0.div_euclid(MINUTE) + 1;
            let last = to.0.min(now.0).div_euclid(MINUTE);
            (first..=last)
                .take(*limit as usize)
                .map(|close| PublicEvent::Kline(kline(of(symbol), close)))
                .collect()
        }
        RestAsk::Fundings { symbol, from, to, limit } => {
            let paid = |at: i64| {
                PublicEvent::Funding(FundingSettlement {
                    symbol: symbol.clone(),
                    at: minute(at),
                    rate: Decimal::new(1, 4),
                    mark: Some(Decimal::new(10_000, 2)),
                })
            };
            let first = (from.0 + MINUTE - 1).div_euclid(MINUTE);
            let last = to.0.min(now.0).div_euclid(MINUTE);
            (first..=last).filter(|m| m % 10 == 0).take(*limit as usize).map(paid).collect()
        }
        _ => Vec::new(),
    }
}

fn quote(n: usize, at: i64) -> PublicEvent {
    PublicEvent::Quote(BestQuote {
        symbol: symbol(n),
        at: Some(Stamp(at)),
        bid: Some((Decimal::ONE, Decimal::ONE)),
        ask: Some((Decimal::TWO, Decimal::ONE)),
        update: None,
    })
}

fn bars(events: &[Event]) -> Vec<(u16, i64, Bar)> {
    let bar = |e: &Event| match e {
        Event::Market(MarketEvent::Bar { instrument, at, bar }) => Some((instrument.0, at.0 / MINUTE, *bar)),
        _ => None,
    };
    events.iter().filter_map(bar).collect()
}

fn expected(n: usize, close: i64) -> Bar {
    let k = kline(n, close);
    Bar {
        open: to_estimate(k.open),
        high: to_estimate(k.high),
        low: to_estimate(k.low),
        close: to_estimate(k.close),
        volume: close as f64,
    }
}

/// Answers everything at once until nothing more is asked.
fn satisfy(joiner: &mut Joiner, now: Stamp) -> Vec<Event> {
    let mut told = Vec::new();
    loop {
        let asks = joiner.tick(now);
        told.extend(joiner.take());
        if asks.is_empty() {
            return told;
        }
        for ask in asks {
            let events = answered(&ask, now);
            joiner.answer(&ask, &events);
            joiner.may_ask_again(&ask);
        }
    }
}

fn is_sorted(events: &[Event]) -> bool {
    events.windows(2).all(|w| w[0].at() <= w[1].at())
}

#[test]
fn history_longer_than_an_answer_is_told_whole_and_joins() {
    let mut joiner = joiner(2, 0);
    let now = Stamp(minute(2_500).0 + 30 * SECOND);
    let told = satisfy(&mut joiner, now);
    assert!(joiner.has_joined() && joiner.told() == minute(2_500) && is_sorted(&told));
    let bars = bars(&told);
    assert_eq!(bars.len(), 5_000);
    assert!(bars.iter().all(|(n, close, bar)| *bar == expected(usize::from(*n), *close)));
    let paid = told.iter().filter(|e| matches!(e, Event::Market(MarketEvent::Funding { .. }))).count();
    assert_eq!(paid, 2 * 251, "each settlement of each, once, and the one at its very beginning");
    assert_eq!(joiner.counts(), &JoinCounts::default());
    assert!(matches!(told.last(), Some(Event::Tick(_))), "the last close is over at once");
}

#[test]
fn a_bar_that_does_not_come_is_asked_for_and_then_given_up() {
    let mut joiner = joiner(2, 0);
    satisfy(&mut joiner, Stamp(minute(5).0 + SECOND));
    // Of one symbol the socket tells the close; of the other it only quotes.
    joiner.hear(Stamp(minute(6).0 + SECOND / 10), 0, &PublicEvent::Kline(kline(0, 6)));
    joiner.hear(Stamp(minute(6).0 + SECOND / 10), 0, &quote(1, minute(6).0));
    assert!(joiner.tick(Stamp(minute(6).0 + SECOND)).is_empty() && bars(&joiner.take()).is_empty());
    let asks = joiner.tick(Stamp(minute(6).0 + 2 * SECOND));
    assert!(matches!(&asks[..], [RestAsk::Klines { symbol, .. }] if *symbol == self::symbol(1)), "{asks:?}");
    assert!(joiner.tick(Stamp(minute(6).0 + 3 * SECOND)).is_empty(), "not again at once");
    assert_eq!(joiner.tick(Stamp(minute(6).0 + 4 * SECOND)).len(), 1);
    joiner.hear(Stamp(minute(6).0 + 9 * SECOND), 0, &quote(1, minute(6).0 + 9 * SECOND));
    joiner.tick(Stamp(minute(6).0 + 9 * SECOND));
    assert!(bars(&joiner.take()).is_empty(), "it is waited for");
    joiner.tick(Stamp(minute(6).0 + 10 * SECOND));
    let told = joiner.take();
    assert_eq!(bars(&told), [(0, 6, expected(0, 6))]);
    assert_eq!((joiner.counts().late_bars, joiner.counts().late.clone()), (1, vec![(symbol(1), minute(6))]));
    // What comes too late is not told in the past.
    joiner.answer(&asks[0], &[PublicEvent::Kline(kline(1, 6))]);
    joiner.tick(Stamp(minute(6).0 + 20 * SECOND));
    assert!(bars(&joiner.take()).is_empty());
}

#[test]
fn while_history_is_not_joined_nothing_is_given_up() {
    let mut joiner = joiner(1, 0);
    for second in 0..600 {
        joiner.tick(Stamp(minute(100).0 + second * SECOND));
        assert!(joiner.take().is_empty() && !joiner.has_joined());
    }
    let told = satisfy(&mut joiner, minute(111));
    assert_eq!((bars(&told).len(), joiner.counts().late_bars), (111, 0));
}

#[test]
fn silence_is_told_once_and_its_end_too_and_nothing_is_quoted_meanwhile() {
    let mut joiner = joiner(2, 0);
    let start = minute(3).0 + SECOND;
    satisfy(&mut joiner, Stamp(start));
    let mut told = Vec::new();
    for second in 1..40 {
        let now = start + second * SECOND;
        joiner.hear(Stamp(now), 0, &quote(0, now));
        if !(10..25).contains(&second) {
            joiner.hear(Stamp(now), 0, &quote(1, now));
        }
        joiner.tick(Stamp(now));
        told.extend(joiner.take());
    }
    let of = |n: u16| {
        let health = |e: &Event| match e {
            Event::Market(MarketEvent::Health { instrument, at, state }) if instrument.0 == n => {
                Some(((at.0 - start) / SECOND, *state))
            }
            _ => None,
        };
        told.iter().filter_map(health).collect::<Vec<_>>()
    };
    assert_eq!((of(0), of(1)), (vec![], vec![(15, LinkState::Stale), (25, LinkState::Up)]));
    let quoted = told.iter().filter(|e| {
        let stale = (start + 15 * SECOND)..(start + 25 * SECOND);
        matches!(e, Event::Market(MarketEvent::Quote { instrument, at, .. }) if instrument.0 == 1 && stale.contains(&at.0))
    });
    assert_eq!(quoted.count(), 0);
    let silences = &joiner.counts().silences;
    assert_eq!(silences.len(), 1);
    assert_eq!(
        (silences[0].from, silences[0].to),
        (Stamp(start + 9 * SECOND), Some(Stamp(start + 25 * SECOND)))
    );
    // A socket that is down takes with it what came on it.
    joiner.link(0, &SocketState::Down { why: "cut".to_owned(), retry_in: Span::seconds(1) });
    joiner.tick(Stamp(start + 41 * SECOND));
    let down = joiner
        .take()
        .iter()
        .filter(|e| matches!(e, Event::Market(MarketEvent::Health { state: LinkState::Down, .. })))
        .count();
    assert_eq!(down, 2);
    assert!(is_sorted(&told));
}

#[test]
fn a_settlement_is_told_when_it_is_known_and_once() {
    let mut joiner = joiner(1, 0);
    let start = minute(8).0 + SECOND;
    satisfy(&mut joiner, Stamp(start));
    let mark = |now: i64| {
        PublicEvent::Mark(MarkPrice {
            symbol: symbol(0),
            at: Some(Stamp(now)),
            mark: Decimal::ONE,
            index: Some(Decimal::ONE),
            funding_rate: None,
            next_funding: Some(minute((now / MINUTE / 10 + 1) * 10)),
        })
    };
    let mut told = Vec::new();
    for second in 1..300 {
        let now = Stamp(start + second * SECOND);
        joiner.hear(now, 0, &mark(now.0));
        if now.0 % MINUTE == 0 {
            joiner.hear(now, 0, &PublicEvent::Kline(kline(0, now.0 / MINUTE)));
        }
        for ask in joiner.tick(now) {
            // The venue knows of it some seconds later.
            let known = Stamp(now.0 - 5 * SECOND);
            joiner.answer(
                &ask,
                &answered(&ask, if matches!(ask, RestAsk::Fundings { .. }) { known } else { now }),
            );
        }
        told.extend(joiner.take());
    }
    let paid: Vec<Stamp> = told
        .iter()
        .filter(|e| matches!(e, Event::Market(MarketEvent::Funding { .. })))
        .map(Event::at)
        .collect();
    assert_eq!(paid.len(), 1, "{paid:?}");
    assert!(paid[0] >= minute(10) && paid[0] < Stamp(minute(10).0 + 20 * SECOND), "{paid:?}");
    assert!(is_sorted(&told));
}

#[test]
fn rules_are_told_when_they_change() {
    let mut joiner = joiner(1, 0);
    satisfy(&mut joiner, minute(3));
    let rules = |tick: Decimal| {
        let rules = InstrumentRules {
            symbol: symbol(0),
            base: "S0".to_owned(),
            quote: "USDT".to_owned(),
            kind: crate::domain::InstrumentKind::Perp,
            terms: crate::domain::ContractTerms::Plain,
            tick: tick.into(),
            lot: Decimal::ONE,
            min_notional: Decimal::ZERO,
            contract: Decimal::ONE,
            inverse: false,
            status: crate::venues::event::TradingStatus::Trading,
        };
        vec![PublicEvent::Rules(vec![rules])]
    };
    let ask = RestAsk::Rules { asset: String::new() };
    joiner.answer(&ask, &rules(Decimal::new(1, 2)));
    assert!(joiner.take().is_empty());
    joiner.answer(&ask, &rules(Decimal::new(5, 1)));
    joiner.answer(&ask, &rules(Decimal::new(5, 1)));
    let told = joiner.take();
    assert!(
        matches!(&told[..], [Event::Venue(VenueEvent::Rules { tick, .. })] if *tick == Decimal::new(5, 1)),
        "{told:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever is lost on the way, late, repeated or out of order: what is told is what history alone tells, bar for bar, but
    /// for gaps that are counted.
    #[test]
    fn history_and_what_goes_on_give_what_history_alone_gives(
        symbols in 1_usize..5,
        history in 0_i64..40,
        seed: u64,
        lost in 0_u64..60,
        unanswered in 0_u64..60,
    ) {
        let mut joiner = joiner(symbols, 0);
        let from = minute(history).0;
        let end = minute(history + 30).0;
        let mut told = Vec::new();
        let mut now = from + SECOND / 2;
        let chance = |what: u64, at: i64, n: usize, of: u64| random::below(random::key(seed, &[what, at as u64, n as u64]), 100) < of;
        while now < end {
            for n in 0..symbols {
                let close = now.div_euclid(MINUTE);
                // A late joiner, lost messages, repeats, and closes that come up to twelve seconds late.
                let late = random::below(random::key(seed, &[9, close as u64, n as u64]), 13) as i64;
                let is_there = n > 0 || now > from + 7 * MINUTE;
                if is_there && now.rem_euclid(MINUTE) / SECOND >= late && !chance(1, close, n, lost) {
                    joiner.hear(Stamp(now), n % 2, &PublicEvent::Kline(kline(n, close)));
                }
            }
            for ask in joiner.tick(Stamp(now)) {
                if chance(2, now, 0, unanswered) {
                    continue;
                }
                let mut events = answered(&ask, Stamp(now));
                if chance(3, now, 0, 30) {
                    events.reverse();
                }
                joiner.answer(&ask, &events);
            }
            told.extend(joiner.take());
            now += SECOND;
        }
        prop_assert!(is_sorted(&told));
        let counts = joiner.counts().clone();
        let bars = bars(&told);
        let mut seen = BTreeSet::new();
        for (n, close, bar) in &bars {
            prop_assert_eq!(*bar, expected(usize::from(*n), *close));
            prop_assert!(seen.insert((*n, *close)), "twice");
        }
        let closes = joiner.told().0 / MINUTE;
        let all = symbols as i64 * closes;
        prop_assert_eq!(seen.len() as i64 + counts.late_bars as i64, all, "what is missing is counted");
        if lost == 0 && unanswered == 0 {
            prop_assert_eq!(counts.late_bars, 0);
        }
    }
}

#[test]
fn a_close_that_is_behind_the_clock_is_followed_by_nothing_that_is_later_than_the_next_one() {
    let mut joiner = joiner(2, 0);
    satisfy(&mut joiner, Stamp(minute(5).0 + SECOND));
    // Both closes of minute 6 are told so late that minute 7 is over too, of which one is not in.
    for (n, close) in [(0, 6), (1, 6), (0, 7)] {
        joiner.hear(Stamp(minute(7).0 + SECOND), 0, &PublicEvent::Kline(kline(n, close)));
    }
    joiner.tick(Stamp(minute(7).0 + SECOND));
    joiner.hear(Stamp(minute(7).0 + 3 * SECOND), 0, &PublicEvent::Kline(kline(1, 7)));
    joiner.tick(Stamp(minute(7).0 + 3 * SECOND));
    let told = joiner.take();
    assert!(is_sorted(&told), "{told:?}");
    assert_eq!(bars(&told).len(), 4);
}

#[test]
fn a_symbol_that_is_not_heard_of_holds_up_the_others_for_four_seconds_only() {
    let mut joiner = joiner(2, 0);
    satisfy(&mut joiner, Stamp(minute(5).0 + SECOND));
    for second in 1..60 {
        let now = Stamp(minute(5).0 + second * SECOND);
        joiner.hear(now, 0, &quote(0, now.0));
        joiner.tick(now);
    }
    joiner.take();
    joiner.hear(Stamp(minute(6).0 + SECOND / 10), 0, &PublicEvent::Kline(kline(0, 6)));
    joiner.tick(Stamp(minute(6).0 + 3 * SECOND));
    assert!(bars(&joiner.take()).is_empty());
    joiner.tick(Stamp(minute(6).0 + 4 * SECOND));
    assert_eq!((bars(&joiner.take()).len(), joiner.counts().late_bars), (1, 1));
}

#[test]
fn what_comes_on_a_link_that_is_replaced_is_not_newer_than_what_came_before() {
    let mut joiner = joiner(1, 0);
    let now = Stamp(minute(5).0 + 10 * SECOND);
    satisfy(&mut joiner, Stamp(minute(5).0 + SECOND));
    joiner.hear(now, 0, &quote(0, now.0));
    joiner.hear(now, 1, &quote(0, now.0 - SECOND));
    joiner.tick(now);
    let quoted: Vec<Stamp> = joiner
        .take()
        .iter()
        .filter(|e| matches!(e, Event::Market(MarketEvent::Quote { .. })))
        .map(Event::at)
        .collect();
    assert_eq!(quoted, [now]);
}

#[test]
fn a_settlement_at_the_close_at_which_it_was_broken_off_is_told_once() {
    let now = minute(25);
    let paid = |settled: Option<Stamp>| {
        let of = joiner(1, 20).symbols.remove(0).is;
        let of = JoinedSymbol { settled, ..of };
        let mut joiner = Joiner::new(Span(MINUTE), JoinTimes::default(), vec![of], (minute(20), minute(20)));
        let told = satisfy(&mut joiner, now);
        told.iter()
            .filter(|e| matches!(e, Event::Market(MarketEvent::Funding { .. })))
            .map(Event::at)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        paid(None),
        [minute(20)],
        "the bars of minute 20 were told, and what was settled then was not"
    );
    assert_eq!(paid(Some(minute(10))), [minute(20)]);
    assert_eq!(paid(Some(minute(20))), [], "it was told");
    assert_eq!(paid(Some(Stamp(minute(20).0 + 3 * SECOND))), [], "told when it was known");
}
