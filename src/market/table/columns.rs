//! What columns are called: one list of names for both ways in, and a mapping for what is on no list.

use super::choices::VolumeUnit;
use super::names::quote_rank;

/// What a column can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ColumnRole {
    Time,
    Symbol,
    Open,
    High,
    Low,
    Close,
    Volume,
    /// Volume in quote currency, beside the one in base.
    QuoteVolume,
    Rate,
    /// The settlement that a row of a ticker is about.
    Settlement,
    Mark,
}

use ColumnRole::{Close, High, Low, Mark, Open, QuoteVolume, Rate, Settlement, Symbol, Time, Volume};

/// Roles by the word that a mapping has for them, each with the names that programs and venues give such a column, the likelier
/// first. Names are compared as [`clean`] leaves them.
const NAMES: [(ColumnRole, &str, &[&str]); 11] = [
    (
        Time,
        "time",
        &[
            "timestamp",
            "unix",
            "unix_timestamp",
            "unixtime",
            "date",
            "datetime",
            "time",
            "open_time",
            "opentime",
            "open_timestamp",
            "start_time",
            "start_at",
            "starttime",
            "time_period_start",
            "candle_begin_time",
            "ts_event",
            "ts",
            "t",
            "start",
            "period_start",
            "window_start",
            "begin",
            "begin_time",
            "gmt_time",
            "date_time",
            "timestamp_utc",
            "date_utc",
            "time_utc",
            "utc",
            "dtyyyymmdd",
            "day",
            "funding_time",
            "fundingtime",
            "calc_time",
            "settlement_time",
            "funding_rate_timestamp",
            "fundingratetimestamp",
            "close_time",
            "closetime",
            "time_close",
        ],
    ),
    (
        Symbol,
        "symbol",
        &[
            "symbol",
            "ticker",
            "instrument_name",
            "inst_id",
            "instid",
            "instrument",
            "pair",
            "tic",
            "product_id",
            "coin",
        ],
    ),
    (Open, "open", &["open", "o", "open_price", "openprice", "price_open", "px_open"]),
    (High, "high", &["high", "h", "high_price", "highprice", "price_high", "px_high"]),
    (Low, "low", &["low", "l", "low_price", "lowprice", "price_low", "px_low"]),
    (Close, "close", &["close", "c", "close_price", "closeprice", "price_close", "px_close"]),
    (
        Volume,
        "volume",
        &[
            "base_asset_volume",
            "base_volume",
            "volume_base",
            "basevolume",
            "vol_base",
            "volccy",
            "vol_ccy",
            "volume",
            "vol",
            "v",
            "tick_volume",
            "tickvol",
            "volume_traded",
            "total_volume",
            "trade_volume",
        ],
    ),
    (
        QuoteVolume,
        "quote_volume",
        &[
            "quote_volume",
            "quote_asset_volume",
            "quotevolume",
            "volume_quote",
            "quoteassetvolume",
            "vol_quote",
            "volccyquote",
            "vol_ccy_quote",
            "turnover",
            "amount_quote",
        ],
    ),
    (
        Rate,
        "rate",
        &[
            "funding_rate",
            "fundingrate",
            "last_funding_rate",
            "lastfundingrate",
            "rate",
            "funding",
            "funding_rate_pct",
            "funding_rate_percent",
            "fundingrate_pct",
            "rate_pct",
            "rate_percent",
            "funding_rate_bps",
            "funding_rate_bp",
            "rate_bps",
            "rate_bp",
            "realized_rate",
            "realizedrate",
        ],
    ),
    (Settlement, "settlement", &["funding_timestamp"]),
    (Mark, "mark", &["mark_price", "markprice", "mark"]),
];

impl ColumnRole {
    /// All of them.
    pub fn all() -> impl Iterator<Item = ColumnRole> {
        NAMES.iter().map(|n| n.0)
    }

    /// The word for it in a mapping.
    pub fn word(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// The names that are known of it.
    pub fn names(self) -> &'static [&'static str] {
        NAMES[self as usize].2
    }

    /// A mapping, `time=Date+Time,close=Last`.
    pub fn map(text: &str) -> Result<Vec<(ColumnRole, Vec<String>)>, String> {
        let mut map: Vec<(ColumnRole, Vec<String>)> = Vec::new();
        for part in text.split(',').filter(|p| !p.trim().is_empty()) {
            let (word, columns) = part.split_once('=').unwrap_or((part, ""));
            let role = NAMES.iter().find(|n| n.1 == word.trim()).map(|n| n.0);
            let columns: Vec<String> = columns.split('+').map(clean).filter(|c| !c.is_empty()).collect();
            let most = if role == Some(Time) { 2 } else { 1 };
            match role {
                Some(role) if (1..=most).contains(&columns.len()) => map.push((role, columns)),
                _ => {
                    let known: Vec<&str> = NAMES.iter().map(|n| n.1).collect();
                    return Err(format!(
                        "map={text}: {part:?} maps nothing; write WORD=COLUMN, the word one of {}, and time=DAY+CLOCK for two \
                         columns",
                        known.join(", ")
                    ));
                }
            }
        }
        Ok(map)
    }
}

/// A name as it is compared: small letters, digits, and `_` for whatever is between them.
pub(crate) fn clean(name: &str) -> String {
    let mut out = String::new();
    for c in name.trim_start_matches('\u{feff}').chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if c == '%' {
            out.push_str("_percent");
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    out.trim_end_matches('_').to_owned()
}

/// A cell as text, for names.
pub(crate) fn cell_text(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).trim().to_owned()
}

/// Where the columns of a table are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TableColumns {
    pub symbol: Option<usize>,
    /// Open, high, low; absent together.
    pub range: Option<[usize; 3]>,
    pub close: Option<usize>,
    pub volume: Option<usize>,
    pub turnover: Option<usize>,
    pub rate: Option<usize>,
    pub settlement: Option<usize>,
    pub mark: Option<usize>,
}

/// Names of a header, and what a mapping says of them.
pub(super) struct HeaderNames<'a> {
    /// As [`clean`] leaves them.
    pub names: Vec<String>,
    pub map: &'a [(ColumnRole, Vec<String>)],
}

impl HeaderNames<'_> {
    /// The columns that a mapping names for a role; `Err` is a name that is not there.
    pub fn mapped(&self, role: ColumnRole) -> Option<Result<Vec<usize>, String>> {
        let (_, columns) = self.map.iter().find(|m| m.0 == role)?;
        let at = |c: &String| self.names.iter().position(|n| n == c).ok_or_else(|| c.clone());
        Some(columns.iter().map(at).collect())
    }

    /// The first column that is one of a role.
    pub fn find(&self, role: ColumnRole) -> Result<Option<usize>, String> {
        if let Some(mapped) = self.mapped(role) {
            return mapped.map(|m| m.first().copied());
        }
        Ok(role.names().iter().find_map(|w| self.names.iter().position(|n| n == w)))
    }

    /// All columns but those of the time.
    pub fn columns(&self) -> Result<TableColumns, String> {
        let range = match (self.find(Open)?, self.find(High)?, self.find(Low)?) {
            (Some(o), Some(h), Some(l)) => Some([o, h, l]),
            (None, None, None) => None,
            (o, h, _) => {
                let lacks = if o.is_none() {
                    Open
                } else if h.is_none() {
                    High
                } else {
                    Low
                };
                return Err(lacks.word().to_owned());
            }
        };
        let (volume, turnover) = self.volumes()?;
        Ok(TableColumns {
            symbol: self.find(Symbol)?,
            range,
            close: self.find(Close)?,
            volume,
            turnover,
            rate: self.find(Rate)?,
            settlement: self.find(Settlement)?,
            mark: self.find(Mark)?,
        })
    }

    /// Volume in base and in quote. Old files call them `Volume BTC` and `Volume USD`, or leave the space out.
    fn volumes(&self) -> Result<(Option<usize>, Option<usize>), String> {
        let (mut base, mut quote) = (self.find(Volume)?, self.find(QuoteVolume)?);
        let no_volume = [
            "weighted",
            "wap",
            "average",
            "avg",
            "ma",
            "sma",
            "change",
            "count",
            "buy",
            "sell",
            "usd_change",
        ];
        for (at, name) in self.names.iter().enumerate() {
            let Some(of) = name.strip_prefix("volume").or_else(|| name.strip_suffix("volume")) else {
                continue;
            };
            let of = of.trim_matches('_');
            let is_other =
                no_volume.iter().any(|w| of.split('_').any(|part| part == *w || part.ends_with("wap")));
            let is_coin = (2..=10).contains(&of.len()) && of.bytes().all(|b| b.is_ascii_alphanumeric());
            if !is_coin || is_other || Some(at) == base || Some(at) == quote {
                continue;
            }
            // `Volume BTC` beside `Volume USDT`; of a pair of coins the first is the base.
            let is_quote =
                quote_rank(&of.to_ascii_uppercase()).is_some() && of != "btc" && of != "eth" && of != "bnb";
            if is_quote || base.is_some() {
                if quote.is_none() && (is_quote || quote_rank(&of.to_ascii_uppercase()).is_some()) {
                    quote = Some(at);
                }
            } else {
                base = Some(at);
            }
        }
        Ok((base, quote))
    }

    /// What the name of a rate's column tells of its unit.
    pub fn rate_unit(&self, column: usize) -> Option<f64> {
        let has = |w: &str| self.names[column].split('_').any(|part| part == w);
        if has("pct") || has("percent") {
            Some(0.01)
        } else if has("bps") || has("bp") {
            Some(0.0001)
        } else {
            None
        }
    }

    /// Whether a column counts contracts, which it does beside one that counts the base.
    pub fn counts_base(&self, column: usize) -> bool {
        matches!(
            self.names[column].as_str(),
            "base_asset_volume"
                | "base_volume"
                | "volume_base"
                | "basevolume"
                | "vol_base"
                | "volccy"
                | "vol_ccy"
        )
    }
}

impl VolumeUnit {
    /// A volume in units of the base.
    pub fn base(self, volume: f64, close: f64) -> f64 {
        match self {
            VolumeUnit::Base(1.0) => volume,
            VolumeUnit::Base(size) => volume * size,
            VolumeUnit::Quote(size) => volume * size / close,
            VolumeUnit::Unknown => f64::INFINITY,
        }
    }
}
