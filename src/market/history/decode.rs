//! One file of a data set, row by row: its rows with their symbols numbered, and its bytes hashed.

use super::source::SourceFile;
use super::symbols::{SYMBOLS_MAX, SymbolTable, symbol_of_file};
use crate::domain::{Bar, Stamp, is_unprintable};
use crate::market::FeedError;
use crate::market::table::{LinePosition, TableRows, TableShape, shown};
use std::io::{self, Read};
use std::sync::Arc;

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

/// A file being read. The last row stays readable until the next [`Decoder::advance`].
pub(super) struct Decoder {
    rows: TableRows<HashingReader>,
    /// The symbol of a file without a symbol column.
    fixed: Option<u16>,
    /// Number of the last symbol, and by symbol the one that followed it last time: panels keep an
    /// order, so the guess is nearly always right and saves the search.
    symbol: u16,
    follower: Vec<u16>,
}

impl Decoder {
    /// Opens a source as what it was found to be.
    pub fn open(
        source: &dyn SourceFile,
        shape: &Arc<TableShape>,
        hash: bool,
        table: &mut SymbolTable,
    ) -> Result<Self, FeedError> {
        let name = source.name();
        let inner = source.open().map_err(|e| FeedError::Read {
            file: name.to_owned(),
            line: 0,
            reason: e.to_string(),
        })?;
        let bytes = HashingReader { inner, hasher: hash.then(blake3::Hasher::new) };
        let rows = TableRows::new(name, Arc::clone(shape), bytes)?;
        let fixed = if shape.names_symbols() {
            None
        } else {
            Some(table.number(symbol_of_file(source, shape).as_bytes()).ok_or(FeedError::TooMany {
                name: name.to_owned(),
                what: "symbols",
                limit: SYMBOLS_MAX,
            })?)
        };
        Ok(Decoder { rows, fixed, symbol: 0, follower: Vec::new() })
    }

    /// How reports name the file.
    pub fn name(&self) -> &str {
        self.rows.name()
    }

    /// What the file is.
    pub fn shape(&self) -> &TableShape {
        self.rows.shape()
    }

    /// The line of the last row.
    pub fn line(&self) -> u64 {
        self.rows.line()
    }

    /// Where the last row begins, or where the file ended.
    pub fn position(&self) -> LinePosition {
        self.rows.position()
    }

    /// Goes on in the same file with the row that begins there.
    pub fn seek(&mut self, source: &dyn SourceFile, to: LinePosition) -> Result<(), FeedError> {
        let failed = |e: io::Error| FeedError::Read {
            file: self.rows.name().to_owned(),
            line: 0,
            reason: e.to_string(),
        };
        let inner = source.open().map_err(failed)?;
        self.rows.seek(HashingReader { inner, hasher: None }, to)
    }

    /// Reads the next row and its stamp and symbol.
    pub fn advance(&mut self, table: &mut SymbolTable) -> Result<DecodedLine, FeedError> {
        if !self.rows.advance()? {
            return Ok(DecodedLine::End);
        }
        let stamp = match self.rows.stamp() {
            Ok(stamp) => stamp,
            Err(why) => return Ok(DecodedLine::Bad(why)),
        };
        let symbol = match (self.fixed, self.rows.symbol()) {
            (Some(symbol), _) => symbol,
            (None, Some(text)) => {
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
            // `open` gives one or the other.
            (None, None) => return Ok(DecodedLine::Bad("no symbol".into())),
        };
        self.symbol = symbol;
        Ok(DecodedLine::Row(stamp, symbol))
    }

    /// The bar of the last row, or why it cannot be believed.
    pub fn bar(&self) -> Result<Bar, String> {
        self.rows.bar()
    }

    /// The last row as a settlement: when, and the rate; none where it is none, or why it cannot be believed.
    pub fn settlement(&self, at: Stamp) -> Result<Option<(Stamp, f64)>, String> {
        self.rows.settlement(at)
    }

    /// The hash of all bytes and of what was decided; reads the rest of the file if it was left early.
    pub fn finish(self) -> Result<Option<blake3::Hash>, FeedError> {
        let decided = self.rows.shape().choices.text();
        let hasher = self.rows.finish()?.hasher;
        Ok(hasher.map(|mut hasher| {
            // The same bytes read otherwise are other data.
            hasher.update(decided.as_bytes());
            hasher.finalize()
        }))
    }
}
