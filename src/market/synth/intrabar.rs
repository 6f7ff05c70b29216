//! Prices inside an hour of the path, and the noises that the detail is made of.
//!
//! # Invariants
//!
//! 1. The prices of an hour stay within its bar's low and high, lie on the tick, and the last is its close.
//! 2. Every random number is a function of (seed, what for, name, stamp).

use super::path::Ar;
use crate::domain::{Bar, Span, Stamp, random};
use serde::{Deserialize, Serialize};

/// What a random number of the detail is for. Starts above the numbers of the path.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(super) enum DrawPurpose {
    Inside = 101,
    Premium,
    Alpha,
    Beta,
    BetaPremium,
    Triangle,
    Size,
    Imbalance,
    Trade,
    Book,
    Basis,
    Risk,
    Tilt,
    Mispricing,
    Flow,
    Gas,
    Range,
    Outage,
    BadTick,
    Depeg,
    Crash,
    Pulse,
    Print,
    Absent,
}

/// A key of the detail.
pub(super) fn key(seed: u64, why: DrawPurpose, name: u64, at: Stamp) -> u64 {
    random::key(seed, &[why as u64, name, at.0 as u64])
}

/// An AR(1) whose memory is a time, for steps of some length.
pub(super) fn memory(span: Span, step: Span, scale: f64, key: u64) -> Ar {
    Ar::start((span.in_units_of(step), scale), key)
}

/// A price that comes back: small moves around zero, and now and then a larger one that dies away.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RevertingGap {
    calm: Ar,
    shot: f64,
    keep: f64,
    chance: f64,
    size: f64,
}

/// How a [`Gap`] behaves: memory and standard deviation of the calm part; shots per day, their standard
/// deviation and memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct GapSpec {
    pub memory: Span,
    pub spread: f64,
    pub shots_per_day: f64,
    pub shot: f64,
    pub fades: Span,
}

impl RevertingGap {
    pub fn start(spec: GapSpec, step: Span, key: u64) -> RevertingGap {
        RevertingGap {
            calm: memory(spec.memory, step, spec.spread, key),
            shot: 0.0,
            keep: libm::exp(-step.in_units_of(spec.fades)),
            chance: spec.shots_per_day * step.in_units_of(Span::DAY),
            size: spec.shot,
        }
    }

    pub fn step(&mut self, key: u64) -> f64 {
        self.shot *= self.keep;
        if random::uniform(random::mix(key, 11)) < self.chance {
            self.shot += self.size * random::normal(random::mix(key, 12));
        }
        self.calm.step(key) + self.shot
    }
}

/// A price on the tick; `steps` is ticks per unit.
pub(super) fn on_tick(price: f64, steps: f64) -> f64 {
    libm::rint(price * steps).max(1.0) / steps
}

/// The prices at the ends of an hour's steps, and the standard deviation of a step's return.
///
/// A Brownian bridge from open to close, reflected at low and high. Its variance is that of the bar by
/// Rogers and Satchell (1991): E[(h − o)(h − c) + (o − l)(c − l)], with the bar's own extremes. `shared` is the
/// correlation of its moves with those of the market, so that assets move together within hours too.
pub(super) fn inside(
    (seed, name, shared): (u64, u64, f64),
    start: Stamp,
    step: Span,
    bar: &Bar,
    steps: f64,
    prices: &mut Vec<f64>,
) -> f64 {
    let n = (Span::HOUR.0 / step.0) as usize;
    let Bar { open, high, low, close, .. } = *bar;
    let variance = (high - open) * (high - close) + (open - low) * (close - low);
    let sigma = libm::sqrt(variance.max(0.0) / n as f64);
    prices.clear();
    let mut bridge = 0.0;
    for k in 1..=n {
        let left = (n - k) as f64;
        let at = start.after(Span(k as i64 * step.0));
        let of = |name: u64| random::normal(key(seed, DrawPurpose::Inside, name, at));
        let z = shared * of(0) + libm::sqrt(1.0 - shared * shared) * of(name);
        bridge = bridge * left / (left + 1.0) + sigma * libm::sqrt(left / (left + 1.0)) * z;
        let mut x = open + (close - open) * k as f64 / n as f64 + bridge;
        if x > high {
            x = high - (x - high);
        }
        if x < low {
            x = low + (low - x);
        }
        prices.push(on_tick(x, steps).clamp(low, high));
    }
    if let Some(last) = prices.last_mut() {
        *last = close;
    }
    sigma / open
}
