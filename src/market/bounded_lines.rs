//! Text that is read line by line, with a bound on a line and no quote that reaches over its end: a file of one endless line is
//! no table, and must not be taken into memory to find that out; and a quote that is not closed must not swallow the rows behind
//! it.

use csv::ByteRecord;
use std::io::{self, BufRead, BufReader, Read};

/// Longest line of a table of numbers.
pub const TABLE_LINE_MAX: usize = 1 << 16;
/// Bytes asked of a source at once.
const BUFFER: usize = 1 << 16;
/// Stands for the quotes of a line in which one is not closed: in no table of anybody.
const STRAY: u8 = 1;

/// Passes lines on until one is too long.
pub struct BoundedLines<R> {
    from: BufReader<R>,
    line: Vec<u8>,
    /// Bytes of the line that were passed on.
    done: usize,
    /// What was wrong behind the lines that are passed on first.
    failed: Option<io::Error>,
}

impl<R: Read> BoundedLines<R> {
    /// Of a reader at the start of a line.
    pub fn new(inner: R) -> Self {
        BoundedLines {
            from: BufReader::with_capacity(BUFFER, inner),
            line: Vec::new(),
            done: 0,
            failed: None,
        }
    }

    fn advance(&mut self) -> io::Result<()> {
        self.line.clear();
        self.done = 0;
        self.from.by_ref().take(TABLE_LINE_MAX as u64 + 1).read_until(b'\n', &mut self.line)?;
        if self.line.len() > TABLE_LINE_MAX {
            let why = format!("a line is longer than {TABLE_LINE_MAX} bytes; this is no table of rows");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        if self.line.iter().fold(false, |odd, b| odd ^ (*b == b'"')) {
            self.line.iter_mut().filter(|b| **b == b'"').for_each(|b| *b = STRAY);
        }
        Ok(())
    }
}

impl<R: Read> Read for BoundedLines<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(e) = self.failed.take() {
            return Err(e);
        }
        let mut filled = 0;
        // Small lines are passed on together.
        while filled < into.len() {
            if self.done == self.line.len() {
                if let Err(e) = self.advance() {
                    (self.line, self.done) = (Vec::new(), 0);
                    if filled == 0 {
                        return Err(e);
                    }
                    self.failed = Some(e);
                    break;
                }
                if self.line.is_empty() {
                    break;
                }
            }
            let n = (into.len() - filled).min(self.line.len() - self.done);
            into[filled..filled + n].copy_from_slice(&self.line[self.done..self.done + n]);
            (filled, self.done) = (filled + n, self.done + n);
        }
        Ok(filled)
    }
}

/// Whether a row had a quote that was not closed.
pub fn has_stray_quote(row: &ByteRecord) -> bool {
    row.as_slice().contains(&STRAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_never_ends_is_refused_before_it_is_in_memory() {
        let long = io::repeat(b'0').take(1 << 40);
        let failed = io::copy(&mut BoundedLines::new(long), &mut io::sink()).unwrap_err();
        assert!(failed.to_string().contains("a line is longer than 65536 bytes"), "{failed}");
        let whole = ("x".repeat(TABLE_LINE_MAX - 1) + "\n").repeat(3);
        let read = io::copy(&mut BoundedLines::new(whole.as_bytes()), &mut io::sink()).unwrap();
        assert_eq!(read as usize, whole.len());
    }

    #[test]
    fn a_quote_that_is_not_closed_ends_with_its_line() {
        let text = "1,\"a, b\",2\n3,\"c,4\n5,d,6\n7,\"e\"\"f\",8";
        let mut csv = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(BoundedLines::new(text.as_bytes()));
        let rows: Vec<(bool, Vec<String>)> = csv
            .byte_records()
            .map(|row| {
                let row = row.unwrap();
                (has_stray_quote(&row), row.iter().map(|c| String::from_utf8_lossy(c).into_owned()).collect())
            })
            .collect();
        let cells = |n: usize| rows[n].1.iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(rows.iter().map(|r| r.0).collect::<Vec<_>>(), [false, true, false, false]);
        assert_eq!(
            (cells(0), cells(2), cells(3)),
            (vec!["1", "a, b", "2"], vec!["5", "d", "6"], vec!["7", "e\"f", "8"])
        );
    }
}
