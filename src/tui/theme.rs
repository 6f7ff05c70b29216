//! Themes: palette → roles → styles. The only file that knows colours.
//!
//! # Invariants
//!
//! 1. Every role of [`Role::ALL`] has a style in every theme, or the theme is refused with its name.
//! 2. Without colours (`NO_COLOR`) bold, reversed and the like stay, so nothing is told by colour alone.

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::str::FromStr;

macro_rules! roles {
    ($($role:ident = $text:literal),+ $(,)?) => {
        /// What a style is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Role { $($role),+ }

        impl Role {
            /// All, in the order of a theme's styles.
            pub const ALL: &'static [(Role, &'static str)] = &[$((Role::$role, $text)),+];
        }
    };
}

roles!(
    Text = "text",
    Dim = "dim",
    Title = "title",
    Border = "border",
    Focus = "focus",
    Key = "key",
    Good = "good",
    Bad = "bad",
    Warn = "warn",
    Alone = "alone",
    Sim = "sim",
    Real = "real",
    Selected = "selected",
    Synth = "synth",
    History = "history",
    Paper = "paper",
    Live = "live",
    Pulse = "pulse",
);

/// The themes that are built in: name and file.
pub const SHIPPED: &[(&str, &str)] = &[
    ("terminal", include_str!("../../themes/terminal.toml")),
    ("hive-dark", include_str!("../../themes/hive-dark.toml")),
];

/// Why a theme is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// No such theme.
    #[error("there is no theme {0:?}; there are terminal and hive-dark")]
    Unknown(String),
    /// Not a theme.
    #[error("theme {name}: {why}")]
    Unreadable {
        /// Which.
        name: String,
        /// What is wrong, and what would be right.
        why: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    palette: BTreeMap<String, String>,
    roles: BTreeMap<String, String>,
}

/// A theme.
#[derive(Clone, Debug)]
pub struct Theme {
    name: String,
    styles: Vec<Style>,
}

impl Theme {
    /// One of those that are built in.
    pub fn shipped(name: &str, colours: bool) -> Result<Self, ThemeError> {
        let found = SHIPPED.iter().find(|(n, _)| *n == name);
        let (_, text) = found.ok_or_else(|| ThemeError::Unknown(name.to_owned()))?;
        Theme::parse(text, colours)
    }

    /// Reads a theme.
    pub fn parse(text: &str, colours: bool) -> Result<Self, ThemeError> {
        let bad = |name: &str, why: String| ThemeError::Unreadable { name: name.to_owned(), why };
        let file: File = toml::from_str(text).map_err(|e| bad("?", e.to_string()))?;
        let style = |(_, role): &(Role, &str)| {
            let value =
                file.roles.get(*role).ok_or_else(|| bad(&file.name, format!("role {role} is missing")))?;
            let mut style = Style::new();
            for word in value.split_whitespace() {
                style = match word {
                    "bold" => style.add_modifier(Modifier::BOLD),
                    "dim" => style.add_modifier(Modifier::DIM),
                    "reversed" => style.add_modifier(Modifier::REVERSED),
                    "underlined" => style.add_modifier(Modifier::UNDERLINED),
                    _ => {
                        let colour = file.palette.get(word).map_or(word, String::as_str);
                        let colour = Color::from_str(colour).map_err(|_| {
                            bad(
                                &file.name,
                                format!("role {role}: {word:?} is no colour; write #rrggbb or green"),
                            )
                        })?;
                        if colours { style.fg(colour) } else { style }
                    }
                };
            }
            Ok(style)
        };
        let styles = Role::ALL.iter().map(style).collect::<Result<_, _>>()?;
        Ok(Theme { name: file.name.clone(), styles })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The style of a role.
    pub fn of(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// The colour of a role, for lines that are drawn.
    pub fn ink(&self, role: Role) -> Color {
        self.of(role).fg.unwrap_or(Color::Reset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_themes_have_every_role_and_their_name() {
        for (name, _) in SHIPPED {
            assert_eq!(Theme::shipped(name, true).unwrap().name(), *name);
        }
        assert!(Theme::shipped("neon", true).is_err());
    }

    #[test]
    fn without_colours_only_modifiers_are_left() {
        let plain = Theme::shipped("hive-dark", false).unwrap();
        for (role, _) in Role::ALL {
            assert_eq!(plain.of(*role).fg, None);
        }
        assert!(plain.of(Role::Live).add_modifier.contains(Modifier::REVERSED));
    }

    #[test]
    fn a_missing_role_or_a_strange_colour_is_named() {
        let missing = Theme::parse("name = \"x\"\n[roles]\ntext = \"red\"\n", true).unwrap_err();
        assert!(missing.to_string().contains("role dim is missing"), "{missing}");
        let text = SHIPPED[0].1.replace("\"cyan\"", "\"mauve-ish\"");
        assert!(Theme::parse(&text, true).unwrap_err().to_string().contains("mauve-ish"));
    }
}
