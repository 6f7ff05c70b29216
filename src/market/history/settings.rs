//! What a data set is run as: its name, clock, kind, and the part of it that is wanted.

use crate::domain::{InstrumentKind, Span, Stamp};
use crate::market::table::Choices;

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

/// How a data set is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistorySettings {
    /// Its name in reports, `perp_1h`.
    pub name: String,
    /// The decision clock: a multiple of the data's bars.
    pub clock: Span,
    /// How its instruments are listed; `None` asks [`super::kind_of_name`].
    pub kind: Option<InstrumentKind>,
    /// Part of the data that is run.
    pub window: Window,
    /// What was decided of what files do not tell.
    pub choices: Choices,
    /// What who found the files has to say of them.
    pub notes: Vec<String>,
}
