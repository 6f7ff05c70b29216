//! Files of a market: found in folders, unpacked from gzip and zip, and counted while they are read.
//!
//! # Invariants
//!
//! 1. Folders are gone through in the order of their names; links to folders are not followed. What is not read is named, with
//!    why.
//! 2. Each entry of a zip is a file of its own, named `archive.zip:entry`, and its checksum is checked.
//!
//! Nothing is held in memory but the list of files, and nothing is written.

use super::columnar::ColumnarKind;
use super::files::{self, FileError};
use super::utf16::as_text;
use crate::market::Choices;
use crate::market::source::{ColumnBatches, SourceFile};
use flate2::Crc;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

/// Most files that are looked at: a folder of more is not a data set.
const FILES_MAX: usize = 20_000;
/// Folders inside folders that are followed at most.
const DEPTH_MAX: usize = 8;
/// Most bytes that are read to list what a zip holds.
const LIST_MAX: u64 = 1 << 25;
const BUFFER: usize = 1 << 16;
/// What is looked at in a folder.
const ENDINGS: [&str; 8] = ["csv", "json", "gz", "zip", "txt", "jsonl", "log", "tsv"];
/// Endings of what holds no market.
const NO_DATA: [&str; 20] = [
    "", "md", "png", "jpg", "jpeg", "svg", "pdf", "html", "py", "sh", "rs", "toml", "yaml", "yml", "ini",
    "ipynb", "bib", "tape", "checksum", "sha256",
];
/// First bytes of what is not read, and what to do about it.
const UNREAD: [(&[u8], &str); 10] = [
    (&[0x28, 0xb5, 0x2f, 0xfd], "it is packed with zstd; unpack it (`zstd -d`), or pack it with gzip"),
    (b"BZh", "it is packed with bzip2; unpack it, or pack it with gzip"),
    (&[0xfd, b'7', b'z', b'X', b'Z'], "it is packed with xz; unpack it, or pack it with gzip"),
    (b"7z\xbc\xaf", "it is packed with 7z; unpack it, or pack it with gzip"),
    (b"DBN", "it is Databento's own format; write it as CSV (`dbn --csv`)"),
    (b"\x89HDF", "it is HDF5; write its table as CSV or Parquet"),
    (b"SQLite format 3", "it is a database; write its table as CSV or Parquet"),
    (b"FEA1", "it is the first version of feather; write it again with any pandas of today"),
    (b"\xd0\xcf\x11\xe0", "it is a spreadsheet; save its sheet as CSV"),
    (b"\x89PNG", "it is a picture"),
];

/// Is told how many packed bytes were read.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// The part of a file that a source is.
#[derive(Clone, Copy, Debug)]
enum FilePart {
    Whole,
    /// A table kept by columns.
    Columns(ColumnarKind),
    /// Where its bytes begin, how many they are packed and unpacked, whether they are packed, and their checksum.
    Entry {
        offset: u64,
        size: u64,
        whole: u64,
        packed: bool,
        crc: u32,
    },
}

/// What was found.
#[derive(Default)]
pub struct FoundFiles {
    /// What is read.
    pub files: Vec<ImportFile>,
    /// What is not.
    pub unread: Vec<UnreadFile>,
}

/// A file that is not read.
pub struct UnreadFile {
    /// With its folders, as it was found.
    pub name: String,
    /// Why, and what to do about it.
    pub why: String,
    /// Whether there may be data in it.
    pub is_data: bool,
}

/// A file, or an entry of a zip.
#[derive(Clone)]
pub struct ImportFile {
    path: PathBuf,
    /// With its folders, as it was given or found.
    whole: String,
    name: String,
    stem: String,
    choices: Option<Choices>,
    part: FilePart,
    /// Length in bytes as it lies on the disk: of what is packed, the packed length.
    pub size: u64,
    /// Whether it was named by itself, not found in a folder.
    pub named: bool,
    progress: Progress,
}

impl ImportFile {
    /// The same, called by its place in a folder.
    #[must_use]
    pub fn named_below(mut self, folder: &Path) -> Self {
        let whole = Path::new(&self.whole);
        let below = whole.strip_prefix(folder).ok().filter(|b| !b.as_os_str().is_empty());
        let name = below.map_or_else(|| whole.file_name().unwrap_or(whole.as_os_str()), Path::as_os_str);
        self.name = name.to_string_lossy().into_owned();
        self
    }
}

/// Finds the files of these paths.
pub fn find(paths: &[PathBuf], progress: &Progress) -> Result<FoundFiles, FileError> {
    let mut found = FoundFiles::default();
    for path in paths {
        let failed = |reason| FileError::Open { path: path.clone(), reason };
        let kind = std::fs::metadata(path).map_err(failed)?;
        if kind.is_dir() {
            folder(path, 0, progress, &mut found)?;
        } else if kind.is_file() {
            file(path, true, progress, &mut found)?;
        } else {
            // A pipe gives its bytes once, and only when somebody writes into it.
            return Err(failed(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is read twice, and is no file",
            )));
        }
    }
    Ok(found)
}

fn folder(path: &Path, depth: usize, progress: &Progress, found: &mut FoundFiles) -> Result<(), FileError> {
    let failed = |reason| FileError::Open { path: path.to_path_buf(), reason };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        paths.push((entry.path(), entry.file_type().map_err(failed)?));
    }
    // Folders list their files in no order.
    paths.sort_by(|a, b| a.0.cmp(&b.0));
    for (path, kind) in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // What hides, and what tells how the others are read.
        if name.starts_with('.') || name == "map.toml" || name.ends_with(".map.toml") {
            continue;
        }
        if kind.is_dir() {
            if depth < DEPTH_MAX {
                folder(&path, depth + 1, progress, found)?;
            } else {
                let why = format!("it is a folder {DEPTH_MAX} deep; name it by itself");
                found.unread.push(UnreadFile { name: path.display().to_string(), why, is_data: true });
            }
        } else if path.is_file() {
            file(&path, false, progress, found)?;
        } else {
            let why = "it is a link to a folder or to nothing, or no file; name what it leads to by itself";
            let (name, is_data) = (path.display().to_string(), kind.is_symlink());
            found.unread.push(UnreadFile { name, why: why.to_owned(), is_data });
        }
        if found.files.len() + found.unread.len() > FILES_MAX {
            let reason = io::Error::other(format!("it holds more than {FILES_MAX} files"));
            return Err(FileError::Open { path, reason });
        }
    }
    Ok(())
}

fn file(path: &Path, named: bool, progress: &Progress, found: &mut FoundFiles) -> Result<(), FileError> {
    let failed = |reason| FileError::Open { path: path.to_path_buf(), reason };
    let mut file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let mut head = Vec::new();
    file.by_ref().take(16).read_to_end(&mut head).map_err(failed)?;
    let choices = files::beside(path)?;
    let whole = |name: String, stem: String, part: FilePart, size: u64| ImportFile {
        path: path.to_path_buf(),
        whole: name.clone(),
        name,
        stem,
        choices: choices.clone(),
        part,
        size,
        named,
        progress: Arc::clone(progress),
    };
    let name = path.display().to_string();
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let is_data = !NO_DATA.contains(&ending.as_str());
    let mut unread = |what: &str| {
        if named {
            return Err(FileError::Packing { path: path.to_path_buf(), what: what.to_owned() });
        }
        found.unread.push(UnreadFile { name: name.clone(), why: what.to_owned(), is_data });
        Ok(())
    };
    if let Some((_, what)) = UNREAD.iter().find(|u| head.starts_with(u.0)) {
        return unread(what);
    }
    if head.starts_with(b"PK\x03\x04") {
        let entries = match entries(&mut file) {
            Ok(entries) => entries,
            Err(e) if named => return Err(failed(e)),
            Err(e) => return unread(&e.to_string()),
        };
        if entries.iter().any(|e| e.name == "[Content_Types].xml") {
            return unread("it is a spreadsheet; save its sheet as CSV");
        }
        for entry in entries {
            let stem = files::stem(Path::new(&entry.name));
            found.files.push(whole(format!("{name}:{}", entry.name), stem, entry.part, entry.size));
        }
        return Ok(());
    }
    if let Some(kind) = ColumnarKind::of(&head) {
        if let Err(e) = kind.open(path) {
            return unread(&format!("it cannot be read: {e}"));
        }
        found.files.push(whole(name, files::stem(path), FilePart::Columns(kind), size));
        return Ok(());
    }
    if !named && !ENDINGS.contains(&ending.as_str()) {
        return unread(if is_data {
            "its ending is of no kind that is read; name it by itself, or as .csv"
        } else {
            "it is no data"
        });
    }
    found.files.push(whole(name, files::stem(path), FilePart::Whole, size));
    Ok(())
}

/// An entry of a zip.
struct ZipEntry {
    name: String,
    part: FilePart,
    size: u64,
}

fn wrong(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("this zip is damaged: {why}"))
}

fn unread(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("this zip is not read here: {why}"))
}

fn damaged(e: ZipError) -> io::Error {
    match e {
        ZipError::Io(e) if e.kind() != io::ErrorKind::UnexpectedEof => e,
        e => wrong(&e.to_string()),
    }
}

/// What a zip holds. Its list is read through a bound, so that a list made to fill memory does not.
fn entries(file: &mut File) -> io::Result<Vec<ZipEntry>> {
    let mut zip = ZipArchive::new(Bounded { inner: file, left: LIST_MAX }).map_err(damaged)?;
    if zip.has_duplicate_names() {
        return Err(unread("two of its entries have one name; unpack it, and name the files"));
    }
    // A bomb of one block that many entries share.
    if zip.has_overlapping_files().map_err(damaged)? {
        return Err(wrong("its entries overlap"));
    }
    let mut all = Vec::new();
    for at in 0..zip.len() {
        let entry = zip.by_index_raw(at).map_err(damaged)?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if name.ends_with('/') {
            continue;
        }
        if entry.encrypted() {
            return Err(unread(&format!("{name} is locked with a password; unpack it")));
        }
        let packed = match entry.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            other => {
                return Err(unread(&format!(
                    "{name} is packed as {other}; unpack it, or pack it as deflate"
                )));
            }
        };
        let offset = entry.data_start().ok_or_else(|| wrong("an entry is not where the list says"))?;
        let (size, whole, crc) = (entry.compressed_size(), entry.size(), entry.crc32());
        all.push(ZipEntry { name, part: FilePart::Entry { offset, size, whole, packed, crc }, size });
    }
    Ok(all)
}

/// Reads so many bytes and no more.
struct Bounded<'a> {
    inner: &'a mut File,
    left: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| wrong("its list is too long"))?;
        Ok(n)
    }
}

impl Seek for Bounded<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

impl SourceFile for ImportFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn stem(&self) -> &str {
        &self.stem
    }

    fn path(&self) -> &str {
        &self.whole
    }

    fn choices(&self) -> Option<&Choices> {
        self.choices.as_ref()
    }

    fn is_found(&self) -> bool {
        !self.named
    }

    fn columns(&self, wanted: &[usize]) -> io::Result<Option<ColumnBatches>> {
        let FilePart::Columns(kind) = self.part else { return Ok(None) };
        (self.progress)(self.size);
        let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", self.name));
        kind.columns(&self.path, wanted).map(Some).map_err(named)
    }

    fn raw(&self) -> io::Result<Box<dyn Read + Send>> {
        match self.part {
            FilePart::Columns(_) => Ok(Box::new(BufReader::with_capacity(BUFFER, File::open(&self.path)?))),
            _ => self.open(),
        }
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        // An error without its path helps nobody.
        let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", self.name));
        if let FilePart::Columns(kind) = self.part {
            return Ok(Box::new(kind.open(&self.path).map_err(named)?));
        }
        let mut file = File::open(&self.path).map_err(named)?;
        let FilePart::Entry { offset, size, whole, packed, crc } = self.part else {
            let mut head = [0; 2];
            let n = file.read(&mut head).map_err(named)?;
            file.rewind().map_err(named)?;
            let counted = CountedReader { inner: file, progress: Arc::clone(&self.progress) };
            let file = BufReader::with_capacity(BUFFER, counted);
            let gzip = n == 2 && head == [0x1f, 0x8b];
            return as_text(if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
                .map_err(named);
        };
        file.seek(SeekFrom::Start(offset)).map_err(named)?;
        let counted = CountedReader { inner: file, progress: Arc::clone(&self.progress) };
        let bytes = BufReader::with_capacity(BUFFER, counted).take(size);
        let sum = Crc::new();
        let checked: Box<dyn Read + Send> = if packed {
            Box::new(Checked { inner: DeflateDecoder::new(bytes), left: whole, sum, crc })
        } else {
            Box::new(Checked { inner: bytes, left: whole, sum, crc })
        };
        as_text(checked).map_err(named)
    }
}

/// Tells how many bytes were read.
struct CountedReader {
    inner: File,
    progress: Progress,
}

impl Read for CountedReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        (self.progress)(n as u64);
        Ok(n)
    }
}

/// Checks that an entry is no longer than the list says, and its checksum at its end.
struct Checked<R> {
    inner: R,
    left: u64,
    sum: Crc,
    crc: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        let left = self.left.checked_sub(n as u64);
        self.left = left.ok_or_else(|| wrong("an entry is longer than the list says"))?;
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
    use std::io::{Cursor, Write};
    use std::sync::atomic::{AtomicU64, Ordering};
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    type Change<'a> = &'a dyn Fn(&mut Vec<u8>);

    const PACKED: CompressionMethod = CompressionMethod::Deflated;

    /// A zip of these entries.
    fn zip(entries: &[(&str, &str, CompressionMethod)]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text, method) in entries {
            zip.start_file(*name, SimpleFileOptions::default().compression_method(*method)).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// Where the nth entry of the list is.
    fn listed(bytes: &[u8], n: usize) -> usize {
        (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"PK\x01\x02")).nth(n).unwrap()
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
        let bytes = zip(&[("es_trade_201312.csv", "one,two\n1,2\n", PACKED)]);
        std::fs::write(&path, &bytes).unwrap();
        let count = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&count);
        let progress: Progress = Arc::new(move |n| {
            seen.fetch_add(n, Ordering::Relaxed);
        });
        let found = find(&[dir.path().to_path_buf()], &progress).unwrap().files;
        assert_eq!(found.len(), 1);
        assert!(found[0].name().ends_with("a.zip:es_trade_201312.csv"), "{}", found[0].name());
        assert_eq!((found[0].stem(), found[0].named), ("es_trade_201312", false));
        assert_eq!(read(&found[0]).unwrap(), "one,two\n1,2\n");
        assert!(count.load(Ordering::Relaxed) > 0);
        // The checksum in the list is another one now.
        let mut damaged = bytes.clone();
        damaged[listed(&bytes, 0) + 16] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        let found = find(std::slice::from_ref(&path), &progress).unwrap().files;
        assert!(read(&found[0]).unwrap_err().to_string().contains("checksum"));
        std::fs::write(&path, &bytes[..bytes.len() - 30]).unwrap();
        assert!(find(&[path], &progress).is_err());
    }

    #[test]
    fn entries_come_in_their_order_stored_or_packed_and_folders_are_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.zip");
        let long = "0,0\n".repeat(100_000);
        let stored = CompressionMethod::Stored;
        let bytes = zip(&[("in/", "", stored), ("in/b.csv", &long, PACKED), ("a.csv", "1,2\n", stored)]);
        std::fs::write(&path, &bytes).unwrap();
        let found = find(&[path], &(Arc::new(|_| {}) as Progress)).unwrap().files;
        assert_eq!(found.iter().map(SourceFile::stem).collect::<Vec<_>>(), ["b", "a"]);
        assert!(found[0].size < 1_000, "packed bytes, {}", found[0].size);
        assert_eq!((read(&found[0]).unwrap(), read(&found[1]).unwrap()), (long, "1,2\n".to_owned()));
    }

    #[test]
    fn a_zip_of_the_large_kind_is_read_and_one_that_is_a_spreadsheet_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().large_file(true).compression_method(PACKED);
        zip.start_file("a.csv", options).unwrap();
        zip.write_all(b"1,2\n").unwrap();
        std::fs::write(dir.path().join("a.zip"), zip.finish().unwrap().into_inner()).unwrap();
        let sheet =
            super::tests::zip(&[("[Content_Types].xml", "x", PACKED), ("xl/sheet1.xml", "x", PACKED)]);
        std::fs::write(dir.path().join("b.xlsx"), sheet).unwrap();
        let found = find(&[dir.path().to_path_buf()], &(Arc::new(|_| {}) as Progress)).unwrap();
        assert_eq!((found.files.len(), read(&found.files[0]).unwrap().as_str()), (1, "1,2\n"));
        assert!(
            found.unread[0].name.ends_with("b.xlsx") && found.unread[0].why.contains("save its sheet as CSV")
        );
    }

    #[test]
    fn what_a_zip_lies_about_is_found_and_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.zip");
        let whole = zip(&[("a.csv", "1,2\n", PACKED), ("b.csv", "3,4\n", PACKED)]);
        let first = listed(&whole, 0);
        let tried = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = whole.clone();
            change(&mut bytes);
            std::fs::write(&path, &bytes).unwrap();
            let found = find(std::slice::from_ref(&path), &(Arc::new(|_| {}) as Progress));
            found
                .map_err(|e| e.to_string())
                .and_then(|f| read(&f.files[0]).map_err(|e| e.to_string()))
                .unwrap_err()
        };
        let cases: &[(&str, Change)] = &[
            ("longer than the list says", &|b| b[first + 24] = 3),
            ("checksum", &|b| b[first + 16] ^= 1),
            ("locked with a password", &|b| b[first + 8] |= 1),
            ("unpack it, or pack it as deflate", &|b| b[first + 10] = 12),
            ("entries overlap", &|b| {
                let second = listed(b, 1);
                b.copy_within(first + 42..first + 46, second + 42);
            }),
            ("have one name", &|b| {
                let second = listed(b, 1);
                b[second + 46] = b'a';
            }),
            ("damaged", &|b| b.truncate(b.len() - 30)),
            ("damaged", &|b| b[first + 42] = 9),
        ];
        for (word, change) in cases {
            let why = tried(change);
            assert!(why.contains(word), "{word} is not in {why}");
        }
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
        let stems: Vec<&str> = found.files.iter().map(SourceFile::stem).collect();
        assert_eq!(stems, ["b", "a"]);
        assert!(found.unread.len() == 1 && found.unread[0].name.ends_with("c.png"));
        let named = find(&[dir.path().join("c.png")], &nothing).unwrap().files;
        assert!(named[0].named);
        assert!(find(&[dir.path().join("none")], &nothing).is_err());
    }
}
