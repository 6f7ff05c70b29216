//! Looks of runs at days that are held out. A backtest, or a hive that goes through a history, sees them as an
//! experiment of `hive lab` does, so it counts as one, by the same rule and in the same file: the same market, days
//! and settings are one look, however often.
//!
//! It is counted in the user's state folder, where `hive lab` counts unless told otherwise, and in the one of
//! `--state` too where experiments are kept there: a run's own folder is moved aside by `--fresh`, and looks are not
//! to be forgotten with it. A count that cannot be written stops nothing, and is told.

use super::experiments;
use crate::lab::HELD_OUT_FROM;
use crate::lab::result_cache::{ResultFolder, looked_at};
use crate::market::feed::FeedInfo;
use std::path::{Path, PathBuf};

/// A look that was counted, or was to be.
pub struct HeldOutLook {
    /// Looks so far, this one among them; none if it could not be counted.
    pub number: Option<usize>,
    /// What is said of it.
    pub note: String,
}

/// Counts a look of a run on this market under these settings; none if it looks at nothing that is held out.
pub fn count(state: Option<&Path>, roster_hash: &str, info: &FeedInfo) -> Option<HeldOutLook> {
    let what = looked_at(info, roster_hash)?;
    let own = state.map(Path::to_path_buf).filter(|dir| dir.join("lab").is_dir());
    let folders: Vec<PathBuf> = experiments::home().into_iter().chain(own).collect();
    Some(told(&folders, &what))
}

fn told(folders: &[PathBuf], what: &str) -> HeldOutLook {
    let (mut number, mut trouble) = (None, None);
    for dir in folders {
        match ResultFolder::open(dir).and_then(|keep| keep.look(what)) {
            Ok(n) => number = number.max(Some(n)),
            Err(e) => trouble = Some(format!("{}: {e}", dir.display())),
        }
    }
    let days = format!("days from {HELD_OUT_FROM} on are held out");
    let note = match (number, trouble) {
        (Some(n), None) => format!("{days}; this run looks at them: look {n} so far"),
        (Some(n), Some(why)) => {
            format!("{days}; this run looks at them: look {n} so far, not counted everywhere ({why})")
        }
        (None, why) => {
            let why = why.unwrap_or_else(|| "there is no folder to count in".to_owned());
            format!("{days}; this run looks at them, and it could not be counted: {why}")
        }
    };
    HeldOutLook { number, note }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_count_is_told_and_a_folder_that_is_none_is_named() {
        let (user, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        ResultFolder::open(own.path()).unwrap().look("another").unwrap();
        let both = vec![user.path().to_path_buf(), own.path().to_path_buf()];
        for _ in 0..2 {
            let look = told(&both, "a run");
            assert_eq!(look.number, Some(2));
            assert!(look.note.ends_with("look 2 so far"), "{}", look.note);
        }
        assert_eq!(ResultFolder::open(user.path()).unwrap().looks(), 1);
        let file = user.path().join("file");
        std::fs::write(&file, "").unwrap();
        let look = told(std::slice::from_ref(&file), "a run");
        assert!(look.number.is_none() && look.note.contains("could not be counted"), "{}", look.note);
        let look = told(&[file, own.path().to_path_buf()], "a run");
        assert!(look.number == Some(2) && look.note.contains("not counted everywhere"), "{}", look.note);
        assert!(told(&[], "a run").note.contains("no folder"));
    }
}
