//! A run with `--state`: goes on where it was, can be stopped at any time, and says so.

use super::{Failure, tell};
use crate::config::{self, Config};
use crate::engine::Engine;
use crate::market::feed::{Feed, FeedError};
use crate::runtime::drive::{self, Ended, Speed, Told};
use crate::runtime::keep::{KeepError, Keeper};
use crate::runtime::recover::{self, Identity, Probe, RecoverError};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A run that is kept in a folder.
pub struct Kept {
    keeper: Keeper,
    told: Told,
    stop: Arc<AtomicBool>,
}

enum Broke {
    Feed(FeedError),
    Keep(KeepError),
}

impl From<FeedError> for Broke {
    fn from(e: FeedError) -> Self {
        Broke::Feed(e)
    }
}

impl From<KeepError> for Failure {
    fn from(e: KeepError) -> Self {
        match e {
            KeepError::Diverged { .. } => Failure::Refused(e.to_string()),
            _ => Failure::Failed(e.to_string()),
        }
    }
}

impl From<RecoverError> for Failure {
    fn from(e: RecoverError) -> Self {
        match e {
            // Nothing was wrong with the folder: the disk, or the market.
            RecoverError::Io { .. } => Failure::Usage(e.to_string()),
            RecoverError::Feed(_) => Failure::Failed(e.to_string()),
            _ => Failure::Refused(e.to_string()),
        }
    }
}

impl Kept {
    /// Opens the folder and puts engine and feed where the run was.
    pub fn open(
        dir: &Path,
        config: &Config,
        engine: &mut Engine,
        feed: &mut dyn Feed,
    ) -> Result<Self, Failure> {
        let roster = config::roster_hash(config);
        let identity = Identity::new(&config.name, roster, config.seed, feed.info(), feed.universe());
        let program = std::env::current_exe();
        let program =
            program.map_err(|e| Failure::Failed(format!("finding this program's own file: {e}")))?;
        let stop = stop_on_signals()?;
        let resumed = recover::open(dir, &identity, engine, feed, &Probe::Child(program))?;
        tell(&resumed.news);
        Ok(Kept { keeper: resumed.keeper, told: resumed.told, stop })
    }

    /// Runs to the end of the feed, or until it is stopped: then there is nothing to report yet.
    pub fn run(
        &mut self,
        engine: &mut Engine,
        feed: &mut dyn Feed,
        speed: Speed,
        mut watch: impl FnMut(&Engine, &Told),
    ) -> Result<Option<Told>, Failure> {
        let (keeper, told) = (&mut self.keeper, std::mem::take(&mut self.told));
        let done = drive::go_on(engine, feed, speed, told, &self.stop, |engine, told, _| {
            watch(engine, told);
            let kept = keeper.barrier(engine, told).map_err(Broke::Keep);
            tell(&keeper.news());
            kept
        });
        let (told, ended) = done.map_err(|e| match e {
            Broke::Feed(e) => Failure::Failed(e.to_string()),
            Broke::Keep(e) => e.into(),
        })?;
        if ended == Ended::Feed {
            keeper.end(engine, &told)?;
            return Ok(Some(told));
        }
        keeper.checkpoint(engine, &told)?;
        let at = engine.now().map(|s| s.to_string()).unwrap_or_default();
        let mut news = keeper.news();
        news.push(format!(
            "stopped at {at} after {} events; the same command goes on from there",
            told.events
        ));
        tell(&news);
        Ok(None)
    }
}

/// The first signal asks, the second does not.
fn stop_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(|e| Failure::Failed(format!("listening for signals: {e}")))?;
    }
    Ok(stop)
}
