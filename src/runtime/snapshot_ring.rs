//! The moments that cockpits can go back to: at a barrier the whole picture and every agent's page, packed,
//! the newest that fit.
//!
//! ```text
//! barrier ──► picture + pages ──► postcard ──► deflate ──► ring       `[`, `]`, `:at` ──► unpack one
//! ```
//!
//! What is kept is what was shown, not a way to compute it again, so the *why* of a page is the one that was
//! given then.
//!
//! # Invariants
//!
//! 1. At most [`BYTES_MAX`] bytes and [`MOMENTS_MAX`] moments; the oldest go first.
//! 2. Keeping costs the run at most one part in [`COST_PARTS`] of its time, but for moments that must be kept.
//!    Where bars come faster than that, some are left out.
//! 3. What comes out is what went in, to the bit.
//! 4. It is no part of the engine's state: a process that is started again begins anew.

use crate::domain::{AgentId, Stamp};
use crate::view::{AgentPage, Cockpit, Past, When};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::time::Instant;

/// Bytes of all moments: some hundreds of them for forty agents, weeks on the 4 h clock.
pub const BYTES_MAX: usize = 48 << 20;
/// Moments, however small they are.
pub const MOMENTS_MAX: usize = 4_096;
/// Keeping takes at most one part in so many of the time.
pub const COST_PARTS: u32 = 12;
/// Bytes that one moment may unpack to, so that a broken one cannot take memory.
const UNPACKED_MAX: u64 = 256 << 20;

struct Kept {
    seq: u64,
    at: Stamp,
    packed: Vec<u8>,
}

/// The ring of packed moments; see the module.
pub struct SnapshotRing {
    kept: VecDeque<Kept>,
    bytes: usize,
    bytes_max: usize,
    /// Before this it would cost too much.
    free: Option<Instant>,
}

impl Default for SnapshotRing {
    fn default() -> Self {
        SnapshotRing::new(BYTES_MAX)
    }
}

impl SnapshotRing {
    /// Empty, for so many bytes.
    pub fn new(bytes_max: usize) -> Self {
        SnapshotRing { kept: VecDeque::new(), bytes: 0, bytes_max, free: None }
    }

    /// Whether there is time for another moment.
    pub fn has_time(&self) -> bool {
        self.free.is_none_or(|f| Instant::now() >= f)
    }

    /// Whether the newest moment is this one, or newer.
    pub fn has(&self, seq: u64) -> bool {
        self.kept.back().is_some_and(|k| k.seq >= seq)
    }

    /// When the oldest moment was.
    pub fn oldest(&self) -> Option<Stamp> {
        self.kept.front().map(|k| k.at)
    }

    /// When the moment of a picture was.
    pub fn time(&self, seq: u64) -> Option<Stamp> {
        let index = self.kept.binary_search_by_key(&seq, |k| k.seq).ok()?;
        self.kept.get(index).map(|k| k.at)
    }

    /// When the moment was that lies `by` from the picture `seq`, where both are kept.
    pub fn beside(&self, seq: u64, by: i32) -> Option<Stamp> {
        let index = self.kept.binary_search_by_key(&seq, |k| k.seq).ok()? as i64 + i64::from(by);
        usize::try_from(index).ok().and_then(|p| self.kept.get(p)).map(|k| k.at)
    }

    /// The newest moment at or before a time.
    pub fn newest(&self, at: Stamp) -> Option<Stamp> {
        let index = self.kept.partition_point(|k| k.at <= at);
        self.kept.get(index.checked_sub(1)?).map(|k| k.at)
    }

    /// How many moments before the oldest one a step from the picture `seq` leads; 0 where it does not, and from a
    /// picture that is older than all.
    pub fn beyond(&self, seq: u64, by: i32) -> i64 {
        if self.kept.front().is_none_or(|k| seq < k.seq) {
            return 0;
        }
        let before = self.kept.partition_point(|k| k.seq < seq) as i64;
        (-(before + i64::from(by))).max(0)
    }

    /// Keeps a moment. `since` is when making it began. A picture that is kept already is left as it is.
    pub fn keep(&mut self, view: &Cockpit, pages: &[AgentPage], since: Instant) {
        let Some(at) = view.market_time else { return };
        if self.has(view.seq) {
            return;
        }
        // Packing plain data of bounded size into memory does not fail; if it did, a moment would be missing.
        if let Ok(packed) = pack(view, pages) {
            self.bytes += packed.len();
            self.kept.push_back(Kept { seq: view.seq, at, packed });
        }
        while self.kept.len() > MOMENTS_MAX || (self.bytes > self.bytes_max && self.kept.len() > 1) {
            let gone = self.kept.pop_front().map_or(0, |k| k.packed.len());
            self.bytes -= gone;
        }
        self.free = since.elapsed().checked_mul(COST_PARTS).and_then(|rest| since.checked_add(rest));
    }

    /// Unpacks a moment, with the page of an agent; or says why there is none.
    pub fn find(&self, when: When, agent: Option<AgentId>) -> Result<Past, String> {
        let (Some(first), Some(last)) = (self.kept.front(), self.kept.back()) else {
            return Err("nothing of before is kept yet; a moment is kept at every bar".to_owned());
        };
        let index = match when {
            When::At(at) => self.kept.partition_point(|k| k.at <= at).saturating_sub(1),
            When::Step { seq, by } => self.step(seq, i64::from(by)),
        };
        let found = self.kept.get(index).ok_or("that moment is not kept any more")?;
        let (view, pages) = unpack(&found.packed)
            .map_err(|e| format!("the moment of {} cannot be unpacked: {e}; others can", found.at))?;
        let page = agent.and_then(|a| pages.into_iter().find(|p| p.row.id == a));
        let (place, kept) = (index as u32 + 1, self.kept.len() as u32);
        Ok(Past { view, page, place, kept, from: first.at, to: last.at, journal: false })
    }

    /// `by` moments from the picture `seq`, not beyond the ends. A picture that is not kept lies between two.
    fn step(&self, seq: u64, by: i64) -> usize {
        let last = self.kept.len() as i64 - 1;
        let before = self.kept.partition_point(|k| k.seq < seq) as i64;
        let here = self.kept.get(before as usize).is_some_and(|k| k.seq == seq);
        // The one before a gap is one step back, the one after it one step on.
        let to = if here || by < 0 { before + by } else { before + (by - 1).max(0) };
        to.clamp(0, last.max(0)) as usize
    }
}

fn pack(view: &Cockpit, pages: &[AgentPage]) -> io::Result<Vec<u8>> {
    let plain = postcard::to_stdvec(&(view, pages)).map_err(io::Error::other)?;
    let mut packer = DeflateEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    packer.write_all(&plain)?;
    let mut packed = packer.finish()?;
    packed.shrink_to_fit();
    Ok(packed)
}

fn unpack(packed: &[u8]) -> io::Result<(Cockpit, Vec<AgentPage>)> {
    let mut plain = Vec::new();
    DeflateDecoder::new(packed).take(UNPACKED_MAX).read_to_end(&mut plain)?;
    postcard::from_bytes(&plain).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(seq: u64) -> Cockpit {
        let hive = format!("hive {}", blake3::hash(&seq.to_le_bytes()).to_hex());
        Cockpit { seq, hive, market_time: Some(Stamp(100 * seq as i64)), ..Cockpit::default() }
    }

    fn ring(seqs: impl Iterator<Item = u64>, bytes_max: usize) -> SnapshotRing {
        let mut ring = SnapshotRing::new(bytes_max);
        seqs.for_each(|seq| ring.keep(&view(seq), &[], Instant::now()));
        ring
    }

    fn step(ring: &SnapshotRing, seq: u64, by: i32) -> (u64, u32, u32) {
        let past = ring.find(When::Step { seq, by }, None).unwrap();
        (past.view.seq, past.place, past.kept)
    }

    #[test]
    fn steps_go_from_moment_to_moment_and_stop_at_the_ends() {
        let ring = ring([10, 20, 30].into_iter(), BYTES_MAX);
        // 35 is what is shown live: not kept.
        assert_eq!(step(&ring, 35, -1), (30, 3, 3));
        assert_eq!(step(&ring, 35, -2), (20, 2, 3));
        assert_eq!(step(&ring, 30, -1), (20, 2, 3));
        assert_eq!(step(&ring, 20, 0), (20, 2, 3));
        assert_eq!(step(&ring, 20, 1), (30, 3, 3));
        assert_eq!(step(&ring, 15, 1), (20, 2, 3));
        assert_eq!(step(&ring, 30, -9), (10, 1, 3));
        assert_eq!(step(&ring, 10, 9), (30, 3, 3));
        assert_eq!(step(&ring, 99, 1), (30, 3, 3));
    }

    #[test]
    fn a_time_finds_what_was_known_then() {
        let ring = ring([10, 20, 30].into_iter(), BYTES_MAX);
        let at = |at| ring.find(When::At(Stamp(at)), None).unwrap().view.seq;
        assert_eq!((at(2_000), at(2_999), at(3_000), at(9_999), at(5)), (20, 20, 30, 30, 10));
        let past = ring.find(When::At(Stamp(0)), None).unwrap();
        assert_eq!((past.from, past.to), (Stamp(1_000), Stamp(3_000)));
    }

    #[test]
    fn what_comes_out_is_what_went_in_and_memory_is_bounded() {
        let all = ring(1..200, BYTES_MAX);
        assert_eq!(all.find(When::Step { seq: 77, by: 0 }, None).unwrap().view, view(77));
        let some = ring(1..200, all.bytes / 4);
        assert!(some.bytes <= all.bytes / 4 && some.kept.len() > 20, "{} bytes", some.bytes);
        assert_eq!(some.bytes, some.kept.iter().map(|k| k.packed.len()).sum::<usize>());
        let past = some.find(When::Step { seq: 1, by: 0 }, None).unwrap();
        assert!(past.view.seq > 100 && past.place == 1, "the oldest went first: {}", past.view.seq);
        assert_eq!(ring(1..10_000, usize::MAX).kept.len(), MOMENTS_MAX);
    }

    #[test]
    fn what_lies_before_the_oldest_is_counted() {
        let ring = ring([10, 20, 30].into_iter(), BYTES_MAX);
        assert_eq!([ring.beyond(30, -2), ring.beyond(30, -3), ring.beyond(35, -4)], [0, 1, 1]);
        assert_eq!(ring.beyond(5, -1), 0, "what was shown before the oldest is the oldest");
        assert_eq!([ring.newest(Stamp(999)), ring.newest(Stamp(2_500))], [None, Some(Stamp(2_000))]);
        assert_eq!(
            (ring.oldest(), ring.time(20), ring.time(21)),
            (Some(Stamp(1_000)), Some(Stamp(2_000)), None)
        );
        assert_eq!(
            (ring.beside(20, 1), ring.beside(20, 2), ring.beside(20, -2)),
            (Some(Stamp(3_000)), None, None)
        );
    }

    #[test]
    fn nothing_kept_is_said() {
        assert!(
            SnapshotRing::default().find(When::At(Stamp(0)), None).unwrap_err().contains("nothing of before")
        );
    }
}
