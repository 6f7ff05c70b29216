//! The log of a hive: one file a day of what happened at the edges of a run, for whoever looks after it.
//!
//! # Invariants
//!
//! 1. At most [`FILES_MAX`] files of a name are kept; the oldest goes when a new day begins.
//! 2. Nothing is written to the terminal from here, and a log that cannot be written holds up nobody.
//! 3. The pure rooms do not log: a step of the engine knows no clock and no file.
//!
//! It holds no secrets and proves nothing: what was commanded, and by whom, is in the journal.

use crate::domain::is_unprintable;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tracing::level_filters::LevelFilter;
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};

/// The number of daily files that are kept for a name.
pub const FILES_MAX: usize = 7;
/// What the names of the files begin and end with; the day stands between.
const BEGINNING: &str = "hive";
const ENDING: &str = "log";

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The folder of the log could not be made.
    #[error("making the folder of the log, {}: {source}", .folder.display())]
    Folder {
        /// Folder that was to be made.
        folder: PathBuf,
        /// What came of it.
        source: io::Error,
    },
    /// The file of the log could not be opened.
    #[error("opening the log in {}: {why}", .folder.display())]
    File {
        /// Folder in which the file was to be.
        folder: PathBuf,
        /// What came of it.
        why: String,
    },
    /// This process has a log.
    #[error("this process writes a log already")]
    Twice,
}

/// Where the logs of a hive are: each name has a folder of its own below that of the state.
pub fn folder(state_home: &Path, name: &str) -> PathBuf {
    state_home.join("logs").join(name)
}

/// The newest log in a folder, if it has one.
pub fn newest(folder: &Path) -> io::Result<Option<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries?,
    };
    let mut newest = None;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = name.starts_with(&format!("{BEGINNING}.")) && name.ends_with(&format!(".{ENDING}"));
        // Days that are written as year, month and day sort by their names.
        if ours && newest.as_ref().is_none_or(|n| *n < path) {
            newest = Some(path);
        }
    }
    Ok(newest)
}

/// Opens the log of this process. From here on everything up to `level` is written to it. Where the `screen`
/// belongs to a cockpit, the day's file stays the same until the process ends, because the appender complains
/// on standard error if a new day's file cannot be made.
pub fn open(folder: &Path, level: LevelFilter, screen: bool) -> Result<(), LogError> {
    if level == LevelFilter::OFF {
        return Ok(());
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| LogError::Folder { folder: folder.to_path_buf(), source })?;
    let failed =
        |why: &dyn std::fmt::Display| LogError::File { folder: folder.to_path_buf(), why: why.to_string() };
    let appender = appender(folder).map_err(|e| failed(&e))?;
    let lines = tracing_subscriber::fmt().with_max_level(level).with_ansi(false).log_internal_errors(false);
    let set = if screen {
        drop(appender);
        let file = today(folder).map_err(|e| failed(&e))?;
        tracing::subscriber::set_global_default(lines.with_writer(Mutex::new(file)).finish())
    } else {
        tracing::subscriber::set_global_default(lines.with_writer(appender).finish())
    };
    set.map_err(|_| LogError::Twice)
}

/// Writes to the file of the day, and removes those that are too old.
fn appender(folder: &Path) -> Result<RollingFileAppender, InitError> {
    RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix(BEGINNING)
        .filename_suffix(ENDING)
        .max_log_files(FILES_MAX)
        .build(folder)
}

fn today(folder: &Path) -> io::Result<File> {
    let path = newest(folder)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    OpenOptions::new().append(true).open(path)
}

/// A text on one line, as a line of the log has to be: colours are left out, other control characters are
/// written as escapes.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}'
            && let Some(after) = after_colour(chars.as_str())
        {
            chars = after.chars();
            continue;
        }
        if is_unprintable(c) { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

/// What follows a sequence that only colours: `[`, numbers, `m`.
fn after_colour(rest: &str) -> Option<&str> {
    let numbers = rest.strip_prefix('[')?;
    numbers.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').strip_prefix('m')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn old_files_go_until_as_many_are_left_as_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        for day in 1..=12 {
            std::fs::write(dir.path().join(format!("hive.2020-01-{day:02}.log")), "old\n").unwrap();
        }
        std::fs::write(dir.path().join("notes.txt"), "mine\n").unwrap();
        writeln!(appender(dir.path()).unwrap(), "today").unwrap();
        let logs = || std::fs::read_dir(dir.path()).unwrap().count() - 1;
        assert_eq!(logs(), FILES_MAX);
        assert!(dir.path().join("notes.txt").exists(), "what is no log stays");
        let newest = newest(dir.path()).unwrap().unwrap();
        assert_eq!(std::fs::read_to_string(&newest).unwrap(), "today\n");
    }

    #[test]
    fn a_day_has_one_file_for_all_who_write() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["one", "two"] {
            writeln!(appender(dir.path()).unwrap(), "{text}").unwrap();
        }
        writeln!(today(dir.path()).unwrap(), "cockpit").unwrap();
        let log = std::fs::read_to_string(newest(dir.path()).unwrap().unwrap()).unwrap();
        // A test that is run across midnight finds its lines in two files.
        assert!("one\ntwo\ncockpit\n".ends_with(&log) && log.ends_with("cockpit\n"), "{log}");
    }

    #[test]
    fn the_newest_is_found_by_its_day_and_none_where_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(newest(&dir.path().join("none")).unwrap(), None);
        assert_eq!(newest(dir.path()).unwrap(), None);
        for name in ["hive.2026-02-28.log", "hive.2026-03-01.log", "hive.2025-12-31.log", "zzz.log"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(newest(dir.path()).unwrap(), Some(dir.path().join("hive.2026-03-01.log")));
    }

    #[test]
    fn a_line_stays_one_and_moves_no_cursor() {
        assert_eq!(one_line("a\nb\u{1b}[2Jc é"), "a\\nb\\u{1b}[2Jc é");
        assert_eq!(one_line("\u{1b}[1;31mred\u{1b}[0m\u{1b}"), "red\\u{1b}");
    }
}
