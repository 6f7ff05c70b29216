//! What is listed with detail: venues' instruments first, then contracts in the order of their listing.
//!
//! # Invariants
//!
//! 1. Contracts are listed at midnights, and their strikes follow the price at that midnight. They are in
//!    the universe from the start, since a universe does not change; nobody may look at one before it is
//!    quoted.
//! 2. A longer run only appends.

use super::SynthSettings;
use super::detail::{CONTRACT_DAYS, Detail};
use super::path::{Path, SETTLEMENT_HOURS};
use super::realised::RealisedVariance;
use super::spec::{ASSETS, MARKET_VOL, Spec};
use crate::domain::{
    AssetId, ContractTerms, Decimal, Instrument, InstrumentId, InstrumentKind as Kind, Span, Stamp, Universe,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The venue of the desk's perps.
pub const ALPHA: &str = "alpha";
/// The other venue.
pub const BETA: &str = "beta";
/// Where the pools are.
pub const CHAIN: &str = "chain";

/// Fees of beta's perps: it wants makers and asks nothing of them, as Deribit does for its perps (0 / 0.05 %).
const BETA_PERP: ContractTerms = ContractTerms::Rates { taker_ppm: 500, maker_ppm: 0 };
/// Fees of the pools, in millionths.
pub(super) const V2_PPM: u32 = 3_000;
pub(super) const V3_PPM: u32 = 500;

/// The instruments of one detailed asset that never end.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Ids {
    pub perp_alpha: InstrumentId,
    pub spot_alpha: InstrumentId,
    pub spot_beta: InstrumentId,
    pub perp_beta: InstrumentId,
}

/// Kind of contract that has an expiry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ExpiryKind {
    Future,
    Option { strike: f64, call: bool },
    Move,
}

/// A contract and when it lives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contract {
    pub id: InstrumentId,
    /// Place among the detailed assets.
    pub line: usize,
    pub listed: Stamp,
    pub expiry: Stamp,
    pub what: ExpiryKind,
}

/// All that is listed, and the walk at the start of the detail.
pub(super) struct EmbeddedListing {
    /// By detailed asset: its place in the universe and its instruments.
    pub lines: Vec<(usize, Ids)>,
    pub triangle: Option<InstrumentId>,
    pub pools: Option<[InstrumentId; 2]>,
    /// Contracts in the order of listing.
    pub contracts: Vec<Contract>,
    pub path: Path,
    pub realised: Vec<RealisedVariance>,
}

/// Whether options and MOVE contracts are listed on it.
pub(super) fn has_options(spec: &Spec) -> bool {
    matches!(spec.name, "BTC" | "ETH")
}

/// Annual volatility that is usual for an asset.
pub(super) fn usual(spec: &Spec) -> f64 {
    libm::sqrt(spec.own * spec.own + spec.beta * spec.beta * MARKET_VOL * MARKET_VOL)
}

/// Lists everything, walking the run once ahead.
pub(super) fn list(settings: &SynthSettings, detail: Detail, universe: &mut Universe) -> EmbeddedListing {
    let mut path = Path::start(settings);
    let asset_indices: Vec<usize> = detail.assets.asset_indices().collect();
    let mut realised: Vec<RealisedVariance> =
        asset_indices.iter().map(|&i| RealisedVariance::start(path.price(i), usual(&ASSETS[i]))).collect();
    walk(&mut path, detail.from, &asset_indices, &mut realised);
    let mut book =
        ListedBook { universe, made: BTreeSet::new(), strikes: BTreeSet::new(), contracts: Vec::new() };
    for instrument in &mut book.universe.instruments {
        instrument.venue = ALPHA.into();
    }
    let lines: Vec<(usize, Ids)> = asset_indices.iter().map(|&i| (i, book.venues(i))).collect();
    let asset_index = |name: &str| asset_indices.iter().copied().find(|&i| ASSETS[i].name == name);
    let triangle = asset_index("BTC").zip(asset_index("ETH")).map(|(btc, eth)| book.triangle(btc, eth));
    let pools = asset_index("ETH").map(|i| [book.pool(i, V2_PPM, false), book.pool(i, V3_PPM, true)]);
    let run_end = settings.from.after(Span(i64::from(settings.bars_days) * Span::DAY.0));
    let end = run_end.min(detail.from.after(Span(i64::from(CONTRACT_DAYS) * Span::DAY.0)));
    let start = (path.clone(), realised.clone());
    let mut day = detail.from;
    while day < end {
        for (line, &asset_index) in asset_indices.iter().enumerate() {
            book.day(line, asset_index, day, day == detail.from, path.price(asset_index));
        }
        day = day.after(Span::DAY);
        walk(&mut path, day, &[], &mut []);
    }
    let contracts = book.contracts;
    EmbeddedListing { lines, triangle, pools, contracts, path: start.0, realised: start.1 }
}

/// Walks to a stamp.
fn walk(path: &mut Path, to: Stamp, asset_indices: &[usize], realised: &mut [RealisedVariance]) {
    while path.hour() * Span::HOUR.0 < to.0 {
        if path.hour().rem_euclid(SETTLEMENT_HOURS) == 0 {
            path.premiums();
        }
        let bars = path.step();
        for (&i, r) in asset_indices.iter().zip(realised.iter_mut()) {
            r.hour(bars[i].close);
        }
    }
}

struct ListedBook<'a> {
    universe: &'a mut Universe,
    /// Classes of expiry that were listed: asset, class, day.
    made: BTreeSet<(usize, u8, i64)>,
    /// Strikes that were listed: asset, day, bits.
    strikes: BTreeSet<(usize, i64, u64)>,
    contracts: Vec<Contract>,
}

impl ListedBook<'_> {
    fn add(
        &mut self,
        asset_index: usize,
        symbol: String,
        kind: Kind,
        venue: &str,
        terms: ContractTerms,
    ) -> InstrumentId {
        let id = InstrumentId(self.universe.instruments.len() as u16);
        let of = &self.universe.instruments[asset_index];
        let (tick, lot) = (of.tick, of.lot);
        self.universe.instruments.push(Instrument {
            id,
            asset: AssetId(asset_index as u16),
            symbol,
            kind,
            venue: venue.into(),
            quote: None,
            terms,
            tick,
            lot,
            min_notional: Decimal::from(5),
            contract: Decimal::ONE,
        });
        id
    }

    fn venues(&mut self, asset_index: usize) -> Ids {
        let name = ASSETS[asset_index].name;
        Ids {
            perp_alpha: InstrumentId(asset_index as u16),
            spot_alpha: self.add(
                asset_index,
                format!("{name}/USDT"),
                Kind::Spot,
                ALPHA,
                ContractTerms::Plain,
            ),
            spot_beta: self.add(asset_index, format!("{name}-USDT"), Kind::Spot, BETA, ContractTerms::Plain),
            perp_beta: self.add(asset_index, format!("{name}-USDT-SWAP"), Kind::Perp, BETA, BETA_PERP),
        }
    }

    fn triangle(&mut self, btc: usize, eth: usize) -> InstrumentId {
        let id = self.add(eth, "ETH/BTC".into(), Kind::Spot, ALPHA, ContractTerms::Plain);
        let listed = &mut self.universe.instruments[id.index()];
        listed.quote = Some(AssetId(btc as u16));
        listed.tick = Decimal::new(1, TRIANGLE_DIGITS).into();
        listed.min_notional = Decimal::new(1, 4);
        id
    }

    fn pool(&mut self, asset_index: usize, fee_ppm: u32, concentrated: bool) -> InstrumentId {
        let symbol = format!("{}/USDT-{}", ASSETS[asset_index].name, if concentrated { "V3" } else { "V2" });
        self.add(asset_index, symbol, Kind::Pool, CHAIN, ContractTerms::Pool { fee_ppm, concentrated })
    }

    /// What a midnight lists for one asset.
    fn day(&mut self, line: usize, asset_index: usize, at: Stamp, first: bool, price: f64) {
        let (spec, today) = (&ASSETS[asset_index], at.day());
        for day in (today + 1..).filter(|&d| is_quarterly(d)).take(2) {
            if self.made.insert((line, 0, day)) {
                let expiry = morning(day);
                let symbol = format!("{}-{}", spec.name, date(expiry));
                let id = self.add(asset_index, symbol, Kind::Future, ALPHA, ContractTerms::Future { expiry });
                self.contracts.push(Contract { id, line, listed: at, expiry, what: ExpiryKind::Future });
            }
        }
        if !has_options(spec) {
            return;
        }
        for day in today + i64::from(!first)..=today + 1 {
            let fixing = Stamp(day * Span::DAY.0);
            let expiry = fixing.after(Span::DAY);
            let symbol = format!("{}-MOVE-{}", spec.name, date(fixing));
            let id = self.add(asset_index, symbol, Kind::Move, ALPHA, ContractTerms::Move { fixing, expiry });
            self.contracts.push(Contract { id, line, listed: at, expiry, what: ExpiryKind::Move });
        }
        for day in today + 1..=today + 2 {
            self.chain((line, asset_index), (1, 3), day, at, price);
        }
        for day in (today + 1..).filter(|&d| is_friday(d)).take(2) {
            self.chain((line, asset_index), (2, 4), day, at, price);
        }
        for day in (today + 1..).filter(|&d| is_last_friday(d)).take(2) {
            self.chain((line, asset_index), (3, 4), day, at, price);
        }
    }

    /// Options of one expiry, `each` strikes on each side of the price.
    fn chain(
        &mut self,
        (line, asset_index): (usize, usize),
        (class, each): (u8, i64),
        day: i64,
        at: Stamp,
        price: f64,
    ) {
        if !self.made.insert((line, class, day)) {
            return;
        }
        let (spec, expiry) = (&ASSETS[asset_index], morning(day));
        let step = nice(0.5 * usual(spec) * price * libm::sqrt(expiry.since(at).in_units_of(Span::YEAR)));
        let middle = libm::rint(price / step) as i64;
        for n in (middle - each).max(1)..=middle + each {
            let strike = n as f64 * step;
            if !self.strikes.insert((line, day, strike.to_bits())) {
                continue;
            }
            for call in [true, false] {
                let right = if call { 'C' } else { 'P' };
                let symbol = format!("{}-{}-{strike}-{right}", spec.name, date(expiry));
                let terms = ContractTerms::Option { expiry, strike, call, inverse: false };
                let id = self.add(asset_index, symbol, Kind::Option, ALPHA, terms);
                let what = ExpiryKind::Option { strike, call };
                self.contracts.push(Contract { id, line, listed: at, expiry, what });
            }
        }
    }
}

/// Digits after the point of ETH in BTC.
pub(super) const TRIANGLE_DIGITS: u32 = 6;

/// 1, 2 or 5 times a power of ten, the nearest below or equal, in whole units from one on.
fn nice(raw: f64) -> f64 {
    let ten = libm::pow(10.0, libm::floor(libm::log10(raw.max(1.0))));
    let ratio = raw / ten;
    ten * if ratio >= 5.0 {
        5.0
    } else if ratio >= 2.0 {
        2.0
    } else {
        1.0
    }
}

/// 08:00 UTC of a day, when everything but MOVE contracts expires.
fn morning(day: i64) -> Stamp {
    Stamp(day * Span::DAY.0 + 8 * Span::HOUR.0)
}

/// 1970-01-01 was a Thursday.
fn is_friday(day: i64) -> bool {
    day.rem_euclid(7) == 1
}

fn month(day: i64) -> i64 {
    Stamp(day * Span::DAY.0).date().1
}

fn is_last_friday(day: i64) -> bool {
    is_friday(day) && month(day) != month(day + 7)
}

fn is_quarterly(day: i64) -> bool {
    is_last_friday(day) && month(day) % 3 == 0
}

/// `27DEC24`, as venues write it.
fn date(at: Stamp) -> String {
    const MONTHS: [&str; 12] =
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    let (year, month, day) = at.date();
    format!("{day}{}{:02}", MONTHS[(month - 1).rem_euclid(12) as usize], year.rem_euclid(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contracts_end_on_the_days_that_venues_use() {
        let day = |text: &str| Stamp::parse(text).unwrap().day();
        assert!(is_friday(day("2022-01-07")) && !is_friday(day("2022-01-06")));
        assert!(is_last_friday(day("2022-01-28")) && !is_last_friday(day("2022-01-21")));
        assert!(is_quarterly(day("2022-03-25")) && !is_quarterly(day("2022-02-25")));
        assert_eq!(date(Stamp::parse("2024-12-27").unwrap()), "27DEC24");
    }

    #[test]
    fn strikes_are_round() {
        for (raw, step) in [(1.0, 1.0), (47.0, 20.0), (50.0, 50.0), (730.0, 500.0), (0.1, 1.0)] {
            assert_eq!(nice(raw), step);
        }
    }
}
