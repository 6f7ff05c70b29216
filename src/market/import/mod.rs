//! Importers: files of many formats, made into events with their instruments and venues, and into tapes.
//!
//! Entry points: [`survey`] reads files once and says what they hold and what is wrong with them;
//! [`Survey::write`] reads them again and writes a tape.
//!
//! One file a format; [`ImportFormat::detect`] knows a file by its header and name.
//!
//! # What files do not tell
//!
//! Venue, kind and pair come from the columns, or from the names of the file and its folders
//! (`binance_BTCUSDT_1h.csv`), or from the settings. Bars that do not say what they are trade on margin.
//! Dollars and the coins that stand for them are the currency of the account, unless such a coin is itself
//! an asset of the tape. Contracts settle at the last price before their expiry. A funding settlement
//! without a mark takes the last price of its perp, or of its asset.
//!
//! # Invariants
//!
//! 1. A row that cannot be believed is counted and named with its file and line, never used.
//! 2. Bars are told at their close: nothing is known before it could be.
//! 3. Events of several files come sorted by stamp; of equal stamps bars come first and settlements last,
//!    then files in the order of their names, then rows in theirs.
//! 4. Memory does not grow with files that are sorted. Those that are not (newest first, or bars beside
//!    what is stamped otherwise) are sorted in memory, up to [`SORTED_MAX`] events together.

mod amm;
mod binance;
mod calendar;
mod chain;
mod continuous_future;
mod csv_rows;
mod dvol;
mod file_hints;
mod format;
mod funding;
mod hyperliquid;
mod item;
mod listing;
mod merge;
mod messages;
mod ohlcv;
mod quantconnect_lean;
mod spot_perp;
mod survey;
mod swaps;
#[cfg(test)]
mod tests;

pub use format::ImportFormat;
pub use merge::{SORTED_MAX, WrittenTape};
pub use survey::{FileSurvey, Findings, Survey, SurveyNote, survey};

use crate::domain::{InstrumentKind, Span, Stamp};
use crate::market::FeedError;
use crate::market::history::{SourceFile, Window};
use csv_rows::FileBytes;
use item::{Decode, NamedFile};
use std::io::Read;

/// Bytes of a file that are looked at to know its format.
const HEAD: u64 = 4_096;

/// How files are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportSettings {
    /// The name of the tape.
    pub name: String,
    /// Which format all files have; none: each is looked at.
    pub format: Option<ImportFormat>,
    /// Where all of it was recorded; none: the names of files tell.
    pub venue: Option<String>,
    /// How bars are listed; none: the names of files tell.
    pub kind: Option<InstrumentKind>,
    /// Which part: stamps of rows, and names of assets or symbols.
    pub window: Window,
    /// Of files of bars only those of this length; none: all.
    pub bar: Option<Span>,
    /// Of bars only those that close when this settles, each as its one closing price.
    pub closes: Option<Closes>,
    /// Pass over files that nobody knows instead of refusing them.
    pub lenient: bool,
}

/// When something settles that others are to be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closes {
    /// CME's daily settlement of bitcoin futures, 15:00 in Chicago.
    Cme,
}

impl Closes {
    /// All of them, by their names.
    pub const ALL: [(&'static str, Closes); 1] = [("cme", Closes::Cme)];

    /// Whether it settles then.
    fn is_at(self, at: Stamp) -> bool {
        let Closes::Cme = self;
        calendar::at(at.floor(Span::DAY), calendar::TimeZone::Chicago, 15) == at
    }
}

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
fn open(format: ImportFormat, file: NamedFile, bytes: FileBytes) -> Result<Box<dyn Decode>, FeedError> {
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
