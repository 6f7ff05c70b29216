//! A book that is kept whole from changes, and started anew where one is missing.
//!
//! Changes are kept until a snapshot stands, those that it has already are left out, and the first that remains must join
//! it: Binance by its numbers (`U ≤ lastUpdateId + 1 ≤ u`, then `pu = u` of the one before, on spot `U = u + 1`), Deribit by
//! `prev_change_id`. A venue that sends every book whole (Hyperliquid) only ever sends snapshots.
//!
//! # Invariants
//!
//! 1. A book that is not whole has no prices: nobody can read one with a hole in it.
//! 2. A change that does not join drops the book at once, and the time until it is whole again is counted.
//! 3. A bid at or above an offer is a hole that nobody has told of.

use crate::domain::{Decimal, Span, Stamp};
use crate::venues::event::{BookUpdate, PriceLevel};
use std::collections::VecDeque;

/// Changes that wait for a snapshot: some seconds of the busiest book.
pub const WAITING_MAX: usize = 4_096;
/// Prices a side that are kept: of more, those farthest from the best are dropped.
pub const LEVELS_MAX: usize = 10_000;

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookStep {
    /// The book has moved and is whole.
    Applied,
    /// It was in the book already.
    Known,
    /// It waits for a snapshot: one has to be asked for if none comes by itself.
    Waiting,
    /// Something is missing before it; the book is dropped and a snapshot has to be asked for.
    Gap,
    /// A snapshot that is older than what waits for it: a newer one has to be asked for.
    Outdated,
}

/// How often a book was lost, and for how long there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookHealth {
    /// Changes that did not join.
    pub gaps: u64,
    /// Books that were dropped since a bid was at or above an offer.
    pub crossed: u64,
    /// Time without a whole book, the one that lasts not counted.
    pub stale: Span,
}

/// A side, the best price last: what changes most is then moved least.
#[derive(Clone, Debug, Default)]
struct Ladder {
    levels: Vec<PriceLevel>,
}

impl Ladder {
    /// Sets what stands at a price; `better` tells whether its first is farther from the best than its second.
    fn set(&mut self, (price, size): PriceLevel, worse: fn(&Decimal, &Decimal) -> bool) {
        let at = self.levels.partition_point(|(p, _)| worse(p, &price));
        match self.levels.get_mut(at) {
            Some(level) if level.0 == price => {
                if size.is_zero() {
                    self.levels.remove(at);
                } else {
                    level.1 = size;
                }
            }
            _ if size.is_zero() => {}
            _ => {
                self.levels.insert(at, (price, size));
                if self.levels.len() > LEVELS_MAX {
                    self.levels.remove(0);
                }
            }
        }
    }
}

/// Where the book stands.
#[derive(Clone, Debug)]
enum BookState {
    /// No snapshot yet, or the one there was is lost; since when.
    Waiting { changes: VecDeque<BookUpdate>, since: Option<Stamp> },
    /// Whole up to this number; whether a change has followed the snapshot.
    Whole { last: u64, followed: bool },
}

/// The book of one symbol.
#[derive(Clone, Debug)]
pub struct LocalBook {
    bids: Ladder,
    asks: Ladder,
    state: BookState,
    health: BookHealth,
}

/// How an update goes on from what the book has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joining {
    Old,
    Next,
    Hole,
}

fn joining(update: &BookUpdate, last: u64, followed: bool) -> Joining {
    let (first, end) = (update.first_id, update.last_id);
    match update.previous_id {
        Some(before) if before == last => Joining::Next,
        Some(_) if end < last || (followed && end == last) => Joining::Old,
        // The first behind a snapshot may have begun before it.
        Some(_) if !followed && first <= last.saturating_add(1) => Joining::Next,
        None if end <= last => Joining::Old,
        None if first <= last.saturating_add(1) => Joining::Next,
        Some(_) | None => Joining::Hole,
    }
}

impl Default for LocalBook {
    fn default() -> Self {
        LocalBook::new()
    }
}

impl LocalBook {
    /// Without a snapshot.
    pub fn new() -> Self {
        LocalBook {
            bids: Ladder::default(),
            asks: Ladder::default(),
            state: BookState::Waiting { changes: VecDeque::new(), since: None },
            health: BookHealth::default(),
        }
    }

    /// Takes an update in, received at this moment.
    pub fn take(&mut self, update: BookUpdate, now: Stamp) -> BookStep {
        if update.snapshot {
            return self.start(&update, now);
        }
        match &mut self.state {
            BookState::Waiting { changes, since } => {
                since.get_or_insert(now);
                if changes.len() == WAITING_MAX {
                    changes.pop_front();
                }
                changes.push_back(update);
                BookStep::Waiting
            }
            BookState::Whole { last, followed } => match joining(&update, *last, *followed) {
                Joining::Old => BookStep::Known,
                Joining::Next => {
                    (*last, *followed) = (update.last_id, true);
                    self.write(&update);
                    self.checked(now)
                }
                Joining::Hole => {
                    self.health.gaps += 1;
                    self.drop_book(now);
                    self.take(update, now);
                    BookStep::Gap
                }
            },
        }
    }

    /// The link was lost, or something of it: the book starts anew, without what has waited.
    pub fn lose(&mut self, now: Stamp) {
        self.drop_book(now);
        if let BookState::Waiting { changes, .. } = &mut self.state {
            changes.clear();
        }
    }

    /// Whether it is whole.
    pub fn is_whole(&self) -> bool {
        matches!(self.state, BookState::Whole { .. })
    }

    /// Number of the last change in it; none while it is not whole.
    pub fn last_id(&self) -> Option<u64> {
        if let BookState::Whole { last, .. } = self.state { Some(last) } else { None }
    }

    /// Bids, best first; none while it is not whole.
    pub fn bids(&self) -> impl Iterator<Item = PriceLevel> {
        self.bids.levels.iter().rev().copied()
    }

    /// Offers, best first; none while it is not whole.
    pub fn asks(&self) -> impl Iterator<Item = PriceLevel> {
        self.asks.levels.iter().rev().copied()
    }

    /// How often it was lost, and for how long.
    pub fn health(&self) -> BookHealth {
        self.health
    }

    fn start(&mut self, snapshot: &BookUpdate, now: Stamp) -> BookStep {
        let whole = BookState::Whole { last: snapshot.last_id, followed: false };
        let (changes, since) = match std::mem::replace(&mut self.state, whole) {
            BookState::Waiting { changes, since } => (changes, since),
            BookState::Whole { .. } => (VecDeque::new(), None),
        };
        if changes.front().is_some_and(|first| joining(first, snapshot.last_id, false) == Joining::Hole) {
            self.state = BookState::Waiting { changes, since };
            return BookStep::Outdated;
        }
        self.clear();
        self.write(snapshot);
        if let Some(since) = since {
            self.health.stale.0 += now.since(since).0.max(0);
        }
        let mut step = self.checked(now);
        for change in changes {
            let next = self.take(change, now);
            if next != BookStep::Known {
                step = next;
            }
        }
        step
    }

    /// A book whose sides cross is none.
    fn checked(&mut self, now: Stamp) -> BookStep {
        let crossed = match (self.bids.levels.last(), self.asks.levels.last()) {
            (Some(bid), Some(ask)) => bid.0 >= ask.0,
            _ => false,
        };
        if crossed {
            self.health.crossed += 1;
            self.drop_book(now);
            return BookStep::Gap;
        }
        BookStep::Applied
    }

    fn write(&mut self, update: &BookUpdate) {
        for level in &update.bids {
            self.bids.set(*level, |at, price| at < price);
        }
        for level in &update.asks {
            self.asks.set(*level, |at, price| at > price);
        }
    }

    fn clear(&mut self) {
        self.bids.levels.clear();
        self.asks.levels.clear();
    }

    fn drop_book(&mut self, now: Stamp) {
        self.clear();
        if self.is_whole() {
            self.state = BookState::Waiting { changes: VecDeque::new(), since: Some(now) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(all: &[(i64, i64)]) -> Vec<PriceLevel> {
        all.iter().map(|(p, s)| (Decimal::from(*p), Decimal::from(*s))).collect()
    }

    fn change(ids: (u64, u64), previous_id: Option<u64>) -> BookUpdate {
        BookUpdate {
            symbol: "BTCUSDT".to_owned(),
            at: None,
            first_id: ids.0,
            last_id: ids.1,
            previous_id,
            snapshot: false,
            bids: levels(&[(99, ids.1 as i64)]),
            asks: Vec::new(),
        }
    }

    fn snapshot(last: u64) -> BookUpdate {
        let (bids, asks) = (levels(&[(99, 1), (98, 2)]), levels(&[(101, 1), (102, 2)]));
        BookUpdate { snapshot: true, bids, asks, ..change((last, last), None) }
    }

    fn second(n: i64) -> Stamp {
        Stamp(n * 1_000_000_000)
    }

    #[test]
    fn updates_join_by_the_rule_of_their_market() {
        for (update, last, followed, expected) in [
            // Spot: consecutive numbers.
            (change((90, 100), None), 100, false, Joining::Old),
            (change((95, 105), None), 100, false, Joining::Next),
            (change((101, 105), None), 100, true, Joining::Next),
            (change((102, 105), None), 100, true, Joining::Hole),
            // Futures: the one before is named.
            (change((90, 99), Some(80)), 100, false, Joining::Old),
            (change((95, 105), Some(94)), 100, false, Joining::Next),
            (change((101, 105), Some(98)), 100, false, Joining::Next),
            (change((102, 105), Some(101)), 100, false, Joining::Hole),
            (change((108, 120), Some(100)), 100, true, Joining::Next),
            (change((101, 105), Some(99)), 100, true, Joining::Hole),
            (change((95, 100), Some(94)), 100, true, Joining::Old),
            // Deribit: any larger number, the one before is named.
            (change((170, 170), Some(100)), 100, false, Joining::Next),
            (change((170, 170), Some(140)), 100, false, Joining::Hole),
        ] {
            assert_eq!(joining(&update, last, followed), expected, "{update:?} after {last}");
        }
    }

    #[test]
    fn changes_wait_for_the_snapshot_and_join_it() {
        let mut book = LocalBook::new();
        for (ids, before) in [((90, 95), 80), ((96, 103), 95), ((104, 110), 103)] {
            assert_eq!(book.take(change(ids, Some(before)), second(1)), BookStep::Waiting);
        }
        assert!(!book.is_whole() && book.bids().next().is_none());
        assert_eq!(book.take(snapshot(100), second(3)), BookStep::Applied);
        assert_eq!(book.last_id(), Some(110));
        assert_eq!(book.bids().collect::<Vec<_>>(), levels(&[(99, 110), (98, 2)]));
        assert_eq!(book.asks().collect::<Vec<_>>(), levels(&[(101, 1), (102, 2)]));
        assert_eq!(book.health(), BookHealth { gaps: 0, crossed: 0, stale: Span::seconds(2) });
    }

    #[test]
    fn a_snapshot_that_is_too_old_is_not_taken() {
        let mut book = LocalBook::new();
        book.take(change((104, 110), Some(103)), second(1));
        assert_eq!(book.take(snapshot(100), second(2)), BookStep::Outdated);
        assert!(!book.is_whole());
        assert_eq!(book.take(snapshot(105), second(3)), BookStep::Applied);
        assert_eq!(book.last_id(), Some(110));
    }

    #[test]
    fn a_gap_drops_the_book_until_the_next_snapshot_and_is_counted() {
        let mut book = LocalBook::new();
        book.take(snapshot(100), second(0));
        assert_eq!(book.take(change((101, 105), Some(100)), second(1)), BookStep::Applied);
        assert_eq!(book.take(change((107, 110), Some(106)), second(2)), BookStep::Gap);
        assert!(book.bids().next().is_none() && book.asks().next().is_none());
        assert_eq!(book.take(change((111, 115), Some(110)), second(3)), BookStep::Waiting);
        assert_eq!(book.take(snapshot(112), second(6)), BookStep::Applied);
        assert_eq!(book.last_id(), Some(115));
        assert_eq!(book.health(), BookHealth { gaps: 1, crossed: 0, stale: Span::seconds(4) });
    }

    #[test]
    fn a_lost_link_starts_the_book_anew() {
        let mut book = LocalBook::new();
        // What waited came before the loss: nothing of it can be joined.
        book.take(change((90, 110), Some(89)), second(1));
        book.lose(second(2));
        assert_eq!(book.take(change((201, 210), Some(200)), second(3)), BookStep::Waiting);
        assert_eq!(book.take(snapshot(205), second(4)), BookStep::Applied);
        assert_eq!((book.last_id(), book.health().gaps), (Some(210), 0));
        book.lose(second(5));
        assert!(!book.is_whole() && book.bids().next().is_none());
        assert_eq!(book.take(snapshot(300), second(8)), BookStep::Applied);
        assert_eq!(book.health().stale, Span::seconds(6));
    }

    #[test]
    fn sides_that_cross_are_no_book() {
        let mut book = LocalBook::new();
        book.take(snapshot(100), second(0));
        let mut crossing = change((101, 105), None);
        crossing.bids = levels(&[(101, 5)]);
        assert_eq!(book.take(crossing, second(1)), BookStep::Gap);
        assert_eq!((book.is_whole(), book.health().crossed), (false, 1));
    }

    #[test]
    fn what_is_farthest_from_the_best_is_dropped() {
        let mut book = LocalBook::new();
        let mut whole = snapshot(1);
        whole.bids = (1..=LEVELS_MAX as i64 + 5).map(|p| (Decimal::from(p), Decimal::ONE)).collect();
        whole.asks = levels(&[(20_000, 1)]);
        book.take(whole, second(0));
        assert_eq!(book.bids().count(), LEVELS_MAX);
        assert_eq!(book.bids().last(), Some((Decimal::from(6), Decimal::ONE)));
    }
}
