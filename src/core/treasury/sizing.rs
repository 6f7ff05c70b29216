//! How large the desk's aims are traded: scaled to the target volatility by what they earned and lost
//! themselves, and to the gross cap. One implementation for the real desk and its shadows.
//!
//! ```text
//! k = min(kmax, target volatility · risk scale / ewσ of the aims' own PnL)      known bars only
//! s = scale to the gross cap; spot instruments have one of their own
//! ```
//!
//! and how far a position may be from its target ([`crate::fills::pace`]): a band, or a zone whose cost is
//! fee, half-spread and 1½ times the impact of a typical change of the target at this equity.
//!
//! # Invariants
//!
//! 1. Until the volatility of the aims is known, k is 0.
//! 2. k·s·Σ|aim| is at most the gross cap.

use super::desk_inputs::{DeskQuote, RiskControls};
use super::settings::DeskSettings;
use crate::domain::{InstrumentKind, Span, Universe};
use crate::fills::pace::{Moves, Trades, Width, Zone};
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

/// What is remembered of the aims, to scale them and to say how far positions may stray.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sizing {
    /// By instrument: Σ aim as of the last decision, a fraction of equity.
    pub(super) aims: Vec<f64>,
    volatility: Weighted,
    /// By instrument: what its zone is made of; empty without zones.
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
    pub fn learn(&mut self, quotes: &[DeskQuote]) {
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
    pub fn follow(
        &mut self,
        rules: &SizeRules,
        quote: &DeskQuote,
        steer: &RiskControls,
        target: f64,
    ) -> (Width, f64) {
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
    pub fn scale(&mut self, rules: &SizeRules, steer: &RiskControls) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::instrument::Asset;
    use crate::domain::{AssetId, ContractTerms, Decimal, Instrument, InstrumentId, Stamp};
    use InstrumentKind::{Perp, Spot};

    const STEER: RiskControls =
        RiskControls { equity: 1e6, width: 1.0, risk_scale: 1.0, gross_scale: 1.0, flatten: false };
    /// Nothing of the past is forgotten, so that means are plain means.
    const LONG: DeskSettings = DeskSettings {
        patience: 1.0,
        trades: Trades::Band,
        band: 0.2,
        order_min: 0.001,
        target_vol: 0.15,
        vol_span_days: 1e12,
        risk_multiple_max: 1e9,
        gross_max: 1e9,
        gross_max_spot: 1e9,
    };

    fn rules(settings: DeskSettings, kinds: &[InstrumentKind]) -> SizeRules {
        let asset = |i: usize| AssetId(i as u16);
        let instrument = |(i, kind): (usize, &InstrumentKind)| Instrument {
            id: InstrumentId(i as u16),
            asset: asset(i),
            symbol: i.to_string(),
            kind: *kind,
            venue: String::new(),
            quote: None,
            terms: ContractTerms::Plain,
            tick: Decimal::ONE.into(),
            lot: Decimal::ONE,
            min_notional: Decimal::ZERO,
            contract: Decimal::ONE,
        };
        let universe = Universe {
            assets: (0..kinds.len())
                .map(|i| Asset { id: asset(i), name: i.to_string(), money_like: false, first: Stamp(0) })
                .collect(),
            instruments: kinds.iter().enumerate().map(instrument).collect(),
            by_volume: Vec::new(),
        };
        SizeRules::new(settings, &universe, &Costs::Flat(0.001).into(), Span::DAY)
    }

    fn quote(i: u16, change: f64) -> DeskQuote {
        DeskQuote { instrument: InstrumentId(i), close: 100.0, change, sigma: 0.02, volume: 1e6 }
    }

    /// After so many bars in which the aim of the first instrument, 1, earned or lost 1 %.
    fn lived(rules: &SizeRules, bars: u32) -> Sizing {
        let mut sizing = Sizing::new(rules);
        let mut aims = vec![0.0; rules.kinds.len()];
        aims[0] = 1.0;
        sizing.set(&aims);
        for bar in 0..bars {
            sizing.learn(&[quote(0, if bar % 2 == 0 { 0.01 } else { -0.01 })]);
        }
        sizing
    }

    #[test]
    fn it_is_target_over_realised_volatility_once_sixty_bars_are_known() {
        let rules = rules(LONG, &[Perp]);
        assert_eq!(lived(&rules, 59).scale(&rules, &STEER), 0.0);
        let k = lived(&rules, 60).scale(&rules, &STEER);
        let by_hand = 0.15 / (0.01 * 365.25_f64.sqrt());
        assert!((k / by_hand - 1.0).abs() < 1e-9, "{k} for {by_hand}");
    }

    #[test]
    fn bars_before_the_first_result_are_no_bars() {
        let rules = rules(LONG, &[Perp]);
        let mut sizing = Sizing::new(&rules);
        (0..500).for_each(|_| sizing.learn(&[quote(0, 0.5)]));
        assert_eq!(sizing.scale(&rules, &STEER), 0.0, "nothing was aimed at");
        sizing.set(&[1.0]);
        (0..60).for_each(|_| sizing.learn(&[quote(0, 0.01)]));
        let by_hand = 0.15 / (0.01 * 365.25_f64.sqrt());
        assert!((sizing.scale(&rules, &STEER) / by_hand - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_fuse_and_the_managers_scale_bound_it() {
        let fused = rules(DeskSettings { risk_multiple_max: 0.5, ..LONG }, &[Perp]);
        assert_eq!(lived(&fused, 60).scale(&fused, &STEER), 0.5);
        let rules = rules(LONG, &[Perp]);
        let at = |risk_scale| lived(&rules, 60).scale(&rules, &RiskControls { risk_scale, ..STEER });
        assert!((at(0.5) - 0.5 * at(1.0)).abs() < 1e-12);
    }

    #[test]
    fn a_tripped_breaker_sizes_everything_to_nothing() {
        let rules = rules(LONG, &[Perp]);
        let mut sizing = lived(&rules, 100);
        assert_eq!(sizing.scale(&rules, &RiskControls { flatten: true, ..STEER }), 0.0);
        assert_eq!(sizing.risk_multiple, 0.0);
        assert!(sizing.scale(&rules, &STEER) > 0.0, "and nothing is forgotten by it");
    }

    #[test]
    fn gross_exposure_is_cut_to_the_cap_both_sides_counted() {
        let rules = rules(DeskSettings { risk_multiple_max: 1.0, gross_max: 2.0, ..LONG }, &[Perp, Perp]);
        let mut sizing = lived(&rules, 60);
        let mut gross = |aims: &[f64], gross_scale| {
            sizing.set(aims);
            let k = sizing.scale(&rules, &RiskControls { gross_scale, ..STEER });
            k * aims.iter().map(|a| a.abs()).sum::<f64>()
        };
        // Realised volatility of a year is 19 %, so k is below its fuse of 1.
        let k = 0.15 / (0.01 * 365.25_f64.sqrt());
        assert!((gross(&[1.0, -0.5], 1.0) - 1.5 * k).abs() < 1e-9, "under the cap");
        assert!((gross(&[4.0, -5.0], 1.0) - 2.0).abs() < 1e-12);
        assert!((gross(&[4.0, -5.0], 0.5) - 1.0).abs() < 1e-12, "as tight as the manager says");
    }

    #[test]
    fn spot_has_a_cap_of_its_own_and_counts_only_what_is_long() {
        let settings = DeskSettings { risk_multiple_max: 0.5, gross_max_spot: 1.0, ..LONG };
        let rules = rules(settings, &[Perp, Spot]);
        let mut sizing = lived(&rules, 60);
        let mut at = |aims: [f64; 2]| {
            sizing.set(&aims);
            sizing.scale(&rules, &STEER)
        };
        assert_eq!(at([9.0, 2.0]), 0.5, "the perp is not in it");
        assert_eq!(at([0.0, 4.0]), 0.25, "2 of spot at k, of which 1 is allowed");
        assert_eq!(at([0.0, -4.0]), 0.5, "a short of spot is nothing");
    }

    #[test]
    fn a_band_is_as_wide_as_the_manager_says_and_never_wider_than_all() {
        let rules = rules(LONG, &[Perp]);
        let mut sizing = Sizing::new(&rules);
        let mut at = |width| sizing.follow(&rules, &quote(0, 0.0), &RiskControls { width, ..STEER }, 0.3);
        assert_eq!(at(1.0), (Width::Band(0.2), 0.0));
        assert_eq!(at(2.0), (Width::Band(0.4), 0.0));
        assert_eq!(at(9.0), (Width::Band(1.0), 0.0));
    }

    #[test]
    fn a_zone_is_the_closed_form_of_cost_movement_and_volatility() {
        let rules = rules(DeskSettings { trades: Trades::Zone, ..LONG }, &[Perp, Perp]);
        let mut sizing = Sizing::new(&rules);
        sizing.learn(&[quote(0, 0.0), quote(1, 0.0)]);
        let (width, least) =
            sizing.follow(&rules, &quote(0, 0.0), &RiskControls { width: 2.0, ..STEER }, 0.3);
        // c = 10 bp flat, s² = 0.3², γ = 1/0.15, σ = 0.02, m = 1.5 of two assets.
        let by_hand = f64::cbrt(1.5 * 0.001 * 0.09 / (0.02 * 0.02 / 0.15 * 1.5));
        let Width::Zone(width) = width else { panic!("{width:?}") };
        assert!((width - 2.0 * by_hand).abs() < 1e-9, "{width} for {by_hand}");
        assert_eq!(least, 0.001);
    }

    #[test]
    fn a_sizing_that_was_kept_goes_on_as_if_it_had_not_been() {
        let rules = rules(DeskSettings { trades: Trades::Zone, ..LONG }, &[Perp, Perp]);
        let mut one = lived(&rules, 80);
        let kept = postcard::to_stdvec(&one).unwrap();
        let mut other: Sizing = postcard::from_bytes(&kept).unwrap();
        let on = |sizing: &mut Sizing| {
            sizing.set(&[0.5, -0.25]);
            sizing.learn(&[quote(0, 0.03), quote(1, -0.01)]);
            (sizing.scale(&rules, &STEER), sizing.follow(&rules, &quote(1, 0.0), &STEER, 0.1))
        };
        assert_eq!(on(&mut one), on(&mut other));
        assert_eq!(one, other);
    }

    #[test]
    fn before_a_target_moved_its_zone_has_no_width() {
        let rules = rules(DeskSettings { trades: Trades::Zone, ..LONG }, &[Perp]);
        let mut sizing = Sizing::new(&rules);
        sizing.learn(&[quote(0, 0.0)]);
        assert_eq!(sizing.follow(&rules, &quote(0, 0.0), &STEER, 0.0).0, Width::Zone(0.0));
    }
}
