//! The structured agents in the first half of the step: their lives, and when they judge.
//!
//! # Invariants
//!
//! 1. A stamp is judged by whom it stirred ([`Rules::is_stirred`]) when it is over: before the first event of a later stamp, or at the barrier that
//!    closes it. Nothing that comes later in it is missed, and nothing after it is known.
//! 2. Agents judge in their order; none depends on another. So each meets the book as it was told, also
//!    where another took from it in the same stamp: alone lives know of no one else.
//! 3. What they judge and are filled by is the market that everybody reads ([`Market`]). Where there are none it keeps
//!    nothing but the bars and funding of the desk's instruments, and every other event is refused.
//! 4. A maker's life is lived twice, its fills counted by *through* and by *touch*; the first one speaks.
//! 5. A life whose gains and losses have come to its whole capital is ruined: that is lost and put up anew ([`Stake`]). Its
//!    book goes on, since what it says is made of it.

use super::Utterance;
use super::outputs::{BeforeLegs, StepOutput};
use crate::agents::Population;
use crate::agents::families::Rules;
use crate::agents::structures::StructureContext;
use crate::agents::structures::filling::FillContext;
use crate::agents::structures::in_legs::{AgentRef, StructureLife};
use crate::agents::structures::legs::Legs;
use crate::domain::{AgentId, InstrumentId, MarketEvent, MessageKind, Stamp, Universe, Verb};
use crate::fills::Tariff;
use crate::fills::liquidation::Stake;
use crate::hive::points::bounded;
use crate::market::Market;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Span, in barriers, of the memory of a result's own volatility.
const RESULT_SPAN: f64 = 180.0;

/// What does not change during a run.
#[derive(Clone, Debug)]
pub struct StructureSpec {
    cast: Arc<Population>,
    costs: Tariff,
    /// By instrument: who listens, and whether its family remembers what it hears.
    ears: Vec<Vec<(u32, bool)>>,
    /// By asset: who listens to its volatility.
    vol: Vec<Vec<(u32, bool)>>,
    /// Capital of each structure, in currency.
    capital: Vec<f64>,
    /// What a bar leaves of a record.
    kept: f64,
}

/// An agent on an asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DualFill {
    /// The family and what it remembers of the market, the same for both lives.
    pub rules: Rules,
    /// The life that speaks.
    pub life: StructureLife,
    /// The same life with fills counted by touch; makers only.
    pub touch: Option<StructureLife>,
    /// Gain of the life's book until the last barrier, in the account's currency.
    marked: f64,
    /// The same with fills counted by touch.
    marked_touch: f64,
    /// What the life stands on.
    pub stake: Stake,
    /// The same with fills counted by touch.
    stake_touch: Stake,
    /// Mean square of the changes of that gain from bar to bar.
    square: f64,
    /// What the results of its intent come to in its agent's record so far.
    effect: f64,
}

/// All structured agents: the lives they lead, and who is to judge.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Structures {
    /// The structured agents' lives, in the order of the cast.
    pub twins: Vec<DualFill>,
    /// The stamp that is not over yet.
    stamp: Option<Stamp>,
    /// Structures that have heard something at the stamp that is not over yet.
    due: Vec<u32>,
    /// By structure: whether it is one of them; apart from the lives, since most events do no more.
    is_due: Vec<bool>,
}

impl DualFill {
    /// What its book gained until the last barrier, in the account's currency.
    pub fn gain(&self) -> f64 {
        self.marked
    }

    /// What it gained and lost until the last barrier, no more than the stakes that it lost.
    pub fn marked(&self) -> f64 {
        self.stake.pnl(self.marked)
    }

    /// An outcome says what its intent's results came to until now, where the book has gained so much; the next intent has
    /// none yet.
    fn tell_effects(&mut self, kept: f64, gain: f64, said: &mut [Utterance]) {
        let sigma = libm::sqrt(self.square);
        // Of the bar that is not over.
        let begun = if sigma > 0.0 { bounded((gain - self.marked) / sigma) } else { 0.0 };
        for Utterance { body, .. } in said {
            match body {
                MessageKind::Outcome(outcome) => outcome.points = self.effect + begun,
                // The bar is told whole when it is over, and what of it is over already is not this intent's.
                MessageKind::Action(action) if action.verb == Verb::Open => {
                    self.effect = -begun / kept;
                }
                _ => {}
            }
        }
    }

    /// What it gained and lost with fills counted by touch; of those who take, the same.
    pub fn marked_touch(&self) -> f64 {
        self.stake_touch.pnl(self.marked_touch)
    }
}

impl StructureSpec {
    /// For a cast on a universe; `reference` is the capital of an agent, `kept` what a bar leaves of its record.
    pub fn new(
        cast: &Arc<Population>,
        universe: &Universe,
        (reference, kept): (f64, f64),
        costs: &Tariff,
    ) -> Self {
        let mut spec = StructureSpec {
            cast: Arc::clone(cast),
            costs: costs.clone(),
            ears: vec![Vec::new(); universe.instruments.len()],
            vol: vec![Vec::new(); universe.assets.len()],
            capital: Vec::new(),
            kept,
        };
        for (i, s) in cast.structures.iter().enumerate() {
            let ears = s.rules.ears();
            let remembers = s.rules.remembers();
            ears.iter().for_each(|e| spec.ears[e.index()].push((i as u32, remembers.contains(e))));
            spec.vol[s.asset.index()].push((i as u32, true));
            let own = cast.structures.iter().filter(|o| o.agent == s.agent).count();
            spec.capital.push(reference / own as f64);
        }
        spec
    }
}

impl Structures {
    /// Nothing was heard of the market yet.
    pub fn new(cast: &Population) -> Self {
        let twin = |rules: &Rules| DualFill {
            rules: rules.clone(),
            life: StructureLife::new(false),
            touch: rules.is_maker().then(|| StructureLife::new(true)),
            marked: 0.0,
            marked_touch: 0.0,
            stake: Stake::default(),
            stake_touch: Stake::default(),
            square: 0.0,
            effect: 0.0,
        };
        Structures {
            twins: cast.structures.iter().map(|s| twin(&s.rules)).collect(),
            stamp: None,
            due: Vec::new(),
            is_due: vec![false; cast.structures.len()],
        }
    }

    /// An event of this stamp comes, which the market has not taken yet: the stamp before it is judged if it is over.
    pub fn begin(&mut self, spec: &StructureSpec, market: &Market, at: Stamp, said: &mut StepOutput) {
        if self.is_over(at) {
            self.judge(spec, market, said);
            self.stamp = Some(at);
        }
    }

    /// Whether an event of this stamp would end the one that is being heard: never where there are no structures.
    pub(super) fn is_over(&self, at: Stamp) -> bool {
        !self.twins.is_empty() && self.stamp.is_none_or(|s| at > s)
    }

    /// Hears an event that the market has taken.
    pub fn hear(
        &mut self,
        spec: &StructureSpec,
        market: &Market,
        event: &MarketEvent,
        said: &mut Vec<Utterance>,
    ) {
        // Bars of the fast clock are for orders that are worked; nobody decides on them.
        if self.twins.is_empty() || matches!(event, MarketEvent::Inside { .. }) {
            return;
        }
        let ears = match (event, event.instrument()) {
            (MarketEvent::VolIndex { asset, .. }, _) => spec.vol.get(asset.index()),
            (_, Some(instrument)) => spec.ears.get(instrument.index()),
            _ => None,
        };
        let inert = Legs::is_inert(event);
        let (listed, board, costs) = (&*spec.cast.listed, market, &spec.costs);
        for &(i, remembers) in ears.into_iter().flatten() {
            let is_due = &mut self.is_due[i as usize];
            if inert && !remembers {
                if !std::mem::replace(is_due, true) {
                    self.due.push(i);
                }
                continue;
            }
            let twin = &mut self.twins[i as usize];
            if twin.life.heeds(event) {
                twin.life.hear(&FillContext { listed, board, costs, touch: false }, event);
            }
            if let Some(touch) = twin.touch.as_mut().filter(|t| t.heeds(event)) {
                touch.hear(&FillContext { listed, board, costs, touch: true }, event);
            }
            if remembers {
                twin.rules.on_event(listed, board, event);
            }
            if matches!(event, MarketEvent::Funding { .. })
                && let Some(quote) = twin.rules.carry_quote(event)
            {
                said.push(Utterance {
                    voice: spec.cast.voice_of(i as usize),
                    body: MessageKind::Carry(quote),
                });
            }
            // Who works an order is a maker, and has two lives.
            if twin.touch.is_some()
                && let Some(quote) = twin.rules.work_quote(event)
            {
                said.push(Utterance {
                    voice: spec.cast.voice_of(i as usize),
                    body: MessageKind::Work(quote),
                });
            }
            if !*is_due && twin.rules.is_stirred(event) {
                *is_due = true;
                self.due.push(i);
            }
        }
    }

    /// Instruments of the desk have stopped trading by this barrier, whose stamp was judged.
    fn delist(
        &mut self,
        spec: &StructureSpec,
        market: &Market,
        (now, gone): (Stamp, &[InstrumentId]),
        said: &mut Vec<Utterance>,
    ) {
        if gone.is_empty() {
            return;
        }
        let (cast, nothing) = (&*spec.cast, Legs::default());
        for (i, (s, twin)) in cast.structures.iter().zip(&mut self.twins).enumerate() {
            let heard = twin.rules.ears();
            for id in gone.iter().copied().filter(|id| heard.contains(id)) {
                let agent = &cast.agents[s.agent.index()];
                let who = AgentRef { agent: s.agent, asset: s.asset, rules: &twin.rules, key: s.key };
                let seen = StructureContext {
                    listed: &cast.listed,
                    board: market,
                    costs: &spec.costs,
                    now,
                    traits: &agent.traits,
                    preset: agent.strategy.preset(),
                    side: agent.side,
                    capital: spec.capital[i],
                    legs: &nothing,
                    may_open: true,
                };
                let m =
                    |touch| FillContext { listed: &cast.listed, board: market, costs: &spec.costs, touch };
                let mut say = |body| said.push(Utterance { voice: cast.voice_of(i), body });
                twin.life.delist(who, &seen, &m(false), id, &mut say);
                if let Some(touch) = &mut twin.touch {
                    touch.delist(who, &seen, &m(true), id, &mut |_| {});
                }
            }
        }
    }

    /// A barrier closes the stamp; fills in the agents' results, in units of their own volatility.
    pub fn barrier(
        &mut self,
        spec: &StructureSpec,
        market: &Market,
        gone: (Stamp, &[InstrumentId]),
        said: &mut StepOutput,
    ) {
        if self.twins.is_empty() {
            return;
        }
        self.judge(spec, market, said);
        self.delist(spec, market, gone, &mut said.structured);
        let results = &mut said.results;
        let keep = 1.0 - 2.0 / (RESULT_SPAN + 1.0);
        let (cast, listed) = (&*spec.cast, &*spec.cast.listed);
        let mut parts = Vec::with_capacity(self.twins.len());
        for (i, twin) in self.twins.iter_mut().enumerate() {
            let gain = twin.life.legs.market_value(listed, market);
            let change = gain - twin.marked;
            twin.marked = gain;
            let touch = twin.touch.as_ref().map(|t| t.legs.market_value(listed, market));
            twin.marked_touch = touch.unwrap_or(gain);
            twin.stake.settle(spec.capital[i], gain);
            twin.stake_touch.settle(spec.capital[i], twin.marked_touch);
            let sigma = libm::sqrt(twin.square);
            if change != 0.0 {
                twin.square = keep * twin.square + (1.0 - keep) * change * change;
            }
            let sum = &mut results[cast.structures[i].agent.index()];
            parts.push(0.0);
            if change != 0.0 && sigma > 0.0 {
                let result = bounded(change / sigma);
                parts[i] = result;
                *sum = if sum.is_finite() { *sum + result } else { result };
            }
        }
        // A record takes the sum of an agent's structures, as far as it is bounded; each has its part of that.
        for ((twin, part), structure) in self.twins.iter_mut().zip(parts).zip(&cast.structures) {
            let sum = results[structure.agent.index()];
            if sum.is_finite() {
                let share = if sum == 0.0 { 1.0 } else { bounded(sum) / sum };
                twin.effect = spec.kept * twin.effect + share * part;
            }
        }
    }

    fn judge(&mut self, spec: &StructureSpec, market: &Market, output: &mut StepOutput) {
        let Some(now) = self.stamp else { return };
        let StepOutput { structured: said, before_legs, judged, .. } = output;
        let cast = &*spec.cast;
        let mut due = std::mem::take(&mut self.due);
        due.sort_unstable();
        let nothing = Legs::default();
        for &i in &due {
            let i = i as usize;
            let s = &cast.structures[i];
            let agent = &cast.agents[s.agent.index()];
            let twin = &mut self.twins[i];
            self.is_due[i] = false;
            if now < agent.active_from {
                continue;
            }
            let who = AgentRef { agent: s.agent, asset: s.asset, rules: &twin.rules, key: s.key };
            let (traits, preset) = (&agent.traits, agent.strategy.preset());
            let seen = StructureContext {
                listed: &cast.listed,
                board: market,
                costs: &spec.costs,
                now,
                traits,
                preset,
                side: agent.side,
                capital: spec.capital[i],
                legs: &nothing,
                may_open: true,
            };
            if !agent.reacts.is_empty() {
                let life = twin.life.clone();
                before_legs.push(BeforeLegs { structure: i as u32, now, life });
            }
            let first = said.len();
            let mut say = |body| said.push(Utterance { voice: cast.voice_of(i), body });
            twin.life.judge(who, &seen, &mut say);
            if let Some(touch) = &mut twin.touch {
                touch.judge(who, &seen, &mut |_| {});
            }
            if said.len() > first {
                let gain = twin.life.legs.market_value(&cast.listed, market);
                twin.tell_effects(spec.kept, gain, &mut said[first..]);
            }
        }
        judged.extend_from_slice(&due);
        due.clear();
        self.due = due;
    }

    /// The stamp that is being heard; none before the first.
    pub fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    /// What an agent's structures gained and lost until the last barrier.
    pub fn pnl(&self, cast: &Population, agent: AgentId) -> f64 {
        let own = cast.structures.iter().zip(&self.twins).filter(|(s, _)| s.agent == agent);
        own.map(|(_, t)| t.marked()).sum()
    }

    /// What all of them did.
    pub fn total(&self) -> f64 {
        self.twins.iter().map(DualFill::marked).sum()
    }
}
