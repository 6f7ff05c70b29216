//! Rows of JSON as lines of cells: what exchanges answer and programs keep is then a table like any other.
//!
//! A row is a list or an object without another one in it, that is an element of a list or stands by itself: `[[…], […]]`,
//! `[{…}, {…}]`, `{"data": [{…}]}`, `{"result": {"list": [[…]]}}`, or an object a line. Of objects the names of the first are the header.

use std::io::{self, BufRead, BufReader, Read};

/// Longest row of JSON that is one.
const ROW_MAX: usize = 1 << 16;
/// Lists and objects in each other at most.
const DEPTH_MAX: usize = 64;
/// Bytes asked of a source at once.
const BUFFER: usize = 1 << 16;

/// Text of a table, as it stands or made of JSON.
pub(super) enum TableText<R> {
    /// Lines as they stand.
    Lines(R),
    /// Rows of JSON.
    Json(Box<JsonLines<R>>),
}

impl<R: Read> TableText<R> {
    /// Of a source at its beginning.
    pub fn new(inner: R, json: bool) -> Self {
        if !json {
            return TableText::Lines(inner);
        }
        TableText::Json(Box::new(JsonLines {
            from: BufReader::with_capacity(BUFFER, inner),
            scanner: RowScanner::default(),
            names: None,
            begun: false,
            line: Vec::new(),
            done: 0,
        }))
    }
}

impl<R: Read> Read for TableText<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            TableText::Lines(inner) => inner.read(into),
            TableText::Json(lines) => lines.read(into),
        }
    }
}

/// Finds rows in JSON, byte by byte.
#[derive(Default)]
struct RowScanner {
    /// What is open, and whether something was opened in it.
    open: Vec<(u8, bool)>,
    text: Vec<u8>,
    in_string: bool,
    escaped: bool,
}

impl RowScanner {
    /// Takes the next byte; true if it ends a row, which is then the text.
    fn take(&mut self, byte: u8) -> io::Result<bool> {
        if self.in_string {
            self.in_string = self.escaped || byte != b'"';
            self.escaped = byte == b'\\' && !self.escaped;
            return self.keep(byte);
        }
        match byte {
            b'[' | b'{' => {
                if let Some(last) = self.open.last_mut() {
                    last.1 = true;
                }
                self.open.push((byte, false));
                if self.open.len() > DEPTH_MAX {
                    return Err(wrong("its lists and objects stand too deep in each other"));
                }
                self.text.clear();
                self.keep(byte)
            }
            b']' | b'}' => {
                self.keep(byte)?;
                let Some((opened, nested)) = self.open.pop() else {
                    return Err(wrong("a list ends that did not begin"));
                };
                let pairs = opened + 2 == byte;
                let stands = self.open.last().is_none_or(|l| l.0 == b'[');
                let filled = self.text.iter().filter(|b| !b.is_ascii_whitespace()).count() > 2;
                if pairs {
                    Ok(!nested && stands && filled)
                } else {
                    Err(wrong("a list ends as an object, or an object as a list"))
                }
            }
            _ if self.open.is_empty() && !matches!(byte, b',' | b';') && !byte.is_ascii_whitespace() => {
                Err(wrong("something stands outside of its lists and objects"))
            }
            b'"' => {
                self.in_string = true;
                self.keep(byte)
            }
            _ => self.keep(byte),
        }
    }

    /// Keeps a byte of what may be a row; never the end of one.
    fn keep(&mut self, byte: u8) -> io::Result<bool> {
        // Beside what was opened in it nothing is a row.
        if self.open.last().is_none_or(|l| !l.1) {
            self.text.push(byte);
        }
        if self.text.len() > ROW_MAX {
            return Err(wrong(&format!("a row is longer than {ROW_MAX} bytes")));
        }
        Ok(false)
    }
}

fn wrong(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("this is no table of JSON rows: {why}"))
}

/// Whether the first row of a text is an object, by its beginning.
pub(super) fn is_of_objects(head: &[u8]) -> bool {
    let mut scanner = RowScanner::default();
    head.iter().any(|b| scanner.take(*b).unwrap_or(false)) && scanner.text.first() == Some(&b'{')
}

/// Rows of JSON, a line each.
pub(super) struct JsonLines<R> {
    from: BufReader<R>,
    scanner: RowScanner,
    /// Names of the columns, where rows are objects.
    names: Option<Vec<Vec<u8>>>,
    begun: bool,
    line: Vec<u8>,
    /// Bytes of the line that were passed on.
    done: usize,
}

impl<R: Read> JsonLines<R> {
    /// Reads on to the end of a row; false when there is none.
    fn find(&mut self) -> io::Result<bool> {
        loop {
            let bytes = self.from.fill_buf()?;
            if bytes.is_empty() {
                let whole = self.scanner.open.is_empty();
                return if whole {
                    Ok(false)
                } else {
                    Err(wrong("the file ends inside a list; it is cut off"))
                };
            }
            let length = bytes.len();
            for (at, byte) in bytes.iter().enumerate() {
                if self.scanner.take(*byte)? {
                    self.from.consume(at + 1);
                    return Ok(true);
                }
            }
            self.from.consume(length);
        }
    }

    /// Makes a line of the row that was found.
    fn write(&mut self) -> io::Result<()> {
        self.line.clear();
        self.done = 0;
        let text = std::mem::take(&mut self.scanner.text);
        let is_object = text.first() == Some(&b'{');
        if self.begun && is_object != self.names.is_some() {
            return Err(wrong("some of its rows are lists and some objects"));
        }
        let inner = text.get(1..text.len() - 1).unwrap_or_default();
        let parts = split(inner, b',');
        if is_object {
            let mut row: Vec<(&[u8], &[u8])> = Vec::with_capacity(parts.len());
            for part in parts {
                match split(part, b':')[..] {
                    [name, value] => row.push((name, value)),
                    _ => return Err(wrong("a part of an object is no name with a value")),
                }
            }
            if !self.begun {
                let names: Vec<Vec<u8>> = row.iter().map(|(name, _)| name.to_vec()).collect();
                names.iter().enumerate().for_each(|(n, name)| cell(&mut self.line, n, name));
                self.line.push(b'\n');
                self.names = Some(names);
            }
            for (n, name) in self.names.iter().flatten().enumerate() {
                // Rows keep an order, so the guess is nearly always right.
                let guess = row.get(n).filter(|(of, _)| of == name);
                let value = guess
                    .or_else(|| row.iter().find(|(of, _)| of == name))
                    .map_or(&b""[..], |(_, value)| value);
                cell(&mut self.line, n, value);
            }
        } else {
            parts.iter().enumerate().for_each(|(n, part)| cell(&mut self.line, n, part));
        }
        self.begun = true;
        self.line.push(b'\n');
        self.scanner.text = text;
        Ok(())
    }
}

/// The parts between separators that stand in no string.
fn split(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut parts, mut from, mut in_string, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'"' if !escaped => in_string = !in_string,
            byte if *byte == separator && !in_string => {
                parts.push(text[from..at].trim_ascii());
                from = at + 1;
            }
            _ => {}
        }
        escaped = *byte == b'\\' && !escaped;
    }
    parts.push(text[from..].trim_ascii());
    parts
}

/// A cell of a line, without what would end it; numbers are passed on as they are written.
fn cell(line: &mut Vec<u8>, n: usize, text: &[u8]) {
    line.extend_from_slice(if n > 0 { b"," } else { b"" });
    line.extend(text.iter().filter(|b| !matches!(b, b',' | b'"' | b'\\' | b'\n' | b'\r')));
}

impl<R: Read> Read for JsonLines<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.done == self.line.len() {
            if !self.find()? {
                return Ok(0);
            }
            self.write()?;
        }
        let n = into.len().min(self.line.len() - self.done);
        into[..n].copy_from_slice(&self.line[self.done..self.done + n]);
        self.done += n;
        Ok(n)
    }
}
