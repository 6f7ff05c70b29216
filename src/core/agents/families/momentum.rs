//! Time-series momentum over three horizons (Moskowitz, Ooi, Pedersen 2012): in when all three
//! returns have one sign, out when the middle one turns.
//!
//! With `residual = 1` it looks at what an asset did beyond its slope on the market ([`Indicator::Residual`]): residual momentum
//! (Blitz, Huij, Martens 2011), which is not that of the market in other words. Look-backs of 5 to 40 days suit it.

use crate::agents::context::{Context, LOOKBACK, bars};
use crate::agents::family::{Family, FamilyInfo, HEDGE, HEDGE_IN, Subscriptions, param};
use crate::agents::proposal::Proposal;
use crate::agents::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, Term};
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "time-series momentum: the sign of returns over three horizons",
    needs: "bars",
    params: &[
        param("short", "bars", (6.0, 40.0), LOOKBACK, "shortest look-back"),
        param("medium", "bars", (42.0, 120.0), LOOKBACK, "middle look-back, whose turn is the exit"),
        param("long", "bars", (126.0, 360.0), LOOKBACK, "longest look-back"),
        param(
            "residual",
            "0 or 1",
            (0.0, 0.0),
            (0.0, 1.0),
            "1: of returns beyond the market's; 0: of returns",
        ),
        HEDGE,
        HEDGE_IN,
    ],
    ordered: &[("short", "medium"), ("medium", "long")],
};

/// Returns over three horizons, the shortest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MomentumFamily {
    returns: [Indicator; 3],
    longest: f64,
}

impl MomentumFamily {
    pub(super) fn new(p: &[f64]) -> Self {
        let over = if p.get(3).is_some_and(|residual| *residual >= 0.5) {
            Indicator::Residual
        } else {
            Indicator::Return
        };
        MomentumFamily { returns: [p[0], p[1], p[2]].map(|n| over(bars(n))), longest: p[2] }
    }

    fn entry(&self, view: &EvalContext<'_>) -> Option<f64> {
        let agree = |side: f64| self.returns.iter().all(|r| side * view.of(*r) > 0.0);
        [1.0, -1.0].into_iter().find(|s| agree(*s))
    }

    fn shape(&self, side: f64) -> StrategyShape {
        let (zero, [short, medium, _]) = (Term::Level(0.0), self.returns);
        StrategyShape {
            stop: 10.0,
            stop_beyond: None,
            near: 12.0,
            far: Far::Distance(60.0),
            hold: 2.0 * self.longest,
            exit: Condition::beyond(-side, Term::Of(medium), zero),
            trails: true,
            again: Condition::beyond(side, Term::Of(short), zero),
        }
    }
}

impl Family for MomentumFamily {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Bars(self.returns.to_vec())
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        cx.at_bar(|view| self.entry(view), |side| self.shape(side))
    }
}
