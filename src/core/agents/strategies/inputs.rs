//! What a family is given: the view with the parameters of its agent, and how a parameter is declared.

use crate::agents::declaration::{DrawnNumber, ParamSpec};
use crate::domain::{EvalContext, SideRule};

/// Bounds of a look-back in bars.
pub const LOOKBACK: (f64, f64) = (2.0, 2_000.0);

/// What a family needs to know beside the view: what is its own, and the coin of this bar.
#[derive(Clone, Copy, Debug)]
pub struct StrategyContext<'a> {
    pub view: &'a EvalContext<'a>,
    pub p: &'a [f64],
    pub side: SideRule,
    /// A key for [`crate::domain::random`], from seed, agent, asset and stamp.
    pub coin: u64,
}

impl StrategyContext<'_> {
    /// A look-back of the parameter table.
    pub fn bars(&self, i: usize) -> u16 {
        bars(self.p[i])
    }
}

/// A look-back as whole bars.
pub fn bars(x: f64) -> u16 {
    x as u16
}

/// A parameter with its unit, its default as a range that is drawn from, its bounds, and what it is.
pub(in crate::agents) const fn param(
    name: &'static str,
    unit: &'static str,
    default: (f64, f64),
    bounds: (f64, f64),
    what: &'static str,
) -> ParamSpec {
    ParamSpec {
        name,
        unit,
        default: DrawnNumber { from: default.0, to: default.1 },
        bounds: DrawnNumber { from: bounds.0, to: bounds.1 },
        what,
    }
}
