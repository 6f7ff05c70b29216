//! The world outside: files in, the engine driven at the speed asked for. Opens what the pure rooms
//! read, and decides nothing.

pub mod drive;
pub mod feeds;
pub mod files;
pub mod service;
pub mod setup;
#[cfg(test)]
mod tests;
