//! Support and resistance: levels are confirmed swing highs and lows. A close that breaks through one
//! on busy trade is followed; a close that turns at one where much volume changed hands is bought (at
//! support) or sold (at resistance). The stop lies beyond the level.

use crate::agents::context::{Context, LOOKBACK, bars};
use crate::agents::family::{Family, FamilyInfo, Subscriptions, param};
use crate::agents::proposal::Proposal;
use crate::agents::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, Term};
use serde::{Deserialize, Serialize};

pub(super) const INFO: FamilyInfo = FamilyInfo {
    idea: "breaks of and bounces from levels made by pivots and volume",
    needs: "bars",
    params: &[
        param("pivot", "bars", (4.0, 16.0), (2.0, 200.0), "bars on either side that confirm a swing"),
        param("profile", "bars", (90.0, 240.0), LOOKBACK, "look-back of the volume profile"),
        param("buffer", "σ", (0.1, 0.5), (0.0, 3.0), "how far beyond a level a break must close"),
        param("busy", "ratio", (0.9, 1.4), (0.1, 10.0), "volume against its mean that makes a break count"),
    ],
    ordered: &[],
};

/// The levels, and what makes a break or a turn at one count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SupportResistanceFamily {
    resistance: Indicator,
    support: Indicator,
    activity: Indicator,
    node: Indicator,
    profile: f64,
    buffer: f64,
    busy: f64,
}

/// Share of the profile's volume near the price that makes it a level worth turning at: the profile
/// spreads over about twenty such widths, so this is twice an even share.
const WORN: f64 = 0.10;
/// The highest close of the one bar before this: the close before.
const BEFORE: Indicator = Indicator::Highest(1);

impl SupportResistanceFamily {
    pub(super) fn new(p: &[f64]) -> Self {
        let (pivot, profile) = (bars(p[0]), bars(p[1]));
        SupportResistanceFamily {
            resistance: Indicator::PivotHigh(pivot),
            support: Indicator::PivotLow(pivot),
            activity: Indicator::Activity(profile),
            node: Indicator::Node(profile),
            profile: p[1],
            buffer: p[2],
            busy: p[3],
        }
    }

    fn entry(&self, view: &EvalContext<'_>) -> Option<f64> {
        let (close, before) = (view.close, view.of(BEFORE));
        let (resistance, support) = (view.of(self.resistance), view.of(self.support));
        let margin = self.buffer * view.sigma * close;
        if view.of(self.activity) > self.busy {
            if before <= resistance && close > resistance + margin {
                return Some(1.0);
            }
            if before >= support && close < support - margin {
                return Some(-1.0);
            }
        }
        if view.of(self.node) > WORN {
            let near = view.sigma * close;
            if close > support && before < support + near && close > before {
                return Some(1.0);
            }
            if close < resistance && before > resistance - near && close < before {
                return Some(-1.0);
            }
        }
        None
    }

    fn shape(&self, view: &EvalContext<'_>, side: f64) -> StrategyShape {
        let (resistance, support) = (view.of(self.resistance), view.of(self.support));
        // The level that the trade leans on: the broken one if price is beyond it, else the one it turned at.
        let level = match side > 0.0 {
            true if view.close > resistance => resistance,
            true => support,
            false if view.close < support => support,
            false => resistance,
        };
        let (behind, ahead) =
            if side > 0.0 { (self.support, self.resistance) } else { (self.resistance, self.support) };
        StrategyShape {
            stop: 4.0,
            stop_beyond: Some(level * (1.0 - side * view.sigma)),
            near: 5.0,
            far: Far::Distance(20.0),
            hold: self.profile,
            // The level behind the trade is lost: support for a long, resistance for a short. It moves up, or
            // down, as new swings are confirmed.
            exit: Condition::beyond(-side, Term::Close, Term::Times(1.0 - side * view.sigma, behind)),
            trails: true,
            again: Condition::beyond(side, Term::Close, Term::Of(ahead)),
        }
    }
}

impl Family for SupportResistanceFamily {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::Bars(vec![self.resistance, self.support, self.activity, self.node, BEFORE])
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        cx.at_bar(|view| self.entry(view), |side| self.shape(cx.view, side))
    }
}
