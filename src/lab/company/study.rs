//! What is run: axes, places and seeds, on as many threads as there are.

use super::crew;
use super::floor::{Floor, Risk, SeedOutcome};
use super::layer::DeskRule;
use super::purse::{AccountKind, Impact};
use crate::agents::cast::cast;
use crate::agents::declaration::Roster;
use crate::domain::{Event, Span};
use crate::engine::speak::{Speak, StepOutput};
use crate::lab::study::LabWorld;
use crate::lab::trial::TICK;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The axes; every combination is run.
#[derive(Clone, Debug, PartialEq)]
pub struct Axes {
    /// Numbers of groups; each as many as there are agents at most. Each agent alone is always run beside them.
    pub groups: Vec<usize>,
    /// Capitals in currency, 0 for no impact.
    pub capital: Vec<f64>,
    /// Numbers of agents with funds.
    pub agents: Vec<usize>,
    /// How positions follow their targets, one rule a desk.
    pub desks: Vec<DeskRule>,
    /// Which orders of a bar move a price together.
    pub impact: Impact,
}

impl Axes {
    /// Numbers of groups with so many agents, each once: everybody alone first, then as given.
    pub fn groups_of(&self, agents: usize) -> Vec<usize> {
        let mut all = vec![agents];
        for g in &self.groups {
            let g = (*g).clamp(1, agents.max(1));
            if !all.contains(&g) {
                all.push(g);
            }
        }
        all
    }

    /// The accounts of a seed with so many agents. Traded at once is run for all together and for each alone,
    /// at no capital, for reference.
    pub fn cells(&self, agents: usize) -> Vec<AccountKind> {
        let mut all = Vec::new();
        for desk in &self.desks {
            for capital in &self.capital {
                let cell =
                    |groups| AccountKind { groups, capital: *capital, desk: *desk, impact: self.impact };
                all.extend(self.groups_of(agents).into_iter().map(cell));
            }
        }
        let reference =
            |groups| AccountKind { groups, capital: 0.0, desk: DeskRule::AtOnce, impact: Impact::Own };
        all.push(reference(agents));
        if agents > 1 {
            all.push(reference(1));
        }
        all
    }
}

/// One market on one clock.
pub struct MarketOnClock {
    /// Which set of data, by number.
    pub set: usize,
    /// Where its events and universe come from.
    pub world: LabWorld,
}

impl MarketOnClock {
    /// The decision clock.
    pub fn clock(&self) -> Span {
        self.world.settings.clock.decide
    }
}

/// What is tried.
pub struct CompanyStudy<'a> {
    /// The markets that are run, each on one clock.
    pub markets: &'a [MarketOnClock],
    /// Who, before their number is an axis.
    pub roster: &'a Roster,
    /// Which redraws of parameters and assets, and of the groups.
    pub seeds: Vec<u64>,
    /// What is varied, and over which values.
    pub axes: Axes,
}

/// All seeds of a number of agents on one market and clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Ran {
    /// By number in the study.
    pub market: usize,
    /// How many agents there are.
    pub agents: usize,
    /// The kinds of accounts that were kept.
    pub cells: Vec<AccountKind>,
    /// What came of each seed, in their order.
    pub seeds: Vec<SeedOutcome>,
}

impl CompanyStudy<'_> {
    /// How much there is to do, in ticks.
    pub fn work(&self) -> u64 {
        let ticks: u64 = self.markets.iter().map(|p| p.world.barriers / TICK).sum();
        ticks * (self.seeds.len() * self.axes.agents.len()) as u64
    }

    /// Runs everything; `None` if `stop` was set.
    pub fn run(&self, threads: usize, stop: &AtomicBool, tick: &(dyn Fn(u64) + Sync)) -> Option<Vec<Ran>> {
        let mut ran: Vec<Ran> = Vec::new();
        for market in 0..self.markets.len() {
            for agents in &self.axes.agents {
                let cells = self.axes.cells(*agents);
                ran.push(Ran { market, agents: *agents, cells, seeds: Vec::new() });
            }
        }
        let tasks: Vec<(usize, u64)> =
            (0..ran.len()).flat_map(|r| self.seeds.iter().map(move |s| (r, *s))).collect();
        let done: Mutex<Vec<Option<SeedOutcome>>> = Mutex::new(tasks.iter().map(|_| None).collect());
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((r, seed)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
                let i = r * self.seeds.len() + self.seeds.iter().position(|s| *s == seed).unwrap_or(0);
                let Ran { market, agents, cells, .. } = &ran[r];
                let roster = crew::of(self.roster, *agents);
                let left = seed_of(&self.markets[*market].world, &roster, seed, cells, &|n| {
                    tick(n);
                    !stop.load(Ordering::Relaxed)
                });
                // A thread that died while it held the lock ends the run by itself.
                if let Ok(mut done) = done.lock() {
                    done[i] = left;
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..threads.clamp(1, tasks.len().max(1)) {
                scope.spawn(work);
            }
        });
        let mut left = done.into_inner().unwrap_or_default().into_iter();
        for r in &mut ran {
            r.seeds = left.by_ref().take(self.seeds.len()).collect::<Option<Vec<SeedOutcome>>>()?;
        }
        Some(ran)
    }
}

/// Runs one seed: speaks once, all accounts hear the same. `tick` is called every [`TICK`] barriers with 1;
/// `None` if it said stop.
pub fn seed_of(
    world: &LabWorld,
    roster: &Roster,
    seed: u64,
    cells: &[AccountKind],
    tick: &dyn Fn(u64) -> bool,
) -> Option<SeedOutcome> {
    let settings = &world.settings;
    let cast = Arc::new(cast(roster, &world.universe, seed));
    let (spec, mut speak) = Speak::start(Arc::clone(&cast), &world.universe, settings.clone());
    let mut floor = Floor::new(&cast, &world.universe, settings, cells, Risk::Target);
    let (mut said, mut barriers) = (StepOutput::default(), 0);
    for event in &world.events {
        speak.step(&spec, event, &mut said);
        if !said.accepted {
            continue;
        }
        if let Event::Barrier(at) = event {
            floor.barrier(*at, &speak, &said);
            barriers += 1;
            if barriers % TICK == 0 && !tick(1) {
                return None;
            }
        } else {
            floor.market(event, &speak);
        }
    }
    Some(floor.finish())
}
