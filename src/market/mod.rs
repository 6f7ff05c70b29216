//! What the world says.
pub mod clock;
pub mod feed;
pub mod history;
pub mod indicators;
pub mod state;
pub mod synth;
pub use clock::Clock;
pub use feed::*;
pub use state::{Listing, Market};
