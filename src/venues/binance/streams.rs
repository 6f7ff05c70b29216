//! Messages of Binance's streams. The kind of a message is taken from the name of its stream where that stands first, so that
//! it is read once.

use super::span_of;
use crate::domain::Decimal;
use crate::venues::codec::DecodeError;
use crate::venues::event::{BestQuote, BookUpdate, Kline, MarkPrice, PublicEvent, PublicTrade};
use crate::venues::num::{WireDecimal, WireMillis, WireOption};
use crate::venues::reading::{
    WireText, absurd, id_text, levels, list, not_negative, other, positive, read, side, some_stamp, words,
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Envelopes in one another that are opened: the venue sends one, of lists two.
const ENVELOPES_MAX: u32 = 4;

/// What a message may be, before anybody knows what it is.
#[derive(Deserialize)]
struct MessageHead<'a> {
    #[serde(borrow)]
    stream: Option<WireText<'a>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    e: Option<WireText<'a>>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    code: Option<i64>,
    #[serde(borrow)]
    msg: Option<WireText<'a>>,
    #[serde(rename = "lastUpdateId", borrow)]
    last_update: Option<&'a RawValue>,
    #[serde(borrow)]
    b: Option<&'a RawValue>,
    #[serde(borrow)]
    a: Option<&'a RawValue>,
    st: Option<u8>,
}

#[derive(Deserialize)]
struct VenueRefusal<'a> {
    code: i64,
    #[serde(borrow, default)]
    msg: WireText<'a>,
}

/// What is typed here, by the name of its stream or of its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MessageType {
    Depth,
    PartialDepth,
    BookTicker,
    AggTrade,
    Trade,
    Kline,
    MarkPrice,
}

impl MessageType {
    /// Of the part of a stream's name behind the symbol: `depth5@100ms`, `kline_1m`.
    fn of_stream(name: &str) -> Option<Self> {
        let (_, kind) = name.split_once('@')?;
        let kind = kind.split('@').next().unwrap_or(kind);
        Some(match kind {
            "depth" => MessageType::Depth,
            "depth5" | "depth10" | "depth20" => MessageType::PartialDepth,
            "bookTicker" => MessageType::BookTicker,
            "aggTrade" => MessageType::AggTrade,
            "trade" => MessageType::Trade,
            "markPrice" => MessageType::MarkPrice,
            _ if kind.starts_with("kline_") => MessageType::Kline,
            _ => return None,
        })
    }

    fn of_event(name: &str) -> Option<Self> {
        Some(match name {
            "depthUpdate" => MessageType::Depth,
            "bookTicker" => MessageType::BookTicker,
            "aggTrade" => MessageType::AggTrade,
            "trade" => MessageType::Trade,
            "kline" => MessageType::Kline,
            "markPriceUpdate" => MessageType::MarkPrice,
            _ => return None,
        })
    }
}

#[derive(Deserialize)]
struct WireDepth<'a> {
    #[serde(rename = "E")]
    at: WireMillis,
    #[serde(borrow)]
    s: WireText<'a>,
    #[serde(rename = "U")]
    first: u64,
    u: u64,
    /// Last change of the update before; -1 where there was none.
    pu: Option<i64>,
    b: Vec<(WireDecimal, WireDecimal)>,
    a: Vec<(WireDecimal, WireDecimal)>,
    st: Option<u8>,
}

/// The best prices of a spot book, which say neither symbol nor time.
#[derive(Deserialize)]
struct WirePartial {
    #[serde(rename = "lastUpdateId")]
    last: u64,
    bids: Vec<(WireDecimal, WireDecimal)>,
    asks: Vec<(WireDecimal, WireDecimal)>,
}

#[derive(Deserialize)]
struct WireBookTicker<'a> {
    #[serde(rename = "E")]
    at: Option<WireMillis>,
    u: u64,
    #[serde(borrow)]
    s: WireText<'a>,
    b: WireOption,
    #[serde(rename = "B")]
    bid_size: WireOption,
    a: WireOption,
    #[serde(rename = "A")]
    ask_size: WireOption,
    st: Option<u8>,
}

/// Trades of one order at one price, together.
#[derive(Deserialize)]
struct WireTrade<'a> {
    #[serde(borrow)]
    s: WireText<'a>,
    a: u64,
    p: WireDecimal,
    q: WireDecimal,
    #[serde(rename = "T")]
    at: WireMillis,
    /// The buyer was there first.
    m: bool,
    st: Option<u8>,
}

/// A single trade, whose `a` is the seller's order.
#[derive(Deserialize)]
struct WireSingleTrade<'a> {
    #[serde(borrow)]
    s: WireText<'a>,
    t: u64,
    p: WireDecimal,
    q: WireDecimal,
    #[serde(rename = "T")]
    at: WireMillis,
    m: bool,
    /// `MARKET` for what traders did; else insurance fund or deleveraging.
    #[serde(rename = "X", borrow)]
    kind: Option<WireText<'a>>,
    st: Option<u8>,
}

#[derive(Deserialize)]
struct WireKline<'a> {
    #[serde(rename = "E")]
    at: WireMillis,
    #[serde(borrow)]
    s: WireText<'a>,
    #[serde(borrow)]
    k: WireBar<'a>,
    st: Option<u8>,
}

#[derive(Deserialize)]
struct WireBar<'a> {
    t: WireMillis,
    #[serde(borrow)]
    i: WireText<'a>,
    o: WireDecimal,
    h: WireDecimal,
    l: WireDecimal,
    c: WireDecimal,
    v: WireDecimal,
    #[serde(default)]
    q: WireOption,
    x: bool,
}

#[derive(Deserialize)]
struct WireMark<'a> {
    #[serde(rename = "E")]
    at: WireMillis,
    #[serde(borrow)]
    s: WireText<'a>,
    p: WireDecimal,
    #[serde(default)]
    i: WireOption,
    #[serde(default)]
    r: WireOption,
    #[serde(rename = "T")]
    next: Option<WireMillis>,
    st: Option<u8>,
}

/// Reads a message; after an error nothing was appended.
pub fn decode(text: &str, out: &mut Vec<PublicEvent>) -> Result<(), DecodeError> {
    let at = out.len();
    // What is written as the venue writes it is read once; anything else is looked at first.
    if let Some((kind, stream, data)) = of_stream(text) {
        if typed(kind, data, Some(stream), out).is_ok() {
            return Ok(());
        }
        out.truncate(at);
    }
    any(text, None, ENVELOPES_MAX, out).inspect_err(|_| out.truncate(at))
}

/// What a message is, the name of its stream and what it says, where these are all there is, in the venue's order.
fn of_stream(text: &str) -> Option<(MessageType, &str, &str)> {
    let (stream, rest) = text.strip_prefix("{\"stream\":\"")?.split_once('"')?;
    let data = rest.strip_prefix(",\"data\":")?.strip_suffix('}')?;
    Some((MessageType::of_stream(stream)?, stream, data))
}

/// Reads what may be anything: its head first.
fn any(
    text: &str,
    stream: Option<&str>,
    envelopes: u32,
    out: &mut Vec<PublicEvent>,
) -> Result<(), DecodeError> {
    let inside = |text: &RawValue, stream: Option<&str>, out: &mut Vec<PublicEvent>| {
        let left = envelopes.checked_sub(1);
        let left = left.ok_or_else(|| absurd("a message", "its envelopes", &"more than the venue has"))?;
        any(text.get(), stream, left, out)
    };
    if text.trim_start().starts_with('[') {
        return list("a list of events", text)?.into_iter().try_for_each(|one| inside(one, stream, out));
    }
    let head: MessageHead = read("a message", text)?;
    if let Some(data) = head.data {
        let name = head.stream.as_ref().map_or("", |s| s.0.as_ref());
        return inside(data, Some(name), out);
    }
    if let Some(event) = head.event {
        return inside(event, stream, out);
    }
    if let Some(name) = &head.e {
        // Best prices are named like changes by their event; the stream tells them apart.
        let of_stream = stream.and_then(MessageType::of_stream);
        let partial = of_stream.filter(|kind| *kind == MessageType::PartialDepth);
        if head.st.is_some_and(|st| st != 1) {
            out.push(other(&format!("{} of COIN-M", name.0)));
            return Ok(());
        }
        if let Some(kind) = partial.or_else(|| MessageType::of_event(&name.0)) {
            return typed(kind, text, stream, out);
        }
        out.push(if name.0 == "serverShutdown" { PublicEvent::Shutdown } else { other(&name.0) });
        return Ok(());
    }
    if let Some(kind) = stream.and_then(MessageType::of_stream) {
        return typed(kind, text, stream, out);
    }
    if head.b.is_some() && head.a.is_some() {
        return typed(MessageType::BookTicker, text, stream, out);
    }
    if head.last_update.is_some() {
        return typed(MessageType::PartialDepth, text, stream, out);
    }
    answer(&head, out)
}

/// The answer to a request.
fn answer(head: &MessageHead, out: &mut Vec<PublicEvent>) -> Result<(), DecodeError> {
    let id = id_text(head.id);
    if let Some(error) = head.error {
        let refusal: VenueRefusal = read("a refusal", error.get())?;
        out.push(PublicEvent::Refused { id, code: refusal.code, text: words(&refusal.msg.0) });
    } else if let Some(code) = head.code {
        let text = words(head.msg.as_ref().map_or("", |m| m.0.as_ref()));
        out.push(PublicEvent::Refused { id, code, text });
    } else if head.id.is_some() {
        out.push(PublicEvent::Ack { id });
    } else {
        out.push(other("unnamed"));
    }
    Ok(())
}

/// Reads a message of a known kind.
fn typed(
    kind: MessageType,
    text: &str,
    stream: Option<&str>,
    out: &mut Vec<PublicEvent>,
) -> Result<(), DecodeError> {
    let (event, of_coin_m) = match kind {
        MessageType::Depth => {
            let wire: WireDepth = read("depthUpdate", text)?;
            let coin_m = wire.st.is_some_and(|st| st != 1);
            (PublicEvent::Book(wire.event(false)?), coin_m)
        }
        MessageType::PartialDepth => return partial(text, stream, out),
        MessageType::BookTicker => {
            let wire: WireBookTicker = read("bookTicker", text)?;
            (PublicEvent::Quote(wire.event()?), wire.st.is_some_and(|st| st != 1))
        }
        MessageType::AggTrade => {
            let wire: WireTrade = read("aggTrade", text)?;
            let of = (wire.s, wire.at, wire.p, wire.q);
            (trade("aggTrade", of, wire.m, wire.a, None)?, wire.st.is_some_and(|st| st != 1))
        }
        MessageType::Trade => {
            let wire: WireSingleTrade = read("trade", text)?;
            let of = (wire.s, wire.at, wire.p, wire.q);
            (trade("trade", of, wire.m, wire.t, wire.kind)?, wire.st.is_some_and(|st| st != 1))
        }
        MessageType::Kline => {
            let wire: WireKline = read("kline", text)?;
            let coin_m = wire.st.is_some_and(|st| st != 1);
            (PublicEvent::Kline(wire.event()?), coin_m)
        }
        MessageType::MarkPrice => {
            let wire: WireMark = read("markPriceUpdate", text)?;
            let coin_m = wire.st.is_some_and(|st| st != 1);
            (PublicEvent::Mark(wire.event()?), coin_m)
        }
    };
    out.push(if of_coin_m { other("of COIN-M") } else { event });
    Ok(())
}

/// The best prices of a book: those of the futures look like a change, those of spot have neither symbol nor time.
fn partial(text: &str, stream: Option<&str>, out: &mut Vec<PublicEvent>) -> Result<(), DecodeError> {
    let kind = "partial depth";
    let update = if let Ok(wire) = read::<WireDepth>(kind, text) {
        wire.event(true)?
    } else {
        let wire: WirePartial = read(kind, text)?;
        let symbol = stream.and_then(|name| name.split('@').next()).unwrap_or_default();
        BookUpdate {
            symbol: symbol.to_uppercase(),
            at: None,
            first_id: wire.last,
            last_id: wire.last,
            previous_id: None,
            snapshot: true,
            bids: levels(kind, wire.bids)?,
            asks: levels(kind, wire.asks)?,
        }
    };
    out.push(PublicEvent::Book(update));
    Ok(())
}

/// A trade of the book; what the venue itself has done is none.
fn trade(
    kind: &str,
    (symbol, at, price, size): (WireText, WireMillis, WireDecimal, WireDecimal),
    maker_bought: bool,
    id: u64,
    of: Option<WireText>,
) -> Result<PublicEvent, DecodeError> {
    if let Some(of) = of.filter(|of| of.0 != "MARKET") {
        return Ok(other(&format!("{kind} of {}", of.0)));
    }
    Ok(PublicEvent::Trade(PublicTrade {
        symbol: symbol.0.into_owned(),
        at: at.0,
        price: positive(kind, "its price", price)?,
        size: positive(kind, "its quantity", size)?,
        buys: !maker_bought,
        id,
    }))
}

impl WireDepth<'_> {
    fn event(self, snapshot: bool) -> Result<BookUpdate, DecodeError> {
        if self.u < self.first {
            return Err(absurd("depthUpdate", "its last change", &self.u));
        }
        Ok(BookUpdate {
            symbol: self.s.0.into_owned(),
            at: Some(self.at.0),
            first_id: self.first,
            last_id: self.u,
            previous_id: self.pu.and_then(|before| u64::try_from(before).ok()),
            snapshot,
            bids: levels("depthUpdate", self.b)?,
            asks: levels("depthUpdate", self.a)?,
        })
    }
}

impl WireBookTicker<'_> {
    fn event(&self) -> Result<BestQuote, DecodeError> {
        Ok(BestQuote {
            symbol: self.s.0.as_ref().to_owned(),
            at: some_stamp(self.at),
            bid: side("bookTicker", self.b, self.bid_size)?,
            ask: side("bookTicker", self.a, self.ask_size)?,
            update: Some(self.u),
        })
    }
}

impl WireKline<'_> {
    fn event(self) -> Result<Kline, DecodeError> {
        let kind = "kline";
        let bar = self.k;
        Ok(Kline {
            symbol: self.s.0.into_owned(),
            interval: span_of(&bar.i.0),
            open_at: bar.t.0,
            at: self.at.0,
            open: positive(kind, "its open", bar.o)?,
            high: positive(kind, "its high", bar.h)?,
            low: positive(kind, "its low", bar.l)?,
            close: positive(kind, "its close", bar.c)?,
            volume: not_negative(kind, "its volume", bar.v)?,
            quote_volume: bar.q.0.filter(|q| *q >= Decimal::ZERO),
            closed: bar.x,
        })
    }
}

impl WireMark<'_> {
    fn event(self) -> Result<MarkPrice, DecodeError> {
        Ok(MarkPrice {
            symbol: self.s.0.into_owned(),
            at: Some(self.at.0),
            mark: positive("markPriceUpdate", "its mark", self.p)?,
            index: self.i.0.filter(|i| *i > Decimal::ZERO),
            funding_rate: self.r.0,
            next_funding: some_stamp(self.next),
        })
    }
}
