//! The second half of the step: everything that comes of listening. Hears what was said, keeps the
//! points, makes stances of intents, steers by goals, and trades the net through desk, gate, venue
//! and books.
//!
//! # Invariants
//!
//! 1. It reads the market and what was said, never another agent's mind: utterances may be rewritten
//!    in between (the lab's controls) without touching anything else.
//! 2. A stance heard now was said at this barrier or before (law 4); an order decided now fills at the
//!    first price after it.
//! 3. Σ real books = account, checked by the ledger at every posting, and the venue's own position is
//!    compared with the desk's at every barrier. Any doubt halts new risk (law 9).
//!
//! [`Respond`] is its state; its files are what is done with it: `hear` takes the event and what was said, `listen`
//! makes stances of it, `day` closes a day, `operator_commands` has an arm for each command.

mod day;
mod hear;
mod listen;
mod open;
mod open_company;
mod open_legs;
mod open_life;
mod operator_commands;
mod spec;
mod state;

pub(in crate::engine) use hear::HeardBy;
pub use open_legs::OpenLegs;
pub use open_life::{CompanyShare, OpenLife};
pub use spec::{ControlOverrides, RespondSpec};
pub use state::{OpenState, ResidualStance, Respond};
