//! A basket whose betas are known: what it holds of each, that it does not feel the market, and that it comes and goes as one.

use super::*;
use crate::agents::structures::stage::{self, CAPITAL, InstrumentRow, OneLife};
use crate::domain::{FamilyId, InstrumentKind, Reason, Stamp, Universe, Verb, random};
use proptest::prelude::*;

const BAR: Span = Span(4 * Span::HOUR.0);
const WINDOW: f64 = 30.0;

fn feed(kinds: &[InstrumentKind]) -> Universe {
    let names = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH"];
    let rows: Vec<InstrumentRow<'_>> = kinds.iter().zip(names).map(|(k, n)| (n, *k, "alpha", "")).collect();
    stage::universe(&rows)
}

fn rig(n: usize, cut: f64) -> OneLife {
    let p =
        stage::parameters(FamilyId::RelativeStrength, &[("window", WINDOW), ("cut", cut), ("basket", 1.0)]);
    OneLife::new(&feed(&vec![InstrumentKind::Perp; n]), FamilyId::RelativeStrength, &p, "AAA").unwrap()
}

/// Closes of a market that all of them feel, each by its beta, with a drift and noise of its own.
struct FactorMarket {
    close: Vec<f64>,
    beta: Vec<f64>,
    drift: Vec<f64>,
    returns: Vec<Vec<f64>>,
    bars: i64,
}

impl FactorMarket {
    fn new(beta: &[f64], drift: &[f64]) -> Self {
        FactorMarket {
            close: (1..=beta.len()).map(|i| 10.0 * i as f64).collect(),
            beta: beta.to_vec(),
            drift: drift.to_vec(),
            returns: Vec::new(),
            bars: 0,
        }
    }

    /// The next bar of all.
    fn step(&mut self, rig: &mut OneLife) {
        self.bars += 1;
        let draw = |i: u64| random::normal(random::key(5, &[self.bars as u64, i]));
        let market = 0.01 * draw(99);
        let mut returns = Vec::new();
        let at = Stamp(self.bars * BAR.0);
        rig.now = at;
        for i in 0..self.close.len() {
            let r = self.beta[i] * market + self.drift[i] + 0.004 * draw(i as u64);
            self.close[i] *= libm::exp(r);
            returns.push(r);
            rig.tell(stage::bar(i as u16, at, self.close[i]));
        }
        rig.judge();
        self.returns.push(returns);
    }

    /// Slopes on the mean return of all, weighted as they should be, in the plainest way; the first bar has no return.
    fn betas(&self) -> Vec<f64> {
        let n = self.returns.len();
        let mean = |bar: &Vec<f64>| bar.iter().sum::<f64>() / bar.len() as f64;
        let weight = |age: usize| (1.0_f64 - 2.0 / 121.0).powi(age as i32);
        let slope = |i: usize| {
            let (mut both, mut own) = (0.0, 0.0);
            for (t, bar) in self.returns.iter().enumerate().skip(1) {
                let (m, w) = (mean(bar), weight(n - 1 - t));
                both += w * bar[i] * m;
                own += w * m * m;
            }
            both / own
        };
        (0..self.close.len()).map(slope).collect()
    }
}

/// Runs until it opens.
fn open(rig: &mut OneLife, prices: &mut FactorMarket) {
    for _ in 0..600 {
        prices.step(rig);
        if !rig.actions().is_empty() {
            return;
        }
    }
    panic!("it never opened");
}

const BETAS: [f64; 6] = [0.5, 0.8, 1.0, 1.1, 1.2, 1.4];
const DRIFTS: [f64; 6] = [0.003, 0.0, 0.0, 0.002, -0.002, -0.003];

#[test]
fn it_is_long_the_strong_and_short_the_weak_and_feels_nothing_of_the_market_at_entry() {
    let (mut rig, mut prices) = (rig(6, 0.3), FactorMarket::new(&BETAS, &DRIFTS));
    open(&mut rig, &mut prices);
    let said = rig.actions().remove(0);
    assert_eq!((said.verb, said.side(), said.delta), (Verb::Open, 1.0, 0.0));
    let betas = prices.betas();
    let weight = |l: &StructureLeg| l.ratio * prices.close[l.instrument.index()];
    let legs = &said.plan.legs;
    let (long, short): (Vec<&StructureLeg>, Vec<&StructureLeg>) = legs.iter().partition(|l| l.ratio > 0.0);
    assert_eq!((long.len(), short.len()), (2, 2));
    // By what they did over the window, from the strongest.
    let over = |i: usize| prices.returns.iter().rev().take(WINDOW as usize).map(|bar| bar[i]).sum::<f64>();
    let weakest_long = long.iter().map(|l| over(l.instrument.index())).fold(f64::INFINITY, f64::min);
    let strongest_short = short.iter().map(|l| over(l.instrument.index())).fold(f64::NEG_INFINITY, f64::max);
    assert!(weakest_long > strongest_short);
    let beta: f64 = legs.iter().map(|l| weight(l) * betas[l.instrument.index()]).sum();
    let gross: f64 = legs.iter().map(|l| libm::fabs(weight(l))).sum();
    assert!(gross > 1.0 && libm::fabs(beta) < 1e-9, "{beta} of {gross}");
    // As it is ordered, but for whole lots.
    let ordered: f64 = rig
        .life
        .legs
        .orders
        .iter()
        .map(|o| o.quantity * prices.close[o.instrument.index()] * betas[o.instrument.index()])
        .sum();
    assert!(libm::fabs(ordered / CAPITAL) < 1e-6, "{ordered}");
    // Unhedged it would: the betas differ, so equal notional would not be neutral.
    let equal: f64 = legs.iter().map(|l| weight(l).signum() * betas[l.instrument.index()]).sum();
    assert!(libm::fabs(equal) > 0.1, "{equal}");
}

#[test]
fn no_leg_is_more_than_a_unit_of_its_asset_and_one_is_that() {
    let (mut rig, mut prices) = (rig(6, 0.3), FactorMarket::new(&BETAS, &DRIFTS));
    open(&mut rig, &mut prices);
    let RelativeStrengthFamily::Neutral(basket) = (match &rig.rules {
        crate::agents::families::Rules::RelativeStrength(family) => family,
        _ => unreachable!(),
    }) else {
        panic!("a basket")
    };
    let neutral = basket.neutral().unwrap();
    let shares: Vec<f64> = neutral.legs.iter().map(|(p, w)| libm::fabs(*w) / p.unit).collect();
    assert!(shares.iter().all(|s| *s > 0.0 && *s <= 1.0) && shares.contains(&1.0), "{shares:?}");
}

#[test]
fn all_of_it_is_opened_at_once_and_closed_at_once_and_its_gain_is_that_of_all_legs() {
    let (mut rig, mut prices) = (rig(6, 0.3), FactorMarket::new(&BETAS, &DRIFTS));
    open(&mut rig, &mut prices);
    let decided = prices.close.clone();
    assert_eq!(rig.life.legs.orders.len(), 4);
    prices.step(&mut rig);
    let held = rig.life.legs.held.clone();
    assert_eq!((held.len(), rig.life.legs.orders.len()), (4, 0), "each at the next bar");
    let said = rig.actions().remove(0);
    let each =
        |l: &StructureLeg| l.ratio * (prices.close[l.instrument.index()] - decided[l.instrument.index()]);
    let largest = said
        .plan
        .legs
        .iter()
        .map(|l| libm::fabs(l.ratio * decided[l.instrument.index()]))
        .fold(0.0, f64::max);
    let gain = said.plan.legs.iter().map(each).sum::<f64>() / largest * 1e4;
    assert!((rig.value(Indicator::Gain) - gain).abs() < 1e-6);
    // The strong fall behind: what it holds leads no more.
    prices.drift.iter_mut().for_each(|d| *d *= -4.0);
    while rig.actions().last().unwrap().verb != Verb::Close {
        prices.step(&mut rig);
        assert!(prices.bars < 900);
    }
    let last = rig.actions().pop().unwrap();
    assert!(matches!(last.reason, Reason::Exit | Reason::Stop), "{last}");
    prices.step(&mut rig);
    assert!(rig.life.legs.held.is_empty() && rig.outcomes().len() == 1, "nothing of it is left");
}

#[test]
fn its_lead_is_the_difference_of_mean_scores() {
    let scores = [(2.0, 1.5), (0.5, 0.5), (-1.0, -2.0)];
    assert_eq!(NeutralBasket::lead(&scores.into_iter()), 1.0 + 2.0);
    assert!(NeutralBasket::lead(&scores.into_iter().take(2)).is_nan(), "nothing is short");
}

#[test]
fn a_side_of_no_market_risk_is_no_hedge() {
    // The weak move against all others: a short of them would be a long of the market.
    let (mut rig, mut prices) = (rig(3, 0.2), FactorMarket::new(&[1.0, 1.0, -1.5], &[0.002, 0.0, -0.002]));
    (0..300).for_each(|_| prices.step(&mut rig));
    assert!(rig.actions().is_empty(), "{:?}", rig.actions());
}

#[test]
fn it_needs_three_that_can_be_short() {
    use InstrumentKind::{Margin, Perp, Spot};
    for (kinds, is_basket) in
        [(vec![Perp, Perp, Perp], true), (vec![Perp, Margin, Margin], true), (vec![Perp, Perp, Spot], false)]
    {
        let p = stage::parameters(FamilyId::RelativeStrength, &[("basket", 1.0)]);
        let made = OneLife::new(&feed(&kinds), FamilyId::RelativeStrength, &p, "AAA");
        assert_eq!(made.is_ok(), is_basket, "{kinds:?}");
    }
}

#[test]
fn its_conditions_read_as_a_trader_would_say_them() {
    let (mut rig, mut prices) = (rig(6, 0.3), FactorMarket::new(&BETAS, &DRIFTS));
    open(&mut rig, &mut prices);
    let text = rig.actions()[0].to_string();
    for part in [
        "stop: close if it loses more than",
        "exit: close if the lead of the strong over the weak turns negative",
        "go long again if the lead of the strong over the weak rises above 1 σ",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_it_opens_is_neutral(
        beta in prop::collection::vec(0.2_f64..2.0, 3..8),
        drift in prop::collection::vec(-0.003_f64..0.003, 8),
        cut in 0.05_f64..0.45,
    ) {
        let (mut rig, mut prices) = (rig(beta.len(), cut), FactorMarket::new(&beta, &drift[..beta.len()]));
        for _ in 0..220 {
            let before = rig.actions().len();
            prices.step(&mut rig);
            let said = rig.actions();
            let opened = said[before..].iter().filter(|a| a.verb == Verb::Open);
            for action in opened {
                let betas = prices.betas();
                let of = |l: &StructureLeg| l.ratio * prices.close[l.instrument.index()] * betas[l.instrument.index()];
                let sum: f64 = action.plan.legs.iter().map(of).sum();
                prop_assert!(libm::fabs(sum) < 1e-9, "{sum}: {action}");
                prop_assert!(action.plan.legs.len() % 2 == 0 && action.plan.legs.len() <= LEGS_MAX);
            }
        }
    }
}
