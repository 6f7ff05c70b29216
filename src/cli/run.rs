//! A run from its options to its report: `hive backtest`, `hive --no-tui`, and what plain `hive` starts in
//! the background.

use super::endpoint::EndpointArgs;
use super::failure::Failure;
use super::held_out_looks::{self, HeldOutLook};
use super::options::{self, Budget, RunOptions, RunStart};
use super::output::{print, tell};
use super::{checkpoint, lab_results, report, report_page, serve, trades_file};
use crate::config::setup;
use crate::config::{self, Config};
use crate::domain::{Span, Stamp};
use crate::engine::Engine;
use crate::execution::orders::OPEN_MAX;
use crate::market::feed::Feed;
use crate::market::synth::{DAYS_MAX, FaultCounts};
use crate::recorder::summary::RunFacts;
use crate::recorder::{FamilyTable, Summary, TradeLog};
use crate::runtime::drive::{self, Ended};
use crate::runtime::feeds;
use crate::runtime::feeds::{FeedOptions, FeedSpec};
use crate::runtime::kill::KillSwitch;
use crate::runtime::logs::one_line;
use crate::runtime::pace::{BarPace, Speed};
use crate::runtime::prove::BackgroundProof;
use crate::runtime::recover::Resumed;
use crate::runtime::replay::{Archive, Remake};
use crate::runtime::service::{Clients, RunScenery};
use crate::runtime::stats::{IN_DOUBT, RunStats};
use crate::runtime::stepper::Stepper;
use crate::talk::TalkLog;
use crate::wire::Hub;
use crate::wire::hub::Results;
use crate::wire::queue::OrderQueue;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::fs::OFlags;
use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Barriers between two looks at the clock of the progress bar.
const TICK: u64 = 64;
/// Share of a recorded history that is behind when somebody begins to look.
const BEHIND: f64 = 0.8;

/// Years of the embedded market that go by at a bar a second: at bars of four hours a day on the wall.
const BRISK_YEARS: i64 = 40;
/// Market seconds per second after them. There is a stamp at which the market ends, since there is a last stamp: at this speed
/// it is years on the wall away.
const SLOW: f64 = 60.0;

/// What is made of what each family did.
#[derive(Clone, Debug, Default)]
pub struct FamilyReport {
    /// It is printed.
    pub shown: bool,
    /// Where it is written as JSON.
    pub file: Option<PathBuf>,
}

/// Where what was traded is written.
#[derive(Clone, Debug, Default)]
pub struct TradesReport {
    /// The list of trades, as its name says: CSV or JSON.
    pub list: Option<PathBuf>,
    /// The report as a page.
    pub page: Option<PathBuf>,
}

impl TradesReport {
    /// Whether trades are listed at all.
    fn is_wanted(&self) -> bool {
        self.list.is_some() || self.page.is_some()
    }

    /// Finds out before the run whether all can be written.
    fn check(&self, is_kept: bool) -> Result<(), Failure> {
        if is_kept && self.is_wanted() {
            let why = "--trades and --html list a run from its first event on; leave --state out";
            return Err(Failure::Usage(why.to_owned()));
        }
        for path in self.list.as_deref().map(trades_file::files).transpose()?.into_iter().flatten() {
            writable("--trades", &path)?;
        }
        self.page.as_deref().map_or(Ok(()), |path| writable("--html", path))
    }

    fn write(&self, log: Option<&TradeLog>, engine: &Engine, summary: &Summary) -> Result<(), Failure> {
        let Some(log) = log else { return Ok(()) };
        let list = log.list(engine, &summary.currency);
        if let Some(path) = &self.list {
            trades_file::write(path, &list)?;
        }
        let Some(path) = &self.page else { return Ok(()) };
        write_whole(path, &report_page::page(summary, &list, log, engine))
    }
}

/// What a run is beside its options.
#[derive(Clone, Debug, Default)]
pub struct RunMode {
    /// How it is reached; none: not at all.
    pub reach: Option<EndpointArgs>,
    /// Where it is kept; none: nowhere.
    pub state: Option<PathBuf>,
    /// Bytes that its journal may have.
    pub budget: Budget,
    /// Where in what is kept it begins.
    pub start: RunStart,
    /// Where what is said is written, if it is not kept with the run.
    pub talk: Option<PathBuf>,
    /// History goes by first, then the market goes on at a pace that can be watched.
    pub live: bool,
    /// The table by family.
    pub families: FamilyReport,
    /// What was traded.
    pub trades: TradesReport,
    /// When the market has ended it can be looked at until it is stopped.
    pub stays: bool,
    /// How the seed was chosen, where nobody gave one.
    pub seed_rule: Option<&'static str>,
}

impl RunMode {
    /// What was kept of a live market is moved aside before its tape is opened, which is part of it.
    fn begin_live(&mut self, wanted: &FeedOptions) -> Result<(), Failure> {
        let (FeedSpec::Live(_), Some(dir)) = (&wanted.spec, &self.state) else { return Ok(()) };
        if self.start == RunStart::Fresh {
            self.start = RunStart::GoOn;
            checkpoint::set_aside(dir)?;
        }
        checkpoint::private_folder(dir)
    }

    /// Whether it is kept or can be reached, and so has a kill switch of its own and ends in good order.
    fn is_guarded(&self) -> bool {
        self.state.is_some() || self.reach.is_some()
    }
}

/// Runs a hive as `hive run`, `paper` and `backtest` do, to the end of its market or until it is stopped.
pub fn run(options: &RunOptions, manner: &RunMode) -> Result<(), Failure> {
    // Before anything that takes its time: a signal that nobody listens for ends the process, and it would be started again
    // without having heard.
    let kill =
        manner.is_guarded().then(|| checkpoint::kill_switch(manner.state.as_deref(), manner.reach.as_ref()));
    let kill = kill.transpose()?;
    let (config, origins) = options.load()?;
    let mut wanted = options.feed(&config)?;
    let mut manner = RunMode { seed_rule: options::seed_rule(&origins), ..manner.clone() };
    manner.begin_live(&wanted)?;
    let behind = wanted.days;
    if manner.live && matches!(wanted.spec, FeedSpec::Synth { .. }) {
        wanted.days = DAYS_MAX;
    }
    // A summary that cannot be written is better known before the run than after it.
    for (flag, path) in [("--summary", &options.summary), ("--json", &manner.families.file)] {
        if let Some(path) = path {
            writable(flag, path)?;
        }
    }
    manner.trades.check(manner.state.is_some())?;
    // Before anything that takes its time, as the signal is.
    let hub = manner.reach.as_ref().map(serve::open).transpose()?;
    let (mut feed, manner) = (open_market(&mut wanted, &manner)?, &manner);
    let pace = pace(options, manner, &wanted, feed.as_ref(), behind)?;
    let settings = setup::settings(&config);
    let mut engine = Engine::new(&config.roster, feed.universe(), &settings, config.seed);
    fits(&engine)?;
    log_start(&config, feed.as_ref(), &engine, manner);
    let look = held_out_looks::count(options.state.as_deref(), &config::roster_hash(&config), feed.info());
    let bar = progress(feed.as_ref(), &engine, options.quiet || manner.live);
    let results = manner.reach.is_some().then(|| lab_results::results(options, &config, feed.info()));
    let again = remade(&wanted, &config);
    let (stats, ended, trades) =
        drive(&mut engine, feed.as_mut(), pace, &config, manner, (&bar, again, (kill, hub, results)))?;
    bar.finish_and_clear();
    let killed = engine.respond.real.account.hand.is_killed();
    let doubt = stats.doubt().filter(|_| killed && ended == Ended::Feed);
    let doubt = doubt.map(|d| format!("{} (halted for it)", d.trim_start_matches(IN_DOUBT)));
    // What is kept and goes on has nothing to report yet.
    let whole = ended == Ended::Feed || manner.state.is_none();
    let summary =
        Summary::new(&engine, facts(&config, feed.as_ref(), &engine, (stats, look, manner.seed_rule)));
    if let Some(path) = &options.summary {
        write_json(path, &summary)?;
    }
    manner.trades.write(trades.as_ref(), &engine, &summary)?;
    if !options.quiet && whole {
        print(&report::closing(&summary))?;
    }
    tell_families(&manner.families, &engine, feed.as_ref(), &config.currency)?;
    if let Some(why) = summary.ruined.filter(|_| summary.ledger_balanced) {
        return Err(Failure::Failed(why));
    }
    if summary.ledger_balanced && summary.halted.is_none() && doubt.is_none() {
        return Ok(());
    }
    let why = summary.halted.or(doubt).or_else(|| summary.notes.last().cloned()).unwrap_or_default();
    Err(Failure::Failed(format!("the run ended in doubt: {why}")))
}

/// Opens the market of a run.
fn open_market(wanted: &mut FeedOptions, manner: &RunMode) -> Result<Box<dyn Feed>, Failure> {
    let usage = |e: feeds::OpenError| Failure::Usage(e.to_string());
    let FeedSpec::Live(spec) = &wanted.spec else { return feeds::open(wanted).map_err(usage) };
    let Some(state) = &manner.state else {
        return Err(usage(feeds::OpenError::Endless(spec.venue.to_string())));
    };
    wanted.tape = Some(options::live_tape(state));
    let spec = spec.clone();
    let mut say = |line: &str| {
        tracing::info!("{spec}: {line}", spec = spec.venue);
        tell(&[format!("{}: {line}", spec.venue)]);
    };
    feeds::open_live(&spec, wanted, &mut say).map_err(usage)
}

/// What each family did, where it is wanted.
fn tell_families(
    wanted: &FamilyReport,
    engine: &Engine,
    feed: &dyn Feed,
    currency: &str,
) -> Result<(), Failure> {
    if !wanted.shown && wanted.file.is_none() {
        return Ok(());
    }
    let table = FamilyTable::new(engine, feed.info());
    if let Some(path) = &wanted.file {
        write_json(path, &table)?;
    }
    if wanted.shown { print(&report::by_family(&table, currency)) } else { Ok(()) }
}

/// Whether the orders that one decision may come to can all be open: one an asset at least. That they cannot was found out by
/// the venue, in the middle of a run, and halted it.
fn fits(engine: &Engine) -> Result<(), Failure> {
    let cast = engine.cast();
    // Scouts have no money to order with.
    let mut assets: Vec<_> = cast.slots[..cast.declared_slots].iter().map(|slot| slot.asset).collect();
    assets.sort_unstable();
    assets.dedup();
    if assets.len() <= OPEN_MAX {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "these agents trade {} assets, and at most {OPEN_MAX} orders can be open at a time; name fewer with --assets, or fewer \
         of each in the file",
        assets.len()
    )))
}

/// Makes engine and feed anew, as they were before the first event: to go back to a moment, or to live it again.
pub fn remade(wanted: &FeedOptions, config: &Config) -> Arc<Remake> {
    let (wanted, config) = (wanted.clone(), config.clone());
    Arc::new(move || {
        let feed = feeds::open(&wanted).map_err(|e| e.to_string())?;
        let settings = setup::settings(&config);
        Ok((Engine::new(&config.roster, feed.universe(), &settings, config.seed), feed))
    })
}

/// How fast it goes, and from when on.
fn pace(
    options: &RunOptions,
    manner: &RunMode,
    wanted: &FeedOptions,
    feed: &dyn Feed,
    behind: u32,
) -> Result<BarPace, Failure> {
    let (info, asked) = (feed.info(), options.speed()?);
    if let FeedSpec::Live(_) = wanted.spec {
        return Ok(BarPace { seam: Some(info.to), ..BarPace::MAX });
    }
    if !manner.live {
        return Ok(BarPace { speed: asked.unwrap_or(Speed::Max), ..BarPace::MAX });
    }
    let length = match wanted.spec {
        FeedSpec::Synth { .. } => Span(i64::from(behind) * Span::DAY.0),
        FeedSpec::History { .. } | FeedSpec::Paired { .. } | FeedSpec::Tape { .. } | FeedSpec::Live(_) => {
            Span((info.to.since(info.from).0 as f64 * BEHIND) as i64)
        }
    };
    // A bar a second: something happens, and it can be read.
    let speed = asked.unwrap_or(Speed::Times(info.clock.0 as f64 / 1e9));
    let seam = info.from.after(length);
    let endless = asked.is_none() && matches!(wanted.spec, FeedSpec::Synth { .. });
    let then = endless.then(|| (seam.after(Span(BRISK_YEARS * Span::YEAR.0)), SLOW));
    Ok(BarPace { speed, seam: Some(seam), then })
}

/// The ways to the run from outside: the kill switch of its own, its socket, and where the lab's results are found.
type RunReach = (Option<KillSwitch>, Option<(Hub, OrderQueue)>, Option<Results>);

/// Drives the engine through the feed, kept and served as asked for.
fn drive(
    engine: &mut Engine,
    feed: &mut dyn Feed,
    pace: BarPace,
    config: &Config,
    manner: &RunMode,
    (bar, again, (kill, hub, results)): (&ProgressBar, Arc<Remake>, RunReach),
) -> Result<(RunStats, Ended, Option<TradeLog>), Failure> {
    let stop =
        if manner.is_guarded() { checkpoint::stop_on_signals()? } else { Arc::new(AtomicBool::new(false)) };
    let resumed = kept(engine, feed, config, manner, (again.as_ref(), &stop))?;
    let (mut keeper, talk, stats) = match resumed {
        Some(resumed) => (Some(resumed.keeper), resumed.talk, resumed.stats),
        None => (None, spoken(engine, feed, config, manner)?, RunStats::default()),
    };
    if let Some(((hub, _), reach)) = hub.as_ref().zip(manner.reach.as_ref()) {
        serve::begin(hub, reach, results)?;
    }
    let mut stepper = Stepper::new(engine, stats, keeper.as_mut());
    stepper.talk = talk;
    stepper.kill = kill;
    if manner.trades.is_wanted() {
        stepper.list_trades();
    }
    let mut audience = hub.as_ref().zip(manner.reach.as_ref()).map(|((hub, orders), reach)| {
        let mut scenery = serve::scenery(config, feed, reach, pace, feed.info().from);
        if manner.seed_rule.is_some() {
            let market = &mut scenery.cockpit.feed;
            *market = format!("{market}, seed {}: the median of 100", config.seed);
        }
        let scene = scenery.cockpit.clone();
        let scenery = RunScenery { stays: manner.stays, ..scenery };
        let mut audience = Clients::new(&mut stepper, hub, orders, scenery);
        let whose = checkpoint::identity(config, feed);
        audience.proof = manner
            .state
            .as_ref()
            .map(|dir| BackgroundProof::new(dir, whose, Arc::clone(&again), &config.currency));
        audience.archive = manner.state.as_ref().map(|dir| Archive::new(dir, scene, again));
        audience
    });
    let mut logged = Logged::new(&stepper);
    let done = drive::run(&mut stepper, feed, pace, &stop, audience.as_mut(), |stepper| {
        logged.barrier(stepper);
        if stepper.stats.barriers.is_multiple_of(TICK) {
            advance(bar, stepper.engine, &stepper.stats);
        }
        tell(&stepper.news());
    });
    drop(audience);
    logged.barrier(&stepper);
    tell(&stepper.news());
    let (stats, trades) = (stepper.stats, stepper.trades);
    let done = done.map_err(Failure::from).and_then(|ended| match &mut keeper {
        Some(keeper) => checkpoint::end(keeper, engine, &stats, feed, ended).map(|()| ended),
        None => Ok(ended),
    });
    // Everything is on disk when those who watch are told.
    say_end(hub.as_ref().map(|(hub, _)| hub), &done, &stats);
    done.map(|ended| (stats, ended, trades))
}

/// Tells those who watch, and the log, how a run came to its end.
fn say_end(hub: Option<&Hub>, done: &Result<Ended, Failure>, stats: &RunStats) {
    let how = match done {
        Ok(Ended::Feed) => "the market has ended",
        Ok(Ended::Stopped) => "it was stopped",
        Err(why) => &why.to_string(),
    };
    if let Some(hub) = hub {
        hub.close(how);
    }
    if done.is_ok() {
        tracing::info!(events = stats.events, bars = stats.bars, commands = stats.commands, "end: {how}");
    }
}

/// Writes to the log what a run is.
fn log_start(config: &Config, feed: &dyn Feed, engine: &Engine, manner: &RunMode) {
    let (info, cast) = (feed.info(), engine.cast());
    tracing::info!(
        pid = std::process::id(),
        seed = config.seed,
        agents = cast.agents.len(),
        roster = config::roster_hash(config),
        state = %manner.state.as_deref().unwrap_or(Path::new("not kept")).display(),
        "start: hive {} runs {}",
        env!("CARGO_PKG_VERSION"),
        config.name,
    );
    let (from, to, bars) = (info.from, info.to, info.bars);
    tracing::info!(mode = %info.mode, %from, %to, bars, data = info.data_hash, "feed: {}", info.name);
    for note in info.notes.iter().chain(&cast.notices) {
        tracing::info!("{}", one_line(note));
    }
}

/// What a run has to tell that is in the log already.
struct Logged {
    alarms: usize,
    more: bool,
    halted: bool,
}

impl Logged {
    /// What a resumed run has told before is not told again.
    fn new(stepper: &Stepper<'_>) -> Self {
        let (stats, real) = (&stepper.stats, &stepper.engine.respond.real);
        Logged {
            alarms: stats.alarms.len(),
            more: stats.more_alarms > 0,
            halted: real.account.halted.is_some(),
        }
    }

    /// Writes to the log what is new: as many alarms as the run keeps, and a halt once.
    fn barrier(&mut self, stepper: &Stepper<'_>) {
        let (stats, real) = (&stepper.stats, &stepper.engine.respond.real);
        for alarm in stats.alarms.iter().skip(self.alarms) {
            tracing::warn!("alarm: {}", one_line(alarm));
        }
        self.alarms = stats.alarms.len();
        if stats.more_alarms > 0 && !std::mem::replace(&mut self.more, true) {
            tracing::warn!("there are more alarms than are kept; from here on they are only counted");
        }
        if let Some(why) = real.account.halted.as_ref().filter(|_| !self.halted) {
            self.halted = true;
            tracing::error!("halted: {}", one_line(why));
        }
    }
}

fn kept(
    engine: &mut Engine,
    feed: &mut dyn Feed,
    config: &Config,
    manner: &RunMode,
    again: (&Remake, &AtomicBool),
) -> Result<Option<Resumed>, Failure> {
    let Some(dir) = &manner.state else { return Ok(None) };
    if manner.start == RunStart::Fresh {
        checkpoint::set_aside(dir)?;
    }
    let how = (manner.start == RunStart::Replay, manner.budget.most());
    checkpoint::open(dir, config, engine, feed, how, again).map(Some)
}

/// Begins the file of what is said by a run that is not kept.
fn spoken(
    engine: &Engine,
    feed: &dyn Feed,
    config: &Config,
    manner: &RunMode,
) -> Result<Option<TalkLog>, Failure> {
    let Some(path) = &manner.talk else { return Ok(None) };
    if path.exists() {
        let fix = "name another file, or move it away";
        return Err(Failure::Usage(format!("--talk {}: it is there already; {fix}", path.display())));
    }
    let head = checkpoint::identity(config, feed).talk_head(engine);
    let begun = TalkLog::open(path, &head, 0);
    begun.map(Some).map_err(|e| Failure::Usage(format!("--talk: {e}; name a file that can be written")))
}

fn facts(
    config: &Config,
    feed: &dyn Feed,
    engine: &Engine,
    (stats, look, seed_rule): (RunStats, Option<HeldOutLook>, Option<&str>),
) -> RunFacts {
    let (info, read) = (feed.info(), feed.report());
    let mut notes = info.notes.clone();
    notes.extend(seed_rule.map(|rule| format!("seed {} is {rule}", config.seed)));
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
    let FaultCounts { outages, bad_ticks, depegs, absences, flash_crashes } = read.faults;
    if read.faults != FaultCounts::default() {
        notes.push(format!(
            "faults: {outages} outages, {bad_ticks} bad ticks, {depegs} lost pegs, \
             {absences} absences of arbitrage with pools, {flash_crashes} flash crashes"
        ));
    }
    notes.extend(look.as_ref().map(|l| l.note.clone()));
    notes.extend(engine.cast().notices.iter().cloned());
    notes.extend(stats.alarms);
    if stats.more_alarms > 0 {
        notes.push(format!("and {} more", stats.more_alarms));
    }
    RunFacts {
        hive: config.name.clone(),
        mode: info.mode.to_string(),
        feed: info.name.clone(),
        data_hash: info.data_hash.clone(),
        currency: config.currency.clone(),
        roster_hash: config::roster_hash(config),
        seed: config.seed,
        from: stats.from,
        bars: stats.bars,
        refused: stats.refused,
        wall_s: stats.wall_s,
        looks: look.and_then(|l| l.number),
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

fn advance(bar: &ProgressBar, engine: &Engine, stats: &RunStats) {
    bar.set_position(stats.barriers);
    let now = engine.now().map(|s: Stamp| s.to_string()).unwrap_or_default();
    let day = now.get(..10).unwrap_or_default().to_owned();
    let rate = stats.bars as f64 / stats.wall_s.max(1e-9) / 1e3;
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

/// How a file beside is opened: whoever put a link in its place has not to say what is written to.
fn opened(beside: &Path, path: &Path) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true);
    if beside != path {
        options.custom_flags(OFlags::NOFOLLOW.bits() as i32);
    }
    options
}

/// Finds out whether a file can be written, and leaves nothing behind.
fn writable(flag: &str, path: &Path) -> Result<(), Failure> {
    let refused = |e: std::io::Error| {
        Failure::Usage(format!("{flag} {}: {e}; name a file in a folder that can be written", path.display()))
    };
    let beside = beside(path);
    let new = !beside.exists();
    opened(&beside, path).append(true).open(&beside).map_err(refused)?;
    if new { std::fs::remove_file(&beside).map_err(refused) } else { Ok(()) }
}

fn write_json(path: &Path, what_it_is: &impl serde::Serialize) -> Result<(), Failure> {
    let failed =
        |what: &str, e: &dyn std::fmt::Display| Failure::Failed(format!("{what} {}: {e}", path.display()));
    let text = serde_json::to_string_pretty(what_it_is).map_err(|e| failed("encoding", &e))?;
    write_whole(path, &text)
}

/// Writes a text and a line's end: whole or not at all.
pub(super) fn write_whole(path: &Path, text: &str) -> Result<(), Failure> {
    let failed =
        |what: &str, e: &dyn std::fmt::Display| Failure::Failed(format!("{what} {}: {e}", path.display()));
    let beside = beside(path);
    let mut file =
        opened(&beside, path).write(true).truncate(true).open(&beside).map_err(|e| failed("creating", &e))?;
    writeln!(file, "{text}").map_err(|e| failed("writing", &e))?;
    if beside == path {
        return Ok(());
    }
    file.sync_all().map_err(|e| failed("writing", &e))?;
    std::fs::rename(&beside, path).map_err(|e| failed("renaming", &e))
}
