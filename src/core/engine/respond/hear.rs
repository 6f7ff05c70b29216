//! An event and what was said at it: what makes sense is heard, everybody listens, the real life decides.

use super::spec::RespondSpec;
use super::state::{ResidualStance, Respond};
use crate::agents::Population;
use crate::agents::plan::STEPS_MAX;
use crate::domain::{AgentId, AssetId, Event, MarketEvent, MessageKind, Outcome, Speaker, Stamp, Verb};
use crate::engine::Outputs;
use crate::engine::real::BarrierContext;
use crate::engine::speak::{Speak, StepOutput, StructuredMessage};
use crate::engine::structures::StructureWords;

/// Most one slot may say at a barrier: a life says an outcome and an opening, or what changes its size.
const WORDS_MAX: u32 = 8;
const _: () = assert!(STEPS_MAX <= WORDS_MAX as usize, "a life is heard whole");
/// Largest intent, in multiples of the agent's capital: the largest unit with the largest traits and adds.
const INTENT_MAX: f64 = 2_000.0;

impl Respond {
    /// Takes an event and what was said at it.
    pub fn step(
        &mut self,
        spec: &RespondSpec,
        event: &Event,
        speak: &Speak,
        said: &StepOutput,
        out: &mut Outputs,
    ) {
        if !said.accepted {
            return;
        }
        for spoken in &said.structured {
            self.hear_structured(&spec.cast, event.at(), spoken, out);
        }
        match *event {
            // What the desk does not trade is the structures' alone, and was heard in the first half.
            Event::Market(ref other) if !spec.is_listed(other) => {
                let (listings, board) = (&speak.market.listings, &speak.structures.board);
                self.real.other(&spec.real, &spec.settings, other, listings, board, out);
            }
            Event::Market(ref inside @ MarketEvent::Inside { .. }) => {
                self.real.inside(&spec.real, &spec.settings, inside, &speak.market.listings, out);
            }
            Event::Market(MarketEvent::Bar { instrument, at, .. }) => {
                let listing = &speak.market.listings[instrument.index()];
                let s = &spec.settings;
                let (kind, costs) = (spec.kinds[instrument.index()], &spec.costs[instrument.index()]);
                for &slot in spec.real.desk.slots(instrument) {
                    let book = &mut self.ears[slot as usize].open.book;
                    book.bar(costs, kind, &listing.last, listing.sigma_before, s.clock.decide);
                }
                self.gauge.bar(spec, instrument, listing);
                self.real.bar(&spec.real, s, instrument, at, listing, out);
            }
            Event::Market(MarketEvent::Funding { instrument, rate, mark, .. }) => {
                for &slot in spec.real.desk.slots(instrument) {
                    let costs = &spec.costs[instrument.index()];
                    self.ears[slot as usize].open.book.funding(costs, mark, rate);
                }
                self.gauge.funding(spec, instrument, mark, rate);
                self.real.funding(&spec.settings, instrument, rate, mark, out);
            }
            Event::Market(_) => {}
            Event::Barrier(at) => self.barrier(spec, at, speak, said, out),
            Event::Command(at, command) => self.command(spec, at, command, out),
        }
    }

    fn barrier(
        &mut self,
        spec: &RespondSpec,
        at: Stamp,
        speak: &Speak,
        said: &StepOutput,
        out: &mut Outputs,
    ) {
        let (cast, s) = (&*spec.cast, &spec.settings);
        self.points.push(cast, &said.results);
        // Where others hear a wrong word the true one never reaches them: a quantity that followed from both would
        // know something of the truth.
        let mut misheard = vec![false; if said.misheard.is_empty() { 0 } else { cast.slots.len() }];
        said.misheard.iter().for_each(|(slot, _)| misheard[*slot] = true);
        let mut last = (usize::MAX, 0);
        for utterance in &said.utterances {
            last = if last.0 == utterance.slot { (last.0, last.1 + 1) } else { (utterance.slot, 1) };
            if last.1 > WORDS_MAX || !makes_sense(&utterance.body) || !is_priced(&utterance.body) {
                self.refuse(cast, utterance.slot, out);
            } else {
                let is_heard = !misheard.get(utterance.slot).copied().unwrap_or(false);
                self.hear(spec, at, utterance, is_heard, out);
            }
        }
        let holds = s.listening.holds;
        for &(slot, after) in &said.misheard {
            // A wrong word is heard now, so its quantity is at the price of now and nothing of the true one's.
            let price = speak.market.listings[cast.slots[slot].asset.index()].last.close;
            self.consensus.hear(cast, slot, (after, price), holds, self.consensus.said(slot));
        }
        for (asset, listing) in speak.market.listings.iter().enumerate() {
            self.consensus.price(AssetId(asset as u16), listing.last.close, holds);
        }
        self.delist(spec, at, speak, out);
        self.real.mark(&spec.real, at, &speak.structures.board, out);
        self.listen(spec, at, speak, out);
        let pnl: f64 =
            self.ears.iter().zip(&cast.slots).map(|(e, slot)| speak.equity_of(&e.open, slot.asset)).sum();
        self.open.push(at, s.capital + pnl + speak.structures.total());
        let now = BarrierContext {
            spec: &spec.real,
            settings: s,
            at,
            listings: &speak.market.listings,
            board: &speak.structures.board,
        };
        self.real.decide(&now, &self.office.knobs, &mut self.decisions, out);
        let day = Stamp(at.0 - 1).after(s.clock.decide).day();
        if self.day.is_none_or(|d| d != day) {
            self.day = Some(day);
            self.close_day(spec, at, speak, out);
        }
    }

    /// What is no intent, or one word too many, is not delivered: the last one that was stands.
    fn refuse(&mut self, cast: &Population, slot: usize, out: &mut Outputs) {
        let agent = cast.slots[slot].agent;
        self.office.wards.erred(agent);
        let name = &cast.agents[agent.index()].name;
        out.alarms.push(format!("{name} said what cannot be, or too much at once; it was not heard"));
    }

    /// Delivers an utterance and keeps what it changes; `is_heard`: whether others hear it as it was said.
    fn hear(
        &mut self,
        spec: &RespondSpec,
        at: Stamp,
        utterance: &StructuredMessage,
        is_heard: bool,
        out: &mut Outputs,
    ) {
        let (cast, holds) = (&*spec.cast, spec.settings.listening.holds);
        let slot = utterance.slot;
        let said = &cast.slots[slot];
        let body = self.whole(cast, (said.agent, slot), &utterance.body);
        let id = self.bus.deliver(at, Speaker::Agent(said.agent), Some(said.asset), body, &mut out.messages);
        if let MessageKind::Action(action) = &utterance.body {
            self.gauge.wanted += u64::from(self.real.funds.weight(said.agent) > 0.0);
            if is_heard {
                self.consensus.hear(cast, slot, (action.after, action.price), holds, id);
            }
            if let Some(ear) = self.ears.get_mut(slot) {
                ear.own.say(action.after, action.price);
            }
        }
    }

    /// A message as it is delivered: whole, so that nobody changes it afterwards. What an outcome earned its agent in
    /// points since it opened is known here and not by who speaks; `place` is that of the slot or of the structure.
    fn whole(
        &mut self,
        cast: &Population,
        (agent, place): (AgentId, usize),
        body: &MessageKind,
    ) -> MessageKind {
        match body {
            MessageKind::Outcome(o) => {
                let points = self.points.agent(cast, agent) - self.points_then[place];
                return MessageKind::Outcome(Outcome { points, ..*o });
            }
            MessageKind::Action(a) if a.verb == Verb::Open => {
                self.points_then[place] = self.points.agent(cast, agent);
            }
            _ => {}
        }
        body.clone()
    }

    /// Delivers what a structured agent said. It moves nobody: structures are no voices.
    fn hear_structured(&mut self, cast: &Population, at: Stamp, spoken: &StructureWords, out: &mut Outputs) {
        let s = &cast.structures[spoken.structure];
        let place = cast.slots.len() + spoken.structure;
        if !makes_sense(&spoken.body) {
            self.office.wards.erred(s.agent);
            let name = &cast.agents[s.agent.index()].name;
            out.alarms.push(format!("{name} said what cannot be; it was not heard"));
            return;
        }
        let body = self.whole(cast, (s.agent, place), &spoken.body);
        if let MessageKind::Carry(quote) = &body
            && self.consensus.is_heard(s.agent)
        {
            self.real.services.hear(s.asset, at, quote);
        }
        self.bus.deliver(at, Speaker::Agent(s.agent), Some(s.asset), body, &mut out.messages);
    }

    /// Assets that have stopped trading: open closes, the desk forgets them, the venue pays out.
    fn delist(&mut self, spec: &RespondSpec, at: Stamp, speak: &Speak, out: &mut Outputs) {
        for instrument in spec.real.desk_instruments() {
            let listing = &speak.market.listings[instrument.id.index()];
            if listing.delisted_at != Some(at) {
                continue;
            }
            out.alarms.push(format!(
                "{} stopped trading: closed at its last price {}",
                instrument.symbol, listing.last.close
            ));
            self.house[instrument.id.index()] = ResidualStance::NOTHING;
            for &slot in spec.real.desk.slots(instrument.id) {
                let ear = &mut self.ears[slot as usize];
                ear.open.aim = 0.0;
                ear.stance = 0.0;
                ear.open.book.delist(spec.settings.costs.of(instrument), instrument.kind, listing.last.close);
            }
            self.gauge.delist(spec, instrument, listing.last.close);
            self.real.delist(&spec.real, &spec.settings, instrument, at, listing, out);
        }
    }
}

/// Whether an action on an asset says at which price, without which nobody knows its quantity. What structures
/// are worth may be nothing, or less.
fn is_priced(body: &MessageKind) -> bool {
    if let MessageKind::Action(a) = body { a.price.is_finite() && a.price > 0.0 } else { true }
}

/// Whether an intent can be meant.
fn makes_sense(body: &MessageKind) -> bool {
    match body {
        MessageKind::Action(a) => {
            a.after.is_finite() && a.before.is_finite() && libm::fabs(a.after) <= INTENT_MAX
        }
        MessageKind::Outcome(o) => o.pnl.is_finite(),
        MessageKind::Carry(c) => c.value.is_finite() && c.days > 0.0,
        MessageKind::Stance(_)
        | MessageKind::Goal(_)
        | MessageKind::Adjustment(_)
        | MessageKind::Emergence(_)
        | MessageKind::Receipt(_) => false,
    }
}
