//! Tapes written, read, damaged and run.

use super::*;
use crate::domain::instrument::Asset;
use crate::domain::{
    AssetId, Bar, Command, ContractTerms, Decimal, Event, Instrument, InstrumentId, LinkState, MarketEvent,
    PriceStep, Stamp,
};
use crate::market::feed::sought;
use crate::market::source::{SourceBytes, SourceFile, Window};
use crate::market::{Feed, FeedError, Polled};
use proptest::prelude::*;

const MINUTE: i64 = 60_000_000_000;

fn at(minute: i64) -> Stamp {
    Stamp(minute * MINUTE)
}

/// BTC as a perp of the desk, BTC spot elsewhere, and an option on it.
fn universe() -> Universe {
    let asset = Asset { id: AssetId(0), name: "BTC".to_owned(), money_like: false, first: Stamp(0) };
    let kinds = [InstrumentKind::Perp, InstrumentKind::Margin, InstrumentKind::Option];
    let instrument = |(i, kind): (usize, InstrumentKind)| Instrument {
        id: InstrumentId(i as u16),
        asset: AssetId(0),
        symbol: format!("S{i}"),
        kind,
        venue: "somewhere".to_owned(),
        quote: None,
        terms: ContractTerms::Plain,
        tick: Decimal::new(1, 2).into(),
        lot: Decimal::ONE,
        min_notional: Decimal::ZERO,
        contract: Decimal::ONE,
    };
    let instruments = kinds.into_iter().enumerate().map(instrument).collect();
    Universe { assets: vec![asset], instruments, by_volume: Vec::new() }
}

fn header(bar: Option<i64>) -> TapeHeader {
    let tells = Tells { bar: bar.map(|m| Span(m * MINUTE)), trades: true, quotes: true };
    TapeHeader {
        name: "hand".to_owned(),
        universe: universe(),
        tells: vec![tells, Tells { bar: Some(Span(15 * MINUTE)), ..tells }, Tells::default()],
        notes: vec!["a note".to_owned()],
        files: Vec::new(),
    }
}

fn written(header: &TapeHeader, events: &[MarketEvent]) -> Vec<u8> {
    let mut writer = TapeWriter::new(Vec::new(), header).unwrap();
    events.iter().for_each(|e| writer.push(e).unwrap());
    let report = FeedReport { rows: 7, ..FeedReport::default() };
    let (bytes, _, count) = writer.finish(&report).unwrap();
    assert_eq!(count, events.len() as u64);
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<MarketEvent>, FeedError> {
    let mut reader = TapeReader::open("x.tape", bytes)?;
    let mut events = Vec::new();
    while let Some(event) = reader.next()? {
        let Event::Market(event) = event else { panic!("{event:?}") };
        events.push(event);
    }
    assert!(reader.next()?.is_none() && reader.trailer().is_some());
    Ok(events)
}

fn bar(instrument: u16, minute: i64, close: f64) -> MarketEvent {
    let bar = Bar { open: close, high: close + 1.0, low: close - 1.0, close, volume: 2.0 };
    MarketEvent::Bar { instrument: InstrumentId(instrument), at: at(minute), bar }
}

fn quote(minute: i64, bid: f64) -> MarketEvent {
    let instrument = InstrumentId(0);
    MarketEvent::Quote { instrument, at: at(minute), bid, ask: bid + 2.0, bid_size: 1.0, ask_size: 1.0 }
}

fn trade(minute: i64, price: f64) -> MarketEvent {
    MarketEvent::Trade { instrument: InstrumentId(0), at: at(minute), price, size: 1.0, buys: true }
}

fn funding(instrument: u16, minute: i64) -> MarketEvent {
    let instrument = InstrumentId(instrument);
    MarketEvent::Funding { instrument, at: at(minute), rate: 0.0001, mark: 100.0 }
}

fn feed(events: &[MarketEvent], bar: Option<i64>, window: Window) -> Result<TapeFeed, FeedError> {
    let settings = TapeSettings { clock: Span::HOUR, window };
    TapeFeed::open(&settings, &SourceBytes::new("hand.tape", written(&header(bar), events)))
}

fn all(mut feed: TapeFeed) -> Vec<Event> {
    std::iter::from_fn(|| feed.next().unwrap()).collect()
}

fn any_event() -> impl Strategy<Value = MarketEvent> {
    let price = 0.01_f64..1e6;
    (0_i64..10_000, 0_u16..3, price, 0_u8..10, any::<bool>()).prop_map(|(minute, i, p, kind, flag)| {
        let (instrument, at) = (InstrumentId(i), at(minute));
        match kind {
            0 => bar(i, minute, p + 2.0),
            1 => funding(i, minute),
            2 => MarketEvent::Quote { instrument, at, bid: p, ask: p, bid_size: 0.0, ask_size: p },
            3 => MarketEvent::Trade { instrument, at, price: p, size: p, buys: flag },
            4 => MarketEvent::Level {
                instrument,
                at,
                bid: flag,
                price: p,
                size: 0.0,
                first: flag,
                last: !flag,
            },
            5 => MarketEvent::Mark { instrument, at, mark: p, index: p },
            6 => MarketEvent::Implied { instrument, at, sigma: p, forward: p },
            7 => MarketEvent::VolIndex { asset: AssetId(0), at, sigma: p },
            8 => MarketEvent::Pool { instrument, at, price: p, liquidity: p, swapped: 0.0, gas: f64::MAX },
            _ => MarketEvent::Settled { instrument, at, price: p },
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(mut events in prop::collection::vec(any_event(), 0..300)) {
        events.sort_by_key(MarketEvent::at);
        let bytes = written(&header(Some(15)), &events);
        prop_assert_eq!(read(&bytes).unwrap(), events);
    }

    #[test]
    fn a_shorter_window_is_a_prefix_of_the_longer_run(
        mut events in prop::collection::vec(any_event(), 1..200),
        end in 0_i64..170,
    ) {
        events.sort_by_key(MarketEvent::at);
        let whole = all(feed(&events, Some(15), Window::default()).unwrap());
        let window = Window { to: Some(at(60 * end)), ..Window::default() };
        if let Ok(part) = feed(&events, Some(15), window) {
            let part = all(part);
            prop_assert!(part.len() <= whole.len());
            prop_assert_eq!(&part[..], &whole[..part.len()]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_sought_tape_gives_what_a_read_one_gives(
        mut events in prop::collection::vec(any_event(), 40..200),
        end in prop::option::of(100_i64..170),
        more in 0_usize..9_000,
        parts in [0.0..1.0, 0.0..1.0, 0.0..1.0],
    ) {
        // More than a frame of them, in some.
        events.extend((0..more).map(|n| trade(n as i64, 50.0)));
        events.sort_by_key(MarketEvent::at);
        let window = Window { to: end.map(|end| at(60 * end)), ..Window::default() };
        sought::gives_what_read_gives(|| feed(&events, Some(15), window.clone()).unwrap(), &parts);
    }
}

#[test]
fn more_than_a_frame_of_events_is_read_back() {
    let events: Vec<MarketEvent> = (0..10_000).map(|m| trade(m, 100.0)).collect();
    assert_eq!(read(&written(&header(None), &events)).unwrap(), events);
}

#[test]
fn an_older_event_is_not_written() {
    let mut writer = TapeWriter::new(Vec::new(), &header(None)).unwrap();
    writer.push(&trade(2, 1.0)).unwrap();
    assert!(writer.push(&trade(1, 1.0)).is_err());
}

#[test]
fn a_cut_or_damaged_tape_is_refused_by_name_and_place() {
    let events: Vec<MarketEvent> = (0..20).map(|m| trade(m, 100.0)).collect();
    let bytes = written(&header(None), &events);
    assert!(read(&bytes).is_ok());
    for length in 0..bytes.len() {
        let why = read(&bytes[..length]).unwrap_err().to_string();
        assert!(why.contains("x.tape") && why.contains("cut off"), "{length}: {why}");
    }
    for byte in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[byte] ^= 0x10;
        let why = read(&damaged).unwrap_err().to_string();
        assert!(why.contains("x.tape, near byte"), "{byte}: {why}");
    }
    let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
    assert!(read(&longer).unwrap_err().to_string().contains("follows its end"));
}

#[test]
fn a_tape_of_another_version_is_refused() {
    for version in [0, 4, 9] {
        let mut bytes = written(&header(None), &[]);
        bytes[8] = version;
        let why = read(&bytes).unwrap_err().to_string();
        assert!(why.contains(&format!("version {version}")), "{why}");
    }
}

/// A guard: tapes that people have are of version 1, and the same files must give the same tape.
#[test]
fn a_tick_and_a_lot_are_written_as_version_1_to_the_byte() {
    let bytes = written(&header(Some(15)), &[trade(2, 100.0)]);
    assert_eq!(bytes[8..12], 1_u32.to_le_bytes());
    assert_eq!(&blake3::hash(&bytes).to_hex()[..16], "460e3a6b824a2a69");
    assert_eq!(TapeReader::open("x.tape", bytes.as_slice()).unwrap().header(), &header(Some(15)));
}

#[test]
fn contracts_and_digits_are_written_as_version_2_and_come_back() {
    let mut contracts = header(None);
    contracts.universe.instruments[1].contract = Decimal::new(1, 2);
    let mut digits = header(None);
    digits.universe.instruments[0].tick = PriceStep::Digits { significant: 5, decimals: 6 };
    for header in [contracts, digits] {
        let events = [trade(2, 100.0), trade(3, 101.0)];
        let bytes = written(&header, &events);
        assert_eq!(bytes[8..12], 2_u32.to_le_bytes());
        assert_eq!(TapeReader::open("x.tape", bytes.as_slice()).unwrap().header(), &header);
        assert_eq!(read(&bytes).unwrap(), events);
    }
}

#[test]
fn what_is_not_listed_is_refused() {
    let bytes = written(&header(None), &[bar(9, 1, 100.0)]);
    assert!(read(&bytes).unwrap_err().to_string().contains("not listed"));
}

#[test]
fn a_bucket_gives_events_then_bars_then_funding_then_its_barrier() {
    let events = [
        funding(0, 60),
        quote(61, 100.0),
        bar(0, 75, 100.0),
        bar(1, 75, 101.0),
        funding(1, 90),
        bar(0, 120, 110.0),
        quote(120, 109.0),
        bar(0, 255, 90.0),
    ];
    let feed = feed(&events, Some(15), Window::default()).unwrap();
    let info = feed.info().clone();
    assert_eq!((info.from, info.to, info.bars), (at(60), at(300), 4));
    assert!(info.has_volume && info.has_funding && info.mode == crate::market::FeedMode::History);
    assert_eq!((info.bar, info.notes.first().map(String::as_str)), (Span(15 * MINUTE), Some("a note")));
    assert_eq!(feed.report().rows, 7);
    assert_eq!(feed.universe().assets[0].first, at(60));
    let told = all(feed);
    let merged = Bar { open: 100.0, high: 111.0, low: 99.0, close: 110.0, volume: 4.0 };
    let market = |e: MarketEvent| Event::Market(e);
    assert_eq!(
        told[..7],
        [
            market(quote(61, 100.0)),
            market(bar(1, 75, 101.0)),
            market(funding(1, 90)),
            market(quote(120, 109.0)),
            market(MarketEvent::Bar { instrument: InstrumentId(0), at: at(120), bar: merged }),
            market(funding(0, 60)),
            Event::Barrier(at(120)),
        ]
    );
    // Silence is seen.
    assert_eq!(told[7..9], [Event::Barrier(at(180)), Event::Barrier(at(240))]);
    assert_eq!(told.last(), Some(&Event::Barrier(at(300))));
}

#[test]
fn without_bars_the_desk_trades_at_trades() {
    let events = [trade(1, 100.0), trade(2, 104.0), quote(3, 50.0), trade(30, 102.0)];
    let told = all(feed(&events, None, Window::default()).unwrap());
    let made = Bar { open: 100.0, high: 104.0, low: 100.0, close: 102.0, volume: 3.0 };
    assert!(told.contains(&Event::Market(MarketEvent::Bar {
        instrument: InstrumentId(0),
        at: at(60),
        bar: made
    })));
    assert_eq!(told.len(), 6, "the trades themselves are told too");
}

#[test]
fn bars_that_do_not_fit_the_clock_name_one_that_does() {
    let why = feed(&[bar(0, 90, 100.0)], Some(90), Window::default()).err().unwrap().to_string();
    assert!(why.contains("--clock 90m"), "{why}");
}

#[test]
fn an_empty_window_is_told() {
    let window = Window { from: Some(at(10_000)), ..Window::default() };
    let why = feed(&[bar(0, 60, 100.0)], Some(15), window).err().unwrap().to_string();
    assert!(why.contains("no usable row from"), "{why}");
}

/// Bytes of a tape that grows, of which a reader may have so many.
#[derive(Clone, Default)]
struct GrowingBytes(std::sync::Arc<std::sync::Mutex<(Vec<u8>, usize)>>);

impl GrowingBytes {
    /// Whatever was written may be read.
    fn publish(&self) {
        let mut inner = self.0.lock().unwrap();
        inner.1 = inner.0.len();
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().0.clone()
    }
}

impl std::io::Write for GrowingBytes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().0.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl SourceFile for GrowingBytes {
    fn name(&self) -> &'static str {
        "live.tape"
    }

    fn stem(&self) -> &'static str {
        "live"
    }

    fn open(&self) -> std::io::Result<Box<dyn std::io::Read + Send>> {
        Ok(Box::new(GrowingReader(self.clone(), 0)))
    }
}

struct GrowingReader(GrowingBytes, usize);

impl std::io::Read for GrowingReader {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let inner = self.0.0.lock().unwrap();
        let count = into.len().min(inner.1 - self.1);
        into[..count].copy_from_slice(&inner.0[self.1..self.1 + count]);
        self.1 += count;
        Ok(count)
    }
}

fn tick(minute: i64) -> Event {
    Event::Tick(Stamp(at(minute).0 + 1))
}

fn health(minute: i64, state: LinkState) -> Event {
    Event::Market(MarketEvent::Health { instrument: InstrumentId(0), at: at(minute), state })
}

/// Three hours of history and some of what followed, in the parts in which they were told.
fn grown() -> Vec<Vec<Event>> {
    let market = |events: &[MarketEvent]| events.iter().map(|e| Event::Market(*e)).collect::<Vec<_>>();
    vec![
        market(&[bar(0, 60, 100.0), bar(0, 120, 101.0), funding(0, 125), bar(0, 180, 102.0)]),
        vec![tick(180)],
        market(&[quote(190, 102.0), trade(200, 103.0)]),
        vec![health(210, LinkState::Down), tick(220), health(230, LinkState::Up)],
        market(&[bar(0, 240, 104.0)]),
        vec![tick(240), tick(250)],
    ]
}

fn hourly() -> TapeSettings {
    TapeSettings { clock: Span::HOUR, window: Window::default() }
}

fn polled(feed: &mut TapeFeed) -> Vec<Event> {
    let next = |feed: &mut TapeFeed| match feed.poll().unwrap() {
        Polled::Event(event) => Some(event),
        Polled::Nothing => None,
        Polled::End => panic!("a tape that grows has no end"),
    };
    std::iter::from_fn(|| next(feed)).collect()
}

#[test]
fn what_follows_a_tape_that_grows_gives_what_a_reading_of_it_gives() {
    let file = GrowingBytes::default();
    let mut tape = GrowingTape::begin(file.clone(), header(Some(60)), at(180)).unwrap();
    let mut parts = grown().into_iter();
    let told = |tape: &mut GrowingTape<GrowingBytes>, part: Vec<Event>| {
        part.iter().for_each(|e| tape.push(e).unwrap());
        tape.flush().unwrap();
        file.publish();
    };
    // The close of the last bar of history is not over before a later moment is told.
    told(&mut tape, parts.next().unwrap());
    told(&mut tape, parts.next().unwrap());
    let mut live = TapeFeed::follow(&hourly(), &file).unwrap();
    let (name, hash) = (live.info().name.clone(), live.info().data_hash.clone());
    assert_eq!((tape.seam(), live.info().mode), (at(180), crate::market::FeedMode::Live));
    let mut seen = polled(&mut live);
    assert_eq!(seen.iter().filter(|e| matches!(e, Event::Barrier(_))).count(), 3);
    for part in parts {
        told(&mut tape, part);
        // Wherever it is left and taken up again, nothing is lost or told twice.
        let position = live.position().unwrap();
        live = TapeFeed::follow(&hourly(), &file).unwrap();
        assert!(live.seek(&position).unwrap());
        assert_eq!((&live.info().name, &live.info().data_hash), (&name, &hash), "it is the same market");
        seen.extend(polled(&mut live));
    }
    let again = TapeFeed::open(&hourly(), &SourceBytes::new("live.tape", file.bytes())).unwrap();
    assert_eq!(again.info().mode, crate::market::FeedMode::History);
    assert_ne!(again.info().data_hash, hash, "a reading of it is known by all that it holds");
    assert_eq!(all(again), seen);
    assert_eq!(seen.iter().filter(|e| matches!(e, Event::Tick(_))).count(), 4);
    assert_eq!(seen.last(), Some(&tick(250)));
}

#[test]
fn a_tape_that_grows_is_cut_at_its_last_whole_frame_and_goes_on() {
    let file = GrowingBytes::default();
    let mut tape = GrowingTape::begin(file.clone(), header(Some(60)), at(180)).unwrap();
    let mut ends = vec![tape.bytes()];
    for part in grown() {
        part.iter().for_each(|e| tape.push(e).unwrap());
        tape.flush().unwrap();
        ends.push(tape.bytes());
    }
    let bytes = file.bytes();
    let count = |bytes: &[u8]| {
        let mut events = 0;
        TapeEnd::find("live.tape", bytes, |_| events += 1).map(|end| (end.bytes, end.events, events))
    };
    let first = ends[0] as usize;
    for length in 0..=bytes.len() {
        let Ok((end, events, seen)) = count(&bytes[..length]) else {
            assert!(length < first, "{length}: only one without a header is none");
            continue;
        };
        let whole = ends.iter().rposition(|e| *e <= length as u64).unwrap();
        assert_eq!((end, events), (ends[whole], seen), "{length}");
        // What is appended there is read as if nothing had been lost in between.
        let at_end = TapeEnd::find("live.tape", &bytes[..length], |_| {}).unwrap();
        let more = GrowingBytes::default();
        more.0.lock().unwrap().0.extend(&bytes[..end as usize]);
        let mut tape = GrowingTape::resume(more.clone(), at_end);
        tape.push(&tick(300)).unwrap();
        tape.flush().unwrap();
        assert_eq!(count(&more.bytes()).unwrap().1, events + 1, "{length}");
    }
    // Damage before the last frame is no torn end.
    for byte in first..ends[ends.len() - 2] as usize {
        let mut damaged = bytes.clone();
        damaged[byte] ^= 0x10;
        match count(&damaged) {
            Ok((_, events, _)) => assert!(events < 12, "byte {byte} went unseen"),
            Err(e) => assert!(e.to_string().contains("live.tape, near byte"), "{byte}: {e}"),
        }
    }
}

#[test]
fn a_tape_that_grows_takes_nothing_late_foreign_or_from_the_operator() {
    let mut tape = GrowingTape::begin(Vec::new(), header(Some(60)), at(180)).unwrap();
    tape.push(&tick(200)).unwrap();
    for (event, why) in [
        (tick(199), "older"),
        (Event::Market(bar(9, 240, 1.0)), "nothing that this tape holds"),
        (Event::Barrier(at(240)), "nothing that this tape holds"),
        (Event::Command(at(240), Command::Kill), "nothing that this tape holds"),
    ] {
        let said = tape.push(&event).unwrap_err().to_string();
        assert!(said.contains(why), "{event:?}: {said}");
    }
    let whole = written(&header(Some(60)), &[trade(1, 1.0)]);
    let why = TapeEnd::find("whole.tape", whole.as_slice(), |_| {}).unwrap_err().to_string();
    assert!(why.contains("no tape of a live market"), "{why}");
}
