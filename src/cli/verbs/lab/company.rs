//! `hive lab` with an axis of company: what netting is worth over the same agents, each alone with the same
//! desk, along groups, capital, number of agents and decision clock.

use super::feeds::further;
use super::output::{progress, write};
use crate::cli::checkpoint::stop_on_signals;
use crate::cli::experiments::{market, open};
use crate::cli::failure::Failure;
use crate::cli::options::{self, RunOptions};
use crate::cli::output::print;
use crate::config::setup;
use crate::config::{self, Config, ON_BARS};
use crate::domain::Stamp;
use crate::lab::company::report::{CompanyFacts, Set, day, report};
use crate::lab::company::study::{Axes, CompanyStudy, MarketOnClock};
use crate::lab::company::{DeskRule, Impact, WARM_DAYS, crew, page, text};
use crate::lab::result_cache::ResultFolder;
use crate::lab::{HELD_OUT_FROM, LabWorld, tries};
use crate::market::feed::FeedMode;
use crate::runtime::feeds;
use clap::Args;
use std::path::{Path, PathBuf};

/// The axes. Any of them runs this experiment in place of the ladder; one that is not given has one value.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What company is worth")]
pub(super) struct AxisArgs {
    /// In how many groups agents net, drawn and nested by the seed: 36,18,9,4,2,1 [default: 1]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=10_000))]
    groups: Option<Vec<u32>>,
    /// Capital whose orders move prices, ½·σ·√(order ÷ a day's volume): 0,1e6,1e8 [default: 0, none]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    capital: Option<Vec<f64>>,
    /// How many agents with funds: fewer are the first of the file, more are declared again: 36,72,144
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=2_000))]
    agents_count: Option<Vec<u32>>,
    /// Which orders of a bar move a price together: all of one side (side), none (own, which flatters many small
    /// orders), or what is left of both sides (net, the market nets those who are apart) [default: side]
    #[arg(long, value_name = "WHOSE")]
    impact: Option<String>,
    /// How positions follow targets: band, zone [default: both]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    desk: Option<Vec<String>>,
}

impl AxisArgs {
    /// Whether any was asked for.
    pub(super) fn asked(&self) -> bool {
        self.groups.is_some()
            || self.capital.is_some()
            || self.agents_count.is_some()
            || self.desk.is_some()
            || self.impact.is_some()
    }
}

/// What was asked for beside the axes.
pub(super) struct Asked<'a> {
    /// The market and settings, as `hive backtest` would take them; of several clocks, all of them.
    pub(super) run: RunOptions,
    /// Markets beside the first, as `--and` names them.
    pub(super) and: &'a [String],
    /// The values of each axis, as given.
    pub(super) axis: &'a AxisArgs,
    /// How many seeds.
    pub(super) seeds: u32,
    /// Threads that runs are spread over.
    pub(super) threads: usize,
    /// Where results are kept.
    pub(super) state: Option<&'a Path>,
    /// The report as JSON, and as HTML.
    pub(super) json: Option<&'a PathBuf>,
    /// File to write the report to as a page.
    pub(super) html: Option<&'a PathBuf>,
}

/// Runs `hive lab` over an axis of company, and prints its report.
pub(super) fn experiment(asked: &Asked<'_>) -> Result<(), Failure> {
    let clocks = clocks(&asked.run);
    let mut markets = Vec::new();
    let mut config = None;
    for (set, feed) in std::iter::once(&asked.run.feed).chain(asked.and).enumerate() {
        let run = if set > 0 { further(&asked.run, feed)? } else { asked.run.clone() };
        for clock in &clocks {
            let run = RunOptions { clock: clock.clone(), ..run.clone() };
            let (found, world) = read(&run)?;
            markets.push(MarketOnClock { set, world });
            config.get_or_insert(found);
        }
    }
    let Some(config) = config else { return Ok(()) };
    let study = CompanyStudy {
        markets: &markets,
        roster: &config.roster,
        seeds: (0..u64::from(asked.seeds)).map(|i| config.seed + i).collect(),
        axes: axes(asked.axis, crew::declared(&config.roster).len())?,
    };
    let keep = open(asked.state)?;
    let facts = facts(&config, &study, &keep)?;
    if !asked.run.quiet {
        print(&text::facts(&facts, &study.axes))?;
    }
    let stop = stop_on_signals()?;
    let bar = progress(study.work(), asked.run.quiet);
    let ran = study.run(asked.threads, &stop, &|n| bar.inc(n));
    bar.finish_and_clear();
    let ran = ran.ok_or_else(|| Failure::Failed("stopped; nothing of this run is kept".to_owned()))?;
    let report = report(facts, &markets, &ran, asked.threads);
    let json = serde_json::to_string_pretty(&report)
        .map_err(|e| Failure::Failed(format!("encoding the report: {e}")))?
        + "\n";
    for (path, text) in [(asked.json, json), (asked.html, page::page(&report, &study.axes))] {
        if let Some(path) = path {
            write(path, &text)?;
        }
    }
    if asked.run.quiet { Ok(()) } else { print(&text::text(&report)) }
}

/// The clocks asked for; one that is not named is the file's.
fn clocks(run: &RunOptions) -> Vec<Option<String>> {
    run.clock.as_ref().map_or_else(|| vec![None], |c| c.split(',').map(|c| Some(c.to_owned())).collect())
}

fn read(run: &RunOptions) -> Result<(Config, LabWorld), Failure> {
    let (config, _) = options::load(run.agents.as_ref(), &ON_BARS, &run.overrides())?;
    let mut feed = feeds::open(&run.feed(&config)?).map_err(|e| Failure::Usage(e.to_string()))?;
    let settings = setup::settings(&config);
    let world = LabWorld::read(feed.as_mut(), config.roster.clone(), settings)
        .map_err(|e| Failure::Failed(e.to_string()))?;
    Ok((config, world))
}

fn axes(axis: &AxisArgs, agents: usize) -> Result<Axes, Failure> {
    if agents == 0 {
        return Err(Failure::Usage(
            "the file declares no agent with funds; there is nobody to net".to_owned(),
        ));
    }
    let capital = axis.capital.clone().unwrap_or_else(|| vec![0.0]);
    if let Some(bad) = capital.iter().find(|c| !(c.is_finite() && **c >= 0.0)) {
        return Err(Failure::Usage(format!("--capital {bad}: write 0 or more, as 1e6")));
    }
    let desk = |word: &String| {
        DeskRule::parse(word)
            .ok_or_else(|| Failure::Usage(format!("--desk {word}: write band, zone or both")))
    };
    let impact = match axis.impact.as_deref() {
        None => Impact::default(),
        Some(word) => Impact::ALL
            .into_iter()
            .find(|i| i.word() == word)
            .ok_or_else(|| Failure::Usage(format!("--impact {word}: write side, own or net")))?,
    };
    let desks = match &axis.desk {
        Some(words) => words.iter().map(desk).collect::<Result<Vec<DeskRule>, Failure>>()?,
        None => vec![DeskRule::Band, DeskRule::Zone],
    };
    let numbers = |of: &Option<Vec<u32>>, default| {
        of.as_ref().map_or_else(|| vec![default], |n| n.iter().map(|n| *n as usize).collect())
    };
    Ok(Axes {
        groups: once(numbers(&axis.groups, 1)),
        capital: once(capital),
        agents: once(numbers(&axis.agents_count, agents)),
        desks: once(desks),
        impact,
    })
}

/// Each value once, in its first place.
fn once<T: PartialEq>(all: Vec<T>) -> Vec<T> {
    all.into_iter().fold(Vec::new(), |mut kept, x| {
        if !kept.contains(&x) {
            kept.push(x);
        }
        kept
    })
}

fn facts(config: &Config, study: &CompanyStudy<'_>, keep: &ResultFolder) -> Result<CompanyFacts, Failure> {
    let held_out = Stamp::parse(HELD_OUT_FROM).unwrap_or_default();
    let (mut sets, mut looks): (Vec<Set>, usize) = (Vec::new(), keep.looks());
    for on_clock in study.markets {
        let info = &on_clock.world.info;
        let history = info.mode == FeedMode::History;
        if history && info.to > held_out {
            let roster = config::roster_hash(config);
            let what = format!("{} {roster} {} {} company", info.data_hash, info.from, info.to);
            looks = keep
                .look(&what)
                .map_err(|e| Failure::Failed(format!("counting a look at held-out data: {e}")))?;
        }
        if on_clock.set == sets.len() {
            sets.push(Set {
                feed: market(info),
                data_hash: info.data_hash.clone(),
                from: day(info.from),
                to: day(Stamp(info.to.0 - 1)),
                assets: on_clock.world.universe.assets.iter().map(|a| a.name.clone()).collect(),
                reproduction: history && info.from < held_out,
            });
        }
    }
    let cells: usize = study.axes.agents.iter().map(|n| study.axes.cells(*n).len()).sum();
    Ok(CompanyFacts {
        sets,
        roster_hash: config::roster_hash(config),
        seeds: study.seeds.clone(),
        costs: config.tariff().to_string(),
        target_vol: config.desk.target_vol,
        warm_days: WARM_DAYS,
        variants_tried: tries() + cells * study.markets.len(),
        looks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct ProgressLine {
        #[command(flatten)]
        run: RunOptions,
        #[command(flatten)]
        axis: AxisArgs,
    }

    fn parsed(words: &[&str]) -> ProgressLine {
        <ProgressLine as clap::Parser>::try_parse_from(std::iter::once(&"hive").chain(words)).unwrap()
    }

    #[test]
    fn a_market_may_have_a_window_of_its_own() {
        let run = parsed(&["--to", "2023-06-30", "--assets", "BTC"]).run;
        let own = further(&run, "history:spot.csv?kind=margin&from=2021-04-04").unwrap();
        assert_eq!(own.feed, "history:spot.csv?kind=margin");
        assert_eq!((own.from.as_deref(), own.to.as_deref()), (Some("2021-04-04"), Some("2023-06-30")));
        assert_eq!(own.assets, None);
        assert_eq!(further(&run, "synth?to=2020-01-01").unwrap().to.as_deref(), Some("2020-01-01"));
    }

    #[test]
    fn axes_not_given_have_one_value_and_mistakes_are_named() {
        let found = axes(&parsed(&["--groups", "9,1,9"]).axis, 36).unwrap();
        assert_eq!((found.groups.as_slice(), found.agents.as_slice()), (&[9, 1][..], &[36][..]));
        assert_eq!((found.capital.as_slice(), found.desks.len()), (&[0.0][..], 2));
        for (flag, value) in [("--desk", "wide"), ("--capital", "nan")] {
            assert!(axes(&parsed(&[flag, value]).axis, 36).is_err(), "{flag} {value}");
        }
        assert!(axes(&AxisArgs::default(), 0).is_err());
    }

    #[test]
    fn several_clocks_are_told_apart() {
        assert_eq!(
            clocks(&parsed(&["--clock", "1d,4h"]).run),
            [Some("1d".to_owned()), Some("4h".to_owned())]
        );
        assert_eq!(clocks(&parsed(&[]).run), [None]);
    }
}
