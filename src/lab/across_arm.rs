//! What an account of `--across` is made of: who speaks in it, how much of what is common is left, and what is heard in its
//! place.

use super::arms::{Follows, Weighing};
use crate::hive::across::AcrossAssets;

/// Who speaks in the account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AcrossVoices {
    /// Agents by these weights.
    Of(Weighing),
    /// The agents with funds and the scouts, each at half of the risk.
    Halves,
    /// The momentum rule.
    Rule,
}

/// What is taken off in place of what is said of all assets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommonControl {
    /// What was said of all 90 days before.
    Late,
    /// What each voice says times a sign of its own that is drawn.
    Signs,
    /// What is said of one other asset that is drawn.
    OneOther,
}

impl CommonControl {
    /// All of them, with what they are called.
    pub const ALL: [(CommonControl, &'static str, &'static str); 3] = [
        (CommonControl::Late, "late", "the same, hearing what is common 90 days late"),
        (CommonControl::Signs, "signs", "the same, hearing each voice with a random sign"),
        (CommonControl::OneOther, "one other", "the same, taking off what is said of one other asset"),
    ];
}

/// An account of `--across`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AcrossArm {
    /// Who speaks in it.
    pub voices: AcrossVoices,
    /// How much of what is common is left.
    pub rule: AcrossAssets,
    /// What is heard in place of what is common.
    pub wrong: Option<CommonControl>,
    /// Only so many assets, in an order drawn by the seed.
    pub assets: Option<usize>,
    /// How the account follows.
    pub follows: Follows,
}

/// The momentum rule, split.
pub const RULE_SPLIT: AcrossArm = AcrossArm {
    voices: AcrossVoices::Rule,
    rule: AcrossAssets::EqualRisk,
    wrong: None,
    assets: None,
    follows: Follows::Zone,
};
