//! One way to put agents into groups: what each group aims at, asset by asset, and how wide its no-trade
//! zones are. All accounts with this partition share it, whatever their capital and desk.
//!
//! ```text
//! x_g[a] = 1/N Σ_{i∈g} q_i[a] · close[a]          q_i as announced, a fraction of i's capital a coin
//! w_g[a] = k·s · x_g[a]                           k, s of the whole, the same for all groups
//! Δ      = pace::zone_width(c, s², γ, σ, n)       s² = EW(30 d) of (w_t − w_{t−1})²
//!          γ = 1/(target volatility · L),  L = √(EW(30 d) of the group's PnL² ÷ of the pool's)
//!          n = assets of the group that trade and have a σ
//! ```

use crate::agents::Population;
use crate::domain::Announced;
use crate::fills::pace::{self, Trades, Width};
use crate::market::indicators::Weighted;
use std::ops::Range;

/// A group on an asset: one position an account.
#[derive(Clone, Debug)]
struct GroupAsset {
    group: u32,
    /// `Σ q_i`: coins a unit of an agent's capital.
    coins: f64,
    /// EW mean of squared bar changes of the target.
    moved: Weighted,
}

/// A partition of the agents into groups, with its targets and zones; see the module.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// Asset by asset, in it group by group.
    pairs: Vec<GroupAsset>,
    /// By pair: the target as a fraction of equity.
    pub(super) targets: Vec<f64>,
    /// By asset: where its pairs begin; one more at the end.
    first: Vec<u32>,
    /// By slot: its pair; [`NONE`] of who is no member.
    pair_of: Vec<u32>,
    /// By pair: its slots, from here to the next one's in `slots`.
    first_slot: Vec<u32>,
    slots: Vec<u32>,
    /// By group: this bar's PnL, EW mean of its square, 1/(target volatility · L), live assets.
    earned: Vec<f64>,
    risk: Vec<Weighted>,
    aversion: Vec<f64>,
    live: Vec<u32>,
    pool: Weighted,
}

const NONE: u32 = u32::MAX;

/// What a zone's width depends on beside its layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct ZoneInputs {
    /// Cost of a side as a fraction of the notional, without impact.
    pub(super) cost: f64,
    /// Impact of an order of the size of the account's capital, as a fraction: `½·σ_day·√(capital/V)`.
    pub(super) impact: f64,
    /// Volatility of a bar.
    pub(super) sigma: f64,
}

impl Layer {
    /// `group` is by member, members by their index in the cast, `span` the bars of the exponential weights.
    pub(super) fn new(cast: &Population, members: &[usize], group: &[u32], span: f64) -> Self {
        let assets = cast.by_asset.len();
        let mut of_agent = vec![NONE; cast.agents.len()];
        members.iter().zip(group).for_each(|(m, g)| of_agent[*m] = *g);
        let mut layer = Layer {
            pairs: Vec::new(),
            targets: Vec::new(),
            first: vec![0],
            pair_of: vec![NONE; cast.slots.len()],
            first_slot: vec![0],
            slots: Vec::new(),
            earned: Vec::new(),
            risk: Vec::new(),
            aversion: Vec::new(),
            live: Vec::new(),
            pool: Weighted::new(span),
        };
        for asset in 0..assets {
            let of = |slot: u32| of_agent[cast.slots[slot as usize].agent.index()];
            let mut found: Vec<(u32, u32)> =
                cast.by_asset[asset].iter().map(|s| (of(*s), *s)).filter(|f| f.0 != NONE).collect();
            found.sort_unstable();
            for same in found.chunk_by(|a, b| a.0 == b.0) {
                for (_, slot) in same {
                    layer.pair_of[*slot as usize] = layer.pairs.len() as u32;
                    layer.slots.push(*slot);
                }
                layer.first_slot.push(layer.slots.len() as u32);
                layer.pairs.push(GroupAsset { group: same[0].0, coins: 0.0, moved: Weighted::new(span) });
            }
            layer.first.push(layer.pairs.len() as u32);
        }
        let groups = group.iter().copied().max().map_or(0, |g| g as usize + 1);
        layer.targets = vec![0.0; layer.pairs.len()];
        layer.earned = vec![0.0; groups];
        layer.risk = vec![Weighted::new(span); groups];
        layer.aversion = vec![0.0; groups];
        layer.live = vec![0; groups];
        layer
    }

    /// How many positions an account has.
    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// The pairs of an asset.
    pub(super) fn of(&self, asset: usize) -> Range<usize> {
        self.first[asset] as usize..self.first[asset + 1] as usize
    }

    /// A slot has spoken: its group counts its coins anew.
    pub(super) fn hear(&mut self, slot: usize, announced: &[Announced]) {
        let pair = self.pair_of[slot];
        if pair == NONE {
            return;
        }
        let i = pair as usize;
        let own = &self.slots[self.first_slot[i] as usize..self.first_slot[i + 1] as usize];
        self.pairs[i].coins = own.iter().map(|s| announced[*s as usize].quantity).sum();
    }

    /// Σ coins of an asset over all groups.
    pub(super) fn coins(&self, asset: usize) -> f64 {
        self.pairs[self.of(asset)].iter().map(|p| p.coins).sum()
    }

    /// What the targets of the bar before earned in this one: `changes` by asset, 0 where there is no bar.
    pub(super) fn learn(&mut self, changes: &[f64]) {
        self.earned.fill(0.0);
        for (asset, change) in changes.iter().enumerate().filter(|c| *c.1 != 0.0) {
            for i in self.of(asset) {
                self.earned[self.pairs[i].group as usize] += self.targets[i] * change;
            }
        }
        let all: f64 = self.earned.iter().sum();
        if self.pool.seen() > 0 || all != 0.0 {
            self.pool.push(all * all);
            self.risk.iter_mut().zip(&self.earned).for_each(|(r, e)| r.push(e * e));
        }
    }

    /// Live assets and risk aversion of each group, from `live` by asset and the target volatility per year.
    pub(super) fn weigh(&mut self, live: &[bool], target_vol: f64) {
        self.live.fill(0);
        for (asset, _) in live.iter().enumerate().filter(|l| *l.1) {
            for i in self.of(asset) {
                self.live[self.pairs[i].group as usize] += 1;
            }
        }
        let pool = self.pool.mean();
        for (aversion, risk) in self.aversion.iter_mut().zip(&self.risk) {
            *aversion = 1.0 / (target_vol * libm::sqrt(risk.mean() / pool));
        }
    }

    /// Aims anew at an asset: each group at `scale` × its coins, none of it short where `shorts` is false.
    /// `counts`: whether the change says how far targets move; the first scaling does not.
    pub(super) fn aim(&mut self, asset: usize, scale: f64, shorts: bool, counts: bool) {
        for i in self.of(asset) {
            let pair = &mut self.pairs[i];
            let x = scale * pair.coins;
            let next = if shorts { x } else { x.max(0.0) };
            let change = next - std::mem::replace(&mut self.targets[i], next);
            if counts {
                pair.moved.push(change * change);
            }
        }
    }

    /// How far the position of a pair may be from its target, as a fraction of equity.
    pub(super) fn width(&self, pair: usize, price: &ZoneInputs) -> f64 {
        let GroupAsset { group, moved, .. } = &self.pairs[pair];
        let moved = moved.mean();
        // 1.5 times the impact of the rms change: that of an order grows with √size, its marginal is 3/2 of it.
        let impact = if price.impact > 0.0 { price.impact * libm::sqrt(libm::sqrt(moved)) } else { 0.0 };
        let cost = price.cost + 1.5 * impact;
        let (gamma, live) = (self.aversion[*group as usize], self.live[*group as usize]);
        pace::zone_width(cost, moved, gamma, price.sigma, live as usize)
    }
}

/// How far a desk lets a position be from its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeskRule {
    /// It trades everything at once: the reference.
    AtOnce,
    /// A band of [`super::BAND`] of the position.
    Band,
    /// The no-trade zone.
    Zone,
}

impl DeskRule {
    /// The name of the rule as reports print it.
    pub fn word(self) -> &'static str {
        match self {
            DeskRule::AtOnce => "at once",
            DeskRule::Band => Trades::Band.word(),
            DeskRule::Zone => Trades::Zone.word(),
        }
    }

    /// Finds by word.
    pub fn parse(word: &str) -> Option<Self> {
        Trades::parse(word).map(|t| if t == Trades::Band { DeskRule::Band } else { DeskRule::Zone })
    }

    /// The width that does not depend on the market; none for the zone.
    pub(super) fn fixed(self) -> Option<Width> {
        match self {
            DeskRule::AtOnce => Some(Width::Band(0.0)),
            DeskRule::Band => Some(Width::Band(super::BAND)),
            DeskRule::Zone => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One group on one asset whose target moved by these steps, alone in its pool.
    fn layer(moves: &[f64]) -> Layer {
        let mut moved = Weighted::new(1e12);
        moves.iter().for_each(|m| moved.push(m * m));
        let mut risk = Weighted::new(9.0);
        risk.push(4e-4);
        let mut pool = Weighted::new(9.0);
        pool.push(1e-4);
        Layer {
            pairs: vec![GroupAsset { group: 0, coins: 0.0, moved }],
            targets: vec![0.0],
            first: vec![0, 1],
            pair_of: vec![0],
            first_slot: vec![0, 1],
            slots: vec![0],
            earned: vec![0.0],
            risk: vec![risk],
            aversion: vec![0.0],
            live: vec![0],
            pool,
        }
    }

    #[test]
    fn a_zone_by_hand_with_and_without_impact() {
        let mut l = layer(&[0.1, -0.1]);
        l.weigh(&[true], 0.15);
        // Twice the pool's volatility: as risk-averse as half of 1/0.15.
        assert!((l.aversion[0] - 1.0 / 0.3).abs() < 1e-12);
        let price = ZoneInputs { cost: 0.0007, impact: 0.0, sigma: 0.02 };
        let cubed = 1.5 * 0.0007 * 0.01 * 0.3 / 0.0004;
        assert!((l.width(0, &price) - f64::cbrt(cubed)).abs() < 1e-9);
        // An order of all capital moves the price 1 %, the rms change of 0.1 by √0.1 of it.
        let costly = ZoneInputs { impact: 0.01, ..price };
        let cubed = 1.5 * (0.0007 + 1.5 * 0.01 * 0.1_f64.sqrt()) * 0.01 * 0.3 / 0.0004;
        assert!((l.width(0, &costly) - f64::cbrt(cubed)).abs() < 1e-9);
    }

    #[test]
    fn a_group_on_what_it_cannot_hold_short_holds_nothing_of_it() {
        let mut l = layer(&[]);
        l.hear(0, &[Announced { fraction: -0.5, quantity: -0.25 }]);
        assert_eq!(l.coins(0), -0.25);
        l.aim(0, 2.0, true, true);
        assert_eq!((l.targets[0], l.pairs[0].moved.mean()), (-0.5, 0.25));
        l.aim(0, 2.0, false, true);
        assert_eq!((l.targets[0], l.pairs[0].moved.seen()), (0.0, 2));
        assert_eq!((DeskRule::parse("zone"), DeskRule::parse("at once")), (Some(DeskRule::Zone), None));
    }
}
