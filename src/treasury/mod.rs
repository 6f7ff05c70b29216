//! Treasury.
pub mod settings;
