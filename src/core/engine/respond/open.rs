//! Open lives: what an agent decides when it lives by its reactions. It is its alone life until something acts on it; from
//! then on it goes its own way, with a plan, a book and words of its own, until both would decide alike again.
//!
//! # Invariants
//!
//! 1. A life on which nothing acts is not judged twice: it *is* the alone one.
//! 2. What an open life says is heard at the next barrier (law 4), and never by the pool.
//! 3. A reaction acts once an intent, or once while one is kept from being opened.
//! 4. Of several cautious effects on one thing the most cautious holds, and bold ones on it are void.
//! 5. Each deed names what swayed it, and the parts of the causes add up to what it changed.

use super::open_life::OpenLife;
use super::spec::RespondSpec;
use super::state::Respond;
use crate::agents::at_bars::AtBars;
use crate::agents::company::{Company, HoldsBack, LifeMoment, Sway, SwayField, until};
use crate::agents::life::Life;
use crate::agents::reactions::AgentReaction;
use crate::agents::{Agent, Population};
use crate::domain::{
    Action, AgentId, AssetId, Cause, MessageId, MessageKind, Outcome, ReactionEffect, Reason, Speaker, Stamp,
    Swayed, Verb,
};
use crate::engine::outputs::BeforeLook;
use crate::engine::speak::{Speak, StepOutput};
use crate::engine::{Outputs, Utterance, lives};
use crate::fills::pace::unit;
use crate::hive::consensus::Consensus;
use crate::hive::heard::{CauseChain, HeardCauses, ReactionListener, RecentWords, sign};

/// By how much of an agent's unit two sizes differ that count as different.
const DIFFERS: f64 = 0.1;

/// What an open life said at a barrier, before others hear it.
struct OpenWord {
    speaker: (AgentId, AssetId),
    message: MessageId,
    side: i8,
    chain: CauseChain,
    body: MessageKind,
}

/// One agent's open life at one close: what it sees, and what there is to hear.
struct OpenLook<'a> {
    agent: &'a Agent,
    before: &'a BeforeLook,
    now: AtBars<'a>,
    /// What the alone life said at this close.
    alone: &'a [Utterance],
    listening: ReactionListener,
}

impl Respond {
    /// Every agent that lives by reactions hears what was said, and decides.
    pub(super) fn live_open(
        &mut self,
        spec: &RespondSpec,
        at: Stamp,
        speak: &Speak,
        said: &StepOutput,
        out: &mut Outputs,
    ) {
        if !spec.has_reactions {
            return;
        }
        let (cast, reference) = (&*spec.cast, lives::reference(&spec.settings, &spec.cast));
        let mut words = Vec::new();
        let mut rest = &said.utterances[..];
        for before in &said.before {
            let slot = before.slot as usize;
            let first = rest.iter().position(|u| u.voice >= slot).unwrap_or(rest.len());
            rest = &rest[first..];
            let own = rest.iter().position(|u| u.voice != slot).unwrap_or(rest.len());
            let (alone, later) = rest.split_at(own);
            rest = later;
            let of = &cast.slots[slot];
            let agent = &cast.agents[of.agent.index()];
            let listing = &speak.market.instruments[of.asset.index()];
            let now = AtBars {
                agent: agent.id,
                asset: of.asset,
                strategy: &agent.strategy,
                capital: reference,
                close: listing.last().close,
                sigma: listing.sigma,
                coins: before.coins,
                at,
                keys: &of.keys,
                values: &said.seen[before.values.clone()],
            };
            let listening = ReactionListener {
                agent: agent.id,
                asset: of.asset,
                side: 0.0,
                speakers: 0.0,
                now: at,
                since: Stamp(i64::MIN),
                on_news: false,
                close: now.close,
                sigma: now.sigma,
            };
            let look = OpenLook { agent, before, now, alone, listening };
            self.live_open_on(spec, &look, &mut words, out);
            self.compare(slot, agent, &speak.lives[slot], now.sigma);
            self.rejoin(slot, at, &speak.lives[slot]);
        }
        self.heard.age();
        for OpenWord { speaker, message, side, chain, body } in words {
            self.heard.said(speaker, (at, message), (&body, side), Some(chain));
        }
    }

    /// One open life at a close.
    fn live_open_on(
        &mut self,
        spec: &RespondSpec,
        look: &OpenLook<'_>,
        words: &mut Vec<OpenWord>,
        out: &mut Outputs,
    ) {
        let (cast, slot) = (&*spec.cast, look.before.slot as usize);
        if self.deafened[look.agent.id.index()] {
            // Who hears nothing any more is the one who hears nobody.
            self.open_lives[slot] = None;
            return;
        }
        let was_apart = self.open_lives[slot].is_some();
        if !was_apart && !self.is_swayed(cast, look) {
            return;
        }
        let mut open = self.open_lives[slot].take().unwrap_or_else(|| Box::new(OpenLife::of(look.before)));
        let OpenLife { life, raw, acted, waits, chain, .. } = &mut *open;
        let hears = Surroundings { cast, consensus: &self.consensus, heard: &self.heard };
        let mut company = OpenCompany::new(hears, look, (*acted, *waits), std::mem::take(chain));
        let (kind, costs) = (spec.kinds[look.now.asset.index()], &spec.costs[look.now.asset.index()]);
        if look.before.is_gone {
            life.delist(&look.now, raw, &mut company);
            raw.delist(costs, kind, look.now.close);
            if let Some(outcome) = life.outcome(&look.now, raw) {
                company.say(MessageKind::Outcome(outcome));
            }
        } else {
            company.opened = life.since();
            life.look(&look.now, raw, &mut company);
            if !kind.can_short() {
                raw.order = raw.order.max(-raw.quantity);
                raw.resting = raw.resting.max(0.0);
            }
        }
        let OpenCompany { acted: now_acted, waits: now_waits, chain: now_chain, words: said, .. } = company;
        if !was_apart && now_acted == 0 {
            return;
        }
        (*acted, *waits, *chain) = (now_acted, now_waits, now_chain);
        self.say_open(look, &mut open, said, words, out);
        self.open_lives[slot] = Some(open);
    }

    /// Delivers what an open life said. What both lives say first is said once; from where they part each speaks for itself.
    fn say_open(
        &mut self,
        look: &OpenLook<'_>,
        open: &mut OpenLife,
        said: Vec<(MessageKind, Vec<Swayed>)>,
        words: &mut Vec<OpenWord>,
        out: &mut Outputs,
    ) {
        let (speaker, at) = ((look.now.agent, look.now.asset), look.now.at);
        let same = |((body, swayed), alone): &(&(MessageKind, Vec<Swayed>), &Utterance)| {
            swayed.is_empty() && *body == alone.body
        };
        let both = said.iter().zip(look.alone).take_while(same).count();
        for utterance in &look.alone[both..] {
            self.bus.part(speaker.0, &utterance.body, &mut out.messages);
        }
        for (n, (body, swayed)) in said.into_iter().enumerate() {
            if let MessageKind::Action(action) = &body {
                open.announced.say(action.after, action.price);
                open.side = sign(action.side());
                if action.verb == Verb::Close {
                    open.acted = 0;
                }
            }
            if n < both {
                if matches!(&body, MessageKind::Action(a) if a.verb == Verb::Open) {
                    // An intent that begins as its alone life's has come about through nobody.
                    open.chain = CauseChain::default();
                }
                continue;
            }
            let body = match body {
                // Records are kept of alone lives: an open one wins no points.
                MessageKind::Outcome(o) => MessageKind::Outcome(Outcome { points: 0.0, ..o }),
                body => body,
            };
            let message = self.bus.deliver_open(at, speaker, body.clone(), swayed, &mut out.messages);
            words.push(OpenWord { speaker, message, side: open.side, chain: open.chain.clone(), body });
        }
    }

    /// Whether anything acts on a life that is not apart, at any moment that this close has for it.
    fn is_swayed(&self, cast: &Population, look: &OpenLook<'_>) -> bool {
        let life = &look.before.life;
        let held = life.open();
        let hears = Surroundings { cast, consensus: &self.consensus, heard: &self.heard };
        let acts = |moment, since| {
            let mut company = OpenCompany::new(hears, look, (0, None), CauseChain::default());
            company.opened = since;
            company.sway(moment) != Sway::NONE
        };
        let mut moments = [None; 2];
        for utterance in look.alone {
            if let MessageKind::Rest(order) = &utterance.body {
                moments[1] = Some(LifeMoment::Entering(libm::copysign(1.0, order.after)));
            }
        }
        for action in look.alone.iter().filter_map(action) {
            match (action.verb, action.reason) {
                (Verb::Open, _) => moments[1] = Some(LifeMoment::Entering(action.side())),
                (Verb::Increase, Reason::Add) => moments[1] = Some(LifeMoment::Adding(action.side())),
                // What closes by itself is not swayed.
                (Verb::Close, _) => return false,
                _ => {}
            }
        }
        moments[0] = match held {
            Some(open) => Some(LifeMoment::Holding(open.side)),
            None if moments[1].is_none() && !look.before.is_gone => Some(LifeMoment::Flat),
            None => None,
        };
        moments.into_iter().flatten().any(|moment| {
            // Most hear of nothing that acts now.
            look.agent.reacts.iter().any(|r| r.acts_at(moment)) && acts(moment, life.since())
        })
    }

    /// Counts whether an open life differs from its alone one.
    fn compare(&mut self, slot: usize, agent: &Agent, alone: &Life, sigma: f64) {
        let share = &mut self.company[agent.id.index()];
        share.barriers += 1;
        let Some(open) = &self.open_lives[slot] else { return };
        let (own, other) = (alone.intent, open.life.intent);
        let tenth = DIFFERS * agent.strategy.unit() * unit(sigma);
        let stop = |life: &Life| life.open().map(|o| o.plan.stop);
        let differs = own * other < 0.0
            || libm::fabs(own - other) >= tenth
            || (own != 0.0 && other != 0.0 && stop(alone) != stop(&open.life));
        share.apart += u64::from(differs);
    }

    /// An open life that will decide as its alone one is that one again.
    fn rejoin(&mut self, slot: usize, at: Stamp, alone: &Life) {
        let entry = &mut self.open_lives[slot];
        let is_one = |open: &OpenLife| open.waits.is_none_or(|w| w <= at) && open.life.goes_on_as(alone);
        if entry.as_deref().is_some_and(is_one) {
            *entry = None;
        }
    }
}

fn action(utterance: &Utterance) -> Option<&Action> {
    if let MessageKind::Action(action) = &utterance.body { Some(action) } else { None }
}

/// All that there is to hear.
#[derive(Clone, Copy)]
struct Surroundings<'a> {
    cast: &'a Population,
    consensus: &'a Consensus,
    heard: &'a RecentWords,
}

/// A reaction that would act on a field, and what it heard.
struct Acting {
    field: SwayField,
    reaction: u8,
    causes: HeardCauses,
}

/// What an open life hears while it decides, and what it said.
struct OpenCompany<'a> {
    hears: Surroundings<'a>,
    listening: ReactionListener,
    reactions: &'a [AgentReaction],
    /// When the intent was opened that is open.
    opened: Option<Stamp>,
    acted: u32,
    waits: Option<Stamp>,
    chain: CauseChain,
    acting: Vec<Acting>,
    pending: Vec<Swayed>,
    words: Vec<(MessageKind, Vec<Swayed>)>,
}

impl<'a> OpenCompany<'a> {
    fn new(
        hears: Surroundings<'a>,
        look: &OpenLook<'a>,
        (acted, waits): (u32, Option<Stamp>),
        chain: CauseChain,
    ) -> Self {
        OpenCompany {
            hears,
            listening: look.listening,
            reactions: &look.agent.reacts,
            opened: None,
            acted,
            waits: waits.filter(|w| *w > look.now.at),
            chain,
            acting: Vec::new(),
            pending: Vec::new(),
            words: Vec::new(),
        }
    }

    /// What a reaction heard that can act at this moment of the life.
    fn hear(&self, number: usize, moment: LifeMoment, listener: ReactionListener) -> Option<HeardCauses> {
        let reaction = &self.reactions[number];
        if self.acted & (1 << number) != 0 || !reaction.acts_at(moment) {
            return None;
        }
        // Who holds, or is flat, acts on news; who enters or adds on what was said lately.
        let on_news = matches!(moment, LifeMoment::Holding(_) | LifeMoment::Flat);
        if on_news && !self.hears.heard.is_news(reaction, self.listening.asset) {
            return None;
        }
        let listener = ReactionListener { on_news, ..listener };
        self.hears.heard.heard(self.hears.cast, self.hears.consensus, reaction, &listener)
    }

    fn act(&mut self, field: SwayField, number: usize, causes: HeardCauses) {
        self.acting.retain(|a| a.field != field);
        self.acting.push(Acting { field, reaction: number as u8, causes });
    }

    /// Takes a candidate on one field if it is the more cautious.
    fn take(&mut self, field: SwayField, of: &mut f64, number: usize, (new, causes): (f64, HeardCauses)) {
        // Cuts and hedges are the more cautious the larger they are, all else the smaller it is; a bold one is larger
        // than any cautious one, so that of both the cautious one holds.
        let is_larger_better = matches!(field, SwayField::Cut | SwayField::Hedge);
        let is_first = self.acting.iter().all(|a| a.field != field);
        if is_first || (if is_larger_better { new > *of } else { new < *of }) {
            *of = new;
            self.act(field, number, causes);
        }
    }

    /// The side on which it is asked to enter; none where it is asked to both.
    fn invited(&mut self) -> Option<f64> {
        let mut asked: Option<f64> = None;
        for number in 0..self.reactions.len() {
            let ReactionEffect::Enter(with) = self.reactions[number].rule.then else { continue };
            for side in [1.0, -1.0] {
                // With those of this side, or against those of the other.
                let speakers = if with { side } else { -side };
                let listener = ReactionListener { side, speakers, ..self.listening };
                let Some(causes) = self.hear(number, LifeMoment::Flat, listener) else { continue };
                match asked {
                    Some(other) if other != side => return None,
                    Some(_) => {}
                    None => {
                        asked = Some(side);
                        self.act(SwayField::Entry, number, causes);
                    }
                }
            }
        }
        asked
    }
}

impl Company for OpenCompany<'_> {
    fn say(&mut self, body: MessageKind) {
        let swayed = std::mem::take(&mut self.pending);
        self.words.push((body, swayed));
    }

    fn invites(&self) -> bool {
        self.waits.is_none() && self.reactions.iter().any(|r| r.acts_at(LifeMoment::Flat))
    }

    fn sway(&mut self, moment: LifeMoment) -> Sway {
        let mut sway = Sway::NONE;
        let side = match moment {
            LifeMoment::Flat => {
                self.acting.clear();
                return Sway { enter: self.invited(), ..sway };
            }
            LifeMoment::Entering(side) | LifeMoment::Holding(side) | LifeMoment::Adding(side) => side,
        };
        // What was said before an intent was opened was heard when it was.
        let since = match moment {
            LifeMoment::Holding(_) => self.opened.map_or(Stamp(i64::MIN), |at| Stamp(at.0 + 1)),
            _ => Stamp(i64::MIN),
        };
        if self.waits.is_some() {
            sway.wait = HoldsBack::Still;
        }
        let mut wait = 0.0;
        for number in 0..self.reactions.len() {
            let then = self.reactions[number].rule.then;
            if matches!(then, ReactionEffect::Wait(_)) && sway.wait == HoldsBack::Still {
                continue;
            }
            let listener = ReactionListener { side, since, ..self.listening };
            let Some(causes) = self.hear(number, moment, listener) else { continue };
            match then {
                // The longer, the more cautious.
                ReactionEffect::Wait(span) if span.0 as f64 > wait => {
                    wait = span.0 as f64;
                    sway.wait = HoldsBack::Until(until(self.listening.now, span));
                    self.act(SwayField::Entry, number, causes);
                }
                ReactionEffect::Wait(_) | ReactionEffect::Enter(_) => {}
                ReactionEffect::Size(x) => self.take(SwayField::Size, &mut sway.size, number, (x, causes)),
                ReactionEffect::Stop(x) => self.take(SwayField::Stop, &mut sway.stop, number, (x, causes)),
                ReactionEffect::Target(x) => {
                    self.take(SwayField::Target, &mut sway.target, number, (x, causes));
                }
                ReactionEffect::Cut(x) => self.take(SwayField::Cut, &mut sway.cut, number, (x, causes)),
                ReactionEffect::Hedge(x) => self.take(SwayField::Hedge, &mut sway.hedge, number, (x, causes)),
            }
        }
        sway
    }

    fn acted(&mut self, field: SwayField, change: f64) {
        let Some(index) = self.acting.iter().position(|a| a.field == field) else { return };
        let Acting { reaction, causes, .. } = self.acting.swap_remove(index);
        self.acted |= 1 << reaction;
        if let ReactionEffect::Wait(span) = self.reactions[usize::from(reaction)].rule.then {
            self.waits = Some(until(self.listening.now, span));
        }
        let part = change / causes.messages.len() as f64;
        let named = causes.messages.iter().map(|(message, _)| Cause { message: *message, part });
        self.pending.push(Swayed { reaction, causes: named.collect() });
        self.chain.depth = self.chain.depth.max(causes.chain.depth);
        causes
            .chain
            .agents
            .iter()
            .for_each(|agent| self.chain.extend(Speaker::Agent(*agent), &CauseChain::default()));
    }
}
