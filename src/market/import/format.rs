//! The formats that are read, and how a file is known for one of them: by its header, then by its name.

use std::fmt;

macro_rules! formats {
    ($($(#[doc = $doc:literal])* $variant:ident = $text:literal, $columns:literal, $example:literal);+ $(;)?) => {
        /// A kind of file that an importer knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ImportFormat { $($(#[doc = $doc])* $variant),+ }

        impl ImportFormat {
            /// All of them.
            pub const ALL: &'static [ImportFormat] = &[$(ImportFormat::$variant),+];

            /// Its name for `--format`.
            pub fn text(self) -> &'static str {
                match self { $(ImportFormat::$variant => $text),+ }
            }

            /// What a file of it holds.
            pub fn about(self) -> &'static str {
                match self { $(ImportFormat::$variant => concat!($($doc),*).trim_ascii()),+ }
            }

            /// Its columns, or its shape.
            pub fn columns(self) -> &'static str {
                match self { $(ImportFormat::$variant => $columns),+ }
            }

            /// A row of it.
            pub fn example(self) -> &'static str {
                match self { $(ImportFormat::$variant => $example),+ }
            }
        }
    };
}

formats! {
    /// Bars: CSV with named columns or as exchanges dump it, or `[[ms, o, h, l, c, v], …]`.
    Ohlcv = "ohlcv",
        "time, symbol (or the file's name), open, high, low, close, volume",
        "2024-01-01T00:00:00Z,BTCUSDT,42000,42100,41900,42050,12.5";
    /// Funding settlements of perps.
    Funding = "funding",
        "time, symbol (or the file's name), rate, mark",
        "2024-01-01T08:00:00Z,BTCUSDT,0.0001,42000";
    /// Spot and perp bars, mark and funding of one asset side by side.
    SpotPerp = "spot-perp",
        "timestamp, open_spot_V … volume_spot_V, open_perp_V … volume_perp_V, mark_price_V, funding_rate_raw_V",
        "2024-01-01 00:00:00,42000,42100,41900,42050,12.5,42010,42110,41910,42060,30,42011,0.0001";
    /// Dated futures, one contract a file, bars.
    LeanTrades = "lean-trades",
        "no header: date or millisecond of the day, open, high, low, close, volume",
        "20131006 22:00,16845000,16850000,16840000,16845000,120";
    /// Dated futures, one contract a file, quotes at the end of each bar.
    LeanQuotes = "lean-quotes",
        "no header: millisecond of the day, bid open … close, bid size, ask open … close, ask size",
        "0,168450,168500,168400,168450,3,168475,168525,168425,168475,5";
    /// A day's options of one underlying with volatilities.
    LeanOptions = "lean-options",
        "#expiry, strike, right, open, high, low, close, volume, open_interest, implied_volatility, delta …",
        "20240119,450,C,1.2,1.3,1.1,1.2,10,100,0.18,0.5";
    /// Recorded messages of Binance: best prices, trades, changes of the book.
    BinanceMessages = "binance-ws",
        r#"nanosecond {"stream":…,"data":…}, a message a line"#,
        r#"1723075200000000000 {"stream":"btcusdt@trade","data":{"s":"BTCUSDT","p":"42000","q":"0.1","m":true}}"#;
    /// Recorded messages of Hyperliquid: books and trades.
    HyperliquidMessages = "hyperliquid-ws",
        r#"nanosecond {"channel":…,"data":…}, a message a line"#,
        r#"1723075200000000000 {"channel":"trades","data":[{"coin":"BTC","side":"B","px":"42000","sz":"0.1"}]}"#;
    /// Trades as Tardis keeps them.
    TardisTrades = "tardis-trades",
        "exchange, symbol, timestamp, local_timestamp, id, side, price, amount",
        "binance,BTCUSDT,1704067200000000,1704067200005000,1,buy,42000,0.1";
    /// Best prices as Tardis keeps them.
    TardisQuotes = "tardis-quotes",
        "exchange, symbol, timestamp, local_timestamp, ask_amount, ask_price, bid_price, bid_amount",
        "binance,BTCUSDT,1704067200000000,1704067200005000,1.5,42001,42000,0.7";
    /// Books of 5 or 25 prices a side as Tardis keeps them.
    TardisBooks = "tardis-books",
        "exchange, symbol, timestamp, local_timestamp, asks[0].price, asks[0].amount, bids[0].price, bids[0].amount …",
        "binance,BTCUSDT,1704067200000000,1704067200005000,42001,1.5,42000,0.7";
    /// A snapshot of an option chain: best prices, implied volatilities.
    DeribitChain = "deribit-chain",
        "instrument_name, best_bid_price, best_bid_amount, best_ask_price, best_ask_amount, mark_iv …",
        "BTC-29MAR24-50000-C,0.05,10,0.051,12,65.2";
    /// A summary of an option chain: best prices without sizes.
    DeribitSummary = "deribit-summary",
        "instrument_name, bid_price, ask_price, mark_price …",
        "BTC-29MAR24-50000-C,0.05,0.051,0.0505";
    /// A continuous future, one settlement a day.
    Front = "continuous",
        "Date, Adj Close; the file's name ends in =F or _F",
        "2024-01-02,45210";
    /// An index of implied volatility, `[[ms, percent], …]`.
    Dvol = "dvol",
        "[[ms, percent], …]; the file's name tells of volatility",
        "[1704067200000, 61.5]";
    /// A concentrated pool by the minute: ticks, liquidity, amounts.
    PoolMinutes = "pool-minutes",
        "timestamp, netAmount0, netAmount1, closeTick, currentLiquidity …",
        "2024-01-01 00:00:00,120,-0.05,200123,1.2e18";
    /// The price of gas by the minute.
    Gas = "gas",
        "timestamp, gas_price",
        "2024-01-01 00:00:00,25000000000";
    /// Prices of tokens by the minute.
    Prices = "prices",
        "timestamp, WETH, USDC …",
        "2024-01-01 00:00:00,2300,1";
    /// Swaps in pools, without the state of the pools.
    Swaps = "swaps",
        "block_number, abi_name, contract_address, token_in_address, token_in_amount, token_out_address, token_out_amount",
        "12300000,UniswapV3Pool,0x8ad5…,0xa0b8…,1000000,0xc02a…,430000000000000";
    /// Pools by the day: value locked, volume, fees.
    PoolDays = "pool-days",
        "date, pool_name, tvlUSD, volumeUSD, feesUSD",
        "2024-01-01,USDC/WETH 0.05%,100000000,5000000,2500";
}

impl ImportFormat {
    /// Finds by name.
    pub fn parse(text: &str) -> Option<ImportFormat> {
        Self::ALL.iter().copied().find(|f| f.text() == text)
    }

    /// All names, for messages.
    pub fn known() -> String {
        Self::ALL.iter().map(|f| f.text()).collect::<Vec<_>>().join(", ")
    }

    /// Looks at a file's name and first bytes.
    pub fn detect(name: &str, head: &[u8]) -> Option<ImportFormat> {
        let name = name.to_ascii_lowercase();
        let text = String::from_utf8_lossy(head);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if text.starts_with('[') {
            return arrays(&name, text);
        }
        let line = text.lines().next().unwrap_or_default();
        if line.contains(" {") && line.starts_with(|c: char| c.is_ascii_digit()) {
            return messages(text);
        }
        let line = if line.contains("http") { text.lines().nth(1).unwrap_or_default() } else { line };
        if line.starts_with(|c: char| c.is_ascii_digit()) {
            return headless(&name, line);
        }
        let lower = line.to_ascii_lowercase();
        let columns: Vec<&str> = lower.split(',').map(|c| c.trim().trim_start_matches('#')).collect();
        header(&columns).or_else(|| {
            // Yahoo's name for a continuous future is `BTC=F`.
            let file = name.rsplit(['/', '\\', ':']).next().unwrap_or_default();
            let continuous = file.contains("_f.") || file.contains("=f.");
            (continuous && columns == ["date", "adj close"]).then_some(ImportFormat::Front)
        })
    }
}

impl serde::Serialize for ImportFormat {
    /// By its name.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl fmt::Display for ImportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

fn arrays(name: &str, text: &str) -> Option<ImportFormat> {
    let row = text.trim_start_matches(['[', ' ', '\n']).split(']').next()?;
    match row.split(',').count() {
        2 if name.contains("vol") => Some(ImportFormat::Dvol),
        n if n >= 6 => Some(ImportFormat::Ohlcv),
        _ => None,
    }
}

fn messages(text: &str) -> Option<ImportFormat> {
    if text.contains("\"channel\":\"l2Book\"") || text.contains("\"coin\":") {
        return Some(ImportFormat::HyperliquidMessages);
    }
    text.contains("\"stream\":").then_some(ImportFormat::BinanceMessages)
}

/// Files without a header: dumps of bars, and Lean's.
fn headless(name: &str, line: &str) -> Option<ImportFormat> {
    let cells = line.split(',').count();
    let first = line.split(',').next()?;
    let lean = first.contains(' ') || first.len() <= 8;
    match cells {
        _ if lean && name.contains("openinterest") => None,
        6 if lean && name.contains("trade") => Some(ImportFormat::LeanTrades),
        11 if lean && name.contains("quote") => Some(ImportFormat::LeanQuotes),
        n if n >= 6 && !lean => Some(ImportFormat::Ohlcv),
        _ => None,
    }
}

fn header(columns: &[&str]) -> Option<ImportFormat> {
    let has = |name: &str| columns.contains(&name);
    let begins = |start: &str| columns.iter().any(|c| c.starts_with(start));
    let arrived = has("local_timestamp") && has("exchange");
    let found = [
        (ImportFormat::TardisTrades, arrived && has("side") && has("price") && has("amount")),
        (
            ImportFormat::TardisQuotes,
            arrived && has("ask_price") && has("bid_price") && !has("underlying_price"),
        ),
        (ImportFormat::TardisBooks, arrived && has("asks[0].price") && has("bids[0].price")),
        (ImportFormat::PoolMinutes, has("closetick") && has("currentliquidity")),
        (ImportFormat::Gas, has("gas_price")),
        (ImportFormat::PoolDays, has("tvlusd") && has("pool_name")),
        (ImportFormat::Swaps, has("token_in_address") && has("token_out_amount")),
        (ImportFormat::DeribitChain, has("instrument_name") && has("best_bid_price")),
        (ImportFormat::DeribitSummary, has("instrument_name") && has("bid_price")),
        (ImportFormat::LeanOptions, has("expiry") && has("strike") && has("right")),
        (
            ImportFormat::SpotPerp,
            begins("close_perp") || begins("funding_rate_1h") || begins("funding_rate_raw"),
        ),
        (
            ImportFormat::Funding,
            has("funding_rate") || has("funding rate") || has("fundingrate") || has("rate"),
        ),
        (ImportFormat::Ohlcv, has("close")),
        (ImportFormat::Prices, columns.len() >= 2 && (has("weth") || has("eth"))),
    ];
    found.into_iter().find(|f| f.1).map(|f| f.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_header_and_name() {
        let mut known = Vec::new();
        for (name, head, format) in [
            ("a.json", "[[1,2,3,4,5,6],[", Some(ImportFormat::Ohlcv)),
            ("dvol.json", "[[1.0, 56.7], [", Some(ImportFormat::Dvol)),
            ("a.csv", "Date,Open,High,Low,Close,Volume\n", Some(ImportFormat::Ohlcv)),
            (
                "a.csv",
                "https://x\nunix,date,symbol,open,high,low,close,Volume BTC\n",
                Some(ImportFormat::Ohlcv),
            ),
            ("a.csv", "1609459200000,1,2,3,4,5,6,7,8,9,10,0\n", Some(ImportFormat::Ohlcv)),
            ("a.csv", "Symbol,Date,Funding Rate\n", Some(ImportFormat::Funding)),
            ("a.csv", "timestamp,funding_rate_1h_hyperliquid\n", Some(ImportFormat::SpotPerp)),
            ("es_trade_201312.csv", "20131006 22:00,1,2,0,1,5\n", Some(ImportFormat::LeanTrades)),
            (
                "20131008_es_minute_quote_201312.csv",
                "0,1,2,1,1,3,1,2,1,1,3\n",
                Some(ImportFormat::LeanQuotes),
            ),
            ("es_openinterest_201312.csv", "20131006 00:00,5\n", None),
            ("u.csv", "#expiry,strike,right,open,high,low,close\n", Some(ImportFormat::LeanOptions)),
            ("r.gz", "17 {\"stream\":\"btcusdt@trade\",\"data\":{}}\n", Some(ImportFormat::BinanceMessages)),
            ("r.gz", "17 {\"channel\":\"l2Book\",\"data\":{}}\n", Some(ImportFormat::HyperliquidMessages)),
            ("p.csv", "timestamp,netAmount0,closeTick,currentLiquidity\n", Some(ImportFormat::PoolMinutes)),
            ("p.csv", ",WETH,USDC\n", Some(ImportFormat::Prices)),
            ("BTC_F.csv.gz", "Date,Adj Close\n", Some(ImportFormat::Front)),
            ("GLD.csv.gz", "Date,Adj Close\n", None),
            ("g.csv", "timestamp,gas_price\n", Some(ImportFormat::Gas)),
            ("d.csv", "date,pool_name,tvlUSD\n", Some(ImportFormat::PoolDays)),
            ("s.csv", "time,token_in_address,token_out_amount\n", Some(ImportFormat::Swaps)),
            ("o.csv", "instrument_name,best_bid_price\n", Some(ImportFormat::DeribitChain)),
            ("o.csv", "instrument_name,bid_price\n", Some(ImportFormat::DeribitSummary)),
            ("volatility.json", "[[1609459200000, 71.5]]", Some(ImportFormat::Dvol)),
            ("p.csv", "what,is,this\n", None),
            (
                "t.csv",
                "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n",
                Some(ImportFormat::TardisTrades),
            ),
            (
                "q.csv",
                "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n",
                Some(ImportFormat::TardisQuotes),
            ),
            (
                "b.csv",
                "exchange,symbol,timestamp,local_timestamp,asks[0].price,asks[0].amount,bids[0].price,bids[0].amount\n",
                Some(ImportFormat::TardisBooks),
            ),
            ("p.bin", "\u{0}\u{1}", None),
        ] {
            assert_eq!(ImportFormat::detect(name, head.as_bytes()), format, "{name}: {head}");
            known.extend(format);
        }
        for format in [ImportFormat::Ohlcv, ImportFormat::Funding, ImportFormat::BinanceMessages] {
            // What is shown as a row of it is one.
            let columns = format.columns().replace(" (or the file's name)", "");
            let head = if columns.contains('{') { String::new() } else { columns + "\n" };
            let text = format!("{head}{}\n", format.example());
            assert_eq!(ImportFormat::detect("x.csv", text.as_bytes()), Some(format), "{text}");
        }
        for format in ImportFormat::ALL {
            assert!(known.contains(format), "nothing is recognised as {}", format.text());
            assert_eq!(ImportFormat::parse(format.text()), Some(*format));
        }
    }
}
