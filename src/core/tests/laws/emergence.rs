//! The emergence gauge: the same accounting for the hive and for the strong baseline, and honest.

use crate::common::{Run, Tape, deaf, flat, hash, run, shipped};
use hive_core::engine::Outputs;
use hive_core::hive::emergence::DAYS_MIN;
use hive_core::hive::settings::Managers;
use hive_domain::{Command, Event, MessageKind, Speaker};

const DAYS: u32 = 250;

#[test]
fn the_deaf_with_equal_funds_are_the_baseline_bit_for_bit() {
    let mut config = deaf();
    config.funds.by_points = false;
    config.funds.units_max = 1e9;
    let run = run(&config, &Tape::market(DAYS));
    let gauge = &run.engine.respond.gauge;
    assert_eq!(hash(&gauge.hive), hash(&gauge.net_eq));
    let rungs = gauge.rungs();
    let gain = rungs.listening.unwrap();
    assert!(gain.sharpe == 0.0 && gain.more == 1.0 && gain.high < 1e-3 && gain.days > 150, "{gain:?}");
    assert_eq!(gauge.open_over_alone().unwrap().sharpe, 0.0, "open is alone");
    assert_eq!(rungs.services.unwrap().sharpe, 0.0, "nobody serves");
    // What is left of the whole over its parts is netting, to the last bit.
    assert_eq!(rungs.over_alone, rungs.netting);
    assert_ne!(rungs.netting.unwrap().sharpe, 0.0);
    let turnover = gauge.turnover(config.clock.decide.per_year());
    assert!(turnover.together < turnover.alone, "together they trade less: {turnover:?}");
    assert!(gauge.wanted > run.engine.respond.real.execution.orders_sent(), "and in fewer orders");
}

#[test]
fn the_shadow_of_the_hive_is_what_the_account_does() {
    for charge in [None, Some(0.0007)] {
        let mut config = shipped();
        if let Some(charge) = charge {
            flat(&mut config, charge);
        }
        let tape = Tape::market(DAYS);
        let mut run = Run::start(&config, &tape.universe);
        let mut out = Outputs::default();
        let mut pairs = vec![];
        for event in &tape.events {
            run.step(event, &mut out);
            if matches!(event, Event::Barrier(_)) {
                let respond = &run.engine.respond;
                pairs.push((respond.gauge.hive.equity, respond.real.account.curve.equity()));
            }
        }
        let steps: Vec<(f64, f64)> =
            pairs.windows(2).map(|w| (w[1].0 / w[0].0 - 1.0, w[1].1 / w[0].1 - 1.0)).collect();
        let sum = |f: fn(&(f64, f64)) -> f64| steps.iter().map(f).sum::<f64>();
        let like = sum(|s| s.0 * s.1) / (sum(|s| s.0 * s.0) * sum(|s| s.1 * s.1)).sqrt();
        assert!(like > 0.99, "{like}");
        let (shadow, account) = pairs[pairs.len() - 1];
        assert!((shadow / account - 1.0).abs() < 0.02, "{shadow} {account}");
    }
}

#[test]
fn it_says_nothing_before_it_knows_and_then_what_it_knows() {
    let tape = Tape::market(DAYS);
    let mut run = Run::start(&shipped(), &tape.universe);
    let mut out = Outputs::default();
    let mut last = None;
    for event in &tape.events {
        let from = run.messages.len();
        run.step(event, &mut out);
        for m in &run.messages[from..] {
            let MessageKind::Emergence(e) = m.body else { continue };
            assert_eq!(m.from, Speaker::Gauge);
            assert!(e.days >= DAYS_MIN && e.low <= e.sharpe && e.sharpe <= e.high, "{e:?}");
            let parts = e.netting + e.listening + e.services;
            assert!((parts - e.sharpe).abs() < 1e-9, "the parts add up: {e:?}");
            assert!(e.more >= 1.0 && e.less >= 1.0, "{e:?}");
            last = Some(e);
        }
        let gauge = &run.engine.respond.gauge;
        assert_eq!(gauge.rungs().over_alone.is_some(), gauge.days() >= DAYS_MIN);
    }
    let (said, gauge) = (last.unwrap(), &run.engine.respond.gauge);
    assert_eq!(Some(said.sharpe), gauge.rungs().over_alone.map(|g| g.sharpe));
    let (whole, alone) = gauge.sharpes().unwrap();
    assert!((whole - alone - said.sharpe).abs() < 1e-9);
    assert!(said.high - said.low > 0.3, "half a year is not enough to be sure: {said:?}");
}

#[test]
fn the_operators_hand_is_no_part_of_what_is_measured() {
    let tape = Tape::market(150);
    let mut config = shipped();
    config.managers = Managers::default();
    // Who is stopped out is not asked any more.
    config.funds.drawdown_max = 1e9;
    // Open lives hear how the goals of the account read, and there the hand is.
    config.listening.reactions = false;
    let free = run(&config, &tape);
    let mut held = Run::start(&config, &tape.universe);
    let middle = tape.after(400);
    held.play(&tape.events[..middle]);
    held.play(&[Event::Command(tape.events[middle - 1].at(), Command::DrainAll)]);
    held.play(&tape.events[middle..]);
    assert_eq!(hash(&held.engine.respond.gauge), hash(&free.engine.respond.gauge));
    assert_ne!(held.engine.respond.real.account.equity(), free.engine.respond.real.account.equity());
}
