//! Trend following: the side of the faster of two exponential averages, once price agrees; out when
//! they cross back or too much of the best close was given back.

use crate::agents::context::{Context, LOOKBACK, bars};
use crate::agents::family::{Family, FamilyInfo, HEDGE, HEDGE_IN, Subscriptions, param};
use crate::agents::proposal::Proposal;
use crate::agents::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, Term};
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "follows the crossing of two moving averages with a trailing stop",
    needs: "bars",
    params: &[
        param("fast", "bars", (8.0, 40.0), LOOKBACK, "span of the fast average"),
        param("slow", "bars", (60.0, 240.0), LOOKBACK, "span of the slow average"),
        HEDGE,
        HEDGE_IN,
    ],
    ordered: &[("fast", "slow")],
};

/// The two averages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrendFamily {
    fast: Indicator,
    slow: Indicator,
    span: f64,
}

impl TrendFamily {
    pub(super) fn new(p: &[f64]) -> Self {
        TrendFamily { fast: Indicator::Ema(bars(p[0])), slow: Indicator::Ema(bars(p[1])), span: p[1] }
    }

    fn entry(&self, view: &EvalContext<'_>) -> Option<f64> {
        let (fast, slow) = (view.of(self.fast), view.of(self.slow));
        let side = libm::copysign(1.0, fast - slow);
        (side * (view.close - fast) > 0.0).then_some(side)
    }

    fn shape(&self, side: f64) -> StrategyShape {
        StrategyShape {
            stop: 8.0,
            stop_beyond: None,
            near: 10.0,
            far: Far::Distance(50.0),
            hold: 2.0 * self.span,
            exit: Condition::beyond(-side, Term::Of(self.fast), Term::Of(self.slow)),
            trails: true,
            again: Condition::beyond(side, Term::Close, Term::Of(self.fast)),
        }
    }
}

impl Family for TrendFamily {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Bars(vec![self.fast, self.slow])
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        cx.at_bar(|view| self.entry(view), |side| self.shape(side))
    }
}
