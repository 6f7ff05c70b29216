//! Range trading: sells the upper and buys the lower edge of a range, as long as the path of prices
//! is no trend; takes its profit at the middle.

use crate::agents::context::{Context, LOOKBACK, bars};
use crate::agents::family::{Family, FamilyInfo, HEDGE, HEDGE_IN, Subscriptions, param};
use crate::agents::proposal::Proposal;
use crate::agents::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, Term};
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "fades the edges of a range, off while a trend is strong",
    needs: "bars",
    params: &[
        param("window", "bars", (20.0, 90.0), LOOKBACK, "look-back of the range"),
        param("edge", "σ", (1.5, 2.3), (0.5, 5.0), "z-score that counts as the edge"),
        param("quiet", "ratio", (0.20, 0.40), (0.05, 0.9), "trend strength above which no range is traded"),
        HEDGE,
        HEDGE_IN,
    ],
    ordered: &[],
};

/// Where the edges are, and above which strength of a trend nothing is traded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangeFamily {
    z: Indicator,
    trend: Indicator,
    window: f64,
    edge: f64,
    quiet: f64,
}

impl RangeFamily {
    pub(super) fn new(p: &[f64]) -> Self {
        let window = bars(p[0]);
        RangeFamily {
            z: Indicator::ZScore(window),
            trend: Indicator::Efficiency(window),
            window: p[0],
            edge: p[1],
            quiet: p[2],
        }
    }

    fn entry(&self, view: &EvalContext<'_>) -> Option<f64> {
        let z = view.of(self.z);
        let quiet = view.of(self.trend) < self.quiet;
        (quiet && libm::fabs(z) > self.edge).then(|| libm::copysign(1.0, -z))
    }

    fn shape(&self, view: &EvalContext<'_>, side: f64) -> StrategyShape {
        // Half-way to the middle is the near target: z of the way that z still has to go, in bars' σ.
        let way = libm::fabs(view.of(self.z)).clamp(1.0, 4.0);
        StrategyShape {
            stop: 2.5 * way,
            stop_beyond: None,
            near: way,
            far: Far::When(Condition::beyond(side, Term::Of(self.z), Term::Level(0.0))),
            hold: self.window,
            exit: Condition::above(Term::Of(self.trend), Term::Level((1.75 * self.quiet).min(0.95))),
            trails: false,
            again: Condition::beyond(-side, Term::Of(self.z), Term::Level(-side * self.edge)),
        }
    }
}

impl Family for RangeFamily {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Bars(vec![self.z, self.trend])
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        cx.at_bar(|view| self.entry(view), |side| self.shape(cx.view, side))
    }
}
