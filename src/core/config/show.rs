//! What a configuration says, for people and for comparing runs.

use super::checked::Config;
use super::layers::{Origin, Origins, of_venues};
use super::reaction;
use super::selector;
use super::setting::Draft;
use super::table::SETTINGS;
use super::team;
use crate::agents::declaration::{Declaration, DrawnNumber, Roster};
use crate::agents::personality::{Preset, Traits};
use crate::domain::Goal;
use crate::fills::Costs;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Every scalar setting that has an effect: path, value, origin.
pub fn show(config: &Config, origins: &Origins) -> Vec<(Cow<'static, str>, String, Origin)> {
    let flat = matches!(config.costs, Costs::Flat(_));
    let mut draft = Draft::of(config.clone());
    let mut all = Vec::new();
    for s in SETTINGS.iter().filter(|s| !(flat && s.path.starts_with("costs.") && s.path != "costs.flat_bp"))
    {
        if let Some(value) = s.print(&mut draft) {
            all.push((Cow::Borrowed(s.path), value, origins.of(s.path)));
        }
    }
    let own = origins.venues().filter_map(|(venue, s, origin)| {
        let mut draft = of_venue(config.venues.get(venue)?);
        let path = format!("costs.venue.{venue}.{}", s.path.strip_prefix("costs.")?);
        Some((Cow::Owned(path), s.print(&mut draft)?, origin.clone()))
    });
    // After the costs that they replace.
    let after_costs = all.iter().rposition(|(p, ..)| p.starts_with("costs.")).map_or(all.len(), |i| i + 1);
    all.splice(after_costs..after_costs, own.collect::<Vec<_>>());
    all
}

/// A draft with the costs of a venue, to print them from.
fn of_venue(costs: &Costs) -> Draft {
    Draft::of(Config { costs: *costs, ..Config::default() })
}

/// blake3 of the canonical text of everything that changes decisions: equal hashes and equal events
/// give equal decisions. Name, currency, capital and seed are left out; they are printed beside it.
pub fn roster_hash(config: &Config) -> String {
    blake3::hash(canonical(config).as_bytes()).to_hex().to_string()
}

/// A line for each thing that decides, in a fixed order; fractions in their shortest exact form.
fn canonical(config: &Config) -> String {
    let mut text = String::from("hive roster 1\n");
    let mut draft = Draft::of(config.clone());
    for setting in SETTINGS.iter().filter(|s| s.decides) {
        if let Some(value) = setting.print(&mut draft).filter(|v| setting.unsaid != Some(v)) {
            push(&mut text, setting.path, &value);
        }
    }
    for (venue, costs) in &config.venues {
        let mut draft = of_venue(costs);
        for setting in SETTINGS.iter().filter(|s| of_venues(s)) {
            if let Some(value) = setting.print(&mut draft) {
                push(&mut text, &format!("venue.{venue}.{}", setting.path), &value);
            }
        }
    }
    // Taken apart so that a new field does not compile unhashed; scouts are a setting.
    let Roster { agents, scouts: _, scouting: _, managers, groups, presets } = &config.roster;
    for (name, members) in groups {
        push(&mut text, &format!("group.{name}"), &members.join(" "));
    }
    for (goal, preset) in Goal::ALL.iter().zip(presets) {
        push(&mut text, &format!("preset.{goal}"), &print_preset(preset));
    }
    for agent in agents {
        push(&mut text, "agent", &print_agent(agent));
    }
    for manager in managers {
        push(&mut text, "manager", &team::print(manager));
    }
    text
}

fn push(text: &mut String, key: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{key} = {value}");
}

fn print_preset(preset: &Preset) -> String {
    let Preset { unit, stop, target, hold, horizon, adds, add_size, take, trail, pause } = preset;
    format!("{unit} {stop} {target} {hold} {horizon} {adds} {add_size} {take} {trail} {pause}")
}

fn print_traits(traits: &Traits) -> String {
    let Traits { aggression, patience, caution, greed, conviction, sociability, no_flip, max_follow } =
        traits;
    format!("{aggression} {patience} {caution} {greed} {conviction} {sociability} {no_flip} {max_follow}")
}

fn print_agent(agent: &Declaration) -> String {
    // The personality's name is a label; its traits are what acts.
    let Declaration { name, family, assets, side, goal, personality: _, traits, params, funded, reacts } =
        agent;
    let assets: Vec<String> = assets.iter().map(selector::print).collect();
    let params: Vec<String> =
        params.iter().map(|(key, DrawnNumber { from, to })| format!("{key}:{from}..{to}")).collect();
    let reacts: Vec<String> = reacts.iter().map(reaction::print).collect();
    // Rosters without reactions are what they were before there were any.
    let reacts = if reacts.is_empty() { String::new() } else { format!(" reacts:{}", reacts.join(",")) };
    format!(
        "{name} {family} {side} {goal} funded:{funded} assets:{} traits:{} params:{}{reacts}",
        assets.join(","),
        print_traits(traits),
        params.join(","),
    )
}
