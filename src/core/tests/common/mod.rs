//! What the integration tests share: the shipped configuration made smaller, tapes of events, and
//! engines run through them.
//!
//! Markets are embedded ones of a few hundred days on the 4 h clock, and scouts are 60 in place of 240,
//! so that all laws together are looked at in a minute and a half.
//!
//! The tests of the lab and of the package have it by `#[path]`.
// Each of them uses its part of it.
#![allow(dead_code)]

#[path = "../../../market/tests/recorded.rs"]
pub mod recorded;
pub mod scenes;
pub mod served;

use hive_core::agents::Population;
use hive_core::config::setup;
use hive_core::config::{self, Config};
use hive_core::engine::{Engine, Outputs};
use hive_core::fills::Costs;
use hive_domain::{
    Action, Bar, Command, Condition, Event, Fill, InstrumentId, IntentId, MarketEvent, Message, MessageKind,
    Plan, Reason, Span, Stamp, Term, Universe, Verb,
};
use hive_market::Feed;
use hive_market::synth::{SynthFeed, SynthSettings, SynthWorld};

/// Scouts of a test's hive.
pub const SCOUTS: u32 = 60;

/// The shipped configuration with fewer scouts.
pub fn shipped() -> Config {
    let mut config = config::shipped().unwrap();
    config.roster.scouts = SCOUTS;
    config
}

/// The shipped configuration, nobody listening and no manager set.
pub fn deaf() -> Config {
    let mut config = shipped();
    config.listening.enabled = false;
    config
}

/// A flat charge a side.
pub fn flat(config: &mut Config, charge: f64) {
    config.costs = Costs::Flat(charge);
}

/// A market on tape.
#[derive(Clone)]
pub struct Tape {
    pub universe: Universe,
    pub events: Vec<Event>,
}

impl Tape {
    /// The embedded market.
    pub fn synth(world: SynthWorld, seed: u64, days: u32) -> Tape {
        let settings = SynthSettings { seed, world, bars_days: days, ..SynthSettings::default() };
        Tape::of(&mut SynthFeed::new(settings).unwrap())
    }

    /// The usual market of the tests.
    pub fn market(days: u32) -> Tape {
        Tape::synth(SynthWorld::Market, 1, days)
    }

    /// Everything that a feed says.
    pub fn of(feed: &mut dyn Feed) -> Tape {
        let universe = feed.universe().clone();
        Tape { universe, events: std::iter::from_fn(|| feed.next().unwrap()).collect() }
    }

    /// The place after the n-th barrier.
    pub fn after(&self, barriers: usize) -> usize {
        let all = self.events.iter().enumerate().filter(|(_, e)| matches!(e, Event::Barrier(_)));
        all.map(|(i, _)| i + 1).nth(barriers - 1).unwrap()
    }

    /// How many barriers there are.
    pub fn barriers(&self) -> usize {
        self.events.iter().filter(|e| matches!(e, Event::Barrier(_))).count()
    }

    /// Changes the bars that close after a stamp.
    pub fn change_after(&mut self, after: Stamp, mut change: impl FnMut(InstrumentId, Stamp, &mut Bar)) {
        for event in &mut self.events {
            if let Event::Market(MarketEvent::Bar { instrument, at, bar }) = event
                && *at > after
            {
                change(*instrument, *at, bar);
            }
        }
    }
}

/// What came out of a run.
pub struct Run {
    pub engine: Engine,
    pub messages: Vec<Message>,
    pub fills: Vec<Fill>,
    pub alarms: Vec<String>,
}

impl Run {
    /// An engine that nothing has happened to.
    pub fn start(config: &Config, universe: &Universe) -> Run {
        Run { engine: engine(config, universe), messages: Vec::new(), fills: Vec::new(), alarms: Vec::new() }
    }

    /// Takes an event; whether it counted.
    pub fn step(&mut self, event: &Event, out: &mut Outputs) -> bool {
        self.engine.step(event, out);
        self.messages.append(&mut out.messages);
        self.fills.append(&mut out.fills);
        self.alarms.append(&mut out.alarms);
        out.accepted
    }

    /// Takes all events.
    pub fn play(&mut self, events: &[Event]) -> &mut Run {
        let mut out = Outputs::default();
        for event in events {
            self.step(event, &mut out);
        }
        self
    }
}

/// The hive of a configuration on a universe, nothing has happened yet.
pub fn engine(config: &Config, universe: &Universe) -> Engine {
    Engine::new(&config.roster, universe, &setup::settings(config), config.seed)
}

/// A whole run.
pub fn run(config: &Config, tape: &Tape) -> Run {
    let mut run = Run::start(config, &tape.universe);
    run.play(&tape.events);
    run
}

/// A whole run in which commands come after so many barriers.
pub fn commanded(config: &Config, tape: &Tape, commands: &[(usize, Command)]) -> Run {
    let mut run = Run::start(config, &tape.universe);
    let mut done = 0;
    for (barrier, command) in commands {
        let to = tape.after(*barrier);
        run.play(&tape.events[done..to]);
        run.play(&[Event::Command(tape.events[to - 1].at(), *command)]);
        done = to;
    }
    run.play(&tape.events[done..]);
    run
}

/// A hash of anything that can be written: equal for equal values.
pub fn hash<T: serde::Serialize>(value: &T) -> String {
    hive_core::engine::state::hash(value).unwrap().to_hex().to_string()
}

/// The actions among messages.
pub fn actions(messages: &[Message]) -> impl Iterator<Item = (&Message, &hive_domain::Action)> {
    messages.iter().filter_map(|m| match &m.body {
        MessageKind::Action(a) => Some((m, a)),
        _ => None,
    })
}

/// The stances among messages.
pub fn stances(messages: &[Message]) -> impl Iterator<Item = (&Message, &hive_domain::Stance)> {
    messages.iter().filter_map(|m| match &m.body {
        MessageKind::Stance(s) => Some((m, s)),
        _ => None,
    })
}

/// The n-th bar's close on the 4 h clock, from 1.
pub fn bar_at(n: i64) -> Stamp {
    Stamp(n * 4 * Span::HOUR.0)
}

/// An action that says no more than a size.
pub fn intent(cast: &Population, slot: usize, after: f64) -> MessageKind {
    let never = Condition::below(Term::Close, Term::Level(0.0));
    let plan = Plan {
        legs: Vec::new(),
        maker: None,
        stop: never,
        trail: None,
        exit: never,
        expire: never,
        targets: Vec::new(),
        add: None,
        hedge: None,
        reenter: None,
    };
    let slot = &cast.slots[slot];
    let intent = IntentId { agent: slot.agent, asset: slot.asset, number: 1 };
    MessageKind::Action(Action {
        verb: Verb::Open,
        intent,
        reason: Reason::Signal,
        before: 0.0,
        after,
        delta: after,
        price: 1.0,
        plan: plan.into(),
    })
}
