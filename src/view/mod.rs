//! Engine state → plain data for people and scripts. Knows nothing of terminals, sockets or files.
//!
//! - [`summary`]: the end of a run, for scripts and the closing report; [`families`]: by family and level.
//! - [`cockpit`]: what a person watching sees now; [`recorder`] keeps what the engine forgets
//!   (curves, recent messages) and takes the picture.
//! - [`delta`]: what changed between two pictures. [`link`]: what stands between a cockpit and a swarm.
//! - [`services`]: who serves the desk, and what that was worth; [`orders`]: what the desk has at the venue.
//! - [`past`]: a picture of before.
//! - [`lab`]: the lab's last result, as it is looked at beside the hive that runs.

pub mod cockpit;
pub mod delta;
pub mod families;
pub mod lab;
pub mod link;
mod network;
pub mod operator;
pub mod orders;
mod page;
pub mod past;
mod record;
pub mod recorder;
pub mod series;
pub mod services;
pub mod summary;
mod words;

pub use cockpit::{AgentPage, Cockpit};
pub use families::FamilyTable;
pub use past::{Past, When};
pub use recorder::Recorder;
pub use summary::Summary;
pub use words::{certainty, full, grouped, letters, of_emergence, short, speaker, unknown_emergence};
