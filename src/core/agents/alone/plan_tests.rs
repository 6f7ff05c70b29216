//! Lives at bars on plans that no family makes: what a plan can say is held here, whoever will say it.

use super::*;
use crate::agents::personality::{Preset, Traits};
use crate::domain::condition::{TARGETS_MAX, Target};
use crate::domain::{FamilyId, Indicator, SideRule};

const KEYS: [Indicator; 4] =
    [Indicator::Ema(10), Indicator::Ema(40), Indicator::Sigma(8), Indicator::Sigma(120)];
const CAPITAL: f64 = 1_000.0;

/// One life and its book, a bar at a time, each order filled at the close that it was decided at.
struct Bars {
    life: Alone,
    raw: SimulatedBook,
    strategy: Strategy,
    said: Vec<Action>,
    outcomes: Vec<Outcome>,
    at: u64,
}

impl Bars {
    fn new() -> Self {
        let (traits, preset) = (Traits::default(), Preset::default());
        Bars {
            life: Alone::default(),
            raw: SimulatedBook::default(),
            strategy: Strategy::new(FamilyId::Trend, &[10.0, 40.0], SideRule::Both, traits, preset),
            said: Vec::new(),
            outcomes: Vec::new(),
            at: 0,
        }
    }

    /// A life that has opened on this plan at this close.
    fn opened(side: f64, plan: &Plan, close: f64) -> Self {
        let mut bars = Bars::new();
        bars.step(close, |life, view, now, hands| {
            life.enter(side, plan.clone(), Reason::Signal, view.sigma, now, hands);
        });
        bars
    }

    /// A bar closes while the averages that its family looks at say nothing; what was done, and the sizes after it.
    fn close(&mut self, close: f64) -> Vec<(Verb, Reason, f64)> {
        let from = self.said.len();
        self.step(close, Alone::at_close);
        self.said[from..].iter().map(|a| (a.verb, a.reason, a.after)).collect()
    }

    fn step(
        &mut self,
        close: f64,
        act: impl FnOnce(&mut Alone, &EvalContext<'_>, &DecisionContext<'_>, &mut BookAndOutbox<'_>),
    ) {
        let Bars { life, raw, strategy, said, outcomes, at } = self;
        *at += 1;
        life.pass(close);
        let (held, (side, best)) = (life.held(), life.seen());
        // A close between both averages is no entry of a trend follower.
        let values = [1.01 * close, close, 0.01, 0.01];
        let view = EvalContext { close, sigma: 0.01, held, best, side, keys: &KEYS, values: &values };
        let (agent, asset) = (AgentId(0), AssetId(0));
        let now = DecisionContext { agent, asset, strategy, capital: CAPITAL, close, coins: 0, at: *at };
        act(life, &view, &now, &mut BookAndOutbox { raw, say: &mut |a| said.push(a) });
        raw.quantity += raw.order;
        raw.cash -= raw.order * close;
        raw.order = 0.0;
        outcomes.extend(life.outcome(raw, &now));
    }
}

fn price_above(price: f64) -> Condition {
    Condition::above(Term::Close, Term::Level(price))
}

/// A long from 100 that takes parts off at these prices.
fn ladder(rungs: &[(f64, f64)]) -> Plan {
    let target = |&(price, fraction): &(f64, f64)| Target { when: price_above(price), fraction };
    Plan {
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
fn without_targets_only_the_other_conditions_close() {
    let mut bars = Bars::opened(1.0, &Plan { add: None, ..ladder(&[]) }, 100.0);
    assert_eq!(bars.close(1_000.0), []);
    assert_eq!(bars.close(89.0), [(Verb::Close, Reason::Stop, 0.0)]);
}
