//! Agents.
pub mod declaration;
pub mod personality;
pub mod strategies;
