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

/// Most indicators over the bars of its first leg that a structure is judged by beside [`KEYS`].
pub const OF_BARS_MAX: usize = 8;

/// Values of [`KEYS`], and after them of what a family looks at over bars, in the order of its
/// [keys](crate::agents::family::Family::keys); NaN where it has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Values(pub [f64; KEYS.len() + OF_BARS_MAX]);

impl Default for Values {
    fn default() -> Self {
        Values([f64::NAN; KEYS.len() + OF_BARS_MAX])
    }
}

impl Values {
    /// Sets one; those with a window are no structure's and are ignored.
    pub fn set(&mut self, key: Indicator, value: f64) {
        if let Some(i) = key.unwindowed_index() {
            self.0[i] = value;
        }
    }

    /// Sets those over bars, at most [`OF_BARS_MAX`].
    pub fn set_of_bars(&mut self, values: &[f64]) {
        self.0[KEYS.len()..].iter_mut().zip(values).for_each(|(to, value)| *to = *value);
    }

    /// Value of an indicator without a window; NaN where the family has none.
    pub fn of(&self, key: Indicator) -> f64 {
        key.unwindowed_index().map_or(f64::NAN, |i| self.0[i])
    }
}
