//! The feed of a live market: its tape, followed, and how the ways to the venue are.

use super::recorder::TapeThread;
use crate::domain::{Event, LiveLinks, Universe};
use crate::market::feed::FeedPosition;
use crate::market::tape::TapeFeed;
use crate::market::{Feed, FeedError, FeedInfo, FeedReport, Polled};

/// A live market being run.
pub struct LiveFeed {
    tape: TapeFeed,
    recorder: TapeThread,
}

impl LiveFeed {
    /// Of a tape and whoever writes on it.
    pub(super) fn new(tape: TapeFeed, recorder: TapeThread) -> Self {
        LiveFeed { tape, recorder }
    }
}

impl Feed for LiveFeed {
    fn info(&self) -> &FeedInfo {
        self.tape.info()
    }

    fn universe(&self) -> &Universe {
        self.tape.universe()
    }

    fn next(&mut self) -> Result<Option<Event>, FeedError> {
        self.tape.next()
    }

    fn poll(&mut self) -> Result<Polled, FeedError> {
        let polled = self.tape.poll()?;
        // What was written before is run before it is said that nothing more comes.
        match self.recorder.failed().filter(|_| polled == Polled::Nothing) {
            Some(reason) => Err(FeedError::Read { file: self.recorder.tape().to_owned(), line: 0, reason }),
            None => Ok(polled),
        }
    }

    fn links(&self) -> Option<LiveLinks> {
        Some(self.recorder.links())
    }

    fn report(&self) -> FeedReport {
        let links = self.recorder.links();
        FeedReport { gaps: links.late_bars, bad_rows: links.undecoded, ..self.tape.report() }
    }

    fn position(&self) -> Option<FeedPosition> {
        self.tape.position()
    }

    fn seek(&mut self, to: &FeedPosition) -> Result<bool, FeedError> {
        self.tape.seek(to)
    }
}
