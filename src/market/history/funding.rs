//! Funding settlements from a file of `timestamp, symbol, rate`, joined to bars by symbol and stamp.

use super::decode::{DecodedLine, Decoder};
use super::source::SourceFile;
use super::symbols::SymbolTable;
use crate::domain::{InstrumentId, InstrumentKind, Stamp, Universe};
use crate::market::feed::NO_FUNDING;
use crate::market::table::{SETTLED_WITHIN, SymbolPair, TableKind, TableShape};
use crate::market::{FeedError, FeedInfo, FeedReport};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A file of settlements, and what it was found to be.
pub(super) type FundingFile<'a> = (&'a dyn SourceFile, Arc<TableShape>);

/// A funding settlement as a row tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Settlement {
    pub at: Stamp,
    pub instrument: InstrumentId,
    pub rate: f64,
}

/// One file of settlements.
struct SettlementFile {
    decoder: Decoder,
    table: SymbolTable,
    /// By number in `table`: the instrument, if it is ours.
    known: Vec<Option<InstrumentId>>,
    /// By number in `table`: the settlement that its ticker speaks of, until it speaks of the next.
    spoken: Vec<Option<(Stamp, f64)>>,
    last: Stamp,
}

/// Files of funding being read side by side; only settlements of known instruments are given, in the order of stamps.
pub(super) struct Settlements {
    files: Vec<SettlementFile>,
    /// By file: its next settlement.
    heads: Vec<Option<Settlement>>,
    listed: BTreeMap<String, InstrumentId>,
    /// By instrument: its last settlement, which is not paid twice.
    paid: Vec<Option<Stamp>>,
    next: Option<Settlement>,
    pub report: FeedReport,
}

/// A symbol however it is written: `BTC-USDT`, `BTC/USDT:USDT` and `BTCUSDT` are one perp.
fn plain(symbol: &str) -> String {
    let pair = SymbolPair::of(symbol);
    pair.map_or_else(|| symbol.to_owned(), |p| format!("{}{}", p.base, p.quote.unwrap_or_default()))
}

impl Settlements {
    /// Opens the files for the instruments of a universe.
    pub fn open(
        files: &[FundingFile<'_>],
        hash: bool,
        universe: &Universe,
    ) -> Result<Settlements, FeedError> {
        let mut listed: BTreeMap<String, InstrumentId> = BTreeMap::new();
        for i in &universe.instruments {
            listed.entry(plain(&i.symbol)).or_insert(i.id);
        }
        listed.extend(universe.instruments.iter().map(|i| (i.symbol.clone(), i.id)));
        let mut all = Settlements {
            files: Vec::new(),
            heads: Vec::new(),
            listed,
            paid: vec![None; universe.instruments.len()],
            next: None,
            report: FeedReport::default(),
        };
        for (source, shape) in files {
            let mut table = SymbolTable::default();
            let decoder = Decoder::open(*source, shape, hash, &mut table)?;
            let (known, spoken) = (Vec::new(), Vec::new());
            all.files.push(SettlementFile { decoder, table, known, spoken, last: Stamp(i64::MIN) });
            all.heads.push(None);
        }
        for file in 0..all.files.len() {
            all.pull(file)?;
        }
        all.choose()?;
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
            self.choose()?;
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

    /// The hashes of all bytes and the counts.
    pub fn finish(self) -> Result<(Vec<blake3::Hash>, FeedReport), FeedError> {
        let mut hashes = Vec::new();
        for file in self.files {
            hashes.extend(file.decoder.finish()?);
        }
        Ok((hashes, self.report))
    }

    /// The earliest of the files' next settlements that was not paid yet.
    fn choose(&mut self) -> Result<(), FeedError> {
        loop {
            let heads = self.heads.iter().enumerate();
            let Some((file, _)) = heads.filter_map(|(n, h)| Some((n, (*h)?))).min_by_key(|(_, h)| h.at)
            else {
                return Ok(());
            };
            let Some(one) = self.heads[file].take() else { return Ok(()) };
            self.pull(file)?;
            let paid = &mut self.paid[one.instrument.index()];
            // Of two within a minute one is a repetition.
            if paid.is_some_and(|p| one.at.0 < p.0 + SETTLED_WITHIN.0) {
                self.report.duplicates += 1;
                continue;
            }
            *paid = Some(one.at);
            self.report.rows += 1;
            self.next = Some(one);
            return Ok(());
        }
    }

    fn pull(&mut self, n: usize) -> Result<(), FeedError> {
        let file = &mut self.files[n];
        loop {
            let (at, symbol) = match file.decoder.advance(&mut file.table)? {
                DecodedLine::Row(at, symbol) => (at, symbol as usize),
                DecodedLine::Bad(reason) => {
                    self.report.bad(file.decoder.name(), file.decoder.line(), &reason);
                    continue;
                }
                // A symbol beyond the limit cannot be one of ours: ours are within it.
                DecodedLine::Full => continue,
                DecodedLine::End => return Ok(()),
            };
            while file.known.len() < file.table.names.len() {
                let name = &file.table.names[file.known.len()];
                let known = self.listed.get(name).or_else(|| self.listed.get(&plain(name)));
                file.known.push(known.copied());
                file.spoken.push(None);
            }
            let Some(instrument) = file.known[symbol] else { continue };
            let told = match file.decoder.settlement(at) {
                Ok(told) => told,
                Err(reason) => {
                    self.report.bad(file.decoder.name(), file.decoder.line(), &reason);
                    continue;
                }
            };
            let told = if file.decoder.shape().kind == TableKind::Ticker {
                let spoken = &mut file.spoken[symbol];
                match (told, *spoken) {
                    (Some(new), Some(old)) if new.0 > old.0 => spoken.replace(new),
                    (Some(new), None) => {
                        *spoken = Some(new);
                        None
                    }
                    (Some(new), Some(old)) if new.0 == old.0 => {
                        *spoken = Some(new);
                        None
                    }
                    _ => None,
                }
            } else {
                told
            };
            let Some((at, rate)) = told else { continue };
            if at < file.last {
                self.report.unsorted += 1;
                continue;
            }
            file.last = at;
            self.heads[n] = Some(Settlement { at, instrument, rate });
            return Ok(());
        }
    }
}

/// Reads the files of settlements of a data set once for their hashes and counts, and opens them again for streaming. Tells which
/// instruments have settlements.
pub(super) fn join(
    files: &[FundingFile<'_>],
    universe: &Universe,
    bars_hash: blake3::Hash,
    info: &mut FeedInfo,
    report: &mut FeedReport,
) -> Result<(Option<Settlements>, Vec<bool>), FeedError> {
    let mut paid = vec![false; universe.instruments.len()];
    let perps = universe.instruments.first().is_some_and(|i| i.kind == InstrumentKind::Perp);
    let names = || files.iter().map(|f| f.0.name()).collect::<Vec<_>>().join(", ");
    if files.is_empty() {
        if perps {
            info.notes.push(NO_FUNDING.into());
        }
        return Ok((None, paid));
    }
    if !perps {
        info.notes.push(format!("{} is not used: the instruments are not perps", names()));
        return Ok((None, paid));
    }
    info.notes.extend(files.iter().flat_map(|f| f.1.notes.iter().cloned()));
    let mut first = Settlements::open(files, true, universe)?;
    while let Some(one) = first.take()? {
        let inside = one.at >= info.from && one.at < info.to;
        paid[one.instrument.index()] |= inside;
        info.has_funding |= inside;
    }
    let (hashes, counts) = first.finish()?;
    if counts.unsorted * 10 > counts.rows {
        return Err(FeedError::Unsorted { name: names(), unsorted: counts.unsorted, rows: counts.rows });
    }
    let mut both = blake3::Hasher::new();
    both.update(bars_hash.as_bytes());
    for hash in hashes {
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
        info.notes.push(format!("{} has no funding for {}: they pay none here", names(), without.join(" ")));
    }
    Ok((Some(Settlements::open(files, false, universe)?), paid))
}
