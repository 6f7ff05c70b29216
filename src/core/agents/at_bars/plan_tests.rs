//! Lives at bars on plans that no family makes: what a plan can say is held here, whoever will say it.

use super::*;
use crate::agents::life::Life;
use crate::agents::listener::bars::BarLook;
use crate::agents::listener::{Count, Voice};
use crate::agents::personality::{Preset, Traits};
use crate::agents::plan::STEPS_MAX;
use crate::domain::condition::{TARGETS_MAX, Target};
use crate::domain::{
    Action, FamilyId, Hedge, HedgeKind, InstrumentId, MessageKind, OfferTerms, Outcome, Plan, ReEntry,
    Reason, SideRule, random,
};

const KEYS: [Indicator; 4] =
    [Indicator::Ema(10), Indicator::Ema(40), Indicator::Sigma(8), Indicator::Sigma(120)];
const CAPITAL: f64 = 1_000.0;

/// One life and its book, a bar at a time, each order filled at the close that it was decided at. A listener hears all that
/// it says, and foretells all that it does (law 12).
struct Bars {
    life: Life,
    raw: SimulatedBook,
    strategy: Strategy,
    said: Vec<Action>,
    outcomes: Vec<Outcome>,
    at: i64,
    /// The fast average as a multiple of the slow one, which is at the close.
    tilt: f64,
    voice: Voice,
    count: Count,
    /// What is made of its words on the way to the listener.
    lie: fn(&mut Vec<MessageKind>),
}

impl Bars {
    fn new() -> Self {
        let (traits, preset) = (Traits::default(), Preset::default());
        Bars {
            life: Life::default(),
            raw: SimulatedBook::default(),
            strategy: Strategy::new(FamilyId::Trend, &[10.0, 40.0], SideRule::Both, traits, preset),
            said: Vec::new(),
            outcomes: Vec::new(),
            at: 0,
            tilt: 1.01,
            voice: Voice::new(FamilyId::Trend, "a plan".to_owned()),
            count: Count::default(),
            lie: |_| {},
        }
    }

    /// A life that has opened on this plan at this close.
    fn opened(side: f64, plan: &Plan, close: f64) -> Self {
        let mut bars = Bars::new();
        let p = Proposal { side, legs: Vec::new(), size: 0.0, delta: 1.0, plan: plan.clone(), limit: None };
        bars.step(close, |life, now, raw, say| {
            if let Some(open) = now.open(raw, p, &now.view(&(), 0, None), None) {
                life.enter(now, raw, open, Reason::Signal, say);
            }
        });
        bars
    }

    /// A bar closes while the averages that its family looks at say nothing; what was done, and the sizes after it.
    fn close(&mut self, close: f64) -> Vec<(Verb, Reason, f64)> {
        let from = self.said.len();
        self.step(close, |life, now, raw, say| life.look(now, raw, say));
        self.said[from..].iter().map(|a| (a.verb, a.reason, a.after)).collect()
    }

    fn step(
        &mut self,
        close: f64,
        act: impl FnOnce(&mut Life, &AtBars<'_>, &mut SimulatedBook, &mut dyn FnMut(MessageKind)),
    ) {
        let Bars { life, raw, strategy, said, outcomes, at, tilt, voice, count, lie } = self;
        *at += 1;
        // A close between both averages is no entry of a trend follower.
        let (values, at, sigma) = ([*tilt * close, close, 0.01, 0.01], Stamp(*at), 0.01);
        let (agent, asset, keys, values) = (AgentId(0), AssetId(0), &KEYS, &values);
        let now =
            AtBars { agent, asset, strategy, capital: CAPITAL, close, sigma, coins: 0, at, keys, values };
        let mut heard = Vec::new();
        act(life, &now, raw, &mut |body| heard.push(body));
        let (unit, adds) = (strategy.unit() * unit(sigma), strategy.adds());
        let mut told = heard.clone();
        lie(&mut told);
        voice.judge(
            &BarLook {
                at,
                close,
                range: (close, close, close),
                trades: true,
                sigma,
                keys,
                values,
                unit,
                adds,
            },
            &told,
            count,
        );
        voice.agrees(life);
        said.extend(heard.into_iter().map(|body| match body {
            MessageKind::Action(action) => action,
            other => panic!("{other:?}"),
        }));
        raw.quantity += raw.order;
        raw.cash -= raw.order * close;
        raw.order = 0.0;
        let foretold = voice.quantity * CAPITAL;
        assert!((raw.quantity - foretold).abs() <= 1e-9 * foretold.abs(), "{} {foretold}", raw.quantity);
        if let Some(outcome) = life.outcome(&now, raw) {
            voice.ended(&outcome);
            outcomes.push(outcome);
        }
    }
}

fn price_above(price: f64) -> Condition {
    Condition::above(Term::Close, Term::Level(price))
}

/// A long from 100 that takes parts off at these prices.
fn ladder(rungs: &[(f64, f64)]) -> Plan {
    let target = |&(price, fraction): &(f64, f64)| Target { when: price_above(price), fraction };
    Plan {
        legs: Vec::new(),
        maker: None,
        stop: Condition::below(Term::Close, Term::Level(90.0)),
        trail: None,
        exit: Condition::below(Term::Close, Term::Level(0.0)),
        expire: Condition::above(Term::Held, Term::Level(50.0)),
        targets: rungs.iter().map(target).collect(),
        add: Some((price_above(100.5), 0.5)),
        hedge: None,
        reenter: None,
    }
}

const TOOK: (Verb, Reason) = (Verb::Decrease, Reason::Target);

#[test]
fn three_targets_are_taken_in_turn_and_the_last_closes() {
    let mut bars = Bars::opened(1.0, &ladder(&[(101.0, 0.5), (102.0, 0.5), (104.0, 1.0)]), 100.0);
    assert_eq!(bars.close(101.5), [(TOOK.0, TOOK.1, 0.5)]);
    assert!(bars.said[1].plan.add.is_none(), "after a profit nothing is added");
    assert_eq!(bars.said[1].plan.targets.len(), 2, "what has acted is gone");
    assert_eq!(bars.close(101.5), [], "each acts once");
    assert_eq!(bars.close(103.0), [(TOOK.0, TOOK.1, 0.25)]);
    assert_eq!(bars.said[2].plan.targets, ladder(&[(104.0, 1.0)]).targets);
    assert_eq!(bars.close(104.5), [(Verb::Close, Reason::Target, 0.0)]);
    // One unit is all of the capital here: 10 base units at 100, half, a quarter and a quarter of them sold.
    let by_hand = (5.0 * 1.5 + 2.5 * 3.0 + 2.5 * 4.5) / CAPITAL;
    assert_eq!(bars.outcomes.len(), 1);
    assert!((bars.outcomes[0].pnl - by_hand).abs() < 1e-12, "{:?} is not {by_hand}", bars.outcomes);
}

#[test]
fn one_close_takes_every_target_that_it_meets_nearest_first() {
    let plan = ladder(&[(101.0, 0.5), (102.0, 0.2), (103.0, 0.5), (110.0, 1.0)]);
    let mut bars = Bars::opened(1.0, &plan, 100.0);
    assert_eq!(bars.close(103.5), [(TOOK.0, TOOK.1, 0.5), (TOOK.0, TOOK.1, 0.4), (TOOK.0, TOOK.1, 0.2)]);
    let left: Vec<usize> = bars.said[1..].iter().map(|a| a.plan.targets.len()).collect();
    assert_eq!(left, [3, 2, 1]);
    assert!((bars.raw.quantity - 0.2 * CAPITAL / 100.0).abs() < 1e-12, "{}", bars.raw.quantity);
}

#[test]
fn a_target_of_all_closes_before_nearer_ones_are_taken() {
    let mut bars = Bars::opened(1.0, &ladder(&[(101.0, 0.5), (102.0, 1.0)]), 100.0);
    assert_eq!(bars.close(102.5), [(Verb::Close, Reason::Target, 0.0)]);
}

#[test]
fn a_close_says_no_more_than_is_heard_and_leaves_the_rest_to_the_next() {
    let rungs: Vec<(f64, f64)> = (0..STEPS_MAX + 2).map(|n| (101.0 + n as f64, 0.5)).collect();
    let mut bars = Bars::opened(1.0, &ladder(&rungs), 100.0);
    assert_eq!(bars.close(200.0).len(), STEPS_MAX);
    assert_eq!(bars.close(200.0).len(), 2);
    assert_eq!(bars.close(200.0), []);
}

#[test]
fn a_ladder_without_end_or_with_a_rung_of_nothing_is_not_taken() {
    let opens = |rungs: &[(f64, f64)]| !Bars::opened(1.0, &ladder(rungs), 100.0).said.is_empty();
    assert!(opens(&[(101.0, 0.5); TARGETS_MAX]) && opens(&[(101.0, 2.0)]));
    assert!(!opens(&[(101.0, 0.5); TARGETS_MAX + 1]));
    for fraction in [0.0, -0.5, f64::NAN] {
        assert!(!opens(&[(101.0, fraction)]), "{fraction}");
    }
}

#[test]
fn an_add_of_nothing_or_without_end_is_not_taken() {
    let opens = |when, more| {
        let plan = Plan { add: Some((when, more)), ..ladder(&[]) };
        !Bars::opened(1.0, &plan, 100.0).said.is_empty()
    };
    assert!(opens(price_above(100.5), 0.5));
    for more in [0.0, -0.5, f64::NAN, f64::INFINITY] {
        assert!(!opens(price_above(100.5), more), "{more}");
    }
    assert!(!opens(price_above(f64::NAN), 0.5));
}

#[test]
fn without_targets_only_the_other_conditions_close() {
    let mut bars = Bars::opened(1.0, &Plan { add: None, ..ladder(&[]) }, 100.0);
    assert_eq!(bars.close(1_000.0), []);
    assert_eq!(bars.close(89.0), [(Verb::Close, Reason::Stop, 0.0)]);
}

/// An offer to go long again at once, with half of the size.
fn offered(terms: OfferTerms) -> Plan {
    let again = ReEntry {
        side: 1.0,
        when: price_above(80.0),
        unless: Condition::below(Term::Close, Term::Level(0.0)),
        not_before: 1,
        within: 5,
        minutes: false,
        terms: Some(terms),
    };
    Plan { reenter: Some(again), add: None, ..ladder(&[]) }
}

fn half() -> OfferTerms {
    let target = |away, fraction| Target { when: Condition::above(Term::Close, Term::Entry(away)), fraction };
    OfferTerms {
        size: 0.5,
        stop: Condition::below(Term::Close, Term::Entry(-0.02)),
        targets: vec![target(0.01, 0.5), target(0.03, 1.0)],
    }
}

#[test]
fn an_offer_with_terms_is_taken_up_with_just_these_and_the_rest_from_the_family() {
    let mut bars = Bars::opened(1.0, &offered(half()), 100.0);
    assert_eq!(bars.close(88.0), [(Verb::Close, Reason::Stop, 0.0)]);
    assert_eq!(bars.close(90.0), [(Verb::Open, Reason::ReEntry, 0.5)], "half of the first size of one unit");
    let plan = &bars.said.last().unwrap().plan;
    assert_eq!((plan.stop, &plan.targets), (half().stop, &half().targets));
    assert!(plan.trail.is_some() && plan.add.is_some() && plan.hedge.is_some(), "as the family sets them");
    let again = plan.reenter.as_ref().unwrap();
    assert!(again.terms.is_none() && again.not_before == 3, "what it offers next is the family's, too");
    // Opened at 90: the near target is 90.9, the far one 92.7, the stop 88.2.
    assert_eq!(bars.close(90.89), []);
    assert_eq!(bars.close(90.91), [(TOOK.0, TOOK.1, 0.25)]);
    assert_eq!(bars.close(92.69), []);
    assert_eq!(bars.close(92.71), [(Verb::Close, Reason::Target, 0.0)]);
    let outcome = bars.outcomes[1];
    // 500 at 90, half of it sold at 90.91 and half at 92.71; at risk were 2 % of half the capital.
    let gained = 500.0 / 90.0 * (0.5 * 0.91 + 0.5 * 2.71) / CAPITAL;
    assert!((outcome.pnl - gained).abs() < 1e-12, "{outcome} {gained}");
    assert!((outcome.r - gained / (0.5 * 0.02)).abs() < 1e-9, "{outcome}");
}

#[test]
fn the_stop_of_an_offer_is_where_its_entry_puts_it() {
    let mut bars = Bars::opened(1.0, &offered(half()), 100.0);
    bars.close(88.0);
    bars.close(90.0);
    assert_eq!(bars.close(88.21), []);
    assert_eq!(bars.close(88.19), [(Verb::Close, Reason::Stop, 0.0)]);
}

#[test]
fn an_offer_that_would_be_over_at_once_waits_and_lapses() {
    let stop = Condition::below(Term::Close, Term::Level(89.0));
    let mut bars = Bars::opened(1.0, &offered(OfferTerms { stop, ..half() }), 100.0);
    bars.close(85.0);
    for _ in 0..2 {
        assert_eq!(bars.close(88.0), [], "it would be stopped at the next close");
    }
    assert_eq!(bars.close(89.5), [(Verb::Open, Reason::ReEntry, 0.5)]);
    let mut late = Bars::opened(1.0, &offered(OfferTerms { stop, ..half() }), 100.0);
    late.close(85.0);
    for _ in 0..6 {
        assert_eq!(late.close(88.0), []);
    }
    assert_eq!(late.close(89.5), [], "it has lapsed");
}

#[test]
fn without_terms_the_family_sets_size_stop_and_targets_anew() {
    let mut plan = offered(half());
    plan.reenter.as_mut().unwrap().terms = None;
    let mut bars = Bars::opened(1.0, &plan, 100.0);
    bars.close(88.0);
    assert_eq!(bars.close(90.0), [(Verb::Open, Reason::ReEntry, 1.0)]);
    let fresh = &bars.said.last().unwrap().plan;
    // Eight times the volatility of 1 % under 90.
    assert_eq!(fresh.stop, Condition::below(Term::Close, Term::Level(90.0 * 0.92)));
    assert_eq!(fresh.targets[0].when, price_above(90.0 * 1.1));
}

#[test]
fn an_offer_that_no_life_can_hold_to_is_not_made() {
    let opens = |terms: OfferTerms| !Bars::opened(1.0, &offered(terms), 100.0).said.is_empty();
    assert!(opens(half()) && opens(OfferTerms { targets: Vec::new(), ..half() }));
    for size in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e3] {
        assert!(!opens(OfferTerms { size, ..half() }), "{size}");
    }
    let lost = Condition::below(Term::Of(Indicator::Gain), Term::Level(-50.0));
    assert!(!opens(OfferTerms { stop: lost, ..half() }), "who holds one instrument knows no gain");
    let nowhere = Condition::below(Term::Close, Term::Entry(f64::NAN));
    assert!(!opens(OfferTerms { stop: nowhere, ..half() }));
    for when in [nowhere, price_above(f64::NAN)] {
        assert!(!opens(OfferTerms { targets: vec![Target { when, fraction: 0.5 }], ..half() }));
    }
    let endless = vec![half().targets[0]; TARGETS_MAX + 1];
    assert!(!opens(OfferTerms { targets: endless, ..half() }));
}

#[test]
fn a_life_that_is_read_back_goes_on_as_it_was() {
    let play = |read_back: Option<usize>| {
        let mut bars = Bars::opened(1.0, &offered(half()), 100.0);
        for (n, close) in [88.0, 90.0, 91.0, 92.8].into_iter().enumerate() {
            if read_back == Some(n) {
                bars.life = postcard::from_bytes(&postcard::to_stdvec(&bars.life).unwrap()).unwrap();
            }
            bars.close(close);
        }
        bars.said
    };
    let straight = play(None);
    assert_eq!(straight.len(), 5, "an opening, a close, an opening, a target and a close: {straight:?}");
    for n in 0..4 {
        assert_eq!(play(Some(n)), straight);
    }
}

#[test]
fn a_life_at_bars_holds_one_instrument_and_takes_no_opposite_leg() {
    let when = Condition::below(Term::Close, Term::Level(99.0));
    let with = |how| Plan { hedge: Some(Hedge { when, how }), add: None, ..ladder(&[]) };
    let opposite = HedgeKind::Opposite { instrument: InstrumentId(0), ratio: 1.0 };
    let refused = Bars::opened(1.0, &with(opposite), 100.0);
    assert!(refused.said.is_empty() && refused.raw.quantity == 0.0, "{:?}", refused.said);
    assert_eq!((refused.life.intent, refused.life.open()), (0.0, None));
    let mut bars = Bars::opened(1.0, &with(HedgeKind::Reduce(0.25)), 100.0);
    assert_eq!(bars.close(98.0), [(Verb::Decrease, Reason::Hedge, 0.75)]);
    assert_eq!(bars.close(97.0), [], "it acts once");
    for fraction in [0.0, 1.0, f64::NAN] {
        assert!(Bars::opened(1.0, &with(HedgeKind::Reduce(fraction)), 100.0).said.is_empty(), "{fraction}");
    }
}

/// A plan with all that a plan can say at bars, for an intent that is opened on this side at 100.
fn drawn(side: f64, draw: impl Fn(u64) -> f64) -> Plan {
    let at = |toward: f64, right: Term| Condition::beyond(toward, Term::Close, right);
    let level = |away: f64| Term::Level(100.0 * (1.0 + side * away));
    let rungs = 1 + (draw(1) * TARGETS_MAX as f64) as usize;
    // Nearest first, or farthest: whoever announces it says in which order they are judged.
    let place = |n: usize| if draw(7) < 0.7 { n } else { rungs - 1 - n };
    let fraction = |n: usize| if n + 1 == rungs { 1.0 } else { 0.05 + 0.2 * draw(2) };
    let target = |n: usize| Target {
        when: at(side, level(0.01 + 0.004 * place(n) as f64)),
        fraction: fraction(place(n)),
    };
    let nearer = |n: usize| Target {
        when: at(side, Term::Entry(side * (0.01 + 0.01 * n as f64))),
        fraction: if n == 4 { 1.0 } else { 0.3 },
    };
    let terms = OfferTerms {
        size: 0.2 + draw(3),
        stop: at(-side, Term::Entry(-side * 0.03)),
        targets: (0..5).map(nearer).collect(),
    };
    let again = ReEntry {
        side,
        when: at(side, level(-0.2)),
        unless: at(-side, level(-0.2)),
        not_before: 1 + (draw(4) * 4.0) as u32,
        within: 12,
        minutes: false,
        terms: Some(terms),
    };
    Plan {
        legs: Vec::new(),
        maker: None,
        stop: at(-side, level(-0.05)),
        trail: (draw(5) < 0.5).then(|| at(-side, Term::Trail(0.04))),
        exit: Condition::below(Term::Close, Term::Level(0.0)),
        expire: Condition::above(Term::Held, Term::Level(30.0)),
        targets: (0..rungs).map(target).collect(),
        add: Some((at(side, level(0.003)), 0.5)),
        hedge: Some(Hedge { when: at(-side, level(-0.02)), how: HedgeKind::Reduce(0.1 + 0.8 * draw(6)) }),
        reenter: Some(again),
    }
}

#[test]
fn law12_whatever_a_plan_says_at_bars_is_foretold() {
    let (mut total, mut with_terms) = (Count::default(), 0);
    for seed in 0..300 {
        let draw = |n: u64| random::uniform(random::key(seed, &[n]));
        let side = if draw(0) < 0.5 { 1.0 } else { -1.0 };
        let plan = drawn(side, draw);
        let mut bars = Bars::opened(side, &plan, 100.0);
        bars.tilt = 1.0 + 0.01 * side;
        let mut close = 100.0;
        for n in 0..100 {
            close *= libm::exp(0.012 * random::normal(random::key(seed, &[99, n])));
            bars.close(close);
        }
        let terms = plan.reenter.unwrap().terms.unwrap();
        with_terms += bars.said.iter().filter(|a| a.verb == Verb::Open && a.plan.stop == terms.stop).count();
        total.add(bars.count);
    }
    let reasons = [Reason::ReEntry, Reason::Add, Reason::Target, Reason::Hedge, Reason::Stop, Reason::Trail];
    assert!(reasons.into_iter().all(|r| total.of(r) > 50), "{:?}", total.said);
    assert!(with_terms > 100 && total.unknown.is_empty(), "{with_terms} {:?}", total.unknown);
}

#[test]
fn law12_a_listener_notices_what_is_kept_from_it_or_told_otherwise() {
    fn wrong(told: &mut [MessageKind], how: fn(&mut Action)) {
        for body in told {
            if let MessageKind::Action(act) = body {
                how(act);
            }
        }
    }
    fn plan(act: &mut Action) -> &mut Plan {
        std::sync::Arc::make_mut(&mut act.plan)
    }
    let lies: [fn(&mut Vec<MessageKind>); 10] = [
        Vec::clear,
        |told| told.extend(told.last().cloned()),
        |told| wrong(told, |a| a.after *= 0.999),
        |told| wrong(told, |a| a.before *= 0.999),
        |told| wrong(told, |a| a.price += 0.01),
        |told| wrong(told, |a| a.delta = 0.0),
        |told| wrong(told, |a| a.reason = Reason::Hedge),
        |told| wrong(told, |a| a.intent.number += 1),
        |told| wrong(told, |a| plan(a).stop = Condition::below(Term::Close, Term::Level(90.01))),
        |told| wrong(told, |a| plan(a).targets.truncate(1)),
    ];
    let is_noticed = |lie: fn(&mut Vec<MessageKind>)| {
        let mut bars = Bars::opened(1.0, &ladder(&[(101.0, 0.5), (102.0, 0.5), (104.0, 1.0)]), 100.0);
        bars.lie = lie;
        let heard = std::panic::AssertUnwindSafe(|| assert_eq!(bars.close(101.5).len(), 1));
        std::panic::catch_unwind(heard).is_err()
    };
    assert!(!is_noticed(|_| {}));
    for (n, lie) in lies.into_iter().enumerate() {
        assert!(is_noticed(lie), "lie {n}");
    }
}
