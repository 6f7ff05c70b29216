//! The truth: an append-only log of checksummed frames, each chained to the one before, in segments of
//! at most 64 MiB.
//!
//! Entry points: [`look`] reads before anything is changed, [`Journal::resume`] goes on from there, [`Journal::append`]
//! and [`Journal::commit`] write, [`verify`] and [`export()`] read. [`MarkFile`] says beside it how far was acknowledged.
//!
//! # Invariants
//!
//! 1. What [`Journal::commit`] has returned for is on disk: written, then `fdatasync`.
//! 2. A frame is bad or it is what was written; every byte is under a checksum, every frame under the
//!    chain.
//! 3. A torn end is cut only if nothing valid follows it, or nothing of it was acknowledged; what is cut is kept beside.
//!    Any other bad frame before a good one, a missing segment or one out of place is refused with file and byte;
//!    nothing is changed then.
//! 4. A newer format is refused naming both versions.
//! 5. After a failed write or sync (a write that found no room is taken back, and may be tried again) nothing more is written: what is on disk is then unknown, so the
//!    program has to end, start anew and read (an fsync is never tried twice).
//! 6. Segments, frames and what waits for a commit have named maxima.
//!
//! It never interprets what it stores, never drops a segment, never decides what is worth keeping: [`thin`] drops what it is
//! told to, and leaves number and link of it.

mod copy;
mod error;
mod export;
mod frame;
mod limits;
mod mark;
mod record;
mod scan;
mod segment;
#[cfg(test)]
mod tests;
mod thin;
mod writer;

pub use copy::{copy, readable_from};
pub use error::JournalError;
pub use export::{export, hex};
pub use frame::{ChainLink, Frame};
pub use limits::{
    CUTS_MAX, GROUP_BYTES_MAX, GROUP_FRAMES_MAX, PAYLOAD_BYTES_MAX, SEGMENT_BYTES_MAX, SEGMENTS_MAX,
};
pub use mark::{Acknowledged, MarkFile, MarkReading};
pub use record::RecordKind;
pub use scan::{
    Cut, FrameOffset, NEWEST, Recovery, look, read_frame, scan, scan_before, scan_beyond, verify,
};
pub use segment::{RunHeader, VERSION};
pub use thin::{size, thin};
pub use writer::Journal;
