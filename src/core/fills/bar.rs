//! Fill level B: what a bar does to an order. One implementation for the estimated books of alone and
//! open, and for the paper venue.
//!
//! Decided on the close of one bar, an order meets the next: a taker at its open, worse by half-spread
//! and impact k·σ·√(quantity/volume) (square-root law, Almgren et al. 2005); a resting order where the
//! bar trades *through* its limit. Neither takes more than its share of the bar's volume.
//!
//! # Invariants
//!
//! 1. A taker never pays less, or gets more, than the open.
//! 2. What fills has the sign of what was wanted, and is at most it and at most the participation.
//! 3. No volume, no fill; infinite volume, no limit and no impact. [`Costs::Flat`] knows neither
//!    volume nor spread: everything fills at the open for a flat charge.
//! 4. Results are finite; unusable input (not finite, not positive prices) fills nothing.
//! 5. Orders that share a bar ([`BarUse`]) get no more of it than one of their sum would, and together pay what that one
//!    would pay: whoever comes second pays the difference.
//!
//! Never: rounds to ticks and lots, which is the venue's business.

use super::Costs;
use crate::domain::{Bar, ContractTerms, InstrumentKind, Span};

/// Half-spread and impact together never cost more than this fraction of the price: a fuse, so that a
/// mad volatility estimate cannot turn a sale's price negative.
pub const DISTANCE_MAX: f64 = 0.5;

/// What a bar filled.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Taken {
    /// Signed, in base units: what fills now.
    pub quantity: f64,
    /// Price paid or got.
    pub price: f64,
    /// Fee in the account's currency; not negative with the rates we know.
    pub fee: f64,
    /// The bar's open, which agents are booked at.
    pub mark: f64,
}

impl Taken {
    /// Nothing filled; price and mark are the open.
    fn nothing(open: f64) -> Self {
        Taken { quantity: 0.0, price: open, fee: 0.0, mark: open }
    }
}

/// What part of `wanted` (absolute) this much volume gives.
fn within(costs: &Costs, volume: f64, wanted: f64) -> f64 {
    match costs {
        Costs::Flat(_) => wanted,
        Costs::Bars(_) if volume == f64::INFINITY => wanted,
        Costs::Bars(b) if volume > 0.0 => wanted.min(b.participation * volume),
        Costs::Bars(_) => 0.0,
    }
}

fn is_usable(open: f64, quantity: f64) -> bool {
    open.is_finite() && open > 0.0 && quantity.is_finite() && quantity != 0.0
}

/// The fee as a fraction of notional.
pub fn fee_rate(costs: &Costs, kind: InstrumentKind, maker: bool) -> f64 {
    match costs {
        Costs::Flat(charge) => *charge,
        Costs::Bars(b) if maker => b.maker.of(kind),
        Costs::Bars(b) => b.taker.of(kind),
    }
}

/// The same where the terms of what is traded may name fees of their own ([`ContractTerms::Rates`]); a flat charge
/// takes no notice of them.
pub fn rate(costs: &Costs, kind: InstrumentKind, terms: &ContractTerms, maker: bool) -> f64 {
    match (costs, *terms) {
        (Costs::Bars(_), ContractTerms::Rates { maker_ppm, .. }) if maker => f64::from(maker_ppm) / 1e6,
        (Costs::Bars(_), ContractTerms::Rates { taker_ppm, .. }) => f64::from(taker_ppm) / 1e6,
        _ => fee_rate(costs, kind, maker),
    }
}

/// What taking costs a side beside impact, as a fraction of the notional: fee and half-spread.
pub fn side_rate(costs: &Costs, kind: InstrumentKind) -> f64 {
    let spread = match costs {
        Costs::Flat(_) => 0.0,
        Costs::Bars(b) => b.half_spread.of(kind),
    };
    fee_rate(costs, kind, false) + spread
}

/// What moving the market costs beside it: k·σ·√(quantity/volume), as a fraction; 0 where volume or
/// volatility is not known, and with a flat charge.
pub fn impact_rate(costs: &Costs, sigma: f64, quantity: f64, volume: f64) -> f64 {
    let Costs::Bars(b) = costs else { return 0.0 };
    let impact = b.impact * sigma * libm::sqrt(libm::fabs(quantity) / volume);
    if impact.is_finite() { impact.clamp(0.0, DISTANCE_MAX) } else { 0.0 }
}

/// A market order of signed `quantity` (base units) meets a bar that opens at `bar_open` (quote
/// currency) and trades `volume` (base units). `sigma` is the volatility of one bar, as a fraction;
/// where it is not known (not finite) there is no impact.
pub fn take(
    costs: &Costs,
    kind: InstrumentKind,
    bar_open: f64,
    sigma: f64,
    volume: f64,
    quantity: f64,
) -> Taken {
    BarUse::default().take(costs, kind, (bar_open, volume), sigma, quantity)
}

/// What orders of one account have had of a bar so far, in base units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BarUse {
    bought: f64,
    sold: f64,
}

impl BarUse {
    /// An order had so much of the bar, signed.
    pub fn add(&mut self, quantity: f64) {
        if quantity > 0.0 {
            self.bought += quantity;
        } else {
            self.sold -= quantity;
        }
    }

    /// What of `wanted`, signed, the bar's volume still gives.
    pub fn within(&self, costs: &Costs, volume: f64, wanted: f64) -> f64 {
        let given = self.bought + self.sold;
        let most = within(costs, volume, f64::INFINITY) - given;
        libm::copysign(libm::fabs(wanted).min(most.max(0.0)), wanted)
    }

    /// A market order after those that had their part of the bar; see [`take`]. What they moved the price by they have
    /// paid; this one pays what it moves it by from there.
    pub fn take(
        &self,
        costs: &Costs,
        kind: InstrumentKind,
        (open, volume): (f64, f64),
        sigma: f64,
        quantity: f64,
    ) -> Taken {
        if !is_usable(open, quantity) {
            return Taken::nothing(open);
        }
        let size = libm::fabs(self.within(costs, volume, quantity));
        if size <= 0.0 {
            return Taken::nothing(open);
        }
        let side = libm::copysign(1.0, quantity);
        let distance = match costs {
            Costs::Flat(_) => 0.0,
            Costs::Bars(b) => {
                let sigma = if sigma.is_finite() { sigma.max(0.0) } else { 0.0 };
                let distance = |size: f64| {
                    // Infinite volume gives √0.
                    let impact = b.impact * sigma * libm::sqrt(size / volume);
                    (b.half_spread.of(kind) + impact).clamp(0.0, DISTANCE_MAX)
                };
                let before = if side > 0.0 { self.bought } else { self.sold };
                let whole = distance(before + size);
                if before > 0.0 {
                    let cost = whole * (before + size) - distance(before) * before;
                    // The last part of an order costs more than its mean, but for the last digits of a double.
                    (cost / size).max(whole).min(DISTANCE_MAX)
                } else {
                    whole
                }
            }
        };
        let price = open * (1.0 + side * distance);
        let fee = fee_rate(costs, kind, false) * size * price;
        Taken { quantity: side * size, price, fee, mark: open }
    }
}

/// A limit order of signed `quantity` that rests since before the bar. It fills only if the bar trades
/// through the limit, by a tick at least: at the limit, or at the open where the bar opens beyond it,
/// which is better. Pays the maker fee.
pub fn rest(costs: &Costs, kind: InstrumentKind, bar: &Bar, limit: f64, tick: f64, quantity: f64) -> Taken {
    if !is_usable(bar.open, quantity) || !limit.is_finite() || limit <= 0.0 {
        return Taken::nothing(bar.open);
    }
    let side = libm::copysign(1.0, quantity);
    // Prices are doubles: a tick beyond means a tick but for their last digits.
    let slack = 1e-12 * limit;
    let is_through = |price: f64| side * (limit - price) >= tick - slack;
    let price = if is_through(bar.open) {
        bar.open
    } else if is_through(if side > 0.0 { bar.low } else { bar.high }) {
        // Where it opened beyond the limit, though by less than a tick, the limit is no price of this bar.
        if side > 0.0 { limit.min(bar.open) } else { limit.max(bar.open) }
    } else {
        return Taken::nothing(bar.open);
    };
    let size = within(costs, bar.volume, libm::fabs(quantity));
    let fee = fee_rate(costs, kind, true) * size * price;
    Taken { quantity: side * size, price, fee, mark: bar.open }
}

/// An order of signed `quantity` that is worked: it rests since before the bar, and fills at its limit,
/// never better, where the bar trades beyond it by the fraction `through` of the price. Whoever rests gets
/// what it asked for also when the price jumps over it. Pays the maker fee.
pub fn worked(
    costs: &Costs,
    kind: InstrumentKind,
    bar: &Bar,
    limit: f64,
    through: f64,
    quantity: f64,
) -> Taken {
    if !is_usable(bar.open, quantity) || !limit.is_finite() || limit <= 0.0 {
        return Taken::nothing(bar.open);
    }
    let side = libm::copysign(1.0, quantity);
    let extreme = if side > 0.0 { bar.low } else { bar.high };
    if side * (limit - extreme) < through * limit * (1.0 - 1e-12) || side * (limit - extreme) <= 0.0 {
        return Taken::nothing(bar.open);
    }
    let size = within(costs, bar.volume, libm::fabs(quantity));
    let fee = fee_rate(costs, kind, true) * size * limit;
    Taken { quantity: side * size, price: limit, fee, mark: bar.open }
}

/// What borrowing costs as a fraction of a short's notional over `span`; zero where nothing is borrowed.
pub fn borrow_fraction(costs: &Costs, kind: InstrumentKind, span: Span) -> f64 {
    match costs {
        Costs::Bars(b) if pays_borrow(kind) => b.borrow * span.in_units_of(Span::YEAR),
        _ => 0.0,
    }
}

/// Whether a short of this kind is borrowed.
#[inline]
pub fn pays_borrow(kind: InstrumentKind) -> bool {
    kind == InstrumentKind::Margin
}

/// Borrow on a position held for `span`, in currency: shorts on margin pay, nobody else.
pub fn borrow_cost(costs: &Costs, kind: InstrumentKind, quantity: f64, mark: f64, span: Span) -> f64 {
    if quantity < 0.0 { -quantity * mark * borrow_fraction(costs, kind, span) } else { 0.0 }
}

/// Funding on a position held at a settlement, in currency: positive pays, negative receives.
pub fn funding_cost(costs: &Costs, quantity: f64, mark: f64, rate: f64) -> f64 {
    match costs {
        Costs::Flat(_) => 0.0,
        Costs::Bars(_) => quantity * mark * rate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fills::BarCosts;
    use InstrumentKind::{Margin, Perp, Spot};
    use proptest::prelude::*;

    fn bars() -> Costs {
        Costs::default()
    }

    fn near(a: f64, b: f64) -> bool {
        libm::fabs(a - b) <= 1e-12 * libm::fabs(b).max(1.0)
    }

    #[test]
    fn golden_numbers_of_a_taker() {
        // 1 bp half-spread + 0.5 × 0.02 × √(4/100) = 20 bp impact, 5 bp fee.
        let t = take(&bars(), Perp, 100.0, 0.02, 100.0, 4.0);
        assert!(near(t.price, 100.21) && near(t.fee, 0.0005 * 4.0 * 100.21), "{t:?}");
        assert_eq!((t.quantity, t.mark), (4.0, 100.0));
        let t = take(&bars(), Spot, 100.0, 0.02, 100.0, -4.0);
        assert!(near(t.price, 99.78) && near(t.fee, 0.001 * 4.0 * 99.78), "{t:?}");
        // 5 % of 100 is all there is.
        assert_eq!(take(&bars(), Perp, 100.0, 0.02, 100.0, -40.0).quantity, -5.0);
    }

    #[test]
    fn volume_rules() {
        assert_eq!(take(&bars(), Perp, 100.0, 0.02, 0.0, 4.0).quantity, 0.0);
        let t = take(&bars(), Perp, 100.0, 0.02, f64::INFINITY, 1e9);
        assert_eq!(t.quantity, 1e9);
        assert!(near(t.price, 100.01));
        assert!(near(take(&bars(), Perp, 100.0, f64::NAN, 100.0, 4.0).price, 100.01));
        for (open, quantity) in [(f64::NAN, 1.0), (0.0, 1.0), (-5.0, 1.0), (5.0, f64::NAN), (5.0, 0.0)] {
            assert_eq!(take(&bars(), Perp, open, 0.01, 10.0, quantity).quantity, 0.0);
        }
    }

    #[test]
    fn a_flat_charge_knows_no_spread_and_no_volume() {
        let t = take(&Costs::Flat(0.0007), Perp, 100.0, 0.5, 0.0, -40.0);
        assert_eq!((t.quantity, t.price), (-40.0, 100.0));
        assert!(near(t.fee, 2.8));
        assert_eq!(borrow_cost(&Costs::Flat(0.0007), Margin, -1.0, 100.0, Span::YEAR), 0.0);
        assert_eq!(funding_cost(&Costs::Flat(0.0007), 1.0, 100.0, 0.01), 0.0);
    }

    #[test]
    fn a_limit_fills_only_when_traded_through() {
        let bar = Bar { open: 100.0, high: 101.0, low: 99.0, close: 100.5, volume: 1000.0 };
        let buy = |limit| rest(&bars(), Perp, &bar, limit, 0.01, 2.0);
        assert_eq!(buy(99.0).quantity, 0.0, "touched is not through");
        assert_eq!((buy(99.01).quantity, buy(99.01).price), (2.0, 99.01));
        assert!(near(buy(99.01).fee, 0.0002 * 2.0 * 99.01));
        assert_eq!(buy(100.5).price, 100.0, "a gap over the limit fills at the better open");
        let sell = |limit| rest(&bars(), Perp, &bar, limit, 0.01, -2.0);
        assert_eq!((sell(101.0).quantity, sell(100.99).price), (0.0, 100.99));
        assert_eq!(sell(99.5).price, 100.0);
        assert_eq!(rest(&bars(), Perp, &bar, 99.5, 0.01, 400.0).quantity, 50.0);
        assert_eq!(
            rest(&bars(), Perp, &bar, 100.004, 0.01, 2.0).price,
            100.0,
            "half a tick over the open is no price"
        );
        let dry = Bar { volume: 0.0, ..bar };
        assert_eq!(rest(&bars(), Perp, &dry, 99.5, 0.01, 2.0).quantity, 0.0);
    }

    #[test]
    fn a_worked_order_fills_at_its_limit_and_only_through_it() {
        let bar = Bar { open: 100.0, high: 101.0, low: 99.0, close: 100.5, volume: 1000.0 };
        let buy = |limit, through| worked(&bars(), Perp, &bar, limit, through, 2.0);
        assert_eq!(buy(99.0, 0.0).quantity, 0.0, "touched is not through");
        assert_eq!((buy(99.02, 1e-4).quantity, buy(99.02, 1e-4).price), (2.0, 99.02));
        assert_eq!(buy(99.02, 5e-4).quantity, 0.0, "2 bp are not 5");
        assert_eq!(buy(100.5, 1e-4).price, 100.5, "a gap over the limit is no gift");
        assert!(near(buy(99.5, 1e-4).fee, 0.0002 * 2.0 * 99.5));
        let sell = worked(&bars(), Perp, &bar, 100.9, 5e-4, -2000.0);
        assert_eq!((sell.quantity, sell.price), (-50.0, 100.9));
    }

    #[test]
    fn only_shorts_on_margin_borrow() {
        let cost = |kind, q| borrow_cost(&bars(), kind, q, 100.0, Span::YEAR);
        assert!(near(cost(Margin, -2.0), 20.0));
        assert_eq!((cost(Margin, 2.0), cost(Perp, -2.0), cost(Spot, 2.0)), (0.0, 0.0, 0.0));
        assert!(near(funding_cost(&bars(), -2.0, 100.0, 0.0001), -0.02));
    }

    prop_compose! {
        fn costs()(taker in 0.0..0.01, maker in 0.0..0.01, half in 0.0..0.01, impact in 0.0..5.0, participation in 0.0..1.0) -> Costs {
            let both = |x| crate::fills::PerKind { spot: x, perp: x };
            let (taker, maker, half_spread) = (both(taker), both(maker), both(half));
            Costs::Bars(BarCosts { taker, maker, half_spread, impact, participation, ..BarCosts::default() })
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn a_taker_is_never_better_off_than_the_open(
            costs in costs(), open in 1e-6_f64..1e6, sigma in 0.0_f64..3.0, volume in 0.0_f64..1e6, q in -1e5_f64..1e5,
        ) {
            let t = take(&costs, Perp, open, sigma, volume, q);
            prop_assert!(t.quantity * (t.price - open) >= 0.0);
            prop_assert!(t.fee >= 0.0 && t.fee.is_finite() && t.price > 0.0);
            let Costs::Bars(b) = costs else { unreachable!() };
            prop_assert!(t.quantity.abs() <= (b.participation * volume).min(q.abs()));
            prop_assert!(t.quantity * q >= 0.0);
        }

        #[test]
        fn two_who_share_a_bar_get_and_pay_what_one_would(
            costs in costs(), sigma in 0.0_f64..0.5, volume in 0.0_f64..1e6, first in 1e-3_f64..1e5, second in 1e-3_f64..1e5, sells: bool,
        ) {
            let side = if sells { -1.0 } else { 1.0 };
            let mut used = BarUse::default();
            let mut taker = |size: f64| {
                let t = used.take(&costs, Perp, (100.0, volume), sigma, side * size);
                used.add(t.quantity);
                t
            };
            let (one, two) = (taker(first), taker(second));
            prop_assert_eq!(one, take(&costs, Perp, 100.0, sigma, volume, side * first), "alone in it");
            let both = take(&costs, Perp, 100.0, sigma, volume, side * (first + second));
            prop_assert!(near(one.quantity + two.quantity, both.quantity));
            if two.quantity != 0.0 {
                prop_assert!(side * (two.price - one.price) >= 0.0, "{:?} {:?}", one, two);
                let paid = one.quantity * one.price + two.quantity * two.price;
                // Where a price is held at the fuse, less than the whole is paid.
                if libm::fabs(two.price / 100.0 - 1.0) < DISTANCE_MAX - 1e-9 {
                    prop_assert!(libm::fabs(paid - both.quantity * both.price) <= 1e-9 * libm::fabs(paid));
                }
            }
        }

        #[test]
        fn a_maker_gets_its_limit_or_better(
            costs in costs(), open in 90.0_f64..110.0, up in 0.0_f64..5.0, down in 0.0_f64..5.0,
            limit in 80.0_f64..120.0, volume in 0.0_f64..1e6, q in -1e5_f64..1e5,
        ) {
            let bar = Bar { open, high: open + up, low: open - down, close: open, volume };
            let t = rest(&costs, Perp, &bar, limit, 0.01, q);
            if t.quantity != 0.0 {
                prop_assert!(q.signum() * (limit - t.price) >= 0.0);
                prop_assert!(bar.low <= t.price && t.price <= bar.high);
            }
            prop_assert!(t.fee >= 0.0 && t.quantity.abs() <= q.abs());
        }
    }
}
