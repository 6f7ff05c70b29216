//! `hive watch`: the cockpit over a swarm that lives in this process.

use super::Failure;
use super::options::{self, RunOptions};
use crate::runtime::drive::Speed;
use crate::runtime::watch::LocalLink;
use crate::tui::{self, theme::Theme};
use clap::Args as Arguments;
use std::io::IsTerminal;
use std::time::Duration;

/// Time on the wall between two bars where no speed is asked for.
const BAR: Duration = Duration::from_secs(1);
/// A bar is not shown for less; the screen could not follow.
const BAR_MIN: Duration = Duration::from_millis(20);

/// Options of `hive watch`.
#[derive(Debug, Arguments)]
pub struct Args {
    #[command(flatten)]
    run: RunOptions,
    /// How it looks: terminal, or hive-dark
    #[arg(long, value_name = "NAME", default_value = "terminal", env = "HIVE_THEME", hide_env_values = true)]
    theme: String,
}

/// Watches.
pub fn run(args: &Args) -> Result<(), Failure> {
    let options = &args.run;
    if options.summary.is_some() || options.quiet {
        return Err(Failure::Usage(
            "--summary and --quiet are for hive backtest; hive watch draws".to_owned(),
        ));
    }
    let colours = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let theme = Theme::shipped(&args.theme, colours).map_err(|e| Failure::Usage(format!("--theme: {e}")))?;
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Failure::Usage("hive watch needs a terminal; hive backtest runs without one".to_owned()));
    }
    let (config, _) = options::load(options.agents.as_ref(), &options.overrides())?;
    let feed = options.feed(&config)?;
    let bar = match options.speed()? {
        Speed::Max => BAR,
        Speed::Times(times) => {
            Duration::try_from_secs_f64(config.clock.decide.0 as f64 / 1e9 / times).unwrap_or(Duration::MAX)
        }
    };
    let mut link = LocalLink::start(config, feed, bar.max(BAR_MIN)).map_err(Failure::Usage)?;
    tui::run(&mut link, theme, colours).map_err(|e| Failure::Failed(format!("drawing on the terminal: {e}")))
}
