//! What is kept of an open life, and of how often company made a difference.

use crate::agents::life::Life;
use crate::domain::{Announced, Stamp};
use crate::engine::outputs::BeforeLook;
use crate::fills::books::SimulatedBook;
use crate::hive::heard::{CauseChain, sign};
use crate::hive::relations::OwedWords;
use serde::{Deserialize, Serialize};

/// An open life that is apart from its alone one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenLife {
    /// The life that decides.
    pub life: Life,
    /// Its raw book, which trades its intents at once.
    pub raw: SimulatedBook,
    /// What it has announced.
    pub announced: Announced,
    /// What its reactions have done.
    pub(in crate::engine) ways: ReactionState,
}

/// What the reactions of an open life that is apart have done to it so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReactionState {
    /// Side of its last position.
    pub(super) side: i8,
    /// A bit for each reaction that has acted since its last close.
    pub(super) acted: u32,
    /// Until when it neither enters nor adds.
    pub(super) waits: Option<Stamp>,
    /// Through whom it came to be apart.
    pub(super) chain: CauseChain,
    /// To whom it owes that it is.
    pub(super) owed: OwedWords,
}

/// At how many barriers a life was looked at, and at how many of them the open one differed from the alone one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompanyShare {
    /// Barriers of an agent's assets.
    pub barriers: u64,
    /// Those at which side, size by a tenth of a unit, or stop differed.
    pub apart: u64,
}

impl CompanyShare {
    /// The share of barriers at which company made a difference, 0 … 1.
    pub fn share(&self) -> f64 {
        if self.barriers == 0 { 0.0 } else { self.apart as f64 / self.barriers as f64 }
    }
}

impl ReactionState {
    /// Nothing has acted on this life yet.
    pub(super) fn of(life: &Life) -> Self {
        let side = life.open().map_or(0, |open| sign(open.heading()));
        ReactionState { side, ..ReactionState::default() }
    }

    /// Whether nothing keeps it from entering any more.
    pub(super) fn is_free(&self, at: Stamp) -> bool {
        self.waits.is_none_or(|until| until <= at)
    }
}

impl OpenLife {
    /// As its alone life was before this look.
    pub(super) fn of(before: &BeforeLook) -> Self {
        OpenLife {
            life: before.life.clone(),
            raw: before.raw,
            announced: before.announced,
            ways: ReactionState::of(&before.life),
        }
    }
}
