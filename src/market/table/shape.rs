//! What a table is, learned from its name and its first rows, or what has to be decided before it can be read.

use super::arrays::{TableText, is_of_objects};
use super::choices::{Choices, DateOrder, SettleRule, StampSide, VolumeUnit};
use super::columns::{ColumnRole, HeaderNames, TableColumns, cell_text, clean};
use super::names::{FileHints, SymbolPair};
use super::rows::{read_number, records, shown};
use super::stamps::{EARLIEST, StampReader, is_clock, is_day, serial, short_date};
use crate::domain::{InstrumentKind, Span, Stamp};
use crate::market::FeedError;
use crate::market::source::SourceFile;
use csv::ByteRecord;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read};

/// Bytes of a file in which its separator is sought.
const HEAD: u64 = 1 << 14;
/// Rows of a file that are looked at.
const SAMPLE: usize = 2_048;
/// Dollars that no pair turns over in a day: such a volume counts dollars, not coins.
const TURNOVER_MAX: f64 = 2e12;
/// Half of all settlements are below this part of the notional, in any market that lasts.
const RATE_USUAL: f64 = 0.003;
/// Settlements and rows that are needed to say anything of their rates.
const RATES_LEAST: usize = 12;
/// What some files are ahead of UTC.
const AHEAD: Span = Span(3 * Span::HOUR.0);
const MINUTE: Span = Span::seconds(60);

/// What the rows of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableKind {
    /// Bars; a file with closes only has bars of one price.
    Bars,
    /// Settlements of funding.
    Funding,
    /// What the next settlement will be, told again and again; it is one when the next one is spoken of.
    Ticker,
    /// Prices at which nothing is traded.
    Reference,
}

/// What a table is.
#[derive(Clone, Debug)]
pub(crate) struct TableShape {
    pub kind: TableKind,
    /// Rows of lists instead of lines.
    pub(super) lists: bool,
    pub(super) delimiter: u8,
    /// Rows before the first of data.
    pub(super) skipped: usize,
    pub(super) decimal_comma: bool,
    pub(super) time: StampReader,
    pub(super) columns: TableColumns,
    pub(super) volume: VolumeUnit,
    pub(super) rate_unit: f64,
    pub(super) settle: Option<Span>,
    /// Length of its bars as far as it was looked at.
    pub bar: Option<Span>,
    /// What its name tells.
    pub hints: FileHints,
    /// What is not taken as it stands.
    pub notes: Vec<String>,
}

impl TableShape {
    /// Whether there are volumes.
    pub fn has_volume(&self) -> bool {
        self.columns.volume.is_some() && self.volume != VolumeUnit::Unknown
    }

    /// A number as it is written here.
    pub(super) fn number(&self, text: &[u8]) -> Option<f64> {
        if !self.decimal_comma {
            return read_number(text);
        }
        // A point beside it stands between the thousands.
        let pointed: Vec<u8> =
            text.iter().filter(|b| **b != b'.').map(|b| if *b == b',' { b'.' } else { *b }).collect();
        read_number(&pointed)
    }

    /// The columns that are read, whatever else there is.
    pub fn wanted(&self) -> Vec<usize> {
        let TableColumns { symbol, range, close, volume, turnover, rate, settlement, mark } = self.columns;
        let some = [
            Some(self.time.column),
            self.time.clock,
            symbol,
            close,
            volume,
            turnover,
            rate,
            settlement,
            mark,
        ];
        some.into_iter().flatten().chain(range.into_iter().flatten()).collect()
    }

    /// Whether its rows name their symbol.
    pub fn names_symbols(&self) -> bool {
        self.columns.symbol.is_some()
    }

    /// Looks at the beginning of a file.
    pub fn look(source: &dyn SourceFile, choices: &Choices) -> Result<TableShape, FeedError> {
        let choices = source.choices().map_or_else(|| choices.clone(), |own| own.with(choices));
        let failed =
            |e: io::Error| FeedError::Read { file: source.name().to_owned(), line: 0, reason: e.to_string() };
        let mut bytes = source.open().map_err(failed)?;
        let mut head = Vec::new();
        let read = bytes.by_ref().take(HEAD).read_to_end(&mut head);
        // What is wrong further on is told by who reads it.
        if head.is_empty() {
            read.map_err(failed)?;
        }
        let sample = TableSample::read(source.name(), &head, Cursor::new(head.clone()).chain(bytes))?;
        Looked { source, sample, choices, hints: FileHints::of(source.path()) }.shape()
    }
}

/// The beginning of a file, taken apart.
struct TableSample {
    lists: bool,
    delimiter: u8,
    skipped: usize,
    /// Names of the columns as [`clean`] leaves them; empty without a header.
    header: Vec<String>,
    /// The same as they stand there.
    shown: String,
    rows: Vec<(u64, ByteRecord)>,
}

impl TableSample {
    fn read<R: Read>(name: &str, head: &[u8], bytes: R) -> Result<TableSample, FeedError> {
        let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let lists = matches!(start.first(), Some(b'[' | b'{'));
        let of_objects = lists && is_of_objects(start);
        let is_address = |l: &[u8]| l.windows(4).any(|w| w == b"http");
        let first = head
            .split(|b| *b == b'\n')
            .find(|l| !l.is_empty() && !is_address(l) && !l.starts_with(b"sep="))
            .unwrap_or_default();
        let count = |d: u8| first.split(|b| *b == d).count();
        // Of equals the first: dates may hold what separates nothing.
        let delimiter = if lists {
            b','
        } else {
            [b'|', b'\t', b';', b','].into_iter().max_by_key(|d| count(*d)).unwrap_or(b',')
        };
        let mut csv = records(TableText::new(bytes, lists), delimiter);
        let (mut header, mut rows, mut skipped, mut shown) = (Vec::new(), Vec::new(), 0, String::new());
        let mut record = ByteRecord::new();
        loop {
            match csv.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                // What is wrong further on is told by who reads it.
                Err(_) if !rows.is_empty() => break,
                Err(e) => {
                    return Err(FeedError::Read { file: name.to_owned(), line: 1, reason: e.to_string() });
                }
            }
            let line = record.position().map_or(0, csv::Position::line);
            if rows.is_empty() && header.is_empty() {
                if record.iter().any(is_address) || is_preface(&record) {
                    skipped += 1;
                    continue;
                }
                let is_row = record.get(0).is_some_and(|f| f.first().is_some_and(u8::is_ascii_digit));
                if of_objects || !is_row && !lists {
                    if crate::market::bounded_lines::has_stray_quote(&record) {
                        let reason = "a quote in the header is not closed".to_owned();
                        return Err(FeedError::Read { file: name.to_owned(), line, reason });
                    }
                    header = record.iter().map(|c| clean(&String::from_utf8_lossy(c))).collect();
                    shown = record
                        .iter()
                        .map(String::from_utf8_lossy)
                        .collect::<Vec<_>>()
                        .join(", ")
                        .chars()
                        .take(120)
                        .collect();
                    skipped += 1;
                    continue;
                }
            }
            if rows.is_empty() && is_below_header(name, &mut header, &record)? {
                skipped += 1;
                continue;
            }
            rows.push((line, record.clone()));
            if rows.len() == SAMPLE {
                break;
            }
        }
        Ok(TableSample { lists, delimiter, skipped, header, shown, rows })
    }

    fn cells(&self, column: usize) -> impl Iterator<Item = &[u8]> {
        self.rows.iter().filter_map(move |(_, r)| r.get(column)).map(<[u8]>::trim_ascii)
    }

    fn all(&self, column: usize, is: impl Fn(&[u8]) -> bool) -> bool {
        let mut cells = self.cells(column).filter(|c| !c.is_empty()).take(64).peekable();
        cells.peek().is_some() && cells.all(is)
    }
}

/// Whether a number may be one whose parts stand behind a comma and whose thousands are parted by points: `42.140,50`.
fn has_decimal_comma(text: &[u8]) -> bool {
    let mut parts = text.split(|b| *b == b',');
    let (whole, rest) = (parts.next().unwrap_or_default(), parts.next());
    let mut groups = whole.split(|b| *b == b'.');
    let digits = |g: &[u8]| g.iter().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+'));
    let starts = groups.next().is_some_and(|g| digits(g) && g.len() <= 15);
    starts
        && groups.all(|g| g.len() == 3 && digits(g))
        && rest.is_none_or(|r| !r.contains(&b'.'))
        && parts.next().is_none()
}

/// A line before the header that says how a spreadsheet is to take the file, or anything in a comment.
fn is_preface(record: &ByteRecord) -> bool {
    let first = record.get(0).unwrap_or_default();
    first.starts_with(b"sep=") || record.len() == 1 && first.starts_with(b"#")
}

/// Yahoo's header has two more lines, one of the symbols and one with the name of the stamps.
fn is_below_header(name: &str, header: &mut [String], record: &ByteRecord) -> Result<bool, FeedError> {
    let Some(price) = header.first_mut() else { return Ok(false) };
    let first = clean(&cell_text(record.get(0).unwrap_or_default()));
    if price == "price" && first == "ticker" {
        let mut symbols = record.iter().skip(1);
        let one = symbols.next().unwrap_or_default();
        if symbols.any(|s| s != one) {
            return Err(undecided(
                name,
                "its columns are of several symbols side by side",
                "write a file for each (`df.xs(symbol, axis=1, level=1).to_csv(...)`)",
            ));
        }
        return Ok(true);
    }
    let is_name = price == "price" && (first == "date" || first == "datetime");
    if is_name {
        *price = first;
    }
    Ok(is_name)
}

pub(super) fn undecided(file: &str, found: impl Into<String>, ways: impl Into<String>) -> FeedError {
    FeedError::Undecided { file: file.to_owned(), found: found.into(), ways: ways.into() }
}

/// A file that is being understood.
struct Looked<'a> {
    source: &'a dyn SourceFile,
    sample: TableSample,
    choices: Choices,
    hints: FileHints,
}

impl Looked<'_> {
    fn shape(self) -> Result<TableShape, FeedError> {
        let (mut columns, time) = self.columns()?;
        let kind = self.kind(&mut columns);
        let mut shape = TableShape {
            kind,
            lists: self.sample.lists,
            delimiter: self.sample.delimiter,
            skipped: self.sample.skipped,
            decimal_comma: false,
            time: StampReader { column: time, ..StampReader::default() },
            columns,
            volume: VolumeUnit::Base(1.0),
            rate_unit: 1.0,
            settle: None,
            bar: None,
            hints: self.hints.clone(),
            notes: Vec::new(),
        };
        shape.decimal_comma = shape.delimiter != b','
            && shape.columns.close.or(shape.columns.rate).is_some_and(|c| {
                self.sample.all(c, has_decimal_comma) && self.sample.cells(c).any(|v| v.contains(&b','))
            });
        self.time(&mut shape)?;
        match kind {
            TableKind::Bars => {
                self.closes(&mut shape);
                self.volume(&mut shape)?;
                if shape.columns.rate.is_some() {
                    shape.notes.push(format!(
                        "{}: its rows are bars, the rates in them are left out; settlements are read from a file of their own",
                        self.source.name()
                    ));
                }
            }
            TableKind::Funding | TableKind::Ticker => self.rates(&mut shape)?,
            TableKind::Reference => {}
        }
        Ok(shape)
    }

    /// Where the columns are, the first of the time apart.
    fn columns(&self) -> Result<(TableColumns, usize), FeedError> {
        if self.sample.header.is_empty() {
            return self.positions();
        }
        let names = HeaderNames { names: self.sample.header.clone(), map: &self.choices.map };
        let lacks = |column: &str| FeedError::Column {
            file: self.source.name().to_owned(),
            column: column.to_owned(),
            header: self.sample.shown.clone(),
        };
        let columns = names.columns().map_err(|c| lacks(&c))?;
        let time = match names.mapped(ColumnRole::Time) {
            Some(mapped) => mapped.map_err(|c| lacks(&c))?.first().copied(),
            None => names.find(ColumnRole::Time).map_err(|c| lacks(&c))?,
        };
        let time = time.or_else(|| {
            // A table of days may leave its first column without a name.
            let first = self.sample.header.first().is_some_and(|n| n.is_empty() || n == "unnamed_0");
            (first && self.sample.all(0, |c| super::stamps::read_stamp(c).is_some())).then_some(0)
        });
        let time = time.ok_or_else(|| lacks("time"))?;
        if columns.close.is_none() && columns.rate.is_none() {
            return Err(lacks(if self.hints.funding { "rate" } else { "close" }));
        }
        Ok((columns, time))
    }

    /// A dump without a header: open time, open, high, low, close, volume, and of Binance the end and the quote's volume.
    fn positions(&self) -> Result<(TableColumns, usize), FeedError> {
        let width = self.sample.rows.first().map_or(0, |r| r.1.len());
        if width == 0 {
            return Err(undecided(self.source.name(), "it is empty", "fetch it again, or take it away"));
        }
        let is_rate = |c: usize| self.sample.all(c, |v| read_number(v).is_some_and(|r| libm::fabs(r) < 1.0));
        if self.hints.funding && (2..=4).contains(&width) && is_rate(width - 1) {
            // A moment, perhaps a symbol or hours, and the rate at the end.
            let symbol = (1..width - 1).find(|c| self.sample.all(*c, |v| read_number(v).is_none()));
            return Ok((TableColumns { symbol, rate: Some(width - 1), ..TableColumns::default() }, 0));
        }
        let shift = usize::from(self.sample.all(0, is_day) && self.sample.all(1, is_clock));
        if width < 5 + shift && self.choices.map.is_empty() {
            let found = format!("it has no header, and rows of {width} cells, which are no bars");
            return Err(undecided(
                self.source.name(),
                found,
                "give it a header: time,open,high,low,close,volume",
            ));
        }
        // Kraken has an average before the volume, OKX contracts before the coins; Coinbase has the low first.
        let [o, h, l, c] = [1, 2, 3, 4].map(|n| n + shift);
        let is_average = width > 6 + shift && self.stands_between(5 + shift, [h, l]);
        let is_okx = width == 9 && shift == 0;
        let is_coinbase = width == 6
            && shift == 0
            && ![o, c].iter().all(|n| self.stands_between(*n, [h, l]))
            && [3, 4].iter().all(|n| self.stands_between(*n, [2, 1]));
        let volume = 5 + shift + usize::from(is_average || is_okx);
        let columns = TableColumns {
            range: Some(if is_coinbase { [3, 2, 1] } else { [o, h, l] }),
            close: Some(c),
            volume: (width > volume).then_some(volume),
            turnover: (matches!(width, 9 | 12) && shift == 0 && !is_average).then_some(7),
            ..TableColumns::default()
        };
        Ok((columns, 0))
    }

    /// Whether a column is between the high and the low of each row.
    fn stands_between(&self, column: usize, [high, low]: [usize; 2]) -> bool {
        let mut rows = self.sample.rows.iter().take(64).peekable();
        rows.peek().is_some()
            && rows.all(|(_, r)| {
                let [x, high, low] = [column, high, low].map(|c| r.get(c).and_then(read_number));
                x.zip(high).zip(low).is_some_and(|((x, high), low)| (low..=high).contains(&x))
            })
    }

    /// The pairs that are in it, as far as it was looked at: of its rows, or the one of its name.
    fn pairs(&self, shape: &TableShape) -> Vec<SymbolPair> {
        let Some(column) = shape.columns.symbol else { return self.hints.pair.iter().cloned().collect() };
        let cells: BTreeSet<&[u8]> = self.sample.cells(column).collect();
        cells.into_iter().filter_map(|c| SymbolPair::of(&cell_text(c))).collect()
    }

    fn kind(&self, columns: &mut TableColumns) -> TableKind {
        let bars = columns.close.is_some();
        if columns.rate.is_some() && columns.settlement.is_some() {
            return TableKind::Ticker;
        }
        // Freqtrade keeps rates where bars have their open; prices are not of that size.
        let is_rate =
            |c: &usize| self.sample.all(*c, |v| read_number(v).is_some_and(|r| libm::fabs(r) < 5.0));
        if columns.rate.is_none() && self.hints.funding && columns.range.is_some_and(|r| is_rate(&r[0])) {
            columns.rate = columns.range.map(|r| r[0]).or(columns.close);
            columns.mark = None;
            return TableKind::Funding;
        }
        if columns.rate.is_some() && (!bars || columns.range.is_none()) {
            return TableKind::Funding;
        }
        if self.hints.reference.is_some() && !self.choices.reference {
            return TableKind::Reference;
        }
        TableKind::Bars
    }

    /// How the moments are written.
    fn time(&self, shape: &mut TableShape) -> Result<(), FeedError> {
        let file = self.source.name();
        let sample = &self.sample;
        let names = HeaderNames { names: sample.header.clone(), map: &self.choices.map };
        let mapped = names.mapped(ColumnRole::Time).and_then(Result::ok).unwrap_or_default();
        let column = shape.time.column;
        if let [day, clock] = mapped[..] {
            (shape.time.column, shape.time.clock) = (day, Some(clock));
        } else if mapped.is_empty() && sample.all(column, is_day) {
            // The time of day has a column of its own: beside it in a dump, else one named after time.
            let beside = |c: &usize| {
                let named = sample.header.get(*c).is_none_or(|n| {
                    ["time", "hour", "clock", "timestamp"].iter().any(|w| n.split('_').any(|part| part == *w))
                });
                *c != column && named && sample.all(*c, is_clock)
            };
            let width = sample.rows.first().map_or(0, |r| r.1.len());
            shape.time.clock = (0..if sample.header.is_empty() { width.min(2) } else { width }).find(beside);
        } else if mapped.is_empty() && sample.all(column, is_clock) {
            let width = sample.rows.first().map_or(0, |r| r.1.len());
            let day = (0..width).find(|c| *c != column && sample.all(*c, is_day));
            let day = day.ok_or_else(|| {
                let found = "its column of time has the time of day and no day".to_owned();
                undecided(file, found, "name the column of the day with map=time=DAY+CLOCK")
            })?;
            (shape.time.column, shape.time.clock) = (day, Some(column));
        }
        self.order(shape)?;
        shape.time.serial = !self.choices.early && sample.all(shape.time.column, |c| serial(c).is_some());
        if shape.time.serial {
            shape.notes.push(format!("{file}: its stamps are the days of a spreadsheet, taken as UTC"));
        }
        self.early(shape)
    }

    /// Whether the day or the month stands first, where the year does not.
    fn order(&self, shape: &mut TableShape) -> Result<(), FeedError> {
        let column = shape.time.column;
        if let Some(order) = self.choices.dates {
            shape.time.order = order;
            return Ok(());
        }
        let dates: Vec<(u32, u32)> = self.sample.cells(column).filter_map(short_date).collect();
        if dates.is_empty() || !self.sample.all(column, |c| short_date(c).is_some()) {
            return Ok(());
        }
        shape.time.order = match (dates.iter().any(|d| d.0 > 12), dates.iter().any(|d| d.1 > 12)) {
            (true, false) => DateOrder::Day,
            (false, true) => DateOrder::Month,
            _ => {
                let found = "its dates do not tell whether the day or the month stands first".to_owned();
                return Err(undecided(self.source.name(), found, "decide it with dates=dmy or dates=mdy"));
            }
        };
        Ok(())
    }

    /// Numbers that mean a moment before there were coins are in another unit.
    fn early(&self, shape: &TableShape) -> Result<(), FeedError> {
        if self.choices.early || shape.time.serial {
            return Ok(());
        }
        for (line, record) in &self.sample.rows {
            let cell = |c: usize| record.get(c).unwrap_or_default();
            let text = cell(shape.time.column).trim_ascii();
            let is_number = text.iter().all(|b| b.is_ascii_digit() || *b == b'.') && !text.is_empty();
            let Some(at) = shape.time.read(cell).filter(|at| is_number && *at < EARLIEST && !is_day(text))
            else {
                continue;
            };
            return Err(undecided(
                self.source.name(),
                format!("line {line}: the stamp `{}` is read as {at}, before there were coins", shown(text)),
                "write stamps as ISO or in seconds, milliseconds, microseconds or nanoseconds since 1970, map the right \
                 column with map=time=COLUMN, or keep them with early=keep",
            ));
        }
        Ok(())
    }

    /// The moments of the sample, by symbol.
    fn moments(&self, shape: &TableShape) -> BTreeMap<Vec<u8>, Vec<Stamp>> {
        let mut all: BTreeMap<Vec<u8>, Vec<Stamp>> = BTreeMap::new();
        for (_, record) in &self.sample.rows {
            let symbol = shape.columns.symbol.and_then(|c| record.get(c)).unwrap_or_default().to_vec();
            if let Some(at) = shape.time.read(|c| record.get(c).unwrap_or_default()) {
                all.entry(symbol).or_default().push(at);
            }
        }
        all
    }

    /// The length of the bars, and whether stamps are their ends.
    fn closes(&self, shape: &mut TableShape) {
        let moments = self.moments(shape);
        shape.bar = length(&moments, shape.hints.bar);
        let named = self.sample.header.get(shape.time.column).is_some_and(|n| n.starts_with("close"));
        let side = self.choices.stamps;
        // The last millisecond, or the last second, of a minute.
        let ends = |tail: i64| {
            let mut all = moments.values().flatten().peekable();
            all.peek().is_some() && all.all(|at| (at.0 + tail) % MINUTE.0 == 0)
        };
        let tail = [1_000_000, 1_000_000_000, 1_000, 1].into_iter().find(|t| ends(*t));
        let is_close = side == Some(StampSide::Close) || side.is_none() && (named || tail.is_some());
        let Some(length) = shape.bar.filter(|l| is_close && (l.0 >= MINUTE.0 || tail.is_none())) else {
            return;
        };
        shape.time.shift = Span(tail.unwrap_or(0) - length.0);
        shape.time.ends = tail.filter(|_| side.is_none());
        shape.notes.push(format!(
            "{}: its stamps are the ends of its bars and are read as their opens, {length} before",
            self.source.name()
        ));
    }

    /// What its volumes count.
    fn volume(&self, shape: &mut TableShape) -> Result<(), FeedError> {
        let file = self.source.name();
        let names = HeaderNames { names: self.sample.header.clone(), map: &self.choices.map };
        if shape.columns.volume.is_none() && shape.columns.turnover.is_some() {
            (shape.columns.volume, shape.columns.turnover) = (shape.columns.turnover, None);
            shape.volume = VolumeUnit::Quote(1.0);
            shape.notes.push(format!(
                "{file}: its volumes are in the quote's currency and are divided by the close"
            ));
        }
        if let Some(unit) = self.choices.volume {
            shape.volume = unit;
            shape.columns.turnover = None;
            return Ok(());
        }
        let Some(volume) = shape.columns.volume else { return Ok(()) };
        if shape.hints.venue == "ftx"
            && shape.volume == VolumeUnit::Base(1.0)
            && !self.explained(shape, volume)
        {
            shape.volume = VolumeUnit::Quote(1.0);
            shape.notes.push("FTX wrote volumes in dollars: they are divided by the close".to_owned());
            return Ok(());
        }
        let counted = self.sample.header.iter().any(|n| matches!(n.as_str(), "volume" | "vol"));
        if !names.names.is_empty() && names.counts_base(volume) && counted {
            let base = &names.names[volume];
            shape.notes.push(format!("{file}: its volume counts contracts; {base} is taken, in coins"));
        }
        if self.sample.all(volume, |v| read_number(v) == Some(0.0)) {
            shape.notes.push(format!(
                "{file}: its volumes are zero, so that nothing of it can be traded; take another column with map=volume=COLUMN, or \
                 leave them out with volume=none"
            ));
        }
        self.against_turnover(shape, volume)?;
        self.inverse(shape, volume)?;
        self.dollars(shape, volume)
    }

    /// Whether there is a quote volume that says what the volume is.
    fn explained(&self, shape: &TableShape, volume: usize) -> bool {
        let ratio = shape
            .columns
            .turnover
            .and_then(|t| self.median(shape, |r| Some(r(volume)? * r(shape.columns.close?)? / r(t)?)));
        ratio.is_some_and(|r| (0.5..2.0).contains(&r))
    }

    /// Volume times close is the quote's volume, or says what the volume is.
    fn against_turnover(&self, shape: &mut TableShape, volume: usize) -> Result<(), FeedError> {
        let (Some(turnover), Some(close)) = (shape.columns.turnover, shape.columns.close) else {
            return Ok(());
        };
        let file = self.source.name();
        let Some(ratio) = self.median(shape, |r| Some(r(volume)? * r(close)? / r(turnover)?)) else {
            return Ok(());
        };
        if (0.5..2.0).contains(&ratio) {
            return Ok(());
        }
        let same = self.median(shape, |r| Some(r(volume)? / r(turnover)?));
        let back = self.median(shape, |r| Some(r(turnover)? * r(close)? / r(volume)?));
        if same.is_some_and(|s| (0.9..1.1).contains(&s)) {
            shape.volume = VolumeUnit::Quote(1.0);
            shape.columns.turnover = None;
            shape.notes.push(format!(
                "{file}: both of its volumes are in the quote's currency; they are divided by the close"
            ));
            return Ok(());
        }
        if let Some(back) = back
            .filter(|b| (0.5..2.0).contains(b) || [10.0, 100.0].iter().any(|k| (0.9..1.1).contains(&(b / k))))
        {
            shape.columns.volume = Some(turnover);
            shape.columns.turnover = None;
            let what = if back > 5.0 { "count contracts and coins" } else { "stand in each other's place" };
            shape.notes.push(format!("{file}: its two volumes {what}; the one in coins is taken"));
            return Ok(());
        }
        Err(undecided(
            file,
            format!("its volume times its close is {ratio:.3e} times its quote volume"),
            "decide what a unit of its volume is with volume=base, volume=quote or volume=base*0.01, or leave it out with \
             volume=none",
        ))
    }

    /// Contracts that are paid in coins.
    fn inverse(&self, shape: &mut TableShape, volume: usize) -> Result<(), FeedError> {
        let file = self.source.name();
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file).to_ascii_uppercase();
        let pairs = self.pairs(shape);
        let named = |p: &&SymbolPair| name.contains("USD_PERP") || p.symbol.ends_with("USD_PERP");
        let in_dollars = || pairs.iter().filter(|p| p.quote.as_deref() == Some("USD"));
        let Some(pair) = in_dollars().find(named).or_else(|| in_dollars().next()) else {
            return Ok(());
        };
        let tells = named(&pair)
            || matches!(
                shape.hints.venue.as_str(),
                "binance" | "bybit" | "okx" | "bitmex" | "deribit" | "huobi" | "htx"
            ) && shape.hints.kind == Some(InstrumentKind::Perp);
        if !tells {
            return Ok(());
        }
        let names = HeaderNames { names: self.sample.header.clone(), map: &self.choices.map };
        let in_base = shape.columns.volume != Some(volume)
            || !names.names.is_empty() && names.counts_base(volume)
            || self.explained(shape, volume);
        if !in_base {
            return Err(undecided(
                file,
                format!(
                    "{} is paid in coins, and its volume counts contracts of so many dollars each",
                    pair.symbol
                ),
                "say of how many: volume=quote*100 (bitcoin at Binance and OKX), volume=quote*10 (other coins), volume=quote \
                 (one dollar), or volume=base where it is in coins",
            ));
        }
        shape
            .notes
            .push(format!("{} is paid in coins; it is counted as if it were paid in dollars", pair.symbol));
        Ok(())
    }

    /// A volume in dollars that is written as if it were one of coins.
    fn dollars(&self, shape: &mut TableShape, volume: usize) -> Result<(), FeedError> {
        let file = self.source.name();
        let (Some(close), Some(bar)) = (shape.columns.close, shape.bar) else { return Ok(()) };
        if shape.volume != VolumeUnit::Base(1.0) || shape.columns.turnover.is_some() {
            return Ok(());
        }
        let pairs = self.pairs(shape);
        let Some(pair) = pairs.iter().find(|p| p.quote.as_deref().is_some_and(super::is_dollar)) else {
            return Ok(());
        };
        let Some(turnover) = self.median(shape, |r| Some(r(volume)? * r(close)?)) else { return Ok(()) };
        let day = turnover * Span::DAY.0 as f64 / bar.0.max(1) as f64;
        if day > TURNOVER_MAX {
            return Err(undecided(
                file,
                format!(
                    "its volume times its close is {day:.1e} dollars a day, more than is traded anywhere"
                ),
                "decide that it is in dollars with volume=quote, in coins with volume=base, or leave it out with volume=none",
            ));
        }
        // Yahoo's way of writing a pair.
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        if name.starts_with(&format!("{}-USD.", pair.base)) {
            shape.notes.push(format!(
                "{file}: its volume is taken as {}; where it is in dollars, as Yahoo writes it, run it with volume=quote",
                pair.base
            ));
        }
        Ok(())
    }

    /// What the rates of settlements are, and when they are paid.
    fn rates(&self, shape: &mut TableShape) -> Result<(), FeedError> {
        let file = self.source.name();
        let Some(column) = shape.columns.rate else { return Ok(()) };
        let names = HeaderNames { names: self.sample.header.clone(), map: &self.choices.map };
        let told = if names.names.is_empty() { None } else { names.rate_unit(column) };
        shape.rate_unit = self.choices.rates.or(told).unwrap_or(1.0);
        if told.is_some() && self.choices.rates.is_none() {
            shape.notes.push(format!(
                "{file}: its rates are in {}",
                if told == Some(0.01) { "percent" } else { "basis points" }
            ));
        }
        let known = self.choices.rates.is_some() || told.is_some();
        let rows = self.sample.cells(column).filter(|c| read_number(c).is_some()).count();
        let size = self.median(shape, |r| Some(libm::fabs(r(column)?)));
        if let Some(size) = size.filter(|s| !known && rows >= RATES_LEAST && *s > RATE_USUAL) {
            return Err(undecided(
                file,
                format!(
                    "half of its rates are above {size} of the notional a settlement, which no market pays"
                ),
                "decide what they are with rates=percent, rates=bp or rates=fraction",
            ));
        }
        match self.choices.settle {
            Some(SettleRule::Each) => return Ok(()),
            Some(SettleRule::Every(span)) => {
                shape.settle = Some(span);
                return Ok(());
            }
            None => {}
        }
        if shape.kind == TableKind::Ticker {
            shape.notes.push(format!(
                "{file}: of its rows that tell the same settlement one is counted, the last before it"
            ));
            return Ok(());
        }
        self.ahead(shape);
        self.spacing(shape, column)
    }

    /// Files with the header `Symbol,Date,Funding Rate` were written in UTC+3 for Binance, Bybit and `KuCoin`, where their
    /// settlements fall beside the hours at which those venues settle.
    fn ahead(&self, shape: &mut TableShape) {
        let header = self.sample.header.iter().map(String::as_str);
        let known = header.eq(["symbol", "date", "funding_rate"])
            && matches!(shape.hints.venue.as_str(), "binance" | "bybit" | "kucoin");
        let moments = self.moments(shape);
        let beside = |at: &&Stamp| (at.0 - AHEAD.0).rem_euclid(4 * Span::HOUR.0) < MINUTE.0;
        let (all, off) =
            (moments.values().flatten().count(), moments.values().flatten().filter(beside).count());
        if known && off * 10 > all * 9 {
            shape.time.shift = Span(-AHEAD.0);
            shape
                .notes
                .push(format!("funding of {} was stamped in UTC+3 and is moved back", shape.hints.venue));
        }
    }

    /// Rates that are written more often than they are paid.
    fn spacing(&self, shape: &TableShape, column: usize) -> Result<(), FeedError> {
        let Some(spacing) = commonest(&self.moments(shape)) else { return Ok(()) };
        let ways =
            "count those that are paid with settle=8h (or settle=4h, settle=1h), or all with settle=each";
        let file = self.source.name();
        let rows = self.sample.rows.len();
        if rows < RATES_LEAST {
            return Ok(());
        }
        if spacing.0 < Span::HOUR.0 - MINUTE.0 {
            let found = format!("its rates are written every {spacing}, more often than anybody settles");
            return Err(undecided(file, found, ways));
        }
        if spacing.0 > Span::HOUR.0 + MINUTE.0 {
            return Ok(());
        }
        let mut of_symbol: BTreeMap<&[u8], Vec<(Stamp, &[u8])>> = BTreeMap::new();
        for (_, r) in &self.sample.rows {
            let symbol = shape.columns.symbol.and_then(|c| r.get(c)).unwrap_or_default();
            if let (Some(at), Some(rate)) = (shape.time.read(|c| r.get(c).unwrap_or_default()), r.get(column))
            {
                of_symbol.entry(symbol).or_default().push((at, rate));
            }
        }
        // What all symbols are paid alike is in the longest.
        let cells = of_symbol.into_values().max_by_key(Vec::len).unwrap_or_default();
        let changes: Vec<Stamp> = cells.windows(2).filter(|w| w[0].1 != w[1].1).map(|w| w[1].0).collect();
        // An hourly rate differs nearly every hour; one that changes only every fourth or eighth is filled in between.
        let filled = changes.len() * 3 < cells.len()
            && changes.iter().all(|at| (at.0 + MINUTE.0 / 2).rem_euclid(4 * Span::HOUR.0) < 2 * MINUTE.0);
        if filled && cells.len() >= 24 {
            let found = "its rates stand in every hour and change only when they are paid".to_owned();
            return Err(undecided(file, found, ways));
        }
        Ok(())
    }

    /// The median over the sample of what a row gives; none where too few rows give anything.
    fn median(
        &self,
        shape: &TableShape,
        of: impl Fn(&dyn Fn(usize) -> Option<f64>) -> Option<f64>,
    ) -> Option<f64> {
        let mut all: Vec<f64> = self
            .sample
            .rows
            .iter()
            .filter_map(|(_, record)| {
                let read = |c: usize| shape.number(record.get(c)?);
                of(&read).filter(|x| x.is_finite() && *x > 0.0)
            })
            .collect();
        if all.is_empty() {
            return None;
        }
        all.sort_by(f64::total_cmp);
        Some(all[all.len() / 2])
    }
}

/// The commonest time between two rows of a symbol, the shorter of equals.
fn commonest(moments: &BTreeMap<Vec<u8>, Vec<Stamp>>) -> Option<Span> {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for stamps in moments.values() {
        for pair in stamps.windows(2) {
            let spacing = pair[1].since(pair[0]).0.abs();
            if spacing > 0 {
                *counts.entry(spacing).or_default() += 1;
            }
        }
    }
    counts.into_iter().rev().max_by_key(|(_, n)| *n).map(|(spacing, _)| Span(spacing))
}

/// The length of bars: the time that most of them are apart, or what the file's name tells.
fn length(moments: &BTreeMap<Vec<u8>, Vec<Stamp>>, told: Option<Span>) -> Option<Span> {
    let found = commonest(moments)?;
    let spacings =
        || moments.values().flat_map(|m| m.windows(2).map(|w| w[1].since(w[0]).0.abs())).filter(|s| *s > 0);
    let (all, of_it) = (spacings().count(), spacings().filter(|s| *s == found.0).count());
    if told.is_some() && (all < 3 || of_it * 2 <= all) { told } else { Some(found) }
}
