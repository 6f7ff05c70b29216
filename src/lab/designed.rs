//! Whether a run is on data that the mechanism was designed on, told by the data and not only by the date.
//!
//! A file's hash is not enough: the same prices come as another file, with other columns, cut to other days or
//! assets, with funding beside them, or fetched anew by somebody else. So what is compared is the close of every
//! month, asset by asset: `assets/lab/designed-on.tsv` holds a short hash of each, of all data sets that the
//! mechanism was designed on, and their files' hashes as `hive lab` prints them. The last close of a month is the
//! same on every clock that divides a day.
//!
//! ```text
//! compared   the run's (asset, month) before the held-out days that the table has too
//! known      those of them whose close is the table's to six digits
//! ```
//!
//! - A run from before the held-out days is a **reproduction** if the file is one of those of the table, or if at
//!   least half of what can be compared is known. Other exchanges print other closes; a low price with few digits
//!   may be the same by chance, hence half, and not one.
//! - A run on such days of which nothing, or less, is known is **on the same days, with other data**: markets move
//!   together, so it is weak evidence and is told as such. A run shorter than a month has nothing to be compared by
//!   and is told so too, unless its file is known.
//! - A run on later days only is on **new days**, whatever its data; looks at them are counted.
//! - The embedded market is none of this: it says nothing of any other market.
//!
//! # Invariants
//!
//! 1. Nothing after the held-out days' beginning is read here.

use super::HELD_OUT_FROM;
use crate::domain::{Event, MarketEvent, Span, Stamp, Universe};
use crate::market::feed::{FeedInfo, FeedMode};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What the mechanism was designed on. Rows of tabs: `file`, a hash, what it is; or `closes`, the data set, an
/// asset, the first month, and a short hash a month, `-` where there is none.
pub const TABLE: &str = include_str!("../../assets/lab/designed-on.tsv");

/// What the days and the data of a run are to the mechanism.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataOverlap {
    /// The embedded market.
    #[default]
    Embedded,
    /// Data that the mechanism was designed on: a reproduction, no evidence.
    DesignedOn,
    /// Days that the mechanism was designed on, other data.
    SameDays,
    /// Days that the mechanism was not designed on.
    NewDays,
}

impl DataOverlap {
    /// What it means for the results, in a line.
    pub fn words(self) -> &'static str {
        match self {
            DataOverlap::Embedded => "the embedded market: it says nothing of any other",
            DataOverlap::DesignedOn => "REPRODUCTION: the mechanism was designed on this data",
            DataOverlap::SameDays => {
                "data the mechanism was not designed on; same days, other data: weak evidence, as markets move together"
            }
            DataOverlap::NewDays => "days the mechanism was not designed on",
        }
    }
}

/// A close of a month: asset, months since year 0, close.
pub type MonthlyClose = (String, i64, f64);

/// The last closes of the months before the held-out days, each a bar that ends with the month.
pub fn closes(universe: &Universe, events: &[Event]) -> Vec<MonthlyClose> {
    let held_out = held_out();
    let close = |event: &Event| {
        let Event::Market(MarketEvent::Bar { instrument, at, bar }) = event else { return None };
        let first_of_month = at.0.rem_euclid(Span::DAY.0) == 0 && at.date().2 == 1;
        let asset = universe.instruments.get(instrument.index())?.asset;
        (first_of_month && *at <= held_out).then(|| {
            let (year, month, _) = Stamp(at.0 - 1).date();
            (universe.name(asset).to_owned(), 12 * year + month - 1, bar.close)
        })
    };
    events.iter().filter_map(close).collect()
}

fn held_out() -> Stamp {
    Stamp::parse(HELD_OUT_FROM).unwrap_or_default()
}

/// A close to six digits, with whose it is.
fn short(asset: &str, month: i64, close: f64) -> String {
    let hash = blake3::hash(format!("{asset} {month} {close:.5e}").as_bytes()).to_hex();
    hash[..8].to_owned()
}

/// The rows of the table for closes of a data set.
pub fn rows(set: &str, closes: &[MonthlyClose]) -> String {
    let mut by_asset: BTreeMap<&str, BTreeMap<i64, String>> = BTreeMap::new();
    for (asset, month, close) in closes {
        by_asset.entry(asset).or_default().insert(*month, short(asset, *month, *close));
    }
    let row = |(asset, months): (&&str, &BTreeMap<i64, String>)| {
        let (first, last) = (months.keys().next()?, months.keys().next_back()?);
        let each: Vec<&str> = (*first..=*last).map(|m| months.get(&m).map_or("-", String::as_str)).collect();
        let from = format!("{:04}-{:02}", first / 12, first % 12 + 1);
        Some(format!("closes\t{set}\t{asset}\t{from}\t{}\n", each.join(" ")))
    };
    by_asset.iter().filter_map(row).collect()
}

/// The table as it is looked up.
#[derive(Clone, Debug, Default)]
struct MonthTable<'a> {
    files: BTreeSet<&'a str>,
    /// By asset and month: short hashes of all data sets.
    closes: BTreeMap<(&'a str, i64), BTreeSet<&'a str>>,
}

impl<'a> MonthTable<'a> {
    /// Rows that mean nothing are skipped.
    fn read(text: &'a str) -> Self {
        let mut table = MonthTable::default();
        for line in text.lines() {
            match line.split('\t').collect::<Vec<_>>().as_slice() {
                ["file", hash, ..] => {
                    table.files.insert(hash);
                }
                ["closes", _, asset, from, hashes] => {
                    let first = from.split_once('-').and_then(|(year, month)| {
                        Some(12 * year.parse::<i64>().ok()? + month.parse::<i64>().ok()? - 1)
                    });
                    let Some(first) = first else { continue };
                    for (month, hash) in (first..).zip(hashes.split(' ')).filter(|(_, h)| *h != "-") {
                        table.closes.entry((asset, month)).or_default().insert(hash);
                    }
                }
                _ => {}
            }
        }
        table
    }

    /// How many closes can be compared, and how many of them are known.
    fn compare(&self, closes: &[MonthlyClose]) -> (usize, usize) {
        let one = |(asset, month, close): &MonthlyClose| {
            let there = self.closes.get(&(asset.as_str(), *month))?;
            Some(there.contains(short(asset, *month, *close).as_str()))
        };
        let each: Vec<bool> = closes.iter().filter_map(one).collect();
        (each.len(), each.iter().filter(|known| **known).count())
    }
}

/// What a market is to the mechanism.
pub fn known(info: &FeedInfo, universe: &Universe, events: &[Event]) -> DataOverlap {
    known_by(TABLE, info, || closes(universe, events))
}

fn known_by(table: &str, info: &FeedInfo, closes: impl FnOnce() -> Vec<MonthlyClose>) -> DataOverlap {
    if info.mode != FeedMode::History {
        return DataOverlap::Embedded;
    }
    if info.from >= held_out() {
        return DataOverlap::NewDays;
    }
    let table = MonthTable::read(table);
    if table.files.contains(info.data_hash.as_str()) {
        return DataOverlap::DesignedOn;
    }
    let (compared, known) = table.compare(&closes());
    if compared > 0 && 2 * known >= compared { DataOverlap::DesignedOn } else { DataOverlap::SameDays }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(from: &str, data_hash: &str) -> FeedInfo {
        let from = Stamp::parse(from).unwrap();
        FeedInfo {
            mode: FeedMode::History,
            name: "x".to_owned(),
            data_hash: data_hash.to_owned(),
            bar: Span::HOUR,
            clock: Span::HOUR,
            from,
            to: from.after(Span::DAY),
            bars: 24,
            has_volume: true,
            has_funding: false,
            notes: Vec::new(),
        }
    }

    /// Months from 2021-01 on, closes scaled.
    fn months(assets: &[&str], n: i64, scale: f64) -> Vec<MonthlyClose> {
        let of = |a: &&str| {
            let a = (*a).to_owned();
            (0..n).map(move |m| (a.clone(), 12 * 2_021 + m, scale * (100.0 + m as f64))).collect::<Vec<_>>()
        };
        assets.iter().flat_map(of).collect()
    }

    #[test]
    fn the_same_prices_are_known_whatever_the_file_and_others_on_the_same_days_are_told_so() {
        let table = rows("a set", &months(&["BTC", "ETH"], 6, 1.0)) + "file\tf00\ta file\n";
        let told = |from, hash, closes: Vec<MonthlyClose>| known_by(&table, &info(from, hash), || closes);
        let early = "2021-01-01";
        for (closes, wanted) in [
            (months(&["BTC", "ETH"], 6, 1.0), DataOverlap::DesignedOn),
            (months(&["ETH"], 2, 1.0), DataOverlap::DesignedOn),
            // Beside coins and months that the table does not have.
            (months(&["AAA", "BTC", "ZZZ"], 20, 1.0), DataOverlap::DesignedOn),
            // Digits beyond the sixth are another way to write it.
            (months(&["BTC"], 6, 1.000_000_01), DataOverlap::DesignedOn),
            (months(&["BTC", "ETH"], 6, 1.0005), DataOverlap::SameDays),
            (months(&["AAA"], 6, 1.0), DataOverlap::SameDays),
            (Vec::new(), DataOverlap::SameDays),
        ] {
            assert_eq!(told(early, "other", closes.clone()), wanted, "{closes:?}");
        }
        assert_eq!(told(early, "f00", Vec::new()), DataOverlap::DesignedOn);
        assert_eq!(told(HELD_OUT_FROM, "f00", Vec::new()), DataOverlap::NewDays);
        let synth = FeedInfo { mode: FeedMode::Synth, ..info(early, "f00") };
        assert_eq!(known_by(&table, &synth, Vec::new), DataOverlap::Embedded);
    }

    #[test]
    fn half_of_what_can_be_compared_decides() {
        let table = rows("a set", &months(&["BTC", "ETH"], 4, 1.0));
        let with = |other: f64| [months(&["BTC"], 4, 1.0), months(&["ETH"], 4, other)].concat();
        let told = |closes: Vec<MonthlyClose>| known_by(&table, &info("2021-01-01", ""), || closes);
        assert_eq!(told(with(1.1)), DataOverlap::DesignedOn);
        let fewer = with(1.1)[1..].to_vec();
        assert_eq!(told(fewer), DataOverlap::SameDays);
    }

    #[test]
    fn the_table_is_whole() {
        let table = MonthTable::read(TABLE);
        assert!(!table.files.is_empty() && table.files.iter().all(|h| h.len() == 64));
        for asset in ["BTC", "ETH"] {
            for month in [12 * 2_021 + 5, 12 * 2_023 + 5] {
                let there = table.closes.get(&(asset, month)).unwrap();
                assert!(there.iter().all(|h| h.len() == 8));
            }
            assert!(!table.closes.contains_key(&(asset, 12 * 2_023 + 6)), "July 2023 is held out");
        }
        let odd = |l: &&str| !(l.starts_with("file\t") || l.starts_with("closes\t") || l.starts_with('#'));
        assert_eq!(TABLE.lines().find(odd), None);
    }
}
