//! Drives the engine through a feed, at the speed asked for, and keeps what a run has to tell beside
//! the engine's state. It decides nothing.

use super::keep::KeepError;
use super::service::Clients;
use super::stepper::Stepper;
use crate::domain::Stamp;
use crate::market::feed::{Feed, FeedError};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Alarms kept for the report; the rest is counted. A broken run would fill memory otherwise.
pub const ALARMS_MAX: usize = 50;
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

/// How a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The feed ended.
    Feed,
    /// It was asked to stop.
    Stopped,
}

/// Why a run ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The market could not be read on.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// What keeps it.
    #[error(transparent)]
    Keep(#[from] KeepError),
}

/// When the next bar may come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BarPace {
    /// After the seam.
    pub speed: Speed,
    /// Before it history goes by as fast as it can; none: there is no history, the speed holds at once.
    pub seam: Option<Stamp>,
}

impl BarPace {
    /// The pace of a run that goes as fast as it can.
    pub const MAX: BarPace = BarPace { speed: Speed::Max, seam: None };
}

/// Holds a run to its pace.
struct RunClock {
    pace: BarPace,
    /// From where it is counted.
    from: Option<(Stamp, Instant)>,
}

impl RunClock {
    /// When the barrier after this one may come; none: at once.
    fn due(&mut self, at: Stamp) -> Option<Instant> {
        let Speed::Times(times) = self.pace.speed else { return None };
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

/// Runs a feed on from where the stepper is, until it ends or `stop` is set. `watch` sees every barrier;
/// `audience` is shown what happens and may command.
pub fn run(
    stepper: &mut Stepper<'_>,
    feed: &mut dyn Feed,
    pace: BarPace,
    stop: &AtomicBool,
    mut audience: Option<&mut Clients<'_>>,
    mut watch: impl FnMut(&mut Stepper<'_>),
) -> Result<Ended, RunError> {
    let (start, before_s) = (Instant::now(), stepper.stats.wall_s);
    let mut clock = RunClock { pace, from: None };
    stepper.replay()?;
    let ended = loop {
        if stop.load(Ordering::Relaxed) || audience.as_ref().is_some_and(|a| a.stopping()) {
            break Ended::Stopped;
        }
        let next = feed.next().inspect_err(|e| tracing::error!("the feed is lost: {e}"))?;
        let Some(event) = next else {
            tracing::info!(events = stepper.stats.events, "the feed has ended");
            match &mut audience {
                Some(audience) if audience.stays => audience.stay(stepper, stop)?,
                _ => {}
            }
            break if stop.load(Ordering::Relaxed) { Ended::Stopped } else { Ended::Feed };
        };
        let barrier = stepper.market(&event)?;
        let caught_up = stepper.caught_up();
        if let Some(at) = barrier {
            stepper.stats.wall_s = before_s + start.elapsed().as_secs_f64();
            watch(stepper);
            // What was lived through once is not waited for again.
            let due = if caught_up { clock.due(at) } else { None };
            match &mut audience {
                Some(audience) => {
                    audience.barrier(stepper, at);
                    if caught_up {
                        audience.wait(stepper, due, stop)?;
                    }
                }
                None => nap(due, stop),
            }
        } else if let Some(audience) = audience.as_mut().filter(|_| caught_up) {
            audience.hear(stepper)?;
        }
    };
    if let Some(audience) = &mut audience {
        audience.show(stepper);
    }
    stepper.stats.wall_s = before_s + start.elapsed().as_secs_f64();
    Ok(ended)
}

fn nap(until: Option<Instant>, stop: &AtomicBool) {
    while let Some(left) =
        until.and_then(|u| u.checked_duration_since(Instant::now())).filter(|w| !w.is_zero())
    {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        std::thread::sleep(left.min(NAP));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_read_or_refused() {
        assert_eq!(Speed::parse("max"), Some(Speed::Max));
        assert_eq!(Speed::parse("3600x"), Some(Speed::Times(3_600.0)));
        for bad in ["", "fast", "0x", "-1x", "infx", "10"] {
            assert_eq!(Speed::parse(bad), None, "{bad}");
        }
    }
}
