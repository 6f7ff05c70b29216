//! Drives the engine through a feed, at the pace asked for, until the feed ends or somebody stops it. It decides
//! nothing.

use super::keep::KeepError;
use super::pace::{BarPace, NAP, RunClock};
use super::service::Clients;
use super::stepper::Stepper;
use crate::market::feed::{Feed, FeedError, Polled};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a live feed that has nothing yet is left alone.
const LIVE_NAP: Duration = Duration::from_millis(5);

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
    let mut clock = RunClock::new(pace);
    stepper.replay()?;
    let ended = loop {
        if stop.load(Ordering::Relaxed) || audience.as_ref().is_some_and(|a| a.stopping()) {
            break Ended::Stopped;
        }
        stepper.heed_kill()?;
        // Before the next event: what was thrown while the run came up is not to wait for anything new.
        if let Some(audience) = audience.as_mut().filter(|_| stepper.caught_up()) {
            audience.hear(stepper)?;
        }
        let event = match feed.poll().inspect_err(|e| tracing::error!("the feed is lost: {e}"))? {
            Polled::Event(event) => event,
            Polled::Nothing => {
                await_feed(stepper, feed, audience.as_deref_mut(), stop)?;
                continue;
            }
            Polled::End => {
                tracing::info!(events = stepper.stats.events, "the feed has ended");
                stepper.show_talk(true);
                match &mut audience {
                    Some(audience) if audience.stays => audience.stay(stepper, stop)?,
                    _ => {}
                }
                break if stop.load(Ordering::Relaxed) { Ended::Stopped } else { Ended::Feed };
            }
        };
        let barrier = stepper.market(&event, feed)?;
        let caught_up = stepper.caught_up();
        if let Some(at) = barrier {
            stepper.heed_disk()?;
            stepper.stats.wall_s = before_s + start.elapsed().as_secs_f64();
            watch(stepper);
            // What was lived through once is not waited for again.
            let due = if caught_up { clock.due(at) } else { None };
            stepper.show_talk(due.is_some_and(|due| due > Instant::now()));
            match &mut audience {
                Some(audience) => {
                    audience.barrier(stepper, at);
                    if caught_up {
                        audience.wait(stepper, due, stop)?;
                    }
                }
                None => nap(stepper, due, stop)?,
            }
        }
    };
    // What was thrown between the last event and the end is kept too.
    stepper.heed_kill()?;
    if let Some(audience) = &mut audience {
        audience.show(stepper);
    }
    stepper.end_talk(ended == Ended::Feed)?;
    stepper.stats.wall_s = before_s + start.elapsed().as_secs_f64();
    Ok(ended)
}

/// Nothing has come yet: who watches is shown what there is, and orders are heard meanwhile, for a moment.
fn await_feed(
    stepper: &mut Stepper<'_>,
    feed: &dyn Feed,
    audience: Option<&mut Clients<'_>>,
    stop: &AtomicBool,
) -> Result<(), KeepError> {
    stepper.show_talk(true);
    let until = Instant::now().checked_add(LIVE_NAP);
    match audience {
        Some(audience) => {
            audience.look_at_links(stepper, feed);
            audience.wait(stepper, until, stop)
        }
        None => nap(stepper, until, stop),
    }
}

/// Sleeps until a bar is due or the run is to stop, and hears the kill switch meanwhile; not at all where nothing is waited
/// for.
fn nap(stepper: &mut Stepper<'_>, until: Option<Instant>, stop: &AtomicBool) -> Result<(), KeepError> {
    while let Some(left) =
        until.and_then(|u| u.checked_duration_since(Instant::now())).filter(|left| !left.is_zero())
    {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        std::thread::sleep(left.min(NAP));
        stepper.heed_kill()?;
        stepper.heed_disk()?;
    }
    Ok(())
}
