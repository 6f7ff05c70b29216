//! Requests against a venue on loopback: its budget, its refusals, its failures.

use crate::server::{Peer, TestVenue};
use hive_domain::{Span, Stamp};
use hive_venues::binance::{BinanceCodec, BinanceMarket};
use hive_venues::budget::Urgency;
use hive_venues::codec::{Codec, RestAsk, VenueError};
use hive_venues::event::PublicEvent;
use hive_venues::hyperliquid::HyperliquidCodec;
use hive_venues::rest::{RestClient, RestSettings};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const CODEC: BinanceMarket = BinanceMarket::UsdM;
const TIME: &str = "{\"serverTime\":1700000000123}";

fn client(venue: &TestVenue, wait_max: Span) -> RestClient {
    let retry_first = Span(5_000_000);
    let settings = RestSettings { wait_max, retry_first, ..RestSettings::new(&venue.http()) };
    RestClient::new(&BinanceCodec::new(CODEC), &settings).unwrap()
}

fn time(client: &RestClient) -> Result<Vec<PublicEvent>, VenueError> {
    client.ask(&BinanceCodec::new(CODEC), RestAsk::ServerTime)
}

/// A venue that answers its n-th request by a script.
fn answering(script: impl Fn(usize, &mut Peer) + Send + Sync + 'static) -> TestVenue {
    let count = AtomicUsize::new(0);
    TestVenue::new(move |_, peer| script(count.fetch_add(1, Ordering::SeqCst), peer))
}

#[test]
fn what_is_asked_is_answered_and_the_weight_is_the_venues() {
    let venue = answering(|_, peer| peer.answer("200 OK", "X-MBX-USED-WEIGHT-1M: 1000\r\n", TIME));
    let client = client(&venue, Span::MINUTE);
    assert_eq!(time(&client).unwrap(), [PublicEvent::ServerTime(Stamp(1_700_000_000_123_000_000))]);
    assert_eq!(venue.request().line, "GET /fapi/v1/time");
    // Of 2,400 a fifth is kept for cancelling, and somebody else has used the rest of the thousand. A minute that has turned
    // meanwhile has all of it.
    let left = client.weight_left();
    assert!(left == 920 || left == 1_920, "{left}");
    let klines = RestAsk::Klines {
        symbol: "BTCUSDT".to_owned(),
        interval: Span::HOUR,
        from: Stamp(0),
        to: Stamp(7_200_000_000_000),
        limit: 9_999,
    };
    client.get(&BinanceCodec::new(CODEC).request(klines).unwrap(), Urgency::Other).unwrap();
    let line = "GET /fapi/v1/klines?symbol=BTCUSDT&interval=1h&startTime=0&endTime=7199999&limit=1500";
    assert_eq!(venue.request().line, line);
}

#[test]
fn hyperliquid_is_asked_with_a_body() {
    let venue = answering(|_, peer| {
        peer.answer("200 OK", "", "{\"universe\":[{\"name\":\"BTC\",\"szDecimals\":5}]}");
    });
    let client = RestClient::new(&HyperliquidCodec, &RestSettings::new(&venue.http())).unwrap();
    let events = client.ask(&HyperliquidCodec, RestAsk::Rules { asset: String::new() }).unwrap();
    let PublicEvent::Rules(rules) = &events[0] else { panic!("{events:?}") };
    assert_eq!((rules[0].symbol.as_str(), rules[0].lot.to_string().as_str()), ("BTC", "0.00001"));
    let request = venue.request();
    assert_eq!((request.line.as_str(), request.body.as_str()), ("POST /info", "{\"type\":\"meta\"}"));
}

#[test]
fn a_429_is_waited_out_as_the_venue_says() {
    let venue = answering(|n, peer| {
        if n == 0 {
            peer.answer(
                "429 Too Many Requests",
                "Retry-After: 1\r\n",
                "{\"code\":-1003,\"msg\":\"Too many requests\"}",
            );
        } else {
            peer.answer("200 OK", "", TIME);
        }
    });
    let client = client(&venue, Span::MINUTE);
    let begun = Instant::now();
    assert!(time(&client).is_ok());
    assert!(begun.elapsed() >= Duration::from_millis(990), "{:?}", begun.elapsed());
    assert_eq!(
        (venue.request().line, venue.request().line),
        ("GET /fapi/v1/time".to_owned(), "GET /fapi/v1/time".to_owned())
    );
}

#[test]
fn a_418_shuts_the_door_for_everything() {
    let venue = answering(|_, peer| peer.answer("418 I'm a teapot", "Retry-After: 300\r\n", "banned"));
    let client = client(&venue, Span::seconds(1));
    let begun = Instant::now();
    let why = time(&client).unwrap_err();
    assert!(matches!(why, VenueError::Throttled { venue: "binance", .. }), "{why}");
    let again = client.get(&BinanceCodec::new(CODEC).request(RestAsk::Marks).unwrap(), Urgency::Cancel);
    assert!(matches!(again, Err(VenueError::Throttled { .. })));
    assert!(begun.elapsed() < Duration::from_secs(5) && client.weight_left() == 0);
    venue.request();
    assert_eq!(venue.requests_left(), 0, "nothing more was sent");
}

#[test]
fn what_may_work_is_tried_again_and_what_is_refused_is_not() {
    let venue = answering(|n, peer| match n {
        0 => peer.answer("503 Service Unavailable", "", "{\"code\":-1008,\"msg\":\"overloaded\"}"),
        // An answer that ends in the middle.
        1 => {
            peer.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"ser");
            peer.cut();
        }
        2 => peer.answer("200 OK", "", TIME),
        3 => peer.answer("400 Bad Request", "", "{\"code\":-1121,\"msg\":\"Invalid\u{1b}[31m symbol.\"}"),
        _ => peer.answer("200 OK", "", "<html>"),
    });
    let client = client(&venue, Span::MINUTE);
    assert!(time(&client).is_ok());
    assert_eq!(venue.requests_left(), 3, "overloaded, cut off, answered");
    let refused = time(&client).unwrap_err();
    assert!(
        refused
            .to_string()
            .ends_with("the venue answers 400: {\"code\":-1121,\"msg\":\"Invalid [31m symbol.\"}"),
        "{refused}"
    );
    assert_eq!(venue.requests_left(), 1, "it was asked once");
    assert!(matches!(time(&client), Err(VenueError::Answer { .. })));
}

#[test]
fn an_address_that_is_not_reached_is_an_error_that_names_it() {
    let url = TestVenue::new(|_, _| {}).http();
    let settings = RestSettings { retry_first: Span(1_000_000), ..RestSettings::new(&url) };
    let client = RestClient::new(&BinanceCodec::new(CODEC), &settings).unwrap();
    let why = time(&client).unwrap_err();
    assert!(matches!(&why, VenueError::Unreachable { url: named, .. } if named.starts_with(&url)), "{why}");
    let far = RestClient::new(&BinanceCodec::new(CODEC), &RestSettings::new("http://203.0.113.7"));
    assert!(matches!(far, Err(VenueError::Url { .. })));
}
