//! Two venues, their spot and perps, and a third pair: quotes, trades and a book in every step.
//!
//! ```text
//! perp of alpha   P          inside the hour's bar
//! premium         p          its mean over eight hours is the premium the settlement is made from
//! index           I = P / (1 + p)
//! spot of alpha   I · (1 + small)
//! spot of beta    I · (1 + gap)                  gap: mean-reverting, now and then wide
//! perp of beta    I · (1 + gap') · (1 + p')      p' follows p, with a part of its own
//! ETH/BTC         spot ETH / spot BTC of alpha · (1 + gap'')
//! ```
//!
//! # Invariants
//!
//! 1. Mids of alpha's perp and its trades lie inside the bar of their hour.
//! 2. The sizes at the best prices lean toward the next step's move, mildly: that is what a scalper lives on.

use super::faults::{ALPHA, BETA, FaultSchedule, Faults, ScheduledFault};
use super::intrabar::{DrawPurpose, GapSpec, RevertingGap, inside, key, memory, on_tick};
use super::listing::{Ids, usual};
use super::path::{Ar, funding_rate};
use super::pulse::SynthPerp;
use super::realised::RealisedVariance;
use super::sink::{Sink, StandingQuote, Ticks, bad_tick};
use super::spec::{ASSETS, MARKET_VOL};
use crate::domain::{AssetId, Bar, MarketEvent, Span, Stamp, random};
use crate::market::pricing::normal;
use serde::{Deserialize, Serialize};

/// Between the venues' spots, and between beta's perp and its index.
const GAP: GapSpec = GapSpec {
    memory: Span::seconds(1_200),
    spread: 2.5e-4,
    shots_per_day: 4.0,
    shot: 2.5e-3,
    fades: Span::seconds(600),
};
/// Noise of the premium and of alpha's spot: standard deviation and memory.
const PREMIUM_NOISE: (f64, Span) = (4e-5, Span::seconds(600));
const SPOT_NOISE: (f64, Span) = (3e-5, Span::seconds(300));
/// Beta's premium: how much of alpha's, and a part of its own.
const BETA_SHARE: f64 = 0.8;
const BETA_OWN: (f64, Span) = (2.5e-4, Span(3 * Span::DAY.0));
/// Half of the spreads, as fractions: perps of alpha and of beta, spot and third pair. What a taker of some
/// size pays, not the tick that Binance shows (0.01 … 0.02 bp). Beta is a small venue, as the small ones of
/// recordings are: OKX's dated BTC 1.3 bp, Coinbase's BTC and ETH in 2017 0.7 … 2.1 bp, dYdX's smaller perps
/// 0.9 … 5 bp.
const PERP_HALF: (f64, f64) = (3e-5, 1.5e-4);
pub(super) const SPOT_HALF: f64 = 8e-5;
/// Weight of the next step's move, in standard deviations, against noise in the imbalance of sizes:
/// alpha's perp, all others.
const FORESIGHT: (f64, f64) = (0.15, 0.07);
/// Beta's perps trade and show these parts of alpha's.
const BETA_PERP_PART: f64 = 0.05;
const BETA_PERP_SIZE: f64 = 0.15;
/// Prices a side of the book.
pub(super) const DEPTH: usize = 10;

/// Where an asset is now.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct AssetNow {
    pub perp: f64,
    /// Mids of beta at the end of this step: spot, perp.
    beta: (f64, f64),
    pub index: f64,
    pub spot_alpha: f64,
    /// The move of this step and the next, in standard deviations.
    z: f64,
    z_next: f64,
    /// Quotes of alpha's perp and spot, beta's spot and perp.
    quotes: [StandingQuote; 4],
    /// Of alpha's perp over the index, before its noise.
    premium: f64,
}

/// One detailed asset.
#[derive(Serialize, Deserialize)]
pub(super) struct DetailedAsset {
    pub asset: AssetId,
    pub ids: Ids,
    pub ticks: Ticks,
    pub realised: RealisedVariance,
    pub now: AssetNow,
    /// Quote currency at the best price of alpha's perp, usually.
    pub size: f64,
    name: u64,
    seed: u64,
    step: Span,
    has_book: bool,
    bar: Bar,
    /// Of the steps of this hour.
    prices: Vec<f64>,
    sigma: f64,
    /// At the last settlement and at the next.
    premium: (f64, f64),
    /// Of beta since the last settlement: sum and count.
    beta_premium: (f64, f64),
    premium_noise: Ar,
    spot_noise: Ar,
    beta_own: Ar,
    gaps: [RevertingGap; 2],
    pulse: SynthPerp,
    trouble: ScheduledFault,
}

impl DetailedAsset {
    pub fn start(
        seed: u64,
        step: Span,
        at: Stamp,
        (asset_index, ids): (usize, Ids),
        realised: RealisedVariance,
        premium: f64,
    ) -> DetailedAsset {
        let spec = &ASSETS[asset_index];
        let name = random::name(spec.name);
        let k = |why, n| random::mix(key(seed, why, name, at), n);
        DetailedAsset {
            asset: AssetId(asset_index as u16),
            ids,
            ticks: Ticks::of(spec),
            realised,
            now: AssetNow::default(),
            size: spec.dollars / 3_600.0 * 2.0,
            name,
            seed,
            step,
            has_book: spec.name == "BTC",
            bar: Bar { open: 0.0, high: 0.0, low: 0.0, close: 0.0, volume: 0.0 },
            prices: Vec::new(),
            sigma: usual(spec) * libm::sqrt(step.in_units_of(Span::YEAR)),
            premium: (premium, premium),
            beta_premium: (0.0, 0.0),
            premium_noise: memory(PREMIUM_NOISE.1, step, PREMIUM_NOISE.0, k(DrawPurpose::Premium, 1)),
            spot_noise: memory(SPOT_NOISE.1, step, SPOT_NOISE.0, k(DrawPurpose::Alpha, 1)),
            beta_own: memory(BETA_OWN.1, step, BETA_OWN.0, k(DrawPurpose::BetaPremium, 1)),
            gaps: [
                RevertingGap::start(GAP, step, k(DrawPurpose::Beta, 1)),
                RevertingGap::start(GAP, step, k(DrawPurpose::Beta, 2)),
            ],
            pulse: SynthPerp::start(seed, step, ids.perp_beta),
            trouble: ScheduledFault::default(),
        }
    }

    /// Takes the bar of the next hour.
    pub fn hour(&mut self, start: Stamp, bar: Bar) {
        if self.bar.close > 0.0 {
            self.realised.hour(self.bar.close);
        } else {
            self.now.perp = bar.open;
            self.now.index = bar.open / (1.0 + self.premium.1);
        }
        self.bar = bar;
        let spec = &ASSETS[self.asset.index()];
        let id = (self.seed, self.name, spec.beta * MARKET_VOL / usual(spec));
        let sigma = inside(id, start, self.step, &bar, self.ticks.steps, &mut self.prices);
        self.sigma = sigma.max(1e-7);
    }

    /// Takes the premium of the next settlement; gives what beta's perp settles at now, if it has traded.
    pub fn settlement(&mut self, next: f64) -> Option<(f64, f64)> {
        let (sum, count) = self.beta_premium;
        self.premium = (self.premium.1, next);
        self.beta_premium = (0.0, 0.0);
        let quote = self.now.quotes[3];
        (count > 0.0).then(|| (funding_rate(sum / count), f64::midpoint(quote.bid, quote.ask)))
    }

    /// Moves to step `k` of the hour, whose end `at` is `share` of the way between settlements.
    pub fn advance(&mut self, k: usize, at: Stamp, share: f64, weather: &FaultSchedule, faults: &mut Faults) {
        let (seed, name) = (self.seed, self.name);
        let key = |why, n| random::mix(key(seed, why, name, at), n);
        let before = self.now.perp;
        let perp = self.prices.get(k).copied().unwrap_or(self.bar.close);
        self.now.perp = perp;
        self.now.z = (perp / before - 1.0) / self.sigma;
        self.now.z_next = self.prices.get(k + 1).map_or(0.0, |next| (next / perp - 1.0) / self.sigma);
        // From the last premium to the next with exactly the next as its mean: ∫(1 − x)(1 − 3x) = 0.
        let (last, next) = self.premium;
        let premium = next + (last - next) * (1.0 - share) * (1.0 - 3.0 * share);
        self.now.premium = premium;
        self.now.index = perp / (1.0 + premium + self.premium_noise.step(key(DrawPurpose::Premium, 0)));
        self.now.spot_alpha = self.now.index * (1.0 + self.spot_noise.step(key(DrawPurpose::Alpha, 0)));
        let own = self.beta_own.step(key(DrawPurpose::BetaPremium, 0));
        self.beta_premium.0 += BETA_SHARE * premium + own;
        self.beta_premium.1 += 1.0;
        self.trouble = faults.trouble(self.name, at);
        let beta = (1.0 + weather.depeg) * (1.0 - self.trouble.crash);
        let own = BETA_SHARE * premium + own;
        let gaps =
            [self.gaps[0].step(key(DrawPurpose::Beta, 0)), self.gaps[1].step(key(DrawPurpose::Beta, 7))];
        let index = self.now.index;
        self.now.beta.0 = index * (1.0 + gaps[0]) * beta;
        self.now.beta.1 = index * (1.0 + 0.7 * gaps[0] + 0.7 * gaps[1]) * (1.0 + own) * beta;
        if self.pulse.is_on() {
            self.pulse.walk(Stamp(at.0 - self.step.0), self.now.beta.1, self.sigma);
        }
    }

    /// Wider where it moves more: a twentieth of a minute's standard deviation.
    fn wider(&self) -> f64 {
        0.05 * self.sigma * libm::sqrt(Span::seconds(60).in_units_of(self.step))
    }

    /// Half of the spread of beta's perp and the size at its best prices, in quote currency.
    fn beta_perp(&self) -> (f64, f64) {
        let half = PERP_HALF.1 + self.wider() + 0.2 * self.trouble.crash;
        (self.now.beta.1 * half, BETA_PERP_SIZE * self.size)
    }

    /// Pulses in a step.
    pub fn pulses(&self) -> usize {
        self.pulse.count()
    }

    /// End of pulse `k` of the step that begins at `start`.
    pub fn pulse_at(&self, start: Stamp, k: usize) -> Stamp {
        self.pulse.at(start, k)
    }

    /// What beta's perp says at pulse `k` (from 1) of the step that begins at `start`.
    pub fn pulse(&mut self, k: usize, start: Stamp, sink: &mut Sink<'_>, weather: &FaultSchedule) {
        if !self.pulse.is_on() {
            return;
        }
        sink.silent = weather.silent[BETA];
        let (half, size) = self.beta_perp();
        let volume = BETA_PERP_PART * self.bar.volume / Span::HOUR.in_units_of(Span::seconds(1));
        self.pulse.tell(k, start, &self.ticks, (half, size / self.now.perp, volume), sink);
    }

    /// Base units that a step of this hour trades on alpha's perp.
    pub fn usual_volume(&self) -> f64 {
        self.bar.volume * self.step.in_units_of(Span::HOUR)
    }

    /// Trades between the last step and this one, against what stood there.
    pub fn trades(&self, sink: &mut Sink<'_>, weather: &FaultSchedule) {
        let usual = self.usual_volume();
        let Ids { perp_alpha, spot_alpha, spot_beta, perp_beta } = self.ids;
        let share = buys(self.now.z);
        let all = [
            (perp_alpha, ALPHA, 1.0),
            (spot_alpha, ALPHA, 0.3),
            (spot_beta, BETA, 0.2),
            (perp_beta, BETA, BETA_PERP_PART),
        ];
        for (i, (id, venue, part)) in all.into_iter().enumerate() {
            let quote = self.now.quotes[i];
            let k = key(self.seed, DrawPurpose::Trade, u64::from(id.0), sink.at);
            sink.silent = weather.silent[venue];
            // Those of beta's perp came pulse by pulse.
            if quote.bid <= 0.0 || (i == 3 && self.pulse.is_on()) {
                continue;
            }
            let volume = usual * part * libm::exp(0.6 * random::normal(random::mix(k, 1)) - 0.18);
            let clamped = |price: f64| if i == 0 { price.clamp(self.bar.low, self.bar.high) } else { price };
            let sides: &[(bool, f64)] = if i == 0 {
                // Both sides took from the desk's perp.
                &[(true, share), (false, 1.0 - share)]
            } else {
                &[(random::uniform(random::mix(k, 2)) < share, 1.0)]
            };
            for &(buys, part) in sides {
                let price = clamped(if buys { quote.ask } else { quote.bid });
                let size = self.ticks.sized(volume * part);
                sink.push(MarketEvent::Trade { instrument: id, at: sink.at, price, size, buys });
            }
        }
    }

    /// Quotes and marks of this step.
    pub fn quotes(&mut self, sink: &mut Sink<'_>, weather: &FaultSchedule, faults: &mut Faults) {
        let at = sink.at;
        let trouble = self.trouble;
        let k = |why, n| random::mix(key(self.seed, why, self.name, at), n);
        let beta = (1.0 + weather.depeg) * (1.0 - trouble.crash);
        let AssetNow { perp, index, spot_alpha, z_next, beta: (spot_beta, perp_beta), .. } = self.now;
        let minute = self.wider();
        let wider = minute + 0.2 * trouble.crash;
        let size = self.size / perp;
        let z = z_next.clamp(-3.0, 3.0);
        let ids = self.ids;
        let all = [
            (ids.perp_alpha, ALPHA, perp, PERP_HALF.0, FORESIGHT.0, size),
            (ids.spot_alpha, ALPHA, spot_alpha, SPOT_HALF, FORESIGHT.1, 0.4 * size),
            (ids.spot_beta, BETA, spot_beta, SPOT_HALF, FORESIGHT.1, 0.3 * size),
            (ids.perp_beta, BETA, perp_beta, PERP_HALF.1, FORESIGHT.1, BETA_PERP_SIZE * size),
        ];
        for (i, (id, venue, mid, half, foresight, size)) in all.into_iter().enumerate() {
            let noise = random::normal(k(DrawPurpose::Imbalance, i as u64));
            let lean = 0.8 * libm::tanh(0.6 * (foresight * z + noise));
            let wide = if venue == BETA { wider } else { minute };
            sink.silent = weather.silent[venue];
            let bad = trouble.bad.filter(|(which, _)| *which == i as u64).map(|b| b.1);
            let half = mid * (half + wide);
            self.now.quotes[i] = match bad.filter(|_| !sink.silent) {
                None => sink.quote(id, &self.ticks, mid, half, size, lean),
                Some(bad) => {
                    faults.counts.bad_ticks += 1;
                    bad_tick(sink, id, &self.ticks, (mid, half, size), bad)
                }
            };
            if i == 3 {
                self.pulse.ends(mid, self.now.quotes[3]);
            }
            if id == ids.perp_alpha || id == ids.perp_beta {
                sink.mark(id, on_tick(mid, self.ticks.steps), index * if venue == BETA { beta } else { 1.0 });
            }
            if i == 0 && self.has_book && bad.is_none() {
                self.book(sink, k(DrawPurpose::Book, 0));
            }
        }
    }

    /// The book of alpha's perp, as a snapshot whose best prices are the quote's.
    fn book(&self, sink: &mut Sink<'_>, key: u64) {
        let StandingQuote { bid, ask, sizes } = self.now.quotes[0];
        let gap = (self.now.perp * 4e-5 * self.ticks.steps).max(1.0);
        for side in [true, false] {
            let (mut price, top) = if side { (bid, sizes.0) } else { (ask, sizes.1) };
            for n in 0..DEPTH {
                let k = random::mix(key, (2 * n + usize::from(side)) as u64);
                let size = if n == 0 {
                    top
                } else {
                    let away = libm::ceil(gap * (0.2 + 1.6 * random::uniform(k))) / self.ticks.steps;
                    price = on_tick(if side { price - away } else { price + away }, self.ticks.steps);
                    let usual = self.size / self.now.perp * (1.0 + 0.6 * n as f64);
                    self.ticks.sized(usual * libm::exp(0.5 * random::normal(k)))
                };
                sink.push(MarketEvent::Level {
                    instrument: self.ids.perp_alpha,
                    at: sink.at,
                    bid: side,
                    price,
                    size,
                    first: side && n == 0,
                    last: !side && n + 1 == DEPTH,
                });
            }
        }
    }
}

/// Probability of a taker that buys, from how far the price moved in standard deviations.
fn buys(z: f64) -> f64 {
    0.5 + 0.6 * (normal::cdf(z.clamp(-3.0, 3.0)) - 0.5)
}
