//! What venues say in public: from bytes of a socket to events of one vocabulary, and the sockets themselves.
//!
//! ```text
//!  supervisor ── bytes ──► codec ── PublicEvent ──► bounded channel ──► who runs a market on it
//!  sockets, clocks,        Binance, Hyperliquid,    Arrival: what was
//!  back-off                Deribit: no IO           said, and how the links are
//!
//!  RestClient ── RestRequest ──► venue ── body ──► codec ── PublicEvent        (history, rules, book snapshots)
//! ```
//!
//! - [`event`]: what is said. [`codec`]: what a venue's codec does, and what can be asked for.
//! - [`num`]: the one reader of numbers. [`binance`], [`hyperliquid`], [`deribit`]: the codecs.
//! - [`book`]: books that are rebuilt from changes, and started anew after a gap.
//! - [`joiner`]: history and what goes on, of several symbols, in the one order in which a market is told.
//! - [`budget`], [`backoff`]: how much may be asked, and when to try again.
//! - [`rest`]: blocking requests. [`supervisor`]: sockets that are kept up. [`recorded`]: messages that stand in files.
//!
//! # Invariants
//!
//! 1. A price or quantity is a `Decimal` from the text of the wire on; it never passes through a float (law 6).
//! 2. Codecs, books, budgets and back-off do no IO and read no clock: bytes and moments are given to them.
//! 3. What a venue says and nobody here knows is [`event::PublicEvent::Other`] with its name, never a failure; what is
//!    known and cannot be read is an error that shows its beginning, never a guess.
//! 4. Everything is bounded: queues, frames, levels of a book, changes that wait for a snapshot, attempts.
//! 5. A link that is down, silent or too slow says so on the same channel as what it carries.
//!
//! Never: knows an engine or a run, signs anything, decides what is done about a gap.

// By their names, as every room is called.
use crate as venues;
use hive_domain as domain;

pub mod arrival;
pub mod backoff;
pub mod binance;
pub mod book;
pub mod budget;
pub mod codec;
pub mod deribit;
pub mod event;
pub mod hyperliquid;
pub mod joiner;
pub mod num;
mod reading;
pub mod recorded;
pub mod rest;
pub mod supervisor;
mod tls;
