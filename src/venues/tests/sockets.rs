//! The supervisor over real sockets on loopback, against a venue that does what venues do and what they should not.

use crate::server::{Peer, TestVenue};
use hive_domain::{Span, Stamp};
use hive_venues::arrival::{Arrival, ArrivalKind, SocketState};
use hive_venues::binance::{BinanceCodec, BinanceMarket};
use hive_venues::codec::{Codec, SocketPlan, StreamKind, VenueError, WantedStream};
use hive_venues::deribit::DeribitCodec;
use hive_venues::event::PublicEvent;
use hive_venues::hyperliquid::HyperliquidCodec;
use hive_venues::supervisor::{FRAME_MAX, Supervisor, SupervisorSettings};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const MILLISECOND: Span = Span(1_000_000);
/// Longest time that a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

fn ms(n: i64) -> Span {
    Span(n * MILLISECOND.0)
}

/// A trade as Binance writes it.
fn trade(id: u64) -> String {
    format!(
        "{{\"stream\":\"btcusdt@aggTrade\",\"data\":{{\"e\":\"aggTrade\",\"E\":1700000000000,\"s\":\"BTCUSDT\",\"a\":{id},\
         \"p\":\"61800.10\",\"q\":\"0.005\",\"f\":1,\"l\":2,\"T\":1700000000000,\"m\":false,\"st\":1}}}}"
    )
}

/// The plan of one stream of trades, never silent before a test has lost its patience.
fn plan() -> SocketPlan {
    let wanted = [WantedStream { symbol: "BTCUSDT".to_owned(), kind: StreamKind::Trades }];
    let mut plans = BinanceCodec::new(BinanceMarket::UsdM).sockets(&wanted).unwrap();
    assert_eq!(plans.len(), 1);
    let plan = plans.remove(0);
    SocketPlan { silent_after: Span::MINUTE, rotate_after: None, ..plan }
}

/// What comes in, taken with patience.
struct Heard {
    arrivals: Receiver<Arrival>,
    _supervisor: Supervisor,
}

fn settings(url: &str) -> SupervisorSettings {
    let (retry_first, retry_most) = (ms(20), ms(160));
    SupervisorSettings {
        connect_max: Span::seconds(2),
        retry_first,
        retry_most,
        ..SupervisorSettings::new(url)
    }
}

impl Heard {
    fn of(codec: impl Codec + 'static, plan: SocketPlan, settings: &SupervisorSettings) -> Self {
        let codec: Arc<dyn Codec> = Arc::new(codec);
        let (supervisor, arrivals) = Supervisor::start(&codec, vec![plan], settings).unwrap();
        Heard { arrivals, _supervisor: supervisor }
    }

    fn binance(venue: &TestVenue, plan: SocketPlan) -> Self {
        Heard::of(BinanceCodec::new(BinanceMarket::UsdM), plan, &settings(&venue.ws()))
    }

    fn next(&self) -> ArrivalKind {
        self.arrival().what
    }

    fn arrival(&self) -> Arrival {
        let arrival = self.arrivals.recv_timeout(PATIENCE).expect("something comes in");
        assert!(arrival.received > Stamp(1_700_000_000_000_000_000) && arrival.socket == 0);
        arrival
    }

    /// All that comes in up to the first that is it.
    fn until(&self, is_it: impl Fn(&ArrivalKind) -> bool) -> Vec<ArrivalKind> {
        let (mut all, begun) = (Vec::new(), Instant::now());
        loop {
            assert!(begun.elapsed() < PATIENCE, "what must come does not come");
            all.push(self.next());
            if all.last().is_some_and(&is_it) {
                return all;
            }
        }
    }
}

fn id_of(what: &ArrivalKind) -> Option<u64> {
    match what {
        ArrivalKind::Event(PublicEvent::Trade(trade)) => Some(trade.id),
        _ => None,
    }
}

fn ids(all: &[ArrivalKind]) -> Vec<u64> {
    all.iter().filter_map(id_of).collect()
}

fn link(what: &ArrivalKind) -> Option<&SocketState> {
    match what {
        ArrivalKind::Link(state) => Some(state),
        _ => None,
    }
}

/// Why and for how long the link is down, each time.
fn downs(all: &[ArrivalKind]) -> Vec<(String, Span)> {
    let down = |what: &ArrivalKind| match link(what)? {
        SocketState::Down { why, retry_in } => Some((why.clone(), *retry_in)),
        _ => None,
    };
    all.iter().filter_map(down).collect()
}

/// Accepts, waits for the request for streams and acknowledges it.
fn subscribed(peer: &mut Peer) -> bool {
    let heard = peer.accept().read_until("SUBSCRIBE").is_some();
    heard && peer.text("{\"result\":null,\"id\":1}")
}

#[test]
fn what_is_wanted_is_asked_for_and_heard() {
    let venue = TestVenue::new(|_, peer| {
        let asked = peer.accept().read_until("SUBSCRIBE").unwrap();
        assert_eq!(asked, "{\"id\":1,\"method\":\"SUBSCRIBE\",\"params\":[\"btcusdt@aggTrade\"]}");
        peer.text("{\"result\":null,\"id\":1}");
        peer.text(&trade(7));
        // A ping of the venue is answered with what was in it.
        peer.frame(9, b"are you there");
        assert_eq!(peer.read(), Some((10, "are you there".to_owned())));
        peer.text(&trade(8));
        peer.hang();
    });
    let heard = Heard::binance(&venue, plan());
    let all = heard.until(|what| id_of(what) == Some(8));
    assert_eq!(link(&all[0]), Some(&SocketState::Connecting));
    assert_eq!(link(&all[1]), Some(&SocketState::Up));
    assert_eq!(all[2], ArrivalKind::Event(PublicEvent::Ack { id: "1".to_owned() }));
    assert_eq!((ids(&all), all.len()), (vec![7, 8], 5));
    assert_eq!(venue.request().line, "GET /market/stream");
}

#[test]
fn a_link_that_flaps_is_made_anew_and_each_outage_is_said() {
    let venue = TestVenue::new(|n, peer| {
        subscribed(peer);
        peer.text(&trade(n as u64));
        if n == 5 {
            peer.hang();
        }
        // Cut, without a word for the odd ones.
        if n % 2 == 0 {
            peer.frame(8, &[&1012_u16.to_be_bytes()[..], b"restart"].concat());
        }
    });
    let heard = Heard::binance(&venue, plan());
    let all = heard.until(|what| id_of(what) == Some(5));
    assert_eq!(ids(&all), [0, 1, 2, 3, 4, 5]);
    let downs = downs(&all);
    assert_eq!(downs.len(), 5, "{downs:?}");
    assert!(downs[0].0.contains("1012 restart"), "{downs:?}");
    // Each link had said something that was wanted, so no wait grows.
    assert!(downs.iter().all(|(_, retry_in)| *retry_in <= ms(20)), "{downs:?}");
}

#[test]
fn a_link_that_says_nothing_before_it_is_cut_waits_longer_each_time() {
    let venue = TestVenue::new(|n, peer| {
        subscribed(peer);
        if n == 4 {
            peer.text(&trade(4));
            peer.hang();
        }
    });
    let heard = Heard::binance(&venue, plan());
    let all = heard.until(|what| id_of(what) == Some(4));
    let waits: Vec<i64> = downs(&all).iter().map(|(_, retry_in)| retry_in.0).collect();
    assert_eq!(waits.len(), 4);
    for (n, wait) in waits.iter().enumerate() {
        let grown = ms(20 << n).0;
        assert!((grown / 2..=grown).contains(wait), "{waits:?}");
    }
}

#[test]
fn a_half_open_link_is_silent_and_made_anew() {
    let venue = TestVenue::new(|n, peer| {
        subscribed(peer);
        peer.text(&trade(n as u64));
        // The first neither reads nor writes nor ends.
        peer.hang();
    });
    let heard = Heard::binance(&venue, SocketPlan { silent_after: ms(400), ..plan() });
    // The stamps are of who waits, not of this test, which may be late.
    let spoke = loop {
        let arrival = heard.arrival();
        if id_of(&arrival.what) == Some(0) {
            break arrival.received;
        }
    };
    let silent = heard.arrival();
    assert!(silent.received.since(spoke) >= ms(390), "{silent:?} after {spoke}");
    assert_eq!(link(&silent.what), Some(&SocketState::Silent { after: ms(400) }));
    let all = heard.until(|what| id_of(what).is_some());
    let why = "nothing was said for 400 ms".to_owned();
    assert!(downs(&all).iter().any(|(said, _)| *said == why), "{all:?}");
}

#[test]
fn acknowledgements_and_pongs_are_no_life() {
    let venue = TestVenue::new(|n, peer| {
        peer.accept().read_until("subscribe").unwrap();
        peer.text("{\"channel\":\"subscriptionResponse\",\"data\":{\"method\":\"subscribe\"}}");
        if n == 0 {
            while peer.read_until("ping").is_some() {
                peer.text("{\"channel\":\"pong\"}");
            }
            return;
        }
        peer.text("{\"channel\":\"bbo\",\"data\":{\"coin\":\"BTC\",\"time\":1700000000000,\"bbo\":[{\"px\":\"1\",\"sz\":\"2\",\"n\":1},null]}}");
        peer.hang();
    });
    let wanted = [WantedStream { symbol: "BTC".to_owned(), kind: StreamKind::Quotes }];
    let mut plan = HyperliquidCodec.sockets(&wanted).unwrap().remove(0);
    plan.silent_after = ms(500);
    plan.own_ping.as_mut().unwrap().0 = ms(50);
    let heard = Heard::of(HyperliquidCodec, plan, &settings(&venue.ws()));
    let all = heard.until(|what| matches!(what, ArrivalKind::Event(PublicEvent::Quote(_))));
    let pongs = all.iter().filter(|w| **w == ArrivalKind::Event(PublicEvent::Pong)).count();
    assert!(pongs >= 5, "{pongs} pongs");
    assert!(all.iter().any(|w| matches!(link(w), Some(SocketState::Silent { .. }))));
}

#[test]
fn one_byte_at_a_time_is_read_too() {
    let venue = TestVenue::new(|_, peer| {
        peer.segment = 1;
        subscribed(peer);
        for id in 0..20 {
            peer.text(&trade(id));
        }
        peer.hang();
    });
    let heard = Heard::binance(&venue, plan());
    let all = heard.until(|what| id_of(what) == Some(19));
    assert_eq!(ids(&all), (0..20).collect::<Vec<_>>());
    assert!(downs(&all).is_empty());
}

#[test]
fn a_frame_that_is_too_long_cuts_the_link_and_is_not_read() {
    let venue = TestVenue::new(|n, peer| {
        subscribed(peer);
        if n == 0 {
            // Sixteen mebibytes are said to follow.
            let mut head = vec![0x81, 127];
            head.extend((16_u64 << 20).to_be_bytes());
            peer.raw(&head);
            peer.hang();
        }
        peer.text(&trade(1));
        peer.hang();
    });
    let heard = Heard::binance(&venue, plan());
    let all = heard.until(|what| id_of(what) == Some(1));
    let downs = downs(&all);
    assert!(downs.len() == 1 && downs[0].0.contains(&FRAME_MAX.to_string()), "{downs:?}");
}

#[test]
fn garbage_is_said_and_brings_nothing_down() {
    let venue = TestVenue::new(|n, peer| {
        subscribed(peer);
        match n {
            0 => {
                for garbage in
                    ["", "{", "\u{0}\u{7}", "[[[[", "{\"stream\":\"btcusdt@aggTrade\",\"data\":{}}"]
                {
                    peer.text(garbage);
                }
                peer.frame(2, b"\xff\xfe");
                peer.text(&trade(0));
                // No frame at all, and text that is no text.
                peer.raw(&[0xff; 64]);
                peer.hang();
            }
            1 => {
                peer.frame(1, b"\xff\xfe\xfd");
                peer.hang();
            }
            _ => {
                peer.text(&trade(2));
                peer.hang();
            }
        }
    });
    let heard = Heard::binance(&venue, plan());
    let all = heard.until(|what| id_of(what) == Some(2));
    let undecoded = all.iter().filter(|w| matches!(w, ArrivalKind::Undecoded { .. })).count();
    assert_eq!((undecoded, ids(&all)), (6, vec![0, 2]), "{all:?}");
    assert_eq!(downs(&all).len(), 2, "{all:?}");
}

#[test]
fn before_a_shutdown_the_next_link_is_there() {
    let venue = TestVenue::new(|n, peer| {
        subscribed(peer);
        if n == 0 {
            peer.text(&trade(0));
            peer.text("{\"e\":\"serverShutdown\",\"E\":1770123456789}");
            peer.every(Duration::from_millis(5), || trade(1));
        } else {
            peer.text(&trade(2));
            peer.hang();
        }
    });
    let heard = Heard::binance(&venue, plan());
    let all = heard.until(|what| id_of(what) == Some(2));
    assert!(all.contains(&ArrivalKind::Event(PublicEvent::Shutdown)));
    assert!(ids(&all).contains(&1), "the old one is read until the new one speaks: {:?}", ids(&all));
    let states: Vec<_> = all.iter().filter_map(link).collect();
    assert_eq!(states, [&SocketState::Connecting, &SocketState::Up]);
}

#[test]
fn a_rotation_misses_nothing() {
    // Both links say the same of one market, as those of a venue do.
    let clock = Arc::new(AtomicU64::new(0));
    let ticking = Arc::clone(&clock);
    let _ticks = std::thread::spawn(move || {
        for _ in 0..2_000 {
            ticking.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let venue = TestVenue::new(move |_, peer| {
        subscribed(peer);
        let mut said = clock.load(Ordering::SeqCst);
        peer.every(Duration::from_millis(1), || {
            // Never two ahead, so that none is left out.
            if said < clock.load(Ordering::SeqCst) {
                said += 1;
            }
            trade(said)
        });
    });
    let heard = Heard::binance(&venue, SocketPlan { rotate_after: Some(ms(250)), ..plan() });
    let all = heard.until(|what| id_of(what) == Some(700));
    let seen: BTreeSet<u64> = ids(&all).into_iter().collect();
    let first = *seen.first().unwrap();
    assert_eq!(seen.len() as u64, 700 - first + 1, "a trade is missing");
    assert!(downs(&all).is_empty(), "{:?}", downs(&all));
    let links = venue.requests_left();
    assert!(links >= 2, "{links} links in 1.4 s, with a new one every quarter of a second");
}

#[test]
fn a_reader_that_is_too_slow_hears_how_much_is_lost() {
    const SAID: u64 = 1_000;
    let venue = TestVenue::new(|_, peer| {
        subscribed(peer);
        for id in 0..SAID {
            peer.text(&trade(id));
        }
        peer.read_until("nothing");
    });
    let settings = SupervisorSettings { queue: 8, ..settings(&venue.ws()) };
    let heard = Heard::of(BinanceCodec::new(BinanceMarket::UsdM), plan(), &settings);
    // Nobody reads for a while.
    std::thread::sleep(Duration::from_millis(300));
    let (mut events, mut lost) = (0, 0);
    while events + lost < SAID {
        match heard.next() {
            ArrivalKind::Event(PublicEvent::Trade(trade)) => {
                assert_eq!(trade.id, events + lost, "what is lost is said before what comes after it");
                events += 1;
            }
            ArrivalKind::Lost { count } => lost += count,
            _ => {}
        }
    }
    assert!(lost > 0 && events + lost == SAID, "{events} heard, {lost} lost");
}

#[test]
fn how_soon_a_message_is_heard_is_told() {
    const SAID: usize = 1_000;
    let said = Arc::new(Mutex::new(Vec::with_capacity(SAID)));
    let saying = Arc::clone(&said);
    let venue = TestVenue::new(move |_, peer| {
        subscribed(peer);
        for id in 0..SAID {
            saying.lock().unwrap().push(Instant::now());
            peer.text(&trade(id as u64));
            std::thread::sleep(Duration::from_millis(1));
        }
        peer.hang();
    });
    let heard = Heard::binance(&venue, plan());
    let mut took = Vec::with_capacity(SAID);
    while took.len() < SAID {
        if let Some(id) = id_of(&heard.next()) {
            took.push(said.lock().unwrap()[id as usize].elapsed());
        }
    }
    took.sort_unstable();
    // From the write of the venue to the hand of who reads the channel. A busy machine has its own idea of soon.
    println!("socket to event on loopback: median {:?}, p99 {:?}", took[SAID / 2], took[SAID * 99 / 100]);
    assert!(took[SAID / 2] < Duration::from_secs(1));
}

#[test]
fn deribit_is_answered_when_it_asks_whether_somebody_is_there() {
    let venue = TestVenue::new(|_, peer| {
        assert!(peer.accept().read_until("public/set_heartbeat").is_some());
        assert!(peer.read_until("\"deribit_volatility_index.btc_usd\"").is_some());
        peer.text("{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"type\":\"test_request\"}}");
        assert!(peer.read_until("public/test").is_some());
        peer.text("{\"jsonrpc\":\"2.0\",\"method\":\"subscription\",\"params\":{\"channel\":\"deribit_volatility_index.btc_usd\",\"data\":{\"timestamp\":1619777946007,\"volatility\":129.36,\"index_name\":\"btc_usd\"}}}");
        peer.hang();
    });
    let wanted = [WantedStream { symbol: "BTC".to_owned(), kind: StreamKind::VolatilityIndex }];
    let plan = DeribitCodec.sockets(&wanted).unwrap().remove(0);
    let heard = Heard::of(DeribitCodec, plan, &settings(&venue.ws()));
    let all = heard.until(|what| matches!(what, ArrivalKind::Event(PublicEvent::VolatilityIndex { .. })));
    let Some(ArrivalKind::Event(PublicEvent::VolatilityIndex { asset, at, value })) = all.last() else {
        panic!()
    };
    assert_eq!(
        (asset.as_str(), at.0, value.to_string().as_str()),
        ("BTC", 1_619_777_946_007_000_000, "1.2936")
    );
}

#[test]
fn a_venue_that_wants_to_be_left_alone_is() {
    let venue = TestVenue::new(|n, peer| {
        if n == 0 {
            peer.answer("429 Too Many Requests", "Retry-After: 1\r\n", "slow down");
        } else {
            subscribed(peer);
            peer.text(&trade(1));
            peer.hang();
        }
    });
    let begun = Instant::now();
    let heard = Heard::binance(&venue, plan());
    let all = heard.until(|what| id_of(what) == Some(1));
    assert_eq!(downs(&all), [("the venue answers 429 Too Many Requests".to_owned(), Span::seconds(1))]);
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[test]
fn an_address_that_is_not_reached_is_tried_again_and_said() {
    // Nobody listens where a venue was a moment ago.
    let url = TestVenue::new(|_, _| {}).ws();
    let heard = Heard::of(BinanceCodec::new(BinanceMarket::UsdM), plan(), &settings(&url));
    let mut seen = Vec::new();
    while downs(&seen).len() < 3 {
        seen.push(heard.next());
    }
    assert!(downs(&seen).iter().all(|(why, _)| why.contains("refused")), "{seen:?}");
    // Something that listens and never answers is given up in time.
    let venue = TestVenue::new(|_, peer| peer.hang());
    let settings = SupervisorSettings { connect_max: ms(200), ..settings(&venue.ws()) };
    let heard = Heard::of(BinanceCodec::new(BinanceMarket::UsdM), plan(), &settings);
    let all = heard.until(|what| matches!(link(what), Some(SocketState::Down { .. })));
    assert!(downs(&all)[0].0.contains("no answer within 200 ms"), "{all:?}");
    let begun = Instant::now();
    drop(heard);
    assert!(begun.elapsed() < Duration::from_secs(2), "stopping waits for nobody");
}

#[test]
fn the_link_is_closed_when_nobody_wants_it_any_more() {
    let (sender, closed) = std::sync::mpsc::channel();
    let venue = TestVenue::new(move |_, peer| {
        subscribed(peer);
        peer.text(&trade(1));
        sender.send(peer.is_closed_within(PATIENCE)).unwrap();
    });
    let heard = Heard::binance(&venue, plan());
    heard.until(|what| id_of(what) == Some(1));
    drop(heard);
    assert!(closed.recv_timeout(PATIENCE).unwrap());
}

#[test]
fn sockets_without_encryption_stay_on_this_machine() {
    let start = |url: &str| {
        let codec: Arc<dyn Codec> = Arc::new(BinanceCodec::new(BinanceMarket::UsdM));
        Supervisor::start(&codec, vec![plan()], &SupervisorSettings::new(url)).map(|_| ())
    };
    assert!(matches!(start("ws://203.0.113.7:80"), Err(VenueError::Url { .. })));
    assert!(matches!(start("nowhere"), Err(VenueError::Url { .. })));
}
