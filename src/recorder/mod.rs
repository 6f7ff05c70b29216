//! Engine state → plain data: takes the pictures that a cockpit shows, and tells a run to scripts. Knows
//! nothing of terminals, sockets or files.
//!
//! - [`picture`]: keeps what the engine forgets (curves, recent messages) and takes the picture.
//! - [`summary`]: the end of a run, for scripts and the closing report; [`families`]: by family and level.
//! - [`operator`]: how the hive is, and how each agent is.

mod crowd;
pub mod families;
mod legs;
mod managers;
mod network;
pub mod operator;
mod orders;
mod page;
pub mod picture;
mod record;
mod rules;
mod series;
mod services;
pub mod summary;
pub mod trades;
mod words;

pub use families::FamilyTable;
pub use picture::{RecordedRun, Recorder};
pub use summary::Summary;
pub use trades::TradeLog;
pub use words::{TalkNames, full, instrument, line, short, speaker};
