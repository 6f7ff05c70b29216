//! Time-series momentum over three horizons (Moskowitz, Ooi, Pedersen 2012): in when all three
//! returns have one sign, out when the middle one turns.

use crate::agents::family::{BarFamily, FamilyInfo, param};
use crate::agents::strategies::inputs::{LOOKBACK, StrategyContext, bars};
use crate::agents::strategies::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, Term};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "time-series momentum: the sign of returns over three horizons",
    needs: "bars",
    params: &[
        param("short", "bars", (6.0, 40.0), LOOKBACK, "shortest look-back"),
        param("medium", "bars", (42.0, 120.0), LOOKBACK, "middle look-back, whose turn is the exit"),
        param("long", "bars", (126.0, 360.0), LOOKBACK, "longest look-back"),
    ],
    ordered: &[("short", "medium"), ("medium", "long")],
};

/// The family, which remembers nothing: what it looks at is in the indicators.
pub struct MomentumFamily;

impl BarFamily for MomentumFamily {
    fn indicators(&self, p: &[f64]) -> Vec<Indicator> {
        p.iter().map(|n| Indicator::Return(bars(*n))).collect()
    }

    fn entry(&self, hand: &StrategyContext<'_>) -> Option<f64> {
        let agree = |side: f64| (0..3).all(|i| side * hand.view.of(Indicator::Return(hand.bars(i))) > 0.0);
        [1.0, -1.0].into_iter().find(|s| agree(*s))
    }

    fn shape(&self, p: &[f64], _: &EvalContext<'_>, side: f64) -> StrategyShape {
        let zero = Term::Level(0.0);
        StrategyShape {
            stop: 10.0,
            stop_beyond: None,
            near: 12.0,
            far: Far::Distance(60.0),
            hold: 2.0 * p[2],
            exit: Condition::beyond(-side, Term::Of(Indicator::Return(bars(p[1]))), zero),
            trails: true,
            again: Condition::beyond(side, Term::Of(Indicator::Return(bars(p[0]))), zero),
        }
    }
}
