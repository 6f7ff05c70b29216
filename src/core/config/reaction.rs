//! Reactions: `[[agent.reacts]]`, `[[personality.NAME.reacts]]` and `[[preset.GOAL.reacts]]`, each a name, what it
//! hears and what it does then.
//!
//! An agent lives by those of its goal's preset, of its personality and its own, in this order. One that comes later
//! replaces an earlier one of its name, and an empty list (`reacts = []`) all that came before it.

mod effect;
mod hears;

use super::names::{KnownNames, ReactionList};
use super::problem::{meant, quoted};
use super::reader::{Reader, Value, bounds_hint};
use crate::domain::reaction::{REACTION_NAME_MAX, REACTION_SPAN_MIN, REACTIONS_MAX};
use crate::domain::{Effect, Hearing, Hears, Reaction, Span};
use toml::de::DeTable;

/// Every other agent, which therefore no agent may be called.
pub(super) const ANYONE: &str = "anyone";

const KEYS: &[&str] = &["name", "hears", "then"];
const LIST_HINT: &str = "write [[…reacts]] with two brackets, or reacts = [] for none";

/// Who has a list of reactions, as problems name it, and the agent that it is, if it is one.
#[derive(Clone, Copy)]
pub(super) struct ListHolder<'s> {
    pub section: &'s str,
    pub agent: Option<&'s str>,
}

/// A rule that is being read: as problems name it, and what it may refer to.
struct RuleContext<'c> {
    section: String,
    holder: ListHolder<'c>,
    named: &'c KnownNames,
}

/// A list of reactions, each name once.
pub(super) fn read(
    reader: &mut Reader<'_>,
    value: Option<&Value<'_>>,
    holder: ListHolder<'_>,
    named: &KnownNames,
) -> ReactionList {
    let mut list = ReactionList::default();
    let section = holder.section;
    let Some(array) = value.and_then(|v| reader.array(v, &format!("reacts of {section}"), LIST_HINT)) else {
        return list;
    };
    list.none = array.is_empty();
    // Names as they stand, also of rules that are wrong: a second one of a name is a mistake all the same.
    let mut lines: Vec<(String, usize)> = Vec::new();
    for (i, item) in array.iter().enumerate() {
        if i == REACTIONS_MAX {
            let message = format!("{section} has {} reactions", array.len());
            reader.report(item.span().start, message, too_many());
            break;
        }
        let Some(table) = reader.table(item, &format!("a reaction of {section}"), "write [[…reacts]]")
        else {
            continue;
        };
        let what = match table.get("name").and_then(|v| v.get_ref().as_str()) {
            Some(name) => format!("reaction {} of {section}", quoted(name)),
            None => format!("reaction number {} of {section}", i + 1),
        };
        let context = RuleContext { section: what, holder, named };
        let name = context.name(reader, table, item);
        if let Some((name, at)) = &name {
            match lines.iter().find(|(n, _)| n == name) {
                Some((_, first)) => {
                    let message = format!("there are two reactions {} in {section}", quoted(name));
                    reader.report(*at, message, format!("the first is in line {first}; rename one"));
                }
                None => lines.push((name.clone(), reader.position(*at).0)),
            }
        }
        let rule = context.rule(reader, table, item);
        if let (Some((name, at)), Some((hears, then))) = (name, rule) {
            list.rules.push((Reaction { name, hears, then }, at));
        }
    }
    list
}

/// The way out of too many reactions.
pub(super) fn too_many() -> String {
    format!("an agent lives by at most {REACTIONS_MAX}; remove some")
}

impl RuleContext<'_> {
    /// A value that must be there; where a slip in its key is the problem, its absence is none.
    fn required<'t, 'i>(
        &self,
        reader: &mut Reader<'_>,
        table: &'t DeTable<'i>,
        item: &Value<'_>,
        key: &str,
        hint: &str,
    ) -> Option<&'t Value<'i>> {
        let value = table.get(key);
        if value.is_none() && !meant(table, key, KEYS) {
            reader.report(item.span().start, format!("{} has no {key}", self.section), hint);
        }
        value
    }

    /// Its name and the place of it.
    fn name(
        &self,
        reader: &mut Reader<'_>,
        table: &DeTable<'_>,
        item: &Value<'_>,
    ) -> Option<(String, usize)> {
        let value = self.required(reader, table, item, "name", "like name = \"wait for the crowd\"")?;
        let name = reader.text(value, &format!("name of {}", self.section))?;
        let letters = name.chars().all(|c| c.is_alphanumeric() || " -_".contains(c));
        let long = (1..=REACTION_NAME_MAX).contains(&name.chars().count());
        if !letters || !long || name.trim() != name {
            let message = format!("{} is no name for a reaction", quoted(name));
            let hint = format!("1 to {REACTION_NAME_MAX} letters, digits, spaces, - and _");
            reader.report(value.span().start, message, hint);
            return None;
        }
        Some((name.to_owned(), value.span().start))
    }

    /// All but its name: what it hears and what it does then.
    fn rule(
        &self,
        reader: &mut Reader<'_>,
        table: &DeTable<'_>,
        item: &Value<'_>,
    ) -> Option<(Hears, Effect)> {
        self.unknown_keys(reader, table);
        let form = "like hears = { what = \"lost\", who = \"anyone\", at_least = 2 }";
        let hears = self.required(reader, table, item, "hears", form).and_then(|v| self.hears(reader, v));
        let form = "like then = { wait = \"2d\" }";
        let then_value = self.required(reader, table, item, "then", form);
        let then = then_value.and_then(|v| self.effect(reader, v));
        let (hears, then, at) = (hears?, then?, then_value?.span().start);
        if let (Hearing::Goal { .. }, Effect::Enter(_)) = (hears.what, then) {
            let message = format!("enter of {} has no side to take, a goal has none", self.section);
            reader.report(at, message, "a goal can change wait, size, stop, target, cut and hedge");
            return None;
        }
        Some((hears, then))
    }

    fn unknown_keys(&self, reader: &mut Reader<'_>, table: &DeTable<'_>) {
        for (key, _) in table {
            let name = key.get_ref().as_ref();
            let inner = [("hears", hears::KEYS), ("then", effect::WORDS)];
            if KEYS.contains(&name) {
                continue;
            }
            match inner.iter().find(|(_, keys)| keys.contains(&name)) {
                Some((part, _)) => {
                    let message = format!("{name} in {} stands in the wrong place", self.section);
                    reader.report(key.span().start, message, format!("write {part} = {{ {name} = … }}"));
                }
                None => reader.unknown(key, "key", &self.section, KEYS.iter().copied()),
            }
        }
    }

    /// A length of time from the shortest that a reaction may have up to this one.
    fn span(&self, reader: &mut Reader<'_>, value: &Value<'_>, key: &str, longest: Span) -> Option<Span> {
        let what = format!("{key} of {}", self.section);
        let text = reader.text(value, &what)?;
        let shortest = REACTION_SPAN_MIN;
        match Span::parse(text) {
            None => {
                let message = format!("{what} is {}, which is no length of time", quoted(text));
                reader.report(value.span().start, message, "use 45s, 30m, 4h, 3d or 2w");
                None
            }
            Some(span) if !(shortest..=longest).contains(&span) => {
                let hint = bounds_hint(shortest, longest, "");
                reader.report(value.span().start, format!("{what} is {span}, out of bounds"), hint);
                None
            }
            found => found,
        }
    }
}

/// A reaction as the file would state it, with all that it could leave out: what the hash of a roster knows of it.
pub(super) fn print(reaction: &Reaction) -> String {
    // Taken apart so that a new field does not compile unprinted.
    let Reaction { name, hears, then } = reaction;
    format!(
        "{{ name = {name:?}, hears = {{ {} }}, then = {{ {} }} }}",
        hears::print(hears),
        effect::print(*then)
    )
}
