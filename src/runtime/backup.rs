//! Copies of a state folder: made while a run writes to it, put back in its place, or made of what can be believed of one
//! that is damaged. A copy is a state folder itself, with what was said; the store is not copied, the journal has all of it.
//!
//! # Invariants
//!
//! 1. Nothing is ever deleted or overwritten: what stood in the place of a copy is left beside it.
//! 2. A copy takes its place whole or not at all: it is made and read back beside, and exchanged in one step.
//! 3. A copy that has less than somebody was told is safe is one in doubt: what is started on it comes up halted.

use super::evidence::{self, mark_path};
use super::keep::JournaledCommand;
use super::lock::{Lock, LockError};
use crate::journal::{self, Acknowledged, JournalError, MarkFile, RecordKind, Recovery};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Commands that are named one by one; the rest is counted.
const NAMED_MAX: usize = 100;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// There is nothing to copy.
    #[error("{dir} holds no run: there is no journal with frames in it; name a folder that was given to --state", dir = dir.display())]
    Nothing {
        /// Folder that was named.
        dir: PathBuf,
    },
    /// There is something in the place of the copy.
    #[error("{dir} is there already; name a new folder", dir = dir.display())]
    There {
        /// Folder that was named.
        dir: PathBuf,
    },
    /// The run is in use.
    #[error("{dir} is in use by process {pid}; stop it first (hive ctl stop)", dir = dir.display())]
    InUse {
        /// State folder that is in use.
        dir: PathBuf,
        /// Who holds it.
        pid: String,
    },
    /// It has less than it should.
    #[error(
        "{dir}: frame {upto} was acknowledged, and the journal ends at frame {last}: a copy would hide that. Put the journal \
         back from a backup, or start the run, which comes up halted, and copy it then",
        dir = dir.display()
    )]
    Less {
        /// State folder that lost frames.
        dir: PathBuf,
        /// What was acknowledged.
        upto: u64,
        /// Last frame of the journal.
        last: u64,
    },
    /// Nothing that can be believed is left.
    #[error("{dir}: no frame before the damage ({why}) can be believed; put the journal back from a backup (hive restore)", dir = dir.display())]
    Hopeless {
        /// State folder whose journal is damaged.
        dir: PathBuf,
        /// Where the damage is.
        why: String,
    },
    /// A file or folder could not be read or written.
    #[error("{doing} {path}: {reason}; see to the disk, then try again", path = path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}

/// A copy that was made or put back.
#[derive(Debug)]
pub struct Copied {
    /// What is in the journal of the copy.
    pub seen: Recovery,
    /// Where what stood in its place is now.
    pub aside: Option<PathBuf>,
    /// What is not in the copy, though somebody was told that it is safe.
    pub doubt: Option<String>,
}

/// What was lost with the end of a damaged journal.
#[derive(Debug)]
pub struct Repaired {
    /// Why the journal could not be read.
    pub why: String,
    /// What is left.
    pub seen: Recovery,
    /// The frame up to which it was acknowledged, if that is known.
    pub acknowledged: Option<u64>,
    /// Frames behind the damage that can still be read.
    pub readable: u64,
    /// Commands among them, each in words.
    pub commands: Vec<String>,
    /// Commands among them that are not named.
    pub more: u64,
    /// Where the damaged journal is now; none where it was only looked at.
    pub aside: Option<PathBuf>,
}

/// Copies a state while a run may be writing to it.
pub fn back_up(state: &Path, to: &Path) -> Result<Copied, BackupError> {
    // Before the journal: what is acknowledged meanwhile need not be in the copy.
    let mark = MarkFile::read(&mark_path(state))?.upto();
    if fs::symlink_metadata(to).is_ok() {
        return Err(BackupError::There { dir: to.to_path_buf() });
    }
    let part = part(to)?;
    let made = copied(state, &part).and_then(|seen| {
        let upto = mark.map_or(0, |m| m.seq);
        if upto > seen.last_seq {
            return Err(BackupError::Less { dir: state.to_path_buf(), upto, last: seen.last_seq });
        }
        fs::rename(&part, to).and_then(|()| sync_parent(to)).map_err(io_at("renaming", to))?;
        Ok(Copied { seen, aside: None, doubt: None })
    });
    made.inspect_err(|_| discard(&part))
}

/// Puts a copy in the place of a state, which is left beside it.
pub fn restore(backup: &Path, state: &Path) -> Result<Copied, BackupError> {
    let there = fs::symlink_metadata(state).is_ok();
    let lock = if there { Some(lock(state)?) } else { None };
    if let Some(parent) = state.parent().filter(|p| !p.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(io_at("making", parent))?;
    }
    let mark = MarkFile::read(&mark_path(backup))?.upto();
    let part = part(state)?;
    let made = copied(backup, &part).and_then(|seen| {
        let upto = mark.map_or(0, |m| m.seq);
        if upto > seen.last_seq {
            return Err(BackupError::Less { dir: backup.to_path_buf(), upto, last: seen.last_seq });
        }
        let doubt = if there { less_than(state, &seen)? } else { None };
        if let Some(doubt) = &doubt {
            evidence::keep_doubt(&part, doubt)?;
        }
        // Whoever put it there has not taken it away.
        if fs::symlink_metadata(state.join("kill")).is_ok() {
            File::create(part.join("kill")).map_err(io_at("writing", &part))?;
        }
        let aside = if there { Some(exchange(&part, state, "old")?) } else { None };
        if !there {
            fs::rename(&part, state).and_then(|()| sync_parent(state)).map_err(io_at("renaming", state))?;
        }
        Ok(Copied { seen, aside, doubt })
    });
    drop(lock);
    made.inspect_err(|_| discard(&part))
}

/// Ends a damaged journal before its damage, in a copy that takes its place; nothing is done where it is only looked at, or
/// where there is no damage, which is told by none.
pub fn repair(state: &Path, look: bool) -> Result<Option<Repaired>, BackupError> {
    let journal = state.join("journal");
    let _lock = lock(state)?;
    let acknowledged = MarkFile::read(&mark_path(state))?.upto().map(|m| m.seq);
    let Err(damage) = journal::scan_beyond(&journal, acknowledged, |_| Ok(())) else { return Ok(None) };
    let Some(place) = damage.place() else { return Err(damage.into()) };
    let part = part(&journal)?;
    let made = journal::copy(&journal, &part, Some(place)).map_err(BackupError::from).and_then(|seen| {
        if seen.frames == 0 {
            return Err(BackupError::Hopeless { dir: state.to_path_buf(), why: damage.to_string() });
        }
        let why = damage.to_string();
        let mut repaired =
            Repaired { why, seen, acknowledged, readable: 0, commands: Vec::new(), more: 0, aside: None };
        journal::readable_from(&journal, place, |frame| {
            repaired.readable += 1;
            if frame.kind != RecordKind::Command as u16 {
                return;
            }
            match in_words(frame.seq, frame.payload) {
                words if repaired.commands.len() < NAMED_MAX => repaired.commands.push(words),
                _ => repaired.more += 1,
            }
        })?;
        if !look {
            let from = repaired.seen.last_seq + 1;
            evidence::keep_doubt(
                state,
                &format!("the journal was damaged, and ended by a repair before frame {from}"),
            )?;
            repaired.aside = Some(exchange(&part, &journal, "damaged")?);
        }
        Ok(repaired)
    });
    if look {
        discard(&part);
    }
    made.map(Some).inspect_err(|_| discard(&part))
}

fn in_words(seq: u64, payload: &[u8]) -> String {
    match serde_json::from_slice::<JournaledCommand>(payload) {
        Ok(g) => {
            let what = g.command.map_or_else(|| "stop".to_owned(), |c| format!("{c:?}"));
            format!(
                "frame {seq}: {what} after {} events, at {}, of uid {} by process {}",
                g.events, g.at, g.uid, g.pid
            )
        }
        Err(_) => format!("frame {seq}: a command that this version does not know"),
    }
}

/// The journal of a state in a folder that is made, with a mark that says so much of it.
pub(super) fn copied(state: &Path, part: &Path) -> Result<Recovery, BackupError> {
    let (from, to) = (state.join("journal"), part.join("journal"));
    let nothing = || BackupError::Nothing { dir: state.to_path_buf() };
    if !from.is_dir() {
        return Err(nothing());
    }
    DirBuilder::new().mode(0o700).create(part).map_err(io_at("making", part))?;
    // What cannot be read is named by where it is, not by where it was copied to.
    let seen = journal::copy(&from, &to, None).map_err(|e| match journal::verify(&from) {
        Err(theirs) if e.place().is_some() => theirs,
        _ => e,
    })?;
    let run = seen.run.filter(|_| seen.frames > 0).ok_or_else(nothing)?;
    let upto = Acknowledged { run: run.run, config: run.config, seq: seen.last_seq, link: seen.link };
    MarkFile::open(&mark_path(part), upto)?;
    copy_talk(state, part)?;
    Ok(seen)
}

/// Copies what was said, as far as it is kept: after the journal, so that all that was said until then is in it; and the file
/// beside the log first, since what is in that goes into the log.
fn copy_talk(state: &Path, part: &Path) -> Result<(), BackupError> {
    for name in ["talk.tail", "talk"] {
        let (from, to) = (state.join(name), part.join(name));
        match fs::copy(&from, &to).and_then(|_| File::open(&to)?.sync_all()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(io_at("copying", &from)(e)),
            _ => {}
        }
    }
    Ok(())
}

/// What a state has acknowledged beyond a copy of the same run.
fn less_than(state: &Path, copy: &Recovery) -> Result<Option<String>, BackupError> {
    let Some(mark) = MarkFile::read(&mark_path(state))?.upto() else { return Ok(None) };
    let same = copy.run.is_some_and(|run| run.run == mark.run);
    Ok((same && mark.seq > copy.last_seq).then(|| {
        let (from, to) = (copy.last_seq + 1, mark.seq);
        format!(
            "it was restored from a backup that ends before frames {from} to {to}, which were acknowledged"
        )
    }))
}

pub(super) fn lock(state: &Path) -> Result<Lock, BackupError> {
    let path = state.join("lock");
    if !state.is_dir() {
        return Err(BackupError::Nothing { dir: state.to_path_buf() });
    }
    Lock::take(&path).map_err(|e| match e {
        LockError::Held(pid) => BackupError::InUse {
            dir: state.to_path_buf(),
            pid: pid.map_or_else(|| "(unknown)".to_owned(), |p| p.to_string()),
        },
        LockError::Io(reason) => BackupError::Io { doing: "locking", path, reason },
    })
}

/// The folder that a copy is made in, beside where it is to stand.
fn part(place: &Path) -> Result<PathBuf, BackupError> {
    let mut name = place.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    if fs::symlink_metadata(&part).is_ok() {
        // One that died, or one that is at it: which, somebody has to look.
        return Err(BackupError::There { dir: part });
    }
    Ok(part)
}

pub(super) fn discard(part: &Path) {
    // What is left is told of by the next that wants the place.
    let _ = fs::remove_dir_all(part);
}

/// Puts `part` in the place of a folder in one step, and that beside it, under a number that is free.
pub(super) fn exchange(part: &Path, place: &Path, word: &str) -> Result<PathBuf, BackupError> {
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let free = (1..u32::MAX).map(|n| place.with_file_name(format!("{name}.{word}-{n}")));
    let aside = free.into_iter().find(|path| fs::symlink_metadata(path).is_err());
    let aside =
        aside.ok_or_else(|| BackupError::There { dir: place.with_file_name(format!("{name}.{word}")) })?;
    match renameat_with(CWD, part, CWD, place, RenameFlags::EXCHANGE) {
        Ok(()) => fs::rename(part, &aside).map_err(io_at("renaming", part))?,
        // Not every file system can: then in two steps.
        Err(_) => fs::rename(place, &aside)
            .and_then(|()| fs::rename(part, place))
            .map_err(io_at("renaming", place))?,
    }
    sync_parent(place).map_err(io_at("syncing the folder of", place))?;
    Ok(aside)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    File::open(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
}

fn io_at<'a>(doing: &'static str, path: &'a Path) -> impl Fn(io::Error) -> BackupError + 'a {
    move |reason| BackupError::Io { doing, path: path.to_path_buf(), reason }
}
