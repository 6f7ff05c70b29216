//! From what the operator writes (`synth`, `history:PATH?kind=margin`, `tape:FILE`) to an open feed.

use super::files::{FileError, open_data, open_file};
use crate::domain::{InstrumentKind, Span, Stamp};
use crate::market::feed::{Feed, FeedError};
use crate::market::history::{HistoryFeed, HistorySettings, Window};
use crate::market::synth::{SynthFeed, SynthSettings, World};
use crate::market::tape::{TapeFeed, TapeSettings};
use std::path::PathBuf;

/// Which market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedSpec {
    /// The embedded market.
    Synth,
    /// A panel file, or a folder of one file per symbol.
    History {
        /// Where it is.
        path: PathBuf,
        /// How its instruments are listed; none: by the name of the file.
        kind: Option<InstrumentKind>,
    },
    /// A tape that was imported.
    Tape {
        /// Where it is.
        path: PathBuf,
    },
}

/// What a feed is opened with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedOptions {
    /// Which.
    pub spec: FeedSpec,
    /// The decision clock.
    pub clock: Span,
    /// First bar and end, and only these assets (history).
    pub window: Window,
    /// Funding settlements of the perps of a history.
    pub funding: Option<PathBuf>,
    /// The embedded market's seed …
    pub seed: u64,
    /// … its kind …
    pub world: World,
    /// … and its length.
    pub days: u32,
}

/// Why a feed did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a feed.
    #[error("{0:?} is no feed; write synth, history:PATH, history:PATH?kind=perp|spot|margin, or tape:FILE")]
    Unreadable(String),
    /// A feed of a later version.
    #[error("{0:?} is a live exchange, and this version has none; write synth, or history:PATH")]
    Live(String),
    /// The files.
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
            return Ok(FeedSpec::Synth);
        }
        let venue = text.split([':', '?']).next().unwrap_or(text);
        if ["binance", "okx", "bybit", "deribit", "kraken", "coinbase", "hyperliquid"].contains(&venue) {
            return Err(OpenError::Live(text.to_owned()));
        }
        if let Some(path) = text.strip_prefix("tape:").filter(|p| !p.is_empty()) {
            return Ok(FeedSpec::Tape { path: path.into() });
        }
        let rest = text.strip_prefix("history:").ok_or_else(unreadable)?;
        let (path, kind) = match rest.rsplit_once("?kind=") {
            Some((path, kind)) => (path, Some(InstrumentKind::parse(kind).ok_or_else(unreadable)?)),
            None => (rest, None),
        };
        if path.is_empty() {
            return Err(unreadable());
        }
        Ok(FeedSpec::History { path: path.into(), kind })
    }
}

/// Opens a feed.
pub fn open(options: &FeedOptions) -> Result<Box<dyn Feed>, OpenError> {
    match &options.spec {
        FeedSpec::Synth => {
            let defaults = SynthSettings::default();
            let settings = SynthSettings {
                seed: options.seed,
                world: options.world,
                from: options.window.from.unwrap_or(defaults.from),
                bars_days: options.days,
                clock: options.clock,
            };
            Ok(Box::new(SynthFeed::new(settings)?))
        }
        FeedSpec::History { path, kind } => {
            let data = open_data(path)?;
            let funding = options.funding.as_deref().map(open_file).transpose()?;
            let settings = HistorySettings {
                name: data.name,
                clock: options.clock,
                kind: *kind,
                window: options.window.clone(),
            };
            let funding = funding.as_ref().map(|f| f as &dyn crate::market::history::Source);
            Ok(Box::new(HistoryFeed::open(&settings, data.sources, funding)?))
        }
        FeedSpec::Tape { path } => {
            let settings = TapeSettings { clock: options.clock, window: options.window.clone() };
            Ok(Box::new(TapeFeed::open(&settings, &open_file(path)?)?))
        }
    }
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
        assert_eq!(FeedSpec::parse("synth").unwrap(), FeedSpec::Synth);
        let with_kind = FeedSpec::parse("history:data/spot_1h.csv.gz?kind=margin").unwrap();
        assert_eq!(
            with_kind,
            FeedSpec::History { path: "data/spot_1h.csv.gz".into(), kind: Some(InstrumentKind::Margin) }
        );
        let plain = FeedSpec::parse("history:data").unwrap();
        assert_eq!(plain, FeedSpec::History { path: "data".into(), kind: None });
    }

    #[test]
    fn says_what_a_feed_looks_like() {
        assert_eq!(FeedSpec::parse("tape:my.tape").unwrap(), FeedSpec::Tape { path: "my.tape".into() });
        for bad in ["", "histroy:x", "history:", "tape:", "history:x?kind=swap", "file.csv"] {
            assert!(matches!(FeedSpec::parse(bad), Err(OpenError::Unreadable(_))), "{bad}");
        }
        for live in ["binance", "okx:BTC-USDT"] {
            assert!(matches!(FeedSpec::parse(live), Err(OpenError::Live(_))), "{live}");
        }
    }

    #[test]
    fn a_plain_end_date_includes_its_day() {
        assert_eq!(parse_end("2023-06-30"), Stamp::parse("2023-07-01"));
        assert_eq!(parse_end("2023-06-30T12:00:00Z"), Stamp::parse("2023-06-30T12:00:00Z"));
    }
}
