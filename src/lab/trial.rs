//! One seed: the roster is drawn, speaks once through all of the market, and every arm hears the same.
//!
//! A control that hears another time needs to know what will be said, so it runs in a second pass, after everything
//! was said once.

use super::account::ArmAccount;
use super::across_aims::{AcrossAims, CommonHeard};
use super::arms::{Arm, ArmKind, Follows, Weighing};
use super::company::floor::{Floor, Risk};
use super::company::{AccountKind, Impact, groups};
use super::controls::{Control, Tape};
use super::listen::Listener;
use super::reaction_controls::WordControl;
use super::record::{AgentsRecord, Weights, pooled};
use super::rule_sets::RuleSet;
use super::rules::{BuyAndHold, Momentum, RandomDesk};
use super::service_flags::ServiceFlags;
use super::silos::Silos;
use super::stream::{ArmMeter, ArmTrack, Scale};
use super::study::LabWorld;
use crate::agents::Population;
use crate::agents::cast::{cast, cast_with};
use crate::domain::{Digest, Event, Stamp, random};
use crate::engine::Settings;
use crate::engine::speak::{Speak, SpeakSpec, StepOutput};
use std::sync::Arc;

/// Barriers between two ticks.
pub const TICK: u64 = 256;

/// Runs the arms of a seed. `tick` is called every [`TICK`] barriers with the number of arms that went so
/// far; `None` if it said stop.
pub fn trial(world: &LabWorld, seed: u64, arms: &[Arm], tick: &dyn Fn(u64) -> bool) -> Option<Vec<ArmTrack>> {
    let reworded = ArmKind::Reacting(RuleSet::All(Some(WordControl::Time)));
    let shifted = |a: &&Arm| {
        a.kind == ArmKind::Control(Control::TimeShifted)
            || a.kind == reworded
            || a.kind.right_across().is_some()
    };
    let (second, first): (Vec<&Arm>, Vec<&Arm>) = arms.iter().partition(shifted);
    // Whoever hears what is common at another time hears what an account beside it heard of it: that one is not shown.
    let right =
        |(i, a): (usize, &&Arm)| Some(Arm { name: format!("{i}"), kind: a.kind.right_across()?, what: "" });
    let mut beside: Vec<Arm> = second.iter().enumerate().filter_map(right).collect();
    beside.dedup_by(|a, b| a.kind == b.kind);
    let mut stage = SeedRun::new(world, seed, arms);
    let keep = second.iter().any(|a| a.kind == reworded);
    let tape = || if keep { Tape::new(&stage.cast).with_words() } else { Tape::new(&stage.cast) };
    let pass = (!second.is_empty()).then(|| SaidBefore { tape: tape(), common: CommonHeard::default() });
    let listed: Vec<&Arm> = first.iter().copied().chain(&beside).collect();
    let (mut tracks, pass) = stage.run(&listed, None, pass, tick)?;
    tracks.truncate(first.len());
    if !second.is_empty() {
        let (more, _) = SeedRun::new(world, seed, arms).run(&second, pass.as_ref(), None, tick)?;
        tracks.extend(more);
    }
    // Back in the order of the plan.
    let order: Vec<&Arm> = first.into_iter().chain(second).collect();
    let index_of = |arm: &Arm| order.iter().position(|a| a.name == arm.name);
    let mut tracks: Vec<Option<ArmTrack>> = tracks.into_iter().map(Some).collect();
    arms.iter().map(|a| tracks.get_mut(index_of(a)?)?.take()).collect()
}

/// What a first pass leaves to those who hear another time.
struct SaidBefore {
    tape: Tape,
    common: CommonHeard,
}

/// The speaking half of a seed.
struct SeedRun<'a> {
    world: &'a LabWorld,
    settings: &'a Settings,
    cast: Arc<Population>,
    spec: SpeakSpec,
    speak: Speak,
    record: AgentsRecord,
    /// Twins with other numbers on the same market, where an arm hears them.
    twins: Option<Twins>,
}

/// Twins with other numbers, and what they said last.
struct Twins {
    spec: SpeakSpec,
    speak: Speak,
    said: StepOutput,
}

/// An arm on stage.
enum ArmState {
    Alone(Box<ApartAtOnce>),
    Hold(Box<BuyAndHold>),
    Apart(Box<Floor>),
    Voices(Box<ArmAccount>, Weights),
    Across(Box<ArmAccount>, Box<AcrossAims>),
    Rule(Box<ArmAccount>, Momentum),
    Blind(Box<ArmAccount>, RandomDesk),
    Listens(Box<Listener>),
    Silos(Silos, Weights),
}

impl Twins {
    fn new(world: &LabWorld, seed: u64) -> Self {
        let numbers = random::key(seed, &[random::name("twins")]);
        let cast = Arc::new(cast_with(&world.roster, &world.universe, seed, numbers));
        let (spec, speak) = Speak::start(cast, &world.universe, world.settings.clone());
        Twins { spec, speak, said: StepOutput::default() }
    }
}

impl<'a> SeedRun<'a> {
    fn new(world: &'a LabWorld, seed: u64, arms: &[Arm]) -> Self {
        let settings = &world.settings;
        let cast = Arc::new(cast(&world.roster, &world.universe, seed));
        let (spec, speak) = Speak::start(Arc::clone(&cast), &world.universe, settings.clone());
        let record = AgentsRecord::new(&cast, settings, arms.iter().filter_map(|arm| arm.kind.weighing()));
        let own = ArmKind::Reacting(RuleSet::All(Some(WordControl::Own)));
        let twins = arms.iter().any(|arm| arm.kind == own).then(|| Twins::new(world, seed));
        SeedRun { world, settings, cast, spec, speak, record, twins }
    }

    fn actor(&self, arm: &Arm, pass: Option<&SaidBefore>) -> ArmState {
        let (universe, settings) = (&self.world.universe, self.settings);
        let clock = settings.clock.decide;
        let account = |follows: Follows| Box::new(ArmAccount::new(universe, &follows.settings(settings)));
        let weights = |rule| Weights::new(rule, &self.cast);
        match arm.kind {
            ArmKind::Alone(rule) => ArmState::Alone(Box::new(ApartAtOnce {
                used: weights(Weighing::Equal).of,
                weights: weights(rule),
                scale: Scale::new(&settings.desk, clock),
                equity: 1.0,
                meter: ArmMeter::new(1.0, clock),
                digest: Digest::default(),
            })),
            ArmKind::AloneDesk(desk) => {
                let cell = AccountKind {
                    groups: groups::members(&self.cast).len(),
                    capital: 0.0,
                    desk,
                    impact: Impact::Own,
                };
                let floor = Floor::new(&self.cast, universe, settings, &[cell], Risk::Target);
                ArmState::Apart(Box::new(floor))
            }
            ArmKind::BuyAndHold => ArmState::Hold(Box::new(BuyAndHold::new(universe, settings))),
            ArmKind::Account(rule, follows) => ArmState::Voices(account(follows), weights(rule)),
            ArmKind::Central(parts) => {
                let account = Box::new(ArmAccount::served(universe, settings, parts));
                ArmState::Voices(account, weights(Weighing::Voices(usize::MAX)))
            }
            ArmKind::Silo(capital) => {
                let mut own = settings.clone();
                own.services.capital = capital;
                let carry = ServiceFlags { carry: true, beyond: true, netting: true, ..ServiceFlags::NONE };
                let carry = Box::new(ArmAccount::served(universe, &own, carry));
                let silos = Silos { desk: account(Follows::Desk), carry };
                ArmState::Silos(silos, weights(Weighing::Voices(usize::MAX)))
            }
            ArmKind::Blind(parts) => {
                let account = Box::new(ArmAccount::served(universe, settings, parts));
                ArmState::Blind(account, RandomDesk::new(self.cast.seed))
            }
            ArmKind::Across(of) => {
                let series = pass.map_or(&[][..], |pass| pass.common.of(of.voices));
                let aims = Box::new(AcrossAims::new(of, &self.cast, (universe, settings), series));
                ArmState::Across(account(of.follows), aims)
            }
            ArmKind::Momentum(follows) => ArmState::Rule(account(follows), Momentum::new(universe)),
            kind => {
                let tape = pass.map(|pass| &pass.tape);
                ArmState::Listens(Box::new(Listener::new(kind, &self.cast, universe, settings, tape)))
            }
        }
    }

    fn run(
        &mut self,
        arms: &[&Arm],
        pass: Option<&SaidBefore>,
        mut new: Option<SaidBefore>,
        tick: &dyn Fn(u64) -> bool,
    ) -> Option<(Vec<ArmTrack>, Option<SaidBefore>)> {
        let mut actors: Vec<ArmState> = arms.iter().map(|a| self.actor(a, pass)).collect();
        let (mut said, mut barriers) = (StepOutput::default(), 0);
        let mut aims = vec![0.0; self.world.universe.assets.len()];
        for event in &self.world.events {
            self.speak.begin(&self.spec, event, &mut said);
            actors.iter_mut().for_each(|actor| actor.begin(&self.speak, &said));
            self.speak.step(&self.spec, event, &mut said);
            if let Some(Twins { spec, speak, said }) = &mut self.twins {
                speak.step(spec, event, said);
            }
            if !said.accepted {
                continue;
            }
            if let Event::Barrier(at) = event {
                self.record.push(&self.cast, *at, &self.speak, &said);
                if let Some(new) = &mut new {
                    new.tape.push(&self.cast, &said);
                }
                barriers += 1;
                if barriers % TICK == 0 && !tick(arms.len() as u64) {
                    return None;
                }
            }
            for actor in &mut actors {
                self.step(actor, event, &said, pass, &mut aims);
            }
        }
        for actor in &mut actors {
            if let (Some(new), ArmState::Across(_, across)) = (&mut new, actor) {
                across.leave_common(&mut new.common);
            }
        }
        let mut tracks: Vec<ArmTrack> = actors.into_iter().map(ArmState::finish).collect();
        for (track, arm) in tracks.iter_mut().zip(arms) {
            if arm.kind == ArmKind::Alone(Weighing::Equal) {
                track.company = Some(self.record.company(&self.cast));
            }
        }
        Some((tracks, new))
    }

    fn step(
        &self,
        actor: &mut ArmState,
        event: &Event,
        said: &StepOutput,
        pass: Option<&SaidBefore>,
        aims: &mut [f64],
    ) {
        let (cast, speak, settings) = (&*self.cast, &self.speak, self.settings);
        let barrier = if let Event::Barrier(at) = event { Some(*at) } else { None };
        match actor {
            ArmState::Voices(account, _) => account.hear(cast, event.at(), said),
            ArmState::Silos(silos, _) => silos.carry.hear(cast, event.at(), said),
            _ => {}
        }
        match (actor, barrier) {
            (ArmState::Listens(listener), _) => {
                let twins = self.twins.as_ref().map(|t| &t.said);
                listener.step(event, speak, said, (cast, pass.map(|pass| &pass.tape), twins));
            }
            (
                ArmState::Voices(account, _)
                | ArmState::Across(account, _)
                | ArmState::Rule(account, _)
                | ArmState::Blind(account, _),
                None,
            ) => {
                account.market(event, speak);
            }
            (ArmState::Silos(silos, _), None) => {
                silos.desk.market(event, speak);
                silos.carry.market(event, speak);
            }
            (ArmState::Silos(silos, weights), Some(at)) => {
                weights.update(cast, &self.record, settings);
                pooled(cast, speak, &weights.of, settings.listening.holds, aims);
                silos.desk.barrier(at, speak, aims);
                aims.fill(0.0);
                silos.carry.barrier(at, speak, aims);
            }
            (ArmState::Voices(account, weights), Some(at)) => {
                weights.update(cast, &self.record, settings);
                pooled(cast, speak, &weights.of, settings.listening.holds, aims);
                account.barrier(at, speak, aims);
            }
            (ArmState::Across(account, across), Some(at)) => {
                let market = (&self.world.universe, settings);
                across.aims(at, (cast, &self.record), speak, market, aims);
                account.barrier(at, speak, aims);
                across.follow(at, speak, account);
            }
            (ArmState::Rule(account, rule), Some(at)) => {
                rule.aims(at, speak, &self.world.universe, aims);
                account.barrier(at, speak, aims);
            }
            (ArmState::Blind(account, desk), Some(at)) => {
                desk.aims(at, speak, aims);
                account.barrier(at, speak, aims);
            }
            (ArmState::Apart(floor), None) => floor.market(event, speak),
            (ArmState::Apart(floor), Some(at)) => floor.barrier(at, speak, said),
            (ArmState::Hold(held), Some(at)) => held.barrier(at, speak, &self.world.universe, settings),
            (ArmState::Alone(books), Some(at)) => books.barrier(cast, &self.record, settings, at),
            (ArmState::Hold(_) | ArmState::Alone(_), None) => {}
        }
    }
}

/// Every agent in an account of its own, trading at once: books are kept at 1/N of the capital, and their sum is
/// scaled to the risk of the whole.
struct ApartAtOnce {
    weights: Weights,
    used: Vec<f64>,
    scale: Scale,
    equity: f64,
    meter: ArmMeter,
    digest: Digest,
}

impl ApartAtOnce {
    fn barrier(&mut self, cast: &Population, record: &AgentsRecord, settings: &Settings, at: Stamp) {
        let n = cast.declared as f64;
        let sum = |of: &[f64]| self.used.iter().zip(of).map(|(w, x)| w * n * x).sum::<f64>();
        let (r, traded, costs) = (sum(&record.bar), sum(&record.bar_traded), sum(&record.bar_costs));
        let k = self.scale.multiple();
        if k > 0.0 {
            let held = self.used.iter().zip(&record.bar_orders).filter(|(w, _)| **w > 0.0);
            self.meter.orders(held.map(|(_, n)| n).sum());
        }
        self.meter.trade(k * traded * self.equity, k * costs * self.equity);
        self.equity = (self.equity * (1.0 + k * r)).max(0.0);
        self.digest.float(self.equity);
        self.scale.push(r);
        self.meter.mark(at, self.equity);
        self.weights.update(cast, record, settings);
        self.used.clone_from(&self.weights.of);
    }
}

impl ArmState {
    /// An event comes, and the stamp before it was judged.
    fn begin(&mut self, speak: &Speak, said: &StepOutput) {
        if let ArmState::Listens(listener) = self {
            listener.begin(speak, said);
        }
    }

    fn finish(self) -> ArmTrack {
        match self {
            ArmState::Alone(books) => books.meter.finish(0.0, 1.0, &books.digest),
            ArmState::Hold(held) => held.finish(),
            // One account a floor.
            ArmState::Apart(floor) => {
                floor.finish().outcomes.into_iter().next().map_or_else(ArmTrack::default, |o| o.track)
            }
            ArmState::Voices(account, weights) => ArmTrack { grown: weights.grown, ..account.finish() },
            ArmState::Across(account, across) => ArmTrack { across: across.days(), ..account.finish() },
            ArmState::Rule(account, _) | ArmState::Blind(account, _) => account.finish(),
            ArmState::Listens(listener) => listener.finish(),
            ArmState::Silos(silos, _) => silos.finish(),
        }
    }
}
