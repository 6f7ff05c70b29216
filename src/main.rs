//! Parses the command line, runs the verb, maps errors to exit codes.

use clap::Parser;
use hive::cli::{self, Cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run(Cli::parse()) {
        Ok(()) => {
            cli::finish();
            ExitCode::SUCCESS
        }
        Err(failure) => {
            cli::complain(&failure);
            ExitCode::from(failure.code())
        }
    }
}
