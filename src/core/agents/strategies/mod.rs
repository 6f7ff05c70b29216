//! The families, one file each. A family is pure: from one asset's indicators at one close it says
//! whether to open, on which side, and with which conditions; the rest of an intent's life is the
//! same for all ([`crate::agents::alone`]). It knows nothing of the network.
//!
//! # Invariants
//!
//! 1. An entry is proposed only on a warm view (no NaN), with all conditions filled.
//! 2. The stop lies on the losing side of the close, the targets on the winning side.
//! 3. Nothing is opened, or taken up again, whose exit holds already.
//! 4. The conditions of a plan need only the indicators that the family asked for, so they can be
//!    evaluated wherever the entry could.

mod directional;
mod inputs;
mod momentum;
mod random;
mod range;
mod relative_strength;
mod shape;
mod support_resistance;
mod trend;
mod volatility;

use super::declaration::ParamSpec;
use super::personality::{Preset, Traits};
use super::structures;
use crate::domain::{EvalContext, Family, Indicator, Plan, SideRule};
use inputs::StrategyContext;
use shape::{CALM, STORM};

pub(in crate::agents) use inputs::param;

/// What a family proposes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EntrySignal {
    /// +1 long, −1 short.
    pub side: f64,
    /// The conditions under which it is left, added to, hedged and taken up again.
    pub plan: Plan,
}

/// One family with its parameters drawn, and the character of its agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy {
    family: Family,
    /// In the order of the family's parameter table.
    params: Vec<f64>,
    side: SideRule,
    traits: Traits,
    preset: Preset,
}

/// The parameters of a family with units, defaults and bounds.
pub fn params(family: Family) -> &'static [ParamSpec] {
    match family {
        Family::Directional => directional::PARAMS,
        Family::Trend => trend::PARAMS,
        Family::Momentum => momentum::PARAMS,
        Family::RelativeStrength => relative_strength::PARAMS,
        Family::Range => range::PARAMS,
        Family::SupportResistance => support_resistance::PARAMS,
        Family::Volatility => volatility::PARAMS,
        Family::Random => random::PARAMS,
        structured => structures::params(structured),
    }
}

/// Pairs of parameters of which the first must be below the second, whatever the seed draws.
pub fn ordered(family: Family) -> &'static [(&'static str, &'static str)] {
    match family {
        Family::Trend | Family::Volatility => &[("fast", "slow")],
        Family::Momentum => &[("short", "medium"), ("medium", "long")],
        Family::Options => &[("nearest", "farthest")],
        _ => &[],
    }
}

/// A family's idea in a line.
pub fn idea(family: Family) -> &'static str {
    match family {
        Family::Directional => "a standing view on an asset, trimmed and added to by slow drift",
        Family::Trend => "follows the crossing of two moving averages with a trailing stop",
        Family::Momentum => "time-series momentum: the sign of returns over three horizons",
        Family::RelativeStrength => "long the strong and short the weak of a basket, by rank",
        Family::Range => "fades the edges of a range, off while a trend is strong",
        Family::SupportResistance => "breaks of and bounces from levels made by pivots and volume",
        Family::Volatility => "breakout after volatility was compressed",
        Family::Random => "a seeded coin with disciplined stops: the control group",
        structured => structures::idea(structured),
    }
}

/// What a family must find on a feed, in words.
pub fn needs(family: Family) -> &'static str {
    match family {
        Family::RelativeStrength => "bars of three assets or more",
        structured if structured.is_structured() => structures::needs(structured),
        _ => "bars",
    }
}

impl Strategy {
    /// A family with drawn parameters, one per entry of [`params`].
    pub fn new(family: Family, params: Vec<f64>, side: SideRule, traits: Traits, preset: Preset) -> Self {
        Strategy { family, params, side, traits, preset }
    }

    /// Family whose rules these are.
    pub fn family(&self) -> Family {
        self.family
    }

    /// The indicators that its entry and all its conditions need.
    pub fn indicators(&self) -> Vec<Indicator> {
        let p = &self.params;
        let mut all = match self.family {
            Family::Directional => directional::indicators(p),
            Family::Trend => trend::indicators(p),
            Family::Momentum => momentum::indicators(p),
            Family::RelativeStrength => relative_strength::indicators(p),
            Family::Range => range::indicators(p),
            Family::SupportResistance => support_resistance::indicators(p),
            Family::Volatility => volatility::indicators(p),
            // A coin looks at nothing, a structure at the quotes of its legs.
            _ => vec![],
        };
        all.extend([CALM, STORM]);
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether to open now, and how. None while the view is not warm.
    pub fn entry(&self, view: &EvalContext<'_>, coin: u64) -> Option<EntrySignal> {
        if !view.is_warm() {
            return None;
        }
        let hand = StrategyContext { view, p: &self.params, side: self.side, coin };
        let side = match self.family {
            Family::Directional => directional::entry(&hand),
            Family::Trend => trend::entry(&hand),
            Family::Momentum => momentum::entry(&hand),
            Family::RelativeStrength => relative_strength::entry(&hand),
            Family::Range => range::entry(&hand),
            Family::SupportResistance => support_resistance::entry(&hand),
            Family::Volatility => volatility::entry(&hand),
            Family::Random => random::entry(&hand),
            _ => None,
        };
        let side = side.filter(|s| self.side.allows(*s))?;
        let plan = self.plan(view, side)?;
        // An intent whose reason is gone at entry would be closed at the next close.
        let opened = EvalContext { held: 0, side, best: view.close, ..*view };
        (!plan.exit.holds(&opened)).then_some(EntrySignal { side, plan })
    }

    /// The conditions of an intent opened at this close on this side; none for a structured family,
    /// whose conditions are of its legs.
    pub fn plan(&self, view: &EvalContext<'_>, side: f64) -> Option<Plan> {
        let p = &self.params;
        let shape = match self.family {
            Family::Directional => directional::shape(p, side),
            Family::Trend => trend::shape(p, side),
            Family::Momentum => momentum::shape(p, side),
            Family::RelativeStrength => relative_strength::shape(p, side),
            Family::Range => range::shape(p, view, side),
            Family::SupportResistance => support_resistance::shape(p, view, side),
            Family::Volatility => volatility::shape(p, side),
            Family::Random => random::shape(p, side),
            _ => return None,
        };
        Some(shape.plan(view, side, &self.traits, &self.preset))
    }

    /// Bars to stay flat after a close before the family's own entry counts again.
    pub fn pause(&self) -> u32 {
        libm::ceil(3.0 * self.traits.patience * self.preset.pause) as u32
    }

    /// The preset of its goal.
    pub fn preset(&self) -> &Preset {
        &self.preset
    }

    /// How often an intent may be added to.
    pub fn adds(&self) -> u32 {
        self.preset.adds
    }

    /// Size of the unit, ×.
    pub fn unit(&self) -> f64 {
        self.traits.aggression * self.preset.unit
    }
}
