//! What makes the engine step. Time is the stamp of the last event (law 1).

use super::{AgentId, InstrumentId, Stamp};
use serde::{Deserialize, Serialize};

/// One bar of the decision clock.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
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
        /// Which instrument.
        instrument: InstrumentId,
        /// Close of the bar.
        at: Stamp,
        /// The bar.
        bar: Bar,
    },
    /// A funding settlement of a perp. Settlements inside a bar are sent after that bar, since a
    /// position at level B does not change between the bar's open and its close.
    Funding {
        /// Which perp.
        instrument: InstrumentId,
        /// The venue's settlement stamp.
        at: Stamp,
        /// Fraction of notional that longs pay to shorts at this settlement.
        rate: f64,
        /// Mark price at the settlement.
        mark: f64,
    },
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
}

/// What the operator can ask for. Each is idempotent: asked again, or of an agent that is not there or
/// has no such life, it changes nothing.
///
/// Variants are only ever appended: their order is how journals, snapshots and clients read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// The agent is not heard; it still hears.
    Mute(AgentId),
    /// The agent is heard again.
    Unmute(AgentId),
    /// Releases the latched drawdown breaker.
    ResetBreaker,
    /// Real takes no new risk for the agent; it speaks on, alone and in sim it goes on.
    Pause(AgentId),
    /// Ends the agent's pause and drain.
    Resume(AgentId),
    /// The agent's real position may only shrink, and runs off at the desk's pace.
    Drain(AgentId),
    /// The agent hears nothing (λ = 0); it is still heard.
    Deafen(AgentId),
    /// The agent hears again.
    Undeafen(AgentId),
    /// The agent gets funds; also one that is broke.
    Fund(AgentId),
    /// The agent's funds go back to the treasury; in sim it goes on.
    Unfund(AgentId),
    /// Pauses every agent.
    PauseAll,
    /// Ends every pause and drain, and the flatness of the whole.
    ResumeAll,
    /// Drains every agent.
    DrainAll,
    /// Everything in real is closed and stays closed until it is resumed.
    Flatten,
    /// The kill switch: opening orders are cancelled, no new risk, reductions pass; latched.
    Kill,
    /// Releases the kill switch and the latched drawdown breaker.
    Reset,
}

impl Event {
    /// The stamp that time moves to.
    pub fn at(&self) -> Stamp {
        match *self {
            Event::Market(MarketEvent::Bar { at, .. } | MarketEvent::Funding { at, .. })
            | Event::Barrier(at)
            | Event::Command(at, _) => at,
        }
    }
}
