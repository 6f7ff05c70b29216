//! Tables of numbers that describe a character: the traits of a person, and the preset of a goal.

use super::reader::{Reader, Value};
use crate::agents::personality::{PRESET_KEYS, Preset, TRAITS, TraitSpec, Traits};

/// The key of a character's reactions, which are read apart.
pub(super) const REACTS: &str = "reacts";

/// A table of traits, on top of those that are there. Of keys that are `read_apart` nothing is said.
pub(super) fn read_traits(
    reader: &mut Reader<'_>,
    section: &str,
    value: &Value<'_>,
    read_apart: &[&str],
    traits: &mut Traits,
) {
    let Some(table) = reader.table(value, section, "like { sociability = 0.2, no_flip = true }") else {
        return;
    };
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let what = format!("{name} in {section}");
        if name == "no_flip" {
            if let Some(flag) = reader.flag(value, &what) {
                traits.no_flip = flag;
            }
        } else if let Some(spec) = find(TRAITS, name) {
            if let Some(number) = reader.number(value, &what, spec.bounds, spec.what) {
                traits.set(name, number);
            }
        } else if !read_apart.contains(&name) {
            let known = TRAITS.iter().map(|t| t.name).chain(["no_flip"]).chain(read_apart.iter().copied());
            reader.unknown(key, "trait", section, known);
        }
    }
}

/// The keys of a preset, on top of those that are there; its reactions are read apart.
pub(super) fn read_preset(reader: &mut Reader<'_>, section: &str, value: &Value<'_>, preset: &mut Preset) {
    let Some(table) = reader.table(value, section, "") else {
        return;
    };
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if name == REACTS {
            continue;
        }
        let Some(spec) = find(PRESET_KEYS, name) else {
            reader.unknown(key, "key", section, PRESET_KEYS.iter().map(|p| p.name).chain([REACTS]));
            continue;
        };
        let what = format!("{name} in {section}");
        let Some(number) = reader.number(value, &what, spec.bounds, spec.what) else {
            continue;
        };
        if name == "adds" && libm::trunc(number) != number {
            let message = format!("{what} is {number}, not a whole number");
            reader.report(value.span().start, message, spec.what);
            continue;
        }
        preset.set(name, number);
    }
}

fn find<'s>(specs: &'s [TraitSpec], name: &str) -> Option<&'s TraitSpec> {
    specs.iter().find(|s| s.name == name)
}
