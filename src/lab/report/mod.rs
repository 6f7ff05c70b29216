//! The report of an experiment, which is the JSON contract of `hive lab --json`.
//!
//! Entry points: [`report`] makes one of tracks, `uplift` says what one arm is worth over another, and [`Report`]
//! with its parts is what is kept, written and read.
//!
//! # Invariants
//!
//! 1. Differences are paired by seed and by resampled day.
//! 2. Systems that do not exist yet are named as not built, never as a number.
//! 3. A number that cannot be told is `null`, never 0 and never infinite; see [`super::metrics`] for when. Months
//!    that never come are the text `never`.
//! 4. A gain is called communication's only if what silences messages takes at least half of it away.

mod contract;
mod findings;
mod uplift;

pub use super::sample::Sample;
pub use contract::{
    Against, ArmReport, BlindReport, ControlReport, Dose, HiringPart, Joint, LambdaOneCheck, MarketSpan,
    Other, PartDifference, ReactionReport, ReactionWorth, Report, RunPart, ServiceControl, ServiceReport,
    StrongestBaseline, StudyFacts, Uplift, Voices, VsStrong, WALK,
};
pub use findings::report;
pub(crate) use uplift::{over, uplift};
