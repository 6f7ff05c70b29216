//! What the world says.
pub mod clock;
pub use clock::Clock;
