//! Messages of our own, a kind each: what is read of them to the last digit, and what becomes of them when they are damaged.

use crate::recordings::data;
use hive_domain::{ContractTerms, InstrumentKind, PriceStep, Span, Stamp, random};
use hive_venues::binance::{BinanceCodec, BinanceMarket};
use hive_venues::codec::{Codec, RestAsk, SocketPlan, StreamKind, WantedStream};
use hive_venues::deribit::DeribitCodec;
use hive_venues::event::{InstrumentRules, PublicEvent, TradingStatus};
use hive_venues::hyperliquid::HyperliquidCodec;
use hive_venues::recorded::{codec_of, listed, messages};

fn binance() -> BinanceCodec {
    BinanceCodec::new(BinanceMarket::UsdM)
}

fn decoded(codec: &dyn Codec, text: &str) -> Vec<PublicEvent> {
    let mut out = Vec::new();
    codec.decode(text.as_bytes(), &mut out).unwrap_or_else(|e| panic!("{e}"));
    out
}

fn answered(codec: &dyn Codec, ask: &RestAsk, body: &str) -> Vec<PublicEvent> {
    let mut out = Vec::new();
    codec.decode_answer(ask, body.as_bytes(), &mut out).unwrap_or_else(|e| panic!("{e}"));
    out
}

/// An event in short: numbers as they are kept, moments in milliseconds.
fn short(event: &PublicEvent) -> String {
    let ms = |at: Stamp| at.0 / 1_000_000;
    let side = |side: &Option<(hive_domain::Decimal, hive_domain::Decimal)>| {
        side.map_or("-".to_owned(), |(price, size)| format!("{size}@{price}"))
    };
    let may = |x: &Option<hive_domain::Decimal>| x.map_or("-".to_owned(), |x| x.to_string());
    match event {
        PublicEvent::Kline(k) => format!(
            "kline {} {} {}..{} {} {} {} {} {} {} {}",
            k.symbol,
            k.interval,
            ms(k.open_at),
            ms(k.at),
            k.open,
            k.high,
            k.low,
            k.close,
            k.volume,
            may(&k.quote_volume),
            k.closed
        ),
        PublicEvent::Trade(t) => {
            format!("trade {} {} {}@{} {} {}", t.symbol, ms(t.at), t.size, t.price, t.buys, t.id)
        }
        PublicEvent::Quote(q) => {
            format!("quote {} {:?} {} {} {:?}", q.symbol, q.at.map(ms), side(&q.bid), side(&q.ask), q.update)
        }
        PublicEvent::Mark(m) => format!(
            "mark {} {:?} {} {} {} {:?}",
            m.symbol,
            m.at.map(ms),
            m.mark,
            may(&m.index),
            may(&m.funding_rate),
            m.next_funding.map(ms)
        ),
        PublicEvent::Funding(f) => format!("funding {} {} {} {}", f.symbol, ms(f.at), f.rate, may(&f.mark)),
        PublicEvent::Book(b) => format!(
            "book {} {}..{} {:?} {} {:?} {:?}",
            b.symbol,
            b.first_id,
            b.last_id,
            b.previous_id,
            b.snapshot,
            b.bids.iter().map(|l| side(&Some(*l))).collect::<Vec<_>>(),
            b.asks.iter().map(|l| side(&Some(*l))).collect::<Vec<_>>()
        ),
        PublicEvent::Implied(i) => format!(
            "implied {} {} {} iv {} {} {} forward {} {} {} {}",
            i.symbol,
            ms(i.at),
            i.mark,
            i.mark_iv,
            may(&i.bid_iv),
            may(&i.ask_iv),
            i.forward,
            may(&i.index),
            side(&i.bid),
            side(&i.ask)
        ),
        other => format!("{other:?}"),
    }
}

fn shorts(codec: &dyn Codec, text: &str) -> Vec<String> {
    decoded(codec, text).iter().map(short).collect()
}

/// A message of Binance's streams, and what is read of it.
const BINANCE: [(&str, &str); 16] = [
    (
        r#"{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1638747660000,"s":"BTCUSDT","k":{"t":1638747600000,"T":1638747659999,"s":"BTCUSDT","i":"1m","f":100,"L":200,"o":"0.0010","c":"0.0020","h":"0.0025","l":"0.0015","v":"1000","n":100,"x":true,"q":"1.0000","V":"500","Q":"0.500","B":"123456"},"st":1}}"#,
        "kline BTCUSDT 1m 1638747600000..1638747660000 0.0010 0.0025 0.0015 0.0020 1000 1.0000 true",
    ),
    (
        r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":123456789,"s":"BTCUSDT","a":9007199254740993,"p":"0.001","q":"100","nq":"90","f":100,"l":105,"T":123456785,"m":true,"st":1}}"#,
        "trade BTCUSDT 123456785 100@0.001 false 9007199254740993",
    ),
    (
        r#"{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":400900217,"E":1568014460893,"T":1568014460891,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}}"#,
        "quote BNBUSDT Some(1568014460893) 31.21000000@25.35190000 40.66000000@25.36520000 Some(400900217)",
    ),
    // Spot says no time, and a side may be empty.
    (
        r#"{"u":400900217,"s":"BNBUSDT","b":"0.00000000","B":"0.00000000","a":"25.36520000","A":"40.66000000"}"#,
        "quote BNBUSDT None - 40.66000000@25.36520000 Some(400900217)",
    ),
    (
        r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":123456789,"T":123456788,"s":"BTCUSDT","U":157,"u":160,"pu":149,"b":[["0.0024","10"]],"a":[["0.0026","0"]]}}"#,
        r#"book BTCUSDT 157..160 Some(149) false ["10@0.0024"] ["0@0.0026"]"#,
    ),
    // The best prices of the futures look like a change, and only the name of the stream says that they are whole.
    (
        r#"{"stream":"btcusdt@depth5@100ms","data":{"e":"depthUpdate","E":123456789,"T":123456788,"s":"BTCUSDT","U":157,"u":160,"pu":-1,"b":[["0.0024","10"]],"a":[]}}"#,
        r#"book BTCUSDT 157..160 None true ["10@0.0024"] []"#,
    ),
    (
        r#"{"stream":"btcusdt@depth20","data":{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100"]]}}"#,
        r#"book BTCUSDT 160..160 None true ["10@0.0024"] ["100@0.0026"]"#,
    ),
    (
        r#"{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT","p":"11794.15000000","i":"11784.62659091","P":"11784.25641265","r":"-3.8167E-4","T":1562306400000}}"#,
        "mark BTCUSDT Some(1562305380000) 11794.15000000 11784.62659091 -0.00038167 Some(1562306400000)",
    ),
    // A dated future is paid no funding.
    (
        r#"{ "stream": "btcusdt_241227@markPrice", "data": {"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT_241227","p":"11794.15","i":"","P":"","r":"","T":0}}"#,
        "mark BTCUSDT_241227 Some(1562305380000) 11794.15 - - None",
    ),
    // All of Binance's futures are one engine: what is paid in coins is on the same arrays.
    (
        r#"[{"e":"bookTicker","u":1,"s":"BTCUSD_PERP","b":"1","B":"1","a":"2","A":"1","T":1,"E":1,"ps":"BTCUSD","st":2}]"#,
        r#"Other { kind: "bookTicker of COIN-M" }"#,
    ),
    (
        r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"T":2,"s":"BTCUSDT","t":5266583935,"p":"61800.30","q":"0.006","X":"MARKET","m":false}}"#,
        "trade BTCUSDT 2 0.006@61800.30 true 5266583935",
    ),
    (
        r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"T":2,"s":"BTCUSDT","t":5266583936,"p":"0","q":"0","X":"INSURANCE_FUND","m":false}}"#,
        r#"Other { kind: "trade of INSURANCE_FUND" }"#,
    ),
    (r#"{"result":null,"id":"a1"}"#, r#"Ack { id: "a1" }"#),
    (
        r#"{"error":{"code":2,"msg":"Invalid request: \u001b[1m"},"id":7}"#,
        r#"Refused { id: "7", code: 2, text: "Invalid request:  [1m" }"#,
    ),
    (r#"{"event":{"e":"serverShutdown","E":1770123456789}}"#, "Shutdown"),
    (r#"{"stream":"!contractInfo","data":{"e":"contractInfo","E":1}}"#, r#"Other { kind: "contractInfo" }"#),
];

const HYPERLIQUID: [(&str, &str); 9] = [
    (
        r#"{"channel":"bbo","data":{"coin":"BTC","time":1708622398623,"bbo":[{"px":"19900","sz":"1","n":1},null]}}"#,
        "quote BTC Some(1708622398623) 1@19900 - None",
    ),
    (
        r#"{"channel":"trades","data":[{"coin":"BTC","side":"A","px":"93000.5","sz":"0.00015","time":1737918794873,"hash":"0x0","tid":1099511627776001,"users":["a","b"]}]}"#,
        "trade BTC 1737918794873 0.00015@93000.5 false 1099511627776001",
    ),
    (
        r#"{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"funding":"-0.0000015186","openInterest":"27353.1","oraclePx":"77605.0","markPx":"77562.0","midPx":null}}}"#,
        "mark BTC None 77562.0 77605.0 -0.0000015186 None",
    ),
    (
        r#"{"channel":"candle","data":{"t":1764806400000,"T":1764892799999,"s":"HYPE","i":"1d","o":"34.668","c":"34.868","h":"36.219","l":"34.251","v":"3495670.8399999999","n":102895}}"#,
        "kline HYPE 1d 1764806400000..1764892800000 34.668 36.219 34.251 34.868 3495670.8399999999 - false",
    ),
    (
        r#"{"channel":"l2Book","data":{"coin":"BTC","time":1700000000001,"levels":[[{"px":"1.0","sz":"2.0","n":1}],[{"px":"1.1","sz":"3.0","n":1}]]}}"#,
        r#"book BTC 1700000000001000000..1700000000001000000 None true ["2.0@1.0"] ["3.0@1.1"]"#,
    ),
    (r#"{"channel":"subscriptionResponse","data":{"method":"subscribe"}}"#, r#"Ack { id: "" }"#),
    (r#"{"channel":"pong"}"#, "Pong"),
    (
        r#"{"channel":"error","data":"Invalid subscription"}"#,
        r#"Refused { id: "", code: 0, text: "Invalid subscription" }"#,
    ),
    (r#"{"channel":"webData3","data":{}}"#, r#"Other { kind: "webData3" }"#),
];

const DERIBIT: [(&str, &str); 9] = [
    (
        r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.BTC-27DEC24-100000-C.100ms","data":{"timestamp":1700000000000,"instrument_name":"BTC-27DEC24-100000-C","mark_price":0.0123,"mark_iv":55.2,"bid_iv":0.0,"ask_iv":57.75,"underlying_price":43000.5,"underlying_index":"BTC-27DEC24","index_price":42000.25,"best_bid_price":0.0,"best_bid_amount":0.0,"best_ask_price":1.25e-2,"best_ask_amount":10.5,"interest_rate":0.0}}}"#,
        "implied BTC-27DEC24-100000-C 1700000000000 0.0123 iv 0.552 - 0.5775 forward 43000.5 42000.25 - 10.5@0.0125",
    ),
    (
        r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"deribit_volatility_index.eth_usd","data":{"timestamp":1619777946007,"volatility":129.36,"index_name":"eth_usd"}}}"#,
        "VolatilityIndex { asset: \"ETH\", at: Stamp(1619777946007000000), value: 1.2936 }",
    ),
    (
        r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":{"type":"change","instrument_name":"BTC-PERPETUAL","timestamp":1699999999500,"change_id":123456790,"prev_change_id":123456789,"bids":[["change",42500.0,950.0],["new",42498.5,300.0]],"asks":[["delete",42501.0,0.0]]}}}"#,
        r#"book BTC-PERPETUAL 123456790..123456790 Some(123456789) false ["950.0@42500.0", "300.0@42498.5"] ["0@42501.0"]"#,
    ),
    (
        r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":[{"timestamp":1765531356452,"price":92294.5,"amount":10.0,"direction":"sell","instrument_name":"BTC-PERPETUAL","trade_seq":271252854,"starbase_timestamp":1764843090519000001,"trade_id":"403691824"}]}}"#,
        "trade BTC-PERPETUAL 1765531356452 10.0@92294.5 false 271252854",
    ),
    (
        r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"chart.trades.BTC-PERPETUAL.60","data":{"tick":1767200040000,"open":87490.0,"high":87500.0,"low":87465.0,"close":87474.0,"volume":0.95978896,"cost":83970.0}}}"#,
        "kline BTC-PERPETUAL 1h 1767200040000..1767203640000 87490.0 87500.0 87465.0 87474.0 0.95978896 83970.0 false",
    ),
    (r#"{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}"#, "TestRequest"),
    (r#"{"jsonrpc":"2.0","id":9,"result":["a"],"usIn":1}"#, r#"Ack { id: "9" }"#),
    (
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":10028,"message":"too_many_requests","data":null}}"#,
        r#"Refused { id: "1", code: 10028, text: "too_many_requests" }"#,
    ),
    (
        r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"instrument.state.any.any","data":{"state":"created"}}}"#,
        r#"Other { kind: "instrument" }"#,
    ),
];

fn all_own() -> Vec<(Box<dyn Codec>, &'static str, &'static str)> {
    let of = |codec: fn() -> Box<dyn Codec>, all: &[(&'static str, &'static str)]| {
        all.iter().map(|(text, read)| (codec(), *text, *read)).collect::<Vec<_>>()
    };
    let mut all = of(|| Box::new(binance()), &BINANCE);
    all.extend(of(|| Box::new(HyperliquidCodec), &HYPERLIQUID));
    all.extend(of(|| Box::new(DeribitCodec), &DERIBIT));
    all
}

#[test]
fn every_kind_is_read_to_the_last_digit() {
    for (codec, text, read) in all_own() {
        assert_eq!(shorts(codec.as_ref(), text), [read], "{text}");
    }
    // A perp's ticker has both, its best prices and its mark.
    let ticker = r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.BTC-PERPETUAL.100ms","data":{"timestamp":1765541474086,"index_price":92263.55,"instrument_name":"BTC-PERPETUAL","mark_price":92281.78,"best_ask_price":92284.0,"best_bid_price":92283.5,"best_ask_amount":186520.0,"best_bid_amount":117660.0,"current_funding":-1.5e-5,"funding_8h":0.00001742}}}"#;
    let expected = [
        "quote BTC-PERPETUAL Some(1765541474086) 117660.0@92283.5 186520.0@92284.0 None",
        "mark BTC-PERPETUAL Some(1765541474086) 92281.78 92263.55 -0.000015 None",
    ];
    assert_eq!(shorts(&DeribitCodec, ticker), expected);
}

#[test]
fn what_no_market_says_is_refused_and_shown() {
    let codecs: [Box<dyn Codec>; 3] =
        [Box::new(binance()), Box::new(HyperliquidCodec), Box::new(DeribitCodec)];
    for (n, text, why) in [
        (
            0,
            r#"{"stream":"a@aggTrade","data":{"s":"A","a":1,"p":"-1","q":"1","T":1,"m":true}}"#,
            "aggTrade: its price cannot be -1",
        ),
        (
            0,
            r#"{"stream":"a@aggTrade","data":{"s":"A","a":1,"p":"","q":"1","T":1,"m":true}}"#,
            "a number is missing",
        ),
        (
            0,
            r#"{"stream":"a@aggTrade","data":{"s":"A","a":1,"p":"1","q":"1","T":99999999999999,"m":true}}"#,
            "no time in milliseconds",
        ),
        (
            0,
            r#"{"stream":"a@depth","data":{"E":1,"s":"A","U":5,"u":4,"b":[],"a":[]}}"#,
            "its last change cannot be 4",
        ),
        (
            0,
            r#"{"stream":"a@depth","data":{"E":1,"s":"A","U":1,"u":4,"b":[["1","-2"]],"a":[]}}"#,
            "a size of the book cannot be -2",
        ),
        (0, "", "a message"),
        (
            1,
            r#"{"channel":"trades","data":[{"coin":"A","side":"X","px":"1","sz":"1","time":1,"tid":1}]}"#,
            "a side cannot be X",
        ),
        (1, r#"{"channel":"l2Book","data":{"coin":"A"}}"#, "missing field"),
        (
            2,
            r#"{"method":"subscription","params":{"channel":"book.A.100ms","data":{"instrument_name":"A","timestamp":1,"change_id":1,"bids":[["new",1]],"asks":[["x"]]}}}"#,
            "a price",
        ),
        (2, "{}", "one without id and method"),
        (2, "\u{1b}[2J", "a message"),
    ] {
        let mut out = vec![PublicEvent::Pong];
        let said = codecs[n].decode(text.as_bytes(), &mut out).unwrap_err().to_string();
        assert!(said.contains(why), "{text}: {said}");
        assert!(!said.contains('\u{1b}') && said.len() < 400, "{said}");
        assert_eq!(out, [PublicEvent::Pong], "nothing was appended");
    }
}

#[test]
fn envelopes_in_envelopes_are_no_way_down() {
    for (open, close) in [("{\"data\":", "}"), ("{\"event\":", "}"), ("[", "]")] {
        let deep = |n: usize| format!("{}{{\"e\":\"x\"}}{}", open.repeat(n), close.repeat(n));
        assert_eq!(shorts(&binance(), &deep(4)), [r#"Other { kind: "x" }"#]);
        let why = binance().decode(deep(100_000).as_bytes(), &mut Vec::new()).unwrap_err().to_string();
        assert!(why.contains("its envelopes cannot be more than the venue has"), "{why}");
    }
}

#[test]
fn history_is_read_with_what_is_whole() {
    let ask = |to: i64| RestAsk::Klines {
        symbol: "BTCUSDT".to_owned(),
        interval: Span::HOUR,
        from: Stamp(0),
        to: Stamp(to * Span::HOUR.0),
        limit: 10,
    };
    let body = r#"[[0,"1.0","2","0.5","1.5","10",3599999,"15",3,"5","7.5","0"],[3600000,"1.5","2","1","1","4",7199999,"5",1,"1","1","0"]]"#;
    let expected = |closed: bool| {
        [
            "kline BTCUSDT 1h 0..3600000 1.0 2 0.5 1.5 10 15 true".to_owned(),
            format!("kline BTCUSDT 1h 3600000..7200000 1.5 2 1 1 4 5 {closed}"),
        ]
    };
    for (to, closed) in [(1, false), (2, true)] {
        let bars: Vec<String> = answered(&binance(), &ask(to), body).iter().map(short).collect();
        assert_eq!(bars, expected(closed));
    }
    let body =
        r#"[{"t":0,"T":3599999,"s":"BTC","i":"1h","o":"1.0","c":"1.5","h":"2","l":"0.5","v":"10","n":1}]"#;
    let bars: Vec<String> = answered(&HyperliquidCodec, &ask(1), body).iter().map(short).collect();
    assert_eq!(bars, ["kline BTC 1h 0..3600000 1.0 2 0.5 1.5 10 - true"]);
    let growing: Vec<String> = answered(&HyperliquidCodec, &ask(0), body).iter().map(short).collect();
    assert_eq!(growing, ["kline BTC 1h 0..3600000 1.0 2 0.5 1.5 10 - false"]);
    let body = r#"{"jsonrpc":"2.0","result":{"close":[1.5],"cost":[15.0],"high":[2.0],"low":[0.5],"open":[1.0],"status":"ok","ticks":[0],"volume":[10.0]}}"#;
    let bars: Vec<String> = answered(&DeribitCodec, &ask(1), body).iter().map(short).collect();
    assert_eq!(bars, ["kline BTCUSDT 1h 0..3600000 1.0 2.0 0.5 1.5 10.0 15.0 true"]);
    let body = r#"{"code":-1121,"msg":"Invalid symbol."}"#;
    let refused = PublicEvent::Refused { id: String::new(), code: -1121, text: "Invalid symbol.".to_owned() };
    assert_eq!(answered(&binance(), &ask(1), body), [refused]);
    let fundings = RestAsk::Fundings { symbol: "A".to_owned(), from: Stamp(0), to: Stamp(1), limit: 1 };
    let body =
        r#"[{"symbol":"BTCUSDT","fundingTime":1698768000000,"fundingRate":"0.00010000","markPrice":""}]"#;
    assert_eq!(
        short(&answered(&binance(), &fundings, body)[0]),
        "funding BTCUSDT 1698768000000 0.00010000 -"
    );
    let body = r#"[{"coin":"BTC","fundingRate":"-0.0000081","time":1769912400000}]"#;
    assert_eq!(
        short(&answered(&HyperliquidCodec, &fundings, body)[0]),
        "funding BTC 1769912400000 -0.0000081 -"
    );
}

fn rules(codec: &dyn Codec, body: &str) -> Vec<InstrumentRules> {
    let ask = RestAsk::Rules { asset: String::new() };
    match answered(codec, &ask, body).remove(0) {
        PublicEvent::Rules(rules) => rules,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rules_are_read_with_their_steps() {
    let body = r#"{"symbols":[{"symbol":"BTCUSDT","baseAsset":"BTC","quoteAsset":"USDT","status":"TRADING","contractType":"PERPETUAL","deliveryDate":4133404800000,"filters":[{"filterType":"PRICE_FILTER","tickSize":"0.10"},{"filterType":"LOT_SIZE","stepSize":"0.001"},{"filterType":"MIN_NOTIONAL","notional":"100"}]},
        {"symbol":"BTCUSDT_241227","baseAsset":"BTC","quoteAsset":"USDT","status":"CANCEL_ONLY","contractType":"CURRENT_QUARTER","deliveryDate":1735286400000,"filters":[{"filterType":"PRICE_FILTER","tickSize":"0.1"},{"filterType":"LOT_SIZE","stepSize":"0.001"}]},
        {"symbol":"HALF","baseAsset":"H","quoteAsset":"USDT","status":"TRADING","filters":[]}]}"#;
    let all = rules(&binance(), body);
    assert_eq!(all.len(), 2, "what has no steps is left out");
    assert_eq!((all[0].kind, &all[0].status), (InstrumentKind::Perp, &TradingStatus::Trading));
    assert_eq!(all[0].tick, PriceStep::Tick("0.1".parse().unwrap()));
    assert_eq!((all[0].lot.to_string(), all[0].min_notional.to_string()), ("0.001".into(), "100".into()));
    let expiry = Stamp(1_735_286_400_000_000_000);
    assert_eq!((all[1].kind, all[1].terms), (InstrumentKind::Future, ContractTerms::Future { expiry }));
    assert_eq!(all[1].status, TradingStatus::Restricted("CANCEL_ONLY".to_owned()));

    let all = rules(
        &HyperliquidCodec,
        r#"{"universe":[{"name":"BTC","szDecimals":5},{"name":"OLD","szDecimals":0,"isDelisted":true}]}"#,
    );
    assert_eq!(all[0].tick, PriceStep::Digits { significant: 5, decimals: 1 });
    assert_eq!((all[0].lot.to_string(), all[1].lot.to_string()), ("0.00001".into(), "1".into()));
    assert_eq!(all[1].status, TradingStatus::Restricted("delisted".to_owned()));

    let option = r#"{"result":[{"kind":"option","instrument_name":"BTC-27DEC24-100000-C","option_type":"call","strike":100000.0,"instrument_type":"reversed","expiration_timestamp":1735286400000,"is_active":true,"tick_size":0.0005,"contract_size":1.0,"min_trade_amount":0.1,"settlement_period":"month","base_currency":"BTC","quote_currency":"BTC"},
        {"kind":"future","instrument_name":"BTC-PERPETUAL","instrument_type":"reversed","expiration_timestamp":32503708800000,"is_active":true,"tick_size":0.5,"contract_size":10.0,"min_trade_amount":10.0,"settlement_period":"perpetual","base_currency":"BTC","quote_currency":"USD"},
        {"kind":"option_combo","instrument_name":"X","tick_size":1,"min_trade_amount":1,"base_currency":"BTC","quote_currency":"BTC","expiration_timestamp":1}]}"#;
    let all = rules(&DeribitCodec, option);
    assert_eq!(all.len(), 2, "nothing trades combinations");
    assert_eq!(all[0].terms, ContractTerms::Option { expiry, strike: 100_000.0, call: true, inverse: true });
    assert_eq!(
        (all[1].kind, all[1].inverse, all[1].contract.to_string()),
        (InstrumentKind::Perp, true, "10.0".into())
    );
}

fn plans(codec: &dyn Codec, wanted: &[(&str, StreamKind)]) -> Vec<SocketPlan> {
    let of = |(symbol, kind): &(&str, StreamKind)| WantedStream { symbol: (*symbol).to_owned(), kind: *kind };
    codec.sockets(&wanted.iter().map(of).collect::<Vec<_>>()).unwrap()
}

#[test]
fn streams_are_asked_for_where_they_are_carried() {
    let wanted = [
        ("BTCUSDT", StreamKind::Klines(Span::MINUTE)),
        ("BTCUSDT", StreamKind::Quotes),
        ("BTCUSDT", StreamKind::Marks),
        ("BTCUSDT", StreamKind::Book),
        ("BTCUSDT", StreamKind::Trades),
    ];
    let all = plans(&binance(), &wanted);
    let said: Vec<(&str, &str)> = all.iter().map(|p| (p.path.as_str(), p.subscribe[0].as_str())).collect();
    assert_eq!(
        said,
        [
            (
                "/public/stream",
                r#"{"id":1,"method":"SUBSCRIBE","params":["btcusdt@bookTicker","btcusdt@depth@100ms"]}"#
            ),
            (
                "/market/stream",
                r#"{"id":1,"method":"SUBSCRIBE","params":["btcusdt@kline_1m","btcusdt@markPrice@1s","btcusdt@aggTrade"]}"#
            ),
        ]
    );
    let spot = BinanceCodec::new(BinanceMarket::Spot);
    assert_eq!(plans(&spot, &wanted[..2])[0].path, "/stream");
    assert!(spot.sockets(&[WantedStream { symbol: "A".into(), kind: StreamKind::Marks }]).is_err());
    // More than a socket and a request hold.
    let many: Vec<(String, StreamKind)> = (0..450).map(|n| (format!("S{n}"), StreamKind::Trades)).collect();
    let many: Vec<(&str, StreamKind)> = many.iter().map(|(s, k)| (s.as_str(), *k)).collect();
    for codec in [Box::new(binance()) as Box<dyn Codec>, Box::new(HyperliquidCodec), Box::new(DeribitCodec)] {
        let asked: Vec<String> = plans(codec.as_ref(), &many)
            .into_iter()
            .flat_map(|p| p.subscribe)
            .map(|m| m.to_lowercase())
            .collect();
        for n in 0..450 {
            let named = |m: &String| {
                ['"', '@', '.'].iter().map(|end| m.matches(&format!("s{n}{end}")).count()).sum::<usize>()
            };
            assert_eq!(asked.iter().map(named).sum::<usize>(), 1, "{} S{n}", codec.venue());
        }
    }
    let wrong = WantedStream { symbol: "BTC".into(), kind: StreamKind::Klines(Span::seconds(7)) };
    let why = HyperliquidCodec.sockets(&[wrong]).unwrap_err().to_string();
    assert_eq!(
        why,
        "hyperliquid has no bars of 7s; ask for one of 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 8h, 12h, 1d, 3d, 1w"
    );
}

/// One damage: a byte changed, cut, doubled, or a part of another message in its place.
fn damaged(text: &[u8], other: &[u8], key: u64) -> Vec<u8> {
    const BYTES: &[u8] = b"\"{}[],:.-+eE0123456789nulltruefalse\\\x00\x1b\xff";
    let mut text = text.to_vec();
    let draws = 1 + random::below(random::key(key, &[0]), 4);
    for n in 1..=draws {
        let draw = |what: u64, below: usize| {
            random::below(random::key(key, &[n, what]), below.max(1) as u64) as usize
        };
        let at = draw(0, text.len());
        match draw(1, 6) {
            0 if !text.is_empty() => text[at] = BYTES[draw(2, BYTES.len())],
            1 => text.truncate(at),
            2 => text.insert(at, BYTES[draw(2, BYTES.len())]),
            3 => {
                let part = text[at..(at + draw(2, 12)).min(text.len())].to_vec();
                text.splice(at..at, part);
            }
            4 => {
                let from = draw(2, other.len());
                let part = &other[from..(from + draw(3, 40)).min(other.len())];
                text.splice(at..(at + part.len()).min(text.len()), part.iter().copied());
            }
            _ => drop(text.drain(at..(at + draw(2, 8)).min(text.len()))),
        }
    }
    text
}

/// Damages that are tried.
const DAMAGES: u64 = 1_000_000;

#[test]
fn damaged_messages_bring_nothing_down() {
    let mut samples: Vec<(Box<dyn Codec>, String, Option<RestAsk>)> =
        all_own().into_iter().map(|(codec, text, _)| (codec, text.to_owned(), None)).collect();
    if let Some(data) = data() {
        let folder = data.join("messages_permissive");
        for file in listed(&std::fs::read_to_string(folder.join("SOURCES.tsv")).unwrap()) {
            let text = std::fs::read_to_string(folder.join(&file.path)).unwrap();
            for message in messages(&file.path, &text).unwrap().into_iter().filter(|m| m.text.len() < 4_000) {
                samples.push((codec_of(&file.venue).unwrap(), message.text, None));
            }
        }
    }
    let asks = [
        RestAsk::Rules { asset: String::new() },
        RestAsk::Marks,
        RestAsk::ServerTime,
        RestAsk::Depth { symbol: "A".to_owned() },
        RestAsk::Fundings { symbol: "A".to_owned(), from: Stamp(0), to: Stamp(1), limit: 1 },
        RestAsk::Klines {
            symbol: "A".to_owned(),
            interval: Span::DAY,
            from: Stamp(0),
            to: Stamp(1),
            limit: 1,
        },
    ];
    let (mut read, mut refused) = (0, 0);
    let mut out = Vec::new();
    for n in 0..DAMAGES {
        let pick =
            |what: u64, below: usize| random::below(random::key(n, &[99, what]), below as u64) as usize;
        let (codec, text, _) = &samples[pick(0, samples.len())];
        let other = &samples[pick(1, samples.len())].1;
        let text = damaged(text.as_bytes(), other.as_bytes(), n);
        out.clear();
        let done = if n % 4 == 0 {
            codec.decode_answer(&asks[pick(2, asks.len())], &text, &mut out)
        } else {
            codec.decode(&text, &mut out)
        };
        match done {
            Ok(()) => read += 1,
            Err(why) => {
                refused += 1;
                assert!(out.is_empty(), "nothing is appended by what is refused");
                assert!(why.to_string().len() < 2_000);
            }
        }
    }
    println!("{} samples: {read} damaged messages read, {refused} refused", samples.len());
    assert!(read > DAMAGES / 50 && refused > DAMAGES / 4, "{read} {refused}");
}
