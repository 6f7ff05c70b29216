//! What a run has to tell beside the engine's state: how far it is, and what went wrong on the way.

use crate::domain::Stamp;
use serde::{Deserialize, Serialize};

/// Alarms kept for the report; the rest is counted. A broken run would fill memory otherwise.
pub const ALARMS_MAX: usize = 50;

/// How the alarm begins that halted a run because something was in doubt when it was started.
pub const IN_DOUBT: &str = "in doubt: ";

/// How the alarm begins that halted a run because its disk was full.
pub const DISK_FULL: &str = "the disk is full: ";

/// How the alarm begins that goes with the end of such a halt, or says that it is somebody's own from then on.
pub const HALT_OVER: &str = "no halt of the program's own any more: ";

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

    /// Takes what the program halted the run for, or that this is over. It has room where nothing else has: whether new risk is
    /// taken is read from the last of them.
    pub fn halt_alarm(&mut self, text: String) {
        if self.alarms.len() >= 2 * ALARMS_MAX {
            self.alarms.pop();
            self.more_alarms += 1;
        }
        self.alarms.push(text);
    }

    /// What the program itself halted the run for, until that is over or somebody threw the kill switch or released it by hand.
    pub fn doubt(&self) -> Option<&str> {
        let last = self
            .alarms
            .iter()
            .rev()
            .find(|a| [IN_DOUBT, DISK_FULL, HALT_OVER].iter().any(|b| a.starts_with(b)));
        last.map(String::as_str).filter(|a| !a.starts_with(HALT_OVER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_was_halted_for_last_is_known_however_many_alarms_there_were() {
        let mut stats = RunStats::default();
        (0..3 * ALARMS_MAX).for_each(|n| stats.alarm(format!("a gap, {n}")));
        assert_eq!((stats.alarms.len(), stats.doubt()), (ALARMS_MAX, None));
        for _ in 0..3 * ALARMS_MAX {
            stats.halt_alarm(format!("{DISK_FULL}3 KB are left"));
            assert!(stats.doubt().is_some());
            stats.halt_alarm(format!("{HALT_OVER}reset"));
            assert_eq!(stats.doubt(), None);
        }
        assert_eq!(stats.alarms.len(), 2 * ALARMS_MAX);
    }
}
