//! Funding settlements from a file of `timestamp, symbol, rate`, joined to bars by symbol and stamp.

use super::decode::{DecodedLine, Decoder, RowShape};
use super::source::SourceFile;
use super::symbols::SymbolTable;
use crate::domain::{InstrumentId, InstrumentKind, Stamp, Universe};
use crate::market::{FeedError, FeedInfo, FeedReport};
use std::collections::BTreeMap;

/// A funding settlement as a row tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Settlement {
    pub at: Stamp,
    pub instrument: InstrumentId,
    pub rate: f64,
}

/// A funding file being read; only settlements of known instruments are given, in the order of stamps.
pub(super) struct Settlements {
    decoder: Decoder,
    table: SymbolTable,
    listed: BTreeMap<String, InstrumentId>,
    /// By number in `table`: the instrument, if it is ours, and its last settlement, which is not paid
    /// twice.
    known: Vec<(Option<InstrumentId>, Option<Stamp>)>,
    last: Stamp,
    next: Option<Settlement>,
    pub report: FeedReport,
}

impl Settlements {
    /// Opens the file for the instruments of a universe.
    pub fn open(source: &dyn SourceFile, hash: bool, universe: &Universe) -> Result<Settlements, FeedError> {
        let mut table = SymbolTable::default();
        let decoder = Decoder::open(source, RowShape::Funding, hash, &mut table)?;
        let mut all = Settlements {
            decoder,
            table,
            listed: universe.instruments.iter().map(|i| (i.symbol.clone(), i.id)).collect(),
            known: Vec::new(),
            last: Stamp(i64::MIN),
            next: None,
            report: FeedReport::default(),
        };
        all.pull()?;
        Ok(all)
    }

    /// The next settlement without taking it.
    pub fn peek(&self) -> Option<Settlement> {
        self.next
    }

    /// Takes the next settlement.
    pub fn take(&mut self) -> Result<Option<Settlement>, FeedError> {
        let taken = self.next.take();
        if taken.is_some() {
            self.pull()?;
        }
        Ok(taken)
    }

    /// How many were read, and whether that was all.
    pub fn position(&self) -> (u64, bool) {
        (self.report.rows, self.next.is_none())
    }

    /// Reads on to where another reading of the same file was: there are a few a day, so that this is no long way.
    pub fn seek(&mut self, (rows, over): (u64, bool)) -> Result<(), FeedError> {
        while self.next.is_some() && (self.report.rows < rows || over) {
            self.take()?;
        }
        Ok(())
    }

    /// The hash of all bytes and the counts.
    pub fn finish(self) -> Result<(Option<blake3::Hash>, FeedReport), FeedError> {
        Ok((self.decoder.finish()?, self.report))
    }

    fn pull(&mut self) -> Result<(), FeedError> {
        loop {
            let (at, symbol) = match self.decoder.advance(&mut self.table)? {
                DecodedLine::Row(at, symbol) => (at, symbol as usize),
                DecodedLine::Bad(reason) => {
                    self.report.bad(self.decoder.name(), self.decoder.line(), &reason);
                    continue;
                }
                // A symbol beyond the limit cannot be one of ours: ours are within it.
                DecodedLine::Full => continue,
                DecodedLine::End => return Ok(()),
            };
            while self.known.len() < self.table.names.len() {
                self.known.push((self.listed.get(&self.table.names[self.known.len()]).copied(), None));
            }
            let (Some(instrument), paid) = self.known[symbol] else {
                continue;
            };
            if paid == Some(at) {
                self.report.duplicates += 1;
                continue;
            }
            if at < self.last {
                self.report.unsorted += 1;
                continue;
            }
            match self.decoder.rate() {
                Ok(rate) => {
                    self.last = at;
                    self.known[symbol].1 = Some(at);
                    self.report.rows += 1;
                    self.next = Some(Settlement { at, instrument, rate });
                    return Ok(());
                }
                Err(reason) => self.report.bad(self.decoder.name(), self.decoder.line(), &reason),
            }
        }
    }
}

/// Reads the funding file of a data set once for its hash and counts, and opens it again for streaming. Tells which
/// instruments have settlements.
pub(super) fn join(
    funding: Option<&dyn SourceFile>,
    universe: &Universe,
    bars_hash: blake3::Hash,
    info: &mut FeedInfo,
    report: &mut FeedReport,
) -> Result<(Option<Settlements>, Vec<bool>), FeedError> {
    let mut paid = vec![false; universe.instruments.len()];
    let perps = universe.instruments.first().is_some_and(|i| i.kind == InstrumentKind::Perp);
    let Some(source) = funding else {
        if perps {
            info.notes.push("this data has no funding: perps pay none here".into());
        }
        return Ok((None, paid));
    };
    if !perps {
        info.notes.push(format!("{} is not used: the instruments are not perps", source.name()));
        return Ok((None, paid));
    }
    let mut first = Settlements::open(source, true, universe)?;
    while let Some(one) = first.take()? {
        let inside = one.at >= info.from && one.at < info.to;
        paid[one.instrument.index()] |= inside;
        info.has_funding |= inside;
    }
    let (hash, counts) = first.finish()?;
    let mut both = blake3::Hasher::new();
    both.update(bars_hash.as_bytes());
    if let Some(hash) = hash {
        both.update(hash.as_bytes());
    }
    info.data_hash = both.finalize().to_hex().to_string();
    report.bad_rows += counts.bad_rows;
    report.first_bad.extend(counts.first_bad);
    report.first_bad.truncate(FeedReport::NAMED);
    report.duplicates += counts.duplicates;
    report.unsorted += counts.unsorted;
    let without: Vec<&str> =
        universe.instruments.iter().filter(|i| !paid[i.id.index()]).map(|i| i.symbol.as_str()).collect();
    if !without.is_empty() {
        info.notes.push(format!(
            "{} has no funding for {}: they pay none here",
            source.name(),
            without.join(" ")
        ));
    }
    Ok((Some(Settlements::open(source, false, universe)?), paid))
}
