//! Perps and spot of the same assets from two data sets, as one feed: two instruments of one asset. The perps
//! are the desk's; the spot stands beside them. Bars finer than the decision clock are told of both as well, for
//! orders that are worked.
//!
//! # Invariants
//!
//! 1. Both are read with the same clock and window, bucket by bucket; a bucket's spot comes before its perps,
//!    and its barrier once, after both.
//! 2. Spot without a perp is left out; a perp without spot is only a perp. Both are said.

use super::open::open;
use super::settings::HistorySettings;
use crate::domain::{Event, Instrument, InstrumentId, InstrumentKind, MarketEvent, Stamp, Universe};
use crate::market::feed::FeedPosition;
use crate::market::source::{ScratchFile, SourceFile};
use crate::market::tape::TapeFeed;
use crate::market::{Feed, FeedError, FeedInfo, FeedReport};
use std::collections::VecDeque;

/// Two data sets as one feed.
pub struct PairedFeed {
    info: FeedInfo,
    universe: Universe,
    perps: TapeFeed,
    spots: TapeFeed,
    /// By spot instrument of its own feed: its number here.
    numbers: Vec<Option<InstrumentId>>,
    /// Perps without settlements, and their last closes.
    unpaid: Vec<(InstrumentId, f64)>,
    queue: VecDeque<Event>,
}

impl PairedFeed {
    /// Opens both: `settings` are of the perps, `spot` names the other set.
    pub fn open(
        settings: &HistorySettings,
        perps: Vec<Box<dyn SourceFile>>,
        spot: &str,
        spots: Vec<Box<dyn SourceFile>>,
        funding: Option<Box<dyn SourceFile>>,
        [of_perps, of_spots]: [Box<dyn ScratchFile>; 2],
    ) -> Result<Self, FeedError> {
        let kind = |k| HistorySettings { kind: Some(k), ..settings.clone() };
        let perps = open(&kind(InstrumentKind::Perp), perps, funding, of_perps)?.with_inside();
        let mut beside = kind(InstrumentKind::Spot);
        spot.clone_into(&mut beside.name);
        let mut universe = perps.universe().clone();
        let mut info = perps.info().clone();
        beside.window.from = Some(info.from);
        beside.window.to = Some(info.to);
        // A perp without spot is no mistake, so nothing is asked for by name.
        beside.window.assets = None;
        let spots = open(&beside, spots, None, of_spots)?.with_inside();
        let first = spots.info();
        if first.from != info.from {
            info.notes.push(format!("{spot} begins at {}: there is no spot before", first.from));
        }
        let new = first.notes.iter().filter(|n| !info.notes.contains(n)).cloned().collect::<Vec<_>>();
        info.notes.extend(new);
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
        let unpaid: Vec<(InstrumentId, f64)> = perps.unpaid().iter().map(|i| (*i, f64::NAN)).collect();
        if !unpaid.is_empty() {
            let names = unpaid.iter().map(|(i, _)| universe.instruments[i.index()].symbol.as_str());
            let names = names.collect::<Vec<_>>().join(" ");
            info.notes.retain(|n| !n.contains("they pay none here"));
            info.notes.push(format!("there is no funding of {names}: they pay the mean of the others"));
        }
        let mut both = blake3::Hasher::new();
        both.update(info.data_hash.as_bytes()).update(first.data_hash.as_bytes());
        info.data_hash = both.finalize().to_hex().to_string();
        info.name = format!("{}+{spot}", info.name);
        Ok(PairedFeed { info, universe, perps, spots, numbers, unpaid, queue: VecDeque::new() })
    }

    /// One bucket of both.
    fn fill(&mut self) -> Result<(), FeedError> {
        let (mut perps, mut inside) = (Vec::new(), Vec::new());
        let at = loop {
            match self.perps.next()? {
                Some(Event::Barrier(at)) => break at,
                Some(Event::Market(event @ MarketEvent::Inside { .. })) => inside.push(event),
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
                Some(Event::Market(MarketEvent::Inside { instrument, at, bar })) => {
                    if let Some(instrument) = self.numbers[instrument.index()] {
                        inside.push(MarketEvent::Inside { instrument, at, bar });
                    }
                }
                Some(_) => {}
                None => break,
            }
        }
        inside.sort_by_key(|e| (e.at(), e.instrument()));
        self.queue.extend(inside.into_iter().map(Event::Market));
        self.settle_the_rest(&mut perps);
        self.queue.extend(perps);
        self.queue.push_back(Event::Barrier(at));
        Ok(())
    }

    /// Perps without settlements of their own pay the mean of the others', at their own price.
    fn settle_the_rest(&mut self, events: &mut Vec<Event>) {
        if self.unpaid.is_empty() {
            return;
        }
        let mut means: Vec<(Stamp, f64, u32)> = Vec::new();
        for event in events.iter() {
            let Event::Market(MarketEvent::Funding { at, rate, .. }) = *event else { continue };
            match means.iter_mut().find(|m| m.0 == at) {
                Some(m) => (m.1, m.2) = (m.1 + rate, m.2 + 1),
                None => means.push((at, rate, 1)),
            }
        }
        means.sort_by_key(|m| m.0);
        let bars: Vec<(InstrumentId, Stamp, f64, f64)> = events
            .iter()
            .filter_map(|e| match *e {
                Event::Market(MarketEvent::Bar { instrument, at, bar }) => {
                    Some((instrument, at, bar.open, bar.close))
                }
                _ => None,
            })
            .collect();
        let clock = self.info.clock;
        for (instrument, last) in &mut self.unpaid {
            let bar = bars.iter().find(|b| b.0 == *instrument);
            for (at, sum, n) in &means {
                // A bar that opens at the settlement gives its open, else it is the last close before.
                let opens = bar.filter(|b| Stamp(b.1.0 - clock.0) == *at).map(|b| b.2);
                let mark = opens.unwrap_or(*last);
                if mark.is_finite() {
                    let (instrument, at, rate) = (*instrument, *at, sum / f64::from(*n));
                    events.push(Event::Market(MarketEvent::Funding { instrument, at, rate, mark }));
                }
            }
            if let Some(bar) = bar {
                *last = bar.3;
            }
        }
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

    fn position(&self) -> Option<FeedPosition> {
        FeedPosition::of(
            &self.info,
            &(self.perps.position()?, self.spots.position()?, &self.unpaid, &self.queue),
        )
    }

    fn seek(&mut self, to: &FeedPosition) -> Result<bool, FeedError> {
        type Kept = (FeedPosition, FeedPosition, Vec<(InstrumentId, f64)>, VecDeque<Event>);
        let Some((perps, spots, unpaid, queue)) = to.read::<Kept>(&self.info) else { return Ok(false) };
        if !(self.perps.seek(&perps)? && self.spots.seek(&spots)?) {
            return Ok(false);
        }
        (self.unpaid, self.queue) = (unpaid, queue);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Span;
    use crate::market::feed::sought;
    use crate::market::source::{SourceBytes, Window};
    use proptest::prelude::*;
    use std::fmt::Write;

    /// Hours of two perps and of spot of one of them and of a third; the spot begins `late` hours later.
    fn panel(symbols: &[&str], from: i64, hours: i64, scale: f64) -> String {
        let mut text = String::from("timestamp,symbol,open,high,low,close,volume\n");
        for h in from..hours {
            for (i, symbol) in symbols.iter().enumerate() {
                let p = scale * (100.0 * (i + 1) as f64 + ((h * 7 + i as i64) % 13) as f64);
                let (high, low) = (p * 1.01, p * 0.99);
                writeln!(text, "{},{symbol},{p},{high},{low},{p},10", h * 3_600).unwrap();
            }
        }
        text
    }

    fn open(hours: i64, to: Option<Stamp>) -> PairedFeed {
        let source = |name: &str, text: String| -> Vec<Box<dyn SourceFile>> {
            vec![Box::new(SourceBytes::new(name, text.into_bytes()))]
        };
        let settings = HistorySettings {
            name: "perp".into(),
            clock: Span(4 * Span::HOUR.0),
            window: Window { to, ..Window::default() },
            choices: super::super::kept(),
            ..HistorySettings::default()
        };
        let funding = SourceBytes::new(
            "funding.csv",
            "timestamp,symbol,rate\n28800,AUSDT,0.0001\n57600,AUSDT,-0.0002\n".as_bytes(),
        );
        let perps = source("perp.csv", panel(&["AUSDT", "BUSDT"], 0, hours, 1.0));
        let spots = source("spot.csv", panel(&["AUSDT", "CUSDT"], 8, hours, 1.001));
        let scratch = [Box::new(Vec::new()) as Box<dyn ScratchFile>, Box::new(Vec::new())];
        PairedFeed::open(&settings, perps, "spot", spots, Some(Box::new(funding)), scratch).unwrap()
    }

    fn all(feed: &mut PairedFeed) -> Vec<Event> {
        std::iter::from_fn(|| feed.next().unwrap()).collect()
    }

    #[test]
    fn spot_stands_beside_the_perps_and_hours_inside_their_bars() {
        let mut feed = open(48, None);
        let u = feed.universe().clone();
        let kinds: Vec<(&str, InstrumentKind)> =
            u.instruments.iter().map(|i| (u.name(i.asset), i.kind)).collect();
        let (perp, spot) = (InstrumentKind::Perp, InstrumentKind::Spot);
        assert_eq!(kinds, [("A", perp), ("B", perp), ("A", spot)], "C has no perp");
        assert!(feed.info().notes.iter().any(|n| n.contains("no spot of B")), "{:?}", feed.info().notes);
        assert!(feed.info().has_funding);
        let events = all(&mut feed);
        let barriers = events.iter().filter(|e| matches!(e, Event::Barrier(_))).count();
        let count = |f: fn(&MarketEvent) -> bool| {
            events.iter().filter(|e| matches!(e, Event::Market(m) if f(m))).count()
        };
        assert_eq!(barriers, 12);
        // Those of the spot begin eight hours later.
        assert_eq!(count(|m| matches!(m, MarketEvent::Inside { .. })), 2 * 48 + 40);
        assert_eq!(
            count(|m| matches!(m, MarketEvent::Bar { instrument, .. } if instrument.0 == 2)),
            10,
            "two are before it begins"
        );
        assert_eq!(count(|m| matches!(m, MarketEvent::Funding { .. })), 4, "B pays the mean of the others");
        assert!(feed.info().notes.iter().any(|n| n.contains("BUSDT: they pay the mean")));
        // Within a bucket: spot, hours, perps, settlements, barrier; nothing of a later bucket.
        let mut end = Stamp(0);
        for bucket in events.split_inclusive(|e| matches!(e, Event::Barrier(_))) {
            let Some(Event::Barrier(at)) = bucket.last() else { panic!("cut off") };
            assert!(bucket.iter().all(|e| e.at() <= *at));
            assert!(
                bucket
                    .iter()
                    .all(|e| !matches!(e, Event::Market(MarketEvent::Inside { at, .. }) if *at <= end))
            );
            let rank = |e: &Event| match e {
                Event::Market(MarketEvent::Bar { instrument, .. }) if instrument.0 == 2 => 0,
                Event::Market(MarketEvent::Inside { .. }) => 1,
                Event::Market(MarketEvent::Bar { .. }) => 2,
                Event::Market(_) => 3,
                _ => 4,
            };
            assert!(bucket.windows(2).all(|w| rank(&w[0]) <= rank(&w[1])));
            end = *at;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn a_sought_pair_gives_what_a_read_one_gives(parts in [0.0..1.0, 0.0..1.0, 0.0..1.0]) {
            sought::gives_what_read_gives(|| open(96, None), &parts);
        }
    }

    #[test]
    fn a_window_sees_a_prefix() {
        let whole = all(&mut open(96, None));
        let part = all(&mut open(96, Some(Stamp(48 * Span::HOUR.0))));
        assert_eq!(part[..], whole[..part.len()]);
        assert_eq!(part.last().map(Event::at), Some(Stamp(48 * Span::HOUR.0)));
    }
}
