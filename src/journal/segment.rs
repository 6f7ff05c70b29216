//! A segment: a file of frames behind a header that says whose it is and where it belongs.
//!
//! Header: `[magic 8B][version u16][index u32][first seq u64][link before 8B][run 16B][build 32B][config
//! 32B][crc32c u32]`, little-endian.

use super::error::JournalError;
use super::frame::{ChainLink, array};
use super::limits::SEGMENTS_MAX;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Bytes of a header.
pub const HEADER: usize = 114;
/// Version of the format.
pub const VERSION: u16 = 1;
const MAGIC: [u8; 8] = *b"HIVEJRNL";
const CRC_AT: usize = HEADER - 4;

/// Says whose journal it is, at the head of every segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunHeader {
    /// Drawn when the journal was begun.
    pub run: [u8; 16],
    /// Of the program that began the segment.
    pub build: [u8; 32],
    /// Of everything that is set before a run; a journal of another is refused.
    pub config: [u8; 32],
}

/// What stands at the beginning of a segment, before its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub version: u16,
    pub index: u32,
    pub first_seq: u64,
    pub before: ChainLink,
    pub run: RunHeader,
}

/// What the first bytes of a segment are.
#[derive(Debug, PartialEq, Eq)]
pub enum Opening {
    Header(Header),
    /// Written by a program that is gone.
    Older(u16),
    /// Written by a program that came later.
    Newer(u16),
    /// No header; the offset of the damage as far as it can be told.
    Damaged(u64),
}

impl Header {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(&self.index.to_le_bytes());
        out.extend_from_slice(&self.first_seq.to_le_bytes());
        out.extend_from_slice(&self.before);
        out.extend_from_slice(&self.run.run);
        out.extend_from_slice(&self.run.build);
        out.extend_from_slice(&self.run.config);
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    pub fn read(bytes: &[u8]) -> Opening {
        let Some(version) = array(bytes, 8).map(u16::from_le_bytes) else { return Opening::Damaged(0) };
        if bytes[..8] != MAGIC {
            return Opening::Damaged(0);
        }
        let header = bytes.get(..HEADER);
        let fits = |head: &[u8]| {
            array(head, CRC_AT).map(u32::from_le_bytes) == Some(crc32c::crc32c(&head[..CRC_AT]))
        };
        // Other layouts are not known here, only that magic and version stay in their places. A version
        // that makes this layout fit once it is put right was not written by another program.
        if version != VERSION {
            let righted = header.map(|h| {
                let mut h = h.to_vec();
                h[8..10].copy_from_slice(&VERSION.to_le_bytes());
                h
            });
            return match () {
                () if righted.is_some_and(|h| fits(&h)) => Opening::Damaged(8),
                () if version < VERSION => Opening::Older(version),
                () => Opening::Newer(version),
            };
        }
        let decoded = header.filter(|h| fits(h)).and_then(|h| {
            Some(Header {
                version,
                index: u32::from_le_bytes(array(h, 10)?),
                first_seq: u64::from_le_bytes(array(h, 14)?),
                before: array(h, 22)?,
                run: RunHeader { run: array(h, 30)?, build: array(h, 46)?, config: array(h, 78)? },
            })
        });
        decoded.map_or(Opening::Damaged(0), Opening::Header)
    }
}

/// The file of a segment.
pub fn path(dir: &Path, index: u32) -> PathBuf {
    dir.join(format!("{index:08}.seg"))
}

/// The segments of a folder by number, without a hole.
pub fn list(dir: &Path) -> Result<Vec<u32>, JournalError> {
    let found = found(dir)?;
    match found.iter().zip(1_u32..).find(|(have, want)| **have != *want) {
        Some((_, missing)) => Err(JournalError::Missing { file: path(dir, missing) }),
        None => Ok(found),
    }
}

/// The segments of a folder by number, whichever are there.
pub fn found(dir: &Path) -> Result<Vec<u32>, JournalError> {
    let failed = |e| JournalError::io("listing", dir, e);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let index = name.to_str().and_then(|n| n.strip_suffix(".seg")).and_then(|n| n.parse::<u32>().ok());
        found.extend(index.filter(|i| *i > 0));
    }
    // Folders list their files in no order.
    found.sort_unstable();
    Ok(found)
}

/// Begins a segment: the file and its place in the folder are on disk when this returns.
pub fn create(dir: &Path, header: &Header) -> Result<File, JournalError> {
    let path = path(dir, header.index);
    let failed = |e| JournalError::io("beginning", &path, e);
    if header.index > SEGMENTS_MAX {
        return Err(JournalError::Full { dir: dir.to_path_buf() });
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
    file.write_all(&header.encode()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    sync_folder(dir)?;
    Ok(file)
}

/// Names of files are on disk only once their folder is.
pub fn sync_folder(dir: &Path) -> Result<(), JournalError> {
    File::open(dir).and_then(|d| d.sync_all()).map_err(|e| JournalError::io("syncing the folder", dir, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_every_flip_in_it_is_seen() {
        let run = RunHeader { run: [1; 16], build: [2; 32], config: [3; 32] };
        let header = Header { version: VERSION, index: 4, first_seq: 5, before: [6; 8], run };
        let bytes = header.encode();
        assert_eq!(bytes.len(), HEADER);
        assert_eq!(Header::read(&bytes), Opening::Header(header));
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(Header::read(&bad), Opening::Damaged(0 | 8)), "bit {bit}");
        }
        for cut in 0..HEADER {
            assert_eq!(Header::read(&bytes[..cut]), Opening::Damaged(0), "{cut} bytes");
        }
        let newer = Header { version: VERSION + 1, ..header }.encode();
        assert_eq!(Header::read(&newer), Opening::Newer(VERSION + 1));
        let older = Header { version: VERSION - 1, ..header }.encode();
        assert_eq!(Header::read(&older), Opening::Older(VERSION - 1));
    }
}
