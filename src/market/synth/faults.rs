//! What goes wrong in the embedded market when it is asked for: outages of a venue and of those who keep
//! pools at its prices, bad ticks, a lost peg, flash crashes. Each is a function of (seed, kind, whom, hour or day), so nothing is kept but the counts.
//!
//! Alpha's perps are what the bars are made of, so the currency that loses its peg is the one that beta
//! quotes in (all of beta's quotes shift against alpha's), and crashes are on beta. Bars and settlement
//! prices come from the path and have no faults.

use super::intrabar::{DrawPurpose, key};
use crate::domain::{Span, Stamp, random};
use serde::{Deserialize, Serialize};

/// How often each fault has begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultCounts {
    /// A venue fell silent.
    pub outages: u64,
    /// A quote that cannot be: ten times too high or low, or crossed.
    pub bad_ticks: u64,
    /// Beta's currency lost its peg.
    pub depegs: u64,
    /// Those who keep pools at the price of the exchanges stayed away.
    pub absences: u64,
    /// A price of beta fell by many per cent and came back within minutes.
    pub flash_crashes: u64,
}

/// Venues that fall silent.
pub(super) const ALPHA: usize = 0;
pub(super) const BETA: usize = 1;

/// Chances: an outage of a venue per hour, likewise of what arbitrage with pools runs on, a bad tick of an
/// asset per hour, a lost peg per day, a crash of an asset per hour.
const OUTAGE: f64 = 1.0 / 250.0;
const BAD_TICK: f64 = 1.0 / 100.0;
const DEPEG: f64 = 1.0 / 40.0;
const CRASH: f64 = 1.0 / 600.0;

/// What is wrong with a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Bad {
    High,
    Low,
    Crossed,
}

/// What goes wrong now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FaultSchedule {
    /// Venues that say nothing.
    pub silent: [bool; 2],
    /// Factor on all of beta's prices, less one.
    pub depeg: f64,
    /// Nobody keeps the pools at the price of the exchanges: what they run on is down.
    pub absent: bool,
}

/// What goes wrong with an asset now.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct ScheduledFault {
    /// How far beta's prices have crashed, as a fraction.
    pub crash: f64,
    /// Which of the asset's four quotes is bad, and how; counted by who sends it.
    pub bad: Option<(u64, Bad)>,
}

/// The faults of a run.
#[derive(Serialize, Deserialize)]
pub(super) struct Faults {
    on: bool,
    seed: u64,
    step: Span,
    pub counts: FaultCounts,
}

impl Faults {
    pub fn new(on: bool, seed: u64, step: Span) -> Faults {
        Faults { on, seed, step, counts: FaultCounts::default() }
    }

    /// Whether a fault of this start and length holds at `at`, and whether this is its first step.
    fn holds(&self, at: Stamp, start: Stamp, length: Span) -> (bool, bool) {
        let since = at.since(start).0;
        let on = (0..length.0).contains(&since);
        (on, on && since < self.step.0)
    }

    /// Whether one holds at `at`, and how many have their first step there.
    fn outage(&self, why: DrawPurpose, whom: u64, at: Stamp) -> (bool, u64) {
        let (mut holds, mut began) = (false, 0);
        for back in 0..2 {
            let hour = Stamp(at.floor(Span::HOUR).0 - back * Span::HOUR.0);
            let k = key(self.seed, why, whom, hour);
            if random::uniform(k) < OUTAGE {
                let (on, first) = self.holds(at, within(hour, Span::HOUR, k), stretch(300, 3_600, k));
                holds |= on;
                began += u64::from(first);
            }
        }
        (holds, began)
    }

    /// What goes wrong with the venues.
    pub fn weather(&mut self, at: Stamp) -> FaultSchedule {
        let mut weather = FaultSchedule::default();
        if !self.on {
            return weather;
        }
        for venue in [ALPHA, BETA] {
            let (on, first) = self.outage(DrawPurpose::Outage, venue as u64, at);
            weather.silent[venue] = on;
            self.counts.outages += first;
        }
        let (on, first) = self.outage(DrawPurpose::Absent, 0, at);
        weather.absent = on;
        self.counts.absences += first;
        for back in 0..2 {
            let day = Stamp(at.floor(Span::DAY).0 - back * Span::DAY.0);
            let k = key(self.seed, DrawPurpose::Depeg, 0, day);
            if random::uniform(k) >= DEPEG {
                continue;
            }
            let (start, length) = (within(day, Span::DAY, k), stretch(3 * 3_600, 20 * 3_600, k));
            let (on, first) = self.holds(at, start, length);
            if on {
                // Lost within a tenth of its length, won back over the rest.
                let x = at.since(start).in_units_of(length);
                let depth = 0.004 + 0.036 * random::uniform(random::mix(k, 23));
                let sign = if random::uniform(random::mix(k, 24)) < 0.8 { 1.0 } else { -0.5 };
                weather.depeg += sign * depth * (x / 0.1).min((1.0 - x) / 0.9);
                self.counts.depegs += u64::from(first);
            }
        }
        weather
    }

    /// What goes wrong with an asset.
    pub fn trouble(&mut self, name: u64, at: Stamp) -> ScheduledFault {
        let mut trouble = ScheduledFault::default();
        if !self.on {
            return trouble;
        }
        for back in 0..2 {
            let hour = Stamp(at.floor(Span::HOUR).0 - back * Span::HOUR.0);
            let k = key(self.seed, DrawPurpose::Crash, name, hour);
            if random::uniform(k) < CRASH {
                let (on, first) = self.holds(at, within(hour, Span::HOUR, k), stretch(1_200, 2_400, k));
                if on {
                    let since = at.since(within(hour, Span::HOUR, k)).in_units_of(Span::seconds(300));
                    let depth = 0.05 + 0.15 * random::uniform(random::mix(k, 23));
                    trouble.crash = trouble.crash.max(depth * libm::exp(-since));
                    self.counts.flash_crashes += u64::from(first);
                }
            }
        }
        let hour = Stamp(at.0 - 1).floor(Span::HOUR);
        let k = key(self.seed, DrawPurpose::BadTick, name, hour);
        if random::uniform(k) < BAD_TICK {
            let start = within(hour, Span::HOUR, k);
            // The one step that ends at or next after the moment.
            if (0..self.step.0).contains(&at.since(start).0) {
                let bad = [Bad::High, Bad::Low, Bad::Crossed][random::below(random::mix(k, 23), 3) as usize];
                trouble.bad = Some((random::below(random::mix(k, 24), 4), bad));
            }
        }
        trouble
    }
}

/// A moment of a period.
fn within(start: Stamp, period: Span, key: u64) -> Stamp {
    start.after(Span((random::uniform(random::mix(key, 21)) * period.0 as f64) as i64))
}

/// A length in seconds.
fn stretch(from: i64, to: i64, key: u64) -> Span {
    let u = random::uniform(random::mix(key, 22));
    Span::seconds(from + ((to - from) as f64 * u) as i64)
}
