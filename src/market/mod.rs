//! What the world says: the feeds that turn history or the embedded market into events.
//!
//! * [`feed`]: what every feed promises, and the order of its events;
//! * [`history`]: panels and folders of CSV, resampled to the decision clock;
//! * [`synth`]: the embedded market, seeded, for a run with no files and no network;
//! * [`clock`]: the clocks of a run.
//!
//! # Invariants
//!
//! 1. A feed is a function of its settings and its bytes: two openings give the same events.
//! 2. Nothing a feed tells before a stamp depends on rows after it.
//! 3. What cannot be believed is counted and named, never silently used.
//!
//! This room never opens a file (it is handed readers by [`history::Source`]), never reads a clock and
//! knows no agent.

pub mod clock;
pub mod feed;
pub mod history;
pub mod synth;

pub use clock::Clock;
pub use feed::{Feed, FeedError, FeedInfo, FeedMode, FeedReport};
