//! What a cockpit shows: plain data, the same for every client, small enough for one frame of the wire.
//!
//! # Invariants
//!
//! 1. Everything has a named maximum; what is left out is counted.
//! 2. Numbers are what the engine's state says at [`Cockpit::seq`]; what is not measured is `None`.
//! 3. Equal pictures have equal [`Cockpit::view_hash`].

use super::managers::ManagerRow;
use super::operator::KeptSpace;
use super::orders::{FillRow, OrderRow};
use super::services::ServiceRow;
pub use crate::domain::TopicKind;
use crate::domain::{AgentId, Command, FamilyId, Goal, LiveLinks, MessageId, Money, Span, Stamp};
use serde::{Deserialize, Serialize};

pub use crate::domain::evidence::DAYS_MIN as EMERGENCE_DAYS_MIN;

/// Agents that are shown; all declared agents of a file fit.
pub const AGENTS_MAX: usize = 1_000;
/// Points of a small curve: of an agent's points, of a goal's score, of the lives on an agent's page.
pub const TREND_MAX: usize = 32;
/// Bars of the chart beside an open intent.
pub const BARS_MAX: usize = 48;
/// Edges of the network that are shown, the strongest.
pub const EDGES_MAX: usize = 256;
/// Messages that are shown, the last.
pub const MESSAGES_MAX: usize = 200;
/// Alarms that are shown, the last.
pub const ALARMS_MAX: usize = 20;
/// Bytes of one text.
pub const TEXT_BYTES_MAX: usize = 400;
/// Conditions of an open intent that are shown, over all assets of an agent.
pub const CONDITIONS_MAX: usize = 64;

/// Where the market comes from, and whose money it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MarketMode {
    /// The embedded market.
    #[default]
    Synth,
    /// Recorded data, not the present market.
    History,
    /// A live market, pretended money.
    Paper,
    /// A live market, real money.
    Live,
}

impl MarketMode {
    /// The word on the screen.
    pub fn text(self) -> &'static str {
        match self {
            MarketMode::Synth => "SYNTH",
            MarketMode::History => "HISTORY",
            MarketMode::Paper => "PAPER",
            MarketMode::Live => "LIVE",
        }
    }
}

/// What an agent may do: the strictest that holds, in the order of [`AgentState::STRICT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgentState {
    /// The operator, or the file, gives it no funds.
    Unfunded,
    /// It has lost its funds.
    StoppedOut,
    /// Its real position may only shrink, and runs off.
    Drained,
    /// It takes no new real risk.
    Paused,
    /// It is not heard.
    Muted,
    /// It hears nothing.
    Deaf,
    /// All three lives.
    Live,
    /// The A manager has it: not heard, its real position runs off.
    Quarantined,
    /// The A manager lets it back with a part of its unit.
    OnProbation,
}

impl AgentState {
    /// All, the strictest first. Variants are only ever appended, so their own order says nothing.
    pub const STRICT: [AgentState; 9] = [
        AgentState::Unfunded,
        AgentState::StoppedOut,
        AgentState::Quarantined,
        AgentState::Drained,
        AgentState::Paused,
        AgentState::Muted,
        AgentState::Deaf,
        AgentState::OnProbation,
        AgentState::Live,
    ];

    /// Its place in [`AgentState::STRICT`].
    pub fn rank(self) -> usize {
        AgentState::STRICT.iter().position(|s| *s == self).unwrap_or(AgentState::STRICT.len())
    }

    /// The word on the screen.
    pub fn text(self) -> &'static str {
        match self {
            AgentState::Unfunded => "unfunded",
            AgentState::StoppedOut => "stopped out",
            AgentState::Drained => "drained",
            AgentState::Paused => "paused",
            AgentState::Muted => "muted",
            AgentState::Deaf => "deaf",
            AgentState::Live => "live",
            AgentState::Quarantined => "quarantined",
            AgentState::OnProbation => "on probation",
        }
    }
}

/// What the operator has switched on an agent: what a key that toggles goes by.
// Each is a switch of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switches {
    /// Real takes no new risk.
    pub paused: bool,
    /// Real may only shrink.
    pub drained: bool,
    /// It is not heard.
    pub muted: bool,
    /// It hears nothing.
    pub deaf: bool,
    /// It is to have funds; it may still be stopped out.
    pub funded: bool,
}

impl Switches {
    /// Whether what a command asks for an agent holds already; a key that toggles then takes it back.
    pub fn holds(self, command: Command) -> bool {
        match command {
            // A drained agent takes no new risk either.
            Command::Pause(_) => self.paused || self.drained,
            Command::Drain(_) => self.drained,
            Command::Mute(_) => self.muted,
            Command::Deafen(_) => self.deaf,
            Command::Fund(_) => self.funded,
            _ => false,
        }
    }
}

/// Account and desk.
// Three latches, each with a way back of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AccountView {
    /// Equity of the account, all positions marked.
    pub equity: Money,
    /// Capital at the start.
    pub capital: Money,
    /// Since the day began (UTC).
    pub today: Money,
    /// Fall from the highest point, as a fraction.
    pub drawdown: f64,
    /// What the operator allows, as a fraction.
    pub drawdown_budget: f64,
    /// Where the breaker closes everything, as a fraction.
    pub drawdown_halt: f64,
    /// Multiples of equity.
    pub gross: f64,
    /// Multiples of equity.
    pub net: f64,
    /// `running`, `reducing` or `halted`.
    pub run: String,
    /// Why it is not running.
    pub reason: Option<String>,
    /// The kill switch is latched.
    pub killed: bool,
    /// The drawdown breaker is latched.
    pub tripped: bool,
    /// Everything is to be flat.
    pub flat: bool,
    /// Orders that reached the venue.
    pub orders: u64,
    /// Messages so far.
    pub messages: u64,
}

/// A goal and how far it is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoalView {
    /// The goal that is read.
    pub goal: Goal,
    /// 0 … 1: how far it is reached.
    pub score: f64,
    /// The number behind it, in the unit its tracker documents.
    pub value: f64,
    /// What the operator asked for.
    pub target: f64,
    /// The score in per cent, day by day at falling resolution, at most [`TREND_MAX`].
    pub trend: Vec<u8>,
}

/// The whole against its parts alone, once it is measured: differences of Sharpe ratios per year.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Emergence {
    /// Over the agents alone, each in its own account at the desk's pace.
    pub gain: f64,
    /// Lower end of its interval, which is for one look.
    pub from: f64,
    /// Upper end of the interval.
    pub to: f64,
    /// Evidence that it is more, whenever it is looked at: 1 is none, 20 enough.
    pub more: f64,
    /// Evidence that it is less, whenever it is looked at: 1 is none, 20 enough.
    pub less: f64,
    /// What the whole gains over the same agents netted in one account.
    pub over_net_eq: f64,
    /// What netting gives of the gain.
    pub netting: f64,
    /// What listening gives of the gain.
    pub listening: f64,
    /// What services give of the gain.
    pub services: f64,
    /// Orders that agents with funds wanted so far, each by itself.
    pub wanted: u64,
    /// Notional per year, in equities, that they would trade alone at the same risk.
    pub turnover_alone: f64,
    /// Notional per year, in equities, that their one desk trades.
    pub turnover: f64,
}

/// One agent's row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentRow {
    /// Number that the agent is known by.
    pub id: AgentId,
    /// Name as declared.
    pub name: String,
    /// Family whose strategy it trades.
    pub family: FamilyId,
    /// What it is deployed for.
    pub goal: Goal,
    /// Names of its assets, joined by spaces.
    pub assets: String,
    /// What it may do.
    pub state: AgentState,
    /// What the operator has switched.
    pub switches: Switches,
    /// 1 is the prior; × 100 on the screen.
    pub points: f64,
    /// Points × 100, day by day at falling resolution, at most [`TREND_MAX`].
    pub trend: Vec<u16>,
    /// PnL of the deaf twin.
    pub alone: f64,
    /// PnL with open ears.
    pub open: f64,
    /// PnL of its share of the desk.
    pub real: Money,
    /// Equity of its real book.
    pub funds: Money,
    /// What the hive would lose without it, per year, as a fraction of the account.
    pub difference: f64,
    /// About what a spread now would give it, were it funded: its share by points.
    pub would_get: Money,
    /// Its share of what the desk holds: `+4.2 % BTC`, of the hive's equity.
    pub position: String,
    /// The last thing it said, and its number; 0 for nothing yet.
    pub last: MessageId,
    /// What it last said, in words, without conditions.
    pub said: String,
    /// v: the weight of its voice in the consensus; 0 while it is not heard.
    pub voice: f64,
    /// Its share, 0 … 1, of all that voices moved others in their last moves.
    pub influence: f64,
    /// The day on which quarantine or probation ends.
    pub until: Option<Stamp>,
    /// What its last messages were worth to those whom they moved, in currency.
    pub given: f64,
    /// What it saved or earned for the desk so far, by service in the order of `Service::ALL`, in currency.
    pub served: [f64; 3],
}

/// One voice that moved one listener on one asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EdgeRow {
    /// Whose voice; scouts have numbers above those of the agents.
    pub from: AgentId,
    /// Name of the agent whose voice it is.
    pub from_name: String,
    /// Family of that agent.
    pub from_family: FamilyId,
    /// Who was moved.
    pub to: AgentId,
    /// Asset on which it was moved.
    pub asset: String,
    /// Its share of the weight, 0 … 1.
    pub share: f64,
    /// Its share of what listening was worth since, in currency.
    pub value: f64,
    /// What it had said.
    pub message: MessageId,
    /// The stance or deed that names it; 0 if that was before this picture's memory.
    pub decision: MessageId,
    /// The reaction by which it was moved to a deed; none of a stance, by which only the size was.
    pub rule: String,
}

/// The curves: gains since the start, in currency, oldest first, at most `POINTS_MAX` each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// Gain of all funded agents alone, summed.
    pub alone: Vec<f64>,
    /// Gain of all funded agents in their open lives, summed.
    pub open: Vec<f64>,
    /// Gain of the account itself.
    pub real: Vec<f64>,
    /// Drawdown of the account, as a fraction; the worst that each point stands for.
    pub drawdown: Vec<f64>,
    /// When the curves begin.
    pub from: Option<Stamp>,
}

/// One line of the network's talk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageLine {
    /// Number of the message.
    pub id: MessageId,
    /// When it was said, in the market's time.
    pub at: Stamp,
    /// Who: a name, or the goal of a tracker or manager.
    pub from: String,
    /// The agent, if it is one.
    pub agent: Option<AgentId>,
    /// About what; empty for goals and adjustments.
    pub asset: String,
    /// Kind of message, by which it is filtered.
    pub kind: TopicKind,
    /// The message in words, with all conditions.
    pub text: String,
    /// Stances within this picture's memory that name it.
    pub acted_on: u32,
}

/// All that a cockpit shows, as of one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cockpit {
    /// Steps that counted, as seen by the recorder.
    pub seq: u64,
    /// Name of the hive.
    pub hive: String,
    /// Currency of the account.
    pub currency: String,
    /// Where the market comes from.
    pub mode: MarketMode,
    /// Name of the feed.
    pub feed: String,
    /// Time of the market.
    pub market_time: Option<Stamp>,
    /// How fast it goes, in words.
    pub speed: String,
    /// How far history is, 0 … 1; none where there is no end, or after it.
    pub progress: Option<f64>,
    /// Clients that are attached, as of this picture.
    pub clients: u32,
    /// Whether listening is switched off for the whole run.
    pub deaf: bool,
    /// Whether simulated lives fill, and stops and targets are judged, on finer prices than bars.
    pub fine: bool,
    /// Account and desk.
    pub account: AccountView,
    /// Voices that are heard, scouts too.
    pub voices: u32,
    /// LR, BM, F, A; empty before the first reading.
    pub goals: Vec<GoalView>,
    /// Who is set over others, those for the goals first.
    pub managers: Vec<ManagerRow>,
    /// Not measured yet where `None`.
    pub emergence: Option<Emergence>,
    /// Whole days that emergence has behind it.
    pub days: u32,
    /// Declared agents in the order of the file.
    pub agents: Vec<AgentRow>,
    /// Agents beyond those shown.
    pub more_agents: u64,
    /// Who moved whom, strongest first.
    pub edges: Vec<EdgeRow>,
    /// Edges beyond those shown.
    pub more_edges: u64,
    /// The three lives.
    pub curves: Curves,
    /// The last messages, oldest first.
    pub messages: Vec<MessageLine>,
    /// What the operator must know, oldest first.
    pub alarms: Vec<String>,
    /// Who serves the desk, agent by agent.
    pub services: Vec<ServiceRow>,
    /// Orders that may still fill, the newest first.
    pub orders: Vec<OrderRow>,
    /// Orders beyond those shown.
    pub more_orders: u64,
    /// The last fills, oldest first.
    pub fills: Vec<FillRow>,
    /// What is kept of the run on disk; none where nothing is.
    pub kept: Option<KeptSpace>,
    /// How the ways to a live venue are; none where the market is no live one.
    pub links: Option<LiveLinks>,
}

impl Cockpit {
    /// A witness of the whole picture: equal for equal pictures.
    pub fn view_hash(&self) -> String {
        crate::domain::digest::hash(self)
            .map_or_else(|e| format!("unhashable: {e}"), |h| h.to_hex().to_string())
    }
}

/// A trait as a bar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraitBar {
    /// Name of the trait.
    pub name: String,
    /// Its value, between the bounds.
    pub value: f64,
    /// Smallest and largest value it may have.
    pub bounds: (f64, f64),
}

/// What an agent is doing on one asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntentView {
    /// Asset that the intent is about.
    pub asset: String,
    /// The own intent, as a signed fraction of its capital.
    pub intent: f64,
    /// The price at which it was last acted on.
    pub price: f64,
    /// The last close of the asset.
    pub close: f64,
    /// The message that says so; none if that was before this recorder's memory.
    pub message: Option<MessageId>,
    /// Its conditions in words: the name and the condition.
    pub conditions: Vec<(String, String)>,
    /// Fixed prices among the conditions: name and price.
    pub levels: Vec<(String, f64)>,
    /// Open, high, low, close of the last bars, oldest first, at most [`BARS_MAX`].
    pub bars: Vec<[f64; 4]>,
    /// How many clocks before the newest each of them ended.
    pub ago: Vec<u32>,
    /// When the newest ended.
    pub until: Option<Stamp>,
    /// How long a bar is.
    pub clock: Span,
    /// Where all voices of the asset have announced that they will trade.
    pub crowd: CrowdView,
}

/// Most levels of the crowd that are shown.
pub const CROWD_LEVELS_MAX: usize = 96;

/// Where all voices of an asset have announced that they will stop, take profit and add.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CrowdView {
    /// Levels near the price, lowest first, at most [`CROWD_LEVELS_MAX`].
    pub levels: Vec<CrowdLevel>,
    /// What the swarm itself is expected to buy in the next bar by what it announced, as a signed fraction of capital.
    pub flow: f64,
    /// Voices that hold something.
    pub speakers: u32,
}

/// A price at which voices have announced that they will trade.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrowdLevel {
    /// Price of the level.
    pub price: f64,
    /// What would be bought there, as a signed fraction of capital.
    pub flow: f64,
}

/// Most legs of a package that are shown.
pub const LEGS_SHOWN_MAX: usize = 12;

/// How far a package is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PackageState {
    /// Orders of it are on their way.
    Opening,
    /// All of it is there, or rests.
    Open,
    /// What is left of it is being closed.
    Closing,
}

impl PackageState {
    /// The word that is shown.
    pub fn text(self) -> &'static str {
        match self {
            PackageState::Opening => "on its way",
            PackageState::Open => "open",
            PackageState::Closing => "closing",
        }
    }
}

/// Which of an agent's three lives a package is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PackageLife {
    /// The one with money.
    Real,
    /// The simulated one that answers others, where it goes its own way.
    Open,
    /// The simulated one that hears nobody.
    Alone,
}

impl PackageLife {
    /// The word that is shown.
    pub fn text(self) -> &'static str {
        match self {
            PackageLife::Real => "real",
            PackageLife::Open => "open",
            PackageLife::Alone => "alone",
        }
    }
}

/// One leg of a package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegView {
    /// Symbol and venue.
    pub instrument: String,
    /// Base units held, signed.
    pub held: f64,
    /// Base units that its plan wants, signed; zero of what is held beside it, such as a hedge.
    pub wanted: f64,
    /// Base units of orders on their way or resting, signed and summed.
    pub working: f64,
    /// Worth of one unit, in the account's currency; none where nobody quotes it.
    pub value: Option<f64>,
}

/// A structure that is open: several legs that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackageView {
    /// Asset of the structure.
    pub asset: String,
    /// Of which life it is.
    pub life: PackageLife,
    /// What it stands on, in currency.
    pub capital: f64,
    /// +1 for a long, −1 for a short, 0 while it is being closed.
    pub side: f64,
    /// How far it is.
    pub state: PackageState,
    /// What it has gained since it was opened, in currency, after costs so far.
    pub gain: f64,
    /// Its legs, at most [`LEGS_SHOWN_MAX`].
    pub legs: Vec<LegView>,
}

/// Most relations of an agent that are shown.
pub const RELATIONS_MAX: usize = 6;
/// Most deeds of an agent that are shown.
pub const DEEDS_SHOWN_MAX: usize = 4;

/// What an open life did because of others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeedView {
    /// The message that said so.
    pub message: MessageId,
    /// When it was said, in the market's time.
    pub at: Stamp,
    /// Asset that it is about.
    pub asset: String,
    /// What was done, and for each reaction that acted which messages moved it and by how much.
    pub text: String,
}

/// Why the agent holds what it holds: its last stance on an asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StanceReason {
    /// The stance's number.
    pub message: MessageId,
    /// When it was said, in the market's time.
    pub at: Stamp,
    /// Asset that the stance is about.
    pub asset: String,
    /// What it did to the intent, in one word.
    pub verb: String,
    /// Own intent and result, as fractions of the hive's capital.
    pub own: f64,
    /// What listening made of it, as a fraction of the hive's capital.
    pub result: f64,
    /// Step by step, in words.
    pub factors: Vec<String>,
    /// The messages that moved it most: number, who said it, what, if it is still remembered.
    pub because: Vec<(MessageId, String)>,
}

/// A rule that an agent lives by, and what it last did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleView {
    /// What it is called.
    pub name: String,
    /// The rule as a sentence.
    pub sentence: String,
    /// How often it acted.
    pub deeds: u64,
    /// Its last deed; 0 if there was none.
    pub last: MessageId,
    /// Where that was.
    pub asset: String,
    /// What that was.
    pub did: String,
    /// What moved it: number, who said it, what, if it is still remembered.
    pub because: Vec<(MessageId, String)>,
}

/// What acting on somebody's words was worth to an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelationRow {
    /// Who said it.
    pub from: String,
    /// What kind of word.
    pub kind: String,
    /// Deeds; of one on the words of several each has its share.
    pub deeds: f64,
    /// What they were worth beyond not having acted, in basis points of the agent's stake.
    pub worth_bp: f64,
    /// What one more is believed to be worth, in basis points: shrunk toward the speaker's family, and that toward nothing.
    pub trust_bp: f64,
}

/// One agent in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentPage {
    /// The picture's seq.
    pub seq: u64,
    /// The agent's row in the list.
    pub row: AgentRow,
    /// The name of its personality.
    pub personality: String,
    /// Which sides it takes.
    pub side: String,
    /// Its traits, one bar each.
    pub traits: Vec<TraitBar>,
    /// What is open or offered.
    pub intents: Vec<IntentView>,
    /// Last stance of each asset, newest first.
    pub why: Vec<StanceReason>,
    /// All that it lives by, in order.
    pub rules: Vec<RuleView>,
    /// Whose words it has acted on most, at most [`RELATIONS_MAX`].
    pub relations: Vec<RelationRow>,
    /// Who moved it.
    pub received: Vec<EdgeRow>,
    /// Whom it moved.
    pub given: Vec<EdgeRow>,
    /// Its lives and its points × 100, day by day at falling resolution, at most [`TREND_MAX`] each.
    pub alone: Vec<f64>,
    /// Its open life, sampled as `alone` is.
    pub open: Vec<f64>,
    /// Its real life, sampled as `alone` is.
    pub real: Vec<f64>,
    /// Its points × 100, sampled as `alone` is.
    pub points: Vec<f64>,
    /// Intents closed so far.
    pub trades: u32,
    /// Messages it sent.
    pub sent: u64,
    /// Messages of others that swayed its deeds.
    pub acted_on: u64,
    /// What reactions of its made its open lives do last, newest first, at most [`DEEDS_SHOWN_MAX`].
    pub deeds: Vec<DeedView>,
    /// What it does for the desk.
    pub services: Vec<ServiceRow>,
    /// What it holds in legs: with money first, then open, where that is apart, and alone.
    pub packages: Vec<PackageView>,
}

/// Cuts a text to its bound at a character.
pub fn bounded(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        let mut end = TEXT_BYTES_MAX - '…'.len_utf8();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}
