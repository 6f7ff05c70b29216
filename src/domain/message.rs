//! What agents, trackers and managers say (law 3: messages never command).
//!
//! The first four verbs are what the alone life does, [`Verb::Amend`] and [`Wait`] only what an open one does; [`Outcome`] tells how an intent ended;
//! [`Stance`] what listening made of it; [`GoalReading`] a tracker's number; [`Adjustment`] a
//! manager's turn of a knob. Sizes are signed fractions of the speaker's own capital.

use super::{AgentId, AssetId, Goal, IntentId, ManagerId, MessageId, Plan, Span, Stamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is done to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verb {
    /// From flat to a position.
    Open,
    /// More of it.
    Increase,
    /// Less of it, or as much as before with an opposite leg beside it.
    Decrease,
    /// From a position to flat.
    Close,
    /// As much of it as before, under other conditions: only an open life does that.
    Amend,
}

/// Why it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// The family's entry.
    Signal,
    /// The re-entry condition of the last close.
    ReEntry,
    /// The add condition.
    Add,
    /// A target was reached.
    Target,
    /// The hedge condition.
    Hedge,
    /// The stop was hit.
    Stop,
    /// The trailing stop.
    Trail,
    /// The exit condition.
    Exit,
    /// It took too long.
    Expired,
    /// The asset stopped trading.
    Delisted,
    /// A leg of the structure could not be had: the others are closed.
    Missed,
    /// A contract of the structure was settled: what is left is closed.
    Settled,
    /// The venue took over what the structure held on margin.
    Liquidated,
    /// What it heard of others, by a reaction of its own.
    Heard,
}

/// An agent's own action: what the alone life does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// What is done to the position.
    pub verb: Verb,
    /// Intent that it is part of.
    pub intent: IntentId,
    /// Condition or event that made it act.
    pub reason: Reason,
    /// Position before, as a signed fraction of the agent's capital.
    pub before: f64,
    /// Position afterwards, as a signed fraction of the agent's capital; as before where a hedge is an opposite leg.
    pub after: f64,
    /// What of it moves with the asset's price afterwards, by delta, as a signed fraction of the agent's capital: all of
    /// `after` where the asset itself is held, 0 for a neutral structure. This is what the pool hears.
    pub delta: f64,
    /// The close at which it was decided; it is acted on at the next open.
    pub price: f64,
    /// The conditions in force from now on; the re-entry is the one that counts after a close. Who speaks and who
    /// hears share them: what is announced is what is evaluated.
    pub plan: Arc<Plan>,
}

impl Action {
    /// Long (+1) or short (−1): the side of the position that is acted on.
    pub fn side(&self) -> f64 {
        libm::copysign(1.0, if self.before == 0.0 { self.after } else { self.before })
    }
}

/// An open life does not enter though its family would: a reaction of its own makes it wait.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// Until when it neither enters nor adds.
    pub until: Stamp,
    /// What it would hold now, as a signed fraction of its own capital.
    pub without: f64,
}

/// An order to open rests at a level. It is filled by the first bar that trades through it, by a basis point of the price at
/// least, at the level or at the open where that is better, and then the opening is said at that bar's close, with the
/// price; it is taken off at the first close at which the plan's exit holds, or when it has rested so many bars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingEntry {
    /// Intent that it opens.
    pub intent: IntentId,
    /// The position that it opens, as a signed fraction of the agent's capital.
    pub after: f64,
    /// Price of the limit order.
    pub limit: f64,
    /// Bars that it rests at most.
    pub within: u32,
    /// The conditions that are in force once it is filled.
    pub plan: Arc<Plan>,
}

/// Which of an agent's simulated lives speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SpokenBy {
    /// Both, since they do the same, or somebody who has no lives.
    #[default]
    Both,
    /// The life that hears nobody, where the open one does otherwise.
    Alone,
    /// The life that hears the others, where it does otherwise than the alone one.
    Open,
}

/// A message that swayed a deed, and how much of the deed is due to it. The parts of a deed add up to what it changed: of
/// the position, in fractions of own capital, or of the distance of a stop or of targets, as a fraction of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// What was heard.
    pub message: MessageId,
    /// Its part, signed.
    pub part: f64,
}

/// Why an open life did what it did, for this listener.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Swayed {
    /// Number of the reaction among those that the agent lives by.
    pub reaction: u8,
    /// What moved it, newest first.
    pub causes: Vec<Cause>,
}

/// How an intent ended, said once its last fill is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Intent that has ended.
    pub intent: IntentId,
    /// Why it was closed.
    pub reason: Reason,
    /// Net PnL in multiples of the risk taken at entry (distance to the stop times size).
    pub r: f64,
    /// Net PnL after fees, slippage, funding and borrow, as a fraction of the agent's capital.
    pub pnl: f64,
    /// Time from opening to closing, in bars or in minutes.
    pub held: u32,
    /// Whether that is in minutes, as it is of a structure.
    pub minutes: bool,
    /// Points that this intent won (+) or lost (−) its agent: what its record would lack without the results of this one.
    /// Who speaks knows the results, as the sum that a record keeps of them; on delivery they become points.
    pub points: f64,
}

/// What listening made of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StanceVerb {
    /// It holds what it would have held alone.
    Keeps,
    /// Takes a position though its own intent is flat.
    Opens,
    /// Same side, more than 1.1 times its own: confirmed.
    Increases,
    /// Same side, less: doubted.
    Decreases,
    /// Nearly nothing though it has an intent.
    StandsAside,
    /// The other side.
    Hedges,
}

/// One step from the own intent to the stance (law 5), in the order in which they are applied.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Factor {
    /// The own intent at the own weight.
    Own(f64),
    /// How far it listens, λ.
    Listens(f64),
    /// Its slice of the consensus.
    Consensus(f64),
    /// Its part of what is said of all assets, which is taken off that slice.
    Common(f64),
    /// Clipped to its side, to this.
    SideClip(f64),
    /// Refused to be turned round.
    NoFlip,
    /// Held to the most it follows, this.
    FollowLimit(f64),
}

/// What an agent makes of its own intent after listening. Sizes as fractions of the hive's capital.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stance {
    /// What listening did to the intent, in one word.
    pub verb: StanceVerb,
    /// The own intent at the agent's weight, w·p.
    pub own: f64,
    /// The result, x.
    pub result: f64,
    /// How it was derived, step by step in order; none after the last.
    pub factors: [Option<Factor>; 7],
    /// The last messages of the (up to three) other voices that weighed most on the side of the move.
    pub because: [Option<MessageId>; 3],
}

/// A tracker's reading of its goal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoalReading {
    /// Goal that was read.
    pub goal: Goal,
    /// 0 … 1: how far the goal is reached.
    pub score: f64,
    /// The number behind it, in the unit its tracker documents.
    pub value: f64,
    /// What the operator asked for, in the same unit.
    pub target: f64,
}

/// What the whole gains over its own agents, each about its own business, as measured so far: differences of
/// Sharpe ratios per year.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmergenceReading {
    /// Its Sharpe ratio less that of the same agents alone, each in its own account at the desk's pace.
    pub sharpe: f64,
    /// Lower end of the 95 % interval, which is for one look.
    pub low: f64,
    /// Upper end of that interval.
    pub high: f64,
    /// Days it was measured on.
    pub days: u32,
    /// Evidence that it is more, whenever it is looked at: 1 is none, 20 is enough.
    pub more: f64,
    /// Evidence that it is less, whenever it is looked at: 1 is none, 20 is enough.
    pub less: f64,
    /// Over the same agents netted in one account.
    pub over_net_eq: f64,
    /// Of the whole: what netting gives over the agents alone.
    pub netting: f64,
    /// Of the whole: what listening gives over netting.
    pub listening: f64,
    /// Of the whole: what services give over listening.
    pub services: f64,
}

/// What a carry agent says at a settlement: what being short the perp and long the spot of an asset is
/// expected to earn over the horizon, as a fraction of notional, before the costs of changing over.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CarryQuote {
    /// V; below zero where shorts pay.
    pub value: f64,
    /// The horizon, in days.
    pub days: f64,
    /// What it asks for: V over the costs of changing over there and back, from which on it carries.
    pub hurdle: f64,
    /// The most that it carries of the asset, as a fraction of the account's equity.
    pub most: f64,
}

/// What a maker says of how it would work an order of an asset, and for how much.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkQuote {
    /// Distance of the limit from the last price, in volatilities of a bar of the fast clock where that is fine; a quarter
    /// of it where it is coarse.
    pub distance: f64,
    /// Decisions of the desk for which what is left of an order rests; it crosses at the last of them.
    pub rests: u32,
    /// The fee it asks for, in basis points of what was filled at rest.
    pub fee_bps: f64,
}

/// What agents do for each other, beside saying what to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Service {
    /// In which instrument an asset is held.
    Carry,
    /// How orders are filled.
    Liquidity,
    /// Whose idle cash is used.
    Capital,
}

impl Service {
    /// All, in the order of tables.
    pub const ALL: [Service; 3] = [Service::Carry, Service::Liquidity, Service::Capital];

    /// Its name in files and exports.
    pub const fn text(self) -> &'static str {
        match self {
            Service::Carry => "carry",
            Service::Liquidity => "liquidity",
            Service::Capital => "capital",
        }
    }
}

/// What a service saved or earned since its last receipt, by the books.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Service that the receipt is for.
    pub service: Service,
    /// In currency; below zero where it cost.
    pub saved: f64,
    /// What it served, in currency: what is carried in spot, or what was filled.
    pub notional: f64,
}

/// A knob that a manager may turn: all of them belong to `respond`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Knob {
    /// Multiplies the risk target; 1 is as configured.
    RiskScale,
    /// Cap on gross exposure, in multiples of equity.
    GrossCap,
    /// Multiplies how far a position may be from its target before the desk trades; 1 is as configured.
    Width,
    /// Whether an agent is heard: 1 or 0.
    Voice,
    /// Multiplies the largest unit an agent's real life may hold.
    Unit,
    /// Multiplies an agent's exposure limit on an asset.
    Limit,
    /// Multiplies what the agents of a team hold.
    Size,
}

/// A manager's adjustment: always within bounds, always said.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adjustment {
    /// Knob that was turned.
    pub knob: Knob,
    /// Whose; none for a knob of the whole.
    pub agent: Option<AgentId>,
    /// Value before, in the knob's own unit.
    pub from: f64,
    /// Value after, in the same unit.
    pub to: f64,
    /// The reading that triggered or released it.
    pub because: f64,
}

/// Who can say something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Speaker {
    /// An agent speaks, or a scout.
    Agent(AgentId),
    /// The tracker of a goal.
    Tracker(Goal),
    /// The manager for a goal.
    Manager(Goal),
    /// The desk manager, which carries what nobody with funds may.
    Desk,
    /// The asset manager, which nets the limits of long and short agents.
    Netting,
    /// The emergence gauge.
    Gauge,
    /// The manager of a team.
    Team(ManagerId),
}

impl Speaker {
    /// Speakers that are no agents are numbered before those that are.
    const AGENTS_FROM: usize = 2 * Goal::ALL.len() + 3;

    /// The number of a speaker in tables by speaker.
    pub fn index(self) -> usize {
        let others = 2 * Goal::ALL.len();
        match self {
            Speaker::Tracker(goal) => goal.index(),
            Speaker::Manager(goal) => Goal::ALL.len() + goal.index(),
            Speaker::Desk => others,
            // Managers of teams share the number of the asset manager.
            Speaker::Netting | Speaker::Team(_) => others + 1,
            Speaker::Gauge => others + 2,
            Speaker::Agent(id) => Self::AGENTS_FROM + id.index(),
        }
    }

    /// All that can speak where so many agents do, in the order of their numbers.
    pub fn all(agents: usize) -> impl Iterator<Item = Speaker> {
        let goals = Goal::ALL.iter().copied();
        let others = goals.clone().map(Speaker::Tracker).chain(goals.map(Speaker::Manager));
        let agents = (0..agents as u32).map(|id| Speaker::Agent(AgentId(id)));
        others.chain([Speaker::Desk, Speaker::Netting, Speaker::Gauge]).chain(agents)
    }
}

impl ManagerId {
    /// As whom it speaks.
    pub fn speaker(self) -> Speaker {
        match (Goal::ALL.get(self.index()), self.team()) {
            (Some(goal), _) => Speaker::Manager(*goal),
            (None, Some(_)) => Speaker::Team(self),
            (None, None) => Speaker::Netting,
        }
    }
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
// An action carries its whole plan, and most of what is said is actions.
#[allow(clippy::large_enum_variant)]
pub enum MessageKind {
    /// Open, increase, decrease, close.
    Action(Action),
    /// How it ended.
    Outcome(Outcome),
    /// What listening made of it.
    Stance(Stance),
    /// A goal's reading.
    Goal(GoalReading),
    /// A manager's adjustment.
    Adjustment(Adjustment),
    /// The gauge's reading.
    Emergence(EmergenceReading),
    /// What holding an asset in spot in place of its perp is worth.
    Carry(CarryQuote),
    /// What a service was worth to whom.
    Receipt(Receipt),
    /// How a maker would work an order.
    Work(WorkQuote),
    /// An open life does not enter.
    Wait(Wait),
    /// An order to open rests at a level.
    Rest(PendingEntry),
}

/// What kind of thing was said; the screen filters and paints by it, tables count by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum TopicKind {
    Open,
    Increase,
    Decrease,
    Close,
    Outcome,
    Stance,
    Goal,
    Adjustment,
    Carry,
    Receipt,
    Work,
    Amend,
    Wait,
    Rest,
}

impl TopicKind {
    /// That of what was said; the gauge's reading is one of a goal.
    pub const fn of(body: &MessageKind) -> TopicKind {
        match body {
            MessageKind::Action(a) => match a.verb {
                Verb::Open => TopicKind::Open,
                Verb::Increase => TopicKind::Increase,
                Verb::Decrease => TopicKind::Decrease,
                Verb::Close => TopicKind::Close,
                Verb::Amend => TopicKind::Amend,
            },
            MessageKind::Outcome(_) => TopicKind::Outcome,
            MessageKind::Stance(_) => TopicKind::Stance,
            MessageKind::Goal(_) | MessageKind::Emergence(_) => TopicKind::Goal,
            MessageKind::Adjustment(_) => TopicKind::Adjustment,
            MessageKind::Carry(_) => TopicKind::Carry,
            MessageKind::Receipt(_) => TopicKind::Receipt,
            MessageKind::Work(_) => TopicKind::Work,
            MessageKind::Wait(_) => TopicKind::Wait,
            MessageKind::Rest(_) => TopicKind::Rest,
        }
    }

    /// All, in the order of tables.
    pub const ALL: [TopicKind; 14] = [
        TopicKind::Open,
        TopicKind::Increase,
        TopicKind::Decrease,
        TopicKind::Close,
        TopicKind::Amend,
        TopicKind::Wait,
        TopicKind::Rest,
        TopicKind::Outcome,
        TopicKind::Stance,
        TopicKind::Goal,
        TopicKind::Adjustment,
        TopicKind::Carry,
        TopicKind::Receipt,
        TopicKind::Work,
    ];

    /// Its name in exports and on the command line.
    pub const fn text(self) -> &'static str {
        match self {
            TopicKind::Open => "open",
            TopicKind::Increase => "increase",
            TopicKind::Decrease => "decrease",
            TopicKind::Close => "close",
            TopicKind::Outcome => "outcome",
            TopicKind::Stance => "stance",
            TopicKind::Goal => "goal",
            TopicKind::Adjustment => "adjustment",
            TopicKind::Carry => "carry",
            TopicKind::Receipt => "receipt",
            TopicKind::Work => "work",
            TopicKind::Amend => "amend",
            TopicKind::Wait => "wait",
            TopicKind::Rest => "rest",
        }
    }
}

/// A message as delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Numbered in the order of delivery, from 1.
    pub id: MessageId,
    /// When it was said.
    pub at: Stamp,
    /// Who said it.
    pub from: Speaker,
    /// About what; none for goals and for adjustments that are about no asset.
    pub asset: Option<AssetId>,
    /// Which life of an agent says it.
    pub life: SpokenBy,
    /// What of others moved a deed of an open life, reaction by reaction; nothing for all else.
    pub swayed: Vec<Swayed>,
    /// What was said.
    pub body: MessageKind,
}

/// A message as it is written in a row of them: its number follows from its place, its time from that of the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackedMessage {
    /// Time since the one before it.
    pub since: Span,
    /// Who said it.
    pub from: Speaker,
    /// About what, if about one asset.
    pub asset: Option<AssetId>,
    /// Which life of an agent says it.
    pub life: SpokenBy,
    /// What of others moved it.
    pub swayed: Vec<Swayed>,
    /// What was said.
    pub body: MessageKind,
}

impl PackedMessage {
    /// The message that it was, behind one that was said then.
    pub fn unpack(self, id: MessageId, before: Stamp) -> Message {
        let PackedMessage { since, from, asset, life, swayed, body } = self;
        Message { id, at: before.after(since), from, asset, life, swayed, body }
    }
}

impl Message {
    /// What a [`PackedMessage`] of it is written as, without a copy of what it says.
    pub fn packed(&self, before: Stamp) -> impl Serialize + '_ {
        let Message { id: _, at, from, asset, life, swayed, body } = self;
        (at.since(before), from, asset, life, swayed, body)
    }
}

/// How many messages of each kind were said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct MessageCounts {
    pub open_long: u64,
    pub open_short: u64,
    pub close_long: u64,
    pub close_short: u64,
    pub increase_long: u64,
    pub increase_short: u64,
    pub decrease_long: u64,
    pub decrease_short: u64,
    pub outcome: u64,
    pub stance: u64,
    pub goal: u64,
    pub adjustment: u64,
    pub carry: u64,
    pub receipt: u64,
    pub work: u64,
    pub amend: u64,
    pub wait: u64,
    pub rest: u64,
}

impl MessageCounts {
    /// Counts a message under its kind.
    pub fn count(&mut self, body: &MessageKind) {
        let slot = match body {
            MessageKind::Action(a) => {
                let long = a.side() > 0.0;
                match (a.verb, long) {
                    (Verb::Open, true) => &mut self.open_long,
                    (Verb::Open, false) => &mut self.open_short,
                    (Verb::Close, true) => &mut self.close_long,
                    (Verb::Close, false) => &mut self.close_short,
                    (Verb::Increase, true) => &mut self.increase_long,
                    (Verb::Increase, false) => &mut self.increase_short,
                    (Verb::Decrease, true) => &mut self.decrease_long,
                    (Verb::Decrease, false) => &mut self.decrease_short,
                    (Verb::Amend, _) => &mut self.amend,
                }
            }
            MessageKind::Outcome(_) => &mut self.outcome,
            MessageKind::Stance(_) => &mut self.stance,
            MessageKind::Goal(_) | MessageKind::Emergence(_) => &mut self.goal,
            MessageKind::Adjustment(_) => &mut self.adjustment,
            MessageKind::Carry(_) => &mut self.carry,
            MessageKind::Receipt(_) => &mut self.receipt,
            MessageKind::Work(_) => &mut self.work,
            MessageKind::Wait(_) => &mut self.wait,
            MessageKind::Rest(_) => &mut self.rest,
        };
        *slot += 1;
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        // By all its fields, so that one that comes later is not left out.
        let MessageCounts {
            open_long,
            open_short,
            close_long,
            close_short,
            increase_long,
            increase_short,
            decrease_long,
            decrease_short,
            outcome,
            stance,
            goal,
            adjustment,
            carry,
            receipt,
            work,
            amend,
            wait,
            rest,
        } = *self;
        let actions = [open_long, open_short, close_long, close_short, increase_long, increase_short];
        let others = [decrease_long, decrease_short, outcome, stance, goal, adjustment, carry, receipt, work];
        let open = [amend, wait, rest];
        actions.iter().chain(&others).chain(&open).sum()
    }
}
