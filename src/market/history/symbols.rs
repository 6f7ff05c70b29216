//! From symbols as venues write them to assets as agents name them.

use super::source::SourceFile;
use crate::domain::InstrumentKind;
use crate::market::table::{FileHints, SymbolPair, TableShape, is_dollar, quote_rank};
use std::collections::{BTreeMap, BTreeSet};

/// Most symbols in one data set: the 30-day rankings hold a number for each pair of them (32 MB here).
pub(super) const SYMBOLS_MAX: usize = 2_048;

/// Stablecoins, currencies and gold: no momentum to follow, no trend to ride.
const MONEY_LIKE: [&str; 35] = [
    "USDT", "USDC", "BUSD", "TUSD", "USDP", "DAI", "FDUSD", "UST", "USTC", "USDD", "GUSD", "PYUSD", "FRAX",
    "SUSD", "PAX", "USD", "EUR", "GBP", "AUD", "TRY", "BRL", "CHF", "JPY", "PAXG", "XAUT", "XAU", "XAG",
    "XPT", "CAD", "NZD", "KRW", "CNH", "SEK", "NOK", "MXN",
];

/// Whether an asset is a stablecoin, a currency or gold.
pub fn money_like(base: &str) -> bool {
    MONEY_LIKE.contains(&base)
}

/// The kind a data set's name tells: perps where it says so, margin otherwise (both sides, with a
/// borrow rate), since the files themselves do not tell.
pub fn kind_of_name(name: &str) -> InstrumentKind {
    FileHints::of(name).kind.unwrap_or(InstrumentKind::Margin)
}

/// The symbol in a file's name: `BTC_USDT-1h` and `BTCUSDT-1h-2023-01` give `BTCUSDT`, and `BTCUSD@kraken` itself.
pub(super) fn symbol_of_file(source: &dyn SourceFile, shape: &TableShape) -> String {
    let exchange = source.stem().split_once('@').map(|(_, exchange)| exchange);
    let symbol = shape
        .hints
        .pair
        .as_ref()
        .map_or_else(|| source.stem().to_ascii_uppercase(), |pair| pair.symbol.clone());
    match exchange {
        Some(exchange) => format!("{symbol}@{exchange}"),
        None => symbol,
    }
}

/// A symbol taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SymbolParts {
    /// Name of the asset, such as `BTC`.
    pub base: String,
    /// Currency in which it is quoted; `None` if the symbol names none (a stock).
    pub quote: Option<String>,
    /// What follows the `@`.
    pub exchange: Option<String>,
}

impl SymbolParts {
    /// Takes `BTCUSDT`, `BTC-USD` or `BTCUSD@kraken` apart.
    pub fn of(symbol: &str) -> SymbolParts {
        let (pair, exchange) = match symbol.split_once('@') {
            Some((pair, exchange)) => (pair, Some(exchange.to_string())),
            None => (symbol, None),
        };
        let whole = || SymbolParts { base: pair.to_string(), quote: None, exchange: exchange.clone() };
        if money_like(pair) {
            return whole();
        }
        match SymbolPair::of(pair) {
            Some(SymbolPair { base, quote, .. }) if quote.is_some() => SymbolParts { base, quote, exchange },
            _ => whole(),
        }
    }

    /// The quote's name if amounts in it are not dollars.
    pub fn foreign_quote(&self) -> Option<&str> {
        self.quote.as_deref().filter(|q| !is_dollar(q))
    }

    /// Whether a symbol is that of a contract in dollars whose margin and gains are coins: `BTCUSD_PERP`, `BTC-USD-SWAP`.
    pub fn is_coin_margined(symbol: &str) -> bool {
        let plain = symbol.to_ascii_uppercase().replace(['-', '_', '/'], "");
        ["USDPERP", "USDSWAP"].iter().any(|end| plain.ends_with(end))
    }

    /// Whether a list of wanted names may mean this symbol; [`choose`] decides among several.
    pub fn wanted(&self, symbol: &str, list: &[String]) -> bool {
        list.iter().any(|w| {
            w == symbol
                || *w == self.base
                || self
                    .exchange
                    .as_ref()
                    .is_some_and(|e| w.strip_prefix(&self.base) == Some(&format!("@{e}")))
        })
    }
}

/// Names assets, one per symbol, all different, in the order of `symbols`.
///
/// An asset takes its base's name; `@exchange` is kept where one base comes from several exchanges;
/// where two symbols would share a name, the one quoted nearest to dollars keeps it and the other is
/// named by its symbol.
pub(super) fn name_assets(symbols: &[(String, SymbolParts)]) -> Vec<String> {
    let mut exchanges: BTreeMap<&str, BTreeSet<Option<&str>>> = BTreeMap::new();
    for (_, parts) in symbols {
        exchanges.entry(&parts.base).or_default().insert(parts.exchange.as_deref());
    }
    let mut order: Vec<usize> = (0..symbols.len()).collect();
    let rank = |i: usize| symbols[i].1.quote.as_deref().map(|q| quote_rank(q).unwrap_or(usize::MAX));
    order.sort_by_key(|&i| (rank(i), &symbols[i].0));
    let mut names = vec![String::new(); symbols.len()];
    let mut taken = BTreeSet::new();
    for i in order {
        let (symbol, parts) = &symbols[i];
        let several = exchanges.get(parts.base.as_str()).is_some_and(|e| e.len() > 1);
        let mut name = match &parts.exchange {
            Some(exchange) if several => format!("{}@{exchange}", parts.base),
            _ => parts.base.clone(),
        };
        if taken.contains(&name) {
            name.clone_from(symbol);
        }
        // Only a symbol that is another's base (`X` beside `XUSDT`) comes here.
        while taken.contains(&name) {
            name.push('\'');
        }
        taken.insert(name.clone());
        names[i] = name;
    }
    names
}

/// Which of the named symbols a list of wanted names means: exact names and symbols first, and all of
/// a base only where nothing is called exactly so. `Err` is a name that means nothing.
pub(super) fn choose(
    symbols: &[(String, SymbolParts)],
    names: &[String],
    list: &[String],
) -> Result<Vec<bool>, String> {
    let mut chosen = vec![false; symbols.len()];
    for wanted in list {
        let exact = (0..symbols.len()).any(|i| names[i] == *wanted || symbols[i].0 == *wanted);
        let mut found = false;
        for i in 0..symbols.len() {
            let hit =
                names[i] == *wanted || symbols[i].0 == *wanted || (!exact && symbols[i].1.base == *wanted);
            chosen[i] |= hit;
            found |= hit;
        }
        if !found {
            return Err(wanted.clone());
        }
    }
    Ok(chosen)
}

/// Numbers symbols in the order in which they are first seen.
#[derive(Debug, Default)]
pub(super) struct SymbolTable {
    /// Symbols, by the number they were given.
    pub names: Vec<String>,
    index: BTreeMap<Vec<u8>, u16>,
}

impl SymbolTable {
    /// The number of a symbol, given out now if it is new; `None` if the table is full.
    pub fn number(&mut self, symbol: &[u8]) -> Option<u16> {
        if let Some(&n) = self.index.get(symbol) {
            return Some(n);
        }
        if self.names.len() >= SYMBOLS_MAX {
            return None;
        }
        let n = self.names.len() as u16;
        self.names.push(String::from_utf8_lossy(symbol).into_owned());
        self.index.insert(symbol.to_vec(), n);
        Some(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(symbols: &[&str]) -> Vec<String> {
        let parts: Vec<_> = symbols.iter().map(|s| ((*s).to_string(), SymbolParts::of(s))).collect();
        name_assets(&parts)
    }

    #[test]
    fn quotes_are_stripped() {
        for (symbol, base) in [
            ("BTCUSDT", "BTC"),
            ("BTCUSD@kraken", "BTC"),
            ("BNBUSD", "BNB"),
            ("BTCBUSD", "BTC"),
            ("SHIB-USD", "SHIB"),
            ("USDCUSDT", "USDC"),
            ("AAPL", "AAPL"),
            ("ETHBTC", "ETH"),
            ("USDT", "USDT"),
            ("EURUSDT", "EUR"),
            ("USDJPY", "USD"),
            ("BTCKRW", "BTC"),
            ("EURGBP", "EUR"),
            ("BTCTRY", "BTC"),
            ("XAGUSD", "XAG"),
            ("GCAD", "GCAD"),
        ] {
            assert_eq!(SymbolParts::of(symbol).base, base, "{symbol}");
        }
    }

    #[test]
    fn what_is_no_dollar_and_what_is_margined_in_coins_is_known_by_its_symbol() {
        let quotes = ["USDJPY", "BTCKRW", "ETHBTC", "BTCUSDT", "AAPL"].map(SymbolParts::of);
        let quotes = quotes.each_ref().map(SymbolParts::foreign_quote);
        assert_eq!(quotes, [Some("JPY"), Some("KRW"), Some("BTC"), None, None]);
        let coins = ["BTCUSD_PERP", "BTC-USD-SWAP", "BTCUSDPERP", "BTCUSDTPERP", "BTCUSD"]
            .map(SymbolParts::is_coin_margined);
        assert_eq!(coins, [true, true, true, false, false]);
    }

    #[test]
    fn names_are_plain_unless_two_would_share_one() {
        assert_eq!(named(&["DOGEBTC", "DOGEUSDT", "ADABTC"]), ["DOGEBTC", "DOGE", "ADA"]);
        assert_eq!(named(&["BTCUSD@kraken", "BTCUSDT@binance"]), ["BTC@kraken", "BTC@binance"]);
        assert_eq!(named(&["BTCUSD@kraken", "BTCEUR@kraken"]), ["BTC", "BTCEUR@kraken"]);
        assert_eq!(named(&["X", "XUSDT"]), ["X", "XUSDT"]);
    }

    #[test]
    fn a_wanted_name_means_the_exact_one_or_all_of_its_base() {
        let symbols: Vec<_> = ["DOGEBTC", "DOGEUSDT", "BTCUSD@kraken", "BTCUSDT@binance"]
            .iter()
            .map(|s| ((*s).to_string(), SymbolParts::of(s)))
            .collect();
        let names = name_assets(&symbols);
        let pick = |list: &[&str]| {
            choose(&symbols, &names, &list.iter().map(|s| (*s).to_string()).collect::<Vec<_>>())
        };
        assert_eq!(pick(&["DOGE"]).unwrap(), [false, true, false, false]);
        assert_eq!(pick(&["BTC"]).unwrap(), [false, false, true, true]);
        assert_eq!(pick(&["BTC@kraken"]).unwrap(), [false, false, true, false]);
        assert_eq!(pick(&["ETH"]), Err("ETH".into()));
    }

    #[test]
    fn names_give_kinds() {
        for (name, kind) in [
            ("perp_1h", InstrumentKind::Perp),
            ("spot_1h", InstrumentKind::Margin),
            ("swaps", InstrumentKind::Perp),
            ("uniswap", InstrumentKind::Margin),
            ("btcperps", InstrumentKind::Perp),
        ] {
            assert_eq!(kind_of_name(name), kind, "{name}");
        }
    }
}
