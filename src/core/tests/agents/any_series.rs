//! Whatever the market does: no agent says a number that is none, has its stop where it gains, or opens on
//! a bar that is missing or cannot be believed.

use super::stage::{agent, config, universe};
use crate::common::{Run, bar_at};
use hive_core::agents::declaration::DrawnNumber;
use hive_core::agents::families;
use hive_core::engine::Outputs;
use hive_domain::{
    Action, Bar, Event, FamilyId, InstrumentId, MarketEvent, MessageKind, Reason, SideRule, Term, Verb,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Step {
    change: f64,
    up: f64,
    down: f64,
    gap: f64,
    volume: f64,
    /// 0 missing, 1 broken, else as it is.
    kind: u8,
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![4 => -0.02..0.02_f64, 1 => -0.25..0.30_f64, 1 => Just(0.0)];
    let wick = prop_oneof![Just(0.0), 0.0..0.05_f64];
    let volume = prop_oneof![6 => 1.0..1e6_f64, 1 => Just(0.0), 1 => Just(f64::INFINITY)];
    (size, wick.clone(), wick, -0.01..0.01_f64, volume, 0_u8..24)
        .prop_map(|(change, up, down, gap, volume, kind)| Step { change, up, down, gap, volume, kind })
}

/// Those whose entries rest at levels.
const RESTS: &str = "rests-";

/// All families, with short look-backs, on both sides, and presets of all goals.
pub(super) fn everybody() -> hive_core::config::Config {
    let shipped = hive_core::config::shipped().unwrap();
    let mut all = Vec::new();
    for family in FamilyId::ALL.iter().filter(|f| !f.is_structured()) {
        for (i, side) in SideRule::ALL.iter().enumerate() {
            let short: Vec<(&str, f64)> = families::info(*family)
                .params
                .iter()
                .map(|p| {
                    (p.name, if p.is_lookback() { (p.default.from / 2.0).ceil() } else { p.default.from })
                })
                .collect();
            let mut who = agent(*family, &short);
            who.name = format!("{family}-{side}");
            who.side = *side;
            who.goal = hive_domain::Goal::ALL[(family.index() + i) % 4];
            if *family == FamilyId::SupportResistance {
                // The same with orders that rest.
                let mut rests = who.clone();
                rests.name = format!("{RESTS}{side}");
                rests.params.insert("rest".to_owned(), DrawnNumber { from: 3.0, to: 3.0 });
                rests.params.insert("frame".to_owned(), DrawnNumber { from: 2.0, to: 2.0 });
                all.push(rests);
            }
            all.push(who);
        }
    }
    let mut config = config(all);
    config.roster.presets = shipped.roster.presets;
    config.costs = shipped.costs;
    config
}

fn is_number(action: &Action) -> bool {
    let text = format!("{action:?}");
    !text.split(|c: char| !c.is_alphanumeric()).any(|w| w == "NaN" || w == "inf")
}

fn check(
    config: &hive_core::config::Config,
    run: &Run,
    id: hive_domain::AgentId,
    a: &Action,
) -> Result<(), TestCaseError> {
    prop_assert!(is_number(a), "{:?}", a);
    let agent = &run.engine.cast().agents[id.index()];
    let preset = config.roster.presets[agent.goal.index()];
    let side = a.side();
    prop_assert!(agent.side.allows(a.after) && agent.side.allows(a.before));
    prop_assert!(a.price > 0.0 && a.after * side >= 0.0, "{:?} goes through flat", a);
    match a.verb {
        Verb::Open => prop_assert!(a.before == 0.0 && a.after != 0.0),
        Verb::Increase => prop_assert!(a.after.abs() > a.before.abs()),
        Verb::Decrease => prop_assert!(a.after.abs() < a.before.abs() && a.after != 0.0),
        Verb::Close => prop_assert!(a.after == 0.0 && a.before != 0.0),
        Verb::Amend => prop_assert!(false, "an alone life amends nothing"),
    }
    if a.verb != Verb::Open {
        return Ok(());
    }
    let plan = &a.plan;
    let Term::Level(stop) = plan.stop.right else {
        return Err(TestCaseError::fail("a stop without a price"));
    };
    prop_assert!(stop > 0.0 && side * (a.price - stop) > 0.0, "{:?}", a);
    prop_assert_eq!(plan.targets.len(), 2, "a target is missing");
    for target in &plan.targets {
        if let (Term::Close, Term::Level(price)) = (target.when.left, target.when.right) {
            prop_assert!(price > 0.0 && side * (price - a.price) > 0.0, "{:?}", a);
        }
        prop_assert!(target.fraction > 0.0 && target.fraction <= 1.0);
    }
    prop_assert_eq!(plan.add.is_some(), preset.adds > 0);
    if let Some((when, size)) = plan.add {
        let Term::Level(price) = when.right else {
            return Err(TestCaseError::fail("an add without a price"));
        };
        prop_assert!(size > 0.0 && side * (price - a.price) > 0.0);
    }
    if preset.trail == 0.0 {
        prop_assert!(plan.trail.is_none());
    }
    prop_assert!(plan.hedge.is_some());
    let Some(again) = &plan.reenter else { return Err(TestCaseError::fail("no re-entry")) };
    prop_assert!(again.side == side && again.not_before >= 1 && again.within >= again.not_before);
    let Term::Level(hold) = plan.expire.right else { return Err(TestCaseError::fail("no time stop")) };
    prop_assert!(hold >= 1.0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn actions_are_sound_whatever_the_market_does(
        steps in prop::collection::vec(prop::array::uniform3(step()), 220),
    ) {
        let config = everybody();
        let mut run = Run::start(&config, &universe(&["AAA", "BBB", "CCC"]));
        let mut out = Outputs::default();
        let mut price = [100.0_f64, 3.0, 0.02];
        let mut levels = std::collections::BTreeMap::new();
        for (i, three) in steps.iter().enumerate() {
            let at = bar_at(i as i64 + 1);
            let (mut fresh, mut range) = ([false; 3], [(0.0, 0.0); 3]);
            for (n, s) in three.iter().enumerate() {
                let open = price[n] * (1.0 + s.gap);
                let close = open * (1.0 + s.change);
                let (high, low) = (open.max(close) * (1.0 + s.up), open.min(close) * (1.0 - s.down));
                let mut bar = Bar { open, high, low, close, volume: s.volume };
                if s.kind == 0 {
                    continue;
                }
                if s.kind == 1 {
                    bar.close = if i % 2 == 0 { f64::NAN } else { -close };
                } else {
                    price[n] = close;
                    (fresh[n], range[n]) = (true, (low, high));
                }
                let instrument = InstrumentId(n as u16);
                let counts = run.step(&Event::Market(MarketEvent::Bar { instrument, at, bar }), &mut out);
                prop_assert_eq!(counts, s.kind != 1);
            }
            let from = run.messages.len();
            run.step(&Event::Barrier(at), &mut out);
            for m in &run.messages[from..] {
                let hive_domain::Speaker::Agent(id) = m.from else { continue };
                // What is held in legs is asked in the file of its family.
                if run.engine.cast().agents[id.index()].slots.is_empty() {
                    continue;
                }
                let asset = m.asset.unwrap().index();
                if let MessageKind::Rest(order) = &m.body {
                    // It would be filled at a better price than the last, and is stopped beyond that.
                    let (side, Term::Level(stop)) = (order.after.signum(), order.plan.stop.right) else {
                        return Err(TestCaseError::fail("a stop without a price"));
                    };
                    prop_assert!(side * (price[asset] - order.limit) > 0.0, "{:?}", order);
                    prop_assert!(side * (order.limit - stop) > 0.0 && order.within > 0, "{:?}", order);
                    levels.insert((id, asset), order.limit);
                }
                if let MessageKind::Action(a) = &m.body {
                    prop_assert!(fresh[asset], "acts without a bar: {:?}", m);
                    let name = &run.engine.cast().agents[id.index()].name;
                    if name.starts_with(RESTS) && a.verb == Verb::Open && a.reason == Reason::Signal {
                        prop_assert!(levels.contains_key(&(id, asset)), "it was not said: {:?}", a);
                        let (low, high) = range[asset];
                        prop_assert!(low <= a.price && a.price <= high, "filled outside of its bar: {:?}", a);
                    } else {
                        prop_assert_eq!(a.price, price[asset]);
                    }
                    prop_assert!(a.reason != Reason::Delisted);
                    // Where it was decided to open: at the level, if it rested there.
                    let level = levels.remove(&(id, asset)).filter(|_| a.verb == Verb::Open && a.reason == Reason::Signal);
                    check(&config, &run, id, &Action { price: level.unwrap_or(a.price), ..a.clone() })?;
                }
            }
        }
        prop_assert!(run.engine.balances().is_ok());
        prop_assert!(run.engine.respond.real.account.halted.is_none(), "{:?}", run.engine.respond.real.account.halted);
    }
}

#[test]
fn the_series_above_make_everybody_speak() {
    // The same cast on one long walk: the property above is about something.
    let config = everybody();
    let mut run = Run::start(&config, &universe(&["AAA", "BBB", "CCC"]));
    let walk = |seed: u64| {
        let mut p = 100.0;
        let r = |i: u64| 0.02 * hive_domain::random::normal(hive_domain::random::key(seed, &[i]));
        (0..600)
            .map(|i| {
                p *= 1.0 + r(i);
                p
            })
            .collect::<Vec<f64>>()
    };
    run.play(&super::stage::events(&[walk(1), walk(2), walk(3)]));
    for agent in &run.engine.cast().agents {
        let n = (0..3).map(|a| super::stage::acts(&run, agent.id.0, a).len()).sum::<usize>();
        assert!(n > 5, "{} acted {n} times", agent.name);
    }
}
