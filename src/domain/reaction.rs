//! What an agent makes of what others do: reactions, as `agents.toml` says them and as the screen reads them out.
//!
//! A reaction acts on the open life of its holder alone: on its own intent, when it is opened, how large, how far its stop
//! and targets are, and how long it is held. It never moves the pool.
//!
//! # Invariants
//!
//! 1. *Cautious* effects (wait, a smaller size, a nearer stop or target, cut, hedge) take risk away; *bold* ones (enter, a
//!    larger size, a farther target) may add some, within the agent's own limits.
//! 2. Cautious effects may hear what open lives say, bold ones hear alone words only, so that no chain of risk exists.

use super::{FamilyId, Goal, Reason, Service, Span, TopicKind};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most reactions that an agent lives by: each has a bit of what has acted in an intent.
pub const REACTIONS_MAX: usize = 32;
/// Longest name of a reaction, in characters.
pub const REACTION_NAME_MAX: usize = 40;
/// Farthest that a level may be to count as near, in volatilities of a bar.
pub const NEAR_MAX: f64 = 16.0;
/// Nearest distance that may be asked for, in volatilities of a bar: below it hardly any bar would hear.
pub const NEAR_MIN: f64 = 0.1;
/// Most different speakers that a reaction may wait for: a deed names each of them.
pub const AT_LEAST_MAX: u32 = 8;
/// Largest carry that may be asked for, as a fraction of notional a year.
pub const CARRY_MAX: f64 = 10.0;
/// Largest fee that may be asked for, in basis points.
pub const FEE_MAX: f64 = 100.0;
/// Shortest time that words are remembered, and that a reaction waits.
pub const REACTION_SPAN_MIN: Span = Span::MINUTE;
/// Longest time that words are remembered for a reaction.
pub const WITHIN_MAX: Span = Span(60 * Span::DAY.0);
/// Longest time that a reaction keeps its holder from entering.
pub const WAIT_MAX: Span = Span(60 * Span::DAY.0);
/// Smallest and largest multiple of the own size.
pub const SIZE_BOUNDS: (f64, f64) = (0.25, 2.0);
/// Smallest and largest multiple of the distance of the own stop: never farther than it was.
pub const STOP_BOUNDS: (f64, f64) = (0.1, 1.0);
/// Smallest and largest multiple of the distance of the own targets.
pub const TARGET_BOUNDS: (f64, f64) = (0.5, 2.0);
/// Smallest and largest fraction of the position that is cut or hedged.
pub const FRACTION_BOUNDS: (f64, f64) = (0.05, 1.0);

/// A level that somebody has announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AnnouncedLevel {
    /// Where a loss is ended.
    Stop,
    /// Where a profit is taken.
    Target,
    /// Where more is added.
    Add,
}

/// What a reaction listens for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Hearing {
    /// A position was opened or increased.
    Opened,
    /// A position was increased.
    Added,
    /// A position was closed or decreased.
    Closed,
    /// A position was decreased.
    Reduced,
    /// The conditions of an intent were changed.
    Amended,
    /// Somebody holds back from entering or adding.
    Waited,
    /// An order to open rests at a level.
    Rested,
    /// An intent ended with a profit.
    Won,
    /// An intent ended with a loss; for this reason, if one is named.
    Lost(Option<Reason>),
    /// Listening left less of an intent than there was, nothing, or the other side.
    Doubted,
    /// Listening made an intent larger, or one where there was none.
    Confirmed,
    /// A manager turned a knob of the whole so that less is held or traded (`true`), or more.
    Turned {
        /// Whether less is.
        less: bool,
    },
    /// A carrier quoted more than this fraction of notional a year to one side of a perp.
    Carry {
        /// What the quote must be above.
        above: f64,
    },
    /// A maker asks a fee below this many basis points, or above them.
    Fee {
        /// Whether it must be below; else above.
        below: bool,
        /// In basis points of what is filled at rest.
        bps: f64,
    },
    /// A service saved the desk money by its receipt, or cost it some; this service, if one is named.
    Served {
        /// Whether it saved some.
        saved: bool,
        /// Which service it must be.
        service: Option<Service>,
    },
    /// An announced level is at most so many volatilities of a bar away from the price.
    Near(AnnouncedLevel, f64),
    /// A goal's reading stands below this score, or above it; while another goal is reached, if one is named.
    Goal {
        /// The goal whose tracker speaks.
        goal: Goal,
        /// Whether it must be below the score; else above.
        below: bool,
        /// The score from 0 to 1 that it is compared with.
        score: f64,
        /// Another goal that must be reached at the same time ([`Goal::is_reached_at`]).
        met: Option<Goal>,
    },
}

impl Hearing {
    /// Whether it is about one asset: a goal, a manager's turn and a receipt are of the whole.
    pub fn is_of_asset(self) -> bool {
        !matches!(self, Hearing::Goal { .. } | Hearing::Turned { .. } | Hearing::Served { .. })
    }

    /// Whether it is heard in words of this kind.
    pub fn is_said_in(self, kind: TopicKind) -> bool {
        use Hearing::*;
        match kind {
            TopicKind::Open | TopicKind::Increase => matches!(self, Opened | Added | Near(..)),
            TopicKind::Decrease | TopicKind::Close => matches!(self, Closed | Reduced | Near(..)),
            TopicKind::Amend => self == Amended,
            TopicKind::Wait => self == Waited,
            TopicKind::Rest => self == Rested,
            TopicKind::Outcome => matches!(self, Won | Lost(_)),
            TopicKind::Stance => matches!(self, Doubted | Confirmed),
            TopicKind::Goal => matches!(self, Goal { .. }),
            TopicKind::Adjustment => matches!(self, Turned { .. }),
            TopicKind::Carry => matches!(self, Carry { .. }),
            TopicKind::Work => matches!(self, Fee { .. }),
            TopicKind::Receipt => matches!(self, Served { .. }),
        }
    }

    /// The kind of word that it is heard in; an announced level is one of an opening.
    pub fn topic(self) -> TopicKind {
        use Hearing::*;
        match self {
            Opened | Near(..) => TopicKind::Open,
            Added => TopicKind::Increase,
            Closed => TopicKind::Close,
            Reduced => TopicKind::Decrease,
            Amended => TopicKind::Amend,
            Waited => TopicKind::Wait,
            Rested => TopicKind::Rest,
            Won | Lost(_) => TopicKind::Outcome,
            Doubted | Confirmed => TopicKind::Stance,
            Goal { .. } => TopicKind::Goal,
            Turned { .. } => TopicKind::Adjustment,
            Carry { .. } => TopicKind::Carry,
            Fee { .. } => TopicKind::Work,
            Served { .. } => TopicKind::Receipt,
        }
    }

    /// Whether only what goes by the company says so: open lives, and what listening makes of an intent. That is no ground for
    /// more risk, and one speaker alone may be an echo.
    pub fn is_of_company(self) -> bool {
        matches!(self, Hearing::Amended | Hearing::Waited | Hearing::Doubted | Hearing::Confirmed)
    }

    /// Whether who says so is on a side of the market.
    pub fn has_side(self) -> bool {
        self.is_of_asset() && !matches!(self, Hearing::Fee { .. })
    }
}

/// Whom a reaction listens to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Whom {
    /// Every declared agent but the holder; scouts speak to the pool only.
    Anyone,
    /// The agent of this name.
    Agent(String),
    /// Every agent of this family.
    Family(FamilyId),
    /// Every agent that is deployed for this goal.
    DeployedFor(Goal),
    /// The manager for this goal.
    Manager(Goal),
}

/// On which asset something must happen for a reaction to hear it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum HeardOn {
    /// The asset that the holder looks at.
    Mine,
    /// The asset of this name, such as one that leads the others.
    Asset(String),
    /// Any asset but the one that the holder looks at.
    Others,
}

/// On which side of the market a speaker must be, relative to the holder's open or proposed side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HeardSide {
    /// On the same side.
    With,
    /// On the other side.
    Against,
    /// On any side.
    Either,
}

/// What a reaction does with its holder's own intent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum ReactionEffect {
    /// Neither enters nor adds for so long.
    Wait(Span),
    /// Enters with its own plan and its own unit, on the side of whom it heard (`true`), or on the other (`false`).
    Enter(bool),
    /// Opens with this multiple of its own size.
    Size(f64),
    /// Holds its stop at this fraction of its distance.
    Stop(f64),
    /// Holds its targets at this multiple of their distance.
    Target(f64),
    /// Takes this fraction off the position, all of it at 1.
    Cut(f64),
    /// Takes this fraction of the position out of the market by the opposite leg.
    Hedge(f64),
}

impl ReactionEffect {
    /// Whether it can only take risk away.
    pub fn is_cautious(self) -> bool {
        match self {
            ReactionEffect::Wait(_)
            | ReactionEffect::Stop(_)
            | ReactionEffect::Cut(_)
            | ReactionEffect::Hedge(_) => true,
            ReactionEffect::Size(factor) | ReactionEffect::Target(factor) => factor <= 1.0,
            ReactionEffect::Enter(_) => false,
        }
    }
}

/// Who must have done what, where, on which side, how many of them and how recently.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hears {
    /// What must have been said.
    pub what: Hearing,
    /// By whom it must have been said.
    pub who: Whom,
    /// On which asset.
    pub on: HeardOn,
    /// On which side, relative to the holder's.
    pub side: HeardSide,
    /// How many different speakers it takes.
    pub at_least: u32,
    /// How far back words count.
    pub within: Span,
}

/// A rule of an agent's character: what it hears, and what that does to its own intent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reaction {
    /// What it is called, unique among those of its holder.
    pub name: String,
    /// What it listens for.
    pub hears: Hears,
    /// What it does then, once an intent.
    pub then: ReactionEffect,
}

impl fmt::Display for Reaction {
    /// The rule as a sentence: "when 2 others lost on my asset on my side within 24h, I wait 48h".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "when {}, I {}", self.hears, self.then)
    }
}

impl fmt::Display for Hears {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Hearing::Goal { goal, below, score, met } = self.what {
            let side = if below { "below" } else { "above" };
            write!(f, "{goal} reads {side} {score}")?;
            return met.map_or(Ok(()), |other| write!(f, " while {other} is reached"));
        }
        self.speakers(f)?;
        self.said(f)?;
        if self.what.is_of_asset() {
            match &self.on {
                HeardOn::Mine => f.write_str(" on my asset")?,
                HeardOn::Asset(name) => write!(f, " on {name}")?,
                HeardOn::Others => f.write_str(" on another asset")?,
            }
        }
        f.write_str(match self.side {
            HeardSide::With => " on my side",
            HeardSide::Against => " against me",
            HeardSide::Either => "",
        })?;
        if matches!(self.what, Hearing::Near(..)) { Ok(()) } else { write!(f, " within {}", self.within) }
    }
}

impl Hears {
    /// Who must have said it, as the sentence begins.
    fn speakers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (many, n) = (self.at_least > 1, self.at_least);
        let is_turned = matches!(self.what, Hearing::Turned { .. });
        match &self.who {
            Whom::Anyone if is_turned && many => write!(f, "{n} managers"),
            Whom::Anyone if is_turned => f.write_str("a manager"),
            Whom::Anyone if many => write!(f, "{n} others"),
            Whom::Anyone => f.write_str("another"),
            Whom::Agent(name) => f.write_str(name),
            Whom::Family(family) if many => write!(f, "{n} of {}", family.text()),
            Whom::Family(family) => write!(f, "one of {}", family.text()),
            Whom::DeployedFor(goal) if many => write!(f, "{n} deployed for {goal}"),
            Whom::DeployedFor(goal) => write!(f, "one deployed for {goal}"),
            Whom::Manager(goal) => write!(f, "the manager for {goal}"),
        }
    }

    /// What must have been said.
    fn said(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = self.at_least > 1;
        match self.what {
            Hearing::Opened => f.write_str(" opened or increased"),
            Hearing::Added => f.write_str(" increased"),
            Hearing::Closed => f.write_str(" closed or decreased"),
            Hearing::Reduced => f.write_str(" decreased"),
            Hearing::Amended => f.write_str(" changed conditions"),
            Hearing::Waited => f.write_str(" held back"),
            Hearing::Rested => f.write_str(" rested an order to open"),
            Hearing::Won => f.write_str(" won"),
            Hearing::Lost(None) => f.write_str(" lost"),
            Hearing::Lost(Some(reason)) => write!(f, " lost by {reason}"),
            Hearing::Doubted => write!(f, " {} doubted by the rest", if many { "were" } else { "was" }),
            Hearing::Confirmed => write!(f, " {} confirmed by the rest", if many { "were" } else { "was" }),
            Hearing::Turned { less: true } => f.write_str(" tightened a knob"),
            Hearing::Turned { less: false } => f.write_str(" loosened a knob"),
            Hearing::Carry { above } => write!(f, " quoted a carry of more than {above} of notional a year"),
            Hearing::Fee { below, bps } => {
                write!(f, " asked {} than {bps} bp for working orders", if below { "less" } else { "more" })
            }
            Hearing::Served { saved, service } => {
                f.write_str(if saved { " saved the desk money" } else { " cost the desk money" })?;
                service.map_or(Ok(()), |service| write!(f, " by {}", service.text()))
            }
            Hearing::Near(level, sigmas) => {
                let level = match level {
                    AnnouncedLevel::Stop => "stop",
                    AnnouncedLevel::Target => "target",
                    AnnouncedLevel::Add => "add",
                };
                let unit = if sigmas == 1.0 { "volatility" } else { "volatilities" };
                write!(f, " stood within {sigmas} {unit} of an announced {level}")
            }
            Hearing::Goal { .. } => Ok(()),
        }
    }
}

impl fmt::Display for ReactionEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ReactionEffect::Wait(span) => write!(f, "wait {span}"),
            ReactionEffect::Enter(true) => f.write_str("enter with them"),
            ReactionEffect::Enter(false) => f.write_str("enter against them"),
            ReactionEffect::Size(factor) => write!(f, "open {factor} times my size"),
            ReactionEffect::Stop(factor) => write!(f, "hold my stop at {factor} of its distance"),
            ReactionEffect::Target(factor) => write!(f, "hold my targets at {factor} of their distance"),
            ReactionEffect::Cut(1.0) => f.write_str("close"),
            ReactionEffect::Cut(fraction) => write!(f, "cut {:.0} % of my position", 100.0 * fraction),
            ReactionEffect::Hedge(fraction) => write!(f, "hedge {:.0} % of my position", 100.0 * fraction),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(side: HeardSide, then: ReactionEffect) -> Reaction {
        let hears = Hears {
            what: Hearing::Lost(None),
            who: Whom::Anyone,
            on: HeardOn::Mine,
            side,
            at_least: 2,
            within: Span(24 * Span::HOUR.0),
        };
        Reaction { name: "wait for the crowd to clear".to_owned(), hears, then }
    }

    #[test]
    fn a_rule_reads_as_a_sentence() {
        let rule = lost(HeardSide::With, ReactionEffect::Wait(Span(48 * Span::HOUR.0)));
        assert_eq!(rule.to_string(), "when 2 others lost on my asset on my side within 1d, I wait 2d");
        let near = Hears { what: Hearing::Near(AnnouncedLevel::Stop, 2.0), at_least: 1, ..rule.hears };
        assert_eq!(
            Reaction { hears: near, then: ReactionEffect::Cut(1.0), ..rule }.to_string(),
            "when another stood within 2 volatilities of an announced stop on my asset on my side, I close"
        );
    }

    #[test]
    fn what_adds_risk_is_bold_and_all_else_cautious() {
        let bold = [
            ReactionEffect::Enter(true),
            ReactionEffect::Enter(false),
            ReactionEffect::Size(1.5),
            ReactionEffect::Target(2.0),
        ];
        assert!(bold.iter().all(|e| !e.is_cautious()));
        let cautious = [
            ReactionEffect::Wait(Span::DAY),
            ReactionEffect::Size(0.5),
            ReactionEffect::Stop(0.7),
            ReactionEffect::Target(0.6),
            ReactionEffect::Cut(0.5),
            ReactionEffect::Hedge(0.5),
        ];
        assert!(cautious.iter().all(|e| e.is_cautious()));
    }
}
