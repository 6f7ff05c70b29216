//! An event and what was said at it: what makes sense is heard, everybody listens, the real life decides.

use super::spec::RespondSpec;
use super::state::{ResidualStance, Respond};
use crate::agents::Population;
use crate::agents::plan::STEPS_MAX;
use crate::domain::{AgentId, AssetId, Event, MarketEvent, MessageKind, Outcome, Speaker, Stamp};
use crate::engine::lives::Margins;
use crate::engine::real::StepContext;
use crate::engine::speak::{Speak, StepOutput};
use crate::engine::{Outputs, Utterance};

/// Who hears a word as it was said: the pool of stances, and who lives by reactions.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::engine) enum HeardBy {
    /// The pool, and who lives by reactions.
    Everybody,
    /// The pool alone: reactions hear something else in its place.
    Pool,
    /// Nobody: others hear something else in its place.
    Nobody,
}

impl HeardBy {
    pub(in crate::engine) fn everybody(said: &StepOutput) -> Self {
        if said.reheard.is_some() { HeardBy::Pool } else { HeardBy::Everybody }
    }
}

/// Most one slot may say at a barrier: a life says an outcome and an opening, or what changes its size.
const WORDS_MAX: u32 = 8;
const _: () = assert!(STEPS_MAX <= WORDS_MAX as usize, "a life is heard whole");
/// Farthest limit of a worked order, in volatilities: beyond it nothing is ever met.
const DISTANCE_MAX: f64 = 16.0;
/// Largest fee of a maker, in basis points: a hundredth of what is traded.
const FEE_BPS_MAX: f64 = 100.0;
/// Largest intent, in multiples of the agent's capital: the largest unit with the largest traits and adds.
const INTENT_MAX: f64 = 2_000.0;

impl Respond {
    /// An event comes that nobody has heard yet, and the stamp before it was judged ([`Speak::begin`]): open lives in legs and
    /// lives with money decide on the same market.
    pub fn begin(&mut self, spec: &RespondSpec, speak: &Speak, said: &StepOutput, out: &mut Outputs) {
        self.look_in_legs(spec, speak, said, out);
        if said.judged.is_empty() || !spec.real.has_packages {
            return;
        }
        let cx =
            &StepContext { spec: &spec.real, settings: &spec.settings, at: said.now, market: &speak.market };
        self.real.judge_packages(cx, &spec.cast, &speak.structures, &said.judged, out);
    }

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
        let everybody = HeardBy::everybody(said);
        for spoken in &said.structured {
            if makes_sense(&spoken.body) && (is_neutral(&spoken.body) || is_priced(&spoken.body)) {
                self.hear(spec, event.at(), spoken, everybody, out);
            } else {
                self.refuse(&spec.cast, spoken.voice, out);
            }
        }
        self.say_in_legs(spec, event.at(), (speak, said), out);
        let (s, market) = (&spec.settings, &speak.market);
        if let Event::Market(event) = event {
            self.hear_in_legs(spec, market, event);
        }
        // News of an order may be stamped long before they come, and what comes of them is decided now.
        let at = if matches!(event, Event::Venue(_)) { said.now } else { event.at() };
        let cx = &StepContext { spec: &spec.real, settings: s, at, market };
        self.real.watch(said.now, out);
        self.between(spec, event.at(), speak, said, out);
        match *event {
            // What it changes is seen where the market is asked.
            Event::Market(MarketEvent::Health { .. }) | Event::Tick(_) => {}
            // What the desk does not trade is the structures' alone, and was heard in the first half.
            Event::Market(ref other) if !spec.is_listed(other) => self.real.other(cx, other, out),
            Event::Market(ref inside @ MarketEvent::Inside { .. }) => {
                self.real.inside(cx, inside, out);
            }
            Event::Market(MarketEvent::Bar { instrument, .. }) => {
                let listing = &market.instruments[instrument.index()];
                let (kind, costs) = (spec.kinds[instrument.index()], &spec.costs[instrument.index()]);
                for &slot in spec.real.desk.slots(instrument) {
                    let apart = self.open_lives[slot as usize].as_mut().map(|open| &mut open.raw);
                    let open = &mut self.ears[slot as usize].open.book;
                    std::iter::once(open)
                        .chain(apart)
                        .for_each(|book| s.fills.close(book, costs, kind, (listing, s.clock.decide)));
                }
                self.gauge.bar(spec, instrument, listing);
                self.real.bar(cx, instrument, out);
            }
            Event::Market(MarketEvent::Funding { instrument, rate, mark, .. }) => {
                for &slot in spec.real.desk.slots(instrument) {
                    let costs = &spec.costs[instrument.index()];
                    self.ears[slot as usize].open.book.funding(costs, mark, rate);
                    if let Some(open) = &mut self.open_lives[slot as usize] {
                        open.raw.funding(costs, mark, rate);
                    }
                }
                self.gauge.funding(spec, instrument, mark, rate);
                self.real.funding(s, instrument, (rate, mark), out);
            }
            Event::Market(ref quoted) => self.real.quoted(cx, quoted, out),
            Event::Barrier(_) => self.barrier(spec, cx, speak, said, out),
            Event::Venue(ref event) => self.real.venue(cx, event, out),
            Event::Command(_, command) => self.command(spec, cx, command, out),
        }
        // What was asked for now is open from now on.
        self.real.watch(said.now, out);
    }

    fn barrier(
        &mut self,
        spec: &RespondSpec,
        cx: &StepContext<'_>,
        speak: &Speak,
        said: &StepOutput,
        out: &mut Outputs,
    ) {
        let (cast, s, at) = (&*spec.cast, &spec.settings, cx.at);
        self.points.push(cast, &said.results);
        // Where others hear a wrong word the true one never reaches them: a quantity that followed from both would
        // know something of the truth.
        let mut misheard = vec![false; if said.misheard.is_empty() { 0 } else { cast.slots.len() }];
        said.misheard.iter().for_each(|(slot, _)| misheard[*slot] = true);
        let everybody = HeardBy::everybody(said);
        let mut last = (usize::MAX, 0);
        for utterance in &said.utterances {
            last = if last.0 == utterance.voice { (last.0, last.1 + 1) } else { (utterance.voice, 1) };
            if last.1 > WORDS_MAX || !makes_sense(&utterance.body) || !is_priced(&utterance.body) {
                self.refuse(cast, utterance.voice, out);
            } else {
                let is_misheard = misheard.get(utterance.voice).copied().unwrap_or(false);
                let by = if is_misheard { HeardBy::Nobody } else { everybody };
                self.hear(spec, at, utterance, by, out);
            }
        }
        for wrong in said.reheard.iter().flatten().filter(|u| makes_sense(&u.body) && is_priced(&u.body)) {
            let speaker = cast.voice(wrong.voice);
            let (from, on) = (Speaker::Agent(speaker.0), Some(speaker.1));
            let id = self.bus.deliver(at, from, on, wrong.body.clone(), &mut out.messages);
            self.heard.alone(wrong.voice, speaker, (at, id), &wrong.body);
        }
        let holds = s.listening.holds;
        for &(slot, after) in &said.misheard {
            // A wrong word is heard now, so its quantity is at the price of now and nothing of the true one's.
            let price = speak.close(cast.slots[slot].asset);
            self.consensus.hear(cast, slot, (after, price), holds, self.consensus.said(slot));
        }
        for (asset, listing) in speak.market.desk().iter().enumerate() {
            self.consensus.price(AssetId(asset as u16), listing.last().close, holds);
        }
        self.delist(spec, cx, out);
        self.real.mark(cx, out);
        // Neither those at bars nor those in legs hear what the others' open lives say at this barrier.
        self.look_in_legs(spec, speak, said, out);
        self.delist_in_legs(spec, at, speak, out);
        self.live_open(spec, at, speak, said, out);
        self.say_in_legs(spec, at, (speak, said), out);
        self.settle_in_legs(spec, at, speak);
        self.listen(spec, at, speak, out);
        let margins = Margins::new(cast, s, &spec.kinds, &speak.market, at);
        let pnl = margins.look(&mut self.stakes, &mut self.ears);
        self.open.push(at, s.capital + pnl + self.total_in_legs(&speak.structures));
        self.tend(cx, out);
        self.real.judge_packages(cx, cast, &speak.structures, &said.judged, out);
        self.real.decide(cx, &self.office.knobs, &mut self.decisions, out);
        let day = Stamp(at.0 - 1).after(s.clock.decide).day();
        if self.day.is_none_or(|d| d != day) {
            self.day = Some(day);
            self.close_day(spec, at, speak, out);
            // A manager may have silenced somebody whose order rests.
            self.tend(cx, out);
        }
    }

    /// What is no intent, or one word too many, is not delivered: the last one that was stands.
    fn refuse(&mut self, cast: &Population, voice: usize, out: &mut Outputs) {
        let (agent, _) = cast.voice(voice);
        self.office.wards.erred(agent);
        let name = &cast.agents[agent.index()].name;
        out.alarms.push(format!("{name} said what cannot be, or too much at once; it was not heard"));
    }

    /// Delivers what a voice said and keeps what it changes.
    pub(in crate::engine) fn hear(
        &mut self,
        spec: &RespondSpec,
        at: Stamp,
        &Utterance { voice, ref body }: &Utterance,
        by: HeardBy,
        out: &mut Outputs,
    ) {
        let (cast, holds) = (&*spec.cast, spec.settings.listening.holds);
        let (agent, asset) = cast.voice(voice);
        let whole = self.whole(agent, body);
        let id = self.bus.deliver(at, Speaker::Agent(agent), Some(asset), whole, &mut out.messages);
        // Who spoke knows its own intent all the same.
        let by = if spec.withheld.is_heard(Speaker::Agent(agent), id, body) { by } else { HeardBy::Nobody };
        if by == HeardBy::Everybody && spec.has_reactions && !cast.agents[agent.index()].scout {
            self.heard.alone(voice, (agent, asset), (at, id), body);
        }
        match body {
            MessageKind::Action(action) => {
                self.gauge.wanted += u64::from(self.real.account.funds.weight(agent) > 0.0);
                if by != HeardBy::Nobody {
                    self.consensus.hear(cast, voice, (action.delta, action.price), holds, id);
                }
                if let Some(ear) = self.ears.get_mut(voice) {
                    ear.own.say(action.after, action.price);
                }
            }
            MessageKind::Carry(quote) if by != HeardBy::Nobody && self.consensus.is_heard(agent) => {
                self.real.execution.services.hear_carrier(asset, (agent, at), *quote);
            }
            MessageKind::Work(quote) if by != HeardBy::Nobody && self.consensus.is_heard(agent) => {
                self.real.execution.services.hear_maker(asset, (agent, at), *quote);
            }
            _ => {}
        }
    }

    /// A message as it is delivered: whole, so that nobody changes it afterwards. Who speaks knows what its results came
    /// to, and not what they are to a record.
    fn whole(&self, agent: AgentId, body: &MessageKind) -> MessageKind {
        match body {
            MessageKind::Outcome(o) => {
                let points = self.points.effect(agent, o.points);
                MessageKind::Outcome(Outcome { points, ..*o })
            }
            _ => body.clone(),
        }
    }

    /// Assets that have stopped trading: open closes, the desk forgets them, the venue pays out.
    fn delist(&mut self, spec: &RespondSpec, cx: &StepContext<'_>, out: &mut Outputs) {
        for instrument in spec.real.desk_instruments() {
            let listing = &cx.market.instruments[instrument.id.index()];
            if listing.delisted_at != Some(cx.at) {
                continue;
            }
            out.alarms.push(format!(
                "{} stopped trading: closed at its last price {}",
                instrument.symbol,
                listing.last().close
            ));
            self.house[instrument.id.index()] = ResidualStance::NOTHING;
            for &slot in spec.real.desk.slots(instrument.id) {
                let ear = &mut self.ears[slot as usize];
                ear.open.aim = 0.0;
                ear.stance = 0.0;
                ear.open.book.delist(
                    spec.settings.costs.of(instrument),
                    instrument.kind,
                    listing.last().close,
                );
            }
            self.gauge.delist(spec, instrument, listing.last().close);
            self.real.delist(cx, instrument, out);
        }
    }
}

/// Whether what is said moves no pool of an asset. What a neutral structure is worth may be nothing, or less.
fn is_neutral(body: &MessageKind) -> bool {
    !matches!(body, MessageKind::Action(a) if a.delta != 0.0)
}

/// Whether an action on an asset says at which price, without which nobody knows its quantity.
fn is_priced(body: &MessageKind) -> bool {
    if let MessageKind::Action(a) = body { a.price.is_finite() && a.price > 0.0 } else { true }
}

/// Whether an intent can be meant.
fn makes_sense(body: &MessageKind) -> bool {
    match body {
        MessageKind::Action(a) => {
            let can_be = |x: f64| x.is_finite() && libm::fabs(x) <= INTENT_MAX;
            a.before.is_finite() && can_be(a.after) && can_be(a.delta)
        }
        MessageKind::Outcome(o) => o.pnl.is_finite(),
        MessageKind::Rest(r) => libm::fabs(r.after) <= INTENT_MAX && r.limit.is_finite() && r.limit > 0.0,
        MessageKind::Carry(c) => {
            let is_size = |x: f64| x.is_finite() && x >= 0.0;
            c.value.is_finite() && c.days.is_finite() && c.days > 0.0 && is_size(c.hurdle) && is_size(c.most)
        }
        MessageKind::Work(w) => {
            (0.0..=DISTANCE_MAX).contains(&w.distance)
                && w.rests > 0
                && (0.0..=FEE_BPS_MAX).contains(&w.fee_bps)
        }
        MessageKind::Stance(_)
        | MessageKind::Goal(_)
        | MessageKind::Adjustment(_)
        | MessageKind::Emergence(_)
        | MessageKind::Wait(_)
        | MessageKind::Receipt(_) => false,
    }
}
