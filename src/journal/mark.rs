//! How far a journal was acknowledged, in a small file beside it: the journal alone cannot tell an end that a crash tore,
//! and that nobody was told of, from an end that was damaged after somebody was.
//!
//! ```text
//! frame synced ─► mark synced ─► answer          slots at bytes 0 and 512, written in turn:
//!                                                [magic 8B][version u16][count u64][run 16B][config 32B][seq u64][link 8B][crc32c u32]
//! ```
//!
//! # Invariants
//!
//! 1. When [`MarkFile::put`] returns, the mark is on disk: written in place, then `fdatasync`.
//! 2. Slots are in sectors of their own, which disks write whole or not at all: a crash leaves the mark before, or this
//!    one. Half a slot is damage, and what the other says may be too little.
//! 3. A file that is there and says nothing is never taken for one that is not there.

use super::error::JournalError;
use super::frame::{ChainLink, array};
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"HIVEMARK";
const VERSION: u16 = 1;
/// Bytes of a slot.
const SLOT: usize = 86;
/// Where the second slot begins: in another sector than the first.
const APART: u64 = 512;
const FILE: usize = 2 * APART as usize;
/// No link is followed: it would lead out of the folder.
const NO_LINK: i32 = OFlags::NOFOLLOW.bits() as i32;

/// The last frame that somebody was told is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The run whose journal it is.
    pub run: [u8; 16],
    /// Hash of what was set before that run.
    pub config: [u8; 32],
    /// Number of the frame; 0 while there is none.
    pub seq: u64,
    /// Link of that frame.
    pub link: ChainLink,
}

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkReading {
    /// There is no mark.
    Missing,
    /// There is a file, and nothing in it can be believed.
    Damaged,
    /// How far was acknowledged.
    Upto(Acknowledged),
    /// The same, but what was written after it, or just before it, cannot be read.
    Half(Acknowledged),
}

impl MarkReading {
    /// The newest mark that can be read.
    pub fn upto(&self) -> Option<Acknowledged> {
        match *self {
            MarkReading::Missing | MarkReading::Damaged => None,
            MarkReading::Upto(upto) | MarkReading::Half(upto) => Some(upto),
        }
    }
}

/// The file of a mark, open to be moved on.
#[derive(Debug)]
pub struct MarkFile {
    path: PathBuf,
    file: File,
    count: u64,
}

impl MarkFile {
    /// Reads a mark; changes nothing.
    pub fn read(path: &Path) -> Result<MarkReading, JournalError> {
        let opened = OpenOptions::new().read(true).custom_flags(NO_LINK).open(path);
        let failed = |e| JournalError::io("reading", path, e);
        let file = match opened {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(MarkReading::Missing),
            opened => opened.map_err(failed)?,
        };
        let mut bytes = Vec::with_capacity(FILE);
        file.take(FILE as u64).read_to_end(&mut bytes).map_err(failed)?;
        Ok(match newest(&bytes) {
            None => MarkReading::Damaged,
            Some((count, mark)) if is_whole(&bytes, count) => MarkReading::Upto(mark),
            Some((_, mark)) => MarkReading::Half(mark),
        })
    }

    /// Opens a mark to move it on, or begins one; `upto` is on disk when this returns. What says so already is not written
    /// again.
    pub fn open(path: &Path, upto: Acknowledged) -> Result<Self, JournalError> {
        let failed = |e| JournalError::io("opening", path, e);
        if matches!(Self::read(path)?, MarkReading::Missing | MarkReading::Damaged) {
            begin(path, &upto).map_err(failed)?;
        }
        let options = OpenOptions::new().read(true).write(true).custom_flags(NO_LINK).open(path);
        let mut file = options.map_err(failed)?;
        let mut bytes = Vec::with_capacity(FILE);
        Read::by_ref(&mut file).take(FILE as u64).read_to_end(&mut bytes).map_err(failed)?;
        let (count, mark) = newest(&bytes).ok_or_else(|| failed(std::io::ErrorKind::InvalidData.into()))?;
        let mut opened = MarkFile { path: path.to_path_buf(), file, count };
        if mark != upto || !is_whole(&bytes, count) {
            opened.put(upto)?;
        }
        Ok(opened)
    }

    /// Moves the mark on. What it says is on disk when this returns.
    pub fn put(&mut self, upto: Acknowledged) -> Result<(), JournalError> {
        self.count += 1;
        let at = if self.count.is_multiple_of(2) { 0 } else { APART };
        let written = self.file.write_all_at(&encode(self.count, &upto), at);
        written
            .and_then(|()| self.file.sync_data())
            .map_err(|e| JournalError::io("marking what is acknowledged in", &self.path, e))
    }
}

/// Begins a file whole or not at all: one that says nothing is taken for damage. Of one length from the start, so that
/// moving the mark on never needs room on a disk that is full.
fn begin(path: &Path, upto: &Acknowledged) -> std::io::Result<()> {
    let part = path.with_extension("part");
    // A start that died may have left one.
    let _ = std::fs::remove_file(&part);
    let mut bytes = vec![0; FILE];
    bytes[APART as usize..][..SLOT].copy_from_slice(&encode(1, upto));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    file.write_all_at(&bytes, 0)?;
    file.sync_all()?;
    std::fs::rename(&part, path)?;
    File::open(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
}

/// A slot as it lies in the file.
fn encode(count: u64, mark: &Acknowledged) -> Vec<u8> {
    let mut out = Vec::with_capacity(SLOT);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&mark.run);
    out.extend_from_slice(&mark.config);
    out.extend_from_slice(&mark.seq.to_le_bytes());
    out.extend_from_slice(&mark.link);
    let crc = crc32c::crc32c(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    out
}

fn slot(bytes: &[u8], at: usize) -> Option<(u64, Acknowledged)> {
    let bytes = bytes.get(at..at + SLOT)?;
    let crc = u32::from_le_bytes(array(bytes, SLOT - 4)?);
    let known = bytes[..8] == MAGIC && array(bytes, 8).map(u16::from_le_bytes) == Some(VERSION);
    if !known || crc != crc32c::crc32c(&bytes[..SLOT - 4]) {
        return None;
    }
    let mark = Acknowledged {
        run: array(bytes, 18)?,
        config: array(bytes, 34)?,
        seq: u64::from_le_bytes(array(bytes, 66)?),
        link: array(bytes, 74)?,
    };
    Some((u64::from_le_bytes(array(bytes, 10)?), mark))
}

fn newest(bytes: &[u8]) -> Option<(u64, Acknowledged)> {
    [0, APART as usize].into_iter().filter_map(|at| slot(bytes, at)).max_by_key(|(count, _)| *count)
}

/// Whether the slot beside the newest has the mark before it; beside the first there is nothing yet.
fn is_whole(bytes: &[u8], count: u64) -> bool {
    let other = if count.is_multiple_of(2) { APART as usize } else { 0 };
    let nothing = || bytes.get(other..other + SLOT).is_some_and(|b| b.iter().all(|b| *b == 0));
    match slot(bytes, other) {
        Some((before, _)) => before + 1 == count,
        None => count == 1 && nothing(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upto(seq: u64) -> Acknowledged {
        Acknowledged { run: [1; 16], config: [2; 32], seq, link: [seq as u8; 8] }
    }

    #[test]
    fn what_was_put_last_is_read_and_half_a_slot_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("acknowledged");
        assert_eq!(MarkFile::read(&path).unwrap(), MarkReading::Missing);
        let mut mark = MarkFile::open(&path, upto(0)).unwrap();
        for seq in 1..9 {
            let before = std::fs::read(&path).unwrap();
            mark.put(upto(seq)).unwrap();
            assert_eq!(MarkFile::read(&path).unwrap(), MarkReading::Upto(upto(seq)));
            let after = std::fs::read(&path).unwrap();
            assert_eq!((after.len(), before.len()), (FILE, FILE));
            let changed: Vec<usize> = (0..FILE).filter(|i| before[*i] != after[*i]).collect();
            for torn in changed[0]..changed[changed.len() - 1] {
                let both = [&after[..=torn], &before[torn + 1..]].concat();
                std::fs::write(&path, &both).unwrap();
                let read = MarkFile::read(&path).unwrap();
                let fits = matches!(read, MarkReading::Half(m) if m == upto(seq - 1));
                assert!(fits, "{torn}: {read:?}");
            }
            std::fs::write(&path, &after).unwrap();
        }
        drop(mark);
        let before = std::fs::read(&path).unwrap();
        MarkFile::open(&path, upto(8)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), before, "nothing is written that is written");
        let mut again = MarkFile::open(&path, upto(9)).unwrap();
        again.put(upto(10)).unwrap();
        assert_eq!(MarkFile::read(&path).unwrap(), MarkReading::Upto(upto(10)));
    }

    #[test]
    fn a_file_that_says_nothing_is_damage_and_no_flip_is_believed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("acknowledged");
        for bytes in [&[][..], &[0; FILE], b"something else"] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(MarkFile::read(&path).unwrap(), MarkReading::Damaged);
        }
        MarkFile::open(&path, upto(3)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for bit in 0..FILE * 8 {
            let mut bad = whole.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, bad).unwrap();
            let read = MarkFile::read(&path).unwrap();
            assert!(read.upto().is_none_or(|m| m == upto(3)), "{bit}: {read:?}");
        }
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &path).unwrap();
        assert!(
            MarkFile::open(&path, upto(3)).is_err() && MarkFile::read(&path).is_err(),
            "no link is followed"
        );
        assert!(!dir.path().join("elsewhere").exists());
    }
}
