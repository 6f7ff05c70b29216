//! What clients ask of the engine's thread, in two rows: the kill switch goes ahead of every wish, and its row has a place
//! for each client that there can be.

use super::message::ServerAnswer;
use crate::domain::{AgentId, Command, MessageId};
use crate::view::past::When;
use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Who is at the other end, as the kernel says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Id of the user whose process it is.
    pub uid: u32,
    /// Id of the process.
    pub pid: i32,
}

/// What a client wants of the engine's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientRequest {
    /// Journal this command and step the engine with it.
    Command(Command),
    /// Show one agent in full.
    Page(AgentId),
    /// Show a moment that is kept, and one agent as it was then.
    Past(When, Option<AgentId>),
    /// Tell the last messages in full.
    Talk,
    /// Tell what hearing a message was worth.
    Without(MessageId),
    /// End the run in good order.
    Stop,
}

impl ClientRequest {
    /// Whether it goes ahead of all others.
    pub fn is_urgent(&self) -> bool {
        matches!(self, ClientRequest::Command(Command::Kill))
    }
}

/// A wish that waits for its answer.
#[derive(Debug)]
pub struct PendingRequest {
    /// What is asked for.
    pub wish: ClientRequest,
    /// Process that waits for the answer.
    pub peer: Peer,
    pub(super) reply: SyncSender<ServerAnswer>,
}

impl PendingRequest {
    /// Answers. A client that has gone is no matter.
    pub fn answer(self, answer: ServerAnswer) {
        let _ = self.reply.try_send(answer);
    }
}

/// Requests that wait, oldest first.
#[derive(Debug, Default)]
struct Rows {
    urgent: VecDeque<PendingRequest>,
    wishes: VecDeque<PendingRequest>,
    is_closed: bool,
}

#[derive(Debug, Default)]
struct Queue {
    rows: Mutex<Rows>,
    news: Condvar,
}

impl Queue {
    /// The rows; what a thread that panicked left are still rows.
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// As many wait as may.
    Full,
    /// Nobody will ask for it any more.
    Closed,
}

/// The end at which clients put their requests.
#[derive(Clone, Debug)]
pub(super) struct OrderDesk {
    queue: Arc<Queue>,
    most: usize,
}

/// The end at which the engine's thread takes them.
#[derive(Debug)]
pub struct OrderQueue {
    queue: Arc<Queue>,
}

/// Both ends; so many wishes may wait.
pub(super) fn rows(most: usize) -> (OrderDesk, OrderQueue) {
    let queue = Arc::new(Queue::default());
    (OrderDesk { queue: Arc::clone(&queue), most }, OrderQueue { queue })
}

impl OrderDesk {
    /// Puts a request in its row.
    pub fn put(&self, request: PendingRequest) -> Result<(), NotTaken> {
        let mut rows = self.queue.rows();
        if rows.is_closed {
            return Err(NotTaken::Closed);
        }
        let row = if request.wish.is_urgent() { &mut rows.urgent } else { &mut rows.wishes };
        if row.len() >= self.most {
            return Err(NotTaken::Full);
        }
        row.push_back(request);
        drop(rows);
        self.queue.news.notify_all();
        Ok(())
    }
}

impl OrderQueue {
    /// The next request, if there is one.
    pub fn try_take(&self) -> Option<PendingRequest> {
        next(&mut self.queue.rows())
    }

    /// The next request, waited for as long as this.
    pub fn take_within(&self, wait: Duration) -> Option<PendingRequest> {
        let end = Instant::now() + wait;
        let mut rows = self.queue.rows();
        loop {
            if let Some(request) = next(&mut rows) {
                return Some(request);
            }
            let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            rows = self.queue.news.wait_timeout(rows, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether somebody has thrown the kill switch and was not answered yet.
    pub fn is_urgent(&self) -> bool {
        !self.queue.rows().urgent.is_empty()
    }

    /// Whether anybody waits for an answer.
    pub fn has_waiting(&self) -> bool {
        let rows = self.queue.rows();
        !(rows.urgent.is_empty() && rows.wishes.is_empty())
    }
}

fn next(rows: &mut Rows) -> Option<PendingRequest> {
    rows.urgent.pop_front().or_else(|| rows.wishes.pop_front())
}

impl Drop for OrderQueue {
    fn drop(&mut self) {
        let mut rows = self.queue.rows();
        rows.is_closed = true;
        // Who waits for an answer is told that there will be none.
        (rows.urgent, rows.wishes) = (VecDeque::new(), VecDeque::new());
    }
}
