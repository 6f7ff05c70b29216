//! Hyperliquid, in public: best prices, trades, contexts of assets, bars and books that always come whole.
//!
//! Times are milliseconds. A coin is a perp by its name (`BTC`, `kPEPE`, `dex:COIN`), a spot pair by `@n` or `PURR/USDC`. Who
//! subscribes a coin that is not listed hears nothing and then loses the socket with all else on it. Since 2026-07 a book
//! comes every five seconds; `fast` gives five levels twice a second, so the top is heard as `bbo`.
//!
//! Sources: hyperliquid.gitbook.io, "WebSocket subscriptions", "Info endpoint", "Rate limits", "Tick and lot size".

use crate::domain::{ContractTerms, Decimal, InstrumentKind, PriceStep, Span, Stamp};
use crate::venues::codec::{
    Codec, DecodeError, RestAsk, RestMethod, RestRequest, SocketPlan, StreamKind, VenueError, WantedStream,
};
use crate::venues::event::{
    BestQuote, BookUpdate, FundingSettlement, InstrumentRules, Kline, MarkPrice, PriceLevel, PublicEvent,
    PublicTrade, TradingStatus,
};
use crate::venues::num::{WireDecimal, WireMillis, WireOption};
use crate::venues::reading::{WireText, absurd, levels, not_negative, other, positive, read, utf8, words};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

/// Subscriptions on a socket: the venue allows 1,000 an address.
const STREAMS_MAX: usize = 200;
/// The venue takes 2,000 messages a minute of an address.
const SEND_GAP: Span = Span(100_000_000);
/// The venue cuts who says nothing for a minute.
const PING_EVERY: Span = Span::seconds(30);
/// Contexts come every few seconds.
const SILENT_AFTER: Span = Span::seconds(30);
/// The smallest order, in dollars.
const MIN_NOTIONAL: i64 = 10;
/// Significant digits of a price, and digits after the point of a perp's price and size together.
const SIGNIFICANT: u32 = 5;
const PERP_DECIMALS: u32 = 6;
/// Bars that are answered at once, and settlements of funding.
const KLINES_MAX: u32 = 5_000;
const FUNDINGS_MAX: u32 = 500;

/// The codec of Hyperliquid.
#[derive(Clone, Copy, Debug, Default)]
pub struct HyperliquidCodec;

const INTERVALS: [(&str, Span); 13] = [
    ("1m", Span::MINUTE),
    ("3m", Span(3 * Span::MINUTE.0)),
    ("5m", Span(5 * Span::MINUTE.0)),
    ("15m", Span(15 * Span::MINUTE.0)),
    ("30m", Span(30 * Span::MINUTE.0)),
    ("1h", Span::HOUR),
    ("2h", Span(2 * Span::HOUR.0)),
    ("4h", Span(4 * Span::HOUR.0)),
    ("8h", Span(8 * Span::HOUR.0)),
    ("12h", Span(12 * Span::HOUR.0)),
    ("1d", Span::DAY),
    ("3d", Span(3 * Span::DAY.0)),
    ("1w", Span(7 * Span::DAY.0)),
];

#[derive(Deserialize)]
struct HlMessage<'a> {
    #[serde(borrow)]
    channel: Option<WireText<'a>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct HlBook<'a> {
    #[serde(borrow)]
    coin: WireText<'a>,
    time: WireMillis,
    levels: [Vec<HlLevel>; 2],
}

#[derive(Clone, Copy, Deserialize)]
struct HlLevel {
    px: WireDecimal,
    sz: WireDecimal,
}

#[derive(Deserialize)]
struct HlBest<'a> {
    #[serde(borrow)]
    coin: WireText<'a>,
    time: WireMillis,
    bbo: [Option<HlLevel>; 2],
}

#[derive(Deserialize)]
struct HlTrade<'a> {
    #[serde(borrow)]
    coin: WireText<'a>,
    px: WireDecimal,
    sz: WireDecimal,
    #[serde(borrow)]
    side: WireText<'a>,
    time: WireMillis,
    tid: u64,
}

#[derive(Deserialize)]
struct HlAsset<'a> {
    #[serde(borrow)]
    coin: WireText<'a>,
    ctx: HlContext,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HlContext {
    mark_px: WireOption,
    #[serde(default)]
    oracle_px: WireOption,
    #[serde(default)]
    funding: WireOption,
}

#[derive(Deserialize)]
struct HlCandle<'a> {
    t: WireMillis,
    #[serde(borrow)]
    s: WireText<'a>,
    #[serde(borrow)]
    i: WireText<'a>,
    o: WireDecimal,
    h: WireDecimal,
    l: WireDecimal,
    c: WireDecimal,
    v: WireDecimal,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HlFunding<'a> {
    #[serde(borrow)]
    coin: WireText<'a>,
    funding_rate: WireDecimal,
    time: WireMillis,
}

#[derive(Deserialize)]
struct HlMeta<'a> {
    #[serde(borrow)]
    universe: Vec<HlListed<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HlListed<'a> {
    #[serde(borrow)]
    name: WireText<'a>,
    sz_decimals: u32,
    is_delisted: Option<bool>,
}

fn span_of(interval: &str) -> Span {
    INTERVALS.iter().find(|(name, _)| *name == interval).map_or(Span(0), |(_, span)| *span)
}

fn both_sides(kind: &str, sides: [Vec<HlLevel>; 2]) -> Result<[Vec<PriceLevel>; 2], DecodeError> {
    let of = |side: Vec<HlLevel>| levels(kind, side.into_iter().map(|l| (l.px, l.sz)));
    let [bids, asks] = sides;
    Ok([of(bids)?, of(asks)?])
}

impl HlBook<'_> {
    fn event(self) -> Result<PublicEvent, DecodeError> {
        let [bids, asks] = both_sides("l2Book", self.levels)?;
        // The venue does not count its books: their times do, which never go back.
        let id = u64::try_from(self.time.0.0).map_err(|_| absurd("l2Book", "its time", &self.time.0))?;
        Ok(PublicEvent::Book(BookUpdate {
            symbol: self.coin.0.into_owned(),
            at: Some(self.time.0),
            first_id: id,
            last_id: id,
            previous_id: None,
            snapshot: true,
            bids,
            asks,
        }))
    }
}

impl HlBest<'_> {
    fn event(self) -> Result<PublicEvent, DecodeError> {
        let side = |level: Option<HlLevel>| match level {
            Some(l) => Ok(Some((positive("bbo", "a price", l.px)?, not_negative("bbo", "a size", l.sz)?))),
            None => Ok(None),
        };
        let [bid, ask] = self.bbo;
        Ok(PublicEvent::Quote(BestQuote {
            symbol: self.coin.0.into_owned(),
            at: Some(self.time.0),
            bid: side(bid)?,
            ask: side(ask)?,
            update: None,
        }))
    }
}

impl HlTrade<'_> {
    fn event(self) -> Result<PublicEvent, DecodeError> {
        let buys = match self.side.0.as_ref() {
            "B" => true,
            "A" => false,
            side => return Err(absurd("trades", "a side", &side)),
        };
        Ok(PublicEvent::Trade(PublicTrade {
            symbol: self.coin.0.into_owned(),
            at: self.time.0,
            price: positive("trades", "a price", self.px)?,
            size: positive("trades", "a quantity", self.sz)?,
            buys,
            id: self.tid,
        }))
    }
}

impl HlContext {
    /// None where the venue has no mark, as of an asset that is not traded any more.
    fn event(&self, symbol: String) -> Option<PublicEvent> {
        let mark = self.mark_px.0.filter(|mark| *mark > Decimal::ZERO)?;
        let index = self.oracle_px.0.filter(|px| *px > Decimal::ZERO);
        let (at, next_funding, funding_rate) = (None, None, self.funding.0);
        Some(PublicEvent::Mark(MarkPrice { symbol, at, mark, index, funding_rate, next_funding }))
    }
}

impl HlCandle<'_> {
    /// A bar that is whole at `until`; that of a stream is left to who hears it.
    fn event(self, until: Option<Stamp>) -> Result<PublicEvent, DecodeError> {
        let kind = "candle";
        let interval = span_of(&self.i.0);
        let end = self.t.0.after(interval);
        Ok(PublicEvent::Kline(Kline {
            symbol: self.s.0.into_owned(),
            interval,
            open_at: self.t.0,
            at: end,
            open: positive(kind, "its open", self.o)?,
            high: positive(kind, "its high", self.h)?,
            low: positive(kind, "its low", self.l)?,
            close: positive(kind, "its close", self.c)?,
            volume: not_negative(kind, "its volume", self.v)?,
            quote_volume: None,
            closed: until.is_some_and(|until| end <= until),
        }))
    }
}

fn rules(listed: HlListed) -> Result<InstrumentRules, DecodeError> {
    let size = listed.sz_decimals;
    let decimals = PERP_DECIMALS.checked_sub(size).ok_or_else(|| absurd("meta", "szDecimals", &size))?;
    Ok(InstrumentRules {
        base: listed.name.0.as_ref().to_owned(),
        symbol: listed.name.0.into_owned(),
        quote: "USDC".to_owned(),
        kind: InstrumentKind::Perp,
        terms: ContractTerms::Plain,
        tick: PriceStep::Digits { significant: SIGNIFICANT, decimals },
        lot: Decimal::new(1, size),
        min_notional: Decimal::from(MIN_NOTIONAL),
        contract: Decimal::ONE,
        inverse: false,
        status: if listed.is_delisted == Some(true) {
            TradingStatus::Restricted("delisted".to_owned())
        } else {
            TradingStatus::Trading
        },
    })
}

fn message(text: &str, out: &mut Vec<PublicEvent>) -> Result<(), DecodeError> {
    let head: HlMessage = read("a message", text)?;
    let Some(channel) = head.channel else { return answer_without_channel(text, out) };
    let data = head.data.map_or("null", |d| d.get());
    match channel.0.as_ref() {
        "l2Book" => out.push(read::<HlBook>("l2Book", data)?.event()?),
        "bbo" => out.push(read::<HlBest>("bbo", data)?.event()?),
        "trades" => {
            for trade in read::<Vec<HlTrade>>("trades", data)? {
                out.push(trade.event()?);
            }
        }
        "activeAssetCtx" | "activeSpotAssetCtx" => {
            let asset: HlAsset = read("activeAssetCtx", data)?;
            out.push(asset.ctx.event(asset.coin.0.into_owned()).unwrap_or_else(|| other("no mark")));
        }
        "candle" => out.push(read::<HlCandle>("candle", data)?.event(None)?),
        "subscriptionResponse" => out.push(PublicEvent::Ack { id: String::new() }),
        "pong" => out.push(PublicEvent::Pong),
        "error" => {
            let text = read::<WireText>("error", data).map_or_else(|_| words("no text"), |t| words(&t.0));
            out.push(PublicEvent::Refused { id: String::new(), code: 0, text });
        }
        kind => out.push(other(kind)),
    }
    Ok(())
}

/// Books are also sent without the name of a channel around them: as the answer of REST.
fn answer_without_channel(text: &str, out: &mut Vec<PublicEvent>) -> Result<(), DecodeError> {
    out.push(read::<HlBook>("l2Book", text)?.event()?);
    Ok(())
}

fn answer(ask: &RestAsk, body: &str, out: &mut Vec<PublicEvent>) -> Result<(), DecodeError> {
    match ask {
        RestAsk::Klines { to, .. } => {
            for candle in read::<Vec<HlCandle>>("candleSnapshot", body)? {
                out.push(candle.event(Some(*to))?);
            }
        }
        RestAsk::Fundings { .. } => {
            let all: Vec<HlFunding> = read("fundingHistory", body)?;
            out.extend(all.into_iter().map(|f| {
                let (symbol, at, rate) = (f.coin.0.into_owned(), f.time.0, f.funding_rate.0);
                PublicEvent::Funding(FundingSettlement { symbol, at, rate, mark: None })
            }));
        }
        RestAsk::Rules { .. } => {
            let meta: HlMeta = read("meta", body)?;
            out.push(PublicEvent::Rules(meta.universe.into_iter().map(rules).collect::<Result<_, _>>()?));
        }
        RestAsk::Marks => {
            let (meta, contexts): (HlMeta, Vec<HlContext>) = read("metaAndAssetCtxs", body)?;
            if meta.universe.len() != contexts.len() {
                return Err(absurd("metaAndAssetCtxs", "the number of contexts", &contexts.len()));
            }
            let named = meta.universe.into_iter().zip(contexts);
            out.extend(named.filter_map(|(listed, context)| context.event(listed.name.0.into_owned())));
        }
        RestAsk::Depth { .. } => out.push(read::<HlBook>("l2Book", body)?.event()?),
        RestAsk::ServerTime => {
            out.push(PublicEvent::ServerTime(read::<HlBook>("l2Book", body)?.time.0));
        }
    }
    Ok(())
}

impl Codec for HyperliquidCodec {
    fn venue(&self) -> &'static str {
        "hyperliquid"
    }

    fn weight_per_minute(&self) -> u32 {
        1_200
    }

    fn sockets(&self, wanted: &[WantedStream]) -> Result<Vec<SocketPlan>, VenueError> {
        let subscribe = |w: &WantedStream| {
            let coin = &w.symbol;
            let subscription = match w.kind {
                StreamKind::Klines(interval) => {
                    json!({"type": "candle", "coin": coin, "interval": interval_name(interval)?})
                }
                StreamKind::Trades => json!({"type": "trades", "coin": coin}),
                StreamKind::Quotes => json!({"type": "bbo", "coin": coin}),
                StreamKind::Marks => json!({"type": "activeAssetCtx", "coin": coin}),
                StreamKind::Book => json!({"type": "l2Book", "coin": coin, "fast": true}),
                StreamKind::VolatilityIndex => {
                    return Err(unsupported(format!("volatility index of {coin}"), "ask Deribit for one"));
                }
            };
            Ok(json!({"method": "subscribe", "subscription": subscription}).to_string())
        };
        let plan = |of_socket: &[WantedStream]| {
            Ok(SocketPlan {
                path: "/ws".to_owned(),
                subscribe: of_socket.iter().map(subscribe).collect::<Result<_, _>>()?,
                send_gap: SEND_GAP,
                silent_after: SILENT_AFTER,
                own_ping: Some((PING_EVERY, r#"{"method":"ping"}"#.to_owned())),
                rotate_after: None,
            })
        };
        wanted.chunks(STREAMS_MAX).map(plan).collect()
    }

    fn decode(&self, text: &[u8], out: &mut Vec<PublicEvent>) -> Result<(), DecodeError> {
        let at = out.len();
        message(utf8(text)?, out).inspect_err(|_| out.truncate(at))
    }

    fn request(&self, ask: RestAsk) -> Result<RestRequest, VenueError> {
        let ms = |at: Stamp| at.0.div_euclid(1_000_000);
        let (body, weight) = match &ask {
            RestAsk::Klines { symbol, interval, from, to, limit } => {
                let limit = (*limit).clamp(1, KLINES_MAX);
                // The venue has no limit of its own: so many bars fit between the ends.
                let last = from.after(Span(interval.0.saturating_mul(i64::from(limit)))).min(*to);
                let req = json!({"coin": symbol, "interval": interval_name(*interval)?, "startTime": ms(*from),
                    "endTime": ms(last) - 1});
                (json!({"type": "candleSnapshot", "req": req}), 20 + limit / 60)
            }
            RestAsk::Fundings { symbol, from, to, .. } => {
                let (from, to) = (ms(*from), ms(*to));
                let body =
                    json!({"type": "fundingHistory", "coin": symbol, "startTime": from, "endTime": to});
                (body, 20 + FUNDINGS_MAX / 20)
            }
            RestAsk::Rules { .. } => (json!({"type": "meta"}), 20),
            RestAsk::Marks => (json!({"type": "metaAndAssetCtxs"}), 20),
            RestAsk::Depth { symbol } => (json!({"type": "l2Book", "coin": symbol}), 2),
            // There is no clock to be asked; a book carries its time.
            RestAsk::ServerTime => (json!({"type": "l2Book", "coin": "BTC"}), 2),
        };
        let (path, body) = ("/info".to_owned(), body.to_string());
        Ok(RestRequest { method: RestMethod::Post, path, body, weight, ask })
    }

    fn decode_answer(
        &self,
        ask: &RestAsk,
        body: &[u8],
        out: &mut Vec<PublicEvent>,
    ) -> Result<(), DecodeError> {
        let at = out.len();
        answer(ask, utf8(body)?, out).inspect_err(|_| out.truncate(at))
    }
}

fn unsupported(what: String, way_out: &str) -> VenueError {
    VenueError::Unsupported { venue: "hyperliquid", what, way_out: way_out.to_owned() }
}

fn interval_name(interval: Span) -> Result<&'static str, VenueError> {
    let found = INTERVALS.iter().find(|(_, span)| *span == interval);
    let way_out = || format!("ask for one of {}", INTERVALS.map(|i| i.0).join(", "));
    found.map(|(name, _)| *name).ok_or_else(|| unsupported(format!("bars of {interval}"), &way_out()))
}
