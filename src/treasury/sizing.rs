//! How large the desk's aims are traded: scaled to the target volatility by what they earned and lost
//! themselves, and to the gross cap. One implementation for the real desk and its shadows.
//!
//! ```text
//! k = min(kmax, target volatility · risk scale / ewσ of the aims' own PnL)      known bars only
//! s = scale to the gross cap; spot instruments have one of their own
//! ```
//!
//! and how far a position may be from its target ([`crate::agents::pace`]): a band, or a zone whose cost is
//! fee, half-spread and 1½ times the impact of a typical change of the target at this equity.
//!
//! # Invariants
//!
//! 1. Until the volatility of the aims is known, k is 0.
//! 2. k·s·Σ|aim| is at most the gross cap.

use super::desk::{Quote, Steer};
use super::settings::DeskSettings;
use crate::agents::pace::{Moves, Trades, Width, Zone};
use crate::domain::{InstrumentKind, Span, Universe};
use crate::fills::{self, Costs, Tariff};
use crate::market::indicators::Weighted;
use serde::{Deserialize, Serialize};

/// Bars of the aims' PnL that must be known before they are scaled.
pub(super) const KNOWN_BARS: u32 = 60;

/// What does not change during a run.
#[derive(Clone, Debug)]
pub struct SizeRules {
    pub(super) settings: DeskSettings,
    pub(super) kinds: Vec<InstrumentKind>,
    pub(super) costs: Vec<Costs>,
    pub(super) bars_per_year: f64,
}

impl SizeRules {
    /// For a universe, what trading costs on it, and a decision clock.
    pub fn new(settings: DeskSettings, universe: &Universe, costs: &Tariff, clock: Span) -> Self {
        let kinds = universe.desk().iter().map(|i| i.kind).collect();
        let costs = universe.desk().iter().map(|i| *costs.of(i)).collect();
        SizeRules { settings, kinds, costs, bars_per_year: clock.per_year() }
    }

    /// Bars in the memory of volatility, movement and volume.
    fn span_bars(&self) -> f64 {
        self.settings.vol_span_days * self.bars_per_year / 365.25
    }
}

/// The state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sizing {
    /// By instrument: Σ aim as of the last decision, a fraction of equity.
    pub(super) aims: Vec<f64>,
    volatility: Weighted,
    /// By instrument; nothing without a zone.
    zones: Vec<Around>,
    /// Instruments that had a price at the last decision.
    live: usize,
    /// k as of the last decision.
    pub risk_multiple: f64,
    /// s as of the last decision.
    pub gross_scale: f64,
}

/// What the zone around an instrument's target is known by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Around {
    moves: Moves,
    /// Base units traded in a bar.
    volume: Weighted,
}

impl Sizing {
    /// Nothing was aimed at yet.
    pub fn new(rules: &SizeRules) -> Self {
        let (n, s) = (rules.kinds.len(), &rules.settings);
        Sizing {
            aims: vec![0.0; rules.kinds.len()],
            volatility: Weighted::new(rules.span_bars()),
            zones: match s.trades {
                Trades::Band => Vec::new(),
                Trades::Zone => {
                    let span = rules.span_bars();
                    vec![Around { moves: Moves::new(span), volume: Weighted::new(span) }; n]
                }
            },
            live: 0,
            risk_multiple: 0.0,
            gross_scale: 1.0,
        }
    }

    /// Aims by instrument, before they are scaled.
    pub fn set(&mut self, aims: &[f64]) {
        self.aims.copy_from_slice(aims);
    }

    /// What the last aims earned in this bar counts, before they are replaced.
    pub fn learn(&mut self, quotes: &[Quote]) {
        let pnl: f64 = quotes.iter().map(|q| self.aims[q.instrument.index()] * q.change).sum();
        if self.volatility.seen() > 0 || pnl != 0.0 {
            self.volatility.push(pnl * pnl);
        }
        self.live = quotes.iter().filter(|q| q.sigma.is_finite()).count();
        if !self.zones.is_empty() {
            for quote in quotes {
                self.zones[quote.instrument.index()].volume.push(quote.volume);
            }
        }
    }

    /// How far a position may be from `target` (a fraction of equity), and the smallest order, as a fraction of
    /// equity too.
    pub fn follow(&mut self, rules: &SizeRules, quote: &Quote, steer: &Steer, target: f64) -> (Width, f64) {
        let (i, s) = (quote.instrument.index(), &rules.settings);
        let Some(around) = self.zones.get_mut(i) else {
            return (Width::Band((s.band * steer.width).min(1.0)), 0.0);
        };
        around.moves.push(target);
        let costs = &rules.costs[i];
        let typical = libm::sqrt(around.moves.mean_square()) * steer.equity / quote.close;
        let impact = fills::impact_rate(costs, quote.sigma, typical, around.volume.mean());
        let zone = Zone {
            cost: fills::side_rate(costs, rules.kinds[i]) + 1.5 * impact,
            gamma: 1.0 / s.target_vol,
            sigma: quote.sigma,
            live: self.live,
        };
        (Width::Zone(steer.width * zone.width(&around.moves)), s.order_min)
    }

    /// k·s for the aims as they are now.
    pub fn scale(&mut self, rules: &SizeRules, steer: &Steer) -> f64 {
        let s = &rules.settings;
        let yearly = libm::sqrt(self.volatility.mean() * rules.bars_per_year);
        let known = self.volatility.seen() >= KNOWN_BARS && yearly > 0.0;
        self.risk_multiple = if known && !steer.flatten {
            (s.target_vol * steer.risk_scale / yearly).min(s.risk_multiple_max)
        } else {
            0.0
        };
        self.gross_scale = self.to_cap(rules, steer.gross_scale);
        self.risk_multiple * self.gross_scale
    }

    fn to_cap(&self, rules: &SizeRules, tighter: f64) -> f64 {
        let (mut all, mut spot) = (0.0, 0.0);
        for (aim, kind) in self.aims.iter().zip(&rules.kinds) {
            let size = self.risk_multiple
                * if *kind == InstrumentKind::Spot { aim.max(0.0) } else { libm::fabs(*aim) };
            all += size;
            spot += if *kind == InstrumentKind::Spot { size } else { 0.0 };
        }
        let under = |gross: f64, cap: f64| if gross > cap * tighter { cap * tighter / gross } else { 1.0 };
        under(all, rules.settings.gross_max).min(under(spot, rules.settings.gross_max_spot))
    }
}
