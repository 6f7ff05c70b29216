//! Which decoder reads which format: a file's first bytes say what it is, and it is opened as that.

use super::csv_rows::FileBytes;
use super::format::ImportFormat;
use super::item::{Decode, NamedFile};
use super::{
    amm, binance, chain, continuous_future, dvol, funding, hyperliquid, ohlcv, quantconnect_lean, spot_perp,
    swaps, tardis,
};
use crate::domain::printable;
use crate::market::FeedError;
use crate::market::source::SourceFile;
use crate::market::table::{Choices, FileHints, TableKind, TableRows, TableShape};
use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::Arc;

/// Bytes of a file that are looked at to know its format.
const HEAD: u64 = 4_096;

/// What a file is: its format, and what it is as a table where it is one.
#[derive(Clone, Debug)]
pub struct Detected {
    /// What its rows are told by.
    pub format: ImportFormat,
    pub(super) shape: Option<Arc<TableShape>>,
}

impl Detected {
    /// What it is as a table, where its rows are bars.
    pub(crate) fn bars(&self) -> Option<&TableShape> {
        self.shape.as_deref().filter(|shape| shape.kind == TableKind::Bars)
    }
}

/// Looks at a file's first bytes and its name; none, with the reason, if it is of no format that is known.
pub fn detect(source: &dyn SourceFile, choices: &Choices) -> Result<Result<Detected, String>, FeedError> {
    let failed = |e: std::io::Error| FeedError::Read {
        file: source.name().to_owned(),
        line: 0,
        reason: e.to_string(),
    };
    let mut head = Vec::new();
    let read = source.open().map_err(failed)?.take(HEAD).read_to_end(&mut head);
    // What is wrong further on is told by who reads it.
    if head.is_empty() {
        read.map_err(failed)?;
    }
    let found = ImportFormat::detect(source.name(), &head);
    if let Some(format) = found.filter(|f| !is_table(*f)) {
        return Ok(Ok(Detected { format, shape: None }));
    }
    if head.contains(&0) {
        return Ok(Err("it is no text; where it is a table, save it as UTF-8".to_owned()));
    }
    match as_table(source, choices) {
        Ok(known) => Ok(Ok(known)),
        Err(FeedError::Column { column, header, .. }) if found.is_none() => {
            let header = printable(&header).into_owned();
            Ok(Err(format!("it has no column `{column}` among {header}; name it with --map {column}=COLUMN")))
        }
        Err(FeedError::Undecided { found: why, ways, .. }) if found.is_none() => {
            Ok(Err(format!("{why}; {ways}")))
        }
        Err(e) => Err(e),
    }
}

/// Whether a file is named after funding, whatever is in it.
pub fn is_named_after_rates(name: &str) -> bool {
    FileHints::of(name).funding
}

fn is_table(format: ImportFormat) -> bool {
    matches!(format, ImportFormat::Ohlcv | ImportFormat::Funding)
}

/// A file that is known for a table, as what it is.
pub(super) fn as_table(source: &dyn SourceFile, choices: &Choices) -> Result<Detected, FeedError> {
    let shape = TableShape::look(source, choices)?;
    let format = match shape.kind {
        TableKind::Bars | TableKind::Reference => ImportFormat::Ohlcv,
        TableKind::Funding | TableKind::Ticker => ImportFormat::Funding,
    };
    Ok(Detected { format, shape: Some(Arc::new(shape)) })
}

/// A file of a format that was named, as what it is.
pub(super) fn named(
    source: &dyn SourceFile,
    format: ImportFormat,
    choices: &Choices,
) -> Result<Detected, FeedError> {
    if is_table(format) { as_table(source, choices) } else { Ok(Detected { format, shape: None }) }
}

/// Of the bytes of a file, while they are read.
pub(super) type FileHasher = Rc<RefCell<blake3::Hasher>>;

/// Passes bytes on and hashes them.
struct HashedBytes {
    inner: Box<dyn Read + Send>,
    hasher: FileHasher,
}

impl Read for HashedBytes {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        self.hasher.borrow_mut().update(&into[..n]);
        Ok(n)
    }
}

fn hashed(inner: Box<dyn Read + Send>, hasher: Option<&FileHasher>) -> FileBytes {
    match hasher {
        Some(hasher) => Box::new(HashedBytes { inner, hasher: Rc::clone(hasher) }),
        None => inner,
    }
}

/// Opens a file as what it is.
pub(super) fn open(
    detected: &Detected,
    file: NamedFile,
    source: &dyn SourceFile,
    hasher: Option<&FileHasher>,
) -> Result<Box<dyn Decode>, FeedError> {
    let failed =
        |e: io::Error| FeedError::Read { file: source.name().to_owned(), line: 0, reason: e.to_string() };
    if let Some(shape) = &detected.shape {
        let rows = match source.columns(&shape.wanted()).map_err(failed)? {
            Some(batches) => {
                // What is read by columns is hashed as it lies.
                if let Some(hasher) = hasher {
                    let mut raw = hashed(source.raw().map_err(failed)?, Some(hasher));
                    io::copy(&mut raw, &mut io::sink()).map_err(failed)?;
                }
                TableRows::of_columns(&file.name, Arc::clone(shape), batches)
            }
            None => {
                TableRows::new(&file.name, Arc::clone(shape), hashed(source.open().map_err(failed)?, hasher))?
            }
        };
        return Ok(match detected.format {
            ImportFormat::Funding => Box::new(funding::Funding::open(file, rows)),
            _ => Box::new(ohlcv::Ohlcv::open(file, rows)?),
        });
    }
    let bytes = hashed(source.open().map_err(failed)?, hasher);
    Ok(match detected.format {
        ImportFormat::Ohlcv | ImportFormat::Funding => {
            // Whoever knew it for a table looked at it as one.
            return Err(FeedError::Read {
                file: file.name,
                line: 0,
                reason: "it was not looked at".to_owned(),
            });
        }
        ImportFormat::SpotPerp => Box::new(spot_perp::SpotPerp::open(file, bytes)?),
        ImportFormat::LeanTrades | ImportFormat::LeanQuotes => {
            Box::new(quantconnect_lean::Futures::open(file, bytes)?)
        }
        ImportFormat::LeanOptions => Box::new(quantconnect_lean::OptionDay::open(file, bytes)?),
        ImportFormat::BinanceMessages => Box::new(binance::Binance::open(file, bytes)),
        ImportFormat::HyperliquidMessages => Box::new(hyperliquid::Hyperliquid::open(file, bytes)),
        ImportFormat::DeribitChain | ImportFormat::DeribitSummary => {
            Box::new(chain::OptionChainFile::open(file, bytes)?)
        }
        ImportFormat::Front => Box::new(continuous_future::Front::open(file, bytes)?),
        ImportFormat::Dvol => Box::new(dvol::Dvol::open(&file, bytes)),
        ImportFormat::PoolMinutes => Box::new(amm::Minutes::open(&file, bytes)?),
        ImportFormat::Gas => Box::new(amm::GasPrice::open(&file, bytes)?),
        ImportFormat::Prices => Box::new(amm::Prices::open(file, bytes)?),
        ImportFormat::Swaps => Box::new(swaps::Swaps::open(&file, bytes)?),
        ImportFormat::TardisTrades | ImportFormat::TardisQuotes | ImportFormat::TardisBooks => {
            Box::new(tardis::Tardis::open(file, bytes)?)
        }
        ImportFormat::PoolDays => Box::new(amm::PoolDays::open(file, bytes)?),
    })
}
