//! The side of a talk log that listens: it collects what a step gave out and hands it on, block by block.

use super::block::{BLOCK_MESSAGES, start_of};
use super::error::TalkError;
use super::head::TalkHead;
use super::write::{BlockWriter, TalkResumption};
use crate::domain::Message;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Blocks that wait to be packed at most; then the run waits.
const JOBS_MAX: usize = 4;
/// What was said is put beside the log at most this often, for those who read it meanwhile.
const SHOW_EVERY: Duration = Duration::from_secs(1);

/// What the thread that writes is handed.
enum TalkJob {
    Seal(Vec<Message>),
    Show(Vec<Message>),
    Hold(bool),
    /// To be on disk before it is answered.
    Keep(Vec<Message>, SyncSender<()>),
    End(Vec<Message>, SyncSender<()>),
}

#[derive(Default)]
struct TalkState {
    news: Vec<String>,
    failed: Option<TalkError>,
}

/// What is being put on disk.
#[must_use = "it is on disk once it was waited for"]
pub struct TalkOnDisk(Receiver<()>);

impl TalkOnDisk {
    /// Waits until it is there, or cannot be.
    pub fn wait(self) {
        let _ = self.0.recv();
    }
}

/// What a run says, on its way into a file.
pub struct TalkLog {
    jobs: Option<SyncSender<TalkJob>>,
    thread: Option<JoinHandle<()>>,
    state: Arc<Mutex<TalkState>>,
    path: PathBuf,
    /// The messages of the block that is not full.
    pending: Vec<Message>,
    shown: Instant,
    held: bool,
    /// The last message that was heard, and the last that is there from before.
    heard: u64,
    upto: u64,
}

impl TalkLog {
    /// Opens or begins a log behind the message `said`, which was the last that the run said so far.
    pub fn open(path: &Path, head: &TalkHead, said: u64) -> Result<TalkLog, TalkError> {
        let TalkResumption { mut writer, pending, upto } = BlockWriter::open(path, head, said)?;
        let state = Arc::new(Mutex::new(TalkState { news: std::mem::take(&mut writer.news), failed: None }));
        let (jobs, taken) = sync_channel(JOBS_MAX);
        let shared = Arc::clone(&state);
        let name = "hive talk".to_owned();
        let thread = std::thread::Builder::new().name(name).spawn(move || work(writer, &taken, &shared));
        let thread = thread.map_err(TalkError::io("starting a thread to write", path))?;
        let shown = Instant::now();
        let (jobs, thread, path) = (Some(jobs), Some(thread), path.to_path_buf());
        Ok(TalkLog { jobs, thread, state, path, pending, shown, held: false, heard: said, upto })
    }

    /// The file that it is written to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether all that was said before is said again: until then what was said decides what is, and nothing new may come in
    /// between.
    pub fn has_caught_up(&self) -> bool {
        self.heard >= self.upto || self.jobs.is_none()
    }

    /// Takes what a step gave out.
    pub fn hear(&mut self, messages: &[Message]) {
        for message in messages {
            self.heard = self.heard.max(message.id.0);
            // Behind a gap a block is shorter, and ends where it would have ended.
            if message.id.0 == start_of(message.id.0) && !self.pending.is_empty() {
                self.seal();
            }
            self.pending.push(message.clone());
            if message.id.0.is_multiple_of(BLOCK_MESSAGES) {
                self.seal();
            }
        }
    }

    fn seal(&mut self) {
        let room = Vec::with_capacity(BLOCK_MESSAGES as usize);
        let block = std::mem::replace(&mut self.pending, room);
        self.hand(TalkJob::Seal(block));
    }

    /// Lets those who read the log meanwhile have all that was said, if that was not just done; always, where the run waits.
    pub fn show(&mut self, waits: bool) {
        if !self.pending.is_empty() && (waits || self.shown.elapsed() >= SHOW_EVERY) {
            self.shown = Instant::now();
            self.hand(TalkJob::Show(self.pending.clone()));
        }
    }

    /// Nothing is written while the room on the disk is for what cannot be recomputed.
    pub fn hold(&mut self, held: bool) {
        if std::mem::replace(&mut self.held, held) != held {
            self.hand(TalkJob::Hold(held));
        }
    }

    /// Puts all that was said on disk: what comes after it can be said again from here. It is there once it was waited for.
    pub fn keep(&mut self) -> TalkOnDisk {
        let (done, written) = sync_channel(1);
        self.hand(TalkJob::Keep(self.pending.clone(), done));
        TalkOnDisk(written)
    }

    /// Puts all that was said into the log: the run is over.
    pub fn end(&mut self) {
        let (done, written) = sync_channel(1);
        self.hand(TalkJob::End(self.pending.clone(), done));
        let _ = written.recv();
    }

    /// What the operator must know, once.
    pub fn news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).news)
    }

    /// Whether what is said again is what was said. A log that cannot be written is let go, and that is told as news.
    pub fn check(&mut self) -> Result<(), TalkError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.failed.take() {
            Some(e @ TalkError::Differs { .. }) => Err(e),
            Some(e) => {
                state.news.push(format!("{e}; the run goes on, what it says from here on is not kept"));
                self.jobs = None;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn hand(&mut self, job: TalkJob) {
        if self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_err()) {
            self.jobs = None;
        }
    }
}

impl Drop for TalkLog {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Does what it is handed, in order, until nothing can come or something fails.
fn work(mut writer: BlockWriter, jobs: &Receiver<TalkJob>, state: &Mutex<TalkState>) {
    for job in jobs {
        let (result, done) = match job {
            TalkJob::Seal(messages) => (writer.seal(&messages), None),
            TalkJob::Show(messages) => (writer.show(&messages, false), None),
            TalkJob::Hold(held) => (writer.hold(held), None),
            TalkJob::Keep(messages, done) => (writer.show(&messages, true), Some(done)),
            TalkJob::End(messages, done) => (writer.end(&messages), Some(done)),
        };
        let is_over = result.is_err();
        {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.news.append(&mut writer.news);
            state.failed = state.failed.take().or(result.err());
        }
        if let Some(done) = done {
            let _ = done.send(());
        }
        if is_over {
            return;
        }
    }
}
