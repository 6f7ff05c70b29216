//! From what the hive wants to what may leave for a venue: funds, desk, last gate, breaker.
//!
//! - [`funds`]: points → funds and risk limits.
//! - [`desk`]: stances → one net position per asset, told apart again to the last atom.
//! - [`sizing`]: aims → the risk that was asked for, under the gross cap.
//! - [`shadow`]: a desk on paper beside the desk, to compare with.
//! - [`instrument_selection`]: in which instrument an asset is held, by what carry agents say.
//! - [`gate`]: the last gate before an order leaves, the only maker of [`ApprovedOrder`] (law 7).
//! - [`breaker`]: the latched drawdown breaker.
//! - [`operator_controls`]: what the operator asks of real money.
//!
//! Never: sends anything, reads a clock, looks into other rooms; what it must know comes as values.

pub mod breaker;
pub mod desk;
mod desk_inputs;
pub mod funds;
pub mod gate;
pub mod instrument_selection;
pub mod operator_controls;
pub mod package_limits;
pub mod scale;
pub mod settings;
pub mod shadow;
pub mod sizing;

pub use breaker::{Breaker, BreakerSettings, Latch};
pub use gate::{ApprovedOrder, Exposure, Gate, GateSettings, ProposedOrder, Refusal, RefusalReason};
pub use operator_controls::OperatorControls;

use serde::{Deserialize, Serialize};
use std::fmt;

/// What the account may do. The strictest of all that ask for a mode holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// Everything is allowed, within the gate's limits.
    #[default]
    Running,
    /// Positions may only shrink.
    Reducing,
    /// No new risk, whoever asks: the kill switch is latched, or there is a doubt. After a doubt the hive
    /// decides nothing at all.
    Halted,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Mode::Running => "running",
            Mode::Reducing => "reducing",
            Mode::Halted => "halted",
        })
    }
}
