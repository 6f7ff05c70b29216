//! The real life of the hive: funds, desk, gate, venue and books. What the agents made of what they
//! heard arrives as aims; what leaves is orders, and what comes back is told apart to the last digit.
//!
//! # Invariants
//!
//! 1. Orders leave only through the gate; the venue fills them; the ledger books them; nothing else
//!    changes a position.
//! 2. After every bar Σ parts of the desk = the desk's net = the ledger's net = the venue's position.
//! 3. The first doubt (a refused posting, a mismatch with the venue) halts: no new risk, and the
//!    reason is kept for the operator.
//!
//! [`Real`] is one account; its files are what is done with it, each using those before it: `account` holds and
//! books, `orders` sends one order, `selection` and `routing` make orders of what the desk wants, `serving` takes bids, `resting` and
//! `events` hear the market, `packages`, `package_orders`, `package_liquidity` and `package_fills` are what structures do with money, `reports` the venue, `decide` is the desk at a barrier, `ruin` its end, `steering` the operator.

mod account;
mod context;
mod decide;
mod derived;
mod events;
mod execution;
mod life;
mod orders;
mod package_fills;
mod package_liquidity;
mod package_orders;
mod packages;
mod reports;
mod resting;
mod routing;
mod ruin;
mod selection;
mod serving;
mod spec;
mod steering;

pub use account::{Account, Ruin};
pub use context::StepContext;
pub use execution::Execution;
pub use life::Real;
pub use spec::RealSpec;
