//! `hive log`: the newest log of a hive, and what comes.

use crate::cli::endpoint::EndpointArgs;
use crate::cli::failure::Failure;
use crate::cli::logging::{Level, VARIABLE, folder};
use crate::cli::output::print;
use crate::domain::printable;
use crate::runtime::logs;
use clap::{Args as Arguments, ValueEnum};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Time between two looks for new lines.
const LOOK: Duration = Duration::from_millis(250);

/// Options of `hive log`.
#[derive(Clone, Debug, Arguments)]
pub struct Args {
    /// Name of the hive whose log is shown
    #[arg(value_name = "NAME")]
    hive: Option<String>,
    /// How many of its last lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    lines: usize,
    /// Go on with what is written from now on, into the next day too
    #[arg(short, long)]
    follow: bool,
    /// Only lines of this level and of worse ones
    #[arg(long, value_enum, value_name = "LEVEL")]
    level: Option<Level>,
    /// Only where the file is
    #[arg(long, conflicts_with_all = ["follow", "level", "lines"])]
    path: bool,
}

/// Runs `hive log`: shows the lines of a level and above.
pub fn run(args: &Args) -> Result<(), Failure> {
    if args.level == Some(Level::Off) {
        let words = "error, warn, info, debug or trace";
        return Err(Failure::Usage(format!("--level off would show nothing: write {words}")));
    }
    let reach = EndpointArgs { name: args.hive.clone(), ..EndpointArgs::default() };
    let folder = folder(&reach)?;
    let path = newest(&folder)?.ok_or_else(|| {
        Failure::Failed(format!(
            "{} has no log yet: hive, hive --no-tui and hive attach write one unless --log or {VARIABLE} is off",
            folder.display()
        ))
    })?;
    if args.path {
        return print(&format!("{}\n", path.display()));
    }
    let mut tail = Tail { level: args.level, passes: true, path, at: 0 };
    let mut last = VecDeque::new();
    tail.read(|line| {
        last.push_back(line.to_owned());
        if last.len() > args.lines {
            last.pop_front();
        }
        Ok(())
    })
    .map_err(|e| failed(&tail.path, &e))?;
    if ended(last.iter().try_for_each(|line| show(line)))? || !args.follow {
        return Ok(());
    }
    follow(tail, &folder)
}

/// Shows what comes, until the process is ended or nobody reads it any more.
fn follow(mut tail: Tail, folder: &Path) -> Result<(), Failure> {
    loop {
        std::thread::sleep(LOOK);
        let next = newest(folder)?.filter(|n| *n != tail.path);
        if ended(tail.read(show))? {
            return Ok(());
        }
        if let Some(path) = next {
            (tail.path, tail.at) = (path, 0);
        }
    }
}

fn newest(folder: &Path) -> Result<Option<PathBuf>, Failure> {
    logs::newest(folder).map_err(|e| failed(folder, &e))
}

fn failed(path: &Path, e: &io::Error) -> Failure {
    Failure::Failed(format!("reading {}: {e}", path.display()))
}

/// Whether the reader has gone (`| head`), which is no failure.
fn ended(shown: io::Result<()>) -> Result<bool, Failure> {
    match shown {
        Ok(()) => Ok(false),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(true),
        Err(e) => Err(Failure::Failed(format!("showing the log: {e}"))),
    }
}

fn show(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", printable(line))?;
    out.flush()
}

/// A place in a log, and what is shown of it.
struct Tail {
    level: Option<Level>,
    /// Whether the last line that had a level was shown: what follows without one belongs to it.
    passes: bool,
    path: PathBuf,
    at: u64,
}

impl Tail {
    /// Reads on, as far as lines are whole.
    fn read(&mut self, mut to: impl FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.at))?;
        let (mut file, mut bytes) = (BufReader::new(file), Vec::new());
        while file.read_until(b'\n', &mut bytes)? > 0 && bytes.ends_with(b"\n") {
            self.at += bytes.len() as u64;
            let line = String::from_utf8_lossy(&bytes[..bytes.len() - 1]).into_owned();
            bytes.clear();
            if let Some((level, wanted)) = level_of(&line).zip(self.level) {
                self.passes = level <= wanted;
            }
            if self.passes {
                to(&line)?;
            }
        }
        Ok(())
    }
}

/// The level of a line of the log: its second word.
fn level_of(line: &str) -> Option<Level> {
    Level::from_str(line.split_whitespace().nth(1)?, true).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_come_and_by_their_level() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hive.2026-01-01.log");
        let text = "t  INFO a: one\nt ERROR a: two\nits second line\nt  WARN a: three\nt DEBUG a: fo";
        std::fs::write(&path, text).unwrap();
        let mut tail = Tail { level: Some(Level::Warn), passes: true, path: path.clone(), at: 0 };
        let lines = |tail: &mut Tail| {
            let mut all = Vec::new();
            tail.read(|l| {
                all.push(l.to_owned());
                Ok(())
            })
            .unwrap();
            all
        };
        assert_eq!(lines(&mut tail), ["t ERROR a: two", "its second line", "t  WARN a: three"]);
        std::fs::write(&path, format!("{text}ur\nt ERROR a: five\n")).unwrap();
        assert_eq!(lines(&mut tail), ["t ERROR a: five"]);
        assert!(lines(&mut tail).is_empty());
    }
}
