//! Fill levels: one implementation for alone, sim and paper.
//!
//! [`bar`] is level B, which history runs use; [`costs`] says what trading costs there. Orders, lots
//! and ticks are the venue's business (`execution`).

pub mod bar;
pub mod costs;

pub use bar::{Taken, borrow_cost, borrow_fraction, fee_rate, funding_cost, rest, take};
pub use costs::{BarCosts, Costs, PerKind};
