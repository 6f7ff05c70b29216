//! Whole-number arithmetic under the books: products without silent rounding.
//!
//! `Decimal` rounds a product silently once it needs more than 28 digits, so nothing in the money
//! rooms multiplies decimals directly. Here amounts are whole numbers of *units*:
//!
//! | what | unit | most |
//! |---|---|---|
//! | money | 10⁻¹⁰ ([`MONEY_SCALE`]) | 10¹² |
//! | quantity | 10⁻¹⁴ ([`QUANTITY_SCALE`]) | 10¹⁴ |
//! | price | 10⁻¹² ([`PRICE_SCALE`]) | 10¹⁵ |
//! | value (quantity × price) | 10⁻²⁶ | 1.7 × 10¹² |
//!
//! # Invariants
//!
//! 1. A result is exact, or rounded once, half to even, at a scale the caller names; or it is refused.
//! 2. Sums of two amounts within these bounds are exact.
//! 3. Rounding is symmetric: the negative of an input gives the negative of the result.

use super::LedgerError;
use crate::domain::money::MONEY_SCALE;
use crate::domain::{Decimal, Money};

/// Most digits after the point of a quantity in the books.
pub const QUANTITY_SCALE: u32 = 14;
/// Most digits after the point of a price in the books.
pub const PRICE_SCALE: u32 = 12;
/// Digits after the point of quantity × price, which is exact at this scale.
const VALUE_SCALE: u32 = QUANTITY_SCALE + PRICE_SCALE;
/// Digits of a charge per unit held (mark × rate). Rounded once for all holders, so both sides agree.
const CHARGE_SCALE: u32 = 22;

/// The most money one account may hold or owe, 10¹², in money units: beyond it a value at 26 digits
/// would leave 128 bits.
pub(super) const MONEY_MAX: i128 = 10_i128.pow(12 + MONEY_SCALE);
/// The largest quantity, 10¹⁴, in quantity units: twice that still fits the 96 bits of a `Decimal`.
const QUANTITY_MAX: i128 = 10_i128.pow(14 + QUANTITY_SCALE);
/// The highest price, 10¹⁵, in price units.
const PRICE_MAX: i128 = 10_i128.pow(15 + PRICE_SCALE);
/// Value units in a money unit.
const VALUES_PER_MONEY: i128 = 10_i128.pow(VALUE_SCALE - MONEY_SCALE);

/// 10⁰ … 10³⁸: all that fit. A table, since every product of the books looks here.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // Computed by the compiler.
const POWERS: [i128; 39] = {
    let (mut powers, mut n) = ([1_i128; 39], 0_u32);
    while n < 39 {
        powers[n as usize] = 10_i128.pow(n);
        n += 1;
    }
    powers
};

/// 10ⁿ, where it fits.
#[inline]
fn power(n: u32) -> Option<i128> {
    POWERS.get(n as usize).copied()
}

/// `x` as a whole number of 10⁻ˢᶜᵃˡᵉ; `None` if it is finer than that or too large.
#[inline]
fn whole(x: Decimal, scale: u32) -> Option<i128> {
    // What comes from the books has their scale already.
    if x.scale() == scale { Some(x.mantissa()) } else { rewhole(x, scale) }
}

fn rewhole(x: Decimal, scale: u32) -> Option<i128> {
    if let Some(up) = scale.checked_sub(x.scale()) {
        return times(x.mantissa(), power(up)?);
    }
    // More digits are welcome where they are zeros.
    let down = power(x.scale().checked_sub(scale)?)?;
    (x.mantissa().checked_rem(down)? == 0).then(|| x.mantissa().checked_div(down)).flatten()
}

/// Money as units.
#[inline]
pub(super) fn money_units(x: Money) -> Result<i128, LedgerError> {
    let units = whole(x, MONEY_SCALE).ok_or(LedgerError::TooFine { what: "an amount", value: x })?;
    money_bound(units)
}

/// Refuses units beyond the bound of money.
#[inline]
pub(super) fn money_bound(units: i128) -> Result<i128, LedgerError> {
    bounded(units, MONEY_MAX, "an amount")
}

/// Units as money. The units come from the books or through [`money_bound`], so they fit; always with
/// [`MONEY_SCALE`] digits.
pub(super) fn money(units: i128) -> Money {
    Decimal::try_from_i128_with_scale(units, MONEY_SCALE).unwrap_or(Decimal::MAX)
}

/// A quantity as units.
#[inline]
pub(super) fn quantity_units(x: Decimal) -> Result<i128, LedgerError> {
    let units = whole(x, QUANTITY_SCALE).ok_or(LedgerError::TooFine { what: "a quantity", value: x })?;
    quantity_bound(units)
}

/// Refuses units beyond the bound of quantities.
#[inline]
pub(super) fn quantity_bound(units: i128) -> Result<i128, LedgerError> {
    bounded(units, QUANTITY_MAX, "a quantity")
}

/// Units as a quantity. They come from the books or through [`quantity_bound`], so they fit.
pub(super) fn quantity(units: i128) -> Decimal {
    Decimal::try_from_i128_with_scale(units, QUANTITY_SCALE).unwrap_or(Decimal::MAX)
}

/// A price as units; negative ones are refused.
pub(super) fn price_units(x: Decimal) -> Result<i128, LedgerError> {
    whole(x, PRICE_SCALE)
        .filter(|units| (0..=PRICE_MAX).contains(units))
        .ok_or(LedgerError::TooFine { what: "a price", value: x })
}

#[inline]
fn bounded(units: i128, most: i128, what: &'static str) -> Result<i128, LedgerError> {
    if units.unsigned_abs() <= most.unsigned_abs() { Ok(units) } else { Err(LedgerError::Overflow(what)) }
}

/// `a + b` for amounts within their bounds, whose sum is exact. A sum that saturates lies far outside
/// the bounds, so [`money_bound`] and [`quantity_bound`], which guard all that is written, refuse it.
#[inline]
pub(super) fn plus(a: i128, b: i128) -> i128 {
    a.saturating_add(b)
}

/// `a − b`, on the same terms as [`plus`].
#[inline]
pub(super) fn minus(a: i128, b: i128) -> i128 {
    a.saturating_sub(b)
}

/// A balance moved by `units`.
#[inline]
pub(super) fn moved(balance: i128, units: i128) -> Result<i128, LedgerError> {
    money_bound(plus(balance, units))
}

/// a × b as money, rounded once, half to even: the only multiplication the money rooms use.
pub fn product(a: Decimal, b: Decimal) -> Result<Money, LedgerError> {
    let units = scaled_product(a, b, MONEY_SCALE).ok_or(LedgerError::Overflow("a product"))?;
    money_bound(units).map(money)
}

/// quantity × a price with any number of digits, in money units, rounded once, half to even.
pub(super) fn worth(quantity: i128, price: Decimal) -> Result<i128, LedgerError> {
    let scale = QUANTITY_SCALE.saturating_add(price.scale());
    let units = scaled(quantity, price.mantissa(), scale, MONEY_SCALE);
    money_bound(units.ok_or(LedgerError::Overflow("a product"))?)
}

/// quantity × price in money units, rounded once, half to even.
#[inline]
pub(super) fn notional(quantity: i128, price: i128) -> Result<i128, LedgerError> {
    value(quantity, price).map(from_value)
}

/// a × b, exact or not at all. Amounts of every day fit 64 bits, whose product is one instruction.
#[inline]
fn times(a: i128, b: i128) -> Option<i128> {
    match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => Some(i128::from(a).wrapping_mul(i128::from(b))),
        _ => a.checked_mul(b),
    }
}

/// Multiplies two magnitudes; none if the product does not fit.
#[inline]
fn times_unsigned(a: u128, b: u128) -> Option<u128> {
    match (u64::try_from(a), u64::try_from(b)) {
        (Ok(a), Ok(b)) => Some(u128::from(a).wrapping_mul(u128::from(b))),
        _ => a.checked_mul(b),
    }
}

/// quantity × price in value units, exact.
#[inline]
pub(super) fn value(quantity: i128, price: i128) -> Result<i128, LedgerError> {
    times(quantity, price).ok_or(LedgerError::Overflow("a value"))
}

/// A sum of values.
#[inline]
pub(super) fn value_sum(a: i128, b: i128) -> Result<i128, LedgerError> {
    a.checked_add(b).ok_or(LedgerError::Overflow("a value"))
}

/// Money units as value units, exact.
#[inline]
pub(super) fn as_value(money_units: i128) -> Result<i128, LedgerError> {
    times(money_units, VALUES_PER_MONEY).ok_or(LedgerError::Overflow("a value"))
}

/// Value units as money units, rounded half to even.
#[inline]
pub(super) fn from_value(value: i128) -> i128 {
    let magnitude = divide_half_even(value.unsigned_abs(), VALUES_PER_MONEY.unsigned_abs());
    magnitude.and_then(|m| signed(m, value < 0)).unwrap_or(0)
}

/// What one unit held is charged, mark × rate, at [`CHARGE_SCALE`].
pub(super) fn charge_per_unit(mark: Decimal, rate: Decimal) -> Result<i128, LedgerError> {
    price_units(mark)?;
    scaled_product(mark, rate, CHARGE_SCALE).ok_or(LedgerError::Overflow("a charge per unit"))
}

/// quantity × charge per unit in money units, rounded once, half to even.
pub(super) fn charge(quantity: i128, per_unit: i128) -> Result<i128, LedgerError> {
    scaled(quantity, per_unit, QUANTITY_SCALE.saturating_add(CHARGE_SCALE), MONEY_SCALE)
        .ok_or(LedgerError::Overflow("a charge"))
}

/// a × b as a whole number of 10⁻ˢᶜᵃˡᵉ, rounded half to even.
#[inline]
fn scaled_product(a: Decimal, b: Decimal, scale: u32) -> Option<i128> {
    scaled(a.mantissa(), b.mantissa(), a.scale().checked_add(b.scale())?, scale)
}

/// a × b, which is in units of 10⁻ᶠʳᵒᵐ, as units of 10⁻ᵗᵒ, half to even.
fn scaled(a: i128, b: i128, from: u32, to: u32) -> Option<i128> {
    match times(a, b) {
        Some(product) => rescale(product, from, to),
        None => wide_product(a, b, from.checked_sub(to)?),
    }
}

/// Units of 10⁻ᶠʳᵒᵐ as units of 10⁻ᵗᵒ, half to even.
#[inline]
fn rescale(units: i128, from: u32, to: u32) -> Option<i128> {
    if let Some(up) = to.checked_sub(from) {
        return times(units, power(up)?);
    }
    let Some(by) = power(from.checked_sub(to)?) else {
        // Fewer than 38.3 digits over more than 38: nearer to zero than to one.
        return Some(0);
    };
    let magnitude = divide_half_even(units.unsigned_abs(), by.unsigned_abs())?;
    signed(magnitude, units < 0)
}

#[inline]
fn signed(magnitude: u128, negative: bool) -> Option<i128> {
    let x = i128::try_from(magnitude).ok()?;
    if negative { x.checked_neg() } else { Some(x) }
}

#[inline]
fn divide_half_even(n: u128, by: u128) -> Option<u128> {
    // What is worth little fits 64 bits, where dividing is one instruction.
    if let (Ok(n), Ok(by)) = (u64::try_from(n), u64::try_from(by)) {
        let q = n.checked_div(by)?;
        let rest = n.wrapping_sub(q.wrapping_mul(by));
        let other = by.wrapping_sub(rest);
        let up = rest > other || (rest == other && q & 1 == 1);
        return Some(u128::from(q).wrapping_add(u128::from(up)));
    }
    let q = n.checked_div(by)?;
    // q × by ≤ n and rest < by ≤ 10³⁸ or < 2¹²⁷, so nothing wraps.
    let rest = n.wrapping_sub(q.wrapping_mul(by));
    let other = by.wrapping_sub(rest);
    let up = rest > other || (rest == other && q & 1 == 1);
    Some(q.wrapping_add(u128::from(up)))
}

/// a × b / 10ᵈⁱᵍⁱᵗˢ for products beyond 128 bits: both factors have at most 96 (more is refused), so
/// three words of 64 bits hold the product, and dividing by ten at a time keeps every digit in sight.
fn wide_product(a: i128, b: i128, digits: u32) -> Option<i128> {
    const WORD: u128 = 1 << 64;
    let (x, y) = (a.unsigned_abs(), b.unsigned_abs());
    let split = |v: u128| Some((v.checked_rem(WORD)?, v.checked_div(WORD)?));
    let ((x0, x1), (y0, y1)) = (split(x)?, split(y)?);
    let (low, carry) = split(x0.checked_mul(y0)?)?;
    let cross = x0.checked_mul(y1)?.checked_add(x1.checked_mul(y0)?)?.checked_add(carry)?;
    let (middle, carry) = split(cross)?;
    let mut words = [x1.checked_mul(y1)?.checked_add(carry)?, middle, low];
    let (mut last, mut sticky) = (0, false);
    for _ in 0..digits {
        sticky |= last != 0;
        let mut rest = 0_u128;
        for word in &mut words {
            let n = rest.checked_mul(WORD)?.checked_add(*word)?;
            *word = n.checked_div(10)?;
            rest = n.checked_rem(10)?;
        }
        last = rest;
    }
    let [high, middle, low] = words;
    if high != 0 {
        return None;
    }
    let q = middle.checked_mul(WORD)?.checked_add(low)?;
    let up = last > 5 || (last == 5 && (sticky || q & 1 == 1));
    signed(q.checked_add(u128::from(up))?, (a < 0) != (b < 0))
}

/// `amount × part / of`, rounded half to even, for 0 ≤ part ≤ of. Both weights lose low bits where the
/// product would leave 127 bits: the share is right to the unit for amounts below 9 × 10⁸ and to one part
/// in 2⁵² above. The caller books what is left over, so no sum is ever wrong.
#[inline]
pub(super) fn share(amount: i128, part: u128, of: u128) -> i128 {
    let bits = |x: u128| u128::BITS.saturating_sub(x.leading_zeros());
    let magnitude = amount.unsigned_abs();
    let shift = bits(magnitude).saturating_add(bits(of)).saturating_sub(127);
    let (part, of) = (part.checked_shr(shift).unwrap_or(0), of.checked_shr(shift).unwrap_or(0));
    times_unsigned(magnitude, part)
        .and_then(|n| divide_half_even(n, of))
        .and_then(|q| signed(q, amount < 0))
        .unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::money::parse;
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        parse(text).unwrap()
    }

    #[test]
    fn products_that_decimal_rounds_silently_are_right_or_refused() {
        // rust_decimal gives 0 for the first and 28 digits of the second.
        assert_eq!(product(dec("1e-16"), dec("1e-16")).unwrap(), Decimal::ZERO);
        let (q, p) = (dec("123456.12345678901234"), dec("98765.123456789012"));
        assert_eq!(product(q, p).unwrap(), dec("12193159274.7063526480"));
        // Beyond 128 bits before the division; checked by arithmetic of 80 digits elsewhere.
        let (q, p) = (dec("98765432109876.54321098765432"), dec("0.009876543219"));
        assert_eq!(product(q, p).unwrap(), dec("975461058776.4060357776"));
        let (x, y) = (9_876_543_210_987_654_321_098_765_432, Decimal::MAX.mantissa());
        assert_eq!(wide_product(x, -y, 20), Some(-7_825_003_705_992_840_086_645_926_433_754_754_231));
        assert_eq!(wide_product(x, y, 17), None);
        assert_eq!(product(dec("1e14"), dec("1e14")), Err(LedgerError::Overflow("an amount")));
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let half = dec("0.5");
        for (unit, want) in [(1_i64, 0_i64), (2, 1), (3, 2), (5, 2), (-1, 0), (-3, -2)] {
            assert_eq!(
                product(Decimal::new(unit, MONEY_SCALE), half).unwrap(),
                Decimal::new(want, MONEY_SCALE)
            );
        }
    }

    #[test]
    fn finer_amounts_are_refused_and_trailing_zeros_are_not() {
        assert_eq!(money_units(dec("0.10000000000000")).unwrap(), 1_000_000_000);
        assert!(matches!(money_units(dec("0.00000000001")), Err(LedgerError::TooFine { .. })));
        assert!(price_units(dec("0.0000000000001")).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn wide_and_narrow_products_agree(a in -(1_i64 << 60)..1 << 60, b in -(1_i64 << 60)..1 << 60, digits in 1_u32..30) {
            let (a, b) = (i128::from(a), i128::from(b));
            prop_assert_eq!(wide_product(a, b, digits), rescale(a * b, digits, 0));
        }

        #[test]
        fn products_are_symmetric(a in any::<i64>(), b in any::<i64>(), s in 0_u32..=14, t in 0_u32..=12) {
            let (x, y) = (Decimal::new(a, s), Decimal::new(b, t));
            let there = scaled_product(x, y, MONEY_SCALE);
            prop_assert_eq!(scaled_product(-x, y, MONEY_SCALE), there.map(|v| -v));
        }

        #[test]
        fn a_share_of_all_is_all(amount in -MONEY_MAX..MONEY_MAX, of in 1_u128..1 << 90) {
            prop_assert_eq!(share(amount, of, of), amount);
            prop_assert_eq!(share(amount, 0, of), 0);
            let half = share(amount, of / 2, of).unsigned_abs();
            prop_assert!(half <= amount.unsigned_abs());
        }
    }
}
