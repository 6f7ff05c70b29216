//! The time-weighted mean of an index over a window: what settles an option (Deribit: the last 30
//! minutes before 08:00 UTC) and what fixes the strike and the settlement of a MOVE contract (one hour
//! each).
//!
//! The index is a step function: a price is in force from its stamp until the next one.
//!
//! # Invariants
//!
//! 1. The mean lies between the lowest and the highest price that was in force inside the window.
//! 2. A price before the window counts from the start of the window on; one after it changes nothing.
//! 3. Time in which no price was known is left out of the mean.
//!
//! It never interpolates between prices and never looks at a clock.

use super::{BadInput, positive};
use crate::domain::{Span, Stamp};
use serde::{Deserialize, Serialize};

/// A mean that is being taken. A plain value: its owner keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Twap {
    from: Stamp,
    to: Stamp,
    /// Σ price × seconds inside the window, up to `last`.
    weighted: f64,
    /// Nanoseconds of the window that had a price, up to `last`.
    covered: i64,
    last: Option<(Stamp, f64)>,
}

/// Why a price was not taken.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum TwapError {
    /// Older than one that was taken.
    #[error("an index price of {at} came after one of {last}; feed the mean in order")]
    OutOfOrder {
        /// The stamp that came.
        at: Stamp,
        /// The newest taken before.
        last: Stamp,
    },
    /// Not a price.
    #[error(transparent)]
    Price(#[from] BadInput),
}

impl Twap {
    /// A mean over `[from, to)`; a window that is empty never has a mean.
    pub fn new(from: Stamp, to: Stamp) -> Self {
        Twap { from, to, weighted: 0.0, covered: 0, last: None }
    }

    /// A mean over the last `window` before `expiry`.
    pub fn before(expiry: Stamp, window: Span) -> Self {
        Self::new(Stamp(expiry.0.saturating_sub(window.0)), expiry)
    }

    /// Takes the index price that is in force from `at` on.
    ///
    /// # Errors
    ///
    /// A price that is not finite and positive, or older than the one before; nothing changes then.
    pub fn observe(&mut self, at: Stamp, price: f64) -> Result<(), TwapError> {
        let price = positive("the index", price)?;
        if let Some((last, _)) = self.last
            && at < last
        {
            return Err(TwapError::OutOfOrder { at, last });
        }
        (self.weighted, self.covered) = self.until(at);
        self.last = Some((at, price));
        Ok(())
    }

    /// The mean over the part of the window that lies before `now`; none while no price was in force.
    pub fn mean(&self, now: Stamp) -> Option<f64> {
        let (weighted, covered) = self.until(now);
        (covered > 0).then(|| weighted / seconds(covered))
    }

    /// The window's start and end.
    pub fn window(&self) -> (Stamp, Stamp) {
        (self.from, self.to)
    }

    /// The sums as they would be at `at`, the last price held until then.
    fn until(&self, at: Stamp) -> (f64, i64) {
        let Some((last, price)) = self.last else { return (self.weighted, self.covered) };
        let start = last.max(self.from);
        let end = at.min(self.to);
        if end <= start {
            return (self.weighted, self.covered);
        }
        let length = end.since(start).0;
        (self.weighted + price * seconds(length), self.covered + length)
    }
}

fn seconds(nanoseconds: i64) -> f64 {
    Span(nanoseconds).in_units_of(Span::seconds(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Stamp {
        Stamp(Span::seconds(seconds).0)
    }

    #[test]
    fn weighs_by_time_and_only_inside_the_window() {
        let mut t = Twap::before(at(100), Span::seconds(40));
        assert_eq!(t.window(), (at(60), at(100)));
        assert_eq!(t.mean(at(200)), None);
        t.observe(at(10), 100.0).unwrap();
        assert_eq!(t.mean(at(60)), None, "the window has not begun");
        assert_eq!(t.mean(at(70)), Some(100.0), "known before the window");
        t.observe(at(90), 200.0).unwrap();
        assert_eq!(t.mean(at(90)), Some(100.0));
        assert_eq!(t.mean(at(100)), Some(125.0));
        t.observe(at(120), 9_999.0).unwrap();
        assert_eq!(t.mean(at(999)), Some(125.0), "what comes later changes nothing");
    }

    #[test]
    fn time_before_the_first_price_is_left_out() {
        let mut t = Twap::new(at(0), at(10));
        t.observe(at(6), 50.0).unwrap();
        assert_eq!(t.mean(at(10)), Some(50.0));
        t.observe(at(9), 90.0).unwrap();
        assert_eq!(t.mean(at(10)), Some(60.0), "three seconds of four");
    }

    #[test]
    fn of_two_prices_of_a_moment_the_later_one_is_in_force() {
        let mut t = Twap::new(at(0), at(10));
        t.observe(at(0), 10.0).unwrap();
        t.observe(at(0), 30.0).unwrap();
        assert_eq!(t.mean(at(10)), Some(30.0));
        assert_eq!(Twap::new(at(5), at(5)).mean(at(9)), None, "an empty window has no mean");
    }

    #[test]
    fn refuses_what_is_old_or_no_price_and_stays_as_it_was() {
        let mut t = Twap::new(at(0), at(10));
        t.observe(at(5), 50.0).unwrap();
        let before = t;
        assert!(matches!(t.observe(at(4), 50.0), Err(TwapError::OutOfOrder { .. })));
        assert!(matches!(t.observe(at(6), f64::NAN), Err(TwapError::Price(_))));
        assert_eq!(t, before);
    }

    proptest! {
        #[test]
        fn the_mean_lies_between_the_prices(
            steps in prop::collection::vec((0_i64..20, 1.0_f64..1e6), 1..30),
        ) {
            let mut t = Twap::new(at(0), at(100));
            let (mut now, mut low, mut high) = (0, f64::INFINITY, 0.0_f64);
            for (wait, price) in steps {
                now += wait;
                t.observe(at(now), price).unwrap();
                (low, high) = (low.min(price), high.max(price));
                if let Some(mean) = t.mean(at(now + 1)) {
                    prop_assert!(mean >= low * (1.0 - 1e-12) && mean <= high * (1.0 + 1e-12));
                }
            }
        }
    }
}
