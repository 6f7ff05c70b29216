//! Deribit, in public: options in volatility, perps, the index of implied volatility, books, trades, instruments; all as
//! JSON-RPC.
//!
//! Numbers are JSON numbers, volatilities are per cent. Amounts of inverse futures are dollars, of options the asset. The venue
//! asks now and then whether somebody is there (`test_request`) and cuts who does not answer. Books of `raw` need a key, those
//! of `100ms` do not.
//!
//! Source: docs.deribit.com, "JSON-RPC over WebSocket", "Market data", "Subscriptions".

mod answers;
mod streams;
mod terms;

use crate::domain::{Span, Stamp};
use crate::venues::codec::{
    Codec, DecodeError, RestAsk, RestMethod, RestRequest, SocketPlan, StreamKind, VenueError, WantedStream,
};
use crate::venues::event::PublicEvent;
use crate::venues::reading::utf8;
use serde_json::json;
use terms::interval_name;

/// Channels on a socket: the venue allows 500.
const STREAMS_MAX: usize = 200;
/// Channels in a request.
const REQUEST_STREAMS_MAX: usize = 50;
const SEND_GAP: Span = Span(200_000_000);
/// How often the venue is to ask whether somebody is there.
const HEARTBEAT_SECONDS: u32 = 30;
const SILENT_AFTER: Span = Span::seconds(60);
/// What a request costs of 50,000 credits that come back at 10,000 a second, counted here by the minute.
const WEIGHT: u32 = 1;

/// The codec of Deribit.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeribitCodec;

fn channel(wanted: &WantedStream) -> Result<String, VenueError> {
    let symbol = &wanted.symbol;
    Ok(match wanted.kind {
        StreamKind::Klines(interval) => format!("chart.trades.{symbol}.{}", interval_name(interval)?),
        StreamKind::Trades => format!("trades.{symbol}.100ms"),
        StreamKind::Quotes => format!("quote.{symbol}"),
        StreamKind::Marks => format!("ticker.{symbol}.100ms"),
        StreamKind::Book => format!("book.{symbol}.100ms"),
        StreamKind::VolatilityIndex => {
            format!("deribit_volatility_index.{}_usd", symbol.to_lowercase())
        }
    })
}

impl Codec for DeribitCodec {
    fn venue(&self) -> &'static str {
        "deribit"
    }

    fn weight_per_minute(&self) -> u32 {
        // Twenty a second come back without a key, of which a part is left to others behind the same address.
        600
    }

    fn sockets(&self, wanted: &[WantedStream]) -> Result<Vec<SocketPlan>, VenueError> {
        let request = |id: usize, method: &str, params: serde_json::Value| {
            json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
        };
        let plan = |of_socket: &[WantedStream]| {
            let channels = of_socket.iter().map(channel).collect::<Result<Vec<String>, VenueError>>()?;
            let interval = json!({"interval": HEARTBEAT_SECONDS});
            let mut subscribe = vec![request(1, "public/set_heartbeat", interval)];
            let parts = channels.chunks(REQUEST_STREAMS_MAX).enumerate();
            subscribe.extend(parts.map(|(i, c)| request(i + 2, "public/subscribe", json!({"channels": c}))));
            Ok(SocketPlan {
                path: "/ws/api/v2".to_owned(),
                subscribe,
                send_gap: SEND_GAP,
                silent_after: SILENT_AFTER,
                own_ping: None,
                rotate_after: None,
            })
        };
        wanted.chunks(STREAMS_MAX).map(plan).collect()
    }

    fn decode(&self, text: &[u8], out: &mut Vec<PublicEvent>) -> Result<(), DecodeError> {
        let at = out.len();
        streams::decode(utf8(text)?, out).inspect_err(|_| out.truncate(at))
    }

    fn reply(&self, event: &PublicEvent) -> Option<String> {
        let test = || json!({"jsonrpc": "2.0", "id": 0, "method": "public/test", "params": {}}).to_string();
        (*event == PublicEvent::TestRequest).then(test)
    }

    fn request(&self, ask: RestAsk) -> Result<RestRequest, VenueError> {
        let ms = |at: Stamp| at.0.div_euclid(1_000_000);
        let path = match &ask {
            RestAsk::Klines { symbol, interval, from, to, .. } => {
                let (from, to, interval) = (ms(*from), ms(*to) - 1, interval_name(*interval)?);
                format!(
                    "get_tradingview_chart_data?instrument_name={symbol}&start_timestamp={from}&end_timestamp={to}&resolution={interval}"
                )
            }
            RestAsk::Fundings { symbol, from, to, .. } => {
                let (from, to) = (ms(*from), ms(*to));
                format!(
                    "get_funding_rate_history?instrument_name={symbol}&start_timestamp={from}&end_timestamp={to}"
                )
            }
            RestAsk::Rules { asset } => {
                let currency = if asset.is_empty() { "any" } else { asset };
                format!("get_instruments?currency={currency}&expired=false")
            }
            RestAsk::ServerTime => "get_time".to_owned(),
            RestAsk::Depth { symbol } => format!("get_order_book?instrument_name={symbol}&depth=1000"),
            RestAsk::Marks => {
                return Err(VenueError::Unsupported {
                    venue: "deribit",
                    what: "list of marks".to_owned(),
                    way_out: "hear the marks of each instrument".to_owned(),
                });
            }
        };
        let path = format!("/api/v2/public/{path}");
        Ok(RestRequest { method: RestMethod::Get, path, body: String::new(), weight: WEIGHT, ask })
    }

    fn decode_answer(
        &self,
        ask: &RestAsk,
        body: &[u8],
        out: &mut Vec<PublicEvent>,
    ) -> Result<(), DecodeError> {
        let at = out.len();
        answers::decode(ask, utf8(body)?, out).inspect_err(|_| out.truncate(at))
    }
}
