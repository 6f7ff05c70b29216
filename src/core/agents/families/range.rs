//! Range trading: sells the upper and buys the lower edge of a range, as long as the path of prices
//! is no trend; takes its profit at the middle.

use crate::agents::family::{BarFamily, FamilyInfo, param};
use crate::agents::strategies::inputs::{LOOKBACK, StrategyContext, bars};
use crate::agents::strategies::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, Term};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "fades the edges of a range, off while a trend is strong",
    needs: "bars",
    params: &[
        param("window", "bars", (20.0, 90.0), LOOKBACK, "look-back of the range"),
        param("edge", "σ", (1.5, 2.3), (0.5, 5.0), "z-score that counts as the edge"),
        param("quiet", "ratio", (0.20, 0.40), (0.05, 0.9), "trend strength above which no range is traded"),
    ],
    ordered: &[],
};

/// The family, which remembers nothing: what it looks at is in the indicators.
pub struct RangeFamily;

impl BarFamily for RangeFamily {
    fn indicators(&self, p: &[f64]) -> Vec<Indicator> {
        let window = bars(p[0]);
        vec![Indicator::ZScore(window), Indicator::Efficiency(window)]
    }

    fn entry(&self, hand: &StrategyContext<'_>) -> Option<f64> {
        let window = hand.bars(0);
        let z = hand.view.of(Indicator::ZScore(window));
        let quiet = hand.view.of(Indicator::Efficiency(window)) < hand.p[2];
        (quiet && libm::fabs(z) > hand.p[1]).then(|| libm::copysign(1.0, -z))
    }

    fn shape(&self, p: &[f64], view: &EvalContext<'_>, side: f64) -> StrategyShape {
        let (z, trend) = (Indicator::ZScore(bars(p[0])), Indicator::Efficiency(bars(p[0])));
        // Half-way to the middle is the near target: z of the way that z still has to go, in bars' σ.
        let way = libm::fabs(view.of(z)).clamp(1.0, 4.0);
        StrategyShape {
            stop: 2.5 * way,
            stop_beyond: None,
            near: way,
            far: Far::When(Condition::beyond(side, Term::Of(z), Term::Level(0.0))),
            hold: p[0],
            exit: Condition::above(Term::Of(trend), Term::Level((1.75 * p[2]).min(0.95))),
            trails: false,
            again: Condition::beyond(-side, Term::Of(z), Term::Level(-side * p[1])),
        }
    }
}
