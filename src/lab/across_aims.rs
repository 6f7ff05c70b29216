//! What an account of `--across` aims at: what its voices say, less what is common as it is heard.
//!
//! # Invariants
//!
//! 1. What is not split is what the same voices aim at in a plain account, to the last bit.
//! 2. A control hears in place of what is common something that it could know then; only one that hears another time does not.

use super::account::ArmAccount;
use super::across_arm::{
    AcrossArm, AcrossVoices, CommonControl, LATE_DAYS, RULE_SPLIT, SignOf, ThetaOf, WrongCommon,
};
use super::across_days::{AcrossDay, AcrossDays};
use super::arms::Weighing;
use super::record::{AgentsRecord, Weights, pooled, pooled_with};
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
    /// By agent: what the signs are drawn by that it is heard with by who hears signs.
    coins: Vec<u64>,
    wrong: Vec<f64>,
    /// Barriers so far.
    barriers: usize,
    further: Option<FurtherControl>,
    /// z̄ and θ of every barrier.
    heard: Vec<(f64, f64)>,
    /// By asset, of this barrier: what the voices say, and what is taken off it.
    parts: Vec<[f64; 2]>,
    days: AcrossDays,
}

/// What was common to all assets by who speaks of them, heard right: z̄ and θ of every barrier.
#[derive(Default)]
pub struct CommonHeard(Vec<(AcrossVoices, Vec<(f64, f64)>)>);

impl CommonHeard {
    /// By these voices; nothing where nobody heard them.
    pub fn of(&self, voices: AcrossVoices) -> &[(f64, f64)] {
        self.0.iter().find(|(of, _)| *of == voices).map_or(&[], |(_, heard)| heard)
    }
}

/// What a control knows that runs only where it is named.
struct FurtherControl {
    theta: ThetaOf,
    /// z̄ and θ of every barrier of the run.
    series: Vec<(f64, f64)>,
    shift: usize,
    /// What is common now, as an account hears it that hears right.
    now: CommonView,
    /// The risks of what it hears as common, and of what is left.
    books: [PoolRisk; 2],
}

impl FurtherControl {
    /// z̄ and θ of another time, by a shift round of a drawn quarter to three quarters of the run.
    fn then(&self, barrier: usize) -> (f64, f64) {
        let place = (barrier + self.shift).checked_rem(self.series.len());
        place.map_or((0.0, 1.0), |i| self.series[i])
    }

    /// A barrier: how many times z̄ and how many times what is heard as common, `views`, is taken off; none where the account's
    /// own view says that.
    fn hear(
        &mut self,
        barrier: usize,
        speak: &Speak,
        heard: &[HeardAlone],
        views: &[f64],
    ) -> Option<[f64; 2]> {
        self.now.hear(speak.market.desk().iter().map(|l| l.last().close), heard);
        let is_in_place = self.theta == ThetaOf::InPlace;
        let [mut common, mut left] = [vec![0.0; views.len()], vec![0.0; views.len()]];
        for h in heard {
            let off = if is_in_place { self.now.last().0 } else { views[h.asset] };
            common[h.asset] = views[h.asset] * h.unit;
            left[h.asset] = (h.stance() - off) * h.unit;
        }
        self.books.iter_mut().zip([common, left]).for_each(|(book, aims)| book.follow(speak, &aims));
        self.times(barrier)
    }

    fn times(&self, barrier: usize) -> Option<[f64; 2]> {
        let [common, left] = [0, 1].map(|i| self.books[i].known());
        let theta = common.zip(left).map(|(common, left)| left / common);
        match self.theta {
            ThetaOf::Bounded => None,
            ThetaOf::EqualRisk => Some([0.0, theta.map_or(0.0, |theta| 1.0 - theta)]),
            ThetaOf::Now => Some([0.0, 1.0 - self.now.last().1]),
            ThetaOf::Then => Some([0.0, 1.0 - self.then(barrier).1]),
            ThetaOf::InPlace => Some(theta.map_or([0.0; 2], |theta| [1.0, -theta])),
        }
    }
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

    /// A barrier: the PnL of what was aimed at before is known, and what is aimed at now is followed.
    fn follow(&mut self, speak: &Speak, aims: &[f64]) {
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
    }

    /// The same, and the aims that come are brought to a risk of one in a bar, to nothing until it is known.
    fn scale(&mut self, speak: &Speak, aims: &mut [f64]) {
        self.follow(speak, aims);
        let by = self.known().map_or(0.0, |risk| 1.0 / risk);
        aims.iter_mut().for_each(|a| *a *= by);
    }
}

impl AcrossAims {
    /// Before the first barrier. `series` is z̄ and θ of all of the run, and needed by who hears another time alone.
    pub fn new(
        arm: AcrossArm,
        cast: &Population,
        (universe, settings): (&Universe, &Settings),
        series: &[(f64, f64)],
    ) -> Self {
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
        AcrossAims {
            arm,
            weights: pools.iter().map(|rule| Weights::new(*rule, cast)).collect(),
            rule: (arm.voices == AcrossVoices::Rule).then(|| Momentum::new(universe)),
            further: arm.wrong.and_then(|wrong| {
                let CommonControl::Further(_, theta) = wrong else { return None };
                let u = random::uniform(random::key(cast.seed, &[random::name("another time")]));
                Some(FurtherControl {
                    theta,
                    series: series.to_vec(),
                    shift: (series.len() as f64 * (0.25 + 0.5 * u)) as usize,
                    now: CommonView::new(arm.rule, n, per_year)?,
                    books: [risk(), risk()],
                })
            }),
            view: CommonView::new(arm.rule, n, per_year),
            halves: pools.iter().filter(|_| arm.voices == AcrossVoices::Halves).map(|_| risk()).collect(),
            before: VecDeque::new(),
            late_bars: (LATE_DAYS * per_year / 365.25) as usize,
            there: (0..n).map(|a| order.contains(&a)).collect(),
            ranks: universe.assets.iter().map(|a| rank(&a.name, "one other asset")).collect(),
            coins: cast.agents.iter().map(|a| rank(&a.name, "across signs")).collect(),
            wrong: vec![0.0; n],
            barriers: 0,
            heard: Vec::new(),
            parts: vec![[0.0; 2]; n],
            days: AcrossDays::new(n, settings.capital),
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
        for ((part, listing), aim) in self.parts.iter_mut().zip(desk).zip(&*aims) {
            // What has no price now keeps the aim that it has, and what is gone has none.
            *part = match listing.is_fresh(at) && listing.sigma.is_finite() {
                true => [*aim, 0.0],
                false if listing.trading => *part,
                false => [0.0; 2],
            };
        }
        let closes = desk.iter().map(|l| l.last().close);
        let views = match self.arm.wrong {
            None => vec![mean_stance(&heard); aims.len()],
            Some(wrong) => self.wrong(wrong, (cast, speak, settings), &heard),
        };
        view.hear_as(closes, &heard, |asset| views[asset]);
        let barrier = self.barriers;
        let times = self.further.as_mut().and_then(|f| f.hear(barrier, speak, &heard, &views));
        for h in &heard {
            let taken = match times {
                None => view.taken(h.asset, h.unit),
                Some([right, wrong]) => (right * view.last().0 + wrong * views[h.asset]) * h.unit,
            };
            self.parts[h.asset] = [aims[h.asset], taken];
            aims[h.asset] -= taken;
        }
        self.days.takes(times.map_or(1.0 - view.last().1, |[_, wrong]| wrong));
        self.heard.push(view.last());
        self.barriers += 1;
        self.view = Some(view);
    }

    /// The account has decided on what it is to aim at: its day is told apart.
    pub fn follow(&mut self, at: Stamp, speak: &Speak, account: &ArmAccount) {
        if self.view.is_some() {
            let worth = (account.equity(), account.paid());
            self.days.push((at, speak), &self.parts, account.risk_multiple(), worth);
        }
    }

    /// What it heard in common stays from the run, if it is what every account hears of these voices.
    pub fn leave_common(&mut self, heard: &mut CommonHeard) {
        if self.arm == (AcrossArm { voices: self.arm.voices, ..RULE_SPLIT }) {
            heard.0.push((self.arm.voices, std::mem::take(&mut self.heard)));
        }
    }

    /// Days that are told apart, in an account in which something may be taken off.
    pub fn days(self) -> Vec<AcrossDay> {
        self.days.finish()
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
            CommonControl::Further(WrongCommon::AnotherTime, _) => {
                vec![self.further.as_ref().map_or(0.0, |f| f.then(self.barriers).0); n]
            }
            CommonControl::Late => {
                self.before.push_back(mean_stance(heard));
                let known = self.before.len() > self.late_bars;
                let then = if known { self.before.pop_front() } else { None };
                vec![then.unwrap_or(0.0); n]
            }
            CommonControl::Signs => vec![self.signed(SignOf::Voice, (cast, speak, settings), heard); n],
            CommonControl::Further(WrongCommon::Signs(of), _) => {
                vec![self.signed(of, (cast, speak, settings), heard); n]
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

    /// What would be common if words had signs that are drawn.
    fn signed(
        &mut self,
        of: SignOf,
        (cast, speak, settings): (&Population, &Speak, &Settings),
        heard: &[HeardAlone],
    ) -> f64 {
        let at = random::mix(random::key(cast.seed, &[random::name("across signs")]), self.barriers as u64);
        let turn = |h: &HeardAlone| HeardAlone { consensus: toss(self.ranks[h.asset]) * h.consensus, ..*h };
        match of {
            SignOf::Bar => return toss(at) * mean_stance(heard),
            SignOf::Asset => return mean_stance(&heard.iter().map(turn).collect::<Vec<_>>()),
            SignOf::Voice | SignOf::VoiceOnAsset | SignOf::VoiceAtBar => {}
        }
        let sign = |agent: usize, asset: usize| {
            let coin = self.coins[agent];
            toss(match of {
                SignOf::VoiceOnAsset => random::mix(coin, asset as u64),
                SignOf::VoiceAtBar => random::mix(coin, self.barriers as u64),
                _ => coin,
            })
        };
        let mut sum = vec![0.0; self.there.len()];
        for (i, weights) in self.weights.iter().enumerate() {
            pooled_with(cast, speak, (&weights.of, sign), settings.listening.holds, &mut self.wrong);
            // A half counts as it counts in what is held.
            let by = self.halves.get(i).map_or(1.0, |h| h.known().map_or(0.0, |risk| 0.005 / risk));
            sum.iter_mut().zip(&self.wrong).for_each(|(s, a)| *s += by * a);
        }
        let turned: Vec<HeardAlone> =
            heard.iter().map(|h| HeardAlone { consensus: sum[h.asset], ..*h }).collect();
        mean_stance(&turned)
    }
}

/// A sign by this key.
fn toss(key: u64) -> f64 {
    if random::below(key, 2) == 0 { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hive::across::AcrossAssets;

    #[test]
    fn another_time_wraps_round_and_its_theta_is_that_of_its_rule() {
        let theta = |theta: ThetaOf| {
            let mut now = CommonView::new(AcrossAssets::Fixed(0.25), 2, 2_190.0).unwrap();
            let two = [(0, 3.0), (1, 1.0)];
            let heard = two.map(|(asset, consensus)| HeardAlone { asset, consensus, unit: 1.0, close: 10.0 });
            now.hear([10.0, 10.0].into_iter(), &heard);
            let book = |risk: f64| {
                let mut squares = Weighted::new(1e9);
                (0..KNOWN_BARS).for_each(|_| squares.push(risk * risk));
                PoolRisk { aims: Vec::new(), closes: Vec::new(), squares }
            };
            let series = (0..100).map(|i| (f64::from(i), 0.5)).collect();
            FurtherControl { theta, series, shift: 30, now, books: [book(1.0), book(3.0)] }
        };
        let times = |rule: ThetaOf| theta(rule).times(80);
        assert_eq!([0, 60, 70, 99].map(|at| theta(ThetaOf::Then).then(at).0), [30.0, 90.0, 0.0, 29.0]);
        assert_eq!(times(ThetaOf::Bounded), None);
        assert_eq!(times(ThetaOf::Now), Some([0.0, 0.75]));
        assert_eq!(times(ThetaOf::Then), Some([0.0, 0.5]));
        let near = |rule: ThetaOf, wanted: [f64; 2]| {
            let got = times(rule).unwrap();
            assert!(got.iter().zip(wanted).all(|(g, w)| (g - w).abs() < 1e-9), "{got:?}");
        };
        near(ThetaOf::EqualRisk, [0.0, -2.0]);
        near(ThetaOf::InPlace, [1.0, -3.0]);
    }

    #[test]
    fn signs_are_as_often_up_as_down() {
        let up = (0..1_000_u64).filter(|i| toss(random::mix(7, *i)) > 0.0).count();
        assert!((450..550).contains(&up), "{up}");
    }
}
