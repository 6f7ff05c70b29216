//! Answers of Binance's REST: bars, funding, rules, books, marks, the clock.

use crate::domain::{ContractTerms, Decimal, InstrumentKind, PriceStep, Stamp};
use crate::venues::codec::{DecodeError, RestAsk};
use crate::venues::event::{
    BookUpdate, FundingSettlement, InstrumentRules, Kline, MarkPrice, PublicEvent, TradingStatus,
};
use crate::venues::num::{WireDecimal, WireMillis, WireOption};
use crate::venues::reading::{
    WireText, absurd, levels, list, not_negative, positive, read, some_stamp, words,
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Perps have this delivery date, or one still later: the year 2100.
const NEVER: Stamp = Stamp(4_102_444_800 * 1_000_000_000);

#[derive(Deserialize)]
struct WireServerTime {
    #[serde(rename = "serverTime")]
    at: WireMillis,
}

#[derive(Deserialize)]
struct WireFunding<'a> {
    #[serde(borrow)]
    symbol: WireText<'a>,
    #[serde(rename = "fundingTime")]
    at: WireMillis,
    #[serde(rename = "fundingRate")]
    rate: WireDecimal,
    #[serde(rename = "markPrice", default)]
    mark: WireOption,
}

#[derive(Deserialize)]
struct WirePremium<'a> {
    #[serde(borrow)]
    symbol: WireText<'a>,
    #[serde(rename = "markPrice")]
    mark: WireDecimal,
    #[serde(rename = "indexPrice", default)]
    index: WireOption,
    #[serde(rename = "lastFundingRate", default)]
    rate: WireOption,
    #[serde(rename = "nextFundingTime")]
    next: Option<WireMillis>,
    time: Option<WireMillis>,
}

#[derive(Deserialize)]
struct WireDepthAnswer {
    #[serde(rename = "lastUpdateId")]
    last: u64,
    #[serde(rename = "E")]
    at: Option<WireMillis>,
    bids: Vec<(WireDecimal, WireDecimal)>,
    asks: Vec<(WireDecimal, WireDecimal)>,
}

#[derive(Deserialize)]
struct WireListing<'a> {
    #[serde(borrow)]
    symbols: Vec<WireSymbol<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSymbol<'a> {
    #[serde(borrow)]
    symbol: WireText<'a>,
    #[serde(borrow)]
    base_asset: WireText<'a>,
    #[serde(borrow)]
    quote_asset: WireText<'a>,
    #[serde(borrow, alias = "contractStatus")]
    status: Option<WireText<'a>>,
    #[serde(borrow)]
    contract_type: Option<WireText<'a>>,
    delivery_date: Option<WireMillis>,
    #[serde(default)]
    contract_size: WireOption,
    #[serde(borrow, default)]
    filters: Vec<WireFilter<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFilter<'a> {
    #[serde(borrow)]
    filter_type: WireText<'a>,
    #[serde(default)]
    tick_size: WireOption,
    #[serde(default)]
    step_size: WireOption,
    #[serde(default)]
    notional: WireOption,
    #[serde(default)]
    min_notional: WireOption,
}

#[derive(Deserialize)]
struct WireRefusal<'a> {
    code: i64,
    #[serde(borrow)]
    msg: WireText<'a>,
}

/// A refusal is no longer than this; nothing longer is looked at as one.
const REFUSAL_MAX: usize = 1_024;

/// Reads the answer to what was asked.
pub fn decode(ask: &RestAsk, body: &str, out: &mut Vec<PublicEvent>) -> Result<(), DecodeError> {
    if body.len() < REFUSAL_MAX
        && let Ok(refusal) = read::<WireRefusal>("a refusal", body)
    {
        let (code, text) = (refusal.code, words(&refusal.msg.0));
        out.push(PublicEvent::Refused { id: String::new(), code, text });
        return Ok(());
    }
    match ask {
        RestAsk::Klines { symbol, interval, to, .. } => {
            for row in list("klines", body)? {
                let mut bar = kline(symbol, row)?;
                bar.interval = *interval;
                bar.at = bar.open_at.after(*interval);
                bar.closed = bar.at <= *to;
                out.push(PublicEvent::Kline(bar));
            }
        }
        RestAsk::Fundings { .. } => {
            let all: Vec<WireFunding> = read("fundingRate", body)?;
            out.extend(all.into_iter().map(|f| {
                let mark = f.mark.0.filter(|m| *m > Decimal::ZERO);
                let symbol = f.symbol.0.into_owned();
                PublicEvent::Funding(FundingSettlement { symbol, at: f.at.0, rate: f.rate.0, mark })
            }));
        }
        RestAsk::Marks => {
            // One symbol is answered without a list.
            let body = body.trim_start();
            let all: Vec<WirePremium> = if body.starts_with('[') {
                read("premiumIndex", body)?
            } else {
                vec![read("premiumIndex", body)?]
            };
            for one in all {
                out.push(PublicEvent::Mark(mark(one)?));
            }
        }
        RestAsk::Rules { .. } => {
            let listing: WireListing = read("exchangeInfo", body)?;
            let rules: Result<Vec<Option<InstrumentRules>>, DecodeError> =
                listing.symbols.into_iter().map(rules).collect();
            out.push(PublicEvent::Rules(rules?.into_iter().flatten().collect()));
        }
        RestAsk::ServerTime => {
            out.push(PublicEvent::ServerTime(read::<WireServerTime>("time", body)?.at.0));
        }
        RestAsk::Depth { symbol } => out.push(PublicEvent::Book(depth(symbol, body)?)),
    }
    Ok(())
}

/// A bar of history: open time, four prices, volume, close time, quote volume, and what nobody asks for.
fn kline(symbol: &str, row: &RawValue) -> Result<Kline, DecodeError> {
    let kind = "klines";
    let cells = list(kind, row.get())?;
    let cell = |at: usize| cells.get(at).map(|c| c.get()).ok_or_else(|| absurd(kind, "a row", &row.get()));
    let price = |at, what| positive(kind, what, read(kind, cell(at)?)?);
    Ok(Kline {
        symbol: symbol.to_owned(),
        interval: crate::domain::Span(0),
        open_at: read::<WireMillis>(kind, cell(0)?)?.0,
        at: Stamp(0),
        open: price(1, "its open")?,
        high: price(2, "its high")?,
        low: price(3, "its low")?,
        close: price(4, "its close")?,
        volume: not_negative(kind, "its volume", read(kind, cell(5)?)?)?,
        quote_volume: read::<WireOption>(kind, cell(7)?)?.0,
        closed: false,
    })
}

fn mark(wire: WirePremium) -> Result<MarkPrice, DecodeError> {
    Ok(MarkPrice {
        symbol: wire.symbol.0.into_owned(),
        at: some_stamp(wire.time),
        mark: positive("premiumIndex", "its mark", wire.mark)?,
        index: wire.index.0.filter(|i| *i > Decimal::ZERO),
        funding_rate: wire.rate.0,
        next_funding: some_stamp(wire.next),
    })
}

fn depth(symbol: &str, body: &str) -> Result<BookUpdate, DecodeError> {
    let wire: WireDepthAnswer = read("depth", body)?;
    Ok(BookUpdate {
        symbol: symbol.to_owned(),
        at: some_stamp(wire.at),
        first_id: wire.last,
        last_id: wire.last,
        previous_id: None,
        snapshot: true,
        bids: levels("depth", wire.bids)?,
        asks: levels("depth", wire.asks)?,
    })
}

/// None of a symbol without a step of prices or of quantities: no order for it can be written.
fn rules(wire: WireSymbol) -> Result<Option<InstrumentRules>, DecodeError> {
    let kind = "exchangeInfo";
    let filter = |name: &str| wire.filters.iter().find(|f| f.filter_type.0 == name);
    let tick = filter("PRICE_FILTER").and_then(|f| f.tick_size.0);
    let lot = filter("LOT_SIZE").and_then(|f| f.step_size.0);
    let (Some(tick), Some(lot)) = (tick, lot) else { return Ok(None) };
    let tick = positive(kind, "a tick", WireDecimal(tick))?;
    let lot = positive(kind, "a lot", WireDecimal(lot))?;
    let least = filter("MIN_NOTIONAL").or_else(|| filter("NOTIONAL"));
    let least = least.and_then(|f| f.notional.0.or(f.min_notional.0));
    let expiry = some_stamp(wire.delivery_date).filter(|at| *at < NEVER);
    let (listed, terms) = match (wire.contract_type.as_ref().map(|c| c.0.as_ref()), expiry) {
        (None, _) => (InstrumentKind::Spot, ContractTerms::Plain),
        // Perps of other things than coins have a word before it.
        (Some(contract), _) if contract.ends_with("PERPETUAL") => {
            (InstrumentKind::Perp, ContractTerms::Plain)
        }
        (Some(_), Some(expiry)) => (InstrumentKind::Future, ContractTerms::Future { expiry }),
        (Some(_), None) => (InstrumentKind::Perp, ContractTerms::Plain),
    };
    let status = wire.status.as_ref().map_or("", |s| s.0.as_ref());
    Ok(Some(InstrumentRules {
        symbol: wire.symbol.0.into_owned(),
        base: wire.base_asset.0.into_owned(),
        quote: wire.quote_asset.0.into_owned(),
        kind: listed,
        terms,
        tick: PriceStep::Tick(tick),
        lot,
        min_notional: least.unwrap_or(Decimal::ZERO),
        contract: wire.contract_size.0.unwrap_or(Decimal::ONE),
        inverse: wire.contract_size.0.is_some(),
        status: if status == "TRADING" {
            TradingStatus::Trading
        } else {
            TradingStatus::Restricted(words(status))
        },
    }))
}
