//! One file, row by row: columns by name, one reused record, numbers read where they stand.

use super::source::SourceFile;
use super::symbols::{SymbolTable, symbol_of_stem};
use crate::domain::{Bar, Span, Stamp, is_unprintable, printable};
use crate::market::FeedError;
use crate::market::bounded_lines::{BoundedLines, has_stray_quote};
use csv::ByteRecord;
use serde::{Deserialize, Serialize};
use std::io::{self, Read};

/// Bytes asked of a source at once.
const BUFFER: usize = 1 << 17;
/// Longest symbol: those of option chains have thirty letters.
const SYMBOL_BYTES_MAX: usize = 64;

/// Passes bytes on and hashes them if asked.
struct HashingReader {
    inner: Box<dyn Read + Send>,
    hasher: Option<blake3::Hasher>,
}

impl Read for HashingReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&into[..n]);
        }
        Ok(n)
    }
}

/// What the rows of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowShape {
    /// Bars; a file with closes only has bars of one price.
    Bars,
    /// Funding rates per settlement.
    Funding,
}

/// Where the columns are.
#[derive(Clone, Copy, Debug)]
struct HistoryColumns {
    stamp: usize,
    symbol: Option<usize>,
    /// Open, high, low; absent together.
    range: Option<[usize; 3]>,
    /// Close, or rate.
    value: usize,
    volume: Option<usize>,
}

/// What reading on gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DecodedLine {
    /// A row whose stamp and symbol are readable and wanted.
    Row(Stamp, u16),
    /// A row that cannot be placed, and why.
    Bad(String),
    /// A row of a symbol that the table does not take: it is full.
    Full,
    /// The file is over.
    End,
}

/// Where a row begins: bytes before it, unpacked, and its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LinePosition {
    byte: u64,
    line: u64,
}

fn reader() -> csv::ReaderBuilder {
    let mut reader = csv::ReaderBuilder::new();
    reader.flexible(true).buffer_capacity(BUFFER);
    reader
}

/// A file being read. The last row stays readable until the next [`Decoder::advance`].
pub(super) struct Decoder {
    name: String,
    csv: csv::Reader<BoundedLines<HashingReader>>,
    /// What lies before the reading began: the header is not read again by who was sought.
    before: LinePosition,
    record: ByteRecord,
    columns: HistoryColumns,
    /// The symbol of a file without a symbol column.
    fixed: Option<u16>,
    /// The last stamp as text and as value: in a panel most rows repeat it.
    stamp_text: Vec<u8>,
    stamp: Stamp,
    /// Number of the last symbol, and by symbol the one that followed it last time: panels keep an
    /// order, so the guess is nearly always right and saves the search.
    symbol: u16,
    follower: Vec<u16>,
}

impl Decoder {
    /// Opens a source and finds its columns.
    pub fn open(
        source: &dyn SourceFile,
        shape: RowShape,
        hash: bool,
        table: &mut SymbolTable,
    ) -> Result<Self, FeedError> {
        let name = source.name().to_string();
        let failed = |line: u64, reason: String| FeedError::Read { file: name.clone(), line, reason };
        let inner = source.open().map_err(|e| failed(0, e.to_string()))?;
        let hasher = hash.then(blake3::Hasher::new);
        let mut csv = reader().from_reader(BoundedLines::new(HashingReader { inner, hasher }));
        let header = csv.byte_headers().map_err(|e| failed(1, e.to_string()))?.clone();
        if has_stray_quote(&header) {
            return Err(failed(1, "a quote in the header is not closed".to_owned()));
        }
        let columns = HistoryColumns::find(&header, shape, &name)?;
        let fixed = match columns.symbol {
            Some(_) => None,
            None => {
                Some(table.number(symbol_of_stem(source.stem()).as_bytes()).ok_or(FeedError::TooMany {
                    name: name.clone(),
                    what: "symbols",
                    limit: super::symbols::SYMBOLS_MAX,
                })?)
            }
        };
        Ok(Decoder {
            name,
            csv,
            before: LinePosition::default(),
            record: ByteRecord::new(),
            columns,
            fixed,
            stamp_text: Vec::new(),
            stamp: Stamp(0),
            symbol: 0,
            follower: Vec::new(),
        })
    }

    /// How reports name the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The line of the last row.
    pub fn line(&self) -> u64 {
        self.before.line + self.record.position().map_or(0, csv::Position::line)
    }

    /// Where the last row begins, or where the file ended.
    pub fn position(&self) -> LinePosition {
        let byte = self.record.position().map_or(0, csv::Position::byte);
        LinePosition { byte: self.before.byte + byte, line: self.line() }
    }

    /// Goes on in the same file with the row that begins there. What lies before is unpacked where it is packed, but
    /// neither decoded nor hashed.
    pub fn seek(&mut self, source: &dyn SourceFile, to: LinePosition) -> Result<(), FeedError> {
        let failed =
            |e: io::Error| FeedError::Read { file: self.name.clone(), line: to.line, reason: e.to_string() };
        let mut inner = source.open().map_err(failed)?;
        io::copy(&mut inner.by_ref().take(to.byte), &mut io::sink()).map_err(failed)?;
        let lines = BoundedLines::new(HashingReader { inner, hasher: None });
        self.csv = reader().has_headers(false).from_reader(lines);
        self.before = LinePosition { byte: to.byte, line: to.line.saturating_sub(1) };
        self.stamp_text.clear();
        Ok(())
    }

    /// Whether the file has volumes.
    pub fn has_volume(&self) -> bool {
        self.columns.volume.is_some()
    }

    /// Reads the next row and its stamp and symbol.
    pub fn advance(&mut self, table: &mut SymbolTable) -> Result<DecodedLine, FeedError> {
        let more = self.csv.read_byte_record(&mut self.record).map_err(|e| FeedError::Read {
            file: self.name.clone(),
            line: self.line(),
            reason: e.to_string(),
        })?;
        if !more {
            return Ok(DecodedLine::End);
        }
        if has_stray_quote(&self.record) {
            return Ok(DecodedLine::Bad("a quote is not closed".into()));
        }
        let text = self.record.get(self.columns.stamp).unwrap_or_default();
        if text != self.stamp_text || text.is_empty() {
            let Some(stamp) = read_stamp(text) else {
                return Ok(DecodedLine::Bad(format!("`{}` is no stamp", shown(text))));
            };
            self.stamp = stamp;
            self.stamp_text.clear();
            self.stamp_text.extend_from_slice(text);
        }
        let symbol = match (self.fixed, self.columns.symbol) {
            (Some(symbol), _) => symbol,
            (None, Some(column)) => {
                let text = self.record.get(column).unwrap_or_default().trim_ascii();
                if text.is_empty() {
                    return Ok(DecodedLine::Bad("the symbol is empty".into()));
                }
                if text.len() > SYMBOL_BYTES_MAX {
                    return Ok(DecodedLine::Bad(format!("`{}…` is too long for a symbol", shown(text))));
                }
                let guess = self.follower.get(self.symbol as usize).copied().unwrap_or(0);
                if table.names.get(guess as usize).is_some_and(|n| n.as_bytes() == text) {
                    guess
                } else {
                    if String::from_utf8_lossy(text).contains(is_unprintable) {
                        return Ok(DecodedLine::Bad(format!("`{}` is no symbol", shown(text))));
                    }
                    let Some(number) = table.number(text) else {
                        return Ok(DecodedLine::Full);
                    };
                    let last = self.symbol as usize;
                    if self.follower.len() <= last {
                        self.follower.resize(last + 1, 0);
                    }
                    self.follower[last] = number;
                    number
                }
            }
            // `Columns::find` and `open` give one or the other.
            (None, None) => return Ok(DecodedLine::Bad("no symbol".into())),
        };
        self.symbol = symbol;
        Ok(DecodedLine::Row(self.stamp, symbol))
    }

    /// The bar of the last row, or why it cannot be believed.
    pub fn bar(&self) -> Result<Bar, String> {
        let close = self.number(self.columns.value, "close")?;
        let [open, high, low] = match self.columns.range {
            Some([o, h, l]) => [self.number(o, "open")?, self.number(h, "high")?, self.number(l, "low")?],
            None => [close; 3],
        };
        let volume = match self.columns.volume {
            Some(column) => self.number(column, "volume")?,
            None => f64::INFINITY,
        };
        let bar = Bar { open, high, low, close, volume };
        if bar.is_valid() && (volume.is_finite() || self.columns.volume.is_none()) {
            return Ok(bar);
        }
        Err(if [open, high, low, close].iter().any(|p| !p.is_finite() || *p <= 0.0) {
            format!("a price is not positive: {open}, {high}, {low}, {close}")
        } else if high < low {
            format!("high {high} is below low {low}")
        } else if !volume.is_finite() || volume < 0.0 {
            format!("volume is {volume}")
        } else {
            format!("open {open} or close {close} is outside low {low} … high {high}")
        })
    }

    /// The funding rate of the last row, or why it cannot be believed.
    pub fn rate(&self) -> Result<f64, String> {
        let rate = self.number(self.columns.value, "rate")?;
        // Venues cap a settlement at 0.5 … 4 %; more is a rate in other units.
        if libm::fabs(rate) <= 0.05 {
            Ok(rate)
        } else {
            Err(format!("a rate of {rate} per settlement is no rate"))
        }
    }

    /// The hash of all bytes; reads the rest of the file if it was left early.
    pub fn finish(self) -> Result<Option<blake3::Hash>, FeedError> {
        let name = self.name;
        let mut rest = self.csv.into_inner();
        io::copy(&mut rest, &mut io::sink()).map_err(|e| FeedError::Read {
            file: name,
            line: 0,
            reason: e.to_string(),
        })?;
        Ok(rest.into_inner().hasher.map(|h| h.finalize()))
    }

    fn number(&self, column: usize, name: &str) -> Result<f64, String> {
        let text = self.record.get(column).unwrap_or_default();
        read_number(text).ok_or_else(|| format!("{name} `{}` is no number", shown(text)))
    }
}

impl HistoryColumns {
    fn find(header: &ByteRecord, shape: RowShape, file: &str) -> Result<HistoryColumns, FeedError> {
        let names: Vec<String> = header
            .iter()
            .map(|h| String::from_utf8_lossy(h).trim().trim_start_matches('\u{feff}').to_ascii_lowercase())
            .collect();
        let index_of = |wanted: &[&str]| wanted.iter().find_map(|w| names.iter().position(|n| n == w));
        let need = |wanted: &[&str], column: &'static str| {
            index_of(wanted).ok_or_else(|| FeedError::Column {
                file: file.to_string(),
                column,
                header: names.join(", ").chars().take(120).collect(),
            })
        };
        let stamp = need(&["timestamp", "date", "datetime", "time", "open_time"], "timestamp")?;
        let symbol = index_of(&["symbol", "ticker"]);
        if shape == RowShape::Funding {
            let value = need(&["rate", "fundingrate", "funding_rate"], "rate")?;
            return Ok(HistoryColumns { stamp, symbol, range: None, value, volume: None });
        }
        let value = need(&["close"], "close")?;
        let range = if index_of(&["open", "high", "low"]).is_some() {
            Some([need(&["open"], "open")?, need(&["high"], "high")?, need(&["low"], "low")?])
        } else {
            None
        };
        Ok(HistoryColumns { stamp, symbol, range, value, volume: index_of(&["volume"]) })
    }
}

/// ISO as [`Stamp::parse`] reads it, or whole seconds, milliseconds, microseconds or nanoseconds since
/// 1970, told apart by size. Only 1970 … 2200 is a moment of a market.
pub(crate) fn read_stamp(text: &[u8]) -> Option<Stamp> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let stamp = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let n: i64 = text.parse().ok()?;
        let scale = match n {
            0..100_000_000_000 => 1_000_000_000,
            100_000_000_000..100_000_000_000_000 => 1_000_000,
            100_000_000_000_000..100_000_000_000_000_000 => 1_000,
            _ => 1,
        };
        Stamp(n.checked_mul(scale)?)
    } else {
        Stamp::parse(text)?
    };
    (stamp.0 >= 0 && stamp.0 < 230 * Span::YEAR.0).then_some(stamp)
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
    fn stamps_are_iso_or_whole_numbers_since_1970() {
        let t = Stamp::parse("2021-04-04T20:00:00Z").unwrap();
        for text in
            ["2021-04-04 20:00:00", "1617566400", "1617566400000", "1617566400000000", "1617566400000000000"]
        {
            assert_eq!(read_stamp(text.as_bytes()), Some(t), "{text}");
        }
        for bad in ["", "yesterday", "-5", "1.5", "2999-01-01", "99999999999999999999"] {
            assert_eq!(read_stamp(bad.as_bytes()), None, "{bad}");
        }
    }

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
