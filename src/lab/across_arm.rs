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

/// What is heard as common and is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongCommon {
    /// What was or will be said of all at another time, shifted round by a drawn quarter to three quarters of the run. It looks
    /// ahead: it is only to carry nothing of now.
    AnotherTime,
    /// What is said with signs that are drawn.
    Signs(SignOf),
}

/// How much of what is heard as common is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThetaOf {
    /// As much as gives it the risk of what is then left, within the hive's own bound.
    Bounded,
    /// The same without a bound.
    EqualRisk,
    /// As much as would be left of what is common now.
    Now,
    /// As much as was left at that time of what was common then.
    Then,
    /// What is common now is taken off whole, and what is heard is put in its place at the risk of what is then left.
    InPlace,
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
    /// One that runs only where it is named.
    Further(WrongCommon, ThetaOf),
}

/// A control, what it is called and what it is in a line.
type NamedControl = (CommonControl, &'static str, &'static str);

/// One that runs only where it is named.
const fn further(wrong: WrongCommon, theta: ThetaOf, word: &'static str, what: &'static str) -> NamedControl {
    (CommonControl::Further(wrong, theta), word, what)
}

impl CommonControl {
    /// Whether it hears another time of the run, and so looks ahead.
    pub fn is_another_time(self) -> bool {
        matches!(self, CommonControl::Further(WrongCommon::AnotherTime, _))
    }

    /// Those of every run, with what they are called.
    pub const ALL: [NamedControl; 3] = [
        (CommonControl::Late, "late", "the same, hearing what is common 90 days late"),
        (CommonControl::Signs, "signs", "the same, hearing each voice with a random sign"),
        (CommonControl::OneOther, "one other", "the same, taking off what is said of one other asset"),
    ];

    /// Those that run only where they are named: other readings of a time and a sign that are not the right ones.
    pub const FURTHER: [NamedControl; 11] = {
        use SignOf::{Asset, Bar, Voice, VoiceAtBar, VoiceOnAsset};
        use ThetaOf::{Bounded, EqualRisk, InPlace, Now, Then};
        use WrongCommon::{AnotherTime, Signs};
        [
            further(AnotherTime, Bounded, "time", "the same, hearing what is common at another time"),
            further(AnotherTime, Now, "time θ now", "another time, as much of it as of what is common now"),
            further(AnotherTime, Then, "time θ then", "another time, as much of it as was taken off then"),
            further(AnotherTime, InPlace, "time in place", "another time in place of what is common now"),
            further(Signs(Voice), EqualRisk, "signs of voices", "a sign a voice, whatever θ that takes"),
            further(Signs(VoiceOnAsset), EqualRisk, "signs on assets", "a sign a voice and asset"),
            further(Signs(VoiceAtBar), EqualRisk, "signs at bars", "a sign a voice and bar"),
            further(Signs(Asset), EqualRisk, "signs of assets", "a sign for what all say of each asset"),
            further(Signs(Bar), EqualRisk, "signs of bars", "a sign a bar for what is common"),
            further(Signs(Voice), Now, "signs θ now", "a sign a voice, as much as of what is common now"),
            further(Signs(Voice), InPlace, "signs in place", "a sign a voice, in place of what is common"),
        ]
    };
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
