//! What the world says: the feeds that turn history or the embedded market into events, and what is
//! known of the market from them.
//!
//! * [`feed`]: what every feed promises, and the order of its events;
//! * [`source`]: what files are to this room, and the part of them that is wanted;
//! * [`history`]: files as a feed, as if they had been imported;
//! * `table`: what anybody's file calls its columns, and what stands in them;
//! * [`import`]: files of many formats, made into tapes;
//! * [`tape`]: what a market said in one file, and the feed that runs it;
//! * [`synth`]: the embedded market, seeded, for a run with no files and no network;
//! * [`units`]: ticks and lots that files do not tell, and in which unit an asset is counted;
//! * [`clock`]: the clocks of a run;
//! * [`state`], [`quotes`], [`book`]: what was last told of every instrument, and which still trade;
//! * [`doubt`]: bars that are not believed before the next one confirms them;
//! * [`indicators`]: computed once per instrument for all agents;
//! * [`pricing`]: what options, futures, MOVE contracts and pools are worth and settle for.
//!
//! # Invariants
//!
//! 1. A feed is a function of its settings and its bytes: two openings give the same events.
//! 2. Nothing a feed tells before a stamp depends on rows after it.
//! 3. What cannot be believed is counted and named, never silently used.
//!
//! This room never opens a file (it is handed readers by [`source::SourceFile`]), never reads a clock and
//! knows no agent.

// The rooms by their names, as everybody calls them.
use crate as market;
use hive_domain as domain;

pub mod book;
mod bounded_lines;
pub mod clock;
pub mod doubt;
pub mod feed;
pub mod history;
pub mod import;
pub mod indicators;
pub mod pricing;
pub mod quotes;
pub mod source;
pub mod state;
pub mod synth;
mod table;
pub mod tape;
pub mod units;

pub use clock::DecisionClock;
pub use feed::{Feed, FeedError, FeedInfo, FeedMode, FeedReport, Polled};
pub use quotes::DetailLevel;
pub use state::{InstrumentState, Market};
pub use table::Choices;
