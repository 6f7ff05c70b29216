//! One `[[agent]]`.

use super::character::{REACTS, read_traits};
use super::layers::{Origin, ReactionHolder, ReactionOrigin, RestingReaction};
use super::names::{KnownNames, NAME_CHARS_MAX, ReactionList, is_name};
use super::params;
use super::problem::{meant, nearest, quoted, suggest};
use super::reaction::{self, ListHolder};
use super::reader::{Reader, Value};
use super::selector;
use crate::agents::declaration::{Declaration, Selector};
use crate::agents::personality::{TRAITS, Traits};
use crate::agents::reactions::cannot_act;
use crate::domain::reaction::REACTIONS_MAX;
use crate::domain::{FamilyId, Goal, Reaction, SideRule, Whom};
use std::collections::BTreeMap;
use toml::de::DeTable;

const KEYS: &[&str] =
    &["name", "family", "assets", "side", "goal", "personality", "traits", "params", "funded", REACTS];
/// Relative strength ranks its assets against each other; two have no middle.
const RANKED_MIN: usize = 3;

/// An agent as declared, and where each of its reactions came from.
pub(super) struct DeclaredAgent {
    pub declaration: Declaration,
    pub origins: Vec<ReactionOrigin>,
    pub resting: Vec<RestingReaction>,
}

/// An agent as far as it could be read; the goal is told apart since presets are checked against it.
pub(super) struct ReadAgent {
    pub declared: Option<DeclaredAgent>,
    /// The goal, with its offset in the text.
    pub goal: Option<(Goal, usize)>,
}

/// How problems name the agent: by its name, or by its number while it has none.
pub(super) fn section(table: &DeTable<'_>, i: usize) -> String {
    match table.get("name").and_then(|v| v.get_ref().as_str()) {
        Some(name) => format!("[[agent]] {}", quoted(name)),
        None => format!("[[agent]] number {}", i + 1),
    }
}

/// The value of a required key, or a problem at the agent's head.
fn required<'t, 'i>(
    reader: &mut Reader<'_>,
    table: &'t DeTable<'i>,
    section: &str,
    item: &Value<'_>,
    key: &str,
    hint: &str,
) -> Option<&'t Value<'i>> {
    let value = table.get(key);
    if value.is_none() && !meant(table, key, KEYS) {
        reader.report(item.span().start, format!("{section} has no {key}"), hint);
    }
    value
}

/// Its name and the place of it.
pub(super) fn name(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    section: &str,
    item: &Value<'_>,
) -> Option<(String, usize)> {
    let value = required(reader, table, section, item, "name", "like name = \"Mira\"")?;
    let name = reader.text(value, &format!("name in {section}"))?;
    if !is_name(name, NAME_CHARS_MAX) || name == reaction::ANYONE {
        let message = format!("{} is no name for an agent", quoted(name));
        let hint = if name == reaction::ANYONE {
            "reactions mean everybody by it".to_owned()
        } else {
            format!("1 to {NAME_CHARS_MAX} letters, digits, - and _")
        };
        reader.report(value.span().start, message, hint);
        return None;
    }
    Some((name.to_owned(), value.span().start))
}

/// Everything but the name, which [`name`] has looked at.
pub(super) fn read(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    section: &str,
    item: &Value<'_>,
    named: &KnownNames,
) -> ReadAgent {
    unknown_keys(reader, table, section);
    let family = required(reader, table, section, item, "family", "like family = \"trend\"")
        .and_then(|v| one_of(reader, v, section, "family", FamilyId::ALL, FamilyId::text));
    let goal_value = required(reader, table, section, item, "goal", "like goal = \"low_risk\"");
    let goal = goal_value.and_then(|v| one_of(reader, v, section, "goal", Goal::ALL, Goal::text));
    let side = match table.get("side") {
        Some(v) => one_of(reader, v, section, "side", SideRule::ALL, SideRule::text),
        None => Some(SideRule::Both),
    };
    let assets = required(reader, table, section, item, "assets", selector::FORMS)
        .and_then(|v| assets(reader, v, section, named, family));
    let personality = required(reader, table, section, item, "personality", "name one of [personality.…]")
        .and_then(|v| {
            let name = reader.text(v, &format!("personality in {section}"))?.to_owned();
            let traits = named.personality(reader, section, &name, v.span().start)?;
            Some((name, traits))
        });
    let (personality, mut traits) = match personality {
        Some((name, traits)) => (Some(name), traits),
        None => (None, Traits::default()),
    };
    if let Some(value) = table.get("traits") {
        read_traits(reader, &format!("traits of {section}"), value, &[], &mut traits);
    }
    let params = match (table.get("params"), family) {
        (Some(value), Some(family)) => params::read(reader, value, section, family),
        _ => BTreeMap::new(),
    };
    let funded = match table.get("funded") {
        Some(v) => reader.flag(v, &format!("funded in {section}")),
        None => Some(true),
    };
    let name = table.get("name").and_then(|v| v.get_ref().as_str());
    let own = reaction::read(reader, table.get(REACTS), ListHolder { section, agent: name }, named);
    let lists = ReactionLists { named, goal, personality: personality.as_deref(), own: &own };
    let all = lists.joined(reader, table, section, item);
    let (acting, resting) = acting(reader, all, (table, section), family);
    let (reacts, origins): (Vec<_>, Vec<_>) = acting.into_iter().unzip();
    let declaration = || {
        Some(Declaration {
            name: name?.to_owned(),
            family: family?,
            assets: assets?,
            side: side?,
            goal: goal?,
            personality: personality?,
            traits,
            params,
            funded: funded?,
            reacts,
        })
    };
    ReadAgent {
        declared: declaration().map(|declaration| DeclaredAgent { declaration, origins, resting }),
        goal: goal.zip(goal_value.map(|v| v.span().start)),
    }
}

/// The lists that make up what an agent reacts to.
struct ReactionLists<'l> {
    named: &'l KnownNames,
    goal: Option<Goal>,
    personality: Option<&'l str>,
    own: &'l ReactionList,
}

impl ReactionLists<'_> {
    /// Those of its goal's preset, its personality and its own, each with where it came from.
    fn joined(
        &self,
        reader: &mut Reader<'_>,
        table: &DeTable<'_>,
        section: &str,
        item: &Value<'_>,
    ) -> Vec<(Reaction, ReactionOrigin)> {
        let preset =
            self.goal.and_then(|g| Some((ReactionHolder::Preset(g), self.named.preset_reacts.get(&g)?)));
        let personality = self.personality.and_then(|p| {
            Some((ReactionHolder::Personality(p.to_owned()), self.named.personality_reacts.get(p)?))
        });
        let mut all: Vec<(Reaction, ReactionOrigin)> = Vec::new();
        for (holder, list) in preset.into_iter().chain(personality).chain([(ReactionHolder::Own, self.own)]) {
            if list.none {
                all.clear();
            }
            for (rule, (line, column)) in &list.rules {
                all.retain(|(earlier, _)| earlier.name != rule.name);
                let place = Origin::File(reader.file().to_owned(), *line, *column);
                all.push((rule.clone(), ReactionOrigin { holder: holder.clone(), place }));
            }
        }
        let name = table.get("name").and_then(|v| v.get_ref().as_str());
        for (rule, origin) in &all {
            let itself = matches!(&rule.hears.who, Whom::Agent(who) if Some(who.as_str()) == name);
            let key = match origin.holder {
                ReactionHolder::Preset(_) => "goal",
                ReactionHolder::Personality(_) => "personality",
                ReactionHolder::Own => continue,
            };
            if itself {
                let at = table.get(key).map_or(item.span().start, |v| v.span().start);
                let message =
                    format!("{section} would hear itself by reaction {} of its {key}", quoted(&rule.name));
                reader.report(at, message, "give it another, or a reaction of its own of that name");
            }
        }
        if all.len() > REACTIONS_MAX {
            let message =
                format!("{section} has {} reactions, those of its goal and personality included", all.len());
            reader.report(item.span().start, message, reaction::too_many());
        }
        all
    }
}

/// Those that can act on what a family does, and those of its goal and personality that cannot: many families share these.
/// One of its own that cannot is a problem.
fn acting(
    reader: &mut Reader<'_>,
    all: Vec<(Reaction, ReactionOrigin)>,
    (table, section): (&DeTable<'_>, &str),
    family: Option<FamilyId>,
) -> (Vec<(Reaction, ReactionOrigin)>, Vec<RestingReaction>) {
    let (mut acting, mut resting) = (Vec::new(), Vec::new());
    for (rule, origin) in all {
        let cannot = family.and_then(|family| Some((family, cannot_act(rule.then, family)?)));
        let Some((family, why)) = cannot else {
            acting.push((rule, origin));
            continue;
        };
        let ReactionOrigin { holder, .. } = origin;
        if holder == ReactionHolder::Own {
            let (reason, hint) = why.split_once("; ").unwrap_or((why, ""));
            let message = format!("reaction {} of {section} rests: {family} {reason}", quoted(&rule.name));
            reader.report(effect_at(table, &rule.name), message, hint);
        }
        resting.push(RestingReaction { name: rule.name, holder, why });
    }
    (acting, resting)
}

/// Where the effect of an agent's own reaction stands.
fn effect_at(table: &DeTable<'_>, name: &str) -> usize {
    let rules = table.get(REACTS).and_then(|list| list.get_ref().as_array()).into_iter().flatten();
    let mut of_name = rules.filter_map(|rule| rule.get_ref().as_table());
    let rule = of_name.find(|rule| rule.get("name").and_then(|v| v.get_ref().as_str()) == Some(name));
    rule.and_then(|rule| rule.get("then")).map_or(0, |then| then.span().start)
}

fn unknown_keys(reader: &mut Reader<'_>, table: &DeTable<'_>, section: &str) {
    for (key, _) in table {
        let name = key.get_ref().as_ref();
        if KEYS.contains(&name) {
            continue;
        }
        if TRAITS.iter().any(|t| t.name == name) || name == "no_flip" {
            let message = format!("{name} in {section} is a trait");
            let hint = format!("write traits = {{ {name} = … }}");
            reader.report(key.span().start, message, hint);
        } else if KEYS.iter().all(|k| nearest(name, [*k]).is_none()) {
            // Traits are what people most often look for here.
            let known = KEYS.iter().copied().chain(TRAITS.iter().map(|t| t.name));
            reader.unknown(key, "key", section, known);
        } else {
            reader.unknown(key, "key", section, KEYS.iter().copied());
        }
    }
}

/// A word of a closed list.
fn one_of<T: Copy>(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    section: &str,
    what: &str,
    all: &'static [T],
    text_of: fn(T) -> &'static str,
) -> Option<T> {
    let text = reader.text(value, &format!("{what} in {section}"))?;
    let found = all.iter().copied().find(|v| text_of(*v) == text);
    if found.is_none() {
        let message = format!("unknown {what} {} in {section}", quoted(text));
        let hint = suggest(text, all.iter().map(|v| text_of(*v)));
        reader.report(value.span().start, message, hint);
    }
    found
}

/// One selector, or a list of them.
fn assets(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    section: &str,
    named: &KnownNames,
    family: Option<FamilyId>,
) -> Option<Vec<Selector>> {
    let what = format!("assets in {section}");
    let selectors = if value.get_ref().as_array().is_none() {
        let text = reader.text(value, &what)?;
        vec![selector(reader, text, value.span().start, section, named)?]
    } else {
        let list = reader.array(value, &what, "")?;
        if list.is_empty() {
            reader.report(value.span().start, format!("{section} has no assets"), selector::FORMS);
            return None;
        }
        let mut all = Vec::new();
        for item in list {
            let text = reader.text(item, &what).map(str::to_owned);
            all.push(text.and_then(|t| selector(reader, &t, item.span().start, section, named)));
        }
        all.into_iter().collect::<Option<Vec<_>>>()?
    };
    if family == Some(FamilyId::RelativeStrength)
        && selectors.iter().map(|s| most(s, named)).sum::<usize>() < RANKED_MIN
    {
        let message = format!("{section} ranks its assets and needs at least {RANKED_MIN} of them");
        reader.report(value.span().start, message, "use \"any\", \"top:8:volume\" or \"random:4\"");
        return None;
    }
    Some(selectors)
}

fn selector(
    reader: &mut Reader<'_>,
    text: &str,
    at: usize,
    section: &str,
    named: &KnownNames,
) -> Option<Selector> {
    match selector::parse(text) {
        Ok(Selector::Group(group)) if named.groups_lost => Some(Selector::Group(group)),
        Ok(Selector::Group(group)) if !named.groups.contains_key(&group) => {
            let message = format!("unknown group {} in {section}", quoted(&group));
            reader.report(at, message, suggest(&group, named.groups.keys().map(String::as_str)));
            None
        }
        Ok(selector) => Some(selector),
        Err((message, hint)) => {
            reader.report(at, format!("assets in {section}: {message}"), hint);
            None
        }
    }
}

/// The most assets a selector can stand for.
fn most(selector: &Selector, named: &KnownNames) -> usize {
    match selector {
        Selector::Name(_) => 1,
        // An empty group is a problem of its own.
        Selector::Group(group) => match named.groups.get(group).map_or(0, Vec::len) {
            0 => RANKED_MIN,
            n => n,
        },
        Selector::Top(n) | Selector::Random(n) => usize::from(*n),
        Selector::Any => RANKED_MIN,
    }
}
