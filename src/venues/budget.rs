//! How much may be asked of a venue: weights that are counted by the minute of its clock.
//!
//! # Invariants
//!
//! 1. What the venue says it has counted is right; to it comes what is still on its way.
//! 2. A part is kept for cancelling: nothing else can use it up.
//! 3. After the venue has said no, nothing is sent before the moment that it names.
//!
//! No clock is read: the moment is given.

use crate::domain::{Span, Stamp};

/// How long nothing is asked after an answer 418 without a moment: the venue's shortest ban.
const BAN: Span = Span::seconds(120);

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// It lowers risk: it may use all there is.
    Cancel,
    /// Everything else leaves the reserve alone.
    Other,
}

/// The budget of one address at one venue.
#[derive(Clone, Debug)]
pub struct WeightBudget {
    /// Weight that a window has.
    limit: u32,
    /// What of it is kept for cancelling.
    reserve: u32,
    window: Span,
    /// Start of the window that is counted.
    since: Stamp,
    /// Counted by the venue, or here until it has said so.
    counted: u32,
    /// Sent and not answered.
    on_the_way: u32,
    barred_until: Option<Stamp>,
}

impl WeightBudget {
    /// So much a minute, a part of it kept for cancelling.
    pub fn per_minute(limit: u32, reserve: u32) -> Self {
        WeightBudget {
            limit,
            reserve: reserve.min(limit),
            window: Span::MINUTE,
            since: Stamp(0),
            counted: 0,
            on_the_way: 0,
            barred_until: None,
        }
    }

    /// Takes the weight of a request that is sent now, or tells from when it may be.
    pub fn take(&mut self, weight: u32, urgency: Urgency, now: Stamp) -> Result<(), Stamp> {
        self.turn(now);
        if let Some(until) = self.barred_until {
            return Err(until);
        }
        let kept = if urgency == Urgency::Cancel { 0 } else { self.reserve };
        let used = self.counted.saturating_add(self.on_the_way);
        // What is heavier than a window is sent alone in one.
        if used > 0 && used.saturating_add(weight) > self.limit - kept {
            return Err(self.since.after(self.window));
        }
        self.on_the_way += weight;
        Ok(())
    }

    /// An answer has come: the weight of its request, and what the venue says that it has counted in this window.
    pub fn answered(&mut self, weight: u32, counted: Option<u32>, now: Stamp) {
        self.turn(now);
        self.on_the_way = self.on_the_way.saturating_sub(weight);
        self.counted = counted.unwrap_or(self.counted.saturating_add(weight));
    }

    /// The venue has said no (429), or has shut the door (418); how long, where it says so.
    pub fn refused(&mut self, banned: bool, retry_after: Option<Span>, now: Stamp) {
        self.turn(now);
        let rest = self.since.after(self.window).since(now);
        let wait = retry_after.unwrap_or(if banned { BAN } else { rest });
        let until = now.after(Span(wait.0.max(0)));
        self.barred_until = Some(self.barred_until.map_or(until, |before| before.max(until)));
    }

    /// What is left in this window for what is not urgent.
    pub fn left(&mut self, now: Stamp) -> u32 {
        self.turn(now);
        let used = self.counted.saturating_add(self.on_the_way);
        if self.barred_until.is_some() { 0 } else { (self.limit - self.reserve).saturating_sub(used) }
    }

    /// Begins a new window where the clock is in one.
    fn turn(&mut self, now: Stamp) {
        let since = now.floor(self.window);
        if since > self.since {
            (self.since, self.counted) = (since, 0);
        }
        self.barred_until = self.barred_until.filter(|until| *until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Stamp {
        Stamp(Span::seconds(seconds).0)
    }

    #[test]
    fn a_minute_has_its_weight_and_the_next_has_it_again() {
        let mut budget = WeightBudget::per_minute(100, 20);
        assert_eq!(budget.take(50, Urgency::Other, at(61)), Ok(()));
        assert_eq!(budget.take(31, Urgency::Other, at(62)), Err(at(120)));
        assert_eq!(budget.take(30, Urgency::Other, at(62)), Ok(()));
        assert_eq!(budget.left(at(63)), 0);
        // The reserve is for cancelling, and ends too.
        assert_eq!(budget.take(20, Urgency::Cancel, at(63)), Ok(()));
        assert_eq!(budget.take(1, Urgency::Cancel, at(64)), Err(at(120)));
        budget.answered(50, None, at(65));
        budget.answered(30, None, at(65));
        budget.answered(20, None, at(65));
        assert_eq!(budget.take(1, Urgency::Cancel, at(119)), Err(at(120)));
        assert_eq!(budget.take(80, Urgency::Other, at(120)), Ok(()));
    }

    #[test]
    fn what_the_venue_has_counted_is_right() {
        let mut budget = WeightBudget::per_minute(100, 0);
        budget.take(10, Urgency::Other, at(0)).unwrap();
        budget.take(5, Urgency::Other, at(0)).unwrap();
        // Somebody else behind the same address has used 70.
        budget.answered(10, Some(80), at(1));
        assert_eq!(budget.left(at(1)), 15);
        assert_eq!(budget.take(16, Urgency::Other, at(1)), Err(at(60)));
        // What is on its way into the next minute is counted there.
        assert_eq!(budget.left(at(60)), 95);
        budget.answered(5, Some(5), at(60));
        assert_eq!(budget.left(at(60)), 95);
    }

    #[test]
    fn after_a_no_nothing_is_sent_before_its_time() {
        let mut budget = WeightBudget::per_minute(100, 10);
        budget.refused(false, Some(Span::seconds(7)), at(30));
        assert_eq!(budget.take(1, Urgency::Cancel, at(31)), Err(at(37)));
        // A shorter one does not open the door earlier.
        budget.refused(false, Some(Span::seconds(1)), at(31));
        assert_eq!(budget.take(1, Urgency::Other, at(36)), Err(at(37)));
        assert_eq!(budget.take(1, Urgency::Other, at(37)), Ok(()));
        budget.refused(false, None, at(40));
        assert_eq!(budget.take(1, Urgency::Other, at(41)), Err(at(60)));
        budget.refused(true, None, at(60));
        assert_eq!(budget.take(1, Urgency::Cancel, at(100)), Err(at(180)));
        assert_eq!(budget.left(at(100)), 0);
    }

    #[test]
    fn what_is_heavier_than_a_minute_is_sent_alone() {
        let mut budget = WeightBudget::per_minute(10, 0);
        assert_eq!(budget.take(20, Urgency::Other, at(0)), Ok(()));
        assert_eq!(budget.take(1, Urgency::Other, at(1)), Err(at(60)));
    }
}
