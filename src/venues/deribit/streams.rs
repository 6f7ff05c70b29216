//! Messages of Deribit's socket: notifications of channels, answers, heartbeats.

use super::terms::{RpcError, of_percent, span_of};
use crate::domain::{Decimal, Stamp};
use crate::venues::codec::DecodeError;
use crate::venues::event::{
    BestQuote, BookUpdate, ImpliedQuote, Kline, MarkPrice, PriceLevel, PublicEvent, PublicTrade,
};
use crate::venues::num::{WireDecimal, WireMillis, WireOption};
use crate::venues::reading::{
    WireText, absurd, id_text, levels, list, not_negative, other, positive, read, side, words,
};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct RpcMessage<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<WireText<'a>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<RpcError<'a>>,
}

#[derive(Deserialize)]
struct RpcNotice<'a> {
    #[serde(borrow)]
    channel: WireText<'a>,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct RpcHeartbeat<'a> {
    #[serde(borrow, rename = "type")]
    kind: WireText<'a>,
}

#[derive(Deserialize)]
struct DeribitBook<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<WireText<'a>>,
    #[serde(borrow)]
    instrument_name: WireText<'a>,
    timestamp: WireMillis,
    change_id: u64,
    prev_change_id: Option<u64>,
    #[serde(borrow)]
    bids: Vec<&'a RawValue>,
    #[serde(borrow)]
    asks: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct DeribitTicker<'a> {
    timestamp: WireMillis,
    #[serde(borrow)]
    instrument_name: WireText<'a>,
    mark_price: WireOption,
    #[serde(default)]
    index_price: WireOption,
    #[serde(default)]
    best_bid_price: WireOption,
    #[serde(default)]
    best_bid_amount: WireOption,
    #[serde(default)]
    best_ask_price: WireOption,
    #[serde(default)]
    best_ask_amount: WireOption,
    #[serde(default)]
    current_funding: WireOption,
    #[serde(default)]
    mark_iv: WireOption,
    #[serde(default)]
    bid_iv: WireOption,
    #[serde(default)]
    ask_iv: WireOption,
    #[serde(default)]
    underlying_price: WireOption,
    #[serde(default)]
    open_interest: WireOption,
}

#[derive(Deserialize)]
struct DeribitQuote<'a> {
    timestamp: WireMillis,
    #[serde(borrow)]
    instrument_name: WireText<'a>,
    best_bid_price: WireOption,
    best_bid_amount: WireOption,
    best_ask_price: WireOption,
    best_ask_amount: WireOption,
}

#[derive(Deserialize)]
struct DeribitTrade<'a> {
    timestamp: WireMillis,
    #[serde(borrow)]
    instrument_name: WireText<'a>,
    price: WireDecimal,
    amount: WireDecimal,
    #[serde(borrow)]
    direction: WireText<'a>,
    trade_seq: u64,
}

#[derive(Deserialize)]
struct DeribitIndex<'a> {
    timestamp: WireMillis,
    volatility: WireDecimal,
    #[serde(borrow)]
    index_name: WireText<'a>,
}

#[derive(Deserialize)]
struct DeribitChart {
    tick: WireMillis,
    open: WireDecimal,
    high: WireDecimal,
    low: WireDecimal,
    close: WireDecimal,
    volume: WireDecimal,
    #[serde(default)]
    cost: WireOption,
}

/// Reads a message.
pub fn decode(text: &str, out: &mut Vec<PublicEvent>) -> Result<(), DecodeError> {
    let message: RpcMessage = read("a message", text)?;
    let params = message.params.map_or("null", |p| p.get());
    match message.method.as_ref().map(|m| m.0.as_ref()) {
        Some("subscription") => {
            let notice: RpcNotice = read("a notification", params)?;
            return notification(&notice.channel.0, notice.data.get(), out);
        }
        Some("heartbeat") => {
            let beat: RpcHeartbeat = read("a heartbeat", params)?;
            let asks = beat.kind.0 == "test_request";
            out.push(if asks { PublicEvent::TestRequest } else { other("heartbeat") });
        }
        Some(method) => out.push(other(method)),
        None => {
            let id = id_text(message.id);
            out.push(match message.error {
                Some(e) => PublicEvent::Refused { id, code: e.code, text: words(&e.message.0) },
                None if message.id.is_some() => PublicEvent::Ack { id },
                None => return Err(absurd("a message", "one without id and method", &"read")),
            });
        }
    }
    Ok(())
}

/// Reads what a channel says: `ticker.BTC-PERPETUAL.100ms`.
fn notification(channel: &str, data: &str, out: &mut Vec<PublicEvent>) -> Result<(), DecodeError> {
    let mut parts = channel.split('.');
    match parts.next().unwrap_or_default() {
        "book" => out.push(book(data)?),
        "ticker" | "incremental_ticker" => ticker(data, out)?,
        "quote" => {
            let wire: DeribitQuote = read("quote", data)?;
            let bid = side("quote", wire.best_bid_price, wire.best_bid_amount)?;
            let ask = side("quote", wire.best_ask_price, wire.best_ask_amount)?;
            let symbol = wire.instrument_name.0.into_owned();
            out.push(PublicEvent::Quote(BestQuote {
                symbol,
                at: Some(wire.timestamp.0),
                bid,
                ask,
                update: None,
            }));
        }
        "trades" => {
            for one in read::<Vec<DeribitTrade>>("trades", data)? {
                out.push(one.event()?);
            }
        }
        "chart" => {
            let (symbol, interval) = (parts.nth(1).unwrap_or_default(), parts.next().unwrap_or_default());
            out.push(chart(symbol, interval, data)?);
        }
        "deribit_volatility_index" => {
            let wire: DeribitIndex = read("deribit_volatility_index", data)?;
            let asset = wire.index_name.0.split('_').next().unwrap_or_default().to_uppercase();
            let value = positive("deribit_volatility_index", "its value", wire.volatility)?;
            out.push(PublicEvent::VolatilityIndex { asset, at: wire.timestamp.0, value: of_percent(value) });
        }
        kind => out.push(other(kind)),
    }
    Ok(())
}

fn book(data: &str) -> Result<PublicEvent, DecodeError> {
    let wire: DeribitBook = read("book", data)?;
    // A grouped book comes whole each time and does not say so.
    let snapshot = wire.kind.as_ref().is_none_or(|kind| kind.0 == "snapshot");
    Ok(PublicEvent::Book(BookUpdate {
        symbol: wire.instrument_name.0.into_owned(),
        at: Some(wire.timestamp.0),
        first_id: wire.change_id,
        last_id: wire.change_id,
        previous_id: wire.prev_change_id,
        snapshot,
        bids: book_side(&wire.bids)?,
        asks: book_side(&wire.asks)?,
    }))
}

/// Prices of a book as `["new", price, amount]`, of a grouped one as `[price, amount]`.
fn book_side(all: &[&RawValue]) -> Result<Vec<PriceLevel>, DecodeError> {
    let kind = "a price of the book";
    let number = |token: &RawValue| read::<WireDecimal>(kind, token.get());
    let mut out = Vec::with_capacity(all.len());
    for one in all {
        let (price, size) = match list(kind, one.get())?.as_slice() {
            [what, price, _] if what.get() == "\"delete\"" => (number(price)?, WireDecimal(Decimal::ZERO)),
            [_, price, size] | [price, size] => (number(price)?, number(size)?),
            _ => return Err(absurd("book", "a price", &one.get())),
        };
        out.extend(levels("book", [(price, size)])?);
    }
    Ok(out)
}

fn ticker(data: &str, out: &mut Vec<PublicEvent>) -> Result<(), DecodeError> {
    let wire: DeribitTicker = read("ticker", data)?;
    let bid = side("ticker", wire.best_bid_price, wire.best_bid_amount)?;
    let ask = side("ticker", wire.best_ask_price, wire.best_ask_amount)?;
    let (symbol, at) = (wire.instrument_name.0.into_owned(), wire.timestamp.0);
    let Some(mark) = wire.mark_price.0.filter(|mark| *mark > Decimal::ZERO) else {
        // An instrument that was made this moment has no mark yet.
        out.push(other("ticker without a mark"));
        return Ok(());
    };
    let above_zero = |x: WireOption| x.0.filter(|x| *x > Decimal::ZERO);
    if let Some(mark_iv) = above_zero(wire.mark_iv) {
        let forward = wire.underlying_price.0.map(WireDecimal);
        let forward = forward.ok_or_else(|| absurd("ticker", "the price of the underlying", &"missing"))?;
        out.push(PublicEvent::Implied(ImpliedQuote {
            symbol,
            at,
            mark,
            mark_iv: of_percent(mark_iv),
            bid_iv: above_zero(wire.bid_iv).map(of_percent),
            ask_iv: above_zero(wire.ask_iv).map(of_percent),
            forward: positive("ticker", "the price of the underlying", forward)?,
            index: above_zero(wire.index_price),
            bid,
            ask,
            open_interest: wire.open_interest.0,
        }));
        return Ok(());
    }
    out.push(PublicEvent::Quote(BestQuote { symbol: symbol.clone(), at: Some(at), bid, ask, update: None }));
    out.push(PublicEvent::Mark(MarkPrice {
        symbol,
        at: Some(at),
        mark,
        index: above_zero(wire.index_price),
        funding_rate: wire.current_funding.0,
        next_funding: None,
    }));
    Ok(())
}

impl DeribitTrade<'_> {
    fn event(self) -> Result<PublicEvent, DecodeError> {
        let buys = match self.direction.0.as_ref() {
            "buy" => true,
            "sell" => false,
            direction => return Err(absurd("trades", "a direction", &direction)),
        };
        Ok(PublicEvent::Trade(PublicTrade {
            symbol: self.instrument_name.0.into_owned(),
            at: self.timestamp.0,
            price: positive("trades", "a price", self.price)?,
            size: positive("trades", "a quantity", self.amount)?,
            buys,
            id: self.trade_seq,
        }))
    }
}

fn chart(symbol: &str, interval: &str, data: &str) -> Result<PublicEvent, DecodeError> {
    let wire: DeribitChart = read("chart", data)?;
    let (kind, interval) = ("chart", span_of(interval));
    Ok(PublicEvent::Kline(Kline {
        symbol: symbol.to_owned(),
        interval,
        open_at: wire.tick.0,
        at: Stamp(wire.tick.0.0.saturating_add(interval.0)),
        open: positive(kind, "its open", wire.open)?,
        high: positive(kind, "its high", wire.high)?,
        low: positive(kind, "its low", wire.low)?,
        close: positive(kind, "its close", wire.close)?,
        volume: not_negative(kind, "its volume", wire.volume)?,
        quote_volume: wire.cost.0,
        closed: false,
    }))
}
