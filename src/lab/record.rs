//! The record of all agents as it builds up during a trial: what allocators may know at each barrier.

use super::allocate;
use super::arms::Weighing;
use super::hire_rule::{self, HireRule};
use super::stream::{Grown, Likeness};
use crate::agents::{Agent, Population};
use crate::domain::{AgentId, Holds, Stamp, random};
use crate::engine::Settings;
use crate::engine::speak::{Speak, StepOutput};
use crate::hive::points::Points;

/// Days of returns that allocators look back.
const WINDOW_DAYS: usize = 365;
/// Days that must be known before they allocate; until then all are equal.
const LEAST_DAYS: usize = 120;
/// Days between two allocations.
const EVERY_DAYS: usize = 30;
/// A year's best regret bound for results within ±5 a bar sets the rate of exponential weights.
const RANGE: f64 = 10.0;

/// What is known of the agents so far.
#[derive(Clone, Debug)]
pub struct AgentsRecord {
    /// Points, as the engine keeps them, where an arm weighs by them.
    points: Option<Points>,
    reference: f64,
    bars_per_year: f64,
    /// By agent: equity of the raw books, in currency.
    equity: Vec<f64>,
    /// By agent: change of that equity in the last bar, as a fraction of the hive's capital.
    pub bar: Vec<f64>,
    /// By agent: notional traded so far, in currency.
    traded: Vec<f64>,
    /// By agent: costs paid so far, in currency.
    costs: Vec<f64>,
    /// Notional traded in the last bar, as a fraction of the hive's capital, by agent.
    pub bar_traded: Vec<f64>,
    /// Costs of the last bar, as a fraction of the hive's capital, by agent.
    pub bar_costs: Vec<f64>,
    /// Trades of the raw books in the last bar, by agent: a book trades at most once a bar.
    pub bar_orders: Vec<u64>,
    /// By slot: what its raw book traded in total, in currency.
    slot_traded: Vec<f64>,
    /// By agent: Σ of clipped results.
    results: Vec<f64>,
    day: Option<i64>,
    today: Vec<f64>,
    /// By agent: daily PnL as a fraction of the hive's capital.
    daily: Vec<Vec<f64>>,
    /// By agent: intents closed until the last day's end.
    closed: Vec<u64>,
}

impl AgentsRecord {
    /// Nothing is known. Points are kept for weights by these rules.
    pub fn new(cast: &Population, settings: &Settings, rules: impl IntoIterator<Item = Weighing>) -> Self {
        let n = cast.agents.len();
        let clock = settings.clock.decide;
        AgentsRecord {
            points: rules
                .into_iter()
                .any(|rule| matches!(rule, Weighing::Points | Weighing::Own))
                .then(|| Points::new(cast, clock, settings.listening.points_span_days)),
            reference: settings.capital,
            bars_per_year: clock.per_year(),
            equity: vec![0.0; n],
            bar: vec![0.0; n],
            traded: vec![0.0; n],
            costs: vec![0.0; n],
            bar_traded: vec![0.0; n],
            bar_costs: vec![0.0; n],
            bar_orders: vec![0; n],
            slot_traded: vec![0.0; cast.slots.len()],
            results: vec![0.0; n],
            day: None,
            today: vec![0.0; n],
            daily: vec![Vec::new(); n],
            closed: vec![0; n],
        }
    }

    /// A barrier has passed in the speaking half.
    pub fn push(&mut self, cast: &Population, at: Stamp, speak: &Speak, said: &StepOutput) {
        if let Some(points) = &mut self.points {
            points.push(cast, &said.results);
        }
        let day = Stamp(at.0 - 1).day();
        if self.day.is_some_and(|d| d != day) {
            for (days, today) in self.daily.iter_mut().zip(&mut self.today) {
                days.push(std::mem::take(today));
            }
            for (closed, agent) in self.closed.iter_mut().zip(&cast.agents) {
                *closed = agent.slots.clone().map(|slot| u64::from(speak.lives[slot].trades)).sum();
            }
        }
        self.day = Some(day);
        for (i, agent) in cast.agents.iter().enumerate() {
            let (mut equity, mut traded, mut costs) = (0.0, 0.0, 0.0);
            self.bar_orders[i] = 0;
            for slot in agent.slots.clone() {
                let raw = &speak.raw[slot];
                equity += raw.equity(speak.close(cast.slots[slot].asset));
                traded += raw.traded;
                if raw.traded != self.slot_traded[slot] {
                    self.bar_orders[i] += 1;
                    self.slot_traded[slot] = raw.traded;
                }
                costs += raw.costs;
            }
            let change = |now: f64, before: &mut f64| (now - std::mem::replace(before, now)) / self.reference;
            self.bar[i] = change(equity, &mut self.equity[i]);
            self.bar_traded[i] = change(traded, &mut self.traded[i]);
            self.bar_costs[i] = change(costs, &mut self.costs[i]);
            self.today[i] += self.bar[i];
            if let Some(u) = said.results.get(i).filter(|u| u.is_finite()) {
                self.results[i] += u.clamp(-5.0, 5.0);
            }
        }
    }

    /// Points of an agent; 1, the prior, where none are kept.
    fn points(&self, cast: &Population, agent: AgentId) -> f64 {
        self.points.as_ref().map_or(1.0, |points| points.agent(cast, agent))
    }

    /// Points of an agent's own record, its family's taken out again.
    fn own(&self, cast: &Population, agent: AgentId) -> f64 {
        let family = cast.agents[agent.index()].family;
        let of_family = self.points.as_ref().map_or(1.0, |points| points.family(family));
        2.0 * self.points(cast, agent) - of_family
    }

    fn window(&self) -> Option<Vec<&[f64]>> {
        let known = self.daily.first().map_or(0, Vec::len);
        (known >= LEAST_DAYS)
            .then(|| self.daily.iter().map(|d| &d[known.saturating_sub(WINDOW_DAYS)..]).collect())
    }

    /// How alike the agents were, all days known so far: the declared ones, and all voices.
    pub fn company(&self, cast: &Population) -> [Likeness; 2] {
        [&self.daily[..cast.declared], &self.daily[..]].map(Likeness::of)
    }
}

/// Weights of voices under a rule, kept from barrier to barrier.
#[derive(Clone, Debug)]
pub struct Weights {
    rule: Weighing,
    /// By agent, declared ones first; Σ = 1 once anybody is funded.
    pub of: Vec<f64>,
    /// Under a rule that hires: at each hiring the day, who takes part from then on, and intents that members have closed.
    pub grown: Vec<Grown>,
    allocated: usize,
}

impl Weights {
    /// Before anything is known.
    pub fn new(rule: Weighing, cast: &Population) -> Self {
        let of = match rule {
            Weighing::Voices(n) => first_voices(cast, n, |_| true),
            Weighing::Scouts(n) => first_voices(cast, n, |agent| agent.scout),
            _ => alike(cast),
        };
        Weights { rule, of, grown: Vec::new(), allocated: 0 }
    }

    /// Weighs anew with what is known now.
    pub fn update(&mut self, cast: &Population, record: &AgentsRecord, settings: &Settings) {
        let funds = &settings.funds;
        let root = |x: f64| libm::sqrt(x);
        match self.rule {
            Weighing::Equal | Weighing::Voices(_) | Weighing::Scouts(_) => {}
            Weighing::Points => {
                let points = |id| record.points(cast, id);
                let mean = mean(cast, |id| root(points(id)));
                self.set(cast, |id| (root(points(id)) / mean).clamp(funds.floor, funds.cap));
            }
            Weighing::Own => {
                let mean = mean(cast, |id| root(record.own(cast, id)));
                self.set(cast, |id| (root(record.own(cast, id)) / mean).clamp(funds.floor, funds.cap));
            }
            Weighing::Hedge => {
                let n = cast.declared.max(2) as f64;
                let rate = libm::sqrt(8.0 * libm::log(n) / record.bars_per_year) / RANGE;
                let best = record.results[..cast.declared].iter().copied().fold(f64::MIN, f64::max);
                self.set(cast, |id| libm::exp(rate * (record.results[id.index()] - best)));
            }
            Weighing::Hired(rule) => self.hire(rule, cast, record),
            Weighing::Hrp | Weighing::MeanVariance | Weighing::NonNegative => self.allocate(cast, record),
        }
    }

    /// Takes in the next scouts once a quarter has gone by.
    fn hire(&mut self, rule: HireRule, cast: &Population, record: &AgentsRecord) {
        let known = record.daily.first().map_or(0, Vec::len);
        let Some(day) = record.day.filter(|_| known >= self.allocated + hire_rule::EVERY_DAYS) else {
            return;
        };
        self.allocated = known;
        let new = rule.choose(cast, &self.of, &record.daily);
        let members = self.of.iter().filter(|w| **w > 0.0).count() + new.len();
        let parts = self.of.iter().zip(&record.closed).filter(|(w, _)| **w > 0.0);
        self.grown.push(Grown { day, voices: members as u32, closed: parts.map(|(_, n)| n).sum() });
        new.into_iter().for_each(|i| self.of[i] = 1.0);
        self.of.iter_mut().filter(|w| **w > 0.0).for_each(|w| *w = 1.0 / members as f64);
    }

    fn allocate(&mut self, cast: &Population, record: &AgentsRecord) {
        let known = record.daily.first().map_or(0, Vec::len);
        if known < self.allocated + EVERY_DAYS {
            return;
        }
        let Some(window) = record.window() else { return };
        self.allocated = known;
        // Agents that did not trade in the window have no risk to be judged by.
        let lively: Vec<usize> = (0..cast.declared)
            .filter(|i| cast.agents[*i].funded && window[*i].iter().any(|r| *r != 0.0))
            .collect();
        let returns: Vec<&[f64]> = lively.iter().map(|i| window[*i]).collect();
        let weights = match self.rule {
            Weighing::Hrp => allocate::hierarchical(&returns),
            Weighing::NonNegative => allocate::non_negative(&returns),
            _ => allocate::mean_variance(&returns),
        };
        if let Some(weights) = weights {
            self.of.fill(0.0);
            for (i, w) in lively.into_iter().zip(weights) {
                self.of[i] = w;
            }
        }
    }

    fn set(&mut self, cast: &Population, f: impl Fn(AgentId) -> f64) {
        for agent in &cast.agents[..cast.declared] {
            self.of[agent.id.index()] = if agent.funded { f(agent.id) } else { 0.0 };
        }
        let sum: f64 = self.of.iter().sum();
        if sum > 0.0 {
            self.of.iter_mut().for_each(|w| *w /= sum);
        }
    }
}

/// Σ weight × announced position at the last price, by asset.
pub fn pooled(cast: &Population, speak: &Speak, weights: &[f64], holds: Holds, aims: &mut [f64]) {
    pooled_with(cast, speak, (weights, |_, _| 1.0), holds, aims);
}

/// The same, each weight times a number that depends on agent and asset.
pub fn pooled_with(
    cast: &Population,
    speak: &Speak,
    (weights, times): (&[f64], impl Fn(usize, usize) -> f64),
    holds: Holds,
    aims: &mut [f64],
) {
    aims.fill(0.0);
    for (i, (agent, weight)) in cast.agents.iter().zip(weights).enumerate() {
        if *weight != 0.0 {
            for slot in agent.slots.clone() {
                let asset = cast.slots[slot].asset.index();
                // At a price of 1: what it costs now is one multiplication an asset.
                aims[asset] += weight * times(i, asset) * speak.announced[slot].at(1.0, holds);
            }
        }
    }
    if holds == Holds::Quantity {
        for (aim, listing) in aims.iter_mut().zip(speak.market.desk()) {
            *aim = if *aim == 0.0 { 0.0 } else { *aim * listing.last().close };
        }
    }
}

/// Mean over who has funds.
fn mean(cast: &Population, f: impl Fn(AgentId) -> f64) -> f64 {
    let funded = || cast.agents[..cast.declared].iter().filter(|a| a.funded);
    funded().map(|a| f(a.id)).sum::<f64>() / funded().count().max(1) as f64
}

/// Equal weights for who has funds.
fn alike(cast: &Population) -> Vec<f64> {
    let n = cast.agents.iter().filter(|a| a.funded).count().max(1) as f64;
    cast.agents.iter().map(|a| if a.funded { 1.0 / n } else { 0.0 }).collect()
}

/// Equal weights for the first n voices of an order drawn by the seed: each step of the curve keeps those
/// of the step before.
fn first_voices(cast: &Population, n: usize, counts: impl Fn(&Agent) -> bool) -> Vec<f64> {
    let key =
        |i: usize| random::key(cast.seed, &[random::name("voices"), random::name(&cast.agents[i].name)]);
    let mut order: Vec<usize> = (0..cast.agents.len()).collect();
    order.retain(|i| cast.agents[*i].heard && counts(&cast.agents[*i]));
    order.sort_by_key(|i| (key(*i), *i));
    order.truncate(n);
    let mut of = vec![0.0; cast.agents.len()];
    order.iter().for_each(|i| of[*i] = 1.0 / order.len() as f64);
    of
}
