//! Experiments of the lab, as several verbs know them: the folder that their results are kept in, and what their
//! reports call a market.

use super::failure::Failure;
use crate::lab::result_cache::ResultFolder;
use crate::market::feed::{FeedInfo, FeedMode};
use std::path::{Path, PathBuf};

/// The user's state folder, in which results are kept where no other is named.
pub fn home() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".local").join("state"));
    std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or_else(home).map(|d| d.join("hive"))
}

/// What a report calls a market.
pub fn market(info: &FeedInfo) -> String {
    if info.mode == FeedMode::History { format!("HISTORY {}", info.name) } else { info.mode.to_string() }
}

/// The state folder: the one named, or the user's.
pub fn open(state: Option<&Path>) -> Result<ResultFolder, Failure> {
    let dir = state.map(Path::to_path_buf).or_else(home).ok_or_else(|| {
        Failure::Usage("there is no folder to keep results in; name one with --state".to_owned())
    })?;
    ResultFolder::open(&dir).map_err(|e| {
        Failure::Usage(format!("the state folder {}: {e}; name another with --state", dir.display()))
    })
}
