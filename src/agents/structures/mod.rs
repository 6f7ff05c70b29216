//! Families whose positions are structures: legs in one or several instruments, opened and closed as one.

use super::declaration::ParamSpec;
use crate::domain::Family;

/// The parameters of a structured family with units, defaults and bounds.
pub fn params(_family: Family) -> &'static [ParamSpec] {
    &[]
}

/// A family's idea in a line.
pub fn idea(family: Family) -> &'static str {
    match family {
        Family::Scalp => "order-flow imbalance on quotes and trades: quick target, time stop",
        Family::MarketMaking => "quotes both sides of the book, skewed by its inventory",
        Family::Arbitrage => "buys where an asset is cheap and sells where it is dear, on two venues",
        Family::Triangular => "three pairs round and back to the same currency, after fees and depth",
        Family::CashAndCarry => "long spot and short a dated future: the basis, kept to expiry",
        Family::Funding => "the side of a perp that is paid, hedged with spot",
        Family::Options => "short or long volatility with options, delta hedged with the perp",
        Family::Move => "MOVE contracts against a forecast of volatility, hedged with the perp",
        Family::Defi => "liquidity in pools against its loss, and pool against exchange, gas included",
        _ => "",
    }
}
