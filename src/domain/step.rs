//! Steps of prices and quantities: any positive decimal, counted in whole numbers and exactly.
//!
//! Venues take prices and quantities in steps of their own, 0.5, 0.25, 3 or 0.00007 as well as powers of ten. What is
//! counted here are the whole numbers of the finer one's last digit, so that nothing is divided that does not come out.
//!
//! # Invariants
//!
//! 1. A count, a multiple and a quotient are exact or there is none.
//! 2. What is rounded is a whole number of steps, at most one step from what it was, and rounded again it stays.

use super::Decimal;
use super::money::{from_estimate, power_of_ten, to_estimate};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most digits after the point of a decimal.
const PLACES_MAX: u32 = 28;
/// How near an estimate is to a whole number of steps that it stands for, as a fraction: the last digits of a double.
const SLACK: f64 = 1e-12;

/// To which of two neighbouring steps a price goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the lower one: bids, and what is sold.
    Down,
    /// To the higher one: offers, and what is bought.
    Up,
    /// To the nearer one, half to even.
    Nearest,
}

/// How a venue steps the prices of an instrument.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PriceStep {
    /// Whole multiples of this, in quote currency; positive.
    Tick(Decimal),
    /// No tick: so many significant digits at most, and so many after the point; whole numbers always.
    ///
    /// Hyperliquid takes 5 significant digits, and 6 − szDecimals after the point for perps or 8 − szDecimals for spot:
    /// 1234.5 and 123456 are prices, 1234.56 and 12345.6 are none. Its page "Tick and lot size"
    /// (hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/tick-and-lot-size) says so.
    Digits {
        /// Most significant digits of a price that is no whole number.
        significant: u32,
        /// Most digits after the point.
        decimals: u32,
    },
}

impl PriceStep {
    /// The step at a price, in quote currency.
    pub fn at(self, price: f64) -> Decimal {
        match self {
            PriceStep::Tick(tick) => tick,
            PriceStep::Digits { .. } => self.of_digits(digits_before_point(price)),
        }
    }

    /// The step of prices with so many digits before the point; less than none: zeros after it.
    fn of_digits(self, before: i32) -> Decimal {
        match self {
            PriceStep::Tick(tick) => tick,
            PriceStep::Digits { significant, decimals } => {
                let places = i64::from(significant) - i64::from(before);
                let places = places.clamp(0, i64::from(decimals.min(PLACES_MAX)));
                Decimal::new(1, places as u32)
            }
        }
    }

    /// A price as the venue writes it; `None` where it cannot be counted in steps.
    pub fn round(self, price: Decimal, to: Rounding) -> Option<Decimal> {
        let digits = price.mantissa().unsigned_abs().checked_ilog10().map_or(0, |n| n as i32 + 1);
        let step = self.of_digits(digits - price.scale() as i32);
        let (price, one, _) = aligned(price, step).filter(|(_, one, _)| *one > 0)?;
        let (below, rest) = (price.div_euclid(one), price.rem_euclid(one));
        let is_up = match to {
            Rounding::Down => false,
            Rounding::Up => rest > 0,
            Rounding::Nearest => rest > one - rest || (rest == one - rest && below % 2 != 0),
        };
        multiple(below + i128::from(is_up), step)
    }

    /// An estimate of a price as the venue writes it; `None` where it is no number. To a side it is one step at least,
    /// since nothing is bought or sold for nothing.
    pub fn round_estimate(self, price: f64, to: Rounding) -> Option<Decimal> {
        if !price.is_finite() {
            return None;
        }
        let step = self.at(price);
        // A power of ten is its digits, of which there is no need to count steps.
        if to == Rounding::Nearest && step.mantissa() == 1 {
            return from_estimate(price, step.scale());
        }
        if to == Rounding::Nearest {
            // Times the power of ten and then by the rest of the step: a price that was read as a decimal comes back.
            let step = step.normalize();
            return counted(price * power_of_ten(step.scale()) / step.mantissa() as f64, step);
        }
        let steps = price / to_estimate(step);
        let nearest = libm::rint(steps);
        // A whole number of steps but for the last digits of a double is a whole number of steps.
        let whole = match to {
            _ if libm::fabs(steps - nearest) <= SLACK * nearest => nearest,
            Rounding::Down => libm::floor(steps),
            _ => libm::ceil(steps),
        };
        counted(whole.max(1.0), step)
    }
}

impl From<Decimal> for PriceStep {
    fn from(tick: Decimal) -> Self {
        PriceStep::Tick(tick)
    }
}

/// A tick is shown as its number: an instrument's text is part of what a kept run is known by.
impl fmt::Debug for PriceStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PriceStep::Tick(tick) => fmt::Debug::fmt(tick, f),
            PriceStep::Digits { significant, decimals } => {
                write!(f, "{significant} digits, {decimals} after the point")
            }
        }
    }
}

/// How many digits a price has before the point; less than none: how many zeros follow it.
fn digits_before_point(price: f64) -> i32 {
    let digits = 1..=PLACES_MAX;
    if price >= 1.0 {
        1 + digits.take_while(|n| price >= power_of_ten(*n)).count() as i32
    } else {
        -(digits.take_while(|n| price * power_of_ten(*n) < 1.0).count() as i32)
    }
}

/// An estimated number of steps, rounded half to even, as an amount.
fn counted(steps: f64, step: Decimal) -> Option<Decimal> {
    multiple(from_estimate(steps, 0)?.mantissa(), step)
}

/// Both as whole numbers of the finer one's last digit, and the place of that digit.
fn aligned(a: Decimal, b: Decimal) -> Option<(i128, i128, u32)> {
    let scale = a.scale().max(b.scale());
    let whole = |x: Decimal| x.mantissa().checked_mul(10_i128.checked_pow(scale - x.scale())?);
    Some((whole(a)?, whole(b)?, scale))
}

/// How many steps an amount is; `None` if it is no whole number of them.
pub fn count(amount: Decimal, step: Decimal) -> Option<i128> {
    let (amount, step, _) = aligned(amount.normalize(), step.normalize())?;
    (amount.checked_rem(step)? == 0).then(|| amount / step)
}

/// So many steps; `None` beyond what a decimal holds.
pub fn multiple(count: i128, step: Decimal) -> Option<Decimal> {
    Decimal::try_from_i128_with_scale(count.checked_mul(step.mantissa())?, step.scale()).ok()
}

/// The smallest amount that is a whole number of both steps; `None` beyond what a decimal holds, and where one is no step.
pub fn common_multiple(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (one, other, scale) = aligned(a.normalize(), b.normalize())?;
    if one <= 0 || other <= 0 {
        return None;
    }
    let times = other / greatest_divisor(one, other);
    Decimal::try_from_i128_with_scale(one.checked_mul(times)?, scale).ok().map(|both| both.normalize())
}

/// a ÷ b where that comes out, to the last digit.
pub fn quotient(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (a, b, _) = aligned(a.normalize(), b.normalize()).filter(|(_, b, _)| *b != 0)?;
    let divisor = greatest_divisor(a, b);
    let (mut whole, mut left) = (a.checked_div(divisor)?, b.checked_div(divisor)?);
    let mut scale = 0;
    // Only twos and fives can be left: each of them is a digit after the point.
    while left.abs() != 1 {
        let (up, down) = match () {
            () if left % 10 == 0 => (1, 10),
            () if left % 2 == 0 => (5, 2),
            () if left % 5 == 0 => (2, 5),
            () => return None,
        };
        (whole, left) = (whole.checked_mul(up)?, left / down);
        scale += 1;
    }
    Decimal::try_from_i128_with_scale(whole * left, scale).ok()
}

/// a × b to the last digit; `None` where a decimal has not so many.
pub fn exact_product(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (a, b) = (a.normalize(), b.normalize());
    let (mut whole, mut scale) = (a.mantissa().checked_mul(b.mantissa())?, a.scale() + b.scale());
    while scale > 0 && whole % 10 == 0 {
        (whole, scale) = (whole / 10, scale - 1);
    }
    Decimal::try_from_i128_with_scale(whole, scale).ok()
}

fn greatest_divisor(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::super::money::parse;
    use super::*;
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        parse(text).unwrap()
    }

    /// Steps that venues have, few of them powers of ten.
    fn step() -> impl Strategy<Value = Decimal> {
        let named = ["0.5", "0.25", "3", "0.00007", "0.05", "125", "0.01", "1", "10", "0.0002", "2.5", "17"];
        prop_oneof![
            prop::sample::select(named.map(dec).to_vec()),
            (1_i64..100_000, 0_u32..8).prop_map(|(m, s)| Decimal::new(m, s)),
        ]
    }

    #[test]
    fn prices_go_to_whole_ticks_of_any_size() {
        let to = |price: &str, tick: &str, to| PriceStep::Tick(dec(tick)).round(dec(price), to).unwrap();
        for (price, tick, down, up, nearest) in [
            ("100.26", "0.5", "100", "100.5", "100.5"),
            ("100.25", "0.5", "100", "100.5", "100"),
            ("100.75", "0.5", "100.5", "101", "101"),
            ("100.4", "0.25", "100.25", "100.5", "100.5"),
            ("100", "3", "99", "102", "99"),
            ("0.0005", "0.00007", "0.00049", "0.00056", "0.00049"),
            ("187.5", "125", "125", "250", "250"),
            ("0.04", "125", "0", "125", "0"),
            ("100", "0.05", "100", "100", "100"),
        ] {
            let sides = [Rounding::Down, Rounding::Up, Rounding::Nearest];
            assert_eq!(
                sides.map(|side| to(price, tick, side)),
                [down, up, nearest].map(dec),
                "{price} by {tick}"
            );
        }
        assert_eq!(PriceStep::Tick(Decimal::ZERO).round(Decimal::ONE, Rounding::Up), None);
        assert_eq!(PriceStep::Tick(dec("-1")).round(Decimal::ONE, Rounding::Up), None);
    }

    #[test]
    fn an_estimate_that_is_a_tick_but_for_its_last_digits_is_that_tick() {
        let half = PriceStep::Tick(dec("0.5"));
        let to = |x, to| half.round_estimate(x, to).unwrap();
        for x in [100.5, 100.5 * (1.0 + 4e-16), 100.5 * (1.0 - 4e-16)] {
            assert_eq!((to(x, Rounding::Down), to(x, Rounding::Up)), (dec("100.5"), dec("100.5")), "{x}");
        }
        assert_eq!((to(100.6, Rounding::Down), to(100.6, Rounding::Up)), (dec("100.5"), dec("101")));
        assert_eq!((to(0.1, Rounding::Down), to(0.1, Rounding::Nearest)), (dec("0.5"), Decimal::ZERO));
        assert_eq!(half.round_estimate(f64::NAN, Rounding::Up), None);
        assert_eq!(half.round_estimate(f64::INFINITY, Rounding::Nearest), None);
    }

    #[test]
    fn where_there_is_no_tick_digits_are_counted() {
        let rule = |decimals| PriceStep::Digits { significant: 5, decimals };
        let is_price = |text: &str, decimals| {
            let sides = [Rounding::Down, Rounding::Up, Rounding::Nearest];
            sides.into_iter().all(|side| rule(decimals).round(dec(text), side) == Some(dec(text)))
        };
        // The venue's own examples: perps of szDecimals 0, then 1, then spot of szDecimals 0, 1 and 2.
        assert!(is_price("1234.5", 6) && !is_price("1234.56", 6));
        assert!(is_price("0.001234", 6) && !is_price("0.0012345", 6));
        assert!(is_price("0.01234", 5) && !is_price("0.012345", 5));
        assert!(is_price("0.0001234", 8) && is_price("0.0001234", 7) && !is_price("0.0001234", 6));
        assert!(is_price("123456", 6) && !is_price("12345.6", 6), "whole numbers are prices always");
        let to = |text: &str, side| rule(6).round(dec(text), side).unwrap();
        assert_eq!((to("99999.5", Rounding::Up), to("9.99996", Rounding::Up)), (dec("100000"), dec("10")));
        assert_eq!(
            (to("10.0009", Rounding::Down), to("0.0000007", Rounding::Down)),
            (dec("10"), Decimal::ZERO)
        );
        assert_eq!((rule(6).at(20_000.0), rule(6).at(9_999.9)), (Decimal::ONE, dec("0.1")));
        assert_eq!(
            (rule(6).at(0.5), rule(8).at(0.05), rule(8).at(0.0005)),
            (dec("0.00001"), dec("0.000001"), dec("0.00000001"))
        );
        let estimate = |x, side| rule(6).round_estimate(x, side).unwrap();
        assert_eq!(
            (estimate(1_234.56, Rounding::Down), estimate(1_234.56, Rounding::Up)),
            (dec("1234.5"), dec("1234.6"))
        );
        assert_eq!(
            (estimate(0.0, Rounding::Down), estimate(1e-9, Rounding::Up)),
            (dec("0.000001"), dec("0.000001"))
        );
    }

    #[test]
    fn steps_are_counted_and_divided_exactly_or_not_at_all() {
        assert_eq!((count(dec("0.75"), dec("0.25")), count(dec("0.8"), dec("0.25"))), (Some(3), None));
        assert_eq!((count(dec("-6"), dec("3")), count(dec("5"), Decimal::ZERO)), (Some(-2), None));
        assert_eq!(count(dec("0.00021"), dec("0.00007")), Some(3));
        assert_eq!(common_multiple(dec("0.25"), dec("3")), Some(dec("3")));
        assert_eq!(common_multiple(dec("0.25"), dec("0.07")), Some(dec("1.75")));
        assert_eq!(
            common_multiple(dec("0.01"), dec("10.000")),
            Some(dec("10")),
            "of powers of ten the larger"
        );
        assert_eq!(common_multiple(dec("1"), Decimal::ZERO), None);
        assert_eq!(quotient(dec("1"), dec("8")), Some(dec("0.125")));
        assert_eq!(quotient(dec("-35"), dec("0.14")), Some(dec("-250")));
        // 2 ÷ 3 to 28 digits, times 3, is 2 again where products are rounded.
        assert_eq!((quotient(dec("2"), dec("3")), quotient(dec("2"), Decimal::ZERO)), (None, None));
        assert_eq!(exact_product(dec("1e14"), dec("1e-14")), Some(Decimal::ONE));
        assert_eq!(exact_product(dec("1e-15"), dec("1e-14")), None, "29 digits");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn rounded_prices_are_whole_steps_beside_the_price(units in 1_i64..1_000_000_000_000, places in 0_u32..10, tick in step()) {
            let (price, rule) = (Decimal::new(units, places), PriceStep::Tick(tick));
            let [down, up, nearest] =
                [Rounding::Down, Rounding::Up, Rounding::Nearest].map(|side| rule.round(price, side).unwrap());
            prop_assert!(down <= price && price <= up && up - down <= tick);
            prop_assert!([down, up, nearest].iter().all(|p| count(*p, tick).is_some()));
            prop_assert!(nearest == down || nearest == up);
            prop_assert!((nearest - price).abs() * Decimal::TWO <= tick);
            for p in [down, up, nearest] {
                prop_assert!(p == price || down < up);
                prop_assert_eq!(rule.round(p, Rounding::Up), Some(p), "rounded again it stays");
                prop_assert_eq!(rule.round(p, Rounding::Down), Some(p));
            }
        }

        #[test]
        fn estimates_are_rounded_as_what_they_estimate(n in 1_i64..1_000_000_000, tick in step(), inside in 0.001_f64..0.999) {
            let (rule, price) = (PriceStep::Tick(tick), multiple(i128::from(n), tick).unwrap());
            for side in [Rounding::Down, Rounding::Up, Rounding::Nearest] {
                prop_assert_eq!(rule.round_estimate(to_estimate(price), side), Some(price), "{:?}", side);
            }
            let between = (n as f64 + inside) * to_estimate(tick);
            prop_assert_eq!(rule.round_estimate(between, Rounding::Down), Some(price));
            prop_assert_eq!(rule.round_estimate(between, Rounding::Up), Some(price + tick));
        }

        #[test]
        fn a_power_of_ten_rounds_to_its_digits(x in 0.0_f64..1e7, places in 0_u32..9) {
            let rule = PriceStep::Tick(Decimal::new(1, places));
            let (here, digits) = (rule.round_estimate(x, Rounding::Nearest), from_estimate(x, places));
            prop_assert_eq!(here.map(|p| p.serialize()), digits.map(|p| p.serialize()), "to the byte");
        }

        #[test]
        fn digits_are_never_too_many(units in 1_i64..1_000_000_000_000, places in 0_u32..14, decimals in 0_u32..9, significant in 1_u32..7) {
            let (price, rule) = (Decimal::new(units, places), PriceStep::Digits { significant, decimals });
            for side in [Rounding::Down, Rounding::Up, Rounding::Nearest] {
                let p = rule.round(price, side).unwrap().normalize();
                let digits = p.mantissa().unsigned_abs().checked_ilog10().map_or(0, |n| n + 1);
                prop_assert!(p.scale() == 0 || (digits <= significant && p.scale() <= decimals), "{} is {}", price, p);
                prop_assert!(side != Rounding::Down || p <= price);
                prop_assert!(side != Rounding::Up || p >= price);
                prop_assert_eq!(rule.round(p, side), Some(p));
                let estimate = rule.round_estimate(to_estimate(price), side).unwrap();
                prop_assert!(p == estimate || p.is_zero() || estimate <= rule.at(0.0), "{} and {}", p, estimate);
            }
        }

        #[test]
        fn what_is_divided_comes_back(n in -1_000_000_000_i64..1_000_000_000, a in step(), b in step()) {
            let whole = multiple(i128::from(n), a).unwrap();
            prop_assert_eq!(count(whole, a), Some(i128::from(n)));
            if let Some(q) = quotient(whole, b) {
                prop_assert_eq!(exact_product(q, b), Some(whole));
            }
            let product = exact_product(whole, b).unwrap();
            prop_assert_eq!(quotient(product, b), Some(whole));
            let both = common_multiple(a, b).unwrap();
            prop_assert!(count(both, a).is_some() && count(both, b).is_some());
            prop_assert!(both >= a.max(b) && Some(both) <= exact_product(exact_product(a, b).unwrap(), dec("1e14")));
        }
    }
}
