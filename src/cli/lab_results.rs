//! Where a running hive looks up the lab's last result for its cockpits: in its own state folder, else in
//! the user's, where `hive lab` keeps it unless told otherwise.

use super::experiments;
use super::options::RunOptions;
use crate::config::{self, Config};
use crate::lab::{Report, page, result_cache};
use crate::market::feed::FeedInfo;
use crate::view::lab::{LabPage, LabRun};
use crate::wire::hub::Results;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The hive that asks, as far as an experiment is held against it.
struct Hive {
    roster_hash: String,
    market: String,
}

/// Looks it up, each time anew: a run of the lab may end at any moment.
pub fn results(options: &RunOptions, config: &Config, info: &FeedInfo) -> Results {
    let command = command(options);
    let folders: Vec<PathBuf> = options.state.iter().cloned().chain(experiments::home()).collect();
    let hive = Hive { roster_hash: config::roster_hash(config), market: experiments::market(info) };
    Box::new(move || look(&command, &folders, &hive))
}

fn look(command: &str, folders: &[PathBuf], hive: &Hive) -> LabPage {
    let page = LabPage { command: command.to_owned(), ..LabPage::default() };
    for folder in folders {
        match read(folder, hive) {
            Ok(None) => {}
            Ok(run) => return LabPage { run, ..page },
            Err(why) => return LabPage { trouble: Some(why), ..page },
        }
    }
    page
}

fn read(folder: &Path, hive: &Hive) -> Result<Option<LabRun>, String> {
    let failed = |e: &dyn std::fmt::Display| {
        format!("the last result in {} cannot be read: {e}", folder.join("lab").display())
    };
    let Some((text, at)) = result_cache::last(folder).map_err(|e| failed(&e))? else { return Ok(None) };
    let report: Report = serde_json::from_str(&text).map_err(|e| failed(&e))?;
    // A clock that was set back makes it new, not old.
    let age = SystemTime::now().duration_since(at).unwrap_or_default();
    Ok(Some(LabRun {
        age_min: age.as_secs() / 60,
        other_roster: report.facts.roster_hash != hive.roster_hash,
        other_market: report.facts.feed != hive.market,
        ..page::page(&report)
    }))
}

/// What to type for an experiment on this hive's market and roster.
fn command(o: &RunOptions) -> String {
    let mut text = format!("hive lab --feed {}", quoted(&o.feed));
    let path = |p: &Option<PathBuf>| p.as_ref().map(|p| p.display().to_string());
    for (flag, value) in [
        ("--agents", path(&o.agents)),
        ("--assets", o.assets.as_ref().map(|a| a.join(","))),
        ("--from", o.from.clone()),
        ("--to", o.to.clone()),
        ("--funding", path(&o.funding)),
        ("--world", o.world.clone()),
        ("--clock", o.clock.clone()),
        ("--costs", o.costs.clone()),
        ("--scouts", o.scouts.map(|n| n.to_string())),
        ("--state", path(&o.state)),
    ] {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let _ = write!(text, " {flag} {}", quoted(&value));
        }
    }
    text
}

/// A text in quotes that a shell reads back as it was.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hive() -> Hive {
        Hive { roster_hash: "r".to_owned(), market: "SYNTH".to_owned() }
    }

    fn keep(folder: &Path, roster: &str) {
        let mut report = Report::default();
        (report.facts.roster_hash, report.facts.feed) = (roster.to_owned(), "SYNTH".to_owned());
        let text = serde_json::to_string(&report).unwrap();
        result_cache::ResultFolder::open(folder).unwrap().report(&text).unwrap();
    }

    #[test]
    fn the_hives_own_folder_comes_first_and_another_roster_is_told() {
        let (own, users) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folders = [own.path().to_path_buf(), users.path().to_path_buf()];
        let page = look("hive lab", &folders, &hive());
        assert_eq!((page.run, page.trouble, page.command.as_str()), (None, None, "hive lab"));
        assert!(!own.path().join("lab").exists(), "looking makes nothing");
        keep(users.path(), "r");
        let run = look("", &folders, &hive()).run.unwrap();
        assert_eq!((run.other_roster, run.other_market, run.age_min), (false, false, 0));
        keep(own.path(), "another");
        assert!(look("", &folders, &hive()).run.unwrap().other_roster);
        std::fs::write(own.path().join("lab/last.json"), "{").unwrap();
        let page = look("", &folders, &hive());
        assert!(page.run.is_none() && page.trouble.unwrap().contains("cannot be read"));
    }

    #[test]
    fn paths_are_quoted_as_a_shell_wants_them() {
        assert_eq!(quoted("history:a/b.csv.gz"), "history:a/b.csv.gz");
        assert_eq!(quoted("history:p.csv?kind=perp"), "'history:p.csv?kind=perp'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
