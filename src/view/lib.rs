//! Plain data for people and scripts: what a cockpit shows, what is asked of a swarm and what it answers. Knows
//! nothing of the engine that is pictured, nor of terminals, sockets or files; `recorder` takes the pictures.
//!
//! - [`cockpit`]: what a person watching sees now. [`operator`]: what scripts and operators ask first.
//! - [`delta`]: what changed between two pictures. [`link`]: what stands between a cockpit and a swarm.
//! - [`services`]: who serves the desk, and what that was worth; [`orders`]: what the desk has at the venue.
//! - [`past`]: a picture of before.
//! - [`lab`]: the lab's last result, as it is looked at beside the hive that runs.

// By its name, as every room is called.
use hive_domain as domain;

pub mod cockpit;
pub mod delta;
pub mod lab;
pub mod link;
pub mod managers;
pub mod operator;
pub mod orders;
pub mod past;
pub mod services;
mod words;

pub use cockpit::{AgentPage, Cockpit};
pub use past::{Past, When};
pub use words::{certainty, gain, grouped, letters, of_emergence, unknown_emergence};
