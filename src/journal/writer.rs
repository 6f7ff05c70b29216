//! A journal that is open for writing: it goes on where what is on disk ends, and takes frames in groups.

use super::error::JournalError;
use super::frame::{self, ChainLink, Frame};
use super::limits::{
    CUTS_MAX, GROUP_BYTES_MAX, GROUP_FRAMES_MAX, PAYLOAD_BYTES_MAX, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN,
};
use super::record::RecordKind;
use super::scan::{Cut, FrameOffset, Recovery, look, read_frame};
use super::segment::{self, HEADER, Header, RunHeader, VERSION};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A journal that is open for writing. One process at a time: the caller holds the lock.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    pub(super) file: File,
    run: RunHeader,
    index: u32,
    /// Of the open segment, as far as it is written.
    size: u64,
    limit: u64,
    last_seq: u64,
    link: ChainLink,
    waiting: Vec<u8>,
    waiting_frames: usize,
    unsynced: bool,
    pub(super) acknowledged: u64,
    failed: Option<String>,
}

impl Journal {
    /// Opens a journal or begins one: reads all of it, cuts a torn end, and is ready to append.
    pub fn open(dir: &Path, run: RunHeader) -> Result<(Self, Recovery), JournalError> {
        Self::open_limited(dir, run, SEGMENT_BYTES_MAX)
    }

    pub(crate) fn open_limited(
        dir: &Path,
        run: RunHeader,
        limit: u64,
    ) -> Result<(Self, Recovery), JournalError> {
        let seen = look(dir, &run, None, |_| Ok(()))?;
        let (journal, _) = Self::resume_limited(dir, run, &seen, limit)?;
        Ok((journal, seen))
    }

    /// Goes on with a journal that was looked at with [`look`], or begins one. A torn end is cut off; it is kept beside,
    /// and where is told.
    pub fn resume(
        dir: &Path,
        run: RunHeader,
        seen: &Recovery,
    ) -> Result<(Self, Option<PathBuf>), JournalError> {
        Self::resume_limited(dir, run, seen, SEGMENT_BYTES_MAX)
    }

    fn resume_limited(
        dir: &Path,
        run: RunHeader,
        seen: &Recovery,
        limit: u64,
    ) -> Result<(Self, Option<PathBuf>), JournalError> {
        std::fs::create_dir_all(dir).map_err(|e| JournalError::io("making", dir, e))?;
        if let Some(parent) = dir.parent().filter(|p| !p.as_os_str().is_empty()) {
            segment::sync_folder(parent)?;
        }
        let kept = seen.cut.as_ref().map(|cut| cut_off(dir, cut)).transpose()?;
        // The run keeps its name; a new segment names the program that begins it.
        let run = RunHeader { run: seen.run.map_or(run.run, |found| found.run), ..run };
        let index = seen.segments.max(1);
        let path = segment::path(dir, index);
        let file = if seen.segments == 0 {
            let header = Header { version: VERSION, index, first_seq: 1, before: ChainLink::default(), run };
            segment::create(dir, &header)?
        } else {
            let opened = OpenOptions::new().append(true).open(&path);
            opened.map_err(|e| JournalError::io("opening", &path, e))?
        };
        let size = file.metadata().map_err(|e| JournalError::io("measuring", &path, e))?.len();
        let journal = Journal {
            dir: dir.to_path_buf(),
            file,
            run,
            index,
            size,
            limit,
            last_seq: seen.last_seq,
            link: seen.link,
            waiting: Vec::new(),
            waiting_frames: 0,
            // What was read may be in memory only: the process before this one may have died unsynced.
            unsynced: seen.frames > 0,
            acknowledged: 0,
            failed: None,
        };
        Ok((journal, kept))
    }

    /// Takes a frame and returns its number. It is on disk after the next [`Journal::commit`], which
    /// comes by itself when too much waits.
    pub fn append(&mut self, kind: RecordKind, ver: u16, payload: &[u8]) -> Result<u64, JournalError> {
        self.alive()?;
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(JournalError::TooLarge { bytes: payload.len() });
        }
        let seq = self.last_seq + 1;
        let ts = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
        let frame = Frame { seq, ts, kind: kind as u16, ver, prev: self.link, payload };
        let (begun, size) = (self.size + self.waiting.len() as u64, frame.size() as u64);
        if begun > HEADER as u64 && begun + size > self.limit {
            self.roll()?;
        }
        self.link = frame::encode(&mut self.waiting, &frame);
        self.last_seq = seq;
        self.waiting_frames += 1;
        if self.waiting_frames >= GROUP_FRAMES_MAX || self.waiting.len() >= GROUP_BYTES_MAX {
            self.commit()?;
        }
        Ok(seq)
    }

    /// Hands what waits to the system, without waiting for the disk: survives the process, not the
    /// machine. For what can be recomputed.
    pub fn flush(&mut self) -> Result<(), JournalError> {
        self.alive()?;
        if self.waiting.is_empty() {
            return Ok(());
        }
        if let Err(e) = self.file.write_all(&self.waiting) {
            // No room, of which what was written before knows nothing: the beginning that did fit is taken back, and what
            // waits is written once there is room. Whatever else fails, what is on disk is unknown.
            let is_full = e.kind() == io::ErrorKind::StorageFull;
            // The place too: the next write would leave a hole.
            let mut back =
                || self.file.set_len(self.size).and_then(|()| self.file.seek(SeekFrom::Start(self.size)));
            if is_full && back().is_ok() {
                return Err(JournalError::io("writing", &segment::path(&self.dir, self.index), e));
            }
            self.check("writing", Err(e))?;
        }
        self.size += self.waiting.len() as u64;
        self.waiting.clear();
        (self.waiting_frames, self.unsynced) = (0, true);
        Ok(())
    }

    /// Puts everything that was appended on disk. Returns the last number that is acknowledged.
    pub fn commit(&mut self) -> Result<u64, JournalError> {
        self.flush()?;
        if self.unsynced {
            let synced = self.file.sync_data();
            self.check("syncing", synced)?;
            self.unsynced = false;
        }
        self.acknowledged = self.last_seq;
        Ok(self.acknowledged)
    }

    /// The payload of a frame, checked once more.
    pub fn read(&self, location: &FrameOffset) -> Result<Vec<u8>, JournalError> {
        read_frame(&self.dir, location)
    }

    /// The last number and its link.
    pub fn head(&self) -> (u64, ChainLink) {
        (self.last_seq, self.link)
    }

    /// Begins a new segment once the open one has so many bytes, in place of [`SEGMENT_BYTES_MAX`]: of a journal that is to stay
    /// small most has to lie in segments that are done.
    pub fn limit_segments(&mut self, bytes: u64) {
        self.limit = bytes.clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX);
    }

    /// Number of the segment that is written to.
    pub fn open_segment(&self) -> u32 {
        self.index
    }

    /// Tells whose journal it is.
    pub fn run(&self) -> &RunHeader {
        &self.run
    }

    fn roll(&mut self) -> Result<(), JournalError> {
        self.commit()?;
        let synced = self.file.sync_all();
        self.check("closing", synced)?;
        let (index, first_seq, before, run) = (self.index + 1, self.last_seq + 1, self.link, self.run);
        match segment::create(&self.dir, &Header { version: VERSION, index, first_seq, before, run }) {
            Ok(file) => (self.file, self.index, self.size) = (file, index, HEADER as u64),
            Err(e) => {
                self.failed = Some(e.to_string());
                return Err(e);
            }
        }
        Ok(())
    }

    fn alive(&self) -> Result<(), JournalError> {
        let dead = |why: &String| JournalError::Failed { dir: self.dir.clone(), why: why.clone() };
        self.failed.as_ref().map_or(Ok(()), |why| Err(dead(why)))
    }

    fn check(&mut self, doing: &'static str, done: io::Result<()>) -> Result<(), JournalError> {
        done.map_err(|e| {
            let error = JournalError::io(doing, &segment::path(&self.dir, self.index), e);
            self.failed = Some(error.to_string());
            error
        })
    }
}

/// Cuts a torn end off, and keeps it beside: what it was, and whether anybody was told that it is safe, is for people
/// to judge. Of a segment that has no header nothing is left.
fn cut_off(dir: &Path, cut: &Cut) -> Result<PathBuf, JournalError> {
    let failed = |e| JournalError::io("cutting the torn end of", &cut.file, e);
    let kept = beside(dir, cut)?;
    if cut.offset == 0 {
        std::fs::rename(&cut.file, &kept).map_err(failed)?;
        segment::sync_folder(dir)?;
        return Ok(kept);
    }
    let bytes = std::fs::read(&cut.file).map_err(failed)?;
    let saved =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&kept).and_then(|mut out| {
            out.write_all(bytes.get(cut.offset as usize..).unwrap_or_default())?;
            out.sync_all()
        });
    if let Err(e) = saved {
        // Half a copy proves nothing; without a whole one nothing is cut.
        let _ = std::fs::remove_file(&kept);
        return Err(JournalError::io("keeping the torn end in", &kept, e));
    }
    segment::sync_folder(dir)?;
    let file = OpenOptions::new().write(true).open(&cut.file).map_err(failed)?;
    file.set_len(cut.offset).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(kept)
}

/// A name for what is cut off: `cut-NUMBER-SEGMENT-BYTE`. At most [`CUTS_MAX`] are kept, the oldest goes first.
fn beside(dir: &Path, cut: &Cut) -> Result<PathBuf, JournalError> {
    let failed = |e| JournalError::io("listing", dir, e);
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let number =
            name.to_str().and_then(|n| n.strip_prefix("cut-")?.split('-').next()?.parse::<u32>().ok());
        all.extend(number.map(|n| (n, name)));
    }
    let next = all.iter().map(|(n, _)| *n).max().unwrap_or(0).saturating_add(1);
    for (_, old) in all.iter().filter(|(n, _)| n.saturating_add(CUTS_MAX) <= next) {
        std::fs::remove_file(dir.join(old)).map_err(failed)?;
    }
    let segment = cut.file.file_stem().unwrap_or_default().to_string_lossy();
    Ok(dir.join(format!("cut-{next}-{segment}-{}", cut.offset)))
}
