//! Reads a tape, and refuses one that is not whole.

use super::first_version::FirstHeader;
use super::{FRAME_BYTES_MAX, MAGIC, TapeHeader, TapeTrailer, VERSION, WHOLE};
use crate::domain::{Event, MarketEvent, Stamp, Universe, VenueEvent};
use crate::market::FeedError;
use serde::{Deserialize, Serialize};
use std::io::{self, Read};

/// Where the reading of a tape is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TapePosition {
    /// Bytes before the frame that is being read, unpacked, and events before it.
    frame_at: u64,
    before: u64,
    events: u64,
    last: Stamp,
}

/// A tape being read.
pub struct TapeReader<R: Read> {
    name: String,
    from: R,
    /// Of all that was read; none where some of it was passed over.
    hasher: Option<blake3::Hasher>,
    header: TapeHeader,
    /// Of a tape that grows: until when it is history.
    seam: Option<Stamp>,
    frame: Vec<u8>,
    /// Bytes of the frame that are read.
    consumed: usize,
    /// Bytes of the tape before the frame.
    offset: u64,
    /// Where the frame begins, and events before it.
    frame_at: (u64, u64),
    events: u64,
    last: Stamp,
    trailer: Option<(TapeTrailer, blake3::Hash)>,
    /// Of a tape that grows: what there is of the frame after the last whole one.
    begun: Vec<u8>,
}

/// Whether an event is of something that a tape lists, and one that a tape may hold.
pub(super) fn is_listed(universe: &Universe, event: &Event) -> bool {
    let has = |i: crate::domain::InstrumentId| i.index() < universe.instruments.len();
    match event {
        Event::Market(MarketEvent::VolIndex { asset, .. }) => asset.index() < universe.assets.len(),
        Event::Market(market) => market.instrument().is_some_and(has),
        Event::Venue(VenueEvent::Rules { instrument, .. }) => has(*instrument),
        Event::Venue(VenueEvent::Link { .. }) | Event::Tick(_) => true,
        Event::Venue(_) | Event::Barrier(_) | Event::Command(..) => false,
    }
}

impl<R: Read> TapeReader<R> {
    /// Reads the header. `name` is how errors name the tape.
    pub fn open(name: &str, from: R) -> Result<Self, FeedError> {
        let mut reader = TapeReader {
            name: name.to_owned(),
            from,
            hasher: Some(blake3::Hasher::new()),
            header: TapeHeader::default(),
            seam: None,
            frame: Vec::new(),
            consumed: 0,
            offset: 0,
            frame_at: (0, 0),
            events: 0,
            last: Stamp(i64::MIN),
            trailer: None,
            begun: Vec::new(),
        };
        let mut magic = [0; 8];
        reader.take(&mut magic)?;
        if magic != MAGIC {
            return Err(reader.bad("it does not begin as a tape does".to_owned()));
        }
        let version = reader.number()?;
        if !(1..=VERSION).contains(&version) {
            return Err(
                reader.bad(format!("it has version {version}, and versions 1 to {VERSION} are read here"))
            );
        }
        reader.frame()?;
        let header: Result<(TapeHeader, Option<Stamp>), _> = match version {
            1 => postcard::from_bytes::<FirstHeader>(&reader.frame).map(|first| (first.into(), None)),
            WHOLE => postcard::from_bytes(&reader.frame).map(|header| (header, None)),
            _ => postcard::from_bytes(&reader.frame).map(|(header, seam)| (header, Some(seam))),
        };
        let (header, seam) = header.map_err(|e| reader.bad(format!("its header: {e}")))?;
        if header.tells.len() != header.universe.instruments.len() {
            return Err(reader.bad("its header lists other instruments than it tells of".to_owned()));
        }
        (reader.header, reader.seam) = (header, seam);
        reader.frame.clear();
        reader.frame_at.0 = reader.offset;
        Ok(reader)
    }

    /// Where the reading is.
    pub(super) fn position(&self) -> TapePosition {
        let (frame_at, before) = self.frame_at;
        TapePosition { frame_at, before, events: self.events, last: self.last }
    }

    /// Goes on from where another reading of the same tape was, if this one has not begun. Frames before are passed over;
    /// who opened the tape has checked them.
    pub(super) fn seek(&mut self, to: TapePosition) -> Result<(), FeedError> {
        let ahead = to.frame_at.saturating_sub(self.offset);
        let passed = io::copy(&mut self.from.by_ref().take(ahead), &mut io::sink());
        let passed = passed.map_err(|e| self.bad(e.to_string()))?;
        self.offset += passed;
        if passed < ahead {
            return Err(self.bad("it is cut off".to_owned()));
        }
        self.hasher = None;
        self.begun.clear();
        self.frame_at = (to.frame_at, to.before);
        self.events = to.before;
        while self.events < to.events {
            self.next()?;
        }
        self.last = to.last;
        Ok(())
    }

    /// What stands before the events.
    pub fn header(&self) -> &TapeHeader {
        &self.header
    }

    /// Of a tape that grows: until when it is history.
    pub fn seam(&self) -> Option<Stamp> {
        self.seam
    }

    /// The next event; none after the last, when everything was checked.
    // Not an iterator: reading can fail, and `Feed` has the same verb.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Event>, FeedError> {
        if self.trailer.is_some() {
            return Ok(None);
        }
        if self.consumed == self.frame.len() {
            if self.seam.is_some() {
                if !self.next_frame()? {
                    return Ok(None);
                }
            } else {
                self.frame()?;
                if self.frame.is_empty() {
                    self.finish()?;
                    return Ok(None);
                }
            }
        }
        let rest = &self.frame[self.consumed..];
        let taken = if self.seam.is_some() {
            postcard::take_from_bytes::<Event>(rest)
        } else {
            postcard::take_from_bytes::<MarketEvent>(rest).map(|(event, after)| (Event::Market(event), after))
        };
        let (event, after) = taken.map_err(|e| self.bad(format!("event {}: {e}", self.events + 1)))?;
        let left = after.len();
        self.consumed = self.frame.len() - left;
        self.events += 1;
        if event.at() < self.last {
            return Err(self.bad(format!("event {} is older than the one before it", self.events)));
        }
        if !is_listed(&self.header.universe, &event) {
            return Err(self.bad(format!("event {} is of something that is not listed", self.events)));
        }
        self.last = event.at();
        Ok(Some(event))
    }

    /// Reads the next frame of a tape that grows; false where there is none yet that is whole. What is not whole is left where it
    /// is: more of it may come, or whoever appends next cuts it off.
    fn next_frame(&mut self) -> Result<bool, FeedError> {
        let mut head = [0; 8];
        let mut have = std::mem::take(&mut self.begun);
        let wanted = |have: &[u8]| match have.first_chunk::<8>() {
            None => 8,
            Some([a, b, c, d, ..]) => 8 + u32::from_le_bytes([*a, *b, *c, *d]) as usize,
        };
        while have.len() < wanted(&have) {
            let length = wanted(&have);
            if length > FRAME_BYTES_MAX as usize {
                return Err(self.bad(format!("a frame of {length} bytes is none")));
            }
            let before = have.len();
            have.resize(length, 0);
            let got = self.from.read(&mut have[before..]).map_err(|e| self.bad(e.to_string()))?;
            have.truncate(before + got);
            if got == 0 {
                self.begun = have;
                return Ok(false);
            }
        }
        head.copy_from_slice(&have[..8]);
        let [.., a, b, c, d] = head;
        if crc32c::crc32c(&have[8..]) != u32::from_le_bytes([a, b, c, d]) || have.len() == 8 {
            let mut more = [0; 1];
            let after = self.from.read(&mut more).map_err(|e| self.bad(e.to_string()))?;
            if after > 0 || have.len() == 8 {
                return Err(self.bad(format!("the checksum of {} bytes is wrong", have.len() - 8)));
            }
            // The last one, written by somebody who died: it is cut off when the tape goes on.
            self.begun = have;
            return Ok(false);
        }
        self.frame_at = (self.offset, self.events);
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&have);
        }
        self.offset += have.len() as u64;
        have.drain(..8);
        self.frame = have;
        self.consumed = 0;
        Ok(true)
    }

    /// Where the last whole frame ends, in bytes, how many events there are until there, and the stamp of the last; the hash of
    /// all of it, if all of it was read.
    pub(super) fn reached(&self) -> (u64, u64, Stamp, Option<blake3::Hash>) {
        (self.offset, self.events, self.last, self.hasher.as_ref().map(blake3::Hasher::finalize))
    }

    /// What stands after the events, and the hash of the tape; none before they are over.
    pub fn trailer(&self) -> Option<&(TapeTrailer, blake3::Hash)> {
        self.trailer.as_ref()
    }

    /// Reads the end and checks it.
    fn finish(&mut self) -> Result<(), FeedError> {
        self.frame()?;
        let trailer: TapeTrailer =
            postcard::from_bytes(&self.frame).map_err(|e| self.bad(format!("its end: {e}")))?;
        self.frame.clear();
        self.consumed = 0;
        if trailer.events != self.events {
            let (said, read) = (trailer.events, self.events);
            return Err(self.bad(format!("it should have {said} events and has {read}")));
        }
        let hash = self.hasher.as_ref().map(blake3::Hasher::finalize);
        let mut said = [0; 32];
        self.take(&mut said)?;
        let hash = hash.unwrap_or(blake3::Hash::from_bytes(said));
        if said != *hash.as_bytes() {
            return Err(self.bad("its hash is not that of what was read".to_owned()));
        }
        let mut more = [0; 1];
        let after = self.from.read(&mut more).map_err(|e| self.bad(e.to_string()))?;
        if after > 0 {
            return Err(self.bad("something follows its end".to_owned()));
        }
        self.trailer = Some((trailer, hash));
        Ok(())
    }

    /// Reads a frame; an empty one has no checksum.
    fn frame(&mut self) -> Result<(), FeedError> {
        self.frame_at = (self.offset, self.events);
        let length = self.number()?;
        self.frame.clear();
        self.consumed = 0;
        if length == 0 {
            return Ok(());
        }
        if length > FRAME_BYTES_MAX {
            return Err(self.bad(format!("a frame of {length} bytes is none")));
        }
        let crc = self.number()?;
        let mut frame = std::mem::take(&mut self.frame);
        frame.resize(length as usize, 0);
        self.take(&mut frame)?;
        self.frame = frame;
        if crc32c::crc32c(&self.frame) != crc {
            return Err(self.bad(format!("the checksum of {length} bytes is wrong")));
        }
        Ok(())
    }

    fn number(&mut self) -> Result<u32, FeedError> {
        let mut bytes = [0; 4];
        self.take(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn take(&mut self, into: &mut [u8]) -> Result<(), FeedError> {
        self.from.read_exact(into).map_err(|e| match e.kind() {
            std::io::ErrorKind::UnexpectedEof => self.bad("it is cut off".to_owned()),
            _ => self.bad(e.to_string()),
        })?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(into);
        }
        self.offset += into.len() as u64;
        Ok(())
    }

    fn bad(&self, reason: String) -> FeedError {
        FeedError::Tape { file: self.name.clone(), byte: self.offset, event: self.events, reason }
    }
}
