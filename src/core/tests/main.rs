//! What the core promises, held from outside: the laws, agents one at a time, and the full house. Nothing but what
//! the engine stands on is compiled for it.

// Tests fail by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agents;
mod common;
mod house;
mod laws;
