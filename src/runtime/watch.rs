//! A swarm on a thread of this process, as a [`Link`]: history goes by as fast as it can, then one bar
//! at a time, slowly enough to watch. The thread ends with the link.
//!
//! # Invariants
//!
//! 1. The engine never waits for who watches: pictures that were not taken are replaced.
//! 2. What this version cannot do is answered so; nothing is pretended.

use super::feeds::{self, FeedOptions, FeedSpec};
use super::setup;
use crate::config::Config;
use crate::domain::{AgentId, Command, Event, Span, Stamp};
use crate::engine::{Engine, Outputs};
use crate::market::feed::{Feed, FeedMode};
use crate::view::cockpit::{AgentPage, Cockpit, MarketMode};
use crate::view::link::{Answer, Link, News, REQUESTS_MAX, Request, SendError};
use crate::view::recorder::{Recorder, Scene};
use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Days of the embedded market that lie behind the seam, to be lived through bar by bar.
pub const AHEAD_DAYS: u32 = 3_650;
/// Share of a recorded history that is behind when watching begins.
const BEHIND: f64 = 0.8;
/// Between two pictures of history.
const GLIMPSE: Duration = Duration::from_millis(100);
/// Answers kept for who watches.
const ANSWERS_MAX: usize = REQUESTS_MAX;

/// What is waiting to be taken.
#[derive(Default)]
struct Mailbox {
    picture: Option<Box<Cockpit>>,
    page: Option<Box<AgentPage>>,
    answers: VecDeque<Answer>,
    ended: Option<String>,
}

/// The link.
pub struct LocalLink {
    mail: Arc<Mutex<Mailbox>>,
    requests: SyncSender<Request>,
    heard: Option<Instant>,
}

struct Swarm {
    engine: Engine,
    recorder: Recorder,
    scene: Scene,
    out: Outputs,
    looked_at: Option<AgentId>,
    /// When the last picture was taken.
    shown: Option<Instant>,
    mail: Arc<Mutex<Mailbox>>,
    requests: Receiver<Request>,
}

impl LocalLink {
    /// Opens the feed on a thread of its own and starts. `bar` is the time on the wall between two
    /// bars, once history is behind.
    pub fn start(config: Config, mut feed: FeedOptions, bar: Duration) -> Result<Self, String> {
        let mail = Arc::new(Mutex::new(Mailbox::default()));
        let (requests, asked) = mpsc::sync_channel(REQUESTS_MAX);
        let (opened, ready) = mpsc::sync_channel(1);
        let theirs = Arc::clone(&mail);
        let behind = (feed.spec == FeedSpec::Synth).then_some(feed.days);
        feed.days = behind.map_or(feed.days, |days| days.saturating_add(AHEAD_DAYS));
        let run = move || {
            let mut feed = match feeds::open(&feed) {
                Ok(feed) => feed,
                Err(e) => return drop(opened.send(Err(e.to_string()))),
            };
            let swarm = Swarm::new(&config, feed.as_ref(), theirs, asked);
            // If nobody waits any more, nobody watches.
            if opened.send(Ok(())).is_ok() {
                swarm.live(feed.as_mut(), behind, bar);
            }
        };
        let named = std::thread::Builder::new().name("swarm".to_owned());
        named.spawn(run).map_err(|e| format!("starting the swarm's thread: {e}"))?;
        let gone = |_| "the swarm's thread ended before the market was open".to_owned();
        ready.recv().map_err(gone)??;
        Ok(LocalLink { mail, requests, heard: None })
    }
}

impl Link for LocalLink {
    fn poll(&mut self) -> Option<News> {
        // A thread that panicked while it held the mail has left it whole: every change is one move.
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(picture) = mail.picture.take() {
            self.heard = Some(Instant::now());
            return Some(News::Cockpit(picture));
        }
        let page = mail.page.take().map(News::Page);
        let next = page.or_else(|| mail.answers.pop_front().map(News::Answer));
        next.or_else(|| mail.ended.take().map(News::Ended))
    }

    fn send(&mut self, request: Request) -> Result<(), SendError> {
        self.requests.try_send(request).map_err(|e| match e {
            TrySendError::Full(_) => SendError::Busy,
            TrySendError::Disconnected(_) => SendError::Gone,
        })
    }

    fn age(&self) -> Option<Duration> {
        self.heard.map(|h| h.elapsed())
    }
}

/// Who watched has left.
struct Left;

impl Swarm {
    fn new(config: &Config, feed: &dyn Feed, mail: Arc<Mutex<Mailbox>>, requests: Receiver<Request>) -> Self {
        let settings = setup::settings(config);
        let engine = Engine::new(&config.roster, feed.universe(), &settings, config.seed);
        let info = feed.info();
        let scene = Scene {
            hive: config.name.clone(),
            currency: config.currency.clone(),
            mode: match info.mode {
                FeedMode::Synth => MarketMode::Synth,
                FeedMode::History => MarketMode::History,
            },
            feed: info.name.clone(),
            speed: String::new(),
            progress: None,
        };
        let recorder = Recorder::new(&engine);
        Swarm {
            engine,
            recorder,
            scene,
            out: Outputs::default(),
            looked_at: None,
            shown: None,
            mail,
            requests,
        }
    }

    /// Lives through the feed; ends with it or with who watches.
    fn live(mut self, feed: &mut dyn Feed, behind: Option<u32>, bar: Duration) {
        let info = feed.info().clone();
        let length = info.to.since(info.from).0 as f64;
        let seam = behind.map_or_else(
            || info.from.after(Span((length * BEHIND) as i64)),
            |days| info.from.after(Span(Span::DAY.0 * i64::from(days))),
        );
        let slow = format!("{} every {:.1} s", info.clock, bar.as_secs_f64());
        let ended = loop {
            let event = match feed.next() {
                Ok(Some(event)) => event,
                Ok(None) => break "the market has ended; this is its last state".to_owned(),
                Err(e) => break format!("the market cannot be read on: {e}"),
            };
            self.step(&event);
            if let Event::Barrier(at) = event
                && self.barrier(at, info.from, seam, &slow, bar).is_err()
            {
                return;
            }
        };
        self.show();
        self.with_mail(|m| m.ended = Some(ended));
        // The last state can still be looked at.
        while let Ok(request) = self.requests.recv() {
            self.answer(request);
            self.show();
        }
    }

    fn step(&mut self, event: &Event) {
        self.engine.step(event, &mut self.out);
        self.recorder.observe(&self.engine, event, &self.out);
    }

    fn barrier(
        &mut self,
        at: Stamp,
        from: Stamp,
        seam: Stamp,
        slow: &str,
        bar: Duration,
    ) -> Result<(), Left> {
        let start = Instant::now();
        if at < seam {
            let done = at.since(from).0 as f64 / seam.since(from).0.max(1) as f64;
            self.scene.progress = Some(done);
            "simulating history".clone_into(&mut self.scene.speed);
            self.glimpse(start);
            return self.asked();
        }
        self.scene.progress = None;
        slow.clone_into(&mut self.scene.speed);
        self.show();
        while let Some(left) = bar.checked_sub(start.elapsed()) {
            match self.requests.recv_timeout(left) {
                Ok(request) => {
                    self.answer(request);
                    self.show();
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Err(Left),
            }
        }
        self.asked()
    }

    /// A picture of history now and then: when the last was taken and is old enough.
    fn glimpse(&mut self, now: Instant) {
        let due = self.shown.is_none_or(|s| now.duration_since(s) >= GLIMPSE);
        if due {
            self.show();
        }
    }

    fn asked(&mut self) -> Result<(), Left> {
        loop {
            match self.requests.try_recv() {
                Ok(request) => self.answer(request),
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(Left),
            }
        }
    }

    fn show(&mut self) {
        self.shown = Some(Instant::now());
        let picture = Box::new(self.recorder.picture(&self.engine, &self.scene));
        let page = self.looked_at.and_then(|a| self.recorder.page(&self.engine, a)).map(Box::new);
        self.with_mail(|m| {
            m.picture = Some(picture);
            m.page = page;
        });
    }

    fn with_mail(&self, change: impl FnOnce(&mut Mailbox)) {
        change(&mut self.mail.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn answer(&mut self, request: Request) {
        let result = match request {
            Request::Look(agent) => {
                self.looked_at = agent;
                return;
            }
            Request::Mute(agent) => Ok((Command::Mute(agent), format!("{} is muted", self.name(agent)))),
            Request::Unmute(agent) => {
                Ok((Command::Unmute(agent), format!("{} is heard again", self.name(agent))))
            }
            Request::Reset => Ok((Command::Reset, "breaker and kill switch are released".to_owned())),
            Request::Pause(Some(agent)) => {
                Ok((Command::Pause(agent), format!("{} takes no new risk", self.name(agent))))
            }
            Request::Resume(Some(agent)) => {
                Ok((Command::Resume(agent), format!("{} goes on", self.name(agent))))
            }
            Request::Pause(None) => Ok((Command::PauseAll, "nobody takes new risk".to_owned())),
            Request::Resume(None) => Ok((Command::ResumeAll, "everybody goes on".to_owned())),
            Request::Unfund(agent) => {
                Ok((Command::Unfund(agent), format!("{} gives its funds back", self.name(agent))))
            }
            Request::Kill => Ok((Command::Kill, "killed: only reductions pass until it is reset".to_owned())),
            Request::Fund(agent) => {
                Ok((Command::Fund(agent), format!("{} gets funds by its points", self.name(agent))))
            }
            Request::DrainAll => Ok((Command::DrainAll, "real positions may only shrink".to_owned())),
            Request::Flatten => Ok((Command::Flatten, "everything is closed".to_owned())),
            Request::Stop => Err("ending the swarm from here is"),
        };
        let result = match result {
            Ok((command, done)) => {
                let before = self.engine.respond.interventions;
                self.step(&Event::Command(self.engine.now().unwrap_or(Stamp(0)), command));
                let changed = self.engine.respond.interventions > before;
                if changed { Ok(done) } else { Err("nothing to change: it is so already".to_owned()) }
            }
            Err(what) => Err(format!("{what} not in this version; nothing was changed")),
        };
        self.with_mail(|m| {
            if m.answers.len() == ANSWERS_MAX {
                m.answers.pop_front();
            }
            m.answers.push_back(Answer { request, result });
        });
    }

    fn name(&self, agent: AgentId) -> String {
        let found = self.engine.cast().agents.get(agent.index());
        found.map_or_else(|| format!("agent {}", agent.0), |a| a.name.clone())
    }
}
