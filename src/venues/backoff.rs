//! When to try again: twice as long after each failure, up to a bound, and half of it by chance, so that many who were cut at
//! once do not come back at once (M. Brooker 2015, "Exponential backoff and jitter": equal jitter).
//!
//! The chance is a function of the seed and the attempt: a test can say what will be waited.

use crate::domain::{Span, random};

/// Doublings after which nothing grows any more, whatever the bound.
const DOUBLINGS_MAX: u32 = 30;

/// Waiting times that grow.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Span,
    most: Span,
    seed: u64,
    /// All attempts ever, so that no two waits are drawn alike.
    drawn: u64,
    failures: u32,
}

impl Backoff {
    /// From `first` up to `most`.
    pub fn new(first: Span, most: Span, seed: u64) -> Self {
        Backoff { first, most, seed, drawn: 0, failures: 0 }
    }

    /// How long to wait after one more failure: between half and all of what has grown.
    pub fn wait(&mut self) -> Span {
        let grown = self.first.0.saturating_mul(1 << self.failures.min(DOUBLINGS_MAX)).min(self.most.0);
        self.failures = self.failures.saturating_add(1);
        self.drawn += 1;
        let half = grown / 2;
        let chance = random::below(random::key(self.seed, &[self.drawn]), (grown - half) as u64 + 1);
        Span(half + chance as i64)
    }

    /// It worked: the next failure is the first again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_bound_and_start_anew() {
        let (first, most) = (Span::seconds(1), Span::seconds(30));
        let mut backoff = Backoff::new(first, most, 7);
        for grown in [1, 2, 4, 8, 16, 30, 30] {
            let wait = backoff.wait();
            assert!((grown * 500_000_000..=grown * 1_000_000_000).contains(&wait.0), "{wait:?} of {grown} s");
        }
        backoff.reset();
        assert!(backoff.wait() <= first);
        for _ in 0..100 {
            assert!(backoff.wait() <= most);
        }
    }

    #[test]
    fn the_seed_says_what_is_waited() {
        let waits = |seed| {
            let mut backoff = Backoff::new(Span::seconds(1), Span::MINUTE, seed);
            (0..20).map(|_| backoff.wait().0).collect::<Vec<_>>()
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }
}
