//! What survives between runs, in the state folder: finished results, looks at held-out data, and the
//! last report for `hive lab explain`.
//!
//! Results are named after everything that decides them; what cannot be read or does not fit is run again.
//! A look is counted once for each thing that was looked at: the same command twice is one look.

use super::stream::ArmTrack;
use crate::domain::Stamp;
use crate::market::feed::{FeedInfo, FeedMode};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Most that is read for a report; one of 200 seeds and all arms is a tenth of it.
const REPORT_BYTES_MAX: u64 = 8 << 20;

/// A folder of results that need not be computed again.
pub struct ResultFolder {
    dir: PathBuf,
}

impl ResultFolder {
    /// Makes the folder if it is not there.
    pub fn open(state: &Path) -> io::Result<Self> {
        let dir = state.join("lab");
        fs::create_dir_all(dir.join("results"))?;
        Ok(ResultFolder { dir })
    }

    fn file_of(&self, key: &str, seed: u64, arm: &str) -> PathBuf {
        let name = blake3::hash(format!("{} {key} {seed} {arm}", super::VERSION).as_bytes());
        self.dir.join("results").join(format!("{}.track", &name.to_hex()[..32]))
    }

    /// A finished result, if it is there and whole.
    pub fn load(&self, key: &str, seed: u64, arm: &str) -> Option<ArmTrack> {
        let bytes = fs::read(self.file_of(key, seed, arm)).ok()?;
        let (sum, body) = bytes.split_first_chunk::<32>()?;
        let whole = blake3::hash(body) == blake3::Hash::from(*sum);
        whole.then(|| postcard::from_bytes(body).ok()).flatten()
    }

    /// Keeps a finished result.
    pub fn save(&self, key: &str, seed: u64, arm: &str, track: &ArmTrack) -> io::Result<()> {
        let body = postcard::to_stdvec(track).map_err(io::Error::other)?;
        let mut bytes = blake3::hash(&body).as_bytes().to_vec();
        bytes.extend(body);
        write(&self.file_of(key, seed, arm), &bytes)
    }

    /// Counts a look at held-out data, and says how many there were with this one.
    pub fn look(&self, what: &str) -> io::Result<usize> {
        let path = self.dir.join("looks.txt");
        let mut known = fs::read_to_string(&path).unwrap_or_default();
        if !known.lines().any(|l| l == what) {
            known.push_str(what);
            known.push('\n');
            write(&path, known.as_bytes())?;
        }
        Ok(known.lines().count())
    }

    /// How many looks there were so far.
    pub fn looks(&self) -> usize {
        fs::read_to_string(self.dir.join("looks.txt")).map_or(0, |t| t.lines().count())
    }

    /// Counts a look at a market if it has held-out days, and says how many looks there were with this one.
    pub fn look_at(&self, info: &FeedInfo, roster_hash: &str) -> io::Result<usize> {
        match looked_at(info, roster_hash) {
            Some(what) => self.look(&what),
            None => Ok(self.looks()),
        }
    }

    /// Keeps the last report.
    pub fn report(&self, json: &str) -> io::Result<()> {
        write(&self.dir.join("last.json"), json.as_bytes())
    }

    /// The last report, if there was one.
    pub fn last(&self) -> Option<String> {
        fs::read_to_string(self.dir.join("last.json")).ok()
    }
}

/// What is looked at if a recorded market is run whose days reach into those that are held out; none if they do
/// not. The same market, days and settings are the same look, whoever runs them: an experiment, a backtest, or a
/// hive that goes through a history.
pub fn looked_at(info: &FeedInfo, roster_hash: &str) -> Option<String> {
    let held_out = Stamp::parse(super::HELD_OUT_FROM).unwrap_or_default();
    let reaches = info.mode == FeedMode::History && info.to > held_out;
    reaches.then(|| format!("{} {roster_hash} {} {}", info.data_hash, info.from, info.to))
}

/// The last report of a state folder and when it was kept, without making anything there; none if there is
/// none.
pub fn last(state: &Path) -> io::Result<Option<(String, SystemTime)>> {
    let file = match fs::File::open(state.join("lab").join("last.json")) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let at = file.metadata()?.modified()?;
    let mut text = String::new();
    let read = file.take(REPORT_BYTES_MAX + 1).read_to_string(&mut text)?;
    if read as u64 > REPORT_BYTES_MAX {
        return Err(io::Error::other("it is larger than any report"));
    }
    Ok(Some((text, at)))
}

/// Writes beside and renames, so that nobody finds half a file.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    // What a process that died left, or a link that somebody put there, which is not followed.
    match fs::remove_file(&beside) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = fs::File::create_new(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
