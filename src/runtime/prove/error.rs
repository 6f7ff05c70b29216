//! Why nothing could be proven.

use crate::runtime::recover::RecoverError;
use std::path::PathBuf;

/// Why nothing could be proven.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The folder is of another run, or its journal is not whole.
    #[error(transparent)]
    Kept(RecoverError),
    /// The journal or a snapshot in it cannot be read, or the market.
    #[error("{0}")]
    Read(String),
    /// Lived again, the run decides otherwise.
    #[error("this run cannot be proven: {0}")]
    Diverged(String),
    /// The folder is of a run with other options.
    #[error(
        "{dir} holds another run: {why}. Prove it with the options that it was started with (--feed, --agents, --seed and the like)",
        dir = dir.display()
    )]
    Foreign {
        /// State folder that is of another run.
        dir: PathBuf,
        /// What the two runs differ in, in words.
        why: String,
    },
    /// Market or journal end before the run does that is to be proven.
    #[error(
        "this run cannot be proven: there are {events} events of it, and {wanted} are wanted; the data or the journal is shorter \
         than it was, or the run has only just begun"
    )]
    Short {
        /// Events that there are.
        events: u64,
        /// Events that the run had taken.
        wanted: u64,
    },
    /// Nobody listens in it.
    #[error(
        "nobody listens in this run, so that nothing that was said was worth anything in it; leave out --deaf (HIVE_DEAF, \
         listening.enabled = false) to prove a run that listens"
    )]
    Deaf,
    /// There is no message of this number.
    #[error(
        "there is no message {number}: the run said {said} until {until}, numbered from 1; hive talk lists those of a run that is kept"
    )]
    NoMessage {
        /// Number that was asked for.
        number: u64,
        /// Messages of the run.
        said: u64,
        /// Until when it is known.
        until: String,
    },
    /// An end is not the run that it has to be.
    #[error("nothing is proven: {0}; please report it, with the line that was typed")]
    Ends(String),
}

impl From<RecoverError> for ProveError {
    fn from(e: RecoverError) -> Self {
        match e {
            RecoverError::Foreign { dir, why } => ProveError::Foreign { dir, why },
            e => ProveError::Kept(e),
        }
    }
}
