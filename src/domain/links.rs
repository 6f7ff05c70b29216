//! How a live market is connected, for those who watch. None of it is part of the market: what a run must know of silence comes
//! as an event ([`MarketEvent::Health`](super::MarketEvent::Health)).

use super::{LinkState, Span, Stamp};
use serde::{Deserialize, Serialize};

/// How a live feed is connected, for those who watch: nothing of it is part of the market or of any decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveLinks {
    /// One by one, the ways to the venue.
    pub streams: Vec<StreamHealth>,
    /// Silences and broken connections that are over or go on, the newest last.
    pub outages: Vec<Outage>,
    /// Bars that did not come in time, so that their instruments were not traded on.
    pub late_bars: u64,
    /// Messages that could not be read.
    pub undecoded: u64,
    /// What the operator has to know now, if anything.
    pub trouble: Option<String>,
}

/// One way to a venue, or one instrument that is heard of by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamHealth {
    /// What it is, such as `market` or `BTCUSDT`.
    pub name: String,
    /// Whether it says what it should.
    pub state: LinkState,
    /// Since it last said anything; none if it never did.
    pub age: Option<Span>,
}

/// A time in which a stream said nothing, or was not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// The stream it was of.
    pub name: String,
    /// When it was last heard of.
    pub from: Stamp,
    /// When it was heard of again; none while it is not.
    pub to: Option<Stamp>,
}

impl LiveLinks {
    /// The oldest news among the streams that should have some, and whose it is.
    pub fn oldest(&self) -> Option<(&str, Span)> {
        let aged = self.streams.iter().filter_map(|s| s.age.map(|age| (s.name.as_str(), age)));
        aged.max_by_key(|(_, age)| *age)
    }

    /// How many streams are not as they should be.
    pub fn troubled(&self) -> usize {
        self.streams.iter().filter(|s| s.state != LinkState::Up).count()
    }
}
