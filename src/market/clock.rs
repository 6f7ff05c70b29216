//! The clocks of a run.

use crate::domain::Span;
use serde::{Deserialize, Serialize};

/// When the hive decides, and when silence means that an asset is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionClock {
    /// Length of a bar of the decision clock; history with finer bars is resampled to it.
    pub decide: Span,
    /// An asset that has had no bar for this long is taken as delisted: positions are closed at its
    /// last price. If it comes back it starts anew, so a new coin under an old name is no return.
    pub delist_after: Span,
}

impl Default for DecisionClock {
    fn default() -> Self {
        DecisionClock { decide: Span(4 * Span::HOUR.0), delist_after: Span(7 * Span::DAY.0) }
    }
}
