//! The emergence gauge: E, what the swarm is worth beyond its parts, measured while it runs. Two pairs,
//! each on the same days:
//!
//! - the hive's stances on a shadow desk, beside the strong baseline on another (`net-eq`: the same funded
//!   agents, deaf, equally weighted, netted, as patient, at the same risk target and costs);
//! - the sim lives beside the alone lives.
//!
//! # Invariants
//!
//! 1. It is a reading: nothing in the step looks at it, and no money moves by it.
//! 2. The hive's shadow has the managers' knobs, the baseline the configured ones; neither feels the
//!    operator's hand or the breaker, which are no part of the mechanism.
//! 3. Days count once both desks know their risk. A deaf hive with equal funds gains exactly nothing.

use super::real::quotes;
use super::respond::RespondSpec;
use super::speak::Speak;
use crate::agents::pace::{Pace, Width};
use crate::domain::{Instrument, InstrumentId, Stamp};
use crate::hive::emergence::{Gain, Paired};
use crate::hive::managers::Knobs;
use crate::market::Listing;
use crate::treasury::desk::Steer;
use crate::treasury::shadow::Shadow;
use serde::{Deserialize, Serialize};

/// The gauge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gauge {
    /// The stances of the hive, as the desk would trade them.
    pub hive: Shadow,
    /// The baseline.
    pub net_eq: Shadow,
    /// By instrument: Σ x of this barrier …
    pub(super) stances: Vec<f64>,
    /// … and Σ p/n over the n funded.
    pub(super) intents: Vec<f64>,
    /// Hive and baseline by day.
    desks: Paired,
    /// Sim and alone by day.
    lives: Paired,
    /// Equity of hive, baseline, sim and alone when the last day closed.
    opened: Option<[f64; 4]>,
}

impl Gauge {
    /// Nothing was measured.
    pub fn new(spec: &RespondSpec) -> Self {
        let rules = spec.real.desk.rules();
        let shadow = Shadow::new(rules, spec.settings.capital);
        let n = spec.kinds.len();
        Gauge {
            hive: shadow.clone(),
            net_eq: shadow,
            stances: vec![0.0; n],
            intents: vec![0.0; n],
            desks: Paired::default(),
            lives: Paired::default(),
            opened: None,
        }
    }

    /// What the hive gains over the baseline, once enough days were measured.
    pub fn over_net_eq(&self) -> Option<Gain> {
        self.desks.gain()
    }

    /// What the sim lives gain over the alone lives.
    pub fn over_alone(&self) -> Option<Gain> {
        self.lives.gain()
    }

    /// Sharpe ratios a year of hive and baseline so far.
    pub fn sharpes(&self) -> Option<(f64, f64)> {
        self.desks.sharpes()
    }

    /// Days measured.
    pub fn days(&self) -> u32 {
        self.desks.days()
    }

    pub(super) fn bar(&mut self, spec: &RespondSpec, id: InstrumentId, listing: &Listing) {
        let (rules, s) = (spec.real.desk.rules(), &spec.settings);
        let costs = &spec.costs[id.index()];
        self.hive.bar(rules, costs, id, listing, s.clock.decide);
        self.net_eq.bar(rules, costs, id, listing, s.clock.decide);
    }

    pub(super) fn funding(&mut self, spec: &RespondSpec, id: InstrumentId, mark: f64, rate: f64) {
        let costs = &spec.costs[id.index()];
        self.hive.funding(costs, id, mark, rate);
        self.net_eq.funding(costs, id, mark, rate);
    }

    pub(super) fn delist(&mut self, spec: &RespondSpec, instrument: &Instrument, last: f64) {
        let (rules, costs) = (spec.real.desk.rules(), spec.settings.costs.of(instrument));
        self.hive.delist(rules, costs, instrument.id, last);
        self.net_eq.delist(rules, costs, instrument.id, last);
    }

    /// Takes the sums of this barrier and decides for both desks.
    pub(super) fn decide(&mut self, spec: &RespondSpec, at: Stamp, speak: &Speak, knobs: &Knobs) {
        let (rules, s) = (spec.real.desk.rules(), &spec.settings);
        let listings = &speak.market.listings;
        let pace = Pace { patience: s.desk.patience, width: Width::Band(0.0), shorts: true };
        for (i, listing) in listings.iter().enumerate() {
            if listing.is_fresh(at) && listing.sigma.is_finite() {
                let id = InstrumentId(i as u16);
                self.hive.aim(id, self.stances[i], pace);
                self.net_eq.aim(id, self.intents[i], pace);
            }
        }
        let quotes = quotes(&spec.real, at, listings);
        let steer = |knobs: &Knobs| Steer {
            equity: 0.0,
            width: knobs.width,
            risk_scale: knobs.risk_scale,
            gross_scale: knobs.gross_scale,
            flatten: false,
        };
        self.hive.mark(listings);
        self.hive.decide(rules, &quotes, &steer(knobs));
        self.net_eq.mark(listings);
        self.net_eq.decide(rules, &quotes, &steer(&Knobs::HOME));
    }

    /// Closes a day.
    pub(super) fn close_day(&mut self, spec: &RespondSpec, sim: f64, alone: f64) {
        let now = [self.hive.equity, self.net_eq.equity, sim, alone];
        let sized = self.hive.is_sized() && self.net_eq.is_sized();
        let opened = self.opened.replace(now);
        let Some(opened) = opened.filter(|_| sized) else { return };
        let grown = |i: usize| if opened[i] > 0.0 { now[i] / opened[i] - 1.0 } else { 0.0 };
        self.desks.push(grown(0), grown(1));
        // The simulated lives do not reinvest.
        let capital = spec.settings.capital;
        self.lives.push((sim - opened[2]) / capital, (alone - opened[3]) / capital);
    }
}
