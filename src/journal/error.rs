//! Why a journal cannot be read or written, each with the way out.

use super::limits::{PAYLOAD_BYTES_MAX, SEGMENTS_MAX};
use std::io;
use std::path::{Path, PathBuf};

/// Why a journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk failed while a segment was read or written.
    #[error("{doing} {path}: {reason}; see to the disk, then start again", path = path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// Damage that no crash leaves behind.
    #[error(
        "the journal is damaged: {file}, byte {offset}: {why}; nothing was changed. Put it back from a backup \
         (hive restore), cut it there (hive journal repair), or start anew in another folder",
        file = file.display()
    )]
    Corrupt {
        /// Segment in which the bad frame lies.
        file: PathBuf,
        /// Where the first bad frame begins.
        offset: u64,
        /// What does not fit.
        why: &'static str,
    },
    /// A segment between others is not there.
    #[error("the journal is not whole: {file} is missing; nothing was changed. Put it back from a backup (hive restore), end the \
             journal before it (hive journal repair), or start anew in another folder", file = file.display())]
    Missing {
        /// Segment that is missing.
        file: PathBuf,
    },
    /// Written by a later program.
    #[error("{file} has journal format {found}, this program reads up to {known}; use the newer program", file = file.display())]
    Newer {
        /// Segment that a later program wrote.
        file: PathBuf,
        /// What it says of itself.
        found: u16,
        /// What is known here.
        known: u16,
    },
    /// Written by a program that came before any that could be had.
    #[error(
        "{file} has journal format {found}, and this program reads {known}; nothing was changed. Use the program that wrote it, or \
         begin anew with --fresh (the old state is moved aside)",
        file = file.display()
    )]
    Older {
        /// Segment that an earlier program wrote.
        file: PathBuf,
        /// What it says of itself.
        found: u16,
        /// What is known here.
        known: u16,
    },
    /// Of another run.
    #[error("{dir} holds the journal of another run; name another folder", dir = dir.display())]
    Foreign {
        /// Folder of the other run's journal.
        dir: PathBuf,
        /// Payload of its first frame, by which it can be told whose it is.
        first: Vec<u8>,
    },
    /// Beyond a maximum.
    #[error("a frame of {bytes} bytes does not fit into a journal (at most {PAYLOAD_BYTES_MAX})")]
    TooLarge {
        /// Length of the payload.
        bytes: usize,
    },
    /// Beyond a maximum.
    #[error("{dir} holds {SEGMENTS_MAX} segments, the most there can be; start anew in another folder", dir = dir.display())]
    Full {
        /// Folder that is full.
        dir: PathBuf,
    },
    /// After an error nothing is written any more.
    #[error("the journal {dir} failed before ({why}) and takes no more; start again", dir = dir.display())]
    Failed {
        /// Folder of the journal that failed.
        dir: PathBuf,
        /// The first error.
        why: String,
    },
}

impl JournalError {
    /// Segment and byte before which a journal that is damaged can be believed; none where it is not damaged.
    pub fn place(&self) -> Option<(u32, u64)> {
        let index = |file: &Path| file.file_stem()?.to_str()?.parse().ok();
        match self {
            JournalError::Corrupt { file, offset, .. } => Some((index(file)?, *offset)),
            JournalError::Missing { file } => Some((index(file)?, 0)),
            _ => None,
        }
    }

    /// Whether there was no room on the disk, which leaves the journal as it was.
    pub fn is_full(&self) -> bool {
        matches!(self, JournalError::Io { reason, .. } if reason.kind() == io::ErrorKind::StorageFull)
    }

    pub(crate) fn io(doing: &'static str, path: &Path, reason: io::Error) -> Self {
        JournalError::Io { doing, path: path.to_path_buf(), reason }
    }
}
