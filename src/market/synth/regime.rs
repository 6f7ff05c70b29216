//! The chain of regimes, one step a day: calm rise, range, panic, euphoria.

use crate::domain::random;
use serde::{Deserialize, Serialize};

/// What the market is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Regime {
    /// A slow rise with low volatility.
    Calm,
    /// No drift, and a weak pull to where it began.
    Range,
    /// Falls, high volatility.
    Panic,
    /// Rises fast, raised volatility.
    Euphoria,
}

/// What a regime does to the market factor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effect {
    /// Drift of the log price per year.
    pub drift: f64,
    /// Pull to the price at the regime's start, per hour.
    pub pull: f64,
    /// Volatility, as a multiple. The square averages to about one over the chain.
    pub vol: f64,
    /// Mean of a jump in standard deviations of a jump.
    pub jump: f64,
}

impl Regime {
    /// Its effect. With the time shares that the chain gives (0.385, 0.36, 0.135, 0.12) the mean drift is
    /// about +0.15 per year; the drifts add about 0.1 to variance ratios at 20 days and the pull takes half
    /// of it away.
    pub fn effect(self) -> Effect {
        match self {
            Regime::Calm => Effect { drift: 0.8, pull: 0.0, vol: 0.80, jump: 0.0 },
            Regime::Range => Effect { drift: 0.0, pull: 0.002, vol: 0.85, jump: 0.0 },
            Regime::Panic => Effect { drift: -3.0, pull: 0.0, vol: 1.55, jump: -0.5 },
            Regime::Euphoria => Effect { drift: 2.0, pull: 0.0, vol: 1.15, jump: 0.0 },
        }
    }

    /// Mean length in days, and where it goes then (calm, range, panic, euphoria; sums to one).
    fn leave(self) -> (f64, [f64; 4]) {
        match self {
            Regime::Calm => (20.0, [0.0, 0.5, 0.2, 0.3]),
            Regime::Range => (15.0, [0.45, 0.0, 0.33, 0.22]),
            Regime::Panic => (9.0, [0.35, 0.65, 0.0, 0.0]),
            Regime::Euphoria => (11.0, [0.3, 0.4, 0.3, 0.0]),
        }
    }

    /// The regime of the first day: by the time shares of the chain.
    pub fn first(key: u64) -> Regime {
        pick(random::uniform(key), [0.385, 0.36, 0.135, 0.12])
    }

    /// The regime of the next day.
    pub fn next(self, key: u64) -> Regime {
        let (days, to) = self.leave();
        if random::uniform(random::mix(key, 1)) * days >= 1.0 {
            return self;
        }
        pick(random::uniform(random::mix(key, 2)), to)
    }
}

fn pick(u: f64, shares: [f64; 4]) -> Regime {
    let all = [Regime::Calm, Regime::Range, Regime::Panic, Regime::Euphoria];
    let mut sum = 0.0;
    for (regime, share) in all.into_iter().zip(shares) {
        sum += share;
        if u < sum {
            return regime;
        }
    }
    // Rounding of the sum can leave a hair above it; the likeliest regime takes it.
    Regime::Range
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_spends_its_time_as_stated_and_volatility_averages_to_one() {
        let mut regime = Regime::first(random::key(1, &[0]));
        let mut share = [0.0; 4];
        let n = 400_000_u64;
        for day in 0..n {
            regime = regime.next(random::key(1, &[1, day]));
            share[regime as usize] += 1.0 / n as f64;
        }
        for (measured, stated) in share.iter().zip([0.385, 0.36, 0.135, 0.12]) {
            assert!((measured - stated).abs() < 0.03, "{share:?}");
        }
        let all = [Regime::Calm, Regime::Range, Regime::Panic, Regime::Euphoria];
        let mean = |f: fn(Effect) -> f64| all.iter().zip(share).map(|(r, s)| f(r.effect()) * s).sum::<f64>();
        assert!((mean(|e| e.vol * e.vol) - 1.0).abs() < 0.06);
        assert!((0.0..0.25).contains(&mean(|e| e.drift)));
    }
}
