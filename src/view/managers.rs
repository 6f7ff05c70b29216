//! The managers as they are shown.

use crate::domain::{Goal, ManagerId};
use serde::{Deserialize, Serialize};

/// One manager that is set over the hive or over a team of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManagerRow {
    /// Number of the manager.
    pub id: ManagerId,
    /// Name by which commands find it.
    pub name: String,
    /// What it is deployed for; nothing of the asset manager.
    pub goal: Option<Goal>,
    /// Whom it manages.
    pub over: String,
    /// What it watches.
    pub watches: String,
    /// What its knobs are at.
    pub knobs: String,
    /// Whether one of them is away from home.
    pub turned: bool,
    /// Nobody's reactions hear of its adjustments.
    pub muted: bool,
    /// Its knobs rest at home.
    pub paused: bool,
    /// What the hive gains by it, once enough days were measured; nothing of one whose knobs do not reach the desk.
    pub worth: Option<ManagerWorth>,
}

/// The hive's Sharpe ratio per year less that of its shadow without the manager, on the same days.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManagerWorth {
    /// The one less the other.
    pub sharpe: f64,
    /// Lower end of its 95 % interval, for one look.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
    /// Days that were measured.
    pub days: u32,
}

impl ManagerRow {
    /// In a word: `paused`, `muted`, `turned` or `home`.
    pub fn state(&self) -> &'static str {
        match () {
            () if self.paused => "paused",
            () if self.muted => "muted",
            () if self.turned => "turned",
            () => "home",
        }
    }
}
