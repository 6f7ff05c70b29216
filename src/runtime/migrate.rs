//! A state that a program with another layout of its snapshots kept: the run is lived through again from its first event, with the
//! commands that were given, on a copy; if it decides as it did, the copy takes the place of the state, which is left beside.
//!
//! ```text
//! state ──copy──► state.migrating ──first event … last cursor, compared──► checkpoint ──► state, and state.layout-20-1 beside
//!                        └── decides otherwise, dies, is stopped: removed, and the state is as it was
//! ```
//!
//! # Invariants
//!
//! 1. No byte of the state is changed: it is renamed, once what takes its place is on disk.
//! 2. Wherever the journal says what had been decided, it is compared.
//! 3. What was in doubt is in doubt in the copy too.

use super::backup::{self, BackupError};
use super::evidence;
use super::keep::KeepError;
use super::recover::{self, OtherLayout, Probe, RecoverError, ResumeOptions, RunIdentity};
use super::replay::{self, Remake};
use super::stepper::Stepper;
use crate::domain::Stamp;
use crate::engine::state;
use crate::market::feed::FeedError;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Why a state was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// This program would have decided otherwise.
    #[error(
        "{dir} was kept by another program ({found}; this one has layout {known}), and this one decides otherwise when it lives \
         through that again: {why}. It is left as it is: go on with the program that kept it, or begin anew with --fresh (it is \
         moved aside)",
        dir = dir.display(),
        known = state::VERSION
    )]
    Otherwise {
        /// State folder that is left as it is.
        dir: PathBuf,
        /// Layout that it was kept in.
        found: String,
        /// Where it first decides otherwise.
        why: String,
    },
    /// Somebody wants the process to end.
    #[error("{dir}: stopped while it was lived through again on a copy; it is left as it is", dir = .0.display())]
    Stopped(PathBuf),
    /// The copy could not be made, or not be put in its place.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The copy could not be opened.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The copy could not be written.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// The market could not be read.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// Engine and feed could not be made anew.
    #[error("{0}")]
    Remake(String),
}

/// A state that was brought to this program's layout.
#[derive(Debug)]
pub struct Migrated {
    /// Where the state is as it was.
    pub aside: PathBuf,
    /// Events that were lived through again.
    pub events: u64,
    /// Places at which what was decided was compared.
    pub compared: u64,
}

/// Brings a state to this program's layout. Engine and feed are made anew for it.
pub fn migrate(
    dir: &Path,
    identity: &RunIdentity,
    layout: &OtherLayout,
    remake: &Remake,
    stop: &AtomicBool,
) -> Result<Migrated, MigrateError> {
    let _lock = backup::lock(dir)?;
    let mut name = dir.as_os_str().to_owned();
    name.push(".migrating");
    let copy = PathBuf::from(name);
    // Whoever was at it had the lock, and is gone.
    backup::discard(&copy);
    let lived = backup::copied(dir, &copy).map_err(MigrateError::from).and_then(|_| {
        layout
            .doubt
            .iter()
            .try_for_each(|doubt| evidence::keep_doubt(&copy, doubt))
            .map_err(BackupError::from)?;
        relive(&copy, identity, remake, stop)
    });
    let lived = lived.inspect_err(|_| backup::discard(&copy));
    let (events, compared) = lived.map_err(|e| match e {
        MigrateError::Keep(e @ (KeepError::Diverged { .. } | KeepError::Talk(_))) => {
            MigrateError::Otherwise {
                dir: dir.to_path_buf(),
                found: layout.found.clone(),
                why: e.to_string(),
            }
        }
        MigrateError::Stopped(_) => MigrateError::Stopped(dir.to_path_buf()),
        e => e,
    })?;
    // Whoever put it there has not taken it away.
    if std::fs::symlink_metadata(dir.join("kill")).is_ok() {
        File::create(copy.join("kill")).map_err(|reason| io_at("writing", &copy, reason))?;
    }
    let aside = backup::exchange(&copy, dir, &layout.found)?;
    Ok(Migrated { aside, events, compared })
}

/// Lives through all that a copy has, and keeps where that ends. Returns the events, and how often what was decided was compared.
fn relive(
    copy: &Path,
    identity: &RunIdentity,
    remake: &Remake,
    stop: &AtomicBool,
) -> Result<(u64, u64), MigrateError> {
    let pages = replay::read(&copy.join("journal"), Stamp(i64::MIN)).map_err(MigrateError::Remake)?;
    let (mut decided, mut compared) = (pages.decided, 0);
    let (mut engine, mut feed) = remake().map_err(MigrateError::Remake)?;
    let how = ResumeOptions { probe: Probe::Here, replays: true, budget: None };
    let resumed = recover::open(copy, identity, &mut engine, feed.as_mut(), &how)?;
    let mut keeper = resumed.keeper;
    let mut stepper = Stepper::new(&mut engine, resumed.stats, Some(&mut keeper));
    stepper.talk = resumed.talk;
    stepper.replay()?;
    while !stepper.caught_up() {
        if stop.load(Ordering::Relaxed) {
            return Err(MigrateError::Stopped(copy.to_path_buf()));
        }
        let events = stepper.stats.events;
        let Some(event) = feed.next()? else {
            return Err(RecoverError::Short { dir: copy.to_path_buf(), events }.into());
        };
        stepper.market(&event, feed.as_ref())?;
        let here = (stepper.stats.events, stepper.stats.commands);
        while let Some(entry) = decided.first_entry().filter(|e| *e.key() <= here) {
            let (place, then) = entry.remove_entry();
            // Behind a cursor at the same event commands have acted already.
            if place != here {
                continue;
            }
            compared += 1;
            if then != stepper.engine.respond.decisions {
                let at = stepper.engine.now().unwrap_or(Stamp(0));
                return Err(KeepError::Diverged { events: here.0, at }.into());
            }
        }
    }
    stepper.end_talk(false)?;
    let stats = stepper.stats;
    keeper.checkpoint(&engine, &stats, feed.as_ref(), None)?;
    Ok((stats.events, compared))
}

fn io_at(doing: &'static str, path: &Path, reason: io::Error) -> BackupError {
    BackupError::Io { doing, path: path.to_path_buf(), reason }
}
