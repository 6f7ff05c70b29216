//! The embedded market as a feed: hours of the path grouped into bars of the decision clock.

use super::listing;
use super::path::{Path, SETTLEMENT_HOURS};
use super::spec::{ASSETS, FREE_DAYS, VERSION};
use super::steps::{StepsState, SynthSteps};
use super::{DAYS_MAX, Detail, SynthSettings, SynthWorld};
use crate::domain::instrument::{Asset, Ranking};
use crate::domain::{
    AssetId, Bar, Decimal, Event, Instrument, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp,
    Universe,
};
use crate::market::feed::FeedPosition;
use crate::market::{Feed, FeedError, FeedInfo, FeedMode, FeedReport};
use std::collections::VecDeque;

/// Days of volume that a ranking looks at.
const RANKING_DAYS: u32 = 30;

/// The embedded market.
pub struct SynthFeed {
    info: FeedInfo,
    universe: Universe,
    path: Path,
    bucket: Stamp,
    rows: u64,
    queue: VecDeque<Event>,
    detail: Option<SynthSteps>,
}

impl SynthFeed {
    /// Checks the settings and starts the walk.
    pub fn new(settings: SynthSettings) -> Result<Self, FeedError> {
        check(&settings)?;
        let clock = settings.clock;
        let to = settings.from.after(Span(i64::from(settings.bars_days) * Span::DAY.0));
        let name = match settings.world {
            SynthWorld::Market => "synth",
            SynthWorld::RandomWalk => "random-walk",
        };
        let mut notes =
            vec![format!("the embedded market ({}), seed {}: no real prices", settings.world, settings.seed)];
        if settings.world == SynthWorld::RandomWalk {
            notes.push("this world has no funding and nothing to predict".into());
        }
        if let Some(detail) = settings.detail {
            notes.push(format!(
                "quotes, futures, options and pools of {} from {} on, every {}{}",
                detail.assets,
                detail.from,
                detail.step,
                if detail.faults { ", with faults" } else { "" }
            ));
        }
        let info = FeedInfo {
            mode: FeedMode::Synth,
            name: name.into(),
            data_hash: hash(&settings),
            bar: Span::HOUR,
            clock,
            from: settings.from,
            to,
            bars: (to.since(settings.from).0 / clock.0) as u64,
            has_volume: true,
            has_funding: settings.world == SynthWorld::Market,
            notes,
        };
        let mut universe = universe(&settings);
        let detail = settings.detail.map(|detail| {
            let listed = listing::list(&settings, detail, &mut universe);
            SynthSteps::start(settings.seed, detail, listed, info.has_funding)
        });
        Ok(SynthFeed {
            bucket: info.from,
            universe,
            detail,
            info,
            path: Path::start(&settings),
            rows: 0,
            queue: VecDeque::new(),
        })
    }

    /// Queues what comes next: a step of the bucket's detail, or what the bucket ends with.
    fn advance(&mut self) {
        let end = self.bucket.after(self.info.clock);
        match &mut self.detail {
            Some(detail) if detail.at() < end => detail.step(&mut self.queue),
            _ => self.fill(),
        }
    }

    /// Walks one bucket and queues its bars, settlements and barrier.
    fn fill(&mut self) {
        let end = self.bucket.after(self.info.clock);
        let mut bars: Option<[Bar; ASSETS.len()]> = None;
        let mut settled = Vec::new();
        for _ in 0..self.info.clock.0 / Span::HOUR.0 {
            let hour = self.path.hour();
            if hour.rem_euclid(SETTLEMENT_HOURS) == 0 {
                let at = Stamp(hour * Span::HOUR.0);
                for (i, (rate, mark)) in self.path.settle().into_iter().enumerate() {
                    let instrument = InstrumentId(i as u16);
                    settled.push(Event::Market(MarketEvent::Funding { instrument, at, rate, mark }));
                }
            }
            let hourly = self.path.step();
            self.rows += hourly.len() as u64;
            match &mut bars {
                None => bars = Some(hourly),
                Some(bars) => {
                    for (all, bar) in bars.iter_mut().zip(&hourly) {
                        all.high = all.high.max(bar.high);
                        all.low = all.low.min(bar.low);
                        all.close = bar.close;
                        all.volume += bar.volume;
                    }
                }
            }
        }
        for (i, bar) in bars.into_iter().flatten().enumerate() {
            self.queue.push_back(Event::Market(MarketEvent::Bar {
                instrument: InstrumentId(i as u16),
                at: end,
                bar,
            }));
        }
        if let Some(detail) = &mut self.detail {
            settled.extend(detail.settlements());
            settled.sort_by_key(|e| match e {
                Event::Market(m) => (m.at(), m.instrument()),
                other => (other.at(), None),
            });
        }
        self.queue.extend(settled);
        self.queue.push_back(Event::Barrier(end));
        self.bucket = end;
    }
}

impl Feed for SynthFeed {
    fn info(&self) -> &FeedInfo {
        &self.info
    }

    fn universe(&self) -> &Universe {
        &self.universe
    }

    fn next(&mut self) -> Result<Option<Event>, FeedError> {
        // An outage can leave a step empty.
        while self.queue.is_empty() && self.bucket < self.info.to {
            self.advance();
        }
        Ok(self.queue.pop_front())
    }

    fn report(&self) -> FeedReport {
        let faults = self.detail.as_ref().map(SynthSteps::faults).unwrap_or_default();
        FeedReport { rows: self.rows, faults, ..FeedReport::default() }
    }

    fn position(&self) -> Option<FeedPosition> {
        let steps = self.detail.as_ref().map(SynthSteps::state);
        FeedPosition::of(&self.info, &(&self.path, self.bucket, self.rows, &self.queue, steps))
    }

    fn seek(&mut self, to: &FeedPosition) -> Result<bool, FeedError> {
        type Kept = (Path, Stamp, u64, VecDeque<Event>, Option<StepsState>);
        let Some((path, bucket, rows, queue, steps)) = to.read::<Kept>(&self.info) else { return Ok(false) };
        match (&mut self.detail, steps) {
            (Some(detail), Some(steps)) => detail.go_on_from(steps),
            (None, None) => {}
            _ => return Ok(false),
        }
        (self.path, self.bucket, self.rows, self.queue) = (path, bucket, rows, queue);
        Ok(true)
    }
}

fn check(settings: &SynthSettings) -> Result<(), FeedError> {
    let clock = settings.clock;
    let refuse = |setting: String, fix: &'static str| Err(FeedError::Setting { setting, fix });
    if clock.0 < Span::HOUR.0 || clock.0 % Span::HOUR.0 != 0 || Span::DAY.0 % clock.0 != 0 {
        return refuse(format!("a clock of {clock}"), "use --clock 1h, 2h, 3h, 4h, 6h, 8h, 12h or 1d");
    }
    if settings.from.floor(clock) != settings.from {
        return refuse(
            format!("a start at {}", settings.from),
            "start on a boundary of the clock, such as midnight UTC",
        );
    }
    // Both together keep every stamp inside its range.
    let (days, start) = (settings.bars_days, settings.from.0);
    let starts = -200 * Span::YEAR.0..=80 * Span::YEAR.0;
    if !(1..=DAYS_MAX).contains(&days) || !starts.contains(&start) {
        return refuse(
            format!("{days} days from {}", settings.from),
            "ask for 1 to 73050 days that begin between 1770 and 2050",
        );
    }
    let to = settings.from.after(Span(i64::from(days) * Span::DAY.0));
    settings.detail.map_or(Ok(()), |detail| detail.check(settings.from, to))
}

fn universe(settings: &SynthSettings) -> Universe {
    let mut universe = Universe::default();
    for (i, spec) in ASSETS.iter().enumerate() {
        let (asset, id) = (AssetId(i as u16), InstrumentId(i as u16));
        let lot = if spec.lot >= 0 {
            Decimal::from(10_i64.pow(spec.lot.unsigned_abs()))
        } else {
            Decimal::new(1, spec.lot.unsigned_abs())
        };
        universe.assets.push(Asset {
            id: asset,
            name: spec.name.into(),
            money_like: false,
            first: settings.from,
        });
        universe.instruments.push(Instrument {
            id,
            asset,
            symbol: format!("{}USDT", spec.name),
            kind: InstrumentKind::Perp,
            venue: String::new(),
            quote: None,
            terms: crate::domain::ContractTerms::Plain,
            tick: Decimal::new(1, spec.digits).into(),
            lot,
            min_notional: Decimal::from(5),
            contract: Decimal::ONE,
        });
    }
    universe.by_volume = rankings(settings);
    universe
}

/// All assets start together, so all rankings are one: over the first thirty days, walked ahead here
/// and known only when they have passed (over the first day where the run is shorter). Settlements move no
/// price, so they are left out.
fn rankings(settings: &SynthSettings) -> Vec<Ranking> {
    let days = if settings.bars_days >= RANKING_DAYS { RANKING_DAYS } else { 1 };
    let mut path = Path::start(settings);
    let mut dollars = [0.0; ASSETS.len()];
    for _ in 0..days * 24 {
        for (sum, bar) in dollars.iter_mut().zip(path.step()) {
            *sum += bar.close * bar.volume;
        }
    }
    let mut order: Vec<usize> = (0..ASSETS.len()).collect();
    order.sort_by(|&a, &b| dollars[b].total_cmp(&dollars[a]));
    let one = Ranking {
        assets: order.into_iter().map(|i| AssetId(i as u16)).collect(),
        known_at: settings.from.after(Span(i64::from(days) * Span::DAY.0)),
    };
    vec![one; ASSETS.len()]
}

/// blake3 of the settings and of the model's version.
fn hash(settings: &SynthSettings) -> String {
    let SynthSettings { seed, world, from, bars_days, clock, detail } = settings;
    let mut text =
        format!("synth {VERSION} {world} seed {seed} from {} days {bars_days} clock {}", from.0, clock.0);
    if *world == SynthWorld::Market && *bars_days > FREE_DAYS {
        text.push_str(" pulled home");
    }
    text.extend(detail.map(Detail::text));
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
