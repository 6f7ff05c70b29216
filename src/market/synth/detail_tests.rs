//! The laws of the embedded market's detail.

use super::facts::mean;
use super::*;
use crate::domain::{
    AssetId, Bar, ContractTerms, Event, Instrument, InstrumentId, InstrumentKind as Kind, MarketEvent,
};
use crate::market::feed::sought;
use crate::market::pricing::option::{OptionTerms as Option_, Right, black};
use crate::market::{Feed, FeedReport, Market};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn settings(run_days: u32, days: u32, step: Span, faults: bool) -> SynthSettings {
    let base = SynthSettings::default();
    let detail = Detail { step, faults, ..Detail::last(days, base.from, run_days) };
    SynthSettings { bars_days: run_days, detail: Some(detail), ..base }
}

pub(super) fn minutes(n: i64) -> Span {
    Span::seconds(60 * n)
}

/// Plays a feed to its end.
pub(super) fn play(settings: SynthSettings, mut hear: impl FnMut(&Event, &[Instrument])) -> FeedReport {
    let mut feed = SynthFeed::new(settings).unwrap();
    let listed = feed.universe().instruments.clone();
    while let Some(e) = feed.next().unwrap() {
        hear(&e, &listed);
    }
    feed.report()
}

fn events(settings: SynthSettings) -> Vec<Event> {
    let mut all = Vec::new();
    play(settings, |e, _| all.push(*e));
    all
}

/// Whether a feed without detail says it too.
fn is_plain(e: &Event) -> bool {
    match e {
        Event::Market(MarketEvent::Bar { .. }) | Event::Barrier(_) => true,
        Event::Market(MarketEvent::Funding { instrument, .. }) => instrument.index() < 10,
        _ => false,
    }
}

/// A symbol's id.
pub(super) fn id(listed: &[Instrument], symbol: &str) -> InstrumentId {
    listed.iter().find(|i| i.symbol == symbol).unwrap().id
}

#[test]
fn detail_changes_no_bar_and_its_absence_changes_nothing() {
    for clock in [Span::HOUR, Span(4 * Span::HOUR.0), Span::DAY] {
        let with = SynthSettings { clock, ..settings(4, 2, minutes(15), true) };
        let without = events(SynthSettings { detail: None, ..with });
        let kept: Vec<Event> = events(with).into_iter().filter(is_plain).collect();
        assert_eq!(kept, without);
        assert!(without.iter().all(is_plain));
        let hash = |s| SynthFeed::new(s).unwrap().info().data_hash.clone();
        assert_ne!(hash(with), hash(SynthSettings { detail: None, ..with }));
    }
    // The market of before there was detail.
    let plain = SynthFeed::new(SynthSettings { bars_days: 90, seed: 3, ..SynthSettings::default() }).unwrap();
    assert_eq!(plain.info().data_hash, GOLDEN_HASH);
    assert_eq!(plain.universe().instruments.len(), 10);
}

const GOLDEN_HASH: &str = "f35a40c551c9b0e0155e0e068f63bb2d42f3a987691b23c0cb3c1bce82668256";

#[test]
fn stamps_never_fall_and_end_with_the_bars_of_the_bucket() {
    let mut last = Stamp(0);
    let mut barred = false;
    let mut count = 0_u64;
    play(settings(3, 2, minutes(5), true), |e, _| {
        match e {
            Event::Barrier(_) => barred = false,
            Event::Market(MarketEvent::Bar { .. }) => barred = true,
            Event::Market(MarketEvent::Funding { .. }) => return,
            Event::Market(_) => {
                assert!(!barred, "detail after the bars");
                count += 1;
            }
            Event::Command(..) | Event::Venue(_) | Event::Tick(_) => {}
        }
        assert!(e.at() >= last, "{last} then {e:?}");
        last = e.at();
    });
    assert!(count > 10_000);
}

#[test]
fn everything_that_is_said_counts_and_only_what_is_listed_is_quoted() {
    let s = settings(9, 9, minutes(30), false);
    let mut market = Market::quoted(0);
    let mut told = BTreeSet::new();
    play(s, |e, listed| {
        if market.instruments.is_empty() {
            market = Market::quoted(listed.len());
        }
        if let Event::Market(m) = e {
            assert!(market.take(m), "{m:?}");
            told.extend(m.instrument());
            if let (MarketEvent::Quote { .. }, Some(i)) = (m, m.instrument()) {
                let i = &listed[i.index()];
                assert!(i.terms.expiry().is_none_or(|t| m.at() <= t));
            }
        }
    });
    assert!(market.vol.len() == 2);
    let feed = SynthFeed::new(s).unwrap();
    let symbols: BTreeSet<_> = feed.universe().instruments.iter().map(|i| (&i.venue, &i.symbol)).collect();
    assert_eq!(symbols.len(), feed.universe().instruments.len(), "no symbol twice on a venue");
    assert!(told.len() + 40 > feed.universe().instruments.len(), "nearly all that is listed is told of");
    let btc = id(&feed.universe().instruments, "BTCUSDT");
    assert_eq!(market.book(btc).map(|b| (b.bids.len(), b.asks.len())), Some((10, 10)));
    assert_eq!(feed.universe().desk().len(), 10);
    assert!(feed.universe().desk().iter().enumerate().all(|(i, d)| d.asset == AssetId(i as u16)));
}

#[test]
fn mids_and_trades_of_the_perp_stay_in_their_hours_bar_and_end_at_its_close() {
    let s = SynthSettings { clock: Span::HOUR, ..settings(6, 6, minutes(1), false) };
    let mut seen: BTreeMap<InstrumentId, (f64, f64, f64)> = BTreeMap::new();
    let mut hours = 0;
    play(s, |e, _| match *e {
        Event::Market(MarketEvent::Quote { instrument, bid, ask, .. }) if instrument.index() < 10 => {
            let mid = f64::midpoint(bid, ask);
            let x = seen.entry(instrument).or_insert((mid, mid, mid));
            *x = (x.0.min(mid), x.1.max(mid), mid);
        }
        Event::Market(MarketEvent::Trade { instrument, price, .. }) if instrument.index() < 10 => {
            let x = seen.entry(instrument).or_insert((price, price, price));
            *x = (x.0.min(price), x.1.max(price), x.2);
        }
        Event::Market(MarketEvent::Bar { instrument, bar: Bar { low, high, close, .. }, .. }) => {
            if let Some((l, h, c)) = seen.remove(&instrument) {
                let hair = 1e-9 * close;
                assert!(l >= low - hair && h <= high + hair, "{l} … {h} outside {low} … {high}");
                assert!((c - close).abs() < hair);
                hours += 1;
            }
        }
        _ => {}
    });
    assert_eq!(hours, 3 * 6 * 24);
}

/// What a contract settled at and what was last quoted, and the index's half-hour and hour means.
#[test]
fn contracts_settle_at_what_their_terms_say() {
    let s = settings(95, 95, minutes(10), false);
    let mut index: BTreeMap<(AssetId, Stamp), f64> = BTreeMap::new();
    let mut last_mid: BTreeMap<InstrumentId, f64> = BTreeMap::new();
    let mut count = BTreeMap::new();
    play(s, |e, listed| match *e {
        Event::Market(MarketEvent::Mark { instrument, at, index: i, mark, .. }) => {
            let of = &listed[instrument.index()];
            if instrument.index() < 10 {
                index.insert((of.asset, at), i);
                index.retain(|(_, t), _| at.since(*t).0 <= 25 * Span::HOUR.0);
            } else if of.kind == Kind::Future {
                last_mid.insert(instrument, mark);
            }
        }
        Event::Market(MarketEvent::Quote { instrument, bid, ask, .. }) => {
            if matches!(listed[instrument.index()].kind, Kind::Option | Kind::Move) {
                last_mid.insert(instrument, f64::midpoint(bid, ask));
            }
        }
        Event::Market(MarketEvent::Settled { instrument, at, price }) => {
            let of = &listed[instrument.index()];
            // The price that is told at a stamp holds until the next.
            let over = |from: Stamp, to: Stamp| {
                let held: Vec<f64> = (0..to.since(from).0 / minutes(10).0)
                    .map(|k| index[&(of.asset, from.after(Span(k * minutes(10).0)))])
                    .collect();
                mean(&held)
            };
            let now = index[&(of.asset, at)];
            let known = match of.terms {
                ContractTerms::Future { expiry } => {
                    assert_eq!(at, expiry);
                    assert!((last_mid[&instrument] / price - 1.0).abs() < 1e-9, "converged");
                    now
                }
                ContractTerms::Option { expiry, .. } => {
                    assert_eq!(at, expiry);
                    over(Stamp(at.0 - minutes(30).0), at)
                }
                ContractTerms::Move { fixing, expiry } => {
                    assert_eq!(at, expiry);
                    if fixing == SynthSettings::default().from {
                        return;
                    }
                    let strike = over(fixing, fixing.after(Span::HOUR));
                    (over(Stamp(at.0 - Span::HOUR.0), at) - strike).abs()
                }
                _ => panic!("{of:?} does not end"),
            };
            assert!((price - known).abs() < 1e-6 * now, "{}: {price}, not {known}", of.symbol);
            *count.entry(of.kind).or_insert(0) += 1;
        }
        _ => {}
    });
    assert_eq!(count[&Kind::Future], 3);
    assert!(count[&Kind::Option] > 2_000 && count[&Kind::Move] >= 185);
}

/// Quotes of one moment: (expiry, strike, call) → bid, ask, of one asset; and forwards.
type ChainQuotes = BTreeMap<(Stamp, i64, bool), (f64, f64)>;

fn chains(s: SynthSettings, mut hear: impl FnMut(Stamp, &ChainQuotes, &BTreeMap<Stamp, f64>)) {
    let (mut chain, mut forwards, mut now) = (ChainQuotes::new(), BTreeMap::new(), Stamp(0));
    play(s, |e, listed| {
        let Event::Market(m) = e else { return };
        let Some(of) = m.instrument().map(|i| &listed[i.index()]) else { return };
        let ContractTerms::Option { expiry, strike, call, .. } = of.terms else { return };
        if of.asset != AssetId(3) {
            return;
        }
        if m.at() != now {
            hear(now, &chain, &forwards);
            chain.clear();
            forwards.clear();
            now = m.at();
        }
        match *m {
            MarketEvent::Quote { bid, ask, .. } => {
                chain.insert((expiry, strike as i64, call), (bid, ask));
            }
            MarketEvent::Implied { forward, .. } => {
                forwards.insert(expiry, forward);
            }
            _ => {}
        }
    });
}

#[test]
fn the_chain_has_parity_within_the_spread_and_no_arbitrage_at_its_mids() {
    let tick = 0.1;
    let (mut pairs, mut flies, mut size) = (0, 0, Vec::new());
    chains(settings(20, 20, Span::HOUR, false), |_, chain, forwards| {
        size.push(chain.len() as f64);
        let mid = |k: &(Stamp, i64, bool)| chain.get(k).map(|q| f64::midpoint(q.0, q.1));
        for (&(expiry, strike, call), &(bid, ask)) in chain {
            let forward = forwards[&expiry];
            let k = strike as f64;
            if let Some(put) = chain.get(&(expiry, strike, false)).filter(|_| call) {
                // Neither conversion nor reversal pays.
                assert!(bid - put.1 <= forward - k + 1e-6 && ask - put.0 >= forward - k - 1e-6);
                assert!(
                    (f64::midpoint(bid, ask) - f64::midpoint(put.0, put.1) - (forward - k)).abs()
                        <= tick + 1e-6
                );
                pairs += 1;
            }
            let intrinsic = if call { forward - k } else { k - forward };
            assert!(f64::midpoint(bid, ask) >= intrinsic - tick);
        }
        // Calls fall and are convex in the strike; later ones with the same strike are costlier.
        let calls: Vec<(Stamp, i64)> = chain.keys().filter(|k| k.2).map(|k| (k.0, k.1)).collect();
        for w in calls.windows(3).filter(|w| w[0].0 == w[2].0) {
            let c: Vec<f64> = w.iter().filter_map(|(t, k)| mid(&(*t, *k, true))).collect();
            let weight = (w[2].1 - w[1].1) as f64 / (w[2].1 - w[0].1) as f64;
            assert!(c[0] >= c[1] - tick && c[1] >= c[2] - tick);
            assert!(weight * c[0] + (1.0 - weight) * c[2] >= c[1] - tick, "butterfly {w:?} {c:?}");
            flies += 1;
        }
    });
    assert!(pairs > 5_000 && flies > 5_000);
}

#[test]
fn implied_volatility_gives_back_the_quote() {
    let mut implied = BTreeMap::new();
    let mut checked = 0;
    play(settings(2, 2, Span::HOUR, false), |e, listed| {
        if let Event::Market(MarketEvent::Quote { instrument, bid, ask, at, .. }) = *e
            && listed[instrument.index()].kind == Kind::Option
        {
            implied.insert(instrument, (at, bid, ask));
        }
        if let Event::Market(MarketEvent::Implied { instrument, at, sigma, forward }) = *e
            && let ContractTerms::Option { expiry, strike, call, .. } = listed[instrument.index()].terms
            && let Some(&(when, bid, ask)) = implied.get(&instrument)
            && when == at
        {
            let right = if call { Right::Call } else { Right::Put };
            let years = expiry.since(at).in_units_of(Span::YEAR);
            let worth = black(forward, 1.0, Option_ { right, strike, years }, sigma).unwrap().value;
            assert!(bid <= worth + 1e-6 && worth <= ask + 1e-6, "{bid} {worth} {ask}");
            checked += 1;
        }
    });
    assert!(checked > 2_000);
}

#[test]
fn every_fault_appears_where_faults_are_asked_for_and_none_where_not() {
    let mut wild = 0;
    let calm = play(settings(60, 60, minutes(5), false), |e, _| {
        if let Event::Market(MarketEvent::Quote { bid, ask, .. }) = e {
            assert!(bid < ask);
        }
    });
    assert_eq!(calm.faults, FaultCounts::default());
    let (mut last, mut silent) = ([Stamp(0); 2], [Span(0); 2]);
    let mut refused = 0;
    let mut mids = BTreeMap::new();
    let (mut apart, mut crashed) = (0, 0);
    let report = play(settings(120, 120, minutes(4), true), |e, listed| {
        if let Event::Market(MarketEvent::Quote { instrument, at, bid, ask, .. }) = *e {
            let of = &listed[instrument.index()];
            let venue = usize::from(of.venue == BETA);
            silent[venue] = silent[venue].max(at.since(if last[venue].0 == 0 { at } else { last[venue] }));
            last[venue] = at;
            refused += u64::from(bid >= ask);
            let mid = f64::midpoint(bid, ask);
            if let Some(before) = mids.insert(instrument, mid) {
                wild += u64::from(
                    mid / before > 5.0 && bid < ask && of.kind != Kind::Option && of.kind != Kind::Move,
                );
            }
            if of.symbol == "BTC-USDT"
                && let Some(alpha) = mids.get(&id(listed, "BTC/USDT"))
            {
                let off = (mid / alpha - 1.0).abs();
                apart += u64::from((0.01..0.04).contains(&off));
                crashed += u64::from((0.05..0.25).contains(&off));
            }
        }
    });
    let FaultCounts { outages, bad_ticks, depegs, absences, flash_crashes } = report.faults;
    assert!(outages > 5 && bad_ticks > 20 && depegs > 0 && absences > 2 && flash_crashes > 2);
    assert!(silent.iter().all(|s| *s > minutes(5)), "outages are silences");
    assert!(refused > 0 && wild > 0 && apart > 0 && crashed > 0);
}

#[test]
fn detail_that_cannot_be_followed_is_refused_with_a_way_out() {
    let good = settings(10, 5, minutes(1), false);
    let detail = good.detail.unwrap();
    for bad in [
        Detail { step: Span::seconds(7), ..detail },
        Detail { step: Span(1), ..detail },
        Detail { step: Span(2 * Span::HOUR.0), ..detail },
        Detail { from: detail.from.after(Span::HOUR), ..detail },
        Detail { from: Stamp(0), ..detail },
        Detail { from: detail.from.after(Span(5 * Span::DAY.0)), ..detail },
    ] {
        let text = SynthFeed::new(SynthSettings { detail: Some(bad), ..good }).err().unwrap().to_string();
        assert!(text.contains("; "), "{text}");
    }
    assert_eq!(AssetSet::parse("BTC+ETH+SOL"), Ok(AssetSet::default()));
    assert_eq!(AssetSet::parse("BTC+XYZ"), Err("XYZ".to_owned()));
    assert_eq!(AssetSet::default().to_string(), "BTC+ETH+SOL");
}

#[test]
fn every_asset_and_every_step_can_be_detailed() {
    let all = AssetSet::parse("ADA+AVAX+BNB+BTC+DOGE+ETH+LINK+LTC+SOL+XRP").unwrap();
    for (assets, step) in [
        (all, Span::HOUR),
        (AssetSet::parse("DOGE").unwrap(), minutes(20)),
        (AssetSet::default(), Span::seconds(5)),
    ] {
        let base = settings(1, 1, step, true);
        let detail = Detail { assets, ..base.detail.unwrap() };
        for world in [SynthWorld::Market, SynthWorld::RandomWalk] {
            let mut n = 0;
            play(SynthSettings { world, detail: Some(detail), ..base }, |_, _| n += 1);
            assert!(n > 200);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_longer_detailed_run_changes_nothing_before_its_end(seed in any::<u64>(), days in 1_u32..6, more in 1_u32..6, skip in 0_u32..3, faults in any::<bool>()) {
        let base = SynthSettings { seed, bars_days: days + skip, ..SynthSettings::default() };
        let from = base.from.after(Span(i64::from(skip) * Span::DAY.0));
        let detail = Some(Detail { from, step: minutes(30), faults, assets: AssetSet::default() });
        let short = SynthSettings { detail, ..base };
        let long = SynthSettings { bars_days: days + skip + more, ..short };
        let (a, b) = (events(short), events(long));
        prop_assert!(b.len() > a.len());
        prop_assert_eq!(&b[..a.len()], &a[..]);
        prop_assert_eq!(&a, &events(short));
        let listed = |s| SynthFeed::new(s).unwrap().universe().instruments.clone();
        let (x, y) = (listed(short), listed(long));
        prop_assert_eq!(&y[..x.len()], &x[..]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_sought_market_gives_what_a_read_one_gives(
        seed in 0_u64..1_000,
        hours in prop::sample::select(vec![1, 4, 24]),
        step in prop::option::of(prop::sample::select(vec![60_i64, 900, 3_600])),
        faults: bool,
        walk: bool,
        parts in [0.0..1.0, 0.0..1.0],
    ) {
        let step = step.map(Span::seconds);
        let world = if walk { SynthWorld::RandomWalk } else { SynthWorld::Market };
        let settings = SynthSettings {
            seed,
            world,
            clock: Span(hours * Span::HOUR.0),
            ..step.map_or_else(
                || SynthSettings { bars_days: 800, ..SynthSettings::default() },
                // With long steps days go by, and contracts end.
                |step| settings(6, if step < Span::seconds(900) { 1 } else { 5 }, step, faults),
            )
        };
        sought::gives_what_read_gives(|| SynthFeed::new(settings).unwrap(), &parts);
    }
}

/// What is kept of it beside every checkpoint.
#[test]
fn the_position_of_a_market_in_detail_is_small() {
    let mut feed = SynthFeed::new(settings(6, 5, Span::seconds(60), true)).unwrap();
    let mut largest = 0;
    for n in 0..1_000_000 {
        if feed.next().unwrap().is_none() {
            break;
        }
        if n % 4_999 == 0 {
            largest = largest.max(feed.position().unwrap().size());
        }
    }
    assert!((10_000..100_000).contains(&largest), "{largest} bytes");
}
