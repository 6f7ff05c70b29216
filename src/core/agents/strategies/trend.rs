//! Trend following: the side of the faster of two exponential averages, once price agrees; out when
//! they cross back or too much of the best close was given back.

use super::inputs::{LOOKBACK, StrategyContext, bars, param};
use super::shape::{Far, StrategyShape};
use crate::agents::declaration::ParamSpec;
use crate::domain::{Condition, Indicator, Term};

pub(super) const PARAMS: &[ParamSpec] = &[
    param("fast", "bars", (8.0, 40.0), LOOKBACK, "span of the fast average"),
    param("slow", "bars", (60.0, 240.0), LOOKBACK, "span of the slow average"),
];

fn averages(p: &[f64]) -> (Indicator, Indicator) {
    (Indicator::Ema(bars(p[0])), Indicator::Ema(bars(p[1])))
}

pub(super) fn indicators(p: &[f64]) -> Vec<Indicator> {
    let (fast, slow) = averages(p);
    vec![fast, slow]
}

pub(super) fn entry(hand: &StrategyContext<'_>) -> Option<f64> {
    let (fast, slow) = averages(hand.p);
    let (fast, slow) = (hand.view.of(fast), hand.view.of(slow));
    let side = libm::copysign(1.0, fast - slow);
    (side * (hand.view.close - fast) > 0.0).then_some(side)
}

pub(super) fn shape(p: &[f64], side: f64) -> StrategyShape {
    let (fast, slow) = averages(p);
    StrategyShape {
        stop: 8.0,
        stop_beyond: None,
        near: 10.0,
        far: Far::Distance(50.0),
        hold: 2.0 * p[1],
        exit: Condition::beyond(-side, Term::Of(fast), Term::Of(slow)),
        trails: true,
        again: Condition::beyond(side, Term::Close, Term::Of(fast)),
    }
}
