//! Which decoder reads which format: a file's first bytes say what it is, and it is opened as that.

use super::csv_rows::FileBytes;
use super::format::ImportFormat;
use super::item::{Decode, NamedFile};
use super::{
    amm, binance, chain, continuous_future, dvol, funding, hyperliquid, ohlcv, quantconnect_lean, spot_perp,
    swaps,
};
use crate::domain::printable;
use crate::market::FeedError;
use crate::market::history::SourceFile;
use crate::market::table::{Choices, TableKind, TableShape};
use std::io::Read;
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

/// Looks at a file's first bytes and its name; none, with the reason, if it is of no format that is known.
pub fn detect(source: &dyn SourceFile, choices: &Choices) -> Result<Result<Detected, String>, FeedError> {
    let failed = |e: std::io::Error| FeedError::Read {
        file: source.name().to_owned(),
        line: 0,
        reason: e.to_string(),
    };
    let mut head = Vec::new();
    source.open().map_err(failed)?.take(HEAD).read_to_end(&mut head).map_err(failed)?;
    let found = ImportFormat::detect(source.name(), &head);
    if let Some(format) = found.filter(|f| !is_table(*f)) {
        return Ok(Ok(Detected { format, shape: None }));
    }
    if head.contains(&0) {
        return Ok(Err("it is no text".to_owned()));
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

/// Opens a file as what it is.
pub(super) fn open(
    detected: &Detected,
    file: NamedFile,
    bytes: FileBytes,
) -> Result<Box<dyn Decode>, FeedError> {
    if let Some(shape) = &detected.shape {
        return Ok(match detected.format {
            ImportFormat::Funding => Box::new(funding::Funding::open(file, Arc::clone(shape), bytes)?),
            _ => Box::new(ohlcv::Ohlcv::open(file, Arc::clone(shape), bytes)?),
        });
    }
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
        ImportFormat::PoolDays => Box::new(amm::PoolDays::open(file, bytes)?),
    })
}
