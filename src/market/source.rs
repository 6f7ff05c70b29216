//! What files are to this room: readable, re-openable runs of bytes, and the part of them that is wanted. The first pass learns what
//! there is, the next reads it again, so a source must give the same bytes twice; who opens files is the runtime.

use super::table::Choices;
use crate::domain::Stamp;
use std::io::{self, Cursor, Read, Write};
use std::sync::Arc;

/// One file of a data set, already decompressed where it was compressed.
pub trait SourceFile: Send {
    /// How reports and errors name it.
    fn name(&self) -> &str;
    /// Its name without folder and endings; a file without a symbol column takes its symbol from it.
    fn stem(&self) -> &str;
    /// Its name with the folders that tell of it.
    fn path(&self) -> &str {
        self.name()
    }
    /// What was decided of this file alone.
    fn choices(&self) -> Option<&Choices> {
        None
    }
    /// Whether it was found in a folder, and not named: then that it cannot be read does not end the others.
    fn is_found(&self) -> bool {
        false
    }
    /// Its bytes from the start; of a table that is kept by columns, its rows as text.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
    /// These columns of a table that is kept by columns; none where it is kept otherwise.
    fn columns(&self, _wanted: &[usize]) -> io::Result<Option<ColumnBatches>> {
        Ok(None)
    }
    /// Its bytes as they lie, to be hashed.
    fn raw(&self) -> io::Result<Box<dyn Read + Send>> {
        self.open()
    }
}

/// The columns of some rows of a table that is kept by columns; empty ones are left where nobody asked for them.
pub struct ColumnBatch {
    /// How many rows there are.
    pub rows: usize,
    /// By column of the table.
    pub columns: Vec<ColumnValues>,
}

/// The values of a column.
pub enum ColumnValues {
    /// Nobody asked for them.
    Unread,
    /// Numbers; NaN where nothing stands.
    Numbers(Vec<f64>),
    /// Whole numbers, [`i64::MIN`] where nothing stands.
    Whole(Vec<i64>),
    /// Nanoseconds since 1970, [`i64::MIN`] where nothing stands.
    Moments(Vec<i64>),
    /// Texts one after the other, and where each of them ends.
    Texts(Vec<u8>, Vec<u32>),
}

/// The rows of such a table, some at a time.
pub type ColumnBatches = Box<dyn Iterator<Item = io::Result<ColumnBatch>> + Send>;

/// A source held in memory.
#[derive(Clone, Debug)]
pub struct SourceBytes {
    name: String,
    stem: String,
    data: Arc<[u8]>,
}

impl SourceBytes {
    /// A source named `name` (`BTCUSDT.csv`; the stem ends at the first point).
    pub fn new(name: &str, data: impl Into<Arc<[u8]>>) -> Self {
        let stem = name.split('.').next().unwrap_or(name).to_string();
        SourceBytes { name: name.to_string(), stem, data: data.into() }
    }
}

impl SourceFile for SourceBytes {
    fn name(&self) -> &str {
        &self.name
    }

    fn stem(&self) -> &str {
        &self.stem
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(Arc::clone(&self.data))))
    }
}

/// Where something is written that is read at once and kept nowhere.
pub trait ScratchFile: Write + Send {
    /// What was written, to be read.
    fn close(self: Box<Self>, name: &str) -> io::Result<Box<dyn SourceFile>>;
}

impl ScratchFile for Vec<u8> {
    fn close(self: Box<Self>, name: &str) -> io::Result<Box<dyn SourceFile>> {
        Ok(Box::new(SourceBytes::new(name, *self)))
    }
}

/// Which part of a data set is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// First open of a bar; moved on to the next start of a bucket.
    pub from: Option<Stamp>,
    /// End of the last bar, exclusive; moved back to the last end of a bucket.
    pub to: Option<Stamp>,
    /// Only these: names of assets (`BTC`, `BTC@kraken`) or symbols (`BTCUSDT`).
    pub assets: Option<Vec<String>>,
}

impl Window {
    /// Whether it is all of a data set.
    pub(crate) fn is_whole(&self) -> bool {
        self.from.is_none() && self.to.is_none() && self.assets.is_none()
    }

    /// Whether a moment lies in it.
    pub(crate) fn holds(&self, at: Stamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
    }
}
