//! A rule that is being read: how problems name it, and what its parts have in common.

use crate::config::names::KnownNames;
use crate::config::problem::{meant, quoted};
use crate::config::reader::{Reader, Value, bounds_hint};
use crate::domain::Span;
use crate::domain::reaction::{REACTION_NAME_MAX, REACTION_SPAN_MIN};
use toml::de::DeTable;

/// Every other agent, which therefore no agent may be called.
pub(in crate::config) const ANYONE: &str = "anyone";

/// Keys of a rule.
pub(super) const KEYS: &[&str] = &["name", "hears", "then"];

/// Who has a list of reactions, as problems name it, and the agent that it is, if it is one.
#[derive(Clone, Copy)]
pub(in crate::config) struct ListHolder<'s> {
    pub section: &'s str,
    pub agent: Option<&'s str>,
}

/// A rule that is being read: as problems name it, and what it may refer to.
pub(super) struct RuleContext<'c> {
    pub section: String,
    pub holder: ListHolder<'c>,
    pub named: &'c KnownNames,
}

impl RuleContext<'_> {
    /// A value that must be there; where a slip in its key is the problem, its absence is none.
    pub fn required<'t, 'i>(
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
    pub fn name(
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

    /// A length of time from the shortest that a reaction may have up to this one.
    pub fn span(&self, reader: &mut Reader<'_>, value: &Value<'_>, key: &str, longest: Span) -> Option<Span> {
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
