//! Relative strength: ranks a basket by return over its expected size; long near the top, short near
//! the bottom, out at the middle. Needs at least three assets that trade; with fewer it stands by.

use crate::agents::context::{Context, LOOKBACK, bars};
use crate::agents::family::{Family, FamilyInfo, Subscriptions, param};
use crate::agents::proposal::Proposal;
use crate::agents::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, Term};
use serde::{Deserialize, Serialize};

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

/// The ranking, and how near its ends an asset counts as strong or weak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelativeStrengthFamily {
    rank: Indicator,
    score: Indicator,
    window: f64,
    cut: f64,
}

impl RelativeStrengthFamily {
    pub(super) fn new(p: &[f64]) -> Self {
        let window = bars(p[0]);
        RelativeStrengthFamily {
            rank: Indicator::Rank(window),
            score: Indicator::Score(window),
            window: p[0],
            cut: p[1],
        }
    }

    fn entry(&self, view: &EvalContext<'_>) -> Option<f64> {
        match view.of(self.rank) {
            r if r > 1.0 - self.cut => Some(1.0),
            r if r < self.cut => Some(-1.0),
            _ => None,
        }
    }

    fn shape(&self, side: f64) -> StrategyShape {
        let rank = Term::Of(self.rank);
        let strong = if side > 0.0 { 1.0 - self.cut } else { self.cut };
        StrategyShape {
            stop: 12.0,
            stop_beyond: None,
            near: 12.0,
            far: Far::Distance(50.0),
            hold: 3.0 * self.window,
            exit: Condition::beyond(-side, rank, Term::Level(0.5)),
            trails: false,
            again: Condition::beyond(side, rank, Term::Level(strong)),
        }
    }
}

impl Family for RelativeStrengthFamily {
    fn subscriptions(&self) -> Subscriptions {
        // The rank is made of the scores of all.
        Subscriptions::Bars(vec![self.rank, self.score])
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        cx.at_bar(|view| self.entry(view), |side| self.shape(side))
    }
}
