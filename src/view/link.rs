//! What stands between a cockpit and a swarm, wherever the swarm is: on a thread of this process or
//! behind a socket. A cockpit takes news and sends requests; it never waits for either.

use super::cockpit::{AgentPage, Cockpit};
use super::lab::LabPage;
use super::past::{Past, When};
use crate::domain::{AgentId, Command, MessageId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Requests that may be on their way at once; the next is refused, not queued.
pub const REQUESTS_MAX: usize = 16;

/// What a person asks of the swarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Send this agent's page with every picture; none for no page.
    Look(Option<AgentId>),
    /// Do what the operator may ask the engine for; the answer says what was done.
    Command(Command),
    /// Ends the process of the swarm.
    Stop,
    /// Send the lab's last result, and again while it is looked at; false for no more.
    Lab(bool),
    /// Show a moment that is kept, and an agent's page as it was then. Live pages are not sent meanwhile.
    Past(When, Option<AgentId>),
    /// Live the run again without this message, and say what hearing it was worth.
    Without(MessageId),
}

impl Request {
    /// Whether it asks for nothing but to be shown something.
    pub fn only_looks(self) -> bool {
        matches!(self, Request::Look(_) | Request::Lab(_) | Request::Past(..) | Request::Without(_))
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The request that was made.
    pub request: Request,
    /// Done, or why not, in words for a person.
    pub result: Result<String, String>,
}

/// What the other side has to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// The newest picture.
    Cockpit(Box<Cockpit>),
    /// The page that is looked at.
    Page(Box<AgentPage>),
    /// What became of a request.
    Answer(Reply),
    /// The lab's last result.
    Lab(Box<LabPage>),
    /// A moment that is kept.
    Past(Box<Past>),
    /// The moment is being read from the journal: how far, in per cent.
    Fetching(u8),
    /// The swarm cannot be reached: why. It is tried again by itself; the next picture says that it is back.
    Lost(String),
    /// No more will come: why.
    Ended(String),
}

/// Why a request did not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Too many are on their way.
    #[error("{REQUESTS_MAX} requests are waiting for the swarm; try again in a moment")]
    Busy,
    /// Nobody is there.
    #[error("the swarm has gone; nothing was sent")]
    Gone,
    /// This link may only look.
    #[error("this cockpit is read-only")]
    ReadOnly,
}

/// The link. None of these blocks.
pub trait SwarmLink {
    /// The next news, oldest first; pictures that were overtaken are left out.
    fn poll(&mut self) -> Option<News>;
    /// Sends a request; its [`Reply`] comes as [`News::Answer`].
    fn send(&mut self, request: Request) -> Result<(), SendError>;
    /// How long ago anything was last heard of the swarm; none before the first.
    fn age(&self) -> Option<Duration>;
    /// Whether it may only look.
    fn read_only(&self) -> bool {
        false
    }
}
