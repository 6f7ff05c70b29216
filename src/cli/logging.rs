//! The log that a run or a cockpit writes: how much of it, and where.

use super::endpoint::EndpointArgs;
use super::failure::Failure;
use super::output::tell;
use crate::runtime::logs;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use tracing::level_filters::LevelFilter;

/// The variable that says how much is logged where no flag does.
pub const VARIABLE: &str = "HIVE_LOG";

/// How much is logged; each level has those before it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Level {
    /// What went wrong
    Error,
    /// And what to look at
    Warn,
    /// And what happened
    Info,
    /// And what helps to find a mistake
    Debug,
    /// And everything else there is to say
    Trace,
    /// Nothing: no log is written
    Off,
}

impl Level {
    fn filter(self) -> LevelFilter {
        match self {
            Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
            Level::Trace => LevelFilter::TRACE,
            Level::Off => LevelFilter::OFF,
        }
    }
}

/// How much a run logs.
#[derive(Clone, Debug, Args)]
pub struct LogOptions {
    /// How much is written to the log that `hive log` shows; `HIVE_LOG` says so too [default: info]
    #[arg(long = "log", value_enum, value_name = "LEVEL", help_heading = "Log")]
    level: Option<Level>,
}

impl LogOptions {
    fn level(&self) -> Result<LevelFilter, Failure> {
        if let Some(level) = self.level {
            return Ok(level.filter());
        }
        let Some(text) = std::env::var_os(VARIABLE).filter(|v| !v.is_empty()) else {
            return Ok(LevelFilter::INFO);
        };
        let text = text.to_string_lossy();
        let level = Level::from_str(&text, true).map_err(|_| {
            let words = "error, warn, info, debug, trace or off";
            Failure::Usage(format!("{VARIABLE}={}: write {words}", logs::one_line(&text)))
        })?;
        Ok(level.filter())
    }

    /// Opens the log of this process. A log that cannot be written is told, and keeps nobody from running.
    pub fn open(&self, reach: &EndpointArgs, screen: bool) -> Result<(), Failure> {
        let level = self.level()?;
        if level == LevelFilter::OFF {
            return Ok(());
        }
        let opened = folder(reach)
            .map_err(|e| e.to_string())
            .and_then(|folder| logs::open(&folder, level, screen).map_err(|e| e.to_string()));
        if let Err(why) = opened {
            tell(&[format!("no log is written ({why}); --log off keeps this quiet")]);
        }
        Ok(())
    }
}

/// The folder with the logs of a hive.
pub fn folder(reach: &EndpointArgs) -> Result<PathBuf, Failure> {
    Ok(logs::folder(&reach.state_home()?, reach.name()))
}
