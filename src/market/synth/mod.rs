//! The embedded market: ten perps, seeded and deterministic, for a run with no files and no network.
//!
//! Entry point: [`SynthFeed::new`]. `path` walks hour by hour (regime → market factor → assets → funding)
//! and the feed adds hours up to bars of the decision clock. With [`Detail`], `steps` tells beside the bars
//! what structures trade: `venues` (within steps `pulse`), `triangle`, `options` (with futures and MOVE contracts), `pools`, and
//! `faults` where they are asked for; `listing` says what is listed.
//!
//! # Facts of real data that the parameters follow
//!
//! Measured on hourly Binance USDT perps (AVAX BNB BTC DOGE ETH LINK MATIC SOL), 2020-10-22 … 2023-06-30,
//! log returns; funding 2020-01 … 2023-06 of ten perps.
//!
//! | fact | measured |
//! |---|---|
//! | annual volatility, from 4 h | BTC 0.68, ETH 0.87, BNB 0.93, LINK 1.10, AVAX 1.34, SOL 1.39, MATIC 1.43, DOGE 1.48 |
//! | kurtosis | 1 h: 15 … 31 (DOGE 96); 4 h: 8.8 … 15.6 (DOGE 53); 1 d: 6.5 … 11.7 |
//! | autocorrelation of abs. returns, 1 h | lag 1: 0.26 … 0.44, lag 10: 0.16 … 0.34, lag 24: 0.17 … 0.28, lag 100: 0.12 … 0.19 |
//! | the same, 4 h | lag 1: 0.20 … 0.40, lag 10: 0.13 … 0.24, lag 42: 0.10 … 0.17 |
//! | mean correlation of pairs | 1 h 0.61 (0.40 … 0.85), 4 h 0.61, 1 d 0.59; of abs. returns 0.55, 0.52, 0.47 |
//! | autocorrelation of returns, 4 h, lag 1 | −0.03 … 0.03 |
//! | variance ratio on 4 h, equal-weighted market | 1 d 1.04, 5 d 1.06, 20 d 1.30 (BTC 1.20; one sample, its error is about 0.17) |
//! | the same, eight perps | 1 d 1.01 … 1.36, 5 d 0.91 … 1.41, 20 d 0.76 … 1.67 |
//! | BTC leading others by one hour | −0.03 … 0.00: no lead in hourly bars |
//! | log volume against 30 days, 1 h | standard deviation 0.67 … 1.10, with abs. return 0.43 … 0.54, lag 1 0.67 … 0.86 |
//! | funding per 8 h | mean 1.5e-4 … 2.0e-4, mean absolute 1.7e-4 … 2.7e-4 (SOL 3.6e-4), exactly 1e-4 in 38 … 50 %, negative in 11 … 27 % |
//! | funding, lag 1 / 3 / 21 | 0.67 … 0.85, 0.47 … 0.73, 0.17 … 0.43 |
//! | funding with the return of 72 h before | 0.22 … 0.43 (DOGE 0.03) |
//!
//! Four seeds of two years give, over all assets, from 4 h: volatility 0.98, kurtosis 11, abs. returns at
//! lag 1, 10, 42: 0.25, 0.13, 0.08, pairs 0.56, variance ratios 0.96, 0.98, 1.05; from 1 h: kurtosis 18,
//! abs. returns at lag 1, 10, 100: 0.29, 0.20, 0.09.
//!
//! Two things are ours: up to 0.03 of the market's last hour reaches the smaller assets late (so that a
//! lead exists; BTC's return and theirs an hour later correlate by 0.01), and the regimes' drifts, kept
//! so small that long variance ratios stay below the measured ones. No strategy was run to choose any
//! number.
//!
//! Its first two years are free. After them each log price is pulled to its first by half of the distance a year, and
//! turned back at a factor of 50, so that a swarm that goes on for decades has prices to trade; one that the free
//! years left beyond that goes no farther. The random walk is a martingale and therefore has no such bound.
//!
//! # The detail
//!
//! For BTC, ETH and SOL unless others are named; options and MOVE contracts of BTC and ETH, pools of ETH.
//! Per asset, on `alpha`: the perp of the bars, spot `BTC/USDT`, two quarterly futures or more; on `beta`:
//! spot `BTC-USDT`, perp `BTC-USDT-SWAP`, which asks nothing of makers and speaks each second (a 60th of
//! longer steps; makers need that); on `alpha` also `ETH/BTC`, a chain of two daily, two weekly and two
//! monthly expiries, daily MOVE contracts; on `chain` `ETH/USDT-V2` (30 bp) and `ETH/USDT-V3` (5 bp). The
//! perp of BTC on alpha has a book of ten prices a side.
//!
//! Measured with seed 1 in steps of a minute where nothing else is said:
//!
//! | fact | measured |
//! |---|---|
//! | return of a minute, BTC perp | standard deviation 8.5 bp, half of the spread 0.7 bp |
//! | variance of 20 minutes over that of hours | 0.98 … 1.03 |
//! | BTC with ETH, returns of 5 minutes | 0.87 on Binance in 2022–23, here 0.64; each with itself 5 minutes later −0.03, here −0.08 |
//! | perp of beta | half of the spread 1.8 bp; a print each 6 s pays 1.8 bp (a dollar 2.2), of which 0.8 bp is lost again within 5 s |
//! | imbalance of the best sizes with the next minute's return | 0.11: about 1 bp for a standard deviation of it |
//! | spot of beta over alpha | standard deviation 4.2 bp, lag 1 min 0.92, lag 60 min 0.04 |
//! | bid of one venue over the other's offer | by 10 bp in 1.6 % of minutes, 20 bp in 0.6 %, 40 bp in 0.1 % |
//! | round through BTC, ETH and ETH/BTC before fees | over 15 bp in 0.65 % of minutes, over 30 bp in 0.23 % |
//! | funding against the premium shown in the eight hours before | within 0.3 bp |
//! | basis of futures per year | mean 4.8 %, standard deviation 5.1 %; below 10 bp on the last day |
//! | index of implied volatility less what 30 days then realised (two years, BTC) | mean 0.08, standard deviation 0.21 |
//! | fees of the pools over what moves take from their liquidity (two calm weeks, volatility 0.7) | v3 1.15, v2 2.0; about 0.8 and 1.3 at the usual 0.87 |
//! | pools within their fee of the index | 95 % of minutes; never farther than fee + 5 bp in two weeks |
//! | swapped per day | v2 2 million, v3 70 million; gas of a swap 0.03 … 1.5 |
//!
//! A day in steps of a minute is about 670 000 events (four fifths of them options), of a second 42 million, and
//! what beta's perps say within steps: up to 75 a minute each;
//! the feed makes about 14 million events a second (release build, one idle core). Without detail it makes
//! the bars of 730 days in 0.12 s.
//!
//! # Invariants
//!
//! 1. Every random number is a function of (seed, what it is for, asset, hour or day): a longer run
//!    changes nothing before its end, and the decision clock changes nothing but the grouping of hours.
//! 2. A bar opens at the close of the hour before; high and low contain every hour of it.
//! 3. Detail changes no bar, and its absence changes nothing.
//! 4. [`SynthWorld::RandomWalk`] has independent normal returns of constant volatility, the same correlations
//!    and a martingale price: nothing can be earned in it but by chance.

mod detail;
#[cfg(test)]
mod detail_facts;
#[cfg(test)]
mod detail_tests;
#[cfg(test)]
pub(crate) mod facts;
mod faults;
mod feed;
mod intrabar;
mod listing;
mod options;
mod path;
mod pools;
mod pulse;
mod realised;
mod regime;
mod sink;
mod spec;
mod steps;
#[cfg(test)]
mod tests;
mod triangle;
mod venues;

pub use detail::{AssetSet, CONTRACT_DAYS, Detail};
pub use faults::FaultCounts;
pub use feed::SynthFeed;
pub use listing::{ALPHA, BETA, CHAIN};

use crate::domain::{Span, Stamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which embedded world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SynthWorld {
    /// Regimes, clustered volatility, jumps, funding.
    #[default]
    Market,
    /// Independent normal returns, no drift: the control.
    RandomWalk,
}

impl SynthWorld {
    /// The name used on the command line and in hashes.
    pub fn text(self) -> &'static str {
        match self {
            SynthWorld::Market => "market",
            SynthWorld::RandomWalk => "random-walk",
        }
    }

    /// Finds by name.
    pub fn parse(text: &str) -> Option<Self> {
        [SynthWorld::Market, SynthWorld::RandomWalk].into_iter().find(|w| w.text() == text)
    }
}

impl fmt::Display for SynthWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// Longest run in days: two centuries, within the range of stamps from any start that is allowed.
pub const DAYS_MAX: u32 = 73_050;

/// What makes an embedded market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SynthSettings {
    /// Same seed, same market.
    pub seed: u64,
    /// World whose assets and venues it has.
    pub world: SynthWorld,
    /// Start of the first bar; on a boundary of the clock.
    pub from: Stamp,
    /// Length of the run in days.
    pub bars_days: u32,
    /// The decision clock: whole hours that divide a day.
    pub clock: Span,
    /// What is told beside the bars; none: nothing.
    pub detail: Option<Detail>,
}

impl Default for SynthSettings {
    fn default() -> Self {
        SynthSettings {
            seed: 1,
            world: SynthWorld::Market,
            // 2022-01-01T00:00:00Z
            from: Stamp(18_993 * Span::DAY.0),
            bars_days: 730,
            clock: Span(4 * Span::HOUR.0),
            detail: None,
        }
    }
}
