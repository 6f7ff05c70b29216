//! Relative strength: ranks a basket by return over its expected size; long near the top, short near
//! the bottom, out at the middle. Needs at least three assets that trade; with fewer it stands by.

use crate::agents::family::{BarFamily, FamilyInfo, param};
use crate::agents::strategies::inputs::{LOOKBACK, StrategyContext, bars};
use crate::agents::strategies::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, Term};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "long the strong and short the weak of a basket, by rank",
    needs: "bars of three assets or more",
    params: &[
        param("window", "bars", (30.0, 180.0), LOOKBACK, "look-back of the ranked return"),
        param(
            "cut",
            "rank",
            (0.15, 0.30),
            (0.02, 0.45),
            "distance from the end of the ranking that counts as strong or weak",
        ),
    ],
    ordered: &[],
};

/// The family, which remembers nothing: what it looks at is in the indicators.
pub struct RelativeStrengthFamily;

impl BarFamily for RelativeStrengthFamily {
    fn indicators(&self, p: &[f64]) -> Vec<Indicator> {
        let window = bars(p[0]);
        vec![Indicator::Rank(window), Indicator::Score(window)]
    }

    fn entry(&self, hand: &StrategyContext<'_>) -> Option<f64> {
        let rank = hand.view.of(Indicator::Rank(hand.bars(0)));
        match rank {
            r if r > 1.0 - hand.p[1] => Some(1.0),
            r if r < hand.p[1] => Some(-1.0),
            _ => None,
        }
    }

    fn shape(&self, p: &[f64], _: &EvalContext<'_>, side: f64) -> StrategyShape {
        let rank = Term::Of(Indicator::Rank(bars(p[0])));
        let strong = if side > 0.0 { 1.0 - p[1] } else { p[1] };
        StrategyShape {
            stop: 12.0,
            stop_beyond: None,
            near: 12.0,
            far: Far::Distance(50.0),
            hold: 3.0 * p[0],
            exit: Condition::beyond(-side, rank, Term::Level(0.5)),
            trails: false,
            again: Condition::beyond(side, rank, Term::Level(strong)),
        }
    }
}
