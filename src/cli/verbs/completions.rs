//! `hive completions SHELL`: what the shell completes, from the command line's own description, so that it knows
//! every verb and option there is.

use crate::cli::failure::Failure;
use crate::cli::output::print;
use clap::Command;
use clap_complete::Shell;

/// Arguments of `hive completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// For which shell: bash, zsh, fish, elvish or powershell
    shell: Shell,
}

/// The script for a shell.
fn script(shell: Shell, command: &mut Command) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, command, "hive", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Runs `hive completions`: prints the script for a shell, of the whole command line.
pub fn run(args: &CompletionsArgs, command: &mut Command) -> Result<(), Failure> {
    print(&script(args.shell, command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    #[test]
    fn every_shell_completes_every_verb_and_none_that_is_hidden() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let text = script(shell, &mut Cli::command());
            for verb in Cli::command().get_subcommands().filter(|v| !v.is_hide_set()) {
                assert!(text.contains(verb.get_name()), "{shell}: {}", verb.get_name());
            }
            assert!(text.contains("read-only") && text.contains("theme"), "{shell}");
        }
    }
}
