//! How a hive is reached, and how long it is waited for.

use super::failure::Failure;
use crate::wire::socket_path::{self, DEFAULT_NAME, PlaceError, SocketPath};
use crate::wire::{Client, ClientError, ClientQuestion, ClientRole, ServerAnswer};
use clap::Args;
use std::path::{Path, PathBuf};

/// How a hive is reached.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Reach")]
pub struct EndpointArgs {
    /// Name of the hive among those that run here
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Its socket, in a folder that is yours alone; without it NAME.sock in the run folder
    #[arg(long, value_name = "PATH", env = "HIVE_SOCKET", hide_env_values = true)]
    pub socket: Option<PathBuf>,
}

impl EndpointArgs {
    /// The name that was given, or the usual one.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(DEFAULT_NAME)
    }

    /// Where the socket is.
    pub fn place(&self) -> Result<SocketPath, Failure> {
        SocketPath::find(self.name(), self.socket.as_deref(), None, env).map_err(refused)
    }

    /// Where its state is kept and its log written if nothing else is said: `NAME/` and `NAME.log` in
    /// `$XDG_STATE_HOME/hive`.
    pub fn home(&self) -> Result<(PathBuf, PathBuf), Failure> {
        let name = self.name();
        let home = self.state_home()?;
        Ok((home.join("kept").join(name), home.join(format!("{name}.log"))))
    }

    /// The folder below which hives keep their state and write their logs, if the name is one.
    pub fn state_home(&self) -> Result<PathBuf, Failure> {
        // The name is checked where the socket's is.
        self.place()?;
        socket_path::state_home(env).map_err(refused)
    }

    /// Whether it is up: it runs, and is past its start.
    pub fn is_up(&self) -> Result<bool, Failure> {
        let status = match Client::attach(&self.place()?, ClientRole::Ctl, 0) {
            Ok(mut client) => client.ask(ClientQuestion::Status),
            Err(ClientError::NotRunning(_)) => return Ok(false),
            Err(e) => return Err(failed(e)),
        };
        Ok(matches!(status, Ok(ServerAnswer::Status(_))))
    }

    /// Whether it runs; not to be let in is no answer to that.
    pub fn runs(&self) -> Result<bool, Failure> {
        match Client::attach(&self.place()?, ClientRole::Ctl, 0) {
            Ok(_) => Ok(true),
            Err(ClientError::NotRunning(_)) => Ok(false),
            Err(e) => Err(failed(e)),
        }
    }
}

/// The folder or file of a run that is kept: as it is named, or of the hive of that name; without one that of the usual hive.
pub fn kept_run(run: Option<&Path>, flags: &str) -> Result<PathBuf, Failure> {
    let kept = |name: Option<String>| {
        EndpointArgs { name, ..EndpointArgs::default() }.home().map(|(state, _)| state)
    };
    let path = match run {
        None => kept(None)?,
        Some(path) if path.exists() => path.to_path_buf(),
        Some(path) => match path.to_str().filter(|name| !name.contains('/')) {
            Some(name) => kept(Some(name.to_owned()))?,
            None => path.to_path_buf(),
        },
    };
    if path.exists() {
        return Ok(path);
    }
    let said = run.unwrap_or(&path).display();
    Err(Failure::Usage(format!(
        "{said}: there is no such folder or file, and no hive of that name is kept; name what was given to {flags}"
    )))
}

fn env(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

/// A place that cannot be had, as a failure.
pub fn refused(e: PlaceError) -> Failure {
    match e {
        e if e.is_refusal() => Failure::Refused(e.to_string()),
        e @ PlaceError::Io { .. } => Failure::Failed(e.to_string()),
        e => Failure::Usage(e.to_string()),
    }
}

/// A hive that cannot be reached, as a failure.
pub fn failed(e: ClientError) -> Failure {
    match e {
        e @ ClientError::NotRunning(_) => Failure::NotRunning(e.to_string()),
        e @ (ClientError::Forbidden(_) | ClientError::Refused(_)) => Failure::Refused(e.to_string()),
        e => Failure::Failed(e.to_string()),
    }
}
