//! A file of comma-separated rows with a header, and one of JSON arrays: read row by row.

use crate::domain::Stamp;
use crate::market::FeedError;
use crate::market::bounded_lines::{BoundedLines, has_stray_quote};
use crate::market::table::{read_number, read_stamp, shown};
use csv::ByteRecord;
use std::io::{BufReader, Read};

/// The bytes of a file.
pub(super) type FileBytes = Box<dyn Read>;

/// Longest row of JSON that is one.
const ROW_MAX: usize = 1 << 12;

/// A file of comma-separated rows.
pub(super) struct CsvRows {
    name: String,
    csv: csv::Reader<BoundedLines<FileBytes>>,
    record: ByteRecord,
    /// Lower case; empty for a file without a header.
    pub columns: Vec<String>,
    /// The first record is a row: there is no header.
    pending: bool,
}

impl CsvRows {
    /// Opens a file; a first line that is an address is passed over, and a first row that begins with a
    /// number is no header.
    pub fn open(name: &str, bytes: FileBytes) -> Result<CsvRows, FeedError> {
        let csv = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 16)
            .from_reader(BoundedLines::new(bytes));
        let (record, columns) = (ByteRecord::new(), Vec::new());
        let mut sheet = CsvRows { name: name.to_owned(), csv, record, columns, pending: false };
        if !sheet.advance()? {
            return Ok(sheet);
        }
        if sheet.record.iter().any(|f| f.windows(4).any(|w| w == b"http")) {
            sheet.advance()?;
        }
        if sheet.record.get(0).is_some_and(|f| f.first().is_some_and(u8::is_ascii_digit)) {
            sheet.pending = true;
            return Ok(sheet);
        }
        let clean = |h: &[u8]| {
            let text = String::from_utf8_lossy(h);
            text.trim().trim_start_matches(['\u{feff}', '#']).to_ascii_lowercase()
        };
        sheet.columns = sheet.record.iter().map(clean).collect();
        Ok(sheet)
    }

    /// Reads the next row.
    pub fn advance(&mut self) -> Result<bool, FeedError> {
        if std::mem::take(&mut self.pending) {
            return Ok(true);
        }
        let more = self.csv.read_byte_record(&mut self.record).map_err(|e| FeedError::Read {
            file: self.name.clone(),
            line: self.line(),
            reason: e.to_string(),
        })?;
        if has_stray_quote(&self.record) {
            // What is left of it is no row, and is told as one that is none.
            let place = self.record.position().cloned();
            self.record = ByteRecord::from(vec!["a quote that is not closed"]);
            self.record.set_position(place);
        }
        Ok(more)
    }

    /// The line of the last row.
    pub fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    /// The first of these columns that is there.
    pub fn find(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|w| self.columns.iter().position(|c| c == w))
    }

    /// A column that must be there.
    pub fn need(&self, names: &[&'static str]) -> Result<usize, FeedError> {
        self.find(names).ok_or_else(|| FeedError::Column {
            file: self.name.clone(),
            column: names.first().copied().unwrap_or_default().to_owned(),
            header: self.columns.join(", ").chars().take(120).collect(),
        })
    }

    /// A cell as text; empty where the row is short.
    pub fn text(&self, column: usize) -> &str {
        std::str::from_utf8(self.record.get(column).unwrap_or_default()).unwrap_or_default().trim()
    }

    /// A cell as a number, or why it is none.
    pub fn number(&self, column: usize) -> Result<f64, String> {
        let text = self.record.get(column).unwrap_or_default();
        read_number(text).filter(|x| x.is_finite()).ok_or_else(|| {
            let name = self.columns.get(column).map_or("a cell", String::as_str);
            format!("{name} `{}` is no number", shown(text))
        })
    }

    /// A cell as a number; none where it is empty.
    pub fn maybe(&self, column: Option<usize>) -> Result<Option<f64>, String> {
        let Some(column) = column.filter(|c| !self.text(*c).is_empty()) else { return Ok(None) };
        self.number(column).map(Some)
    }

    /// A cell as a stamp, or why it is none.
    pub fn stamp(&self, column: usize) -> Result<Stamp, String> {
        let text = self.record.get(column).unwrap_or_default();
        // Some write whole seconds with a point.
        read_stamp(text.strip_suffix(b".0").unwrap_or(text))
            .ok_or_else(|| format!("`{}` is no stamp", shown(text)))
    }
}

/// A file `[[…], […], …]` of rows of numbers.
pub(super) struct Arrays {
    name: String,
    from: BufReader<FileBytes>,
    /// Which row was read last, counted from 1.
    pub row: u64,
    begun: bool,
}

impl Arrays {
    /// Opens a file.
    pub fn open(name: &str, bytes: FileBytes) -> Arrays {
        Arrays { name: name.to_owned(), from: BufReader::with_capacity(1 << 16, bytes), row: 0, begun: false }
    }

    /// The next row; a cell that is no number is NaN.
    pub fn advance(&mut self) -> Result<Option<Vec<f64>>, FeedError> {
        let mut row = Vec::new();
        let mut inside = false;
        loop {
            let Some(byte) = self.byte()? else {
                return Err(self.bad("the file ends inside a list; it is cut off"));
            };
            match byte {
                b'[' if !self.begun => self.begun = true,
                b'[' if !inside => {
                    inside = true;
                    self.row += 1;
                }
                b']' if inside => break,
                b']' if self.begun => {
                    // Whatever follows is read for the hash.
                    while self.byte()?.is_some() {}
                    return Ok(None);
                }
                b',' | b' ' | b'\n' | b'\r' | b'\t' if !inside => {}
                _ if inside && row.len() < ROW_MAX && byte != b'[' => row.push(byte),
                _ => return Err(self.bad("this is no list of lists of numbers")),
            }
        }
        let cell = |c: &[u8]| {
            let text = c.trim_ascii();
            let text = text.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\"")).unwrap_or(text);
            read_number(text).unwrap_or(f64::NAN)
        };
        Ok(Some(row.split(|b| *b == b',').map(cell).collect()))
    }

    fn byte(&mut self) -> Result<Option<u8>, FeedError> {
        let mut one = [0];
        match self.from.read(&mut one) {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(one[0])),
            Err(e) => Err(self.bad(&e.to_string())),
        }
    }

    fn bad(&self, reason: &str) -> FeedError {
        FeedError::Read { file: self.name.clone(), line: self.row, reason: reason.to_owned() }
    }
}

/// A stamp of a JSON row: milliseconds since 1970 (seconds where it is small).
pub(super) fn stamp_of(number: f64) -> Result<Stamp, String> {
    let text = format!("{number:.0}");
    read_stamp(text.as_bytes()).filter(|_| number.is_finite()).ok_or_else(|| format!("{number} is no stamp"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn bytes(text: &'static str) -> FileBytes {
        Box::new(Cursor::new(text.as_bytes()))
    }

    #[test]
    fn arrays_are_read_row_by_row_and_a_cut_is_told() {
        let mut a = Arrays::open("x", bytes("[[1, 2.5],\n [3,\"4\"], [5,null]]"));
        assert_eq!(a.advance().unwrap(), Some(vec![1.0, 2.5]));
        assert_eq!(a.advance().unwrap(), Some(vec![3.0, 4.0]));
        assert!(a.advance().unwrap().is_some_and(|r| r[0] == 5.0 && r[1].is_nan()));
        assert_eq!(a.advance().unwrap(), None);
        let mut cut = Arrays::open("x", bytes("[[1,2],[3"));
        assert!(cut.advance().unwrap().is_some());
        assert!(cut.advance().unwrap_err().to_string().contains("cut off"));
        assert!(Arrays::open("x", bytes("{\"a\":1}")).advance().is_err());
    }

    #[test]
    fn an_address_before_the_header_is_passed_over() {
        let mut s = CsvRows::open("x", bytes("https://somewhere\nUnix,Close\n1,2\n")).unwrap();
        assert_eq!(s.columns, ["unix", "close"]);
        assert!(s.advance().unwrap());
        assert_eq!((s.line(), s.number(1)), (3, Ok(2.0)));
        assert!(!s.advance().unwrap());
    }

    #[test]
    fn a_file_may_have_no_header() {
        let mut s = CsvRows::open("x", bytes("20130101 00:00,2\n20130101 01:00,3\n")).unwrap();
        assert!(s.columns.is_empty() && s.advance().unwrap());
        assert_eq!(s.number(1), Ok(2.0));
        assert!(s.advance().unwrap() && !s.advance().unwrap());
    }
}
