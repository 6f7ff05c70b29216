//! The rows of all files of a data set in one order, those that cannot be used left out and counted.
//! Both passes read through here, so they use the same rows.
//!
//! A row is used if it lies in the window, its symbol is wanted, it is later than the last row of its
//! symbol, its decision bucket is not over (no used row lies in a later one) and its numbers can be
//! believed. So rows may be out of order inside a bucket, across symbols, and nothing need be held back.

use super::decode::{DecodedLine, Decoder};
use super::source::SourceFile;
use super::symbols::{SYMBOLS_MAX, SymbolParts, SymbolTable};
use crate::domain::{Bar, Span, Stamp};
use crate::market::table::{LinePosition, PriceFindings, PriceJudge, TableShape, finishes};
use crate::market::{FeedError, FeedReport};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

/// Most files open at once; systems allow a process about a thousand.
pub(super) const FILES_MAX: usize = 512;

/// Which rows are looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    /// Rows before this are passed over.
    pub from: Option<Stamp>,
    /// The first row at or after this ends the reading.
    pub to: Option<Stamp>,
    /// Names that may be meant; `None` takes all.
    pub assets: Option<Vec<String>>,
    /// Rows that were found not to be what they say, by file and line, and why.
    pub left_out: Arc<BTreeMap<(usize, u64), String>>,
}

/// Files that are read side by side, each as what it was found to be.
#[derive(Clone, Copy)]
pub(super) struct BarFiles<'a> {
    /// Name of the data set.
    pub name: &'a str,
    pub sources: &'a [Box<dyn SourceFile>],
    pub shapes: &'a [Arc<TableShape>],
}

/// A row that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct UsableRow {
    /// Open of the bar.
    pub stamp: Stamp,
    /// Number in the symbol table.
    pub symbol: u16,
    /// The bar that it tells.
    pub bar: Bar,
}

/// What is remembered of a symbol while reading.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    wanted: bool,
    stamp: Option<Stamp>,
    /// Where the last row stands, and its bar; only while the prices are judged.
    row: Option<((usize, u64), Bar)>,
}

/// What is found while the rows go by for the first time.
#[derive(Default)]
struct Judging {
    by_symbol: Vec<PriceJudge>,
    found: PriceFindings,
}

/// Where the reading of a data set is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RowsPosition {
    /// By file: the row that is next, or, of the file whose row was given last, that one.
    files: Vec<LinePosition>,
    current: Option<usize>,
    bucket: Stamp,
    /// By symbol: the stamp of its last row.
    stamps: Vec<Option<Stamp>>,
    over: bool,
    rows: u64,
}

/// Reads the files of a data set side by side.
pub(super) struct AlignedRows {
    decoders: Vec<Decoder>,
    /// The next row of each file, earliest first; ties by symbol, then in the order of the files.
    heap: BinaryHeap<Reverse<(Stamp, u16, usize)>>,
    /// The file whose row was given last and must move on.
    current: Option<usize>,
    name: String,
    clock: Span,
    limits: Limits,
    bucket: Stamp,
    last: Vec<Last>,
    over: bool,
    judging: Option<Judging>,
    /// The symbols, numbered as they came.
    pub table: SymbolTable,
    /// Counts of this pass.
    pub report: FeedReport,
}

impl AlignedRows {
    /// Opens all sources. `learn` says whether [`AlignedRows::finish`] is wanted.
    pub fn open(
        files: BarFiles<'_>,
        clock: Span,
        limits: Limits,
        learn: bool,
        mut table: SymbolTable,
    ) -> Result<AlignedRows, FeedError> {
        let name = files.name;
        if files.sources.len() > FILES_MAX {
            return Err(FeedError::TooMany { name: name.to_string(), what: "files", limit: FILES_MAX });
        }
        let mut decoders = Vec::with_capacity(files.sources.len());
        for (source, shape) in files.sources.iter().zip(files.shapes) {
            decoders.push(Decoder::open(source.as_ref(), shape, learn, &mut table)?);
        }
        let mut rows = AlignedRows {
            decoders,
            judging: learn.then(Judging::default),
            heap: BinaryHeap::new(),
            current: None,
            name: name.to_string(),
            clock,
            limits,
            bucket: Stamp(i64::MIN),
            last: Vec::new(),
            over: false,
            table,
            report: FeedReport::default(),
        };
        for file in 0..rows.decoders.len() {
            rows.pull(file)?;
        }
        Ok(rows)
    }

    /// The next usable row.
    pub fn next(&mut self) -> Result<Option<UsableRow>, FeedError> {
        loop {
            if let Some(file) = self.current.take() {
                self.pull(file)?;
            }
            if self.over {
                return Ok(None);
            }
            let Some(Reverse((stamp, symbol, file))) = self.heap.pop() else {
                return Ok(None);
            };
            self.current = Some(file);
            if self.limits.to.is_some_and(|to| stamp >= to) {
                self.over = true;
                return Ok(None);
            }
            if self.limits.from.is_some_and(|from| stamp < from) {
                continue;
            }
            let last = self.remembered(symbol);
            if !last.wanted {
                continue;
            }
            let place = (file, self.decoders[file].line());
            if let Some(why) = self.limits.left_out.get(&place) {
                self.report.bad(self.decoders[file].name(), place.1, why);
                continue;
            }
            if last.stamp == Some(stamp) {
                self.report.duplicates += 1;
                self.doubled(symbol, place);
                continue;
            }
            let bucket = stamp.floor(self.clock);
            if bucket < self.bucket || last.stamp.is_some_and(|t| stamp < t) {
                self.report.unsorted += 1;
                continue;
            }
            let decoder = &self.decoders[file];
            match decoder.bar() {
                Ok(bar) => {
                    self.bucket = bucket;
                    self.last[symbol as usize].stamp = Some(stamp);
                    self.report.rows += 1;
                    self.judge(symbol, place, stamp, &bar);
                    return Ok(Some(UsableRow { stamp, symbol, bar }));
                }
                Err(reason) => self.report.bad(decoder.name(), decoder.line(), &reason),
            }
        }
    }

    /// Whether every file has volumes.
    pub fn has_volume(&self) -> bool {
        self.decoders.iter().all(|d| d.shape().has_volume())
    }

    /// A second row of a moment: the first is kept, unless this is what it became.
    fn doubled(&mut self, symbol: u16, place: (usize, u64)) {
        let Some((judging, last)) = self.judging.as_mut().zip(self.last.get_mut(symbol as usize)) else {
            return;
        };
        let (Some((before, other)), Ok(bar)) = (last.row, self.decoders[place.0].bar()) else { return };
        if finishes(&bar, &other) {
            judging
                .found
                .leave_out(before, || "a bar that was not over; the finished one is taken".to_owned());
            last.row = Some((place, bar));
        }
    }

    fn judge(&mut self, symbol: u16, place: (usize, u64), at: Stamp, bar: &Bar) {
        let Some(judging) = &mut self.judging else { return };
        let symbol = usize::from(symbol);
        self.last[symbol].row = Some((place, *bar));
        if judging.by_symbol.len() <= symbol {
            judging.by_symbol.resize_with(symbol + 1, PriceJudge::default);
        }
        judging.by_symbol[symbol].take(place, at, bar, &mut judging.found);
    }

    /// The hashes of all files, the rest of them read through, with the symbols, the counts, and what was found in the prices.
    pub fn finish(self) -> Result<(Vec<blake3::Hash>, SymbolTable, FeedReport, PriceFindings), FeedError> {
        let mut hashes = Vec::with_capacity(self.decoders.len());
        for decoder in self.decoders {
            hashes.extend(decoder.finish()?);
        }
        let mut judging = self.judging.unwrap_or_default();
        for judge in &mut judging.by_symbol {
            judge.finish(&mut judging.found);
        }
        Ok((hashes, self.table, self.report, judging.found))
    }

    /// Where the reading is.
    pub fn position(&self) -> RowsPosition {
        RowsPosition {
            files: self.decoders.iter().map(Decoder::position).collect(),
            current: self.current,
            bucket: self.bucket,
            stamps: self.last.iter().map(|last| last.stamp).collect(),
            over: self.over,
            rows: self.report.rows,
        }
    }

    /// Goes on from where another reading of the same files was. False if that cannot have been.
    pub fn seek(&mut self, sources: &[Box<dyn SourceFile>], to: &RowsPosition) -> Result<bool, FeedError> {
        if to.files.len() != self.decoders.len() || to.stamps.len() > self.table.names.len() {
            return Ok(false);
        }
        self.heap.clear();
        for (file, (source, at)) in sources.iter().zip(&to.files).enumerate() {
            self.decoders[file].seek(source.as_ref(), *at)?;
            if to.current == Some(file) {
                self.decoders[file].advance(&mut self.table)?;
            } else {
                self.pull(file)?;
            }
        }
        for (symbol, stamp) in to.stamps.iter().enumerate() {
            self.remembered(symbol as u16);
            self.last[symbol].stamp = *stamp;
        }
        (self.current, self.bucket, self.over, self.report.rows) = (to.current, to.bucket, to.over, to.rows);
        Ok(true)
    }

    /// Puts the next row of a file on the heap.
    fn pull(&mut self, file: usize) -> Result<(), FeedError> {
        loop {
            let decoder = &mut self.decoders[file];
            match decoder.advance(&mut self.table)? {
                DecodedLine::Row(stamp, symbol) => {
                    self.heap.push(Reverse((stamp, symbol, file)));
                    return Ok(());
                }
                DecodedLine::Bad(reason) => self.report.bad(decoder.name(), decoder.line(), &reason),
                DecodedLine::Full => {
                    let name = self.name.clone();
                    return Err(FeedError::TooMany { name, what: "symbols", limit: SYMBOLS_MAX });
                }
                DecodedLine::End => return Ok(()),
            }
        }
    }

    fn remembered(&mut self, symbol: u16) -> Last {
        while self.last.len() <= symbol as usize {
            let name = &self.table.names[self.last.len()];
            let wanted =
                self.limits.assets.as_ref().is_none_or(|list| SymbolParts::of(name).wanted(name, list));
            self.last.push(Last { wanted, ..Last::default() });
        }
        self.last[symbol as usize]
    }
}
