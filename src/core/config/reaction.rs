//! Reactions: `[[agent.reacts]]`, `[[personality.NAME.reacts]]` and `[[preset.GOAL.reacts]]`, each a name, what it
//! hears and what it does then.
//!
//! An agent lives by those of its goal's preset, of its personality and its own, in this order. One that comes later
//! replaces an earlier one of its name, and an empty list (`reacts = []`) all that came before it.

mod effect;
mod hears;
mod rule;

use super::names::{KnownNames, ReactionList};
use super::problem::quoted;
use super::reader::{Reader, Value};
use crate::domain::reaction::REACTIONS_MAX;
use crate::domain::{HeardSide, Hears, Reaction, ReactionEffect, Whom};
use rule::{KEYS, RuleContext};
use toml::de::DeTable;

pub(super) use rule::{ANYONE, ListHolder};

const LIST_HINT: &str = "write [[…reacts]] with two brackets, or reacts = [] for none";

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
            list.rules.push((Reaction { name, hears, then }, reader.position(at)));
        }
    }
    list
}

/// The way out of too many reactions.
pub(super) fn too_many() -> String {
    format!("an agent lives by at most {REACTIONS_MAX}; remove some")
}

impl RuleContext<'_> {
    /// All but its name: what it hears and what it does then.
    fn rule(
        &self,
        reader: &mut Reader<'_>,
        table: &DeTable<'_>,
        item: &Value<'_>,
    ) -> Option<(Hears, ReactionEffect)> {
        self.unknown_keys(reader, table);
        let form = "like hears = { what = \"lost\", who = \"anyone\", at_least = 2 }";
        let hears = self.required(reader, table, item, "hears", form).and_then(|v| self.hears(reader, v));
        let form = "like then = { wait = \"2d\" }";
        let then_value = self.required(reader, table, item, "then", form);
        let then = then_value.and_then(|v| self.effect(reader, v));
        let (hears, then, at) = (hears?, then?, then_value?.span().start);
        if let Some((message, hint)) = self.never_acts(&hears, then) {
            reader.report(at, message, hint);
            return None;
        }
        Some((hears, then))
    }

    /// Why what is heard can never do this, and the way out.
    fn never_acts(&self, hears: &Hears, then: ReactionEffect) -> Option<(String, String)> {
        if matches!(then, ReactionEffect::Enter(_)) && !hears.what.has_side() {
            return Some((
                format!("enter of {} has no side to take, what it hears has none", self.section),
                "it can change wait, size, stop, target, cut and hedge".to_owned(),
            ));
        }
        if hears.what.is_of_company() {
            if !then.is_cautious() {
                return Some((
                    format!("{} can never act: what it hears is no ground for more risk", self.section),
                    "wait, size and target below 1, stop, cut and hedge take risk away".to_owned(),
                ));
            }
            if let Whom::Agent(name) = &hears.who {
                return Some((
                    format!("{} can never act: of {} alone it may be an echo", self.section, quoted(name)),
                    "hear \"anyone\" or a family, two of them at least".to_owned(),
                ));
            }
        }
        // Who is with me cannot be against whom I enter, nor the other way.
        let side = match then {
            ReactionEffect::Enter(true) => Some((HeardSide::Against, "with")),
            ReactionEffect::Enter(false) => Some((HeardSide::With, "against")),
            _ => None,
        };
        side.filter(|(never, _)| *never == hears.side).map(|(_, word)| {
            (
                format!("{} can never act: whom it enters {word} is not on the side it hears", self.section),
                format!("write side = {word:?}, or leave the side out"),
            )
        })
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
