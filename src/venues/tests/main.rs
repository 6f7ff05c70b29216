//! The tests of the venues' room, as one program.

// Tests fail by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod books;
mod own;
mod recordings;
mod rest;
mod server;
mod sockets;
