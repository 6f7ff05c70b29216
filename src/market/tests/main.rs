//! What the market promises, held from outside: facts of the embedded market in detail beside those of recorded
//! files, and limits.

// Tests fail by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod facts;
mod figures;
mod laws;
mod recorded;
