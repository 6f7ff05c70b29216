//! Random: a seeded coin that opens now and then on either side, with stops, targets and time limits
//! as disciplined as anybody's. The control group: what it earns, luck earns.

use crate::agents::family::{BarFamily, FamilyInfo, param};
use crate::agents::strategies::inputs::StrategyContext;
use crate::agents::strategies::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, SideRule, Term, random};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "a seeded coin with disciplined stops: the control group",
    needs: "bars",
    params: &[param(
        "every",
        "bars",
        (10.0, 60.0),
        (1.0, 2_000.0),
        "mean number of flat bars between two throws that open",
    )],
    ordered: &[],
};

/// The family, which remembers nothing: what it looks at is in the indicators.
pub struct RandomFamily;

impl BarFamily for RandomFamily {
    fn indicators(&self, _: &[f64]) -> Vec<Indicator> {
        Vec::new()
    }

    fn entry(&self, hand: &StrategyContext<'_>) -> Option<f64> {
        if random::below(hand.coin, hand.p[0] as u64) != 0 {
            return None;
        }
        Some(match hand.side {
            SideRule::Long => 1.0,
            SideRule::Both if random::uniform(hand.coin) < 0.5 => 1.0,
            SideRule::Short | SideRule::Both => -1.0,
        })
    }

    fn shape(&self, p: &[f64], _: &EvalContext<'_>, _: f64) -> StrategyShape {
        StrategyShape {
            stop: 6.0,
            stop_beyond: None,
            near: 5.0,
            far: Far::Distance(12.0),
            hold: 4.0 * p[0],
            // It has no reason that could be gone, so it tires.
            exit: Condition::above(Term::Held, Term::Level(2.0 * p[0])),
            trails: false,
            again: Condition::above(Term::Held, Term::Level(0.5 * p[0])),
        }
    }
}
