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

use super::open_company::{OpenCompany, Surroundings, action, moments};
use super::open_life::{OpenLife, ReactionState};
use super::spec::RespondSpec;
use super::state::Respond;
use crate::agents::Agent;
use crate::agents::at_bars::AtBars;
use crate::agents::company::{Company, LifeMoment, Sway};
use crate::agents::life::Life;
use crate::domain::{AgentId, AssetId, MessageId, MessageKind, Outcome, Speaker, Stamp, Swayed, Verb};
use crate::engine::outputs::{BeforeLook, SwayedWords};
use crate::engine::speak::{Speak, StepOutput};
use crate::engine::{Outputs, Utterance};
use crate::fills::pace::unit;
use crate::hive::heard::{CauseChain, ReactionListener, sign};
use crate::hive::relations::Audible;
use crate::hive::settings::Trust;

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
            self.settle_owed(spec, &look);
            self.compare(slot, agent, &speak.lives[slot], now.sigma);
            self.rejoin(slot, at, &speak.lives[slot]);
        }
        self.heard.age();
        if said.reheard.is_none() {
            self.remember(spec, at, words);
        }
    }

    /// What open lives said is heard from now on.
    pub(in crate::engine) fn remember(&mut self, spec: &RespondSpec, at: Stamp, words: Vec<OpenWord>) {
        for OpenWord { speaker, message, side, chain, body } in words {
            if spec.withheld.is_heard(Speaker::Agent(speaker.0), message, &body) {
                self.heard.said(speaker, (at, message), (&body, side), Some(chain));
            }
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
        let slot = look.before.slot as usize;
        if self.deafened[look.agent.id.index()] {
            // Who hears nothing any more is the one who hears nobody.
            self.open_lives[slot] = None;
            return;
        }
        let was_apart = self.open_lives[slot].is_some();
        if !was_apart && !self.is_swayed(spec, look) {
            return;
        }
        let mut open = self.open_lives[slot].take().unwrap_or_else(|| Box::new(OpenLife::of(look.before)));
        let OpenLife { life, raw, ways, .. } = &mut *open;
        let mut company = OpenCompany::new(self.surroundings(spec), look.listening, &look.agent.reacts, ways);
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
    pub(super) fn surroundings<'a>(&'a self, spec: &'a RespondSpec) -> Surroundings<'a> {
        let asks = spec.settings.listening.trust == Trust::Positive;
        let trusted = asks.then_some(&self.relations);
        let audible = Audible { consensus: &self.consensus, trusted };
        Surroundings { cast: &spec.cast, audible, heard: &self.heard }
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
                if action.verb == Verb::Close {
                    ways.acted = 0;
                } else {
                    ways.side = sign(action.delta);
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
    fn is_swayed(&self, spec: &RespondSpec, look: &OpenLook<'_>) -> bool {
        let life = &look.before.life;
        let Some(mut moments) = moments(life, look.alone.iter().map(|u| &u.body)) else { return false };
        if moments == [None; 2] && !look.before.is_gone {
            moments[0] = Some(LifeMoment::Flat);
        }
        moments.into_iter().flatten().any(|moment| {
            // Most hear of nothing that acts now.
            look.agent.reacts.iter().any(|r| r.acts_at(moment)) && {
                let (hears, nothing) = (self.surroundings(spec), ReactionState::default());
                let mut company = OpenCompany::new(hears, look.listening, &look.agent.reacts, &nothing);
                company.opened = life.since();
                company.sway(moment) != Sway::NONE
            }
        })
    }

    /// What an open life that is apart is worth beyond its alone one is shared by those whose words brought it there.
    fn settle_owed(&mut self, spec: &RespondSpec, look: &OpenLook<'_>) {
        let Some(open) = &mut self.open_lives[look.before.slot as usize] else { return };
        let (mark, stake) = (look.now.close, look.now.capital);
        let beyond = (open.raw.equity(mark) - look.before.raw.equity(mark)) / stake;
        self.relations.settle(&spec.cast, look.agent.id, &mut open.ways.owed, beyond);
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
