//! What beta's perps say within a step: quotes as their mid moves, and prints as takers come. Makers live on
//! it, since between the steps of the rest a price moves by many times its spread.
//!
//! The mid goes from where the last step left it to where this one ends, as a Brownian bridge, a pulse at a
//! time. A print takes the quote that stands and, where it is larger, prices behind it; its side leans to where the mid is some seconds later (takers
//! who know something) and to the side of the print before it (orders that come in parts). A quote is told
//! after a print and when the mid has moved by a part of the spread, as a venue tells its best prices.
//!
//! # Invariants
//!
//! 1. The mid of the last pulse is the step's own.
//! 2. A print is at the best price that stood before it or behind it, and never of a venue that is silent.

use super::intrabar::{DrawPurpose, key, on_tick};
use super::sink::{Sink, StandingQuote, Ticks};
use crate::domain::{InstrumentId, MarketEvent, Span, Stamp, random};
use serde::{Deserialize, Serialize};

/// Shortest pulse, and pulses in a step at most.
const PULSE: Span = Span::seconds(1);
const COUNT_MAX: i64 = 60;
/// Seconds from one print to the next, on average, and how much more likely one is right after another.
const EACH: f64 = 6.0;
const CLUSTERS: f64 = 2.0;
/// Seconds that a taker who knows something sees ahead.
const AHEAD: f64 = 5.0;
/// How much the side of a print leans to where the mid goes, and to the side of the print before it. Of what
/// takers pay about half is then lost to them again within seconds; on Binance, where half the spread is half
/// a tick, they take as much as it to seven times it (`tests/embedded`).
const KNOWS: f64 = 0.5;
const FOLLOWS: f64 = 0.12;
/// Standard deviation of the logarithm of a print's size.
const SIZES: f64 = 1.0;
/// Behind the best price each further multiple of its size is this part of half the spread away, as far as
/// so many halves. On Binance the mean print pays 0.03 … 0.15 bp, the mean dollar 0.2 … 1.3 bp.
const BEHIND: f64 = 0.5;
const DEEPEST: f64 = 3.0;
/// Part of half the spread by which the mid moves before a new quote is told.
const MOVED: f64 = 0.3;

/// One perp of beta.
#[derive(Serialize, Deserialize)]
pub(super) struct SynthPerp {
    id: InstrumentId,
    seed: u64,
    span: Span,
    /// Of the pulses of this step.
    mids: Vec<f64>,
    sigma: f64,
    /// What stands, and around which mid.
    stands: StandingQuote,
    mid: f64,
    /// Side of the last print, and whether it was in the pulse before.
    buys: bool,
    printed: bool,
}

impl SynthPerp {
    /// For steps of this length.
    pub fn start(seed: u64, step: Span, id: InstrumentId) -> SynthPerp {
        let count = (step.0 / PULSE.0).clamp(1, COUNT_MAX);
        // A step divides an hour and so does each of these counts of it, but for steps of odd seconds.
        let count = (1..=count).rev().find(|n| step.0 % n == 0).unwrap_or(1);
        SynthPerp {
            id,
            seed,
            span: Span(step.0 / count),
            mids: vec![0.0; count as usize],
            sigma: 0.0,
            stands: StandingQuote::default(),
            mid: 0.0,
            buys: true,
            printed: false,
        }
    }

    /// Whether there is anything between the steps.
    pub fn is_on(&self) -> bool {
        self.mids.len() > 1
    }

    /// Lays the way from the last mid to `to`; `sigma` is the standard deviation of a step's return.
    pub fn walk(&mut self, start: Stamp, to: f64, sigma: f64) {
        let n = self.mids.len();
        let from = if self.mid > 0.0 { self.mid } else { to };
        self.sigma = sigma / libm::sqrt(n as f64);
        let (drift, mut bridge) = (libm::log(to / from), 0.0);
        for k in 1..=n {
            let left = (n - k) as f64;
            let z = random::normal(self.key(DrawPurpose::Pulse, start, k));
            bridge = bridge * left / (left + 1.0) + self.sigma * libm::sqrt(left / (left + 1.0)) * z;
            self.mids[k - 1] = from * libm::exp(drift * k as f64 / n as f64 + bridge);
        }
        self.mids[n - 1] = to;
    }

    /// Tells pulse `k` (from 1) of the step; the last is the step's own quote ([`Pulse::ends`]) and has its
    /// print only. `half` and `size` are those of the step's quote, `volume` base units of a usual second.
    pub fn tell(&mut self, k: usize, start: Stamp, ticks: &Ticks, of: (f64, f64, f64), sink: &mut Sink<'_>) {
        let (half, size, volume) = of;
        let printed = self.print(k, start, ticks, (half, volume), sink);
        let mid = self.mids[k - 1];
        if k < self.mids.len() && (printed || libm::fabs(mid - self.mid) > MOVED * half) {
            self.stands = sink.quote(self.id, ticks, mid, half, size, 0.0);
            self.mid = mid;
        }
    }

    fn print(
        &mut self,
        k: usize,
        start: Stamp,
        ticks: &Ticks,
        (half, volume): (f64, f64),
        sink: &mut Sink<'_>,
    ) -> bool {
        let seconds = self.span.in_units_of(Span::seconds(1));
        let often = if self.printed { CLUSTERS } else { (EACH - CLUSTERS) / (EACH - 1.0) };
        let word = self.key(DrawPurpose::Print, start, k);
        self.printed =
            self.stands.bid > 0.0 && random::uniform(random::mix(word, 1)) < often * seconds / EACH;
        if !self.printed {
            return false;
        }
        let ahead = (libm::rint(AHEAD / seconds) as usize).max(1);
        let then = self.mids[(k - 1 + ahead).min(self.mids.len() - 1)];
        let z = libm::log(then / self.mid) / (self.sigma * libm::sqrt(ahead as f64)).max(1e-9);
        let before = if self.buys { FOLLOWS } else { -FOLLOWS };
        self.buys = random::uniform(random::mix(word, 2)) < 0.5 + KNOWS * libm::tanh(z) + before;
        let (buys, sizes) = (self.buys, self.stands.sizes);
        let (best, there) = if buys { (self.stands.ask, sizes.1) } else { (self.stands.bid, sizes.0) };
        let log = SIZES * random::normal(random::mix(word, 3)) - 0.5 * SIZES * SIZES;
        let size = ticks.sized(volume * EACH * libm::exp(log));
        let (instrument, at) = (self.id, sink.at);
        sink.push(MarketEvent::Trade { instrument, at, price: best, size: size.min(there), buys });
        if size > there {
            let away = half * (BEHIND * (size / there - 1.0)).min(DEEPEST);
            let price = on_tick(best + if buys { away } else { -away }, ticks.steps);
            let size = ticks.sized(size - there);
            sink.push(MarketEvent::Trade { instrument, at, price, size, buys });
        }
        true
    }

    /// The step's own quote stands now.
    pub fn ends(&mut self, mid: f64, quote: StandingQuote) {
        self.mid = mid;
        self.stands = quote;
    }

    /// End of pulse `k` of a step.
    pub fn at(&self, start: Stamp, k: usize) -> Stamp {
        start.after(Span(self.span.0 * k as i64))
    }

    /// Pulses in a step.
    pub fn count(&self) -> usize {
        self.mids.len()
    }

    fn key(&self, why: DrawPurpose, start: Stamp, k: usize) -> u64 {
        key(self.seed, why, u64::from(self.id.0), self.at(start, k))
    }
}
