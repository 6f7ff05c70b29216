//! Text that is read line by line, with a bound on a line: a file of one endless line is no table, and must not be taken
//! into memory to find that out.

use csv::ByteRecord;
use std::io::{self, Read};

/// Longest line of a table of numbers.
pub const TABLE_LINE_MAX: usize = 1 << 16;

/// Passes bytes on until a line is too long.
pub struct BoundedLines<R> {
    /// What is read from.
    pub inner: R,
    line: usize,
}

impl<R: Read> BoundedLines<R> {
    /// Of a reader at the start of a line.
    pub fn new(inner: R) -> Self {
        BoundedLines { inner, line: 0 }
    }
}

impl<R: Read> Read for BoundedLines<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        let mut rest = &into[..n];
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            self.check(end)?;
            (self.line, rest) = (0, &rest[end + 1..]);
        }
        self.check(rest.len())?;
        self.line += rest.len();
        Ok(n)
    }
}

impl<R> BoundedLines<R> {
    fn check(&self, more: usize) -> io::Result<()> {
        if self.line + more <= TABLE_LINE_MAX {
            return Ok(());
        }
        let why = format!("a line is longer than {TABLE_LINE_MAX} bytes; this is no table of rows");
        Err(io::Error::new(io::ErrorKind::InvalidData, why))
    }
}

/// Takes the quotes off the cells of a row that was read without regard to them, so that a stray one never swallows the
/// rows behind it. False where they do not come to cells of their own: one is not closed, or there is a comma in it.
pub fn unquote(row: &mut ByteRecord, columns: usize) -> bool {
    if !row.as_slice().contains(&b'"') {
        return true;
    }
    let bare = |cell: &[u8]| -> Option<Vec<u8>> {
        let text = cell.trim_ascii();
        match text.strip_prefix(b"\"") {
            Some(rest) => rest.strip_suffix(b"\"").filter(|t| !t.contains(&b'"')).map(<[u8]>::to_vec),
            None => (!text.contains(&b'"')).then(|| cell.to_vec()),
        }
    };
    let cells: Option<Vec<Vec<u8>>> = row.iter().map(bare).collect();
    let Some(cells) = cells.filter(|cells| columns == 0 || cells.len() == columns) else { return false };
    let place = row.position().cloned();
    *row = ByteRecord::from(cells);
    row.set_position(place);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_never_ends_is_refused_before_it_is_in_memory() {
        let long = io::repeat(b'0').take(1 << 40);
        let failed = io::copy(&mut BoundedLines::new(long), &mut io::sink()).unwrap_err();
        assert!(failed.to_string().contains("a line is longer than 65536 bytes"), "{failed}");
        let lines = "x".repeat(TABLE_LINE_MAX) + "\n";
        let whole = lines.repeat(3);
        let read = io::copy(&mut BoundedLines::new(whole.as_bytes()), &mut io::sink()).unwrap();
        assert_eq!(read as usize, whole.len());
    }

    #[test]
    fn quotes_are_taken_off_or_told() {
        for (cells, columns, expected) in [
            (vec!["1", "\"BTC\"", "2"], 3, Some(vec!["1", "BTC", "2"])),
            (vec!["1", "BTC"], 3, Some(vec!["1", "BTC"])),
            (vec!["1", "\"BTC"], 2, None),
            (vec!["1", "B\"TC"], 2, None),
            (vec!["1", "\""], 2, None),
            (vec!["\"Bitcoin", " the coin\"", "2"], 2, None),
            (vec!["\"1\"", "\"2\"", "\"3\""], 2, None),
        ] {
            let mut row = ByteRecord::from(cells.clone());
            let fits = unquote(&mut row, columns);
            assert_eq!(fits, expected.is_some(), "{cells:?}");
            if let Some(expected) = expected {
                assert_eq!(row, ByteRecord::from(expected));
            }
        }
    }
}
