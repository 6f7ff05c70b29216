//! What a data set is run as: its name, clock, kind, and the part of it that is wanted.

use crate::domain::{InstrumentKind, Span};
use crate::market::source::Window;
use crate::market::table::{Choices, FileHints};

/// How a data set is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistorySettings {
    /// Its name in reports, `perp_1h`.
    pub name: String,
    /// The decision clock: a multiple of the data's bars.
    pub clock: Span,
    /// How its instruments are listed; `None` asks the names of its files.
    pub kind: Option<InstrumentKind>,
    /// Part of the data that is run.
    pub window: Window,
    /// What was decided of what files do not tell.
    pub choices: Choices,
    /// What who found the files has to say of them.
    pub notes: Vec<String>,
}

/// The kind a data set's name tells: perps where it says so, margin otherwise (both sides, with a
/// borrow rate), since the files themselves do not tell.
pub fn kind_of_name(name: &str) -> InstrumentKind {
    FileHints::of(name).kind.unwrap_or(InstrumentKind::Margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_kinds() {
        for (name, kind) in [
            ("perp_1h", InstrumentKind::Perp),
            ("spot_1h", InstrumentKind::Margin),
            ("swaps", InstrumentKind::Perp),
            ("uniswap", InstrumentKind::Margin),
            ("btcperps", InstrumentKind::Perp),
        ] {
            assert_eq!(kind_of_name(name), kind, "{name}");
        }
    }
}
