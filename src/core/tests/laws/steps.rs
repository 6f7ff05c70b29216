//! Laws 6 and 9 where ticks, lots and contracts are any decimal: the books balance at every barrier, the venue fills whole
//! steps, marks lie on ticks, and nothing of it halts a run.

use super::money::balanced;
use crate::common::scenes::ROSTER;
use crate::common::served::{config as serving, paired};
use crate::common::{Run, Tape, actions, run, shipped};
use hive_core::config::{self, Config};
use hive_core::engine::Outputs;
use hive_core::execution::venue::is_venue_order;
use hive_domain::step::{Rounding, count};
use hive_domain::{
    Decimal, Event, FamilyId, Fill, Instrument, InstrumentKind, MarketEvent, PriceStep, Speaker, Universe,
    money, random,
};
use hive_ledger::LedgerAccount;
use hive_market::synth::{Detail, SynthFeed, SynthSettings};

/// Steps that venues have; two of them are powers of ten.
const STEPS: [&str; 14] = [
    "125",
    "17",
    "3",
    "2.5",
    "1",
    "0.5",
    "0.25",
    "0.3",
    "0.05",
    "0.01",
    "0.007",
    "0.0002",
    "0.00007",
    "0.0000025",
];
/// Sizes of contracts, in base units.
const CONTRACTS: [&str; 5] = ["1", "0.01", "10", "100", "0.25"];

fn decimals(texts: &[&str]) -> Vec<Decimal> {
    texts.iter().map(|t| t.parse().unwrap()).collect()
}

/// The price at which each instrument is first seen; of what never is, one unit.
fn first_prices(tape: &Tape) -> Vec<f64> {
    let mut first = vec![None; tape.universe.instruments.len()];
    for event in &tape.events {
        let Event::Market(event) = event else { continue };
        let price = match event {
            MarketEvent::Bar { bar, .. } => bar.open,
            MarketEvent::Quote { ask, .. } => *ask,
            MarketEvent::Pool { price, .. } => *price,
            _ => continue,
        };
        event.instrument().map(|i| first[i.index()].get_or_insert(price));
    }
    first.into_iter().map(|price| price.unwrap_or(1.0)).collect()
}

/// Gives every instrument a tick and a lot drawn from those that its price can bear: a tick under a hundredth of it, a lot
/// worth less than a thousand; one in six has no tick but digits.
fn with_steps(tape: &mut Tape, seed: u64) {
    let prices = first_prices(tape);
    let all = decimals(&STEPS);
    for (i, price) in tape.universe.instruments.iter_mut().zip(prices) {
        let key = |what| random::key(seed, &[u64::from(i.id.0), what]);
        let draw = |what, most: f64| {
            let bears: Vec<Decimal> =
                all.iter().copied().filter(|s| money::to_estimate(*s) <= most).collect();
            let n = bears.len().clamp(1, 5) as u64;
            bears.get(random::below(key(what), n) as usize).copied().unwrap_or(all[all.len() - 1])
        };
        let digits = random::below(key(0), 6) == 0;
        i.tick = if digits {
            PriceStep::Digits { significant: 5, decimals: 6 }
        } else {
            PriceStep::Tick(draw(1, price / 100.0))
        };
        i.lot = draw(2, 1_000.0 / price);
        i.contract = decimals(&CONTRACTS)[random::below(key(3), CONTRACTS.len() as u64) as usize];
        i.min_notional = Decimal::from(1 + random::below(key(4), 30));
    }
}

/// Bars with so little traded that orders are filled in parts.
fn thin(tape: &mut Tape) {
    for event in &mut tape.events {
        if let Event::Market(MarketEvent::Bar { bar, .. } | MarketEvent::Inside { bar, .. }) = event {
            bar.volume *= 2e-4;
        }
    }
}

/// A run whose books are looked at after each barrier.
fn checked(config: &Config, tape: &Tape) -> Run {
    let mut run = Run::start(config, &tape.universe);
    let mut out = Outputs::default();
    for event in &tape.events {
        run.step(event, &mut out);
        if matches!(event, Event::Barrier(_)) {
            balanced(&run.engine);
            assert_eq!(run.engine.respond.real.account.halted, None);
        }
    }
    run
}

/// Every fill is in whole steps, and so is what is held and what it is marked at.
fn in_whole_steps(run: &Run, universe: &Universe) {
    let on_tick = |i: &Instrument, price: Decimal| i.tick.round(price, Rounding::Nearest) == Some(price);
    // What lies in a pool is exchanged there by the pool's arithmetic, which knows no steps.
    let has_steps = |i: &Instrument| i.kind != InstrumentKind::Pool;
    for f in &run.fills {
        let i = &universe.instruments[f.instrument.index()];
        if !has_steps(i) {
            continue;
        }
        assert!(count(f.quantity, i.lot).is_some(), "{f:?} in lots of {}", i.lot);
        assert_eq!(i.contracts(f.quantity).and_then(|n| i.base_units(n)), Some(f.quantity), "{f:?}");
        // What the venue closes by itself is at the last price.
        assert!(on_tick(i, f.price) || is_venue_order(f.order), "{f:?} by {:?}", i.tick);
    }
    let real = &run.engine.respond.real;
    for (i, mark) in universe.instruments.iter().zip(&real.account.marks).filter(|(i, _)| has_steps(i)) {
        assert!(on_tick(i, *mark), "{} is marked at {mark} by {:?}", i.symbol, i.tick);
        let held = real.account.ledger.net_position(i.id);
        assert!(count(held, i.lot).is_some(), "{held} {} in lots of {}", i.symbol, i.lot);
    }
}

/// Equity = capital less what was paid for fills and charges, and what is held at its mark: nothing is lost or gained.
fn nothing_is_lost(run: &Run, config: &Config) {
    let real = &run.engine.respond.real;
    let paid: Decimal = run.fills.iter().map(|f: &Fill| f.quantity * f.price + f.fee).sum();
    let charged =
        [LedgerAccount::Funding, LedgerAccount::Borrow].map(|a| real.account.ledger.cash(a).unwrap());
    let mut held = vec![Decimal::ZERO; real.account.marks.len()];
    run.fills.iter().for_each(|f| held[f.instrument.index()] += f.quantity);
    let worth: Decimal = held.iter().zip(&real.account.marks).map(|(q, mark)| q * mark).sum();
    // What pools earned and asked beside their fills: swaps' fees and gas. Without liquidity there is none.
    let fees: Decimal = run.fills.iter().map(|f| f.fee).sum();
    let beside = real.account.ledger.cash(LedgerAccount::Fees).unwrap() - fees;
    let in_pools = real
        .execution
        .packages
        .all
        .iter()
        .any(|p| run.engine.cast().agents[p.agent.index()].family == FamilyId::Defi);
    let charged = charged.iter().sum::<Decimal>() + if in_pools { beside } else { Decimal::ZERO };
    let equity = config.capital - paid - charged + worth;
    assert!(
        (equity - real.account.equity()).abs() < Decimal::new(1, 5),
        "{equity} and {}",
        real.account.equity()
    );
}

#[test]
fn law06_books_are_exact_with_ticks_and_lots_of_any_size() {
    for seed in 1..=6 {
        let mut tape = Tape::market(140);
        with_steps(&mut tape, seed);
        if seed % 2 == 0 {
            thin(&mut tape);
        }
        let odd = |i: &&Instrument| !decimals(&["1", "0.01"]).contains(&i.lot);
        assert!(tape.universe.instruments.iter().filter(odd).count() > 4, "few of them are powers of ten");
        let config = shipped();
        let run = checked(&config, &tape);
        in_whole_steps(&run, &tape.universe);
        nothing_is_lost(&run, &config);
        assert!(run.fills.len() > 100, "{}", run.fills.len());

        assert!(run.alarms.is_empty(), "{:?}", run.alarms);
    }
}

#[test]
fn law06_both_legs_of_a_switch_fit_whatever_their_lots_are() {
    for seed in 1..=6 {
        let mut tape = paired(200, if seed % 3 == 0 { 150 } else { 0 });
        with_steps(&mut tape, seed);
        if seed % 2 == 0 {
            thin(&mut tape);
        }
        let n = tape.universe.assets.len();
        let (perps, spots) = tape.universe.instruments.split_at(n);
        assert!(perps.iter().zip(spots).filter(|(p, s)| p.lot != s.lot).count() > 2);
        let config = serving(true);
        let run = checked(&config, &tape);
        in_whole_steps(&run, &tape.universe);
        nothing_is_lost(&run, &config);
        let spot = run.fills.iter().filter(|f| f.instrument.index() >= n).count();
        assert!(spot > 100, "{spot} fills of spot");
        let parts = run.fills.iter().filter(|f| f.number > 1).count();
        assert!(seed % 2 == 1 || parts > 100, "{parts} fills of a part");
        assert!(run.engine.respond.real.execution.services.worked().rested > 0.0, "orders rested");
    }
}

#[test]
fn switches_are_made_in_lots_that_both_legs_have_though_neither_is_a_multiple_of_the_other() {
    // In units of the largest power of ten that is worth less than a tenth of a unit of currency.
    let switched = |perp: i64, spot: i64| {
        let mut tape = paired(200, 0);
        let (n, prices) = (tape.universe.assets.len(), first_prices(&tape));
        for (k, i) in tape.universe.instruments.iter_mut().enumerate() {
            let places = (0..12).find(|p| prices[k] / money::power_of_ten(*p) < 0.1).unwrap();
            i.lot = Decimal::new(if k < n { perp } else { spot }, places);
        }
        let run = checked(&serving(true), &tape);
        in_whole_steps(&run, &tape.universe);
        let s = run.engine.respond.real.execution.services.switched();
        s.rested + s.crossed
    };
    let (same, apart) = (switched(21, 21), switched(3, 7));
    assert!(same > 0.0 && (apart / same - 1.0).abs() < 0.01, "{apart} of {same} with their common multiple");
}

#[test]
fn law06_a_full_house_trades_in_steps_of_any_size() {
    let start = SynthSettings { bars_days: 23, ..SynthSettings::default() };
    let detail = Detail::last(3, start.from, start.bars_days);
    let mut tape = Tape::of(&mut SynthFeed::new(SynthSettings { detail: Some(detail), ..start }).unwrap());
    with_steps(&mut tape, 1);
    let mut config = config::parse("full-house.toml", ROSTER).unwrap();
    config.roster.scouts = 24;
    let run = checked(&config, &tape);
    in_whole_steps(&run, &tape.universe);
    nothing_is_lost(&run, &config);
    assert!(!run.fills.is_empty());
    let said = actions(&run.messages).filter(|(m, _)| {
        let Speaker::Agent(agent) = m.from else { return false };
        run.engine.cast().agents[agent.index()].family.is_structured()
    });
    assert!(said.count() > 20, "structures trade too");
}

#[test]
fn law09_rules_that_nothing_fits_are_traded_by_nobody_and_halt_nothing() {
    let mut tape = Tape::market(100);
    for (n, i) in tape.universe.instruments.iter_mut().enumerate() {
        // A tick above the price, a lot above the account, a least order above it.
        match n % 3 {
            0 => i.tick = PriceStep::Tick(Decimal::from(1_000_003)),
            1 => i.lot = Decimal::from(7_000_000_000_i64),
            _ => i.min_notional = Decimal::from(900_000_000),
        }
    }
    let run = run(&shipped(), &tape);
    balanced(&run.engine);
    assert_eq!(run.engine.respond.real.account.halted, None);
    assert!(run.fills.is_empty(), "{:?}", run.fills.first());
}

#[test]
fn law01_the_size_of_a_contract_changes_no_decision() {
    let tape = Tape::market(100);
    let mut contracts = tape.clone();
    for (n, i) in contracts.universe.instruments.iter_mut().enumerate() {
        i.contract = decimals(&CONTRACTS)[n % CONTRACTS.len()];
    }
    let (plain, counted) = (run(&shipped(), &tape), run(&shipped(), &contracts));
    assert_eq!(
        plain.engine.state_hash(),
        counted.engine.state_hash(),
        "quantities are in base units in the house"
    );
    assert!(plain.fills == counted.fills && !plain.fills.is_empty());
}
