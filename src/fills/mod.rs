//! Fill levels: one implementation for alone, sim and paper.
pub mod costs;
pub mod bar;
pub use costs::{BarCosts, Costs, PerKind};
pub use bar::*;
