//! Books rebuilt from recordings agree with the best prices that the venue sent beside them, and heal after gaps.

use crate::recordings::{data, text};
use hive_domain::{Decimal, Span, Stamp};
use hive_venues::binance::{BinanceCodec, BinanceMarket};
use hive_venues::book::{BookStep, LocalBook};
use hive_venues::codec::{Codec, RestAsk};
use hive_venues::event::{BestQuote, BookUpdate, PriceLevel, PublicEvent};
use hive_venues::hyperliquid::HyperliquidCodec;
use std::collections::BTreeMap;
use std::path::Path;

/// Recordings of streams with a snapshot by REST inside: the file, and the symbol.
const BINANCE: [(&str, &str); 6] = [
    ("usdm_btcusdt_20240808.gz", "BTCUSDT"),
    ("usdm_ethusdt_20240808.gz", "ETHUSDT"),
    ("cm_btcusd_perp_20240808.gz", "BTCUSD_PERP"),
    ("cm_ethusd_perp_20240808.gz", "ETHUSD_PERP"),
    ("spot_btcusdt_20240808.gz", "BTCUSDT"),
    ("spot_ethusdt_20240808.gz", "ETHUSDT"),
];
const GAPS: usize = 100;

/// What a recording holds of one symbol.
struct Recording {
    updates: Vec<(Stamp, BookUpdate)>,
    /// Best prices by the number of the update that made them.
    quotes: BTreeMap<u64, BestQuote>,
    messages: usize,
}

fn read(path: &Path, symbol: &str) -> Recording {
    let codec = BinanceCodec::new(BinanceMarket::UsdM);
    let depth = RestAsk::Depth { symbol: symbol.to_owned() };
    let mut recording = Recording { updates: Vec::new(), quotes: BTreeMap::new(), messages: 0 };
    for line in text(path).lines() {
        let (at, message) = line.split_once(' ').unwrap();
        let at = Stamp(at.parse().unwrap());
        let mut events = Vec::new();
        let is_answer = message.starts_with("{\"lastUpdateId\"");
        let read = if is_answer {
            codec.decode_answer(&depth, message.as_bytes(), &mut events)
        } else {
            codec.decode(message.as_bytes(), &mut events)
        };
        read.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        recording.messages += 1;
        for event in events {
            match event {
                PublicEvent::Book(update) => recording.updates.push((at, update)),
                PublicEvent::Quote(quote) => drop(recording.quotes.insert(quote.update.unwrap(), quote)),
                _ => {}
            }
        }
    }
    recording
}

fn best(book: &LocalBook) -> (Option<PriceLevel>, Option<PriceLevel>) {
    (book.bids().next(), book.asks().next())
}

/// Compares the best of a book with what the venue said at the same number: how many stand at both.
fn compare(book: &LocalBook, quotes: &BTreeMap<u64, BestQuote>) -> usize {
    let Some(last) = book.last_id() else { return 0 };
    let said = quotes.range(..=last).next_back();
    // Whether nothing was said in between is only known once something was said behind it.
    let (Some((_, said)), true) = (said, quotes.range(last + 1..).next().is_some()) else { return 0 };
    let (bid, ask) = best(book);
    assert_eq!((bid, ask), (said.bid, said.ask), "{} at {last}", said.symbol);
    1
}

#[test]
fn rebuilt_books_agree_with_the_recorded_best_prices() {
    let Some(data) = data() else { return };
    for (file, symbol) in BINANCE {
        let recording = read(&data.join("l2_ws_recordings_binance").join(file), symbol);
        let (mut book, mut compared, mut waited, mut applied) = (LocalBook::new(), 0, 0, 0);
        for (at, update) in &recording.updates {
            match book.take(update.clone(), *at) {
                BookStep::Applied => applied += 1,
                BookStep::Waiting => waited += 1,
                BookStep::Known => {}
                step => panic!("{file}: {step:?} at {}", update.first_id),
            }
            compared += compare(&book, &recording.quotes);
        }
        println!(
            "{file}: {} messages, {applied} updates in the book, {waited} waited for the snapshot, {compared} agree to the digit",
            recording.messages
        );
        assert!(waited > 0 && applied > 3_000 && compared > 3_000, "{file}: {waited} {applied} {compared}");
        assert_eq!(book.health().gaps + book.health().crossed, 0);
    }
}

/// A snapshot as REST would have answered: of a book that missed nothing.
fn answer(whole: &LocalBook, update: &BookUpdate) -> BookUpdate {
    let last = whole.last_id().unwrap();
    BookUpdate {
        first_id: last,
        last_id: last,
        previous_id: None,
        snapshot: true,
        bids: whole.bids().take(1_000).collect(),
        asks: whole.asks().take(1_000).collect(),
        ..update.clone()
    }
}

#[test]
fn a_hundred_gaps_are_found_and_healed() {
    let Some(data) = data() else { return };
    for (file, symbol) in [BINANCE[0], BINANCE[4]] {
        let recording = read(&data.join("l2_ws_recordings_binance").join(file), symbol);
        let (mut whole, mut book) = (LocalBook::new(), LocalBook::new());
        let every = recording.updates.len() / (GAPS + 2);
        let (mut dropped, mut healed, mut compared, mut asked) = (0, 0, 0, None);
        for (n, (at, update)) in recording.updates.iter().enumerate() {
            whole.take(update.clone(), *at);
            let left_out = whole.is_whole() && n % every == every - 1 && dropped < GAPS && book.is_whole();
            if left_out {
                dropped += 1;
                continue;
            }
            let step = book.take(update.clone(), *at);
            if step == BookStep::Gap {
                // An answer takes half a second.
                asked = Some(at.after(Span(500_000_000)));
            }
            if asked.is_some_and(|due| *at >= due) {
                asked = None;
                assert_eq!(book.take(answer(&whole, update), *at), BookStep::Applied, "{file} at {n}");
                healed += 1;
            }
            if book.is_whole() {
                assert_eq!(best(&book), best(&whole), "{file} at {n}");
                compared += compare(&book, &recording.quotes);
            }
        }
        let health = book.health();
        println!(
            "{file}: {dropped} updates left out, {} gaps found, {healed} healed, stale for {:.1} s in all, {:.0} ms each, {compared} agree",
            health.gaps,
            health.stale.0 as f64 / 1e9,
            health.stale.0 as f64 / 1e6 / health.gaps as f64,
        );
        assert_eq!((dropped, health.gaps, healed), (GAPS, GAPS as u64, GAPS));
        assert!(compared > 1_000);
    }
}

#[test]
fn books_of_hyperliquid_come_whole() {
    let Some(data) = data() else { return };
    let file = data.join("l2_ws_recordings_hyperliquid").join("hyperliquid_btcusd_20250126.gz");
    let (mut book, mut books, mut trades) = (LocalBook::new(), 0, 0);
    for line in text(&file).lines() {
        let (at, message) = line.split_once(' ').unwrap();
        let mut events = Vec::new();
        HyperliquidCodec.decode(message.as_bytes(), &mut events).unwrap();
        for event in events {
            match event {
                PublicEvent::Book(update) => {
                    let sides = (update.bids.clone(), update.asks.clone());
                    assert_eq!(book.take(update, Stamp(at.parse().unwrap())), BookStep::Applied);
                    assert_eq!((book.bids().collect(), book.asks().collect()), sides);
                    books += 1;
                }
                PublicEvent::Trade(trade) => {
                    assert!(trade.price > Decimal::from(90_000) && trade.size > Decimal::ZERO);
                    trades += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(books, 46);
    assert!(trades >= 9);
}
