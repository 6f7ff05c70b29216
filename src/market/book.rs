//! The order book of one instrument as its feed tells it: snapshots and changes of single prices.
//!
//! # Invariants
//!
//! 1. Bids fall, offers rise, every size is positive, and at most [`DEPTH_MAX`] prices a side are kept:
//!    the best ones.
//! 2. Between the first and the last event of an update the book is not to be read ([`OrderBook::is_whole`]).
//! 3. A crossed book is not to be read either: it heals with the next snapshot or when the crossing
//!    prices are taken off.

use serde::{Deserialize, Serialize};

/// Prices kept a side: deeper ones are of no use to orders of our size.
pub const DEPTH_MAX: usize = 50;

/// A price and the base units there.
pub type BookLevel = (f64, f64);

/// A book of limit orders, one level a price.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderBook {
    /// From the highest down.
    pub bids: Vec<BookLevel>,
    /// From the lowest up.
    pub asks: Vec<BookLevel>,
    whole: bool,
}

impl OrderBook {
    /// One price has this size now.
    pub fn level(&mut self, bid: bool, price: f64, size: f64, first: bool, last: bool) {
        if first {
            self.bids.clear();
            self.asks.clear();
        }
        self.whole = last;
        let side = if bid { &mut self.bids } else { &mut self.asks };
        let found = if bid {
            side.binary_search_by(|(p, _)| price.total_cmp(p))
        } else {
            side.binary_search_by(|(p, _)| p.total_cmp(&price))
        };
        match found {
            Ok(i) if size > 0.0 => side[i].1 = size,
            Ok(i) => {
                side.remove(i);
            }
            Err(i) if size > 0.0 && i < DEPTH_MAX => {
                side.insert(i, (price, size));
                side.truncate(DEPTH_MAX);
            }
            Err(_) => {}
        }
    }

    /// Whether it may be read: the update is complete, both sides are there, nothing is crossed.
    pub fn is_whole(&self) -> bool {
        self.whole && matches!((self.bids.first(), self.asks.first()), (Some(b), Some(a)) if b.0 < a.0)
    }

    /// The side that a taker takes from, best first.
    pub fn against(&self, buys: bool) -> &[BookLevel] {
        if buys { &self.asks } else { &self.bids }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_snapshot_replaces_and_a_size_of_zero_takes_off() {
        let mut b = OrderBook::default();
        b.level(true, 99.0, 1.0, true, false);
        assert!(!b.is_whole(), "one side is not a book");
        b.level(true, 98.0, 2.0, false, false);
        b.level(false, 101.0, 1.0, false, true);
        assert!(b.is_whole());
        assert_eq!(b.bids, [(99.0, 1.0), (98.0, 2.0)]);
        b.level(true, 99.0, 0.0, false, true);
        assert_eq!(b.bids, [(98.0, 2.0)]);
        b.level(false, 97.0, 1.0, false, true);
        assert!(!b.is_whole(), "crossed");
        b.level(false, 100.0, 1.0, true, false);
        assert_eq!((b.bids.len(), b.asks.as_slice()), (0, [(100.0, 1.0)].as_slice()));
    }

    proptest! {
        #[test]
        fn sides_stay_sorted_and_bounded(levels in prop::collection::vec((any::<bool>(), 1u32..200, 0u32..3), 0..400)) {
            let mut b = OrderBook::default();
            for (bid, price, size) in levels {
                b.level(bid, f64::from(price), f64::from(size), false, true);
            }
            prop_assert!(b.bids.windows(2).all(|w| w[0].0 > w[1].0));
            prop_assert!(b.asks.windows(2).all(|w| w[0].0 < w[1].0));
            prop_assert!(b.bids.len() <= DEPTH_MAX && b.asks.len() <= DEPTH_MAX);
            prop_assert!(b.bids.iter().chain(&b.asks).all(|(_, s)| *s > 0.0));
        }
    }
}
