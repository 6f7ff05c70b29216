//! The network.
pub mod settings;
