//! What was said lately, as reactions ask for it: by asset and kind, newest last, bounded; the conditions that are in force;
//! and the goals as last read.
//!
//! # Invariants
//!
//! 1. Only declared agents are kept: scouts speak to the pool.
//! 2. What the operator or a manager has silenced is not kept, and of what it said before nothing is heard.
//! 3. A word of an open life carries who moved it, through how many, so that nobody hears itself come back.
//! 4. What is news is what was said since everybody last heard: who must hear news acts on a word that is.
//! 5. At most [`KEPT`] words of a kind are kept of an asset; of more the oldest are forgotten.

use super::relations::Audible;
use crate::agents::Population;
use crate::agents::reactions::{AgentReaction, ListensOn};
use crate::domain::reaction::AT_LEAST_MAX;
use crate::domain::{
    Action, Adjustment, AgentId, AnnouncedLevel, AssetId, Condition, Goal, GoalReading, HeardSide, Hearing,
    Knob, MessageId, MessageKind, Plan, Reason, Receipt, Service, Speaker, Stamp, Stance, StanceVerb, Term,
    Verb,
};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;

/// Most words of a kind that are kept of an asset.
pub const KEPT: usize = 64;
/// Most speakers that a deed names: as many as a reaction may wait for.
const CAUSES_MAX: usize = AT_LEAST_MAX as usize;
/// Longest chain of agents that is followed; what went through more is heard by nobody.
const CHAIN_MAX: usize = 8;
/// Days of a year, by which carriers' quotes are compared.
const YEAR_DAYS: f64 = 365.0;

/// Through whom a word of an open life came about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CauseChain {
    /// How many deeds, one after the other, led to it; 0 for an alone word.
    pub depth: u8,
    /// All whose words are among its causes, ascending.
    pub agents: Vec<AgentId>,
}

impl CauseChain {
    /// Takes in a cause and what led to it.
    pub fn extend(&mut self, speaker: Speaker, of: &CauseChain) {
        self.depth = self.depth.max(of.depth.saturating_add(1));
        let speaker = if let Speaker::Agent(agent) = speaker { Some(agent) } else { None };
        self.agents.extend(of.agents.iter().copied().chain(speaker));
        self.agents.sort_unstable();
        self.agents.dedup();
    }

    fn may_reach(&self, listener: AgentId) -> bool {
        self.agents.len() <= CHAIN_MAX && self.agents.binary_search(&listener).is_err()
    }
}

/// Kinds of words that are kept, each in a row of its own.
#[derive(Clone, Copy)]
enum WordKind {
    Up,
    Down,
    Amended,
    Waited,
    Rested,
    Won,
    Lost,
    Listened,
    Turned,
    Carry,
    Fee,
    Served,
}

/// How many kinds there are.
const KINDS: usize = WordKind::Served as usize + 1;

/// What a word says beside its kind and side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum WordDetail {
    /// Nothing more than that.
    Plain,
    /// That there was something before, and is something after.
    Resized,
    /// Why an intent was closed.
    Ended(Reason),
    /// Whether listening left less of an intent.
    Doubts(bool),
    /// Whether a knob was turned so that less is held or traded.
    Less(bool),
    /// What is quoted: a fraction of notional a year of a carrier, basis points of a maker.
    Quote(f64),
    /// Which service, and whether it saved money.
    Receipt(Service, bool),
}

/// A word that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptWord {
    at: Stamp,
    message: MessageId,
    from: Speaker,
    /// +1 for a long, −1 for a short, 0 for what does not move with its asset's price.
    side: i8,
    detail: WordDetail,
    /// Of what is not of alone lives only: through whom it came about.
    open: Option<CauseChain>,
}

impl KeptWord {
    /// Whether it says what is listened for, once its kind is right.
    fn says(&self, what: &Hearing) -> bool {
        match (what, self.detail) {
            (Hearing::Added | Hearing::Reduced, detail) => detail == WordDetail::Resized,
            (Hearing::Lost(Some(reason)), WordDetail::Ended(of)) => of == *reason,
            (Hearing::Doubted, WordDetail::Doubts(doubts)) => doubts,
            (Hearing::Confirmed, WordDetail::Doubts(doubts)) => !doubts,
            (Hearing::Turned { less }, WordDetail::Less(is_less)) => is_less == *less,
            (Hearing::Carry { above }, WordDetail::Quote(carry)) => carry > *above,
            (Hearing::Fee { below, bps }, WordDetail::Quote(fee)) => {
                if *below {
                    fee < *bps
                } else {
                    fee > *bps
                }
            }
            (Hearing::Served { saved, service }, WordDetail::Receipt(of, has_saved)) => {
                has_saved == *saved && service.is_none_or(|s| s == of)
            }
            _ => true,
        }
    }
}

/// The conditions of an intent that are in force, as they were announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct StandingPlan {
    message: MessageId,
    side: i8,
    plan: Arc<Plan>,
}

/// What a reaction heard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeardCauses {
    /// What moved it, newest first, with who said it.
    pub messages: Vec<(MessageId, Speaker)>,
    /// How long the chain of its causes is, and through whom.
    pub chain: CauseChain,
}

/// Who listens, and with which side of the market.
#[derive(Clone, Copy, Debug)]
pub struct ReactionListener {
    /// The agent that listens.
    pub agent: AgentId,
    /// The asset it looks at.
    pub asset: AssetId,
    /// The side that it holds or would take.
    pub side: f64,
    /// The side that speakers must be on whatever its rule says, such as those whom it would enter with; 0 for any.
    pub speakers: f64,
    /// The barrier at which it listens.
    pub now: Stamp,
    /// Words before this moment do not count.
    pub since: Stamp,
    /// The message after which one of the words must have been said; none where old ones do as well.
    pub news: Option<MessageId>,
    /// Close of its asset.
    pub close: f64,
    /// Volatility of a bar of it.
    pub sigma: f64,
}

/// All that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecentWords {
    /// By asset, then kind; what is of the whole comes last.
    rings: Vec<[VecDeque<KeptWord>; KINDS]>,
    /// By voice of a declared agent at bars: what it has announced and not closed.
    standing: Vec<Option<StandingPlan>>,
    /// By voice: the side of its last position.
    sides: Vec<i8>,
    /// The score of each goal as it was last read, and the message that said so.
    goals: [Option<(f64, MessageId)>; Goal::ALL.len()],
    /// The newest word that is kept, and the newest that everybody has heard: what comes after it is news.
    newest: MessageId,
    heard: MessageId,
}

/// The kind of word that is listened for; none for what is no word.
fn kind(what: &Hearing) -> Option<WordKind> {
    Some(match what {
        Hearing::Opened | Hearing::Added => WordKind::Up,
        Hearing::Closed | Hearing::Reduced => WordKind::Down,
        Hearing::Amended => WordKind::Amended,
        Hearing::Waited => WordKind::Waited,
        Hearing::Rested => WordKind::Rested,
        Hearing::Won => WordKind::Won,
        Hearing::Lost(_) => WordKind::Lost,
        Hearing::Doubted | Hearing::Confirmed => WordKind::Listened,
        Hearing::Turned { .. } => WordKind::Turned,
        Hearing::Carry { .. } => WordKind::Carry,
        Hearing::Fee { .. } => WordKind::Fee,
        Hearing::Served { .. } => WordKind::Served,
        Hearing::Near(..) | Hearing::Goal { .. } => return None,
    })
}

impl RecentWords {
    /// Nothing was said yet.
    pub fn new(cast: &Population) -> Self {
        RecentWords {
            rings: vec![Default::default(); cast.by_asset.len() + 1],
            standing: vec![None; cast.declared_slots],
            sides: vec![0; cast.voices()],
            goals: [None; Goal::ALL.len()],
            newest: MessageId(0),
            heard: MessageId(0),
        }
    }

    fn keep(&mut self, asset: Option<AssetId>, kind: WordKind, word: KeptWord) {
        let whole = self.rings.len() - 1;
        let ring = &mut self.rings[asset.map_or(whole, AssetId::index)][kind as usize];
        if ring.len() == KEPT {
            ring.pop_front();
        }
        self.newest = self.newest.max(word.message);
        ring.push_back(word);
    }

    /// A word of a declared agent that both its lives say, or the alone one.
    pub fn alone(
        &mut self,
        voice: usize,
        (agent, asset): (AgentId, AssetId),
        (at, message): (Stamp, MessageId),
        body: &MessageKind,
    ) {
        if let MessageKind::Action(action) = body {
            if action.verb != Verb::Close {
                self.sides[voice] = sign(action.delta);
            }
            self.stand(voice, message, action);
        }
        self.said((agent, asset), (at, message), (body, self.sides[voice]), None);
    }

    /// A word of an agent whose last position was on this side; of an open life that is apart with the chain of its causes.
    pub fn said(
        &mut self,
        (agent, asset): (AgentId, AssetId),
        (at, message): (Stamp, MessageId),
        (body, side): (&MessageKind, i8),
        open: Option<CauseChain>,
    ) {
        let (kind, side, detail) = match body {
            MessageKind::Action(action) => {
                let (kind, detail) = match action.verb {
                    Verb::Open => (WordKind::Up, WordDetail::Plain),
                    Verb::Increase => (WordKind::Up, WordDetail::Resized),
                    Verb::Decrease => (WordKind::Down, WordDetail::Resized),
                    Verb::Close => (WordKind::Down, WordDetail::Plain),
                    Verb::Amend => (WordKind::Amended, WordDetail::Plain),
                };
                (kind, side, detail)
            }
            MessageKind::Outcome(outcome) => {
                let kind = if outcome.pnl > 0.0 { WordKind::Won } else { WordKind::Lost };
                (kind, side, WordDetail::Ended(outcome.reason))
            }
            MessageKind::Wait(wait) => (WordKind::Waited, sign(wait.without), WordDetail::Plain),
            MessageKind::Rest(order) => (WordKind::Rested, sign(order.after), WordDetail::Plain),
            // A carry above nothing is earned by who is short the perp.
            MessageKind::Carry(quote) => {
                let a_year = libm::fabs(quote.value) * YEAR_DAYS / quote.days;
                (WordKind::Carry, -sign(quote.value), WordDetail::Quote(a_year))
            }
            MessageKind::Work(quote) => (WordKind::Fee, 0, WordDetail::Quote(quote.fee_bps)),
            _ => return,
        };
        let from = Speaker::Agent(agent);
        self.keep(Some(asset), kind, KeptWord { at, message, from, side, detail, open });
    }

    /// What listening made of an agent's intent: less of it or more, as the voices did that are in the chain.
    pub fn stance(
        &mut self,
        (agent, asset): (AgentId, AssetId),
        (at, message): (Stamp, MessageId),
        stance: &Stance,
        chain: CauseChain,
    ) {
        let (of, doubts) = match stance.verb {
            StanceVerb::Keeps => return,
            StanceVerb::Opens | StanceVerb::Increases => (stance.result, false),
            StanceVerb::Decreases | StanceVerb::StandsAside | StanceVerb::Hedges => (stance.own, true),
        };
        let (from, side, detail) = (Speaker::Agent(agent), sign(of), WordDetail::Doubts(doubts));
        let word = KeptWord { at, message, from, side, detail, open: Some(chain) };
        self.keep(Some(asset), WordKind::Listened, word);
    }

    /// A manager has turned a knob of the whole; what it does to one agent is that one's own matter.
    pub fn adjustment(&mut self, from: Speaker, (at, message): (Stamp, MessageId), turned: &Adjustment) {
        let is_less = match turned.knob {
            Knob::RiskScale | Knob::GrossCap | Knob::Size => turned.to < turned.from,
            // A wider band is traded in less often.
            Knob::Width => turned.to > turned.from,
            Knob::Voice | Knob::Unit | Knob::Limit => return,
        };
        let detail = WordDetail::Less(is_less);
        self.keep(None, WordKind::Turned, KeptWord { at, message, from, side: 0, detail, open: None });
    }

    /// What a service was worth since its last receipt.
    pub fn receipt(&mut self, from: Speaker, (at, message): (Stamp, MessageId), receipt: &Receipt) {
        let detail = WordDetail::Receipt(receipt.service, receipt.saved > 0.0);
        self.keep(None, WordKind::Served, KeptWord { at, message, from, side: 0, detail, open: None });
    }

    /// What a voice at bars has announced stands from now on.
    fn stand(&mut self, voice: usize, message: MessageId, action: &Action) {
        let Some(standing) = self.standing.get_mut(voice) else { return };
        let (side, plan) = (sign(action.after), &action.plan);
        *standing = (side != 0).then(|| StandingPlan { message, side, plan: Arc::clone(plan) });
    }

    /// A tracker has read a goal.
    pub fn reading(&mut self, message: MessageId, reading: &GoalReading) {
        self.goals[reading.goal.index()] = Some((reading.score, message));
        self.newest = self.newest.max(message);
    }

    /// Everybody has heard what was new.
    pub fn age(&mut self) {
        self.heard = self.newest;
    }

    /// The newest message that everybody who decides at bars has heard.
    pub fn heard_by_all(&self) -> MessageId {
        self.heard
    }

    /// Whether something that this reaction may listen for was said after this message. Of levels that were announced there
    /// is something new at each close, since the price is.
    pub fn is_newer(&self, reaction: &AgentReaction, asset: AssetId, than: MessageId) -> bool {
        let Some(kind) = kind(&reaction.rule.hears.what) else {
            return match reaction.rule.hears.what {
                Hearing::Goal { goal, .. } => {
                    self.goals[goal.index()].is_some_and(|(_, message)| message > than)
                }
                _ => true,
            };
        };
        let mut rings = self.rings_of(reaction, asset).map(|of| &of[kind as usize]);
        rings.any(|ring| ring.back().is_some_and(|word| word.message > than))
    }

    /// The words of all kinds among which a reaction listens whose holder looks at this asset.
    fn rings_of(
        &self,
        reaction: &AgentReaction,
        mine: AssetId,
    ) -> impl Iterator<Item = &[VecDeque<KeptWord>; KINDS]> {
        let whole = self.rings.len() - 1;
        let (all, but) = match reaction.on {
            _ if !reaction.rule.hears.what.is_of_asset() => (whole..=whole, usize::MAX),
            ListensOn::Mine => (mine.index()..=mine.index(), usize::MAX),
            ListensOn::Asset(other) => (other.index()..=other.index(), usize::MAX),
            ListensOn::Others => (0..=whole, mine.index()),
        };
        all.filter(move |i| *i != but).filter_map(|i| self.rings.get(i))
    }

    /// What of this a reaction of the listener heard; none if it is not enough.
    pub fn heard(
        &self,
        cast: &Population,
        audible: Audible<'_>,
        reaction: &AgentReaction,
        listener: &ReactionListener,
    ) -> Option<HeardCauses> {
        match reaction.rule.hears.what {
            Hearing::Goal { goal, below, score, met } => self.goal(goal, (below, score), met),
            Hearing::Near(level, sigmas) => self.near(cast, audible, reaction, listener, (level, sigmas)),
            what => self.words(cast, audible, reaction, listener, &what),
        }
    }

    fn goal(&self, goal: Goal, (below, score): (bool, f64), met: Option<Goal>) -> Option<HeardCauses> {
        let (read, message) = self.goals[goal.index()]?;
        let is_met =
            met.is_none_or(|m| self.goals[m.index()].is_some_and(|(score, _)| m.is_reached_at(score)));
        let holds = if below { read < score } else { read > score };
        (is_met && holds).then(|| HeardCauses {
            messages: vec![(message, Speaker::Tracker(goal))],
            chain: CauseChain { depth: 1, agents: Vec::new() },
        })
    }

    fn words(
        &self,
        cast: &Population,
        audible: Audible<'_>,
        reaction: &AgentReaction,
        listener: &ReactionListener,
        what: &Hearing,
    ) -> Option<HeardCauses> {
        let (kind, topic) = (kind(what)?, what.topic());
        let rings = self.rings_of(reaction, listener.asset).map(|of| &of[kind as usize]);
        let hears = &reaction.rule.hears;
        let from = listener.since.max(Stamp(listener.now.0.saturating_sub(hears.within.0)));
        let cautious = reaction.rule.then.is_cautious();
        let counts = |word: &&KeptWord| {
            word.from != Speaker::Agent(listener.agent)
                && listener.is_meant(hears.side, word.side)
                && word.says(what)
                && cast.is_heard_by(reaction, word.from)
                && audible.is_heard(cast, listener.agent, word.from, topic)
                && word.open.as_ref().is_none_or(|c| cautious && c.may_reach(listener.agent))
        };
        let mut words: Vec<&KeptWord> =
            rings.flat_map(|ring| ring.iter().rev().take_while(|w| w.at >= from)).filter(counts).collect();
        if reaction.on == ListensOn::Others {
            words.sort_unstable_by_key(|w| Reverse(w.message));
        }
        let is_news = |word: &KeptWord| listener.news.is_none_or(|than| word.message > than);
        let mut named: Vec<&KeptWord> = Vec::new();
        for word in words {
            let Some(kept) = named.iter_mut().find(|w| w.from == word.from) else {
                if named.len() < CAUSES_MAX {
                    named.push(word);
                }
                continue;
            };
            // Who says so alone too is no echo, as long as that loses no news.
            let loses_news = is_news(kept) && !is_news(word);
            if kept.open.is_some() && word.open.is_none() && !loses_news {
                *kept = word;
            }
        }
        // What an open life says may be an echo: it takes two.
        let least = hears.at_least.max(if named.iter().any(|w| w.open.is_some()) { 2 } else { 1 }) as usize;
        let is_enough = named.len() >= least && named.iter().any(|w| is_news(w));
        is_enough.then(|| {
            let mut found = HeardCauses::default();
            named.iter().for_each(|w| found.name(w.from, w.message, w.open.as_ref()));
            found
        })
    }

    fn near(
        &self,
        cast: &Population,
        audible: Audible<'_>,
        reaction: &AgentReaction,
        listener: &ReactionListener,
        (level, sigmas): (AnnouncedLevel, f64),
    ) -> Option<HeardCauses> {
        let asset = match reaction.on {
            ListensOn::Asset(asset) if asset != listener.asset => return None,
            ListensOn::Others => return None,
            _ => listener.asset,
        };
        let hears = &reaction.rule.hears;
        let reach = sigmas * listener.sigma * listener.close;
        let is_near = |when: &Condition| match (when.left, when.right) {
            (Term::Close, Term::Level(price)) => libm::fabs(price - listener.close) <= reach,
            _ => false,
        };
        let mut found = HeardCauses::default();
        for &slot in &cast.by_asset[asset.index()] {
            // Scouts come last.
            let Some(declared) = self.standing.get(slot as usize) else { break };
            let Some(standing) = declared else { continue };
            let speaker = cast.slots[slot as usize].agent;
            let counts = speaker != listener.agent
                && listener.is_meant(hears.side, standing.side)
                && cast.is_heard_by(reaction, Speaker::Agent(speaker))
                && audible.is_heard(cast, listener.agent, Speaker::Agent(speaker), hears.what.topic());
            if counts
                && found.messages.len() < CAUSES_MAX
                && levels(&standing.plan, level).any(|when| is_near(&when))
            {
                found.name(Speaker::Agent(speaker), standing.message, None);
            }
        }
        (found.messages.len() >= hears.at_least as usize).then_some(found)
    }
}

impl HeardCauses {
    /// Names a speaker, with what led to its word.
    fn name(&mut self, speaker: Speaker, message: MessageId, open: Option<&CauseChain>) {
        self.messages.push((message, speaker));
        self.chain.extend(speaker, open.unwrap_or(&CauseChain::default()));
    }
}

impl ReactionListener {
    /// Whether a speaker of this side is one that it means; what does not move with the price is on neither.
    fn is_meant(&self, wanted: HeardSide, speaker: i8) -> bool {
        let theirs = f64::from(speaker);
        let is_asked = self.speakers == 0.0 || theirs * self.speakers > 0.0;
        is_asked
            && match wanted {
                HeardSide::Either => true,
                HeardSide::With => speaker != 0 && theirs * self.side >= 0.0,
                HeardSide::Against => speaker != 0 && theirs * self.side <= 0.0,
            }
    }
}

/// The side of a position: +1, −1, or 0 for nothing.
pub fn sign(x: f64) -> i8 {
    i8::from(x > 0.0) - i8::from(x < 0.0)
}

/// The conditions of a plan that are levels of this kind.
fn levels(plan: &Plan, level: AnnouncedLevel) -> impl Iterator<Item = Condition> {
    let (one, targets): (Option<Condition>, &[_]) = match level {
        AnnouncedLevel::Stop => (Some(plan.stop), &[]),
        AnnouncedLevel::Target => (None, &plan.targets),
        AnnouncedLevel::Add => (plan.add.map(|(when, _)| when), &[]),
    };
    one.into_iter().chain(targets.iter().map(|t: &crate::domain::condition::Target| t.when))
}
