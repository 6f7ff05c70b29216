//! A journal as a copy: of one that is being written to, or of what can be believed of one that is damaged.
//!
//! # Invariants
//!
//! 1. The journal that is copied is only read. It may grow meanwhile: what is copied is a beginning of it.
//! 2. A copy is whole, read back, and on disk when it is told of.

use super::error::JournalError;
use super::frame::{self, Frame};
use super::scan::{Recovery, verify};
use super::segment::{self, HEADER};
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Copies a journal into a folder that is made, up to a segment and a byte of it, or all of it. What a write that is under
/// way left at its end is not copied.
pub fn copy(from: &Path, to: &Path, end: Option<(u32, u64)>) -> Result<Recovery, JournalError> {
    DirBuilder::new().mode(0o700).create(to).map_err(|e| JournalError::io("making", to, e))?;
    for index in segment::found(from)? {
        let file = segment::path(from, index);
        let length = match end {
            // A segment without its header is none.
            Some((last, offset)) if index > last || (index == last && offset < HEADER as u64) => continue,
            Some((last, offset)) if index == last => offset as usize,
            _ => usize::MAX,
        };
        let bytes = std::fs::read(&file).map_err(|e| JournalError::io("reading", &file, e))?;
        write(&segment::path(to, index), &bytes[..length.min(bytes.len())])?;
    }
    let seen = verify(to)?;
    if let Some(cut) = &seen.cut {
        let failed = |e| JournalError::io("cutting", &cut.file, e);
        if cut.offset == 0 {
            std::fs::remove_file(&cut.file).map_err(failed)?;
        } else {
            let file = OpenOptions::new().write(true).open(&cut.file).map_err(failed)?;
            file.set_len(cut.offset).and_then(|()| file.sync_all()).map_err(failed)?;
        }
    }
    segment::sync_folder(to)?;
    Ok(Recovery { cut: None, ..seen })
}

/// Every frame that can still be read from a segment and a byte on, whether or not it follows the one before it.
pub fn readable_from(
    dir: &Path,
    (first, offset): (u32, u64),
    mut each: impl FnMut(&Frame<'_>),
) -> Result<(), JournalError> {
    let mut last = 0;
    for index in segment::found(dir)?.into_iter().filter(|i| *i >= first) {
        let file = segment::path(dir, index);
        let bytes = std::fs::read(&file).map_err(|e| JournalError::io("reading", &file, e))?;
        let mut at = if index == first { (offset as usize).max(HEADER) } else { HEADER };
        while let Some(rest) = bytes.get(at..) {
            // How many frames were lost before is not known: any number may come next.
            let Some(frame) = frame::parse(rest).filter(|f| f.seq > last) else {
                match frame::find_any(rest, last) {
                    Some(ahead) => at += ahead,
                    None => break,
                }
                continue;
            };
            each(&frame);
            last = frame.seq;
            at += frame.size();
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), JournalError> {
    let failed = |e| JournalError::io("writing", path, e);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}
