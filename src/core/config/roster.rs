//! The swarm: groups of assets, personalities, presets and the list of agents.

use super::agent::{self, DeclaredAgent};
use super::character::{REACTS, read_preset, read_traits};
use super::names::{KnownNames, NAME_CHARS_MAX, ReactionList, is_name};
use super::problem::{nearest, quoted};
use super::reaction::{self, ListHolder};
use super::reader::{Reader, Value};
use super::selector::is_symbol;
use crate::agents::personality::{Preset, Traits};
use crate::domain::Goal;
use std::collections::{BTreeMap, BTreeSet};
use toml::de::DeTable;

/// Most agents declared, with or without funds (who has none may earn them back): shares of the
/// smallest accounts are below any venue's minimum long before, and a screen shows no more.
pub const AGENTS_MAX: usize = 1_000;
const NAME_HINT: &str = "1 to 16 letters, digits, - and _";

/// `[groups]`: a name and its assets each.
pub(super) fn groups(reader: &mut Reader<'_>, table: &DeTable<'_>, named: &mut KnownNames) {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if !is_name(name, NAME_CHARS_MAX) {
            let message = format!("{} in [groups] is no name", quoted(name));
            reader.report(key.span().start, message, NAME_HINT);
        }
        let members = members(reader, name, value);
        named.groups.insert(name.to_owned(), members);
    }
}

fn members(reader: &mut Reader<'_>, name: &str, value: &Value<'_>) -> Vec<String> {
    let what = format!("group {}", quoted(name));
    let hint = "like majors = [\"BTC\", \"ETH\"]";
    let mut members: Vec<String> = Vec::new();
    let Some(array) = reader.array(value, &what, hint) else {
        return members;
    };
    if array.is_empty() {
        reader.report(value.span().start, format!("{what} has no members"), hint);
    }
    for item in array {
        let Some(text) = reader.text(item, &format!("a member of {what}")) else {
            continue;
        };
        if !is_symbol(text) {
            let message = format!("{} in {what} is no symbol of an asset", quoted(text));
            reader.report(item.span().start, message, "capitals and digits, like \"BTC\"");
        } else if members.iter().any(|m| m == text) {
            let message = format!("{} is in {what} twice", quoted(text));
            reader.report(item.span().start, message, "remove one");
        } else {
            members.push(text.to_owned());
        }
    }
    members
}

/// `[personality.NAME]`: traits each.
pub(super) fn personalities(reader: &mut Reader<'_>, table: &DeTable<'_>, named: &mut KnownNames) {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if !is_name(name, NAME_CHARS_MAX) {
            let message = format!("{} in [personality] is no name", quoted(name));
            reader.report(key.span().start, message, NAME_HINT);
        }
        let mut traits = Traits::default();
        let section = format!("[personality.{}]", quoted_key(name));
        read_traits(reader, &section, value, &[REACTS], &mut traits);
        named.personalities.insert(name.to_owned(), traits);
        let reacts = shared_reactions(reader, value, &section, named);
        named.personality_reacts.insert(name.to_owned(), reacts);
    }
}

/// `[preset.GOAL]`: what being deployed for a goal changes.
pub(super) fn presets(reader: &mut Reader<'_>, table: &DeTable<'_>, named: &mut KnownNames) {
    for (key, value) in table {
        let Some(goal) = Goal::parse(key.get_ref()) else {
            let known = Goal::ALL.iter().map(|g| g.text());
            named.presets_meant.extend(nearest(key.get_ref(), known.clone()).and_then(Goal::parse));
            reader.unknown(key, "goal", "[preset]", known);
            continue;
        };
        let mut preset = Preset::default();
        let section = format!("[preset.{goal}]");
        read_preset(reader, &section, value, &mut preset);
        named.presets.insert(goal, preset);
        let reacts = shared_reactions(reader, value, &section, named);
        named.preset_reacts.insert(goal, reacts);
    }
}

/// The reactions that many agents may have from one section.
fn shared_reactions(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    section: &str,
    named: &KnownNames,
) -> ReactionList {
    let list = value.get_ref().as_table().and_then(|t| t.get(REACTS));
    reaction::read(reader, list, ListHolder { section, agent: None }, named)
}

/// The names of all agents; none where one has no name that can be read, since any may be meant then.
pub(super) fn agent_names(agents: &Value<'_>) -> Option<BTreeSet<String>> {
    let name =
        |agent: &Value<'_>| Some(agent.get_ref().as_table()?.get("name")?.get_ref().as_str()?.to_owned());
    agents.get_ref().as_array()?.iter().map(name).collect()
}

/// The agents that the `[[agent]]` tables declare, each name once.
pub(super) fn agents(reader: &mut Reader<'_>, value: &Value<'_>, named: &KnownNames) -> Vec<DeclaredAgent> {
    let Some(array) = reader.array(value, "agent", "write [[agent]] with two brackets") else {
        return Vec::new();
    };
    let mut agents: Vec<DeclaredAgent> = Vec::new();
    // Name → line of the first who has it.
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let mut without_preset: Vec<Goal> = named.presets_meant.clone();
    for (i, item) in array.iter().enumerate() {
        if i == AGENTS_MAX {
            let message = format!("{} agents, but at most {AGENTS_MAX} are possible", array.len());
            reader.report(item.span().start, message, "more voices cost less as scouts: [hive] scouts");
            break;
        }
        let Some(table) = reader.table(item, "an agent", "write [[agent]]") else {
            continue;
        };
        let section = agent::section(table, i);
        if let Some((name, at)) = agent::name(reader, table, &section, item) {
            let (line, _) = reader.position(at);
            if let Some(first) = lines.get(&name) {
                let message = format!("there are two agents {}", quoted(&name));
                reader.report(at, message, format!("the first is in line {first}; rename one"));
            } else {
                lines.insert(name, line);
            }
        }
        let read = agent::read(reader, table, &section, item, named);
        if let Some((goal, at)) = read.goal {
            let missing =
                !named.presets_lost && !named.presets.contains_key(&goal) && !without_preset.contains(&goal);
            if missing {
                without_preset.push(goal);
                let message = format!("{section} is deployed for {goal}, but there is no [preset.{goal}]");
                reader.report(at, message, format!("add [preset.{goal}]; without keys it is neutral"));
            }
        }
        agents.extend(read.declared);
    }
    agents
}

/// A key as it stands in a header.
fn quoted_key(name: &str) -> String {
    if is_name(name, NAME_CHARS_MAX) { name.to_owned() } else { quoted(name) }
}
