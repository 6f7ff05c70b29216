//! Dated futures, the option chain and MOVE contracts: what they are worth and how they are quoted.
//!
//! Volatility is forecast from realised volatility of the path known so far (a fast mean that reverts to a
//! slow one) times a risk premium that varies and is positive on average. Total variance rises with time,
//! so the surface ([`Surface`], SSVI) has no arbitrage in time and none in strikes.
//!
//! # Invariants
//!
//! 1. All contracts of an asset and expiry share one forward: index · (1 + basis · years), so put–call
//!    parity holds at the model's values, and a future converges to its index.
//! 2. Bids are rounded down to the tick and offers up. What is not worth a tick has no quote.

use super::intrabar::{DrawPurpose, key, memory};
use super::listing::{Contract, ExpiryKind};
use super::path::Ar;
use super::realised::RealisedVariance;
use super::sink::Sink;
use super::venues::DetailedAsset;
use crate::domain::{InstrumentId, MarketEvent, Span, Stamp, random};
use crate::market::pricing::future;
use crate::market::pricing::move_contract::MoveContract;
use crate::market::pricing::option::{OptionTerms, Right, black};
use crate::market::pricing::surface::{Smile, Surface};
use crate::market::pricing::twap::Twap;
use serde::{Deserialize, Serialize};

/// Annualised basis of futures: mean, standard deviation, memory.
const BASIS: (f64, f64, Span) = (0.06, 0.05, Span(10 * Span::DAY.0));
/// Log of implied over forecast volatility: mean, standard deviation, memory.
const RISK: (f64, f64, Span) = (0.07, 0.10, Span(6 * Span::DAY.0));
/// Tilt of the smile: mean, standard deviation, memory.
const TILT: (f64, f64, Span) = (-0.12, 0.12, Span(5 * Span::DAY.0));
/// Log of a MOVE's volatility over the surface's: standard deviation, memory.
const MISPRICING: (f64, Span) = (0.07, Span(10 * Span::HOUR.0));
/// Half of the spread of options, in volatility; and of MOVE contracts, as a share of their value.
const OPTION_HALF: f64 = 0.008;
const MOVE_HALF: f64 = 0.015;
/// Half of the spread of futures, as a fraction.
const FUTURE_HALF: f64 = 1.5e-4;
/// Averaged before an option is exercised.
const EXERCISE: Span = Span(Span::HOUR.0 / 2);
/// The pillars of the surface, in days, and the horizon of the index of implied volatility.
const PILLARS: [f64; 7] = [1.0, 3.0, 7.0, 14.0, 30.0, 60.0, 120.0];
const INDEX_YEARS: f64 = 30.0 / 365.25;

/// Contracts of one asset that trade.
#[derive(Serialize, Deserialize)]
pub(super) struct OptionListing {
    name: u64,
    basis: Ar,
    risk: Ar,
    tilt: Ar,
    mispricing: Ar,
    /// The basis now.
    pub carry: f64,
    futures: Vec<(InstrumentId, Stamp)>,
    /// By expiry and strike: call and put.
    options: Vec<(Stamp, f64, InstrumentId, InstrumentId)>,
    moves: Vec<(InstrumentId, MoveContract)>,
    /// Of the next exercise.
    exercise: Twap,
    has_options: bool,
}

impl OptionListing {
    pub fn start(seed: u64, name: u64, step: Span, at: Stamp, has_options: bool) -> OptionListing {
        let k = |why| random::mix(key(seed, why, name, at), 1);
        OptionListing {
            name,
            basis: memory(BASIS.2, step, BASIS.1, k(DrawPurpose::Basis)),
            risk: memory(RISK.2, step, RISK.1, k(DrawPurpose::Risk)),
            tilt: memory(TILT.2, step, TILT.1, k(DrawPurpose::Tilt)),
            mispricing: memory(MISPRICING.1, step, MISPRICING.0, k(DrawPurpose::Mispricing)),
            carry: BASIS.0,
            futures: Vec::new(),
            options: Vec::new(),
            moves: Vec::new(),
            exercise: Twap::before(at.after(Span(8 * Span::HOUR.0)), EXERCISE),
            has_options,
        }
    }

    /// Takes up what is listed now. Options come in pairs, the call first.
    pub fn list(&mut self, contracts: &[Contract], at: Stamp) {
        self.exercise = Twap::before(at.after(Span(8 * Span::HOUR.0)), EXERCISE);
        for (i, c) in contracts.iter().enumerate() {
            match c.what {
                ExpiryKind::Future => self.futures.push((c.id, c.expiry)),
                ExpiryKind::Move => {
                    if let Ok(contract) = MoveContract::daily(Stamp(c.expiry.0 - 1)) {
                        self.moves.push((c.id, contract));
                    }
                }
                ExpiryKind::Option { strike, call: true } => {
                    if let Some(put) = contracts.get(i + 1) {
                        self.options.push((c.expiry, strike, c.id, put.id));
                    }
                }
                ExpiryKind::Option { .. } => {}
            }
        }
        self.options.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    }

    /// The index from `at` on, for the means that contracts settle at.
    pub fn observe(&mut self, at: Stamp, index: f64) {
        // Neither is ever refused: stamps rise and the index is positive.
        let _ = self.exercise.observe(at, index);
        for (_, contract) in &mut self.moves {
            let _ = contract.observe(at, index);
        }
    }

    /// Quotes everything at `at`, then settles what ends.
    pub fn step(&mut self, seed: u64, at: Stamp, line: &DetailedAsset, sink: &mut Sink<'_>) {
        let k = |why| key(seed, why, self.name, at);
        let index = line.now.index;
        self.carry = BASIS.0 + self.basis.step(k(DrawPurpose::Basis));
        let risk = RISK.0 + self.risk.step(k(DrawPurpose::Risk));
        let tilt = (TILT.0 + self.tilt.step(k(DrawPurpose::Tilt))).clamp(-0.6, 0.6);
        let mispricing = libm::exp(self.mispricing.step(k(DrawPurpose::Mispricing)));
        let size = line.size / line.now.perp;
        for &(id, expiry) in &self.futures {
            let forward = self.forward(index, at, expiry);
            sink.mark(id, forward, index);
            if expiry > at {
                sink.quote(id, &line.ticks, forward, forward * FUTURE_HALF, size * 0.3, 0.0);
            }
        }
        let surface = surface(&line.realised, risk, tilt).filter(|_| self.has_options);
        if let Some(surface) = surface {
            let sigma = libm::sqrt(surface.theta(INDEX_YEARS) / INDEX_YEARS);
            sink.push(MarketEvent::VolIndex { asset: line.asset, at, sigma });
            self.chain(&surface, at, line, sink);
            self.moves(&surface, mispricing, at, line, sink);
        }
        self.settle(at, index, sink);
    }

    fn forward(&self, index: f64, at: Stamp, expiry: Stamp) -> f64 {
        // Only a basis below −100 % of what is left could be refused.
        future::fair_value(index, self.carry, future::years_to_expiry(at, expiry)).unwrap_or(index)
    }

    fn chain(&self, surface: &Surface, at: Stamp, line: &DetailedAsset, sink: &mut Sink<'_>) {
        let size = 0.02 * line.size / line.now.perp;
        for &(expiry, strike, call, put) in &self.options {
            if expiry <= at {
                continue;
            }
            let years = expiry.since(at).in_units_of(Span::YEAR);
            let forward = self.forward(line.now.index, at, expiry);
            let Ok(sigma) = surface.vol(forward, strike, years) else { continue };
            let Ok(value) = black(forward, 1.0, OptionTerms { right: Right::Call, strike, years }, sigma)
            else {
                continue;
            };
            let half = value.vega_per_point * 100.0 * OPTION_HALF + 2e-5 * forward;
            for (id, fair) in [(call, value.value), (put, value.value - (forward - strike))] {
                sink.quote_if(id, &line.ticks, fair, half, size);
                sink.push(MarketEvent::Implied { instrument: id, at, sigma, forward });
            }
        }
    }

    fn moves(
        &self,
        surface: &Surface,
        mispricing: f64,
        at: Stamp,
        line: &DetailedAsset,
        sink: &mut Sink<'_>,
    ) {
        for (id, contract) in &self.moves {
            let years = contract.expires().since(at).in_units_of(Span::YEAR);
            if years <= 0.0 {
                continue;
            }
            let sigma = mispricing * libm::sqrt(surface.theta(years) / years);
            let Ok(quote) = contract.quote(at, line.now.index, sigma) else { continue };
            let half = MOVE_HALF * quote.value;
            sink.quote_if(*id, &line.ticks, quote.value, half, 0.05 * line.size / line.now.perp);
            sink.mark(*id, quote.value.max(line.ticks.one()), line.now.index);
        }
    }

    fn settle(&mut self, at: Stamp, index: f64, sink: &mut Sink<'_>) {
        let mean = self.exercise.mean(at).unwrap_or(index);
        self.futures.retain(|&(id, expiry)| {
            if expiry <= at {
                sink.settled(id, index);
            }
            expiry > at
        });
        self.options.retain(|&(expiry, _, call, put)| {
            if expiry <= at {
                sink.settled(call, mean);
                sink.settled(put, mean);
            }
            expiry > at
        });
        self.moves.retain(|(id, contract)| {
            if let Some(pays) = contract.payoff(at) {
                sink.settled(*id, pays);
            }
            contract.expires() > at
        });
    }
}

/// The surface of now.
fn surface(realised: &RealisedVariance, risk: f64, tilt: f64) -> Option<Surface> {
    let smile = Smile::new(tilt, 1.0, 0.5).ok()?;
    let pillars = PILLARS.map(|days| {
        let years = days / 365.25;
        (years, libm::exp(risk) * libm::sqrt(realised.expected(years) / years))
    });
    Surface::new(smile, &pillars).ok()
}
