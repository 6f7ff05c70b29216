//! Parameters of a family: numbers, or ranges from which the seed draws.

use super::problem::{quoted, suggest};
use super::reader::{Key, Reader, Value, bounds_hint, is_number};
use crate::agents::declaration::{DrawnNumber, ParamSpec};
use crate::agents::families;
use crate::domain::FamilyId;
use std::collections::BTreeMap;

/// `params = { fast = { from = 8, to = 40 }, slow = 120 }`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    section: &str,
    family: FamilyId,
) -> BTreeMap<String, DrawnNumber> {
    let mut params = BTreeMap::new();
    let Some(table) = reader.table(value, &format!("params of {section}"), "like { fast = 20 }") else {
        return params;
    };
    let mut sound = true;
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let Some(spec) = families::info(family).params.iter().find(|s| s.name == name) else {
            unknown(reader, key, section, family);
            sound = false;
            continue;
        };
        match range(reader, value, &format!("{name} of {section}"), spec) {
            Some(range) => {
                params.insert(name.to_owned(), range);
            }
            None => sound = false,
        }
    }
    // What is compared with a value that was not taken would only be a second problem of one mistake.
    if sound {
        order(reader, value, section, family, &params);
    }
    params
}

fn unknown(reader: &mut Reader<'_>, key: &Key<'_>, section: &str, family: FamilyId) {
    let name = key.get_ref().as_ref();
    let own = families::info(family).params.iter().map(|s| s.name);
    let others: Vec<&str> = FamilyId::ALL
        .iter()
        .filter(|f| families::info(**f).params.iter().any(|s| s.name == name))
        .map(|f| f.text())
        .collect();
    if others.is_empty() {
        let message = format!("unknown parameter {} in {section}", quoted(name));
        reader.report(key.span().start, message, suggest(name, own));
        return;
    }
    let message = format!("{name} in {section} is a parameter of {}, not of {family}", others.join(" and "));
    let own: Vec<&str> = own.collect();
    reader.report(key.span().start, message, format!("{family} takes {}", own.join(", ")));
}

fn range(reader: &mut Reader<'_>, value: &Value<'_>, what: &str, spec: &ParamSpec) -> Option<DrawnNumber> {
    if is_number(value.get_ref()) {
        let x = number(reader, value, what, spec)?;
        return Some(DrawnNumber { from: x, to: x });
    }
    let hint = format!("{} to {}, or one number", spec.default.from, spec.default.to);
    let hint = format!("like {{ from = …, to = … }}; the default is {hint}");
    let Some(table) = value.get_ref().as_table() else {
        let is = super::reader::type_name(value.get_ref());
        let message = format!("{what} must be a number or a range, not {is}");
        reader.report(value.span().start, message, hint);
        return None;
    };
    let mut ends = [None, None];
    let mut sound = true;
    for (key, end) in table {
        let slot = match key.get_ref().as_ref() {
            "from" => &mut ends[0],
            "to" => &mut ends[1],
            _ => {
                reader.unknown(key, "key", what, ["from", "to"]);
                sound = false;
                continue;
            }
        };
        *slot = number(reader, end, &format!("{} of {what}", key.get_ref()), spec);
        sound &= slot.is_some();
    }
    match ends {
        _ if !sound => None,
        [Some(from), Some(to)] if from > to => {
            let message = format!("{what} goes from {from} to {to}, which is empty");
            reader.report(value.span().start, message, format!("use {{ from = {to}, to = {from} }}"));
            None
        }
        [Some(from), Some(to)] => Some(DrawnNumber { from, to }),
        _ => {
            reader.report(value.span().start, format!("{what} needs both ends"), hint);
            None
        }
    }
}

fn number(reader: &mut Reader<'_>, value: &Value<'_>, what: &str, spec: &ParamSpec) -> Option<f64> {
    let DrawnNumber { from, to } = spec.bounds;
    let x = reader.number(value, what, (from, to), spec.unit)?;
    if spec.is_lookback() && libm::trunc(x) != x {
        let message = format!("{what} is {x}, not a whole number of bars");
        reader.report(value.span().start, message, bounds_hint(from, to, spec.unit));
        return None;
    }
    Some(x)
}

/// Whatever the seed draws, the first of each ordered pair must come out below the second.
fn order(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    section: &str,
    family: FamilyId,
    params: &BTreeMap<String, DrawnNumber>,
) {
    let specs = families::info(family).params;
    for (low, high) in families::info(family).ordered {
        let of = |name: &str| {
            let default = specs.iter().find(|s| s.name == name).map(|s| s.default);
            params.get(name).copied().or(default)
        };
        let (Some(a), Some(b)) = (of(low), of(high)) else {
            continue;
        };
        if a.to < b.from {
            continue;
        }
        let by_default = |name: &str| {
            if params.contains_key(name) { "" } else { " by default" }
        };
        let message = format!(
            "{low} and {high} of {section} contradict: {low} goes up to {}{}, and {high} from {}{}",
            a.to,
            by_default(low),
            b.from,
            by_default(high),
        );
        let hint =
            format!("{low} must be below {high} whatever is drawn: set both so that they do not overlap");
        let at = value
            .get_ref()
            .as_table()
            .and_then(|t| t.get(*high).or_else(|| t.get(*low)))
            .map_or(value.span().start, |v| v.span().start);
        reader.report(at, message, hint);
    }
}
