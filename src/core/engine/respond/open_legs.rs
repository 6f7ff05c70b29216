//! Open lives in legs: those of structures whose agents live by reactions. Each is its alone life until something acts on
//! it; from then on it has a plan, a book and words of its own, and hears the market event by event, until both would go on
//! alike again. At bars it is the same ([`open`](super::open)).
//!
//! # Invariants
//!
//! 1. A life on which nothing acts is not judged twice: it *is* the alone one, and costs a copy of it at each look.
//! 2. It is judged on the market that its alone life was judged on, when the stamp is over, and speaks after it: what it says
//!    is heard by the others from their next look on (law 4), and never by the pool.
//! 3. To what was said it comes once it looks with all of its legs there: words that come meanwhile are news then.
//! 4. What it gained while it was apart stays with it; packages follow the alone life.

use super::open_company::{NewsSince, OpenCompany, moments};
use super::open_life::ReactionState;
use super::spec::RespondSpec;
use super::state::Respond;
use crate::agents::company::{Company, LifeMoment, Sway};
use crate::agents::life::{Life, OpenIntent};
use crate::agents::structures::StructureContext;
use crate::agents::structures::filling::FillContext;
use crate::agents::structures::in_legs::{AgentRef, StructureLife};
use crate::agents::structures::legs::Legs;
use crate::agents::{Agent, Population};
use crate::domain::{AgentId, InstrumentId, MarketEvent, MessageId, MessageKind, Stamp};
use crate::engine::Outputs;
use crate::engine::outputs::{BeforeLegs, SwayedWords};
use crate::engine::speak::{Speak, StepOutput};
use crate::engine::structures::{DualFill, Structures};
use crate::fills::liquidation::Stake;
use crate::hive::heard::ReactionListener;
use crate::market::Market;
use serde::{Deserialize, Serialize};

/// By how much of the size with which one of them was opened two lives differ that count as different.
const DIFFERS: f64 = 0.1;

/// The open life of a structure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OpenLegs {
    /// The life while it is apart from its alone one.
    apart: Option<Box<ApartLegs>>,
    /// The newest message when it last listened while it held something.
    heard: MessageId,
    /// When that was.
    listened: Option<Stamp>,
    /// What it gained and stands on, once it has been apart.
    own: Option<Box<OwnGain>>,
}

/// An open life in legs that goes its own way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ApartLegs {
    life: StructureLife,
    ways: ReactionState,
}

/// What an open life gained that is not its alone life's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct OwnGain {
    /// What its books gained beyond the alone ones when they were together again, in the account's currency.
    beyond: f64,
    /// Gain until the last barrier.
    marked: f64,
    stake: Stake,
}

impl ApartLegs {
    /// What its books are worth in this market beyond those of its alone life, in the account's currency.
    fn beyond(&self, alone: &DualFill, (cast, market): (&Population, &Market)) -> f64 {
        let worth = |legs: &Legs| legs.market_value(&cast.listed, market);
        worth(&self.life.legs) - worth(&alone.life.legs)
    }
}

impl OpenLegs {
    /// The life as it is now: its own while it is apart, else that of its alone twin.
    pub fn life<'a>(&'a self, alone: &'a DualFill) -> &'a StructureLife {
        self.apart.as_ref().map_or(&alone.life, |open| &open.life)
    }

    /// Whether it goes its own way.
    pub fn is_apart(&self) -> bool {
        self.apart.is_some()
    }

    /// What it gained and lost until the last barrier.
    pub fn marked(&self, alone: &DualFill) -> f64 {
        self.own.as_ref().map_or_else(|| alone.marked(), |own| own.stake.pnl(own.marked))
    }

    /// What it stands on.
    pub fn stake(&self, alone: &DualFill) -> Stake {
        self.own.as_ref().map_or(alone.stake, |own| own.stake)
    }

    /// It listened while it held something.
    fn listens(&mut self, (message, at): (MessageId, Stamp)) {
        (self.heard, self.listened) = (message, Some(at));
    }

    /// It is its alone life again, from this market on.
    fn joins(&mut self, alone: &DualFill, (cast, market): (&Population, &Market)) {
        let Some(open) = self.apart.take() else { return };
        self.own.get_or_insert_default().beyond += open.beyond(alone, (cast, market));
    }
}

/// What a structure's alone life said in this step of its intents.
fn alone_words(said: &StepOutput, voice: usize) -> impl Iterator<Item = &MessageKind> + Clone {
    let own = said.structured.iter().filter(move |u| u.voice == voice);
    own.map(|u| &u.body).filter(|b| matches!(b, MessageKind::Action(_) | MessageKind::Outcome(_)))
}

/// One structure's open life at the end of a stamp: what it sees, and what there is to hear.
struct LegsLook<'a> {
    i: usize,
    agent: &'a Agent,
    twin: &'a DualFill,
    before: &'a BeforeLegs,
    listening: ReactionListener,
    news: NewsSince,
}

impl Respond {
    /// A stamp is over and was judged: structures that live by reactions hear what was said until then, and decide. What they
    /// say waits to be said ([`Respond::say_in_legs`]).
    pub(super) fn look_in_legs(
        &mut self,
        spec: &RespondSpec,
        speak: &Speak,
        said: &StepOutput,
        out: &mut Outputs,
    ) {
        if !spec.has_reactions {
            return;
        }
        let cast = &*spec.cast;
        for before in &said.before_legs {
            let i = before.structure as usize;
            let (structure, Some(twin)) = (&cast.structures[i], speak.structures.twins.get(i)) else {
                continue;
            };
            let agent = &cast.agents[structure.agent.index()];
            if self.deafened[agent.id.index()] {
                // Who hears nothing any more is the one who hears nobody.
                self.join_legs(spec, i, (twin, &speak.market));
                continue;
            }
            let listing = speak.market.desk().get(structure.asset.index());
            let closed = listing.and_then(|l| l.bar).map(|b| b.at);
            let listening = ReactionListener {
                agent: agent.id,
                asset: structure.asset,
                side: 0.0,
                speakers: 0.0,
                now: before.now,
                since: Stamp(i64::MIN),
                news: None,
                close: listing.map_or(f64::NAN, |l| l.last().close),
                sigma: listing.map_or(f64::NAN, |l| l.sigma),
            };
            let open = &self.open_legs[i];
            let news = NewsSince::Message(open.heard, closed > open.listened);
            let look = LegsLook { i, agent, twin, before, listening, news };
            if let Some(words) = self.look_on_legs(spec, speak, said, &look) {
                out.scratch.in_legs.push((before.structure, words));
            }
        }
    }

    /// An open life in legs is its alone one again; what it was worth to be apart is shared first.
    fn join_legs(&mut self, spec: &RespondSpec, i: usize, (twin, market): (&DualFill, &Market)) {
        let (cast, open) = (&*spec.cast, &mut self.open_legs[i]);
        let agent = &cast.agents[cast.structures[i].agent.index()];
        if let Some(apart) = &mut open.apart {
            let beyond = apart.beyond(twin, (cast, market)) / capital(spec, agent);
            self.relations.settle(cast, agent.id, &mut apart.ways.owed, beyond);
        }
        open.joins(twin, (cast, market));
    }

    /// One open life at the end of a stamp; what it says, if it is apart then.
    fn look_on_legs(
        &mut self,
        spec: &RespondSpec,
        speak: &Speak,
        said: &StepOutput,
        look: &LegsLook<'_>,
    ) -> Option<SwayedWords> {
        let &LegsLook { i, agent, twin, before, listening, news } = look;
        let cast = &*spec.cast;
        let was_apart = self.open_legs[i].is_apart();
        if !was_apart && !self.is_swayed_in_legs(spec, said, look) {
            return None;
        }
        let structure = &cast.structures[i];
        let nothing = Legs::default();
        let seen = seen_in_legs(spec, &speak.market, (i, before.now), &nothing);
        let who =
            AgentRef { agent: agent.id, asset: structure.asset, rules: &twin.rules, key: structure.key };
        let mut open = self.open_legs[i].apart.take().unwrap_or_else(|| {
            let ways = ReactionState::of(&before.life.life);
            Box::new(ApartLegs { life: before.life.clone(), ways })
        });
        let mut company = OpenCompany::new(self.surroundings(spec), listening, &agent.reacts, &open.ways);
        (company.news, company.opened) = (news, open.life.life.since());
        open.life.judge(who, &seen, &mut company);
        let OpenCompany { ways, words, is_asked, .. } = company;
        let now = (MessageId(self.bus.delivered()), before.now);
        let kept = &mut self.open_legs[i];
        if is_asked {
            kept.listens(now);
        }
        if !was_apart && ways.acted == 0 {
            return None;
        }
        open.ways = ways;
        kept.apart = Some(open);
        kept.own
            .get_or_insert_with(|| Box::new(OwnGain { beyond: 0.0, marked: twin.gain(), stake: twin.stake }));
        Some(words)
    }

    /// Whether anything acts on a life that is not apart, at any moment that this look has for it.
    fn is_swayed_in_legs(&mut self, spec: &RespondSpec, said: &StepOutput, look: &LegsLook<'_>) -> bool {
        let &LegsLook { i, agent, twin, before, listening, news } = look;
        let cast = &*spec.cast;
        // It may have looked a moment ago, or wait for its legs to close together.
        if twin.life.looked() != Some(before.now) {
            return false;
        }
        let life = &before.life.life;
        let Some(moments) = moments(life, alone_words(said, cast.voice_of(i))) else { return false };
        let is_whole = before.life.legs.is_whole();
        let is_asked = |m: &LifeMoment| is_whole || !matches!(m, LifeMoment::Holding(_));
        let mut is_swayed = false;
        for moment in moments.into_iter().flatten().filter(is_asked) {
            // Most hear of nothing that acts now.
            if agent.reacts.iter().any(|r| r.acts_at(moment)) {
                let nothing = ReactionState::default();
                let mut company =
                    OpenCompany::new(self.surroundings(spec), listening, &agent.reacts, &nothing);
                (company.news, company.opened) = (news, life.since());
                is_swayed |= company.sway(moment) != Sway::NONE;
            }
        }
        if !is_swayed && is_whole && life.open().is_some() {
            let now = (MessageId(self.bus.delivered()), before.now);
            self.open_legs[i].listens(now);
        }
        is_swayed
    }

    /// Delivers what open lives in legs said, after what the alone ones did; who would go on as its alone life is that one
    /// again.
    pub(super) fn say_in_legs(
        &mut self,
        spec: &RespondSpec,
        at: Stamp,
        (speak, said): (&Speak, &StepOutput),
        out: &mut Outputs,
    ) {
        if out.scratch.in_legs.is_empty() {
            return;
        }
        let (cast, mut all) = (&*spec.cast, Vec::new());
        for (structure, words) in std::mem::take(&mut out.scratch.in_legs) {
            let i = structure as usize;
            let Some(mut open) = self.open_legs[i].apart.take() else { continue };
            let (speaker, alone) = (cast.voice(cast.voice_of(i)), alone_words(said, cast.voice_of(i)));
            all.extend(self.say_open((at, speaker), &mut open.ways, alone, words, out));
            let twin = &speak.structures.twins[i];
            let is_one = open.ways.is_free(at)
                && open.life.looked() == twin.life.looked()
                && open.life.is_idle()
                && twin.life.is_idle()
                && open.life.life.goes_on_as(&twin.life.life);
            self.open_legs[i].apart = Some(open);
            if is_one {
                self.join_legs(spec, i, (twin, &speak.market));
            }
        }
        if said.reheard.is_none() {
            self.remember(spec, at, all);
        }
    }

    /// What happens to the books of lives that are apart.
    pub(super) fn hear_in_legs(&mut self, spec: &RespondSpec, market: &Market, event: &MarketEvent) {
        let on = event.instrument().and_then(|i| spec.legs_on.get(i.index()));
        for &i in on.into_iter().flatten() {
            let Some(open) = &mut self.open_legs[i as usize].apart else { continue };
            if open.life.heeds(event) {
                open.life.hear(&filling(spec, market), event);
            }
        }
    }

    /// Instruments of the desk that have stopped trading by this barrier are gone for lives that are apart, too.
    pub(super) fn delist_in_legs(&mut self, spec: &RespondSpec, at: Stamp, speak: &Speak, out: &mut Outputs) {
        let (cast, market) = (&*spec.cast, &speak.market);
        let gone = market.desk().iter().enumerate().filter(|(_, l)| l.delisted_at == Some(at));
        for id in gone.map(|(n, _)| InstrumentId(n as u16)) {
            for &i in spec.legs_on.get(id.index()).into_iter().flatten() {
                let (structure, twin) = (&cast.structures[i as usize], &speak.structures.twins[i as usize]);
                let Some(mut open) = self.open_legs[i as usize].apart.take() else { continue };
                let (agent, asset) = (structure.agent, structure.asset);
                let who = AgentRef { agent, asset, rules: &twin.rules, key: structure.key };
                let nothing = Legs::default();
                let seen = seen_in_legs(spec, market, (i as usize, at), &nothing);
                let words = words_of(&mut out.scratch.in_legs, i);
                let mut say = |body| words.push((body, Vec::new()));
                open.life.delist(who, &seen, &filling(spec, market), id, &mut say);
                self.open_legs[i as usize].apart = Some(open);
            }
        }
    }

    /// A barrier: what open lives gained that are not their alone ones, and at how many barriers they differ from these.
    pub(super) fn settle_in_legs(&mut self, spec: &RespondSpec, at: Stamp, speak: &Speak) {
        if !spec.has_reactions {
            return;
        }
        let cast = &*spec.cast;
        let all = cast.structures.iter().zip(&speak.structures.twins).zip(&mut self.open_legs);
        for ((structure, twin), open) in all {
            let agent = &cast.agents[structure.agent.index()];
            let capital = capital(spec, agent);
            let OpenLegs { apart, own, .. } = open;
            if let Some(apart) = apart {
                let beyond = apart.beyond(twin, (cast, &speak.market)) / capital;
                self.relations.settle(cast, agent.id, &mut apart.ways.owed, beyond);
            }
            let life = apart.as_ref().map_or(&twin.life, |apart| &apart.life);
            if let Some(own) = own {
                own.marked = life.legs.market_value(&cast.listed, &speak.market) + own.beyond;
                own.stake.settle(capital, own.marked);
            }
            let looked = twin.life.looked();
            if !agent.reacts.is_empty()
                && looked.is_some_and(|l| at.since(l).0 < spec.settings.clock.decide.0)
            {
                let share = &mut self.company[agent.id.index()];
                share.barriers += 1;
                share.apart += u64::from(differ(&twin.life.life, &life.life, capital));
            }
        }
    }

    /// What all open lives in legs gained and lost until the last barrier.
    pub(super) fn total_in_legs(&self, structures: &Structures) -> f64 {
        structures.twins.iter().zip(&self.open_legs).map(|(twin, open)| open.marked(twin)).sum()
    }

    /// What an agent's open lives in legs gained and lost until the last barrier.
    pub fn pnl_in_legs(&self, cast: &Population, structures: &Structures, agent: AgentId) -> f64 {
        let all = cast.structures.iter().zip(&structures.twins).zip(&self.open_legs);
        all.filter(|((s, _), _)| s.agent == agent).map(|((_, twin), open)| open.marked(twin)).sum()
    }
}

/// What a structure sees at the end of a stamp, as its alone life did.
fn seen_in_legs<'a>(
    spec: &'a RespondSpec,
    market: &'a Market,
    (i, now): (usize, Stamp),
    legs: &'a Legs,
) -> StructureContext<'a> {
    let cast = &*spec.cast;
    let agent = &cast.agents[cast.structures[i].agent.index()];
    StructureContext {
        listed: &cast.listed,
        board: market,
        costs: &spec.settings.costs,
        now,
        traits: &agent.traits,
        preset: agent.strategy.preset(),
        side: agent.side,
        capital: capital(spec, agent),
        legs,
        may_open: true,
    }
}

/// Capital of an agent's lives in one structure, in currency.
fn capital(spec: &RespondSpec, agent: &Agent) -> f64 {
    spec.cast.stake(spec.settings.capital) / agent.structures.len() as f64
}

fn filling<'a>(spec: &'a RespondSpec, market: &'a Market) -> FillContext<'a> {
    FillContext { listed: &spec.cast.listed, board: market, costs: &spec.settings.costs, touch: false }
}

/// What a structure has to say, to which more may be added.
fn words_of(all: &mut Vec<(u32, SwayedWords)>, structure: u32) -> &mut SwayedWords {
    let place = all.binary_search_by_key(&structure, |w| w.0).unwrap_or_else(|place| {
        all.insert(place, (structure, Vec::new()));
        place
    });
    &mut all[place].1
}

/// Whether an open life is elsewhere than its alone one: another side, size or stop.
fn differ(alone: &Life, open: &Life, capital: f64) -> bool {
    let size = |o: &OpenIntent| o.first * o.notional / capital;
    let unit = [alone, open].into_iter().filter_map(|l| l.open()).map(size).fold(0.0, f64::max);
    let (own, other) = (alone.intent, open.intent);
    let stop = |life: &Life| life.open().map(|o| o.plan.stop);
    own * other < 0.0
        || (own != other && libm::fabs(own - other) >= DIFFERS * unit)
        || (own != 0.0 && other != 0.0 && stop(alone) != stop(open))
}
