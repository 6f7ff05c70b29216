//! Recorded messages of venues in a folder: the lists that name them, and the files read and unpacked.

use crate::venues::recorded::{ListedFile, MessageCheck, listed};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Names of lists, and the folder beside them that their paths stand in.
const LISTS: [(&str, &str); 3] =
    [("SOURCES.tsv", ""), ("MESSAGES.tsv", ""), ("messages_permissive/SOURCES.tsv", "messages_permissive")];
/// Longest file that is read, unpacked: recordings are samples.
const FILE_MAX: u64 = 1 << 28;

/// Why recordings could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum RecordingsError {
    /// There is no list.
    #[error("{}: no SOURCES.tsv or MESSAGES.tsv names the messages in it; name the folder that has one", .0.display())]
    NoList(PathBuf),
    /// The lists name nothing of a venue that is built.
    #[error("{}: its lists name no public message of a venue that is read here", .0.display())]
    Nothing(PathBuf),
    /// A file could not be read.
    #[error("reading {}: {reason}", path.display())]
    File {
        /// File that cannot be read.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
}

/// Reads all public messages of the built venues that the lists of a folder name.
pub fn check(folder: &Path) -> Result<MessageCheck, RecordingsError> {
    let mut check = MessageCheck::default();
    let mut lists = 0;
    for (list, inside) in LISTS {
        let path = folder.join(list);
        if !path.is_file() {
            continue;
        }
        lists += 1;
        for file in listed(&text(&path)?) {
            let ListedFile { path, .. } = &file;
            check.file(&file, &text(&folder.join(inside).join(path))?);
        }
    }
    match (lists, check.looked_at.len()) {
        (0, _) => Err(RecordingsError::NoList(folder.to_owned())),
        (_, 0) => Err(RecordingsError::Nothing(folder.to_owned())),
        _ => Ok(check),
    }
}

/// A file as text, unpacked where it is packed.
fn text(path: &Path) -> Result<String, RecordingsError> {
    let failed = |reason: io::Error| RecordingsError::File { path: path.to_owned(), reason };
    let file = File::open(path).map_err(failed)?;
    let packed = path.extension().is_some_and(|e| e == "gz");
    let from: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut text = String::new();
    from.take(FILE_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
