//! The state of the second half: what is kept of everybody who speaks and listens.

use super::open_legs::OpenLegs;
use super::open_life::{CompanyShare, OpenLife};
use super::spec::RespondSpec;
use crate::agents::{Agent, Population};
use crate::domain::{Announced, Digest, StanceVerb};
use crate::engine::emergence::Gauge;
use crate::engine::real::Real;
use crate::fills::books::Patient;
use crate::fills::liquidation::Stake;
use crate::hive::across::CommonView;
use crate::hive::bus::Bus;
use crate::hive::consensus::Consensus;
use crate::hive::curve::{Base, EquityCurve};
use crate::hive::difference::Difference;
use crate::hive::goals::Goals;
use crate::hive::heard::RecentWords;
use crate::hive::influence::Edges;
use crate::hive::managers::ManagerState;
use crate::hive::points::Points;
use crate::hive::relations::Relations;
use serde::{Deserialize, Serialize};

/// A declared agent's ears on one asset.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenState {
    /// The own position as announced.
    pub own: Announced,
    /// The life with open ears.
    pub open: Patient,
    /// The stance at the reference weight, x.
    pub stance: f64,
    /// The stance as last said.
    pub said: f64,
    /// Its verb as last said.
    pub verb: StanceVerb,
    /// open − alone as of the last barrier, in currency.
    pub(super) worth: f64,
}

impl AsRef<Patient> for OpenState {
    fn as_ref(&self) -> &Patient {
        &self.open
    }
}

impl AsMut<Patient> for OpenState {
    fn as_mut(&mut self) -> &mut Patient {
        &mut self.open
    }
}

/// What the desk last said of the position in its own book, on one asset.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResidualStance {
    /// λ̄·C, before the operator's hand.
    pub stance: f64,
    /// The stance as it was last said.
    pub(super) said: f64,
    /// Its verb as last said.
    pub(super) verb: StanceVerb,
}

impl ResidualStance {
    /// It holds nothing.
    pub const NOTHING: ResidualStance = ResidualStance { stance: 0.0, said: 0.0, verb: StanceVerb::Keeps };
}

/// The state of the second half.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Respond {
    /// Delivers messages, and counts them.
    pub bus: Bus,
    /// What all voices say, asset by asset.
    pub consensus: Consensus,
    /// What is said of all assets, where agents hear across them.
    pub across: Option<Box<CommonView>>,
    /// The records by which voices are weighed.
    pub points: Points,
    /// By declared slot.
    pub ears: Vec<OpenState>,
    /// By declared slot: the open life where it is apart from the alone one.
    pub open_lives: Vec<Option<Box<OpenLife>>>,
    /// By structure: its open life.
    pub open_legs: Vec<OpenLegs>,
    /// What was said lately, as reactions ask for it.
    pub heard: RecentWords,
    /// What acting on whose words was worth to whom.
    pub relations: Relations,
    /// By declared agent: how often company made a difference.
    pub company: Vec<CompanyShare>,
    /// By declared agent: what its open lives stand on.
    pub stakes: Vec<Stake>,
    /// By declared slot: who moved it.
    pub edges: Vec<Edges>,
    /// By instrument: what the house carries because nobody else may.
    pub house: Vec<ResidualStance>,
    /// Σ of the open lives.
    pub open: EquityCurve,
    /// The goals as last read.
    pub goals: Goals,
    /// State of the managers, one a goal.
    pub office: ManagerState,
    /// Desk, gate, venue, books.
    pub real: Real,
    /// What the swarm is worth beyond its parts.
    pub gauge: Gauge,
    /// What the hive would be without each agent.
    pub difference: Difference,
    /// Every stance, target and order so far.
    pub decisions: Digest,
    /// By declared agent: whether the operator has deafened it.
    pub deafened: Vec<bool>,
    /// Commands of the operator that were carried out.
    pub interventions: u64,
    /// The day that was last closed, days since 1970.
    pub(super) day: Option<i64>,
}

impl Respond {
    /// Nothing was heard yet.
    pub fn new(spec: &RespondSpec) -> Self {
        let (cast, s) = (&spec.cast, &spec.settings);
        let ear = OpenState {
            own: Announced::default(),
            open: Patient::default(),
            stance: 0.0,
            said: 0.0,
            verb: StanceVerb::Keeps,
            worth: 0.0,
        };
        Respond {
            bus: Bus::new(cast.agents.len()),
            consensus: Consensus::new(cast),
            across: CommonView::new(s.listening.across, spec.kinds.len(), s.clock.decide.per_year())
                .map(Box::new),
            points: Points::new(cast, s.clock.decide, s.listening.points_span_days),
            ears: vec![ear; cast.declared_slots],
            open_lives: vec![None; cast.declared_slots],
            open_legs: vec![OpenLegs::default(); cast.structures.len()],
            heard: RecentWords::new(cast),
            relations: Relations::new(cast),
            company: vec![CompanyShare::default(); cast.declared],
            stakes: vec![Stake::default(); cast.declared],
            edges: vec![Edges::default(); cast.declared_slots],
            house: vec![ResidualStance::NOTHING; spec.kinds.len()],
            open: EquityCurve::new(Base::Fixed, s.capital),
            goals: Goals::default(),
            office: ManagerState::new(cast),
            real: Real::new(&spec.real, cast, s),
            gauge: Gauge::new(spec),
            difference: Difference::new(cast.declared),
            decisions: Digest::default(),
            deafened: vec![false; cast.declared],
            interventions: 0,
            day: None,
        }
    }

    /// Points of the declared agents, in their order.
    pub(super) fn declared_points(&self, cast: &Population) -> Vec<f64> {
        cast.agents[..cast.declared].iter().map(|a| self.points.agent(cast, a.id)).collect()
    }

    /// The weight of each family's voices.
    pub(in crate::engine) fn voices(&self, spec: &RespondSpec) -> Vec<f64> {
        self.points.voices(spec.settings.listening.voice_by_points)
    }

    /// The largest position of an agent's real life, in its units.
    pub(super) fn allowed(&self, spec: &RespondSpec, agent: &Agent) -> f64 {
        let points = self.points.agent(&spec.cast, agent.id).clamp(1.0 / 3.0, 1.0);
        spec.settings.funds.units_max * points * self.office.wards.unit(agent.id)
    }
}
