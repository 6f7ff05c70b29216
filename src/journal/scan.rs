//! Reads a journal from its first byte to its last, and tells a torn end from damage.

use super::error::JournalError;
use super::frame::{self, ChainLink, Frame};
use super::segment::{self, HEADER, Header, Opening, RunHeader, VERSION};
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Frames of a kind that are remembered by place: enough to fall back on an older checkpoint.
pub const NEWEST: usize = 8;

/// Where a frame lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameOffset {
    /// Number of the segment.
    pub segment: u32,
    /// Byte of the segment at which the frame begins.
    pub offset: u64,
    /// Length in bytes, head and payload.
    pub size: u32,
    /// Number of the frame, counted over all segments.
    pub seq: u64,
    /// What its payload is.
    pub kind: u16,
    /// Version of the payload's layout.
    pub ver: u16,
    /// Its link, which is a hash of all of it.
    pub link: ChainLink,
}

/// The end of a write that a crash cut short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Segment that ends in the torn write.
    pub file: PathBuf,
    /// From which byte on nothing is valid; 0 where not even the header was written.
    pub offset: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// What a journal holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Whose it is; none if it is empty.
    pub run: Option<RunHeader>,
    /// Segments with a header.
    pub segments: u32,
    /// Frames that can be read.
    pub frames: u64,
    /// Bytes, headers included, without a torn end.
    pub bytes: u64,
    /// Number of the last frame; 0 if there is none.
    pub last_seq: u64,
    /// Link of the last frame.
    pub link: ChainLink,
    /// The first frame.
    pub first: Option<FrameOffset>,
    /// The newest frames of each kind, oldest first, at most [`NEWEST`].
    pub newest: BTreeMap<u16, VecDeque<FrameOffset>>,
    /// Frames of each kind.
    pub counts: BTreeMap<u16, u64>,
    /// The torn end, if there is one.
    pub cut: Option<Cut>,
}

impl Recovery {
    /// The newest frames of a kind, newest first.
    pub fn newest(&self, kind: u16) -> impl Iterator<Item = &FrameOffset> {
        self.newest.get(&kind).into_iter().flat_map(|q| q.iter().rev())
    }

    fn take(&mut self, segment: u32, offset: usize, frame: &Frame<'_>, link: ChainLink) {
        let location = FrameOffset {
            segment,
            offset: offset as u64,
            size: frame.size() as u32,
            seq: frame.seq,
            kind: frame.kind,
            ver: frame.ver,
            link,
        };
        self.first.get_or_insert(location);
        let queue = self.newest.entry(frame.kind).or_default();
        if queue.len() == NEWEST {
            queue.pop_front();
        }
        queue.push_back(location);
        *self.counts.entry(frame.kind).or_default() += 1;
        (self.frames, self.last_seq, self.link) = (self.frames + 1, frame.seq, link);
    }
}

/// Reads all of a journal, changes nothing. `each` sees every valid frame in order.
pub fn scan(
    dir: &Path,
    each: impl FnMut(&Frame<'_>) -> Result<(), JournalError>,
) -> Result<Recovery, JournalError> {
    scan_beyond(dir, None, each)
}

/// As [`scan`], but beyond the frame up to which the journal was acknowledged a bad frame is a torn end whatever follows
/// it: a machine that goes down may have written the pages of what was not synced in any order.
pub fn scan_beyond(
    dir: &Path,
    acknowledged: Option<u64>,
    mut each: impl FnMut(&Frame<'_>) -> Result<(), JournalError>,
) -> Result<Recovery, JournalError> {
    let mut seen = Recovery::default();
    let indices = segment::list(dir)?;
    for (i, index) in indices.iter().enumerate() {
        let file = segment::path(dir, *index);
        let bytes = std::fs::read(&file).map_err(|e| JournalError::io("reading", &file, e))?;
        let end = segment(&mut seen, *index, &file, &bytes, &mut each)?;
        seen.bytes += end as u64;
        if end < bytes.len() || end == 0 {
            let last = i + 1 == indices.len();
            // What no crash leaves behind: a bad frame before a good one, in this segment or in a later.
            let beyond = end > 0 && acknowledged.is_some_and(|upto| seen.last_seq >= upto);
            let torn = last && (beyond || frame::find(&bytes[end..], seen.last_seq).is_none());
            // A crash while a segment is begun leaves at most a part of its header.
            let begun = end > 0 || bytes.len() <= HEADER;
            if !(torn && begun) {
                let offset = end as u64 + damage(&bytes, end);
                return Err(JournalError::Corrupt { file, offset, why: "its checksum does not fit" });
            }
            seen.cut = Some(Cut { file, offset: end as u64, bytes: (bytes.len() - end) as u64 });
        }
    }
    Ok(seen)
}

/// As [`scan`], but of the segments before one: those are not written to any more.
pub fn scan_before(
    dir: &Path,
    open: u32,
    mut each: impl FnMut(&Frame<'_>) -> Result<(), JournalError>,
) -> Result<(), JournalError> {
    let mut seen = Recovery::default();
    for index in segment::list(dir)?.into_iter().filter(|index| *index < open) {
        let file = segment::path(dir, index);
        let bytes = std::fs::read(&file).map_err(|e| JournalError::io("reading", &file, e))?;
        let end = segment(&mut seen, index, &file, &bytes, &mut each)?;
        if end < bytes.len() {
            return Err(JournalError::Corrupt { file, offset: end as u64, why: "its checksum does not fit" });
        }
    }
    Ok(())
}

/// Reads all of a journal before it is gone on with, and changes nothing; `each` sees every valid frame in order. A
/// folder that is not there holds nothing; a journal of another run is refused. `acknowledged` as in [`scan_beyond`].
pub fn look(
    dir: &Path,
    run: &RunHeader,
    acknowledged: Option<u64>,
    each: impl FnMut(&Frame<'_>) -> Result<(), JournalError>,
) -> Result<Recovery, JournalError> {
    if !dir.exists() {
        return Ok(Recovery::default());
    }
    let seen = scan_beyond(dir, acknowledged, each)?;
    if seen.run.is_some_and(|found| found.config != run.config) {
        let first = seen.first.map(|location| read_frame(dir, &location)).transpose()?.unwrap_or_default();
        return Err(JournalError::Foreign { dir: dir.to_path_buf(), first });
    }
    Ok(seen)
}

/// The payload of a frame, checked once more.
pub fn read_frame(dir: &Path, location: &FrameOffset) -> Result<Vec<u8>, JournalError> {
    let path = segment::path(dir, location.segment);
    let failed = |e| JournalError::io("reading", &path, e);
    let mut file = File::open(&path).map_err(failed)?;
    file.seek(SeekFrom::Start(location.offset)).map_err(failed)?;
    let mut bytes = vec![0; location.size as usize];
    file.read_exact(&mut bytes).map_err(failed)?;
    let frame =
        frame::parse(&bytes).filter(|f| f.seq == location.seq && frame::link(&bytes) == location.link);
    let why = "the frame changed after it was read";
    frame.map(|f| f.payload.to_vec()).ok_or(JournalError::Corrupt {
        file: path.clone(),
        offset: location.offset,
        why,
    })
}

/// Reads all of a journal and tells what it holds; changes nothing.
pub fn verify(dir: &Path) -> Result<Recovery, JournalError> {
    scan(dir, |_| Ok(()))
}

/// Of a damaged header more can be known than that it begins at 0.
fn damage(bytes: &[u8], end: usize) -> u64 {
    match Header::read(bytes) {
        Opening::Damaged(at) if end == 0 => at,
        _ => 0,
    }
}

/// Takes the frames of a segment; returns where the valid ones end.
pub(super) fn segment(
    seen: &mut Recovery,
    index: u32,
    file: &Path,
    bytes: &[u8],
    each: &mut impl FnMut(&Frame<'_>) -> Result<(), JournalError>,
) -> Result<usize, JournalError> {
    let corrupt =
        |offset: usize, why| JournalError::Corrupt { file: file.to_path_buf(), offset: offset as u64, why };
    let header = match Header::read(bytes) {
        Opening::Header(header) => header,
        Opening::Older(found) => {
            return Err(JournalError::Older { file: file.to_path_buf(), found, known: VERSION });
        }
        Opening::Newer(found) => {
            return Err(JournalError::Newer { file: file.to_path_buf(), found, known: VERSION });
        }
        Opening::Damaged(_) => return Ok(0),
    };
    let run = *seen.run.get_or_insert(header.run);
    if header.index != index || header.run.run != run.run || header.run.config != run.config {
        return Err(corrupt(0, "the segment belongs elsewhere"));
    }
    if header.first_seq != seen.last_seq + 1 || header.before != seen.link {
        return Err(corrupt(0, "the segment does not go on where the one before it ended"));
    }
    seen.segments += 1;
    let mut at = HEADER;
    while let Some(frame) = frame::parse(&bytes[at..]) {
        if frame.seq != seen.last_seq + 1 || frame.prev != seen.link {
            return Err(corrupt(at, "the frame does not follow the one before it"));
        }
        each(&frame)?;
        let link = frame::link(&bytes[at..at + frame.size()]);
        seen.take(index, at, &frame, link);
        at += frame.size();
    }
    Ok(at)
}
