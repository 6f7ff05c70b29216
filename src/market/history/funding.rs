//! Funding settlements from a file of `timestamp, symbol, rate`, joined to bars by symbol and stamp.

use super::decode::{DecodedLine, Decoder, RowShape};
use super::source::SourceFile;
use super::symbols::SymbolTable;
use crate::domain::{InstrumentId, Stamp, Universe};
use crate::market::{FeedError, FeedReport};
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
