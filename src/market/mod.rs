//! What the world says.
pub mod clock;
pub mod indicators;
pub mod state;
pub use clock::Clock;
pub use state::{Listing, Market};
