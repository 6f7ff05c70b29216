//! What a step gives out.

use crate::agents::at_bars::AtBars;
use crate::agents::life::Life;
use crate::agents::structures::in_legs::StructureLife;
use crate::domain::{AgentId, Announced, Decimal, Fill, Message, MessageKind, Stamp, Swayed};
use crate::execution::VenueRequest;
use crate::fills::books::SimulatedBook;
use crate::fills::fine::FinerPrice;
use std::ops::Range;

/// What a step gave out. Reused from step to step.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Whether the event counted.
    pub accepted: bool,
    /// What was said, in the order of delivery.
    pub messages: Vec<Message>,
    /// Fills of the desk's orders.
    pub fills: Vec<Fill>,
    /// Fills as they were booked, where somebody asks for them by putting a list here.
    pub booked: Option<Vec<AttributedFill>>,
    /// What the venues of the account are asked for, in this order; nothing while it trades on paper.
    pub requests: Vec<VenueRequest>,
    /// What the operator must know: halts, the breaker, delistings.
    pub alarms: Vec<String>,
    pub(super) scratch: Scratch,
}

/// A fill as it was booked: in the account's currency, and whose it was.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributedFill {
    /// Its price, mark and fee in the account's currency.
    pub fill: Fill,
    /// What each agent had of it, in base units; they sum to its quantity.
    pub shares: Vec<(AgentId, Decimal)>,
}

impl Outputs {
    /// Keeps a fill that was booked to one agent.
    pub(super) fn keep(&mut self, fill: &Fill, agent: AgentId) {
        if let Some(booked) = &mut self.booked {
            booked.push(AttributedFill { fill: *fill, shares: vec![(agent, fill.quantity)] });
        }
    }

    /// Keeps a fill of the desk, which was told apart.
    pub(super) fn keep_told_apart(&mut self, fill: &Fill) {
        if let Some(booked) = &mut self.booked {
            booked.push(AttributedFill { fill: *fill, shares: self.scratch.deltas.clone() });
        }
    }
}

/// One thing said, by a voice, before it is delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Utterance {
    /// Agent and asset, as [`Population::voice`](crate::agents::Population::voice) numbers them.
    pub voice: usize,
    /// An action, an outcome, or what a carry agent quotes.
    pub body: MessageKind,
}

/// A life that speaks as it was before it looked at a close, with what it saw: its open twin decides from here where
/// something acts on it.
#[derive(Clone, Debug)]
pub struct BeforeLook {
    /// Agent and asset, by slot.
    pub slot: u32,
    /// Whether the asset has stopped trading by this close.
    pub is_gone: bool,
    /// The life, before the look.
    pub life: Life,
    /// Its raw book, before the look.
    pub raw: SimulatedBook,
    /// What it had announced until then.
    pub announced: Announced,
    /// Key of its coins.
    pub coins: u64,
    /// Its indicators, in [`StepOutput::seen`].
    pub values: Range<usize>,
}

impl BeforeLook {
    /// A life on a slot before this look, its book and what it has announced; its indicators are added to those that are seen.
    pub(super) fn new(
        slot: usize,
        is_gone: bool,
        now: &AtBars<'_>,
        (life, raw, announced): (&Life, &SimulatedBook, &Announced),
        seen: &mut Vec<f64>,
    ) -> Self {
        let first = seen.len();
        seen.extend_from_slice(now.values);
        BeforeLook {
            slot: slot as u32,
            is_gone,
            life: life.clone(),
            raw: *raw,
            announced: *announced,
            coins: now.coins,
            values: first..seen.len(),
        }
    }
}

/// A life in legs that speaks as it was before it looked: its open twin decides from here where something acts on it.
#[derive(Clone, Debug)]
pub struct BeforeLegs {
    /// Agent and asset, by structure.
    pub structure: u32,
    /// The stamp that is over.
    pub now: Stamp,
    /// The life and its book, before the look.
    pub life: StructureLife,
}

/// What was said in a step.
#[derive(Clone, Debug, Default)]
pub struct StepOutput {
    /// Whether the event counted; a repeated or impossible one does not, and changes nothing.
    pub accepted: bool,
    /// Stamp of the newest event so far. Kept from step to step.
    pub now: Stamp,
    /// In the order of agents and their assets.
    pub utterances: Vec<Utterance>,
    /// At a barrier, by agent: net PnL of the raw intents over their ex-ante volatility; NaN for the
    /// inactive.
    pub results: Vec<f64>,
    /// What structured agents said, in their order.
    pub structured: Vec<Utterance>,
    /// Structures that judged in this step, ascending.
    pub judged: Vec<u32>,
    /// Of those that live by reactions their lives before they judged, in the same order.
    pub before_legs: Vec<BeforeLegs>,
    /// At a barrier: the lives of declared agents that live by reactions, before they looked; ascending by slot.
    pub before: Vec<BeforeLook>,
    /// The indicators that those saw.
    pub seen: Vec<f64>,
    /// Whether the step has begun ([`Speak::begin`](super::speak::Speak::begin)), so that what was said since belongs to it.
    pub begun: bool,
    /// What the event said of a price between two closes, where a run asks for that.
    pub finer: Option<FinerPrice>,
    /// At a barrier: what others hear of a slot in place of what it said. Only the lab's negative
    /// controls fill this; who spoke knows its own intent all the same.
    pub misheard: Vec<(usize, f64)>,
    /// At a barrier: what reactions hear in place of all that was said, open lives included; none where they hear the truth.
    /// Only the lab's negative controls fill this.
    pub reheard: Option<Vec<Utterance>>,
}

/// Room for an attribution, kept from bar to bar.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    /// By agent: atoms that it gains or gives up.
    pub changes: Vec<(AgentId, i64)>,
    /// The same in base units.
    pub deltas: Vec<(AgentId, Decimal)>,
    /// By structure whose open life is apart, ascending: what it said at the stamp that is over, before it is delivered.
    pub in_legs: Vec<(u32, SwayedWords)>,
}

/// What an open life said at a look, each word with what swayed it.
pub(super) type SwayedWords = Vec<(MessageKind, Vec<Swayed>)>;
