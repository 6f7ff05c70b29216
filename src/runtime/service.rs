//! Who is attached to a run: shows them what happens, takes what they ask, and holds up the engine for
//! neither.
//!
//! # Invariants
//!
//! 1. A command is journalled with who gave it, stamped with the time of the last event, stepped like any
//!    other event, and answered after the step (law 1).
//! 2. Clients cost the engine at most [`FRAMES_PER_S`] pictures a second, whoever watches.
//! 3. Waiting for the next bar never delays a command.
//! 4. Two pictures of one `seq` are the same picture.
//! 5. Of every barrier a moment is kept to go back to, as far as time and memory allow ([`super::snapshot_ring`]); what
//!    lies before them is fetched elsewhere ([`super::replay`]), and nobody waits for it here.

use super::keep::{JournaledCommand, KeepError};
use super::pace::NAP;
use super::prove::BackgroundProof;
use super::replay::{Archive, FAR, Lookup};
use super::snapshot_ring::SnapshotRing;
use super::stepper::Stepper;
use crate::domain::{AgentId, Command, Message, Outage, Span, Stamp};
use crate::market::Feed;
use crate::recorder::{RecordedRun, Recorder, operator};
use crate::talk::{NameTable, TalkHead};
use crate::view::delta::Delta;
use crate::view::operator::RunInfo;
use crate::view::{Cockpit, Past, When};
use crate::wire::hub::{ClientRequest, Hub, Peer, PendingRequest, Picture};
use crate::wire::message::ServerAnswer;
use crate::wire::queue::OrderQueue;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Most pictures a second: more than the eye asks for numbers.
pub const FRAMES_PER_S: u32 = 8;
/// From one look at the ways to a live venue to the next.
const LINKS_EVERY: Duration = Duration::from_millis(250);
/// Orders taken between two events, so that a flood of them cannot stop the market.
const ORDERS_A_STEP: usize = 16;
/// The last stretch of history of which every moment is kept, however fast it goes by, until the first bar is
/// waited for.
const LAST: Span = Span(8 * Span::DAY.0);

/// What is known of a run beside the engine.
#[derive(Clone, Debug)]
pub struct RunScenery {
    /// Facts of the run that scripts are told.
    pub status: RunInfo,
    /// Facts of the run that cockpits are shown.
    pub cockpit: RecordedRun,
    /// How fast it goes after the seam, in words.
    pub speed: String,
    /// Where history begins and ends, if some goes by first.
    pub history: Option<(Stamp, Stamp)>,
    /// Whether it stays to be looked at when the market has ended, until it is stopped.
    pub stays: bool,
}

/// Who is attached.
pub struct Clients<'a> {
    /// Whether it stays when the market has ended.
    pub stays: bool,
    hub: &'a Hub,
    orders: &'a OrderQueue,
    scenery: RunScenery,
    /// What was shown last.
    last: Option<Cockpit>,
    ring: SnapshotRing,
    /// What is before that; none where the run is not kept.
    pub archive: Option<Archive>,
    /// What hearing a message was worth; none where the run is not kept.
    pub proof: Option<BackgroundProof>,
    /// A bar was waited for.
    waited: bool,
    shown: Option<Instant>,
    /// When it was looked how the ways to a live venue are.
    looked: Option<Instant>,
    stopping: bool,
}

impl<'a> Clients<'a> {
    /// Of a hub and its orders. What the stepper does is recorded from here on.
    pub fn new(stepper: &mut Stepper<'_>, hub: &'a Hub, orders: &'a OrderQueue, scenery: RunScenery) -> Self {
        stepper.recorder = Some(Recorder::new(stepper.engine));
        Clients {
            stays: scenery.stays,
            hub,
            orders,
            scenery,
            last: None,
            ring: SnapshotRing::default(),
            archive: None,
            proof: None,
            waited: false,
            shown: None,
            looked: None,
            stopping: false,
        }
    }

    /// Whether somebody asked the process to end.
    pub fn stopping(&self) -> bool {
        self.stopping
    }

    /// A barrier has been stepped: history is glimpsed at, what is live is shown.
    pub fn barrier(&mut self, stepper: &Stepper<'_>, at: Stamp) {
        let scene = &mut self.scenery.cockpit;
        let left = self.scenery.history.filter(|(_, seam)| at < *seam);
        scene.progress = left.map(|(from, seam)| at.since(from).0 as f64 / seam.since(from).0.max(1) as f64);
        let caught_up = stepper.caught_up();
        match (left, caught_up) {
            (_, false) => "catching up",
            (Some(_), true) => "simulating history",
            (None, true) => &self.scenery.speed,
        }
        .clone_into(&mut scene.speed);
        let every = Duration::from_secs(1) / FRAMES_PER_S;
        if self.shown.is_none_or(|s| s.elapsed() >= every) {
            self.show(stepper);
        }
        let near = |seam: Stamp| seam.since(at).0 < LAST.0 && at.since(seam).0 < Span::DAY.0;
        let must = !self.waited && self.scenery.history.is_some_and(|(_, seam)| near(seam));
        if caught_up && (must || self.ring.has_time()) {
            self.keep(stepper);
        }
    }

    /// Looks how the ways to a live venue are, as often as that is told. Ages are shown with the next picture; what has changed
    /// otherwise makes one, and what has gone wrong is noted.
    pub fn look_at_links(&mut self, stepper: &mut Stepper<'_>, feed: &dyn Feed) {
        if self.looked.is_some_and(|l| l.elapsed() < LINKS_EVERY) {
            return;
        }
        self.looked = Some(Instant::now());
        let before = std::mem::replace(&mut self.scenery.cockpit.links, feed.links());
        let (Some(now), Some(recorder)) = (&self.scenery.cockpit.links, &mut stepper.recorder) else {
            return;
        };
        let trouble = before.as_ref().and_then(|b| b.trouble.as_ref());
        if now.trouble.as_ref() != trouble {
            let text = now
                .trouble
                .as_deref()
                .map_or("the venue answers again".to_owned(), |t| format!("the venue: {t}"));
            recorder.note(&text);
        }
        let known = before.as_ref().map_or(&[][..], |b| &b.outages);
        for outage in now.outages.iter().filter(|o| !known.contains(o)) {
            let Outage { name, from, to } = outage;
            recorder.note(&match to {
                None => format!("{name} is not heard of since {from}; nothing is decided on it"),
                Some(to) => format!("{name} is heard of again at {to}, after {}", to.since(*from)),
            });
        }
    }

    /// Keeps this moment to go back to.
    fn keep(&mut self, stepper: &Stepper<'_>) {
        let (Some(recorder), since) = (&stepper.recorder, Instant::now()) else { return };
        if self.ring.has(recorder.seq()) {
            return;
        }
        let shown = self.last.as_ref().filter(|l| l.seq == recorder.seq());
        let taken = if shown.is_none() {
            Some(recorder.picture(stepper.engine, &self.scenery.cockpit))
        } else {
            None
        };
        let Some(view) = shown.or(taken.as_ref()) else { return };
        let declared = 0..stepper.engine.cast().declared as u32;
        let pages: Vec<_> = declared.filter_map(|n| recorder.page(stepper.engine, AgentId(n))).collect();
        self.ring.keep(view, &pages, since);
    }

    /// Publishes, if there is anything that was not shown.
    pub fn show(&mut self, stepper: &Stepper<'_>) {
        let Some(recorder) = &stepper.recorder else { return };
        let seq = recorder.seq();
        if self.last.as_ref().is_some_and(|l| l.seq == seq) {
            return;
        }
        self.shown = Some(Instant::now());
        self.scenery.cockpit.clients = self.hub.clients() as u32;
        self.scenery.cockpit.doubt = stepper.doubt().map(str::to_owned);
        self.scenery.cockpit.kept = stepper.kept();
        let view = recorder.picture(stepper.engine, &self.scenery.cockpit);
        // Encoding plain data of bounded size into memory does not fail; if it ever did, clients would
        // be told nothing new rather than something wrong.
        let Ok(whole) = postcard::to_stdvec(&view) else { return };
        let change = self.last.as_ref().map(|last| Delta::between(last, &view));
        let change = change.and_then(|c| postcard::to_stdvec(&c).ok()).filter(|c| c.len() < whole.len());
        let mut status = operator::status(stepper.engine, &self.scenery.status, seq);
        status.kept.clone_from(&self.scenery.cockpit.kept);
        status.links.clone_from(&self.scenery.cockpit.links);
        if let Some(doubt) = &self.scenery.cockpit.doubt {
            status.because = Some(format!("{doubt}: hive ctl reset"));
        }
        let agents = operator::agents(stepper.engine);
        self.hub.publish(Picture { seq, view: whole, change, status, agents });
        self.last = Some(view);
    }

    /// Waits, taking orders as they come.
    pub fn wait(
        &mut self,
        stepper: &mut Stepper<'_>,
        until: Option<Instant>,
        stop: &AtomicBool,
    ) -> Result<(), KeepError> {
        self.hear(stepper)?;
        while !self.stopping
            && !stop.load(Ordering::Relaxed)
            && let Some(left) = until.and_then(|u| u.checked_duration_since(Instant::now()))
            && !left.is_zero()
        {
            // What history's last glimpse left out is not to wait for the next bar.
            self.show(stepper);
            self.waited = true;
            if self.ring.has_time() && stepper.caught_up() {
                // What stands on the screen can be come back to, commands included.
                self.keep(stepper);
            }
            if let Some(order) = self.orders.take_within(left.min(NAP)) {
                self.take(stepper, order)?;
            }
            stepper.heed_kill()?;
            stepper.heed_disk()?;
        }
        Ok(())
    }

    /// Takes the orders that are there; before anything has happened they wait.
    pub fn hear(&mut self, stepper: &mut Stepper<'_>) -> Result<(), KeepError> {
        if stepper.engine.now().is_none() {
            return Ok(());
        }
        for _ in 0..ORDERS_A_STEP {
            let Some(order) = self.orders.try_take() else { break };
            self.take(stepper, order)?;
        }
        Ok(())
    }

    /// The market has ended: what is there can be looked at until somebody stops it.
    pub fn stay(&mut self, stepper: &mut Stepper<'_>, stop: &AtomicBool) -> Result<(), KeepError> {
        if let Some(recorder) = &mut stepper.recorder {
            recorder.note("the market has ended; this is its last state (hive ctl stop ends the process)");
        }
        "the market has ended".clone_into(&mut self.scenery.cockpit.speed);
        self.scenery.cockpit.progress = None;
        while !self.stopping && !stop.load(Ordering::Relaxed) {
            self.wait(stepper, Instant::now().checked_add(NAP), stop)?;
        }
        Ok(())
    }

    fn take(&mut self, stepper: &mut Stepper<'_>, order: PendingRequest) -> Result<(), KeepError> {
        let Some(at) = stepper.engine.now() else {
            order.answer(ServerAnswer::Refused("nothing has happened yet; ask again in a moment".to_owned()));
            return Ok(());
        };
        let peer = order.peer;
        match order.wish {
            ClientRequest::Page(agent) => {
                let page = stepper.recorder.as_ref().and_then(|r| r.page(stepper.engine, agent));
                order.answer(page.map_or_else(
                    || ServerAnswer::Refused(format!("there is no agent {}", agent.0)),
                    |page| ServerAnswer::Page(Box::new(page)),
                ));
            }
            ClientRequest::Past(when, agent) => {
                order.answer(self.past(when, agent, at, stepper.engine.settings().clock.decide));
            }
            ClientRequest::Without(message) => {
                let now = (stepper.stats.events, stepper.stats.commands);
                order.answer(self.proof.as_ref().map_or_else(
                    not_kept,
                    |proof| match proof.find(message, now) {
                        None => ServerAnswer::Fetching(0),
                        Some(told) => told.map_or_else(ServerAnswer::Refused, ServerAnswer::Told),
                    },
                ));
            }
            ClientRequest::Talk => {
                let last = recorded(stepper);
                let head = TalkHead { run: Vec::new(), names: NameTable::of(stepper.engine) };
                let log = stepper.talk.as_ref().and_then(|talk| std::path::absolute(talk.path()).ok());
                let log = log.map(|path| path.to_string_lossy().into_owned());
                order.answer(match head.with(&last) {
                    Ok(last) => ServerAnswer::Talk { last, log },
                    Err(why) => ServerAnswer::Refused(why),
                });
            }
            ClientRequest::Stop => {
                stepper.stop(&given(stepper, peer, at, None))?;
                tracing::info!(pid = peer.pid, uid = peer.uid, "a client asked the process to end");
                self.stopping = true;
                order.answer(ServerAnswer::Stopping);
            }
            ClientRequest::Command(command) => {
                let changed = stepper.command(&given(stepper, peer, at, Some(command)))?;
                // A pointer: the journal has it, with who gave it.
                let events = stepper.stats.events;
                tracing::info!(pid = peer.pid, uid = peer.uid, events, %at, changed, "command: {command:?}");
                self.show(stepper);
                let seq = stepper.recorder.as_ref().map_or(0, Recorder::seq);
                order.answer(ServerAnswer::Done { changed, at, seq });
            }
        }
        Ok(())
    }
}

fn not_kept() -> ServerAnswer {
    let why = "this run is not kept, and cannot be lived again from here: start it with --state, or type hive prove \
               --message and the number, with the options of the run";
    ServerAnswer::Refused(why.to_owned())
}

/// Where a moment is.
enum HistoryWay {
    /// The ring in memory answers: with it, or with why there is none.
    Near(When),
    /// At or before this time, in the journal.
    Far(Stamp),
}

impl Clients<'_> {
    fn past(&self, when: When, agent: Option<AgentId>, now: Stamp, clock: Span) -> ServerAnswer {
        let kept = self.archive.as_ref().filter(|_| self.ring.oldest().is_some());
        let way = kept.map_or(HistoryWay::Near(when), |archive| self.way(archive, when, now, clock));
        match (way, kept) {
            (HistoryWay::Far(at), Some(archive)) => match archive.find(at, now, agent) {
                Lookup::Past(past) => ServerAnswer::Past(past),
                Lookup::Fetching(share) => ServerAnswer::Fetching(share),
                Lookup::Refused(why) => ServerAnswer::Refused(why),
            },
            (HistoryWay::Near(when), archive) => {
                self.ring.find(when, agent).map_or_else(ServerAnswer::Refused, |past| {
                    ServerAnswer::Past(Box::new(Past { journal: archive.is_some(), ..past }))
                })
            }
            (HistoryWay::Far(at), None) => ServerAnswer::Refused(format!("nothing of {at} is kept")),
        }
    }

    /// Whether a moment is in memory, and if not, its time. Where history flew by there are holes in memory.
    fn way(&self, archive: &Archive, when: When, now: Stamp, clock: Span) -> HistoryWay {
        let oldest = self.ring.oldest().unwrap_or(now);
        let kept = |at: Stamp| self.ring.newest(at).is_some_and(|k| at.since(k).0 < 2 * clock.0);
        let later = |at: Stamp, by: i64| Stamp(at.0.saturating_add(by.saturating_mul(clock.0)));
        let at = match when {
            When::At(at) => at,
            When::Step { seq, by } if seq >= FAR => match archive.step(seq, by) {
                Some((here, beside)) => beside.unwrap_or(later(here, by.into())),
                // It was fetched for somebody else meanwhile.
                None => return HistoryWay::Near(When::At(oldest)),
            },
            When::Step { seq, by } => match self.ring.beyond(seq, by) {
                0 => return HistoryWay::Near(when),
                n => later(oldest, -n),
            },
        };
        if kept(at) || at > now { HistoryWay::Near(When::At(at)) } else { HistoryWay::Far(at) }
    }
}

fn recorded(stepper: &Stepper<'_>) -> Vec<Message> {
    stepper.recorder.iter().flat_map(Recorder::messages).cloned().collect()
}

fn given(stepper: &Stepper<'_>, peer: Peer, at: Stamp, command: Option<Command>) -> JournaledCommand {
    JournaledCommand { events: stepper.stats.events, at, command, uid: peer.uid, pid: peer.pid, why: None }
}
