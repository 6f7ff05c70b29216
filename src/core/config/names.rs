//! Names: what one may look like, and those that the sections of the file have given, which agents refer to.

use super::problem::{quoted, suggest};
use super::reader::Reader;
use crate::agents::personality::{Preset, Traits};
use crate::domain::{Goal, Reaction};
use std::collections::{BTreeMap, BTreeSet};

/// Longest name of an agent, a group or a personality: a column of the screen.
pub(super) const NAME_CHARS_MAX: usize = 16;

/// What agents refer to. Names whose content was wrong are kept, so that one mistake is one problem.
#[derive(Debug, Default)]
pub(super) struct KnownNames {
    pub groups: BTreeMap<String, Vec<String>>,
    pub personalities: BTreeMap<String, Traits>,
    pub presets: BTreeMap<Goal, Preset>,
    /// Reactions of presets and personalities, by their names.
    pub preset_reacts: BTreeMap<Goal, ReactionList>,
    pub personality_reacts: BTreeMap<String, ReactionList>,
    /// Names of all agents; none where one of them could not be read, so that any may be meant.
    pub agents: Option<BTreeSet<String>>,
    /// Goals that a slip in a preset's name was probably meant for.
    pub presets_meant: Vec<Goal>,
    /// The whole section could not be read, which is a problem of its own.
    pub groups_lost: bool,
    pub personalities_lost: bool,
    pub presets_lost: bool,
}

/// What one list of reactions says.
#[derive(Clone, Debug, Default)]
pub(super) struct ReactionList {
    /// Each with line and column of its name.
    pub rules: Vec<(Reaction, (usize, usize))>,
    /// The list is there and empty: whoever has it lives by none, not by those of its goal either.
    pub none: bool,
}

impl KnownNames {
    /// The personality of this name, or a problem with the nearest.
    pub fn personality(
        &self,
        reader: &mut Reader<'_>,
        section: &str,
        name: &str,
        at: usize,
    ) -> Option<Traits> {
        if self.personalities_lost {
            return None;
        }
        let found = self.personalities.get(name).copied();
        if found.is_none() {
            let message = format!("unknown personality {} in {section}", quoted(name));
            let hint = suggest(name, self.personalities.keys().map(String::as_str));
            reader.report(at, message, hint);
        }
        found
    }
}

/// The words of a name, as agents, groups and personalities have them too.
pub(super) fn is_name(text: &str, chars_max: usize) -> bool {
    (1..=chars_max).contains(&text.chars().count())
        && text.chars().all(|c| c.is_alphanumeric() || "-_".contains(c))
}
