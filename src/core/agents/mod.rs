//! One agent: its character, its strategy, and what it makes of what it hears.
//!
//! [`declaration`] is what the file says, [`cast`] makes agents of it, [`life`] is the life that
//! speaks, [`families`] what each family does for a living, [`mind`] the ears of the other two lives. An agent never holds a channel, sees a key or
//! places an order.
pub mod at_bars;
pub mod cast;
pub mod company;
pub mod context;
pub mod declaration;
pub mod families;
pub mod family;
pub mod life;
#[cfg(test)]
#[path = "../tests/laws/listener/mod.rs"]
mod listener;
pub mod mind;
pub mod personality;
pub mod plan;
pub mod proposal;
pub mod reactions;
pub mod shape;
pub mod strategy;
pub mod structures;

pub use cast::{Agent, AgentAsset, Population};
pub use strategy::Strategy;
