//! What an account of `--across` is made of: who speaks in it, how much of what is common is left, and what is heard in its
//! place.

use super::arms::{Follows, Weighing};
use crate::hive::across::AcrossAssets;

/// How much later the control hears what is common, in days.
pub const LATE_DAYS: f64 = 90.0;

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

/// What has a sign of its own that is drawn, where words are heard with random signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOf {
    /// Each voice, for all of the run.
    Voice,
    /// Each voice on each asset.
    VoiceOnAsset,
    /// Each voice at each bar.
    VoiceAtBar,
    /// What all say of each asset.
    Asset,
    /// What is said of all assets, at each bar.
    Bar,
}

/// How much of what was common at another time is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThetaOf {
    /// As much as gives it the risk of what is then left, as in every account.
    OwnBooks,
    /// As much as would be left of what is common now.
    Now,
    /// As much as was left of it at that time.
    Then,
    /// What is common now is taken off whole, and that of the other time is put in its place with the θ of now.
    InPlace,
}

/// What is taken off in place of what is said of all assets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommonControl {
    /// What was said of all 90 days before.
    Late,
    /// What each voice says times a sign of its own that is drawn.
    Signs(SignOf),
    /// What is said of one other asset that is drawn.
    OneOther,
    /// What was or will be said of all at another time, shifted round by a drawn quarter to three quarters of the run. It looks
    /// ahead: it is only to carry nothing of now.
    AnotherTime(ThetaOf),
}

/// A control, what it is called and what it is in a line.
type NamedControl = (CommonControl, &'static str, &'static str);

impl CommonControl {
    /// Those of every run, with what they are called.
    pub const ALL: [NamedControl; 3] = [
        (CommonControl::Late, "late", "the same, hearing what is common 90 days late"),
        (CommonControl::Signs(SignOf::Voice), "signs", "the same, hearing each voice with a random sign"),
        (CommonControl::OneOther, "one other", "the same, taking off what is said of one other asset"),
    ];

    /// Those that run only where they are named: other readings of a time and a sign that are not the right ones.
    pub const FURTHER: [NamedControl; 8] = [
        (
            CommonControl::AnotherTime(ThetaOf::OwnBooks),
            "time",
            "the same, hearing what is common at another time",
        ),
        (
            CommonControl::AnotherTime(ThetaOf::Now),
            "time θ now",
            "the same, as much of it as of what is common now",
        ),
        (
            CommonControl::AnotherTime(ThetaOf::Then),
            "time θ then",
            "the same, as much of it as was taken off then",
        ),
        (
            CommonControl::AnotherTime(ThetaOf::InPlace),
            "time in place",
            "what is common at another time in place of what is now",
        ),
        (
            CommonControl::Signs(SignOf::VoiceOnAsset),
            "signs on assets",
            "the same, a sign for each voice on each asset",
        ),
        (
            CommonControl::Signs(SignOf::VoiceAtBar),
            "signs at bars",
            "the same, a sign for each voice at each bar",
        ),
        (
            CommonControl::Signs(SignOf::Asset),
            "signs of assets",
            "the same, a sign for what all say of each asset",
        ),
        (
            CommonControl::Signs(SignOf::Bar),
            "signs of bars",
            "the same, a sign at each bar for what is common",
        ),
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
