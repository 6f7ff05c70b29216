//! Eight families, each on a series where the right trade is known: side, bar of opening and closing, and
//! the condition that acted. Indicators are computed here again, in the plainest way.
//!
//! Nobody opens before bar 67: conditions rest on the usual volatility, which is known after 68 bars.

use super::stage::*;
use crate::common::Run;
use hive_core::agents::declaration::Declaration;
use hive_domain::{FamilyId, MessageKind, Reason, SideRule, Term, Verb, random};
use std::f64::consts::TAU;

const WARM: usize = 67;

fn ema(path: &[f64], n: f64) -> Vec<f64> {
    let mut value = path[0];
    let step = |x: &f64| {
        value += 2.0 / (n + 1.0) * (x - value);
        value
    };
    path.iter().map(step).collect()
}

fn mean(path: &[f64], i: usize, n: usize) -> f64 {
    path[i + 1 - n..=i].iter().sum::<f64>() / n as f64
}

fn z(path: &[f64], i: usize, n: usize) -> f64 {
    let m = mean(path, i, n);
    let variance = path[i + 1 - n..=i].iter().map(|x| (x - m) * (x - m)).sum::<f64>() / n as f64;
    (path[i] - m) / variance.sqrt()
}

/// Log return over n bars in units of its expected size, the volatility with a span of 120.
fn score(path: &[f64], i: usize, n: usize) -> f64 {
    let keep: f64 = 1.0 - 2.0 / 121.0;
    let (mut sum, mut weight) = (0.0, 0.0);
    for w in path[..=i].windows(2) {
        let r = (w[1] / w[0]).ln();
        sum = keep * sum + r * r;
        weight = keep * weight + 1.0;
    }
    (path[i] / path[i - n]).ln() / ((sum / weight).sqrt() * (n as f64).sqrt())
}

fn first(range: std::ops::Range<usize>, holds: impl Fn(usize) -> bool) -> usize {
    range.clone().find(|i| holds(*i)).unwrap_or_else(|| panic!("nowhere in {range:?}"))
}

/// Bar, verb and reason of each action.
fn told(acts: &[(usize, hive_domain::Action)]) -> Vec<(usize, Verb, Reason)> {
    acts.iter().map(|(i, a)| (*i, a.verb, a.reason)).collect()
}

fn level(term: Term) -> f64 {
    match term {
        Term::Level(x) => x,
        other => panic!("{other:?} is no price"),
    }
}

#[test]
fn directional_holds_its_view_until_the_drift_speaks_against_it() {
    let mut path = tremble(90, 100.0, 0.002);
    go(&mut path, 20, -0.003);
    let mut who = agent(FamilyId::Directional, &[("drift", 20.0), ("tolerance", 1.0)]);
    who.side = SideRule::Long;
    let acts = solo(who, &path);
    let out = first(90..110, |i| score(&path, i, 20) < -1.0);
    assert_eq!(told(&acts), [(WARM, Verb::Open, Reason::Signal), (out, Verb::Close, Reason::Exit)]);
    assert_eq!(acts[0].1.side(), 1.0);
    assert!((91..96).contains(&out), "some bars after the fall began: {out}");
}

#[test]
fn directional_of_both_sides_takes_the_side_of_the_drift() {
    for by in [0.001, -0.001] {
        let mut path = vec![100.0];
        go(&mut path, 80, by);
        let acts = solo(agent(FamilyId::Directional, &[("drift", 20.0), ("tolerance", 1.0)]), &path);
        assert_eq!((acts[0].0, acts[0].1.side()), (WARM, f64::signum(by)));
    }
}

#[test]
fn trend_follows_the_crossing_and_is_stopped_where_it_said() {
    // A slow fall with a tremble, a jump, a pause, a fall.
    let tremor = |i: i32| if i % 2 == 0 { 1.0 } else { 1.002 };
    let mut path: Vec<f64> = (0..100).map(|i| 100.0 * 0.9995_f64.powi(i) * tremor(i)).collect();
    go(&mut path, 1, 0.05);
    go(&mut path, 4, 0.002);
    go(&mut path, 12, -0.01);
    let mut who = agent(FamilyId::Trend, &[("fast", 10.0), ("slow", 40.0)]);
    who.side = SideRule::Long;
    let acts = solo(who, &path);
    let (fast, slow) = (ema(&path, 10.0), ema(&path, 40.0));
    let cross = first(WARM..path.len(), |i| fast[i] > slow[i] && path[i] > fast[i]);
    assert!((100..103).contains(&cross), "the jump turns the averages: {cross}");
    let stop = level(acts[0].1.plan.stop.right);
    let fallen = first(cross..path.len(), |i| path[i] < stop);
    let (opened, closed) = ((cross, Verb::Open, Reason::Signal), (fallen, Verb::Close, Reason::Stop));
    assert_eq!(told(&acts), [opened, closed]);
}

#[test]
fn trend_leaves_when_the_averages_cross_back_and_trails_when_it_gave_too_much_back() {
    let mut path = tremble(80, 100.0, 0.002);
    go(&mut path, 30, 0.001);
    let top = path.len();
    // So slow a fall that the averages cross before the trailing stop is met.
    go(&mut path, 60, -0.000_5);
    let mut who = agent(FamilyId::Trend, &[("fast", 10.0), ("slow", 40.0)]);
    who.side = SideRule::Long;
    let closes = |acts: &[(usize, hive_domain::Action)]| {
        let from = acts.iter().filter(|(i, a)| a.verb == Verb::Close && *i >= top);
        from.map(|(i, a)| (*i, a.reason)).next().unwrap()
    };
    let (fast, slow) = (ema(&path, 10.0), ema(&path, 40.0));
    let back = first(top..path.len(), |i| fast[i] < slow[i]);
    assert_eq!(closes(&solo(who.clone(), &path)), (back, Reason::Exit));
    // A fall at once: the trailing stop, where the best close less its distance is.
    path.truncate(top);
    go(&mut path, 10, -0.006);
    let acts = solo(who, &path);
    let entry = &acts.iter().rfind(|(_, a)| a.verb == Verb::Open).unwrap().1;
    let Some(Term::Trail(given)) = entry.plan.trail.map(|c| c.right) else { panic!("no trail") };
    let best = path[top - 1];
    let hit = first(top..path.len(), |i| path[i] < best * (1.0 - given));
    assert_eq!(closes(&acts), (hit, Reason::Trail));
}

#[test]
fn momentum_goes_in_when_three_horizons_agree_and_out_when_the_middle_turns() {
    // Half a point a bar: down to bar 120, up to bar 140, down again.
    let mut path: Vec<f64> = (0..=120).map(|i| 200.0 - 0.5 * f64::from(i)).collect();
    path.extend((1..=20).map(|k| 140.0 + 0.5 * f64::from(k)));
    path.extend((1..=20).map(|k| 150.0 - 0.5 * f64::from(k)));
    let params = [("short", 5.0), ("medium", 10.0), ("long", 20.0)];
    let mut who = agent(FamilyId::Momentum, &params);
    who.side = SideRule::Long;
    let acts = solo(who.clone(), &path);
    // The return over 20 bars is above nothing after 11 bars of rise, that over 10 below after 6 of fall.
    let add = level(acts[0].1.plan.add.unwrap().0.right);
    let more = first(131..146, |i| path[i] > add);
    let wanted = [
        (131, Verb::Open, Reason::Signal),
        (more, Verb::Increase, Reason::Add),
        (146, Verb::Close, Reason::Exit),
    ];
    assert_eq!(told(&acts), wanted);
    // The other way round for a short: in as soon as it knows, out 6 bars after the turn.
    who.side = SideRule::Short;
    let acts = solo(who, &path);
    assert_eq!((acts[0].0, acts[0].1.side()), (WARM, -1.0));
    let out = acts.iter().find(|(i, a)| a.verb == Verb::Close && *i > 110).unwrap();
    assert_eq!((out.0, out.1.reason), (126, Reason::Exit));
}

#[test]
fn residual_momentum_goes_by_what_an_asset_did_beyond_the_market() {
    // All fall with the market; AAA, which feels half of it, falls less than its slope says, CCC by more.
    let draw = |i: i32, key: u64| random::normal(random::key(key, &[i as u64]));
    let path = |beta: f64, drift: f64, key: u64| {
        let mut price = 100.0_f64;
        let step = |i: i32| {
            price *= (beta * (0.01 * draw(i, 1) - 0.003) + drift + 0.002 * draw(i, key)).exp();
            price
        };
        (0..260).map(step).collect::<Vec<f64>>()
    };
    let paths = [path(0.5, 0.001, 2), path(1.0, 0.0, 3), path(1.5, -0.001, 4)];
    let opened = |residual: f64| {
        let params = [("short", 20.0), ("medium", 40.0), ("long", 60.0), ("residual", residual)];
        let who = agent(FamilyId::Momentum, &params);
        let mut run = Run::start(&config(vec![who]), &universe(&["AAA", "BBB", "CCC"]));
        run.play(&events(&paths));
        [0, 2].map(|asset| {
            let opens = acts(&run, 0, asset).into_iter().filter(|(_, a)| a.verb == Verb::Open);
            let sides: Vec<f64> = opens.map(|(_, a)| a.side()).collect();
            assert!(!sides.is_empty(), "asset {asset} was left alone");
            sides
        })
    };
    let ([first, last], plain) = (opened(1.0), opened(0.0));
    assert!(
        first.iter().all(|side| *side > 0.0) && last.iter().all(|side| *side < 0.0),
        "{first:?} {last:?}"
    );
    // All of them fell: of their returns it would mostly be short.
    let short = |sides: &Vec<f64>| sides.iter().filter(|side| **side < 0.0).count();
    assert!(plain.iter().all(|sides| 2 * short(sides) > sides.len()), "{plain:?}");
}

#[test]
fn relative_strength_buys_the_strongest_and_sells_the_weakest() {
    // AAA and BBB go nowhere; CCC rises and DDD falls until bar 150, then both turn, three times as fast.
    let tremor = |i: i32| if i % 2 == 0 { 1.0 } else { 1.002 };
    let way = |i: i32| f64::from(if i < 150 { i } else { 150 - 3 * (i - 150) });
    let path = |by: f64| (0..170).map(|i| 10.0 * (by * way(i)).exp() * tremor(i)).collect::<Vec<_>>();
    let paths = [path(0.0), path(0.0), path(0.001), path(-0.001)];
    let who = agent(FamilyId::RelativeStrength, &[("window", 30.0), ("cut", 0.2)]);
    // Where nothing can be short there is no neutral basket: each asset is a view of its own.
    let mut feed = universe(&["AAA", "BBB", "CCC", "DDD"]);
    feed.instruments.iter_mut().for_each(|i| i.kind = hive_domain::InstrumentKind::Spot);
    let mut run = Run::start(&config(vec![who]), &feed);
    run.play(&events(&paths));
    assert!(story(&run, 0, 0).is_empty() && story(&run, 0, 1).is_empty(), "the middle is left alone");
    for (asset, side) in [(2, 1.0), (3, -1.0)] {
        let acts = acts(&run, 0, asset);
        assert_eq!((acts[0].0, acts[0].1.side(), acts[0].1.reason), (WARM, side, Reason::Signal));
        let out = acts.iter().find(|(_, a)| a.verb == Verb::Close).unwrap();
        // 30 bars back from bar 158 lies 2 steps further: it is now the other end of the ranking.
        assert_eq!((out.0, out.1.reason), (158, Reason::Exit), "asset {asset}");
        let next = acts.iter().find(|(i, a)| a.verb == Verb::Open && *i > 158).unwrap();
        assert_eq!((next.0, next.1.side()), (161, -side), "after its pause it takes the other side");
    }
}

#[test]
fn relative_strength_of_two_assets_stands_by() {
    let path = |by: f64| (0..150).map(|i| 10.0 * (by * f64::from(i)).exp()).collect::<Vec<_>>();
    let who = agent(FamilyId::RelativeStrength, &[("window", 30.0), ("cut", 0.2)]);
    let mut run = Run::start(&config(vec![who]), &universe(&["AAA", "BBB"]));
    run.play(&events(&[path(0.001), path(-0.001)]));
    assert!(run.messages.iter().all(|m| !matches!(m.body, hive_domain::MessageKind::Action(_))));
    assert!(run.engine.cast().notices[0].contains("needs three assets"), "{:?}", run.engine.cast().notices);
}

#[test]
fn range_buys_the_dip_and_takes_its_profit_at_the_middle() {
    let mut path = tremble(100, 100.0, 0.004);
    path.extend([99.0, 100.0, 100.1, 100.6]);
    let acts = solo(agent(FamilyId::Range, &[("window", 20.0), ("edge", 2.0), ("quiet", 0.4)]), &path);
    assert!(z(&path, 100, 20) < -2.0 && (WARM..100).all(|i| z(&path, i, 20).abs() < 2.0));
    let middle = first(101..104, |i| z(&path, i, 20) > 0.0);
    assert_eq!(acts[0].1.side(), 1.0);
    let ends = told(&acts);
    assert_eq!(ends[0], (100, Verb::Open, Reason::Signal));
    assert_eq!(ends[ends.len() - 1], (middle, Verb::Close, Reason::Target));
}

#[test]
fn range_stays_away_from_a_trend_and_gives_up_when_one_begins() {
    let params = [("window", 20.0), ("edge", 1.5), ("quiet", 0.3)];
    // A straight line has an edge in every bar and is no range.
    let mut line = vec![100.0];
    go(&mut line, 150, 0.003);
    assert!(z(&line, 120, 20) > 1.5);
    assert_eq!(solo(agent(FamilyId::Range, &params), &line), []);
    // Sold at the upper edge of a range that then breaks up, slowly enough for the stop.
    let mut path = tremble(100, 100.0, 0.01);
    path.push(102.0);
    go(&mut path, 19, 0.001);
    let acts = solo(agent(FamilyId::Range, &params), &path);
    assert_eq!((acts[0].0, acts[0].1.side()), (100, -1.0));
    let strength = |i: usize| {
        let steps: f64 = path[i - 20..=i].windows(2).map(|w| (w[1] - w[0]).abs()).sum();
        (path[i] - path[i - 20]).abs() / steps
    };
    let end = acts.iter().find(|(_, a)| a.verb == Verb::Close).unwrap();
    let trend = first(101..120, |i| strength(i) > 1.75 * 0.3);
    assert_eq!((end.0, end.1.reason), (trend, Reason::Exit));
}

/// A wide swing with its trade in the middle, so that no extreme is a level worth turning at.
fn swing(bars: i32) -> (Vec<f64>, Vec<f64>) {
    let phase = |i: i32| (f64::from(i) * TAU / 20.0).sin();
    let volume = |i: i32| if phase(i).abs() < 0.2 { 100.0 } else { 1.0 };
    ((0..bars).map(|i| 100.0 + 5.0 * phase(i)).collect(), (0..bars).map(volume).collect())
}

#[test]
fn support_resistance_follows_a_busy_break_of_a_confirmed_level() {
    let params = [("pivot", 4.0), ("profile", 60.0), ("buffer", 0.1), ("busy", 1.4)];
    for (up, busy) in [(true, true), (false, true), (true, false)] {
        let (mut path, mut volumes) = swing(101);
        // Beyond the last swing by two points.
        path.push(if up { 107.0 } else { 93.0 });
        volumes.push(if busy { 200.0 } else { 1.0 });
        let mut run =
            Run::start(&config(vec![agent(FamilyId::SupportResistance, &params)]), &universe(&["AAA"]));
        run.play(&events_with(&path, &volumes));
        let acts = acts(&run, 0, 0);
        if busy {
            assert_eq!(told(&acts), [(101, Verb::Open, Reason::Signal)]);
            let side = if up { 1.0 } else { -1.0 };
            assert_eq!(acts[0].1.side(), side);
            let stop = level(acts[0].1.plan.stop.right);
            let broken = if up { 105.0 } else { 95.0 };
            assert!(side * (broken - stop) > 0.0, "the stop {stop} lies beyond the level {broken}");
        } else {
            assert!(acts.is_empty(), "a break that nobody trades is none: {acts:?}");
        }
    }
}

#[test]
fn support_resistance_turns_at_a_worn_level() {
    // A narrow swing: all trade is near its ends. Lows at bars 15, 35, …, highs at 5, 25, …
    let path: Vec<f64> = (0..100).map(|i| 100.0 + (f64::from(i) * TAU / 20.0).sin()).collect();
    let params = [("pivot", 4.0), ("profile", 60.0), ("buffer", 0.1), ("busy", 0.9)];
    for (side, wanted) in [(SideRule::Short, [(86, -1.0)]), (SideRule::Long, [(76, 1.0)])] {
        let turner = Declaration { side, ..agent(FamilyId::SupportResistance, &params) };
        let acts = solo(turner, &path);
        let signals = acts.iter().filter(|(_, a)| a.verb == Verb::Open && a.reason == Reason::Signal);
        let opens: Vec<(usize, f64)> = signals.map(|(i, a)| (*i, a.side())).collect();
        for open in wanted {
            assert!(opens.contains(&open), "{side} at the bar after the turn: {opens:?}");
        }
    }
}

/// A break of 105 on busy trade, and what comes after it, told to one whose entries rest for three bars.
fn retest(after: &[f64]) -> Run {
    let params = [("pivot", 4.0), ("profile", 60.0), ("buffer", 0.1), ("busy", 1.4), ("rest", 3.0)];
    let (mut path, mut volumes) = swing(101);
    path.push(107.0);
    path.extend(after);
    volumes.resize(path.len(), 200.0);
    let mut run = Run::start(&config(vec![agent(FamilyId::SupportResistance, &params)]), &universe(&["AAA"]));
    run.play(&events_with(&path, &volumes));
    run
}

/// Where an order rested, and when that was said.
fn rested(run: &Run) -> Vec<(usize, f64)> {
    let orders = run.messages.iter().filter_map(|m| match &m.body {
        MessageKind::Rest(order) => Some((index(m), order.limit)),
        _ => None,
    });
    orders.collect()
}

#[test]
fn support_resistance_rests_at_the_broken_level_and_is_filled_there_by_the_retest() {
    let run = retest(&[106.0, 104.5, 106.5]);
    assert_eq!(rested(&run)[0], (101, 105.0));
    let acts = acts(&run, 0, 0);
    let open = &acts[0];
    assert_eq!((open.0, open.1.verb, open.1.reason, open.1.price), (103, Verb::Open, Reason::Signal, 105.0));
    assert!(level(open.1.plan.stop.right) < 105.0);
    // The book bought at the level, at no cost here: at 106.5 it has gained what is between them, but for a part that was taken.
    let raw = &run.engine.speak.raw[0];
    let size = open.1.after * run.engine.settings().capital / 105.0;
    assert_eq!(acts.len(), 1, "{acts:?}");
    assert!((raw.quantity - size).abs() < 1e-9 * size);
    assert!((raw.equity(106.5) - 1.5 * size).abs() < 1e-9 * size, "{} {size}", raw.equity(106.5));
    // And so did the life that is shown.
    let shown = run.engine.speak.patient[0].book;
    assert!((shown.quantity - size).abs() < 1e-9 * size && shown.order == 0.0, "{shown:?}");
}

#[test]
fn support_resistance_takes_its_order_off_where_the_price_stays_away_or_only_touches() {
    for after in [[106.0, 107.0, 108.0, 104.0], [105.0, 106.0, 108.0, 104.0]] {
        let run = retest(&after);
        assert_eq!(rested(&run)[0], (101, 105.0), "three bars, of which none goes through");
        assert!(acts(&run, 0, 0).iter().all(|(i, _)| *i > 105), "{after:?}: {:?}", acts(&run, 0, 0));
        assert!(run.engine.speak.raw[0].traded == 0.0);
    }
}

#[test]
fn volatility_follows_the_break_out_of_a_compressed_market_only() {
    let params = [("fast", 10.0), ("slow", 100.0), ("squeeze", 0.8), ("channel", 20.0)];
    // A loud time, a quiet time, a break, and back.
    let mut path = tremble(120, 100.0, 0.02);
    path.extend(tremble(40, 101.0, 0.001));
    go(&mut path, 1, 0.004);
    go(&mut path, 3, 0.003);
    go(&mut path, 6, -0.004);
    let acts = solo(agent(FamilyId::Volatility, &params), &path);
    assert_eq!((acts[0].0, acts[0].1.side(), acts[0].1.reason), (160, 1.0, Reason::Signal));
    let middle = first(161..170, |i| path[i] < mean(&path, i, 20));
    assert_eq!(told(&acts)[1], (middle, Verb::Close, Reason::Exit));
    // The same break out of a loud market.
    let mut loud = tremble(160, 100.0, 0.02);
    go(&mut loud, 1, 0.01);
    assert!(loud[160] > loud[..160].iter().copied().fold(0.0, f64::max));
    assert_eq!(solo(agent(FamilyId::Volatility, &params), &loud), []);
}

#[test]
fn random_throws_its_coin_and_tires() {
    let path = tremble(400, 100.0, 0.002);
    let acts = solo(agent(FamilyId::Random, &[("every", 10.0)]), &path);
    let coin = |i: usize| {
        let names = [random::name("Solo"), random::name("AAA")];
        random::mix(random::key(1, &names), crate::common::bar_at(i as i64 + 1).0 as u64)
    };
    let opens: Vec<&(usize, hive_domain::Action)> =
        acts.iter().filter(|(_, a)| a.verb == Verb::Open).collect();
    for (i, a) in &opens {
        if a.reason == Reason::Signal {
            assert_eq!(random::below(coin(*i), 10), 0, "bar {i}");
            assert_eq!(a.side(), if random::uniform(coin(*i)) < 0.5 { 1.0 } else { -1.0 });
        }
    }
    assert_eq!(opens[0].0, first(WARM..400, |i| random::below(coin(i), 10) == 0), "the first that opens");
    for (open, close) in
        acts.iter().zip(&acts[1..]).filter(|(o, c)| o.1.verb == Verb::Open && c.1.verb == Verb::Close)
    {
        assert_eq!((close.0 - open.0, close.1.reason), (21, Reason::Exit), "more than 2 × 10 bars");
    }
    assert!(opens.len() > 8);
}

#[test]
fn a_time_stop_closes_what_goes_nowhere() {
    let mut who = agent(FamilyId::Directional, &[("drift", 20.0), ("tolerance", 1.0)]);
    who.side = SideRule::Long;
    let acts = solo(who, &tremble(130, 100.0, 0.002));
    // 2 × 20 bars, and the one that is more.
    assert_eq!(
        told(&acts)[..2],
        [(WARM, Verb::Open, Reason::Signal), (WARM + 41, Verb::Close, Reason::Expired)]
    );
    // The offer: above the average, not before 3 bars. Odd bars are the upper ones.
    assert_eq!(told(&acts)[2], (WARM + 44, Verb::Open, Reason::ReEntry));
}

#[test]
fn a_storm_halves_the_position_once() {
    let mut who = agent(FamilyId::Directional, &[("drift", 20.0), ("tolerance", 5.0)]);
    who.side = SideRule::Long;
    let mut path = tremble(100, 100.0, 0.002);
    path.extend(tremble(6, 100.0, 0.012));
    let acts = solo(who, &path);
    let hedges: Vec<_> = acts.iter().filter(|(_, a)| a.reason == Reason::Hedge).collect();
    let [(bar, hedge)] = hedges[..] else { panic!("{acts:?}") };
    assert!((101..104).contains(bar), "the second large bar or so: {bar}");
    assert_eq!((hedge.verb, hedge.after), (Verb::Decrease, 0.5 * hedge.before));
    assert!(hedge.plan.hedge.is_none());
}
