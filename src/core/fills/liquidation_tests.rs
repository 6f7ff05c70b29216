//! Margin: golden prices, tiers, and what is left of a stake.

use super::*;
use crate::fills::books::SimulatedBook;
use InstrumentKind::{Margin, Perp, Spot};
use proptest::prelude::*;

/// Three tiers, as venues have them.
const TIERS: MarginTiers<'static> = MarginTiers(&[
    MarginTier { from: 0.0, rate: 0.005 },
    MarginTier { from: 1_000.0, rate: 0.01 },
    MarginTier { from: 10_000.0, rate: 0.05 },
]);

fn near(a: f64, b: f64) -> bool {
    libm::fabs(a - b) <= 1e-9 * libm::fabs(b).max(1.0)
}

fn bar(open: f64, high: f64, low: f64, close: f64) -> Bar {
    Bar { open, high, low, close, volume: 1.0 }
}

fn range(kind: InstrumentKind, open: f64, high: f64, low: f64, close: f64) -> PriceRange {
    PriceRange::new(&bar(open, high, low, close), true, kind)
}

/// A life that holds so much, entered at 100 at no cost.
fn entered(quantity: f64) -> Patient {
    let mut life = Patient::default();
    life.book = SimulatedBook { quantity, cash: -100.0 * quantity, order: 3.0, ..SimulatedBook::default() };
    life.aim = 0.5;
    life
}

/// A look at lives on a stake of 100, each at its prices.
fn look(stake: &mut Stake, lives: &mut [Patient], ranges: &[PriceRange], sum: f64) -> f64 {
    let places: Vec<usize> = (0..ranges.len()).collect();
    stake.look(100.0, (lives, &places), |place| *place, &AssetPrices::new(ranges.to_vec()), sum)
}

#[test]
fn golden_prices_of_a_linear_contract() {
    let tiers = MarginTiers::of(Perp);
    let price = |q: f64| tiers.linear_price(10.0 - 100.0 * q, q).unwrap();
    assert!((price(1.0) - 90.4523).abs() < 5e-5 && (price(-1.0) - 109.4527).abs() < 5e-5);
    // What stands for all of it is never taken over, however low it falls; a short is at twice the price, about.
    assert_eq!(tiers.linear_price(0.0, 1.0), None);
    assert!((tiers.linear_price(200.0, -1.0).unwrap() - 200.0 / 1.005).abs() < 1e-9);
}

#[test]
fn golden_prices_of_an_inverse_contract() {
    // 100 of currency at 100 are a coin; on a wallet of a tenth of one.
    let tiers = MarginTiers::of(Perp);
    assert!(near(tiers.inverse_price(0.1 + 1.0, 100.0).unwrap(), 100.5 / 1.1));
    assert!(near(tiers.inverse_price(0.1 - 1.0, -100.0).unwrap(), 99.5 / 0.9));
    assert_eq!(tiers.inverse_price(1.0 - 1.0, -100.0), None, "short as much as is there: no price ruins it");
}

#[test]
fn maintenance_by_tiers_is_continuous_and_takes_each_part_at_its_rate() {
    for (notional, needed) in [(0.0, 0.0), (500.0, 2.5), (1_000.0, 5.0), (2_000.0, 15.0), (20_000.0, 595.0)] {
        assert!(near(TIERS.maintenance(notional), needed), "{notional}: {}", TIERS.maintenance(notional));
    }
    assert!(near(TIERS.maintenance(10_000.0 - 1e-9), TIERS.maintenance(10_000.0)));
    assert_eq!(MarginTiers::of(Spot).maintenance(1e9), 0.0);
    assert_eq!((MarginTiers::of(Perp).lever_max(), MarginTiers::of(Margin).lever_max()), (100.0, 10.0));
}

#[test]
fn spot_that_is_paid_in_full_is_ruined_by_no_price() {
    let mut stake = Stake::default();
    let mut lives = [entered(1.0)];
    let fallen = range(Spot, 1e-6, 1e-6, 1e-9, 1e-9);
    let pnl = look(&mut stake, &mut lives, &[fallen], 0.0);
    assert_eq!((stake.ruins, lives[0].book.quantity), (0, 1.0));
    assert!(near(pnl, 1e-9 - 100.0));
}

#[test]
fn a_gap_ends_at_the_opens_and_what_it_lacks_is_borne() {
    let mut stake = Stake::default();
    // The long gains what the short loses, but for what it is smaller.
    let mut lives = [entered(-2.0), entered(1.0)];
    let jumped = range(Perp, 800.0, 810.0, 790.0, 805.0);
    let pnl = look(&mut stake, &mut lives, &[jumped; 2], 7.0);
    assert_eq!((stake.ruins, stake.borne), (1, 600.0));
    assert!(near(pnl, 7.0 - 100.0), "no more than the stake is lost: {pnl}");
    for life in &lives {
        assert_eq!((life.aim, life.book.quantity, life.book.order), (0.0, 0.0, 0.0));
    }
    // The next stake begins anew.
    assert!(near(look(&mut stake, &mut lives, &[jumped; 2], 0.0), -100.0));
    assert_eq!(stake.ruins, 1);
}

#[test]
fn a_hedged_life_is_judged_by_all_that_it_holds() {
    let mut stake = Stake::default();
    let mut lives = [entered(-1.0), entered(1.0)];
    let jumped = range(Perp, 800.0, 810.0, 790.0, 805.0);
    look(&mut stake, &mut lives, &[jumped; 2], 0.0);
    assert_eq!((stake.ruins, lives[0].book.quantity), (0, -1.0));
}

#[test]
fn a_flat_life_that_costs_have_eaten_is_ruined_too() {
    let mut stake = Stake::default();
    let mut lives = [Patient::default()];
    lives[0].book.cash = -100.5;
    let any = range(Perp, 1.0, 1.0, 1.0, 1.0);
    assert!(near(look(&mut stake, &mut lives, &[any], 0.0), -100.0));
    assert_eq!((stake.ruins, stake.borne), (1, 0.5));
}

#[test]
fn an_account_whose_book_goes_on_loses_no_more_than_its_stakes() {
    let mut stake = Stake::default();
    for (gain, ruins, pnl) in
        [(-99.0, 0, -99.0), (-150.0, 1, -100.0), (-120.0, 1, -70.0), (-260.0, 2, -200.0)]
    {
        stake.settle(100.0, gain);
        assert_eq!((stake.ruins, stake.pnl(gain)), (ruins, pnl), "{gain}");
    }
}

#[test]
fn no_more_is_opened_than_a_venue_lends() {
    let ordered = |held: f64, order: f64| {
        let mut book = SimulatedBook { quantity: held, order, ..SimulatedBook::default() };
        book.order_within(10.0);
        book.order
    };
    assert_eq!((ordered(0.0, 9.0), ordered(0.0, 11.0), ordered(0.0, -11.0)), (9.0, 10.0, -10.0));
    assert_eq!((ordered(8.0, 5.0), ordered(8.0, -20.0)), (2.0, -18.0));
    // What is held beyond it already may stay and shrink, and is added nothing to.
    assert_eq!((ordered(12.0, 1.0), ordered(12.0, -1.0), ordered(-12.0, -1.0)), (0.0, -1.0, 0.0));
    assert_eq!(ordered(0.1, f64::INFINITY), 9.9);
}

prop_compose! {
    fn any_bar()(open in 10.0_f64..1_000.0, up in 0.0_f64..0.9, down in 0.0_f64..0.9, at in 0.0_f64..1.0) -> Bar {
        let (high, low) = (open * (1.0 + up), open * (1.0 - down));
        bar(open, high, low, low + at * (high - low))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn where_one_contract_goes_is_what_the_formula_says(b in any_bar(), q in prop_oneof![-20.0_f64..-0.01, 0.01_f64..20.0], lever in 0.2_f64..60.0) {
        let r = PriceRange::new(&b, true, Perp);
        let wallet = q.abs() * 100.0 / lever;
        let free = wallet - 100.0 * q;
        let due = Liquidation::of(free + q * b.close, &[(q, r)]);
        let formula = MarginTiers::of(Perp).linear_price(free, q);
        let is_past = |price: f64| free + q * price <= r.maintenance(q, price);
        let worst = if q > 0.0 { b.low } else { b.high };
        match due {
            None => prop_assert!(!is_past(b.open) && !is_past(worst)),
            Some(due) if due.first.is_none() => prop_assert!(is_past(b.open) && due.prices == [b.open]),
            Some(due) => prop_assert!(near(due.prices[0], formula.unwrap()), "{due:?} {formula:?}"),
        }
    }

    #[test]
    fn nothing_is_lost_beyond_the_stakes_and_a_gap(
        first in any_bar(), second in any_bar(),
        q in prop::array::uniform2(-6.0_f64..6.0), cash in -900.0_f64..900.0,
    ) {
        let ranges = [PriceRange::new(&first, true, Perp), PriceRange::new(&second, true, Margin)];
        let mut lives = q.map(entered);
        (lives[0].book.cash, lives[1].book.cash) = (cash, 0.0);
        let opened = 100.0 + cash + q[0] * first.open + q[1] * second.open;
        let closed = cash + q[0] * first.close + q[1] * second.close;
        let mut stake = Stake::default();
        let pnl = look(&mut stake, &mut lives, &ranges, 0.0);
        if stake.ruins == 0 {
            prop_assert!(near(pnl, closed) && pnl > -100.0 && stake.borne == 0.0);
        } else {
            prop_assert!(near(pnl, -100.0) && lives.iter().all(|l| l.book.quantity == 0.0));
            prop_assert!(stake.borne <= (-opened).max(0.0) + 1e-9, "{} of {opened}", stake.borne);
        }
    }
}
