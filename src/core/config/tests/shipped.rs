//! The file that is built in.

use super::*;
use crate::agents::declaration::Selector;
use crate::domain::{FamilyId, Goal, SideRule};
use crate::hive::settings::{
    AssetManager, AutomatedManager, BigMoneyManager, FastManager, LowRiskManager, Managers,
};
use std::collections::BTreeSet;

#[test]
fn the_built_in_file_has_the_promised_make_up() {
    let config = shipped().unwrap();
    let agents = &config.roster.agents;
    assert_eq!(agents.len(), 72);
    assert!(agents.iter().all(|a| a.funded));
    assert_eq!(config.roster.scouts, 204);
    let of = |f: FamilyId| agents.iter().filter(|a| a.family == f).count();
    let counts: Vec<(FamilyId, usize)> =
        FamilyId::ALL.iter().map(|f| (*f, of(*f))).filter(|(_, n)| *n > 0).collect();
    let promised = [
        (FamilyId::Directional, 9),
        (FamilyId::Trend, 14),
        (FamilyId::Momentum, 12),
        (FamilyId::RelativeStrength, 10),
        (FamilyId::Range, 8),
        (FamilyId::SupportResistance, 8),
        (FamilyId::Volatility, 10),
        (FamilyId::Random, 1),
    ];
    assert_eq!(counts, promised);
    for goal in Goal::ALL {
        assert_eq!(agents.iter().filter(|a| a.goal == *goal).count(), 18, "{goal}");
    }
    let personalities: BTreeSet<&str> = agents.iter().map(|a| a.personality.as_str()).collect();
    assert!(personalities.len() >= 8);
    assert!(agents.iter().any(|a| a.traits.sociability == -1.0), "a lone wolf");
    let on_btc = |side| agents.iter().any(|a| a.side == side && a.assets == [Selector::Name("BTC".into())]);
    assert!(on_btc(SideRule::Long) && on_btc(SideRule::Short));
    assert!(agents.iter().all(|a| a.name.chars().count() <= 8));
    assert!(config.managers.low_risk.is_some() && config.managers.fast.is_some());
}

/// A guard, never changed together with a setting: runs that are kept know their roster by it. A setting that comes later
/// stands in the table with `later`, so that at its default the hash does not know it.
#[test]
fn the_hash_of_the_built_in_roster_is_what_kept_runs_know() {
    let mut config = shipped().unwrap();
    assert_eq!(roster_hash(&config), "abd986bb304c89c5cb1691d1cbeac984adfd8fc138427f4cf24cba800006013a");
    // Of the time before there were reactions: without them it is the same roster.
    config.roster.agents.iter_mut().for_each(|a| a.reacts.clear());
    assert_eq!(roster_hash(&config), "86f0695f664460768f5bab21f8048b321fa0120af4a1b7b64e315673008a64f5");
}

#[test]
fn the_built_in_characters_are_different_and_moderate() {
    let config = shipped().unwrap();
    let most = |f: fn(FamilyId) -> bool| {
        let of = config.roster.agents.iter().filter(|a| f(a.family));
        of.map(|a| a.traits.sociability).fold(f64::NEG_INFINITY, f64::max)
    };
    for agent in &config.roster.agents {
        let unit = agent.traits.aggression * config.roster.presets[agent.goal.index()].unit;
        assert!((0.7..=1.3).contains(&unit), "{} has {unit}", agent.name);
        if agent.family == FamilyId::Range {
            assert_eq!(agent.traits.sociability, 0.5, "{}", agent.name);
        }
    }
    assert!(most(|f| f != FamilyId::Range) < 0.5);
    let [low_risk, big_money, fast, automated] = config.roster.presets;
    assert!(low_risk.unit < automated.unit && automated.unit < big_money.unit);
    assert!(low_risk.stop < automated.stop && low_risk.adds == 1 && low_risk.trail > 0.0);
    assert!(big_money.adds == 2 && big_money.target > automated.target && big_money.trail > 0.0);
    assert!(fast.horizon < 1.0 && fast.hold < 1.0 && fast.target < 1.0 && fast.trail == 0.0);
    assert!(automated.pause < low_risk.pause.min(big_money.pause).min(fast.pause));
}

#[test]
fn the_built_in_file_states_the_defaults_of_the_program() {
    let config = shipped().unwrap();
    let managers = Managers {
        low_risk: Some(LowRiskManager::default()),
        big_money: Some(BigMoneyManager::default()),
        fast: Some(FastManager::default()),
        automated: Some(AutomatedManager::default()),
        asset: Some(AssetManager::default()),
    };
    let roster = config.roster.clone();
    assert_eq!(config, Config { managers, roster, ..Config::default() });
    assert_eq!(print_default(), DEFAULT.text);
    assert_eq!(SHIPPED, ON_BARS.text);
}

#[test]
fn the_ready_rosters_have_no_mistakes_and_are_what_they_say() {
    let roster = |name: &str| {
        let ready = READY.iter().find(|r| r.name == name).unwrap();
        parse(name, ready.text).unwrap_or_else(|p| panic!("{p}"))
    };
    for ready in READY {
        assert!(roster(ready.name).roster.agents.len() >= 12, "{}", ready.name);
        assert!(ready.idea.len() > 30, "{}", ready.name);
    }
    let families = |c: &Config| c.roster.agents.iter().map(|a| a.family).collect::<BTreeSet<_>>();
    let goals = |c: &Config| c.roster.agents.iter().map(|a| a.goal.index()).collect::<BTreeSet<_>>();
    assert_eq!(goals(&roster("by-goal")).len(), Goal::ALL.len());
    let by_strategy = roster("by-strategy");
    assert_eq!((goals(&by_strategy).len(), families(&by_strategy).len()), (1, 8));
    assert_eq!(by_strategy.managers, Managers::default(), "no manager");
    let managed = roster("by-goal-and-strategy");
    assert!(managed.managers.low_risk.is_some() && managed.managers.asset.is_some());
    assert!(goals(&managed).len() == 4 && families(&managed).len() >= 6);
    let by_asset = roster("by-asset").roster.agents;
    for pair in by_asset.chunks(2) {
        assert_eq!(pair[0].assets, pair[1].assets);
        assert_eq!((pair[0].side, pair[1].side), (SideRule::Long, SideRule::Short));
        assert!(pair.iter().all(|a| a.family == FamilyId::Directional), "a standing view");
    }
    let views: BTreeSet<String> = by_asset.iter().map(|a| format!("{:?}", a.params)).collect();
    assert_eq!(views.len(), by_asset.len(), "each has numbers of its own");
    for whole in ["default", "full-house"] {
        let whole = roster(whole);
        assert_eq!(families(&whole).len(), FamilyId::ALL.len());
        assert!(whole.managers.low_risk.is_some() && whole.managers.asset.is_some());
    }
}

#[test]
fn the_default_roster_is_that_of_bars_with_structures_and_a_seed_of_its_own() {
    let (bars, whole) = (ON_BARS.text, DEFAULT.text);
    let seed = |line: &&str| !line.starts_with("seed = ");
    let head: Vec<&str> = whole.lines().take(bars.lines().count()).filter(seed).collect();
    let same: Vec<&str> = bars.lines().filter(seed).collect();
    assert_eq!(head, same, "change both: default.toml begins as bars.toml does");
    let (bars, whole) = (parse("bars", bars).unwrap(), parse("default", whole).unwrap());
    let more = &whole.roster.agents[bars.roster.agents.len()..];
    assert_eq!(&whole.roster.agents[..bars.roster.agents.len()], &bars.roster.agents[..]);
    assert!(more.iter().all(|a| a.family.is_structured() && a.funded));
    assert_eq!(Config { seed: bars.seed, roster: bars.roster.clone(), ..whole }, bars);
}

#[test]
fn the_seed_of_the_default_roster_is_the_median_of_its_table() {
    let table = include_str!("../../../../assets/seeds/seeds.tsv");
    let rows: Vec<Vec<f64>> = table
        .lines()
        .skip(1)
        .map(|line| line.split('\t').take(3).map(|cell| cell.parse().unwrap()).collect())
        .collect();
    let seeds: BTreeSet<u64> = rows.iter().map(|row| row[1] as u64).collect();
    assert_eq!(seeds, (1..=100).collect());
    assert!(rows.is_sorted_by(|a, b| a[2] <= b[2]), "by the real Sharpe ratio");
    let ranked = rows.iter().find(|row| row[0] == 50.0).unwrap();
    assert_eq!(rows[49], *ranked);
    assert_eq!(parse("default", DEFAULT.text).unwrap().seed, ranked[1] as u64);
}
