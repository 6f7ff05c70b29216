//! What a decision looks at, and what its orders are sent with.

use super::spec::RealSpec;
use crate::domain::{Money, Stamp};
use crate::engine::Settings;
use crate::market::Market;

/// What a decision of the desk may look at: the rules of the run, and the market as it is at a barrier.
#[derive(Clone, Copy, Debug)]
pub struct BarrierContext<'a> {
    /// What is set for the run and never changes.
    pub spec: &'a RealSpec,
    /// Settings of the whole run, as configured.
    pub settings: &'a Settings,
    /// Stamp of the barrier at which is decided.
    pub at: Stamp,
    /// What was told until then.
    pub market: &'a Market,
}

/// What is known as orders are sent.
pub(super) struct RoutingContext<'a> {
    /// Stamp at which they leave.
    pub at: Stamp,
    /// What was told until then.
    pub market: &'a Market,
    /// Σ|position| at the marks, in currency.
    pub gross: Money,
    /// Σ position at the marks, in currency.
    pub net: Money,
}
