//! When a venue takes over what is held on margin, for simulated lives and for the account: one arithmetic.
//!
//! A position on margin is taken over where equity is no more than maintenance. With q base units (signed, s its side),
//! r and d the rate and the deduction of the tier that its notional falls into, and everything else that equity is made of
//! in `free`:
//!
//! ```text
//! linear    free + q·p = r·|q|·p − d          p = (free + d) / (|q|·(r − s))
//! inverse   free − s·N/p = m(N)/p             p = (s·N + m(N)) / free,   N in currency, free in coins
//! ```
//!
//! For one linear contract on a wallet W of its own, entered at E, `free` is W − q·E: with q = 1, E = 100, W = 10 and
//! r = 0.5 % a long is taken over at 90.4523 and a short at 109.4527 (Binance FAQ b3c689c1, one-way, isolated). For an inverse
//! one it is W + s·N/E.
//!
//! # Invariants
//!
//! 1. All that is under one stake stands for each other (cross margin). The opens of a bar come first, all at once: a gap.
//!    Then each position meets its worst price within the bar while the others go to their last prices, and all are taken
//!    over where, on that way, no more than maintenance is left: within a bar nothing is lost beyond.
//! 2. What a liquidation leaves is the venue's: a stake ends at zero. What it lacks, because a price opened beyond the
//!    one at which nothing is left, the venue bears, and it is counted ([`Stake::borne`]).
//! 3. What is paid in full has no maintenance: its price alone cannot ruin anybody.

use super::books::Patient;
use crate::domain::{Bar, InstrumentKind};
use serde::{Deserialize, Serialize};

/// Maintenance of a perp or future, of notional: the lowest tier of a large venue.
pub const CONTRACT: f64 = 0.005;
/// Maintenance of borrowed coins, of notional.
pub const BORROWED: f64 = 0.05;

/// Initial margin in multiples of maintenance: about what venues ask for at the most that they lend.
const INITIAL: f64 = 2.0;
/// Halvings of the way of a bar by which the place of a liquidation is found, to the last digit.
const HALVINGS: u32 = 64;

const CONTRACTS: &[MarginTier] = &[MarginTier { from: 0.0, rate: CONTRACT }];
const COINS_ON_MARGIN: &[MarginTier] = &[MarginTier { from: 0.0, rate: BORROWED }];

/// What must be kept of the part of a notional that lies above `from`, up to the next tier.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarginTier {
    /// Notional from which on it holds, in the account's currency; the first tier begins at zero.
    pub from: f64,
    /// Maintenance, as a fraction of that part of the notional.
    pub rate: f64,
}

/// The tiers of an instrument, ascending; none where everything is paid in full.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarginTiers<'a>(pub &'a [MarginTier]);

impl MarginTiers<'static> {
    /// The tiers that hold where a venue says nothing else, by kind.
    pub fn of(kind: InstrumentKind) -> Self {
        MarginTiers(match kind {
            InstrumentKind::Perp | InstrumentKind::Future => CONTRACTS,
            InstrumentKind::Margin => COINS_ON_MARGIN,
            // What options need depends on more than their notional (`agents::structures::margin`), and the desk
            // holds none.
            InstrumentKind::Spot | InstrumentKind::Pool | InstrumentKind::Option | InstrumentKind::Move => {
                &[]
            }
        })
    }
}

impl MarginTiers<'_> {
    /// Margin that must be kept for a notional, in the account's currency.
    pub fn maintenance(self, notional: f64) -> f64 {
        match self.0 {
            [] => 0.0,
            [one] => one.rate * notional,
            _ => self.brackets().filter(|b| notional >= b.from).last().map_or(0.0, |b| b.needs(notional)),
        }
    }

    /// The largest notional that may be opened on a stake, in multiples of it: initial margin is [`INITIAL`] times the
    /// maintenance of the first tier. Without bound where all is paid in full.
    pub fn lever_max(self) -> f64 {
        self.0.first().map_or(f64::INFINITY, |t| 1.0 / (INITIAL * t.rate))
    }

    /// Price at which a linear position of signed `quantity` is taken over, where equity is `free` + quantity × price;
    /// none where there is no such price.
    pub fn linear_price(self, free: f64, quantity: f64) -> Option<f64> {
        let (size, side) = (libm::fabs(quantity), libm::copysign(1.0, quantity));
        let price = |b: &Bracket| (free + b.deduction) / (size * (b.rate - side));
        let holds = |b: &Bracket| {
            let notional = size * price(b);
            b.from <= notional && notional < b.until
        };
        self.brackets().find(holds).map(|b| price(&b)).filter(|p| p.is_finite() && *p > 0.0)
    }

    /// Price at which an inverse position of this signed `notional` in currency is taken over, where equity is
    /// `free` − notional / price, in coins; none where there is no such price.
    pub fn inverse_price(self, free: f64, notional: f64) -> Option<f64> {
        let price = (notional + self.maintenance(libm::fabs(notional))) / free;
        (price.is_finite() && price > 0.0).then_some(price)
    }

    /// The tiers with what each deducts, so that maintenance is continuous; one of no rate where there are none.
    fn brackets(self) -> impl Iterator<Item = Bracket> {
        let paid = self.0.is_empty().then_some(MarginTier { from: 0.0, rate: 0.0 });
        let ends = self.0.iter().skip(1).map(|t| t.from).chain([f64::INFINITY]);
        let mut so_far = MarginTier { from: 0.0, rate: 0.0 };
        let mut deduction = 0.0;
        paid.into_iter().chain(self.0.iter().copied()).zip(ends).map(move |(tier, until)| {
            deduction += (tier.rate - so_far.rate) * tier.from;
            so_far = tier;
            Bracket { from: tier.from, until, rate: tier.rate, deduction }
        })
    }
}

/// A tier as it is reckoned with: `rate` of the whole notional less `deduction`.
struct Bracket {
    from: f64,
    until: f64,
    rate: f64,
    deduction: f64,
}

impl Bracket {
    fn needs(&self, notional: f64) -> f64 {
        self.rate * notional - self.deduction
    }
}

/// Where the price of an instrument was within the last bar, as far as margin looks at it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriceRange {
    bar: Bar,
    tiers: MarginTiers<'static>,
    /// Reckoned once, since every life is held against it.
    reach: f64,
}

impl PriceRange {
    /// The prices of this bar; its last price alone where it is `none` of this moment.
    pub fn new(bar: &Bar, is_fresh: bool, kind: InstrumentKind) -> Self {
        let last = bar.close;
        let bar =
            if is_fresh { *bar } else { Bar { open: last, high: last, low: last, close: last, volume: 0.0 } };
        let tiers = MarginTiers::of(kind);
        // The last tier is the steepest.
        let steepest = tiers.0.last().map_or(0.0, |t| t.rate);
        let (above, below) = (bar.high - last, last - bar.low);
        let reach = if above > below { above } else { below } + steepest * bar.high;
        PriceRange { bar, tiers, reach }
    }

    /// What one unit can be worth less than at its last price, maintenance included, wherever in the bar.
    pub fn reach(&self) -> f64 {
        self.reach
    }

    /// Margin that must be kept for a quantity at a price.
    pub fn maintenance(&self, quantity: f64, price: f64) -> f64 {
        self.tiers.maintenance(libm::fabs(quantity) * price)
    }
}

/// The prices of all assets at a barrier, as lives are held against them.
#[derive(Clone, Debug, PartialEq)]
pub struct AssetPrices {
    ranges: Vec<PriceRange>,
    /// Last prices apart, since every life that holds something asks for one.
    closes: Vec<f64>,
    /// The largest reach of all, as a fraction of the last price.
    reach: f64,
}

impl AssetPrices {
    /// The prices of this barrier, by asset.
    pub fn new(ranges: Vec<PriceRange>) -> Self {
        let closes = ranges.iter().map(|r| r.bar.close).collect();
        // What has no price is held by nobody.
        let reach =
            ranges.iter().map(|r| r.reach / r.bar.close).fold(0.0, |most, r| if r > most { r } else { most });
        AssetPrices { ranges, closes, reach }
    }
}

/// How a bar ruins who held something in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Liquidation {
    /// The position that met its worst price, by its place; none where all opened too far, or nothing was held.
    pub first: Option<usize>,
    /// By position: the price at which the venue takes it over.
    pub prices: Vec<f64>,
}

impl Liquidation {
    /// Whether a venue takes over these positions (quantity, and where its price was) under an equity at their last
    /// prices, and where; invariant 1.
    pub fn of(equity: f64, held: &[(f64, PriceRange)]) -> Option<Self> {
        if equity > held.iter().map(|(q, r)| libm::fabs(*q) * r.reach).sum::<f64>() {
            return None;
        }
        // What is left above maintenance on a part of the way from the opens to where each goes.
        let left = |price: &dyn Fn(usize, &PriceRange) -> f64| {
            let each = held.iter().enumerate().map(|(i, (q, r))| {
                let price = price(i, r);
                q * (price - r.bar.close) - r.maintenance(*q, price)
            });
            equity + each.sum::<f64>()
        };
        if left(&|_, r| r.bar.open) <= 0.0 {
            return Some(Liquidation { first: None, prices: held.iter().map(|(_, r)| r.bar.open).collect() });
        }
        let goal = |first: usize, i: usize, r: &PriceRange| {
            let worst = if held[i].0 > 0.0 { r.bar.low } else { r.bar.high };
            if i == first { worst } else { r.bar.close }
        };
        let first = (0..held.len()).find(|first| left(&|i, r| goal(*first, i, r)) <= 0.0)?;
        let on_way =
            |part: f64, i: usize, r: &PriceRange| r.bar.open + part * (goal(first, i, r) - r.bar.open);
        let (mut before, mut part) = (0.0, 1.0);
        for _ in 0..HALVINGS {
            let half = 0.5 * (before + part);
            if left(&|i, r| on_way(half, i, r)) <= 0.0 { part = half } else { before = half }
        }
        let prices = held.iter().enumerate().map(|(i, (_, r))| on_way(part, i, r)).collect();
        Some(Liquidation { first: Some(first), prices })
    }
}

/// What one agent's simulated life began with, and how often it lost all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stake {
    /// Stakes that were lost whole; after each another one is put up.
    pub ruins: u32,
    /// What was lost beyond them because prices jumped, and its venues bore; in currency.
    pub borne: f64,
}

impl Stake {
    /// All that was put up, each stake being `reference` of currency.
    fn put_up(&self, reference: f64) -> f64 {
        reference * f64::from(self.ruins + 1)
    }

    /// Looks at all positions under this stake once the bars of a stamp are in; takes them over and puts up another stake
    /// if they bear it no more. `asset` says of what a place holds something. Gives `sum` and what the lives gained, added
    /// one by one.
    #[inline]
    pub fn look<L: AsRef<Patient> + AsMut<Patient>, S>(
        &mut self,
        reference: f64,
        (lives, slots): (&mut [L], &[S]),
        asset: impl Fn(&S) -> usize,
        prices: &AssetPrices,
        sum: f64,
    ) -> f64 {
        // Most lives hold little of what they could: they are passed over where they stand.
        let (mut all, mut gross) = (sum, 0.0);
        for (life, slot) in lives.iter().zip(slots) {
            let book = &life.as_ref().book;
            if book.quantity == 0.0 {
                all += book.cash;
            } else {
                let value = book.quantity * prices.closes[asset(slot)];
                all += book.cash + value;
                gross += libm::fabs(value);
            }
        }
        // A millionth, since what these gained is taken from a sum of more.
        if self.put_up(reference) + (all - sum) > gross * prices.reach + 1e-6 * reference {
            return all;
        }
        self.judge(reference, lives, |place| &prices.ranges[asset(&slots[place])]);
        lives
            .iter()
            .zip(slots)
            .fold(sum, |all, (life, slot)| all + life.as_ref().book.equity(prices.closes[asset(slot)]))
    }

    #[cold]
    fn judge<'r, L: AsRef<Patient> + AsMut<Patient>>(
        &mut self,
        reference: f64,
        lives: &mut [L],
        range: impl Fn(usize) -> &'r PriceRange,
    ) {
        let books = || lives.iter().map(|life| &life.as_ref().book).enumerate();
        let (mut worth, mut reach) = (self.put_up(reference), 0.0);
        for (place, book) in books() {
            worth += book.cash;
            if book.quantity != 0.0 {
                worth += book.quantity * range(place).bar.close;
                reach += libm::fabs(book.quantity) * range(place).reach;
            }
        }
        if worth > reach {
            return;
        }
        let holds = |i: &usize| lives[*i].as_ref().book.quantity != 0.0;
        let places: Vec<usize> = (0..lives.len()).filter(holds).collect();
        let held: Vec<_> = places.iter().map(|i| (lives[*i].as_ref().book.quantity, *range(*i))).collect();
        let Some(due) = Liquidation::of(worth, &held) else { return };
        let mut left = worth;
        for ((place, (quantity, range)), price) in places.iter().zip(&held).zip(due.prices) {
            left += quantity * (price - range.bar.close);
            lives[*place].as_mut().book.give_up(price);
        }
        lives.iter_mut().for_each(|life| life.as_mut().end());
        // What is left, or lacking, is booked where most was lost.
        let least = |a: &&mut L, b: &&mut L| a.as_ref().book.cash.total_cmp(&b.as_ref().book.cash);
        if let Some(life) = lives.iter_mut().min_by(least) {
            life.as_mut().book.settle(left);
        }
        self.borne += (-left).max(0.0);
        self.ruins += 1;
    }

    /// The same of an account whose book goes on, since its voice is made of it: with nothing left of the stakes they are
    /// lost, and from there the account is worth another one. `gain` is that of the book so far.
    pub fn settle(&mut self, reference: f64, gain: f64) {
        let left = self.put_up(reference) + self.pnl(gain);
        if left <= 0.0 {
            self.borne -= left;
            self.ruins += 1;
        }
    }

    /// PnL of an account whose book has gained so much and goes on.
    pub fn pnl(&self, gain: f64) -> f64 {
        gain + self.borne
    }
}

#[cfg(test)]
#[path = "liquidation_tests.rs"]
mod tests;
