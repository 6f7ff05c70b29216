//! Money and quantities (law 6): decimal, checked, one parser, explicit rounding.

pub use rust_decimal::Decimal;

/// An amount of the account's currency.
pub type Money = Decimal;

/// Digits after the point of amounts in the books. Finer amounts are rounded to this and the residue
/// is booked to the rounding account.
pub const MONEY_SCALE: u32 = 10;

/// Why a number is not a usable amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a decimal number, or more than 28 digits.
    #[error("not a decimal number of at most 28 digits")]
    Unreadable,
    /// Larger than any amount here may be.
    #[error("larger than 1e15, the most an amount may be")]
    TooLarge,
}

/// The only reader of amounts: exact or an error, never rounded silently.
pub fn parse(text: &str) -> Result<Decimal, AmountError> {
    let text = text.trim();
    let value = if text.contains(['e', 'E']) {
        Decimal::from_scientific(text)
    } else {
        Decimal::from_str_exact(text)
    };
    let value = value.map_err(|_| AmountError::Unreadable)?;
    if value.abs() > Decimal::from_i128_with_scale(1_000_000_000_000_000, 0) {
        return Err(AmountError::TooLarge);
    }
    Ok(value)
}

/// 10ⁿ as a float, exact up to n = 22; a table, since every mark and order passes here.
pub fn power_of_ten(n: u32) -> f64 {
    const POWERS: [f64; 29] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18, 1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28,
    ];
    POWERS.get(n as usize).copied().unwrap_or(f64::INFINITY)
}

/// An estimate as an amount with `scale` digits, rounded half to even; `None` if it is not finite or
/// does not fit.
pub fn from_estimate(x: f64, scale: u32) -> Option<Decimal> {
    let scaled = x * power_of_ten(scale);
    // Half to even, as everywhere in the books; beyond 2^96 a Decimal has no digits left.
    let rounded = libm::rint(scaled);
    // Nearly all amounts fit 64 bits, which cost a fraction of what 128 do.
    if libm::fabs(rounded) < 9e18 {
        return Decimal::try_new(rounded as i64, scale).ok();
    }
    (rounded.is_finite() && libm::fabs(rounded) < 7.9e28)
        .then(|| Decimal::try_from_i128_with_scale(rounded as i128, scale).ok())
        .flatten()
}

/// The digits of an amount without their point, rounded once. Nearly all amounts fit 63 bits, which cost a fraction of what 128
/// do.
fn whole(x: Decimal) -> f64 {
    let parts = x.unpack();
    let low = u64::from(parts.mid) << 32 | u64::from(parts.lo);
    match i64::try_from(low) {
        Ok(low) if parts.hi == 0 => (if parts.negative { -low } else { low }) as f64,
        _ => x.mantissa() as f64,
    }
}

/// An amount as an estimate.
pub fn to_estimate(x: Decimal) -> f64 {
    // The mantissa has at most 96 bits and is rounded once here, where it has more than 53 of them, and once by the power of
    // ten.
    whole(x) / power_of_ten(x.scale())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_exactly_or_not_at_all() {
        assert_eq!(parse("100000").unwrap(), Decimal::new(100_000, 0));
        assert_eq!(parse("1e-8").unwrap(), Decimal::new(1, 8));
        assert_eq!(parse("0.12345678901234567890123456789"), Err(AmountError::Unreadable));
        assert_eq!(parse("ten"), Err(AmountError::Unreadable));
        assert_eq!(parse("1e16"), Err(AmountError::TooLarge));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(mantissa in -(1_i64 << 50)..1 << 50, scale in 0_u32..20) {
            let amount = Decimal::new(mantissa, scale);
            let read = parse(&amount.to_string());
            let fits = amount.abs() <= Decimal::new(1_000_000_000_000_000, 0);
            prop_assert_eq!(read, if fits { Ok(amount) } else { Err(AmountError::TooLarge) });
            prop_assert_eq!(parse(&format!("{mantissa}e-{scale}")), read);
        }

        #[test]
        fn narrow_and_wide_amounts_are_estimated_alike(mantissa in any::<i64>(), by in 0_u32..20, scale in 0_u32..28) {
            let wide = (i128::from(mantissa) << by).clamp(-(1 << 95), 1 << 95);
            let amount = Decimal::from_i128_with_scale(wide, scale);
            prop_assert_eq!(to_estimate(amount).to_bits(), (wide as f64 / power_of_ten(scale)).to_bits());
            let x = wide as f64;
            let there = Decimal::try_from_i128_with_scale(libm::rint(x) as i128, 0).unwrap();
            prop_assert_eq!(from_estimate(x, 0).map(|d| d.serialize()), Some(there.serialize()));
        }

        #[test]
        fn estimates_come_back(x in -1e9_f64..1e9) {
            let there = from_estimate(x, 10).unwrap();
            prop_assert!((to_estimate(there) - x).abs() <= 1e-9_f64.max(x.abs() * 1e-15));
        }
    }
}
