//! What is held on margin is taken over where equity bears it no more: a life loses its stake and is staked anew, the
//! account ends. A market of four perps that fall and then open eight times higher.

use super::money::balanced;
use crate::common::{Run, Tape, bar_at, engine, hash, shipped};
use hive_core::engine::Outputs;
use hive_core::fills::liquidation::{MarginTiers, Stake};
use hive_core::treasury::Mode;
use hive_domain::instrument::Asset;
use hive_domain::money::to_estimate;
use hive_domain::{
    AgentId, AssetId, Bar, Command, ContractTerms, Decimal, Event, Instrument, InstrumentId, InstrumentKind,
    MarketEvent, Universe, random,
};
use proptest::prelude::*;

const ASSETS: [&str; 4] = ["AAA", "BBB", "CCC", "DDD"];
/// Bars that fall before the jump, and bars in all.
const FALLING: i64 = 450;
const BARS: i64 = 520;

fn universe() -> Universe {
    let asset = |(i, name): (u16, &&str)| Asset {
        id: AssetId(i),
        name: (*name).to_owned(),
        money_like: false,
        first: bar_at(1),
    };
    let instrument = |(i, name): (u16, &&str)| Instrument {
        id: InstrumentId(i),
        asset: AssetId(i),
        symbol: format!("{name}USDT"),
        kind: InstrumentKind::Perp,
        venue: String::new(),
        quote: None,
        terms: ContractTerms::Plain,
        tick: Decimal::new(1, 3).into(),
        lot: Decimal::new(1, 3),
        min_notional: Decimal::ZERO,
        contract: Decimal::ONE,
    };
    Universe {
        assets: (0..).zip(&ASSETS).map(asset).collect(),
        instruments: (0..).zip(&ASSETS).map(instrument).collect(),
        by_volume: Vec::new(),
    }
}

/// Falls by a third of a per cent a bar, with noise, and opens `jump` times higher after that.
fn tape(jump: f64) -> Tape {
    let mut last = [100.0; 4];
    let mut events = Vec::new();
    for n in 1..=BARS {
        for (i, price) in last.iter_mut().enumerate() {
            let draw = |k| random::normal(random::key(11, &[n as u64, i as u64, k]));
            let open = if n == FALLING { *price * jump } else { *price };
            let drift = if n < FALLING { -0.003 } else { 0.0 };
            let close = open * (1.0 + drift + 0.006 * draw(0)).max(0.5);
            let high = open.max(close) * (1.0 + 0.002 * draw(1).abs());
            let low = open.min(close) * (1.0 - 0.002 * draw(2).abs());
            *price = close;
            let bar = Bar { open, high, low, close, volume: 1e9 };
            events.push(Event::Market(MarketEvent::Bar {
                instrument: InstrumentId(i as u16),
                at: bar_at(n),
                bar,
            }));
        }
        events.push(Event::Barrier(bar_at(n)));
    }
    Tape { universe: universe(), events }
}

/// A whole run on it.
fn played(jump: f64) -> Run {
    let tape = tape(jump);
    let mut run = Run::start(&shipped(), &tape.universe);
    run.play(&tape.events);
    run
}

fn ruins(stakes: &[Stake]) -> u32 {
    stakes.iter().map(|s| s.ruins).sum()
}

#[test]
fn money_an_account_that_a_gap_ruins_is_over_and_its_books_are_exact() {
    let tape = tape(8.0);
    let mut run = Run::start(&shipped(), &tape.universe);
    let mut out = Outputs::default();
    let mut fills_after = 0;
    for event in &tape.events {
        let (was_over, from) = (run.engine.respond.real.account.ruin.is_some(), run.fills.len());
        run.step(event, &mut out);
        fills_after += if was_over { run.fills.len() - from } else { 0 };
    }
    let account = &run.engine.respond.real.account;
    let ruin = account.ruin.unwrap();
    let why = account.halted.clone().unwrap();
    assert_eq!(ruin.at, bar_at(FALLING), "at the bar that jumped");
    let (id, price) = ruin.taken_over.unwrap();
    for told in [
        "the account was ruined at",
        ASSETS[id.index()],
        &price.normalize().to_string(),
        "owed beyond it",
        "100000",
    ] {
        assert!(why.contains(told), "{told:?} is not in {why}");
    }
    let Some(opened) = tape.events.iter().find_map(|e| match e {
        Event::Market(MarketEvent::Bar { instrument, at, bar }) if (*instrument, *at) == (id, ruin.at) => {
            Some(bar.open)
        }
        _ => None,
    }) else {
        unreachable!()
    };
    assert!((to_estimate(price) - opened).abs() < 1e-9, "taken over at the open, where the gap ends");
    assert!(run.alarms.contains(&why), "{:?}", run.alarms);
    assert_eq!((fills_after, account.mode()), (0, Mode::Halted), "it trades no more");
    for i in 0..ASSETS.len() as u16 {
        let id = InstrumentId(i);
        assert!(account.ledger.net_position(id).is_zero());
        assert!(run.engine.respond.real.execution.router.venue.paper().unwrap().position(id).is_zero());
    }
    assert_eq!(account.equity(), ruin.left, "what was left then is left");
    assert!(ruin.left < Decimal::ZERO, "the gap went beyond all");
    balanced(&run.engine);
}

#[test]
fn no_command_and_no_snapshot_brings_a_ruined_account_back() {
    let mut run = played(8.0);
    let why = run.engine.respond.real.account.halted.clone();
    assert!(why.is_some());
    let at = run.engine.now().unwrap();
    for command in [
        Command::Recheck,
        Command::Reset,
        Command::ResetBreaker,
        Command::ResumeAll,
        Command::Fund(AgentId(0)),
    ] {
        run.play(&[Event::Command(at, command)]);
        assert_eq!(run.engine.respond.real.account.halted, why, "{command:?}");
    }
    let mut again = engine(&shipped(), &universe());
    again.restore(&run.engine.snapshot().unwrap()).unwrap();
    assert_eq!(again.state_hash(), run.engine.state_hash());
    assert_eq!(again.respond.real.account.halted, why);
}

#[test]
fn lives_that_a_gap_ruins_lose_their_stake_and_are_staked_anew() {
    let tape = tape(8.0);
    let mut run = Run::start(&shipped(), &tape.universe);
    let reference = 100_000.0 / run.engine.cast().declared as f64;
    let mut out = Outputs::default();
    let mut alive = 0;
    for event in &tape.events {
        run.step(event, &mut out);
        let (speak, respond, cast) = (&run.engine.speak, &run.engine.respond, run.engine.cast());
        if !matches!(event, Event::Barrier(_)) {
            continue;
        }
        for agent in &cast.agents[..cast.declared] {
            let lost = run.engine.ruins(agent.id);
            let sum = |f: &dyn Fn(usize) -> f64| agent.slots.clone().map(f).sum::<f64>();
            let last = |slot: usize| speak.close(cast.slots[slot].asset);
            let alone = sum(&|slot| speak.alone(cast, slot));
            let open = sum(&|slot| respond.ears[slot].open.book.equity(last(slot)));
            for (pnl, ruins) in [(alone, lost.alone), (open, lost.open)] {
                let least = -reference * f64::from(ruins + 1);
                assert!(pnl > least - 1e-6, "{}: {pnl} after {ruins} ruins", agent.name);
            }
            let trades = |slot: usize| speak.patient[slot].book.quantity != 0.0;
            alive += usize::from(lost.alone > 0 && agent.slots.clone().any(trades));
        }
    }
    assert!(ruins(&run.engine.speak.stakes) > 20 && ruins(&run.engine.respond.stakes) > 20);
    assert!(alive > 20, "who was ruined trades again: {alive}");
    let borne: f64 = run.engine.speak.stakes.iter().map(|s| s.borne).sum();
    assert!(borne > 100_000.0, "venues bore what prices opened beyond: {borne}");
}

/// What is said knows nothing of margin: it is the same where every stake is a thousand times as much as what it holds.
#[test]
fn law_words_do_not_depend_on_ruin() {
    let run = played(8.0);
    assert!(ruins(&run.engine.speak.stakes) > 20);
    let tape = tape(8.0);
    let mut bare = Run::start(&shipped(), &tape.universe);
    let mut out = Outputs::default();
    for event in &tape.events {
        bare.step(event, &mut out);
        bare.engine.speak.stakes.iter_mut().for_each(|s| s.ruins += 1_000);
    }
    let never = bare.engine.speak.stakes.iter().all(|s| s.borne == 0.0);
    assert!(never, "so much stands behind them that none is ruined");
    assert_eq!(hash(&run.messages), hash(&bare.messages));
    assert_eq!(hash(&run.engine.speak.raw), hash(&bare.engine.speak.raw));
    assert_eq!(hash(&run.engine.speak.announced), hash(&bare.engine.speak.announced));
    assert_eq!(run.engine.respond.decisions.to_string(), bare.engine.respond.decisions.to_string());
}

#[test]
fn a_market_without_a_gap_ruins_no_account() {
    let run = played(1.0);
    let account = &run.engine.respond.real.account;
    assert_eq!((account.ruin, &account.halted), (None, &None));
    balanced(&run.engine);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_linear_contract_is_taken_over_exactly_where_equity_meets_maintenance(
        q in prop_oneof![-50.0_f64..-0.01, 0.01_f64..50.0], entry in 1.0_f64..1e5, lever in 1.1_f64..90.0,
    ) {
        let tiers = MarginTiers::of(InstrumentKind::Perp);
        let free = q.abs() * entry / lever - q * entry;
        let price = tiers.linear_price(free, q).unwrap();
        let left = |p: f64| free + q * p - tiers.maintenance(q.abs() * p);
        let (worse, better) = (price * (1.0 - 1e-6 * q.signum()), price * (1.0 + 1e-6 * q.signum()));
        prop_assert!(left(worse) < 0.0 && left(better) > 0.0);
    }

    #[test]
    fn an_inverse_contract_is_taken_over_exactly_where_equity_in_coins_meets_maintenance(
        n in prop_oneof![-1e6_f64..-1.0, 1.0_f64..1e6], entry in 1.0_f64..1e5, lever in 1.1_f64..90.0,
    ) {
        let tiers = MarginTiers::of(InstrumentKind::Perp);
        let free = n.abs() / entry / lever + n / entry;
        let price = tiers.inverse_price(free, n).unwrap();
        let left = |p: f64| free - n / p - tiers.maintenance(n.abs()) / p;
        let (worse, better) = (price * (1.0 - 1e-6 * n.signum()), price * (1.0 + 1e-6 * n.signum()));
        prop_assert!(left(worse) < 0.0 && left(better) > 0.0);
    }
}
