//! What hearing was worth, proven: a run is lived again without some of what was said, everything else equal, and its end is
//! compared to the last digit.
//!
//! ```text
//! pairs of a speaker and a kind, 1 … m, in a stated order:          all heard ─1─► ─2─► … ─m─► ─rest─► ─ears─► nobody listens
//! value of a pair = PnL before it is taken away − PnL after                  Σ = PnL(all) − PnL(none)
//! ```
//!
//! *rest* are words of which the run itself has none, said only because others were not heard. *ears* is what is left when
//! nothing is heard any more: everybody still leaves λ of its size to others who are silent, until it does not. With closed ears
//! it is the run of `--deaf`, in which the desk does not hear quotes of carriers and makers either.
//!
//! # Invariants
//!
//! 1. Values are in that order and no causes: taken away in another order, other values come out of the same sum. So both the
//!    order and its reverse are told.
//! 2. Both ends are runs of their own: what is heard whole decides what the plain run (or the journal of one that is kept) says
//!    it decided, and what is deaf what a run decides in which listening is off.
//! 3. The same bytes on any number of threads: each company is a function of the market and of what it does not hear.
//! 4. What is kept is read, compared on the way, and never written.

mod background;
mod certificate;
mod error;
mod message;
mod relive;
mod rows;
#[cfg(test)]
mod tests;
mod values;

pub use background::BackgroundProof;
pub use certificate::{Build, Certificate, EndOfRun, Given, PairValue};
pub use error::ProveError;
pub use message::{MessageValue, one};
pub use relive::{KeptPast, RunToProve};
pub use rows::Speakers;
pub use values::{prove, threads};
