//! One figure for several markets: the same systems lived through each, and what one has over another is averaged
//! over them.
//!
//! ```text
//! Δ joint = (Δ1 + … + Δm) / m          each Δk the mean over seeds in market k
//! ```
//!
//! Markets of the same time are not independent: a crash is one for all of them. So the days of the calendar are
//! resampled, one stationary bootstrap over all days that any market has, and every market takes from a draw those
//! of its days that were drawn; days that it does not have are skipped for it. What moves all markets on the same
//! day is then in all of them or in none.
//!
//! # Invariants
//!
//! 1. The draws are those of [`Resampled::new`] over the calendar: of a market and itself the joint figure is the
//!    market's own, to the last bit.
//! 2. A pair of which a market is not told has no joint figure: fewer markets would be another question.

use super::arms::Arm;
use super::bootstrap::{self, BLOCK_DAYS, DRAWS, Resampled};
use super::goals::{self, ArmDraws, Compared, GOAL_DRAWS};
use super::report::{Joint, MarketSpan, StudyFacts};
use super::shares;
use super::study::Tracks;
use std::collections::BTreeSet;

/// What was run on one market.
pub struct MarketRun<'a> {
    /// What was fixed before it was run.
    pub facts: &'a StudyFacts,
    /// The arms that were run.
    pub arms: &'a [Arm],
    /// What each arm did: by seed, then in the order of the arms.
    pub tracks: &'a Tracks,
}

/// The days that any market has, in order, and how many all of them have.
fn calendar(markets: &[MarketRun<'_>]) -> (Vec<i64>, usize) {
    let days_of = |m: &MarketRun<'_>| -> BTreeSet<i64> {
        let track = m.tracks.first().and_then(|t| t.first());
        track.map_or_else(BTreeSet::new, |t| (t.first_day..t.first_day + t.daily.len() as i64).collect())
    };
    let each: Vec<BTreeSet<i64>> = markets.iter().map(days_of).collect();
    let any: BTreeSet<i64> = each.iter().flatten().copied().collect();
    let all = any.iter().filter(|d| each.iter().all(|m| m.contains(d))).count();
    (any.into_iter().collect(), all)
}

/// Returns laid on the calendar; NaN on days that are not there.
fn laid(track: &super::ArmTrack, calendar: &[i64]) -> Vec<f64> {
    let place = |day: &i64| usize::try_from(day - track.first_day).ok();
    calendar.iter().map(|d| place(d).and_then(|i| track.daily.get(i)).copied().unwrap_or(f64::NAN)).collect()
}

/// An arm of a market on resampled days of the calendar; none if it is not there or not told.
fn drawn(market: &MarketRun<'_>, name: &str, calendar: &[i64], resampled: &Resampled) -> Option<ArmDraws> {
    let arm = market.arms.iter().position(|a| a.name == name)?;
    let of = || market.tracks.iter().map(|t| &t[arm]);
    if of().any(|t| super::metrics::check(t).is_err()) {
        return None;
    }
    let daily: Vec<Vec<f64>> = of().map(|t| laid(t, calendar)).collect();
    let sharpes: Vec<Vec<f64>> = daily.iter().map(|d| resampled.sharpes(d)).collect();
    ArmDraws::new(of(), &daily, bootstrap::over_seeds(&sharpes), resampled, market.facts.target_vol)
}

/// The joint figures of the pairs that the first market's report compares, on `threads` threads.
pub fn joint(markets: &[MarketRun<'_>], threads: usize) -> Joint {
    let (calendar, shared_days) = calendar(markets);
    let resampled = Resampled::new(calendar.len(), DRAWS);
    over(markets, &calendar, &resampled, shared_days, threads)
}

fn over(
    markets: &[MarketRun<'_>],
    calendar: &[i64],
    resampled: &Resampled,
    shared_days: usize,
    threads: usize,
) -> Joint {
    let pairs = markets.first().map_or_else(Vec::new, |m| goals::pairs(m.arms));
    let names: BTreeSet<&str> = pairs.iter().flat_map(|(a, b)| [a.as_str(), b.as_str()]).collect();
    let names: Vec<&str> = names.into_iter().collect();
    // By name, then market.
    let all: Vec<Option<Vec<ArmDraws>>> = shares::each(names.len(), threads, |i| {
        markets.iter().map(|m| drawn(m, names[i], calendar, resampled)).collect()
    });
    let of = |name: &str| -> Option<Vec<&ArmDraws>> {
        let place = names.binary_search(&name).ok()?;
        Some(all[place].as_ref()?.iter().collect())
    };
    let one = |(a, b): (String, String)| match (of(&a), of(&b)) {
        (Some(x), Some(y)) => goals::compare((a, b), &x, &y, calendar.len()),
        _ => Compared::untold((a, b)),
    };
    Joint {
        compared: pairs.iter().cloned().map(one).collect(),
        markets: markets.iter().map(span).collect(),
        days: calendar.len(),
        shared_days,
        bootstrap: format!(
            "stationary, {DRAWS} draws of calendar days ({GOAL_DRAWS} for goals), mean block {BLOCK_DAYS} days, \
             the same days for all markets; days that a market does not have are skipped for it"
        ),
    }
}

fn span(market: &MarketRun<'_>) -> MarketSpan {
    let hive = market.arms.iter().position(|a| a.name == super::HIVE);
    MarketSpan {
        feed: market.facts.feed.clone(),
        from: market.facts.from.clone(),
        to: market.facts.to.clone(),
        days: market.tracks.first().and_then(|t| t.first()).map_or(0, |t| t.daily.len()),
        hive: hive.and_then(|h| {
            super::metrics::mean_of(market.tracks.iter().map(|t| super::metrics::sharpe(&t[h])))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random;
    use crate::lab::bootstrap::interval;
    use crate::lab::report::{Sample, report};
    use crate::lab::{ALONE, ArmTrack, HIVE, arms, stats};

    fn track(key: u64, edge: f64, first_day: i64, days: u64) -> ArmTrack {
        let day = |t: u64| 0.01 * random::normal(random::key(key, &[t])) + edge;
        ArmTrack { first_day, daily: (0..days).map(day).collect(), ..ArmTrack::default() }
    }

    fn two() -> Vec<Arm> {
        arms::plan(0).into_iter().filter(|a| a.name == HIVE || a.name == ALONE).collect()
    }

    fn facts() -> StudyFacts {
        StudyFacts { target_vol: 0.15, seeds: 2, ..StudyFacts::default() }
    }

    fn market<'a>(facts: &'a StudyFacts, arms: &'a [Arm], tracks: &'a Tracks) -> MarketRun<'a> {
        MarketRun { facts, arms, tracks }
    }

    #[test]
    fn a_market_and_itself_are_the_market() {
        let (facts, arms) = (facts(), two());
        let tracks: Tracks =
            (0..2).map(|s| vec![track(s, 0.0, 18_000, 300), track(9 + s, 0.001, 18_000, 300)]).collect();
        let alone = report(facts.clone(), &Sample::new(&arms, &tracks, 2), None);
        let twice = [market(&facts, &arms, &tracks), market(&facts, &arms, &tracks)];
        for threads in [1, 3] {
            let j = joint(&twice, threads);
            assert_eq!((j.days, j.shared_days, j.markets.len()), (300, 300, 2));
            assert_eq!(j.compared, alone.compared);
        }
        let (joint, single) =
            (joint(&twice, 1).compared[0].sharpe.unwrap(), alone.uplift["vs_alone"].sharpe.unwrap());
        for (x, y) in [(joint.mean, single.mean), (joint.lo, single.lo), (joint.hi, single.hi)] {
            assert!((x - y).abs() < 1e-12, "the mean of differences is the difference of means");
        }
    }

    #[test]
    fn by_hand_each_market_takes_of_a_draw_the_days_that_it_has() {
        let (facts, arms) = (facts(), two());
        // The first market has days 0 to 99, the second 30 to 129.
        let first: Tracks = vec![vec![track(1, 0.0, 0, 100), track(2, 0.002, 0, 100)]];
        let second: Tracks = vec![vec![track(3, 0.0, 30, 100), track(4, 0.001, 30, 100)]];
        let markets = [market(&facts, &arms, &first), market(&facts, &arms, &second)];
        let (days, shared) = calendar(&markets);
        assert_eq!((days.len(), shared, days[0], days[129]), (130, 70, 0, 129));
        let draws = 20;
        let index: Vec<u32> = (0..130 * draws).map(|i| (i * 37 + i / 130 * 11) % 130).collect();
        let j = over(&markets, &days, &Resampled::of(130, index.clone()), shared, 1);
        let of = |t: &ArmTrack, drawn: &[u32]| {
            let there = drawn.iter().filter_map(|d| {
                usize::try_from(i64::from(*d) - t.first_day).ok().and_then(|i| t.daily.get(i)).copied()
            });
            stats::sharpe(&there.collect::<Vec<f64>>())
        };
        let less = |m: &Tracks, drawn: &[u32]| of(&m[0][1], drawn) - of(&m[0][0], drawn);
        let both = |drawn: &[u32]| 0.5 * (less(&first, drawn) + less(&second, drawn));
        let all: Vec<u32> = (0..130).collect();
        let wanted = interval(both(&all), index.chunks(130).map(both).collect(), 130);
        let (hive, alone) = (&j.compared[0].ours, &j.compared[0].theirs);
        assert_eq!((hive.as_str(), alone.as_str()), (HIVE, ALONE));
        let got = j.compared[0].sharpe.unwrap();
        for (x, y) in [(got.mean, wanted.mean), (got.lo, wanted.lo), (got.hi, wanted.hi)] {
            assert!((x - y).abs() < 1e-9, "{got:?} {wanted:?}");
        }
    }

    #[test]
    fn common_days_leave_no_more_evidence_than_there_is() {
        let (facts, arms) = (facts(), two());
        let of =
            |first: i64| -> Tracks { vec![vec![track(1, 0.0, first, 400), track(2, 0.001, first, 400)]] };
        let (here, same, later) = (of(0), of(0), of(400));
        let width = |a: &Tracks, b: &Tracks| {
            let j = joint(&[market(&facts, &arms, a), market(&facts, &arms, b)], 1);
            let i = j.compared[0].sharpe.unwrap();
            i.hi - i.lo
        };
        // The same returns on the same days are one market; on other days they are as good as two.
        assert!(width(&here, &later) < 0.85 * width(&here, &same));
    }

    #[test]
    fn a_pair_that_one_market_cannot_tell_has_no_joint_figure() {
        let (facts, arms) = (facts(), two());
        let good: Tracks = vec![vec![track(1, 0.0, 0, 100), track(2, 0.0, 0, 100)]];
        let halted = ArmTrack { running: 0.2, ..track(2, 0.0, 0, 100) };
        let bad: Tracks = vec![vec![track(1, 0.0, 0, 100), halted]];
        let j = joint(&[market(&facts, &arms, &good), market(&facts, &arms, &bad)], 1);
        assert!(j.compared[0].sharpe.is_none() && j.compared[0].goals.values().all(Option::is_none));
        assert_eq!((j.markets[0].hive.is_some(), j.markets[1].hive), (true, None));
    }
}
