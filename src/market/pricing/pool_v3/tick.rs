//! Ticks and square-root prices: √P in 96 binary digits after the point, P = 1.0001^tick, to the last
//! bit as the contract computes it.
//!
//! # Invariants
//!
//! 1. [`sqrt_price_at`] rises with the tick, from [`SQRT_PRICE_MIN`] to [`SQRT_PRICE_MAX`], and is 2⁹⁶ at 0.
//! 2. [`tick_at`] is the greatest tick whose price is not above, so the two undo each other on ticks.

use super::super::wide::{U256, to_f64};
use super::V3Error;

/// The highest tick; the lowest is its negative.
pub const TICK_MAX: i32 = 887_272;
/// √P at the lowest tick.
pub const SQRT_PRICE_MIN: U256 = U256::new(4_295_128_739);
/// √P at the highest tick, 1461446703485210103287273052203988822378723970342.
pub const SQRT_PRICE_MAX: U256 = U256::from_words(0xfffd_8963, 0xefd1_fc6a_5064_8849_5d95_1d52_6398_8d26);
/// One in 96 binary digits after the point.
pub const Q96: U256 = U256::new(1 << 96);

/// 1.0001^(−2ⁱ/2) for i = 0 … 19 in 128 binary digits after the point, each rounded to the nearest: a
/// tick's price is the product over the bits of the tick.
const HALVES: [u128; 20] = [
    0xfffc_b933_bd6f_ad37_aa2d_162d_1a59_4001,
    0xfff9_7272_373d_4132_59a4_6990_580e_213a,
    0xfff2_e50f_5f65_6932_ef12_357c_f3c7_fdcc,
    0xffe5_caca_7e10_e4e6_1c36_24ea_a094_1cd0,
    0xffcb_9843_d60f_6159_c9db_5883_5c92_6644,
    0xff97_3b41_fa98_c081_472e_6896_dfb2_54c0,
    0xff2e_a164_66c9_6a38_43ec_78b3_26b5_2861,
    0xfe5d_ee04_6a99_a2a8_11c4_61f1_969c_3053,
    0xfcbe_86c7_900a_88ae_dcff_c83b_479a_a3a4,
    0xf987_a725_3ac4_1317_6f2b_074c_f781_5e54,
    0xf339_2b08_22b7_0005_940c_7a39_8e4b_70f3,
    0xe715_9475_a2c2_9b74_43b2_9c7f_a6e8_89d9,
    0xd097_f3bd_fd20_22b8_845a_d8f7_92aa_5825,
    0xa9f7_4646_2d87_0fdf_8a65_dc1f_90e0_61e5,
    0x70d8_69a1_56d2_a1b8_90bb_3df6_2baf_32f7,
    0x31be_135f_97d0_8fd9_8123_1505_542f_cfa6,
    0x09aa_508b_5b7a_84e1_c677_de54_f3e9_9bc9,
    0x005d_6af8_dedb_8119_6699_c329_225e_e604,
    0x0000_2216_e584_f5fa_1ea9_2604_1bed_fe98,
    0x0000_0000_048a_1703_91f7_dc42_444e_8fa2,
];

/// √P of a tick.
///
/// # Errors
///
/// A tick beyond ±[`TICK_MAX`].
pub fn sqrt_price_at(tick: i32) -> Result<U256, V3Error> {
    let size = tick.unsigned_abs();
    if size > TICK_MAX.unsigned_abs() {
        return Err(V3Error::Tick(tick));
    }
    let mut ratio = U256::ONE << 128_u32;
    for (bit, half) in HALVES.iter().enumerate() {
        if size >> bit & 1 == 1 {
            ratio = (ratio * U256::new(*half)) >> 128_u32;
        }
    }
    if tick > 0 {
        ratio = U256::MAX / ratio;
    }
    // From 128 digits to 96, rounded up, so that the tick of a tick's price is the tick.
    let rounds = ratio & U256::new(u128::from(u32::MAX)) != U256::ZERO;
    Ok((ratio >> 32_u32) + U256::from(rounds))
}

/// The greatest tick whose √P is not above `sqrt_price`.
///
/// # Errors
///
/// Below [`SQRT_PRICE_MIN`], or [`SQRT_PRICE_MAX`] and above.
pub fn tick_at(sqrt_price: U256) -> Result<i32, V3Error> {
    if sqrt_price < SQRT_PRICE_MIN || sqrt_price >= SQRT_PRICE_MAX {
        return Err(V3Error::SqrtPrice(sqrt_price));
    }
    // A float is right to far below one tick; the last word is the integers'.
    let estimate = 2.0 * libm::log(to_f64(sqrt_price) / to_f64(Q96)) / libm::log(1.0001);
    let mut tick = (libm::floor(estimate) as i32).clamp(-TICK_MAX, TICK_MAX - 1);
    while sqrt_price_at(tick)? > sqrt_price {
        tick -= 1;
    }
    while sqrt_price_at(tick + 1)? <= sqrt_price {
        tick += 1;
    }
    Ok(tick)
}

/// Price of token 0 in token 1, in smallest units, as an estimate.
pub fn price_of(sqrt_price: U256) -> f64 {
    let root = to_f64(sqrt_price) / to_f64(Q96);
    root * root
}

/// √P of an estimated price, in smallest units.
///
/// # Errors
///
/// A price outside what ticks can say.
pub fn sqrt_price_of(price: f64) -> Result<U256, V3Error> {
    let root = libm::sqrt(price) * to_f64(Q96);
    // Only a number that is finite and above the least price comes past the first check.
    if !(root >= to_f64(SQRT_PRICE_MIN) && root < to_f64(SQRT_PRICE_MAX)) {
        return Err(V3Error::Price(price));
    }
    let (fraction, exponent) = libm::frexp(root);
    let digits = U256::new(libm::ldexp(fraction, 53) as u128);
    let shift = exponent - 53;
    let root = if shift >= 0 { digits << shift.unsigned_abs() } else { digits >> shift.unsigned_abs() };
    Ok(root.max(SQRT_PRICE_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_golden_ratios() {
        assert_eq!(sqrt_price_at(0), Ok(Q96));
        assert_eq!(Q96.to_string(), "79228162514264337593543950336");
        assert_eq!(sqrt_price_at(-TICK_MAX), Ok(SQRT_PRICE_MIN));
        assert_eq!(sqrt_price_at(TICK_MAX), Ok(SQRT_PRICE_MAX));
        assert_eq!(SQRT_PRICE_MIN.to_string(), "4295128739");
        assert_eq!(SQRT_PRICE_MAX.to_string(), "1461446703485210103287273052203988822378723970342");
        assert_eq!(sqrt_price_at(TICK_MAX + 1), Err(V3Error::Tick(TICK_MAX + 1)));
        assert_eq!(sqrt_price_at(i32::MIN), Err(V3Error::Tick(i32::MIN)));
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(tick_at(SQRT_PRICE_MIN), Ok(-TICK_MAX));
        assert_eq!(tick_at(SQRT_PRICE_MAX - U256::ONE), Ok(TICK_MAX - 1));
        assert!(tick_at(SQRT_PRICE_MAX).is_err() && tick_at(SQRT_PRICE_MIN - U256::ONE).is_err());
        for bad in [f64::NAN, -1.0, 0.0, 1e-40, 1e40, f64::INFINITY] {
            assert!(sqrt_price_of(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_tick_is_the_tick_of_its_price(tick in -TICK_MAX..TICK_MAX) {
            let at = sqrt_price_at(tick).unwrap();
            prop_assert_eq!(tick_at(at), Ok(tick));
            if tick > -TICK_MAX {
                prop_assert_eq!(tick_at(at - U256::ONE), Ok(tick - 1));
            }
            prop_assert!(sqrt_price_at(tick + 1).unwrap() > at);
        }

        #[test]
        fn the_price_is_a_power_of_one_and_a_basis_point(tick in -500_000..500_000_i32) {
            let price = price_of(sqrt_price_at(tick).unwrap());
            let power = libm::exp(f64::from(tick) * libm::log1p(0.0001));
            // The lowest prices have few digits in 96.
            let digits = 4.0 / to_f64(sqrt_price_at(tick).unwrap());
            prop_assert!((price / power - 1.0).abs() < 1e-10 + digits);
        }

        #[test]
        fn a_price_comes_back(price in 1e-30_f64..1e30) {
            let back = price_of(sqrt_price_of(price).unwrap());
            prop_assert!((back / price - 1.0).abs() < 1e-12);
        }
    }
}
