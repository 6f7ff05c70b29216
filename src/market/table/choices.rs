//! What an operator decides of files that do not tell it, as `KEY=VALUE`: behind a history's path, after `--read`, or in a file
//! beside the data.

use super::columns::ColumnRole;
use crate::domain::Span;

/// What a unit of a volume is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum VolumeUnit {
    /// So many units of the base.
    Base(f64),
    /// So many units of the quote.
    Quote(f64),
    /// It is not to be believed: there is none.
    Unknown,
}

/// How two numbers and a year stand in a date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum DateOrder {
    /// Year, month, day.
    #[default]
    Year,
    /// Day, month, year.
    Day,
    /// Month, day, year.
    Month,
}

/// Whether stamps are the open of their bar, or its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StampSide {
    /// They are opens.
    Open,
    /// They are closes.
    Close,
}

/// When a rate that stands in a row is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SettleRule {
    /// Each row is a settlement.
    Each,
    /// Only rows at whole multiples of this are.
    Every(Span),
}

/// What was decided, all of it optional.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    pub(super) volume: Option<VolumeUnit>,
    /// What a rate is multiplied with to be a fraction of the notional.
    pub(super) rates: Option<f64>,
    pub(super) settle: Option<SettleRule>,
    pub(super) stamps: Option<StampSide>,
    pub(super) dates: Option<DateOrder>,
    /// Jumps that look like splits are moves of the market.
    pub(super) jumps: bool,
    /// Stamps before markets had coins are what they say.
    pub(super) early: bool,
    /// Prices of an index or a mark are to be traded.
    pub(super) reference: bool,
    /// Length of the bars that are meant, where a folder has several.
    pub(super) bar: Option<Span>,
    pub(super) map: Vec<(ColumnRole, Vec<String>)>,
    /// All of it as it was written, since it makes other data of the same bytes.
    text: Vec<String>,
}

impl PartialEq for Choices {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Choices {}

impl Choices {
    /// What can be decided, for help and messages.
    pub const KNOWN: &str = "volume=base|quote|none (or base*0.01, quote*100: what one unit is), rates=fraction|percent|bp, \
                             settle=each|8h, stamps=open|close, dates=ymd|dmy|mdy, jumps=keep, early=keep, reference=trade, \
                             bar=1h, map=time=Date+Time,close=Last";

    /// The columns that can be mapped, each with the names by which it is known unasked.
    pub fn columns() -> Vec<(&'static str, &'static [&'static str])> {
        ColumnRole::all().map(|role| (role.word(), role.names())).collect()
    }

    /// Decides one thing.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let wrong = || format!("{key}={value} decides nothing; write {}", Self::KNOWN);
        match key {
            "volume" => self.volume = Some(volume(value).ok_or_else(wrong)?),
            "rates" => {
                self.rates = Some(match value {
                    "fraction" => 1.0,
                    "percent" => 0.01,
                    "bp" => 0.0001,
                    _ => return Err(wrong()),
                });
            }
            "settle" => {
                let span = || Span::parse(value).filter(|s| s.0 > 0).map(SettleRule::Every);
                self.settle =
                    Some(if value == "each" { SettleRule::Each } else { span().ok_or_else(wrong)? });
            }
            "stamps" => {
                self.stamps = Some(match value {
                    "open" => StampSide::Open,
                    "close" => StampSide::Close,
                    _ => return Err(wrong()),
                });
            }
            "dates" => {
                self.dates = Some(match value {
                    "ymd" => DateOrder::Year,
                    "dmy" => DateOrder::Day,
                    "mdy" => DateOrder::Month,
                    _ => return Err(wrong()),
                });
            }
            "jumps" if value == "keep" => self.jumps = true,
            "early" if value == "keep" => self.early = true,
            "reference" if value == "trade" => self.reference = true,
            "bar" => self.bar = Some(Span::parse(value).filter(|s| s.0 > 0).ok_or_else(wrong)?),
            "map" => self.map = ColumnRole::map(value)?,
            _ => return Err(wrong()),
        }
        self.text.retain(|t| t.split('=').next() != Some(key));
        self.text.push(format!("{key}={value}"));
        self.text.sort();
        Ok(())
    }

    /// These, with what `over` decides in place of what they do.
    #[must_use]
    pub fn with(&self, over: &Choices) -> Choices {
        let mut all = self.clone();
        for text in &over.text {
            if let Some((key, value)) = text.split_once('=') {
                // It was accepted once.
                let _ = all.set(key, value);
            }
        }
        all
    }

    /// All that was decided, as it is written; empty where nothing was.
    pub fn text(&self) -> String {
        self.text.join("&")
    }

    /// The length of the bars that are meant, where one was named.
    pub fn bar(&self) -> Option<Span> {
        self.bar
    }

    /// Whether jumps that look like splits are moves of the market.
    pub fn keeps_jumps(&self) -> bool {
        self.jumps
    }
}

fn volume(text: &str) -> Option<VolumeUnit> {
    let (unit, size) = text.split_once('*').unwrap_or((text, "1"));
    let size = size.parse().ok().filter(|s: &f64| s.is_finite() && *s > 0.0)?;
    match unit {
        "base" => Some(VolumeUnit::Base(size)),
        "quote" => Some(VolumeUnit::Quote(size)),
        "none" if text == "none" => Some(VolumeUnit::Unknown),
        _ => None,
    }
}
