//! What a run has to tell beside the engine's state: how far it is, and what went wrong on the way.

use crate::domain::Stamp;
use serde::{Deserialize, Serialize};

/// Alarms kept for the report; the rest is counted. A broken run would fill memory otherwise.
pub const ALARMS_MAX: usize = 50;

/// How the alarm begins that halted a run because something was in doubt when it was started.
pub const IN_DOUBT: &str = "in doubt: ";

/// How the alarm begins that halted a run because its disk was full.
pub const DISK_FULL: &str = "the disk is full: ";

/// What a run has to tell beside the engine's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunStats {
    /// Events taken from the feed, whether or not they counted: where to go on in it.
    pub events: u64,
    /// Commands that were stepped.
    pub commands: u64,
    /// The first barrier.
    pub from: Option<Stamp>,
    /// Bars that counted.
    pub bars: u64,
    /// Barriers that counted.
    pub barriers: u64,
    /// Events that did not count.
    pub refused: u64,
    /// What the operator must know, in order.
    pub alarms: Vec<String>,
    /// Alarms beyond those kept.
    pub more_alarms: u64,
    /// Seconds on the wall.
    pub wall_s: f64,
}

impl RunStats {
    /// Takes an alarm, as long as there is room.
    pub fn alarm(&mut self, text: String) {
        if self.alarms.len() >= ALARMS_MAX { self.more_alarms += 1 } else { self.alarms.push(text) }
    }

    /// What the program itself halted the run for, the last time that it did.
    pub fn doubt(&self) -> Option<&str> {
        let ours = |a: &&String| a.starts_with(IN_DOUBT) || a.starts_with(DISK_FULL);
        self.alarms.iter().rev().find(ours).map(String::as_str)
    }
}
