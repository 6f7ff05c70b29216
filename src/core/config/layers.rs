//! The layers of scalar settings: defaults, then the file, then `HIVE_*` variables, then flags; and
//! where each value came from.

use super::Config;
use super::names::is_name;
use super::problem::{nearest, quoted, suggest};
use super::reader::{Key, Reader, Value};
use super::setting::{Draft, LayerValue, Setting, variable_of};
use super::table::{ORDERED, REMOVED, SETTINGS, removed, setting};
use crate::domain::Goal;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use toml::de::DeTable;

/// Where a value came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    #[default]
    Default,
    /// This line and column of this file.
    File(String, usize, usize),
    /// This variable of the environment.
    Variable(String),
    /// This flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(file, line, _) => write!(f, "{file}:{line}"),
            Origin::Variable(name) => write!(f, "variable {name}"),
            Origin::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// Where a reaction of an agent came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionOrigin {
    /// Who has it there.
    pub holder: ReactionHolder,
    /// The place of it in the file.
    pub place: Origin,
}

/// Who has a reaction in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReactionHolder {
    /// The preset of this goal.
    Preset(Goal),
    /// The personality of this name.
    Personality(String),
    /// The agent itself.
    Own,
}

impl fmt::Display for ReactionHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReactionHolder::Preset(goal) => write!(f, "preset {goal}"),
            ReactionHolder::Personality(name) => write!(f, "personality {name}"),
            ReactionHolder::Own => f.write_str("own"),
        }
    }
}

/// A reaction that an agent would have from others, which can act on nothing that its family does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestingReaction {
    /// What it is called.
    pub name: String,
    /// Who has it in the file.
    pub holder: ReactionHolder,
    /// Why it rests, said of the family.
    pub why: &'static str,
}

/// Where each scalar setting and each reaction came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    settings: BTreeMap<&'static str, Origin>,
    /// What venues have of their own.
    of_venues: BTreeMap<String, Origin>,
    /// By the agent's name, one for each of its reactions and in their order.
    pub(super) reactions: BTreeMap<String, Vec<ReactionOrigin>>,
    /// By the agent's name: those of its goal and its personality that it does not live by.
    pub(super) resting: BTreeMap<String, Vec<RestingReaction>>,
}

impl Origins {
    /// The origin of the setting of this path.
    pub fn of(&self, path: &str) -> Origin {
        self.settings.get(path).or_else(|| self.of_venues.get(path)).cloned().unwrap_or_default()
    }

    /// Where the reactions of an agent came from: one for each of its declaration, in their order.
    pub fn reactions(&self, agent: &str) -> &[ReactionOrigin] {
        self.reactions.get(agent).map_or(&[], Vec::as_slice)
    }

    /// Reactions of an agent's goal and personality that can act on nothing its family does.
    pub fn resting(&self, agent: &str) -> &[RestingReaction] {
        self.resting.get(agent).map_or(&[], Vec::as_slice)
    }

    /// What venues have of their own: venue, setting, origin.
    pub(super) fn venues(&self) -> impl Iterator<Item = (&str, &'static Setting, &Origin)> {
        self.of_venues.iter().filter_map(|(path, origin)| {
            let (venue, key) = path.strip_prefix("costs.venue.")?.split_once('.')?;
            Some((venue, setting(&format!("costs.{key}"))?, origin))
        })
    }
}

/// A value from outside the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The setting's path, `hive.seed`.
    pub path: String,
    /// The value as it was written.
    pub value: String,
    /// Who says so.
    pub origin: Origin,
}

impl Override {
    /// What a flag of the command line says.
    pub fn flag(flag: impl Into<String>, path: impl Into<String>, value: impl Into<String>) -> Self {
        Override { path: path.into(), value: value.into(), origin: Origin::Flag(flag.into()) }
    }
}

/// Variables of this program that are no settings of `agents.toml`, though some look like one
/// (`HIVE_SPEED` and `HIVE_SEED`).
const OTHER_VARIABLES: &[&str] = &[
    "HIVE_AGENTS",
    "HIVE_CONFIG",
    "HIVE_DATA",
    "HIVE_DEAF",
    "HIVE_FEED",
    "HIVE_HOME",
    "HIVE_LOG",
    "HIVE_SOCKET",
    "HIVE_SPEED",
    "HIVE_STATE",
    "HIVE_STATE_BUDGET",
    "HIVE_TEST_DATA",
    "HIVE_THEME",
];

/// Longest name of a venue.
const VENUE_CHARS_MAX: usize = 40;
/// Keys of `[costs]` that no venue has of its own.
const ONE_FOR_ALL: &[&str] = &["flat_bp", "level"];

/// Whether a venue may have a setting of its own.
pub(super) fn of_venues(setting: &Setting) -> bool {
    setting.path.strip_prefix("costs.").is_some_and(|key| !ONE_FOR_ALL.contains(&key))
}

/// The settings being filled.
pub(super) struct Layers {
    pub draft: Draft,
    pub origins: Origins,
    /// Settings that were given and not taken; no follow-on problems are made of them.
    failed: BTreeSet<&'static str>,
}

impl Layers {
    pub fn new(draft: Draft) -> Self {
        Layers { draft, origins: Origins::default(), failed: BTreeSet::new() }
    }

    /// Reads one section of the file, `prefix` being its path.
    pub fn section(&mut self, reader: &mut Reader<'_>, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            self.entry(reader, prefix, key, value);
        }
        if prefix == "costs" && self.draft.flat.is_some() {
            flat_and_more(reader, table);
        }
    }

    fn entry(&mut self, reader: &mut Reader<'_>, prefix: &str, key: &Key<'_>, value: &Value<'_>) {
        let path = format!("{prefix}.{}", key.get_ref());
        if path == "costs.venue" {
            return self.venues(reader, value);
        }
        if let Some(setting) = setting(&path) {
            self.read(reader, setting, value);
            return;
        }
        let inner = format!("{path}.");
        if SETTINGS.iter().any(|s| s.path.starts_with(&inner)) {
            let hint = format!("like {}", example(&inner));
            if let Some(table) = reader.table(value, &format!("[{path}]"), &hint) {
                self.manage(&path);
                self.section(reader, &path, table);
            }
            return;
        }
        if prefix == "managers" {
            let name = quoted(key.get_ref());
            let hint = format!("{}; nothing else steers", suggest(key.get_ref(), names("managers")));
            reader.report(key.span().start, format!("there is no manager {name} in [managers]"), hint);
            return;
        }
        if let Some(hint) = removed(&path) {
            let message = format!("{} in [{prefix}] is a setting no more", quoted(key.get_ref()));
            reader.report(key.span().start, message, hint.to_owned());
            return;
        }
        let mut known = names(prefix);
        known.extend((prefix == "costs").then_some("venue"));
        reader.unknown(key, "key", &format!("[{prefix}]"), known.iter().copied());
    }

    /// `[costs.venue.NAME]`: costs that a venue has of its own.
    fn venues(&mut self, reader: &mut Reader<'_>, value: &Value<'_>) {
        let hint = "write [costs.venue.deribit] in a line of its own";
        let Some(all) = reader.table(value, "[costs.venue]", hint) else { return };
        for (name, value) in all {
            let (venue, section) = (name.get_ref().as_ref(), format!("[costs.venue.{}]", name.get_ref()));
            if !is_name(venue, VENUE_CHARS_MAX) {
                let hint =
                    format!("1 to {VENUE_CHARS_MAX} letters, digits, - and _, as hive data import names it");
                reader.report(name.span().start, format!("{} is no name of a venue", quoted(venue)), hint);
            } else if let Some(table) = reader.table(value, &section, "like taker_bp = { perp = 5 }") {
                self.draft.venues.entry(venue.to_owned()).or_default();
                self.venue(reader, (venue, &section), "costs", table);
            }
        }
    }

    fn venue(
        &mut self,
        reader: &mut Reader<'_>,
        (venue, section): (&str, &str),
        prefix: &str,
        table: &DeTable<'_>,
    ) {
        for (key, value) in table {
            let path = format!("{prefix}.{}", key.get_ref());
            let inner = format!("{path}.");
            if let Some(setting) = setting(&path).filter(|s| of_venues(s)) {
                let at = value.span().start;
                let given = LayerValue::from_toml(value.get_ref(), reader.source(value));
                let mut scratch = Draft::of(Config::default());
                let told = path.strip_prefix("costs.").unwrap_or(&path);
                match setting.assign(&mut scratch, given) {
                    Ok(()) => {
                        let value = setting.print(&mut scratch).unwrap_or_default();
                        self.draft.venues.entry(venue.to_owned()).or_default().push((setting, value));
                        let (line, column) = reader.position(at);
                        let origin = Origin::File(reader.file().to_owned(), line, column);
                        self.origins.of_venues.insert(format!("costs.venue.{venue}.{told}"), origin);
                    }
                    Err((predicate, hint)) => {
                        let message = format!("{told} in [costs.venue.{venue}] {predicate}");
                        reader.report(at, message, hint);
                    }
                }
            } else if SETTINGS.iter().any(|s| s.path.starts_with(&inner)) {
                let section = format!("{}.{}]", section.trim_end_matches(']'), key.get_ref());
                let hint = format!("like {}", example(&inner));
                if let Some(table) = reader.table(value, &section, &hint) {
                    self.venue(reader, (venue, &section), &path, table);
                }
            } else {
                let known: Vec<&str> = names(prefix)
                    .into_iter()
                    .filter(|n| prefix != "costs" || !ONE_FOR_ALL.contains(n))
                    .collect();
                reader.unknown(key, "key", section, known.iter().copied());
            }
        }
    }

    /// The section of a manager sets it over the hive.
    fn manage(&mut self, path: &str) {
        let managers = &mut self.draft.config.managers;
        match path {
            "managers.low_risk" => managers.low_risk = Some(managers.low_risk.unwrap_or_default()),
            "managers.big_money" => managers.big_money = Some(managers.big_money.unwrap_or_default()),
            "managers.fast" => managers.fast = Some(managers.fast.unwrap_or_default()),
            "managers.automated" => managers.automated = Some(managers.automated.unwrap_or_default()),
            "managers.asset" => managers.asset = Some(managers.asset.unwrap_or_default()),
            _ => {}
        }
    }

    fn read(&mut self, reader: &mut Reader<'_>, setting: &'static Setting, value: &Value<'_>) {
        let at = value.span().start;
        let given = LayerValue::from_toml(value.get_ref(), reader.source(value));
        match setting.assign(&mut self.draft, given) {
            Ok(()) => {
                let (line, column) = reader.position(at);
                let origin = Origin::File(reader.file().to_owned(), line, column);
                self.origins.settings.insert(setting.path, origin);
            }
            Err((predicate, hint)) => {
                self.failed.insert(setting.path);
                reader.report(at, format!("{} {predicate}", setting.title()), hint);
            }
        }
    }

    /// Sorts the variables of the environment into overrides; complains of those that look like a
    /// setting and are none.
    pub fn variables(
        &mut self,
        reader: &mut Reader<'_>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) {
        let all: Vec<(String, &Setting)> = SETTINGS.iter().map(|s| (s.variable(), s)).collect();
        for (name, value) in variables {
            if !name.starts_with("HIVE_") || OTHER_VARIABLES.contains(&name.as_str()) {
                continue;
            }
            if let Some((_, setting)) = all.iter().find(|(v, _)| *v == name) {
                let path = setting.path.to_owned();
                let origin = Origin::Variable(name);
                self.give(reader, &Override { path, value, origin });
                continue;
            }
            if let Some((_, hint)) = REMOVED.iter().find(|(path, _)| variable_of(path) == name) {
                reader.report_elsewhere(&name, "this is a setting no more".to_owned(), (*hint).to_owned());
                continue;
            }
            // Two slips at most, and one in a short name: others may use the prefix as well.
            let bare = |n: &str| n.len() - "HIVE_".len();
            let near = nearest(&name, all.iter().map(|(v, _)| v.as_str()))
                .filter(|v| strsim::osa_distance(v, &name) <= (bare(v) / 3).min(2));
            if let Some(near) = near {
                let hint = format!("did you mean {near}?");
                reader.report_elsewhere(&name, "no setting has this name".to_owned(), hint);
            }
        }
    }

    /// Takes one override.
    pub fn give(&mut self, reader: &mut Reader<'_>, given: &Override) {
        let source = match &given.origin {
            Origin::Variable(name) | Origin::Flag(name) => name.as_str(),
            Origin::Default | Origin::File(..) => "override",
        };
        let Some(setting) = setting(&given.path) else {
            let (message, hint) = if let Some(hint) = removed(&given.path) {
                (format!("{} is a setting no more", quoted(&given.path)), hint.to_owned())
            } else {
                let hint = suggest(&given.path, SETTINGS.iter().map(|s| s.path));
                (format!("unknown setting {}", quoted(&given.path)), hint)
            };
            reader.report_elsewhere(source, message, hint);
            return;
        };
        match setting.assign(&mut self.draft, LayerValue::from_text(setting.kind, &given.value)) {
            Ok(()) => {
                self.failed.remove(setting.path);
                self.origins.settings.insert(setting.path, given.origin.clone());
            }
            Err((predicate, hint)) => {
                self.failed.insert(setting.path);
                reader.report_elsewhere(source, format!("{} {predicate}", setting.title()), hint);
            }
        }
    }

    /// Compares what must stand in order, whichever layers it came from.
    pub fn check(&mut self, reader: &mut Reader<'_>) {
        for (low, high, equal, why) in ORDERED {
            if self.failed.contains(low) || self.failed.contains(high) {
                continue;
            }
            let (Some(a), Some(b)) = (setting(low), setting(high)) else {
                continue;
            };
            let (Some(x), Some(y)) = (a.measure(&mut self.draft), b.measure(&mut self.draft)) else {
                continue;
            };
            if x < y || (*equal && x == y) {
                continue;
            }
            let mut print = |s: &Setting| s.print(&mut self.draft).unwrap_or_default();
            let relation = if *equal { "at most" } else { "below" };
            let message = format!(
                "{} is {} and must be {relation} {}, which is {} ({}): {why}",
                a.title(),
                print(a),
                b.title(),
                print(b),
                self.origins.of(high),
            );
            // Where the last word was spoken: that one is to be looked at.
            let (first, last) = (self.origins.of(low), self.origins.of(high));
            let at = if rank(&first) >= rank(&last) { first } else { last };
            let hint = "lower the one or raise the other".to_owned();
            match at {
                Origin::File(_, line, column) => reader.report_at(line, column, message, hint),
                Origin::Variable(name) | Origin::Flag(name) => {
                    reader.report_elsewhere(&name, message, hint);
                }
                Origin::Default => reader.report_elsewhere("default", message, hint),
            }
        }
    }
}

fn rank(origin: &Origin) -> usize {
    match origin {
        Origin::Default => 0,
        Origin::File(..) => 1,
        Origin::Variable(_) => 2,
        Origin::Flag(_) => 3,
    }
}

/// The keys of a section.
pub(super) fn names(prefix: &str) -> Vec<&'static str> {
    let mut names: Vec<&str> = SETTINGS
        .iter()
        .filter_map(|s| s.path.strip_prefix(prefix)?.strip_prefix('.'))
        .filter_map(|rest| rest.split('.').next())
        .collect();
    names.dedup();
    names
}

fn example(inner: &str) -> String {
    let of = |s: &Setting| s.path.strip_prefix(inner).map(str::to_owned);
    let keys: Vec<String> = SETTINGS.iter().filter_map(of).take(2).collect();
    let name = inner.trim_end_matches('.');
    let name = name.rsplit('.').next().unwrap_or(name);
    format!("{name} = {{ {} = … }}", keys.join(" = …, "))
}

/// A flat charge leaves no place for the costs of a fill level beside it.
fn flat_and_more(reader: &mut Reader<'_>, table: &DeTable<'_>) {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let other = name == "venue" || name != "flat_bp" && names("costs").contains(&name);
        if other {
            let message = format!("{} in [costs] contradicts flat_bp, which replaces it", key.get_ref());
            reader.report(value.span().start, message, "remove one of the two");
        }
    }
}
