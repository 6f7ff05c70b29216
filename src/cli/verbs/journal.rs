//! `hive journal`: checks a journal to the last byte, or writes it out for people and scripts, and changes nothing; or ends
//! a damaged one before its damage, and leaves the original beside.

use super::backup::state_of;
use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::journal::{self, JournalError, MarkFile, RecordKind};
use crate::runtime::backup;
use crate::runtime::evidence::mark_path;
use clap::{Parser, Subcommand};
use std::fmt::Write;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

/// Arguments of `hive journal`.
#[derive(Debug, Parser)]
pub struct JournalArgs {
    #[command(subcommand)]
    verb: JournalCommand,
}

#[derive(Debug, Subcommand)]
enum JournalCommand {
    /// Read every frame, check its checksum and the chain, and say what there is
    Verify {
        /// The state folder, or the journal in it
        dir: PathBuf,
    },
    /// Every frame as a line of JSON
    Export {
        /// The state folder, or the journal in it
        dir: PathBuf,
        /// Into this file instead of standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// End a damaged journal before its damage, say which commands are lost, and leave the original beside
    Repair {
        /// The state folder, or the journal in it
        dir: PathBuf,
        /// Only say what would be lost
        #[arg(long)]
        dry_run: bool,
    },
}

/// Runs `hive journal`: checks a journal, or writes it out as text.
pub fn run(args: &JournalArgs) -> Result<(), Failure> {
    match &args.verb {
        JournalCommand::Verify { dir } => verify(&folder(dir)?),
        JournalCommand::Export { dir, out } => export(&folder(dir)?, out.as_deref()),
        JournalCommand::Repair { dir, dry_run } => repair(&state_of(dir), *dry_run),
    }
}

/// The journal of a state folder, or the folder itself if it is one.
fn folder(dir: &Path) -> Result<PathBuf, Failure> {
    let inner = dir.join("journal");
    let found = if inner.is_dir() { inner } else { dir.to_path_buf() };
    let first = found.join("00000001.seg");
    let any = std::fs::read_dir(&found)
        .is_ok_and(|mut all| all.any(|e| e.is_ok_and(|e| e.path().extension().is_some_and(|x| x == "seg"))));
    if any {
        return Ok(found);
    }
    Err(Failure::Usage(format!(
        "{} is no journal: there is no {}; name a folder that was given to --state",
        dir.display(),
        first.display()
    )))
}

fn failed(e: &JournalError) -> Failure {
    Failure::Failed(e.to_string())
}

fn verify(dir: &Path) -> Result<(), Failure> {
    let mark = MarkFile::read(&mark_path(&state_of(dir))).map_err(|e| failed(&e))?.upto();
    let seen = journal::scan_beyond(dir, mark.map(|m| m.seq), |_| Ok(())).map_err(|e| failed(&e))?;
    let run = seen.run.map_or_else(|| "none".to_owned(), |r| journal::hex(&r.run));
    let state = if seen.cut.is_some() { "whole but for a torn end" } else { "whole" };
    let mut text = format!("{}: {state}, run {run}\n", dir.display());
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{} frames in {} segments, {} bytes, format {}, chain {}",
        seen.frames,
        seen.segments,
        seen.bytes,
        journal::VERSION,
        journal::hex(&seen.link)
    );
    for (kind, count) in &seen.counts {
        let _ = writeln!(text, "  {:<11} {count}", RecordKind::name(*kind));
    }
    if let Some(cut) = &seen.cut {
        let _ = writeln!(
            text,
            "a torn end: {} bytes of {} from byte {} on are no frame; the next start cuts them off",
            cut.bytes,
            cut.file.display(),
            cut.offset
        );
    }
    if let Some(mark) = mark {
        let _ = writeln!(text, "acknowledged up to frame {}", mark.seq);
    }
    print(&text)?;
    match mark.filter(|m| m.seq > seen.last_seq) {
        Some(mark) => Err(Failure::Failed(format!(
            "{}: frames {} to {} were acknowledged and cannot be read any more; put the journal back from a backup (hive \
             restore), or start it, and it comes up halted",
            dir.display(),
            seen.last_seq + 1,
            mark.seq
        ))),
        None => Ok(()),
    }
}

fn repair(state: &Path, look: bool) -> Result<(), Failure> {
    let Some(done) = backup::repair(state, look)? else {
        return print(&format!(
            "{}: the journal is whole, or has a torn end that the next start cuts off\n",
            state.display()
        ));
    };
    let end = done.seen.last_seq;
    let mut text = format!("{}\n{end} frames before it are whole", done.why);
    // Writing to a string cannot fail.
    let _ = match done.acknowledged.filter(|upto| *upto > end) {
        Some(upto) => writeln!(text, "; frames {} to {upto} were acknowledged and are lost", end + 1),
        None => writeln!(text),
    };
    let _ = writeln!(
        text,
        "{} frames behind it can be read, {} of them commands:",
        done.readable,
        done.commands.len() as u64 + done.more
    );
    done.commands.iter().for_each(|command| {
        let _ = writeln!(text, "  {command}");
    });
    if done.more > 0 {
        let _ = writeln!(text, "  and {} more; hive journal export has none of them", done.more);
    }
    match &done.aside {
        Some(aside) => {
            let _ = writeln!(
                text,
                "the journal ends at frame {end} now; the damaged one is in {}. The next start comes up halted: see what is \
                 held, give the commands again that are to hold, then hive ctl reset",
                aside.display()
            );
        }
        None => text.push_str("nothing was changed\n"),
    }
    print(&text)
}

fn export(dir: &Path, out: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = out else {
        return match journal::export(dir, BufWriter::new(io::stdout().lock())) {
            // A reader that has gone away (`| head`) is no failure.
            Err(JournalError::Io { reason, .. }) if reason.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done.map(|_| ()).map_err(|e| failed(&e)),
        };
    };
    let file = File::create(path).map_err(|e| Failure::Usage(format!("--out {}: {e}", path.display())))?;
    journal::export(dir, BufWriter::new(file)).map(|_| ()).map_err(|e| failed(&e))
}
