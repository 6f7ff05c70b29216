//! Trend following: the side of the faster of two exponential averages, once price agrees; out when
//! they cross back or too much of the best close was given back.

use crate::agents::family::{BarFamily, FamilyInfo, param};
use crate::agents::strategies::inputs::{LOOKBACK, StrategyContext, bars};
use crate::agents::strategies::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, Term};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "follows the crossing of two moving averages with a trailing stop",
    needs: "bars",
    params: &[
        param("fast", "bars", (8.0, 40.0), LOOKBACK, "span of the fast average"),
        param("slow", "bars", (60.0, 240.0), LOOKBACK, "span of the slow average"),
    ],
    ordered: &[("fast", "slow")],
};

/// The family, which remembers nothing: what it looks at is in the indicators.
pub struct TrendFamily;

impl BarFamily for TrendFamily {
    fn indicators(&self, p: &[f64]) -> Vec<Indicator> {
        let (fast, slow) = averages(p);
        vec![fast, slow]
    }

    fn entry(&self, hand: &StrategyContext<'_>) -> Option<f64> {
        let (fast, slow) = averages(hand.p);
        let (fast, slow) = (hand.view.of(fast), hand.view.of(slow));
        let side = libm::copysign(1.0, fast - slow);
        (side * (hand.view.close - fast) > 0.0).then_some(side)
    }

    fn shape(&self, p: &[f64], _: &EvalContext<'_>, side: f64) -> StrategyShape {
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
}

fn averages(p: &[f64]) -> (Indicator, Indicator) {
    (Indicator::Ema(bars(p[0])), Indicator::Ema(bars(p[1])))
}
