//! What the account is asked with: the rules of the run, and the market as it is now.

use super::spec::RealSpec;
use crate::domain::{Money, Stamp};
use crate::engine::Settings;
use crate::market::Market;

/// What is known at a step. It goes first wherever the account acts.
#[derive(Clone, Copy, Debug)]
pub struct StepContext<'a> {
    /// What is set for the run and never changes.
    pub spec: &'a RealSpec,
    /// Settings of the whole run, as configured.
    pub settings: &'a Settings,
    /// Stamp of the step.
    pub at: Stamp,
    /// What was told until then.
    pub market: &'a Market,
}

/// What is exposed as orders are sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exposed {
    /// Σ|position| at the marks, in currency.
    pub gross: Money,
    /// Σ position at the marks, in currency.
    pub net: Money,
}
