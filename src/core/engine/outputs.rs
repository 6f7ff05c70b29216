//! What a step gives out.

use crate::domain::{AgentId, Decimal, Fill, Message, MessageKind};
use crate::execution::VenueRequest;

/// What a step gave out. Reused from step to step.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Whether the event counted.
    pub accepted: bool,
    /// What was said, in the order of delivery.
    pub messages: Vec<Message>,
    /// Fills of the desk's orders.
    pub fills: Vec<Fill>,
    /// What the venues of the account are asked for, in this order; nothing while it trades on paper.
    pub requests: Vec<VenueRequest>,
    /// What the operator must know: halts, the breaker, delistings.
    pub alarms: Vec<String>,
    pub(super) scratch: Scratch,
}

/// One thing said, by a voice, before it is delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Utterance {
    /// Agent and asset, as [`Population::voice`](crate::agents::Population::voice) numbers them.
    pub voice: usize,
    /// An action, an outcome, or what a carry agent quotes.
    pub body: MessageKind,
}

/// Room for an attribution, kept from bar to bar.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    /// By agent: atoms that it gains or gives up.
    pub changes: Vec<(AgentId, i64)>,
    /// The same in base units.
    pub deltas: Vec<(AgentId, Decimal)>,
}
