//! The first pass: what a data set holds, learned in one reading with memory that does not grow with it.

use super::buckets::bucket;
use super::ranking::{Entrant, Volumes};
use super::rows::{AlignedRows, BarFiles, Limits, UsableRow};
use super::settings::{HistorySettings, Window};
use super::source::SourceFile;
use super::symbols::{SymbolParts, SymbolTable, choose, money_like, name_assets};
use crate::domain::instrument::Asset;
use crate::domain::{AssetId, Decimal, Instrument, InstrumentId, InstrumentKind, Span, Stamp, Universe};
use crate::market::table::PriceShift;
use crate::market::units::{digits_of, lot, tick};
use crate::market::{FeedError, FeedReport};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of a symbol whose prices tell its tick.
pub(crate) const TICK_ROWS: u64 = 500;
/// Different spacings that are counted; a real file has a few dozen.
const SPACINGS_MAX: usize = 4_096;
/// Bars of a symbol that tell how long they are.
const ROWS_OF_ONE_LENGTH: u64 = 24;
/// Smallest order, in quote currency: the smallest filter of large exchanges.
pub(crate) const MIN_NOTIONAL: i64 = 5;

/// What the first pass learned.
pub(super) struct Scan {
    pub universe: Universe,
    /// By symbol number: its instrument, if it takes part.
    pub instruments: Vec<Option<InstrumentId>>,
    pub table: SymbolTable,
    /// Commonest spacing of a symbol's bars.
    pub bar: Span,
    /// Start of the first bucket with data.
    pub from: Stamp,
    /// End of the last.
    pub to: Stamp,
    pub has_volume: bool,
    pub report: FeedReport,
    /// blake3 of the bytes.
    pub hash: blake3::Hash,
    pub notes: Vec<String>,
}

/// What is learned of one symbol.
#[derive(Clone, Debug)]
struct SymbolFacts {
    first: Stamp,
    last: Stamp,
    first_close: f64,
    last_close: f64,
    rows: u64,
    digits: i32,
    /// The shortest time between two of its bars, and how often it was that.
    spacing: (Span, u64),
}

/// How often each spacing between two bars of a symbol came.
#[derive(Default)]
struct Spacings {
    counts: BTreeMap<i64, u64>,
    /// The spacing of the last rows, not yet in `counts`: nearly all are alike.
    last: i64,
    run: u64,
}

impl Spacings {
    fn add(&mut self, spacing: Span) {
        if spacing.0 != self.last {
            self.flush();
            self.last = spacing.0;
        }
        self.run += 1;
    }

    fn flush(&mut self) {
        if self.run > 0 && (self.counts.len() < SPACINGS_MAX || self.counts.contains_key(&self.last)) {
            *self.counts.entry(self.last).or_default() += self.run;
        }
        self.run = 0;
    }

    /// The commonest spacing (the shorter of equals), and how many were longer.
    fn bar_and_gaps(mut self) -> Option<(Span, u64)> {
        self.flush();
        let (&bar, _) = self.counts.iter().rev().max_by_key(|(_, n)| **n)?;
        // `max_by_key` keeps the last of equals, which in reverse order is the shortest.
        Some((Span(bar), self.counts.range(bar + 1..).map(|(_, n)| n).sum()))
    }
}

/// Reads everything once, and again where rows were found that must not be used. `limits` learns which.
pub(super) fn scan(
    settings: &HistorySettings,
    kind: InstrumentKind,
    files: BarFiles<'_>,
    limits: &mut Limits,
) -> Result<Scan, FeedError> {
    let (name, clock) = (files.name, settings.clock);
    let mut rows = AlignedRows::open(files, clock, limits.clone(), true, SymbolTable::default())?;
    let mut read_once = read(&mut rows)?;
    let mut has_volume = rows.has_volume();
    let mut learned = rows.finish()?;
    if !learned.3.left_out.is_empty() {
        limits.left_out = Arc::new(std::mem::take(&mut learned.3.left_out));
        let mut rows = AlignedRows::open(files, clock, limits.clone(), true, SymbolTable::default())?;
        read_once = read(&mut rows)?;
        has_volume = rows.has_volume();
        learned = rows.finish()?;
    }
    let ScanResult { mut seen, spacings, volumes, jumps } = read_once;
    let (hashes, table, mut report, found) = learned;
    let shifts = found.undecided(table.names.len());
    if let Some(shift) = shifts.first().filter(|_| !settings.choices.keeps_jumps()) {
        return Err(shifted(files, shift));
    }
    let (bar, gaps) = spacings.bar_and_gaps().unwrap_or((clock, 0));
    report.gaps = gaps;
    report.jumps = jumps;
    // Where whole symbols stand one after the other most of what is there would be passed over.
    let none_of = || (0..table.names.len()).any(|n| seen.get(n).is_none_or(Option::is_none));
    let is_whole = settings.window.from.is_none() && settings.window.to.is_none();
    if report.unsorted * 10 > report.rows || report.unsorted > 0 && is_whole && none_of() {
        return Err(FeedError::Unsorted {
            name: name.to_owned(),
            unsorted: report.unsorted,
            rows: report.rows,
        });
    }
    seen.resize(table.names.len(), None);
    let members = members(name, &table, &seen, &settings.window)?;
    let ends = members.iter().filter_map(|m| seen[m.symbol].as_ref());
    let (Some(first), Some(last)) = (ends.clone().map(|s| s.first).min(), ends.map(|s| s.last).max()) else {
        return Err(empty(name, &settings.window, &report));
    };
    fits(name, bar, clock)?;
    longer(&table, &seen, bar)?;
    let from = bucket(first, bar, clock);
    let mut to = bucket(last, bar, clock).after(clock);
    if let Some(limit) = limits.to {
        to = Stamp(to.0.min(limit.0));
    }
    if to <= from {
        return Err(empty(name, &settings.window, &report));
    }
    let ListedSymbols { mut universe, instruments, entrants, notes } = list(members, &table, &seen, kind);
    let end = Stamp(last.after(bar).0.min(limits.to.map_or(i64::MAX, |t| t.0)));
    universe.by_volume = volumes.rankings(&entrants, bar, end);
    Ok(Scan {
        universe,
        instruments,
        table,
        bar,
        from,
        to,
        has_volume,
        report,
        hash: hash(files.sources, &hashes),
        notes,
    })
}

/// What the reading itself gives.
struct ScanResult {
    /// By symbol number.
    seen: Vec<Option<SymbolFacts>>,
    spacings: Spacings,
    volumes: Volumes,
    jumps: u64,
}

/// Reads all usable rows.
fn read(rows: &mut AlignedRows) -> Result<ScanResult, FeedError> {
    let mut seen: Vec<Option<SymbolFacts>> = Vec::new();
    let mut spacings = Spacings::default();
    let mut volumes = Volumes::default();
    let mut jumps = 0;
    while let Some(row) = rows.next()? {
        let symbol = row.symbol as usize;
        if seen.len() <= symbol {
            seen.resize(symbol + 1, None);
        }
        volumes.add(row.symbol, row.stamp, row.bar.close * row.bar.volume);
        match &mut seen[symbol] {
            None => seen[symbol] = Some(SymbolFacts::new(&row)),
            Some(s) => {
                let spacing = row.stamp.since(s.last);
                spacings.add(spacing);
                match spacing.cmp(&s.spacing.0) {
                    Ordering::Less => s.spacing = (spacing, 1),
                    Ordering::Equal => s.spacing.1 += 1,
                    Ordering::Greater => {}
                }
                let ratio = row.bar.close / s.last_close;
                jumps += u64::from(!(0.1..=10.0).contains(&ratio));
                s.last = row.stamp;
                s.last_close = row.bar.close;
                s.rows += 1;
                if s.rows <= TICK_ROWS {
                    s.digits = s.digits.max(digits_of(&row.bar));
                }
            }
        }
    }
    Ok(ScanResult { seen, spacings, volumes, jumps })
}

/// What follows from the symbols that take part.
struct ListedSymbols {
    universe: Universe,
    instruments: Vec<Option<InstrumentId>>,
    entrants: Vec<Entrant>,
    notes: Vec<String>,
}

/// Numbers the members in their order and gives each its rules.
fn list(
    members: Vec<Member>,
    table: &SymbolTable,
    seen: &[Option<SymbolFacts>],
    kind: InstrumentKind,
) -> ListedSymbols {
    let mut notes = Vec::new();
    for member in &members {
        if let Some(quote) = SymbolParts::of(&table.names[member.symbol]).foreign_quote() {
            notes.push(format!(
                "{} is quoted in {quote}: its amounts are counted as if one {quote} were one dollar",
                table.names[member.symbol]
            ));
        }
        if SymbolParts::is_coin_margined(&table.names[member.symbol]) {
            notes.push(format!(
                "{} is a contract margined in its coin: it is counted as linear, with gains in dollars; the contract itself pays \
                 them in coins",
                table.names[member.symbol]
            ));
        }
    }
    let mut universe = Universe::default();
    let mut instruments = vec![None; table.names.len()];
    let mut entrants = Vec::new();
    for (i, member) in members.into_iter().enumerate() {
        let Some(s) = &seen[member.symbol] else {
            continue;
        };
        let (asset, id) = (AssetId(i as u16), InstrumentId(i as u16));
        instruments[member.symbol] = Some(id);
        if !member.money_like {
            entrants.push(Entrant {
                symbol: member.symbol,
                asset,
                name: member.name.clone(),
                first: s.first,
            });
        }
        universe.instruments.push(Instrument {
            id,
            asset,
            symbol: table.names[member.symbol].clone(),
            kind,
            venue: String::new(),
            quote: None,
            terms: crate::domain::ContractTerms::Plain,
            tick: tick(s.digits, s.first_close).into(),
            lot: lot(s.first_close),
            min_notional: Decimal::from(MIN_NOTIONAL),
            contract: Decimal::ONE,
        });
        universe.assets.push(Asset {
            id: asset,
            name: member.name,
            money_like: member.money_like,
            first: s.first,
        });
    }
    ListedSymbols { universe, instruments, entrants, notes }
}

impl SymbolFacts {
    fn new(row: &UsableRow) -> SymbolFacts {
        let close = row.bar.close;
        SymbolFacts {
            first: row.stamp,
            last: row.stamp,
            first_close: close,
            last_close: close,
            rows: 1,
            digits: digits_of(&row.bar),
            spacing: (Span(i64::MAX), 0),
        }
    }
}

/// A symbol that takes part.
struct Member {
    symbol: usize,
    name: String,
    money_like: bool,
}

/// The symbols that have rows and are wanted, named, in the order of the names.
fn members(
    name: &str,
    table: &SymbolTable,
    seen: &[Option<SymbolFacts>],
    window: &Window,
) -> Result<Vec<Member>, FeedError> {
    let indices: Vec<usize> = (0..table.names.len()).filter(|&i| seen[i].is_some()).collect();
    let symbols: Vec<_> =
        indices.iter().map(|&i| (table.names[i].clone(), SymbolParts::of(&table.names[i]))).collect();
    let names = name_assets(&symbols);
    let chosen = match &window.assets {
        None => vec![true; symbols.len()],
        Some(list) => choose(&symbols, &names, list).map_err(|asset| {
            let mut known: Vec<&str> = table.names.iter().map(String::as_str).collect();
            known.sort_unstable();
            known.truncate(60);
            FeedError::UnknownAsset { name: name.to_string(), asset, known: known.join(" ") }
        })?,
    };
    let mut members: Vec<Member> = (0..symbols.len())
        .filter(|&i| chosen[i])
        .map(|i| Member {
            symbol: indices[i],
            name: names[i].clone(),
            money_like: money_like(&symbols[i].1.base),
        })
        .collect();
    // Where there is nothing but currencies they are what is traded.
    if members.iter().all(|m| m.money_like) {
        members.iter_mut().for_each(|m| m.money_like = false);
    }
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(members)
}

/// Prices that become others from a row on are somebody's to decide.
fn shifted(files: BarFiles<'_>, shift: &PriceShift) -> FeedError {
    let (file, line) = shift.place;
    let ways = crate::market::table::SHIFT_WAYS.to_owned();
    FeedError::Undecided { file: files.sources[file].name().to_owned(), found: shift.found(line), ways }
}

/// Symbols whose bars are longer than those of the others would be told before they are over.
fn longer(table: &SymbolTable, seen: &[Option<SymbolFacts>], bar: Span) -> Result<(), FeedError> {
    // One that only trades now and then has gaps of all lengths.
    let is_longer =
        |f: &&SymbolFacts| f.rows >= ROWS_OF_ONE_LENGTH && f.spacing.0 > bar && f.spacing.1 * 2 > f.rows;
    for (symbol, facts) in table.names.iter().zip(seen) {
        if let Some(facts) = facts.as_ref().filter(is_longer) {
            return Err(FeedError::Undecided {
                file: symbol.clone(),
                found: format!("its bars are {} long, and those of the others {bar}", facts.spacing.0),
                ways: "run those of one length, each named with --assets".to_owned(),
            });
        }
    }
    Ok(())
}

/// Bars must add up to buckets.
pub(crate) fn fits(name: &str, bar: Span, clock: Span) -> Result<(), FeedError> {
    if clock.0 % bar.0 == 0 {
        return Ok(());
    }
    // The next multiple of the bar, so that no bar reaches into two buckets.
    let fix = Span((clock.0 + bar.0 - 1) / bar.0 * bar.0);
    Err(FeedError::Clock { name: name.to_string(), bar, clock, fix })
}

/// One file: the hash of its bytes. Several: the hash of their stems and hashes in order.
fn hash(sources: &[Box<dyn SourceFile>], hashes: &[blake3::Hash]) -> blake3::Hash {
    if let [one] = hashes {
        return *one;
    }
    let mut all = blake3::Hasher::new();
    for (source, hash) in sources.iter().zip(hashes) {
        all.update(&(source.stem().len() as u64).to_le_bytes());
        all.update(source.stem().as_bytes());
        all.update(hash.as_bytes());
    }
    all.finalize()
}

fn empty(name: &str, window: &Window, report: &FeedReport) -> FeedError {
    let part = |word: &str, at: Option<Stamp>| at.map(|t| format!(" {word} {t}")).unwrap_or_default();
    let first_bad = report.first_bad.first().map(|b| format!("; first problem: {b}")).unwrap_or_default();
    FeedError::Empty {
        name: name.to_string(),
        window: part("from", window.from) + &part("to", window.to),
        first_bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_the_commonest_spacing_and_longer_ones_are_gaps() {
        let mut s = Spacings::default();
        for h in [1, 1, 1, 24, 1, 2, 1] {
            s.add(Span(h * Span::HOUR.0));
        }
        assert_eq!(s.bar_and_gaps(), Some((Span::HOUR, 2)));
    }

    #[test]
    fn a_clock_that_bars_do_not_fill_names_one_that_they_do() {
        assert!(fits("x", Span::HOUR, Span(4 * Span::HOUR.0)).is_ok());
        let text = fits("x", Span::DAY, Span(4 * Span::HOUR.0)).unwrap_err().to_string();
        assert!(
            text.contains("bars of 1d") && text.contains("clock of 4h") && text.contains("--clock 1d"),
            "{text}"
        );
        assert!(
            fits("x", Span(4 * Span::HOUR.0), Span(6 * Span::HOUR.0))
                .unwrap_err()
                .to_string()
                .contains("--clock 8h")
        );
    }
}
