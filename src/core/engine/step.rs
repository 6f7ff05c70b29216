//! [`Engine`] and its one step: `speak` hears the event, `respond` hears what was said.

use super::respond::{Respond, RespondSpec};
use super::speak::{Speak, SpeakSpec, StepOutput};
use super::{Outputs, Settings};
use crate::agents::Population;
use crate::agents::cast::cast;
use crate::agents::declaration::Roster;
use crate::domain::{AgentId, AssetId, Event, Stamp, Universe};
use crate::fills::Tariff;
use std::sync::Arc;

/// The state of a run and what it was made from.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(super) speak_spec: SpeakSpec,
    pub(super) respond_spec: RespondSpec,
    /// The half that hears the market, and what agents say by themselves.
    pub speak: Speak,
    /// The half that hears what was said: consensus, stances, desk, venue and books.
    pub respond: Respond,
    pub(super) universe: Universe,
    pub(super) now: Stamp,
    pub(super) said: StepOutput,
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
        let (speak_spec, speak) = Speak::start(Arc::clone(&cast), universe, settings.clone());
        let respond_spec = RespondSpec::new(Arc::clone(&cast), universe, settings.clone());
        Engine {
            speak,
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
        out.booked.iter_mut().for_each(Vec::clear);
        out.alarms.clear();
        out.requests.clear();
        self.speak.begin(&self.speak_spec, event, &mut self.said);
        self.respond.begin(&self.respond_spec, &self.speak, &self.said, out);
        self.speak.step(&self.speak_spec, event, &mut self.said);
        out.accepted = self.said.accepted;
        if out.accepted && !matches!(event, Event::Venue(_)) {
            self.now = self.now.max(event.at());
        }
        self.respond.step(&self.respond_spec, event, &self.speak, &self.said, out);
        self.respond.real.execution.router.venue.hand_over(&mut out.requests);
    }

    /// The agents as they were cast on this feed.
    pub fn cast(&self) -> &Population {
        &self.respond_spec.cast
    }

    /// PnL of an agent's lives in legs until the last barrier, alone and open.
    pub fn structured(&self, agent: AgentId) -> (f64, f64) {
        let (cast, structures) = (self.cast(), &self.speak.structures);
        (structures.pnl(cast, agent), self.respond.pnl_in_legs(cast, structures, agent))
    }

    /// The name of an asset.
    pub fn asset_name(&self, asset: AssetId) -> &str {
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
