//! What was said lately, as reactions ask for it: by asset and kind, newest last, bounded; the conditions that are in force;
//! and the goals as last read.
//!
//! # Invariants
//!
//! 1. Only declared agents are kept: scouts speak to the pool.
//! 2. What the operator or a manager has silenced is not kept, and of what it said before nothing is heard.
//! 3. A word of an open life carries who moved it, through how many, so that nobody hears itself come back.
//! 4. At most [`KEPT`] words of a kind are kept of an asset; of more the oldest are forgotten.

use super::consensus::Consensus;
use crate::agents::Population;
use crate::agents::reactions::{AgentReaction, ListensOn};
use crate::domain::{
    Action, AgentId, AnnouncedLevel, AssetId, Condition, Goal, GoalReading, HeardSide, Hearing, MessageId,
    MessageKind, Outcome, Plan, Reason, Stamp, Term, Verb,
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// Most words of a kind that are kept of an asset.
pub const KEPT: usize = 64;
/// Most speakers that a deed names.
pub const CAUSES_MAX: usize = 8;
/// Longest chain of agents that is followed; what went through more is heard by nobody.
const CHAIN_MAX: usize = 8;
/// Kinds of words that are kept.
const KINDS: usize = 4;

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
    pub fn extend(&mut self, speaker: AgentId, of: &CauseChain) {
        self.depth = self.depth.max(of.depth.saturating_add(1));
        self.agents.extend(of.agents.iter().copied().chain([speaker]));
        self.agents.sort_unstable();
        self.agents.dedup();
    }

    fn may_reach(&self, listener: AgentId) -> bool {
        self.agents.len() <= CHAIN_MAX && self.agents.binary_search(&listener).is_err()
    }
}

/// A word that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptWord {
    at: Stamp,
    message: MessageId,
    agent: AgentId,
    /// +1 for a long, −1 for a short, 0 for what does not move with its asset's price.
    side: i8,
    /// Why an intent was closed, of an outcome.
    reason: Option<Reason>,
    /// Of an open life that is apart: through whom it came about.
    open: Option<CauseChain>,
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
    /// What moved it, newest first, with who said it; nobody for a goal's reading.
    pub messages: Vec<(MessageId, Option<AgentId>)>,
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
    /// Close of its asset.
    pub close: f64,
    /// Volatility of a bar of it.
    pub sigma: f64,
}

/// All that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecentWords {
    /// By asset, then kind.
    rings: Vec<[VecDeque<KeptWord>; KINDS]>,
    /// By asset: a bit for each kind of which something was said since the last barrier.
    fresh: Vec<u8>,
    /// By voice of a declared agent at bars: what it has announced and not closed.
    standing: Vec<Option<StandingPlan>>,
    /// By voice: the side of its last position.
    sides: Vec<i8>,
    /// The score of each goal as it was last read, and the message that said so.
    goals: [Option<(f64, MessageId)>; Goal::ALL.len()],
    /// Whether a goal was read since the last barrier.
    is_goal_fresh: bool,
}

/// The place of a kind among those that are kept; none for what is no word.
fn kind(what: &Hearing) -> Option<usize> {
    match what {
        Hearing::Opened => Some(0),
        Hearing::Closed => Some(1),
        Hearing::Won => Some(2),
        Hearing::Lost(_) => Some(3),
        Hearing::Near(..) | Hearing::Goal { .. } => None,
    }
}

impl RecentWords {
    /// Nothing was said yet.
    pub fn new(cast: &Population) -> Self {
        RecentWords {
            rings: vec![Default::default(); cast.by_asset.len()],
            fresh: vec![0; cast.by_asset.len()],
            standing: vec![None; cast.declared_slots],
            sides: vec![0; cast.voices()],
            goals: [None; Goal::ALL.len()],
            is_goal_fresh: false,
        }
    }

    fn keep(&mut self, asset: AssetId, kind: usize, word: KeptWord) {
        let ring = &mut self.rings[asset.index()][kind];
        if ring.len() == KEPT {
            ring.pop_front();
        }
        ring.push_back(word);
        self.fresh[asset.index()] |= 1 << kind;
    }

    /// A word of a declared agent that both its lives say, or the alone one.
    pub fn alone(
        &mut self,
        voice: usize,
        speaker: (AgentId, AssetId),
        (at, message): (Stamp, MessageId),
        body: &MessageKind,
    ) {
        match body {
            MessageKind::Action(action) => {
                if action.verb != Verb::Close {
                    self.sides[voice] = sign(action.delta);
                }
                self.action(speaker, (at, message), (action.verb, self.sides[voice]), None);
                self.stand(voice, message, action);
            }
            MessageKind::Outcome(outcome) => {
                self.outcome(speaker, (at, message), (outcome, self.sides[voice]), None);
            }
            _ => {}
        }
    }

    /// An action on this side, of an open life that is apart with the chain of its causes.
    pub fn action(
        &mut self,
        (agent, asset): (AgentId, AssetId),
        (at, message): (Stamp, MessageId),
        (verb, side): (Verb, i8),
        open: Option<CauseChain>,
    ) {
        let kind = match verb {
            Verb::Open | Verb::Increase => 0,
            Verb::Decrease | Verb::Close => 1,
            Verb::Amend => return,
        };
        self.keep(asset, kind, KeptWord { at, message, agent, side, reason: None, open });
    }

    /// How an intent on this side ended.
    pub fn outcome(
        &mut self,
        (agent, asset): (AgentId, AssetId),
        (at, message): (Stamp, MessageId),
        (outcome, side): (&Outcome, i8),
        open: Option<CauseChain>,
    ) {
        let kind = if outcome.pnl > 0.0 { 2 } else { 3 };
        let reason = Some(outcome.reason);
        self.keep(asset, kind, KeptWord { at, message, agent, side, reason, open });
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
        self.is_goal_fresh = true;
    }

    /// Everybody has heard what was new.
    pub fn age(&mut self) {
        self.fresh.fill(0);
        self.is_goal_fresh = false;
    }

    /// Whether something was said since the last barrier that this reaction may listen for.
    pub fn is_news(&self, reaction: &AgentReaction, asset: AssetId) -> bool {
        let Some(kind) = kind(&reaction.rule.hears.what) else {
            return match reaction.rule.hears.what {
                Hearing::Goal { .. } => self.is_goal_fresh,
                _ => true,
            };
        };
        let is_fresh = |fresh: &u8| fresh & (1 << kind) != 0;
        match reaction.on {
            ListensOn::Mine => is_fresh(&self.fresh[asset.index()]),
            ListensOn::Asset(other) => is_fresh(&self.fresh[other.index()]),
            ListensOn::Others => {
                self.fresh.iter().enumerate().any(|(i, f)| i != asset.index() && is_fresh(f))
            }
        }
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
        let is_new =
            |rings: &[VecDeque<KeptWord>; KINDS]| rings[kind].back().is_some_and(|word| word.message > than);
        match reaction.on {
            ListensOn::Mine => is_new(&self.rings[asset.index()]),
            ListensOn::Asset(other) => is_new(&self.rings[other.index()]),
            ListensOn::Others => {
                self.rings.iter().enumerate().any(|(i, rings)| i != asset.index() && is_new(rings))
            }
        }
    }

    /// What of this a reaction of the listener heard; none if it is not enough.
    pub fn heard(
        &self,
        cast: &Population,
        consensus: &Consensus,
        reaction: &AgentReaction,
        listener: &ReactionListener,
    ) -> Option<HeardCauses> {
        match reaction.rule.hears.what {
            Hearing::Goal { goal, below, score, met } => self.goal(goal, (below, score), met),
            Hearing::Near(level, sigmas) => self.near(cast, consensus, reaction, listener, (level, sigmas)),
            what => self.words(cast, consensus, reaction, listener, &what),
        }
    }

    fn goal(&self, goal: Goal, (below, score): (bool, f64), met: Option<Goal>) -> Option<HeardCauses> {
        let (read, message) = self.goals[goal.index()]?;
        let is_met =
            met.is_none_or(|m| self.goals[m.index()].is_some_and(|(score, _)| m.is_reached_at(score)));
        let holds = if below { read < score } else { read > score };
        (is_met && holds).then(|| HeardCauses {
            messages: vec![(message, None)],
            chain: CauseChain { depth: 1, agents: Vec::new() },
        })
    }

    fn words(
        &self,
        cast: &Population,
        consensus: &Consensus,
        reaction: &AgentReaction,
        listener: &ReactionListener,
        what: &Hearing,
    ) -> Option<HeardCauses> {
        let kind = kind(what)?;
        let rings: &mut dyn Iterator<Item = &VecDeque<KeptWord>> = match reaction.on {
            ListensOn::Mine => &mut self.rings.get(listener.asset.index()).into_iter().map(|r| &r[kind]),
            ListensOn::Asset(asset) => &mut self.rings.get(asset.index()).into_iter().map(|r| &r[kind]),
            ListensOn::Others => {
                let others = self.rings.iter().enumerate().filter(|(i, _)| *i != listener.asset.index());
                &mut others.map(|(_, r)| &r[kind])
            }
        };
        let hears = &reaction.rule.hears;
        let from = listener.since.max(Stamp(listener.now.0.saturating_sub(hears.within.0)));
        let cautious = reaction.rule.then.is_cautious();
        let (mut found, mut is_open) = (HeardCauses::default(), false);
        for word in rings.flat_map(|ring| ring.iter().rev().take_while(|w| w.at >= from)) {
            let counts = word.agent != listener.agent
                && listener.is_meant(hears.side, word.side)
                && cast.is_heard_by(reaction, word.agent)
                && !matches!(what, Hearing::Lost(Some(r)) if word.reason != Some(*r))
                && consensus.is_heard(word.agent)
                && word.open.as_ref().is_none_or(|c| cautious && c.may_reach(listener.agent));
            if counts && found.name(word.agent, word.message, word.open.as_ref()) {
                is_open |= word.open.is_some();
            }
        }
        // What an open life says may be an echo: it takes two.
        let least = hears.at_least.max(if is_open { 2 } else { 1 }) as usize;
        (found.messages.len() >= least).then_some(found)
    }

    fn near(
        &self,
        cast: &Population,
        consensus: &Consensus,
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
                && cast.is_heard_by(reaction, speaker)
                && consensus.is_heard(speaker);
            if counts && levels(&standing.plan, level).any(|when| is_near(&when)) {
                found.name(speaker, standing.message, None);
            }
        }
        (found.messages.len() >= hears.at_least as usize).then_some(found)
    }
}

impl HeardCauses {
    /// Names a speaker, once; whether it is new.
    fn name(&mut self, speaker: AgentId, message: MessageId, open: Option<&CauseChain>) -> bool {
        let is_new =
            self.messages.len() < CAUSES_MAX && self.messages.iter().all(|(_, s)| *s != Some(speaker));
        if is_new {
            self.messages.push((message, Some(speaker)));
            self.chain.extend(speaker, open.unwrap_or(&CauseChain::default()));
        }
        is_new
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
        AnnouncedLevel::Hedge => (plan.hedge.map(|h| h.when), &[]),
    };
    one.into_iter().chain(targets.iter().map(|t: &crate::domain::condition::Target| t.when))
}
