//! The person's own settings: `$XDG_CONFIG_HOME/hive/config.toml`.
//!
//! ```toml
//! theme = "gruvbox"      # a theme that is built in, NAME of themes/NAME.toml beside this file, or a path
//! preset = "vim"         # default, vim
//! mouse = true
//! [layout]               # v goes through them; columns from the left, panes from the top
//! night = [["pnl", "goals"], ["network"]]
//! [keys]
//! pause = "P"
//! time-back = ["[", "ctrl-b"]
//! ```
//!
//! Flags and `HIVE_THEME` beat it. A mistake is told with its line; all wrong keys are told at once.

use super::arrangement::PaneLayout;
use super::context::PaneId;
use super::keymap::{Keymap, PRESETS};
use super::panes;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One key or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMoreKeys {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserFile {
    theme: Option<String>,
    preset: Option<String>,
    #[serde(default)]
    mouse: bool,
    #[serde(default)]
    layout: BTreeMap<String, Vec<Vec<String>>>,
    #[serde(default)]
    keys: BTreeMap<String, OneOrMoreKeys>,
}

/// What a person has settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// How it looks, where nothing else is asked for.
    pub theme: Option<String>,
    /// Which keys do what, where the person has bound them anew.
    pub keys: Keymap,
    /// The mouse is the cockpit's from the start.
    pub mouse: bool,
    /// Arrangements of panes in place of those that are built in; empty: those.
    pub views: Vec<PaneLayout>,
}

/// Panes by their names; or what is wrong with them.
fn views(layout: BTreeMap<String, Vec<Vec<String>>>) -> Result<Vec<PaneLayout>, Vec<String>> {
    let (mut views, mut wrong) = (Vec::new(), Vec::new());
    for (name, columns) in layout {
        let mut seen: Vec<PaneId> = Vec::new();
        let mut arranged = Vec::new();
        for column in &columns {
            let mut panes = Vec::new();
            for text in column {
                match panes::named(text) {
                    Some(pane) if seen.contains(&pane) => {
                        wrong.push(format!("layout {name}: {text} is there twice"));
                    }
                    Some(pane) => {
                        seen.push(pane);
                        panes.push(pane);
                    }
                    None => {
                        let all: Vec<&str> = panes::names().iter().map(|p| p.0).collect();
                        wrong.push(format!(
                            "layout {name}: there is no pane {text:?}; there are {}",
                            all.join(", ")
                        ));
                    }
                }
            }
            arranged.push(panes);
        }
        if arranged.is_empty() || arranged.iter().any(Vec::is_empty) {
            wrong.push(format!(
                "layout {name}: every column needs a pane; write [[\"agents\"], [\"pnl\", \"network\"]]"
            ));
        }
        views.push((name, arranged));
    }
    if wrong.is_empty() { Ok(views) } else { Err(wrong) }
}

impl Person {
    /// Reads a file; or says all that is wrong with it, a line each.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let file: UserFile = toml::from_str(text).map_err(|e| vec![e.to_string().trim_end().to_owned()])?;
        let preset = file.preset.as_deref().unwrap_or(PRESETS[0]);
        let Some(mut keys) = Keymap::preset(preset) else {
            return Err(vec![format!("there is no preset {preset:?}; there are {}", PRESETS.join(", "))]);
        };
        let many = |k: OneOrMoreKeys| match k {
            OneOrMoreKeys::One(key) => vec![key],
            OneOrMoreKeys::Many(keys) => keys,
        };
        let wanted: Vec<(String, Vec<String>)> = file.keys.into_iter().map(|(a, k)| (a, many(k))).collect();
        // All that is wrong at once.
        let (bound, views) = (keys.bind(&wanted), views(file.layout));
        match (bound, views) {
            (Ok(()), Ok(views)) => Ok(Person { theme: file.theme, keys, mouse: file.mouse, views }),
            (bound, views) => Err([bound.err(), views.err()].into_iter().flatten().flatten().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_its_mistakes_are_told() {
        let person = Person::parse("theme = \"mono\"\npreset = \"vim\"\n[keys]\nmute = \"M\"\n").unwrap();
        assert_eq!((person.theme.as_deref(), person.mouse), (Some("mono"), false));
        assert_ne!(person.keys, Keymap::preset("vim").unwrap());
        assert_eq!(Person::parse("").unwrap(), Person::default());
        let person = Person::parse("[layout]\nnight = [[\"pnl\", \"goals\"], [\"network\"]]\n").unwrap();
        assert_eq!(person.views[0].1, [vec![PaneId("pnl"), PaneId("goals")], vec![PaneId("network")]]);
        for (text, says) in [
            ("them = \"mono\"\n", "line 1"),
            ("preset = \"emacs\"\n", "there are default, vim"),
            ("[keys]\npause = \"m\"\n", "m is bound to pause and to mute"),
            ("[keys]\npause = 7\n", "line 2"),
            ("[layout]\na = [[\"pnl\", \"pnl\"]]\n[keys]\nsort = \"hyper\"\n", "pnl is there twice"),
            ("[layout]\na = [[\"news\"]]\n", "there are agents, messages"),
            ("[layout]\na = [[]]\n", "every column needs a pane"),
        ] {
            let wrong = Person::parse(text).unwrap_err().join("\n");
            assert!(wrong.contains(says), "{text}: {wrong}");
        }
    }
}
