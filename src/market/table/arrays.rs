//! A list of lists of numbers, `[[…], […], …]`, as lines of cells: what exchanges answer and programs keep is then a table like
//! any other.

use std::io::{self, Read};

/// Text of a table, as it stands or made of lists.
pub(super) enum TableText<R> {
    /// Lines as they stand.
    Lines(R),
    /// Lists of lists.
    Lists(ListLines<R>),
}

impl<R: Read> TableText<R> {
    /// Of a source at its beginning.
    pub fn new(inner: R, lists: bool) -> Self {
        if lists {
            TableText::Lists(ListLines { inner, depth: 0, over: false })
        } else {
            TableText::Lines(inner)
        }
    }
}

impl<R: Read> Read for TableText<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            TableText::Lines(inner) => inner.read(into),
            TableText::Lists(lists) => lists.read(into),
        }
    }
}

/// Lists of lists, a line each.
pub(super) struct ListLines<R> {
    inner: R,
    depth: u8,
    over: bool,
}

impl<R: Read> Read for ListLines<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let wrong = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidData, why));
        loop {
            // Each byte gives at most one, so that it is made where it was read.
            let n = self.inner.read(into)?;
            if n == 0 {
                return if self.over { Ok(0) } else { wrong("the file ends inside a list; it is cut off") };
            }
            let mut kept = 0;
            for at in 0..n {
                let byte = into[at];
                let out = match (self.depth, byte) {
                    // Whatever follows is read and is nothing.
                    _ if self.over => continue,
                    (0 | 1, b'[') => {
                        self.depth += 1;
                        continue;
                    }
                    (2, b']') => {
                        self.depth = 1;
                        b'\n'
                    }
                    (1, b']') => {
                        self.over = true;
                        continue;
                    }
                    (1, b',') | (_, b' ' | b'\n' | b'\r' | b'\t' | b'"') => continue,
                    (2, b'[' | b'{') | (0 | 1, _) => {
                        return wrong("this is no list of lists of numbers");
                    }
                    (_, byte) => byte,
                };
                into[kept] = out;
                kept += 1;
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}
