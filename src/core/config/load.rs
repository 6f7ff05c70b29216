//! From a text to a checked configuration: the file section by section, agents last since they refer to all
//! the others, then the layers on top of it.

use super::checked::Config;
use super::layers::{Layers, Origins, Override};
use super::names::KnownNames;
use super::problem::{self, Problems};
use super::reader::{Key, Reader, Value};
use super::ready;
use super::roster;
use super::setting::Draft;
use super::team;
use crate::domain::Goal;
use toml::de::{DeTable, DeValue};

/// The version of the layout that this program reads.
pub const CONFIG_VERSION: u64 = 1;
/// Largest text that is read: room for the most agents a few times over.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// How problems and origins name the file that is built in.
pub const SHIPPED_FILE: &str = "agents.toml (built in)";

/// The text of the roster of bars.
pub(super) const SHIPPED: &str = ready::ON_BARS.text;
/// Sections whose keys are all scalar settings.
const SCALAR_SECTIONS: &[&str] = &[
    "hive",
    "clock",
    "costs",
    "listening",
    "scouts",
    "desk",
    "funds",
    "risk",
    "goals",
    "managers",
    "services",
];
/// The others, and the version.
const OTHER_KEYS: &[&str] = &["config_version", "groups", "personality", "preset", "agent", "manager"];

/// The text of the roster that runs on the embedded market, comments and all.
pub fn print_default() -> &'static str {
    ready::DEFAULT.text
}

/// The configuration of the swarm of bars: what runs on every market that has nothing else.
pub fn shipped() -> Result<Config, Problems> {
    parse(SHIPPED_FILE, SHIPPED)
}

/// Reads a text without any layer on top. `file_name` is only used to name it in problems.
pub fn parse(file_name: &str, text: &str) -> Result<Config, Problems> {
    load(file_name, text, [], &[]).map(|(config, _)| config)
}

/// Reads a text and lays variables (all those of the environment may be given) and flags on top.
pub fn load(
    file_name: &str,
    text: &str,
    variables: impl IntoIterator<Item = (String, String)>,
    flags: &[Override],
) -> Result<(Config, Origins), Problems> {
    if text.len() > TEXT_BYTES_MAX {
        let mut reader = Reader::new(file_name, "");
        let message = format!("{} bytes, but at most {TEXT_BYTES_MAX} are read", text.len());
        reader.report(0, message, "is this the right file?");
        return Err(reader.problems());
    }
    let mut reader = Reader::new(file_name, text);
    let mut layers = Layers::new(Draft::of(Config::default()));
    match DeTable::parse(text) {
        Ok(document) => walk(&mut reader, &mut layers, document.get_ref()),
        Err(error) => {
            let at = error.span().map_or(text.len(), |s| s.start);
            reader.report(at, format!("this is not TOML: {}", error.message()), "");
            return Err(reader.problems());
        }
    }
    layers.variables(&mut reader, variables);
    for flag in flags {
        layers.give(&mut reader, flag);
    }
    layers.check(&mut reader);
    reader.finish()?;
    Ok((layers.draft.finish(), layers.origins))
}

fn walk(reader: &mut Reader<'_>, layers: &mut Layers, document: &DeTable<'_>) {
    let mut named = KnownNames::default();
    version(reader, document);
    for (key, value) in document {
        let name = key.get_ref().as_ref();
        if SCALAR_SECTIONS.contains(&name) {
            if let Some(table) = section(reader, name, value) {
                layers.section(reader, name, table);
            }
        } else if !OTHER_KEYS.contains(&name) {
            unknown_section(reader, key, value);
        }
    }
    // Agents come last: they refer to all the others.
    let other = |name: &str| document.get(name);
    let lost = |name: &str| match other(name) {
        Some(value) => !value.get_ref().is_table(),
        None => problem::meant(document, name, OTHER_KEYS),
    };
    named.groups_lost = lost("groups");
    named.personalities_lost = lost("personality");
    named.presets_lost = lost("preset");
    // Reactions name agents, also those of presets and personalities.
    named.agents = other("agent").and_then(roster::agent_names);
    if let Some(table) = other("groups").and_then(|v| section(reader, "groups", v)) {
        roster::groups(reader, table, &mut named);
    }
    if let Some(table) = other("personality").and_then(|v| section(reader, "personality", v)) {
        roster::personalities(reader, table, &mut named);
    }
    if let Some(table) = other("preset").and_then(|v| section(reader, "preset", v)) {
        roster::presets(reader, table, &mut named);
    }
    let roster = &mut layers.draft.config.roster;
    match other("agent") {
        Some(value) => {
            for read in roster::agents(reader, value, &named) {
                let name = &read.declaration.name;
                layers.origins.reactions.insert(name.clone(), read.origins);
                layers.origins.resting.insert(name.clone(), read.resting);
                roster.agents.push(read.declaration);
            }
        }
        None if problem::meant(document, "agent", OTHER_KEYS) => {}
        None => {
            reader.report(
                0,
                "there is no [[agent]]",
                "hive config print-default prints a file to start from",
            );
        }
    }
    if let Some(value) = other("manager") {
        roster.managers = team::managers(reader, value, &named);
    }
    for (slot, goal) in roster.presets.iter_mut().zip(Goal::ALL) {
        *slot = named.presets.get(goal).copied().unwrap_or_default();
    }
    roster.groups = named.groups;
}

fn version(reader: &mut Reader<'_>, document: &DeTable<'_>) {
    let hint = format!("this program reads config_version = {CONFIG_VERSION}");
    match document.get("config_version") {
        None if problem::meant(document, "config_version", OTHER_KEYS) => {}
        None => reader.report(0, "there is no config_version", hint),
        Some(value) => {
            let is = match value.get_ref() {
                DeValue::Integer(i) => u64::from_str_radix(i.as_str(), i.radix()).ok(),
                _ => None,
            };
            if is != Some(CONFIG_VERSION) {
                let message = format!("config_version is {}", problem::quoted(reader.source(value)));
                reader.report(value.span().start, message, hint);
            }
        }
    }
}

fn section<'t, 'i>(reader: &mut Reader<'_>, name: &str, value: &'t Value<'i>) -> Option<&'t DeTable<'i>> {
    reader.table(value, &format!("[{name}]"), &format!("write [{name}] in a line of its own"))
}

fn unknown_section(reader: &mut Reader<'_>, key: &Key<'_>, value: &Value<'_>) {
    let what = if value.get_ref().is_table() { "section" } else { "key" };
    let known = SCALAR_SECTIONS.iter().chain(OTHER_KEYS).copied();
    reader.unknown(key, what, "the file", known);
}
