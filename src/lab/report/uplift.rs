//! What one arm is worth over another: differences paired by seed and by resampled day, with their intervals.

use super::contract::{StudyFacts, Uplift};
use crate::lab::HIVE;
use crate::lab::bootstrap::{self, interval};
use crate::lab::metrics::{self, Metrics};
use crate::lab::sample::Sample;
use crate::lab::stats::{deviation, mean};
use std::collections::BTreeMap;

/// What the hive of a sample is worth over another of its arms.
pub(crate) fn uplift(facts: &StudyFacts, sample: &Sample<'_>, other: &str) -> Option<Uplift> {
    over(facts, sample, HIVE, other)
}

/// What one arm is worth over another.
pub(crate) fn over(facts: &StudyFacts, sample: &Sample<'_>, ours: &str, other: &str) -> Option<Uplift> {
    let (a, b) = (sample.index_of(ours)?, sample.index_of(other)?);
    let (x, y) = (sample.metrics(a, facts.target_vol), sample.metrics(b, facts.target_vol));
    let plain = Uplift {
        max_drawdown_change: change(x.max_drawdown, y.max_drawdown),
        turnover_ratio: ratio(x.turnover, y.turnover),
        goals: goals(&x, &y),
        ..Uplift::default()
    };
    let Some((measured, draws)) = sample.differences(a, b) else { return Some(plain) };
    let over_days = bootstrap::over_seeds(&draws);
    let error = deviation(&over_days);
    let luck = if facts.variants_tried > 20 { bootstrap::luck(facts.variants_tried, error) } else { 0.0 };
    Some(Uplift {
        sharpe: Some(interval(mean(&measured), over_days, sample.days())),
        sharpe_over_seeds: Some(interval(
            mean(&measured),
            bootstrap::over_drawn_seeds(&draws),
            sample.days(),
        )),
        seeds_won: Some(measured.iter().filter(|d| **d > 0.0).count() as f64 / measured.len() as f64),
        worst_seed: measured.iter().copied().min_by(f64::total_cmp),
        seed_sd: spread(&measured),
        luck: Some(luck),
        ..plain
    })
}

/// Changes and differences of the goals, x over y.
fn goals(x: &Metrics, y: &Metrics) -> BTreeMap<String, BTreeMap<String, Option<f64>>> {
    let less = |x: Option<f64>, y: Option<f64>| Some(x? - y?);
    let months = |m: &Metrics| m.months_to_10.map(metrics::Months::or_infinite).filter(|m| m.is_finite());
    let group = |pairs: &[(&str, Option<f64>)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect();
    let goals = [
        (
            "low_risk",
            group(&[
                ("max_drawdown_change", change(x.max_drawdown, y.max_drawdown)),
                ("cvar95_change", change(x.cvar95, y.cvar95)),
                ("ulcer_change", change(x.ulcer, y.ulcer)),
            ]),
        ),
        ("big_money", group(&[("growth", less(x.cagr, y.cagr))])),
        (
            "fast",
            group(&[
                ("months_to_10", less(months(x), months(y))),
                ("longest_under_water", less(x.longest_under_water, y.longest_under_water)),
                ("time_under_water", less(x.time_under_water, y.time_under_water)),
            ]),
        ),
        (
            "automated",
            group(&[
                ("orders", Some(x.orders - y.orders)),
                ("turnover", less(x.turnover, y.turnover)),
                ("running", Some(x.running - y.running)),
            ]),
        ),
    ];
    goals.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
}

/// Standard deviation; empty of one.
pub(super) fn spread(x: &[f64]) -> Option<f64> {
    (x.len() > 1).then(|| deviation(x))
}

/// x over y, if y is anything to divide by.
pub(super) fn ratio(x: Option<f64>, y: Option<f64>) -> Option<f64> {
    let y = y.filter(|y| *y > 0.0)?;
    Some(x? / y)
}

/// x over y less one.
pub(super) fn change(x: Option<f64>, y: Option<f64>) -> Option<f64> {
    ratio(x, y).map(|r| r - 1.0)
}
