//! What detail the embedded market tells beside its bars, and of which assets.
//!
//! # Invariants
//!
//! 1. Without detail the feed gives the events of before, bit for bit, under the same hash.
//! 2. Detail begins at a midnight and then goes on to the end of the run. It begins at a stamp, not a
//!    number of days before the end, so that a longer run changes nothing before the end of a shorter one.

use super::spec::ASSETS;
use crate::domain::{Span, Stamp};
use crate::market::FeedError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Days from the start of the detail over which new contracts are listed: every instrument is known
/// before the first event and there are at most 65 536 of them. Everything else goes on after it.
pub const CONTRACT_DAYS: u32 = 366;

/// Some of the assets of the embedded market, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetSet(u16);

impl Default for AssetSet {
    fn default() -> Self {
        let all = ["BTC", "ETH", "SOL"];
        AssetSet(ASSETS.iter().enumerate().filter(|(_, s)| all.contains(&s.name)).map(|(i, _)| 1 << i).sum())
    }
}

impl AssetSet {
    /// Reads `BTC+ETH`; the error is the name that is not there.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut set = AssetSet(0);
        for name in text.split('+') {
            let found = ASSETS.iter().position(|s| s.name == name).ok_or_else(|| name.to_owned())?;
            set.0 |= 1 << found;
        }
        Ok(set)
    }

    /// Whether it has the asset at this place.
    pub fn has(self, asset_index: usize) -> bool {
        self.0 & (1 << asset_index) != 0
    }

    /// The places in it.
    pub fn asset_indices(self) -> impl Iterator<Item = usize> {
        (0..ASSETS.len()).filter(move |&i| self.has(i))
    }
}

impl fmt::Display for AssetSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.asset_indices().map(|i| ASSETS[i].name).collect();
        f.pad(&names.join("+"))
    }
}

/// Detail of the embedded market: venues, spot, futures, options, MOVE contracts and pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// From this midnight on.
    pub from: Stamp,
    /// Time from one quote to the next: 1 s to 1 h, dividing an hour.
    pub step: Span,
    /// Outages, bad ticks, a lost peg, flash crashes: seeded, rare, counted.
    pub faults: bool,
    /// Assets that are told in detail.
    pub assets: AssetSet,
}

impl Detail {
    /// The step where none is named.
    pub const STEP: Span = Span::seconds(60);

    /// Of the last `days` days of a run, in steps of a minute, without faults. A run that goes on live
    /// beyond its end keeps the detail.
    pub fn last(days: u32, from: Stamp, run_days: u32) -> Detail {
        let skip = i64::from(run_days.saturating_sub(days));
        Detail {
            from: from.after(Span(skip * Span::DAY.0)),
            step: Self::STEP,
            faults: false,
            assets: AssetSet::default(),
        }
    }

    /// Refuses what cannot be followed.
    pub(super) fn check(self, from: Stamp, to: Stamp) -> Result<(), FeedError> {
        let refuse = |setting: String, fix: &'static str| Err(FeedError::Setting { setting, fix });
        let step = self.step;
        if step.0 < Span::seconds(1).0 || step.0 > Span::HOUR.0 || Span::HOUR.0 % step.0 != 0 {
            return refuse(
                format!("detail every {step}"),
                "use a step that divides an hour: 1s, 5s, 15s, 1m, 5m, 15m, 1h",
            );
        }
        if self.from.floor(Span::DAY) != self.from || self.from < from || self.from >= to {
            return refuse(
                format!("detail from {}", self.from),
                "start it at a midnight UTC inside the run, or start the run at one",
            );
        }
        if self.assets.0 == 0 {
            return refuse("detail of no asset".into(), "name some, such as assets=BTC+ETH");
        }
        Ok(())
    }

    /// What the data hash says of it.
    pub(super) fn text(self) -> String {
        let Detail { from, step, faults, assets } = self;
        format!(" detail {DETAIL_VERSION} from {} step {step} faults {faults} of {assets}", from.0)
    }
}

/// Version of the detail's model: part of the data hash of runs that have it.
const DETAIL_VERSION: u32 = 2;
