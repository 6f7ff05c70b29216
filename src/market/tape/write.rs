//! Writes a tape.

use super::first_version::FirstHeader;
use super::{FRAME_EVENTS, MAGIC, TapeHeader, TapeTrailer, WHOLE};
use crate::domain::{MarketEvent, Stamp};
use crate::market::FeedReport;
use serde::Serialize;
use std::io::{self, Write};

/// Writes events that come sorted by stamp.
pub struct TapeWriter<W: Write> {
    out: W,
    hasher: blake3::Hasher,
    frame: Vec<u8>,
    in_frame: u32,
    events: u64,
    last: Stamp,
}

pub(super) fn packed<T: Serialize>(value: &T, into: Vec<u8>) -> io::Result<Vec<u8>> {
    postcard::to_extend(value, into).map_err(|e| io::Error::other(e.to_string()))
}

impl<W: Write> TapeWriter<W> {
    /// Begins a tape.
    pub fn new(out: W, header: &TapeHeader) -> io::Result<Self> {
        let mut writer = TapeWriter {
            out,
            hasher: blake3::Hasher::new(),
            frame: Vec::new(),
            in_frame: 0,
            events: 0,
            last: Stamp(i64::MIN),
        };
        writer.put(&MAGIC)?;
        let (version, packed) = match FirstHeader::of(header) {
            Some(first) => (1, packed(&first, Vec::new())?),
            None => (WHOLE, packed(header, Vec::new())?),
        };
        writer.put(&version.to_le_bytes())?;
        writer.whole(&packed)?;
        Ok(writer)
    }

    /// Appends an event. One that is older than the one before is an error of the caller and is refused.
    pub fn push(&mut self, event: &MarketEvent) -> io::Result<()> {
        if event.at() < self.last {
            let why = format!("event {} at {} is older than the one before it", self.events + 1, event.at());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        self.last = event.at();
        self.frame = packed(event, std::mem::take(&mut self.frame))?;
        self.in_frame += 1;
        self.events += 1;
        if self.in_frame == FRAME_EVENTS { self.flush() } else { Ok(()) }
    }

    /// Ends the tape and gives the writer back with the hash of the tape and the number of its events.
    pub fn finish(mut self, report: &FeedReport) -> io::Result<(W, blake3::Hash, u64)> {
        if self.in_frame > 0 {
            self.flush()?;
        }
        self.put(&0_u32.to_le_bytes())?;
        let trailer = TapeTrailer { events: self.events, report: report.clone() };
        self.whole(&packed(&trailer, Vec::new())?)?;
        let hash = self.hasher.finalize();
        self.out.write_all(hash.as_bytes())?;
        self.out.flush()?;
        Ok((self.out, hash, self.events))
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut frame = std::mem::take(&mut self.frame);
        self.whole(&frame)?;
        frame.clear();
        self.frame = frame;
        self.in_frame = 0;
        Ok(())
    }

    fn whole(&mut self, frame: &[u8]) -> io::Result<()> {
        let length = u32::try_from(frame.len()).map_err(|e| io::Error::other(e.to_string()))?;
        self.put(&length.to_le_bytes())?;
        self.put(&crc32c::crc32c(frame).to_le_bytes())?;
        self.put(frame)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.out.write_all(bytes)
    }
}
