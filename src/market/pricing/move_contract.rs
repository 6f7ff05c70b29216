//! The MOVE contract: it pays |TWAP of the last window − TWAP of the first window| of its period, in
//! quote currency per contract. Daily contracts: a period of one UTC day and windows of one hour, so the
//! strike is the first-hour TWAP of the expiry day, unknown while the contract trades the day before.
//! (Definition: FTX help 360033136331 as archived; the contract lives on here as a synthetic instrument.)
//!
//! The index is a driftless Brownian motion with standard deviation S·σ per √year (Bachelier), so the
//! payoff is the absolute value of a normal number D with mean `m` and deviation `s`, and
//! V = m(2Φ(d) − 1) + 2sφ(d), d = m/s. With w the window, T the period, and all exact in that model:
//!
//! | phase | m | (s/Sσ)² |
//! |---|---|---|
//! | before the first window | 0 | T − 4w/3 |
//! | `e` into it, mean so far A | (e/w)(S − A) | (w³ − e³)/3w² + T − 5w/3 |
//! | strike K fixed, `t` left | S − K | t − 2w/3 |
//! | `u` left of the last window, mean so far A | (w−u)/w·A + u/w·S − K | (u/w)²·u/3 |
//!
//! The second row is the variance of what is still open: a price at time x of the first window moves D
//! by x/w, and ∫ₑʷ (x/w)² dx = (w³ − e³)/3w². It meets the first row at e = 0 and the third at e = w.
//!
//! # Invariants
//!
//! 1. The value is at least |m|, and its phases join without a step.
//! 2. Before the strike begins to be fixed the value does not depend on how long that is still off: only
//!    the period moves the payoff.
//!
//! It knows no term structure of volatility: the owner hands in the one volatility that is right for the
//! time left (of one day's tenor, not a 30-day index).

use super::twap::{Twap, TwapError};
use super::{BadInput, normal, not_negative, positive};
use crate::domain::{Span, Stamp};
use serde::{Deserialize, Serialize};

/// A contract and the two means that make its payoff. A plain value that its owner feeds and keeps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MoveContract {
    starts: Stamp,
    expires: Stamp,
    window: Span,
    strike: Twap,
    settlement: Twap,
}

/// Where a contract stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContractPhase {
    /// The strike is not known and its window has not begun.
    Forward,
    /// Inside the window that fixes the strike.
    Fixing,
    /// The strike is fixed.
    Fixed,
    /// Inside the window that settles.
    Settling,
    /// It has expired and is settled.
    Settled,
}

/// Worth and sensitivities of one contract.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MoveQuote {
    /// Expected payoff, in quote currency.
    pub value: f64,
    /// Change of value for a change of 1 in the index, the deviation of what is to come held (the hedge
    /// in the perp): 0 before the fixing, 2Φ(d) − 1 after it, times the open share inside a window.
    pub delta: f64,
    /// Change of value for one volatility point (0.01).
    pub vega_per_point: f64,
    /// Standard deviation of the final difference, in quote currency.
    pub deviation: f64,
}

/// Why a contract has no value.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum MoveError {
    /// The windows overlap or are empty.
    #[error(
        "a MOVE contract from {starts} to {expires} has no room for two windows of {window}; \
         its period must be at least twice a positive window"
    )]
    Windows {
        /// Start of the first window.
        starts: Stamp,
        /// End of the last.
        expires: Stamp,
        /// Length of each.
        window: Span,
    },
    /// A mean that the value needs was never fed.
    #[error("the {0} of the MOVE contract is not known: no index price was fed in its window")]
    NoMean(&'static str),
    /// An argument that means nothing.
    #[error(transparent)]
    Input(#[from] BadInput),
}

impl MoveContract {
    /// A contract whose first window begins at `starts` and whose last ends at `expires`.
    ///
    /// # Errors
    ///
    /// A window that is not positive, or two that do not fit into the period.
    pub fn new(starts: Stamp, expires: Stamp, window: Span) -> Result<Self, MoveError> {
        if window.0 <= 0 || expires.since(starts).0 / 2 < window.0 {
            return Err(MoveError::Windows { starts, expires, window });
        }
        let strike = Twap::new(starts, starts.after(window));
        let settlement = Twap::before(expires, window);
        Ok(MoveContract { starts, expires, window, strike, settlement })
    }

    /// The daily contract that expires at the end of the UTC day in which `within` lies: windows of one
    /// hour, 00:00–01:00 and 23:00–24:00.
    ///
    /// # Errors
    ///
    /// None for a stamp of this millennium.
    pub fn daily(within: Stamp) -> Result<Self, MoveError> {
        let starts = within.floor(Span::DAY);
        Self::new(starts, starts.after(Span::DAY), Span::HOUR)
    }

    /// Takes the index price in force from `at` on; feed it from before the first window until expiry.
    ///
    /// # Errors
    ///
    /// Not a price, or older than the one before.
    pub fn observe(&mut self, at: Stamp, index: f64) -> Result<(), TwapError> {
        self.strike.observe(at, index)?;
        self.settlement.observe(at, index)
    }

    /// When it expires.
    pub fn expires(&self) -> Stamp {
        self.expires
    }

    /// Where it stands at `now`.
    pub fn phase(&self, now: Stamp) -> ContractPhase {
        if now <= self.starts {
            ContractPhase::Forward
        } else if now < self.starts.after(self.window) {
            ContractPhase::Fixing
        } else if now <= self.settlement.window().0 {
            ContractPhase::Fixed
        } else if now < self.expires {
            ContractPhase::Settling
        } else {
            ContractPhase::Settled
        }
    }

    /// The strike, once it is fixed and if its window was fed.
    pub fn strike(&self, now: Stamp) -> Option<f64> {
        (now >= self.starts.after(self.window)).then(|| self.strike.mean(now)).flatten()
    }

    /// What it pays, once it expired and if both windows were fed.
    pub fn payoff(&self, now: Stamp) -> Option<f64> {
        let strike = self.strike(now)?;
        (now >= self.expires).then(|| self.settlement.mean(now)).flatten().map(|s| libm::fabs(s - strike))
    }

    /// The value at `now` with the index at `index` and a volatility `vol` per year of 365.25 days over
    /// what is left.
    ///
    /// # Errors
    ///
    /// An index that is not positive, a volatility below zero, or a mean that is needed and was not fed.
    pub fn quote(&self, now: Stamp, index: f64, vol: f64) -> Result<MoveQuote, MoveError> {
        let index = positive("the index", index)?;
        let vol = not_negative("the volatility", vol)?;
        let years = |span: Span| span.in_units_of(Span::YEAR);
        let (w, period) = (years(self.window), years(self.expires.since(self.starts)));
        let strike = || self.strike.mean(now).ok_or(MoveError::NoMean("strike"));
        // The mean of the final difference, its slope in the index, and the variance in years.
        let (mean, slope, variance) = match self.phase(now) {
            ContractPhase::Forward => (0.0, 0.0, period - 4.0 * w / 3.0),
            ContractPhase::Fixing => {
                let e = years(now.since(self.starts));
                let open = (w * w * w - e * e * e) / (3.0 * w * w);
                (e / w * (index - strike()?), e / w, open + period - 5.0 * w / 3.0)
            }
            ContractPhase::Fixed => (index - strike()?, 1.0, years(self.expires.since(now)) - 2.0 * w / 3.0),
            ContractPhase::Settling => {
                let share = years(self.expires.since(now)) / w;
                let so_far = self.settlement.mean(now).ok_or(MoveError::NoMean("settlement"))?;
                let mean = (1.0 - share) * so_far + share * index - strike()?;
                (mean, share, share * share * share * w / 3.0)
            }
            ContractPhase::Settled => {
                let settled = self.settlement.mean(now).ok_or(MoveError::NoMean("settlement"))?;
                (settled - strike()?, 0.0, 0.0)
            }
        };
        Ok(folded_normal(mean, slope, index * libm::sqrt(variance.max(0.0)), vol))
    }
}

/// E|D| of a normal D with this mean and a deviation of `per_vol` × `vol`, and its sensitivities.
fn folded_normal(mean: f64, slope: f64, per_vol: f64, vol: f64) -> MoveQuote {
    let deviation = per_vol * vol;
    if deviation == 0.0 {
        let side = if mean == 0.0 { 0.0 } else { libm::copysign(1.0, mean) };
        return MoveQuote { value: libm::fabs(mean), delta: slope * side, vega_per_point: 0.0, deviation };
    }
    let d = mean / deviation;
    let sided = 2.0 * normal::cdf(d) - 1.0;
    let density = 2.0 * normal::pdf(d);
    MoveQuote {
        value: mean * sided + deviation * density,
        delta: slope * sided,
        vega_per_point: per_vol * density / 100.0,
        deviation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random;
    use ContractPhase::{Fixed, Fixing, Forward, Settled, Settling};
    use proptest::prelude::*;

    const DAY: Stamp = Stamp(20_000 * Span::DAY.0);

    fn hours(h: f64) -> Stamp {
        DAY.after(Span((h * Span::HOUR.0 as f64) as i64))
    }

    /// A daily contract with the index at `index` all through.
    fn flat(index: f64) -> MoveContract {
        let mut c = MoveContract::daily(DAY).unwrap();
        c.observe(hours(-1.0), index).unwrap();
        c
    }

    #[test]
    fn before_the_strike_is_fixed_it_has_its_golden_value() {
        let c = MoveContract::daily(hours(5.0)).unwrap();
        for hour in [-20.0, -1.0, 0.0] {
            let q = c.quote(hours(hour), 100_000.0, 0.5).unwrap();
            assert!((q.value - 2_028.63).abs() < 0.005, "{}", q.value);
            assert_eq!((c.phase(hours(hour)), q.delta), (ContractPhase::Forward, 0.0));
        }
    }

    #[test]
    fn after_fixing_it_is_bacheliers_straddle() {
        let c = flat(100_000.0);
        let q = c.quote(hours(12.0), 101_000.0, 0.5).unwrap();
        assert_eq!((c.phase(hours(12.0)), c.strike(hours(12.0))), (ContractPhase::Fixed, Some(100_000.0)));
        let s = 101_000.0 * 0.5 * ((12.0 - 2.0 / 3.0) / 8_766.0_f64).sqrt();
        let d = 1_000.0 / s;
        let value = 1_000.0 * (2.0 * normal::cdf(d) - 1.0) + 2.0 * s * normal::pdf(d);
        assert!((q.value - value).abs() < 1e-9);
        assert!((q.delta - (2.0 * normal::cdf(d) - 1.0)).abs() < 1e-12);
        assert!((q.deviation - s).abs() < 1e-9);
    }

    #[test]
    fn inside_the_last_window_what_is_averaged_no_longer_moves() {
        let c = flat(100_000.0);
        let q = c.quote(hours(23.5), 102_000.0, 0.5).unwrap();
        // Half of the mean is in at 100 000, the other half is expected at 102 000.
        let s = 102_000.0 * 0.5 * 0.5 * (0.5 / 3.0 / 8_766.0_f64).sqrt();
        let d = 1_000.0 / s;
        let sided = 2.0 * normal::cdf(d) - 1.0;
        assert!((q.value - (1_000.0 * sided + 2.0 * s * normal::pdf(d))).abs() < 1e-6);
        assert!((q.delta - 0.5 * sided).abs() < 1e-9);
    }

    #[test]
    fn it_settles_at_the_distance_of_the_two_means() {
        let mut c = MoveContract::daily(DAY).unwrap();
        for (hour, index) in [(0.0, 100.0), (0.5, 104.0), (1.0, 300.0), (23.0, 90.0), (23.75, 98.0)] {
            c.observe(hours(hour), index).unwrap();
        }
        assert_eq!((c.strike(hours(0.9)), c.strike(hours(1.0))), (None, Some(102.0)));
        assert_eq!(c.payoff(hours(23.9)), None);
        assert_eq!(c.payoff(c.expires()), Some(10.0));
        assert_eq!(c.quote(hours(25.0), 55.0, 0.5).unwrap().value, 10.0);
        assert_eq!(c.phase(hours(25.0)), ContractPhase::Settled);
    }

    #[test]
    fn a_daily_contract_is_of_the_day_it_is_made_in() {
        for within in [DAY, hours(0.5), hours(23.999)] {
            let c = MoveContract::daily(within).unwrap();
            assert_eq!(c.expires(), hours(24.0));
            let phases = [0.0, 0.5, 1.0, 23.0, 23.5, 24.0].map(|h| c.phase(hours(h)));
            assert_eq!(phases, [Forward, Fixing, Fixed, Fixed, Settling, Settled]);
        }
    }

    #[test]
    fn before_the_fixing_it_is_worth_its_volatility_and_an_old_price_changes_nothing() {
        let mut c = MoveContract::daily(DAY).unwrap();
        let at = |c: &MoveContract, vol| c.quote(hours(-3.0), 50_000.0, vol).unwrap();
        let (one, two) = (at(&c, 0.4), at(&c, 0.8));
        assert!((two.value - 2.0 * one.value).abs() < 1e-9, "straight in volatility");
        assert!((one.vega_per_point * 40.0 - one.value).abs() < 1e-9);
        assert_eq!(at(&c, 0.0).value, 0.0);
        c.observe(hours(2.0), 100.0).unwrap();
        let before = c;
        assert!(matches!(c.observe(hours(1.0), 100.0), Err(TwapError::OutOfOrder { .. })));
        assert!(matches!(c.observe(hours(3.0), 0.0), Err(TwapError::Price(_))));
        assert_eq!(c, before);
    }

    #[test]
    fn a_contract_that_was_not_fed_says_so() {
        let c = MoveContract::daily(DAY).unwrap();
        assert_eq!(c.quote(hours(2.0), 100.0, 0.5), Err(MoveError::NoMean("strike")));
        assert!(matches!(MoveContract::new(DAY, hours(1.5), Span::HOUR), Err(MoveError::Windows { .. })));
        assert!(MoveContract::new(DAY, hours(2.0), Span::HOUR).is_ok());
        assert!(matches!(c.quote(DAY, -1.0, 0.5), Err(MoveError::Input(_))));
    }

    #[test]
    fn a_simulation_of_the_fixing_hour_agrees() {
        // Half an hour in, the mean so far 200 below the index: paths of 5-minute steps, as in the source.
        let mut c = MoveContract::daily(DAY).unwrap();
        c.observe(hours(0.0), 99_800.0).unwrap();
        let (index, vol) = (100_000.0, 0.5);
        let q = c.quote(hours(0.5), index, vol).unwrap();
        let (steps, paths, minutes) = (1_410_u64, 4_000_u64, 1.0);
        let step = index * vol * (minutes / (8_766.0 * 60.0_f64)).sqrt();
        let mut sum = 0.0;
        for path in 0..paths {
            let (mut s, mut first, mut last) = (index, 0.5 * 99_800.0, 0.0);
            for i in 0..steps {
                // The mean of a minute is close to the mean of its ends.
                let next = s + step * random::normal(random::key(11, &[path, i]));
                let middle = 0.5 * (s + next);
                if i < 30 {
                    first += middle / 60.0;
                } else if i >= 1_350 {
                    last += middle / 60.0;
                }
                s = next;
            }
            sum += (last - first).abs();
        }
        let mean = sum / paths as f64;
        let error = 3.0 * 0.603 * q.deviation / (paths as f64).sqrt();
        assert!((mean - q.value).abs() < error, "simulated {mean}, formula {}", q.value);
    }

    proptest! {
        #[test]
        fn phases_join_without_a_step(index in 1e3_f64..1e5, vol in 0.05_f64..2.0, off in -0.05_f64..0.05) {
            let mut c = MoveContract::daily(DAY).unwrap();
            c.observe(hours(-1.0), index * (1.0 + off)).unwrap();
            for seam in [hours(0.0), hours(1.0), hours(23.0), hours(24.0)] {
                let at = |t: i64| c.quote(Stamp(seam.0 + t), index, vol).unwrap();
                let (before, after) = (at(-1_000), at(1_000));
                prop_assert!((before.value - after.value).abs() < 1e-6 * index);
            }
        }

        #[test]
        fn worth_at_least_its_mean_and_more_with_volatility(
            hour in -3.0_f64..24.0, vol in 0.0_f64..2.0, now in 0.8_f64..1.2,
        ) {
            let c = flat(1_000.0);
            let (q, more) = (
                c.quote(hours(hour), 1_000.0 * now, vol).unwrap(),
                c.quote(hours(hour), 1_000.0 * now, vol + 0.01).unwrap(),
            );
            prop_assert!(q.value >= 0.0 && more.value >= q.value - 1e-9);
            prop_assert!(q.delta.abs() <= 1.0);
            if (1.0..=23.0).contains(&hour) {
                prop_assert!(q.value >= (1_000.0 * (now - 1.0)).abs() - 1e-9);
            }
        }

        #[test]
        fn delta_and_vega_are_the_slopes(mean in -50.0_f64..50.0, s in 0.1_f64..100.0) {
            let v = |m: f64| folded_normal(m, 1.0, s, 1.0);
            let slope = (v(mean + 1e-4).value - v(mean - 1e-4).value) / 2e-4;
            prop_assert!((slope - v(mean).delta).abs() < 1e-6);
            let w = |vol: f64| folded_normal(mean, 1.0, s, vol).value;
            let vega = (w(1.0 + 1e-5) - w(1.0 - 1e-5)) / 2e-5;
            prop_assert!((vega / 100.0 - v(mean).vega_per_point).abs() < 1e-6 * s);
        }
    }
}
