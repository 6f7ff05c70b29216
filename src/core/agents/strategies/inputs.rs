//! What a family that decides at bars is given: the view with the parameters of its agent.

use crate::domain::{EvalContext, SideRule};

/// Bounds of a look-back in bars.
pub const LOOKBACK: (f64, f64) = (2.0, 2_000.0);

/// What a family needs to know beside the view: what is its own, and the coin of this bar.
#[derive(Clone, Copy, Debug)]
pub struct StrategyContext<'a> {
    /// The asset's indicators at this close.
    pub view: &'a EvalContext<'a>,
    /// The numbers that were drawn for the agent, in the order of the family's parameters.
    pub p: &'a [f64],
    /// The sides that the agent may take.
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
