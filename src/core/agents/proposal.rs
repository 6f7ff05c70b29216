//! What a family answers when it is asked: an intent to open, and prices to rest at.

use crate::domain::Plan;

pub use crate::domain::StructureLeg;

/// Most legs of a structure.
pub const LEGS_MAX: usize = 4;

/// What a family proposes.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// +1: the legs as they are; −1: all of them turned round.
    pub side: f64,
    /// Up to [`LEGS_MAX`]; none: the asset itself, as the desk trades it.
    pub legs: Vec<StructureLeg>,
    /// Notional of the largest leg, as a fraction of own capital, before the agent's character; of no meaning without
    /// legs, where a unit is sized by volatility.
    pub size: f64,
    /// How much of its notional a long of it holds of its asset, by delta: 1 for the asset itself, 0 for a neutral
    /// structure, one whose legs cancel or that is hedged as it goes. It is its place in the pool.
    pub delta: f64,
    /// The conditions under which it is left, added to, hedged and taken up again.
    pub plan: Plan,
    /// The level at which its order rests, for who decides at bars; none where it is taken at the next open.
    pub limit: Option<EntryLimit>,
}

/// A level at which the order of an entry rests until the price trades through it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EntryLimit {
    /// Price of the limit order.
    pub price: f64,
    /// Bars that it rests at most.
    pub within: u32,
}

/// A price and a size (base units) that a family wants to rest in its first leg's market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rest {
    /// Price of the limit order.
    pub price: f64,
    /// Signed: buys or sells.
    pub quantity: f64,
}
