//! Fill levels: one implementation for alone, open and paper.
//!
//! [`bar`] is level B, which history runs use; [`level`] is L1 and L2, on quotes and books; [`costs`] says
//! what trading costs, [`charge`] what of it contracts that end are charged; [`pace`]
//! says when a position is worth a trade, [`fine`] which prices lives meet between two decisions, [`books`] keeps one that is only simulated, [`liquidation`] says when its venue takes
//! it over. Orders, lots and ticks are
//! the venue's business (`execution`).

pub mod bar;
pub mod books;
pub mod charge;
pub mod costs;
pub mod fine;
pub mod level;
pub mod liquidation;
pub mod pace;

pub use bar::{
    BarUse, DISTANCE_MAX, Taken, borrow_cost, borrow_fraction, fee_rate, funding_cost, impact_rate,
    pays_borrow, rate, rest, side_rate, take, worked,
};
pub use costs::{BarCosts, Costs, OptionFees, PerKind, Tariff};
