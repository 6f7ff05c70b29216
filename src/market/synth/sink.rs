//! Where the events of one moment go, and how a quote is made from a mid.
//!
//! # Invariants
//!
//! 1. Bids are rounded down to the tick and offers up; a bid is at least one tick and below its offer.
//! 2. Only [`bad_tick`] sends what cannot be, and only where faults ask for it.

use super::faults::Bad;
use super::intrabar::{DrawPurpose, key, on_tick};
use super::spec::Spec;
use crate::domain::{Event, InstrumentId, MarketEvent, Stamp, random};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Ticks of a price.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Ticks {
    /// Ticks in a unit of price, and lots in a base unit.
    pub steps: f64,
    pub lots: f64,
}

impl Ticks {
    pub fn of(spec: &Spec) -> Ticks {
        Ticks { steps: libm::pow(10.0, f64::from(spec.digits)), lots: libm::pow(10.0, -f64::from(spec.lot)) }
    }

    /// Size of one tick, in units of price.
    pub fn one(&self) -> f64 {
        1.0 / self.steps
    }

    /// A size in whole lots, at least one.
    pub fn sized(&self, size: f64) -> f64 {
        libm::rint(size * self.lots).max(1.0) / self.lots
    }
}

/// Where events of one moment go.
pub(super) struct Sink<'a> {
    pub queue: &'a mut VecDeque<Event>,
    pub seed: u64,
    pub at: Stamp,
    /// The venue that speaks has an outage.
    pub silent: bool,
}

impl Sink<'_> {
    pub fn push(&mut self, event: MarketEvent) {
        if !self.silent {
            self.queue.push_back(Event::Market(event));
        }
    }

    /// A settlement comes in an outage too: it is the index's, not the venue's.
    pub fn settled(&mut self, instrument: InstrumentId, price: f64) {
        self.queue.push_back(Event::Market(MarketEvent::Settled { instrument, at: self.at, price }));
    }

    pub fn mark(&mut self, instrument: InstrumentId, mark: f64, index: f64) {
        self.push(MarketEvent::Mark { instrument, at: self.at, mark, index });
    }

    /// Around a mid, with sizes that vary and lean by `lean` in (−1, 1); gives the quote.
    pub fn quote(
        &mut self,
        instrument: InstrumentId,
        ticks: &Ticks,
        mid: f64,
        half: f64,
        size: f64,
        lean: f64,
    ) -> StandingQuote {
        let k = key(self.seed, DrawPurpose::Size, u64::from(instrument.0), self.at);
        let bid = (libm::floor((mid - half) * ticks.steps + 1e-6)).max(1.0) / ticks.steps;
        let ask = (libm::ceil((mid + half) * ticks.steps - 1e-6)).max(bid * ticks.steps + 1.0) / ticks.steps;
        let size = size * (0.35 + 1.3 * random::uniform(k));
        let quote = StandingQuote {
            bid,
            ask,
            sizes: (ticks.sized(size * (1.0 + lean)), ticks.sized(size * (1.0 - lean))),
        };
        self.send(instrument, quote);
        quote
    }

    /// The same for what may be worth nothing: without a bid there is no quote.
    pub fn quote_if(&mut self, instrument: InstrumentId, ticks: &Ticks, fair: f64, half: f64, size: f64) {
        if fair - half >= ticks.one() {
            self.quote(instrument, ticks, fair, half, size, 0.0);
        }
    }

    fn send(&mut self, instrument: InstrumentId, quote: StandingQuote) {
        let StandingQuote { bid, ask, sizes: (bid_size, ask_size) } = quote;
        self.push(MarketEvent::Quote { instrument, at: self.at, bid, ask, bid_size, ask_size });
    }
}

/// What stands in the market.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct StandingQuote {
    pub bid: f64,
    pub ask: f64,
    pub sizes: (f64, f64),
}

/// Sends a quote that cannot be; what really stands there is given back.
pub(super) fn bad_tick(
    sink: &mut Sink<'_>,
    id: InstrumentId,
    ticks: &Ticks,
    (mid, half, size): (f64, f64, f64),
    bad: Bad,
) -> StandingQuote {
    let off = match bad {
        Bad::High => 10.0,
        Bad::Low => 0.1,
        Bad::Crossed => 1.0,
    };
    let bid = on_tick((mid - half) * off, ticks.steps);
    let ask = on_tick((mid + half) * off, ticks.steps).max(bid + ticks.one());
    let size = ticks.sized(size);
    let (shown_bid, shown_ask) = if bad == Bad::Crossed { (ask, bid) } else { (bid, ask) };
    sink.send(id, StandingQuote { bid: shown_bid, ask: shown_ask, sizes: (size, size) });
    StandingQuote { bid: bid / off, ask: ask / off, sizes: (size, size) }
}
