//! One frame: `[len u32][crc32c u32][seq u64][ts u64][kind u16][ver u16][prev 8B][payload]`, all numbers
//! little-endian.
//!
//! # Invariants
//!
//! 1. The checksum covers every byte of the frame but itself, the length included.
//! 2. `prev` is the hash of the frame before, so that a frame cannot be left out, doubled or moved. A frame that stands for
//!    one that was dropped has that one's.
//! 3. No bytes make [`parse`] panic or read beyond them.

use super::limits::PAYLOAD_BYTES_MAX;
use super::record::RecordKind;

/// Bytes before the payload.
pub const HEAD: usize = 36;

/// A link of the chain: the first eight bytes of blake3 of a frame.
pub type ChainLink = [u8; 8];

/// A frame as it lies in its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its number, counted from 1 without a gap.
    pub seq: u64,
    /// Wall clock, UTC nanoseconds since 1970; nothing depends on it.
    pub ts: u64,
    /// What the payload is.
    pub kind: u16,
    /// Version of the payload's layout.
    pub ver: u16,
    /// Link of the frame before.
    pub prev: ChainLink,
    /// Whatever the writer put in.
    pub payload: &'a [u8],
}

impl Frame<'_> {
    /// Bytes of the whole frame.
    pub fn size(&self) -> usize {
        HEAD + self.payload.len()
    }
}

/// Appends a frame to `out` and returns its link. The payload is at most [`PAYLOAD_BYTES_MAX`] long.
pub fn encode(out: &mut Vec<u8>, frame: &Frame<'_>) -> ChainLink {
    let start = out.len();
    out.extend_from_slice(&(frame.payload.len() as u32).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&frame.seq.to_le_bytes());
    out.extend_from_slice(&frame.ts.to_le_bytes());
    out.extend_from_slice(&frame.kind.to_le_bytes());
    out.extend_from_slice(&frame.ver.to_le_bytes());
    out.extend_from_slice(&frame.prev);
    out.extend_from_slice(frame.payload);
    let crc = checksum(&out[start..]);
    out[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
    link(&out[start..])
}

/// The frame at the start of `bytes`, if a whole one with a fitting checksum is there.
pub fn parse(bytes: &[u8]) -> Option<Frame<'_>> {
    let len = u32::from_le_bytes(array(bytes, 0)?) as usize;
    if len > PAYLOAD_BYTES_MAX {
        return None;
    }
    let whole = bytes.get(..HEAD + len)?;
    if u32::from_le_bytes(array(whole, 4)?) != checksum(whole) {
        return None;
    }
    Some(Frame {
        seq: u64::from_le_bytes(array(whole, 8)?),
        ts: u64::from_le_bytes(array(whole, 16)?),
        kind: u16::from_le_bytes(array(whole, 24)?),
        ver: u16::from_le_bytes(array(whole, 26)?),
        prev: array(whole, 28)?,
        payload: &whole[HEAD..],
    })
}

/// Where the next frame with a number after `last` lies in `bytes`, if any does. The number is looked
/// at first: a checksum at every byte would take minutes on a full segment.
pub fn find(bytes: &[u8], last: u64) -> Option<usize> {
    find_upto(bytes, last, last.saturating_add((bytes.len() / HEAD) as u64 + 1))
}

/// As [`find`], where frames before these bytes are lost too: at most as many as a journal of any size has.
pub fn find_any(bytes: &[u8], last: u64) -> Option<usize> {
    find_upto(bytes, last, last.saturating_add(u64::from(u32::MAX)))
}

fn find_upto(bytes: &[u8], last: u64, most: u64) -> Option<usize> {
    (0..bytes.len().saturating_sub(HEAD - 1)).find(|at| {
        let rest = &bytes[*at..];
        let seq = array(rest, 8).map_or(0, u64::from_le_bytes);
        seq > last && seq <= most && parse(rest).is_some()
    })
}

/// The link of a frame's bytes.
pub fn link(frame: &[u8]) -> ChainLink {
    if array(frame, 24).map(u16::from_le_bytes) == Some(RecordKind::Dropped as u16)
        && let Some(link) = array(frame, HEAD)
    {
        return link;
    }
    let hash = blake3::hash(frame);
    array(hash.as_bytes(), 0).unwrap_or_default()
}

/// `N` bytes at `at`.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn checksum(whole: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&whole[..4]), &whole[8..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_layout_is_as_written() {
        let mut out = Vec::new();
        let frame = Frame { seq: 7, ts: 9, kind: 3, ver: 1, prev: [5; 8], payload: b"abc" };
        encode(&mut out, &frame);
        assert_eq!(out.len(), frame.size());
        assert_eq!(out[..4], [3, 0, 0, 0]);
        assert_eq!(out[8..28], [7, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0]);
        assert_eq!(out[28..], *b"\x05\x05\x05\x05\x05\x05\x05\x05abc");
        assert_eq!(parse(&out), Some(frame));
        // RFC 3720, B.4: 32 bytes of zeros.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
    }

    proptest! {
        #[test]
        fn any_single_flip_is_seen(payload in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>()) {
            let mut out = Vec::new();
            encode(&mut out, &Frame { seq: 1, ts: 2, kind: 3, ver: 4, prev: [0; 8], payload: &payload });
            let bit = at.index(out.len() * 8);
            out[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(parse(&out).is_none());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let _ = find(&bytes, 0);
        }
    }
}
