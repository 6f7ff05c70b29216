//! Makes a journal smaller without losing its thread: in the place of a frame that is not wanted any more a short one is left
//! that has its number and its link.
//!
//! # Invariants
//!
//! 1. Numbers have no gap and the chain goes on: whatever was said of a frame behind one that was dropped, by the mark or the
//!    store, still fits.
//! 2. A segment is exchanged whole, when what takes its place was read back and is on disk: a crash leaves the one or the
//!    other, and whoever reads meanwhile too.
//! 3. The open segment is never touched, and none in which a byte does not fit.

use super::error::JournalError;
use super::frame::{self, Frame};
use super::record::RecordKind;
use super::scan::{self, Recovery};
use super::segment::{self, HEADER, Header, Opening};
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Bytes of all segments.
pub fn size(dir: &Path) -> Result<u64, JournalError> {
    let mut bytes = 0;
    for index in segment::found(dir)? {
        let path = segment::path(dir, index);
        bytes += std::fs::metadata(&path).map_err(|e| JournalError::io("measuring", &path, e))?.len();
    }
    Ok(bytes)
}

/// Drops the payloads of the frames with these numbers in segments before the open one. Returns the bytes that are free now.
pub fn thin(dir: &Path, dropped: &BTreeSet<u64>, open: u32) -> Result<u64, JournalError> {
    let mut freed = 0;
    for index in segment::found(dir)?.into_iter().filter(|i| *i < open) {
        let path = segment::path(dir, index);
        let bytes = std::fs::read(&path).map_err(|e| JournalError::io("reading", &path, e))?;
        let corrupt =
            |offset: usize, why| JournalError::Corrupt { file: path.clone(), offset: offset as u64, why };
        let Opening::Header(header) = Header::read(&bytes) else {
            return Err(corrupt(0, "its header does not fit"));
        };
        let last = header.first_seq.saturating_sub(1);
        let before =
            Recovery { run: Some(header.run), last_seq: last, link: header.before, ..Recovery::default() };
        let read = |bytes: &[u8], each: &mut dyn FnMut(&Frame<'_>)| {
            let mut seen = before.clone();
            let end = scan::segment(&mut seen, index, &path, bytes, &mut |frame| {
                each(frame);
                Ok(())
            })?;
            if end < bytes.len() { Err(corrupt(end, "its checksum does not fit")) } else { Ok(seen) }
        };
        let mut out = bytes[..HEADER].to_vec();
        let mut at = HEADER;
        let seen = read(&bytes, &mut |frame| {
            let whole = &bytes[at..at + frame.size()];
            at += frame.size();
            if dropped.contains(&frame.seq) && frame.kind != RecordKind::Dropped as u16 {
                let payload = frame::link(whole);
                let short =
                    Frame { kind: RecordKind::Dropped as u16, ver: frame.kind, payload: &payload, ..*frame };
                frame::encode(&mut out, &short);
            } else {
                out.extend_from_slice(whole);
            }
        })?;
        if out.len() >= bytes.len() {
            continue;
        }
        let again = read(&out, &mut |_| ())?;
        if (again.last_seq, again.link) != (seen.last_seq, seen.link) {
            return Err(corrupt(HEADER, "it cannot be made smaller without losing its thread"));
        }
        exchange(dir, index, &out)?;
        freed += (bytes.len() - out.len()) as u64;
    }
    Ok(freed)
}

fn exchange(dir: &Path, index: u32, bytes: &[u8]) -> Result<(), JournalError> {
    let path = segment::path(dir, index);
    let part = path.with_extension("part");
    let failed = |e| JournalError::io("making smaller", &path, e);
    // A process that died may have left one.
    let _ = std::fs::remove_file(&part);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).map_err(failed)?;
    let written =
        file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| std::fs::rename(&part, &path));
    written.map_err(|e| {
        // Half of one takes room and is of no use.
        let _ = std::fs::remove_file(&part);
        failed(e)
    })?;
    segment::sync_folder(dir)
}
