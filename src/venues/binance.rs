//! Binance, in public: USDⓈ-M futures and spot. Streams come on three paths of the futures host since 2026-04:
//! `/public` has books and best prices, `/market` trades, bars and marks. A path acknowledges a stream that it does not
//! carry, and then says nothing of it.
//!
//! Sources: developers.binance.com, "USDⓈ-M Futures, Websocket Market Streams" and "Important WebSocket Change Notice";
//! "Spot, WebSocket Streams"; "How to manage a local order book correctly".

mod answers;
mod streams;

use crate::domain::{Span, Stamp};
use crate::venues::codec::{
    Codec, DecodeError, RestAsk, RestMethod, RestRequest, SocketPlan, StreamKind, VenueError, WantedStream,
};
use crate::venues::event::PublicEvent;
use crate::venues::reading::utf8;
use serde_json::json;
use std::fmt::Write as _;

/// Which of Binance's markets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinanceMarket {
    /// Futures that are paid in USDT or USDC.
    UsdM,
    /// Spot, with the pairs of margin.
    Spot,
}

/// The codec of one of Binance's markets.
#[derive(Clone, Copy, Debug)]
pub struct BinanceCodec {
    market: BinanceMarket,
}

/// Streams on a socket: the venue allows 1,024; with fewer, less is lost with one.
const STREAMS_MAX: usize = 200;
/// Streams in a request.
const REQUEST_STREAMS_MAX: usize = 50;
/// The venue reads ten messages a second of a socket, on spot five.
const SEND_GAP: Span = Span(250_000_000);
/// The venue cuts a link after 24 hours.
const ROTATE_AFTER: Span = Span(23 * Span::HOUR.0);
/// Marks come every second.
const SILENT_WITH_MARKS: Span = Span::seconds(10);
/// A quiet symbol has nothing to say for a while.
const SILENT_OTHERWISE: Span = Span::seconds(60);
/// Most bars, and most settlements of funding, that the venue gives at once.
const KLINES_MAX: (u32, u32) = (1_500, 1_000);
const FUNDINGS_MAX: u32 = 1_000;

impl BinanceCodec {
    /// Of a market.
    pub fn new(market: BinanceMarket) -> Self {
        BinanceCodec { market }
    }

    /// The path that carries a kind of stream.
    fn path(self, kind: StreamKind) -> &'static str {
        match (self.market, kind) {
            (BinanceMarket::Spot, _) => "/stream",
            (BinanceMarket::UsdM, StreamKind::Quotes | StreamKind::Book) => "/public/stream",
            (BinanceMarket::UsdM, _) => "/market/stream",
        }
    }

    fn stream(self, wanted: &WantedStream) -> Result<String, VenueError> {
        let symbol = wanted.symbol.to_lowercase();
        let none = |what: &str, way_out: &str| VenueError::Unsupported {
            venue: self.venue(),
            what: format!("{what} of {}", wanted.symbol),
            way_out: way_out.to_owned(),
        };
        Ok(match wanted.kind {
            StreamKind::Klines(interval) => format!("{symbol}@kline_{}", self.interval(interval)?),
            StreamKind::Trades => format!("{symbol}@aggTrade"),
            StreamKind::Quotes => format!("{symbol}@bookTicker"),
            StreamKind::Book => format!("{symbol}@depth@100ms"),
            StreamKind::Marks if self.market == BinanceMarket::UsdM => format!("{symbol}@markPrice@1s"),
            StreamKind::Marks => return Err(none("marks", "ask the futures for them")),
            StreamKind::VolatilityIndex => return Err(none("volatility index", "ask Deribit for one")),
        })
    }

    fn interval(self, interval: Span) -> Result<&'static str, VenueError> {
        let found = INTERVALS.iter().find(|(_, span)| *span == interval);
        found.map(|(name, _)| *name).ok_or_else(|| VenueError::Unsupported {
            venue: self.venue(),
            what: format!("bars of {interval}"),
            way_out: format!("ask for one of {}", INTERVALS.map(|i| i.0).join(", ")),
        })
    }

    fn get(self, path: &str, weight: u32, ask: RestAsk) -> RestRequest {
        let root = match self.market {
            BinanceMarket::UsdM => "/fapi/v1",
            BinanceMarket::Spot => "/api/v3",
        };
        let path = format!("{root}/{path}");
        RestRequest { method: RestMethod::Get, path, body: String::new(), weight, ask }
    }

    fn klines(self, symbol: &str, interval: &str, window: (Stamp, Stamp), limit: u32) -> (String, u32) {
        let usd_m = self.market == BinanceMarket::UsdM;
        let limit = limit.clamp(1, if usd_m { KLINES_MAX.0 } else { KLINES_MAX.1 });
        let weight = match limit {
            _ if !usd_m => 2,
            0..100 => 1,
            100..500 => 2,
            500..=1_000 => 5,
            _ => 10,
        };
        // Both ends are of opens, and the last bar that is whole opens before `to`.
        let (from, to) = (millis(window.0), millis(window.1) - 1);
        let symbol = query_value(symbol);
        let path =
            format!("klines?symbol={symbol}&interval={interval}&startTime={from}&endTime={to}&limit={limit}");
        (path, weight)
    }
}

/// How the venue calls lengths of bars.
const INTERVALS: [(&str, Span); 15] = [
    ("1m", Span::MINUTE),
    ("3m", Span(3 * Span::MINUTE.0)),
    ("5m", Span(5 * Span::MINUTE.0)),
    ("15m", Span(15 * Span::MINUTE.0)),
    ("30m", Span(30 * Span::MINUTE.0)),
    ("1h", Span::HOUR),
    ("2h", Span(2 * Span::HOUR.0)),
    ("4h", Span(4 * Span::HOUR.0)),
    ("6h", Span(6 * Span::HOUR.0)),
    ("8h", Span(8 * Span::HOUR.0)),
    ("12h", Span(12 * Span::HOUR.0)),
    ("1d", Span::DAY),
    ("3d", Span(3 * Span::DAY.0)),
    ("1w", Span(7 * Span::DAY.0)),
    ("1s", Span::seconds(1)),
];

/// Length of the bars of a name; zero where it is none that has one.
fn span_of(interval: &str) -> Span {
    INTERVALS.iter().find(|(name, _)| *name == interval).map_or(Span(0), |(_, span)| *span)
}

fn millis(at: Stamp) -> i64 {
    at.0.div_euclid(1_000_000)
}

/// A value of a query: symbols may be written in any script.
fn query_value(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

impl Codec for BinanceCodec {
    fn venue(&self) -> &'static str {
        "binance"
    }

    fn weight_per_minute(&self) -> u32 {
        match self.market {
            BinanceMarket::UsdM => 2_400,
            BinanceMarket::Spot => 6_000,
        }
    }

    fn sockets(&self, wanted: &[WantedStream]) -> Result<Vec<SocketPlan>, VenueError> {
        let mut plans = Vec::new();
        for path in ["/stream", "/public/stream", "/market/stream"] {
            let of_path: Vec<&WantedStream> = wanted.iter().filter(|w| self.path(w.kind) == path).collect();
            for of_socket in of_path.chunks(STREAMS_MAX) {
                let streams: Result<Vec<String>, VenueError> =
                    of_socket.iter().map(|wanted| self.stream(wanted)).collect();
                let subscribe = streams?
                    .chunks(REQUEST_STREAMS_MAX)
                    .enumerate()
                    .map(|(i, streams)| {
                        json!({"method": "SUBSCRIBE", "params": streams, "id": i + 1}).to_string()
                    })
                    .collect();
                let has_marks = of_socket.iter().any(|w| w.kind == StreamKind::Marks);
                plans.push(SocketPlan {
                    path: path.to_owned(),
                    subscribe,
                    send_gap: SEND_GAP,
                    silent_after: if has_marks { SILENT_WITH_MARKS } else { SILENT_OTHERWISE },
                    own_ping: None,
                    rotate_after: Some(ROTATE_AFTER),
                });
            }
        }
        Ok(plans)
    }

    fn decode(&self, text: &[u8], out: &mut Vec<PublicEvent>) -> Result<(), DecodeError> {
        streams::decode(utf8(text)?, out)
    }

    fn request(&self, ask: RestAsk) -> Result<RestRequest, VenueError> {
        let usd_m = self.market == BinanceMarket::UsdM;
        let (path, weight) = match &ask {
            RestAsk::Klines { symbol, interval, from, to, limit } => {
                self.klines(symbol, self.interval(*interval)?, (*from, *to), *limit)
            }
            RestAsk::Fundings { symbol, from, to, limit } if usd_m => {
                let limit = (*limit).clamp(1, FUNDINGS_MAX);
                let (from, to, symbol) = (millis(*from), millis(*to), query_value(symbol));
                (format!("fundingRate?symbol={symbol}&startTime={from}&endTime={to}&limit={limit}"), 1)
            }
            RestAsk::Marks if usd_m => ("premiumIndex".to_owned(), 10),
            RestAsk::Rules { .. } => ("exchangeInfo".to_owned(), if usd_m { 1 } else { 20 }),
            RestAsk::ServerTime => ("time".to_owned(), 1),
            RestAsk::Depth { symbol } => {
                let path = format!("depth?symbol={}&limit=1000", query_value(symbol));
                (path, if usd_m { 20 } else { 50 })
            }
            RestAsk::Fundings { .. } | RestAsk::Marks => {
                return Err(VenueError::Unsupported {
                    venue: self.venue(),
                    what: "funding and marks on spot".to_owned(),
                    way_out: "ask the futures for them".to_owned(),
                });
            }
        };
        Ok(self.get(&path, weight, ask))
    }

    fn decode_answer(
        &self,
        ask: &RestAsk,
        body: &[u8],
        out: &mut Vec<PublicEvent>,
    ) -> Result<(), DecodeError> {
        let at = out.len();
        let done = answers::decode(ask, utf8(body)?, out);
        if done.is_err() {
            out.truncate(at);
        }
        done
    }
}
