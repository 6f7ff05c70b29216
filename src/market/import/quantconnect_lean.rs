//! Lean's files: dated futures, one contract a file (`es_trade_201312.csv`, times as `20131006 22:00` or as
//! milliseconds of the day in the file's name), and a day's options of one underlying.
//!
//! Times of CME and COMEX are read as UTC: the first bar of a week is 22:00 on Sunday in October, when
//! those markets open. Expiries follow from the month by the exchange's rule: the third Friday 13:30 UTC
//! for index futures, the third last weekday of the month 17:30 UTC for metals.

use super::ImportFormat;
use super::calendar::weekday;
use super::csv_rows::{CsvRows, FileBytes};
use super::item::{Decode, Item, NamedFile, RowContent};
use super::listing::{ListingName, Listings};
use crate::domain::{Bar, ContractTerms, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp};
use crate::market::FeedError;

/// Metals, which end at the end of their month.
const METALS: [&str; 4] = ["GC", "SI", "HG", "PL"];
/// Index futures settle on the morning of their last day, metals at noon in New York.
const INDEX_AT: Span = Span::seconds(13 * 3_600 + 1_800);
const METAL_AT: Span = Span::seconds(17 * 3_600 + 1_800);
/// American options end with the day's trading.
const OPTION_AT: Span = Span(20 * Span::HOUR.0);

fn day_of(text: &str) -> Option<Stamp> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Stamp::parse(&format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]))
}

/// When a contract of a month (`201312`) ends.
fn expiry(root: &str, month: &str) -> Option<Stamp> {
    if METALS.contains(&root) {
        // The day before the first of the next month, and from there back over two more weekdays.
        let first = day_of(&format!("{month}01"))?;
        let next = (28..32).map(|d| first.after(Span(d * Span::DAY.0))).find(|d| {
            let date = d.to_string();
            date.get(8..10) == Some("01")
        })?;
        let mut day = next;
        let mut left = 3;
        while left > 0 {
            day = Stamp(day.0 - Span::DAY.0);
            left -= i64::from(weekday(day) < 5);
        }
        return Some(day.after(METAL_AT));
    }
    let fridays = (15..22).filter_map(|d| day_of(&format!("{month}{d:02}")));
    Some(fridays.into_iter().find(|d| weekday(*d) == 4)?.after(INDEX_AT))
}

/// The file's own name without its endings.
fn stem(file: &NamedFile) -> String {
    let name = file.name.rsplit(['/', '\\', ':']).next().unwrap_or_default();
    name.split('.').next().unwrap_or_default().to_ascii_lowercase()
}

/// `20131006 22:00`, or milliseconds of a day.
fn stamp(text: &str, day: Option<Stamp>) -> Result<Stamp, String> {
    let wrong = || format!("`{text}` is no time");
    if let Some((date, clock)) = text.split_once(' ') {
        let midnight = day_of(date).ok_or_else(wrong)?;
        let (hour, minute) = clock.split_once(':').ok_or_else(wrong)?;
        let (hour, minute): (i64, i64) =
            (hour.parse().map_err(|_| wrong())?, minute.parse().map_err(|_| wrong())?);
        return Ok(midnight.after(Span::seconds(hour * 3_600 + minute * 60)));
    }
    let ms: i64 = text.parse().map_err(|_| wrong())?;
    let day = day.filter(|_| (0..86_400_000).contains(&ms)).ok_or_else(wrong)?;
    Ok(day.after(Span(ms * 1_000_000)))
}

/// Reads the trades or quotes of one futures contract.
pub(super) struct Futures {
    sheet: CsvRows,
    root: String,
    symbol: String,
    day: Option<Stamp>,
    expiry: Stamp,
    quotes: bool,
    file: NamedFile,
}

impl Futures {
    pub fn open(file: NamedFile, bytes: FileBytes) -> Result<Self, FeedError> {
        let stem = stem(&file);
        let words: Vec<&str> = stem.split('_').collect();
        let found = || {
            let ([_, kind, month] | [_, _, _, kind, month]) = words[..] else { return None };
            let day = day_of(words[0]);
            let root = words[usize::from(day.is_some())].to_ascii_uppercase();
            let expiry = expiry(&root, month)?;
            Some((root, month.to_owned(), day, expiry, kind == "quote"))
        };
        let (root, month, day, expiry, quotes) = found().ok_or_else(|| FeedError::Format {
            file: file.name.clone(),
            reason: "its name does not tell the contract; name it like es_trade_201312".to_owned(),
            known: ImportFormat::known(),
        })?;
        let symbol = format!("{root}{month}");
        Ok(Futures { sheet: CsvRows::open(&file.name, bytes)?, root, symbol, day, expiry, quotes, file })
    }

    fn row(&self, instrument: InstrumentId) -> Result<Item, String> {
        let line = self.sheet.line();
        let at = stamp(self.sheet.text(0), self.day)?;
        let n = |c: usize| self.sheet.number(c);
        if !self.quotes {
            let bar = Bar { open: n(1)?, high: n(2)?, low: n(3)?, close: n(4)?, volume: n(5)? };
            return Ok(Item::bar(line, instrument, at, bar));
        }
        // Open, high, low, close and size of the bid, then of the offer.
        let (bid, bid_size, ask, ask_size) = (n(4)?, n(5)?, n(9)?, n(10)?);
        if !(bid > 0.0 && ask >= bid && bid_size >= 0.0 && ask_size >= 0.0) {
            return Err(format!("bid {bid} × {bid_size}, offer {ask} × {ask_size} is no market"));
        }
        let event = MarketEvent::Quote { instrument, at, bid, ask, bid_size, ask_size };
        Ok(Item::at(at, line, RowContent::AtClose(event)))
    }
}

impl Decode for Futures {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.sheet.advance()? {
            return Ok(false);
        }
        let instrument = listings.number(&ListingName {
            venue: &self.file.hints.venue,
            symbol: &self.symbol,
            kind: InstrumentKind::Future,
            base: &self.root,
            quote: Some("USD"),
            terms: ContractTerms::Future { expiry: self.expiry },
        });
        if let Some(instrument) = instrument {
            out.push(self.row(instrument).unwrap_or_else(|why| Item::bad(self.sheet.line(), why)));
        }
        Ok(true)
    }

    fn notes(&self) -> Vec<String> {
        vec!["times of dated futures are read as UTC, and their expiries follow from their months".to_owned()]
    }
}

/// A day's options of one underlying: `option_usa_universes_aapl_20140609.csv`. The day's file tells the
/// close before it, and is known when the day begins.
pub(super) struct OptionDay {
    sheet: CsvRows,
    columns: [usize; 8],
    volume: usize,
    sigma: Option<usize>,
    root: String,
    at: Stamp,
    spot: f64,
    file: NamedFile,
}

impl OptionDay {
    pub fn open(file: NamedFile, bytes: FileBytes) -> Result<Self, FeedError> {
        let sheet = CsvRows::open(&file.name, bytes)?;
        let stem = stem(&file);
        let words: Vec<&str> = stem.split('_').collect();
        let day = words.last().and_then(|w| day_of(w));
        let at_universes = words.iter().position(|w| *w == "universes");
        let (Some(at), Some(root)) = (day, at_universes.and_then(|p| words.get(p + 1))) else {
            return Err(FeedError::Format {
                file: file.name.clone(),
                reason: "its name does not tell the underlying and the day; name it like \
                         option_usa_universes_aapl_20140609"
                    .to_owned(),
                known: ImportFormat::known(),
            });
        };
        let need = |name: &'static str| sheet.need(&[name]);
        let columns = [
            need("expiry")?,
            need("strike")?,
            need("right")?,
            need("open")?,
            need("high")?,
            need("low")?,
            need("close")?,
            need("volume")?,
        ];
        let root = root.to_ascii_uppercase();
        let sigma = sheet.find(&["implied_volatility"]);
        Ok(OptionDay { volume: columns[7], columns, sigma, root, at, spot: f64::NAN, sheet, file })
    }

    fn bar(&self) -> Result<Bar, String> {
        let n = |c: usize| self.sheet.number(self.columns[c]);
        let volume = self.sheet.maybe(Some(self.volume))?.unwrap_or(0.0);
        Ok(Bar { open: n(3)?, high: n(4)?, low: n(5)?, close: n(6)?, volume })
    }

    fn row(&mut self, line: u64, listings: &mut Listings, out: &mut Vec<Item>) -> Result<(), String> {
        let date = self.sheet.text(self.columns[0]);
        let venue = self.file.hints.venue.clone();
        // The bar of the day before, so that it is told when this day begins.
        let open = Stamp(self.at.0 - Span::DAY.0);
        if date.is_empty() {
            let bar = self.bar()?;
            self.spot = bar.close;
            let entry = ListingName {
                venue: &venue,
                symbol: &self.root,
                kind: InstrumentKind::Margin,
                base: &self.root,
                quote: Some("USD"),
                terms: ContractTerms::Plain,
            };
            out.extend(listings.number(&entry).map(|id| Item::bar(line, id, open, bar)));
            return Ok(());
        }
        let expiry = day_of(date).ok_or_else(|| format!("`{date}` is no expiry"))?.after(OPTION_AT);
        let strike = self.sheet.number(self.columns[1])?;
        let call = match self.sheet.text(self.columns[2]) {
            "C" | "c" => true,
            "P" | "p" => false,
            other => return Err(format!("`{other}` is neither call nor put")),
        };
        let symbol = format!("{}-{date}-{strike}-{}", self.root, if call { 'C' } else { 'P' });
        let terms = ContractTerms::Option { expiry, strike, call, inverse: false };
        let kind = InstrumentKind::Option;
        let entry =
            ListingName { venue: &venue, symbol: &symbol, kind, base: &self.root, quote: Some("USD"), terms };
        let Some(instrument) = listings.number(&entry) else { return Ok(()) };
        let bar = self.bar()?;
        // Contracts without a price are listed all the same.
        if bar.close > 0.0 {
            out.push(Item::bar(line, instrument, open, bar));
        }
        let sigma = self.sheet.maybe(self.sigma)?.filter(|s| *s > 0.0);
        if let Some(sigma) = sigma.filter(|_| self.spot > 0.0) {
            let event = MarketEvent::Implied { instrument, at: open, sigma, forward: self.spot };
            out.push(Item::at(open, line, RowContent::AtClose(event)));
        }
        Ok(())
    }
}

impl Decode for OptionDay {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.sheet.advance()? {
            return Ok(false);
        }
        let line = self.sheet.line();
        if let Err(why) = self.row(line, listings, out) {
            out.push(Item::bad(line, why));
        }
        Ok(true)
    }

    fn notes(&self) -> Vec<String> {
        vec!["these options can be exercised early; they are taken as ending at their expiry".to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contracts_end_by_the_rule_of_their_exchange() {
        for (root, month, at) in [
            ("ES", "201312", "2013-12-20T13:30:00Z"),
            ("ES", "202003", "2020-03-20T13:30:00Z"),
            ("GC", "201312", "2013-12-27T17:30:00Z"),
            ("GC", "201310", "2013-10-29T17:30:00Z"),
        ] {
            assert_eq!(expiry(root, month), Stamp::parse(at), "{root}{month}");
        }
        assert!(expiry("ES", "2013").is_none() && expiry("ES", "201399").is_none());
    }

    #[test]
    fn times_are_a_date_and_a_clock_or_milliseconds_of_the_day() {
        let day = day_of("20131008");
        assert_eq!(stamp("20131006 22:00", None).ok(), Stamp::parse("2013-10-06T22:00:00Z"));
        assert_eq!(stamp("60000", day).ok(), Stamp::parse("2013-10-08T00:01:00Z"));
        for (bad, day) in [("60000", None), ("86400000", day), ("x", day), ("20131306 22:00", day)] {
            assert!(stamp(bad, day).is_err(), "{bad}");
        }
    }
}
