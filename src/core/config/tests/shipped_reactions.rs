//! The reactions that are shipped: characters in the ready rosters.

use super::*;
use crate::agents::declaration::Declaration;
use crate::domain::{HeardOn, Reaction, ReactionEffect, SideRule, Whom};
use std::collections::{BTreeMap, BTreeSet};

const ROSTERS: [(&str, &str); 7] = [
    ("built in", SHIPPED),
    ("default", include_str!("../../../../assets/rosters/default.toml")),
    ("by-goal", include_str!("../../../../assets/rosters/by-goal.toml")),
    ("by-strategy", include_str!("../../../../assets/rosters/by-strategy.toml")),
    ("by-goal-and-strategy", include_str!("../../../../assets/rosters/by-goal-and-strategy.toml")),
    ("by-asset", include_str!("../../../../assets/rosters/by-asset.toml")),
    ("full-house", include_str!("../../../../assets/rosters/full-house.toml")),
];

/// Each by its name, and how it reads; where one agent is heard, NAME stands for it.
const SENTENCES: [(&str, &str); 37] = [
    ("apprentice enters", "when NAME opened or increased on my asset within 1d, I enter with them"),
    ("apprentice leaves", "when NAME closed or decreased on my asset within 1d, I close"),
    ("automated spares costs", "when another cost the desk money within 1d, I open 0.8 times my size"),
    (
        "arbitrageur takes sooner",
        "when one of arbitrage closed or decreased on my asset within 1h, I hold my targets at 0.6 of their distance",
    ),
    (
        "big money presses",
        "when big_money reads below 0.5 while low_risk is reached, I open 1.25 times my size",
    ),
    ("carrier halves", "when 3 others lost on my asset within 1d, I cut 50 % of my position"),
    (
        "contrarian fades",
        "when 2 others stood within 1 volatility of an announced stop on my asset against me, I enter against them",
    ),
    (
        "contrarian shrinks",
        "when 5 others opened or increased on my asset on my side within 1d, I open 0.5 times my size",
    ),
    (
        "crowd leaves",
        "when 3 others closed or decreased on my asset on my side within 1d, I hold my stop at 0.8 of its distance",
    ),
    (
        "doubt of the rest",
        "when 2 others were doubted by the rest on my asset on my side within 2d, I wait 1d",
    ),
    ("fast takes sooner", "when fast reads below 0.5, I hold my targets at 0.6 of their distance"),
    (
        "guardian hedges",
        "when NAME stood within 1 volatility of an announced stop on my asset, I hedge 50 % of my position",
    ),
    ("guardian waits", "when NAME lost on my asset within 2d, I wait 2d"),
    (
        "herald follows",
        "when 2 others opened or increased on my asset on my side within 1d, I enter with them",
    ),
    (
        "hunter reaches",
        "when 2 others won on my asset on my side within 2d, I hold my targets at 1.25 of their distance",
    ),
    (
        "latecomer shrinks",
        "when 2 others increased on my asset on my side within 2d, I open 0.75 times my size",
    ),
    (
        "liquid is larger",
        "when another asked less than 1 bp for working orders on my asset within 2d, I open 1.25 times my size",
    ),
    ("low risk heeds its manager", "when the manager for low_risk tightened a knob within 1d, I wait 12h"),
    ("low risk tightens", "when low_risk reads below 0.5, I hold my stop at 0.7 of its distance"),
    ("low risk waits", "when low_risk reads below 0.5, I wait 1d"),
    ("maker thins", "when 3 others opened or increased on my asset within 4h, I cut 50 % of my position"),
    ("maker waits for calm", "when 2 others lost on my asset within 4h, I wait 1h"),
    ("payers leave", "when 5 others closed or decreased on my asset within 8h, I cut 50 % of my position"),
    (
        "provider starts small",
        "when 2 others opened or increased on my asset within 2d, I open 0.5 times my size",
    ),
    (
        "others hold back",
        "when 2 others held back on another asset on my side within 2d, I open 0.5 times my size",
    ),
    (
        "profits with the crowd",
        "when 2 others decreased on my asset on my side within 1d, I hold my targets at 0.8 of their distance",
    ),
    (
        "range yields",
        "when 2 of trend opened or increased on another asset against me within 1d, I cut 50 % of my position",
    ),
    ("scalper stands aside", "when one of scalp lost on my asset within 1h, I wait 30m"),
    ("sceptic waits", "when 3 others opened or increased on my asset against me within 1d, I wait 1d"),
    (
        "spares the carry",
        "when another quoted a carry of more than 0.05 of notional a year on my asset against me within 1d, I hold my targets at 0.6 of their distance",
    ),
    (
        "stops are drawn in",
        "when 2 others changed conditions on my asset on my side within 4d, I hold my stop at 0.7 of its distance",
    ),
    (
        "triangle shares",
        "when one of triangular_arbitrage opened or increased on my asset within 1h, I open 0.5 times my size",
    ),
    ("twin halves", "when NAME opened or increased on my asset within 1d, I cut 50 % of my position"),
    (
        "twin tightens",
        "when NAME opened or increased on my asset within 1d, I hold my stop at 0.6 of its distance",
    ),
    ("volatility seller closes", "when one of volatility opened or increased on my asset within 4h, I close"),
    ("wait for the crowd to clear", "when 2 others lost on my asset on my side within 1d, I wait 2d"),
    (
        "yields to resting orders",
        "when another rested an order to open on my asset against me within 2d, I hold my targets at 0.7 of their distance",
    ),
];

/// How many of them only families in legs have.
const OF_LEGS: usize = 9;

fn agents(name: &str) -> Vec<Declaration> {
    let (_, text) = ROSTERS.iter().find(|(n, _)| *n == name).unwrap();
    parse(name, text).unwrap_or_else(|p| panic!("{p}")).roster.agents
}

fn sentence(rule: &Reaction) -> String {
    match &rule.hears.who {
        Whom::Agent(name) => rule.to_string().replacen(name.as_str(), "NAME", 1),
        _ => rule.to_string(),
    }
}

fn effect(then: ReactionEffect) -> &'static str {
    match then {
        ReactionEffect::Wait(_) => "wait",
        ReactionEffect::Enter(_) => "enter",
        ReactionEffect::Size(_) => "size",
        ReactionEffect::Stop(_) => "stop",
        ReactionEffect::Target(_) => "target",
        ReactionEffect::Cut(_) => "cut",
        ReactionEffect::Hedge(_) => "hedge",
    }
}

#[test]
fn the_shipped_reactions_are_these_and_read_as_sentences() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut of_bars: Vec<Reaction> = Vec::new();
    for (name, _) in ROSTERS {
        for agent in agents(name) {
            for rule in agent.reacts {
                found.entry(rule.name.clone()).or_default().insert(sentence(&rule));
                if name == "built in" {
                    of_bars.push(rule);
                }
            }
        }
    }
    let expected: BTreeMap<String, BTreeSet<String>> =
        SENTENCES.iter().map(|(n, s)| ((*n).to_owned(), BTreeSet::from([(*s).to_owned()]))).collect();
    assert_eq!(found, expected);
    // All but those of families in legs are in the roster of bars: all that can be heard, and all that can be done.
    let of = |f: &dyn Fn(&Reaction) -> String| of_bars.iter().map(f).collect::<BTreeSet<_>>();
    assert_eq!(of(&|r| r.name.clone()).len(), SENTENCES.len() - OF_LEGS);
    let word = |r: &Reaction| format!("{:?}", r.hears.what).split([' ', '(']).next().unwrap().to_owned();
    assert_eq!(of(&word).len(), 16, "all but confirmed");
    assert_eq!(of(&|r| effect(r.then).to_owned()).len(), 7);
    assert!(of_bars.iter().any(|r| r.hears.on == HeardOn::Others));
    assert!(of_bars.iter().any(|r| matches!(r.hears.who, Whom::Family(_))));
    assert!(of_bars.iter().any(|r| !r.then.is_cautious()) && of_bars.iter().any(|r| r.then.is_cautious()));
}

#[test]
fn nearly_everybody_reacts_and_the_hermits_do_not() {
    for (name, _) in ROSTERS {
        let all = agents(name);
        for agent in &all {
            let hermit = agent.personality == "hermit";
            assert_eq!(agent.reacts.is_empty(), hermit, "{name}: {}", agent.name);
        }
        let mut counts: Vec<usize> = all.iter().map(|a| a.reacts.len()).collect();
        counts.sort_unstable();
        assert!(name == "by-strategy" || counts[counts.len() / 2] >= 2, "{name}: {counts:?}");
    }
    assert!(agents("built in").iter().filter(|a| a.personality == "hermit").count() >= 2);
}

#[test]
fn twins_hear_each_other_on_one_asset_from_both_sides() {
    for (roster, pairs) in [("built in", 2), ("by-asset", 4)] {
        let all = agents(roster);
        let twin = |agent: &Declaration| {
            let mut names = agent.reacts.iter().filter(|r| r.name.starts_with("twin")).map(|r| &r.hears.who);
            let first = names.next()?.clone();
            assert!(names.all(|who| *who == first), "{}", agent.name);
            Some(first)
        };
        let longs = all.iter().filter(|a| a.side == SideRule::Long);
        let found = longs.filter(|long| {
            let Some(Whom::Agent(name)) = twin(long) else { return false };
            let short = all.iter().find(|a| a.name == name).unwrap();
            assert_eq!((short.side, &short.assets), (SideRule::Short, &long.assets), "{name}");
            assert_eq!(twin(short), Some(Whom::Agent(long.name.clone())), "{name}");
            true
        });
        assert!(found.count() >= pairs, "{roster}");
    }
}
