//! Keeps the journal of a run within a budget: of checkpoints between which little lies some are dropped, so that what is left is
//! spread evenly over the run.
//!
//! # Invariants
//!
//! 1. Commands, cursors and what a run was begun with are never dropped: with the market they are the whole run. A replay from
//!    its first event, and every moment of its past, can be had as before; only the way from the checkpoint before is longer.
//! 2. The newest checkpoints stay ([`NEWEST`] of them), and so does the segment that is written to.
//! 3. The thread of the run waits for none of this.

use crate::journal::{self, JournalError, NEWEST, RecordKind};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// Bytes of a journal where nobody says how many: a thousand checkpoints and more of the full house, and a small part of any disk.
pub const BUDGET: u64 = 1 << 30;
/// The least that a journal can be held to.
pub const BUDGET_MIN: u64 = 16 << 20;
/// Segments in a budget.
const SEGMENTS: u64 = 8;
/// A journal is made this part of its budget, so that it is not done again at once.
const PART: (u64, u64) = (3, 4);

/// A checkpoint that may be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Droppable {
    seq: u64,
    /// Events before it.
    events: u64,
    bytes: u64,
}

/// What a journal may take, and what it takes.
pub struct Retention {
    journal: PathBuf,
    budget: Option<u64>,
    bytes: u64,
    /// Bytes at which there was nothing left to drop.
    in_vain: u64,
    worker: Option<JoinHandle<Result<u64, JournalError>>>,
}

impl Retention {
    /// Of the journal in a state folder; without a budget it keeps all.
    pub fn new(dir: &Path, budget: Option<u64>) -> Self {
        let journal = dir.join("journal");
        let bytes = journal::size(&journal).unwrap_or(0);
        Retention { journal, budget, bytes, in_vain: 0, worker: None }
    }

    /// Bytes of a segment of such a journal.
    pub fn segment_bytes(&self) -> u64 {
        self.budget.map_or(u64::MAX, |budget| budget / SEGMENTS)
    }

    /// Bytes of the journal when it was last measured, and how many it may have.
    pub fn space(&self) -> (u64, Option<u64>) {
        (self.bytes, self.budget)
    }

    /// Measures the journal, and begins to make it smaller where it is too large; `open` is the segment that is written to,
    /// `events_of` tells how many events lie before a checkpoint. What came of the last time is told.
    pub fn look(&mut self, open: u32, events_of: fn(&[u8]) -> Option<u64>) -> Option<String> {
        let done = self.worker.take_if(|worker| worker.is_finished());
        self.bytes = journal::size(&self.journal).unwrap_or(self.bytes);
        let budget = self.budget?;
        if let Some(done) = done {
            return self.told(done, budget);
        }
        if self.worker.is_none() && self.bytes > budget && self.bytes > self.in_vain {
            let (dir, need) = (self.journal.clone(), self.bytes - budget / PART.1 * PART.0);
            let work = move || {
                let dropped = sparse(&droppable(&dir, open, events_of)?, need);
                journal::thin(&dir, &dropped, open)
            };
            // Without a thread it is tried again at the next checkpoint.
            self.worker = std::thread::Builder::new().name("retention".to_owned()).spawn(work).ok();
        }
        None
    }

    fn told(&mut self, worker: JoinHandle<Result<u64, JournalError>>, budget: u64) -> Option<String> {
        let (bytes, megabytes) =
            (self.bytes, |bytes: u64| format!("{:.1} MB", bytes as f64 / f64::from(1 << 20)));
        match worker.join() {
            Ok(Ok(freed)) => {
                tracing::info!(freed, bytes, budget, "checkpoints that lie close were dropped");
                if bytes <= budget {
                    return None;
                }
                self.in_vain = bytes + budget / 8;
                Some(format!(
                    "the journal has {} and cannot be made smaller now, of a budget of {}: the newest checkpoints, the segment that is \
                     written to and all commands stay",
                    megabytes(bytes),
                    megabytes(budget)
                ))
            }
            Ok(Err(e)) => {
                self.in_vain = bytes + budget / 8;
                Some(format!("the journal could not be made smaller, and goes on as it is: {e}"))
            }
            Err(_) => {
                self.in_vain = u64::MAX;
                Some("the journal could not be made smaller, and goes on as it is".to_owned())
            }
        }
    }
}

impl Drop for Retention {
    /// Whoever opens the folder next finds nobody at it.
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

/// The checkpoints before a segment, but for the newest, oldest first.
fn droppable(
    journal: &Path,
    open: u32,
    events_of: fn(&[u8]) -> Option<u64>,
) -> Result<Vec<Droppable>, JournalError> {
    let mut all = Vec::new();
    journal::scan_before(journal, open, |frame| {
        if frame.kind == RecordKind::Checkpoint as u16
            && let Some(events) = events_of(frame.payload)
        {
            all.push(Droppable { seq: frame.seq, events, bytes: frame.payload.len() as u64 });
        }
        Ok(())
    })?;
    all.truncate(all.len().saturating_sub(NEWEST));
    Ok(all)
}

/// Which to drop so that so many bytes are free: from the oldest on, each that lies too close to the last that stays, with as
/// little distance as is enough.
fn sparse(all: &[Droppable], need: u64) -> BTreeSet<u64> {
    let end = all.last().map_or(0, |last| last.events);
    let mut gap = 1_u64;
    loop {
        let (mut kept, mut freed, mut dropped) = (0, 0, BTreeSet::new());
        for one in all {
            if one.events.saturating_sub(kept) < gap {
                freed += one.bytes;
                dropped.insert(one.seq);
            } else {
                kept = one.events;
            }
        }
        if freed >= need || gap > end {
            return dropped;
        }
        gap = gap.saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn enough_goes_and_what_is_left_is_spread_evenly(gaps in prop::collection::vec((0_u64..500, 1_u64..900), 1..120), need in 1_u64..40_000) {
            let mut events = 0;
            let all: Vec<Droppable> = (1..).zip(gaps).map(|(seq, (gap, bytes))| {
                events += gap;
                Droppable { seq, events, bytes }
            }).collect();
            let dropped = sparse(&all, need);
            let freed: u64 = all.iter().filter(|one| dropped.contains(&one.seq)).map(|one| one.bytes).sum();
            prop_assert!(freed >= need || dropped.len() == all.len() || events == 0);
            // Whatever went lay closer to the one before it than anything that stayed.
            let (mut before, mut closest, mut farthest) = (0, u64::MAX, None);
            for one in &all {
                let gap = one.events - before;
                if dropped.contains(&one.seq) {
                    farthest = farthest.max(Some(gap));
                } else {
                    (before, closest) = (one.events, closest.min(gap));
                }
            }
            prop_assert!(farthest.is_none_or(|farthest| farthest < closest), "{farthest:?} {closest}");
        }
    }
}
