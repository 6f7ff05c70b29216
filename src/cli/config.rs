//! `hive config`: the file that is built in, and what holds now and where each value comes from.

use super::options::{self, RunOptions};
use super::{Failure, print};
use crate::config;
use clap::{Parser, Subcommand};
use std::borrow::Cow;
use std::fmt::Write;

/// Arguments of `hive config`.
#[derive(Debug, Parser)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The file that is built in: save it as agents.toml and change it
    PrintDefault,
    /// Every setting, its value, and where it came from
    Show(Box<RunOptions>),
}

/// Runs.
pub fn run(args: &Args) -> Result<(), Failure> {
    match &args.verb {
        Verb::PrintDefault => print(config::print_default()),
        Verb::Show(options) => {
            let (config, origins) = options::load(options.agents.as_ref(), &options.overrides())?;
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
    }
}
