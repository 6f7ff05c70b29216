//! One `[[manager]]`: a manager that is set over a team.

use super::names::{KnownNames, NAME_CHARS_MAX, is_name};
use super::problem::{quoted, suggest};
use super::reader::{Reader, Value};
use crate::agents::declaration::{TeamManager, TeamMembers, TeamReading};
use crate::domain::{FamilyId, Goal, ManagerId};
use toml::de::DeTable;

const KEYS: &[&str] = &["name", "goal", "over", "watches", "above", "release", "size"];
/// Most managers of teams: there is a number for each, and a row of the screen.
pub(super) const TEAMS_MAX: usize = 16;
const OVER_FORMS: &str = "use \"all\", an agent's name, \"family:trend\" or \"goal:fast\"";

/// The managers that the `[[manager]]` tables declare, each name once.
pub(super) fn managers(reader: &mut Reader<'_>, value: &Value<'_>, named: &KnownNames) -> Vec<TeamManager> {
    let Some(array) = reader.array(value, "manager", "write [[manager]] with two brackets") else {
        return Vec::new();
    };
    let mut all: Vec<TeamManager> = Vec::new();
    for (i, item) in array.iter().enumerate() {
        if i == TEAMS_MAX {
            let message = format!("{} managers of teams, but at most {TEAMS_MAX} are possible", array.len());
            reader.report(item.span().start, message, "set one over several teams");
            break;
        }
        let Some(table) = reader.table(item, "a manager", "write [[manager]]") else { continue };
        let Some(read) = manager(reader, table, item, (i, named)) else { continue };
        if all.iter().any(|m| m.name == read.name) {
            let message = format!("there are two managers {}", quoted(&read.name));
            reader.report(item.span().start, message, "rename one");
        }
        all.push(read);
    }
    all
}

fn manager(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    item: &Value<'_>,
    (i, named): (usize, &KnownNames),
) -> Option<TeamManager> {
    let section = match table.get("name").and_then(|v| v.get_ref().as_str()) {
        Some(name) => format!("[[manager]] {}", quoted(name)),
        None => format!("[[manager]] number {}", i + 1),
    };
    for (key, _) in table.iter().filter(|(key, _)| !KEYS.contains(&key.get_ref().as_ref())) {
        reader.unknown(key, "key", &section, KEYS.iter().copied());
    }
    let mut required = |key: &str, hint: &str| {
        let value = table.get(key);
        if value.is_none() {
            reader.report(item.span().start, format!("{section} has no {key}"), hint);
        }
        value
    };
    let values = [
        required("name", "like name = \"Warden\""),
        required("goal", "like goal = \"low_risk\""),
        required("over", OVER_FORMS),
        required("watches", "\"drawdown\" or \"crowding\""),
        required("above", "the reading at which it turns, like above = 0.10"),
        required("release", "the reading at which it lets go, like release = 0.05"),
        required("size", "what its agents hold meanwhile, like size = 0.5"),
    ];
    let [name, goal, over, watches, above, release, size] = values;
    let name = name.and_then(|v| called(reader, v, &section, named));
    let goals: Vec<(&str, Goal)> = Goal::ALL.iter().map(|g| (g.text(), *g)).collect();
    let goal = goal.and_then(|v| reader.word(v, &format!("goal in {section}"), &goals));
    let over = over.and_then(|v| members(reader, v, &section, named));
    let watches = watches.and_then(|v| reader.word(v, &format!("watches in {section}"), TeamReading::ALL));
    let mut number = |value: Option<&Value<'_>>, key: &str, bounds: (f64, f64), unit: &str| {
        value.and_then(|v| reader.number(v, &format!("{key} in {section}"), bounds, unit))
    };
    let above = number(above, "above", (0.001, 10.0), "of what it watches");
    let release = number(release, "release", (0.0, 10.0), "of what it watches");
    let size = number(size, "size", (0.0, 0.99), "fraction of what they would hold");
    if let (Some(above), Some(release)) = (above, release)
        && release > above
    {
        let message = format!("release in {section} is {release}, above its above = {above}");
        reader.report(item.span().start, message, "it lets go below the reading at which it turns");
        return None;
    }
    Some(TeamManager {
        name: name?,
        goal: goal?,
        over: over?,
        watches: watches?,
        above: above?,
        release: release?,
        size: size?,
    })
}

/// Its name, which nobody else may have.
fn called(reader: &mut Reader<'_>, value: &Value<'_>, section: &str, named: &KnownNames) -> Option<String> {
    let name = reader.text(value, &format!("name in {section}"))?;
    let at = value.span().start;
    if !is_name(name, NAME_CHARS_MAX) {
        let message = format!("{} is no name for a manager", quoted(name));
        reader.report(at, message, format!("1 to {NAME_CHARS_MAX} letters, digits, - and _"));
        return None;
    }
    let is_taken =
        ManagerId::NAMES.contains(&name) || named.agents.as_ref().is_some_and(|a| a.contains(name));
    if is_taken {
        let message = format!("{} is the name of somebody else", quoted(name));
        reader.report(at, message, "commands find agents and managers by their names: choose another");
        return None;
    }
    Some(name.to_owned())
}

fn members(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    section: &str,
    named: &KnownNames,
) -> Option<Vec<TeamMembers>> {
    let what = format!("over in {section}");
    let array = reader.array(value, &what, "like over = [\"family:trend\", \"Mira\"]")?;
    if array.is_empty() {
        reader.report(value.span().start, format!("{what} names nobody"), OVER_FORMS);
        return None;
    }
    array.iter().map(|item| member(reader, item, &what, named)).collect()
}

fn member(reader: &mut Reader<'_>, item: &Value<'_>, what: &str, named: &KnownNames) -> Option<TeamMembers> {
    let text = reader.text(item, what)?;
    let at = item.span().start;
    match text.split_once(':') {
        None if text == "all" => Some(TeamMembers::All),
        None => match &named.agents {
            Some(names) if !names.contains(text) => {
                let near = suggest(text, names.iter().map(String::as_str));
                reader.report(at, format!("{what} names {}, and there is no such agent", quoted(text)), near);
                None
            }
            _ => Some(TeamMembers::Agent(text.to_owned())),
        },
        Some(("family", name)) => {
            let words = FamilyId::ALL.iter().map(|f| f.text());
            known(reader, FamilyId::parse(name), (at, "family", name), what, words).map(TeamMembers::Family)
        }
        Some(("goal", name)) => {
            let words = Goal::ALL.iter().map(|g| g.text());
            known(reader, Goal::parse(name), (at, "goal", name), what, words).map(TeamMembers::DeployedFor)
        }
        Some(_) => {
            reader.report(at, format!("{what} is {}, which is no form", quoted(text)), OVER_FORMS);
            None
        }
    }
}

/// What a word stands for, or a problem with the nearest of those that are known.
fn known<'w, T>(
    reader: &mut Reader<'_>,
    found: Option<T>,
    (at, kind, name): (usize, &str, &str),
    what: &str,
    words: impl Iterator<Item = &'w str> + Clone,
) -> Option<T> {
    if found.is_none() {
        reader.report(at, format!("unknown {kind} {} in {what}", quoted(name)), suggest(name, words));
    }
    found
}

/// As the hash of a roster knows it.
pub(super) fn print(m: &TeamManager) -> String {
    let TeamManager { name, goal, over, watches, above, release, size } = m;
    let over: Vec<String> = over.iter().map(whom).collect();
    format!("{name} {goal} over:{} {} {above} {release} {size}", over.join(","), watches.text())
}

/// How the file says it.
pub fn whom(of: &TeamMembers) -> String {
    match of {
        TeamMembers::All => "all".to_owned(),
        TeamMembers::Agent(name) => name.clone(),
        TeamMembers::Family(family) => format!("family:{family}"),
        TeamMembers::DeployedFor(goal) => format!("goal:{goal}"),
    }
}
