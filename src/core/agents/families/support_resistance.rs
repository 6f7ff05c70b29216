//! Support and resistance: levels are confirmed swing highs and lows. A close that breaks through one
//! on busy trade is followed; a close that turns at one where much volume changed hands is bought (at
//! support) or sold (at resistance). The stop lies beyond the level.

use crate::agents::family::{BarFamily, FamilyInfo, param};
use crate::agents::strategies::inputs::{LOOKBACK, StrategyContext, bars};
use crate::agents::strategies::shape::{Far, StrategyShape};
use crate::domain::{Condition, EvalContext, Indicator, Term};

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

/// The family, which remembers nothing: what it looks at is in the indicators.
pub struct SupportResistanceFamily;

impl BarFamily for SupportResistanceFamily {
    fn indicators(&self, p: &[f64]) -> Vec<Indicator> {
        let l = levels(p);
        vec![l.resistance, l.support, l.activity, l.node, BEFORE]
    }

    fn entry(&self, hand: &StrategyContext<'_>) -> Option<f64> {
        let (view, l) = (hand.view, levels(hand.p));
        let (close, before) = (view.close, view.of(BEFORE));
        let (resistance, support) = (view.of(l.resistance), view.of(l.support));
        let margin = hand.p[2] * view.sigma * close;
        if view.of(l.activity) > hand.p[3] {
            if before <= resistance && close > resistance + margin {
                return Some(1.0);
            }
            if before >= support && close < support - margin {
                return Some(-1.0);
            }
        }
        if view.of(l.node) > WORN {
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

    fn shape(&self, p: &[f64], view: &EvalContext<'_>, side: f64) -> StrategyShape {
        let l = levels(p);
        let (resistance, support) = (view.of(l.resistance), view.of(l.support));
        // The level that the trade leans on: the broken one if price is beyond it, else the one it turned at.
        let level = match side > 0.0 {
            true if view.close > resistance => resistance,
            true => support,
            false if view.close < support => support,
            false => resistance,
        };
        let (behind, ahead) = if side > 0.0 { (l.support, l.resistance) } else { (l.resistance, l.support) };
        StrategyShape {
            stop: 4.0,
            stop_beyond: Some(level * (1.0 - side * view.sigma)),
            near: 5.0,
            far: Far::Distance(20.0),
            hold: p[1],
            // The level behind the trade is lost: support for a long, resistance for a short. It moves up, or
            // down, as new swings are confirmed.
            exit: Condition::beyond(-side, Term::Close, Term::Times(1.0 - side * view.sigma, behind)),
            trails: true,
            again: Condition::beyond(side, Term::Close, Term::Of(ahead)),
        }
    }
}

/// Share of the profile's volume near the price that makes it a level worth turning at: the profile
/// spreads over about twenty such widths, so this is twice an even share.
const WORN: f64 = 0.10;

struct Levels {
    resistance: Indicator,
    support: Indicator,
    activity: Indicator,
    node: Indicator,
}

fn levels(p: &[f64]) -> Levels {
    Levels {
        resistance: Indicator::PivotHigh(bars(p[0])),
        support: Indicator::PivotLow(bars(p[0])),
        activity: Indicator::Activity(bars(p[1])),
        node: Indicator::Node(bars(p[1])),
    }
}

/// The highest close of the one bar before this: the close before.
const BEFORE: Indicator = Indicator::Highest(1);
