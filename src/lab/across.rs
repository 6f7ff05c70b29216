//! What hearing across assets is worth: the same voices in the same account with and without it, and beside them accounts
//! that take off what must not help.
//!
//! ```text
//! agents, scouts, both halves, one rule:   +zone (plain) ── +split          the same words, the same desk
//! split hearing:   late | signs | one other                                 what is taken off is not what all say
//!                  another time, other signs                                 only where they are named
//! θ = 0 ── ¼ ── ½ ── 1                                                      how much of it is left; 1 is plain
//! 2 ── 4 ── 8 … assets, 9 ── 18 … voices: plain beside split                who is there to be heard
//! hive ── hive across                                                       as it is set up
//! ```
//!
//! Scouts watch every asset here (`[scouts] everywhere`, `mixed_clocks`): what is said of one asset can only be held against
//! what is said of all by those who look at all.
//!
//! # Invariants
//!
//! 1. `θ = 1` is the plain arm to the last bit, and so is a market of one asset.
//! 2. A control of every run takes what it takes off at equal risk too.
//! 3. No arm knows anything of later bars but those that hear what is common at another time, which run only where they are named.

use super::HIVE;
use super::across_arm::{AcrossArm, AcrossVoices, CommonControl, RULE_SPLIT};
use super::arms::{Arm, ArmKind, Weighing};
use crate::hive::across::AcrossAssets;

/// Scouts of `--across`, where nobody says how many: each of the seven families with an idea in three sizes and clocks.
pub const SCOUTS: u32 = 105;

/// All voices without funds.
const SCOUTS_ALL: AcrossVoices = AcrossVoices::Of(Weighing::Scouts(usize::MAX));

/// The hive as it is set up, hearing across assets.
pub const HIVE_ACROSS: &str = "hive across";
/// What has a row beside the other systems.
pub const LADDER: [&str; 7] = [
    "net-eq+split",
    "tsmom6+split",
    "scouts+zone",
    "scouts+split",
    "halves+zone",
    "halves+split",
    HIVE_ACROSS,
];
/// What is held against plain baselines as well.
pub const MAIN: [&str; 2] = ["scouts+split", "halves+split"];
/// Sizes of the curve by assets.
const ASSETS: [usize; 5] = [2, 4, 8, 16, 32];
/// Sizes of the curve by voices.
const VOICES: [usize; 4] = [9, 18, 36, 72];

/// The arms of `--across` on a market of so many assets and of so many scouts, and what each is held against.
pub fn plan(assets: usize, scouts: usize) -> Vec<(Arm, Option<String>)> {
    let mut all: Vec<(Arm, Option<String>)> = Vec::new();
    let plain = |voices| AcrossArm { voices, rule: AcrossAssets::Off, ..RULE_SPLIT };
    let split = |voices| AcrossArm { voices, ..RULE_SPLIT };
    let mut add = |name: String, of: AcrossArm, what, theirs: Option<&str>| {
        all.push((Arm { name, kind: ArmKind::Across(of), what }, theirs.map(str::to_owned)));
    };
    let (same, at_equal_risk) = ("the same voices, plain", "what is common at the risk of the rest");
    add("net-eq+split".into(), split(AcrossVoices::Of(Weighing::Equal)), at_equal_risk, Some("net-eq+zone"));
    add("tsmom6+split".into(), RULE_SPLIT, at_equal_risk, Some("tsmom6+zone"));
    for (name, voices) in [("scouts", SCOUTS_ALL), ("halves", AcrossVoices::Halves)] {
        let (base, ours) = (format!("{name}+zone"), format!("{name}+split"));
        add(base.clone(), plain(voices), same, None);
        add(ours.clone(), split(voices), at_equal_risk, Some(&base));
        for (wrong, word, what) in CommonControl::ALL {
            let of = AcrossArm { wrong: Some(wrong), ..split(voices) };
            add(format!("{ours} {word}"), of, what, None);
        }
    }
    for (word, theta) in [("0", 0.0), ("¼", 0.25), ("½", 0.5), ("1", 1.0)] {
        let of = AcrossArm { rule: AcrossAssets::Fixed(theta), ..split(SCOUTS_ALL) };
        add(format!("scouts θ={word}"), of, "so much of what is common is left", Some("scouts+zone"));
    }
    for n in ASSETS.into_iter().filter(|n| *n < assets) {
        let base = format!("scouts {n} assets");
        add(base.clone(), AcrossArm { assets: Some(n), ..plain(SCOUTS_ALL) }, "so many assets, plain", None);
        let of = AcrossArm { assets: Some(n), ..split(SCOUTS_ALL) };
        add(format!("{base}+split"), of, "so many assets, split", Some(&base));
    }
    for n in VOICES.into_iter().filter(|n| *n < scouts) {
        let (base, voices) = (format!("scouts {n} voices"), AcrossVoices::Of(Weighing::Scouts(n)));
        add(base.clone(), plain(voices), "so many voices, plain", None);
        add(format!("{base}+split"), split(voices), "so many voices, split", Some(&base));
    }
    let what = "the hive as it is set up, hearing across assets";
    let hive = Arm { name: HIVE_ACROSS.to_owned(), kind: ArmKind::ShippedAcross, what };
    all.push((hive, Some(HIVE.to_owned())));
    all
}

/// The controls that run only where they are named: what is taken off is what is common at another time, or has other signs.
pub fn further() -> Vec<Arm> {
    let arm = |(ours, voices): (&str, AcrossVoices), (wrong, word, what)| Arm {
        name: format!("{ours} {word}"),
        kind: ArmKind::Across(AcrossArm { voices, wrong: Some(wrong), ..RULE_SPLIT }),
        what,
    };
    let voices = [SCOUTS_ALL, AcrossVoices::Halves];
    let of = |ours| CommonControl::FURTHER.map(|control| arm(ours, control));
    MAIN.into_iter().zip(voices).flat_map(of).collect()
}

/// The pairs that are compared: each arm over what it differs from in one thing, and split over its controls.
pub fn pairs(arms: &[Arm]) -> Vec<(String, String)> {
    let has = |name: &str| arms.iter().any(|a| a.name == name);
    let assets = arms.iter().filter_map(|a| match a.kind {
        ArmKind::Across(AcrossArm { assets: Some(n), .. }) => Some(n + 1),
        _ => None,
    });
    let planned = plan(assets.max().unwrap_or(0), usize::MAX);
    let mut all: Vec<(String, String)> =
        planned.iter().filter_map(|(a, theirs)| Some((a.name.clone(), theirs.clone()?))).collect();
    for ours in MAIN {
        let controls = CommonControl::ALL.iter().chain(&CommonControl::FURTHER);
        all.extend(controls.map(|(_, word, _)| (ours.to_owned(), format!("{ours} {word}"))));
        all.push((format!("{ours} late"), format!("{ours} time θ then")));
        all.push((format!("{ours} signs"), format!("{ours} signs of voices")));
        let others = [super::ALONE, "net-eq+zone", "net-all+zone", "tsmom6+zone", "tsmom6+split"];
        all.extend(others.map(|theirs| (ours.to_owned(), theirs.to_owned())));
    }
    all.retain(|(ours, theirs)| has(ours) && has(theirs));
    all
}
