//! Volatility: the forecast of volatility (exponentially weighted) against what is usual. While it is
//! compressed, a close outside the channel of recent closes is followed; out at the channel's middle.
//! Where options exist, the same forecast prices them; that comes with the instruments.

use crate::agents::family::{BarFamily, FamilyInfo, param};
use crate::agents::strategies::inputs::{LOOKBACK, StrategyContext, bars};
use crate::agents::strategies::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, Term};

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

/// The family, which remembers nothing: what it looks at is in the indicators.
pub struct VolatilityFamily;

impl BarFamily for VolatilityFamily {
    fn indicators(&self, p: &[f64]) -> Vec<Indicator> {
        let channel = bars(p[3]);
        vec![
            Indicator::Sigma(bars(p[0])),
            Indicator::Sigma(bars(p[1])),
            Indicator::Highest(channel),
            Indicator::Lowest(channel),
            Indicator::Mean(channel),
        ]
    }

    fn entry(&self, hand: &StrategyContext<'_>) -> Option<f64> {
        let (view, channel) = (hand.view, hand.bars(3));
        let compressed =
            view.of(Indicator::Sigma(hand.bars(0))) < hand.p[2] * view.of(Indicator::Sigma(hand.bars(1)));
        match view.close {
            _ if !compressed => None,
            c if c > view.of(Indicator::Highest(channel)) => Some(1.0),
            c if c < view.of(Indicator::Lowest(channel)) => Some(-1.0),
            _ => None,
        }
    }

    fn shape(&self, p: &[f64], _: &EvalContext<'_>, side: f64) -> StrategyShape {
        let channel = bars(p[3]);
        let edge = if side > 0.0 { Indicator::Highest(channel) } else { Indicator::Lowest(channel) };
        StrategyShape {
            stop: 6.0,
            stop_beyond: None,
            near: 7.0,
            far: Far::Distance(40.0),
            hold: 3.0 * p[3],
            exit: Condition::beyond(-side, Term::Close, Term::Of(Indicator::Mean(channel))),
            trails: true,
            again: Condition::beyond(side, Term::Close, Term::Of(edge)),
        }
    }
}
