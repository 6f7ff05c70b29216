//! What every feed promises.
//!
//! # Invariants
//!
//! 1. Events come by decision buckets, counted from 1970. First, where the feed has them, all that is no
//!    bar and no funding of the desk's instruments (quotes, trades, books, marks, volatilities, pools,
//!    settlements, and everything of the extra instruments with their own bars) in the order of the
//!    stamps in `(T, T + clock]`; then the desk's bars of the bucket, stamped `T + clock`, by instrument;
//!    then the desk's funding settlements in `[T, T + clock)` by stamp and instrument; then
//!    `Barrier(T + clock)`. So the stamps of a bucket rise, but for funding.
//! 2. A bucket without any bar still gives its barrier, so that silence is seen.
//! 3. A feed starts at the first bucket with data and ends after the last.
//!
//! 4. A feed that was sought gives what one that was read to the same event gives, to the bit.
//!
//! A feed never says whether an asset is delisted: that is read from its silence.

use super::synth::FaultCounts;
use crate::domain::{Decimal, Event, LiveLinks, Span, Stamp, Universe};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What every report says of data without volumes.
pub(crate) const NO_VOLUME: &str = "this data has no volume: no participation limit and no impact apply";
/// What is said of perps without settlements.
pub(crate) const NO_FUNDING: &str = "this data has no funding: perps pay none here";

/// A source of events, read once from start to end.
pub trait Feed: Send {
    /// What is known before the first event.
    fn info(&self) -> &FeedInfo;
    /// The assets and instruments, and the rankings with the stamps from which they are known.
    fn universe(&self) -> &Universe;
    /// The next event; `None` after the last. Of a live feed also where there is none yet.
    fn next(&mut self) -> Result<Option<Event>, FeedError>;
    /// The next event, or that there is none yet: who asks a feed that goes on has other things to do meanwhile.
    fn poll(&mut self) -> Result<Polled, FeedError> {
        Ok(self.next()?.map_or(Polled::End, Polled::Event))
    }
    /// How its ways to the venue are; none where there are none.
    fn links(&self) -> Option<LiveLinks> {
        None
    }
    /// What was read and what could not be believed.
    fn report(&self) -> FeedReport;
    /// Where it is; none where only reading on leads there.
    fn position(&self) -> Option<FeedPosition> {
        None
    }
    /// Puts a feed that was just opened where another of the same data was, without reading what lies before. False where
    /// that is no position of such a feed: then it is where it was.
    fn seek(&mut self, _to: &FeedPosition) -> Result<bool, FeedError> {
        Ok(false)
    }
}

/// What a feed has to give.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Polled {
    /// Here is an event.
    Event(Event),
    /// None yet: ask again in a moment.
    Nothing,
    /// None any more.
    End,
}

/// Where a feed is, in bytes of its own: all that it needs to go on from there, and nothing that follows from the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedPosition {
    /// Hash of the data: of no other is it a position.
    data_hash: String,
    state: Vec<u8>,
}

impl FeedPosition {
    /// Of what a feed has to remember; none if that cannot be written down.
    pub(crate) fn of(info: &FeedInfo, state: &impl Serialize) -> Option<Self> {
        let state = postcard::to_stdvec(state).ok()?;
        Some(FeedPosition { data_hash: info.data_hash.clone(), state })
    }

    /// What was remembered; none if it is of other data, or of another kind of feed.
    pub(crate) fn read<T: DeserializeOwned>(&self, info: &FeedInfo) -> Option<T> {
        let (state, rest) =
            postcard::take_from_bytes(&self.state).ok().filter(|_| self.data_hash == info.data_hash)?;
        rest.is_empty().then_some(state)
    }

    /// Length of what was remembered, in bytes.
    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.state.len()
    }
}

/// Where the events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeedMode {
    /// The embedded market.
    Synth,
    /// Recorded data, of files or a tape.
    History,
    /// A venue, from its history to now and on.
    Live,
}

impl fmt::Display for FeedMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            FeedMode::Synth => "SYNTH",
            FeedMode::History => "HISTORY",
            // Whatever it is traded with, the market of it is real and the money is not.
            FeedMode::Live => "PAPER",
        })
    }
}

/// What is known of a feed before its first event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedInfo {
    /// Embedded market or history.
    pub mode: FeedMode,
    /// The data set's name, as files and reports show it.
    pub name: String,
    /// blake3 of the data (or of the settings of the embedded market), in hex.
    pub data_hash: String,
    /// Length of the bars in the data.
    pub bar: Span,
    /// Length of the bars that are sent: the decision clock.
    pub clock: Span,
    /// Start of the first bucket.
    pub from: Stamp,
    /// End of the last bucket: the stamp of the last barrier.
    pub to: Stamp,
    /// How many barriers will come.
    pub bars: u64,
    /// Whether every bar has a volume; where not, it is infinite.
    pub has_volume: bool,
    /// Whether funding settlements will come.
    pub has_funding: bool,
    /// Plain sentences for the closing report.
    pub notes: Vec<String>,
}

/// What a feed read, and what it could not believe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedReport {
    /// Rows that became events.
    pub rows: u64,
    /// Rows that could not be read or believed, and were left out.
    pub bad_rows: u64,
    /// The first of them: file, line, reason. At most [`FeedReport::NAMED`].
    pub first_bad: Vec<String>,
    /// Rows with the symbol and stamp of an earlier one; the first is kept.
    pub duplicates: u64,
    /// Rows that came after a later bucket or after a later row of their symbol; left out.
    pub unsorted: u64,
    /// Silences: how often a symbol's next bar came later than the bar length.
    pub gaps: u64,
    /// Closes above ten times or below a tenth of the symbol's last. Used all the same: collapses and
    /// coins renamed after them are real.
    pub jumps: u64,
    /// Faults of the embedded market that began, where they were asked for.
    pub faults: FaultCounts,
}

impl FeedReport {
    /// How many bad rows are named; the rest is only counted, so that a broken file fills no memory.
    pub const NAMED: usize = 5;

    /// Counts a row that cannot be used and names it if it is among the first.
    pub(crate) fn bad(&mut self, file: &str, line: u64, reason: &str) {
        self.bad_rows += 1;
        if self.first_bad.len() < Self::NAMED {
            self.first_bad.push(format!("{file}, line {line}: {reason}"));
        }
    }
}

/// Why a feed cannot be opened or read on.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The bytes did not come.
    #[error("reading {file} near line {line}: {reason}; unpack or fetch the file again if it is damaged")]
    Read {
        /// Name of the file, as the report has it.
        file: String,
        /// Last line that was read.
        line: u64,
        /// What the reader said.
        reason: String,
    },
    /// The header lacks a column that is needed.
    #[error(
        "{file} has no column `{column}` (its header is: {header}); name it with map={column}=COLUMN (`hive data … --map`, \
         `--feed 'history:PATH?map=…'`), or rename it to `{column}`"
    )]
    Column {
        /// Name of the file, as the report has it.
        file: String,
        /// What is missing.
        column: String,
        /// What is there.
        header: String,
    },
    /// What a file does not tell and nobody should guess.
    #[error("{file}: {found}; {ways} (`hive data … --read KEY=VALUE`, `--feed 'history:PATH?KEY=VALUE'`)")]
    Undecided {
        /// Name of the file, as the report has it.
        file: String,
        /// What was found.
        found: String,
        /// What decides it.
        ways: String,
    },
    /// Nothing usable inside the window.
    #[error("{name} has no usable row{window}{first_bad}; widen --from/--to or check the file")]
    Empty {
        /// The data set.
        name: String,
        /// ` from … to …`, or nothing.
        window: String,
        /// `; first problem: …`, or nothing.
        first_bad: String,
    },
    /// Most rows are out of order.
    #[error(
        "{name}: {unsorted} rows are out of order and only {rows} could be used; sort the file by its stamp, \
         not by symbol (one file per symbol in a folder also works), or let `hive data import` sort it"
    )]
    Unsorted {
        /// The data set.
        name: String,
        /// Rows left out.
        unsorted: u64,
        /// Rows that could be used.
        rows: u64,
    },
    /// Bars do not fit into the decision clock.
    #[error(
        "{name} has bars of {bar}, which do not fit into the decision clock of {clock}; use --clock {fix}"
    )]
    Clock {
        /// The data set.
        name: String,
        /// Length of its bars.
        bar: Span,
        /// The clock that was asked for.
        clock: Span,
        /// A clock that works.
        fix: Span,
    },
    /// An asset of the window is not in the data.
    #[error("{name} has no asset `{asset}` in the window; it has {known}")]
    UnknownAsset {
        /// The data set.
        name: String,
        /// What was asked for.
        asset: String,
        /// Some of what is there.
        known: String,
    },
    /// More symbols or files than a run takes.
    #[error("{name} has more than {limit} {what}; name the assets you want with --assets or split the data")]
    TooMany {
        /// The data set.
        name: String,
        /// Symbols or files.
        what: &'static str,
        /// Most that a run takes.
        limit: usize,
    },
    /// The second pass saw other rows than the first.
    #[error(
        "{name} changed while it was read: {before} rows, then {after}; run again when nothing writes to it"
    )]
    Changed {
        /// The data set.
        name: String,
        /// Rows of the first pass.
        before: u64,
        /// Rows of the second.
        after: u64,
    },
    /// A tape that is not whole.
    #[error(
        "{file}, near byte {byte} after {event} events: {reason}; make the tape again with `hive data import`"
    )]
    Tape {
        /// File of the tape.
        file: String,
        /// Unpacked bytes before the place.
        byte: u64,
        /// Events before the place.
        event: u64,
        /// What is wrong.
        reason: String,
    },
    /// A file that no importer knows.
    #[error("{file}: {reason}; name the format with --format, one of {known}")]
    Format {
        /// File that is not understood.
        file: String,
        /// What is wrong.
        reason: String,
        /// Names of all formats, to choose from.
        known: String,
    },
    /// One instrument with bars of two lengths.
    #[error(
        "{symbol} has bars of {one} and of {other}; choose one length with --bar {one} (`history:PATH?bar={one}`), or import \
         both into two tapes"
    )]
    TwoBars {
        /// Symbol with bars of two lengths.
        symbol: String,
        /// The first length.
        one: Span,
        /// The other length of its bars.
        other: Span,
    },
    /// A tape could not be written.
    #[error("writing the tape: {reason}; make room or name another place")]
    Write {
        /// What the writer said.
        reason: String,
    },
    /// Prices or quantities that the books cannot hold, in units that cannot be changed.
    #[error(
        "{symbol} has a tick of {tick} and a lot of {lot}: books have 12 digits after the point of a price (a tick of 1e-12) \
         and 14 of a quantity, and other instruments depend on its unit; leave it out with --assets, or write its prices \
         times a power of ten and its volumes divided by it"
    )]
    Tick {
        /// Symbol of the instrument.
        symbol: String,
        /// Step of its prices.
        tick: Decimal,
        /// Step of its quantities.
        lot: Decimal,
    },
    /// A setting that no feed can follow.
    #[error("the embedded market cannot run with {setting}; {fix}")]
    Setting {
        /// Which, and its value.
        setting: String,
        /// What to do.
        fix: &'static str,
    },
}

/// The law of seeking, held for each kind of feed where that is.
#[cfg(test)]
pub(crate) mod sought {
    use super::Feed;
    use crate::domain::Event;

    fn rest(feed: &mut dyn Feed) -> Vec<Event> {
        std::iter::from_fn(|| feed.next().unwrap()).collect()
    }

    /// A feed that was sought gives the same events as one that was read there, is at the same positions after them, and
    /// has the same to report. `parts` are the places that are tried, as parts of the whole.
    pub(crate) fn gives_what_read_gives<F: Feed>(open: impl Fn() -> F, parts: &[f64]) {
        let whole = rest(&mut open());
        assert!(whole.len() > 10, "this is no feed to try it on");
        for part in parts.iter().chain(&[0.0, 1.0]) {
            let at = (part * whole.len() as f64) as usize;
            let mut read = open();
            assert_eq!((0..at).filter_map(|_| read.next().unwrap()).count(), at);
            let position = read.position().unwrap();
            let mut sought = open();
            assert!(sought.seek(&position).unwrap(), "{at}");
            assert_eq!(sought.position().unwrap(), position, "{at}");
            let further = (whole.len() - at) / 2;
            for event in &whole[at..at + further] {
                assert_eq!((read.next().unwrap(), sought.next().unwrap()), (Some(*event), Some(*event)));
            }
            assert_eq!(sought.position().unwrap(), read.position().unwrap(), "{at}");
            assert!(rest(&mut sought) == whole[at + further..], "{at} of {}", whole.len());
            rest(&mut read);
            assert_eq!(sought.report(), read.report(), "{at}");
        }
    }
}
