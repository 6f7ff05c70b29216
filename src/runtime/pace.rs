//! At which pace a run goes: how fast the market's time passes, when the next bar is due, and how it is waited for.

use crate::domain::Stamp;
use std::time::{Duration, Instant};

/// How long a paced run may sleep before it looks whether it is to stop.
pub const NAP: Duration = Duration::from_millis(50);
/// A run that is later than this does not try to catch up with the wall.
const LATE: Duration = Duration::from_secs(1);

/// Market seconds per second on the wall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// It goes as fast as it can.
    Max,
    /// This many times faster than life.
    Times(f64),
}

impl Speed {
    /// Reads `max`, `1x` or `3600x`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "max" {
            return Some(Speed::Max);
        }
        let times: f64 = text.strip_suffix('x')?.parse().ok()?;
        (times.is_finite() && times > 0.0).then_some(Speed::Times(times))
    }
}

/// When the next bar may come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BarPace {
    /// After the seam.
    pub speed: Speed,
    /// Before it history goes by as fast as it can; none: there is no history, the speed holds at once.
    pub seam: Option<Stamp>,
    /// From this stamp on it goes at this speed, so that a market with an end lasts for years; none: never.
    pub then: Option<(Stamp, f64)>,
}

impl BarPace {
    /// The pace of a run that goes as fast as it can.
    pub const MAX: BarPace = BarPace { speed: Speed::Max, seam: None, then: None };
}

/// Holds a run to its pace.
pub(super) struct RunClock {
    pace: BarPace,
    /// Whether the second speed holds.
    slow: bool,
    /// From where it is counted.
    from: Option<(Stamp, Instant)>,
}

impl RunClock {
    /// The clock of a run that begins now.
    pub(super) fn new(pace: BarPace) -> Self {
        RunClock { pace, slow: false, from: None }
    }

    /// When the barrier after this one may come; none: at once.
    pub(super) fn due(&mut self, at: Stamp) -> Option<Instant> {
        let Speed::Times(mut times) = self.pace.speed else { return None };
        if let Some((_, slow)) = self.pace.then.filter(|(from, _)| at >= *from) {
            times = slow;
            if !std::mem::replace(&mut self.slow, true) {
                self.from = None;
            }
        }
        if self.pace.seam.is_some_and(|seam| at < seam) {
            return None;
        }
        let (now, bar) = (Instant::now(), |from: Stamp| {
            Duration::try_from_secs_f64(at.since(from).0 as f64 / 1e9 / times).unwrap_or(Duration::MAX)
        });
        let (from, start) = *self.from.get_or_insert((at, now));
        let due = start.checked_add(bar(from))?;
        if due + LATE < now {
            // The machine slept, or cannot go as fast: from here on, not in a rush after what was missed.
            self.from = Some((at, now));
        }
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_speed_holds_from_its_stamp_on() {
        let hour = |n: i64| Stamp(n * crate::domain::Span::HOUR.0);
        let pace = BarPace { speed: Speed::Times(3_600.0), seam: Some(hour(2)), then: Some((hour(4), 60.0)) };
        let mut clock = RunClock::new(pace);
        assert!(clock.due(hour(1)).is_none(), "history goes by at once");
        let due: Vec<Instant> = (2..=6).map(|n| clock.due(hour(n)).unwrap()).collect();
        assert_eq!(due[1].duration_since(due[0]), Duration::from_secs(1));
        assert!(due[2].duration_since(due[1]) <= Duration::from_secs(1), "counted anew from here");
        assert_eq!(due[3].duration_since(due[2]), Duration::from_secs(60));
        assert_eq!(due[4].duration_since(due[3]), Duration::from_secs(60));
    }

    #[test]
    fn speeds_are_read_or_refused() {
        assert_eq!(Speed::parse("max"), Some(Speed::Max));
        assert_eq!(Speed::parse("3600x"), Some(Speed::Times(3_600.0)));
        for bad in ["", "fast", "0x", "-1x", "infx", "10"] {
            assert_eq!(Speed::parse(bad), None, "{bad}");
        }
    }
}
