//! The whole talk of a run: every message as it was delivered, typed, in a file that only grows.
//!
//! ```text
//! head: whose run, what everybody is called ─► block of 1024 messages ─► block ─► … ─► what is left at the end
//!                                              numbers, times, kinds, speakers │ the messages, packed
//! ```
//!
//! Entry points: [`TalkLog`] writes what a run says, [`TalkFile`] reads it, [`message_fields`] tells a message field by field.
//!
//! # Invariants
//!
//! 1. The bytes are a function of what was said: a block ends at the numbers that are multiples of [`BLOCK_MESSAGES`],
//!    whenever it was written, by whatever run.
//! 2. What a run that was killed says again is compared with what is there and is not written twice.
//! 3. Every byte is under a checksum; a block that does not fit it is refused with file and byte. A write that was cut short
//!    is at the end of the file and is told from that.
//! 4. Memory is bounded by [`WAITING_BYTES_MAX`] and a few blocks, however long the run.
//! 5. A full disk and a failed write never end a run: what waits is written when there is room, what had to be dropped is
//!    said, and a replay of the run writes it.
//!
//! It decides nothing, and the step knows nothing of it.

mod block;
mod deeds;
mod error;
mod filter;
mod head;
mod json;
mod log;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use block::{BLOCK_MESSAGES, BlockHead};
pub use deeds::{ActedOn, Deeds, KindCounts};
pub use error::TalkError;
pub use filter::{FilterBound, TalkFilter};
pub use head::{NameTable, TalkHead};
pub use json::{life_name, message_fields};
pub use log::{TalkLog, TalkOnDisk};
pub use read::TalkFile;
pub use write::{WAITING_BYTES_MAX, tail_of};
