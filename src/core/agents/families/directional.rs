//! Directional: a standing view on an asset. A long agent is long unless slow drift speaks loudly
//! against it; an agent of both sides takes the side of the drift.

use crate::agents::context::{Context, LOOKBACK, bars};
use crate::agents::family::{Family, FamilyInfo, HEDGE, HEDGE_IN, Subscriptions, param};
use crate::agents::proposal::Proposal;
use crate::agents::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, SideRule, Term};
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "a standing view on an asset, trimmed and added to by slow drift",
    needs: "bars",
    params: &[
        param("drift", "bars", (60.0, 240.0), LOOKBACK, "look-back of the slow drift"),
        param("tolerance", "σ", (0.75, 1.75), (0.1, 5.0), "adverse drift at which the view is given up"),
        HEDGE,
        HEDGE_IN,
    ],
    ordered: &[],
};

/// A standing view, and when it is given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DirectionalFamily {
    drift: Indicator,
    mean: Indicator,
    window: f64,
    tolerance: f64,
}

impl DirectionalFamily {
    pub(super) fn new(p: &[f64]) -> Self {
        let window = bars(p[0]);
        DirectionalFamily {
            drift: Indicator::Score(window),
            mean: Indicator::Ema(window),
            window: p[0],
            tolerance: p[1],
        }
    }

    fn entry(&self, view: &EvalContext<'_>, side: SideRule) -> Option<f64> {
        let drift = view.of(self.drift);
        let side = match side {
            SideRule::Long => 1.0,
            SideRule::Short => -1.0,
            SideRule::Both => libm::copysign(1.0, drift),
        };
        // Half the tolerance: a view that was just given up is not taken up at once.
        (side * drift > -0.5 * self.tolerance).then_some(side)
    }

    fn shape(&self, side: f64) -> StrategyShape {
        StrategyShape {
            stop: 10.0,
            stop_beyond: None,
            near: 8.0,
            far: Far::Distance(40.0),
            hold: 2.0 * self.window,
            exit: Condition::beyond(-side, Term::Of(self.drift), Term::Level(-side * self.tolerance)),
            trails: false,
            again: Condition::beyond(side, Term::Close, Term::Of(self.mean)),
        }
    }
}

impl Family for DirectionalFamily {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Bars(vec![self.drift, self.mean])
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        cx.at_bar(|view| self.entry(view, cx.side), |side| self.shape(side))
    }
}
