//! Why nothing could be proven.

use crate::runtime::recover::RecoverError;

/// Why nothing could be proven.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The folder is of another run, or its journal is not whole.
    #[error(transparent)]
    Kept(#[from] RecoverError),
    /// The journal or a snapshot in it cannot be read, or the market.
    #[error("{0}")]
    Read(String),
    /// Lived again, the run decides otherwise.
    #[error("this run cannot be proven: {0}")]
    Diverged(String),
    /// The market ends before the run did.
    #[error(
        "this run cannot be proven: the market ends after {events} events, and the run had {wanted}; the data changed"
    )]
    Short {
        /// Events of the market.
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
        "there is no message {number}: the run said {said}, numbered from 1; hive talk lists those of a run that is kept"
    )]
    NoMessage {
        /// Number that was asked for.
        number: u64,
        /// Messages of the run.
        said: u64,
    },
    /// An end is not the run that it has to be.
    #[error("nothing is proven: {0}; please report it, with the line that was typed")]
    Ends(String),
}
