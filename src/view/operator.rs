//! What scripts and operators ask first: how the hive is, how each agent is. Plain values of the
//! engine's state; money is text, so that no digit is lost on the way.

use super::managers::ManagerRow;
use crate::domain::{AgentId, LiveLinks, Money};
use serde::{Deserialize, Serialize};

/// What is known of a running hive beside its engine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Name of the hive in its file.
    pub hive: String,
    /// Name it is reached by.
    pub name: String,
    /// Where the market comes from: `SYNTH`, `HISTORY`.
    pub market: String,
    /// Name of the feed.
    pub feed: String,
    /// Currency of the account.
    pub currency: String,
    /// Speed of the run, as it was asked for.
    pub speed: String,
    /// Id of the process that runs it.
    pub pid: u32,
}

/// What is kept of a run on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSpace {
    /// Bytes of its journal.
    pub bytes: u64,
    /// Bytes that the journal may have; none: as many as it gets.
    pub budget: Option<u64>,
    /// The oldest moment that can be asked for; none before the first barrier.
    pub from: Option<String>,
}

/// How the hive is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// What does not change.
    pub scene: RunInfo,
    /// Version of the program.
    pub version: String,
    /// Kind of money that is traded: `PAPER`.
    pub money: String,
    /// What the account may do: `running`, `reducing` or `halted`.
    pub mode: String,
    /// Why it is not running, if it is not.
    pub because: Option<String>,
    /// Whether the kill switch is latched.
    pub killed: bool,
    /// Whether everything is to be flat.
    pub flat: bool,
    /// Time of the market.
    pub market_time: Option<String>,
    /// Steps that counted.
    pub seq: u64,
    /// Equal for equal views at the same `seq`.
    pub view_hash: String,
    /// Marked equity as of the last barrier.
    pub equity: Money,
    /// Fall from its peak, a fraction.
    pub drawdown: f64,
    /// Gross exposure in multiples of equity.
    pub gross: f64,
    /// Net exposure in multiples of equity.
    pub net: f64,
    /// Agents with a real life.
    pub agents: u32,
    /// Who is set over others, those for the goals first.
    pub managers: Vec<ManagerRow>,
    /// Voices that are heard, scouts too.
    pub voices: u32,
    /// Commands that changed something.
    pub interventions: u64,
    /// Clients that are attached now, the one that asks among them.
    pub clients: u32,
    /// What is kept of it; none where nothing is.
    pub kept: Option<KeptSpace>,
    /// How the ways to a live venue are; none where the market is no live one.
    pub links: Option<LiveLinks>,
}

/// How an agent is.
// Each is a switch of its own that the operator can turn.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentSwitches {
    /// Number that the agent is known by.
    pub id: AgentId,
    /// Name as declared.
    pub name: String,
    /// Family whose strategy it trades.
    pub family: String,
    /// In a word or two: the strictest that holds of `unfunded`, `stopped out`, `quarantined`, `drained`, `paused`,
    /// `muted`, `deaf`, `on probation`, `live`.
    pub state: String,
    /// Real takes no new risk.
    pub paused: bool,
    /// Real may only shrink.
    pub drained: bool,
    /// It is not heard.
    pub muted: bool,
    /// It hears nothing.
    pub deaf: bool,
    /// It has lost its funds.
    pub stopped_out: bool,
    /// It has funds.
    pub funded: bool,
    /// Its share of the hive's funds.
    pub weight: f64,
    /// 1 is the prior.
    pub points: f64,
    /// PnL of its share of what the desk held.
    pub real_pnl: Option<Money>,
    /// v: the weight of its voice in the consensus; 0 while it is not heard.
    pub voice: f64,
    /// Its share, 0 … 1, of all that voices moved others in their last moves.
    pub influence: f64,
    /// The A manager has it: not heard, its real position runs off.
    pub quarantined: bool,
    /// The A manager lets it back with a part of its unit.
    pub on_probation: bool,
    /// The day on which quarantine or probation ends.
    pub until: Option<String>,
}
