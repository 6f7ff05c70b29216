//! `hive backup` and `hive restore`: the state of a run as a copy, made while it runs, and put back.

use crate::cli::endpoint::EndpointArgs;
use crate::cli::failure::Failure;
use crate::cli::output::{print, tell};
use crate::runtime::backup::{self, BackupError, Copied};
use clap::Args;
use std::path::{Path, PathBuf};

/// Which state is meant.
#[derive(Clone, Debug, Args)]
pub struct StateArgs {
    /// The state folder; without it that of the hive of this name
    #[arg(long, value_name = "DIR", env = "HIVE_STATE", hide_env_values = true)]
    state: Option<PathBuf>,
    #[command(flatten)]
    reach: EndpointArgs,
}

/// Arguments of `hive backup`.
#[derive(Clone, Debug, Args)]
pub struct BackupArgs {
    /// A new folder for the copy; it is a state folder itself
    dir: PathBuf,
    #[command(flatten)]
    of: StateArgs,
}

/// Arguments of `hive restore`.
#[derive(Clone, Debug, Args)]
pub struct RestoreArgs {
    /// The copy; it is left as it is
    dir: PathBuf,
    #[command(flatten)]
    of: StateArgs,
}

impl StateArgs {
    fn folder(&self) -> Result<PathBuf, Failure> {
        self.state.clone().map_or_else(|| self.reach.home().map(|(kept, _)| kept), Ok)
    }
}

impl From<BackupError> for Failure {
    fn from(e: BackupError) -> Self {
        match e {
            BackupError::Nothing { .. } | BackupError::There { .. } => Failure::Usage(e.to_string()),
            BackupError::InUse { .. } | BackupError::Less { .. } | BackupError::Hopeless { .. } => {
                Failure::Refused(e.to_string())
            }
            BackupError::Journal(_) | BackupError::Io { .. } => Failure::Failed(e.to_string()),
        }
    }
}

/// Runs `hive backup`.
pub fn run(args: &BackupArgs) -> Result<(), Failure> {
    let state = args.of.folder()?;
    let made = backup::back_up(&state, &args.dir)?;
    print(&format!("{} is a copy of {}: {}\n", args.dir.display(), state.display(), holds(&made)))
}

/// Runs `hive restore`.
pub fn restore(args: &RestoreArgs) -> Result<(), Failure> {
    let state = args.of.folder()?;
    let made = backup::restore(&args.dir, &state)?;
    print(&format!("{} is restored from {}: {}\n", state.display(), args.dir.display(), holds(&made)))?;
    let aside = made.aside.as_deref().map(|aside| format!("what was there is in {}", aside.display()));
    let doubt = made
        .doubt
        .map(|doubt| format!("the next start comes up halted: {doubt}; hive ctl reset releases it"));
    tell(&aside.into_iter().chain(doubt).collect::<Vec<_>>());
    Ok(())
}

fn holds(made: &Copied) -> String {
    let seen = &made.seen;
    format!("{} frames in {} segments, {} bytes, read back whole", seen.frames, seen.segments, seen.bytes)
}

/// The state folder of a journal that was named, as one or as its state.
pub fn state_of(dir: &Path) -> PathBuf {
    let is_journal = !dir.join("journal").is_dir() && dir.file_name().is_some_and(|name| name == "journal");
    match dir.parent() {
        Some(parent) if is_journal && parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) if is_journal => parent.to_path_buf(),
        _ => dir.to_path_buf(),
    }
}
