//! Reads `agents.toml` into the rooms' own types: the whole of it or, if anything is wrong, a list of
//! everything that is, each with file, line, column and the way out.
//!
//! Entry points: [`parse`] for a file alone, [`load`] with the layers on top of it, [`shipped`] for the
//! file that is built in, [`show`] and [`roster_hash`] for what came out,
//! [`setup`] for what the engine is told of it.
//!
//! # Invariants
//!
//! 1. Every problem is reported, once: a mistake makes no follow-on problems.
//! 2. A [`Config`] that came out of here is within all bounds and free of contradictions.
//! 3. Flags beat `HIVE_*` variables beat the file beat the defaults; for every scalar setting
//!    [`Origins`] knows which of them spoke last.
//! 4. Equal [`roster_hash`], seed and events give equal decisions.
//! 5. No text makes it panic.
//!
//! It never reads a file or the environment: texts and variables are given to it. It never puts a
//! default in the place of a value that it could not read.

mod agent;
mod layers;
mod params;
mod problem;
mod reader;
mod roster;
mod selector;
mod setting;
pub mod setup;
mod show;
mod table;
#[cfg(test)]
mod tests;

pub use layers::{Origin, Origins, Override};
pub use problem::{Problem, Problems};
pub use roster::AGENTS_MAX;
pub use selector::ASSETS_COUNTED_MAX;
pub use setting::Setting;
pub use show::{roster_hash, show};
pub use table::{SCOUTS_MAX, SETTINGS, setting};

use crate::agents::declaration::Roster;
use crate::agents::personality::Preset;
use crate::domain::{Goal, Money};
use crate::fills::{Costs, Tariff};
use crate::hive::settings::{GoalTargets, Listening, Managers};
use crate::market::DecisionClock;
use crate::treasury::settings::{DeskSettings, FundSettings, RiskSettings, ServiceSettings};
use layers::Layers;
use reader::{Key, Reader, Value};
use roster::KnownNames;
use setting::Draft;
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// The version of the layout that this program reads.
pub const CONFIG_VERSION: u64 = 1;
/// Largest text that is read: room for the most agents a few times over.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// How problems and origins name the file that is built in.
pub const SHIPPED_FILE: &str = "agents.toml (built in)";

const SHIPPED: &str = include_str!("../../../agents.toml");
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
const OTHER_KEYS: &[&str] = &["config_version", "groups", "personality", "preset", "agent"];

/// Everything that `agents.toml` says of a hive.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Names the run, its socket and its folder.
    pub name: String,
    /// Currency of the account.
    pub currency: String,
    /// Money at the start.
    pub capital: Money,
    /// Draws parameters, assets, scouts and coins.
    pub seed: u64,
    /// When the hive decides.
    pub clock: DecisionClock,
    /// What trading costs where a venue has no costs of its own.
    pub costs: Costs,
    /// Costs of venues that have their own: none beside a flat charge.
    pub venues: BTreeMap<String, Costs>,
    /// How stances become one position.
    pub desk: DeskSettings,
    /// How points become funds.
    pub funds: FundSettings,
    /// The last gate.
    pub risk: RiskSettings,
    /// How the swarm listens and scores.
    pub listening: Listening,
    /// What is asked of the whole.
    pub goals: GoalTargets,
    /// Who steers it.
    pub managers: Managers,
    /// What agents do for each other.
    pub services: ServiceSettings,
    /// The agents, as declared.
    pub roster: Roster,
}

impl Default for Config {
    /// The measured settings with nobody to trade by them.
    fn default() -> Self {
        Config {
            name: "hive".to_owned(),
            currency: "USDT".to_owned(),
            capital: Money::ONE_HUNDRED * Money::ONE_THOUSAND,
            seed: 1,
            clock: DecisionClock::default(),
            costs: Costs::default(),
            venues: BTreeMap::new(),
            desk: DeskSettings::default(),
            funds: FundSettings::default(),
            risk: RiskSettings::default(),
            listening: Listening::default(),
            goals: GoalTargets::default(),
            managers: Managers::default(),
            services: ServiceSettings::default(),
            roster: Roster {
                agents: Vec::new(),
                scouts: 240,
                groups: BTreeMap::new(),
                presets: [Preset::default(); 4],
            },
        }
    }
}

impl Config {
    /// What trading costs, venue by venue.
    pub fn tariff(&self) -> Tariff {
        Tariff { base: self.costs, venues: self.venues.clone() }
    }
}

/// The text of the file that is built in, comments and all.
pub fn print_default() -> &'static str {
    SHIPPED
}

/// The configuration that is built in.
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
        Some(value) => roster.agents = roster::agents(reader, value, &named),
        None if problem::meant(document, "agent", OTHER_KEYS) => {}
        None => {
            reader.report(
                0,
                "there is no [[agent]]",
                "hive config print-default prints a file to start from",
            );
        }
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
