//! Files in: a panel, or a folder of files, opened as sources that the market room reads; and what stands beside them.
//!
//! What a file is packed in, or a table of columns, is told by its first bytes, not by its name. A file is opened anew for each
//! pass, so it may be read twice; nothing is held in memory.

use super::imports::{self, FoundFiles, ImportFile, Progress};
use crate::market::import;
use crate::market::source::SourceFile;
use crate::market::{Choices, FeedError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files that are not read and named in a report; the rest is counted.
const UNREAD_NAMED: usize = 8;

/// A data set found on disk.
pub struct DataSet {
    /// The name of the file or folder without endings.
    pub name: String,
    /// Its files, by name.
    pub sources: Vec<Box<dyn SourceFile>>,
    /// What is there and is not read, as reports say it.
    pub unread: Vec<String>,
}

/// Why a data set cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Nothing there, or no permission.
    #[error("opening {path}: {reason}; give the path of a .csv, a .csv.gz or a folder of them", path = path.display())]
    Open {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// Packed in a way that is not read here.
    #[error("{path} is not read: {what}", path = path.display())]
    Packing {
        /// File that cannot be read.
        path: PathBuf,
        /// What it is, and what to do.
        what: String,
    },
    /// A folder without data.
    #[error("{path} holds no file that is read{unread}; give the folder that holds one file per symbol", path = path.display())]
    EmptyFolder {
        /// Folder in which nothing was found.
        path: PathBuf,
        /// `: the first that is not`, or nothing.
        unread: String,
    },
    /// What stands beside the data cannot be read.
    #[error("{path}: {reason}; write columns as `close = \"Last\"` and choices as `volume = \"quote\"` below [read]", path = path.display())]
    Mapping {
        /// File of the mapping.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// What is in a file.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

/// Finds a panel file, or the files of a folder, and looks at their first bytes.
pub fn open_data(path: &Path, choices: &Choices) -> Result<DataSet, FileError> {
    let nothing: Progress = Arc::new(|_| {});
    let found = imports::find(std::slice::from_ref(&path.to_path_buf()), &nothing)?;
    let (files, unread) = known(found, choices)?;
    if files.is_empty() {
        let unread = unread.first().map_or_else(String::new, |first| format!("; {first}"));
        return Err(FileError::EmptyFolder { path: path.to_path_buf(), unread });
    }
    let sources = files.into_iter().map(|f| Box::new(f.named_below(path)) as Box<dyn SourceFile>).collect();
    Ok(DataSet { name: stem(path), sources, unread: first_unread(unread) })
}

/// Those of the files whose format is known, and the others as reports name them. What is wrong with a file that was found in a
/// folder does not end the others; one that was named is kept, and refused by who reads it.
pub fn known(found: FoundFiles, choices: &Choices) -> Result<(Vec<ImportFile>, Vec<String>), FileError> {
    // Without its settlements a perp would be run as if it paid none.
    if let Some(one) = found.unread.iter().find(|u| u.is_data && import::is_named_after_rates(&u.name)) {
        return Err(FileError::Packing { path: one.name.clone().into(), what: one.why.clone() });
    }
    let (mut files, mut lines) = (Vec::new(), Vec::new());
    let mut say = |name: &str, why: &str| lines.push(format!("{name} is not read: {why}"));
    for one in found.unread.iter().filter(|u| u.is_data) {
        say(&one.name, &one.why);
    }
    for file in found.files {
        if file.named {
            files.push(file);
            continue;
        }
        match import::detect(&file, choices) {
            Ok(Ok(_)) => files.push(file),
            Ok(Err(why)) => say(file.name(), &why),
            Err(e @ FeedError::Read { .. }) if !import::is_named_after_rates(file.name()) => {
                say(file.name(), &e.to_string());
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok((files, lines))
}

/// What is said of files that are not read, as a report has room for it.
pub fn first_unread(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > UNREAD_NAMED {
        let more = lines.split_off(UNREAD_NAMED).len();
        lines.push(format!("{more} more files are not read"));
    }
    lines
}

/// One file as a source, once it is known to be readable.
pub fn open_file(path: &Path) -> Result<ImportFile, FileError> {
    let nothing: Progress = Arc::new(|_| {});
    let mut found = imports::find(std::slice::from_ref(&path.to_path_buf()), &nothing)?.files;
    if let Some(file) = found.pop().filter(|_| found.is_empty()) {
        return Ok(file.named_below(path));
    }
    let what = "it is a zip of several files, or of none; unpack it, and name the file".to_owned();
    Err(FileError::Packing { path: path.to_path_buf(), what })
}

/// What stands beside a file about how to read it: `NAME.map.toml`, or `map.toml` for all of its folder.
pub(super) fn beside(path: &Path) -> Result<Option<Choices>, FileError> {
    let own = path.with_file_name(format!("{}.map.toml", stem(path)));
    let all = path.with_file_name("map.toml");
    let Some(path) = [own, all].into_iter().find(|p| p.is_file()) else { return Ok(None) };
    let wrong = |reason: String| FileError::Mapping { path: path.clone(), reason };
    let text = std::fs::read_to_string(&path).map_err(|e| wrong(e.to_string()))?;
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| wrong(e.message().to_owned()))?;
    let (mut choices, mut map) = (Choices::default(), Vec::new());
    for (key, value) in &table {
        match value {
            toml::Value::String(column) => map.push(format!("{key}={column}")),
            toml::Value::Table(read) if key == "read" => {
                for (key, value) in read {
                    let value = value.as_str().ok_or_else(|| wrong(format!("{key} is no text")))?;
                    choices.set(key, value).map_err(wrong)?;
                }
            }
            _ => return Err(wrong(format!("{key} is no text"))),
        }
    }
    if !map.is_empty() {
        choices.set("map", &map.join(",")).map_err(wrong)?;
    }
    Ok(Some(choices))
}

/// `perp_1h` of `…/perp_1h.csv.gz`; a folder's name as it is.
pub(super) fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let ending = [".csv", ".json", ".parquet", ".feather", ".zip", ".txt", ".tsv"];
    ending.iter().find_map(|e| name.strip_suffix(e)).unwrap_or(name).to_string()
}
