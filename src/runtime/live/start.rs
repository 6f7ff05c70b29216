//! From what is asked for to a feed: a tape is begun or taken up again, history is fetched, and the recorder goes on.

use super::clock::VenueClock;
use super::feed::LiveFeed;
use super::recorder::{Asker, FetchNews, TapeRecorder, TapeThread, server_time};
use super::spec::{LiveSpec, LiveVenue};
use super::tape_file::{GrowingFile, TapeOnDisk};
use crate::domain::instrument::Asset;
use crate::domain::{
    AssetId, Event, Instrument, InstrumentId, InstrumentKind, LinkState, MarketEvent, PriceStep, Span, Stamp,
    Universe, VenueEvent,
};
use crate::market::FeedError;
use crate::market::source::Window;
use crate::market::tape::{TapeFeed, TapeHeader, TapeSettings, Tells};
use crate::venues::binance::{BinanceCodec, BinanceMarket};
use crate::venues::codec::{Codec, RestAsk, StreamKind, VenueError, WantedStream};
use crate::venues::event::{InstrumentRules, PublicEvent, TradingStatus};
use crate::venues::joiner::{JoinTimes, JoinedSymbol, Joiner};
use crate::venues::rest::{RestClient, RestSettings};
use crate::venues::supervisor::{Supervisor, SupervisorSettings};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A clock that is further off than this would have bars closed when they are not.
const CLOCK_OFF: Span = Span::seconds(2);
/// Rest before a venue that does not answer is asked again.
const AGAIN: Duration = Duration::from_secs(2);
const AGAIN_MAX: Duration = Duration::from_secs(60);

/// Why a live market cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The decision clock is made of no bars of the venue.
    #[error("{venue} has no bars that make a clock of {clock}; its shortest are 1m: --clock 4h, 1h, 15m")]
    Clock {
        /// Venue that was asked for.
        venue: LiveVenue,
        /// The clock that was asked for.
        clock: Span,
    },
    /// An asset that is not traded there.
    #[error("{venue} lists no {missing} against {quote} that is traded now; name others with assets=BTC,ETH")]
    NotListed {
        /// Venue that lists no such thing.
        venue: LiveVenue,
        /// Assets that are missing.
        missing: String,
        /// What they were looked for against.
        quote: &'static str,
    },
    /// The tape is of something else.
    #[error("{path} is of {found}, and {asked} was asked for; name another folder with --state, or --fresh")]
    OtherMarket {
        /// File of the tape.
        path: String,
        /// What it is of.
        found: String,
        /// What was asked for.
        asked: String,
    },
    /// What is there of a history is of another part of it.
    #[error(
        "{path} is what was fetched {found}, and {asked} was asked for; ask for the same again to go on with it, or remove it"
    )]
    OtherPart {
        /// File of what is there.
        path: String,
        /// Which part it is of.
        found: String,
        /// Which part was asked for.
        asked: String,
    },
    /// The venue does not do what is needed.
    #[error(transparent)]
    Venue(#[from] VenueError),
    /// The tape's file cannot be used.
    #[error("{path}: {reason}")]
    Tape {
        /// File of the tape.
        path: String,
        /// What the system said.
        reason: io::Error,
    },
    /// What is on it cannot be run.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

fn codec(venue: LiveVenue) -> Arc<dyn Codec> {
    match venue {
        LiveVenue::BinanceUsdm => Arc::new(BinanceCodec::new(BinanceMarket::UsdM)),
    }
}

/// A history that is about to be fetched, onto a tape that was begun or is gone on with.
pub(super) struct BegunHistory {
    pub recorder: TapeRecorder,
    pub asker: Asker,
    /// Close of the last bar that is history.
    pub end: Stamp,
    /// Events that were on the tape, and the close of the first bars.
    pub events: u64,
    pub first: Option<Stamp>,
}

/// Where a history begins.
pub(super) enum HistoryStart {
    /// At this moment.
    At(Stamp),
    /// So long before its end.
    Before(Span),
}

/// Begins a tape, or goes on with one that is there. Only to begin one is the venue needed; it is asked until it answers, and `say`
/// has every line that whoever waits is to see. `to` is where history ends; none: now.
pub(super) fn history(
    spec: &LiveSpec,
    (bar, from, to): (Span, HistoryStart, Option<Stamp>),
    path: &Path,
    say: &mut dyn FnMut(&str),
) -> Result<BegunHistory, LiveError> {
    let name = path.display().to_string();
    let codec = codec(spec.venue);
    let requests = spec.urls().1;
    let settings = RestSettings::new(&requests);
    let retry_first = Span((settings.retry_first.0 as f64 / spec.rate) as i64);
    let rest = RestClient::new(codec.as_ref(), &RestSettings { retry_first, ..settings })?;
    let mut asker: Asker = Box::new(move |ask| rest.ask(codec.as_ref(), ask.clone()));
    let mut told = ToldSoFar::default();
    let (tape, clock) = if path.exists() {
        let tape = TapeOnDisk::resume(path, |event| told.see(event))?;
        fits(spec, bar, &name, tape.header())?;
        // Whether the venue can be reached or not, what is on the tape is run; history is waited for.
        let is_whole = told.close >= Some(tape.seam());
        let clock = if is_whole { None } else { Some(VenueClock::of_venue(&mut asker, spec.rate, say)) };
        (tape, clock)
    } else {
        let clock = VenueClock::of_venue(&mut asker, spec.rate, say);
        let header = header(spec, bar, &rules(&mut asker, say))?;
        let end = to.unwrap_or(clock.now()).min(clock.now()).floor(bar);
        let begun = TapeOnDisk::begin(path, header, end);
        (begun.map_err(|reason| LiveError::Tape { path: name, reason })?, Some(clock))
    };
    let end = tape.seam();
    let from = match from {
        HistoryStart::At(at) => at,
        HistoryStart::Before(span) => Stamp(end.0 - span.0),
    };
    told.close.get_or_insert(from.floor(bar));
    let joiner = joiner(spec, bar, tape.header(), &told, tape.last());
    let rest = Duration::from_secs_f64(0.5 / spec.rate);
    let recorder =
        TapeRecorder { tape, joiner, clock, rate: spec.rate, sockets: Vec::new(), end: None, rest };
    Ok(BegunHistory { recorder, asker, end, events: told.events, first: told.first })
}

/// Opens a live market on its tape, which is begun where there is none. Until history is on it this waits for the venue, which
/// is tried again and again; `say` has every line that whoever waits is to see.
pub fn open(
    spec: &LiveSpec,
    clock: Span,
    path: &Path,
    say: &mut dyn FnMut(&str),
) -> Result<LiveFeed, LiveError> {
    let bar = spec.bar(clock).ok_or(LiveError::Clock { venue: spec.venue, clock })?;
    let name = path.display().to_string();
    let failed = |reason: io::Error| LiveError::Tape { path: name.clone(), reason };
    let before = HistoryStart::Before(Span(i64::from(spec.days) * Span::DAY.0));
    let BegunHistory { mut recorder, mut asker, end, .. } = history(spec, (bar, before, None), path, say)?;
    let mut shown = Instant::now();
    let fetched = recorder.fetch(&mut asker, end, &mut |news| match news {
        FetchNews::Trouble(e) => say(&format!("{e}; trying again")),
        FetchNews::Told(at) if shown.elapsed() >= AGAIN => {
            shown = Instant::now();
            say(&format!("history until {at}"));
        }
        FetchNews::Told(_) => {}
    });
    fetched.map_err(failed)?;
    let source = GrowingFile::new(path, recorder.tape.committed());
    let settings = TapeSettings { clock, window: Window::default() };
    let tape = TapeFeed::follow(&settings, &source)?;
    let codec = codec(spec.venue);
    let plans = codec.sockets(&wanted(recorder.tape.header(), bar))?;
    recorder.sockets = plans.iter().map(|plan| format!("{} {}", spec.venue, plan.path)).collect();
    let settings = SupervisorSettings::new(&spec.urls().0);
    let retry_first = Span((settings.retry_first.0 as f64 / spec.rate) as i64);
    let supervisor = Supervisor::start(&codec, plans, &SupervisorSettings { retry_first, ..settings })?;
    let recorder = TapeThread::start(name.clone(), recorder, asker, supervisor).map_err(failed)?;
    Ok(LiveFeed::new(tape, recorder))
}

/// The market of a tape that somebody writes on, as far as it goes now: what was lived through is lived through again.
pub fn reread(clock: Span, path: &Path) -> Result<TapeFeed, LiveError> {
    let failed = |reason| LiveError::Tape { path: path.display().to_string(), reason };
    let source = GrowingFile::as_it_is(path).map_err(failed)?;
    Ok(TapeFeed::follow(&TapeSettings { clock, window: Window::default() }, &source)?)
}

/// What a tape has told, as far as whoever goes on with it has to know.
#[derive(Default)]
struct ToldSoFar {
    events: u64,
    /// Close of the first bars.
    first: Option<Stamp>,
    /// Close of the newest bars.
    close: Option<Stamp>,
    health: BTreeMap<InstrumentId, LinkState>,
    /// Stamp of the newest settlement.
    settled: BTreeMap<InstrumentId, Stamp>,
    rules: BTreeMap<InstrumentId, (PriceStep, crate::domain::Decimal, crate::domain::Decimal)>,
}

impl ToldSoFar {
    fn see(&mut self, event: &Event) {
        self.events += 1;
        match *event {
            Event::Market(MarketEvent::Bar { at, .. }) => {
                self.first.get_or_insert(at);
                self.close = self.close.max(Some(at));
            }
            Event::Market(MarketEvent::Funding { instrument, at, .. }) => {
                self.settled.insert(instrument, at);
            }
            Event::Market(MarketEvent::Health { instrument, state, .. }) => {
                self.health.insert(instrument, state);
            }
            Event::Venue(VenueEvent::Rules { instrument, tick, lot, min_notional, .. }) => {
                self.rules.insert(instrument, (tick.into(), lot, min_notional));
            }
            _ => {}
        }
    }
}

fn joiner(spec: &LiveSpec, bar: Span, header: &TapeHeader, told: &ToldSoFar, last: Option<Stamp>) -> Joiner {
    let symbol = |i: &Instrument| JoinedSymbol {
        symbol: i.symbol.clone(),
        instrument: i.id,
        contract: i.contract,
        pays_funding: i.kind == InstrumentKind::Perp,
        rules: told.rules.get(&i.id).copied().unwrap_or((i.tick, i.lot, i.min_notional)),
        state: told.health.get(&i.id).copied().unwrap_or_default(),
        settled: told.settled.get(&i.id).copied(),
    };
    let symbols = header.universe.instruments.iter().map(symbol).collect();
    let times = JoinTimes { quotes: spec.quotes, ..JoinTimes::default().stretched(spec.rate) };
    let from = told.close.unwrap_or(Stamp(0));
    Joiner::new(bar, times, symbols, (from, last.unwrap_or(from)))
}

fn wanted(header: &TapeHeader, bar: Span) -> Vec<WantedStream> {
    let kinds = [StreamKind::Klines(bar), StreamKind::Quotes, StreamKind::Marks];
    let of = |i: &Instrument| kinds.map(|kind| WantedStream { symbol: i.symbol.clone(), kind });
    header.universe.instruments.iter().flat_map(of).collect()
}

/// Whether a tape is of what is asked for.
fn fits(spec: &LiveSpec, bar: Span, path: &str, header: &TapeHeader) -> Result<(), LiveError> {
    let found = header.tells.first().and_then(|t| t.bar).unwrap_or_default();
    if header.name == spec.name() && found == bar {
        return Ok(());
    }
    Err(LiveError::OtherMarket {
        path: path.to_owned(),
        found: format!("{} at bars of {found}", header.name),
        asked: format!("{} at bars of {bar}", spec.name()),
    })
}

impl VenueClock {
    /// The venue's own, asked for until it answers.
    fn of_venue(asker: &mut Asker, rate: f64, say: &mut dyn FnMut(&str)) -> Self {
        loop {
            let events = insist(asker, &RestAsk::ServerTime, say);
            let Some(at) = server_time(&events) else { continue };
            let clock = VenueClock::said(at, Instant::now(), rate);
            let off = clock.ahead_of(&VenueClock::of_machine());
            if off.0.abs() > CLOCK_OFF.0 && rate == 1.0 {
                let (by, how) = (Span(off.0.abs()), if off.0 > 0 { "behind" } else { "ahead of" });
                say(&format!("this machine's clock is {by} {how} the venue's; the venue's is gone by"));
            }
            return clock;
        }
    }
}

/// The trading rules of all that is listed.
fn rules(asker: &mut Asker, say: &mut dyn FnMut(&str)) -> Vec<InstrumentRules> {
    let events = insist(asker, &RestAsk::Rules { asset: String::new() }, say);
    let rules = events.into_iter().filter_map(|e| if let PublicEvent::Rules(r) = e { Some(r) } else { None });
    rules.flatten().collect()
}

/// Asks until there is an answer.
fn insist(asker: &mut Asker, ask: &RestAsk, say: &mut dyn FnMut(&str)) -> Vec<PublicEvent> {
    let mut rest = AGAIN;
    loop {
        match asker(ask) {
            Ok(events) => return events,
            Err(e) => say(&format!("{e}; trying again in {} s", rest.as_secs())),
        }
        std::thread::sleep(rest);
        rest = (rest * 2).min(AGAIN_MAX);
    }
}

/// What stands before the events: what of the venue's list is followed.
fn header(spec: &LiveSpec, bar: Span, listed: &[InstrumentRules]) -> Result<TapeHeader, LiveError> {
    let quote = spec.venue.quote();
    let is_it = |r: &&InstrumentRules, asset: &String| {
        r.base == *asset
            && r.quote == quote
            && r.kind == InstrumentKind::Perp
            && r.status == TradingStatus::Trading
    };
    let (mut universe, mut missing) = (Universe::default(), Vec::new());
    for asset in &spec.assets {
        let Some(rules) = listed.iter().find(|r| is_it(r, asset)) else {
            missing.push(asset.as_str());
            continue;
        };
        let n = universe.assets.len() as u16;
        let (id, name) = (AssetId(n), asset.clone());
        universe.assets.push(Asset { id, name, money_like: false, first: Stamp(0) });
        universe.instruments.push(Instrument {
            id: InstrumentId(n),
            asset: id,
            symbol: rules.symbol.clone(),
            kind: rules.kind,
            venue: String::new(),
            quote: None,
            terms: rules.terms,
            tick: rules.tick,
            lot: rules.lot * rules.contract,
            min_notional: rules.min_notional,
            contract: rules.contract,
        });
    }
    if !missing.is_empty() {
        let missing = missing.join(" ");
        return Err(LiveError::NotListed { venue: spec.venue, missing, quote });
    }
    let tells = vec![Tells { bar: Some(bar), trades: false, quotes: true }; universe.instruments.len()];
    let notes = vec![format!(
        "a live market, and paper money: nothing is sent to {}; {quote} is taken for the account's currency",
        spec.venue
    )];
    Ok(TapeHeader { name: spec.name(), universe, tells, notes, ..TapeHeader::default() })
}
