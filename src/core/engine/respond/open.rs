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

use super::open_life::{OpenLife, ReactionState};
use super::spec::RespondSpec;
use super::state::Respond;
use crate::agents::at_bars::AtBars;
use crate::agents::company::{Company, HoldsBack, LifeMoment, Sway, SwayField, until};
use crate::agents::life::Life;
use crate::agents::reactions::AgentReaction;
use crate::agents::{Agent, Population};
use crate::domain::{
    Action, AgentId, AssetId, Cause, Hearing, MessageId, MessageKind, Outcome, ReactionEffect, Reason,
    Speaker, Stamp, Swayed, Verb,
};
use crate::engine::outputs::{BeforeLook, SwayedWords};
use crate::engine::speak::{Speak, StepOutput};
use crate::engine::{Outputs, Utterance};
use crate::fills::pace::unit;
use crate::hive::consensus::Consensus;
use crate::hive::heard::{CauseChain, HeardCauses, ReactionListener, RecentWords, sign};

/// By how much of an agent's unit two sizes differ that count as different.
const DIFFERS: f64 = 0.1;

/// What an open life said, before others hear it.
pub(in crate::engine) struct OpenWord {
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
        let (cast, reference) = (&*spec.cast, spec.cast.stake(spec.settings.capital));
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
                news: None,
                close: now.close,
                sigma: now.sigma,
            };
            let look = OpenLook { agent, before, now, alone, listening };
            self.live_open_on(spec, &look, &mut words, out);
            self.compare(slot, agent, &speak.lives[slot], now.sigma);
            self.rejoin(slot, at, &speak.lives[slot]);
        }
        self.heard.age();
        if said.reheard.is_none() {
            self.remember(at, words);
        }
    }

    /// What open lives said is heard from now on.
    pub(in crate::engine) fn remember(&mut self, at: Stamp, words: Vec<OpenWord>) {
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
        let OpenLife { life, raw, ways, .. } = &mut *open;
        let mut company = OpenCompany::new(self.surroundings(cast), look.listening, &look.agent.reacts, ways);
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
        let OpenCompany { ways: now, words: said, .. } = company;
        if !was_apart && now.acted == 0 {
            return;
        }
        *ways = now;
        for action in said.iter().filter_map(|(body, _)| action(body)) {
            open.announced.say(action.after, action.price);
        }
        let speaker = (look.now.agent, look.now.asset);
        let alone = look.alone.iter().map(|u| &u.body);
        words.extend(self.say_open((look.now.at, speaker), &mut open.ways, alone, said, out));
        self.open_lives[slot] = Some(open);
    }

    /// All that there is to hear.
    pub(super) fn surroundings<'a>(&'a self, cast: &'a Population) -> Surroundings<'a> {
        Surroundings { cast, consensus: &self.consensus, heard: &self.heard }
    }

    /// Delivers what an open life said. What both lives say first is said once; from where they part each speaks for itself.
    pub(in crate::engine) fn say_open<'a>(
        &mut self,
        (at, speaker): (Stamp, (AgentId, AssetId)),
        ways: &mut ReactionState,
        alone: impl Iterator<Item = &'a MessageKind> + Clone,
        said: SwayedWords,
        out: &mut Outputs,
    ) -> Vec<OpenWord> {
        let same = |((body, swayed), alone): &(&(MessageKind, Vec<Swayed>), &MessageKind)| {
            swayed.is_empty() && body == *alone
        };
        let both = said.iter().zip(alone.clone()).take_while(same).count();
        for word in alone.skip(both) {
            self.bus.part(speaker.0, word, &mut out.messages);
        }
        let mut words = Vec::new();
        for (n, (body, swayed)) in said.into_iter().enumerate() {
            if let MessageKind::Action(action) = &body {
                if action.verb != Verb::Close {
                    ways.side = sign(action.delta);
                } else {
                    ways.acted = 0;
                }
            }
            if n < both {
                if matches!(&body, MessageKind::Action(a) if a.verb == Verb::Open) {
                    // An intent that begins as its alone life's has come about through nobody.
                    ways.chain = CauseChain::default();
                }
                continue;
            }
            let body = match body {
                // Records are kept of alone lives: an open one wins no points.
                MessageKind::Outcome(o) => MessageKind::Outcome(Outcome { points: 0.0, ..o }),
                body => body,
            };
            let message = self.bus.deliver_open(at, speaker, body.clone(), swayed, &mut out.messages);
            words.push(OpenWord { speaker, message, side: ways.side, chain: ways.chain.clone(), body });
        }
        words
    }

    /// Whether anything acts on a life that is not apart, at any moment that this close has for it.
    fn is_swayed(&self, cast: &Population, look: &OpenLook<'_>) -> bool {
        let life = &look.before.life;
        let Some(mut moments) = moments(life, look.alone.iter().map(|u| &u.body)) else { return false };
        if moments == [None; 2] && !look.before.is_gone {
            moments[0] = Some(LifeMoment::Flat);
        }
        moments.into_iter().flatten().any(|moment| {
            // Most hear of nothing that acts now.
            look.agent.reacts.iter().any(|r| r.acts_at(moment)) && {
                let (hears, nothing) = (self.surroundings(cast), ReactionState::default());
                let mut company = OpenCompany::new(hears, look.listening, &look.agent.reacts, &nothing);
                company.opened = life.since();
                company.sway(moment) != Sway::NONE
            }
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
        let is_one = |open: &OpenLife| open.ways.is_free(at) && open.life.goes_on_as(alone);
        if entry.as_deref().is_some_and(is_one) {
            *entry = None;
        }
    }
}

fn action(said: &MessageKind) -> Option<&Action> {
    if let MessageKind::Action(action) = said { Some(action) } else { None }
}

/// The moments that a look has for a life, by what it was before it and what it said alone; none where it closes by itself,
/// which nothing sways.
pub(super) fn moments<'a>(
    before: &Life,
    alone: impl Iterator<Item = &'a MessageKind>,
) -> Option<[Option<LifeMoment>; 2]> {
    let mut moments = [before.open().map(|open| LifeMoment::Holding(open.heading())), None];
    for word in alone {
        match word {
            MessageKind::Rest(order) => {
                moments[1] = Some(LifeMoment::Entering(libm::copysign(1.0, order.after)));
            }
            MessageKind::Action(action) => {
                let heading = f64::from(sign(action.delta));
                match (action.verb, action.reason) {
                    (Verb::Open, _) => moments[1] = Some(LifeMoment::Entering(heading)),
                    (Verb::Increase, Reason::Add) => moments[1] = Some(LifeMoment::Adding(heading)),
                    (Verb::Close, _) => return None,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    Some(moments)
}

/// All that there is to hear.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub cast: &'a Population,
    pub consensus: &'a Consensus,
    pub heard: &'a RecentWords,
}

/// What counts as news to who holds something.
#[derive(Clone, Copy)]
pub(super) enum NewsSince {
    /// What was said since the last barrier.
    Barrier,
    /// What was said after this message; whether the price of its asset is another one than then.
    Message(MessageId, bool),
}

/// A reaction that would act on a field, and what it heard.
struct Acting {
    field: SwayField,
    reaction: u8,
    causes: HeardCauses,
}

/// What an open life hears while it decides, and what it said.
pub(super) struct OpenCompany<'a> {
    hears: Surroundings<'a>,
    listening: ReactionListener,
    reactions: &'a [AgentReaction],
    /// What it acts on while it holds something.
    pub news: NewsSince,
    /// When the intent was opened that is open.
    pub opened: Option<Stamp>,
    /// What its reactions have done by now.
    pub ways: ReactionState,
    /// Whether it was asked what others make of what it holds.
    pub is_asked: bool,
    acting: Vec<Acting>,
    pending: Vec<Swayed>,
    /// What it said, with what swayed it.
    pub words: SwayedWords,
}

impl<'a> OpenCompany<'a> {
    /// Who lives by these reactions, which have done so much, and listens now; at bars.
    pub fn new(
        hears: Surroundings<'a>,
        listening: ReactionListener,
        reactions: &'a [AgentReaction],
        ways: &ReactionState,
    ) -> Self {
        let mut ways = ways.clone();
        ways.waits = ways.waits.filter(|until| *until > listening.now);
        OpenCompany {
            hears,
            listening,
            reactions,
            news: NewsSince::Barrier,
            opened: None,
            ways,
            is_asked: false,
            acting: Vec::new(),
            pending: Vec::new(),
            words: Vec::new(),
        }
    }

    /// The message after which a reaction must have heard something to act on what is held; none where it cannot have.
    fn news(&self, reaction: &AgentReaction) -> Option<MessageId> {
        let (heard, asset) = (self.hears.heard, self.listening.asset);
        let (than, is_moved) = match self.news {
            NewsSince::Barrier => (heard.heard_by_all(), true),
            NewsSince::Message(message, is_moved) => (message, is_moved),
        };
        let is_price = matches!(reaction.rule.hears.what, Hearing::Near(..));
        ((is_moved || !is_price) && heard.is_newer(reaction, asset, than)).then_some(than)
    }

    /// What a reaction heard that can act at this moment of the life.
    fn hear(&self, number: usize, moment: LifeMoment, listener: ReactionListener) -> Option<HeardCauses> {
        let reaction = &self.reactions[number];
        if self.ways.acted & (1 << number) != 0 || !reaction.acts_at(moment) {
            return None;
        }
        // Who holds, or is flat, acts on news; who enters or adds on what was said lately.
        let on_news = matches!(moment, LifeMoment::Holding(_) | LifeMoment::Flat);
        let news = if on_news { Some(self.news(reaction)?) } else { None };
        let listener = ReactionListener { news, ..listener };
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
        let at_bars = matches!(self.news, NewsSince::Barrier);
        at_bars && self.ways.waits.is_none() && self.reactions.iter().any(|r| r.acts_at(LifeMoment::Flat))
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
        self.is_asked |= matches!(moment, LifeMoment::Holding(_));
        // What was said before an intent was opened was heard when it was.
        let since = match moment {
            LifeMoment::Holding(_) => self.opened.map_or(Stamp(i64::MIN), |at| Stamp(at.0 + 1)),
            _ => Stamp(i64::MIN),
        };
        if self.ways.waits.is_some() {
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
        self.ways.acted |= 1 << reaction;
        if let ReactionEffect::Wait(span) = self.reactions[usize::from(reaction)].rule.then {
            self.ways.waits = Some(until(self.listening.now, span));
        }
        let part = change / causes.messages.len() as f64;
        let named = causes.messages.iter().map(|(message, _)| Cause { message: *message, part });
        self.pending.push(Swayed { reaction, causes: named.collect() });
        let chain = &mut self.ways.chain;
        chain.depth = chain.depth.max(causes.chain.depth);
        let through = causes.chain.agents.iter().map(|agent| Speaker::Agent(*agent));
        through.for_each(|agent| chain.extend(agent, &CauseChain::default()));
    }
}
