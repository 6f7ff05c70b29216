//! Perps and spot of the same assets from two data sets, as one feed: two instruments of one asset. The perps
//! are the desk's; the spot stands beside them. Bars finer than the decision clock are told of the perps as
//! well, for orders that are worked.
//!
//! # Invariants
//!
//! 1. Both are read with the same clock and window, bucket by bucket; a bucket's spot comes before its perps,
//!    and its barrier once, after both.
//! 2. Spot without a perp is left out; a perp without spot is only a perp. Both are said.

use super::{HistoryFeed, HistorySettings, Source};
use crate::domain::{Event, Instrument, InstrumentId, InstrumentKind, MarketEvent, Universe};
use crate::market::{Feed, FeedError, FeedInfo, FeedReport};
use std::collections::VecDeque;

/// Two data sets as one feed.
pub struct PairedFeed {
    info: FeedInfo,
    universe: Universe,
    perps: HistoryFeed,
    spots: HistoryFeed,
    /// By spot instrument of its own feed: its number here.
    numbers: Vec<Option<InstrumentId>>,
    queue: VecDeque<Event>,
}

impl PairedFeed {
    /// Opens both: `settings` are of the perps, `spot` names the other set.
    pub fn open(
        settings: &HistorySettings,
        perps: Vec<Box<dyn Source>>,
        spot: &str,
        spots: Vec<Box<dyn Source>>,
        funding: Option<&dyn Source>,
    ) -> Result<Self, FeedError> {
        let kind = |k| HistorySettings { kind: Some(k), ..settings.clone() };
        let perps = HistoryFeed::open(&kind(InstrumentKind::Perp), perps, funding)?.with_inside();
        let mut beside = kind(InstrumentKind::Spot);
        spot.clone_into(&mut beside.name);
        let mut universe = perps.universe().clone();
        let mut info = perps.info().clone();
        beside.window.from = Some(info.from);
        beside.window.to = Some(info.to);
        beside.window.assets = Some(universe.assets.iter().map(|a| a.name.clone()).collect());
        let spots = HistoryFeed::open(&beside, spots, None)?;
        let first = spots.info();
        if first.from != info.from {
            info.notes.push(format!("{spot} begins at {}: there is no spot before", first.from));
        }
        let mut numbers = vec![None; spots.universe().instruments.len()];
        for of in &spots.universe().instruments {
            let name = spots.universe().name(of.asset);
            let Some(asset) = universe.asset(name).map(|a| a.id) else { continue };
            let id = InstrumentId(universe.instruments.len() as u16);
            numbers[of.id.index()] = Some(id);
            universe.instruments.push(Instrument { id, asset, ..of.clone() });
        }
        let without = |a: &&crate::domain::instrument::Asset| {
            !universe.instruments.iter().any(|i| i.asset == a.id && i.kind == InstrumentKind::Spot)
        };
        let bare: Vec<&str> = universe.assets.iter().filter(without).map(|a| a.name.as_str()).collect();
        if !bare.is_empty() {
            info.notes.push(format!("{spot} has no spot of {}", bare.join(" ")));
        }
        let mut both = blake3::Hasher::new();
        both.update(info.data_hash.as_bytes()).update(first.data_hash.as_bytes());
        info.data_hash = both.finalize().to_hex().to_string();
        info.name = format!("{}+{spot}", info.name);
        Ok(PairedFeed { info, universe, perps, spots, numbers, queue: VecDeque::new() })
    }

    /// One bucket of both.
    fn fill(&mut self) -> Result<(), FeedError> {
        let mut perps = Vec::new();
        let at = loop {
            match self.perps.next()? {
                Some(Event::Barrier(at)) => break at,
                Some(event) => perps.push(event),
                None => return Ok(()),
            }
        };
        // The spot may begin later; nothing of a later bucket is taken.
        while self.spots.ends_by(at) {
            match self.spots.next()? {
                Some(Event::Market(MarketEvent::Bar { instrument, at, bar })) => {
                    if let Some(instrument) = self.numbers[instrument.index()] {
                        self.queue.push_back(Event::Market(MarketEvent::Bar { instrument, at, bar }));
                    }
                }
                Some(_) => {}
                None => break,
            }
        }
        self.queue.extend(perps);
        self.queue.push_back(Event::Barrier(at));
        Ok(())
    }
}

impl Feed for PairedFeed {
    fn info(&self) -> &FeedInfo {
        &self.info
    }

    fn universe(&self) -> &Universe {
        &self.universe
    }

    fn next(&mut self) -> Result<Option<Event>, FeedError> {
        if self.queue.is_empty() {
            self.fill()?;
        }
        Ok(self.queue.pop_front())
    }

    fn report(&self) -> FeedReport {
        let (mut all, spot) = (self.perps.report(), self.spots.report());
        all.rows += spot.rows;
        all.bad_rows += spot.bad_rows;
        all.first_bad.extend(spot.first_bad);
        all.first_bad.truncate(FeedReport::NAMED);
        all.duplicates += spot.duplicates;
        all.unsorted += spot.unsorted;
        all.jumps += spot.jumps;
        all
    }
}
