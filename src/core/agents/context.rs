//! What a family is asked with: the indicators as they are, its agent, and, where it holds legs, the market they are in.

use super::personality::{Preset, Traits};
use super::proposal::{EntryLimit, Proposal};
use super::shape::StrategyShape;
use super::structures::context::StructureContext;
use crate::domain::{EvalContext, SideRule, Stamp, random};

/// Bounds of a look-back in bars.
pub const LOOKBACK: (f64, f64) = (2.0, 2_000.0);

/// A coin of one agent on one asset at one bar. It is tossed only by who asks for it: nearly all look at it at every bar, and
/// one family does.
#[derive(Clone, Copy, Debug, Default)]
pub struct BarCoin {
    /// Of seed, agent and asset.
    pub key: u64,
    /// The bar's stamp.
    pub at: Stamp,
}

impl BarCoin {
    /// A key for [`crate::domain::random`], the same whenever it is tossed.
    pub fn toss(self) -> u64 {
        random::mix(self.key, self.at.0 as u64)
    }
}

/// What a family is asked with.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Indicators by their names, and what is held.
    pub view: &'a EvalContext<'a>,
    /// The sides that the agent may take.
    pub side: SideRule,
    /// The agent's character.
    pub traits: &'a Traits,
    /// What being deployed for its goal changes.
    pub preset: &'a Preset,
    /// What a family may toss at this bar.
    pub coin: BarCoin,
    /// The side on which an earlier intent is to be taken up again: its condition holds, so no entry is asked for.
    pub again: Option<f64>,
    /// The board, what is listed, what trading costs and what is held in legs; none for those who decide at bars.
    pub market: Option<&'a StructureContext<'a>>,
}

impl Context<'_> {
    /// The answer of a family that decides at bars, from the side of its entry and from its conditions on a side.
    pub fn at_bar(
        &self,
        entry: impl FnOnce(&EvalContext<'_>) -> Option<f64>,
        shape: impl Fn(f64) -> StrategyShape,
    ) -> Option<Proposal> {
        let plan = |side: f64| shape(side).plan(self.view, side, self.traits, self.preset);
        let proposal =
            |side, plan| Proposal { side, legs: Vec::new(), size: 1.0, delta: 1.0, plan, limit: None };
        if let Some(side) = self.again {
            return Some(proposal(side, plan(side)));
        }
        let side = entry(self.view).filter(|s| self.side.allows(*s))?;
        let plan = plan(side);
        // An intent whose reason is gone at entry would be closed at the next close.
        let (best, entry) = (self.view.close, self.view.close);
        let opened = EvalContext { held: 0, side, best, entry, ..*self.view };
        (!plan.exit.holds(&opened)).then_some(proposal(side, plan))
    }

    /// The same for one whose order rests at a level: its conditions are those of who is filled there.
    pub fn at_level(
        &self,
        side: f64,
        limit: EntryLimit,
        shape: impl Fn(&EvalContext<'_>) -> StrategyShape,
    ) -> Option<Proposal> {
        if !self.side.allows(side) {
            return None;
        }
        let (best, entry) = (limit.price, limit.price);
        let filled = EvalContext { close: limit.price, held: 0, side, best, entry, ..*self.view };
        let plan = shape(&filled).plan(&filled, side, self.traits, self.preset);
        let is_over = plan.exit.holds(&filled) || plan.exit.holds(&EvalContext { side, ..*self.view });
        let limit = Some(limit);
        (!is_over).then_some(Proposal { side, legs: Vec::new(), size: 1.0, delta: 1.0, plan, limit })
    }
}

/// A look-back as whole bars.
pub fn bars(x: f64) -> u16 {
    x as u16
}
