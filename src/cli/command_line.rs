//! The whole command line as it is parsed, and which verb does what was asked.

use super::cockpit::{self, CockpitOptions};
use super::endpoint::EndpointArgs;
use super::failure::Failure;
use super::logging::LogOptions;
use super::options::RunOptions;
use super::run::{self, FamilyReport, RunMode, TradesReport};
use super::start;
use super::verbs::{
    agents, attach, backup, bench, completions, config, ctl, data, export, journal, lab, log, man, prove,
    talk,
};
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::path::PathBuf;

/// What `--help` says after the options.
const AFTER_HELP: &str = "\
Feeds: a history's PATH is a panel (timestamp, symbol, open, high, low, close, volume as CSV, JSON
lists, Parquet or Feather) or a folder of one such file per symbol; `hive data formats` says what is
read, and what ?KEY=VALUE decides. Without ?kind= a file named after perps, futures or
swaps holds perps; everything else trades on margin. A tape is made of files of other kinds (funding,
dated futures, books, option chains, pools, several venues) by `hive data import`.

Settings: flags beat HIVE_* variables (HIVE_SEED, HIVE_DESK_PATIENCE, …) beat the file beat the
defaults; `hive config show` prints each value and where it came from.

Exit codes:
  0  done
  1  failed: the market could not be read on, or the books ended in doubt
  2  usage or configuration: every mistake is named, with the way out
  3  refused for safety
  4  not running

Examples:
  hive                                         the embedded market: starts in the background, and attaches
  hive attach --plain                          the same as lines, for screen readers and pipes
  hive export why --at \"yesterday 14:02\"       why everybody did what they did then, as CSV
  hive attach                                  looks again; hive ctl stop ends it
  hive backtest --feed history:perp_1h.csv.gz  your own bars to their end, and a report
  hive data import DIR --out my.tape           files of many kinds onto one tape, for --feed tape:my.tape
  hive --no-tui                                in the foreground without a screen, for a server
  hive ctl status                              how it is, as JSON
  hive talk --acted --from -7d                 what others acted on in the last week, and how often
  hive prove run/ --out proof.json             what hearing each kind of message was worth in it
  hive log --follow                            what happens to it, from its log
  hive backup DIR                              its state as a copy, while it runs; hive restore DIR puts it back
  hive config print-default > agents.toml      a file to change";

/// A swarm of trading agents that talk, listen and trade as one desk, on paper
#[derive(Debug, Parser)]
#[command(
    name = "hive",
    version,
    long_about = None,
    after_help = AFTER_HELP,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    #[command(subcommand)]
    verb: Option<CliCommand>,
    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    reach: EndpointArgs,
    #[command(flatten)]
    look: CockpitOptions,
    #[command(flatten)]
    log: LogOptions,
    /// Run in the foreground without a screen, for a server; the socket is there to attach to
    #[arg(long)]
    no_tui: bool,
    /// Serve the socket also where the run ends by itself; --name does so too
    #[arg(long, help_heading = "Reach")]
    serve: bool,
    /// What plain hive starts: a session of its own, and the market's end can be looked at
    #[arg(long, hide = true, requires = "no_tui")]
    background: bool,
}

/// Arguments of `hive backtest`.
#[derive(Debug, Args)]
struct Backtest {
    #[command(flatten)]
    run: RunOptions,
    /// Also print what each family did, by fill level
    #[arg(long)]
    by_family: bool,
    /// Write the table by family as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write every fill, with who wanted it and why, and round trips with R and excursions: FILE.csv (round trips in
    /// FILE.trips.csv beside it) or FILE.json
    #[arg(long, value_name = "FILE")]
    trades: Option<PathBuf>,
    /// Write the report as one page: equity, drawdown, months, assets, families, and trades on charts
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Run history or the embedded market to its end, as fast as it goes, and report
    Backtest(Box<Backtest>),
    /// The cockpit of a swarm that runs already
    Attach(attach::AttachArgs),
    /// Families, their parameters, and the agents of a file
    Agents(agents::AgentsArgs),
    /// The configuration: what is shipped, and what holds now and why
    Config(config::ConfigArgs),
    /// Check, export or repair the journal of a state folder
    Journal(journal::JournalArgs),
    /// Copy the state of a run into a new folder, also while it runs
    Backup(backup::BackupArgs),
    /// Put a copy in the place of a state, which is left beside it
    Restore(backup::RestoreArgs),
    /// Read a store and end well if it can be read: what `hive` runs before it opens one
    #[command(hide = true)]
    StoreProbe {
        /// The sled folder
        dir: std::path::PathBuf,
    },
    /// What data files hold, what is wrong with them, and tapes made of them
    Data(data::DataArgs),
    /// Ask or command a running hive; the answer is JSON
    Ctl(ctl::CtlArgs),
    /// What the log of a hive says last, and what comes: hive log --follow
    Log(log::Args),
    /// What was said in a run, from its first message on: every one with all its conditions
    Talk(Box<talk::TalkArgs>),
    /// What hearing each kind of message was worth: the run lived again without it, to the last digit, with a certificate
    Prove(Box<prove::ProveArgs>),
    /// A table of a running hive as CSV or JSON, of now or of before
    Export(export::ExportArgs),
    /// The manual page: hive man | man -l -
    Man,
    /// What bash, zsh or fish complete: source <(hive completions bash)
    Completions(completions::CompletionsArgs),
    /// Does talking help on this market? Systems from everybody alone to the hive, with intervals and controls
    Lab(Box<lab::LabArgs>),
    /// Agent-bars a second of the whole step, beside a plain loop
    Bench(bench::BenchArgs),
}

/// Runs a verb.
pub fn run(cli: Cli) -> Result<(), Failure> {
    match cli.verb {
        None => plain(&cli),
        Some(CliCommand::Backtest(args)) => run::run(&args.run, &batch(&args)),
        Some(CliCommand::Attach(args)) => attach::run(&args),
        Some(CliCommand::Agents(args)) => agents::run(&args),
        Some(CliCommand::Config(args)) => config::run(&args),
        Some(CliCommand::Journal(args)) => journal::run(&args),
        Some(CliCommand::Backup(args)) => backup::run(&args),
        Some(CliCommand::Restore(args)) => backup::restore(&args),
        Some(CliCommand::StoreProbe { dir }) => {
            crate::store::probe(&dir).map_err(|e| Failure::Failed(e.to_string()))
        }
        Some(CliCommand::Data(args)) => data::run(&args),
        Some(CliCommand::Ctl(args)) => ctl::run(&args),
        Some(CliCommand::Log(args)) => log::run(&args),
        Some(CliCommand::Talk(args)) => talk::run(&args),
        Some(CliCommand::Prove(args)) => prove::run(&args),
        Some(CliCommand::Export(args)) => export::run(&args),
        Some(CliCommand::Man) => man::run(&Cli::command()),
        Some(CliCommand::Completions(args)) => completions::run(&args, &mut Cli::command()),
        Some(CliCommand::Lab(args)) => lab::run(&args),
        Some(CliCommand::Bench(args)) => bench::run(&args),
    }
}

/// `hive` without a verb: a cockpit where there is a terminal, a service where none is wanted, and a run to
/// its end where there is none.
fn plain(cli: &Cli) -> Result<(), Failure> {
    let options = &cli.run;
    if !cli.no_tui && !options.until_end && !cli.serve && (cockpit::is_terminal() || cli.look.plain) {
        if options.summary.is_some() || options.quiet {
            let why = "--summary and --quiet are for runs without a screen; add --no-tui or --until-end";
            return Err(Failure::Usage(why.to_owned()));
        }
        cli.log.open(&cli.reach, true)?;
        return start::run(&cli.reach, &cli.look, &["--no-tui", "--background"]);
    }
    if cli.background {
        // Fails only for the leader of a session, which has what this asks for.
        let _ = rustix::process::setsid();
    }
    if cli.no_tui || cli.serve {
        cli.log.open(&cli.reach, false)?;
    }
    let service = cli.no_tui && !options.until_end;
    let live = service && (options.goes_on() || cli.background);
    let served = service || cli.serve || cli.reach.name.is_some();
    let kept = if live { Some(cli.reach.home()?.0) } else { None };
    let manner = RunMode {
        reach: served.then(|| cli.reach.clone()),
        state: options.state.clone().or(kept),
        budget: options.state_budget,
        start: options.start(),
        talk: options.talk.clone(),
        live,
        stays: live,
        ..RunMode::default()
    };
    run::run(options, &manner)
}

/// A run to its end.
fn batch(args: &Backtest) -> RunMode {
    RunMode {
        state: args.run.state.clone(),
        budget: args.run.state_budget,
        start: args.run.start(),
        talk: args.run.talk.clone(),
        families: FamilyReport { shown: args.by_family, file: args.json.clone() },
        trades: TradesReport { list: args.trades.clone(), page: args.html.clone() },
        ..RunMode::default()
    }
}
