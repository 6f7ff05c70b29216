//! What an account of `--across` aims at: what its voices say, less what is common as it is heard.
//!
//! # Invariants
//!
//! 1. What is not split is what the same voices aim at in a plain account, to the last bit.
//! 2. A control hears in place of what is common something that it could know then.

use super::across_arm::{AcrossArm, AcrossVoices, CommonControl};
use super::arms::Weighing;
use super::record::{AgentsRecord, Weights, pooled};
use super::rules::Momentum;
use crate::agents::Population;
use crate::domain::{Stamp, Universe, random};
use crate::engine::Settings;
use crate::engine::speak::Speak;
use crate::fills::pace::unit;
use crate::hive::across::{CommonView, HeardAlone, mean_stance};
use crate::market::InstrumentState;
use crate::market::indicators::Weighted;
use std::collections::VecDeque;

/// How much later the control hears what is common.
const LATE_DAYS: f64 = 90.0;
/// Days of the weights that bring two pools to the same risk.
const SPAN_DAYS: f64 = 30.0;
/// Bars until a pool's risk is known.
const KNOWN_BARS: u32 = 60;

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
    /// Its standard deviation in a bar, once it is known.
    fn known(&self) -> Option<f64> {
        let risk = libm::sqrt(self.squares.mean());
        (self.squares.seen() >= KNOWN_BARS && risk > 0.0).then_some(risk)
    }

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
        let by = self.known().map_or(0.0, |risk| 1.0 / risk);
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
                    let by = self.halves.get(i).map_or(1.0, |h| h.known().map_or(0.0, |risk| 0.005 / risk));
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
