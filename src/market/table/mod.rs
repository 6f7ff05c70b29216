//! Tables of bars and of settlements: what anybody's file calls its columns, and what stands in them. Both ways in, a history's
//! and an import's, read through here, so that one file is one market by either.
//!
//! Entry points: [`TableShape::look`] reads the beginning of a file and says what it is, or what has to be decided first;
//! [`TableRows`] reads it row by row as that.
//!
//! # Invariants
//!
//! 1. What would change money is told by the file or decided by [`Choices`], never guessed: else the file is refused, with
//!    the choice that reads it.
//! 2. Whatever is not taken as it stands is said in the shape's notes.
//! 3. A row is one line of the file, whatever its separator, and is named by it.

mod arrays;
mod choices;
mod columns;
mod names;
mod plausible;
mod rows;
mod shape;
mod stamps;
#[cfg(test)]
mod tests;

pub use choices::Choices;
pub(super) use columns::cell_text;
pub(super) use names::{FileHints, SymbolPair, asset_name, is_dollar, money_like};
pub(super) use plausible::{PriceFindings, PriceJudge, SHIFT_WAYS, finishes};
pub(super) use rows::{RATE_MAX, SETTLED_WITHIN, TableRows, read_number, shown};
pub(super) use shape::{TableKind, TableShape};
pub(super) use stamps::read_stamp;
