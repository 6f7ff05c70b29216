//! Managers of teams: each watches one number of those whom it manages and has them hold less while it is too high.
//!
//! ```text
//! home ──reading > above──► size ──reading < release──► home
//! size of an agent = the smallest of all who manage it and have turned
//! ```
//!
//! # Invariants
//!
//! 1. A size is never above 1: a manager holds back, it never pushes.
//! 2. Two on one agent: the more cautious holds.
//! 3. Every turn is said, with the reading.

use crate::agents::Population;
use crate::agents::declaration::TeamReading;
use crate::domain::{Adjustment, AgentId, Knob, ManagerId};
use serde::{Deserialize, Serialize};

/// What the managers of teams remember.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Teams {
    /// By team: whether its manager has turned, and the highest that its agents' results have been.
    teams: Vec<TeamState>,
    /// By declared agent: what it holds, as a fraction of what it would; nothing while there are no teams.
    sizes: Vec<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct TeamState {
    has_turned: bool,
    highest: f64,
}

/// A day of a team.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TeamDay {
    /// Real results of its agents so far, in currency.
    pub results: f64,
    /// What funds they have, in currency.
    pub funds: f64,
    /// Net over gross of what they aim at.
    pub crowding: f64,
}

impl Teams {
    /// Nobody has turned.
    pub fn new(cast: &Population) -> Self {
        let sizes = if cast.teams.is_empty() { 0 } else { cast.declared };
        Teams { teams: vec![TeamState::default(); cast.teams.len()], sizes: vec![1.0; sizes] }
    }

    /// What an agent holds, as a fraction of what it would.
    #[inline]
    pub fn size(&self, agent: AgentId) -> f64 {
        self.sizes.get(agent.index()).copied().unwrap_or(1.0)
    }

    /// The same if one of its managers were not there.
    pub fn size_without(&self, cast: &Population, agent: AgentId, team: usize) -> f64 {
        let others = cast.teams.iter().zip(&self.teams).enumerate();
        let turned = others.filter(|(n, (t, s))| *n != team && s.has_turned && t.members.contains(&agent));
        turned.map(|(_, (t, _))| t.manager.size).fold(1.0, f64::min)
    }

    /// Whether the manager of a team has turned.
    pub fn has_turned(&self, team: usize) -> bool {
        self.teams.get(team).is_some_and(|t| t.has_turned)
    }

    /// Closes a day of all teams. `rests` tells whose manager does nothing.
    pub(super) fn day(
        &mut self,
        cast: &Population,
        days: &[TeamDay],
        rests: impl Fn(ManagerId) -> bool,
        mut say: impl FnMut(ManagerId, Adjustment),
    ) {
        for (n, ((team, state), day)) in cast.teams.iter().zip(&mut self.teams).zip(days).enumerate() {
            state.highest = state.highest.max(day.results);
            let reading = match team.manager.watches {
                TeamReading::Drawdown if day.funds > 0.0 => (state.highest - day.results) / day.funds,
                TeamReading::Drawdown => 0.0,
                TeamReading::Crowding => day.crowding,
            };
            let id = ManagerId::of_team(n);
            let bound = if state.has_turned { team.manager.release } else { team.manager.above };
            let turns = !rests(id) && reading > bound;
            if let Some(turned) = state.turn(turns, team.manager.size, reading) {
                say(id, turned);
            }
        }
        self.spread(cast);
    }

    /// The manager of a team lets go of it at once.
    pub(super) fn rest(&mut self, cast: &Population, team: usize) -> Option<Adjustment> {
        let state = self.teams.get_mut(team)?;
        let said = state.turn(false, cast.teams.get(team)?.manager.size, 0.0);
        self.spread(cast);
        said
    }

    /// Has the size of a team stand at this value.
    pub(super) fn put(&mut self, cast: &Population, team: usize, size: f64) {
        if let Some(state) = self.teams.get_mut(team) {
            state.has_turned = size < 1.0;
        }
        self.spread(cast);
    }

    fn spread(&mut self, cast: &Population) {
        self.sizes.fill(1.0);
        for (team, _) in cast.teams.iter().zip(&self.teams).filter(|(_, s)| s.has_turned) {
            for member in &team.members {
                if let Some(size) = self.sizes.get_mut(member.index()) {
                    *size = size.min(team.manager.size);
                }
            }
        }
    }
}

impl TeamState {
    /// What is said if that is news.
    fn turn(&mut self, to: bool, size: f64, because: f64) -> Option<Adjustment> {
        let place = |turned: bool| if turned { size } else { 1.0 };
        let from = std::mem::replace(&mut self.has_turned, to);
        let said = Adjustment { knob: Knob::Size, agent: None, from: place(from), to: place(to), because };
        (from != to).then_some(said)
    }
}
