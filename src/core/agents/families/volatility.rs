//! Volatility: the forecast of volatility (exponentially weighted) against what is usual. While it is
//! compressed, a close outside the channel of recent closes is followed; out at the channel's middle.
//! Where options exist, the same forecast prices them; that comes with the instruments.

use crate::agents::context::{Context, LOOKBACK, bars};
use crate::agents::family::{Family, FamilyInfo, Subscriptions, param};
use crate::agents::proposal::Proposal;
use crate::agents::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, Term};
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "breakout after volatility was compressed",
    needs: "bars",
    params: &[
        param("fast", "bars", (8.0, 20.0), LOOKBACK, "span of the volatility forecast"),
        param("slow", "bars", (80.0, 240.0), LOOKBACK, "span of the usual volatility"),
        param(
            "squeeze",
            "ratio",
            (0.75, 0.95),
            (0.2, 2.0),
            "forecast over usual below which it is compressed",
        ),
        param("channel", "bars", (20.0, 90.0), LOOKBACK, "closes that make the channel"),
    ],
    ordered: &[("fast", "slow")],
};

/// The forecast, what is usual, and the channel that is broken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VolatilityFamily {
    forecast: Indicator,
    usual: Indicator,
    highest: Indicator,
    lowest: Indicator,
    mean: Indicator,
    squeeze: f64,
    channel: f64,
}

impl VolatilityFamily {
    pub(super) fn new(p: &[f64]) -> Self {
        let channel = bars(p[3]);
        VolatilityFamily {
            forecast: Indicator::Sigma(bars(p[0])),
            usual: Indicator::Sigma(bars(p[1])),
            highest: Indicator::Highest(channel),
            lowest: Indicator::Lowest(channel),
            mean: Indicator::Mean(channel),
            squeeze: p[2],
            channel: p[3],
        }
    }

    fn entry(&self, view: &EvalContext<'_>) -> Option<f64> {
        let compressed = view.of(self.forecast) < self.squeeze * view.of(self.usual);
        match view.close {
            _ if !compressed => None,
            c if c > view.of(self.highest) => Some(1.0),
            c if c < view.of(self.lowest) => Some(-1.0),
            _ => None,
        }
    }

    fn shape(&self, side: f64) -> StrategyShape {
        let edge = if side > 0.0 { self.highest } else { self.lowest };
        StrategyShape {
            stop: 6.0,
            stop_beyond: None,
            near: 7.0,
            far: Far::Distance(40.0),
            hold: 3.0 * self.channel,
            exit: Condition::beyond(-side, Term::Close, Term::Of(self.mean)),
            trails: true,
            again: Condition::beyond(side, Term::Close, Term::Of(edge)),
        }
    }
}

impl Family for VolatilityFamily {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Bars(vec![self.forecast, self.usual, self.highest, self.lowest, self.mean])
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        cx.at_bar(|view| self.entry(view), |side| self.shape(side))
    }
}
