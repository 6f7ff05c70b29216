//! What each trait and each goal's preset changes in deed.

use super::stage::{acts, agent, config, events, universe};
use crate::common::{Run, Tape, run, shipped, stances};
use hive_core::agents::declaration::Declaration;
use hive_core::agents::personality::Traits;
use hive_core::config::Config;
use hive_domain::{Action, Factor, FamilyId, Goal, Indicator, Reason, StanceVerb, Term, Verb, random};

/// A walk of 900 bars with slow drifts, so that every condition of a trend follower comes true.
fn walk() -> Vec<f64> {
    let mut price = 100.0;
    let step = |i: u64| {
        let drift = 0.004 * (random::uniform(random::key(8, &[i / 60])) - 0.5);
        price *= 1.0 + drift + 0.006 * random::normal(random::key(9, &[i]));
        price
    };
    (0..900).map(step).collect()
}

fn trend() -> Declaration {
    agent(FamilyId::Trend, &[("fast", 10.0), ("slow", 40.0)])
}

fn with(change: impl Fn(&mut Traits)) -> Vec<(usize, Action)> {
    let mut who = trend();
    change(&mut who.traits);
    super::stage::solo(who, &walk())
}

fn level(term: Term) -> f64 {
    match term {
        Term::Level(x) => x,
        other => panic!("{other:?} is no number"),
    }
}

/// Distance of a level from the price of the opening, as a fraction.
fn distance(a: &Action, term: Term) -> f64 {
    (level(term) / a.price - 1.0).abs()
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{a} is not {b}");
}

fn count(acts: &[(usize, Action)], reason: Reason) -> usize {
    acts.iter().filter(|(_, a)| a.reason == reason).count()
}

#[test]
fn aggression_is_size() {
    let (one, two) = (with(|_| ()), with(|t| t.aggression = 2.0));
    assert_eq!(one.len(), two.len(), "the same trades");
    for ((i, a), (j, b)) in one.iter().zip(&two) {
        assert_eq!((i, a.verb, a.reason), (j, b.verb, b.reason));
        near(b.after, 2.0 * a.after);
    }
    assert!(one.len() > 20);
}

#[test]
fn patience_is_time() {
    let (one, two) = (with(|_| ()), with(|t| t.patience = 2.0));
    let (a, b) = (&one[0].1, &two[0].1);
    assert_eq!((level(a.plan.expire.right), level(b.plan.expire.right)), (80.0, 160.0));
    let pauses = |a: &Action| a.plan.reenter.as_ref().map(|r| r.not_before);
    assert_eq!((pauses(a), pauses(b)), (Some(3), Some(6)));
    let gap = |acts: &[(usize, Action)]| {
        let pairs = acts.windows(2).filter(|w| w[0].1.verb == Verb::Close);
        pairs.map(|w| w[1].0 - w[0].0).min().unwrap()
    };
    assert_eq!((gap(&one), gap(&two)), (3, 6), "the pause is kept");
}

#[test]
fn caution_brings_the_stop_nearer() {
    let (one, two) = (with(|_| ()), with(|t| t.caution = 4.0));
    let stop = |a: &Action| distance(a, a.plan.stop.right);
    near(stop(&two[0].1), stop(&one[0].1) / 4.0);
    assert!(count(&two, Reason::Stop) > count(&one, Reason::Stop), "and it is hit more often");
}

#[test]
fn greed_puts_the_targets_farther() {
    let (one, two) = (with(|_| ()), with(|t| t.greed = 2.0));
    for n in [0, 1] {
        let target = |a: &Action| distance(a, a.plan.targets[n].when.right);
        let (near_by, far) = (target(&one[0].1), target(&two[0].1));
        near(far, (2.0 * near_by).min(if two[0].1.side() < 0.0 { 0.9 } else { f64::MAX }));
    }
    assert!(count(&two, Reason::Target) < count(&one, Reason::Target), "and they are met less often");
}

#[test]
fn conviction_is_the_size_of_each_add() {
    let (one, two, none) = (with(|_| ()), with(|t| t.conviction = 2.0), with(|t| t.conviction = 0.0));
    let adds = |acts: &[(usize, Action)]| {
        let adds = acts.iter().filter(|(_, a)| a.reason == Reason::Add);
        adds.map(|(i, a)| (*i, (a.after - a.before).abs())).collect::<Vec<_>>()
    };
    assert!(adds(&one).len() > 3);
    let (a, b) = (adds(&one)[0], adds(&two)[0]);
    assert_eq!(a.0, b.0);
    near(b.1, 2.0 * a.1);
    assert!(adds(&none).is_empty() && none.iter().all(|(_, a)| a.plan.add.is_none()), "nothing is announced");
}

/// The shipped hive on its market, with one trait of all agents set.
fn company(change: impl Fn(&mut Traits)) -> Run {
    let mut config = shipped();
    config.roster.agents.iter_mut().for_each(|a| change(&mut a.traits));
    run(&config, &Tape::market(120))
}

/// λ of each stance.
fn listens(run: &Run) -> Vec<f64> {
    let all = stances(&run.messages).flat_map(|(_, s)| s.factors.into_iter().flatten());
    all.filter_map(|f| if let Factor::Listens(l) = f { Some(l) } else { None }).collect()
}

fn verbs(run: &Run, verb: StanceVerb) -> usize {
    stances(&run.messages).filter(|(_, s)| s.verb == verb).count()
}

#[test]
fn sociability_is_how_far_one_listens() {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (wolf, usual, herd) = (
        company(|t| t.sociability = -1.0),
        company(|t| t.sociability = 0.0),
        company(|t| t.sociability = 0.5),
    );
    assert!(stances(&wolf.messages).all(|(_, s)| s.result == s.own), "the lone wolf does as it meant to");
    assert_eq!(verbs(&wolf, StanceVerb::Opens), 0);
    assert!(listens(&herd).iter().all(|l| (0.5..=1.0).contains(l)), "by character beyond half");
    assert!(listens(&usual).iter().all(|l| *l <= 0.5), "everybody keeps a view");
    assert!((0.1..0.45).contains(&mean(&listens(&usual))), "{}", mean(&listens(&usual)));
    // Between its own intent and the consensus, in proportion.
    let moved = |run: &Run| stances(&run.messages).map(|(_, s)| (s.result - s.own).abs()).sum::<f64>();
    assert!(moved(&herd) > moved(&usual));
}

#[test]
fn no_flip_goes_flat_rather_than_be_turned_round() {
    let (free, firm) = (company(|t| t.no_flip = false), company(|t| t.no_flip = true));
    assert!(verbs(&free, StanceVerb::Hedges) > 20);
    assert_eq!(verbs(&firm, StanceVerb::Hedges), 0);
    let refused = stances(&firm.messages).filter(|(_, s)| s.factors.contains(&Some(Factor::NoFlip)));
    assert!(refused.inspect(|(_, s)| assert_eq!(s.result, 0.0)).count() > 20);
}

#[test]
fn max_follow_bounds_what_is_held_for_the_others() {
    let (none, much) = (company(|t| t.max_follow = 0.0), company(|t| t.max_follow = 10.0));
    assert_eq!(verbs(&none, StanceVerb::Opens), 0, "nothing is held for the others alone");
    assert_eq!(verbs(&none, StanceVerb::Increases), 0);
    assert!(verbs(&much, StanceVerb::Opens) > 100);
    assert!(stances(&none.messages).all(|(_, s)| s.result.abs() <= s.own.abs()));
    assert!(stances(&much.messages).any(|(_, s)| s.result.abs() > 1.5 * s.own.abs()));
}

/// The same agent, deployed for each goal of the shipped file, on the same bars.
fn deployed(family: FamilyId, params: &[(&str, f64)]) -> Vec<Vec<(usize, Action)>> {
    let presets = hive_core::config::shipped().unwrap().roster.presets;
    let each = |goal: &Goal| {
        let mut who = agent(family, params);
        who.goal = *goal;
        let mut config: Config = config(vec![who]);
        config.roster.presets = presets;
        let mut run = Run::start(&config, &universe(&["AAA"]));
        run.play(&events(&[walk()]));
        acts(&run, 0, 0)
    };
    Goal::ALL.iter().map(each).collect()
}

#[test]
fn the_four_goals_decide_differently_on_the_same_bars() {
    for (family, params) in [
        (FamilyId::Trend, [("fast", 10.0), ("slow", 40.0)].as_slice()),
        (FamilyId::Momentum, &[("short", 8.0), ("medium", 20.0), ("long", 60.0)]),
        (FamilyId::Volatility, &[("fast", 10.0), ("slow", 80.0), ("squeeze", 0.95), ("channel", 20.0)]),
    ] {
        let all = deployed(family, params);
        for (i, one) in all.iter().enumerate() {
            assert!(one.len() > 10, "{family}: {} actions", one.len());
            for other in &all[..i] {
                assert_ne!(one, other, "{family}");
            }
        }
    }
}

/// What an opening announces, in units of the volatility at that close: unit, stop, near and far target.
struct Announced {
    size: f64,
    stop: f64,
    targets: [f64; 2],
    hold: f64,
    pause: u32,
    slow: u16,
    trails: bool,
    adds: usize,
}

fn announced(acts: &[(usize, Action)]) -> Announced {
    let a = &acts[0].1;
    // The unit is 1 % over σ, so σ is read off a size of which the multiple is known.
    let longest = a.plan.exit.indicators().map(Indicator::window).max().unwrap();
    // Adds of one intent at most.
    let mut adds = vec![0];
    for (_, a) in acts {
        match a.verb {
            Verb::Open => adds.push(0),
            Verb::Increase => *adds.last_mut().unwrap() += 1,
            _ => {}
        }
    }
    Announced {
        size: a.after.abs(),
        stop: distance(a, a.plan.stop.right),
        targets: [0, 1].map(|n| distance(a, a.plan.targets[n].when.right)),
        hold: level(a.plan.expire.right),
        pause: a.plan.reenter.as_ref().unwrap().not_before,
        slow: longest,
        trails: a.plan.trail.is_some(),
        adds: adds.into_iter().max().unwrap(),
    }
}

#[test]
fn goals_differ_in_the_way_that_is_documented() {
    let all = deployed(FamilyId::Trend, &[("fast", 10.0), ("slow", 40.0)]);
    let [lr, bm, fast, auto] = [0, 1, 2, 3].map(|i| announced(&all[i]));
    // Openings may fall on different bars, so sizes and distances are compared per volatility: size × σ is
    // the unit, distance / σ the multiple, and size × distance has no σ in it.
    let risk = |a: &Announced| a.size * a.stop;
    near(risk(&auto), 0.01 * 8.0);
    near(risk(&lr), 0.01 * 8.0 * 0.8 * 0.7);
    near(risk(&bm), 0.01 * 8.0 * 1.2 * 1.2);
    near(risk(&fast), 0.01 * 8.0 * 0.8);
    let reward = |a: &Announced, n: usize| a.size * a.targets[n];
    for (a, unit, target) in [(&lr, 0.8, 0.9), (&bm, 1.2, 2.0), (&fast, 1.0, 0.6), (&auto, 1.0, 1.0)] {
        near(reward(a, 0), 0.01 * 10.0 * unit * target);
    }
    assert!(lr.targets[1] / lr.stop > 1.0 && bm.targets[1] / bm.stop > auto.targets[1] / auto.stop);
    assert_eq!([lr.slow, bm.slow, fast.slow, auto.slow], [48, 52, 20, 40], "look-backs");
    // Time stops: twice the slow average, times the preset's hold.
    assert_eq!([lr.hold, bm.hold, fast.hold, auto.hold], [96.0, 156.0, 16.0, 80.0]);
    assert_eq!([lr.pause, bm.pause, fast.pause, auto.pause], [5, 3, 2, 1], "automated is back soonest");
    assert_eq!([lr.trails, bm.trails, fast.trails, auto.trails], [true, true, false, true]);
    assert_eq!([lr.adds, bm.adds, fast.adds, auto.adds], [1, 2, 0, 1], "big money adds twice");
}

#[test]
fn fast_is_out_early_and_big_money_rides() {
    let all = deployed(FamilyId::Trend, &[("fast", 10.0), ("slow", 40.0)]);
    let held = |acts: &[(usize, Action)]| {
        let mut open = 0;
        let mut bars = Vec::new();
        for (i, a) in acts {
            match a.verb {
                Verb::Open => open = *i,
                Verb::Close => bars.push(i - open),
                _ => {}
            }
        }
        (bars.iter().sum::<usize>() as f64 / bars.len() as f64, *bars.iter().max().unwrap())
    };
    let [_, bm, fast, _] = [0, 1, 2, 3].map(|i| held(&all[i]));
    assert!(fast.0 < bm.0, "{fast:?} {bm:?}");
    assert!(fast.1 <= 17, "the time stop of 16 bars: {fast:?}");
}
