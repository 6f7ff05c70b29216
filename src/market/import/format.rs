//! The formats that are read, and how a file is known for one of them: by its header, then by its name.

use std::fmt;

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Bars: CSV with named columns or as exchanges dump it, or `[[ms, o, h, l, c, v], …]`.
    Ohlcv,
    /// Funding settlements of perps.
    Funding,
    /// Spot and perp bars, mark and funding of one asset side by side.
    SpotPerp,
    /// Dated futures, one contract a file, bars.
    LeanTrades,
    /// Dated futures, one contract a file, quotes at the end of each bar.
    LeanQuotes,
    /// A day's options of one underlying with volatilities.
    LeanOptions,
    /// Recorded messages of Binance: best prices, trades, changes of the book.
    BinanceMessages,
    /// Recorded messages of Hyperliquid: books and trades.
    HyperliquidMessages,
    /// A snapshot of an option chain: best prices, implied volatilities.
    DeribitChain,
    /// A summary of an option chain: best prices without sizes.
    DeribitSummary,
    /// A continuous future, one settlement a day.
    Front,
    /// An index of implied volatility, `[[ms, percent], …]`.
    Dvol,
    /// A concentrated pool by the minute: ticks, liquidity, amounts.
    PoolMinutes,
    /// The price of gas by the minute.
    Gas,
    /// Prices of tokens by the minute.
    Prices,
    /// Swaps in pools, without the state of the pools.
    Swaps,
    /// Pools by the day: value locked, volume, fees.
    PoolDays,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 17] = [
        Format::Ohlcv,
        Format::Funding,
        Format::SpotPerp,
        Format::LeanTrades,
        Format::LeanQuotes,
        Format::LeanOptions,
        Format::BinanceMessages,
        Format::HyperliquidMessages,
        Format::DeribitChain,
        Format::DeribitSummary,
        Format::Front,
        Format::Dvol,
        Format::PoolMinutes,
        Format::Gas,
        Format::Prices,
        Format::Swaps,
        Format::PoolDays,
    ];

    /// Its name for `--format`.
    pub fn text(self) -> &'static str {
        match self {
            Format::Ohlcv => "ohlcv",
            Format::Funding => "funding",
            Format::SpotPerp => "spot-perp",
            Format::LeanTrades => "lean-trades",
            Format::LeanQuotes => "lean-quotes",
            Format::LeanOptions => "lean-options",
            Format::BinanceMessages => "binance-ws",
            Format::HyperliquidMessages => "hyperliquid-ws",
            Format::DeribitChain => "deribit-chain",
            Format::DeribitSummary => "deribit-summary",
            Format::Front => "continuous",
            Format::Dvol => "dvol",
            Format::PoolMinutes => "pool-minutes",
            Format::Gas => "gas",
            Format::Prices => "prices",
            Format::Swaps => "swaps",
            Format::PoolDays => "pool-days",
        }
    }

    /// Finds by name.
    pub fn parse(text: &str) -> Option<Format> {
        Self::ALL.into_iter().find(|f| f.text() == text)
    }

    /// All names, for messages.
    pub fn known() -> String {
        Self::ALL.map(Format::text).join(", ")
    }

    /// Looks at a file's name and first bytes.
    pub fn detect(name: &str, head: &[u8]) -> Option<Format> {
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
            (continuous && columns == ["date", "adj close"]).then_some(Format::Front)
        })
    }
}

impl serde::Serialize for Format {
    /// By its name.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

fn arrays(name: &str, text: &str) -> Option<Format> {
    let row = text.trim_start_matches(['[', ' ', '\n']).split(']').next()?;
    match row.split(',').count() {
        2 if name.contains("vol") => Some(Format::Dvol),
        n if n >= 6 => Some(Format::Ohlcv),
        _ => None,
    }
}

fn messages(text: &str) -> Option<Format> {
    if text.contains("\"channel\":\"l2Book\"") || text.contains("\"coin\":") {
        return Some(Format::HyperliquidMessages);
    }
    text.contains("\"stream\":").then_some(Format::BinanceMessages)
}

/// Files without a header: dumps of bars, and Lean's.
fn headless(name: &str, line: &str) -> Option<Format> {
    let cells = line.split(',').count();
    let first = line.split(',').next()?;
    let lean = first.contains(' ') || first.len() <= 8;
    match cells {
        _ if lean && name.contains("openinterest") => None,
        6 if lean && name.contains("trade") => Some(Format::LeanTrades),
        11 if lean && name.contains("quote") => Some(Format::LeanQuotes),
        n if n >= 6 && !lean => Some(Format::Ohlcv),
        _ => None,
    }
}

fn header(columns: &[&str]) -> Option<Format> {
    let has = |name: &str| columns.contains(&name);
    let begins = |start: &str| columns.iter().any(|c| c.starts_with(start));
    let found = [
        (Format::PoolMinutes, has("closetick") && has("currentliquidity")),
        (Format::Gas, has("gas_price")),
        (Format::PoolDays, has("tvlusd") && has("pool_name")),
        (Format::Swaps, has("token_in_address") && has("token_out_amount")),
        (Format::DeribitChain, has("instrument_name") && has("best_bid_price")),
        (Format::DeribitSummary, has("instrument_name") && has("bid_price")),
        (Format::LeanOptions, has("expiry") && has("strike") && has("right")),
        (Format::SpotPerp, begins("close_perp") || begins("funding_rate_1h") || begins("funding_rate_raw")),
        (Format::Funding, has("funding_rate") || has("funding rate") || has("fundingrate") || has("rate")),
        (Format::Ohlcv, has("close")),
        (Format::Prices, columns.len() >= 2 && (has("weth") || has("eth"))),
    ];
    found.into_iter().find(|f| f.1).map(|f| f.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_header_and_name() {
        for (name, head, format) in [
            ("a.json", "[[1,2,3,4,5,6],[", Some(Format::Ohlcv)),
            ("dvol.json", "[[1.0, 56.7], [", Some(Format::Dvol)),
            ("a.csv", "Date,Open,High,Low,Close,Volume\n", Some(Format::Ohlcv)),
            ("a.csv", "https://x\nunix,date,symbol,open,high,low,close,Volume BTC\n", Some(Format::Ohlcv)),
            ("a.csv", "1609459200000,1,2,3,4,5,6,7,8,9,10,0\n", Some(Format::Ohlcv)),
            ("a.csv", "Symbol,Date,Funding Rate\n", Some(Format::Funding)),
            ("a.csv", "timestamp,funding_rate_1h_hyperliquid\n", Some(Format::SpotPerp)),
            ("es_trade_201312.csv", "20131006 22:00,1,2,0,1,5\n", Some(Format::LeanTrades)),
            ("20131008_es_minute_quote_201312.csv", "0,1,2,1,1,3,1,2,1,1,3\n", Some(Format::LeanQuotes)),
            ("es_openinterest_201312.csv", "20131006 00:00,5\n", None),
            ("u.csv", "#expiry,strike,right,open,high,low,close\n", Some(Format::LeanOptions)),
            ("r.gz", "17 {\"stream\":\"btcusdt@trade\",\"data\":{}}\n", Some(Format::BinanceMessages)),
            ("r.gz", "17 {\"channel\":\"l2Book\",\"data\":{}}\n", Some(Format::HyperliquidMessages)),
            ("p.csv", "timestamp,netAmount0,closeTick,currentLiquidity\n", Some(Format::PoolMinutes)),
            ("p.csv", ",WETH,USDC\n", Some(Format::Prices)),
            ("BTC_F.csv.gz", "Date,Adj Close\n", Some(Format::Front)),
            ("GLD.csv.gz", "Date,Adj Close\n", None),
            ("p.csv", "what,is,this\n", None),
            ("p.bin", "\u{0}\u{1}", None),
        ] {
            assert_eq!(Format::detect(name, head.as_bytes()), format, "{name}: {head}");
        }
        for format in Format::ALL {
            assert_eq!(Format::parse(format.text()), Some(format));
        }
    }
}
