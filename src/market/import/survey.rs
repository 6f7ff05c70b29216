//! The first pass: what files hold, and what is wrong with them.

use super::decoders::{detect, open};
use super::file_hints::FileHints;
use super::format::ImportFormat;
use super::item::{Item, NamedFile, RowContent};
use super::listing::{INSTRUMENTS_MAX, Listings};
use super::settings::ImportSettings;
use crate::domain::{InstrumentId, MarketEvent, Span, Stamp};
use crate::market::history::SourceFile;
use crate::market::{FeedError, FeedReport};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::rc::Rc;

/// Most files of one import: each is open while the tape is written.
pub(super) const FILES_MAX: usize = 4_096;
/// Instruments of a file that are named.
const NAMED_MAX: usize = 64;
/// Different spacings that are counted.
const SPACINGS_MAX: usize = 4_096;

/// Something that was found, how often, and the first of it by line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SurveyNote {
    /// How often it was found.
    pub count: u64,
    /// The first of them, at most [`FeedReport::NAMED`].
    pub first: Vec<String>,
}

impl SurveyNote {
    fn add(&mut self, line: u64, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < FeedReport::NAMED {
            self.first.push(format!("line {line}: {}", what()));
        }
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Rows that cannot be used.
    pub bad: SurveyNote,
    /// Bars and settlements with the stamp of the one before.
    pub duplicates: SurveyNote,
    /// Rows older than the one before; they are put in order.
    pub unsorted: SurveyNote,
    /// Silences longer than a bar.
    pub gaps: SurveyNote,
    /// Closes above ten times or below a tenth of the one before; used all the same.
    pub absurd: SurveyNote,
}

/// What a file holds.
#[derive(Clone, Debug, Serialize)]
pub struct FileSurvey {
    /// Name of the file, as it was given.
    pub name: String,
    /// Its format; none if nobody knows it.
    pub format: Option<ImportFormat>,
    /// Rows that are used.
    pub rows: u64,
    /// Events that they tell.
    pub events: u64,
    /// The first of its stamps.
    pub from: Option<Stamp>,
    /// The last of its stamps.
    pub to: Option<Stamp>,
    /// Length of its bars, in seconds.
    pub bar_s: Option<i64>,
    /// Its instruments, at most a few dozen of them.
    pub instruments: Vec<String>,
    /// How many instruments it has.
    pub instrument_count: usize,
    /// What is wrong with it.
    pub findings: Findings,
    /// What else is to be known.
    pub notes: Vec<String>,
    /// blake3 of its unpacked bytes, in hex.
    pub hash: String,
    /// Its events must be sorted in memory.
    pub sort: bool,
}

/// What all files hold.
pub struct Survey {
    /// How they were read.
    pub settings: ImportSettings,
    /// By file, in the order of their names.
    pub files: Vec<FileSurvey>,
    pub(super) listings: Listings,
}

/// Passes bytes on and hashes them.
struct SurveyHasher {
    inner: Box<dyn Read + Send>,
    hasher: Rc<RefCell<blake3::Hasher>>,
}

impl Read for SurveyHasher {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        self.hasher.borrow_mut().update(&into[..n]);
        Ok(n)
    }
}

/// A file and what its name tells, the settings being stronger.
pub(super) fn file(settings: &ImportSettings, source: &dyn SourceFile) -> NamedFile {
    let mut hints = FileHints::of(source.name());
    if let Some(venue) = &settings.venue {
        hints.venue.clone_from(venue);
    }
    hints.kind = settings.kind.or(hints.kind);
    NamedFile { name: source.name().to_owned(), hints }
}

/// Whether a stamp lies in the window.
pub(super) fn inside(settings: &ImportSettings, at: Stamp) -> bool {
    settings.window.from.is_none_or(|from| at >= from) && settings.window.to.is_none_or(|to| at < to)
}

/// Reads files once. They are taken in the order of their names.
pub fn survey(settings: &ImportSettings, sources: &mut [Box<dyn SourceFile>]) -> Result<Survey, FeedError> {
    sources.sort_by(|a, b| a.name().cmp(b.name()));
    if sources.len() > FILES_MAX {
        return Err(FeedError::TooMany { name: settings.name.clone(), what: "files", limit: FILES_MAX });
    }
    let mut listings = Listings::new(settings.window.assets.clone());
    let mut files = Vec::with_capacity(sources.len());
    for source in sources.iter() {
        // Of a file that is left out nothing is learned.
        let before = settings.bar.map(|_| listings.clone());
        let read = one(settings, source.as_ref(), &mut listings)?;
        let other = settings.bar.zip(read.bar_s).filter(|(b, s)| Span::seconds(*s) != *b);
        files.push(match (other, before) {
            (Some((_, s)), Some(before)) => {
                listings = before;
                let why = format!("left out: its bars are {} long", Span::seconds(s));
                FileSurvey::unknown(source.name(), &why)
            }
            _ => read,
        });
        if listings.full {
            let name = settings.name.clone();
            return Err(FeedError::TooMany { name, what: "instruments", limit: INSTRUMENTS_MAX });
        }
    }
    Ok(Survey { settings: settings.clone(), files, listings })
}

fn one(
    settings: &ImportSettings,
    source: &dyn SourceFile,
    listings: &mut Listings,
) -> Result<FileSurvey, FeedError> {
    let format = match settings.format {
        Some(format) => Some(format),
        None => detect(source)?,
    };
    let file = file(settings, source);
    let Some(format) = format else {
        if settings.lenient {
            return Ok(FileSurvey::unknown(source.name(), "this format is not known"));
        }
        return Err(FeedError::Format {
            file: source.name().to_owned(),
            reason: "this format is not known".to_owned(),
            known: ImportFormat::known(),
        });
    };
    match read(settings, source, format, file, listings) {
        Err(e @ (FeedError::Read { .. } | FeedError::Column { .. } | FeedError::Format { .. }))
            if settings.lenient =>
        {
            Ok(FileSurvey::unknown(source.name(), &e.to_string()))
        }
        done => done,
    }
}

fn read(
    settings: &ImportSettings,
    source: &dyn SourceFile,
    format: ImportFormat,
    file: NamedFile,
    listings: &mut Listings,
) -> Result<FileSurvey, FeedError> {
    let hasher = Rc::new(RefCell::new(blake3::Hasher::new()));
    let failed =
        |e: io::Error| FeedError::Read { file: source.name().to_owned(), line: 0, reason: e.to_string() };
    let inner = source.open().map_err(failed)?;
    let told = if format == ImportFormat::LeanOptions { Some(Span::DAY) } else { file.hints.bar };
    let bytes = Box::new(SurveyHasher { inner, hasher: Rc::clone(&hasher) });
    let mut decoder = open(format, file, bytes)?;
    let mut learned = FileLearned::default();
    let mut items = Vec::new();
    loop {
        let more = decoder.next(listings, &mut items)?;
        for item in items.drain(..) {
            learned.take(settings, &item, listings);
        }
        if !more {
            break;
        }
    }
    let hash = hasher.borrow().finalize();
    let mut done = learned.finish(source.name(), told, listings)?;
    done.format = Some(format);
    done.notes.extend(decoder.notes());
    done.hash = hash.to_hex().to_string();
    Ok(done)
}

impl FileSurvey {
    fn unknown(name: &str, why: &str) -> FileSurvey {
        FileSurvey {
            name: name.to_owned(),
            format: None,
            rows: 0,
            events: 0,
            from: None,
            to: None,
            bar_s: None,
            instruments: Vec::new(),
            instrument_count: 0,
            findings: Findings::default(),
            notes: vec![why.to_owned()],
            hash: String::new(),
            sort: false,
        }
    }
}

/// What is learned of one file while it is read.
#[derive(Default)]
struct FileLearned {
    findings: Findings,
    rows: u64,
    events: u64,
    line: Option<u64>,
    from: Option<Stamp>,
    to: Option<Stamp>,
    last: Option<Stamp>,
    /// Whether there is something stamped at the open of its bar, and something that is not.
    stamped: (bool, bool),
    unsorted: bool,
    /// By instrument: the last bar, and the last funding.
    bars: BTreeMap<InstrumentId, (Stamp, f64)>,
    funding: BTreeMap<InstrumentId, Stamp>,
    /// By spacing of bars: how often, and where first.
    spacings: BTreeMap<i64, (u64, u64, Stamp)>,
    instruments: BTreeSet<InstrumentId>,
}

impl FileLearned {
    fn take(&mut self, settings: &ImportSettings, item: &Item, listings: &mut Listings) {
        let event = match &item.what {
            RowContent::Bad(why) => return self.findings.bad.add(item.line, || why.clone()),
            _ if !inside(settings, item.at) => return,
            RowContent::Now(event) => {
                self.stamped.1 = true;
                Some(event)
            }
            RowContent::AtClose(event) => {
                self.stamped.0 = true;
                Some(event)
            }
            RowContent::Gas(_) => None,
        };
        let at = item.at;
        self.events += 1;
        if self.line != Some(item.line) {
            self.line = Some(item.line);
            self.rows += 1;
            if let Some(last) = self.last.filter(|l| at < *l) {
                self.findings.unsorted.add(item.line, || format!("{at} comes after {last}"));
            }
        }
        self.unsorted |= self.last.is_some_and(|l| at < l);
        self.last = Some(at);
        self.from = Some(self.from.map_or(at, |f| f.min(at)));
        self.to = Some(self.to.map_or(at, |t| t.max(at)));
        let Some(event) = event else { return };
        listings.learn(event);
        if let Some(instrument) = event.instrument() {
            self.instruments.insert(instrument);
        }
        match *event {
            MarketEvent::Bar { instrument, bar, .. } => self.bar(item, instrument, bar.close),
            MarketEvent::Funding { instrument, .. } if self.funding.insert(instrument, at) == Some(at) => {
                self.findings.duplicates.add(item.line, || format!("{at} was settled before"));
            }
            _ => {}
        }
    }

    fn bar(&mut self, item: &Item, instrument: InstrumentId, close: f64) {
        let at = item.at;
        let Some((last, before)) = self.bars.insert(instrument, (at, close)) else { return };
        let spacing = at.since(last).0.abs();
        if spacing == 0 {
            return self.findings.duplicates.add(item.line, || format!("{at} was there before"));
        }
        let room = self.spacings.len() < SPACINGS_MAX;
        if room || self.spacings.contains_key(&spacing) {
            self.spacings.entry(spacing).or_insert((0, item.line, last)).0 += 1;
        }
        let ratio = close / before;
        if !(0.1..=10.0).contains(&ratio) {
            self.findings.absurd.add(item.line, || format!("a close of {close} after {before}"));
        }
    }

    /// The commonest spacing (the shorter of equals), or what the name tells where there is none that
    /// most bars have.
    fn length(&self, told: Option<Span>) -> Option<Span> {
        let commonest = self.spacings.iter().rev().max_by_key(|(_, n)| n.0);
        let all: u64 = self.spacings.values().map(|n| n.0).sum();
        match (commonest, told) {
            (Some((spacing, n)), Some(_)) if n.0 * 2 > all && all >= 3 => Some(Span(*spacing)),
            (_, Some(told)) => Some(told),
            (Some((spacing, _)), None) => Some(Span(*spacing)),
            (None, None) => None,
        }
    }

    fn finish(
        mut self,
        name: &str,
        told: Option<Span>,
        listings: &mut Listings,
    ) -> Result<FileSurvey, FeedError> {
        let bar = self.length(told).filter(|_| self.stamped.0);
        if self.stamped.0 && bar.is_none() {
            return Err(FeedError::Format {
                file: name.to_owned(),
                reason:
                    "one bar does not tell how long it is; put its length into the file's name (BTCUSDT-1h)"
                        .to_owned(),
                known: ImportFormat::known(),
            });
        }
        let length = bar.unwrap_or(Span(0));
        let mut longer: Vec<_> =
            self.spacings.iter().filter(|(s, _)| bar.is_some_and(|b| **s > b.0)).collect();
        longer.sort_by_key(|(_, (_, line, _))| *line);
        for (spacing, (count, line, after)) in longer {
            let before = self.findings.gaps.count;
            self.findings.gaps.add(*line, || format!("nothing for {} after {after}", Span(*spacing)));
            self.findings.gaps.count = before + count;
        }
        for instrument in self.bars.keys() {
            let Some(listed) = listings.all.get_mut(instrument.index()) else { continue };
            if let Some(other) = listed.bars(length) {
                let symbol = listed.symbol.clone();
                // Looking at a folder is no import.
                listed.tells.bar = Some(Span(other.0.min(length.0)));
                listings.mixed.get_or_insert((symbol, other, length));
            }
        }
        let named = self.instruments.iter().take(NAMED_MAX).filter_map(|i| listings.all.get(i.index()));
        let label = |l: &super::listing::ListedFacts| match l.venue.as_str() {
            "" => format!("{} {}", l.symbol, l.kind),
            venue => format!("{} {}@{venue}", l.symbol, l.kind),
        };
        Ok(FileSurvey {
            instruments: named.map(label).collect(),
            instrument_count: self.instruments.len(),
            rows: self.rows,
            events: self.events,
            from: self.from,
            to: self.to,
            bar_s: bar.map(|b| b.0 / 1_000_000_000),
            findings: self.findings,
            sort: self.unsorted || self.stamped == (true, true),
            ..FileSurvey::unknown(name, "")
        })
        .map(|mut done| {
            done.notes.clear();
            done
        })
    }
}
