//! The ten assets and the numbers of the model. Change one and [`VERSION`] must change with it, since the
//! data hash of every run contains it.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Version of the model: part of the data hash.
pub(super) const VERSION: u32 = 1;

/// One asset of the embedded market. Kept by its name, since its numbers stand in the program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    pub name: &'static str,
    /// First price, a plausible level.
    pub price: f64,
    /// Digits after the point of a price.
    pub digits: u32,
    /// Quantity step as a power of ten.
    pub lot: i32,
    /// Sensitivity to the market factor.
    pub beta: f64,
    /// Annual volatility of what is its own.
    pub own: f64,
    /// Share of the market's last hour that arrives an hour late.
    pub late: f64,
    /// Dollars traded in a usual hour (measured means; XRP, ADA and LTC assumed by their rank).
    pub dollars: f64,
}

impl Serialize for Spec {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        let known = ASSETS.into_iter().find(|s| s.name == name);
        known.ok_or_else(|| Error::custom(format!("there is no asset {name}")))
    }
}

/// Sorted by name, as the universe is. Betas and own volatilities give the measured annual volatilities
/// and, together with [`MARKET_VOL`], a mean correlation of pairs near 0.6.
pub(super) const ASSETS: [Spec; 10] = [
    Spec { name: "ADA", price: 0.8, digits: 5, lot: 0, beta: 1.15, own: 0.75, late: 0.03, dollars: 3.5e7 },
    Spec { name: "AVAX", price: 40.0, digits: 3, lot: -2, beta: 1.2, own: 0.99, late: 0.03, dollars: 1.6e7 },
    Spec { name: "BNB", price: 350.0, digits: 2, lot: -3, beta: 0.98, own: 0.57, late: 0.02, dollars: 3.5e7 },
    Spec {
        name: "BTC",
        price: 30_000.0,
        digits: 1,
        lot: -5,
        beta: 0.9,
        own: 0.20,
        late: 0.0,
        dollars: 5.9e8,
    },
    Spec { name: "DOGE", price: 0.1, digits: 6, lot: 1, beta: 1.1, own: 1.10, late: 0.03, dollars: 3.7e7 },
    Spec {
        name: "ETH",
        price: 2_000.0,
        digits: 2,
        lot: -4,
        beta: 1.07,
        own: 0.40,
        late: 0.01,
        dollars: 2.9e8,
    },
    Spec { name: "LINK", price: 10.0, digits: 3, lot: -1, beta: 1.15, own: 0.73, late: 0.03, dollars: 1.6e7 },
    Spec { name: "LTC", price: 100.0, digits: 2, lot: -2, beta: 1.1, own: 0.59, late: 0.03, dollars: 3.0e7 },
    Spec { name: "SOL", price: 60.0, digits: 3, lot: -2, beta: 1.22, own: 1.01, late: 0.03, dollars: 3.7e7 },
    Spec { name: "XRP", price: 0.5, digits: 5, lot: 0, beta: 1.05, own: 0.86, late: 0.03, dollars: 5.0e7 },
];

/// Annual volatility of the market factor.
pub(super) const MARKET_VOL: f64 = 0.85;

/// A cascade of volatility: each part of log volatility is an AR(1) with its own memory in hours and its
/// own standard deviation; together they give the slow decay of the autocorrelation of absolute returns
/// (Calvet and Fisher 2004; Corsi 2009).
pub(super) const MARKET_CASCADE: [(f64, f64); 4] =
    [(5.0, 0.32), (36.0, 0.32), (240.0, 0.36), (1_440.0, 0.30)];
/// The same for what is an asset's own.
pub(super) const OWN_CASCADE: [(f64, f64); 4] = [(5.0, 0.36), (36.0, 0.36), (240.0, 0.36), (1_440.0, 0.30)];

/// Chance of a jump of the market per hour (about 9 per year) and the standard deviation of its size.
pub(super) const MARKET_JUMP: (f64, f64) = (0.001, 0.045);
/// The same for an asset's own jumps.
pub(super) const OWN_JUMP: (f64, f64) = (0.0008, 0.07);

/// Days from the start of a run over which nothing holds prices back. After them each log price is pulled to
/// its first, so that a market that goes on for decades stays one: a run of two years never feels it.
pub(super) const FREE_DAYS: u32 = 730;
/// The pull after [`FREE_DAYS`], as a share of the distance in log price per year (a half-life of 17 months).
/// Takes 0.014 from variance ratios at 20 days.
pub(super) const HOME_PULL: f64 = 0.5;
/// Most that a price may then be times or under the first one: at this distance, or at its own where the free
/// days left it farther out, the log price is turned back.
pub(super) const HOME_REACH: f64 = 50.0;

/// Slow drift of an asset against the market: memory in hours, and its standard deviation as a share of
/// the asset's own hourly volatility. Raises long variance ratios by about 2 · 240 · 0.011² = 0.06.
pub(super) const OWN_DRIFT: (f64, f64) = (240.0, 0.011);

/// Premium of the perp over the index, per 8 h: mean, standard deviation, and the shares (of variance one
/// together) of trend, of a slow and of a fast AR(1) with their memories in settlements.
pub(super) const PREMIUM_MEAN: f64 = 3.2e-4;
pub(super) const PREMIUM_SPREAD: f64 = 8.0e-4;
pub(super) const PREMIUM_TREND: f64 = 0.45;
pub(super) const PREMIUM_SLOW: (f64, f64) = (30.0, 0.60);
pub(super) const PREMIUM_FAST: (f64, f64) = (2.5, 0.66);
/// Memory in hours of the average price that the trend is measured against.
pub(super) const TREND_HOURS: f64 = 96.0;

/// Interest part of the funding formula, its clamp, and the bounds of a settlement.
pub(super) const INTEREST: f64 = 1e-4;
pub(super) const FUNDING_CLAMP: f64 = 5e-4;
pub(super) const FUNDING_BOUND: f64 = 7.5e-3;

/// Log volume: what a unit of log volatility and a unit of |z| add, and an AR(1) of its own.
pub(super) const VOLUME_OF_VOL: f64 = 0.9;
pub(super) const VOLUME_OF_MOVE: f64 = 0.35;
pub(super) const VOLUME_OWN: (f64, f64) = (30.0, 0.42);
