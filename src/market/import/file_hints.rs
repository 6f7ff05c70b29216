//! What the name of a file and of its folders tells: venue, kind, pair, length of the bars.

use crate::domain::{InstrumentKind, Span};

/// Venues that are known by their names in paths.
const VENUES: [&str; 22] = [
    "binance",
    "bitstamp",
    "coinbase",
    "kraken",
    "gate",
    "okx",
    "bybit",
    "kucoin",
    "dydx",
    "deribit",
    "hyperliquid",
    "ftx",
    "bitmex",
    "bitfinex",
    "gemini",
    "huobi",
    "htx",
    "cme",
    "comex",
    "cboe",
    "nymex",
    "uniswap",
];
/// Currencies in which pairs are quoted, longer names first where one ends in another.
const QUOTES: [&str; 20] = [
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "DAI", "EUR", "GBP", "BTC", "XBT", "ETH", "BNB", "JPY",
    "KRW", "TRY", "BRL", "AUD", "CAD", "CHF",
];
/// Those among them on which usual tickers end that name no quote, and from which on currencies do.
const LONG: [&str; 4] = ["BUSD", "FDUSD", "TUSD", "DAI"];
const CURRENCIES: usize = 13;
/// Those that count as one dollar where the tape does not say otherwise.
const DOLLARS: [&str; 8] = ["USD", "USDT", "USDC", "BUSD", "FDUSD", "TUSD", "DAI", "USDD"];
/// Words in names that are no part of a pair.
const WORDS: [&str; 19] = [
    "perp",
    "perpetual",
    "swap",
    "futures",
    "future",
    "spot",
    "usdm",
    "cm",
    "um",
    "klines",
    "ohlcv",
    "daily",
    "hourly",
    "minute",
    "funding",
    "history",
    "rate",
    "trade",
    "dev",
];

/// Whether amounts in it are counted as dollars.
pub(super) fn is_dollar(currency: &str) -> bool {
    DOLLARS.contains(&currency)
}

/// A pair, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SymbolPair {
    /// Symbol as the venue writes it.
    pub symbol: String,
    /// Name of the asset, such as `BTC`.
    pub base: String,
    /// What prices are in; none where the name does not tell.
    pub quote: Option<String>,
}

/// One name for what goes by several.
pub(super) fn asset_name(text: &str) -> String {
    match text {
        "XBT" => "BTC".to_owned(),
        "WETH" => "ETH".to_owned(),
        "WBTC" => "WBTC".to_owned(),
        other => other.to_owned(),
    }
}

impl SymbolPair {
    /// Takes `ETHBTC`, `ETH-BTC`, `ETH/BTC`, `BTCUSD_PERP` or `AAPL` apart.
    pub fn of(text: &str) -> Option<SymbolPair> {
        let symbol = text.trim().to_ascii_uppercase();
        let parts: Vec<&str> =
            symbol.split(['-', '_', '/', ':', '.', ' ']).filter(|p| !p.is_empty()).collect();
        let (first, rest) = parts.split_first()?;
        let quote = rest.first().filter(|q| QUOTES.contains(q));
        let (base, quote) = match quote {
            Some(quote) => (*first, Some(*quote)),
            None => QUOTES
                .iter()
                // `BNBUSD` is BNB in USD, not BN in BUSD: of two readings the one with a usual ticker.
                .filter(|q| {
                    let is_long = LONG.contains(q) || QUOTES[CURRENCIES..].contains(q);
                    first.len() >= q.len() + if is_long { 3 } else { 2 }
                })
                .find_map(|q| Some((first.strip_suffix(q)?, Some(*q))))
                .unwrap_or((*first, None)),
        };
        let quote = quote.map(asset_name);
        let base = asset_name(base);
        let plain = base.chars().all(|c| c.is_ascii_alphanumeric()) && !base.is_empty();
        plain.then_some(SymbolPair { symbol: symbol.replace(['/', ':'], ""), base, quote })
    }
}

/// What a path tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileHints {
    /// Where it was recorded; empty where the path does not tell.
    pub venue: String,
    /// Perps, or spot; none where the path does not tell.
    pub kind: Option<InstrumentKind>,
    /// The pair of the whole file.
    pub pair: Option<SymbolPair>,
    /// Length of its bars.
    pub bar: Option<Span>,
}

fn tokens(part: &str) -> Vec<String> {
    let split = part.split(['-', '_', '.', ' ', ':', '@']).filter(|t| !t.is_empty());
    split.map(str::to_ascii_lowercase).collect()
}

fn span(token: &str) -> Option<Span> {
    match token {
        "minute" => Some(Span::seconds(60)),
        "hour" | "hourly" => Some(Span::HOUR),
        "daily" => Some(Span::DAY),
        _ if token.len() <= 4 && token.starts_with(|c: char| c.is_ascii_digit()) => Span::parse(token),
        _ => None,
    }
}

fn kind(token: &str) -> Option<InstrumentKind> {
    match token {
        "perp" | "perpetual" | "swap" | "futures" | "usdm" | "cm" | "um" => Some(InstrumentKind::Perp),
        // Both sides, a short pays the borrow rate: what history takes spot bars for.
        "spot" | "margin" => Some(InstrumentKind::Margin),
        _ => None,
    }
}

impl FileHints {
    /// Reads a path: the file's own name first, then its folders from the nearest up.
    pub fn of(path: &str) -> FileHints {
        let mut parts: Vec<Vec<String>> = path.split(['/', '\\']).map(tokens).collect();
        parts.reverse();
        let find = |f: &dyn Fn(&str) -> bool| parts.iter().flatten().find(|t| f(t));
        let venue = find(&|t| VENUES.contains(&t)).cloned().unwrap_or_default();
        // A folder of spot and perps tells nothing of one file.
        let kinds = |tokens: &Vec<String>| {
            let mut found: Vec<InstrumentKind> = tokens.iter().filter_map(|t| kind(t)).collect();
            found.dedup();
            if let [one] = found[..] { Some(one) } else { None }
        };
        let kind = parts.iter().find_map(kinds);
        let bar = parts.iter().flatten().find_map(|t| span(t));
        let pair = parts.first().and_then(|file| {
            let words: Vec<&str> = file
                .iter()
                .map(String::as_str)
                .filter(|t| {
                    !VENUES.contains(t)
                        && !WORDS.contains(t)
                        && span(t).is_none()
                        && !matches!(*t, "csv" | "json" | "gz" | "txt" | "zip")
                        && !t.bytes().all(|b| b.is_ascii_digit())
                })
                .collect();
            // Two words are a pair only if the second is a currency: `BTC_USDT`, but not `btc_chain`.
            let quote = words.get(1).filter(|w| QUOTES.contains(&w.to_ascii_uppercase().as_str()));
            let first = words.first()?;
            SymbolPair::of(&quote.map_or_else(|| (*first).to_owned(), |q| format!("{first}{q}")))
        });
        FileHints { venue, kind, pair, bar }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(text: &str) -> (String, Option<String>) {
        let pair = SymbolPair::of(text).unwrap();
        (pair.base, pair.quote)
    }

    #[test]
    fn pairs_are_taken_apart() {
        for (text, base, quote) in [
            ("ETHBTC", "ETH", Some("BTC")),
            ("BTC/USD", "BTC", Some("USD")),
            ("BTC-USDT", "BTC", Some("USDT")),
            ("BNBUSD", "BNB", Some("USD")),
            ("BTCUSD_PERP", "BTC", Some("USD")),
            ("XBTUSD", "BTC", Some("USD")),
            ("1INCHUSDT", "1INCH", Some("USDT")),
            ("AAPL", "AAPL", None),
            ("BTC", "BTC", None),
            ("USDCUSDT", "USDC", Some("USDT")),
        ] {
            assert_eq!(pair(text), (base.to_owned(), quote.map(str::to_owned)), "{text}");
        }
        assert!(SymbolPair::of("").is_none() && SymbolPair::of("B%C").is_none());
    }

    #[test]
    fn paths_tell_venue_kind_pair_and_bar() {
        use InstrumentKind::{Margin, Perp};
        for (path, venue, kind, symbol, bar) in [
            ("triangles_1m_2021/ETH_BTC-1m.json.gz", "", None, "ETHBTC", Some(60)),
            ("x/kraken_Kraken_BTCUSD_1h.csv.gz", "kraken", None, "BTCUSD", Some(3_600)),
            ("a/binance_BTCUSDC_1m_20230301_20230321.csv.gz", "binance", None, "BTCUSDC", Some(60)),
            ("ohlcv_ftx_perp_1m/btc-perp-20211231-20220201_1m.csv", "ftx", Some(Perp), "BTC", Some(60)),
            ("basis/perp_BTCUSDT_1d_2021.csv", "", Some(Perp), "BTCUSDT", Some(86_400)),
            ("basis/spot_BTCUSDT_1d_2021.csv", "", Some(Margin), "BTCUSDT", Some(86_400)),
            ("f/BTC-USDT_kucoin_2021-01-01_2024-01-01_funding_history.csv", "kucoin", None, "BTCUSDT", None),
            ("xexchange_spot_perp_funding_1h/okx_SOL_2020-09-30.csv", "okx", None, "SOL", Some(3_600)),
            ("l2_ws_recordings_binance/usdm_btcusdt_20240808.gz", "binance", Some(Perp), "BTCUSDT", None),
        ] {
            let hints = FileHints::of(path);
            let symbol_read = hints.pair.as_ref().map(|p| p.symbol.as_str());
            assert_eq!(
                (hints.venue.as_str(), hints.kind, symbol_read),
                (venue, kind, Some(symbol)),
                "{path}"
            );
            assert_eq!(hints.bar, bar.map(Span::seconds), "{path}");
        }
    }
}
