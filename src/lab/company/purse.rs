//! An estimated account (f64) over groups: a sub-account a group, each with its own desk, one equity.
//!
//! # Invariants
//!
//! 1. Equity is cash and positions at the last close; all costs are in the cash. It compounds.
//! 2. What is decided at a barrier fills whole at the next bar's open of the asset, or is replaced by the next
//!    decision; what its holder is rid of at a delisting goes at the last price, without impact.
//! 3. An order pays its charge (flat, or taker fee and half-spread) and, with capital, `½·σ_day·√(q/V)` of its
//!    notional: q is the fraction of equity × the capital of the orders that move the price with it ([`Impact`]), V the
//!    mean notional of a day. At most [`DISTANCE_MAX`].

use super::layer::{DeskRule, Layer, ZoneInputs};
use crate::domain::{Digest, Span, Stamp};
use crate::fills::DISTANCE_MAX;
use crate::fills::pace::Width;
use crate::lab::stream::{ArmMeter, ArmTrack};
use serde::{Deserialize, Serialize};

/// What kind of account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AccountKind {
    /// Number of groups in which agents net.
    pub groups: usize,
    /// Capital in currency that orders move prices with; 0: none.
    pub capital: f64,
    /// How positions follow targets.
    pub desk: DeskRule,
    /// Which orders of a bar move a price together.
    pub impact: Impact,
}

/// Which orders of one bar move the price of an asset together. All agents trade at the same opens, so what those do
/// who are apart meets in one market; which of it meets is not known, so it is a choice that results are shown under.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// All buyers together and all sellers together, without help from each other: they do not come at one instant.
    #[default]
    Side,
    /// Each order as if there were no other: many small orders are flattered.
    Own,
    /// What is left of buyers and sellers against each other; who is on the other side of it gains (co-impact, Bucci
    /// and others 2020). It does for those who are apart what netting does.
    Net,
}

impl Impact {
    /// All of them, the default first.
    pub const ALL: [Impact; 3] = [Impact::Side, Impact::Own, Impact::Net];

    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Impact::Side => "side",
            Impact::Own => "own",
            Impact::Net => "net",
        }
    }

    /// The signed notional that the price moves by for an order of `own`, of a bar in which so much was bought and
    /// sold.
    fn moves(self, own: f64, [bought, sold]: [f64; 2]) -> f64 {
        match self {
            Impact::Own => own,
            Impact::Side if own > 0.0 => bought,
            Impact::Side => -sold,
            Impact::Net => bought - sold,
        }
    }
}

/// An estimated account over the groups of one layer; see the module.
pub(super) struct Purse {
    pub(super) cell: AccountKind,
    /// Which layer it is over.
    pub(super) layer: usize,
    /// By pair of the layer: coins held, for an equity of 1 at the start.
    held: Vec<f64>,
    /// By pair of the layer: coins on order.
    orders: Vec<f64>,
    /// By asset: whether anything is on order; Σ held.
    waits: Vec<bool>,
    net: Vec<f64>,
    cash: f64,
    equity: f64,
    meter: ArmMeter,
    digest: Digest,
    counted: AccountCounts,
}

/// What an account did since the warm-up was over.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct AccountCounts {
    orders: f64,
    traded: f64,
    paid: f64,
    bars: f64,
    without_volume: u64,
}

/// What is left behind.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountOutcome {
    /// Whole days and figures as any arm's, warm-up included.
    pub track: ArmTrack,
    /// Orders per year after the warm-up.
    pub sent: f64,
    /// Notional traded per year after the warm-up, in multiples of equity.
    pub turnover: f64,
    /// Paid per year after the warm-up, as a fraction of equity.
    pub cost: f64,
    /// Orders after the warm-up that should have had an impact, on assets without a known volume.
    pub without_volume: u64,
}

impl Purse {
    pub(super) fn new(cell: AccountKind, layer: usize, (pairs, assets): (usize, usize), clock: Span) -> Self {
        Purse {
            cell,
            layer,
            held: vec![0.0; pairs],
            orders: vec![0.0; pairs],
            waits: vec![false; assets],
            net: vec![0.0; assets],
            cash: 1.0,
            equity: 1.0,
            meter: ArmMeter::new(1.0, clock),
            digest: Digest::default(),
            counted: AccountCounts::default(),
        }
    }

    /// Equity as of the last mark; 1 at the start.
    pub(super) fn equity(&self) -> f64 {
        self.equity
    }

    /// A bar of an asset opens: what is on order fills. `impact` is that of one unit of currency.
    pub(super) fn fill(&mut self, layer: &Layer, asset: usize, open: f64, price: &ZoneInputs, counts: bool) {
        if !std::mem::replace(&mut self.waits[asset], false) {
            return;
        }
        let known = price.impact > 0.0;
        let per = if self.cell.capital > 0.0 && known && self.equity > 0.0 {
            price.impact * libm::sqrt(self.cell.capital / self.equity)
        } else {
            0.0
        };
        let sides = if per > 0.0 {
            let orders = &self.orders[layer.of(asset)];
            orders.iter().fold([0.0, 0.0], |[b, s], o| [b + o.max(0.0), s - o.min(0.0)])
        } else {
            [0.0, 0.0]
        };
        for i in layer.of(asset) {
            let order = std::mem::take(&mut self.orders[i]);
            if order == 0.0 {
                continue;
            }
            let notional = libm::fabs(order) * open;
            let impact = if per > 0.0 {
                let moves = open * self.cell.impact.moves(order, sides);
                let size = (per * libm::sqrt(libm::fabs(moves))).min(DISTANCE_MAX);
                if moves * order < 0.0 { -size } else { size }
            } else {
                0.0
            };
            let cost = notional * (price.cost + impact);
            self.held[i] += order;
            self.net[asset] += order;
            self.cash -= order * open + cost;
            self.meter.trade(notional, cost);
            self.meter.orders(1);
            if counts {
                self.counted.orders += 1.0;
                self.counted.without_volume += u64::from(self.cell.capital > 0.0 && !known);
                if self.equity > 0.0 {
                    self.counted.traded += notional / self.equity;
                    self.counted.paid += cost / self.equity;
                }
            }
        }
    }

    /// Borrow on what groups are short of, `rate` of its worth.
    pub(super) fn borrow(&mut self, layer: &Layer, asset: usize, open: f64, rate: f64) {
        let short: f64 = self.held[layer.of(asset)].iter().map(|h| h.min(0.0)).sum();
        self.cash += short * open * rate;
    }

    /// A payment on Σ held of an asset, `each` a coin: negative is received.
    pub(super) fn pay(&mut self, asset: usize, each: f64) {
        self.cash -= self.net[asset] * each;
    }

    /// The asset is gone: everything goes at its last price.
    pub(super) fn delist(
        &mut self,
        layer: &Layer,
        asset: usize,
        last: f64,
        price: &ZoneInputs,
        counts: bool,
    ) {
        for i in layer.of(asset) {
            self.orders[i] = -self.held[i];
            self.waits[asset] |= self.held[i] != 0.0;
        }
        // There is no market to move: no volume was missed.
        let missed = self.counted.without_volume;
        self.fill(layer, asset, last, &ZoneInputs { impact: 0.0, ..*price }, counts);
        self.counted.without_volume = missed;
        self.net[asset] = 0.0;
    }

    /// Marks at the closes of a barrier.
    pub(super) fn mark(&mut self, at: Stamp, closes: &[f64], counts: bool) {
        let value = |(n, c): (&f64, &f64)| if *n == 0.0 { 0.0 } else { n * c };
        self.equity = self.cash + self.net.iter().zip(closes).map(value).sum::<f64>();
        self.digest.float(self.equity);
        self.meter.mark(at, self.equity);
        self.counted.bars += f64::from(u8::from(counts));
    }

    /// Decides on an asset that has a bar now; `equity` is what targets are fractions of.
    pub(super) fn decide(
        &mut self,
        layer: &Layer,
        asset: usize,
        close: f64,
        price: &ZoneInputs,
        equity: f64,
    ) {
        let (scale, fixed) = (equity / close, self.cell.desk.fixed());
        let of_account = ZoneInputs { impact: price.impact * libm::sqrt(self.cell.capital), ..*price };
        let mut waits = false;
        for i in layer.of(asset) {
            let (target, held) = (layer.targets[i], self.held[i]);
            let goal = if target == 0.0 {
                0.0
            } else {
                let width = fixed.unwrap_or_else(|| Width::Zone(layer.width(i, &of_account) * scale));
                width.goal(target * scale, held)
            };
            // What stays is the very number that is held.
            self.orders[i] = goal - held;
            waits |= goal != held;
        }
        self.waits[asset] = waits;
    }

    /// What is left behind.
    pub(super) fn finish(self, bars_per_year: f64) -> AccountOutcome {
        let years = self.counted.bars / bars_per_year;
        let a_year = |x: f64| if years > 0.0 { x / years } else { 0.0 };
        let AccountCounts { orders, traded, paid, without_volume, .. } = self.counted;
        AccountOutcome {
            track: self.meter.finish(0.0, 1.0, &self.digest),
            sent: a_year(orders),
            turnover: a_year(traded),
            cost: a_year(paid),
            without_volume,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::Population;
    use crate::agents::cast::cast;
    use crate::domain::Announced;
    use crate::lab::company::{crew, groups};
    use crate::market::feed::Feed;
    use crate::market::synth::{SynthFeed, SynthSettings};

    /// The layer of one agent, one of its slots, and its asset.
    fn one() -> (Population, Layer, usize, usize) {
        let feed = SynthFeed::new(SynthSettings { bars_days: 60, ..SynthSettings::default() }).unwrap();
        let roster = crew::of(&crate::config::shipped().unwrap().roster, 1);
        let cast = cast(&roster, feed.universe(), 1);
        let layer = Layer::new(&cast, &groups::members(&cast), &[0], 180.0);
        let asset = cast.slots[0].asset.index();
        (cast, layer, 0, asset)
    }

    fn purse(layer: &Layer, cast: &Population, capital: f64, desk: DeskRule) -> Purse {
        let cell = AccountKind { groups: 1, capital, desk, impact: Impact::Own };
        Purse::new(cell, 0, (layer.len(), cast.by_asset.len()), Span::DAY)
    }

    #[test]
    fn an_order_pays_its_charge_and_the_root_of_its_share_of_a_day() {
        let (cast, mut layer, slot, asset) = one();
        let mut said = vec![Announced::default(); cast.slots.len()];
        said[slot].say(0.5, 100.0);
        layer.hear(slot, &said);
        layer.aim(asset, 100.0, true, true);
        let mut p = purse(&layer, &cast, 1e8, DeskRule::AtOnce);
        // ½ · 4 % per day, 10 million per day.
        let price = ZoneInputs { cost: 0.001, impact: 0.5 * 0.04 / 1e7_f64.sqrt(), sigma: 0.02 };
        p.decide(&layer, asset, 100.0, &price, 1.0);
        p.fill(&layer, asset, 110.0, &price, true);
        // Half of 1 at 100 is 0.005 coins: 0.55 at 110, 55 million of 100 million, 5.5 days of volume.
        let impact = 0.02 * 5.5_f64.sqrt();
        let paid = 0.55 * (0.001 + impact);
        assert!((p.cash - (1.0 - 0.55 - paid)).abs() < 1e-12, "{}", p.cash);
        let mut closes = vec![f64::NAN; cast.by_asset.len()];
        closes[asset] = 120.0;
        p.mark(Stamp(Span::DAY.0), &closes, true);
        assert!((p.equity() - (1.0 + 0.05 - paid)).abs() < 1e-12);
        p.delist(&layer, asset, 120.0, &price, true);
        assert!((p.cash - (1.0 + 0.05 - paid - 0.0006)).abs() < 1e-12 && p.net[asset] == 0.0);
        let done = p.finish(365.25);
        assert!((done.sent - 730.5).abs() < 1e-9 && done.without_volume == 0);
    }

    #[test]
    fn without_volume_there_is_no_impact_and_it_is_counted() {
        let (cast, mut layer, slot, asset) = one();
        let mut said = vec![Announced::default(); cast.slots.len()];
        said[slot].say(-0.5, 100.0);
        layer.hear(slot, &said);
        layer.aim(asset, 100.0, true, true);
        let mut p = purse(&layer, &cast, 1e6, DeskRule::Band);
        let price = ZoneInputs { cost: 0.0, impact: 0.0, sigma: 0.02 };
        p.decide(&layer, asset, 100.0, &price, 1.0);
        p.fill(&layer, asset, 100.0, &price, true);
        assert!((p.cash - 1.5).abs() < 1e-12);
        p.borrow(&layer, asset, 100.0, 0.01);
        assert!((p.cash - 1.495).abs() < 1e-12, "shorts pay to borrow");
        p.pay(asset, 1.0);
        assert!((p.cash - 1.5).abs() < 1e-12, "and are paid where longs pay");
        assert_eq!(p.counted.without_volume, 1);
    }
}
