//! A run that is reached from outside: drives the engine through a feed as [`super::drive`] does, shows
//! what it sees on the hub, and steps the operator's commands between two events.
//!
//! # Invariants
//!
//! 1. A command is stamped with the time of the last event and stepped like any other event; its answer
//!    goes out after the step (law 1).
//! 2. Clients cost the engine at most [`FRAMES_PER_S`] pictures a second, whoever watches.
//! 3. Waiting for the next bar never delays a command.

use super::drive::{ALARMS_MAX, Speed, Told};
use crate::domain::{Command, Event, MarketEvent, Message, Stamp};
use crate::engine::{Engine, Outputs};
use crate::market::feed::{Feed, FeedError};
use crate::view::operator::{self, Scene};
use crate::wire::hub::{Hub, Order, Peer, Picture, Wish};
use crate::wire::message::Answer;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Most pictures a second: more than the eye asks for numbers.
pub const FRAMES_PER_S: u32 = 8;
/// Commands taken between two events, so that a flood of them cannot stop the market.
const ORDERS_A_STEP: usize = 16;

/// How a service is reached, and what it is.
pub struct Service<'a> {
    /// Where pictures go.
    pub hub: &'a Hub,
    /// Where commands come from.
    pub orders: &'a Receiver<Order>,
    /// What is known beside the engine.
    pub scene: &'a Scene,
    /// Told of every command before it acts: the place to make it durable.
    pub before: &'a mut dyn FnMut(Peer, Stamp, Command),
}

struct Desk<'a, 's> {
    service: &'s mut Service<'a>,
    told: Told,
    out: Outputs,
    seq: u64,
    shown: Option<Instant>,
    stop: bool,
}

/// Runs a feed to its end, or until it is stopped. `watch` sees every barrier and the messages of its
/// step.
pub fn run(
    engine: &mut Engine,
    feed: &mut dyn Feed,
    speed: Speed,
    service: &mut Service<'_>,
    mut watch: impl FnMut(&Engine, &Told, &[Message]),
) -> Result<Told, FeedError> {
    let start = Instant::now();
    let mut desk =
        Desk { service, told: Told::default(), out: Outputs::default(), seq: 0, shown: None, stop: false };
    while !desk.stop
        && let Some(event) = feed.next()?
    {
        engine.step(&event, &mut desk.out);
        desk.keep();
        if !desk.out.accepted {
            desk.told.refused += 1;
            continue;
        }
        desk.seq += 1;
        match event {
            Event::Market(MarketEvent::Bar { .. }) => desk.told.bars += 1,
            Event::Barrier(at) => {
                desk.told.from.get_or_insert(at);
                desk.told.barriers += 1;
                desk.told.wall_s = start.elapsed().as_secs_f64();
                watch(engine, &desk.told, &desk.out.messages);
                desk.show(engine, false);
                desk.wait(engine, due(speed, &desk.told, at, start));
            }
            _ => {}
        }
        desk.take_orders(engine);
    }
    desk.show(engine, true);
    desk.told.wall_s = start.elapsed().as_secs_f64();
    Ok(desk.told)
}

/// When the barrier after this one may come.
fn due(speed: Speed, told: &Told, at: Stamp, start: Instant) -> Option<Instant> {
    let (Speed::Times(times), Some(from)) = (speed, told.from) else { return None };
    start.checked_add(Duration::from_secs_f64(at.since(from).0 as f64 / 1e9 / times))
}

impl Desk<'_, '_> {
    /// Keeps the alarms of a step.
    fn keep(&mut self) {
        for alarm in self.out.alarms.drain(..) {
            let full = self.told.alarms.len() >= ALARMS_MAX;
            if full { self.told.more_alarms += 1 } else { self.told.alarms.push(alarm) }
        }
    }

    /// Publishes, if it is time for it or must be.
    fn show(&mut self, engine: &Engine, must: bool) {
        let every = Duration::from_secs(1) / FRAMES_PER_S;
        if !must && self.shown.is_some_and(|s| s.elapsed() < every) {
            return;
        }
        self.shown = Some(Instant::now());
        let status = operator::status(engine, self.service.scene, self.seq);
        let agents = operator::agents(engine);
        // Until cockpits have a view of their own, this is the view.
        let view = postcard::to_stdvec(&(&status, &agents)).unwrap_or_default();
        self.service.hub.publish(Picture { seq: self.seq, view, change: None, status, agents });
    }

    /// Waits, taking orders as they come.
    fn wait(&mut self, engine: &mut Engine, until: Option<Instant>) {
        while !self.stop
            && let Some(left) = until.and_then(|u| u.checked_duration_since(Instant::now()))
            && !left.is_zero()
        {
            match self.service.orders.recv_timeout(left) {
                Ok(order) => self.take(engine, order),
                Err(RecvTimeoutError::Timeout) => return,
                // Nobody can ask any more.
                Err(RecvTimeoutError::Disconnected) => return std::thread::sleep(left),
            }
        }
    }

    fn take_orders(&mut self, engine: &mut Engine) {
        for _ in 0..ORDERS_A_STEP {
            let Ok(order) = self.service.orders.try_recv() else { return };
            self.take(engine, order);
        }
    }

    fn take(&mut self, engine: &mut Engine, order: Order) {
        let command = match order.wish {
            Wish::Command(command) => command,
            Wish::Stop => {
                self.stop = true;
                return order.answer(Answer::Stopping);
            }
        };
        let Some(at) = engine.now() else {
            return order
                .answer(Answer::Refused("nothing has happened yet; ask again in a moment".to_owned()));
        };
        (self.service.before)(order.peer, at, command);
        let interventions = engine.respond.interventions;
        engine.step(&Event::Command(at, command), &mut self.out);
        self.keep();
        self.seq += 1;
        let changed = engine.respond.interventions > interventions;
        self.show(engine, true);
        order.answer(Answer::Done { changed, at, seq: self.seq });
    }
}
