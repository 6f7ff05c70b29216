//! A tape as a feed: its events with the barriers of the decision clock put in, and the desk's bars made
//! into bars of that clock.
//!
//! # Invariants
//!
//! 1. The order is that of [`crate::market::feed`]; a bucket without events still gives its barrier.
//! 2. The tape is read to its end and checked before the first event is given.
//! 3. What follows a tape that grows gives, event by event, what a reading of it will give.
//! 4. With a window's `to`, the events are a prefix of the longer run's. Only whole buckets are sent.

use super::read::TapePosition;
use super::{Makes, TapeReader};
use crate::domain::{Bar, Event, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp, Universe};
use crate::market::feed::{FeedPosition, NO_FUNDING, NO_VOLUME};
use crate::market::history::buckets::merge;
use crate::market::history::ranking::{Entrant, Volumes};
use crate::market::history::{SourceFile, Window, scan};
use crate::market::{Feed, FeedError, FeedInfo, FeedMode, FeedReport, Polled};
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
    stream: Stream,
}

impl TapeFeed {
    /// Reads the tape once to check it and to learn its ends and rankings, and opens it for streaming.
    pub fn open(settings: &TapeSettings, source: &dyn SourceFile) -> Result<Self, FeedError> {
        let mut first = Stream::open(settings, source)?;
        let (header, seam) = (first.reader.header().clone(), first.reader.seam());
        let mut universe = header.universe;
        let mut learned = FirstPass::default();
        while let Some(event) = first.next()? {
            learned.take(&event, &universe, (settings.clock, seam));
        }
        // A window that ends early leaves the rest unread, and so unchecked.
        while first.reader.next()?.is_some() {}
        let (trailer, hash) = first.reader.trailer().cloned().unwrap_or_else(|| {
            // Nothing is left to read, so the end was read, or there is none.
            let hash = first.reader.reached().3;
            (super::TapeTrailer::default(), hash.unwrap_or(blake3::Hash::from_bytes([0; 32])))
        });
        let (Some(from), Some(to)) = (learned.from, learned.to) else {
            let part = |word: &str, at: Option<Stamp>| at.map(|t| format!(" {word} {t}")).unwrap_or_default();
            let window = part("from", settings.window.from) + &part("to", settings.window.to);
            return Err(FeedError::Empty { name: header.name, window, first_bad: String::new() });
        };
        let (has_volume, has_funding) = (!learned.without_volume, learned.funded);
        learned.rank(&mut universe, settings.clock, seam.map_or(to, |seam| seam.min(to)));
        let bars = header.tells.iter().take(universe.assets.len()).filter_map(|t| t.bar).min();
        let mut notes = header.notes;
        // A tape tells what its files were to be known for, and this as every feed does.
        if !has_volume && !notes.iter().any(|n| n == NO_VOLUME) {
            notes.push(NO_VOLUME.to_owned());
        }
        let has_perps = universe.instruments.iter().any(|i| i.kind == InstrumentKind::Perp);
        if has_perps && !has_funding && !notes.iter().any(|n| n == NO_FUNDING) {
            notes.push(NO_FUNDING.to_owned());
        }
        let without: Vec<&str> = universe
            .desk()
            .iter()
            .filter(|i| first.makes[i.id.index()] == Makes::Nothing)
            .map(|i| universe.name(i.asset))
            .collect();
        if !without.is_empty() {
            notes.push(format!(
                "the desk has no price for {}: import bars of it into the same tape",
                without.join(" ")
            ));
        }
        let info = FeedInfo {
            mode: FeedMode::History,
            name: header.name,
            data_hash: hash.to_hex().to_string(),
            bar: bars.unwrap_or(settings.clock),
            clock: settings.clock,
            from,
            to,
            bars: (to.since(from).0 / settings.clock.0) as u64,
            has_volume,
            has_funding,
            notes,
        };
        let stream = Stream::open(settings, source)?;
        Ok(TapeFeed { info, universe, report: trailer.report, stream })
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

    /// Until when a tape that grows is history.
    pub fn seam(&self) -> Option<Stamp> {
        self.stream.reader.seam()
    }
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
        let Stream { reader, bucket, held, bars, funding, queue, over, .. } = &self.stream;
        FeedPosition::of(&self.info, &(reader.position(), bucket, held, bars, funding, queue, over))
    }

    fn seek(&mut self, to: &FeedPosition) -> Result<bool, FeedError> {
        type Kept = (
            TapePosition,
            Option<Stamp>,
            Option<Event>,
            Vec<Option<Bar>>,
            Vec<(Stamp, InstrumentId, MarketEvent)>,
            VecDeque<Event>,
            bool,
        );
        let Some((at, bucket, held, bars, funding, queue, over)) = to.read::<Kept>(&self.info) else {
            return Ok(false);
        };
        let stream = &mut self.stream;
        if bars.len() != stream.bars.len() {
            return Ok(false);
        }
        stream.reader.seek(at)?;
        (stream.bucket, stream.held, stream.bars) = (bucket, held, bars);
        (stream.funding, stream.queue, stream.over) = (funding, queue, over);
        Ok(true)
    }
}

/// What the first pass learns from the events as they will be sent.
#[derive(Default)]
struct FirstPass {
    from: Option<Stamp>,
    to: Option<Stamp>,
    volumes: Volumes,
    /// By asset: start of its first bar.
    first: Vec<Option<Stamp>>,
    without_volume: bool,
    funded: bool,
}

impl FirstPass {
    /// Of a tape that grows, what comes after its seam says nothing but how far it goes.
    fn take(&mut self, event: &Event, universe: &Universe, (clock, seam): (Span, Option<Stamp>)) {
        let is_known = seam.is_none_or(|seam| event.at() <= seam);
        match *event {
            Event::Barrier(at) => {
                self.from.get_or_insert(Stamp(at.0 - clock.0));
                self.to = Some(at);
            }
            Event::Market(MarketEvent::Bar { instrument, at, bar })
                if is_known && instrument.index() < universe.assets.len() =>
            {
                let start = Stamp(at.0 - clock.0);
                self.first.resize(universe.assets.len(), None);
                self.first[instrument.index()].get_or_insert(start);
                self.without_volume |= bar.volume.is_infinite();
                self.volumes.add(instrument.0, start, bar.close * bar.volume);
            }
            Event::Market(MarketEvent::Funding { instrument, .. }) => {
                self.funded |= is_known && instrument.index() < universe.assets.len();
            }
            Event::Market(_) | Event::Command(..) | Event::Venue(_) | Event::Tick(_) => {}
        }
    }

    fn rank(self, universe: &mut Universe, clock: Span, end: Stamp) {
        let mut entrants = Vec::new();
        for asset in &mut universe.assets {
            let Some(first) = self.first.get(asset.id.index()).copied().flatten() else { continue };
            asset.first = first;
            if !asset.money_like {
                let (symbol, name) = (asset.id.index(), asset.name.clone());
                entrants.push(Entrant { symbol, asset: asset.id, name, first });
            }
        }
        universe.by_volume = self.volumes.rankings(&entrants, clock, end);
    }
}

/// The events of a tape by buckets.
struct Stream {
    reader: TapeReader<Box<dyn Read + Send>>,
    /// By desk instrument.
    makes: Vec<Makes>,
    clock: Span,
    from: Option<Stamp>,
    to: Option<Stamp>,
    /// Start of the bucket that is being filled; none before the first event.
    bucket: Option<Stamp>,
    /// An event of a later bucket.
    held: Option<Event>,
    /// By desk instrument: its bar of this bucket so far.
    bars: Vec<Option<Bar>>,
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
        let mut makes = Vec::new();
        for (instrument, tells) in header.universe.desk().iter().zip(&header.tells) {
            let made = Makes::of(instrument.kind, tells);
            if let (Makes::Bars, Some(bar)) = (made, tells.bar) {
                scan::fits(&instrument.symbol, bar, clock)?;
            }
            makes.push(made);
        }
        let bars = vec![None; makes.len()];
        Ok(Stream {
            reader,
            makes,
            clock,
            from: settings.window.from.map(|t| Stamp(t.0 + clock.0 - 1).floor(clock)),
            to: settings.window.to.map(|t| t.floor(clock)),
            bucket: None,
            held: None,
            bars,
            funding: Vec::new(),
            queue: VecDeque::new(),
            over: false,
            follows: false,
        })
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
                None => self.reader.next()?,
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
            let bucket = *self.bucket.get_or_insert(start);
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
        let Some(instrument) = event.instrument().filter(|i| self.is_desk(*i)) else { return Some(event) };
        let i = instrument.index();
        match (event, self.makes[i]) {
            (MarketEvent::Bar { bar, .. }, Makes::Bars) => {
                merge(&mut self.bars[i], &bar);
                return None;
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

    fn merge_price(&mut self, i: usize, price: f64, volume: f64) {
        let bar = Bar { open: price, high: price, low: price, close: price, volume };
        if bar.is_valid() {
            merge(&mut self.bars[i], &bar);
        }
    }

    /// Queues the end of a bucket and goes on to the next.
    fn close(&mut self, start: Stamp) {
        let end = start.after(self.clock);
        for (i, bar) in self.bars.iter_mut().enumerate() {
            if let Some(bar) = bar.take() {
                let instrument = InstrumentId(i as u16);
                self.queue.push_back(Event::Market(MarketEvent::Bar { instrument, at: end, bar }));
            }
        }
        self.funding.sort_by_key(|(at, instrument, _)| (*at, *instrument));
        let later = self.funding.partition_point(|(at, ..)| *at < end);
        for (.., event) in self.funding.drain(..later) {
            self.queue.push_back(Event::Market(event));
        }
        self.queue.push_back(Event::Barrier(end));
        self.bucket = Some(end);
    }
}
