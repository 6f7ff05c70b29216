//! `hive` and `hive backtest`: opens the feed, runs the swarm through it, and reports.

use super::keep::Kept;
use super::options::{self, RunOptions};
use super::{Failure, print, report};
use crate::config;
use crate::domain::{Message, Stamp};
use crate::engine::Engine;
use crate::market::feed::Feed;
use crate::runtime::drive::{self, Speed, Told};
use crate::runtime::{feeds, setup};
use crate::view::Summary;
use crate::view::summary::RunFacts;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Barriers between two looks at the clock of the progress bar.
const TICK: u64 = 64;

/// What is told of every barrier.
type Watch<'a> = &'a mut dyn FnMut(&Engine, &Told, &[Message]);

/// Runs.
pub fn run(options: &RunOptions) -> Result<(), Failure> {
    run_by(options, |engine, feed, speed, config, watch| match &options.state {
        Some(dir) => Kept::open(dir, config, engine, feed)?.run(engine, feed, speed, |e, t| watch(e, t, &[])),
        None => drive::run(engine, feed, speed, watch).map(Some).map_err(|e| Failure::Failed(e.to_string())),
    })
}

/// Prepares a run, has it driven, and reports unless it was ended on the way.
pub fn run_by(
    options: &RunOptions,
    drive: impl FnOnce(
        &mut Engine,
        &mut dyn Feed,
        Speed,
        &config::Config,
        Watch<'_>,
    ) -> Result<Option<Told>, Failure>,
) -> Result<(), Failure> {
    let (config, _) = options::load(options.agents.as_ref(), &options.overrides())?;
    let speed = options.speed()?;
    let wanted = options.feed(&config)?;
    // A summary that cannot be written is better known before the run than after it.
    if let Some(path) = &options.summary {
        writable(path)?;
    }
    let mut feed = feeds::open(&wanted).map_err(|e| Failure::Usage(e.to_string()))?;
    let settings = setup::settings(&config);
    let mut engine = Engine::new(&config.roster, feed.universe(), &settings, config.seed);
    let bar = progress(feed.as_ref(), &engine, options.quiet);
    let done = drive(&mut engine, feed.as_mut(), speed, &config, &mut |engine, told, _| {
        if told.barriers.is_multiple_of(TICK) {
            advance(&bar, engine, told);
        }
    });
    bar.finish_and_clear();
    let Some(told) = done? else { return Ok(()) };
    let facts = facts(&config, feed.as_ref(), &engine, told);
    let summary = Summary::new(&engine, facts);
    if let Some(path) = &options.summary {
        write_summary(path, &summary)?;
    }
    if !options.quiet {
        print(&report::closing(&summary))?;
    }
    if summary.ledger_balanced && summary.halted.is_none() {
        return Ok(());
    }
    let why = summary.halted.or_else(|| summary.notes.last().cloned()).unwrap_or_default();
    Err(Failure::Failed(format!("the run ended in doubt: {why}")))
}

fn facts(config: &config::Config, feed: &dyn Feed, engine: &Engine, told: Told) -> RunFacts {
    let (info, read) = (feed.info(), feed.report());
    let mut notes = info.notes.clone();
    if read.bad_rows + read.duplicates + read.unsorted > 0 {
        notes.push(format!(
            "left out: {} rows that could not be believed, {} duplicates, {} out of order",
            read.bad_rows, read.duplicates, read.unsorted
        ));
        notes.extend(read.first_bad);
    }
    if read.gaps > 0 {
        notes.push(format!("gaps in the data: {}; nothing is filled in, old prices stand", read.gaps));
    }
    notes.extend(engine.cast().notices.iter().cloned());
    notes.extend(told.alarms);
    if told.more_alarms > 0 {
        notes.push(format!("and {} more", told.more_alarms));
    }
    RunFacts {
        hive: config.name.clone(),
        mode: info.mode.to_string(),
        feed: info.name.clone(),
        data_hash: info.data_hash.clone(),
        currency: config.currency.clone(),
        roster_hash: config::roster_hash(config),
        seed: config.seed,
        from: told.from,
        bars: told.bars,
        refused: told.refused,
        wall_s: told.wall_s,
        notes,
    }
}

/// A progress bar where there is a terminal to draw it on.
fn progress(feed: &dyn Feed, engine: &Engine, quiet: bool) -> ProgressBar {
    let shown = !quiet && std::io::stderr().is_terminal();
    let target = if shown { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
    let info = feed.info();
    let bar = ProgressBar::with_draw_target(Some(info.bars), target);
    // The template is a constant of this program; a typing mistake in it shows as a plain bar.
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {percent:>3} %  {msg}  {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_prefix(format!("{} {}: {} agents", info.mode, info.name, engine.cast().agents.len()));
    bar
}

fn advance(bar: &ProgressBar, engine: &Engine, told: &Told) {
    bar.set_position(told.barriers);
    let now = engine.now().map(|s: Stamp| s.to_string()).unwrap_or_default();
    let day = now.get(..10).unwrap_or_default().to_owned();
    let rate = told.bars as f64 / told.wall_s.max(1e-9) / 1e3;
    bar.set_message(format!("{day}  {rate:.0} k bars/s"));
}

/// A file is written beside and renamed, so that a reader never sees half a summary; what is no file
/// (a pipe, `/dev/stdout`) is written as it is.
fn beside(path: &Path) -> PathBuf {
    if std::fs::metadata(path).is_ok_and(|m| !m.is_file()) {
        return path.to_path_buf();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Finds out whether a summary can be written, and leaves nothing behind.
fn writable(path: &Path) -> Result<(), Failure> {
    let refused = |e: std::io::Error| {
        Failure::Usage(format!(
            "--summary {}: {e}; name a file in a folder that can be written",
            path.display()
        ))
    };
    let beside = beside(path);
    let new = !beside.exists();
    std::fs::OpenOptions::new().create(true).append(true).open(&beside).map_err(refused)?;
    if new { std::fs::remove_file(&beside).map_err(refused) } else { Ok(()) }
}

fn write_summary(path: &Path, summary: &Summary) -> Result<(), Failure> {
    let failed = |what: &str, e: &dyn std::fmt::Display| {
        Failure::Failed(format!("{what} the summary {}: {e}", path.display()))
    };
    let text = serde_json::to_string_pretty(summary).map_err(|e| failed("encoding", &e))?;
    let beside = beside(path);
    let mut file = std::fs::File::create(&beside).map_err(|e| failed("creating", &e))?;
    writeln!(file, "{text}").map_err(|e| failed("writing", &e))?;
    if beside == path {
        return Ok(());
    }
    file.sync_all().map_err(|e| failed("writing", &e))?;
    std::fs::rename(&beside, path).map_err(|e| failed("renaming", &e))
}
