//! Plain types that every room speaks in. This room depends on no other.
//!
//! # Glossary, one word each, in code too
//!
//! | word | meaning |
//! |---|---|
//! | **asset** | what an agent has a view on (`BTC`); agents aim at assets and never name an instrument |
//! | **instrument** | what is listed and can be traded (`BTCUSDT` perp); the desk expresses an aim in one |
//! | **alone / open / real** | the three lives of an agent: deaf twin, open ears, its share of what the desk holds |
//! | **family** | the strategy of an agent |
//! | **voice** | an agent's weight in the consensus |
//! | **scout** | a voice without funds, which has only the alone life |
//! | **sociability, λ** | the trait, and its effect now: how far an agent moves toward the consensus |
//! | **consensus C** | the weighted mean intent of all voices on an asset |
//! | **stance** | what listening made of an agent's own intent |
//! | **desk** | where the stances become one net position |
//! | **gate** | what lets an order out: no order leaves without its approval |
//! | **breaker** | closes everything once equity has fallen too far from its peak, until the operator resets it |
//! | **points** | what the record of a family or an agent counts for, 1 without a record |
//! | **goal** | what an agent is deployed for and the whole is measured by: LR, BM, F or A |
//! | **tape** | a file of market events in the order of their time |
//! | **journal** | the commands and checkpoints of a run, chained, from which it is recovered |
//! | **ledger** | the exact books: cash and positions of every agent |
//! | **atom** | the smallest part of a quantity that attribution counts, a millionth of a lot where that fits |
//! | **reaction** | a rule of an agent's character: what it hears of others, and what that does to its own intent |
//! | **unit** | the notional whose one-bar risk is 1 % of capital: `0.01 / σ` per unit of capital |
//! | **drawdown** | the fall of equity from its highest point so far, as a fraction of that point |
//!
//! # Invariants
//!
//! 1. Nothing here reads a clock, a file or a random source; [`random`] is a function of its key.
//! 2. What is owned or owed is [`Decimal`]; what is estimated is `f64` (law 6).
//! 3. Time is a [`Stamp`]: UTC nanoseconds, given by events, never asked of the machine.

pub mod announced;
pub mod command;
pub mod condition;
pub mod digest;
pub mod event;
pub mod evidence;
pub mod family;
pub mod ids;
pub mod indicator;
pub mod instrument;
pub mod links;
pub mod message;
pub mod money;
pub mod order;
pub mod printable;
pub mod random;
pub mod reaction;
mod spoken;
pub mod step;
pub mod time;
pub mod venue;

pub use announced::{Announced, Holds};
pub use command::{COMMANDS, Command, CommandRow, Danger, Scope};
pub use condition::{
    Comparison, Condition, EvalContext, Hedge, HedgeKind, MakerLeg, OfferTerms, Plan, ReEntry, StructureLeg,
    Term,
};
pub use digest::Digest;
pub use event::{Bar, Event, MarketEvent};
pub use family::{FamilyId, Goal, SideRule};
pub use ids::{AgentId, AssetId, InstrumentId, IntentId, ManagerId, MessageId, OrderId, VenueId};
pub use indicator::Indicator;
pub use instrument::{ContractTerms, Instrument, InstrumentKind, Universe};
pub use links::{LiveLinks, Outage, StreamHealth};
pub use message::{
    Action, Adjustment, CarryQuote, Cause, EmergenceReading, Factor, GoalReading, Knob, Message,
    MessageCounts, MessageKind, Outcome, PendingEntry, Reason, Receipt, Service, Speaker, SpokenBy, Stance,
    StanceVerb, Swayed, TopicKind, Verb, Wait, WorkQuote,
};
pub use money::{Decimal, Money};
pub use order::{AssetFee, Fill, OrderKind, OrderStatus, TimeInForce};
pub use printable::{is_unprintable, printable};
pub use reaction::{AnnouncedLevel, HeardOn, HeardSide, Hearing, Hears, Reaction, ReactionEffect, Whom};
pub use step::PriceStep;
pub use time::{Span, Stamp};
pub use venue::{LinkState, VenueEvent};
