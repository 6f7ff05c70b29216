//! A running 64-bit digest of decisions: cheap enough for every bar, part of the state, and equal
//! between two runs only if they decided the same things in the same order. And the hash of whole states.

use super::random::mix;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::BufWriter;

/// What is written of a state before it is hashed, in bytes: a state is written number by number, and so much at once is
/// hashed in parallel.
const HASHED_AT_ONCE: usize = 1 << 16;

/// Two mixed lanes; not a cryptographic hash (nobody attacks it), only a witness of equality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    low: u64,
    high: u64,
}

impl Digest {
    /// Folds a word in.
    pub fn word(&mut self, w: u64) {
        self.low = mix(self.low, w);
        self.high = (self.high.rotate_left(23) ^ w).wrapping_mul(0x9fb2_1c65_1e98_df25) ^ self.low;
    }

    /// Folds the bits of a float in, zero and minus zero alike.
    pub fn float(&mut self, x: f64) {
        self.word((x + 0.0).to_bits());
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.high, self.low)
    }
}

/// The hash of anything serialisable: of all that is in it, in the order in which it is written.
pub fn hash<T: Serialize>(state: &T) -> Result<blake3::Hash, postcard::Error> {
    // Writing it ends with a flush, so nothing is left in the buffer.
    let written = postcard::to_io(state, BufWriter::with_capacity(HASHED_AT_ONCE, blake3::Hasher::new()))?;
    Ok(written.get_ref().finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_value_matter_and_the_sign_of_zero_does_not() {
        let of = |words: &[f64]| {
            let mut d = Digest::default();
            for w in words {
                d.float(*w);
            }
            d
        };
        assert_ne!(of(&[1.0, 2.0]), of(&[2.0, 1.0]));
        assert_ne!(of(&[1.0]), of(&[1.0, 0.0]));
        assert_eq!(of(&[-0.0]), of(&[0.0]));
    }

    #[test]
    fn a_state_of_any_size_is_hashed_whole() {
        for words in [0, 1, HASHED_AT_ONCE / 8, HASHED_AT_ONCE] {
            let state: Vec<f64> = (0..words).map(|w| w as f64).collect();
            let bytes = postcard::to_stdvec(&state).unwrap();
            assert_eq!(hash(&state).unwrap(), blake3::hash(&bytes), "{words} words");
        }
    }
}
