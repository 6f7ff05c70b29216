//! A tape as a feed: its events with the barriers of the decision clock put in, and the desk's bars made
//! into bars of that clock.
//!
//! # Invariants
//!
//! 1. The order is that of [`crate::market::feed`]; a bucket without events still gives its barrier.
//! 2. The tape is read to its end and checked before the first event is given.
//! 3. What follows a tape that grows gives, event by event, what a reading of it will give.
//! 4. With a window's `to`, the events are a prefix of the longer run's. Only whole buckets are sent.

use super::data_hash::DataHasher;
use super::ranking::{Entrant, Volumes};
use super::read::{TapePosition, TapeReader};
use super::{Makes, TapeHeader};
use crate::domain::{Bar, Event, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp, Universe};
use crate::market::feed::{FeedPosition, NO_FUNDING, NO_VOLUME};
use crate::market::source::{SourceFile, Window};
use crate::market::table::SETTLED_WITHIN;
use crate::market::{Feed, FeedError, FeedInfo, FeedMode, FeedReport, Polled};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io::Read;

/// How a tape is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapeSettings {
    /// The decision clock: a multiple of the bars of the desk's instruments.
    pub clock: Span,
    /// Which part; its assets are not looked at, they are chosen when a tape is made.
    pub window: Window,
}

/// A tape being run.
pub struct TapeFeed {
    info: FeedInfo,
    universe: Universe,
    report: FeedReport,
    /// Perps of the desk that have no settlements, where others have.
    unpaid: Vec<InstrumentId>,
    stream: Stream,
}

impl TapeFeed {
    /// Reads the tape once to check it and to learn its ends and rankings, and opens it for streaming.
    pub fn open(settings: &TapeSettings, source: &dyn SourceFile) -> Result<Self, FeedError> {
        Self::open_as(settings, source, None)
    }

    /// Opens a tape that is a part of what has this hash.
    pub(crate) fn open_as(
        settings: &TapeSettings,
        source: &dyn SourceFile,
        data_hash: Option<String>,
    ) -> Result<Self, FeedError> {
        let mut first = Stream::open(settings, source)?;
        let mut header = first.reader.header().clone();
        let mut learned = FirstPass::new(&header.universe, data_hash.is_none());
        learned.seam = first.reader.seam();
        first.learned = Some(Box::new(learned));
        while let Some(event) = first.next()? {
            if let Some(learned) = &mut first.learned {
                learned.take(&event, &first.makes, settings.clock);
            }
        }
        // A window that ends early leaves the rest unread, and so unchecked.
        while first.read()?.is_some() {}
        let report = first.reader.trailer().map(|t| t.0.report.clone()).unwrap_or_default();
        let mut learned = *first.learned.unwrap_or_default();
        let (Some(from), Some(to)) = (learned.from, learned.to) else {
            let part = |word: &str, at: Option<Stamp>| at.map(|t| format!(" {word} {t}")).unwrap_or_default();
            let window = part("from", settings.window.from) + &part("to", settings.window.to);
            return Err(FeedError::Empty { name: header.name, window, first_bad: String::new() });
        };
        let mut universe = std::mem::take(&mut header.universe);
        let bars = header.tells.iter().take(universe.assets.len()).filter_map(|t| t.bar).min();
        let bar = bars.unwrap_or(settings.clock);
        let data_hash = learned.hasher.take().map(|h| h.finish().to_hex().to_string()).or(data_hash);
        let has_funding = learned.paid.iter().any(|p| *p);
        let unpaid = learned.unpaid(&universe);
        let info = FeedInfo {
            mode: FeedMode::History,
            notes: notes(&header, &universe, &learned, &first.makes, report.jumps),
            name: header.name,
            data_hash: data_hash.unwrap_or_default(),
            bar,
            clock: settings.clock,
            from,
            to,
            bars: (to.since(from).0 / settings.clock.0) as u64,
            has_volume: !learned.without_volume,
            has_funding,
        };
        learned.rank(&mut universe, bar);
        let stream = Stream::open(settings, source)?;
        Ok(TapeFeed { info, universe, report, unpaid, stream })
    }

    /// Follows a tape while it grows: what there is of it at the start is its past. Where it ends there is nothing yet
    /// ([`Feed::poll`]), and its last bucket stays open.
    pub fn follow(settings: &TapeSettings, source: &dyn SourceFile) -> Result<Self, FeedError> {
        let mut feed = TapeFeed::open(settings, source)?;
        // It is known by what it is of: what it says grows.
        let header = postcard::to_stdvec(feed.stream.reader.header()).unwrap_or_default();
        feed.info.data_hash = blake3::hash(&header).to_hex().to_string();
        feed.info.mode = FeedMode::Live;
        feed.stream.follows = true;
        Ok(feed)
    }

    /// Tells the bars of the desk's instruments as well, where they are finer than the decision clock.
    #[must_use]
    pub fn with_inside(mut self) -> Self {
        self.stream.inside = self.info.bar.0 < self.info.clock.0;
        self
    }

    /// Perps of the desk that have no settlements, where others have.
    pub(crate) fn unpaid(&self) -> &[InstrumentId] {
        &self.unpaid
    }

    /// Whether an event up to this stamp may be left.
    pub(crate) fn ends_by(&self, at: Stamp) -> bool {
        let Stream { queue, over, bucket, .. } = &self.stream;
        let next = bucket.unwrap_or(self.info.from).after(self.info.clock);
        !queue.is_empty() || (!over && next <= at)
    }
}

/// What is to be said of a tape.
fn notes(
    header: &TapeHeader,
    universe: &Universe,
    learned: &FirstPass,
    makes: &[Makes],
    jumps: u64,
) -> Vec<String> {
    let mut notes = header.notes.clone();
    // A tape tells what its files were to be known for, and this as every feed does.
    if learned.without_volume && !notes.iter().any(|n| n == NO_VOLUME) {
        notes.push(NO_VOLUME.to_owned());
    }
    let has_perps = universe.instruments.iter().any(|i| i.kind == InstrumentKind::Perp);
    if has_perps && !learned.paid.contains(&true) && !notes.iter().any(|n| n == NO_FUNDING) {
        notes.push(NO_FUNDING.to_owned());
    }
    let names = |of: &mut dyn Iterator<Item = &crate::domain::Instrument>| {
        of.map(|i| i.symbol.as_str()).collect::<Vec<_>>().join(" ")
    };
    let unpaid = learned.unpaid(universe);
    if !unpaid.is_empty() {
        let names = names(&mut unpaid.iter().map(|i| &universe.instruments[i.index()]));
        notes.push(format!("there is no funding for {names}: they pay none here"));
    }
    let without: Vec<&str> = universe
        .desk()
        .iter()
        .filter(|i| makes[i.id.index()] == Makes::Nothing)
        .map(|i| universe.name(i.asset))
        .collect();
    if !without.is_empty() {
        notes.push(format!(
            "the desk has no price for {}: import bars of it into the same tape",
            without.join(" ")
        ));
    }
    if jumps > 0 {
        notes.push(format!(
            "closes above ten times or below a tenth of the one before: {jumps}; each counts once the next bar is near it"
        ));
    }
    notes
}

impl Feed for TapeFeed {
    fn info(&self) -> &FeedInfo {
        &self.info
    }

    fn universe(&self) -> &Universe {
        &self.universe
    }

    fn next(&mut self) -> Result<Option<Event>, FeedError> {
        self.stream.next()
    }

    fn poll(&mut self) -> Result<Polled, FeedError> {
        let none = if self.stream.follows { Polled::Nothing } else { Polled::End };
        Ok(self.next()?.map_or(none, Polled::Event))
    }

    fn report(&self) -> FeedReport {
        self.report.clone()
    }

    fn position(&self) -> Option<FeedPosition> {
        let Stream { reader, bucket, held, desk, prices, funding, queue, over, .. } = &self.stream;
        FeedPosition::of(&self.info, &(reader.position(), bucket, held, desk, prices, funding, queue, over))
    }

    fn seek(&mut self, to: &FeedPosition) -> Result<bool, FeedError> {
        type Kept = (
            TapePosition,
            Option<Stamp>,
            Option<Event>,
            Vec<DeskBars>,
            Vec<f64>,
            Vec<(Stamp, InstrumentId, MarketEvent)>,
            VecDeque<Event>,
            bool,
        );
        let Some((at, bucket, held, desk, prices, funding, queue, over)) = to.read::<Kept>(&self.info) else {
            return Ok(false);
        };
        let stream = &mut self.stream;
        if desk.len() != stream.desk.len() || prices.len() != stream.prices.len() {
            return Ok(false);
        }
        stream.reader.seek(at)?;
        (stream.bucket, stream.held, stream.desk, stream.prices) = (bucket, held, desk, prices);
        (stream.funding, stream.queue, stream.over) = (funding, queue, over);
        Ok(true)
    }
}

/// What the first pass learns.
#[derive(Default)]
struct FirstPass {
    /// Of all that is told; none where that is known.
    hasher: Option<DataHasher>,
    /// Of a tape that grows: what comes after its seam says nothing but how far it goes.
    seam: Option<Stamp>,
    from: Option<Stamp>,
    to: Option<Stamp>,
    volumes: Volumes,
    /// By asset: start of its first bar.
    first: Vec<Option<Stamp>>,
    /// End of the last bar.
    last: Stamp,
    without_volume: bool,
    /// By desk instrument: whether it has settlements.
    paid: Vec<bool>,
}

impl FirstPass {
    fn new(universe: &Universe, hashed: bool) -> Self {
        let desk = universe.assets.len();
        FirstPass {
            hasher: hashed.then(|| DataHasher::new(universe)),
            first: vec![None; desk],
            paid: vec![false; desk],
            ..FirstPass::default()
        }
    }

    /// A bar of the desk: as the tape has it, or of the clock where it is made of trades or quotes.
    fn bar(&mut self, instrument: InstrumentId, (start, end): (Stamp, Stamp), bar: &Bar) {
        if self.seam.is_some_and(|seam| end > seam) {
            return;
        }
        self.first[instrument.index()].get_or_insert(start);
        self.last = self.last.max(end);
        self.without_volume |= bar.volume.is_infinite();
        self.volumes.add(instrument.0, start, bar.close * bar.volume);
    }

    fn take(&mut self, event: &Event, makes: &[Makes], clock: Span) {
        match *event {
            Event::Barrier(at) => {
                self.from.get_or_insert(Stamp(at.0 - clock.0));
                self.to = Some(at);
            }
            Event::Market(MarketEvent::Bar { instrument, at, bar })
                if makes.get(instrument.index()).is_some_and(|m| *m != Makes::Bars) =>
            {
                self.bar(instrument, (Stamp(at.0 - clock.0), at), &bar);
            }
            Event::Market(MarketEvent::Funding { instrument, at, .. })
                if self.seam.is_none_or(|s| at <= s) =>
            {
                if let Some(paid) = self.paid.get_mut(instrument.index()) {
                    *paid = true;
                }
            }
            Event::Market(_) | Event::Command(..) | Event::Venue(_) | Event::Tick(_) => {}
        }
    }

    fn unpaid(&self, universe: &Universe) -> Vec<InstrumentId> {
        let is_perp =
            |i: &&crate::domain::Instrument| i.kind == InstrumentKind::Perp && !self.paid[i.id.index()];
        let desk = universe.desk().iter().filter(|_| self.paid.contains(&true));
        desk.filter(is_perp).map(|i| i.id).collect()
    }

    fn rank(self, universe: &mut Universe, bar: Span) {
        let mut entrants = Vec::new();
        for asset in &mut universe.assets {
            let Some(first) = self.first.get(asset.id.index()).copied().flatten() else { continue };
            asset.first = first;
            if !asset.money_like {
                let (symbol, name) = (asset.id.index(), asset.name.clone());
                entrants.push(Entrant { symbol, asset: asset.id, name, first });
            }
        }
        universe.by_volume = self.volumes.rankings(&entrants, bar, self.last);
    }
}

/// The bars of a desk instrument: of this bucket so far, and what settlements are marked by.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct DeskBars {
    bar: Option<Bar>,
    /// Of a perp: open stamp, open and close of the last bar before this bucket, and of those in it.
    marks: Vec<(Stamp, f64, f64)>,
}

impl DeskBars {
    /// The price at a settlement: the open of the bar that starts then, else the last close before.
    fn mark(&self, at: Stamp) -> Option<f64> {
        let (start, open, close) = self.marks.iter().rev().find(|(start, ..)| *start <= at)?;
        // Venues stamp a settlement some milliseconds late.
        Some(if at.0 < start.0 + SETTLED_WITHIN.0 { *open } else { *close })
    }
}

/// Adds a finer bar to a coarser one.
fn merge(into: &mut Option<Bar>, bar: &Bar) {
    match into {
        None => *into = Some(*bar),
        Some(all) => {
            all.high = all.high.max(bar.high);
            all.low = all.low.min(bar.low);
            all.close = bar.close;
            all.volume += bar.volume;
        }
    }
}

/// Bars must add up to buckets.
fn fits(name: &str, bar: Span, clock: Span) -> Result<(), FeedError> {
    if clock.0 % bar.0 == 0 {
        return Ok(());
    }
    // The next multiple of the bar, so that no bar reaches into two buckets.
    let fix = Span((clock.0 + bar.0 - 1) / bar.0 * bar.0);
    Err(FeedError::Clock { name: name.to_string(), bar, clock, fix })
}

/// The events of a tape by buckets.
struct Stream {
    reader: TapeReader<Box<dyn Read + Send>>,
    /// By desk instrument.
    makes: Vec<Makes>,
    /// By desk instrument: the length of its bars on the tape, and whether it is a perp.
    told: Vec<(Span, bool)>,
    clock: Span,
    from: Option<Stamp>,
    to: Option<Stamp>,
    /// Whether bars inside a bucket are told.
    inside: bool,
    /// While the tape is read for the first time.
    learned: Option<Box<FirstPass>>,
    /// Start of the bucket that is being filled; none before the first event.
    bucket: Option<Stamp>,
    /// An event of a later bucket.
    held: Option<Event>,
    /// By desk instrument.
    desk: Vec<DeskBars>,
    /// By instrument: its last close, for those that are not the desk's.
    prices: Vec<f64>,
    /// Settlements of the desk's perps in this bucket, and those at its very end.
    funding: Vec<(Stamp, InstrumentId, MarketEvent)>,
    /// The end of a bucket, being sent.
    queue: VecDeque<Event>,
    over: bool,
    /// More may come where it ends.
    follows: bool,
}

impl Stream {
    fn open(settings: &TapeSettings, source: &dyn SourceFile) -> Result<Self, FeedError> {
        let name = source.name().to_owned();
        let bytes = source.open().map_err(|e| FeedError::Read {
            file: name.clone(),
            line: 0,
            reason: e.to_string(),
        })?;
        let reader = TapeReader::open(&name, bytes)?;
        let header = reader.header();
        let clock = settings.clock;
        let (mut makes, mut told) = (Vec::new(), Vec::new());
        for (instrument, tells) in header.universe.desk().iter().zip(&header.tells) {
            let made = Makes::of(instrument.kind, tells);
            if let (Makes::Bars, Some(bar)) = (made, tells.bar) {
                fits(&instrument.symbol, bar, clock)?;
            }
            makes.push(made);
            told.push((tells.bar.unwrap_or(clock), instrument.kind == InstrumentKind::Perp));
        }
        let desk = vec![DeskBars::default(); makes.len()];
        let prices = vec![f64::NAN; header.universe.instruments.len()];
        Ok(Stream {
            reader,
            makes,
            told,
            clock,
            inside: false,
            learned: None,
            from: settings.window.from.map(|t| Stamp(t.0 + clock.0 - 1).floor(clock)),
            to: settings.window.to.map(|t| t.floor(clock)),
            bucket: None,
            held: None,
            desk,
            prices,
            funding: Vec::new(),
            queue: VecDeque::new(),
            over: false,
            follows: false,
        })
    }

    /// The next event of the tape.
    fn read(&mut self) -> Result<Option<Event>, FeedError> {
        let event = self.reader.next()?;
        let hasher = self.learned.as_mut().and_then(|l| l.hasher.as_mut());
        // That time has passed is nothing that the market says.
        if let (Some(hasher), Some(Event::Market(event))) = (hasher, &event) {
            hasher.take(event);
        }
        Ok(event)
    }

    fn next(&mut self) -> Result<Option<Event>, FeedError> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Ok(Some(event));
            }
            if self.over {
                return Ok(None);
            }
            let event = match self.held.take() {
                Some(event) => Some(event),
                None => self.read()?,
            };
            if event.is_none() && self.follows {
                return Ok(None);
            }
            // Where a tape that grows ends, the last bucket is not over: what it was run with while it grew did not close it.
            let is_open = event.is_none() && self.reader.seam().is_some();
            let Some(event) = event.filter(|e| self.to.is_none_or(|to| e.at() <= to)) else {
                self.over = true;
                // A bucket that begins where the window ends is none.
                if let Some(start) = self.bucket.filter(|s| !is_open && self.to.is_none_or(|to| *s < to)) {
                    self.close(start);
                }
                continue;
            };
            let paid = matches!(event, Event::Market(MarketEvent::Funding { instrument, .. }) if self.is_desk(instrument));
            // Funding counts where the bucket begins, everything else where it ends.
            let start = Stamp(event.at().0 - i64::from(!paid)).floor(self.clock);
            if self.from.is_some_and(|from| start < from) {
                continue;
            }
            if paid && self.bucket.is_none() {
                // Nobody holds anything yet; those of the first bucket come in it.
                if let Event::Market(market) = event {
                    self.fill(market);
                }
                continue;
            }
            let funding = &mut self.funding;
            let bucket = *self.bucket.get_or_insert_with(|| {
                funding.retain(|(at, ..)| *at >= start);
                start
            });
            if !paid && start > bucket {
                self.held = Some(event);
                self.close(bucket);
                continue;
            }
            let Event::Market(market) = event else { return Ok(Some(event)) };
            if let Some(event) = self.fill(market) {
                return Ok(Some(Event::Market(event)));
            }
        }
    }

    fn is_desk(&self, instrument: InstrumentId) -> bool {
        instrument.index() < self.makes.len()
    }

    /// Takes an event into the bucket; what is not kept for its end is given back.
    fn fill(&mut self, event: MarketEvent) -> Option<MarketEvent> {
        let Some(instrument) = event.instrument() else { return Some(event) };
        let i = instrument.index();
        if !self.is_desk(instrument) {
            return self.beside(i, event);
        }
        match (event, self.makes[i]) {
            (MarketEvent::Bar { at, bar, .. }, Makes::Bars) => {
                let (length, is_perp) = self.told[i];
                let start = Stamp(at.0 - length.0);
                if let Some(learned) = &mut self.learned {
                    learned.bar(instrument, (start, at), &bar);
                }
                merge(&mut self.desk[i].bar, &bar);
                if is_perp {
                    self.desk[i].marks.push((start, bar.open, bar.close));
                }
                let is_inside = self.inside && length.0 < self.clock.0;
                return is_inside.then_some(MarketEvent::Inside { instrument, at, bar });
            }
            (MarketEvent::Funding { at, .. }, _) => {
                self.funding.push((at, instrument, event));
                return None;
            }
            (MarketEvent::Trade { price, size, .. }, Makes::Trades) => {
                self.merge_price(i, price, size);
            }
            (MarketEvent::Quote { bid, ask, .. }, Makes::Quotes) => {
                self.merge_price(i, f64::midpoint(bid, ask), f64::INFINITY);
            }
            // A bar of something that the desk cannot trade, too, is told for structures.
            _ => {}
        }
        Some(event)
    }

    /// What is not the desk's: told as it stands, a settlement without a mark at the last close.
    fn beside(&mut self, i: usize, event: MarketEvent) -> Option<MarketEvent> {
        match event {
            MarketEvent::Bar { bar, .. } => self.prices[i] = bar.close,
            MarketEvent::Funding { instrument, at, rate, mark } if mark.is_nan() => {
                let mark = self.prices[i];
                return mark.is_finite().then_some(MarketEvent::Funding { instrument, at, rate, mark });
            }
            _ => {}
        }
        Some(event)
    }

    fn merge_price(&mut self, i: usize, price: f64, volume: f64) {
        let bar = Bar { open: price, high: price, low: price, close: price, volume };
        if bar.is_valid() {
            merge(&mut self.desk[i].bar, &bar);
        }
    }

    /// Queues the end of a bucket and goes on to the next.
    fn close(&mut self, start: Stamp) {
        let end = start.after(self.clock);
        for (i, desk) in self.desk.iter_mut().enumerate() {
            if let Some(bar) = desk.bar.take() {
                let instrument = InstrumentId(i as u16);
                self.queue.push_back(Event::Market(MarketEvent::Bar { instrument, at: end, bar }));
            }
        }
        self.funding.sort_by_key(|(at, instrument, _)| (*at, *instrument));
        let later = self.funding.partition_point(|(at, ..)| *at < end);
        for (at, instrument, mut event) in self.funding.drain(..later) {
            if let MarketEvent::Funding { mark, .. } = &mut event
                && mark.is_nan()
            {
                let Some(price) = self.desk[instrument.index()].mark(at) else { continue };
                *mark = price;
            }
            self.queue.push_back(Event::Market(event));
        }
        for desk in &mut self.desk {
            let before = desk.marks.len().saturating_sub(1);
            desk.marks.drain(..before);
        }
        self.queue.push_back(Event::Barrier(end));
        self.bucket = Some(end);
    }
}
