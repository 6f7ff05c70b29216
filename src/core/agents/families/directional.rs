//! Directional: a standing view on an asset. A long agent is long unless slow drift speaks loudly
//! against it; an agent of both sides takes the side of the drift.

use crate::agents::family::{BarFamily, FamilyInfo, param};
use crate::agents::strategies::inputs::{LOOKBACK, StrategyContext, bars};
use crate::agents::strategies::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, SideRule, Term};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "a standing view on an asset, trimmed and added to by slow drift",
    needs: "bars",
    params: &[
        param("drift", "bars", (60.0, 240.0), LOOKBACK, "look-back of the slow drift"),
        param("tolerance", "σ", (0.75, 1.75), (0.1, 5.0), "adverse drift at which the view is given up"),
    ],
    ordered: &[],
};

/// The family, which remembers nothing: what it looks at is in the indicators.
pub struct DirectionalFamily;

impl BarFamily for DirectionalFamily {
    fn indicators(&self, p: &[f64]) -> Vec<Indicator> {
        vec![Indicator::Score(bars(p[0])), Indicator::Ema(bars(p[0]))]
    }

    fn entry(&self, hand: &StrategyContext<'_>) -> Option<f64> {
        let drift = hand.view.of(Indicator::Score(hand.bars(0)));
        let side = match hand.side {
            SideRule::Long => 1.0,
            SideRule::Short => -1.0,
            SideRule::Both => libm::copysign(1.0, drift),
        };
        // Half the tolerance: a view that was just given up is not taken up at once.
        (side * drift > -0.5 * hand.p[1]).then_some(side)
    }

    fn shape(&self, p: &[f64], _: &EvalContext<'_>, side: f64) -> StrategyShape {
        let (drift, mean) = (Indicator::Score(bars(p[0])), Indicator::Ema(bars(p[0])));
        StrategyShape {
            stop: 10.0,
            stop_beyond: None,
            near: 8.0,
            far: Far::Distance(40.0),
            hold: 2.0 * p[0],
            exit: Condition::beyond(-side, Term::Of(drift), Term::Level(-side * p[1])),
            trails: false,
            again: Condition::beyond(side, Term::Close, Term::Of(mean)),
        }
    }
}
