//! Support and resistance: levels are confirmed swing highs and lows, of the bars and of longer ones. A close that breaks
//! through one on busy trade is followed; a close that turns at one where much volume changed hands is bought (at
//! support) or sold (at resistance). The stop lies beyond the level.
//!
//! | `rest` | a break | a turn |
//! |---|---|---|
//! | 0 | is taken at the next open | is taken at the next open, once a close has turned |
//! | more | an order rests at the broken level, for the retest | an order rests at the level, while the price is near it |
//!
//! **Longer bars.** A swing of bars that are `frame` times as long is a high above those of `frame` times as many bars on
//! either side: the same indicator with a longer look-back, so that whoever hears of a level can check it. A level of longer
//! bars goes first, since more who trade have seen it.

use crate::agents::context::{Context, LOOKBACK, bars};
use crate::agents::family::{Family, FamilyInfo, Subscriptions, param};
use crate::agents::proposal::{EntryLimit, Proposal};
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
        param(
            "frame",
            "times",
            (1.0, 1.0),
            (1.0, 12.0),
            "how much longer the longer bars are; 1: no levels of longer bars",
        ),
        param(
            "rest",
            "closes",
            (0.0, 0.0),
            (0.0, 200.0),
            "how long an entry rests at its level; 0: at the next open",
        ),
    ],
    ordered: &[],
};

/// The levels, and what makes a break or a turn at one count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SupportResistanceFamily {
    /// Of the longest bars first.
    levels: Vec<Levels>,
    activity: Indicator,
    node: Indicator,
    profile: f64,
    buffer: f64,
    busy: f64,
    rest: u32,
}

/// The levels of bars of one length.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Levels {
    resistance: Indicator,
    support: Indicator,
}

/// Where it would enter.
#[derive(Clone, Copy, Debug, PartialEq)]
struct LevelEntry {
    side: f64,
    /// The bars that the level is of.
    of: Levels,
    /// The price that is broken, or turned at.
    level: f64,
}

/// Share of the profile's volume near the price that makes it a level worth turning at: the profile
/// spreads over about twenty such widths, so this is twice an even share.
const WORN: f64 = 0.10;
/// The highest close of the one bar before this: the close before.
const BEFORE: Indicator = Indicator::Highest(1);

impl SupportResistanceFamily {
    pub(super) fn new(p: &[f64]) -> Self {
        let (pivot, profile) = (bars(p[0]), bars(p[1]));
        let of = |n: u16| Levels { resistance: Indicator::PivotHigh(n), support: Indicator::PivotLow(n) };
        SupportResistanceFamily {
            levels: if p[4] >= 2.0 { vec![of(pivot * bars(p[4])), of(pivot)] } else { vec![of(pivot)] },
            activity: Indicator::Activity(profile),
            node: Indicator::Node(profile),
            profile: p[1],
            buffer: p[2],
            busy: p[3],
            rest: p[5] as u32,
        }
    }

    fn entry(&self, view: &EvalContext<'_>) -> Option<LevelEntry> {
        self.levels.iter().find_map(|of| self.entry_at(view, *of))
    }

    fn entry_at(&self, view: &EvalContext<'_>, of: Levels) -> Option<LevelEntry> {
        let (close, before) = (view.close, view.of(BEFORE));
        let (resistance, support) = (view.of(of.resistance), view.of(of.support));
        let margin = self.buffer * view.sigma * close;
        let at = |side, level| Some(LevelEntry { side, of, level });
        if view.of(self.activity) > self.busy {
            if before <= resistance && close > resistance + margin {
                return at(1.0, resistance);
            }
            if before >= support && close < support - margin {
                return at(-1.0, support);
            }
        }
        if view.of(self.node) > WORN {
            let near = view.sigma * close;
            if self.rest > 0 {
                // An order at the level does not wait for the turn.
                if close > support && close < support + near {
                    return at(1.0, support);
                }
                if close < resistance && close > resistance - near {
                    return at(-1.0, resistance);
                }
                return None;
            }
            if close > support && before < support + near && close > before {
                return at(1.0, support);
            }
            if close < resistance && before > resistance - near && close < before {
                return at(-1.0, resistance);
            }
        }
        None
    }

    /// What an entry at the next open leans on: the level that was broken if price is beyond it, else the one it turned at.
    fn leans(view: &EvalContext<'_>, side: f64, of: Levels) -> LevelEntry {
        let (resistance, support) = (view.of(of.resistance), view.of(of.support));
        let level = match side > 0.0 {
            true if view.close > resistance => resistance,
            true => support,
            false if view.close < support => support,
            false => resistance,
        };
        LevelEntry { side, of, level }
    }

    fn shape(&self, view: &EvalContext<'_>, LevelEntry { side, of, level }: LevelEntry) -> StrategyShape {
        let (behind, ahead) =
            if side > 0.0 { (of.support, of.resistance) } else { (of.resistance, of.support) };
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
        let levels = self.levels.iter().flat_map(|of| [of.resistance, of.support]);
        Subscriptions::Bars(levels.chain([self.activity, self.node, BEFORE]).collect())
    }

    fn propose(&self, cx: &Context<'_>) -> Option<Proposal> {
        let entry = if cx.again.is_none() { self.entry(cx.view) } else { None };
        if let Some(entry) = entry.filter(|_| self.rest > 0) {
            let limit = EntryLimit { price: entry.level, within: self.rest };
            return cx.at_level(entry.side, limit, |filled| self.shape(filled, entry));
        }
        let plain = |side: f64, of: Levels| self.shape(cx.view, Self::leans(cx.view, side, of));
        // What is taken up again leans on the first levels that are not lost.
        let stands = |side: f64, of: &&Levels| !plain(side, **of).exit.holds(cx.view);
        let again = |side: f64| *self.levels.iter().find(|of| stands(side, of)).unwrap_or(&self.levels[0]);
        let of = |side: f64| entry.map_or_else(|| again(side), |entry| entry.of);
        cx.at_bar(|_| entry.map(|e| e.side), |side| plain(side, of(side)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::context::BarCoin;
    use crate::agents::personality::{Preset, Traits};
    use crate::agents::shape::{CALM, STORM};
    use crate::agents::strategy::Strategy;
    use crate::domain::{FamilyId, SideRule};

    /// What it would do at 106 after 104.5, where small bars have swung from 99 to 101 and bars four times as long from 90
    /// to 105: side, price of the order, level of the exit.
    fn proposed(frame: f64, rest: f64, busy: bool) -> Option<(f64, Option<EntryLimit>, Condition)> {
        let params = [4.0, 60.0, 0.1, 1.4, frame, rest];
        let who = Strategy::new(
            FamilyId::SupportResistance,
            &params,
            SideRule::Both,
            Traits::default(),
            Preset::default(),
        );
        let keys = who.indicators();
        let values: Vec<f64> = keys
            .iter()
            .map(|key| match key {
                Indicator::PivotHigh(4) => 101.0,
                Indicator::PivotLow(4) => 99.0,
                Indicator::PivotHigh(16) => 105.0,
                Indicator::PivotLow(16) => 90.0,
                Indicator::Activity(60) => {
                    if busy {
                        2.0
                    } else {
                        1.0
                    }
                }
                Indicator::Node(60) => 0.0,
                key if *key == BEFORE => 104.5,
                key if [CALM, STORM].contains(key) => 0.01,
                other => unreachable!("{other}"),
            })
            .collect();
        let (close, sigma, held, best, entry, side) = (106.0, 0.01, 0, 0.0, f64::NAN, 0.0);
        let view = EvalContext { close, sigma, held, best, entry, side, keys: &keys, values: &values };
        who.propose(&view, BarCoin::default(), None).map(|p| (p.side, p.limit, p.plan.exit))
    }

    #[test]
    fn a_level_of_longer_bars_is_broken_where_that_of_the_own_ones_was_before() {
        let under = |support| Condition::below(Term::Close, Term::Times(0.99, Indicator::PivotLow(support)));
        assert_eq!(proposed(1.0, 0.0, true), None, "101 was broken before");
        assert_eq!(proposed(4.0, 0.0, false), None, "a break that nobody trades is none");
        assert_eq!(proposed(4.0, 0.0, true), Some((1.0, None, under(16))));
        let limit = EntryLimit { price: 105.0, within: 6 };
        assert_eq!(proposed(4.0, 6.0, true), Some((1.0, Some(limit), under(16))));
    }
}
