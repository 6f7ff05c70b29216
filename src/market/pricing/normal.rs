//! The standard normal distribution: Φ and φ, the two functions every option formula rests on.
//!
//! # Invariants
//!
//! 1. Φ(x) + Φ(−x) = 1 to the last bits, and the far tails keep their relative precision, since Φ goes
//!    through the complementary error function and never through 1 − something.
//!
//! The inverse is not here: nothing needs it.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Φ(x), the probability that a standard normal number is at most x.
pub fn cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// φ(x), the density of the standard normal at x.
pub fn pdf(x: f64) -> f64 {
    libm::exp(-0.5 * x * x) / libm::sqrt(2.0 * PI)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_values() {
        // Abramowitz and Stegun, table 26.1 and 26.2.
        for (x, phi) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_543),
            (-1.0, 0.158_655_253_931_457),
            (1.96, 0.975_002_104_851_780),
            (-5.0, 2.866_515_718_791_9e-7),
            (-10.0, 7.619_853_024_160_5e-24),
        ] {
            assert!((cdf(x) - phi).abs() <= 1e-13 * phi, "Φ({x}) = {}", cdf(x));
        }
        assert!((pdf(0.0) - 0.398_942_280_401_433).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn both_sides_add_up_to_one(x in -8.0_f64..8.0) {
            prop_assert!((cdf(x) + cdf(-x) - 1.0).abs() < 1e-15);
        }

        #[test]
        fn the_density_is_the_slope(x in -6.0_f64..6.0) {
            let h = 1e-5;
            let slope = (cdf(x + h) - cdf(x - h)) / (2.0 * h);
            prop_assert!((slope - pdf(x)).abs() < 1e-9);
        }
    }
}
