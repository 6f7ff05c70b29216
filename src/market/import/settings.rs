//! What is asked of an import: the name of the tape, which files and rows, and what files do not tell of themselves.

use super::calendar::{self, TimeZone};
use super::format::ImportFormat;
use crate::domain::{InstrumentKind, Span, Stamp};
use crate::market::source::Window;
use crate::market::table::Choices;

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
    /// What was decided of what files do not tell.
    pub choices: Choices,
    /// What who found the files has to say of them.
    pub notes: Vec<String>,
    /// Pass over files that nobody knows instead of refusing them.
    pub lenient: bool,
}

/// When something settles that others are to be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closes {
    /// CME's daily settlement of bitcoin futures, 15:00 in Chicago on the days on which it settles.
    Cme,
}

impl Closes {
    /// All of them, by their names.
    pub const ALL: [(&'static str, Closes); 1] = [("cme", Closes::Cme)];

    /// Whether it settles then.
    pub(super) fn is_at(self, at: Stamp) -> bool {
        let Closes::Cme = self;
        !calendar::is_closed(at) && calendar::at(at.floor(Span::DAY), TimeZone::Chicago, 15) == at
    }
}
