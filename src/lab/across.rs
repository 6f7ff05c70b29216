//! What hearing across assets is worth: the same voices in the same account with and without it, and beside them accounts
//! that take off what must not help.
//!
//! ```text
//! agents, scouts, both halves, one rule:   +zone (plain) ── +split          the same words, the same desk
//! split hearing:   late | signs | one other                                 what is taken off is not what all say
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
//! 2. A control takes what it takes off at equal risk too, and knows nothing of later bars.

use super::HIVE;
use super::arms::{Arm, ArmKind, Follows, Weighing};
use super::record::{AgentsRecord, Weights};
use super::rules::Momentum;
use super::trial::pooled;
use crate::agents::Population;
use crate::domain::{Stamp, Universe, random};
use crate::engine::Settings;
use crate::engine::speak::Speak;
use crate::fills::pace::unit;
use crate::hive::across::{AcrossAssets, CommonView, HeardAlone, mean_stance};
use crate::market::InstrumentState;
use crate::market::indicators::Weighted;
use std::collections::VecDeque;

/// Scouts of `--across`, where nobody says how many: each of the seven families with an idea in three sizes and clocks.
pub const SCOUTS: u32 = 105;
/// How much later the control hears what is common.
const LATE_DAYS: f64 = 90.0;
/// Days of the weights that bring two pools to the same risk.
const SPAN_DAYS: f64 = 30.0;
/// Bars until a pool's risk is known.
const KNOWN_BARS: u32 = 60;

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
    /// Who speaks.
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
    for (ours, (_, word, _)) in MAIN.into_iter().flat_map(|m| CommonControl::ALL.map(|c| (m, c))) {
        all.push((ours.to_owned(), format!("{ours} {word}")));
    }
    for ours in MAIN {
        let others = [super::ALONE, "net-eq+zone", "net-all+zone", "tsmom6+zone", "tsmom6+split"];
        all.extend(others.map(|theirs| (ours.to_owned(), theirs.to_owned())));
    }
    all.retain(|(ours, theirs)| has(ours) && has(theirs));
    all
}

/// What an account of `--across` aims at, barrier by barrier.
pub struct AcrossAims {
    arm: AcrossArm,
    weights: Vec<Weights>,
    rule: Option<Momentum>,
    view: Option<CommonView>,
    /// By pool of a half: what it aimed at, and its squared PnL in a bar.
    halves: Vec<PoolRisk>,
    /// What was common at each of the last barriers, the oldest first, where it is heard late.
    before: VecDeque<f64>,
    late_bars: usize,
    /// By asset: whether it is in the market of this arm, and the rank by which another is drawn.
    there: Vec<bool>,
    ranks: Vec<u64>,
    /// By agent: the sign that it is heard with by who hears signs.
    signs: Vec<f64>,
    wrong: Vec<f64>,
}

/// The risk of a pool as it was.
struct PoolRisk {
    aims: Vec<f64>,
    closes: Vec<f64>,
    squares: Weighted,
}

impl PoolRisk {
    /// A barrier: the PnL of what was aimed at before is known; the aims that come are brought to a risk of one in a bar, to
    /// nothing until it is known.
    fn scale(&mut self, speak: &Speak, aims: &mut [f64]) {
        let mut pnl = 0.0;
        for ((held, before), listing) in self.aims.iter().zip(&mut self.closes).zip(speak.market.desk()) {
            let now = listing.last().close;
            let r = now / std::mem::replace(before, now) - 1.0;
            pnl += if r.is_finite() { held * r } else { 0.0 };
        }
        if self.squares.seen() > 0 || pnl != 0.0 {
            self.squares.push(pnl * pnl);
        }
        self.aims.copy_from_slice(aims);
        let risk = libm::sqrt(self.squares.mean());
        let by = if self.squares.seen() >= KNOWN_BARS && risk > 0.0 { 1.0 / risk } else { 0.0 };
        aims.iter_mut().for_each(|a| *a *= by);
    }
}

impl AcrossAims {
    /// Before the first barrier.
    pub fn new(arm: AcrossArm, cast: &Population, universe: &Universe, settings: &Settings) -> Self {
        let per_year = settings.clock.decide.per_year();
        let n = universe.assets.len();
        let rank = |name: &str, what: &str| random::key(cast.seed, &[random::name(what), random::name(name)]);
        let mut order: Vec<usize> = (0..n).filter(|a| !universe.assets[*a].money_like).collect();
        order.sort_by_key(|a| (rank(&universe.assets[*a].name, "across assets"), *a));
        order.truncate(arm.assets.unwrap_or(n));
        let pools: &[Weighing] = match arm.voices {
            AcrossVoices::Of(rule) => &[rule],
            AcrossVoices::Halves => &[Weighing::Equal, Weighing::Scouts(usize::MAX)],
            AcrossVoices::Rule => &[],
        };
        let memory = Weighted::new(SPAN_DAYS * per_year / 365.25);
        let risk = || PoolRisk { aims: vec![0.0; n], closes: vec![f64::NAN; n], squares: memory };
        let coin = |name: &str| if random::below(rank(name, "across signs"), 2) == 0 { 1.0 } else { -1.0 };
        AcrossAims {
            arm,
            weights: pools.iter().map(|rule| Weights::new(*rule, cast)).collect(),
            rule: (arm.voices == AcrossVoices::Rule).then(|| Momentum::new(universe)),
            view: CommonView::new(arm.rule, n, per_year),
            halves: pools.iter().filter(|_| arm.voices == AcrossVoices::Halves).map(|_| risk()).collect(),
            before: VecDeque::new(),
            late_bars: (LATE_DAYS * per_year / 365.25) as usize,
            there: (0..n).map(|a| order.contains(&a)).collect(),
            ranks: universe.assets.iter().map(|a| rank(&a.name, "one other asset")).collect(),
            signs: cast.agents.iter().map(|a| coin(&a.name)).collect(),
            wrong: vec![0.0; n],
        }
    }

    /// A barrier: what to aim at, by asset.
    pub fn aims(
        &mut self,
        at: Stamp,
        (cast, record): (&Population, &AgentsRecord),
        speak: &Speak,
        (universe, settings): (&Universe, &Settings),
        aims: &mut [f64],
    ) {
        self.weights.iter_mut().for_each(|w| w.update(cast, record, settings));
        if let Some(rule) = &mut self.rule {
            rule.aims(at, speak, universe, aims);
        } else {
            self.pool((cast, speak, settings), aims);
        }
        for (aim, there) in aims.iter_mut().zip(&self.there) {
            *aim = if *there { *aim } else { 0.0 };
        }
        let Some(mut view) = self.view.take() else { return };
        let desk = speak.market.desk();
        let heard = |(asset, l): (usize, &InstrumentState)| {
            let is_heard = self.there[asset] && l.is_fresh(at) && l.sigma.is_finite();
            let has_voice = self.rule.is_some() || self.has_voice(cast, asset);
            let alone =
                HeardAlone { asset, consensus: aims[asset], unit: unit(l.sigma), close: l.last().close };
            (is_heard && has_voice).then_some(alone)
        };
        let heard: Vec<HeardAlone> = desk.iter().enumerate().filter_map(heard).collect();
        let closes = desk.iter().map(|l| l.last().close);
        match self.arm.wrong {
            None => view.hear(closes, &heard),
            Some(wrong) => {
                let views = self.wrong(wrong, (cast, speak, settings), &heard);
                view.hear_as(closes, &heard, |asset| views[asset]);
            }
        }
        for h in &heard {
            aims[h.asset] -= view.taken(h.asset, h.unit);
        }
        self.view = Some(view);
    }

    /// What the pools aim at: one as it is, two at half of the risk each.
    fn pool(&mut self, (cast, speak, settings): (&Population, &Speak, &Settings), aims: &mut [f64]) {
        let holds = settings.listening.holds;
        if let [one] = &self.weights[..] {
            pooled(cast, speak, &one.of, holds, aims);
            return;
        }
        let mut sum = vec![0.0; aims.len()];
        for (weights, risk) in self.weights.iter().zip(&mut self.halves) {
            pooled(cast, speak, &weights.of, holds, aims);
            risk.scale(speak, aims);
            sum.iter_mut().zip(&*aims).for_each(|(s, a)| *s += 0.5 * a);
        }
        // Fractions of capital of a size that accounts know: a hundredth of it in a bar.
        aims.iter_mut().zip(sum).for_each(|(a, s)| *a = 0.01 * s);
    }

    fn has_voice(&self, cast: &Population, asset: usize) -> bool {
        let weighs = |slot: &u32| {
            let agent = cast.slots[*slot as usize].agent.index();
            self.weights.iter().any(|w| w.of[agent] != 0.0)
        };
        cast.by_asset[asset].iter().any(weighs)
    }

    /// By asset: what is taken for common in place of it, in units of risk.
    fn wrong(
        &mut self,
        wrong: CommonControl,
        (cast, speak, settings): (&Population, &Speak, &Settings),
        heard: &[HeardAlone],
    ) -> Vec<f64> {
        let n = self.there.len();
        match wrong {
            CommonControl::Late => {
                self.before.push_back(mean_stance(heard));
                let known = self.before.len() > self.late_bars;
                let then = if known { self.before.pop_front() } else { None };
                vec![then.unwrap_or(0.0); n]
            }
            CommonControl::Signs => {
                let mut sum = vec![0.0; n];
                for (i, weights) in self.weights.iter().enumerate() {
                    let signed: Vec<f64> = weights.of.iter().zip(&self.signs).map(|(w, s)| w * s).collect();
                    pooled(cast, speak, &signed, settings.listening.holds, &mut self.wrong);
                    // A half counts as it counts in what is held.
                    let by = self.halves.get(i).map_or(1.0, |h| {
                        let risk = libm::sqrt(h.squares.mean());
                        if h.squares.seen() >= KNOWN_BARS && risk > 0.0 { 0.005 / risk } else { 0.0 }
                    });
                    sum.iter_mut().zip(&self.wrong).for_each(|(s, a)| *s += by * a);
                }
                let turned: Vec<HeardAlone> =
                    heard.iter().map(|h| HeardAlone { consensus: sum[h.asset], ..*h }).collect();
                vec![mean_stance(&turned); n]
            }
            CommonControl::OneOther => {
                let mut circle: Vec<&HeardAlone> = heard.iter().collect();
                circle.sort_by_key(|h| (self.ranks[h.asset], h.asset));
                let mut views = vec![0.0; n];
                for (i, h) in circle.iter().enumerate().filter(|_| circle.len() > 1) {
                    views[h.asset] = circle[(i + 1) % circle.len()].stance();
                }
                views
            }
        }
    }
}
