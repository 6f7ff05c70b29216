//! Systems that know no agents: one momentum rule, holding everything, and a desk that knows nothing.
//!
//! The look-backs of the rule were fixed before its first run: a doubling ladder over what the agents'
//! own look-backs span.

use super::stream::{ArmMeter, ArmTrack, Scale};
use crate::domain::{Digest, Stamp, Universe, random};
use crate::engine::Settings;
use crate::engine::speak::{Speak, rank_in_place};
use crate::fills::fee_rate;
use crate::fills::pace::unit;

/// Look-backs of the six momentum rules, in bars.
pub const LOOK_BACKS: [usize; 6] = [10, 20, 40, 80, 160, 320];

/// Half the mean sign of past returns, half the mean rank among all assets, at unit risk.
pub struct Momentum {
    /// By asset: its closes since it was listed.
    closes: Vec<Vec<f64>>,
    ranks: Vec<f64>,
}

impl Momentum {
    /// Nothing was seen.
    pub fn new(universe: &Universe) -> Self {
        let n = universe.assets.len();
        Momentum { closes: vec![Vec::new(); n], ranks: vec![0.0; n] }
    }

    /// What to hold, by asset.
    pub fn aims(&mut self, at: Stamp, speak: &Speak, universe: &Universe, aims: &mut [f64]) {
        let desk = speak.market.desk();
        for ((closes, listing), asset) in self.closes.iter_mut().zip(desk).zip(&universe.assets) {
            if listing.delisted_at == Some(at) {
                closes.clear();
            } else if listing.is_fresh(at) && !asset.money_like {
                closes.push(listing.last().close);
            }
        }
        aims.fill(0.0);
        for back in LOOK_BACKS {
            for ((rank, closes), listing) in self.ranks.iter_mut().zip(&self.closes).zip(desk) {
                let past = closes.len().checked_sub(back + 1).map(|i| closes[i]);
                let fresh = past.filter(|_| listing.is_fresh(at));
                *rank = fresh.map_or(f64::NAN, |p| listing.last().close / p - 1.0);
                // The volatility of the return over the look-back makes assets comparable.
                *rank /= listing.sigma;
            }
            let signs: Vec<f64> =
                self.ranks.iter().map(|r| if r.is_nan() { 0.0 } else { sign(*r) }).collect();
            rank_in_place(&mut self.ranks);
            for ((aim, rank), sign) in aims.iter_mut().zip(&self.ranks).zip(signs) {
                *aim += 0.5 * sign + if rank.is_nan() { 0.0 } else { 0.5 * (2.0 * rank - 1.0) };
            }
        }
        let share = 1.0 / (LOOK_BACKS.len() * aims.len().max(1)) as f64;
        for (aim, listing) in aims.iter_mut().zip(desk) {
            let unit = unit(listing.sigma);
            *aim *= if unit.is_finite() { unit * share } else { 0.0 };
        }
    }
}

/// A desk without information: each asset is held long or short at unit risk, by a coin, for ten to sixty bars.
/// Where nobody knows anything no price moves against who waits, so what working its orders costs is the fill
/// model's alone.
pub struct RandomDesk {
    seed: u64,
    bars: u64,
}

impl RandomDesk {
    /// A desk whose coins are those of this seed.
    pub fn new(seed: u64) -> Self {
        RandomDesk { seed, bars: 0 }
    }

    /// What to hold, by asset.
    pub fn aims(&mut self, at: Stamp, speak: &Speak, aims: &mut [f64]) {
        let share = 1.0 / aims.len().max(1) as f64;
        for (a, (aim, listing)) in aims.iter_mut().zip(speak.market.desk()).enumerate() {
            let key = random::key(self.seed, &[random::name("random desk"), a as u64]);
            let every = 10 + random::below(key, 51);
            let heads = random::below(random::mix(key, self.bars / every), 2) == 0;
            let unit = unit(listing.sigma);
            let known = listing.is_fresh(at) && unit.is_finite();
            *aim = if known { share * unit * if heads { 1.0 } else { -1.0 } } else { 0.0 };
        }
        self.bars += 1;
    }
}

fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { libm::copysign(1.0, x) }
}

/// An equal part of the capital goes into each asset when it lists, and stays; scaled to the risk target.
pub struct BuyAndHold {
    /// By asset: units held of an unscaled capital of 1.
    units: Vec<f64>,
    /// By asset: whether it was bought once, or given up once.
    done: Vec<bool>,
    cash: f64,
    value: f64,
    scale: Scale,
    equity: f64,
    meter: ArmMeter,
    digest: Digest,
}

impl BuyAndHold {
    /// Before the first bar.
    pub fn new(universe: &Universe, settings: &Settings) -> Self {
        let clock = settings.clock.decide;
        BuyAndHold {
            units: vec![0.0; universe.assets.len()],
            done: universe.assets.iter().map(|a| a.money_like).collect(),
            cash: 1.0,
            value: 1.0,
            scale: Scale::new(&settings.desk, clock),
            equity: 1.0,
            meter: ArmMeter::new(1.0, clock),
            digest: Digest::default(),
        }
    }

    /// A barrier. Bought is at the close, as there is nothing to decide on.
    pub fn barrier(&mut self, at: Stamp, speak: &Speak, universe: &Universe, settings: &Settings) {
        let part = 1.0 / universe.assets.iter().filter(|a| !a.money_like).count().max(1) as f64;
        let (mut held, mut paid, mut bought) = (0.0, 0.0, 0);
        for (i, listing) in speak.market.desk().iter().enumerate() {
            let price = listing.last().close;
            if !self.done[i] && listing.is_fresh(at) {
                self.done[i] = true;
                let fee = fee_rate(
                    settings.costs.of(&universe.instruments[i]),
                    universe.instruments[i].kind,
                    false,
                ) * part;
                self.units[i] = part / price;
                self.cash -= part + fee;
                paid += part;
                bought += 1;
            }
            if listing.delisted_at == Some(at) {
                self.cash += std::mem::take(&mut self.units[i]) * price;
            }
            held += if self.units[i] > 0.0 { self.units[i] * price } else { 0.0 };
        }
        let now = self.cash + held;
        let r = now / self.value - 1.0;
        let k = self.scale.multiple();
        self.meter.trade(k * paid, 0.0);
        self.meter.orders(bought);
        self.equity = (self.equity * (1.0 + k * r)).max(0.0);
        self.digest.float(self.equity);
        self.scale.push(r);
        self.value = now;
        self.meter.mark(at, self.equity);
    }

    /// What is left behind.
    pub fn finish(self) -> ArmTrack {
        self.meter.finish(0.0, 1.0, &self.digest)
    }
}
