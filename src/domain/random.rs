//! Randomness as a function of its key (law 1): the same seed, agent and stamp give the same number
//! whatever was drawn before, so a longer history changes nothing before its end.

/// Mixes one more word into a key (the finaliser of `SplitMix64`; Steele, Lea, Flood 2014).
pub fn mix(key: u64, word: u64) -> u64 {
    let mut z =
        key.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_add(word.wrapping_mul(0xd134_2543_de82_ef95));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A key from a seed and the words that say what is being drawn.
pub fn key(seed: u64, words: &[u64]) -> u64 {
    words.iter().fold(mix(seed, 0x6869_7665), |k, &w| mix(k, w))
}

/// A word from a name, for keys that must not depend on numbering.
pub fn name(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| mix(h, u64::from(b)))
}

/// Uniform on [0, 1), 53 bits.
pub fn uniform(key: u64) -> f64 {
    (mix(key, 1) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Uniform on the whole numbers 0 … n−1; n = 0 gives 0.
pub fn below(key: u64, n: u64) -> u64 {
    ((u128::from(mix(key, 2)) * u128::from(n)) >> 64) as u64
}

/// Standard normal (Box and Muller 1958, one of the pair).
pub fn normal(key: u64) -> f64 {
    let u = 1.0 - uniform(mix(key, 3));
    let v = uniform(mix(key, 4));
    libm::sqrt(-2.0 * libm::log(u)) * libm::cos(2.0 * std::f64::consts::PI * v)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_and_normal_have_their_moments() {
        let n = 200_000_u64;
        let (mut su, mut sn, mut sn2) = (0.0, 0.0, 0.0);
        for i in 0..n {
            let k = key(7, &[3, i]);
            let u = uniform(k);
            assert!((0.0..1.0).contains(&u));
            su += u;
            let x = normal(k);
            sn += x;
            sn2 += x * x;
        }
        let n = n as f64;
        assert!((su / n - 0.5).abs() < 0.005);
        assert!((sn / n).abs() < 0.01);
        assert!((sn2 / n - 1.0).abs() < 0.02);
    }

    #[test]
    fn below_stays_below_and_reaches_all() {
        let mut seen = [false; 7];
        for i in 0..200 {
            seen[below(key(1, &[i]), 7) as usize] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(below(9, 0), 0);
    }
}
