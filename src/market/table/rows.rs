//! A table row by row: columns by the shape of the file, one reused record, numbers read where they stand.

use super::arrays::TableText;
use super::shape::{TableKind, TableShape};
use super::stamps::{moment, read_stamp};
use crate::domain::{Bar, Span, Stamp, printable};
use crate::market::FeedError;
use crate::market::bounded_lines::{BoundedLines, has_stray_quote};
use crate::market::source::{ColumnBatch, ColumnBatches, ColumnValues};
use csv::ByteRecord;
use std::borrow::Cow;
use std::cell::Cell;
use std::io::Read;
use std::sync::Arc;

/// Bytes asked of a source at once.
const BUFFER: usize = 1 << 17;
/// Venues cap a settlement at 0.5 … 4 %; more is a rate in other units.
pub(crate) const RATE_MAX: f64 = 0.05;
/// Two settlements of one perp are further apart, and one is stamped no later than this.
pub(crate) const SETTLED_WITHIN: Span = Span::seconds(60);

/// A reader of the rows of a text, which begins with a row.
pub(super) fn records<R: Read>(text: TableText<R>, delimiter: u8) -> csv::Reader<BoundedLines<TableText<R>>> {
    let mut reader = csv::ReaderBuilder::new();
    reader.flexible(true).has_headers(false).delimiter(delimiter).buffer_capacity(BUFFER);
    reader.from_reader(BoundedLines::new(text))
}

/// A table being read. The last row stays readable until the next [`TableRows::advance`].
pub(crate) struct TableRows<R> {
    name: String,
    shape: Arc<TableShape>,
    from: RowSource<R>,
    /// The last stamp as text and as value: in a panel most rows repeat it.
    stamp_text: Vec<u8>,
    stamp: Stamp,
    /// Rows whose two volumes stood in each other's columns.
    swapped: Cell<u64>,
}

/// Where rows come from.
enum RowSource<R> {
    /// Lines of cells.
    Lines(csv::Reader<BoundedLines<TableText<R>>>, ByteRecord),
    /// Columns of values: the batch, the row in it, and how many rows are before the batch.
    Columns(ColumnBatches, ColumnBatch, usize, u64),
}

/// A cell of the last row.
enum TableCell<'a> {
    Text(&'a [u8]),
    Number(f64),
    Whole(i64),
    Moment(i64),
    Empty,
}

impl TableCell<'_> {
    /// As it is written.
    fn text(&self) -> Cow<'_, [u8]> {
        match self {
            TableCell::Text(text) => Cow::Borrowed(text),
            TableCell::Number(number) => Cow::Owned(number.to_string().into_bytes()),
            TableCell::Whole(whole) | TableCell::Moment(whole) => Cow::Owned(whole.to_string().into_bytes()),
            TableCell::Empty => Cow::Borrowed(b""),
        }
    }
}

impl ColumnBatch {
    fn cell(&self, column: usize, row: usize) -> TableCell<'_> {
        match self.columns.get(column) {
            Some(ColumnValues::Numbers(all)) => match all[row] {
                number if number.is_nan() => TableCell::Empty,
                number => TableCell::Number(number),
            },
            Some(ColumnValues::Whole(all)) if all[row] != i64::MIN => TableCell::Whole(all[row]),
            Some(ColumnValues::Moments(all)) if all[row] != i64::MIN => TableCell::Moment(all[row]),
            Some(ColumnValues::Texts(text, ends)) => {
                let start = row.checked_sub(1).map_or(0, |before| ends[before]);
                TableCell::Text(&text[start as usize..ends[row] as usize])
            }
            _ => TableCell::Empty,
        }
    }
}

impl<R: Read> TableRows<R> {
    /// Of a source at its beginning.
    pub fn new(name: &str, shape: Arc<TableShape>, bytes: R) -> Result<Self, FeedError> {
        let csv = records(TableText::new(bytes, shape.lists), shape.delimiter);
        let skipped = shape.skipped;
        let mut rows = Self::of(name, shape, RowSource::Lines(csv, ByteRecord::new()));
        for _ in 0..skipped {
            rows.advance()?;
        }
        Ok(rows)
    }

    /// Of a table that is kept by columns.
    pub fn of_columns(name: &str, shape: Arc<TableShape>, batches: ColumnBatches) -> Self {
        let none = ColumnBatch { rows: 0, columns: Vec::new() };
        Self::of(name, shape, RowSource::Columns(batches, none, 0, 0))
    }

    fn of(name: &str, shape: Arc<TableShape>, from: RowSource<R>) -> Self {
        let (stamp_text, stamp, swapped) = (Vec::new(), Stamp(0), Cell::new(0));
        TableRows { name: name.to_owned(), shape, from, stamp_text, stamp, swapped }
    }

    /// What the file is.
    pub fn shape(&self) -> &TableShape {
        &self.shape
    }

    /// The line of the last row; of columns, where it would stand as text.
    pub fn line(&self) -> u64 {
        match &self.from {
            RowSource::Lines(_, record) => record.position().map_or(0, csv::Position::line),
            RowSource::Columns(_, _, row, before) => before + *row as u64 + 2,
        }
    }

    /// Reads the next row; false when the file is over.
    pub fn advance(&mut self) -> Result<bool, FeedError> {
        let more = match &mut self.from {
            RowSource::Lines(csv, record) => csv.read_byte_record(record).map_err(|e| e.to_string()),
            RowSource::Columns(batches, batch, row, before) => {
                *row += 1;
                loop {
                    if *row < batch.rows {
                        break Ok(true);
                    }
                    *before += batch.rows as u64;
                    (batch.rows, *row) = (0, 0);
                    match batches.next() {
                        None => break Ok(false),
                        Some(Ok(next)) => *batch = next,
                        Some(Err(e)) => break Err(e.to_string()),
                    }
                }
            }
        };
        more.map_err(|reason| FeedError::Read { file: self.name.clone(), line: self.line(), reason })
    }

    /// A cell of the last row; empty where the row is short.
    fn cell(&self, column: usize) -> TableCell<'_> {
        match &self.from {
            RowSource::Lines(_, record) => TableCell::Text(record.get(column).unwrap_or_default()),
            RowSource::Columns(_, batch, row, _) => batch.cell(column, *row),
        }
    }

    /// The symbol of the last row; empty where the file is of one, or it has none.
    pub fn symbol(&self) -> &[u8] {
        match self.shape.columns.symbol.map(|c| self.cell(c)) {
            Some(TableCell::Text(text)) => text.trim_ascii(),
            _ => &[],
        }
    }

    /// The moment of the last row, the open of its bar, or why it has none.
    pub fn stamp(&mut self) -> Result<Stamp, String> {
        let time = &self.shape.time;
        let record = match &self.from {
            RowSource::Lines(_, record) => record,
            RowSource::Columns(_, batch, row, _) => {
                let whole = |c: usize| match batch.cell(c, *row) {
                    TableCell::Moment(at) => Some(Stamp(at)),
                    TableCell::Whole(n) => moment(n),
                    _ => None,
                };
                if let Some(at) = whole(time.column).filter(|_| time.is_plain()) {
                    return time.told(at).ok_or_else(|| format!("{at} is no open"));
                }
                let cells =
                    [time.column, time.clock.unwrap_or(time.column)].map(|c| (c, batch.cell(c, *row)));
                let texts = cells.each_ref().map(|(c, cell)| (*c, cell.text()));
                let of = |c: usize| texts.iter().find(|t| t.0 == c).map_or(&b""[..], |t| &t.1);
                return time.read(of).ok_or_else(|| format!("`{}` is no stamp", shown(&texts[0].1)));
            }
        };
        if has_stray_quote(record) {
            return Err("a quote is not closed".into());
        }
        let text = record.get(time.column).unwrap_or_default();
        if time.clock.is_some() || text != self.stamp_text || text.is_empty() {
            let read = time.read(|c| record.get(c).unwrap_or_default());
            self.stamp = read.ok_or_else(|| format!("`{}` is no stamp", shown(text)))?;
            self.stamp_text.clear();
            self.stamp_text.extend_from_slice(text);
        }
        Ok(self.stamp)
    }

    /// The bar of the last row, or why it cannot be believed.
    pub fn bar(&self) -> Result<Bar, String> {
        let columns = &self.shape.columns;
        let close = self.number(columns.close, "close")?;
        let [open, high, low] = match columns.range {
            Some([o, h, l]) => {
                [self.number(Some(o), "open")?, self.number(Some(h), "high")?, self.number(Some(l), "low")?]
            }
            None => [close; 3],
        };
        let has_volume = self.shape.has_volume();
        let volume = if has_volume { self.volume(close)? } else { f64::INFINITY };
        let bar = Bar { open, high, low, close, volume };
        if bar.is_valid() && (volume.is_finite() || !has_volume) {
            return Ok(bar);
        }
        Err(doubt(&bar))
    }

    /// The volume of the last row in units of the base. Where a row has base and quote in each other's columns, they are put
    /// right.
    fn volume(&self, close: f64) -> Result<f64, String> {
        let columns = &self.shape.columns;
        let volume = self.number(columns.volume, "volume")?;
        if let Some(turnover) = columns.turnover {
            let other = self.number(Some(turnover), "quote volume")?;
            let near = |base: f64, quote: f64| (0.5..2.0).contains(&(base * close / quote));
            if !near(volume, other) && near(other, volume) {
                self.swapped.set(self.swapped.get() + 1);
                return Ok(other);
            }
        }
        Ok(self.shape.volume.base(volume, close))
    }

    /// The funding rate of the last row, or why it cannot be believed.
    fn rate(&self) -> Result<f64, String> {
        // A cell that says percent is in percent, whatever the others are.
        let percent = match self.shape.columns.rate.map(|c| self.cell(c)) {
            Some(TableCell::Text(text)) => text.trim_ascii().strip_suffix(b"%").and_then(read_number),
            _ => None,
        };
        let rate = match percent {
            Some(percent) => percent * 0.01,
            None => self.number(self.shape.columns.rate, "rate")? * self.shape.rate_unit,
        };
        if libm::fabs(rate) <= RATE_MAX {
            Ok(rate)
        } else {
            Err(format!("a rate of {rate} per settlement is no rate"))
        }
    }

    /// The last row as a settlement: when, and the rate; none where it is none, or why it cannot be believed. Rows of a ticker
    /// that speak of one settlement all give it.
    pub fn settlement(&self, at: Stamp) -> Result<Option<(Stamp, f64)>, String> {
        let at = match self.shape.columns.settlement {
            Some(column) if self.shape.kind == TableKind::Ticker => match self.cell(column) {
                TableCell::Empty | TableCell::Text(b"") => return Ok(None),
                TableCell::Moment(at) => Stamp(at),
                cell => {
                    let text = cell.text();
                    read_stamp(&text).ok_or_else(|| format!("`{}` is no stamp", shown(&text)))?
                }
            },
            _ => at,
        };
        // Venues stamp a settlement some milliseconds or seconds late.
        let late = |every: Span| at.0.rem_euclid(every.0) >= SETTLED_WITHIN.0;
        if self.shape.settle.is_some_and(late) {
            return Ok(None);
        }
        Ok(Some((at, self.rate()?)))
    }

    /// Rows whose two volumes stood in each other's columns, so far.
    pub fn swapped(&self) -> u64 {
        self.swapped.get()
    }

    /// The mark of the last row's settlement, where it has one.
    pub fn mark(&self) -> Option<f64> {
        self.shape.columns.mark.and_then(|c| self.read(c)).filter(|m| m.is_finite() && *m > 0.0)
    }

    fn read(&self, column: usize) -> Option<f64> {
        match self.cell(column) {
            TableCell::Number(number) => Some(number),
            TableCell::Whole(whole) | TableCell::Moment(whole) => Some(whole as f64),
            TableCell::Text(text) => self.shape.number(text),
            TableCell::Empty => None,
        }
    }

    fn number(&self, column: Option<usize>, name: &str) -> Result<f64, String> {
        let column = column.ok_or_else(|| format!("there is no {name}"))?;
        self.read(column).ok_or_else(|| format!("{name} `{}` is no number", shown(&self.cell(column).text())))
    }
}

/// Why a bar cannot be believed.
fn doubt(bar: &Bar) -> String {
    let Bar { open, high, low, close, volume } = *bar;
    if [open, high, low, close].iter().any(|p| !p.is_finite() || *p <= 0.0) {
        format!("a price is not positive: {open}, {high}, {low}, {close}")
    } else if high < low {
        format!("high {high} is below low {low}")
    } else if !volume.is_finite() || volume < 0.0 {
        format!("volume is {volume}")
    } else {
        format!("open {open} or close {close} is outside low {low} … high {high}")
    }
}

/// A number as the standard library reads it, with a short way for what files are made of: digits and a
/// point. A whole number below 2^53 over a power of ten up to 10^22 is one division of exact numbers, so
/// it is rounded correctly (Clinger 1990).
pub(crate) fn read_number(text: &[u8]) -> Option<f64> {
    let (mut whole, mut digits, mut point) = (0_u64, 0_usize, None);
    for (i, b) in text.iter().enumerate() {
        match b {
            b'0'..=b'9' if digits < 15 => {
                whole = whole * 10 + u64::from(b - b'0');
                digits += 1;
            }
            b'.' if point.is_none() => point = Some(i),
            // A sign, an exponent, spaces, many digits, or no number at all.
            _ => return std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok(),
        }
    }
    if digits == 0 {
        return None;
    }
    let decimals = point.map_or(0, |at| text.len() - at - 1);
    Some(whole as f64 / TENS[decimals])
}

/// Powers of ten, all exact.
const TENS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// A cell as messages show it.
pub(crate) fn shown(text: &[u8]) -> String {
    // Not more is decoded than is shown.
    let start = &text[..text.len().min(160)];
    let start: String = String::from_utf8_lossy(start).chars().take(40).collect();
    printable(&start).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_read_as_the_standard_library_reads_them() {
        for text in [
            "0.264",
            "1",
            "1.",
            ".5",
            "1199.8882640000002",
            "4.965e-05",
            "-1",
            " 2 ",
            "00012.50",
            "999999999999999",
            "0.100000000000000",
            "nan",
        ] {
            let expected = text.trim().parse::<f64>().unwrap();
            let read = read_number(text.as_bytes()).unwrap();
            assert!(read.to_bits() == expected.to_bits() || read.is_nan() && expected.is_nan(), "{text}");
        }
        for bad in ["", ".", "1.2.3", "one", "1,5", "0x10"] {
            assert_eq!(read_number(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_rounds_like_the_long_one(whole in 0_u64..10_000_000_000, scale in 0_usize..12) {
            let text = format!("{:.*}", scale, whole as f64 / TENS[scale]);
            prop_assert_eq!(read_number(text.as_bytes()), text.parse::<f64>().ok());
        }
    }
}
