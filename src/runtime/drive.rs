//! Drives the engine through a feed, at the speed asked for, and keeps what a run has to tell beside
//! the engine's state. It decides nothing.

use crate::domain::{Event, Message, Stamp};
use crate::engine::{Engine, Outputs};
use crate::market::feed::{Feed, FeedError};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Alarms kept for the report; the rest is counted. A broken run would fill memory otherwise.
pub const ALARMS_MAX: usize = 50;
/// How long a paced run may sleep before it looks whether it is to stop.
const NAP: Duration = Duration::from_millis(50);

/// Market seconds per second on the wall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// As fast as it goes.
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
pub struct Told {
    /// Events taken from the feed, whether or not they counted: where to go on in it.
    pub events: u64,
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

/// Runs a feed to its end. `watch` sees every barrier and the messages of its step.
pub fn run(
    engine: &mut Engine,
    feed: &mut dyn Feed,
    speed: Speed,
    mut watch: impl FnMut(&Engine, &Told, &[Message]),
) -> Result<Told, FeedError> {
    let told = Told::default();
    let (told, _) = go_on(engine, feed, speed, told, &AtomicBool::new(false), |engine, told, messages| {
        watch(engine, told, messages);
        Ok::<(), FeedError>(())
    })?;
    Ok(told)
}

/// How a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The feed ended.
    Feed,
    /// It was asked to stop, and did so at a barrier.
    Stopped,
}

/// Runs a feed on from where `told` left it, until it ends or `stop` is set. An error of `watch` ends the
/// run.
pub fn go_on<E: From<FeedError>>(
    engine: &mut Engine,
    feed: &mut dyn Feed,
    speed: Speed,
    mut told: Told,
    stop: &AtomicBool,
    mut watch: impl FnMut(&Engine, &Told, &[Message]) -> Result<(), E>,
) -> Result<(Told, Ended), E> {
    let mut out = Outputs::default();
    let (start, before_s) = (Instant::now(), told.wall_s);
    let mut paced_from = None;
    let mut ended = Ended::Feed;
    while let Some(event) = feed.next()? {
        told.events += 1;
        engine.step(&event, &mut out);
        if !out.accepted {
            told.refused += 1;
            continue;
        }
        for alarm in out.alarms.drain(..) {
            if told.alarms.len() < ALARMS_MAX { told.alarms.push(alarm) } else { told.more_alarms += 1 }
        }
        match event {
            Event::Market(crate::domain::MarketEvent::Bar { .. }) => told.bars += 1,
            Event::Barrier(at) => {
                told.from.get_or_insert(at);
                told.barriers += 1;
                told.wall_s = before_s + start.elapsed().as_secs_f64();
                watch(engine, &told, &out.messages)?;
                pace(speed, *paced_from.get_or_insert(at), at, start, stop);
                if stop.load(Ordering::Relaxed) {
                    ended = Ended::Stopped;
                    break;
                }
            }
            _ => {}
        }
    }
    told.wall_s = before_s + start.elapsed().as_secs_f64();
    Ok((told, ended))
}

fn pace(speed: Speed, from: Stamp, at: Stamp, start: Instant, stop: &AtomicBool) {
    let Speed::Times(times) = speed else { return };
    let due = Duration::from_secs_f64(at.since(from).0 as f64 / 1e9 / times);
    while let Some(wait) = due.checked_sub(start.elapsed()).filter(|w| !w.is_zero()) {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        std::thread::sleep(wait.min(NAP));
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
