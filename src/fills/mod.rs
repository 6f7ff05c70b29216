//! Fill levels: one implementation for alone, sim and paper.
pub mod costs;
pub use costs::{BarCosts, Costs, PerKind};
