//! `hive config`: keys and themes of the cockpit, the file that is built in, and what holds now and where each value comes from.

use crate::cli::cockpit::{self, CockpitOptions, Colours};
use crate::cli::failure::Failure;
use crate::cli::options::RunOptions;
use crate::cli::output::print;
use crate::config;
use crate::tui::action::ACTIONS;
use crate::tui::keymap;
use crate::tui::theme::wardrobe::Wardrobe;
use crate::tui::theme::{ColorDepth, StyleRole, paint};
use clap::{Parser, Subcommand};
use ratatui::text::{Line, Span};
use std::borrow::Cow;
use std::fmt::Write;

/// Arguments of `hive config`.
#[derive(Debug, Parser)]
pub struct ConfigArgs {
    #[command(subcommand)]
    verb: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// The file that is built in: save it as agents.toml and change it
    PrintDefault,
    /// Every setting, its value, and where it came from
    Show(Box<RunOptions>),
    /// Every action of the cockpit by the name it is bound by, its keys, and what it does
    Keys,
    /// The themes: all, or every role of one as it looks
    Theme {
        /// What to do
        #[command(subcommand)]
        verb: ThemeVerb,
    },
}

#[derive(Debug, Subcommand)]
enum ThemeVerb {
    /// Names of all
    List,
    /// Every role as it looks in this terminal
    Preview {
        /// A theme, or its file; without it all that there are
        name: Option<String>,
        /// How many colours
        #[arg(long, value_enum, default_value = "auto")]
        color: Colours,
    },
}

/// Runs `hive config`, and prints what was asked for.
pub fn run(args: &ConfigArgs) -> Result<(), Failure> {
    match &args.verb {
        ConfigCommand::PrintDefault => print(config::print_default()),
        ConfigCommand::Show(options) => {
            let (config, origins) = options.load()?;
            let rows = config::show(&config, &origins);
            let wide = |f: fn(&(Cow<'static, str>, String, config::Origin)) -> usize| {
                rows.iter().map(f).max().unwrap_or(0)
            };
            let (path, value) = (wide(|r| r.0.len()), wide(|r| r.1.len()));
            let mut out = String::new();
            for (name, text, origin) in &rows {
                // Writing to a string cannot fail.
                let _ = writeln!(out, "{name:<path$}  {text:<value$}  {origin}");
            }
            let _ = writeln!(out, "roster {}", config::roster_hash(&config));
            print(&out)
        }
        ConfigCommand::Keys => print(&keys()?),
        ConfigCommand::Theme { verb: ThemeVerb::List } => {
            let (folder, _) = cockpit::person()?;
            print(&(Wardrobe::new(folder.map(|f| f.join("themes")), true).names().join("\n") + "\n"))
        }
        ConfigCommand::Theme { verb: ThemeVerb::Preview { name, color } } => preview(name.as_deref(), *color),
    }
}

/// The actions with the keys that hold here.
fn keys() -> Result<String, Failure> {
    let (_, person) = cockpit::person()?;
    let mut out = String::new();
    for e in ACTIONS.iter() {
        let keys = person.keys.shown(e);
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{:<12} {keys:<16} {}", keymap::name(e.action), e.help);
    }
    Ok(out)
}

/// Every role of one theme, or of all.
fn preview(name: Option<&str>, color: Colours) -> Result<(), Failure> {
    let look =
        |name: &str| CockpitOptions { theme: Some(name.to_owned()), color, plain: false, read_only: true };
    let names = match name {
        Some(name) => vec![name.to_owned()],
        None => cockpit::setup(&look("terminal"))?.wardrobe.names(),
    };
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let mut out = String::new();
    for name in names {
        let setup = cockpit::setup(&look(&name))?;
        let depth = setup.depth.unwrap_or_else(|| ColorDepth::guess(&var("COLORTERM"), &var("TERM")));
        let theme = setup.theme.quantised(depth);
        let _ = writeln!(out, "{name}");
        for (role, word) in StyleRole::ALL {
            let cells = Span::styled(format!(" {word:<9} "), theme.of(StyleRole::Text));
            let sample = Span::styled(" The quick ▲ +1,234 ▼ -567 ● ", theme.of(*role));
            let _ = writeln!(out, "{}", paint::line(&Line::from(vec![cells, sample])));
        }
    }
    print(&out)
}
