//! Families whose positions are structures: legs in one or several instruments, opened and closed as
//! one, near neutral to the asset's price. They hear the market event by event and judge a stamp when it
//! is over, so nothing of it is known before all of it is.
//!
//! * `context`, `values`: what a family sees of the market, and the indicators that it is judged by; the
//!   families themselves are in [`families`](super::families);
//! * [`in_legs`]: how an intent in legs is traded; its [life](super::life) is the same as that at bars;
//! * [`legs`], [`listed`], [`ranges`], [`filling`]: the book of what is held, in coins, contracts and liquidity, and
//!   orders in markets;
//! * `margin`: when a venue takes over what is held on credit;
//! * `realised`: the volatility that families of volatility expect;
//! * `basket`: what is remembered of several assets that are held as one;
//! * `hedged_view`: a view at bars that is held as a leg, so that another can hedge it;
//! * [`shape`]: conditions from a family's distances and an agent's character.
//!
//! # Invariants
//!
//! 1. A family proposes on fresh prices of every leg only, and never what costs would eat: the edge it
//!    names is after fees and spreads.
//! 2. The stop lies on the losing side of zero, the targets on the winning side; what is announced is
//!    what is judged (law 12): every indicator of a condition is computed from the market and the family's
//!    own memory of it, never from the agent's fills, except what only its owner can know: the gain of a
//!    maker and of a book that is hedged as it goes, the inventory, the bounds of a range.
//! 3. What a structure says of its asset's direction is its net delta: that is its place in the pool. A neutral one
//!    says 0, so the pool of directional intents is left as it is.
//! 4. Its open life is its alone life to the bit as long as nothing that it hears sways it: no slice of the consensus is
//!    held in legs.

pub(in crate::agents) mod basket;
#[cfg(test)]
mod company_tests;
pub(in crate::agents) mod context;
pub mod filling;
pub(in crate::agents) mod gap;
pub(in crate::agents) mod hedged_view;
pub mod in_legs;
pub mod legs;
pub mod listed;
mod margin;
#[cfg(test)]
mod plan_tests;
pub mod ranges;
pub(in crate::agents) mod realised;
pub mod shape;
#[cfg(test)]
pub(in crate::agents) mod stage;
pub(in crate::agents) mod values;

pub use context::StructureContext;
pub use values::{KEYS, Values};
