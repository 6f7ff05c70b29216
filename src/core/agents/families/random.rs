//! Random: a seeded coin that opens now and then on either side, with stops, targets and time limits
//! as disciplined as anybody's. The control group: what it earns, luck earns. So it lives alone by default: its record is kept
//! and shown, but it has no funds, and nobody hears it. `control = 0` makes an agent of it like any other; at work the operator
//! may fund it and unmute it.

use crate::agents::context::Context;
use crate::agents::family::{Family, FamilyInfo, Subscriptions, param};
use crate::agents::proposal::Proposal;
use crate::agents::shape::{Far, StrategyShape};
use crate::domain::{Condition, SideRule, Term, random};
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "a seeded coin with disciplined stops: the control group",
    needs: "bars",
    params: &[
        param(
            "every",
            "bars",
            (10.0, 60.0),
            (1.0, 2_000.0),
            "mean number of flat bars between two throws that open",
        ),
        param(
            "control",
            "0 or 1",
            (1.0, 1.0),
            (0.0, 1.0),
            "1: without funds and voice, to compare with; 0: like any other",
        ),
    ],
    ordered: &[],
};

/// How seldom the coin opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomFamily {
    every: f64,
}

/// Whether an agent with these numbers is there to be compared with.
pub(super) fn is_control(params: &[f64]) -> bool {
    params.get(1).is_some_and(|control| *control >= 0.5)
}

impl RandomFamily {
    pub(super) fn new(p: &[f64]) -> Self {
        RandomFamily { every: p[0] }
    }

    fn entry(&self, side: SideRule, coin: u64) -> Option<f64> {
        if random::below(coin, self.every as u64) != 0 {
            return None;
        }
        Some(match side {
            SideRule::Long => 1.0,
            SideRule::Both if random::uniform(coin) < 0.5 => 1.0,
            SideRule::Short | SideRule::Both => -1.0,
        })
    }

    fn shape(&self) -> StrategyShape {
        StrategyShape {
            stop: 6.0,
            stop_beyond: None,
            near: 5.0,
            far: Far::Distance(12.0),
            hold: 4.0 * self.every,
            // It has no reason that could be gone, so it tires.
            exit: Condition::above(Term::Held, Term::Level(2.0 * self.every)),
            trails: false,
            again: Condition::above(Term::Held, Term::Level(0.5 * self.every)),
        }
    }
}

impl Family for RandomFamily {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Bars(Vec::new())
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        cx.at_bar(|_| self.entry(cx.side, cx.coin.toss()), |_| self.shape())
    }
}
