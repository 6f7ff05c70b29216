//! The world outside: opens what the pure rooms read, and decides nothing.
//!
//! ```text
//! feeds, files ──► drive: the loop ──► stepper ──► engine
//!                    ▲ pace, kill         ├──► stats: what the run has to tell
//!                    │                   ├──► keep, recover, evidence: journal, mark and store
//!                    └── service: who is attached, what they ask; album: moments to go back to,
//!                        archive: those before them, out of the journal
//! prove: a run lived again without some of what was said, and what that was worth
//! ```

pub mod backup;
mod columnar;
pub mod disk_room;
pub mod drive;
pub mod evidence;
pub mod feeds;
pub mod files;
pub mod imports;
pub mod keep;
pub mod kill;
pub mod live;
pub mod lock;
pub mod logs;
pub mod migrate;
pub mod pace;
pub mod prove;
pub mod recordings;
pub mod recover;
pub mod replay;
pub mod retention;
mod scratch;
pub mod service;
pub mod snapshot_ring;
pub mod stats;
pub mod stepper;
#[cfg(test)]
mod tests;
mod utf16;
