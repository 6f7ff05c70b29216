//! The person's own settings: `$XDG_CONFIG_HOME/hive/config.toml`.
//!
//! ```toml
//! theme = "gruvbox"      # a theme that is built in, NAME of themes/NAME.toml beside this file, or a path
//! preset = "vim"         # default, vim
//! mouse = true
//! [keys]
//! pause = "P"
//! time-back = ["[", "ctrl-b"]
//! ```
//!
//! Flags and `HIVE_THEME` beat it. A mistake is told with its line; all wrong keys are told at once.

use super::keymap::{Keymap, PRESETS};
use serde::Deserialize;
use std::collections::BTreeMap;

/// One key or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Keys {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    theme: Option<String>,
    preset: Option<String>,
    #[serde(default)]
    mouse: bool,
    #[serde(default)]
    keys: BTreeMap<String, Keys>,
}

/// What a person has settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// How it looks, where nothing else is asked for.
    pub theme: Option<String>,
    /// The keys.
    pub keys: Keymap,
    /// The mouse is the cockpit's from the start.
    pub mouse: bool,
}

impl Person {
    /// Reads a file; or says all that is wrong with it, a line each.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let file: File = toml::from_str(text).map_err(|e| vec![e.to_string().trim_end().to_owned()])?;
        let preset = file.preset.as_deref().unwrap_or(PRESETS[0]);
        let Some(mut keys) = Keymap::preset(preset) else {
            return Err(vec![format!("there is no preset {preset:?}; there are {}", PRESETS.join(", "))]);
        };
        let many = |k: Keys| match k {
            Keys::One(key) => vec![key],
            Keys::Many(keys) => keys,
        };
        let wanted: Vec<(String, Vec<String>)> = file.keys.into_iter().map(|(a, k)| (a, many(k))).collect();
        keys.bind(&wanted)?;
        Ok(Person { theme: file.theme, keys, mouse: file.mouse })
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
        for (text, says) in [
            ("them = \"mono\"\n", "line 1"),
            ("preset = \"emacs\"\n", "there are default, vim"),
            ("[keys]\npause = \"m\"\n", "m is bound to pause and to mute"),
            ("[keys]\npause = 7\n", "line 2"),
        ] {
            let wrong = Person::parse(text).unwrap_err().join("\n");
            assert!(wrong.contains(says), "{text}: {wrong}");
        }
    }
}
