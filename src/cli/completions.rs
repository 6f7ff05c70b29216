//! `hive completions SHELL`: what the shell completes, from the command line's own description, so that it knows
//! every verb and option there is.

use super::{Cli, Failure, print};
use clap::CommandFactory;
use clap_complete::Shell;

/// Arguments of `hive completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// For which shell: bash, zsh, fish, elvish or powershell
    shell: Shell,
}

/// The script for a shell.
fn script(shell: Shell) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "hive", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Runs `hive completions`: prints the script for a shell.
pub fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    print(&script(args.shell))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_completes_every_verb_and_none_that_is_hidden() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let text = script(shell);
            for verb in Cli::command().get_subcommands().filter(|v| !v.is_hide_set()) {
                assert!(text.contains(verb.get_name()), "{shell}: {}", verb.get_name());
            }
            assert!(text.contains("read-only") && text.contains("theme"), "{shell}");
        }
    }
}
