//! `hive data fetch`: a venue's history onto a tape.

use crate::cli::failure::Failure;
use crate::cli::options;
use crate::cli::output::{print, tell};
use crate::domain::{Span, Stamp};
use crate::runtime::feeds;
use crate::runtime::live::{self, FetchProgress, FetchSpec, FetchedTape, LiveSpec, LiveVenue};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Arguments of `hive data fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// Which venue, and what of it: binance:usdm?assets=BTC,ETH
    venue: String,
    /// File that the tape is written to; what is fetched of it stands beside (FILE.part) until it is whole
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// First day or moment [default: as many days before the end as the venue's line says, 180]
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Last day (it is included), or the moment at which it ends [default: the last bar that is over]
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Length of the bars: 1m, 5m, 1h, 4h, 1d
    #[arg(long, value_name = "SPAN", default_value = "1h")]
    bar: String,
    /// Where the venue listens instead of where it does: https and its host
    #[arg(long, value_name = "URL")]
    venue_url: Vec<String>,
    /// Write over a tape that is there
    #[arg(long)]
    force: bool,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    /// No progress bar
    #[arg(long)]
    quiet: bool,
}

/// Fetches, and goes on where a fetch was broken off.
pub fn run(args: &FetchArgs) -> Result<(), Failure> {
    let spec = read(args)?;
    if args.out.exists() && !args.force {
        let out = args.out.display();
        return Err(Failure::Usage(format!("{out} is there already; --force writes over it")));
    }
    let shown = !args.quiet && std::io::stderr().is_terminal();
    let bar = ProgressBar::with_draw_target(
        None,
        if shown { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() },
    );
    // The template is a constant of this program; a typing mistake in it shows as a plain bar.
    let style = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} %  {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let fetched = live::fetch(&spec, &args.out, &mut |progress| match progress {
        FetchProgress::Told((begin, at, end)) => {
            bar.set_length((end.since(begin).0.max(0) / Span::MINUTE.0) as u64);
            bar.set_position((at.since(begin).0.max(0) / Span::MINUTE.0) as u64);
            bar.set_message(format!("{} until {}", spec.market.venue, at));
        }
        FetchProgress::Trouble(e) => tell(&[format!("{e}; asking again")]),
    });
    bar.finish_and_clear();
    answer(args, &spec, &fetched.map_err(|e| Failure::Failed(e.to_string()))?)
}

fn read(args: &FetchArgs) -> Result<FetchSpec, Failure> {
    let known: Vec<&str> = LiveVenue::ALL.into_iter().map(LiveVenue::text).collect();
    let none = || Failure::Usage(format!("{:?} is no venue; there is {}", args.venue, known.join(", ")));
    let market = LiveSpec::parse(&args.venue).ok_or_else(none)?;
    let market = market.map_err(|why| Failure::Usage(format!("{}: {why}", args.venue)))?;
    let market = options::at_urls(market, &args.venue_url)?;
    let bar = Span::parse(&args.bar).filter(|bar| market.venue.bars().contains(bar));
    let bar = bar.ok_or_else(|| {
        let known: Vec<String> = market.venue.bars().iter().map(Span::to_string).collect();
        Failure::Usage(format!("--bar {}: {} has bars of {}", args.bar, market.venue, known.join(", ")))
    })?;
    let to = options::date("--to", args.to.as_ref(), feeds::parse_end)?;
    let from = options::date("--from", args.from.as_ref(), Stamp::parse)?;
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(Failure::Usage(format!("--from {from} is not before the end, {to}")));
    }
    Ok(FetchSpec { market, bar, from, to })
}

fn answer(args: &FetchArgs, spec: &FetchSpec, tape: &FetchedTape) -> Result<(), Failure> {
    let (out, name) = (args.out.display(), spec.market.name());
    let (first, last) = tape.span;
    if args.json {
        let told = json!({
            "tape": out.to_string(), "market": name, "bar": spec.bar.to_string(), "events": tape.events,
            "resumed": tape.resumed, "hash": tape.hash, "from": first.to_string(), "to": last.to_string(),
        });
        return print(&told.to_string());
    }
    let resumed =
        if tape.resumed == 0 { String::new() } else { format!(", of which {} were there", tape.resumed) };
    print(&format!(
        "{name}: {} events{resumed}, {first} to {last}\nblake3 {}\nrun it with --feed tape:{out}",
        tape.events, tape.hash
    ))
}
