//! `hive man`: the manual page, from the command line's own description and the cockpit's table of actions, so
//! that none of them can disagree.

use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::tui::action::ACTIONS;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::io;

/// The manual page in troff, with the keys of the cockpit.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    // An empty date would be left out, and the version would be taken for it.
    let man = Man::new(command.clone().subcommand_value_name("VERB")).title("HIVE").date(" ");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    // By hand where the crate would name pages that there are not (hive-attach(1)), or fill examples into
    // one paragraph.
    let verbs = command.get_subcommands().filter(|c| !c.is_hide_set());
    let verbs = verbs.map(|c| (c.get_name().to_owned(), text(c.get_about())));
    section("VERBS", "hive VERB --help tells more.", verbs).to_writer(&mut page)?;
    man.render_options_section(&mut page)?;
    let keys = ACTIONS.iter().filter(|e| !e.shown.is_empty());
    let keys = keys.map(|e| (e.shown.to_owned(), e.help.to_owned()));
    section("KEYS", "In the cockpit; they can be bound anew in config.toml.", keys).to_writer(&mut page)?;
    let commands = ACTIONS.iter().filter(|e| !e.command.is_empty());
    let commands = commands.map(|e| (format!(":{}", e.command), e.help.to_owned()));
    section("COMMANDS", "After a colon in the cockpit.", commands).to_writer(&mut page)?;
    let mut notes = Roff::new();
    notes.control("SH", ["NOTES"]).control("nf", []);
    for line in text(command.get_after_help()).lines() {
        notes.text([roman(line)]);
    }
    notes.control("fi", []).to_writer(&mut page)?;
    Ok(page)
}

fn text(styled: Option<&clap::builder::StyledStr>) -> String {
    styled.map(ToString::to_string).unwrap_or_default()
}

/// A section of names and what they are.
fn section(title: &str, about: &str, entries: impl Iterator<Item = (String, String)>) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [title]).text([roman(about)]);
    for (name, help) in entries {
        roff.control("TP", []).text([bold(name)]).text([roman(help)]);
    }
    roff
}

/// Runs `hive man`: prints the manual page of the whole command line.
pub fn run(command: &Command) -> Result<(), Failure> {
    // Writing to memory does not fail.
    let page =
        page(command).map_err(|e| Failure::Failed(format!("putting the manual page together: {e}")))?;
    print(&String::from_utf8_lossy(&page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    fn written() -> String {
        String::from_utf8(page(&Cli::command()).unwrap()).unwrap()
    }

    /// As roff wants it.
    fn escaped(text: &str) -> String {
        text.replace('\\', "\\\\").replace('-', "\\-").replace('\'', "\\*(Aq")
    }

    #[test]
    fn every_verb_option_key_and_command_is_on_the_page() {
        let page = written();
        for e in ACTIONS.iter() {
            assert!(page.contains(&escaped(e.help)), "{:?}", e.action);
        }
        for verb in Cli::command().get_subcommands().filter(|v| !v.is_hide_set()) {
            assert!(page.contains(&format!("\\fB{}\\fR\n", escaped(verb.get_name()))), "{}", verb.get_name());
        }
        for arg in Cli::command().get_arguments().filter(|a| !a.is_hide_set()) {
            let Some(long) = arg.get_long() else { continue };
            assert!(page.contains(&format!("\\fB\\-\\-{}\\fR", escaped(long))), "{long}");
        }
        for word in ["\\fB:flatten\\fR\n", "ctrl\\-x ctrl\\-x", "not running", ".SH KEYS\n", ".SH RUN\n"] {
            assert!(page.contains(word), "{word}");
        }
        assert!(!page.contains("store\\-probe") && !page.contains("hive\\-attach"));
    }

    #[test]
    fn no_line_is_a_request_that_nobody_wrote() {
        let known = [".TH ", ".SH ", ".TP", ".RS", ".RE", ".IP ", ".nf", ".fi", ".br", ".ie ", ".el "];
        for line in written().lines().filter(|l| l.starts_with(['.', '\''])) {
            assert!(known.iter().any(|k| line.starts_with(k)), "{line}");
        }
    }
}
