//! From what the operator writes (`synth`, `synth?detail=30d&step=1m`, `history:PATH?kind=margin`,
//! `tape:FILE`) to an open feed.

use super::files::{FileError, open_data, open_file};
use super::live::{self, LiveError, LiveSpec, LiveVenue};
use super::scratch::SpooledScratch;
use crate::domain::{InstrumentKind, Span, Stamp};
use crate::market::Choices;
use crate::market::feed::{Feed, FeedError};
use crate::market::history::{self, HistorySettings, PairedFeed, kind_of_name};
use crate::market::import::{self, ImportFormat};
use crate::market::source::{ScratchFile, SourceFile, Window};
use crate::market::synth::{AssetSet, Detail, SynthFeed, SynthSettings, SynthWorld};
use crate::market::tape::{TapeFeed, TapeSettings};
use crate::market::units::counted;
use std::path::{Path, PathBuf};

/// The market that a run is asked to trade, as `--feed` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedSpec {
    /// The embedded market.
    Synth {
        /// Quotes, futures, options and pools beside its bars; none: bars alone.
        detail: Option<DetailWish>,
    },
    /// A panel file, or a folder of one file per symbol.
    History {
        /// Where it is.
        path: PathBuf,
        /// How its instruments are listed; none: by the name of the file.
        kind: Option<InstrumentKind>,
        /// What was decided of what its files do not tell.
        choices: Choices,
    },
    /// Perps, spot of the same assets, and funding: files told apart by what is in them.
    Paired {
        /// Two or three files.
        files: Vec<PathBuf>,
        /// What was decided of what they do not tell.
        choices: Choices,
    },
    /// A tape that was imported.
    Tape {
        /// Where it is.
        path: PathBuf,
    },
    /// A venue, from its history to now and on.
    Live(LiveSpec),
}

/// Which detail of the embedded market is wished for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DetailWish {
    /// Over so many last days of the run, and on where it goes on live.
    pub days: u32,
    /// Time from quote to quote.
    pub step: Span,
    /// With outages, bad ticks, a lost peg and flash crashes.
    pub faults: bool,
    /// Assets that are told in detail.
    pub assets: AssetSet,
}

impl DetailWish {
    /// The detail of a run of so many days from `from`.
    pub fn of_run(self, from: Stamp, days: u32) -> Detail {
        let DetailWish { days: last, step, faults, assets } = self;
        Detail { step, faults, assets, ..Detail::last(last, from, days) }
    }

    /// Reads the wishes after `synth?`, such as `detail=30d&step=1m&assets=BTC+ETH&faults`.
    fn parse(text: &str) -> Result<Self, String> {
        let mut wish = DetailWish { days: 0, step: Detail::STEP, faults: false, assets: AssetSet::default() };
        for part in text.split('&') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match name {
                "detail" => {
                    let days = Span::parse(value).filter(|s| s.0 % Span::DAY.0 == 0);
                    let days = days.and_then(|s| u32::try_from(s.0 / Span::DAY.0).ok());
                    wish.days = days.ok_or_else(|| format!("detail={value} is no number of days"))?;
                }
                "step" => {
                    wish.step = Span::parse(value).ok_or_else(|| format!("step={value} is no time"))?;
                }
                "assets" => {
                    wish.assets =
                        AssetSet::parse(value).map_err(|name| format!("there is no asset {name:?}"))?;
                }
                "faults" if value.is_empty() || value == "on" => wish.faults = true,
                _ => return Err(format!("{part:?} is no option of it")),
            }
        }
        if wish.days == 0 {
            return Err("detail=DAYS is missing".to_owned());
        }
        Ok(wish)
    }
}

/// What a feed is opened with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedOptions {
    /// Which market it is.
    pub spec: FeedSpec,
    /// The decision clock.
    pub clock: Span,
    /// First bar and end, and only these assets (history).
    pub window: Window,
    /// Funding settlements of the perps of a history.
    pub funding: Option<PathBuf>,
    /// Seed of the embedded market.
    pub seed: u64,
    /// World of the embedded market, if it is one.
    pub world: SynthWorld,
    /// Length of the embedded market, in days.
    pub days: u32,
    /// Whether bars finer than the clock are told too, for orders that are worked.
    pub inside: bool,
    /// Detail of the embedded market: of the run that was asked for, also where `days` is lengthened to go on
    /// live.
    pub detail: Option<Detail>,
    /// Where the tape of a live market is.
    pub tape: Option<PathBuf>,
}

/// Why a feed did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a feed.
    #[error(
        "{0:?} is no feed; write synth, synth?detail=30d, history:PATH, history:PATH?kind=perp|spot|margin, history:PERPS,SPOT,FUNDING, tape:FILE, or binance:usdm?assets=BTC,ETH"
    )]
    Unreadable(String),
    /// Options of the embedded market that mean nothing.
    #[error("{text:?}: {why}; write synth?detail=30d&step=1m&assets=BTC+ETH&faults")]
    Detail {
        /// What was written.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A venue that is not followed, or a live market that cannot be asked for so.
    #[error("{text:?}: {why}")]
    Live {
        /// What was written.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A live market where one with an end is needed.
    #[error(
        "{0} goes on and has no end, which this needs; `hive --feed {0}` runs it, and `hive data fetch {0} --out FILE` makes a tape of its history for tape:FILE"
    )]
    Endless(String),
    /// A live market.
    #[error(transparent)]
    LiveMarket(#[from] LiveError),
    /// A choice that decides nothing.
    #[error("{0}")]
    Choice(String),
    /// Files that are no perps with spot.
    #[error("{0}; write history:PERPS,SPOT or history:PERPS,SPOT,FUNDING, the perps' file named after perps")]
    Pair(String),
    /// A file of the market could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// What is in them.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

impl FeedSpec {
    /// Reads what the operator wrote.
    pub fn parse(text: &str) -> Result<Self, OpenError> {
        let unreadable = || OpenError::Unreadable(text.to_owned());
        if text == "synth" {
            return Ok(FeedSpec::Synth { detail: None });
        }
        if let Some(options) = text.strip_prefix("synth?") {
            let wish =
                DetailWish::parse(options).map_err(|why| OpenError::Detail { text: text.to_owned(), why })?;
            return Ok(FeedSpec::Synth { detail: Some(wish) });
        }
        if let Some(spec) = LiveSpec::parse(text) {
            let refused = |why| OpenError::Live { text: text.to_owned(), why };
            return spec.map(FeedSpec::Live).map_err(refused);
        }
        let venue = text.split([':', '?']).next().unwrap_or(text);
        if ["binance", "okx", "bybit", "deribit", "kraken", "coinbase", "hyperliquid"].contains(&venue) {
            let known: Vec<&str> = LiveVenue::ALL.into_iter().map(LiveVenue::text).collect();
            let why =
                format!("of live markets there is {} here; write it, or history:PATH", known.join(", "));
            return Err(OpenError::Live { text: text.to_owned(), why });
        }
        if let Some(path) = text.strip_prefix("tape:").filter(|p| !p.is_empty()) {
            return Ok(FeedSpec::Tape { path: path.into() });
        }
        let rest = text.strip_prefix("history:").ok_or_else(unreadable)?;
        let (path, options) = match rest.rsplit_once('?') {
            Some((path, options)) if options.contains('=') => (path, options),
            _ => (rest, ""),
        };
        let (mut kind, mut choices) = (None, Choices::default());
        for option in options.split('&').filter(|o| !o.is_empty()) {
            let (key, value) = option.split_once('=').ok_or_else(unreadable)?;
            if key == "kind" {
                kind = Some(InstrumentKind::parse(value).ok_or_else(unreadable)?);
            } else {
                choices.set(key, value).map_err(OpenError::Choice)?;
            }
        }
        if path.is_empty() {
            return Err(unreadable());
        }
        if path.contains(',') {
            let files: Vec<PathBuf> = path.split(',').map(PathBuf::from).collect();
            if files.len() > 3 || kind.is_some() || files.iter().any(|f| f.as_os_str().is_empty()) {
                return Err(unreadable());
            }
            return Ok(FeedSpec::Paired { files, choices });
        }
        Ok(FeedSpec::History { path: path.into(), kind, choices })
    }
}

/// Opens a feed, its assets counted in units that the books can hold.
pub fn open(options: &FeedOptions) -> Result<Box<dyn Feed>, OpenError> {
    Ok(counted(told(options)?)?)
}

/// Opens a live market, whose tape is begun or taken up again. Whoever waits for history is told how that goes by `say`.
pub fn open_live(
    spec: &LiveSpec,
    options: &FeedOptions,
    say: &mut dyn FnMut(&str),
) -> Result<Box<dyn Feed>, OpenError> {
    let tape = options.tape.as_deref().ok_or_else(|| OpenError::Endless(spec.venue.to_string()))?;
    Ok(counted(Box::new(live::open(spec, options.clock, tape, say)?))?)
}

/// Opens a feed as its files tell it; a live market as far as its tape goes.
fn told(options: &FeedOptions) -> Result<Box<dyn Feed>, OpenError> {
    match &options.spec {
        FeedSpec::Synth { .. } => {
            let defaults = SynthSettings::default();
            let settings = SynthSettings {
                seed: options.seed,
                world: options.world,
                from: options.window.from.unwrap_or(defaults.from),
                bars_days: options.days,
                clock: options.clock,
                detail: options.detail,
            };
            Ok(Box::new(SynthFeed::new(settings)?))
        }
        FeedSpec::History { path, kind, choices } => {
            let data = open_data(path, choices)?;
            let funding = options.funding.as_deref().map(rates).transpose()?;
            let settings = HistorySettings {
                name: data.name,
                clock: options.clock,
                kind: *kind,
                window: options.window.clone(),
                choices: choices.clone(),
                notes: data.unread,
            };
            let feed = history::open(&settings, data.sources, funding, Box::new(SpooledScratch::default()))?;
            Ok(Box::new(if options.inside { feed.with_inside() } else { feed }))
        }
        FeedSpec::Paired { files, choices } => paired(options, files, choices),
        FeedSpec::Tape { path } => {
            let settings = TapeSettings { clock: options.clock, window: options.window.clone() };
            Ok(Box::new(TapeFeed::open(&settings, &open_file(path)?)?))
        }
        FeedSpec::Live(spec) => match options.tape.as_deref().filter(|tape| tape.exists()) {
            Some(tape) => Ok(Box::new(live::reread(options.clock, tape)?)),
            None => Err(OpenError::Endless(spec.venue.to_string())),
        },
    }
}

/// Perps, spot and funding. A file of settlements is the funding; of two with prices, the one that is named after
/// perps is theirs.
fn paired(options: &FeedOptions, files: &[PathBuf], choices: &Choices) -> Result<Box<dyn Feed>, OpenError> {
    let (mut rates, mut prices) = (options.funding.clone(), Vec::new());
    for file in files {
        if is_funding(file, choices)? {
            if rates.replace(file.clone()).is_some() {
                return Err(OpenError::Pair("there are two files of funding rates".to_owned()));
            }
        } else {
            prices.push(file.clone());
        }
    }
    let named = |p: &PathBuf| kind_of_name(&p.file_name().unwrap_or_default().to_string_lossy());
    let is_perp = |p: &PathBuf| named(p) == InstrumentKind::Perp;
    let [first, second] = prices.as_slice() else {
        return Err(OpenError::Pair(format!("{} of the files hold prices, it takes two", prices.len())));
    };
    let (perps, spots) = match (is_perp(first), is_perp(second)) {
        (true, false) => (first, second),
        (false, true) => (second, first),
        _ => {
            let why = "both or neither of the files of prices are named after perps";
            return Err(OpenError::Pair(why.to_owned()));
        }
    };
    let (perps, spots) = (open_data(perps, choices)?, open_data(spots, choices)?);
    let rates = rates.as_deref().map(self::rates).transpose()?;
    let settings = HistorySettings {
        name: perps.name,
        clock: options.clock,
        kind: None,
        window: options.window.clone(),
        choices: choices.clone(),
        notes: perps.unread.into_iter().chain(spots.unread).collect(),
    };
    let scratch =
        [Box::new(SpooledScratch::default()) as Box<dyn ScratchFile>, Box::new(SpooledScratch::default())];
    Ok(Box::new(PairedFeed::open(&settings, perps.sources, &spots.name, spots.sources, rates, scratch)?))
}

/// A file of settlements.
fn rates(path: &Path) -> Result<Box<dyn SourceFile>, OpenError> {
    Ok(Box::new(open_file(path)?))
}

/// Whether a file holds settlements.
fn is_funding(path: &Path, choices: &Choices) -> Result<bool, OpenError> {
    if path.is_dir() {
        return Ok(false);
    }
    let known = import::detect(&open_file(path)?, choices)?;
    Ok(known.is_ok_and(|k| k.format == ImportFormat::Funding))
}

/// Reads the end of a window: a plain date includes that day.
pub fn parse_end(text: &str) -> Option<Stamp> {
    let stamp = Stamp::parse(text)?;
    Some(if text.len() == 10 { stamp.after(Span::DAY) } else { stamp })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_operator_writes() {
        assert_eq!(FeedSpec::parse("synth").unwrap(), FeedSpec::Synth { detail: None });
        let with_kind = FeedSpec::parse("history:data/spot_1h.csv.gz?kind=margin").unwrap();
        assert_eq!(
            with_kind,
            FeedSpec::History {
                path: "data/spot_1h.csv.gz".into(),
                kind: Some(InstrumentKind::Margin),
                choices: Choices::default()
            }
        );
        let plain = FeedSpec::parse("history:data").unwrap();
        let choices = Choices::default();
        assert_eq!(plain, FeedSpec::History { path: "data".into(), kind: None, choices });
        match FeedSpec::parse("history:data?volume=quote&map=time=Date+Time,close=Last&kind=perp").unwrap() {
            FeedSpec::History { path, kind, choices } => {
                assert_eq!((path, kind), ("data".into(), Some(InstrumentKind::Perp)));
                assert_eq!(choices.text(), "map=time=Date+Time,close=Last&volume=quote");
            }
            other => panic!("{other:?}"),
        }
        let why = FeedSpec::parse("history:data?volume=dollars").unwrap_err().to_string();
        assert!(why.contains("volume=base|quote|none"), "{why}");
    }

    #[test]
    fn reads_the_detail_of_the_embedded_market() {
        let read = |text: &str| match FeedSpec::parse(text).unwrap() {
            FeedSpec::Synth { detail: Some(wish) } => wish,
            other => panic!("{other:?}"),
        };
        let plain = read("synth?detail=30d");
        assert_eq!((plain.days, plain.step, plain.faults), (30, Span::seconds(60), false));
        assert_eq!(plain.assets, AssetSet::default());
        let all = read("synth?detail=2w&step=5s&faults&assets=BTC+DOGE");
        assert_eq!((all.days, all.step, all.faults), (14, Span::seconds(5), true));
        assert_eq!(all.assets.to_string(), "BTC+DOGE");
        let from = Stamp(0);
        assert_eq!(all.of_run(from, 100).from, Stamp(86 * Span::DAY.0));
        assert_eq!(all.of_run(from, 10).from, from, "not before the run");
        for (bad, why) in [
            ("synth?", "no option"),
            ("synth?step=1m", "missing"),
            ("synth?detail=5h", "days"),
            ("synth?detail=3d&step=x", "no time"),
            ("synth?detail=3d&assets=BTC+XYZ", "XYZ"),
            ("synth?detail=3d&fault", "no option"),
        ] {
            let error = FeedSpec::parse(bad).unwrap_err();
            assert!(matches!(error, OpenError::Detail { .. }));
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn says_what_a_feed_looks_like() {
        assert_eq!(FeedSpec::parse("tape:my.tape").unwrap(), FeedSpec::Tape { path: "my.tape".into() });
        for bad in ["", "histroy:x", "history:", "tape:", "history:x?kind=swap", "file.csv"] {
            assert!(matches!(FeedSpec::parse(bad), Err(OpenError::Unreadable(_))), "{bad}");
        }
        for live in ["binance", "okx:BTC-USDT"] {
            assert!(matches!(FeedSpec::parse(live), Err(OpenError::Live { .. })), "{live}");
        }
    }

    #[test]
    fn a_plain_end_date_includes_its_day() {
        assert_eq!(parse_end("2023-06-30"), Stamp::parse("2023-07-01"));
        assert_eq!(parse_end("2023-06-30T12:00:00Z"), Stamp::parse("2023-06-30T12:00:00Z"));
    }
}
