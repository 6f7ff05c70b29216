//! `hive attach`: the cockpit of a swarm that runs already. The swarm goes on when it is left.

use super::reach::{Reach, failed};
use super::{Failure, tell};
use crate::tui::{self, theme::Theme};
use crate::wire::RemoteLink;
use clap::Args as Arguments;
use std::io::IsTerminal;

/// How the cockpit looks and what it may do.
#[derive(Clone, Debug, Arguments)]
#[command(next_help_heading = "Cockpit")]
pub struct Look {
    /// How it looks: terminal, or hive-dark
    #[arg(long, value_name = "NAME", default_value = "terminal", env = "HIVE_THEME", hide_env_values = true)]
    pub theme: String,
    /// Only look: the swarm itself refuses what this cockpit asks
    #[arg(long)]
    pub read_only: bool,
}

/// Options of `hive attach`.
#[derive(Clone, Debug, Arguments)]
pub struct Args {
    /// Name of the hive among those that run here
    #[arg(value_name = "NAME", conflicts_with = "name")]
    hive: Option<String>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    look: Look,
}

/// Attaches.
pub fn run(args: &Args) -> Result<(), Failure> {
    let name = args.hive.clone().or_else(|| args.reach.name.clone());
    look(&Reach { name, ..args.reach.clone() }, &args.look)
}

/// Looks at a swarm until the person leaves.
pub fn look(reach: &Reach, look: &Look) -> Result<(), Failure> {
    let (theme, colours) = theme(look)?;
    // Who may not attach is to know that, with or without a terminal.
    let mut link = RemoteLink::attach(&reach.place()?, look.read_only).map_err(failed)?;
    if !is_terminal() {
        return Err(Failure::Usage(
            "a cockpit needs a terminal; hive ctl status and hive ctl watch answer without one".to_owned(),
        ));
    }
    tui::run(&mut link, theme, colours)
        .map_err(|e| Failure::Failed(format!("drawing on the terminal: {e}")))?;
    drop(link);
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

/// The theme that is asked for, and whether it has colours.
pub fn theme(look: &Look) -> Result<(Theme, bool), Failure> {
    let colours = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let theme = Theme::shipped(&look.theme, colours).map_err(|e| Failure::Usage(format!("--theme: {e}")))?;
    Ok((theme, colours))
}

/// Whether a cockpit can be drawn and typed at.
pub fn is_terminal() -> bool {
    std::io::stdout().is_terminal() && std::io::stdin().is_terminal()
}
