//! The head of a talk log: whose run it is, and what everybody is called, so that it can be read without the run.

use super::block::{self, Packing};
use super::error::TalkError;
use crate::agents::Agent;
use crate::domain::{AgentId, AssetId, InstrumentId, ManagerId, Message};
use crate::engine::Engine;
use crate::recorder::TalkNames;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::Path;

/// Version of the layout of a talk log, the messages in it included.
pub const VERSION: u16 = 1;
const MAGIC: [u8; 8] = *b"HIVETALK";
/// Magic, version, length and checksum of what follows.
const FIXED: usize = 18;
/// Longest head: ten thousand agents with all their reactions.
const HEAD_BYTES_MAX: usize = 64 << 20;

/// Whose run a talk log is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TalkHead {
    /// What is set before the run, as far as it can change what is said: name and value of each.
    pub run: Vec<(String, String)>,
    /// What everybody is called.
    pub names: NameTable,
}

/// An agent as a log knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct NamedAgent {
    name: String,
    family: String,
    /// Names of the reactions that it lives by.
    reactions: Vec<String>,
}

/// What the agents, assets and instruments of a run are called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameTable {
    agents: Vec<NamedAgent>,
    assets: Vec<String>,
    instruments: Vec<String>,
    /// Managers of teams; a run without any is written as it was before there were such.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    managers: Vec<String>,
}

impl NameTable {
    /// Of those who are cast in an engine, and of what they trade.
    pub fn of(engine: &Engine) -> Self {
        let (cast, universe) = (engine.cast(), engine.universe());
        let agent = |a: &Agent| NamedAgent {
            name: a.name.clone(),
            family: a.family.to_string(),
            reactions: a.reacts.iter().map(|r| r.rule.name.clone()).collect(),
        };
        let listed = universe.instruments.iter();
        NameTable {
            agents: cast.agents.iter().map(agent).collect(),
            assets: universe.assets.iter().map(|a| a.name.clone()).collect(),
            managers: cast.teams.iter().map(|t| t.manager.name.clone()).collect(),
            instruments: listed.map(|i| format!("{} {} at {}", i.symbol, i.kind.text(), i.venue)).collect(),
        }
    }

    /// Names of the agents, in the order of their numbers.
    pub fn agents(&self) -> impl Iterator<Item = &str> {
        self.agents.iter().map(|a| a.name.as_str())
    }

    /// Names of the managers of teams, in their order.
    pub fn managers(&self) -> impl Iterator<Item = &str> {
        self.managers.iter().map(String::as_str)
    }

    /// Family of an agent.
    pub fn family(&self, id: AgentId) -> Option<&str> {
        self.agents.get(id.index()).map(|a| a.family.as_str())
    }

    /// Names of the assets, in the order of their numbers.
    pub fn assets(&self) -> impl Iterator<Item = &str> {
        self.assets.iter().map(String::as_str)
    }
}

impl TalkNames for NameTable {
    fn agent_name(&self, id: AgentId) -> Option<&str> {
        self.agents.get(id.index()).map(|a| a.name.as_str())
    }

    fn reaction_name(&self, agent: AgentId, number: u8) -> Option<&str> {
        self.agents.get(agent.index())?.reactions.get(usize::from(number)).map(String::as_str)
    }

    fn manager_name(&self, id: ManagerId) -> Option<&str> {
        self.managers.get(id.team()?).map(String::as_str)
    }

    fn asset_called(&self, id: AssetId) -> Option<&str> {
        self.assets.get(id.index()).map(String::as_str)
    }

    fn instrument_called(&self, id: InstrumentId) -> Option<String> {
        self.instruments.get(id.index()).cloned()
    }
}

impl TalkHead {
    /// As it stands at the beginning of a log.
    pub(super) fn encode(&self) -> Vec<u8> {
        // Text alone, under names: it can always be written.
        let text = serde_json::to_vec(self).unwrap_or_default();
        let mut out = Vec::with_capacity(FIXED + text.len());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&out), &text);
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&text);
        out
    }

    /// A log of a few messages that follow one another, whole in memory.
    pub fn with(&self, messages: &[Message]) -> Result<Vec<u8>, String> {
        let raw = block::raw(messages).map_err(|e| e.to_string())?;
        Ok([self.encode(), block::encode(messages, &raw, Packing::Short)?].concat())
    }

    /// Reads what [`TalkHead::with`] made.
    pub fn split(bytes: &[u8]) -> Result<(TalkHead, Vec<Message>), String> {
        let (head, begin) =
            TalkHead::read(Path::new("what the hive said"), bytes).map_err(|e| e.to_string())?;
        Ok((head, block::all(&bytes[begin as usize..])?))
    }

    /// Reads it from the beginning of a log, and tells how long it is.
    pub(super) fn read(file: &Path, mut from: impl Read) -> Result<(TalkHead, u64), TalkError> {
        let strange = || TalkError::Strange { file: file.to_path_buf() };
        let damaged = |offset, why| TalkError::Damaged { file: file.to_path_buf(), offset, why };
        let mut fixed = [0; FIXED];
        from.read_exact(&mut fixed).map_err(|_| strange())?;
        let number = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        if fixed[..8] != MAGIC {
            return Err(strange());
        }
        let found = u16::from_le_bytes([fixed[8], fixed[9]]);
        if found != VERSION {
            return Err(TalkError::Version { file: file.to_path_buf(), found, known: VERSION });
        }
        let length = number(10) as usize;
        if length > HEAD_BYTES_MAX {
            return Err(damaged(10, "its head is longer than a head can be"));
        }
        let mut text = Vec::new();
        from.take(length as u64).read_to_end(&mut text).map_err(TalkError::io("reading", file))?;
        let crc = crc32c::crc32c_append(crc32c::crc32c(&fixed[..14]), &text);
        if text.len() < length || crc != number(14) {
            return Err(damaged(FIXED as u64, "the checksum of its head does not fit"));
        }
        let head = serde_json::from_slice(&text)
            .map_err(|_| damaged(FIXED as u64, "its head has a layout that is not known here"))?;
        Ok((head, (FIXED + length) as u64))
    }
}
