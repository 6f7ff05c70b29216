//! Plain `hive` on a terminal: the swarm starts in the background if it does not run yet, and the cockpit
//! attaches to it. The swarm is the same program with `--no-tui`, in a session of its own, so that neither
//! the cockpit's end nor the terminal's touches it.

use super::cockpit::{self, CockpitOptions};
use super::endpoint::EndpointArgs;
use super::failure::Failure;
use super::output::tell;
use super::verbs::attach;
use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a swarm may take to open its market and its state.
const START_MAX: Duration = Duration::from_secs(120);
/// After this long it is said what is being waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks whether it can be reached.
const GLANCE: Duration = Duration::from_millis(10);
/// Most that is shown of what a swarm said that did not start.
const SAID_MAX: u64 = 8 << 10;
/// Options that are the cockpit's or say which hive, and ask nothing of the run.
const OURS: [&str; 7] = ["--name", "--socket", "--theme", "--color", "--plain", "--read-only", "--log"];

/// Starts if need be, and attaches. `background` are the options that make a run one in the background.
pub fn run(reach: &EndpointArgs, look: &CockpitOptions, background: &[&str]) -> Result<(), Failure> {
    // What the cockpit could not draw is better known before anything starts.
    cockpit::setup(look)?;
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if reach.runs()? {
        let others = args
            .iter()
            .filter_map(|a| a.to_str())
            .find(|a| a.starts_with("--") && !OURS.iter().any(|o| a.split('=').next() == Some(*o)));
        if let Some(other) = others {
            return Err(Failure::Refused(format!(
                "a hive runs here already, and {other} cannot change it: hive attach looks at it, hive ctl stop \
                 ends it, --name NAME starts another beside it"
            )));
        }
        return attach::attach(reach, look);
    }
    let (_, log) = reach.home()?;
    let mut child = spawn(&args, background, &log)?;
    await_ready(&mut child, reach, &log)?;
    attach::attach(reach, look)
}

struct Background {
    child: Child,
    /// Where in the log this run begins.
    from: u64,
}

fn spawn(args: &[OsString], background: &[&str], log: &Path) -> Result<Background, Failure> {
    let failed = |what: &str, e: std::io::Error| Failure::Failed(format!("{what}: {e}"));
    if let Some(folder) = log.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|e| failed(&format!("making {}", folder.display()), e))?;
    }
    let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(log);
    let file = opened.map_err(|e| failed(&format!("opening the log {}", log.display()), e))?;
    let from = file.metadata().map_or(0, |m| m.len());
    let program = std::env::current_exe().map_err(|e| failed("finding this program's own file", e))?;
    let child = Command::new(program)
        .args(args)
        .args(background)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .spawn()
        .map_err(|e| failed("starting the swarm in the background", e))?;
    Ok(Background { child, from })
}

fn await_ready(background: &mut Background, reach: &EndpointArgs, log: &Path) -> Result<(), Failure> {
    let start = Instant::now();
    let until = start + START_MAX;
    let mut told = false;
    loop {
        if let Ok(Some(status)) = background.child.try_wait() {
            // Its own words say what is wrong, and its code says how.
            let words = said(log, background.from).unwrap_or_default();
            let why = words.trim_end().trim_start_matches("hive: ").to_owned();
            let why = if why.is_empty() { format!("the swarm ended at once ({status})") } else { why };
            return Err(match status.code() {
                Some(2) => Failure::Usage(why),
                Some(3) => Failure::Refused(why),
                _ => Failure::Failed(why),
            });
        }
        if reach.is_up()? {
            return Ok(());
        }
        if Instant::now() > until {
            tell(&[format!("the swarm is still starting; its log is {}", log.display())]);
            return Err(Failure::Failed("it cannot be reached yet; hive attach tries again".to_owned()));
        }
        if !told && start.elapsed() > PATIENCE {
            told = true;
            tell(&[format!("reading the market and what is kept; the log is {}", log.display())]);
        }
        std::thread::sleep(GLANCE);
    }
}

fn said(log: &Path, from: u64) -> std::io::Result<String> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(from))?;
    let mut text = String::new();
    file.take(SAID_MAX).read_to_string(&mut text)?;
    Ok(text)
}
