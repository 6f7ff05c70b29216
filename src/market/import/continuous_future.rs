//! A continuous future: the settlement of the front contract by the day (`Date,Adj Close`), taken apart into
//! its contracts again. Which contract a row is of follows from its day, so only futures are read whose
//! months and last days are known.
//!
//! Bitcoin futures of CME (`BTC_F`, `BTC=F`; rulebook chapter 350): a contract a month from January 2018 on;
//! the last day is the last Friday of the month, or the Thursday before where that Friday is a holiday; the
//! final settlement is the reference rate of 16:00 in London. Every other day settles at 15:00 in Chicago.
//! The row of a last day is that final settlement: prices that are on no tick stand on just these days.

use super::ImportFormat;
use super::calendar::{self, TimeZone};
use super::csv_rows::{CsvRows, FileBytes};
use super::item::{Decode, Item, NamedFile, RowContent};
use super::listing::{ListingName, Listings};
use crate::domain::{Bar, ContractTerms, InstrumentKind, MarketEvent, Span, Stamp};
use crate::market::FeedError;

/// The month of the first contract that a row is of: those of December 2017 are of January's.
const FIRST: (i64, i64) = (2018, 1);

/// A file of settlements.
pub(super) struct Front {
    sheet: CsvRows,
    stamp: usize,
    close: usize,
    venue: String,
}

/// The last day of a month's contract, as the start of that day.
fn last_day(year: i64, month: i64) -> Option<Stamp> {
    let friday = calendar::last(year, month, 4)?;
    let holiday =
        matches!(calendar::date(friday), (_, 12, 25) | (2018, 3, 30) | (2024, 3, 29) | (2027, 3, 26));
    Some(if holiday { Stamp(friday.0 - Span::DAY.0) } else { friday })
}

/// Year and month of the contract that is the front on a day, and its last day.
fn contract(day: Stamp) -> Option<(i64, i64, Stamp)> {
    let (year, month, _) = calendar::date(day);
    let (mut year, mut month) = (year, month).max(FIRST);
    loop {
        let last = last_day(year, month)?;
        if day <= last {
            return Some((year, month, last));
        }
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
}

impl Front {
    pub fn open(file: NamedFile, bytes: FileBytes) -> Result<Self, FeedError> {
        let name = file.name.rsplit(['/', '\\', ':']).next().unwrap_or_default().to_ascii_uppercase();
        if !(name.starts_with("BTC_F") || name.starts_with("BTC=F")) {
            return Err(FeedError::Format {
                file: file.name.clone(),
                reason: "of this continuous future it is not known when its contracts end; known is BTC_F, \
                         the bitcoin future of CME"
                    .to_owned(),
                known: ImportFormat::known(),
            });
        }
        let sheet = CsvRows::open(&file.name, bytes)?;
        let venue = if file.hints.venue.is_empty() { "cme".to_owned() } else { file.hints.venue };
        Ok(Front { stamp: sheet.need(&["date"])?, close: sheet.need(&["adj close"])?, venue, sheet })
    }

    fn row(&self, line: u64, listings: &mut Listings) -> Result<Option<Item>, String> {
        let day = self.sheet.stamp(self.stamp)?.floor(Span::DAY);
        let price = self.sheet.number(self.close)?;
        if price <= 0.0 {
            return Err(format!("a settlement at {price} is none"));
        }
        let (year, month, last) = contract(day).ok_or("this day has no contract")?;
        let expiry = calendar::at(last, TimeZone::London, 16);
        let entry = ListingName {
            venue: &self.venue,
            symbol: &format!("BTC{year}{month:02}"),
            kind: InstrumentKind::Future,
            base: "BTC",
            quote: Some("USD"),
            terms: ContractTerms::Future { expiry },
        };
        let Some(instrument) = listings.number(&entry) else { return Ok(None) };
        if day == last {
            return Ok(Some(Item::now(line, MarketEvent::Settled { instrument, at: expiry, price })));
        }
        // One price a day: the next is had at the next settlement, not at an open that nobody recorded.
        let bar = Bar { open: price, high: price, low: price, close: price, volume: f64::INFINITY };
        let at = Stamp(calendar::at(day, TimeZone::Chicago, 15).0 - Span::DAY.0);
        Ok(Some(Item::at(at, line, RowContent::AtClose(MarketEvent::Bar { instrument, at, bar }))))
    }
}

impl Decode for Front {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.sheet.advance()? {
            return Ok(false);
        }
        let line = self.sheet.line();
        match self.row(line, listings) {
            Ok(item) => out.extend(item),
            Err(why) => out.push(Item::bad(line, why)),
        }
        Ok(true)
    }

    fn notes(&self) -> Vec<String> {
        vec![
            "a continuous future is taken apart by the last days of its contracts; a contract is known while \
             it is the front, by its settlements at 15:00 in Chicago, and ends at its final settlement"
                .to_owned(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Stamp {
        Stamp::parse(text).unwrap()
    }

    #[test]
    fn a_day_is_of_the_contract_that_ends_next() {
        for (at, year, month, last) in [
            ("2017-12-18", 2018, 1, "2018-01-26"),
            ("2018-01-26", 2018, 1, "2018-01-26"),
            ("2018-01-29", 2018, 2, "2018-02-23"),
            ("2018-03-29", 2018, 3, "2018-03-29"),
            ("2020-12-24", 2020, 12, "2020-12-24"),
            ("2020-12-28", 2021, 1, "2021-01-29"),
            ("2021-12-31", 2021, 12, "2021-12-31"),
        ] {
            assert_eq!(contract(day(at)), Some((year, month, day(last))), "{at}");
        }
    }
}
