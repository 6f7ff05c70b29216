//! The walk of the embedded market, hour by hour.
//!
//! State is carried from hour to hour; every random number comes from [`random::key`] of (seed, what for,
//! asset's name, hour). Log returns of an hour:
//!
//! ```text
//! market  m = regime drift + pull + σ_m · t₆ + jump          σ_m = level · exp(cascade) · regime
//! asset   r = β · (m + late · m₋₁) + drift_i + σ_i · t₆ + jump_i
//! ```
//!
//! After the free days ([`FREE_DAYS`]) an asset's return has a pull to its first price beside, and its log price
//! is turned back at a distance of log [`HOME_REACH`].
//!
//! where t₆ is Student's t with six degrees of freedom scaled to variance one.

use super::regime::Regime;
use super::spec::{
    ASSETS, FREE_DAYS, FUNDING_BOUND, FUNDING_CLAMP, HOME_PULL, HOME_REACH, INTEREST, MARKET_CASCADE,
    MARKET_JUMP, MARKET_VOL, OWN_CASCADE, OWN_DRIFT, OWN_JUMP, PREMIUM_FAST, PREMIUM_MEAN, PREMIUM_SLOW,
    PREMIUM_SPREAD, PREMIUM_TREND, Spec, TREND_HOURS, VOLUME_OF_MOVE, VOLUME_OF_VOL, VOLUME_OWN,
};
use super::{SynthSettings, SynthWorld};
use crate::domain::{Bar, Span, random};
use serde::{Deserialize, Serialize};

/// Hours between settlements, counted from 1970: 00, 08, 16 UTC.
pub(super) const SETTLEMENT_HOURS: i64 = 8;

/// What a random number is for: the second word of its key.
#[derive(Clone, Copy)]
#[repr(u64)]
enum For {
    Regime = 1,
    Cascade,
    Move,
    Jump,
    Drift,
    Range,
    Volume,
    Premium,
}

/// An AR(1) of standard deviation one times `scale`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Ar {
    keep: f64,
    add: f64,
    value: f64,
}

impl Ar {
    /// Started from its stationary law.
    pub fn start((memory, scale): (f64, f64), key: u64) -> Ar {
        let keep = libm::exp(-1.0 / memory);
        Ar { keep, add: scale * libm::sqrt(1.0 - keep * keep), value: scale * random::normal(key) }
    }

    pub fn step(&mut self, key: u64) -> f64 {
        self.value = self.keep * self.value + self.add * random::normal(key);
        self.value
    }
}

/// Log volatility as a sum of [`Ar`]s, shifted so that the square of volatility averages to one.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Cascade {
    parts: [Ar; 4],
    shift: f64,
}

impl Cascade {
    fn start(spec: [(f64, f64); 4], key: u64) -> Cascade {
        let mut index = 0;
        let parts = spec.map(|one| {
            index += 1;
            Ar::start(one, random::mix(key, index))
        });
        Cascade { parts, shift: spec.iter().map(|(_, s)| s * s).sum() }
    }

    fn step(&mut self, key: u64) -> f64 {
        let mut sum = -self.shift;
        for (index, part) in self.parts.iter_mut().enumerate() {
            sum += part.step(random::mix(key, index as u64));
        }
        sum
    }
}

/// The factor that all assets share.
#[derive(Clone, Serialize, Deserialize)]
struct MarketFactor {
    regime: Regime,
    cascade: Cascade,
    /// Log price, and where the regime began.
    level: f64,
    anchor: f64,
    last: f64,
}

/// One asset on its way.
#[derive(Clone, Serialize, Deserialize)]
struct Walker {
    spec: Spec,
    name: u64,
    /// Ticks in a unit of price.
    ticks: f64,
    log: f64,
    /// The last price as shown, rounded to the tick: the next hour opens there.
    price: f64,
    cascade: Cascade,
    drift: Ar,
    volume: Ar,
    average: f64,
    slow: Ar,
    fast: Ar,
}

/// The whole market on its way.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Path {
    seed: u64,
    world: SynthWorld,
    hour: i64,
    /// The hour from which prices are pulled home; a random walk never is.
    free_until: i64,
    market: MarketFactor,
    walkers: Vec<Walker>,
}

impl Path {
    /// The path as it is at the start of a run.
    pub fn start(settings: &SynthSettings) -> Path {
        let seed = settings.seed;
        let hour = settings.from.0.div_euclid(Span::HOUR.0);
        let first = |what: For, name: u64| random::key(seed, &[what as u64, name, hour as u64, 1]);
        let market = MarketFactor {
            regime: Regime::first(first(For::Regime, 0)),
            cascade: Cascade::start(MARKET_CASCADE, first(For::Cascade, 0)),
            level: 0.0,
            anchor: 0.0,
            last: 0.0,
        };
        let walkers = ASSETS.iter().map(|spec| {
            let name = random::name(spec.name);
            let own = spec.own * hourly();
            Walker {
                spec: *spec,
                name,
                ticks: libm::pow(10.0, f64::from(spec.digits)),
                log: libm::log(spec.price),
                price: spec.price,
                cascade: Cascade::start(OWN_CASCADE, first(For::Cascade, name)),
                drift: Ar::start((OWN_DRIFT.0, OWN_DRIFT.1 * own), first(For::Drift, name)),
                volume: Ar::start(VOLUME_OWN, first(For::Volume, name)),
                average: libm::log(spec.price),
                slow: Ar::start(PREMIUM_SLOW, random::mix(first(For::Premium, name), 1)),
                fast: Ar::start(PREMIUM_FAST, random::mix(first(For::Premium, name), 2)),
            }
        });
        let free_until = hour + i64::from(FREE_DAYS) * 24;
        Path { seed, world: settings.world, hour, free_until, market, walkers: walkers.collect() }
    }

    /// Hours since 1970 of the hour that comes next.
    pub fn hour(&self) -> i64 {
        self.hour
    }

    /// The rates and marks of a settlement at the start of the hour that comes next, in the order of the
    /// assets. Rates are fractions of notional; there are none in a random walk.
    pub fn settle(&mut self) -> Vec<(f64, f64)> {
        if self.world == SynthWorld::RandomWalk {
            return Vec::new();
        }
        let premiums = self.premiums();
        let settled = self.walkers.iter().zip(premiums).map(|(w, p)| (funding_rate(p), w.price));
        settled.collect()
    }

    /// The premiums over the index that a settlement at the start of the hour that comes next is made
    /// from, in the order of the assets: in place of [`Path::settle`], never beside it. Zero in a random walk.
    pub fn premiums(&mut self) -> [f64; ASSETS.len()] {
        let mut premiums = [0.0; ASSETS.len()];
        if self.world == SynthWorld::RandomWalk {
            return premiums;
        }
        let (seed, hour) = (self.seed, self.hour as u64);
        for (w, premium) in self.walkers.iter_mut().zip(&mut premiums) {
            *premium = w.premium(random::key(seed, &[For::Premium as u64, w.name, hour]));
        }
        premiums
    }

    /// The last price of an asset.
    pub fn price(&self, index: usize) -> f64 {
        self.walkers[index].price
    }

    /// Walks an hour and gives its bars in the order of the assets.
    pub fn step(&mut self) -> [Bar; ASSETS.len()] {
        let mut bars = [Bar { open: 0.0, high: 0.0, low: 0.0, close: 0.0, volume: 0.0 }; ASSETS.len()];
        let (seed, hour) = (self.seed, self.hour);
        let key = |what: For, name: u64| random::key(seed, &[what as u64, name, hour as u64]);
        let (market, vol) = match self.world {
            SynthWorld::Market => self.market.step(hour, &key),
            SynthWorld::RandomWalk => (MARKET_VOL * hourly() * random::normal(key(For::Move, 0)), 1.0),
        };
        for (walker, bar) in self.walkers.iter_mut().zip(&mut bars) {
            *bar = match self.world {
                SynthWorld::Market => {
                    walker.step((market, self.market.last, vol), hour >= self.free_until, &key)
                }
                SynthWorld::RandomWalk => walker.walk(market, &key),
            };
        }
        self.market.last = market;
        self.hour += 1;
        bars
    }
}

impl MarketFactor {
    /// The factor's return of this hour, and what its volatility is multiplied by.
    fn step(&mut self, hour: i64, key: &dyn Fn(For, u64) -> u64) -> (f64, f64) {
        if hour.rem_euclid(24) == 0 {
            let next = self.regime.next(key(For::Regime, 0));
            if next != self.regime {
                self.regime = next;
                self.anchor = self.level;
            }
        }
        let effect = self.regime.effect();
        let log_vol = self.cascade.step(key(For::Cascade, 0)) + libm::log(effect.vol);
        let drift = effect.drift / Span::HOUR.per_year() + effect.pull * (self.anchor - self.level);
        let jump = jump(MARKET_JUMP, effect.jump, key(For::Jump, 0));
        let vol = libm::exp(log_vol);
        let m = drift + MARKET_VOL * hourly() * vol * student6(key(For::Move, 0)) + jump;
        self.level += m;
        (m, vol)
    }
}

impl Walker {
    /// An hour from the market's return, that of the hour before, and its volatility as a multiple.
    fn step(
        &mut self,
        (market, last_market, market_vol): (f64, f64, f64),
        pulled: bool,
        key: &dyn Fn(For, u64) -> u64,
    ) -> Bar {
        let spec = self.spec;
        let own_log_vol = self.cascade.step(key(For::Cascade, self.name));
        let own = spec.own * hourly() * libm::exp(own_log_vol);
        let shared = spec.beta * MARKET_VOL * hourly() * market_vol;
        let r = spec.beta * (market + spec.late * last_market)
            + self.drift.step(key(For::Drift, self.name))
            + own * student6(key(For::Move, self.name))
            + jump(OWN_JUMP, 0.0, key(For::Jump, self.name));
        let sigma = libm::sqrt(own * own + shared * shared);
        // Share-weighted: the volatility that its traders feel against what is usual for it.
        let usual =
            libm::sqrt(spec.own * spec.own + spec.beta * spec.beta * MARKET_VOL * MARKET_VOL) * hourly();
        let (r, reach) = if pulled { self.home(r) } else { (r, f64::INFINITY) };
        self.finish((r, sigma, reach), libm::log(sigma / usual), key)
    }

    /// The return as the pull to the first price leaves it, and how far from that the log price may be.
    fn home(&self, r: f64) -> (f64, f64) {
        let away = self.log - self.first();
        let reach = libm::log(HOME_REACH).max(libm::fabs(away));
        let to = away + r - HOME_PULL / Span::HOUR.per_year() * away;
        let beyond = (libm::fabs(to) - reach).clamp(0.0, reach);
        (to - 2.0 * libm::copysign(beyond, to) - away, reach)
    }

    fn first(&self) -> f64 {
        libm::log(self.spec.price)
    }

    fn walk(&mut self, market: f64, key: &dyn Fn(For, u64) -> u64) -> Bar {
        let spec = self.spec;
        let shared = spec.beta * MARKET_VOL;
        let sigma = libm::sqrt(shared * shared + spec.own * spec.own) * hourly();
        // Minus half the variance: the price, not its logarithm, has no drift.
        let r = spec.beta * market + spec.own * hourly() * random::normal(key(For::Move, self.name))
            - sigma * sigma / 2.0;
        self.finish((r, sigma, f64::INFINITY), 0.0, key)
    }

    /// The hour's bar from its return, its volatility and how far from its first price it may be. High and low are the extremes of a Brownian bridge between open and
    /// close, by inversion of P(max > x) = exp(−2 (x − a)(x − b) / σ²).
    fn finish(
        &mut self,
        (r, sigma, limit): (f64, f64, f64),
        log_vol: f64,
        key: &dyn Fn(For, u64) -> u64,
    ) -> Bar {
        let (from, first) = (self.log, self.first());
        self.log += r;
        self.average += (self.log - self.average) / TREND_HOURS;
        let range = key(For::Range, self.name);
        let reach = |k: u64| {
            let u = 1.0 - random::uniform(k);
            libm::sqrt(r * r - 2.0 * sigma * sigma * libm::log(u))
        };
        let high = from + f64::midpoint(r, reach(random::mix(range, 1)));
        let low = from + f64::midpoint(r, -reach(random::mix(range, 2)));
        let open = self.price;
        let close = self.shown(self.log);
        self.price = close;
        let volume_key = key(For::Volume, self.name);
        let z = (libm::fabs(r) / sigma).min(6.0);
        let log_dollars = VOLUME_OF_VOL * log_vol + VOLUME_OF_MOVE * (z - 0.8) + self.volume.step(volume_key);
        Bar {
            open,
            high: self.shown(high.min(first + limit)).max(open).max(close),
            low: self.shown(low.max(first - limit)).min(open).min(close),
            close,
            volume: self.spec.dollars * libm::exp(log_dollars) / close,
        }
    }

    /// Premium of the perp at a settlement.
    fn premium(&mut self, key: u64) -> f64 {
        let sigma = libm::sqrt(
            self.spec.own * self.spec.own + self.spec.beta * self.spec.beta * MARKET_VOL * MARKET_VOL,
        ) * hourly();
        // A walk less its average of memory τ has a standard deviation of σ · sqrt(τ / 2).
        let trend = (self.log - self.average) / (sigma * libm::sqrt(TREND_HOURS / 2.0));
        let own = self.slow.step(random::mix(key, 1)) + self.fast.step(random::mix(key, 2));
        PREMIUM_MEAN + PREMIUM_SPREAD * (PREMIUM_TREND * trend.clamp(-3.0, 3.0) + own)
    }

    /// A log price as the venue shows it: on the tick, never below one tick.
    fn shown(&self, log: f64) -> f64 {
        libm::rint(libm::exp(log) * self.ticks).max(1.0) / self.ticks
    }
}

/// Binance's formula: the premium plus the interest as far as the clamp lets it, within the bounds.
pub(super) fn funding_rate(premium: f64) -> f64 {
    let rate = premium + (INTEREST - premium).clamp(-FUNDING_CLAMP, FUNDING_CLAMP);
    rate.clamp(-FUNDING_BOUND, FUNDING_BOUND)
}

/// An annual volatility as an hourly one.
fn hourly() -> f64 {
    1.0 / libm::sqrt(Span::HOUR.per_year())
}

/// Student's t with six degrees of freedom over its standard deviation. A chi-squared of six degrees is
/// −2 log of the product of three uniforms.
fn student6(key: u64) -> f64 {
    let u = |word: u64| 1.0 - random::uniform(random::mix(key, word));
    let chi = -2.0 * libm::log(u(1) * u(2) * u(3));
    // Three uniforms of exactly one have a chance of 2^-159; the floor keeps the result finite.
    random::normal(key) * libm::sqrt(4.0 / chi.max(1e-9))
}

/// A jump, or nothing.
fn jump((chance, size): (f64, f64), mean: f64, key: u64) -> f64 {
    if random::uniform(random::mix(key, 1)) >= chance {
        return 0.0;
    }
    size * (mean + random::normal(random::mix(key, 2)))
}
