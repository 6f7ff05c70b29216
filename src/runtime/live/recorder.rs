//! Writes the tape of a live market: hears sockets and answers, has them joined, and puts what is told on disk.

use super::clock::VenueClock;
use super::tape_file::TapeOnDisk;
use crate::domain::{LinkState, LiveLinks, Outage, Span, Stamp, StreamHealth};
use crate::venues::arrival::{Arrival, ArrivalKind, SocketState};
use crate::venues::codec::{RestAsk, VenueError};
use crate::venues::event::PublicEvent;
use crate::venues::joiner::Joiner;
use crate::venues::supervisor::Supervisor;
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long the recorder waits for an arrival before it looks at the clock.
const NAP: Duration = Duration::from_millis(5);
/// Arrivals that are heard before the clock is looked at again.
const AT_ONCE: usize = 4_096;
/// Questions that wait for the one that is being asked.
const QUESTIONS: usize = 64;
/// How often the venue is asked what time it is.
const SYNC_EVERY: Duration = Duration::from_secs(900);
/// How often what is known of the links is told.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// How often the rest after a question that was not answered is doubled at most: to sixty-four times the first.
const DOUBLED: u32 = 6;

/// Asks by REST, and waits for the answer.
pub(super) type Asker = Box<dyn FnMut(&RestAsk) -> Result<Vec<PublicEvent>, VenueError> + Send>;

/// An answer, or why there is none, with what was asked, and when it came.
type Answered = (RestAsk, Result<Vec<PublicEvent>, VenueError>, Instant);

/// What writes a tape.
pub(super) struct TapeRecorder {
    pub tape: TapeOnDisk,
    pub joiner: Joiner,
    /// The venue's time; none until the venue has said it.
    pub clock: Option<VenueClock>,
    /// How much faster than this machine the venue lives.
    pub rate: f64,
    /// A socket's name, by its number.
    pub sockets: Vec<String>,
    /// Nothing is told of what comes after this moment.
    pub end: Option<Stamp>,
    /// Rest after a question that was not answered; it grows to sixty times that.
    pub rest: Duration,
}

impl TapeRecorder {
    /// Has everything told that can be told now, and puts it on disk; says what has to be asked.
    fn go_on(&mut self) -> io::Result<Vec<RestAsk>> {
        let Some(now) = self.now() else { return Ok(vec![RestAsk::ServerTime]) };
        let asks = self.joiner.tick(self.end.map_or(now, |end| end.min(now)));
        let events = self.joiner.take();
        if !events.is_empty() {
            self.tape.append(&events)?;
        }
        Ok(asks)
    }

    /// Now, at the venue; never before what was told. None until the venue has said what time it is.
    fn now(&self) -> Option<Stamp> {
        self.clock.map(|clock| clock.now().max(self.joiner.told()))
    }

    /// Fetches history until `until` is told, asking one thing after the other. `say` is told what goes wrong and how far it is.
    pub fn fetch(
        &mut self,
        asker: &mut Asker,
        until: Stamp,
        say: &mut dyn FnMut(FetchNews<'_>),
    ) -> io::Result<()> {
        let mut failed = 0;
        while self.joiner.told() < until {
            for ask in self.go_on()? {
                match asker(&ask) {
                    Ok(events) => {
                        self.joiner.answer(&ask, &events);
                        self.joiner.may_ask_again(&ask);
                        failed = 0;
                    }
                    Err(e) => {
                        say(FetchNews::Trouble(&e));
                        self.joiner.may_ask_again(&ask);
                        std::thread::sleep(self.rest * (1 << failed));
                        failed = DOUBLED.min(failed + 1);
                    }
                }
                say(FetchNews::Told(self.joiner.told()));
            }
        }
        Ok(())
    }
}

/// What time the venue says it is, if it says so.
pub(super) fn server_time(events: &[PublicEvent]) -> Option<Stamp> {
    events.iter().find_map(|e| if let PublicEvent::ServerTime(at) = e { Some(*at) } else { None })
}

/// What is to be said while history is fetched.
pub(super) enum FetchNews<'a> {
    /// Bars until here are on the tape.
    Told(Stamp),
    /// The venue did not answer.
    Trouble(&'a VenueError),
}

/// What the recorder tells those who watch.
#[derive(Default)]
struct ToldLinks {
    links: Mutex<LiveLinks>,
    failed: Mutex<Option<String>>,
    stop: AtomicBool,
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A recorder at work, until it is dropped.
pub(super) struct TapeThread {
    shared: Arc<ToldLinks>,
    tape: String,
    threads: Vec<JoinHandle<()>>,
}

impl TapeThread {
    /// Goes on recording. The supervisor lives as long as it does.
    pub fn start(
        name: String,
        recorder: TapeRecorder,
        asker: Asker,
        (supervisor, arrivals): (Supervisor, Receiver<Arrival>),
    ) -> io::Result<Self> {
        let shared = Arc::new(ToldLinks::default());
        let (asks, asked) = sync_channel(QUESTIONS);
        let (answer, answers) = sync_channel(QUESTIONS);
        let (stop, rest) = (Arc::clone(&shared), recorder.rest);
        let asking = std::thread::Builder::new()
            .name("venue-rest".to_owned())
            .spawn(move || ask((asker, rest), &asked, &answer, &stop.stop))?;
        let told = Arc::clone(&shared);
        let recording = std::thread::Builder::new().name("venue-tape".to_owned()).spawn(move || {
            let mut running = RecordingLoop::new(recorder, asks, answers);
            if let Err(e) = running.run(&arrivals, &told) {
                tracing::error!("the tape of the market cannot be written on: {e}");
                *locked(&told.failed) = Some(format!("it cannot be written on: {e}"));
            }
            drop(supervisor);
        })?;
        Ok(TapeThread { shared, tape: name, threads: vec![recording, asking] })
    }

    /// How the links are.
    pub fn links(&self) -> LiveLinks {
        locked(&self.shared.links).clone()
    }

    /// Why nothing more comes, if nothing does.
    pub fn failed(&self) -> Option<String> {
        locked(&self.shared.failed).clone()
    }

    /// Name of the tape.
    pub fn tape(&self) -> &str {
        &self.tape
    }
}

impl Drop for TapeThread {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // The one that asks may be in the middle of a question; nothing is lost with it.
        if let Some(recording) = self.threads.drain(..).next() {
            let _ = recording.join();
        }
    }
}

/// Asks one question after the other; one that is not answered lets the next wait.
fn ask(
    (mut asker, rest): (Asker, Duration),
    asked: &Receiver<RestAsk>,
    answers: &SyncSender<Answered>,
    stop: &AtomicBool,
) {
    let mut failed = 0;
    while let Ok(question) = asked.recv() {
        let answer = asker(&question);
        let has_failed = answer.is_err();
        if answers.send((question, answer, Instant::now())).is_err() || stop.load(Ordering::Relaxed) {
            break;
        }
        if has_failed {
            std::thread::sleep(rest * (1 << failed));
            failed = DOUBLED.min(failed + 1);
        } else {
            failed = 0;
        }
    }
}

/// What a question is about: of each topic one is open at a time, whatever part of it is asked for.
fn topic(ask: &RestAsk) -> (&'static str, String) {
    match ask {
        RestAsk::Klines { symbol, .. } => ("bars", symbol.clone()),
        RestAsk::Fundings { symbol, .. } => ("settlements", symbol.clone()),
        RestAsk::Depth { symbol } => ("book", symbol.clone()),
        RestAsk::Rules { asset } => ("rules", asset.clone()),
        RestAsk::ServerTime => ("time", String::new()),
        RestAsk::Marks => ("marks", String::new()),
    }
}

/// A recorder with what it hears of.
struct RecordingLoop {
    recorder: TapeRecorder,
    asks: SyncSender<RestAsk>,
    answers: Receiver<Answered>,
    /// Topics of the questions that are not answered yet.
    open: BTreeSet<(&'static str, String)>,
    sockets: Vec<(SocketState, Option<Stamp>)>,
    undecoded: u64,
    trouble: Option<String>,
    told: Option<Instant>,
    /// When the venue said last what time it is.
    synced: Option<Instant>,
}

impl RecordingLoop {
    fn new(recorder: TapeRecorder, asks: SyncSender<RestAsk>, answers: Receiver<Answered>) -> Self {
        let sockets = vec![(SocketState::Connecting, None); recorder.sockets.len()];
        let recorder_has_time = recorder.clock.is_some();
        RecordingLoop {
            recorder,
            asks,
            answers,
            open: BTreeSet::new(),
            sockets,
            undecoded: 0,
            trouble: None,
            told: None,
            synced: recorder_has_time.then(Instant::now),
        }
    }

    fn run(&mut self, arrivals: &Receiver<Arrival>, shared: &ToldLinks) -> io::Result<()> {
        while !shared.stop.load(Ordering::Relaxed) {
            match arrivals.recv_timeout(NAP) {
                Ok(arrival) => self.hear(arrival),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::other("the sockets' thread has ended"));
                }
            }
            for _ in 0..AT_ONCE {
                match arrivals.try_recv() {
                    Ok(arrival) => self.hear(arrival),
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                }
            }
            self.hear_answers();
            for ask in self.recorder.go_on()? {
                self.ask(ask);
            }
            if self.synced.is_some_and(|s| s.elapsed() >= SYNC_EVERY) {
                self.ask(RestAsk::ServerTime);
            }
            if self.told.is_none_or(|t| t.elapsed() >= TELL_EVERY) {
                self.told = Some(Instant::now());
                *locked(&shared.links) = self.links();
            }
        }
        Ok(())
    }

    fn hear(&mut self, arrival: Arrival) {
        let Arrival { socket, what, .. } = arrival;
        let now = self.recorder.now();
        let Some((state, heard)) = self.sockets.get_mut(socket) else { return };
        match what {
            ArrivalKind::Event(event) => {
                // Before the venue's time is known nothing can be joined; what is missed is asked for.
                let Some(now) = now else { return };
                *heard = Some(now);
                if let PublicEvent::Refused { code, text, .. } = &event {
                    self.trouble = Some(format!("the venue refuses a subscription ({code}): {text}"));
                }
                self.recorder.joiner.hear(now, socket, &event);
            }
            ArrivalKind::Undecoded { why } => {
                self.undecoded += 1;
                if self.undecoded.is_power_of_two() {
                    tracing::warn!(count = self.undecoded, "a message was not read: {why}");
                }
            }
            ArrivalKind::Link(to) => {
                self.recorder.joiner.link(socket, &to);
                let name = &self.recorder.sockets[socket];
                match &to {
                    SocketState::Up => tracing::info!("socket {name} is up"),
                    SocketState::Connecting => {}
                    SocketState::Silent { after } => tracing::warn!("socket {name}: nothing for {after}"),
                    SocketState::Down { why, retry_in } => {
                        tracing::warn!("socket {name} is down: {why}; again in {retry_in}");
                    }
                }
                *state = to;
            }
            ArrivalKind::Lost { count } => {
                tracing::warn!(count, "messages came faster than they could be written, and were left out");
            }
        }
    }

    fn hear_answers(&mut self) {
        while let Ok((ask, answer, came)) = self.answers.try_recv() {
            self.open.remove(&topic(&ask));
            match answer {
                Ok(events) => {
                    if let Some(at) = server_time(&events) {
                        self.recorder.clock = Some(VenueClock::said(at, came, self.recorder.rate));
                        self.synced = Some(Instant::now());
                    }
                    self.recorder.joiner.answer(&ask, &events);
                    self.trouble = None;
                }
                Err(e) => {
                    tracing::warn!("{e}");
                    self.trouble = Some(e.to_string());
                }
            }
        }
    }

    /// One question of a kind at a time; what does not fit is asked again in a moment.
    fn ask(&mut self, ask: RestAsk) {
        let topic = topic(&ask);
        if self.open.contains(&topic) {
            return;
        }
        match self.asks.try_send(ask) {
            Ok(()) => {
                self.open.insert(topic);
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }

    fn links(&self) -> LiveLinks {
        let now = self.recorder.now();
        let age = |heard: Option<Stamp>| heard.zip(now).map(|(at, now)| Span(now.since(at).0.max(0)));
        let names = self.recorder.sockets.iter().zip(&self.sockets);
        let sockets = names.map(|(name, (state, heard))| StreamHealth {
            name: name.clone(),
            state: match state {
                SocketState::Up => LinkState::Up,
                SocketState::Silent { .. } => LinkState::Stale,
                SocketState::Connecting | SocketState::Down { .. } => LinkState::Down,
            },
            age: age(*heard),
        });
        let symbols = self.recorder.joiner.health(now).map(|(name, state, heard)| StreamHealth {
            name: name.to_owned(),
            state,
            age: age(heard),
        });
        let counts = self.recorder.joiner.counts();
        let outage =
            |s: &crate::venues::joiner::Silence| Outage { name: s.symbol.clone(), from: s.from, to: s.to };
        LiveLinks {
            streams: sockets.chain(symbols).collect(),
            outages: counts.silences.iter().map(outage).collect(),
            late_bars: counts.late_bars,
            undecoded: self.undecoded,
            trouble: self.trouble.clone(),
        }
    }
}
