//! A run that is kept in a folder: opened where it was, set aside if a new one is wanted, and ended so
//! that it can go on.

use super::endpoint::EndpointArgs;
use super::failure::Failure;
use super::output::tell;
use crate::config::{self, Config};
use crate::engine::Engine;
use crate::engine::state;
use crate::market::feed::Feed;
use crate::runtime::backup::BackupError;
use crate::runtime::drive::{Ended, RunError};
use crate::runtime::keep::{KeepError, Keeper};
use crate::runtime::kill::KillSwitch;
use crate::runtime::lock::{Lock, LockError};
use crate::runtime::migrate::{self, MigrateError, Migrated};
use crate::runtime::recover::{self, Probe, RecoverError, ResumeOptions, Resumed, RunIdentity};
use crate::runtime::replay::Remake;
use crate::runtime::stats::RunStats;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

impl From<KeepError> for Failure {
    fn from(e: KeepError) -> Self {
        match e {
            KeepError::Diverged { .. } | KeepError::Talk(_) => Failure::Refused(e.to_string()),
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

impl From<MigrateError> for Failure {
    fn from(e: MigrateError) -> Self {
        match e {
            MigrateError::Recover(e) => e.into(),
            MigrateError::Keep(e) => e.into(),
            MigrateError::Otherwise { .. } | MigrateError::Backup(BackupError::InUse { .. }) => {
                Failure::Refused(e.to_string())
            }
            _ => Failure::Failed(e.to_string()),
        }
    }
}

impl From<RunError> for Failure {
    fn from(e: RunError) -> Self {
        match e {
            RunError::Feed(e) => Failure::Failed(e.to_string()),
            RunError::Keep(e) => e.into(),
        }
    }
}

/// Whose state a run of this configuration and market is.
pub fn identity(config: &Config, feed: &dyn Feed) -> RunIdentity {
    let roster = config::roster_hash(config);
    RunIdentity::new(&config.name, roster, config.seed, feed.info(), feed.universe())
}

/// Opens the folder and puts engine and feed where the run was, or at its start if it is to be lived through again. A state of
/// another layout is brought to this one's before, with engine and feed made anew.
pub fn open(
    dir: &Path,
    config: &Config,
    engine: &mut Engine,
    feed: &mut dyn Feed,
    (replays, budget): (bool, Option<u64>),
    (again, stop): (&Remake, &AtomicBool),
) -> Result<Resumed, Failure> {
    let identity = identity(config, feed);
    let program = std::env::current_exe();
    let program = program.map_err(|e| Failure::Failed(format!("finding this program's own file: {e}")))?;
    let how = ResumeOptions { probe: Probe::Child(program), replays, budget };
    let mut resumed = match recover::open(dir, &identity, engine, feed, &how) {
        Err(RecoverError::Layout { dir, layout }) => {
            let (found, known) = (&layout.found, state::VERSION);
            tell(&[format!(
                "{} was kept by another program ({found}; this one has layout {known}): the run is lived through again on a copy",
                dir.display()
            )]);
            let Migrated { aside, events, compared } =
                migrate::migrate(&dir, &identity, &layout, again, stop)?;
            tell(&[format!(
                "{events} events were lived through again, and decided as before at {compared} of {compared} places that the \
                 journal knows of; the state as it was is in {}",
                aside.display()
            )]);
            recover::open(&dir, &identity, engine, feed, &how)?
        }
        opened => opened?,
    };
    tell(&std::mem::take(&mut resumed.news));
    Ok(resumed)
}

/// Keeps how a run ended.
pub fn end(
    keeper: &mut Keeper,
    engine: &Engine,
    stats: &RunStats,
    feed: &dyn Feed,
    ended: Ended,
) -> Result<(), Failure> {
    if ended == Ended::Feed {
        keeper.end(engine, stats, feed)?;
        tell(&keeper.news());
        return Ok(());
    }
    keeper.checkpoint(engine, stats, feed, None)?;
    let at = engine.now().map(|s| s.to_string()).unwrap_or_default();
    let mut news = keeper.news();
    news.push(format!("stopped at {at} after {} events; the same command goes on from there", stats.events));
    tell(&news);
    Ok(())
}

/// Makes the folder of a state, or closes it to others, before anything is kept in it.
pub fn private_folder(dir: &Path) -> Result<(), Failure> {
    let mut news = Vec::new();
    recover::private_folder(dir, &mut news).map_err(Failure::from)?;
    tell(&news);
    Ok(())
}

/// Moves a state out of the way, so that a new one begins; nothing is deleted.
pub fn set_aside(dir: &Path) -> Result<(), Failure> {
    if !dir.exists() {
        return Ok(());
    }
    let failed = |e: std::io::Error| Failure::Failed(format!("moving {} aside: {e}", dir.display()));
    let lock = Lock::take(&dir.join("lock")).map_err(|e| match e {
        LockError::Held(pid) => Failure::Refused(format!(
            "{} is in use by process {}; stop it first (hive ctl stop)",
            dir.display(),
            pid.map_or_else(|| "(unknown)".to_owned(), |p| p.to_string())
        )),
        LockError::Io(e) => failed(e),
    })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let free = |n: &u32| {
        let aside = dir.with_file_name(format!("{name}.old-{}", now + u64::from(*n)));
        (!aside.exists()).then_some(aside)
    };
    let aside: PathBuf = (0..60).find_map(|n| free(&n)).unwrap_or_else(|| dir.with_extension("old"));
    std::fs::rename(dir, &aside).map_err(failed)?;
    drop(lock);
    tell(&[format!("the old state is in {}; a new one begins", aside.display())]);
    Ok(())
}

/// The first signal asks, the second does not.
pub fn stop_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(|e| Failure::Failed(format!("listening for signals: {e}")))?;
    }
    Ok(stop)
}

/// Listens for the kill switch's own ways: SIGUSR1, and a file `kill` in the folder of the state, or, where nothing is kept,
/// beside the socket by its name.
pub fn kill_switch(state: Option<&Path>, reach: Option<&EndpointArgs>) -> Result<KillSwitch, Failure> {
    let beside = |reach: &EndpointArgs| reach.place().map(|place| place.path.with_extension("kill"));
    let file = match (state, reach) {
        (Some(dir), _) => Some(dir.join("kill")),
        (None, Some(reach)) => Some(beside(reach)?),
        (None, None) => None,
    };
    KillSwitch::listen(file).map_err(|e| Failure::Failed(format!("listening for the kill switch: {e}")))
}
