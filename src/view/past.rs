//! A picture of before: what was shown at a moment that is kept, and where that moment lies among the
//! others.

use super::cockpit::{AgentPage, Cockpit};
use crate::domain::Stamp;
use serde::{Deserialize, Serialize};

/// Which of the moments that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// So many moments before (negative) or after the picture of this number; not beyond the ends.
    Step {
        /// Number of the picture it is counted from, kept or not.
        seq: u64,
        /// Number of moments to step; negative goes back.
        by: i32,
    },
    /// The newest at or before a time of the market; where none is as old, the oldest.
    At(Stamp),
}

/// A moment that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// The picture that was shown then.
    pub view: Cockpit,
    /// The page of the agent that was asked for, as it was then.
    pub page: Option<AgentPage>,
    /// Its number among those kept, from 1, the oldest; 0 for one that was read from the journal.
    pub place: u32,
    /// Number of moments that are kept.
    pub kept: u32,
    /// Time of the oldest that is kept, or of the run's first where it was read from the journal.
    pub from: Stamp,
    /// Time of the newest.
    pub to: Stamp,
    /// Older ones can be read from the journal.
    pub journal: bool,
}
