//! Reactions of an agent on a feed: the names in them are agents and assets of this run.

use super::company::LifeMoment;
use crate::domain::{
    AgentId, AssetId, FamilyId, Goal, HeardOn, Reaction, ReactionEffect, Speaker, Universe, Whom,
};

/// Families on events that add to what they hold: only these can open more than their own size.
const ADDS: &[FamilyId] = &[FamilyId::Arbitrage, FamilyId::CashAndCarry, FamilyId::Funding];
/// Families on events that hold a side of their asset: only these have something that a hedge takes off.
const TAKES_SIDES: &[FamilyId] = &[FamilyId::Scalp];

/// Why an effect can act on no intent of a family, and what can in its place; none where it can. Who decides at bars knows them
/// all, and so does who trades as its instruments are listed, where it is at bars.
pub fn cannot_act(then: ReactionEffect, family: FamilyId) -> Option<&'static str> {
    if !family.is_structured() {
        return None;
    }
    match then {
        ReactionEffect::Enter(_) => {
            Some("opens on an edge of its own, which no word makes; use wait, size, stop, target or cut")
        }
        ReactionEffect::Size(times) if times > 1.0 && !ADDS.contains(&family) => Some(
            "never adds, so its own size is the most it may hold; use a size below 1, or a target above it",
        ),
        ReactionEffect::Hedge(_) if !TAKES_SIDES.contains(&family) => {
            Some("has no side to hedge, its legs are each other's hedge; use cut")
        }
        _ => None,
    }
}

/// Whom a reaction listens to, on this feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListensTo {
    /// Every declared agent but its holder.
    Anyone,
    /// The agent of this number.
    Agent(AgentId),
    /// Every agent of this family.
    Family(FamilyId),
    /// Every agent that is deployed for this goal.
    DeployedFor(Goal),
    /// The manager for this goal.
    Manager(Goal),
}

/// Where it listens, on this feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListensOn {
    /// The asset that its holder looks at.
    Mine,
    /// The asset of this number.
    Asset(AssetId),
    /// Every asset but the one that its holder looks at.
    Others,
}

/// A reaction of an agent that was cast.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentReaction {
    /// The rule as it was declared.
    pub rule: Reaction,
    /// Whom it listens to.
    pub who: ListensTo,
    /// Where it listens.
    pub on: ListensOn,
}

impl AgentReaction {
    /// Finds whom and what a rule names, agents by `find`; else why it rests.
    pub fn resolve(
        rule: &Reaction,
        find: impl Fn(&str) -> Option<AgentId>,
        universe: &Universe,
    ) -> Result<Self, String> {
        let who = match &rule.hears.who {
            Whom::Anyone => ListensTo::Anyone,
            Whom::Agent(name) => match find(name) {
                Some(agent) => ListensTo::Agent(agent),
                None => return Err(format!("{:?} rests: there is no agent {name}", rule.name)),
            },
            Whom::Family(family) => ListensTo::Family(*family),
            Whom::DeployedFor(goal) => ListensTo::DeployedFor(*goal),
            Whom::Manager(goal) => ListensTo::Manager(*goal),
        };
        let on = match &rule.hears.on {
            HeardOn::Mine => ListensOn::Mine,
            HeardOn::Others => ListensOn::Others,
            HeardOn::Asset(name) => match universe.asset(name) {
                Some(asset) => ListensOn::Asset(asset.id),
                None => return Err(format!("{:?} rests: {name} is not on this feed", rule.name)),
            },
        };
        Ok(AgentReaction { rule: rule.clone(), who, on })
    }

    /// Whether it listens to a speaker of this family who is deployed for this goal.
    pub fn hears(&self, speaker: AgentId, family: FamilyId, goal: Goal) -> bool {
        match self.who {
            ListensTo::Anyone => true,
            ListensTo::Agent(id) => speaker == id,
            ListensTo::Family(of) => family == of,
            ListensTo::DeployedFor(of) => goal == of,
            ListensTo::Manager(_) => false,
        }
    }

    /// Whether it listens to a speaker that is no agent.
    pub fn hears_office(&self, speaker: Speaker) -> bool {
        match self.who {
            ListensTo::Anyone => true,
            ListensTo::Manager(goal) => speaker == Speaker::Manager(goal),
            _ => false,
        }
    }

    /// Whether it can act at this moment of a life.
    pub fn acts_at(&self, moment: LifeMoment) -> bool {
        use ReactionEffect::{Cut, Enter, Hedge, Size, Stop, Target, Wait};
        matches!(
            (moment, self.rule.then),
            (LifeMoment::Flat, Enter(_))
                | (LifeMoment::Adding(_), Wait(_))
                | (LifeMoment::Entering(_), Wait(_) | Size(_) | Stop(_) | Target(_))
                | (LifeMoment::Holding(_), Stop(_) | Target(_) | Cut(_) | Hedge(_))
        )
    }
}
