//! From the wire to a decision. Recorded messages through codec and book, exact to the digit, and on through joiner and engine,
//! beside two plain loops over the same messages in the same run: `serde_json` with floats in a `BTreeMap`, and the same with
//! decimals. Printed are messages a second of one core and the ratios to the faster loop, which must be at least [`RATIO_MIN`].
//! The folder of recordings is named by `HIVE_TEST_DATA`.
//!
//! Then a venue on this machine: how long after the close of a bar all agents have decided on it, over sockets and disk.

// A bench that cannot start has nothing better to do than to say so and stop.
#![allow(clippy::expect_used)]

use flate2::read::MultiGzDecoder;
use hive::config;
use hive::config::setup;
use hive::domain::instrument::Asset;
use hive::domain::{
    AssetId, ContractTerms, Decimal, Event, Instrument, InstrumentId, InstrumentKind, LinkState, Span, Stamp,
    Universe,
};
use hive::engine::{Engine, Outputs};
use hive::market::{Feed, Polled};
use hive::runtime::live::{self, LiveSpec};
use hive::venues::binance::{BinanceCodec, BinanceMarket};
use hive::venues::book::LocalBook;
use hive::venues::codec::{Codec, RestAsk};
use hive::venues::event::PublicEvent;
use hive::venues::joiner::{JoinTimes, JoinedSymbol, Joiner};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

// The venue of the tests, with faults that are not asked for here.
#[allow(dead_code, clippy::unwrap_used)]
#[path = "../tests/live/venue.rs"]
mod venue;

/// What of the plain loop's rate must be reached.
const RATIO_MIN: f64 = 0.6;
const ROUNDS: usize = 9;
const FILES: [&str; 4] = [
    "usdm_btcusdt_20240808.gz",
    "usdm_ethusdt_20240808.gz",
    "spot_btcusdt_20240808.gz",
    "spot_ethusdt_20240808.gz",
];

/// A recording: when each message came, and the message.
type Lines = Vec<(Stamp, String)>;

fn recordings() -> Option<Vec<Lines>> {
    let folder = PathBuf::from(std::env::var_os("HIVE_TEST_DATA")?).join("l2_ws_recordings_binance");
    let read = |file: &str| {
        let mut text = String::new();
        MultiGzDecoder::new(File::open(folder.join(file)).ok()?).read_to_string(&mut text).ok()?;
        let line = |line: &str| {
            let (at, message) = line.split_once(' ')?;
            Some((Stamp(at.parse().ok()?), message.to_owned()))
        };
        text.lines().map(line).collect()
    };
    FILES.iter().map(|file| read(file)).collect()
}

/// The house: codec and book.
fn house(lines: &Lines) -> usize {
    hear(lines, |_, _| {})
}

/// The house up to the engine: what is heard is joined, and told to a hive.
fn house_and_engine(lines: &Lines) -> usize {
    let name = if lines.iter().any(|(_, m)| m.contains("ethusdt")) { "ETHUSDT" } else { "BTCUSDT" };
    let begun = lines.first().map_or(Stamp(0), |l| l.0);
    let (mut engine, universe) = hive_of(name);
    let i = &universe.instruments[0];
    let symbol = JoinedSymbol {
        symbol: name.to_owned(),
        instrument: i.id,
        contract: Decimal::ONE,
        pays_funding: false,
        rules: (i.tick, i.lot, i.min_notional),
        state: LinkState::Up,
        settled: None,
    };
    let bar = Span::MINUTE;
    let from = begun.floor(bar);
    let mut joiner = Joiner::new(bar, JoinTimes::default(), vec![symbol], (from, from));
    let (mut out, mut looked) = (Outputs::default(), begun);
    hear(lines, |at, event| {
        joiner.hear(at, 0, event);
        // As often as the recorder of a live market looks at its clock.
        if at.since(looked).0 < 5_000_000 {
            return;
        }
        looked = at;
        for ask in joiner.tick(at) {
            // There are no bars in these recordings: the venue has none.
            joiner.answer(&ask, &[]);
        }
        for told in joiner.take() {
            engine.step(&told, &mut out);
        }
    })
}

/// The roster of bars on one perp.
fn hive_of(symbol: &str) -> (Engine, Universe) {
    let name = symbol.trim_end_matches("USDT").to_owned();
    let asset = Asset { id: AssetId(0), name, money_like: false, first: Stamp(0) };
    let instrument = Instrument {
        id: InstrumentId(0),
        asset: AssetId(0),
        symbol: symbol.to_owned(),
        kind: InstrumentKind::Perp,
        venue: String::new(),
        quote: None,
        terms: ContractTerms::Plain,
        tick: Decimal::new(1, 2).into(),
        lot: Decimal::new(1, 3),
        min_notional: Decimal::TEN,
        contract: Decimal::ONE,
    };
    let universe = Universe { assets: vec![asset], instruments: vec![instrument], by_volume: Vec::new() };
    let mut config = config::shipped().expect("it is built in");
    config.clock.decide = Span::MINUTE;
    (Engine::new(&config.roster, &universe, &setup::settings(&config), config.seed), universe)
}

/// Codec and book; `also` hears every event, and the moment at which its message came.
fn hear(lines: &Lines, mut also: impl FnMut(Stamp, &PublicEvent)) -> usize {
    let codec = BinanceCodec::new(BinanceMarket::UsdM);
    let depth = RestAsk::Depth { symbol: "SYMBOL".to_owned() };
    let (mut book, mut events, mut heard) = (LocalBook::new(), Vec::new(), 0);
    for (at, message) in lines {
        let bytes = message.as_bytes();
        if message.starts_with("{\"lastUpdateId\"") {
            codec.decode_answer(&depth, bytes, &mut events).expect("it is recorded");
        } else {
            codec.decode(bytes, &mut events).expect("it is recorded");
        }
        for event in events.drain(..) {
            heard += 1;
            also(*at, &event);
            match event {
                PublicEvent::Book(update) => {
                    black_box(book.take(update, *at));
                    black_box((book.bids().next(), book.asks().next()));
                }
                other => drop(black_box(other)),
            }
        }
    }
    heard
}

#[derive(Deserialize)]
struct PlainEnvelope<'a> {
    stream: &'a str,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct PlainDepth<'a> {
    #[serde(borrow)]
    b: Vec<(&'a str, &'a str)>,
    #[serde(borrow)]
    a: Vec<(&'a str, &'a str)>,
}

#[derive(Deserialize)]
struct PlainSnapshot<'a> {
    #[serde(borrow)]
    bids: Vec<(&'a str, &'a str)>,
    #[serde(borrow)]
    asks: Vec<(&'a str, &'a str)>,
}

#[derive(Deserialize)]
#[allow(non_snake_case)]
struct PlainQuote<'a> {
    s: &'a str,
    b: &'a str,
    B: &'a str,
    a: &'a str,
    A: &'a str,
}

#[derive(Deserialize)]
#[allow(non_snake_case)]
struct PlainTrade<'a> {
    s: &'a str,
    p: &'a str,
    q: &'a str,
    T: i64,
    m: bool,
}

/// A number of a plain loop, and what orders it in a map.
trait PlainNumber: Copy {
    type Key: Ord;
    fn read(text: &str) -> Self;
    fn key(self) -> Self::Key;
    fn is_nothing(self) -> bool;
}

impl PlainNumber for f64 {
    type Key = u64;
    fn read(text: &str) -> Self {
        text.parse().expect("a number")
    }
    fn key(self) -> u64 {
        // Positive floats are in the order of their bits.
        self.to_bits()
    }
    fn is_nothing(self) -> bool {
        self == 0.0
    }
}

impl PlainNumber for Decimal {
    type Key = Decimal;
    fn read(text: &str) -> Self {
        text.parse().expect("a number")
    }
    fn key(self) -> Decimal {
        self
    }
    fn is_nothing(self) -> bool {
        self.is_zero()
    }
}

/// Prices and sizes of a side, by what orders the prices.
type PlainSide<N> = BTreeMap<<N as PlainNumber>::Key, (N, N)>;

fn write<N: PlainNumber>(side: &mut PlainSide<N>, levels: &[(&str, &str)]) {
    for (price, size) in levels {
        let (price, size) = (N::read(price), N::read(size));
        if size.is_nothing() {
            side.remove(&price.key());
        } else {
            side.insert(price.key(), (price, size));
        }
    }
}

/// What anybody would write in an hour, without a rule for what is missing.
fn plain<N: PlainNumber>(lines: &Lines) -> usize {
    let (mut bids, mut asks, mut heard) = (BTreeMap::new(), BTreeMap::new(), 0);
    for (_, message) in lines {
        heard += 1;
        if message.starts_with("{\"lastUpdateId\"") {
            let snapshot: PlainSnapshot = serde_json::from_str(message).expect("it is recorded");
            write::<N>(&mut bids, &snapshot.bids);
            write::<N>(&mut asks, &snapshot.asks);
            continue;
        }
        let envelope: PlainEnvelope = serde_json::from_str(message).expect("it is recorded");
        let data = envelope.data.get();
        match envelope.stream.split('@').nth(1) {
            Some("depth") => {
                let depth: PlainDepth = serde_json::from_str(data).expect("it is recorded");
                write::<N>(&mut bids, &depth.b);
                write::<N>(&mut asks, &depth.a);
                black_box((bids.last_key_value(), asks.first_key_value()));
            }
            Some("bookTicker") => {
                let quote: PlainQuote = serde_json::from_str(data).expect("it is recorded");
                let prices = [quote.b, quote.B, quote.a, quote.A].map(N::read);
                black_box((quote.s.to_owned(), prices.map(N::is_nothing)));
            }
            _ => {
                let trade: PlainTrade = serde_json::from_str(data).expect("it is recorded");
                let (price, size) = (N::read(trade.p), N::read(trade.q));
                black_box((trade.s.to_owned(), price.is_nothing(), size.is_nothing(), trade.T, trade.m));
            }
        }
    }
    heard
}

/// The fastest of several rounds of each, taken in turn, so that what else the machine does falls on all alike.
fn best(works: &[fn(&Lines) -> usize], recordings: &[Lines]) -> Vec<(usize, Duration)> {
    let mut fastest = vec![(0, Duration::MAX); works.len()];
    for _ in 0..ROUNDS {
        for (work, fastest) in works.iter().zip(&mut fastest) {
            let begun = Instant::now();
            let heard = black_box(recordings.iter().map(work).sum());
            *fastest = (heard, fastest.1.min(begun.elapsed()));
        }
    }
    fastest
}

fn main() -> ExitCode {
    let Some(recordings) = recordings() else {
        println!("wire: skipped, HIVE_TEST_DATA names no folder with l2_ws_recordings_binance");
        return ExitCode::SUCCESS;
    };
    let messages: usize = recordings.iter().map(Vec::len).sum();
    let rate = |time: Duration| messages as f64 / time.as_secs_f64();
    let fastest = best(&[house, house_and_engine, plain::<f64>, plain::<Decimal>], &recordings);
    let [(heard, ours), (_, whole), (_, floats), (_, decimals)] = fastest[..] else {
        return ExitCode::FAILURE;
    };
    println!("wire: {messages} recorded messages, {heard} events, best of {ROUNDS} rounds");
    println!("codec and book, exact:            {:>9.0} messages/s", rate(ours));
    println!("codec, book, joiner and engine:   {:>9.0} messages/s", rate(whole));
    println!("plain serde_json, f64, BTreeMap:  {:>9.0} messages/s", rate(floats));
    println!("plain serde_json, Decimal:        {:>9.0} messages/s", rate(decimals));
    let of_plain = |time: Duration| rate(time) / rate(floats).max(rate(decimals));
    println!(
        "ratio to the faster plain loop:   {:>9.2}, with the engine {:.2} (at least {RATIO_MIN})",
        of_plain(ours),
        of_plain(whole)
    );
    until_decided();
    if of_plain(whole) < RATIO_MIN { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Bars of a live market that are waited for, and how much faster than this machine its venue lives.
const CLOSES: usize = 30;
const RATE: f64 = 60.0;
const SYMBOLS: usize = 20;

/// From the close of a bar at a venue on this machine to the end of the step in which all agents decide on it. The venue tells a
/// close up to half a second of its time late, as real ones do.
fn until_decided() {
    let venue = venue::Venue::open(SYMBOLS, RATE, Vec::new());
    let all: Vec<usize> = (0..SYMBOLS).collect();
    let spec = LiveSpec::parse(&venue.feed(&all, "&days=1")).expect("a venue").expect("its options");
    let folder = tempfile::tempdir().expect("a folder");
    let mut feed = live::open(&spec, Span::MINUTE, &folder.path().join("live.tape"), &mut |_| {})
        .expect("a live market");
    let mut config = config::shipped().expect("it is built in");
    config.clock.decide = Span::MINUTE;
    let mut engine = Engine::new(&config.roster, feed.universe(), &setup::settings(&config), config.seed);
    let (mut out, mut taken, seam) = (Outputs::default(), Vec::new(), feed.info().to);
    while taken.len() < CLOSES {
        match feed.poll().expect("it goes on") {
            Polled::Event(event) => {
                engine.step(&event, &mut out);
                if let Event::Barrier(at) = event
                    // Those of the time in which history was lived through are behind.
                    && venue.now() * 1_000_000 - at.0 < Span::MINUTE.0
                    && at > seam
                {
                    taken.push((venue.now() - at.0 / 1_000_000) as f64 / RATE);
                }
            }
            Polled::Nothing => std::thread::sleep(Duration::from_millis(1)),
            Polled::End => break,
        }
    }
    taken.sort_by(f64::total_cmp);
    let at = |share: f64| taken[((taken.len() - 1) as f64 * share) as usize];
    println!(
        "close of a bar to all decisions:  p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms ({SYMBOLS} symbols, {CLOSES} closes)",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
