//! Themes: palette → roles → styles. This file and [`paint`] are the only ones that know colours.
//!
//! # Invariants
//!
//! 1. Every role of [`StyleRole::ALL`] has a style in every theme, or the theme is refused with its name.
//! 2. Without colours (`NO_COLOR`) bold, reversed and the like stay, so nothing is told by colour alone.

pub mod paint;
pub mod wardrobe;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::str::FromStr;

macro_rules! roles {
    ($($role:ident = $text:literal),+ $(,)?) => {
        /// What a style is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum StyleRole { $($role),+ }

        impl StyleRole {
            /// All, in the order of a theme's styles.
            pub const ALL: &'static [(StyleRole, &'static str)] = &[$((StyleRole::$role, $text)),+];
        }
    };
}

roles!(
    Base = "base",
    Text = "text",
    Dim = "dim",
    Faint = "faint",
    Title = "title",
    Border = "border",
    Focus = "focus",
    Key = "key",
    Good = "good",
    Bad = "bad",
    Warn = "warn",
    Alone = "alone",
    Open = "open",
    Real = "real",
    Selected = "selected",
    Cursor = "cursor",
    Stale = "stale",
    Banner = "banner",
    Synth = "synth",
    History = "history",
    Paper = "paper",
    Live = "live",
    Pulse = "pulse",
    Past = "past",
);

/// Themes above a theme.
const ANCESTORS_MAX: usize = 8;

/// The themes that are built in: name and file.
pub const SHIPPED: &[(&str, &str)] = &[
    ("terminal", include_str!("../../themes/terminal.toml")),
    ("hive-dark", include_str!("../../themes/hive-dark.toml")),
    ("hive-light", include_str!("../../themes/hive-light.toml")),
    ("okabe-ito", include_str!("../../themes/okabe-ito.toml")),
    ("solarized", include_str!("../../themes/solarized.toml")),
    ("gruvbox", include_str!("../../themes/gruvbox.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorDepth {
    /// 24 bits: sixteen million colours.
    True,
    /// The 256 colours of the xterm palette.
    Indexed,
    /// The 16 colours that every terminal has.
    Ansi,
}

impl ColorDepth {
    /// From what the terminal says of itself: the values of `COLORTERM` and `TERM`. Nothing is asked of
    /// the terminal, which could keep the first frame waiting.
    pub fn guess(colorterm: &str, term: &str) -> Self {
        match () {
            () if colorterm.contains("truecolor") || colorterm.contains("24bit") => ColorDepth::True,
            () if term.contains("direct") => ColorDepth::True,
            () if term.contains("256") => ColorDepth::Indexed,
            () => ColorDepth::Ansi,
        }
    }
}

/// Why a theme is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// No such theme.
    #[error("there is no theme {name:?}; there are {}", names())]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// Not a theme.
    #[error("theme {name}: {why}")]
    Unreadable {
        /// Name of the theme that was asked for.
        name: String,
        /// What is wrong, and what would be right.
        why: String,
    },
}

fn names() -> String {
    SHIPPED.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// A colour of the palette.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Ink {
    /// In 24 bits, or by name; where there are fewer colours, the nearest.
    One(String),
    /// Chosen by hand for each number of colours.
    Each {
        rgb: String,
        #[serde(rename = "256")]
        indexed: u8,
        #[serde(rename = "16")]
        ansi: String,
    },
}

impl Ink {
    fn at(&self, depth: ColorDepth) -> String {
        match (self, depth) {
            (Ink::One(text), _) | (Ink::Each { rgb: text, .. }, ColorDepth::True) => text.clone(),
            (Ink::Each { indexed, .. }, ColorDepth::Indexed) => indexed.to_string(),
            (Ink::Each { ansi, .. }, ColorDepth::Ansi) => ansi.clone(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThemeFile {
    name: String,
    /// The theme whose colours and roles hold where this one says nothing.
    inherits: Option<String>,
    #[serde(default)]
    palette: BTreeMap<String, Ink>,
    #[serde(default)]
    roles: BTreeMap<String, String>,
}

impl ThemeFile {
    /// With what it inherits filled in. `find` knows the text of a theme by its name.
    fn read(text: &str, find: &dyn Fn(&str) -> Option<String>) -> Result<ThemeFile, ThemeError> {
        let one = |text: &str| -> Result<ThemeFile, ThemeError> {
            toml::from_str(text)
                .map_err(|e| ThemeError::Unreadable { name: "?".to_owned(), why: e.to_string() })
        };
        let mut file = one(text)?;
        let mut parent = file.inherits.clone();
        for _ in 0..ANCESTORS_MAX {
            let Some(name) = parent.take() else { return Ok(file) };
            let Some(text) = find(&name) else {
                let why = format!("it inherits from {name:?}, which is not there; there are {}", names());
                return Err(ThemeError::Unreadable { name: file.name, why });
            };
            let older = one(&text)?;
            for (name, ink) in older.palette {
                file.palette.entry(name).or_insert(ink);
            }
            for (role, style) in older.roles {
                file.roles.entry(role).or_insert(style);
            }
            parent = older.inherits;
        }
        let why = format!("it inherits over more than {ANCESTORS_MAX} themes; is there a circle?");
        Err(ThemeError::Unreadable { name: file.name, why })
    }

    fn style(&self, role: &str, depth: ColorDepth) -> Result<Style, ThemeError> {
        let bad = |why: String| ThemeError::Unreadable { name: self.name.clone(), why };
        let value = self.roles.get(role).ok_or_else(|| bad(format!("role {role} is missing")))?;
        let mut style = Style::new();
        let mut behind = false;
        for word in value.split_whitespace() {
            if word == "on" {
                behind = true;
                continue;
            }
            style = match word {
                "italic" => style.add_modifier(Modifier::ITALIC),
                "bold" => style.add_modifier(Modifier::BOLD),
                "dim" => style.add_modifier(Modifier::DIM),
                "reversed" => style.add_modifier(Modifier::REVERSED),
                "underlined" => style.add_modifier(Modifier::UNDERLINED),
                _ => {
                    let text = self.palette.get(word).map_or_else(|| word.to_owned(), |ink| ink.at(depth));
                    let colour = Color::from_str(&text).map_err(|_| {
                        bad(format!("role {role}: {word:?} is no colour; write #rrggbb or green"))
                    })?;
                    let colour = nearest(colour, depth);
                    if std::mem::take(&mut behind) { style.bg(colour) } else { style.fg(colour) }
                }
            };
        }
        Ok(style)
    }
}

/// The style of every role, in each depth of colours.
#[derive(Clone, Debug)]
pub struct Theme {
    name: String,
    /// By depth: 24 bits, 256 colours, 16.
    faces: [Vec<Style>; 3],
    /// The one that is worn.
    depth: ColorDepth,
}

impl Theme {
    /// One of those that are built in.
    pub fn shipped(name: &str, colours: bool) -> Result<Self, ThemeError> {
        let text = built_in(name).ok_or_else(|| ThemeError::Unknown { name: name.to_owned() })?;
        Theme::parse(&text, colours)
    }

    /// Reads a theme; it may inherit from those that are built in.
    pub fn parse(text: &str, colours: bool) -> Result<Self, ThemeError> {
        Theme::read(text, colours, &built_in)
    }

    /// Reads a theme; `find` knows the text of those it may inherit from.
    pub fn read(
        text: &str,
        colours: bool,
        find: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ThemeError> {
        let file = ThemeFile::read(text, find)?;
        let face = |depth: ColorDepth| -> Result<Vec<Style>, ThemeError> {
            let styles: Result<Vec<Style>, _> =
                StyleRole::ALL.iter().map(|(_, role)| file.style(role, depth)).collect();
            let styles = styles.map(|s| if depth == ColorDepth::Ansi { without_shades(s) } else { s });
            styles.map(|s| if colours { s } else { colourless(s) })
        };
        let faces = [face(ColorDepth::True)?, face(ColorDepth::Indexed)?, face(ColorDepth::Ansi)?];
        Ok(Theme { name: file.name.clone(), faces, depth: ColorDepth::True })
    }

    /// Name that the theme is chosen by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The style of a role.
    pub fn of(&self, role: StyleRole) -> Style {
        self.faces[self.depth as usize].get(role as usize).copied().unwrap_or_default()
    }

    /// The same in the colours that there are: done once, when it was read, not for every cell.
    #[must_use]
    pub fn quantised(mut self, depth: ColorDepth) -> Self {
        self.depth = depth;
        self
    }

    /// The colour of a badge as ink: its background where it has one.
    pub fn stroke(&self, badge: StyleRole) -> Style {
        let (badge, base) = (self.of(badge), self.of(StyleRole::Base));
        match badge.bg {
            Some(bg) => Style { fg: Some(bg), bg: base.bg, ..Style::new() },
            None => Style { add_modifier: Modifier::empty(), ..badge },
        }
    }

    /// What a part of the screen becomes whose data is old: readable, and without any colour of its own.
    pub fn stale(&self) -> Style {
        let grey = self.of(StyleRole::Stale);
        Style { bg: self.of(StyleRole::Base).bg, ..grey }
    }
}

/// The text of a theme that is built in.
pub fn built_in(name: &str) -> Option<String> {
    SHIPPED.iter().find(|(n, _)| *n == name).map(|(_, text)| (*text).to_owned())
}

/// How rows stand out that have nothing behind them: the cursor's reversed, that of a pane without the focus
/// underlined, so that only one is reversed.
fn standing_out(role: usize) -> Modifier {
    if role == StyleRole::Cursor as usize {
        Modifier::BOLD | Modifier::UNDERLINED
    } else {
        Modifier::REVERSED
    }
}

/// Among sixteen colours there is no shade beside the background on which all inks could be read.
fn without_shades(mut styles: Vec<Style>) -> Vec<Style> {
    for role in [StyleRole::Selected as usize, StyleRole::Cursor as usize] {
        if let Some(style) = styles.get_mut(role).filter(|s| s.bg.is_some()) {
            *style = Style { bg: None, ..style.add_modifier(standing_out(role)) };
        }
    }
    styles
}

/// Bold, reversed and the like stay; what stands out by what is behind it stands out without it.
fn colourless(styles: Vec<Style>) -> Vec<Style> {
    let paper = styles.get(StyleRole::Base as usize).and_then(|s| s.bg);
    let plain = |(role, style): (usize, Style)| {
        let told = style.bg != paper && style.bg.is_some();
        let mark = if told { standing_out(role) } else { Modifier::empty() };
        Style::new().add_modifier(style.add_modifier | mark)
    };
    styles.into_iter().enumerate().map(plain).collect()
}

/// The levels of the 6×6×6 cube of the 256 colours.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];
/// The sixteen as most terminals show them.
const SIXTEEN: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 49, 49]),
    (Color::Green, [13, 188, 121]),
    (Color::Yellow, [229, 229, 16]),
    (Color::Blue, [36, 114, 200]),
    (Color::Magenta, [188, 63, 188]),
    (Color::Cyan, [17, 168, 205]),
    (Color::Gray, [200, 200, 200]),
    (Color::DarkGray, [102, 102, 102]),
    (Color::LightRed, [241, 76, 76]),
    (Color::LightGreen, [35, 209, 139]),
    (Color::LightYellow, [245, 245, 67]),
    (Color::LightBlue, [59, 142, 234]),
    (Color::LightMagenta, [214, 112, 214]),
    (Color::LightCyan, [41, 184, 219]),
    (Color::White, [255, 255, 255]),
];

fn nearest(colour: Color, depth: ColorDepth) -> Color {
    let (Color::Rgb(r, g, b), false) = (colour, depth == ColorDepth::True) else { return colour };
    let far =
        |c: [u8; 3]| [r, g, b].iter().zip(c).map(|(x, y)| (i32::from(*x) - i32::from(y)).pow(2)).sum::<i32>();
    if depth == ColorDepth::Ansi {
        return SIXTEEN.iter().min_by_key(|(_, c)| far(*c)).map_or(colour, |(c, _)| *c);
    }
    let step = |x: u8| (0..6).min_by_key(|i| x.abs_diff(CUBE[*i])).unwrap_or(0);
    let [i, j, k] = [r, g, b].map(step);
    let cube = ([CUBE[i], CUBE[j], CUBE[k]], 16 + 36 * i + 6 * j + k);
    let grey = |n: usize| ([8 + 10 * n as u8; 3], 232 + n);
    let found = (0..24).map(grey).chain([cube]).min_by_key(|(c, _)| far(*c));
    found.map_or(colour, |(_, n)| Color::Indexed(n as u8))
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
        for (role, _) in StyleRole::ALL {
            assert_eq!(plain.of(*role).fg, None);
        }
        assert!(plain.of(StyleRole::Live).add_modifier.contains(Modifier::REVERSED));
    }

    #[test]
    fn fewer_colours_are_the_nearest_ones() {
        assert_eq!(nearest(Color::Rgb(255, 255, 255), ColorDepth::Ansi), Color::White);
        assert_eq!(nearest(Color::Rgb(210, 45, 50), ColorDepth::Ansi), Color::Red);
        assert_eq!(nearest(Color::Rgb(95, 135, 0), ColorDepth::Indexed), Color::Indexed(16 + 36 + 12));
        assert_eq!(nearest(Color::Rgb(18, 18, 18), ColorDepth::Indexed), Color::Indexed(233));
        assert_eq!(nearest(Color::Rgb(1, 2, 3), ColorDepth::True), Color::Rgb(1, 2, 3));
        assert_eq!(ColorDepth::guess("truecolor", "xterm"), ColorDepth::True);
        assert_eq!(ColorDepth::guess("", "tmux-256color"), ColorDepth::Indexed);
        assert_eq!(ColorDepth::guess("", "linux"), ColorDepth::Ansi);
    }

    #[test]
    fn a_theme_inherits_what_it_does_not_say_and_circles_are_refused() {
        let text = "name = \"x\"\ninherits = \"hive-dark\"\n[palette]\nleaf = { rgb = \"#010203\", 256 = 40, 16 = \"blue\" }\n[roles]\nbad = \"leaf bold\"\n";
        let theme = Theme::parse(text, true).unwrap();
        let dark = Theme::shipped("hive-dark", true).unwrap();
        assert_eq!((theme.name(), theme.of(StyleRole::Title)), ("x", dark.of(StyleRole::Title)));
        assert_eq!(theme.of(StyleRole::Good).fg, Some(Color::Rgb(1, 2, 3)));
        assert_eq!(theme.of(StyleRole::Bad), Style::new().fg(Color::Rgb(1, 2, 3)).bold());
        assert_eq!(
            theme.clone().quantised(ColorDepth::Indexed).of(StyleRole::Good).fg,
            Some(Color::Indexed(40))
        );
        assert_eq!(theme.quantised(ColorDepth::Ansi).of(StyleRole::Good).fg, Some(Color::Blue));
        let circle = |name: &str| Some(format!("name = \"{name}\"\ninherits = \"b\"\n"));
        let told = Theme::read(&circle("a").unwrap(), true, &circle).unwrap_err().to_string();
        assert!(told.contains("circle"), "{told}");
        let orphan = Theme::parse("name = \"x\"\ninherits = \"neon\"\n", true).unwrap_err().to_string();
        assert!(orphan.contains("neon") && orphan.contains("gruvbox"), "{orphan}");
    }

    /// As most terminals show it.
    fn rgb(c: Color) -> (u8, u8, u8) {
        match c {
            Color::Rgb(r, g, b) => (r, g, b),
            Color::Indexed(n @ 232..) => (8 + 10 * (n - 232), 8 + 10 * (n - 232), 8 + 10 * (n - 232)),
            Color::Indexed(n @ 16..) => {
                let level = |n: u8| CUBE[usize::from(n % 6)];
                (level((n - 16) / 36), level((n - 16) / 6), level(n - 16))
            }
            named => {
                let [r, g, b] = SIXTEEN.iter().find(|s| s.0 == named).unwrap().1;
                (r, g, b)
            }
        }
    }

    /// Contrast as WCAG 2.2 defines it.
    fn contrast(a: Color, b: Color) -> f64 {
        let light = |c: Color| {
            let (r, g, b) = rgb(c);
            let one = |x: u8| {
                let x = f64::from(x) / 255.0;
                if x <= 0.03928 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * one(r) + 0.7152 * one(g) + 0.0722 * one(b)
        };
        let (a, b) = (light(a), light(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn what_is_read_stands_out_from_what_is_behind_it() {
        for (name, depth) in painted() {
            let theme = Theme::shipped(name, true).unwrap().quantised(depth);
            let paper = theme.of(StyleRole::Base).bg.unwrap();
            for (role, word) in StyleRole::ALL {
                let style = theme.of(*role);
                let least = match role {
                    StyleRole::Faint
                    | StyleRole::Border
                    | StyleRole::Cursor
                    | StyleRole::Selected
                    | StyleRole::Stale => continue,
                    StyleRole::Text | StyleRole::Title => 4.5,
                    // The sixteen are the terminal's own: whoever has a light one has a darker green.
                    _ if depth == ColorDepth::Ansi => 2.2,
                    _ => 3.0,
                };
                let seen = contrast(style.fg.unwrap(), style.bg.unwrap_or(paper));
                assert!(seen >= least, "{name} {depth:?}: {word} has a contrast of {seen:.2}, not {least}");
            }
            // A row under the cursor keeps the inks of its cells.
            for role in [
                StyleRole::Text,
                StyleRole::Title,
                StyleRole::Good,
                StyleRole::Bad,
                StyleRole::Dim,
                StyleRole::Warn,
            ] {
                let (ink, behind) = (theme.of(role).fg.unwrap(), theme.of(StyleRole::Selected).bg);
                let seen = behind.map_or(99.0, |behind| contrast(ink, behind));
                assert!(
                    seen >= 2.4,
                    "{name} {depth:?}: {role:?} in a selected row has a contrast of {seen:.2}"
                );
            }
        }
    }

    /// The themes with colours of their own, in all that a terminal may have.
    fn painted() -> impl Iterator<Item = (&'static str, ColorDepth)> {
        let names = ["hive-dark", "hive-light", "okabe-ito", "solarized", "gruvbox"];
        names
            .into_iter()
            .flat_map(|n| [ColorDepth::True, ColorDepth::Indexed, ColorDepth::Ansi].map(|d| (n, d)))
    }

    #[test]
    fn what_means_something_else_looks_otherwise_in_every_number_of_colours() {
        for (name, depth) in painted() {
            let theme = Theme::shipped(name, true).unwrap().quantised(depth);
            for alike in [
                &[StyleRole::Good, StyleRole::Bad, StyleRole::Warn, StyleRole::Text][..],
                &[StyleRole::Alone, StyleRole::Open, StyleRole::Real],
                &[StyleRole::Synth, StyleRole::History, StyleRole::Paper, StyleRole::Live],
            ] {
                for (n, role) in alike.iter().enumerate() {
                    for other in &alike[..n] {
                        assert_ne!(
                            theme.of(*role),
                            theme.of(*other),
                            "{name} {depth:?}: {role:?}, {other:?}"
                        );
                    }
                }
            }
            let (selected, cursor) = (theme.of(StyleRole::Selected), theme.of(StyleRole::Cursor));
            let marked = |s: Style| s.bg.is_some_and(|b| Some(b) != theme.of(StyleRole::Base).bg);
            let lifted = |s: Style, m: Modifier| marked(s) || s.add_modifier.contains(m);
            assert!(lifted(selected, Modifier::REVERSED), "{name} {depth:?}: {selected:?}");
            assert!(
                lifted(cursor, Modifier::UNDERLINED) && cursor != selected,
                "{name} {depth:?}: {cursor:?}"
            );
            let plain = Theme::shipped(name, false).unwrap().quantised(depth);
            let reversed = |role| plain.of(role).add_modifier.contains(Modifier::REVERSED);
            assert!(reversed(StyleRole::Selected) && !reversed(StyleRole::Cursor), "{name} without colours");
        }
    }

    #[test]
    fn a_missing_role_or_a_strange_colour_is_named() {
        let missing = Theme::parse("name = \"x\"\n[roles]\ntext = \"red\"\n", true).unwrap_err();
        assert!(missing.to_string().contains("role base is missing"), "{missing}");
        let text = SHIPPED[0].1.replace("\"cyan\"", "\"mauve-ish\"");
        assert!(Theme::parse(&text, true).unwrap_err().to_string().contains("mauve-ish"));
    }
}
