//! 256-bit integers as the pool contracts use them: products that need 512 bits in between, square
//! roots, and the way to floats and back.
//!
//! # Invariants
//!
//! 1. [`mul_div`] is ⌊a·b/d⌋ exactly, however long a·b is; what does not fit into 256 bits is an error.
//! 2. Nothing wraps unless its name says so.

pub use ethnum::U256;

/// Why a computation has no result in the contract's integers. A contract would revert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WideError {
    /// The result has more bits than its type.
    #[error("{0} does not fit into its integer; the contract would revert")]
    Overflow(&'static str),
    /// Division by zero.
    #[error("{0} divides by zero; the contract would revert")]
    DivisionByZero(&'static str),
}

const LOW: U256 = U256::new(u128::MAX);

/// ⌊a·b/d⌋ and the remainder.
fn mul_div_rem(a: U256, b: U256, d: U256) -> Result<(U256, U256), WideError> {
    if d == U256::ZERO {
        return Err(WideError::DivisionByZero("mul_div"));
    }
    if let Some(product) = a.checked_mul(b) {
        return Ok((product / d, product % d));
    }
    let (mut high, mut low) = long_product(a, b);
    if high >= d {
        return Err(WideError::Overflow("mul_div"));
    }
    // Long division (Knuth, The Art of Computer Programming 2, 4.3.1 D) in digits of 128 bits: four
    // digits by one or two. Shifted so that the divisor's leading bit is set.
    let shift = d.leading_zeros();
    let d = d << shift;
    if shift > 0 {
        high = (high << shift) | (low >> (256 - shift));
        low <<= shift;
    }
    let (upper, rest) = divide_digit(high, low >> 128_u32, d);
    let (lower, rest) = divide_digit(rest, low & LOW, d);
    Ok(((upper << 128_u32) | lower, rest >> shift))
}

/// (rest·2¹²⁸ + digit) by d, where rest < d, digit < 2¹²⁸ and d has its leading bit set.
fn divide_digit(rest: U256, digit: U256, d: U256) -> (U256, U256) {
    let (d1, d0) = (d >> 128_u32, d & LOW);
    let mut quotient = (rest / d1).min(LOW);
    let mut left = rest - quotient * d1;
    // At most twice, since d1 is at least half of the base.
    while left <= LOW && quotient * d0 > ((left << 128_u32) | digit) {
        quotient -= U256::ONE;
        left += d1;
    }
    // Only the low 256 bits are kept, and the true remainder is below d.
    let remainder = ((rest << 128_u32) | digit).wrapping_sub(quotient.wrapping_mul(d));
    (quotient, remainder)
}

/// a·b as (high, low) words of 256 bits.
fn long_product(a: U256, b: U256) -> (U256, U256) {
    let (a1, a0, b1, b0) = (a >> 128_u32, a & LOW, b >> 128_u32, b & LOW);
    let (low, high) = (a0 * b0, a1 * b1);
    let (cross, carried) = (a1 * b0).overflowing_add(a0 * b1);
    let (low, carry) = low.overflowing_add(cross << 128_u32);
    let mut high = high.wrapping_add(cross >> 128_u32).wrapping_add(U256::from(carry));
    if carried {
        high = high.wrapping_add(U256::ONE << 128_u32);
    }
    (high, low)
}

/// ⌊a·b/d⌋ with a product of 512 bits.
///
/// # Errors
///
/// Division by zero, or a result that needs more than 256 bits.
pub fn mul_div(a: U256, b: U256, d: U256) -> Result<U256, WideError> {
    mul_div_rem(a, b, d).map(|(quotient, _)| quotient)
}

/// ⌈a·b/d⌉ with a product of 512 bits.
///
/// # Errors
///
/// Division by zero, or a result that needs more than 256 bits.
pub fn mul_div_up(a: U256, b: U256, d: U256) -> Result<U256, WideError> {
    let (quotient, rest) = mul_div_rem(a, b, d)?;
    if rest == U256::ZERO {
        return Ok(quotient);
    }
    quotient.checked_add(U256::ONE).ok_or(WideError::Overflow("mul_div_up"))
}

/// ⌈a/d⌉.
///
/// # Errors
///
/// Division by zero.
pub fn div_up(a: U256, d: U256) -> Result<U256, WideError> {
    let whole = a.checked_div(d).ok_or(WideError::DivisionByZero("div_up"))?;
    // a % d ≠ 0 needs d > 1, so the quotient is far from the end of the type.
    Ok(if a % d == U256::ZERO { whole } else { whole + U256::ONE })
}

/// ⌊√n⌋, by Newton's method from above.
pub fn square_root(n: U256) -> U256 {
    if n == U256::ZERO {
        return n;
    }
    let bits = 256 - n.leading_zeros();
    let mut x = U256::ONE << bits.div_ceil(2);
    loop {
        let next = (x + n / x) >> 1_u32;
        if next >= x {
            return x;
        }
        x = next;
    }
}

/// `n` as u128.
///
/// # Errors
///
/// It needs more than 128 bits; `what` names it.
pub fn narrow(what: &'static str, n: U256) -> Result<u128, WideError> {
    u128::try_from(n).map_err(|_| WideError::Overflow(what))
}

/// `n` as an estimate.
pub fn to_f64(n: U256) -> f64 {
    let (high, low) = n.into_words();
    // 2¹²⁸ is a power of two, so only the words and the sum are rounded.
    high as f64 * 340_282_366_920_938_463_463_374_607_431_768_211_456.0 + low as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wide() -> impl Strategy<Value = U256> {
        // Short and long numbers, and those at the ends of their digits.
        (any::<u128>(), any::<u128>(), 0_u32..256, 0_u8..4).prop_map(|(h, l, s, kind)| {
            let full = U256::from_words(h, l);
            match kind {
                0 => full >> s,
                1 => U256::MAX >> s,
                2 => U256::MAX << s,
                _ => full,
            }
        })
    }

    #[test]
    fn the_edges() {
        assert_eq!(mul_div(U256::MAX, U256::MAX, U256::MAX), Ok(U256::MAX));
        assert_eq!(mul_div(U256::MAX, U256::ONE, U256::ZERO), Err(WideError::DivisionByZero("mul_div")));
        let half = U256::ONE << 255_u32;
        assert_eq!(mul_div(half, U256::new(2), U256::ONE), Err(WideError::Overflow("mul_div")));
        let third = mul_div_up(U256::MAX, U256::MAX, U256::MAX - U256::ONE);
        assert_eq!(third, Err(WideError::Overflow("mul_div")));
        assert_eq!(div_up(U256::new(7), U256::new(3)), Ok(U256::new(3)));
        assert_eq!(square_root(U256::MAX), U256::new(u128::MAX));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn quotient_and_remainder_rebuild_the_product(a in wide(), b in wide(), d in wide()) {
            prop_assume!(d > U256::ZERO);
            let (high, low) = long_product(a, b);
            match mul_div_rem(a, b, d) {
                Ok((q, r)) => {
                    prop_assert!(r < d);
                    let (h, l) = long_product(q, d);
                    let (l, carry) = l.overflowing_add(r);
                    prop_assert_eq!((h + U256::from(carry), l), (high, low));
                    let up = if r == U256::ZERO { Some(q) } else { q.checked_add(U256::ONE) };
                    prop_assert_eq!(mul_div_up(a, b, d).ok(), up);
                }
                Err(_) => prop_assert!(high >= d),
            }
        }

        #[test]
        fn long_products_agree_modulo_a_prime(a in wide(), b in wide()) {
            let p = U256::new((1 << 61) - 1);
            let (high, low) = long_product(a, b);
            let base = U256::MAX % p + U256::ONE;
            prop_assert_eq!(((high % p) * base + low % p) % p, (a % p) * (b % p) % p);
            prop_assert_eq!(low, a.wrapping_mul(b));
        }

        #[test]
        fn the_root_is_the_largest_that_fits(n in wide()) {
            let r = square_root(n);
            prop_assert!(r * r <= n);
            prop_assert!((r + U256::ONE).checked_mul(r + U256::ONE).is_none_or(|above| above > n));
        }

        #[test]
        fn estimates_are_close(n in wide()) {
            let text: f64 = n.to_string().parse().unwrap();
            prop_assert!((to_f64(n) - text).abs() <= text * 3e-16);
        }
    }
}
