//! The way out of a socket: a bounded queue, and what happens when it is full.

use crate::domain::Stamp;
use crate::venues::arrival::{Arrival, ArrivalKind, SocketState};
use std::collections::VecDeque;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{SystemTime, UNIX_EPOCH};

/// States of a link that wait to be said; of more the oldest is forgotten, since the newest is what counts.
const STATES_MAX: usize = 16;

/// Nobody hears it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NobodyListens;

/// What a socket says goes through here.
pub struct Outlet {
    socket: usize,
    sender: SyncSender<Arrival>,
    /// States that there was no room for.
    unsaid: VecDeque<(Stamp, SocketState)>,
    /// Events that there was no room for.
    lost: u64,
}

impl Outlet {
    pub fn new(socket: usize, sender: SyncSender<Arrival>) -> Self {
        Outlet { socket, sender, unsaid: VecDeque::new(), lost: 0 }
    }

    /// Says something that was heard, or counts it as lost.
    pub fn say(&mut self, what: ArrivalKind) -> Result<(), NobodyListens> {
        let received = now();
        if !(self.flush()? && self.send(received, what)?) {
            self.lost += 1;
        }
        Ok(())
    }

    /// Says how the link is, now or when there is room.
    pub fn state(&mut self, state: SocketState) -> Result<(), NobodyListens> {
        if self.unsaid.len() == STATES_MAX {
            self.unsaid.pop_front();
        }
        self.unsaid.push_back((now(), state));
        self.flush().map(|_| ())
    }

    /// Says what has waited; whether there is room for more.
    pub fn flush(&mut self) -> Result<bool, NobodyListens> {
        if self.lost > 0 {
            if !self.send(now(), ArrivalKind::Lost { count: self.lost })? {
                return Ok(false);
            }
            self.lost = 0;
        }
        while let Some((at, state)) = self.unsaid.front().cloned() {
            if !self.send(at, ArrivalKind::Link(state))? {
                return Ok(false);
            }
            self.unsaid.pop_front();
        }
        Ok(true)
    }

    fn send(&self, received: Stamp, what: ArrivalKind) -> Result<bool, NobodyListens> {
        match self.sender.try_send(Arrival { received, socket: self.socket, what }) {
            Ok(()) => Ok(true),
            Err(TrySendError::Full(_)) => Ok(false),
            Err(TrySendError::Disconnected(_)) => Err(NobodyListens),
        }
    }
}

/// The clock of this machine.
fn now() -> Stamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Stamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venues::event::PublicEvent;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn what_is_lost_is_counted_and_said_before_all_else() {
        let (sender, receiver) = sync_channel(2);
        let mut outlet = Outlet::new(3, sender);
        let event = || ArrivalKind::Event(PublicEvent::Pong);
        for _ in 0..5 {
            outlet.say(event()).unwrap();
        }
        outlet.state(SocketState::Up).unwrap();
        assert_eq!(receiver.try_recv().unwrap().what, event());
        assert_eq!(receiver.try_recv().unwrap().what, event());
        outlet.say(event()).unwrap();
        assert_eq!(receiver.try_recv().unwrap().what, ArrivalKind::Lost { count: 3 });
        let link = receiver.try_recv().unwrap();
        assert_eq!((link.socket, link.what), (3, ArrivalKind::Link(SocketState::Up)));
        // The queue had room for two: the event that was said last is lost again.
        assert!(outlet.flush().unwrap());
        assert_eq!(receiver.try_recv().unwrap().what, ArrivalKind::Lost { count: 1 });
        drop(receiver);
        assert_eq!(outlet.say(event()), Err(NobodyListens));
    }
}
