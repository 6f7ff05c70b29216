//! Which decoder reads which format: a file's first bytes say what it is, and it is opened as that.

use super::csv_rows::FileBytes;
use super::format::ImportFormat;
use super::item::{Decode, NamedFile};
use super::{
    amm, binance, chain, continuous_future, dvol, funding, hyperliquid, ohlcv, quantconnect_lean, spot_perp,
    swaps,
};
use crate::market::FeedError;
use crate::market::history::SourceFile;
use std::io::Read;

/// Bytes of a file that are looked at to know its format.
const HEAD: u64 = 4_096;

/// Looks at a file's first bytes and its name; none if it is of no format that is known.
pub fn detect(source: &dyn SourceFile) -> Result<Option<ImportFormat>, FeedError> {
    let failed = |e: std::io::Error| FeedError::Read {
        file: source.name().to_owned(),
        line: 0,
        reason: e.to_string(),
    };
    let mut head = Vec::new();
    source.open().map_err(failed)?.take(HEAD).read_to_end(&mut head).map_err(failed)?;
    Ok(ImportFormat::detect(source.name(), &head))
}

/// Opens a file as what it is.
pub(super) fn open(
    format: ImportFormat,
    file: NamedFile,
    bytes: FileBytes,
) -> Result<Box<dyn Decode>, FeedError> {
    Ok(match format {
        ImportFormat::Ohlcv => ohlcv::open(file, bytes)?,
        ImportFormat::Funding => Box::new(funding::Funding::open(file, bytes)?),
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
