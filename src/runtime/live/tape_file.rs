//! The file of a tape that grows: what may be read of it, and the lock that nobody else writes on.

use crate::domain::Event;
use crate::domain::Stamp;
use crate::market::FeedError;
use crate::market::source::SourceFile;
use crate::market::tape::{GrowingTape, TapeEnd, TapeHeader};
use fs2::FileExt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many bytes of a tape are on disk, and may be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Committed(Arc<AtomicU64>);

impl Committed {
    fn set(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Release);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A tape that is written, frame by frame, each on disk before it is read.
pub(super) struct TapeOnDisk {
    tape: GrowingTape<File>,
    committed: Committed,
}

fn open_file(path: &Path) -> io::Result<File> {
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    // Two that write on one tape would make it none.
    file.try_lock_exclusive().map_err(|_| io::Error::other("another process writes on it"))?;
    Ok(file)
}

impl TapeOnDisk {
    /// Begins a tape.
    pub fn begin(path: &Path, header: TapeHeader, seam: Stamp) -> io::Result<Self> {
        let file = open_file(path)?;
        let tape = GrowingTape::begin(file, header, seam)?;
        let mut begun = TapeOnDisk { tape, committed: Committed::default() };
        begun.commit()?;
        Ok(begun)
    }

    /// Goes on with a tape; `see` is shown what is on it. What follows its last whole frame is cut off.
    pub fn resume(path: &Path, see: impl FnMut(&Event)) -> Result<Self, FeedError> {
        let name = path.display().to_string();
        let failed = |e: io::Error| FeedError::Read { file: name.clone(), line: 0, reason: e.to_string() };
        let mut file = open_file(path).map_err(failed)?;
        let end = TapeEnd::find(&name, BufReader::new(&file), see)?;
        file.set_len(end.bytes).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let mut resumed =
            TapeOnDisk { tape: GrowingTape::resume(file, end), committed: Committed::default() };
        resumed.commit().map_err(failed)?;
        Ok(resumed)
    }

    /// What stands before its events.
    pub fn header(&self) -> &TapeHeader {
        self.tape.header()
    }

    /// Until when it is history.
    pub fn seam(&self) -> Stamp {
        self.tape.seam()
    }

    /// Stamp of the last event.
    pub fn last(&self) -> Option<Stamp> {
        self.tape.last()
    }

    /// How far it may be read.
    pub fn committed(&self) -> Committed {
        self.committed.clone()
    }

    /// Appends events; they can be read when this returns.
    pub fn append(&mut self, events: &[Event]) -> io::Result<()> {
        events.iter().try_for_each(|event| self.tape.push(event))?;
        self.commit()
    }

    fn commit(&mut self) -> io::Result<()> {
        self.tape.flush()?;
        self.tape.file().sync_data()?;
        self.committed.set(self.tape.bytes());
        Ok(())
    }
}

/// A tape that grows, as it is read: as far as it is on disk.
#[derive(Clone, Debug)]
pub(super) struct GrowingFile {
    path: PathBuf,
    name: String,
    committed: Committed,
}

impl GrowingFile {
    /// Of a tape that somebody writes.
    pub fn new(path: &Path, committed: Committed) -> Self {
        GrowingFile { path: path.to_path_buf(), name: path.display().to_string(), committed }
    }

    /// Of a tape as long as it is now, whoever writes on it.
    pub fn as_it_is(path: &Path) -> io::Result<Self> {
        let committed = Committed::default();
        committed.set(std::fs::metadata(path)?.len());
        Ok(GrowingFile::new(path, committed))
    }
}

impl SourceFile for GrowingFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn stem(&self) -> &str {
        self.path.file_stem().and_then(|s| s.to_str()).unwrap_or("tape")
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let upto = UpTo { file: File::open(&self.path)?, read: 0, committed: self.committed.clone() };
        Ok(Box::new(BufReader::with_capacity(1 << 16, upto)))
    }
}

/// Reads no further than may be read.
struct UpTo {
    file: File,
    read: u64,
    committed: Committed,
}

impl Read for UpTo {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.committed.get().saturating_sub(self.read);
        let most = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let got = self.file.read(&mut into[..most])?;
        self.read += got as u64;
        Ok(got)
    }
}
