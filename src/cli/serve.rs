//! `hive --serve`: a run that can be reached from outside, until its feed ends or it is stopped.

use super::Failure;
use super::options::RunOptions;
use super::run::run_by;
use crate::runtime::service::{self, Service};
use crate::view::operator::Scene;
use crate::wire::Hub;
use crate::wire::place::{DEFAULT_NAME, Place, PlaceError};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// How a hive is reached.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Reach")]
pub struct Reach {
    /// Name of the hive among those that run here
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Its socket, in a folder that is yours alone; without it NAME.sock in the run folder
    #[arg(long, value_name = "PATH", env = "HIVE_SOCKET", hide_env_values = true)]
    pub socket: Option<PathBuf>,
}

/// Whether a run is served.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Reach")]
pub struct ServeOptions {
    /// Let hive ctl reach this run on its socket; --name does so too
    #[arg(long)]
    pub serve: bool,
    #[command(flatten)]
    pub reach: Reach,
}

impl Reach {
    /// The name that was given, or the usual one.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(DEFAULT_NAME)
    }

    /// Where the socket is.
    pub fn place(&self) -> Result<Place, Failure> {
        let env = |name: &str| std::env::var_os(name).map(PathBuf::from);
        Place::find(self.name(), self.socket.as_deref(), None, env).map_err(refused)
    }
}

impl ServeOptions {
    /// Whether the run is to be reached from outside. A variable alone asks for nothing.
    pub fn wanted(&self) -> bool {
        self.serve || self.reach.name.is_some()
    }
}

fn refused(e: PlaceError) -> Failure {
    match e {
        e if e.is_refusal() => Failure::Refused(e.to_string()),
        e @ PlaceError::Io { .. } => Failure::Failed(e.to_string()),
        e => Failure::Usage(e.to_string()),
    }
}

/// Runs and serves.
pub fn run(options: &RunOptions, serve: &ServeOptions) -> Result<(), Failure> {
    if options.state.is_some() {
        // A command that was not journalled would be missing when the run is recovered.
        let why = "--state and --serve do not go together yet: commands from outside are not journalled in this version; leave one of them out";
        return Err(Failure::Usage(why.to_owned()));
    }
    let place = serve.reach.place()?;
    let log = |line: &str| {
        // If nobody reads it, the run goes on.
        let _ = writeln!(std::io::stderr(), "hive: {line}");
    };
    run_by(options, |engine, feed, speed, config, watch| {
        // The socket opens when there is something to reach, and before the first event.
        let (hub, orders) = Hub::open(&place, Arc::new(log)).map_err(refused)?;
        log(&format!("serving {}; hive ctl status, hive ctl stop", place.path.display()));
        let scene = Scene {
            hive: config.name.clone(),
            name: serve.reach.name().to_owned(),
            market: feed.info().mode.to_string(),
            feed: feed.info().name.clone(),
            currency: config.currency.clone(),
            speed: options.speed.clone(),
            pid: std::process::id(),
        };
        let mut before = |_, _, _| {};
        let mut service = Service { hub: &hub, orders: &orders, scene: &scene, before: &mut before };
        let told = service::run(engine, feed, speed, &mut service, watch);
        hub.close("the run has ended");
        told.map(Some).map_err(|e| Failure::Failed(e.to_string()))
    })
}
