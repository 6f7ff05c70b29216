//! The engine: `step(event)` is the only way state changes (law 1). A step is `speak(event)`, then
//! `respond` to what was said. No clock, no IO, no randomness but what events and seeds bring.
//!
//! # Invariants
//!
//! 1. Same settings, seed and events, same bytes: [`Engine::state_hash`] covers every field of the
//!    state, since it is taken of the serialised state and nothing in it can be left out
//!    ([`state`]).
//! 2. A snapshot is the whole state: what is restored goes on as if it had never stopped.
//! 3. Nothing here depends on how fast or how often it is called.

mod day;
pub mod emergence;
pub mod listen;
mod lives;
mod operator_commands;
mod orders;
pub mod passive_execution;
pub mod readings;
pub mod real;
pub mod respond;
pub mod services;
pub mod speak;
pub mod state;
pub mod structures;

use crate::agents::Population;
use crate::agents::cast::cast;
use crate::agents::declaration::Roster;
use crate::domain::{Event, Fill, Message, Money, Stamp, Universe};
use crate::fills::Tariff;
use crate::hive::settings::{GoalTargets, Listening, Managers};
use crate::market::{DecisionClock, MarketState};
use crate::treasury::settings::{DeskSettings, FundSettings, ServiceSettings};
use crate::treasury::{BreakerSettings, GateSettings};
use respond::{Respond, RespondSpec};
use speak::{Speak, SpeakSpec, StepOutput};
use std::sync::Arc;

/// Everything that is set before a run, beside roster, universe and seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Capital at the start, exact.
    pub money: Money,
    /// Capital at the start as an estimate, in currency.
    pub capital: f64,
    /// When the hive decides, and when silence is taken as a delisting.
    pub clock: DecisionClock,
    /// What trading costs.
    pub costs: Tariff,
    /// How the desk turns stances into positions.
    pub desk: DeskSettings,
    /// Spread of funds.
    pub funds: FundSettings,
    /// Listening and points.
    pub listening: Listening,
    /// What is asked of the whole.
    pub goals: GoalTargets,
    /// Managers that are set.
    pub managers: Managers,
    /// The last gate.
    pub gate: GateSettings,
    /// The drawdown breaker.
    pub breaker: BreakerSettings,
    /// What agents do for each other.
    pub services: ServiceSettings,
}

/// What a step gave out. Reused from step to step.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// Whether the event counted.
    pub accepted: bool,
    /// What was said, in the order of delivery.
    pub messages: Vec<Message>,
    /// Fills of the desk's orders.
    pub fills: Vec<Fill>,
    /// What the operator must know: halts, the breaker, delistings.
    pub alarms: Vec<String>,
    scratch: real::Scratch,
}

/// The state of a run and what it was made from.
#[derive(Clone, Debug)]
pub struct Engine {
    speak_spec: SpeakSpec,
    respond_spec: RespondSpec,
    /// The half that hears the market, and what agents say by themselves.
    pub speak: Speak,
    /// The half that hears what was said: consensus, stances, desk, venue and books.
    pub respond: Respond,
    universe: Universe,
    now: Stamp,
    said: StepOutput,
}

/// Venues with costs of their own that a feed does not have.
fn unused(costs: &Tariff, universe: &Universe) -> Option<String> {
    let mut there: Vec<&str> =
        universe.instruments.iter().map(|i| i.venue.as_str()).filter(|v| !v.is_empty()).collect();
    there.sort_unstable();
    there.dedup();
    let lost: Vec<&str> = costs.venues.keys().map(String::as_str).filter(|v| !there.contains(v)).collect();
    let has = if there.is_empty() { "none by name".to_owned() } else { there.join(" ") };
    (!lost.is_empty())
        .then(|| format!("costs of {} change nothing: the venues of this feed are {has}", lost.join(" ")))
}

impl Engine {
    /// Casts the roster on the universe with this seed; nothing has happened yet.
    pub fn new(roster: &Roster, universe: &Universe, settings: &Settings, seed: u64) -> Self {
        let mut cast = cast(roster, universe, seed);
        cast.notices.extend(unused(&settings.costs, universe));
        let cast = Arc::new(cast);
        let market = MarketState::new(settings.clock, SpeakSpec::wanted(&cast));
        let speak_spec = SpeakSpec::new(Arc::clone(&cast), universe, settings.clone(), &market);
        let respond_spec = RespondSpec::new(Arc::clone(&cast), universe, settings.clone());
        Engine {
            speak: Speak::new(market, &speak_spec),
            respond: Respond::new(&respond_spec),
            speak_spec,
            respond_spec,
            universe: universe.clone(),
            now: Stamp(i64::MIN),
            said: StepOutput::default(),
        }
    }

    /// Takes an event. Time does not go back: the stamp of a late event is not the time.
    pub fn step(&mut self, event: &Event, out: &mut Outputs) {
        out.messages.clear();
        out.fills.clear();
        out.alarms.clear();
        self.speak.step(&self.speak_spec, event, &mut self.said);
        out.accepted = self.said.accepted;
        if out.accepted {
            self.now = self.now.max(event.at());
        }
        self.respond.step(&self.respond_spec, event, &self.speak, &self.said, out);
    }

    /// The agents as they were cast on this feed.
    pub fn cast(&self) -> &Population {
        &self.respond_spec.cast
    }

    /// PnL of a structured agent until the last barrier; alone and open are one for it, since nobody listens in size.
    pub fn structured(&self, agent: crate::domain::AgentId) -> f64 {
        self.speak.structures.pnl(self.cast(), agent)
    }

    /// The name of an asset.
    pub fn asset_name(&self, asset: crate::domain::AssetId) -> &str {
        self.universe.name(asset)
    }

    /// What was set.
    pub fn settings(&self) -> &Settings {
        &self.respond_spec.settings
    }

    /// The stamp of the last event; none before the first.
    pub fn now(&self) -> Option<Stamp> {
        (self.now.0 != i64::MIN).then_some(self.now)
    }

    /// Whether all books agree, and if not, which do not.
    pub fn balances(&self) -> Result<(), String> {
        self.respond.real.balances(&self.respond_spec.real)
    }
}
