//! Structures on plans that no family makes: what a plan can say is held here, whoever will say it.

use super::stage::{CAPITAL, InstrumentRow, OneLife, quote, second, universe};
use crate::agents::proposal::{Proposal, StructureLeg};
use crate::domain::condition::{TARGETS_MAX, Target};
use crate::domain::{
    Condition, FamilyId, Indicator, InstrumentId, InstrumentKind, OfferTerms, Plan, ReEntry, Reason, Term,
    Verb,
};

const ONE: InstrumentId = InstrumentId(0);
/// Two perps of the asset on two venues, both heard by its family.
const PERPS: [InstrumentRow<'_>; 2] =
    [("BTC", InstrumentKind::Perp, "a", ""), ("BTC", InstrumentKind::Perp, "b", "")];

/// The family hears of both and proposes nothing before it is warm.
fn stage() -> OneLife {
    let p = [0.0, 10.0, 4.0, 60.0, 0.5, 5.0];
    OneLife::new(&universe(&PERPS), FamilyId::Arbitrage, &p, "BTC").unwrap()
}

/// Both venues at these prices, without a spread; what was done, and the sides.
fn both(s: &mut OneLife, at: f64, one: f64, two: f64) -> Vec<(Verb, Reason, f64)> {
    let t = second(at);
    s.at(&[quote(0, t, one, one, 1e6), quote(1, t, two, two, 1e6)])
}

fn gain(bp: f64) -> Condition {
    Condition::above(Term::Of(Indicator::Gain), Term::Level(bp))
}

/// A plan that stops at a loss of 5 %, and takes parts off at these gains.
fn plan(rungs: &[(f64, f64)]) -> Plan {
    Plan {
        stop: Condition::below(Term::Of(Indicator::Gain), Term::Level(-500.0)),
        trail: None,
        exit: Condition::below(Term::Of(Indicator::Gain), Term::Level(-1e9)),
        expire: Condition::above(Term::Minutes, Term::Level(600.0)),
        targets: rungs.iter().map(|&(bp, fraction)| Target { when: gain(bp), fraction }).collect(),
        add: Some((gain(5.0), 0.5)),
        hedge: None,
        reenter: None,
    }
}

/// Half of the capital in the first perp.
fn outright(side: f64, plan: Plan) -> Proposal {
    Proposal { side, legs: vec![StructureLeg { instrument: ONE, ratio: 1.0 }], size: 0.5, plan }
}

#[test]
fn a_structure_takes_three_targets_one_a_look_and_nearest_first() {
    let mut s = stage();
    both(&mut s, 0.0, 100.0, 100.0);
    assert!(s.open(outright(1.0, plan(&[(10.0, 0.5), (20.0, 0.5), (30.0, 0.5), (200.0, 1.0)]))));
    assert_eq!(both(&mut s, 1.0, 100.0, 100.0), []);
    let units = 0.5 * CAPITAL / 100.0;
    assert!((s.held(0) - units).abs() < 1e-6, "{}", s.held(0));
    // 40 bp meet three of them: one at each look, once what was sold before is sold.
    for n in 1..=3 {
        assert_eq!(both(&mut s, 1.0 + f64::from(n), 100.4, 100.4), [(Verb::Decrease, Reason::Target, 1.0)]);
        let said = s.actions().pop().unwrap();
        assert_eq!(said.plan.targets.len(), 4 - n as usize);
        assert!(said.plan.add.is_none(), "after a profit nothing is added");
        assert!((said.after - 0.5 * 0.5_f64.powi(n)).abs() < 1e-9, "{said}");
    }
    assert_eq!(both(&mut s, 5.0, 100.4, 100.4), [], "each acts once");
    assert!((s.held(0) - units / 8.0).abs() < 1e-6, "{}", s.held(0));
    assert_eq!(both(&mut s, 6.0, 103.0, 103.0), [(Verb::Close, Reason::Target, 1.0)]);
    both(&mut s, 7.0, 103.0, 103.0);
    assert_eq!((s.held(0), s.outcomes().len()), (0.0, 1));
    // Seven eighths at 100.4, the last eighth at 103; five basis points of each trade are the fee.
    let made = units * (7.0 / 8.0 * 0.4 + 1.0 / 8.0 * 3.0);
    let fees = 0.0005 * units * (100.0 + 7.0 / 8.0 * 100.4 + 1.0 / 8.0 * 103.0);
    let pnl = s.outcomes()[0].pnl * CAPITAL;
    assert!((pnl - (made - fees)).abs() < 0.01, "{pnl} is not {}", made - fees);
}

#[test]
fn a_ladder_that_no_life_can_hold_to_is_not_taken() {
    let opens = |rungs: &[(f64, f64)]| {
        let mut s = stage();
        both(&mut s, 0.0, 100.0, 100.0);
        s.open(outright(1.0, plan(rungs)))
    };
    assert!(opens(&[]) && opens(&[(10.0, 0.5); TARGETS_MAX]));
    assert!(!opens(&[(10.0, 0.5); TARGETS_MAX + 1]) && !opens(&[(10.0, 0.5), (20.0, f64::NAN)]));
}

/// An offer to go long again at once.
fn offer(terms: Option<OfferTerms>) -> ReEntry {
    let minutes = |op: fn(Term, Term) -> Condition| op(Term::Minutes, Term::Level(-1.0));
    ReEntry {
        side: 1.0,
        when: minutes(Condition::above),
        unless: minutes(Condition::below),
        not_before: 0,
        within: 10,
        minutes: true,
        terms,
    }
}

/// Opened outright with this offer, stopped, and then shown a gap of 50 bp that its family proposes to trade.
fn taken_up(terms: Option<OfferTerms>) -> OneLife {
    let mut s = stage();
    for n in 0..300 {
        both(&mut s, f64::from(n), 100.0, 100.0);
    }
    let stop = Condition::below(Term::Of(Indicator::Gain), Term::Level(-5.0));
    assert!(s.open(outright(1.0, Plan { stop, add: None, reenter: Some(offer(terms)), ..plan(&[]) })));
    both(&mut s, 300.0, 100.0, 100.0);
    assert_eq!(both(&mut s, 301.0, 99.9, 99.9), [(Verb::Close, Reason::Stop, 1.0)]);
    both(&mut s, 302.0, 99.9, 99.9);
    s
}

#[test]
fn a_structure_takes_an_offer_up_with_its_terms_and_the_legs_of_now() {
    let stop = Condition::below(Term::Of(Indicator::Gain), Term::Level(-77.0));
    let targets = vec![Target { when: gain(3.0), fraction: 0.25 }, Target { when: gain(9.0), fraction: 1.0 }];
    let mut s = taken_up(Some(OfferTerms { size: 0.4, stop, targets: targets.clone() }));
    assert_eq!(both(&mut s, 303.0, 99.9, 100.4), [(Verb::Open, Reason::ReEntry, 1.0)]);
    let said = s.actions().pop().unwrap();
    // Half of the capital was opened before, and the largest leg is the dear one.
    assert!((said.after - 0.4 * 0.5).abs() < 1e-9, "{said}");
    assert_eq!((said.plan.stop, &said.plan.targets), (stop, &targets));
    assert!(
        said.plan.add.is_some() && said.plan.reenter.as_ref().is_some_and(|r| r.terms.is_none()),
        "{said}"
    );
    both(&mut s, 304.0, 99.9, 100.4);
    let units = 0.2 * CAPITAL / 100.4;
    assert!((s.held(0) - units).abs() < 1e-6 && (s.held(1) + units).abs() < 1e-6, "{} {units}", s.held(0));
    // 4 bp of 100.4 meet the near target.
    assert_eq!(both(&mut s, 305.0, 99.95, 100.4), [(Verb::Decrease, Reason::Target, 1.0)]);
    assert!((s.actions().pop().unwrap().after - 0.75 * 0.2).abs() < 1e-9);
}

#[test]
fn without_terms_a_structure_is_opened_as_its_family_proposes() {
    let mut s = taken_up(None);
    assert_eq!(both(&mut s, 303.0, 99.9, 100.4), [(Verb::Open, Reason::ReEntry, 1.0)]);
    let said = s.actions().pop().unwrap();
    assert!((said.after - 0.5).abs() < 1e-9, "the family's own size: {said}");
    assert_ne!(said.plan.stop, plan(&[]).stop);
}

#[test]
fn an_offer_whose_terms_no_life_can_hold_to_is_not_made() {
    let stop = plan(&[]).stop;
    let opens = |size: f64, stop: Condition| {
        let mut s = stage();
        both(&mut s, 0.0, 100.0, 100.0);
        let terms = OfferTerms { size, stop, targets: vec![] };
        s.open(outright(1.0, Plan { reenter: Some(offer(Some(terms))), ..plan(&[]) }))
    };
    assert!(opens(1.0, stop));
    assert!(!opens(f64::NAN, stop) && !opens(-1.0, stop));
    assert!(!opens(1.0, Condition::below(Term::Of(Indicator::Gain), Term::Level(f64::NAN))));
}
