//! Structures on plans that no family makes: what a plan can say is held here, whoever will say it.

use super::stage::{CAPITAL, InstrumentRow, OneLife, bar, quote, second, universe};
use crate::agents::listener::Count;
use crate::agents::proposal::{Proposal, StructureLeg};
use crate::domain::condition::{TARGETS_MAX, Target};
use crate::domain::{
    Condition, ContractTerms, Decimal, FamilyId, Hedge, HedgeKind, Indicator, InstrumentId, InstrumentKind,
    MarketEvent, OfferTerms, Plan, ReEntry, Reason, Term, Verb, random,
};

const ONE: InstrumentId = InstrumentId(0);
const TWO: InstrumentId = InstrumentId(1);
/// Two perps of the asset on two venues, both heard by its family.
const PERPS: [InstrumentRow<'_>; 2] =
    [("BTC", InstrumentKind::Perp, "a", ""), ("BTC", InstrumentKind::Perp, "b", "")];

/// The family hears of both and proposes nothing before it is warm.
fn stage() -> OneLife {
    listed(&PERPS)
}

fn listed(rows: &[InstrumentRow<'_>]) -> OneLife {
    let p = [0.0, 10.0, 4.0, 60.0, 0.5, 5.0];
    OneLife::new(&universe(rows), FamilyId::Arbitrage, &p, "BTC").unwrap()
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
        legs: Vec::new(),
        maker: None,
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
    let legs = vec![StructureLeg { instrument: ONE, ratio: 1.0 }];
    Proposal { side, legs, size: 0.5, delta: 1.0, limit: None, plan }
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
    // Half of the capital was opened before, and the largest leg is the expensive one.
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
    assert!(!opens(1.0, Condition::below(Term::Close, Term::Entry(-0.05))), "a structure has no price");
}

/// A plan that holds the second perp against the first once this much is lost.
fn opposed(instrument: InstrumentId, ratio: f64, lost_bp: f64) -> Plan {
    let when = Condition::below(Term::Of(Indicator::Gain), Term::Level(-lost_bp));
    let how = HedgeKind::Opposite { instrument, ratio };
    Plan { hedge: Some(Hedge { when, how }), add: None, ..plan(&[(40.0, 0.5), (90.0, 1.0)]) }
}

const HEDGED: (Verb, Reason) = (Verb::Decrease, Reason::Hedge);

/// Opened at 100 on this side and hedged once 20 bp were lost, with four units for each five.
fn hedged(side: f64) -> OneLife {
    let mut s = stage();
    both(&mut s, 0.0, 100.0, 100.7);
    assert!(s.open(outright(side, opposed(TWO, 0.8, 10.0))));
    assert_eq!(both(&mut s, 1.0, 100.0, 100.7), []);
    assert_eq!(both(&mut s, 2.0, 100.0 - side * 0.2, 100.5), [(HEDGED.0, HEDGED.1, side)]);
    both(&mut s, 3.0, 100.0 - side * 0.2, 100.5);
    s
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-6 * (1.0 + b.abs()), "{a} is not {b}");
}

#[test]
fn an_opposite_leg_is_held_beside_what_stays_as_it_is() {
    for side in [1.0, -1.0] {
        let s = hedged(side);
        let said = s.actions().pop().unwrap();
        assert_eq!((said.before, said.after), (side * 0.5, side * 0.5), "its own size stays: {said}");
        assert!(said.plan.hedge.is_none(), "it acts once");
        // What is held against it takes its worth off what the pool hears.
        near(said.delta, side * 0.5 * (1.0 - 0.8 * 100.5 / 100.0));
        let units = 0.5 * CAPITAL / 100.0;
        near(s.held(0), side * units);
        near(s.held(1), -side * 0.8 * units);
        near(s.value(Indicator::Gain), -20.0);
    }
}

#[test]
fn an_opposite_leg_counts_in_the_gain_and_is_closed_with_the_rest_to_the_cent() {
    let mut s = hedged(1.0);
    // A percent less of both: the first leg loses 1 more, the other gains 0.8 of 1.
    assert_eq!(both(&mut s, 4.0, 98.8, 99.5), []);
    near(s.value(Indicator::Gain), -120.0 + 80.0);
    // Up again: half of both legs is taken at 0.3 + 0.8 · 0.2 = 46 bp.
    assert_eq!(both(&mut s, 5.0, 100.3, 100.3), [(Verb::Decrease, Reason::Target, 1.0)]);
    both(&mut s, 6.0, 100.3, 100.3);
    let units = 0.5 * CAPITAL / 100.0;
    near(s.held(0), 0.5 * units);
    near(s.held(1), -0.4 * units);
    assert_eq!(both(&mut s, 7.0, 101.0, 100.3), [(Verb::Close, Reason::Target, 1.0)]);
    both(&mut s, 8.0, 101.0, 100.3);
    assert_eq!((s.held(0), s.held(1), s.outcomes().len()), (0.0, 0.0, 1));
    // The first leg: in at 100, half out at 100.3 and at 101; the other: in at 100.5, out at 100.3.
    let made = units * (0.5 * 0.3 + 0.5 * 1.0 + 0.8 * 0.2);
    let traded = units * (100.0 + 0.5 * 100.3 + 0.5 * 101.0 + 0.8 * (100.5 + 100.3));
    let pnl = s.outcomes()[0].pnl * CAPITAL;
    assert!((pnl - (made - 0.0005 * traded)).abs() < 0.005, "{pnl} is not {}", made - 0.0005 * traded);
    near(s.market_value(), pnl);
}

#[test]
fn funding_of_an_opposite_leg_counts_from_when_it_is_held() {
    let funding = |at| MarketEvent::Funding { instrument: TWO, at, rate: 0.001, mark: 100.5 };
    let mut s = stage();
    both(&mut s, 0.0, 100.0, 100.7);
    assert!(s.open(outright(1.0, opposed(TWO, 0.8, 10.0))));
    both(&mut s, 1.0, 100.0, 100.7);
    s.at(&[funding(second(1.5))]);
    near(s.value(Indicator::Gain), 0.0);
    both(&mut s, 2.0, 99.8, 100.5);
    both(&mut s, 3.0, 99.8, 100.5);
    s.at(&[funding(second(3.5))]);
    // Shorts are paid a thousandth of 0.8 times 100.5.
    near(s.value(Indicator::Gain), -20.0 + 0.0804 / 100.0 * 1e4);
}

#[test]
fn the_first_leg_says_which_side_is_opposite() {
    let mut s = stage();
    both(&mut s, 0.0, 100.0, 100.7);
    let legs = vec![StructureLeg { instrument: ONE, ratio: -2.0 }];
    assert!(s.open(Proposal { legs, delta: -1.0, ..outright(1.0, opposed(TWO, 0.5, 10.0)) }));
    both(&mut s, 1.0, 100.0, 100.7);
    both(&mut s, 2.0, 100.2, 100.7);
    both(&mut s, 3.0, 100.2, 100.7);
    near(s.held(0), -0.5 * CAPITAL / 100.0);
    near(s.held(1), 0.5 * 0.5 * CAPITAL / 100.0);
    near(s.actions().pop().unwrap().delta, 0.5 * (-1.0 + 0.5 * 100.7 / 100.0));
}

#[test]
fn an_opposite_leg_of_another_asset_leaves_what_the_pool_hears() {
    // Whose own asset is bitcoin.
    let perp = |asset, venue| (asset, InstrumentKind::Perp, venue, "");
    let feed = universe(&[perp("ETH", "a"), perp("ETH", "b"), perp("BTC", "a")]);
    let mut s = OneLife::new(&feed, FamilyId::Arbitrage, &[0.0, 10.0, 4.0, 60.0, 0.5, 5.0], "ETH").unwrap();
    both(&mut s, 0.0, 100.0, 100.7);
    assert!(s.open(outright(1.0, opposed(TWO, 0.8, 10.0))));
    both(&mut s, 1.0, 100.0, 100.7);
    assert_eq!(both(&mut s, 2.0, 99.8, 100.5), [(HEDGED.0, HEDGED.1, 1.0)]);
    near(s.actions().pop().unwrap().delta, 0.5);
}

#[test]
fn an_opposite_leg_that_finds_nobody_is_missed_and_all_is_closed() {
    let mut s = stage();
    both(&mut s, 0.0, 100.0, 100.7);
    assert!(s.open(outright(1.0, opposed(TWO, 0.8, 10.0))));
    both(&mut s, 1.0, 100.0, 100.7);
    both(&mut s, 2.0, 99.8, 100.7);
    for n in 3..=5 {
        let t = second(f64::from(n));
        s.at(&[quote(0, t, 99.8, 99.8, 1e6), quote(1, t, 100.7, 100.7, 0.0)]);
    }
    let last = s.actions().pop().unwrap();
    assert_eq!((last.verb, last.reason), (Verb::Close, Reason::Missed));
    both(&mut s, 6.0, 99.8, 100.7);
    assert_eq!((s.held(0), s.held(1)), (0.0, 0.0));
}

#[test]
fn a_hedge_waits_for_the_bar_of_its_leg_and_nothing_is_added_meanwhile() {
    let rows = [("BTC", InstrumentKind::Margin, "a", ""), ("BTC", InstrumentKind::Margin, "b", "")];
    let mut s = listed(&rows);
    let hour = |s: &mut OneLife, h: i32, bars: &[(u16, f64)]| {
        let t = second(3_600.0 * f64::from(h));
        s.at(&bars.iter().map(|&(id, price)| bar(id, t, price)).collect::<Vec<_>>())
    };
    hour(&mut s, 0, &[(0, 100.0), (1, 100.0)]);
    let less = Condition::below(Term::Of(Indicator::Gain), Term::Level(-10.0));
    assert!(s.open(outright(1.0, Plan { add: Some((less, 0.5)), ..opposed(TWO, 1.0, 10.0) })));
    assert_eq!(hour(&mut s, 1, &[(0, 100.0), (1, 100.0)]), []);
    assert_eq!(hour(&mut s, 2, &[(0, 99.5)]), [], "the other closes later");
    assert!(s.life.legs.orders.is_empty());
    assert_eq!(hour(&mut s, 3, &[(0, 99.5), (1, 99.5)]), [(HEDGED.0, HEDGED.1, 1.0)]);
    assert_eq!(hour(&mut s, 4, &[(0, 99.5), (1, 99.5)]), [(Verb::Increase, Reason::Add, 1.0)]);
}

#[test]
fn a_hedge_in_what_has_settled_is_none_and_the_stop_still_closes() {
    let mut s = stage();
    both(&mut s, 0.0, 100.0, 100.7);
    assert!(s.open(outright(1.0, opposed(TWO, 0.8, 10.0))));
    both(&mut s, 1.0, 100.0, 100.7);
    s.at(&[MarketEvent::Settled { instrument: TWO, at: second(1.5), price: 100.7 }]);
    let one = |s: &mut OneLife, at: f64, price: f64| s.at(&[quote(0, second(at), price, price, 1e6)]);
    assert_eq!(one(&mut s, 2.0, 99.0), []);
    assert_eq!(one(&mut s, 3.0, 94.0), [(Verb::Close, Reason::Stop, 1.0)]);
}

#[test]
fn a_hedge_that_no_life_can_hold_is_not_taken() {
    let opens_in = |rows: &[InstrumentRow<'_>], side: f64, legs: &[u16], plan: Plan| {
        let mut s = listed(rows);
        let quotes: Vec<_> =
            (0..rows.len() as u16).map(|i| quote(i, second(0.0), 100.0, 100.0, 1e6)).collect();
        s.at(&quotes);
        let leg = |i: &u16| StructureLeg { instrument: InstrumentId(*i), ratio: 1.0 };
        s.open(Proposal { legs: legs.iter().map(leg).collect(), ..outright(side, plan) })
    };
    let opens = |plan: Plan| opens_in(&PERPS, 1.0, &[0], plan);
    assert!(opens(opposed(TWO, 0.8, 10.0)));
    for ratio in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-12] {
        assert!(!opens(opposed(TWO, ratio, 10.0)), "{ratio} is no leg");
    }
    assert!(!opens(opposed(TWO, 0.8, f64::NAN)), "a danger that is no number");
    assert!(!opens(opposed(ONE, 0.8, 10.0)), "it is held already");
    assert!(!opens(opposed(InstrumentId(999), 0.8, 10.0)), "nothing of that number is listed");
    for (fraction, taken) in [(0.5, true), (0.0, false), (1.0, false), (f64::NAN, false)] {
        let mut reduced = opposed(TWO, 0.8, 10.0);
        reduced.hedge.as_mut().unwrap().how = HedgeKind::Reduce(fraction);
        assert_eq!(opens(reduced), taken, "{fraction}");
    }
    let [a, b] = PERPS;
    let more = [a, b, ("ETH", a.1, "a", ""), ("SOL", a.1, "a", ""), ("XRP", a.1, "a", "")];
    assert!(
        !opens_in(&more, 1.0, &[0], opposed(InstrumentId(2), 0.8, 10.0)),
        "its family does not hear of it"
    );
    assert!(opens_in(&more, 1.0, &[0, 2, 3], opposed(TWO, 0.8, 10.0)));
    assert!(!opens_in(&more, 1.0, &[0, 2, 3, 4], opposed(TWO, 0.8, 10.0)), "five legs with it");
    // Spot is bought against a short, and cannot be sold against a long.
    let coins = [("BTC", InstrumentKind::Spot, "a", ""), b];
    assert!(!opens_in(&coins, 1.0, &[1], opposed(ONE, 0.8, 10.0)));
    assert!(opens_in(&coins, -1.0, &[1], opposed(ONE, 0.8, 10.0)));
}

#[test]
fn who_quotes_or_hedges_as_it_goes_takes_no_opposite_leg() {
    let pool = ("BTC", InstrumentKind::Pool, "chain", "");
    let mut feed = universe(&[PERPS[0], PERPS[1], pool]);
    feed.instruments[2].terms = ContractTerms::Pool { fee_ppm: 500, concentrated: true };
    // All of them hear of the first perp.
    let plain: &[f64] = &[0.0, 10.0, 4.0, 60.0, 0.5, 5.0];
    let maker: &[f64] = &[0.05, 0.5, 0.02, 3.0, 20.0, 2.0, 10.0, 600.0, 5.0, 1.0, 0.1, 1.0, 0.0];
    let liquidity: &[f64] = &[0.0, 1.0, 30.0, 10.0, 0.5, 0.1, 100.0, 24.0, 2.0, 400.0];
    for (family, p, taken) in [
        (FamilyId::Arbitrage, plain, true),
        (FamilyId::MarketMaking, maker, false),
        (FamilyId::Defi, liquidity, false),
    ] {
        let opens = |how| {
            let mut s = OneLife::new(&feed, family, p, "BTC").unwrap();
            assert!(s.rules.ears().contains(&ONE), "{family}");
            assert_eq!(s.rules.is_maker() || s.rules.is_hedged(), !taken, "{family}");
            both(&mut s, 0.0, 100.0, 100.0);
            let mut hedged = opposed(ONE, 0.8, 10.0);
            hedged.hedge.as_mut().unwrap().how = how;
            let legs = vec![StructureLeg { instrument: TWO, ratio: 1.0 }];
            s.open(Proposal { legs, ..outright(1.0, hedged) })
        };
        assert!(opens(HedgeKind::Reduce(0.5)), "{family}");
        assert_eq!(opens(HedgeKind::Opposite { instrument: ONE, ratio: 0.8 }), taken, "{family}");
    }
}

#[test]
fn a_structure_that_is_read_back_goes_on_as_it_was() {
    let steps = [(99.8, 100.5), (99.8, 100.5), (98.8, 99.5), (100.3, 100.3), (100.3, 100.3), (101.0, 100.3)];
    let play = |read_back: Option<usize>| {
        let mut s = stage();
        both(&mut s, 0.0, 100.0, 100.7);
        assert!(s.open(outright(1.0, opposed(TWO, 0.8, 10.0))));
        both(&mut s, 1.0, 100.0, 100.7);
        for (n, (one, two)) in steps.into_iter().enumerate() {
            if read_back == Some(n) {
                s.life = postcard::from_bytes(&postcard::to_stdvec(&s.life).unwrap()).unwrap();
            }
            both(&mut s, 2.0 + n as f64, one, two);
        }
        both(&mut s, 9.0, 101.0, 100.3);
        (s.said, s.life)
    };
    let (said, life) = play(None);
    assert_eq!(said.len(), 5, "an opening, a hedge, a target, a close and its outcome: {said:?}");
    for n in 0..steps.len() {
        assert!(play(Some(n)) == (said.clone(), life.clone()), "read back before step {n}");
    }
}

/// A plan with all that a plan can say in legs.
fn drawn(draw: impl Fn(u64) -> f64) -> Plan {
    let below = |right: Term| Condition::below(Term::Of(Indicator::Gain), right);
    let rungs = 1 + (draw(1) * TARGETS_MAX as f64) as usize;
    let fraction = |n: usize| if n + 1 == rungs { 1.0 } else { 0.05 + 0.2 * draw(2) };
    // Nearest first, or farthest: whoever announces it says in which order they are judged.
    let place = |n: usize| if draw(8) < 0.7 { n } else { rungs - 1 - n };
    let target = |n: usize| Target { when: gain(8.0 + 3.0 * place(n) as f64), fraction: fraction(place(n)) };
    let opposite = HedgeKind::Opposite { instrument: TWO, ratio: 0.2 + draw(3) };
    let how = if draw(4) < 0.7 { opposite } else { HedgeKind::Reduce(0.1 + 0.8 * draw(3)) };
    let part = |n: usize| Target { when: gain(10.0 + 10.0 * n as f64), fraction: 0.4 };
    let terms = OfferTerms {
        size: 0.2 + draw(5),
        stop: below(Term::Level(-25.0)),
        targets: (0..4).map(part).collect(),
    };
    let side = if draw(6) < 0.5 { 1.0 } else { -1.0 };
    Plan {
        legs: Vec::new(),
        maker: None,
        stop: below(Term::Level(-30.0)),
        trail: (draw(7) < 0.5).then(|| below(Term::Back(18.0))),
        targets: (0..rungs).map(target).collect(),
        add: Some((gain(4.0), 0.5)),
        hedge: Some(Hedge { when: below(Term::Level(-8.0)), how }),
        reenter: Some(ReEntry { side, ..offer(Some(terms)) }),
        ..plan(&[])
    }
}

#[test]
fn law12_whatever_a_plan_says_in_legs_is_foretold() {
    let (mut total, mut with_terms, mut opposite) = (Count::default(), 0, 0);
    for seed in 0..100 {
        let draw = |n: u64| random::uniform(random::key(seed, &[n]));
        let mut s = stage();
        for n in 0..300 {
            both(&mut s, f64::from(n), 100.0, 100.0);
        }
        let (side, plan) = (if draw(0) < 0.5 { 1.0 } else { -1.0 }, drawn(draw));
        assert!(s.open(outright(side, plan.clone())));
        // What is to be held against the first perp may be gone when it is wanted.
        if draw(10) < 0.3 {
            s.at(&[MarketEvent::Settled { instrument: TWO, at: second(299.5), price: 100.0 }]);
        }
        let mut one = 100.0;
        for n in 300..600_u32 {
            let key = random::key(seed, &[99, u64::from(n)]);
            one *= libm::exp(4e-4 * random::normal(key));
            // The second perp is expensive or cheap for a while, so that its family takes offers up.
            let gap = [0.0, 0.005, -0.005][(random::key(seed, &[98, u64::from(n / 12)]) % 3) as usize];
            if n % 20 == 10 {
                let (rate, at) = (4e-4 * (draw(9) - 0.5), second(f64::from(n)));
                s.tell(MarketEvent::Funding { instrument: ONE, at, rate, mark: one });
            }
            both(&mut s, f64::from(n), one, one * (1.0 + gap));
            opposite += usize::from(
                s.life.life.open().is_some_and(|o| o.legs.len() == 2 && o.plan.stop == plan.stop),
            );
        }
        let terms = plan.reenter.unwrap().terms.unwrap();
        with_terms +=
            s.actions().iter().filter(|a| a.verb == Verb::Open && a.plan.stop == terms.stop).count();
        total.add(s.listener.into_inner().1);
    }
    let reasons = [Reason::ReEntry, Reason::Add, Reason::Target, Reason::Hedge, Reason::Stop, Reason::Trail];
    assert!(reasons.into_iter().all(|r| total.of(r) > 10), "{:?}", total.said);
    assert!(with_terms > 10 && opposite > 100, "{with_terms} {opposite}");
    assert!(total.unknown.is_empty(), "{:?}", total.unknown);
}

/// Contracts of a whole coin beside ones of a hundred-millionth: what is more than whole coins of both would be held in one
/// of them alone.
#[test]
fn both_legs_are_held_in_lots_of_the_coarser_one() {
    let mut feed = universe(&PERPS);
    feed.instruments[1].lot = Decimal::new(7, 0);
    let p = [0.0, 10.0, 4.0, 60.0, 0.5, 5.0];
    let mut s = OneLife::new(&feed, FamilyId::Arbitrage, &p, "BTC").unwrap();
    both(&mut s, 0.0, 100.0, 100.0);
    let legs = [(ONE, 1.0), (TWO, -1.0)].map(|(instrument, ratio)| StructureLeg { instrument, ratio });
    let mut plan = plan(&[(3.0, 0.25), (9.0, 0.9), (30.0, 1.0)]);
    plan.add = None;
    let size = 52.0 * 100.0 / CAPITAL;
    assert!(s.open(Proposal { side: 1.0, legs: legs.to_vec(), size, delta: 0.0, limit: None, plan }));
    near(s.actions().pop().unwrap().after, 49.0 * 100.0 / CAPITAL);
    both(&mut s, 1.0, 100.0, 100.0);
    assert_eq!((s.held(0), s.held(1)), (49.0, -49.0));
    // A quarter is taken: of 36.75 units there are 35 in whole lots of both.
    assert_eq!(both(&mut s, 2.0, 100.05, 100.0), [(Verb::Decrease, Reason::Target, 1.0)]);
    both(&mut s, 3.0, 100.05, 100.0);
    near(s.held(0), 35.0);
    near(s.held(1), -35.0);
    // Nine tenths of the rest leave less than a lot, which is nothing of either.
    assert_eq!(both(&mut s, 4.0, 100.1, 100.0), [(Verb::Decrease, Reason::Target, 1.0)]);
    both(&mut s, 5.0, 100.1, 100.0);
    near(s.held(0), 0.0);
    near(s.held(1), 0.0);
    assert_eq!(both(&mut s, 6.0, 100.4, 100.0), [(Verb::Close, Reason::Target, 1.0)]);
    both(&mut s, 7.0, 100.4, 100.0);
    assert_eq!(s.outcomes().len(), 1);
    // Less than one lot of the coarser leg is no structure.
    let one = Proposal {
        side: 1.0,
        legs: legs.to_vec(),
        size: 6.9 * 100.0 / CAPITAL,
        delta: 0.0,
        limit: None,
        plan: self::plan(&[]),
    };
    assert!(!s.open(one));
}
