//! The knobs of the whole, and when a turn of one is worth saying.

use crate::domain::{Adjustment, Knob};
use serde::{Deserialize, Serialize};

/// Smallest turn of a scale that is worth saying.
pub(super) const STEP: f64 = 0.05;

/// The knobs of the whole as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Knobs {
    /// Multiplies the risk target.
    pub risk_scale: f64,
    /// Multiplies the configured gross cap.
    pub gross_scale: f64,
    /// Multiplies the width of the desk's band or zone.
    pub width: f64,
}

impl Knobs {
    /// All knobs where the configuration has them.
    pub const HOME: Knobs = Knobs { risk_scale: 1.0, gross_scale: 1.0, width: 1.0 };
}

/// Whether a turn is large enough, or brings the knob home.
pub(super) fn is_worth_turning(from: f64, to: f64, home: f64, step: f64) -> bool {
    to != from && (to == home || libm::fabs(to - from) >= step * home)
}

/// Turns a knob if the turn is worth saying, or if it brings the knob home; says it in its own unit.
pub(super) fn turn(
    knob: &mut f64,
    to: f64,
    which: Knob,
    because: f64,
    unit: f64,
    mut say: impl FnMut(Adjustment),
) {
    if is_worth_turning(*knob, to, 1.0, STEP) {
        say(Adjustment { knob: which, agent: None, from: *knob * unit, to: to * unit, because });
        *knob = to;
    }
}
