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
mod decoders;
mod dvol;
mod format;
mod funding;
mod hyperliquid;
mod item;
mod listing;
mod merge;
mod messages;
mod ohlcv;
mod quantconnect_lean;
mod settings;
mod spot_perp;
mod survey;
mod swaps;
mod tardis;
#[cfg(test)]
mod tests;

pub use decoders::{Detected, detect, is_named_after_rates};
pub use format::ImportFormat;
pub use merge::{SORTED_MAX, WrittenTape};
pub use settings::{Closes, ImportSettings};
pub use survey::{FileSurvey, FileVerdict, Findings, Survey, SurveyNote, survey};
