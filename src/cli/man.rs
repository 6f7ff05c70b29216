//! `hive man`: the manual page, from the command line's own description and the cockpit's table of actions, so
//! that none of them can disagree.

use super::{Cli, Failure, print};
use crate::tui::action::ACTIONS;
use clap::CommandFactory;
use std::fmt::Write;

/// As roff wants it: no line begins with a dot, backslashes and hyphens are themselves.
fn plain(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let line = |l: &str| if l.starts_with(['.', '\'']) { format!("\\&{l}") } else { l.to_owned() };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The page.
pub fn page() -> String {
    let command = Cli::command();
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, ".TH HIVE 1 \"\" \"hive {}\"", env!("CARGO_PKG_VERSION"));
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(text, ".SH NAME\nhive \\- {}", plain(&about));
    let _ = writeln!(text, ".SH SYNOPSIS\n.B hive\n[OPTIONS]\n.br\n.B hive\nVERB [OPTIONS]");
    let _ = writeln!(text, ".SH VERBS");
    for verb in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, ".TP\n.B {}\n{}", plain(verb.get_name()), plain(&about));
    }
    let _ = writeln!(text, ".SH OPTIONS");
    for arg in command.get_arguments().filter(|a| !a.is_hide_set()) {
        let Some(long) = arg.get_long() else { continue };
        let value = arg.get_value_names().filter(|_| arg.get_action().takes_values());
        let value = value.and_then(|v| v.first()).map(|v| format!(" {v}")).unwrap_or_default();
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, ".TP\n.B {}\n{}", plain(&format!("--{long}{value}")), plain(&help));
    }
    let _ = writeln!(text, ".SH KEYS\nIn the cockpit; they can be bound anew in config.toml.");
    for e in ACTIONS.iter().filter(|e| !e.shown.is_empty()) {
        let _ = writeln!(text, ".TP\n.B {}\n{}", plain(e.shown), plain(e.help));
    }
    let _ = writeln!(text, ".SH COMMANDS\nAfter a colon in the cockpit.");
    for e in ACTIONS.iter().filter(|e| !e.command.is_empty()) {
        let _ = writeln!(text, ".TP\n.B {}\n{}", plain(&format!(":{}", e.command)), plain(e.help));
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(text, ".SH NOTES\n.nf\n{}\n.fi", plain(&after));
    text
}

/// Prints it.
pub fn run() -> Result<(), Failure> {
    print(&page())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_option_key_and_command_is_on_the_page() {
        let page = page();
        for e in ACTIONS {
            assert!(page.contains(&plain(e.help)), "{:?}", e.action);
        }
        for word in [
            ".B attach\n",
            ".B \\-\\-seed N\n",
            ".B \\-\\-plain\n",
            ".B :flatten\n",
            "ctrl\\-x ctrl\\-x",
            "not running",
        ] {
            assert!(page.contains(word), "{word}");
        }
        // No line is a request that nobody wrote.
        let known = [".TH", ".SH", ".TP", ".B ", ".br", ".nf", ".fi"];
        for line in page.lines().filter(|l| l.starts_with('.')) {
            assert!(known.iter().any(|k| line.starts_with(k)), "{line}");
        }
    }
}
