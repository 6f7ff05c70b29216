//! When there is enough to say that one thing does better than another; `hive` measures it.

/// Days before anything is said of emergence.
pub const DAYS_MIN: u32 = 60;
/// Evidence from which on a claim stands: the chance that worthless evidence ever gets there is 1 in 20.
pub const ENOUGH: f64 = 20.0;

/// What evidence for more and for less lets one say, whenever it is looked at: `Some(true)` for more, `Some(false)`
/// for less, none that it is not certain yet.
pub fn certainty(more: f64, less: f64) -> Option<bool> {
    match () {
        () if more >= ENOUGH && more >= less => Some(true),
        () if less >= ENOUGH => Some(false),
        () => None,
    }
}
