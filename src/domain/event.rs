//! What makes the engine step. Time is the stamp of the last event (law 1).

use super::{AssetId, Command, InstrumentId, LinkState, Stamp, VenueEvent};
use serde::{Deserialize, Serialize};

/// One bar of the decision clock.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// First price of the bar.
    pub open: f64,
    /// Highest price of the bar.
    pub high: f64,
    /// Lowest price of the bar.
    pub low: f64,
    /// Last price of the bar.
    pub close: f64,
    /// Base units traded; infinite where the feed has no volume (then no participation limit and no
    /// impact apply, and the report says so); 0 when nothing traded (then nothing fills).
    pub volume: f64,
}

impl Bar {
    /// Whether the bar can be believed: positive finite prices with open and close inside
    /// [low, high], and a volume that is not negative or NaN.
    pub fn is_valid(&self) -> bool {
        let prices = [self.open, self.high, self.low, self.close];
        prices.iter().all(|p| p.is_finite() && *p > 0.0)
            && self.low <= self.open.min(self.close)
            && self.high >= self.open.max(self.close)
            && self.volume >= 0.0
    }
}

/// What the world says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum MarketEvent {
    /// A bar closed; the stamp is its close.
    Bar {
        /// Instrument that was traded.
        instrument: InstrumentId,
        /// Close of the bar.
        at: Stamp,
        /// The four prices, and what was traded.
        bar: Bar,
    },
    /// A funding settlement of a perp. Settlements inside a bar are sent after that bar, since a
    /// position at level B does not change between the bar's open and its close.
    Funding {
        /// Perp that is settled.
        instrument: InstrumentId,
        /// The venue's settlement stamp.
        at: Stamp,
        /// Fraction of notional that longs pay to shorts at this settlement.
        rate: f64,
        /// Mark price at the settlement.
        mark: f64,
    },
    /// The best bid and offer.
    Quote {
        /// Instrument that is quoted.
        instrument: InstrumentId,
        /// When it was quoted.
        at: Stamp,
        /// Best bid; of a pool: its price.
        bid: f64,
        /// Best offer, in the quote currency per base unit.
        ask: f64,
        /// Base units (contracts) at the bid.
        bid_size: f64,
        /// Base units at the offer.
        ask_size: f64,
    },
    /// Somebody took what another had offered.
    Trade {
        /// Instrument that was traded.
        instrument: InstrumentId,
        /// When it was traded.
        at: Stamp,
        /// At this price.
        price: f64,
        /// Base units (contracts) that changed hands.
        size: f64,
        /// Whether the taker bought.
        buys: bool,
    },
    /// One price of a book has this size now. An update is one or several of these.
    Level {
        /// Instrument whose book it is.
        instrument: InstrumentId,
        /// When it changed.
        at: Stamp,
        /// A bid; else an offer.
        bid: bool,
        /// The price of the level.
        price: f64,
        /// Base units there now; 0: none.
        size: f64,
        /// The book starts anew with this one: a snapshot.
        first: bool,
        /// The update is whole: the book may be read.
        last: bool,
    },
    /// What margin and funding are computed with.
    Mark {
        /// Instrument that is marked.
        instrument: InstrumentId,
        /// When it was marked.
        at: Stamp,
        /// The venue's mark.
        mark: f64,
        /// The index behind it.
        index: f64,
    },
    /// What an option is quoted at in volatility.
    Implied {
        /// Option that is quoted.
        instrument: InstrumentId,
        /// When it was quoted.
        at: Stamp,
        /// Implied volatility at the mark, per year, as a fraction.
        sigma: f64,
        /// The forward it is computed with.
        forward: f64,
    },
    /// An index of implied volatility (DVOL).
    VolIndex {
        /// Of which asset.
        asset: AssetId,
        /// When it was published.
        at: Stamp,
        /// A year, as a fraction.
        sigma: f64,
    },
    /// The state of a pool.
    Pool {
        /// Pool that has changed.
        instrument: InstrumentId,
        /// When it changed.
        at: Stamp,
        /// Quote per base.
        price: f64,
        /// Liquidity that is active at the price, √(base · quote).
        liquidity: f64,
        /// Quote currency swapped through it since the last state.
        swapped: f64,
        /// What a swap costs in gas, in quote currency.
        gas: f64,
    },
    /// A contract has ended.
    Settled {
        /// Contract that has ended.
        instrument: InstrumentId,
        /// When it was settled.
        at: Stamp,
        /// The price of the underlying that it settles at; of a MOVE contract what it pays.
        price: f64,
    },
    /// A bar of the fast clock inside a decision bar: what orders that are worked meet. It is told at its
    /// close, before the decision bar that contains it.
    Inside {
        /// Instrument that was traded.
        instrument: InstrumentId,
        /// Close of the bar.
        at: Stamp,
        /// The four prices, and what was traded.
        bar: Bar,
    },
    /// Whether what is known of an instrument is what its market is now. One that is not up is quoted by nobody, whatever was
    /// quoted of it before: nobody trades on it until it is up again.
    Health {
        /// Instrument that is heard of, or is not.
        instrument: InstrumentId,
        /// When that changed.
        at: Stamp,
        /// How its streams are.
        state: LinkState,
    },
}

/// The stamp of an event, whichever it is.
macro_rules! stamp_of {
    ($event:expr) => {{
        use MarketEvent::*;
        match $event {
            Bar { at, .. }
            | Funding { at, .. }
            | Quote { at, .. }
            | Trade { at, .. }
            | Level { at, .. }
            | Mark { at, .. }
            | Implied { at, .. }
            | VolIndex { at, .. }
            | Pool { at, .. }
            | Settled { at, .. }
            | Inside { at, .. }
            | Health { at, .. } => at,
        }
    }};
}

impl MarketEvent {
    /// When it was.
    pub fn at(&self) -> Stamp {
        stamp_of!(*self)
    }

    /// The same told at another stamp.
    #[must_use]
    pub fn told_at(mut self, to: Stamp) -> Self {
        *stamp_of!(&mut self) = to;
        self
    }

    /// The same of another instrument; an index of an asset stays what it is.
    #[must_use]
    pub fn told_of(mut self, of: InstrumentId) -> Self {
        use MarketEvent::*;
        match &mut self {
            Bar { instrument, .. }
            | Funding { instrument, .. }
            | Quote { instrument, .. }
            | Trade { instrument, .. }
            | Level { instrument, .. }
            | Mark { instrument, .. }
            | Implied { instrument, .. }
            | Pool { instrument, .. }
            | Settled { instrument, .. }
            | Inside { instrument, .. }
            | Health { instrument, .. } => *instrument = of,
            VolIndex { .. } => {}
        }
        self
    }

    /// The instrument it is about; none for an index of an asset.
    pub fn instrument(&self) -> Option<InstrumentId> {
        use MarketEvent::*;
        match *self {
            Bar { instrument, .. }
            | Funding { instrument, .. }
            | Quote { instrument, .. }
            | Trade { instrument, .. }
            | Level { instrument, .. }
            | Mark { instrument, .. }
            | Implied { instrument, .. }
            | Pool { instrument, .. }
            | Settled { instrument, .. }
            | Inside { instrument, .. }
            | Health { instrument, .. } => Some(instrument),
            VolIndex { .. } => None,
        }
    }
}

/// Everything that can change the state of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// From the market.
    Market(MarketEvent),
    /// All closes of this stamp that will come have come: intents are said, heard and acted on (law 4).
    Barrier(Stamp),
    /// From the operator.
    Command(Stamp, Command),
    /// From the venue, about the account's own orders and positions.
    Venue(VenueEvent),
    /// Time has passed, whether or not anybody said anything: a live feed tells it, so that what depends on age alone is seen
    /// without a clock in the step.
    Tick(Stamp),
}

impl Event {
    /// The stamp that time moves to.
    pub fn at(&self) -> Stamp {
        match *self {
            Event::Market(ref market) => market.at(),
            Event::Barrier(at) | Event::Command(at, _) | Event::Tick(at) => at,
            Event::Venue(ref venue) => venue.at(),
        }
    }
}
