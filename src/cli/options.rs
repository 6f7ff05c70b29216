//! The options of a run, and how they become configuration and feed.

use super::failure::Failure;
use super::mistakes;
use crate::agents::declaration::Declaration;
use crate::config::{self, Config, Origin, Origins, Override, ReadyRoster};
use crate::domain::{FamilyId, Span, Stamp};
use crate::fills::fine::FillPrices;
use crate::market::source::Window;
use crate::market::synth::{SynthSettings, SynthWorld};
use crate::runtime::feeds::{self, DetailWish, FeedOptions, FeedSpec};
use crate::runtime::live::LiveSpec;
use crate::runtime::pace::Speed;
use crate::runtime::retention::{BUDGET, BUDGET_MIN};
use clap::Args;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The feed where none is named: the embedded market, with all that structures trade in its last days.
pub const DEFAULT_FEED: &str = "synth?detail=2d";
/// The embedded market as bars alone.
const SYNTH: &str = "synth";
/// File that is read where none is named, if it is there.
const AGENTS_FILE: &str = "agents.toml";

/// Longest file that is read as the hive's: ten thousand agents, each with all there is to set.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Where a run that is kept begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunStart {
    /// Where it was.
    #[default]
    GoOn,
    /// Anew, whatever is kept: that is moved aside.
    Fresh,
    /// At its first event, to live through all of it again.
    Replay,
}

/// Options of `hive` and `hive backtest`.
// Each switch is a flag of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Run")]
pub struct RunOptions {
    /// Where the market comes from: synth (bars alone), synth?detail=30d&step=1m, history:PATH[?kind=perp|spot|margin],
    /// history:PERPS,SPOT,FUNDING, tape:FILE, or, from history to now and on, binance:usdm[?assets=BTC,ETH&days=180]
    #[arg(long, value_name = "FEED", default_value = DEFAULT_FEED, env = "HIVE_FEED", hide_env_values = true)]
    pub feed: String,
    /// The hive's file; without it agents.toml here, or the roster that is built in: default where the market has
    /// quotes and contracts of its own, bars elsewhere
    #[arg(long, value_name = "FILE", env = "HIVE_AGENTS", hide_env_values = true)]
    pub agents: Option<PathBuf>,
    /// Seed of the swarm and of the embedded market: same seed, same bytes
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Nobody listens and no manager acts: the control for everything else
    #[arg(
        long,
        env = "HIVE_DEAF",
        hide_env_values = true,
        value_parser = clap::builder::FalseyValueParser::new()
    )]
    pub deaf: bool,
    /// Market seconds per second: max, or 1x, 3600x, … [default: max for history, a bar a second after it]
    #[arg(long, value_name = "SPEED", env = "HIVE_SPEED", hide_env_values = true)]
    pub speed: Option<String>,
    /// End with the history (or after --days of the embedded market) instead of going on live
    #[arg(long)]
    pub until_end: bool,
    /// Keep the run in this folder, and go on from there when it is started again
    #[arg(long, value_name = "DIR", env = "HIVE_STATE", hide_env_values = true)]
    pub state: Option<PathBuf>,
    /// Bytes that the journal of a kept run may have, 512MB, 2GB, or off: beyond that checkpoints that lie close are dropped,
    /// never a command
    #[arg(long, value_name = "BYTES", default_value = "1GB", value_parser = bytes, env = "HIVE_STATE_BUDGET", hide_env_values = true)]
    pub state_budget: Budget,
    /// Begin anew: what is kept is moved aside, nothing is deleted
    #[arg(long)]
    pub fresh: bool,
    /// Live through what is kept again from its first event, with the commands of its journal: what was decided and said is
    /// compared, and what is missing in the log of what was said is written
    #[arg(long, requires = "state", conflicts_with = "fresh")]
    pub replay: bool,
    /// Write all that is said into this file, for hive talk FILE; what --state keeps has it in DIR/talk
    #[arg(long, value_name = "FILE", conflicts_with = "state")]
    pub talk: Option<PathBuf>,
    /// Write the summary of the run as JSON
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// No progress bar and no closing report
    #[arg(long)]
    pub quiet: bool,
    /// First day or moment of the market, 2021-04-04
    #[arg(long, value_name = "DATE", help_heading = "Market")]
    pub from: Option<String>,
    /// Last day (it is included), or the moment at which the market ends
    #[arg(long, value_name = "DATE", help_heading = "Market")]
    pub to: Option<String>,
    /// Only these assets of a history: BTC,ETH (of a tape: when it is imported)
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Market")]
    pub assets: Option<Vec<String>>,
    /// Funding of the perps of a history: a file of timestamp, symbol, rate
    #[arg(long, value_name = "FILE", help_heading = "Market")]
    pub funding: Option<PathBuf>,
    /// Where a live venue listens instead of where it does: wss for its sockets, https for its requests; once for each
    #[arg(long, value_name = "URL", help_heading = "Market")]
    pub venue_url: Vec<String>,
    /// Which embedded market: market (the default), or random-walk, in which nobody has an edge
    #[arg(long, value_name = "WORLD", help_heading = "Market")]
    pub world: Option<String>,
    /// Days of the embedded market [default: 730]
    #[arg(long, value_name = "N", conflicts_with = "to", help_heading = "Market")]
    pub days: Option<u32>,
    /// Outages, bad ticks, a lost peg and flash crashes in the embedded market's detail
    #[arg(long, help_heading = "Market")]
    pub faults: bool,
    /// The decision clock: 1h, 4h, 1d
    #[arg(long, visible_alias = "bar", value_name = "SPAN", help_heading = "Settings of the file")]
    pub clock: Option<String>,
    /// A flat charge a side instead of fill level B: 7bp, or off
    #[arg(long, value_name = "BP", help_heading = "Settings of the file")]
    pub costs: Option<String>,
    /// What simulated lives fill at, and judge stops and targets at: bars, or fine (finer bars and quotes, where there are any)
    #[arg(long, value_name = "PRICES", help_heading = "Settings of the file")]
    pub fills: Option<String>,
    /// Scouts beside the declared agents: voices without funds
    #[arg(long, value_name = "N", help_heading = "Settings of the file")]
    pub scouts: Option<u32>,
}

/// Bytes that something may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// As many as it gets.
    Off,
    /// At most so many.
    Bytes(u64),
}

impl Default for Budget {
    fn default() -> Self {
        Budget::Bytes(BUDGET)
    }
}

impl Budget {
    /// So many; none: as many as it gets.
    pub fn most(self) -> Option<u64> {
        if let Budget::Bytes(bytes) = self { Some(bytes) } else { None }
    }
}

/// A live market at these addresses.
pub fn at_urls(market: LiveSpec, urls: &[String]) -> Result<LiveSpec, Failure> {
    let refused = |why| Failure::Usage(format!("--venue-url {why}"));
    urls.iter().try_fold(market, |market, url| market.at(url)).map_err(refused)
}

/// Where a folder that is kept has the tape of a live market.
pub fn live_tape(state: &Path) -> PathBuf {
    state.join("live.tape")
}

/// Reads `512MB`, `2GB`, a number of bytes, or `off`.
fn bytes(text: &str) -> Result<Budget, String> {
    if text == "off" {
        return Ok(Budget::Off);
    }
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = [("", 0), ("KB", 10), ("MB", 20), ("GB", 30), ("TB", 40)].into_iter().find(|u| u.0 == unit);
    let read = shift.and_then(|(_, shift)| number.parse::<u64>().ok()?.checked_mul(1 << shift));
    match read {
        Some(bytes) if bytes >= BUDGET_MIN => Ok(Budget::Bytes(bytes)),
        Some(_) => Err(format!("a journal takes {} MB at least", BUDGET_MIN >> 20)),
        None => Err("write 512MB, 2GB, a number of bytes, or off".to_owned()),
    }
}

/// How mistakes and origins name a roster that is built in.
fn built_in(ready: &ReadyRoster) -> String {
    format!("{} (built in)", ready.name)
}

/// How the seed was chosen, where nobody gave one.
pub fn seed_rule(origins: &Origins) -> Option<&'static str> {
    let shipped = built_in(&config::DEFAULT);
    matches!(origins.of("hive.seed"), Origin::File(name, ..) if name == shipped).then_some(config::SEED_RULE)
}

/// Reads the configuration with flags and variables on top; `ready` where there is no file.
pub fn load(
    file: Option<&PathBuf>,
    ready: &ReadyRoster,
    flags: &[Override],
) -> Result<(Config, Origins), Failure> {
    let here = PathBuf::from(AGENTS_FILE);
    let found = file.cloned().or_else(|| here.exists().then_some(here));
    let (name, text) = match &found {
        Some(path) => {
            let failed = |e: &dyn std::fmt::Display| {
                Failure::Usage(format!("reading {}: {e}; name another file with --agents", path.display()))
            };
            let (mut text, file) = (String::new(), File::open(path).map_err(|e| failed(&e))?);
            let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|e| failed(&e))?;
            if read as u64 > FILE_BYTES_MAX {
                return Err(failed(&format!("it is longer than {FILE_BYTES_MAX} bytes")));
            }
            (path.display().to_string(), text)
        }
        None => (built_in(ready), ready.text.to_owned()),
    };
    config::load(&name, &text, std::env::vars(), flags).map_err(|p| {
        Failure::Mistakes(format!("the configuration has mistakes\n{}", mistakes::shown(&p, &name, &text)))
    })
}

impl RunOptions {
    /// Whether it is a market that goes on live when it is served.
    pub fn goes_on(&self) -> bool {
        [DEFAULT_FEED, SYNTH].contains(&self.feed.as_str()) || LiveSpec::parse(&self.feed).is_some()
    }

    /// Where in what is kept it begins.
    pub fn start(&self) -> RunStart {
        match () {
            () if self.fresh => RunStart::Fresh,
            () if self.replay => RunStart::Replay,
            () => RunStart::GoOn,
        }
    }

    /// Reads the configuration of the run: its file, or the roster that is built in for its market.
    pub fn load(&self) -> Result<(Config, Origins), Failure> {
        load(self.agents.as_ref(), self.ready(), &self.overrides())
    }

    /// The roster for its market: all families where it tells what they trade, those of bars elsewhere. A feed that
    /// cannot be read is told of when it is opened.
    fn ready(&self) -> &'static ReadyRoster {
        match FeedSpec::parse(&self.feed) {
            Ok(FeedSpec::Synth { detail: Some(_) }) => &config::DEFAULT,
            _ => &config::ON_BARS,
        }
    }

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
        add("--fills", "costs.fills", self.fills.clone());
        add("--scouts", "hive.scouts", self.scouts.map(|s| s.to_string()));
        add("--deaf", "listening.enabled", self.deaf.then(|| "false".to_owned()));
        all
    }

    /// The feed that is asked for.
    pub fn feed(&self, config: &Config) -> Result<FeedOptions, Failure> {
        let window = Window {
            from: date("--from", self.from.as_ref(), Stamp::parse)?,
            to: date("--to", self.to.as_ref(), feeds::parse_end)?,
            assets: self.assets.clone(),
        };
        if let (Some(from), Some(to)) = (window.from, window.to)
            && to <= from
        {
            return Err(Failure::Usage(format!(
                "--from {from} is not before the end, {to}; widen --from or --to"
            )));
        }
        let spec = FeedSpec::parse(&self.feed).map_err(|e| Failure::Usage(format!("--feed: {e}")))?;
        let spec = match spec {
            FeedSpec::Live(live) => FeedSpec::Live(at_urls(live, &self.venue_url)?),
            other => other,
        };
        self.belongs(&spec)?;
        let defaults = SynthSettings::default();
        let days = match (&spec, window.to) {
            (FeedSpec::Synth { .. }, Some(to)) => days_until(window.from.unwrap_or(defaults.from), to)?,
            _ => self.days.unwrap_or(defaults.bars_days),
        };
        let world = self.world.as_deref().map_or(Ok(defaults.world), |w| {
            SynthWorld::parse(w)
                .ok_or_else(|| Failure::Usage(format!("--world {w}: write market or random-walk")))
        })?;
        let (clock, seed, funding) = (config.clock.decide, config.seed, self.funding.clone());
        let wish = match spec {
            FeedSpec::Synth { detail } => detail,
            FeedSpec::History { .. }
            | FeedSpec::Paired { .. }
            | FeedSpec::Tape { .. }
            | FeedSpec::Live(_) => None,
        };
        if self.faults && wish.is_none() {
            let fix = "name some with --feed 'synth?detail=30d'";
            return Err(Failure::Usage(format!("--faults is for the embedded market's detail; {fix}")));
        }
        let start = window.from.unwrap_or(defaults.from);
        let detail = wish.map(|w| DetailWish { faults: w.faults || self.faults, ..w }.of_run(start, days));
        // Somebody is there to work orders between decisions.
        let makers = |a: &Declaration| a.family == FamilyId::MarketMaking;
        let is_worked = config.services.liquidity && config.roster.agents.iter().any(makers);
        let inside = is_worked || config.fills == FillPrices::Fine;
        let tape = self.state.as_deref().map(live_tape);
        Ok(FeedOptions { spec, clock, window, funding, seed, world, days, inside, detail, tape })
    }

    /// An option that would do nothing with this feed is a mistake, not a wish.
    fn belongs(&self, spec: &FeedSpec) -> Result<(), Failure> {
        if !self.venue_url.is_empty() && !matches!(spec, FeedSpec::Live(_)) {
            let why = "--venue-url is for live markets; name one with --feed binance:usdm";
            return Err(Failure::Usage(why.to_owned()));
        }
        let given = |flags: [(&'static str, bool); 2]| flags.into_iter().find(|f| f.1).map(|f| f.0);
        let (stray, whose) = match spec {
            FeedSpec::Tape { .. } => {
                let first = given([("--world", self.world.is_some()), ("--days", self.days.is_some())]);
                if first.is_some() {
                    (first, "the embedded market; a tape is cut with --from and --to")
                } else {
                    let own = [("--assets", self.assets.is_some()), ("--funding", self.funding.is_some())];
                    (given(own), "a history; what a tape has is chosen with `hive data import`")
                }
            }
            FeedSpec::Live(_) => {
                let first = given([("--assets", self.assets.is_some()), ("--days", self.days.is_some())]);
                let cut = given([
                    ("--from", self.from.is_some() || self.to.is_some()),
                    ("--speed", self.speed.is_some()),
                ]);
                let more = given([
                    ("--world", self.world.is_some()),
                    ("--funding", self.funding.is_some() || self.until_end),
                ]);
                let own = "other feeds; a live market is told its own, binance:usdm?assets=BTC,ETH&days=180, and has no end";
                (first.or(cut).or(more), own)
            }
            FeedSpec::Synth { .. } => (
                given([("--assets", self.assets.is_some()), ("--funding", self.funding.is_some())]),
                "a history; name one with --feed history:PATH",
            ),
            FeedSpec::History { .. } | FeedSpec::Paired { .. } => (
                given([("--world", self.world.is_some()), ("--days", self.days.is_some())]),
                "the embedded market; a history is cut with --from and --to",
            ),
        };
        stray.map_or(Ok(()), |flag| Err(Failure::Usage(format!("{flag} is for {whose}"))))
    }

    /// The speed that is asked for, if one is.
    pub fn speed(&self) -> Result<Option<Speed>, Failure> {
        let read = |text: &String| {
            Speed::parse(text)
                .ok_or_else(|| Failure::Usage(format!("--speed {text}: write max, or 1x, 3600x, …")))
        };
        self.speed.as_ref().map(read).transpose()
    }
}

/// The name that was most likely meant; empty where there is none to choose from.
pub fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> &'n str {
    let wanted = wanted.to_lowercase();
    names.min_by_key(|name| strsim::damerau_levenshtein(&name.to_lowercase(), &wanted)).unwrap_or_default()
}

/// A stamp that an option names.
pub fn date(
    flag: &str,
    text: Option<&String>,
    parse: fn(&str) -> Option<Stamp>,
) -> Result<Option<Stamp>, Failure> {
    let read = |t: &String| {
        parse(t).ok_or_else(|| {
            Failure::Usage(format!(
                "{flag} {t}: write a day as 2023-06-30 or a moment as 2023-06-30T12:00:00Z"
            ))
        })
    };
    text.map(read).transpose()
}

fn days_until(start: Stamp, to: Stamp) -> Result<u32, Failure> {
    u32::try_from(to.since(start).0 / Span::DAY.0).ok().filter(|d| *d > 0).ok_or_else(|| {
        Failure::Usage(format!("--to must be at least a day after {start}, where the embedded market begins"))
    })
}
