//! The venue's time: this machine's, put right by what the venue said.

use crate::domain::{Span, Stamp};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Tells the venue's time, which never goes back.
#[derive(Clone, Copy, Debug)]
pub(super) struct VenueClock {
    /// What the venue's clock said, and when that was here.
    known: (Stamp, Instant),
    /// Seconds at the venue in a second here. A venue is in real time; one that is simulated may go faster.
    rate: f64,
}

impl VenueClock {
    /// The time of this machine, to hold the venue's against.
    pub fn of_machine() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        VenueClock { known: (Stamp(since.as_nanos() as i64), Instant::now()), rate: 1.0 }
    }

    /// The time that the venue said in an answer that came at this moment. It was that time a little before; a clock that is
    /// behind takes no bar for over that is not, and one that is ahead would.
    pub fn said(at: Stamp, answered: Instant, rate: f64) -> Self {
        VenueClock { known: (at, answered), rate }
    }

    /// Now, at the venue.
    pub fn now(&self) -> Stamp {
        let (said, then) = self.known;
        said.after(Span(
            (Instant::now().saturating_duration_since(then).as_nanos() as f64 * self.rate) as i64,
        ))
    }

    /// How far ahead of another it is; less than nothing where it is behind.
    pub fn ahead_of(&self, other: &VenueClock) -> Span {
        self.now().since(other.now())
    }
}
