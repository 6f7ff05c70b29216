//! What the market has said so far: last bars, indicators, and which assets still trade.
//!
//! # Invariants
//!
//! 1. Only a valid bar newer than the last one of its instrument counts; others
//!    change nothing (so a duplicated event changes nothing) and are answered with `false`.
//! 2. An asset without a bar for [`DecisionClock::delist_after`] is delisted at the next barrier, at its last
//!    price; if it trades again, it starts anew with empty indicators.
//! 3. Bars touch only their own instrument, so their order within a stamp does not matter.

use super::clock::DecisionClock;
use super::indicators::Bank;
use crate::domain::{Bar, Indicator, InstrumentId, Stamp};
use serde::{Deserialize, Serialize};

/// One instrument as the market last showed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// Indicators that somebody follows on it.
    pub bank: Bank,
    /// The last bar.
    pub last: Bar,
    /// Close of the last bar; none before the first.
    pub last_at: Option<Stamp>,
    /// Whether it trades.
    pub trading: bool,
    /// Close-to-close return of the last bar; 0 for the first of a listing.
    pub change: f64,
    /// Volatility as it was known before the last bar: what fills inside that bar may use.
    pub sigma_before: f64,
    /// Volatility of a bar as known after the last one, as a fraction of price.
    pub sigma: f64,
    /// Last funding settlement.
    pub funding_at: Option<Stamp>,
    /// The barrier at which it was last found delisted.
    pub delisted_at: Option<Stamp>,
}

/// The state of all instruments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarketState {
    clock: DecisionClock,
    /// The instruments, by number.
    pub listings: Vec<Listing>,
    /// Stamp of the last barrier.
    pub barrier: Option<Stamp>,
    /// How often an asset stopped trading.
    pub delistings: u64,
}

impl MarketState {
    /// A market of instruments whose banks compute these indicators.
    pub fn new(clock: DecisionClock, wanted: Vec<Vec<Indicator>>) -> Self {
        let bars_per_day = crate::domain::Span::DAY.in_units_of(clock.decide);
        let nothing = Bar { open: f64::NAN, high: f64::NAN, low: f64::NAN, close: f64::NAN, volume: 0.0 };
        let listing = |keys| Listing {
            bank: Bank::new(keys, bars_per_day),
            last: nothing,
            last_at: None,
            trading: false,
            change: 0.0,
            sigma_before: f64::NAN,
            sigma: f64::NAN,
            funding_at: None,
            delisted_at: None,
        };
        MarketState {
            clock,
            listings: wanted.into_iter().map(listing).collect(),
            barrier: None,
            delistings: 0,
        }
    }

    /// When the hive decides, and when silence is taken as a delisting.
    pub fn clock(&self) -> DecisionClock {
        self.clock
    }

    /// Takes a bar; false if it does not count.
    pub fn bar(&mut self, instrument: InstrumentId, at: Stamp, bar: &Bar) -> bool {
        let old = self.barrier.is_some_and(|b| at <= b);
        let Some(listing) = self.listings.get_mut(instrument.index()) else { return false };
        if old || !bar.is_valid() || listing.last_at.is_some_and(|l| at <= l) {
            return false;
        }
        if listing.trading {
            listing.change = bar.close / listing.last.close - 1.0;
        } else {
            listing.bank.reset();
            listing.trading = true;
            listing.change = 0.0;
        }
        listing.sigma_before = listing.bank.sigma();
        listing.bank.push(bar);
        listing.sigma = listing.bank.sigma();
        listing.last = *bar;
        listing.last_at = Some(at);
        true
    }

    /// Takes a funding settlement; false if it does not count.
    pub fn funding(&mut self, instrument: InstrumentId, at: Stamp, rate: f64, mark: f64) -> bool {
        let listing = self.listings.get_mut(instrument.index());
        let counts = listing.filter(|l| {
            l.trading
                && l.funding_at.is_none_or(|f| at > f)
                && rate.is_finite()
                && mark.is_finite()
                && mark > 0.0
        });
        let Some(listing) = counts else { return false };
        listing.funding_at = Some(at);
        true
    }

    /// Takes a barrier; false if it is not newer than the last. Finds what has stopped trading.
    pub fn barrier(&mut self, at: Stamp) -> bool {
        if self.barrier.is_some_and(|b| at <= b) {
            return false;
        }
        self.barrier = Some(at);
        for listing in &mut self.listings {
            let silent = listing.last_at.is_some_and(|l| at.since(l) >= self.clock.delist_after);
            if listing.trading && silent {
                listing.trading = false;
                listing.delisted_at = Some(at);
                self.delistings += 1;
            }
        }
        true
    }
}

impl Listing {
    /// Whether its bar of this stamp is in.
    pub fn is_fresh(&self, at: Stamp) -> bool {
        self.trading && self.last_at == Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Span;

    fn market() -> MarketState {
        MarketState::new(DecisionClock::default(), vec![vec![Indicator::Mean(2)], vec![]])
    }

    fn bar(close: f64) -> Bar {
        Bar { open: close, high: close, low: close, close, volume: 1.0 }
    }

    fn at(bars: i64) -> Stamp {
        Stamp(bars * 4 * Span::HOUR.0)
    }

    #[test]
    fn a_repeated_late_or_impossible_bar_changes_nothing() {
        let mut m = market();
        assert!(m.bar(InstrumentId(0), at(1), &bar(10.0)));
        assert!(m.barrier(at(1)));
        let before = format!("{m:?}");
        assert!(!m.bar(InstrumentId(0), at(1), &bar(11.0)));
        assert!(!m.bar(InstrumentId(1), at(1), &bar(11.0)));
        assert!(!m.bar(InstrumentId(9), at(2), &bar(11.0)));
        assert!(!m.bar(InstrumentId(0), at(2), &bar(-1.0)));
        assert!(!m.barrier(at(1)));
        assert_eq!(format!("{m:?}"), before);
    }

    #[test]
    fn silence_delists_and_a_return_starts_anew() {
        let mut m = market();
        for i in 1..=4 {
            m.bar(InstrumentId(0), at(i), &bar(10.0));
            m.barrier(at(i));
        }
        assert!(m.listings[0].bank.values()[0].is_finite());
        for i in 5..=46 {
            m.barrier(at(i));
        }
        assert!(!m.listings[0].trading);
        assert_eq!((m.delistings, m.listings[0].delisted_at), (1, Some(at(46))));
        assert!(m.bar(InstrumentId(0), at(50), &bar(1.0)));
        assert!(m.listings[0].trading);
        assert_eq!(m.listings[0].change, 0.0);
        assert!(m.listings[0].bank.values()[0].is_nan());
    }
}
