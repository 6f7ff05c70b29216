//! `hive attach`: the cockpit of a swarm that runs already. The swarm goes on when it is left.

use super::endpoint::{EndpointArgs, failed};
use super::log::LogOptions;
use super::{Failure, tell};
use crate::tui::theme::ColorDepth;
use crate::tui::theme::wardrobe::Wardrobe;
use crate::tui::user_config::Person;
use crate::tui::{self, Setup};
use crate::wire::RemoteLink;
use clap::{Args as Arguments, ValueEnum};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;

/// Lines that may wait for the one before to be answered.
const LINES_MAX: usize = 64;

/// How the cockpit looks and what it may do.
#[derive(Clone, Debug, Arguments)]
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

/// Options of `hive attach`.
#[derive(Clone, Debug, Arguments)]
pub struct AttachArgs {
    /// Name of the hive among those that run here
    #[arg(value_name = "NAME", conflicts_with = "name")]
    hive: Option<String>,
    #[command(flatten)]
    reach: EndpointArgs,
    #[command(flatten)]
    look: CockpitOptions,
    #[command(flatten)]
    log: LogOptions,
}

/// Runs `hive attach` until the cockpit is left.
pub fn run(args: &AttachArgs) -> Result<(), Failure> {
    let name = args.hive.clone().or_else(|| args.reach.name.clone());
    let reach = EndpointArgs { name, ..args.reach.clone() };
    args.log.open(&reach, true)?;
    attach(&reach, &args.look)
}

/// Looks at a swarm until the person leaves.
pub fn attach(reach: &EndpointArgs, look: &CockpitOptions) -> Result<(), Failure> {
    // Who may not attach is to know that, with or without a terminal or settings.
    let mut link = RemoteLink::attach(&reach.place()?, look.read_only).map_err(failed)?;
    let setup = setup(look)?;
    tracing::info!(
        read_only = look.read_only,
        plain = look.plain,
        "this cockpit is attached to {}",
        reach.name()
    );
    if look.plain {
        return lines(&mut link);
    }
    if !is_terminal() {
        return Err(Failure::Usage(
            "a cockpit needs a terminal; hive attach --plain, hive ctl status and hive ctl watch do without one"
                .to_owned(),
        ));
    }
    tui::run(&mut link, setup).map_err(|e| Failure::Failed(format!("drawing on the terminal: {e}")))?;
    drop(link);
    tracing::info!("this cockpit was left");
    let name = reach.name.as_ref().map(|n| format!(" --name {n}")).unwrap_or_default();
    let socket = reach.socket.as_ref().map(|s| format!(" --socket {}", s.display())).unwrap_or_default();
    tell(&[if reach.runs()? {
        format!(
            "the swarm goes on. hive attach{name}{socket} looks again, hive ctl stop{name}{socket} ends it"
        )
    } else {
        "the swarm has ended".to_owned()
    }]);
    Ok(())
}

/// Tells line by line until there is nothing more to be typed, or to be told.
fn lines(link: &mut RemoteLink) -> Result<(), Failure> {
    let (typed, lines) = sync_channel(LINES_MAX);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            let Ok(line) = line else { return };
            if typed.send(line).is_err() {
                return;
            }
        }
    });
    match tui::plain::run(link, &mut std::io::stdout(), &lines) {
        // A reader that has gone away (`| head`) is no failure.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Failed(format!("writing to standard output: {e}")))
        }
        _ => Ok(()),
    }
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
