//! What comes out of the supervisor: what was said, and how the links are.

use crate::domain::{Span, Stamp};
use crate::venues::event::PublicEvent;

/// Something that came in, with the socket and the moment it came on.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// By the clock of this machine.
    pub received: Stamp,
    /// Index of the socket in the plan.
    pub socket: usize,
    /// What came in.
    pub what: ArrivalKind,
}

/// What came in.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrivalKind {
    /// The venue has said this.
    Event(PublicEvent),
    /// The venue has said something that could not be read.
    Undecoded {
        /// Why not; it shows the beginning.
        why: String,
    },
    /// The link has changed.
    Link(SocketState),
    /// The queue was full: so many events of this socket are lost. Books have to be started anew, bars asked for.
    Lost {
        /// How many events.
        count: u64,
    },
}

/// How a link is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketState {
    /// It is being made.
    Connecting,
    /// It is up, and what is wanted was asked for.
    Up,
    /// Nothing was said on it for so long; it is made anew.
    Silent {
        /// How long nothing was said.
        after: Span,
    },
    /// It is down, and tried again after a while.
    Down {
        /// Why: what the venue or the machine said.
        why: String,
        /// How long until the next attempt.
        retry_in: Span,
    },
}
