//! The world outside: files in, the engine driven at the speed asked for, its state kept and recovered.
//! Opens what the pure rooms read, and decides nothing.

pub mod drive;
pub mod feeds;
pub mod files;
pub mod keep;
pub mod lock;
pub mod recover;
pub mod service;
pub mod setup;
pub mod stepper;
#[cfg(test)]
mod tests;
