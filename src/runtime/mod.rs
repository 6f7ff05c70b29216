//! The world outside: files in. Opens what the pure rooms read, and decides nothing.

pub mod files;
#[cfg(test)]
mod tests;
