//! Bars that are not believed before the next one confirms them: a print in another unit, a digit too many.
//!
//! Nobody knows at a close what comes after it, so the rule may look back alone, and has to let every crash through. A bar is
//! held back if its open, or its close, is beyond ten times the last close and beyond twenty times the volatility of a bar
//! (a fall within a bar, from an open that goes on where the last one ended, beyond a ten-thousandth: LUNA fell to a
//! three-thousandth of its price in a day). While it is held back it is as if there were no bar: nothing is decided, filled,
//! stopped, taken over or marked by it. If the next bar opens and closes near it, it was true, and trading goes on there; else it
//! never was, and if that bar is far from both it is held back in its place.
//!
//! What goes a shorter way and comes back within a bar looks, until then, like a crash: that is left out by whoever reads a
//! file, who sees both bars.

use super::quotes::Stamped;
use crate::domain::{Bar, InstrumentId, MarketEvent, Stamp};
use serde::{Deserialize, Serialize};

/// Most that a price goes between two bars that are believed at once, as a ratio.
const JUMP_MAX: f64 = 10.0;
/// Most that it falls within a bar that opens where the last one ended.
const FALL_MAX: f64 = 1e4;
/// The same, in volatilities of a bar.
const SIGMAS: f64 = 20.0;
/// Highest price that is believed at all: books hold ten times as much.
const PRICE_MAX: f64 = 1e14;
/// Bars that are named; the rest is only counted.
const NAMED: usize = 8;

/// A bar that was held back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldBar {
    /// Instrument that it was told of.
    pub instrument: InstrumentId,
    /// Its close, in time.
    pub at: Stamp,
    /// Open and close of it.
    pub prices: (f64, f64),
    /// The last close that was believed.
    pub before: f64,
    /// Whether the next bar confirmed it.
    pub is_confirmed: bool,
}

/// What was held back so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Doubts {
    /// The first of them.
    pub named: Vec<HeldBar>,
    /// How many there were.
    pub count: u64,
    /// Bars that wait for the next one of their instrument, with their closes.
    waiting: Vec<(InstrumentId, Stamp, f64)>,
}

/// Whether a price is one that books can hold.
fn is_price(price: f64) -> bool {
    price > 0.0 && price <= PRICE_MAX
}

/// Whether a price is so near to another that nobody doubts it.
fn is_near(price: f64, to: f64, most: f64) -> bool {
    price < most * to && price * most > to
}

/// Whether a bar goes further from the last close than a market does.
fn is_far(bar: &Bar, before: f64, sigma: f64) -> bool {
    if is_near(bar.open, before, JUMP_MAX) && is_near(bar.close, before, JUMP_MAX) {
        return false;
    }
    // A volatility that is not known, or mad, tells nothing.
    let most = libm::exp(SIGMAS * sigma).max(JUMP_MAX);
    let is_gap = !is_near(bar.open, before, most);
    let is_rise = bar.close >= most * before;
    is_gap || is_rise || bar.close * most.max(FALL_MAX) <= before
}

impl Doubts {
    /// Whether a bar is believed, where the last close and the volatility of a bar are these.
    pub(super) fn believe(&self, told: &MarketEvent, last: Option<Stamped<Bar>>, sigma: f64) -> bool {
        let MarketEvent::Bar { instrument, at, bar } = told else { return true };
        if !is_price(bar.high) {
            return false;
        }
        let Some(last) = last else { return true };
        let confirms = |(of, since, close): &(InstrumentId, Stamp, f64)| {
            of == instrument && at > since && !is_far(bar, *close, f64::NAN)
        };
        !is_far(bar, last.value.close, sigma) || self.waiting.iter().any(confirms)
    }

    /// Whether a price that comes with a bar, or within one, is believed.
    pub(super) fn believe_price(price: f64, last: Option<Stamped<Bar>>) -> bool {
        is_price(price)
            && last
                .is_none_or(|last| price < JUMP_MAX * last.value.close && price * FALL_MAX > last.value.close)
    }

    /// A bar was not believed.
    pub(super) fn hold(&mut self, event: &MarketEvent, last: &Bar) {
        let MarketEvent::Bar { instrument, at, bar } = *event else { return };
        if self.waiting.iter().any(|(of, since, _)| *of == instrument && *since >= at) {
            return;
        }
        self.waiting.retain(|(of, ..)| *of != instrument);
        self.waiting.push((instrument, at, bar.close));
        self.count += 1;
        if self.named.len() < NAMED {
            let prices = (bar.open, bar.close);
            self.named.push(HeldBar { instrument, at, prices, before: last.close, is_confirmed: false });
        }
    }

    /// A bar was believed, which settles what waited: it was true if this one is near it.
    pub(super) fn settle(&mut self, instrument: InstrumentId, bar: &Bar) {
        let Some(found) = self.waiting.iter().position(|(of, ..)| *of == instrument) else { return };
        let (_, at, close) = self.waiting.swap_remove(found);
        if !is_far(bar, close, f64::NAN) {
            // Where the open alone was wrong the next bar confirms nothing.
            let same = |held: &&mut HeldBar| {
                (held.instrument, held.at) == (instrument, at) && !is_near(close, held.before, JUMP_MAX)
            };
            self.named.iter_mut().filter(same).for_each(|held| held.is_confirmed = true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Span;
    use crate::market::{DecisionClock, Market};

    const I: InstrumentId = InstrumentId(0);

    /// Bars of an hour around a hundred, and then these; whether each counted.
    fn heard(bars: &[(f64, f64)]) -> (Market, Vec<bool>) {
        let mut market = Market::new(DecisionClock::default(), vec![Some(vec![])]);
        let calm = (0..200).map(|n| (100.0, 100.0 + f64::from(n % 3)));
        let mut counted = Vec::new();
        for (n, (open, close)) in calm.chain(bars.iter().copied()).enumerate() {
            let at = Stamp((n as i64 + 1) * Span::HOUR.0);
            let bar = Bar { open, high: open.max(close), low: open.min(close), close, volume: 1.0 };
            counted.push(market.take(&MarketEvent::Bar { instrument: I, at, bar }));
            // Told again it is neither believed nor doubted again.
            assert!(!market.take(&MarketEvent::Bar { instrument: I, at, bar }));
            market.barrier(at);
        }
        (market, counted.split_off(200))
    }

    #[test]
    fn a_print_in_another_unit_never_counts_and_is_named() {
        for (open, close) in
            [(100.0, 1e10), (1e8, 1e8), (1e-6, 1e-6), (1e7, 100.0), (100.0, 1e-3), (100.0, 1e300)]
        {
            let (market, counted) = heard(&[(open, close), (100.0, 101.0), (101.0, 102.0)]);
            assert_eq!(counted, [false, true, true], "{open} {close}");
            assert_eq!((market.doubts.count, market.doubts.named[0].is_confirmed), (1, false));
            assert_eq!(market.doubts.named[0].prices, (open, close));
            assert!(market.instruments[0].sigma < 0.03 && market.doubts.waiting.is_empty());
        }
    }

    #[test]
    fn a_market_that_stays_there_is_traded_from_the_next_bar_on() {
        let (market, counted) = heard(&[(1e5, 1.1e5), (1.1e5, 1.2e5), (1.2e5, 1.1e5)]);
        assert_eq!(counted, [false, true, true]);
        assert!(market.doubts.named[0].is_confirmed);
        let (market, counted) = heard(&[(1e5, 1e5), (1e8, 1e8), (100.0, 100.0)]);
        assert_eq!((counted, market.doubts.count), (vec![false, false, true], 2));
    }

    #[test]
    fn no_crash_is_held_back() {
        // A fall of 40 %, of 98 % and of 99.97 % within a bar, a gap of 85 %, and back.
        for bars in [
            [(100.0, 60.0), (60.0, 75.0)],
            [(100.0, 2.0), (2.0, 0.5)],
            [(100.0, 0.03), (0.03, 0.02)],
            [(15.0, 14.0), (14.0, 99.0)],
        ] {
            assert_eq!(heard(&bars).1, [true, true], "{bars:?}");
        }
    }
}
