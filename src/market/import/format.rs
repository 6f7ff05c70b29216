//! The formats that are read, and how a file is known for one of them: by its header, then by its name.

use std::fmt;

macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        /// A kind of file that an importer knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ImportFormat { $($(#[$doc])* $variant),+ }

        impl ImportFormat {
            /// All of them.
            pub const ALL: &'static [ImportFormat] = &[$(ImportFormat::$variant),+];

            /// Its name for `--format`.
            pub fn text(self) -> &'static str {
                match self { $(ImportFormat::$variant => $text),+ }
            }
        }
    };
}

formats! {
    /// Bars: CSV with named columns or as exchanges dump it, or `[[ms, o, h, l, c, v], …]`.
    Ohlcv = "ohlcv",
    /// Funding settlements of perps.
    Funding = "funding",
    /// Spot and perp bars, mark and funding of one asset side by side.
    SpotPerp = "spot-perp",
    /// Dated futures, one contract a file, bars.
    LeanTrades = "lean-trades",
    /// Dated futures, one contract a file, quotes at the end of each bar.
    LeanQuotes = "lean-quotes",
    /// A day's options of one underlying with volatilities.
    LeanOptions = "lean-options",
    /// Recorded messages of Binance: best prices, trades, changes of the book.
    BinanceMessages = "binance-ws",
    /// Recorded messages of Hyperliquid: books and trades.
    HyperliquidMessages = "hyperliquid-ws",
    /// A snapshot of an option chain: best prices, implied volatilities.
    DeribitChain = "deribit-chain",
    /// A summary of an option chain: best prices without sizes.
    DeribitSummary = "deribit-summary",
    /// A continuous future, one settlement a day.
    Front = "continuous",
    /// An index of implied volatility, `[[ms, percent], …]`.
    Dvol = "dvol",
    /// A concentrated pool by the minute: ticks, liquidity, amounts.
    PoolMinutes = "pool-minutes",
    /// The price of gas by the minute.
    Gas = "gas",
    /// Prices of tokens by the minute.
    Prices = "prices",
    /// Swaps in pools, without the state of the pools.
    Swaps = "swaps",
    /// Pools by the day: value locked, volume, fees.
    PoolDays = "pool-days",
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
    let found = [
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
            ("p.bin", "\u{0}\u{1}", None),
        ] {
            assert_eq!(ImportFormat::detect(name, head.as_bytes()), format, "{name}: {head}");
            known.extend(format);
        }
        for format in ImportFormat::ALL {
            assert!(known.contains(format), "nothing is recognised as {}", format.text());
            assert_eq!(ImportFormat::parse(format.text()), Some(*format));
        }
    }
}
