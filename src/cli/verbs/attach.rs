//! `hive attach`: the cockpit of a swarm that runs already. The swarm goes on when it is left.

use crate::cli::cockpit::{CockpitOptions, is_terminal, setup};
use crate::cli::endpoint::{EndpointArgs, failed};
use crate::cli::failure::Failure;
use crate::cli::logging::LogOptions;
use crate::cli::output::tell;
use crate::tui;
use crate::wire::RemoteLink;
use clap::Args as Arguments;
use std::sync::mpsc::sync_channel;

/// Lines that may wait for the one before to be answered.
const LINES_MAX: usize = 64;
/// Under this name the log has what is said here: whoever searches logs for it need not know the files.
const LOGGED_AS: &str = "hive::cli::attach";

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
        target: LOGGED_AS,
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
    tracing::info!(target: LOGGED_AS, "this cockpit was left");
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
