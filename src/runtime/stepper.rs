//! The one place where a run's events are stepped: engine, what it has to tell, what keeps it and what
//! records it stay together here, whether it is served, paced, resumed or none of these.
//!
//! # Invariants
//!
//! 1. A command is on disk, with who gave it, before it acts.
//! 2. A resumed run gets the commands of the first time after the same events of the feed, and no new one
//!    before it has caught up with all that is known of the first.

use super::disk_room::RoomChange;
use super::keep::{JournaledCommand, KeepError, Keeper};
use super::kill::KillSwitch;
use super::stats::{DISK_FULL, HALT_OVER, RunStats};
use crate::domain::{Command, Event, MarketEvent, Stamp};
use crate::engine::{Engine, Outputs};
use crate::market::feed::Feed;
use crate::recorder::{Recorder, TradeLog};
use crate::talk::{TalkLog, TalkOnDisk};
use crate::view::operator::KeptSpace;

/// Engine and company.
pub struct Stepper<'a> {
    /// The engine that takes the events.
    pub engine: &'a mut Engine,
    /// What it has to tell.
    pub stats: RunStats,
    /// What the last step gave out.
    pub out: Outputs,
    /// Keeps it, if it is kept.
    pub keeper: Option<&'a mut Keeper>,
    /// Remembers what cockpits show, if it is watched.
    pub recorder: Option<Recorder>,
    /// Keeps what is said, if that is wanted.
    pub talk: Option<TalkLog>,
    /// Lists trades, if that is wanted ([`Stepper::list_trades`]).
    pub trades: Option<TradeLog>,
    /// The kill switch's ways beside the socket.
    pub kill: Option<KillSwitch>,
    /// Why it is to be halted, until it is: the disk is full.
    full: Option<String>,
}

impl<'a> Stepper<'a> {
    /// A run that goes on from `told`.
    pub fn new(engine: &'a mut Engine, stats: RunStats, keeper: Option<&'a mut Keeper>) -> Self {
        let out = Outputs::default();
        Stepper {
            engine,
            stats,
            out,
            keeper,
            recorder: None,
            talk: None,
            trades: None,
            kill: None,
            full: None,
        }
    }

    /// Lists what is traded from here on.
    pub fn list_trades(&mut self) {
        self.trades = Some(TradeLog::new(self.engine));
        self.out.booked = Some(Vec::new());
    }

    /// Steps an event that was just taken from the feed. Tells the stamp if it was a barrier that counted.
    pub fn market(&mut self, event: &Event, feed: &dyn Feed) -> Result<Option<Stamp>, KeepError> {
        self.stats.events += 1;
        self.step(event);
        if !self.out.accepted {
            self.stats.refused += 1;
            self.replay()?;
            return Ok(None);
        }
        match event {
            Event::Market(MarketEvent::Bar { .. }) => self.stats.bars += 1,
            Event::Barrier(at) => {
                self.stats.from.get_or_insert(*at);
                self.stats.barriers += 1;
            }
            _ => {}
        }
        let barrier = if let Event::Barrier(at) = event { Some(*at) } else { None };
        let events = self.stats.events;
        if let Some(keeper) = self.keeper.as_mut().filter(|_| barrier.is_some()) {
            keeper.look_at_clock();
        }
        if barrier.is_some() || self.keeper.as_ref().is_some_and(|k| k.is_due_by_events(events)) {
            let talk = self.keep_talk()?;
            if let Some(keeper) = &mut self.keeper {
                keeper.barrier(self.engine, &self.stats, feed, talk)?;
            }
        }
        self.replay()?;
        Ok(barrier)
    }

    /// What was said comes on disk before the checkpoint after it, so that a run which goes on from there has all of it.
    fn keep_talk(&mut self) -> Result<Option<TalkOnDisk>, KeepError> {
        let Some(talk) = &mut self.talk else { return Ok(None) };
        talk.check()?;
        let Some(keeper) = &self.keeper else { return Ok(None) };
        talk.hold(keeper.is_full());
        Ok(keeper.is_due(&self.stats).then(|| talk.keep()))
    }

    /// What the operator must know of what is kept, once.
    pub fn news(&mut self) -> Vec<String> {
        let mut news = self.keeper.as_mut().map(|k| k.news()).unwrap_or_default();
        news.extend(self.talk.iter_mut().flat_map(TalkLog::news));
        news
    }

    /// Lets those who read what is said meanwhile have it; all of it where the run waits.
    pub fn show_talk(&mut self, waits: bool) {
        self.talk.iter_mut().for_each(|talk| talk.show(waits));
    }

    /// The run is over, or stops: all that was said is on disk.
    pub fn end_talk(&mut self, is_over: bool) -> Result<(), KeepError> {
        let Some(talk) = &mut self.talk else { return Ok(()) };
        if is_over {
            talk.end();
        } else {
            talk.keep().wait();
        }
        Ok(talk.check()?)
    }

    /// Journals a command and steps it. Tells whether it changed anything.
    pub fn command(&mut self, given: &JournaledCommand) -> Result<bool, KeepError> {
        if let Some(keeper) = &mut self.keeper {
            keeper.journal_command(given)?;
        }
        Ok(self.act(given))
    }

    /// Acts on the kill switch if it was thrown by a way of its own; not while a past is lived through again, nor before
    /// anything has happened.
    pub fn heed_kill(&mut self) -> Result<(), KeepError> {
        if !self.kill.as_mut().is_some_and(KillSwitch::is_thrown) || !self.caught_up() {
            return Ok(());
        }
        let Some(at) = self.engine.now() else { return Ok(()) };
        let Some(way) = self.kill.as_mut().and_then(KillSwitch::take) else { return Ok(()) };
        let (uid, pid) = (rustix::process::geteuid().as_raw(), std::process::id() as i32);
        let changed = self.command(&JournaledCommand {
            events: self.stats.events,
            at,
            command: Some(Command::Kill),
            uid,
            pid,
            why: None,
        })?;
        tracing::warn!(%at, changed, "the kill switch was thrown {way}");
        if let Some(recorder) = &mut self.recorder {
            recorder.note(&format!("the kill switch was thrown {way}"));
        }
        Ok(())
    }

    /// Halts once the disk is full, while that can still be journalled; what was kept before is whole. Ends that halt when there
    /// is room again, unless somebody threw the kill switch meanwhile, or the breaker is latched.
    pub fn heed_disk(&mut self) -> Result<(), KeepError> {
        let Some(keeper) = &mut self.keeper else { return Ok(()) };
        match keeper.look_at_room() {
            Some(RoomChange::Full(left)) => {
                let left = left >> 10;
                self.full = Some(format!(
                    "{DISK_FULL}{left} KB are left; only reductions pass, and only commands are kept"
                ));
            }
            Some(RoomChange::Again(_)) => self.full = None,
            None => {}
        }
        let has_room = keeper.has_room();
        let account = &self.engine.respond.real.account;
        let (is_killed, is_latched) = (account.hand.is_killed(), account.breaker.latched().is_some());
        let (true, Some(at)) = (self.caught_up(), self.engine.now()) else { return Ok(()) };
        if let Some(why) = self.full.take() {
            // One that is halted is halted, and the room is for what would be news.
            if is_killed {
                return Ok(());
            }
            tracing::error!(%at, "halted: {why}");
            return self.halt(at, Command::Kill, why);
        }
        let is_ours = self.doubt().is_some_and(|why| why.starts_with(DISK_FULL));
        if has_room && is_ours && !is_latched {
            let why = format!("{HALT_OVER}the disk has room again, and new risk is taken");
            tracing::warn!(%at, "{why}");
            return self.halt(at, Command::Reset, why);
        }
        Ok(())
    }

    /// Throws the kill switch, or releases it, in the program's own name.
    fn halt(&mut self, at: Stamp, command: Command, why: String) -> Result<(), KeepError> {
        let (uid, pid) = (rustix::process::geteuid().as_raw(), std::process::id() as i32);
        let (events, command, why) = (self.stats.events, Some(command), Some(why));
        self.command(&JournaledCommand { events, at, command, uid, pid, why }).map(|_| ())
    }

    /// Journals that the process was asked to stop.
    pub fn stop(&mut self, given: &JournaledCommand) -> Result<(), KeepError> {
        self.keeper.as_mut().map_or(Ok(()), |k| k.journal_command(given))
    }

    /// Steps the commands that were given at this place before the run died.
    pub fn replay(&mut self) -> Result<(), KeepError> {
        while let Some(given) = self.keeper.as_mut().and_then(|k| k.due(self.stats.events)) {
            self.act(&given);
            if let Some(keeper) = &mut self.keeper {
                keeper.compare(self.engine, &self.stats)?;
            }
        }
        Ok(())
    }

    /// What is kept of it on disk. However small that is made, its past can be had from its first barrier on.
    pub fn kept(&self) -> Option<KeptSpace> {
        let (bytes, budget) = self.keeper.as_ref()?.space();
        Some(KeptSpace { bytes, budget, from: self.stats.from.map(|at| at.to_string()) })
    }

    /// What the program itself halted the run for, while it is halted.
    pub fn doubt(&self) -> Option<&str> {
        self.stats.doubt().filter(|_| self.engine.respond.real.account.hand.is_killed())
    }

    /// Whether everything that was done before the run died was done again, and all said that is known to have been said: that
    /// may be more than what the journal has, and a command in between would make it other words.
    pub fn caught_up(&self) -> bool {
        self.keeper.as_ref().is_none_or(|k| k.caught_up(&self.stats))
            && self.talk.as_ref().is_none_or(TalkLog::has_caught_up)
    }

    /// Steps a command that is in the journal. Tells whether it changed anything.
    pub(super) fn act(&mut self, given: &JournaledCommand) -> bool {
        let Some(command) = given.command else { return false };
        let before = self.engine.respond.interventions;
        self.stats.commands += 1;
        if given.why.is_none()
            && matches!(command, Command::Kill | Command::Reset)
            && self.stats.doubt().is_some()
        {
            let what =
                if command == Command::Kill { "the kill switch was thrown" } else { "it was released" };
            self.stats.halt_alarm(format!("{HALT_OVER}{what} by hand"));
        }
        if let Some(why) = &given.why {
            self.stats.halt_alarm(why.clone());
            if let Some(recorder) = &mut self.recorder {
                recorder.note(why);
            }
        }
        self.step(&Event::Command(given.at, command));
        self.engine.respond.interventions > before
    }

    fn step(&mut self, event: &Event) {
        self.engine.step(event, &mut self.out);
        if let Some(recorder) = &mut self.recorder {
            recorder.observe(self.engine, event, &self.out);
        }
        if let Some(talk) = &mut self.talk {
            talk.hear(&self.out.messages);
        }
        if let Some(trades) = &mut self.trades {
            trades.observe(self.engine, event, &self.out);
        }
        self.out.alarms.drain(..).for_each(|alarm| self.stats.alarm(alarm));
    }
}
