//! Why a talk log cannot be read or gone on with.

use std::io;
use std::path::{Path, PathBuf};

/// Why a talk log cannot be read or gone on with.
#[derive(Debug, thiserror::Error)]
pub enum TalkError {
    /// The system refused.
    #[error("{doing} {file}: {reason}", file = file.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// File that it was done to.
        file: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// Something else lies there.
    #[error("{file} is no talk log; name a state folder (what was given to --state) or a file that --talk wrote", file = file.display())]
    Strange {
        /// File that was named.
        file: PathBuf,
    },
    /// Written by another program.
    #[error("{file} has talk format {found}, this program reads {known}; use the program that wrote it", file = file.display())]
    Version {
        /// File that another program wrote.
        file: PathBuf,
        /// What it says of itself.
        found: u16,
        /// What is known here.
        known: u16,
    },
    /// What is there is not what was written.
    #[error(
        "{file} is damaged at byte {offset}: {why}; nothing was changed. The journal of the run has all that it follows from: \
         start the run once with --replay, and it is written anew from there", file = file.display()
    )]
    Damaged {
        /// File that is damaged.
        file: PathBuf,
        /// First byte that cannot be believed.
        offset: u64,
        /// What does not fit.
        why: &'static str,
    },
    /// A run that was killed says other things than it said before.
    #[error(
        "message {first} or one of the {count} from it on is another than {file} says was said before (byte {offset}): the \
         program or the data changed. Go on with the old ones, or move the file away, and what is said from then on is kept",
        file = file.display()
    )]
    Differs {
        /// File that says otherwise.
        file: PathBuf,
        /// Byte at which the block begins.
        offset: u64,
        /// First message of the block.
        first: u64,
        /// Messages of the block.
        count: u64,
    },
}

impl TalkError {
    pub(super) fn io(doing: &'static str, file: &Path) -> impl Fn(io::Error) -> TalkError {
        move |reason| TalkError::Io { doing, file: file.to_path_buf(), reason }
    }

    /// Whether there was no room on the disk.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, TalkError::Io { reason, .. } if reason.kind() == io::ErrorKind::StorageFull)
    }
}
