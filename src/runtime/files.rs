//! Files in: a panel or a folder of files per symbol, opened as sources that the market room reads.
//!
//! Compression is told by the first bytes, not by the name. A file is opened anew for each pass, so it
//! may be read twice; nothing is held in memory.

use crate::market::history::SourceFile;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

/// Bytes read from a file at once.
const BUFFER: usize = 1 << 16;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZIP: [u8; 4] = [b'P', b'K', 3, 4];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A data set found on disk.
pub struct DataSet {
    /// The name of the file or folder without endings.
    pub name: String,
    /// Its files, by name.
    pub sources: Vec<Box<dyn SourceFile>>,
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
    #[error("{path} is a {packing} file, which is not read here; unpack it to .csv or pack it with gzip", path = path.display())]
    Packing {
        /// File that cannot be unpacked.
        path: PathBuf,
        /// How it is packed.
        packing: &'static str,
    },
    /// A folder without data.
    #[error("{path} holds no .csv or .csv.gz; give the folder that holds one file per symbol", path = path.display())]
    EmptyFolder {
        /// Folder in which nothing was found.
        path: PathBuf,
    },
}

/// Finds a panel file, or the `.csv` and `.csv.gz` files of a folder, and looks at their first bytes.
pub fn open_data(path: &Path) -> Result<DataSet, FileError> {
    let failed = |reason| FileError::Open { path: path.to_path_buf(), reason };
    let name = stem(path);
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(DataSet { name, sources: vec![Box::new(open_file(path)?)] });
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?.path();
        let ending = entry.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        let packed = ending.as_deref() == Some("gz")
            && entry.with_extension("").extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
        if (packed || ending.as_deref() == Some("csv")) && entry.is_file() {
            paths.push(entry);
        }
    }
    if paths.is_empty() {
        return Err(FileError::EmptyFolder { path: path.to_path_buf() });
    }
    // Folders list their files in no order.
    paths.sort();
    let mut sources: Vec<Box<dyn SourceFile>> = Vec::with_capacity(paths.len());
    for path in paths {
        sources.push(Box::new(open_file(&path)?));
    }
    Ok(DataSet { name, sources })
}

/// One file as a source, once it is known to be readable.
pub fn open_file(path: &Path) -> Result<FileSource, FileError> {
    let failed = |reason| FileError::Open { path: path.to_path_buf(), reason };
    // A pipe gives its bytes once, and only when somebody writes into it.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it is read twice, and is no file")));
    }
    let mut file = File::open(path).map_err(failed)?;
    let head = first_bytes(&mut file).map_err(failed)?;
    for (magic, packing) in [(ZIP, "zip"), (ZSTD, "zstd")] {
        if head == magic {
            return Err(FileError::Packing { path: path.to_path_buf(), packing });
        }
    }
    Ok(FileSource {
        path: path.to_path_buf(),
        name: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        stem: stem(path),
    })
}

/// A file on disk, plain or packed with gzip.
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
    name: String,
    stem: String,
}

impl SourceFile for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn stem(&self) -> &str {
        &self.stem
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        // An error without its path helps nobody, and the reader of it does not know the path.
        let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", self.path.display()));
        let mut file = File::open(&self.path).map_err(named)?;
        let head = first_bytes(&mut file).map_err(named)?;
        let file = BufReader::with_capacity(BUFFER, file);
        Ok(if head.starts_with(&GZIP) { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
    }
}

/// The first four bytes, zero where the file is shorter; the file is left at its start.
fn first_bytes(file: &mut File) -> io::Result<[u8; 4]> {
    let mut head = [0; 4];
    let mut filled = 0;
    while filled < head.len() {
        match file.read(&mut head[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    file.rewind()?;
    Ok(head)
}

/// `perp_1h` of `…/perp_1h.csv.gz`; a folder's name as it is.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".csv").unwrap_or(name).to_string()
}
