//! What the gate lets out, cuts and refuses.

#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::domain::money::parse;
use crate::domain::{AssetId, InstrumentKind};
use proptest::prelude::*;

fn dec(text: &str) -> Decimal {
    parse(text).unwrap()
}

fn instrument(kind: InstrumentKind) -> Instrument {
    let (id, asset, symbol) = (InstrumentId(0), AssetId(0), "BTCUSDT".to_owned());
    let (tick, lot, min_notional) = (dec("0.1"), dec("0.001"), dec("5"));
    Instrument {
        id,
        asset,
        symbol,
        kind,
        venue: String::new(),
        quote: None,
        terms: crate::domain::ContractTerms::Plain,
        tick: tick.into(),
        lot,
        min_notional,
        contract: Decimal::ONE,
    }
}

fn proposal(quantity: &str) -> ProposedOrder {
    let (quantity, reference) = (dec(quantity), dec("100"));
    let (id, instrument, at) = (OrderId(7), InstrumentId(0), Stamp(5));
    ProposedOrder { id, instrument, quantity, reference, reduce_only: false, at }
}

/// 1 000 of equity, nothing held, plenty of volume.
fn calm() -> Exposure {
    Exposure {
        equity: dec("1000"),
        position: Decimal::ZERO,
        open_order: Decimal::ZERO,
        gross: Decimal::ZERO,
        net: Decimal::ZERO,
        feed_age: Span::HOUR,
        tradable: true,
        bar_volume: 1e6,
        last_confirmed: dec("99"),
    }
}

fn held(position: &str) -> Exposure {
    let position = dec(position);
    let net = position * dec("100");
    Exposure { position, gross: net.abs(), net, ..calm() }
}

fn ask(p: &ProposedOrder, e: &Exposure, mode: Mode) -> Result<(Decimal, Option<Clip>), RefusalReason> {
    let mut gate = Gate::default();
    let answer = gate.approve(p, &instrument(InstrumentKind::Perp), e, mode);
    assert_eq!(gate.approved(), u64::from(answer.is_ok()));
    match answer {
        Ok(order) => Ok((order.quantity(), order.clip)),
        Err(refusal) => {
            assert_eq!(gate.refused.get(&refusal.reason), Some(&1));
            assert!(refusal.to_string().starts_with("order 7 refused: "));
            Err(refusal.reason)
        }
    }
}

#[test]
fn an_ordinary_order_leaves_rounded_to_the_lot_toward_zero() {
    assert_eq!(ask(&proposal("1.23456"), &calm(), Mode::Running), Ok((dec("1.234"), None)));
    assert_eq!(ask(&proposal("-1.23456"), &calm(), Mode::Running), Ok((dec("-1.234"), None)));
}

#[test]
fn each_check_has_its_reason() {
    let refused = |p: &ProposedOrder, e: Exposure| ask(p, &e, Mode::Running).unwrap_err();
    let one = proposal("1");
    assert_eq!(refused(&proposal("0"), calm()), RefusalReason::Nothing);
    assert_eq!(refused(&one, Exposure { tradable: false, ..calm() }), RefusalReason::NotTrading);
    assert_eq!(refused(&one, Exposure { feed_age: Span::DAY, ..calm() }), RefusalReason::StaleFeed);
    assert_eq!(refused(&one, Exposure { bar_volume: 0.0, ..calm() }), RefusalReason::NoVolume);
    assert_eq!(refused(&one, Exposure { bar_volume: f64::NAN, ..calm() }), RefusalReason::NoVolume);
    assert_eq!(refused(&proposal("0.0009"), calm()), RefusalReason::UnderLot);
    assert_eq!(refused(&proposal("0.049"), calm()), RefusalReason::UnderMinimum);
    assert_eq!(refused(&one, Exposure { last_confirmed: dec("10"), ..calm() }), RefusalReason::Collar);
    assert_eq!(refused(&one, Exposure { last_confirmed: dec("1000"), ..calm() }), RefusalReason::Collar);
    assert_eq!(refused(&one, Exposure { last_confirmed: dec("0"), ..calm() }), RefusalReason::Collar);
    assert_eq!(refused(&one, Exposure { equity: dec("0"), ..calm() }), RefusalReason::NoEquity);
    assert_eq!(refused(&proposal("40.001"), calm()), RefusalReason::OrderTooLarge);
    assert_eq!(refused(&proposal("20"), held("50.1")), RefusalReason::Gross);
    let hedged = Exposure { net: dec("-6900"), ..calm() };
    assert_eq!(refused(&proposal("-1.1"), hedged), RefusalReason::Net);
    let open = Exposure { open_order: dec("69"), ..calm() };
    assert_eq!(refused(&proposal("1.001"), open), RefusalReason::Gross, "open orders count");
    let vast = ProposedOrder { reference: dec("1e14"), ..one };
    assert_eq!(refused(&vast, calm()), RefusalReason::Unreckonable);
    let wrong = ProposedOrder { reduce_only: true, ..one };
    assert_eq!(refused(&wrong, held("1")), RefusalReason::NotReducing);
    assert_eq!(ask(&one, &held("1"), Mode::Reducing), Err(RefusalReason::Mode));
    assert_eq!(ask(&one, &calm(), Mode::Halted), Err(RefusalReason::Mode));
}

#[test]
fn spot_is_never_sold_short() {
    let spot = instrument(InstrumentKind::Spot);
    let mut gate = Gate::default();
    let mut sell = |q: &str, e| gate.approve(&proposal(q), &spot, &e, Mode::Running);
    assert_eq!(sell("-1", calm()).unwrap_err().reason, RefusalReason::LongOnly);
    assert_eq!(sell("-2", held("1")).unwrap_err().reason, RefusalReason::LongOnly);
    assert_eq!(sell("-1", held("1")).unwrap().quantity(), dec("-1"));
}

#[test]
fn a_fat_finger_is_cut_to_its_share_of_volume() {
    let thin = Exposure { bar_volume: 50.0, ..calm() };
    let cut = Ok((dec("2.5"), Some(Clip::ToVolume)));
    assert_eq!(ask(&proposal("3"), &thin, Mode::Running), cut);
    let unknown = Exposure { bar_volume: f64::INFINITY, ..calm() };
    assert_eq!(ask(&proposal("3"), &unknown, Mode::Running), Ok((dec("3"), None)));
}

#[test]
fn reducing_always_passes_and_never_turns_over() {
    // Everything is wrong at once: stale, gapped, no volume, bankrupt, over all caps.
    let wreck = |position: &str| Exposure {
        equity: dec("-10"),
        feed_age: Span::YEAR,
        bar_volume: 0.0,
        last_confirmed: dec("1"),
        ..held(position)
    };
    for mode in [Mode::Running, Mode::Reducing, Mode::Halted] {
        assert_eq!(ask(&proposal("-2"), &wreck("3"), mode), Ok((dec("-2"), None)));
        let close = ProposedOrder { reduce_only: true, ..proposal("9") };
        let cut = Ok((dec("3"), Some(Clip::ToPosition)));
        assert_eq!(ask(&close, &wreck("-3"), mode), cut);
    }
    assert_eq!(ask(&proposal("-9"), &wreck("3"), Mode::Reducing).unwrap().0, dec("-3"));
    // Another order already takes 2 of 3 off; with all of it gone nothing is left.
    let busy = |open: &str| Exposure { open_order: dec(open), ..held("3") };
    assert_eq!(ask(&proposal("-3"), &busy("-2"), Mode::Halted).unwrap().0, dec("-1"));
    assert_eq!(ask(&proposal("-3"), &busy("-5"), Mode::Halted), Err(RefusalReason::Mode));
}

#[test]
fn closing_to_flat_may_be_under_the_minimum() {
    assert_eq!(ask(&proposal("-0.02"), &held("0.02"), Mode::Running), Ok((dec("-0.02"), None)));
    assert_eq!(ask(&proposal("-0.02"), &held("0.03"), Mode::Running), Err(RefusalReason::UnderMinimum));
}

#[test]
fn over_the_cap_what_shrinks_the_account_still_passes() {
    // From 80 long to 20 short: turned over, but smaller than before in gross and net.
    let over = held("80");
    assert_eq!(ask(&proposal("-100"), &over, Mode::Running), Err(RefusalReason::OrderTooLarge));
    let rich = Exposure { equity: dec("2600"), gross: dec("20000"), net: dec("20000"), ..over };
    assert_eq!(ask(&proposal("-100"), &rich, Mode::Running).unwrap().0, dec("-100"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn approved_orders_keep_side_lot_and_caps(
        q in -100_000_i64..100_000, position in -60_000_i64..60_000, open in -20_000_i64..20_000,
        other in 0_i64..8_000, volume in 0.0_f64..5_000.0, reduce_only: bool, mode in 0..3,
    ) {
        let mode = [Mode::Running, Mode::Reducing, Mode::Halted][mode as usize];
        let p = ProposedOrder { quantity: Decimal::new(q, 4), reduce_only, ..proposal("1") };
        let position = Decimal::new(position, 3);
        let notional = position * p.reference;
        let e = Exposure {
            position,
            open_order: Decimal::new(open, 3),
            gross: notional.abs() + Decimal::from(other),
            net: notional,
            bar_volume: volume,
            ..calm()
        };
        let mut gate = Gate::default();
        let Ok(order) = gate.approve(&p, &instrument(InstrumentKind::Perp), &e, mode) else {
            return Ok(());
        };
        let got = order.quantity();
        prop_assert!(!got.is_zero() && got.abs() <= p.quantity.abs());
        prop_assert_eq!(got.is_sign_negative(), p.quantity.is_sign_negative());
        prop_assert!((got % dec("0.001")).is_zero());
        let after = position + got;
        if reduce_only || mode != Mode::Running {
            prop_assert!(after.abs() <= position.abs());
            prop_assert!(after.is_zero() || after.is_sign_negative() == position.is_sign_negative());
            prop_assert!(order.reduce_only());
        }
        if after.abs() > position.abs() {
            let gross = e.gross + (after.abs() - position.abs()) * p.reference;
            prop_assert!(gross <= dec("7000"));
            prop_assert!(got.abs() * p.reference <= dec("4000"));
        }
    }

    #[test]
    fn what_is_far_under_its_caps_by_estimates_is_under_them_exactly(
        [equity, gross, net, held, open] in prop::array::uniform5(-1_000_000_i64..1_000_000), size in 1_i64..1_000_000,
        (price, buys) in (1_i64..1_000_000, any::<bool>()), limit in -9_i32..2, factor in 0.5_f64..20.0,
    ) {
        let setting = factor * libm::pow(10.0, f64::from(limit));
        let limits = GateSettings { order_max: setting, gross_max: setting, net_max: setting, ..GateSettings::default() };
        let (quantity, reference) = (Decimal::new(if buys { size } else { -size }, 3), Decimal::new(price, 2));
        let notional = product(quantity.abs(), reference).unwrap();
        let [gross, net, position, open_order] = [gross.abs(), net, held, open].map(|x| Decimal::new(x, 3));
        let now = Exposure { equity: Decimal::new(equity.abs(), 2), gross, net, position, open_order, ..calm() };
        if is_far_from_caps(&limits, notional, reference, &now) {
            prop_assert_eq!(exact_caps(&limits, quantity, notional, reference, &now), Ok(()));
        }
        let far = is_far_under(to_estimate(notional), to_estimate(now.equity), setting);
        let exact = notional <= multiple(now.equity, setting).unwrap();
        prop_assert!(exact || !far);
        // And what is not near is seen to be far.
        let clear = setting > 1e-6 && to_estimate(notional) < 0.9 * setting * to_estimate(now.equity) - 1e-6;
        prop_assert!(far || !clear || setting * to_estimate(now.equity) > 1e9);
    }

    #[test]
    fn lots_of_any_size_are_whole_and_the_smallest_order_passes(
        lot in prop::sample::select(vec!["0.5", "0.25", "3", "0.00007", "0.05", "125", "0.3", "17", "0.001"]),
        contract in prop::sample::select(vec!["1", "0.01", "10", "100"]),
        (price, places) in (1_i64..1_000_000_000, 0_u32..7),
        least in 0_i64..100_000,
        quantity in -1_000_000_000_i64..1_000_000_000,
    ) {
        let lot = dec(lot);
        let (min_notional, reference) = (Decimal::new(least, 2), Decimal::new(price, places));
        let rules = Instrument { lot, contract: dec(contract), min_notional, ..instrument(InstrumentKind::Perp) };
        let wide = f64::INFINITY;
        let mut gate = Gate::new(GateSettings { gross_max: wide, net_max: wide, order_max: wide, ..GateSettings::default() });
        let e = Exposure { bar_volume: wide, last_confirmed: reference, ..calm() };
        let mut ask = |quantity| {
            let asked = ProposedOrder { quantity, reference, ..proposal("1") };
            gate.approve(&asked, &rules, &e, Mode::Running).map(|o| o.quantity())
        };
        let quantity = Decimal::new(quantity, 5);
        match ask(quantity) {
            Ok(got) => {
                prop_assert!(step::count(got, lot).is_some(), "{} of {}", got, lot);
                prop_assert!(quantity.abs() - got.abs() < lot && got.abs() <= quantity.abs(), "less than a lot is cut");
                prop_assert_eq!(rules.contracts(got).and_then(|n| rules.base_units(n)), Some(got));
            }
            Err(r) => match r.reason {
                RefusalReason::UnderLot | RefusalReason::Nothing => prop_assert!(quantity.abs() < lot),
                RefusalReason::UnderMinimum => prop_assert!(quantity.abs() < smallest_order(&rules, reference).unwrap()),
                other => prop_assert_eq!(other, RefusalReason::Unreckonable),
            },
        }
        let smallest = smallest_order(&rules, reference).unwrap();
        prop_assert!(smallest >= lot && step::count(smallest, lot).is_some());
        prop_assert_eq!(ask(smallest).unwrap(), smallest);
        let refused = ask(smallest - lot).unwrap_err().reason;
        let why = if smallest == lot { RefusalReason::Nothing } else { RefusalReason::UnderMinimum };
        prop_assert_eq!(refused, why, "a lot less is too little");
    }
}

#[test]
fn the_smallest_order_is_a_lot_or_what_the_least_notional_asks_for_in_whole_lots() {
    let of = |lot, min_notional, price| {
        let rules =
            Instrument { lot: dec(lot), min_notional: dec(min_notional), ..instrument(InstrumentKind::Perp) };
        smallest_order(&rules, dec(price))
    };
    assert_eq!(of("0.25", "5", "100"), Some(dec("0.25")));
    assert_eq!(of("0.25", "5", "9"), Some(dec("0.75")), "0.5 is worth 4.5");
    assert_eq!(of("3", "5", "0.7"), Some(dec("9")), "6 are worth 4.2");
    assert_eq!(of("0.001", "5", "100"), Some(dec("0.05")));
    assert_eq!(of("0.00007", "10", "20000"), Some(dec("0.00056")));
    assert_eq!(of("0.5", "0", "0"), Some(dec("0.5")), "without a least notional no price is needed");
    assert_eq!(of("0.5", "5", "0"), None);
    assert_eq!(of("1", "5", "4.99999999999"), Some(dec("1")), "to the ten digits of the books");
}
