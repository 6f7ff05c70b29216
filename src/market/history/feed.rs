//! Recorded bars as a feed: the rows of a data set made into bars of the decision clock, with the settlements
//! of its perps between them.

use super::buckets::{bucket, merge};
use super::data_set::FilesByKind;
use super::funding::{self, FundingFile, Settlements};
use super::rows::{AlignedRows, BarFiles, Limits, RowsPosition, UsableRow};
use super::scan;
use super::settings::HistorySettings;
use super::source::SourceFile;
use crate::domain::{Bar, Event, InstrumentId, MarketEvent, Stamp, Universe};
use crate::market::feed::{FeedPosition, NO_VOLUME};
use crate::market::table::{Choices, SETTLED_WITHIN, TableKind, TableShape};
use crate::market::{Feed, FeedError, FeedInfo, FeedMode, FeedReport};
use std::collections::VecDeque;
use std::sync::Arc;

/// Recorded bars as events.
pub struct HistoryFeed {
    info: FeedInfo,
    universe: Universe,
    report: FeedReport,
    rows: AlignedRows,
    sources: Vec<Box<dyn SourceFile>>,
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

/// The files of settlements: those among the others, and the one that was named.
fn paid_by<'a>(
    set: &'a FilesByKind,
    named: Option<&'a dyn SourceFile>,
    choices: &Choices,
) -> Result<Vec<FundingFile<'a>>, FeedError> {
    let mut all: Vec<FundingFile<'a>> =
        set.funding.iter().map(|(source, shape)| (source.as_ref(), Arc::clone(shape))).collect();
    let Some(source) = named else { return Ok(all) };
    let shape = TableShape::look(source, choices)?;
    if !matches!(shape.kind, TableKind::Funding | TableKind::Ticker) {
        let (file, column) = (source.name().to_owned(), "rate".to_owned());
        return Err(FeedError::Column { file, column, header: "it holds bars".to_owned() });
    }
    all.push((source, Arc::new(shape)));
    Ok(all)
}

impl HistoryFeed {
    /// Scans a data set and opens it for streaming. Files are taken in the order of their names, so that
    /// which of two duplicates is first does not depend on the caller. Files of settlements are used for perps only,
    /// whether they stand among the others or are named as `funding`.
    pub fn open(
        settings: &HistorySettings,
        sources: Vec<Box<dyn SourceFile>>,
        funding: Option<&dyn SourceFile>,
    ) -> Result<Self, FeedError> {
        let set = FilesByKind::sort_out(settings, sources)?;
        let clock = settings.clock;
        let mut limits = Limits {
            // Whole buckets only: a half bar would differ from the same bar of a longer run.
            from: settings.window.from.map(|t| Stamp(t.0 + clock.0 - 1).floor(clock)),
            to: settings.window.to.map(|t| t.floor(clock)),
            assets: settings.window.assets.clone(),
            left_out: Arc::default(),
        };
        let files = BarFiles { name: &settings.name, sources: &set.bars, shapes: &set.shapes };
        let found = scan::scan(settings, set.kind, files, &mut limits)?;
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
            notes: settings.notes.iter().chain(&set.notes).chain(&found.notes).cloned().collect(),
        };
        let mut report = found.report;
        let paid_by = paid_by(&set, funding, &settings.choices)?;
        let (settlements, paid) =
            funding::join(&paid_by, &found.universe, found.hash, &mut info, &mut report)?;
        if !info.has_volume {
            info.notes.push(NO_VOLUME.into());
        }
        if report.jumps > 0 {
            info.notes.push(format!(
                "closes above ten times or below a tenth of the one before: {}; each counts once the next bar is near it",
                report.jumps
            ));
        }
        let assets = found.universe.assets.len();
        let rows = AlignedRows::open(files, clock, limits, false, found.table)?;
        Ok(HistoryFeed {
            bucket: info.from,
            info,
            universe: found.universe,
            report,
            rows,
            sources: set.bars,
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
    pub(super) fn unpaid(&self) -> Vec<InstrumentId> {
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
                // Venues stamp a settlement some milliseconds late.
                let opens = next.at >= stamp && next.at.0 < stamp.0 + SETTLED_WITHIN.0;
                let mark = if opens { open } else { close };
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

    fn position(&self) -> Option<FeedPosition> {
        // Between two buckets nothing of a bar or a settlement is pending.
        FeedPosition::of(
            &self.info,
            &(
                self.rows.position(),
                self.settlements.as_ref().map(Settlements::position),
                self.held,
                self.over,
                self.bucket,
                &self.last,
                &self.queue,
            ),
        )
    }

    fn seek(&mut self, to: &FeedPosition) -> Result<bool, FeedError> {
        type Kept = (
            RowsPosition,
            Option<(u64, bool)>,
            Option<UsableRow>,
            bool,
            Stamp,
            Vec<Option<(Stamp, f64, f64)>>,
            VecDeque<Event>,
        );
        let Some((rows, paid, held, over, bucket, last, queue)) = to.read::<Kept>(&self.info) else {
            return Ok(false);
        };
        let fits = last.len() == self.last.len() && paid.is_some() == self.settlements.is_some();
        if !fits || !self.rows.seek(&self.sources, &rows)? {
            return Ok(false);
        }
        if let (Some(settlements), Some(paid)) = (&mut self.settlements, paid) {
            settlements.seek(paid)?;
        }
        (self.held, self.over, self.bucket, self.last, self.queue) = (held, over, bucket, last, queue);
        Ok(true)
    }
}
