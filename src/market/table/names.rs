//! What names tell: of a symbol its base and its quote, of a file and of its folders venue, kind, pair and length of the bars.

use crate::domain::{InstrumentKind, Span};

/// Venues that are known by their names in paths.
const VENUES: [&str; 26] = [
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
    "upbit",
    "bithumb",
    "mexc",
    "cryptocom",
];
/// Currencies in which pairs are quoted, in the order in which they claim an asset's plain name: each with the letters that a
/// base has at least, so that `BNBUSD` is BNB in USD and not BN in BUSD.
const QUOTES: [(&str, usize); 40] = [
    ("USDT", 1),
    ("USDC", 1),
    ("FDUSD", 3),
    ("BUSD", 3),
    ("USD", 2),
    ("EUR", 2),
    ("BTC", 2),
    ("TUSD", 3),
    ("DAI", 3),
    ("GBP", 2),
    ("XBT", 2),
    ("ETH", 3),
    ("BNB", 3),
    ("JPY", 3),
    ("KRW", 3),
    ("TRY", 3),
    ("BRL", 3),
    ("AUD", 3),
    ("CAD", 3),
    ("CHF", 3),
    ("NZD", 3),
    ("CNH", 3),
    ("CNY", 3),
    ("HKD", 3),
    ("SGD", 3),
    ("INR", 3),
    ("IDR", 3),
    ("RUB", 3),
    ("UAH", 3),
    ("MXN", 3),
    ("ZAR", 3),
    ("PLN", 3),
    ("SEK", 3),
    ("NOK", 3),
    ("DKK", 3),
    ("CZK", 3),
    ("HUF", 3),
    ("THB", 3),
    ("NGN", 3),
    ("ARS", 3),
];
/// Those that count as one dollar where the tape does not say otherwise.
const DOLLARS: [&str; 8] = ["USD", "USDT", "USDC", "BUSD", "FDUSD", "TUSD", "DAI", "USDD"];
/// Coins whose names end like a quote.
const WHOLE: [&str; 8] = ["STETH", "WBETH", "CBETH", "RETH", "WEETH", "WSTETH", "RENBTC", "SBTC"];
/// Words in names that are no part of a pair.
const WORDS: [&str; 36] = [
    "perp",
    "perps",
    "perpetual",
    "swap",
    "swaps",
    "futures",
    "future",
    "spot",
    "usdm",
    "coinm",
    "cm",
    "um",
    "kline",
    "klines",
    "candles",
    "bars",
    "ohlcv",
    "daily",
    "hourly",
    "minute",
    "funding",
    "fundingrate",
    "history",
    "rate",
    "trade",
    "dev",
    "mark",
    "markpriceklines",
    "indexpriceklines",
    "premiumindexklines",
    "derivative",
    "ticker",
    "given",
    "right",
    "linear",
    "inverse",
];
/// Endings of files.
const ENDINGS: [&str; 12] =
    ["csv", "json", "gz", "txt", "zip", "tsv", "jsonl", "log", "parquet", "feather", "arrow", "pq"];

/// Stablecoins, currencies and gold: no momentum to follow, no trend to ride.
const MONEY_LIKE: [&str; 35] = [
    "USDT", "USDC", "BUSD", "TUSD", "USDP", "DAI", "FDUSD", "UST", "USTC", "USDD", "GUSD", "PYUSD", "FRAX",
    "SUSD", "PAX", "USD", "EUR", "GBP", "AUD", "TRY", "BRL", "CHF", "JPY", "PAXG", "XAUT", "XAU", "XAG",
    "XPT", "CAD", "NZD", "KRW", "CNH", "SEK", "NOK", "MXN",
];

/// Whether an asset is a stablecoin, a currency or gold.
pub(crate) fn money_like(base: &str) -> bool {
    MONEY_LIKE.contains(&base)
}

/// Whether amounts in it are counted as dollars.
pub(crate) fn is_dollar(currency: &str) -> bool {
    DOLLARS.contains(&currency)
}

/// The place of a quote among those that claim an asset's plain name.
pub(crate) fn quote_rank(currency: &str) -> Option<usize> {
    QUOTES.iter().position(|q| q.0 == currency)
}

/// A pair, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SymbolPair {
    /// Symbol as the venue writes it.
    pub symbol: String,
    /// Name of the asset, such as `BTC`.
    pub base: String,
    /// What prices are in; none where the name does not tell.
    pub quote: Option<String>,
}

/// One name for what goes by several.
pub(crate) fn asset_name(text: &str) -> String {
    match text {
        "XBT" => "BTC".to_owned(),
        "WETH" => "ETH".to_owned(),
        "WBTC" => "WBTC".to_owned(),
        other => other.to_owned(),
    }
}

/// Whether a word before a colon is no pair of its own.
fn is_place(word: &str) -> bool {
    !word.contains(['/', '-', '_']) && split(word).1.is_none()
}

/// A pair without the minutes of its bars, which `MetaTrader` writes behind it: `BTCUSD60`.
fn without_minutes(word: &str) -> &str {
    let pair = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_bar = matches!(&word[pair.len()..], "1" | "5" | "15" | "30" | "60" | "240" | "1440" | "10080");
    if is_bar && split(&pair.to_ascii_uppercase()).1.is_some() { pair } else { word }
}

/// A word of two currencies, taken apart.
fn split(word: &str) -> (&str, Option<&'static str>) {
    if WHOLE.contains(&word) {
        return (word, None);
    }
    // Kraken writes X before coins and Z before currencies.
    let word = match word.as_bytes() {
        [b'X', _, _, _, b'Z' | b'X', _, _, _] if quote_rank(&word[5..]).is_some() => {
            let quote = quote_rank(&word[5..]).map(|n| QUOTES[n].0);
            return (&word[1..4], quote);
        }
        _ => word,
    };
    // Of two readings the longer quote, unless too little is left of the base.
    let found = QUOTES.iter().filter(|(q, least)| word.len() >= q.len() + least && word.ends_with(q));
    // A dollar has no price in what stands for one: `USDTUSD` is Tether's.
    let found = found.filter(|(q, _)| !(is_dollar(q) && &word[..word.len() - q.len()] == "USD"));
    match found.max_by_key(|(q, _)| q.len()) {
        Some((quote, _)) => (&word[..word.len() - quote.len()], Some(*quote)),
        None => (word, None),
    }
}

impl SymbolPair {
    /// Takes `ETHBTC`, `ETH-BTC`, `ETH/BTC`, `BTCUSD_PERP`, `BTC-USDT-SWAP`, `USDJPY` or `AAPL` apart.
    pub fn of(text: &str) -> Option<SymbolPair> {
        let symbol = text.trim().to_ascii_uppercase();
        // Where it is traded may stand before it, `X:BTCUSD`; behind it stands what it is paid in.
        let symbol = match symbol.split_once(':') {
            Some((place, pair)) if is_place(place) && split(pair).1.is_some() => pair.to_owned(),
            _ => symbol,
        };
        let mut parts: Vec<&str> =
            symbol.split(['-', '_', '/', ':', '.', ' ']).filter(|p| !p.is_empty()).collect();
        let prefix = |p: &&str| {
            VENUES.contains(&p.to_ascii_lowercase().as_str()) || matches!(*p, "PF" | "PI" | "FF" | "FI")
        };
        if parts.len() > 1 && parts.first().is_some_and(prefix) {
            parts.remove(0);
        }
        let (first, rest) = parts.split_first()?;
        let named = rest.first().and_then(|q| quote_rank(q)).map(|n| QUOTES[n].0);
        let (base, quote) = match named {
            Some(quote) => (*first, Some(quote)),
            None => split(first.strip_suffix("PERP").filter(|f| split(f).1.is_some()).unwrap_or(first)),
        };
        let quote = quote.map(asset_name);
        let base = asset_name(base);
        let plain = base.chars().all(|c| c.is_ascii_alphanumeric()) && !base.is_empty();
        plain.then_some(SymbolPair { symbol: symbol.replace(['/', ':'], ""), base, quote })
    }
}

/// What a path tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileHints {
    /// Where it was recorded; empty where the path does not tell.
    pub venue: String,
    /// Perps, or spot; none where the path does not tell.
    pub kind: Option<InstrumentKind>,
    /// The pair of the whole file.
    pub pair: Option<SymbolPair>,
    /// Length of its bars.
    pub bar: Option<Span>,
    /// Whether it is of an index, a mark or a premium: prices at which nothing is traded.
    pub reference: Option<&'static str>,
    /// Whether it is named after funding.
    pub funding: bool,
}

fn tokens(part: &str) -> Vec<String> {
    let split = part.split(['-', '_', '.', ' ', ':', '@', ',']).filter(|t| !t.is_empty());
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
        "swap" | "swaps" | "usdm" | "coinm" | "cm" | "um" | "future" => Some(InstrumentKind::Perp),
        _ if token.contains("perp") || token.contains("futures") => Some(InstrumentKind::Perp),
        // Both sides, a short pays the borrow rate: what history takes spot bars for.
        "spot" | "margin" => Some(InstrumentKind::Margin),
        _ => None,
    }
}

/// What a file or folder tells of prices at which nothing is traded.
fn reference(part: &str) -> Option<&'static str> {
    let word: String = part.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let named = |w: &str| word.contains(w);
    if named("premiumindex") {
        Some("a premium")
    } else if named("indexprice") {
        Some("an index")
    } else if named("markprice") {
        Some("a mark")
    } else {
        None
    }
}

/// The pair in the words of a file's name: the first that is one, with its quote behind it or in it; else the first word.
fn pair(words: &[&str]) -> Option<SymbolPair> {
    let is_quote = |w: &&str| quote_rank(&w.to_ascii_uppercase()).is_some();
    for (n, word) in words.iter().enumerate() {
        // Two words are a pair only if the second is a currency: `BTC_USDT`, but not `btc_chain`.
        if let Some(quote) = words.get(n + 1).filter(|w| is_quote(w)) {
            let of = SymbolPair::of(&format!("{word}-{quote}"))?;
            return Some(SymbolPair { symbol: of.symbol.replace('-', ""), ..of });
        }
        if let Some(of) = SymbolPair::of(without_minutes(word)).filter(|p| p.quote.is_some()) {
            return Some(of);
        }
    }
    // A class of shares: BRK-B.
    match words {
        [name, class, ..] if class.len() == 1 => SymbolPair::of(&format!("{name}{class}")),
        [name, ..] => SymbolPair::of(name),
        [] => None,
    }
}

impl FileHints {
    /// Reads a path: the file's own name first, then its folders from the nearest up.
    pub fn of(path: &str) -> FileHints {
        let names: Vec<&str> = path.split(['/', '\\']).collect();
        let mut parts: Vec<Vec<String>> = names.iter().map(|p| tokens(p)).collect();
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
        let file = parts.first().map(Vec::as_slice).unwrap_or_default();
        let is_word = |t: &&str| {
            !VENUES.contains(t)
                && !WORDS.contains(t)
                && span(t).is_none()
                && !ENDINGS.contains(t)
                && !t.bytes().all(|b| b.is_ascii_digit())
        };
        let words: Vec<&str> = file.iter().map(String::as_str).filter(is_word).collect();
        let marked = file.iter().any(|t| t == "mark").then_some("a mark");
        FileHints {
            venue,
            kind,
            pair: pair(&words),
            bar,
            reference: marked.or_else(|| names.iter().rev().find_map(|p| reference(p))),
            funding: file.iter().any(|t| t.starts_with("funding")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, Option<String>) {
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
            ("USDJPY", "USD", Some("JPY")),
            ("BTCKRW", "BTC", Some("KRW")),
            ("EURUSD", "EUR", Some("USD")),
            ("BTC-USDT-SWAP", "BTC", Some("USDT")),
            ("BTC/USDT:USDT", "BTC", Some("USDT")),
            ("BINANCE:BTCUSDT", "BTC", Some("USDT")),
            ("X:BTCUSD", "BTC", Some("USD")),
            ("DOGE:USD", "DOGE", Some("USD")),
            ("XXBTZUSD", "BTC", Some("USD")),
            ("PF_XBTUSD", "BTC", Some("USD")),
            ("SOLUSDTPERP", "SOL", Some("USDT")),
            ("PERPUSDT", "PERP", Some("USDT")),
            ("TUSDT", "T", Some("USDT")),
            ("STETH", "STETH", None),
            ("WBTC", "WBTC", None),
        ] {
            assert_eq!(parts(text), (base.to_owned(), quote.map(str::to_owned)), "{text}");
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
            ("okx/BTC-USDT-SWAP.csv", "okx", Some(Perp), "BTCUSDT", None),
            ("f/BTC_USDT_USDT-1h-futures.json", "", Some(Perp), "BTCUSDT", Some(3_600)),
            ("upbit_BTCKRW_1h.csv", "upbit", None, "BTCKRW", Some(3_600)),
            ("v/BTCUSDT-fundingRate-2024-01.csv", "", None, "BTCUSDT", None),
            ("x/BRK-B.csv", "", None, "BRKB", None),
            ("x/BTCUSD60.csv", "", None, "BTCUSD", None),
            ("x/BINANCE_BTCUSDT, 60.csv", "binance", None, "BTCUSDT", None),
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
