//! The indicators that a structure is judged by, and their values at one moment.

use crate::domain::Indicator;

/// The indicators of a structure, in the order of [`Values`] and of [`Indicator::unwindowed_index`].
pub const KEYS: [Indicator; 15] = [
    Indicator::Gain,
    Indicator::Spread,
    Indicator::Imbalance,
    Indicator::Edge,
    Indicator::Basis,
    Indicator::Carry,
    Indicator::Implied,
    Indicator::Forecast,
    Indicator::Rich,
    Indicator::Inventory,
    Indicator::Hours,
    Indicator::Away,
    Indicator::Way,
    Indicator::Mispriced,
    Indicator::Lead,
];

// Two lists of one order: they agree, or nothing compiles.
const _: () = {
    let mut i = 0;
    while i < KEYS.len() {
        assert!(matches!(KEYS[i].unwindowed_index(), Some(index) if index == i));
        i += 1;
    }
};

/// Values of [`KEYS`]; NaN where a family has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Values(pub [f64; KEYS.len()]);

impl Default for Values {
    fn default() -> Self {
        Values([f64::NAN; KEYS.len()])
    }
}

impl Values {
    /// Sets one; those with a window are no structure's and are ignored.
    pub fn set(&mut self, key: Indicator, value: f64) {
        if let Some(i) = key.unwindowed_index() {
            self.0[i] = value;
        }
    }

    /// Value of an indicator; NaN where the family has none.
    pub fn of(&self, key: Indicator) -> f64 {
        key.unwindowed_index().map_or(f64::NAN, |i| self.0[i])
    }
}
