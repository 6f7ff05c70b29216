//! An account over voices: the engine's own real life (desk, gate, venue, books) with one book that holds
//! whatever it is told to aim at. What the hive does with many agents' stances, this does with one net aim,
//! by the same code.
//!
//! # Invariants
//!
//! 1. The order of a bar is the hive's: fills, delistings, marks, aims, decisions.
//! 2. An aim moves only where the asset has a price and a volatility now, as an agent's would.
//! 3. The drawdown breaker is off: a baseline is not to lose by being switched off.

use super::service_flags::ServiceFlags;
use super::stream::{ArmMeter, ArmTrack, receipts};
use crate::agents::Agent;
use crate::agents::Strategy;
use crate::agents::personality::{Preset, Traits};
use crate::agents::{AgentAsset, Population};
use crate::domain::{
    AgentId, AssetId, Digest, Event, FamilyId, Goal, MarketEvent, MessageKind, SideRule, Stamp, Universe,
    money,
};
use crate::engine::real::{Real, RealSpec, StepContext};
use crate::engine::services::ServiceSpec;
use crate::engine::speak::{Speak, StepOutput};
use crate::engine::{Outputs, Settings};
use crate::fills::pace::{PositionPace, Width};
use crate::hive::managers::Knobs;
use crate::ledger::Ledger;
use crate::treasury::BreakerSettings;

/// A drawdown that no account reaches.
pub const NO_BREAKER: BreakerSettings = BreakerSettings { drawdown_max: 1e6 };

/// An account of the engine's own kind that is told its aims by an arm of the lab.
pub struct ArmAccount {
    spec: RealSpec,
    settings: Settings,
    real: Real,
    decisions: Digest,
    out: Outputs,
    meter: ArmMeter,
}

impl ArmAccount {
    /// All capital, nothing held.
    pub fn new(universe: &Universe, settings: &Settings) -> Self {
        ArmAccount::served(universe, settings, ServiceFlags::NONE)
    }

    /// The same serving itself: it hears the carry agents, and works its orders as makers would.
    pub fn served(universe: &Universe, settings: &Settings, parts: ServiceFlags) -> Self {
        let cast = one_book(universe);
        let mut settings = settings.clone();
        settings.breaker = NO_BREAKER;
        settings.services = parts.settings(&settings.services);
        let centre = ServiceSpec::centre(Ledger::TREASURY, universe, &settings.services);
        let spec = RealSpec::served(&cast, universe, &settings, centre);
        ArmAccount {
            real: Real::new(&spec, &cast, &settings),
            meter: ArmMeter::new(settings.capital, settings.clock.decide),
            spec,
            settings,
            decisions: Digest::default(),
            out: Outputs::default(),
        }
    }

    /// What carry agents say is known to the account as it is said.
    pub fn hear(&mut self, cast: &Population, at: Stamp, said: &StepOutput) {
        for spoken in &said.structured {
            if let MessageKind::Carry(quote) = &spoken.body {
                let (agent, asset) = cast.voice(spoken.voice);
                self.real.execution.services.hear_carrier(asset, (agent, at), *quote);
            }
        }
    }

    /// A market event that counted.
    pub fn market(&mut self, event: &Event, speak: &Speak) {
        self.out.fills.clear();
        self.out.alarms.clear();
        let market = &speak.market;
        let cx = &StepContext { spec: &self.spec, settings: &self.settings, at: event.at(), market };
        match *event {
            Event::Market(ref other) if other.instrument().is_none_or(|i| i.index() >= self.spec.traded) => {
                self.real.other(cx, other, &mut self.out);
                self.meter.fills(&self.out.fills);
            }
            Event::Market(ref inside @ MarketEvent::Inside { .. }) => {
                self.real.inside(cx, inside, &mut self.out);
                self.meter.fills(&self.out.fills);
            }
            Event::Market(MarketEvent::Bar { instrument, .. }) => {
                self.real.bar(cx, instrument, &mut self.out);
                self.meter.fills(&self.out.fills);
            }
            Event::Market(MarketEvent::Funding { instrument, rate, mark, .. }) => {
                self.real.funding(&self.settings, instrument, (rate, mark), &mut self.out);
            }
            Event::Market(_) | Event::Barrier(_) | Event::Command(..) | Event::Venue(_) | Event::Tick(_) => {}
        }
    }

    /// A barrier: marks, then goes for `aims` (by asset, as fractions of equity at unit risk).
    pub fn barrier(&mut self, at: Stamp, speak: &Speak, aims: &[f64]) {
        self.out.fills.clear();
        self.out.alarms.clear();
        let market = &speak.market;
        let cx = &StepContext { spec: &self.spec, settings: &self.settings, at, market };
        for instrument in self.spec.desk_instruments() {
            let listing = &market.instruments[instrument.id.index()];
            if listing.delisted_at == Some(at) {
                self.real.delist(cx, instrument, &mut self.out);
            }
        }
        self.meter.fills(&self.out.fills);
        self.real.mark(cx, &mut self.out);
        self.meter.serve(at, &self.real, &self.spec);
        self.meter.mark(at, money::to_estimate(self.real.account.equity()));
        let pace =
            PositionPace { patience: self.settings.desk.patience, width: Width::Band(0.0), shorts: true };
        for (asset, (listing, x)) in market.desk().iter().zip(aims).enumerate() {
            if listing.is_fresh(at) && listing.sigma.is_finite() {
                self.real.execution.desk.aim(asset, *x, pace);
            }
        }
        self.real.decide(cx, &Knobs::HOME, &mut self.decisions, &mut self.out);
    }

    /// What services gave so far, as [`receipts`] reads it from the books.
    pub fn receipts(&self) -> (f64, f64) {
        receipts(&self.real, &self.spec)
    }

    /// How many times its aims it went for at the last barrier.
    pub fn risk_multiple(&self) -> f64 {
        let sizing = &self.real.execution.desk.sizing;
        sizing.risk_multiple * sizing.gross_scale
    }

    /// Costs so far, each as a fraction of the equity then.
    pub fn paid(&self) -> f64 {
        self.meter.paid()
    }

    /// Equity at the last barrier.
    pub fn equity(&self) -> f64 {
        self.meter.equity()
    }

    /// Why it stands still, if it does.
    pub fn halted(&self) -> Option<&str> {
        self.real.account.halted.as_deref()
    }

    /// What is left behind.
    pub fn finish(self) -> ArmTrack {
        let running = self.real.account.running_share();
        self.meter.finish(0.0, running, &self.decisions)
    }
}

/// A cast of one book that may hold everything; slot and asset have the same number.
fn one_book(universe: &Universe) -> Population {
    let n = universe.assets.len();
    let traits = Traits::default();
    let agent = Agent {
        id: AgentId(0),
        name: "account".to_owned(),
        family: FamilyId::Random,
        params: vec![1.0],
        family_index: 0,
        goal: Goal::Automated,
        personality: String::new(),
        side: SideRule::Both,
        traits,
        // It is never asked: the account is told what to hold.
        strategy: Strategy::new(FamilyId::Random, &[1.0], SideRule::Both, traits, Preset::default()),
        slots: 0..n,
        structures: 0..0,
        active_from: Stamp(i64::MIN),
        scout: false,
        reacts: std::sync::Arc::default(),
        funded: true,
        heard: true,
    };
    let keys = Vec::new().into();
    let slot = |a: usize| AgentAsset {
        agent: AgentId(0),
        asset: AssetId(a as u16),
        keys: std::sync::Arc::clone(&keys),
    };
    Population {
        agents: vec![agent],
        declared: 1,
        families: vec![FamilyId::Random],
        slots: (0..n).map(slot).collect(),
        declared_slots: n,
        by_asset: (0..n as u32).map(|a| vec![a]).collect(),
        structures_on: vec![Vec::new(); n],
        structures: Vec::new(),
        listed: std::sync::Arc::default(),
        notices: Vec::new(),
        teams: Vec::new(),
        seed: 0,
    }
}
