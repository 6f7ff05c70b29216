//! What a fill needs to know, and the sums that fills add up to: the same for what is held in markets
//! ([`Legs`](super::legs::Legs)) and for what is held in pools ([`Ranges`](super::ranges::Ranges)).

use super::listed::ListedInstruments;
use crate::fills::Tariff;
use crate::market::Market;
use crate::market::quotes::DetailLevel;
use serde::{Deserialize, Serialize};

/// What was traded, paid and received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Notional traded, in the account's currency.
    pub traded: f64,
    /// Number of fills so far.
    pub fills: u64,
    /// Fees paid, gas and borrow included.
    pub fees: f64,
    /// Funding received less funding paid.
    pub funding: f64,
    /// The coarsest level on which something was filled.
    pub level: Option<DetailLevel>,
}

/// What filling needs beside the book.
#[derive(Clone, Copy, Debug)]
pub struct FillContext<'a> {
    /// What is listed.
    pub listed: &'a ListedInstruments,
    /// What is quoted.
    pub board: &'a Market,
    /// What trading costs.
    pub costs: &'a Tariff,
    /// Whether makers count touches.
    pub touch: bool,
}
