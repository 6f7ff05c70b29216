//! The floor: one price feed, one set of words, and all accounts of a seed in lock-step over them.
//!
//! # Invariants
//!
//! 1. The order of a bar is the engine's: fills, delistings, marks, what was said, aims, decisions.
//! 2. Positions are those that were *announced* ([`Announced`]); no book of a speaker is read.
//! 3. Risk is scaled by the desk's own code ([`Sizing`]) on the aim of the whole, and the same k·s holds for
//!    every group of every account: who nets with whom changes nothing but what is traded.
//! 4. An aim moves only where the asset has a price and a volatility now.
//! 5. Impact of a bar's fills is by what was known before that bar.

use super::layer::{Layer, ZoneInputs};
use super::purse::{AccountKind, AccountOutcome, Purse};
use super::{WARM_DAYS, groups};
use crate::agents::Population;
use crate::domain::{
    Announced, Event, InstrumentId, InstrumentKind, MarketEvent, MessageKind, Span, Stamp, Universe,
};
use crate::engine::Settings;
use crate::engine::speak::{Speak, StepOutput};
use crate::fills::{self, Costs};
use crate::market::InstrumentState;
use crate::market::indicators::Weighted;
use crate::treasury::desk::{DeskQuote, RiskControls};
use crate::treasury::sizing::{SizeRules, Sizing};

/// How risk is scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// To the target volatility, as the desk does it.
    Target,
    /// Not at all: aims as they are, of the capital at the start. For tests of what netting is.
    Fixed,
}

/// All accounts of one seed in lock-step; see the module.
pub struct Floor {
    settings: Settings,
    rules: SizeRules,
    sizing: Sizing,
    risk: Risk,
    weight: f64,
    announced: Vec<Announced>,
    /// By slot: whether its agent is a member.
    member: Vec<bool>,
    /// One a partition; the first is of everybody in one group.
    layers: Vec<Layer>,
    purses: Vec<Purse>,
    assets: Vec<AssetFacts>,
    closes: Vec<f64>,
    changes: Vec<f64>,
    live: Vec<bool>,
    aims: Vec<f64>,
    quotes: Vec<DeskQuote>,
    days: Vec<i64>,
    wanted: f64,
    bars: f64,
}

/// What is known of an asset beside its listing.
struct AssetFacts {
    kind: InstrumentKind,
    costs: Costs,
    /// A side, as a fraction: the flat charge, or taker fee and half-spread.
    charge: f64,
    /// EW mean of the notional of a bar.
    notional: Weighted,
    /// What zones are made of, as of the last barrier.
    price: ZoneInputs,
}

/// What is left behind by a seed.
#[derive(Clone, Debug, PartialEq)]
pub struct SeedOutcome {
    /// Days since 1970 of the tracks.
    pub days: Vec<i64>,
    /// Orders per year after the warm-up that the agents gave, each for itself.
    pub wanted: f64,
    /// What became of each account, by cell.
    pub outcomes: Vec<AccountOutcome>,
}

impl Floor {
    /// For the members of a cast, an account a cell.
    pub fn new(
        cast: &Population,
        universe: &Universe,
        settings: &Settings,
        cells: &[AccountKind],
        risk: Risk,
    ) -> Self {
        let (members, n) = (groups::members(cast), cast.by_asset.len());
        let names: Vec<&str> = members.iter().map(|m| cast.agents[*m].name.as_str()).collect();
        let span = bars_of(settings.desk.vol_span_days, settings.clock.decide);
        let mut counts = vec![1];
        for cell in cells {
            if !counts.contains(&cell.groups) {
                counts.push(cell.groups);
            }
        }
        let partitions = groups::partitions(&names, cast.seed, &counts);
        let layers: Vec<Layer> = partitions.iter().map(|g| Layer::new(cast, &members, g, span)).collect();
        let purse = |cell: &AccountKind| {
            let layer = counts.iter().position(|c| *c == cell.groups).unwrap_or(0);
            Purse::new(*cell, layer, (layers[layer].len(), n), settings.clock.decide)
        };
        let purses = cells.iter().map(purse).collect();
        let rules = SizeRules::new(settings.desk, universe, &settings.costs, settings.clock.decide);
        Floor {
            sizing: Sizing::new(&rules),
            rules,
            risk,
            weight: 1.0 / members.len().max(1) as f64,
            announced: vec![Announced::default(); cast.slots.len()],
            member: cast.slots.iter().map(|s| cast.agents[s.agent.index()].funded).collect(),
            layers,
            purses,
            assets: universe
                .desk()
                .iter()
                .map(|i| AssetFacts::new(i.kind, *settings.costs.of(i), span))
                .collect(),
            closes: vec![f64::NAN; n],
            changes: vec![0.0; n],
            live: vec![false; n],
            aims: vec![0.0; n],
            quotes: Vec::with_capacity(n),
            days: Vec::new(),
            wanted: 0.0,
            bars: 0.0,
            settings: settings.clone(),
        }
    }

    /// Equity of an account as of the last barrier; 1 at the start.
    pub fn equity(&self, cell: usize) -> f64 {
        self.purses[cell].equity()
    }

    /// A market event that counted.
    pub fn market(&mut self, event: &Event, speak: &Speak) {
        let Event::Market(event) = event else { return };
        let Some(i) = event.instrument().map(InstrumentId::index).filter(|i| *i < self.assets.len()) else {
            return;
        };
        let (asset, counts) = (&self.assets[i], warm(&self.days));
        match *event {
            MarketEvent::Bar { .. } => {
                let open = speak.market.instruments[i].last().open;
                let borrow = fills::borrow_fraction(&asset.costs, asset.kind, self.settings.clock.decide);
                for purse in &mut self.purses {
                    let layer = &self.layers[purse.layer];
                    purse.fill(layer, i, open, &asset.price, counts);
                    if borrow > 0.0 {
                        purse.borrow(layer, i, open, borrow);
                    }
                }
            }
            MarketEvent::Funding { rate, mark, .. } => {
                let each = fills::funding_cost(&asset.costs, 1.0, mark, rate);
                if each != 0.0 {
                    self.purses.iter_mut().for_each(|p| p.pay(i, each));
                }
            }
            _ => {}
        }
    }

    /// A barrier of the market.
    pub fn barrier(&mut self, at: Stamp, speak: &Speak, said: &StepOutput) {
        let desk = speak.market.desk();
        let day = Stamp(at.0 - 1).day();
        if self.days.last() != Some(&day) {
            self.days.push(day);
        }
        let counts = warm(&self.days);
        self.settle(at, desk, counts);
        for purse in &mut self.purses {
            purse.mark(at, &self.closes, counts);
        }
        self.bars += f64::from(u8::from(counts));
        self.hear(said, counts);
        self.size(at, desk);
        for quote in &self.quotes {
            let i = quote.instrument.index();
            let price = &self.assets[i].price;
            for purse in &mut self.purses {
                let equity = if self.risk == Risk::Fixed { 1.0 } else { purse.equity().max(0.0) };
                purse.decide(&self.layers[purse.layer], i, quote.close, price, equity);
            }
        }
    }

    /// What is gone is closed; closes, volumes and costs of the bar are taken down.
    fn settle(&mut self, at: Stamp, desk: &[InstrumentState], counts: bool) {
        let bars_per_day = Span::DAY.in_units_of(self.settings.clock.decide);
        for (i, (asset, listing)) in self.assets.iter_mut().zip(desk).enumerate() {
            let (fresh, bar) = (listing.is_fresh(at), listing.last());
            self.closes[i] = bar.close;
            self.changes[i] = if fresh { listing.change } else { 0.0 };
            self.live[i] = listing.trading && listing.sigma.is_finite();
            if listing.delisted_at == Some(at) {
                for purse in &mut self.purses {
                    purse.delist(&self.layers[purse.layer], i, bar.close, &asset.price, counts);
                }
                // What comes back under its name is another listing.
                asset.notional =
                    Weighted::new(bars_of(self.settings.desk.vol_span_days, self.settings.clock.decide));
            } else if fresh {
                let notional = bar.volume * bar.close;
                if notional.is_finite() {
                    asset.notional.push(notional);
                }
                asset.price = asset.priced(listing.sigma, bars_per_day);
            }
        }
    }

    /// Words become quantities.
    fn hear(&mut self, said: &StepOutput, counts: bool) {
        let mut last = None;
        for utterance in &said.utterances {
            let (slot, MessageKind::Action(action)) = (utterance.voice, &utterance.body) else { continue };
            if !self.member[slot] {
                continue;
            }
            self.announced[slot].say(action.after, action.price);
            self.layers.iter_mut().for_each(|l| l.hear(slot, &self.announced));
            // What an agent does to a position at one close is one order.
            if counts && last != Some(slot) {
                self.wanted += 1.0;
            }
            last = Some(slot);
        }
    }

    /// k and s of the whole, then the targets of all groups.
    fn size(&mut self, at: Stamp, desk: &[InstrumentState]) {
        let quote = |(i, l): (usize, &InstrumentState)| {
            let instrument = InstrumentId(i as u16);
            l.is_fresh(at).then_some(DeskQuote {
                instrument,
                close: l.last().close,
                change: l.change,
                sigma: l.sigma,
                volume: l.last().volume,
            })
        };
        self.quotes.clear();
        self.quotes.extend(desk.iter().enumerate().filter_map(quote));
        for layer in &mut self.layers {
            layer.learn(&self.changes);
            layer.weigh(&self.live, self.settings.desk.target_vol);
        }
        for (i, listing) in desk.iter().enumerate() {
            if listing.delisted_at == Some(at) {
                self.aims[i] = 0.0;
                self.layers.iter_mut().for_each(|l| l.aim(i, 0.0, true, false));
            } else if listing.is_fresh(at) && listing.sigma.is_finite() {
                self.aims[i] = self.weight * self.layers[0].coins(i) * listing.last().close;
            }
        }
        self.sizing.learn(&self.quotes);
        self.sizing.set(&self.aims);
        let sized = self.sizing.risk_multiple > 0.0;
        let steer =
            RiskControls { equity: 1.0, width: 1.0, risk_scale: 1.0, gross_scale: 1.0, flatten: false };
        let scaled = self.sizing.scale(&self.rules, &steer);
        let scale = if self.risk == Risk::Fixed { 1.0 } else { scaled };
        for (i, listing) in desk.iter().enumerate() {
            if listing.is_fresh(at) && listing.sigma.is_finite() {
                let (coin, shorts) =
                    (scale * self.weight * listing.last().close, self.assets[i].kind.can_short());
                self.layers.iter_mut().for_each(|l| l.aim(i, coin, shorts, sized));
            }
        }
    }

    /// What is left behind.
    pub fn finish(self) -> SeedOutcome {
        let per_year = self.settings.clock.decide.per_year();
        let years = self.bars / per_year;
        SeedOutcome {
            days: self.days,
            wanted: if years > 0.0 { self.wanted / years } else { 0.0 },
            outcomes: self.purses.into_iter().map(|p| p.finish(per_year)).collect(),
        }
    }
}

impl AssetFacts {
    fn new(kind: InstrumentKind, costs: Costs, span: f64) -> Self {
        let charge = match &costs {
            Costs::Flat(charge) => *charge,
            Costs::Bars(b) => b.taker.of(kind) + b.half_spread.of(kind),
        };
        let price = ZoneInputs { cost: charge, impact: 0.0, sigma: f64::NAN };
        AssetFacts { kind, costs, charge, notional: Weighted::new(span), price }
    }

    /// Costs as they are known now: `½·σ_day·√(1/V)` is the impact of one unit of currency.
    fn priced(&self, sigma: f64, bars_per_day: f64) -> ZoneInputs {
        let daily = self.notional.mean() * bars_per_day;
        let impact = 0.5 * sigma * libm::sqrt(bars_per_day / daily);
        let known = daily > 0.0 && impact.is_finite();
        ZoneInputs { cost: self.charge, impact: if known { impact } else { 0.0 }, sigma }
    }
}

/// A span of days in bars.
fn bars_of(days: f64, clock: Span) -> f64 {
    days * clock.per_year() / 365.25
}

/// Whether the warm-up is over.
fn warm(days: &[i64]) -> bool {
    days.first().zip(days.last()).is_some_and(|(first, last)| last - first >= WARM_DAYS)
}
