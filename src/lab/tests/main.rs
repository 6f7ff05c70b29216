//! What the lab promises, held from outside: the ladder, company, and what a message is worth.

// Tests fail by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../core/tests/common/mod.rs"]
mod common;

mod across;
mod company;
mod hires;
mod ladder;
mod laws;
mod reactions;
mod small;
mod uplift;
