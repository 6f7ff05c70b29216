//! The options of a run, and how they become configuration and feed.

use super::Failure;
use crate::config::{self, Config, Origins, Override};
use crate::domain::{Span, Stamp};
use crate::market::history::Window;
use crate::market::synth::World;
use crate::runtime::drive::Speed;
use crate::runtime::feeds::{self, FeedOptions, FeedSpec};
use clap::Args;
use std::path::PathBuf;

/// File that is read where none is named, if it is there.
const AGENTS_FILE: &str = "agents.toml";

/// Options of `hive` and `hive backtest`.
#[derive(Clone, Debug, Args)]
#[allow(clippy::struct_excessive_bools)]
pub struct RunOptions {
    /// The hive's file; without it agents.toml here, or the one that is built in
    #[arg(long, value_name = "FILE", env = "HIVE_AGENTS")]
    pub agents: Option<PathBuf>,
    /// Where the market comes from: synth, or history:PATH[?kind=perp|spot|margin]
    #[arg(long, value_name = "FEED", default_value = "synth")]
    pub feed: String,
    /// Seed of the swarm, and of the embedded market
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Nobody listens and no manager acts
    #[arg(long)]
    pub deaf: bool,
    /// Market seconds per second: max, or 1x, 3600x, …
    #[arg(long, value_name = "SPEED", default_value = "max")]
    pub speed: String,
    /// End when the feed ends (history and the embedded market always do in this version)
    #[arg(long)]
    pub until_end: bool,
    /// Write the summary as JSON
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// Which embedded market: market, or random-walk
    #[arg(long, value_name = "WORLD", default_value = "market")]
    pub world: String,
    /// Days of the embedded market
    #[arg(long, value_name = "N", default_value_t = 730)]
    pub days: u32,
    /// First day or moment of the market, 2021-04-04
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// Last day (included) or end of the market
    #[arg(long, value_name = "DATE")]
    pub to: Option<String>,
    /// Only these assets of a history, BTC,ETH
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub assets: Option<Vec<String>>,
    /// Funding settlements for the perps of a history: a file of timestamp, symbol, rate
    #[arg(long, value_name = "FILE")]
    pub funding: Option<PathBuf>,
    /// The decision clock: 1h, 4h, 1d
    #[arg(long, visible_alias = "bar", value_name = "SPAN")]
    pub clock: Option<String>,
    /// A flat charge a side instead of fill level B, 7bp
    #[arg(long, value_name = "BP")]
    pub costs: Option<String>,
    /// Scouts beside the declared agents
    #[arg(long, value_name = "N")]
    pub scouts: Option<u32>,
    /// No progress bar and no closing report
    #[arg(long)]
    pub quiet: bool,
}

/// Reads the configuration with flags and variables on top.
pub fn load(file: Option<&PathBuf>, flags: &[Override]) -> Result<(Config, Origins), Failure> {
    let here = PathBuf::from(AGENTS_FILE);
    let found = file.cloned().or_else(|| here.exists().then_some(here));
    let (name, text) = match &found {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| {
                Failure::Usage(format!("reading {}: {e}; name another file with --agents", path.display()))
            })?;
            (path.display().to_string(), text)
        }
        None => (config::SHIPPED_FILE.to_owned(), config::print_default().to_owned()),
    };
    config::load(&name, &text, std::env::vars(), flags)
        .map_err(|p| Failure::Usage(format!("the configuration has mistakes\n{p}")))
}

impl RunOptions {
    /// Flags as overrides of settings.
    pub fn overrides(&self) -> Vec<Override> {
        let mut all = Vec::new();
        let mut add = |flag: &str, path: &str, value: Option<String>| {
            if let Some(value) = value {
                all.push(Override::flag(flag, path, &value));
            }
        };
        add("--seed", "hive.seed", self.seed.map(|s| s.to_string()));
        add("--clock", "clock.decide", self.clock.clone());
        add(
            "--costs",
            "costs.flat_bp",
            self.costs.as_deref().map(|c| c.strip_suffix("bp").unwrap_or(c).to_owned()),
        );
        add("--scouts", "hive.scouts", self.scouts.map(|s| s.to_string()));
        add("--deaf", "listening.enabled", self.deaf.then(|| "false".to_owned()));
        all
    }

    /// The feed that is asked for.
    pub fn feed(&self, config: &Config) -> Result<FeedOptions, Failure> {
        let usage = |what: String| Failure::Usage(what);
        let date = |flag: &str, text: &Option<String>, parse: fn(&str) -> Option<Stamp>| match text {
            Some(t) => parse(t).map(Some).ok_or_else(|| {
                usage(format!("{flag} {t}: write a day as 2023-06-30 or a moment as 2023-06-30T12:00:00Z"))
            }),
            None => Ok(None),
        };
        let window = Window {
            from: date("--from", &self.from, Stamp::parse)?,
            to: date("--to", &self.to, feeds::parse_end)?,
            assets: self.assets.clone(),
        };
        let spec = FeedSpec::parse(&self.feed).map_err(|e| usage(e.to_string()))?;
        let mut days = self.days;
        if spec == FeedSpec::Synth {
            if self.assets.is_some() || self.funding.is_some() {
                return Err(usage(
                    "--assets and --funding are for a history; the embedded market has its own".to_owned(),
                ));
            }
            let start = window.from.unwrap_or(crate::market::synth::SynthSettings::default().from);
            if let Some(to) = window.to {
                days = u32::try_from(to.since(start).0 / Span::DAY.0).ok().filter(|d| *d > 0).ok_or_else(
                    || {
                        usage(format!(
                            "--to must be at least a day after {start}, where the embedded market begins"
                        ))
                    },
                )?;
            }
        }
        Ok(FeedOptions {
            spec,
            clock: config.clock.decide,
            window,
            funding: self.funding.clone(),
            seed: config.seed,
            world: World::parse(&self.world)
                .ok_or_else(|| usage(format!("--world {}: write market or random-walk", self.world)))?,
            days,
        })
    }

    /// The speed that is asked for.
    pub fn speed(&self) -> Result<Speed, Failure> {
        Speed::parse(&self.speed)
            .ok_or_else(|| Failure::Usage(format!("--speed {}: write max, or 1x, 3600x, …", self.speed)))
    }
}
