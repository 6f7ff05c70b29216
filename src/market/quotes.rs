//! What quotes are: best prices, the state of a pool, how much is known of a market; each value with its stamp.

use crate::domain::Stamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How much is known of a market, and so how orders in it are filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DetailLevel {
    /// Bars alone: orders fill within them.
    #[default]
    Bars,
    /// Best prices and trades.
    Quotes,
    /// The whole book, level by level.
    Depth,
}

impl DetailLevel {
    /// As it is printed on every result.
    pub fn text(self) -> &'static str {
        match self {
            DetailLevel::Bars => "B",
            DetailLevel::Quotes => "L1",
            DetailLevel::Depth => "L2",
        }
    }
}

impl fmt::Display for DetailLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// A value and when it was told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped<T> {
    /// When it was told.
    pub at: Stamp,
    /// What was told.
    pub value: T,
}

/// Best bid and offer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Top {
    /// Best bid, in the quote currency per base unit.
    pub bid: f64,
    /// Best offer, in the quote currency per base unit.
    pub ask: f64,
    /// Base units at the bid.
    pub bid_size: f64,
    /// Base units at the offer.
    pub ask_size: f64,
}

impl Top {
    /// The middle of bid and offer.
    pub fn mid(&self) -> f64 {
        f64::midpoint(self.bid, self.ask)
    }
}

/// A pool's price and the liquidity around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolState {
    /// Quote per base.
    pub price: f64,
    /// √(base · quote) at the price.
    pub liquidity: f64,
    /// Quote currency swapped since the state before.
    pub swapped: f64,
    /// Gas that a swap takes, in quote currency.
    pub gas: f64,
}
