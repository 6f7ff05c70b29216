//! Pools of ETH on the chain: one with liquidity everywhere (v2), one with liquidity in ranges (v3).
//!
//! Noise traders swap through a pool and push its price about; arbitrage brings it back to the edge of the
//! fee's band around the index, index · (1 − fee) … index / (1 − fee), whenever that earns more than the gas
//! (and nobody keeps it away: `faults`).
//! Gas varies, and rises when the market moves.
//!
//! # Invariants
//!
//! 1. After a step in which arbitrage came and paid, the price lies in the band.
//! 2. `swapped` is the quote currency that went through, noise and arbitrage together.
//! 3. The fees of a v2 pool stay in it and make its liquidity grow; those of a v3 pool do not.

use super::intrabar::{DrawPurpose, GapSpec, RevertingGap, key, memory};
use super::path::Ar;
use super::sink::Sink;
use crate::domain::{InstrumentId, MarketEvent, Span, Stamp, random};
use serde::{Deserialize, Serialize};

/// Gas of a swap: usual quote currency, standard deviation and memory of its logarithm. A chain on top of
/// another, where small liquidity can live: on the main one a swap costs some dollars, on Polygon less than
/// a cent; there the logarithm's standard deviation over four days was 0.48 (August 2023).
const GAS: (f64, f64, Span) = (0.1, 0.4, Span(6 * Span::HOUR.0));
/// Crowded blocks: log gas now and then jumps and comes back.
const CROWDED: GapSpec = GapSpec {
    memory: Span::seconds(600),
    spread: 0.1,
    shots_per_day: 6.0,
    shot: 0.9,
    fades: Span::seconds(1_800),
};
/// How busy a pool is: standard deviation and memory of the logarithm of what noise traders swap. Daily
/// volumes of six real pools have 0.6 … 1.0 around their month and a correlation of 0.1 … 0.4 from day to day.
const BUSY: (f64, Span) = (0.7, Span::DAY);
/// Width of a v3 range in log price.
const RANGE: f64 = 0.01;
/// Most ranges that one swap crosses; a price that is farther away is reached in the next steps.
const CROSSED_MAX: usize = 400;

/// Quote currency that noise traders swap per day. With arbitrage v3 earns about 0.8 of what the moves of the
/// price take from its liquidity, as the pool of Polygon did over five days of August 2023 (0.7: 1.4 … 2.7 on
/// the calm four, 0.6 on the day of a crash); v2, whose fee is six times that, more than they take. Both at the
/// usual volatility; more in calm weeks.
const V3_FLOW: f64 = 4.5e7;
const V2_FLOW: f64 = 1e6;

/// What all pools share.
#[derive(Serialize, Deserialize)]
pub(super) struct PoolsShared {
    slow: Ar,
    crowd: RevertingGap,
    seed: u64,
}

impl PoolsShared {
    pub fn start(seed: u64, step: Span, at: Stamp) -> PoolsShared {
        let k = random::mix(key(seed, DrawPurpose::Gas, 0, at), 1);
        PoolsShared {
            slow: memory(GAS.2, step, GAS.1, k),
            crowd: RevertingGap::start(CROWDED, step, random::mix(k, 2)),
            seed,
        }
    }

    /// What a swap costs now.
    pub fn step(&mut self, at: Stamp) -> f64 {
        let k = key(self.seed, DrawPurpose::Gas, 0, at);
        let log = self.slow.step(random::mix(k, 3)) + self.crowd.step(random::mix(k, 4)).max(-1.0);
        GAS.0 * libm::exp(log)
    }
}

/// A pool of the embedded market, and its state.
#[derive(Serialize, Deserialize)]
pub(super) struct SynthPool {
    id: InstrumentId,
    seed: u64,
    step: Span,
    fee: f64,
    concentrated: bool,
    price: f64,
    /// v2: the liquidity; v3: its usual level.
    liquidity: f64,
    /// Quote currency that noise traders swap per day, usually, and how busy it is now.
    flow: f64,
    busy: Ar,
}

impl SynthPool {
    pub fn start(
        seed: u64,
        (step, at): (Span, Stamp),
        id: InstrumentId,
        (fee_ppm, concentrated): (u32, bool),
        index: f64,
    ) -> SynthPool {
        // v2: 10 million on each side. v3: as if 100 million lay on each side, near the price, as in the pool of
        // Polygon (28 … 163 million, of which 3 … 92 % were swapped per day).
        let (side, flow) = if concentrated { (1e8, V3_FLOW) } else { (1e7, V2_FLOW) };
        let k = random::mix(key(seed, DrawPurpose::Flow, u64::from(id.0), at), 4);
        SynthPool {
            id,
            seed,
            step,
            fee: f64::from(fee_ppm) / 1e6,
            concentrated,
            price: index,
            liquidity: side / libm::sqrt(index),
            flow,
            busy: memory(BUSY.1, step, BUSY.0, k),
        }
    }

    /// Liquidity at a price and the end of its range in the direction of `to`.
    fn at(&self, price: f64, to: f64) -> (f64, f64) {
        if !self.concentrated {
            return (self.liquidity, to);
        }
        let up = to > price;
        // A hair in the direction of the move, so that an edge belongs to the range that is entered.
        let range = libm::floor(libm::log(price) / RANGE + if up { 1e-7 } else { -1e-7 });
        let edge = libm::exp(RANGE * (range + f64::from(u8::from(up))));
        let own = random::uniform(random::key(self.seed, &[DrawPurpose::Range as u64, range as i64 as u64]));
        (self.liquidity * (0.5 + own), if up { edge.min(to) } else { edge.max(to) })
    }

    /// Moves the price; gives base bought from the pool (negative: sold to it) and quote currency paid in
    /// (negative: taken out), both without fees: Δx = L Δ(1/√P), Δy = L Δ√P, range by range.
    fn shift(&mut self, to: f64) -> (f64, f64) {
        let (mut base, mut paid) = (0.0, 0.0);
        for _ in 0..CROSSED_MAX {
            if self.price == to {
                break;
            }
            let (liquidity, next) = self.at(self.price, to);
            let (a, b) = (libm::sqrt(self.price), libm::sqrt(next));
            base += liquidity * (1.0 / a - 1.0 / b);
            paid += liquidity * (b - a);
            self.price = next;
        }
        (base, paid)
    }

    /// One step: noise, then arbitrage unless it is absent; tells the state.
    pub fn step(&mut self, index: f64, gas: f64, absent: bool, sink: &mut Sink<'_>) {
        let k = key(self.seed, DrawPurpose::Flow, u64::from(self.id.0), sink.at);
        let usual = self.flow * self.step.in_units_of(Span::DAY);
        let busy = self.busy.step(random::mix(k, 3)) - 0.5 * BUSY.0 * BUSY.0;
        let amount = usual * libm::exp(busy + random::normal(random::mix(k, 1)) - 0.5);
        // Swaps of both directions; what does not cancel moves the price.
        let net = amount * (2.0 * random::uniform(random::mix(k, 2)) - 1.0);
        let root = libm::sqrt(self.price) + net / self.at(self.price, self.price * (1.0 + net)).0;
        let floor = libm::sqrt(self.price) * 0.8;
        let (_, moved) = self.shift(root.max(floor) * root.max(floor));
        let mut swapped = amount.max(libm::fabs(moved));
        let (low, high) = (index * (1.0 - self.fee), index / (1.0 - self.fee));
        if !absent && (self.price < low || self.price > high) {
            let (before, target) = (self.price, self.price.clamp(low, high));
            let (base, paid) = self.shift(target);
            // The fee is taken from what goes in; the other side is sold or bought at the index.
            let profit = if base > 0.0 {
                base * index - paid / (1.0 - self.fee)
            } else {
                -paid + base / (1.0 - self.fee) * index
            };
            if profit > gas {
                swapped += libm::fabs(paid);
            } else {
                self.price = before;
            }
        }
        if !self.concentrated {
            let side = self.liquidity * libm::sqrt(self.price);
            self.liquidity *= 1.0 + 0.5 * self.fee * swapped / side;
        }
        let liquidity = self.at(self.price, self.price * 2.0).0;
        sink.push(MarketEvent::Pool {
            instrument: self.id,
            at: sink.at,
            price: self.price,
            liquidity,
            swapped,
            gas,
        });
    }
}
