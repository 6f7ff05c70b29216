//! The first pass: what files hold, and what is wrong with them.

use super::decoders::{Detected, FileHasher, detect, is_named_after_rates, named, open};
use super::format::ImportFormat;
use super::item::{Item, NamedFile, RowContent};
use super::listing::{INSTRUMENTS_MAX, Listings};
use super::settings::ImportSettings;
use crate::domain::{Bar, InstrumentId, MarketEvent, Span, Stamp};
use crate::market::source::SourceFile;
use crate::market::table::{
    FileHints, PriceFindings, PriceJudge, SETTLED_WITHIN, SHIFT_WAYS, TableKind, TableShape,
};
use crate::market::{FeedError, FeedReport};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Most files of one import: each is open while the tape is written.
pub(super) const FILES_MAX: usize = 4_096;
/// Instruments of a file that are named.
const NAMED_MAX: usize = 64;
/// Bars of a symbol that tell how long they are.
const ROWS_OF_ONE_LENGTH: u64 = 24;
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

impl FileVerdict {
    /// Its word for people.
    pub fn text(self) -> &'static str {
        match self {
            FileVerdict::Read => "read",
            FileVerdict::ReadWithNotes => "read, with notes",
            FileVerdict::LeftOut => "left out",
            FileVerdict::Refused => "refused until decided",
            FileVerdict::Unknown => "not known",
            FileVerdict::NoData => "no data",
        }
    }
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileVerdict {
    /// It is read as it stands.
    Read,
    /// It is read, and what is not taken as it stands is said.
    ReadWithNotes,
    /// It is left out, and why is said.
    LeftOut,
    /// It would change money, and has to be decided first.
    Refused,
    /// Nobody knows its format, or it is damaged.
    Unknown,
    /// It is no table of a market: a text, a picture, a program.
    NoData,
}

/// What a file holds.
#[derive(Clone, Debug, Serialize)]
pub struct FileSurvey {
    /// Name of the file, as it was given.
    pub name: String,
    /// What becomes of it.
    pub verdict: FileVerdict,
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
    /// By file: what it was known for, where it is read.
    pub(super) detected: Vec<Option<Detected>>,
    /// By file: what is known of it besides.
    pub(super) extents: Vec<FileExtent>,
    pub(super) listings: Listings,
    /// Rows that must not be used, by the number of their file and their line.
    pub(super) left_out: BTreeMap<(usize, u64), String>,
}

/// What is known of a file besides, whatever part of it is wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct FileExtent {
    /// The first of its stamps; none if it has none.
    pub begins: Option<Stamp>,
    /// How many events it tells.
    pub told: u64,
    /// The instruments of its bars, where these do not tell how long they are.
    undated: Vec<InstrumentId>,
}

/// What is learned of all files together while they go by: their prices are judged across files.
#[derive(Default)]
struct SurveyPass {
    /// By file: what it is known for, where it is read.
    detected: Vec<Option<Detected>>,
    /// By file: what is known of it besides.
    extents: Vec<FileExtent>,
    judges: Vec<PriceJudge>,
    found: PriceFindings,
    /// What was found when all of it was read before.
    left_out: BTreeMap<(usize, u64), String>,
    /// Files that end in the middle, and why.
    damaged: BTreeMap<usize, String>,
}

/// A file and what its name tells, the settings being stronger.
pub(super) fn file(settings: &ImportSettings, source: &dyn SourceFile) -> NamedFile {
    let mut hints = FileHints::of(source.path());
    if let Some(venue) = &settings.venue {
        hints.venue.clone_from(venue);
    }
    hints.kind = settings.kind.or(hints.kind);
    NamedFile { name: source.name().to_owned(), hints }
}

/// Reads files once, and again where rows were found that must not be used. They are taken in the order of their names.
pub fn survey(settings: &ImportSettings, sources: &mut [Box<dyn SourceFile>]) -> Result<Survey, FeedError> {
    sources.sort_by(|a, b| a.name().cmp(b.name()));
    if sources.len() > FILES_MAX {
        return Err(FeedError::TooMany { name: settings.name.clone(), what: "files", limit: FILES_MAX });
    }
    let mut prices = SurveyPass::default();
    let mut done = survey_whole(settings, sources, &mut prices)?;
    if !prices.found.left_out.is_empty() {
        let (left_out, damaged) = (std::mem::take(&mut prices.found.left_out), prices.damaged);
        prices = SurveyPass { left_out, damaged, ..SurveyPass::default() };
        done = survey_whole(settings, sources, &mut prices)?;
    }
    (done.left_out, done.detected, done.extents) = (prices.left_out, prices.detected, prices.extents);
    if let Some((symbol, one, other)) = done.listings.mixed.clone().filter(|_| settings.lenient) {
        let why = FeedError::TwoBars { symbol, one, other }.to_string();
        for file in done.files.iter_mut().filter(|f| f.bar_s.is_some_and(|s| Span::seconds(s) == other)) {
            file.verdict = FileVerdict::Refused;
            file.notes.push(why.clone());
        }
    }
    if let Some((asset, known)) = done.listings.missing().filter(|_| !settings.lenient) {
        let (name, asset) = (settings.name.clone(), asset.to_owned());
        return Err(FeedError::UnknownAsset { name, asset, known });
    }
    if settings.choices.keeps_jumps() {
        return Ok(done);
    }
    let judges = prices.judges.len();
    for shift in prices.found.undecided(judges).into_iter().filter(|s| settings.window.holds(s.at)) {
        let (n, line) = shift.place;
        let Some(file) = done.files.get_mut(n) else { continue };
        let found = shift.found(line);
        if !settings.lenient {
            return Err(FeedError::Undecided { file: file.name.clone(), found, ways: SHIFT_WAYS.to_owned() });
        }
        file.verdict = FileVerdict::Refused;
        file.notes.push(format!("{found}; {SHIFT_WAYS}"));
    }
    Ok(done)
}

/// Reads files once, and again without those that end in the middle: nothing of them is used.
fn survey_whole(
    settings: &ImportSettings,
    sources: &[Box<dyn SourceFile>],
    prices: &mut SurveyPass,
) -> Result<Survey, FeedError> {
    loop {
        let before = prices.damaged.len();
        let done = survey_once(settings, sources, prices)?;
        if prices.damaged.len() == before {
            return Ok(done);
        }
        let (left_out, damaged) = (std::mem::take(&mut prices.left_out), std::mem::take(&mut prices.damaged));
        *prices = SurveyPass { left_out, damaged, ..SurveyPass::default() };
    }
}

/// Whether the others are read without a file that cannot be: settlements are missed by who pays them.
fn is_spared(settings: &ImportSettings, source: &dyn SourceFile) -> bool {
    let paid = || {
        detect(source, &settings.choices).is_ok_and(|d| d.is_ok_and(|k| k.format == ImportFormat::Funding))
    };
    !settings.lenient && source.is_found() && !is_named_after_rates(source.name()) && !paid()
}

fn survey_once(
    settings: &ImportSettings,
    sources: &[Box<dyn SourceFile>],
    prices: &mut SurveyPass,
) -> Result<Survey, FeedError> {
    let mut listings = Listings::new(settings.window.clone());
    let mut files = Vec::with_capacity(sources.len());
    for (n, source) in sources.iter().enumerate() {
        // Of a file that is left out nothing is learned.
        let bar = settings.bar.or(settings.choices.bar());
        let before = bar.map(|_| listings.clone());
        prices.detected.push(None);
        prices.extents.push(FileExtent::default());
        if let Some(why) = prices.damaged.get(&n) {
            files.push(FileSurvey::without(source.name(), FileVerdict::Unknown, why));
            continue;
        }
        let read = match one(settings, source.as_ref(), &mut listings, (n, &mut *prices)) {
            Err(e @ FeedError::Read { .. }) if is_spared(settings, source.as_ref()) => {
                prices.damaged.insert(n, format!("{} is not read: {e}", source.name()));
                continue;
            }
            read => read?,
        };
        let other = bar.zip(read.bar_s).filter(|(b, s)| Span::seconds(*s) != *b);
        files.push(match (other, before) {
            (Some((_, s)), Some(before)) => {
                listings = before;
                let why = format!("{} is left out: its bars are {} long", source.name(), Span::seconds(s));
                FileSurvey::without(source.name(), FileVerdict::LeftOut, &why)
            }
            _ => read,
        });
        if listings.full {
            let name = settings.name.clone();
            return Err(FeedError::TooMany { name, what: "instruments", limit: INSTRUMENTS_MAX });
        }
    }
    for judge in &mut prices.judges {
        judge.finish(&mut prices.found);
    }
    one_bar_long(settings, &prices.extents, &mut files, &mut listings)?;
    Ok(Survey {
        settings: settings.clone(),
        files,
        listings,
        left_out: BTreeMap::new(),
        detected: Vec::new(),
        extents: Vec::new(),
    })
}

/// One bar does not tell how long it is: it is as long as all the others, where these are alike.
fn one_bar_long(
    settings: &ImportSettings,
    extents: &[FileExtent],
    files: &mut [FileSurvey],
    listings: &mut Listings,
) -> Result<(), FeedError> {
    let lengths: BTreeSet<i64> = files.iter().filter_map(|f| f.bar_s).collect();
    let length = if lengths.len() == 1 { lengths.first().copied() } else { None };
    for (file, extent) in files.iter_mut().zip(extents).filter(|(_, e)| !e.undated.is_empty()) {
        let Some(length) = length else {
            let e = FeedError::Format {
                file: file.name.clone(),
                reason:
                    "one bar does not tell how long it is; put its length into the file's name (BTCUSDT-1h)"
                        .to_owned(),
                known: ImportFormat::known(),
            };
            if !settings.lenient {
                return Err(e);
            }
            (file.verdict, file.notes) = (FileVerdict::Unknown, vec![e.to_string()]);
            continue;
        };
        file.bar_s = Some(length);
        for instrument in &extent.undated {
            if let Some(listed) = listings.all.get_mut(instrument.index()) {
                listed.bars(Span::seconds(length));
            }
        }
    }
    Ok(())
}

fn one(
    settings: &ImportSettings,
    source: &dyn SourceFile,
    listings: &mut Listings,
    prices: (usize, &mut SurveyPass),
) -> Result<FileSurvey, FeedError> {
    let known = match settings.format {
        Some(format) => named(source, format, &settings.choices).map(Ok),
        None => detect(source, &settings.choices),
    };
    let bar = settings.bar.or(settings.choices.bar());
    let read = known.and_then(|known| match known {
        Ok(known) => match known.shape.as_ref().and_then(|shape| not_taken(shape, bar)) {
            Some(why) => {
                let why = format!("{} is left out: {why}", source.name());
                Ok(FileSurvey::without(source.name(), FileVerdict::LeftOut, &why))
            }
            None => read(settings, source, &known, listings, prices),
        },
        Err(why) if settings.lenient => {
            let why = format!("this format is not known: {why}");
            Ok(FileSurvey::without(source.name(), FileVerdict::Unknown, &why))
        }
        Err(why) => Err(FeedError::Format {
            file: source.name().to_owned(),
            reason: format!("this format is not known: {why}"),
            known: ImportFormat::known(),
        }),
    });
    match read {
        Err(e @ FeedError::Undecided { .. }) if settings.lenient => {
            Ok(FileSurvey::without(source.name(), FileVerdict::Refused, &e.to_string()))
        }
        Err(e @ (FeedError::Read { .. } | FeedError::Column { .. } | FeedError::Format { .. }))
            if settings.lenient =>
        {
            Ok(FileSurvey::without(source.name(), FileVerdict::Unknown, &e.to_string()))
        }
        done => done,
    }
}

/// Why prices of a reference are no bars.
fn of_reference(shape: &TableShape) -> String {
    let what = shape.hints.reference.unwrap_or("a reference");
    format!("it is named after {what}, at which nothing is traded; reference=trade takes it for bars")
}

/// Why nothing is taken of a table.
fn not_taken(shape: &TableShape, bar: Option<Span>) -> Option<String> {
    if shape.kind == TableKind::Reference {
        return Some(of_reference(shape));
    }
    let other = shape.bar.filter(|b| bar.is_some_and(|wanted| *b != wanted));
    other.map(|b| format!("its bars are {b} long"))
}

fn read(
    settings: &ImportSettings,
    source: &dyn SourceFile,
    detected: &Detected,
    listings: &mut Listings,
    (n, prices): (usize, &mut SurveyPass),
) -> Result<FileSurvey, FeedError> {
    let file = file(settings, source);
    let hasher = FileHasher::default();
    let told = if detected.format == ImportFormat::LeanOptions { Some(Span::DAY) } else { file.hints.bar };
    let mut decoder = open(detected, file, source, Some(&hasher))?;
    let mut learned = FileLearned { number: n, judged: detected.shape.is_some(), ..FileLearned::default() };
    let mut items = Vec::new();
    loop {
        let more = decoder.next(listings, &mut items)?;
        for mut item in items.drain(..) {
            if let Some(why) = prices.left_out.get(&(n, item.line)) {
                item.what = RowContent::Bad(why.clone());
            }
            learned.take(&item, listings, prices);
        }
        if !more {
            break;
        }
    }
    let hash = hasher.borrow().finalize();
    let (mut done, extent) = learned.finish(source.name(), told, listings)?;
    prices.extents[n] = extent;
    done.format = Some(detected.format);
    prices.detected[n] = Some(detected.clone());
    done.notes.extend(decoder.notes());
    done.verdict = if prices.extents[n].told == 0 && done.findings.bad.count == 0 {
        done.notes.push(format!("{} has no rows", source.name()));
        FileVerdict::NoData
    } else if done.notes.is_empty() && done.findings == Findings::default() {
        FileVerdict::Read
    } else {
        FileVerdict::ReadWithNotes
    };
    done.hash = hash.to_hex().to_string();
    Ok(done)
}

impl FileSurvey {
    /// A file of which nothing is taken.
    pub fn without(name: &str, verdict: FileVerdict, why: &str) -> FileSurvey {
        FileSurvey {
            name: name.to_owned(),
            verdict,
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

impl LearnedBars {
    fn apart(&mut self, spacing: i64) {
        match self.spacing {
            (shortest, n) if n > 0 && spacing > shortest => {}
            (shortest, n) if spacing == shortest => self.spacing.1 = n + 1,
            _ => self.spacing = (spacing, 1),
        }
    }

    /// How long they are, where that is longer than those of the others: they would be told before they are over.
    fn longer(&self, bar: Span) -> Option<Span> {
        let (shortest, n) = self.spacing;
        // One that only trades now and then has gaps of all lengths.
        let is_longer = self.rows >= ROWS_OF_ONE_LENGTH && shortest > bar.0 && n * 2 > self.rows;
        is_longer.then_some(Span(shortest))
    }
}

/// What is learned of one file while it is read.
#[derive(Default)]
struct FileLearned {
    /// Which file it is, and whether its prices are judged.
    number: usize,
    judged: bool,
    findings: Findings,
    rows: u64,
    events: u64,
    line: Option<u64>,
    from: Option<Stamp>,
    to: Option<Stamp>,
    last: Option<Stamp>,
    /// The first of all stamps, and all events, in the window and out of it.
    begins: Option<Stamp>,
    told: u64,
    /// Whether there is something stamped at the open of its bar, and something that is not.
    stamped: (bool, bool),
    unsorted: bool,
    /// By instrument, as it is numbered.
    bars: Vec<LearnedBars>,
    funding: BTreeMap<InstrumentId, Stamp>,
    /// By spacing of bars: how often, and where first.
    spacings: BTreeMap<i64, (u64, u64, Stamp)>,
    /// The spacing of the last bars, not yet among these: nearly all are alike.
    spacing: (i64, (u64, u64, Stamp)),
    instruments: BTreeSet<InstrumentId>,
}

/// What is learned of the bars of one instrument in a file.
#[derive(Clone, Debug, Default)]
struct LearnedBars {
    last: Option<(Stamp, f64)>,
    rows: u64,
    /// The shortest time between two of them, and how often it was that.
    spacing: (i64, u64),
}

impl FileLearned {
    fn take(&mut self, item: &Item, listings: &mut Listings, prices: &mut SurveyPass) {
        let event = match &item.what {
            RowContent::Bad(why) => return self.findings.bad.add(item.line, || why.clone()),
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
        self.unsorted |= self.last.is_some_and(|l| at < l);
        let before = self.last.replace(at);
        self.begins = Some(self.begins.map_or(at, |b| b.min(at)));
        self.told += 1;
        let inside = match event {
            Some(event) => listings.learn(event),
            None => listings.holds(at),
        };
        if inside {
            self.events += 1;
            self.from = Some(self.from.map_or(at, |f| f.min(at)));
            self.to = Some(self.to.map_or(at, |t| t.max(at)));
            if self.line.replace(item.line) != Some(item.line) {
                self.rows += 1;
                if let Some(last) = before.filter(|l| at < *l) {
                    self.findings.unsorted.add(item.line, || format!("{at} comes after {last}"));
                }
            }
        }
        match event {
            Some(MarketEvent::Bar { instrument, bar, .. }) => {
                self.bar(item, inside, (*instrument, bar), prices);
            }
            Some(MarketEvent::Funding { instrument, .. }) if inside => {
                self.instruments.insert(*instrument);
                let before = self.funding.insert(*instrument, at);
                if before.is_some_and(|b| at.since(b).0.abs() < SETTLED_WITHIN.0) {
                    self.findings.duplicates.add(item.line, || format!("{at} was settled before"));
                }
            }
            Some(event) if inside => self.instruments.extend(event.instrument()),
            _ => {}
        }
    }

    fn bar(
        &mut self,
        item: &Item,
        inside: bool,
        (instrument, bar): (InstrumentId, &Bar),
        prices: &mut SurveyPass,
    ) {
        let (at, i) = (item.at, instrument.index());
        if self.bars.len() <= i {
            self.bars.resize_with(i + 1, LearnedBars::default);
        }
        if inside && self.bars[i].rows == 0 {
            self.instruments.insert(instrument);
        }
        let before = self.bars[i].last;
        if before.is_some_and(|(last, _)| last == at) {
            if inside {
                self.findings.duplicates.add(item.line, || format!("{at} was there before"));
            }
            return;
        }
        if self.judged {
            if prices.judges.len() <= i {
                prices.judges.resize_with(i + 1, PriceJudge::default);
            }
            prices.judges[i].take((self.number, item.line), at, bar, &mut prices.found);
        }
        self.bars[i].last = Some((at, bar.close));
        self.bars[i].rows += u64::from(inside);
        let Some((last, close)) = before else { return };
        let spacing = at.since(last).0.abs();
        self.bars[i].apart(spacing);
        if spacing != self.spacing.0 {
            self.flush();
            self.spacing = (spacing, (0, item.line, last));
        }
        self.spacing.1.0 += 1;
        if inside && !(0.1..=10.0).contains(&(bar.close / close)) {
            self.findings.absurd.add(item.line, || format!("a close of {} after {close}", bar.close));
        }
    }

    /// Counts the spacings that were put off.
    fn flush(&mut self) {
        let (spacing, (n, line, after)) = std::mem::take(&mut self.spacing);
        if n > 0 && (self.spacings.len() < SPACINGS_MAX || self.spacings.contains_key(&spacing)) {
            self.spacings.entry(spacing).or_insert((0, line, after)).0 += n;
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
    ) -> Result<(FileSurvey, FileExtent), FeedError> {
        self.flush();
        let bar = self.length(told).filter(|_| self.stamped.0);
        let length = bar.unwrap_or(Span(0));
        let mut longer: Vec<_> =
            self.spacings.iter().filter(|(s, _)| bar.is_some_and(|b| **s > b.0)).collect();
        longer.sort_by_key(|(_, (_, line, _))| *line);
        for (spacing, (count, line, after)) in longer {
            let before = self.findings.gaps.count;
            self.findings.gaps.add(*line, || format!("nothing for {} after {after}", Span(*spacing)));
            self.findings.gaps.count = before + count;
        }
        for (i, bars) in self.bars.iter().enumerate().filter(|(_, b)| b.last.is_some()) {
            let Some(listed) = listings.all.get_mut(i) else { continue };
            if let Some(longer) = bars.longer(length) {
                return Err(FeedError::Undecided {
                    file: format!("{name}, {}", listed.symbol),
                    found: format!("its bars are {longer} long, and those of the others {length}"),
                    ways:
                        "run those of one length, each named with --assets, or write a file for each length"
                            .to_owned(),
                });
            }
            if bar.is_none() {
                continue;
            }
            if let Some(other) = listed.bars(length) {
                let symbol = listed.symbol.clone();
                // Looking at a folder is no import.
                listed.bar = Some(Span(other.0.min(length.0)));
                listings.mixed.get_or_insert((symbol, other, length));
            }
        }
        let told = self.bars.iter().enumerate().filter(|(_, b)| bar.is_none() && b.last.is_some());
        let undated = told.map(|(i, _)| InstrumentId(i as u16)).collect();
        let extent = FileExtent { begins: self.begins, told: self.told, undated };
        let named = self.instruments.iter().take(NAMED_MAX).filter_map(|i| listings.all.get(i.index()));
        let label = |l: &super::listing::ListedFacts| match l.venue.as_str() {
            "" => format!("{} {}", l.symbol, l.kind),
            venue => format!("{} {}@{venue}", l.symbol, l.kind),
        };
        let mut done = FileSurvey {
            instruments: named.map(label).collect(),
            instrument_count: self.instruments.len(),
            rows: self.rows,
            events: self.events,
            from: self.from,
            to: self.to,
            bar_s: bar.map(|b| b.0 / 1_000_000_000),
            findings: self.findings,
            sort: self.unsorted || self.stamped == (true, true),
            ..FileSurvey::without(name, FileVerdict::Read, "")
        };
        done.notes.clear();
        Ok((done, extent))
    }
}
