//! A run lived again by several companies at once: one market, one set of alone lives, and in each company something else
//! that is not heard.
//!
//! ```text
//!                       ┌─► respond, all is heard            what is said alone does not depend on who hears it (law 3),
//! event ──► speak ──────┼─► respond, less these words        so it is said once for all of them
//!                       └─► respond, less those as well
//! ```
//!
//! # Invariants
//!
//! 1. Each company decides what an engine of its own would, to the last bit: it is the same two halves in the same order.
//! 2. Companies share nothing that any of them writes.

use super::respond::{Respond, RespondSpec};
use super::speak::{Speak, SpeakSpec, StepOutput};
use super::{Engine, Outputs};
use crate::domain::{Event, Message, Stamp};
use crate::hive::withheld::Withheld;

/// One who lives through it: what it does not hear, and what came of that.
#[derive(Debug)]
struct CounterfactualLife {
    spec: RespondSpec,
    respond: Respond,
    out: Outputs,
}

/// The same market, heard in several ways.
#[derive(Debug)]
pub struct Counterfactuals {
    speak_spec: SpeakSpec,
    speak: Speak,
    said: StepOutput,
    lives: Vec<CounterfactualLife>,
    now: Option<Stamp>,
}

impl Engine {
    /// Goes on from here once for each of these, which is not heard from here on.
    pub fn without(self, withheld: impl IntoIterator<Item = Withheld>) -> Counterfactuals {
        let now = self.now();
        let Engine { speak_spec, respond_spec, speak, respond, said, .. } = self;
        let life = |withheld| {
            let mut spec = respond_spec.clone();
            spec.withheld = withheld;
            CounterfactualLife { spec, respond: respond.clone(), out: Outputs::default() }
        };
        let lives = withheld.into_iter().map(life).collect();
        Counterfactuals { speak_spec, speak, said, lives, now }
    }
}

impl Counterfactuals {
    /// Takes an event, in all of them; whether it counted.
    pub fn step(&mut self, event: &Event) -> bool {
        let Counterfactuals { speak_spec, speak, said, lives, now } = self;
        speak.begin(speak_spec, event, said);
        for CounterfactualLife { spec, respond, out } in &mut *lives {
            out.messages.clear();
            out.fills.clear();
            out.alarms.clear();
            out.requests.clear();
            respond.begin(spec, speak, said, out);
        }
        speak.step(speak_spec, event, said);
        if said.accepted && !matches!(event, Event::Venue(_)) {
            *now = (*now).max(Some(event.at()));
        }
        for CounterfactualLife { spec, respond, out } in lives {
            out.accepted = said.accepted;
            respond.step(spec, event, speak, said, out);
            respond.real.execution.router.venue.hand_over(&mut out.requests);
        }
        said.accepted
    }

    /// The stamp of the newest event; none before the first.
    pub fn now(&self) -> Option<Stamp> {
        self.now
    }

    /// What came of hearing in that way, in the order in which they were given.
    pub fn ends(&self) -> impl Iterator<Item = &Respond> {
        self.lives.iter().map(|life| &life.respond)
    }

    /// What was said at the newest event where that is heard in this way, by the order in which they were given.
    pub fn messages(&self, life: usize) -> &[Message] {
        self.lives.get(life).map_or(&[], |life| &life.out.messages)
    }
}
