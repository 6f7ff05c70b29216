//! The second pass: the files together, sorted, what one file lacks taken from the others, onto a tape.

use super::decoders::open;
use super::format::ImportFormat;
use super::item::{Decode, Item, RowContent};
use super::listing::{Listings, MadeUniverse};
use super::survey::{FileSurvey, Survey, file};
use crate::domain::{AssetId, Bar, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp, Universe};
use crate::market::source::{SourceFile, Window};
use crate::market::table::{SETTLED_WITHIN, finishes};
use crate::market::tape::{DataHasher, TapeFile, TapeHeader, TapeWriter};
use crate::market::{FeedError, FeedReport};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::io::Write;

/// Most events of files that must be sorted in memory, all such files together: about 400 MB.
pub const SORTED_MAX: u64 = 4_000_000;

/// Gas of one swap in a concentrated pool, in units of gas: what simple swaps take on chain.
const SWAP_GAS: f64 = 150_000.0;
/// Dollars for the coin in which gas is paid on Polygon; no file tells its price.
const POLYGON_COIN: f64 = 0.6;
/// A contract settles at a price that is not older than this.
const SETTLES_WITHIN: Span = Span::DAY;

/// A tape that was written.
#[derive(Clone, Debug)]
pub struct WrittenTape {
    /// What stands before its events.
    pub header: TapeHeader,
    /// How many events it has.
    pub events: u64,
    /// Stamp of the first event.
    pub from: Option<Stamp>,
    /// Of the last.
    pub to: Option<Stamp>,
    /// blake3 of the unpacked tape, in hex.
    pub hash: String,
    /// What its files tell, whatever part of it is on the tape; in hex.
    pub data_hash: String,
    /// What was read and what was left out.
    pub report: FeedReport,
}

/// A file while it is merged.
struct FileCursor {
    /// Which file it is.
    number: usize,
    decoder: Box<dyn Decode>,
    items: VecDeque<Item>,
    bar: Span,
    over: bool,
    /// By instrument: volume of bars that were passed over since one was told.
    passed: BTreeMap<InstrumentId, f64>,
}

impl FileCursor {
    /// Reads on until something usable is there.
    fn pull(&mut self, survey: &Survey, listings: &mut Listings) -> Result<(), FeedError> {
        let mut read = Vec::new();
        while self.items.is_empty() && !self.over {
            self.over = !self.decoder.next(listings, &mut read)?;
            for mut item in read.drain(..) {
                let left_out = survey.left_out.contains_key(&(self.number, item.line));
                if left_out || matches!(item.what, RowContent::Bad(_)) {
                    continue;
                }
                item.inside = survey.settings.window.holds(item.at);
                if let RowContent::AtClose(event) = item.what {
                    item.at = item.at.after(self.bar);
                    let Some(event) = self.closing(survey, event.told_at(item.at)) else { continue };
                    item.what = RowContent::Now(event);
                }
                self.items.push_back(item);
            }
        }
        Ok(())
    }

    /// A bar as its closing price, with all that was traded since the one before that was told, whose moves it has as well; nothing
    /// where it closes at another time than is asked for.
    fn closing(&mut self, survey: &Survey, event: MarketEvent) -> Option<MarketEvent> {
        let (Some(closes), MarketEvent::Bar { instrument, at, bar }) = (survey.settings.closes, event) else {
            return Some(event);
        };
        let passed = self.passed.entry(instrument).or_default();
        *passed += bar.volume;
        if !closes.is_at(at) {
            return None;
        }
        let (close, volume) = (bar.close, std::mem::take(passed));
        let bar = Bar { open: close, high: close, low: close, close, volume };
        Some(MarketEvent::Bar { instrument, at, bar })
    }
}

/// Of equal stamps: bars, then the price of gas, then what happens, then settlements.
fn rank(what: &RowContent) -> u8 {
    match what {
        RowContent::Now(MarketEvent::Bar { .. }) => 0,
        RowContent::Gas(_) => 1,
        RowContent::Now(MarketEvent::Funding { .. }) => 3,
        RowContent::Now(MarketEvent::Settled { .. }) => 4,
        _ => 2,
    }
}

impl Survey {
    /// Reads the files again, which must be the same, and writes a tape of them.
    pub fn write<W: Write>(
        &self,
        sources: &[Box<dyn SourceFile>],
        out: W,
    ) -> Result<(WrittenTape, W), FeedError> {
        if let Some((symbol, one, other)) = self.listings.mixed.clone() {
            return Err(FeedError::TwoBars { symbol, one, other });
        }
        let sorted: u64 =
            self.files.iter().zip(&self.extents).filter(|(f, _)| f.sort).map(|(_, e)| e.told).sum();
        if sorted > SORTED_MAX {
            let (name, limit) = (self.settings.name.clone(), SORTED_MAX as usize);
            return Err(FeedError::TooMany { name, what: "events that are out of order", limit });
        }
        let mut header = TapeHeader { name: self.settings.name.clone(), ..TapeHeader::default() };
        header.notes = self.notes();
        let whole = self.listings.universe(true, &mut Vec::new());
        let made = self.listings.universe(false, &mut header.notes);
        if made.universe.instruments.is_empty() {
            return Err(self.empty());
        }
        header.universe = made.universe.clone();
        header.tells.clone_from(&made.tells);
        let used = self.files.iter().filter(|f| f.events > 0);
        header.files = used
            .map(|f| TapeFile {
                name: f.name.clone(),
                format: f.format.map_or("", ImportFormat::text).to_owned(),
                hash: f.hash.clone(),
                rows: f.rows,
            })
            .collect();
        let failed = |e: std::io::Error| FeedError::Write { reason: e.to_string() };
        let mut writer = TapeWriter::new(out, &header).map_err(failed)?;
        let (mut from, mut to) = (None, None);
        let part = WantedPart::of(&whole, &made, &self.listings);
        let mut data = DataHasher::new(&whole.universe);
        let mut join = Join::new(whole, self.settings.window.clone(), self.report());
        self.merged(sources, |moment, files| {
            join.take(moment, files, &mut |event, inside| {
                data.take(&event);
                let Some(event) = part.event(event).filter(|_| inside) else { return Ok(()) };
                from.get_or_insert(event.at());
                to = Some(event.at());
                writer.push(&event).map_err(failed)
            })
        })?;
        let (out, hash, events) = writer.finish(&join.report).map_err(failed)?;
        let (hash, data_hash) = (hash.to_hex().to_string(), data.finish().to_hex().to_string());
        Ok((WrittenTape { header, events, from, to, hash, data_hash, report: join.report }, out))
    }

    fn empty(&self) -> FeedError {
        let Window { from, to, .. } = self.settings.window;
        let part = |word: &str, at: Option<Stamp>| at.map(|t| format!(" {word} {t}")).unwrap_or_default();
        let first_bad = self.files.iter().find_map(|f| f.findings.bad.first.first().map(|b| (f, b)));
        let left_out = || self.files.iter().flat_map(|f| &f.notes).map(|n| format!("; {n}")).next();
        FeedError::Empty {
            name: self.settings.name.clone(),
            window: part("from", from) + &part("to", to),
            first_bad: first_bad.map_or_else(
                || left_out().unwrap_or_default(),
                |(f, b)| format!("; first problem: {}, {b}", f.name),
            ),
        }
    }

    /// What the files are to be known for, once each.
    fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        if self.settings.closes.is_some() {
            notes.push(
                "of bars only those are told that close when CME settles (15:00 in Chicago, no weekends and holidays), as one price each \
                 with the volume since the one before: what is decided on one is dealt at the next"
                    .to_owned(),
            );
        }
        for note in self.settings.notes.iter().chain(self.files.iter().flat_map(|f| &f.notes)) {
            if !notes.contains(note) && notes.len() < 32 {
                notes.push(note.clone());
            }
        }
        notes
    }

    /// The findings of all files as a feed reports them.
    pub fn report(&self) -> FeedReport {
        let mut report = FeedReport::default();
        for f in &self.files {
            report.rows += f.rows;
            report.bad_rows += f.findings.bad.count;
            let named = f.findings.bad.first.iter().map(|b| format!("{}, {b}", f.name));
            report.first_bad.extend(named);
            report.gaps += f.findings.gaps.count;
            report.jumps += f.findings.absurd.count;
        }
        report.first_bad.truncate(FeedReport::NAMED);
        report
    }

    /// Gives the items of all files in order, those of one moment together, each with the number of its file.
    fn merged(
        &self,
        sources: &[Box<dyn SourceFile>],
        mut give: impl FnMut(&mut Vec<(usize, Item)>, &[FileSurvey]) -> Result<(), FeedError>,
    ) -> Result<(), FeedError> {
        // The numbers of the first pass hold, since the same rows come in the same order within a file
        // and all were given out then.
        let mut listings = self.listings.again();
        let told = |n: &usize| self.detected[*n].is_some() && self.extents[*n].begins.is_some();
        let mut waiting: Vec<usize> = (0..sources.len()).filter(told).collect();
        waiting.sort_by_key(|n| Reverse((self.extents[*n].begins, *n)));
        let mut open: BTreeMap<usize, FileCursor> = BTreeMap::new();
        let mut heap: BinaryHeap<Reverse<(Stamp, u8, usize)>> = BinaryHeap::new();
        let mut moment: Vec<(usize, Item)> = Vec::new();
        loop {
            // A file is opened once its first row may be next, and closed after its last.
            let next = heap.peek().map(|Reverse((at, ..))| *at);
            if let Some(n) =
                waiting.last().copied().filter(|n| next.is_none_or(|at| self.extents[*n].begins <= Some(at)))
            {
                waiting.pop();
                let cursor = self.cursor(n, sources[n].as_ref(), &mut listings)?;
                if let Some(first) = cursor.items.front() {
                    heap.push(Reverse((first.at, rank(&first.what), n)));
                    open.insert(n, cursor);
                }
                continue;
            }
            let Some(Reverse((at, _, n))) = heap.pop() else { break };
            let Some(cursor) = open.get_mut(&n) else { continue };
            let Some(item) = cursor.items.pop_front() else { continue };
            if moment.first().is_some_and(|(_, m)| m.at < at) {
                give(&mut moment, &self.files)?;
                moment.clear();
            }
            moment.push((n, item));
            cursor.pull(self, &mut listings)?;
            match cursor.items.front() {
                Some(next) if next.at < at => {
                    let f = &self.files[n];
                    return Err(FeedError::Changed {
                        name: f.name.clone(),
                        before: f.rows,
                        after: next.line,
                    });
                }
                Some(next) => heap.push(Reverse((next.at, rank(&next.what), n))),
                None => {
                    open.remove(&n);
                }
            }
        }
        give(&mut moment, &self.files)
    }

    /// A file at its first item; all of it where it has to be sorted.
    fn cursor(
        &self,
        number: usize,
        source: &dyn SourceFile,
        listings: &mut Listings,
    ) -> Result<FileCursor, FeedError> {
        let (survey, detected) = (&self.files[number], self.detected[number].as_ref());
        let failed = |reason: String| FeedError::Read { file: survey.name.clone(), line: 0, reason };
        let detected = detected.ok_or_else(|| failed("it was not looked at".to_owned()))?;
        let decoder = open(detected, file(&self.settings, source), source, None)?;
        let mut cursor = FileCursor {
            number,
            decoder,
            items: VecDeque::new(),
            bar: Span::seconds(survey.bar_s.unwrap_or(0)),
            over: false,
            passed: BTreeMap::new(),
        };
        cursor.pull(self, listings)?;
        if survey.sort {
            let mut all = Vec::new();
            while !cursor.items.is_empty() {
                all.extend(cursor.items.drain(..));
                cursor.pull(self, listings)?;
            }
            all.sort_by_key(|i| (i.at, rank(&i.what)));
            cursor.items = all.into();
        }
        Ok(cursor)
    }
}

/// The part of what is told that goes onto the tape, by its numbers there.
struct WantedPart {
    /// By number of the whole: that of the part.
    instruments: Vec<Option<InstrumentId>>,
    assets: Vec<Option<AssetId>>,
}

impl WantedPart {
    fn of(whole: &MadeUniverse, part: &MadeUniverse, listings: &Listings) -> Self {
        let mut instruments = vec![None; whole.universe.instruments.len()];
        for n in 0..listings.all.len() {
            if let (Some(one), Some(other)) = (whole.instruments[n], part.instruments[n]) {
                instruments[one.index()] = Some(other);
            }
        }
        let asset = |a: &crate::domain::instrument::Asset| part.universe.asset(&a.name).map(|p| p.id);
        WantedPart { instruments, assets: whole.universe.assets.iter().map(asset).collect() }
    }

    fn event(&self, event: MarketEvent) -> Option<MarketEvent> {
        if let MarketEvent::VolIndex { asset, at, sigma } = event {
            let asset = self.assets[asset.index()]?;
            return Some(MarketEvent::VolIndex { asset, at, sigma });
        }
        Some(event.told_of(self.instruments[event.instrument()?.index()]?))
    }
}

/// Takes an event of the whole, and whether it is in the window.
type Give<'a> = dyn FnMut(MarketEvent, bool) -> Result<(), FeedError> + 'a;

/// What is known while items go by, so that one file can give what another lacks.
struct Join {
    made: MadeUniverse,
    window: Window,
    report: FeedReport,
    /// By instrument: the last price and its stamp.
    prices: Vec<Option<(Stamp, f64)>>,
    /// By asset: the last price in the account's currency.
    spot: Vec<Option<(Stamp, f64)>>,
    bars: Vec<Option<Stamp>>,
    funding: Vec<Option<Stamp>>,
    gas: f64,
    /// Contracts that have not ended, the next to end last.
    ending: Vec<(Stamp, InstrumentId)>,
}

impl Join {
    fn new(made: MadeUniverse, window: Window, report: FeedReport) -> Join {
        let n = made.universe.instruments.len();
        let mut ending: Vec<(Stamp, InstrumentId)> =
            made.universe.instruments.iter().filter_map(|i| Some((i.terms.expiry()?, i.id))).collect();
        ending.sort_by_key(|e| Reverse(*e));
        Join {
            spot: vec![None; made.universe.assets.len()],
            prices: vec![None; n],
            bars: vec![None; n],
            funding: vec![None; n],
            gas: f64::NAN,
            ending,
            made,
            window,
            report,
        }
    }

    fn universe(&self) -> &Universe {
        &self.made.universe
    }

    /// Gives the events that follow from the items of one moment, in an order that does not depend on the files that tell them.
    fn take(
        &mut self,
        moment: &mut [(usize, Item)],
        files: &[FileSurvey],
        give: &mut Give<'_>,
    ) -> Result<(), FeedError> {
        let Some(at) = moment.first().map(|(_, item)| item.at) else { return Ok(()) };
        while let Some((expiry, id)) = self.ending.last().copied().filter(|(expiry, _)| *expiry < at) {
            self.ending.pop();
            if let Some(event) = self.settle(expiry, id) {
                give(event, self.window.holds(expiry))?;
            }
        }
        let made = &self.made;
        let id = |event: &MarketEvent| {
            event.instrument().and_then(|i| made.instruments.get(i.index()).copied().flatten())
        };
        moment.sort_by_key(|(_, item)| (rank(&item.what), item.what.event().and_then(id)));
        let mut bar: Option<(MarketEvent, bool)> = None;
        for (n, item) in moment.iter() {
            let source = &files[*n];
            let event = match item.what {
                RowContent::Now(event) | RowContent::AtClose(event) => event,
                RowContent::Gas(gas) => {
                    self.gas = gas;
                    continue;
                }
                RowContent::Bad(_) => continue,
            };
            let Some(event) = self.event(event, item.line, source) else { continue };
            match (&mut bar, event) {
                // Of two bars of one moment the first is taken, unless the other is what it became.
                (
                    Some((MarketEvent::Bar { instrument, bar: kept, .. }, _)),
                    MarketEvent::Bar { instrument: id, bar, .. },
                ) if *instrument == id => {
                    self.doubled();
                    if finishes(&bar, kept) {
                        *kept = bar;
                    }
                }
                _ => {
                    if let Some((event, inside)) = bar.take() {
                        self.told(&event);
                        give(event, inside)?;
                    }
                    if matches!(event, MarketEvent::Bar { .. }) {
                        bar = Some((event, item.inside));
                    } else {
                        give(event, item.inside)?;
                    }
                }
            }
        }
        if let Some((event, inside)) = bar {
            self.told(&event);
            give(event, inside)?;
        }
        Ok(())
    }

    /// Takes note of a bar that was there.
    fn doubled(&mut self) {
        self.report.duplicates += 1;
        self.report.rows = self.report.rows.saturating_sub(1);
    }

    /// Takes note of a bar that is told.
    fn told(&mut self, event: &MarketEvent) {
        if let MarketEvent::Bar { instrument, at, bar } = *event {
            self.bars[instrument.index()] = Some(at);
            self.priced(instrument, at, bar.close);
        }
    }

    fn settle(&self, at: Stamp, id: InstrumentId) -> Option<MarketEvent> {
        let instrument = &self.universe().instruments[id.index()];
        let fresh = |p: &(Stamp, f64)| at.since(p.0) <= SETTLES_WITHIN;
        let own = (instrument.kind == InstrumentKind::Future).then(|| self.prices[id.index()]).flatten();
        let spot = self.spot[instrument.asset.index()];
        // An option pays on what it is of; a MOVE contract pays what no price here tells.
        let found = own.filter(fresh).or(spot.filter(fresh));
        let price = found.filter(|_| instrument.kind != InstrumentKind::Move)?.1;
        Some(MarketEvent::Settled { instrument: id, at, price })
    }

    /// An event with its final number and what it lacks, or nothing if it cannot be used.
    fn event(&mut self, mut event: MarketEvent, line: u64, source: &FileSurvey) -> Option<MarketEvent> {
        use MarketEvent::*;
        if let VolIndex { asset, .. } = &mut event {
            let known = self.made.indices.get(asset.index()).copied().flatten();
            *asset = known.or_else(|| {
                self.report.bad(&source.name, line, "nothing of this asset is on the tape");
                None
            })?;
            return Some(event);
        }
        let id = self.made.instruments.get(event.instrument()?.index()).copied().flatten()?;
        let i = id.index();
        match &mut event {
            Bar { instrument, at, .. } => {
                *instrument = id;
                if self.bars[i].is_some_and(|b| *at <= b) {
                    self.doubled();
                    return None;
                }
            }
            Funding { instrument, at, mark, .. } => {
                *instrument = id;
                if self.funding[i].is_some_and(|f| at.0 < f.0 + SETTLED_WITHIN.0) {
                    self.report.duplicates += 1;
                    return None;
                }
                self.funding[i] = Some(*at);
                // On the desk the price at a settlement is that of the bar that opens then, which is known once it is over.
                let on_desk = i < self.universe().assets.len() && self.made.tells[i].bar.is_some();
                if !mark.is_finite() && on_desk {
                    *mark = f64::NAN;
                } else if !mark.is_finite() {
                    let Some(price) = self.price_at(i, *at, source) else {
                        self.report.bad(&source.name, line, "no price is known at this settlement");
                        return None;
                    };
                    *mark = price;
                }
            }
            Quote { instrument, at, bid, ask, .. } => {
                *instrument = id;
                let (at, mid) = (*at, f64::midpoint(*bid, *ask));
                self.priced(id, at, mid);
            }
            Trade { instrument, at, price, .. } => {
                *instrument = id;
                let (at, price) = (*at, *price);
                self.priced(id, at, price);
            }
            Pool { instrument, gas, price, .. } => {
                *instrument = id;
                if gas.is_nan() {
                    *gas = self.swap_gas(id, *price);
                }
            }
            Settled { instrument, .. } => {
                *instrument = id;
                // What its file tells needs not follow from prices.
                self.ending.retain(|e| e.1 != id);
            }
            Inside { instrument, .. }
            | Level { instrument, .. }
            | Mark { instrument, .. }
            | Implied { instrument, .. }
            | Health { instrument, .. } => *instrument = id,
            VolIndex { .. } => return None,
        }
        Some(event)
    }

    /// The last price of an instrument, or of its asset. Its first bar is told when it closes, and has been open since.
    fn price_at(&self, i: usize, at: Stamp, source: &FileSurvey) -> Option<f64> {
        let asset = self.universe().instruments[i].asset;
        let beside = source.format == Some(ImportFormat::Funding);
        let opening = self.made.openings[i].filter(|(opened, _)| beside && *opened <= at);
        Some(self.prices[i].or(self.spot[asset.index()]).or(opening)?.1)
    }

    fn priced(&mut self, id: InstrumentId, at: Stamp, price: f64) {
        self.prices[id.index()] = Some((at, price));
        let instrument = &self.made.universe.instruments[id.index()];
        let spot =
            matches!(instrument.kind, InstrumentKind::Spot | InstrumentKind::Margin | InstrumentKind::Perp);
        if spot && instrument.quote.is_none() {
            let AssetId(asset) = instrument.asset;
            self.spot[usize::from(asset)] = Some((at, price));
        }
    }

    /// What a swap costs in the pool's quote currency; 0 where no price of gas is known.
    fn swap_gas(&self, id: InstrumentId, price: f64) -> f64 {
        if self.gas.is_nan() {
            return 0.0;
        }
        let universe = self.universe();
        let instrument = &universe.instruments[id.index()];
        let coins = self.gas * 1e-9 * SWAP_GAS;
        if instrument.venue.contains("polygon") {
            return coins * POLYGON_COIN;
        }
        let is_ether = |asset: AssetId| universe.name(asset) == "ETH";
        if instrument.quote.is_some_and(is_ether) {
            return coins;
        }
        let ether = if is_ether(instrument.asset) {
            Some(price)
        } else {
            universe.asset("ETH").and_then(|a| self.spot[a.id.index()]).map(|p| p.1)
        };
        ether.map_or(0.0, |p| coins * p)
    }
}
