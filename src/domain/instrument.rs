//! Assets, instruments and the universe of a feed.

use super::{AssetId, Decimal, InstrumentId, Stamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How an asset is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum InstrumentKind {
    /// Owned outright; no short side.
    Spot,
    /// Spot bought or sold on margin: both sides, a short pays the borrow rate.
    Margin,
    /// Perpetual swap: both sides, funding at its stamps.
    Perp,
}

impl InstrumentKind {
    /// The name used in feed options and on the screen.
    pub fn text(self) -> &'static str {
        match self {
            InstrumentKind::Spot => "spot",
            InstrumentKind::Margin => "margin",
            InstrumentKind::Perp => "perp",
        }
    }

    /// Finds by name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Spot, Self::Margin, Self::Perp].into_iter().find(|k| k.text() == text)
    }

    /// Whether a short position can be held.
    pub fn can_short(self) -> bool {
        self != InstrumentKind::Spot
    }
}

impl fmt::Display for InstrumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// What is listed: the trading rules of one instrument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instrument {
    /// Its place in [`Universe::instruments`].
    pub id: InstrumentId,
    /// The asset it expresses.
    pub asset: AssetId,
    /// As the venue writes it, `BTCUSDT`.
    pub symbol: String,
    /// How it is listed.
    pub kind: InstrumentKind,
    /// Smallest price step, in quote currency. Always a power of ten.
    pub tick: Decimal,
    /// Smallest quantity step, in base units. Always a power of ten.
    pub lot: Decimal,
    /// Smallest order, in quote currency.
    pub min_notional: Decimal,
}

/// An asset and what is known of it before the run starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asset {
    /// Its place in [`Universe::assets`].
    pub id: AssetId,
    /// `BTC`.
    pub name: String,
    /// Money-like (stablecoin, currency, gold): not in the selector `any`.
    pub money_like: bool,
    /// When the feed first quotes it. A roster may list the asset before; nobody trades it before.
    pub first: Stamp,
}

/// All that a feed lists. Assets are sorted by name, so numbering does not depend on file order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Universe {
    /// Sorted by name.
    pub assets: Vec<Asset>,
    /// Today one per asset, in the order of the assets.
    pub instruments: Vec<Instrument>,
    /// For the selector `top:N:volume`: the ranking by dollar volume over the first 30 days in which
    /// at least n assets trade, for n = 1, 2, …, and the stamp at which each is known. An agent that
    /// uses a ranking takes up its assets only then, so selection never looks ahead.
    pub by_volume: Vec<Ranking>,
}

/// A ranking of assets by traded value, and when it could first be known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// From the most traded down.
    pub assets: Vec<AssetId>,
    /// Not before this stamp.
    pub known_at: Stamp,
}

impl Universe {
    /// Finds an asset by name.
    pub fn asset(&self, name: &str) -> Option<&Asset> {
        self.assets.binary_search_by(|a| a.name.as_str().cmp(name)).ok().map(|i| &self.assets[i])
    }

    /// The instrument in which the desk expresses an aim at this asset.
    pub fn listed(&self, asset: AssetId) -> Option<&Instrument> {
        self.instruments.iter().find(|i| i.asset == asset)
    }

    /// An asset's name; ids come from this universe.
    pub fn name(&self, asset: AssetId) -> &str {
        self.assets.get(asset.index()).map_or("?", |a| a.name.as_str())
    }
}
