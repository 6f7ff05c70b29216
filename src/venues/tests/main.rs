//! The tests of the venues' room, as one program.

mod books;
mod own;
mod recordings;
mod rest;
mod server;
mod sockets;
