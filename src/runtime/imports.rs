//! Files for importers: found in folders, unpacked from gzip and zip, and counted while they are read.
//!
//! # Invariants
//!
//! 1. Folders are gone through in the order of their names; links to folders are not followed.
//! 2. Each entry of a zip is a file of its own, named `archive.zip:entry`, and its checksum is checked.
//!
//! Nothing is held in memory but the list of files, and nothing is written.

use super::files::FileError;
use crate::market::history::Source;
use flate2::Crc;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most files that are looked at: a folder of more is not a data set.
const FILES_MAX: usize = 20_000;
/// Deepest folder.
const DEPTH_MAX: usize = 8;
/// Longest list of what a zip holds.
const LIST_MAX: u64 = 1 << 24;
/// The end of a zip lies within this many bytes.
const TAIL: u64 = 22 + 65_535;
const BUFFER: usize = 1 << 16;
/// What is looked at in a folder.
const ENDINGS: [&str; 7] = ["csv", "json", "gz", "zip", "txt", "jsonl", "log"];

/// Is told how many packed bytes were read.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// The part of a file that a source is.
#[derive(Clone, Copy, Debug)]
enum Part {
    Whole,
    Entry { offset: u64, size: u64, packed: bool, crc: u32 },
}

/// A file, or an entry of a zip.
#[derive(Clone)]
pub struct ImportFile {
    path: PathBuf,
    name: String,
    stem: String,
    part: Part,
    /// Packed bytes.
    pub size: u64,
    /// Whether it was named by itself, not found in a folder.
    pub named: bool,
    progress: Progress,
}

/// Finds the files of these paths.
pub fn find(paths: &[PathBuf], progress: &Progress) -> Result<Vec<ImportFile>, FileError> {
    let mut found = Vec::new();
    for path in paths {
        let failed = |reason| FileError::Open { path: path.clone(), reason };
        if std::fs::metadata(path).map_err(failed)?.is_dir() {
            folder(path, 0, progress, &mut found)?;
        } else {
            file(path, true, progress, &mut found)?;
        }
    }
    Ok(found)
}

fn folder(
    path: &Path,
    depth: usize,
    progress: &Progress,
    found: &mut Vec<ImportFile>,
) -> Result<(), FileError> {
    let failed = |reason| FileError::Open { path: path.to_path_buf(), reason };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        paths.push((entry.path(), entry.file_type().map_err(failed)?));
    }
    // Folders list their files in no order.
    paths.sort_by(|a, b| a.0.cmp(&b.0));
    for (path, kind) in paths {
        if kind.is_dir() && depth < DEPTH_MAX {
            folder(&path, depth + 1, progress, found)?;
        }
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        if !kind.is_dir() && path.is_file() && ending.is_some_and(|e| ENDINGS.contains(&e.as_str())) {
            file(&path, false, progress, found)?;
        }
        if found.len() > FILES_MAX {
            let reason = io::Error::other(format!("it holds more than {FILES_MAX} files"));
            return Err(FileError::Open { path, reason });
        }
    }
    Ok(())
}

fn file(path: &Path, named: bool, progress: &Progress, found: &mut Vec<ImportFile>) -> Result<(), FileError> {
    let failed = |reason| FileError::Open { path: path.to_path_buf(), reason };
    let mut file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let mut head = [0; 4];
    let n = file.read(&mut head).map_err(failed)?;
    let whole = |name: String, part: Part, size: u64| {
        let last = name.rsplit(['/', '\\', ':']).next().unwrap_or_default();
        let stem = last.split('.').next().unwrap_or_default().to_owned();
        ImportFile { path: path.to_path_buf(), name, stem, part, size, named, progress: Arc::clone(progress) }
    };
    let name = path.display().to_string();
    match &head[..n] {
        b"PK\x03\x04" => {
            for entry in entries(&mut file, size).map_err(failed)? {
                let part = Part::Entry {
                    offset: entry.offset,
                    size: entry.size,
                    packed: entry.packed,
                    crc: entry.crc,
                };
                found.push(whole(format!("{name}:{}", entry.name), part, entry.size));
            }
        }
        [0x28, 0xb5, 0x2f, 0xfd] => {
            return Err(FileError::Packing { path: path.to_path_buf(), packing: "zstd" });
        }
        _ => found.push(whole(name, Part::Whole, size)),
    }
    Ok(())
}

/// An entry of a zip.
struct Entry {
    name: String,
    offset: u64,
    size: u64,
    packed: bool,
    crc: u32,
}

fn wrong(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("this zip is damaged: {why}"))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)))
}

/// What a zip holds: its list stands at its end (PKWARE APPNOTE 4.3). Archives above 4 GB are not read.
fn entries(file: &mut File, size: u64) -> io::Result<Vec<Entry>> {
    let from = size.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let end = tail.windows(4).rposition(|w| w == b"PK\x05\x06").ok_or_else(|| wrong("it has no end"))?;
    let cut = || wrong("its list is cut off");
    let (length, offset) =
        (u32_at(&tail, end + 12).ok_or_else(cut)?, u32_at(&tail, end + 16).ok_or_else(cut)?);
    if length > LIST_MAX || offset + length > size {
        return Err(cut());
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut list = vec![0; length as usize];
    file.read_exact(&mut list)?;
    let mut all = Vec::new();
    let mut at = 0;
    while at < list.len() {
        if !list[at..].starts_with(b"PK\x01\x02") {
            return Err(cut());
        }
        let read = || {
            let (method, crc, size) =
                (u16_at(&list, at + 10)?, u32_at(&list, at + 16)?, u32_at(&list, at + 20)?);
            let (name, extra, remark) =
                (u16_at(&list, at + 28)?, u16_at(&list, at + 30)?, u16_at(&list, at + 32)?);
            let offset = u32_at(&list, at + 42)?;
            let text = list.get(at + 46..at + 46 + name as usize)?;
            Some((
                method,
                crc,
                size,
                offset,
                String::from_utf8_lossy(text).into_owned(),
                name + extra + remark,
            ))
        };
        let (method, crc, size, offset, name, rest) = read().ok_or_else(cut)?;
        at += 46 + rest as usize;
        if name.ends_with('/') {
            continue;
        }
        if !matches!(method, 0 | 8) {
            return Err(wrong(&format!("{name} is packed in a way that is not read here")));
        }
        all.push(Entry { name, offset, size, packed: method == 8, crc: crc as u32 });
    }
    Ok(all)
}

impl Source for ImportFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn stem(&self) -> &str {
        &self.stem
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        // An error without its path helps nobody.
        let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", self.name));
        let mut file = File::open(&self.path).map_err(named)?;
        let Part::Entry { offset, size, packed, crc } = self.part else {
            let mut head = [0; 2];
            let n = file.read(&mut head).map_err(named)?;
            file.rewind().map_err(named)?;
            let counted = Counted { inner: file, progress: Arc::clone(&self.progress) };
            let file = BufReader::with_capacity(BUFFER, counted);
            let gzip = n == 2 && head == [0x1f, 0x8b];
            return Ok(if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) });
        };
        file.seek(SeekFrom::Start(offset)).map_err(named)?;
        let mut head = [0; 30];
        file.read_exact(&mut head).map_err(named)?;
        let skip = u16_at(&head, 26).zip(u16_at(&head, 28)).map_or(0, |(name, extra)| name + extra);
        if !head.starts_with(b"PK\x03\x04") {
            return Err(named(wrong("an entry is not where the list says")));
        }
        file.seek(SeekFrom::Current(skip as i64)).map_err(named)?;
        let counted = Counted { inner: file, progress: Arc::clone(&self.progress) };
        let bytes = BufReader::with_capacity(BUFFER, counted).take(size);
        let sum = Crc::new();
        Ok(if packed {
            Box::new(Checked { inner: DeflateDecoder::new(bytes), sum, crc })
        } else {
            Box::new(Checked { inner: bytes, sum, crc })
        })
    }
}

/// Tells how many bytes were read.
struct Counted {
    inner: File,
    progress: Progress,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        (self.progress)(n as u64);
        Ok(n)
    }
}

/// Checks the checksum of an entry at its end.
struct Checked<R> {
    inner: R,
    sum: Crc,
    crc: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        self.sum.update(&into[..n]);
        if n == 0 && !into.is_empty() && self.sum.sum() != self.crc {
            return Err(wrong("the checksum of an entry is wrong"));
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::DeflateEncoder;
    use std::io::Write;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn u16s(out: &mut Vec<u8>, all: &[u16]) {
        all.iter().for_each(|n| out.extend(n.to_le_bytes()));
    }

    fn u32s(out: &mut Vec<u8>, all: &[u32]) {
        all.iter().for_each(|n| out.extend(n.to_le_bytes()));
    }

    /// A zip of one packed entry.
    fn zip(name: &str, text: &[u8]) -> Vec<u8> {
        let mut packed = DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text).unwrap();
        let packed = packed.finish().unwrap();
        let mut crc = Crc::new();
        crc.update(text);
        let (mut out, mut list) = (b"PK\x03\x04".to_vec(), b"PK\x01\x02".to_vec());
        let sizes = [crc.sum(), packed.len() as u32, text.len() as u32];
        u16s(&mut out, &[20, 0, 8, 0, 0]);
        u32s(&mut out, &sizes);
        u16s(&mut out, &[name.len() as u16, 0]);
        out.extend(name.as_bytes());
        out.extend(&packed);
        u16s(&mut list, &[20, 20, 0, 8, 0, 0]);
        u32s(&mut list, &sizes);
        u16s(&mut list, &[name.len() as u16, 0, 0, 0, 0]);
        u32s(&mut list, &[0, 0]);
        list.extend(name.as_bytes());
        let offset = out.len() as u32;
        out.extend(&list);
        out.extend(b"PK\x05\x06");
        u16s(&mut out, &[0, 0, 1, 1]);
        u32s(&mut out, &[list.len() as u32, offset]);
        u16s(&mut out, &[0]);
        out
    }

    fn read(file: &ImportFile) -> io::Result<String> {
        let mut text = String::new();
        file.open()?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn a_zip_is_read_entry_by_entry_and_its_checksums_hold() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.zip");
        let bytes = zip("es_trade_201312.csv", b"one,two\n1,2\n");
        std::fs::write(&path, &bytes).unwrap();
        let count = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&count);
        let progress: Progress = Arc::new(move |n| {
            seen.fetch_add(n, Ordering::Relaxed);
        });
        let found = find(&[dir.path().to_path_buf()], &progress).unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0].name().ends_with("a.zip:es_trade_201312.csv"), "{}", found[0].name());
        assert_eq!((found[0].stem(), found[0].named), ("es_trade_201312", false));
        assert_eq!(read(&found[0]).unwrap(), "one,two\n1,2\n");
        assert!(count.load(Ordering::Relaxed) > 0);
        // The checksum in the list is another one now.
        let mut damaged = bytes.clone();
        let list = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        damaged[list + 16] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        let found = find(std::slice::from_ref(&path), &progress).unwrap();
        assert!(read(&found[0]).unwrap_err().to_string().contains("checksum"));
        std::fs::write(&path, &bytes[..bytes.len() - 30]).unwrap();
        assert!(find(&[path], &progress).is_err());
    }

    #[test]
    fn folders_are_gone_through_and_other_files_left() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("in")).unwrap();
        for name in ["b.csv", "in/a.json", "c.png"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        let nothing: Progress = Arc::new(|_| {});
        let found = find(&[dir.path().to_path_buf()], &nothing).unwrap();
        let stems: Vec<&str> = found.iter().map(Source::stem).collect();
        assert_eq!(stems, ["b", "a"]);
        let named = find(&[dir.path().join("c.png")], &nothing).unwrap();
        assert!(named[0].named);
        assert!(find(&[dir.path().join("none")], &nothing).is_err());
    }
}
