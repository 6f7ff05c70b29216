//! Snapshots of Deribit's option chains: best prices in the coin, implied volatility, forward and index.
//!
//! The full chain has sizes and volatilities; the book summary has neither, and its quotes carry no size.
//!
//! A recorder asks for one option after the other, so a snapshot takes minutes. A file in which each option
//! stands once is a snapshot: all of it is told when the last row was in, and once more [`STANDS`] later, so
//! that what is decided on it meets the prices it was decided on, as old as the snapshot took to record. A
//! file in which options come again is told row by row.

use super::csv_rows::{CsvRows, FileBytes};
use super::item::{Decode, Item, NamedFile, RowContent};
use super::listing::{ListingName, Listings};
use crate::domain::{ContractTerms, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp};
use crate::market::FeedError;
use std::collections::BTreeSet;

/// Options of Deribit end at eight o'clock UTC.
const EXPIRES_AT: Span = Span(8 * Span::HOUR.0);
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// How long a snapshot stands: longer than an order takes to a market, too short to wait for anything.
const STANDS: Span = Span::seconds(1);
/// Most rows of a snapshot; a file with more is told row by row.
const SNAPSHOT_MAX: usize = 16_384;

/// A file of a chain.
pub(super) struct OptionChainFile {
    /// What was read, while each option stood once.
    snapshot: Option<Vec<Item>>,
    named: BTreeSet<String>,
    /// The time from the first row of a snapshot to its last.
    took: Option<Span>,
    sheet: CsvRows,
    name: usize,
    stamp: usize,
    bid: usize,
    ask: usize,
    sizes: Option<(usize, usize)>,
    sigma: Option<usize>,
    forward: Option<usize>,
    mark: Option<usize>,
    index: Option<usize>,
    file: NamedFile,
}

/// The terms of `BTC-26MAR21-8000-P`, and its coin.
pub(super) fn option(name: &str) -> Option<(&str, ContractTerms)> {
    let mut parts = name.split('-');
    let (base, date, strike, side) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || date.len() < 6 || !date.is_ascii() {
        return None;
    }
    let (day, rest) = date.split_at(date.len() - 5);
    let month = MONTHS.iter().position(|m| rest.starts_with(m))? + 1;
    let (day, year): (u32, u32) = (day.parse().ok()?, rest.get(3..)?.parse().ok()?);
    let midnight = Stamp::parse(&format!("20{year:02}-{month:02}-{day:02}"))?;
    let strike: f64 = strike.replace('d', ".").parse().ok()?;
    let call = match side {
        "C" => true,
        "P" => false,
        _ => return None,
    };
    // Pairs with a stablecoin (`BTC_USDC-…`) are paid in it.
    let (coin, inverse) = base.split_once('_').map_or((base, true), |(coin, _)| (coin, false));
    let fine = strike.is_finite() && strike > 0.0 && !coin.is_empty();
    fine.then_some((
        coin,
        ContractTerms::Option { expiry: midnight.after(EXPIRES_AT), strike, call, inverse },
    ))
}

impl OptionChainFile {
    pub fn open(file: NamedFile, bytes: FileBytes) -> Result<Self, FeedError> {
        let sheet = CsvRows::open(&file.name, bytes)?;
        let sizes = sheet.find(&["best_bid_amount"]).zip(sheet.find(&["best_ask_amount"]));
        Ok(OptionChainFile {
            name: sheet.need(&["instrument_name"])?,
            stamp: sheet.need(&["timestamp", "creation_timestamp"])?,
            bid: sheet.need(&["best_bid_price", "bid_price"])?,
            ask: sheet.need(&["best_ask_price", "ask_price"])?,
            sizes,
            sigma: sheet.find(&["mark_iv"]),
            forward: sheet.find(&["underlying_price"]),
            mark: sheet.find(&["mark_price"]),
            index: sheet.find(&["index_price", "estimated_delivery_price"]),
            snapshot: Some(Vec::new()),
            named: BTreeSet::new(),
            took: None,
            sheet,
            file,
        })
    }

    /// The snapshot that was read, told when its last row was in and once more.
    fn whole(&mut self) -> Vec<Item> {
        let items = self.snapshot.take().unwrap_or_default();
        let (Some(first), Some(last)) = (items.iter().map(|i| i.at).min(), items.iter().map(|i| i.at).max())
        else {
            return items;
        };
        self.took = Some(last.since(first));
        // Rows are told in their order; told again, all of them stand on the last line.
        let line = items.last().map_or(0, |i| i.line);
        let told = |i: &Item, at: Stamp, line: u64| match i.what {
            RowContent::Now(event) => Item::now(line, event.told_at(at)),
            _ => i.clone(),
        };
        let once = items.iter().map(|i| told(i, last, i.line));
        once.chain(items.iter().map(|i| told(i, last.after(STANDS), line))).collect()
    }

    fn row(&self, line: u64, listings: &mut Listings, out: &mut Vec<Item>) -> Result<(), String> {
        let name = self.sheet.text(self.name);
        let (base, terms) = option(name).ok_or_else(|| format!("`{name}` is no option"))?;
        let at = self.sheet.stamp(self.stamp)?;
        let venue = if self.file.hints.venue.is_empty() { "deribit" } else { &self.file.hints.venue };
        let kind = InstrumentKind::Option;
        let Some(instrument) =
            listings.number(&ListingName { venue, symbol: name, kind, base, quote: None, terms })
        else {
            return Ok(());
        };
        self.told(instrument, at, |event| out.push(Item::now(line, event)))
    }

    fn told(
        &self,
        instrument: InstrumentId,
        at: Stamp,
        mut give: impl FnMut(MarketEvent),
    ) -> Result<(), String> {
        let positive = |x: Option<f64>| x.filter(|x| *x > 0.0);
        let (bid, ask) =
            (positive(self.sheet.maybe(Some(self.bid))?), positive(self.sheet.maybe(Some(self.ask))?));
        let size = |column: Option<usize>| self.sheet.maybe(column).map(|s| s.unwrap_or(0.0));
        let (bid_size, ask_size) = (size(self.sizes.map(|s| s.0))?, size(self.sizes.map(|s| s.1))?);
        if let (Some(bid), Some(ask)) = (bid, ask) {
            if bid > ask {
                return Err(format!("the bid {bid} is over the offer {ask}"));
            }
            give(MarketEvent::Quote { instrument, at, bid, ask, bid_size, ask_size });
        }
        let forward = positive(self.sheet.maybe(self.forward)?);
        let sigma = positive(self.sheet.maybe(self.sigma)?);
        if let (Some(forward), Some(percent)) = (forward, sigma) {
            give(MarketEvent::Implied { instrument, at, sigma: percent / 100.0, forward });
        }
        let (mark, index) = (positive(self.sheet.maybe(self.mark)?), positive(self.sheet.maybe(self.index)?));
        if let (Some(mark), Some(index)) = (mark, index.or(forward)) {
            give(MarketEvent::Mark { instrument, at, mark, index });
        }
        Ok(())
    }
}

impl Decode for OptionChainFile {
    fn next(&mut self, listings: &mut Listings, out: &mut Vec<Item>) -> Result<bool, FeedError> {
        if !self.sheet.advance()? {
            out.extend(self.whole());
            return Ok(false);
        }
        let line = self.sheet.line();
        let mut read = Vec::new();
        if let Err(why) = self.row(line, listings, &mut read) {
            out.push(Item::bad(line, why));
        }
        if let Some(snapshot) = &mut self.snapshot {
            let is_new = self.named.insert(self.sheet.text(self.name).to_owned());
            if is_new && self.named.len() <= SNAPSHOT_MAX {
                snapshot.append(&mut read);
                return Ok(true);
            }
            out.append(snapshot);
            self.snapshot = None;
            self.named.clear();
        }
        out.append(&mut read);
        Ok(true)
    }

    fn notes(&self) -> Vec<String> {
        let note = |took: Span| {
            format!(
                "{}: each option stands once, read within {took}: the chain is told when the last was in, and \
                 stands for {STANDS}",
                self.file.name
            )
        };
        self.took.map(note).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_options_tell_their_terms() {
        let (base, terms) = option("BTC-26MAR21-8000-P").unwrap();
        let expiry = Stamp::parse("2021-03-26T08:00:00Z").unwrap();
        assert_eq!(
            (base, terms),
            ("BTC", ContractTerms::Option { expiry, strike: 8_000.0, call: false, inverse: true })
        );
        let (base, terms) = option("XRP_USDC-5JAN24-0d625-C").unwrap();
        let expiry = Stamp::parse("2024-01-05T08:00:00Z").unwrap();
        assert_eq!(
            (base, terms),
            ("XRP", ContractTerms::Option { expiry, strike: 0.625, call: true, inverse: false })
        );
        for bad in
            ["BTC-PERPETUAL", "BTC-26MAR21", "BTC-40MAR21-1-P", "BTC-26MAR21-x-P", "BTC-26MAR21-1-X", ""]
        {
            assert!(option(bad).is_none(), "{bad}");
        }
    }
}
