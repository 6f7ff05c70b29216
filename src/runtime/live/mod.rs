//! A live market: a venue's history, joined with what its sockets say, on a tape that grows; the feed follows the tape.
//!
//! ```text
//!            sockets ─► supervisor ─┐
//!                                   ├─► joiner ─► tape on disk ─► synced ─► LiveFeed ─► engine
//!  history, late bars, rules ─ REST ┘      (thread of the recorder)          (thread of the run)
//! ```
//!
//! # Invariants
//!
//! 1. A run hears nothing that is not on disk: its tape, read again, is the run again ([`crate::market::tape`]), and a run that
//!    died goes on from tape and checkpoint, whether or not the venue can be reached.
//! 2. The run waits for no socket and no answer; a venue that says nothing is silence that is told ([`MarketEvent::Health`]).
//! 3. What goes wrong between the venue and the tape is seen ([`LiveLinks`]), tried again, and never made up for by a guess.
//!
//! [`MarketEvent::Health`]: crate::domain::MarketEvent::Health
//! [`LiveLinks`]: crate::domain::LiveLinks

mod clock;
mod feed;
mod fetch;
mod recorder;
mod spec;
mod start;
mod tape_file;

pub use feed::LiveFeed;
pub use fetch::{FetchProgress, FetchSpec, FetchedTape, fetch};
pub use spec::{LiveSpec, LiveVenue};
pub use start::{LiveError, open, reread};
