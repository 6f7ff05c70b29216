//! The embedded market against the facts it was made for, and its laws.

use super::facts::{
    absolute, closes, correlation, kurtosis, lagged, mean, moment, pairs, returns, variance_ratio,
};
use super::*;
use crate::domain::{Event, MarketEvent};
use crate::market::Feed;
use proptest::prelude::*;

fn events(settings: SynthSettings) -> Vec<Event> {
    let mut feed = SynthFeed::new(settings).unwrap();
    std::iter::from_fn(|| feed.next().unwrap()).collect()
}

/// Two-year 4-hour returns of some seeds.
fn sample(world: SynthWorld) -> Vec<Vec<Vec<f64>>> {
    let of = |seed| closes(&events(SynthSettings { seed, world, ..SynthSettings::default() }));
    (1..=4).map(|seed| of(seed).iter().map(|c| returns(c)).collect()).collect()
}

fn over(sample: &[Vec<Vec<f64>>], f: impl Fn(&[f64]) -> f64) -> f64 {
    mean(&sample.iter().flatten().map(|r| f(r)).collect::<Vec<_>>())
}

#[test]
fn the_market_has_the_facts_of_real_ones() {
    has_the_facts(&sample(SynthWorld::Market));
}

/// What two-year returns of four hours of several seeds have, by the table of the module.
fn has_the_facts(runs: &[Vec<Vec<f64>>]) {
    for r in runs.iter().flatten() {
        assert!(kurtosis(r) > 3.5, "fat tails: {}", kurtosis(r));
        let a = absolute(r);
        assert!(
            lagged(&a, 1) > 0.08 && lagged(&a, 10) > 0.03,
            "clusters: {} {}",
            lagged(&a, 1),
            lagged(&a, 10)
        );
        let vol = (moment(r, 2) * Span(4 * Span::HOUR.0).per_year()).sqrt();
        assert!((0.4..1.9).contains(&vol), "annual volatility {vol}");
    }
    // Bands around what the module's table states, as means over assets and seeds.
    let vol = over(runs, |r| (moment(r, 2) * Span(4 * Span::HOUR.0).per_year()).sqrt());
    assert!((0.8..1.4).contains(&vol), "mean annual volatility {vol}");
    let k = over(runs, kurtosis);
    assert!((6.0..25.0).contains(&k), "mean kurtosis {k}");
    for (lag, low, high) in [(1, 0.17, 0.40), (10, 0.10, 0.28), (42, 0.05, 0.2)] {
        let a = over(runs, |r| lagged(&absolute(r), lag));
        assert!((low..high).contains(&a), "|r| at lag {lag}: {a}");
    }
    let c = mean(&runs.iter().map(|r| pairs(r, correlation)).collect::<Vec<_>>());
    assert!((0.5..0.72).contains(&c), "pairs {c}");
    let one = over(runs, |r| lagged(r, 1));
    assert!(one.abs() < 0.04, "returns at lag 1: {one}");
    for (q, low, high) in [(6, 0.94, 1.12), (30, 0.9, 1.25), (120, 0.85, 1.55)] {
        let v = over(runs, |r| variance_ratio(r, q));
        assert!((low..high).contains(&v), "variance ratio over {q}: {v}");
    }
}

/// The data hash of the first two years of seed 1, and the sum of their closes.
const DATA_OF_TWO_YEARS: &str = "ea3504db62f50dc65d7f063b18370c643447d9f6b467217b96513c1a881df732";
const SUM_OF_TWO_YEARS: f64 = 162_864_291.080_994_5;

/// Closes of bars of 4 h of a long run, as logarithms.
fn decades(seed: u64, years: u32) -> Vec<Vec<f64>> {
    closes(&events(SynthSettings { seed, bars_days: 366 * years, ..SynthSettings::default() }))
}

#[test]
fn prices_stay_within_a_factor_of_fifty_over_decades() {
    const YEAR: usize = 366 * 6;
    let limit = 50_f64.ln() + 1e-3;
    for seed in 1..=3 {
        for (spec, logs) in super::spec::ASSETS.iter().zip(decades(seed, 40)) {
            let away: Vec<f64> = logs.iter().map(|log| log - spec.price.ln()).collect();
            // What the free years left beyond the bound may stay there, and goes no farther.
            let start = away[730 * 6 - 1].abs();
            let most = |part: &[f64]| part.iter().fold(0.0_f64, |m, a| m.max(a.abs()));
            let all = most(&away[730 * 6..]);
            assert!(all <= limit.max(start), "seed {seed} {}: {all}", spec.name);
            let late = most(&away[12 * YEAR..]);
            assert!(late <= limit, "seed {seed} {}: {late} after twelve years", spec.name);
            // It is a market to its end: not at a wall, and not at rest.
            let near = away[12 * YEAR..].iter().filter(|a| a.abs() > 0.95 * limit).count() as f64;
            assert!(near / (away.len() as f64) < 0.03, "seed {seed} {} is at its wall", spec.name);
            let r = returns(&logs[logs.len() - 2 * YEAR..]);
            let vol = (moment(&r, 2) * Span(4 * Span::HOUR.0).per_year()).sqrt();
            assert!((0.3..2.4).contains(&vol), "seed {seed} {}: annual volatility {vol}", spec.name);
        }
    }
}

#[test]
fn the_facts_of_real_markets_hold_when_prices_are_pulled_home() {
    let late = |seed| {
        let logs = decades(seed, 22);
        logs.iter().map(|l| returns(&l[l.len() - 730 * 6..])).collect::<Vec<_>>()
    };
    let runs: Vec<Vec<Vec<f64>>> = (1..=4).map(late).collect();
    has_the_facts(&runs);
}

#[test]
fn the_pull_begins_after_two_years_and_the_hash_of_data_knows_it() {
    let two = SynthSettings { bars_days: 730, ..SynthSettings::default() };
    let (free, longer) = (events(two), events(SynthSettings { bars_days: 1_000, ..two }));
    assert_eq!(&longer[..free.len()], &free[..]);
    // A guard, never changed together with the model: what two years have been since the first release.
    let hash = |s| SynthFeed::new(s).unwrap().info().data_hash.clone();
    assert_eq!(hash(two), DATA_OF_TWO_YEARS);
    let all = free.iter().filter_map(|e| match e {
        Event::Market(MarketEvent::Bar { bar, .. }) => Some(bar.close),
        _ => None,
    });
    assert_eq!(all.sum::<f64>(), SUM_OF_TWO_YEARS);
}

#[test]
fn funding_follows_the_premium_and_the_premium_follows_the_trend() {
    use super::path::funding_rate;
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-15, "{a} {b}");
    near(funding_rate(1e-4), 1e-4);
    near(funding_rate(6e-4), 1e-4);
    near(funding_rate(-4e-4), 1e-4);
    near(funding_rate(1e-3), 5e-4);
    near(funding_rate(-1e-3), -5e-4);
    near(funding_rate(0.1), 7.5e-3);
    near(funding_rate(-0.1), -7.5e-3);
    let all = events(SynthSettings { clock: Span::HOUR, ..SynthSettings::default() });
    let closes = closes(&all);
    let from = SynthSettings::default().from;
    let (mut rates, mut before) = (vec![Vec::new(); 10], vec![Vec::new(); 10]);
    for e in &all {
        if let Event::Market(MarketEvent::Funding { instrument, at, rate, mark }) = *e {
            assert_eq!(at.0.rem_euclid(8 * Span::HOUR.0), 0);
            let hour = (at.since(from).0 / Span::HOUR.0) as usize;
            let i = instrument.index();
            if hour > 72 {
                // The mark is the last price at the settlement.
                assert!((mark.ln() - closes[i][hour - 1]).abs() < 1e-12);
                rates[i].push(rate);
                before[i].push(closes[i][hour - 1] - closes[i][hour - 73]);
            }
        }
    }
    let by = |f: &dyn Fn(&[f64]) -> f64| mean(&rates.iter().map(|r| f(r)).collect::<Vec<_>>());
    let share = |r: &[f64], f: fn(f64) -> bool| r.iter().filter(|v| f(**v)).count() as f64 / r.len() as f64;
    let checks = [
        ("mean", by(&|r| mean(r)), 1e-4, 3e-4),
        ("mean absolute", by(&|r| mean(&absolute(r))), 1.7e-4, 3.6e-4),
        ("at the interest", by(&|r| share(r, |v| (v - 1e-4).abs() < 1e-9)), 0.35, 0.55),
        ("negative", by(&|r| share(r, |v| v < 0.0)), 0.08, 0.27),
        ("lag 1", by(&|r| lagged(r, 1)), 0.6, 0.87),
        ("lag 21", by(&|r| lagged(r, 21)), 0.1, 0.45),
        (
            "with 72 h before",
            mean(&(0..10).map(|i| correlation(&rates[i], &before[i])).collect::<Vec<_>>()),
            0.2,
            0.5,
        ),
    ];
    for (what, value, low, high) in checks {
        assert!((low..high).contains(&value), "funding {what}: {value}");
    }
}

#[test]
fn volume_rises_with_the_size_of_the_move_and_bars_are_coherent() {
    let all = events(SynthSettings { clock: Span::HOUR, bars_days: 365, ..SynthSettings::default() });
    let mut last = [None; 10];
    let (mut moves, mut volumes) = (vec![Vec::new(); 10], vec![Vec::new(); 10]);
    for e in &all {
        if let Event::Market(MarketEvent::Bar { instrument, bar, .. }) = *e {
            assert!(bar.is_valid());
            let i = instrument.index();
            assert!(last[i].is_none_or(|c| c == bar.open), "a bar opens where the last closed");
            last[i] = Some(bar.close);
            moves[i].push((bar.close / bar.open).ln().abs());
            volumes[i].push((bar.volume * bar.close).ln());
        }
    }
    for (m, v) in moves.iter().zip(&volumes) {
        let c = correlation(m, v);
        assert!((0.35..0.75).contains(&c), "volume with |r|: {c}");
    }
}

#[test]
fn the_random_walk_has_nothing_to_predict() {
    let runs = sample(SynthWorld::RandomWalk);
    let c = mean(&runs.iter().map(|r| pairs(r, correlation)).collect::<Vec<_>>());
    assert!((0.5..0.72).contains(&c), "pairs {c}");
    for (what, value, band) in [
        ("kurtosis", over(&runs, kurtosis) - 3.0, 0.1),
        ("|r| at lag 1", over(&runs, |r| lagged(&absolute(r), 1)), 0.02),
        ("r at lag 1", over(&runs, |r| lagged(r, 1)), 0.025),
        ("variance ratio of a day", over(&runs, |r| variance_ratio(r, 6)) - 1.0, 0.06),
        ("variance ratio of five", over(&runs, |r| variance_ratio(r, 30)) - 1.0, 0.13),
    ] {
        assert!(value.abs() < band, "{what}: {value}");
    }
    let all =
        events(SynthSettings { world: SynthWorld::RandomWalk, bars_days: 40, ..SynthSettings::default() });
    assert!(!all.iter().any(|e| matches!(e, Event::Market(MarketEvent::Funding { .. }))));
    // A martingale: the mean of price ratios over many short runs is one within its error.
    let ends: Vec<f64> = (0..400)
        .map(|seed| {
            let s = SynthSettings {
                seed,
                world: SynthWorld::RandomWalk,
                bars_days: 4,
                clock: Span::DAY,
                ..SynthSettings::default()
            };
            let c = closes(&events(s));
            (c[5][3] - 2_000_f64.ln()).exp()
        })
        .collect();
    let error = (moment(&ends, 2) / ends.len() as f64).sqrt();
    assert!((mean(&ends) - 1.0).abs() < 3.5 * error, "{} ± {error}", mean(&ends));
}

#[test]
fn the_same_seed_gives_the_same_market_and_another_seed_another() {
    let short = SynthSettings { bars_days: 10, ..SynthSettings::default() };
    assert_eq!(events(short), events(short));
    assert_ne!(events(short), events(SynthSettings { seed: 2, ..short }));
    let hash = |s| SynthFeed::new(s).unwrap().info().data_hash.clone();
    assert_eq!(hash(short), hash(short));
    for other in [
        SynthSettings { seed: 2, ..short },
        SynthSettings { bars_days: 11, ..short },
        SynthSettings { world: SynthWorld::RandomWalk, ..short },
    ] {
        assert_ne!(hash(short), hash(other));
    }
}

#[test]
fn rankings_are_by_dollars_and_known_after_thirty_days() {
    let feed = SynthFeed::new(SynthSettings::default()).unwrap();
    let ranks = &feed.universe().by_volume;
    assert_eq!(ranks.len(), 10);
    assert_eq!(ranks[0].known_at.since(SynthSettings::default().from), Span(30 * Span::DAY.0));
    assert_eq!(feed.universe().name(ranks[0].assets[0]), "BTC");
    let names: Vec<_> = feed.universe().assets.iter().map(|a| a.name.clone()).collect();
    assert!(names.is_sorted());
}

#[test]
fn settings_that_cannot_be_followed_are_refused_with_a_way_out() {
    let base = SynthSettings::default();
    for bad in [
        SynthSettings { clock: Span(1_800 * 1_000_000_000), ..base },
        SynthSettings { clock: Span(5 * Span::HOUR.0), ..base },
        SynthSettings { clock: Span(2 * Span::DAY.0), ..base },
        SynthSettings { from: base.from.after(Span::HOUR), ..base },
        SynthSettings { bars_days: 0, ..base },
    ] {
        let text = SynthFeed::new(bad).err().unwrap().to_string();
        assert!(text.contains("; "), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_longer_run_changes_nothing_before_its_end(seed in any::<u64>(), days in 1_u32..50, more in 1_u32..50, random_walk in any::<bool>(), clock in prop::sample::select(vec![1_i64, 4, 8, 24])) {
        let world = if random_walk { SynthWorld::RandomWalk } else { SynthWorld::Market };
        let short = SynthSettings { seed, world, bars_days: days, clock: Span(clock * Span::HOUR.0), ..SynthSettings::default() };
        let (short, long) = (events(short), events(SynthSettings { bars_days: days + more, ..short }));
        prop_assert!(long.len() > short.len());
        prop_assert_eq!(&long[..short.len()], &short[..]);
    }

    #[test]
    fn the_clock_only_groups_hours(seed in any::<u64>()) {
        let hourly = SynthSettings { seed, bars_days: 5, clock: Span::HOUR, ..SynthSettings::default() };
        let fine = closes(&events(hourly));
        let coarse = closes(&events(SynthSettings { clock: Span::DAY, ..hourly }));
        for (f, c) in fine.iter().zip(&coarse) {
            prop_assert!(f.iter().skip(23).step_by(24).eq(c.iter()));
        }
    }
}
