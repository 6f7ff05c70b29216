//! An index of implied volatility: `[[ms, percent per year], …]`, each value that of the end of its time.

use super::csv_rows::{Arrays, FileBytes, stamp_of};
use super::item::{Decode, Item, NamedFile, RowContent};
use super::listing::Listings;
use crate::domain::{MarketEvent, Span};
use crate::market::FeedError;

/// A value of this many percent per year is none.
const PERCENT_MAX: f64 = 1_000.0;

/// A file of an index.
pub(super) struct Dvol {
    rows: Arrays,
    base: String,
    bar: Span,
}

impl Dvol {
    pub fn open(file: &NamedFile, bytes: FileBytes) -> Self {
        let name = file.name.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_uppercase();
        let words = name.split(['_', '-', '.']);
        let base = words
            .filter(|w| !matches!(*w, "DVOL" | "VOL" | "INDEX"))
            .find(|w| w.len() >= 2 && w.chars().all(|c| c.is_ascii_alphabetic()));
        Dvol {
            base: base.unwrap_or("BTC").to_owned(),
            bar: file.hints.bar.unwrap_or(Span::DAY),
            rows: Arrays::open(&file.name, bytes),
        }
    }
}

impl Decode for Dvol {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        let Some(row) = self.rows.advance()? else { return Ok(false) };
        let line = self.rows.row;
        let item = match (row.as_slice(), row.first().map(|ms| stamp_of(*ms))) {
            ([_, percent], Some(Ok(at))) if *percent > 0.0 && *percent < PERCENT_MAX => {
                let at = at.after(self.bar);
                let event = MarketEvent::VolIndex {
                    asset: listings.index_of(&self.base),
                    at,
                    sigma: percent / 100.0,
                };
                Item::at(at, line, RowContent::Now(event))
            }
            (_, Some(Err(why))) => Item::bad(line, why),
            _ => Item::bad(line, format!("{row:?} is no value of an index of volatility")),
        };
        out.push(item);
        Ok(true)
    }
}
