//! One seed: the roster is drawn, speaks once through all of the market, and every arm hears the same.
//!
//! The time-shifted control needs to know what will be said, so it runs in a second pass, after everything
//! was said once.

use super::account::Account;
use super::arms::{Arm, Follows, Kind, Weighing};
use super::company::floor::{Floor, Risk};
use super::company::{Cell, Impact, groups};
use super::controls::{Control, Tape};
use super::listen::Listener;
use super::parts::Parts;
use super::record::{Record, Weights};
use super::rules::{BuyAndHold, Momentum, RandomDesk};
use super::silos::Silos;
use super::stream::{Meter, Scale, Track};
use super::study::World;
use crate::agents::Cast;
use crate::agents::cast::cast;
use crate::domain::{Digest, Event, Holds, Stamp};
use crate::engine::Settings;
use crate::engine::speak::{Said, Speak, SpeakSpec};
use crate::market::Market;
use std::sync::Arc;

/// Barriers between two ticks.
pub const TICK: u64 = 256;

/// Runs the arms of a seed. `tick` is called every [`TICK`] barriers with the number of arms that went so
/// far; `None` if it said stop.
pub fn trial(world: &World, seed: u64, arms: &[Arm], tick: &dyn Fn(u64) -> bool) -> Option<Vec<Track>> {
    let shifted = |a: &&Arm| a.kind == Kind::Control(Control::TimeShifted);
    let (second, first): (Vec<&Arm>, Vec<&Arm>) = arms.iter().partition(shifted);
    let mut stage = Stage::new(world, seed, arms);
    let (mut tracks, tape) = stage.run(&first, None, !second.is_empty(), tick)?;
    if !second.is_empty() {
        let (more, _) = Stage::new(world, seed, arms).run(&second, tape.as_ref(), false, tick)?;
        tracks.extend(more);
    }
    // Back in the order of the plan.
    let order: Vec<&Arm> = first.into_iter().chain(second).collect();
    let place = |arm: &Arm| order.iter().position(|a| a.name == arm.name);
    let mut tracks: Vec<Option<Track>> = tracks.into_iter().map(Some).collect();
    arms.iter().map(|a| tracks.get_mut(place(a)?)?.take()).collect()
}

/// The speaking half of a seed.
struct Stage<'a> {
    world: &'a World,
    settings: &'a Settings,
    cast: Arc<Cast>,
    spec: SpeakSpec,
    speak: Speak,
    record: Record,
}

/// An arm on stage.
enum Actor {
    Alone { weights: Weights, used: Vec<f64>, scale: Scale, equity: f64, meter: Meter, digest: Digest },
    Patient { pnl: f64, traded: f64, costs: f64, scale: Scale, equity: f64, meter: Meter, digest: Digest },
    Hold(BuyAndHold),
    Apart(Box<Floor>),
    Voices(Box<Account>, Weights),
    Rule(Box<Account>, Momentum),
    Blind(Box<Account>, RandomDesk),
    Listens(Box<Listener>),
    Silos(Silos, Weights),
}

impl<'a> Stage<'a> {
    fn new(world: &'a World, seed: u64, arms: &[Arm]) -> Self {
        let settings = &world.settings;
        let cast = Arc::new(cast(&world.roster, &world.universe, seed));
        let market = Market::new(settings.clock, SpeakSpec::wanted(&cast));
        let spec = SpeakSpec::new(Arc::clone(&cast), &world.universe, settings.clone(), &market);
        let speak = Speak::new(market, &spec);
        let record = Record::new(&cast, settings, arms.iter().filter_map(|arm| arm.kind.weighing()));
        Stage { world, settings, cast, spec, speak, record }
    }

    fn actor(&self, arm: &Arm, tape: Option<&Tape>) -> Actor {
        let (universe, settings) = (&self.world.universe, self.settings);
        let clock = settings.clock.decide;
        let account = |follows: Follows| Box::new(Account::new(universe, &follows.settings(settings)));
        let weights = |rule| Weights::new(rule, &self.cast);
        match arm.kind {
            Kind::Alone(rule) => Actor::Alone {
                used: weights(Weighing::Equal).of,
                weights: weights(rule),
                scale: Scale::new(&settings.desk, clock),
                equity: 1.0,
                meter: Meter::new(1.0, clock),
                digest: Digest::default(),
            },
            Kind::AlonePatient => Actor::Patient {
                pnl: 0.0,
                traded: 0.0,
                costs: 0.0,
                scale: Scale::new(&settings.desk, clock),
                equity: 1.0,
                meter: Meter::new(1.0, clock),
                digest: Digest::default(),
            },
            Kind::AloneDesk(desk) => {
                let cell = Cell {
                    groups: groups::members(&self.cast).len(),
                    capital: 0.0,
                    desk,
                    impact: Impact::Own,
                };
                let floor = Floor::new(&self.cast, universe, settings, &[cell], Risk::Target);
                Actor::Apart(Box::new(floor))
            }
            Kind::BuyAndHold => Actor::Hold(BuyAndHold::new(universe, settings)),
            Kind::Account(rule, follows) => Actor::Voices(account(follows), weights(rule)),
            Kind::Central(parts) => {
                let account = Box::new(Account::served(universe, settings, parts));
                Actor::Voices(account, weights(Weighing::Voices(usize::MAX)))
            }
            Kind::Silo(capital) => {
                let mut own = settings.clone();
                own.services.capital = capital;
                let carry = Parts { carry: true, beyond: true, netting: true, ..Parts::NONE };
                let carry = Box::new(Account::served(universe, &own, carry));
                let silos = Silos { desk: account(Follows::Desk), carry };
                Actor::Silos(silos, weights(Weighing::Voices(usize::MAX)))
            }
            Kind::Blind(parts) => {
                let account = Box::new(Account::served(universe, settings, parts));
                Actor::Blind(account, RandomDesk::new(self.cast.seed))
            }
            Kind::Momentum(follows) => Actor::Rule(account(follows), Momentum::new(universe)),
            kind => Actor::Listens(Box::new(Listener::new(kind, &self.cast, universe, settings, tape))),
        }
    }

    fn run(
        &mut self,
        arms: &[&Arm],
        tape: Option<&Tape>,
        keep: bool,
        tick: &dyn Fn(u64) -> bool,
    ) -> Option<(Vec<Track>, Option<Tape>)> {
        let mut actors: Vec<Actor> = arms.iter().map(|a| self.actor(a, tape)).collect();
        let mut new_tape = keep.then(|| Tape::new(&self.cast));
        let (mut said, mut barriers) = (Said::default(), 0);
        let mut aims = vec![0.0; self.world.universe.assets.len()];
        for event in &self.world.events {
            self.speak.step(&self.spec, event, &mut said);
            if !said.accepted {
                continue;
            }
            if let Event::Barrier(at) = event {
                self.record.push(&self.cast, *at, &self.speak, &said);
                if let Some(tape) = &mut new_tape {
                    tape.push(&said);
                }
                barriers += 1;
                if barriers % TICK == 0 && !tick(arms.len() as u64) {
                    return None;
                }
            }
            for actor in &mut actors {
                self.act(actor, event, &mut said, tape, &mut aims);
            }
        }
        let mut tracks: Vec<Track> = actors.into_iter().map(Actor::finish).collect();
        for (track, arm) in tracks.iter_mut().zip(arms) {
            if arm.kind == Kind::Alone(Weighing::Equal) {
                track.company = Some(self.record.company(&self.cast));
            }
        }
        Some((tracks, new_tape))
    }

    fn act(&self, actor: &mut Actor, event: &Event, said: &mut Said, tape: Option<&Tape>, aims: &mut [f64]) {
        let (cast, speak, settings) = (&*self.cast, &self.speak, self.settings);
        let barrier = if let Event::Barrier(at) = event { Some(*at) } else { None };
        match actor {
            Actor::Voices(account, _) => account.hear(cast, event.at(), said),
            Actor::Silos(silos, _) => silos.carry.hear(cast, event.at(), said),
            _ => {}
        }
        match (actor, barrier) {
            (Actor::Listens(listener), _) => listener.step(event, speak, said, cast, tape),
            (Actor::Voices(account, _) | Actor::Rule(account, _) | Actor::Blind(account, _), None) => {
                account.market(event, speak);
            }
            (Actor::Silos(silos, _), None) => {
                silos.desk.market(event, speak);
                silos.carry.market(event, speak);
            }
            (Actor::Silos(silos, weights), Some(at)) => {
                weights.update(cast, &self.record, settings);
                pooled(cast, speak, &weights.of, settings.listening.holds, aims);
                silos.desk.barrier(at, speak, aims);
                aims.fill(0.0);
                silos.carry.barrier(at, speak, aims);
            }
            (Actor::Voices(account, weights), Some(at)) => {
                weights.update(cast, &self.record, settings);
                pooled(cast, speak, &weights.of, settings.listening.holds, aims);
                account.barrier(at, speak, aims);
            }
            (Actor::Rule(account, rule), Some(at)) => {
                rule.aims(at, speak, &self.world.universe, aims);
                account.barrier(at, speak, aims);
            }
            (Actor::Blind(account, desk), Some(at)) => {
                desk.aims(at, speak, aims);
                account.barrier(at, speak, aims);
            }
            (Actor::Apart(floor), None) => floor.market(event, speak),
            (Actor::Apart(floor), Some(at)) => floor.barrier(at, speak, said),
            (Actor::Hold(held), Some(at)) => held.barrier(at, speak, &self.world.universe, settings),
            (Actor::Alone { weights, used, scale, equity, meter, digest }, Some(at)) => {
                let n = cast.declared as f64;
                // Books are kept at 1/N of the capital.
                let sum = |of: &[f64]| used.iter().zip(of).map(|(w, x)| w * n * x).sum::<f64>();
                let bar = (sum(&self.record.bar), sum(&self.record.bar_traded), sum(&self.record.bar_costs));
                if scale.multiple() > 0.0 {
                    let held = used.iter().zip(&self.record.bar_orders).filter(|(w, _)| **w > 0.0);
                    meter.orders(held.map(|(_, n)| n).sum());
                }
                scaled(bar, at, scale, equity, meter, digest);
                weights.update(cast, &self.record, settings);
                used.clone_from(&weights.of);
            }
            (Actor::Patient { pnl, traded, costs, scale, equity, meter, digest }, Some(at)) => {
                let books = || speak.patient.iter().map(|p| &p.book);
                let per = 1.0 / settings.capital;
                let change = |now: f64, before: &mut f64| per * (now - std::mem::replace(before, now));
                let bar = (
                    change(speak.curve.pnl(), pnl),
                    change(books().map(|b| b.traded).sum(), traded),
                    change(books().map(|b| b.costs).sum(), costs),
                );
                if scale.multiple() > 0.0 {
                    meter.orders(self.record.patient_orders);
                }
                scaled(bar, at, scale, equity, meter, digest);
            }
            (Actor::Hold(_) | Actor::Alone { .. } | Actor::Patient { .. }, None) => {}
        }
    }
}

/// A bar of a stream that no desk scaled: return, notional and costs as fractions of unscaled capital.
fn scaled(
    (r, traded, costs): (f64, f64, f64),
    at: Stamp,
    scale: &mut Scale,
    equity: &mut f64,
    meter: &mut Meter,
    digest: &mut Digest,
) {
    let k = scale.multiple();
    meter.trade(k * traded * *equity, k * costs * *equity);
    *equity = (*equity * (1.0 + k * r)).max(0.0);
    digest.float(*equity);
    scale.push(r);
    meter.mark(at, *equity);
}

/// Σ weight × announced position at the last price, by asset.
pub fn pooled(cast: &Cast, speak: &Speak, weights: &[f64], holds: Holds, aims: &mut [f64]) {
    aims.fill(0.0);
    for (agent, weight) in cast.agents.iter().zip(weights) {
        if *weight != 0.0 {
            for slot in agent.slots.clone() {
                // At a price of 1: what it costs now is one multiplication an asset.
                aims[cast.slots[slot].asset.index()] += weight * speak.announced[slot].at(1.0, holds);
            }
        }
    }
    if holds == Holds::Quantity {
        for (aim, listing) in aims.iter_mut().zip(&speak.market.listings) {
            *aim = if *aim == 0.0 { 0.0 } else { *aim * listing.last.close };
        }
    }
}

impl Actor {
    fn finish(self) -> Track {
        match self {
            Actor::Alone { meter, digest, .. } | Actor::Patient { meter, digest, .. } => {
                meter.finish(0.0, 1.0, &digest)
            }
            Actor::Hold(held) => held.finish(),
            // One account a floor.
            Actor::Apart(floor) => {
                floor.finish().outcomes.into_iter().next().map_or_else(Track::default, |o| o.track)
            }
            Actor::Voices(account, _) | Actor::Rule(account, _) | Actor::Blind(account, _) => {
                account.finish()
            }
            Actor::Listens(listener) => listener.finish(),
            Actor::Silos(silos, _) => silos.finish(),
        }
    }
}
