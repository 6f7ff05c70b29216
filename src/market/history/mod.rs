//! Recorded bars: long panels (`timestamp, symbol, open, high, low, close, volume`, in any order) and
//! folders of one file per symbol, resampled to the decision clock.
//!
//! Entry point: [`HistoryFeed::open`] with the [`SourceFile`]s that the runtime opened. It reads everything
//! once to learn the universe (`scan`), then again to stream.
//!
//! # What a file may look like
//!
//! * Stamps are the **open** of the bar: ISO, or whole seconds, milliseconds, microseconds since 1970,
//!   in a column `timestamp`, `date`, `datetime`, `time` or `open_time`.
//! * `symbol` or `ticker`; without it the symbol is the file's name (`BTC_USDT-1h.csv` is `BTCUSDT`).
//! * `close`, and `open`, `high`, `low` together or not at all (then the bar is its close).
//! * `volume` in base units; without it volume is infinite and the notes say so.
//!
//! # What files do not tell
//!
//! No file carries an exchange's filters. The tick is the finest digit seen in a symbol's first 500 rows
//! (at least 1e-9), the lot the largest power of ten worth at most one unit of quote currency at its
//! first close, the smallest order 5 units. The kind is perp where the data set's name says so (`perp`,
//! `futures`, `swap`) and margin otherwise; the caller may say otherwise.
//!
//! # Invariants
//!
//! 1. Memory does not grow with the length of the files.
//! 2. With a window's `to`, nothing after it is seen: the events are a prefix of the longer run's, and
//!    universe, rankings, ticks and lots are functions of the rows before it. Only whole buckets inside
//!    the window are sent. (The data hash is the file's, whatever the window.)
//! 3. A bar is sent in the bucket in which it closes, never earlier.
//! 4. Both passes use the same rows; if they do not, the file changed, which is an error.

pub(super) mod decode;
mod funding;
#[cfg(test)]
mod laws;
pub mod paired;
pub(super) mod ranking;
mod rows;
pub(super) mod scan;
mod source;
mod symbols;
#[cfg(test)]
mod tests;

pub use paired::PairedFeed;
pub use source::SourceFile;
#[cfg(test)]
pub use source::memory::SourceBytes;
pub use symbols::{kind_of_name, money_like};

use super::{Feed, FeedError, FeedInfo, FeedMode, FeedReport};
use crate::domain::{Bar, Event, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp, Universe};
use funding::Settlements;
use rows::{AlignedRows, Limits, UsableRow};
use std::collections::VecDeque;

/// Which part of a data set is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// First open of a bar; moved on to the next start of a bucket.
    pub from: Option<Stamp>,
    /// End of the last bar, exclusive; moved back to the last end of a bucket.
    pub to: Option<Stamp>,
    /// Only these: names of assets (`BTC`, `BTC@kraken`) or symbols (`BTCUSDT`).
    pub assets: Option<Vec<String>>,
}

/// How a data set is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistorySettings {
    /// Its name in reports, `perp_1h`.
    pub name: String,
    /// The decision clock: a multiple of the data's bars.
    pub clock: Span,
    /// How its instruments are listed; `None` asks [`kind_of_name`].
    pub kind: Option<InstrumentKind>,
    /// Part of the data that is run.
    pub window: Window,
}

/// The start of the bucket in which a bar closes.
pub(super) fn bucket(open: Stamp, bar: Span, clock: Span) -> Stamp {
    Stamp(open.0 + bar.0 - 1).floor(clock)
}

/// Recorded bars as events.
pub struct HistoryFeed {
    info: FeedInfo,
    universe: Universe,
    report: FeedReport,
    rows: AlignedRows,
    /// By symbol number.
    instruments: Vec<Option<InstrumentId>>,
    settlements: Option<Settlements>,
    /// By instrument: whether it has settlements.
    paid: Vec<bool>,
    /// A row of a later bucket, waiting.
    held: Option<UsableRow>,
    /// Whether the rows are over.
    over: bool,
    /// Start of the bucket that is being filled.
    bucket: Stamp,
    /// By instrument: its bar of this bucket so far.
    bars: Vec<Option<Bar>>,
    /// By instrument: open stamp, open and close of its last row, for the marks of settlements.
    last: Vec<Option<(Stamp, f64, f64)>>,
    settled: Vec<(Stamp, InstrumentId, f64, f64)>,
    /// Whether bars inside the bucket are told: where they are finer than the clock.
    inside: bool,
    inside_bars: Vec<(Stamp, InstrumentId, Bar)>,
    queue: VecDeque<Event>,
}

impl HistoryFeed {
    /// Scans a data set and opens it for streaming. Files are taken in the order of their names, so that
    /// which of two duplicates is first does not depend on the caller. `funding` is a file of
    /// `timestamp, symbol, rate` and is used for perps only.
    pub fn open(
        settings: &HistorySettings,
        mut sources: Vec<Box<dyn SourceFile>>,
        funding: Option<&dyn SourceFile>,
    ) -> Result<Self, FeedError> {
        sources.sort_by(|a, b| a.name().cmp(b.name()));
        let clock = settings.clock;
        let limits = Limits {
            // Whole buckets only: a half bar would differ from the same bar of a longer run.
            from: settings.window.from.map(|t| Stamp(t.0 + clock.0 - 1).floor(clock)),
            to: settings.window.to.map(|t| t.floor(clock)),
            assets: settings.window.assets.clone(),
        };
        let found = scan::scan(settings, &sources, &limits)?;
        let mut info = FeedInfo {
            mode: FeedMode::History,
            name: settings.name.clone(),
            data_hash: found.hash.to_hex().to_string(),
            bar: found.bar,
            clock,
            from: found.from,
            to: found.to,
            bars: (found.to.since(found.from).0 / clock.0) as u64,
            has_volume: found.has_volume,
            has_funding: false,
            notes: found.notes,
        };
        let mut report = found.report;
        let (settlements, paid) = join_funding(funding, &found.universe, found.hash, &mut info, &mut report)?;
        if !info.has_volume {
            info.notes.push("this data has no volume: no participation limit and no impact apply".into());
        }
        if report.jumps > 0 {
            info.notes.push(format!(
                "closes above ten times or below a tenth of the one before: {}; they are used as they are",
                report.jumps
            ));
        }
        let assets = found.universe.assets.len();
        let rows = AlignedRows::open(&settings.name, &sources, clock, limits, false, found.table)?;
        Ok(HistoryFeed {
            bucket: info.from,
            info,
            universe: found.universe,
            report,
            rows,
            instruments: found.instruments,
            settlements,
            paid,
            held: None,
            over: false,
            bars: vec![None; assets],
            last: vec![None; assets],
            settled: Vec::new(),
            inside: false,
            inside_bars: Vec::new(),
            queue: VecDeque::new(),
        })
    }

    /// Tells the bars of the data as well, where they are finer than the decision clock.
    #[must_use]
    pub fn with_inside(mut self) -> Self {
        self.inside = self.info.bar.0 < self.info.clock.0;
        self
    }

    /// Instruments without settlements though there is a file of them.
    fn unpaid(&self) -> Vec<InstrumentId> {
        let of = |i: &crate::domain::Instrument| (!self.paid[i.id.index()]).then_some(i.id);
        if self.info.has_funding {
            self.universe.instruments.iter().filter_map(of).collect()
        } else {
            Vec::new()
        }
    }

    /// Whether an event up to this stamp may be left.
    pub fn ends_by(&self, at: Stamp) -> bool {
        let next = self.bucket.after(self.info.clock);
        !self.queue.is_empty() || (self.bucket < self.info.to && next <= at)
    }

    /// Reads one bucket and queues its events.
    fn fill(&mut self) -> Result<(), FeedError> {
        let end = self.bucket.after(self.info.clock);
        while let Some(row) = self.next_row()? {
            let Some(instrument) = self.instruments.get(row.symbol as usize).copied().flatten() else {
                continue;
            };
            if bucket(row.stamp, self.info.bar, self.info.clock) > self.bucket {
                self.held = Some(row);
                break;
            }
            self.settle(row.stamp)?;
            let i = instrument.index();
            merge(&mut self.bars[i], &row.bar);
            self.last[i] = Some((row.stamp, row.bar.open, row.bar.close));
            if self.inside {
                self.inside_bars.push((row.stamp.after(self.info.bar), instrument, row.bar));
            }
        }
        self.settle(end)?;
        self.inside_bars.sort_by_key(|(at, instrument, _)| (*at, *instrument));
        for (at, instrument, bar) in self.inside_bars.drain(..) {
            self.queue.push_back(Event::Market(MarketEvent::Inside { instrument, at, bar }));
        }
        for (i, bar) in self.bars.iter_mut().enumerate() {
            if let Some(bar) = bar.take() {
                let instrument = InstrumentId(i as u16);
                self.queue.push_back(Event::Market(MarketEvent::Bar { instrument, at: end, bar }));
            }
        }
        self.settled.sort_by_key(|(at, instrument, ..)| (*at, *instrument));
        for (at, instrument, rate, mark) in self.settled.drain(..) {
            self.queue.push_back(Event::Market(MarketEvent::Funding { instrument, at, rate, mark }));
        }
        self.queue.push_back(Event::Barrier(end));
        self.bucket = end;
        Ok(())
    }

    fn next_row(&mut self) -> Result<Option<UsableRow>, FeedError> {
        if let Some(row) = self.held.take() {
            return Ok(Some(row));
        }
        if self.over {
            return Ok(None);
        }
        let row = self.rows.next()?;
        if row.is_none() {
            self.over = true;
            let after = self.rows.report.rows;
            let before = self.report.rows;
            if before != after {
                let name = self.info.name.clone();
                return Err(FeedError::Changed { name, before, after });
            }
        }
        Ok(row)
    }

    /// Takes in the settlements before `now`. The mark is the last price at the settlement: the open of
    /// the bar that starts then, else the last close before.
    fn settle(&mut self, now: Stamp) -> Result<(), FeedError> {
        let Some(settlements) = &mut self.settlements else {
            return Ok(());
        };
        while let Some(next) = settlements.peek().filter(|s| s.at < now) {
            settlements.take()?;
            let mark = self.last[next.instrument.index()];
            if let Some((stamp, open, close)) = mark
                && next.at >= self.info.from
            {
                let mark = if stamp == next.at { open } else { close };
                self.settled.push((next.at, next.instrument, next.rate, mark));
            }
        }
        Ok(())
    }
}

impl Feed for HistoryFeed {
    fn info(&self) -> &FeedInfo {
        &self.info
    }

    fn universe(&self) -> &Universe {
        &self.universe
    }

    fn next(&mut self) -> Result<Option<Event>, FeedError> {
        if self.queue.is_empty() && self.bucket < self.info.to {
            self.fill()?;
        }
        Ok(self.queue.pop_front())
    }

    fn report(&self) -> FeedReport {
        self.report.clone()
    }
}

/// Adds a finer bar to a coarser one.
pub(super) fn merge(into: &mut Option<Bar>, bar: &Bar) {
    match into {
        None => *into = Some(*bar),
        Some(all) => {
            all.high = all.high.max(bar.high);
            all.low = all.low.min(bar.low);
            all.close = bar.close;
            all.volume += bar.volume;
        }
    }
}

/// Reads the funding file once for its hash and counts, and opens it again for streaming.
fn join_funding(
    funding: Option<&dyn SourceFile>,
    universe: &Universe,
    bars_hash: blake3::Hash,
    info: &mut FeedInfo,
    report: &mut FeedReport,
) -> Result<(Option<Settlements>, Vec<bool>), FeedError> {
    let mut paid = vec![false; universe.instruments.len()];
    let perps = universe.instruments.first().is_some_and(|i| i.kind == InstrumentKind::Perp);
    let Some(source) = funding else {
        if perps {
            info.notes.push("this data has no funding: perps pay none here".into());
        }
        return Ok((None, paid));
    };
    if !perps {
        info.notes.push(format!("{} is not used: the instruments are not perps", source.name()));
        return Ok((None, paid));
    }
    let mut first = Settlements::open(source, true, universe)?;
    while let Some(one) = first.take()? {
        let inside = one.at >= info.from && one.at < info.to;
        paid[one.instrument.index()] |= inside;
        info.has_funding |= inside;
    }
    let (hash, counts) = first.finish()?;
    let mut both = blake3::Hasher::new();
    both.update(bars_hash.as_bytes());
    if let Some(hash) = hash {
        both.update(hash.as_bytes());
    }
    info.data_hash = both.finalize().to_hex().to_string();
    report.bad_rows += counts.bad_rows;
    report.first_bad.extend(counts.first_bad);
    report.first_bad.truncate(FeedReport::NAMED);
    report.duplicates += counts.duplicates;
    report.unsorted += counts.unsorted;
    let without: Vec<&str> =
        universe.instruments.iter().filter(|i| !paid[i.id.index()]).map(|i| i.symbol.as_str()).collect();
    if !without.is_empty() {
        info.notes.push(format!(
            "{} has no funding for {}: they pay none here",
            source.name(),
            without.join(" ")
        ));
    }
    Ok((Some(Settlements::open(source, false, universe)?), paid))
}
