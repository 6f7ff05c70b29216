//! Answers of Deribit's REST, each in its envelope of JSON-RPC.

use super::terms::RpcError;
use crate::domain::{ContractTerms, Decimal, InstrumentKind, PriceStep, Span, Stamp};
use crate::venues::codec::{DecodeError, RestAsk};
use crate::venues::event::{
    BookUpdate, FundingSettlement, InstrumentRules, Kline, PublicEvent, TradingStatus,
};
use crate::venues::num::{WireDecimal, WireMillis, WireOption};
use crate::venues::reading::{WireText, absurd, levels, not_negative, positive, read, words};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Nothing that is listed ends so late.
const NEVER: Stamp = Stamp(4_102_444_800 * 1_000_000_000);

#[derive(Deserialize)]
struct RpcAnswer<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<RpcError<'a>>,
}

#[derive(Deserialize)]
struct ChartData<'a> {
    #[serde(borrow, default)]
    status: WireText<'a>,
    ticks: Vec<WireMillis>,
    open: Vec<WireDecimal>,
    high: Vec<WireDecimal>,
    low: Vec<WireDecimal>,
    close: Vec<WireDecimal>,
    volume: Vec<WireDecimal>,
    #[serde(default)]
    cost: Vec<WireOption>,
}

#[derive(Deserialize)]
struct FundingRow {
    timestamp: WireMillis,
    interest_1h: WireDecimal,
    #[serde(default)]
    index_price: WireOption,
}

#[derive(Deserialize)]
struct OrderBookAnswer {
    timestamp: WireMillis,
    change_id: u64,
    bids: Vec<(WireDecimal, WireDecimal)>,
    asks: Vec<(WireDecimal, WireDecimal)>,
}

#[derive(Deserialize)]
struct ListedInstrument<'a> {
    #[serde(borrow)]
    instrument_name: WireText<'a>,
    #[serde(borrow)]
    kind: WireText<'a>,
    #[serde(borrow)]
    base_currency: WireText<'a>,
    #[serde(borrow)]
    quote_currency: WireText<'a>,
    #[serde(borrow)]
    settlement_period: Option<WireText<'a>>,
    #[serde(borrow)]
    instrument_type: Option<WireText<'a>>,
    #[serde(borrow)]
    option_type: Option<WireText<'a>>,
    #[serde(default)]
    strike: WireOption,
    /// Milliseconds. Perps end in the year 3000, which is after the last nanosecond that can be counted.
    expiration_timestamp: Option<i64>,
    tick_size: WireDecimal,
    #[serde(default)]
    contract_size: WireOption,
    min_trade_amount: WireDecimal,
    is_active: Option<bool>,
    #[serde(borrow)]
    state: Option<WireText<'a>>,
}

/// Reads the answer to what was asked.
pub fn decode(ask: &RestAsk, body: &str, out: &mut Vec<PublicEvent>) -> Result<(), DecodeError> {
    let answer: RpcAnswer = read("an answer", body)?;
    if let Some(error) = answer.error {
        let (code, text) = (error.code, words(&error.message.0));
        out.push(PublicEvent::Refused { id: String::new(), code, text });
        return Ok(());
    }
    let result = answer.result.ok_or_else(|| absurd("an answer", "its result", &"missing"))?.get();
    match ask {
        RestAsk::Klines { symbol, interval, to, .. } => klines(symbol, *interval, *to, result, out)?,
        RestAsk::Fundings { symbol, .. } => {
            let rows: Vec<FundingRow> = read("get_funding_rate_history", result)?;
            out.extend(rows.into_iter().map(|row| {
                PublicEvent::Funding(FundingSettlement {
                    symbol: symbol.clone(),
                    at: row.timestamp.0,
                    rate: row.interest_1h.0,
                    mark: row.index_price.0,
                })
            }));
        }
        RestAsk::Rules { .. } => {
            // One instrument is answered without a list.
            let listed: Vec<ListedInstrument> = if result.starts_with('[') {
                read("get_instruments", result)?
            } else {
                vec![read("get_instrument", result)?]
            };
            let rules: Result<Vec<Option<InstrumentRules>>, DecodeError> =
                listed.into_iter().map(rules).collect();
            out.push(PublicEvent::Rules(rules?.into_iter().flatten().collect()));
        }
        RestAsk::ServerTime => {
            out.push(PublicEvent::ServerTime(read::<WireMillis>("get_time", result)?.0));
        }
        RestAsk::Depth { symbol } => {
            let wire: OrderBookAnswer = read("get_order_book", result)?;
            out.push(PublicEvent::Book(BookUpdate {
                symbol: symbol.clone(),
                at: Some(wire.timestamp.0),
                first_id: wire.change_id,
                last_id: wire.change_id,
                previous_id: None,
                snapshot: true,
                bids: levels("get_order_book", wire.bids)?,
                asks: levels("get_order_book", wire.asks)?,
            }));
        }
        RestAsk::Marks => return Err(absurd("an answer", "a list of marks", &"asked for")),
    }
    Ok(())
}

fn klines(
    symbol: &str,
    interval: Span,
    to: Stamp,
    result: &str,
    out: &mut Vec<PublicEvent>,
) -> Result<(), DecodeError> {
    let kind = "get_tradingview_chart_data";
    let data: ChartData = read(kind, result)?;
    let count = data.ticks.len();
    if [&data.open, &data.high, &data.low, &data.close, &data.volume].iter().any(|c| c.len() != count) {
        return Err(absurd(kind, "columns of unequal length, status", &data.status.0));
    }
    let prices = data.open.iter().zip(&data.high).zip(&data.low).zip(&data.close);
    for (row, ((tick, (((open, high), low), close)), volume)) in
        data.ticks.iter().zip(prices).zip(&data.volume).enumerate()
    {
        let end = tick.0.after(interval);
        out.push(PublicEvent::Kline(Kline {
            symbol: symbol.to_owned(),
            interval,
            open_at: tick.0,
            at: end,
            open: positive(kind, "an open", *open)?,
            high: positive(kind, "a high", *high)?,
            low: positive(kind, "a low", *low)?,
            close: positive(kind, "a close", *close)?,
            volume: not_negative(kind, "a volume", *volume)?,
            quote_volume: data.cost.get(row).and_then(|c| c.0),
            closed: end <= to,
        }));
    }
    Ok(())
}

/// None of combinations, which nothing here trades.
fn rules(wire: ListedInstrument) -> Result<Option<InstrumentRules>, DecodeError> {
    let what = "get_instruments";
    let expiry =
        wire.expiration_timestamp.map(|ms| Stamp(ms.saturating_mul(1_000_000))).filter(|at| *at < NEVER);
    let inverse = wire.instrument_type.as_ref().is_none_or(|t| t.0 == "reversed");
    let perpetual = wire.settlement_period.as_ref().is_some_and(|p| p.0 == "perpetual");
    let (kind, terms) = match (wire.kind.0.as_ref(), expiry) {
        ("future", _) if perpetual => (InstrumentKind::Perp, ContractTerms::Plain),
        ("future", Some(expiry)) => (InstrumentKind::Future, ContractTerms::Future { expiry }),
        ("spot", _) => (InstrumentKind::Spot, ContractTerms::Plain),
        ("option", Some(expiry)) => {
            let strike = wire.strike.0.ok_or_else(|| absurd(what, "the strike", &"missing"))?;
            let strike = crate::domain::money::to_estimate(strike);
            let call = wire.option_type.as_ref().is_some_and(|t| t.0 == "call");
            (InstrumentKind::Option, ContractTerms::Option { expiry, strike, call, inverse })
        }
        _ => return Ok(None),
    };
    let active = wire.is_active != Some(false);
    let state = wire.state.as_ref().map_or("", |s| s.0.as_ref());
    Ok(Some(InstrumentRules {
        symbol: wire.instrument_name.0.into_owned(),
        base: wire.base_currency.0.into_owned(),
        quote: wire.quote_currency.0.into_owned(),
        kind,
        terms,
        tick: PriceStep::Tick(positive(what, "a tick", wire.tick_size)?),
        lot: positive(what, "a lot", wire.min_trade_amount)?,
        min_notional: Decimal::ZERO,
        contract: wire.contract_size.0.unwrap_or(Decimal::ONE),
        inverse: inverse && !matches!(kind, InstrumentKind::Option | InstrumentKind::Spot),
        status: match state {
            "" | "open" if active => TradingStatus::Trading,
            "" => TradingStatus::Restricted("inactive".to_owned()),
            state => TradingStatus::Restricted(words(state)),
        },
    }))
}
