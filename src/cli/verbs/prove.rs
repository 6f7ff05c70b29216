//! `hive prove`: what hearing was worth in a run, proven by living it again without some of what was said; and certificates of
//! that, which anybody makes again byte for byte.

mod report;

use crate::cli::checkpoint;
use crate::cli::endpoint;
use crate::cli::failure::Failure;
use crate::cli::held_out_looks;
use crate::cli::options::RunOptions;
use crate::cli::output::{print, tell};
use crate::cli::run::remade;
use crate::config::{self, Config};
use crate::engine::state;
use crate::market::synth::DAYS_MAX;
use crate::runtime::feeds::{self, FeedOptions, FeedSpec};
use crate::runtime::prove::{self, Build, Certificate, KeptPast, ProveError, RunToProve, Speakers};
use crate::runtime::recover;
use crate::runtime::replay::Remake;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Longest certificate that is read: a hundred thousand agents, each with all that it can say.
const CERTIFICATE_BYTES_MAX: u64 = 256 << 20;

/// Whose words are taken away together.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum TakenBy {
    /// All agents of a family; the scouts; each tracker and manager by itself.
    #[default]
    Family,
    /// Each agent by itself.
    Agent,
}

/// Options of `hive prove`.
#[derive(Clone, Debug, Args)]
pub struct ProveArgs {
    /// A run that is kept: its folder or its name, with the options that it was started with; without it the run of these
    /// options, as hive backtest runs it
    #[arg(value_name = "RUN", conflicts_with = "state")]
    kept: Option<PathBuf>,
    /// Whose words are taken away together
    #[arg(long, value_enum, default_value_t)]
    by: TakenBy,
    /// Only this message, by its number: with it and without it, to the end of the run
    #[arg(long, value_name = "N", conflicts_with_all = ["out", "check", "by"])]
    message: Option<u64>,
    /// Write the certificate
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    out: Option<PathBuf>,
    /// Prove the run of a certificate again, and fail if anything comes out otherwise
    #[arg(long, value_name = "FILE", conflicts_with = "by")]
    check: Option<PathBuf>,
    /// The certificate, or the value of the message, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    run: RunOptions,
}

impl From<TakenBy> for Speakers {
    fn from(by: TakenBy) -> Self {
        match by {
            TakenBy::Family => Speakers::Family,
            TakenBy::Agent => Speakers::Agent,
        }
    }
}

impl From<ProveError> for Failure {
    fn from(e: ProveError) -> Self {
        match e {
            ProveError::Kept(e) => e.into(),
            ProveError::Foreign { .. } => Failure::Refused(e.to_string()),
            ProveError::Deaf | ProveError::NoMessage { .. } => Failure::Usage(e.to_string()),
            _ => Failure::Failed(e.to_string()),
        }
    }
}

/// Runs `hive prove`.
pub fn run(args: &ProveArgs) -> Result<(), Failure> {
    let options = &args.run;
    let stray = [
        ("--fresh", options.fresh),
        ("--replay", options.replay),
        ("--talk", options.talk.is_some()),
        ("--summary", options.summary.is_some()),
    ];
    if let Some((flag, _)) = stray.iter().find(|(_, given)| *given) {
        return Err(Failure::Usage(format!(
            "{flag} is for a run; a proof changes nothing, and writes --out FILE alone"
        )));
    }
    let certified = args.check.as_deref().map(read).transpose()?;
    let (config, _) = options.load()?;
    let folder = match (&args.kept, &options.state) {
        (Some(named), _) => Some(endpoint::kept_run(Some(named), "--state")?),
        (None, state) => state.clone(),
    };
    let end = certified.as_ref().map(|c| (c.run.events, c.run.commands));
    let (run, deaf) = given(&config, &options.feed(&config)?, folder.as_deref(), end)?;
    if let Some(number) = args.message {
        if !config.listening.enabled {
            return Err(ProveError::Deaf.into());
        }
        let value = prove::one(&run, number)?;
        let text = if args.json { json(&value)? } else { report::message(&value, &config.currency) };
        return print(&text);
    }
    if let Some(certificate) = &certified {
        let (theirs, ours) = (certificate.run.identity(), &run.identity);
        if theirs != *ours {
            return Err(Failure::Failed(format!(
                "the certificate is of another run: {}. Name the run that it is of, with the options it was proven with",
                ours.differs(&theirs)
            )));
        }
    }
    let by = certified.as_ref().map_or_else(|| args.by.into(), |c| c.by);
    let bar = progress(options.quiet);
    let tick = |lived: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(lived as u64);
    };
    let proven = prove::prove(&run, deaf.as_ref(), by, (build()?, prove::threads()), &tick)?;
    bar.finish_and_clear();
    match (&args.check, certified) {
        (Some(path), Some(certificate)) => checked(path, &certificate, &proven),
        _ => written(args, &proven, &config.currency),
    }
}

/// The run that is to be proven, and what makes it with nobody listening.
fn given(
    config: &Config,
    wanted: &FeedOptions,
    folder: Option<&Path>,
    end: Option<(u64, u64)>,
) -> Result<(RunToProve, Arc<Remake>), Failure> {
    let opened = |wanted: &FeedOptions| feeds::open(wanted).map_err(|e| Failure::Usage(e.to_string()));
    let (mut wanted, mut feed) = (wanted.clone(), opened(wanted)?);
    let mut identity = checkpoint::identity(config, feed.as_ref());
    let mut kept = folder.map(|dir| KeptPast::read(dir, &identity, end)).transpose();
    // A hive that goes on live was started with a market that has no end.
    if let (Err(ProveError::Foreign { .. }), FeedSpec::Synth { .. }) = (&kept, &wanted.spec) {
        let endless = FeedOptions { days: DAYS_MAX, ..wanted.clone() };
        let other = opened(&endless)?;
        let live = checkpoint::identity(config, other.as_ref());
        if let Some(dir) = folder.filter(|dir| recover::whole(dir, &live).is_ok()) {
            kept = KeptPast::read(dir, &live, end).map(Some);
            (wanted, feed, identity) = (endless, other, live);
        }
    }
    let kept = kept?;
    let look = held_out_looks::count(folder, &config::roster_hash(config), feed.info());
    tell(&look.map(|look| look.note).into_iter().collect::<Vec<_>>());
    let mut deaf = config.clone();
    deaf.listening.enabled = false;
    Ok((RunToProve { remake: remade(&wanted, config), identity, kept }, remade(&wanted, &deaf)))
}

/// Which program this is.
fn build() -> Result<Build, Failure> {
    let failed = |e: std::io::Error| Failure::Failed(format!("reading this program's own file: {e}"));
    let file = std::env::current_exe().and_then(std::fs::read).map_err(failed)?;
    Ok(Build {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        layout: state::VERSION,
        program: blake3::hash(&file).to_hex().to_string(),
    })
}

/// A certificate as it was written.
fn read(path: &Path) -> Result<Certificate, Failure> {
    let length = std::fs::metadata(path).map(|m| m.len());
    let text = match length {
        Ok(bytes) if bytes > CERTIFICATE_BYTES_MAX => {
            Err(format!("it is longer than {CERTIFICATE_BYTES_MAX} bytes"))
        }
        _ => std::fs::read_to_string(path).map_err(|e| e.to_string()),
    };
    let text = text.map_err(|why| {
        Failure::Usage(format!(
            "--check {}: {why}; name a file that hive prove --out has written",
            path.display()
        ))
    })?;
    let changed =
        |why| Failure::Failed(format!("{}: {why}; make it anew with hive prove --out", path.display()));
    Certificate::parse(&text).map_err(changed)
}

/// Whether what was proven comes out again.
fn checked(path: &Path, certificate: &Certificate, proven: &Certificate) -> Result<(), Failure> {
    let differs = certificate.differs(proven);
    if !differs.is_empty() {
        return Err(Failure::Failed(format!(
            "{}: it does not come out again: {}",
            path.display(),
            differs.join("; ")
        )));
    }
    let how = if certificate.build == proven.build {
        "byte for byte".to_owned()
    } else {
        let Build { version, program, .. } = &certificate.build;
        format!(
            "every value, by another build than that of the certificate ({version}, {})",
            &program[..16.min(program.len())]
        )
    };
    print(&format!("{}: proven again, {how}\n", path.display()))
}

/// Writes the certificate, and tells what it says.
fn written(args: &ProveArgs, proven: &Certificate, currency: &str) -> Result<(), Failure> {
    let text = proven.text().map_err(|e| Failure::Failed(format!("encoding the certificate: {e}")))?;
    if let Some(path) = &args.out {
        let failed = |e| {
            Failure::Usage(format!(
                "--out {}: {e}; name a file in a folder that can be written",
                path.display()
            ))
        };
        std::fs::write(path, &text).map_err(failed)?;
    }
    if args.json {
        return print(&text);
    }
    if args.run.quiet {
        return Ok(());
    }
    let end = args.out.as_ref().map_or_else(
        || "--out FILE writes the certificate, --check FILE makes it again".to_owned(),
        |path| format!("certificate: {0}; --check {0}, with the same run, makes it again", path.display()),
    );
    print(&format!("{}{end}\n", report::proven(proven, currency)))
}

fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    let failed = |e| Failure::Failed(format!("encoding the value: {e}"));
    Ok(serde_json::to_string_pretty(value).map_err(failed)? + "\n")
}

/// A progress bar where there is a terminal to draw it on.
fn progress(quiet: bool) -> ProgressBar {
    let shown = !quiet && std::io::stderr().is_terminal();
    let target = if shown { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    let style = ProgressStyle::with_template("proving {wide_bar} {pos} of {len} lives  {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
