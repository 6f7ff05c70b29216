//! Who is cast: selectors, draws by the seed and by name, scouts, and what is said of names that are
//! missing.

use super::stage::{agent, config, events, universe};
use crate::common::{Run, bar_at, shipped};
use hive_core::agents::cast::cast;
use hive_core::agents::declaration::{Declaration, DrawnNumber, Roster, Selector};
use hive_core::agents::{Agent, Population};
use hive_domain::{FamilyId, Stamp, Universe};

const NAMES: [&str; 6] = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"];

fn who(name: &str, assets: Vec<Selector>) -> Declaration {
    Declaration { name: name.into(), assets, ..agent(FamilyId::Trend, &[]) }
}

fn roster(agents: Vec<Declaration>) -> Roster {
    let mut roster = config(agents).roster;
    roster.groups.insert("some".into(), vec!["DDD".into(), "AAA".into(), "XXX".into()]);
    roster
}

fn assets<'u>(cast: &Population, agent: &Agent, universe: &'u Universe) -> Vec<&'u str> {
    agent.slots.clone().map(|s| universe.name(cast.slots[s].asset)).collect()
}

fn chosen(selectors: Vec<Selector>) -> (Vec<String>, Stamp, Vec<String>) {
    let universe = universe(&NAMES);
    let cast = cast(&roster(vec![who("Solo", selectors)]), &universe, 1);
    let agent = &cast.agents[0];
    let names = assets(&cast, agent, &universe).into_iter().map(str::to_owned).collect();
    (names, agent.active_from, cast.notices.clone())
}

fn name(name: &str) -> Selector {
    Selector::Name(name.into())
}

#[test]
fn names_groups_and_any_are_what_they_say() {
    assert_eq!(chosen(vec![name("CCC")]).0, ["CCC"]);
    assert_eq!(chosen(vec![Selector::Group("some".into())]).0, ["DDD", "AAA"], "in the group's order");
    assert_eq!(chosen(vec![Selector::Any]).0, NAMES);
    assert_eq!(chosen(vec![name("DDD"), Selector::Group("some".into())]).0, ["DDD", "AAA"], "each once");
    let (_, from, notices) = chosen(vec![Selector::Any]);
    assert_eq!((from, notices.len()), (Stamp(i64::MIN), 0), "active from the start, nothing to say");
}

#[test]
fn money_like_assets_are_neither_any_nor_drawn() {
    let mut universe = universe(&NAMES);
    universe.assets[1].money_like = true;
    for (selector, wanted) in [(Selector::Any, 5), (Selector::Random(6), 5), (name("BBB"), 1)] {
        let cast = cast(&roster(vec![who("Solo", vec![selector])]), &universe, 1);
        let got = assets(&cast, &cast.agents[0], &universe);
        assert_eq!(got.len(), wanted);
        assert_eq!(got.contains(&"BBB"), wanted == 1);
    }
}

#[test]
fn top_by_volume_is_taken_up_when_the_ranking_is_known_and_not_before() {
    let (names, from, _) = chosen(vec![Selector::Top(2)]);
    assert_eq!((names, from), (vec!["FFF".to_owned(), "EEE".to_owned()], bar_at(60)));
    assert_eq!(chosen(vec![Selector::Top(99)]).0.len(), 6, "as many as there are");
    // In deed: nothing is done before, though everything is warm long before.
    let mut early = agent(FamilyId::Random, &[("every", 1.0)]);
    early.assets = vec![Selector::Top(2)];
    let mut universe = universe(&NAMES);
    universe.by_volume.iter_mut().for_each(|r| r.known_at = bar_at(150));
    let mut run = Run::start(&config(vec![early]), &universe);
    let path: Vec<f64> = (0..200).map(|i| 100.0 + f64::from(i % 3)).collect();
    run.play(&events(&vec![path; 6]));
    let first = crate::common::actions(&run.messages).map(|(m, _)| m.at).min();
    // The coin opens every second bar or so on each of two assets.
    assert!((Some(bar_at(150))..Some(bar_at(170))).contains(&first), "{first:?}");
}

#[test]
fn random_assets_are_drawn_by_the_seed() {
    let universe = universe(&NAMES);
    let draw = |seed: u64| {
        let cast = cast(&roster(vec![who("Solo", vec![Selector::Random(2)])]), &universe, seed);
        assets(&cast, &cast.agents[0], &universe).join(" ")
    };
    let all: std::collections::BTreeSet<String> = (0..40).map(draw).collect();
    assert_eq!(draw(3), draw(3));
    assert!(all.len() > 10, "seeds differ: {all:?}");
    let reached: std::collections::BTreeSet<&str> = all.iter().flat_map(|s| s.split(' ')).collect();
    assert_eq!(reached.len(), 6, "each asset can be drawn");
}

#[test]
fn parameters_are_drawn_within_their_ranges_and_by_name() {
    let universe = universe(&NAMES);
    let mut solo = who("Solo", vec![Selector::Any]);
    solo.params.insert("fast".into(), DrawnNumber { from: 10.0, to: 12.0 });
    let windows = |seed: u64, agents: Vec<Declaration>, name: &str| {
        let cast = cast(&roster(agents), &universe, seed);
        let agent = cast.agents.iter().find(|a| a.name == name).unwrap();
        cast.slots[agent.slots.start]
            .keys
            .iter()
            .filter(|k| k.is_price())
            .map(|k| k.window())
            .collect::<Vec<_>>()
    };
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let drawn = windows(seed, vec![solo.clone()], "Solo");
        assert!((10..=12).contains(&drawn[0]) && (60..=240).contains(&drawn[1]), "{drawn:?}");
        seen.insert(drawn);
    }
    assert!(seen.len() > 30);
    // Who else is there, and in which order, changes nothing.
    let other = who("Other", vec![Selector::Any]);
    let alone = windows(7, vec![solo.clone()], "Solo");
    assert_eq!(windows(7, vec![other.clone(), solo.clone()], "Solo"), alone);
    assert_ne!(windows(7, vec![other], "Other"), alone, "another name, another draw");
}

fn sketch(cast: &Population, universe: &Universe) -> Vec<(String, String, Vec<String>)> {
    cast.agents
        .iter()
        .map(|a| {
            let names = assets(cast, a, universe).into_iter().map(str::to_owned).collect();
            (a.name.clone(), format!("{:?} {:?}", a.strategy, a.params), names)
        })
        .collect()
}

#[test]
fn a_new_agent_changes_nobody_elses_draws() {
    let universe = universe(&NAMES);
    let mut config = shipped();
    config.roster.scouts = 0;
    let before = sketch(&cast(&config.roster, &universe, 5), &universe);
    config.roster.agents.insert(3, who("Newcomer", vec![Selector::Random(2)]));
    let mut after = sketch(&cast(&config.roster, &universe, 5), &universe);
    assert_eq!(after.remove(3).0, "Newcomer");
    assert_eq!(before, after);
}

#[test]
fn a_new_asset_changes_only_what_is_drawn_to_it() {
    let (small, large) = (universe(&NAMES), universe(&["AAA", "AAB", "BBB", "CCC", "DDD", "EEE", "FFF"]));
    let roster = shipped().roster;
    let (before, after) =
        (sketch(&cast(&roster, &small, 5), &small), sketch(&cast(&roster, &large, 5), &large));
    let mut drawn = 0;
    for ((name, strategy, old), (same, numbers, new)) in before.iter().zip(&after) {
        assert_eq!((name, strategy), (same, numbers), "numbers do not depend on assets");
        if new.contains(&"AAB".to_owned()) {
            // It took a place, or was added to all of them.
            drawn += 1;
            let lost = old.iter().filter(|n| !new.contains(n)).count();
            assert!(lost <= 1, "{name}: {old:?} → {new:?}");
        } else if !old.is_empty() {
            let top = roster
                .agents
                .iter()
                .find(|d| d.name == *name)
                .is_some_and(|d| d.assets.iter().any(|s| matches!(s, Selector::Top(_))));
            assert!(top || old == new, "{name}: {old:?} → {new:?}");
        }
    }
    assert!(drawn > 5 && drawn < before.len());
}

#[test]
fn scouts_are_the_declared_drawn_again_and_half_of_them_slow() {
    let universe = universe(&NAMES);
    let config = shipped();
    let n = config.roster.agents.len();
    let mut roster = config.roster.clone();
    roster.scouts = 4 * n as u32;
    let all = cast(&roster, &universe, 5);
    assert_eq!((all.declared, all.agents.len()), (n, 5 * n));
    let longest = |a: &Agent| a.strategy.indicators().iter().map(|k| k.window()).max().unwrap_or(0);
    let (mut quick, mut slow) = (0.0, 0.0);
    for (i, scout) in all.agents[n..].iter().enumerate() {
        let like = &all.agents[i % n];
        assert!(scout.scout && !scout.funded);
        assert_eq!(
            (scout.family, scout.goal, scout.side, scout.traits),
            (like.family, like.goal, like.side, like.traits)
        );
        assert_eq!(scout.name, format!("scout-{:03}", i + 1));
        if like.family != FamilyId::Random {
            assert_ne!(format!("{:?}", scout.strategy), format!("{:?}", like.strategy), "other numbers");
        }
        // Trend followers of one goal: rounds of quick and slow take turns.
        if scout.family == FamilyId::Trend {
            *(if i / n % 2 == 1 { &mut slow } else { &mut quick }) += f64::from(longest(scout));
        }
    }
    assert!((1.8..4.5).contains(&(slow / quick)), "about three times as long: {}", slow / quick);
    // Drawn by the seed, and not by how many there are.
    roster.scouts = 10;
    let few = sketch(&cast(&roster, &universe, 5), &universe);
    assert_eq!(few[..], sketch(&all, &universe)[..n + 10]);
    assert_ne!(few, sketch(&cast(&roster, &universe, 6), &universe));
}

#[test]
fn a_random_agent_is_a_control_group_unless_its_number_says_otherwise() {
    use hive_core::hive::consensus::Consensus;
    let universe = universe(&NAMES);
    let coin = |name: &str, params: &[(&str, f64)]| Declaration {
        name: name.into(),
        assets: vec![Selector::Any],
        ..agent(FamilyId::Random, params)
    };
    let mut roster = roster(vec![
        who("Trend", vec![Selector::Any]),
        coin("Luck", &[("every", 1.0)]),
        coin("Asked", &[("every", 1.0), ("control", 0.0)]),
    ]);
    roster.scouts = 6;
    let all = cast(&roster, &universe, 1);
    let is = |a: &Agent| (a.funded, a.heard);
    assert_eq!([0, 1, 2].map(|i| is(&all.agents[i])), [(true, true), (false, false), (true, true)]);
    let mut consensus = Consensus::new(&all);
    // Two declared and four scouts: the control group and those that are drawn of it are no voices.
    assert_eq!((all.agents.len(), consensus.voices()), (9, 6));
    let luck = &all.agents[1];
    let speak = |consensus: &mut Consensus| {
        let voice = luck.slots.start;
        consensus.hear(&all, voice, (1.0, 10.0), hive_domain::Holds::Notional, hive_domain::MessageId(1));
        consensus.of(all.slots[voice].asset, &vec![1.0; all.families.len()])
    };
    assert_eq!(speak(&mut consensus), 0.0, "nobody hears it");
    assert!(consensus.mute(&all, luck.id, false), "the operator may have it heard");
    assert!(speak(&mut consensus) > 0.1);
}

#[test]
fn relative_strength_and_volatility_trade_in_legs_where_these_are_listed() {
    use hive_domain::{ContractTerms, InstrumentKind, SideRule};
    let mut universe = universe(&NAMES);
    let family = |family, side| Declaration {
        name: format!("{family}-{side}"),
        assets: vec![Selector::Any],
        side,
        ..agent(family, if family == FamilyId::RelativeStrength { &[("basket", 1.0)] } else { &[] })
    };
    let roster = roster(vec![
        family(FamilyId::RelativeStrength, SideRule::Both),
        family(FamilyId::RelativeStrength, SideRule::Long),
        family(FamilyId::Volatility, SideRule::Both),
        who("Trend", vec![Selector::Any]),
    ]);
    let forms = |universe: &Universe| {
        let all = cast(&roster, universe, 1);
        assert!(all.notices.is_empty(), "{:?}", all.notices);
        all.agents.iter().map(|a| (a.slots.len(), a.structures.len())).collect::<Vec<_>>()
    };
    universe.instruments.iter_mut().for_each(|i| i.kind = InstrumentKind::Spot);
    assert_eq!(forms(&universe), [(6, 0), (6, 0), (6, 0), (6, 0)], "nothing can be short, no options");
    assert!(cast(&roster, &universe, 1).listed.instruments.is_empty(), "as if nobody looked for legs");
    universe.instruments.iter_mut().for_each(|i| i.kind = InstrumentKind::Perp);
    assert_eq!(forms(&universe), [(0, 1), (6, 0), (6, 0), (6, 0)], "all six assets are one basket");
    for call in [true, false] {
        let mut option = universe.instruments[2].clone();
        option.id = hive_domain::InstrumentId(universe.instruments.len() as u16);
        option.kind = InstrumentKind::Option;
        option.terms = ContractTerms::Option { expiry: Stamp(1 << 60), strike: 9.0, call, inverse: false };
        universe.instruments.push(option);
    }
    assert_eq!(forms(&universe), [(0, 1), (6, 0), (5, 1), (6, 0)], "a straddle on CCC, breakouts elsewhere");
    let all = cast(&roster, &universe, 1);
    assert_eq!(universe.name(all.structures[1].asset), "CCC");
    let left: Vec<&str> = assets(&all, &all.agents[2], &universe);
    assert_eq!(left, ["AAA", "BBB", "DDD", "EEE", "FFF"]);
}

#[test]
fn every_second_round_of_scouts_looks_back_further() {
    let universe = universe(&NAMES);
    let mut roster = shipped().roster;
    let n = roster.agents.len();
    roster.scouts = 6 * n as u32;
    // Six rounds of trend followers, each the same agents drawn with other numbers.
    let all = cast(&roster, &universe, 5);
    assert_eq!(all.agents.len(), roster.voices());
    let longest = |a: &Agent| a.strategy.indicators().iter().map(|k| k.window()).max().unwrap_or(0);
    let trend = |a: &&Agent| a.family == FamilyId::Trend;
    let sum = |round: &[Agent]| round.iter().filter(trend).map(|a| f64::from(longest(a))).sum();
    let spans: Vec<f64> = all.agents[n..].chunks(n).map(sum).collect();
    for (round, span) in spans.iter().enumerate() {
        let expected = if round % 2 == 1 { 1.8..4.5 } else { 0.3..1.4 };
        assert!(expected.contains(&(span / spans[0])), "round {round}: {span} beside {}", spans[0]);
    }
}

#[test]
fn scouts_are_drawn_of_the_families_that_are_declared() {
    let universe = universe(&NAMES);
    let mut roster = shipped().roster;
    roster.agents.retain(|d| d.family == FamilyId::Trend);
    let all = cast(&roster, &universe, 5);
    assert_eq!(all.agents.len(), 14 + roster.scouts as usize);
    assert_eq!(roster.voices(), all.agents.len());
    assert!(all.agents.iter().all(|a| a.family == FamilyId::Trend));
}

#[test]
fn without_agents_there_are_no_scouts() {
    let mut empty = roster(vec![]);
    empty.scouts = 10;
    assert!(cast(&empty, &universe(&NAMES), 1).agents.is_empty());
}

#[test]
fn a_name_that_the_feed_lacks_is_said_and_skipped() {
    let (names, _, notices) = chosen(vec![name("XXX"), name("BBB")]);
    assert_eq!(names, ["BBB"]);
    assert_eq!(notices, ["Solo: XXX is not on this feed and is skipped"]);
    let (names, _, notices) = chosen(vec![name("XXX")]);
    assert!(names.is_empty());
    assert!(notices[1].contains("stands by"), "{notices:?}");
    // It runs all the same.
    let mut run = Run::start(&config(vec![who("Solo", vec![name("XXX")])]), &universe(&["AAA"]));
    run.play(&events(&[vec![100.0; 30]]));
    assert!(run.engine.respond.real.account.halted.is_none());
    run.engine.balances().unwrap();
}
