//! What worked orders come to, in sums that can be taken from each other: who works them and the records of those who bid
//! for it both count by it.

use crate::domain::{Decimal, Fill, money};
use serde::{Deserialize, Serialize};

/// Sums over worked orders, in currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExecutionCost {
    /// Notional that was filled while resting.
    pub rested: f64,
    /// Notional that was not, and crossed in the end.
    pub crossed: f64,
    /// Cost against the arrival price, fees included.
    pub cost: f64,
    /// What taking at the arrival would have cost.
    pub taking: f64,
}

impl ExecutionCost {
    /// Both, the other times `sign`.
    #[must_use]
    pub fn plus(self, other: &ExecutionCost, sign: f64) -> ExecutionCost {
        ExecutionCost {
            rested: self.rested + sign * other.rested,
            crossed: self.crossed + sign * other.crossed,
            cost: self.cost + sign * other.cost,
            taking: self.taking + sign * other.taking,
        }
    }

    /// What working them saved.
    pub fn saved(&self) -> f64 {
        self.taking - self.cost
    }

    /// What so much of a fill came to that was worked.
    pub(super) fn of(fill: &Fill, part: Decimal, arrival: f64, taking: f64, rested: bool) -> Self {
        let [q, all, p] = [part, fill.quantity, fill.price].map(money::to_estimate);
        let size = libm::fabs(q);
        let notional = size * arrival;
        ExecutionCost {
            rested: if rested { notional } else { 0.0 },
            crossed: if rested { 0.0 } else { notional },
            // A fee is of the whole fill; a part of it bears its share. Signed by q, so that buying lower and
            // selling higher than the arrival both save.
            cost: q * (p - arrival) + money::to_estimate(fill.fee) * (q / all),
            taking: size * taking,
        }
    }
}
