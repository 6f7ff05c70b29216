//! A tape that is appended to while it is run.
//!
//! # Invariants
//!
//! 1. What a reader may read ends with a whole frame, and was on disk before anybody was told of it: who decides on an event
//!    finds it there again, whatever happens to process or machine.
//! 2. A tape that is taken up again goes on behind its last whole frame.

use super::read::is_listed;
use super::write::packed;
use super::{FRAME_EVENTS, MAGIC, TapeHeader, TapeReader, VERSION};
use crate::domain::{Event, Stamp};
use crate::market::FeedError;
use std::io::{self, Read, Write};

/// How far a tape goes: what to go on from.
#[derive(Clone, Debug, PartialEq)]
pub struct TapeEnd {
    /// What stands before its events.
    pub header: TapeHeader,
    /// Until when it is history.
    pub seam: Stamp,
    /// Bytes until the end of its last whole frame.
    pub bytes: u64,
    /// How many events there are.
    pub events: u64,
    /// Stamp of the last; none before the first.
    pub last: Option<Stamp>,
}

impl TapeEnd {
    /// Reads a tape that grows to its end; `see` is shown every event. One that has an end is refused.
    pub fn find(name: &str, from: impl Read, mut see: impl FnMut(&Event)) -> Result<Self, FeedError> {
        let mut reader = TapeReader::open(name, from)?;
        let Some(seam) = reader.seam() else {
            return Err(FeedError::Tape {
                file: name.to_owned(),
                byte: 0,
                event: 0,
                reason: "it is no tape of a live market, and is not written on".to_owned(),
            });
        };
        while let Some(event) = reader.next()? {
            see(&event);
        }
        let (bytes, events, last, _) = reader.reached();
        let last = (events > 0).then_some(last);
        Ok(TapeEnd { header: reader.header().clone(), seam, bytes, events, last })
    }
}

/// Appends to a tape.
pub struct GrowingTape<W: Write> {
    out: W,
    header: TapeHeader,
    seam: Stamp,
    frame: Vec<u8>,
    in_frame: u32,
    /// Bytes of whole frames.
    bytes: u64,
    last: Stamp,
}

impl<W: Write> GrowingTape<W> {
    /// Begins a tape, which is history until `seam`.
    pub fn begin(mut out: W, header: TapeHeader, seam: Stamp) -> io::Result<Self> {
        let head = packed(&(&header, seam), Vec::new())?;
        out.write_all(&MAGIC)?;
        out.write_all(&VERSION.to_le_bytes())?;
        let mut tape =
            GrowingTape { out, header, seam, frame: head, in_frame: 1, bytes: 12, last: Stamp(i64::MIN) };
        tape.flush()?;
        Ok(tape)
    }

    /// Goes on with a tape whose bytes after its end are cut off.
    pub fn resume(out: W, end: TapeEnd) -> Self {
        let TapeEnd { header, seam, bytes, last, .. } = end;
        let last = last.unwrap_or(Stamp(i64::MIN));
        GrowingTape { out, header, seam, frame: Vec::new(), in_frame: 0, bytes, last }
    }

    /// What stands before its events.
    pub fn header(&self) -> &TapeHeader {
        &self.header
    }

    /// Until when it is history. Rankings and what is said of the data are learned from that part, so that they do not depend on
    /// how long it has grown.
    pub fn seam(&self) -> Stamp {
        self.seam
    }

    /// Stamp of the last event; none before the first.
    pub fn last(&self) -> Option<Stamp> {
        (self.last.0 != i64::MIN).then_some(self.last)
    }

    /// Bytes that are written.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The file behind it.
    pub fn file(&self) -> &W {
        &self.out
    }

    /// Appends an event. One that is older than the one before, of something that is not listed or of a kind that no tape
    /// holds is an error of the caller and is refused.
    pub fn push(&mut self, event: &Event) -> io::Result<()> {
        let why = if event.at() < self.last {
            "is older than the one before it"
        } else if !is_listed(&self.header.universe, event) {
            "is nothing that this tape holds"
        } else {
            self.last = event.at();
            self.frame = packed(event, std::mem::take(&mut self.frame))?;
            self.in_frame += 1;
            return if self.in_frame == FRAME_EVENTS { self.flush() } else { Ok(()) };
        };
        Err(io::Error::new(io::ErrorKind::InvalidInput, format!("an event at {} {why}", event.at())))
    }

    /// Writes what was pushed as a frame. It may be read once the file is synced, too.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.in_frame == 0 {
            return Ok(());
        }
        let mut frame = std::mem::take(&mut self.frame);
        let length = u32::try_from(frame.len()).map_err(|e| io::Error::other(e.to_string()))?;
        let mut whole = Vec::with_capacity(frame.len() + 8);
        whole.extend(length.to_le_bytes());
        whole.extend(crc32c::crc32c(&frame).to_le_bytes());
        whole.append(&mut frame);
        self.out.write_all(&whole)?;
        self.bytes += whole.len() as u64;
        self.frame = frame;
        self.in_frame = 0;
        Ok(())
    }
}
