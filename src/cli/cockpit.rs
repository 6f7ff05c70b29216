//! The cockpit as this command line opens it: its options, and the person's own settings below them.

use super::failure::Failure;
use crate::tui::Setup;
use crate::tui::theme::ColorDepth;
use crate::tui::theme::wardrobe::Wardrobe;
use crate::tui::user_config::Person;
use clap::{Args, ValueEnum};
use std::io::IsTerminal;
use std::path::PathBuf;

/// How the cockpit looks and what it may do.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cockpit")]
pub struct CockpitOptions {
    /// How it looks: terminal, hive-dark, …, or a file of your own [default: terminal]
    #[arg(long, value_name = "NAME", env = "HIVE_THEME", hide_env_values = true)]
    pub theme: Option<String>,
    /// How many colours: without it as the terminal says of itself; `NO_COLOR` is obeyed
    #[arg(long, value_enum, value_name = "COLOURS", default_value = "auto")]
    pub color: Colours,
    /// Lines in place of panes, for screen readers and pipes: what happens is told, what is typed is done
    #[arg(long)]
    pub plain: bool,
    /// Only look: the swarm itself refuses what this cockpit asks
    #[arg(long)]
    pub read_only: bool,
}

/// How many colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colours {
    /// As the terminal says
    Auto,
    /// 24 bits: sixteen million colours
    #[value(name = "24bit")]
    True,
    /// The 256 colours of the xterm palette
    #[value(name = "256")]
    Indexed,
    /// The 16 colours that every terminal has
    #[value(name = "16")]
    Ansi,
    /// No colours at all
    None,
}

/// The person's own settings: their folder, and what stands in it.
pub fn person() -> Result<(Option<PathBuf>, Person), Failure> {
    let env = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let home = env("XDG_CONFIG_HOME").or_else(|| env("HOME").map(|h| h.join(".config")));
    let Some(folder) = home.map(|h| h.join("hive")) else { return Ok((None, Person::default())) };
    let file = folder.join("config.toml");
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((Some(folder), Person::default())),
        Err(e) => return Err(Failure::Usage(format!("reading {}: {e}", file.display()))),
    };
    let person = Person::parse(&text).map_err(|wrong| {
        Failure::Usage(format!("{} has mistakes\n  {}", file.display(), wrong.join("\n  ")))
    })?;
    Ok((Some(folder), person))
}

/// How the cockpit is to be: flags beat variables beat the person's file.
pub fn setup(look: &CockpitOptions) -> Result<Setup, Failure> {
    let (folder, person) = person()?;
    let plain = look.color == Colours::Auto && std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    let (colours, depth) = match look.color {
        Colours::Auto => (!plain, None),
        Colours::True => (true, Some(ColorDepth::True)),
        Colours::Indexed => (true, Some(ColorDepth::Indexed)),
        Colours::Ansi => (true, Some(ColorDepth::Ansi)),
        Colours::None => (false, None),
    };
    let mut wardrobe = Wardrobe::new(folder.map(|f| f.join("themes")), colours);
    let name = look.theme.clone().or(person.theme).unwrap_or_else(|| "terminal".to_owned());
    let theme = wardrobe.apply(&name).map_err(|e| Failure::Usage(format!("--theme: {e}")))?;
    Ok(Setup { theme, wardrobe, depth, keys: person.keys, mouse: person.mouse, views: person.views })
}

/// Whether a cockpit can be drawn and typed at.
pub fn is_terminal() -> bool {
    std::io::stdout().is_terminal() && std::io::stdin().is_terminal()
}
